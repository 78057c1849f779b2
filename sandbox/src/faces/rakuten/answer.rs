//! The two kinds of answers: messages of the order API, error lists of the others (sheet sections 4 and 7).

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Value, json};

/// One entry of `MessageModelList`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Message {
    message_type: &'static str,
    message_code: String,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    order_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data_number: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shipping_detail_id: Option<Value>,
}

impl Message {
    /// `ORDER_EXT_API_<operation>_INFO_<number>`.
    pub(super) fn info(operation: &str, number: u16, text: impl Into<String>) -> Self {
        Self {
            message_type: "INFO",
            message_code: format!("ORDER_EXT_API_{operation}_INFO_{number}"),
            message: text.into(),
            ..Self::default()
        }
    }

    /// `ORDER_EXT_API_<operation>_ERROR_<number>`.
    pub(super) fn error(operation: &str, number: u16, text: impl Into<String>) -> Self {
        Self {
            message_type: "ERROR",
            message_code: format!("ORDER_EXT_API_{operation}_ERROR_{number:03}"),
            message: text.into(),
            ..Self::default()
        }
    }

    /// 009: a field is not there.
    pub(super) fn missing(operation: &str, field: &str) -> Self {
        Self::error(operation, 9, format!("{field}の項目を指定して下さい。"))
    }

    /// 010: a field has no value.
    pub(super) fn empty(operation: &str, field: &str) -> Self {
        Self::error(operation, 10, format!("{field}の値を指定して下さい。"))
    }

    /// 011: a field's value is not of its format.
    pub(super) fn malformed(operation: &str, field: &str) -> Self {
        Self::error(operation, 11, format!("{field}の書式が不正です。"))
    }

    pub(super) fn of_order(self, order_number: &str) -> Self {
        Self { order_number: Some(order_number.to_owned()), ..self }
    }

    pub(super) fn of_request(self, request_id: &str) -> Self {
        let null = Some(Value::Null);
        Self {
            request_id: Some(request_id.to_owned()),
            data_number: null.clone(),
            shipping_detail_id: null,
            ..self
        }
    }

    /// About the shipment at a place of the request (from 1). The order's messages have neither: null.
    pub(super) fn of_shipment(self, data_number: Option<usize>, detail_id: Option<u64>) -> Self {
        Self { data_number: Some(json!(data_number)), shipping_detail_id: Some(json!(detail_id)), ..self }
    }
}

/// An error of the item, inventory and license APIs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) text: String,
    /// Where in the body it is.
    pub(super) path: Option<String>,
}

impl Failure {
    pub(super) fn new(status: StatusCode, code: &'static str, text: impl Into<String>) -> Self {
        Self { status, code, text: text.into(), path: None }
    }

    pub(super) fn bad(code: &'static str, text: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, text)
    }

    pub(super) fn at(self, path: impl Into<String>) -> Self {
        Self { path: Some(path.into()), ..self }
    }

    pub(super) fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "GA0001", "Un-Authorised")
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut error = json!({ "code": self.code, "message": self.text });
        if let Some(path) = self.path {
            error["metadata"] = json!({ "propertyPath": path });
        }
        json_response(self.status, &json!({ "errors": [error] }))
    }
}

pub(super) fn json_response(status: StatusCode, body: &Value) -> Response {
    let kind: [(HeaderName, HeaderValue); 1] =
        [(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"))];
    (status, kind, body.to_string()).into_response()
}

pub(super) fn ok(body: &Value) -> Response {
    json_response(StatusCode::OK, body)
}

pub(super) fn bad_request(body: &Value) -> Response {
    json_response(StatusCode::BAD_REQUEST, body)
}
