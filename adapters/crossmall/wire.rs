//! Reading what CROSS MALL answers: the envelope, rows, times, order numbers. No channel logic lives here.

use std::fmt;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;

use crate::error::{Error, Result};
use crate::xml::Element;

pub(super) use crate::lenient::{body_text as text, decimal, integer};

/// Most rows in an answer of `get_order` and `get_item` (sheet: Limits).
pub(super) const MOST_ROWS: usize = 100;

const ROW: &str = "<Result";
const ROW_ENDS: &str = "</Result";
const VERBATIM: (&str, &str) = ("<![CDATA[", "]]>");

/// Declares a row: a struct of the texts of its fields, by the names that they have in the answer.
macro_rules! row {
    ($(#[$doc:meta])* $name:ident { $($field:ident),* $(,)? }) => {
        $(#[$doc])*
        pub(super) struct $name<'e> {
            $(pub(super) $field: &'e str,)*
        }

        impl<'e> $name<'e> {
            pub(super) fn of(row: &'e $crate::xml::Element<'_>) -> Self {
                Self { $($field: row.field(stringify!($field)),)* }
            }
        }
    };
}
pub(super) use row;

/// What every answer is wrapped in (sheet 3). Debug shows sizes only: rows hold personal data.
pub(super) struct Envelope<'a> {
    /// The channel's text, where it answered `error`.
    pub(super) refusal: Option<String>,
    /// The rows as they were written.
    pub(super) rows: Vec<&'a str>,
}

impl<'a> Envelope<'a> {
    /// Reads an answer. Rows are cut out before anything is parsed, so that a bad one spoils only itself.
    ///
    /// # Errors
    /// `MalformedResponse` when it is not whole, or does not say `success` or `error`: nothing may be concluded.
    pub(super) fn read(text: &'a str) -> Result<Self> {
        let (rows, frame) = apart(text.trim_start_matches('\u{feff}'))?;
        let root = Element::parse(&frame)?;
        let set = root.all("ResultSet").next();
        let status = set.and_then(|set| set.all("ResultStatus").next());
        let (Some(set), Some(status)) = (set, status) else {
            return Err(Error::malformed("the answer has no ResultStatus"));
        };
        let words = [status.field("GetStatus"), status.field("UpdStatus")];
        let mut said = words.into_iter().filter(|word| !word.is_empty()).peekable();
        if said.peek().is_none() || said.any(|word| word != "success" && word != "error") {
            return Err(Error::malformed("the answer says neither success nor error"));
        }
        if words.contains(&"error") {
            return Ok(Self { refusal: Some(status.field("Message").to_owned()), rows });
        }
        // Whether the count is of this answer or of all matches is not known: it only shows that rows are missing.
        let told = integer(set.attribute("TotalResult")).and_then(|told| usize::try_from(told).ok());
        let listing = !words[0].is_empty();
        if told.is_some_and(|told| listing && (rows.len() > told || (told > 0 && rows.is_empty()))) {
            return Err(Error::malformed("the number of rows does not fit TotalResult"));
        }
        Ok(Self { refusal: None, rows })
    }
}

impl fmt::Debug for Envelope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[answer, refused: {}, {} rows]", self.refusal.is_some(), self.rows.len())
    }
}

/// The rows of an answer, and what is left of it without them.
fn apart(text: &str) -> Result<(Vec<&str>, String)> {
    let mut rows = Vec::new();
    let mut frame = String::new();
    let mut from = 0;
    while let Some(begins) = row_begins(text, from) {
        let ends = row_ends(text, begins).ok_or_else(|| Error::malformed("the answer is no whole XML"))?;
        frame.push_str(text.get(from..begins).unwrap_or_default());
        rows.extend(text.get(begins..ends));
        from = ends;
    }
    frame.push_str(text.get(from..).unwrap_or_default());
    Ok((rows, frame))
}

fn find(text: &str, what: &str, from: usize) -> Option<usize> {
    text.get(from..)?.find(what).map(|at| from + at)
}

/// Not `<ResultSet>`, not `<ResultStatus>`.
fn row_begins(text: &str, mut from: usize) -> Option<usize> {
    loop {
        let at = find(text, ROW, from)?;
        from = at + ROW.len();
        if matches!(text.as_bytes().get(from), Some(b'>' | b'/' | b' ' | b'\t' | b'\r' | b'\n')) {
            return Some(at);
        }
    }
}

fn row_ends(text: &str, begins: usize) -> Option<usize> {
    let mut from = find(text, ">", begins)? + 1;
    if text.get(..from)?.ends_with("/>") {
        return Some(from);
    }
    loop {
        let at = find(text, ROW_ENDS, from)?;
        // What stands verbatim may look like an end.
        if let Some(verbatim) = text.get(from..at)?.find(VERBATIM.0) {
            from = find(text, VERBATIM.1, from + verbatim)? + VERBATIM.1.len();
            continue;
        }
        from = at + ROW_ENDS.len();
        let close = find(text, ">", from)?;
        if text.get(from..close)?.trim().is_empty() {
            return Some(close + 1);
        }
    }
}

/// A field of a row that can't be parsed as a whole.
pub(super) fn salvaged<'a>(row: &'a str, field: &str) -> Option<&'a str> {
    let (_, rest) = row.split_once(&format!("<{field}>"))?;
    let (value, _) = rest.split_once('<')?;
    Some(value.trim()).filter(|value| !value.is_empty())
}

/// An order number as a number: they come with leading zeros, and are compared as numbers (sheet 4).
pub(super) fn number(text: &str) -> Option<u64> {
    let text = text.trim();
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// A time without offset, in the channel's zone; a day alone is its midnight.
pub(super) fn time(text: &str, zone: Tz) -> Option<DateTime<Utc>> {
    let mut parts = text.split(['T', ' ']).filter(|part| !part.is_empty());
    let day = date(parts.next()?)?;
    let clock = match parts.next() {
        None => NaiveTime::MIN,
        Some(clock) => {
            let with_seconds = NaiveTime::parse_from_str(clock, "%H:%M:%S%.f");
            with_seconds.or_else(|_| NaiveTime::parse_from_str(clock, "%H:%M")).ok()?
        }
    };
    let local = NaiveDateTime::new(day, clock);
    zone.from_local_datetime(&local).earliest().map(|at| at.with_timezone(&Utc))
}

/// A day, with or without a time after it.
pub(super) fn day(text: &str) -> Option<NaiveDate> {
    date(text.trim().split(['T', ' ']).next()?)
}

fn date(text: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(&text.replace('/', "-"), "%Y-%m-%d").ok()
}

/// How days are sent.
pub(super) fn day_text(day: NaiveDate) -> String {
    day.format("%Y-%m-%d").to_string()
}
