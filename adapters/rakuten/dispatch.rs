//! Reporting parcels (sheet 4.5).

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::channel::{
    Context, DispatchRequest, Dispatched, Operation, Outcome, Refusal, Repeat, Tracking, each,
};
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::http::Nature;
use crate::lenient::body_text;
use crate::model::{Order, OrderId, OrderStatus};

use super::auth::{Api, Ask, PARALLEL};
use super::carriers;
use super::errors::{Function, words};
use super::orders;
use super::row::{Basket, Kept};
use super::wire::{Message, Said, Sort, day_in_japan};

/// A second report adds a second shipment (sheet 4.5): the order is read first. It shows the tracking number once the
/// first report was taken.
pub(super) const REPEAT: Repeat = Repeat::ReadFirst;

/// Longest tracking number, in characters (sheet 4.5).
const MOST_NUMBER: usize = 120;
/// Most shipments of a package (sheet 4.5).
const MOST_SHIPMENTS: usize = 20;
/// How a day is written. One client saw `%Y%m%d` taken too (sheet 4.5).
const DAY: &str = "%Y-%m-%d";
/// Added, updated.
const DONE: [&str; 2] = ["_UPDATE_ORDERSHIPPING_INFO_101", "_UPDATE_ORDERSHIPPING_INFO_102"];

/// What is to be done for a parcel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Plan {
    /// The channel has it already.
    Already,
    /// It can't be reported.
    Refused(Refusal),
    /// One shipment for each package that it is in.
    Send(Vec<Sent>),
}

/// A shipment to be added, or to be completed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) basket: i64,
    /// `shippingDetailId` of the shipment that is completed; `None`: one is added.
    pub(super) detail: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    order_number: &'a str,
    #[serde(rename = "BasketidModelList")]
    baskets: Vec<BasketBody<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BasketBody<'a> {
    basket_id: i64,
    #[serde(rename = "ShippingModelList")]
    shippings: [ShippingBody<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ShippingBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    shipping_detail_id: Option<i64>,
    delivery_company: &'static str,
    shipping_number: &'a str,
    shipping_date: String,
}

/// What is to be done for a parcel, by the state of its order that was just read.
pub(super) fn plan(request: &DispatchRequest<'_>, fresh: &Order) -> Plan {
    match try_plan(request, fresh) {
        Ok(plan) => plan,
        Err(no) => Plan::Refused(no),
    }
}

fn try_plan(request: &DispatchRequest<'_>, fresh: &Order) -> Result<Plan, Refusal> {
    let no = |message: &str| Refusal::new("", message);
    let tracking = sound(request.tracking)?;
    let kept: Kept = fresh.channel_data.read().unwrap_or_default();
    match kept.progress {
        // The buyer may take it back.
        800 => return Err(no("the order waits for its cancellation to be fixed").reread().temporary()),
        900 => return Err(no("the order is cancelled").reread()),
        _ => {}
    }
    let number = bare(&tracking.number);
    let mut sent = Vec::new();
    for id in baskets(request, fresh, &kept)? {
        let basket = kept.baskets.iter().find(|basket| basket.id == id);
        let basket = basket.ok_or_else(|| no("the order has no such package any more").reread())?;
        let known = basket.shipments.iter().find(|shipment| bare(&shipment.number) == number);
        if known.is_some_and(|shipment| shipment.left) {
            continue;
        }
        // Rakuten keeps an empty shipment with each package; one without a number or a day is completed.
        let empty = || basket.shipments.iter().find(|shipment| shipment.number.is_empty() && shipment.id > 0);
        let detail = known.or_else(empty).map(|shipment| shipment.id).filter(|id| *id > 0);
        if detail.is_none() && basket.shipments.len() >= MOST_SHIPMENTS {
            return Err(no("the package has 20 shipments already, the most that Rakuten takes"));
        }
        sent.push(Sent { basket: id, detail });
    }
    Ok(if sent.is_empty() { Plan::Already } else { Plan::Send(sent) })
}

