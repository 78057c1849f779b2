//! One attempt: the request goes out, the answer comes in chunks.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::{BoxStream, StreamExt};
use reqwest::header::HeaderMap;

use super::request::check_scheme;
use super::{HttpSettings, Request};
use crate::error::{Error, ErrorKind, Result};

/// How far a failed attempt got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Nothing left this machine, or no connection came about: the channel saw no request.
    NotSent,
    /// The channel may have seen the request.
    Sent,
}

/// Why an attempt failed. Its text holds no address: keys travel in queries.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{text}")]
#[non_exhaustive]
pub struct TransportError {
    /// How far it got.
    pub phase: Phase,
    /// Whether it was a time-out.
    pub timed_out: bool,
    /// What happened.
    pub text: String,
}

impl TransportError {
    /// A failure in this phase.
    pub fn new(phase: Phase, text: impl Into<String>) -> Self {
        Self { phase, timed_out: false, text: text.into() }
    }

    /// It was a time-out.
    pub fn timed_out(mut self) -> Self {
        self.timed_out = true;
        self
    }
}

/// The chunks of a body.
pub type BodyStream = BoxStream<'static, Result<Bytes, TransportError>>;

/// An answer whose body is still on its way.
#[non_exhaustive]
pub struct RawResponse {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// Size announced for the body, in bytes.
    pub content_length: Option<u64>,
    /// Body.
    pub body: BodyStream,
}

impl RawResponse {
    /// An answer.
    pub fn new(status: u16, headers: HeaderMap, content_length: Option<u64>, body: BodyStream) -> Self {
        Self { status, headers, content_length, body }
    }
}

impl fmt::Debug for RawResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HTTP {}", self.status)
    }
}

/// Makes single attempts. Tests bring their own.
#[async_trait]
pub trait Transport: Send + Sync + fmt::Debug {
    /// Sends a request and waits for the head of the answer. Neither redirects nor repeats.
    ///
    /// # Errors
    /// How far it got, and why not further.
    async fn send(&self, request: Request, timeout: Duration) -> Result<RawResponse, TransportError>;
}

/// The real network, over reqwest.
#[derive(Debug, Clone)]
pub struct ReqwestTransport(reqwest::Client);

impl ReqwestTransport {
    /// A client with the connect time-out of these settings. TLS by rustls; no redirects; gzip.
    ///
    /// # Errors
    /// `Configuration` when TLS can't be set up.
    pub fn new(settings: &HttpSettings) -> Result<Self> {
        let client = reqwest::Client::builder()
            .connect_timeout(settings.connect_timeout)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .user_agent(concat!("sales-channels/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|e| Error::new(ErrorKind::Configuration).with_message(e.without_url()))?;
        Ok(Self(client))
    }
}

#[async_trait]
impl Transport for ReqwestTransport {
    async fn send(&self, request: Request, timeout: Duration) -> Result<RawResponse, TransportError> {
        if let Err(error) = check_scheme(&request.url) {
            return Err(TransportError::new(Phase::NotSent, error.message().unwrap_or("refused")));
        }
        let answer = self
            .0
            .request(request.method, request.url)
            .headers(request.headers)
            .body(request.body)
            .timeout(timeout)
            .send()
            .await
            .map_err(failed)?;
        let (status, headers, content_length) =
            (answer.status().as_u16(), answer.headers().clone(), answer.content_length());
        let body = answer.bytes_stream().map(|chunk| chunk.map_err(failed)).boxed();
        Ok(RawResponse { status, headers, content_length, body })
    }
}

fn failed(error: reqwest::Error) -> TransportError {
    let phase = if error.is_connect() || error.is_builder() { Phase::NotSent } else { Phase::Sent };
    let timed_out = error.is_timeout();
    let error = error.without_url();
    let mut text = error.to_string();
    // The cause says more than "error sending request"; the causes of a connection hold addresses of hosts only.
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    TransportError { phase, timed_out, text }
}
