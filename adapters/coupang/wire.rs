//! Reading what Coupang answers: the envelope, rows, amounts, times, results of bulk calls. No channel logic lives here.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Tz;
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::error::{Error, Result};
use crate::lenient::{self, Text, body_text, scalar, unreadable};
use crate::model::{Currency, Money};

/// What every answer is wrapped in (sheet 4.1, 7).
#[derive(Debug, Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Envelope<'a> {
    /// 200, `"200"` or `"SUCCESS"`: done.
    #[serde(borrow)]
    pub(super) code: Text<'a>,
    #[serde(borrow)]
    pub(super) message: Text<'a>,
    /// `None`: the answer has no such field. `null` is there, and is nothing.
    #[serde(borrow, deserialize_with = "even_null")]
    pub(super) data: Option<&'a RawValue>,
    /// Where the next page begins; empty: this was the last.
    #[serde(borrow)]
    pub(super) next_token: Text<'a>,
}

fn even_null<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'a RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

impl<'a> Envelope<'a> {
    /// Reads an answer.
    ///
    /// # Errors
    /// `MalformedResponse` when it is no JSON object.
    pub(super) fn read(text: &'a str) -> Result<Self> {
        lenient::object("the answer", text)
    }

    /// The rows of `data`: an array, one object, or nothing.
    ///
    /// # Errors
    /// `MalformedResponse` when there is no `data`: a list with a hole must not pass for an empty one.
    pub(super) fn rows(&self) -> Result<Vec<&'a RawValue>> {
        rows(self.data.ok_or_else(|| Error::malformed("the answer has no data"))?)
    }

    /// The token of the next page, if there is one.
    ///
    /// # Errors
    /// `MalformedResponse` when it is the one that was asked with: the page would never end.
    pub(super) fn next(&self, asked: &str) -> Result<Option<String>> {
        match self.next_token.filled() {
            Some(token) if token == asked => Err(Error::malformed("the channel gave the same page twice")),
            token => Ok(token.map(str::to_owned)),
        }
    }
}

/// The rows in a value: an array, one object, or nothing.
///
/// # Errors
/// `MalformedResponse` when it is something else.
pub(super) fn rows(raw: &RawValue) -> Result<Vec<&RawValue>> {
    match raw.get().as_bytes().first() {
        Some(b'[') => serde_json::from_str(raw.get()).map_err(|e| unreadable("data", &e)),
        Some(b'{') => Ok(vec![raw]),
        _ if scalar(raw).trim().is_empty() => Ok(Vec::new()),
        _ => Err(Error::malformed("data is neither rows nor empty")),
    }
}

/// A value that is one object.
///
/// # Errors
/// `MalformedResponse` when it is not there, or something else.
pub(super) fn object<'a, T: Deserialize<'a>>(what: &str, raw: Option<&'a RawValue>) -> Result<T> {
    let raw = raw.ok_or_else(|| Error::malformed(format!("the answer has no {what}")))?;
    lenient::object(what, raw.get())
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct WireAmount<'a> {
    #[serde(borrow)]
    currency_code: Text<'a>,
    #[serde(borrow)]
    units: Text<'a>,
    #[serde(borrow)]
    nanos: Text<'a>,
}

/// An amount: an object of currency, units and nanos (v5, v6), or a plain number in the shop's own currency (v4).
/// `None`: there is none, or its currency is not one. Counting it in another would be wrong.
pub(super) fn amount(raw: Option<&RawValue>, plain: Currency) -> Option<Money> {
    let raw = raw?;
    if !raw.get().starts_with('{') {
        return Some(Money::new(crate::lenient::decimal(&scalar(raw))?, plain));
    }
    let wire: WireAmount<'_> = serde_json::from_str(raw.get()).ok()?;
    let currency = wire.currency_code.parse().ok()?;
    let units = wire.units.decimal()?;
    let nanos = match wire.nanos.filled() {
        None => 0,
        Some(_) => wire.nanos.integer().filter(|nanos| nanos.abs() < 1_000_000_000)?,
    };
    // Without nanos the digits stay as they are: 19000, not 19000.000000000.
    let value = match nanos {
        0 => units,
        nanos => units.checked_add(Decimal::new(nanos, 9))?.normalize(),
    };
    Some(Money::new(value, currency))
}

