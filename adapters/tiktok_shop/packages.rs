//! Packages and what is asked about them before and after shipping: contents, hand-over slots, carriers, labels
//! (sheet 4). Nothing is changed here.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::channel::{Context, HandOver, Operation, Refusal};
use crate::error::{Error, Result};
use crate::http::Nature;
use crate::lenient::{Text, body_text};
use crate::model::Private;

use super::auth::{Api, Ask};
use super::errors::Endpoint;
use super::wire::{Envelope, readable, rows, segment, texts};

/// A package as the channel shows it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Package {
    pub(super) id: String,
    pub(super) status: String,
    /// Whether the seller ships it; `None`: not told.
    pub(super) by_seller: Option<bool>,
    pub(super) delivery_option: String,
    pub(super) carrier: String,
    pub(super) tracking: String,
    /// The orders whose pieces are in it.
    pub(super) orders: Vec<String>,
    /// The line items in it.
    pub(super) items: Vec<String>,
}

impl Package {
    /// Whether its shipping was arranged before.
    pub(super) fn is_shipped(&self) -> bool {
        matches!(self.status.as_str(), "PROCESSING" | "FULFILLING" | "COMPLETED")
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct PackageRow<'a> {
    #[serde(borrow)]
    package_id: Text<'a>,
    #[serde(borrow)]
    package_status: Text<'a>,
    #[serde(borrow)]
    shipping_type: Text<'a>,
    #[serde(borrow)]
    delivery_option: Text<'a>,
    #[serde(borrow)]
    delivery_option_id: Text<'a>,
    #[serde(borrow)]
    shipping_provider_name: Text<'a>,
    #[serde(borrow)]
    tracking_number: Text<'a>,
    #[serde(borrow)]
    orders: Option<&'a RawValue>,
    #[serde(borrow)]
    order_line_item_ids: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct IdRow<'a> {
    #[serde(borrow)]
    id: Text<'a>,
}

/// Who ships: the words of packages and of orders.
pub(super) fn by_seller(shipping_type: &str, delivery_option: &str) -> Option<bool> {
    match (shipping_type, delivery_option) {
        (_, "SEND_BY_SELLER") | ("SELLER", _) => Some(true),
        ("TIKTOK", _) => Some(false),
        _ => None,
    }
}

/// The call that reads a package.
///
/// # Errors
/// `InvalidInput` when the id is none.
pub(super) fn package_ask(id: &str) -> Result<Ask> {
    Ok(Ask::get(Endpoint::Package, format!("/fulfillment/202309/packages/{}", segment(id)?)))
}

/// The package in an answer.
///
/// # Errors
/// `MalformedResponse` when it can't be read or is another.
pub(super) fn package_result(body: &[u8], id: &str) -> Result<Package> {
    let body = body_text(body);
    let row: PackageRow<'_> = Envelope::read(&body)?.data()?;
    if row.package_id.trim() != id {
        return Err(Error::malformed("the answer is about another package"));
    }
    let orders: Vec<IdRow<'_>> = readable(row.orders);
    Ok(Package {
        id: id.to_owned(),
        status: row.package_status.trim().to_owned(),
        by_seller: by_seller(row.shipping_type.trim(), row.delivery_option.trim()),
        delivery_option: row.delivery_option_id.trim().to_owned(),
        carrier: row.shipping_provider_name.trim().to_owned(),
        tracking: row.tracking_number.trim().to_owned(),
        orders: orders.iter().filter_map(|order| order.id.filled().map(str::to_owned)).collect(),
        items: texts(row.order_line_item_ids),
    })
}

/// Reads a package.
pub(super) async fn package(api: &Api, cx: &Context, operation: Operation, id: &str) -> Result<Package> {
    let answer = api.call(cx, operation, Nature::Read, &package_ask(id)?).await?;
    package_result(&answer.body, id)
}

/// When a carrier collects, in Unix seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Slot {
    pub(super) start_time: i64,
    pub(super) end_time: i64,
}

