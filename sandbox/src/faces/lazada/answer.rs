//! The envelope and the codes that all calls share (sheet sections 3 and 7). Everything is HTTP 200.

use axum::Json;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

/// What a call gives: the fields beside `code` and `request_id`, or why not.
pub(super) type Outcome = Result<Value, Failure>;

/// A code other than "0".
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Failure {
    /// ISV for what the caller did wrong, ISP for the service behind the API.
    kind: &'static str,
    pub(super) code: String,
    message: String,
    detail: Vec<Value>,
}

impl Failure {
    /// Of the service behind the API: the codes in the calls' own lists.
    pub(super) fn service(code: u32, message: impl Into<String>) -> Self {
        Self { kind: "ISP", code: code.to_string(), message: message.into(), detail: Vec::new() }
    }

    /// Of the platform in front of it.
    pub(super) fn platform(code: &str, message: &str) -> Self {
        Self { kind: "ISV", code: code.to_owned(), message: message.to_owned(), detail: Vec::new() }
    }

    pub(super) fn with_detail(mut self, detail: Vec<Value>) -> Self {
        self.detail = detail;
        self
    }

    pub(super) fn missing(name: &str) -> Self {
        let message = format!(
            "the input parameter “{name}” that is mandatory for processing this request is not supplied"
        );
        Self::platform("MissingParameter", &message)
    }

    pub(super) fn bad_app() -> Self {
        Self::platform("InvalidAppKey", "The specified App Key is invalid")
    }

    pub(super) fn no_such_path() -> Self {
        Self::platform("InvalidApiPath", "The specified API path is invalid")
    }

    pub(super) fn wrong_method() -> Self {
        Self::platform("UnsupportedHttpMethod", "The HTTP method is not supported by this API")
    }

    pub(super) fn bad_timestamp() -> Self {
        Self::platform("InvalidTimestamp", "The specified timestamp is not within 7200 seconds of now")
    }

    pub(super) fn bad_signature() -> Self {
        Self::platform("IncompleteSignature", "The request signature does not conform to lazop standards")
    }

    pub(super) fn bad_token() -> Self {
        Self::platform("IllegalAccessToken", "The specified access token is invalid or expired")
    }

    pub(super) fn too_many(seconds: u32) -> Self {
        let message = format!("Api access frequency exceeds the limit. this ban will last {seconds} seconds");
        Self::platform("ApiCallLimit", &message)
    }
}

/// The answer of the fulfilment calls. A batch that fails as a whole still has the code "0".
pub(super) fn result(data: Value) -> Value {
    json!({ "result": { "data": data, "success": true } })
}

/// A fulfilment call of which nothing was done.
pub(super) fn failed_result(code: u32, message: &str) -> Value {
    json!({ "result": { "success": false, "error_code": code.to_string(), "error_msg": message } })
}

pub(super) fn respond(outcome: Outcome, request_id: String) -> Response {
    let mut envelope = Map::new();
    match outcome {
        Ok(Value::Object(fields)) => {
            envelope = fields;
            envelope.insert("code".into(), json!("0"));
        }
        Ok(other) => {
            envelope.insert("data".into(), other);
            envelope.insert("code".into(), json!("0"));
        }
        Err(failure) => {
            envelope.insert("code".into(), json!(failure.code));
            envelope.insert("type".into(), json!(failure.kind));
            envelope.insert("message".into(), json!(failure.message));
            if !failure.detail.is_empty() {
                envelope.insert("detail".into(), json!(failure.detail));
            }
        }
    }
    envelope.insert("request_id".into(), json!(request_id));
    Json(Value::Object(envelope)).into_response()
}
