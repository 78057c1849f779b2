//! The face's switches on the control port.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::TikTokShop;
use super::settings::{PackagesPer, Shipping, ZeroStock};
use super::tokens::RefreshTokens;
use super::webhooks::Event;
use crate::lock;
use crate::market::{DEFAULT_SELLER, OrderNumber};

const ROUTES: [&str; 4] = ["PUT settings", "POST authorize", "POST collect", "POST webhook"];

pub(super) fn routes(face: &TikTokShop) -> Router {
    Router::new()
        .route("/", get(|| async { Json(json!({ "routes": ROUTES })) }))
        .route("/settings", put(change_settings))
        .route("/authorize", post(authorize))
        .route("/collect", post(collect))
        .route("/webhook", post(webhook))
        .with_state(face.clone())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SettingsChange {
    region: Option<String>,
    shipping: Option<Shipping>,
    packages: Option<PackagesPer>,
    hold_minutes: Option<u32>,
    warehouses: Option<usize>,
    zero_stock: Option<ZeroStock>,
    page_size: Option<usize>,
    refresh_tokens: Option<RefreshTokens>,
    limits: Option<bool>,
    address_refused: Option<bool>,
}

async fn change_settings(State(face): State<TikTokShop>, Json(change): Json<SettingsChange>) -> Json<Value> {
    let mut settings = lock(&face.0.settings);
    if let Some(region) = change.region {
        settings.region = region;
    }
    settings.shipping = change.shipping.unwrap_or(settings.shipping);
    settings.packages = change.packages.unwrap_or(settings.packages);
    settings.hold_minutes = change.hold_minutes.unwrap_or(settings.hold_minutes);
    settings.warehouses = change.warehouses.unwrap_or(settings.warehouses).clamp(1, 3);
    settings.zero_stock = change.zero_stock.unwrap_or(settings.zero_stock);
    settings.page_size = change.page_size.unwrap_or(settings.page_size).max(1);
    settings.refresh_tokens = change.refresh_tokens.unwrap_or(settings.refresh_tokens);
    settings.limits = change.limits.unwrap_or(settings.limits);
    settings.address_refused = change.address_refused.unwrap_or(settings.address_refused);
    Json(json!({ "ok": true }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Authorization {
    seller: Option<String>,
    scopes: Option<Vec<String>>,
}

async fn authorize(State(face): State<TikTokShop>, Json(asked): Json<Authorization>) -> Json<Value> {
    let seller = asked.seller.as_deref().unwrap_or(DEFAULT_SELLER);
    Json(json!({ "code": face.authorize_for(seller, asked.scopes) }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Collection {
    order: OrderNumber,
}

async fn collect(State(face): State<TikTokShop>, Json(asked): Json<Collection>) -> Json<Value> {
    Json(json!({ "packages": face.collect(asked.order) }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WebhookOf {
    order: OrderNumber,
    event: Event,
}

async fn webhook(State(face): State<TikTokShop>, Json(asked): Json<WebhookOf>) -> Response {
    match face.webhook(asked.order, asked.event) {
        Some(call) => Json(json!(call)).into_response(),
        None => (StatusCode::NOT_FOUND, Json(json!({ "error": "nothing to tell" }))).into_response(),
    }
}
