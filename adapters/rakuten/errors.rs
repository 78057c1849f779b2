//! The functions of RMS WEB SERVICE, and what their answers mean: a table of status, code and text (sheet 7).

use chrono::{DateTime, Utc};

use crate::error::{Effect, Error, ErrorKind, Result, Retry};
use crate::http::{Response, classify_status, expect_json};
use crate::lenient::body_text;

use super::wire::{Said, Sort};

/// A function of RMS WEB SERVICE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    SearchOrder,
    GetOrder,
    ConfirmOrder,
    UpdateShipping,
    CancelOrder,
    CancelAfterShipping,
    SetStock,
    ReadStock,
    SearchItems,
    ExpiryDate,
}

impl Function {
    /// Its path. Those of orders end with a slash (sheet 3).
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::SearchOrder => "es/2.0/order/searchOrder/",
            Self::GetOrder => "es/2.0/order/getOrder/",
            Self::ConfirmOrder => "es/2.0/order/confirmOrder/",
            Self::UpdateShipping => "es/2.0/order/updateOrderShipping/",
            Self::CancelOrder => "es/2.0/order/cancelOrder/",
            Self::CancelAfterShipping => "es/2.0/order/cancelOrderAfterShipping/",
            Self::SetStock => "es/2.1/inventories/bulk-upsert",
            Self::ReadStock => "es/2.0/inventories/bulk-get",
            Self::SearchItems => "es/2.0/items/search",
            Self::ExpiryDate => "es/1.0/license-management/license-key/expiry-date",
        }
    }

    /// Whether it changes nothing.
    pub(super) fn only_reads(self) -> bool {
        matches!(
            self,
            Self::SearchOrder | Self::GetOrder | Self::ReadStock | Self::SearchItems | Self::ExpiryDate
        )
    }

    /// Whether its answers are messages.
    fn speaks_in_messages(self) -> bool {
        matches!(
            self,
            Self::SearchOrder
                | Self::GetOrder
                | Self::ConfirmOrder
                | Self::UpdateShipping
                | Self::CancelOrder
                | Self::CancelAfterShipping
        )
    }
}

/// The quantity of what is asked for is not known (sheet 4.6).
pub(super) const NO_SUCH_STOCK: &str = "GE0014";

/// Says what is wrong with an answer; `Ok`: it can be read for its result, item by item. `ends`: when the key ends, as
/// far as it is known.
///
/// # Errors
/// The kind that status, code and text stand for, with the channel's code and text.
pub(super) fn judge(function: Function, response: &Response, ends: Option<DateTime<Utc>>) -> Result<()> {
    match response.status {
        // The one success of a stock call (sheet 4.6); anything else was written by somebody else.
        204 if function == Function::SetStock => Ok(()),
        200..=299 => {
            expect_json(response)?;
            judge_body(function, &response.body)
        }
        status => judge_status(function, status, response, ends),
    }
}

/// Judges the body of an answer with a status of success.
///
/// # Errors
/// As [`judge`].
pub(super) fn judge_body(function: Function, body: &[u8]) -> Result<()> {
    let body = body_text(body);
    let said = Said::read(&body)?;
    if let Some(fault) = said.faults.first() {
        return Err(verdict(function, 400, &fault.code, &fault.message).error(&fault.code, &fault.message));
    }
    if function == Function::SetStock {
        return Err(Error::malformed("a body where a stock call has none"));
    }
    if !function.speaks_in_messages() {
        return Ok(());
    }
    let messages = said.into_messages()?;
    match messages.iter().find(|message| message.sort() == Sort::Error) {
        // Writes are told item by item, also when some failed.
        Some(error) if function.only_reads() => {
            Err(verdict(function, 400, error.code(), &error.message).error(error.code(), &error.message))
        }
        _ if messages.is_empty() => Err(Error::malformed("the answer has no messages")),
        _ => Ok(()),
    }
}

