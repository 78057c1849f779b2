//! What a call wants of an order, and what the market can do of it.

use super::answer::Failure;
use super::call::Body;
use super::desk::Visit;
use super::orders::{FULFILLMENT, PAYMENT, line_ids};
use crate::market::{
    Action, CancelTerms, Line, LineNumber, LineState, Order, OrderNumber, ParcelDraft, ParcelLine, Refusal,
};

/// The fields that are sent. Others are taken and ignored.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) payment: Option<String>,
    pub(super) fulfillment: Option<String>,
    pub(super) tracking: Option<String>,
    pub(super) notes: Option<String>,
    pub(super) comments: Option<String>,
    pub(super) without_mails: Option<bool>,
    pub(super) external_fulfillment: Option<bool>,
    /// The lines that stay.
    pub(super) lines: Option<Vec<u64>>,
}

impl Change {
    pub(super) fn read(body: &Body) -> Result<Self, Failure> {
        let lines = body.list("items")?.map(|items| line_ids(items)).transpose()?;
        if lines.as_ref().is_some_and(Vec::is_empty) {
            return Err(Failure::wrong("Field 'items' is empty"));
        }
        Ok(Self {
            payment: word(body, "paymentStatus", &PAYMENT)?,
            fulfillment: word(body, "fulfillmentStatus", &FULFILLMENT)?,
            tracking: body.text("trackingNumber")?,
            notes: body.text("privateAdminNotes")?,
            comments: body.text("orderComments")?,
            without_mails: body.flag("disableAllCustomerNotifications")?,
            external_fulfillment: body.flag("externalFulfillment")?,
            lines,
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

fn word(body: &Body, name: &str, known: &[&str]) -> Result<Option<String>, Failure> {
    let word = body.text(name)?;
    match &word {
        Some(word) if !known.contains(&word.as_str()) => {
            Err(Failure::wrong(format!("Wrong value of field '{name}'")))
        }
        _ => Ok(word),
    }
}

/// The effects of a change. Refusals of the market are in its record, and nowhere else: Ecwid takes any status.
pub(super) struct Effects<'a> {
    pub(super) visit: &'a Visit<'a>,
    pub(super) order: OrderNumber,
    /// The order's tracking number with the change.
    pub(super) tracking: String,
}

impl Effects<'_> {
    /// Returns whether the order's units are back on sale by REFUNDED.
    pub(super) fn carry_out(&self, change: &Change, restocked: bool) -> bool {
        if let Some(kept) = &change.lines {
            self.keep_lines(kept);
        }
        let restocked = match change.payment.as_deref() {
            Some("PAID") => {
                let _ = self.visit.acting().pay(self.order);
                restocked
            }
            Some("CANCELLED") => {
                self.cancel(!restocked);
                restocked
            }
            Some("REFUNDED") if !restocked => {
                self.put_back_on_sale();
                true
            }
            _ => restocked,
        };
        match change.fulfillment.as_deref() {
            Some("PROCESSING") => self.confirm(),
            Some("SHIPPED") => self.ship(),
            Some("OUT_FOR_DELIVERY") => {
                self.ship_open();
            }
            Some("DELIVERED") => self.deliver(),
            _ => {}
        }
        let ships = matches!(change.fulfillment.as_deref(), Some("SHIPPED"));
        if change.tracking.is_some() && !ships {
            self.enter_tracking();
        }
        restocked
    }

    fn lines(&self) -> Vec<Line> {
        self.visit.market().order(self.order).map(|order| order.lines).unwrap_or_default()
    }

    /// Lines that a list of `items` leaves out are gone.
    fn keep_lines(&self, kept: &[u64]) {
        let terms = CancelTerms { restock: false, after_leaving: true };
        for line in self.lines().iter().filter(|line| !kept.contains(&line.number.0)) {
            let _ = self.visit.acting().cancel_on(line.number, "edited", terms);
        }
    }

    fn cancel(&self, restock: bool) {
        let terms = CancelTerms { restock, after_leaving: true };
        for line in self.lines() {
            let _ = self.visit.acting().cancel_on(line.number, "", terms);
        }
    }

    fn put_back_on_sale(&self) {
        for line in self.lines().iter().filter(|line| line.from_stock) {
            let units = i64::from(line.quantity - line.cancelled_quantity);
            if units > 0 {
                let _ = self.visit.acting().shift_quantity(line.item, line.option, units);
            }
        }
    }

    fn confirm(&self) {
        for line in self.lines() {
            let _ = match line.state {
                LineState::AwaitingPayment => self.visit.acting().confirm_unpaid(line.number),
                _ => self.visit.acting().confirm(line.number, None),
            };
        }
    }

    /// Ecwid takes SHIPPED again and again: the record must show it.
    fn ship(&self) {
        if self.ship_open() {
            return;
        }
        let left: Vec<LineNumber> =
            self.lines().iter().filter(|line| has_left(line)).map(|l| l.number).collect();
        if !left.is_empty() {
            let _ = self.visit.acting().ship_again(self.order, &left, "", &self.tracking);
            return;
        }
        for line in self.lines() {
            let action =
                Action::Shipped { quantity: 0, carrier: String::new(), tracking: self.tracking.clone() };
            self.visit.acting().refused(line.number, action, Refusal::WrongState(line.state));
        }
    }

    /// Sends what has not left. False when nothing is left to be sent.
    fn ship_open(&self) -> bool {
        let open = |line: &&Line| line.state < LineState::Shipped && line.open_quantity() > 0;
        let lines = self.lines();
        let units = lines.iter().filter(open);
        let lines: Vec<ParcelLine> =
            units.map(|line| ParcelLine { line: line.number, quantity: line.open_quantity() }).collect();
        if lines.is_empty() {
            return false;
        }
        let parcel = ParcelDraft { carrier: String::new(), tracking: self.tracking.clone(), lines };
        let _ = self.visit.acting().ship_unpaid(self.order, parcel);
        true
    }

    fn deliver(&self) {
        self.ship_open();
        for line in self.lines() {
            let _ = self.visit.acting().deliver(line.number);
        }
    }

    /// The number alone: nothing leaves by it.
    fn enter_tracking(&self) {
        let last = |order: Order| order.parcels.len().checked_sub(1);
        let parcel = self.visit.market().order(self.order).and_then(last);
        for line in self.lines() {
            let _ = self.visit.acting().enter_tracking(line.number, parcel, "", &self.tracking);
        }
    }
}

fn has_left(line: &Line) -> bool {
    matches!(line.state, LineState::Shipped | LineState::Delivered)
}
