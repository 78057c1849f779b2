//! Confirming, with the ship date (sheet 4.3).

use serde::Serialize;
use serde_json::Value;

use super::ShipToday;
use super::answer::{Done, Failure, Outcome};
use super::call::day;
use super::methods::Visit;
use super::wording::day_of;
use crate::market::{Refusal, ShipPromise};

/// Most order numbers in one bulk call.
pub(super) const MOST: usize = 500;

/// What is asked for one order number.
struct Asked<'a> {
    order_no: &'a str,
    ship_date: &'a str,
    delay_type: &'a str,
    delay_memo: &'a str,
}

/// `ShippingBasic.SetSellerCheckYN_V2`: the ship date may be left out.
pub(super) fn one(visit: &Visit<'_>) -> Outcome {
    let call = visit.call;
    let asked = Asked {
        order_no: call.text("OrderNo"),
        ship_date: call.text("EstShipDt"),
        delay_type: call.text("DelayType"),
        delay_memo: call.text("DelayMemo"),
    };
    confirm(visit, &asked)?;
    Done::envelope()
}

/// `ShippingBasic.SetSellerCheckYNBulk`: each row has its own result.
pub(super) fn bulk(visit: &Visit<'_>) -> Outcome {
    let rows = json_rows(visit.call.text("SendPlanDtInfoJson"), "SendPlanDtInfoJson")?;
    if rows.len() > MOST {
        return Err(Failure::new(-10011, "Over the limit"));
    }
    let results: Vec<RowResult> = rows
        .iter()
        .map(|row| {
            let field = |name| field(row, name);
            let (order_no, ship_date) = (field("OrderNo"), field("EstShipDt"));
            let (delay_type, delay_memo) = (field("DelayType"), field("DelayMemo"));
            let asked = Asked {
                order_no: &order_no,
                ship_date: &ship_date,
                delay_type: &delay_type,
                delay_memo: &delay_memo,
            };
            let result = if ship_date.is_empty() {
                Err(Failure::new(-10016, "EstShipDt is null"))
            } else {
                confirm(visit, &asked)
            };
            RowResult::of(&order_no, result)
        })
        .collect();
    Done::rows(&results)
}

fn confirm(visit: &Visit<'_>, asked: &Asked<'_>) -> Result<(), Failure> {
    let found = visit.with_line(asked.order_no, |_, _| ());
    let (number, ()) = found.map_err(|_| Failure::processing("the order number does not exist"))?;
    let promise = promise(visit, asked)?;
    visit.acting().confirm(number, promise).map_err(|refusal| match refusal {
        Refusal::AlreadyConfirmed => Failure::new(-10012, "already confirmed"),
        _ => Failure::new(-10013, "The order is not in the state of delivery request"),
    })
}

fn promise(visit: &Visit<'_>, asked: &Asked<'_>) -> Result<Option<ShipPromise>, Failure> {
    if !matches!(asked.delay_type, "" | "1" | "2" | "3" | "4") {
        return Err(Failure::processing("DelayType must be 1 to 4"));
    }
    if asked.delay_memo.chars().count() > 1000 {
        return Err(Failure::processing("DelayMemo is longer than 1000 characters"));
    }
    if asked.ship_date.is_empty() {
        return Ok(None);
    }
    let date = day(asked.ship_date).ok_or_else(|| Failure::processing("EstShipDt must be yyyyMMdd"))?;
    let settings = visit.desk.face.settings();
    let today = day_of(visit.desk.context.clock.now());
    let days = (date - today).num_days();
    let first = if settings.ship_today == ShipToday::Taken { 0 } else { 1 };
    if days < first {
        return Err(Failure::new(-10018, "The estimated shipping date must not be in the past"));
    }
    if days > i64::from(settings.ship_days) {
        return Err(Failure::new(-10017, "The estimated shipping date is too late"));
    }
    Ok(Some(ShipPromise { date, reason: asked.delay_type.to_owned(), memo: asked.delay_memo.to_owned() }))
}

/// A row of the answer: `cont_no` here, `contr_no` in the dispatch methods.
#[derive(Serialize)]
struct RowResult {
    cont_no: u64,
    result_cd: i64,
    #[serde(rename = "ResultCode")]
    code: i64,
    #[serde(rename = "ResultMsg")]
    text: String,
}

impl RowResult {
    fn of(order_no: &str, result: Result<(), Failure>) -> Self {
        let (code, text) = code_and_text(result);
        Self { cont_no: order_no.trim().parse().unwrap_or_default(), result_cd: code, code, text }
    }
}

pub(super) fn code_and_text(result: Result<(), Failure>) -> (i64, String) {
    match result {
        Ok(()) => (0, "SUCCESS".to_owned()),
        Err(failure) => (failure.code, failure.text),
    }
}

/// The rows of a bulk parameter.
pub(super) fn json_rows(json: &str, name: &str) -> Result<Vec<Value>, Failure> {
    let bad = || Failure::processing(format!("{name} is not a JSON array of objects"));
    let rows: Vec<Value> = serde_json::from_str(json).map_err(|_| bad())?;
    if rows.iter().all(Value::is_object) { Ok(rows) } else { Err(bad()) }
}

/// A field of a bulk row as text; numbers are read too. Empty when it is absent or null.
pub(super) fn field(row: &Value, name: &str) -> String {
    sent_field(row, name).unwrap_or_default()
}

/// A field of a bulk row as text. None when it is absent.
pub(super) fn sent_field(row: &Value, name: &str) -> Option<String> {
    row.get(name).map(|value| match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    })
}
