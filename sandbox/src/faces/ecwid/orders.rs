//! One order: reading it and writing over it (sheet "Get an order", "Confirm", "Dispatch", "Cancel and claims").

use serde_json::{Value, json};

use super::answer::{Failure, Outcome};
use super::call::Body;
use super::change::{Change, Effects};
use super::desk::Visit;
use super::ids::order_of;
use super::ledger::{Ledger, Snapshot, View, Written, fulfillment_of, payment_of, view};
use super::order_row::row;
use crate::lock;
use crate::market::OrderNumber;

pub(super) const PAYMENT: [&str; 9] = [
    "AWAITING_PAYMENT",
    "PAID",
    "CANCELLED",
    "REFUNDED",
    "PARTIALLY_REFUNDED",
    "INCOMPLETE",
    "CUSTOM_PAYMENT_STATUS_1",
    "CUSTOM_PAYMENT_STATUS_2",
    "CUSTOM_PAYMENT_STATUS_3",
];
pub(super) const FULFILLMENT: [&str; 11] = [
    "AWAITING_PROCESSING",
    "PROCESSING",
    "READY_FOR_PICKUP",
    "SHIPPED",
    "OUT_FOR_DELIVERY",
    "DELIVERED",
    "WILL_NOT_DELIVER",
    "RETURNED",
    "CUSTOM_FULFILLMENT_STATUS_1",
    "CUSTOM_FULFILLMENT_STATUS_2",
    "CUSTOM_FULFILLMENT_STATUS_3",
];

/// The number behind an `id`, with its prefix and suffix, or behind an internal id.
fn number(visit: &Visit<'_>, id: &str) -> Option<OrderNumber> {
    let code = id.strip_prefix(visit.settings.prefix.as_str());
    let code = code.and_then(|rest| rest.strip_suffix(visit.settings.suffix.as_str()));
    let by_code = code.and_then(order_of);
    by_code.filter(|&order| visit.market().order(order).is_some()).or_else(|| id.parse().ok())
}

fn not_found(id: &str) -> Failure {
    Failure::not_found("ORDER_NOT_FOUND", format!("Order #{id} not found"))
}

/// Looks at the order that an id names, if it is there.
fn look<T>(
    visit: &Visit<'_>,
    ledger: &Ledger,
    id: &str,
    look: impl FnOnce(View<'_>) -> T,
) -> Result<T, Failure> {
    let number = number(visit, id).ok_or_else(|| not_found(id))?;
    visit.market().read(|state| {
        let found = view(state, ledger, visit.seller, number).filter(|view| !view.card.deleted);
        found.map(look).ok_or_else(|| not_found(id))
    })
}

/// `GET /orders/{orderId}`.
pub(super) fn get(visit: &Visit<'_>, id: &str) -> Outcome {
    let ledger = lock(&visit.desk.face.0.ledger);
    look(visit, &ledger, id, |view| row(visit.settings, &view))
}

/// `GET /orders/last`.
pub(super) fn last(visit: &Visit<'_>) -> Outcome {
    let ledger = lock(&visit.desk.face.0.ledger);
    let number = visit.market().read(|state| {
        let shown = state.orders().iter().filter(|order| {
            let card = ledger.card(order.number);
            order.seller == visit.seller && !card.deleted && !card.incomplete
        });
        shown.max_by_key(|order| (order.ordered_at, order.number)).map(|order| order.number)
    });
    let id = number.ok_or_else(|| not_found("last"))?.to_string();
    look(visit, &ledger, &id, |view| row(visit.settings, &view))
}

/// `PUT /orders/{orderId}`: whatever the order's state is, what is sent is written over it.
pub(super) fn update(visit: &Visit<'_>, id: &str) -> Outcome {
    let mut ledger = lock(&visit.desk.face.0.ledger);
    let (snapshot, before, tracking) = look(visit, &ledger, id, |view| {
        let statuses = view.statuses();
        let tracking = view.tracking().to_owned();
        let snapshot = Snapshot { order: view.order.into_owned(), card: view.card.into_owned() };
        (snapshot, statuses, tracking)
    })?;
    let change = Change::read(&Body::read(visit.body)?)?;
    if change.is_empty() {
        return Ok(json!({ "updateCount": 0 }));
    }
    let order = snapshot.order.number;
    let restocked = snapshot.card.restocked;
    let without_mails = change.without_mails.unwrap_or(snapshot.card.without_mails);
    ledger.indexed.entry(order).or_insert(snapshot);
    let effects = Effects { visit, order, tracking: change.tracking.clone().unwrap_or(tracking) };
    let restocked = effects.carry_out(&change, restocked);
    write(visit, &mut ledger, order, change, restocked);
    if visit.settings.mails && !without_mails {
        mail(visit, &ledger, order, &before);
    }
    Ok(json!({ "updateCount": 1 }))
}

/// Keeps the words that were sent, over what the market says after the effects.
fn write(visit: &Visit<'_>, ledger: &mut Ledger, number: OrderNumber, change: Change, restocked: bool) {
    let Some(order) = visit.market().order(number) else { return };
    let card = ledger.card_mut(number);
    if let Some(word) = change.payment {
        card.incomplete = word == "INCOMPLETE";
        card.payment = Some(Written { word, over: payment_of(&order).to_owned() });
    }
    if let Some(word) = change.fulfillment {
        card.fulfillment = Some(Written { word, over: fulfillment_of(&order).to_owned() });
    }
    if let Some(tracking) = change.tracking {
        card.tracking = Some((tracking, order.parcels.len()));
    }
    card.notes = change.notes.unwrap_or_else(|| std::mem::take(&mut card.notes));
    card.comments = change.comments.or_else(|| card.comments.take());
    card.without_mails = change.without_mails.unwrap_or(card.without_mails);
    card.external_fulfillment = change.external_fulfillment.unwrap_or(card.external_fulfillment);
    card.restocked = restocked;
    card.touch(visit.desk.context.clock.now());
}

/// One mail for a call that changed a status.
fn mail(visit: &Visit<'_>, ledger: &Ledger, number: OrderNumber, before: &(String, String)) {
    let after = visit.market().read(|state| view(state, ledger, visit.seller, number).map(|v| v.statuses()));
    let Some(after) = after.filter(|after| after != before) else { return };
    let subject = match after.1.as_str() {
        "SHIPPED" if before.1 != after.1 => "Order shipped",
        _ => "Order status changed",
    };
    // The order exists: it was just read.
    let _ = visit.market().marketplace().mail_buyer(number, subject, "");
}

/// A list of ids in `items` of a body.
pub(super) fn line_ids(items: &[Value]) -> Result<Vec<u64>, Failure> {
    let id = |item: &Value| item.get("id").and_then(Value::as_u64);
    let ids = items.iter().map(|item| id(item).ok_or_else(|| Failure::wrong("Wrong value of field 'items'")));
    ids.collect()
}
