//! What is done to an order next, and why. The cycle acts on these verdicts, and `explain` prints them: they can't
//! disagree.

use super::{Reason, Rule};
use crate::model::{By, CancelState, Done, Fulfilment, LinkState, OrderRecord, OrderStatus, Step};
use crate::options::{ConfirmPolicy, EffectiveOptions};

/// Whether something is done now, and why or why not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// It is done.
    pub go: bool,
    /// Why, or why not.
    pub reason: Reason,
}

fn yes(rule: Rule, text: impl Into<std::borrow::Cow<'static, str>>) -> Verdict {
    Verdict { go: true, reason: Reason::new(rule, text) }
}

fn no(rule: Rule, text: impl Into<std::borrow::Cow<'static, str>>) -> Verdict {
    Verdict { go: false, reason: Reason::new(rule, text) }
}

/// What keeps every automatic step away from an order; `None`: nothing.
fn barred(record: &OrderRecord, options: &EffectiveOptions) -> Option<Verdict> {
    match record.link {
        LinkState::Deleted { .. } => return Some(no(Rule::Os9, "it is deleted locally")),
        LinkState::Watched => return Some(no(Rule::Os3, "it is not linked")),
        LinkState::Linked { .. } => {}
    }
    if options.statistics_only() {
        return Some(no(Rule::Am2, "the account is in statistics-only mode"));
    }
    if record.order.status == OrderStatus::Cancelled {
        return Some(no(Rule::Os3, "it is cancelled"));
    }
    None
}

/// Whether the order is confirmed on its channel now. `by` says who asks: a person may confirm what the option does
/// not.
pub fn confirm(record: &OrderRecord, options: &EffectiveOptions, by: By) -> Verdict {
    match &record.confirm {
        Step::Done { how: Done::NotNeeded, .. } => {
            return no(Rule::Oc3, "the channel has no confirmation; it counts as confirmed");
        }
        Step::Done { how: Done::SeenOnChannel, .. } => {
            return no(Rule::Oc5, "it was found confirmed on the channel");
        }
        Step::Done { .. } => return no(Rule::Oc1, "it is confirmed"),
        Step::Refused { code, message, .. } if by == By::Option => {
            return no(Rule::Oc7, format!("the channel refused the confirmation: [{code}] {message}"));
        }
        Step::Started { .. } => {
            return no(Rule::Os10, "the answer was lost; the order is read before anything else");
        }
        _ => {}
    }
    if let Some(verdict) = barred(record, options) {
        return verdict;
    }
    if record.reread {
        return no(Rule::Os10, "the order must be read again first");
    }
    let by_hand = by == By::Hand || matches!(record.confirm, Step::Planned { by: By::Hand, .. });
    if !by_hand && options.confirm() == ConfirmPolicy::Manual {
        return no(Rule::Oc2, "confirmation is manual: it waits for the application");
    }
    match (record.order.status, record.order.cancel) {
        (_, CancelState::Requested) if !by_hand => {
            no(Rule::Oc6, "a cancel request is open; it is confirmed when the buyer takes it back")
        }
        (OrderStatus::New, _) if by_hand => yes(Rule::Oc2, "confirmed by hand"),
        (OrderStatus::New, _) => yes(Rule::Oc1, "confirmation is automatic: it is confirmed in this cycle"),
        (status, _) => no(Rule::Oc1, format!("its state is {status}: there is nothing to confirm")),
    }
}

/// Whether the ship date is sent by a call of its own now. Channels that take it with the confirmation never get
/// here: their date is stored with the confirmation.
pub fn set_ship_date(record: &OrderRecord, options: &EffectiveOptions) -> Verdict {
    if options.ship_offset().is_none() {
        return no(Rule::Sd1, "no expected ship date is set");
    }
    if record.ship_date.is_some() && record.set_ship_date == Step::None {
        return no(Rule::Sd4, "the ship date is set and never changes");
    }
    if let Some(verdict) = barred(record, options) {
        return verdict;
    }
    match (&record.set_ship_date, &record.confirm) {
        (Step::Done { .. }, _) => no(Rule::Sd4, "the ship date is set and never changes"),
        (Step::Refused { code, message, .. }, _) => {
            no(Rule::Sd1, format!("the channel refused the ship date: [{code}] {message}"))
        }
        (Step::Started { .. }, _) => {
            no(Rule::Os10, "the answer was lost; the order is read before anything else")
        }
        _ if record.order.cancel == CancelState::Requested => no(Rule::Oc6, "a cancel request is open"),
        (_, Step::Done { .. }) if !record.order.status.is_past_dispatch() => {
            yes(Rule::Sd1, "the order is confirmed: its ship date is sent")
        }
        _ => no(Rule::Sd1, "the ship date follows the confirmation"),
    }
}

