//! Products and their variations, to read (sheet "Listings", "Stock: read").

use std::cmp::Reverse;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::answer::{Failure, Outcome};
use super::call::{Query, date_text};
use super::desk::Visit;
use super::ledger::Ledger;
use crate::lock;
use crate::market::{Event, Item, ItemId, ItemOption, ItemStatus, MarketState, OptionId};

/// Products were added one after the other, by the minute, from here on: the market does not know when.
const FIRST_ADDED: i64 = 1_700_000_000;

const SORTS: [&str; 10] = [
    "RELEVANCE",
    "DEFINED_BY_STORE_OWNER",
    "ADDED_TIME_DESC",
    "ADDED_TIME_ASC",
    "NAME_ASC",
    "NAME_DESC",
    "PRICE_ASC",
    "PRICE_DESC",
    "UPDATED_TIME_ASC",
    "UPDATED_TIME_DESC",
];

pub(super) fn product_not_found(id: &str) -> Failure {
    Failure::not_found("PRODUCT_NOT_FOUND", format!("Product with id {id} not found"))
}

pub(super) fn combination_not_found(id: &str) -> Failure {
    Failure::not_found("COMBINATION_NOT_FOUND", format!("Combination with id {id} not found"))
}

/// The seller's product that a path names, and its variation if it names one.
pub(super) fn find<'a>(
    visit: &Visit<'_>,
    state: &'a MarketState,
    id: &str,
    option: Option<&str>,
) -> Result<(&'a Item, Option<&'a ItemOption>), Failure> {
    let item = id.parse().ok().and_then(|id: ItemId| state.item(id));
    let item = item.filter(|item| item.seller == visit.seller).ok_or_else(|| product_not_found(id))?;
    let Some(option) = option else { return Ok((item, None)) };
    let found = option.parse().ok().and_then(|id: OptionId| item.option(id));
    found.map(|found| (item, Some(found))).ok_or_else(|| combination_not_found(option))
}

/// A variation's own SKU, if it has one.
pub(super) fn own_sku<'a>(ledger: &Ledger, item: &Item, option: &'a ItemOption) -> Option<&'a str> {
    let hidden = ledger.item(item.id, Some(option.id)).without_sku;
    Some(option.sku.as_str()).filter(|sku| !hidden && !sku.is_empty())
}

/// A product with the times that the rows and the sorts need.
struct Listed<'a> {
    item: &'a Item,
    added: DateTime<Utc>,
    updated: DateTime<Utc>,
}

fn listed<'a>(visit: &Visit<'_>, state: &'a MarketState) -> Vec<Listed<'a>> {
    let of_seller = state.items().filter(|item| item.seller == visit.seller);
    let listed = of_seller.enumerate().map(|(nth, item)| {
        let added = DateTime::UNIX_EPOCH + TimeDelta::seconds(FIRST_ADDED + 60 * nth as i64);
        let changed = |event: &&Event| event.subject.item == Some(item.id) && event.is_done();
        let last = state.record().iter().rev().find(changed);
        Listed { item, added, updated: last.map_or(added, |event| event.at.max(added)) }
    });
    listed.collect()
}

/// `GET /products`.
pub(super) fn search(visit: &Visit<'_>) -> Outcome {
    let query = visit.query;
    let (offset, limit) = query.page(visit.settings.page_size)?;
    let sort = query.text("sortBy").unwrap_or("RELEVANCE");
    if !SORTS.contains(&sort) {
        return Err(Failure::wrong("Wrong value of parameter 'sortBy'"));
    }
    let filter = Filter::read(query)?;
    let ledger = lock(&visit.desk.face.0.ledger);
    visit.market().read(|state| {
        let mut found = listed(visit, state);
        found.retain(|listed| filter.fits(&ledger, listed));
        order_by(&mut found, sort);
        let page = found.iter().skip(offset).take(limit);
        let items: Vec<Value> = page.map(|listed| row(&ledger, listed)).collect();
        Ok(json!({
            "total": found.len(), "count": items.len(), "offset": offset, "limit": limit, "items": items,
        }))
    })
}

