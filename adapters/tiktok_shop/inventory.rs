//! What the channel shows of a SKU in each warehouse, and how a quantity is spread over them (sheet 4).

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::sync::Mutex;

use crate::channel::{Context, Operation};
use crate::error::Result;
use crate::http::Nature;
use crate::lenient::{Text, body_text, object};

use super::auth::{Api, Ask};
use super::errors::Endpoint;
use super::stock::MOST_PIECES;
use super::wire::{Envelope, json, readable, rows};

/// Most SKUs in one inventory search.
const MOST_SEARCHED: usize = 600;

/// What a warehouse shows of a SKU.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Held {
    pub(super) warehouse_id: String,
    pub(super) quantity: u32,
}

/// What the channel shows of a SKU.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Shown {
    pub(super) total: Option<u32>,
    /// `None`: a warehouse's row could not be read.
    pub(super) warehouses: Option<Vec<Held>>,
}

#[derive(Serialize)]
struct Search<'a> {
    sku_ids: &'a [&'a str],
}

/// The call that reads quantities.
///
/// # Errors
/// `InvalidInput` when it can't be written.
pub(super) fn search_ask(skus: &[&str]) -> Result<Ask> {
    Ok(Ask::post(Endpoint::Inventory, "/product/202309/inventory/search", json(&Search { sku_ids: skus })?))
}

#[derive(Deserialize)]
struct Inventory<'a> {
    #[serde(borrow)]
    inventory: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ProductRow<'a> {
    #[serde(borrow)]
    skus: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct SkuRow<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    total_available_quantity: Text<'a>,
    #[serde(borrow)]
    warehouse_inventory: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct HeldRow<'a> {
    #[serde(borrow)]
    warehouse_id: Text<'a>,
    #[serde(borrow)]
    available_quantity: Text<'a>,
}

fn pieces(text: &Text<'_>) -> Option<u32> {
    text.integer().and_then(|pieces| u32::try_from(pieces).ok())
}

/// The quantities of an answer by SKU.
///
/// # Errors
/// `MalformedResponse` when it can't be read.
pub(super) fn search_result(body: &[u8]) -> Result<HashMap<String, Shown>> {
    let body = body_text(body);
    let data: Inventory<'_> = Envelope::read(&body)?.data()?;
    let mut shown = HashMap::new();
    for product in rows(data.inventory)? {
        let product: ProductRow<'_> = object("a product's stock", product.get())?;
        for raw in rows(product.skus)? {
            let sku: SkuRow<'_> = object("a SKU's stock", raw.get())?;
            let Some(id) = sku.id.filled() else { continue };
            let warehouses = rows(sku.warehouse_inventory)?.into_iter().map(|raw| {
                let row: HeldRow<'_> = object("a warehouse's stock", raw.get()).ok()?;
                // A quantity of 0 may be left out.
                let quantity = if row.available_quantity.filled().is_none() {
                    0
                } else {
                    pieces(&row.available_quantity)?
                };
                Some(Held { warehouse_id: row.warehouse_id.filled()?.to_owned(), quantity })
            });
            let warehouses: Option<Vec<Held>> = warehouses.collect();
            let sum =
                || warehouses.as_ref()?.iter().try_fold(0_u32, |sum, held| sum.checked_add(held.quantity));
            let total = pieces(&sku.total_available_quantity).or_else(sum);
            shown.insert(id.to_owned(), Shown { total, warehouses });
        }
    }
    Ok(shown)
}

/// Spreads a quantity over a SKU's warehouses: all must be given, and together they show the quantity, never more. The
/// chosen one takes what the others leave; where the others alone hold too much, they are lowered.
pub(super) fn spread(quantity: u32, held: &[Held], chosen: usize) -> Vec<Held> {
    let mut left = quantity;
    let count = u32::try_from(held.len()).unwrap_or(u32::MAX);
    // The documented smallest quantity is 1: where there are enough for all, the chosen warehouse and each that has
    // any keep one.
    let enough = quantity >= count;
    let mut kept: u32 = u32::from(enough);
    let others = || held.iter().enumerate().filter(|(n, _)| *n != chosen);
    if enough {
        kept += others().map(|(_, held)| u32::from(held.quantity > 0)).sum::<u32>();
    }
    let mut spread: Vec<Held> = held.to_vec();
    for (_, place) in spread.iter_mut().enumerate().filter(|(n, _)| *n != chosen) {
        kept -= u32::from(enough && place.quantity > 0);
        place.quantity = place.quantity.min(left.saturating_sub(kept));
        left -= place.quantity;
    }
    if let Some(place) = spread.get_mut(chosen) {
        place.quantity = left.min(MOST_PIECES);
    }
    spread
}

/// Which warehouse is the default one, once it was read.
#[derive(Debug, Default)]
pub(super) struct DefaultWarehouse(Mutex<Option<String>>);

#[derive(Deserialize)]
struct Warehouses<'a> {
    #[serde(borrow)]
    warehouses: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WarehouseRow<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow, rename = "type")]
    kind: Text<'a>,
    #[serde(borrow)]
    is_default: Text<'a>,
}

/// The default sales warehouse of an answer.
///
/// # Errors
/// `MalformedResponse` when it can't be read.
pub(super) fn default_result(body: &[u8]) -> Result<Option<String>> {
    let body = body_text(body);
    let data: Warehouses<'_> = Envelope::read(&body)?.data()?;
    rows(data.warehouses)?;
    let rows: Vec<WarehouseRow<'_>> = readable(data.warehouses);
    let default =
        |row: &&WarehouseRow<'_>| row.is_default.flag() == Some(true) && row.kind.trim() == "SALES_WAREHOUSE";
    Ok(rows.iter().find(default).and_then(|row| row.id.filled().map(str::to_owned)))
}

impl DefaultWarehouse {
    pub(super) async fn find(&self, api: &Api, cx: &Context) -> Result<Option<String>> {
        let mut kept = self.0.lock().await;
        if kept.is_none() {
            let ask = Ask::get(Endpoint::Warehouses, "/logistics/202309/warehouses");
            let answer = api.call(cx, Operation::SetStock, Nature::Read, &ask).await?;
            *kept = default_result(&answer.body)?;
        }
        Ok(kept.clone())
    }
}

pub(super) async fn shown(
    api: &Api,
    cx: &Context,
    operation: Operation,
    skus: &[&str],
) -> Result<HashMap<String, Shown>> {
    let mut all = HashMap::new();
    for chunk in skus.chunks(MOST_SEARCHED) {
        let answer = api.call(cx, operation, Nature::Read, &search_ask(chunk)?).await?;
        all.extend(search_result(&answer.body)?);
    }
    Ok(all)
}
