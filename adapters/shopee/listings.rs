//! Items on offer with their models (sheet 4.7).

use futures_util::StreamExt;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::channel::{Context, ListingPage, Operation, PageCursor};
use crate::error::{Error, ErrorKind, Result};
use crate::lenient::{Text, body_text};
use crate::model::{Listing, ListingState, Sku};

use super::api::Api;
use super::auth::Ask;
use super::errors::Endpoint;
use super::inventory::{Item, Models, Shown, items, models};
use super::lines::listing;
use super::wire::{Envelope, typed};

/// Items on a page: each may need a call for its models.
const PAGE: usize = 50;
/// So many calls are on their way at once.
const PARALLEL: usize = 4;
/// The states that are listed. Deleted items are on offer nowhere.
const STATES: [&str; 4] = ["NORMAL", "UNLIST", "REVIEWING", "BANNED"];

/// The call for a page.
pub(super) fn list_ask(offset: u64, size: usize) -> Ask {
    let ask =
        Ask::get(Endpoint::Items).with("offset", offset.to_string()).with("page_size", size.to_string());
    STATES.into_iter().fold(ask, |ask, state| ask.with("item_status", state))
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Page<'a> {
    #[serde(borrow)]
    item: Option<&'a RawValue>,
    #[serde(borrow)]
    has_next_page: Text<'a>,
    #[serde(borrow)]
    next_offset: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct PageRow<'a> {
    #[serde(borrow)]
    item_id: Text<'a>,
}

/// The items of a page, and where the next begins.
///
/// # Errors
/// `MalformedResponse` when it can't be read: a list with a hole would be taken for whole.
pub(super) fn list_result(body: &[u8], offset: u64) -> Result<(Vec<i64>, Option<u64>)> {
    let body = body_text(body);
    let page: Page<'_> = Envelope::read(&body)?.response()?;
    let ids = typed::<PageRow<'_>>(page.item)?
        .iter()
        .map(|row| row.item_id.integer().ok_or_else(|| Error::malformed("an item of the list has no id")))
        .collect::<Result<Vec<i64>>>()?;
    let next = match page.has_next_page.flag() {
        Some(false) => None,
        Some(true) => {
            let next = page.next_offset.integer().and_then(|next| u64::try_from(next).ok());
            let next = next.filter(|next| *next > offset);
            Some(next.ok_or_else(|| Error::malformed("the list of items goes on and does not say where"))?)
        }
        None => return Err(Error::malformed("the list of items does not say whether there is more")),
    };
    Ok((ids, next))
}

/// What an item's status means for a buyer.
pub(super) fn state(word: &str) -> ListingState {
    match word {
        "NORMAL" => ListingState::OnSale,
        "REVIEWING" => ListingState::Waiting,
        "UNLIST" | "BANNED" | "SELLER_DELETE" | "SHOPEE_DELETE" => ListingState::Stopped,
        _ => ListingState::Unknown,
    }
}

fn one(item: &Item, shown: &Shown, words: &str) -> Listing {
    let state = match state(&item.status) {
        ListingState::OnSale if shown.status == "MODEL_UNAVAILABLE" => ListingState::Stopped,
        state => state,
    };
    let mut listing = Listing::new(listing(item.id, shown.model), state);
    listing.sku = Some(shown.sku.as_str()).filter(|sku| !sku.is_empty()).map(Sku::from);
    listing.title = if words.is_empty() { item.name.clone() } else { format!("{} ({words})", item.name) };
    listing.quantity = shown.quantity();
    listing
}

/// The listings of an item: itself, or its models.
pub(super) fn listings_of(item: &Item, models: Option<&Models>) -> Vec<Listing> {
    match models {
        None => vec![one(item, &item.own, "")],
        Some(models) => models.all.iter().map(|model| one(item, model, &models.words(model))).collect(),
    }
}

const CURSOR: &str = "items-";

fn offset_of(cursor: &PageCursor) -> Result<u64> {
    let offset = cursor.as_str().strip_prefix(CURSOR).and_then(|offset| offset.parse().ok());
    offset.ok_or_else(|| Error::invalid("the page cursor is not of this channel"))
}

/// A page of listings.
pub(super) async fn list(api: &Api, cx: &Context, cursor: Option<&PageCursor>) -> Result<ListingPage> {
    let operation = Operation::ListListings;
    let offset = cursor.map_or(Ok(0), offset_of)?;
    let answer = api.read(cx, operation, &list_ask(offset, PAGE)).await?;
    let (ids, next) = list_result(&answer.body, offset)?;
    // An item that vanished between the two calls is on offer no more.
    let items = items(api, cx, operation, &ids).await?;
    let looked_up = futures_util::stream::iter(items.into_iter().map(|item| async move {
        if !item.has_models {
            return Ok(listings_of(&item, None));
        }
        match models(api, cx, operation, item.id).await {
            Ok(models) => Ok(listings_of(&item, Some(&models))),
            // It vanished too.
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
            // Another refusal must not leave a hole in the list.
            Err(error) if error.kind() == ErrorKind::Refused => Err(Error::new(ErrorKind::Unavailable)
                .with_code(error.code().unwrap_or_default())
                .with_message(error.message().unwrap_or_default())),
            Err(error) => Err(error),
        }
    }));
    let mut looked_up = looked_up.buffered(PARALLEL);
    let mut listings = Vec::new();
    while let Some(found) = looked_up.next().await {
        listings.extend(found?);
    }
    Ok(ListingPage { listings, next: next.map(|next| PageCursor::new(format!("{CURSOR}{next}"))) })
}
