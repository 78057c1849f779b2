//! What a channel is, as data.

use std::time::Duration;

use chrono::NaiveDate;
use chrono_tz::Tz;

use crate::channel::Operation;
use crate::model::{ChannelId, Currency, OrderStatus};
use crate::options::OptionDescription;

/// A text in the three languages of the library.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
pub struct LocalText {
    /// English.
    pub en: &'static str,
    /// Japanese.
    pub ja: &'static str,
    /// Korean.
    pub ko: &'static str,
}

/// How far an adapter's facts can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChannelState {
    /// Built from the channel's documents and working clients, checked on this day. Not yet against a live account.
    VerifiedAgainstDocuments(NaiveDate),
    /// Part of the channel's facts could not be established.
    Part(&'static str),
    /// Nothing can be verified any more.
    Unverified(&'static str),
}

/// A published or prudent limit on calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limit {
    /// The operations it counts; empty: all together.
    pub operations: &'static [Operation],
    /// Calls.
    pub calls: u32,
    /// Per this long.
    pub per: Duration,
    /// Whether the channel publishes it, or it is our own prudence.
    pub published: bool,
}

impl Limit {
    /// A limit on all operations together.
    pub const fn on_all(calls: u32, per: Duration) -> Self {
        Self { operations: &[], calls, per, published: true }
    }

    /// A limit on some operations, counted together.
    pub const fn on(operations: &'static [Operation], calls: u32, per: Duration) -> Self {
        Self { operations, calls, per, published: true }
    }

    /// A limit that the channel does not publish.
    pub const fn assumed(mut self) -> Self {
        self.published = false;
        self
    }
}

/// Where an order line's SKU may come from on channels with their own option codes (RC).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum OptionCode {
    /// The line's SKU is used as it is.
    Plain,
    /// The merchant chooses whether the option code counts as SKU for fulfilment (RC-1, RC-2).
    Choice,
}

/// A row of the channel's status table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusMapping {
    /// The channel's word.
    pub channel: &'static str,
    /// Ours.
    pub status: OrderStatus,
}

/// What a channel is, as data. The hub and the options know no channel by name: they ask this.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ChannelInfo {
    /// Its id.
    pub id: ChannelId,
    /// Its name.
    pub name: LocalText,
    /// The zone of its business day.
    pub zone: Tz,
    /// Currencies seen there.
    pub currencies: Vec<Currency>,
    /// How far the facts can be trusted.
    pub state: ChannelState,
    /// The longest span that one fetch may ask for.
    pub max_window: Duration,
    /// Most orders in one confirmation call.
    pub confirm_batch: usize,
    /// Most parcels in one dispatch call.
    pub dispatch_batch: usize,
    /// Most listings in one stock call.
    pub stock_batch: usize,
    /// Most orders in one re-read.
    pub read_batch: usize,
    /// Limits on calls.
    pub limits: Vec<Limit>,
    /// Whether the option code is the merchant's choice.
    pub option_code: OptionCode,
    /// Smallest and largest quantity that can be set.
    pub stock_range: (u32, u32),
    /// How long credentials usually live, for a warning where nobody entered a date; `None`: they don't end.
    pub credential_life: Option<Duration>,
    /// Options of this channel alone.
    pub options: Vec<OptionDescription>,
    /// Its status table.
    pub statuses: Vec<StatusMapping>,
    /// Where its API is described.
    pub documentation: &'static str,
}

impl ChannelInfo {
    /// A channel with modest sizes: one item a call, windows of a day, no limits.
    pub fn new(id: impl Into<ChannelId>, name: LocalText, zone: Tz, currency: Currency) -> Self {
        Self {
            id: id.into(),
            name,
            zone,
            currencies: vec![currency],
            state: ChannelState::Unverified("not stated"),
            max_window: Duration::from_secs(24 * 3600),
            confirm_batch: 1,
            dispatch_batch: 1,
            stock_batch: 1,
            read_batch: 1,
            limits: Vec::new(),
            option_code: OptionCode::Plain,
            stock_range: (0, i32::MAX as u32),
            credential_life: None,
            options: Vec::new(),
            statuses: Vec::new(),
            documentation: "",
        }
    }
}
