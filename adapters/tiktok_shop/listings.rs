//! Products on offer with their SKUs (sheet 4).

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::channel::{Context, ListingPage, Operation, PageCursor};
use crate::error::{Error, Result};
use crate::http::Nature;
use crate::lenient::{Text, body_text, object};
use crate::model::{Listing, ListingKey, ListingState, Sku};

use super::auth::{Api, Ask};
use super::errors::{Endpoint, TOO_MANY_PRODUCTS, channel_code};
use super::wire::{Envelope, json, readable, rows};

/// The states that are listed, in the order in which a product usually moves: one that moves on meanwhile is found by the
/// later search. Drafts, failed reviews and deleted products are on offer nowhere.
const STATES: [&str; 5] = ["PENDING", "ACTIVATE", "SELLER_DEACTIVATED", "PLATFORM_DEACTIVATED", "FREEZE"];
const PAGE: usize = 100;
/// TikTok Shop began after this time (2020): no product is older.
const FIRST: i64 = 1_577_836_800;

/// A span of creation times in Unix seconds, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Span {
    from: i64,
    to: i64,
    /// Where the last span ends.
    end: i64,
}

impl Span {
    fn half(self) -> Option<Self> {
        (self.to > self.from).then(|| Self { to: self.from + (self.to - self.from) / 2, ..self })
    }

    /// The span after this one, as long as it.
    fn next(self) -> Option<Self> {
        let length = self.to - self.from;
        (self.to < self.end).then(|| Self {
            from: self.to + 1,
            to: self.to.saturating_add(1).saturating_add(length).min(self.end),
            end: self.end,
        })
    }
}

/// Where the list goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Place {
    state: usize,
    /// Only where one search would find more than the channel shows.
    span: Option<Span>,
    token: Option<String>,
}

impl Place {
    /// The next search after the last page of this one.
    fn after(self) -> Option<Self> {
        match self.span.and_then(Span::next) {
            Some(span) => Some(Self { span: Some(span), token: None, ..self }),
            None => (self.state + 1 < STATES.len()).then(|| Self {
                state: self.state + 1,
                span: None,
                token: None,
            }),
        }
    }

    /// A search that finds less; `None`: it can't be split any more.
    fn narrower(&self, now: DateTime<Utc>) -> Option<Self> {
        let end = now.timestamp();
        let span = self.span.unwrap_or(Span { from: FIRST, to: end, end });
        Some(Self { state: self.state, span: Some(span.half()?), token: None })
    }
}

#[derive(Serialize)]
struct Search {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    create_time_ge: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    create_time_le: Option<i64>,
}

/// The search for a page.
///
/// # Errors
/// `InvalidInput` when the place is none.
pub(super) fn search_ask(place: &Place, size: usize) -> Result<Ask> {
    let status =
        STATES.get(place.state).ok_or_else(|| Error::invalid("the page cursor is not of this channel"))?;
    let search = Search {
        status,
        create_time_ge: place.span.map(|span| span.from),
        create_time_le: place.span.map(|span| span.to),
    };
    let ask = Ask::post(Endpoint::Products, "/product/202502/products/search", json(&search)?)
        .with("page_size", size.to_string());
    Ok(match &place.token {
        Some(token) => ask.with("page_token", token),
        None => ask,
    })
}

/// Where the list begins.
pub(super) fn beginning() -> Place {
    Place { state: 0, span: None, token: None }
}

/// A search for a single product on sale: what a connection test reads.
pub(super) fn probe_ask() -> Result<Ask> {
    search_ask(&Place { state: 1, ..beginning() }, 1)
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Page<'a> {
    #[serde(borrow)]
    products: Option<&'a RawValue>,
    #[serde(borrow)]
    next_page_token: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ProductRow<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    title: Text<'a>,
    #[serde(borrow)]
    status: Text<'a>,
    #[serde(borrow)]
    skus: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct SkuRow<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    seller_sku: Text<'a>,
    #[serde(borrow)]
    inventory: Option<&'a RawValue>,
    #[serde(borrow)]
    status_info: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct QuantityRow<'a> {
    #[serde(borrow)]
    quantity: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct SkuStatus<'a> {
    #[serde(borrow)]
    status: Text<'a>,
}