/// The sum of those that are there; `None` where none is, or their currencies differ.
pub(super) fn sum(amounts: [Option<Money>; 2]) -> Option<Money> {
    match amounts {
        [Some(a), Some(b)] => a.checked_add(&b),
        [a, b] => a.or(b),
    }
}

/// A time: with its offset (v5, v6), or local in the shop's zone (v4).
pub(super) fn time(text: &str, zone: Tz) -> Option<DateTime<Utc>> {
    const FORMS: [&str; 4] =
        ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"];
    let text = text.trim();
    if let Ok(zoned) = DateTime::parse_from_rfc3339(text) {
        return Some(zoned.with_timezone(&Utc));
    }
    let local = FORMS.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())?;
    zone.from_local_datetime(&local).earliest().map(|at| at.with_timezone(&Utc))
}

/// A day, `yyyy-MM-dd`, also where a time follows.
pub(super) fn day(text: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(text.trim().get(..10)?, "%Y-%m-%d").ok()
}

/// An id as it is sent: a number of up to 19 digits, which no float holds.
pub(super) fn number(id: &str) -> Option<u64> {
    let id = id.trim();
    let digits = !id.is_empty() && id.bytes().all(|digit| digit.is_ascii_digit());
    if digits { id.parse().ok().filter(|number| *number > 0) } else { None }
}

/// What became of one box of a bulk call (sheet 4.6, 4.8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BoxResult {
    pub(super) succeed: bool,
    pub(super) code: String,
    pub(super) retry_required: bool,
    pub(super) message: String,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct WireResults<'a> {
    #[serde(borrow, deserialize_with = "even_null")]
    response_list: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct WireResult<'a> {
    #[serde(borrow)]
    shipment_box_id: Text<'a>,
    #[serde(borrow)]
    succeed: Text<'a>,
    #[serde(borrow)]
    result_code: Text<'a>,
    #[serde(borrow)]
    retry_required: Text<'a>,
    #[serde(borrow)]
    result_message: Text<'a>,
}

/// The results of a bulk call by box, never by position. `None`: the answer contradicts itself about the box, or does
/// not say whether it was done. `data` is an object in the samples and an array in the documents (sheet 4.8).
///
/// # Errors
/// `MalformedResponse` when the answer can't be read at all.
pub(super) fn box_results(body: &[u8]) -> Result<HashMap<String, Option<BoxResult>>> {
    let body = body_text(body);
    let mut found: HashMap<String, Option<BoxResult>> = HashMap::new();
    for part in Envelope::read(&body)?.rows()? {
        let part: WireResults<'_> = object("data", Some(part))?;
        let Some(list) = part.response_list else { continue };
        for row in rows(list)? {
            let Ok(row) = lenient::object::<WireResult<'_>>("a result", row.get()) else { continue };
            let Some(id) = row.shipment_box_id.filled() else { continue };
            let result = box_result(&row);
            found
                .entry(id.to_owned())
                .and_modify(|known| {
                    if known.as_ref().map(|k| (k.succeed, &k.code))
                        != result.as_ref().map(|r| (r.succeed, &r.code))
                    {
                        *known = None;
                    }
                })
                .or_insert(result.clone());
        }
    }
    Ok(found)
}

fn box_result(row: &WireResult<'_>) -> Option<BoxResult> {
    let code = row.result_code.trim();
    let succeed = row.succeed.flag()?;
    // One says done, the other not: nothing is known.
    let agree = code.is_empty() || succeed == (code == "OK");
    agree.then(|| BoxResult {
        succeed,
        code: code.to_owned(),
        retry_required: row.retry_required.flag().unwrap_or(false),
        message: row.result_message.trim().to_owned(),
    })
}
