//! Reading what Qoo10 answers: the envelope, rows, loose texts, amounts and times. No channel logic lives here.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;
use serde::de::{self, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::channel::Outcome;
use crate::error::{Error, Result, Retry};
use crate::model::OrderId;

pub(super) use crate::lenient::{body_text as text, decimal, integer, scalar, unreadable};

/// What every answer is wrapped in (sheet 4).
#[derive(Debug)]
pub(super) struct Envelope<'a> {
    /// 0: done.
    pub(super) code: i64,
    pub(super) message: Cow<'a, str>,
    /// `ResultObject`.
    pub(super) object: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct WireEnvelope<'a> {
    #[serde(borrow, rename = "ResultCode")]
    result_code: Option<&'a RawValue>,
    #[serde(borrow, rename = "ResultMsg")]
    result_message: Option<&'a RawValue>,
    #[serde(borrow, rename = "ErrorCode")]
    error_code: Option<&'a RawValue>,
    #[serde(borrow, rename = "ErrorMsg")]
    error_message: Option<&'a RawValue>,
    #[serde(borrow, rename = "ResultObject")]
    object: Option<&'a RawValue>,
}

impl<'a> Envelope<'a> {
    /// Reads an answer.
    ///
    /// # Errors
    /// `MalformedResponse` when it is no JSON object or has no code: nothing may be concluded from it.
    pub(super) fn read(text: &'a str) -> Result<Self> {
        let wire: WireEnvelope<'a> = serde_json::from_str(text).map_err(|e| unreadable("the answer", &e))?;
        let number = |raw: Option<&'a RawValue>| raw.map(scalar).and_then(|text| integer(&text));
        // The framework reports its own errors under other names, also beside a ResultCode of 0.
        let framework = number(wire.error_code).filter(|code| *code != 0);
        let (code, message) = match framework {
            Some(code) => (Some(code), wire.error_message.or(wire.result_message)),
            None => (number(wire.result_code), wire.result_message),
        };
        let code = code.ok_or_else(|| Error::malformed("the answer has no result code"))?;
        Ok(Self { code, message: message.map(scalar).unwrap_or_default(), object: wire.object })
    }

    /// The rows of `ResultObject`: an array, one object, or nothing.
    ///
    /// # Errors
    /// `MalformedResponse` when it is something else.
    pub(super) fn rows(&self) -> Result<Vec<&'a RawValue>> {
        self.object.map_or_else(|| Ok(Vec::new()), rows)
    }
}

/// The rows in a value: an array, one object, or nothing.
///
/// # Errors
/// `MalformedResponse` when it is something else.
pub(super) fn rows(raw: &RawValue) -> Result<Vec<&RawValue>> {
    match raw.get().as_bytes().first() {
        Some(b'[') => serde_json::from_str(raw.get()).map_err(|e| unreadable("ResultObject", &e)),
        Some(b'{') => Ok(vec![raw]),
        _ if scalar(raw).trim().is_empty() => Ok(Vec::new()),
        _ => Err(Error::malformed("ResultObject is neither rows nor empty")),
    }
}

/// A field's name without case and underscores: one spelling for `OrderNo`, `orderNo` and `order_no`. The methods
/// spell the same fields differently (sheet 8).
pub(super) struct Key {
    letters: [u8; Self::LONGEST],
    length: usize,
}

impl Key {
    const LONGEST: usize = 32;

    pub(super) fn as_str(&self) -> &str {
        std::str::from_utf8(self.letters.get(..self.length).unwrap_or_default()).unwrap_or_default()
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;
        impl Visitor<'_> for Name {
            type Value = Key;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a field name")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Key, E> {
                let mut key = Key { letters: [0; Key::LONGEST], length: 0 };
                for byte in name.bytes().filter(|byte| *byte != b'_') {
                    match key.letters.get_mut(key.length) {
                        Some(letter) => *letter = byte.to_ascii_lowercase(),
                        // No field that is read has so long a name.
                        None => return Ok(Key { length: 0, ..key }),
                    }
                    key.length += 1;
                }
                Ok(key)
            }
        }
        deserializer.deserialize_identifier(Name)
    }
}

/// Declares a row: each field with its names as [`Key`] spells them. Unknown fields are passed over; of several names
/// for one field, the first that is filled counts.
macro_rules! row {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $($key:literal)|+),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Default)]
        pub(super) struct $name<'a> {
            $(pub(super) $field: std::borrow::Cow<'a, str>,)+
        }

        impl<'de> serde::Deserialize<'de> for $name<'de> {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::adapters::qoo10::wire::read_row(deserializer, |row: &mut Self, key, value| match key {
                    $($($key)|+ => $crate::adapters::qoo10::wire::fill(&mut row.$field, value),)+
                    _ => {}
                })
            }
        }
    };
}
pub(super) use row;

/// Fills a field unless it is filled.
pub(super) fn fill<'a>(field: &mut Cow<'a, str>, value: &'a RawValue) {
    if field.is_empty() {
        *field = scalar(value);
    }
}

