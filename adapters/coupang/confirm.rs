//! Confirming boxes (sheet 4.6).

use std::collections::HashMap;

use serde::Serialize;

use crate::channel::{ConfirmRequest, Confirmed, Context, Operation, Outcome, Refusal, Repeat, each, whole};
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::http::Nature;
use crate::model::{CancelState, OrderStatus};

use super::auth::{Api, Ask, PARALLEL};
use super::errors::Function;
use super::info::MOST_BOXES;
use super::orders::{Seen, look};
use super::wire::{BoxResult, box_results, number};

/// Only boxes in ACCEPT change, to INSTRUCT: a second call changes nothing more (sheet 4.6). Where it is refused for
/// that, the box is read, and shows that it is confirmed.
pub(super) const REPEAT: Repeat = Repeat::Safe;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    vendor_id: &'a str,
    shipment_box_ids: &'a [u64],
}

/// Asks to confirm boxes.
///
/// # Errors
/// `InvalidInput` when it can't be written.
pub(super) fn acknowledge_ask(vendor: &str, boxes: &[u64]) -> Result<Ask> {
    let path = format!("/v2/providers/openapi/apis/api/v4/vendors/{vendor}/ordersheets/acknowledgement");
    Ask::put(Function::Acknowledge, path).json(&Body { vendor_id: vendor, shipment_box_ids: boxes })
}

/// What a result says about a box. `None`: the answer contradicts itself.
pub(super) fn outcome(result: Option<&BoxResult>) -> Outcome<Confirmed> {
    match result {
        None => unclear("the answer does not say whether the box was confirmed"),
        Some(result) if result.succeed => {
            // The buyer can change the address until then (sheet 4.6).
            Outcome::Done(Confirmed { reread: true })
        }
        Some(result) => Outcome::Refused(refusal(result)),
    }
}

/// While a refund is in progress a box is refused; afterwards the rest of it can be confirmed (sheet 4.6).
fn refusal(result: &BoxResult) -> Refusal {
    let refusal = Refusal::new(&result.code, &result.message).reread();
    let refund = result.message.contains("배송상태를 변경할 수 없습니다");
    if result.retry_required || refund { refusal.temporary() } else { refusal }
}

/// Nobody knows.
pub(super) fn unclear<T>(why: &str) -> Outcome<T> {
    Outcome::Unknown(Error::malformed(why).with_retry(Retry::Later).with_unknown_effect())
}

/// Confirms, in calls of 50 boxes.
pub(super) async fn confirm(
    api: &Api,
    cx: &Context,
    requests: &[ConfirmRequest<'_>],
) -> Result<Vec<Outcome<Confirmed>>> {
    let mut outcomes = Vec::with_capacity(requests.len());
    let mut failure: Option<Error> = None;
    for chunk in requests.chunks(MOST_BOXES) {
        if let Some(error) = &failure {
            outcomes.extend(chunk.iter().map(|_| Outcome::NotTried(error.clone())));
            continue;
        }
        match together(api, cx, chunk).await {
            Ok(done) => outcomes.extend(done),
            // One box may have spoilt the whole call: each goes alone, so that it blocks no other (OC-7).
            Err(error) if error.kind() == ErrorKind::Refused && chunk.len() > 1 => {
                let calls = chunk.iter().map(|request| alone(api, cx, request)).collect();
                match each(calls, PARALLEL, Outcome::from_error).await {
                    Ok(done) => outcomes.extend(done),
                    Err(error) => outcomes.extend(chunk.iter().map(|_| Outcome::from_error(&error))),
                }
            }
            Err(error) => {
                outcomes.extend(chunk.iter().map(|_| Outcome::from_error(&error)));
                failure = Some(error).filter(crate::channel::concerns_account);
            }
        }
    }
    whole(outcomes)
}

async fn alone(api: &Api, cx: &Context, request: &ConfirmRequest<'_>) -> Result<Outcome<Confirmed>> {
    let done = together(api, cx, std::slice::from_ref(request)).await?;
    Ok(done.into_iter().next().unwrap_or_else(|| unclear("no outcome for the box")))
}

/// One call.
async fn together(
    api: &Api,
    cx: &Context,
    requests: &[ConfirmRequest<'_>],
) -> Result<Vec<Outcome<Confirmed>>> {
    let ids: Vec<u64> = requests.iter().filter_map(|request| number(request.order.id.as_str())).collect();
    let results = if ids.is_empty() {
        HashMap::new()
    } else {
        let ask = acknowledge_ask(&api.keys()?.vendor, &ids)?;
        let answer = api.write(cx, Operation::Confirm, Nature::from(REPEAT), &ask).await?;
        // It was sent: an answer that can't be read leaves it open what was done.
        box_results(&answer.body).map_err(Error::with_unknown_effect)?
    };
    let mut outcomes = Vec::with_capacity(requests.len());
    for request in requests {
        let Some(id) = number(request.order.id.as_str()) else {
            outcomes.push(Outcome::Refused(Refusal::new("", "the order's id is no box number")));
            continue;
        };
        let told = match results.get(&id.to_string()) {
            Some(result) => outcome(result.as_ref()),
            None => unclear("the answer leaves this box out"),
        };
        outcomes.push(match told {
            Outcome::Refused(no) if no.code != "NOT_FOUND_SHIPMENT_BOX" => {
                if is_confirmed(api, cx, request).await { Outcome::AlreadyDone } else { Outcome::Refused(no) }
            }
            told => told,
        });
    }
    Ok(outcomes)
}

/// Whether a box that was refused is confirmed already, here or in Wing.
async fn is_confirmed(api: &Api, cx: &Context, request: &ConfirmRequest<'_>) -> bool {
    let Ok(Seen::Open(order)) = look(api, cx, Operation::Confirm, request.order).await else { return false };
    order.cancel == CancelState::None
        && (OrderStatus::Confirmed..=OrderStatus::DeliveryFailed).contains(&order.status)
}
