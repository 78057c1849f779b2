//! The options in force for one account. Only checking makes them, so they cannot be wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;

use super::{AccountMode, DeliveryTracking, Percent, Reconcile, ShipOffset};
use crate::channel::{HandOver, Notify};

/// How orders come to be confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConfirmPolicy {
    /// By the library (OC-1).
    FullAuto,
    /// By the application (OC-2).
    Manual,
    /// The channel has no confirmation: a linked order counts as confirmed (OC-3).
    NotNeeded,
}

/// How much stock is shown (SS-1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct StockPolicy {
    /// The share.
    pub share: Percent,
    /// Pieces kept back first.
    pub reserve: u32,
    /// What is done about differences (SS-11).
    pub reconcile: Reconcile,
}

/// The options in force for one account: made by [`EffectiveOptions::check`] only.
#[derive(Debug, Clone, PartialEq)]
pub struct EffectiveOptions {
    pub(super) order_sync: bool,
    pub(super) zone: Tz,
    pub(super) channel_zone: Tz,
    pub(super) max_orders_per_cycle: u32,
    pub(super) lookback: TimeDelta,
    pub(super) confirm: ConfirmPolicy,
    pub(super) instruct: bool,
    pub(super) centre: bool,
    pub(super) stock: Option<StockPolicy>,
    pub(super) mode: AccountMode,
    pub(super) tracking: DeliveryTracking,
    pub(super) ship_offset: Option<ShipOffset>,
    pub(super) holidays: BTreeSet<NaiveDate>,
    pub(super) notify: Option<Notify>,
    pub(super) credentials_end: Option<DateTime<Utc>>,
    pub(super) sku_from_channel: bool,
    pub(super) hand_over: Option<HandOver>,
    pub(super) asks_hand_over: bool,
    pub(super) settings: Arc<BTreeMap<String, serde_json::Value>>,
}

impl EffectiveOptions {
    /// Whether cycles fetch orders (OS-1).
    pub fn order_sync(&self) -> bool {
        self.order_sync
    }

    /// The zone of the schedule's days (OS-2).
    pub fn zone(&self) -> Tz {
        self.zone
    }

    /// The zone of the channel's business day (SD-1).
    pub fn channel_zone(&self) -> Tz {
        self.channel_zone
    }

    /// Most orders that one cycle links (OS-4).
    pub fn max_orders_per_cycle(&self) -> u32 {
        self.max_orders_per_cycle
    }

    /// By how much windows overlap (OS-7).
    pub fn lookback(&self) -> TimeDelta {
        self.lookback
    }

    /// How orders come to be confirmed (OC).
    pub fn confirm(&self) -> ConfirmPolicy {
        self.confirm
    }

    /// Whether the centre is instructed automatically (FI-1).
    pub fn instructs(&self) -> bool {
        self.instruct
    }

    /// Whether the account has a fulfilment centre.
    pub fn has_centre(&self) -> bool {
        self.centre
    }

    /// How much stock is shown; `None`: nothing is pushed (SS-7).
    pub fn stock(&self) -> Option<StockPolicy> {
        self.stock
    }

    /// What the account is for (AM).
    pub fn mode(&self) -> AccountMode {
        self.mode
    }

    /// Whether the account only counts (AM-2).
    pub fn statistics_only(&self) -> bool {
        self.mode == AccountMode::StatisticsOnly
    }

    /// Which orders are followed (DT).
    pub fn tracking(&self) -> DeliveryTracking {
        self.tracking
    }

    /// The expected ship date (SD-1).
    pub fn ship_offset(&self) -> Option<ShipOffset> {
        self.ship_offset
    }

    /// Extra non-working days (SD-2).
    pub fn holidays(&self) -> &BTreeSet<NaiveDate> {
        &self.holidays
    }

    /// What dispatch says about mails to the buyer; `None`: the channel has no such thing (NB-1).
    pub fn notify(&self) -> Option<Notify> {
        self.notify
    }

    /// When the merchant said that the credentials end (KE-1).
    pub fn credentials_end(&self) -> Option<DateTime<Utc>> {
        self.credentials_end
    }

    /// Whether a line's code from the channel counts as its SKU for fulfilment (RC).
    pub fn sku_from_channel(&self) -> bool {
        self.sku_from_channel
    }

    /// How parcels reach the carrier (HM).
    pub fn hand_over(&self) -> Option<HandOver> {
        self.hand_over
    }

    /// Whether dispatch needs a hand-over method (HM-3).
    pub fn asks_hand_over(&self) -> bool {
        self.asks_hand_over
    }

    /// The values of the channel's own options.
    pub fn settings(&self) -> Arc<BTreeMap<String, serde_json::Value>> {
        Arc::clone(&self.settings)
    }
}
