//! Items and their models (sheet section 4.7).

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};

use super::answer::{Answer, Failure, Outcome};
use super::book::Book;
use super::desk::Visit;
use super::ids::{item_id, model_id};
use super::stock::{info, own_item};
use crate::Amount;
use crate::market::{Item, ItemStatus};

/// So many items are given at once.
const MOST: usize = 50;
/// All items were listed at one time: 00:00 UTC on 1 January 2026.
const LISTED: TimeDelta = TimeDelta::seconds(1_767_225_600);

const STATUSES: [&str; 6] = ["NORMAL", "BANNED", "UNLIST", "REVIEWING", "SELLER_DELETE", "SHOPEE_DELETE"];

fn status(item: &Item) -> &'static str {
    match item.status {
        ItemStatus::OnSale => "NORMAL",
        ItemStatus::Waiting => "UNLIST",
        ItemStatus::InReview => "REVIEWING",
        ItemStatus::Stopped | ItemStatus::Restricted => "BANNED",
        ItemStatus::Refused => "SHOPEE_DELETE",
    }
}

fn listed() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + LISTED
}

fn updated(book: &Book, item: &Item) -> i64 {
    book.touched.get(&item.id).copied().unwrap_or_else(listed).timestamp()
}

/// The statuses that are asked for: the parameter is repeated.
fn statuses<'a>(visit: &'a Visit<'_>) -> Result<Vec<&'a str>, Failure> {
    let asked: Vec<&str> = visit.call.all("item_status").filter(|status| !status.is_empty()).collect();
    if asked.iter().any(|status| !STATUSES.contains(status)) {
        return Err(Failure::new("error_param_item_status", "Item status error."));
    }
    Ok(asked)
}

/// The shop's items that fit, by id.
fn own_items(visit: &Visit<'_>, fits: impl Fn(&Item) -> bool) -> Vec<Item> {
    visit.market().read(|state| {
        state.items().filter(|item| item.seller == visit.shop.seller && fits(item)).cloned().collect()
    })
}

fn time(visit: &Visit<'_>, name: &str) -> Result<Option<i64>, Failure> {
    Some(name)
        .filter(|name| !visit.call.param(name).is_empty())
        .map(|name| visit.call.number(name))
        .transpose()
}

/// `product/get_item_list`.
pub(super) fn list(visit: &Visit<'_>) -> Outcome {
    let offset = usize::try_from(visit.call.number("offset")?)
        .map_err(|_| Failure::wrong("offset must not be negative."))?;
    let size = visit.call.page_size()?.min(visit.settings.page_size);
    let wanted = statuses(visit)?;
    if wanted.is_empty() {
        return Err(Failure::required("item_status"));
    }
    let (from, to) = (time(visit, "update_time_from")?, time(visit, "update_time_to")?);
    if let (Some(from), Some(to)) = (from, to)
        && from > to
    {
        let text = "Update_time_to should be later than update_time_from.";
        return Err(Failure::new("error_update_time_range", text));
    }
    let book = visit.book();
    let in_range = |item: &Item| {
        let at = updated(&book, item);
        from.is_none_or(|from| at >= from) && to.is_none_or(|to| at <= to)
    };
    let found = own_items(visit, |item| wanted.contains(&status(item)) && in_range(item));
    let rows: Vec<Value> = found
        .iter()
        .skip(offset)
        .take(size)
        .map(|item| {
            json!({
                "item_id": item_id(item.id),
                "item_status": status(item),
                "update_time": updated(&book, item),
                "tag": { "kit": false },
            })
        })
        .collect();
    let end = offset.saturating_add(size);
    let more = end < found.len();
    let mut response = json!({
        "total_count": found.len(),
        "has_next_page": more,
        "next_offset": if more { end } else { 0 },
    });
    // An empty list is left out.
    if !rows.is_empty() {
        response["item"] = json!(rows);
    }
    Ok(Answer::wrapped(response).warn(""))
}

fn price_info(item: &Item, surcharge: Amount) -> Value {
    let price = item.price + surcharge;
    json!([{ "currency": item.currency, "original_price": price, "current_price": price }])
}

/// `product/get_item_base_info`.
pub(super) fn base_info(visit: &Visit<'_>) -> Outcome {
    visit.call.required("item_id_list")?;
    let asked: Vec<&str> =
        visit.call.all("item_id_list").flat_map(|list| list.split(',')).map(str::trim).collect();
    if asked.len() > MOST {
        return Err(Failure::wrong("item_id_list must have at most 50 entries."));
    }
    let ids: Result<Vec<u64>, _> = asked.iter().map(|id| id.parse::<u64>()).collect();
    let ids = ids.map_err(|_| Failure::wrong("item_id_list must be numbers."))?;
    let book = visit.book();
    let items: Vec<Item> = ids.into_iter().filter_map(|id| own_item(visit, id).ok()).collect();
    if items.is_empty() {
        return Err(Failure::new("error_item_not_found", "Item_id is not found."));
    }
    let rows: Vec<Value> = items.iter().map(|item| base_row(visit, &book, item)).collect();
    Ok(Answer::wrapped(json!({ "item_list": rows })).warn(""))
}

