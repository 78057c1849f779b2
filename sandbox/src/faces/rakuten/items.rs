//! `items.search` and `items.get` (sheet 4.7).

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use serde_json::{Value, json};

use super::answer::{Failure, ok};
use super::desk::Visit;
use crate::market::{Item, ItemId, ItemStatus, OptionId};

/// Items of a page when nothing is asked for, and most; how far `offset` reaches.
const HITS: usize = 10;
const MOST_HITS: usize = 100;
const MOST_OFFSET: usize = 10_000;

/// The item's code in its URL: small letters, digits, `-` and `_`.
pub(super) fn manage_number(seller_code: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c.to_ascii_lowercase() } else { '-' };
    seller_code.chars().map(plain).collect()
}

/// The SKU management numbers of an item: one for each option, the item's own code without options.
pub(super) fn variants(item: &Item) -> Vec<(String, Option<OptionId>, i64)> {
    if item.options.is_empty() {
        return vec![(manage_number(&item.seller_code), None, item.quantity)];
    }
    item.options.iter().map(|option| (option.id.to_string(), Some(option.id), option.quantity)).collect()
}

/// What a manage number and a variant id name.
pub(super) fn find(
    visit: &Visit<'_>,
    manage: &str,
    variant: &str,
) -> Option<(ItemId, Option<OptionId>, i64)> {
    visit.market().read(|state| {
        let own =
            |item: &&Item| item.seller == visit.key.seller && manage_number(&item.seller_code) == manage;
        let item = state.items().find(own)?;
        let (_, option, quantity) = variants(item).into_iter().find(|(id, ..)| id == variant)?;
        Some((item.id, option, quantity))
    })
}

pub(super) fn get(visit: &Visit<'_>) -> Response {
    let manage = visit.call.path.first().map(|number| number.to_lowercase()).unwrap_or_default();
    let found = visit.market().read(|state| {
        let own =
            |item: &&Item| item.seller == visit.key.seller && manage_number(&item.seller_code) == manage;
        state.items().find(own).map(item_model)
    });
    match found {
        Some(item) => ok(&item),
        None => {
            let text = format!("Not found for inputs; manageNumber={manage}");
            Failure::new(StatusCode::NOT_FOUND, "GE0014", text).into_response()
        }
    }
}

pub(super) fn search(visit: &Visit<'_>) -> Response {
    match page(visit) {
        Ok(page) => ok(&page),
        Err(failure) => failure.into_response(),
    }
}

fn page(visit: &Visit<'_>) -> Result<Value, Failure> {
    let call = visit.call;
    let hits = number(call.param("hits"), "hits", 1, MOST_HITS)?.unwrap_or(HITS);
    let offset = number(call.param("offset"), "offset", 0, MOST_OFFSET)?;
    let cursor = call.param("cursorMark");
    let sorted = call.param("sortKey").is_some() || call.param("sortOrder").is_some();
    if cursor.is_some() && (offset.is_some() || sorted) {
        return Err(Failure::bad("IE0105", "cursorMark cannot be used with offset, sortKey or sortOrder."));
    }
    let order = Order::read(call.param("sortKey"), call.param("sortOrder"))?;
    let hidden = flag(call.param("isHiddenItem"), "isHiddenItem")?;
    let with_inventory = flag(call.param("isInventoryIncluded"), "isInventoryIncluded")?.unwrap_or(false);
    if let Some(text) = call.param("updatedFrom") {
        super::wording::read_day(text)
            .filter(|_| text.len() == 10)
            .ok_or_else(|| Failure::bad("IE0002", format!("updatedFrom has an invalid value : {text}.")))?;
    }
    let items = visit.market().read(|state| {
        let own = state.items().filter(|item| item.seller == visit.key.seller);
        own.filter(|item| matches(visit, item, hidden)).cloned().collect::<Vec<_>>()
    });
    let items = order.sort(items);
    let total = items.len();
    let hits = hits.min(visit.desk.face.settings().page_size);
    let start = match cursor {
        Some(cursor) => after_cursor(&items, cursor)?,
        None => offset.unwrap_or(0),
    };
    let shown: Vec<&Item> = items.iter().skip(start).take(hits).collect();
    let results: Vec<Value> = shown.iter().map(|item| result(item, with_inventory)).collect();
    let mut body = json!({ "numFound": total, "offset": offset.unwrap_or(0), "results": results });
    if let Some(cursor) = cursor {
        // The same cursor again says that there is no more.
        let next = shown.last().map_or_else(|| cursor.to_owned(), |item| mark(item.id));
        body["nextCursorMark"] = json!(next);
    }
    Ok(body)
}

fn number(text: Option<&str>, name: &str, least: usize, most: usize) -> Result<Option<usize>, Failure> {
    let Some(text) = text else { return Ok(None) };
    let invalid = || Failure::bad("IE0002", format!("{name} has an invalid value : {text}."));
    let number: usize = text.parse().map_err(|_| invalid())?;
    if (least..=most).contains(&number) {
        return Ok(Some(number));
    }
    Err(Failure::bad("IE0003", format!("{name} must be between {least} and {most}.")))
}

fn flag(text: Option<&str>, name: &str) -> Result<Option<bool>, Failure> {
    match text {
        None => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(text) => Err(Failure::bad("IE0002", format!("{name} has an invalid value : {text}."))),
    }
}

