//! Changes, each made by somebody and written into the record, refused ones too.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;

use super::Market;
use super::changes::{cancel, cancel_units, ship, ship_again, ship_in};
use super::claim::{Claim, ClaimKind, ClaimState};
use super::draft::OrderDraft;
use super::event::{Action, Actor, Refusal, Subject};
use super::ids::{ItemId, LineNumber, OptionId, OrderNumber};
use super::order::{BuyerMail, LineState, Order, ParcelLine, ShipPromise};
use super::state::MarketState;
use crate::{Amount, lock};

/// A parcel to be reported as sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ParcelDraft {
    /// The carrier.
    pub carrier: String,
    /// The tracking number.
    pub tracking: String,
    /// What is in it.
    pub lines: Vec<ParcelLine>,
}

/// What a cancellation does beside ending the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CancelTerms {
    /// Whether units that were taken from the item's quantity go back on sale.
    pub restock: bool,
    /// Whether a line of which units have left can be cancelled.
    pub after_leaving: bool,
}

impl Default for CancelTerms {
    fn default() -> Self {
        Self { restock: true, after_leaving: false }
    }
}

/// Somebody who does things to the marketplace. Each call is atomic.
///
/// Errors of all calls are [`Refusal`]s: nothing was changed then, and the attempt is in the record.
#[derive(Debug, Clone)]
pub struct Acting<'a> {
    market: &'a Market,
    actor: Actor,
}

impl<'a> Acting<'a> {
    pub(super) fn new(market: &'a Market, actor: Actor) -> Self {
        Self { market, actor }
    }

    fn perform<T>(
        &self,
        subject: Subject,
        action: Action,
        change: impl FnOnce(&mut MarketState, DateTime<Utc>) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let now = self.market.clock.now();
        let mut state = lock(&self.market.state);
        let result = change(&mut state, now);
        state.note(now, self.actor.clone(), subject, action, result.as_ref().err().cloned());
        result
    }

    fn on_line(
        &self,
        number: LineNumber,
        action: Action,
        change: impl FnOnce(&mut Order, usize, DateTime<Utc>) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        let order = self.market.read(|state| state.line(number).map(|(order, _)| order.number));
        let subject = Subject { order, line: Some(number), ..Subject::default() };
        self.perform(subject, action, |state, now| {
            let (order, at) = state.line_mut(number)?;
            change(order, at, now)?;
            order.updated_at = now;
            Ok(())
        })
    }

    /// Puts an attempt on a line into the record that a face refused by rules of its own. Nothing is changed.
    pub fn refused(&self, line: LineNumber, action: Action, why: Refusal) {
        let now = self.market.clock.now();
        let mut state = lock(&self.market.state);
        let order = state.line(line).map(|(order, _)| order.number);
        let subject = Subject { order, line: Some(line), ..Subject::default() };
        state.note(now, self.actor.clone(), subject, action, Some(why));
    }

    /// Places an order: its units are taken from the quantities of listed items.
    ///
    /// # Errors
    /// [`Refusal::OutOfStock`], or what is wrong with the draft.
    pub fn place(&self, draft: OrderDraft) -> Result<OrderNumber, Refusal> {
        let now = self.market.clock.now();
        let mut state = lock(&self.market.state);
        let asked = draft.number;
        let result = state.insert_order(draft, now, true);
        let subject = Subject { order: result.as_ref().ok().copied().or(asked), ..Subject::default() };
        state.note(now, self.actor.clone(), subject, Action::Placed, result.as_ref().err().cloned());
        result
    }

    /// Pays an order.
    ///
    /// # Errors
    /// [`Refusal::WrongState`] when it is paid.
    pub fn pay(&self, number: OrderNumber) -> Result<(), Refusal> {
        let subject = Subject { order: Some(number), ..Subject::default() };
        self.perform(subject, Action::Paid, |state, now| state.mark_paid(number, now))
    }

