//! What only Shopify has: locations, holds, deadlines, tracking details, jobs, idempotency keys, subscriptions.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;

use crate::market::{CancelTerms, Line, LineNumber, LineState, Order, OrderNumber};

use super::ids;

/// A place from which is shipped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// Its number, 1 to 99.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// Whether it is in use.
    pub active: bool,
}

/// Why a fulfilment order is held.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hold {
    /// A `FulfillmentHoldReason`, for example `INCORRECT_ADDRESS`.
    pub reason: String,
    /// The words to it.
    #[serde(default)]
    pub notes: String,
}

/// `trackingInfo` of a fulfilment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tracking {
    pub(super) company: Option<String>,
    pub(super) number: Option<String>,
    pub(super) url: Option<String>,
}

/// The page of one order.
#[derive(Debug, Clone, Default)]
pub(super) struct Page {
    pub(super) holds: Vec<Hold>,
    /// Until when its fulfilment is scheduled.
    pub(super) fulfill_at: Option<DateTime<Utc>>,
    /// Deadlines, and what is in progress, by location.
    pub(super) fulfill_by: BTreeMap<u64, DateTime<Utc>>,
    pub(super) in_progress: BTreeSet<u64>,
    /// Lines that were moved to another location.
    pub(super) moved: BTreeMap<LineNumber, u64>,
    /// By the place of the parcel in the market's order.
    pub(super) tracking: BTreeMap<usize, Vec<Tracking>>,
    pub(super) financial_status: Option<String>,
    pub(super) cancel_reason: Option<String>,
    pub(super) closed_at: Option<DateTime<Utc>>,
    pub(super) test: bool,
    /// When something on this page last changed.
    pub(super) touched_at: Option<DateTime<Utc>>,
}

/// A cancellation that was taken.
#[derive(Debug, Clone)]
pub(super) struct CancelJob {
    pub(super) order: OrderNumber,
    pub(super) due: DateTime<Utc>,
    pub(super) reason: String,
    pub(super) terms: CancelTerms,
    pub(super) notify: bool,
    pub(super) done: bool,
}

/// What was done under an idempotency key.
#[derive(Debug, Clone)]
pub(super) struct Attempt {
    pub(super) input: Value,
    pub(super) group: Option<Value>,
    pub(super) errors: Vec<Value>,
}

/// A webhook subscription.
#[derive(Debug, Clone)]
pub(super) struct Subscription {
    pub(super) id: u64,
    pub(super) topic: String,
    pub(super) uri: String,
    pub(super) created_at: DateTime<Utc>,
    pub(super) include_fields: Vec<String>,
}

/// Everything that only this face has.
#[derive(Debug)]
pub(super) struct Book {
    pages: HashMap<OrderNumber, Page>,
    pub(super) locations: Vec<Location>,
    /// Where variants are stocked, when not at the first location.
    pub(super) homes: HashMap<u64, u64>,
    pub(super) untracked: HashSet<u64>,
    pub(super) digital: HashSet<u64>,
    pub(super) jobs: BTreeMap<u64, CancelJob>,
    pub(super) attempts: HashMap<(String, String), Attempt>,
    pub(super) subscriptions: Vec<(String, Subscription)>,
    next: u64,
}

impl Default for Book {
    fn default() -> Self {
        let location = |id, name: &str, active| Location { id, name: name.to_owned(), active };
        Self {
            pages: HashMap::new(),
            locations: vec![location(11, "Tokyo Warehouse", true), location(12, "Old Warehouse", false)],
            homes: HashMap::new(),
            untracked: HashSet::new(),
            digital: HashSet::new(),
            jobs: BTreeMap::new(),
            attempts: HashMap::new(),
            subscriptions: Vec::new(),
            next: 900_001,
        }
    }
}

impl Book {
    pub(super) fn page(&self, order: OrderNumber) -> Page {
        self.pages.get(&order).cloned().unwrap_or_default()
    }

    /// The page, to be changed at a time.
    pub(super) fn page_mut(&mut self, order: OrderNumber, now: DateTime<Utc>) -> &mut Page {
        let page = self.pages.entry(order).or_default();
        page.touched_at = Some(now);
        page
    }

