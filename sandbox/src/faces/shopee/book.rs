//! What the channel keeps of orders beside the market: parcels, pending terms, notes, who fulfils. It follows the market.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::ids;
use super::settings::Way;
use crate::market::{ItemId, LineNumber, LineState, OptionId, Order, OrderNumber, ParcelLine};

/// How far a parcel is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Progress {
    /// Nothing is arranged.
    Open,
    /// The carrier did not get it.
    Retry,
    /// Arranged, not handed over.
    Arranged,
    /// With the carrier.
    PickedUp,
    Delivered,
    /// Cancelled before it was arranged.
    Invalid,
    /// Cancelled afterwards.
    Cancelled,
}

/// What was sent for a pick-up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) address_id: u64,
    pub(super) pickup_time_id: String,
}

#[derive(Debug, Clone)]
pub(super) struct Package {
    pub(super) number: String,
    pub(super) order: OrderNumber,
    pub(super) contents: Vec<ParcelLine>,
    pub(super) progress: Progress,
    pub(super) carrier: String,
    pub(super) tracking: String,
    /// Whether the number is the seller's own, and told at once.
    pub(super) own_tracking: bool,
    pub(super) slot: Option<Slot>,
    pub(super) arranged: Option<DateTime<Utc>>,
    pub(super) picked_up: Option<DateTime<Utc>>,
}

/// What only this channel knows of an order. Everything absent in a change stays as it is.
#[derive(Debug, Clone, Default)]
pub(super) struct Extra {
    pub(super) ways: Option<Vec<Way>>,
    pub(super) pending_terms: Vec<String>,
    pub(super) invoice_pending: bool,
    pub(super) fulfilled_by_shopee: bool,
    pub(super) booking_sn: Option<String>,
    pub(super) allocating: bool,
    pub(super) prescription_unchecked: bool,
    /// So many attempts to ship are refused because somebody else holds the lock.
    pub(super) locked: u32,
    pub(super) completed: bool,
    pub(super) note: String,
    pub(super) noted: Option<DateTime<Utc>>,
    /// When the channel last changed something that the market does not know.
    pub(super) moved: Option<DateTime<Utc>>,
}

/// A change of what only this channel knows of an order.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OrderChange {
    /// The ways to hand it over.
    pub ways: Option<Vec<Way>>,
    /// Why it is PENDING, for example `SYSTEM_PENDING`; an empty list ends it.
    pub pending_terms: Option<Vec<String>>,
    /// INVOICE_PENDING (BR).
    pub invoice_pending: Option<bool>,
    /// Shopee ships it from its warehouse.
    pub fulfilled_by_shopee: Option<bool>,
    /// The booking that it is matched with; an empty one ends it.
    pub booking_sn: Option<String>,
    /// A warehouse is being looked for.
    pub allocating: Option<bool>,
    /// The prescription has not been checked.
    pub prescription_unchecked: Option<bool>,
    /// So many attempts to ship fail for want of a lock.
    pub locked: Option<u32>,
    /// The buyer has it for good: COMPLETED, once delivered.
    pub completed: Option<bool>,
}

impl Extra {
    pub(super) fn change(&mut self, change: OrderChange, now: DateTime<Utc>) {
        self.ways = change.ways.or(self.ways.take());
        self.pending_terms = change.pending_terms.unwrap_or_else(|| std::mem::take(&mut self.pending_terms));
        self.invoice_pending = change.invoice_pending.unwrap_or(self.invoice_pending);
        self.fulfilled_by_shopee = change.fulfilled_by_shopee.unwrap_or(self.fulfilled_by_shopee);
        self.booking_sn = change.booking_sn.or(self.booking_sn.take()).filter(|sn| !sn.is_empty());
        self.allocating = change.allocating.unwrap_or(self.allocating);
        self.prescription_unchecked = change.prescription_unchecked.unwrap_or(self.prescription_unchecked);
        self.locked = change.locked.unwrap_or(self.locked);
        self.completed = change.completed.unwrap_or(self.completed);
        self.moved = Some(now);
    }
}

/// What can be bought: an item or an option of it.
pub(super) type Goods = (ItemId, Option<OptionId>);

