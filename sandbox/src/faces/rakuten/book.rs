//! What only Rakuten has about an order: the payment step, destinations, shipments. Progress follows from it.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::Value;

use super::PaymentStep;
use crate::market::{Address, ClaimKind, Line, LineNumber, LineState, Order, OrderNumber, Person};

/// A second destination of an order.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Destination {
    /// Who receives.
    pub recipient: Person,
    /// Where it goes.
    pub address: Address,
    /// The lines that go there.
    pub lines: Vec<LineNumber>,
}

/// One entry of `ShippingModelList`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Shipment {
    pub(super) id: u64,
    pub(super) company: Option<String>,
    pub(super) number: Option<String>,
    pub(super) date: Option<NaiveDate>,
    /// Its place among the parcels of the market's order, once something left by it.
    pub(super) parcel: Option<usize>,
}

/// The page of one order.
#[derive(Debug, Clone, Default)]
pub(super) struct Page {
    /// When the payment was let through by hand.
    pub(super) settled_at: Option<DateTime<Utc>>,
    /// 400, 600 or 700, when a test says so.
    pub(super) progress: Option<u16>,
    /// Whether its amounts are not fixed yet: -9999.
    pub(super) unfixed: bool,
    pub(super) destinations: Vec<Destination>,
    /// By basket.
    pub(super) shipments: BTreeMap<u64, Vec<Shipment>>,
    /// When all of it had left.
    pub(super) reported_at: Option<DateTime<Utc>>,
    pub(super) cancel_reason: Option<u64>,
}

/// A destination as it is shown: a basket with its lines.
#[derive(Debug)]
pub(super) struct Package<'a> {
    pub(super) basket: u64,
    pub(super) recipient: &'a Person,
    pub(super) address: &'a Address,
    pub(super) lines: Vec<&'a Line>,
}

/// An asynchronous dispatch that was taken.
#[derive(Debug, Clone)]
pub(super) struct Job {
    pub(super) seller: String,
    pub(super) taken_at: DateTime<Utc>,
    pub(super) due: DateTime<Utc>,
    /// The orders as they were sent.
    pub(super) orders: Vec<Value>,
    /// Results by order, once it was carried out.
    pub(super) results: Option<Value>,
}

/// Stock of an item or SKU that does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Orphan {
    pub(super) quantity: i64,
    pub(super) updated_at: DateTime<Utc>,
}

/// Everything that only this face has.
#[derive(Debug)]
pub(super) struct Book {
    pages: HashMap<OrderNumber, Page>,
    pub(super) jobs: BTreeMap<String, Job>,
    pub(super) orphans: BTreeMap<(String, String, String), Orphan>,
    next_shipment: u64,
    next_job: u64,
}

impl Default for Book {
    fn default() -> Self {
        Self {
            pages: HashMap::new(),
            jobs: BTreeMap::new(),
            orphans: BTreeMap::new(),
            next_shipment: 15_419,
            next_job: 1,
        }
    }
}

impl Book {
    pub(super) fn page(&self, order: OrderNumber) -> Page {
        self.pages.get(&order).cloned().unwrap_or_default()
    }

    pub(super) fn page_mut(&mut self, order: OrderNumber) -> &mut Page {
        self.pages.entry(order).or_default()
    }

    pub(super) fn shipment_id(&mut self) -> u64 {
        self.next_shipment += 1;
        self.next_shipment - 1
    }

    pub(super) fn job_id(&mut self, now: DateTime<Utc>) -> String {
        self.next_job += 1;
        let time = super::wording::local(now).format("%Y%m%d%H%M%S");
        format!("00000000-0000-4000-8000-{:012x}_{time}", self.next_job - 1)
    }

    /// Each destination has an empty shipment from the start, as in the official sample.
    pub(super) fn open_shipments(&mut self, order: &Order) {
        for basket in packages(order, &self.page(order.number)).iter().map(|package| package.basket) {
            if !self.page_mut(order.number).shipments.contains_key(&basket) {
                let id = self.shipment_id();
                let blank = Shipment { id, ..Shipment::default() };
                self.page_mut(order.number).shipments.insert(basket, vec![blank]);
            }
        }
    }
}

/// The order's destinations, each with the lines that go there and are not cancelled (all when everything is).
pub(super) fn packages<'a>(order: &'a Order, page: &'a Page) -> Vec<Package<'a>> {
    let all_cancelled = order.lines.iter().all(|line| line.state == LineState::Cancelled);
    let shown = |line: &&Line| all_cancelled || line.state != LineState::Cancelled;
    let elsewhere = |line: &&Line| page.destinations.iter().any(|other| other.lines.contains(&line.number));
    let mut packages = vec![Package {
        basket: order.number.0 * 10,
        recipient: &order.recipient,
        address: &order.address,
        lines: order.lines.iter().filter(shown).filter(|line| !elsewhere(line)).collect(),
    }];
    for (at, other) in page.destinations.iter().enumerate() {
        let lines = order.lines.iter().filter(shown).filter(|line| other.lines.contains(&line.number));
        packages.push(Package {
            basket: order.number.0 * 10 + at as u64 + 1,
            recipient: &other.recipient,
            address: &other.address,
            lines: lines.collect(),
        });
    }
    packages.retain(|package| !package.lines.is_empty());
    packages
}

/// When the order was confirmed, by its last line.
pub(super) fn confirmed_at(order: &Order) -> Option<DateTime<Utc>> {
    live(order).map(|line| line.confirmed_at).collect::<Option<Vec<_>>>()?.into_iter().max()
}

/// When confirmation and payment were both through.
pub(super) fn fixed_at(order: &Order, page: &Page, step: PaymentStep) -> Option<DateTime<Utc>> {
    let ready = confirmed_at(order)?.max(order.paid_at?);
    match step {
        PaymentStep::AtOnce => Some(ready),
        PaymentStep::AfterSeconds { seconds } => {
            let later = ready.checked_add_signed(TimeDelta::seconds(i64::from(seconds)));
            page.settled_at.into_iter().chain(later).min()
        }
        PaymentStep::ByHand => page.settled_at.map(|settled| settled.max(ready)),
    }
}

/// `orderProgress` (sheet section 5).
pub(super) fn progress(order: &Order, page: &Page, step: PaymentStep, now: DateTime<Utc>) -> u16 {
    let open_cancel = |claim: &crate::market::Claim| claim.kind == ClaimKind::Cancel && claim.is_open();
    if live(order).next().is_none() {
        900
    } else if order.claims.iter().any(open_cancel) {
        800
    } else if let Some(progress) = page.progress {
        progress
    } else if live(order).all(|line| line.state >= LineState::Shipped) {
        500
    } else if confirmed_at(order).is_none() {
        100
    } else if fixed_at(order, page, step).is_some_and(|fixed| fixed <= now) {
        300
    } else {
        200
    }
}

fn live(order: &Order) -> impl Iterator<Item = &Line> {
    order.lines.iter().filter(|line| line.state != LineState::Cancelled)
}
