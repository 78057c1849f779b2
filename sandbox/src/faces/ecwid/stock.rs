//! Quantities (sheet "Stock: write"): absolute ones, and differences that count twice when they are sent twice.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::answer::{Failure, Outcome};
use super::call::Body;
use super::desk::Visit;
use super::ledger::Ledger;
use super::products::{find, own_sku, row_of};
use crate::lock;
use crate::market::{Item, ItemId, ItemOption, MarketState, OptionId};

/// What a path names: the product, the variation, and the quantity now.
type Place = (ItemId, Option<OptionId>, i64);

/// `PUT /products/{productId}` and `PUT …/combinations/{combinationId}`. Of their fields the market has the quantity;
/// `unlimited` is kept here.
pub(super) fn set(visit: &Visit<'_>, id: &str, option: Option<&str>) -> Outcome {
    let mut ledger = lock(&visit.desk.face.0.ledger);
    let body = Body::read(visit.body)?;
    let (quantity, unlimited) = (body.whole("quantity")?, body.flag("unlimited")?);
    let place = visit.market().read(|state| checked(visit, state, &ledger, (id, option), quantity))?;
    if let Some(quantity) = quantity {
        // The place was just found.
        let _ = visit.acting().set_quantity(place.0, place.1, quantity);
    }
    if let Some(unlimited) = unlimited {
        ledger.item_mut(place.0, place.1).unlimited = unlimited;
    }
    let count = u8::from(quantity.is_some() || unlimited.is_some());
    let with_item = option.is_none() && visit.query.flag("returnItem")? == Some(true);
    if !with_item {
        return Ok(json!({ "updateCount": count }));
    }
    let row: Value = visit.market().read(|state| row_of(visit, state, &ledger, id))?;
    Ok(json!({ "updateCount": count, "item": row }))
}

fn checked(
    visit: &Visit<'_>,
    state: &MarketState,
    ledger: &Ledger,
    (id, option): (&str, Option<&str>),
    quantity: Option<i64>,
) -> Result<Place, Failure> {
    let (item, option) = find(visit, state, id, option)?;
    let place = place(item, option);
    if quantity.is_some() && ledger.item(place.0, place.1).locations > 1 {
        let text = "The stock of locations can't be changed here";
        return Err(Failure::new(StatusCode::CONFLICT, "NOT_ALLOWED_TO_UPDATE_PARAMETER", text));
    }
    if let (Some(option), Some(quantity)) = (option, quantity) {
        let shares = own_sku(ledger, item, option).is_none_or(|sku| sku == item.seller_code);
        if shares && quantity != item.quantity {
            let text = "A combination with the SKU of the product must have its stock";
            return Err(Failure::new(StatusCode::BAD_REQUEST, "DIFFERENT_COMBINATION_STOCK", text));
        }
    }
    Ok(place)
}

fn place(item: &Item, option: Option<&ItemOption>) -> Place {
    (item.id, option.map(|option| option.id), option.map_or(item.quantity, |option| option.quantity))
}

/// `PUT …/inventory`.
pub(super) fn shift(visit: &Visit<'_>, id: &str, option: Option<&str>) -> Outcome {
    let ledger = lock(&visit.desk.face.0.ledger);
    let by = Body::read(visit.body)?.whole("quantityDelta")?;
    let (item, option, _) = visit.market().read(|state| {
        let (item, option) = find(visit, state, id, option)?;
        Ok(place(item, option))
    })?;
    let by = by.ok_or_else(|| Failure::wrong("Field 'quantityDelta' is missing"))?;
    if ledger.item(item, option).unlimited {
        return Ok(json!({ "updateCount": 0 }));
    }
    match visit.acting().shift_quantity(item, option, by) {
        Ok(left) if left < 0 => Ok(json!({ "updateCount": 1, "warning": "Product has negative stock." })),
        _ => Ok(json!({ "updateCount": 1 })),
    }
}
