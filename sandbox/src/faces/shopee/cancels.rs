//! Cancelling: the buyer's wish, and the seller's own (sheet section 4.8).

use serde::Deserialize;
use serde_json::json;

use super::answer::{Answer, Failure, Outcome};
use super::book::lines_named;
use super::desk::Visit;
use super::view::View;
use crate::market::{Action, Claim, ClaimKind, ClaimState, LineNumber, LineState, Order, Refusal};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Handling {
    order_sn: String,
    operation: String,
}

/// `order/handle_buyer_cancellation`.
pub(super) fn of_buyer(visit: &Visit<'_>) -> Outcome {
    let asked: Handling = visit.call.body()?;
    // Nobody ships between the look and the change.
    let _book = visit.book();
    let order = visit.required_order(&asked.order_sn)?;
    let accepts = match asked.operation.as_str() {
        "ACCEPT" => true,
        "REJECT" => false,
        "" => return Err(Failure::required("operation")),
        _ => return Err(Failure::wrong("operation must be ACCEPT or REJECT.")),
    };
    let is_open = |claim: &&Claim| claim.kind == ClaimKind::Cancel && claim.is_open();
    let open: Vec<&Claim> = order.claims.iter().filter(is_open).collect();
    if open.is_empty() {
        note_refused(visit, &order, accepts);
        return Err(wrong_status());
    }
    for claim in open {
        let done = if accepts {
            visit.acting().cancel_units(claim.line, claim.quantity, &claim.reason)
        } else {
            visit.acting().move_claim(claim.line, ClaimKind::Cancel, ClaimState::Refused)
        };
        done.map_err(|_| wrong_status())?;
    }
    Ok(updated(visit))
}

fn wrong_status() -> Failure {
    Failure::new("order.order_status_invalid", "Invalid order_status.The order status should be IN_CANCEL.")
}

fn updated(visit: &Visit<'_>) -> Answer {
    Answer::wrapped(json!({ "update_time": visit.now.timestamp() }))
}

/// The market's record shows answers to claims that are not there.
fn note_refused(visit: &Visit<'_>, order: &Order, accepts: bool) {
    for line in &order.lines {
        let action = if accepts {
            Action::Cancelled { reason: String::new() }
        } else {
            Action::ClaimMoved { kind: ClaimKind::Cancel, state: ClaimState::Refused }
        };
        visit.acting().refused(line.number, action, Refusal::NoOpenClaim);
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    order_sn: String,
    cancel_reason: String,
    item_list: Vec<Part>,
    partial_cancel_item_list: Vec<Part>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Part {
    item_id: u64,
    model_id: u64,
    order_item_id: Option<u64>,
    promotion_group_id: Option<u64>,
    model_quantity: Option<u32>,
}

impl Asked {
    fn check(&self, visit: &Visit<'_>) -> Result<(), Failure> {
        match self.cancel_reason.as_str() {
            "OUT_OF_STOCK" if self.item_list.is_empty() && self.partial_cancel_item_list.is_empty() => {
                Err(Failure::required("item_list"))
            }
            "OUT_OF_STOCK" | "CUSTOMER_REQUEST" | "COD_NOT_SUPPORTED" => Ok(()),
            "UNDELIVERABLE_AREA" if matches!(visit.settings.region.as_str(), "TW" | "MY") => Ok(()),
            "" => Err(Failure::required("cancel_reason")),
            _ => Err(Failure::wrong("cancel_reason is invalid.")),
        }
    }
}

/// `order/cancel_order`: the whole order, or some units of it.
pub(super) fn by_seller(visit: &Visit<'_>) -> Outcome {
    let asked: Asked = visit.call.body()?;
    let mut book = visit.book();
    let order = visit.required_order(&asked.order_sn)?;
    asked.check(visit)?;
    let view = View::of(&order, &mut book, visit.settings, visit.now);
    if view.extra.fulfilled_by_shopee {
        // The space stands there in the documentation, too.
        return Err(Failure::new("order. error_param", "You can not cancel warehouse order."));
    }
    let known = |part: &Part| !named(&order, part).is_empty();
    if !asked.item_list.iter().chain(&asked.partial_cancel_item_list).all(known) {
        return Err(Failure::wrong("item_list has an item that is not in the order."));
    }
    if !view.can_cancel() {
        let action = Action::Cancelled { reason: asked.cancel_reason.clone() };
        for line in &order.lines {
            visit.acting().refused(line.number, action.clone(), Refusal::WrongState(line.state));
        }
        return Err(cannot());
    }
    if asked.partial_cancel_item_list.is_empty() {
        for line in order.lines.iter().filter(|line| line.state != LineState::Cancelled) {
            // Units that are gone already stay gone, so a line is ended by what is left of it.
            visit.acting().cancel(line.number, &asked.cancel_reason).map_err(|_| cannot())?;
        }
        return Ok(updated(visit));
    }
    for (line, quantity) in units(&order, &asked.partial_cancel_item_list)? {
        visit.acting().cancel_units(line, quantity, &asked.cancel_reason).map_err(|_| cannot())?;
    }
    Ok(updated(visit))
}

fn cannot() -> Failure {
    Failure::new("order.error_limit", "Can not cancel this order")
}

fn named(order: &Order, part: &Part) -> Vec<LineNumber> {
    let told_apart = |id: Option<u64>| id.filter(|id| *id > 0);
    lines_named(
        order,
        (part.item_id, part.model_id),
        told_apart(part.order_item_id),
        told_apart(part.promotion_group_id),
    )
}

/// The lines with how many units of each; checked before anything is cancelled.
fn units(order: &Order, parts: &[Part]) -> Result<Vec<(LineNumber, u32)>, Failure> {
    let mut units: Vec<(LineNumber, u32)> = Vec::new();
    for part in parts {
        let quantity = part.model_quantity.ok_or_else(|| Failure::required("model_quantity"))?;
        let fits = |number: &LineNumber| {
            let taken = units.iter().any(|(line, _)| line == number);
            !taken && order.line(*number).is_some_and(|line| (1..=line.open_quantity()).contains(&quantity))
        };
        let line = named(order, part).into_iter().find(fits);
        let line = line.ok_or_else(|| Failure::wrong("model_quantity is invalid."))?;
        units.push((line, quantity));
    }
    Ok(units)
}
