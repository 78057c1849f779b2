//! What only Ecwid knows of orders and items, and how an order looks with it.

use std::borrow::Cow;
use std::collections::HashMap;

use chrono::{DateTime, Utc};

use crate::market::{
    ClaimKind, ClaimState, ItemId, LineState, MarketState, OptionId, Order, OrderNumber, OrderState,
};

/// A word that was written, and what the market said when it was: once the market says another, the word is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) word: String,
    pub(super) over: String,
}

/// What only Ecwid knows of an order.
#[derive(Debug, Clone, Default)]
pub struct OrderCard {
    /// The flag; by default it is the market's: whether a claim is open.
    pub withdrawal_requested: Option<bool>,
    /// Another system ships it.
    pub external_fulfillment: bool,
    /// The buyer comes to the shop.
    pub pickup: bool,
    /// Downloads: nothing to ship.
    pub digital: bool,
    /// There is no `shippingPerson`.
    pub without_address: bool,
    /// An abandoned cart.
    pub incomplete: bool,
    /// It was deleted.
    pub deleted: bool,
    pub(super) payment: Option<Written>,
    pub(super) fulfillment: Option<Written>,
    /// With how many parcels the order had then.
    pub(super) tracking: Option<(String, usize)>,
    pub(super) without_mails: bool,
    pub(super) notes: String,
    pub(super) comments: Option<String>,
    /// Its units are back on sale by REFUNDED.
    pub(super) restocked: bool,
    pub(super) updated_at: Option<DateTime<Utc>>,
    /// The statuses in the last webhook.
    pub(super) told: Option<(String, String)>,
}

impl OrderCard {
    pub(super) fn touch(&mut self, now: DateTime<Utc>) {
        self.updated_at = self.updated_at.max(Some(now));
    }
}

/// What only Ecwid knows of a product or a variation.
#[derive(Debug, Clone, Default)]
pub struct ItemCard {
    /// Stock is not tracked.
    pub unlimited: bool,
    /// A bundle of others.
    pub bundle: bool,
    /// In how many locations it lies; 0 where the store has none.
    pub locations: u32,
    /// It sells at zero, if the store allows it.
    pub preorder: bool,
    /// A variation without a SKU of its own.
    pub without_sku: bool,
    /// A gift card.
    pub gift_card: bool,
}

/// An order as it was.
#[derive(Debug, Clone)]
pub(super) struct Snapshot {
    pub(super) order: Order,
    pub(super) card: OrderCard,
}

#[derive(Debug, Default)]
pub(super) struct Ledger {
    cards: HashMap<OrderNumber, OrderCard>,
    items: HashMap<(ItemId, Option<OptionId>), ItemCard>,
    /// What the search finds while it is behind.
    pub(super) indexed: HashMap<OrderNumber, Snapshot>,
    pub(super) events: u64,
}

impl Ledger {
    pub(super) fn card(&self, order: OrderNumber) -> Cow<'_, OrderCard> {
        self.cards.get(&order).map_or_else(|| Cow::Owned(OrderCard::default()), Cow::Borrowed)
    }

    pub(super) fn card_mut(&mut self, order: OrderNumber) -> &mut OrderCard {
        self.cards.entry(order).or_default()
    }

    pub(super) fn item(&self, item: ItemId, option: Option<OptionId>) -> ItemCard {
        self.items.get(&(item, option)).cloned().unwrap_or_default()
    }

    pub(super) fn item_mut(&mut self, item: ItemId, option: Option<OptionId>) -> &mut ItemCard {
        self.items.entry((item, option)).or_default()
    }
}

/// The payment status of the market's state.
pub(super) fn payment_of(order: &Order) -> &'static str {
    match (order.state(), order.paid_at) {
        (OrderState::Cancelled, _) => "CANCELLED",
        (_, Some(_)) => "PAID",
        (_, None) => "AWAITING_PAYMENT",
    }
}

/// The fulfilment status of the market's state. Ecwid knows no parts: an order of which units have left is in process.
pub(super) fn fulfillment_of(order: &Order) -> &'static str {
    let live = order.lines.iter().filter(|line| line.state != LineState::Cancelled);
    let live: Vec<_> = live.collect();
    let returned =
        |claim: &&crate::market::Claim| claim.kind == ClaimKind::Return && claim.state == ClaimState::Done;
    if !live.is_empty()
        && live.iter().all(|l| order.claims.iter().filter(returned).any(|c| c.line == l.number))
    {
        return "RETURNED";
    }
    let lines = if live.is_empty() { order.lines.iter().collect() } else { live };
    match lines.iter().map(|line| line.progress(order.paid_at.is_some())).min() {
        Some(LineState::Delivered) => "DELIVERED",
        Some(LineState::Shipped) => "SHIPPED",
        Some(LineState::Confirmed) => "PROCESSING",
        _ if lines.iter().any(|line| line.shipped_quantity > 0) => "PROCESSING",
        _ => "AWAITING_PROCESSING",
    }
}

/// An order with its card.
pub(super) struct View<'a> {
    pub(super) order: Cow<'a, Order>,
    pub(super) card: Cow<'a, OrderCard>,
}

impl View<'_> {
    pub(super) fn payment(&self) -> &str {
        if self.card.incomplete { "INCOMPLETE" } else { shown(&self.card.payment, payment_of(&self.order)) }
    }

    pub(super) fn fulfillment(&self) -> &str {
        shown(&self.card.fulfillment, fulfillment_of(&self.order))
    }

    pub(super) fn tracking(&self) -> &str {
        match &self.card.tracking {
            Some((number, parcels)) if *parcels == self.order.parcels.len() => number,
            _ => self.order.parcels.last().map(|parcel| parcel.tracking.as_str()).unwrap_or_default(),
        }
    }

    pub(super) fn withdrawal_requested(&self) -> bool {
        let open = || self.order.claims.iter().any(crate::market::Claim::is_open);
        self.card.withdrawal_requested.unwrap_or_else(open)
    }

    pub(super) fn updated_at(&self) -> DateTime<Utc> {
        self.card.updated_at.map_or(self.order.updated_at, |at| at.max(self.order.updated_at))
    }

    pub(super) fn statuses(&self) -> (String, String) {
        (self.payment().to_owned(), self.fulfillment().to_owned())
    }
}

fn shown<'a>(written: &'a Option<Written>, market: &'static str) -> &'a str {
    written.as_ref().filter(|written| written.over == market).map_or(market, |written| &written.word)
}

/// The seller's order as it is now, deleted ones too.
pub(super) fn view<'a>(
    state: &'a MarketState,
    ledger: &'a Ledger,
    seller: &str,
    number: OrderNumber,
) -> Option<View<'a>> {
    let order = state.order(number).filter(|order| order.seller == seller)?;
    Some(View { order: Cow::Borrowed(order), card: ledger.card(number) })
}
