//! What has to be sent to ship an order, and the number it got (sheet section 4.5).

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::answer::{Answer, Failure, Outcome};
use super::book::{Package, Progress};
use super::desk::Visit;
use super::settings::{Settings, Way};
use super::view::View;
use crate::market::Order;

/// The address that has slots, where there are any.
pub(super) const FIRST_ADDRESS: u64 = 234;
/// Another address, without slots.
pub(super) const SECOND_ADDRESS: u64 = 123;
/// The branches to bring parcels to.
pub(super) const BRANCHES: [u64; 2] = [55, 56];
/// The partners to bring parcels to (TW).
pub(super) const SLUGS: [(&str, &str); 2] = [("sandbox-mart", "Sandbox Mart"), ("ok-shop", "OK Shop")];

/// Days that a pick-up can be chosen for, from tomorrow.
const SLOT_DAYS: i64 = 3;

/// `package_number` of a call: it is left out, or a number.
///
/// # Errors
/// `error_param` when it is sent empty.
pub(super) fn named_package(sent: Option<&str>) -> Result<Option<&str>, Failure> {
    match sent {
        Some("") => Err(Failure::wrong("package_number must not be empty.")),
        other => Ok(other),
    }
}

/// The parcel that a reading call is about.
fn read_package<'v>(view: &'v View<'_>, sent: Option<&str>) -> Result<&'v Package, Failure> {
    let none = || Failure::new("logistics.package_not_exist", "The package is not exist.");
    match named_package(sent)? {
        Some(number) => view.packages.iter().find(|package| package.number == number).ok_or_else(none),
        None if view.packages.len() > 1 => Err(Failure::new(
            "logistics.package_number_not_exist",
            "Please request with package_number for this split order.",
        )),
        None => view.packages.first().ok_or_else(none),
    }
}

pub(super) fn allocating() -> Failure {
    Failure::new(
        "logistics.error_param",
        "The order is being allocated, please wait until the allocate is completed.",
    )
}

/// `logistics/get_shipping_parameter`.
pub(super) fn parameter(visit: &Visit<'_>) -> Outcome {
    let order = visit.order(visit.call.required("order_sn")?).ok_or_else(Failure::no_such_order)?;
    let mut book = visit.book();
    let view = View::of(&order, &mut book, visit.settings, visit.now);
    let package = read_package(&view, visit.call.sent("package_number"))?;
    if view.extra.allocating {
        return Err(allocating());
    }
    match view.logistics_status(package) {
        "LOGISTICS_READY" | "LOGISTICS_PICKUP_RETRY" => {}
        "LOGISTICS_INVALID" | "LOGISTICS_REQUEST_CANCELED" => {
            return Err(Failure::new("error_status", "The order has been cancelled."));
        }
        _ => {
            return Err(Failure::param(
                "Shipping parameters can only be obtained when package is ready to be shipped",
            ));
        }
    }
    if view.extra.invoice_pending {
        return Err(lacks_invoice());
    }
    Ok(Answer::wrapped(offer(view.ways(), visit.settings, visit.now)))
}

pub(super) fn lacks_invoice() -> Failure {
    Failure::new("logistics.lack_of_invoice_data", "Pending invoice data, can not arrange shipment.")
}

/// The ways with the fields that each needs; a way that is not offered is absent.
fn offer(ways: &[Way], settings: &Settings, now: DateTime<Utc>) -> Value {
    let mut needed = serde_json::Map::new();
    let (mut pickup, mut dropoff) = (Value::Null, Value::Null);
    for way in ways {
        let (name, fields): (_, &[&str]) = match way {
            Way::Pickup => ("pickup", &["address_id", "pickup_time_id"]),
            Way::PickupWithoutSlots => ("pickup", &["address_id"]),
            Way::PickupWithTracking => ("pickup", &["address_id", "pickup_time_id", "tracking_number"]),
            Way::Dropoff => ("dropoff", &[]),
            Way::DropoffBranch => ("dropoff", &["branch_id"]),
            Way::DropoffSender => ("dropoff", &["sender_real_name"]),
            Way::DropoffTracking => ("dropoff", &["tracking_no"]),
            Way::DropoffSlug => ("dropoff", &["slug"]),
            Way::OwnCarrier => ("non_integrated", &["tracking_no"]),
            Way::OwnCarrierUntracked => ("non_integrated", &[]),
        };
        needed.entry(name).or_insert_with(|| json!(fields));
        match (name, fields) {
            ("pickup", _) if pickup.is_null() => {
                let has_slots = *way != Way::PickupWithoutSlots;
                pickup = json!({ "address_list": addresses(settings, has_slots, now) });
            }
            ("dropoff", [_, ..]) if dropoff.is_null() => dropoff = places(*way, settings),
            _ => {}
        }
    }
    json!({ "info_needed": needed, "dropoff": dropoff, "pickup": pickup })
}

