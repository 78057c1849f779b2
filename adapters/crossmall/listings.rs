//! What is in the item master (sheet 8). A listing here is an item of the pool for all shops, not an offer in a shop.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::channel::{Context, ListingPage, Operation, PageCursor};
use crate::error::{Error, Result};
use crate::model::{Listing, ListingKey, ListingState};
use crate::xml::Element;

use super::auth::{Api, Query};
use super::errors::Method;
use super::variants::{Variant, key, look_up, sku};
use super::wire::{Envelope, row, text};

row! {
    /// A row of `get_item`. Here the attribute names are those of the groups, such as カラー.
    ItemRow { item_code, item_name, attribute1_name, attribute2_name }
}

/// An item whose variants are still to be looked up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Item {
    pub(super) code: String,
    pub(super) name: String,
    /// It has attributes.
    pub(super) varies: bool,
}

/// Where the list goes on. Items that are not looked up yet travel in it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    items: Vec<Item>,
    /// The last code of each page so far: how codes are ordered is not known, and one that comes back is a circle.
    lasts: Vec<String>,
    ended: bool,
}

pub(super) fn items_query(after: Option<&str>) -> Query {
    let after = after.map(|code| ("item_code", code.to_owned()));
    after.into_iter().chain([("condition", "1".to_owned())]).collect()
}

/// The items in an answer of `get_item`.
///
/// # Errors
/// `MalformedResponse` when it can't be read, an item has no code, or a code comes twice.
pub(super) fn items_result(body: &[u8], lasts: &[String]) -> Result<Vec<Item>> {
    let body = text(body);
    let mut items = Vec::new();
    let mut codes: HashSet<String> = HashSet::new();
    for raw in Envelope::read(&body)?.rows {
        let element = Element::parse(raw)?;
        let row = ItemRow::of(&element);
        if row.item_code.is_empty() {
            return Err(Error::malformed("an item of the list has no code"));
        }
        if lasts.iter().any(|last| last == row.item_code) || !codes.insert(row.item_code.to_owned()) {
            return Err(Error::malformed("an item came twice: the list would not end"));
        }
        items.push(Item {
            code: row.item_code.to_owned(),
            name: row.item_name.to_owned(),
            varies: !row.attribute1_name.is_empty() || !row.attribute2_name.is_empty(),
        });
    }
    Ok(items)
}

/// The listings of an item: one per variant, or the item itself. `None`: CROSS MALL refuses to tell its variants; then it
/// has no SKU, because nothing says that its code is one.
pub(super) fn listings_of(item: &Item, variants: Option<&[Variant]>) -> Vec<Listing> {
    let listed = variants.unwrap_or_default();
    if listed.is_empty() {
        let mut listing = Listing::new(ListingKey::item(item.code.as_str()), ListingState::Unknown);
        listing.title.clone_from(&item.name);
        listing.sku = variants.filter(|_| !item.varies).and_then(|listed| sku(&item.code, ["", ""], listed));
        return vec![listing];
    }
    let variant_of = |variant: &Variant| {
        let codes = variant.codes.each_ref().map(String::as_str);
        let mut listing = Listing::new(key(&item.code, codes), ListingState::Unknown);
        let names: Vec<&str> =
            variant.names.iter().map(String::as_str).filter(|name| !name.is_empty()).collect();
        listing.title = if names.is_empty() {
            item.name.clone()
        } else {
            format!("{} ({})", item.name, names.join(" / "))
        };
        listing.sku = sku(&item.code, codes, listed);
        listing
    };
    listed.iter().map(variant_of).collect()
}

/// A page of listings.
pub(super) async fn list(api: &Api, cx: &Context, cursor: Option<&PageCursor>) -> Result<ListingPage> {
    let operation = Operation::ListListings;
    let mut place = match cursor {
        None => Place { items: Vec::new(), lasts: Vec::new(), ended: false },
        Some(cursor) => serde_json::from_str(cursor.as_str())
            .map_err(|_| Error::invalid("the page cursor is not of this channel"))?,
    };
    if place.items.is_empty() && !place.ended {
        let after = place.lasts.last();
        let method = Method::Items { first: after.is_none() };
        let answer = api.call(cx, operation, method, &items_query(after.map(String::as_str))).await?;
        place.items = items_result(&answer.body, &place.lasts)?;
        place.lasts.extend(place.items.last().map(|item| item.code.clone()));
        place.ended = place.items.is_empty();
    }
    let rest = place.items.split_off(place.items.len().min(api.config().page_size()));
    let mut listings = Vec::new();
    for item in std::mem::replace(&mut place.items, rest) {
        let variants = look_up(api, cx, operation, &item.code).await?;
        listings.extend(listings_of(&item, variants.as_ref().map(|variants| variants.as_slice())));
    }
    let next = if place.ended {
        None
    } else {
        let text =
            serde_json::to_string(&place).map_err(|_| Error::invalid("the cursor can't be written"))?;
        Some(PageCursor::new(text))
    };
    Ok(ListingPage { listings, next })
}
