//! Packages as they are: detail, search, and splitting (sheet section 4). Shipping them is in ship.rs.

use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Failure, INVALID_PARAM, Outcome};
use super::desk::{Page, Visit};
use super::ids::{self, Unit};
use super::logistics;
use super::order_row::recipient_address;
use super::orders::within;
use super::packages::{Package, Progress};
use super::ship::{followed, own_order, units_of};
use crate::lock;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Split {
    splittable_groups: Vec<Group>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Group {
    id: String,
    order_line_item_ids: Vec<String>,
}

/// `split-orders`: each group becomes a package; the rest stays in the old one.
pub(super) fn split(visit: &Visit<'_>) -> Outcome {
    let asked: Split = visit.call.body(21_011_005)?;
    let bad = || Failure::new(21_011_005, "Invalid parameters.");
    let mut ledger = lock(&visit.desk.face.0.ledger);
    let order = own_order(visit, &mut ledger, visit.call.in_path("order_id"))?;
    let open: Vec<Unit> = ledger
        .of_order(order.number)
        .filter(|package| package.progress == Progress::ToFulfill)
        .flat_map(|package| package.units.iter().copied())
        .collect();
    let mut groups: Vec<(String, Vec<Unit>)> = Vec::new();
    for group in &asked.splittable_groups {
        let units = units_of(&order, &group.order_line_item_ids)?;
        let twice = groups.iter().any(|(_, taken)| units.iter().any(|unit| taken.contains(unit)));
        if units.is_empty() || twice || group.id.is_empty() {
            return Err(bad());
        }
        if units.iter().any(|unit| !open.contains(unit)) {
            return Err(Failure::new(21_011_035, "split order not allowed"));
        }
        groups.push((group.id.clone(), units));
    }
    if groups.is_empty() {
        return Err(bad());
    }
    let packages: Vec<Value> = groups
        .iter()
        .map(|(group, units)| {
            let id = ledger.take_out(&order, units, visit.desk.face.settings().shipping, visit.now);
            json!({ "splittable_group_id": group, "id": id })
        })
        .collect();
    Ok(json!({ "packages": packages }))
}

/// `get-package-detail`.
pub(super) fn package_detail(visit: &Visit<'_>) -> Outcome {
    let mut ledger = lock(&visit.desk.face.0.ledger);
    let (package, order) = followed(visit, &mut ledger, visit.call.in_path("package_id"))?;
    let option = logistics::delivery_option(package.shipping);
    let (start_time, end_time) = package.slot.unwrap_or_default();
    Ok(json!({
        "package_id": package.id,
        "package_status": package.progress.text(),
        "orders": [{ "id": ids::order_id(package.order) }],
        "order_line_item_ids": package.unit_ids(),
        "split_and_combine_tag": if package.split { "SPLIT" } else { "DEFAULT" },
        "has_multi_skus": package.parcel_lines().len() > 1,
        "note_tag": if order.message.is_empty() { "BUYER_UNNOTED" } else { "BUYER_NOTED" },
        "shipping_type": package.shipping.text(),
        "delivery_option": option.kind,
        "delivery_option_id": option.id,
        "delivery_option_name": option.name,
        "shipping_provider_id": package.provider_id,
        "shipping_provider_name": package.provider,
        "tracking_number": package.tracking,
        "handover_method": package.handover,
        "pickup_slot": { "start_time": start_time, "end_time": end_time },
        "recipient_address": recipient_address(&order, package.shipping),
        "create_time": package.created.timestamp(),
        "update_time": package.updated.timestamp(),
    }))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PackageFilter {
    create_time_ge: Option<i64>,
    create_time_lt: Option<i64>,
    update_time_ge: Option<i64>,
    update_time_lt: Option<i64>,
    package_status: Option<String>,
}

/// `search-package`: packages that nobody has shipped yet are not in it.
pub(super) fn search_packages(visit: &Visit<'_>) -> Outcome {
    let filter: PackageFilter = visit.call.body(INVALID_PARAM)?;
    let page =
        Page::asked(visit, 50, "create_time", &["create_time", "update_time", "order_pay_time"], "DESC")?;
    let settings = visit.desk.face.settings();
    let mut ledger = lock(&visit.desk.face.0.ledger);
    visit.market().read(|state| {
        let own = state.orders().iter().filter(|order| order.seller == visit.seller);
        own.for_each(|order| ledger.follow(order, &settings, visit.now));
        let paid = |package: &Package| state.order(package.order).and_then(|order| order.paid_at);
        let found = ledger
            .packages()
            .iter()
            .enumerate()
            .filter(|(_, package)| {
                state.order(package.order).is_some_and(|order| order.seller == visit.seller)
                    && package.progress > Progress::ToFulfill
                    && filter.package_status.as_deref().is_none_or(|status| status == package.progress.text())
                    && within(package.created, filter.create_time_ge, filter.create_time_lt)
                    && within(package.updated, filter.update_time_ge, filter.update_time_lt)
            })
            .map(|(at, package)| {
                let time = match () {
                    () if page.is_by("update_time") => package.updated,
                    () if page.is_by("order_pay_time") => paid(package).unwrap_or(package.created),
                    () => package.created,
                };
                (time.timestamp(), at as u64, package)
            })
            .collect();
        Ok(page.cut(found, "packages", |package| {
            json!({
                "id": package.id,
                "orders": [{ "id": ids::order_id(package.order) }],
                "status": package.progress.text(),
                "order_line_item_ids": package.unit_ids(),
                "tracking_number": package.tracking,
                "shipping_provider_id": package.provider_id,
                "shipping_provider_name": package.provider,
                "create_time": package.created.timestamp(),
                "update_time": package.updated.timestamp(),
            })
        }))
    })
}
