//! What the methods that change an order share, and `orderChange`, `orderStatusChange` and `orderSplit`. Shipping is
//! in shipping.rs.

use chrono::{DateTime, TimeDelta, Utc};

use super::answer::{Done, Failure, Outcome, Warning, counted};
use super::desk::{Desk, Visit};
use super::fields::order_id;
use super::ledger::{CardAuthorization, DueCancel, Ledger};
use super::settings::{RefusedAs, Settings};
use super::shipping;
use super::times::day_of;
use super::view::{Row, View};
use crate::Amount;
use crate::faces::xml::{Element, Tree};
use crate::market::{
    Acting, Action, CancelTerms, Line, LineDraft, LineNumber, LineState, Order, OrderDraft, OrderNumber,
    Refusal,
};

/// Reasons of a cancellation that a store can give.
const REASONS: [&str; 13] =
    ["100", "110", "120", "130", "140", "150", "160", "170", "180", "200", "210", "220", "230"];

/// An attempt that the face refuses by rules of its own: it is in the record, and nothing is changed.
pub(super) fn refuse(visit: &Visit<'_>, order: &Order, action: &Action, why: &str) -> Outcome {
    for line in &order.lines {
        visit.acting().refused(line.number, action.clone(), Refusal::WrongState(line.state));
    }
    not_done(visit, why)
}

/// The answer to a change that was refused.
pub(super) fn not_done(visit: &Visit<'_>, why: &str) -> Outcome {
    match visit.settings.refused_as {
        RefusedAs::Error => Err(Failure::state(why)),
        RefusedAs::StatusNg => Done::not_changed(),
    }
}

