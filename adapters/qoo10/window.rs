//! Pieces of a window: Qoo10 pages nothing, so a long window is asked for piece by piece.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use crate::channel::PageCursor;
use crate::error::{Error, Result};
use crate::model::Window;

/// A day in seconds: the longest piece of an order window (sheet 4.1).
pub(super) const DAY: i64 = 86_400;
/// The shortest piece that halving leaves, in seconds.
const SHORTEST: i64 = 60;

/// A span in whole seconds since 1970, both ends included as Qoo10 includes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece {
    from: i64,
    to: i64,
    /// How long the pieces after it are.
    span: i64,
}

impl Piece {
    /// The piece at a cursor, or the first; `None`: the window is empty. It begins at the full second before the
    /// window does and ends at the full second after.
    ///
    /// # Errors
    /// `InvalidInput` when the cursor is not one of [`Piece::next`] for this window.
    pub(super) fn begin(window: Window, cursor: Option<&PageCursor>, longest: i64) -> Result<Option<Self>> {
        if window.is_empty() {
            return Ok(None);
        }
        let (first, end) = (window.from.timestamp(), end(window));
        let (from, span) = match cursor {
            None => (first, longest),
            Some(cursor) => parse(cursor.as_str())
                .filter(|(from, span)| (first..end).contains(from) && (1..=longest).contains(span))
                .ok_or_else(|| Error::invalid("the page cursor is not of this channel and window"))?,
        };
        Ok(Some(Self { from, to: from.saturating_add(span).min(end), span }))
    }

    /// Where the window goes on after this piece; `None`: it was the last.
    pub(super) fn next(self, window: Window) -> Option<PageCursor> {
        (self.to < end(window)).then(|| PageCursor::new(format!("{}+{}", self.to, self.span)))
    }

    /// Whether it is long enough to be halved.
    pub(super) fn can_split(self) -> bool {
        self.to - self.from > SHORTEST
    }

    /// Its first half.
    pub(super) fn half(self) -> Self {
        let span = ((self.to - self.from) / 2).max(1);
        Self { from: self.from, to: self.from + span, span }
    }

    /// Its ends in Qoo10's form, in the channel's zone.
    pub(super) fn borders(self, zone: Tz) -> (String, String) {
        let border = |seconds| {
            let at = DateTime::from_timestamp(seconds, 0).unwrap_or(DateTime::<Utc>::MAX_UTC);
            at.with_timezone(&zone).format("%Y%m%d%H%M%S").to_string()
        };
        (border(self.from), border(self.to))
    }
}

/// The full second at or after the end of a window.
fn end(window: Window) -> i64 {
    window.to.timestamp() + i64::from(window.to.timestamp_subsec_nanos() > 0)
}

fn parse(cursor: &str) -> Option<(i64, i64)> {
    let (from, span) = cursor.split_once('+')?;
    Some((from.parse().ok()?, span.parse().ok()?))
}
