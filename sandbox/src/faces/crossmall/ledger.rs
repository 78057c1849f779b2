//! What only CROSS MALL knows of orders: their numbers, phases, tracking numbers, marks.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::Serialize;

use super::settings::{Settings, Stage};
use crate::market::{ItemId, LineNumber, LineState, MarketState, OptionId, Order, OrderNumber};

/// The first order's number: that of the sheet's vectors.
const FIRST: u64 = 252_963;

/// A move of an order's phase, or a call that left it where it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PhaseMove {
    /// When.
    pub at: DateTime<Utc>,
    /// The phase before.
    pub from: String,
    /// The phase after.
    pub to: String,
    /// The tracking number that was sent with it.
    pub tracking: Option<String>,
    /// The ship date that was written with it.
    pub delivery_date: Option<NaiveDate>,
    /// Whether a program did it, not a person in the screens.
    pub by_api: bool,
}

/// A phase that was written, and how far the market was then: once the market is elsewhere, the phase is over.
#[derive(Debug, Clone)]
pub(super) struct Written {
    pub(super) phase: String,
    pub(super) over: Stage,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Card {
    pub(super) phase: Option<Written>,
    /// With how many parcels the order had then.
    pub(super) tracking: Option<(String, usize)>,
    pub(super) service: Option<String>,
    pub(super) delivery_date: Option<NaiveDate>,
    pub(super) time_slot: String,
    pub(super) marks: [bool; 3],
    pub(super) is_held: bool,
    pub(super) bundled_into: Option<OrderNumber>,
    /// Personal data are gone.
    pub(super) is_blank: bool,
    pub(super) fields: BTreeMap<String, String>,
    pub(super) imported_at: DateTime<Utc>,
    pub(super) touched_at: Option<DateTime<Utc>>,
    /// A person moves it there once it has been read.
    pub(super) moved_after_read: Option<String>,
    pub(super) moves: Vec<PhaseMove>,
}

impl Card {
    pub(super) fn phase<'a>(&'a self, order: &Order, settings: &'a Settings) -> &'a str {
        let stage = stage_of(order);
        let written = self.phase.as_ref().filter(|written| written.over == stage);
        written.map_or_else(|| settings.phase_of(stage), |written| &written.phase)
    }

    pub(super) fn tracking<'a>(&'a self, order: &'a Order) -> &'a str {
        match &self.tracking {
            Some((number, parcels)) if *parcels == order.parcels.len() => number,
            _ => order.parcels.last().map(|parcel| parcel.tracking.as_str()).unwrap_or_default(),
        }
    }

    pub(super) fn updated_at(&self, order: &Order) -> DateTime<Utc> {
        order.updated_at.max(self.imported_at).max(self.touched_at.unwrap_or(self.imported_at))
    }

