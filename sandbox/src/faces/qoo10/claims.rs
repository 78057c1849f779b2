//! Claims: `GetClaimInfo_V3` and `Claim.SetCancelProcess` (sheet 4.6).

use serde::Serialize;

use super::answer::{Done, Failure, Outcome};
use super::methods::{NoLine, Visit};
use super::wording::{Num, Spelling};
use crate::market::{Claim, ClaimKind, ClaimState, Line, LineState, Order};

/// `ClaimStat`.
pub(super) fn claim_digit(claim: &Claim) -> u8 {
    let (requested, in_progress, done) = match claim.kind {
        ClaimKind::Cancel => (1, 2, 3),
        ClaimKind::Return => (4, 5, 6),
        ClaimKind::Exchange => (11, 12, 13),
        ClaimKind::NotReceived => (14, 14, 14),
        ClaimKind::Unpaid => (16, 16, 16),
    };
    match claim.state {
        ClaimState::Requested | ClaimState::Withdrawn | ClaimState::Refused => requested,
        ClaimState::InProgress => in_progress,
        ClaimState::Done => done,
    }
}

/// `ShippingBasic.GetClaimInfo_V3`.
pub(super) fn search(visit: &Visit<'_>) -> Outcome {
    let call = visit.call;
    let window = call
        .window("search_Sdate", "search_Edate")
        .ok_or_else(|| Failure::new(-10002, "Please check search_Sdate and search_Edate"))?;
    if window.exceeds(90) {
        return Err(Failure::new(-10003, "The search period is limited to 90 days"));
    }
    let status: Option<u8> = match call.text("ClaimStat") {
        "" => None,
        text => match text.parse() {
            Ok(digit @ (1..=6 | 11..=16)) => Some(digit),
            _ => return Err(Failure::processing("ClaimStat must be 1 to 6 or 11 to 16")),
        },
    };
    let date: fn(&Order, &Claim) -> Option<chrono::DateTime<chrono::Utc>> =
        match call.text("search_condition") {
            "1" => |order, _| Some(order.ordered_at),
            "" | "2" => |_, claim| Some(claim.requested_at),
            "3" => |_, claim| claim.settled_at,
            _ => return Err(Failure::processing("search_condition must be 1 to 3")),
        };
    let wording = visit.desk.face.settings().wording;
    visit.market().read(|state| {
        let own = state.orders().iter().filter(|order| order.seller == visit.seller);
        let claims = own.flat_map(|order| order.claims.iter().map(move |claim| (order, claim)));
        let rows: Vec<Row<'_>> = claims
            .filter(|(order, claim)| {
                claim.is_shown()
                    && status.is_none_or(|status| status == claim_digit(claim))
                    && window.holds(date(order, claim))
            })
            .filter_map(|(order, claim)| {
                let line = order.line(claim.line)?;
                Some(Row::of(order, line, claim, Spelling::of(wording, line.number)))
            })
            .collect();
        Done::rows(&rows)
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row<'a> {
    claim_status: String,
    cancel_refund_date: String,
    reason: &'a str,
    request_date: String,
    order_date: String,
    #[serde(rename = "PaymentDate")]
    payment_date: String,
    shipping_date: String,
    #[serde(rename = "DeliveredDate")]
    delivered_date: String,
    order_no: u64,
    pack_no: u64,
    item_code: String,
    seller_item_code: &'a str,
    item_title: &'a str,
    order_qty: Num,
    payment_nation: &'a str,
    currency: &'a str,
    payment_amount: Num,
    delivery_company: &'a str,
    tracking_no: &'a str,
    receiver: &'a str,
    receiver_mobile: &'a str,
    buyer: &'a str,
    buyer_mobile: &'a str,
}

impl<'a> Row<'a> {
    fn of(order: &'a Order, line: &'a Line, claim: &'a Claim, spelling: Spelling) -> Self {
        let parcel = order.parcel_of(line.number);
        Self {
            claim_status: claim_digit(claim).to_string(),
            cancel_refund_date: spelling.time(claim.settled_at),
            reason: &claim.reason,
            request_date: spelling.time(Some(claim.requested_at)),
            order_date: spelling.time(Some(order.ordered_at)),
            payment_date: spelling.time(order.paid_at),
            shipping_date: spelling.time(line.shipped_at),
            delivered_date: spelling.time(line.delivered_at),
            order_no: line.number.0,
            pack_no: order.cart,
            item_code: line.item.to_string(),
            seller_item_code: &line.seller_code,
            item_title: &line.title,
            order_qty: spelling.count(i64::from(claim.quantity)),
            payment_nation: &order.address.country,
            currency: &order.currency,
            payment_amount: spelling.amount(line.total()),
            delivery_company: parcel.map(|parcel| &*parcel.carrier).unwrap_or_default(),
            tracking_no: parcel.map(|parcel| &*parcel.tracking).unwrap_or_default(),
            receiver: &order.recipient.name,
            receiver_mobile: &order.recipient.mobile,
            buyer: &order.buyer.name,
            buyer_mobile: &order.buyer.mobile,
        }
    }
}

/// `Claim.SetCancelProcess`: the seller cancels, or accepts the buyer's request.
pub(super) fn cancel(visit: &Visit<'_>) -> Outcome {
    let reason = match visit.call.text("CancelReason") {
        "" => "out of stock",
        "1" => "order changed",
        "2" => "can't deliver there",
        "3" => "delay",
        _ => return Err(Failure::processing("CancelReason must be empty or 1 to 3")),
    };
    let found = visit.with_line(visit.call.text("ContrNo"), |_, line| line.state);
    let (number, state) = found.map_err(|no_line| match no_line {
        NoLine::Malformed => Failure::new(-10001, "Please check the order number"),
        NoLine::Unknown => Failure::new(-10002, "The order does not exist"),
        NoLine::Foreign => Failure::new(-10003, "The order is not of this seller"),
    })?;
    let wrong_state = || Failure::new(-10004, "The order can not be cancelled in its state");
    if !matches!(state, LineState::Paid | LineState::Confirmed) {
        return Err(wrong_state());
    }
    visit.acting().cancel(number, reason).map_err(|_| wrong_state())?;
    Done::envelope()
}
