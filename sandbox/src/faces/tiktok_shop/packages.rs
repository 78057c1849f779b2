//! Packages: what the channel ships by. They follow the market, which knows nothing of them.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::ids::{Sku, Unit};
use super::settings::{PackagesPer, Settings, Shipping};
use crate::market::{ClaimKind, Line, LineState, Order, OrderNumber, ParcelLine};

/// How far a package is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Progress {
    ToFulfill,
    Processing,
    Fulfilling,
    Completed,
    Cancelled,
}

impl Progress {
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::ToFulfill => "TO_FULFILL",
            Self::Processing => "PROCESSING",
            Self::Fulfilling => "FULFILLING",
            Self::Completed => "COMPLETED",
            Self::Cancelled => "CANCELLED",
        }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Package {
    pub(super) id: String,
    pub(super) order: OrderNumber,
    pub(super) units: Vec<Unit>,
    pub(super) progress: Progress,
    pub(super) shipping: Shipping,
    pub(super) split: bool,
    pub(super) tracking: String,
    pub(super) provider_id: String,
    pub(super) provider: String,
    pub(super) handover: String,
    pub(super) slot: Option<(i64, i64)>,
    pub(super) created: DateTime<Utc>,
    pub(super) updated: DateTime<Utc>,
    pub(super) shipped: Option<DateTime<Utc>>,
}

impl Package {
    /// Its units by line, as the market reports parcels.
    pub(super) fn parcel_lines(&self) -> Vec<ParcelLine> {
        let mut lines: Vec<ParcelLine> = Vec::new();
        for unit in &self.units {
            match lines.iter_mut().find(|line| line.line == unit.line) {
                Some(line) => line.quantity += 1,
                None => lines.push(ParcelLine { line: unit.line, quantity: 1 }),
            }
        }
        lines
    }

    pub(super) fn unit_ids(&self) -> Vec<String> {
        self.units.iter().map(|unit| unit.id()).collect()
    }
}

/// Units of a line that will be delivered; the channel cancels from the end.
pub(super) fn live_units(line: &Line) -> impl Iterator<Item = Unit> + use<> {
    let (number, live) = (line.number, line.quantity.saturating_sub(line.cancelled_quantity));
    (0..live).map(move |at| Unit { line: number, at })
}

pub(super) fn hold_ends(order: &Order, settings: &Settings) -> Option<DateTime<Utc>> {
    Some(order.paid_at? + TimeDelta::minutes(i64::from(settings.hold_minutes)))
}

pub(super) fn is_on_hold(order: &Order, settings: &Settings, now: DateTime<Utc>) -> bool {
    hold_ends(order, settings).is_some_and(|end| now < end)
}

/// Whether the buyer has asked to cancel it, and nobody has answered.
pub(super) fn cancel_asked(order: &Order) -> bool {
    order.claims.iter().any(|claim| claim.kind == ClaimKind::Cancel && claim.is_open())
}

#[derive(Debug, Default)]
pub(super) struct Ledger {
    packages: Vec<Package>,
    by_order: HashMap<OrderNumber, Vec<usize>>,
    by_id: HashMap<String, usize>,
    /// Quantities by warehouse, as they were last set.
    pub(super) stock: HashMap<Sku, Vec<i64>>,
    /// Cancellations that were answered under an idempotency key.
    pub(super) answered: HashMap<String, String>,
}

impl Ledger {
    pub(super) fn of_order(&self, number: OrderNumber) -> impl Iterator<Item = &Package> {
        self.by_order.get(&number).into_iter().flatten().filter_map(|&at| self.packages.get(at))
    }

    pub(super) fn package(&self, id: &str) -> Option<&Package> {
        self.packages.get(*self.by_id.get(id)?)
    }

    pub(super) fn package_mut(&mut self, id: &str) -> Option<&mut Package> {
        self.packages.get_mut(*self.by_id.get(id)?)
    }

    pub(super) fn packages(&self) -> &[Package] {
        &self.packages
    }

    /// Whether another package left under this tracking number.
    pub(super) fn is_tracking_used(&self, tracking: &str, but: &str) -> bool {
        self.packages.iter().any(|package| package.id != but && package.tracking == tracking)
    }

    /// Brings the packages of an order up to what the market says of it.
    pub(super) fn follow(&mut self, order: &Order, settings: &Settings, now: DateTime<Utc>) {
        if order.paid_at.is_none() || is_on_hold(order, settings, now) {
            return;
        }
        if !self.by_order.contains_key(&order.number) {
            self.cut(order, settings);
        }
        let Some(places) = self.by_order.get(&order.number) else { return };
        for &at in places {
            if let Some(package) = self.packages.get_mut(at) {
                follow(package, order);
            }
        }
    }

