//! Cancellations (sheet section 4). A claim on a line of the market is one cancellation of all its units.

use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Failure, Outcome};
use super::desk::{Page, Visit};
use super::ids::{self, Sku, Unit};
use super::orders::within;
use super::packages::live_units;
use crate::Amount;
use crate::lock;
use crate::market::{
    Action, Claim, ClaimKind, ClaimState, Line, LineNumber, LineState, MarketState, Order, Refusal,
};

const BAD: i64 = 25_001_001;
/// The seller has so many hours for an answer.
const ANSWER_HOURS: i64 = 48;

/// Names and texts.
const REJECT_REASONS: [(&str, &str); 2] = [
    ("seller_reject_apply_product_has_been_packed", "Product has been packed"),
    (
        "seller_reject_apply_you_have_reached_an_agreement_with_the_buyer",
        "You have reached an agreement with the buyer",
    ),
];

pub(super) fn status(claim: &Claim) -> &'static str {
    match claim.state {
        ClaimState::Requested | ClaimState::InProgress => "CANCELLATION_REQUEST_PENDING",
        ClaimState::Done => "CANCELLATION_REQUEST_SUCCESS",
        ClaimState::Withdrawn | ClaimState::Refused => "CANCELLATION_REQUEST_CANCELLED",
    }
}

