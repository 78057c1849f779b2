//! What is sent for the merchant's choice of a hand-over (sheet 4.5).
//!
//! The rule: the channel says for each package which ways it offers. Pick-up and drop-off are the merchant's choice; one
//! that is not offered is refused, also where it is the only other one. The seller's own carrier is no choice: it is used
//! where nothing else is offered. A value that is needed is sent only where there is one sensible one.

use serde::Serialize;

use crate::channel::{HandOver, Refusal, Tracking};

use super::settings::{BRANCH, PICKUP_ADDRESS, PICKUP_SLOT, SENDER, SLUG, Settings};
use super::shipping::{Offered, PickupAddress, Slot};

/// Longest tracking number and sender's name (the call's page).
pub(super) const MOST_NUMBER: usize = 64;

/// The one way that is sent. Fields that are not needed stay out; an object without any is sent as `{}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Way {
    Pickup(PickupBody),
    Dropoff(DropoffBody),
    NonIntegrated(OwnBody),
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub(super) struct PickupBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) address_id: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pickup_time_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tracking_number: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub(super) struct DropoffBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) branch_id: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sender_real_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tracking_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) slug: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub(super) struct OwnBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tracking_number: Option<String>,
}

impl Way {
    /// Whether the seller's own number goes with it.
    pub(super) fn own_number(&self) -> Option<&str> {
        match self {
            Self::Pickup(body) => body.tracking_number.as_deref(),
            Self::Dropoff(body) => body.tracking_number.as_deref(),
            Self::NonIntegrated(body) => body.tracking_number.as_deref(),
        }
    }
}

fn no(why: impl ToString) -> Refusal {
    Refusal::new("", why)
}

/// What is sent for the merchant's choice (HM-3), or why nothing is.
pub(super) fn choose(
    offered: &Offered,
    choice: Option<HandOver>,
    tracking: Option<&Tracking>,
    settings: &Settings,
) -> Result<Way, Refusal> {
    match (&offered.pickup, &offered.dropoff, &offered.non_integrated) {
        (None, None, None) => Err(no("Shopee offers no way to ship this package").temporary()),
        (None, None, Some(fields)) => own_carrier(fields, tracking).map(Way::NonIntegrated),
        (pickup, dropoff, _) => match (choice, pickup, dropoff) {
            (None, _, _) => {
                Err(no("choose pick-up or drop-off first: Shopee asks how the parcel is handed over"))
            }
            (Some(HandOver::PickUp), Some(fields), _) => {
                pick_up(fields, offered, tracking, settings).map(Way::Pickup)
            }
            (Some(HandOver::DropOff), _, Some(fields)) => {
                drop_off(fields, offered, tracking, settings).map(Way::Dropoff)
            }
            (Some(HandOver::PickUp), None, _) => Err(no(
                "pick-up is not offered for this package: choose drop-off, or change the shipping channel in Seller Centre",
            )),
            (Some(HandOver::DropOff), _, None) => Err(no(
                "drop-off is not offered for this package: choose pick-up, or change the shipping channel in Seller Centre",
            )),
        },
    }
}

fn own_number(tracking: Option<&Tracking>) -> Result<Option<String>, Refusal> {
    let number = tracking.map(|tracking| tracking.number.trim()).filter(|number| !number.is_empty());
    match number {
        Some(number) if number.chars().count() <= MOST_NUMBER => Ok(Some(number.to_owned())),
        _ => Err(no("the seller ships this package: a tracking number of at most 64 characters is needed")),
    }
}

fn is_number(field: &str) -> bool {
    matches!(field, "tracking_no" | "tracking_number")
}

fn unknown_field(field: &str) -> Refusal {
    no(format!(
        "Shopee asks for {field:?}, which this adapter does not know: ship the package in Seller Centre"
    ))
}

fn own_carrier(fields: &[String], tracking: Option<&Tracking>) -> Result<OwnBody, Refusal> {
    let mut body = OwnBody::default();
    for field in fields {
        match field.as_str() {
            field if is_number(field) => body.tracking_number = own_number(tracking)?,
            field => return Err(unknown_field(field)),
        }
    }
    Ok(body)
}

fn id(what: &str, text: &str) -> Result<u64, Refusal> {
    text.parse().map_err(|_| no(format!("{what} {text:?} is not a number")))
}

fn pick_up(
    fields: &[String],
    offered: &Offered,
    tracking: Option<&Tracking>,
    settings: &Settings,
) -> Result<PickupBody, Refusal> {
    let mut body = PickupBody::default();
    for field in fields {
        match field.as_str() {
            "address_id" => {
                body.address_id = Some(id("the pick-up address", &address(offered, settings)?.id)?)
            }
            "pickup_time_id" => body.pickup_time_id = slot(address(offered, settings)?, settings)?,
            field if is_number(field) => body.tracking_number = own_number(tracking)?,
            field => return Err(unknown_field(field)),
        }
    }
    Ok(body)
}