/// How a package may be handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Offered {
    pub(super) pick_up: bool,
    pub(super) drop_off: bool,
    /// The slots that can still be had, as they came.
    pub(super) slots: Vec<Slot>,
    /// Whether there are slots, free or not.
    pub(super) has_slots: bool,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct OfferedRow<'a> {
    #[serde(borrow)]
    can_pickup: Text<'a>,
    #[serde(borrow)]
    can_drop_off: Text<'a>,
    #[serde(borrow)]
    pickup_slots: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct SlotRow<'a> {
    #[serde(borrow)]
    start_time: Text<'a>,
    #[serde(borrow)]
    end_time: Text<'a>,
    /// The channel's own spelling.
    #[serde(borrow, alias = "available")]
    avaliable: Text<'a>,
}

/// What is offered for a package. A method that is not mentioned is not offered.
///
/// # Errors
/// `MalformedResponse` when it can't be read.
pub(super) fn slots_result(body: &[u8]) -> Result<Offered> {
    let body = body_text(body);
    let row: OfferedRow<'_> = Envelope::read(&body)?.data()?;
    let all: Vec<SlotRow<'_>> = readable(row.pickup_slots);
    let slots = all
        .iter()
        .filter(|slot| slot.avaliable.flag() != Some(false))
        .filter_map(|slot| {
            Some(Slot { start_time: slot.start_time.integer()?, end_time: slot.end_time.integer()? })
        })
        .collect();
    Ok(Offered {
        pick_up: row.can_pickup.flag() == Some(true),
        drop_off: row.can_drop_off.flag() == Some(true),
        slots,
        has_slots: !all.is_empty(),
    })
}

/// What is sent for the merchant's choice (HM-3), or why it can't be.
pub(super) fn hand_over(
    choice: Option<HandOver>,
    offered: &Offered,
) -> Result<(&'static str, Option<Slot>), Refusal> {
    let not = |what: &str| {
        Refusal::new(
            "",
            format!(
                "{what} is not offered for this package: choose the other method, or change the warehouse's collection method in Seller Center"
            ),
        )
    };
    match choice {
        None => Err(Refusal::new(
            "",
            "choose pick-up or drop-off first: TikTok Shop asks how the parcel is handed over",
        )),
        Some(HandOver::DropOff) if offered.drop_off => Ok(("DROP_OFF", None)),
        Some(HandOver::DropOff) => Err(not("drop-off")),
        Some(HandOver::PickUp) if !offered.pick_up => Err(not("pick-up")),
        Some(HandOver::PickUp) => match offered.slots.first() {
            Some(slot) => Ok(("PICKUP", Some(*slot))),
            // Markets where the carrier comes anyway offer no slots.
            None if !offered.has_slots => Ok(("PICKUP", None)),
            None => Err(Refusal::new("", "no pick-up slot is free for this package now").temporary()),
        },
    }
}

/// Reads what is offered for a package.
pub(super) async fn slots(api: &Api, cx: &Context, operation: Operation, id: &str) -> Result<Offered> {
    let path = format!("/fulfillment/202309/packages/{}/handover_time_slots", segment(id)?);
    let answer = api.call(cx, operation, Nature::Read, &Ask::get(Endpoint::Slots, path)).await?;
    slots_result(&answer.body)
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct DocumentRow<'a> {
    #[serde(borrow)]
    doc_url: Text<'a>,
}

/// The call for a label.
///
/// # Errors
/// `InvalidInput` when the id is none.
pub(super) fn label_ask(id: &str) -> Result<Ask> {
    let path = format!("/fulfillment/202309/packages/{}/shipping_documents", segment(id)?);
    Ok(Ask::get(Endpoint::Document, path).with("document_type", "SHIPPING_LABEL"))
}

/// Where a label is, in an answer. The address opens it for whoever has it, and shows the buyer's.
///
/// # Errors
/// `MalformedResponse` when there is none.
pub(super) fn label_result(body: &[u8]) -> Result<Private<String>> {
    let body = body_text(body);
    let row: DocumentRow<'_> = Envelope::read(&body)?.data()?;
    let url = row.doc_url.filled().ok_or_else(|| Error::malformed("the answer holds no label"))?;
    Ok(Private::new(url.to_owned()))
}

/// Reads where a package's label is; the address is good for 24 hours.
pub(super) async fn label(
    api: &Api,
    cx: &Context,
    operation: Operation,
    id: &str,
) -> Result<Private<String>> {
    let answer = api.call(cx, operation, Nature::Read, &label_ask(id)?).await?;
    label_result(&answer.body)
}

