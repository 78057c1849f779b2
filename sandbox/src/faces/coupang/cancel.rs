//! The seller cancels (sheet 4.9). ACCEPT is cancelled at once, INSTRUCT becomes a stop-shipment request.

use serde::Deserialize;
use serde_json::{Map, json};

use super::answer::{Failure, Outcome};
use super::boxes::{Ledger, ShipBox};
use super::desk::Visit;
use super::ids;
use crate::lock;
use crate::market::{ClaimKind, Line, LineNumber, LineState, Order, Refusal};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    order_id: u64,
    vendor_item_ids: Vec<u64>,
    receipt_counts: Vec<u32>,
    big_cancel_code: String,
    middle_cancel_code: String,
    user_id: String,
    vendor_id: String,
}

impl Asked {
    fn check(&self, visit: &Visit<'_>) -> Result<(), Failure> {
        visit.check_vendor(&self.vendor_id)?;
        let reason = self.big_cancel_code == "CANERR"
            && matches!(self.middle_cancel_code.as_str(), "CCTTER" | "CCPNER" | "CCPRER");
        let counts = !self.vendor_item_ids.is_empty()
            && self.vendor_item_ids.len() == self.receipt_counts.len()
            && !self.receipt_counts.contains(&0);
        if !reason || !counts || self.user_id.is_empty() || visit.call.number("orderId")? != self.order_id {
            return Err(Failure::bad_request("취소 요청이 유효하지 않습니다."));
        }
        Ok(())
    }
}

/// `cancel`: what can't be cancelled is named in `failedVendorItemIds`.
pub(super) fn by_seller(visit: &Visit<'_>) -> Outcome {
    let asked: Asked = visit.call.body()?;
    asked.check(visit)?;
    let settings = visit.desk.face.settings();
    let mut ledger = lock(&visit.desk.face.0.ledger);
    let order = visit.market().read(|state| {
        let order = ids::order(state, asked.order_id).filter(|order| visit.owns(order))?;
        ledger.follow(order, &settings);
        Some(order.clone())
    });
    let order = order.ok_or_else(|| Failure::bad_request("유효하지 않은 주문번호입니다."))?;
    let first = box_with(&ledger, &order, asked.vendor_item_ids[0]);
    let (mut receipts, mut failed) = (Map::new(), Vec::new());
    let mut message = "[요청번호] 00000000-0000-0000-0000-000000000000\r\n".to_owned();
    for (&item, &count) in asked.vendor_item_ids.iter().zip(&asked.receipt_counts) {
        // One call for one box.
        let lines = first.map(|found| lines_of(found, &order, item)).unwrap_or_default();
        match cancel_item(visit, &order, &lines, count, &asked.middle_cancel_code) {
            Ok(made) => {
                for (receipt, kind, quantity) in made {
                    let row = json!({
                        "receiptId": receipt,
                        "receiptType": kind,
                        "vendorItemIds": [item],
                        "totalCount": quantity,
                    });
                    receipts.insert(receipt.to_string(), row);
                }
            }
            Err(text) => {
                failed.push(item);
                message.push_str(&format!("[{item}]<= {text}"));
            }
        }
    }
    let data = json!({
        "receiptMap": receipts,
        "orderId": asked.order_id,
        "failedVendorItemIds": failed,
    });
    Ok(json!({ "code": "200", "message": message, "data": data }))
}

fn box_with<'a>(ledger: &'a Ledger, order: &Order, item: u64) -> Option<&'a ShipBox> {
    ledger.of_order(order.number).find(|found| !lines_of(found, order, item).is_empty())
}

fn lines_of<'a>(found: &ShipBox, order: &'a Order, item: u64) -> Vec<&'a Line> {
    found.lines_of(order).filter(|line| ids::vendor_item(line) == item).collect()
}

fn cancel_item(
    visit: &Visit<'_>,
    order: &Order,
    lines: &[&Line],
    count: u32,
    reason: &str,
) -> Result<Vec<(u64, &'static str, u32)>, String> {
    let takes = |line: &&&Line| matches!(line.state, LineState::Paid | LineState::Confirmed);
    let free = |line: &Line| line.open_quantity().saturating_sub(ShipBox::held(order, line.number));
    let lines: Vec<&&Line> = lines.iter().filter(takes).collect();
    if lines.iter().map(|line| free(line)).sum::<u32>() < count {
        return Err("취소 가능한 개수보다 요청한 개수가 더 많습니다.".to_owned());
    }
    let (mut left, mut made) = (count, Vec::new());
    for line in lines {
        let quantity = left.min(free(line));
        if quantity > 0 {
            let receipt =
                cancel_line(visit, line, quantity, reason).map_err(|refusal| refusal.to_string())?;
            let kind = if line.state == LineState::Paid { "CANCEL" } else { "STOP_SHIPMENT" };
            made.push((receipt, kind, quantity));
            left -= quantity;
        }
    }
    Ok(made)
}

/// The receipt of the claim that it makes.
fn cancel_line(visit: &Visit<'_>, line: &Line, quantity: u32, reason: &str) -> Result<u64, Refusal> {
    visit.acting().claim_units(line.number, ClaimKind::Cancel, quantity, reason)?;
    if line.state == LineState::Paid {
        visit.acting().cancel_units(line.number, quantity, reason)?;
    }
    let at = visit.market().read(|state| last_claim(state, line.number)).unwrap_or_default();
    Ok(ids::receipt(line.number, at))
}

fn last_claim(state: &crate::market::MarketState, line: LineNumber) -> Option<usize> {
    state.line(line)?.0.claims.iter().rposition(|claim| claim.line == line)
}