    pub(super) fn next_id(&mut self) -> u64 {
        self.next += 1;
        self.next - 1
    }

    pub(super) fn home(&self, variant: u64) -> u64 {
        let first = || self.locations.first().map_or(0, |location| location.id);
        self.homes.get(&variant).copied().unwrap_or_else(first)
    }

    pub(super) fn location(&self, id: u64) -> Option<&Location> {
        self.locations.iter().find(|location| location.id == id)
    }

    /// Where a line is sent from.
    pub(super) fn location_of(&self, page: &Page, line: &Line) -> u64 {
        page.moved.get(&line.number).copied().unwrap_or_else(|| self.home(ids::variant_of(line)))
    }

    /// The lines of an order by location.
    pub(super) fn by_location<'a>(&self, page: &Page, order: &'a Order) -> BTreeMap<u64, Vec<&'a Line>> {
        let mut groups: BTreeMap<u64, Vec<&Line>> = BTreeMap::new();
        for line in &order.lines {
            groups.entry(self.location_of(page, line)).or_default().push(line);
        }
        groups
    }
}

/// `FulfillmentOrderStatus`.
pub(super) fn fulfillment_status(
    order: &Order,
    page: &Page,
    (location, lines): (u64, &[&Line]),
    now: DateTime<Utc>,
) -> &'static str {
    let open = lines.iter().any(|line| left_of(line) > 0);
    let some_left = lines.iter().any(|line| line.shipped_quantity > 0);
    if !open {
        if some_left { "CLOSED" } else { "CANCELLED" }
    } else if !page.holds.is_empty() || order.paid_at.is_none() {
        "ON_HOLD"
    } else if page.fulfill_at.is_some_and(|at| at > now) {
        "SCHEDULED"
    } else if some_left || page.in_progress.contains(&location) {
        "IN_PROGRESS"
    } else {
        "OPEN"
    }
}

/// Units that are neither shipped nor cancelled.
pub(super) fn left_of(line: &Line) -> u32 {
    if line.state == LineState::Cancelled { 0 } else { line.open_quantity() }
}

/// When anything of the order last changed.
pub(super) fn updated_at(order: &Order, page: &Page) -> DateTime<Utc> {
    page.touched_at.map_or(order.updated_at, |touched| touched.max(order.updated_at))
}

/// When the whole order was cancelled.
pub(super) fn cancelled_at(order: &Order) -> Option<DateTime<Utc>> {
    order.lines.iter().map(|line| line.cancelled_at).collect::<Option<Vec<_>>>()?.into_iter().max()
}

/// `OrderDisplayFinancialStatus`.
pub(super) fn financial_status(order: &Order, page: &Page) -> String {
    if let Some(status) = &page.financial_status {
        return status.clone();
    }
    match (order.paid_at.is_some(), cancelled_at(order).is_some()) {
        (true, true) => "REFUNDED",
        (true, false) => "PAID",
        (false, true) => "VOIDED",
        (false, false) => "PENDING",
    }
    .to_owned()
}

/// `OrderDisplayFulfillmentStatus`.
pub(super) fn display_status(book: &Book, order: &Order, page: &Page, now: DateTime<Utc>) -> &'static str {
    let some_left = order.lines.iter().any(|line| line.shipped_quantity > 0);
    let open = order.lines.iter().any(|line| left_of(line) > 0);
    if some_left {
        return if open { "PARTIALLY_FULFILLED" } else { "FULFILLED" };
    }
    let groups = book.by_location(page, order);
    let statuses: Vec<&str> = groups
        .iter()
        .map(|(location, lines)| fulfillment_status(order, page, (*location, lines), now))
        .collect();
    for (status, shown) in
        [("ON_HOLD", "ON_HOLD"), ("SCHEDULED", "SCHEDULED"), ("IN_PROGRESS", "IN_PROGRESS")]
    {
        if statuses.contains(&status) {
            return shown;
        }
    }
    "UNFULFILLED"
}
