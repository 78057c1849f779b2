//! Cancellations: listing requests, cancelling as seller, fixing a request (sheet 4.8).

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::channel::{
    CancelAction, CancelDecision, CancelPage, CancelReason, CancelRequest, Context, Operation, Outcome,
    PageCursor, Refusal, UnreadableRow, each,
};
use crate::error::{Error, Result, Retry};
use crate::http::Nature;
use crate::lenient::{Text, body_text, object};
use crate::model::{Order, OrderId, OrderStatus, Private, RawPayload, Window};

use super::auth::{Api, Ask, PARALLEL};
use super::errors::Function;
use super::orders::{Search, get_ask, raw_rows, turn};
use super::row::Kept;
use super::window::LONGEST;
use super::wire::{DayEnd, Said, Sort, time};

/// What can be decided by API. Refusing is done in RMS (sheet 4.8).
pub(super) const ACTIONS: &[CancelAction] = &[CancelAction::Accept, CancelAction::CancelBySeller];

/// Open requests and fixed cancellations. No search goes by the date of a request: the orders of the 62 days before are
/// looked through.
const SEARCH: Search = Search { dates: &[1], progress: &[800, 900] };

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct CancelRow<'a> {
    #[serde(borrow)]
    order_number: Text<'a>,
    #[serde(borrow)]
    order_progress: Text<'a>,
    #[serde(borrow, rename = "ChangeReasonModelList")]
    changes: Option<Vec<Change<'a>>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Change<'a> {
    #[serde(borrow)]
    change_id: Text<'a>,
    #[serde(borrow)]
    change_type: Text<'a>,
    #[serde(borrow)]
    change_reason_detail: Text<'a>,
    #[serde(borrow)]
    change_apply_datetime: Text<'a>,
}

impl Change<'_> {
    /// Applied for, fixed, completed, taken back: 0 to 3. The others are about changes and confirmations.
    fn is_cancellation(&self) -> bool {
        matches!(self.change_type.integer(), Some(0..=3))
    }

    fn applied_at(&self) -> Option<DateTime<Utc>> {
        time(&self.change_apply_datetime, DayEnd::First)
    }
}

/// The requests on the orders of these numbers that were made in a window. An open one whose time is not told is listed
/// too; a number whose order is not given counts as a row that can't be read.
///
/// # Errors
/// `MalformedResponse` when the answer as a whole can't be read.
pub(super) fn requests_result(
    body: &[u8],
    numbers: &[&str],
    window: Window,
) -> Result<(Vec<CancelRequest>, Vec<UnreadableRow>)> {
    let body = body_text(body);
    let (mut requests, mut unreadable) = (Vec::new(), Vec::new());
    let mut missing: Vec<&str> = numbers.to_vec();
    for raw in raw_rows(&body)? {
        match request(raw) {
            Ok(request) => {
                missing.retain(|number| *number != request.order.as_str());
                let made_in = request.requested_at.map_or(request.open, |at| window.contains(at));
                requests.extend(made_in.then_some(request));
            }
            Err(row) => unreadable.push(row),
        }
    }
    unreadable.extend(missing.into_iter().map(|number| {
        let reason = "the channel lists this order and does not give it";
        UnreadableRow::new(Some(OrderId::from(number)), reason, RawPayload::default())
    }));
    Ok((requests, unreadable))
}

fn request(raw: &RawValue) -> Result<CancelRequest, UnreadableRow> {
    let bad = |reason| UnreadableRow::new(None, reason, RawPayload::new(raw.get()));
    let row: CancelRow<'_> =
        object("the row", raw.get()).map_err(|_| bad("the row has another shape than documented"))?;
    let id = row.order_number.filled().ok_or_else(|| bad("the order number is missing"))?;
    let mut request = CancelRequest::new(OrderId::from(id), row.order_progress.integer() == Some(800));
    let changes = row.changes.iter().flatten().filter(|change| change.is_cancellation());
    if let Some(change) = changes.max_by_key(|change| change.applied_at()) {
        request.id = change.change_id.filled().map(str::to_owned);
        request.requested_at = change.applied_at();
        request.reason = Private::new(reason(change.change_reason_detail.integer()).to_owned());
    }
    Ok(request)
}

/// `changeReasonDetail` in Rakuten's words.
fn reason(detail: Option<i64>) -> &'static str {
    match detail {
        Some(1) => "キャンセル",
        Some(2) => "受取後の返品",
        Some(3) => "長期不在による受取拒否",
        Some(4) => "未入金",
        Some(5) => "代引決済の受取拒否",
        Some(6) => "お客様都合 - その他",
        Some(8) => "欠品",
        Some(10) => "店舗様都合 - その他",
        Some(13) => "発送遅延",
        Some(14) => "顧客・配送対応注意表示",
        Some(15) => "返品(破損・品間違い)",
        _ => "",
    }
}

/// The orders to look through for requests made in a window.
pub(super) fn looked_through(window: Window) -> Window {
    let before = TimeDelta::try_seconds(LONGEST).unwrap_or_default();
    Window::new(window.from.checked_sub_signed(before).unwrap_or(window.from), window.to)
}

