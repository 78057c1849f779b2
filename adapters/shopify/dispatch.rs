//! Reporting parcels: which fulfilment orders a parcel is made of, and the calls, one per location (sheet 4.4).

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::channel::{
    Context, DispatchRequest, Dispatched, Notify, Operation, Outcome, Refusal, Repeat, Tracking, each,
};
use crate::error::{Error, ErrorKind, Result};
use crate::http::Nature;
use crate::lenient::body_text;
use crate::model::{LineId, Order, OrderId};

use super::api::{Api, PARALLEL};
use super::documents::FULFILL;
use super::errors::refusal;
use super::parts::{Id, OrderData, Part};
use super::wire::{Answer, UserError, user_errors};

/// `fulfillmentCreate` makes a parcel each time (sheet 4.4): the order is read first. It shows the tracking number, and
/// what is left, once the first report was taken.
pub(super) const REPEAT: Repeat = Repeat::ReadFirst;

/// Carriers by their usual names, and what Shopify calls them: with its own name it makes the tracking link. Others go
/// as they are.
const CARRIERS: &[(&str, &str)] = &[
    ("yamato", "Yamato (JA)"),
    ("yamato transport", "Yamato (JA)"),
    ("kuroneko yamato", "Yamato (JA)"),
    ("ヤマト運輸", "Yamato (JA)"),
    ("クロネコヤマト", "Yamato (JA)"),
    ("sagawa", "Sagawa (JA)"),
    ("sagawa express", "Sagawa (JA)"),
    ("佐川急便", "Sagawa (JA)"),
    ("japan post", "Japan Post (JA)"),
    ("japan post yu-pack", "Japan Post (JA)"),
    ("yu-pack", "Japan Post (JA)"),
    ("yupack", "Japan Post (JA)"),
    ("日本郵便", "Japan Post (JA)"),
    ("ゆうパック", "Japan Post (JA)"),
];

/// What Shopify calls a carrier.
pub(super) fn carrier_name(usual: &str) -> &str {
    let usual = usual.trim();
    CARRIERS.iter().find(|(name, _)| usual.to_lowercase() == *name).map_or(usual, |(_, theirs)| theirs)
}

/// `FulfillmentTrackingInput`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct TrackingInput {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) company: String,
    pub(super) number: String,
}

/// Carrier and number as they are sent.
///
/// # Errors
/// A refusal when there is no number.
pub(super) fn tracking_input(tracking: &Tracking) -> Result<TrackingInput, Refusal> {
    let number = tracking.number.trim();
    if number.is_empty() {
        return Err(Refusal::new("", "the tracking number is blank"));
    }
    Ok(TrackingInput { company: carrier_name(&tracking.carrier).to_owned(), number: number.to_owned() })
}

/// `FulfillmentInput`: a parcel from one location.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FulfillmentInput {
    line_items_by_fulfillment_order: Vec<PartInput>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tracking_info: Option<TrackingInput>,
    /// Always said (NB-1): what the channel does by itself may change.
    notify_customer: bool,
}

/// The lines are always named: "everything left" would ship what was added to the order since it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct PartInput {
    fulfillment_order_id: String,
    fulfillment_order_line_items: Vec<PartLineInput>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct PartLineInput {
    id: String,
    quantity: u32,
}

/// What to send for a parcel: one call per location.
///
/// # Errors
/// The outcome, where nothing is to be sent.
pub(super) fn plan(request: &DispatchRequest<'_>) -> Result<Vec<FulfillmentInput>, Outcome<Dispatched>> {
    let no = |message: &str| Outcome::Refused(Refusal::new("", message));
    let later = |message: &str| Outcome::Refused(Refusal::new("", message).temporary().reread());
    let data: OrderData = request
        .order
        .channel_data
        .read()
        .ok_or_else(|| later("the order's fulfilment orders are not known: it is read again"))?;
    let tracking = request.tracking.map(tracking_input).transpose().map_err(Outcome::Refused)?;
    if tracking.is_none() && !request.lines.is_empty() {
        // After a lost answer nothing would tell whether this part was reported.
        return Err(no("a part of an order is reported only with a tracking number"));
    }
    already_reported(request, &data, tracking.as_ref())?;
    let wanted = wanted(request, &data)?;
    let shares = share(&wanted, &data.parts).map_err(|fault| match fault {
        Fault::Held => later("the channel holds a part of it: it is on hold or scheduled"),
        Fault::Elsewhere => {
            later("a part of it is assigned to a fulfilment service, which reports it itself")
        }
        Fault::TooMany => Outcome::Refused(Refusal::new("", "more pieces than are left to ship").reread()),
    })?;
    let notify_customer = request.notify == Some(Notify::Buyer);
    Ok(by_location(shares)
        .map(|parts| FulfillmentInput {
            line_items_by_fulfillment_order: parts,
            tracking_info: tracking.clone(),
            notify_customer,
        })
        .collect())
}

