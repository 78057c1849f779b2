//! Listing cancel requests, accepting and refusing them, cancelling as seller (sheet 4.9).

use serde::{Deserialize, Serialize};

use crate::channel::{
    CancelAction, CancelDecision, CancelPage, CancelReason, CancelRequest, Context, Operation, Outcome,
    PageCursor, Refusal, Tracking, UnreadableRow, each,
};
use crate::error::{Error, Result};
use crate::http::Nature;
use crate::lenient::{Text, body_text};
use crate::model::{OrderId, OrderStatus, Private, Window};

use super::auth::{Api, Ask, Keys, PARALLEL};
use super::confirm::unclear;
use super::dispatch::{carrier, waybill};
use super::errors::Function;
use super::orders::ordered_on;
use super::receipts::{self, Claim, OPEN, Receipt, Search};
use super::rows::kept;
use super::window::{Place, days, spans};
use super::wire::{Envelope, number, object};

/// Receipts that are closed, or returns: asked for after the open ones, page by page.
const CLOSED: &[Search] = &[Search::Status("PR"), Search::Status("CC"), Search::Cancelled];

/// A page of the cancel requests made in a window. Requests are listed by day: neighbours of the borders come along.
///
/// The first page holds all open ones: a request can show under two words (sheet 4.9), and is told once. They are few:
/// each waits for the seller.
pub(super) async fn requests(
    api: &Api,
    cx: &Context,
    window: Window,
    cursor: Option<&PageCursor>,
) -> Result<CancelPage> {
    let operation = Operation::ListCancellations;
    let Some(days) = days(window, api.config().zone(), 0) else { return Ok(CancelPage::default()) };
    let spans = spans(days);
    let (receipts, unreadable, next) = match cursor {
        None => {
            let (receipts, unreadable) = receipts::all(api, cx, operation, OPEN, &spans).await?;
            (receipts, unreadable, Some(Place::default()))
        }
        Some(cursor) => {
            let place = Place::begin(Some(cursor), CLOSED.len(), spans.len())?;
            receipts::page(api, cx, operation, CLOSED, &spans, &place).await?
        }
    };
    let mut page = CancelPage { unreadable, ..CancelPage::default() };
    for receipt in &receipts {
        match requests_of(receipt) {
            Ok(requests) => page.requests.extend(requests),
            Err(row) => page.unreadable.push(row),
        }
    }
    page.next = next.map(|place| place.cursor());
    Ok(page)
}

/// A receipt's requests to cancel, one for each box. Returns are none.
fn requests_of(receipt: &Receipt) -> Result<Vec<CancelRequest>, UnreadableRow> {
    let is_return = |claim: Claim| matches!(claim, Claim::Returning | Claim::Returned | Claim::Ended);
    let mut requests: Vec<CancelRequest> = Vec::new();
    for item in receipt.items.iter().filter(|item| !is_return(item.claim)) {
        if item.box_id.is_empty() {
            let reason = format!("cancel request {} of order {} names no box", receipt.id, receipt.order);
            return Err(UnreadableRow::new(None, reason, receipt.raw.clone()));
        }
        let open = item.claim != Claim::Cancelled;
        if let Some(known) = requests.iter_mut().find(|known| known.order.as_str() == item.box_id) {
            known.open |= open;
            continue;
        }
        let mut request = CancelRequest::new(OrderId::from(item.box_id.as_str()), open);
        request.id = Some(receipt.id.clone());
        request.requested_at = receipt.created_at;
        request.reason = Private::new(receipt.reason.clone());
        requests.push(request);
    }
    Ok(requests)
}

/// What can be decided in Korea. In Taiwan requests can't be decided by API (sheet 4.9).
pub(super) const KOREA: &[CancelAction] =
    &[CancelAction::Accept, CancelAction::Refuse, CancelAction::CancelBySeller];
/// What can be decided in Taiwan.
pub(super) const TAIWAN: &[CancelAction] = &[CancelAction::CancelBySeller];

