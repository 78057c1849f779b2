//! What a sales channel can do: the capability traits that adapters implement.
//!
//! [`Channel`] hands out its capabilities. What a channel can do is what it returns: there is no flag beside it
//! that could disagree. [`FetchOrders`] is the one that every channel has.

mod batch;
mod capability;
mod context;
mod credentials;
mod info;
mod outcome;
mod rotation;
mod traits;
mod wire;

pub use batch::{concerns_account, each, whole};
pub use capability::{Capabilities, Capability, CapabilityCheck, ConnectionReport, Operation};
pub use context::Context;
pub use credentials::{CredentialPart, CredentialVault, Credentials, MemoryVault, Secret};
pub use info::{ChannelInfo, ChannelState, Limit, LocalText, OptionCode, StatusMapping};
pub use outcome::{Outcome, Refusal, Repeat};
pub use rotation::RotatingCredentials;
pub use traits::{
    Channel, ConfirmOrders, DispatchOrders, FetchOrders, HandleCancellations, ListListings, NotifyBuyer,
    ReceiveWebhooks, RenewCredentials, SetShipDate, ShipDates, UpdateStock,
};
pub use wire::{
    CancelAction, CancelDecision, CancelPage, CancelReason, CancelRequest, ConfirmRequest, Confirmed,
    DispatchRequest, Dispatched, HandOver, ListingPage, Notify, OrderPage, OrderQuery, PageCursor, Row,
    ShipDateRequest, StockAccepted, StockChange, Tracking, TrackingUpdate, UnreadableRow, WebhookEvent,
    WebhookReply, WebhookRequest,
};
