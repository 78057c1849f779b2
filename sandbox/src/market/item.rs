//! What is for sale.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::ids::{ItemId, OptionId};
use crate::Amount;

/// One axis of an option: colour = red.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Axis {
    /// The axis, for example カラー.
    pub name: String,
    /// The value on it, for example 赤.
    pub value: String,
}

impl Axis {
    /// An axis with its value.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into() }
    }
}

/// Whether an item can be bought.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemStatus {
    /// Buyers see it.
    #[default]
    OnSale,
    /// Not shown; the seller can put it on sale.
    Waiting,
    /// The channel has not looked at it yet.
    InReview,
    /// The channel took it down.
    Stopped,
    /// The channel restricts it.
    Restricted,
    /// The channel refused it.
    Refused,
}

/// An option (variant) of an item, with its own stock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ItemOption {
    /// Its id.
    pub id: OptionId,
    /// Its axes, in the item's order.
    pub axes: Vec<Axis>,
    /// The seller's code (SKU).
    pub sku: String,
    /// Added to the item's price.
    pub surcharge: Amount,
    /// Units for sale.
    pub quantity: i64,
}

/// An item as the marketplace lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Item {
    /// Its id.
    pub id: ItemId,
    /// The seller who offers it.
    pub seller: String,
    /// The seller's code (SKU).
    pub seller_code: String,
    /// Its title.
    pub title: String,
    /// Whether it can be bought.
    pub status: ItemStatus,
    /// Price without surcharges.
    pub price: Amount,
    /// Currency, ISO 4217.
    pub currency: String,
    /// Units for sale, of an item without options.
    pub quantity: i64,
    /// Last day of the sale.
    pub sale_ends: Option<NaiveDate>,
    /// Its options; empty for a simple item.
    pub options: Vec<ItemOption>,
}

impl Item {
    /// The option with this id.
    pub fn option(&self, id: OptionId) -> Option<&ItemOption> {
        self.options.iter().find(|option| option.id == id)
    }
}

/// An option to be listed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OptionDraft {
    /// Its axes.
    pub axes: Vec<Axis>,
    /// The seller's code (SKU).
    pub sku: String,
    /// Added to the item's price.
    pub surcharge: Amount,
    /// Units for sale.
    pub quantity: i64,
}

/// An item to be listed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ItemDraft {
    /// Its id; the next free one when absent.
    pub id: Option<ItemId>,
    /// The seller who offers it.
    pub seller: String,
    /// The seller's code (SKU).
    pub seller_code: String,
    /// Its title.
    pub title: String,
    /// Whether it can be bought.
    pub status: ItemStatus,
    /// Price without surcharges.
    pub price: Amount,
    /// Currency, ISO 4217.
    pub currency: String,
    /// Units for sale, of an item without options.
    pub quantity: i64,
    /// Last day of the sale.
    pub sale_ends: Option<NaiveDate>,
    /// Its options.
    pub options: Vec<OptionDraft>,
}

impl Default for ItemDraft {
    fn default() -> Self {
        Self {
            id: None,
            seller: super::DEFAULT_SELLER.to_owned(),
            seller_code: String::new(),
            title: String::new(),
            status: ItemStatus::OnSale,
            price: Amount::ZERO,
            currency: "JPY".to_owned(),
            quantity: 0,
            sale_ends: None,
            options: Vec::new(),
        }
    }
}

impl ItemDraft {
    /// A simple item on sale.
    pub fn simple(seller_code: &str, title: &str, price: Amount, quantity: i64) -> Self {
        Self { seller_code: seller_code.into(), title: title.into(), price, quantity, ..Self::default() }
    }

    /// Adds an option.
    #[must_use]
    pub fn with_option(mut self, axes: Vec<Axis>, sku: &str, quantity: i64) -> Self {
        self.options.push(OptionDraft { axes, sku: sku.into(), quantity, ..OptionDraft::default() });
        self
    }
}