/// A page of the cancel requests made in a window.
pub(super) async fn requests(
    api: &Api,
    cx: &Context,
    window: Window,
    cursor: Option<&PageCursor>,
) -> Result<CancelPage> {
    if window.is_empty() {
        return Ok(CancelPage::default());
    }
    let operation = Operation::ListCancellations;
    let orders = looked_through(window);
    let Some((numbers, next)) = turn(api, cx, operation, &SEARCH, orders, cursor).await? else {
        return Ok(CancelPage::default());
    };
    if numbers.is_empty() {
        return Ok(CancelPage { next, ..CancelPage::default() });
    }
    let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
    let answer = api.read(cx, operation, &get_ask(&numbers)?).await?;
    let (requests, unreadable) = requests_result(&answer.body, &numbers, window)?;
    Ok(CancelPage { requests, unreadable, next })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    order_number: &'a str,
    inventory_restore_type: u32,
    change_reason_detail_apply: u32,
}

/// Cancels an order.
///
/// # Errors
/// `InvalidInput` when it can't be written.
pub(super) fn ask(function: Function, decision: &CancelDecision<'_>) -> Result<Ask> {
    let reason = match (decision.action, decision.reason) {
        (CancelAction::Accept, _) | (_, CancelReason::BuyerRequest) => 1,
        (_, CancelReason::OutOfStock) => 8,
        (_, CancelReason::Delay) => 13,
        // The buyer's side, other.
        (_, CancelReason::OrderChanged) => 6,
        // The shop's side, other: nothing finer is for an address that can't be reached.
        (_, CancelReason::CannotDeliver) => 10,
    };
    Ask::json(
        function,
        // Whether pieces go back into stock is as the item says.
        &Body {
            order_number: decision.order.id.as_str(),
            inventory_restore_type: 0,
            change_reason_detail_apply: reason,
        },
    )
}

/// The function that carries a decision out, by the order's state (sheet 4.8).
///
/// # Errors
/// The outcome where there is none.
pub(super) fn function(decision: &CancelDecision<'_>) -> Result<Function, Outcome<()>> {
    let no = |message: &str| Err(Outcome::Refused(Refusal::new("", message).reread()));
    match (decision.action, progress(decision.order)) {
        (CancelAction::Accept | CancelAction::CancelBySeller, Some(900)) => Err(Outcome::AlreadyDone),
        // It fixes the cancellation at once (sheet 4.8).
        (CancelAction::Accept, Some(800)) => Ok(Function::CancelAfterShipping),
        // The same call would cancel a live order.
        (CancelAction::Accept, _) => no("no cancellation waits to be fixed on this order"),
        (CancelAction::CancelBySeller, Some(100..=300)) => Ok(Function::CancelOrder),
        (CancelAction::CancelBySeller, Some(400)) => no("a change waits to be settled in RMS first"),
        (CancelAction::CancelBySeller, Some(500..=700)) => Ok(Function::CancelAfterShipping),
        (CancelAction::CancelBySeller, Some(800)) => {
            no("its cancellation waits to be fixed already: accept it instead")
        }
        (CancelAction::CancelBySeller, _) => no("the order's state is not known"),
        _ => Err(Outcome::Refused(Refusal::new(
            "",
            "Rakuten takes no refusal of a cancel request by API: refuse it in RMS",
        ))),
    }
}

fn progress(order: &Order) -> Option<i64> {
    let kept = order.channel_data.read::<Kept>().map(|kept| kept.progress).filter(|progress| *progress > 0);
    // An order that was kept without it: its state says as much.
    kept.or(match order.status {
        OrderStatus::New => Some(100),
        OrderStatus::Confirmed => Some(300),
        OrderStatus::Shipped => Some(500),
        OrderStatus::Cancelled => Some(900),
        _ => None,
    })
}

/// What became of a decision.
///
/// # Errors
/// `MalformedResponse` when the answer can't be read.
pub(super) fn result(body: &[u8], order: &OrderId) -> Result<Outcome<()>> {
    let body = body_text(body);
    let messages = Said::read(&body)?.into_messages()?;
    // One order was asked for; a message that names another is about something else.
    let about = || messages.iter().filter(|message| message.order().is_none_or(|id| id == order.as_str()));
    let done = about().any(|message| message.is_done(&["_INFO_101"]));
    Ok(match (about().find(|message| message.sort() == Sort::Error), done) {
        (Some(error), false) => Outcome::Refused(Refusal::new(error.code(), error.message.trim()).reread()),
        (None, true) => Outcome::Done(()),
        _ => Outcome::Unknown(
            Error::malformed("the answer says neither yes nor no about the order")
                .with_retry(Retry::Later)
                .with_unknown_effect(),
        ),
    })
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
    let function = match function(decision) {
        Ok(function) => function,
        Err(outcome) => return Ok(outcome),
    };
    // A repeat would be answered with a refusal although the first was done: it is not repeated.
    let ask = ask(function, decision)?;
    let answer = api.write(cx, Operation::DecideCancellation, Nature::UnsafeWrite, &ask).await?;
    result(&answer.body, &decision.order.id).map_err(Error::with_unknown_effect)
}