    /// Confirms a line that is paid.
    ///
    /// # Errors
    /// [`Refusal::AlreadyConfirmed`], [`Refusal::WrongState`].
    pub fn confirm(&self, line: LineNumber, promise: Option<ShipPromise>) -> Result<(), Refusal> {
        let action = Action::Confirmed { ship_date: promise.as_ref().map(|promise| promise.date) };
        self.on_line(line, action, |order, at, now| {
            let line = &mut order.lines[at];
            match line.state {
                LineState::Paid => {}
                LineState::Confirmed => return Err(Refusal::AlreadyConfirmed),
                other => return Err(Refusal::WrongState(other)),
            }
            line.state = LineState::Confirmed;
            line.confirmed_at = Some(now);
            line.promise = promise.or(line.promise.take());
            Ok(())
        })
    }

    /// Takes a line that is not paid yet. Once it is paid, it is confirmed.
    ///
    /// # Errors
    /// [`Refusal::AlreadyConfirmed`], [`Refusal::WrongState`] when it is paid already.
    pub fn confirm_unpaid(&self, line: LineNumber) -> Result<(), Refusal> {
        self.on_line(line, Action::Confirmed { ship_date: None }, |order, at, now| {
            let line = &mut order.lines[at];
            if line.state != LineState::AwaitingPayment {
                return Err(Refusal::WrongState(line.state));
            }
            if line.confirmed_at.is_some() {
                return Err(Refusal::AlreadyConfirmed);
            }
            line.confirmed_at = Some(now);
            Ok(())
        })
    }

    /// Sets the ship date of a line that has not left.
    ///
    /// # Errors
    /// [`Refusal::WrongState`].
    pub fn set_ship_date(&self, line: LineNumber, promise: ShipPromise) -> Result<(), Refusal> {
        self.on_line(line, Action::ShipDateSet { ship_date: promise.date }, |order, at, _| {
            let line = &mut order.lines[at];
            if !matches!(line.state, LineState::Paid | LineState::Confirmed) {
                return Err(Refusal::WrongState(line.state));
            }
            line.promise = Some(promise);
            Ok(())
        })
    }

    /// Reports a parcel with units of lines of one order, which must be paid or confirmed.
    ///
    /// # Errors
    /// [`Refusal::WrongState`], [`Refusal::BadQuantity`], [`Refusal::NoSuchLine`]. All lines leave, or none.
    pub fn ship(&self, number: OrderNumber, parcel: ParcelDraft) -> Result<(), Refusal> {
        self.ship_from(number, parcel, &[LineState::Paid, LineState::Confirmed])
    }

    fn ship_from(&self, number: OrderNumber, parcel: ParcelDraft, from: &[LineState]) -> Result<(), Refusal> {
        let now = self.market.clock.now();
        let mut state = lock(&self.market.state);
        let result = state.order_mut(number).and_then(|order| ship_in(from, order, &parcel, now));
        for sent in &parcel.lines {
            let subject = Subject { order: Some(number), line: Some(sent.line), ..Subject::default() };
            let action = Action::Shipped {
                quantity: sent.quantity,
                carrier: parcel.carrier.clone(),
                tracking: parcel.tracking.clone(),
            };
            state.note(now, self.actor.clone(), subject, action, result.as_ref().err().cloned());
        }
        result
    }

    /// As [`Acting::ship`], also with lines that are not paid yet, as channels take it that bind the one to the other by
    /// nothing.
    ///
    /// # Errors
    /// As [`Acting::ship`].
    pub fn ship_unpaid(&self, number: OrderNumber, parcel: ParcelDraft) -> Result<(), Refusal> {
        let open = [LineState::AwaitingPayment, LineState::Paid, LineState::Confirmed];
        self.ship_from(number, parcel, &open)
    }

    /// Reports a parcel with all units that a line has left.
    ///
    /// # Errors
    /// [`Refusal::WrongState`], [`Refusal::NoSuchLine`].
    pub fn ship_line(&self, line: LineNumber, carrier: &str, tracking: &str) -> Result<(), Refusal> {
        let action =
            |quantity| Action::Shipped { quantity, carrier: carrier.into(), tracking: tracking.into() };
        let left = self.market.line(line).map(|line| line.open_quantity()).unwrap_or_default();
        self.on_line(line, action(left), |order, at, now| {
            let left = order.lines[at].open_quantity();
            let lines = vec![ParcelLine { line, quantity: left }];
            ship(order, &ParcelDraft { carrier: carrier.into(), tracking: tracking.into(), lines }, now)
        })
    }

