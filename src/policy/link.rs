//! Whether an order is taken into the merchant's hub.

use super::{Reason, Rule};
use crate::model::{CancelState, LinkState, Order, OrderRecord, OrderStatus};

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Asked {
    /// A cycle.
    ByCycle,
    /// A manual run (OS-8).
    ByHand,
}

/// What becomes of an order that was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It is linked, or linked again.
    Link(Reason),
    /// It can't be linked yet; it is watched until it can or never will.
    Watch(Reason),
    /// It is not linked.
    Exclude(Reason),
    /// It is known; its state is brought up to date.
    Known(Reason),
}

impl Decision {
    /// The reason.
    pub fn reason(&self) -> &Reason {
        match self {
            Self::Link(reason) | Self::Watch(reason) | Self::Exclude(reason) | Self::Known(reason) => reason,
        }
    }
}

/// Decides about an order that was seen.
pub fn decide(order: &Order, known: Option<&OrderRecord>, asked: Asked) -> Decision {
    match known.map(|record| record.link) {
        Some(LinkState::Linked { .. }) => {
            return Decision::Known(Reason::new(Rule::Os4, "linked before; nothing is linked twice"));
        }
        Some(LinkState::Deleted { .. }) if asked == Asked::ByCycle => {
            return Decision::Known(Reason::new(
                Rule::Os9,
                "deleted locally; only a manual run brings it back",
            ));
        }
        _ => {}
    }
    match (order.status, order.cancel) {
        (OrderStatus::Cancelled | OrderStatus::Returned, _) => {
            Decision::Exclude(Reason::new(Rule::Os3, "already cancelled or returned"))
        }
        (status, _) if status.is_past_dispatch() => {
            Decision::Exclude(Reason::new(Rule::Os3, "already shipped"))
        }
        (_, CancelState::ReturnOrExchange) => {
            Decision::Exclude(Reason::new(Rule::Os3, "a return or exchange is under way"))
        }
        (_, CancelState::Requested) => Decision::Watch(Reason::new(Rule::Os3, "a cancel request is open")),
        (OrderStatus::PendingPayment, _) => {
            Decision::Watch(Reason::new(Rule::Os3, "not paid yet; taken once it is paid"))
        }
        (OrderStatus::New | OrderStatus::Confirmed, CancelState::None) => match (known, asked) {
            (Some(OrderRecord { link: LinkState::Deleted { .. }, .. }), Asked::ByHand) => {
                Decision::Link(Reason::new(Rule::Os8, "deleted locally and brought back by a manual run"))
            }
            _ => Decision::Link(Reason::new(Rule::Os1, "new, paid and not claimed")),
        },
        _ => Decision::Watch(Reason::new(Rule::Os3, "its state is not known to the adapter")),
    }
}
