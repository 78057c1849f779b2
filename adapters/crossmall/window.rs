//! Two passes over a window, page by page (sheet 4). One search alone loses orders: by the time of the order, those that
//! were imported late; by the time of the last change, those that were changed after the window.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::channel::PageCursor;
use crate::error::{Error, Result};
use crate::model::Window;

use super::auth::Query;
use super::wire::{day_text, number};

/// Whether the ends of a span belong to it is not known: each side is this much wider.
const OVERLAP: TimeDelta = TimeDelta::seconds(1);
/// So many numbers of the first pass travel in the cursor, so that the second does not bring them again. Beyond that
/// they come twice, which is harmless.
const MOST_SEEN: usize = 5000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Pass {
    /// What was imported or changed in the window.
    Changed,
    /// What was ordered in it, whenever it was changed.
    Ordered,
}

/// Where the listing of a window is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Place {
    pub(super) pass: Pass,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    /// The largest order number so far, as it came; empty at the beginning of a pass.
    pub(super) after: String,
    /// What the first pass brought.
    seen: Vec<u64>,
}

impl Place {
    /// The place at a cursor, or the first one.
    ///
    /// # Errors
    /// `InvalidInput` when the cursor is not one of this adapter for this window.
    pub(super) fn at(window: Window, cursor: Option<&PageCursor>) -> Result<Self> {
        let Some(cursor) = cursor else {
            let Window { from, to } = window;
            return Ok(Self { pass: Pass::Changed, from, to, after: String::new(), seen: Vec::new() });
        };
        serde_json::from_str::<Self>(cursor.as_str())
            .ok()
            .filter(|place| place.from == window.from && place.to == window.to)
            .filter(|place| place.after.is_empty() || number(&place.after).is_some())
            .ok_or_else(|| Error::invalid("the page cursor is not of this channel and window"))
    }

    pub(super) fn cursor(&self) -> Result<PageCursor> {
        let text = serde_json::to_string(self).map_err(|_| Error::invalid("the cursor can't be written"))?;
        Ok(PageCursor::new(text))
    }

    /// The beginning of the next pass; `None`: this was the last.
    pub(super) fn next_pass(self) -> Option<Self> {
        match self.pass {
            Pass::Changed => Some(Self { pass: Pass::Ordered, after: String::new(), ..self }),
            Pass::Ordered => None,
        }
    }

    pub(super) fn is_first_page(&self) -> bool {
        self.after.is_empty()
    }

    /// Notes an order that was brought, so that it is not brought again.
    pub(super) fn saw(&mut self, number: u64) {
        if self.pass == Pass::Changed && self.seen.len() < MOST_SEEN {
            self.seen.push(number);
        }
    }

    /// Whether the second pass leaves an order out: the first brought it and it has not changed since, or it is of the
    /// window's days and not of the window.
    pub(super) fn leaves_out(
        &self,
        number: u64,
        ordered: Option<DateTime<Utc>>,
        changed: Option<DateTime<Utc>>,
    ) -> bool {
        if self.pass == Pass::Changed {
            return false;
        }
        let outside = ordered.is_some_and(|at| at < earlier(self.from) || at > later(self.to));
        let unchanged = changed.is_none_or(|at| at < self.to);
        outside || (unchanged && self.seen.contains(&number))
    }

    /// The parameters of `get_order`. Without `condition` it is not known how the number is compared: it is always sent.
    pub(super) fn query(&self, zone: Tz) -> Query {
        let mut query = vec![("condition", "1".to_owned())];
        if !self.after.is_empty() {
            query.push(("order_number", self.after.clone()));
        }
        let [from, to] = match self.pass {
            Pass::Changed => {
                let second =
                    |at: DateTime<Utc>| at.with_timezone(&zone).format("%Y-%m-%d %H:%M:%S").to_string();
                let (from, to) = (second(earlier(self.from)), second(later(full_second(self.to))));
                [("updated_at_fr", from), ("updated_at_to", to)]
            }
            Pass::Ordered => {
                let day = |at: DateTime<Utc>| day_text(local_day(at, zone));
                let last = self.to.checked_sub_signed(TimeDelta::nanoseconds(1)).unwrap_or(self.to);
                [("order_date_fr", day(self.from)), ("order_date_to", day(last.max(self.from)))]
            }
        };
        query.extend([from, to]);
        query
    }
}

fn earlier(at: DateTime<Utc>) -> DateTime<Utc> {
    at.checked_sub_signed(OVERLAP).unwrap_or(at)
}

fn later(at: DateTime<Utc>) -> DateTime<Utc> {
    at.checked_add_signed(OVERLAP).unwrap_or(at)
}

/// The full second at or after a time.
fn full_second(at: DateTime<Utc>) -> DateTime<Utc> {
    match i64::from(at.timestamp_subsec_nanos()) {
        0 => at,
        part => at.checked_add_signed(TimeDelta::nanoseconds(1_000_000_000 - part)).unwrap_or(at),
    }
}

pub(super) fn local_day(at: DateTime<Utc>, zone: Tz) -> NaiveDate {
    at.with_timezone(&zone).date_naive()
}
