//! Time: an injected clock, half-open windows, days in a zone.

use std::fmt;
use std::sync::Mutex;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// Where the time comes from. The library never asks the system itself.
pub trait Clock: Send + Sync + fmt::Debug {
    /// Now.
    fn now(&self) -> DateTime<Utc>;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}

/// A clock that stands still until it is moved: for tests and simulations.
#[derive(Debug)]
pub struct ManualClock(Mutex<DateTime<Utc>>);

impl ManualClock {
    /// A clock that shows this time.
    pub fn at(now: DateTime<Utc>) -> Self {
        Self(Mutex::new(now))
    }

    /// Sets the time, forwards or backwards.
    pub fn set(&self, now: DateTime<Utc>) {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = now;
    }

    /// Moves the time on.
    pub fn advance(&self, by: TimeDelta) {
        let now = self.now();
        self.set(now.checked_add_signed(by).unwrap_or(now));
    }
}

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// A span of time: `from` belongs to it, `to` does not.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Window {
    /// First instant.
    pub from: DateTime<Utc>,
    /// First instant after it.
    pub to: DateTime<Utc>,
}

impl Window {
    /// The span from `from` up to, not including, `to`.
    pub fn new(from: DateTime<Utc>, to: DateTime<Utc>) -> Self {
        Self { from, to }
    }

    /// Whether nothing can be in it.
    pub fn is_empty(&self) -> bool {
        self.from >= self.to
    }

    /// Whether `at` lies in it.
    pub fn contains(&self, at: DateTime<Utc>) -> bool {
        self.from <= at && at < self.to
    }
}

impl fmt::Debug for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}, {})", self.from.to_rfc3339(), self.to.to_rfc3339())
    }
}

/// Days, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DateRange {
    /// First day.
    pub from: NaiveDate,
    /// Last day.
    pub to: NaiveDate,
}

impl DateRange {
    /// One day.
    pub fn day(day: NaiveDate) -> Self {
        Self { from: day, to: day }
    }

    /// The days from `from` to `to`, both included.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when `to` is before `from`.
    pub fn new(from: NaiveDate, to: NaiveDate) -> crate::Result<Self> {
        if to < from {
            return Err(crate::Error::invalid(format!("the range ends ({to}) before it begins ({from})")));
        }
        Ok(Self { from, to })
    }

    /// The span of time that these days cover in a zone.
    pub fn window(&self, zone: Tz) -> Window {
        let after = self.to.succ_opt().unwrap_or(self.to);
        Window::new(start_of_day(self.from, zone), start_of_day(after, zone))
    }
}

/// When a day begins in a zone. Where midnight does not exist (a clock change), the first instant that does.
pub fn start_of_day(day: NaiveDate, zone: Tz) -> DateTime<Utc> {
    let midnight = day.and_time(NaiveTime::MIN);
    let mut local = midnight;
    // Clock changes move by 30 to 60 minutes, Samoa once by a day.
    for _ in 0..=48 {
        if let Some(found) = zone.from_local_datetime(&local).earliest() {
            return found.with_timezone(&Utc);
        }
        local += TimeDelta::minutes(30);
    }
    midnight.and_utc()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_local_midnight() {
        let day = NaiveDate::from_ymd_opt(2026, 11, 24).unwrap_or_default();
        assert_eq!(start_of_day(day, chrono_tz::Asia::Seoul).to_rfc3339(), "2026-11-23T15:00:00+00:00");
    }

    #[test]
    fn a_day_without_midnight_begins_at_its_first_instant() {
        // Beirut skipped 00:00 to 01:00 on 2024-03-31.
        let day = NaiveDate::from_ymd_opt(2024, 3, 31).unwrap_or_default();
        assert_eq!(start_of_day(day, chrono_tz::Asia::Beirut).to_rfc3339(), "2024-03-30T22:00:00+00:00");
    }
}
