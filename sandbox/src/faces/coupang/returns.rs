//! Cancel and return requests, and the seller's answers to them (sheet 4.9).

use chrono::TimeDelta;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Failure, Outcome, done};
use super::boxes::Ledger;
use super::carriers;
use super::dates::{self, Offset};
use super::desk::Visit;
use super::ids;
use super::ordersheets::{follow_all, page_size};
use super::receipts::Receipt;
use super::sheet_row::Version;
use crate::lock;
use crate::market::{ClaimKind, ClaimState, LineNumber};

pub(super) fn list_v4(visit: &Visit<'_>) -> Outcome {
    list(visit, Version::V4)
}

pub(super) fn list_v6(visit: &Visit<'_>) -> Outcome {
    list(visit, Version::V5)
}

/// What is asked for, beside the window.
struct Search<'a> {
    by_minute: bool,
    kind: &'static str,
    status: Option<&'a str>,
    order: Option<u64>,
}

impl<'a> Search<'a> {
    fn read(visit: &'a Visit<'_>) -> Result<Self, Failure> {
        let call = visit.call;
        let by_minute = match call.param("searchType") {
            None => false,
            Some("timeFrame") => true,
            Some(other) => return Err(Failure::bad_request(&format!("unknown searchType {other}"))),
        };
        let kind = match call.param("cancelType") {
            None | Some("RETURN") => "RETURN",
            Some("CANCEL") => "CANCEL",
            Some(other) => return Err(Failure::bad_request(&format!("unknown cancelType {other}"))),
        };
        let status = call.param("status");
        if status.is_some_and(|status| !matches!(status, "RU" | "UC" | "CC" | "PR")) {
            return Err(Failure::bad_request("status must be RU, UC, CC or PR"));
        }
        let order = call.param("orderId").map(str::parse).transpose();
        let order = order.map_err(|_| Failure::bad_request("orderId is not a number"))?;
        if kind == "CANCEL" && (status.is_some() || order.is_some()) {
            return Err(Failure::bad_request("status and orderId can't be passed with cancelType CANCEL"));
        }
        if kind == "RETURN" && status.is_none() && order.is_none() {
            return Err(Failure::bad_request("OrderId can't be null, if doesn't pass the parameter status"));
        }
        let paged = ["nextToken", "maxPerPage", "orderId"].iter().any(|name| call.param(name).is_some());
        if by_minute && paged {
            return Err(Failure::bad_request(
                "nextToken, maxPerPage and orderId can't be passed with timeFrame",
            ));
        }
        Ok(Self { by_minute, kind, status, order })
    }

    fn takes(&self, receipt: &Receipt<'_>) -> bool {
        receipt.kind == self.kind
            && self.status.is_none_or(|status| receipt.is_under(status))
            && self.order.is_none_or(|id| id == ids::order_id(receipt.order.number))
    }
}

fn list(visit: &Visit<'_>, version: Version) -> Outcome {
    visit.check_extended_timeout()?;
    let search = Search::read(visit)?;
    let window = if search.by_minute {
        dates::minutes(visit.call, visit.market, Offset::None, TimeDelta::days(31))?
    } else {
        dates::days(visit.call, visit.market, Offset::None)?
    };
    let settings = visit.desk.face.settings();
    let size = if search.by_minute { usize::MAX } else { page_size(visit, 50)?.min(settings.page_size) };
    let after: Option<u64> = match visit.call.param("nextToken").map(str::parse) {
        None => None,
        Some(Ok(id)) => Some(id),
        Some(Err(_)) => return Err(Failure::bad_request("nextToken is not valid")),
    };
    let mut ledger = lock(&visit.desk.face.0.ledger);
    visit.market().read(|state| {
        follow_all(visit, state, &mut ledger, &settings);
        let mut found: Vec<(u64, Value)> = Vec::new();
        for order in visit.own_orders(state) {
            let receipts = (0..order.claims.len()).filter_map(|at| Receipt::of(order, at, &ledger));
            found.extend(
                receipts
                    .filter(|receipt| window.holds(receipt.claim.requested_at) && search.takes(receipt))
                    .map(|receipt| (receipt.id, receipt.row(&ledger, version, visit.market))),
            );
        }
        found.sort_by_key(|(id, _)| *id);
        let mut rest = found.into_iter().filter(|(id, _)| after.is_none_or(|after| *id > after));
        let rows: Vec<(u64, Value)> = rest.by_ref().take(size).collect();
        let next = match (rest.next(), rows.last()) {
            (Some(_), Some((id, _))) => id.to_string(),
            _ => String::new(),
        };
        let data: Vec<Value> = rows.into_iter().map(|(_, row)| row).collect();
        Ok(json!({ "code": 200, "message": "OK", "data": data, "nextToken": next }))
    })
}

pub(super) fn one_v4(visit: &Visit<'_>) -> Outcome {
    one(visit, Version::V4)
}

pub(super) fn one_v6(visit: &Visit<'_>) -> Outcome {
    one(visit, Version::V5)
}

