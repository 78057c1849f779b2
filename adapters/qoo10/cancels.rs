//! Claims: seeing them beside orders, listing cancel requests, cancelling (sheet 4.6, 5).

use std::collections::{BTreeSet, HashMap};

use chrono::NaiveDate;

use crate::channel::{
    CancelAction, CancelDecision, CancelPage, CancelReason, CancelRequest, Context, Operation, Outcome,
    PageCursor, Refusal, UnreadableRow, each,
};
use crate::error::{Error, ErrorKind, Result};
use crate::http::Nature;
use crate::model::{CancelState, Order, OrderId, OrderStatus, Private, RawPayload, Window};

use super::auth::{Api, Form, PARALLEL};
use super::errors::{Method, refusal};
use super::window::{DAY, Piece};
use super::wire::{Envelope, row, status_number, text, time};

/// The claims that an order can have before it is shipped, in the order in which one becomes the next: a claim that
/// moves on between two searches is found by the later one. Whether a search without `ClaimStat` finds all is not
/// documented, so each is asked for.
const BEFORE_SHIPPING: [u32; 4] = [1, 2, 3, 16];
/// Cancel requests, open and closed.
const REQUESTS: [u32; 3] = [1, 2, 3];
/// The claim search refuses more than 90 days (-10003); whole days at both ends take one.
const MOST_DAYS: i64 = 89;

/// What an order's `claimStatus` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claim {
    None,
    CancelOpen,
    Cancelled,
    Returned,
    /// Return, exchange, not received.
    Other,
    /// A claim whose number is not known.
    Unknown,
}

impl Claim {
    /// Reads `claimStatus`: empty or 0 is no claim; anything else is one, known or not.
    pub(super) fn read(text: &str) -> Self {
        let text = text.trim();
        match status_number(text) {
            None if text.is_empty() => Self::None,
            Some(0) => Self::None,
            Some(1 | 2) => Self::CancelOpen,
            Some(3 | 16) => Self::Cancelled,
            Some(6) => Self::Returned,
            Some(4 | 5 | 11..=15) => Self::Other,
            _ => Self::Unknown,
        }
    }

    /// A claim wins over the shipping status (sheet 5).
    pub(super) fn apply(self, order: &mut Order) {
        match self {
            Self::None => return,
            Self::CancelOpen => order.cancel = CancelState::Requested,
            Self::Cancelled => {
                order.status = OrderStatus::Cancelled;
                order.cancel = CancelState::None;
            }
            Self::Returned => {
                order.status = OrderStatus::Returned;
                order.cancel = CancelState::ReturnOrExchange;
            }
            Self::Other => order.cancel = CancelState::ReturnOrExchange,
            Self::Unknown if order.status.is_past_dispatch() => order.cancel = CancelState::ReturnOrExchange,
            // Before shipping it may be a cancellation: nothing is done to the order until it is understood.
            Self::Unknown => order.status = OrderStatus::Unknown,
        }
        for line in &mut order.lines {
            if matches!(self, Self::Cancelled) {
                line.cancelled = line.quantity;
                line.shipped = 0;
            }
            line.status = order.status;
        }
    }
}

row! {
    /// A row of `GetClaimInfo_V3`.
    ClaimRow {
        order_no: "orderno",
        claim: "claimstatus",
        requested: "requestdate",
        reason: "reason",
    }
}

/// Which date a claim search goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ClaimDate {
    Ordered,
    Requested,
}

/// The form of a claim search.
pub(super) fn claim_form(status: u32, by: ClaimDate, from: String, to: String) -> Form {
    let condition = match by {
        ClaimDate::Ordered => "1",
        ClaimDate::Requested => "2",
    };
    vec![
        ("ClaimStat", status.to_string()),
        ("search_Sdate", from),
        ("search_Edate", to),
        ("search_condition", condition.to_owned()),
    ]
}

/// A claim as it was found.
pub(super) struct Found {
    pub(super) order: OrderId,
    pub(super) claim: Claim,
    pub(super) request: CancelRequest,
}

/// The claims of a search; `asked` stands in for a row without its own status.
///
/// # Errors
/// `MalformedResponse` when the answer as a whole can't be read.
pub(super) fn claim_result(
    body: &[u8],
    asked: u32,
    zone: chrono_tz::Tz,
) -> Result<(Vec<Found>, Vec<UnreadableRow>)> {
    let body = text(body);
    let (mut found, mut unreadable) = (Vec::new(), Vec::new());
    for raw in Envelope::read(&body)?.rows()? {
        let row = serde_json::from_str::<ClaimRow<'_>>(raw.get()).unwrap_or_default();
        let number = row.order_no.trim();
        if number.is_empty() || number == "0" {
            let reason = "a claim without an order number";
            unreadable.push(UnreadableRow::new(None, reason, RawPayload::new(raw.get())));
            continue;
        }
        let claim = match Claim::read(&row.claim) {
            Claim::None => Claim::read(&asked.to_string()),
            claim => claim,
        };
        let order = OrderId::from(number);
        let mut request = CancelRequest::new(order.clone(), claim == Claim::CancelOpen);
        request.requested_at = time(&row.requested, zone);
        request.reason = Private::new(row.reason.trim().to_owned());
        found.push(Found { order, claim, request });
    }
    Ok((found, unreadable))
}

