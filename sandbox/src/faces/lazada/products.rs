//! Listings (sheet section 4).

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::answer::{Failure, Outcome};
use super::call::text_list;
use super::desk::Visit;
use super::ids::Sku;
use super::order_row::shop_sku;
use super::orders::{bad_limit, bad_offset, number_in, optional_date};
use super::stock::locked;
use crate::market::{Item, ItemId, ItemStatus, MarketState};
use crate::{Amount, lock};

/// Most rows on a page.
const MOST: usize = 50;
/// The highest offset.
const LAST_OFFSET: usize = 10_000;
/// Most seller SKUs of one call.
const MOST_SKUS: usize = 100;

/// A SKU of an item.
pub(super) struct SkuView<'a> {
    pub(super) sku: Sku,
    pub(super) seller_sku: &'a str,
    pub(super) quantity: i64,
    price: Amount,
    axes: Vec<(&'a str, &'a str)>,
}

/// All SKUs of an item: its options, or the item itself.
pub(super) fn skus(item: &Item) -> Vec<SkuView<'_>> {
    if item.options.is_empty() {
        return vec![SkuView {
            sku: Sku::Item(item.id),
            seller_sku: &item.seller_code,
            quantity: item.quantity,
            price: item.price,
            axes: Vec::new(),
        }];
    }
    item.options
        .iter()
        .map(|option| {
            let sku = Sku::Option(item.id, option.id);
            let axes = option.axes.iter().map(|axis| (axis.name.as_str(), axis.value.as_str())).collect();
            SkuView {
                sku,
                seller_sku: &option.sku,
                quantity: option.quantity,
                price: item.price + option.surcharge,
                axes,
            }
        })
        .collect()
}

fn status(item: &Item) -> &'static str {
    match item.status {
        ItemStatus::OnSale => "Active",
        ItemStatus::Waiting => "InActive",
        ItemStatus::InReview => "Pending QC",
        ItemStatus::Stopped | ItemStatus::Restricted | ItemStatus::Refused => "Suspended",
    }
}

const FILTERS: [&str; 7] = ["all", "live", "inactive", "deleted", "pending", "rejected", "sold-out"];

fn is_in(filter: &str, item: &Item) -> bool {
    match filter {
        "all" => true,
        "live" => status(item) == "Active",
        "inactive" => status(item) == "InActive",
        "pending" => status(item) == "Pending QC",
        "rejected" => status(item) == "Suspended",
        "sold-out" => status(item) == "Active" && skus(item).iter().all(|sku| sku.quantity == 0),
        _ => false,
    }
}

/// When each item was last changed, from the record.
fn changes(state: &MarketState) -> HashMap<ItemId, DateTime<Utc>> {
    let done = state.record().iter().filter(|event| event.is_done());
    done.filter_map(|event| Some((event.subject.item?, event.at))).collect()
}

type Range = (Option<DateTime<Utc>>, Option<DateTime<Utc>>);

fn within((after, before): Range, at: DateTime<Utc>) -> bool {
    let at = at.timestamp();
    after.is_none_or(|after| after.timestamp() <= at) && before.is_none_or(|before| at <= before.timestamp())
}

