//! The latest ship time of an order's fulfilment orders (sheet 4.3). Only where [`Config::with_ship_dates`] asks for it.
//!
//! [`Config::with_ship_dates`]: super::Config::with_ship_dates

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::channel::{Context, Operation, Outcome, Refusal, Repeat, ShipDateRequest, each};
use crate::error::{Error, Result};
use crate::http::Nature;
use crate::lenient::{Text, body_text};
use crate::model::start_of_day;

use super::api::{Api, PARALLEL};
use super::documents::SET_DEADLINE;
use super::errors::refusal;
use super::parts::OrderData;
use super::wire::{Answer, user_errors};

/// The time is absolute: a second call sets the same (sheet 4.3).
pub(super) const REPEAT: Repeat = Repeat::Safe;

/// What is sent for an order.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Deadline {
    ids: Vec<String>,
    deadline: String,
}

/// The last second of a day in the shop's zone.
pub(super) fn end_of_day(day: NaiveDate, zone: Tz) -> DateTime<Utc> {
    start_of_day(day.succ_opt().unwrap_or(day), zone) - TimeDelta::seconds(1)
}

/// What is sent for an order: all its fulfilment orders that wait for something.
///
/// # Errors
/// A refusal, where there is none.
pub(super) fn deadline(request: &ShipDateRequest<'_>, zone: Tz) -> Result<Deadline, Refusal> {
    let data: OrderData = request.order.channel_data.read().unwrap_or_default();
    let open = data.parts.into_iter().filter(super::parts::Part::is_open);
    let ids: Vec<String> = open.map(|part| part.id).collect();
    if ids.is_empty() {
        return Err(Refusal::new("", "the order has no fulfilment order that waits").reread());
    }
    let deadline = end_of_day(request.date, zone).format("%Y-%m-%dT%H:%M:%SZ").to_string();
    Ok(Deadline { ids, deadline })
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Payload<'a> {
    #[serde(borrow)]
    success: Text<'a>,
    #[serde(borrow)]
    user_errors: Option<&'a RawValue>,
}

/// What became of it.
///
/// # Errors
/// `MalformedResponse` when the answer does not say.
pub(super) fn result(body: &[u8]) -> Result<Outcome<()>> {
    let text = body_text(body);
    let answer = Answer::read(&text)?;
    let payload: Payload<'_> = answer.root(&SET_DEADLINE)?;
    if let Some(error) = user_errors(payload.user_errors)?.first() {
        return Ok(Outcome::Refused(refusal(error)));
    }
    match payload.success.flag() {
        Some(true) => Ok(Outcome::Done(())),
        Some(false) => {
            Ok(Outcome::Refused(Refusal::new("", "the channel did not take it").temporary().reread()))
        }
        None => Err(Error::malformed("the answer does not say whether it was done")),
    }
}

/// Sets the dates, one call each: a fulfilment order that is gone would spoil those of other orders.
pub(super) async fn set(
    api: &Api,
    cx: &Context,
    requests: &[ShipDateRequest<'_>],
) -> Result<Vec<Outcome<()>>> {
    let calls = requests.iter().map(|request| one(api, cx, request));
    each(calls.collect(), PARALLEL, Outcome::from_error).await
}

async fn one(api: &Api, cx: &Context, request: &ShipDateRequest<'_>) -> Result<Outcome<()>> {
    let variables = match deadline(request, api.config().zone) {
        Ok(variables) => variables,
        Err(no) => return Ok(Outcome::Refused(no)),
    };
    let nature = Nature::from(REPEAT);
    let answer = api.call(cx, Operation::SetShipDate, nature, &SET_DEADLINE, variables).await?;
    result(&answer.body).map_err(Error::with_unknown_effect)
}