/// Decides, one order after the other.
pub(super) async fn decide(
    api: &Api,
    cx: &Context,
    decisions: &[CancelDecision<'_>],
) -> Result<Vec<Outcome<()>>> {
    each(
        decisions.iter().map(|decision| decide_one(api, cx, decision)).collect(),
        PARALLEL,
        Outcome::from_error,
    )
    .await
}

async fn decide_one(api: &Api, cx: &Context, decision: &CancelDecision<'_>) -> Result<Outcome<()>> {
    if !api.config().market.cancel_actions().contains(&decision.action) {
        return Ok(refused("this market takes no such decision by API"));
    }
    match decision.action {
        CancelAction::Accept | CancelAction::Refuse => answer_requests(api, cx, decision).await,
        CancelAction::CancelBySeller => cancel_by_seller(api, cx, decision).await,
    }
}

fn refused<T>(why: &str) -> Outcome<T> {
    Outcome::Refused(Refusal::new("", why))
}

/// Answers the open requests on a box. They are looked up anew: the buyer can have taken them back.
async fn answer_requests(api: &Api, cx: &Context, decision: &CancelDecision<'_>) -> Result<Outcome<()>> {
    let operation = Operation::DecideCancellation;
    let first = ordered_on(decision.order, api.config());
    let (receipts, _) = receipts::since(api, cx, operation, OPEN, first).await?;
    let open = match open_requests(decision, &receipts) {
        Ok(open) => open,
        Err(no) => return Ok(Outcome::Refused(no)),
    };
    let keys = api.keys()?;
    let mut answered = 0;
    for receipt in open {
        let ask = match decision_ask(decision, receipt, &keys) {
            Ok(ask) => ask?,
            Err(no) => return Ok(Outcome::Refused(no)),
        };
        // A repeat would be refused although the first was done: it is not repeated (sheet 4.9).
        let outcome = match api.write(cx, operation, Nature::UnsafeWrite, &ask).await {
            Ok(answer) => decision_result(&answer.body).map_err(Error::with_unknown_effect)?,
            Err(error) if answered == 0 => return Err(error),
            Err(_) => unclear("one of the requests on the order was answered, another not"),
        };
        match outcome {
            Outcome::Done(()) => answered += 1,
            _ if answered > 0 => {
                return Ok(unclear("one of the requests on the order was answered, another not"));
            }
            outcome => return Ok(outcome),
        }
    }
    Ok(Outcome::Done(()))
}

/// The open requests on the decision's box. A request is answered as a whole: one that covers other boxes too is left to
/// a person.
fn open_requests<'a>(
    decision: &CancelDecision<'_>,
    receipts: &'a [Receipt],
) -> Result<Vec<&'a Receipt>, Refusal> {
    let box_id = decision.order.id.as_str();
    let order_id = kept(decision.order).order;
    let open: Vec<&Receipt> = receipts
        .iter()
        .filter(|receipt| {
            let one = std::slice::from_ref(*receipt);
            receipts::concerning(one, &order_id, box_id).any(|item| item.claim == Claim::Open)
        })
        .collect();
    if open.is_empty() {
        return Err(Refusal::new("", "no cancel request is open on this order").reread());
    }
    if open.iter().any(|receipt| receipt.items.iter().any(|item| item.box_id != box_id)) {
        return Err(Refusal::new("", "the request covers other boxes of the order too: decide it in Wing"));
    }
    Ok(open)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Stopped<'a> {
    vendor_id: &'a str,
    receipt_id: u64,
    cancel_count: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shipped<'a> {
    vendor_id: &'a str,
    receipt_id: u64,
    delivery_company_code: String,
    invoice_number: String,
}

/// Asks to accept a request (the shipment is stopped) or to refuse it (the goods have left).
pub(super) fn decision_ask(
    decision: &CancelDecision<'_>,
    receipt: &Receipt,
    keys: &Keys,
) -> Result<Result<Ask>, Refusal> {
    let no = |why: &str| Refusal::new("", why);
    let id = number(&receipt.id).ok_or_else(|| no("the request's id is no number"))?;
    let vendor = keys.vendor.as_str();
    let path =
        |act: &str| format!("/v2/providers/openapi/apis/api/v4/vendors/{vendor}/returnRequests/{id}/{act}");
    if decision.action == CancelAction::Accept {
        let pieces = receipt
            .pieces
            .filter(|n| *n > 0)
            .ok_or_else(|| no("the request's number of pieces can't be read"))?;
        let body = Stopped { vendor_id: vendor, receipt_id: id, cancel_count: pieces };
        return Ok(Ask::put(Function::StoppedShipment, path("stoppedShipment")).json(&body));
    }
    let tracking = parcel_of(decision).ok_or_else(|| {
        no("to refuse, the parcel must have left: give its carrier and waybill number as memo, like \"CJGLS 123456789012\"")
    })?;
    let body = Shipped {
        vendor_id: vendor,
        receipt_id: id,
        delivery_company_code: carrier(&tracking)?.0,
        invoice_number: waybill(&tracking)?,
    };
    Ok(Ask::put(Function::CompletedShipment, path("completedShipment")).json(&body))
}

/// The parcel that has left: as the memo names it, carrier and number, else as the order shows it. A request comes before
/// the waybill is uploaded, so the order mostly shows none.
fn parcel_of(decision: &CancelDecision<'_>) -> Option<Tracking> {
    let named = decision.memo.and_then(|memo| {
        let (carrier, number) = memo.trim().rsplit_once(char::is_whitespace)?;
        let tracking = Tracking::new(carrier.trim(), number);
        // Else it is a word to the buyer.
        let sound = number.contains(|c: char| c.is_ascii_digit())
            && super::carriers::code(&tracking.carrier).is_some()
            && waybill(&tracking).is_ok();
        sound.then_some(tracking)
    });
    named.or_else(|| decision.order.tracking.first().cloned())
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Decided<'a> {
    #[serde(borrow)]
    result_code: Text<'a>,
    #[serde(borrow)]
    result_message: Text<'a>,
}