/// Why nothing but perhaps a cancellation can be done to an order.
pub(super) fn blocked(view: &View<'_>, is_cancel: bool) -> Option<&'static str> {
    match () {
        () if view.is_split() => Some("it is split"),
        () if view.is_read_only() => Some("it is read only"),
        () if view.is_fraud_held() && !is_cancel => Some("it is held"),
        () => None,
    }
}

/// The order that a request names.
pub(super) fn target(visit: &Visit<'_>, request: &Tree) -> Result<Order, Failure> {
    let id = request.text_at(&["Target", "OrderId"]).ok_or_else(|| Failure::parameter("OrderId"))?;
    visit.order(id)
}

pub(super) fn point_fix(request: &Tree) -> Result<bool, Failure> {
    match request.text_at(&["Target", "IsPointFix"]) {
        Some("true") => Ok(true),
        Some("false") => Ok(false),
        _ => Err(Failure::parameter("IsPointFix")),
    }
}

/// Every change of an order marks it as seen.
fn mark_seen(acting: &Acting<'_>, order: &Order) -> Result<(), Refusal> {
    let open = order.lines.iter().filter(|line| {
        !matches!(line.state, LineState::Shipped | LineState::Delivered | LineState::Cancelled)
    });
    for line in open {
        let done = match line.state {
            LineState::AwaitingPayment => acting.confirm_unpaid(line.number),
            _ => acting.confirm(line.number, None),
        };
        match done {
            // A seen order can be seen again.
            Ok(()) | Err(Refusal::AlreadyConfirmed) => {}
            Err(refusal) => return Err(refusal),
        }
    }
    Ok(())
}

/// `orderChange`: the seen flag, and corrections of a shipment.
pub(super) fn change(visit: &Visit<'_>, ledger: &mut Ledger) -> Outcome {
    let request = visit.xml()?;
    let order = target(visit, &request)?;
    let wanted = request.child("Order").filter(|wanted| !wanted.children.is_empty());
    let wanted = wanted.ok_or_else(|| Failure::parameter("Order"))?;
    for part in &wanted.children {
        match (part.name.as_str(), part.text.as_str()) {
            ("IsSeen", "true") | ("Ship" | "Notes", _) => {}
            (name, _) => return Err(Failure::parameter(name)),
        }
    }
    let shipment = wanted.child("Ship").map(|ship| shipping::Report::read(ship, true)).transpose()?;
    let seen = Action::Confirmed { ship_date: None };
    let slip = ledger.slip(order.number);
    let view = View::new(&order, Some(&slip), &visit.settings, visit.now);
    if let Some(why) = blocked(&view, false) {
        return refuse(visit, &order, &seen, why);
    }
    if view.order_status() == 4 {
        return refuse(visit, &order, &seen, "it is cancelled");
    }
    if let Some(report) = &shipment
        && report.excludes(&slip.shipment)
    {
        return Err(Failure::parameter("ShipInvoiceNumberEmptyReason"));
    }
    let is_shipped = view.ship_status() >= 3;
    if mark_seen(&visit.acting(), &order).is_err() {
        return not_done(visit, "its state changed");
    }
    let slip = ledger.slip_mut(order.number);
    if let Some(notes) = wanted.child("Notes") {
        slip.fields.insert("Notes".into(), notes.text.clone());
    }
    slip.changed_at = Some(visit.now);
    if let Some(report) = shipment {
        report.note(&mut slip.shipment);
        let parcel = (is_shipped && !order.parcels.is_empty()).then(|| order.parcels.len() - 1);
        let (company, number) = (&slip.shipment.company, slip.shipment.first_number());
        for line in &order.lines {
            // Only the tracking of the order's own lines is entered: there is nothing to be refused.
            let _ = visit.acting().enter_tracking(line.number, parcel, company, number);
        }
    }
    Done::changed([])
}

/// `orderStatusChange`.
pub(super) fn status(visit: &Visit<'_>, ledger: &mut Ledger) -> Outcome {
    let request = visit.xml()?;
    let order = target(visit, &request)?;
    let fixes_points = point_fix(&request)?;
    if request.text_at(&["Target", "OperationUser"]).is_some_and(|name| name.chars().count() > 120) {
        return Err(Failure::parameter("OperationUser"));
    }
    let to = request.text_at(&["Order", "OrderStatus"]).and_then(|text| text.parse().ok());
    let to: u8 = to.filter(|to| (1..=5).contains(to)).ok_or_else(|| Failure::parameter("OrderStatus"))?;
    if (to == 5 && !fixes_points) || (to == 4 && fixes_points) {
        return Err(Failure::parameter("IsPointFix"));
    }
    let (reason, detail) = cancel_reason(&request, to)?;
    let slip = ledger.slip(order.number);
    let view = View::new(&order, Some(&slip), &visit.settings, visit.now);
    let attempt = Action::Cancelled { reason: reason.clone() };
    if let Some(why) = blocked(&view, to == 4) {
        return if to == 4 { refuse(visit, &order, &attempt, why) } else { not_done(visit, why) };
    }
    let from = view.order_status();
    if from == to {
        return Done::changed([Warning::new("od91705")]);
    }
    let release = super::fields::shown_value(&view, "ReleaseDate");
    let is_to_come = release > day_of(visit.now).to_string();
    let is_allowed = match (from, to) {
        (1..=3, 4) => true,
        (1..=3, 5) | (3, 2) | (5, 4) => !view.is_prank(),
        (2, 3) | (5, 2) => true,
        (3, 1) => is_to_come,
        _ => false,
    };
    if !is_allowed {
        let why = format!("from {from} to {to}");
        return if to == 4 { refuse(visit, &order, &attempt, &why) } else { not_done(visit, &why) };
    }
    if to == 4 {
        return start_cancel(visit, ledger, &order, reason, detail);
    }
    let slip = ledger.slip_mut(order.number);
    slip.is_reserved = to == 1;
    slip.is_held = to == 3;
    slip.is_closed = to == 5;
    if to == 5 {
        slip.first_done.get_or_insert(day_of(visit.now));
    }
    slip.changed_at = Some(visit.now);
    Done::changed([])
}

fn cancel_reason(request: &Tree, to: u8) -> Result<(String, String), Failure> {
    if to != 4 {
        return Ok((String::new(), String::new()));
    }
    // Without a reason it is out of stock.
    let reason = request.text_at(&["Order", "CancelReason"]).unwrap_or("210");
    if !REASONS.contains(&reason) {
        return Err(Failure::parameter("CancelReason"));
    }
    let detail = request.text_at(&["Order", "CancelReasonDetail"]).unwrap_or_default();
    let is_needed = reason == "230";
    let fits = (10..=200).contains(&detail.chars().count());
    if (is_needed || !detail.is_empty()) && !fits {
        return Err(Failure::parameter("CancelReasonDetail"));
    }
    Ok((reason.to_owned(), detail.to_owned()))
}

fn start_cancel(
    visit: &Visit<'_>,
    ledger: &mut Ledger,
    order: &Order,
    reason: String,
    detail: String,
) -> Outcome {
    let seconds = i64::from(visit.settings.cancel_seconds);
    if seconds > 0 {
        let slip = ledger.slip_mut(order.number);
        // A second one changes nothing.
        slip.cancel_due.get_or_insert(DueCancel {
            at: visit.now + TimeDelta::seconds(seconds),
            reason,
            detail,
        });
        return Done::changed([Warning::new("od91704")]);
    }
    let slip = ledger.slip(order.number);
    let view = View::new(order, Some(&slip), &visit.settings, visit.now);
    let mut warnings = Vec::new();
    match slip.authorization {
        CardAuthorization::Taken => warnings.push(Warning::new("od91113")),
        CardAuthorization::Ended => warnings.push(Warning::new("od91115")),
        CardAuthorization::Open => {}
    }
    if view.is_paid() && matches!(view.pay_method().kind, 2 | 5) {
        warnings.push(Warning::new("od91123"));
    }
    let kept = cancel(&visit.acting(), ledger, order, &reason, &detail, &visit.settings, visit.now);
    match kept {
        Ok(kept) if kept.is_empty() => {}
        Ok(kept) => warnings.push(Warning { code: "od91130", detail: kept }),
        Err(_) => return not_done(visit, "its state changed"),
    }
    Done::changed(warnings)
}

/// Cancels all lines, mails the buyer, and tells of which lines the stock did not come back.
fn cancel(
    acting: &Acting<'_>,
    ledger: &mut Ledger,
    order: &Order,
    reason: &str,
    detail: &str,
    settings: &Settings,
    now: DateTime<Utc>,
) -> Result<Vec<String>, Refusal> {
    let mut kept = Vec::new();
    for (at, line) in order.lines.iter().enumerate() {
        if line.state == LineState::Cancelled {
            continue;
        }
        let has_left = line.shipped_quantity > 0;
        let restock = !has_left && !settings.keep_cancelled_stock;
        acting.cancel_on(line.number, reason, CancelTerms { restock, after_leaving: true })?;
        if !restock {
            kept.push((at + 1).to_string());
        }
    }
    let slip = ledger.slip_mut(order.number);
    slip.cancel_reason = reason.to_owned();
    slip.cancel_detail = detail.to_owned();
    slip.is_closed = false;
    slip.changed_at = Some(now);
    acting.mail_buyer(order.number, "ご注文キャンセルのお知らせ", reason)?;
    Ok(kept)
}

/// Does the cancellations that were accepted and are due.
pub(super) fn settle(desk: &Desk, ledger: &mut Ledger, settings: &Settings, now: DateTime<Utc>) {
    for number in ledger.due(now) {
        let Some(due) = ledger.slip_mut(number).cancel_due.take() else { continue };
        let Some(order) = desk.context.market.order(number) else { continue };
        let acting = desk.context.market.marketplace();
        // What left meanwhile stays as it is: a refusal is in the record.
        if order.lines.iter().all(|line| line.shipped_quantity == 0) {
            let _ = cancel(&acting, ledger, &order, &due.reason, &due.detail, settings, now);
        }
    }
}

/// A part of a split: places of lines from 0, with pieces.
type Part = Vec<(usize, u32)>;

/// `orderSplit`: two new orders with all pieces between them.
pub(super) fn split(visit: &Visit<'_>, ledger: &mut Ledger) -> Outcome {
    let request = visit.xml()?;
    let order = target(visit, &request)?;
    let mut parts: [Part; 2] = Default::default();
    for sent in request.child("Order").into_iter().flat_map(|wanted| &wanted.children) {
        let number = |path: &[&str]| sent.text_at(path).and_then(|text| text.parse::<usize>().ok());
        let part = number(&["SplitId"]).and_then(|id| parts.get_mut(id.wrapping_sub(1)));
        let part = part.ok_or_else(|| Failure::parameter("SplitId"))?;
        for item in sent.children.iter().filter(|child| child.name == "Item") {
            let number = |name: &str| item.text_at(&[name]).and_then(|text| text.parse::<usize>().ok());
            let line = number("LineId").filter(|id| *id > 0).ok_or_else(|| Failure::parameter("LineId"))?;
            let pieces = number("Quantity").and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0);
            part.push((line - 1, pieces.ok_or_else(|| Failure::parameter("Quantity"))?));
        }
    }
    let slip = ledger.slip(order.number);
    let view = View::new(&order, Some(&slip), &visit.settings, visit.now);
    if let Some(why) = blocked(&view, false) {
        return not_done(visit, why);
    }
    if matches!(view.order_status(), 4 | 5) || view.ship_status() >= 3 {
        return not_done(visit, "it is over");
    }
    let [first, second] = split_order(visit.desk, ledger, &order, parts, visit.now)
        .ok_or_else(|| Failure::parameter("Quantity"))?;
    let shown = |(id, number)| {
        Element::new("OrderInfo")
            .child(Element::text("SplitId", id))
            .child(Element::text("OrderId", order_id(&order.seller, number)))
    };
    let rows = [(1, first), (2, second)].map(shown);
    let result = Element::new("Result").child(Element::text("Status", "OK")).children(rows);
    Done::ok(counted("ResultSet", 1, 1).attribute("ok", 1).attribute("ng", 0).child(result))
}

