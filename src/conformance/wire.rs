//! The suite's place between adapter and server: it counts, and lets things go wrong.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use futures_util::stream::{iter, pending, repeat_with};
use tokio::sync::Notify;

use super::Harness;
use crate::http::{BodyStream, Phase, RawResponse, Request, ReqwestTransport, Transport, TransportError};

/// Changes an answer on its way; `None`: leaves it as it is.
pub(super) type Tamper = Arc<dyn Fn(&[u8]) -> Option<Vec<u8>> + Send + Sync>;

/// What goes wrong with a request.
#[derive(Clone)]
pub(super) enum Fault {
    /// Answered in place of the server.
    Answer { status: u16, retry_after: Option<u32>, content_type: &'static str, body: Bytes },
    /// Answered in place of the server, with a body that breaks off.
    CutBody,
    /// No answer in time; the server does not see the request.
    NoAnswer,
    /// The server handles it; its answer is lost.
    Lost,
    /// The server handles it; half of its answer comes.
    Half,
    /// The server handles it; half of its answer comes, and ends as if it were whole.
    Short,
    /// A body without an end.
    Endless,
    /// The head of an answer and some bytes, then nothing more.
    Slow,
    /// The request waits for ever; the server does not see it.
    HeldBefore,
    /// The server handles it, the answer waits for ever.
    HeldAfter,
    /// The answer is changed on its way.
    Tampered(Tamper),
    /// The channel's own error, with the secrets of the request in its text.
    Echo,
}

impl Fault {
    pub(super) fn status(status: u16, content_type: &'static str, body: &str) -> Self {
        Self::Answer { status, retry_after: None, content_type, body: Bytes::from(body.to_owned()) }
    }
}

/// Which requests meet it, counted from when it was set.
#[derive(Clone)]
struct Plan {
    from: usize,
    times: usize,
    fault: Fault,
}

#[derive(Default)]
struct State {
    plan: Option<Plan>,
    seen: Vec<Exchange>,
    /// Secrets that [`Fault::Echo`] told.
    echoed: Vec<String>,
}

/// A request that came by.
#[derive(Debug, Clone)]
pub(super) struct Exchange {
    /// Method, path and a digest of the body: equal for a request and its repeats.
    pub(super) what: String,
    /// Changes that the server made because of it.
    pub(super) changes: u64,
    /// Whether it met the fault.
    pub(super) struck: bool,
}

/// A transport that counts, and lets things go wrong.
pub(super) struct Wire {
    inner: ReqwestTransport,
    harness: Arc<dyn Harness>,
    state: Mutex<State>,
    held: Notify,
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}

impl Wire {
    pub(super) fn new(harness: Arc<dyn Harness>, inner: ReqwestTransport) -> Self {
        Self { inner, harness, state: Mutex::default(), held: Notify::new() }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From the `from`-th request after now, `times` requests meet this.
    pub(super) fn strike(&self, from: usize, times: usize, fault: Fault) {
        let mut state = self.state();
        state.seen.clear();
        state.plan = Some(Plan { from, times, fault });
    }

    /// Nothing goes wrong any more; counting begins anew.
    pub(super) fn calm(&self) {
        let mut state = self.state();
        state.seen.clear();
        state.plan = None;
    }

    /// The requests since the last [`Wire::strike`] or [`Wire::calm`].
    pub(super) fn seen(&self) -> Vec<Exchange> {
        self.state().seen.clone()
    }

    /// How many requests met the fault.
    pub(super) fn struck(&self) -> usize {
        self.state().seen.iter().filter(|exchange| exchange.struck).count()
    }

    /// Secrets that the channel told in an error.
    pub(super) fn echoed(&self) -> Vec<String> {
        self.state().echoed.clone()
    }

    /// The secrets in a request: those that the harness names, and headers that are marked.
    fn secrets_in(&self, request: &Request) -> Vec<String> {
        let header = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        let marked =
            request.headers.values().filter(|value| value.is_sensitive()).map(|v| header(v.as_bytes()));
        let mut found: Vec<String> = marked.collect();
        let whole = format!("{} {} {:?}", request.url, String::from_utf8_lossy(&request.body), found);
        found.extend(self.harness.secrets().into_iter().filter(|secret| whole.contains(secret.as_str())));
        found
    }

    /// Waits until a request is held.
    pub(super) async fn held(&self) {
        self.held.notified().await;
    }

    /// Notes a request: its place, and what it meets.
    fn begin(&self, request: &Request) -> (usize, Option<Fault>) {
        let mut state = self.state();
        let at = state.seen.len();
        let fault = state.plan.as_ref().and_then(|plan| {
            let struck = at >= plan.from && at - plan.from < plan.times;
            struck.then(|| plan.fault.clone())
        });
        let mut body = DefaultHasher::new();
        request.body.hash(&mut body);
        let what = format!("{} {} {:x}", request.method, request.url.path(), body.finish());
        state.seen.push(Exchange { what, changes: 0, struck: fault.is_some() });
        (at, fault)
    }

    async fn forward(
        &self,
        at: usize,
        request: Request,
        timeout: Duration,
        change: impl FnOnce(Bytes) -> Bytes,
    ) -> Result<RawResponse, TransportError> {
        let before = self.harness.changes();
        let mut answer = self.inner.send(request, timeout).await?;
        let mut body = BytesMut::new();
        while let Some(chunk) = answer.body.next().await {
            body.extend_from_slice(&chunk?);
        }
        let made = self.harness.changes().saturating_sub(before);
        if let Some(exchange) = self.state().seen.get_mut(at) {
            exchange.changes = made;
        }
        let body = change(body.freeze());
        let size = body.len() as u64;
        Ok(RawResponse::new(answer.status, answer.headers, Some(size), iter([Ok(body)]).boxed()))
    }
}

#[async_trait]
impl Transport for Wire {
    async fn send(&self, request: Request, timeout: Duration) -> Result<RawResponse, TransportError> {
        let (at, fault) = self.begin(&request);
        let broken = || TransportError::new(Phase::Sent, "the connection was closed");
        match fault {
            None => self.forward(at, request, timeout, |body| body).await,
            Some(Fault::Answer { status, retry_after, content_type, body }) => {
                Ok(answer(status, retry_after, content_type, iter([Ok(body)]).boxed()))
            }
            Some(Fault::CutBody) => {
                let parts = [Ok(Bytes::from_static(b"{\"Res")), Err(broken())];
                Ok(answer(200, None, "application/json", iter(parts).boxed()))
            }
            Some(Fault::NoAnswer) => Err(TransportError::new(Phase::Sent, "no answer in time").timed_out()),
            Some(Fault::Lost) => {
                self.forward(at, request, timeout, |body| body).await?;
                Err(broken())
            }
            Some(Fault::Half) => {
                let whole = self.forward(at, request, timeout, |body| body.slice(..body.len() / 2)).await?;
                let body = whole.body.chain(iter([Err(broken())])).boxed();
                Ok(RawResponse::new(whole.status, whole.headers, None, body))
            }
            Some(Fault::Short) => {
                let whole = self.forward(at, request, timeout, |body| body.slice(..body.len() / 2)).await?;
                // What has no body can't be cut.
                if whole.content_length == Some(0) { Err(broken()) } else { Ok(whole) }
            }
            Some(Fault::Endless) => {
                let chunk = Bytes::from(vec![b' '; 64 << 10]);
                Ok(answer(200, None, "application/json", repeat_with(move || Ok(chunk.clone())).boxed()))
            }
            Some(Fault::Slow) => {
                let start = iter([Ok(Bytes::from_static(b"{"))]);
                Ok(answer(200, None, "application/json", start.chain(pending()).boxed()))
            }
            Some(Fault::HeldBefore) => {
                self.held.notify_one();
                std::future::pending().await
            }
            Some(Fault::HeldAfter) => {
                self.forward(at, request, timeout, |body| body).await?;
                self.held.notify_one();
                std::future::pending().await
            }
            Some(Fault::Echo) => {
                let secrets = self.secrets_in(&request);
                let told = self.harness.error_answer(&format!("bad request with {}.", secrets.join(" and ")));
                self.state().echoed.extend(secrets);
                let Ok(told) = told else { return self.forward(at, request, timeout, |body| body).await };
                let body = iter([Ok(Bytes::from(told.body))]).boxed();
                Ok(answer(told.status, None, told.content_type, body))
            }
            Some(Fault::Tampered(tamper)) => {
                let change = |body: Bytes| tamper(&body).map_or(body, Bytes::from);
                self.forward(at, request, timeout, change).await
            }
        }
    }
}

fn answer(
    status: u16,
    retry_after: Option<u32>,
    content_type: &'static str,
    body: BodyStream,
) -> RawResponse {
    let mut answer = RawResponse::new(status, Default::default(), None, body);
    if let Ok(value) = content_type.parse() {
        answer.headers.insert("content-type", value);
    }
    if let Some(seconds) = retry_after {
        answer.headers.insert("retry-after", seconds.into());
    }
    answer
}
