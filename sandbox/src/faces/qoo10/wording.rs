//! How values are spelt in answers. Pure.

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use serde::{Serialize, Serializer};

use super::Wording;
use crate::Amount;
use crate::market::{LineNumber, LineState};

/// Japan is 9 hours ahead of UTC and has no summer time.
const AHEAD: TimeDelta = TimeDelta::hours(9);

/// A Japanese wall clock time as a moment.
pub(crate) fn utc(local: NaiveDateTime) -> DateTime<Utc> {
    local.checked_sub_signed(AHEAD).unwrap_or(local).and_utc()
}

/// A moment on Japanese wall clocks.
fn local(time: DateTime<Utc>) -> NaiveDateTime {
    time.checked_add_signed(AHEAD).unwrap_or(time).naive_utc()
}

/// The day in Japan.
pub(crate) fn day_of(time: DateTime<Utc>) -> NaiveDate {
    local(time).date()
}

/// How the row of one order number is spelt. It depends on the number alone, so that a row reads the same each time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spelling {
    texts: bool,
    short_dates: bool,
    status: u64,
}

impl Spelling {
    pub(crate) fn of(wording: Wording, number: LineNumber) -> Self {
        match wording {
            Wording::Uniform => Self { texts: false, short_dates: false, status: 0 },
            Wording::Varied => Self {
                texts: number.0.is_multiple_of(2),
                short_dates: number.0 / 2 % 2 == 1,
                status: number.0 % 3,
            },
        }
    }

    pub(crate) fn amount(self, amount: Amount) -> Num {
        if self.texts { Num::Text(amount.with_decimals()) } else { Num::Amount(amount) }
    }

    pub(crate) fn count(self, count: i64) -> Num {
        if self.texts { Num::Text(count.to_string()) } else { Num::Count(count) }
    }

    pub(crate) fn time(self, time: Option<DateTime<Utc>>) -> String {
        let format = if self.short_dates { "%Y/%m/%d %H:%M" } else { "%Y-%m-%d %H:%M:%S" };
        time.map(|time| local(time).format(format).to_string()).unwrap_or_default()
    }

    pub(crate) fn day(self, day: Option<NaiveDate>) -> String {
        day.map(|day| day.format("%Y-%m-%d").to_string()).unwrap_or_default()
    }

    /// The shipping status: "Request shipping(2)" or the bare digit.
    pub(crate) fn status(self, state: LineState) -> String {
        let digit = status_digit(state);
        match (self.status, digit) {
            (2, _) => digit.to_string(),
            (_, 1) => "On hold(1)".into(),
            (_, 2) => "Request shipping(2)".into(),
            (_, 3) => "Seller confirm(3)".into(),
            (_, 4) => "On delivery(4)".into(),
            _ => format!("Delivered({digit})"),
        }
    }
}

/// Sheet section 5.
pub(crate) fn status_digit(progress: LineState) -> u8 {
    match progress {
        LineState::AwaitingPayment => 1,
        LineState::Paid => 2,
        LineState::Confirmed => 3,
        LineState::Shipped => 4,
        LineState::Delivered | LineState::Cancelled => 5,
    }
}

/// A number, or the same as a text.
#[derive(Debug)]
pub(crate) enum Num {
    Amount(Amount),
    Count(i64),
    Text(String),
}

impl Serialize for Num {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Amount(amount) => amount.serialize(serializer),
            Self::Count(count) => serializer.serialize_i64(*count),
            Self::Text(text) => serializer.serialize_str(text),
        }
    }
}
