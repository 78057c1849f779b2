//! Calls: attempts, waits and repeats, within the caller's budget.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use chrono::{DateTime, Utc};
use futures_util::StreamExt;
use tokio::time::{Instant, sleep, timeout_at};
use tracing::Instrument;

use super::budget::RetryBudget;
use super::limits::Limits;
use super::{LimitState, Phase, RawResponse, Request, ReqwestTransport, Response, Transport, TransportError};
use crate::channel::{Context, Limit, Operation, Repeat};
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::model::{AccountId, ChannelId, Clock, SystemClock};

/// A clock that is off by more is named in the errors that it causes.
const SKEW: i64 = 120;

/// Where jitter comes from.
pub trait Random: Send + Sync + fmt::Debug {
    /// A number from 0 up to, not including, 1.
    fn fraction(&self) -> f64;
}

/// Good enough for jitter: a counter through a mixer, seeded by the time at start.
#[derive(Debug)]
pub struct SystemRandom(AtomicU64);

impl SystemRandom {
    /// A source that gives the same numbers for the same seed.
    pub fn seeded(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }
}

impl Default for SystemRandom {
    fn default() -> Self {
        Self::seeded(Utc::now().timestamp_nanos_opt().unwrap_or_default().unsigned_abs())
    }
}

impl Random for SystemRandom {
    fn fraction(&self) -> f64 {
        // SplitMix64.
        let mut z = self.0.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Times and sizes of the HTTP layer.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct HttpSettings {
    /// Until a connection stands. Default: 10 s.
    pub connect_timeout: Duration,
    /// One attempt, until its body is read. Default: 30 s.
    pub attempt_timeout: Duration,
    /// A call with its waits and repeats, where the caller gives no budget. Default: 90 s.
    pub total_timeout: Duration,
    /// Largest body, unpacked, in bytes. Default: 32 MiB.
    pub max_response_bytes: usize,
    /// Most attempts of a call. Default: 4.
    pub max_attempts: u32,
    /// Longest first pause; it doubles with each repeat. Default: 0.5 s.
    pub base_pause: Duration,
    /// Longest pause. Default: 30 s.
    pub max_pause: Duration,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            attempt_timeout: Duration::from_secs(30),
            total_timeout: Duration::from_secs(90),
            max_response_bytes: 32 << 20,
            max_attempts: 4,
            base_pause: Duration::from_millis(500),
            max_pause: Duration::from_secs(30),
        }
    }
}

/// What a call does at the channel, and so when it may be repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nature {
    /// It changes nothing.
    Read,
    /// A second one changes nothing more.
    SafeWrite,
    /// A second one could do it twice: repeated only where the first certainly had no effect.
    UnsafeWrite,
}

impl From<Repeat> for Nature {
    fn from(repeat: Repeat) -> Self {
        match repeat {
            Repeat::Safe => Self::SafeWrite,
            Repeat::ReadFirst => Self::UnsafeWrite,
        }
    }
}

/// A call.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    /// Its name in limits, errors, spans and metrics.
    pub operation: Operation,
    /// When it may be repeated.
    pub nature: Nature,
    /// Makes the request, once for each attempt: signatures and time stamps must be fresh.
    pub build: &'a (dyn Fn(DateTime<Utc>) -> Result<Request> + Send + Sync),
    /// Says what is wrong with an answer, by the adapter's error table.
    pub judge: &'a (dyn Fn(&Response) -> Result<()> + Send + Sync),
}

#[derive(Debug)]
struct Shared {
    settings: HttpSettings,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

/// Shared by all accounts; cheap to clone.
#[derive(Debug, Clone)]
pub struct HttpClient(Arc<Shared>);

impl HttpClient {
    /// A client over the real network.
    ///
    /// # Errors
    /// `Configuration` when TLS can't be set up.
    pub fn new(settings: HttpSettings) -> Result<Self> {
        let transport = Arc::new(ReqwestTransport::new(&settings)?);
        Ok(Self::with(settings, transport, Arc::new(SystemClock), Arc::new(SystemRandom::default())))
    }

