//! The envelope of answers (sheet section 4).

use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::Wording;

/// What a method answers.
pub(crate) type Outcome = Result<Done, Failure>;

/// A call that was carried out, at least in part.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: i64,
    pub(crate) object: Object,
}

/// What stands in `ResultObject`, as JSON text.
#[derive(Debug)]
pub(crate) enum Object {
    /// The method answers with the envelope alone.
    None,
    /// Rows: the texts of a JSON array.
    Rows {
        json: Vec<u8>,
        count: usize,
    },
    Value(Vec<u8>),
}

/// A refusal with its code and text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) code: i64,
    pub(crate) text: String,
}

impl Failure {
    pub(crate) fn new(code: i64, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }

    /// -10101: what has no code of its own.
    pub(crate) fn processing(text: impl Into<String>) -> Self {
        Self::new(-10101, format!("Processing Error : {}", text.into()))
    }
}

impl Done {
    pub(crate) fn envelope() -> Outcome {
        Ok(Self { code: 0, object: Object::None })
    }

    pub(crate) fn rows<T: Serialize>(rows: &[T]) -> Outcome {
        Ok(Self { code: 0, object: Object::Rows { json: to_json(&rows)?, count: rows.len() } })
    }

    pub(crate) fn value<T: Serialize + ?Sized>(value: &T) -> Outcome {
        Ok(Self { code: 0, object: Object::Value(to_json(value)?) })
    }

    pub(crate) fn with_code(self, code: i64) -> Self {
        Self { code, ..self }
    }
}

fn to_json<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, Failure> {
    serde_json::to_vec(value).map_err(|error| Failure::processing(error.to_string()))
}

/// The whole answer. `nth` counts answers and picks the wording where it varies.
pub(crate) fn respond(outcome: Outcome, wording: Wording, nth: u64, as_json: bool) -> Response {
    let varied = wording == Wording::Varied;
    let (code, text, object) = match outcome {
        Ok(done) => {
            let text = if done.code == 0 { "SUCCESS" } else { "FAIL" };
            (done.code, text.to_owned(), done.object)
        }
        Err(failure) => (failure.code, failure.text, Object::None),
    };
    if !as_json {
        return xml(code, &text);
    }
    let mut body = Vec::with_capacity(128);
    body.push(b'{');
    if let Some(object) = spelt(object, varied, nth) {
        body.extend_from_slice(b"\"ResultObject\":");
        body.extend_from_slice(&object);
        body.push(b',');
    }
    let code = if varied && nth % 2 == 1 { format!("\"{code}\"") } else { code.to_string() };
    let text = serde_json::Value::from(text);
    body.extend_from_slice(format!("\"ResultCode\":{code},\"ResultMsg\":{text}}}").as_bytes());
    with_type("application/json; charset=utf-8", body)
}

/// No rows are `[]`, null or nothing, and one row can come as an object.
fn spelt(object: Object, varied: bool, nth: u64) -> Option<Vec<u8>> {
    match object {
        Object::None => None,
        Object::Value(json) => Some(json),
        Object::Rows { count: 0, .. } if varied && nth % 3 == 1 => Some(b"null".to_vec()),
        Object::Rows { count: 0, .. } if varied && nth % 3 == 2 => None,
        Object::Rows { json, count: 1 } if varied && nth % 2 == 1 => {
            json.strip_prefix(b"[").and_then(|json| json.strip_suffix(b"]")).map(<[u8]>::to_vec)
        }
        Object::Rows { json, .. } => Some(json),
    }
}

/// The framework's own shape, for calls that reach no method.
pub(crate) fn framework_error(code: i64, text: &str) -> Response {
    let body = serde_json::json!({ "ErrorCode": code, "ErrorMsg": text });
    with_type("application/json; charset=utf-8", body.to_string().into_bytes())
}

fn xml(code: i64, text: &str) -> Response {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><StdResult><ResultCode>{code}</ResultCode>\
         <ResultMsg>{text}</ResultMsg></StdResult>"
    );
    with_type("text/xml; charset=utf-8", body.into_bytes())
}

fn with_type(kind: &'static str, body: Vec<u8>) -> Response {
    let headers: [(HeaderName, HeaderValue); 1] = [(header::CONTENT_TYPE, HeaderValue::from_static(kind))];
    (headers, body).into_response()
}
