//! Dates as the API takes and gives them (sheet section 3). Pure.

use chrono::{DateTime, Days, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};

use super::answer::Failure;
use super::call::Call;
use super::settings::Market;

/// From the first time, inclusive, to before the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) from: DateTime<Utc>,
    pub(super) until: DateTime<Utc>,
}

impl Window {
    pub(super) fn holds(&self, time: DateTime<Utc>) -> bool {
        self.from <= time && time < self.until
    }
}

/// Whether the times in a query end with the market's offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Offset {
    Wanted,
    None,
}

pub(super) fn zone(market: Market) -> FixedOffset {
    let hours = match market {
        Market::Kr => 9,
        Market::Tw => 8,
    };
    FixedOffset::east_opt(hours * 3600).unwrap_or_else(|| chrono::Offset::fix(&Utc))
}

/// The text without the market's offset.
fn naive(text: &str, market: Market, offset: Offset) -> Option<&str> {
    match offset {
        Offset::None => Some(text),
        Offset::Wanted => text.strip_suffix(match market {
            Market::Kr => "+09:00",
            Market::Tw => "+08:00",
        }),
    }
}

fn at(time: NaiveDateTime, market: Market) -> Option<DateTime<Utc>> {
    time.and_local_timezone(zone(market)).single().map(|time| time.with_timezone(&Utc))
}

/// `createdAtFrom` and `createdAtTo` as days, both whole.
///
/// # Errors
/// 400 for what is missing, malformed, backwards, or longer than 31 days.
pub(super) fn days(call: &Call<'_>, market: Market, offset: Offset) -> Result<Window, Failure> {
    let day = |name: &str| {
        let text = call.param(name).ok_or_else(|| Failure::bad_request(&format!("{name} is required")))?;
        naive(text, market, offset)
            .and_then(|text| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok())
            .ok_or_else(|| Failure::bad_request(&format!("{name} is not a date: {text}")))
    };
    let (first, last) = (day("createdAtFrom")?, day("createdAtTo")?);
    check_length(last - first, TimeDelta::days(31))?;
    let midnight = |day: NaiveDate| at(day.and_time(NaiveTime::MIN), market);
    let until = last.checked_add_days(Days::new(1)).and_then(midnight);
    midnight(first)
        .zip(until)
        .map(|(from, until)| Window { from, until })
        .ok_or_else(|| Failure::bad_request("createdAtFrom or createdAtTo is out of range"))
}

/// `createdAtFrom` and `createdAtTo` as minutes.
///
/// # Errors
/// 400 for what is missing, malformed, backwards, or as long as `most`.
pub(super) fn minutes(
    call: &Call<'_>,
    market: Market,
    offset: Offset,
    most: TimeDelta,
) -> Result<Window, Failure> {
    let minute = |name: &str| {
        let text = call.param(name).ok_or_else(|| Failure::bad_request(&format!("{name} is required")))?;
        naive(text, market, offset)
            .and_then(|text| NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M").ok())
            .and_then(|time| at(time, market))
            .ok_or_else(|| Failure::bad_request(&format!("{name} is not a minute: {text}")))
    };
    let (from, until) = (minute("createdAtFrom")?, minute("createdAtTo")?);
    if until - from >= most {
        return Err(Failure::bad_request("the range should be less than 24 hours."));
    }
    check_length(until - from, most)?;
    // The last minute is in it.
    Ok(Window { from, until: until + TimeDelta::minutes(1) })
}

fn check_length(length: TimeDelta, most: TimeDelta) -> Result<(), Failure> {
    if length < TimeDelta::zero() {
        return Err(Failure::bad_request("createdAtFrom is after createdAtTo."));
    }
    if length > most {
        return Err(Failure::bad_request("endTime-startTime range should less than31."));
    }
    Ok(())
}

/// As v5 and v6 give times: `2026-11-02T10:20:16.973885+09:00`.
pub(super) fn with_offset(time: DateTime<Utc>, market: Market) -> String {
    time.with_timezone(&zone(market)).format("%Y-%m-%dT%H:%M:%S%.6f%:z").to_string()
}

/// As v4 gives times: local, without an offset.
pub(super) fn local(time: DateTime<Utc>, market: Market) -> String {
    time.with_timezone(&zone(market)).format("%Y-%m-%dT%H:%M:%S").to_string()
}

/// As v4 gives when a parcel moved: with a space.
pub(super) fn local_spaced(time: DateTime<Utc>, market: Market) -> String {
    local(time, market).replace('T', " ")
}

pub(super) fn day_of(time: DateTime<Utc>, market: Market) -> NaiveDate {
    time.with_timezone(&zone(market)).date_naive()
}

/// A signature's time: `261101T083000Z`.
pub(super) fn signed_date(text: &str) -> Option<DateTime<Utc>> {
    NaiveDateTime::parse_from_str(text, "%y%m%dT%H%M%SZ").ok().map(|time| time.and_utc())
}
