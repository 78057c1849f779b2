//! The face's switches on the control port.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Shopee;
use super::book::OrderChange;
use super::push::{Event, PushCall, ShopEvent};
use super::settings::{Gate, Masking, PushKey, TokenError, Way};
use crate::lock;
use crate::market::{DEFAULT_SELLER, ItemId, OptionId, OrderNumber};

const ROUTES: [&str; 8] = [
    "PUT settings",
    "PUT orders/{number}",
    "POST authorize",
    "POST deauthorize",
    "POST reserve",
    "POST pick-up",
    "POST fail-pick-up",
    "POST push",
];

pub(super) fn routes(face: &Shopee) -> Router {
    Router::new()
        .route("/", get(|| async { Json(json!({ "routes": ROUTES })) }))
        .route("/settings", put(change_settings))
        .route("/orders/{number}", put(change_order))
        .route("/authorize", post(authorize))
        .route("/deauthorize", post(deauthorize))
        .route("/reserve", post(reserve))
        .route("/pick-up", post(pick_up))
        .route("/fail-pick-up", post(fail_pick_up))
        .route("/push", post(push))
        .with_state(face.clone())
}

fn ok() -> Json<Value> {
    Json(json!({ "ok": true }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SettingsChange {
    region: Option<String>,
    page_size: Option<usize>,
    ways: Option<Vec<Way>>,
    pending_seconds: Option<u32>,
    tracking_seconds: Option<u32>,
    warehouses: Option<Vec<String>>,
    masking: Option<Masking>,
    line_item_ids: Option<bool>,
    error_status: Option<u16>,
    stray_spaces: Option<bool>,
    prefixes: Option<bool>,
    token_error: Option<TokenError>,
    /// 0 takes the limit away.
    rate_limit: Option<u32>,
    /// 0 takes the limit away.
    daily_limit: Option<u32>,
    gate: Option<Gate>,
    push_key: Option<PushKey>,
    lost_as_text: Option<bool>,
}

async fn change_settings(State(face): State<Shopee>, Json(change): Json<SettingsChange>) -> Json<Value> {
    let mut kept = lock(&face.0.settings);
    let limit = |new: Option<u32>, old: Option<u32>| new.map_or(old, |new| Some(new).filter(|n| *n > 0));
    let old = kept.clone();
    *kept = super::Settings {
        region: change.region.unwrap_or(old.region),
        page_size: change.page_size.unwrap_or(old.page_size).max(1),
        ways: change.ways.unwrap_or(old.ways),
        pending_seconds: change.pending_seconds.unwrap_or(old.pending_seconds),
        tracking_seconds: change.tracking_seconds.unwrap_or(old.tracking_seconds),
        warehouses: change.warehouses.unwrap_or(old.warehouses),
        masking: change.masking.unwrap_or(old.masking),
        line_item_ids: change.line_item_ids.unwrap_or(old.line_item_ids),
        error_status: change.error_status.unwrap_or(old.error_status),
        stray_spaces: change.stray_spaces.unwrap_or(old.stray_spaces),
        prefixes: change.prefixes.unwrap_or(old.prefixes),
        token_error: change.token_error.unwrap_or(old.token_error),
        rate_limit: limit(change.rate_limit, old.rate_limit),
        daily_limit: limit(change.daily_limit, old.daily_limit),
        gate: change.gate.unwrap_or(old.gate),
        push_key: change.push_key.unwrap_or(old.push_key),
        lost_as_text: change.lost_as_text.unwrap_or(old.lost_as_text),
    };
    ok()
}

async fn change_order(
    State(face): State<Shopee>,
    Path(number): Path<OrderNumber>,
    Json(change): Json<OrderChange>,
) -> Response {
    match face.sn(number) {
        Some(sn) => {
            face.change_order(number, change);
            Json(json!({ "order_sn": sn })).into_response()
        }
        None => not_found("no such order"),
    }
}

fn not_found(text: &str) -> Response {
    (StatusCode::NOT_FOUND, Json(json!({ "error": text }))).into_response()
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Authorization {
    seller: String,
    days: i64,
    main_account: bool,
}

impl Default for Authorization {
    fn default() -> Self {
        Self { seller: DEFAULT_SELLER.to_owned(), days: 365, main_account: false }
    }
}

async fn authorize(State(face): State<Shopee>, Json(asked): Json<Authorization>) -> Response {
    let code = if asked.main_account {
        face.authorize_main_account(asked.days)
    } else {
        face.authorize(&asked.seller, asked.days)
    };
    code.map_or_else(|| not_found("no such seller"), |code| Json(json!({ "code": code })).into_response())
}

async fn deauthorize(State(face): State<Shopee>, Json(asked): Json<Authorization>) -> Json<Value> {
    face.deauthorize(&asked.seller);
    ok()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reservation {
    item: ItemId,
    option: Option<OptionId>,
    units: i64,
}

async fn reserve(State(face): State<Shopee>, Json(asked): Json<Reservation>) -> Json<Value> {
    face.reserve(asked.item, asked.option, asked.units);
    ok()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfOrder {
    order: OrderNumber,
}

async fn pick_up(State(face): State<Shopee>, Json(asked): Json<OfOrder>) -> Json<Value> {
    Json(json!({ "packages": face.pick_up(asked.order) }))
}

async fn fail_pick_up(State(face): State<Shopee>, Json(asked): Json<OfOrder>) -> Json<Value> {
    Json(json!({ "packages": face.fail_pick_up(asked.order) }))
}

/// Of an order, or of a shop.
#[derive(Deserialize)]
#[serde(untagged)]
enum PushOf {
    Order {
        order: OrderNumber,
        event: Event,
        #[serde(default)]
        lost: bool,
    },
    Shop {
        seller: String,
        event: ShopEvent,
    },
}

async fn push(State(face): State<Shopee>, Json(asked): Json<PushOf>) -> Response {
    let call: Option<PushCall> = match asked {
        PushOf::Order { order, event, lost: false } => face.push(order, event),
        PushOf::Order { order, event, lost: true } => {
            let lost = face.lose_push(order, event);
            return if lost { ok().into_response() } else { not_found("nothing to tell") };
        }
        PushOf::Shop { seller, event } => face.shop_push(&seller, event),
    };
    call.map_or_else(|| not_found("nothing to tell"), |call| Json(json!(call)).into_response())
}