fn order_by(found: &mut [Listed<'_>], sort: &str) {
    match sort {
        "ADDED_TIME_ASC" | "DEFINED_BY_STORE_OWNER" => found.sort_by_key(|l| l.added),
        "NAME_ASC" => found.sort_by(|a, b| a.item.title.cmp(&b.item.title)),
        "NAME_DESC" => found.sort_by(|a, b| b.item.title.cmp(&a.item.title)),
        "PRICE_ASC" => found.sort_by_key(|l| l.item.price),
        "PRICE_DESC" => found.sort_by_key(|l| Reverse(l.item.price)),
        "UPDATED_TIME_ASC" => found.sort_by_key(|l| (l.updated, l.added)),
        // Relevance is nobody's order: the last changed stands in front, so that a change moves rows between pages.
        "UPDATED_TIME_DESC" | "RELEVANCE" => found.sort_by_key(|l| Reverse((l.updated, l.added))),
        _ => found.sort_by_key(|l| Reverse(l.added)),
    }
}

/// What is searched for.
enum Filter<'a> {
    Products(Vec<&'a str>),
    Sku(&'a str),
    Others(Box<Others>),
}

struct Others {
    keyword: Option<String>,
    enabled: Option<bool>,
    in_stock: Option<bool>,
    created: (Option<i64>, Option<i64>),
    updated: (Option<i64>, Option<i64>),
}

impl<'a> Filter<'a> {
    /// Product ids put all others out of force, a SKU all but them.
    fn read(query: &'a Query) -> Result<Self, Failure> {
        if let Some(ids) = query.list("productId") {
            return Ok(Self::Products(ids));
        }
        if let Some(sku) = query.text("sku") {
            return Ok(Self::Sku(sku));
        }
        Ok(Self::Others(Box::new(Others {
            keyword: query.text("keyword").map(str::to_lowercase),
            enabled: query.flag("enabled")?,
            in_stock: query.flag("inStock")?,
            created: (query.time("createdFrom")?, query.time("createdTo")?),
            updated: (query.time("updatedFrom")?, query.time("updatedTo")?),
        })))
    }

    fn fits(&self, ledger: &Ledger, listed: &Listed<'_>) -> bool {
        let item = listed.item;
        match self {
            Self::Products(ids) => ids.iter().any(|id| *id == item.id.to_string()),
            Self::Sku(sku) => {
                let own = |option| own_sku(ledger, item, option) == Some(*sku);
                item.seller_code == *sku || item.options.iter().any(own)
            }
            Self::Others(others) => others.fits(ledger, listed),
        }
    }
}

impl Others {
    fn fits(&self, ledger: &Ledger, listed: &Listed<'_>) -> bool {
        let within = |(from, to): (Option<i64>, Option<i64>), time: DateTime<Utc>| {
            from.is_none_or(|from| time.timestamp() >= from) && to.is_none_or(|to| time.timestamp() <= to)
        };
        let item = listed.item;
        let mentioned = |word: &str| {
            item.title.to_lowercase().contains(word) || item.seller_code.to_lowercase().contains(word)
        };
        self.keyword.as_deref().is_none_or(mentioned)
            && self.enabled.is_none_or(|wanted| wanted == (item.status == ItemStatus::OnSale))
            && self.in_stock.is_none_or(|wanted| wanted == in_stock(ledger, item))
            && within(self.created, listed.added)
            && within(self.updated, listed.updated)
    }
}

fn in_stock(ledger: &Ledger, item: &Item) -> bool {
    let has = |option, quantity| ledger.item(item.id, option).unlimited || quantity > 0;
    has(None, item.quantity) || item.options.iter().any(|option| has(Some(option.id), option.quantity))
}

/// `GET /products/{productId}`.
pub(super) fn get(visit: &Visit<'_>, id: &str) -> Outcome {
    let ledger = lock(&visit.desk.face.0.ledger);
    visit.market().read(|state| row_of(visit, state, &ledger, id))
}

pub(super) fn row_of(visit: &Visit<'_>, state: &MarketState, ledger: &Ledger, id: &str) -> Outcome {
    let (item, _) = find(visit, state, id, None)?;
    let found = listed(visit, state).into_iter().find(|listed| listed.item.id == item.id);
    found.map(|listed| row(ledger, &listed)).ok_or_else(|| product_not_found(id))
}

/// `GET /products/{productId}/combinations`: a bare list.
pub(super) fn variations(visit: &Visit<'_>, id: &str) -> Outcome {
    let ledger = lock(&visit.desk.face.0.ledger);
    visit.market().read(|state| {
        let (item, _) = find(visit, state, id, None)?;
        Ok(item.options.iter().map(|option| variation_row(&ledger, item, option)).collect())
    })
}

/// `GET /products/{productId}/combinations/{combinationId}`.
pub(super) fn variation(visit: &Visit<'_>, id: &str, option: &str) -> Outcome {
    let ledger = lock(&visit.desk.face.0.ledger);
    visit.market().read(|state| match find(visit, state, id, Some(option))? {
        (item, Some(option)) => Ok(variation_row(&ledger, item, option)),
        _ => Err(combination_not_found(option)),
    })
}

fn row(ledger: &Ledger, listed: &Listed<'_>) -> Value {
    let item = listed.item;
    let card = ledger.item(item.id, None);
    let variations: Vec<Value> =
        item.options.iter().map(|option| variation_row(ledger, item, option)).collect();
    let mut row = json!({
        "id": item.id,
        "sku": item.seller_code,
        "name": item.title,
        "price": item.price,
        "enabled": item.status == ItemStatus::OnSale,
        "inStock": in_stock(ledger, item),
        "isGiftCard": card.gift_card,
        "created": date_text(listed.added),
        "createTimestamp": listed.added.timestamp(),
        "updated": date_text(listed.updated),
        "updateTimestamp": listed.updated.timestamp(),
        "combinations": variations,
    });
    if card.bundle
        && let Value::Object(fields) = &mut row
    {
        fields.insert("compositeComponents".to_owned(), json!([{ "productId": 1, "quantity": 2 }]));
    }
    with_stock(row, ledger, item.id, None, item.quantity)
}

fn variation_row(ledger: &Ledger, item: &Item, option: &ItemOption) -> Value {
    let axis = |axis: &crate::market::Axis| json!({ "name": axis.name, "value": axis.value });
    let mut row = json!({
        "id": option.id,
        "combinationNumber": option.id.0 % 1000,
        "options": option.axes.iter().map(axis).collect::<Vec<_>>(),
        "price": item.price + option.surcharge,
    });
    if let (Value::Object(fields), Some(sku)) = (&mut row, own_sku(ledger, item, option)) {
        fields.insert("sku".to_owned(), json!(sku));
    }
    with_stock(row, ledger, item.id, Some(option.id), option.quantity)
}

/// The quantity is absent where it is not tracked.
fn with_stock(
    mut row: Value,
    ledger: &Ledger,
    item: ItemId,
    option: Option<OptionId>,
    quantity: i64,
) -> Value {
    let card = ledger.item(item, option);
    let Value::Object(fields) = &mut row else { return row };
    fields.insert("unlimited".to_owned(), json!(card.unlimited));
    let behaviour = if card.preorder { "ALLOW_PREORDER" } else { "SHOW" };
    fields.insert("outOfStockVisibilityBehaviour".to_owned(), json!(behaviour));
    if !card.unlimited {
        fields.insert("quantity".to_owned(), json!(quantity));
    }
    if card.locations > 0 {
        // All lies in the first.
        let units = |nth| if nth == 1 { quantity } else { 0 };
        let places = (1..=card.locations).map(|nth| (format!("location-{nth}"), json!(units(nth))));
        fields.insert("locationInventory".to_owned(), Value::Object(places.collect()));
    }
    row
}
