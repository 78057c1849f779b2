//! Boxes: lists by day and by minute, look-ups and history (sheet 4.1 to 4.3).

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::answer::{Failure, Outcome, done};
use super::boxes::{Ledger, ShipBox};
use super::dates::{self, Offset};
use super::desk::Visit;
use super::ids;
use super::settings::Settings;
use super::sheet_row::{Sheet, Version};
use crate::lock;
use crate::market::{MarketState, Order};

const STATUSES: [(&str, &str); 6] = [
    ("ACCEPT", "결제완료"),
    ("INSTRUCT", "상품준비중"),
    ("DEPARTURE", "배송지시"),
    ("DELIVERING", "배송중"),
    ("FINAL_DELIVERY", "배송완료"),
    ("NONE_TRACKING", "업체직송"),
];

pub(super) fn list_v4(visit: &Visit<'_>) -> Outcome {
    list(visit, Version::V4)
}

pub(super) fn list_v5(visit: &Visit<'_>) -> Outcome {
    list(visit, Version::V5)
}

fn list(visit: &Visit<'_>, version: Version) -> Outcome {
    let call = visit.call;
    visit.check_extended_timeout()?;
    let offset = if version == Version::V4 { Offset::None } else { Offset::Wanted };
    let by_minute = match call.param("searchType") {
        None => false,
        Some("timeFrame") => true,
        Some(other) => return Err(Failure::bad_request(&format!("unknown searchType {other}"))),
    };
    let window = if by_minute {
        dates::minutes(call, visit.market, offset, TimeDelta::days(1))?
    } else {
        dates::days(call, visit.market, offset)?
    };
    let status = call.param("status").ok_or_else(|| Failure::bad_request("status is required"))?;
    if STATUSES.iter().all(|(known, _)| *known != status) {
        return Err(Failure::bad_request(&format!("unknown status {status}")));
    }
    let settings = visit.desk.face.settings();
    let size = if by_minute { usize::MAX } else { page_size(visit, 50)?.min(settings.page_size) };
    let mut ledger = lock(&visit.desk.face.0.ledger);
    visit.market().read(|state| {
        follow_all(visit, state, &mut ledger, &settings);
        let mut found: Vec<(i64, u64, Sheet<'_>)> = Vec::new();
        for order in visit.own_orders(state).filter(|order| window.holds(order.ordered_at)) {
            for one in ledger.of_order(order.number) {
                if one.status(order, visit.now) == Some(status) && !is_too_new(visit, order, &settings) {
                    found.push((
                        order.ordered_at.timestamp_micros(),
                        one.id,
                        sheet(visit, order, one, version),
                    ));
                }
            }
        }
        found.sort_by_key(|(time, id, _)| (*time, *id));
        let after = match call.param("nextToken").filter(|_| !by_minute) {
            None => None,
            Some(token) => Some(place(state, &ledger, token)?),
        };
        let mut rest = found.iter().filter(|(time, id, _)| after.is_none_or(|after| (*time, *id) > after));
        let rows: Vec<&(i64, u64, Sheet<'_>)> = rest.by_ref().take(size).collect();
        let next = match (rest.next(), rows.last()) {
            (Some(_), Some((_, id, _))) => id.to_string(),
            _ => String::new(),
        };
        let data: Vec<Value> = rows.iter().map(|(_, _, sheet)| sheet.row()).collect();
        let mut answer = json!({ "code": 200, "message": "OK", "data": data });
        if !by_minute {
            answer["nextToken"] = json!(next);
        }
        Ok(answer)
    })
}

/// Of a token: the place after which the next page begins. The box may have left the list meanwhile.
fn place(state: &MarketState, ledger: &Ledger, token: &str) -> Result<(i64, u64), Failure> {
    let bad = || Failure::bad_request("nextToken is not valid");
    let last = token.parse().ok().and_then(|id| ledger.get(id)).ok_or_else(bad)?;
    let order = state.order(last.order).ok_or_else(bad)?;
    Ok((order.ordered_at.timestamp_micros(), last.id))
}

pub(super) fn page_size(visit: &Visit<'_>, most: usize) -> Result<usize, Failure> {
    match visit.call.param("maxPerPage").map(str::parse) {
        None => Ok(most),
        Some(Ok(size)) if (1..=most).contains(&size) => Ok(size),
        Some(_) => Err(Failure::bad_request(&format!("maxPerPage must be 1 to {most}"))),
    }
}

/// A paid order shows in lists only after a while.
fn is_too_new(visit: &Visit<'_>, order: &Order, settings: &Settings) -> bool {
    let lag = TimeDelta::minutes(i64::from(settings.list_lag));
    order.paid_at.is_some_and(|paid| visit.now < paid + lag)
}

pub(super) fn follow_all(visit: &Visit<'_>, state: &MarketState, ledger: &mut Ledger, settings: &Settings) {
    for order in state.orders().iter().filter(|order| order.seller == visit.seller) {
        ledger.follow(order, settings);
    }
}

fn sheet<'a>(visit: &Visit<'_>, order: &'a Order, found: &'a ShipBox, version: Version) -> Sheet<'a> {
    let status = found.status(order, visit.now).unwrap_or("ACCEPT");
    Sheet { order, found, status, market: visit.market, version }
}

