//! `inventorySetQuantities` (sheet 4.5): all rows or none, once for each idempotency key.

use std::collections::HashSet;

use apollo_compiler::resolvers::FieldError;
use serde_json::{Value, json};

use super::book::Attempt;
use super::desk::Visit;
use super::node::{Node, coded};
use super::{ids, product_nodes, time};
use crate::market::{ItemId, OptionId};

const MOST_UNITS: i64 = 1_000_000_000;
const FIRST_VERSION_WITH_KEY: &str = "2026-04";
const REASONS: &[&str] = &[
    "correction",
    "cycle_count_available",
    "damaged",
    "movement_canceled",
    "movement_created",
    "movement_received",
    "movement_updated",
    "other",
    "promotion",
    "quality_control",
    "received",
    "reservation_created",
    "reservation_deleted",
    "reservation_updated",
    "restock",
    "safety_stock",
    "shrinkage",
];

struct Row {
    item: ItemId,
    option: Option<OptionId>,
    quantity: i64,
}

pub(super) fn set(visit: &Visit<'_>, key: &str, arguments: &Value) -> Result<Node, FieldError> {
    let input = &arguments["input"];
    let idempotency =
        visit.idempotency.borrow().iter().find(|(field, _)| field == key).map(|(_, k)| k.clone());
    let Some(idempotency) = idempotency else {
        if visit.version.as_str() < FIRST_VERSION_WITH_KEY {
            return Ok(shown(&attempt(visit, input)));
        }
        let text = "The @idempotent directive is required for this mutation but was not provided.";
        return Err(coded("BAD_REQUEST", text));
    };
    if idempotency.is_empty() || idempotency.len() > 255 {
        return Err(coded("BAD_REQUEST", "The idempotency key must have 1 to 255 characters."));
    }
    let known = (visit.token.seller.clone(), idempotency);
    let earlier = visit.book().attempts.get(&known).cloned();
    match earlier {
        Some(earlier) if earlier.input == *input => Ok(shown(&earlier)),
        Some(_) => {
            let text = "The same idempotency key cannot be used with different operation parameters.";
            let errors = vec![error("IDEMPOTENCY_KEY_PARAMETER_MISMATCH", json!(null), text)];
            Ok(shown(&Attempt { input: Value::Null, group: None, errors }))
        }
        None => {
            let made = attempt(visit, input);
            visit.book().attempts.insert(known, made.clone());
            Ok(shown(&made))
        }
    }
}

fn error(code: &str, field: Value, message: &str) -> Value {
    json!({ "code": code, "field": field, "message": message })
}

fn shown(attempt: &Attempt) -> Node {
    let errors: Vec<Node> = attempt
        .errors
        .iter()
        .map(|error| {
            Node::new("InventorySetQuantitiesUserError").leaves([
                ("code", error["code"].clone()),
                ("field", error["field"].clone()),
                ("message", error["message"].clone()),
            ])
        })
        .collect();
    let group = attempt.group.as_ref().map(|group| {
        Node::new("InventoryAdjustmentGroup").leaves([
            ("createdAt", group["createdAt"].clone()),
            ("id", group["id"].clone()),
            ("reason", group["reason"].clone()),
            ("referenceDocumentUri", group["referenceDocumentUri"].clone()),
        ])
    });
    Node::new("InventorySetQuantitiesPayload")
        .with("inventoryAdjustmentGroup", group)
        .with("userErrors", errors)
}

fn attempt(visit: &Visit<'_>, input: &Value) -> Attempt {
    match checked(visit, input) {
        Err(errors) => Attempt { input: input.clone(), group: None, errors },
        Ok(rows) => {
            for row in rows {
                let _ =
                    visit.acting("inventorySetQuantities").set_quantity(row.item, row.option, row.quantity);
            }
            let group = json!({
                "createdAt": time(visit.now),
                "id": ids::gid("InventoryAdjustmentGroup", visit.book().next_id()),
                "reason": input["reason"],
                "referenceDocumentUri": input["referenceDocumentUri"],
            });
            Attempt { input: input.clone(), group: Some(group), errors: Vec::new() }
        }
    }
}

