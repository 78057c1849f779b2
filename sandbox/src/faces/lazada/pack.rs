//! Packing (sheet section 4): the channel gives the package its id, carrier and tracking number.

use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Outcome, failed_result, result};
use super::call;
use super::desk::Visit;
use super::ids::Unit;
use super::ledger::{Ledger, Package, by_line};
use super::packages::{PROVIDERS, parsed};
use super::settings::Allocation;
use super::units::{self, OrderItem, Status};
use crate::lock;
use crate::market::{Action, LineState, Order, Refusal};

/// Most orders of one call.
pub(super) const MOST: usize = 20;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    pack_order_list: Option<Vec<AskedOrder>>,
    delivery_type: Option<String>,
    shipment_provider_code: Option<String>,
    shipping_allocate_type: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AskedOrder {
    order_id: Value,
    order_item_list: Vec<Value>,
}

/// Why an order item was not packed.
#[derive(Clone, Copy)]
struct Wrong {
    code: u32,
    text: &'static str,
    retry: bool,
}

const fn wrong(code: u32, text: &'static str) -> Wrong {
    Wrong { code, text, retry: false }
}

const NO_CARRIER: Wrong = Wrong { code: 1003, text: "3pl allocation failed", retry: true };
const NO_SUCH_ORDER: Wrong = wrong(700_021, "order not found");
const NO_SUCH_ITEM: Wrong = wrong(700_025, "order item not found");
const WRONG_STATUS: Wrong = wrong(700_026, "item current status not allow to pack");
const NOT_PAID: Wrong = wrong(700_031, "item not ready to fulfill");

/// `pack`: each order item has a result of its own.
pub(super) fn pack(visit: &Visit<'_>) -> Outcome {
    let asked: Asked = match parsed(visit, "packReq")? {
        Ok(asked) => asked,
        Err(failed) => return Ok(failed),
    };
    let (orders, provider) = match checked(visit, asked) {
        Ok(checked) => checked,
        Err((code, text)) => return Ok(failed_result(code, text)),
    };
    let mut ledger = lock(&visit.desk.face.0.ledger);
    let rows: Vec<Value> =
        orders.iter().map(|order| pack_order(visit, &mut ledger, order, &provider)).collect();
    Ok(result(json!({ "pack_order_list": rows })))
}

/// The orders and the carrier's name, or why nothing is done.
fn checked(visit: &Visit<'_>, asked: Asked) -> Result<(Vec<AskedOrder>, String), (u32, &'static str)> {
    let null = (700_017, "param can't be null");
    let illegal = (700_004, "param illegal");
    let orders = asked.pack_order_list.ok_or(null)?;
    if orders.len() > MOST {
        return Err((700_022, "batch size out of limit"));
    }
    if orders.is_empty() || orders.iter().any(|order| order.order_item_list.is_empty()) {
        return Err((700_018, "param size not match"));
    }
    if asked.delivery_type.ok_or(null)? != "dropship" {
        return Err(illegal);
    }
    if asked.shipping_allocate_type.ok_or(null)? != visit.settings.allocation.text() {
        return Err(illegal);
    }
    if visit.settings.allocation == Allocation::Tfs {
        return Ok((orders, visit.settings.country.carrier().to_owned()));
    }
    let code = asked.shipment_provider_code.unwrap_or_default();
    let known = PROVIDERS.iter().find(|(_, known)| *known == code);
    let (name, _) =
        known.ok_or((700_016, "seller not available 3pl , pls contact us to subscription 3pl"))?;
    Ok((orders, (*name).to_owned()))
}

fn pack_order(visit: &Visit<'_>, ledger: &mut Ledger, asked: &AskedOrder, provider: &str) -> Value {
    let order = call::id(&asked.order_id).and_then(|id| visit.order(id));
    let verdicts = match &order {
        Some(order) if carrier_is_found(visit) => verdicts(visit, ledger, order, &asked.order_item_list),
        Some(_) => asked.order_item_list.iter().map(|_| Err(NO_CARRIER)).collect(),
        None => asked.order_item_list.iter().map(|_| Err(NO_SUCH_ORDER)).collect(),
    };
    let units: Vec<Unit> = verdicts.iter().filter_map(|verdict| verdict.ok()).collect();
    let package = order.filter(|_| !units.is_empty()).map(|order| {
        let package = ledger.pack(order.number, units, visit.settings.country.code(), provider);
        report(visit, &order, &package);
        package
    });
    let rows: Vec<Value> = asked
        .order_item_list
        .iter()
        .zip(verdicts)
        .map(|(item, verdict)| item_result(item, verdict.err(), package.as_ref()))
        .collect();
    json!({ "order_id": asked.order_id, "order_item_list": rows })
}

fn item_result(item: &Value, wrong: Option<Wrong>, package: Option<&Package>) -> Value {
    match (wrong, package) {
        (None, Some(package)) => json!({
            "order_item_id": item,
            "item_err_code": "0",
            "msg": "success",
            "package_id": package.id,
            "tracking_number": package.tracking,
            "shipment_provider": package.provider,
            "retry": false,
        }),
        (wrong, _) => {
            let wrong = wrong.unwrap_or(NO_SUCH_ITEM);
            json!({
                "order_item_id": item,
                "item_err_code": wrong.code.to_string(),
                "msg": wrong.text,
                "package_id": "",
                "tracking_number": "",
                "shipment_provider": "",
                "retry": wrong.retry,
            })
        }
    }
}

/// Uses up one of the failures that were switched on.
fn carrier_is_found(visit: &Visit<'_>) -> bool {
    let mut settings = lock(&visit.desk.face.0.settings);
    let fails = settings.allocation_failures > 0;
    settings.allocation_failures = settings.allocation_failures.saturating_sub(1);
    !fails
}

fn verdicts(visit: &Visit<'_>, ledger: &Ledger, order: &Order, asked: &[Value]) -> Vec<Result<Unit, Wrong>> {
    let items = units::items(order, ledger, &visit.settings, visit.now);
    let mut taken: Vec<Unit> = Vec::new();
    let mut verdict = |id: &Value| {
        let id = call::id(id).ok_or(NO_SUCH_ITEM)?;
        let item = items.iter().find(|item| item.unit.id() == id).ok_or(NO_SUCH_ITEM)?;
        if item.status.can_be_packed() && !taken.contains(&item.unit) {
            taken.push(item.unit);
            return Ok(item.unit);
        }
        refused(visit, item);
        Err(if item.status == Status::Unpaid { NOT_PAID } else { WRONG_STATUS })
    };
    asked.iter().map(&mut verdict).collect()
}

fn refused(visit: &Visit<'_>, item: &OrderItem<'_>) {
    let why = match item.line.state {
        LineState::Confirmed => Refusal::AlreadyConfirmed,
        other => Refusal::WrongState(other),
    };
    visit.acting().refused(item.line.number, Action::Confirmed { ship_date: None }, why);
}

/// The market hears of it: the seller has taken the lines, and there is a tracking number.
fn report(visit: &Visit<'_>, order: &Order, package: &Package) {
    for line in by_line(&package.units).into_keys() {
        if order.line(line).is_some_and(|line| line.state == LineState::Paid) {
            // A cancellation in the same moment is in the record.
            let _ = visit.acting().confirm(line, None);
        }
        let _ = visit.acting().enter_tracking(line, None, &package.provider, &package.tracking);
    }
}