/// The claims on orders that were made on these days, by order. The search goes by order date, so that it finds the
/// claim whenever it was made.
pub(super) async fn claims_of(
    api: &Api,
    cx: &Context,
    days: BTreeSet<NaiveDate>,
) -> Result<(HashMap<OrderId, Claim>, Vec<UnreadableRow>)> {
    let (mut claims, mut unreadable) = (HashMap::new(), Vec::new());
    for (first, last) in spans(&days) {
        for status in BEFORE_SHIPPING {
            let from = first.format("%Y%m%d000000").to_string();
            let to = last.format("%Y%m%d235959").to_string();
            let form = claim_form(status, ClaimDate::Ordered, from, to);
            let answer = api.call(cx, Operation::FetchOrders, Nature::Read, Method::ClaimInfo, form).await?;
            let (found, unread) = claim_result(&answer.body, status, api.config().zone)?;
            // A later status is further on: it replaces what an earlier search found.
            claims.extend(found.into_iter().map(|found| (found.order, found.claim)));
            unreadable.extend(unread);
        }
    }
    Ok((claims, unreadable))
}

/// Spans of at most [`MOST_DAYS`] days that cover these days.
pub(super) fn spans(days: &BTreeSet<NaiveDate>) -> Vec<(NaiveDate, NaiveDate)> {
    let mut spans: Vec<(NaiveDate, NaiveDate)> = Vec::new();
    for day in days {
        match spans.last_mut() {
            Some((first, last)) if (*day - *first).num_days() < MOST_DAYS => *last = *day,
            _ => spans.push((*day, *day)),
        }
    }
    spans
}

/// A page of the cancel requests made in a window: one claim status of one piece of it. The cursor is the number of
/// the status among [`REQUESTS`], a slash, and the piece.
pub(super) async fn requests(
    api: &Api,
    cx: &Context,
    window: Window,
    cursor: Option<&PageCursor>,
) -> Result<CancelPage> {
    let (index, rest) = match cursor.map(|cursor| cursor.as_str().split_once('/')) {
        None => (0, None),
        Some(Some((index, rest))) => {
            let index =
                index.parse().map_err(|_| Error::invalid("the page cursor is not of this channel"))?;
            (index, (!rest.is_empty()).then(|| PageCursor::new(rest)))
        }
        Some(None) => return Err(Error::invalid("the page cursor is not of this channel")),
    };
    let (Some(status), Some(piece)) =
        (REQUESTS.get::<usize>(index), Piece::begin(window, rest.as_ref(), 30 * DAY)?)
    else {
        return Ok(CancelPage::default());
    };
    let (from, to) = piece.borders(api.config().zone);
    let form = claim_form(*status, ClaimDate::Requested, from, to);
    let answer = api.call(cx, Operation::ListCancellations, Nature::Read, Method::ClaimInfo, form).await?;
    let (found, unreadable) = claim_result(&answer.body, *status, api.config().zone)?;
    // All pieces of a status, then the next status: a request that moves on meanwhile is found by the later one.
    let next = match piece.next(window) {
        Some(next) => Some(format!("{index}/{}", next.as_str())),
        None => REQUESTS.get(index + 1).map(|_| format!("{}/", index + 1)),
    };
    Ok(CancelPage {
        requests: found.into_iter().map(|found| found.request).collect(),
        unreadable,
        next: next.map(PageCursor::new),
    })
}

/// What can be decided. No method refuses a request (sheet 4.6).
pub(super) const ACTIONS: &[CancelAction] = &[CancelAction::Accept, CancelAction::CancelBySeller];

/// The form of a cancellation.
pub(super) fn cancel_form(decision: &CancelDecision<'_>) -> Form {
    let reason = match decision.reason {
        CancelReason::OutOfStock => "",
        // None of the codes says "the buyer asked"; blank would say "out of stock" and count against the seller.
        CancelReason::BuyerRequest | CancelReason::OrderChanged => "1",
        CancelReason::CannotDeliver => "2",
        CancelReason::Delay => "3",
    };
    vec![
        ("ContrNo", decision.order.id.to_string()),
        ("CancelReason", reason.to_owned()),
        ("SellerMemo", decision.memo.unwrap_or_default().to_owned()),
    ]
}

/// What keeps a decision from being sent.
fn objection(decision: &CancelDecision<'_>) -> Option<Refusal> {
    match decision.action {
        CancelAction::Accept if decision.order.cancel != CancelState::Requested => {
            // The same call cancels as seller: where the buyer took the request back, it would kill a live order.
            Some(Refusal::new("", "no cancel request is open on this order").reread())
        }
        CancelAction::Accept | CancelAction::CancelBySeller => None,
        _ => Some(Refusal::new("", "this channel takes no refusal of a cancel request by API")),
    }
}

/// Cancels, one call each.
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
    if let Some(refusal) = objection(decision) {
        return Ok(Outcome::Refused(refusal));
    }
    // A repeat would answer -10004 although the first was done: it is not repeated (sheet 4.6).
    let called = api
        .call(
            cx,
            Operation::DecideCancellation,
            Nature::UnsafeWrite,
            Method::CancelOrder,
            cancel_form(decision),
        )
        .await;
    match called {
        Ok(_) => Ok(Outcome::Done(())),
        Err(error) => refused(&error, Method::CancelOrder).map_or(Err(error), |no| Ok(Outcome::Refused(no))),
    }
}

/// The refusal in an error of a single call, if it is one by the channel itself.
pub(super) fn refused(error: &Error, method: Method) -> Option<Refusal> {
    let code = channel_code(error)?;
    let is_refusal = error.kind() == ErrorKind::Refused && !error.outcome_unknown();
    is_refusal.then(|| {
        let mut no = refusal(method, code, "");
        no.message = error.message().unwrap_or_default().to_owned();
        no
    })
}

/// The channel's number in an error; a status of HTTP is none.
pub(super) fn channel_code(error: &Error) -> Option<i64> {
    error.code()?.parse().ok()
}