fn checked(visit: &Visit<'_>, input: &Value) -> Result<Vec<Row>, Vec<Value>> {
    let mut errors = Vec::new();
    let name = input["name"].as_str().unwrap_or_default();
    if !matches!(name, "available" | "on_hand") {
        let text = "The quantity name must be either 'available' or 'on_hand'.";
        errors.push(error("INVALID_NAME", json!(["input", "name"]), text));
    }
    if !REASONS.contains(&input["reason"].as_str().unwrap_or_default()) {
        let text = "The specified reason is invalid.";
        errors.push(error("INVALID_REASON", json!(["input", "reason"]), text));
    }
    let document = input["referenceDocumentUri"].as_str();
    if document.is_some_and(|document| !document.contains("://")) {
        let text = "The specified reference document is not a URI.";
        errors.push(error("INVALID_REFERENCE_DOCUMENT", json!(["input", "referenceDocumentUri"]), text));
    }
    let mut rows = Vec::new();
    let mut seen = HashSet::new();
    for (at, row) in input["quantities"].as_array().map(Vec::as_slice).unwrap_or_default().iter().enumerate()
    {
        match read_row(visit, name, row) {
            Ok(row) if !seen.insert((row.item, row.option)) => {
                let text = "The combination of inventory item and location must be unique.";
                let field = json!(["input", "quantities", at.to_string()]);
                errors.push(error("NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR", field, text));
            }
            Ok(row) => rows.push(row),
            Err((code, part, text)) => {
                let field = json!(["input", "quantities", at.to_string(), part]);
                errors.push(error(code, field, text));
            }
        }
    }
    if errors.is_empty() { Ok(rows) } else { Err(errors) }
}

type Wrong = (&'static str, &'static str, &'static str);

fn read_row(visit: &Visit<'_>, name: &str, row: &Value) -> Result<Row, Wrong> {
    let unknown_item: Wrong =
        ("INVALID_INVENTORY_ITEM", "inventoryItemId", "The specified inventory item could not be found.");
    let number = row["inventoryItemId"].as_str().and_then(|id| ids::number_of("InventoryItem", id));
    let number = number.ok_or(unknown_item)?;
    let book = visit.book();
    let found = visit.market().read(|state| {
        let (item, option) = product_nodes::find(visit, state, number)?;
        let available = product_nodes::quantity(item, option)?;
        Some((item.id, option, available, product_nodes::committed(state, item.id, option)))
    });
    let (item, option, available, committed) = found.ok_or(unknown_item)?;
    let location = row["locationId"].as_str().and_then(|id| ids::number_of("Location", id));
    let at_home = location == Some(book.home(number));
    let active = location.and_then(|id| book.location(id)).is_some_and(|location| location.active);
    if !at_home || !active {
        let text = "The specified location could not be found or does not stock the item.";
        return Err(("INVALID_LOCATION", "locationId", text));
    }
    if book.untracked.contains(&number) {
        let text = "The specified inventory item is not tracked.";
        return Err(("NON_MUTABLE_INVENTORY_ITEM", "inventoryItemId", text));
    }
    let quantity = row["quantity"].as_i64().unwrap_or_default();
    if quantity < 0 {
        let text = "The quantity can't be negative.";
        return Err(("INVALID_QUANTITY_NEGATIVE", "quantity", text));
    }
    if quantity > MOST_UNITS {
        let text = "The quantity can't be higher than 1,000,000,000.";
        return Err(("INVALID_QUANTITY_TOO_HIGH", "quantity", text));
    }
    let is_on_hand = name == "on_hand";
    let now = if is_on_hand { available + committed } else { available };
    // Null overwrites; the field must be there all the same.
    match row.get("changeFromQuantity") {
        None => {
            let text = "The changeFromQuantity argument must be provided.";
            return Err(("COMPARE_QUANTITY_REQUIRED", "changeFromQuantity", text));
        }
        Some(Value::Null) => {}
        Some(expected) if expected.as_i64() == Some(now) => {}
        Some(_) => {
            let text = "The changeFromQuantity argument no longer matches the persisted quantity.";
            return Err(("CHANGE_FROM_QUANTITY_STALE", "changeFromQuantity", text));
        }
    }
    Ok(Row { item, option, quantity: if is_on_hand { quantity - committed } else { quantity } })
}
