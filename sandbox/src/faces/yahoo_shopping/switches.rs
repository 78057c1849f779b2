//! The face's switches on the control port.

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::settings::SettingsChange;
use super::{CardAuthorization, FraudCheck, KeyState, Waiting, YahooShopping};
use crate::lock;
use crate::market::{DEFAULT_SELLER, OrderNumber};

const ROUTES: [&str; 8] = [
    "PUT settings",
    "PUT orders/{number}",
    "POST split",
    "POST agree",
    "POST withdraw",
    "POST, PUT keys",
    "PUT stock",
    "GET made-up-stock",
];

pub(super) fn routes(face: &YahooShopping) -> Router {
    Router::new()
        .route("/", get(|| async { Json(json!({ "routes": ROUTES })) }))
        .route("/settings", put(change_settings))
        .route("/orders/{number}", put(change_order))
        .route("/split", post(split))
        .route("/agree", post(agree))
        .route("/withdraw", post(withdraw))
        .route("/keys", post(issue_key).put(change_key))
        .route("/stock", put(change_stock))
        .route("/made-up-stock", get(made_up_stock))
        .with_state(face.clone())
}

async fn change_settings(
    State(face): State<YahooShopping>,
    Json(change): Json<SettingsChange>,
) -> Json<Value> {
    change.apply(&mut lock(&face.0.settings));
    Json(json!({ "ok": true }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OrderChange {
    fraud: Option<FraudCheck>,
    authorization: Option<CardAuthorization>,
    waiting: Option<Waiting>,
    #[serde(default)]
    fields: BTreeMap<String, String>,
}

async fn change_order(
    State(face): State<YahooShopping>,
    Path(number): Path<OrderNumber>,
    Json(change): Json<OrderChange>,
) -> Json<Value> {
    if let Some(check) = change.fraud {
        face.set_fraud(number, check);
    }
    if let Some(authorization) = change.authorization {
        face.set_authorization(number, authorization);
    }
    if let Some(waiting) = change.waiting {
        face.set_waiting(number, waiting);
    }
    for (field, value) in &change.fields {
        face.set_field(number, field, value);
    }
    Json(json!({ "ok": true }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Split {
    order: OrderNumber,
    first: Vec<usize>,
}

async fn split(
    State(face): State<YahooShopping>,
    Json(asked): Json<Split>,
) -> Result<Json<Value>, StatusCode> {
    let children = face.split(asked.order, &asked.first).ok_or(StatusCode::CONFLICT)?;
    Ok(Json(json!({ "children": children })))
}

fn demo() -> String {
    DEFAULT_SELLER.to_owned()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Agreement {
    #[serde(default = "demo")]
    store: String,
    redirect_uri: String,
}

async fn agree(State(face): State<YahooShopping>, Json(asked): Json<Agreement>) -> Json<Value> {
    Json(json!({ "code": face.agree(&asked.store, &asked.redirect_uri) }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Store {
    #[serde(default = "demo")]
    store: String,
}

async fn withdraw(State(face): State<YahooShopping>, Json(asked): Json<Store>) -> Json<Value> {
    face.withdraw(&asked.store);
    Json(json!({ "ok": true }))
}

async fn issue_key(State(face): State<YahooShopping>, Json(asked): Json<Store>) -> Json<Value> {
    let key = face.issue_key(&asked.store);
    Json(json!({
        "public_key": key.as_ref().map(|key| key.pem.clone()),
        "public_key_version": key.map(|key| key.version.to_string()),
    }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyChange {
    #[serde(default = "demo")]
    store: String,
    version: u32,
    state: KeyState,
}

async fn change_key(State(face): State<YahooShopping>, Json(asked): Json<KeyChange>) -> StatusCode {
    let is_known = face.set_key_state(&asked.store, asked.version, asked.state);
    if is_known { StatusCode::OK } else { StatusCode::NOT_FOUND }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StockChange {
    #[serde(default = "demo")]
    store: String,
    item_code: String,
    #[serde(default)]
    sub_code: String,
    stock_close: bool,
}

async fn change_stock(State(face): State<YahooShopping>, Json(asked): Json<StockChange>) -> StatusCode {
    let is_known = face.set_stock_close(&asked.store, &asked.item_code, &asked.sub_code, asked.stock_close);
    if is_known { StatusCode::OK } else { StatusCode::NOT_FOUND }
}

async fn made_up_stock(State(face): State<YahooShopping>) -> Json<Value> {
    let rows: Vec<Value> = face
        .made_up_stock()
        .into_iter()
        .map(|(item, sub, quantity)| json!({ "item_code": item, "sub_code": sub, "quantity": quantity }))
        .collect();
    Json(json!(rows))
}
