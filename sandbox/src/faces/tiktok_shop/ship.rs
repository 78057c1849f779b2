//! Shipping: packages, line items, and corrections (sheet section 4). A repeat is refused, not taken for the same.

use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Failure, INVALID_PARAM, Outcome};
use super::desk::Visit;
use super::ids::{self, Unit};
use super::logistics;
use super::packages::{Ledger, Package, Progress};
use super::settings::{Settings, Shipping};
use crate::lock;
use crate::market::{Action, ClaimKind, LineState, Order, ParcelDraft, Refusal};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    id: String,
    handover_method: Option<String>,
    pickup_slot: Option<Slot>,
    self_shipment: Option<SelfShipment>,
}

#[derive(Debug, Deserialize)]
struct Slot {
    start_time: i64,
    end_time: i64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SelfShipment {
    tracking_number: String,
    shipping_provider_id: String,
}

/// `ship-package`.
pub(super) fn one(visit: &Visit<'_>) -> Outcome {
    let asked: Asked = visit.call.body(INVALID_PARAM)?;
    ship(visit, &mut lock(&visit.desk.face.0.ledger), visit.call.in_path("package_id"), &asked)?;
    Ok(json!({}))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Batch {
    packages: Vec<Asked>,
}

/// `batch-ship-packages`: code 0, also when every package failed.
pub(super) fn batch(visit: &Visit<'_>) -> Outcome {
    let asked: Batch = visit.call.body(INVALID_PARAM)?;
    if asked.packages.is_empty() || asked.packages.iter().any(|package| package.id.is_empty()) {
        return Err(Failure::invalid("packages"));
    }
    let mut ledger = lock(&visit.desk.face.0.ledger);
    let failed = |package: &Asked| {
        let failure = ship(visit, &mut ledger, &package.id, package).err()?;
        let detail = json!({ "package_id": package.id });
        Some(json!({ "code": failure.code, "message": failure.message, "detail": detail }))
    };
    let errors: Vec<Value> = asked.packages.iter().filter_map(failed).collect();
    Ok(if errors.is_empty() { json!({}) } else { json!({ "errors": errors }) })
}

/// The order of a package of this shop, both as they are now.
pub(super) fn followed(
    visit: &Visit<'_>,
    ledger: &mut Ledger,
    id: &str,
) -> Result<(Package, Order), Failure> {
    let not_ours = || Failure::new(21_011_028, "The package does not belong to the current shop.");
    let number = ledger.package(id).ok_or_else(not_ours)?.order;
    let order =
        visit.market().order(number).filter(|order| order.seller == visit.seller).ok_or_else(not_ours)?;
    ledger.follow(&order, &visit.desk.face.settings(), visit.now);
    Ok((ledger.package(id).cloned().ok_or_else(not_ours)?, order))
}

fn ship(visit: &Visit<'_>, ledger: &mut Ledger, id: &str, asked: &Asked) -> Result<(), Failure> {
    let (mut package, order) = followed(visit, ledger, id)?;
    check_progress(&package).and_then(|()| check_after_sale(&order, &package.units)).inspect_err(|_| {
        note_refused(visit, &package, &order);
    })?;
    let settings = visit.desk.face.settings();
    match package.shipping {
        Shipping::Seller => {
            let sent = asked.self_shipment.as_ref().ok_or_else(bad_tracking)?;
            set_tracking(&mut package, ledger, sent)?;
        }
        Shipping::Tiktok => arrange(&mut package, asked, &settings, visit)?,
    }
    leave(visit, ledger, package)
}

fn check_progress(package: &Package) -> Result<(), Failure> {
    match package.progress {
        Progress::ToFulfill => Ok(()),
        Progress::Processing | Progress::Fulfilling => {
            Err(Failure::new(11_006_021, "Package has been shipped. Please not ship the package again."))
        }
        Progress::Completed => Err(Failure::new(21_011_027, "Package has already been delivered.")),
        Progress::Cancelled => Err(order_cancelled()),
    }
}

/// The market's record shows repeats, too.
fn note_refused(visit: &Visit<'_>, package: &Package, order: &Order) {
    for sent in package.parcel_lines() {
        let state = order.line(sent.line).map_or(LineState::Cancelled, |line| line.state);
        let why = match state {
            LineState::Paid | LineState::Confirmed if package.progress == Progress::ToFulfill => {
                Refusal::ClaimOpen
            }
            state => Refusal::WrongState(state),
        };
        let action = Action::Shipped {
            quantity: sent.quantity,
            carrier: package.provider.clone(),
            tracking: package.tracking.clone(),
        };
        visit.acting().refused(sent.line, action, why);
    }
}

/// TikTok's logistics: the channel gives the tracking number.
fn arrange(
    package: &mut Package,
    asked: &Asked,
    settings: &Settings,
    visit: &Visit<'_>,
) -> Result<(), Failure> {
    let method = asked.handover_method.as_deref().unwrap_or("DROP_OFF");
    if !matches!(method, "PICKUP" | "DROP_OFF") {
        return Err(Failure::invalid("handover_method"));
    }
    let slot = asked.pickup_slot.as_ref().map(|slot| (slot.start_time, slot.end_time));
    if method == "PICKUP" && slot.is_some_and(|slot| !logistics::slots(visit.now).contains(&slot)) {
        return Err(Failure::new(
            21_011_053,
            "Fail to ship package because the shipment time is outside of the pick-up time slot.",
        ));
    }
    // There the warehouse's setting decides, whatever is sent.
    let by_warehouse = settings.hands_over_by_warehouse();
    package.handover = if by_warehouse { "PICKUP".to_owned() } else { method.to_owned() };
    package.slot = slot.filter(|_| method == "PICKUP" && !by_warehouse);
    package.tracking = format!("TT{}", package.id);
    (package.provider_id, package.provider) =
        (logistics::TIKTOK_PROVIDER.0.to_owned(), logistics::TIKTOK_PROVIDER.1.to_owned());
    Ok(())
}

fn set_tracking(package: &mut Package, ledger: &Ledger, sent: &SelfShipment) -> Result<(), Failure> {
    let provider = logistics::provider(&sent.shipping_provider_id).ok_or_else(bad_tracking)?;
    let tracking = sent.tracking_number.trim();
    if tracking.is_empty() {
        return Err(bad_tracking());
    }
    if !tracking.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return Err(Failure::new(21_004_012, "Tracking number has special characters, verify failed."));
    }
    if ledger.is_tracking_used(tracking, &package.id) {
        return Err(Failure::new(21_011_025, "Duplicate tracking number."));
    }
    package.tracking = tracking.to_owned();
    package.provider_id = sent.shipping_provider_id.clone();
    package.provider = provider.to_owned();
    Ok(())
}

/// Reports the parcel to the market, and keeps the package only if it takes it.
fn leave(visit: &Visit<'_>, ledger: &mut Ledger, mut package: Package) -> Result<(), Failure> {
    let parcel = ParcelDraft {
        carrier: package.provider.clone(),
        tracking: package.tracking.clone(),
        lines: package.parcel_lines(),
    };
    visit.acting().ship(package.order, parcel).map_err(|refusal| match refusal {
        Refusal::WrongState(LineState::Cancelled) => order_cancelled(),
        other => Failure::new(21_011_003, format!("fulfill_unit action not allowed: {other}")),
    })?;
    package.progress = Progress::Processing;
    package.shipped = Some(visit.now);
    package.updated = visit.now;
    if let Some(kept) = ledger.package_mut(&package.id) {
        *kept = package;
    }
    Ok(())
}

fn check_after_sale(order: &Order, units: &[Unit]) -> Result<(), Failure> {
    let open = |unit: &Unit| {
        order
            .claims
            .iter()
            .any(|claim| claim.line == unit.line && claim.kind == ClaimKind::Cancel && claim.is_open())
    };
    if units.iter().any(open) {
        return Err(Failure::new(
            21_011_007,
            "Package item has after-sale request, please process the after-sale request first.",
        ));
    }
    Ok(())
}

fn bad_tracking() -> Failure {
    Failure::new(21_011_022, "Invalid tracking number or provider ID. Please double check and try again.")
}

fn order_cancelled() -> Failure {
    Failure::new(21_011_041, "Cannot complete the operation when order is cancelled.")
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Marked {
    order_line_item_ids: Vec<String>,
    #[serde(flatten)]
    shipment: SelfShipment,
}

/// `mark-package-as-shipped`: line items leave without a package before.
pub(super) fn mark(visit: &Visit<'_>) -> Outcome {
    let asked: Marked = visit.call.body(INVALID_PARAM)?;
    let settings = visit.desk.face.settings();
    if !settings.ships_line_items() {
        return Err(Failure::new(21_008_106, "This interface cannot be used in this region."));
    }
    let mut ledger = lock(&visit.desk.face.0.ledger);
    let order = own_order(visit, &mut ledger, visit.call.in_path("order_id"))?;
    if settings.shipping == Shipping::Tiktok {
        return Err(Failure::new(21_011_004, "This API is only for packages that are shipped by sellers."));
    }
    let open: Vec<Unit> = ledger
        .of_order(order.number)
        .filter(|package| package.progress == Progress::ToFulfill)
        .flat_map(|package| package.units.iter().copied())
        .collect();
    let units = match asked.order_line_item_ids.as_slice() {
        [] => open.clone(),
        ids => units_of(&order, ids)?,
    };
    if units.is_empty() || units.iter().any(|unit| !open.contains(unit)) {
        return Err(if order.lines.iter().all(|line| line.state == LineState::Cancelled) {
            order_cancelled()
        } else {
            Failure::new(21_011_006, "These orders are already shipped.")
        });
    }
    check_after_sale(&order, &units)?;
    // Everything is checked before anything is moved: a refused call must not leave a package behind.
    let probe = ledger.of_order(order.number).next().cloned();
    if let Some(mut probe) = probe {
        probe.id.clear();
        set_tracking(&mut probe, &ledger, &asked.shipment)?;
    }
    let id = ledger.take_out(&order, &units, Shipping::Seller, visit.now);
    let Some(mut package) = ledger.package(&id).cloned() else { return Err(order_cancelled()) };
    set_tracking(&mut package, &ledger, &asked.shipment)?;
    let unit_ids = package.unit_ids();
    leave(visit, &mut ledger, package)?;
    Ok(json!({
        "order_id": ids::order_id(order.number),
        "order_line_item_ids": unit_ids,
        "package_id": id,
    }))
}

pub(super) fn units_of(order: &Order, ids: &[String]) -> Result<Vec<Unit>, Failure> {
    let mut units = Vec::with_capacity(ids.len());
    for id in ids {
        let unit = Unit::read(id)
            .filter(|unit| order.line(unit.line).is_some_and(|line| unit.at < line.quantity))
            .ok_or_else(|| Failure::new(21_011_029, "order does not belong to fulfill unit"))?;
        if !units.contains(&unit) {
            units.push(unit);
        }
    }
    Ok(units)
}

pub(super) fn own_order(visit: &Visit<'_>, ledger: &mut Ledger, id: &str) -> Result<Order, Failure> {
    let order = visit.market().read(|state| ids::order(state, id).cloned());
    let order = order.filter(|order| order.seller == visit.seller);
    let order = order.ok_or_else(|| {
        Failure::new(21_008_111, "The order or package does not belong to the current seller.")
    })?;
    ledger.follow(&order, &visit.desk.face.settings(), visit.now);
    Ok(order)
}

/// `update-package-shipping-info`.
pub(super) fn update_package(visit: &Visit<'_>) -> Outcome {
    let sent: SelfShipment = visit.call.body(INVALID_PARAM)?;
    correct(visit, &mut lock(&visit.desk.face.0.ledger), visit.call.in_path("package_id"), &sent)
}

/// `update-shipping-info`: of an order with one package.
pub(super) fn update_order(visit: &Visit<'_>) -> Outcome {
    let sent: SelfShipment = visit.call.body(INVALID_PARAM)?;
    let mut ledger = lock(&visit.desk.face.0.ledger);
    let order = own_order(visit, &mut ledger, visit.call.in_path("order_id"))?;
    let ids: Vec<String> = ledger.of_order(order.number).map(|package| package.id.clone()).collect();
    match ids.as_slice() {
        [id] => correct(visit, &mut ledger, id, &sent),
        _ => Err(Failure::new(
            10_007_002,
            "You cannot update the shipping information due to the order's current status, please try again later.",
        )),
    }
}

fn correct(visit: &Visit<'_>, ledger: &mut Ledger, id: &str, sent: &SelfShipment) -> Outcome {
    let (mut package, order) = followed(visit, ledger, id)?;
    if package.shipping == Shipping::Tiktok {
        return Err(Failure::new(
            21_011_004,
            "This API cannot be used to update package shipping information for packages that are not shipped by sellers.",
        ));
    }
    match package.progress {
        Progress::Processing | Progress::Fulfilling => {}
        Progress::ToFulfill => return Err(Failure::new(21_011_043, "The package has not been shipped yet.")),
        Progress::Completed => return Err(Failure::new(21_011_030, "Package has already been delivered.")),
        Progress::Cancelled => {
            return Err(Failure::new(21_011_042, "Cannot complete the operation when order is cancelled."));
        }
    }
    let old = package.tracking.clone();
    set_tracking(&mut package, ledger, sent)?;
    let parcel = order.parcels.iter().position(|parcel| parcel.tracking == old);
    for sent in package.parcel_lines() {
        visit
            .acting()
            .enter_tracking(sent.line, parcel, &package.provider, &package.tracking)
            .map_err(|refusal| Failure::new(10_007_002, refusal.to_string()))?;
    }
    package.updated = visit.now;
    if let Some(kept) = ledger.package_mut(id) {
        *kept = package;
    }
    Ok(json!({}))
}
