//! The face's switches on the control port.

use axum::extract::State;
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Coupang;
use super::settings::{BoxesPer, Gateway};
use crate::market::OrderNumber;
use crate::{RateLimit, lock};

const ROUTES: [&str; 3] = ["PUT settings", "POST reissue", "POST collect"];

pub(super) fn routes(face: &Coupang) -> Router {
    Router::new()
        .route("/", get(|| async { Json(json!({ "routes": ROUTES })) }))
        .route("/settings", put(change_settings))
        .route("/reissue", post(reissue))
        .route("/collect", post(collect))
        .with_state(face.clone())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SettingsChange {
    gateway: Option<Gateway>,
    boxes: Option<BoxesPer>,
    page_size: Option<usize>,
    confirm_lag: Option<u32>,
    list_lag: Option<u32>,
    slow: Option<bool>,
    rate_limit: Option<RateLimit>,
    block_minutes: Option<u32>,
}

async fn change_settings(State(face): State<Coupang>, Json(change): Json<SettingsChange>) -> Json<Value> {
    let mut settings = lock(&face.0.settings);
    settings.gateway = change.gateway.unwrap_or(settings.gateway);
    settings.boxes = change.boxes.unwrap_or(settings.boxes);
    settings.page_size = change.page_size.unwrap_or(settings.page_size).max(1);
    settings.confirm_lag = change.confirm_lag.unwrap_or(settings.confirm_lag);
    settings.list_lag = change.list_lag.unwrap_or(settings.list_lag);
    settings.slow = change.slow.unwrap_or(settings.slow);
    settings.block_minutes = change.block_minutes.unwrap_or(settings.block_minutes);
    // A limit of 0 requests ends it.
    if let Some(limit) = change.rate_limit {
        settings.limit = (limit.requests > 0).then_some(limit);
    }
    Json(json!({ "ok": true }))
}

async fn reissue(State(face): State<Coupang>) -> Json<Value> {
    let (access_key, secret_key) = face.reissue_key().unzip();
    Json(json!({ "access_key": access_key, "secret_key": secret_key }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Collection {
    order: OrderNumber,
}

async fn collect(State(face): State<Coupang>, Json(asked): Json<Collection>) -> Json<Value> {
    Json(json!({ "boxes": face.collect(asked.order) }))
}