/// By id, which is the order in which items were listed: nothing else is known of their dates.
#[derive(Debug, Clone, Copy)]
struct Order {
    by_number: bool,
    descending: bool,
}

impl Order {
    fn read(key: Option<&str>, order: Option<&str>) -> Result<Self, Failure> {
        let invalid = |name, text| Failure::bad("IE0002", format!("{name} has an invalid value : {text}."));
        let by_number = match key {
            None | Some("updated" | "created" | "itemDisplaySequence") => false,
            Some("manageNumber") => true,
            Some(text) => return Err(invalid("sortKey", text)),
        };
        match order {
            None | Some("desc") => Ok(Self { by_number, descending: order.is_some() }),
            Some("asc") => Ok(Self { by_number, descending: false }),
            Some(text) => Err(invalid("sortOrder", text)),
        }
    }

    fn sort(self, mut items: Vec<Item>) -> Vec<Item> {
        if self.by_number {
            items.sort_by_key(|item| manage_number(&item.seller_code));
        }
        if self.descending {
            items.reverse();
        }
        items
    }
}

fn matches(visit: &Visit<'_>, item: &Item, hidden: Option<bool>) -> bool {
    let part = |name: &str, texts: &[String]| {
        visit.call.param(name).is_none_or(|wanted| texts.iter().any(|text| text.contains(wanted)))
    };
    let skus: Vec<String> = item.options.iter().map(|option| option.sku.clone()).collect();
    let ids: Vec<String> = variants(item).into_iter().map(|(id, ..)| id).collect();
    hidden.is_none_or(|hidden| hidden == is_hidden(item))
        && part("manageNumber", &[manage_number(&item.seller_code)])
        && part("itemNumber", std::slice::from_ref(&item.seller_code))
        && part("title", std::slice::from_ref(&item.title))
        && part("variantId", &ids)
        && part("merchantDefinedSkuId", &skus)
}

fn is_hidden(item: &Item) -> bool {
    item.status != ItemStatus::OnSale
}

fn mark(id: ItemId) -> String {
    URL_SAFE.encode(format!("item {id}"))
}

/// Where the items after a cursor begin.
fn after_cursor(items: &[Item], cursor: &str) -> Result<usize, Failure> {
    if cursor == "*" {
        return Ok(0);
    }
    let invalid = || Failure::bad("IE0002", format!("cursorMark has an invalid value : {cursor}."));
    let text = URL_SAFE.decode(cursor).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let id: ItemId = text.and_then(|text| text.strip_prefix("item ")?.parse().ok()).ok_or_else(invalid)?;
    Ok(items.iter().position(|item| item.id > id).unwrap_or(items.len()))
}

fn result(item: &Item, with_inventory: bool) -> Value {
    let mut result = json!({ "item": item_model(item) });
    if with_inventory {
        // Lead times only: quantities are the inventory API's.
        let lead_times: serde_json::Map<String, Value> = variants(item)
            .into_iter()
            .map(|(id, ..)| (id, json!({ "operationLeadTime": { "normalDeliveryTimeId": 1 } })))
            .collect();
        result["inventory"] = Value::Object(lead_times);
    }
    result
}

fn item_model(item: &Item) -> Value {
    let axes: Vec<&str> = item
        .options
        .first()
        .map(|option| option.axes.iter().map(|axis| &*axis.name).collect())
        .unwrap_or_default();
    let key = |at: usize| format!("key{at}");
    let selectors: Vec<Value> = axes
        .iter()
        .enumerate()
        .map(|(at, name)| {
            let mut values: Vec<&str> = Vec::new();
            for axis in item.options.iter().filter_map(|option| option.axes.get(at)) {
                if !values.contains(&&*axis.value) {
                    values.push(&axis.value);
                }
            }
            let values: Vec<Value> = values.iter().map(|value| json!({ "displayValue": value })).collect();
            json!({ "key": key(at), "displayName": name, "values": values })
        })
        .collect();
    let variants: serde_json::Map<String, Value> = variants(item)
        .into_iter()
        .map(|(id, option, _)| {
            let option = option.and_then(|id| item.option(id));
            let price = item.price + option.map(|option| option.surcharge).unwrap_or_default();
            let mut variant = json!({
                "restockOnCancel": true,
                "backOrderFlag": false,
                "hidden": false,
                "standardPrice": price.to_string(),
            });
            if let Some(option) = option {
                let values: serde_json::Map<String, Value> =
                    option.axes.iter().enumerate().map(|(at, axis)| (key(at), json!(axis.value))).collect();
                variant["selectorValues"] = Value::Object(values);
                if !option.sku.is_empty() {
                    variant["merchantDefinedSkuId"] = json!(option.sku);
                }
            }
            (id, variant)
        })
        .collect();
    json!({
        "manageNumber": manage_number(&item.seller_code),
        "itemNumber": item.seller_code,
        "title": item.title,
        "itemType": "NORMAL",
        "genreId": "100371",
        "hideItem": is_hidden(item),
        "unlimitedInventoryFlag": false,
        "variantSelectors": selectors,
        "variants": variants,
        "created": "2026-01-01T00:00:00+09:00",
        "updated": "2026-01-01T00:00:00+09:00",
    })
}