/// What became of a decision. Anything but SUCCESS and FAIL leaves it open.
///
/// # Errors
/// `MalformedResponse` when it can't be read.
pub(super) fn decision_result(body: &[u8]) -> Result<Outcome<()>> {
    let body = body_text(body);
    let decided: Decided<'_> = object("result", Envelope::read(&body)?.data)?;
    Ok(match decided.result_code.trim() {
        "SUCCESS" => Outcome::Done(()),
        "FAIL" => Outcome::Refused(Refusal::new("FAIL", decided.result_message.trim()).reread()),
        _ => unclear("the answer does not say whether the decision was taken"),
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Cancel<'a> {
    order_id: u64,
    vendor_item_ids: Vec<u64>,
    receipt_counts: Vec<u32>,
    big_cancel_code: &'static str,
    middle_cancel_code: &'static str,
    user_id: &'a str,
    vendor_id: &'a str,
}

/// Asks to cancel what is outstanding of a box, as seller.
pub(super) fn cancel_ask(decision: &CancelDecision<'_>, keys: &Keys) -> Result<Result<Ask>, Refusal> {
    let no = |why: &str| Refusal::new("", why);
    let order = decision.order;
    if !matches!(order.status, OrderStatus::New | OrderStatus::Confirmed) {
        return Err(no("only an order that is not shipped can be cancelled by the seller").reread());
    }
    // The other two reasons of the channel are an error at a partner's site and a wrong price: none of ours.
    if decision.reason != CancelReason::OutOfStock {
        return Err(no(
            "the channel lets a seller cancel only for want of stock; other reasons are decided in Wing",
        ));
    }
    let user = keys
        .user
        .as_deref()
        .ok_or_else(|| no("cancelling as seller needs wing_user_id in the credentials"))?;
    let order_id = number(&kept(order).order).ok_or_else(|| no("the order number is not known"))?;
    let mut pieces: Vec<(u64, u32)> = Vec::new();
    for line in order.lines.iter().filter(|line| line.outstanding() > 0) {
        let id = number(&line.listing.option).ok_or_else(|| no("a line has no vendorItemId"))?;
        match pieces.iter_mut().find(|(known, _)| *known == id) {
            Some((_, count)) => *count = count.saturating_add(line.outstanding()),
            None => pieces.push((id, line.outstanding())),
        }
    }
    if pieces.is_empty() {
        return Err(no("nothing of the order is left to cancel").reread());
    }
    let (vendor_item_ids, receipt_counts) = pieces.into_iter().unzip();
    let body = Cancel {
        order_id,
        vendor_item_ids,
        receipt_counts,
        big_cancel_code: "CANERR",
        middle_cancel_code: "CCTTER",
        user_id: user,
        vendor_id: &keys.vendor,
    };
    let path = format!("/v2/providers/openapi/apis/api/v5/vendors/{}/orders/{order_id}/cancel", keys.vendor);
    Ok(Ask::post(Function::CancelOrder, path).json(&body))
}

async fn cancel_by_seller(api: &Api, cx: &Context, decision: &CancelDecision<'_>) -> Result<Outcome<()>> {
    let ask = match cancel_ask(decision, &api.keys()?) {
        Ok(ask) => ask?,
        Err(no) => return Ok(Outcome::Refused(no)),
    };
    let answer = api.write(cx, Operation::DecideCancellation, Nature::UnsafeWrite, &ask).await?;
    cancel_result(&answer.body, decision).map_err(Error::with_unknown_effect)
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Cancelled<'a> {
    #[serde(borrow)]
    receipt_map: Option<std::collections::HashMap<String, CancelledPart<'a>>>,
    #[serde(borrow)]
    failed_vendor_item_ids: Option<Vec<Text<'a>>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct CancelledPart<'a> {
    #[serde(borrow)]
    vendor_item_ids: Option<Vec<Text<'a>>>,
}

/// What became of a cancellation: each option is in a receipt or among the failed. Where only a part was cancelled, or
/// one is in neither, the order must be read.
///
/// # Errors
/// `MalformedResponse` when it can't be read.
pub(super) fn cancel_result(body: &[u8], decision: &CancelDecision<'_>) -> Result<Outcome<()>> {
    let body = body_text(body);
    let envelope = Envelope::read(&body)?;
    let result: Cancelled<'_> = object("result", envelope.data)?;
    let parts = result.receipt_map.iter().flat_map(|map| map.values());
    let done: Vec<&str> =
        parts.flat_map(|part| part.vendor_item_ids.iter().flatten()).filter_map(Text::filled).collect();
    let failed: Vec<&str> = result.failed_vendor_item_ids.iter().flatten().filter_map(Text::filled).collect();
    let wanted: Vec<&str> = decision
        .order
        .lines
        .iter()
        .filter(|line| line.outstanding() > 0)
        .map(|line| line.listing.option.as_str())
        .collect();
    let all = |list: &[&str]| wanted.iter().all(|option| list.contains(option));
    Ok(if all(&done) && failed.is_empty() {
        Outcome::Done(())
    } else if all(&failed) && done.is_empty() {
        Outcome::Refused(Refusal::new("", envelope.message.trim()).reread())
    } else {
        unclear("only a part of the order was cancelled: read it")
    })
}
