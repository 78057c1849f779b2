//! Items on offer, with their SKUs (sheet 4.7).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::channel::{Context, ListingPage, Operation, PageCursor};
use crate::error::{Error, Result};
use crate::lenient::{Text, body_text, object};
use crate::model::{Listing, ListingKey, ListingState, Sku};

use super::auth::{Api, Ask};
use super::errors::Function;
use super::wire::rows;

/// Most items of a page (sheet 4.7).
const MOST_ITEMS: u32 = 100;
/// Marks a cursor as ours: Rakuten's own can be any text.
const MARK: &str = "mark:";

/// Asks for a page of items at a mark; `*` is the first. No sort order goes with it: one source says that a mark allows
/// none, and no document says otherwise. An item that is changed meanwhile may then jump over the mark: the next listing
/// has it.
pub(super) fn search_ask(mark: &str, hits: u32) -> Ask {
    Ask::query(Function::SearchItems, vec![("hits", hits.to_string()), ("cursorMark", mark.to_owned())])
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    #[serde(borrow)]
    results: &'a RawValue,
    #[serde(borrow, default)]
    next_cursor_mark: Text<'a>,
}

#[derive(Deserialize)]
struct ResultRow<'a> {
    #[serde(borrow)]
    item: Item<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Item<'a> {
    #[serde(borrow)]
    manage_number: Text<'a>,
    #[serde(borrow)]
    item_number: Text<'a>,
    #[serde(borrow)]
    title: Text<'a>,
    #[serde(borrow)]
    hide_item: Text<'a>,
    #[serde(borrow)]
    variants: Option<BTreeMap<String, Variant<'a>>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Variant<'a> {
    #[serde(borrow)]
    merchant_defined_sku_id: Text<'a>,
    #[serde(borrow)]
    selector_values: Option<BTreeMap<String, Text<'a>>>,
    #[serde(borrow)]
    hidden: Text<'a>,
}

/// The listings of a page, and the mark of the next; `None`: it was the last.
///
/// # Errors
/// `MalformedResponse` when the answer or one of its items can't be read: a list with a hole would be taken for whole.
pub(super) fn search_result(body: &[u8], mark: &str) -> Result<(Vec<Listing>, Option<String>)> {
    let body = body_text(body);
    let answer: Answer<'_> = object("the list of items", &body)?;
    let found = rows(answer.results)?;
    let mut listings = Vec::new();
    for raw in &found {
        let row: ResultRow<'_> = object("an item", raw.get())?;
        listings.extend(listings_of(&row.item)?);
    }
    let next = answer.next_cursor_mark.filled().filter(|next| *next != mark && !found.is_empty());
    Ok((listings, next.map(str::to_owned)))
}

/// The listings of an item: one for each SKU.
fn listings_of(item: &Item<'_>) -> Result<Vec<Listing>> {
    let number = item.manage_number.filled();
    let number = number.ok_or_else(|| Error::malformed("an item of the list has no management number"))?;
    let Some(variants) = item.variants.as_ref().filter(|variants| !variants.is_empty()) else {
        let mut listing = Listing::new(ListingKey::item(number), state(item, None));
        listing.sku = item.item_number.filled().map(Sku::from);
        listing.title = item.title.trim().to_owned();
        return Ok(vec![listing]);
    };
    let listings = variants.iter().map(|(id, variant)| {
        let mut listing = Listing::new(ListingKey::option(number, id.as_str()), state(item, Some(variant)));
        // As in orders: the option code (RC-2).
        listing.sku = Some(Sku::from(variant.merchant_defined_sku_id.filled().unwrap_or(id)));
        listing.title = title(item, variant);
        listing
    });
    Ok(listings.collect())
}

fn state(item: &Item<'_>, variant: Option<&Variant<'_>>) -> ListingState {
    let is_hidden = variant.and_then(|variant| variant.hidden.flag()) == Some(true);
    match item.hide_item.flag() {
        Some(true) => ListingState::Stopped,
        Some(false) if is_hidden => ListingState::Stopped,
        Some(false) => ListingState::OnSale,
        None => ListingState::Unknown,
    }
}

fn title(item: &Item<'_>, variant: &Variant<'_>) -> String {
    let values = variant.selector_values.iter().flat_map(BTreeMap::values).filter_map(Text::filled);
    let words = values.collect::<Vec<_>>().join(" / ");
    let title = item.title.trim();
    if words.is_empty() { title.to_owned() } else { format!("{title} ({words})") }
}

/// A page of listings. Their quantities are read by the stock calls: this one does not tell them.
pub(super) async fn list(api: &Api, cx: &Context, cursor: Option<&PageCursor>) -> Result<ListingPage> {
    let mark = match cursor {
        None => "*",
        Some(cursor) => cursor
            .as_str()
            .strip_prefix(MARK)
            .filter(|mark| !mark.is_empty())
            .ok_or_else(|| Error::invalid("the page cursor is not of this channel"))?,
    };
    let answer = api.read(cx, Operation::ListListings, &search_ask(mark, MOST_ITEMS)).await?;
    let (listings, next) = search_result(&answer.body, mark)?;
    Ok(ListingPage { listings, next: next.map(|mark| PageCursor::new(format!("{MARK}{mark}"))) })
}
