//! The traits. All are object safe.

use std::fmt;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{
    CancelAction, CancelDecision, CancelPage, ChannelInfo, ConfirmRequest, Confirmed, ConnectionReport,
    Context, CredentialPart, Credentials, DispatchRequest, Dispatched, HandOver, ListingPage, OrderPage,
    OrderQuery, Outcome, PageCursor, Repeat, ShipDateRequest, StockAccepted, StockChange, TrackingUpdate,
    WebhookReply, WebhookRequest,
};
use crate::error::Result;
use crate::model::{ListingKey, Order, Window};

/// One merchant's connection to one sales channel.
///
/// An accessor that returns `None` says that the channel has no such thing; the option that needs it is then not
/// shown, and setting it is an error.
#[async_trait]
pub trait Channel: Send + Sync + fmt::Debug {
    /// What the channel is.
    fn info(&self) -> &ChannelInfo;

    /// Reads orders.
    fn orders(&self) -> &dyn FetchOrders;

    /// Confirms orders.
    fn confirm(&self) -> Option<&dyn ConfirmOrders> {
        None
    }

    /// Sets expected ship dates.
    fn ship_date(&self) -> Option<ShipDates<'_>> {
        None
    }

    /// Reports parcels.
    fn dispatch(&self) -> Option<&dyn DispatchOrders> {
        None
    }

    /// Sets quantities.
    fn stock(&self) -> Option<&dyn UpdateStock> {
        None
    }

    /// Controls the channel's mails to the buyer.
    fn notify(&self) -> Option<&dyn NotifyBuyer> {
        None
    }

    /// Reads what is offered.
    fn listings(&self) -> Option<&dyn ListListings> {
        None
    }

    /// Sees and decides cancel requests.
    fn cancellations(&self) -> Option<&dyn HandleCancellations> {
        None
    }

    /// Replaces credentials.
    fn credentials(&self) -> Option<&dyn RenewCredentials> {
        None
    }

    /// Takes webhooks.
    fn webhooks(&self) -> Option<&dyn ReceiveWebhooks> {
        None
    }

    /// Proves the credentials by a harmless read (CT-1), and says which capabilities they allow.
    ///
    /// # Errors
    /// `Unauthorized`, `CredentialExpired`, `Forbidden`, or what keeps the channel from answering.
    async fn test(&self, cx: &Context) -> Result<ConnectionReport>;
}

/// Reads orders.
#[async_trait]
pub trait FetchOrders: Send + Sync {
    /// One page of the orders in a window. The first call has no cursor; the listing is complete when a page has no
    /// `next`. Memory is one page.
    ///
    /// # Errors
    /// Any kind but `Refused`; a row that can't be read is not an error but an unreadable row.
    async fn fetch(&self, cx: &Context, query: &OrderQuery, cursor: Option<&PageCursor>)
    -> Result<OrderPage>;

    /// The present state of known orders, at most [`ChannelInfo::read_batch`] of them. One outcome each, in their
    /// order; `Refused` for an order that the channel does not have any more.
    ///
    /// # Errors
    /// Fails as a whole only where nothing is known about any order.
    async fn read(&self, cx: &Context, orders: &[&Order]) -> Result<Vec<Outcome<Order>>>;
}

/// Tells the channel that the seller has taken orders.
#[async_trait]
pub trait ConfirmOrders: Send + Sync {
    /// Confirms at most [`ChannelInfo::confirm_batch`] orders. One outcome each, in their order.
    ///
    /// # Errors
    /// Fails as a whole only where nothing is known about any order.
    async fn confirm(&self, cx: &Context, requests: &[ConfirmRequest<'_>])
    -> Result<Vec<Outcome<Confirmed>>>;

    /// Whether a confirmation of unknown outcome may be sent again unseen.
    fn repeat(&self) -> Repeat;
}

/// How a channel takes expected ship dates.
#[derive(Clone, Copy)]
pub enum ShipDates<'a> {
    /// With the confirmation, in the same call; never after it.
    WithConfirmation,
    /// By a call of its own.
    Separate(&'a dyn SetShipDate),
}

impl fmt::Debug for ShipDates<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WithConfirmation => "WithConfirmation",
            Self::Separate(_) => "Separate",
        })
    }
}

