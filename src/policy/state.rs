//! How a record takes in what was just seen on the channel.

use chrono::{DateTime, Utc};

use super::{Reason, Rule, follow, next};
use crate::channel::Tracking;
use crate::model::{By, DispatchStep, Done, Fulfilment, LinkState, Order, OrderRecord, OrderStatus, Step};
use crate::options::{ConfirmPolicy, EffectiveOptions};

/// What an update changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Absorbed {
    /// The order's state is another than before.
    pub changed: bool,
    /// The confirmation was found made on the channel (OC-5).
    pub found_confirmed: bool,
}

/// Takes in a state of the order. An older one than the known changes nothing (OS-12).
pub fn absorb(
    record: &mut OrderRecord,
    fresh: Order,
    options: &EffectiveOptions,
    now: DateTime<Utc>,
) -> Absorbed {
    if !fresh.supersedes(&record.order) {
        return Absorbed::default();
    }
    let changed = fresh.status != record.order.status
        || fresh.cancel != record.order.cancel
        || fresh.holds != record.order.holds;
    record.order = fresh;
    record.reread = false;
    let mut found_confirmed = false;
    if record.is_linked() {
        found_confirmed = see_confirmed(record, now);
        see_dispatched(record, now);
        see_tracking(record, now);
        if record.order.status == OrderStatus::Cancelled {
            drop_intentions(record);
        }
        record.next_read = follow::next_read(record, options, now);
    }
    Absorbed { changed, found_confirmed }
}

/// Settles steps of unknown outcome after the order was read: what the channel does not show was not done, and is
/// intended again. Call it only with a state that was read after the step began.
pub fn settle(record: &mut OrderRecord, now: DateTime<Utc>) {
    if let Step::Started { by, .. } = record.confirm {
        // The date was never taken: it may be chosen anew, for the day on which the order is confirmed.
        record.ship_date = None;
        record.confirm = Step::planned(now, by);
    }
    if let Step::Started { by, .. } = record.set_ship_date {
        record.set_ship_date = if record.order.expected_ship_date == record.ship_date {
            Step::Done { at: now, how: Done::SeenOnChannel }
        } else {
            Step::planned(now, by)
        };
    }
    for dispatch in &mut record.dispatches {
        if let Step::Started { by, .. } = dispatch.step {
            dispatch.step = Step::planned(now, by);
        }
    }
}

fn see_confirmed(record: &mut OrderRecord, now: DateTime<Utc>) -> bool {
    let confirmed =
        record.order.status >= OrderStatus::Confirmed && record.order.status <= OrderStatus::DeliveryFailed;
    if !confirmed {
        return false;
    }
    let found = !record.confirm.is_done();
    if found {
        // Where it was begun here and its answer was lost, the channel's word is the end of it.
        let how = if record.confirm.is_unknown() { Done::Here } else { Done::SeenOnChannel };
        record.confirm = Step::Done { at: now, how };
    }
    if let Some(date) = record.order.expected_ship_date {
        record.ship_date = Some(date);
    }
    found
}

fn see_dispatched(record: &mut OrderRecord, now: DateTime<Utc>) {
    let order = &record.order;
    let shipped = order.status >= OrderStatus::ReadyToShip && order.status <= OrderStatus::DeliveryFailed;
    // A parcel that is reported by several calls can be cut off between them: its number shows, and pieces are left.
    let partly = order.lines.iter().any(|line| line.shipped > 0)
        && order.lines.iter().any(|line| line.outstanding() > 0);
    let known = &order.tracking;
    for dispatch in &mut record.dispatches {
        if !dispatch.step.is_open() {
            continue;
        }
        let whole = dispatch.parcel.lines.is_empty();
        let listed =
            dispatch.parcel.tracking.as_ref().is_some_and(|t| known.iter().any(|k| k.number == t.number));
        if (listed && !(whole && partly)) || (whole && shipped) {
            let how = if dispatch.step.is_unknown() { Done::Here } else { Done::SeenOnChannel };
            dispatch.step = Step::Done { at: now, how };
        }
    }
}

