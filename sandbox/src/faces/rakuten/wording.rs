//! How numbers, times and names are spelt (sheet sections 1 and 4). Pure.

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};

use crate::market::{Order, OrderNumber};

/// Japan is 9 hours ahead of UTC and has no summer time.
const AHEAD: TimeDelta = TimeDelta::hours(9);

/// A moment on Japanese wall clocks.
pub(super) fn local(time: DateTime<Utc>) -> NaiveDateTime {
    time.checked_add_signed(AHEAD).unwrap_or(time).naive_utc()
}

/// A Japanese wall clock time as a moment.
pub(super) fn utc(local: NaiveDateTime) -> DateTime<Utc> {
    local.checked_sub_signed(AHEAD).unwrap_or(local).and_utc()
}

/// As the order API spells it: no colon in the offset.
pub(super) fn order_time(time: DateTime<Utc>) -> String {
    local(time).format("%Y-%m-%dT%H:%M:%S+0900").to_string()
}

/// As the item and inventory APIs spell it.
pub(super) fn iso_time(time: DateTime<Utc>) -> String {
    local(time).format("%Y-%m-%dT%H:%M:%S+09:00").to_string()
}

/// `yyyy-MM-ddTHH:mm:ss+0900`, and nothing else.
pub(super) fn read_order_time(text: &str) -> Option<DateTime<Utc>> {
    let (time, offset) = text.split_at_checked(19)?;
    let parsed = NaiveDateTime::parse_from_str(time, "%Y-%m-%dT%H:%M:%S").ok()?;
    // The parser takes numbers without leading zeros, the API does not.
    (offset == "+0900" && parsed.format("%Y-%m-%dT%H:%M:%S").to_string() == time).then(|| utc(parsed))
}

/// `yyyy-MM-dd`, or `yyyyMMdd` as one client found it taken.
pub(super) fn read_day(text: &str) -> Option<NaiveDate> {
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    match text.len() {
        8 if digits(text) => NaiveDate::parse_from_str(text, "%Y%m%d").ok(),
        10 if digits(&text.replace('-', "")) => NaiveDate::parse_from_str(text, "%Y-%m-%d").ok(),
        _ => None,
    }
}

/// `shop-yyyymmdd-serial`.
pub(super) fn order_number(shop: &str, order: &Order) -> String {
    format!("{shop}-{}-{:010}", local(order.ordered_at).format("%Y%m%d"), order.number.0)
}

/// The market's number in an order number. The caller must compare the whole, as the rest can be anything.
pub(super) fn market_number(text: &str) -> Option<OrderNumber> {
    text.rsplit('-').next()?.parse().ok()
}

/// Family and first name: what stands before and after the first space.
pub(super) fn split_name(name: &str) -> (&str, &str) {
    name.split_once([' ', '\u{3000}']).unwrap_or((name, ""))
}

/// The parts of a postal code, with or without a dash.
pub(super) fn split_postal_code(code: &str) -> (String, String) {
    let digits: String = code.chars().filter(char::is_ascii_digit).collect();
    match digits.split_at_checked(3) {
        Some((first, rest)) => (first.to_owned(), rest.to_owned()),
        None => (digits, String::new()),
    }
}

/// The three parts of a phone number; what has no dashes is all in the first.
pub(super) fn split_phone(phone: &str) -> [Option<String>; 3] {
    let mut parts = phone.splitn(3, '-').filter(|part| !part.is_empty()).map(str::to_owned);
    [parts.next(), parts.next(), parts.next()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_documented_time_format_is_read() {
        let time = read_order_time("2026-11-24T12:00:00+0900").unwrap();
        assert_eq!(time.to_rfc3339(), "2026-11-24T03:00:00+00:00");
        assert_eq!(order_time(time), "2026-11-24T12:00:00+0900");
        for text in [
            "",
            "2026-11-24",
            "2026-11-24T12:00:00",
            "2026-11-24T12:00:00Z",
            "2026-11-24T12:00:00+09:00",
            "2026-11-24T12:00:00+0000",
            "2026-11-24T12:0:00+0900x",
            "あああああああああああああああ",
        ] {
            assert_eq!(read_order_time(text), None, "{text}");
        }
    }

    #[test]
    fn days_are_read_with_dashes_or_without() {
        for text in ["2026-11-24", "20261124"] {
            assert_eq!(read_day(text), NaiveDate::from_ymd_opt(2026, 11, 24), "{text}");
        }
        for text in ["2026/11/24", "2026-13-01", "26-11-24", "", "2026-11-2x"] {
            assert_eq!(read_day(text), None, "{text}");
        }
    }

    #[test]
    fn names_codes_and_phones_are_split() {
        assert_eq!(split_name("山田 花子"), ("山田", "花子"));
        assert_eq!(split_name("김민지"), ("김민지", ""));
        assert_eq!(split_postal_code("100-0001"), ("100".to_owned(), "0001".to_owned()));
        assert_eq!(split_postal_code("0600000"), ("060".to_owned(), "0000".to_owned()));
        assert_eq!(split_phone("090-0000-0001"), ["090", "0000", "0001"].map(|part| Some(part.to_owned())));
        assert_eq!(split_phone(""), [None, None, None]);
    }
}
