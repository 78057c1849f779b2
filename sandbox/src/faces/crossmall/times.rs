//! Times as the API writes and reads them: Japan time without an offset. Pure.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};

/// Japan is 9 hours ahead of UTC and has no summer time.
const AHEAD: TimeDelta = TimeDelta::hours(9);

fn local(time: DateTime<Utc>) -> NaiveDateTime {
    time.checked_add_signed(AHEAD).unwrap_or(time).naive_utc()
}

/// `2026/11/24 10:03:40`.
pub(super) fn shown(time: DateTime<Utc>) -> String {
    local(time).format("%Y/%m/%d %H:%M:%S").to_string()
}

/// `2026/11/24`.
pub(super) fn shown_day(day: NaiveDate) -> String {
    day.format("%Y/%m/%d").to_string()
}

/// The day in Japan.
pub(super) fn day_of(time: DateTime<Utc>) -> NaiveDate {
    local(time).date()
}

/// `yyyy-MM-dd`.
pub(super) fn day(text: &str) -> Option<NaiveDate> {
    (text.len() == 10).then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()).flatten()
}

/// First and last second of what `yyyy-MM-dd HH:mm:ss` or `yyyy-MM-dd` names.
pub(super) fn span(text: &str) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    let utc = |local: NaiveDateTime| local.checked_sub_signed(AHEAD).map(|time| time.and_utc());
    if let Some(day) = day(text) {
        let first = utc(day.and_time(NaiveTime::MIN))?;
        return Some((first, first.checked_add_signed(TimeDelta::seconds(86_399))?));
    }
    let second = (text.len() == 19).then(|| NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").ok())?;
    let second = utc(second?)?;
    Some((second, second))
}

/// Whole seconds: answers show no parts of them, so conditions must not see any.
pub(super) fn seconds(time: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp(time.timestamp(), 0).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_of_japan() {
        let (time, _) = span("2026-11-24 00:00:01").unwrap();
        assert_eq!(time, "2026-11-23T15:00:01Z".parse::<DateTime<Utc>>().unwrap());
        assert_eq!(shown(time), "2026/11/24 00:00:01");
        assert_eq!(shown_day(day_of(time)), "2026/11/24");
    }

    #[test]
    fn a_day_is_all_its_seconds() {
        let (first, last) = span("2026-11-24").unwrap();
        assert_eq!((shown(first), shown(last)), ("2026/11/24 00:00:00".into(), "2026/11/24 23:59:59".into()));
    }

    #[test]
    fn other_forms_are_no_times() {
        for text in ["", "2026/11/24", "2026-11-24T00:00:00", "2026-13-01", "2026-1-1", "2026-11-24 24:00:00"]
        {
            assert_eq!(span(text), None, "{text}");
        }
    }
}