fn judge_status(
    function: Function,
    status: u16,
    response: &Response,
    ends: Option<DateTime<Utc>>,
) -> Result<()> {
    let body = body_text(&response.body);
    // Pages of proxies come with these too: what can't be read says nothing beyond the status.
    let said = Said::read(&body).unwrap_or_default();
    let messages = said.messages.as_deref().unwrap_or_default();
    let error = messages.iter().find(|message| message.sort() == Sort::Error);
    let (code, text) = match (error, said.faults.first()) {
        (Some(error), _) => (error.code(), error.message.trim()),
        (None, Some(fault)) => (fault.code.trim(), fault.message.trim()),
        (None, None) => ("", ""),
    };
    let mut verdict = verdict(function, status, code, text);
    match (status, function) {
        // The refusal of a part of the items is told in the body (sheet 4.3, 4.5, 4.6).
        (400, function) if !function.only_reads() && error.is_some() => return Ok(()),
        (400, Function::SetStock) if !said.faults.is_empty() && verdict.kind == ErrorKind::Refused => {
            return Ok(());
        }
        // Nothing of what was asked for has a quantity.
        (404, Function::ReadStock) if code == NO_SUCH_STOCK => return Ok(()),
        _ => {}
    }
    if verdict.kind == ErrorKind::Unauthorized && ends.is_some_and(|end| end <= response.sent_at) {
        verdict = ENDED;
    }
    if let Some(delay) = response.retry_after() {
        // 403 stands for "too many" too (sheet 3): only a wait that was asked for tells them apart for sure.
        if status == 403 {
            verdict = TOO_MANY;
        }
        if verdict.retry == Retry::Later {
            verdict.retry = Retry::After(delay);
        }
    }
    // Redirects and the rest of the ladder are the same everywhere.
    if matches!(status, 300..=399)
        && let Err(error) = classify_status(response)
    {
        return Err(error);
    }
    let shown = if code.is_empty() { format!("HTTP {status}") } else { code.to_owned() };
    Err(verdict.error(&shown, text))
}

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) kind: ErrorKind,
    pub(super) retry: Retry,
    pub(super) effect: Effect,
    /// What it means; empty: only the channel's text says it.
    pub(super) meaning: &'static str,
}

impl Verdict {
    const fn never(kind: ErrorKind, meaning: &'static str) -> Self {
        Self { kind, retry: Retry::Never, effect: Effect::None, meaning }
    }

    const fn later(kind: ErrorKind, meaning: &'static str) -> Self {
        Self { kind, retry: Retry::Later, effect: Effect::None, meaning }
    }

    /// The error, with the channel's code and text.
    pub(super) fn error(self, code: &str, said: &str) -> Error {
        let error = Error::new(self.kind).with_retry(self.retry).with_message(words(self.meaning, said));
        let error = if code.is_empty() { error } else { error.with_code(code) };
        if self.effect == Effect::Unknown { error.with_unknown_effect() } else { error }
    }
}

const ENDED: Verdict = Verdict::never(
    ErrorKind::CredentialExpired,
    "the licence key has ended: issue a new one in RMS and enter secret, key and end date",
);
const TOO_MANY: Verdict = Verdict::later(ErrorKind::RateLimited, "too many calls");

pub(super) fn words(meaning: &str, said: &str) -> String {
    match (meaning.trim(), said.trim()) {
        ("", said) => said.to_owned(),
        (meaning, "") => meaning.to_owned(),
        (meaning, said) => format!("{meaning} ({said})"),
    }
}

/// What an answer with this status, code and text means. A refusal inside a 2xx body counts as status 400.
pub(super) fn verdict(function: Function, status: u16, code: &str, text: &str) -> Verdict {
    use ErrorKind as Kind;
    let reads = function.only_reads();
    // A 5xx to a write says nothing about what was done.
    let lost = |kind, meaning| Verdict {
        effect: if reads { Effect::None } else { Effect::Unknown },
        ..Verdict::later(kind, meaning)
    };
    match status {
        401 => {
            return Verdict::never(
                Kind::Unauthorized,
                "service secret and licence key are not accepted: they are wrong, or have ended",
            );
        }
        403 if says_too_many(text) => return TOO_MANY,
        403 => {
            return Verdict::never(
                Kind::Forbidden,
                "this function is not switched on for the key (RMS, WEB API, edit functions), or it was called too often",
            );
        }
        // Never "not found": that would be read as "no such order".
        404 | 405 | 410 => {
            return Verdict::never(
                Kind::Configuration,
                "the channel has no such function at this address: check the host of the configuration",
            );
        }
        408 | 425 => return lost(Kind::TimedOut, ""),
        429 => return TOO_MANY,
        500..=599 => return lost(Kind::Unavailable, "the channel is down or in maintenance"),
        _ => {}
    }
    match code {
        "GA0001" | "GE0011" => Verdict::never(
            Kind::Unauthorized,
            "service secret and licence key are not accepted: they are wrong, or have ended",
        ),
        code if reads && (code.ends_with("_ERROR_009") || code.ends_with("_ERROR_010")) => {
            Verdict::never(Kind::InvalidInput, "a field is missing")
        }
        code if reads && code.ends_with("_ERROR_011") => {
            Verdict::never(Kind::InvalidInput, "a field has the wrong form")
        }
        code if reads && code.starts_with("IE") => Verdict::never(Kind::InvalidInput, ""),
        // A read that is refused for another reason is tried again: no order may be dropped for it.
        _ if reads => Verdict::later(Kind::Unavailable, "the channel could not answer"),
        _ => Verdict::never(Kind::Refused, ""),
    }
}

/// 403 stands for "no permission" and for "too many calls" alike (sheet 7); the text may tell.
fn says_too_many(text: &str) -> bool {
    let text = text.to_lowercase();
    ["too many", "rate limit", "ratelimit", "request limit", "リクエスト数", "アクセスが集中"]
        .iter()
        .any(|words| text.contains(words))
}
