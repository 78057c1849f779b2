//! How a package can be shipped, by the channel's word, and its tracking number (sheet 4.5). Nothing is changed here.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::channel::{Context, Operation};
use crate::error::{Error, Result};
use crate::lenient::{Text, body_text, object, scalar};

use super::api::Api;
use super::auth::Ask;
use super::errors::Endpoint;
use super::wire::{Envelope, texts, typed};

/// Where and when a carrier collects.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct PickupAddress {
    pub(super) id: String,
    pub(super) flags: Vec<String>,
    pub(super) slots: Vec<Slot>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) id: String,
    pub(super) date: Option<i64>,
    pub(super) recommended: bool,
}

/// What the channel offers for a package. The lists name the fields that are needed; `None`: not offered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Offered {
    pub(super) pickup: Option<Vec<String>>,
    pub(super) dropoff: Option<Vec<String>>,
    pub(super) non_integrated: Option<Vec<String>>,
    pub(super) addresses: Vec<PickupAddress>,
    pub(super) branches: Vec<String>,
    pub(super) slugs: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Parameters<'a> {
    #[serde(borrow)]
    info_needed: Option<&'a RawValue>,
    #[serde(borrow)]
    pickup: Option<&'a RawValue>,
    #[serde(borrow)]
    dropoff: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Needed<'a> {
    #[serde(borrow)]
    pickup: Option<&'a RawValue>,
    #[serde(borrow)]
    dropoff: Option<&'a RawValue>,
    #[serde(borrow, alias = "non-integrated")]
    non_integrated: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Pickup<'a> {
    #[serde(borrow)]
    address_list: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct AddressRow<'a> {
    #[serde(borrow)]
    address_id: Text<'a>,
    #[serde(borrow)]
    address_flag: Option<&'a RawValue>,
    #[serde(borrow)]
    time_slot_list: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct SlotRow<'a> {
    #[serde(borrow)]
    date: Text<'a>,
    #[serde(borrow)]
    pickup_time_id: Text<'a>,
    #[serde(borrow)]
    flags: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Dropoff<'a> {
    #[serde(borrow)]
    branch_list: Option<&'a RawValue>,
    #[serde(borrow)]
    slug_list: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct BranchRow<'a> {
    #[serde(borrow)]
    branch_id: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct SlugRow<'a> {
    #[serde(borrow)]
    slug: Text<'a>,
}

fn part<'a, T: Deserialize<'a> + Default>(raw: Option<&'a RawValue>) -> Result<T> {
    raw.map_or_else(|| Ok(T::default()), |raw| object("a part of the answer", raw.get()))
}

/// What is offered, in an answer. A key that is there offers its way, also with an empty list; one that is missing does
/// not.
///
/// # Errors
/// `MalformedResponse` when it can't be read.
pub(super) fn parameter_result(body: &[u8]) -> Result<Offered> {
    let body = body_text(body);
    let all: Parameters<'_> = Envelope::read(&body)?.response()?;
    let needed = all.info_needed.ok_or_else(|| Error::malformed("the answer does not say what is needed"))?;
    let needed: Needed<'_> = object("what is needed", needed.get())?;
    let (pickup, dropoff): (Pickup<'_>, Dropoff<'_>) = (part(all.pickup)?, part(all.dropoff)?);
    let fields = |raw: Option<&RawValue>| raw.map(|raw| texts(Some(raw)));
    let mut addresses = Vec::new();
    for row in typed::<AddressRow<'_>>(pickup.address_list)? {
        let slots = typed::<SlotRow<'_>>(row.time_slot_list)?;
        addresses.push(PickupAddress {
            id: row.address_id.trim().to_owned(),
            flags: texts(row.address_flag),
            slots: slots
                .iter()
                .filter_map(|slot| {
                    Some(Slot {
                        id: slot.pickup_time_id.filled()?.to_owned(),
                        date: slot.date.integer(),
                        recommended: texts(slot.flags).iter().any(|flag| flag == "recommended"),
                    })
                })
                .collect(),
        });
    }
    let branches = typed::<BranchRow<'_>>(dropoff.branch_list)?;
    let slugs = typed::<SlugRow<'_>>(dropoff.slug_list)?;
    Ok(Offered {
        pickup: fields(needed.pickup),
        dropoff: fields(needed.dropoff),
        non_integrated: fields(needed.non_integrated),
        addresses,
        branches: branches.iter().filter_map(|row| row.branch_id.filled().map(str::to_owned)).collect(),
        slugs: slugs.iter().filter_map(|row| row.slug.filled().map(str::to_owned)).collect(),
    })
}

/// The call that asks what is offered. The package is named only where the order is split: an empty or needless number is
/// refused (sheet 4.5).
pub(super) fn parameter_ask(order: &str, package: Option<&str>) -> Ask {
    let ask = Ask::get(Endpoint::ShippingParameter).with("order_sn", order);
    match package {
        Some(package) => ask.with("package_number", package),
        None => ask,
    }
}

/// Asks what is offered for a package.
///
/// # Errors
/// Any kind.
pub(super) async fn offered(api: &Api, cx: &Context, order: &str, package: Option<&str>) -> Result<Offered> {
    let answer = api.read(cx, Operation::Dispatch, &parameter_ask(order, package)).await?;
    parameter_result(&answer.body)
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct NumberRow<'a> {
    #[serde(borrow)]
    tracking_number: Option<&'a RawValue>,
}

/// The call that asks for the tracking number.
pub(super) fn tracking_ask(order: &str, package: Option<&str>) -> Ask {
    let ask = Ask::get(Endpoint::TrackingNumber).with("order_sn", order);
    let ask = match package {
        Some(package) => ask.with("package_number", package),
        None => ask,
    };
    ask.with("response_optional_fields", "first_mile_tracking_number,last_mile_tracking_number,plp_number")
}

/// The tracking number of an answer; `None`: there is none yet.
///
/// # Errors
/// `MalformedResponse` when it can't be read.
pub(super) fn tracking_result(body: &[u8]) -> Result<Option<String>> {
    let body = body_text(body);
    let row: NumberRow<'_> = Envelope::read(&body)?.response()?;
    let number = row.tracking_number.map(scalar).unwrap_or_default().trim().to_owned();
    Ok(Some(number).filter(|number| !number.is_empty()))
}
