//! What a split does to an order (sheet 4.8). The part that is shipped first gets a new box; what is left keeps the old
//! box id. The hub knows the order by the old id, so its lines are put together again from both. No call is made here.

use chrono::{DateTime, Utc};

use crate::model::{CancelState, Hold, Line, Order, OrderStatus};

use super::rows::{kept, settle_status};

/// Whether a box alone does not show all of the order that was known: it was split, or lines are missing.
pub(super) fn is_part(own: &Order, known: &Order) -> bool {
    kept(own).split || known.lines.iter().any(|line| own.line(&line.id).is_none())
}

/// Puts a box together with the lines of it that were known and are in other boxes now. Parts that were shipped before
/// the order was known are no part of it here: nothing is left to do about them.
pub(super) fn whole(mut own: Order, others: &[Order], known: &Order) -> Order {
    let gone = known.lines.iter().filter(|line| own.line(&line.id).is_none());
    let moved: Vec<Line> = gone.map(|line| follow(line, &own, others)).collect();
    if moved.iter().any(|line| !line.status.is_past_dispatch()) {
        // No box shows the line any more, and nothing says why: nothing is done until that is known.
        own.holds.push(Hold::ChangePending);
    }
    keep_shipped(&mut own, known);
    own.lines.extend(moved);
    let place = |line: &Line| known.lines.iter().position(|old| old.id == line.id).unwrap_or(usize::MAX);
    own.lines.sort_by_key(place);
    add_tracking(&mut own, others);
    settle_status(&mut own);
    own
}

/// The order where its box is gone: what was known, with each line as its new box shows it. `None`: no other box shows
/// any of it.
pub(super) fn without_box(known: &Order, others: &[Order], read_at: DateTime<Utc>) -> Option<Order> {
    let mut order = known.clone();
    order.updated_at = read_at;
    order.holds.clear();
    order.cancel = CancelState::None;
    order.lines = known
        .lines
        .iter()
        .map(|line| found(line, known.id.as_str(), others).unwrap_or_else(|| line.clone()))
        .collect();
    if order.lines == known.lines && !known.lines.iter().any(|line| is_in(line, others)) {
        return None;
    }
    if order.lines.iter().any(|line| line.unit == known.id.as_str() && !line.status.is_past_dispatch()) {
        order.holds.push(Hold::ChangePending);
    }
    add_tracking(&mut order, others);
    settle_status(&mut order);
    Some(order)
}

/// The order as it was known, with the lines in other boxes as those show them.
pub(super) fn refreshed(known: &Order, others: &[Order]) -> Order {
    let mut order = known.clone();
    for line in order.lines.iter_mut().filter(|line| line.unit != known.id.as_str()) {
        if let Some(fresh) = found(line, known.id.as_str(), others) {
            *line = fresh;
        }
    }
    add_tracking(&mut order, others);
    order
}

/// Whether lines of the order were seen in other boxes than its own.
pub(super) fn has_parts(order: &Order) -> bool {
    order.lines.iter().any(|line| !line.unit.is_empty() && line.unit != order.id.as_str())
}

fn is_in(line: &Line, others: &[Order]) -> bool {
    others.iter().any(|other| other.id.as_str() == line.unit && other.line(&line.id).is_some())
}

/// A line that its box does not show any more.
fn follow(line: &Line, own: &Order, others: &[Order]) -> Line {
    if let Some(found) = found(line, own.id.as_str(), others) {
        return found;
    }
    let mut line = line.clone();
    // Its new box is not shown, as after a return, or can't be told from others: only what ships leaves a split box.
    if kept(own).split && !line.status.is_past_dispatch() {
        line.status = OrderStatus::Shipped;
        line.shipped = line.quantity.saturating_sub(line.cancelled);
    }
    line
}

/// A line in another box: the one that it was seen in before, else the only shipped one that it can have moved to.
fn found(line: &Line, own: &str, others: &[Order]) -> Option<Line> {
    let other = |other: &&Order| other.id.as_str() != own && other.line(&line.id).is_some();
    let candidates: Vec<&Order> = others.iter().filter(other).collect();
    let seen = candidates.iter().find(|other| other.id.as_str() == line.unit);
    let chosen = match seen {
        Some(seen) => *seen,
        None if line.unit.is_empty() || line.unit == own => {
            let shipped: Vec<&Order> =
                candidates.into_iter().filter(|other| other.status.is_past_dispatch()).collect();
            only(&shipped, |_| true)
                .or_else(|| only(&shipped, |other| kept(other).split))
                .or_else(|| only(&shipped, |other| same_quantity(line, other)))?
        }
        None => return None,
    };
    chosen.line(&line.id).cloned()
}

fn only<'a>(orders: &[&'a Order], fits: impl Fn(&Order) -> bool) -> Option<&'a Order> {
    let mut fitting = orders.iter().filter(|order| fits(order));
    match (fitting.next(), fitting.next()) {
        (Some(only), None) => Some(*only),
        _ => None,
    }
}

fn same_quantity(line: &Line, other: &Order) -> bool {
    other.line(&line.id).is_some_and(|found| found.quantity == line.quantity)
}

/// A split shows late: until then a line that was reported as shipped, beside others that were not, stays shipped.
fn keep_shipped(own: &mut Order, known: &Order) {
    let in_parts = known.lines.iter().any(|line| line.shipped > 0)
        && known.lines.iter().any(|line| line.outstanding() > 0);
    if !in_parts || own.status.is_past_dispatch() {
        return;
    }
    for line in &mut own.lines {
        if let Some(old) = known.line(&line.id).filter(|old| old.shipped > line.shipped) {
            line.shipped = old.shipped.min(line.quantity.saturating_sub(line.cancelled));
            line.status = old.status.max(OrderStatus::Shipped);
        }
    }
}

/// Tracking numbers of the boxes that lines of the order are in.
fn add_tracking(order: &mut Order, others: &[Order]) {
    for other in others.iter().filter(|other| order.lines.iter().any(|line| line.unit == other.id.as_str())) {
        for tracking in &other.tracking {
            if !order.tracking.contains(tracking) {
                order.tracking.push(tracking.clone());
            }
        }
    }
}
