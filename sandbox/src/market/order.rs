//! Orders, their lines, parcels and mails as the marketplace keeps them.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::claim::Claim;
use super::ids::{ItemId, LineNumber, OptionId, OrderNumber};
use super::item::Axis;
use crate::Amount;

/// A person with the ways to reach them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Person {
    /// The name.
    pub name: String,
    /// How the name is read (kana); often empty.
    pub reading: String,
    /// Landline.
    pub phone: String,
    /// Mobile phone.
    pub mobile: String,
    /// Mail address.
    pub email: String,
}

/// Where an order goes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Address {
    /// Country, ISO 3166 alpha-2.
    pub country: String,
    /// Postal code as the buyer wrote it.
    pub postal_code: String,
    /// Prefecture, province or state.
    pub region: String,
    /// City and ward.
    pub city: String,
    /// Street and number.
    pub line1: String,
    /// Building and room.
    pub line2: String,
}

/// How far a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineState {
    /// Ordered, not paid.
    AwaitingPayment,
    /// Paid: new for the seller.
    Paid,
    /// The seller has taken it.
    Confirmed,
    /// All its units are on the way.
    Shipped,
    /// It arrived.
    Delivered,
    /// It will not be delivered.
    Cancelled,
}

/// How far an order is, from its lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderState {
    /// Ordered, not paid.
    AwaitingPayment,
    /// Paid; at least one line is not confirmed.
    Paid,
    /// Every line is confirmed.
    Confirmed,
    /// Some units are on the way, some are not.
    PartlyShipped,
    /// Everything is on the way.
    Shipped,
    /// Everything arrived.
    Delivered,
    /// Every line is cancelled.
    Cancelled,
}

/// The day by which the seller says a line leaves, and why so late.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShipPromise {
    /// The day, in the channel's zone.
    pub date: NaiveDate,
    /// The channel's code for the reason, if any.
    #[serde(default)]
    pub reason: String,
    /// The seller's words to it, if any.
    #[serde(default)]
    pub memo: String,
}

/// One line of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Its number.
    pub number: LineNumber,
    /// The item.
    pub item: ItemId,
    /// The option, if the item has options.
    pub option: Option<OptionId>,
    /// The seller's code of the item.
    pub seller_code: String,
    /// The seller's code of the option; empty without option.
    pub option_sku: String,
    /// The axes of the option.
    pub axes: Vec<Axis>,
    /// The title when it was bought.
    pub title: String,
    /// Units bought.
    pub quantity: u32,
    /// Units already shipped.
    pub shipped_quantity: u32,
    /// Units that will not be delivered; all of them when the line is cancelled.
    pub cancelled_quantity: u32,
    /// Price of a unit.
    pub unit_price: Amount,
    /// Discount on the line.
    pub discount: Amount,
    /// How far it is.
    pub state: LineState,
    /// When the seller says it leaves.
    pub promise: Option<ShipPromise>,
    /// When the seller took it.
    pub confirmed_at: Option<DateTime<Utc>>,
    /// When its last unit left.
    pub shipped_at: Option<DateTime<Utc>>,
    /// When it arrived.
    pub delivered_at: Option<DateTime<Utc>>,
    /// When it was cancelled.
    pub cancelled_at: Option<DateTime<Utc>>,
    /// Whether its units were taken from the item's quantity, and go back when it is cancelled.
    pub from_stock: bool,
}

impl Line {
    /// Units that are neither shipped nor cancelled.
    pub fn open_quantity(&self) -> u32 {
        self.quantity.saturating_sub(self.shipped_quantity).saturating_sub(self.cancelled_quantity)
    }

    /// Price of all units less the discount.
    pub fn total(&self) -> Amount {
        self.unit_price * self.quantity - self.discount
    }

    /// How far the line came, whether or not it was cancelled afterwards.
    pub fn progress(&self, paid: bool) -> LineState {
        if self.delivered_at.is_some() {
            LineState::Delivered
        } else if self.shipped_at.is_some() {
            LineState::Shipped
        } else if self.confirmed_at.is_some() {
            LineState::Confirmed
        } else if paid {
            LineState::Paid
        } else {
            LineState::AwaitingPayment
        }
    }
}

/// Units of a line in a parcel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParcelLine {
    /// The line.
    pub line: LineNumber,
    /// Units of it.
    pub quantity: u32,
}

/// A parcel that left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Parcel {
    /// The carrier, as the seller named it.
    pub carrier: String,
    /// The tracking number.
    pub tracking: String,
    /// What is in it.
    pub lines: Vec<ParcelLine>,
    /// When it was reported.
    pub shipped_at: DateTime<Utc>,
}

/// A mail that the seller sent to the buyer through the channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BuyerMail {
    /// When.
    pub at: DateTime<Utc>,
    /// Its subject.
    pub subject: String,
    /// Its text.
    pub text: String,
}

/// An order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Order {
    /// Its number.
    pub number: OrderNumber,
    /// What was paid together: several orders can share a cart.
    pub cart: u64,
    /// The seller it belongs to.
    pub seller: String,
    /// Who bought.
    pub buyer: Person,
    /// Who receives.
    pub recipient: Person,
    /// Where it goes.
    pub address: Address,
    /// Its lines; never empty.
    pub lines: Vec<Line>,
    /// What the buyer pays for shipping.
    pub shipping_fee: Amount,
    /// Currency, ISO 4217.
    pub currency: String,
    /// How it was paid.
    pub payment_method: String,
    /// The buyer's message to the seller.
    pub message: String,
    /// The day on which the buyer wants it.
    pub desired_delivery: Option<NaiveDate>,
    /// When it was ordered.
    pub ordered_at: DateTime<Utc>,
    /// When it was paid.
    pub paid_at: Option<DateTime<Utc>>,
    /// When anything of it last changed.
    pub updated_at: DateTime<Utc>,
    /// Parcels that left.
    pub parcels: Vec<Parcel>,
    /// Cancel and return requests, oldest first.
    pub claims: Vec<Claim>,
    /// Mails to the buyer.
    pub mails: Vec<BuyerMail>,
}

impl Order {
    /// How far the order is: as far as the line that is least far, leaving out cancelled ones.
    pub fn state(&self) -> OrderState {
        let live = || self.lines.iter().filter(|line| line.state != LineState::Cancelled);
        let Some(least) = live().map(|line| line.state).min() else { return OrderState::Cancelled };
        if least < LineState::Shipped && live().any(|line| line.shipped_quantity > 0) {
            return OrderState::PartlyShipped;
        }
        match least {
            LineState::AwaitingPayment => OrderState::AwaitingPayment,
            LineState::Paid => OrderState::Paid,
            LineState::Confirmed => OrderState::Confirmed,
            LineState::Shipped => OrderState::Shipped,
            LineState::Delivered => OrderState::Delivered,
            LineState::Cancelled => OrderState::Cancelled,
        }
    }

    /// The line with this number.
    pub fn line(&self, number: LineNumber) -> Option<&Line> {
        self.lines.iter().find(|line| line.number == number)
    }

    /// The last parcel that holds units of a line.
    pub fn parcel_of(&self, line: LineNumber) -> Option<&Parcel> {
        self.parcels.iter().rev().find(|parcel| parcel.lines.iter().any(|l| l.line == line))
    }

    /// The newest claim on a line that was not taken back.
    pub fn claim_on(&self, line: LineNumber) -> Option<&Claim> {
        self.claims.iter().rev().find(|claim| claim.line == line && claim.is_shown())
    }
}