/// Whether the centre is told to ship the order now.
pub fn instruct(record: &OrderRecord, options: &EffectiveOptions, by: By) -> Verdict {
    match &record.instruct {
        Step::Done { .. } => return no(Rule::Fi4, "the centre was instructed, once"),
        Step::Refused { code, message, .. } if by == By::Option => {
            return no(Rule::Fi1, format!("the centre refused it: [{code}] {message}"));
        }
        _ => {}
    }
    if let Some(verdict) = barred(record, options) {
        return verdict;
    }
    if let Fulfilment::Ordinary { reason } = &record.fulfilment {
        return no(Rule::Fi5, format!("it is not a fulfilment order: {reason}"));
    }
    if record.reread {
        return no(Rule::Os10, "the order must be read again first");
    }
    let order = &record.order;
    // Whatever was begun is ended: the key makes the repeat harmless.
    let begun = record.instruct.is_unknown();
    if order.cancel != CancelState::None && !begun {
        return no(Rule::Oc6, "a cancel request or claim is open");
    }
    if order.status.is_past_dispatch() && !begun {
        return no(Rule::Fi1, format!("its state is {}: it ships without the centre", order.status));
    }
    if order.status < OrderStatus::New && !begun {
        return no(
            Rule::Fi7,
            format!("its state is {}: nothing is shipped until that changes", order.status),
        );
    }
    if !record.confirm.is_done() && !begun {
        return no(Rule::Fi1, "it is not confirmed yet");
    }
    if let Some(hold) = order.holds.first()
        && !begun
    {
        return no(
            Rule::Fi7,
            format!("the channel holds it ({}); instructed in the first cycle after", hold.as_str()),
        );
    }
    if order.destinations.first().is_none_or(|to| to.recipient.reveal().address.is_empty()) && !begun {
        return no(
            Rule::Fi7,
            "the channel has not released the address; instructed in the first cycle after",
        );
    }
    let by_hand = by == By::Hand || matches!(record.instruct, Step::Planned { by: By::Hand, .. });
    if by_hand {
        return yes(Rule::Fi3, "instructed by hand");
    }
    if begun {
        return yes(Rule::Fi4, "the answer was lost: the same key is sent again");
    }
    if !options.instructs() {
        return no(Rule::Fi3, "automatic instruction is off: it waits for the application");
    }
    yes(Rule::Fi1, "it is confirmed: the centre is told to ship it in this cycle")
}

/// Whether a parcel is reported to the channel now.
pub fn dispatch(record: &OrderRecord, index: usize, options: &EffectiveOptions) -> Verdict {
    let Some(dispatch) = record.dispatches.get(index) else {
        return no(Rule::Fi6, "there is no such parcel");
    };
    match &dispatch.step {
        Step::None => return no(Rule::Fi6, "it is not to be reported"),
        Step::Done { .. } => return no(Rule::Fi6, "the parcel is reported"),
        Step::Refused { code, message, .. } => {
            return no(Rule::Fi6, format!("the channel refused the parcel: [{code}] {message}"));
        }
        Step::Started { .. } => {
            return no(Rule::Os10, "the answer was lost; the order is read before anything else");
        }
        Step::Planned { .. } => {}
    }
    if let Some(verdict) = barred(record, options) {
        return verdict;
    }
    if options.asks_hand_over() && options.hand_over().is_none() {
        return no(
            Rule::Hm3,
            "choose pick-up or drop-off first: the channel asks how the parcel is handed over",
        );
    }
    if record.reread {
        return no(Rule::Os10, "the order must be read again first");
    }
    if record.confirm.is_open() {
        return no(Rule::Oc1, "the confirmation comes first");
    }
    yes(Rule::Fi6, "the parcel left: its tracking number goes to the channel")
}

/// Whether the centre is told a parcel's number now.
pub fn tell(record: &OrderRecord, index: usize) -> Verdict {
    let Some(dispatch) = record.dispatches.get(index) else {
        return no(Rule::Fi6, "there is no such parcel");
    };
    match (&dispatch.tell, &dispatch.step, &dispatch.parcel.tracking) {
        (Step::Planned { .. } | Step::Started { .. }, Step::Done { .. }, Some(_)) => {
            yes(Rule::Fi6, "the channel gave the parcel its number: the centre is told")
        }
        (Step::Planned { .. } | Step::Started { .. }, Step::Done { .. }, None) => {
            no(Rule::Fi6, "the channel has not given the parcel its number yet; the order is read each cycle")
        }
        (Step::Planned { .. } | Step::Started { .. }, ..) => no(Rule::Fi6, "the channel comes first"),
        (Step::Refused { code, message, .. }, ..) => {
            no(Rule::Fi6, format!("the centre refused the number: [{code}] {message}"))
        }
        (Step::None | Step::Done { .. }, ..) => no(Rule::Fi6, "the centre waits for no number"),
    }
}

/// What the library will do next with an order, and which rule decides, in one sentence.
pub fn explain(record: &OrderRecord, options: &EffectiveOptions) -> Reason {
    if let Some(verdict) = barred(record, options) {
        return verdict.reason;
    }
    if let Some(index) = record.dispatches.iter().position(|d| d.step.is_open()) {
        return dispatch(record, index, options).reason;
    }
    if let Some(index) = record.dispatches.iter().position(|d| d.tell.is_open()) {
        return tell(record, index).reason;
    }
    if !record.confirm.is_done() && !record.order.status.is_past_dispatch() {
        return confirm(record, options, By::Option).reason;
    }
    let date = set_ship_date(record, options);
    if date.go {
        return date.reason;
    }
    if record.order.status.is_past_dispatch() {
        return match record.next_read {
            Some(at) => Reason::new(
                if options.tracking() == crate::options::DeliveryTracking::AllCollected {
                    Rule::Dt2
                } else {
                    Rule::Dt1
                },
                format!(
                    "it is {}; it is read again at {}",
                    record.order.status,
                    at.format("%Y-%m-%d %H:%M UTC")
                ),
            ),
            None => Reason::new(Rule::Dt3, format!("it is {}; nothing more is done", record.order.status)),
        };
    }
    match record.instruct {
        Step::Done { .. } => Reason::new(Rule::Fi6, "the centre packs it; its parcel will be reported"),
        _ => instruct(record, options, By::Option).reason,
    }
}