fn base_row(visit: &Visit<'_>, book: &Book, item: &Item) -> Value {
    let mut row = Map::from_iter(
        [
            ("item_id", json!(item_id(item.id))),
            ("category_id", json!(14_646)),
            ("item_name", json!(item.title)),
            ("item_sku", json!(item.seller_code)),
            ("item_status", json!(status(item))),
            ("has_model", json!(!item.options.is_empty())),
            ("create_time", json!(listed().timestamp())),
            ("update_time", json!(updated(book, item))),
            ("condition", json!("NEW")),
            ("deboost", json!(false)),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    );
    // With models these are found at the models alone.
    if item.options.is_empty() {
        row.insert("price_info".into(), price_info(item, Amount::ZERO));
        row.insert("stock_info_v2".into(), info(book, visit.settings, (item.id, None), item.quantity));
    }
    Value::Object(row)
}

/// `product/get_model_list`.
pub(super) fn models(visit: &Visit<'_>) -> Outcome {
    let null = || Failure::new("product.error_param", "invalid field ItemId: value must  Not Null");
    visit.call.required("item_id").map_err(|_| null())?;
    let id = u64::try_from(visit.call.number("item_id")?)
        .map_err(|_| Failure::new("error_item_not_found", "Item_id is not found."))?;
    let item = own_item(visit, id)?;
    let book = visit.book();
    let tiers = tiers(&item);
    let rows: Vec<Value> = item
        .options
        .iter()
        .map(|option| {
            let index: Vec<usize> = tiers
                .iter()
                .zip(&option.axes)
                .filter_map(|((_, values), axis)| values.iter().position(|value| *value == axis.value))
                .collect();
            json!({
                "model_id": model_id(option.id),
                "model_sku": option.sku,
                "model_status": "MODEL_NORMAL",
                "tier_index": index,
                "promotion_id": 0,
                "has_promotion": false,
                "price_info": price_info(&item, option.surcharge),
                "stock_info_v2":
                    info(&book, visit.settings, (item.id, Some(option.id)), option.quantity),
            })
        })
        .collect();
    let variations: Vec<Value> = tiers
        .iter()
        .map(|(name, values)| {
            let options: Vec<Value> = values.iter().map(|value| json!({ "option": value })).collect();
            json!({ "name": name, "option_list": options })
        })
        .collect();
    Ok(Answer::wrapped(json!({ "tier_variation": variations, "model": rows })).warn(""))
}

/// The axes with their values, in the order in which the options bring them.
fn tiers(item: &Item) -> Vec<(&str, Vec<&str>)> {
    let mut tiers: Vec<(&str, Vec<&str>)> = Vec::new();
    for option in &item.options {
        for (at, axis) in option.axes.iter().enumerate() {
            if tiers.len() <= at {
                tiers.push((&axis.name, Vec::new()));
            }
            if let Some((_, values)) = tiers.get_mut(at)
                && !values.contains(&axis.value.as_str())
            {
                values.push(&axis.value);
            }
        }
    }
    tiers
}

/// `product/search_item`: by the item's own SKU, or by a part of its name.
pub(super) fn search(visit: &Visit<'_>) -> Outcome {
    let null = || Failure::new("product.error_param", "invalid field PageSize: value must  Not Null");
    visit.call.required("page_size").map_err(|_| null())?;
    let size = visit.call.page_size()?.min(visit.settings.page_size);
    let (sku, name) = (visit.call.param("item_sku"), visit.call.param("item_name"));
    if sku.is_empty() && name.is_empty() && visit.call.param("attribute_status").is_empty() {
        return Err(Failure::param("request must set one of [item_name,attribute_status]"));
    }
    let wanted = statuses(visit)?;
    let offset: usize = match visit.call.param("offset") {
        "" => 0,
        text => text.parse().map_err(|_| Failure::wrong("offset is invalid."))?,
    };
    let fits = |item: &Item| {
        let named = if sku.is_empty() { item.title.contains(name) } else { item.seller_code == sku };
        named && (wanted.is_empty() || wanted.contains(&status(item)))
    };
    let found = own_items(visit, fits);
    let end = offset.saturating_add(size);
    let ids: Vec<u64> = found.iter().skip(offset).take(size).map(|item| item_id(item.id)).collect();
    let next = if end < found.len() { end.to_string() } else { String::new() };
    let response = json!({ "item_id_list": ids, "total_count": found.len(), "next_offset": next });
    Ok(Answer::wrapped(response).warn(""))
}
