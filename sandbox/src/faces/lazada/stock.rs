//! Quantities (sheet section 4). SKUs that can't be set are named in `detail`, the others are set.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::answer::{Failure, Outcome};
use super::desk::Visit;
use super::ids::Sku;
use super::payload::{SkuRow, sku_rows};
use super::products::skus;
use crate::Amount;
use crate::market::{Item, LineState, MarketState};

/// Most SKUs of one call.
const MOST: usize = 50;
/// The one warehouse.
const WAREHOUSE: &str = "dropshipping";

/// Why a SKU was not set.
struct Wrong {
    code: u32,
    field: &'static str,
    message: &'static str,
}

const fn wrong(code: u32, field: &'static str, message: &'static str) -> Wrong {
    Wrong { code, field, message }
}

const NO_SUCH_SKU: Wrong = wrong(207, "SkuId", "SKU not exist");
const BAD_QUANTITY: Wrong = wrong(5, "SellableQuantity", "the quantity is not a whole number of 0 or more");
const BAD_WAREHOUSE: Wrong = wrong(5, "WarehouseCode", "the warehouse does not exist");
const BELOW_LOCKED: Wrong = wrong(5, "Quantity", "the quantity is less than what is locked by orders");
const BAD_PRICE: Wrong = wrong(4_104, "Price", "BIZ_CHECK_PRICE_PRECISION_INVALID");
const NEGATIVE: Wrong = wrong(212, "SellableQuantity", "INV_NEGATIVE_SELLABLE");
const CAMPAIGN: Wrong = wrong(
    4_170,
    "SellableQuantity",
    "During the campaign there are restrictions for stock adjustments in effect. Sellers can increase stocks, but may not decrease stocks.",
);

/// What a row is about, as it is now.
struct Target {
    item: Item,
    sku: Sku,
    quantity: i64,
}

