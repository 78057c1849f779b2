//! Reporting parcels ("Ship: orderShipStatusChange"). An order is shipped as a whole.

use std::collections::HashSet;

use chrono::{DateTime, Utc};

use crate::channel::{
    Context, DispatchRequest, Dispatched, Operation, Outcome, Refusal, Repeat, Tracking, each,
};
use crate::error::{Error, ErrorKind, Result};
use crate::http::Nature;
use crate::model::{Order, OrderId, OrderStatus};

use super::auth::{Api, Ask, Body};
use super::carriers::{self, JAPAN_POST, YAMATO};
use super::errors::{Method, is_refusal, refusal, warnings};
use super::orders::read_one;
use super::rows::Kept;
use super::wire::{Req, filled, stamp_day};

/// What a second report does is not documented, and the call can take the payment: the order is read first. It shows the
/// status "shipped" and the number once the first report was taken.
pub(super) const REPEAT: Repeat = Repeat::ReadFirst;

/// Longest tracking number, in characters.
const MOST_NUMBER: usize = 30;
/// Longest of Yamato's.
const MOST_YAMATO: usize = 14;
/// Lengths of Japan Post's, without hyphens.
const JAPAN_POST_LENGTHS: std::ops::RangeInclusive<usize> = 11..=13;
/// The card authorization had ended: the order is shipped, and no money was taken.
const NOT_PAID: &str = "od91115";

/// What is sent for a parcel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parcel {
    carrier: &'static str,
    number: String,
    /// Which of the two numbers of an order it is.
    field: &'static str,
}

/// What is to be done for a parcel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Plan {
    /// The channel has it already.
    Already,
    /// It can't be reported.
    Refused(Refusal),
    Send(Parcel),
}

/// What is to be done for a parcel, by the state of its order that was just read.
pub(super) fn plan(request: &DispatchRequest<'_>, fresh: &Order) -> Plan {
    match try_plan(request, fresh) {
        Ok(plan) => plan,
        Err(no) => Plan::Refused(no),
    }
}

fn no(message: &str) -> Refusal {
    Refusal::new("", message)
}

fn try_plan(request: &DispatchRequest<'_>, fresh: &Order) -> Result<Plan, Refusal> {
    let (carrier, number) = sound(request)?;
    let kept: Kept = fresh.channel_data.read().unwrap_or_default();
    let has = |known: &String| bare(known) == bare(&number);
    match fresh.status {
        OrderStatus::Shipped | OrderStatus::Delivered if kept.numbers.iter().any(has) => {
            return Ok(Plan::Already);
        }
        OrderStatus::Shipped | OrderStatus::Delivered => {
            return Err(no("the order is shipped already, with another number or none").reread());
        }
        OrderStatus::Cancelled | OrderStatus::Returned => {
            return Err(no("the order is cancelled, returned or split").reread());
        }
        OrderStatus::New | OrderStatus::Confirmed => {}
        OrderStatus::PendingPayment => {
            let why = kept.blocks.first().map_or("the order is not paid yet", |block| block.words());
            return Err(no(why).temporary().reread());
        }
        _ => return Err(no("the order is in a state that is not known").temporary().reread()),
    }
    if let Some(block) = kept.blocks.first() {
        return Err(no(block.words()).temporary().reread());
    }
    if let Some(hold) = fresh.holds.first() {
        return Err(no(&format!("the channel holds the order ({})", hold.as_str())).temporary().reread());
    }
    if filled(&kept.no_number).is_some() {
        return Err(no(
            "the order says that it has no tracking number, and such a reason excludes one: take it away in the back office",
        ));
    }
    // A number that the store noted by hand stays: the order has room for two.
    let [first, second] = &kept.numbers;
    let field = if first.is_empty() || has(first) {
        "ShipInvoiceNumber1"
    } else if second.is_empty() || has(second) {
        "ShipInvoiceNumber2"
    } else {
        return Err(
            no("the order has two tracking numbers already, the most that the channel takes").reread()
        );
    };
    Ok(Plan::Send(Parcel { carrier, number, field }))
}

/// Letters and digits alone: numbers come with and without hyphens.
fn bare(number: &str) -> String {
    number.chars().filter(char::is_ascii_alphanumeric).collect()
}

