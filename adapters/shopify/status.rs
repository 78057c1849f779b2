//! How far an order is: the status table (sheet 5).

use crate::channel::{Context, StatusMapping};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Hold, Line, OrderStatus};

use super::parts::Parcel;

/// The merchant's choices among the channel's own options.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Choices {
    /// Authorised payments are waited for.
    pub(super) authorized_waits: bool,
    /// Orders whose payment is pending are shipped (cash on delivery, invoices).
    pub(super) pending_ships: bool,
    /// Test orders are taken.
    pub(super) test_orders: bool,
    /// Where stock is set; `None`: the only active location.
    pub(super) location: Option<String>,
    /// A cancellation gives the money back.
    pub(super) cancel_refunds: bool,
    /// A cancellation mails the buyer.
    pub(super) cancel_mails: bool,
}

impl Choices {
    /// Reads the merchant's choices; what was not chosen is at its default.
    ///
    /// # Errors
    /// `Configuration` when the location is no id of one.
    pub(super) fn of(cx: &Context) -> Result<Self> {
        let word = |key| cx.setting(key).and_then(|value| value.as_str());
        let switch = |key, default| cx.setting(key).and_then(|value| value.as_bool()).unwrap_or(default);
        Ok(Self {
            authorized_waits: word(super::info::AUTHORIZED) == Some("wait"),
            pending_ships: word(super::info::PENDING) == Some("new"),
            test_orders: switch(super::info::TEST_ORDERS, false),
            location: word(super::info::LOCATION).map(location).transpose()?.flatten(),
            cancel_refunds: switch(super::info::CANCEL_REFUND, true),
            cancel_mails: switch(super::info::CANCEL_MAIL, false),
        })
    }
}

/// A location's id: as the channel writes it, or its number alone. Blank: none.
fn location(text: &str) -> Result<Option<String>> {
    const PREFIX: &str = "gid://shopify/Location/";
    let text = text.trim();
    let number = text.strip_prefix(PREFIX).unwrap_or(text);
    if text.is_empty() {
        return Ok(None);
    }
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Error::new(ErrorKind::Configuration).with_message(
            "the option location_id must be a location's id: gid://shopify/Location/123, or its number",
        ));
    }
    Ok(Some(format!("{PREFIX}{number}")))
}

/// What of an order decides its status.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Facts {
    pub(super) cancelled: bool,
    /// `displayFinancialStatus`, upper case; empty: not told.
    pub(super) financial: String,
    /// `displayFulfillmentStatus`, upper case.
    pub(super) fulfilment: String,
    /// `unpaid`.
    pub(super) unpaid: Option<bool>,
}

/// The status table, for people. How it is read is in [`status`].
pub(super) const STATUSES: &[StatusMapping] = &[
    StatusMapping { channel: "cancelledAt", status: OrderStatus::Cancelled },
    StatusMapping { channel: "FULFILLED", status: OrderStatus::Shipped },
    StatusMapping { channel: "FULFILLED, all parcels DELIVERED", status: OrderStatus::Delivered },
    StatusMapping {
        channel: "FULFILLED, a parcel NOT_DELIVERED or FAILURE",
        status: OrderStatus::DeliveryFailed,
    },
    StatusMapping { channel: "FULFILLMENT_NOT_REQUIRED", status: OrderStatus::Delivered },
    StatusMapping { channel: "PENDING", status: OrderStatus::PendingPayment },
    StatusMapping { channel: "PARTIALLY_PAID", status: OrderStatus::PendingPayment },
    StatusMapping { channel: "EXPIRED", status: OrderStatus::PendingPayment },
    StatusMapping { channel: "VOIDED", status: OrderStatus::PendingPayment },
    StatusMapping { channel: "REFUNDED, nothing shipped", status: OrderStatus::Cancelled },
    StatusMapping { channel: "RESTOCKED, nothing left", status: OrderStatus::Cancelled },
    StatusMapping { channel: "PARTIALLY_FULFILLED", status: OrderStatus::Confirmed },
    StatusMapping { channel: "UNFULFILLED", status: OrderStatus::New },
    StatusMapping { channel: "OPEN", status: OrderStatus::New },
    StatusMapping { channel: "IN_PROGRESS", status: OrderStatus::New },
    StatusMapping { channel: "PENDING_FULFILLMENT", status: OrderStatus::New },
    StatusMapping { channel: "ON_HOLD", status: OrderStatus::New },
    StatusMapping { channel: "SCHEDULED", status: OrderStatus::New },
    StatusMapping { channel: "REQUEST_DECLINED", status: OrderStatus::New },
];

/// Whether the seller's money is there, or safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Payment {
    There,
    Awaited,
    GivenBack,
    Unknown,
}

