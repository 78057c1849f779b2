//! Answers: the envelopes of the two API families, and the gateway's errors (sheet section 7).

use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use serde_json::{Value, json};

/// A whole JSON answer, or why not.
pub(super) type Outcome = Result<Value, Failure>;

/// An answer with another status than 200.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Failure {
    /// `{code, message}`; the code is the status or `"ERROR"`.
    Json { status: u16, code: Value, message: String },
    /// A page of the firewall in front of the API.
    Page,
    /// The block for heavy use that redirects.
    Redirect,
}

impl Failure {
    pub(super) fn status(status: u16, message: impl Into<String>) -> Self {
        Self::Json { status, code: json!(status), message: message.into() }
    }

    fn named(status: u16, message: impl Into<String>) -> Self {
        Self::Json { status, code: json!("ERROR"), message: message.into() }
    }

    pub(super) fn bad_request(message: &str) -> Self {
        Self::status(400, message)
    }

    /// Of product calls: code `"ERROR"`.
    pub(super) fn product(message: impl Into<String>) -> Self {
        Self::named(400, message)
    }

    pub(super) fn unauthorized(message: &str) -> Self {
        Self::named(401, message)
    }

    pub(super) fn not_found() -> Self {
        Self::named(404, "Not Found")
    }

    pub(super) fn bad_address() -> Self {
        Self::named(
            403,
            "[FORBIDDEN] Not allowed IP. Your ip address 203.0.113.10 is not allowed for this request.",
        )
    }

    pub(super) fn too_many() -> Self {
        Self::named(429, "Too many requests. Please try again later.")
    }

    pub(super) fn gateway_timeout() -> Self {
        Self::named(504, "Gateway Timeout")
    }

    /// What an unknown carrier code gives.
    pub(super) fn internal() -> Self {
        Self::status(500, "internal exception")
    }
}

/// `{code, message, data}` of the order calls. Lists have the number 200, the others the text.
pub(super) fn done(data: Value) -> Value {
    json!({ "code": "200", "message": "OK", "data": data })
}

/// `{code, message, data}` of the product calls.
pub(super) fn success(data: Value) -> Value {
    json!({ "code": "SUCCESS", "message": "", "data": data })
}

pub(super) fn respond(outcome: Outcome) -> Response {
    match outcome {
        Ok(answer) => json_answer(StatusCode::OK, &answer),
        Err(Failure::Json { status, code, message }) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            json_answer(status, &json!({ "code": code, "message": message }))
        }
        Err(Failure::Page) => {
            let page = "<HTML><HEAD><TITLE>Access Denied</TITLE></HEAD><BODY><H1>Access Denied</H1>\
                        You don't have permission to access this server.<P>Reference #18.sandbox</BODY></HTML>";
            (StatusCode::FORBIDDEN, Html(page)).into_response()
        }
        Err(Failure::Redirect) => {
            (StatusCode::FOUND, [(header::LOCATION, "https://www.coupang.com/block")]).into_response()
        }
    }
}

fn json_answer(status: StatusCode, answer: &Value) -> Response {
    let kind = [(header::CONTENT_TYPE, "application/json;charset=UTF-8")];
    (status, kind, Body::from(answer.to_string())).into_response()
}
