//! Reverse orders: cancellations and returns (sheet section 4). A claim on a line of the market is one reverse order, with a
//! line for each order item.

use serde_json::{Value, json};

use super::answer::{Failure, Outcome};
use super::call::text_list;
use super::cancels::{REASONS, claimed};
use super::desk::{Visit, answer_by};
use super::ids::{self, Sku, Unit};
use super::ledger::Ledger;
use super::order_row::{View, seller_sku, share, shop_sku};
use super::units;
use crate::market::{Claim, ClaimKind, ClaimState, LineState, Order};
use crate::{Amount, lock};

/// Most rows on a page.
const MOST: usize = 100;

/// A claim with its order and its place in the order's list.
pub(super) struct ReverseOrder<'a> {
    pub(super) order: &'a Order,
    pub(super) claim: &'a Claim,
    pub(super) at: usize,
}

impl<'a> ReverseOrder<'a> {
    /// All of an order.
    pub(super) fn all(order: &'a Order) -> impl Iterator<Item = Self> {
        order.claims.iter().enumerate().map(move |(at, claim)| Self { order, claim, at })
    }

    pub(super) fn id(&self) -> u64 {
        ids::reverse_order_id(self.claim.line, self.at)
    }

    fn is_cancel(&self) -> bool {
        matches!(self.claim.kind, ClaimKind::Cancel | ClaimKind::Unpaid)
    }

    fn request_type(&self) -> &'static str {
        match self.claim.kind {
            ClaimKind::Cancel | ClaimKind::Unpaid => "CANCEL",
            ClaimKind::Return | ClaimKind::Exchange => "RETURN",
            ClaimKind::NotReceived => "ONLY_REFUND",
        }
    }

    pub(super) fn status(&self) -> &'static str {
        match self.claim.state {
            ClaimState::Requested | ClaimState::InProgress => "REQUEST_INITIATE",
            ClaimState::Done if self.is_cancel() => "CANCEL_SUCCESS",
            ClaimState::Done => "REQUEST_COMPLETE",
            ClaimState::Withdrawn => "REQUEST_CANCEL",
            ClaimState::Refused => "REQUEST_REJECT",
        }
    }

    fn modified(&self) -> i64 {
        self.claim.settled_at.unwrap_or(self.claim.requested_at).timestamp_millis()
    }

    pub(super) fn units(&self, visit: &Visit<'_>, ledger: &Ledger) -> Vec<Unit> {
        let view = View::of(self.order, ledger, &visit.settings, visit.now);
        units::of_claim(&view.items, ledger, self.claim, self.at)
    }

    fn row(&self, visit: &Visit<'_>, ledger: &Ledger) -> Value {
        let lines: Vec<Value> =
            self.units(visit, ledger).into_iter().map(|unit| self.line(visit, unit)).collect();
        json!({
            "reverse_order_id": self.id(),
            "trade_order_id": ids::order_id(self.order.number),
            "request_type": self.request_type(),
            "is_rtm": true,
            "shipping_type": "DEFAULT",
            "reverse_order_lines": lines,
        })
    }

    fn line(&self, visit: &Visit<'_>, unit: Unit) -> Value {
        let Some(line) = self.order.line(self.claim.line) else { return Value::Null };
        let sku = Sku::of(line);
        let paid = line.unit_price - share(line.discount, line.quantity, unit.at);
        let reason = REASONS.iter().find(|(_, text)| *text == self.claim.reason);
        let code: u64 = reason.and_then(|(id, _)| id.parse().ok()).unwrap_or(1_000_001);
        json!({
            "reverse_order_line_id": unit.reverse_line_id(self.at),
            "trade_order_line_id": unit.id(),
            "reverse_status": self.status(),
            "ofc_status": "INITIAL",
            "product": { "product_id": sku.product_id(), "product_sku": sku.id().to_string() },
            "buyer": { "buyer_id": ids::buyer_id(self.order.number) },
            "trade_order_gmt_create": self.order.ordered_at.timestamp_millis(),
            "refund_amount": small_units(visit, paid),
            "item_unit_price": small_units(visit, line.unit_price),
            "reason_text": self.claim.reason,
            "reason_code": code,
            "refund_payment_method": self.order.payment_method,
            "return_order_line_gmt_create": self.claim.requested_at.timestamp_millis(),
            "return_order_line_gmt_modified": self.modified(),
            "is_dispute": false,
            "is_need_refund": (line.state != LineState::AwaitingPayment).to_string(),
            "seller_sku_id": seller_sku(line),
            "platform_sku_id": shop_sku(sku, &visit.settings),
            "tracking_number": "",
            "sla": answer_by(self.claim.requested_at, &visit.settings).timestamp_millis(),
        })
    }
}

/// Cents, but whole units in Vietnam.
fn small_units(visit: &Visit<'_>, amount: Amount) -> i64 {
    let cents = amount.as_hundredths();
    if visit.settings.country == super::Country::Vn { cents / 100 } else { cents }
}

struct Filter {
    request_types: Vec<String>,
    statuses: Vec<String>,
    ofc_statuses: Vec<String>,
    reverse_order: Option<u64>,
    trade_order: Option<u64>,
    /// Of the order, of the request, and of its last change; in milliseconds, both ends belong to it.
    ranges: [(Option<i64>, Option<i64>); 3],
    return_to: String,
    disputed: bool,
}

/// # Errors
/// A value of a wrong form is answered like a missing one.
fn number<T: std::str::FromStr>(visit: &Visit<'_>, name: &str) -> Result<Option<T>, Failure> {
    match visit.call.param(name) {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| Failure::missing(name)),
    }
}

fn texts(visit: &Visit<'_>, name: &str) -> Result<Vec<String>, Failure> {
    match visit.call.param(name) {
        "" => Ok(Vec::new()),
        text => text_list(text).ok_or_else(|| Failure::missing(name)),
    }
}