    /// Reports another parcel with lines that have left already, as channels take it that don't know a repeat. It is in
    /// the record as a dispatch of 0 units of each line.
    ///
    /// # Errors
    /// [`Refusal::NoSuchLine`], [`Refusal::WrongState`] when a line has not left.
    pub fn ship_again(
        &self,
        number: OrderNumber,
        lines: &[LineNumber],
        carrier: &str,
        tracking: &str,
    ) -> Result<(), Refusal> {
        let now = self.market.clock.now();
        let mut state = lock(&self.market.state);
        let result =
            state.order_mut(number).and_then(|order| ship_again(order, lines, carrier, tracking, now));
        for &line in lines {
            let subject = Subject { order: Some(number), line: Some(line), ..Subject::default() };
            let action = Action::Shipped { quantity: 0, carrier: carrier.into(), tracking: tracking.into() };
            state.note(now, self.actor.clone(), subject, action, result.as_ref().err().cloned());
        }
        result
    }

    /// Enters a carrier and tracking number for a line, without units leaving. `parcel` is the place of the parcel in the
    /// order's list that they belong to from now on; without it they are in the record alone.
    ///
    /// # Errors
    /// [`Refusal::NoSuchLine`], [`Refusal::BadQuantity`] when the order has no such parcel.
    pub fn enter_tracking(
        &self,
        line: LineNumber,
        parcel: Option<usize>,
        carrier: &str,
        tracking: &str,
    ) -> Result<(), Refusal> {
        let action = Action::TrackingEntered { carrier: carrier.into(), tracking: tracking.into() };
        self.on_line(line, action, |order, _, _| {
            let Some(at) = parcel else { return Ok(()) };
            let parcel = order.parcels.get_mut(at).ok_or(Refusal::BadQuantity)?;
            parcel.carrier = carrier.to_owned();
            parcel.tracking = tracking.to_owned();
            Ok(())
        })
    }

    /// Marks a shipped line as arrived.
    ///
    /// # Errors
    /// [`Refusal::WrongState`].
    pub fn deliver(&self, line: LineNumber) -> Result<(), Refusal> {
        self.on_line(line, Action::Delivered, |order, at, now| {
            let line = &mut order.lines[at];
            if line.state != LineState::Shipped {
                return Err(Refusal::WrongState(line.state));
            }
            line.state = LineState::Delivered;
            line.delivered_at = Some(now);
            Ok(())
        })
    }

    /// Cancels a line of which nothing has left. Its units go back on sale, and an open cancel request is done.
    ///
    /// # Errors
    /// [`Refusal::WrongState`].
    pub fn cancel(&self, line: LineNumber, reason: &str) -> Result<(), Refusal> {
        self.cancel_on(line, reason, CancelTerms::default())
    }

    /// Cancels a line on other terms than [`Acting::cancel`].
    ///
    /// # Errors
    /// [`Refusal::WrongState`].
    pub fn cancel_on(&self, line: LineNumber, reason: &str, terms: CancelTerms) -> Result<(), Refusal> {
        let order = self.market.read(|state| state.line(line).map(|(order, _)| order.number));
        let subject = Subject { order, line: Some(line), ..Subject::default() };
        let action = Action::Cancelled { reason: reason.to_owned() };
        self.perform(subject, action, |state, now| {
            let (order, at) = state.line_mut(line)?;
            let left = order.lines[at].quantity - order.lines[at].cancelled_quantity;
            cancel(order, at, reason, terms, now)?;
            let line = &order.lines[at];
            let (item, option, quantity) = (line.item, line.option, i64::from(left));
            if line.from_stock && terms.restock {
                *state.quantity_mut(item, option)? += quantity;
            }
            Ok(())
        })
    }

