//! An order as a channel gives it.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{Currency, LineId, ListingKey, Money, OrderId, Party, Private, Sku};

/// How far an order or a line is. Claims are a second axis ([`CancelState`]), holds a third ([`Hold`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OrderStatus {
    /// A state that the adapter does not know. It is never acted upon; the channel's word is in the raw payload.
    Unknown,
    /// Not paid yet.
    PendingPayment,
    /// Paid, waiting for the seller.
    New,
    /// The seller has confirmed it.
    Confirmed,
    /// Handed to the channel's logistics, waiting for collection: nothing is left for the seller to decide.
    ReadyToShip,
    /// On its way.
    Shipped,
    /// Arrived.
    Delivered,
    /// The carrier gave up.
    DeliveryFailed,
    /// Given back, wholly.
    Returned,
    /// Cancelled.
    Cancelled,
}

impl OrderStatus {
    /// Whether nothing more will come: delivered, returned or cancelled.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Delivered | Self::Returned | Self::Cancelled)
    }

    /// Whether the goods have left, or never will from here.
    pub fn is_past_dispatch(self) -> bool {
        self >= Self::ReadyToShip
    }

    /// The word used in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::PendingPayment => "pending payment",
            Self::New => "new",
            Self::Confirmed => "confirmed",
            Self::ReadyToShip => "ready to ship",
            Self::Shipped => "shipped",
            Self::Delivered => "delivered",
            Self::DeliveryFailed => "delivery failed",
            Self::Returned => "returned",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for OrderStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether the buyer wants out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CancelState {
    /// No request, or the buyer took it back.
    #[default]
    None,
    /// A cancel request is open.
    Requested,
    /// A return, exchange or refund claim is open or closed; the order was shipped before it.
    ReturnOrExchange,
}

/// Why an order can't be shipped yet although its status would allow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Hold {
    /// The channel is still collecting the payment.
    PaymentInProcess,
    /// The channel has not released the address or phone yet.
    AddressWithheld,
    /// The channel holds it for another reason (buyer may still cancel, fraud check, scheduled).
    OnHold,
    /// A change to the order waits to be settled.
    ChangePending,
}

impl Hold {
    /// The words used in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PaymentInProcess => "payment in process",
            Self::AddressWithheld => "address not yet released",
            Self::OnHold => "on hold",
            Self::ChangePending => "a change waits to be settled",
        }
    }
}

/// What an adapter needs for its next call (package ids, line numbers, delivery numbers), as its own JSON. Nobody
/// else reads it. Debug shows only whether there is any.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ChannelData(Option<Arc<RawValue>>);

impl ChannelData {
    /// Keeps a value of the adapter's own type.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when it can't be written as JSON.
    pub fn new<T: Serialize>(value: &T) -> crate::Result<Self> {
        let raw = serde_json::value::to_raw_value(value)
            .map_err(|_| crate::Error::invalid("channel data can't be written as JSON"))?;
        Ok(Self(Some(Arc::from(raw))))
    }

    /// Reads it back; `None` when there is nothing or it is of another shape.
    pub fn read<'a, T: Deserialize<'a>>(&'a self) -> Option<T> {
        serde_json::from_str(self.0.as_ref()?.get()).ok()
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }
}

impl PartialEq for ChannelData {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_ref().map(|r| r.get()) == other.0.as_ref().map(|r| r.get())
    }
}

impl fmt::Debug for ChannelData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_empty() { "[none]" } else { "[channel data]" })
    }
}

/// The channel's own text of a row, kept as it came. It holds personal data: Debug shows only its length.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RawPayload(Arc<str>);

impl RawPayload {
    /// Keeps a text.
    pub fn new(text: &str) -> Self {
        Self(Arc::from(text))
    }

    /// The text, which holds personal data.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for RawPayload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[raw, {} bytes]", self.0.len())
    }
}

/// Where a part of an order goes. Most orders have one.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Destination {
    /// The channel's id of this part (a package, a basket), empty where it has none.
    pub id: String,
    /// Who receives it.
    pub recipient: Private<Party>,
    /// Who is named as sender on the parcel, where that is not the seller.
    pub sender: Option<Private<Party>>,
    /// The day that the buyer asked for.
    pub desired_date: Option<NaiveDate>,
    /// The buyer's word to the carrier.
    pub message: Option<Private<String>>,
}

/// Sums of an order, in the order's currency. `None`: the channel does not say or has not fixed it yet.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Totals {
    /// What the buyer pays, all in.
    pub total: Option<Money>,
    /// Shipping charged to the buyer.
    pub shipping: Option<Money>,
    /// Discount on the whole order, beside those on the lines; positive.
    pub discount: Option<Money>,
    /// What the channel pays out to the seller.
    pub settlement: Option<Money>,
}

