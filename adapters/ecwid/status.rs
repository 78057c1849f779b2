//! How far an order is: the status table (sheet, status table). Two words of the channel's, for money and for goods.

use crate::channel::{Context, StatusMapping};
use crate::model::{CancelState, Hold, OrderStatus};

use super::config::{AWAITING_PAYMENT, UNLIMITED_STOCK};

/// The merchant's choices among the channel's own options.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Choices {
    /// Unpaid orders are shipped.
    pub(super) unpaid_ships: bool,
    /// A quantity switches the tracking of stock on.
    pub(super) tracks_unlimited: bool,
}

impl Choices {
    /// Reads the merchant's choices; what was not chosen is at its default.
    pub(super) fn of(cx: &Context) -> Self {
        let is = |key, word| cx.setting(key).and_then(|value| value.as_str()) == Some(word);
        Self { unpaid_ships: is(AWAITING_PAYMENT, "new"), tracks_unlimited: is(UNLIMITED_STOCK, "track") }
    }
}

/// `paymentStatus`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Payment {
    Awaited,
    Paid,
    Cancelled,
    Refunded,
    PartlyRefunded,
    /// An abandoned cart.
    Incomplete,
    /// One of the shop's own, or a word that is not known.
    Other,
}

impl Payment {
    pub(super) fn read(word: &str) -> Self {
        match word.trim().to_ascii_uppercase().as_str() {
            "AWAITING_PAYMENT" => Self::Awaited,
            "PAID" => Self::Paid,
            "CANCELLED" => Self::Cancelled,
            "REFUNDED" => Self::Refunded,
            "PARTIALLY_REFUNDED" => Self::PartlyRefunded,
            "INCOMPLETE" => Self::Incomplete,
            _ => Self::Other,
        }
    }
}

/// `fulfillmentStatus`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Goods {
    Waiting,
    Processing,
    Shipped,
    OutForDelivery,
    Delivered,
    WillNotDeliver,
    Returned,
    ReadyForPickup,
    /// One of the shop's own, or a word that is not known.
    Other,
}

impl Goods {
    pub(super) fn read(word: &str) -> Self {
        match word.trim().to_ascii_uppercase().as_str() {
            "AWAITING_PROCESSING" => Self::Waiting,
            "PROCESSING" => Self::Processing,
            "SHIPPED" => Self::Shipped,
            "OUT_FOR_DELIVERY" => Self::OutForDelivery,
            "DELIVERED" => Self::Delivered,
            "WILL_NOT_DELIVER" => Self::WillNotDeliver,
            "RETURNED" => Self::Returned,
            "READY_FOR_PICKUP" => Self::ReadyForPickup,
            _ => Self::Other,
        }
    }

    /// Whether the goods have left.
    pub(super) fn have_left(self) -> bool {
        matches!(self, Self::Shipped | Self::OutForDelivery | Self::Delivered | Self::Returned)
    }
}

/// The status table, for people. How it is read is in [`status`].
pub(super) const STATUSES: &[StatusMapping] = &[
    StatusMapping { channel: "INCOMPLETE", status: OrderStatus::PendingPayment },
    StatusMapping { channel: "CANCELLED", status: OrderStatus::Cancelled },
    StatusMapping { channel: "RETURNED", status: OrderStatus::Returned },
    StatusMapping { channel: "DELIVERED", status: OrderStatus::Delivered },
    StatusMapping { channel: "SHIPPED", status: OrderStatus::Shipped },
    StatusMapping { channel: "OUT_FOR_DELIVERY", status: OrderStatus::Shipped },
    StatusMapping { channel: "READY_FOR_PICKUP", status: OrderStatus::ReadyToShip },
    StatusMapping { channel: "WILL_NOT_DELIVER", status: OrderStatus::Cancelled },
    StatusMapping { channel: "REFUNDED, not shipped", status: OrderStatus::Cancelled },
    StatusMapping { channel: "CUSTOM_FULFILLMENT_STATUS_1, _2, _3", status: OrderStatus::Unknown },
    StatusMapping { channel: "CUSTOM_PAYMENT_STATUS_1, _2, _3", status: OrderStatus::Unknown },
    StatusMapping { channel: "AWAITING_PAYMENT", status: OrderStatus::PendingPayment },
    StatusMapping { channel: "PAID, AWAITING_PROCESSING", status: OrderStatus::New },
    StatusMapping { channel: "PAID, PROCESSING", status: OrderStatus::Confirmed },
    StatusMapping { channel: "PARTIALLY_REFUNDED, AWAITING_PROCESSING", status: OrderStatus::New },
    StatusMapping { channel: "PARTIALLY_REFUNDED, PROCESSING", status: OrderStatus::Confirmed },
];

/// How far an order is. The first row that holds decides.
pub(super) fn status(payment: Payment, goods: Goods, choices: Choices) -> OrderStatus {
    match (payment, goods) {
        (Payment::Incomplete, _) => OrderStatus::PendingPayment,
        (Payment::Cancelled, _) => OrderStatus::Cancelled,
        (_, Goods::Returned) => OrderStatus::Returned,
        (_, Goods::Delivered) => OrderStatus::Delivered,
        (_, Goods::Shipped | Goods::OutForDelivery) => OrderStatus::Shipped,
        (_, Goods::ReadyForPickup) => OrderStatus::ReadyToShip,
        (_, Goods::WillNotDeliver) | (Payment::Refunded, _) => OrderStatus::Cancelled,
        (_, Goods::Other) | (Payment::Other, _) => OrderStatus::Unknown,
        (Payment::Awaited, _) if !choices.unpaid_ships => OrderStatus::PendingPayment,
        (_, Goods::Waiting) => OrderStatus::New,
        (_, Goods::Processing) => OrderStatus::Confirmed,
    }
}

/// What beside the two words keeps an order from being shipped, or says what its buyer wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Marks {
    /// The buyer has filed a withdrawal.
    pub(super) withdrawal: bool,
    /// Another system ships it.
    pub(super) external: bool,
    /// The buyer comes to the shop.
    pub(super) pickup: bool,
    /// A line has to be shipped.
    pub(super) ships: bool,
    /// Somebody and somewhere are named.
    pub(super) addressed: bool,
}

/// Whether the buyer wants out. The flag is all that the channel shows; there is no call to answer it.
pub(super) fn cancel(payment: Payment, goods: Goods, status: OrderStatus, marks: Marks) -> CancelState {
    let left = goods.have_left() && status != OrderStatus::Cancelled;
    match (marks.withdrawal, left) {
        (true, true) => CancelState::ReturnOrExchange,
        (true, false) if status != OrderStatus::Cancelled => CancelState::Requested,
        (_, true) if payment == Payment::Refunded && goods != Goods::Returned => {
            CancelState::ReturnOrExchange
        }
        _ => CancelState::None,
    }
}

/// Why an order can't be shipped although its status would allow it.
pub(super) fn holds(payment: Payment, status: OrderStatus, choices: Choices, marks: Marks) -> Vec<Hold> {
    let mut holds = Vec::new();
    if status.is_past_dispatch() {
        return holds;
    }
    if payment == Payment::Awaited && !choices.unpaid_ships && status == OrderStatus::PendingPayment {
        holds.push(Hold::PaymentInProcess);
    }
    // Which piece was refunded is not told: shipping all of them may be wrong.
    if payment == Payment::PartlyRefunded || marks.external || marks.pickup || !marks.ships {
        holds.push(Hold::OnHold);
    }
    if marks.ships && !marks.pickup && !marks.addressed {
        holds.push(Hold::AddressWithheld);
    }
    holds
}
