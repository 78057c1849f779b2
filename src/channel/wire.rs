//! What goes into the capability calls and what comes out.

use std::fmt;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::model::{LineId, Listing, ListingKey, Order, OrderId, Private, RawPayload, Window};

/// Which orders to fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct OrderQuery {
    /// Orders that became the seller's in this span, by the channel's time that suits best (paid, else ordered).
    /// An adapter may return more (unpaid orders, neighbours of the border); it must not return less.
    pub window: Window,
}

impl OrderQuery {
    /// All of a window.
    pub fn window(window: Window) -> Self {
        Self { window }
    }
}

/// Where a listing of pages goes on: the adapter's own text.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PageCursor(String);

impl PageCursor {
    /// A cursor.
    pub fn new(cursor: impl Into<String>) -> Self {
        Self(cursor.into())
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PageCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[cursor, {} bytes]", self.0.len())
    }
}

/// A row that can't be read. It spoils only itself (OS-11).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UnreadableRow {
    /// The order's id, if that much can be read.
    pub id: Option<OrderId>,
    /// Why it can't be read. No personal data.
    pub reason: String,
    /// The row as it came.
    pub raw: RawPayload,
}

impl UnreadableRow {
    /// A row that can't be read.
    pub fn new(id: Option<OrderId>, reason: impl Into<String>, raw: RawPayload) -> Self {
        Self { id, reason: reason.into(), raw }
    }
}

/// One row of a page.
#[derive(Debug, Clone)]
pub enum Row {
    /// Read.
    Order(Box<Order>),
    /// Not readable.
    Unreadable(UnreadableRow),
}

impl Row {
    /// The order, if it could be read.
    pub fn order(&self) -> Option<&Order> {
        match self {
            Self::Order(order) => Some(order),
            Self::Unreadable(_) => None,
        }
    }
}

/// A page of orders.
#[derive(Debug, Clone, Default)]
pub struct OrderPage {
    /// Its rows.
    pub rows: Vec<Row>,
    /// Where to go on; `None` only when the channel says that there is no more.
    pub next: Option<PageCursor>,
}

/// An order to confirm.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct ConfirmRequest<'a> {
    /// The order as fetched.
    pub order: &'a Order,
    /// The expected ship date, in the channel's zone, where the channel takes it with the confirmation (SD-3).
    pub ship_date: Option<NaiveDate>,
}

impl<'a> ConfirmRequest<'a> {
    /// Without a ship date.
    pub fn new(order: &'a Order) -> Self {
        Self { order, ship_date: None }
    }

    /// With one.
    pub fn with_ship_date(mut self, date: NaiveDate) -> Self {
        self.ship_date = Some(date);
        self
    }
}

/// What a confirmation brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Confirmed {
    /// The order has changed (ids, address): read it again before the next step.
    pub reread: bool,
}

/// An order whose ship date to set.
#[derive(Debug, Clone, Copy)]
pub struct ShipDateRequest<'a> {
    /// The order as fetched.
    pub order: &'a Order,
    /// The day, in the channel's zone.
    pub date: NaiveDate,
}

/// Carrier and tracking number. Carriers are named by their usual name; adapters translate to the channel's codes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Tracking {
    /// Carrier.
    pub carrier: String,
    /// Number on the parcel.
    pub number: String,
}

impl Tracking {
    /// A carrier with a number.
    pub fn new(carrier: impl Into<String>, number: impl Into<String>) -> Self {
        Self { carrier: carrier.into(), number: number.into() }
    }
}

/// Whether the channel mails the buyer (NB-1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Notify {
    /// The channel mails the buyer.
    Buyer,
    /// The channel is told not to.
    Nobody,
}

/// How parcels reach the carrier (HM-1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HandOver {
    /// The carrier collects.
    PickUp,
    /// The seller takes parcels to the carrier.
    DropOff,
}

impl HandOver {
    /// Its name in JSON, in snake case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PickUp => "pick_up",
            Self::DropOff => "drop_off",
        }
    }
}

/// A parcel to report.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DispatchRequest<'a> {
    /// The order as fetched.
    pub order: &'a Order,
    /// Carrier and number; `None` where the channel's own logistics gives the number.
    pub tracking: Option<&'a Tracking>,
    /// Which lines, and how many pieces of each; empty: all that is outstanding.
    pub lines: &'a [(LineId, u32)],
    /// When it left.
    pub shipped_at: DateTime<Utc>,
    /// Whether the buyer is mailed; `Some` exactly where the channel offers
    /// [`NotifyBuyer`](super::NotifyBuyer).
    pub notify: Option<Notify>,
    /// How it reaches the carrier; `Some` exactly where the channel asks for it.
    pub hand_over: Option<HandOver>,
}

impl<'a> DispatchRequest<'a> {
    /// All that is outstanding, in one parcel.
    pub fn new(order: &'a Order, tracking: Option<&'a Tracking>, shipped_at: DateTime<Utc>) -> Self {
        Self { order, tracking, lines: &[], shipped_at, notify: None, hand_over: None }
    }
}

