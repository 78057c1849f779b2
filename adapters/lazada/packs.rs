//! What is sent to pack and to hand over, and what comes back; the choice of the carrier (sheet 4).

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::channel::{Outcome, Refusal, Tracking};
use crate::error::{Error, Result};
use crate::lenient::{Text, body_text, object};
use crate::model::Private;

use super::auth::Ask;
use super::errors::{Endpoint, item_failed};
use super::plan::Plan;
use super::wire::{Envelope, json, readable, rows, told};

/// How Lazada allocates the carrier, as it goes into the packing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Allocation {
    /// `TFS` or `NTFS`.
    pub(super) kind: String,
    /// The provider, where the seller must choose one.
    pub(super) provider: Option<String>,
}

#[derive(Serialize)]
struct ProvidersBody<'a> {
    orders: [OrderItems<'a>; 1],
}

#[derive(Serialize)]
struct OrderItems<'a> {
    order_id: u64,
    order_item_ids: &'a [u64],
}

/// The call for the allocation of an order's items.
///
/// # Errors
/// `InvalidInput` when it can't be written.
pub(super) fn providers_ask(plan: &Plan) -> Result<Ask> {
    let orders = [OrderItems { order_id: plan.order, order_item_ids: &plan.pack }];
    Ok(Ask::post(Endpoint::Providers, "/order/shipment/providers/get")
        .with("getShipmentProvidersReq", json(&ProvidersBody { orders })?))
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ProvidersRow<'a> {
    /// 1: there is nothing to choose. 0: the seller must choose.
    #[serde(borrow)]
    platform_default: Text<'a>,
    #[serde(borrow)]
    shipping_allocate_type: Text<'a>,
    #[serde(borrow)]
    shipment_providers: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ProviderRow<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    provider_code: Text<'a>,
}

/// The allocation in an answer. Where the seller must choose among several providers, the one named by the merchant is
/// taken; nothing is guessed.
///
/// # Errors
/// `MalformedResponse` when it can't be read; inside: a refusal where the choice is missing, with what there is.
pub(super) fn providers_result(body: &[u8], chosen: Option<&str>) -> Result<Result<Allocation, Refusal>> {
    let body = body_text(body);
    let data = Envelope::read(&body)?.result_data()?;
    let row: ProvidersRow<'_> = object("the providers", data.get())?;
    let kind = told(&row.shipping_allocate_type)
        .ok_or_else(|| Error::malformed("the answer tells no shipping_allocate_type"))?
        .to_owned();
    let providers: Vec<ProviderRow<'_>> = readable(row.shipment_providers);
    let codes: Vec<&str> = providers.iter().filter_map(|provider| told(&provider.provider_code)).collect();
    // A local shop (TFS) must not send a provider, whatever is listed.
    if kind.eq_ignore_ascii_case("TFS") || row.platform_default.integer() == Some(1) {
        return Ok(Ok(Allocation { kind, provider: None }));
    }
    let names = || {
        let name = |provider: &ProviderRow<'_>| {
            format!("{} ({})", provider.provider_code.trim(), provider.name.trim())
        };
        providers.iter().map(name).collect::<Vec<_>>().join(", ")
    };
    Ok(match (codes.as_slice(), chosen) {
        ([], _) => Err(Refusal::new(
            "",
            "the channel names no transfer warehouse for this order: subscribe to one in Seller Center",
        )),
        (codes, Some(chosen)) if codes.contains(&chosen) => {
            Ok(Allocation { kind, provider: Some(chosen.to_owned()) })
        }
        (_, Some(chosen)) => {
            Err(Refusal::new("", format!("{chosen} is not offered for this order; offered: {}", names())))
        }
        ([only], None) => Ok(Allocation { kind, provider: Some((*only).to_owned()) }),
        (_, None) => Err(Refusal::new(
            "",
            format!("choose one by the option {}: {}", super::dispatch::PROVIDER, names()),
        )),
    })
}

#[derive(Serialize)]
struct PackBody<'a> {
    pack_order_list: Vec<PackOrder<'a>>,
    delivery_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    shipment_provider_code: Option<&'a str>,
    shipping_allocate_type: &'a str,
}

#[derive(Serialize)]
struct PackOrder<'a> {
    order_item_list: &'a [u64],
    order_id: u64,
}

/// The call that packs.
///
/// # Errors
/// `InvalidInput` when it can't be written.
pub(super) fn pack_ask(plans: &[&Plan], allocation: &Allocation) -> Result<Ask> {
    let order = |plan: &&Plan| (plan.pack.clone(), plan.order);
    let lists: Vec<(Vec<u64>, u64)> = plans.iter().map(order).collect();
    let body = PackBody {
        pack_order_list: lists
            .iter()
            .map(|(items, order)| PackOrder { order_item_list: items, order_id: *order })
            .collect(),
        delivery_type: "dropship",
        shipment_provider_code: allocation.provider.as_deref(),
        shipping_allocate_type: &allocation.kind,
    };
    Ok(Ask::post(Endpoint::Pack, "/order/fulfill/pack").with("packReq", json(&body)?))
}

