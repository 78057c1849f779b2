//! Answers (sheet "Errors").

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// Why a call is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) status: StatusCode,
    /// None where the body is empty.
    pub(super) body: Option<(&'static str, String)>,
    pub(super) retry_after: Option<i64>,
}

/// The JSON of an answer, or why there is none.
pub(super) type Outcome = Result<Value, Failure>;

impl Failure {
    pub(super) fn new(status: StatusCode, code: &'static str, text: impl Into<String>) -> Self {
        Self { status, body: Some((code, text.into())), retry_after: None }
    }

    pub(super) fn empty(status: StatusCode) -> Self {
        Self { status, body: None, retry_after: None }
    }

    pub(super) fn wrong(text: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "WRONG_PARAMETER", text)
    }

    pub(super) fn not_found(code: &'static str, text: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, text)
    }

    pub(super) fn limited(seconds: i64) -> Self {
        let limited = Self::new(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED", "Too many requests");
        Self { retry_after: Some(seconds), ..limited }
    }
}

pub(super) fn response(outcome: Outcome) -> Response {
    match outcome {
        Ok(value) => with_json(StatusCode::OK, &value),
        Err(failure) => {
            let mut answer = match &failure.body {
                Some((code, text)) => {
                    with_json(failure.status, &json!({ "errorMessage": text, "errorCode": code }))
                }
                None => failure.status.into_response(),
            };
            if let Some(seconds) = failure.retry_after {
                answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            }
            answer
        }
    }
}

fn with_json(status: StatusCode, value: &Value) -> Response {
    let mut answer = (status, Body::from(value.to_string())).into_response();
    answer
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json;charset=utf-8"));
    answer
}
