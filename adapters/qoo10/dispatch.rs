//! Reporting parcels (sheet 4.4).

use std::collections::HashSet;

use serde::Serialize;

use crate::channel::{
    Context, DispatchRequest, Dispatched, Operation, Outcome, Refusal, Repeat, concerns_account,
};
use crate::error::{Error, ErrorKind, Result};
use crate::http::Nature;
use crate::model::OrderId;

use super::MOST_IN_BULK;
use super::auth::{Api, Form};
use super::errors::{Method, refusal};
use super::wire::{bulk_outcomes, json_field};

/// What a second report with the same number does is not documented (sheet 4.4): the order is read first. It shows
/// the tracking number and the state "in delivery" once the first report was taken.
pub(super) const REPEAT: Repeat = Repeat::ReadFirst;

/// Longest carrier name, in characters.
const MOST_CARRIER: usize = 200;
/// Longest tracking number, in characters.
const MOST_NUMBER: usize = 50;

/// Carriers by their usual names, and what Qoo10 calls them. Others go as they are.
const CARRIERS: &[(&str, &str)] = &[
    ("yamato", "ヤマト運輸"),
    ("yamato transport", "ヤマト運輸"),
    ("kuroneko yamato", "ヤマト運輸"),
    ("クロネコヤマト", "ヤマト運輸"),
    ("sagawa", "佐川急便"),
    ("sagawa express", "佐川急便"),
    ("yu-pack", "ゆうパック"),
    ("yupack", "ゆうパック"),
    ("japan post yu-pack", "ゆうパック"),
    ("qxpress", "Qxpress"),
    ("other", "その他"),
];

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Item<'a> {
    order_no: &'a str,
    shipping_corp: &'a str,
    tracking_no: &'a str,
}

/// What is sent for a parcel, or why it can't be.
pub(super) fn item<'a>(request: &'a DispatchRequest<'_>) -> Result<Item<'a>, Refusal> {
    let no = |message: &str| Refusal::new("", message);
    let tracking = request.tracking.ok_or_else(|| no("a carrier and a tracking number are needed"))?;
    let (carrier, number) = (tracking.carrier.trim(), tracking.number.trim());
    if carrier.is_empty() || carrier.chars().count() > MOST_CARRIER {
        return Err(no("the carrier's name must have 1 to 200 characters"));
    }
    if number.is_empty() || number.chars().count() > MOST_NUMBER {
        return Err(no("the tracking number must have 1 to 50 characters"));
    }
    if !is_whole(request) {
        return Err(no("Qoo10 ships an order number as a whole: a part of its pieces can't be reported"));
    }
    Ok(Item {
        order_no: request.order.id.as_str(),
        shipping_corp: carrier_name(carrier),
        tracking_no: number,
    })
}

fn carrier_name(usual: &str) -> &str {
    CARRIERS.iter().find(|(name, _)| usual.to_lowercase() == *name).map_or(usual, |(_, theirs)| theirs)
}

/// Whether all that is outstanding is in the parcel: there is no partial shipment within a row (sheet 4.4).
fn is_whole(request: &DispatchRequest<'_>) -> bool {
    request.lines.is_empty()
        || request.order.lines.iter().all(|line| {
            let pieces = request.lines.iter().filter(|(id, _)| *id == line.id).map(|(_, pieces)| *pieces);
            pieces.fold(0_u32, u32::saturating_add) >= line.outstanding()
        })
}

/// The form of the bulk method.
///
/// # Errors
/// `InvalidInput` when it can't be written.
pub(super) fn bulk_form(items: &[Item<'_>]) -> Result<Form> {
    Ok(vec![("ShippingInfoJson", json_field(&items)?)])
}

/// What a code says about one parcel.
pub(super) fn outcome(code: i64, message: &str) -> Outcome<Dispatched> {
    match code {
        0 => Outcome::Done(Dispatched::default()),
        code => Outcome::Refused(refusal(Method::SendMany, code, message)),
    }
}

/// Reports parcels in bulk.
pub(super) async fn dispatch(
    api: &Api,
    cx: &Context,
    requests: &[DispatchRequest<'_>],
) -> Result<Vec<Outcome<Dispatched>>> {
    let mut seen: HashSet<&OrderId> = HashSet::new();
    let mut outcomes: Vec<Option<Outcome<Dispatched>>> = Vec::with_capacity(requests.len());
    let mut items: Vec<(usize, Item<'_>)> = Vec::new();
    for (n, request) in requests.iter().enumerate() {
        outcomes.push(match item(request) {
            Err(no) => Some(Outcome::Refused(no)),
            Ok(_) if !seen.insert(&request.order.id) => Some(Outcome::NotTried(
                Error::new(ErrorKind::Busy)
                    .with_message("another parcel of this order is in the same call: read the order first")
                    .for_order(&request.order.id),
            )),
            Ok(item) => {
                items.push((n, item));
                None
            }
        });
    }
    let mut failure: Option<Error> = None;
    for chunk in items.chunks(MOST_IN_BULK) {
        let sent = match failure.clone().filter(concerns_account) {
            Some(error) => Err(error),
            None => bulk_call(api, cx, requests, chunk).await,
        };
        match sent {
            Ok(done) => {
                for ((n, _), outcome) in chunk.iter().zip(done) {
                    set(&mut outcomes, *n, outcome);
                }
            }
            // All were in this one call: the error is theirs alone.
            Err(error) if chunk.len() == requests.len() => return Err(error),
            Err(error) => {
                for (n, _) in chunk {
                    set(&mut outcomes, *n, Outcome::from_error(&error));
                }
                failure = Some(error);
            }
        }
    }
    let lost = || Outcome::Unknown(Error::malformed("no outcome for the parcel").with_unknown_effect());
    Ok(outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(lost)).collect())
}

fn set(outcomes: &mut [Option<Outcome<Dispatched>>], n: usize, outcome: Outcome<Dispatched>) {
    if let Some(place) = outcomes.get_mut(n) {
        *place = Some(outcome);
    }
}

async fn bulk_call(
    api: &Api,
    cx: &Context,
    requests: &[DispatchRequest<'_>],
    chunk: &[(usize, Item<'_>)],
) -> Result<Vec<Outcome<Dispatched>>> {
    let items: Vec<Item<'_>> = chunk.iter().map(|(_, item)| item.clone()).collect();
    let form = bulk_form(&items)?;
    let answer = api.call(cx, Operation::Dispatch, Nature::from(REPEAT), Method::SendMany, form).await?;
    let ids: Vec<&OrderId> = chunk.iter().filter_map(|(n, _)| Some(&requests.get(*n)?.order.id)).collect();
    // It was sent: an answer that can't be read leaves it open what was done.
    bulk_outcomes(&answer.body, &ids, outcome).map_err(Error::with_unknown_effect)
}
