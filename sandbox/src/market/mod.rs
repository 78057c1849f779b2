//! The marketplace: items, orders, claims, parcels, and the record of everything that was done.
//!
//! It knows no channel. Faces read it with [`Market::read`] and change it with [`Market::by`], so that every change is
//! in the record with who made it. What only one channel has (package ids, tokens) is kept by its face.

mod acting;
mod changes;
mod claim;
mod draft;
mod event;
mod ids;
mod item;
mod order;
mod state;

use std::sync::{Arc, Mutex};

use chrono::NaiveDate;

pub use acting::{Acting, CancelTerms, ParcelDraft};
pub use claim::{Claim, ClaimKind, ClaimState};
pub use draft::{LineDraft, OrderDraft};
pub use event::{Action, Actor, Event, Refusal, Subject};
pub use ids::{ItemId, LineNumber, OptionId, OrderNumber};
pub use item::{Axis, Item, ItemDraft, ItemOption, ItemStatus, OptionDraft};
pub use order::{
    Address, BuyerMail, Line, LineState, Order, OrderState, Parcel, ParcelLine, Person, ShipPromise,
};
pub use state::MarketState;

use crate::{Clock, lock};

/// The seller of drafts that name none.
pub const DEFAULT_SELLER: &str = "demo-seller";

/// The marketplace. Clones are the same marketplace.
#[derive(Debug, Clone, Default)]
pub struct Market {
    state: Arc<Mutex<MarketState>>,
    clock: Clock,
}

impl Market {
    /// An empty marketplace on a clock.
    pub fn new(clock: Clock) -> Self {
        Self { state: Arc::default(), clock }
    }

    /// The clock it goes by.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Looks at it. Nobody can change it meanwhile, so be brief, and don't call the market from inside.
    pub fn read<T>(&self, look: impl FnOnce(&MarketState) -> T) -> T {
        look(&lock(&self.state))
    }

    /// Does things as somebody.
    pub fn by(&self, actor: Actor) -> Acting<'_> {
        Acting::new(self, actor)
    }

    /// Does things as the buyer.
    pub fn buyer(&self) -> Acting<'_> {
        self.by(Actor::Buyer)
    }

    /// Does things as the seller in the channel's back office.
    pub fn back_office(&self) -> Acting<'_> {
        self.by(Actor::BackOffice)
    }

    /// Does things as the channel: payment, delivery, taking down.
    pub fn marketplace(&self) -> Acting<'_> {
        self.by(Actor::Marketplace)
    }

    /// Lists an item, as if it had always been there: not in the record.
    ///
    /// # Errors
    /// [`Refusal::NumberTaken`] when the draft names an id that exists.
    pub fn list(&self, draft: ItemDraft) -> Result<ItemId, Refusal> {
        lock(&self.state).list(draft)
    }

    /// Puts orders in as if they had always been there: fast, not in the record, quantities of items stay.
    ///
    /// # Errors
    /// [`Refusal::NoLines`], [`Refusal::NumberTaken`], [`Refusal::NoSuchItem`], [`Refusal::NoSuchOption`] of the first bad
    /// draft; those before it are in.
    pub fn import(&self, drafts: impl IntoIterator<Item = OrderDraft>) -> Result<Vec<OrderNumber>, Refusal> {
        let now = self.clock.now();
        let drafts = drafts.into_iter();
        let mut state = lock(&self.state);
        let mut numbers = Vec::with_capacity(drafts.size_hint().0);
        for draft in drafts {
            numbers.push(state.insert_order(draft, now, false)?);
        }
        Ok(numbers)
    }

    /// An order as it is now.
    pub fn order(&self, number: OrderNumber) -> Option<Order> {
        self.read(|state| state.order(number).cloned())
    }

    /// A line as it is now.
    pub fn line(&self, number: LineNumber) -> Option<Line> {
        self.read(|state| state.line(number).map(|(_, line)| line.clone()))
    }

    /// The lines of an order.
    pub fn lines_of(&self, number: OrderNumber) -> Vec<LineNumber> {
        self.read(|state| {
            state
                .order(number)
                .map(|order| order.lines.iter().map(|line| line.number).collect())
                .unwrap_or_default()
        })
    }

    /// An item as it is now.
    pub fn item(&self, id: ItemId) -> Option<Item> {
        self.read(|state| state.item(id).cloned())
    }

    /// How many units of an item, or of an option of it, are for sale.
    pub fn quantity(&self, id: ItemId, option: Option<OptionId>) -> Option<i64> {
        self.read(|state| {
            let item = state.item(id)?;
            match option {
                Some(option) => item.option(option).map(|option| option.quantity),
                None => Some(item.quantity),
            }
        })
    }

    /// The whole record, oldest first.
    pub fn record(&self) -> Vec<Event> {
        self.read(|state| state.record().to_vec())
    }

    /// The events of a line, oldest first, refused ones too.
    pub fn record_of(&self, line: LineNumber) -> Vec<Event> {
        self.read(|state| {
            state.record().iter().filter(|event| event.subject.line == Some(line)).cloned().collect()
        })
    }

    /// How often a line was really confirmed, by anybody.
    pub fn confirmations(&self, line: LineNumber) -> usize {
        self.done_to(line, |action| matches!(action, Action::Confirmed { .. }).then_some(())).len()
    }

    /// The ship dates that were really set for a line, oldest first.
    pub fn ship_dates_set(&self, line: LineNumber) -> Vec<NaiveDate> {
        self.done_to(line, |action| match action {
            Action::Confirmed { ship_date } => *ship_date,
            Action::ShipDateSet { ship_date } => Some(*ship_date),
            _ => None,
        })
    }

    /// The tracking numbers under which units of a line really left, oldest first.
    pub fn dispatches(&self, line: LineNumber) -> Vec<String> {
        self.done_to(line, |action| match action {
            Action::Shipped { tracking, .. } => Some(tracking.clone()),
            _ => None,
        })
    }

    /// The quantities that were set for an item or an option of it, oldest first, repeats too.
    pub fn quantities_set(&self, item: ItemId, option: Option<OptionId>) -> Vec<i64> {
        self.read(|state| {
            let of_it = |event: &&Event| event.subject.item == Some(item) && event.subject.option == option;
            let quantity = |event: &Event| match event.action {
                Action::QuantitySet { quantity } | Action::QuantityChanged { quantity, .. }
                    if event.is_done() =>
                {
                    Some(quantity)
                }
                _ => None,
            };
            state.record().iter().filter(of_it).filter_map(quantity).collect()
        })
    }

    fn done_to<T>(&self, line: LineNumber, pick: impl Fn(&Action) -> Option<T>) -> Vec<T> {
        self.read(|state| {
            let done =
                state.record().iter().filter(|event| event.subject.line == Some(line) && event.is_done());
            done.filter_map(|event| pick(&event.action)).collect()
        })
    }
}
