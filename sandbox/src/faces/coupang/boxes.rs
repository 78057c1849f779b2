//! Boxes: what the channel confirms and sends by (sheet 4.4). They follow the market, which knows nothing of them.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::settings::{BoxesPer, Settings};
use super::{carriers, ids};
use crate::market::{ClaimKind, Line, LineNumber, LineState, Order, OrderNumber};

#[derive(Debug, Clone)]
pub(super) struct ShipBox {
    pub(super) id: u64,
    pub(super) order: OrderNumber,
    pub(super) lines: Vec<LineNumber>,
    /// A part of it was sent on its own.
    pub(super) split: bool,
    /// Until then a confirmation doesn't show.
    pub(super) lags_until: Option<DateTime<Utc>>,
    pub(super) company: String,
    pub(super) invoice: String,
    pub(super) sent: Option<DateTime<Utc>>,
    pub(super) in_transit: Option<DateTime<Utc>>,
    /// Its waybill was corrected: it departs anew.
    pub(super) departs_anew: bool,
    /// When the rest of a split box will be sent.
    pub(super) planned: Option<NaiveDate>,
}

/// Lines of one item in a box: the channel has one order item for them.
pub(super) struct OrderItem<'a> {
    pub(super) vendor_item: u64,
    pub(super) lines: Vec<&'a Line>,
}

impl OrderItem<'_> {
    pub(super) fn is_live(&self) -> bool {
        self.lines.iter().any(|line| line.state != LineState::Cancelled)
    }
}

impl ShipBox {
    pub(super) fn lines_of<'a>(&self, order: &'a Order) -> impl Iterator<Item = &'a Line> {
        self.lines.iter().filter_map(|number| order.line(*number))
    }

    pub(super) fn items<'a>(&self, order: &'a Order) -> Vec<OrderItem<'a>> {
        let mut items: Vec<OrderItem<'a>> = Vec::new();
        for line in self.lines_of(order) {
            let vendor_item = ids::vendor_item(line);
            match items.iter_mut().find(|item| item.vendor_item == vendor_item) {
                Some(item) => item.lines.push(line),
                None => items.push(OrderItem { vendor_item, lines: vec![line] }),
            }
        }
        items
    }

    fn least<'a>(&self, order: &'a Order) -> Option<&'a Line> {
        self.lines_of(order).filter(|line| line.state != LineState::Cancelled).min_by_key(|line| line.state)
    }

    /// None when everything in it is cancelled.
    pub(super) fn status(&self, order: &Order, now: DateTime<Utc>) -> Option<&'static str> {
        let status = match self.least(order)?.state {
            LineState::Confirmed if self.lags_until.is_some_and(|until| now < until) => "ACCEPT",
            LineState::AwaitingPayment | LineState::Paid | LineState::Cancelled => "ACCEPT",
            LineState::Confirmed => "INSTRUCT",
            LineState::Shipped | LineState::Delivered if self.company == carriers::DIRECT => "NONE_TRACKING",
            LineState::Delivered if !self.departs_anew => "FINAL_DELIVERY",
            LineState::Shipped | LineState::Delivered if self.in_transit.is_some() => "DELIVERING",
            LineState::Shipped | LineState::Delivered => "DEPARTURE",
        };
        Some(status)
    }

    /// More than one item, of which none has been sent on its own.
    pub(super) fn can_be_split(&self, order: &Order) -> bool {
        !self.split && self.items(order).iter().filter(|item| item.is_live()).count() > 1
    }

    /// Units that the buyer has asked not to get, and nobody has answered.
    pub(super) fn held(order: &Order, line: LineNumber) -> u32 {
        let open = order
            .claims
            .iter()
            .filter(|claim| claim.line == line && claim.kind == ClaimKind::Cancel && claim.is_open());
        open.map(|claim| claim.quantity).sum()
    }
}

#[derive(Debug, Default)]
pub(super) struct Ledger {
    boxes: Vec<ShipBox>,
    by_order: HashMap<OrderNumber, Vec<usize>>,
    by_id: HashMap<u64, usize>,
    /// Receipts of claims that took another claim's place: a cancel request that became a return.
    pub(super) receipts: HashMap<(LineNumber, usize), u64>,
}

impl Ledger {
    pub(super) fn of_order(&self, number: OrderNumber) -> impl Iterator<Item = &ShipBox> {
        self.by_order.get(&number).into_iter().flatten().filter_map(|&at| self.boxes.get(at))
    }