fn cancelled() -> Failure {
    Failure::bad_request("해당 주문이 취소 또는 반품되었습니다.")
}

fn no_such(what: &str) -> Failure {
    Failure::bad_request(&format!("유효하지 않은 {what}입니다."))
}

pub(super) fn one_v4(visit: &Visit<'_>) -> Outcome {
    one(visit, Version::V4)
}

pub(super) fn one_v5(visit: &Visit<'_>) -> Outcome {
    one(visit, Version::V5)
}

fn one(visit: &Visit<'_>, version: Version) -> Outcome {
    with_box(visit, |order, found| {
        found.status(order, visit.now).ok_or_else(cancelled)?;
        Ok(done(sheet(visit, order, found, version).row()))
    })
}

fn with_box(visit: &Visit<'_>, look: impl FnOnce(&Order, &ShipBox) -> Outcome) -> Outcome {
    let id = visit.call.number("shipmentBoxId")?;
    let settings = visit.desk.face.settings();
    let mut ledger = lock(&visit.desk.face.0.ledger);
    visit.market().read(|state| {
        follow_all(visit, state, &mut ledger, &settings);
        let found = ledger.get(id).ok_or_else(|| no_such("배송번호"))?;
        let order = visit.own_orders(state).find(|order| order.number == found.order);
        look(order.ok_or_else(|| no_such("배송번호"))?, found)
    })
}

pub(super) fn of_order_v4(visit: &Visit<'_>) -> Outcome {
    of_order(visit, Version::V4)
}

pub(super) fn of_order_v5(visit: &Visit<'_>) -> Outcome {
    of_order(visit, Version::V5)
}

/// The boxes of an order that are not cancelled.
fn of_order(visit: &Visit<'_>, version: Version) -> Outcome {
    let id = visit.call.number("orderId")?;
    let settings = visit.desk.face.settings();
    let mut ledger = lock(&visit.desk.face.0.ledger);
    visit.market().read(|state| {
        let order = ids::order(state, id).filter(|order| visit.owns(order) && order.paid_at.is_some());
        let order = order.ok_or_else(|| no_such("주문번호"))?;
        ledger.follow(order, &settings);
        let live = ledger.of_order(order.number).filter(|found| found.status(order, visit.now).is_some());
        let rows: Vec<Value> = live.map(|found| sheet(visit, order, found, version).row()).collect();
        if rows.is_empty() { Err(cancelled()) } else { Ok(done(json!(rows))) }
    })
}

pub(super) fn history_v4(visit: &Visit<'_>) -> Outcome {
    history(visit, Version::V4)
}

pub(super) fn history_v5(visit: &Visit<'_>) -> Outcome {
    history(visit, Version::V5)
}

/// Newest first.
fn history(visit: &Visit<'_>, version: Version) -> Outcome {
    with_box(visit, |order, found| {
        let latest = |of: fn(&crate::market::Line) -> Option<chrono::DateTime<chrono::Utc>>| {
            found.lines_of(order).filter_map(of).max()
        };
        let status = found.status(order, visit.now);
        let confirmed = latest(|line| line.confirmed_at).filter(|_| status != Some("ACCEPT"));
        let direct = status == Some("NONE_TRACKING");
        let steps = [
            (4, latest(|line| line.delivered_at).filter(|_| !direct)),
            (3, found.in_transit),
            (if direct { 5 } else { 2 }, found.sent),
            (1, confirmed),
            (0, order.paid_at),
        ];
        let details: Vec<Value> = steps
            .into_iter()
            .filter_map(|(at, time)| Some((STATUSES.get(at)?, time?)))
            .map(|((status, text), time)| {
                json!({
                    "deliveryStatus": status,
                    "deliveryStatusDesc": text,
                    "updatedAt": version.time(time, visit.market),
                })
            })
            .collect();
        Ok(done(json!({ "shipmentBoxId": found.id, "details": details })))
    })
}
