//! Expected ship dates (SD).

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike, NaiveDate, Utc, Weekday};
use chrono_tz::Tz;

use crate::options::ShipOffset;

/// The expected ship date of an order confirmed at `confirmed_at`.
///
/// Day zero is the day of confirmation in the channel's zone, rolled forward to a working day; then working days are
/// added. Saturdays, Sundays and `holidays` are not working days (SD-1, SD-2).
///
/// ```
/// use sales_channels::options::ShipOffset;
/// use sales_channels::policy::ship_date::expected;
///
/// let saturday = "2026-11-21T03:00:00Z".parse()?;
/// let monday = "2026-11-23".parse()?;
/// let offset = ShipOffset::new(0).ok_or("0 to 3")?;
/// assert_eq!(expected(saturday, offset, chrono_tz::Asia::Tokyo, &Default::default()), monday);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn expected(
    confirmed_at: DateTime<Utc>,
    offset: ShipOffset,
    zone: Tz,
    holidays: &BTreeSet<NaiveDate>,
) -> NaiveDate {
    let mut day = next_working(confirmed_at.with_timezone(&zone).date_naive(), holidays);
    for _ in 0..offset.get() {
        day = next_working(day.succ_opt().unwrap_or(day), holidays);
    }
    day
}

/// `day` if it is a working day, else the first one after it.
fn next_working(mut day: NaiveDate, holidays: &BTreeSet<NaiveDate>) -> NaiveDate {
    while is_free(day, holidays) {
        match day.succ_opt() {
            Some(next) => day = next,
            None => break,
        }
    }
    day
}

fn is_free(day: NaiveDate, holidays: &BTreeSet<NaiveDate>) -> bool {
    matches!(day.weekday(), Weekday::Sat | Weekday::Sun) || holidays.contains(&day)
}
