//! Reporting what was sent (sheet 4.4). Each order number of a cart is sent on its own.

use serde::Serialize;

use super::answer::{Done, Failure, Outcome};
use super::confirm::{MOST, code_and_text, field, json_rows};
use super::methods::Visit;
use crate::market::Refusal;

/// `ShippingBasic.SetSendingInfo`.
pub(super) fn one(visit: &Visit<'_>) -> Outcome {
    let call = visit.call;
    send(visit, call.text("OrderNo"), call.text("ShippingCorp"), call.text("TrackingNo"))?;
    Done::envelope()
}

/// `ShippingBasic.SetSendingInfoBulk`.
pub(super) fn bulk(visit: &Visit<'_>) -> Outcome {
    let rows = json_rows(visit.call.text("ShippingInfoJson"), "ShippingInfoJson")?;
    if rows.len() > MOST {
        return Err(Failure::new(-10011, "Over the limit"));
    }
    let results: Vec<RowResult> = rows
        .iter()
        .map(|row| {
            let (order_no, carrier) = (field(row, "OrderNo"), field(row, "ShippingCorp"));
            let (code, text) = code_and_text(send(visit, &order_no, &carrier, &field(row, "TrackingNo")));
            let contr_no = order_no.trim().parse().unwrap_or_default();
            RowResult { contr_no, result_cd: code, transc_nm: carrier, code, text }
        })
        .collect();
    Done::rows(&results)
}

fn send(visit: &Visit<'_>, order_no: &str, carrier: &str, tracking: &str) -> Result<(), Failure> {
    let found = visit.with_line(order_no, |_, _| ());
    let (number, ()) = found.map_err(|_| Failure::processing("the order number does not exist"))?;
    check(carrier, 200, "ShippingCorp")?;
    check(tracking, 50, "TrackingNo")?;
    visit.acting().ship_line(number, carrier, tracking).map_err(|refusal| match refusal {
        Refusal::WrongState(_) => Failure::processing("the order is not in a state to be sent"),
        other => Failure::processing(other.to_string()),
    })
}

fn check(text: &str, most: usize, name: &str) -> Result<(), Failure> {
    match text.chars().count() {
        0 => Err(Failure::processing(format!("{name} is required"))),
        length if length > most => {
            Err(Failure::processing(format!("{name} is longer than {most} characters")))
        }
        _ => Ok(()),
    }
}

#[derive(Serialize)]
struct RowResult {
    contr_no: u64,
    result_cd: i64,
    transc_nm: String,
    #[serde(rename = "ResultCode")]
    code: i64,
    #[serde(rename = "ResultMsg")]
    text: String,
}
