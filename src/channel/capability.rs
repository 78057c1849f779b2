//! Names of capabilities and operations, and what a connection test answers.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Channel;

/// One thing that a channel may be able to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Capability {
    /// Read orders.
    FetchOrders,
    /// Tell the channel that the seller has taken an order.
    ConfirmOrders,
    /// Tell the buyer when an order will ship.
    SetShipDate,
    /// Report a parcel, with its tracking number.
    DispatchOrders,
    /// Set the quantity shown.
    UpdateStock,
    /// Say whether the channel mails the buyer about a parcel.
    NotifyBuyer,
    /// Read what is offered for sale.
    ListListings,
    /// See and decide cancel requests.
    HandleCancellations,
    /// Replace credentials that end.
    RenewCredentials,
    /// Be told of changes by the channel.
    ReceiveWebhooks,
}

impl Capability {
    /// All of them, in the order of the capability table.
    pub const ALL: [Self; 10] = [
        Self::FetchOrders,
        Self::ConfirmOrders,
        Self::SetShipDate,
        Self::DispatchOrders,
        Self::UpdateStock,
        Self::NotifyBuyer,
        Self::ListListings,
        Self::HandleCancellations,
        Self::RenewCredentials,
        Self::ReceiveWebhooks,
    ];

    /// The words used in tables and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FetchOrders => "fetch orders",
            Self::ConfirmOrders => "confirm orders",
            Self::SetShipDate => "set ship date",
            Self::DispatchOrders => "dispatch orders",
            Self::UpdateStock => "update stock",
            Self::NotifyBuyer => "notify buyer",
            Self::ListListings => "list listings",
            Self::HandleCancellations => "handle cancellations",
            Self::RenewCredentials => "renew credentials",
            Self::ReceiveWebhooks => "receive webhooks",
        }
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The capabilities that a channel hands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Capabilities(u16);

impl Capabilities {
    /// Asks the channel itself.
    pub fn of(channel: &dyn Channel) -> Self {
        let mut bits = bit(Capability::FetchOrders);
        let mut add = |offered: bool, capability| {
            if offered {
                bits |= bit(capability);
            }
        };
        add(channel.confirm().is_some(), Capability::ConfirmOrders);
        add(channel.ship_date().is_some(), Capability::SetShipDate);
        add(channel.dispatch().is_some(), Capability::DispatchOrders);
        add(channel.stock().is_some(), Capability::UpdateStock);
        add(channel.notify().is_some(), Capability::NotifyBuyer);
        add(channel.listings().is_some(), Capability::ListListings);
        add(channel.cancellations().is_some(), Capability::HandleCancellations);
        add(channel.credentials().is_some(), Capability::RenewCredentials);
        add(channel.webhooks().is_some(), Capability::ReceiveWebhooks);
        Self(bits)
    }

    /// Whether this one is among them.
    pub fn has(self, capability: Capability) -> bool {
        self.0 & bit(capability) != 0
    }

    /// Those that are there, in table order.
    pub fn iter(self) -> impl Iterator<Item = Capability> {
        Capability::ALL.into_iter().filter(move |c| self.has(*c))
    }
}

fn bit(capability: Capability) -> u16 {
    1 << capability as u16
}

/// A single operation, as it is named in errors, limits, spans and metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Operation {
    /// Page through orders.
    FetchOrders,
    /// Re-read known orders.
    ReadOrders,
    /// Confirm.
    Confirm,
    /// Set the ship date by a call of its own.
    SetShipDate,
    /// Report a parcel.
    Dispatch,
    /// Change the tracking of a parcel.
    UpdateTracking,
    /// Set quantities.
    SetStock,
    /// Read the quantities shown.
    ReadStock,
    /// Page through listings.
    ListListings,
    /// Page through cancel requests.
    ListCancellations,
    /// Decide a cancel request.
    DecideCancellation,
    /// Read when credentials end.
    ReadExpiry,
    /// Replace credentials.
    RenewCredentials,
    /// Take a webhook.
    ReceiveWebhook,
    /// Test the connection.
    TestConnection,
    /// Instruct the fulfilment centre.
    Instruct,
    /// Read the centre's stock.
    CentreStock,
    /// Read the centre's shipments.
    CentreShipments,
    /// Tell the centre the tracking numbers that the channel gave.
    CentreTracking,
}

impl Operation {
    /// The name, in snake case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FetchOrders => "fetch_orders",
            Self::ReadOrders => "read_orders",
            Self::Confirm => "confirm",
            Self::SetShipDate => "set_ship_date",
            Self::Dispatch => "dispatch",
            Self::UpdateTracking => "update_tracking",
            Self::SetStock => "set_stock",
            Self::ReadStock => "read_stock",
            Self::ListListings => "list_listings",
            Self::ListCancellations => "list_cancellations",
            Self::DecideCancellation => "decide_cancellation",
            Self::ReadExpiry => "read_expiry",
            Self::RenewCredentials => "renew_credentials",
            Self::ReceiveWebhook => "receive_webhook",
            Self::TestConnection => "test_connection",
            Self::Instruct => "instruct",
            Self::CentreStock => "centre_stock",
            Self::CentreShipments => "centre_shipments",
            Self::CentreTracking => "centre_tracking",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether these credentials allow a capability.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CapabilityCheck {
    /// A harmless read proved it.
    Allowed,
    /// Nothing harmless can prove it; the channel grants it with the others.
    Assumed,
    /// Missing, and why: the scope, the IP address, the key.
    Denied {
        /// What is missing and what to do.
        reason: String,
    },
}

/// What a connection test found (CT-1).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectionReport {
    /// Each capability that the channel has.
    pub capabilities: Vec<(Capability, CapabilityCheck)>,
    /// When the credentials end, where the channel tells.
    pub credentials_end: Option<DateTime<Utc>>,
    /// The channel's clock less ours, in seconds, where it tells. Beyond a few minutes signatures fail.
    pub clock_skew_seconds: Option<i64>,
    /// What else a person should know: an API version that ends, a setting at the channel.
    pub notes: Vec<String>,
}

impl ConnectionReport {
    /// A report of these checks.
    pub fn new(capabilities: Vec<(Capability, CapabilityCheck)>) -> Self {
        Self { capabilities, credentials_end: None, clock_skew_seconds: None, notes: Vec::new() }
    }

    /// Whether nothing is denied.
    pub fn is_complete(&self) -> bool {
        !self.capabilities.iter().any(|(_, check)| matches!(check, CapabilityCheck::Denied { .. }))
    }
}
