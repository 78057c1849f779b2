//! Waybills: upload, split, correction (sheet 4.8).

use chrono::{NaiveDate, TimeDelta};
use serde::Deserialize;
use serde_json::json;

use super::acknowledge::own_box;
use super::answer::{Failure, Outcome, done};
use super::boxes::{Ledger, ShipBox};
use super::carriers;
use super::desk::{BoxFailure, Visit, box_results};
use super::ids;
use crate::lock;
use crate::market::{Action, LineNumber, LineState, Order, ParcelDraft, ParcelLine, Refusal, ShipPromise};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    vendor_id: String,
    order_sheet_invoice_apply_dtos: Vec<Entry>,
}

/// One order item of one box. All fields are required.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    shipment_box_id: u64,
    order_id: u64,
    vendor_item_id: u64,
    delivery_company_code: String,
    invoice_number: String,
    split_shipping: bool,
    pre_split_shipped: bool,
    estimated_shipping_date: String,
}

impl Entry {
    fn later(&self) -> Option<NaiveDate> {
        NaiveDate::parse_from_str(&self.estimated_shipping_date, "%Y-%m-%d").ok()
    }
}

/// The entries by box, in the order in which they came.
fn asked(visit: &Visit<'_>) -> Result<Vec<(u64, Vec<Entry>)>, Failure> {
    visit.check_korea()?;
    let asked: Asked = visit.call.body()?;
    visit.check_vendor(&asked.vendor_id)?;
    if asked.order_sheet_invoice_apply_dtos.is_empty() {
        return Err(Failure::bad_request("orderSheetInvoiceApplyDtos is empty"));
    }
    let mut boxes: Vec<(u64, Vec<Entry>)> = Vec::new();
    for entry in asked.order_sheet_invoice_apply_dtos {
        if carriers::name(&entry.delivery_company_code).is_none() {
            return Err(Failure::internal());
        }
        let bad_date = !entry.estimated_shipping_date.is_empty() && entry.later().is_none();
        if bad_date {
            return Err(Failure::bad_request("estimatedShippingDate must be yyyy-MM-dd"));
        }
        match boxes.iter_mut().find(|(id, _)| *id == entry.shipment_box_id) {
            Some((_, entries)) => entries.push(entry),
            None => boxes.push((entry.shipment_box_id, vec![entry])),
        }
    }
    Ok(boxes)
}

/// `invoices`: INSTRUCT becomes DEPARTURE, box by box. HTTP 200, also when every box failed.
pub(super) fn upload(visit: &Visit<'_>) -> Outcome {
    let boxes = asked(visit)?;
    let mut ledger = lock(&visit.desk.face.0.ledger);
    let results = boxes.iter().map(|(id, entries)| (*id, send(visit, &mut ledger, *id, entries))).collect();
    Ok(done(box_results(results, "")))
}

fn not_found(id: u64) -> BoxFailure {
    BoxFailure::new("NOT_FOUND_SHIPMENT_BOX", format!("shipmentBoxId ({id}) is not found."))
}

fn invalid_status(found: &ShipBox) -> BoxFailure {
    let text = format!(
        "배송진행상태가 유효하지 않습니다. [합포장번호 : {}] [주문번호 : {}]",
        found.id,
        ids::order_id(found.order)
    );
    BoxFailure::new("INVALID_STATUS", text)
}

fn send(visit: &Visit<'_>, ledger: &mut Ledger, id: u64, entries: &[Entry]) -> Result<(), BoxFailure> {
    let (found, order) = own_box(visit, ledger, id).ok_or_else(|| not_found(id))?;
    if entries.iter().any(|entry| entry.order_id != ids::order_id(order.number)) {
        return Err(not_found(id));
    }
    check_stops(&found, &order)?;
    if found.status(&order, visit.now) != Some("INSTRUCT") {
        note_refused(visit, &found, &order, &entries[0]);
        return Err(invalid_status(&found));
    }
    check_items(&found, &order, entries)?;
    for entry in entries.iter().filter(|entry| !entry.invoice_number.is_empty()) {
        check_waybill(visit, ledger, &order, entry)?;
    }
    let split = entries.iter().any(|entry| entry.split_shipping || entry.pre_split_shipped);
    if split {
        send_split(visit, ledger, &found, &order, entries)
    } else {
        send_whole(visit, ledger, &found, &order, entries)
    }
}

/// What was cancelled, or may not leave because the buyer asked.
fn check_stops(found: &ShipBox, order: &Order) -> Result<(), BoxFailure> {
    let open: u32 = found.lines_of(order).map(|line| line.open_quantity()).sum();
    let held: u32 = found.lines.iter().map(|line| ShipBox::held(order, *line)).sum();
    if found.lines_of(order).all(|line| line.state == LineState::Cancelled) || (held > 0 && held >= open) {
        return Err(BoxFailure::new(
            "ORDER_DELIVERY_CANCELED",
            "취소된 주문이거나 출고중지 요청된 주문입니다.",
        ));
    }
    if held > 0 {
        return Err(BoxFailure::new(
            "ORDER_DELIVERY_PARTIAL_STOP_REQUESTED",
            "일부 상품이 출고중지 요청되었습니다.",
        ));
    }
    Ok(())
}