/// Carrier and number, if they can be sent.
fn sound(tracking: Option<&Tracking>) -> Result<&Tracking, Refusal> {
    let no = |message: &str| Refusal::new("", message);
    // Without a number nothing tells a repeat from a second parcel.
    let tracking = tracking.ok_or_else(|| no("a carrier and a tracking number are needed"))?;
    let number = tracking.number.trim();
    if bare(number).is_empty() || number.chars().count() > MOST_NUMBER || number.chars().any(char::is_control)
    {
        return Err(no("the tracking number must have 1 to 120 characters, letters or digits among them"));
    }
    if tracking.carrier.trim().is_empty() {
        return Err(no("the carrier is missing"));
    }
    Ok(tracking)
}

/// A number without what people write between its digits.
fn bare(number: &str) -> String {
    number.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect()
}

/// The packages that a parcel is in: those of its lines. Without lines it holds all that is outstanding: the packages
/// with outstanding pieces, and among them those of which no parcel was reported, if there are any.
fn baskets(request: &DispatchRequest<'_>, fresh: &Order, kept: &Kept) -> Result<Vec<i64>, Refusal> {
    let no = |message: &str| Refusal::new("", message).reread();
    let id = |unit: &str| unit.trim().parse::<i64>().map_err(|_| no("a line has no package id"));
    let mut ids: Vec<i64> = Vec::new();
    if request.lines.is_empty() {
        let outstanding = request.order.lines.iter().filter(|line| line.outstanding() > 0);
        for line in outstanding.filter_map(|line| fresh.line(&line.id)) {
            ids.push(id(&line.unit)?);
        }
        let is_reported =
            |basket: &Basket| basket.shipments.iter().any(|shipment| !shipment.number.is_empty());
        let open = |id: &i64| !kept.baskets.iter().any(|basket| basket.id == *id && is_reported(basket));
        if ids.iter().any(open) {
            ids.retain(open);
        }
        if ids.is_empty() {
            // All is reported here; the order itself says what it still has.
            for line in fresh.lines.iter().filter(|line| line.status != OrderStatus::Cancelled) {
                ids.push(id(&line.unit)?);
            }
        }
    }
    for (line, _) in request.lines {
        let line = fresh.line(line).ok_or_else(|| no("the order has no such line any more"))?;
        ids.push(id(&line.unit)?);
    }
    let mut seen = HashSet::new();
    ids.retain(|id| seen.insert(*id));
    Ok(ids)
}

/// Reports a parcel.
///
/// # Errors
/// `InvalidInput` when it can't be written.
pub(super) fn ask(order: &OrderId, tracking: &Tracking, left: DateTime<Utc>, sent: &[Sent]) -> Result<Ask> {
    let baskets = sent.iter().map(|sent| BasketBody {
        basket_id: sent.basket,
        shippings: [ShippingBody {
            shipping_detail_id: sent.detail,
            delivery_company: carrier(&tracking.carrier),
            shipping_number: tracking.number.trim(),
            shipping_date: day_in_japan(left).format(DAY).to_string(),
        }],
    });
    let body = Body { order_number: order.as_str(), baskets: baskets.collect() };
    Ask::json(Function::UpdateShipping, &body)
}

fn carrier(name: &str) -> &'static str {
    carriers::code(name).unwrap_or_else(|| {
        tracing::warn!(carrier = name, "Rakuten has no code for this carrier: it is reported as \"other\"");
        carriers::OTHER
    })
}