/// The merchant's own, else the only one, else the only one that carries Shopee's mark of a pick-up address (or, without
/// any such mark, of the default one). Shops with several warehouses mark a current address too: where that is another
/// one, nobody can tell which is meant.
fn address<'o>(offered: &'o Offered, settings: &Settings) -> Result<&'o PickupAddress, Refusal> {
    let all = &offered.addresses;
    if let Some(id) = &settings.address {
        return all.iter().find(|address| address.id == *id).ok_or_else(|| {
            no(format!("this order can't be picked up at the address of the option {PICKUP_ADDRESS}"))
        });
    }
    let marked = |flag: &str| -> Vec<&PickupAddress> {
        all.iter().filter(|address| address.flags.iter().any(|f| f == flag)).collect()
    };
    let mut sensible = marked("pickup_address");
    if sensible.is_empty() {
        sensible = marked("default_address");
    }
    for current in marked("current_address") {
        if !sensible.iter().any(|address| address.id == current.id) {
            sensible.push(current);
        }
    }
    match (all.as_slice(), sensible.as_slice()) {
        ([], _) => Err(no("Shopee offers no pick-up address: set one in Seller Centre").temporary()),
        ([one], _) => Ok(one),
        (_, [one]) => Ok(*one),
        _ => {
            let ids: Vec<&str> = all.iter().map(|address| address.id.as_str()).collect();
            Err(no(format!(
                "several pick-up addresses are offered ({}): choose one by the option {PICKUP_ADDRESS}",
                ids.join(", ")
            )))
        }
    }
}

/// The only slot, else the one that Shopee recommends, or the earliest where the merchant wants that. Without slots
/// Shopee chooses the time: the field is left out.
fn slot(address: &PickupAddress, settings: &Settings) -> Result<Option<String>, Refusal> {
    let recommended: Vec<&Slot> = address.slots.iter().filter(|slot| slot.recommended).collect();
    match (address.slots.as_slice(), recommended.as_slice()) {
        ([], _) => Ok(None),
        ([one], _) => Ok(Some(one.id.clone())),
        (several, _) if settings.earliest => {
            let earliest = several.iter().min_by_key(|slot| slot.date.unwrap_or(i64::MAX));
            Ok(earliest.map(|slot| slot.id.clone()))
        }
        (_, [one]) => Ok(Some(one.id.clone())),
        _ => Err(no(format!(
            "several pick-up times are offered and Shopee recommends none of them alone: set the option {PICKUP_SLOT} to earliest"
        ))),
    }
}

/// The merchant's own, else the only one.
fn one_of<'o>(
    what: &str,
    key: &str,
    offered: &'o [String],
    chosen: Option<&'o String>,
) -> Result<&'o str, Refusal> {
    match (chosen, offered) {
        (Some(chosen), offered) if offered.contains(chosen) => Ok(chosen),
        (Some(_), _) => Err(no(format!("this order does not offer the {what} of the option {key}"))),
        (None, [one]) => Ok(one),
        (None, []) => Err(no(format!("Shopee asks for a {what} and offers none")).temporary()),
        (None, several) => Err(no(format!(
            "several are offered as {what} ({}): choose one by the option {key}",
            several.iter().take(12).map(String::as_str).collect::<Vec<_>>().join(", ")
        ))),
    }
}

fn drop_off(
    fields: &[String],
    offered: &Offered,
    tracking: Option<&Tracking>,
    settings: &Settings,
) -> Result<DropoffBody, Refusal> {
    let mut body = DropoffBody::default();
    // Two channels take the one or the other (the call's page): a number that is there decides.
    let either = fields.iter().any(|f| is_number(f)) && fields.iter().any(|f| f == "sender_real_name");
    let by_number = tracking.is_some();
    for field in fields {
        match field.as_str() {
            "branch_id" => {
                let chosen = one_of("drop-off branch", BRANCH, &offered.branches, settings.branch.as_ref())?;
                body.branch_id = Some(id("the drop-off branch", chosen)?);
            }
            "slug" => {
                let chosen = one_of("drop-off partner", SLUG, &offered.slugs, settings.slug.as_ref())?;
                body.slug = Some(chosen.to_owned());
            }
            "sender_real_name" if either && by_number => {}
            "sender_real_name" => {
                let name = settings.sender.clone().filter(|name| name.chars().count() <= MOST_NUMBER);
                body.sender_real_name = Some(name.ok_or_else(|| {
                    no(format!("Shopee asks for the sender's real name: set the option {SENDER} (at most 64 characters)"))
                })?);
            }
            field if is_number(field) && either && !by_number => {}
            field if is_number(field) => body.tracking_number = own_number(tracking)?,
            field => return Err(unknown_field(field)),
        }
    }
    Ok(body)
}