/// A return, not what was cancelled while paid; `data` is an array of one.
fn one(visit: &Visit<'_>, version: Version) -> Outcome {
    let id = visit.call.number("receiptId")?;
    let mut ledger = lock(&visit.desk.face.0.ledger);
    with_receipt(visit, &mut ledger, id, |receipt, ledger| {
        let row = receipt.row(ledger, version, visit.market);
        Ok(json!({ "code": 200, "message": "OK", "data": [row] }))
    })
}

fn with_receipt<T>(
    visit: &Visit<'_>,
    ledger: &mut Ledger,
    id: u64,
    look: impl FnOnce(&Receipt<'_>, &Ledger) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let settings = visit.desk.face.settings();
    visit.market().read(|state| {
        follow_all(visit, state, ledger, &settings);
        let not_found = || Failure::bad_request("유효하지 않은 접수번호입니다.");
        let (line, _) = ids::claim(id).ok_or_else(not_found)?;
        let (order, _) = state.line(line).filter(|(order, _)| visit.owns(order)).ok_or_else(not_found)?;
        let receipt = (0..order.claims.len())
            .filter_map(|at| Receipt::of(order, at, ledger))
            .find(|receipt| receipt.id == id && receipt.kind == "RETURN");
        look(&receipt.ok_or_else(not_found)?, ledger)
    })
}

fn result(code: &str, message: &str) -> Value {
    json!({ "resultCode": code, "resultMessage": message })
}

/// What the answers need of a receipt.
struct Open {
    line: LineNumber,
    quantity: u32,
    reason: String,
    open: bool,
}

fn open(visit: &Visit<'_>, ledger: &mut Ledger, id: u64) -> Result<Open, Failure> {
    with_receipt(visit, ledger, id, |receipt, _| {
        Ok(Open {
            line: receipt.line.number,
            quantity: receipt.claim.quantity,
            reason: receipt.claim.reason.clone(),
            open: receipt.is_open(),
        })
    })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stopped {
    vendor_id: String,
    receipt_id: u64,
    cancel_count: u32,
}

/// `stoppedShipment`: the seller accepts; nothing has left.
pub(super) fn stopped(visit: &Visit<'_>) -> Outcome {
    visit.check_korea()?;
    let asked: Stopped = visit.call.body()?;
    visit.check_vendor(&asked.vendor_id)?;
    check_path(visit, asked.receipt_id)?;
    let mut ledger = lock(&visit.desk.face.0.ledger);
    let receipt = open(visit, &mut ledger, asked.receipt_id)?;
    if !receipt.open || asked.cancel_count != receipt.quantity {
        return Ok(done(result("FAIL", "출고중지완료 처리를 할 수 없는 상태입니다.")));
    }
    match visit.acting().cancel_units(receipt.line, receipt.quantity, &receipt.reason) {
        Ok(()) => Ok(done(result("SUCCESS", "출고중지완료요청이 성공하였습니다"))),
        Err(refusal) => Ok(done(result("FAIL", &refusal.to_string()))),
    }
}

fn check_path(visit: &Visit<'_>, receipt: u64) -> Result<(), Failure> {
    match visit.call.number("receiptId")? {
        id if id == receipt => Ok(()),
        _ => Err(Failure::bad_request("receiptId of path and body differ")),
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Completed {
    vendor_id: String,
    receipt_id: u64,
    delivery_company_code: String,
    invoice_number: String,
}

/// `completedShipment`: it has left already, so the request becomes a return.
pub(super) fn completed(visit: &Visit<'_>) -> Outcome {
    visit.check_korea()?;
    let asked: Completed = visit.call.body()?;
    visit.check_vendor(&asked.vendor_id)?;
    check_path(visit, asked.receipt_id)?;
    let (company, invoice) = (&asked.delivery_company_code, &asked.invoice_number);
    if carriers::name(company).is_none() {
        return Err(Failure::internal());
    }
    // The official example nests the code and the message.
    let answer = |code: &str, message: &str| json!({ "data": { "code": "200", "message": "OK", "resultCode": code, "resultMessage": message } });
    let mut ledger = lock(&visit.desk.face.0.ledger);
    let receipt = open(visit, &mut ledger, asked.receipt_id)?;
    if !receipt.open || !carriers::fits(company, invoice) {
        return Ok(answer("FAIL", "이미출고 처리를 할 수 없습니다."));
    }
    let acting = visit.acting();
    let done = acting
        .move_claim(receipt.line, ClaimKind::Cancel, ClaimState::Refused)
        .and_then(|()| acting.ship_line(receipt.line, company, invoice))
        .and_then(|()| {
            acting.claim_units(receipt.line, ClaimKind::Return, receipt.quantity, &receipt.reason)
        });
    if let Err(refusal) = done {
        return Ok(answer("FAIL", &refusal.to_string()));
    }
    let place = visit.market().read(|state| {
        let (order, _) = state.line(receipt.line)?;
        order.claims.iter().rposition(|claim| claim.line == receipt.line)
    });
    if let Some(at) = place {
        ledger.receipts.insert((receipt.line, at), asked.receipt_id);
    }
    Ok(answer("SUCCESS", "이미출고 상태변경이 성공하였습니다."))
}
