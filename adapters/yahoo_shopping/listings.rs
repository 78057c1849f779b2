//! Listings ("Listings"). No call lists all items: the store's categories are walked, each with its items page by page,
//! and an item with options is looked up.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use serde::{Deserialize, Serialize};

use crate::channel::{Context, ListingPage, Operation, PageCursor};
use crate::error::{Error, Result};
use crate::lenient::{integer, object};
use crate::model::{Listing, ListingKey, ListingState, Sku};
use crate::xml::Element;

use super::auth::{Api, Ask, Body};
use super::errors::Method;
use super::wire::{filled, foreign, json, value, with_root};

/// Most items in an answer.
const MOST_ITEMS: usize = 100;
/// Calls of one page: with one a second it takes a quarter of the time that a caller usually gives.
const CALLS: usize = 15;
/// An item can stand in several categories. So many are remembered, so that most come once; beyond that one may come
/// again.
const MOST_SEEN: usize = 10_000;

/// Where a walk stands. No cursor: nothing was asked yet.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Walk {
    /// Categories that were found and not listed yet.
    categories: Vec<String>,
    /// The category whose items are listed, and the first row of its next page.
    at: Option<(String, usize)>,
    /// Items with options that are to be looked up.
    items: Vec<Item>,
    /// Hashes of the codes of the items that were listed.
    seen: Vec<u64>,
}

/// An item of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Item {
    pub(super) code: String,
    pub(super) title: String,
    pub(super) shown: bool,
    pub(super) has_options: bool,
    /// Pieces; `None`: unlimited, or told with its options.
    pub(super) quantity: Option<u32>,
}

/// Asks for the categories below one; for the first level without one.
pub(super) fn categories_ask(seller: &str, below: Option<&str>) -> Ask {
    let mut query = vec![("seller_id", seller.to_owned())];
    query.extend(below.map(|key| ("page_key", key.to_owned())));
    Ask { method: Method::CategoryList, body: Body::Query(query) }
}

/// The keys of the categories in an answer.
///
/// # Errors
/// `MalformedResponse` when one has no key: its items would be missing.
pub(super) fn categories_result(body: &[u8]) -> Result<Vec<String>> {
    with_root(body, |root| {
        let key = |row: &Element<'_>| value(row, "PageKey").map(str::to_owned);
        let keys: Option<Vec<String>> = root.all("Result").map(key).collect();
        keys.ok_or_else(|| Error::malformed("a category has no key"))
    })
}

/// Asks for a page of a category's items, the order of which does not change with their rank.
pub(super) fn items_ask(seller: &str, category: &str, start: usize) -> Ask {
    let query = vec![
        ("seller_id", seller.to_owned()),
        ("stcat_key", category.to_owned()),
        ("start", start.to_string()),
        ("results", MOST_ITEMS.to_string()),
        ("sort", "+item_code".to_owned()),
        ("stock", "true".to_owned()),
    ];
    Ask { method: Method::ItemList, body: Body::Query(query) }
}

/// The items in an answer, and how many there are in all.
///
/// # Errors
/// `MalformedResponse` when an item has no code, or the count is missing.
pub(super) fn items_result(body: &[u8]) -> Result<(Vec<Item>, usize)> {
    with_root(body, |root| {
        let total = integer(root.attribute("totalResultsAvailable"));
        let total = total.and_then(|total| usize::try_from(total).ok());
        let total =
            total.ok_or_else(|| Error::malformed("the list does not say how many items there are"))?;
        let items: Option<Vec<Item>> = root.all("Result").map(item).collect();
        items.map(|items| (items, total)).ok_or_else(|| Error::malformed("an item has no code"))
    })
}

fn item(row: &Element<'_>) -> Option<Item> {
    Some(Item {
        code: value(row, "ItemCode")?.to_owned(),
        title: row.field("Name").to_owned(),
        shown: row.field("Display") == "1",
        has_options: row.field("HasSubCode") == "1",
        quantity: quantity(row.field("Quantity"), row.field("StockClose")),
    })
}

/// Pieces on sale: none where the store closed the sale; `None`: unlimited.
fn quantity(pieces: &str, closed: &str) -> Option<u32> {
    if closed.trim() == "1" {
        return Some(0);
    }
    integer(pieces).map(|number| u32::try_from(number.max(0)).unwrap_or(u32::MAX))
}

/// Asks for an item with its options.
pub(super) fn item_ask(seller: &str, code: &str) -> Ask {
    let query = vec![("seller_id", seller.to_owned()), ("item_code", code.to_owned())];
    Ask { method: Method::Item, body: Body::Query(query) }
}

