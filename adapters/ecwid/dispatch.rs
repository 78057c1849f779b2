//! Reporting parcels: the tracking number and the status SHIPPED, together (sheet, dispatch). An order ships whole, in
//! one parcel; there is no field for a carrier.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::channel::{Context, DispatchRequest, Dispatched, Operation, Outcome, Refusal, Repeat, each};
use crate::error::Result;
use crate::model::{CancelState, OrderStatus};

use super::auth::{Api, PARALLEL};
use super::confirm::{firsts, not_open, on_hold, twice, unchanged, withdrawn};
use super::errors::refused;
use super::orders::{gone, look_now, write};
use super::rows::Look;
use super::wire::json;

/// It may have moved on meanwhile; a read shows the number and SHIPPED (sheet, what is done twice).
pub(super) const REPEAT: Repeat = Repeat::ReadFirst;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Update<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    tracking_number: Option<&'a str>,
    fulfillment_status: &'static str,
}

/// The number to report; `None`: the parcel has none.
///
/// # Errors
/// A refusal, where a number is announced and is none.
pub(super) fn number<'a>(request: &DispatchRequest<'a>) -> Result<Option<&'a str>, Refusal> {
    let Some(tracking) = request.tracking else { return Ok(None) };
    let number = tracking.number.trim();
    if number.is_empty() || number.chars().any(char::is_control) {
        return Err(Refusal::new(
            "TRACKING_NUMBER",
            "the tracking number is blank or has control characters",
        ));
    }
    Ok(Some(number))
}

/// What is sent.
///
/// # Errors
/// `InvalidInput` when it can't be written.
pub(super) fn body(number: Option<&str>) -> Result<String> {
    json(&Update { tracking_number: number, fulfillment_status: "SHIPPED" })
}

/// Whether a parcel may be reported for an order as it is now.
///
/// # Errors
/// The outcome, where nothing is to be sent.
pub(super) fn may_dispatch(
    look: &Look,
    request: &DispatchRequest<'_>,
    number: Option<&str>,
) -> Result<(), Outcome<Dispatched>> {
    let no = |refusal: Refusal| Err(Outcome::Refused(refusal));
    match look.status {
        OrderStatus::Shipped | OrderStatus::Delivered if look.tracking == number.unwrap_or_default() => {
            return Err(Outcome::AlreadyDone);
        }
        OrderStatus::Shipped | OrderStatus::Delivered => {
            let text =
                "the order is shipped already, with another tracking number or none; it takes one parcel";
            return no(Refusal::new("ALREADY_SHIPPED", text).reread());
        }
        OrderStatus::New | OrderStatus::Confirmed => {}
        status => return no(not_open(look, status)),
    }
    // A parcel that has left is told also where only a part of the money is: that says nothing about the goods.
    if look.marks.external || look.marks.pickup || !look.marks.ships {
        return no(on_hold(look));
    }
    if look.cancel == CancelState::Requested {
        return no(withdrawn());
    }
    if !look.tracking.is_empty() && Some(look.tracking.as_str()) != number {
        let text = "the order has another tracking number: somebody ships it by hand";
        return no(Refusal::new("OTHER_TRACKING_NUMBER", text).reread());
    }
    covers_all(look, request).map_err(Outcome::Refused)
}

/// Whether a parcel holds all that is to be shipped of the order as it is now: the channel knows no parts.
fn covers_all(look: &Look, request: &DispatchRequest<'_>) -> Result<(), Refusal> {
    let mut packed: BTreeMap<&str, u32> = BTreeMap::new();
    for (line, pieces) in request.lines {
        let held = packed.entry(line.as_str()).or_default();
        *held = held.saturating_add(*pieces);
    }
    let part = |text: &str| Err(Refusal::new("PARTIAL_NOT_SUPPORTED", text).reread());
    if request.lines.is_empty() {
        // All that was outstanding of the order as it was known.
        packed.extend(request.order.lines.iter().map(|line| (line.id.as_str(), line.outstanding())));
    } else {
        let known = |id: &str| {
            look.ships.iter().any(|(line, _)| line.as_str() == id)
                || request.order.lines.iter().any(|line| line.id.as_str() == id)
        };
        if !packed.keys().all(|id| known(id)) {
            return part("the parcel holds a line that the order does not have");
        }
    }
    for (line, quantity) in &look.ships {
        let held = packed.get(line.as_str()).copied().unwrap_or(0);
        let is_short = held < *quantity;
        let is_over = !request.lines.is_empty() && held > *quantity;
        if is_short || is_over {
            return part(if is_short {
                "Ecwid ships an order as a whole: the parcel lacks pieces of the order as it is now"
            } else {
                "the parcel holds more pieces than the order has"
            });
        }
    }
    Ok(())
}

/// Reports parcels, an order at a time.
pub(super) async fn dispatch(
    api: &Api,
    cx: &Context,
    requests: &[DispatchRequest<'_>],
) -> Result<Vec<Outcome<Dispatched>>> {
    let firsts = firsts(requests.iter().map(|request| request.order));
    let calls = requests
        .iter()
        .zip(firsts)
        .map(|(request, first)| async move { if first { one(api, cx, request).await } else { Ok(twice()) } });
    each(calls.collect(), PARALLEL, Outcome::from_error).await
}

async fn one(api: &Api, cx: &Context, request: &DispatchRequest<'_>) -> Result<Outcome<Dispatched>> {
    let operation = Operation::Dispatch;
    let number = match number(request) {
        Ok(number) => number,
        Err(refusal) => return Ok(Outcome::Refused(refusal)),
    };
    let Some(look) = look_now(api, cx, operation, request.order).await? else {
        return Ok(Outcome::Refused(gone().reread()));
    };
    if let Err(outcome) = may_dispatch(&look, request, number) {
        return Ok(outcome);
    }
    match write(api, cx, operation, &look, body(number)?).await {
        Ok(true) => Ok(Outcome::Done(Dispatched::default())),
        Ok(false) => {
            let now = look_now(api, cx, operation, request.order).await?;
            let done =
                now.is_some_and(|l| matches!(may_dispatch(&l, request, number), Err(Outcome::AlreadyDone)));
            Ok(if done { Outcome::AlreadyDone } else { Outcome::Refused(unchanged()) })
        }
        Err(error) => refused(&error).map_or(Err(error), |no| Ok(Outcome::Refused(no))),
    }
}