/// Every live order item of the box once, and no other.
fn check_items(found: &ShipBox, order: &Order, entries: &[Entry]) -> Result<(), BoxFailure> {
    let mut sent: Vec<u64> = entries.iter().map(|entry| entry.vendor_item_id).collect();
    let mut wanted: Vec<u64> =
        found.items(order).iter().filter(|item| item.is_live()).map(|item| item.vendor_item).collect();
    sent.sort_unstable();
    wanted.sort_unstable();
    if sent == wanted {
        return Ok(());
    }
    Err(BoxFailure::new("INVALID_STATUS", format!("vendorItemIds of the box: {wanted:?}")))
}

fn check_waybill(visit: &Visit<'_>, ledger: &Ledger, order: &Order, entry: &Entry) -> Result<(), BoxFailure> {
    let (company, invoice) = (&entry.delivery_company_code, &entry.invoice_number);
    if !carriers::fits(company, invoice) {
        return Err(BoxFailure::new(
            "INVALID_INVOICE_NUMBER",
            format!("[{invoice}] 유효하지 않은 운송장번호입니다."),
        ));
    }
    let other = |number| {
        visit.market().order(number).is_none_or(|other| {
            other.recipient.name != order.recipient.name || other.address != order.address
        })
    };
    if ledger.is_invoice_used(company, invoice, visit.now, other) {
        return Err(BoxFailure::new(
            "DUPLICATE_INVOICE_NUMBER",
            format!("[{invoice}] 중복된 운송장번호입니다."),
        ));
    }
    Ok(())
}

fn send_whole(
    visit: &Visit<'_>,
    ledger: &mut Ledger,
    found: &ShipBox,
    order: &Order,
    entries: &[Entry],
) -> Result<(), BoxFailure> {
    let first = &entries[0];
    let same = |entry: &Entry| {
        entry.invoice_number == first.invoice_number
            && entry.delivery_company_code == first.delivery_company_code
    };
    if first.invoice_number.is_empty() || !entries.iter().all(same) {
        return Err(BoxFailure::new("INVALID_INVOICE_NUMBER", "one waybill for all order items of the box"));
    }
    leave(visit, ledger, found.id, order, &found.lines, first)
}

/// The parts with a waybill leave in boxes of their own; the parts with a date stay.
fn send_split(
    visit: &Visit<'_>,
    ledger: &mut Ledger,
    found: &ShipBox,
    order: &Order,
    entries: &[Entry],
) -> Result<(), BoxFailure> {
    let again = entries.iter().all(|entry| entry.pre_split_shipped);
    let first = entries.iter().all(|entry| entry.split_shipping && !entry.pre_split_shipped);
    let fits = (first && found.can_be_split(order)) || (again && found.split);
    let one_of_two = |entry: &Entry| entry.invoice_number.is_empty() == entry.later().is_some();
    let leaving: Vec<&Entry> = entries.iter().filter(|entry| !entry.invoice_number.is_empty()).collect();
    if !fits
        || !entries.iter().all(one_of_two)
        || leaving.is_empty()
        || (first && leaving.len() == entries.len())
    {
        return Err(BoxFailure::new("INVALID_STATUS", "분리배송 요청이 유효하지 않습니다."));
    }
    let all_leave = leaving.len() == entries.len();
    let mut groups: Vec<(&Entry, Vec<LineNumber>)> = Vec::new();
    for entry in &leaving {
        let lines = lines_of(found, order, entry.vendor_item_id);
        match groups.iter_mut().find(|(group, _)| group.invoice_number == entry.invoice_number) {
            Some((_, group)) => group.extend(lines),
            None => groups.push((entry, lines)),
        }
    }
    let one_group = groups.len() == 1;
    for (entry, lines) in groups {
        // The last part keeps the number; every other part gets one of its own.
        let id = if all_leave && one_group { found.id } else { ledger.split_off(found.id, &lines) };
        leave(visit, ledger, id, order, &lines, entry)?;
    }
    for entry in entries {
        let Some(date) = entry.later() else { continue };
        for line in lines_of(found, order, entry.vendor_item_id) {
            let promise = ShipPromise { date, reason: String::new(), memo: String::new() };
            // A cancelled line has no ship date; the box has one all the same.
            let _ = visit.acting().set_ship_date(line, promise);
        }
        if let Some(rest) = ledger.get_mut(found.id) {
            rest.planned = Some(date);
        }
    }
    Ok(())
}

