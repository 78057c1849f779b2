//! The methods of the API, and what their answers mean (sheet 10). There are no error codes, only Japanese texts: what
//! an `error` means depends on what was asked.

use crate::channel::{Outcome, Refusal};
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::http::{Response, classify_status};

use super::wire::{Envelope, text};

/// What is asked of a method of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    /// Page through orders; the first page or a later one.
    Orders { first: bool },
    /// Read one order.
    Order,
    /// Read the lines of an order.
    Lines,
    /// Page through items; the first page or a later one.
    Items { first: bool },
    /// Read the variants of an item.
    Variants,
    /// Move an order to a phase.
    MovePhase,
}

/// The text of the one refusal that is known (sheet 9).
pub(super) const NO_SUCH_ITEM: &str = "商品コードが見つかりません";

impl Method {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Orders { .. } | Self::Order => "get_order",
            Self::Lines => "get_order_detail",
            Self::Items { .. } => "get_item",
            Self::Variants => "get_item_sku",
            Self::MovePhase => "upd_order_phase",
        }
    }

    /// Whether a second call could do something twice. Every method is a GET: the verb says nothing.
    pub(super) fn changes(self) -> bool {
        self == Self::MovePhase
    }
}

/// Says what is wrong with an answer; `Ok`: it can be read for its result.
///
/// # Errors
/// The kind that status and answer stand for, with the channel's text.
pub(super) fn judge(method: Method, response: &Response) -> Result<()> {
    let body = text(&response.body);
    match classify_status(response) {
        Ok(()) => judge_body(method, &body),
        Err(error) => Err(by_status(method, response.status, &body, error)),
    }
}

/// Judges the text of an answer with status 200. The word `success` counts, and nothing else.
///
/// # Errors
/// As [`judge`].
pub(super) fn judge_body(method: Method, body: &str) -> Result<()> {
    match Envelope::read(body)?.refusal {
        None => Ok(()),
        Some(said) => Err(verdict(method, &said).error(&said)),
    }
}

/// One client prints an answer of the API out of an HTTP error: the answer says more than the status (sheet 10).
fn by_status(method: Method, status: u16, body: &str, error: Error) -> Error {
    let told = |kind, retry, words: &str| {
        let error = Error::new(kind).with_code(format_args!("HTTP {status}")).with_retry(retry);
        if words.is_empty() { error } else { error.with_message(words) }
    };
    if !matches!(status, 400..=499) || matches!(status, 401 | 403 | 408 | 425 | 429) {
        return error;
    }
    match (Envelope::read(body).map(|envelope| envelope.refusal), status) {
        (Ok(Some(said)), _) => verdict(method, &said).error(&said).with_code(format_args!("HTTP {status}")),
        (Ok(None), _) => told(ErrorKind::MalformedResponse, Retry::Later, "an error that says success"),
        // Never "not found": that would be read as "no such order".
        (Err(_), 404 | 410) => told(
            ErrorKind::Configuration,
            Retry::Never,
            "nothing is at this address: check the host and path of the configuration",
        ),
        // A read that is refused is tried again: no order may be dropped for it.
        (Err(_), _) if !method.changes() => told(ErrorKind::Unavailable, error.retry(), ""),
        (Err(_), _) => error,
    }
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
    fn error(self, said: &str) -> Error {
        let words = match (self.meaning, said) {
            ("", said) => said.to_owned(),
            (meaning, "") => meaning.to_owned(),
            (meaning, said) => format!("{meaning} ({said})"),
        };
        Error::new(self.kind).with_message(words).with_retry(self.retry)
    }
}

/// What an `error` with this text means. A listing with legal parameters has no reason to fail but credentials, address
/// or contract (sheet 10); that is prudence, not fact.
pub(super) fn verdict(method: Method, said: &str) -> Verdict {
    let (kind, retry, meaning) = match method {
        Method::Orders { first: true } | Method::Items { first: true } if names_address(said) => (
            ErrorKind::Forbidden,
            Retry::Never,
            "CROSS MALL refuses this machine's IP address: allow it in its API settings",
        ),
        Method::Orders { first: true } | Method::Items { first: true } => (
            ErrorKind::Unauthorized,
            Retry::Never,
            "CROSS MALL refused a plain listing: check company code, authentication key, allowed IP addresses and the \
             API contract",
        ),
        Method::Orders { .. } | Method::Items { .. } | Method::Order => {
            (ErrorKind::Unavailable, Retry::Later, "CROSS MALL could not answer the search")
        }
        Method::Variants if said.contains(NO_SUCH_ITEM) => {
            (ErrorKind::NotFound, Retry::Never, "CROSS MALL has no such item")
        }
        Method::Lines | Method::Variants | Method::MovePhase => (ErrorKind::Refused, Retry::Never, ""),
    };
    Verdict { kind, retry, meaning }
}

fn names_address(said: &str) -> bool {
    ["IP", "ＩＰ"].iter().any(|word| said.contains(word))
}

/// A refusal by the channel is the outcome of its order, which may have changed; anything else stays an error.
///
/// # Errors
/// The error itself, where it is no refusal.
pub(super) fn refused<T>(error: Error) -> Result<Outcome<T>> {
    if error.kind() != ErrorKind::Refused || error.outcome_unknown() {
        return Err(error);
    }
    let said = error.message().unwrap_or("CROSS MALL refused it without a reason");
    Ok(Outcome::Refused(Refusal::new(error.code().unwrap_or_default(), said).reread()))
}
