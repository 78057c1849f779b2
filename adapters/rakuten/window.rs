//! Pieces of a window. Rakuten pages by number over a set that moves: an order that leaves it between two pages shifts
//! the rest, and one would be skipped. So a piece is never paged: its order numbers are taken in one search, and a
//! piece with more than one search can list is halved (sheet 4.1).

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::channel::PageCursor;
use crate::error::{Error, Result};
use crate::lenient::object;
use crate::model::Window;

/// The longest span of a search in seconds: 63 days (sheet 4.1), less one for the rounding of both ends.
pub(super) const LONGEST: i64 = 62 * 86_400;
/// The most numbers that a cursor of ours carries.
const MOST_NUMBERS: usize = 20_000;

/// Where a fetch stands: which date it searches by, which piece of the window, and the numbers of that piece whose
/// orders were not read yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    /// Index of the date among those searched by.
    by: usize,
    /// Where the piece begins, in whole seconds since 1970.
    from: i64,
    /// How long it is, in seconds.
    span: i64,
    /// How long the next one is.
    next_span: i64,
    /// Order numbers.
    pub(super) rest: Vec<String>,
}

impl Place {
    /// The place at a cursor, or the first; `None`: the window is empty. `dates` is the number of dates searched by.
    ///
    /// # Errors
    /// `InvalidInput` when the cursor is not one of [`Place::next`] for this window.
    pub(super) fn begin(window: Window, dates: usize, cursor: Option<&PageCursor>) -> Result<Option<Self>> {
        if window.is_empty() {
            return Ok(None);
        }
        let Some(cursor) = cursor else {
            return Ok(Some(Self {
                by: 0,
                from: first(window),
                span: LONGEST,
                next_span: LONGEST,
                rest: Vec::new(),
            }));
        };
        let place: Self = object("the cursor", cursor.as_str()).map_err(|_| foreign())?;
        let sound = place.by < dates
            && (first(window)..end(window)).contains(&place.from)
            && (1..=LONGEST).contains(&place.span)
            && (1..=LONGEST).contains(&place.next_span)
            && place.rest.len() <= MOST_NUMBERS;
        if sound { Ok(Some(place)) } else { Err(foreign()) }
    }

    /// Index of the date that is searched by.
    pub(super) fn by(&self) -> usize {
        self.by
    }

    /// The piece, in whole seconds. It begins at the full second before the window does and ends at the full second
    /// after: too much by a second, never too little.
    pub(super) fn piece(&self, window: Window) -> Window {
        let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap_or(DateTime::<Utc>::MAX_UTC);
        Window::new(at(self.from), at(self.to(window)))
    }

    fn to(&self, window: Window) -> i64 {
        self.from.saturating_add(self.span).min(end(window))
    }

    /// Halves the piece; `false`: it is a second long already.
    pub(super) fn halve(&mut self, window: Window) -> bool {
        let length = self.to(window) - self.from;
        if length <= 1 {
            return false;
        }
        self.span = length / 2;
        self.next_span = self.span;
        true
    }

    /// Takes the numbers of the piece. Where they fill less than a quarter of what a search lists, the next piece is
    /// twice as long: a busy second must not make a slow month.
    pub(super) fn take(&mut self, numbers: Vec<String>, most: usize) {
        if numbers.len() < most / 4 {
            self.next_span = self.span.saturating_mul(2).min(LONGEST);
        }
        self.rest = numbers;
    }

    /// Where the window goes on; `None`: all of it was searched by all dates, and every number was read.
    ///
    /// # Errors
    /// `InvalidInput` when it can't be written.
    pub(super) fn next(mut self, window: Window, dates: usize) -> Result<Option<PageCursor>> {
        if self.rest.is_empty() {
            self.from = self.to(window);
            self.span = self.next_span;
            if self.from >= end(window) {
                let by = self.by + 1;
                self = Self { by, from: first(window), span: LONGEST, next_span: LONGEST, rest: self.rest };
            }
            if self.by >= dates {
                return Ok(None);
            }
        }
        let text = serde_json::to_string(&self).map_err(|_| Error::invalid("the cursor can't be written"))?;
        Ok(Some(PageCursor::new(text)))
    }
}

fn foreign() -> Error {
    Error::invalid("the page cursor is not of this channel and window")
}

fn first(window: Window) -> i64 {
    window.from.timestamp()
}

/// The full second at or after the end of a window.
fn end(window: Window) -> i64 {
    window.to.timestamp().saturating_add(i64::from(window.to.timestamp_subsec_nanos() > 0))
}
