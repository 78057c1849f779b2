//! After a shipment was arranged: another pick-up, and the seller's word on its own delivery (sheet section 4.5).

use serde::Deserialize;
use serde_json::json;

use super::answer::{Answer, Failure, Outcome};
use super::book::{Book, Progress};
use super::desk::Visit;
use super::settings::Way;
use super::ship::{Asked, given, leave, read_slot, unsupported, written_package};
use super::shipping::named_package;
use super::view::View;
use crate::market::LineNumber;

/// `logistics/update_shipping_order`: another pick-up after one that failed.
pub(super) fn update(visit: &Visit<'_>) -> Outcome {
    let asked: Asked = visit.call.body()?;
    let mut book = visit.book();
    let order = visit.required_order(&asked.order_sn)?;
    let number = named_package(asked.package_number.as_deref())?;
    let view = View::of(&order, &mut book, visit.settings, visit.now);
    let mut package = written_package(&view, number)?.clone();
    if package.progress != Progress::Retry {
        return Err(Failure::new(
            "logistics.order_not_ready_to_update",
            "The order status is not ready to update.",
        ));
    }
    let pickup = asked.handover.pickup.as_ref().ok_or_else(|| Failure::required("pickup"))?;
    let is_pickup =
        |way: &&Way| matches!(way, Way::Pickup | Way::PickupWithoutSlots | Way::PickupWithTracking);
    let way = view.ways().iter().find(is_pickup).copied().ok_or_else(|| unsupported("pickup"))?;
    let slot = read_slot(pickup, way, visit)?;
    if package.slot.as_ref() == Some(&slot) {
        return Err(Failure::new(
            "logistics.update_shipping_order_no_param_change",
            "You can’t update shipping with all the same parameters.",
        ));
    }
    package.slot = Some(slot);
    leave(visit, &mut book, package)?;
    Ok(Answer::bare())
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Delivery {
    order_sn: String,
    logistics_status: String,
    tracking_number: Option<String>,
}

/// `logistics/update_tracking_status`: the seller tells how far its own delivery is (BR).
pub(super) fn own_delivery(visit: &Visit<'_>) -> Outcome {
    let asked: Delivery = visit.call.body()?;
    if asked.order_sn.is_empty() {
        return Err(Failure::required("order_sn"));
    }
    let order = visit.order(&asked.order_sn).ok_or_else(|| {
        let text = format!("The order_sn {} is not exist.", asked.order_sn);
        Failure::new("logistics.order_not_exist", text)
    })?;
    let mut book = visit.book();
    let view = View::of(&order, &mut book, visit.settings, visit.now);
    let is_ours = visit.settings.region == "BR" && view.is_own_delivery();
    let done = match asked.logistics_status.as_str() {
        "logistics_pickup_done" if is_ours => {
            if let Some(number) = given(asked.tracking_number.as_ref()) {
                renumber(visit, &mut book, &view, number);
            }
            book.advance(&order, Progress::Arranged, Progress::PickedUp, visit.now) > 0
        }
        "logistics_delivery_done" if is_ours => deliver(visit, &view),
        "logistics_delivery_failed" if is_ours => {
            book.advance(&order, Progress::PickedUp, Progress::Cancelled, visit.now) > 0
        }
        "logistics_pickup_done" | "logistics_delivery_done" | "logistics_delivery_failed" => false,
        _ => return Err(Failure::wrong("logistics_status is invalid.")),
    };
    Ok(Answer::wrapped(json!({ "update_result": if done { "succeed" } else { "failed" } })))
}

fn renumber(visit: &Visit<'_>, book: &mut Book, view: &View<'_>, number: &str) {
    for package in view.packages.iter().filter(|package| package.progress == Progress::Arranged) {
        for sent in &package.contents {
            let parcel = view
                .order
                .parcels
                .iter()
                .rposition(|parcel| parcel.lines.iter().any(|line| line.line == sent.line));
            // A line that has left is in a parcel, so there is nothing to refuse.
            let _ = visit.acting().enter_tracking(sent.line, parcel, &package.carrier, number);
        }
        if let Some(kept) = book.package_mut(&package.number) {
            kept.tracking = number.to_owned();
            kept.own_tracking = true;
        }
    }
}

fn deliver(visit: &Visit<'_>, view: &View<'_>) -> bool {
    let lines: Vec<LineNumber> = view
        .packages
        .iter()
        .filter(|package| package.progress == Progress::PickedUp)
        .flat_map(|package| package.contents.iter().map(|sent| sent.line))
        .collect();
    !lines.is_empty() && lines.into_iter().all(|line| visit.acting().deliver(line).is_ok())
}
