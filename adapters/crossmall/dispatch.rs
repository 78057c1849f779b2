//! Reporting parcels, in two steps (sheet 6): first the number is written without moving the order, and read back; then
//! the order is moved. The move can make CROSS MALL report the shipment to the shop at once, and a number that is missing
//! at that moment is missing there for good. The name of the number's parameter comes from one source only.

use chrono_tz::Tz;

use crate::channel::{Context, DispatchRequest, Dispatched, Operation, Outcome, Refusal, Repeat, each};
use crate::error::{Error, Result};
use crate::model::OrderStatus;

use super::auth::{Api, Query};
use super::errors::refused;
use super::orders::gone;
use super::phase::{Present, move_to, present};
use super::settings::Choices;
use super::window::local_day;
use super::wire::{day, day_text};

/// A second move throws an order back that somebody has moved on since: it is read first, which tells how far the first
/// try came (sheet 6).
pub(super) const REPEAT: Repeat = Repeat::ReadFirst;

/// What is to be seen in the order before it is moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parcel {
    pub(super) number: String,
    /// The account's own name of the carrier; `None`: the order keeps its carrier.
    pub(super) carrier: Option<String>,
    pub(super) day: chrono::NaiveDate,
}

/// What is reported for a request, or why it can't be.
pub(super) fn parcel(request: &DispatchRequest<'_>, choices: &Choices, zone: Tz) -> Result<Parcel, Refusal> {
    let no = |message: &str| Refusal::new("", message);
    let tracking = request.tracking.ok_or_else(|| no("a tracking number is needed"))?;
    let number = tracking.number.trim();
    if number.is_empty() || number.chars().any(char::is_control) {
        return Err(no("the tracking number is blank or has control characters"));
    }
    if !is_whole(request) {
        return Err(no("CROSS MALL ships an order as a whole: a part of it can't be reported"));
    }
    Ok(Parcel {
        number: number.to_owned(),
        carrier: choices.carrier(&tracking.carrier).map(str::to_owned),
        day: local_day(request.shipped_at, zone),
    })
}

/// Whether all that is outstanding is in the parcel: an order has one number and no shipped quantities.
fn is_whole(request: &DispatchRequest<'_>) -> bool {
    request.lines.is_empty()
        || request.order.lines.iter().all(|line| {
            let pieces = request.lines.iter().filter(|(id, _)| *id == line.id).map(|(_, pieces)| *pieces);
            pieces.fold(0_u32, u32::saturating_add) >= line.outstanding()
        })
}

impl Parcel {
    /// Whether the order shows number and carrier.
    fn is_stored(&self, present: &Present) -> bool {
        present.tracking_number == self.number
            && self.carrier.as_ref().is_none_or(|carrier| *carrier == present.carrier)
    }

    /// What is written beside the present phase (sheet 6).
    fn along(&self, present: &Present) -> Query {
        let mut along = vec![
            ("delivery_no", self.number.clone()),
            ("delivery_date", day_text(self.day)),
            ("delivery_date_update", "1".to_owned()),
        ];
        if let Some(carrier) = self.carrier.as_ref().filter(|carrier| **carrier != present.carrier) {
            along.push(("delivery_name", carrier.clone()));
            // Refuse rather than drop the time slot that the buyer chose.
            along.push(("delivery_time_convert_error", "0".to_owned()));
        }
        along
    }
}

/// The next step of a report.
#[derive(Debug)]
pub(super) enum Next {
    /// Nothing more is to be done, or nothing may be.
    End(Outcome<Dispatched>),
    /// Number, carrier and date are to be written.
    Write,
    /// The order is to be moved.
    Move,
}

/// What an order's present state asks for.
pub(super) fn next(parcel: &Parcel, present: &Present) -> Next {
    let no = |message: &str| Next::End(Outcome::Refused(Refusal::new("", message).reread()));
    let other = !present.tracking_number.is_empty() && present.tracking_number != parcel.number;
    if present.status == OrderStatus::Shipped && present.packed_into.is_none() {
        return match (other, present.tracking_number.is_empty()) {
            (true, _) => {
                no("the order was shipped with another tracking number: there is one number an order")
            }
            (false, true) => {
                no("the order was shipped without a tracking number: enter it in CROSS MALL by hand")
            }
            (false, false) => Next::End(Outcome::AlreadyDone),
        };
    }
    if let Some(refusal) = present.barred() {
        return Next::End(Outcome::Refused(refusal));
    }
    if other {
        return no("the order has another tracking number already: there is one number an order");
    }
    if parcel.is_stored(present) && day(&present.ship_date) == Some(parcel.day) {
        Next::Move
    } else {
        Next::Write
    }
}

/// Reports parcels, one after the other, so that reading and moving an order stay next to each other.
pub(super) async fn dispatch(
    api: &Api,
    cx: &Context,
    requests: &[DispatchRequest<'_>],
) -> Result<Vec<Outcome<Dispatched>>> {
    let choices = Choices::of(cx)?;
    let to = choices.shipped_phase()?;
    let calls = requests.iter().map(|request| one(api, cx, &choices, to, request));
    each(calls.collect(), 1, Outcome::from_error).await
}

async fn one(
    api: &Api,
    cx: &Context,
    choices: &Choices,
    to: &str,
    request: &DispatchRequest<'_>,
) -> Result<Outcome<Dispatched>> {
    let (operation, order) = (Operation::Dispatch, request.order);
    let parcel = match parcel(request, choices, api.config().zone) {
        Ok(parcel) => parcel,
        Err(refusal) => return Ok(Outcome::Refused(refusal)),
    };
    let Some(before) = present(api, cx, operation, choices, order).await? else {
        return Ok(Outcome::Refused(gone()));
    };
    match next(&parcel, &before) {
        Next::End(outcome) => return Ok(outcome),
        Next::Move => {}
        Next::Write => {
            let written = move_to(api, cx, operation, order, &before.phase, parcel.along(&before)).await;
            if let Err(error) = written {
                return refused(error);
            }
            // Something was changed: an error from here on leaves the order half-way, and reading tells how far.
            let after =
                present(api, cx, operation, choices, order).await.map_err(Error::with_unknown_effect)?;
            if let Some(outcome) = after_writing(&parcel, after.as_ref()) {
                return Ok(outcome);
            }
        }
    }
    match move_to(api, cx, operation, order, to, Vec::new()).await {
        Ok(()) => Ok(Outcome::Done(Dispatched::default())),
        Err(error) => refused(error),
    }
}

/// What is to be said after the number was written and the order was read back; `None`: it is to be moved. The date is
/// not asked for again: the buyer is not told it, and CROSS MALL may write it in a form of its own.
pub(super) fn after_writing(parcel: &Parcel, present: Option<&Present>) -> Option<Outcome<Dispatched>> {
    let Some(present) = present else { return Some(Outcome::Refused(gone())) };
    match next(parcel, present) {
        Next::End(outcome) => Some(outcome),
        Next::Move | Next::Write if parcel.is_stored(present) => None,
        Next::Move | Next::Write => Some(Outcome::Refused(
            Refusal::new("", "CROSS MALL did not store the tracking number: the order was not moved")
                .reread(),
        )),
    }
}