/// Reads an object field by field into a row.
pub(super) fn read_row<'de, D: Deserializer<'de>, R: Default>(
    deserializer: D,
    take: impl Fn(&mut R, &str, &'de RawValue),
) -> Result<R, D::Error> {
    struct Fields<R, F>(R, F);
    impl<'de, R, F: Fn(&mut R, &str, &'de RawValue)> Visitor<'de> for Fields<R, F> {
        type Value = R;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a row")
        }

        fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<R, A::Error> {
            while let Some(key) = map.next_key::<Key>()? {
                if key.length == 0 {
                    map.next_value::<IgnoredAny>()?;
                } else {
                    (self.1)(&mut self.0, key.as_str(), map.next_value()?);
                }
            }
            Ok(self.0)
        }
    }
    deserializer.deserialize_map(Fields(R::default(), take))
}

/// A status number: the one in brackets, else the only number in the text. `Seller confirm(3)`, `3`, `（３）`.
pub(super) fn status_number(text: &str) -> Option<u32> {
    let plain: String = text.chars().map(half_width).collect();
    if let Some((_, after)) = plain.rsplit_once('(')
        && let Some((inside, _)) = after.split_once(')')
        && let Ok(number) = inside.trim().parse()
    {
        return Some(number);
    }
    let mut numbers = plain.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty());
    match (numbers.next(), numbers.next()) {
        (Some(only), None) => only.parse().ok(),
        _ => None,
    }
}

fn half_width(c: char) -> char {
    match c {
        '０'..='９' | '（' | '）' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        _ => c,
    }
}

/// A time in the channel's zone; date only means midnight. Qoo10's forms differ by method (sheet 3). Empty, and the
/// year 1 or 1900 that stands for empty, is `None`.
pub(super) fn time(text: &str, zone: Tz) -> Option<DateTime<Utc>> {
    let text = text.trim();
    if let Ok(zoned) = DateTime::parse_from_rfc3339(text) {
        return Some(zoned.with_timezone(&Utc));
    }
    let local = local_time(text).or_else(|| local_day(text).map(|day| day.and_time(NaiveTime::MIN)))?;
    if local.year() < 2000 {
        return None;
    }
    zone.from_local_datetime(&local).earliest().map(|at| at.with_timezone(&Utc))
}

/// The day of a time in the channel's zone.
pub(super) fn day(text: &str, zone: Tz) -> Option<NaiveDate> {
    time(text, zone).map(|at| at.with_timezone(&zone).date_naive())
}

fn local_time(text: &str) -> Option<NaiveDateTime> {
    const FORMS: [&str; 7] = [
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y/%m/%d %H:%M:%S%.f",
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%d %H:%M",
        "%Y/%m/%d %H:%M",
        "%Y-%m-%dT%H:%M",
        "%Y%m%d%H%M%S",
    ];
    FORMS.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
}

fn local_day(text: &str) -> Option<NaiveDate> {
    ["%Y-%m-%d", "%Y/%m/%d", "%Y%m%d"].iter().find_map(|form| NaiveDate::parse_from_str(text, form).ok())
}

row! {
    /// What became of one item of a bulk call. The order number is `cont_no` in one method, `contr_no` in the other.
    BulkRow {
        order: "contno" | "contrno" | "orderno",
        result: "resultcd",
        code: "resultcode",
        message: "resultmsg",
    }
}

/// The outcomes of a bulk call, found by order number and never by position: the order of rows is not documented.
/// An item that the answer leaves out, or about which it contradicts itself, is unknown.
///
/// # Errors
/// `MalformedResponse` when the answer can't be read at all.
pub(super) fn bulk_outcomes<T>(
    body: &[u8],
    orders: &[&OrderId],
    outcome: impl Fn(i64, &str) -> Outcome<T>,
) -> Result<Vec<Outcome<T>>> {
    let body = text(body);
    let envelope = Envelope::read(&body)?;
    let mut found: HashMap<String, Option<(i64, String)>> = HashMap::new();
    for raw in envelope.rows()? {
        let Ok(row) = serde_json::from_str::<BulkRow<'_>>(raw.get()) else { continue };
        let said = match (integer(&row.result), integer(&row.code)) {
            (Some(result), None) => Some(result),
            (None, code) => code,
            (Some(0), Some(0)) => Some(0),
            (Some(result), Some(code)) if result != 0 && code != 0 => Some(code),
            // One says done, the other not.
            (Some(_), Some(_)) => None,
        };
        let said = said.map(|code| (code, row.message.trim().to_owned()));
        found
            .entry(row.order.trim().to_owned())
            .and_modify(|known| {
                if known.as_ref().map(|(code, _)| *code) != said.as_ref().map(|(code, _)| *code) {
                    *known = None;
                }
            })
            .or_insert(said);
    }
    let unknown =
        |why| Outcome::Unknown(Error::malformed(why).with_retry(Retry::Later).with_unknown_effect());
    Ok(orders
        .iter()
        .map(|id| match found.get(id.as_str()) {
            Some(Some((code, message))) => outcome(*code, message),
            Some(None) => unknown("the answer contradicts itself about this order"),
            None => unknown("the answer leaves this order out"),
        })
        .collect())
}

/// JSON text of a form field.
///
/// # Errors
/// `InvalidInput` when it can't be written.
pub(super) fn json_field<T: Serialize>(rows: &T) -> Result<String> {
    serde_json::to_string(rows).map_err(|_| Error::invalid("the rows can't be written as JSON"))
}
