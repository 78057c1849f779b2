//! Cutting a window into pieces that one answer holds.
//!
//! The search is by the time of the last change. An order that changes while pages are turned leaves its place in it, and
//! with cursors that count (the official sample's is "20") another one would slip over the border of a page. So no cursor
//! is used: a piece that does not fit in one answer is asked for again at half its length, forward in time, up to now.
//! A change moves an order to a later piece, never out of those still to come. Only a single second with more than a page
//! of changes is turned by cursor.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::channel::PageCursor;
use crate::error::{Error, Result};
use crate::model::Window;

use super::wire::json;

/// The time of the last change can be a little before the time of the payment that caused it.
const SLACK: TimeDelta = TimeDelta::minutes(10);
/// How far the channel's clock may be ahead: signatures allow 5 minutes.
const AHEAD: TimeDelta = TimeDelta::minutes(5);
/// Pieces are 2^n seconds long. 2^20 are 12 days; the channel takes 15.
const LONGEST: u8 = 20;

/// Where a listing goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Place {
    /// The window that it belongs to.
    window: (i64, i64),
    /// Where the piece begins, in Unix seconds.
    pub(super) at: i64,
    /// The piece is two to this power of seconds long.
    length: u8,
    /// The channel's cursor, inside a second that does not fit in one answer.
    pub(super) cursor: Option<String>,
    /// Orders that were on the border of the piece before: borders may belong to both.
    pub(super) seen: Vec<String>,
    /// Orders on the border of this piece, of the pages that were turned.
    border: Vec<String>,
}

/// The full second at or after a time.
fn ceil(at: DateTime<Utc>) -> i64 {
    at.timestamp() + i64::from(at.timestamp_subsec_nanos() > 0)
}

fn ends(window: Window) -> (i64, i64) {
    (window.from.timestamp(), ceil(window.to))
}

impl Place {
    /// Where a window begins; `None`: there is nothing in it.
    pub(super) fn first(window: Window, now: DateTime<Utc>) -> Option<Self> {
        let from = window.from.checked_sub_signed(SLACK).unwrap_or(window.from).timestamp();
        if window.is_empty() || from >= last(now) {
            return None;
        }
        let span = ceil(window.to).saturating_sub(from).max(1);
        let length = (8..=LONGEST).find(|length| 1_i64 << length >= span).unwrap_or(LONGEST);
        Some(Self {
            window: ends(window),
            at: from,
            length,
            cursor: None,
            seen: Vec::new(),
            border: Vec::new(),
        })
    }

    /// The place in a cursor.
    ///
    /// # Errors
    /// `InvalidInput` when it is not one of this channel and window.
    pub(super) fn read(cursor: &PageCursor, window: Window, now: DateTime<Utc>) -> Result<Self> {
        let place: Option<Self> = serde_json::from_str(cursor.as_str()).ok();
        place
            .filter(|place| {
                let first = Self::first(window, now).map_or(i64::MAX, |first| first.at);
                place.window == ends(window)
                    && place.length <= LONGEST
                    && (first..last(now)).contains(&place.at)
                    && place.cursor.as_ref().is_none_or(|cursor| place.length == 0 && !cursor.is_empty())
            })
            .ok_or_else(|| Error::invalid("the page cursor is not of this channel and window"))
    }

    /// As a cursor.
    ///
    /// # Errors
    /// `InvalidInput` when it can't be written.
    pub(super) fn write(&self) -> Result<PageCursor> {
        json(self).map(PageCursor::new)
    }

    /// Where the piece ends.
    pub(super) fn end(&self, now: DateTime<Utc>) -> i64 {
        self.at.saturating_add(1 << self.length.min(LONGEST)).min(last(now))
    }

    /// The same piece at half its length; `None`: it is a second.
    pub(super) fn half(&self) -> Option<Self> {
        Some(Self { length: self.length.checked_sub(1)?, ..self.clone() })
    }

    /// The next page inside a second.
    pub(super) fn turned(mut self, cursor: String, border: Vec<String>) -> Self {
        self.cursor = Some(cursor);
        self.border.extend(border);
        self
    }

    /// The piece after this one; `None`: it reached the present. `few`: a longer piece fits in one answer.
    pub(super) fn next(mut self, now: DateTime<Utc>, few: bool, border: Vec<String>) -> Option<Self> {
        let end = self.end(now);
        if end >= last(now) {
            return None;
        }
        self.border.extend(border);
        let length = if few && self.cursor.is_none() { (self.length + 1).min(LONGEST) } else { self.length };
        Some(Self {
            window: self.window,
            at: end,
            length,
            cursor: None,
            seen: self.border,
            border: Vec::new(),
        })
    }
}

/// Where listings end: changes after the window are looked at too, because an order that became the seller's in it may
/// have changed since.
fn last(now: DateTime<Utc>) -> i64 {
    ceil(now.checked_add_signed(AHEAD).unwrap_or(now))
}
