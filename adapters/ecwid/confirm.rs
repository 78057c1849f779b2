//! Confirming orders: the status PROCESSING (sheet, confirm).

use std::collections::HashSet;

use crate::channel::{ConfirmRequest, Confirmed, Context, Operation, Outcome, Refusal, Repeat, each};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{CancelState, Hold, Order, OrderId, OrderStatus};

use super::auth::{Api, PARALLEL};
use super::errors::refused;
use super::orders::{gone, look_now, write};
use super::rows::Look;
use super::status::Goods;

/// The value is absolute, but the order may have moved on meanwhile, and a late one would pull it back (sheet, what is
/// done twice).
pub(super) const REPEAT: Repeat = Repeat::ReadFirst;

/// What is sent. Whatever is left out stays as it is; lines are never sent, because the list replaces all of them.
pub(super) const BODY: &str = r#"{"fulfillmentStatus":"PROCESSING"}"#;

/// Whether an order may be confirmed as it is now.
///
/// # Errors
/// The outcome, where nothing is to be sent.
pub(super) fn may_confirm(look: &Look) -> Result<(), Outcome<Confirmed>> {
    match look.status {
        OrderStatus::Confirmed => return Err(Outcome::AlreadyDone),
        OrderStatus::New => {}
        status => return Err(Outcome::Refused(not_open(look, status))),
    }
    if look.cancel == CancelState::Requested {
        return Err(Outcome::Refused(withdrawn()));
    }
    match look.holds.first() {
        None => Ok(()),
        Some(_) if look.holds.contains(&Hold::OnHold) => Err(Outcome::Refused(on_hold(look))),
        // It ends when the address is there.
        Some(hold) => {
            let text = format!("the order is held: {}", hold.as_str());
            Err(Outcome::Refused(Refusal::new("ON_HOLD", text).temporary().reread()))
        }
    }
}

/// The refusal of an order that is neither new nor confirmed. What may become so again is asked for again.
pub(super) fn not_open(look: &Look, status: OrderStatus) -> Refusal {
    match status {
        OrderStatus::PendingPayment => Refusal::new("NOT_PAID", "the order is not paid").temporary().reread(),
        OrderStatus::Unknown => {
            let what = if look.goods == Goods::Other { "fulfilment" } else { "payment" };
            let text = format!("the order has a {what} status of the shop's own, which is never acted upon");
            Refusal::new("CUSTOM_STATUS", text).temporary().reread()
        }
        status => Refusal::new("NOT_OPEN", format!("the order is {status} at the channel")).reread(),
    }
}

/// The refusal of an order whose buyer has filed a withdrawal.
pub(super) fn withdrawn() -> Refusal {
    let text = "the buyer has filed a withdrawal: decide about it in the Ecwid admin";
    Refusal::new("WITHDRAWAL_REQUESTED", text).temporary().reread()
}

/// The refusal of an order that is not the seller's to ship, in words.
pub(super) fn on_hold(look: &Look) -> Refusal {
    let text = if look.marks.external {
        "another system ships this order (externalFulfillment)"
    } else if look.marks.pickup {
        "the buyer picks this order up in the shop"
    } else if !look.marks.ships {
        "nothing of this order is shipped"
    } else {
        "a part was refunded, and the channel does not tell which: look at the order in the Ecwid admin"
    };
    Refusal::new("ON_HOLD", text).reread()
}

/// The refusal of a write that the channel took and that changed nothing.
pub(super) fn unchanged() -> Refusal {
    Refusal::new("NOT_CHANGED", "the channel took the update and changed nothing").temporary().reread()
}

/// The outcome of an order that is twice in one call: the first goes, and the next call sees what it did.
pub(super) fn twice<T>() -> Outcome<T> {
    Outcome::NotTried(Error::new(ErrorKind::Busy).with_message("the order is twice in one call"))
}

/// Which of these orders are the first of their id.
pub(super) fn firsts<'a>(orders: impl Iterator<Item = &'a Order>) -> Vec<bool> {
    let mut seen: HashSet<&OrderId> = HashSet::new();
    orders.map(|order| seen.insert(&order.id)).collect()
}

/// Confirms, an order at a time.
pub(super) async fn confirm(
    api: &Api,
    cx: &Context,
    requests: &[ConfirmRequest<'_>],
) -> Result<Vec<Outcome<Confirmed>>> {
    let firsts = firsts(requests.iter().map(|request| request.order));
    let calls = requests.iter().zip(firsts).map(|(request, first)| async move {
        if first { one(api, cx, request.order).await } else { Ok(twice()) }
    });
    each(calls.collect(), PARALLEL, Outcome::from_error).await
}

async fn one(api: &Api, cx: &Context, known: &Order) -> Result<Outcome<Confirmed>> {
    let operation = Operation::Confirm;
    let Some(look) = look_now(api, cx, operation, known).await? else {
        return Ok(Outcome::Refused(gone().reread()));
    };
    if let Err(outcome) = may_confirm(&look) {
        return Ok(outcome);
    }
    match write(api, cx, operation, &look, BODY.to_owned()).await {
        Ok(true) => Ok(Outcome::Done(Confirmed::default())),
        Ok(false) => {
            let now = look_now(api, cx, operation, known).await?;
            let done = now.is_some_and(|look| matches!(may_confirm(&look), Err(Outcome::AlreadyDone)));
            Ok(if done { Outcome::AlreadyDone } else { Outcome::Refused(unchanged()) })
        }
        Err(error) => refused(&error).map_or(Err(error), |no| Ok(Outcome::Refused(no))),
    }
}
