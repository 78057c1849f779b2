//! Cancellations: seeing them, and cancelling as seller. Buyers can't ask for one (sheet 4.7).

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::channel::{
    CancelAction, CancelDecision, CancelPage, CancelReason, CancelRequest, Context, Operation, Outcome,
    PageCursor, Refusal, UnreadableRow, each,
};
use crate::error::{Error, Result};
use crate::http::Nature;
use crate::lenient::{Text, body_text};
use crate::model::{OrderId, OrderStatus, Private, RawPayload, Window};

use super::api::{Api, PARALLEL};
use super::documents::{CANCEL, CANCELLED};
use super::errors::refusal;
use super::fetch::borders;
use super::orders::row_id;
use super::parts::{Id, time};
use super::status::Choices;
use super::wire::{Answer, Connection, user_errors};

/// There is no request to accept or refuse.
pub(super) const ACTIONS: &[CancelAction] = &[CancelAction::CancelBySeller];

/// Cancelled orders in one page: three small fields each.
const PAGE: u32 = 100;

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct CancelRow<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    cancelled_at: Text<'a>,
    #[serde(borrow)]
    cancel_reason: Text<'a>,
}

/// The search for what was cancelled in a window. It has no end: an order that changes after its cancellation would
/// leave it, and no search goes by the time of the cancellation.
pub(super) fn terms(window: Window) -> String {
    format!("status:cancelled updated_at:>='{}'", borders(window).0)
}

/// A page of orders that were cancelled in the window, as requests that are closed.
pub(super) fn cancelled(body: &[u8], window: Window) -> Result<CancelPage> {
    let text = body_text(body);
    let answer = Answer::read(&text)?;
    let page: Connection<'_> = answer.root(&CANCELLED)?;
    let next = page.next()?;
    let mut found = CancelPage { next: next.map(PageCursor::new), ..CancelPage::default() };
    for raw in page.nodes.ok_or_else(|| Error::malformed("the page has no rows"))? {
        let text = raw.map_or("null", RawValue::get);
        let unread = |why: &str| UnreadableRow::new(raw.and_then(row_id), why, RawPayload::new(text));
        let Ok(row) = serde_json::from_str::<CancelRow<'_>>(text) else {
            found.unreadable.push(unread("the row is not an order"));
            continue;
        };
        match (row.id.filled(), time(&row.cancelled_at)) {
            (Some(id), Some(at)) if window.contains(at) => {
                let mut request = CancelRequest::new(OrderId::from(id), false);
                request.requested_at = Some(at);
                request.reason = Private::new(row.cancel_reason.trim().to_owned());
                found.requests.push(request);
            }
            (Some(_), Some(_)) => {}
            _ => found.unreadable.push(unread("the order's id or the time of its cancellation is missing")),
        }
    }
    Ok(found)
}

/// A page of what was cancelled in a window.
pub(super) async fn requests(
    api: &Api,
    cx: &Context,
    window: Window,
    cursor: Option<&PageCursor>,
) -> Result<CancelPage> {
    #[derive(Serialize)]
    struct Variables<'a> {
        first: u32,
        after: Option<&'a str>,
        query: String,
    }
    if window.is_empty() {
        return Ok(CancelPage::default());
    }
    let after = cursor.map(PageCursor::as_str);
    let variables = Variables { first: PAGE, after, query: terms(window) };
    let answer = api.call(cx, Operation::ListCancellations, Nature::Read, &CANCELLED, variables).await?;
    cancelled(&answer.body, window)
}

/// What is sent to cancel an order.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Cancel {
    order_id: String,
    reason: &'static str,
    restock: bool,
    notify: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    refund: Option<Refund>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Refund {
    original_payment_methods_refund: bool,
}

/// What is sent for a decision.
///
/// # Errors
/// The outcome, where nothing is to be sent.
pub(super) fn cancel(decision: &CancelDecision<'_>, choices: &Choices) -> Result<Cancel, Outcome<()>> {
    if decision.action != CancelAction::CancelBySeller {
        let text = "buyers can't ask for a cancellation at Shopify: there is nothing to accept or refuse";
        return Err(Outcome::Refused(Refusal::new("", text)));
    }
    if decision.order.status == OrderStatus::Cancelled {
        return Err(Outcome::AlreadyDone);
    }
    let reason = match decision.reason {
        CancelReason::BuyerRequest => "CUSTOMER",
        CancelReason::OutOfStock => "INVENTORY",
        _ => "OTHER",
    };
    Ok(Cancel {
        order_id: decision.order.id.to_string(),
        reason,
        // What was never there must not come back for sale; anything else is still on the shelf.
        restock: decision.reason != CancelReason::OutOfStock,
        notify: choices.cancel_mails,
        refund: choices.cancel_refunds.then_some(Refund { original_payment_methods_refund: true }),
        note: decision
            .memo
            .map(str::trim)
            .filter(|memo| !memo.is_empty())
            .map(|m| m.chars().take(255).collect()),
    })
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Payload<'a> {
    #[serde(borrow)]
    job: Option<Id<'a>>,
    #[serde(borrow)]
    order_cancel_user_errors: Option<&'a RawValue>,
}

/// What became of a cancellation: the channel took it, and carries it out in the background. The order shows it.
///
/// # Errors
/// `MalformedResponse` when the answer does not say.
pub(super) fn result(body: &[u8]) -> Result<Outcome<()>> {
    let text = body_text(body);
    let answer = Answer::read(&text)?;
    let payload: Payload<'_> = answer.root(&CANCEL)?;
    if let Some(error) = user_errors(payload.order_cancel_user_errors)?.first() {
        if error.code == "INTERNAL_ERROR" {
            return Err(Error::malformed("the channel failed inside while it cancelled"));
        }
        return Ok(Outcome::Refused(refusal(error).reread()));
    }
    match payload.job.and_then(|job| job.id.filled().map(drop)) {
        Some(()) => Ok(Outcome::Done(())),
        None => Err(Error::malformed("the answer names no job")),
    }
}

/// Cancels orders, one call each.
pub(super) async fn decide(
    api: &Api,
    cx: &Context,
    decisions: &[CancelDecision<'_>],
) -> Result<Vec<Outcome<()>>> {
    let choices = Choices::of(cx)?;
    let calls = decisions.iter().map(|decision| one(api, cx, decision, &choices));
    each(calls.collect(), PARALLEL, Outcome::from_error).await
}

async fn one(
    api: &Api,
    cx: &Context,
    decision: &CancelDecision<'_>,
    choices: &Choices,
) -> Result<Outcome<()>> {
    let variables = match cancel(decision, choices) {
        Ok(variables) => variables,
        Err(outcome) => return Ok(outcome),
    };
    // It gives money back: never twice.
    let nature = Nature::UnsafeWrite;
    let answer = api.call(cx, Operation::DecideCancellation, nature, &CANCEL, variables).await?;
    result(&answer.body).map_err(Error::with_unknown_effect)
}
