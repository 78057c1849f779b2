//! What only this channel knows of an order, and stock records without an item.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;

use crate::market::{ItemId, OptionId, OrderNumber};

/// How far the channel's check of an order for fraud is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FraudCheck {
    /// The order is looked at, and held meanwhile.
    Checking,
    /// It was looked at and handed to the store.
    Released,
    /// It is fraud: it can only be cancelled.
    Fraud,
}

/// What became of a card's authorization before the order leaves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CardAuthorization {
    /// The money is taken when the order leaves.
    #[default]
    Open,
    /// The money was taken already.
    Taken,
    /// It has ended: no money will come.
    Ended,
}

/// What was reported of the one parcel.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Shipment {
    pub(super) method: String,
    pub(super) notes: String,
    pub(super) company: String,
    pub(super) number1: String,
    pub(super) number2: String,
    pub(super) empty_reason: String,
    pub(super) url: String,
    pub(super) ship_date: Option<NaiveDate>,
    pub(super) arrival_date: Option<NaiveDate>,
}

/// A cancellation that is accepted and not done.
#[derive(Debug, Clone)]
pub(super) struct DueCancel {
    pub(super) at: DateTime<Utc>,
    pub(super) reason: String,
    pub(super) detail: String,
}

/// Of one order.
#[derive(Debug, Clone, Default)]
pub(super) struct Slip {
    pub(super) is_reserved: bool,
    pub(super) is_held: bool,
    pub(super) is_closed: bool,
    pub(super) first_done: Option<NaiveDate>,
    pub(super) is_being_shipped: bool,
    pub(super) is_unshippable: bool,
    pub(super) fraud: Option<FraudCheck>,
    pub(super) published_at: Option<DateTime<Utc>>,
    pub(super) authorization: CardAuthorization,
    pub(super) cancel_reason: String,
    pub(super) cancel_detail: String,
    pub(super) cancel_due: Option<DueCancel>,
    pub(super) shipment: Shipment,
    pub(super) parent: Option<OrderNumber>,
    pub(super) children: Vec<OrderNumber>,
    pub(super) changed_at: Option<DateTime<Utc>>,
    /// Values that are shown in place of the face's own, by the name of the field.
    pub(super) fields: BTreeMap<String, String>,
}

/// A stock record of a code that no item has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Loose {
    pub(super) quantity: i64,
}

/// Whose stock: an item's or an option's.
pub(super) type StockKey = (ItemId, Option<OptionId>);

/// A store, an item code and a sub code.
pub(super) type LooseKey = (String, String, String);

#[derive(Debug, Default)]
pub(super) struct Ledger {
    slips: BTreeMap<OrderNumber, Slip>,
    pub(super) unlimited: BTreeSet<StockKey>,
    pub(super) overdraft: BTreeMap<StockKey, bool>,
    pub(super) closed: BTreeSet<StockKey>,
    pub(super) stock_set_at: BTreeMap<StockKey, DateTime<Utc>>,
    pub(super) loose: BTreeMap<LooseKey, Loose>,
}

impl Ledger {
    pub(super) fn slip(&self, order: OrderNumber) -> Slip {
        self.slips.get(&order).cloned().unwrap_or_default()
    }

    pub(super) fn slip_mut(&mut self, order: OrderNumber) -> &mut Slip {
        self.slips.entry(order).or_default()
    }

    pub(super) fn slip_ref(&self, order: OrderNumber) -> Option<&Slip> {
        self.slips.get(&order)
    }

    /// The orders of which a cancellation is due.
    pub(super) fn due(&self, now: DateTime<Utc>) -> Vec<OrderNumber> {
        let is_due = |slip: &Slip| slip.cancel_due.as_ref().is_some_and(|due| due.at <= now);
        self.slips.iter().filter(|(_, slip)| is_due(slip)).map(|(&order, _)| order).collect()
    }
}
