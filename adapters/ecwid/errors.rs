//! The calls of the API, and what their answers mean: a table of statuses and codes (sheet, errors). The code decides,
//! then the status.

use std::time::Duration;

use serde::Deserialize;

use crate::channel::Refusal;
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::http::{Response, classify_status, expect_json};
use crate::lenient::{Text, body_text, object};

/// A call of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Endpoint {
    Token,
    Profile,
    Orders,
    Order,
    UpdateOrder,
    Products,
    Product,
    UpdateStock,
}

impl Endpoint {
    /// The scope that the call needs.
    pub(super) fn scope(self) -> &'static str {
        match self {
            Self::Token | Self::Profile => "read_store_profile",
            Self::Orders | Self::Order => "read_orders",
            Self::UpdateOrder => "update_orders",
            Self::Products | Self::Product => "read_catalog",
            Self::UpdateStock => "update_catalog",
        }
    }

    fn changes(self) -> bool {
        matches!(self, Self::UpdateOrder | Self::UpdateStock)
    }

    /// Whether it is about one order or one product, so that "not found" is about that.
    fn is_about_one(self) -> bool {
        matches!(self, Self::Order | Self::UpdateOrder | Self::Product | Self::UpdateStock)
    }
}

/// Stands for the empty 403 in errors: a wrong token, or a scope that is missing. The store's profile tells which.
pub(super) const EMPTY_403: &str = "HTTP 403, empty";
/// The code of a scope that is missing.
pub(super) const NO_SCOPE: &str = "INSUFFICIENT_APP_SCOPE";

/// Limits are counted by the minute: where the channel names no time, one has to pass.
const MINUTE: Duration = Duration::from_secs(60);

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Said<'a> {
    #[serde(borrow)]
    error_code: Text<'a>,
    #[serde(borrow)]
    error_message: Text<'a>,
}

/// Says what is wrong with an answer; `Ok`: it can be read for its result.
///
/// # Errors
/// The kind that code and status stand for, with the channel's code and text.
pub(super) fn judge(endpoint: Endpoint, response: &Response) -> Result<()> {
    if response.is_success() {
        return expect_json(response);
    }
    let body = body_text(&response.body);
    let said: Said<'_> = object("the error", &body).unwrap_or_default();
    let empty = body.trim().is_empty();
    let Some(verdict) =
        verdict(endpoint, response.status, said.error_code.trim(), &said.error_message, empty)
    else {
        return classify_status(response);
    };
    let code = match said.error_code.filled() {
        Some(code) => code.to_owned(),
        None if response.status == 403 && empty => EMPTY_403.to_owned(),
        None => format!("HTTP {}", response.status),
    };
    let error = verdict.error(&code, &said.error_message);
    Err(match (error.is_temporary(), response.retry_after()) {
        (true, Some(delay)) => error.with_retry(Retry::After(delay)),
        _ => error,
    })
}

/// The failure inside an answer with a good status, if it names one.
pub(super) fn failure(endpoint: Endpoint, code: &Text<'_>, message: &Text<'_>) -> Option<Error> {
    if code.filled().is_none() && message.filled().is_none() {
        return None;
    }
    let unclear = Verdict::later(ErrorKind::Unavailable, "the channel reports a failure as success");
    let verdict = by_code(endpoint, code.trim()).unwrap_or(unclear);
    Some(verdict.error(code.filled().unwrap_or("HTTP 200"), message))
}

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) kind: ErrorKind,
    pub(super) retry: Retry,
    /// What it means; empty: only the channel's text says it.
    meaning: &'static str,
}

impl Verdict {
    const fn new(kind: ErrorKind, meaning: &'static str) -> Self {
        Self { kind, retry: Retry::Never, meaning }
    }

    const fn later(kind: ErrorKind, meaning: &'static str) -> Self {
        Self { kind, retry: Retry::Later, meaning }
    }

    fn error(self, code: &str, said: &str) -> Error {
        let words = match (self.meaning, said.trim()) {
            ("", said) => said.to_owned(),
            (meaning, "") => meaning.to_owned(),
            (meaning, said) => format!("{meaning} ({said})"),
        };
        Error::new(self.kind).with_code(code).with_message(words).with_retry(self.retry)
    }
}

const LIMITED: Verdict = Verdict {
    kind: ErrorKind::RateLimited,
    retry: Retry::After(MINUTE),
    meaning: "more than 600 calls in a minute; who goes on is shut out for longer",
};

