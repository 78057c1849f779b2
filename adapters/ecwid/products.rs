//! Products and their variations, as listings and stock need them (sheet, stock: read; listings). No call is made here.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::{Error, Result};
use crate::lenient::{Text, body_text, object};

use super::errors::{Endpoint, failure};
use super::lines::{OptionRow, option_words};
use super::wire::{readable, rows, time};

/// The fields of a list: the whole rows are large. What an unknown name does is not known, so that only those of the
/// documentation pages are named.
pub(super) const LIST_FIELDS: &str = "total,count,offset,limit,items(id,sku,name,enabled,quantity,unlimited,\
                                      outOfStockVisibilityBehaviour,combinations(id,sku,quantity,unlimited,\
                                      outOfStockVisibilityBehaviour,options))";

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct ProductRow<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    sku: Text<'a>,
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    enabled: Text<'a>,
    #[serde(borrow)]
    quantity: Text<'a>,
    #[serde(borrow)]
    unlimited: Text<'a>,
    #[serde(borrow)]
    update_timestamp: Text<'a>,
    #[serde(borrow)]
    updated: Text<'a>,
    #[serde(borrow)]
    composite_components: Option<&'a RawValue>,
    #[serde(borrow)]
    location_inventory: Option<&'a RawValue>,
    #[serde(borrow)]
    combinations: Option<&'a RawValue>,
    #[serde(borrow)]
    error_code: Text<'a>,
    #[serde(borrow)]
    error_message: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct VariationRow<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    sku: Text<'a>,
    #[serde(borrow)]
    quantity: Text<'a>,
    #[serde(borrow)]
    unlimited: Text<'a>,
    #[serde(borrow)]
    location_inventory: Option<&'a RawValue>,
    #[serde(borrow)]
    options: Option<&'a RawValue>,
}

/// What is sold and counted as one: a product by itself, or a variation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Offer {
    pub(super) id: String,
    pub(super) sku: Option<String>,
    /// Can be negative; `None`: not told.
    pub(super) quantity: Option<i64>,
    pub(super) unlimited: Option<bool>,
    /// Several locations keep their own quantities.
    pub(super) several_locations: bool,
    /// The options of a variation in words.
    pub(super) words: String,
}

impl Offer {
    /// Whether it sells without end. A quantity is left out exactly then.
    pub(super) fn is_unlimited(&self) -> bool {
        self.unlimited.unwrap_or(self.quantity.is_none())
    }

    /// The quantity that buyers see, in pieces; `None`: none is told.
    pub(super) fn shown(&self) -> Option<u32> {
        let quantity = self.quantity.filter(|_| !self.is_unlimited())?;
        Some(u32::try_from(quantity.max(0)).unwrap_or(u32::MAX))
    }
}

/// A product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Product {
    pub(super) offer: Offer,
    pub(super) name: String,
    pub(super) enabled: Option<bool>,
    /// It is made of others.
    pub(super) is_bundle: bool,
    pub(super) changed: Option<DateTime<Utc>>,
    pub(super) variations: Vec<Offer>,
}

impl Product {
    /// The product itself, or one of its variations.
    pub(super) fn offer(&self, variation: &str) -> Option<&Offer> {
        if variation.is_empty() {
            return Some(&self.offer);
        }
        self.variations.iter().find(|offer| offer.id == variation)
    }
}

fn several(locations: Option<&RawValue>) -> bool {
    let locations: Option<HashMap<String, &RawValue>> =
        locations.and_then(|raw| serde_json::from_str(raw.get()).ok());
    locations.is_some_and(|locations| locations.len() > 1)
}

/// Reads a product.
///
/// # Errors
/// `MalformedResponse` when it has no id, or a variation has none; the failure that it reports.
pub(super) fn product(text: &str) -> Result<Product> {
    let row: ProductRow<'_> = object("the product", text)?;
    let id = match row.id.filled() {
        Some(id) => id.to_owned(),
        None => {
            let failed = failure(Endpoint::Product, &row.error_code, &row.error_message);
            return Err(failed.unwrap_or_else(|| Error::malformed("the product has no id")));
        }
    };
    let variations = rows("the variations", row.combinations)?;
    let parts = rows("the parts of a bundle", row.composite_components)?;
    Ok(Product {
        offer: Offer {
            id,
            sku: row.sku.filled().map(str::to_owned),
            quantity: row.quantity.integer(),
            unlimited: row.unlimited.flag(),
            several_locations: several(row.location_inventory),
            words: String::new(),
        },
        name: row.name.trim().to_owned(),
        enabled: row.enabled.flag(),
        is_bundle: !parts.is_empty(),
        changed: time(&row.update_timestamp, &row.updated),
        variations: variations.into_iter().map(variation).collect::<Result<_>>()?,
    })
}

fn variation(raw: &RawValue) -> Result<Offer> {
    let row: VariationRow<'_> = object("a variation", raw.get())?;
    let id = row.id.filled().ok_or_else(|| Error::malformed("a variation has no id"))?;
    let options: Vec<OptionRow<'_>> = readable(row.options);
    Ok(Offer {
        id: id.to_owned(),
        sku: row.sku.filled().map(str::to_owned),
        quantity: row.quantity.integer(),
        unlimited: row.unlimited.flag(),
        several_locations: several(row.location_inventory),
        words: option_words(&options),
    })
}

/// The product in the answer of a single read.
///
/// # Errors
/// `MalformedResponse` when it is another one.
pub(super) fn product_result(body: &[u8], id: &str) -> Result<Product> {
    let product = product(&body_text(body))?;
    if product.offer.id != id {
        return Err(Error::malformed("the answer is about another product"));
    }
    Ok(product)
}