/// A line: one product in a quantity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Line {
    /// The channel's id of the line.
    pub id: LineId,
    /// What the channel confirms and ships this line by (a box, a package, a delivery number); empty: the order.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unit: String,
    /// The listing that was bought.
    pub listing: ListingKey,
    /// The merchant's code, where the channel has it.
    pub sku: Option<Sku>,
    /// The title shown to the buyer.
    pub title: String,
    /// The chosen option in words, empty where there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub option_text: String,
    /// How many were ordered, in pieces.
    pub quantity: u32,
    /// How many of them were cancelled, in pieces.
    #[serde(default)]
    pub cancelled: u32,
    /// How many of them were shipped, in pieces.
    #[serde(default)]
    pub shipped: u32,
    /// How far the line is.
    pub status: OrderStatus,
    /// Price of one piece before discounts.
    pub unit_price: Option<Money>,
    /// Discount on the line, positive.
    pub discount: Option<Money>,
    /// What the line costs after its discount.
    pub total: Option<Money>,
    /// Index into [`Order::destinations`].
    #[serde(default)]
    pub destination: usize,
    /// The adapter's own data.
    #[serde(default, skip_serializing_if = "ChannelData::is_empty")]
    pub channel_data: ChannelData,
}

impl Line {
    /// A line with its necessary parts; the rest is set field by field.
    pub fn new(id: impl Into<LineId>, listing: ListingKey, quantity: u32, status: OrderStatus) -> Self {
        Self {
            id: id.into(),
            unit: String::new(),
            listing,
            sku: None,
            title: String::new(),
            option_text: String::new(),
            quantity,
            cancelled: 0,
            shipped: 0,
            status,
            unit_price: None,
            discount: None,
            total: None,
            destination: 0,
            channel_data: ChannelData::default(),
        }
    }

    /// Pieces that are still to be shipped.
    pub fn outstanding(&self) -> u32 {
        if self.status == OrderStatus::Cancelled {
            return 0;
        }
        self.quantity.saturating_sub(self.cancelled).saturating_sub(self.shipped)
    }
}

/// An order as fetched: what the channel confirms and ships as one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Order {
    /// The channel's id.
    pub id: OrderId,
    /// The number shown to people where it differs from the id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// Orders bought together share it (a cart).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// How far the order is.
    pub status: OrderStatus,
    /// Whether the buyer wants out.
    #[serde(default)]
    pub cancel: CancelState,
    /// Why it can't be shipped yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holds: Vec<Hold>,
    /// When the buyer ordered.
    pub ordered_at: DateTime<Utc>,
    /// When it was paid.
    pub paid_at: Option<DateTime<Utc>>,
    /// The channel's own time of the last change; where it has none, the time at which the request that read this
    /// order was sent. The newest wins (OS-12).
    pub updated_at: DateTime<Utc>,
    /// The latest time at which the channel wants it shipped.
    #[serde(default)]
    pub ship_by: Option<DateTime<Utc>>,
    /// The ship date that the channel shows to the buyer, if one was set.
    #[serde(default)]
    pub expected_ship_date: Option<NaiveDate>,
    /// The order's currency.
    pub currency: Currency,
    /// Who bought.
    pub buyer: Private<Party>,
    /// Where it goes; one for most orders, never more than the lines need.
    pub destinations: Vec<Destination>,
    /// What was bought.
    pub lines: Vec<Line>,
    /// Sums.
    pub totals: Totals,
    /// The buyer's word to the seller.
    #[serde(default)]
    pub memo: Option<Private<String>>,
    /// Carrier and tracking numbers known to the channel.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tracking: Vec<crate::channel::Tracking>,
    /// The adapter's own data.
    #[serde(default, skip_serializing_if = "ChannelData::is_empty")]
    pub channel_data: ChannelData,
    /// The row as it came.
    #[serde(default)]
    pub raw: RawPayload,
}

impl Order {
    /// An order with its necessary parts; the rest is set field by field.
    pub fn new(
        id: impl Into<OrderId>,
        status: OrderStatus,
        ordered_at: DateTime<Utc>,
        updated_at: DateTime<Utc>,
        currency: Currency,
    ) -> Self {
        Self {
            id: id.into(),
            number: None,
            group: None,
            status,
            cancel: CancelState::None,
            holds: Vec::new(),
            ordered_at,
            paid_at: None,
            updated_at,
            ship_by: None,
            expected_ship_date: None,
            currency,
            buyer: Private::default(),
            destinations: Vec::new(),
            lines: Vec::new(),
            totals: Totals::default(),
            memo: None,
            tracking: Vec::new(),
            channel_data: ChannelData::default(),
            raw: RawPayload::default(),
        }
    }

    /// The line with this id.
    pub fn line(&self, id: &LineId) -> Option<&Line> {
        self.lines.iter().find(|line| line.id == *id)
    }

    /// Which of two states of the same order is newer (OS-12). Equal times are ordered by how far the order is, then
    /// by its cancel state, so that any order of arrival ends the same.
    pub fn supersedes(&self, older: &Self) -> bool {
        (self.updated_at, self.status, self.cancel) >= (older.updated_at, older.status, older.cancel)
    }
}