/// What an answer without success means; `None`: as the status says by itself.
pub(super) fn verdict(
    endpoint: Endpoint,
    status: u16,
    code: &str,
    said: &str,
    empty: bool,
) -> Option<Verdict> {
    use ErrorKind as Kind;
    if endpoint == Endpoint::Token && matches!(status, 400..=404) {
        return Some(Verdict::new(
            Kind::Unauthorized,
            "the code, the app's id or its secret is not accepted",
        ));
    }
    if let Some(verdict) = by_code(endpoint, code) {
        return Some(verdict);
    }
    Some(match status {
        402 => Verdict::new(Kind::Forbidden, "the store's plan has no API: a paid plan is needed"),
        403 if empty => Verdict::new(Kind::Unauthorized, "the access token is not accepted"),
        404 => not_found(endpoint, said),
        429 => LIMITED,
        400 | 405 | 409 | 415 | 422 if endpoint.changes() => Verdict::new(Kind::Refused, ""),
        // A read that is refused for another reason says nothing about an order: none may be dropped for it.
        409 => Verdict::later(Kind::Unavailable, "the channel could not answer"),
        400 | 405 | 415 | 422 => Verdict::new(Kind::InvalidInput, "the channel takes the question for wrong"),
        _ => return None,
    })
}

/// 404 without a code. Old answers have a text only; what comes from in front of the API has not even that, and must
/// never be read as "no such order".
fn not_found(endpoint: Endpoint, said: &str) -> Verdict {
    let said = said.trim().to_ascii_lowercase();
    if said.starts_with("store") {
        return NO_STORE;
    }
    match (endpoint.is_about_one(), said.is_empty()) {
        (true, false) => Verdict::new(ErrorKind::NotFound, ""),
        (true, true) => Verdict::new(
            ErrorKind::MalformedResponse,
            "something is not found, and the answer does not say what: check the base URL",
        ),
        (false, _) => Verdict::new(
            ErrorKind::Configuration,
            "nothing is at this address: check the base URL of the configuration",
        ),
    }
}

const NO_STORE: Verdict = Verdict::new(ErrorKind::Configuration, "there is no such store: check store_id");

fn by_code(endpoint: Endpoint, code: &str) -> Option<Verdict> {
    use ErrorKind as Kind;
    Some(match code.to_ascii_uppercase().as_str() {
        "INVALID_API_TOKEN" => Verdict::new(Kind::Unauthorized, "the access token is not accepted"),
        NO_SCOPE => Verdict::new(Kind::Forbidden, missing(endpoint)),
        "NOT_AVAILABLE_ON_CURRENT_PLAN" => {
            Verdict::new(Kind::Forbidden, "the store's plan has no API: a paid plan is needed")
        }
        "STORE_IS_SUSPENDED" => Verdict::new(Kind::Forbidden, "Ecwid has suspended the store"),
        "STORE_NOT_FOUND" | "PROFILE_NOT_FOUND" => NO_STORE,
        "ORDER_NOT_FOUND" => Verdict::new(Kind::NotFound, "the store has no such order"),
        "PRODUCT_NOT_FOUND" => Verdict::new(Kind::NotFound, "the store has no such product"),
        "COMBINATION_NOT_FOUND" => Verdict::new(Kind::NotFound, "the product has no such variation"),
        "RATE_LIMITED" => LIMITED,
        "TIMEOUT" => Verdict::later(Kind::TimedOut, "the call took the channel too long"),
        "INTERNAL_ERROR" => Verdict::later(Kind::Unavailable, "the channel failed inside"),
        "DIFFERENT_COMBINATION_STOCK" => Verdict::new(
            Kind::Refused,
            "the variation shares the product's SKU and so its stock: give it a SKU of its own",
        ),
        "NOT_ALLOWED_TO_UPDATE_PARAMETER" => {
            Verdict::new(Kind::Refused, "the stock of several locations can't be set here")
        }
        _ => return None,
    })
}

/// What a token lacks for a call, in words.
pub(super) fn missing(endpoint: Endpoint) -> &'static str {
    match endpoint.scope() {
        "read_orders" => "the app lacks the scope read_orders: let Ecwid's support grant it",
        "update_orders" => "the app lacks the scope update_orders: let Ecwid's support grant it",
        "read_catalog" => "the app lacks the scope read_catalog: let Ecwid's support grant it",
        "update_catalog" => "the app lacks the scope update_catalog: let Ecwid's support grant it",
        _ => "the app lacks the scope read_store_profile: let Ecwid's support grant it",
    }
}

/// The refusal in an error of a write, if it is one by the channel itself.
pub(super) fn refused(error: &Error) -> Option<Refusal> {
    let is_refusal =
        matches!(error.kind(), ErrorKind::Refused | ErrorKind::NotFound) && !error.outcome_unknown();
    is_refusal
        .then(|| Refusal::new(error.code().unwrap_or_default(), error.message().unwrap_or_default()).reread())
}

/// Marks an error of an answer that was read after a write: what says nothing of the change leaves it open.
pub(super) fn after_write(error: Error) -> Error {
    match error.kind() {
        ErrorKind::Unavailable | ErrorKind::TimedOut | ErrorKind::MalformedResponse => {
            error.with_unknown_effect()
        }
        _ => error,
    }
}
