//! Fulfilment centres: warehouses that ship orders on the merchant's behalf.

mod memory;

use std::fmt;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::channel::{Outcome, Tracking};
use crate::error::Result;
use crate::model::{AccountId, LineId, Order, OrderId, Private, Sku};

pub use memory::MemoryCentre;

/// A warehouse that ships orders.
///
/// `sales-channels` never assumes that a call arrived: every instruction carries a key, and the same key twice is
/// one parcel (FI-4).
#[async_trait]
pub trait FulfillmentCenter: Send + Sync + fmt::Debug {
    /// Its name, for reports.
    fn name(&self) -> &str;

    /// What lies on the shelves, in the order asked. A SKU that the centre does not stock has `on_hand: None`.
    ///
    /// # Errors
    /// Any kind.
    async fn stock_levels(&self, skus: &[Sku]) -> Result<Vec<StockLevel>>;

    /// Tells the centre to ship orders. One outcome each, in their order. The same key again is
    /// [`Outcome::AlreadyDone`] and ships nothing more.
    ///
    /// # Errors
    /// Fails as a whole only where nothing is known about any order.
    async fn instruct(&self, instructions: &[Instruction<'_>]) -> Result<Vec<Outcome<()>>>;

    /// What left the centre for this account since a cursor, oldest first. `None`: from the beginning.
    ///
    /// # Errors
    /// Any kind.
    async fn shipments(&self, account: &AccountId, since: Option<&str>) -> Result<ShipmentPage>;

    /// Takes the numbers of parcels that it reported without one, where the channel's own logistics gives them;
    /// `None`: it has no use for them.
    fn take_tracking(&self) -> Option<&dyn TakeTracking> {
        None
    }
}

/// Takes tracking numbers and labels that a channel gave (Lazada, Shopee and TikTok Shop with their own logistics).
#[async_trait]
pub trait TakeTracking: Send + Sync {
    /// Takes them. One outcome each, in their order. The same again changes nothing: it is sent again wherever an
    /// answer was lost.
    ///
    /// # Errors
    /// Fails as a whole only where nothing is known about any parcel.
    async fn take(&self, parcels: &[GivenTracking<'_>]) -> Result<Vec<Outcome<()>>>;
}

/// A parcel's number as the channel gave it.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct GivenTracking<'a> {
    /// Whose order.
    pub account: &'a AccountId,
    /// The centre's id of the parcel: [`CentreShipment::id`].
    pub parcel: &'a str,
    /// The order.
    pub order: &'a Order,
    /// Carrier and number.
    pub tracking: &'a Tracking,
    /// The channel's own ids of the parcel, where it gave some.
    pub channel_ids: &'a [String],
    /// Where the label is, if the channel made one.
    pub label: Option<&'a Private<String>>,
}

impl<'a> GivenTracking<'a> {
    /// A number without channel ids and label.
    pub fn new(account: &'a AccountId, parcel: &'a str, order: &'a Order, tracking: &'a Tracking) -> Self {
        Self { account, parcel, order, tracking, channel_ids: &[], label: None }
    }
}

/// What lies on the shelf of one SKU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockLevel {
    /// The SKU.
    pub sku: Sku,
    /// Pieces, counting those of instructed orders that have not left; `None`: not stocked here.
    pub on_hand: Option<u32>,
}

/// An order to ship.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Instruction<'a> {
    /// Names the instruction for ever: the same key is the same parcel.
    pub key: String,
    /// Whose order.
    pub account: &'a AccountId,
    /// The order, with its recipient.
    pub order: &'a Order,
    /// What to pack.
    pub items: Vec<InstructedItem>,
}

impl<'a> Instruction<'a> {
    /// An instruction to ship an order.
    pub fn new(account: &'a AccountId, order: &'a Order, items: Vec<InstructedItem>) -> Self {
        Self { key: instruction_key(account, &order.id), account, order, items }
    }
}

/// Pieces of one SKU for one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstructedItem {
    /// The order's line.
    pub line: LineId,
    /// What to pack.
    pub sku: Sku,
    /// Pieces.
    pub quantity: u32,
}

/// The key of an order's instruction: the same order always has the same.
pub fn instruction_key(account: &AccountId, order: &OrderId) -> String {
    format!("{account}/{order}")
}

/// A parcel that left the centre.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CentreShipment {
    /// The centre's id of the parcel.
    pub id: String,
    /// The order.
    pub order: OrderId,
    /// Carrier and number; `None` where the channel's own logistics gives the number.
    pub tracking: Option<Tracking>,
    /// Which lines, and how many pieces; empty: the whole order.
    pub lines: Vec<(LineId, u32)>,
    /// When it left.
    pub shipped_at: DateTime<Utc>,
    /// Whether nothing more of this order will leave.
    pub complete: bool,
}

impl CentreShipment {
    /// One parcel with the whole order.
    pub fn whole(
        id: impl Into<String>,
        order: OrderId,
        tracking: Option<Tracking>,
        shipped_at: DateTime<Utc>,
    ) -> Self {
        Self { id: id.into(), order, tracking, lines: Vec::new(), shipped_at, complete: true }
    }
}

/// A page of shipments.
#[derive(Debug, Clone, Default)]
pub struct ShipmentPage {
    /// Parcels, oldest first.
    pub shipments: Vec<CentreShipment>,
    /// Where to go on next time; `None`: where this call began.
    pub cursor: Option<String>,
    /// Whether there are more right now.
    pub more: bool,
}