type Set = fn(&Visit<'_>, &SkuRow, &Target) -> Result<(), Wrong>;

/// `updatesellablequantity`: the absolute number of units that can be bought.
pub(super) fn set_sellable(visit: &Visit<'_>) -> Outcome {
    update(visit, |visit, row, target| {
        let quantity = whole(sent(row, row.sellable.as_ref())?)?;
        set(visit, target, quantity)
    })
}

/// `adjustsellablequantity`: by a difference.
pub(super) fn adjust_sellable(visit: &Visit<'_>) -> Outcome {
    update(visit, |visit, row, target| {
        let by: i64 = sent(row, row.sellable.as_ref())?.parse().map_err(|_| BAD_QUANTITY)?;
        let fits = target.quantity.checked_add(by).is_some_and(|quantity| quantity >= 0);
        let refused = if fits { check_campaign(visit, by).err() } else { Some(NEGATIVE) };
        if let Some(wrong) = refused {
            return Err(wrong);
        }
        let changed = visit.acting().change_quantity(target.item.id, target.sku.option(), by);
        changed.map(drop).map_err(|_| NO_SUCH_SKU)
    })
}

/// `updatepricequantity`: the price, and the total with what is locked by orders.
pub(super) fn set_price_and_total(visit: &Visit<'_>) -> Outcome {
    update(visit, |visit, row, target| {
        if let Some(price) = &row.price {
            set_price(visit, target, price)?;
        }
        let total = match sent(row, row.quantity.as_ref()) {
            Ok(total) => whole(total)?,
            // The price alone can be set.
            Err(wrong) => return if row.price.is_some() { Ok(()) } else { Err(wrong) },
        };
        let locked = visit.market().read(locked).get(&target.sku).copied().unwrap_or_default();
        if total < locked {
            return Err(BELOW_LOCKED);
        }
        set(visit, target, total - locked)
    })
}

fn update(visit: &Visit<'_>, set: Set) -> Outcome {
    let payload = visit.call.param("payload");
    if payload.trim().is_empty() {
        return Err(Failure::service(30, "E030: Empty Request"));
    }
    let rows = sku_rows(payload).ok_or_else(|| Failure::service(5, "E005: Invalid Request Format"))?;
    if rows.len() > MOST {
        return Err(Failure::service(204, "E204: Too many SKU in one request"));
    }
    let errors: Vec<Value> = rows.iter().filter_map(|row| set_row(visit, row, set).err()).collect();
    if errors.is_empty() {
        return Ok(json!({ "data": {} }));
    }
    Err(Failure::service(501, "E501: Update product failed").with_detail(errors))
}

fn set_row(visit: &Visit<'_>, row: &SkuRow, set: Set) -> Result<(), Value> {
    let done = target(visit, row).and_then(|target| set(visit, row, &target));
    done.map_err(|wrong| {
        json!({
            "seller_sku": row.seller_sku,
            "sku_id": row.sku_id,
            "code": wrong.code.to_string(),
            "field": wrong.field,
            "message": wrong.message,
        })
    })
}

/// Everything that is sent must fit one SKU; its id or the seller's code must be sent.
fn target(visit: &Visit<'_>, row: &SkuRow) -> Result<Target, Wrong> {
    if row.sku_id.is_none() && row.seller_sku.is_none() {
        return Err(NO_SUCH_SKU);
    }
    let fits = |sent: &Option<String>, value: &str| sent.as_ref().is_none_or(|sent| sent == value);
    visit
        .market()
        .read(|state| {
            let own = state.items().filter(|item| item.seller == visit.shop.seller);
            own.filter(|item| fits(&row.item_id, &item.id.to_string())).find_map(|item| {
                let found = skus(item).into_iter().find(|sku| {
                    fits(&row.sku_id, &sku.sku.id().to_string()) && fits(&row.seller_sku, sku.seller_sku)
                })?;
                Some(Target { item: item.clone(), sku: found.sku, quantity: found.quantity })
            })
        })
        .ok_or(NO_SUCH_SKU)
}

/// The quantity of the one warehouse, whichever way it is sent.
fn sent<'a>(row: &'a SkuRow, plain: Option<&'a String>) -> Result<&'a String, Wrong> {
    match row.warehouses.as_slice() {
        [] => plain.ok_or(BAD_QUANTITY),
        [(code, quantity)] if code == WAREHOUSE => Ok(quantity),
        _ => Err(BAD_WAREHOUSE),
    }
}

fn whole(text: &str) -> Result<i64, Wrong> {
    text.parse().ok().filter(|number| (0..=i64::from(i32::MAX)).contains(number)).ok_or(BAD_QUANTITY)
}

fn check_campaign(visit: &Visit<'_>, by: i64) -> Result<(), Wrong> {
    if visit.settings.campaign && by < 0 { Err(CAMPAIGN) } else { Ok(()) }
}

fn set(visit: &Visit<'_>, target: &Target, quantity: i64) -> Result<(), Wrong> {
    check_campaign(visit, quantity - target.quantity)?;
    visit.acting().set_quantity(target.item.id, target.sku.option(), quantity).map_err(|_| NO_SUCH_SKU)
}

fn set_price(visit: &Visit<'_>, target: &Target, price: &str) -> Result<(), Wrong> {
    let price: Amount = price.parse().ok().filter(|price| *price > Amount::ZERO).ok_or(BAD_PRICE)?;
    let set = match target.sku.option() {
        Some(option) => visit.acting().set_surcharge(target.item.id, option, price - target.item.price),
        None => visit.acting().set_price(target.item.id, price),
    };
    set.map_err(|_| NO_SUCH_SKU)
}

/// Units that are bought and have not left.
pub(super) fn locked(state: &MarketState) -> HashMap<Sku, i64> {
    let mut units = HashMap::new();
    for line in state.orders().iter().flat_map(|order| &order.lines) {
        if matches!(line.state, LineState::AwaitingPayment | LineState::Paid | LineState::Confirmed) {
            *units.entry(Sku::of(line)).or_default() += i64::from(line.open_quantity());
        }
    }
    units
}
