//! Orders to be placed.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;

use super::ids::{ItemId, LineNumber, OptionId, OrderNumber};
use super::item::Axis;
use super::order::{Address, Person};
use crate::Amount;

/// A line to be ordered. What is absent is taken from the listed item.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LineDraft {
    /// Its number; the next free one when absent.
    pub number: Option<LineNumber>,
    /// The item; without one the line is of an item that is not listed any more.
    pub item: Option<ItemId>,
    /// The option of a listed item.
    pub option: Option<OptionId>,
    /// Units; 0 counts as 1.
    pub quantity: u32,
    /// Discount on the line.
    pub discount: Amount,
    /// The title.
    pub title: Option<String>,
    /// The seller's code of the item.
    pub seller_code: Option<String>,
    /// The seller's code of the option.
    pub option_sku: Option<String>,
    /// The axes of the option.
    pub axes: Option<Vec<Axis>>,
    /// Price of a unit.
    pub unit_price: Option<Amount>,
}

impl LineDraft {
    /// Units of a listed item.
    pub fn of(item: ItemId, quantity: u32) -> Self {
        Self { item: Some(item), quantity, ..Self::default() }
    }

    /// Units of an option of a listed item.
    pub fn of_option(item: ItemId, option: OptionId, quantity: u32) -> Self {
        Self { item: Some(item), option: Some(option), quantity, ..Self::default() }
    }

    /// Units of something that the market does not list.
    pub fn unlisted(seller_code: &str, title: &str, unit_price: Amount, quantity: u32) -> Self {
        Self {
            quantity,
            title: Some(title.into()),
            seller_code: Some(seller_code.into()),
            unit_price: Some(unit_price),
            ..Self::default()
        }
    }
}

/// An order to be placed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OrderDraft {
    /// Its number; the next free one when absent.
    pub number: Option<OrderNumber>,
    /// The cart it is paid in; its own when absent.
    pub cart: Option<u64>,
    /// The seller it belongs to.
    pub seller: String,
    /// Who bought.
    pub buyer: Person,
    /// Who receives; the buyer when absent.
    pub recipient: Option<Person>,
    /// Where it goes.
    pub address: Address,
    /// Its lines; at least one.
    pub lines: Vec<LineDraft>,
    /// What the buyer pays for shipping.
    pub shipping_fee: Amount,
    /// Currency, ISO 4217.
    pub currency: String,
    /// How it is paid.
    pub payment_method: String,
    /// The buyer's message to the seller.
    pub message: String,
    /// The day on which the buyer wants it.
    pub desired_delivery: Option<NaiveDate>,
    /// When it is ordered; now when absent.
    pub ordered_at: Option<DateTime<Utc>>,
    /// When it is paid; at once when absent.
    pub paid_at: Option<DateTime<Utc>>,
    /// Leaves it unpaid.
    pub unpaid: bool,
}

impl Default for OrderDraft {
    fn default() -> Self {
        Self {
            number: None,
            cart: None,
            seller: super::DEFAULT_SELLER.to_owned(),
            buyer: Person::default(),
            recipient: None,
            address: Address::default(),
            lines: Vec::new(),
            shipping_fee: Amount::ZERO,
            currency: "JPY".to_owned(),
            payment_method: "Credit Card".to_owned(),
            message: String::new(),
            desired_delivery: None,
            ordered_at: None,
            paid_at: None,
            unpaid: false,
        }
    }
}

impl OrderDraft {
    /// An order of these lines by a made-up buyer in Tokyo.
    pub fn of(lines: Vec<LineDraft>) -> Self {
        let buyer = Person {
            name: "山田 花子".into(),
            reading: "ヤマダ ハナコ".into(),
            mobile: "090-0000-0001".into(),
            ..Person::default()
        };
        let address = Address {
            country: "JP".into(),
            postal_code: "100-0001".into(),
            region: "東京都".into(),
            city: "千代田区".into(),
            line1: "千代田1-1".into(),
            line2: "テストビル101".into(),
        };
        Self { buyer, address, lines, ..Self::default() }
    }

    /// A plausible order of one item that is not listed.
    pub fn example() -> Self {
        Self::of(vec![LineDraft::unlisted("TEE-01", "オーガニックTシャツ 🌿", Amount::whole(1980), 2)])
    }

    /// Sets the times at which it is ordered and paid.
    #[must_use]
    pub fn paid_at(mut self, at: DateTime<Utc>) -> Self {
        self.ordered_at = Some(at);
        self.paid_at = Some(at);
        self
    }
}
