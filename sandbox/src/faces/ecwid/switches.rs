//! The face's switches on the control port.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Ecwid, Forbidden, ItemCard, OrderCard, OrderSort, Plan, STORE_ID};
use crate::lock;
use crate::market::{ItemId, OptionId, OrderNumber};

const ROUTES: [&str; 6] = [
    "PUT settings",
    "PUT orders/{number}",
    "PUT items/{id}",
    "POST authorize",
    "POST uninstall",
    "GET webhook?order=&event=",
];

pub(super) fn routes(face: &Ecwid) -> Router {
    Router::new()
        .route("/", get(|| async { Json(json!({ "routes": ROUTES })) }))
        .route("/settings", put(change_settings))
        .route("/orders/{number}", put(mark_order))
        .route("/items/{id}", put(mark_item))
        .route("/authorize", post(authorize))
        .route("/uninstall", post(uninstall))
        .route("/webhook", get(webhook))
        .with_state(face.clone())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SettingsChange {
    page_size: Option<usize>,
    forbidden: Option<Forbidden>,
    plan: Option<Plan>,
    order_sort: Option<OrderSort>,
    /// 0: none.
    limit: Option<u32>,
    search_lag_seconds: Option<u32>,
    prefix: Option<String>,
    suffix: Option<String>,
    currency: Option<String>,
    precision: Option<u32>,
    timezone: Option<String>,
    preorders: Option<bool>,
    mails: Option<bool>,
    query_tokens: Option<bool>,
    varied: Option<bool>,
}

fn put_in<T>(place: &mut T, new: Option<T>) {
    if let Some(new) = new {
        *place = new;
    }
}

async fn change_settings(State(face): State<Ecwid>, Json(change): Json<SettingsChange>) -> Json<Value> {
    let mut settings = lock(&face.0.settings);
    put_in(&mut settings.page_size, change.page_size.map(|rows| rows.clamp(1, 100)));
    put_in(&mut settings.forbidden, change.forbidden);
    put_in(&mut settings.plan, change.plan);
    put_in(&mut settings.order_sort, change.order_sort);
    put_in(&mut settings.limit, change.limit.map(|calls| Some(calls).filter(|&calls| calls > 0)));
    put_in(&mut settings.search_lag_seconds, change.search_lag_seconds);
    put_in(&mut settings.prefix, change.prefix);
    put_in(&mut settings.suffix, change.suffix);
    put_in(&mut settings.currency, change.currency);
    put_in(&mut settings.precision, change.precision);
    put_in(&mut settings.timezone, change.timezone);
    put_in(&mut settings.preorders, change.preorders);
    put_in(&mut settings.mails, change.mails);
    put_in(&mut settings.query_tokens, change.query_tokens);
    put_in(&mut settings.varied, change.varied);
    Json(json!({ "ok": true }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OrderChange {
    withdrawal_requested: Option<bool>,
    external_fulfillment: Option<bool>,
    pickup: Option<bool>,
    digital: Option<bool>,
    without_address: Option<bool>,
    incomplete: Option<bool>,
    deleted: Option<bool>,
}

impl OrderChange {
    fn apply(self, card: &mut OrderCard) {
        card.withdrawal_requested = self.withdrawal_requested.or(card.withdrawal_requested);
        put_in(&mut card.external_fulfillment, self.external_fulfillment);
        put_in(&mut card.pickup, self.pickup);
        put_in(&mut card.digital, self.digital);
        put_in(&mut card.without_address, self.without_address);
        put_in(&mut card.incomplete, self.incomplete);
        put_in(&mut card.deleted, self.deleted);
    }
}

async fn mark_order(
    State(face): State<Ecwid>,
    Path(number): Path<OrderNumber>,
    Json(change): Json<OrderChange>,
) -> Json<Value> {
    face.mark_order(number, |card| change.apply(card));
    Json(json!({ "id": face.order_id(number) }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ItemChange {
    option: Option<OptionId>,
    unlimited: Option<bool>,
    bundle: Option<bool>,
    locations: Option<u32>,
    preorder: Option<bool>,
    without_sku: Option<bool>,
    gift_card: Option<bool>,
}

impl ItemChange {
    fn apply(self, card: &mut ItemCard) {
        put_in(&mut card.unlimited, self.unlimited);
        put_in(&mut card.bundle, self.bundle);
        put_in(&mut card.locations, self.locations);
        put_in(&mut card.preorder, self.preorder);
        put_in(&mut card.without_sku, self.without_sku);
        put_in(&mut card.gift_card, self.gift_card);
    }
}

async fn mark_item(
    State(face): State<Ecwid>,
    Path(item): Path<ItemId>,
    Json(change): Json<ItemChange>,
) -> Json<Value> {
    face.mark_item(item, change.option, |card| change.apply(card));
    Json(json!({ "ok": true }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Store {
    store: Option<u64>,
    scope: Option<String>,
}

async fn authorize(State(face): State<Ecwid>, Json(asked): Json<Store>) -> Json<Value> {
    let scope = asked.scope.unwrap_or_else(|| super::tokens::ALL_SCOPES.join(" "));
    Json(json!({ "code": face.authorize(asked.store.unwrap_or(STORE_ID), &scope) }))
}

async fn uninstall(State(face): State<Ecwid>, Json(asked): Json<Store>) -> Json<Value> {
    face.uninstall(asked.store.unwrap_or(STORE_ID));
    Json(json!({ "ok": true }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WebhookOf {
    order: OrderNumber,
    event: String,
}

async fn webhook(State(face): State<Ecwid>, Query(asked): Query<WebhookOf>) -> (StatusCode, Json<Value>) {
    match face.webhook(asked.order, &asked.event) {
        Some(call) => (StatusCode::OK, Json(json!(call))),
        None => (StatusCode::NOT_FOUND, Json(json!({ "error": "no such order" }))),
    }
}
