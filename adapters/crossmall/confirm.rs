//! Confirming orders: moving them to the phase that the merchant chose (sheet 6).

use crate::channel::{ConfirmRequest, Confirmed, Context, Operation, Outcome, Repeat, each};
use crate::error::Result;
use crate::model::OrderStatus;

use super::auth::Api;
use super::errors::refused;
use super::orders::gone;
use super::phase::{Present, move_to, present};
use super::settings::Choices;

/// A second move throws an order back that somebody has moved on since: it is read first (sheet 6).
pub(super) const REPEAT: Repeat = Repeat::ReadFirst;

/// What becomes of an order without a call; `None`: it is to be moved.
pub(super) fn settled(present: &Present) -> Option<Outcome<Confirmed>> {
    match present.status {
        // Also on hold: the seller has taken it.
        OrderStatus::Confirmed | OrderStatus::Shipped if present.packed_into.is_none() => {
            Some(Outcome::AlreadyDone)
        }
        _ => present.barred().map(Outcome::Refused),
    }
}

/// Confirms, one after the other, so that reading and moving an order stay next to each other.
pub(super) async fn confirm(
    api: &Api,
    cx: &Context,
    requests: &[ConfirmRequest<'_>],
) -> Result<Vec<Outcome<Confirmed>>> {
    let choices = Choices::of(cx)?;
    let to = choices.confirm_phase()?;
    let calls = requests.iter().map(|request| one(api, cx, &choices, to, request));
    each(calls.collect(), 1, Outcome::from_error).await
}

async fn one(
    api: &Api,
    cx: &Context,
    choices: &Choices,
    to: &str,
    request: &ConfirmRequest<'_>,
) -> Result<Outcome<Confirmed>> {
    let (operation, order) = (Operation::Confirm, request.order);
    let Some(present) = present(api, cx, operation, choices, order).await? else {
        return Ok(Outcome::Refused(gone()));
    };
    if let Some(outcome) = settled(&present) {
        return Ok(outcome);
    }
    match move_to(api, cx, operation, order, to, Vec::new()).await {
        Ok(()) => Ok(Outcome::Done(Confirmed::default())),
        Err(error) => refused(error),
    }
}
