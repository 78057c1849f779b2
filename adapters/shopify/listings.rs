//! Listings: variants with their stock (sheet 4.6).

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::channel::{Context, ListingPage, Operation, PageCursor};
use crate::error::{Error, Result};
use crate::lenient::{Text, body_text};
use crate::model::{Listing, ListingKey, ListingState, Sku};

use super::api::Api;
use super::documents::VARIANTS;
use super::parts::{Id, number, time};
use super::status::Choices;
use super::wire::{Answer, Connection};

/// Listings in one page, and inventory levels of each.
const PAGE: u32 = 50;
const LEVELS: u32 = 10;

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct VariantRow<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    sku: Text<'a>,
    #[serde(borrow)]
    display_name: Text<'a>,
    #[serde(borrow)]
    inventory_quantity: Text<'a>,
    #[serde(borrow)]
    product: Option<ProductRow<'a>>,
    #[serde(borrow)]
    inventory_item: Option<ItemRow<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ProductRow<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    status: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct ItemRow<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    tracked: Text<'a>,
    #[serde(borrow)]
    inventory_levels: Option<LevelRows<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct LevelRows<'a> {
    #[serde(borrow)]
    nodes: Option<Vec<Option<LevelRow<'a>>>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct LevelRow<'a> {
    #[serde(borrow)]
    location: Option<Id<'a>>,
    #[serde(borrow)]
    quantities: Option<Vec<QuantityRow<'a>>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct QuantityRow<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    quantity: Text<'a>,
    #[serde(borrow)]
    updated_at: Text<'a>,
}

/// What is available at a location.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Level {
    pub(super) location: String,
    /// It can be negative: more was sold than there was.
    pub(super) available: i64,
    /// When it last changed.
    pub(super) changed: Option<DateTime<Utc>>,
}

/// A variant: what is offered and stocked as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Variant {
    pub(super) id: String,
    product: String,
    product_status: String,
    sku: String,
    name: String,
    /// At all locations together.
    total: Option<i64>,
    /// What stock is set by; empty: not told.
    pub(super) item: String,
    /// Whether the shop counts it; `None`: not told.
    pub(super) tracked: Option<bool>,
    pub(super) levels: Vec<Level>,
    /// Whether there may be levels that the answer left out.
    pub(super) more_levels: bool,
}

impl Variant {
    /// What is available at a location.
    pub(super) fn at(&self, location: &str) -> Option<&Level> {
        self.levels.iter().find(|level| level.location == location)
    }

    fn listing(&self, location: Option<&str>) -> Listing {
        let state = match self.product_status.as_str() {
            // Unlisted ones are sold to whoever has their link.
            "ACTIVE" | "UNLISTED" => ListingState::OnSale,
            "DRAFT" => ListingState::Waiting,
            "ARCHIVED" => ListingState::Stopped,
            _ => ListingState::Unknown,
        };
        let mut listing = Listing::new(ListingKey::option(&self.product, &self.id), state);
        listing.sku = (!self.sku.is_empty()).then(|| Sku::from(self.sku.as_str()));
        listing.title = self.name.clone();
        // Without counting there is no quantity: the shop sells it for ever.
        let counted = self.tracked != Some(false);
        let shown = match location {
            Some(location) => self.at(location).map(|level| level.available),
            None => self.total,
        };
        listing.quantity = shown.filter(|_| counted).map(|n| u32::try_from(n.max(0)).unwrap_or(u32::MAX));
        listing
    }
}

fn variant(raw: &RawValue, levels: u32) -> Option<Variant> {
    let row: VariantRow<'_> = serde_json::from_str(raw.get()).ok()?;
    let item = row.inventory_item.unwrap_or_default();
    let product = row.product.unwrap_or_default();
    let nodes = item.inventory_levels.and_then(|levels| levels.nodes).unwrap_or_default();
    let more_levels = nodes.len() >= levels as usize;
    Some(Variant {
        id: row.id.filled()?.to_owned(),
        product: product.id.trim().to_owned(),
        product_status: product.status.trim().to_ascii_uppercase(),
        sku: row.sku.trim().to_owned(),
        name: row.display_name.trim().to_owned(),
        total: row.inventory_quantity.integer(),
        item: item.id.trim().to_owned(),
        tracked: item.tracked.flag(),
        levels: nodes.iter().flatten().filter_map(level).collect(),
        more_levels,
    })
}