#[derive(Debug, Default)]
pub(super) struct Book {
    packages: Vec<Package>,
    by_order: HashMap<OrderNumber, Vec<usize>>,
    by_number: HashMap<String, usize>,
    extras: HashMap<OrderNumber, Extra>,
    /// How many parcels each order has had.
    made: HashMap<OrderNumber, u64>,
    /// Quantities by location, as they were last set.
    pub(super) stock: HashMap<Goods, Vec<i64>>,
    /// Quantities that promotions hold.
    pub(super) reserved: HashMap<Goods, i64>,
    /// When an item was last changed through the API.
    pub(super) touched: HashMap<ItemId, DateTime<Utc>>,
}

impl Book {
    pub(super) fn extra(&self, order: OrderNumber) -> Extra {
        self.extras.get(&order).cloned().unwrap_or_default()
    }

    pub(super) fn extra_mut(&mut self, order: OrderNumber) -> &mut Extra {
        self.extras.entry(order).or_default()
    }

    /// When the channel last changed something of an order that the market does not know.
    pub(super) fn moved(&self, order: OrderNumber) -> Option<DateTime<Utc>> {
        self.extras.get(&order).and_then(|extra| extra.moved)
    }

    /// The parcels of an order; call [`Book::follow`] before.
    pub(super) fn of_order(&self, order: OrderNumber) -> Vec<&Package> {
        self.by_order.get(&order).into_iter().flatten().filter_map(|&at| self.packages.get(at)).collect()
    }

    pub(super) fn order_of(&self, package: &str) -> Option<OrderNumber> {
        self.by_number.get(package).and_then(|&at| self.packages.get(at)).map(|package| package.order)
    }

    pub(super) fn package_mut(&mut self, number: &str) -> Option<&mut Package> {
        self.packages.get_mut(*self.by_number.get(number)?)
    }

    /// Whether another parcel left under this tracking number.
    pub(super) fn is_tracking_used(&self, tracking: &str, but: &str) -> bool {
        self.packages.iter().any(|package| package.number != but && package.tracking == tracking)
    }

    /// Brings the parcels of an order up to what the market says of it. An order comes in as one parcel.
    pub(super) fn follow(&mut self, order: &Order) {
        if !self.by_order.contains_key(&order.number) {
            // What was cancelled before anybody looked was in it once; it is taken out below.
            let contents =
                order.lines.iter().map(|line| ParcelLine { line: line.number, quantity: line.quantity });
            self.add(order, contents.collect());
        }
        let places = self.by_order.get(&order.number).cloned().unwrap_or_default();
        self.take_out_cancelled(order, &places);
        for at in places {
            if let Some(package) = self.packages.get_mut(at) {
                follow(package, order);
            }
        }
    }

    /// Adds a parcel and returns its number.
    fn add(&mut self, order: &Order, contents: Vec<ParcelLine>) -> String {
        let at = self.packages.len();
        let nth = self.made.entry(order.number).or_default();
        *nth += 1;
        let number = package_number(order.number, *nth);
        self.packages.push(Package {
            number: number.clone(),
            order: order.number,
            contents,
            progress: Progress::Open,
            carrier: String::new(),
            tracking: String::new(),
            own_tracking: false,
            slot: None,
            arranged: None,
            picked_up: None,
        });
        self.by_order.entry(order.number).or_default().push(at);
        self.by_number.insert(number.clone(), at);
        number
    }

    /// Units that were cancelled leave the parcels that are not arranged, the last first. A parcel keeps what it has when
    /// nothing else would be left: it is shown as cancelled then.
    fn take_out_cancelled(&mut self, order: &Order, places: &[usize]) {
        for line in &order.lines {
            let live = line.quantity.saturating_sub(line.cancelled_quantity);
            let held: u32 = places
                .iter()
                .filter_map(|&at| self.packages.get(at))
                .filter(|package| package.progress < Progress::Invalid)
                .map(|package| package.units_of(line.number))
                .sum();
            let mut excess = held.saturating_sub(live);
            for &at in places.iter().rev() {
                let Some(package) = self.packages.get_mut(at) else { continue };
                if package.progress > Progress::Retry {
                    continue;
                }
                let alone = package
                    .contents
                    .iter()
                    .all(|sent| order.line(sent.line).is_none_or(|line| line.state == LineState::Cancelled));
                if alone {
                    continue;
                }
                for sent in package.contents.iter_mut().filter(|sent| sent.line == line.number) {
                    let out = sent.quantity.min(excess);
                    sent.quantity -= out;
                    excess -= out;
                }
                package.contents.retain(|sent| sent.quantity > 0);
            }
        }
    }