/// Takes over the number that the channel's own logistics gave after the parcel was reported: only where there is one
/// parcel without a number and one number without a parcel, so that nothing is guessed. A centre that waits for a
/// number waits no longer than deliveries are followed (DT-3).
fn see_tracking(record: &mut OrderRecord, now: DateTime<Utc>) {
    let OrderRecord { order, dispatches, .. } = record;
    let claimed = |number: &str| {
        let mut numbers = dispatches.iter().filter_map(|dispatch| dispatch.parcel.tracking.as_ref());
        numbers.any(|known| known.number == number)
    };
    let free: Vec<&Tracking> = order.tracking.iter().filter(|t| !claimed(&t.number)).collect();
    let mut bare: Vec<&mut DispatchStep> = dispatches
        .iter_mut()
        .filter(|dispatch| dispatch.step.is_done() && dispatch.parcel.tracking.is_none())
        .collect();
    if let ([dispatch], [tracking]) = (&mut bare[..], &free[..]) {
        dispatch.parcel.tracking = Some((*tracking).clone());
    }
    for dispatch in dispatches {
        let waits = dispatch.tell.is_open() && dispatch.parcel.tracking.is_none();
        if waits && now - dispatch.parcel.shipped_at >= follow::ENDS_AFTER {
            dispatch.tell = Step::None;
        }
    }
}

/// A cancelled order has nothing left to be done on the channel.
fn drop_intentions(record: &mut OrderRecord) {
    for dispatch in &mut record.dispatches {
        if dispatch.tell.is_open() && dispatch.parcel.tracking.is_none() {
            dispatch.tell = Step::None;
        }
    }
    for step in [&mut record.confirm, &mut record.set_ship_date, &mut record.instruct] {
        if matches!(step, Step::Planned { .. }) {
            *step = Step::None;
        }
    }
    if matches!(record.confirm, Step::Started { .. }) {
        record.confirm = Step::None;
    }
}

/// Links an order, and notes the intentions that this causes (to be stored in the same transaction).
pub fn link(
    record: &mut OrderRecord,
    fulfilment: Fulfilment,
    options: &EffectiveOptions,
    now: DateTime<Utc>,
) -> Reason {
    record.link = LinkState::Linked { at: now };
    record.fulfilment = fulfilment;
    record.sku_from_channel = options.sku_from_channel();
    if options.confirm() == ConfirmPolicy::NotNeeded && !record.confirm.is_done() {
        record.confirm = Step::Done { at: now, how: Done::NotNeeded };
    }
    see_confirmed(record, now);
    record.next_read = follow::next_read(record, options, now);
    let verdict = next::confirm(record, options, By::Option);
    if verdict.go {
        record.confirm = Step::planned(now, By::Option);
    }
    verdict.reason
}

/// Notes the intentions that follow from the record's present state.
pub fn plan(record: &mut OrderRecord, options: &EffectiveOptions, now: DateTime<Utc>) {
    if record.confirm == Step::None && next::confirm(record, options, By::Option).go {
        record.confirm = Step::planned(now, By::Option);
    }
    if record.set_ship_date == Step::None && next::set_ship_date(record, options).go {
        record.set_ship_date = Step::planned(now, By::Option);
    }
    if record.instruct == Step::None && next::instruct(record, options, By::Option).go {
        record.instruct = Step::planned(now, By::Option);
    }
}

/// Deletes an order locally (OS-9, OC-4): no call is made, and nothing that was intended is done any more.
pub fn delete(record: &mut OrderRecord, now: DateTime<Utc>) -> Reason {
    record.link = LinkState::Deleted { at: now };
    record.next_read = None;
    drop_intentions(record);
    for dispatch in &mut record.dispatches {
        if matches!(dispatch.step, Step::Planned { .. }) {
            dispatch.step = Step::None;
        }
    }
    Reason::new(Rule::Oc4, "deleted locally; the channel is not told")
}
