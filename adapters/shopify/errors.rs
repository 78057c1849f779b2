//! What answers mean: a table of HTTP status and GraphQL code (sheet 3, 7).

use std::time::Duration;

use rust_decimal::prelude::ToPrimitive;

use crate::channel::Refusal;
use crate::error::{Effect, Error, ErrorKind, Result, Retry};
use crate::http::{Response, classify_status, expect_json};
use crate::lenient::{body_text, decimal};

use super::documents::Document;
use super::wire::{Answer, LONGEST_WAIT, UserError};

/// The code of a field that the app has no access to.
pub(super) const ACCESS_DENIED: &str = "ACCESS_DENIED";
/// The code of a query that is too large for one call.
pub(super) const TOO_COSTLY: &str = "MAX_COST_EXCEEDED";

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) kind: ErrorKind,
    pub(super) retry: Retry,
    pub(super) effect: Effect,
    /// What the code means; empty: only the channel's text says it.
    pub(super) meaning: &'static str,
}

impl Verdict {
    const fn new(kind: ErrorKind, retry: Retry, meaning: &'static str) -> Self {
        Self { kind, retry, effect: Effect::None, meaning }
    }

    const fn unknown(mut self) -> Self {
        self.effect = Effect::Unknown;
        self
    }
}

/// What a status means beyond what it means everywhere; `None`: nothing of its own.
pub(super) fn by_status(status: u16) -> Option<Verdict> {
    use ErrorKind as Kind;
    Some(match status {
        401 => Verdict::new(Kind::Unauthorized, Retry::Never, "the access token is not accepted"),
        402 => Verdict::new(Kind::Forbidden, Retry::Never, "the shop is frozen: its bill is not paid"),
        403 => Verdict::new(Kind::Forbidden, Retry::Never, "a scope is missing, or the app is blocked"),
        // Never "not found": that would be read as "no such order".
        404 | 410 => Verdict::new(
            Kind::Configuration,
            Retry::Never,
            "nothing is at this address: the shop is gone, or its domain is wrong",
        ),
        423 => Verdict::new(Kind::Forbidden, Retry::Never, "the shop is locked"),
        430 => Verdict::new(Kind::Forbidden, Retry::Never, "the channel rejects the call as a security risk"),
        400 | 405..=407 | 409 | 411..=422 | 426 | 428 | 431 => {
            Verdict::new(Kind::InvalidInput, Retry::Never, "the channel does not understand the call")
        }
        _ => return None,
    })
}

/// What the code of a top-level error means. Such an answer has HTTP status 200.
pub(super) fn by_code(code: &str) -> Verdict {
    use ErrorKind as Kind;
    match code {
        // Let in later; nothing was done.
        "THROTTLED" => Verdict::new(Kind::RateLimited, Retry::Later, "the points are used up"),
        ACCESS_DENIED => Verdict::new(Kind::Forbidden, Retry::Never, "the app has no access to a field"),
        TOO_COSTLY => Verdict::new(Kind::InvalidInput, Retry::Never, "the query is too large for one call"),
        "SHOP_INACTIVE" => Verdict::new(Kind::Forbidden, Retry::Never, "the shop is not active"),
        "UNAUTHORIZED" | "UNAUTHENTICATED" => {
            Verdict::new(Kind::Unauthorized, Retry::Never, "the access token is not accepted")
        }
        // Maybe done (sheet 7).
        "INTERNAL_SERVER_ERROR" => {
            Verdict::new(Kind::Unavailable, Retry::Later, "the channel failed inside").unknown()
        }
        "TIMEOUT" => Verdict::new(Kind::TimedOut, Retry::Later, "the channel took too long").unknown(),
        // Checked before anything is run: nothing was done.
        "BAD_REQUEST" | "INVALID_FIELD_ARGUMENTS" | "INVALID_VARIABLE" => {
            Verdict::new(Kind::InvalidInput, Retry::Never, "the channel does not accept the query")
        }
        "undefinedField"
        | "undefinedType"
        | "argumentNotAccepted"
        | "missingRequiredArguments"
        | "argumentLiteralsIncompatible"
        | "variableMismatch"
        | "undefinedDirective" => Verdict::new(
            Kind::Configuration,
            Retry::Never,
            "the version of the API that answered does not know a part of the query: update the library",
        ),
        _ => Verdict::new(Kind::MalformedResponse, Retry::Later, "").unknown(),
    }
}

fn words(meaning: &str, said: &str) -> String {
    match (meaning.trim(), said.trim()) {
        ("", said) => said.to_owned(),
        (meaning, "") => meaning.to_owned(),
        (meaning, said) => format!("{meaning} ({said})"),
    }
}