fn level(row: &LevelRow<'_>) -> Option<Level> {
    let available = row.quantities.as_ref()?.iter().find(|quantity| quantity.name.trim() == "available")?;
    Some(Level {
        location: row.location.as_ref()?.id.filled()?.to_owned(),
        available: available.quantity.integer()?,
        changed: time(&available.updated_at),
    })
}

/// A page of variants; rows that can't be read are left out.
///
/// # Errors
/// `MalformedResponse` when the answer as a whole can't be read.
pub(super) fn variants(body: &[u8], levels: u32) -> Result<(Vec<Variant>, Option<String>)> {
    let text = body_text(body);
    let answer = Answer::read(&text)?;
    let page: Connection<'_> = answer.root(&VARIANTS)?;
    let next = page.next()?;
    let nodes = page.nodes.ok_or_else(|| Error::malformed("the page has no rows"))?;
    let read = nodes.iter().filter_map(|raw| match raw.and_then(|raw| variant(raw, levels)) {
        None => {
            tracing::warn!("a listing can't be read and is left out");
            None
        }
        read => read,
    });
    Ok((read.collect(), next))
}

#[derive(Serialize)]
struct Variables<'a> {
    first: u32,
    after: Option<&'a str>,
    query: Option<&'a str>,
    levels: u32,
}

async fn page(
    api: &Api,
    cx: &Context,
    operation: Operation,
    query: Option<&str>,
    after: Option<&str>,
    levels: u32,
) -> Result<(Vec<Variant>, Option<String>)> {
    let variables =
        |halvings: u32| Variables { first: (PAGE >> halvings.min(6)).max(1), after, query, levels };
    let (answer, _) = api.sized(cx, operation, &VARIANTS, &api.variants, variables).await?;
    variants(&answer.body, levels)
}

/// A page of listings.
pub(super) async fn list(api: &Api, cx: &Context, cursor: Option<&PageCursor>) -> Result<ListingPage> {
    let choices = Choices::of(cx)?;
    let after = cursor.map(PageCursor::as_str);
    let (variants, next) = page(api, cx, Operation::ListListings, None, after, LEVELS).await?;
    let location = choices.location.as_deref();
    Ok(ListingPage {
        listings: variants.iter().map(|variant| variant.listing(location)).collect(),
        next: next.map(PageCursor::new),
    })
}

/// The search for these variants.
pub(super) fn terms(ids: &BTreeSet<&str>) -> String {
    ids.iter().map(|id| format!("id:{}", number(id))).collect::<Vec<_>>().join(" OR ")
}

/// Looks variants up, by id. Those that the channel does not have are left out. Only ids of variants may be asked for.
pub(super) async fn look_up(
    api: &Api,
    cx: &Context,
    operation: Operation,
    ids: &BTreeSet<&str>,
    location: &str,
) -> Result<HashMap<String, Variant>> {
    let mut found = HashMap::new();
    let ids: Vec<&str> = ids.iter().copied().collect();
    for chunk in ids.chunks(PAGE as usize) {
        let chunk: BTreeSet<&str> = chunk.iter().copied().collect();
        search(api, cx, operation, &chunk, LEVELS, &mut found).await?;
        // Shops with many locations: the level that is needed may be beyond the first ones.
        let cut: BTreeSet<&str> = chunk
            .into_iter()
            .filter(|id| found.get(*id).is_some_and(|v: &Variant| v.more_levels && v.at(location).is_none()))
            .collect();
        if !cut.is_empty() {
            search(api, cx, operation, &cut, 250, &mut found).await?;
        }
    }
    Ok(found)
}

async fn search(
    api: &Api,
    cx: &Context,
    operation: Operation,
    ids: &BTreeSet<&str>,
    levels: u32,
    found: &mut HashMap<String, Variant>,
) -> Result<()> {
    let query = terms(ids);
    let mut after: Option<String> = None;
    loop {
        let (variants, next) = page(api, cx, operation, Some(&query), after.as_deref(), levels).await?;
        found.extend(variants.into_iter().filter(|v| ids.contains(v.id.as_str())).map(|v| (v.id.clone(), v)));
        let complete = ids.iter().all(|id| found.contains_key(*id));
        match next {
            Some(next) if !complete || levels > LEVELS => {
                if after.as_ref() == Some(&next) {
                    return Err(Error::malformed("the channel gave the same page cursor twice"));
                }
                after = Some(next);
            }
            _ => return Ok(()),
        }
    }
}
