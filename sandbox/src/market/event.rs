//! The record: everything that was done or tried, in order.

use std::fmt;

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use super::claim::{ClaimKind, ClaimState};
use super::ids::{ItemId, LineNumber, OptionId, OrderNumber};
use super::order::LineState;
use crate::Amount;

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Actor {
    /// The buyer.
    Buyer,
    /// The seller, in the channel's own back office.
    BackOffice,
    /// The channel itself (payment, delivery).
    Marketplace,
    /// A program, through a face.
    Api {
        /// The face.
        face: String,
        /// The operation, as the face names it.
        operation: String,
    },
}

/// What it was done to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Subject {
    /// The order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderNumber>,
    /// The line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<LineNumber>,
    /// The item.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<ItemId>,
    /// The option.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub option: Option<OptionId>,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    /// An order was placed.
    Placed,
    /// An order was paid.
    Paid,
    /// A line was confirmed.
    Confirmed {
        /// With this ship date.
        ship_date: Option<NaiveDate>,
    },
    /// The ship date was set on its own.
    ShipDateSet {
        /// The date.
        ship_date: NaiveDate,
    },
    /// Units of a line left.
    Shipped {
        /// How many.
        quantity: u32,
        /// With this carrier.
        carrier: String,
        /// Under this number.
        tracking: String,
    },
    /// A carrier or tracking number was entered or changed, and no unit left by it.
    TrackingEntered {
        /// The carrier.
        carrier: String,
        /// The tracking number; empty when it was removed.
        tracking: String,
    },
    /// A line arrived.
    Delivered,
    /// A line was cancelled.
    Cancelled {
        /// Why.
        reason: String,
    },
    /// Some units of a line were cancelled.
    UnitsCancelled {
        /// How many.
        quantity: u32,
        /// Why.
        reason: String,
    },
    /// A claim was made.
    ClaimMade {
        /// What is asked for.
        kind: ClaimKind,
    },
    /// A claim moved on.
    ClaimMoved {
        /// What was asked for.
        kind: ClaimKind,
        /// Where it is now.
        state: ClaimState,
    },
    /// A quantity was set.
    QuantitySet {
        /// To so many units.
        quantity: i64,
    },
    /// A quantity was changed by a difference.
    QuantityChanged {
        /// By so many units.
        by: i64,
        /// To so many units.
        quantity: i64,
    },
    /// A price was set.
    PriceSet {
        /// To this.
        price: Amount,
    },
    /// The last day of a sale was set.
    SaleEndSet {
        /// To this.
        date: NaiveDate,
    },
    /// The seller wrote to the buyer.
    BuyerMailed {
        /// The subject.
        subject: String,
    },
}

/// Why the marketplace did not do it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "refusal", content = "detail", rename_all = "snake_case")]
pub enum Refusal {
    /// No order has this number.
    NoSuchOrder,
    /// No line has this number.
    NoSuchLine,
    /// No item has this id.
    NoSuchItem,
    /// The item has no such option.
    NoSuchOption,
    /// An order or line with this number exists.
    NumberTaken,
    /// An order needs a line.
    NoLines,
    /// The line is confirmed already.
    AlreadyConfirmed,
    /// The line is in a state that does not allow it.
    WrongState(LineState),
    /// More units than the line has left, or none.
    BadQuantity,
    /// Fewer units are for sale than are asked for.
    OutOfStock,
    /// A claim on this line is open.
    ClaimOpen,
    /// No such claim on this line is open.
    NoOpenClaim,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::NoSuchOrder => "no such order",
            Self::NoSuchLine => "no such line",
            Self::NoSuchItem => "no such item",
            Self::NoSuchOption => "no such option",
            Self::NumberTaken => "the number is taken",
            Self::NoLines => "an order needs at least one line",
            Self::AlreadyConfirmed => "already confirmed",
            Self::WrongState(state) => return write!(f, "not possible in state {state:?}"),
            Self::BadQuantity => "not so many units",
            Self::OutOfStock => "out of stock",
            Self::ClaimOpen => "a claim is open",
            Self::NoOpenClaim => "no open claim",
        };
        f.write_str(text)
    }
}

impl std::error::Error for Refusal {}

/// One entry of the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Event {
    /// Counts from 1.
    pub seq: u64,
    /// When, on the sandbox's clock.
    pub at: DateTime<Utc>,
    /// Who.
    #[serde(flatten)]
    pub actor: Actor,
    /// To what.
    #[serde(flatten)]
    pub subject: Subject,
    /// What.
    #[serde(flatten)]
    pub action: Action,
    /// Why it was refused; none when it was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<Refusal>,
}

impl Event {
    /// Whether it changed anything.
    pub fn is_done(&self) -> bool {
        self.refused.is_none()
    }
}
