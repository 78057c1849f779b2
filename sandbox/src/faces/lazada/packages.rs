//! What happens to packages after packing (sheet section 4): ready to ship, packed again, labels; and who could carry them.

use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::answer::{Failure, Outcome, failed_result, result};
use super::call;
use super::desk::Visit;
use super::ledger::{Ledger, Package, Progress, by_line};
use super::pack::MOST;
use super::settings::Allocation;
use super::units::units;
use crate::lock;
use crate::market::{Action, ParcelDraft, Refusal};

/// Names and codes of the providers that a cross-border shop chooses from.
pub(super) const PROVIDERS: [(&str, &str); 2] = [("Cainiao", "FM49"), ("Sandbox Express", "FM50")];

/// A JSON parameter. The inner error is the answer to one of a wrong form.
///
/// # Errors
/// MissingParameter.
pub(super) fn parsed<T: DeserializeOwned>(
    visit: &Visit<'_>,
    name: &str,
) -> Result<Result<T, Value>, Failure> {
    let text = visit.call.required(name)?;
    Ok(serde_json::from_str(text).map_err(|_| failed_result(700_004, "param illegal")))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    packages: Option<Vec<AskedPackage>>,
    doc_type: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AskedPackage {
    package_id: String,
}

/// A code with its text.
type Wrong = (u32, &'static str);

const NO_SUCH_PACKAGE: Wrong = (600_001, "package not found");
const CANCELLED: Wrong = (600_002, "package already cancelled");
const WRONG_STATUS: Wrong = (700_000, "current package status not allow to operation");

/// The packages that are asked for.
///
/// # Errors
/// MissingParameter; the inner error is the answer when nothing is done.
fn asked(visit: &Visit<'_>, name: &str) -> Result<Result<(Asked, Vec<String>), Value>, Failure> {
    let asked: Asked = match parsed(visit, name)? {
        Ok(asked) => asked,
        Err(failed) => return Ok(Err(failed)),
    };
    let Some(packages) = &asked.packages else {
        return Ok(Err(failed_result(700_017, "param can't be null")));
    };
    if packages.len() > MOST {
        return Ok(Err(failed_result(700_022, "batch size out of limit")));
    }
    if packages.is_empty() {
        return Ok(Err(failed_result(700_018, "param size not match")));
    }
    let ids = packages.iter().map(|package| package.package_id.clone()).collect();
    Ok(Ok((asked, ids)))
}

/// The seller's package behind an id.
fn own(visit: &Visit<'_>, ledger: &Ledger, id: &str) -> Result<Package, Wrong> {
    let package = ledger.package(id).ok_or(NO_SUCH_PACKAGE)?;
    let order = visit.market().order(package.order).ok_or(NO_SUCH_PACKAGE)?;
    if order.seller == visit.shop.seller { Ok(package.clone()) } else { Err(NO_SUCH_PACKAGE) }
}

/// Does something to each package; each has a result of its own.
fn each(
    visit: &Visit<'_>,
    name: &str,
    retry: Value,
    act: fn(&Visit<'_>, &mut Ledger, &Package) -> Result<(), Wrong>,
) -> Outcome {
    let (_, ids) = match asked(visit, name)? {
        Ok(asked) => asked,
        Err(failed) => return Ok(failed),
    };
    let mut ledger = lock(&visit.desk.face.0.ledger);
    let mut one = |id: &String| {
        let done = own(visit, &ledger, id).and_then(|package| act(visit, &mut ledger, &package));
        let (code, text) = done.err().unwrap_or((0, "success"));
        json!({ "package_id": id, "item_err_code": code.to_string(), "msg": text, "retry": retry })
    };
    let rows: Vec<Value> = ids.iter().map(&mut one).collect();
    Ok(result(json!({ "packages": rows })))
}

/// `readytoship`.
pub(super) fn ready(visit: &Visit<'_>) -> Outcome {
    // A text here and a boolean in the other calls, as in the documentation.
    each(visit, "readyToShipReq", json!("false"), |visit, ledger, package| {
        match package.progress {
            Progress::Packed => {}
            Progress::Cancelled => return Err(CANCELLED),
            Progress::Ready(_) | Progress::Shipped => {
                note_repeat(visit, package);
                return Err(WRONG_STATUS);
            }
        }
        let parcel = ParcelDraft {
            carrier: package.provider.clone(),
            tracking: package.tracking.clone(),
            lines: package.parcel_lines(),
        };
        visit.acting().ship(package.order, parcel).map_err(|_| WRONG_STATUS)?;
        ledger.set_progress(&package.id, Progress::Ready(visit.now));
        Ok(())
    })
}

fn note_repeat(visit: &Visit<'_>, package: &Package) {
    for (line, units) in by_line(&package.units) {
        let Some(state) = visit.market().line(line).map(|line| line.state) else { continue };
        let action = Action::Shipped {
            quantity: units.len() as u32,
            carrier: package.provider.clone(),
            tracking: package.tracking.clone(),
        };
        visit.acting().refused(line, action, Refusal::WrongState(state));
    }
}

/// `recreatepackage`: the package is given up, its order items can be packed again.
pub(super) fn repack(visit: &Visit<'_>) -> Outcome {
    each(visit, "rePackReq", json!(false), |visit, ledger, package| {
        match package.progress {
            Progress::Packed => {}
            Progress::Cancelled => return Err(CANCELLED),
            Progress::Ready(_) | Progress::Shipped => return Err(WRONG_STATUS),
        }
        ledger.give_up(&package.id);
        for line in by_line(&package.units).into_keys() {
            // The tracking number is removed.
            let _ = visit.acting().enter_tracking(line, None, "", "");
        }
        Ok(())
    })
}

/// Where labels are fetched, without a signature.
pub(super) const LABELS: &str = "/labels/";

/// An empty page with a comment.
fn pdf(label: &str) -> String {
    format!("%PDF-1.4\n% {}\n%%EOF\n", label.replace('\n', " "))
}

/// The label behind a URL.
pub(super) fn label(name: &str) -> impl IntoResponse + use<> {
    ([(CONTENT_TYPE, "application/pdf")], pdf(name))
}

/// `printawb`: one file for all packages.
pub(super) fn document(visit: &Visit<'_>) -> Outcome {
    let (asked, ids) = match asked(visit, "getDocumentReq")? {
        Ok(asked) => asked,
        Err(failed) => return Ok(failed),
    };
    let kind = asked.doc_type.unwrap_or_default();
    if !matches!(kind.as_str(), "PDF" | "HTML") {
        return Ok(failed_result(700_004, "param illegal"));
    }
    let ledger = lock(&visit.desk.face.0.ledger);
    let mut labels = Vec::new();
    for id in &ids {
        match own(visit, &ledger, id) {
            Ok(package) if package.progress == Progress::Cancelled => {
                return Ok(failed_result(700_040, "There are no packages that support printing!"));
            }
            Ok(package) => labels.push(format!("{} {} {}", package.id, package.provider, package.tracking)),
            Err((code, text)) => return Ok(failed_result(code, text)),
        }
    }
    let label = labels.join("\n");
    let file = if kind == "PDF" { pdf(&label) } else { format!("<pre>{label}</pre>") };
    let mut data = json!({ "doc_type": kind, "file": STANDARD.encode(&file) });
    if kind == "PDF" {
        data["pdf_url"] = json!(format!("http://{}{LABELS}{}.pdf", visit.call.host, ids.join("-")));
    }
    Ok(result(data))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AskedOrders {
    orders: Option<Vec<AskedOrder>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AskedOrder {
    order_id: Value,
    order_item_ids: Vec<Value>,
}

/// `getshipmentprovider`.
pub(super) fn providers(visit: &Visit<'_>) -> Outcome {
    let asked: AskedOrders = match parsed(visit, "getShipmentProvidersReq")? {
        Ok(asked) => asked,
        Err(failed) => return Ok(failed),
    };
    let Some(orders) = asked.orders else { return Ok(failed_result(700_017, "param can't be null")) };
    if orders.len() > MOST {
        return Ok(failed_result(700_022, "batch size out of limit"));
    }
    for asked in &orders {
        let Some(order) = call::id(&asked.order_id).and_then(|id| visit.order(id)) else {
            return Ok(failed_result(700_021, "order not found"));
        };
        let has = |id: u64| order.lines.iter().flat_map(units).any(|unit| unit.id() == id);
        if !asked.order_item_ids.iter().all(|id| call::id(id).is_some_and(has)) {
            return Ok(failed_result(700_025, "order item not found"));
        }
    }
    let chosen = visit.settings.allocation == Allocation::Ntfs;
    let list: Vec<Value> = PROVIDERS
        .iter()
        .filter(|_| chosen)
        .map(|(name, code)| json!({ "name": name, "provider_code": code }))
        .collect();
    Ok(result(json!({
        "platform_default": if chosen { 0 } else { 1 },
        "shipment_providers": list,
        "shipping_allocate_type": visit.settings.allocation.text(),
    })))
}
