//! What the channel keeps beside the market: packages, which units were cancelled, when items were listed.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};

use super::ids::{self, Unit};
use crate::market::{Acting, ClaimKind, ItemId, LineNumber, Order, OrderNumber, ParcelLine, Refusal};

/// How far a package is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    Packed,
    /// Ready to ship since then.
    Ready(DateTime<Utc>),
    Shipped,
    /// Cancelled, or packed again in another.
    Cancelled,
}

#[derive(Debug, Clone)]
pub(super) struct Package {
    pub(super) id: String,
    pub(super) order: OrderNumber,
    pub(super) units: Vec<Unit>,
    pub(super) progress: Progress,
    pub(super) tracking: String,
    pub(super) provider: String,
}

impl Package {
    /// Its units by line, as the market reports parcels.
    pub(super) fn parcel_lines(&self) -> Vec<ParcelLine> {
        by_line(&self.units)
            .into_iter()
            .map(|(line, units)| ParcelLine { line, quantity: units.len() as u32 })
            .collect()
    }

    /// Whether its units have left the seller's hands, as the market has it.
    pub(super) fn has_left(&self) -> bool {
        matches!(self.progress, Progress::Ready(_) | Progress::Shipped)
    }
}

pub(super) fn by_line(units: &[Unit]) -> BTreeMap<LineNumber, Vec<Unit>> {
    let mut lines: BTreeMap<LineNumber, Vec<Unit>> = BTreeMap::new();
    for unit in units {
        lines.entry(unit.line).or_default().push(*unit);
    }
    lines
}

#[derive(Debug, Default)]
pub(super) struct Ledger {
    packages: Vec<Package>,
    by_order: HashMap<OrderNumber, Vec<usize>>,
    /// Units whose package was given up, and that are in no other yet.
    repacked: HashSet<Unit>,
    cancelled: HashSet<Unit>,
    /// The units of claims that were settled through this face, by line and place.
    claims: HashMap<(LineNumber, usize), Vec<Unit>>,
    /// When something happened to an order that the market does not see.
    touched: HashMap<OrderNumber, DateTime<Utc>>,
    listed: HashMap<ItemId, DateTime<Utc>>,
}

/// The market doesn't keep when items were listed: 25 January 2021, and a minute later for each next one.
const FIRST_LISTED: i64 = 1_611_554_725;

impl Ledger {
    pub(super) fn pack(
        &mut self,
        order: OrderNumber,
        units: Vec<Unit>,
        site: &str,
        provider: &str,
    ) -> Package {
        let at = self.packages.len();
        for unit in &units {
            self.repacked.remove(unit);
        }
        let package = Package {
            id: ids::package_id(at),
            order,
            units,
            progress: Progress::Packed,
            tracking: format!("{}2600{:08}", site.to_ascii_uppercase(), at + 1),
            provider: provider.to_owned(),
        };
        self.packages.push(package.clone());
        self.by_order.entry(order).or_default().push(at);
        package
    }

    pub(super) fn package(&self, id: &str) -> Option<&Package> {
        self.packages.get(ids::package(id)?)
    }

    pub(super) fn set_progress(&mut self, id: &str, progress: Progress) {
        if let Some(package) = ids::package(id).and_then(|at| self.packages.get_mut(at)) {
            package.progress = progress;
        }
    }

    /// Gives a package up, so that its units can be packed again.
    pub(super) fn give_up(&mut self, id: &str) {
        self.set_progress(id, Progress::Cancelled);
        let units = self.package(id).map(|package| package.units.clone()).unwrap_or_default();
        self.repacked.extend(units);
    }

    /// The package that a unit is in.
    pub(super) fn package_of(&self, order: OrderNumber, unit: Unit) -> Option<&Package> {
        let all = self.by_order.get(&order)?.iter().filter_map(|&at| self.packages.get(at));
        all.filter(|package| package.progress != Progress::Cancelled)
            .find(|package| package.units.contains(&unit))
    }

    /// Packages that wait for the word that they are ready.
    pub(super) fn packed(&self) -> Vec<Package> {
        self.packages.iter().filter(|package| package.progress == Progress::Packed).cloned().collect()
    }

    pub(super) fn collect(&mut self, order: OrderNumber, now: DateTime<Utc>) -> usize {
        let mut collected = 0;
        for &at in self.by_order.get(&order).into_iter().flatten() {
            if let Some(package) = self.packages.get_mut(at)
                && matches!(package.progress, Progress::Ready(_))
            {
                package.progress = Progress::Shipped;
                collected += 1;
            }
        }
        if collected > 0 {
            self.touched.insert(order, now);
        }
        collected
    }

    pub(super) fn is_repacked(&self, unit: Unit) -> bool {
        self.repacked.contains(&unit)
    }

    pub(super) fn is_cancelled(&self, unit: Unit) -> bool {
        self.cancelled.contains(&unit)
    }

    pub(super) fn units_of_claim(&self, line: LineNumber, at: usize) -> Option<&[Unit]> {
        self.claims.get(&(line, at)).map(Vec::as_slice)
    }

    /// When anything of an order last changed.
    pub(super) fn updated(&self, order: &Order) -> DateTime<Utc> {
        self.touched.get(&order.number).map_or(order.updated_at, |at| order.updated_at.max(*at))
    }

    /// When an item was listed: decided when it is first asked for.
    pub(super) fn listed(&mut self, item: ItemId, together: usize) -> DateTime<Utc> {
        let nth = self.listed.len();
        *self.listed.entry(item).or_insert_with(|| {
            let minutes = TimeDelta::minutes((nth / together.max(1)) as i64);
            DateTime::from_timestamp(FIRST_LISTED, 0).unwrap_or_default() + minutes
        })
    }

    /// Cancels units of one line of an order, and remembers which. A request of the buyer on the line is settled.
    ///
    /// # Errors
    /// What the market says.
    pub(super) fn cancel(
        &mut self,
        acting: &Acting<'_>,
        order: &Order,
        units: Vec<Unit>,
        reason: &str,
    ) -> Result<(), Refusal> {
        let line = units.first().and_then(|unit| order.line(unit.line)).ok_or(Refusal::NoSuchLine)?;
        let quantity = units.len() as u32;
        let open = |claim: &crate::market::Claim| claim.line == line.number && claim.is_open();
        let asked = order.claims.iter().rposition(open);
        let whole = line.shipped_quantity == 0 && quantity == line.open_quantity();
        if !whole && asked.is_none() {
            // The market notes a claim by itself for whole lines only.
            acting.claim_units(line.number, ClaimKind::Cancel, quantity, reason)?;
        }
        acting.cancel_units(line.number, quantity, reason)?;
        let claim = asked.unwrap_or(order.claims.len());
        self.cancelled.extend(&units);
        self.claims.insert((line.number, claim), units);
        Ok(())
    }
}