impl Filter {
    fn asked(visit: &Visit<'_>) -> Result<Self, Failure> {
        let range = |name: &str| -> Result<(Option<i64>, Option<i64>), Failure> {
            Ok((number(visit, &format!("{name}Start"))?, number(visit, &format!("{name}End"))?))
        };
        Ok(Self {
            request_types: texts(visit, "request_type_list")?,
            statuses: texts(visit, "reverse_status_list")?,
            ofc_statuses: texts(visit, "ofc_status_list")?,
            reverse_order: number(visit, "reverse_order_id")?,
            trade_order: number(visit, "trade_order_id")?,
            ranges: [
                range("TradeOrderLineCreatedTimeRange")?,
                range("ReverseOrderLineTimeRange")?,
                range("ReverseOrderLineModifiedTimeRange")?,
            ],
            return_to: visit.call.param("return_to_type").to_owned(),
            disputed: visit.call.param("dispute_in_progress") == "true",
        })
    }

    fn takes(&self, found: &ReverseOrder<'_>) -> bool {
        let or_empty = |list: &[String], value: &str| list.is_empty() || list.iter().any(|one| one == value);
        let times = [
            found.order.ordered_at.timestamp_millis(),
            found.claim.requested_at.timestamp_millis(),
            found.modified(),
        ];
        let within = |((start, end), at): (&(Option<i64>, Option<i64>), i64)| {
            start.is_none_or(|start| start <= at) && end.is_none_or(|end| at <= end)
        };
        or_empty(&self.request_types, found.request_type())
            && or_empty(&self.statuses, found.status())
            && or_empty(&self.ofc_statuses, "INITIAL")
            && self.reverse_order.is_none_or(|id| id == found.id())
            && self.trade_order.is_none_or(|id| id == ids::order_id(found.order.number))
            && matches!(self.return_to.as_str(), "" | "RTM")
            && !self.disputed
            && self.ranges.iter().zip(times).all(within)
    }
}

/// `getreverseordersforseller`: the newest requests first.
pub(super) fn list(visit: &Visit<'_>) -> Outcome {
    visit.call.required("page_no")?;
    visit.call.required("page_size")?;
    let bad_size = || Failure::service(120, "E0120: page size invalid");
    let bad_page = || Failure::service(121, "E0121: page number invalid");
    let size: usize = number(visit, "page_size").ok().flatten().ok_or_else(bad_size)?;
    let page: usize = number(visit, "page_no").ok().flatten().ok_or_else(bad_page)?;
    if !(1..=MOST).contains(&size) {
        return Err(bad_size());
    }
    let before = page.checked_sub(1).ok_or_else(bad_page)?;
    let size = size.min(visit.settings.page_size);
    let filter = Filter::asked(visit)?;
    let ledger = lock(&visit.desk.face.0.ledger);
    visit.market().read(|state| {
        let own = state.orders().iter().filter(|order| order.seller == visit.shop.seller);
        let mut found: Vec<ReverseOrder<'_>> =
            own.flat_map(ReverseOrder::all).filter(|found| filter.takes(found)).collect();
        found.sort_by_key(|found| (found.claim.requested_at, found.id()));
        found.reverse();
        let rows: Vec<Value> = found
            .iter()
            .skip(before.saturating_mul(size))
            .take(size)
            .map(|found| found.row(visit, &ledger))
            .collect();
        Ok(json!({
            "result": {
                "success": true,
                "page_no": page,
                "page_size": size,
                "total": found.len(),
                "items": rows,
            }
        }))
    })
}

/// `getreverseorderdetail`: the same with other names.
pub(super) fn detail(visit: &Visit<'_>) -> Outcome {
    let text = visit.call.param("reverse_order_id");
    let id =
        text.parse().map_err(|_| Failure::service(105, "E0105: reverse order id is empty or invalid"))?;
    let (order, claim, at) =
        claimed(visit, id).ok_or_else(|| Failure::service(106, "E0106: ROC internal error"))?;
    let ledger = lock(&visit.desk.face.0.ledger);
    let mut row = ReverseOrder { order: &order, claim: &claim, at }.row(visit, &ledger);
    let mut lines = row["reverse_order_lines"].take();
    for line in lines.as_array_mut().into_iter().flatten() {
        line["productDTO"] =
            json!({ "product_id": line["product"]["product_id"], "sku": line["product"]["product_sku"] });
        line["buyer"] = json!({ "user_id": line["buyer"]["buyer_id"] });
        line["is_need_refund"] = json!(line["is_need_refund"] == "true");
        if let Some(fields) = line.as_object_mut() {
            fields.remove("product");
        }
    }
    if let Some(fields) = row.as_object_mut() {
        fields.remove("reverse_order_lines");
        fields.insert("reverseOrderLineDTOList".into(), lines);
    }
    Ok(json!({ "data": row }))
}

/// `getreverseorderreasonlist`: why a seller says no.
pub(super) fn reasons(visit: &Visit<'_>) -> Outcome {
    let text = visit.call.param("reverse_order_line_id");
    let line = text.parse().ok().and_then(ids::reverse_line).ok_or_else(|| {
        Failure::service(103, "E0103: reverse order line id is empty when query reject reason")
    })?;
    let own = visit.market().read(|state| {
        state.line(line).is_some_and(|(order, _)| {
            order.seller == visit.shop.seller && order.claims.iter().any(|claim| claim.line == line)
        })
    });
    if !own {
        return Err(Failure::service(119, "E0119: cannot find any cancel reasons for these orders"));
    }
    let text = "the parcel is packed already";
    Ok(json!({ "data": [{ "reason_id": 1_000_031, "text": text, "muti_language_text": text }] }))
}
