//! The control API: what the handle does in Rust, over HTTP with JSON. README.md lists the routes.

mod orders;

use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Path, Query, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::fault::{BadRule, FaultRule};
use crate::market::{Event, ItemDraft, ItemId, LineNumber, OptionId, OrderNumber, Refusal};
use crate::sample::{self, SampleOrders};
use crate::sandbox::{Shared, UnknownFace};

pub(crate) fn router(shared: Shared) -> Router {
    let mut router = Router::new()
        .route("/", get(describe))
        .route("/clock", get(read_clock).put(set_clock))
        .route("/items", get(items).post(list_item))
        .route("/items/{id}", get(item))
        .route("/items/{id}/quantity", put(set_quantity))
        .route("/record", get(record))
        .route("/faults", get(faults).post(add_fault).delete(clear_faults))
        .route("/faces/{id}/counts", get(counts))
        .route("/faces/{id}/requests", get(requests).delete(reset_requests))
        .route("/sample", post(fill))
        .merge(orders::routes())
        .with_state(shared.clone());
    for (id, face) in shared.faces.iter() {
        router = router.nest(&format!("/faces/{id}/control"), face.control.clone());
    }
    router
}

/// An error as JSON: `{"error": "..."}`.
pub(crate) struct ControlError(StatusCode, String);

impl ControlError {
    fn bad_request(text: &str) -> Self {
        Self(StatusCode::BAD_REQUEST, text.to_owned())
    }
}

impl IntoResponse for ControlError {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "error": self.1 }))).into_response()
    }
}

impl From<Refusal> for ControlError {
    fn from(refusal: Refusal) -> Self {
        let status = match refusal {
            Refusal::NoSuchOrder | Refusal::NoSuchLine | Refusal::NoSuchItem | Refusal::NoSuchOption => {
                StatusCode::NOT_FOUND
            }
            Refusal::NoLines | Refusal::BadQuantity => StatusCode::BAD_REQUEST,
            _ => StatusCode::CONFLICT,
        };
        Self(status, refusal.to_string())
    }
}

impl From<UnknownFace> for ControlError {
    fn from(unknown: UnknownFace) -> Self {
        Self(StatusCode::NOT_FOUND, unknown.to_string())
    }
}

impl From<BadRule> for ControlError {
    fn from(bad: BadRule) -> Self {
        Self(StatusCode::BAD_REQUEST, bad.to_string())
    }
}

impl From<JsonRejection> for ControlError {
    fn from(rejection: JsonRejection) -> Self {
        Self(rejection.status(), rejection.body_text())
    }
}

/// A JSON body whose errors are answered as JSON, too.
pub(crate) struct Sent<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Sent<T> {
    type Rejection = ControlError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ControlError> {
        let Json(sent) = Json::from_request(request, state).await?;
        Ok(Self(sent))
    }
}

pub(crate) type Answer = Result<Json<Value>, ControlError>;

fn done() -> Answer {
    Ok(Json(json!({ "ok": true })))
}

async fn describe(State(shared): State<Shared>) -> Json<Value> {
    Json(json!({ "faces": shared.describe_faces() }))
}

async fn read_clock(State(shared): State<Shared>) -> Json<Value> {
    Json(json!({ "now": shared.clock.now() }))
}

/// `{"now": "2026-11-24T00:00:00Z"}`, `{"advance_seconds": 60}` or `{"follow_system": true}`.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum ClockChange {
    Now(DateTime<Utc>),
    AdvanceSeconds(i64),
    FollowSystem(bool),
}

async fn set_clock(State(shared): State<Shared>, Sent(change): Sent<ClockChange>) -> Answer {
    match change {
        ClockChange::Now(now) => shared.clock.set(now),
        ClockChange::AdvanceSeconds(seconds) => {
            let Some(by) = TimeDelta::try_seconds(seconds) else {
                return Err(ControlError::bad_request("too many seconds"));
            };
            shared.clock.advance(by);
        }
        ClockChange::FollowSystem(true) => shared.clock.follow_system(),
        ClockChange::FollowSystem(false) => shared.clock.set(shared.clock.now()),
    }
    Ok(read_clock(State(shared)).await)
}

async fn items(State(shared): State<Shared>) -> Json<Value> {
    Json(shared.market.read(|state| json!(state.items().collect::<Vec<_>>())))
}

async fn list_item(State(shared): State<Shared>, Sent(draft): Sent<ItemDraft>) -> Answer {
    let id = shared.market.list(draft)?;
    item(State(shared), Path(id)).await
}

async fn item(State(shared): State<Shared>, Path(id): Path<ItemId>) -> Answer {
    let item = shared.market.item(id).ok_or(Refusal::NoSuchItem)?;
    Ok(Json(json!(item)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewQuantity {
    option: Option<OptionId>,
    quantity: i64,
}

async fn set_quantity(
    State(shared): State<Shared>,
    Path(id): Path<ItemId>,
    Sent(new): Sent<NewQuantity>,
) -> Answer {
    shared.market.back_office().set_quantity(id, new.option, new.quantity)?;
    done()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordFilter {
    order: Option<OrderNumber>,
    line: Option<LineNumber>,
    item: Option<ItemId>,
    /// Only what came after this sequence number.
    after: Option<u64>,
}

impl RecordFilter {
    fn takes(&self, event: &Event) -> bool {
        let subject = &event.subject;
        (self.order.is_none() || self.order == subject.order)
            && (self.line.is_none() || self.line == subject.line)
            && (self.item.is_none() || self.item == subject.item)
            && self.after.is_none_or(|after| event.seq > after)
    }
}

async fn record(State(shared): State<Shared>, Query(filter): Query<RecordFilter>) -> Json<Value> {
    Json(
        shared.market.read(|state| {
            json!(state.record().iter().filter(|event| filter.takes(event)).collect::<Vec<_>>())
        }),
    )
}

async fn faults(State(shared): State<Shared>) -> Json<Value> {
    Json(json!(shared.faults.rules()))
}

async fn add_fault(State(shared): State<Shared>, Sent(rule): Sent<FaultRule>) -> Answer {
    // A misspelt face would never strike, and the test behind it would pass for nothing.
    if let Some(face) = &rule.face {
        shared.face(face)?;
    }
    shared.faults.add(rule)?;
    done()
}

async fn clear_faults(State(shared): State<Shared>) -> Answer {
    shared.faults.clear();
    done()
}

async fn counts(State(shared): State<Shared>, Path(id): Path<String>) -> Answer {
    Ok(Json(json!(shared.face(&id)?.traffic.counts())))
}

async fn requests(State(shared): State<Shared>, Path(id): Path<String>) -> Answer {
    Ok(Json(json!(shared.face(&id)?.traffic.last())))
}

async fn reset_requests(State(shared): State<Shared>, Path(id): Path<String>) -> Answer {
    shared.face(&id)?.traffic.reset();
    done()
}

async fn fill(State(shared): State<Shared>, Sent(orders): Sent<SampleOrders>) -> Answer {
    let items = sample::list_catalogue(&shared.market)?;
    let numbers = sample::import_orders(&shared.market, &items, &orders)?;
    Ok(Json(json!({ "items": items.len(), "orders": numbers.len() })))
}
