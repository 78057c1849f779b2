//! Reading what Ecwid answers: pages, lists, times, the count of an update. No channel logic lives here.

use chrono::{DateTime, NaiveDateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::error::{Error, Result};
use crate::lenient::{Text, body_text, object, unreadable};

use super::errors::{Endpoint, after_write, failure};

/// A page of a list.
#[derive(Debug)]
pub(super) struct Page<'a> {
    /// How many rows there are in all, where it is told.
    pub(super) total: Option<u64>,
    /// The most rows of a page, as the channel took it.
    pub(super) limit: Option<u64>,
    /// Rows passed over, as the channel took it.
    pub(super) offset: Option<u64>,
    /// Its rows, each as it came.
    pub(super) rows: Vec<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct WirePage<'a> {
    #[serde(borrow)]
    total: Text<'a>,
    #[serde(borrow)]
    limit: Text<'a>,
    #[serde(borrow)]
    offset: Text<'a>,
    #[serde(borrow)]
    items: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    error_code: Text<'a>,
    #[serde(borrow)]
    error_message: Text<'a>,
}

impl<'a> Page<'a> {
    /// Reads a page.
    ///
    /// # Errors
    /// `MalformedResponse` when it holds no list; what the answer reports instead of one.
    pub(super) fn read(endpoint: Endpoint, text: &'a str) -> Result<Self> {
        let wire: WirePage<'a> = object("the page", text)?;
        if let Some(error) = failure(endpoint, &wire.error_code, &wire.error_message) {
            return Err(error);
        }
        let rows = wire.items.ok_or_else(|| Error::malformed("the answer holds no list"))?;
        let number = |text: &Text<'_>| text.integer().and_then(|n| u64::try_from(n).ok());
        Ok(Self {
            total: number(&wire.total),
            limit: number(&wire.limit),
            offset: number(&wire.offset),
            rows,
        })
    }
}

/// The rows of a list inside a row; one that is missing or `null` is empty.
///
/// # Errors
/// `MalformedResponse` when it is no list.
pub(super) fn rows<'a>(what: &str, list: Option<&'a RawValue>) -> Result<Vec<&'a RawValue>> {
    match list {
        None => Ok(Vec::new()),
        Some(raw) if raw.get() == "null" => Ok(Vec::new()),
        Some(raw) => serde_json::from_str(raw.get()).map_err(|e| unreadable(what, &e)),
    }
}

/// Rows of our own type; what can't be read is passed over. Only for lists in which a hole does no harm.
pub(super) fn readable<'a, T: Deserialize<'a>>(list: Option<&'a RawValue>) -> Vec<T> {
    let rows = rows("a list", list).unwrap_or_default();
    rows.into_iter().filter_map(|raw| object("a row", raw.get()).ok()).collect()
}

/// An object inside a row; what is none is as good as missing (fields vary: sheet, traps).
pub(super) fn part<'a, T: Deserialize<'a>>(raw: Option<&'a RawValue>) -> Option<T> {
    object("a part of the row", raw?.get()).ok()
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct IdRow<'a> {
    #[serde(borrow)]
    id: Text<'a>,
}

/// The id of a row, if that much can be read.
pub(super) fn row_id(raw: &RawValue) -> Option<String> {
    object::<IdRow<'_>>("the row", raw.get()).ok()?.id.filled().map(str::to_owned)
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Updated<'a> {
    #[serde(borrow)]
    update_count: Text<'a>,
    #[serde(borrow)]
    error_code: Text<'a>,
    #[serde(borrow)]
    error_message: Text<'a>,
}

/// Whether an update changed anything.
///
/// # Errors
/// `MalformedResponse` with unknown effect when the answer does not say; the failure that it reports.
pub(super) fn updated(endpoint: Endpoint, body: &[u8]) -> Result<bool> {
    let body = body_text(body);
    let wire: Updated<'_> = object("the answer to an update", &body).map_err(after_write)?;
    if let Some(error) = failure(endpoint, &wire.error_code, &wire.error_message) {
        return Err(after_write(error));
    }
    match wire.update_count.integer() {
        Some(count) => Ok(count > 0),
        None => Err(Error::malformed("the answer to an update has no count").with_unknown_effect()),
    }
}

/// A time: Unix seconds before a text with its offset. Prefer the first: both are always told together.
pub(super) fn time(stamp: &Text<'_>, text: &Text<'_>) -> Option<DateTime<Utc>> {
    let stamp = stamp.integer().filter(|seconds| *seconds > 0);
    stamp.and_then(|seconds| DateTime::from_timestamp(seconds, 0)).or_else(|| instant(text.filled()?))
}

/// A time in the form of the API, `2024-05-01 05:26:28 +0000`; also Unix seconds and ISO 8601. Without an offset it is
/// UTC (sheet, hosts and transport).
pub(super) fn instant(text: &str) -> Option<DateTime<Utc>> {
    if text.bytes().all(|b| b.is_ascii_digit()) {
        return DateTime::from_timestamp(text.parse().ok().filter(|seconds| *seconds > 0)?, 0);
    }
    DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S %z")
        .or_else(|_| DateTime::parse_from_rfc3339(text))
        .map(|at| at.with_timezone(&Utc))
        .or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").map(|at| at.and_utc()))
        .ok()
}

/// An id as one segment of a path. The merchant chooses a part of order ids.
///
/// # Errors
/// `InvalidInput` for what no segment can be.
pub(super) fn segment(id: &str) -> Result<String> {
    if id.is_empty() || id == "." || id == ".." {
        return Err(Error::invalid("the id can't be part of an address"));
    }
    let mut encoded = String::with_capacity(id.len());
    for byte in id.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    Ok(encoded)
}

/// Whether an id is a number, as those of products and variations are.
pub(super) fn is_number(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit())
}

/// JSON text of a body.
///
/// # Errors
/// `InvalidInput` when it can't be written.
pub(super) fn json<T: Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|_| Error::invalid("the request can't be written as JSON"))
}