/// The listings of an item with options: one for each option. An item whose options are gone is a listing of its own.
///
/// # Errors
/// `MalformedResponse` when there is no item, or an option has no code.
pub(super) fn item_result(body: &[u8], item: &Item) -> Result<Vec<Listing>> {
    with_root(body, |root| {
        let found = root.all("Result").find(|result| value(result, "ItemCode").is_some());
        let found = found.ok_or_else(|| Error::malformed("the answer holds no item"))?;
        let options: Vec<&Element<'_>> =
            found.all("SubCodes").flat_map(|codes| codes.all("SubCode")).collect();
        if options.is_empty() {
            return Ok(vec![plain(item)]);
        }
        let listings: Option<Vec<Listing>> =
            options.into_iter().map(|option| of_option(item, option)).collect();
        listings.ok_or_else(|| Error::malformed("an option has no code"))
    })
}

fn of_option(item: &Item, option: &Element<'_>) -> Option<Listing> {
    let code = filled(option.attribute("code"))?;
    let words = option.all("Option").filter_map(|one| filled(one.attribute("value")));
    let title = std::iter::once(item.title.as_str()).chain(words).collect::<Vec<&str>>().join(" ");
    let mut listing = Listing::new(ListingKey::option(item.code.as_str(), code), state(item));
    listing.sku = Some(Sku::from(code));
    listing.title = title;
    listing.quantity = quantity(option.attribute("quantity"), option.attribute("stockClose"));
    Some(listing)
}

fn plain(item: &Item) -> Listing {
    let mut listing = Listing::new(ListingKey::item(item.code.as_str()), state(item));
    listing.sku = Some(Sku::from(item.code.as_str()));
    listing.title.clone_from(&item.title);
    listing.quantity = item.quantity;
    listing
}

fn state(item: &Item) -> ListingState {
    if item.shown { ListingState::OnSale } else { ListingState::Stopped }
}

impl Walk {
    /// Takes the items of a page; those without options are listings at once.
    fn take(&mut self, items: Vec<Item>, listings: &mut Vec<Listing>) {
        for item in items {
            let mut hasher = DefaultHasher::new();
            item.code.hash(&mut hasher);
            let hash = hasher.finish();
            if self.seen.contains(&hash) {
                continue;
            }
            if self.seen.len() < MOST_SEEN {
                self.seen.push(hash);
            }
            if item.has_options {
                self.items.push(item);
            } else {
                listings.push(plain(&item));
            }
        }
    }

    fn is_done(&self) -> bool {
        self.categories.is_empty() && self.at.is_none() && self.items.is_empty()
    }
}

/// A page of listings.
pub(super) async fn list(api: &Api, cx: &Context, cursor: Option<&PageCursor>) -> Result<ListingPage> {
    let seller = api.seller()?;
    let mut listings = Vec::new();
    let mut walk = match cursor {
        Some(cursor) => object::<Walk>("the cursor", cursor.as_str()).map_err(|_| foreign())?,
        None => {
            let answer = ask(api, cx, &categories_ask(&seller, None)).await?;
            Walk { categories: reversed(categories_result(&answer)?), ..Walk::default() }
        }
    };
    for _ in 0..CALLS {
        if let Some(item) = walk.items.pop() {
            listings.extend(item_result(&ask(api, cx, &item_ask(&seller, &item.code)).await?, &item)?);
        } else if let Some((category, start)) = walk.at.take() {
            let answer = ask(api, cx, &items_ask(&seller, &category, start)).await?;
            let (items, total) = items_result(&answer)?;
            let next = start.saturating_add(items.len());
            // Whether a page past the end is an error is not documented: none is asked for.
            if !items.is_empty() && next <= total {
                walk.at = Some((category, next));
            }
            walk.take(items, &mut listings);
        } else if let Some(category) = walk.categories.pop() {
            let answer = ask(api, cx, &categories_ask(&seller, Some(&category))).await?;
            walk.categories.extend(reversed(categories_result(&answer)?));
            walk.at = Some((category, 1));
        } else {
            break;
        }
    }
    let next = if walk.is_done() { None } else { Some(PageCursor::new(json(&walk)?)) };
    Ok(ListingPage { listings, next })
}

/// The last one is taken first.
fn reversed(mut keys: Vec<String>) -> Vec<String> {
    keys.reverse();
    keys
}

async fn ask(api: &Api, cx: &Context, ask: &Ask) -> Result<bytes::Bytes> {
    Ok(api.read(cx, Operation::ListListings, ask).await?.body)
}
