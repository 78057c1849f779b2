//! What goes over the wire: texts, times, days, the XML that is sent. Nothing is sent here.

use std::borrow::Cow;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};
use chrono_tz::Asia::Tokyo;
use encoding_rs::{Encoding, UTF_8};
use quick_xml::escape::escape;

use crate::error::{Error, Result};
use crate::xml::Element;

/// The declaration stands within so many bytes.
const DECLARATION: usize = 200;

/// A body as text, in the encoding that its declaration names; without one, UTF-8. Broken bytes become U+FFFD: they
/// spoil the rows that they are in, not the page.
pub(super) fn decoded(body: &[u8]) -> Cow<'_, str> {
    declared(body).unwrap_or(UTF_8).decode(body).0
}

fn declared(body: &[u8]) -> Option<&'static Encoding> {
    let head = String::from_utf8_lossy(body.get(..DECLARATION).unwrap_or(body));
    let declaration = head.trim_start_matches('\u{FEFF}').trim_start().strip_prefix("<?xml")?;
    let declaration = declaration.split_once("?>")?.0;
    let label = declaration.split_once("encoding")?.1.trim_start().strip_prefix('=')?.trim_start();
    let quote = label.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    Encoding::for_label(label.get(1..)?.split(quote).next()?.as_bytes())
}

/// What `read` finds in an answer, from its root on.
///
/// # Errors
/// `MalformedResponse` when it is no whole XML; those of `read`.
pub(super) fn with_root<T>(body: &[u8], read: impl FnOnce(&Element<'_>) -> Result<T>) -> Result<T> {
    let text = decoded(body);
    read(&Element::parse(&text)?)
}

/// A text without white space around it; `None` when nothing is left.
pub(super) fn filled(text: &str) -> Option<&str> {
    let text = text.trim();
    (!text.is_empty()).then_some(text)
}

/// A field of an element, where it has a value.
pub(super) fn value<'a>(element: &'a Element<'_>, name: &str) -> Option<&'a str> {
    filled(element.field(name))
}

/// `true`, `false`, `1`, `0`; `None` for anything else.
pub(super) fn flag(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

/// A time in any of the four forms that the channel writes ("Times"); without an offset it is Japan time, and a day
/// alone is its midnight.
pub(super) fn time(text: &str) -> Option<DateTime<Utc>> {
    const FORMS: [&str; 3] = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y%m%d%H%M%S"];
    let text = text.trim();
    if let Ok(zoned) = DateTime::parse_from_rfc3339(text) {
        return Some(zoned.with_timezone(&Utc));
    }
    let local = FORMS.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
    let local = local.or_else(|| local_day(text).map(|day| day.and_time(NaiveTime::MIN)))?;
    Tokyo.from_local_datetime(&local).earliest().map(|at| at.with_timezone(&Utc))
}

/// The day of a time in Japan.
pub(super) fn day(text: &str) -> Option<NaiveDate> {
    local_day(text.trim()).or_else(|| time(text).map(|at| at.with_timezone(&Tokyo).date_naive()))
}

fn local_day(text: &str) -> Option<NaiveDate> {
    ["%Y-%m-%d", "%Y%m%d"].iter().find_map(|form| NaiveDate::parse_from_str(text, form).ok())
}

/// A second since 1970 as conditions are written: `YYYYMMDDHHMMSS` in Japan time.
pub(super) fn stamp(seconds: i64) -> String {
    let at = DateTime::from_timestamp(seconds, 0).unwrap_or(DateTime::<Utc>::MAX_UTC);
    at.with_timezone(&Tokyo).format("%Y%m%d%H%M%S").to_string()
}

/// The day of a time as it is sent: `YYYYMMDD` in Japan time.
pub(super) fn stamp_day(at: DateTime<Utc>) -> String {
    at.with_timezone(&Tokyo).format("%Y%m%d").to_string()
}

/// The XML of a request, from its root `Req` on. Texts are escaped; what XML 1.0 can't hold is left away.
#[derive(Debug)]
pub(super) struct Req(String);

impl Req {
    pub(super) fn new() -> Self {
        Self("<?xml version=\"1.0\" encoding=\"UTF-8\"?><Req>".to_owned())
    }

    /// An element with elements in it.
    pub(super) fn group(mut self, name: &str, inside: impl FnOnce(Self) -> Self) -> Self {
        self.tag("<", name);
        let mut this = inside(self);
        this.tag("</", name);
        this
    }

    /// An element with a text in it.
    pub(super) fn text(mut self, name: &str, text: &str) -> Self {
        let clean: String = text.chars().filter(|c| is_xml(*c)).collect();
        self.tag("<", name);
        self.0.push_str(&escape(clean.as_str()));
        self.tag("</", name);
        self
    }

    fn tag(&mut self, open: &str, name: &str) {
        for part in [open, name, ">"] {
            self.0.push_str(part);
        }
    }

    /// The whole text.
    pub(super) fn end(mut self) -> String {
        self.tag("</", "Req");
        self.0
    }
}

fn is_xml(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

/// JSON text of a cursor.
///
/// # Errors
/// `InvalidInput` when it can't be written.
pub(super) fn json<T: serde::Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|_| Error::invalid("the cursor can't be written"))
}

/// What is said about a cursor that is not ours.
pub(super) fn foreign() -> Error {
    Error::invalid("the page cursor is not of this channel and window")
}
