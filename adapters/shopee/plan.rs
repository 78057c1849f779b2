//! Which packages a parcel is, or why it is none (sheet 4.5). Nothing is sent here.

use std::collections::BTreeSet;

use crate::channel::{DispatchRequest, Outcome, Refusal};
use crate::model::{CancelState, LineId, Order, OrderStatus};

use super::lines::{LineData, agree};
use super::packages::{Contents, Key, Package, Stage};
use super::rows::OrderData;

/// What is sent for a parcel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Plan {
    /// These packages are arranged, by their numbers.
    Ship(Vec<String>),
    /// The order is split first: these pieces in a package, and the rest in another.
    Split { parcel: Contents, rest: Contents },
}

pub(super) fn no<T>(why: impl ToString) -> Outcome<T> {
    Outcome::Refused(Refusal::new("", why).reread())
}

pub(super) fn not_yet<T>(why: impl ToString) -> Outcome<T> {
    Outcome::Refused(Refusal::new("", why).temporary().reread())
}

/// Plans a parcel by the order's present state.
///
/// # Errors
/// The outcome, where there is nothing to be sent.
pub(super) fn plan<T>(
    request: &DispatchRequest<'_>,
    fresh: &Order,
    data: &OrderData,
) -> Result<Plan, Outcome<T>> {
    if request.tracking.is_some_and(|tracking| tracking.number.trim().is_empty()) {
        return Err(no("the tracking number is empty"));
    }
    match fresh.status {
        OrderStatus::Cancelled => return Err(no("the order is cancelled")),
        OrderStatus::PendingPayment => return Err(no("the order is not paid")),
        OrderStatus::Unknown => return Err(no("the order's state is not known")),
        _ if data.by_shopee => return Err(no("Shopee ships this order from its own warehouse")),
        status if status.is_past_dispatch() => return Err(Outcome::AlreadyDone),
        _ => {}
    }
    if fresh.cancel == CancelState::Requested {
        return Err(not_yet("the buyer asks to cancel the order: decide that first"));
    }
    if !fresh.holds.is_empty() {
        return Err(not_yet("Shopee holds the order, or a booking fulfils it: nothing may be arranged"));
    }
    let live: Vec<&Package> =
        data.packages.iter().filter(|package| package.stage != Stage::Cancelled).collect();
    if live.is_empty() || live.iter().any(|package| package.number.is_empty()) {
        return Err(not_yet("Shopee has made no package of this order yet"));
    }
    if live.iter().any(|package| package.stage == Stage::Unknown) {
        return Err(no("the state of a package is not known"));
    }
    if request.lines.is_empty() {
        return to_ship(&live);
    }
    let (parcel, full) = parcel(request, fresh, data)?;
    part(&parcel, &live, full)
}

/// Those of these packages that wait to be arranged.
fn to_ship<T>(packages: &[&Package]) -> Result<Plan, Outcome<T>> {
    if packages.iter().any(|package| package.stage == Stage::NotReady) {
        return Err(not_yet("a package of the order can't be arranged yet"));
    }
    let open: Vec<String> = packages
        .iter()
        .filter(|package| package.stage.is_open())
        .map(|package| package.number.clone())
        .collect();
    if open.is_empty() { Err(Outcome::AlreadyDone) } else { Ok(Plan::Ship(open)) }
}

fn key_of(order: &Order, id: &LineId) -> Option<Key> {
    Some(order.line(id)?.channel_data.read::<LineData>()?.key)
}

/// The pieces of a parcel, and whether they are named in full.
fn parcel<T>(
    request: &DispatchRequest<'_>,
    fresh: &Order,
    data: &OrderData,
) -> Result<(Contents, bool), Outcome<T>> {
    let lines = fresh.lines.iter().filter_map(|line| line.channel_data.read::<LineData>());
    let keys: BTreeSet<Key> = lines.map(|data| data.key).collect();
    let full = agree(&data.packages, &keys);
    let mut parcel = Contents::new();
    for (id, pieces) in request.lines.iter().filter(|(_, pieces)| *pieces > 0) {
        let key = key_of(request.order, id).or_else(|| key_of(fresh, id));
        let Some(key) = key.filter(|key| keys.contains(key)) else {
            return Err(no("the order has no such line"));
        };
        let sum = parcel.entry(if full { key } else { key.short() }).or_insert(0);
        *sum = sum.saturating_add(*pieces);
    }
    if parcel.is_empty() { Err(no("the parcel holds nothing")) } else { Ok((parcel, full)) }
}

