//! Answers, and the errors that calls share (document, "Requests and answers" and "Errors").

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::faces::xml::Element;

/// What a call gives, or why not.
pub(super) type Outcome = Result<Done, Failure>;

/// An answer with its status: 207 tells of failed rows.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) status: StatusCode,
    pub(super) body: Element,
}

impl Done {
    pub(super) fn ok(body: Element) -> Outcome {
        Ok(Self { status: StatusCode::OK, body })
    }

    /// The answer of calls that change an order.
    pub(super) fn changed(warnings: impl IntoIterator<Item = Warning>) -> Outcome {
        let warnings = warnings.into_iter().map(|warning| {
            let detail = Element::text("Detail", warning.detail.join(","));
            Element::new("Warning")
                .child(Element::text("Code", warning.code))
                .child(Element::text("Message", ""))
                .child(detail)
        });
        let result = Element::new("Result").child(Element::text("Status", "OK")).children(warnings);
        Self::ok(counted("ResultSet", 1, 1).attribute("ok", 1).attribute("ng", 0).child(result))
    }

    /// Not done, without a code.
    pub(super) fn not_changed() -> Outcome {
        let result = Element::new("Result").child(Element::text("Status", "NG"));
        Self::ok(counted("ResultSet", 1, 1).attribute("ok", 0).attribute("ng", 1).child(result))
    }
}

/// A root with the numbers of rows.
pub(super) fn counted(name: &'static str, available: usize, returned: usize) -> Element {
    Element::new(name)
        .attribute("totalResultsAvailable", available)
        .attribute("totalResultsReturned", returned)
}

/// Something to know about a change that was made.
#[derive(Debug)]
pub(super) struct Warning {
    pub(super) code: &'static str,
    pub(super) detail: Vec<String>,
}

impl Warning {
    pub(super) fn new(code: &'static str) -> Self {
        Self { code, detail: Vec::new() }
    }
}

/// An `Error` element with its status.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Failure {
    pub(super) status: StatusCode,
    pub(super) code: Option<&'static str>,
    message: String,
    detail: Vec<String>,
    challenge: Option<&'static str>,
    has_cdata: bool,
}

impl Failure {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code: Some(code),
            message: message.into(),
            detail: Vec::new(),
            challenge: None,
            has_cdata: false,
        }
    }

    pub(super) fn without_code(status: StatusCode, message: impl Into<String>) -> Self {
        Self { code: None, ..Self::new(status, "", message) }
    }

    /// A call on items or stock, of which the messages are in CDATA.
    pub(super) fn on_items(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { has_cdata: true, ..Self::new(status, code, message) }
    }

    /// od90101: a parameter of an order call.
    pub(super) fn parameter(name: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "od90101", format!("Request Parameter Error : {name}"))
    }

    /// A parameter of an item call, for which no code is known.
    pub(super) fn item_parameter(name: &str) -> Self {
        let message = format!("Request Parameter Error : {name}");
        Self { has_cdata: true, ..Self::without_code(StatusCode::BAD_REQUEST, message) }
    }

    /// od90137: the order is not in a state for it. Which code the channel sends is not known.
    pub(super) fn state(why: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "od90137", format!("The order can not be changed : {why}"))
    }

    pub(super) fn no_such_order(id: &str) -> Self {
        let failure = Self::new(StatusCode::NOT_FOUND, "od91801", "Order Not Found");
        Self { detail: vec![id.to_owned()], ..failure }
    }

    pub(super) fn no_such_method() -> Self {
        Self::new(StatusCode::NOT_FOUND, "px-04400", "The method does not exist.")
    }

    /// The access token is missing, unknown or over.
    pub(super) fn bad_token(challenge: &'static str) -> Self {
        let message = format!("Please provide valid credentials. {challenge}");
        Self { challenge: Some(challenge), ..Self::without_code(StatusCode::UNAUTHORIZED, message) }
    }

    /// px-04102: the 12 hours or the 4 weeks are over.
    pub(super) fn session_over() -> Self {
        let message = "AccessToken has been expired. This API session is shorter than another API.";
        Self::new(StatusCode::UNAUTHORIZED, "px-04102", message)
    }

    pub(super) fn forbidden(code: &'static str, message: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, message)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let message = if self.has_cdata { Element::cdata } else { Element::text }("Message", &self.message);
        let mut error = Element::new("Error").child(message);
        if let Some(code) = self.code {
            error = error.child(Element::text("Code", code));
        }
        if !self.detail.is_empty() {
            error = error.child(Element::text("Detail", self.detail.join(",")));
        }
        let mut response = (self.status, [XML], error.document()).into_response();
        if let Some(challenge) = self.challenge {
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static(challenge));
        }
        response
    }
}

impl IntoResponse for Done {
    fn into_response(self) -> Response {
        (self.status, [XML], self.body.document()).into_response()
    }
}

const XML: (header::HeaderName, &str) = (header::CONTENT_TYPE, "application/xml; charset=UTF-8");