/// The listings of an answer, and the token of the next page.
///
/// # Errors
/// `MalformedResponse` when the answer or one of its products can't be read: a list with a hole would be taken for whole.
pub(super) fn search_result(body: &[u8]) -> Result<(Vec<Listing>, Option<String>)> {
    let body = body_text(body);
    let page: Page<'_> = Envelope::read(&body)?.data()?;
    let mut listings = Vec::new();
    for raw in rows(page.products)? {
        let product: ProductRow<'_> = object("a product", raw.get())?;
        let id = product.id.filled().ok_or_else(|| Error::malformed("a product of the list has no id"))?;
        for raw in rows(product.skus)? {
            let sku: SkuRow<'_> = object("a SKU", raw.get())?;
            listings.push(listing(id, &product, &sku)?);
        }
    }
    Ok((listings, page.next_page_token.filled().map(str::to_owned)))
}

fn listing(product_id: &str, product: &ProductRow<'_>, sku: &SkuRow<'_>) -> Result<Listing> {
    let id = sku.id.filled().ok_or_else(|| Error::malformed("a SKU of the list has no id"))?;
    let own = sku.status_info.and_then(|raw| object::<SkuStatus<'_>>("its status", raw.get()).ok());
    let state = match (state(product.status.trim()), own) {
        (ListingState::OnSale, Some(own)) if own.status.trim() == "DEACTIVATED" => ListingState::Stopped,
        (state, _) => state,
    };
    let mut listing = Listing::new(ListingKey::option(product_id, id), state);
    listing.sku = sku.seller_sku.filled().map(Sku::from);
    listing.title = product.title.trim().to_owned();
    let held: Vec<QuantityRow<'_>> = readable(sku.inventory);
    let pieces = held.iter().map(|row| u32::try_from(row.quantity.integer()?).ok());
    listing.quantity = pieces.sum::<Option<u32>>().filter(|_| !held.is_empty());
    Ok(listing)
}

/// What a product's status means for a buyer.
pub(super) fn state(word: &str) -> ListingState {
    match word {
        "ACTIVATE" => ListingState::OnSale,
        "DRAFT" | "PENDING" => ListingState::Waiting,
        "FAILED" | "SELLER_DEACTIVATED" | "PLATFORM_DEACTIVATED" | "FREEZE" | "DELETED" => {
            ListingState::Stopped
        }
        _ => ListingState::Unknown,
    }
}

/// A page of listings.
pub(super) async fn list(api: &Api, cx: &Context, cursor: Option<&PageCursor>) -> Result<ListingPage> {
    let mut place = match cursor {
        None => beginning(),
        Some(cursor) => object("the cursor", cursor.as_str())
            .map_err(|_| Error::invalid("the page cursor is not of this channel"))?,
    };
    let answer = loop {
        let ask = search_ask(&place, PAGE)?;
        match api.call(cx, Operation::ListListings, Nature::Read, &ask).await {
            Ok(answer) => break answer,
            // More than 10,000 products: asked for in halves, by the time at which they were made.
            Err(error) if channel_code(&error) == Some(TOO_MANY_PRODUCTS) => {
                place = place.narrower(api.now()).ok_or(error)?;
            }
            Err(error) => return Err(error),
        }
    };
    let (listings, token) = search_result(&answer.body)?;
    let next = match token {
        Some(token) => Some(Place { token: Some(token), ..place }),
        None => place.after(),
    };
    let next = next.map(|place| json(&place).map(PageCursor::new)).transpose()?;
    Ok(ListingPage { listings, next })
}