/// Says what is wrong with an answer; `Ok`: it can be read for its result.
///
/// # Errors
/// The kind that status and code stand for, with the channel's text and the id of the request.
pub(super) fn judge(document: &Document, response: &Response) -> Result<()> {
    let error = match classify_status(response) {
        Err(error) => status_error(response, error),
        Ok(()) => match expect_json(response).and_then(|()| judge_body(document, &response.body)) {
            Ok(()) => return Ok(()),
            Err(error) => error,
        },
    };
    Err(named(error, response))
}

/// The channel's support asks for the id of a request that went wrong.
fn named(error: Error, response: &Response) -> Error {
    let Some(id) = response.header("x-request-id") else { return error };
    let said = error.message().unwrap_or("").to_owned();
    error.with_message(format!("{said} [request {id}]"))
}

fn status_error(response: &Response, plain: Error) -> Error {
    let Some(verdict) = by_status(response.status) else { return with_delay(plain, response) };
    let body = body_text(&response.body);
    let said = Answer::read(&body).ok().and_then(|answer| answer.errors.into_iter().next());
    Error::new(verdict.kind)
        .with_code(format_args!("HTTP {}", response.status))
        .with_message(words(verdict.meaning, &said.map(|error| error.message).unwrap_or_default()))
        .with_retry(verdict.retry)
}

/// The channel writes the seconds of Retry-After with a fraction ("2.0"), which HTTP does not have.
fn with_delay(error: Error, response: &Response) -> Error {
    let seconds = response.header("retry-after").filter(|_| error.retry() == Retry::Later).and_then(decimal);
    match seconds.and_then(|seconds| seconds.ceil().to_u64()) {
        Some(seconds) => error.with_retry(Retry::After(Duration::from_secs(seconds).min(LONGEST_WAIT))),
        None => error,
    }
}

/// Judges the body of an answer with status 200. Errors beside the data that was asked for are no failure: a part of
/// it may be missing, which the rows show.
///
/// # Errors
/// As [`judge`].
pub(super) fn judge_body(document: &Document, body: &[u8]) -> Result<()> {
    let body = body_text(body);
    let answer = Answer::read(&body)?;
    if answer.field(document.root).is_some() {
        return Ok(());
    }
    let Some(first) = answer.errors.first() else {
        // An order that does not exist answers so; of a change it says nothing.
        return if document.root == "order" {
            Ok(())
        } else {
            Err(Error::malformed("the answer holds nothing"))
        };
    };
    let verdict = by_code(&first.code);
    let wait = answer.cost.filter(|_| verdict.kind == ErrorKind::RateLimited).map(super::wire::Cost::wait);
    let retry = match wait {
        Some(wait) if !wait.is_zero() => Retry::After(wait),
        _ => verdict.retry,
    };
    let error = Error::new(verdict.kind)
        .with_code(if first.code.is_empty() { "no code" } else { &first.code })
        .with_message(words(verdict.meaning, &first.message))
        .with_retry(retry);
    Err(if document.writes && verdict.effect == Effect::Unknown {
        error.with_unknown_effect()
    } else {
        error
    })
}

/// Whether a smaller page would be let in.
pub(super) fn is_too_costly(error: &Error) -> bool {
    error.code() == Some(TOO_COSTLY)
}

/// A refusal inside a payload, for one item (sheet 7).
pub(super) fn refusal(error: &UserError) -> Refusal {
    let refusal = Refusal::new(&error.code, words(meaning(&error.code), &error.message));
    match error.code.as_str() {
        "CHANGE_FROM_QUANTITY_STALE"
        | "COMPARE_QUANTITY_STALE"
        | "IDEMPOTENCY_CONCURRENT_REQUEST"
        | "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"
        | "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"
        | "INTERNAL_ERROR" => refusal.temporary(),
        "FULFILLMENT_ORDERS_NOT_FOUND" => refusal.temporary().reread(),
        _ => refusal,
    }
}

fn meaning(code: &str) -> &'static str {
    match code {
        "CHANGE_FROM_QUANTITY_STALE" | "COMPARE_QUANTITY_STALE" => "the quantity changed meanwhile",
        "INVALID_INVENTORY_ITEM" => "the channel has no such inventory item",
        "INVALID_LOCATION" => "the channel has no such location",
        "ITEM_NOT_STOCKED_AT_LOCATION" => "the item is not stocked at this location",
        "NON_MUTABLE_INVENTORY_ITEM" => "the item's stock can't be set: it is made of other items",
        _ => "",
    }
}
