//! Quantities (sheet section 4): absolute, for all warehouses of a SKU at once. The market keeps their sum.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Failure, Outcome};
use super::desk::Visit;
use super::ids::{self, Sku};
use super::logistics::WAREHOUSES;
use super::products::{not_listed, skus};
use super::settings::{Settings, ZeroStock};
use crate::lock;
use crate::market::{Item, ItemStatus, LineState, MarketState};

/// Quantities by warehouse, as they were last set.
pub(super) type Split = HashMap<Sku, Vec<i64>>;

/// How a quantity is spread: as it was set, and what was sold since is gone from the first warehouses.
pub(super) fn by_warehouse(
    split: &mut Split,
    sku: Sku,
    quantity: i64,
    warehouses: usize,
) -> Vec<(&'static str, i64)> {
    let parts = split.entry(sku).or_default();
    parts.resize(warehouses.max(1), 0);
    let mut change = quantity - parts.iter().sum::<i64>();
    if change > 0 {
        parts[0] += change;
    }
    for part in parts.iter_mut() {
        let taken = (-change).clamp(0, (*part).max(0));
        *part -= taken;
        change += taken;
    }
    WAREHOUSES.iter().map(|(id, _)| *id).zip(parts.iter().copied()).collect()
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Update {
    skus: Vec<SkuUpdate>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SkuUpdate {
    id: String,
    inventory: Vec<Part>,
}

#[derive(Debug, Deserialize)]
struct Part {
    warehouse_id: Option<String>,
    quantity: i64,
}

/// `update-inventory`: SKUs that can't be set are named in `errors`, the others are set.
pub(super) fn update(visit: &Visit<'_>) -> Outcome {
    let asked: Update = visit.call.body(12_019_024)?;
    let item = updatable(visit)?;
    if asked.skus.is_empty() {
        return Err(Failure::new(12_052_902, "The SKU list is empty."));
    }
    if asked.skus.len() > 100 {
        return Err(Failure::new(12_052_050, "A single product cannot have more than 100 different SKUs"));
    }
    for (at, sku) in asked.skus.iter().enumerate() {
        if sku.id.is_empty() {
            return Err(Failure::new(12_052_036, "The SKU ID is necessary"));
        }
        if asked.skus[..at].iter().any(|earlier| earlier.id == sku.id) {
            return Err(Failure::new(12_052_553, "Sku id duplicate"));
        }
    }
    let settings = visit.desk.face.settings();
    let errors: Vec<Value> =
        asked.skus.iter().filter_map(|sku| set(visit, &item, sku, &settings).err()).collect();
    Ok(if errors.is_empty() { json!({}) } else { json!({ "errors": errors }) })
}

fn updatable(visit: &Visit<'_>) -> Result<Item, Failure> {
    let id = ids::product(visit.call.in_path("product_id"))
        .ok_or_else(|| Failure::new(12_052_031, "Invalid product ID(s) found"))?;
    let item =
        visit.market().item(id).ok_or_else(|| Failure::new(12_052_032, "The product does not exist"))?;
    if item.seller != visit.seller {
        return Err(not_listed());
    }
    if item.status != ItemStatus::OnSale {
        return Err(Failure::new(
            12_052_901,
            "The product in its current status is not available for this operation.",
        ));
    }
    Ok(item)
}

fn set(visit: &Visit<'_>, item: &Item, asked: &SkuUpdate, settings: &Settings) -> Result<(), Value> {
    let sku_error = |code: i64, message: &str| json!({ "code": code, "message": message, "detail": { "sku_id": asked.id, "extra_errors": [] } });
    let sku = skus(item)
        .find(|(sku, _)| sku.id() == asked.id)
        .map(|(sku, _)| sku)
        .ok_or_else(|| sku_error(12_052_556, "The SKU id not exist."))?;
    let parts = parts(asked, settings)?;
    let total = parts.iter().sum();
    visit
        .acting()
        .set_quantity(item.id, sku.option(), total)
        .map_err(|_| sku_error(12_052_556, "The SKU id not exist."))?;
    lock(&visit.desk.face.0.ledger).stock.insert(sku, parts);
    Ok(())
}

/// The quantities in the order of the warehouses.
fn parts(asked: &SkuUpdate, settings: &Settings) -> Result<Vec<i64>, Value> {
    let known = &WAREHOUSES[..settings.warehouses];
    let mut parts: Vec<Option<i64>> = vec![None; known.len()];
    let mut extra = Vec::new();
    let least = if settings.zero_stock == ZeroStock::Taken { 0 } else { 1 };
    for part in &asked.inventory {
        let id = part.warehouse_id.as_deref();
        let mut wrong = |code: i64, message: &str| {
            extra.push(json!({ "warehouse_id": id, "code": code, "message": message }));
        };
        let place = match id {
            None if known.len() == 1 => Some(0),
            id => known.iter().position(|(known, _)| Some(*known) == id),
        };
        match place {
            None => wrong(12_052_097, "The warehouse does not exist"),
            Some(_) if !(least..=99_999).contains(&part.quantity) => wrong(
                12_052_055,
                "The SKU inventory quantity for the warehouse must be within allowed limits.",
            ),
            Some(at) => parts[at] = Some(part.quantity),
        }
    }
    let detail = json!({ "sku_id": asked.id, "extra_errors": extra });
    if !extra.is_empty() {
        return Err(json!({ "code": 12_052_990, "message": "Check failed", "detail": detail }));
    }
    let complete: Option<Vec<i64>> = parts.into_iter().collect();
    complete.ok_or_else(|| {
        let message = "Multiple warehouses detected. Include all warehouse IDs and the corresponding details and try again.";
        json!({ "code": 12_019_028, "message": message, "detail": detail })
    })
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Search {
    product_ids: Vec<String>,
    sku_ids: Vec<String>,
}

/// `inventory-search`: `sku_ids` win over `product_ids`.
pub(super) fn search(visit: &Visit<'_>) -> Outcome {
    let asked: Search = visit.call.body(12_019_008)?;
    if asked.product_ids.len() > 100 {
        return Err(Failure::new(12_019_120, "The number of provided product IDs exceeds the limit."));
    }
    if asked.sku_ids.len() > 600 {
        return Err(Failure::new(12_019_015, "The number of SKU exceed the limit"));
    }
    if asked.product_ids.is_empty() && asked.sku_ids.is_empty() {
        return Err(Failure::new(12_019_008, "Product id is invalid"));
    }
    let settings = visit.desk.face.settings();
    let mut ledger = lock(&visit.desk.face.0.ledger);
    visit.market().read(|state| {
        let committed = committed(state);
        let mut rows = Vec::new();
        for item in state.items().filter(|item| item.seller == visit.seller) {
            let wanted = |sku: Sku| match asked.sku_ids.as_slice() {
                [] => asked.product_ids.contains(&ids::product_id(item.id)),
                ids => ids.contains(&sku.id()),
            };
            let found: Vec<Value> = skus(item)
                .filter(|(sku, _)| wanted(*sku))
                .map(|(sku, seller_sku)| {
                    let option = sku.option().and_then(|id| item.option(id));
                    let quantity = option.map_or(item.quantity, |option| option.quantity);
                    let parts = by_warehouse(&mut ledger.stock, sku, quantity, settings.warehouses);
                    stock_row(sku, seller_sku, &parts, committed.get(&sku).copied().unwrap_or_default())
                })
                .collect();
            if !found.is_empty() {
                rows.push(json!({ "product_id": ids::product_id(item.id), "skus": found }));
            }
        }
        Ok(json!({ "inventory": rows }))
    })
}

fn stock_row(sku: Sku, seller_sku: &str, parts: &[(&str, i64)], committed: i64) -> Value {
    let warehouse = |(at, (id, quantity)): (usize, &(&str, i64))| {
        let committed = if at == 0 { committed } else { 0 };
        json!({ "warehouse_id": id, "available_quantity": quantity, "committed_quantity": committed })
    };
    json!({
        "id": sku.id(),
        "seller_sku": seller_sku,
        "total_available_quantity": parts.iter().map(|(_, quantity)| quantity).sum::<i64>(),
        "total_committed_quantity": committed,
        "warehouse_inventory": parts.iter().enumerate().map(warehouse).collect::<Vec<_>>(),
    })
}

/// Units that are bought and have not left.
fn committed(state: &MarketState) -> HashMap<Sku, i64> {
    let mut units = HashMap::new();
    for line in state.orders().iter().flat_map(|order| &order.lines) {
        if matches!(line.state, LineState::Paid | LineState::Confirmed) {
            *units.entry(Sku::of(line)).or_default() += i64::from(line.open_quantity());
        }
    }
    units
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sold_is_gone_from_the_first_warehouses() {
        let sku = Sku::Item(crate::market::ItemId(1));
        let mut split = Split::from([(sku, vec![3, 5])]);
        let quantities = |split: &mut Split, total| -> Vec<i64> {
            by_warehouse(split, sku, total, 2).into_iter().map(|(_, quantity)| quantity).collect()
        };
        assert_eq!(quantities(&mut split, 8), [3, 5]);
        assert_eq!(quantities(&mut split, 4), [0, 4]);
        assert_eq!(quantities(&mut split, 6), [2, 4]);
    }
}
