//! The call that reads orders with all that belongs to them (sheet 4.2).

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::channel::{Context, Operation, Row, UnreadableRow, concerns_account};
use crate::error::{Error, ErrorKind, Result};
use crate::lenient::body_text;
use crate::model::{Order, OrderId, OrderStatus};

use super::api::Api;
use super::auth::Ask;
use super::errors::Endpoint;
use super::packages::{Facts, Stage, facts};
use super::rows::{OrderData, read_row};
use super::wire::{Envelope, rows};

/// Most orders that are read at once.
pub(super) const MOST_READ: usize = 50;

/// The fields beside the defaults: each must be named (sheet 4.2).
const FIELDS: &str = "buyer_user_id,buyer_username,estimated_shipping_fee,recipient_address,actual_shipping_fee,\
goods_to_declare,note,note_update_time,item_list,pay_time,dropshipper,dropshipper_phone,split_up,buyer_cancel_reason,\
cancel_by,cancel_reason,actual_shipping_fee_confirmed,buyer_cpf_id,fulfillment_flag,pickup_done_time,package_list,\
shipping_carrier,payment_method,total_amount,invoice_data,order_chargeable_weight_gram,return_request_due_date,edt,\
payment_info,advance_package";

/// The call that reads orders.
pub(super) fn detail_ask(ids: &[OrderId]) -> Ask {
    let ids: Vec<&str> = ids.iter().map(OrderId::as_str).collect();
    Ask::get(Endpoint::OrderDetail)
        .with("order_sn_list", ids.join(","))
        .with("request_order_status_pending", "true")
        .with("response_optional_fields", FIELDS)
}

#[derive(Deserialize)]
struct Details<'a> {
    #[serde(borrow)]
    order_list: Option<&'a RawValue>,
}

/// Orders by id, and rows that are nobody's.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) rows: HashMap<OrderId, Row>,
    pub(super) stray: Vec<UnreadableRow>,
}

/// Orders as they were known before, by id.
pub(super) type Wanted<'k> = HashMap<OrderId, &'k Order>;

/// Reads orders; those that the channel does not have are left out.
///
/// # Errors
/// Any kind but `NotFound`.
pub(super) async fn read_ids(
    api: &Api,
    cx: &Context,
    operation: Operation,
    ids: &[OrderId],
    known: &Wanted<'_>,
) -> Result<Found> {
    let mut found = Found::default();
    let mut left: Vec<&[OrderId]> = ids.chunks(MOST_READ).collect();
    while let Some(chunk) = left.pop() {
        let answer = match api.read(cx, operation, &detail_ask(chunk)).await {
            Ok(answer) => answer,
            // One that is missing spoils the call: the halves are asked for.
            Err(error) if error.kind() == ErrorKind::NotFound => {
                if chunk.len() > 1 {
                    let (one, two) = chunk.split_at(chunk.len() / 2);
                    left.extend([one, two]);
                }
                continue;
            }
            Err(error) => return Err(error),
        };
        let body = body_text(&answer.body);
        let details: Details<'_> = Envelope::read(&body)?.response()?;
        if details.order_list.is_none() {
            return Err(Error::malformed("the answer holds no list of orders"));
        }
        let raws = rows(details.order_list)?;
        let read = |facts: &Facts| -> Vec<Row> {
            raws.iter().map(|raw| read_row(raw, api.config(), answer.sent_at, facts)).collect()
        };
        let mut orders = read(&Facts::new());
        let numbers = packages_to_ask(&orders, known);
        if !numbers.is_empty() {
            let facts = with_known(known_facts(api, cx, operation, &numbers).await?, known);
            orders = read(&facts);
        }
        for row in orders {
            let id = match &row {
                Row::Order(order) => Some(order.id.clone()),
                Row::Unreadable(row) => row.id.clone(),
            };
            match (id.filter(|id| chunk.contains(id)), row) {
                (Some(id), row) => drop(found.rows.insert(id, row)),
                (None, Row::Unreadable(row)) => found.stray.push(row),
                (None, Row::Order(_)) => {}
            }
        }
    }
    Ok(found)
}

/// Facts about packages; where they can't be had, orders are read without: their own state matters more.
async fn known_facts(api: &Api, cx: &Context, operation: Operation, numbers: &[String]) -> Result<Facts> {
    match facts(api, cx, operation, numbers).await {
        Err(error) if concerns_account(&error) || error.is_temporary() => Err(error),
        facts => Ok(facts.unwrap_or_default()),
    }
}

/// Tracking numbers that were known before stay known.
fn with_known(mut facts: Facts, known: &Wanted<'_>) -> Facts {
    let before = known.values().filter_map(|order| order.channel_data.read::<OrderData>());
    for package in before.flat_map(|data| data.packages) {
        let fact = facts.entry(package.number).or_default();
        if fact.tracking.is_empty() {
            fact.tracking = package.tracking;
        }
    }
    facts
}

/// The packages whose own call tells something that the order does not: a tracking number, or whether a package that
/// waits beside an arranged one is being arranged (sheet 8). Without a known state nobody waits for the number.
fn packages_to_ask(rows: &[Row], known: &Wanted<'_>) -> Vec<String> {
    let mut numbers = Vec::new();
    for order in rows.iter().filter_map(Row::order) {
        if !known.contains_key(&order.id) && order.lines.iter().all(|line| line.shipped == 0) {
            continue;
        }
        let Some(data) = order.channel_data.read::<OrderData>() else { continue };
        let known = known.get(&order.id);
        let shipped = known.is_some_and(|known| {
            known.status.is_past_dispatch() || known.lines.iter().any(|line| line.shipped > 0)
        });
        let mixed = data.packages.iter().any(|p| p.stage.is_arranged());
        let tracked = |number: &str| {
            let before = known.and_then(|known| known.channel_data.read::<OrderData>()).unwrap_or_default();
            before.packages.iter().any(|package| package.number == number && !package.tracking.is_empty())
        };
        for package in data.packages.iter().filter(|package| !package.number.is_empty()) {
            let may_be_arranged = package.stage == Stage::Ready && (mixed || shipped);
            let has_number = known.is_some()
                && order.status != OrderStatus::Cancelled
                && (package.stage.is_arranged() || order.status.is_past_dispatch())
                && !(order.status.is_final() && tracked(&package.number));
            if may_be_arranged || has_number {
                numbers.push(package.number.clone());
            }
        }
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::FIELDS;

    #[test]
    fn every_field_that_is_read_comes_by_itself_or_is_asked_for() {
        // By itself: the call's page, and `pending_terms` with the flag for PENDING.
        let by_itself = "order_sn,region,currency,cod,order_status,message_to_seller,create_time,update_time,days_to_ship,ship_by_date,booking_sn,pending_terms";
        let (_, rest) = include_str!("rows.rs").split_once("struct OrderRow<'a> {").unwrap();
        let (row, _) = rest.split_once("\n}").unwrap();
        let read: Vec<&str> = row.lines().filter_map(|line| Some(line.split_once(':')?.0.trim())).collect();
        assert!(read.len() > 15, "{read:?}");
        for field in read {
            assert!(by_itself.split(',').chain(FIELDS.split(',')).any(|name| name == field), "{field}");
        }
    }
}