    /// A client over another transport, clock and source of jitter.
    pub fn with(
        settings: HttpSettings,
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Self {
        Self(Arc::new(Shared { settings, transport, clock, random }))
    }

    /// The same client with another clock.
    pub fn with_clock(&self, clock: Arc<dyn Clock>) -> Self {
        let Shared { settings, transport, random, .. } = &*self.0;
        Self::with(settings.clone(), Arc::clone(transport), clock, Arc::clone(random))
    }

    /// Now, by the client's clock: what signatures and replay windows count from.
    pub fn now(&self) -> DateTime<Utc> {
        self.0.clock.now()
    }

    /// What one account sends through: it has limits and a retry budget of its own.
    pub fn account(&self, channel: &ChannelId, account: &AccountId, limits: &[Limit]) -> AccountHttp {
        AccountHttp(Arc::new(AccountShared {
            client: self.clone(),
            channel: channel.clone(),
            account: account.clone(),
            limits: Limits::new(limits),
            budget: RetryBudget::default(),
        }))
    }
}

#[derive(Debug)]
struct AccountShared {
    client: HttpClient,
    channel: ChannelId,
    account: AccountId,
    limits: Limits,
    budget: RetryBudget,
}

/// What one account sends through; cheap to clone.
#[derive(Debug, Clone)]
pub struct AccountHttp(Arc<AccountShared>);

impl AccountHttp {
    /// Now, by the client's clock.
    pub fn now(&self) -> DateTime<Utc> {
        self.0.client.now()
    }

    /// No call of this account for this long: for channels whose answers say how much may still be asked.
    pub fn hold(&self, wait: Duration) {
        self.0.limits.hold(wait);
    }

    /// The limits that are kept.
    pub fn limits(&self) -> Vec<LimitState> {
        self.0.limits.states()
    }

    /// Sends a call, waits and repeats as its nature and the caller's budget allow.
    ///
    /// # Errors
    /// What `judge` says of the answer, or what kept it from coming. The error says how often the call was sent, and
    /// whether its effect is unknown. A wait beyond the budget is not waited: `RateLimited` or the last error with
    /// [`Retry::After`].
    pub async fn send(&self, cx: &Context, call: Call<'_>) -> Result<Response> {
        let AccountShared { channel, account, .. } = &*self.0;
        let span = tracing::debug_span!("http", %channel, %account, operation = %call.operation);
        let started = Instant::now();
        let result = self.attempts(cx, call).instrument(span).await;
        let outcome = match &result {
            Ok(_) => "ok".to_owned(),
            Err(error) => format!("{:?}", error.kind()),
        };
        let name = channel.as_str().to_owned();
        let operation = call.operation.as_str();
        metrics::counter!("sales_channels_http_requests_total",
            "channel" => name.clone(), "operation" => operation, "outcome" => outcome)
        .increment(1);
        metrics::histogram!("sales_channels_http_request_seconds", "channel" => name, "operation" => operation)
            .record(started.elapsed().as_secs_f64());
        result.map_err(|error| error.at_channel(channel).for_account(account).in_operation(call.operation))
    }

    async fn attempts(&self, cx: &Context, call: Call<'_>) -> Result<Response> {
        let Shared { settings, clock, .. } = &*self.0.client.0;
        let total = cx.remaining().unwrap_or(settings.total_timeout).min(settings.total_timeout);
        let deadline = Instant::now() + total;
        let mut attempts = 0;
        loop {
            self.wait_for_limits(call.operation, deadline).await?;
            let now = clock.now();
            let request = (call.build)(now)?;
            let host = request.url.host_str().unwrap_or_default().to_owned();
            let secrets = request.secrets.clone();
            attempts += 1;
            if attempts == 1 {
                self.0.budget.earn(&host);
            } else {
                metrics::counter!("sales_channels_http_retries_total",
                    "channel" => self.0.channel.as_str().to_owned(), "operation" => call.operation.as_str())
                .increment(1);
            }
            let (error, may_have_acted) = match self.attempt(request, now, attempts, deadline).await {
                Ok(response) => {
                    tracing::debug!(
                        attempt = attempts,
                        status = response.status,
                        bytes = response.body.len()
                    );
                    let blanked = response.blanked(&secrets);
                    match (call.judge)(blanked.as_ref().unwrap_or(&response)) {
                        Ok(()) if call.operation == Operation::RenewCredentials => return Ok(response),
                        Ok(()) => return Ok(blanked.unwrap_or(response)),
                        Err(error) => {
                            let acted = may_have_acted(&error, response.status);
                            (named_skew(error, &response), acted)
                        }
                    }
                }
                Err(failure) => {
                    tracing::debug!(attempt = attempts, error = %failure);
                    (failed(&failure), failure.phase == Phase::Sent)
                }
            };
            let error = error.after_attempts(attempts);
            let error = match call.nature {
                Nature::Read => error,
                Nature::SafeWrite | Nature::UnsafeWrite if may_have_acted => error.with_unknown_effect(),
                Nature::SafeWrite | Nature::UnsafeWrite => error,
            };
            let repeatable = error.is_temporary() && (call.nature != Nature::UnsafeWrite || !may_have_acted);
            if !repeatable || attempts >= settings.max_attempts || !self.0.budget.spend(&host) {
                return Err(error);
            }
            let pause = self.pause(&error, attempts);
            if Instant::now() + pause >= deadline {
                return Err(match error.retry() {
                    Retry::Later => error.with_retry(Retry::After(pause)),
                    _ => error,
                });
            }
            sleep(pause).await;
        }
    }

