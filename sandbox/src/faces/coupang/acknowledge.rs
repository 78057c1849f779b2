//! Confirming boxes (sheet 4.6).

use chrono::TimeDelta;
use serde::Deserialize;

use super::answer::{Failure, Outcome, done};
use super::boxes::{Ledger, ShipBox};
use super::desk::{BoxFailure, Visit, box_results};
use crate::lock;
use crate::market::{LineState, Order};

/// Most boxes in one call.
const MOST: usize = 50;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    vendor_id: String,
    shipment_box_ids: Vec<u64>,
}

/// `acknowledgement`: ACCEPT becomes INSTRUCT, box by box.
pub(super) fn acknowledge(visit: &Visit<'_>) -> Outcome {
    let asked: Asked = visit.call.body()?;
    visit.check_vendor(&asked.vendor_id)?;
    if asked.shipment_box_ids.is_empty() || asked.shipment_box_ids.len() > MOST {
        return Err(Failure::bad_request("shipmentBoxIds: 1 to 50"));
    }
    let mut ledger = lock(&visit.desk.face.0.ledger);
    let results =
        asked.shipment_box_ids.iter().map(|&id| (id, confirm(visit, &mut ledger, id))).collect::<Vec<_>>();
    let mut answer = done(box_results(results, "apply instructStatus result"));
    answer["data"]["responseKey"] = serde_json::json!(-7_326_489_997_410_939_972_i64);
    Ok(answer)
}

/// The box and its order, if they are this vendor's.
pub(super) fn own_box(visit: &Visit<'_>, ledger: &mut Ledger, id: u64) -> Option<(ShipBox, Order)> {
    let settings = visit.desk.face.settings();
    visit.market().read(|state| {
        super::ordersheets::follow_all(visit, state, ledger, &settings);
        let found = ledger.get(id)?;
        let order = state.order(found.order).filter(|order| visit.owns(order))?;
        Some((found.clone(), order.clone()))
    })
}

fn confirm(visit: &Visit<'_>, ledger: &mut Ledger, id: u64) -> Result<(), BoxFailure> {
    // The example of this call marks it to be repeated, the one of waybills does not.
    let (found, order) = own_box(visit, ledger, id).ok_or_else(|| {
        BoxFailure::new("NOT_FOUND_SHIPMENT_BOX", format!("shipmentBoxId ({id}) is not found."))
            .worth_repeating()
    })?;
    let invalid = |text: &str| BoxFailure::new("INVALID_STATUS", text);
    if found.lines.iter().any(|line| ShipBox::held(&order, *line) > 0) {
        return Err(invalid("배송상태를 변경할 수 없습니다. 주문내역을 확인해주세요."));
    }
    let live: Vec<_> = found.lines_of(&order).filter(|line| line.state != LineState::Cancelled).collect();
    if live.is_empty() {
        return Err(BoxFailure::new("ORDER_DELIVERY_CANCELED", "주문이 취소되었습니다."));
    }
    let is_new = live.iter().any(|line| line.state == LineState::Paid);
    // Of a new box the lines that were confirmed elsewhere stay. Of another all are tried, and refused: the market's
    // record shows repeats, too.
    let results: Vec<_> = live
        .iter()
        .filter(|line| !is_new || line.state == LineState::Paid)
        .map(|line| visit.acting().confirm(line.number, None))
        .collect();
    if results.iter().any(Result::is_err) {
        return Err(invalid("배송진행상태가 유효하지 않습니다."));
    }
    let lag = visit.desk.face.settings().confirm_lag;
    if let Some(found) = ledger.get_mut(id) {
        found.lags_until = (lag > 0).then(|| visit.now + TimeDelta::minutes(i64::from(lag)));
    }
    Ok(())
}