/// A carrier of a delivery option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Provider {
    pub(super) id: String,
    pub(super) name: String,
}

#[derive(Deserialize)]
struct Providers<'a> {
    #[serde(borrow)]
    shipping_providers: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ProviderRow<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    name: Text<'a>,
}

/// The carriers in an answer.
///
/// # Errors
/// `MalformedResponse` when it can't be read.
pub(super) fn providers_result(body: &[u8]) -> Result<Vec<Provider>> {
    let body = body_text(body);
    let data: Providers<'_> = Envelope::read(&body)?.data()?;
    rows(data.shipping_providers)?;
    let rows: Vec<ProviderRow<'_>> = readable(data.shipping_providers);
    Ok(rows
        .iter()
        .filter_map(|row| {
            Some(Provider { id: row.id.filled()?.to_owned(), name: row.name.trim().to_owned() })
        })
        .collect())
}

/// Names that mean the same carrier: TikTok's name of it differs by market and language.
const ALIASES: &[&[&str]] = &[
    &["yamato", "yamatotransport", "kuronekoyamato", "ヤマト", "ヤマト運輸", "クロネコヤマト"],
    &["sagawa", "sagawaexpress", "佐川", "佐川急便"],
    &["japanpost", "yupack", "日本郵便", "ゆうパック"],
    &["ups", "unitedparcelservice"],
    &["usps", "unitedstatespostalservice"],
    &["fedex", "federalexpress"],
    &["dhl", "dhlexpress"],
];

/// A name without case, spaces and signs.
fn bare(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The carrier of a name (or of TikTok's own id).
///
/// # Errors
/// A refusal when none or several have it, with the names to choose from.
pub(super) fn find_provider<'a>(carrier: &str, providers: &'a [Provider]) -> Result<&'a Provider, Refusal> {
    let wanted = bare(carrier);
    if let Some(by_id) = providers.iter().find(|provider| provider.id == carrier.trim()) {
        return Ok(by_id);
    }
    let of = |matches: Vec<&'a Provider>| match matches.as_slice() {
        [] => Ok(None),
        [provider] => Ok(Some(*provider)),
        several
            if several.iter().all(|provider| several.first().is_some_and(|one| one.id == provider.id)) =>
        {
            Ok(several.first().copied())
        }
        _ => {
            Err(Refusal::new("", format!("several carriers are called {carrier:?}: give TikTok's id of it")))
        }
    };
    if let Some(same) = of(providers.iter().filter(|provider| bare(&provider.name) == wanted).collect())? {
        return Ok(same);
    }
    let names = ALIASES.iter().find(|names| names.contains(&wanted.as_str())).copied().unwrap_or_default();
    let alias = |provider: &&Provider| names.contains(&bare(&provider.name).as_str());
    of(providers.iter().filter(alias).collect())?.ok_or_else(|| {
        let names: Vec<&str> = providers.iter().map(|provider| provider.name.as_str()).take(12).collect();
        Refusal::new(
            "",
            format!("TikTok Shop knows no carrier {carrier:?} here; it knows: {}", names.join(", ")),
        )
    })
}

/// The carriers of each delivery option, once they were read.
#[derive(Debug, Default)]
pub(super) struct Carriers(Mutex<HashMap<String, Arc<Vec<Provider>>>>);

impl Carriers {
    /// The carrier's id. A list that lacks it is read anew: carriers are added.
    ///
    /// # Errors
    /// Any kind; inside: a refusal when there is no such carrier.
    pub(super) async fn find(
        &self,
        api: &Api,
        cx: &Context,
        option: &str,
        carrier: &str,
    ) -> Result<Result<String, Refusal>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(option).cloned();
        if let Some(kept) = kept
            && let Ok(provider) = find_provider(carrier, &kept)
        {
            return Ok(Ok(provider.id.clone()));
        }
        let path = format!("/logistics/202309/delivery_options/{}/shipping_providers", segment(option)?);
        let ask = Ask::get(Endpoint::Providers, path);
        let answer = api.call(cx, Operation::Dispatch, Nature::Read, &ask).await?;
        let fresh = Arc::new(providers_result(&answer.body)?);
        let found = find_provider(carrier, &fresh).map(|provider| provider.id.clone());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(option.to_owned(), fresh);
        Ok(found)
    }
}
