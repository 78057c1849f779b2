//! Confirming orders, with their expected ship date (sheet 4.3).

use serde::Serialize;

use crate::channel::{
    ConfirmRequest, Confirmed, Context, Operation, Outcome, Repeat, concerns_account, each, whole,
};
use crate::error::{Error, ErrorKind, Result};
use crate::http::Nature;
use crate::model::OrderId;

use super::MOST_IN_BULK;
use super::auth::{Api, Form, PARALLEL};
use super::cancels::{channel_code, refused};
use super::errors::{ALREADY_CONFIRMED, Method, refusal};
use super::wire::{bulk_outcomes, json_field};

/// A second confirmation is answered with -10012 and changes nothing, its ship date neither (sheet 4.3).
pub(super) const REPEAT: Repeat = Repeat::Safe;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Item<'a> {
    order_no: &'a str,
    est_ship_dt: String,
    delay_type: &'static str,
    delay_memo: &'static str,
}

/// The form of the bulk method, for requests with a ship date: it needs one (-10016).
///
/// # Errors
/// `InvalidInput` when it can't be written.
pub(super) fn bulk_form(requests: &[&ConfirmRequest<'_>]) -> Result<Form> {
    let items: Vec<Item<'_>> = requests
        .iter()
        .map(|request| Item {
            order_no: request.order.id.as_str(),
            est_ship_dt: request.ship_date.map(|day| day.format("%Y%m%d").to_string()).unwrap_or_default(),
            delay_type: "",
            delay_memo: "",
        })
        .collect();
    Ok(vec![("SendPlanDtInfoJson", json_field(&items)?)])
}

/// The form of the single method, which takes the ship date too.
pub(super) fn one_form(request: &ConfirmRequest<'_>) -> Form {
    let mut form = vec![("OrderNo", request.order.id.to_string())];
    if let Some(day) = request.ship_date {
        form.push(("EstShipDt", day.format("%Y%m%d").to_string()));
    }
    form
}

/// What a code says about one order.
pub(super) fn outcome(code: i64, message: &str) -> Outcome<Confirmed> {
    match code {
        0 => Outcome::Done(Confirmed::default()),
        ALREADY_CONFIRMED => Outcome::AlreadyDone,
        code => Outcome::Refused(refusal(Method::ConfirmMany, code, message)),
    }
}

/// Confirms. Orders with a ship date go together in the bulk method; those without go one by one, because the bulk
/// method refuses them.
pub(super) async fn confirm(
    api: &Api,
    cx: &Context,
    requests: &[ConfirmRequest<'_>],
) -> Result<Vec<Outcome<Confirmed>>> {
    let dated: Vec<&ConfirmRequest<'_>> = requests.iter().filter(|r| r.ship_date.is_some()).collect();
    let undated: Vec<&ConfirmRequest<'_>> = requests.iter().filter(|r| r.ship_date.is_none()).collect();
    let mut with_date = in_bulk(api, cx, &dated).await;
    if undated.is_empty() {
        return with_date;
    }
    let mut without = match &with_date {
        // What ended the first call would end these too.
        Err(error) if concerns_account(error) => Err(error.clone()),
        _ => {
            let calls = undated.iter().map(|request| confirm_one(api, cx, request)).collect();
            each(calls, PARALLEL, Outcome::from_error).await
        }
    };
    if dated.is_empty() {
        return without;
    }
    Ok(requests
        .iter()
        .map(|request| take_next(if request.ship_date.is_some() { &mut with_date } else { &mut without }))
        .collect())
}

/// Takes the next outcome of a part; where the part failed as a whole, each of its items did.
fn take_next(part: &mut Result<Vec<Outcome<Confirmed>>>) -> Outcome<Confirmed> {
    match part {
        Ok(outcomes) if !outcomes.is_empty() => outcomes.remove(0),
        Ok(_) => Outcome::Unknown(Error::malformed("no outcome for the order").with_unknown_effect()),
        Err(error) => Outcome::from_error(error),
    }
}

async fn in_bulk(
    api: &Api,
    cx: &Context,
    requests: &[&ConfirmRequest<'_>],
) -> Result<Vec<Outcome<Confirmed>>> {
    let mut outcomes = Vec::new();
    for chunk in requests.chunks(MOST_IN_BULK) {
        match bulk_call(api, cx, chunk).await {
            Ok(done) => outcomes.extend(done),
            // One order may have spoilt the whole call: each goes alone, so that it blocks no other (OC-7).
            Err(error) if error.kind() == ErrorKind::Refused => {
                let calls = chunk.iter().map(|request| confirm_one(api, cx, request)).collect();
                match each(calls, PARALLEL, Outcome::from_error).await {
                    Ok(done) => outcomes.extend(done),
                    Err(error) => outcomes.extend(chunk.iter().map(|_| Outcome::from_error(&error))),
                }
            }
            Err(error) if chunk.len() == requests.len() => return Err(error),
            Err(error) => outcomes.extend(chunk.iter().map(|_| Outcome::from_error(&error))),
        }
    }
    whole(outcomes)
}

async fn bulk_call(
    api: &Api,
    cx: &Context,
    requests: &[&ConfirmRequest<'_>],
) -> Result<Vec<Outcome<Confirmed>>> {
    let form = bulk_form(requests)?;
    let answer = api.call(cx, Operation::Confirm, Nature::from(REPEAT), Method::ConfirmMany, form).await?;
    let ids: Vec<&OrderId> = requests.iter().map(|request| &request.order.id).collect();
    // It was sent: an answer that can't be read leaves it open what was done.
    bulk_outcomes(&answer.body, &ids, outcome).map_err(Error::with_unknown_effect)
}

async fn confirm_one(api: &Api, cx: &Context, request: &ConfirmRequest<'_>) -> Result<Outcome<Confirmed>> {
    let form = one_form(request);
    match api.call(cx, Operation::Confirm, Nature::from(REPEAT), Method::ConfirmOne, form).await {
        Ok(_) => Ok(Outcome::Done(Confirmed::default())),
        Err(error) if channel_code(&error) == Some(ALREADY_CONFIRMED) => Ok(Outcome::AlreadyDone),
        Err(error) => refused(&error, Method::ConfirmOne).map_or(Err(error), |no| Ok(Outcome::Refused(no))),
    }
}