/// What a dispatch brought.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Dispatched {
    /// The number that the channel's own logistics gave.
    pub tracking: Option<Tracking>,
    /// The channel's parcel ids.
    pub parcels: Vec<String>,
    /// Where the label is, if the channel made one.
    pub label: Option<Private<String>>,
    /// The order has changed: read it again before the next step.
    pub reread: bool,
}

/// A change to the tracking of a parcel that was reported before.
#[derive(Debug, Clone)]
pub struct TrackingUpdate<'a> {
    /// The order as fetched.
    pub order: &'a Order,
    /// The new carrier and number.
    pub tracking: &'a Tracking,
    /// Whether the buyer is mailed.
    pub notify: Notify,
}

/// A quantity to set.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct StockChange<'a> {
    /// The listing.
    pub listing: &'a ListingKey,
    /// The adapter's own data of the listing, if any was kept.
    pub channel_data: &'a crate::model::ChannelData,
    /// The quantity to show, in pieces; absolute.
    pub quantity: u32,
    /// The last quantity that the channel accepted from us, for channels that compare and set.
    pub accepted: Option<u32>,
}

impl<'a> StockChange<'a> {
    /// A quantity for a listing.
    pub fn new(listing: &'a ListingKey, channel_data: &'a crate::model::ChannelData, quantity: u32) -> Self {
        Self { listing, channel_data, quantity, accepted: None }
    }
}

/// What the channel took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StockAccepted {
    /// The quantity that it shows now; it can differ from what was asked (channels with a smallest quantity).
    pub quantity: u32,
}

/// A page of listings.
#[derive(Debug, Clone, Default)]
pub struct ListingPage {
    /// Listings.
    pub listings: Vec<Listing>,
    /// Where to go on; `None` only when the channel says that there is no more.
    pub next: Option<PageCursor>,
}

/// A cancel request as the channel shows it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct CancelRequest {
    /// The order.
    pub order: OrderId,
    /// The channel's id of the request, where it has one.
    pub id: Option<String>,
    /// When the buyer asked.
    pub requested_at: Option<DateTime<Utc>>,
    /// Whether it is still open.
    pub open: bool,
    /// The buyer's reason.
    pub reason: Private<String>,
}

impl CancelRequest {
    /// A request with its necessary parts.
    pub fn new(order: OrderId, open: bool) -> Self {
        Self { order, id: None, requested_at: None, open, reason: Private::default() }
    }
}

/// A page of cancel requests.
#[derive(Debug, Clone, Default)]
pub struct CancelPage {
    /// Requests.
    pub requests: Vec<CancelRequest>,
    /// Rows that can't be read.
    pub unreadable: Vec<UnreadableRow>,
    /// Where to go on; `None` only when the channel says that there is no more.
    pub next: Option<PageCursor>,
}

/// What to do about a cancellation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CancelAction {
    /// Grant the buyer's request.
    Accept,
    /// Refuse the buyer's request.
    Refuse,
    /// Cancel as seller, without a request.
    CancelBySeller,
}

/// Why a seller cancels. Adapters translate to the channel's codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CancelReason {
    /// The buyer asked for it.
    BuyerRequest,
    /// Nothing left to ship.
    OutOfStock,
    /// The order was changed.
    OrderChanged,
    /// The address can't be reached.
    CannotDeliver,
    /// It would take too long.
    Delay,
}

/// A decision on a cancellation.
#[derive(Debug, Clone)]
pub struct CancelDecision<'a> {
    /// The order as fetched.
    pub order: &'a Order,
    /// What to do.
    pub action: CancelAction,
    /// Why.
    pub reason: CancelReason,
    /// A word to go with it.
    pub memo: Option<&'a str>,
}

/// A call that a channel made to the application's web server. Debug shows sizes only.
#[non_exhaustive]
pub struct WebhookRequest<'a> {
    /// Header names in lower case, with their values.
    pub headers: &'a [(String, String)],
    /// The body, byte for byte as it came.
    pub body: &'a [u8],
    /// The address that the channel was told to call, with its query: some channels sign it. Empty: not known.
    pub url: &'a str,
}

impl fmt::Debug for WebhookRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[webhook, {} headers, {} bytes]", self.headers.len(), self.body.len())
    }
}

impl<'a> WebhookRequest<'a> {
    /// A call with these headers (names in lower case) and this body.
    pub fn new(headers: &'a [(String, String)], body: &'a [u8]) -> Self {
        Self { headers, body, url: "" }
    }

    /// At this address.
    pub fn at(mut self, url: &'a str) -> Self {
        self.url = url;
        self
    }

    /// The first header of this name (lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}

/// What a webhook says.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum WebhookEvent {
    /// Something happened to these orders: read them.
    OrdersChanged(Vec<OrderId>),
    /// These orders are now in this state.
    Orders(Vec<Order>),
    /// The merchant withdrew the authorisation.
    Deauthorized,
    /// Nothing that concerns this library.
    Other(String),
}

/// What to answer a webhook, and what it said.
#[derive(Debug, Clone)]
pub struct WebhookReply {
    /// HTTP status to answer.
    pub status: u16,
    /// Body to answer.
    pub body: String,
    /// The channel's id of this delivery, to drop repeats.
    pub delivery_id: Option<String>,
    /// What it said.
    pub events: Vec<WebhookEvent>,
}
