//! Cancelling as seller ("Cancel: orderStatusChange"). There are no cancel requests in this API: buyers cancel by
//! themselves in the first ten minutes, and write to the store later.

use crate::channel::{
    CancelAction, CancelDecision, CancelPage, CancelReason, Context, Operation, Outcome, PageCursor, Refusal,
    each,
};
use crate::error::{Error, Result};
use crate::http::Nature;
use crate::model::{Order, OrderId, OrderStatus};

use super::auth::{Api, Ask, Body};
use super::errors::{Method, is_refusal, refusal, warnings};
use super::orders::read_one;
use super::rows::Kept;
use super::status::Block;
use super::wire::{Req, foreign};

/// What can be decided.
pub(super) const ACTIONS: &[CancelAction] = &[CancelAction::CancelBySeller];

/// Lengths of the detail that goes with the reason "other", in characters.
const DETAIL_LENGTHS: std::ops::RangeInclusive<usize> = 10..=200;
/// "Other", with a detail.
const OTHER: &str = "230";

/// The channel does it later: until then nobody knows.
const LATER: &str = "od91704";
/// The order had this status already.
const ALREADY: &str = "od91705";
/// The store has to pay back.
const REFUND_DUE: &str = "od91123";
/// Stock was not given back.
const STOCK_KEPT: &str = "od91130";

/// The requests made in a window: none, ever.
///
/// # Errors
/// `InvalidInput` when a cursor is given: none was handed out.
pub(super) fn requests(cursor: Option<&PageCursor>) -> Result<CancelPage> {
    if cursor.is_some() { Err(foreign()) } else { Ok(CancelPage::default()) }
}

fn no(message: &str) -> Refusal {
    Refusal::new("", message)
}

/// The channel's number of a reason. One always goes along: without it the channel takes "out of stock".
fn reason_code(reason: CancelReason) -> &'static str {
    match reason {
        CancelReason::BuyerRequest => "100",
        CancelReason::OutOfStock => "210",
        CancelReason::OrderChanged => "180",
        CancelReason::CannotDeliver => "130",
        CancelReason::Delay => OTHER,
    }
}

/// What keeps a decision from being sent, whatever the order's state.
pub(super) fn objection(decision: &CancelDecision<'_>) -> Option<Refusal> {
    if decision.action != CancelAction::CancelBySeller {
        return Some(no("this channel knows no cancel requests: there is nothing to accept or refuse"));
    }
    let detail = decision.memo.unwrap_or_default().trim().chars().count();
    let needs_detail = reason_code(decision.reason) == OTHER && !DETAIL_LENGTHS.contains(&detail);
    needs_detail.then(|| {
        no("a cancellation for delay needs a word of 10 to 200 characters: the channel has no such reason")
    })
}

/// What keeps an order from being cancelled, by its state that was just read; `Ok(true)`: it is cancelled already.
pub(super) fn is_cancelled(fresh: &Order) -> Result<bool, Refusal> {
    let kept: Kept = fresh.channel_data.read().unwrap_or_default();
    let has = |block| kept.blocks.contains(&block);
    let no = |block: Block| Err(no(block.words()).reread());
    match fresh.status {
        // A split order counts as cancelled here, and is not at the channel.
        _ if has(Block::Split) => no(Block::Split),
        OrderStatus::Cancelled => Ok(true),
        status if status.is_past_dispatch() => {
            Err(self::no("the order is shipped, closed or returned: settle it in the back office").reread())
        }
        _ if has(Block::ReadOnly) => no(Block::ReadOnly).map_err(Refusal::temporary),
        _ => Ok(false),
    }
}

/// Cancels.
pub(super) fn cancel_ask(seller: &str, decision: &CancelDecision<'_>) -> Ask {
    let code = reason_code(decision.reason);
    let xml = Req::new()
        .group("Target", |target| {
            target.text("OrderId", decision.order.id.as_str()).text("IsPointFix", "false")
        })
        .group("Order", |order| {
            let order = order.text("OrderStatus", "4").text("CancelReason", code);
            match decision.memo {
                Some(memo) if code == OTHER => order.text("CancelReasonDetail", memo.trim()),
                _ => order,
            }
        })
        .text("SellerId", seller)
        .end();
    Ask { method: Method::OrderStatusChange, body: Body::Xml(xml) }
}

/// Cancels, a read and a call each.
pub(super) async fn decide(
    api: &Api,
    cx: &Context,
    decisions: &[CancelDecision<'_>],
) -> Result<Vec<Outcome<()>>> {
    let calls = decisions.iter().map(|decision| decide_one(api, cx, decision));
    each(calls.collect(), 1, Outcome::from_error).await
}

async fn decide_one(api: &Api, cx: &Context, decision: &CancelDecision<'_>) -> Result<Outcome<()>> {
    if let Some(no) = objection(decision) {
        return Ok(Outcome::Refused(no));
    }
    let id = &decision.order.id;
    match is_cancelled(&read_one(api, cx, id).await?.order) {
        Ok(true) => return Ok(Outcome::AlreadyDone),
        Ok(false) => {}
        Err(no) => return Ok(Outcome::Refused(no)),
    }
    let ask = cancel_ask(&api.seller()?, decision);
    // Cancelled is for good, and the buyer is mailed: it is not repeated.
    let called = api.call(cx, Operation::DecideCancellation, Nature::UnsafeWrite, &ask).await;
    match called.map_err(|error| error.for_order(id)) {
        Ok(answer) => cancel_result(&answer.body, id),
        Err(error) if is_refusal(&error) => Ok(Outcome::Refused(refusal(&error))),
        Err(error) => Err(error),
    }
}

/// What an answer that is no refusal says.
///
/// # Errors
/// `MalformedResponse`, of unknown effect, when it can't be read.
pub(super) fn cancel_result(body: &[u8], id: &OrderId) -> Result<Outcome<()>> {
    let warnings = warnings(body).map_err(Error::with_unknown_effect)?;
    let has = |code: &str| warnings.iter().any(|warning| warning.code == code);
    for (code, what) in [
        (REFUND_DUE, "cancelled; the store has to pay the money back itself"),
        (STOCK_KEPT, "cancelled; the stock of some lines was not given back"),
    ] {
        if has(code) {
            tracing::warn!(order = %id, code, "{what}");
        }
    }
    if has(LATER) {
        let error = Error::malformed("the channel cancels the order later: read it again").with_code(LATER);
        return Ok(Outcome::Unknown(error.with_unknown_effect().for_order(id)));
    }
    Ok(if has(ALREADY) { Outcome::AlreadyDone } else { Outcome::Done(()) })
}