/// `getproducts`: in the order of creation, or of the last change when that is asked for.
pub(super) fn list(visit: &Visit<'_>) -> Outcome {
    let filter = visit.call.param("filter");
    if !FILTERS.contains(&filter) {
        return Err(Failure::service(36, "E036: Invalid status filter"));
    }
    let created: Range = (optional_date(visit, "create_after")?, optional_date(visit, "create_before")?);
    let updated: Range = (optional_date(visit, "update_after")?, optional_date(visit, "update_before")?);
    let offset = number_in(visit, "offset", 0, 0..=LAST_OFFSET, bad_offset)?;
    let limit = number_in(visit, "limit", MOST, 1..=MOST, bad_limit)?.min(visit.settings.page_size);
    let wanted =
        match visit.call.param("sku_seller_list") {
            "" => None,
            text => Some(text_list(text).filter(|skus| skus.len() <= MOST_SKUS).ok_or_else(|| {
                Failure::service(70, "E070: You have corrupt data in your sku seller list.")
            })?),
        };
    let mut ledger = lock(&visit.desk.face.0.ledger);
    visit.market().read(|state| {
        let changes = changes(state);
        let locked = locked(state);
        let mut found = Vec::new();
        // Items of everybody get their time, so that it does not depend on who asks first.
        for item in state.items() {
            let listed = ledger.listed(item.id, visit.settings.listed_together);
            let changed = changes.get(&item.id).copied().unwrap_or(listed);
            let named = wanted.as_ref().is_none_or(|wanted| {
                skus(item).iter().any(|sku| wanted.iter().any(|wanted| wanted == sku.seller_sku))
            });
            let own = item.seller == visit.shop.seller;
            if own && named && is_in(filter, item) && within(created, listed) && within(updated, changed) {
                found.push((listed, changed, item));
            }
        }
        let by_change = updated != (None, None);
        found.sort_by_key(|(listed, changed, item)| (if by_change { *changed } else { *listed }, item.id));
        let page = found.iter().skip(offset).take(limit);
        let rows: Vec<Value> =
            page.map(|(listed, changed, item)| row(visit, item, *listed, *changed, &locked)).collect();
        Ok(json!({ "data": { "total_products": found.len(), "products": rows } }))
    })
}

/// `getproductitem`.
pub(super) fn one(visit: &Visit<'_>) -> Outcome {
    let text = visit.call.param("item_id");
    if text.is_empty() {
        return Err(Failure::service(200, "E200: Empty SellerSku"));
    }
    let not_there = || Failure::service(208, "E208: Item not exist");
    let id: ItemId = text.parse().map_err(|_| not_there())?;
    let mut ledger = lock(&visit.desk.face.0.ledger);
    let listed = ledger.listed(id, visit.settings.listed_together);
    visit.market().read(|state| {
        let item = state.item(id).ok_or_else(not_there)?;
        if item.seller != visit.shop.seller {
            let text = "You are not authorized to edit the item.";
            return Err(Failure::platform("EDIT_ITEM_NOT_BELONG_SELLER", text));
        }
        let changed = changes(state).get(&id).copied().unwrap_or(listed);
        Ok(json!({ "data": row(visit, item, listed, changed, &locked(state)) }))
    })
}

fn row(
    visit: &Visit<'_>,
    item: &Item,
    listed: DateTime<Utc>,
    changed: DateTime<Utc>,
    locked: &HashMap<Sku, i64>,
) -> Value {
    let rows: Vec<Value> = skus(item)
        .iter()
        .map(|sku| sku_row(visit, item, sku, locked.get(&sku.sku).copied().unwrap_or_default()))
        .collect();
    json!({
        "item_id": item.id,
        "primary_category": 10_000_211,
        "status": status(item),
        "attributes": { "name": item.title, "description": "", "brand": "No Brand" },
        "skus": rows,
        "created_time": listed.timestamp_millis().to_string(),
        "updated_time": changed.timestamp_millis().to_string(),
        "images": "[]",
        "marketImages": "[]",
        "trialProduct": false,
    })
}

fn sku_row(visit: &Visit<'_>, item: &Item, sku: &SkuView<'_>, locked: i64) -> Value {
    let mut row = json!({
        "Status": if item.status == ItemStatus::OnSale { "active" } else { "inactive" },
        "SkuId": sku.sku.id(),
        "SellerSku": sku.seller_sku,
        "ShopSku": shop_sku(sku.sku, &visit.settings),
        "quantity": sku.quantity + locked,
        "Available": sku.quantity,
        "price": sku.price,
        "special_price": 0,
        "Url": "",
        "Images": [],
        "saleProp": sku.axes.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect::<serde_json::Map<_, _>>(),
    });
    if visit.call.param("options") == "1" {
        row["ReservedStock"] = json!(locked);
        row["RtsStock"] = json!(0);
        row["PendingStock"] = json!(locked);
        row["RealTimeStock"] = json!(sku.quantity + locked);
        row["FulfillmentBySellable"] = json!(sku.quantity);
    }
    row
}