fn payment(facts: &Facts, choices: &Choices) -> Payment {
    match facts.financial.as_str() {
        "PAID" | "PARTIALLY_REFUNDED" => Payment::There,
        "AUTHORIZED" if !choices.authorized_waits => Payment::There,
        "PENDING" if choices.pending_ships => Payment::There,
        // A part of the money is not the money: the order waits until the rest is there.
        "PENDING" | "AUTHORIZED" | "EXPIRED" | "VOIDED" | "PARTIALLY_PAID" => Payment::Awaited,
        "REFUNDED" => Payment::GivenBack,
        "" if facts.unpaid == Some(true) => Payment::Awaited,
        _ => Payment::Unknown,
    }
}

/// How far the order is. Beyond the sheet's table: what has wholly left is shipped whatever became of the payment
/// since, and what was wholly refunded before anything left is cancelled. `left`: whether a piece is left to ship.
pub(super) fn status(facts: &Facts, parcels: &[Parcel], left: bool, choices: &Choices) -> OrderStatus {
    if facts.cancelled {
        return OrderStatus::Cancelled;
    }
    let fulfilment = facts.fulfilment.as_str();
    match fulfilment {
        "FULFILLED" => return delivery(parcels),
        // Downloads and services: there is nothing to ship, and nothing ever will be.
        "FULFILLMENT_NOT_REQUIRED" => return OrderStatus::Delivered,
        "RESTOCKED" if !left => return OrderStatus::Cancelled,
        _ => {}
    }
    let shipped = parcels.iter().any(Parcel::is_live);
    match (payment(facts, choices), fulfilment) {
        // All its pieces were taken out before anything left.
        (Payment::There, _) if !left && !shipped => OrderStatus::Cancelled,
        (Payment::Awaited, _) => OrderStatus::PendingPayment,
        (Payment::GivenBack, "PARTIALLY_FULFILLED") => OrderStatus::Confirmed,
        (Payment::GivenBack, _) => OrderStatus::Cancelled,
        (Payment::Unknown, _) => OrderStatus::Unknown,
        (Payment::There, "PARTIALLY_FULFILLED") => OrderStatus::Confirmed,
        (
            Payment::There,
            "UNFULFILLED"
            | "OPEN"
            | "IN_PROGRESS"
            | "PENDING_FULFILLMENT"
            | "ON_HOLD"
            | "SCHEDULED"
            | "REQUEST_DECLINED",
        ) => OrderStatus::New,
        (Payment::There, _) => OrderStatus::Unknown,
    }
}

/// How far the parcels of an order that has wholly left are.
fn delivery(parcels: &[Parcel]) -> OrderStatus {
    let live: Vec<&str> = parcels.iter().filter(|p| p.is_live()).map(|p| p.shown.as_str()).collect();
    if live.iter().any(|shown| matches!(*shown, "NOT_DELIVERED" | "FAILURE")) {
        return OrderStatus::DeliveryFailed;
    }
    let arrived = |shown: &&str| matches!(*shown, "DELIVERED" | "PICKED_UP");
    if !live.is_empty() && live.iter().all(arrived) { OrderStatus::Delivered } else { OrderStatus::Shipped }
}

/// Why the order can't be shipped yet. An unknown state and an awaited payment hold it too: an order that was linked
/// earlier must not be shipped from them.
pub(super) fn holds(
    facts: &Facts,
    status: OrderStatus,
    a_part_is_held: bool,
    address_denied: bool,
) -> Vec<Hold> {
    let mut holds = Vec::new();
    if status == OrderStatus::PendingPayment {
        holds.push(Hold::PaymentInProcess);
    }
    if status == OrderStatus::Confirmed && facts.financial == "REFUNDED" {
        holds.push(Hold::ChangePending);
    }
    let held = matches!(facts.fulfilment.as_str(), "ON_HOLD" | "SCHEDULED" | "REQUEST_DECLINED");
    let before_dispatch = !status.is_past_dispatch();
    if before_dispatch && (held || a_part_is_held || status == OrderStatus::Unknown) {
        holds.push(Hold::OnHold);
    }
    if before_dispatch && address_denied {
        holds.push(Hold::AddressWithheld);
    }
    holds
}

/// How far a line is, from the order's state and its own pieces.
pub(super) fn line_status(line: &Line, order: OrderStatus) -> OrderStatus {
    if order.is_past_dispatch() || matches!(order, OrderStatus::Unknown | OrderStatus::PendingPayment) {
        return order;
    }
    match (line.quantity.saturating_sub(line.cancelled), line.shipped) {
        (0, _) => OrderStatus::Cancelled,
        (pieces, shipped) if shipped >= pieces => OrderStatus::Shipped,
        _ => order,
    }
}
