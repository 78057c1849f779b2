//! Quantities by model and location, and the warehouses (sheet section 4.6).

use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Answer, Failure, Outcome};
use super::book::{Book, Goods};
use super::desk::Visit;
use super::ids::{self, model_id};
use super::settings::Settings;
use crate::market::{Item, ItemStatus};

/// So many models in one call.
const MOST: usize = 50;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    item_id: Option<u64>,
    stock_list: Vec<Row>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Row {
    model_id: u64,
    seller_stock: Vec<Stock>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Stock {
    location_id: Option<String>,
    stock: Option<i64>,
}

/// Quantities by location as they are now. What is sold is taken from the first ones.
pub(super) fn by_location(book: &Book, settings: &Settings, goods: Goods, quantity: i64) -> Vec<i64> {
    let mut shares = book.stock.get(&goods).cloned().unwrap_or_default();
    shares.resize(settings.locations().len(), 0);
    let mut difference = quantity - shares.iter().sum::<i64>();
    for share in &mut shares {
        let change = difference.max(-*share);
        *share += change;
        difference -= change;
    }
    shares
}

/// `stock_info_v2` of an item or a model.
pub(super) fn info(book: &Book, settings: &Settings, goods: Goods, quantity: i64) -> Value {
    let reserved = book.reserved.get(&goods).copied().unwrap_or_default();
    let locations = settings.locations();
    let shares = by_location(book, settings, goods, quantity);
    let rows: Vec<Value> = locations
        .iter()
        .zip(shares)
        .map(|(location, stock)| json!({ "location_id": location, "stock": stock, "if_saleable": true }))
        .collect();
    json!({
        "summary_info": {
            "total_reserved_stock": reserved,
            "total_available_stock": (quantity - reserved).max(0),
        },
        "seller_stock": rows,
        "shopee_stock": [],
    })
}

/// The shop's item with this id.
pub(super) fn own_item(visit: &Visit<'_>, id: u64) -> Result<Item, Failure> {
    let item = visit.market().read(|state| ids::item(state, id).and_then(|item| state.item(item)).cloned());
    let item = item.ok_or_else(|| Failure::new("error_item_not_found", "Item_id is not found."))?;
    if item.seller != visit.shop.seller {
        return Err(Failure::new("error_item_not_belong_shop", "Item not belong to shop."));
    }
    Ok(item)
}

/// `product/update_stock`: one item; each model is taken or not on its own.
pub(super) fn update(visit: &Visit<'_>) -> Outcome {
    let asked: Asked = visit.call.body()?;
    let id = asked
        .item_id
        .ok_or_else(|| Failure::new("product.error_param", "invalid field ItemId: value must  Not Null"))?;
    if asked.stock_list.is_empty() || asked.stock_list.len() > MOST {
        return Err(Failure::wrong("stock_list must have 1 to 50 entries."));
    }
    let item = own_item(visit, id)?;
    if !matches!(item.status, ItemStatus::OnSale | ItemStatus::Waiting) {
        let text = "Can't edit this item. item status can not support editing.";
        return Err(Failure::new("error_item_uneditable", text));
    }
    check_rows(&asked.stock_list, &item, visit.settings)?;
    let mut book = visit.book();
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    for row in &asked.stock_list {
        match set(visit, &mut book, &item, row) {
            Ok(rows) => done.extend(rows),
            Err(reason) => failed.push(json!({ "model_id": row.model_id, "failed_reason": reason })),
        }
    }
    let is_whole = failed.is_empty();
    let response = json!({ "success_list": done, "failure_list": failed });
    if is_whole {
        return Ok(Answer::wrapped(response).warn(""));
    }
    let text = "Update stock failed, please check failure_list for detailed reason";
    Err(Failure::with_response("error_busi_update_stock_failed", text, response))
}

/// What makes the whole call fail, before anything is set.
fn check_rows(rows: &[Row], item: &Item, settings: &Settings) -> Result<(), Failure> {
    for (at, row) in rows.iter().enumerate() {
        if rows[..at].iter().any(|earlier| earlier.model_id == row.model_id) {
            return Err(Failure::param("Repeat model_id."));
        }
        if row.model_id == 0 && !item.options.is_empty() {
            return Err(Failure::new(
                "error_edit_item_stock_for_item_has_model",
                "Can't to edit item stock directly while item has models.",
            ));
        }
        if row.seller_stock.is_empty() {
            return Err(Failure::required("seller_stock"));
        }
        for (at, stock) in row.seller_stock.iter().enumerate() {
            if stock.stock.is_none_or(|stock| !(0..=i64::from(i32::MAX)).contains(&stock)) {
                return Err(Failure::param("Parameter is not match the constraints, stock."));
            }
            check_location(stock, settings)?;
            if row.seller_stock[..at].iter().any(|earlier| earlier.location_id == stock.location_id) {
                return Err(Failure::new("error_auth", LOCATION));
            }
        }
    }
    Ok(())
}

const LOCATION: &str =
    "The location_id input is not matched the shop's location_id(more/wrong). Please double check.";

fn check_location(stock: &Stock, settings: &Settings) -> Result<(), Failure> {
    let location = stock.location_id.as_deref().filter(|location| !location.is_empty());
    match location {
        None if settings.warehouses.is_empty() => Ok(()),
        None => {
            Err(Failure::new("error_busi", "The merchant/shop has multi warehouse, please input location id"))
        }
        Some(_) if settings.warehouses.is_empty() => Err(Failure::new(
            "error_auth",
            "You do not have right to use seller location_id, please only fill seller_stock filed.",
        )),
        Some(location) if settings.warehouses.iter().all(|known| known != location) => {
            Err(Failure::new("error_auth", LOCATION))
        }
        Some(_) => Ok(()),
    }
}

fn set(visit: &Visit<'_>, book: &mut Book, item: &Item, row: &Row) -> Result<Vec<Value>, &'static str> {
    let option = item.options.iter().find(|option| model_id(option.id) == row.model_id);
    if row.model_id != 0 && option.is_none() {
        return Err("Wrong model_id.");
    }
    let goods = (item.id, option.map(|option| option.id));
    // As it is now, and not as it was when the call came in.
    let quantity = visit.market().quantity(goods.0, goods.1).unwrap_or_default();
    let mut shares = by_location(book, visit.settings, goods, quantity);
    let locations = visit.settings.locations();
    for stock in &row.seller_stock {
        let at = locations.iter().position(|known| Some(known) == stock.location_id.as_ref());
        if let Some(share) = shares.get_mut(at.unwrap_or_default()) {
            *share = stock.stock.unwrap_or_default();
        }
    }
    let sum: i64 = shares.iter().sum();
    if sum < book.reserved.get(&goods).copied().unwrap_or_default() {
        return Err("Total stock must be more than reserved stock.");
    }
    visit.acting().set_quantity(goods.0, goods.1, sum).map_err(|_| "Update stock failed.")?;
    book.stock.insert(goods, shares);
    book.touched.insert(goods.0, visit.now);
    let done = |stock: &Stock| {
        json!({
            "model_id": row.model_id,
            "location_id": stock.location_id.clone().unwrap_or_default(),
            "stock": stock.stock,
        })
    };
    Ok(row.seller_stock.iter().map(done).collect())
}

/// `shop/get_warehouse_detail`.
pub(super) fn warehouses(visit: &Visit<'_>) -> Outcome {
    let kind = match visit.call.param("warehouse_type") {
        "" => 1,
        _ => visit.call.number("warehouse_type")?,
    };
    if !matches!(kind, 1 | 2) {
        return Err(Failure::wrong("warehouse_type must be 1 or 2."));
    }
    if visit.settings.warehouses.is_empty() {
        return Err(Failure::with_response(
            "warehouse.error_not_in_whitelist",
            "Your shop is not in multi-warehouse whitelist.",
            Value::Null,
        ));
    }
    let row = |(at, location): (usize, &String)| {
        json!({
            "warehouse_id": at + 1,
            "warehouse_name": format!("warehouse{}", at + 1),
            "warehouse_type": kind,
            "location_id": location,
            "address_id": 118_454_205 + at,
            "region": visit.settings.region,
            "state": "",
            "city": "",
            "district": "",
            "town": "",
            "address": "1 Fake Street",
            "zipcode": "000001",
            "state_code": "",
            "holiday_mode_state": 0,
        })
    };
    let rows: Vec<Value> = visit.settings.warehouses.iter().enumerate().map(row).collect();
    Ok(Answer::wrapped(json!(rows)))
}