    /// One attempt, to the end of its body.
    async fn attempt(
        &self,
        request: Request,
        sent_at: DateTime<Utc>,
        attempts: u32,
        deadline: Instant,
    ) -> Result<Response, TransportError> {
        let Shared { settings, transport, .. } = &*self.0.client.0;
        let ends = deadline.min(Instant::now() + settings.attempt_timeout);
        let late = || TransportError::new(Phase::Sent, "no answer in time").timed_out();
        let answer =
            timeout_at(ends, transport.send(request, ends - Instant::now())).await.map_err(|_| late())??;
        let (status, headers) = (answer.status, answer.headers.clone());
        let body =
            timeout_at(ends, read_body(answer, settings.max_response_bytes)).await.map_err(|_| late())??;
        Ok(Response::new(status, headers, body, sent_at, attempts))
    }

    async fn wait_for_limits(&self, operation: Operation, deadline: Instant) -> Result<()> {
        while let Some(wait) = self.0.limits.take(operation) {
            if Instant::now() + wait >= deadline {
                return Err(Error::new(ErrorKind::RateLimited)
                    .with_message("this account's own limit; nothing was sent")
                    .with_retry(Retry::After(wait)));
            }
            sleep(wait).await;
        }
        Ok(())
    }

    /// The pause before the next attempt: what the channel asks for, else doubling with full jitter.
    fn pause(&self, error: &Error, attempts: u32) -> Duration {
        let Shared { settings, random, .. } = &*self.0.client.0;
        if let Retry::After(delay) = error.retry() {
            return delay;
        }
        let doubled = settings.base_pause.saturating_mul(1 << (attempts - 1).min(16)).min(settings.max_pause);
        doubled.mul_f64(random.fraction())
    }
}

/// Whether an answer that is an error leaves it open that the change was made. A refusal, a limit and wrong
/// credentials say that it was not; a 5xx, a time-out and an answer that can't be read say nothing.
fn may_have_acted(error: &Error, status: u16) -> bool {
    match error.kind() {
        ErrorKind::Unavailable | ErrorKind::TimedOut | ErrorKind::MalformedResponse => {
            !(300..400).contains(&status)
        }
        _ => false,
    }
}

fn failed(failure: &TransportError) -> Error {
    let kind = if failure.text == TOO_LARGE {
        return Error::malformed(TOO_LARGE).with_code(TOO_LARGE_CODE).with_retry(Retry::Never);
    } else if failure.timed_out {
        ErrorKind::TimedOut
    } else {
        ErrorKind::Unavailable
    };
    Error::new(kind).with_message(&failure.text)
}

/// Whether a call failed because its answer was larger than [`HttpSettings::max_response_bytes`]: asked for less, the
/// channel may answer.
pub fn is_too_large(error: &Error) -> bool {
    error.code() == Some(TOO_LARGE_CODE)
}

const TOO_LARGE_CODE: &str = "answer too large";
const TOO_LARGE: &str = "the answer is larger than the limit (HttpSettings::max_response_bytes)";

/// Reads a body of at most `most` bytes: more is never held.
async fn read_body(answer: RawResponse, most: usize) -> Result<Bytes, TransportError> {
    let too_large = || TransportError::new(Phase::Sent, TOO_LARGE);
    if answer.content_length.is_some_and(|announced| announced > most as u64) {
        return Err(too_large());
    }
    let mut chunks = answer.body;
    let Some(first) = chunks.next().await.transpose()? else { return Ok(Bytes::new()) };
    if first.len() > most {
        return Err(too_large());
    }
    let Some(mut chunk) = chunks.next().await.transpose()? else { return Ok(first) };
    let expected = answer.content_length.and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
    let mut body = BytesMut::with_capacity(expected.max(first.len() + chunk.len()));
    body.extend_from_slice(&first);
    loop {
        if body.len() + chunk.len() > most {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
        match chunks.next().await.transpose()? {
            Some(next) => chunk = next,
            None => return Ok(body.freeze()),
        }
    }
}

/// A wrong clock breaks signatures: it is named where it may be the cause.
fn named_skew(error: Error, response: &Response) -> Error {
    let skew = response.clock_skew.map_or(0, |skew| skew.num_seconds());
    if error.kind() != ErrorKind::Unauthorized || skew.abs() < SKEW {
        return error;
    }
    let side = if skew > 0 { "behind" } else { "ahead of" };
    let said = error.message().unwrap_or("").to_owned();
    error.with_message(format!("{said} (this machine's clock is {} s {side} the channel's)", skew.abs()))
}
