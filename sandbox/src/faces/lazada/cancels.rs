//! Cancelling: by the seller, and the seller's answers to buyers (sheet section 4).

use std::collections::HashSet;

use serde_json::{Value, json};

use super::answer::{Failure, Outcome};
use super::call::id_list;
use super::desk::Visit;
use super::ids::{self, Sku, Unit};
use super::ledger::by_line;
use super::order_row::View;
use super::units::{self, Status};
use crate::lock;
use crate::market::{
    Action, Actor, Claim, ClaimKind, ClaimState, LineNumber, LineState, MarketState, Order, Refusal,
};

const OUT_OF_STOCK: &str = "1000017";
/// Ids and texts of the reasons that a seller can give.
pub(super) const REASONS: [(&str, &str); 2] =
    [(OUT_OF_STOCK, "out of stock"), ("10000021", "wrong price or listing")];

/// The lines of an order whose cancellation the buyer asked for.
pub(super) fn asked_by_buyer(state: &MarketState, order: &Order) -> HashSet<LineNumber> {
    if order.claims.is_empty() {
        return HashSet::new();
    }
    let by_buyer = |event: &&crate::market::Event| {
        event.is_done()
            && event.actor == Actor::Buyer
            && event.subject.order == Some(order.number)
            && matches!(event.action, Action::ClaimMade { kind: ClaimKind::Cancel })
    };
    state.record().iter().filter(by_buyer).filter_map(|event| event.subject.line).collect()
}

/// The order and its order items that are to be cancelled.
fn asked(visit: &Visit<'_>) -> Result<(Order, Vec<Unit>), Failure> {
    let order_id = visit.call.param("order_id");
    if order_id.is_empty() {
        return Err(Failure::service(115, "E0115: order id is null"));
    }
    let wanted = id_list(visit.call.param("order_item_id_list")).filter(|ids| !ids.is_empty());
    let wanted =
        wanted.ok_or_else(|| Failure::service(102, "E0102: trade order line id is empty or invalid"))?;
    let order = order_id.parse().ok().and_then(|id| visit.order(id));
    let order = order.ok_or_else(|| Failure::service(122, "E0122: invalid trade order"))?;
    let mut units: Vec<Unit> = Vec::new();
    for id in wanted {
        let unit = order.lines.iter().flat_map(units::units).find(|unit| unit.id() == id);
        let unit =
            unit.ok_or_else(|| Failure::service(123, format!("E0123: invalid trade order lines {id}")))?;
        if !units.contains(&unit) {
            units.push(unit);
        }
    }
    Ok((order, units))
}

/// `ordercancelvalidate`.
pub(super) fn validate(visit: &Visit<'_>) -> Outcome {
    let (order, units) = asked(visit)?;
    let ledger = lock(&visit.desk.face.0.ledger);
    let view = View::of(&order, &ledger, &visit.settings, visit.now);
    if !can_be_cancelled(&view, &units) {
        return Ok(json!({ "data": refusal() }));
    }
    let shares = |item: &units::OrderItem<'_>| {
        let packed = item.package.filter(|_| item.status == Status::Packed);
        units.contains(&item.unit)
            && packed.is_some_and(|package| package.units.iter().any(|unit| !units.contains(unit)))
    };
    let tip = if view.items.iter().any(shares) {
        "the other items of the package will be cancelled, too"
    } else {
        "stock will be set as 0 when it is out of stock"
    };
    let options: Vec<Value> =
        REASONS.iter().map(|(id, name)| json!({ "reason_id": id, "reason_name": name })).collect();
    Ok(json!({ "data": { "tip_type": "warn", "tip_content": tip, "reason_options": options } }))
}

fn can_be_cancelled(view: &View<'_>, units: &[Unit]) -> bool {
    units.iter().all(|unit| view.status_of(*unit).is_some_and(Status::can_be_cancelled))
}

/// Not an error of the API: a tip of the type "error".
fn refusal() -> Value {
    json!({ "tip_type": "error", "tip_content": "the order items can not be cancelled in their status" })
}

