//! Windows as the days that Coupang lists by, and the place in a walk over searches, spans of days and pages.

use chrono::{Days, NaiveDate, TimeDelta};
use chrono_tz::Tz;

use crate::channel::PageCursor;
use crate::error::{Error, Result};
use crate::model::Window;

/// Most days of one list, both ends counted: "range should less than 31" (sheet 4.1).
pub(super) const MOST_DAYS: u64 = 30;

/// Days, both ends included.
pub(super) type Span = (NaiveDate, NaiveDate);

/// The days that a window touches, and as many before it; `None`: the window is empty.
pub(super) fn days(window: Window, zone: Tz, before: u64) -> Option<Span> {
    if window.is_empty() {
        return None;
    }
    let last = window.to.checked_sub_signed(TimeDelta::nanoseconds(1)).unwrap_or(window.to);
    let first = first_day(window, zone);
    Some((first.checked_sub_days(Days::new(before)).unwrap_or(first), last.with_timezone(&zone).date_naive()))
}

/// The day on which a window begins.
pub(super) fn first_day(window: Window, zone: Tz) -> NaiveDate {
    window.from.with_timezone(&zone).date_naive()
}

/// These days in spans that one list may ask for.
pub(super) fn spans((first, last): Span) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut from = first;
    while from <= last {
        let to = from.checked_add_days(Days::new(MOST_DAYS - 1)).unwrap_or(last).min(last);
        spans.push((from, to));
        match to.succ_opt() {
            Some(next) => from = next,
            None => break,
        }
    }
    spans
}

/// A place in a walk: which search, which span of days, which page of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Place {
    pub(super) search: usize,
    pub(super) span: usize,
    /// The channel's token; empty: the first page.
    pub(super) token: String,
}

impl Place {
    /// The place at a cursor, or the first.
    ///
    /// # Errors
    /// `InvalidInput` when the cursor is not one of [`Place::next`] for a walk of this size.
    pub(super) fn begin(cursor: Option<&PageCursor>, searches: usize, spans: usize) -> Result<Self> {
        let Some(cursor) = cursor else { return Ok(Self::default()) };
        parse(cursor.as_str())
            .filter(|place| place.search < searches && place.span < spans)
            .ok_or_else(|| Error::invalid("the page cursor is not of this channel and window"))
    }

    /// The place after this page: its next page, else the next span, else the next search; `None`: the walk is over.
    /// All spans of a search come before the next search, so that what moves on meanwhile is found by the later one.
    pub(super) fn next(&self, token: Option<String>, searches: usize, spans: usize) -> Option<Self> {
        let next = match token {
            Some(token) => Self { token, ..self.clone() },
            None if self.span + 1 < spans => {
                Self { search: self.search, span: self.span + 1, token: String::new() }
            }
            None => Self { search: self.search + 1, span: 0, token: String::new() },
        };
        (next.search < searches).then_some(next)
    }

    /// As a cursor.
    pub(super) fn cursor(&self) -> PageCursor {
        PageCursor::new(format!("{}/{}/{}", self.search, self.span, self.token))
    }
}

fn parse(cursor: &str) -> Option<Place> {
    let mut parts = cursor.splitn(3, '/');
    let search = parts.next()?.parse().ok()?;
    let span = parts.next()?.parse().ok()?;
    Some(Place { search, span, token: parts.next()?.to_owned() })
}
