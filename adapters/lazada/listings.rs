//! Products on offer with their SKUs (sheet 4).

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::channel::{Context, ListingPage, Operation, PageCursor};
use crate::error::{Error, Result, Retry};
use crate::lenient::{Text, body_text, object};
use crate::model::Listing;

use super::Config;
use super::auth::{Api, Ask};
use super::errors::Endpoint;
use super::orders::stamp;
use super::products::variants;
use super::wire::{Envelope, json, rows};

/// Most products on a page (reference of getproducts).
const PAGE: usize = 50;
/// Beyond this the channel takes no offset.
const MOST_SKIPPED: usize = 10_000;
/// Lazada began after this time (2012): no product is older.
const FIRST: i64 = 1_325_376_000;

/// Where the list goes on: a span of creation times in Unix seconds, both ends included.
///
/// The channel tells no order of its answers, and counts offsets as outdated. So a span is halved until one page holds
/// it; a product's time of creation never changes, so that none is skipped. Spans with few products make the next one
/// longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Place {
    from: i64,
    to: i64,
    /// Where the last span ends.
    end: i64,
    /// Only where one second holds more than a page.
    offset: usize,
}

impl Place {
    pub(super) fn begin(now: i64) -> Self {
        let end = now.max(FIRST);
        Self { from: FIRST, to: end, end, offset: 0 }
    }

    /// A place that was given out by this channel.
    fn is_sound(self) -> bool {
        FIRST <= self.from && self.from <= self.to && self.to <= self.end && self.offset <= MOST_SKIPPED
    }

    /// A span that finds less; `None`: it is one second.
    fn narrower(self) -> Option<Self> {
        (self.to > self.from && self.offset == 0)
            .then(|| Self { to: self.from + (self.to - self.from) / 2, ..self })
    }

    /// Where it goes on after a page with all that the span holds.
    fn after(self, found: usize) -> Option<Self> {
        let length = self.to - self.from;
        let length = if found * 2 < PAGE { length.saturating_mul(2).saturating_add(1) } else { length };
        let from = self.to.checked_add(1)?;
        (self.to < self.end).then(|| Self {
            from,
            to: from.saturating_add(length).min(self.end),
            offset: 0,
            ..self
        })
    }
}

/// The search for a page.
pub(super) fn products_ask(place: &Place, size: usize, config: &Config) -> Ask {
    let ask = Ask::get(Endpoint::Products, "/products/get")
        .with("filter", "all")
        .with("create_after", stamp(place.from, config))
        .with("create_before", stamp(place.to, config))
        .with("limit", size.to_string())
        .with("options", "1");
    if place.offset > 0 { ask.with("offset", place.offset.to_string()) } else { ask }
}

/// A search for a single product: what a connection test reads.
pub(super) fn probe_ask(now: i64, config: &Config) -> Ask {
    products_ask(&Place::begin(now), 1, config)
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Page<'a> {
    #[serde(borrow)]
    products: Option<&'a RawValue>,
    #[serde(borrow)]
    total_products: Text<'a>,
}

/// What a search found.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) listings: Vec<Listing>,
    /// Products on this page.
    pub(super) products: usize,
    /// Products in all; `None`: not told.
    pub(super) total: Option<usize>,
}

/// Reads a search's answer.
///
/// # Errors
/// `MalformedResponse` when the answer or one of its products can't be read.
pub(super) fn products_result(body: &[u8]) -> Result<Found> {
    let body = body_text(body);
    let page: Page<'_> = object("the data of the answer", Envelope::read(&body)?.data()?.get())?;
    let raws = rows(page.products)?;
    let total = page.total_products.integer().and_then(|total| usize::try_from(total).ok());
    let mut found = Found { products: raws.len(), total, ..Found::default() };
    for raw in raws {
        found.listings.extend(variants(raw)?.into_iter().map(|variant| variant.listing));
    }
    Ok(found)
}

/// A page of listings.
pub(super) async fn list(api: &Api, cx: &Context, cursor: Option<&PageCursor>) -> Result<ListingPage> {
    let mut place = match cursor {
        None => Place::begin(api.now().timestamp()),
        Some(cursor) => object::<Place>("the cursor", cursor.as_str())
            .ok()
            .filter(|place| place.is_sound())
            .ok_or_else(|| Error::invalid("the page cursor is not of this channel"))?,
    };
    loop {
        let ask = products_ask(&place, PAGE, api.config());
        let answer = api.read(cx, Operation::ListListings, &ask).await?;
        let found = products_result(&answer.body)?;
        let end = place.offset + found.products;
        let whole = match found.total {
            Some(total) => total <= end,
            None => found.products < PAGE,
        };
        let next = if whole {
            place.after(end)
        } else if let Some(narrower) = place.narrower() {
            place = narrower;
            continue;
        } else if found.products == 0 {
            return Err(Error::malformed("the answer counts products and shows none"));
        } else if end > MOST_SKIPPED {
            return Err(Error::malformed("more than 10,000 products were made in one second")
                .with_retry(Retry::Never));
        } else {
            Some(Place { offset: end, ..place })
        };
        let next = next.map(|place| json(&place).map(PageCursor::new)).transpose()?;
        return Ok(ListingPage { listings: found.listings, next });
    }
}
