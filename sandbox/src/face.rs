//! What a channel's face must be able to do.

use axum::Router;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use crate::{Clock, Market};

/// One channel's API over the market. See README.md, "How to add a face".
pub trait Face: Send + Sync + 'static {
    /// The channel's id, as it stands in URLs of the control port: lower case, digits and underscores.
    fn id(&self) -> &'static str;

    /// All routes of the API, from the root path: a face has a listener of its own.
    fn router(&self, context: FaceContext) -> Router;

    /// The name of the operation that a request asks for, to count by and to aim faults at. It must answer for anything
    /// that is sent ("unknown" if it can't be told).
    fn operation(&self, request: &RequestHead<'_>, body: &[u8]) -> String;

    /// What a client needs to log in, as the start line of the program prints it.
    fn credentials(&self) -> serde_json::Value;

    /// How many requests are let through. None by default.
    fn rate_limit(&self) -> Option<RateLimit> {
        None
    }

    /// The answer to a request above the rate limit.
    fn limited(&self) -> Response {
        StatusCode::TOO_MANY_REQUESTS.into_response()
    }

    /// Switches of this face on the control port, below `/faces/<id>/control`.
    fn control(&self) -> Router {
        Router::new()
    }
}

/// What a face works on.
#[derive(Debug, Clone)]
pub struct FaceContext {
    /// The marketplace.
    pub market: Market,
    /// The time.
    pub clock: Clock,
}

/// A request without its body.
#[derive(Debug, Clone, Copy)]
pub struct RequestHead<'a> {
    /// Its method.
    pub method: &'a Method,
    /// Its path and query.
    pub uri: &'a Uri,
    /// Its headers.
    pub headers: &'a HeaderMap,
}

/// So many requests in each window of so many seconds, on the sandbox's clock: while it stands, no window ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct RateLimit {
    /// Requests in a window.
    pub requests: u32,
    /// Length of a window in seconds.
    pub seconds: u32,
}
