//! Cancel requests: listing, granting, refusing; cancelling as seller (sheet 4.8).

use serde::Serialize;

use crate::channel::{
    CancelAction, CancelDecision, CancelPage, CancelReason, CancelRequest, Context, Operation, Outcome,
    PageCursor, Row, each,
};
use crate::error::Result;
use crate::http::Nature;
use crate::model::{CancelState, Order, OrderStatus, Private, Window};

use super::api::Api;
use super::auth::Ask;
use super::errors::{Endpoint, is_decided, refused};
use super::lines::LineData;
use super::orders::{Search, page, read};
use super::plan::no;
use super::rows::OrderData;
use super::wire::json;

/// So many decisions are on their way at once.
const PARALLEL: usize = 4;

/// What can be decided.
pub(super) const ACTIONS: &[CancelAction] =
    &[CancelAction::Accept, CancelAction::Refuse, CancelAction::CancelBySeller];

/// A page of the requests that are open and changed since the window began. Shopee keeps no list of requests: one that
/// was decided shows no more, and none tells when it was made.
pub(super) async fn requests(
    api: &Api,
    cx: &Context,
    window: Window,
    cursor: Option<&PageCursor>,
) -> Result<CancelPage> {
    let found = page(api, cx, Operation::ListCancellations, Search::InCancel, window, cursor).await?;
    let mut page = CancelPage { next: found.next, ..CancelPage::default() };
    for row in found.rows {
        match row {
            Row::Order(order) => page.requests.push(request(&order)),
            Row::Unreadable(row) => page.unreadable.push(row),
        }
    }
    Ok(page)
}

fn request(order: &Order) -> CancelRequest {
    let open = order.cancel == CancelState::Requested;
    let mut request = CancelRequest::new(order.id.clone(), open);
    let reason = order.channel_data.read::<OrderData>().unwrap_or_default().cancel_reason;
    request.reason = Private::new(reason);
    request
}

#[derive(Serialize)]
struct DecideBody<'a> {
    operation: &'static str,
    order_sn: &'a str,
}

/// The call that decides a request.
///
/// # Errors
/// `InvalidInput` when it can't be written.
pub(super) fn decide_ask(order: &Order, accept: CancelAction) -> Result<Ask> {
    let operation = if accept == CancelAction::Accept { "ACCEPT" } else { "REJECT" };
    Ok(Ask::post(Endpoint::Decide, json(&DecideBody { operation, order_sn: order.id.as_str() })?))
}

#[derive(Serialize)]
struct CancelBody<'a> {
    order_sn: &'a str,
    cancel_reason: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    item_list: Vec<CancelItem>,
}

#[derive(Serialize, PartialEq, Eq)]
struct CancelItem {
    item_id: i64,
    model_id: i64,
}

/// The channel's word for a reason; `None`: it has none.
pub(super) fn reason(reason: CancelReason, region: &str) -> Option<&'static str> {
    match reason {
        CancelReason::OutOfStock => Some("OUT_OF_STOCK"),
        CancelReason::BuyerRequest => Some("CUSTOMER_REQUEST"),
        CancelReason::CannotDeliver if matches!(region, "TW" | "MY") => Some("UNDELIVERABLE_AREA"),
        _ => None,
    }
}

/// The call that cancels as seller. Out of stock must name the items: they are those of the order, because it is
/// cancelled as a whole.
///
/// # Errors
/// `InvalidInput` when it can't be written.
pub(super) fn cancel_ask(order: &Order, cancel_reason: &'static str) -> Result<Ask> {
    let mut item_list: Vec<CancelItem> = Vec::new();
    if cancel_reason == "OUT_OF_STOCK" {
        for data in order.lines.iter().filter_map(|line| line.channel_data.read::<LineData>()) {
            let item = CancelItem { item_id: data.key.item_id, model_id: data.key.model_id };
            if !item_list.contains(&item) {
                item_list.push(item);
            }
        }
    }
    let body = CancelBody { order_sn: order.id.as_str(), cancel_reason, item_list };
    Ok(Ask::post(Endpoint::Cancel, json(&body)?))
}

/// Decides, order by order.
pub(super) async fn decide(
    api: &Api,
    cx: &Context,
    decisions: &[CancelDecision<'_>],
) -> Result<Vec<Outcome<()>>> {
    let calls = decisions.iter().map(|decision| decide_one(api, cx, decision));
    each(calls.collect(), PARALLEL, Outcome::from_error).await
}

async fn decide_one(api: &Api, cx: &Context, decision: &CancelDecision<'_>) -> Result<Outcome<()>> {
    let order = decision.order;
    let ask = match decision.action {
        CancelAction::Accept | CancelAction::Refuse => decide_ask(order, decision.action)?,
        CancelAction::CancelBySeller => {
            let region = order.channel_data.read::<OrderData>().unwrap_or_default().region;
            let Some(reason) = reason(decision.reason, &region) else {
                return Ok(no(
                    "Shopee takes no such reason here: out of stock, the buyer's request, or (in TW and MY) an area that can't be reached",
                ));
            };
            cancel_ask(order, reason)?
        }
    };
    // A second call could meet another request than the one that was decided.
    match api.call(cx, Operation::DecideCancellation, Nature::UnsafeWrite, &ask).await {
        Ok(_) => Ok(Outcome::Done(())),
        Err(error) => {
            let Some(refusal) = refused(&error) else { return Err(error) };
            let wanted = decision.action != CancelAction::Refuse;
            if wanted && is_decided(&error) && is_cancelled(api, cx, order).await {
                return Ok(Outcome::AlreadyDone);
            }
            Ok(Outcome::Refused(refusal))
        }
    }
}

/// Whether the order is cancelled by now.
async fn is_cancelled(api: &Api, cx: &Context, order: &Order) -> bool {
    let Ok(read) = read(api, cx, Operation::DecideCancellation, &[order]).await else { return false };
    matches!(read.first(), Some(Outcome::Done(fresh)) if fresh.status == OrderStatus::Cancelled)
}
