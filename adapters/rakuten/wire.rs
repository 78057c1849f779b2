//! Reading what Rakuten answers: messages, errors, times. No channel logic lives here.

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::{Error, Result};
use crate::lenient::{Text, object, unreadable};

/// Japan's time. It has no summer time.
const JAPAN: i32 = 9 * 3600;

/// A message of the order functions (sheet 4).
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Message<'a> {
    #[serde(borrow)]
    message_type: Text<'a>,
    #[serde(borrow)]
    message_code: Text<'a>,
    #[serde(borrow)]
    pub(super) message: Text<'a>,
    #[serde(borrow)]
    order_number: Text<'a>,
    #[serde(borrow)]
    data_number: Text<'a>,
    #[serde(borrow)]
    shipping_detail_id: Text<'a>,
}

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Info,
    Warning,
    Error,
    /// A type that is not documented: it says neither yes nor no.
    Unknown,
}

impl Message<'_> {
    pub(super) fn sort(&self) -> Sort {
        match self.message_type.trim() {
            "INFO" => Sort::Info,
            "WARNING" => Sort::Warning,
            "ERROR" => Sort::Error,
            _ => Sort::Unknown,
        }
    }

    pub(super) fn code(&self) -> &str {
        self.message_code.trim()
    }

    /// Whether it says that it was done, by one of these endings of the code.
    pub(super) fn is_done(&self, endings: &[&str]) -> bool {
        self.sort() == Sort::Info && endings.iter().any(|ending| self.code().ends_with(ending))
    }

    pub(super) fn order(&self) -> Option<&str> {
        self.order_number.filled()
    }

    /// The number of the row that it is about, from 1.
    pub(super) fn data_number(&self) -> Option<i64> {
        self.data_number.integer()
    }

    pub(super) fn shipping_detail(&self) -> Option<i64> {
        self.shipping_detail_id.integer()
    }
}

/// An error of the inventory and item functions, and of the gateway (sheet 4.6).
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Fault<'a> {
    #[serde(borrow)]
    pub(super) code: Text<'a>,
    #[serde(borrow)]
    pub(super) message: Text<'a>,
    #[serde(borrow)]
    metadata: Option<Metadata<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Metadata<'a> {
    #[serde(borrow)]
    property_path: Text<'a>,
}

impl Fault<'_> {
    /// The row that it is about, from 0: `inventories[3].quantity`.
    pub(super) fn row(&self) -> Option<usize> {
        let path = &self.metadata.as_ref()?.property_path;
        let (_, after) = path.split_once('[')?;
        after.split_once(']')?.0.trim().parse().ok()
    }
}

/// What an answer says beside its data.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Wire<'a> {
    #[serde(borrow, rename = "MessageModelList")]
    messages: Option<&'a RawValue>,
    #[serde(borrow)]
    errors: Option<&'a RawValue>,
}

/// What an answer says beside its data.
#[derive(Default)]
pub(super) struct Said<'a> {
    /// `None`: there is no list of messages.
    pub(super) messages: Option<Vec<Message<'a>>>,
    pub(super) faults: Vec<Fault<'a>>,
}

impl<'a> Said<'a> {
    /// Reads an answer. A message that can't be read is passed over: what it was about stays unknown.
    ///
    /// # Errors
    /// `MalformedResponse` when it is no JSON object.
    pub(super) fn read(text: &'a str) -> Result<Self> {
        let wire: Wire<'a> = object("the answer", text)?;
        let messages = wire.messages.map(rows).transpose()?;
        let faults = wire.errors.map_or_else(|| Ok(Vec::new()), rows)?;
        Ok(Self { messages: messages.map(each), faults: each(faults) })
    }

    /// The messages.
    ///
    /// # Errors
    /// `MalformedResponse` when there is no list of them.
    pub(super) fn into_messages(self) -> Result<Vec<Message<'a>>> {
        self.messages.ok_or_else(|| Error::malformed("the answer has no messages"))
    }
}

fn each<'a, T: Deserialize<'a>>(rows: Vec<&'a RawValue>) -> Vec<T> {
    rows.into_iter().filter_map(|raw| object("a message", raw.get()).ok()).collect()
}

/// The rows of a list, each in its raw text.
///
/// # Errors
/// `MalformedResponse` when it is no list.
pub(super) fn rows(raw: &RawValue) -> Result<Vec<&RawValue>> {
    serde_json::from_str(raw.get()).map_err(|e| unreadable("a list", &e))
}

/// Where a day without a time stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DayEnd {
    /// Its first second.
    First,
    /// Its last second.
    Last,
}

/// A time; in Japan's where it has no offset. Offsets come without a colon (sheet 1).
pub(super) fn time(text: &str, day_end: DayEnd) -> Option<DateTime<Utc>> {
    const LOCAL: [&str; 3] = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M"];
    let text = text.trim();
    if let Ok(zoned) = DateTime::parse_from_rfc3339(text) {
        return Some(zoned.with_timezone(&Utc));
    }
    if let Ok(zoned) = DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z") {
        return Some(zoned.with_timezone(&Utc));
    }
    let local = LOCAL.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
    let local = local.or_else(|| {
        let clock = match day_end {
            DayEnd::First => NaiveTime::MIN,
            DayEnd::Last => NaiveTime::from_hms_opt(23, 59, 59)?,
        };
        Some(day(text).filter(|_| text.len() <= 10)?.and_time(clock))
    })?;
    let zone = FixedOffset::east_opt(JAPAN)?;
    zone.from_local_datetime(&local).single().map(|at| at.with_timezone(&Utc))
}

/// A day: `2023-04-20`, also where a time follows.
pub(super) fn day(text: &str) -> Option<NaiveDate> {
    let text = text.trim();
    NaiveDate::parse_from_str(text.get(..10).unwrap_or(text), "%Y-%m-%d").ok()
}

/// A time as it is sent: in Japan's, no colon in the offset. Anything else is answered with ERROR_011 (sheet 1).
pub(super) fn written(at: DateTime<Utc>) -> String {
    match FixedOffset::east_opt(JAPAN) {
        Some(zone) => at.with_timezone(&zone).format("%Y-%m-%dT%H:%M:%S%z").to_string(),
        None => at.format("%Y-%m-%dT%H:%M:%S%z").to_string(),
    }
}

/// The day in Japan.
pub(super) fn day_in_japan(at: DateTime<Utc>) -> NaiveDate {
    at.with_timezone(&chrono_tz::Asia::Tokyo).date_naive()
}
