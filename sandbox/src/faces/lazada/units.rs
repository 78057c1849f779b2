//! Order items with their status (sheet section 5). Pure.
//!
//! The market counts cancelled and shipped units of a line, the channel knows which they are. What happened through this face
//! is in the ledger; of the rest, cancelled units are the last ones, and units shipped from elsewhere the first.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};

use super::ids::Unit;
use super::ledger::{Ledger, Package, Progress};
use super::settings::Settings;
use crate::market::{Claim, ClaimKind, ClaimState, Line, LineState, Order};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Unpaid,
    Pending,
    Repacked,
    Packed,
    ReadyToShipPending,
    ReadyToShip,
    Shipped,
    Delivered,
    Canceled,
    Returned,
}

impl Status {
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Unpaid => "unpaid",
            Self::Pending => "pending",
            Self::Repacked => "repacked",
            Self::Packed => "packed",
            Self::ReadyToShipPending => "ready_to_ship_pending",
            Self::ReadyToShip => "ready_to_ship",
            Self::Shipped => "shipped",
            Self::Delivered => "delivered",
            Self::Canceled => "canceled",
            Self::Returned => "returned",
        }
    }

    pub(super) fn can_be_packed(self) -> bool {
        matches!(self, Self::Pending | Self::Repacked)
    }

    pub(super) fn can_be_cancelled(self) -> bool {
        matches!(self, Self::Unpaid | Self::Pending | Self::Repacked | Self::Packed)
    }
}

/// One order item at a time.
pub(super) struct OrderItem<'a> {
    pub(super) line: &'a Line,
    pub(super) unit: Unit,
    pub(super) status: Status,
    pub(super) package: Option<&'a Package>,
}

/// All order items of an order.
pub(super) fn items<'a>(
    order: &'a Order,
    ledger: &'a Ledger,
    settings: &Settings,
    now: DateTime<Utc>,
) -> Vec<OrderItem<'a>> {
    let of_line = |line: &'a Line| {
        let cancelled = cancelled(order, line, ledger);
        let left_from_here = units(line).filter(|unit| has_left(order, ledger, *unit)).count() as u32;
        let mut from_elsewhere = line.shipped_quantity.saturating_sub(left_from_here);
        let returned = order.claims.iter().any(|claim| {
            claim.line == line.number && claim.kind == ClaimKind::Return && claim.state == ClaimState::Done
        });
        units(line)
            .map(|unit| {
                let package = ledger.package_of(order.number, unit);
                let mut status = status(order, line, package, settings, now);
                if ledger.is_repacked(unit) && status == Status::Pending {
                    status = Status::Repacked;
                }
                if cancelled.contains(&unit) {
                    status = Status::Canceled;
                } else if package.is_none_or(|package| !package.has_left()) && from_elsewhere > 0 {
                    from_elsewhere -= 1;
                    status = Status::Shipped;
                }
                if status == Status::Shipped && line.delivered_at.is_some() {
                    status = Status::Delivered;
                }
                if returned && matches!(status, Status::Shipped | Status::Delivered) {
                    status = Status::Returned;
                }
                OrderItem { line, unit, status, package }
            })
            .collect::<Vec<_>>()
    };
    order.lines.iter().flat_map(of_line).collect()
}

/// The order items of a line.
pub(super) fn units(line: &Line) -> impl DoubleEndedIterator<Item = Unit> + use<> {
    let number = line.number;
    (0..line.quantity).map(move |at| Unit { line: number, at })
}

fn has_left(order: &Order, ledger: &Ledger, unit: Unit) -> bool {
    ledger.package_of(order.number, unit).is_some_and(Package::has_left)
}

fn status(
    order: &Order,
    line: &Line,
    package: Option<&Package>,
    settings: &Settings,
    now: DateTime<Utc>,
) -> Status {
    match package.map(|package| package.progress) {
        Some(Progress::Shipped) => Status::Shipped,
        // Nothing arrives that was never collected.
        Some(Progress::Ready(_)) if line.delivered_at.is_some() => Status::Shipped,
        Some(Progress::Ready(since)) => {
            let shown = since + TimeDelta::seconds(i64::from(settings.pending_seconds));
            if now < shown { Status::ReadyToShipPending } else { Status::ReadyToShip }
        }
        Some(Progress::Packed) => Status::Packed,
        Some(Progress::Cancelled) | None if order.paid_at.is_none() => Status::Unpaid,
        Some(Progress::Cancelled) | None => Status::Pending,
    }
}

fn cancelled(order: &Order, line: &Line, ledger: &Ledger) -> HashSet<Unit> {
    if line.state == LineState::Cancelled {
        return units(line).collect();
    }
    let mut cancelled: HashSet<Unit> = units(line).filter(|unit| ledger.is_cancelled(*unit)).collect();
    let more = (line.cancelled_quantity as usize).saturating_sub(cancelled.len());
    let from_the_end: Vec<Unit> = units(line)
        .rev()
        .filter(|unit| !cancelled.contains(unit) && !has_left(order, ledger, *unit))
        .take(more)
        .collect();
    cancelled.extend(from_the_end);
    cancelled
}

/// The order items that the claim at a place in the order's list is about.
pub(super) fn of_claim(items: &[OrderItem<'_>], ledger: &Ledger, claim: &Claim, at: usize) -> Vec<Unit> {
    if let Some(units) = ledger.units_of_claim(claim.line, at) {
        return units.to_vec();
    }
    let of_line = || items.iter().rev().filter(|item| item.line.number == claim.line);
    let is_cancel = matches!(claim.kind, ClaimKind::Cancel | ClaimKind::Unpaid);
    let fits = |item: &&OrderItem<'_>| match claim.state {
        ClaimState::Done if is_cancel => item.status == Status::Canceled,
        _ if is_cancel && claim.is_open() => item.status.can_be_cancelled(),
        _ => true,
    };
    let mut units: Vec<Unit> =
        of_line().filter(fits).map(|item| item.unit).take(claim.quantity as usize).collect();
    // A request on what has left meanwhile is about something, too.
    if units.is_empty() {
        units = of_line().map(|item| item.unit).take(claim.quantity as usize).collect();
    }
    units.sort_unstable();
    units
}