/// A parcel whose number the order shows was reported already.
fn already_reported(
    request: &DispatchRequest<'_>,
    data: &OrderData,
    tracking: Option<&TrackingInput>,
) -> Result<(), Outcome<Dispatched>> {
    let Some(tracking) = tracking else { return Ok(()) };
    let same = data.parcels.iter().filter(|parcel| parcel.is_live() && parcel.has(&tracking.number));
    let mut pieces = same.map(|parcel| parcel.pieces).peekable();
    if pieces.peek().is_none() {
        return Ok(());
    }
    let reported = pieces.fold(0, u32::saturating_add);
    let asked = request.lines.iter().map(|(_, pieces)| *pieces).fold(0, u32::saturating_add);
    if request.lines.is_empty() {
        // All that is left goes under the same number; where nothing is left, it went.
        let left = data.parts.iter().any(Part::is_open);
        return if left { Ok(()) } else { Err(Outcome::AlreadyDone) };
    }
    if reported >= asked {
        return Err(Outcome::AlreadyDone);
    }
    Err(Outcome::Refused(Refusal::new(
        "",
        format!(
            "a parcel with this number is reported with {reported} of the {asked} pieces; report the rest by hand"
        ),
    )))
}

/// Pieces of each line that are to be sent.
fn wanted<'a>(
    request: &'a DispatchRequest<'_>,
    data: &'a OrderData,
) -> Result<BTreeMap<&'a str, u32>, Outcome<Dispatched>> {
    let mut wanted: BTreeMap<&str, u32> = BTreeMap::new();
    if request.lines.is_empty() {
        for line in data.parts.iter().filter(|part| part.is_open()).flat_map(|part| &part.lines) {
            let pieces = wanted.entry(line.line.as_str()).or_default();
            *pieces = pieces.saturating_add(line.left);
        }
    } else {
        for (id, pieces) in request.lines {
            if request.order.line(id).is_none() {
                let text = format!("the order has no line {id}");
                return Err(Outcome::Refused(Refusal::new("", text)));
            }
            let sum = wanted.entry(LineId::as_str(id)).or_default();
            *sum = sum.saturating_add(*pieces);
        }
    }
    wanted.retain(|_, pieces| *pieces > 0);
    if wanted.is_empty() {
        return Err(Outcome::Refused(Refusal::new("", "nothing of the order is left to ship").reread()));
    }
    Ok(wanted)
}

/// Why a parcel can't be made of the fulfilment orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Held,
    Elsewhere,
    TooMany,
}

/// Pieces of a fulfilment order's line.
struct Share<'a> {
    part: &'a Part,
    line: &'a str,
    pieces: u32,
}

/// Takes the wanted pieces out of the fulfilment orders that the channel lets go, from one location if it has them
/// all.
fn share<'a>(wanted: &BTreeMap<&str, u32>, parts: &'a [Part]) -> Result<Vec<Share<'a>>, Fault> {
    let ready: Vec<&Part> = parts
        .iter()
        .filter(|part| {
            matches!(part.status.as_str(), "OPEN" | "IN_PROGRESS") && part.can_ship && part.left() > 0
        })
        .collect();
    let locations: Vec<&str> = ready.iter().map(|part| place(part)).collect();
    for location in &locations {
        let here: Vec<&Part> = ready.iter().copied().filter(|part| place(part) == *location).collect();
        if let Some(shares) = take(wanted, &here) {
            return Ok(shares);
        }
    }
    if let Some(shares) = take(wanted, &ready) {
        return Ok(shares);
    }
    let concerned = |part: &&Part| {
        part.is_open() && part.lines.iter().any(|line| wanted.contains_key(line.line.as_str()))
    };
    let mut others = parts.iter().filter(concerned);
    match others.clone().any(Part::is_held) {
        true => Err(Fault::Held),
        false if others.any(|part| !part.can_ship) => Err(Fault::Elsewhere),
        false => Err(Fault::TooMany),
    }
}

/// What all fulfilment orders of a call must share. Where the channel does not tell the location, each goes alone.
fn place(part: &Part) -> &str {
    if part.location.is_empty() { &part.id } else { &part.location }
}

fn take<'a>(wanted: &BTreeMap<&str, u32>, parts: &[&'a Part]) -> Option<Vec<Share<'a>>> {
    let mut open = wanted.clone();
    let mut shares = Vec::new();
    for part in parts {
        for line in &part.lines {
            let Some(rest) = open.get_mut(line.line.as_str()) else { continue };
            let pieces = line.left.min(*rest);
            if pieces > 0 {
                *rest -= pieces;
                shares.push(Share { part, line: &line.id, pieces });
            }
        }
    }
    open.values().all(|rest| *rest == 0).then_some(shares)
}