/// What became of a parcel. Each shipment is found by the number of its row, and by its id where it has one.
///
/// # Errors
/// `MalformedResponse` when the answer can't be read.
pub(super) fn result(body: &[u8], sent: &[Sent]) -> Result<Outcome<Dispatched>> {
    let body = body_text(body);
    let messages = Said::read(&body)?.into_messages()?;
    let mut parcels = Vec::new();
    let mut refused: Vec<&Message<'_>> = Vec::new();
    for (row, shipment) in (1..).zip(sent) {
        let about = |message: &&Message<'_>| {
            // Where only one was sent, there is nothing to mix it up with.
            let row_fits = message.data_number().map_or(sent.len() == 1, |number| number == row);
            let id_fits = match (shipment.detail, message.shipping_detail()) {
                (Some(asked), Some(told)) => asked == told,
                _ => true,
            };
            row_fits && id_fits
        };
        let about: Vec<&Message<'_>> = messages.iter().filter(about).collect();
        let done = about.iter().find(|message| message.is_done(&DONE));
        let error = about.iter().find(|message| message.sort() == Sort::Error);
        match (done, error) {
            (Some(done), None) => {
                let id = done.shipping_detail().or(shipment.detail);
                parcels.extend(id.map(|id| id.to_string()));
            }
            (None, Some(error)) => refused.push(error),
            _ => return Ok(unknown("the answer says neither yes nor no about the parcel")),
        }
    }
    let Some(error) = refused.first() else {
        let mut dispatched = Dispatched::default();
        dispatched.parcels = parcels;
        // The ids of its shipments have changed, and the order itself may have become "shipped".
        dispatched.reread = true;
        return Ok(Outcome::Done(dispatched));
    };
    let meaning = if refused.len() < sent.len() {
        "a part of the packages was taken, and is not reported again when the parcel is"
    } else {
        ""
    };
    Ok(Outcome::Refused(Refusal::new(error.code(), words(meaning, &error.message)).reread()))
}

fn unknown(why: &str) -> Outcome<Dispatched> {
    Outcome::Unknown(Error::malformed(why).with_retry(Retry::Later).with_unknown_effect())
}

/// Reports parcels, one call each, after one that reads their orders: the numbers that the channel has are compared
/// first, and however old the order in hand is, nothing is added twice or overwritten.
pub(super) async fn dispatch(
    api: &Api,
    cx: &Context,
    requests: &[DispatchRequest<'_>],
) -> Result<Vec<Outcome<Dispatched>>> {
    let mut seen = HashSet::new();
    let first: Vec<bool> = requests.iter().map(|request| seen.insert(&request.order.id)).collect();
    let orders: Vec<&Order> =
        requests.iter().zip(&first).filter(|(_, first)| **first).map(|(request, _)| request.order).collect();
    let read = orders::read(api, cx, Operation::Dispatch, &orders).await?;
    let fresh: HashMap<&OrderId, Outcome<Order>> = orders.iter().map(|order| &order.id).zip(read).collect();
    let mut calls = Vec::with_capacity(requests.len());
    for (request, first) in requests.iter().zip(first) {
        let fresh = fresh.get(&request.order.id);
        calls.push(
            async move { if first { report(api, cx, request, fresh).await } else { Ok(second(request)) } },
        );
    }
    each(calls, PARALLEL, Outcome::from_error).await
}

/// A second parcel of an order in the same call: the first changes the shipments that it would be compared with.
fn second(request: &DispatchRequest<'_>) -> Outcome<Dispatched> {
    Outcome::NotTried(
        Error::new(ErrorKind::Busy)
            .with_message("another parcel of this order is in the same call: read the order first")
            .for_order(&request.order.id),
    )
}

async fn report(
    api: &Api,
    cx: &Context,
    request: &DispatchRequest<'_>,
    fresh: Option<&Outcome<Order>>,
) -> Result<Outcome<Dispatched>> {
    let fresh = match fresh {
        Some(Outcome::Done(fresh)) => fresh,
        Some(Outcome::Refused(no)) => return Ok(Outcome::Refused(no.clone())),
        Some(Outcome::NotTried(error) | Outcome::Unknown(error)) => {
            return Ok(Outcome::NotTried(error.clone()));
        }
        _ => return Ok(Outcome::NotTried(Error::malformed("the order was not read"))),
    };
    let (sent, tracking) = match (plan(request, fresh), request.tracking) {
        (Plan::Send(sent), Some(tracking)) => (sent, tracking),
        (Plan::Refused(no), _) => return Ok(Outcome::Refused(no)),
        (Plan::Already | Plan::Send(_), _) => return Ok(Outcome::AlreadyDone),
    };
    let ask = ask(&request.order.id, tracking, request.shipped_at, &sent)?;
    let answer = api.write(cx, Operation::Dispatch, Nature::from(REPEAT), &ask).await?;
    // It was sent: an answer that can't be read leaves it open what was done.
    result(&answer.body, &sent).map_err(Error::with_unknown_effect)
}
