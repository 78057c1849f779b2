//! Changing the tracking of a parcel that was reported, with or without a mail to the buyer (sheet 4.4, NB-1).

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::channel::{Context, Notify, Operation, Outcome, Refusal, TrackingUpdate, each};
use crate::error::{Error, Result};
use crate::http::Nature;
use crate::lenient::body_text;

use super::api::{Api, PARALLEL};
use super::dispatch::{TrackingInput, carrier_name, tracking_input};
use super::documents::UPDATE_TRACKING;
use super::errors::refusal;
use super::parts::{OrderData, Parcel};
use super::wire::{Answer, user_errors};

/// `FulfillmentTrackingInfoUpdate`.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Change {
    fulfillment_id: String,
    tracking: TrackingInput,
    notify: bool,
}

/// What is sent for a change.
///
/// # Errors
/// The outcome, where nothing is to be sent.
pub(super) fn change(update: &TrackingUpdate<'_>) -> Result<Change, Outcome<()>> {
    let no = |message: &str| Outcome::Refused(Refusal::new("", message).reread());
    let data: OrderData = update.order.channel_data.read().unwrap_or_default();
    let tracking = tracking_input(update.tracking).map_err(Outcome::Refused)?;
    let live: Vec<&Parcel> = data.parcels.iter().filter(|parcel| parcel.is_live()).collect();
    let parcel = match live.as_slice() {
        [] => return Err(no("no parcel of this order is reported")),
        [parcel] => *parcel,
        _ => return Err(no("the order has several parcels, and nothing says which of them is meant")),
    };
    let same = parcel.tracking.len() == 1
        && parcel.tracking.iter().all(|known| {
            known.number.trim() == tracking.number && carrier_name(&known.carrier) == tracking.company
        });
    if same {
        return Err(Outcome::AlreadyDone);
    }
    let notify = update.notify == Notify::Buyer;
    Ok(Change { fulfillment_id: parcel.id.clone(), tracking, notify })
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Payload<'a> {
    #[serde(borrow)]
    fulfillment: Option<&'a RawValue>,
    #[serde(borrow)]
    user_errors: Option<&'a RawValue>,
}

/// What became of a change.
///
/// # Errors
/// `MalformedResponse` when the answer does not say.
pub(super) fn result(body: &[u8]) -> Result<Outcome<()>> {
    let text = body_text(body);
    let answer = Answer::read(&text)?;
    let payload: Payload<'_> = answer.root(&UPDATE_TRACKING)?;
    if let Some(error) = user_errors(payload.user_errors)?.first() {
        return Ok(Outcome::Refused(refusal(error).reread()));
    }
    match payload.fulfillment {
        Some(_) => Ok(Outcome::Done(())),
        None => Err(Error::malformed("the answer names no parcel")),
    }
}

/// Changes the tracking of parcels, one call each.
pub(super) async fn update(
    api: &Api,
    cx: &Context,
    updates: &[TrackingUpdate<'_>],
) -> Result<Vec<Outcome<()>>> {
    let calls = updates.iter().map(|update| one(api, cx, update));
    each(calls.collect(), PARALLEL, Outcome::from_error).await
}

async fn one(api: &Api, cx: &Context, update: &TrackingUpdate<'_>) -> Result<Outcome<()>> {
    let change = match change(update) {
        Ok(change) => change,
        Err(outcome) => return Ok(outcome),
    };
    // The number is absolute, but each call mails the buyer.
    let nature = if change.notify { Nature::UnsafeWrite } else { Nature::SafeWrite };
    let answer = api.call(cx, Operation::UpdateTracking, nature, &UPDATE_TRACKING, change).await?;
    result(&answer.body).map_err(Error::with_unknown_effect)
}
