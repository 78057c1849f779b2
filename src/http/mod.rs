//! The one way to the network: time-outs, retry, rate limits, size caps, redaction. It knows no channel.
//!
//! From inside to outside: per-attempt time-out, retry (here and nowhere else), rate limit, tracing. What may be
//! repeated is said by each call's [`Nature`]; what an answer means is said by the adapter's `judge`.

mod budget;
mod client;
mod limits;
mod request;
mod response;
mod transport;

pub use client::{AccountHttp, Call, HttpClient, HttpSettings, Nature, Random, SystemRandom, is_too_large};
pub use limits::LimitState;
pub use request::{BaseUrl, Request, same_host};
pub use response::{Response, classify_status, expect_json};
pub use transport::{BodyStream, Phase, RawResponse, ReqwestTransport, Transport, TransportError};

pub use reqwest::Method;
pub use url::Url;
