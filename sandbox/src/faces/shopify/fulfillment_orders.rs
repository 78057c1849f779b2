//! Fulfilment orders: one for each location of an order. Reading them, progress, and deadlines (sheet 4.2 and 4.3).

use apollo_compiler::resolvers::FieldError;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::book::{self, Book};
use super::desk::Visit;
use super::node::{Node, coded};
use super::order_nodes::{self, is_visible, line_node};
use super::root::id;
use super::{ids, product_nodes, time};
use crate::market::{Line, MarketState, Order, ShipPromise};

pub(super) fn nodes(visit: &Visit<'_>, book: &Book, state: &MarketState, order: &Order) -> Vec<Node> {
    let groups = book.by_location(&book.page(order.number), order);
    groups.iter().map(|(location, lines)| node(visit, book, state, order, (*location, lines))).collect()
}

pub(super) fn by_number(visit: &Visit<'_>, number: u64) -> Option<Node> {
    let (order, location) = ids::of_fulfillment_order(number);
    let book = visit.book();
    visit.market().read(|state| {
        let order = state.order(order).filter(|order| is_visible(visit, order))?;
        let groups = book.by_location(&book.page(order.number), order);
        Some(node(visit, &book, state, order, (location, groups.get(&location)?)))
    })
}

fn node(
    visit: &Visit<'_>,
    book: &Book,
    state: &MarketState,
    order: &Order,
    (location, lines): (u64, &[&Line]),
) -> Node {
    let page = book.page(order.number);
    let status = book::fulfillment_status(order, &page, (location, lines), visit.now);
    let number = ids::fulfillment_order(order.number, location);
    let actions: &[&str] = match status {
        "OPEN" => &["CREATE_FULFILLMENT", "REPORT_PROGRESS", "HOLD", "MOVE"],
        "IN_PROGRESS" => &["CREATE_FULFILLMENT", "REPORT_PROGRESS", "HOLD", "MARK_AS_OPEN"],
        "ON_HOLD" => &["RELEASE_HOLD", "MOVE"],
        "SCHEDULED" => &["MARK_AS_OPEN", "HOLD"],
        _ => &[],
    };
    let action = |action: &&str| {
        Node::new("FulfillmentOrderSupportedAction")
            .leaves([("action", json!(action)), ("externalUrl", Value::Null)])
    };
    let request = if status == "CLOSED" { "CLOSED" } else { "UNSUBMITTED" };
    let updated = book::updated_at(order, &page);
    Node::new("FulfillmentOrder")
        .leaves([
            ("createdAt", json!(time(order.ordered_at))),
            ("fulfillAt", json!(time(page.fulfill_at.unwrap_or(order.ordered_at)))),
            ("fulfillBy", json!(page.fulfill_by.get(&location).copied().map(time))),
            ("id", json!(ids::gid("FulfillmentOrder", number))),
            ("orderId", json!(ids::gid("Order", order.number.0))),
            ("orderName", json!(order_nodes::name(order))),
            ("orderProcessedAt", json!(time(order.ordered_at))),
            ("requestStatus", json!(request)),
            ("status", json!(status)),
            ("updatedAt", json!(time(updated))),
        ])
        .with("assignedLocation", assigned(book, location))
        .with("supportedActions", actions.iter().map(action).collect::<Vec<_>>())
        .with("fulfillmentHolds", holds(order, &page))
        .connection("lineItems", line_nodes(visit, book, state, order, lines), visit.settings.page_size)
}

fn assigned(book: &Book, location: u64) -> Node {
    let found = book.location(location);
    Node::new("FulfillmentOrderAssignedLocation")
        .leaves([
            ("countryCode", json!("JP")),
            ("name", json!(found.map(|location| location.name.clone()).unwrap_or_default())),
        ])
        .with("location", found.map(product_nodes::location_node))
}

fn holds(order: &Order, page: &book::Page) -> Vec<Node> {
    let mut holds: Vec<(String, String)> =
        page.holds.iter().map(|hold| (hold.reason.clone(), hold.notes.clone())).collect();
    if order.paid_at.is_none() {
        holds.push(("AWAITING_PAYMENT".to_owned(), String::new()));
    }
    let hold = |(at, (reason, notes)): (usize, (String, String))| {
        let id = order.number.0 * 100 + at as u64;
        Node::new("FulfillmentHold").leaves([
            ("displayReason", json!(reason.to_lowercase().replace('_', " "))),
            ("heldByRequestingApp", json!(false)),
            ("id", json!(ids::gid("FulfillmentHold", id))),
            ("reason", json!(reason)),
            ("reasonNotes", json!(Some(notes).filter(|notes| !notes.is_empty()))),
        ])
    };
    holds.into_iter().enumerate().map(hold).collect()
}

