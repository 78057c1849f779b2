//! The face's switches on the control port.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{CrossMall, Phase, Quotes, RowOrder, TotalOf};
use crate::RateLimit;
use crate::lock;
use crate::market::OrderNumber;

const ROUTES: [&str; 3] = ["PUT settings", "GET orders/{number}", "PUT orders/{number}"];

pub(super) fn routes(face: &CrossMall) -> Router {
    Router::new()
        .route("/", get(|| async { Json(json!({ "routes": ROUTES })) }))
        .route("/settings", put(change_settings))
        .route("/orders/{number}", get(show_order).put(change_order))
        .with_state(face.clone())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SettingsChange {
    phases: Option<Vec<Phase>>,
    page_size: Option<usize>,
    /// Calls a second; 0: no limit.
    limit: Option<u32>,
    auth_status: Option<u16>,
    address_refused: Option<bool>,
    import_lag_seconds: Option<u32>,
    ignore_tracking: Option<bool>,
    row_order: Option<RowOrder>,
    total: Option<TotalOf>,
    quotes: Option<Quotes>,
    without_message: Option<bool>,
    newer_fields: Option<bool>,
    open_ends: Option<bool>,
    parent_has_all_lines: Option<bool>,
    simple_items_have_no_sku_row: Option<bool>,
}

fn put_in<T>(place: &mut T, new: Option<T>) {
    if let Some(new) = new {
        *place = new;
    }
}

async fn change_settings(State(face): State<CrossMall>, Json(change): Json<SettingsChange>) -> Json<Value> {
    let limit = |requests| Some(RateLimit { requests, seconds: 1 }).filter(|_| requests > 0);
    let mut settings = lock(&face.0.settings);
    put_in(&mut settings.phases, change.phases);
    put_in(&mut settings.page_size, change.page_size.map(|rows| rows.clamp(1, 100)));
    put_in(&mut settings.limit, change.limit.map(limit));
    put_in(&mut settings.auth_status, change.auth_status);
    put_in(&mut settings.address_refused, change.address_refused);
    put_in(&mut settings.import_lag_seconds, change.import_lag_seconds);
    put_in(&mut settings.ignore_tracking, change.ignore_tracking);
    put_in(&mut settings.row_order, change.row_order);
    put_in(&mut settings.total, change.total);
    put_in(&mut settings.quotes, change.quotes);
    put_in(&mut settings.without_message, change.without_message);
    put_in(&mut settings.newer_fields, change.newer_fields);
    put_in(&mut settings.open_ends, change.open_ends);
    put_in(&mut settings.parent_has_all_lines, change.parent_has_all_lines);
    put_in(&mut settings.simple_items_have_no_sku_row, change.simple_items_have_no_sku_row);
    Json(json!({ "ok": true }))
}

async fn show_order(
    State(face): State<CrossMall>,
    Path(order): Path<OrderNumber>,
) -> (StatusCode, Json<Value>) {
    let Some(number) = face.order_number(order) else {
        return (StatusCode::NOT_FOUND, Json(json!({ "error": "no such order" })));
    };
    let (phase, moves) = (face.phase(order), face.moves(order));
    (StatusCode::OK, Json(json!({ "order_number": number, "phase": phase, "moves": moves })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OrderChange {
    phase: Option<String>,
    phase_after_read: Option<String>,
    held: Option<bool>,
    /// The order that it is packed into; itself: none.
    bundled_into: Option<OrderNumber>,
    time_slot: Option<String>,
    hold_import: Option<bool>,
    deleted: Option<bool>,
    blank: Option<bool>,
    spoil_name: Option<bool>,
    #[serde(default)]
    fields: std::collections::BTreeMap<String, String>,
}

async fn change_order(
    State(face): State<CrossMall>,
    Path(order): Path<OrderNumber>,
    Json(change): Json<OrderChange>,
) -> (StatusCode, Json<Value>) {
    match change.hold_import {
        Some(true) if !face.hold_import(order) => {
            return (StatusCode::CONFLICT, Json(json!({ "error": "it is imported already" })));
        }
        Some(true) => return (StatusCode::OK, Json(json!({ "ok": true }))),
        Some(false) => face.import(order),
        None => {}
    }
    match change.deleted {
        Some(true) => {
            face.delete(order);
            return (StatusCode::OK, Json(json!({ "ok": true })));
        }
        Some(false) => face.import(order),
        None => {}
    }
    if face.order_number(order).is_none() {
        return (StatusCode::NOT_FOUND, Json(json!({ "error": "no such order" })));
    }
    if change.phase.is_some_and(|phase| !face.move_phase(order, &phase)) {
        return (StatusCode::BAD_REQUEST, Json(json!({ "error": "no such phase" })));
    }
    if let Some(phase) = change.phase_after_read {
        face.move_phase_after_read(order, &phase);
    }
    if let Some(held) = change.held {
        face.set_held(order, held);
    }
    if let Some(parent) = change.bundled_into {
        face.bundle(order, Some(parent));
    }
    if let Some(slot) = change.time_slot {
        face.set_time_slot(order, &slot);
    }
    if change.blank == Some(true) {
        face.blank(order);
    }
    if change.spoil_name == Some(true) {
        face.spoil_name(order);
    }
    for (field, value) in change.fields {
        face.set_field(order, &field, &value);
    }
    (StatusCode::OK, Json(json!({ "order_number": face.order_number(order) })))
}
