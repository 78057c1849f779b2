//! The calls of the API, and what their answers mean: a table of HTTP status, code and text (sheet 7).

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::error::{Error, ErrorKind, Result, Retry};
use crate::http::{Response, expect_json};
use crate::lenient::{body_text, integer};

use super::wire::Envelope;

/// A call of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    /// Boxes by day.
    Boxes,
    /// One box.
    OneBox,
    /// The boxes of one order.
    BoxesOfOrder,
    Acknowledge,
    Invoices,
    UpdateInvoices,
    /// Cancel and return requests.
    Receipts,
    StoppedShipment,
    CompletedShipment,
    CancelOrder,
    SetQuantity,
    Inventory,
    Products,
    Product,
}

impl Function {
    /// Whether it is about one thing whose id is in its path: the channel's "no" is then about that thing.
    fn names_one(self) -> bool {
        !matches!(
            self,
            Self::Boxes
                | Self::Receipts
                | Self::Products
                | Self::Acknowledge
                | Self::Invoices
                | Self::UpdateInvoices
        )
    }
}

/// A block for too many calls or errors lifts "after minutes to tens of minutes", and nothing says when (sheet 7).
pub(super) const BLOCKED: Duration = Duration::from_secs(10 * 60);
/// The block that answers with a redirect is for heavy use.
pub(super) const BLOCKED_LONG: Duration = Duration::from_secs(30 * 60);

/// Says what is wrong with an answer; `Ok`: it can be read for its result. `ends` is when the key ends, as far as
/// known.
///
/// # Errors
/// The kind that status and code stand for, with the channel's code and text.
pub(super) fn judge(function: Function, response: &Response, ends: Option<DateTime<Utc>>) -> Result<()> {
    let body = body_text(&response.body);
    let told = Told {
        html: body.trim_start().starts_with('<'),
        again: response.attempts > 1,
        ended: ends.is_some_and(|end| end <= response.sent_at),
        wait: response.retry_after(),
    };
    if !response.is_success() {
        let envelope = Envelope::read(&body).unwrap_or_default();
        let verdict = verdict(function, response.status, &envelope.message, told);
        return Err(verdict.error(format_args!("HTTP {}", response.status), &envelope.message));
    }
    expect_json(response)?;
    judge_body(function, &body, told)
}

/// Judges the body of an answer with status 2xx: a failure in it is a failure (sheet 7).
///
/// # Errors
/// As [`judge`].
pub(super) fn judge_body(function: Function, body: &str, told: Told) -> Result<()> {
    let envelope = Envelope::read(body)?;
    let code = envelope.code.trim();
    let verdict = match (code, integer(code)) {
        ("SUCCESS", _) | (_, Some(200)) => return Ok(()),
        // The one answer whose envelope is inside (sheet 4.9): its result is read where it is used.
        ("", _) if function == Function::CompletedShipment && envelope.data.is_some() => return Ok(()),
        ("", _) => return Err(Error::malformed("the answer has no code")),
        (_, Some(status @ 300..=599)) => {
            let status = u16::try_from(status).unwrap_or(500);
            verdict(function, status, &envelope.message, told)
        }
        // "ERROR", and whatever else is not "done".
        _ => verdict(function, 400, &envelope.message, told),
    };
    Err(verdict.error(code, &envelope.message))
}

/// What is known beside the status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Told {
    /// The body is HTML: it comes from in front of the API.
    pub(super) html: bool,
    /// It was sent before, with an older signature.
    pub(super) again: bool,
    /// The key has ended, by the date that the merchant entered.
    pub(super) ended: bool,
    /// `Retry-After`.
    pub(super) wait: Option<Duration>,
}

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) kind: ErrorKind,
    pub(super) retry: Retry,
    /// What it means; empty: only the channel's text says it.
    pub(super) meaning: &'static str,
}

impl Verdict {
    const fn never(kind: ErrorKind, meaning: &'static str) -> Self {
        Self { kind, retry: Retry::Never, meaning }
    }

    const fn later(kind: ErrorKind, meaning: &'static str) -> Self {
        Self { kind, retry: Retry::Later, meaning }
    }