fn addresses(settings: &Settings, has_slots: bool, now: DateTime<Utc>) -> Vec<Value> {
    let address = |id: u64, street: &str, flags: &[&str], slots: Option<Vec<Value>>| {
        json!({
            "address_id": id,
            "region": settings.region,
            "state": "",
            "city": "",
            "district": "",
            "town": "",
            "address": street,
            "zipcode": "000001",
            "address_flag": flags,
            "time_slot_list": slots,
        })
    };
    let main = ["default_address", "pickup_address", "return_address"];
    let slots = has_slots.then(|| {
        let row = |(at, slot): (usize, i64)| {
            json!({
                "date": slot,
                "time_text": "",
                "pickup_time_id": slot_id(slot),
                "flags": if at == 0 { vec!["recommended"] } else { vec![] },
            })
        };
        slots(now).into_iter().enumerate().map(row).collect()
    });
    vec![
        address(FIRST_ADDRESS, "1 Fake Street", &main, slots),
        address(SECOND_ADDRESS, "2 Fake Street", &[], None),
    ]
}

fn slots(now: DateTime<Utc>) -> Vec<i64> {
    let day = |after: i64| (now + TimeDelta::days(after)).timestamp().div_euclid(86_400) * 86_400;
    (1..=SLOT_DAYS).map(day).collect()
}

fn slot_id(slot: i64) -> String {
    format!("{slot}_1")
}

/// Whether a slot can be chosen at an address, now.
pub(super) fn is_slot(id: &str, now: DateTime<Utc>) -> bool {
    slots(now).into_iter().any(|slot| slot_id(slot) == id)
}

fn places(way: Way, settings: &Settings) -> Value {
    let branches: Vec<Value> = BRANCHES
        .iter()
        .map(|id| {
            json!({
                "branch_id": id,
                "region": settings.region,
                "state": "",
                "city": "Fake City",
                "address": format!("{id} Fake Road"),
                "zipcode": "40000",
                "district": "",
                "town": "",
            })
        })
        .collect();
    let slugs: Vec<Value> =
        SLUGS.iter().map(|(slug, name)| json!({ "slug": slug, "slug_name": name })).collect();
    json!({
        "branch_list": if way == Way::DropoffBranch { branches } else { vec![] },
        "slug_list": if way == Way::DropoffSlug { slugs } else { vec![] },
    })
}

/// `logistics/get_tracking_number`.
pub(super) fn tracking_number(visit: &Visit<'_>) -> Outcome {
    let unknown = || Failure::new("logistics.invalid_error", "The order is not exist.");
    let order: Order = visit.order(visit.call.required("order_sn")?).ok_or_else(unknown)?;
    let mut book = visit.book();
    let view = View::of(&order, &mut book, visit.settings, visit.now);
    let package = read_package(&view, visit.call.sent("package_number"))?;
    if view.extra.allocating {
        return Err(allocating());
    }
    // Before anything is arranged there is no number, either.
    let number = if package.progress == Progress::Open { "" } else { view.tracking(package) };
    let mut response = json!({ "tracking_number": number, "hint": "" });
    for field in visit.call.list("response_optional_fields") {
        if matches!(field, "first_mile_tracking_number" | "last_mile_tracking_number" | "plp_number") {
            response[field] = json!("");
        }
    }
    Ok(Answer::wrapped(response))
}
