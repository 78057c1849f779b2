//! Orders by time, and the seller's note (sheet sections 4.1 and 4.3).

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::answer::{Answer, Failure, Outcome};
use super::desk::Visit;
use super::ids::order_sn;
use super::view::{View, updated};
use crate::market::{Order, OrderNumber};

/// `time_from` and `time_to` are so many seconds apart at most: 15 days.
const LONGEST: i64 = 15 * 86_400;

/// The statuses that can be asked for.
const FILTERS: [&str; 8] = [
    "UNPAID",
    "READY_TO_SHIP",
    "PROCESSED",
    "SHIPPED",
    "COMPLETED",
    "IN_CANCEL",
    "CANCELLED",
    "INVOICE_PENDING",
];

/// `order/get_order_list`.
pub(super) fn list(visit: &Visit<'_>) -> Outcome {
    let call = visit.call;
    let by_update = match call.required("time_range_field")? {
        "update_time" => true,
        "create_time" => false,
        _ => return Err(Failure::wrong("time_range_field must be create_time or update_time.")),
    };
    let (from, to) = (call.number("time_from")?, call.number("time_to")?);
    let size = call.page_size()?;
    if from > to || to.saturating_sub(from) > LONGEST {
        return Err(Failure::new(
            "order.order_list_invalid_time",
            "Start time must be earlier than end time and diff in 15days.",
        ));
    }
    let filter = Some(call.param("order_status")).filter(|status| !status.is_empty());
    if filter.is_some_and(|status| !FILTERS.contains(&status)) {
        return Err(Failure::wrong("order_status is invalid."));
    }
    let shows_pending = call.flag("request_order_status_pending")?;
    let shows_status = call.list("response_optional_fields").contains(&"order_status");

    let mut book = visit.book();
    let found: Vec<(i64, u64, OrderNumber)> = visit.market().read(|state| {
        let own = state.orders().iter().filter(|order| visit.is_own(order));
        own.filter_map(|order| {
            let time = if by_update {
                updated(order, book.moved(order.number), visit.settings, visit.now).timestamp()
            } else {
                order.ordered_at.timestamp()
            };
            ((from..=to).contains(&time)).then_some(())?;
            let wanted = |status: &str| {
                View::of(order, &mut book, visit.settings, visit.now).status(shows_pending) == status
            };
            filter.is_none_or(wanted).then_some((time, order.number.0, order.number))
        })
        .collect()
    });
    let page = visit.page(found, size, call.param("cursor"), false)?;
    let mut row = |order: &Order| {
        let view = View::of(order, &mut book, visit.settings, visit.now);
        let mut row = Map::from_iter([("order_sn".to_owned(), json!(order_sn(order)))]);
        if shows_status {
            row.insert("order_status".to_owned(), json!(view.status(shows_pending)));
        }
        if let Some(booking) = view.extra.booking_sn {
            row.insert("booking_sn".to_owned(), json!(booking));
        }
        Value::Object(row)
    };
    let orders = page.rows.iter().filter_map(|number| visit.market().order(*number));
    let rows: Vec<Value> = orders.map(|order| row(&order)).collect();
    Ok(Answer::wrapped(json!({ "more": page.more, "next_cursor": page.next, "order_list": rows })))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Note {
    order_sn: String,
    note: Option<String>,
}

/// `order/set_note`.
pub(super) fn set_note(visit: &Visit<'_>) -> Outcome {
    let asked: Note = visit.call.body()?;
    let order = visit.required_order(&asked.order_sn)?;
    let note = asked.note.ok_or_else(|| Failure::required("note"))?;
    let mut book = visit.book();
    let extra = book.extra_mut(order.number);
    extra.note = note;
    extra.noted = Some(visit.now);
    extra.moved = Some(visit.now);
    Ok(Answer::bare())
}