    /// Replaces the one parcel of an order by several, and returns their numbers.
    pub(super) fn split(
        &mut self,
        order: &Order,
        groups: Vec<Vec<ParcelLine>>,
        now: DateTime<Utc>,
    ) -> Vec<String> {
        for at in self.by_order.remove(&order.number).unwrap_or_default() {
            if let Some(package) = self.packages.get(at) {
                self.by_number.remove(&package.number);
            }
        }
        self.extra_mut(order.number).moved = Some(now);
        groups.into_iter().map(|contents| self.add(order, contents)).collect()
    }

    /// Moves the parcels of an order from one step to another. Returns how many.
    pub(super) fn advance(
        &mut self,
        order: &Order,
        from: Progress,
        to: Progress,
        now: DateTime<Utc>,
    ) -> usize {
        self.follow(order);
        let places = self.by_order.get(&order.number).cloned().unwrap_or_default();
        let mut moved = 0;
        for at in places {
            if let Some(package) = self.packages.get_mut(at)
                && package.progress == from
            {
                package.progress = to;
                if to == Progress::PickedUp {
                    package.picked_up = Some(now);
                }
                moved += 1;
            }
        }
        if moved > 0 {
            self.extra_mut(order.number).moved = Some(now);
        }
        moved
    }
}

/// The same whoever looks first.
fn package_number(order: OrderNumber, nth: u64) -> String {
    format!("OFG{}", order.0.wrapping_mul(100).wrapping_add(134_731_000_000_000 + nth))
}

impl Package {
    pub(super) fn units_of(&self, line: LineNumber) -> u32 {
        self.contents.iter().filter(|sent| sent.line == line).map(|sent| sent.quantity).sum()
    }

    /// A cancelled parcel is over.
    pub(super) fn is_live(&self) -> bool {
        self.progress < Progress::Invalid
    }
}

/// What was shipped, delivered or cancelled elsewhere is so here, too.
fn follow(package: &mut Package, order: &Order) {
    let lines = || package.contents.iter().filter_map(|sent| order.line(sent.line));
    let cancelled = lines().all(|line| line.state == LineState::Cancelled);
    let all = |state| {
        lines().all(|line| line.state >= state) && lines().any(|line| line.state != LineState::Cancelled)
    };
    match package.progress {
        Progress::Open | Progress::Retry if cancelled => package.progress = Progress::Invalid,
        Progress::Arranged | Progress::PickedUp if cancelled => package.progress = Progress::Cancelled,
        Progress::Open if all(LineState::Shipped) => {
            let parcel = lines().find_map(|line| order.parcel_of(line.number)).cloned();
            if let Some(parcel) = parcel {
                package.tracking = parcel.tracking;
                package.carrier = parcel.carrier;
                package.arranged = Some(parcel.shipped_at);
            }
            package.own_tracking = true;
            package.progress =
                if all(LineState::Delivered) { Progress::Delivered } else { Progress::Arranged };
        }
        Progress::Arranged | Progress::PickedUp if all(LineState::Delivered) => {
            package.progress = Progress::Delivered;
        }
        _ => {}
    }
}

/// The line of an order that `item_id`, `model_id` and, where sent, `order_item_id` and `promotion_group_id` name.
pub(super) fn lines_named(
    order: &Order,
    goods: (u64, u64),
    order_item_id: Option<u64>,
    promotion_group_id: Option<u64>,
) -> Vec<LineNumber> {
    let fits = |&(at, line): &(usize, &crate::market::Line)| {
        let (item, group) = ids::place_of(order, at);
        ids::goods_of(line) == goods
            && order_item_id.is_none_or(|sent| sent == item || sent == 0)
            && promotion_group_id.is_none_or(|sent| sent == group || (sent == 0 && order_item_id.is_none()))
    };
    order.lines.iter().enumerate().filter(fits).map(|(_, line)| line.number).collect()
}
