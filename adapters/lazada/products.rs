//! Products as the channel shows them: SKUs, and what each warehouse can sell (sheet 4).

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::{Error, Result};
use crate::lenient::{Text, body_text, object, scalar};
use crate::model::{Listing, ListingKey, ListingState, Sku};

use super::auth::Ask;
use super::errors::Endpoint;
use super::wire::{Envelope, rows, told};

/// The only warehouse of most sellers.
pub(super) const USUAL: &str = "dropshipping";

/// What a warehouse can sell of a SKU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) code: String,
    pub(super) quantity: u32,
}

/// What the channel shows of a SKU.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Shown {
    /// What buyers can order, over the seller's own warehouses; `None`: it can't be read.
    pub(super) total: Option<u32>,
    /// `None`: a warehouse's row could not be read. Empty: none are told.
    pub(super) warehouses: Option<Vec<Held>>,
}

/// A SKU of a product.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Variant {
    pub(super) id: String,
    pub(super) listing: Listing,
    pub(super) shown: Shown,
}

/// The call that reads one product.
pub(super) fn product_ask(item: u64) -> Ask {
    Ask::get(Endpoint::Product, "/product/item/get").with("item_id", item.to_string())
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ProductRow<'a> {
    #[serde(borrow)]
    item_id: Text<'a>,
    #[serde(borrow)]
    status: Text<'a>,
    #[serde(borrow)]
    attributes: Option<&'a RawValue>,
    #[serde(borrow)]
    skus: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct AttributesRow<'a> {
    #[serde(borrow)]
    name: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct SkuRow<'a> {
    #[serde(borrow, rename = "SkuId")]
    id: Text<'a>,
    #[serde(borrow, rename = "SellerSku")]
    seller_sku: Text<'a>,
    #[serde(borrow, rename = "Status")]
    status: Text<'a>,
    #[serde(borrow, rename = "Available")]
    available: Text<'a>,
    #[serde(borrow)]
    quantity: Text<'a>,
    #[serde(borrow, rename = "multiWarehouseInventories")]
    warehouses: Option<&'a RawValue>,
}

/// The reference shows a SKU as an open object; these names are those that clients read.
#[derive(Deserialize, Default)]
#[serde(default)]
struct HeldRow<'a> {
    #[serde(borrow, rename = "warehouseCode")]
    code: Text<'a>,
    #[serde(borrow, rename = "sellableQuantity")]
    sellable: Text<'a>,
    #[serde(borrow)]
    quantity: Text<'a>,
}

/// The SKUs of a product's row.
///
/// # Errors
/// `MalformedResponse` when the product or one of its SKUs can't be read: a list with a hole would be taken for whole.
pub(super) fn variants(raw: &RawValue) -> Result<Vec<Variant>> {
    let product: ProductRow<'_> = object("a product", raw.get())?;
    let id = product.item_id.filled().ok_or_else(|| Error::malformed("a product has no id"))?;
    let title = product.attributes.map(title).unwrap_or_default();
    rows(product.skus)?
        .into_iter()
        .map(|raw| {
            let sku: SkuRow<'_> = object("a SKU", raw.get())?;
            let sku_id = sku.id.filled().ok_or_else(|| Error::malformed("a SKU has no id"))?;
            let mut listing =
                Listing::new(ListingKey::option(id, sku_id), state(&product.status, &sku.status));
            listing.sku = told(&sku.seller_sku).map(Sku::from);
            listing.title.clone_from(&title);
            let shown = shown(&sku);
            listing.quantity = shown.total;
            Ok(Variant { id: sku_id.to_owned(), listing, shown })
        })
        .collect()
}

/// The product in an answer, if it is the one that was asked for.
///
/// # Errors
/// `MalformedResponse` when it can't be read or is another.
pub(super) fn product_result(body: &[u8], item: u64) -> Result<Vec<Variant>> {
    let body = body_text(body);
    let variants = variants(Envelope::read(&body)?.data()?)?;
    let item = item.to_string();
    if variants.iter().any(|variant| variant.listing.key.item != item) {
        return Err(Error::malformed("the answer is about another product"));
    }
    Ok(variants)
}

/// The attributes come as an object, or as the text of one.
fn title(raw: &RawValue) -> String {
    let text = scalar(raw);
    let json = if raw.get().starts_with('"') { &*text } else { raw.get() };
    object::<AttributesRow<'_>>("the attributes", json)
        .map(|row| row.name.trim().to_owned())
        .unwrap_or_default()
}

/// What the states of product and SKU mean for a buyer.
pub(super) fn state(product: &str, sku: &str) -> ListingState {
    let is = |word: &str, name: &str| word.trim().eq_ignore_ascii_case(name);
    let of_product = if is(product, "active") || product.trim().is_empty() {
        ListingState::OnSale
    } else if is(product, "pending qc") {
        ListingState::Waiting
    } else if ["inactive", "suspended", "deleted"].iter().any(|name| is(product, name)) {
        ListingState::Stopped
    } else {
        ListingState::Unknown
    };
    match of_product {
        ListingState::OnSale if is(sku, "active") => ListingState::OnSale,
        ListingState::OnSale if ["inactive", "deleted"].iter().any(|name| is(sku, name)) => {
            ListingState::Stopped
        }
        ListingState::OnSale if !product.trim().is_empty() && sku.trim().is_empty() => ListingState::OnSale,
        ListingState::OnSale => ListingState::Unknown,
        state => state,
    }
}

fn pieces(text: &Text<'_>) -> Option<u32> {
    text.integer().and_then(|pieces| u32::try_from(pieces).ok())
}

fn shown(sku: &SkuRow<'_>) -> Shown {
    let held = |raw: &RawValue| {
        let row: HeldRow<'_> = object("a warehouse's stock", raw.get()).ok()?;
        let told = if row.sellable.filled().is_some() { &row.sellable } else { &row.quantity };
        Some(Held { code: row.code.filled()?.to_owned(), quantity: pieces(told)? })
    };
    let warehouses: Option<Vec<Held>> =
        rows(sku.warehouses).ok().and_then(|rows| rows.into_iter().map(held).collect());
    let total = match &warehouses {
        Some(held) if held.is_empty() => pieces(&sku.available).or_else(|| pieces(&sku.quantity)),
        Some(held) => held.iter().try_fold(0_u32, |sum, held| sum.checked_add(held.quantity)),
        None => None,
    };
    Shown { total, warehouses }
}