fn line_nodes(
    visit: &Visit<'_>,
    book: &Book,
    state: &MarketState,
    order: &Order,
    lines: &[&Line],
) -> Vec<Node> {
    let node = |line: &&Line| {
        let variant = ids::variant_of(line);
        let sku = if line.option.is_some() { &line.option_sku } else { &line.seller_code };
        let listed = state.item(line.item).map(|_| ids::gid("InventoryItem", variant));
        Node::new("FulfillmentOrderLineItem")
            .leaves([
                ("id", json!(ids::gid("FulfillmentOrderLineItem", line.number.0))),
                ("inventoryItemId", json!(listed)),
                ("productTitle", json!(line.title)),
                ("remainingQuantity", json!(book::left_of(line))),
                ("requiresShipping", json!(!book.digital.contains(&variant))),
                ("sku", json!(Some(sku).filter(|sku| !sku.is_empty()))),
                ("totalQuantity", json!(line.quantity)),
                ("variantTitle", json!(product_nodes::variant_title(&line.axes))),
                ("vendor", json!("Sandbox Demo")),
            ])
            .with("lineItem", line_node(visit, book, state, order, line))
    };
    lines.iter().map(node).collect()
}

/// A fulfilment order that a number names, with its lines as they are now.
pub(super) struct Found {
    pub(super) order: Order,
    pub(super) location: u64,
    pub(super) status: &'static str,
    pub(super) lines: Vec<Line>,
}

pub(super) fn find(visit: &Visit<'_>, id: &str) -> Option<Found> {
    let (order, location) = ids::of_fulfillment_order(ids::number_of("FulfillmentOrder", id)?);
    let order = visit.market().order(order).filter(|order| is_visible(visit, order))?;
    let book = visit.book();
    let page = book.page(order.number);
    let groups = book.by_location(&page, &order);
    let lines = groups.get(&location)?;
    let status = book::fulfillment_status(&order, &page, (location, lines), visit.now);
    let lines = lines.iter().map(|line| (*line).clone()).collect();
    Some(Found { location, status, lines, order })
}

pub(super) fn report_progress(visit: &Visit<'_>, arguments: &Value) -> Node {
    let payload = |node: Option<Node>, error: Option<(&str, &str)>| {
        let errors: Vec<Node> = error
            .into_iter()
            .map(|(code, message)| {
                Node::new("FulfillmentOrderReportProgressUserError").leaves([
                    ("code", json!(code)),
                    ("field", json!(["id"])),
                    ("message", json!(message)),
                ])
            })
            .collect();
        Node::new("FulfillmentOrderReportProgressPayload")
            .with("fulfillmentOrder", node)
            .with("userErrors", errors)
    };
    let text = arguments.get("id").and_then(Value::as_str).unwrap_or_default();
    let Some(found) = find(visit, text) else {
        let error = ("FULFILLMENT_ORDER_NOT_FOUND", "Fulfillment order does not exist.");
        return payload(None, Some(error));
    };
    if !matches!(found.status, "OPEN" | "IN_PROGRESS") {
        let error = ("FULFILLMENT_ORDER_STATUS_INVALID", "The fulfillment order is not in an open state.");
        return payload(None, Some(error));
    }
    visit.book().page_mut(found.order.number, visit.now).in_progress.insert(found.location);
    payload(id(arguments, "id", "FulfillmentOrder").and_then(|number| by_number(visit, number)), None)
}

/// All of them, or none.
pub(super) fn set_deadline(visit: &Visit<'_>, arguments: &Value) -> Result<Node, FieldError> {
    let payload = |success: bool, message: Option<&str>| {
        let errors: Vec<Node> = message
            .into_iter()
            .map(|message| {
                Node::new("FulfillmentOrdersSetFulfillmentDeadlineUserError").leaves([
                    ("code", json!("FULFILLMENT_ORDERS_NOT_FOUND")),
                    ("field", json!(["fulfillmentOrderIds"])),
                    ("message", json!(message)),
                ])
            })
            .collect();
        Node::new("FulfillmentOrdersSetFulfillmentDeadlinePayload")
            .leaves([("success", json!(success))])
            .with("userErrors", errors)
    };
    let deadline = arguments.get("fulfillmentDeadline").and_then(Value::as_str).unwrap_or_default();
    let deadline: DateTime<Utc> = DateTime::parse_from_rfc3339(deadline)
        .map_err(|_| coded("INVALID_VARIABLE", format!("{deadline} is not a valid DateTime")))?
        .to_utc();
    let texts = arguments.get("fulfillmentOrderIds").and_then(Value::as_array).cloned().unwrap_or_default();
    let found: Option<Vec<Found>> = texts.iter().map(|text| find(visit, text.as_str()?)).collect();
    let Some(found) = found else {
        return Ok(payload(false, Some("Fulfillment orders could not be found.")));
    };
    for one in found {
        visit.book().page_mut(one.order.number, visit.now).fulfill_by.insert(one.location, deadline);
        for line in one.lines.iter().filter(|line| book::left_of(line) > 0) {
            let promise =
                ShipPromise { date: deadline.date_naive(), reason: String::new(), memo: String::new() };
            let _ =
                visit.acting("fulfillmentOrdersSetFulfillmentDeadline").set_ship_date(line.number, promise);
        }
    }
    Ok(payload(true, None))
}