    /// Cancels some units of a line of which they have not left, and settles an open cancel request. They go back on sale.
    /// With the line's last open units it is [`Acting::cancel`], unless others have left.
    ///
    /// # Errors
    /// [`Refusal::WrongState`], [`Refusal::BadQuantity`].
    pub fn cancel_units(&self, line: LineNumber, quantity: u32, reason: &str) -> Result<(), Refusal> {
        let whole = |line: &super::Line| {
            line.shipped_quantity == 0 && quantity == line.open_quantity() && quantity > 0
        };
        if self.market.line(line).is_some_and(|line| whole(&line)) {
            return self.cancel(line, reason);
        }
        let order = self.market.read(|state| state.line(line).map(|(order, _)| order.number));
        let subject = Subject { order, line: Some(line), ..Subject::default() };
        let action = Action::UnitsCancelled { quantity, reason: reason.to_owned() };
        self.perform(subject, action, |state, now| {
            let (order, at) = state.line_mut(line)?;
            let (item, option, from_stock) = cancel_units(order, at, quantity, now)?;
            if from_stock {
                *state.quantity_mut(item, option)? += i64::from(quantity);
            }
            Ok(())
        })
    }

    /// Makes a claim on a line: a cancel request before it leaves, a return or exchange after.
    ///
    /// # Errors
    /// [`Refusal::ClaimOpen`], [`Refusal::WrongState`].
    pub fn claim(&self, line: LineNumber, kind: ClaimKind, reason: &str) -> Result<(), Refusal> {
        let all = self.market.line(line).map(|line| line.quantity - line.cancelled_quantity);
        self.claim_units(line, kind, all.unwrap_or_default(), reason)
    }

    /// Makes a claim on some units of a line.
    ///
    /// # Errors
    /// As [`Acting::claim`], and [`Refusal::BadQuantity`].
    pub fn claim_units(
        &self,
        line: LineNumber,
        kind: ClaimKind,
        quantity: u32,
        reason: &str,
    ) -> Result<(), Refusal> {
        self.on_line(line, Action::ClaimMade { kind }, |order, at, now| {
            let number = line;
            let line = &order.lines[at];
            let has_left = matches!(line.state, LineState::Shipped | LineState::Delivered);
            let fits = match kind {
                ClaimKind::Cancel | ClaimKind::Unpaid => !has_left && line.state != LineState::Cancelled,
                ClaimKind::Return | ClaimKind::Exchange | ClaimKind::NotReceived => has_left,
            };
            if !fits {
                return Err(Refusal::WrongState(line.state));
            }
            if order.claims.iter().any(|claim| claim.line == number && claim.is_open()) {
                return Err(Refusal::ClaimOpen);
            }
            if quantity == 0 || quantity > line.quantity - line.cancelled_quantity {
                return Err(Refusal::BadQuantity);
            }
            order.claims.push(Claim {
                line: number,
                kind,
                state: ClaimState::Requested,
                quantity,
                reason: reason.to_owned(),
                requested_at: now,
                settled_at: None,
            });
            Ok(())
        })
    }

    /// Asks to cancel a line.
    ///
    /// # Errors
    /// As [`Acting::claim`].
    pub fn request_cancel(&self, line: LineNumber, reason: &str) -> Result<(), Refusal> {
        self.claim(line, ClaimKind::Cancel, reason)
    }

    /// Takes a cancel request back.
    ///
    /// # Errors
    /// [`Refusal::NoOpenClaim`].
    pub fn withdraw_cancel(&self, line: LineNumber) -> Result<(), Refusal> {
        self.move_claim(line, ClaimKind::Cancel, ClaimState::Withdrawn)
    }

    /// Moves an open claim on. A cancel request that is done cancels the line: use [`Acting::cancel`] for that.
    ///
    /// # Errors
    /// [`Refusal::NoOpenClaim`].
    pub fn move_claim(&self, line: LineNumber, kind: ClaimKind, to: ClaimState) -> Result<(), Refusal> {
        self.on_line(line, Action::ClaimMoved { kind, state: to }, |order, _, now| {
            let open = |claim: &&mut Claim| claim.line == line && claim.kind == kind && claim.is_open();
            let claim = order.claims.iter_mut().find(open).ok_or(Refusal::NoOpenClaim)?;
            claim.state = to;
            if !claim.is_open() {
                claim.settled_at = Some(now);
            }
            Ok(())
        })
    }

