//! Answers outside of GraphQL: JSON with a status.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

pub(super) fn json_response(status: StatusCode, body: &Value) -> Response {
    let kind: [(HeaderName, HeaderValue); 1] =
        [(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"))];
    (status, kind, body.to_string()).into_response()
}

/// `{"errors": "..."}`, as requests are answered that don't get as far as GraphQL.
pub(super) fn refused(status: StatusCode, text: &str) -> Response {
    json_response(status, &json!({ "errors": text }))
}
