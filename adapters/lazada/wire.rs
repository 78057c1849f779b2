//! Reading what Lazada answers: the envelope, lists, times. No channel logic lives here.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::error::{Error, Result};
use crate::lenient::{Text, object, scalar, unreadable};

/// What every answer is wrapped in (sheet 3).
#[derive(Debug)]
pub(super) struct Envelope<'a> {
    /// `0`: success. Codes are texts, most of them numbers.
    pub(super) code: Cow<'a, str>,
    /// Who failed: `ISP` the service behind the gateway, `ISV` the caller, `SYSTEM` the gateway.
    pub(super) kind: Cow<'a, str>,
    pub(super) message: Cow<'a, str>,
    /// Names the call in the channel's own logs.
    pub(super) request_id: Cow<'a, str>,
    data: Option<&'a RawValue>,
    result: Option<&'a RawValue>,
    detail: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct WireEnvelope<'a> {
    #[serde(borrow)]
    code: Option<&'a RawValue>,
    #[serde(borrow, rename = "type")]
    kind: Option<&'a RawValue>,
    #[serde(borrow)]
    message: Option<&'a RawValue>,
    #[serde(borrow)]
    request_id: Option<&'a RawValue>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    #[serde(borrow)]
    detail: Option<&'a RawValue>,
}

/// What calls of the newer kind put around their data.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct ResultRow<'a> {
    /// `false`: the whole call failed. `true` says nothing about its items.
    #[serde(borrow)]
    success: Text<'a>,
    #[serde(borrow)]
    pub(super) error_code: Text<'a>,
    #[serde(borrow)]
    pub(super) error_msg: Text<'a>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct DetailRow<'a> {
    #[serde(borrow)]
    field: Text<'a>,
    #[serde(borrow)]
    message: Text<'a>,
}

impl<'a> Envelope<'a> {
    /// Reads an answer.
    ///
    /// # Errors
    /// `MalformedResponse` when it is no JSON object or has no code: nothing may be concluded from it.
    pub(super) fn read(text: &'a str) -> Result<Self> {
        let wire: WireEnvelope<'a> = object("the answer", text)?;
        let code = wire.code.map(scalar).unwrap_or_default();
        if code.trim().is_empty() {
            return Err(Error::malformed("the answer has no code"));
        }
        Ok(Self {
            code,
            kind: wire.kind.map(scalar).unwrap_or_default(),
            message: wire.message.map(scalar).unwrap_or_default(),
            request_id: wire.request_id.map(scalar).unwrap_or_default(),
            data: wire.data,
            result: wire.result,
            detail: wire.detail,
        })
    }

    pub(super) fn is_success(&self) -> bool {
        self.code.trim() == "0"
    }

    /// The failure inside a call that the gateway calls a success.
    pub(super) fn failed_result(&self) -> Option<ResultRow<'a>> {
        let row: ResultRow<'a> = object("the result", self.result?.get()).ok()?;
        (row.success.flag() == Some(false)).then_some(row)
    }

    /// `data` as it came.
    ///
    /// # Errors
    /// `MalformedResponse` when it is missing.
    pub(super) fn data(&self) -> Result<&'a RawValue> {
        self.data.ok_or_else(|| Error::malformed("the answer says \"success\" and holds no data"))
    }

    /// The data of a call of the newer kind.
    ///
    /// # Errors
    /// `MalformedResponse` when it is missing.
    pub(super) fn result_data(&self) -> Result<&'a RawValue> {
        let row: ResultRow<'a> = object("the result of the answer", self.result()?.get())?;
        row.data.ok_or_else(|| Error::malformed("the result holds no data"))
    }

    /// `result` as it came.
    ///
    /// # Errors
    /// `MalformedResponse` when it is missing.
    pub(super) fn result(&self) -> Result<&'a RawValue> {
        self.result.ok_or_else(|| Error::malformed("the answer says \"success\" and holds no result"))
    }

    /// What the answer says of single fields, in words; empty: nothing.
    pub(super) fn details(&self) -> String {
        let rows: Vec<DetailRow<'_>> = readable(self.detail);
        let words = rows.iter().filter_map(|row| match (row.field.filled(), row.message.filled()) {
            (Some(field), Some(message)) => Some(format!("{field}: {message}")),
            (field, message) => message.or(field).map(str::to_owned),
        });
        words.collect::<Vec<_>>().join("; ")
    }

    /// Whether there is anything in `detail`: a success has none.
    pub(super) fn has_details(&self) -> bool {
        self.detail.is_some_and(|raw| !matches!(raw.get().trim(), "null" | "[]" | "{}" | "\"\""))
    }
}

/// The rows of a list, each as it came; a list that is missing is empty. The documents show single objects where lists
/// are meant (sheet): one is read as a list of one.
///
/// # Errors
/// `MalformedResponse` when it is no list.
pub(super) fn rows(list: Option<&RawValue>) -> Result<Vec<&RawValue>> {
    match list {
        None => Ok(Vec::new()),
        Some(raw) if raw.get().starts_with('{') => Ok(vec![raw]),
        Some(raw) if raw.get() == "null" => Ok(Vec::new()),
        Some(raw) => serde_json::from_str(raw.get()).map_err(|e| unreadable("a list of the answer", &e)),
    }
}

/// Rows of our own type; rows that can't be read are passed over. Only for lists in which a hole does no harm.
pub(super) fn readable<'a, T: Deserialize<'a>>(list: Option<&'a RawValue>) -> Vec<T> {
    let rows = rows(list).unwrap_or_default();
    rows.into_iter().filter_map(|raw| object("a row", raw.get()).ok()).collect()
}

/// A text that says something: the channel also writes the word `null`.
pub(super) fn told<'a>(text: &'a Text<'_>) -> Option<&'a str> {
    text.filled().filter(|text| *text != "null")
}

/// A time: `2018-02-09 22:44:30 +0800`, ISO with an offset, or milliseconds since 1970 (sheet 1; items/get). Seconds are
/// recognised by their size.
pub(super) fn time(text: &Text<'_>) -> Option<DateTime<Utc>> {
    let text = text.filled()?;
    if text.bytes().all(|b| b.is_ascii_digit()) {
        let number: i64 = text.parse().ok().filter(|number| *number > 0)?;
        return if number > 100_000_000_000 {
            DateTime::from_timestamp_millis(number)
        } else {
            DateTime::from_timestamp(number, 0)
        };
    }
    DateTime::parse_from_rfc3339(text)
        .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S %z"))
        .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%z"))
        .ok()
        .map(|at| at.with_timezone(&Utc))
}

/// JSON text of a parameter.
///
/// # Errors
/// `InvalidInput` when it can't be written.
pub(super) fn json<T: Serialize + ?Sized>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|_| Error::invalid("the request can't be written as JSON"))
}

/// An id as the number that the channel wants; `None`: it is none.
pub(super) fn number(id: &str) -> Option<u64> {
    let id = id.trim();
    if id.bytes().all(|b| b.is_ascii_digit()) { id.parse().ok() } else { None }
}
