//! The envelope `{code, message, request_id, data}` and the codes that all calls share (sheet sections 3 and 7).

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// What a call gives: `data`, or why not.
pub(super) type Outcome = Result<Value, Failure>;

/// A code other than 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) status: StatusCode,
    pub(super) code: i64,
    pub(super) message: String,
}

/// The code for bad parameters of calls that have no documented one.
pub(super) const INVALID_PARAM: i64 = 11_001_002;

impl Failure {
    pub(super) fn new(code: i64, message: impl Into<String>) -> Self {
        Self { status: StatusCode::OK, code, message: message.into() }
    }

    fn with_status(status: StatusCode, code: i64, message: &str) -> Self {
        Self { status, code, message: message.to_owned() }
    }

    pub(super) fn invalid(what: &str) -> Self {
        Self::new(INVALID_PARAM, format!("invalid param. {what}"))
    }

    pub(super) fn no_such_path() -> Self {
        Self::with_status(StatusCode::NOT_FOUND, 36_009_009, "Invalid path")
    }

    pub(super) fn bad_timestamp() -> Self {
        Self::with_status(
            StatusCode::UNAUTHORIZED,
            36_009_004,
            "The timestamp is not within 5 minutes of now.",
        )
    }

    pub(super) fn bad_signature() -> Self {
        Self::with_status(StatusCode::UNAUTHORIZED, 106_001, "Signature is invalid.")
    }

    pub(super) fn bad_token() -> Self {
        Self::with_status(StatusCode::UNAUTHORIZED, 105_001, "The access token is invalid.")
    }

    pub(super) fn expired_token() -> Self {
        Self::with_status(
            StatusCode::UNAUTHORIZED,
            105_002,
            "Expired credentials. The access token has expired.",
        )
    }

    pub(super) fn missing_scope() -> Self {
        Self::with_status(StatusCode::FORBIDDEN, 105_005, "Access to this API is not in the granted scopes.")
    }

    pub(super) fn bad_address() -> Self {
        Self::with_status(StatusCode::FORBIDDEN, 36_009_033, "The IP address is not in the allow list.")
    }

    pub(super) fn cipher_mismatch() -> Self {
        Self::with_status(
            StatusCode::UNAUTHORIZED,
            101_000,
            "The shop_cipher does not belong to the access token.",
        )
    }

    pub(super) fn too_many() -> Self {
        Self::with_status(StatusCode::TOO_MANY_REQUESTS, 36_009_002, "Too many requests.")
    }
}

pub(super) fn respond(outcome: Outcome, request_id: String) -> Response {
    match outcome {
        Ok(data) => Json(json!({ "code": 0, "message": "Success", "request_id": request_id, "data": data }))
            .into_response(),
        Err(failure) => {
            let envelope =
                json!({ "code": failure.code, "message": failure.message, "request_id": request_id });
            (failure.status, Json(envelope)).into_response()
        }
    }
}