/// The children. None where the parts are not all pieces of the order, each once.
pub(super) fn split_order(
    desk: &Desk,
    ledger: &mut Ledger,
    order: &Order,
    parts: [Part; 2],
    now: DateTime<Utc>,
) -> Option<[OrderNumber; 2]> {
    let pieces_in =
        |part: &Part, at| part.iter().filter(|(line, _)| *line == at).map(|(_, n)| *n).sum::<u32>();
    let fits = order.lines.iter().enumerate().all(|(at, line)| {
        let [first, second] = &parts;
        pieces_in(first, at).checked_add(pieces_in(second, at)) == Some(line.open_quantity())
    });
    let is_known = parts.iter().flatten().all(|(at, _)| *at < order.lines.len());
    if !fits || !is_known || parts.iter().any(Vec::is_empty) {
        return None;
    }
    let market = &desk.context.market;
    let acting = market.marketplace();
    for line in order.lines.iter().filter(|line| line.state != LineState::Cancelled) {
        acting.cancel(line.number, "split").ok()?;
    }
    let mut children = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        let fee = if at == 0 { order.shipping_fee } else { Amount::ZERO };
        let draft = OrderDraft { shipping_fee: fee, ..child(order, part, at == 0) };
        let from_stock = order.lines.iter().any(|line| line.from_stock);
        let number = if from_stock {
            acting.place(draft).ok()?
        } else {
            market.import([draft]).ok()?.first().copied()?
        };
        let was_seen =
            |line: LineNumber| order.lines.iter().all(|l| l.confirmed_at.is_some()).then_some(line);
        for line in market.lines_of(number).into_iter().filter_map(was_seen) {
            acting.confirm(line, None).ok()?;
        }
        let slip = ledger.slip_mut(number);
        slip.parent = Some(order.number);
        slip.changed_at = Some(now);
        children.push(number);
    }
    let slip = ledger.slip_mut(order.number);
    slip.children.clone_from(&children);
    slip.changed_at = Some(now);
    children.try_into().ok()
}