/// `initreverseordercancel`: all order items or none.
pub(super) fn create(visit: &Visit<'_>) -> Outcome {
    let (order, units) = asked(visit)?;
    let reason_id = visit.call.param("reason_id");
    let reason = REASONS.iter().find(|(id, _)| *id == reason_id);
    let (_, reason) = reason.ok_or_else(|| Failure::service(104, "E0104: reason is empty or invalid"))?;
    let mut ledger = lock(&visit.desk.face.0.ledger);
    let possible = can_be_cancelled(&View::of(&order, &ledger, &visit.settings, visit.now), &units);
    if !possible {
        for line in by_line(&units).into_keys() {
            note_refusal(visit, line, reason);
        }
        return Ok(json!({ "data": refusal() }));
    }
    for (line, units) in by_line(&units) {
        let Some(order) = visit.market().order(order.number) else { continue };
        if ledger.cancel(&visit.acting(), &order, units, reason).is_err() {
            return Ok(json!({ "data": refusal() }));
        }
        if reason_id == OUT_OF_STOCK {
            sell_out(visit, &order, line);
        }
    }
    let tip = if reason_id == OUT_OF_STOCK { "stock will be set as 0" } else { "" };
    Ok(json!({ "data": { "tip_type": "warn", "tip_content": tip } }))
}

fn note_refusal(visit: &Visit<'_>, line: LineNumber, reason: &str) {
    let Some(state) = visit.market().line(line).map(|line| line.state) else { return };
    let action = Action::Cancelled { reason: reason.to_owned() };
    visit.acting().refused(line, action, Refusal::WrongState(state));
}

/// The channel takes the seller at their word.
fn sell_out(visit: &Visit<'_>, order: &Order, line: LineNumber) {
    let Some(line) = order.line(line) else { return };
    if visit.market().item(line.item).is_some() {
        let _ = visit.market().marketplace().set_quantity(line.item, Sku::of(line).option(), 0);
    }
}

/// The order and the claim behind the id of a reverse order of the seller, with its place.
pub(super) fn claimed(visit: &Visit<'_>, id: u64) -> Option<(Order, Claim, usize)> {
    let (line, at) = ids::reverse_order(id)?;
    let order = visit.market().read(|state| state.line(line).map(|(order, _)| order.clone()))?;
    let order = Some(order).filter(|order| order.seller == visit.shop.seller)?;
    let claim = order.claims.get(at).filter(|claim| claim.line == line).cloned()?;
    Some((order, claim, at))
}

/// `initreverseordercanceldecide`.
pub(super) fn decide(visit: &Visit<'_>) -> Outcome {
    let id = visit.call.param("reverse_order_id").parse().ok();
    let bad_id = || Failure::service(105, "E0105: reverse order id is empty or invalid");
    let (order, claim, at) = id.and_then(|id| claimed(visit, id)).ok_or_else(bad_id)?;
    let agree = match visit.call.required("agree_cancel")? {
        "true" => true,
        "false" => false,
        _ => return Err(Failure::missing("agree_cancel")),
    };
    let no_decision = || Failure::service(131, "E0131: no decision for this reverse order");
    if claim.kind != ClaimKind::Cancel || !claim.is_open() {
        note_late(visit, &claim, agree);
        return Err(no_decision());
    }
    if !agree {
        let refused = visit.acting().move_claim(claim.line, claim.kind, ClaimState::Refused);
        return refused.map(|()| json!({ "data": null })).map_err(|_| no_decision());
    }
    let mut ledger = lock(&visit.desk.face.0.ledger);
    let units = {
        let view = View::of(&order, &ledger, &visit.settings, visit.now);
        let units = units::of_claim(&view.items, &ledger, &claim, at);
        if can_be_cancelled(&view, &units) { units } else { Vec::new() }
    };
    if units.is_empty() {
        note_late(visit, &claim, agree);
        return Err(no_decision());
    }
    ledger.cancel(&visit.acting(), &order, units, &claim.reason).map_err(|_| no_decision())?;
    Ok(json!({ "data": null }))
}

fn note_late(visit: &Visit<'_>, claim: &Claim, agree: bool) {
    let action = if agree {
        Action::Cancelled { reason: claim.reason.clone() }
    } else {
        Action::ClaimMoved { kind: claim.kind, state: ClaimState::Refused }
    };
    let state = visit.market().line(claim.line).map(|line| line.state);
    let why = match state {
        Some(state @ (LineState::Shipped | LineState::Delivered)) => Refusal::WrongState(state),
        _ => Refusal::NoOpenClaim,
    };
    visit.acting().refused(claim.line, action, why);
}
