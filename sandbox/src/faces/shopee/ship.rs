//! Arranging shipments: exactly one way each time (sheet section 4.5). A repeat is refused.

use serde::Deserialize;

use super::answer::{Answer, Failure, Outcome};
use super::book::{Book, Package, Progress, Slot};
use super::desk::Visit;
use super::settings::Way;
use super::shipping::{
    BRANCHES, FIRST_ADDRESS, SECOND_ADDRESS, SLUGS, allocating, is_slot, lacks_invoice, named_package,
};
use super::view::View;
use crate::market::{Action, LineNumber, LineState, Order, ParcelDraft, Refusal};

/// A tracking number or name may be so long.
const LONGEST: usize = 64;

/// How it is handed over: one of the three, with what it needs.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(super) struct Handover {
    pub(super) pickup: Option<Pickup>,
    pub(super) dropoff: Option<Dropoff>,
    pub(super) non_integrated: Option<OwnCarrier>,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(super) struct Pickup {
    address_id: Option<u64>,
    pickup_time_id: Option<String>,
    tracking_number: Option<String>,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(super) struct Dropoff {
    branch_id: Option<u64>,
    sender_real_name: Option<String>,
    tracking_number: Option<String>,
    slug: Option<String>,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(super) struct OwnCarrier {
    pub(super) tracking_number: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    pub(super) order_sn: String,
    pub(super) package_number: Option<String>,
    #[serde(flatten)]
    pub(super) handover: Handover,
}

/// `logistics/ship_order`.
pub(super) fn one(visit: &Visit<'_>) -> Outcome {
    let asked: Asked = visit.call.body()?;
    arrange(visit, &mut visit.book(), &asked.order_sn, asked.package_number.as_deref(), &asked.handover)?;
    Ok(Answer::bare())
}

/// Arranges the shipment of an order, or of one parcel of a split one.
pub(super) fn arrange(
    visit: &Visit<'_>,
    book: &mut Book,
    order_sn: &str,
    package: Option<&str>,
    handover: &Handover,
) -> Result<(), Failure> {
    let order = visit.required_order(order_sn)?;
    named_package(package)?;
    let view = View::of(&order, book, visit.settings, visit.now);
    let mut package = written_package(&view, package)?.clone();
    check_order(book, &view)
        .and_then(|()| check_progress(&view, &package))
        .inspect_err(|_| note_refused(visit, &package, &order))?;
    let tracking = read_handover(visit, &view, handover, &mut package)?;
    let own_tracking = !tracking.is_empty();
    if own_tracking && book.is_tracking_used(&tracking, &package.number) {
        return Err(Failure::new(
            "logistics.error_param",
            "The tracking number has been used by other orders, please fill in a valid one.",
        ));
    }
    let is_untracked = matches!(view.ways(), [Way::OwnCarrierUntracked]);
    package.tracking = match () {
        () if own_tracking || is_untracked => tracking,
        () => format!("SPX{}{}", visit.settings.region, package.number.trim_start_matches("OFG")),
    };
    package.own_tracking = own_tracking || is_untracked;
    package.carrier = view.channel().1.to_owned();
    leave(visit, book, package)
}

/// The parcel that a changing call is about: a split order's is named, another's is not.
pub(super) fn written_package<'v>(view: &'v View<'_>, sent: Option<&str>) -> Result<&'v Package, Failure> {
    let none = || Failure::new("logistics.package_not_exist", "The package is not exist.");
    match (sent, view.packages.len() > 1) {
        (None, true) => Err(Failure::new(
            "logistics.ship_order_need_pacakge_number",
            "Please request with package_number for this split order.",
        )),
        (Some(_), false) => Err(Failure::new(
            "logistics.ship_order_not_need_pacakge_number",
            "Please don’t request with package_number for this unsplit order.",
        )),
        (None, false) => view.packages.first().ok_or_else(none),
        (Some(number), true) => {
            view.packages.iter().find(|package| package.number == number).ok_or_else(none)
        }
    }
}

fn check_order(book: &mut Book, view: &View<'_>) -> Result<(), Failure> {
    let extra = &view.extra;
    if extra.booking_sn.is_some() {
        return Err(Failure::new(
            "logistics.error_booking_order",
            "This order is matched order with booking, don't need arrange shipment through seller side.",
        ));
    }
    if extra.fulfilled_by_shopee {
        return Err(Failure::new("logistics.ship_order_pff_init", "You can not ship warehouse order."));
    }
    if extra.allocating {
        return Err(allocating());
    }
    if extra.invoice_pending {
        return Err(lacks_invoice());
    }
    if extra.prescription_unchecked {
        return Err(Failure::new(
            "logistics.order_prescription_unchecked",
            "This order hasn't passed prescription check",
        ));
    }
    if extra.locked > 0 {
        book.extra_mut(view.order.number).locked -= 1;
        return Err(Failure::new("logistics.logistic_order_is_locked_on_creating", "Fail to get the lock."));
    }
    Ok(())
}

fn check_progress(view: &View<'_>, package: &Package) -> Result<(), Failure> {
    match package.progress {
        Progress::Open | Progress::Retry if view.is_ready() => Ok(()),
        // The space stands there in the documentation, too.
        Progress::Arranged | Progress::PickedUp | Progress::Delivered => Err(Failure::new(
            " logistics.package_already_shipped",
            "This package has already been arranged shipment and you can't call this API again.",
        )),
        _ => Err(Failure::new("logistics.ship_order_not_ready_to_ship", "The order is not ready to ship.")),
    }
}

/// The market's record shows repeats, too.
fn note_refused(visit: &Visit<'_>, package: &Package, order: &Order) {
    for sent in &package.contents {
        let state = order.line(sent.line).map_or(LineState::Cancelled, |line| line.state);
        let action = Action::Shipped {
            quantity: sent.quantity,
            carrier: package.carrier.clone(),
            tracking: package.tracking.clone(),
        };
        visit.acting().refused(sent.line, action, Refusal::WrongState(state));
    }
}

/// Checks what was sent against what is offered, and returns the seller's tracking number; empty when there is none.
fn read_handover(
    visit: &Visit<'_>,
    view: &View<'_>,
    handover: &Handover,
    package: &mut Package,
) -> Result<String, Failure> {
    let find = |fits: fn(&Way) -> bool| view.ways().iter().copied().find(fits);
    match (&handover.pickup, &handover.dropoff, &handover.non_integrated) {
        (Some(pickup), None, None) => {
            let way =
                find(|way| matches!(way, Way::Pickup | Way::PickupWithoutSlots | Way::PickupWithTracking));
            let way = way.ok_or_else(|| unsupported("pickup"))?;
            package.slot = Some(read_slot(pickup, way, visit)?);
            if way == Way::PickupWithTracking {
                tracking(pickup.tracking_number.as_ref())
            } else {
                no_tracking(pickup.tracking_number.as_ref())
            }
        }
        (None, Some(dropoff), None) => {
            let way = find(|way| {
                matches!(
                    way,
                    Way::Dropoff
                        | Way::DropoffBranch
                        | Way::DropoffSender
                        | Way::DropoffTracking
                        | Way::DropoffSlug
                )
            });
            read_dropoff(dropoff, way.ok_or_else(|| unsupported("dropoff"))?)
        }
        (None, None, Some(own)) => {
            match find(|way| matches!(way, Way::OwnCarrier | Way::OwnCarrierUntracked)) {
                Some(Way::OwnCarrier) => tracking(own.tracking_number.as_ref()),
                Some(_) => no_tracking(own.tracking_number.as_ref()),
                None => Err(unsupported("non_integrated")),
            }
        }
        _ => Err(Failure::new(
            "logistics.ship_order_only_support_one_type",
            "Please select just one way to ship order: pickup or dropoff or non_integrated.",
        )),
    }
}

pub(super) fn unsupported(way: &str) -> Failure {
    Failure::new(
        &format!("logistics.ship_order_unsupport_{way}"),
        format!("This order does not support ship with {way}."),
    )
}

pub(super) fn given(text: Option<&String>) -> Option<&str> {
    text.map(|text| text.trim()).filter(|text| !text.is_empty())
}

fn tracking(sent: Option<&String>) -> Result<String, Failure> {
    let number = given(sent).ok_or_else(|| {
        Failure::new(
            "logistics.ship_order_need_tracking_number",
            "Parameter tracking_number can not be null.",
        )
    })?;
    if number.chars().count() > LONGEST {
        return Err(Failure::new(
            "logistics.ship_order_long_tracking_number",
            "Parameter tracking_number can not be longer than 64.",
        ));
    }
    Ok(number.to_owned())
}

fn no_tracking(sent: Option<&String>) -> Result<String, Failure> {
    match given(sent) {
        None => Ok(String::new()),
        Some(_) => Err(Failure::param(
            "Please do not request with tracking_no for this channel which does not require tracking_no.",
        )),
    }
}

pub(super) fn read_slot(pickup: &Pickup, way: Way, visit: &Visit<'_>) -> Result<Slot, Failure> {
    let missing = || {
        Failure::new(
            "logistics.ship_order_need_address_pickup_time",
            "Parameter address_id and pickup_time_id are required.",
        )
    };
    let address_id = pickup.address_id.ok_or_else(missing)?;
    if ![FIRST_ADDRESS, SECOND_ADDRESS].contains(&address_id) {
        return Err(Failure::new("logistics.address_not_found", "Address is not found."));
    }
    let has_slots = way != Way::PickupWithoutSlots && address_id == FIRST_ADDRESS;
    let slot = given(pickup.pickup_time_id.as_ref());
    match slot {
        None if has_slots => Err(missing()),
        Some(slot) if !has_slots || !is_slot(slot, visit.now) => Err(Failure::new(
            "logistics.ship_order_pickup_time_invalid",
            "Invalid pickup time id. Please check the pick up time id.",
        )),
        slot => Ok(Slot { address_id, pickup_time_id: slot.unwrap_or_default().to_owned() }),
    }
}

fn read_dropoff(dropoff: &Dropoff, way: Way) -> Result<String, Failure> {
    match (way, given(dropoff.slug.as_ref())) {
        (Way::DropoffSlug, None) => return Err(Failure::param("Slug not allow empty.")),
        (Way::DropoffSlug, Some(slug)) if SLUGS.iter().all(|(known, _)| *known != slug) => {
            return Err(Failure::wrong("slug is invalid."));
        }
        (Way::DropoffSlug, Some(_)) | (_, None) => {}
        (_, Some(_)) => return Err(Failure::param("Slug not required.")),
    }
    match way {
        Way::DropoffBranch => match dropoff.branch_id {
            None => {
                return Err(Failure::new(
                    "logistics.ship_order_need_branch_id",
                    "Parameter branch_id is required.",
                ));
            }
            Some(branch) if !BRANCHES.contains(&branch) => {
                return Err(Failure::wrong("branch_id is invalid."));
            }
            Some(_) => {}
        },
        Way::DropoffSender => match given(dropoff.sender_real_name.as_ref()) {
            None => {
                return Err(Failure::new(
                    "logistics.ship_order_need_sender_real_name",
                    "Parameter sender_real_name can not be null.",
                ));
            }
            Some(name) if name.chars().count() > LONGEST => {
                return Err(Failure::new(
                    "logistics.ship_order_long_sender_real_name",
                    "Parameter sender_real_name can not be longer than 64.",
                ));
            }
            Some(_) => {}
        },
        _ => {}
    }
    let number = dropoff.tracking_number.as_ref();
    if way == Way::DropoffTracking { tracking(number) } else { no_tracking(number) }
}

/// Reports the parcel to the market, and keeps it only if the market takes it.
pub(super) fn leave(visit: &Visit<'_>, book: &mut Book, mut package: Package) -> Result<(), Failure> {
    let done = if package.progress == Progress::Retry {
        let lines: Vec<LineNumber> = package.contents.iter().map(|sent| sent.line).collect();
        visit.acting().ship_again(package.order, &lines, &package.carrier, &package.tracking)
    } else {
        let parcel = ParcelDraft {
            carrier: package.carrier.clone(),
            tracking: package.tracking.clone(),
            lines: package.contents.clone(),
        };
        visit.acting().ship(package.order, parcel)
    };
    done.map_err(|refusal| {
        Failure::new(
            "logistics.ship_order_not_ready_to_ship",
            format!("The order is not ready to ship: {refusal}."),
        )
    })?;
    package.progress = Progress::Arranged;
    package.arranged = Some(visit.now);
    keep(visit, book, package);
    Ok(())
}

fn keep(visit: &Visit<'_>, book: &mut Book, package: Package) {
    book.extra_mut(package.order).moved = Some(visit.now);
    if let Some(kept) = book.package_mut(&package.number) {
        *kept = package;
    }
}