/// Carrier code and number, if they can be sent and the parcel is the whole order.
fn sound(request: &DispatchRequest<'_>) -> Result<(&'static str, String), Refusal> {
    let tracking: &Tracking =
        request.tracking.ok_or_else(|| no("a carrier and a tracking number are needed"))?;
    if !is_whole(request) {
        return Err(no("the channel ships an order as a whole: a part of its pieces can't be reported"));
    }
    let carrier = carriers::code(&tracking.carrier);
    let number = tracking.number.trim();
    let plain = |number: &str| number.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if bare(number).is_empty() || number.len() > MOST_NUMBER || !plain(number) {
        return Err(no("the tracking number must have 1 to 30 letters, digits and hyphens"));
    }
    match carrier {
        YAMATO if number.len() > MOST_YAMATO || number.chars().any(|c| c.is_ascii_alphabetic()) => {
            Err(no("a tracking number of Yamato has digits and hyphens, at most 14"))
        }
        JAPAN_POST => {
            let number = bare(number);
            if JAPAN_POST_LENGTHS.contains(&number.len()) {
                Ok((carrier, number))
            } else {
                Err(no("a tracking number of Japan Post has 11 to 13 letters and digits"))
            }
        }
        _ => Ok((carrier, number.to_owned())),
    }
}

/// Whether all that is outstanding is in the parcel.
fn is_whole(request: &DispatchRequest<'_>) -> bool {
    request.lines.is_empty()
        || request.order.lines.iter().all(|line| {
            let pieces = request.lines.iter().filter(|(id, _)| *id == line.id).map(|(_, pieces)| *pieces);
            pieces.fold(0_u32, u32::saturating_add) >= line.outstanding()
        })
}

/// Reports an order as shipped. The carrier goes alone: a ship method beside it would win.
pub(super) fn ship_ask(seller: &str, order: &str, parcel: &Parcel, shipped_at: DateTime<Utc>) -> Ask {
    let xml = Req::new()
        .group("Target", |target| target.text("OrderId", order).text("IsPointFix", "true"))
        .group("Order", |order| {
            order.group("Ship", |ship| {
                ship.text("ShipStatus", "3")
                    .text("ShipCompanyCode", parcel.carrier)
                    .text(parcel.field, &parcel.number)
                    .text("ShipDate", &stamp_day(shipped_at))
            })
        })
        .text("SellerId", seller)
        .end();
    Ask { method: Method::OrderShipStatusChange, body: Body::Xml(xml) }
}

/// Reports parcels, a read and a call each.
pub(super) async fn dispatch(
    api: &Api,
    cx: &Context,
    requests: &[DispatchRequest<'_>],
) -> Result<Vec<Outcome<Dispatched>>> {
    let mut seen: HashSet<&OrderId> = HashSet::new();
    let calls: Vec<_> = requests
        .iter()
        .map(|request| {
            let is_first = seen.insert(&request.order.id);
            async move { if is_first { dispatch_one(api, cx, request).await } else { Ok(twice(request)) } }
        })
        .collect();
    each(calls, 1, Outcome::from_error).await
}

fn twice(request: &DispatchRequest<'_>) -> Outcome<Dispatched> {
    Outcome::NotTried(
        Error::new(ErrorKind::Busy)
            .with_message("another parcel of this order is in the same call: read the order first")
            .for_order(&request.order.id),
    )
}

async fn dispatch_one(api: &Api, cx: &Context, request: &DispatchRequest<'_>) -> Result<Outcome<Dispatched>> {
    // What is wrong with the parcel itself needs no look at the order.
    if let Err(no) = sound(request) {
        return Ok(Outcome::Refused(no));
    }
    let id = &request.order.id;
    let fresh = read_one(api, cx, id).await?;
    let parcel = match plan(request, &fresh.order) {
        Plan::Already => return Ok(Outcome::AlreadyDone),
        Plan::Refused(no) => return Ok(Outcome::Refused(no)),
        Plan::Send(parcel) => parcel,
    };
    let ask = ship_ask(&api.seller()?, id.as_str(), &parcel, request.shipped_at);
    let called = api.call(cx, Operation::Dispatch, Nature::from(REPEAT), &ask).await;
    match called.map_err(|error| error.for_order(id)) {
        Ok(answer) => done(&answer.body, id),
        Err(error) if is_refusal(&error) => Ok(Outcome::Refused(refusal(&error))),
        Err(error) => Err(error),
    }
}

/// It is shipped, with or without a warning. Where no money was taken, the order is read again: its payment shows then.
fn done(body: &[u8], id: &OrderId) -> Result<Outcome<Dispatched>> {
    let warnings = warnings(body).map_err(Error::with_unknown_effect)?;
    let mut dispatched = Dispatched::default();
    if warnings.iter().any(|warning| warning.code == NOT_PAID) {
        tracing::warn!(order = %id, code = NOT_PAID, "shipped, but the card authorization had ended: no money was taken");
        dispatched.reread = true;
    }
    Ok(Outcome::Done(dispatched))
}
