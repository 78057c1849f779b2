//! What happens to an order's lines, parcels and claims. Pure: the caller knows who does it and keeps the record.

use chrono::{DateTime, Utc};

use super::acting::{CancelTerms, ParcelDraft};
use super::claim::{Claim, ClaimKind, ClaimState};
use super::event::Refusal;
use super::ids::{ItemId, LineNumber, OptionId};
use super::order::{LineState, Order, Parcel, ParcelLine};

pub(super) fn ship(order: &mut Order, parcel: &ParcelDraft, now: DateTime<Utc>) -> Result<(), Refusal> {
    ship_in(&[LineState::Paid, LineState::Confirmed], order, parcel, now)
}

/// Lines in these states can leave.
pub(super) fn ship_in(
    from: &[LineState],
    order: &mut Order,
    parcel: &ParcelDraft,
    now: DateTime<Utc>,
) -> Result<(), Refusal> {
    if parcel.lines.is_empty() {
        return Err(Refusal::NoLines);
    }
    for (at, sent) in parcel.lines.iter().enumerate() {
        let line = order.line(sent.line).ok_or(Refusal::NoSuchLine)?;
        if !from.contains(&line.state) {
            return Err(Refusal::WrongState(line.state));
        }
        let twice = parcel.lines[..at].iter().any(|earlier| earlier.line == sent.line);
        if twice || sent.quantity == 0 || sent.quantity > line.open_quantity() {
            return Err(Refusal::BadQuantity);
        }
    }
    for line in &mut order.lines {
        let Some(sent) = parcel.lines.iter().find(|sent| sent.line == line.number) else { continue };
        line.shipped_quantity += sent.quantity;
        if line.open_quantity() == 0 {
            line.state = LineState::Shipped;
            line.shipped_at = Some(now);
        }
    }
    order.updated_at = now;
    order.parcels.push(Parcel {
        carrier: parcel.carrier.clone(),
        tracking: parcel.tracking.clone(),
        lines: parcel.lines.clone(),
        shipped_at: now,
    });
    Ok(())
}

pub(super) fn ship_again(
    order: &mut Order,
    lines: &[LineNumber],
    carrier: &str,
    tracking: &str,
    now: DateTime<Utc>,
) -> Result<(), Refusal> {
    for &number in lines {
        let line = order.line(number).ok_or(Refusal::NoSuchLine)?;
        if !matches!(line.state, LineState::Shipped | LineState::Delivered) {
            return Err(Refusal::WrongState(line.state));
        }
    }
    order.updated_at = now;
    order.parcels.push(Parcel {
        carrier: carrier.to_owned(),
        tracking: tracking.to_owned(),
        lines: lines.iter().map(|&line| ParcelLine { line, quantity: 0 }).collect(),
        shipped_at: now,
    });
    Ok(())
}

/// What goes back on sale: the item, the option, and whether the units were taken from it.
pub(super) fn cancel_units(
    order: &mut Order,
    at: usize,
    quantity: u32,
    now: DateTime<Utc>,
) -> Result<(ItemId, Option<OptionId>, bool), Refusal> {
    let line = &mut order.lines[at];
    if !matches!(line.state, LineState::AwaitingPayment | LineState::Paid | LineState::Confirmed) {
        return Err(Refusal::WrongState(line.state));
    }
    if quantity == 0 || quantity > line.open_quantity() {
        return Err(Refusal::BadQuantity);
    }
    line.cancelled_quantity += quantity;
    if line.open_quantity() == 0 {
        line.state = LineState::Shipped;
        line.shipped_at = Some(now);
    }
    let (number, goes_back) = (line.number, (line.item, line.option, line.from_stock));
    order.updated_at = now;
    let open =
        |claim: &&mut Claim| claim.line == number && claim.kind == ClaimKind::Cancel && claim.is_open();
    if let Some(claim) = order.claims.iter_mut().find(open) {
        claim.state = ClaimState::Done;
        claim.settled_at = Some(now);
    }
    Ok(goes_back)
}

pub(super) fn cancel(
    order: &mut Order,
    at: usize,
    reason: &str,
    terms: CancelTerms,
    now: DateTime<Utc>,
) -> Result<(), Refusal> {
    let line = &mut order.lines[at];
    let untouched = matches!(line.state, LineState::AwaitingPayment | LineState::Paid | LineState::Confirmed)
        && line.shipped_quantity == 0;
    if line.state == LineState::Cancelled || !(untouched || terms.after_leaving) {
        return Err(Refusal::WrongState(line.state));
    }
    let kind = if line.state == LineState::AwaitingPayment { ClaimKind::Unpaid } else { ClaimKind::Cancel };
    line.state = LineState::Cancelled;
    line.cancelled_at = Some(now);
    line.cancelled_quantity = line.quantity;
    let (number, quantity) = (line.number, line.quantity);
    order.updated_at = now;
    let open = order.claims.iter_mut().find(|claim| claim.line == number && claim.is_open());
    match open {
        Some(claim) => {
            claim.state = ClaimState::Done;
            claim.settled_at = Some(now);
        }
        // Channels list a cancellation by the seller among the claims, too.
        None => order.claims.push(Claim {
            line: number,
            kind,
            state: ClaimState::Done,
            quantity,
            reason: reason.to_owned(),
            requested_at: now,
            settled_at: Some(now),
        }),
    }
    Ok(())
}
