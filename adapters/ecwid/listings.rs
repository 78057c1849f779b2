//! What is offered for sale (sheet, listings).

use crate::channel::{Context, ListingPage, Operation, PageCursor};
use crate::error::Result;
use crate::lenient::body_text;
use crate::model::{Listing, ListingKey, ListingState, Sku};

use super::auth::{Api, Ask};
use super::errors::Endpoint;
use super::pages::Place;
use super::products::{LIST_FIELDS, Offer, Product, product};
use super::wire::{Page, row_id};

/// The call for a page. By the time of their adding, new products come at the end.
pub(super) fn list_ask(place: &Place) -> Ask {
    Ask::get(Endpoint::Products, "/products")
        .with([("sortBy", "ADDED_TIME_ASC".to_owned())])
        .with(place.query())
        .with([("responseFields", LIST_FIELDS.to_owned())])
}

/// The listings of a product: itself, also beside variations, because buyers whose choice matches none buy it; and each
/// variation.
pub(super) fn listings_of(product: &Product) -> Vec<Listing> {
    let id = &product.offer.id;
    let state = match product.enabled {
        Some(true) => ListingState::OnSale,
        Some(false) => ListingState::Stopped,
        None => ListingState::Unknown,
    };
    let listing = |key: ListingKey, offer: &Offer| {
        let mut listing = Listing::new(key, state);
        // A variation without a SKU of its own has the product's.
        listing.sku = offer.sku.as_ref().or(product.offer.sku.as_ref()).map(|sku| Sku::from(sku.as_str()));
        listing.title = match offer.words.as_str() {
            "" => product.name.clone(),
            words => format!("{} ({words})", product.name),
        };
        listing.quantity = offer.shown();
        listing
    };
    let itself = listing(ListingKey::item(id.as_str()), &product.offer);
    let variations = product
        .variations
        .iter()
        .map(|offer| listing(ListingKey::option(id.as_str(), offer.id.as_str()), offer));
    std::iter::once(itself).chain(variations).collect()
}

/// The listings of a page.
///
/// # Errors
/// `MalformedResponse` when the answer as a whole can't be read.
pub(super) fn page_result(body: &[u8], place: &Place) -> Result<ListingPage> {
    let body = body_text(body);
    let page = Page::read(Endpoint::Products, &body)?;
    let ids: Vec<Option<String>> = page.rows.iter().map(|raw| row_id(raw)).collect();
    let next = place.next(&page, &ids)?;
    let read = page.rows.iter().filter_map(|raw| match product(raw.get()) {
        Ok(product) => Some(listings_of(&product)),
        Err(error) => {
            // One bad row leaves the others alone; there is no place for it in a page of listings.
            tracing::warn!(%error, "a product can't be read");
            None
        }
    });
    Ok(ListingPage { listings: read.flatten().collect(), next })
}

/// A page.
pub(super) async fn list(api: &Api, cx: &Context, cursor: Option<&PageCursor>) -> Result<ListingPage> {
    let place = Place::begin("products", None, cursor)?;
    let answer = api.read(cx, Operation::ListListings, &list_ask(&place)).await?;
    page_result(&answer.body, &place)
}
