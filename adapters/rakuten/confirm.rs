//! Confirming orders (sheet 4.3): 100 becomes 200, and 300 once the payment is through.

use serde::Serialize;

use crate::channel::{
    ConfirmRequest, Confirmed, Context, Operation, Outcome, Refusal, Repeat, concerns_account, whole,
};
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::http::Nature;
use crate::lenient::body_text;
use crate::model::{CancelState, Order, OrderStatus};

use super::MOST_ORDERS;
use super::auth::{Api, Ask};
use super::errors::{Function, words};
use super::orders;
use super::wire::{Message, Said, Sort};

/// A second confirmation is answered with ERROR_103 and changes nothing (sheet 4.3).
pub(super) const REPEAT: Repeat = Repeat::Safe;

const DONE: &str = "_CONFIRM_ORDER_INFO_101";
/// The order is not waiting for its confirmation: it was confirmed, or cancelled, or a change is under way.
const MOVED: &str = "_CONFIRM_ORDER_ERROR_103";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    order_number_list: Vec<&'a str>,
}

/// Confirms at most 100 orders.
///
/// # Errors
/// `InvalidInput` when it can't be written.
pub(super) fn ask(requests: &[&ConfirmRequest<'_>]) -> Result<Ask> {
    let order_number_list = requests.iter().map(|request| request.order.id.as_str()).collect();
    Ask::json(Function::ConfirmOrder, &Body { order_number_list })
}

/// The outcomes in an answer, found by order number. An order that it leaves out, or about which it contradicts
/// itself, is unknown.
///
/// # Errors
/// `MalformedResponse` when it can't be read; `Refused` when it names no order and says no to the whole call.
pub(super) fn result(body: &[u8], requests: &[&ConfirmRequest<'_>]) -> Result<Vec<Outcome<Confirmed>>> {
    let body = body_text(body);
    let messages = Said::read(&body)?.into_messages()?;
    let general = messages.iter().find(|message| message.sort() == Sort::Error);
    if let Some(error) = general.filter(|_| messages.iter().all(|message| message.order().is_none())) {
        return Err(Error::new(ErrorKind::Refused)
            .with_code(error.code())
            .with_message(error.message.trim()));
    }
    let of = |id: &str| messages.iter().filter(|message| message.order() == Some(id)).collect::<Vec<_>>();
    Ok(requests.iter().map(|request| outcome(&of(request.order.id.as_str()))).collect())
}

fn outcome(messages: &[&Message<'_>]) -> Outcome<Confirmed> {
    let unknown =
        |why| Outcome::Unknown(Error::malformed(why).with_retry(Retry::Later).with_unknown_effect());
    let error = messages.iter().find(|message| message.sort() == Sort::Error);
    let done = messages.iter().any(|message| message.is_done(&[DONE]));
    match (error, done) {
        // Whether it waits for its payment now (200), and its address, are not in the answer: nothing may be shipped
        // before it was read.
        (None, true) => Outcome::Done(Confirmed { reread: true }),
        (Some(error), false) => Outcome::Refused(refusal(error.code(), &error.message)),
        (Some(_), true) => unknown("the answer contradicts itself about this order"),
        (None, false) if messages.is_empty() => unknown("the answer leaves this order out"),
        (None, false) => unknown("the answer says neither yes nor no about this order"),
    }
}

/// The channel's no for one order (sheet 4.3).
pub(super) fn refusal(code: &str, said: &str) -> Refusal {
    let number = code.rsplit_once("_ERROR_").map_or("", |(_, number)| number);
    let meaning = match number {
        "102" => "the order may be cancelled",
        "103" => "the order is not waiting for its confirmation any more",
        "105" => "the shipping fee is not set yet: set it in RMS",
        _ => "",
    };
    let refusal = Refusal::new(code, words(meaning, said)).reread();
    // The merchant sets the fee, and the next cycle confirms.
    if number == "105" { refusal.temporary() } else { refusal }
}

/// Confirms. What is said to have moved on is read, to tell an order that is confirmed from one that is cancelled.
pub(super) async fn confirm(
    api: &Api,
    cx: &Context,
    requests: &[ConfirmRequest<'_>],
) -> Result<Vec<Outcome<Confirmed>>> {
    let requests: Vec<&ConfirmRequest<'_>> = requests.iter().collect();
    let mut outcomes = Vec::with_capacity(requests.len());
    let mut stop: Option<Error> = None;
    for chunk in requests.chunks(MOST_ORDERS) {
        if let Some(error) = &stop {
            outcomes.extend(chunk.iter().map(|_| Outcome::NotTried(error.clone())));
            continue;
        }
        match call(api, cx, chunk).await {
            Ok(done) => outcomes.extend(done),
            // One order may have spoilt the whole call: each goes alone, so that it blocks no other (OC-7).
            Err(error) if error.kind() == ErrorKind::Refused && chunk.len() > 1 => {
                outcomes.extend(one_by_one(api, cx, chunk, &mut stop).await);
            }
            Err(error) => {
                outcomes.extend(chunk.iter().map(|_| Outcome::from_error(&error)));
                stop = concerns_account(&error).then_some(error);
            }
        }
    }
    look_at_moved(api, cx, &requests, &mut outcomes).await;
    whole(outcomes)
}

async fn call(api: &Api, cx: &Context, requests: &[&ConfirmRequest<'_>]) -> Result<Vec<Outcome<Confirmed>>> {
    let answer = api.write(cx, Operation::Confirm, Nature::from(REPEAT), &ask(requests)?).await?;
    result(&answer.body, requests).map_err(|error| match error.kind() {
        ErrorKind::Refused => error,
        // It was sent: an answer that can't be read leaves it open what was done.
        _ => error.with_unknown_effect(),
    })
}

async fn one_by_one(
    api: &Api,
    cx: &Context,
    requests: &[&ConfirmRequest<'_>],
    stop: &mut Option<Error>,
) -> Vec<Outcome<Confirmed>> {
    let mut outcomes = Vec::with_capacity(requests.len());
    for request in requests {
        if let Some(error) = &*stop {
            outcomes.push(Outcome::NotTried(error.clone()));
            continue;
        }
        match call(api, cx, std::slice::from_ref(request)).await {
            Ok(done) => outcomes.extend(done),
            Err(error) => {
                outcomes.push(Outcome::from_error(&error));
                *stop = concerns_account(&error).then_some(error);
            }
        }
    }
    outcomes
}

/// Settles the orders that were not waiting for their confirmation.
async fn look_at_moved(
    api: &Api,
    cx: &Context,
    requests: &[&ConfirmRequest<'_>],
    outcomes: &mut [Outcome<Confirmed>],
) {
    let has_moved =
        |outcome: &Outcome<Confirmed>| matches!(outcome, Outcome::Refused(no) if no.code.ends_with(MOVED));
    let moved: Vec<&Order> = requests
        .iter()
        .zip(outcomes.iter())
        .filter(|(_, outcome)| has_moved(outcome))
        .map(|(request, _)| request.order)
        .collect();
    if moved.is_empty() {
        return;
    }
    let read = orders::read(api, cx, Operation::Confirm, &moved).await.unwrap_or_default();
    let mut read = read.into_iter();
    for outcome in outcomes.iter_mut().filter(|outcome| has_moved(outcome)) {
        *outcome = settled(outcome, read.next());
    }
}

/// What became of an order that was not waiting, by the state that was read of it.
fn settled(outcome: &Outcome<Confirmed>, read: Option<Outcome<Order>>) -> Outcome<Confirmed> {
    let Outcome::Refused(no) = outcome else { return outcome.clone() };
    match read {
        Some(Outcome::Done(order)) => match (order.status, order.cancel) {
            (OrderStatus::Confirmed | OrderStatus::Shipped, CancelState::None) => Outcome::AlreadyDone,
            (OrderStatus::Cancelled, _) | (_, CancelState::Requested) => outcome.clone(),
            _ => Outcome::Refused(no.clone().temporary()),
        },
        // Not known yet: the hub reads the order before it tries again.
        _ => Outcome::Refused(no.clone().temporary()),
    }
}