/// Sets expected ship dates by a call of its own.
#[async_trait]
pub trait SetShipDate: Send + Sync {
    /// Sets the dates. One outcome each, in their order.
    ///
    /// # Errors
    /// Fails as a whole only where nothing is known about any order.
    async fn set_ship_date(&self, cx: &Context, requests: &[ShipDateRequest<'_>])
    -> Result<Vec<Outcome<()>>>;

    /// Whether a call of unknown outcome may be sent again unseen.
    fn repeat(&self) -> Repeat;
}

/// Reports parcels.
#[async_trait]
pub trait DispatchOrders: Send + Sync {
    /// Reports at most [`ChannelInfo::dispatch_batch`] parcels. One outcome each, in their order.
    ///
    /// # Errors
    /// Fails as a whole only where nothing is known about any parcel.
    async fn dispatch(
        &self,
        cx: &Context,
        requests: &[DispatchRequest<'_>],
    ) -> Result<Vec<Outcome<Dispatched>>>;

    /// Whether a dispatch of unknown outcome may be sent again unseen.
    fn repeat(&self) -> Repeat;

    /// The hand-over methods among which the merchant must choose (HM); empty: the channel does not ask.
    fn hand_over_methods(&self) -> &[HandOver];
}

/// Sets the quantities that buyers see.
#[async_trait]
pub trait UpdateStock: Send + Sync {
    /// Sets at most [`ChannelInfo::stock_batch`] quantities, absolute. One outcome each, in their order.
    ///
    /// # Errors
    /// Fails as a whole only where nothing is known about any listing.
    async fn set_stock(
        &self,
        cx: &Context,
        changes: &[StockChange<'_>],
    ) -> Result<Vec<Outcome<StockAccepted>>>;

    /// Reads the quantities that the channel shows (SS-11). One outcome each, in their order.
    ///
    /// # Errors
    /// Fails as a whole only where nothing is known about any listing.
    async fn read_stock(&self, cx: &Context, listings: &[ListingKey]) -> Result<Vec<Outcome<StockAccepted>>>;
}

/// Controls the channel's mails to the buyer (NB-1). A channel that offers this obeys
/// [`DispatchRequest::notify`].
#[async_trait]
pub trait NotifyBuyer: Send + Sync {
    /// Changes the tracking of parcels that were reported before, and says whether the buyer is mailed.
    ///
    /// # Errors
    /// Fails as a whole only where nothing is known about any parcel.
    async fn update_tracking(&self, cx: &Context, updates: &[TrackingUpdate<'_>])
    -> Result<Vec<Outcome<()>>>;
}

/// Reads what is offered for sale.
#[async_trait]
pub trait ListListings: Send + Sync {
    /// One page. The first call has no cursor; the listing is complete when a page has no `next`.
    ///
    /// # Errors
    /// Any kind but `Refused`.
    async fn list(&self, cx: &Context, cursor: Option<&PageCursor>) -> Result<ListingPage>;
}

/// Sees and decides cancel requests.
#[async_trait]
pub trait HandleCancellations: Send + Sync {
    /// One page of the requests made in a window, open and closed.
    ///
    /// # Errors
    /// Any kind but `Refused`.
    async fn requests(&self, cx: &Context, window: Window, cursor: Option<&PageCursor>)
    -> Result<CancelPage>;

    /// What can be decided by API.
    fn actions(&self) -> &[CancelAction];

    /// Decides. One outcome each, in their order.
    ///
    /// # Errors
    /// Fails as a whole only where nothing is known about any order.
    async fn decide(&self, cx: &Context, decisions: &[CancelDecision<'_>]) -> Result<Vec<Outcome<()>>>;
}

/// Replaces credentials that end (KE).
#[async_trait]
pub trait RenewCredentials: Send + Sync {
    /// The parts of the channel's credentials.
    fn parts(&self) -> &[CredentialPart];

    /// The credentials in use, for comparing with their replacement (KE-3).
    async fn current(&self) -> Credentials;

    /// When the credentials end, where the channel has an API for it; `Ok(None)`: it has none.
    ///
    /// # Errors
    /// Any kind.
    async fn expiry(&self, cx: &Context) -> Result<Option<DateTime<Utc>>>;

    /// Checks the new credentials by a harmless read and uses them from then on. Saving them first is the caller's
    /// part; the hub does.
    ///
    /// # Errors
    /// `Unauthorized` when the channel does not accept them: the old ones stay in use.
    async fn replace(&self, cx: &Context, credentials: &Credentials) -> Result<()>;
}

/// Takes webhooks.
#[async_trait]
pub trait ReceiveWebhooks: Send + Sync {
    /// Checks the signature on the raw body, in constant time, and reads it.
    ///
    /// # Errors
    /// `Unauthorized` when the signature is wrong: answer 401 and do nothing.
    async fn receive(&self, request: &WebhookRequest<'_>) -> Result<WebhookReply>;
}
