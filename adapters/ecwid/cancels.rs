//! Cancellations: seeing withdrawals, and cancelling as seller (sheet, cancel and claims).

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::channel::{
    CancelAction, CancelDecision, CancelPage, CancelRequest, Context, Operation, Outcome, PageCursor,
    Refusal, UnreadableRow, each,
};
use crate::error::Result;
use crate::lenient::{Text, body_text, object};
use crate::model::{OrderId, OrderStatus, RawPayload, Window};

use super::auth::{Api, PARALLEL};
use super::confirm::{firsts, not_open, twice, unchanged};
use super::errors::{Endpoint, refused};
use super::orders::{gone, look_now, search_ask, write};
use super::pages::Place;
use super::rows::Look;
use super::status::{Choices, Goods, Payment, status};
use super::wire::{Page, row_id};

/// A withdrawal is decided in the admin: no call accepts or refuses it.
pub(super) const ACTIONS: &[CancelAction] = &[CancelAction::CancelBySeller];

/// What is sent. Nothing is said to the buyer or kept as a reason: `privateAdminNotes` would overwrite the merchant's.
pub(super) const BODY: &str = r#"{"paymentStatus":"CANCELLED"}"#;

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct WithdrawalRow<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    withdrawal_requested: Text<'a>,
    #[serde(borrow)]
    payment_status: Text<'a>,
    #[serde(borrow)]
    fulfillment_status: Text<'a>,
}

/// The withdrawals among the orders of a page. The channel tells neither when nor why nor of which lines, and there is
/// no search for them.
pub(super) fn page_result(body: &[u8], place: &Place, choices: Choices) -> Result<CancelPage> {
    let body = body_text(body);
    let page = Page::read(Endpoint::Orders, &body)?;
    let ids: Vec<Option<String>> = page.rows.iter().map(|raw| row_id(raw)).collect();
    let mut found = CancelPage { next: place.next(&page, &ids)?, ..CancelPage::default() };
    for raw in page.rows {
        match request(raw, choices) {
            Ok(Some(request)) => found.requests.push(request),
            Ok(None) => {}
            Err(why) => found.unreadable.push(UnreadableRow::new(
                row_id(raw).map(OrderId::from),
                why,
                RawPayload::new(raw.get()),
            )),
        }
    }
    Ok(found)
}

fn request(raw: &RawValue, choices: Choices) -> Result<Option<CancelRequest>, &'static str> {
    let row: WithdrawalRow<'_> = object("the row", raw.get()).map_err(|_| "the row is not an order")?;
    let id = row.id.filled().ok_or("the order's id is missing")?;
    if row.withdrawal_requested.flag() != Some(true) {
        return Ok(None);
    }
    let status = status(Payment::read(&row.payment_status), Goods::read(&row.fulfillment_status), choices);
    Ok(Some(CancelRequest::new(OrderId::from(id), !status.is_final())))
}

/// A page of the withdrawals on orders that changed since the window began.
pub(super) async fn requests(
    api: &Api,
    cx: &Context,
    window: Window,
    cursor: Option<&PageCursor>,
) -> Result<CancelPage> {
    if window.is_empty() {
        return Ok(CancelPage::default());
    }
    let place = Place::begin("withdrawals", Some(window), cursor)?;
    let answer = api.read(cx, Operation::ListCancellations, &search_ask(window, &place)).await?;
    page_result(&answer.body, &place, Choices::of(cx))
}

/// Whether an order may be cancelled as it is now. Whether a second CANCELLED puts the goods back on sale once more is
/// not known: an order that is cancelled, or whose goods were put back already, is left alone.
///
/// # Errors
/// The outcome, where nothing is to be sent.
pub(super) fn may_cancel(look: &Look) -> Result<(), Outcome<()>> {
    let no = |code: &str, text: &str| Err(Outcome::Refused(Refusal::new(code, text).reread()));
    match (look.payment, look.goods) {
        (Payment::Cancelled, _) => return Err(Outcome::AlreadyDone),
        (Payment::Incomplete, _) => return no("INCOMPLETE", "this is an abandoned cart, not an order"),
        (_, goods) if goods.have_left() => {
            return no("ALREADY_SHIPPED", "the order is shipped: it can't be cancelled any more");
        }
        (Payment::Refunded, _) => return Err(Outcome::AlreadyDone),
        (_, Goods::WillNotDeliver) => {
            let text = "the order is marked as not to be delivered; whether its goods are back on sale is not known: cancel it in the Ecwid admin";
            return no("WILL_NOT_DELIVER", text);
        }
        _ => {}
    }
    if look.status == OrderStatus::Unknown {
        return Err(Outcome::Refused(not_open(look, OrderStatus::Unknown)));
    }
    if !look.tracking.is_empty() {
        return no("OTHER_TRACKING_NUMBER", "the order has a tracking number: a parcel may be on its way");
    }
    Ok(())
}

/// Decides, an order at a time.
pub(super) async fn decide(
    api: &Api,
    cx: &Context,
    decisions: &[CancelDecision<'_>],
) -> Result<Vec<Outcome<()>>> {
    let firsts = firsts(decisions.iter().map(|decision| decision.order));
    let calls = decisions.iter().zip(firsts).map(|(decision, first)| async move {
        if first { one(api, cx, decision).await } else { Ok(twice()) }
    });
    each(calls.collect(), PARALLEL, Outcome::from_error).await
}

async fn one(api: &Api, cx: &Context, decision: &CancelDecision<'_>) -> Result<Outcome<()>> {
    if decision.action != CancelAction::CancelBySeller {
        let text = "a withdrawal is accepted or refused in the Ecwid admin: there is no call for it";
        return Ok(Outcome::Refused(Refusal::new("UNSUPPORTED", text)));
    }
    let operation = Operation::DecideCancellation;
    let Some(look) = look_now(api, cx, operation, decision.order).await? else {
        return Ok(Outcome::Refused(gone().reread()));
    };
    if let Err(outcome) = may_cancel(&look) {
        return Ok(outcome);
    }
    match write(api, cx, operation, &look, BODY.to_owned()).await {
        Ok(true) => {
            tracing::info!(order = %decision.order.id, "cancelled; Ecwid gives no money back: refund at the payment provider");
            Ok(Outcome::Done(()))
        }
        Ok(false) => {
            let now = look_now(api, cx, operation, decision.order).await?;
            let done = now.is_some_and(|look| look.payment == Payment::Cancelled);
            Ok(if done { Outcome::AlreadyDone } else { Outcome::Refused(unchanged()) })
        }
        Err(error) => refused(&error).map_or(Err(error), |no| Ok(Outcome::Refused(no))),
    }
}
