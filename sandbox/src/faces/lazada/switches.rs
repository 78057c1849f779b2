//! The face's switches on the control port.

use axum::extract::State;
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Lazada;
use super::country::Country;
use super::push::PushMessage;
use super::settings::{Allocation, RefreshTokens};
use crate::lock;
use crate::market::{DEFAULT_SELLER, OrderNumber};

const ROUTES: [&str; 4] = ["PUT settings", "POST authorize", "POST collect", "POST push"];

pub(super) fn routes(face: &Lazada) -> Router {
    Router::new()
        .route("/", get(|| async { Json(json!({ "routes": ROUTES })) }))
        .route("/settings", put(change_settings))
        .route("/authorize", post(authorize))
        .route("/collect", post(collect))
        .route("/push", post(push))
        .with_state(face.clone())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SettingsChange {
    country: Option<Country>,
    allocation: Option<Allocation>,
    page_size: Option<usize>,
    limits: Option<bool>,
    requests_per_second: Option<u32>,
    ban_seconds: Option<u32>,
    access_days: Option<u32>,
    refresh_tokens: Option<RefreshTokens>,
    allocation_failures: Option<u32>,
    pending_seconds: Option<u32>,
    answer_hours: Option<u32>,
    campaign: Option<bool>,
    listed_together: Option<usize>,
    masked_phones: Option<bool>,
}

async fn change_settings(State(face): State<Lazada>, Json(change): Json<SettingsChange>) -> Json<Value> {
    let mut settings = lock(&face.0.settings);
    settings.country = change.country.unwrap_or(settings.country);
    settings.allocation = change.allocation.unwrap_or(settings.allocation);
    settings.page_size = change.page_size.unwrap_or(settings.page_size).max(1);
    settings.limits = change.limits.unwrap_or(settings.limits);
    settings.requests_per_second = change.requests_per_second.unwrap_or(settings.requests_per_second);
    settings.ban_seconds = change.ban_seconds.unwrap_or(settings.ban_seconds);
    settings.access_days = change.access_days.unwrap_or(settings.access_days);
    settings.refresh_tokens = change.refresh_tokens.unwrap_or(settings.refresh_tokens);
    settings.allocation_failures = change.allocation_failures.unwrap_or(settings.allocation_failures);
    settings.pending_seconds = change.pending_seconds.unwrap_or(settings.pending_seconds);
    settings.answer_hours = change.answer_hours.unwrap_or(settings.answer_hours);
    settings.campaign = change.campaign.unwrap_or(settings.campaign);
    settings.listed_together = change.listed_together.unwrap_or(settings.listed_together).max(1);
    settings.masked_phones = change.masked_phones.unwrap_or(settings.masked_phones);
    Json(json!({ "ok": true }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Authorization {
    seller: Option<String>,
}

async fn authorize(State(face): State<Lazada>, Json(asked): Json<Authorization>) -> Json<Value> {
    let seller = asked.seller.as_deref().unwrap_or(DEFAULT_SELLER);
    Json(json!({ "code": face.authorize(seller) }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Collection {
    order: OrderNumber,
}

async fn collect(State(face): State<Lazada>, Json(asked): Json<Collection>) -> Json<Value> {
    Json(json!({ "packages": face.collect(asked.order) }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PushOf {
    order: OrderNumber,
    message: PushMessage,
}

async fn push(State(face): State<Lazada>, Json(asked): Json<PushOf>) -> Json<Value> {
    Json(json!({ "calls": face.pushes(asked.order, asked.message) }))
}
