//! Where a fetch stands: which search, which page of its list, and which orders of it are still to be read.

use serde::{Deserialize, Serialize};

use crate::channel::PageCursor;
use crate::error::Result;
use crate::lenient::object;
use crate::model::Window;

use super::wire::{foreign, json};

/// A list begins so long before its window: no filter knows when an order was paid, and it stands at the time at which
/// it was made ("Fetch rule"). Payments at convenience stores and banks come within two weeks.
const PAYMENT_SECONDS: i64 = 14 * 86_400;
/// An order counts as changed since the window began from so long before it. Twice the ten minutes in which an order may
/// be hidden, and the clocks of both sides.
const SLACK_SECONDS: i64 = 20 * 60;
/// Most ids that a cursor of ours carries of a kind.
const MOST_IDS: usize = 2000;

/// The searches of a window, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Search {
    /// All orders made in the two weeks before the window, and in it. No condition on a status: one that is not known
    /// must not hide an order, and a status that changes must not shift the pages.
    Made,
    /// Older ones that a fraud check held back and that were handed over in the window.
    Published,
    /// Older ones that are still open: a payment, a split or a release that comes later than two weeks after the order
    /// is found among them.
    OldOpen,
}

impl Search {
    pub(super) const ALL: [Self; 3] = [Self::Made, Self::Published, Self::OldOpen];
}

/// The seconds that matter of a window. Whether the ends of a range belong to it is not documented: each is set so that
/// a second too much comes, and none too little.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    /// The first second.
    pub(super) from: i64,
    /// The full second at or after the end.
    pub(super) to: i64,
}

impl Span {
    pub(super) fn of(window: Window) -> Self {
        let to = window.to.timestamp().saturating_add(i64::from(window.to.timestamp_subsec_nanos() > 0));
        Self { from: window.from.timestamp(), to }
    }

    /// The first second of [`Search::Made`].
    pub(super) fn made_from(self) -> i64 {
        self.from.saturating_sub(PAYMENT_SECONDS)
    }

    /// What was taken or changed before this was so for a window before.
    pub(super) fn changed_from(self) -> i64 {
        self.from.saturating_sub(SLACK_SECONDS)
    }

    /// Whether a second is in the window.
    pub(super) fn contains(self, second: i64) -> bool {
        (self.from..=self.to).contains(&second)
    }
}

/// A page of a list.
///
/// Lists are sorted by the time of the order. A full page goes on at the time of its last order, not at a row number:
/// an order that leaves the list meanwhile would shift the rows. Only within one second rows are counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Page {
    /// From this second on; `None`: from the search's own beginning.
    pub(super) from: Option<i64>,
    /// The first row, from 1.
    pub(super) start: usize,
    /// Orders of that second that a page before listed.
    pub(super) known: Vec<String>,
}

impl Page {
    fn first() -> Self {
        Self { from: None, start: 1, known: Vec::new() }
    }
}

/// Where a fetch stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    search: usize,
    /// The page to be listed next; `None`: the search has no more.
    pub(super) page: Option<Page>,
    /// Orders that were listed and not read yet.
    pub(super) rest: Vec<String>,
}

impl Place {
    /// The place at a cursor, or the first; `None`: the window is empty.
    ///
    /// # Errors
    /// `InvalidInput` when the cursor is not one of [`Place::cursor`] for this window.
    pub(super) fn begin(window: Window, cursor: Option<&PageCursor>) -> Result<Option<Self>> {
        if window.is_empty() {
            return Ok(None);
        }
        let Some(cursor) = cursor else {
            return Ok(Some(Self { search: 0, page: Some(Page::first()), rest: Vec::new() }));
        };
        let place: Self = object("the cursor", cursor.as_str()).map_err(|_| foreign())?;
        let span = Span::of(window);
        let earliest = if place.search() == Some(Search::Made) { span.made_from() } else { i64::MIN };
        let page_is_sound = place.page.as_ref().is_none_or(|page| {
            page.start >= 1
                && page.known.len() <= MOST_IDS
                && page.from.is_none_or(|from| (earliest..=span.to).contains(&from))
        });
        let sound = place.search().is_some() && page_is_sound && place.rest.len() <= MOST_IDS;
        if sound { Ok(Some(place)) } else { Err(foreign()) }
    }

    /// The search; `None`: all are done.
    pub(super) fn search(&self) -> Option<Search> {
        Search::ALL.get(self.search).copied()
    }

    /// Goes to the next search where this one has no more pages.
    pub(super) fn settle(&mut self) {
        if self.page.is_none() {
            self.search += 1;
            self.page = Some(Page::first());
        }
    }

    /// Where the window goes on; `None`: all is listed and read.
    ///
    /// # Errors
    /// `InvalidInput` when it can't be written.
    pub(super) fn cursor(mut self) -> Result<Option<PageCursor>> {
        if self.rest.is_empty() {
            self.settle();
        }
        if self.search().is_none() {
            return Ok(None);
        }
        json(&self).map(|text| Some(PageCursor::new(text)))
    }
}