    /// Sets how many units of an item, or of an option of it, are for sale.
    ///
    /// # Errors
    /// [`Refusal::NoSuchItem`], [`Refusal::NoSuchOption`].
    pub fn set_quantity(&self, item: ItemId, option: Option<OptionId>, quantity: i64) -> Result<(), Refusal> {
        let subject = Subject { item: Some(item), option, ..Subject::default() };
        self.perform(subject, Action::QuantitySet { quantity }, |state, _| {
            *state.quantity_mut(item, option)? = quantity;
            Ok(())
        })
    }

    /// Changes how many units are for sale by a difference, not below 0. Returns the new quantity.
    ///
    /// # Errors
    /// [`Refusal::NoSuchItem`], [`Refusal::NoSuchOption`].
    pub fn change_quantity(&self, item: ItemId, option: Option<OptionId>, by: i64) -> Result<i64, Refusal> {
        self.change_from(item, option, by, 0)
    }

    /// As [`Acting::change_quantity`], also below 0: some channels show what was oversold.
    ///
    /// # Errors
    /// As [`Acting::change_quantity`].
    pub fn shift_quantity(&self, item: ItemId, option: Option<OptionId>, by: i64) -> Result<i64, Refusal> {
        self.change_from(item, option, by, i64::MIN)
    }

    fn change_from(
        &self,
        item: ItemId,
        option: Option<OptionId>,
        by: i64,
        least: i64,
    ) -> Result<i64, Refusal> {
        let now = self.market.clock.now();
        let mut state = lock(&self.market.state);
        let result = state.quantity_mut(item, option).map(|quantity| {
            *quantity = quantity.saturating_add(by).max(least);
            *quantity
        });
        let subject = Subject { item: Some(item), option, ..Subject::default() };
        let action = Action::QuantityChanged { by, quantity: *result.as_ref().unwrap_or(&0) };
        state.note(now, self.actor.clone(), subject, action, result.as_ref().err().cloned());
        result
    }

    /// Sets the price of an item.
    ///
    /// # Errors
    /// [`Refusal::NoSuchItem`].
    pub fn set_price(&self, item: ItemId, price: Amount) -> Result<(), Refusal> {
        let subject = Subject { item: Some(item), ..Subject::default() };
        self.perform(subject, Action::PriceSet { price }, |state, _| {
            state.item_mut(item)?.price = price;
            Ok(())
        })
    }

    /// Sets what an option costs more than its item.
    ///
    /// # Errors
    /// [`Refusal::NoSuchItem`], [`Refusal::NoSuchOption`].
    pub fn set_surcharge(&self, item: ItemId, option: OptionId, surcharge: Amount) -> Result<(), Refusal> {
        let subject = Subject { item: Some(item), option: Some(option), ..Subject::default() };
        self.perform(subject, Action::PriceSet { price: surcharge }, |state, _| {
            let options = &mut state.item_mut(item)?.options;
            options.iter_mut().find(|o| o.id == option).ok_or(Refusal::NoSuchOption)?.surcharge = surcharge;
            Ok(())
        })
    }

    /// Sets the last day of an item's sale.
    ///
    /// # Errors
    /// [`Refusal::NoSuchItem`].
    pub fn set_sale_end(&self, item: ItemId, date: NaiveDate) -> Result<(), Refusal> {
        let subject = Subject { item: Some(item), ..Subject::default() };
        self.perform(subject, Action::SaleEndSet { date }, |state, _| {
            state.item_mut(item)?.sale_ends = Some(date);
            Ok(())
        })
    }

    /// Writes to the buyer.
    ///
    /// # Errors
    /// [`Refusal::NoSuchOrder`].
    pub fn mail_buyer(&self, number: OrderNumber, subject: &str, text: &str) -> Result<(), Refusal> {
        let about = Subject { order: Some(number), ..Subject::default() };
        self.perform(about, Action::BuyerMailed { subject: subject.to_owned() }, |state, now| {
            let mail = BuyerMail { at: now, subject: subject.to_owned(), text: text.to_owned() };
            state.order_mut(number)?.mails.push(mail);
            Ok(())
        })
    }
}