/// A piece that is packed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Packed {
    pub(super) package: String,
    pub(super) tracking: Option<Tracking>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Packing<'a> {
    #[serde(borrow)]
    pack_order_list: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct PackedOrder<'a> {
    #[serde(borrow)]
    order_item_list: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct PackedItem<'a> {
    #[serde(borrow)]
    order_item_id: Text<'a>,
    #[serde(borrow)]
    item_err_code: Text<'a>,
    #[serde(borrow)]
    msg: Text<'a>,
    #[serde(borrow)]
    retry: Text<'a>,
    #[serde(borrow)]
    package_id: Text<'a>,
    #[serde(borrow)]
    tracking_number: Text<'a>,
    #[serde(borrow)]
    shipment_provider: Text<'a>,
}

/// What became of each order item, by its id. `success` says nothing about them: only `item_err_code` 0 is done.
///
/// # Errors
/// `MalformedResponse` when it can't be read at all.
pub(super) fn pack_result(body: &[u8]) -> Result<HashMap<u64, Outcome<Packed>>> {
    let body = body_text(body);
    let packing: Packing<'_> = object("the packing", Envelope::read(&body)?.result_data()?.get())?;
    rows(packing.pack_order_list)?;
    let orders: Vec<PackedOrder<'_>> = readable(packing.pack_order_list);
    let mut outcomes = HashMap::new();
    for item in orders.iter().flat_map(|order| readable::<PackedItem<'_>>(order.order_item_list)) {
        let Some(id) = item.order_item_id.integer().and_then(|id| u64::try_from(id).ok()) else { continue };
        let code = item.item_err_code.trim();
        let outcome = match (code, told(&item.package_id)) {
            ("0", Some(package)) => {
                let carrier = told(&item.shipment_provider).unwrap_or_default();
                let number = told(&item.tracking_number);
                let tracking = number.map(|number| Tracking::new(carrier, number));
                Outcome::Done(Packed { package: package.to_owned(), tracking })
            }
            ("0", None) => {
                let why = "the order item is packed and its package is not told";
                Outcome::Unknown(Error::malformed(why).with_unknown_effect())
            }
            _ => item_failed(code, &item.msg, item.retry.flag() == Some(true)),
        };
        outcomes.insert(id, outcome);
    }
    Ok(outcomes)
}

#[derive(Serialize)]
struct Packages<'a> {
    packages: Vec<PackageId<'a>>,
}

#[derive(Serialize)]
struct PackageId<'a> {
    package_id: &'a str,
}

fn packages<'a>(ids: &[&'a str]) -> Vec<PackageId<'a>> {
    ids.iter().map(|id| PackageId { package_id: id }).collect()
}

/// The call that says packages are ready to ship.
///
/// # Errors
/// `InvalidInput` when it can't be written.
pub(super) fn ready_ask(ids: &[&str]) -> Result<Ask> {
    let body = json(&Packages { packages: packages(ids) })?;
    Ok(Ask::post(Endpoint::ReadyToShip, "/order/package/rts").with("readyToShipReq", body))
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Readied<'a> {
    #[serde(borrow)]
    packages: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ReadiedPackage<'a> {
    #[serde(borrow)]
    package_id: Text<'a>,
    #[serde(borrow)]
    item_err_code: Text<'a>,
    #[serde(borrow)]
    msg: Text<'a>,
    #[serde(borrow)]
    retry: Text<'a>,
}

/// What became of each package, by its id.
///
/// # Errors
/// `MalformedResponse` when it can't be read at all.
pub(super) fn ready_result(body: &[u8]) -> Result<HashMap<String, Outcome<()>>> {
    let body = body_text(body);
    let readied: Readied<'_> = object("the packages", Envelope::read(&body)?.result_data()?.get())?;
    rows(readied.packages)?;
    let rows: Vec<ReadiedPackage<'_>> = readable(readied.packages);
    Ok(rows
        .iter()
        .filter_map(|row| {
            let id = row.package_id.filled()?.to_owned();
            let code = row.item_err_code.trim();
            let again = row.retry.flag() == Some(true);
            Some((id, if code == "0" { Outcome::Done(()) } else { item_failed(code, &row.msg, again) }))
        })
        .collect())
}

#[derive(Serialize)]
struct DocumentBody<'a> {
    doc_type: &'static str,
    packages: Vec<PackageId<'a>>,
    print_item_list: bool,
}

/// The call for a package's label.
///
/// # Errors
/// `InvalidInput` when it can't be written.
pub(super) fn label_ask(id: &str) -> Result<Ask> {
    let body = DocumentBody { doc_type: "PDF", packages: packages(&[id]), print_item_list: false };
    Ok(Ask::post(Endpoint::Document, "/order/package/document/get").with("getDocumentReq", json(&body)?))
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct DocumentRow<'a> {
    #[serde(borrow)]
    pdf_url: Text<'a>,
}

/// Where a label is, in an answer. The address opens it for whoever has it, and shows the buyer's.
///
/// # Errors
/// `MalformedResponse` when there is none.
pub(super) fn label_result(body: &[u8]) -> Result<Private<String>> {
    let body = body_text(body);
    let row: DocumentRow<'_> = object("the document", Envelope::read(&body)?.result_data()?.get())?;
    let url = told(&row.pdf_url).ok_or_else(|| Error::malformed("the answer holds no address of a label"))?;
    Ok(Private::new(url.to_owned()))
}
