//! Arranging many shipments in one call; each one succeeds or fails on its own (sheet section 4.5).

use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Answer, Failure, Outcome};
use super::desk::Visit;
use super::ids::order_sn;
use super::ship::{Handover, OwnCarrier, arrange};
use super::view::View;

/// So many in one call.
const MOST: usize = 50;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Orders {
    order_list: Vec<Entry>,
    #[serde(flatten)]
    handover: Handover,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Entry {
    order_sn: String,
    package_number: Option<String>,
}

/// `logistics/batch_ship_order`.
pub(super) fn orders(visit: &Visit<'_>) -> Outcome {
    let asked: Orders = visit.call.body()?;
    if asked.order_list.is_empty() {
        return Err(Failure::required("order_list"));
    }
    if asked.order_list.len() > MOST {
        return Err(Failure::new("logistics.error_limit", "The batch request reach limit 50."));
    }
    let mut book = visit.book();
    let mut failed = 0;
    let rows: Vec<Value> = asked
        .order_list
        .iter()
        .map(|entry| {
            let number = entry.package_number.as_deref();
            let mut row = json!({ "order_sn": entry.order_sn });
            if let Some(number) = number {
                row["package_number"] = json!(number);
            }
            if let Err(failure) = arrange(visit, &mut book, &entry.order_sn, number, &asked.handover) {
                failed += 1;
                row["fail_error"] = json!(failure.error);
                row["fail_message"] = json!(failure.message);
            }
            row
        })
        .collect();
    let response = json!({ "result_list": rows });
    if failed == rows_of(&response) {
        let message = "Failed, please check result_list for more details.";
        return Err(Failure::with_response("common.batch_api_all_failed", message, response));
    }
    Ok(Answer::wrapped(response))
}

fn rows_of(response: &Value) -> usize {
    response["result_list"].as_array().map(Vec::len).unwrap_or_default()
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Packages {
    package_list: Vec<Numbered>,
    logistics_channel_id: Option<u64>,
    product_location_id: Option<String>,
    pickup: Option<super::ship::Pickup>,
    dropoff: Option<super::ship::Dropoff>,
    non_integrated: Option<OwnNumbers>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Numbered {
    package_number: String,
    tracking_number: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct OwnNumbers {
    tracking_number: Vec<Numbered>,
}

/// `logistics/mass_ship_order`: by parcel, split or not.
pub(super) fn packages(visit: &Visit<'_>) -> Outcome {
    let asked: Packages = visit.call.body()?;
    if asked.package_list.is_empty() {
        return Err(Failure::required("package_list"));
    }
    if asked.package_list.len() > MOST {
        return Err(Failure::new("logistics.error_param", "Package exceeds limit."));
    }
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    for package in &asked.package_list {
        let number = &package.package_number;
        match ship_package(visit, &asked, number) {
            Ok(()) => done.push(json!({ "package_number": number })),
            Err(failure) => {
                failed.push(json!({ "package_number": number, "fail_reason": failure.message }));
            }
        }
    }
    Ok(Answer::wrapped(json!({ "success_list": done, "fail_list": failed })))
}

fn ship_package(visit: &Visit<'_>, asked: &Packages, number: &str) -> Result<(), Failure> {
    let mut book = visit.book();
    let order = book.order_of(number).and_then(|order| visit.market().order(order));
    let order = order.filter(|order| visit.is_own(order));
    let order =
        order.ok_or_else(|| Failure::new("logistics.package_not_exist", "The package is not exist."))?;
    let view = View::of(&order, &mut book, visit.settings, visit.now);
    if asked.logistics_channel_id.is_some_and(|channel| channel != view.channel().0) {
        return Err(Failure::param("Package is not under the specified fulfilment channel"));
    }
    if asked.product_location_id.as_ref().is_some_and(|location| *location != view.settings.location()) {
        return Err(Failure::new("logistics.error_param", "Package is not under the specified warehouse"));
    }
    let own = asked.non_integrated.as_ref().map(|own| {
        let entry = own.tracking_number.iter().find(|entry| entry.package_number == number);
        OwnCarrier { tracking_number: entry.and_then(|entry| entry.tracking_number.clone()) }
    });
    let handover =
        Handover { pickup: asked.pickup.clone(), dropoff: asked.dropoff.clone(), non_integrated: own };
    let named = (view.packages.len() > 1).then_some(number);
    arrange(visit, &mut book, &order_sn(&order), named, &handover)
}
