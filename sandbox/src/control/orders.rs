//! Orders over the control API: as the buyer, in the back office, as the marketplace.

use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, ControlError, Sent, done};
use crate::OrderDraft;
use crate::market::{Acting, ClaimKind, ClaimState, LineNumber, Order, OrderNumber, Refusal, ShipPromise};
use crate::sandbox::Shared;

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/orders", get(list).post(place))
        .route("/orders/{number}", get(read))
        .route("/orders/{number}/pay", post(pay))
        .route("/orders/{number}/confirm", post(confirm))
        .route("/orders/{number}/ship-date", post(set_ship_date))
        .route("/orders/{number}/ship", post(ship))
        .route("/orders/{number}/deliver", post(deliver))
        .route("/orders/{number}/cancel", post(cancel))
        .route("/orders/{number}/request-cancel", post(request_cancel))
        .route("/orders/{number}/withdraw-cancel", post(withdraw_cancel))
        .route("/orders/{number}/request-return", post(request_return))
        .route("/orders/{number}/move-claim", post(move_claim))
}

/// The order with its state, which follows from its lines.
fn shown(order: &Order) -> Value {
    let mut shown = json!(order);
    shown["state"] = json!(order.state());
    shown
}

async fn list(State(shared): State<Shared>) -> Json<Value> {
    let brief =
        |order: &Order| json!({ "number": order.number, "state": order.state(), "paid_at": order.paid_at });
    Json(shared.market.read(|state| state.orders().iter().map(brief).collect()))
}

async fn place(State(shared): State<Shared>, Sent(draft): Sent<OrderDraft>) -> Answer {
    let number = shared.market.buyer().place(draft)?;
    read(State(shared), Path(number)).await
}

async fn read(State(shared): State<Shared>, Path(number): Path<OrderNumber>) -> Answer {
    let order = shared.market.read(|state| state.order(number).map(shown)).ok_or(Refusal::NoSuchOrder)?;
    Ok(Json(order))
}

async fn pay(State(shared): State<Shared>, Path(number): Path<OrderNumber>) -> Answer {
    shared.market.marketplace().pay(number)?;
    done()
}

/// Which lines, and what a call needs beside that. Without `line` it is all lines of the order.
#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
struct Change {
    line: Option<LineNumber>,
    reason: String,
    ship_date: Option<NaiveDate>,
    carrier: String,
    tracking: String,
    kind: Option<ClaimKind>,
    state: Option<ClaimState>,
}

/// Stops at the first line that is refused.
fn on_lines(
    shared: &Shared,
    number: OrderNumber,
    line: Option<LineNumber>,
    act: impl Fn(LineNumber) -> Result<(), Refusal>,
) -> Answer {
    let lines = shared.market.lines_of(number);
    if lines.is_empty() {
        return Err(Refusal::NoSuchOrder.into());
    }
    match line {
        Some(line) if lines.contains(&line) => act(line)?,
        Some(_) => return Err(Refusal::NoSuchLine.into()),
        None => lines.into_iter().try_for_each(act)?,
    }
    done()
}

fn back_office(shared: &Shared) -> Acting<'_> {
    shared.market.back_office()
}

async fn confirm(
    State(shared): State<Shared>,
    Path(number): Path<OrderNumber>,
    Sent(change): Sent<Change>,
) -> Answer {
    let promise =
        change.ship_date.map(|date| ShipPromise { date, reason: change.reason, memo: String::new() });
    on_lines(&shared, number, change.line, |line| back_office(&shared).confirm(line, promise.clone()))
}

async fn set_ship_date(
    State(shared): State<Shared>,
    Path(number): Path<OrderNumber>,
    Sent(change): Sent<Change>,
) -> Answer {
    let Some(date) = change.ship_date else { return Err(ControlError::bad_request("ship_date is required")) };
    let promise = ShipPromise { date, reason: change.reason, memo: String::new() };
    on_lines(&shared, number, change.line, |line| back_office(&shared).set_ship_date(line, promise.clone()))
}

async fn ship(
    State(shared): State<Shared>,
    Path(number): Path<OrderNumber>,
    Sent(change): Sent<Change>,
) -> Answer {
    on_lines(&shared, number, change.line, |line| {
        back_office(&shared).ship_line(line, &change.carrier, &change.tracking)
    })
}

async fn deliver(
    State(shared): State<Shared>,
    Path(number): Path<OrderNumber>,
    Sent(change): Sent<Change>,
) -> Answer {
    on_lines(&shared, number, change.line, |line| shared.market.marketplace().deliver(line))
}

async fn cancel(
    State(shared): State<Shared>,
    Path(number): Path<OrderNumber>,
    Sent(change): Sent<Change>,
) -> Answer {
    on_lines(&shared, number, change.line, |line| back_office(&shared).cancel(line, &change.reason))
}

async fn request_cancel(
    State(shared): State<Shared>,
    Path(number): Path<OrderNumber>,
    Sent(change): Sent<Change>,
) -> Answer {
    on_lines(&shared, number, change.line, |line| shared.market.buyer().request_cancel(line, &change.reason))
}

async fn withdraw_cancel(
    State(shared): State<Shared>,
    Path(number): Path<OrderNumber>,
    Sent(change): Sent<Change>,
) -> Answer {
    on_lines(&shared, number, change.line, |line| shared.market.buyer().withdraw_cancel(line))
}

async fn request_return(
    State(shared): State<Shared>,
    Path(number): Path<OrderNumber>,
    Sent(change): Sent<Change>,
) -> Answer {
    let kind = change.kind.unwrap_or(ClaimKind::Return);
    on_lines(&shared, number, change.line, |line| shared.market.buyer().claim(line, kind, &change.reason))
}

async fn move_claim(
    State(shared): State<Shared>,
    Path(number): Path<OrderNumber>,
    Sent(change): Sent<Change>,
) -> Answer {
    let kind = change.kind.unwrap_or(ClaimKind::Cancel);
    let state = change.state.unwrap_or(ClaimState::InProgress);
    on_lines(&shared, number, change.line, |line| back_office(&shared).move_claim(line, kind, state))
}