fn by_location(shares: Vec<Share<'_>>) -> impl Iterator<Item = Vec<PartInput>> {
    let mut locations: BTreeMap<String, Vec<PartInput>> = BTreeMap::new();
    for share in shares {
        let parts = locations.entry(place(share.part).to_owned()).or_default();
        let line = PartLineInput { id: share.line.to_owned(), quantity: share.pieces };
        match parts.iter_mut().find(|part| part.fulfillment_order_id == share.part.id) {
            Some(part) => part.fulfillment_order_line_items.push(line),
            None => parts.push(PartInput {
                fulfillment_order_id: share.part.id.clone(),
                fulfillment_order_line_items: vec![line],
            }),
        }
    }
    locations.into_values()
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Payload<'a> {
    #[serde(borrow)]
    fulfillment: Option<&'a RawValue>,
    #[serde(borrow)]
    user_errors: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Made<'a> {
    #[serde(borrow)]
    status: crate::lenient::Text<'a>,
}

/// The id of the parcel that was made, or why none was.
///
/// # Errors
/// `MalformedResponse`: it is not known whether one was made.
pub(super) fn result(body: &[u8]) -> Result<Result<String, Refusal>> {
    let text = body_text(body);
    let answer = Answer::read(&text)?;
    let payload: Payload<'_> = answer.root(&FULFILL)?;
    if let Some(error) = user_errors(payload.user_errors)?.first() {
        return Ok(Err(refused(error)));
    }
    let raw = payload.fulfillment.ok_or_else(|| Error::malformed("the answer names no parcel"))?;
    let id: Id<'_> = serde_json::from_str(raw.get()).unwrap_or_default();
    let made: Made<'_> = serde_json::from_str(raw.get()).unwrap_or_default();
    let id = id.id.filled().ok_or_else(|| Error::malformed("the answer names no parcel"))?;
    match made.status.trim() {
        "CANCELLED" | "ERROR" | "FAILURE" => Err(Error::malformed("the parcel was made, and failed at once")),
        _ => Ok(Ok(id.to_owned())),
    }
}

/// The channel gives no codes here. What it says about the tracking lasts; anything else comes from a state that has
/// changed since the order was read, and is tried again from the new one.
fn refused(error: &UserError) -> Refusal {
    let refusal = refusal(error).reread();
    let about_tracking = error.field.iter().any(|step| step.starts_with("tracking"));
    if about_tracking { refusal } else { refusal.temporary() }
}

/// Reports parcels. A second parcel of an order waits until the order was read again: what is left has changed.
pub(super) async fn dispatch(
    api: &Api,
    cx: &Context,
    requests: &[DispatchRequest<'_>],
) -> Result<Vec<Outcome<Dispatched>>> {
    let mut seen: HashSet<&OrderId> = HashSet::new();
    let calls = requests.iter().map(|request| {
        let first = seen.insert(&request.order.id);
        async move {
            if first { one(api, cx, request).await } else { Ok(Outcome::NotTried(second(request.order))) }
        }
    });
    each(calls.collect(), PARALLEL, Outcome::from_error).await
}

fn second(order: &Order) -> Error {
    Error::new(ErrorKind::Busy)
        .with_message("another parcel of this order is in the same call: read the order first")
        .for_order(&order.id)
}

async fn one(api: &Api, cx: &Context, request: &DispatchRequest<'_>) -> Result<Outcome<Dispatched>> {
    let inputs = match plan(request) {
        Ok(inputs) => inputs,
        Err(outcome) => return Ok(outcome),
    };
    let mut parcels = Vec::new();
    for input in &inputs {
        let made = call(api, cx, input).await;
        let rest = inputs.len() - parcels.len();
        match made {
            Ok(Ok(id)) => parcels.push(id),
            // Nothing was sent for this parcel before: the answer is the parcel's own.
            Ok(Err(refusal)) if parcels.is_empty() => return Ok(Outcome::Refused(refusal)),
            Err(error) if parcels.is_empty() => return Err(error.for_order(&request.order.id)),
            Ok(Err(refusal)) => return Ok(half(&parcels, rest, &refusal.message, false)),
            Err(error) => {
                return Ok(half(&parcels, rest, error.message().unwrap_or(""), error.outcome_unknown()));
            }
        }
    }
    Ok(Outcome::Done(Dispatched { parcels, reread: true, ..Dispatched::default() }))
}

/// Some locations of the parcel are reported, the rest is not. Neither "done" nor "nothing changed" would be true, and
/// the order shows the number either way: a person must look. Nothing repeats it by itself.
fn half(parcels: &[String], rest: usize, why: &str, unknown: bool) -> Outcome<Dispatched> {
    let state = if unknown { "it is not known whether the rest is" } else { "the rest is not" };
    let text = format!(
        "the parcel leaves from {} locations: {} reported, {state} ({why}); report what is left by hand",
        parcels.len() + rest,
        parcels.len()
    );
    Outcome::Refused(Refusal::new("PARTLY_REPORTED", text).reread())
}

async fn call(api: &Api, cx: &Context, input: &FulfillmentInput) -> Result<Result<String, Refusal>> {
    #[derive(Serialize)]
    struct Variables<'a> {
        fulfillment: &'a FulfillmentInput,
    }
    let variables = Variables { fulfillment: input };
    let answer = api.call(cx, Operation::Dispatch, Nature::from(REPEAT), &FULFILL, variables).await?;
    // It was sent: an answer that can't be read leaves it open what was done.
    result(&answer.body).map_err(Error::with_unknown_effect)
}