    fn cut(&mut self, order: &Order, settings: &Settings) {
        let of_line = |line: &Line| live_units(line).collect::<Vec<_>>();
        let groups: Vec<Vec<Unit>> = match settings.packages {
            PackagesPer::Order => vec![order.lines.iter().flat_map(of_line).collect()],
            PackagesPer::Line => order.lines.iter().map(of_line).collect(),
        };
        let created = hold_ends(order, settings).unwrap_or(order.ordered_at);
        let split = groups.len() > 1;
        for units in groups.into_iter().filter(|units| !units.is_empty()) {
            self.add(order, units, settings.shipping, created, split);
        }
    }

    /// Adds a package of these units and returns its id.
    fn add(
        &mut self,
        order: &Order,
        units: Vec<Unit>,
        shipping: Shipping,
        created: DateTime<Utc>,
        split: bool,
    ) -> String {
        let at = self.packages.len();
        let id = (1_152_321_127_278_000_000 + at as u64).to_string();
        self.packages.push(Package {
            id: id.clone(),
            order: order.number,
            units,
            progress: Progress::ToFulfill,
            shipping,
            split,
            tracking: String::new(),
            provider_id: String::new(),
            provider: String::new(),
            handover: String::new(),
            slot: None,
            created,
            updated: created,
            shipped: None,
        });
        self.by_order.entry(order.number).or_default().push(at);
        self.by_id.insert(id.clone(), at);
        id
    }

    /// Moves units out of the packages that have not left into a new one, and returns its id. A package that would be
    /// empty stays as it is when it has just these units.
    pub(super) fn take_out(
        &mut self,
        order: &Order,
        units: &[Unit],
        shipping: Shipping,
        now: DateTime<Utc>,
    ) -> String {
        let same = |package: &&Package| {
            package.progress == Progress::ToFulfill
                && package.units.len() == units.len()
                && package.units.iter().all(|unit| units.contains(unit))
        };
        if let Some(package) = self.of_order(order.number).find(same) {
            return package.id.clone();
        }
        let places = self.by_order.get(&order.number).cloned().unwrap_or_default();
        for at in places {
            if let Some(package) = self.packages.get_mut(at)
                && package.progress == Progress::ToFulfill
                && package.units.iter().any(|unit| units.contains(unit))
            {
                package.units.retain(|unit| !units.contains(unit));
                package.split = true;
                package.updated = now;
            }
        }
        self.add(order, units.to_vec(), shipping, now, true)
    }

    pub(super) fn collect(&mut self, order: &Order, settings: &Settings, now: DateTime<Utc>) -> usize {
        self.follow(order, settings, now);
        let places = self.by_order.get(&order.number).cloned().unwrap_or_default();
        let mut collected = 0;
        for at in places {
            if let Some(package) = self.packages.get_mut(at)
                && package.progress == Progress::Processing
            {
                package.progress = Progress::Fulfilling;
                package.updated = now;
                collected += 1;
            }
        }
        collected
    }
}

/// Cancelled units leave it; what was shipped or delivered elsewhere is so here, too.
fn follow(package: &mut Package, order: &Order) {
    let line_of = |unit: &Unit| order.line(unit.line);
    if package.progress == Progress::ToFulfill {
        let is_live = |unit: &Unit| {
            line_of(unit).is_some_and(|line| unit.at < line.quantity.saturating_sub(line.cancelled_quantity))
        };
        package.units.retain(is_live);
    }
    if package.units.is_empty() && package.progress < Progress::Completed {
        package.progress = Progress::Cancelled;
        package.updated = order.updated_at;
        return;
    }
    let all = |state: LineState| package.units.iter().filter_map(line_of).all(|line| line.state >= state);
    let cancelled = package.units.iter().filter_map(line_of).all(|line| line.state == LineState::Cancelled);
    match package.progress {
        _ if cancelled && package.progress < Progress::Completed => package.progress = Progress::Cancelled,
        Progress::ToFulfill if all(LineState::Shipped) => {
            let parcel = package.units.first().and_then(|unit| order.parcel_of(unit.line));
            if let Some(parcel) = parcel {
                package.tracking.clone_from(&parcel.tracking);
                package.provider.clone_from(&parcel.carrier);
                package.shipped = Some(parcel.shipped_at);
            }
            package.progress = Progress::Processing;
        }
        Progress::Processing | Progress::Fulfilling if all(LineState::Delivered) => {
            package.progress = Progress::Completed;
        }
        _ => return,
    }
    package.updated = order.updated_at;
}