/// Contents with keys in the same detail as the parcel's.
pub(super) fn in_detail(contents: &Contents, full: bool) -> Contents {
    if full {
        return contents.clone();
    }
    let mut short = Contents::new();
    for (key, count) in contents {
        let sum = short.entry(key.short()).or_insert(0);
        *sum = sum.saturating_add(*count);
    }
    short
}

fn holds(whole: &Contents, part: &Contents) -> bool {
    part.iter().all(|(key, count)| whole.get(key).is_some_and(|there| there >= count))
}

fn part<T>(parcel: &Contents, live: &[&Package], full: bool) -> Result<Plan, Outcome<T>> {
    let inside: Vec<&Package> =
        live.iter().copied().filter(|p| holds(parcel, &in_detail(&p.contents, full))).collect();
    let mut sum = Contents::new();
    for (key, count) in inside.iter().flat_map(|package| in_detail(&package.contents, full)) {
        let total = sum.entry(key).or_insert(0);
        *total = u32::saturating_add(*total, count);
    }
    // The parcel is some of the packages, whole. Those that are arranged were sent before an answer was lost.
    if sum == *parcel {
        return to_ship(&inside);
    }
    let same: Vec<&Package> =
        inside.iter().copied().filter(|p| in_detail(&p.contents, full) == *parcel).collect();
    let (open, arranged): (Vec<&Package>, Vec<&Package>) = same.iter().partition(|p| p.stage.is_open());
    match (open.first(), arranged.is_empty()) {
        (Some(package), true) => return to_ship(&[*package]),
        (None, false) => return Err(Outcome::AlreadyDone),
        // Nobody can tell whether the arranged one was this parcel, and its answer lost.
        (Some(_), false) => {
            return Err(no(
                "several packages hold the same pieces, and one of them is arranged: report the rest of the order as a whole",
            ));
        }
        (None, true) => {}
    }
    match live {
        [one] if holds(&in_detail(&one.contents, full), parcel) => split(parcel, one, full),
        _ => Err(no(
            "the packages of the order hold other pieces than this parcel, and an order is split only once: undo the split in Seller Centre first",
        )),
    }
}

/// Splits by whole lines: single pieces of a line go only for shops on a list, which nobody can ask (the call's page).
fn split<T>(parcel: &Contents, one: &Package, full: bool) -> Result<Plan, Outcome<T>> {
    if one.stage != Stage::Ready {
        return Err(not_yet("the package can't be split in its present state"));
    }
    if !full {
        return Err(no("the items of the package can't be told apart: split the order in Seller Centre"));
    }
    let (taken, rest): (Contents, Contents) =
        one.contents.iter().partition(|(key, _)| parcel.contains_key(*key));
    if taken != *parcel {
        return Err(no(
            "Shopee splits orders by whole lines; a part of a line's pieces goes only for shops on its list: split it in Seller Centre",
        ));
    }
    let pairs = |contents: &Contents| -> Vec<Key> { contents.keys().map(|key| key.short()).collect() };
    let mut items = [pairs(parcel), pairs(&rest)].concat();
    let count = items.len();
    items.sort_unstable();
    items.dedup();
    if items.len() < count {
        return Err(no("an order that holds the same item twice can't be split"));
    }
    let deals = |contents: &Contents| -> BTreeSet<i64> {
        contents.keys().map(|key| key.promotion_group_id).filter(|group| *group != 0).collect()
    };
    if !deals(parcel).is_disjoint(&deals(&rest)) {
        return Err(no("the items of a bundle or add-on deal must stay in one package"));
    }
    Ok(Plan::Split { parcel: taken, rest })
}