    pub(super) fn cancel_flag(&self, order: &Order) -> u8 {
        match order.state() {
            crate::market::OrderState::Cancelled => 2,
            _ => u8::from(self.is_held),
        }
    }
}

/// How far an order is, or came before it was cancelled.
pub(super) fn stage_of(order: &Order) -> Stage {
    let is_paid = order.paid_at.is_some();
    match live_lines(order).map(|(_, line)| line.progress(is_paid)).min() {
        Some(LineState::AwaitingPayment) => Stage::Unpaid,
        Some(LineState::Confirmed) => Stage::Confirmed,
        Some(LineState::Shipped | LineState::Delivered) => Stage::Shipped,
        _ => Stage::New,
    }
}

/// The lines that are not cancelled with their numbers, or all where all are.
pub(super) fn live_lines(order: &Order) -> impl Iterator<Item = (usize, &crate::market::Line)> {
    let none_left = order.lines.iter().all(|line| line.state == LineState::Cancelled);
    let numbered = order.lines.iter().enumerate().map(|(at, line)| (at + 1, line));
    numbered.filter(move |(_, line)| none_left || line.state != LineState::Cancelled)
}

#[derive(Debug)]
struct Book {
    next: u64,
    numbers: BTreeMap<u64, OrderNumber>,
}

impl Default for Book {
    fn default() -> Self {
        Self { next: FIRST, numbers: BTreeMap::new() }
    }
}

#[derive(Debug)]
struct Waiting {
    at: DateTime<Utc>,
    order: OrderNumber,
    seller: String,
}

/// A part of a set: the item, its option, and pieces for one set.
pub(super) type Part = (ItemId, Option<OptionId>, u32);

#[derive(Debug, Default)]
pub(super) struct Ledger {
    books: HashMap<String, Book>,
    numbers: HashMap<OrderNumber, u64>,
    cards: HashMap<OrderNumber, Card>,
    seen: usize,
    waiting: Vec<Waiting>,
    held_back: HashSet<OrderNumber>,
    /// Sets with their parts.
    pub(super) sets: HashMap<ItemId, Vec<Part>>,
    /// Choices without stock of their own, by line.
    pub(super) choices: HashMap<LineNumber, Vec<(String, String)>>,
}

impl Ledger {
    /// Brings in what has arrived from the shops.
    pub(super) fn import(&mut self, state: &MarketState, settings: &Settings, now: DateTime<Utc>) {
        let lag = TimeDelta::seconds(i64::from(settings.import_lag_seconds));
        for order in state.orders().iter().skip(self.seen) {
            let since = order.ordered_at.min(now);
            let at = since.checked_add_signed(lag).unwrap_or(since);
            self.waiting.push(Waiting { at, order: order.number, seller: order.seller.clone() });
        }
        self.seen = state.orders().len();
        let held_back = &self.held_back;
        let is_due = |waiting: &mut Waiting| waiting.at <= now && !held_back.contains(&waiting.order);
        let mut due: Vec<Waiting> = self.waiting.extract_if(.., is_due).collect();
        due.sort_by_key(|waiting| waiting.at);
        for Waiting { at, order, seller } in due {
            let book = self.books.entry(seller).or_default();
            book.numbers.insert(book.next, order);
            self.numbers.insert(order, book.next);
            book.next += 1;
            self.cards.entry(order).or_default().imported_at = at;
        }
    }

    /// Keeps an order from coming in. False when it is here already.
    pub(super) fn hold_back(&mut self, order: OrderNumber) -> bool {
        !self.numbers.contains_key(&order) && self.held_back.insert(order)
    }

    /// Lets an order in now that was held back or deleted.
    pub(super) fn let_in(&mut self, order: &Order, now: DateTime<Utc>) {
        self.held_back.remove(&order.number);
        if self.numbers.contains_key(&order.number) {
            return;
        }
        self.waiting.retain(|waiting| waiting.order != order.number);
        self.waiting.push(Waiting { at: now, order: order.number, seller: order.seller.clone() });
    }

    /// Deletes an order. It has no number any more, and nothing is known of it.
    pub(super) fn delete(&mut self, order: OrderNumber) {
        self.cards.remove(&order);
        if let Some(number) = self.numbers.remove(&order) {
            self.books.values_mut().for_each(|book| {
                if book.numbers.get(&number) == Some(&order) {
                    book.numbers.remove(&number);
                }
            });
        }
    }

    /// The order behind a number.
    pub(super) fn find(&self, seller: &str, number: u64) -> Option<OrderNumber> {
        self.books.get(seller)?.numbers.get(&number).copied()
    }

    /// The seller's orders with numbers above this one, ascending.
    pub(super) fn above(&self, seller: &str, number: Option<u64>) -> impl Iterator<Item = OrderNumber> {
        let from = number.map_or(0, |number| number.saturating_add(1));
        self.books.get(seller).into_iter().flat_map(move |book| book.numbers.range(from..)).map(|(_, o)| *o)
    }

    /// An order's number as it is shown.
    pub(super) fn shown(&self, order: OrderNumber) -> Option<String> {
        self.numbers.get(&order).map(|number| format!("{number:08}"))
    }

    pub(super) fn card(&self, order: OrderNumber) -> Option<&Card> {
        self.cards.get(&order)
    }

    pub(super) fn card_mut(&mut self, order: OrderNumber) -> &mut Card {
        self.cards.entry(order).or_default()
    }

    /// The order that another is packed into.
    pub(super) fn parent_of(&self, order: OrderNumber) -> Option<OrderNumber> {
        self.card(order)?.bundled_into
    }

    /// The orders that are packed into one, by number.
    pub(super) fn children_of(&self, order: OrderNumber) -> Vec<OrderNumber> {
        let into = |(_, card): &(&OrderNumber, &Card)| card.bundled_into == Some(order);
        let mut children: Vec<_> = self.cards.iter().filter(into).map(|(number, _)| *number).collect();
        children.sort_unstable();
        children
    }
}
