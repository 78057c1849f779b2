//! The items of orders: one call for many, and one for each order that is left out (sheet 4).

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::channel::{Context, Operation, Outcome, each};
use crate::error::{ErrorKind, Result};
use crate::lenient::{Text, body_text, object};
use crate::model::OrderId;

use super::auth::{Api, Ask};
use super::errors::Endpoint;
use super::orders::PARALLEL;
use super::wire::{Envelope, json, number, rows};

/// Most orders in one call (E038).
const MOST: usize = 50;

/// The item lists of orders, each as it came.
pub(super) type Lists = HashMap<OrderId, Box<RawValue>>;

/// The call for the items of several orders.
///
/// # Errors
/// `InvalidInput` when it can't be written.
pub(super) fn items_ask(ids: &[u64]) -> Result<Ask> {
    Ok(Ask::get(Endpoint::Items, "/orders/items/get").with("order_ids", json(ids)?))
}

/// The call for the items of one order.
pub(super) fn items_of_ask(id: &OrderId) -> Ask {
    Ask::get(Endpoint::ItemsOfOrder, "/order/items/get").with("order_id", id.as_str())
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct OrderItems<'a> {
    #[serde(borrow)]
    order_id: Text<'a>,
    #[serde(borrow)]
    order_items: Option<&'a RawValue>,
}

/// The item lists of an answer, by order.
///
/// # Errors
/// `MalformedResponse` when it can't be read.
pub(super) fn items_result(body: &[u8]) -> Result<Lists> {
    let body = body_text(body);
    let mut found = Lists::new();
    for raw in rows(Some(Envelope::read(&body)?.data()?))? {
        let row: OrderItems<'_> = object("an order's items", raw.get())?;
        if let (Some(id), Some(list)) = (row.order_id.filled(), row.order_items)
            && !is_empty(list)
        {
            found.insert(OrderId::from(id), list.to_owned());
        }
    }
    Ok(found)
}

fn is_empty(list: &RawValue) -> bool {
    rows(Some(list)).is_ok_and(|rows| rows.is_empty())
}

/// Whether the items name their products, which the reference promises only of the call for one order.
fn names_products(list: &RawValue) -> bool {
    list.get().contains("\"product_id\"")
}

/// The item lists of these orders. An order that the call for many leaves out is asked for alone; one that is missing
/// then, too, is missing here.
///
/// # Errors
/// Any kind: items that could not be asked for must not pass for none.
pub(super) async fn lists(api: &Api, cx: &Context, operation: Operation, ids: &[&OrderId]) -> Result<Lists> {
    let mut found = Lists::new();
    let numbers: Vec<u64> = ids.iter().filter_map(|id| number(id.as_str())).collect();
    for chunk in numbers.chunks(MOST) {
        match api.read(cx, operation, &items_ask(chunk)?).await {
            Ok(answer) => found.extend(items_result(&answer.body)?),
            // One order that is not this shop's spoils the call: each is asked for alone.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    let lacking: Vec<&OrderId> =
        ids.iter().copied().filter(|id| found.get(*id).is_none_or(|list| !names_products(list))).collect();
    let calls = lacking.iter().map(|id| async move {
        let answer = api.read(cx, operation, &items_of_ask(id)).await?;
        let body = body_text(&answer.body);
        Ok(Outcome::Done(Envelope::read(&body)?.data()?.to_owned()))
    });
    let alone = each(calls.collect::<Vec<_>>(), PARALLEL, Outcome::from_error).await?;
    for (id, outcome) in lacking.into_iter().zip(alone) {
        match outcome {
            Outcome::Done(list) if !is_empty(&list) => drop(found.insert(id.clone(), list)),
            Outcome::NotTried(error) | Outcome::Unknown(error) => return Err(error),
            _ => {}
        }
    }
    Ok(found)
}
