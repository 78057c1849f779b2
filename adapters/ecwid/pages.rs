//! Turning pages without a gap (sheet, "Paging without gaps"). The order of rows is not known, and lists are cut by
//! number: a row that leaves a list moves all behind it forward. So pages overlap, and each must show again a row of the
//! one before it.

use serde::{Deserialize, Serialize};

use crate::channel::PageCursor;
use crate::error::{Error, Result, Retry};
use crate::model::Window;

use super::wire::{Page, json};

/// Rows in a page: the most.
pub(super) const LIMIT: u64 = 100;
/// Rows of a page that the next one shows again. One fewer may leave the list between two pages.
const OVERLAP: usize = 5;
/// So often a list is begun again where pages don't meet.
const MOST_ROUNDS: u32 = 3;

/// Where in a list a page is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Place {
    /// Which list.
    list: String,
    /// The window's ends in Unix seconds, where the list has one.
    from: i64,
    to: i64,
    pub(super) offset: u64,
    /// How often the list was begun again.
    round: u32,
    /// The rows of which one must be in this page.
    last: Vec<String>,
}

impl Place {
    /// The beginning of a list, or where a cursor says.
    ///
    /// # Errors
    /// `InvalidInput` when the cursor is not one of this list and window.
    pub(super) fn begin(list: &str, window: Option<Window>, cursor: Option<&PageCursor>) -> Result<Self> {
        let (from, to) = window.map_or((0, 0), borders);
        let first = Self { list: list.to_owned(), from, to, offset: 0, round: 0, last: Vec::new() };
        let Some(cursor) = cursor else { return Ok(first) };
        let place: Option<Self> = serde_json::from_str(cursor.as_str()).ok();
        place
            .filter(|place| {
                let same = (&place.list, place.from, place.to) == (&first.list, from, to);
                same && (place.offset > 0 || place.round > 0)
                    && place.round <= MOST_ROUNDS
                    && place.last.len() <= OVERLAP
                    && i64::try_from(place.offset).is_ok()
            })
            .ok_or_else(|| Error::invalid("the page cursor is not of this list and window"))
    }

    /// What cuts this page out of its list.
    pub(super) fn query(&self) -> [(&'static str, String); 2] {
        [("offset", self.offset.to_string()), ("limit", LIMIT.to_string())]
    }

    /// Where the list goes on after this page; `None`: it was the last. `ids` are those of its rows.
    ///
    /// # Errors
    /// `MalformedResponse` for another page than the one that was asked for, or when pages don't meet again and again.
    pub(super) fn next(&self, page: &Page<'_>, ids: &[Option<String>]) -> Result<Option<PageCursor>> {
        if page.offset.is_some_and(|offset| offset != self.offset) {
            return Err(Error::malformed("the answer is another page than the one that was asked for"));
        }
        let next = self.turn(page, ids)?;
        next.map(|place| json(&place).map(PageCursor::new)).transpose()
    }

    fn turn(&self, page: &Page<'_>, ids: &[Option<String>]) -> Result<Option<Self>> {
        let meets = self.last.is_empty() || ids.iter().flatten().any(|id| self.last.contains(id));
        if !meets {
            if self.round >= MOST_ROUNDS {
                return Err(Error::malformed("the list changes faster than its pages can be turned")
                    .with_retry(Retry::Later));
            }
            let again = Self { offset: 0, round: self.round + 1, last: Vec::new(), ..self.clone() };
            return Ok(Some(again));
        }
        let count = ids.len();
        let limit = page.limit.filter(|limit| *limit > 0).map_or(LIMIT, |limit| limit.min(LIMIT));
        let is_short = (count as u64) < limit;
        // A page may be cut shorter than was asked for. It is the last when it brings nothing new.
        let is_cut = page.total.is_some_and(|total| self.offset.saturating_add(count as u64) < total)
            && count > self.last.len();
        if count == 0 || (is_short && !is_cut) {
            return Ok(None);
        }
        let keep = OVERLAP.min(count - 1);
        let last = ids.iter().skip(count - keep).flatten().cloned().collect();
        Ok(Some(Self { offset: self.offset.saturating_add((count - keep) as u64), last, ..self.clone() }))
    }
}

/// The ends of a window as they are asked for: whole seconds, and one more on each side, because it is not known whether
/// the bounds belong to what is found.
pub(super) fn borders(window: Window) -> (i64, i64) {
    let to = window.to.timestamp() + i64::from(window.to.timestamp_subsec_nanos() > 0);
    (window.from.timestamp() - 1, to + 1)
}