/// Whether the buyer asked for it.
pub(super) fn is_by_buyer(state: &MarketState, line: LineNumber) -> bool {
    state.record().iter().any(|event| {
        let asked = matches!(event.action, Action::ClaimMade { kind: ClaimKind::Cancel });
        asked && event.is_done() && event.subject.line == Some(line)
    })
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Filter {
    cancel_ids: Vec<String>,
    order_ids: Vec<String>,
    buyer_user_ids: Vec<String>,
    cancel_types: Vec<String>,
    cancel_status: Vec<String>,
    create_time_ge: Option<i64>,
    create_time_lt: Option<i64>,
    update_time_ge: Option<i64>,
    update_time_lt: Option<i64>,
}

fn or_empty(list: &[String], value: &str) -> bool {
    list.is_empty() || list.iter().any(|wanted| wanted == value)
}

/// The claims of an order that are about not getting something, with their places.
fn cancels(order: &Order) -> impl Iterator<Item = (usize, &Claim)> {
    order
        .claims
        .iter()
        .enumerate()
        .filter(|(_, claim)| matches!(claim.kind, ClaimKind::Cancel | ClaimKind::Unpaid))
}

/// `search-cancellations`.
pub(super) fn search(visit: &Visit<'_>) -> Outcome {
    let filter: Filter = visit.call.body(BAD)?;
    let known_types =
        filter.cancel_types.iter().all(|kind| matches!(kind.as_str(), "CANCEL" | "BUYER_CANCEL"));
    if !known_types {
        return Err(Failure::new(BAD, "An invalid request parameter was passed. cancel_types"));
    }
    let page = Page::asked(visit, 50, "create_time", &["create_time", "update_time"], "ASC")
        .map_err(|failure| Failure::new(BAD, failure.message))?;
    visit.market().read(|state| {
        let mut found = Vec::new();
        for order in state.orders().iter().filter(|order| order.seller == visit.seller) {
            for (at, claim) in cancels(order) {
                let by_buyer = is_by_buyer(state, claim.line);
                let id = ids::cancel_id(claim.line, at);
                let updated = claim.settled_at.unwrap_or(claim.requested_at);
                let fits = or_empty(&filter.cancel_ids, &id)
                    && or_empty(&filter.order_ids, &ids::order_id(order.number))
                    && or_empty(&filter.buyer_user_ids, &ids::user_id(order.number))
                    && or_empty(&filter.cancel_types, if by_buyer { "BUYER_CANCEL" } else { "CANCEL" })
                    && or_empty(&filter.cancel_status, status(claim))
                    && within(claim.requested_at, filter.create_time_ge, filter.create_time_lt)
                    && within(updated, filter.update_time_ge, filter.update_time_lt);
                if let Some(line) = order.line(claim.line).filter(|_| fits) {
                    let time = if page.is_by("update_time") { updated } else { claim.requested_at };
                    let row = row(order, line, claim, &id, by_buyer);
                    found.push((time.timestamp(), claim.line.0.wrapping_mul(100) + at as u64, row));
                }
            }
        }
        Ok(page.cut(found, "cancellations", Value::clone))
    })
}

fn row(order: &Order, line: &Line, claim: &Claim, id: &str, by_buyer: bool) -> Value {
    let sku = Sku::of(line);
    let each = |unit: Unit| {
        let price = line.unit_price;
        json!({
            "cancel_line_item_id": format!("{id}{}", unit.at),
            "order_line_item_id": unit.id(),
            "sku_id": sku.id(),
            "sku_name": line.axes.iter().map(|axis| &*axis.value).collect::<Vec<_>>().join(", "),
            "product_name": line.title,
            "seller_sku": super::order_row::seller_sku(line),
            "refund_amount": refund(&order.currency, price),
        })
    };
    let units = claim_units(line, claim);
    let total = line.unit_price * claim.quantity - line.discount;
    let mut row = json!({
        "cancel_id": id,
        "order_id": ids::order_id(order.number),
        "cancel_type": if by_buyer { "BUYER_CANCEL" } else { "CANCEL" },
        "cancel_status": status(claim),
        "role": if by_buyer { "BUYER" } else { "SELLER" },
        "cancel_reason": claim.reason,
        "cancel_reason_text": claim.reason,
        "create_time": claim.requested_at.timestamp(),
        "update_time": claim.settled_at.unwrap_or(claim.requested_at).timestamp(),
        "refund_amount": refund(&order.currency, total),
        "cancel_line_items": units.into_iter().map(each).collect::<Vec<_>>(),
    });
    if claim.is_open() {
        let deadline = claim.requested_at + chrono::TimeDelta::hours(ANSWER_HOURS);
        row["seller_next_action_response"] =
            json!([{ "action": "SELLER_RESPOND_CANCEL", "deadline": deadline.timestamp() }]);
    }
    row
}

/// The units that a claim is about: the last ones that are still to be delivered, or all of a line that is cancelled.
fn claim_units(line: &Line, claim: &Claim) -> Vec<Unit> {
    let live: Vec<Unit> = live_units(line).collect();
    if live.is_empty() {
        return (0..line.quantity).map(|at| Unit { line: line.number, at }).collect();
    }
    live.into_iter().rev().take(claim.quantity as usize).rev().collect()
}

fn refund(currency: &str, amount: Amount) -> Value {
    json!({
        "currency": currency,
        "refund_total": amount.to_string(),
        "refund_subtotal": amount.to_string(),
        "refund_shipping_fee": "0",
        "refund_tax": "0",
    })
}

/// The order, line and claim behind the id in the path.
fn claimed(visit: &Visit<'_>) -> Result<(Order, Claim), Failure> {
    let not_found = || Failure::new(25_007_006, "Order not found.");
    let (line, at) = ids::cancel(visit.call.in_path("cancel_id")).ok_or_else(not_found)?;
    let order = visit.market().read(|state| state.line(line).map(|(order, _)| order.clone()));
    let order = order.ok_or_else(not_found)?;
    if order.seller != visit.seller {
        return Err(Failure::new(25_020_005, "No permission to process this order"));
    }
    let claim = order.claims.get(at).filter(|claim| claim.line == line).cloned().ok_or_else(not_found)?;
    Ok((order, claim))
}

/// Whether the same answer was given under the same key before.
fn is_repeat(visit: &Visit<'_>, what: &str) -> Result<bool, Failure> {
    let key = visit.call.param("idempotency_key");
    if key.len() > 255 {
        return Err(Failure::new(BAD, "An invalid request parameter was passed. idempotency_key"));
    }
    let answered = lock(&visit.desk.face.0.ledger).answered.get(&format!("{} {key}", visit.seller)).cloned();
    match answered {
        Some(answer) if !key.is_empty() && answer == what => Ok(true),
        Some(_) if !key.is_empty() => {
            Err(Failure::new(BAD, "An invalid request parameter was passed. idempotency_key was used"))
        }
        _ => Ok(false),
    }
}

fn remember(visit: &Visit<'_>, what: String) {
    let key = visit.call.param("idempotency_key");
    if !key.is_empty() {
        lock(&visit.desk.face.0.ledger).answered.insert(format!("{} {key}", visit.seller), what);
    }
}

/// `approve-cancellation`.
pub(super) fn approve(visit: &Visit<'_>) -> Outcome {
    let what = format!("approve {}", visit.call.in_path("cancel_id"));
    if is_repeat(visit, &what)? {
        return Ok(json!({}));
    }
    let (order, claim) = claimed(visit)?;
    match claim.state {
        ClaimState::Requested | ClaimState::InProgress => {}
        ClaimState::Withdrawn => return Err(Failure::new(25_020_009, "reverse already cancelled")),
        ClaimState::Done | ClaimState::Refused => {
            let action = Action::Cancelled { reason: claim.reason };
            visit.acting().refused(claim.line, action, Refusal::NoOpenClaim);
            return Err(Failure::new(25_011_012, "reverse status cannot approve application"));
        }
    }
    let shipped = || {
        Failure::new(
            25_001_045,
            "The order has already been shipped and we are unable to cancel shipment with the courier.",
        )
    };
    if order.line(claim.line).is_some_and(|line| line.state >= LineState::Shipped) {
        return Err(shipped());
    }
    visit.acting().cancel_units(claim.line, claim.quantity, &claim.reason).map_err(|_| shipped())?;
    remember(visit, what);
    Ok(json!({}))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Rejection {
    reject_reason: String,
}

/// `reject-cancellation`.
pub(super) fn reject(visit: &Visit<'_>) -> Outcome {
    let asked: Rejection = visit.call.body(BAD)?;
    if asked.reject_reason.is_empty() {
        return Err(Failure::new(BAD, "An invalid request parameter was passed. reject_reason"));
    }
    if REJECT_REASONS.iter().all(|(name, _)| *name != asked.reject_reason) {
        return Err(Failure::new(
            25_001_014,
            "Unknown return reason. Please ensure you are passing a valid return reason.",
        ));
    }
    let what = format!("reject {}", visit.call.in_path("cancel_id"));
    if is_repeat(visit, &what)? {
        return Ok(json!({}));
    }
    let (_, claim) = claimed(visit)?;
    match claim.state {
        ClaimState::Requested | ClaimState::InProgress => {}
        ClaimState::Done => {
            return Err(Failure::new(25_020_010, "Aftersales has been approved and cannot be rejected."));
        }
        ClaimState::Withdrawn | ClaimState::Refused => {
            let action = Action::ClaimMoved { kind: claim.kind, state: ClaimState::Refused };
            visit.acting().refused(claim.line, action, Refusal::NoOpenClaim);
            return Err(Failure::new(25_011_011, "reverse status cannot reject application"));
        }
    }
    visit
        .acting()
        .move_claim(claim.line, claim.kind, ClaimState::Refused)
        .map_err(|_| Failure::new(25_011_011, "reverse status cannot reject application"))?;
    remember(visit, what);
    Ok(json!({}))
}

/// `get-reject-reasons`.
pub(super) fn reject_reasons(visit: &Visit<'_>) -> Outcome {
    if visit.call.param("return_or_cancel_id").is_empty() {
        return Err(Failure::new(BAD, "An invalid request parameter was passed. return_or_cancel_id"));
    }
    let reasons: Vec<Value> =
        REJECT_REASONS.iter().map(|(name, text)| json!({ "name": name, "text": text })).collect();
    Ok(json!({ "reasons": reasons }))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CancelOrder {
    order_id: String,
    order_line_item_ids: Vec<String>,
    cancel_reason: String,
}

/// `cancel-order`, by the seller: the whole order, or whole lines of it.
pub(super) fn cancel_order(visit: &Visit<'_>) -> Outcome {
    let asked: CancelOrder = visit.call.body(BAD)?;
    if asked.cancel_reason.is_empty() {
        return Err(Failure::new(BAD, "An invalid request parameter was passed. cancel_reason"));
    }
    let order = visit.market().read(|state| ids::order(state, &asked.order_id).cloned());
    let order = order.filter(|order| order.seller == visit.seller);
    let order = order.ok_or_else(|| Failure::new(25_020_005, "No permission to process this order"))?;
    let units: Vec<Unit> = asked.order_line_item_ids.iter().filter_map(|id| Unit::read(id)).collect();
    let named = |line: &Line| live_units(line).filter(|unit| units.contains(unit)).count();
    let whole = |line: &&Line| units.is_empty() || named(line) > 0;
    let lines: Vec<&Line> =
        order.lines.iter().filter(|line| line.state != LineState::Cancelled).filter(whole).collect();
    let in_part = |line: &&Line| !units.is_empty() && named(line) < live_units(line).count();
    if lines.is_empty() {
        return Err(Failure::new(
            25_001_051,
            "Not allowed to return or cancel since order is completed or cancelled",
        ));
    }
    if lines.iter().any(in_part) {
        return Err(Failure::new(25_005_010, "Unable to cancel individual line items within this request."));
    }
    if lines.iter().any(|line| line.state >= LineState::Shipped || line.shipped_quantity > 0) {
        return Err(Failure::new(
            25_001_045,
            "The order has already been shipped and we are unable to cancel shipment with the courier.",
        ));
    }
    for line in &lines {
        visit
            .acting()
            .cancel(line.number, &asked.cancel_reason)
            .map_err(|refusal| Failure::new(25_001_011, refusal.to_string()))?;
    }
    let first = lines[0].number;
    let at = visit.market().read(|state| {
        let (order, _) = state.line(first)?;
        order.claims.iter().rposition(|claim| claim.line == first)
    });
    Ok(json!({
        "cancel_id": ids::cancel_id(first, at.unwrap_or_default()),
        "cancel_status": "CANCELLATION_REQUEST_SUCCESS",
    }))
}
