//! The envelope `{error, message, request_id, response}` and the codes that all calls share (sheet sections 4 and 7).

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::settings::Settings;

/// What a call gives, or why not.
pub(super) type Outcome = Result<Answer, Failure>;

/// A success.
#[derive(Debug, Default)]
pub(super) struct Answer {
    response: Option<Value>,
    top: Map<String, Value>,
    redirect: Option<String>,
}

impl Answer {
    /// Only `error`, `message` and `request_id`.
    pub(super) fn bare() -> Self {
        Self::default()
    }

    /// Under `response`.
    pub(super) fn wrapped(response: Value) -> Self {
        Self { response: Some(response), ..Self::default() }
    }

    /// Beside `error`, without `response`: tokens, shops.
    pub(super) fn top(fields: Value) -> Self {
        Self { top: fields.as_object().cloned().unwrap_or_default(), ..Self::default() }
    }

    pub(super) fn redirect(to: String) -> Self {
        Self { redirect: Some(to), ..Self::default() }
    }

    /// With a `warning`.
    #[must_use]
    pub(super) fn warn(mut self, warning: impl Into<Value>) -> Self {
        self.top.insert("warning".to_owned(), warning.into());
        self
    }
}

/// A code in `error`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Failure {
    pub(super) error: String,
    pub(super) message: String,
    response: Option<Value>,
}

impl Failure {
    pub(super) fn new(error: &str, message: impl Into<String>) -> Self {
        Self { error: error.to_owned(), message: message.into(), response: None }
    }

    /// A failure that says what became of each entry.
    pub(super) fn with_response(error: &str, message: &str, response: Value) -> Self {
        Self { response: Some(response), ..Self::new(error, message) }
    }

    pub(super) fn param(message: impl Into<String>) -> Self {
        Self::new("error_param", message)
    }

    pub(super) fn wrong(detail: impl AsRef<str>) -> Self {
        Self::param(format!("Wrong parameters, detail: {}", detail.as_ref()))
    }

    pub(super) fn required(name: &str) -> Self {
        Self::wrong(format!("{name} is a required field."))
    }

    pub(super) fn no_such_order() -> Self {
        Self::new("error_not_found", "Wrong parameters, detail: the order is not found.")
    }

    pub(super) fn no_such_path() -> Self {
        Self::param("Permission denied. This API is currently offline or the request path is incorrect.")
    }
}

/// What an error looks like on the wire is not the same everywhere; the settings choose.
fn spelled(error: &str, settings: &Settings) -> String {
    let bare = !error.contains('.');
    let error = if settings.prefixes && bare { format!("common.{error}") } else { error.to_owned() };
    if settings.stray_spaces { format!(" {error}\t") } else { error }
}

pub(super) fn respond(outcome: Outcome, settings: &Settings, request_id: &str) -> Response {
    match outcome {
        Ok(Answer { redirect: Some(to), .. }) => {
            (StatusCode::FOUND, [(axum::http::header::LOCATION, to)]).into_response()
        }
        Ok(answer) => {
            let mut envelope = Map::new();
            envelope.insert("error".into(), json!(""));
            envelope.insert("message".into(), json!(""));
            envelope.insert("request_id".into(), json!(request_id));
            envelope.extend(answer.top);
            if let Some(response) = answer.response {
                envelope.insert("response".into(), response);
            }
            Json(Value::Object(envelope)).into_response()
        }
        Err(failure) => {
            let mut envelope = json!({
                "error": spelled(&failure.error, settings),
                "message": failure.message,
                "request_id": request_id,
            });
            if let Some(response) = failure.response {
                envelope["response"] = response;
            }
            let status = StatusCode::from_u16(settings.error_status).unwrap_or(StatusCode::OK);
            (status, Json(envelope)).into_response()
        }
    }
}