    /// The effect of a write is told by the kind: after a refusal, a block or wrong credentials there was none, after
    /// anything else it is unknown. The HTTP layer marks it.
    fn error(self, code: impl std::fmt::Display, said: &str) -> Error {
        let said = said.trim();
        let error = Error::new(self.kind).with_code(code).with_retry(self.retry);
        match (self.meaning, said) {
            ("", "") => error,
            ("", said) => error.with_message(said),
            (meaning, "") => error.with_message(meaning),
            (meaning, said) => error.with_message(format_args!("{meaning} ({said})")),
        }
    }
}

/// What a status, in HTTP or in the body, means for a call.
pub(super) fn verdict(function: Function, status: u16, said: &str, told: Told) -> Verdict {
    use ErrorKind as Kind;
    let Told { html, again, ended, wait } = told;
    let asked = |otherwise| Retry::After(wait.unwrap_or(otherwise));
    match status {
        300..=399 => Verdict {
            kind: Kind::RateLimited,
            retry: asked(BLOCKED_LONG),
            meaning: "the channel redirects: it blocks this IP address or vendor for heavy use",
        },
        401 if ended => Verdict::never(
            Kind::CredentialExpired,
            "the key's 180 days are over: issue a new one in Wing and enter it with its end",
        ),
        // Each attempt is signed anew: once is enough to rule out a slow line (sheet 7).
        401 if !again => Verdict::later(Kind::Unauthorized, UNSIGNED),
        401 => Verdict::never(Kind::Unauthorized, UNSIGNED),
        403 if html => Verdict {
            kind: Kind::RateLimited,
            retry: asked(BLOCKED),
            meaning: "the channel's firewall blocks this IP address, after too many errors or as a data centre's",
        },
        403 => Verdict::never(Kind::Forbidden, "not allowed: register this machine's IP address in Wing"),
        404 if function.names_one() => Verdict::never(Kind::NotFound, "the channel has no such thing"),
        404 => Verdict::never(Kind::Configuration, "nothing is at this address: check vendor_id"),
        408 => Verdict::later(Kind::TimedOut, ""),
        410 => Verdict::never(Kind::Configuration, "this version of the API is retired"),
        412 => Verdict::never(Kind::Forbidden, "this part of the API is not active for the vendor"),
        423 => Verdict::never(Kind::Forbidden, "this part of the API is restricted for the vendor"),
        429 => Verdict { kind: Kind::RateLimited, retry: asked(BLOCKED), meaning: "" },
        400..=499 => refused(function, said),
        504 => Verdict { kind: Kind::TimedOut, retry: later(wait), meaning: "the gateway did not wait" },
        500 if matches!(function, Function::Invoices | Function::UpdateInvoices) => Verdict {
            kind: Kind::Unavailable,
            retry: later(wait),
            meaning: "this is also the answer to an unknown carrier code",
        },
        _ => Verdict { kind: Kind::Unavailable, retry: later(wait), meaning: "" },
    }
}

const UNSIGNED: &str = "the channel does not accept the signature: access key and secret key must be those of a key that has not ended";

fn later(wait: Option<Duration>) -> Retry {
    wait.map_or(Retry::Later, Retry::After)
}

/// The channel understood and said no.
fn refused(function: Function, said: &str) -> Verdict {
    use ErrorKind as Kind;
    match function {
        Function::Inventory | Function::Product | Function::SetQuantity if says_not_found(said) => {
            Verdict::never(Kind::NotFound, "")
        }
        // The same question gets the same answer, and errors lead to blocks (sheet 8).
        Function::Boxes
        | Function::OneBox
        | Function::BoxesOfOrder
        | Function::Receipts
        | Function::Inventory
        | Function::Products
        | Function::Product => Verdict::never(Kind::InvalidInput, ""),
        _ => Verdict::never(Kind::Refused, ""),
    }
}

/// Whether the channel's text says that there is no such product or option (sheet 4.10).
pub(super) fn says_not_found(said: &str) -> bool {
    said.contains("not found")
}

/// Whether a read failed because the order was cancelled or returned (sheet 4.3).
pub(super) fn is_closed(error: &Error) -> bool {
    may_be_gone(error) && error.message().is_some_and(|said| said.contains("취소 또는 반품"))
}

/// Whether a read failed in a way that a box which is gone could cause.
pub(super) fn may_be_gone(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::InvalidInput)
}