fn lines_of(found: &ShipBox, order: &Order, vendor_item: u64) -> Vec<LineNumber> {
    found
        .lines_of(order)
        .filter(|line| ids::vendor_item(line) == vendor_item)
        .map(|line| line.number)
        .collect()
}

fn leave(
    visit: &Visit<'_>,
    ledger: &mut Ledger,
    id: u64,
    order: &Order,
    lines: &[LineNumber],
    entry: &Entry,
) -> Result<(), BoxFailure> {
    let open = lines.iter().filter_map(|number| order.line(*number)).filter(|line| line.open_quantity() > 0);
    let lines = open.map(|line| ParcelLine { line: line.number, quantity: line.open_quantity() }).collect();
    let (carrier, tracking) = (entry.delivery_company_code.clone(), entry.invoice_number.clone());
    visit
        .acting()
        .ship(order.number, ParcelDraft { carrier, tracking, lines })
        .map_err(|refusal| BoxFailure::new("INVALID_STATUS", refusal.to_string()))?;
    if let Some(found) = ledger.get_mut(id) {
        found.company = entry.delivery_company_code.clone();
        found.invoice = entry.invoice_number.clone();
        found.sent = Some(visit.now);
        found.planned = None;
    }
    Ok(())
}

/// The market's record shows repeats, too.
fn note_refused(visit: &Visit<'_>, found: &ShipBox, order: &Order, entry: &Entry) {
    for line in found.lines_of(order) {
        let action = Action::Shipped {
            quantity: line.quantity,
            carrier: entry.delivery_company_code.clone(),
            tracking: entry.invoice_number.clone(),
        };
        visit.acting().refused(line.number, action, Refusal::WrongState(line.state));
    }
}

/// `updateInvoices`: the box departs anew.
pub(super) fn update(visit: &Visit<'_>) -> Outcome {
    let boxes = asked(visit)?;
    let mut ledger = lock(&visit.desk.face.0.ledger);
    let results =
        boxes.iter().map(|(id, entries)| (*id, correct(visit, &mut ledger, *id, entries))).collect();
    Ok(done(box_results(results, "")))
}

fn correct(visit: &Visit<'_>, ledger: &mut Ledger, id: u64, entries: &[Entry]) -> Result<(), BoxFailure> {
    let (found, order) = own_box(visit, ledger, id).ok_or_else(|| not_found(id))?;
    let entry = &entries[0];
    let known = |entry: &Entry| !lines_of(&found, &order, entry.vendor_item_id).is_empty();
    if entries.iter().any(|entry| entry.order_id != ids::order_id(order.number) || !known(entry)) {
        return Err(not_found(id));
    }
    if !matches!(
        found.status(&order, visit.now),
        Some("DEPARTURE" | "DELIVERING" | "FINAL_DELIVERY" | "NONE_TRACKING")
    ) {
        return Err(invalid_status(&found));
    }
    check_waybill(visit, ledger, &order, entry)?;
    let parcel = order.parcels.iter().position(|parcel| parcel.tracking == found.invoice);
    for line in &found.lines {
        let (company, invoice) = (&entry.delivery_company_code, &entry.invoice_number);
        visit
            .acting()
            .enter_tracking(*line, parcel, company, invoice)
            .map_err(|refusal| BoxFailure::new("INVALID_STATUS", refusal.to_string()))?;
    }
    if let Some(found) = ledger.get_mut(id) {
        found.company = entry.delivery_company_code.clone();
        found.invoice = entry.invoice_number.clone();
        found.in_transit = None;
        found.departs_anew = true;
    }
    Ok(())
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Completion {
    shipment_box_id: u64,
    invoice_number: String,
}

/// `completeLongTermUndelivery`: 30 days after the dispatch.
pub(super) fn complete(visit: &Visit<'_>) -> Outcome {
    let asked: Completion = visit.call.body()?;
    let mut ledger = lock(&visit.desk.face.0.ledger);
    let (found, order) = own_box(visit, &mut ledger, asked.shipment_box_id)
        .ok_or_else(|| Failure::bad_request("유효하지 않은 배송번호입니다."))?;
    let long_ago = found.sent.is_some_and(|sent| visit.now - sent >= TimeDelta::days(30));
    let on_its_way = matches!(found.status(&order, visit.now), Some("DEPARTURE" | "DELIVERING"));
    if !on_its_way || !long_ago || found.invoice != asked.invoice_number {
        return Err(Failure::bad_request("장기미배송 배송완료 처리를 할 수 없습니다."));
    }
    for line in found.lines_of(&order).filter(|line| line.state == LineState::Shipped) {
        visit.acting().deliver(line.number).map_err(|refusal| Failure::bad_request(&refusal.to_string()))?;
    }
    if let Some(found) = ledger.get_mut(found.id) {
        found.departs_anew = false;
    }
    Ok(done(json!({ "resultCode": "SUCCESS", "resultMessage": "" })))
}