/// What is taken off in a part of a line: the coupons of its pieces. What does not divide goes with the first part.
fn discount(line: &Line, at: usize, quantity: u32, is_first: bool) -> Amount {
    match (Row { line, id: at + 1, quantity }).coupon() {
        Some(coupon) => coupon * quantity,
        None if is_first || quantity == line.open_quantity() => line.discount,
        None => Amount::ZERO,
    }
}

fn child(order: &Order, part: &Part, is_first: bool) -> OrderDraft {
    let lines = part.iter().filter_map(|&(at, quantity)| {
        let line = order.lines.get(at)?;
        Some(LineDraft {
            item: (line.item.0 != 0).then_some(line.item),
            option: line.option,
            quantity,
            discount: discount(line, at, quantity, is_first),
            title: Some(line.title.clone()),
            seller_code: Some(line.seller_code.clone()),
            option_sku: Some(line.option_sku.clone()),
            axes: Some(line.axes.clone()),
            unit_price: Some(line.unit_price),
            ..LineDraft::default()
        })
    });
    OrderDraft {
        seller: order.seller.clone(),
        buyer: order.buyer.clone(),
        recipient: Some(order.recipient.clone()),
        address: order.address.clone(),
        lines: lines.collect(),
        currency: order.currency.clone(),
        payment_method: order.payment_method.clone(),
        message: order.message.clone(),
        desired_delivery: order.desired_delivery,
        ordered_at: Some(order.ordered_at),
        paid_at: order.paid_at,
        unpaid: order.paid_at.is_none(),
        ..OrderDraft::default()
    }
}