    pub(super) fn get(&self, id: u64) -> Option<&ShipBox> {
        self.boxes.get(*self.by_id.get(&id)?)
    }

    pub(super) fn get_mut(&mut self, id: u64) -> Option<&mut ShipBox> {
        self.boxes.get_mut(*self.by_id.get(&id)?)
    }

    /// The box that a line is in.
    pub(super) fn box_of(&self, order: OrderNumber, line: LineNumber) -> Option<&ShipBox> {
        self.of_order(order).find(|found| found.lines.contains(&line))
    }

    /// Brings the boxes of an order up to what the market says of it. Unpaid orders have none.
    pub(super) fn follow(&mut self, order: &Order, settings: &Settings) {
        if order.paid_at.is_none() {
            return;
        }
        if !self.by_order.contains_key(&order.number) {
            let numbers = || order.lines.iter().map(|line| line.number);
            match settings.boxes {
                BoxesPer::Order => {
                    self.add(order.number, numbers().collect());
                }
                BoxesPer::Line => numbers().for_each(|number| {
                    self.add(order.number, vec![number]);
                }),
            }
        }
        let places = self.by_order.get(&order.number).cloned().unwrap_or_default();
        for at in places {
            if let Some(found) = self.boxes.get_mut(at) {
                follow(found, order);
            }
        }
    }

    /// The numbers of an order's boxes, or those that it gets next.
    pub(super) fn numbers(&mut self, order: &Order, settings: &Settings) -> Vec<u64> {
        self.follow(order, settings);
        if order.paid_at.is_some() {
            return self.of_order(order.number).map(|found| found.id).collect();
        }
        let next = ids::FIRST_BOX + self.boxes.len() as u64;
        let count = match settings.boxes {
            BoxesPer::Order => 1,
            BoxesPer::Line => order.lines.len() as u64,
        };
        (next..next + count).collect()
    }

    fn add(&mut self, order: OrderNumber, lines: Vec<LineNumber>) -> u64 {
        let at = self.boxes.len();
        let id = ids::FIRST_BOX + at as u64;
        self.boxes.push(ShipBox {
            id,
            order,
            lines,
            split: false,
            lags_until: None,
            company: String::new(),
            invoice: String::new(),
            sent: None,
            in_transit: None,
            departs_anew: false,
            planned: None,
        });
        self.by_order.entry(order).or_default().push(at);
        self.by_id.insert(id, at);
        id
    }

    /// Moves lines into a box with an id of its own, and returns that.
    pub(super) fn split_off(&mut self, from: u64, lines: &[LineNumber]) -> u64 {
        let order = match self.get_mut(from) {
            Some(old) => {
                old.lines.retain(|line| !lines.contains(line));
                old.split = true;
                old.order
            }
            None => return from,
        };
        let id = self.add(order, lines.to_vec());
        if let Some(new) = self.get_mut(id) {
            new.split = true;
        }
        id
    }

    pub(super) fn collect(&mut self, order: &Order, settings: &Settings, now: DateTime<Utc>) -> usize {
        self.follow(order, settings);
        let ids: Vec<u64> = self
            .of_order(order.number)
            .filter(|found| found.status(order, now) == Some("DEPARTURE"))
            .map(|found| found.id)
            .collect();
        for id in &ids {
            if let Some(found) = self.get_mut(*id) {
                found.in_transit = Some(now);
            }
        }
        ids.len()
    }

    /// Whether a waybill was used within 6 months for another receiver.
    pub(super) fn is_invoice_used(
        &self,
        company: &str,
        invoice: &str,
        now: DateTime<Utc>,
        is_other_receiver: impl Fn(OrderNumber) -> bool,
    ) -> bool {
        self.boxes.iter().any(|found| {
            found.company == company
                && found.invoice == invoice
                && found.sent.is_some_and(|sent| now - sent < TimeDelta::days(183))
                && is_other_receiver(found.order)
        })
    }
}

/// What was sent in the back office has its waybill here, too.
fn follow(found: &mut ShipBox, order: &Order) {
    let sent = found.least(order).filter(|line| line.state >= LineState::Shipped && found.invoice.is_empty());
    let parcel = sent.and_then(|line| order.parcel_of(line.number));
    if let Some(parcel) = parcel {
        found.company.clone_from(&parcel.carrier);
        found.invoice.clone_from(&parcel.tracking);
        found.sent = Some(parcel.shipped_at);
    }
}
