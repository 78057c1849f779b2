//! Times as the API writes and reads them: Japan time. Pure.

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};

/// Japan is 9 hours ahead of UTC and has no summer time.
const AHEAD: TimeDelta = TimeDelta::hours(9);

fn local(time: DateTime<Utc>) -> NaiveDateTime {
    time.checked_add_signed(AHEAD).unwrap_or(time).naive_utc()
}

/// `2026-10-01T09:12:33+09:00`.
pub(super) fn shown(time: DateTime<Utc>) -> String {
    local(time).format("%Y-%m-%dT%H:%M:%S+09:00").to_string()
}

/// The day in Japan.
pub(super) fn day_of(time: DateTime<Utc>) -> NaiveDate {
    local(time).date()
}

/// `YYYYMMDDHHMMSS`.
pub(super) fn moment(text: &str) -> Option<DateTime<Utc>> {
    if text.len() != 14 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let (date, time) = text.split_at(8);
    let time = chrono::NaiveTime::parse_from_str(time, "%H%M%S").ok()?;
    day(date)?.and_time(time).checked_sub_signed(AHEAD).map(|local| local.and_utc())
}

/// `YYYYMMDD`.
pub(super) fn day(text: &str) -> Option<NaiveDate> {
    (text.len() == 8 && text.bytes().all(|b| b.is_ascii_digit()))
        .then(|| NaiveDate::parse_from_str(text, "%Y%m%d").ok())
        .flatten()
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
        let time = moment("20261001091233").unwrap();
        assert_eq!(time, "2026-10-01T00:12:33Z".parse::<DateTime<Utc>>().unwrap());
        assert_eq!(shown(time), "2026-10-01T09:12:33+09:00");
        assert_eq!(day_of("2026-10-01T15:00:00Z".parse().unwrap()), day("20261002").unwrap());
    }

    #[test]
    fn other_forms_are_no_times() {
        for text in
            ["", "20261001", "2026-10-01T00:00:00", "20261301000000", "2026100109123x", "20261001246060"]
        {
            assert_eq!(moment(text), None, "{text}");
        }
        assert_eq!(day("2026-1-1"), None);
    }
}
