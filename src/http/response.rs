//! What comes back.

use std::borrow::Cow;
use std::fmt;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

use crate::channel::Secret;
use crate::error::{Error, ErrorKind, Result, Retry};

/// What stands where a secret was.
const BLANK: &str = "[secret]";

/// A shorter text could stand in an answer by chance.
const SHORTEST_SECRET: usize = 8;

/// Beyond this a Retry-After is taken for a mistake.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3600);

/// An answer, read to its end. Debug shows status and size only.
#[derive(Clone)]
#[non_exhaustive]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
    /// When the request that this answers was sent, by our clock.
    pub sent_at: DateTime<Utc>,
    /// The server's clock less ours, where it told.
    pub clock_skew: Option<TimeDelta>,
    /// How often the request was sent, this time included.
    pub attempts: u32,
}

impl Response {
    pub(super) fn new(
        status: u16,
        headers: HeaderMap,
        body: Bytes,
        sent_at: DateTime<Utc>,
        attempts: u32,
    ) -> Self {
        let clock_skew = header(&headers, DATE.as_str())
            .and_then(|text| httpdate::parse_http_date(text).ok())
            .map(|date| DateTime::<Utc>::from(date) - sent_at);
        Self { status, headers, body, sent_at, clock_skew, attempts }
    }

    /// A header's text.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// Whether the status is 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The answer with these secrets blanked out, as they are, percent-encoded, or with escaped slashes; `None` when it
    /// repeats none.
    pub(super) fn blanked(&self, secrets: &[Secret]) -> Option<Self> {
        let mut body = Cow::Borrowed(&self.body[..]);
        for secret in secrets.iter().map(Secret::expose).filter(|text| text.len() >= SHORTEST_SECRET) {
            let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
            for form in [secret, &encoded, &secret.replace('/', "\\/")] {
                if let Some(clean) = replaced(&body, form.as_bytes()) {
                    body = Cow::Owned(clean);
                }
            }
        }
        match body {
            Cow::Borrowed(_) => None,
            Cow::Owned(body) => Some(Self { body: body.into(), ..self.clone() }),
        }
    }

    /// What Retry-After asks for: seconds, or the time until a date.
    pub fn retry_after(&self) -> Option<Duration> {
        let text = self.header(RETRY_AFTER.as_str())?.trim();
        // Some channels write "2.0".
        if let Ok(seconds) = text.parse::<f64>() {
            return Duration::try_from_secs_f64(seconds).ok().map(|wait| wait.min(LONGEST_WAIT));
        }
        let until = httpdate::parse_http_date(text).ok()?;
        let server_now = self.sent_at + self.clock_skew.unwrap_or_default();
        Some(until.duration_since(SystemTime::from(server_now)).unwrap_or_default().min(LONGEST_WAIT))
    }
}

/// The bytes with each occurrence of a text blanked out; `None` when there is none.
fn replaced(bytes: &[u8], text: &[u8]) -> Option<Vec<u8>> {
    let finder = memchr::memmem::Finder::new(text);
    let mut found = finder.find_iter(bytes).peekable();
    found.peek()?;
    let mut clean = Vec::with_capacity(bytes.len());
    let mut from = 0;
    for at in found {
        clean.extend_from_slice(&bytes[from..at]);
        clean.extend_from_slice(BLANK.as_bytes());
        from = at + text.len();
    }
    clean.extend_from_slice(&bytes[from..]);
    Some(clean)
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HTTP {} [{} bytes]", self.status, self.body.len())
    }
}

/// What a status means where a channel says nothing of its own. 2xx is good; redirects are not followed, because
/// signatures and keys are for one address.
///
/// # Errors
/// The kind that the status stands for.
pub fn classify_status(response: &Response) -> Result<()> {
    let (kind, retry) = match response.status {
        200..=299 => return Ok(()),
        300..=399 => (ErrorKind::MalformedResponse, Retry::Never),
        401 => (ErrorKind::Unauthorized, Retry::Never),
        403 => (ErrorKind::Forbidden, Retry::Never),
        404 | 410 => (ErrorKind::NotFound, Retry::Never),
        408 | 425 => (ErrorKind::TimedOut, Retry::Later),
        429 => (ErrorKind::RateLimited, Retry::Later),
        500..=599 => (ErrorKind::Unavailable, Retry::Later),
        _ => (ErrorKind::Refused, Retry::Never),
    };
    let retry = match (retry, response.retry_after()) {
        (Retry::Later, Some(delay)) => Retry::After(delay),
        (retry, _) => retry,
    };
    let error = Error::new(kind).with_code(format_args!("HTTP {}", response.status)).with_retry(retry);
    Err(match response.status {
        300..=399 => error.with_message("the address redirects; redirects are not followed"),
        _ => error,
    })
}

/// Whether a body can be JSON at all: proxies answer errors with HTML and status 200, or with nothing.
///
/// # Errors
/// `MalformedResponse`, temporary.
pub fn expect_json(response: &Response) -> Result<()> {
    let first = response.body.iter().find(|byte| !byte.is_ascii_whitespace());
    let what = match first {
        Some(b'{' | b'[' | b'"' | b'0'..=b'9' | b'-' | b't' | b'f' | b'n') => return Ok(()),
        Some(b'<') => "HTML or XML where JSON should be",
        Some(0xEF) => "a byte order mark where JSON should be",
        Some(_) => "something that is not JSON",
        None => "nothing at all",
    };
    Err(Error::malformed(format!("the channel answered {what} (HTTP {})", response.status)))
}
