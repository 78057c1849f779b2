//! Parcels: detail, the queue to ship, and splitting (sheet sections 4.2 and 4.5). Arranging them is in ship.rs.

use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Answer, Failure, Outcome};
use super::book::{Book, Package, Progress, lines_named};
use super::call::check_page_size;
use super::desk::Visit;
use super::detail::{contents, recipient_address};
use super::ids::order_sn;
use super::view::{DAYS_TO_SHIP, View};
use crate::market::{Order, ParcelLine};

/// So many parcels are given at once.
const MOST: usize = 50;

/// `order/get_package_detail`.
pub(super) fn detail(visit: &Visit<'_>) -> Outcome {
    visit.call.required("package_number_list")?;
    let asked = visit.call.list("package_number_list");
    if asked.is_empty() || asked.len() > MOST {
        return Err(Failure::wrong("package_number_list must have 1 to 50 entries."));
    }
    let mut book = visit.book();
    let mut rows = Vec::new();
    let mut missing = Vec::new();
    for number in asked {
        let order = book.order_of(number).and_then(|order| visit.market().order(order));
        match order.filter(|order| visit.is_own(order)) {
            Some(order) => rows.extend(row(visit, &mut book, &order, number)),
            None => missing.push(format!("the package {number} is not found.")),
        }
    }
    if rows.is_empty() {
        return Err(Failure::new("error_not_found", "Wrong parameters, detail: the package is not found."));
    }
    let answer = Answer::wrapped(json!({ "package_list": rows }));
    Ok(if missing.is_empty() { answer } else { answer.warn(missing.join(" ")) })
}

fn row(visit: &Visit<'_>, book: &mut Book, order: &Order, number: &str) -> Option<Value> {
    let view = View::of(order, book, visit.settings, visit.now);
    let package = view.packages.iter().find(|package| package.number == number)?;
    let (channel, carrier) = view.channel();
    Some(json!({
        "order_sn": order_sn(order),
        "package_number": package.number,
        "fulfillment_status": view.logistics_status(package),
        "update_time": view.updated(),
        "logistics_channel_id": channel,
        "shipping_carrier": carrier,
        "allow_self_design_awb": true,
        "days_to_ship": DAYS_TO_SHIP,
        "ship_by_date": view.ship_by(),
        "pending_terms": view.pending_terms(),
        "pending_description": [],
        "tracking_number": view.tracking(package),
        "tracking_number_expiration_date": 0,
        "pickup_done_time": package.picked_up.map(|at| at.timestamp()).unwrap_or_default(),
        "is_split_up": view.packages.len() > 1,
        "item_list": contents(&view, &package.contents),
        "recipient_address": recipient_address(order, visit.settings),
        "parcel_chargeable_weight_gram": 500,
        "group_shipment_id": null,
        "is_shipment_arranged": is_arranged(package),
        "can_split_order": can_split(&view).is_ok(),
        "can_unsplit_order": false,
        "is_pre_order": false,
        "can_full_cancel_order": view.can_cancel(),
        "can_partial_cancel_order": view.can_cancel() && order.lines.len() > 1,
    }))
}

fn is_arranged(package: &Package) -> bool {
    matches!(package.progress, Progress::Arranged | Progress::PickedUp | Progress::Delivered)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Search {
    filter: Filter,
    pagination: Option<Pagination>,
    sort: Sort,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Filter {
    package_status: Option<u32>,
    fulfillment_type: Option<u32>,
    invoice_pending: bool,
    product_location_ids: Vec<String>,
    logistics_channel_ids: Vec<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Pagination {
    page_size: i64,
    cursor: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Sort {
    sort_type: Option<u32>,
    ascending: Option<bool>,
}

impl Filter {
    fn check(&self) -> Result<(), Failure> {
        if self.package_status.is_some_and(|status| status > 3) {
            return Err(Failure::wrong("package_status must be 0 to 3."));
        }
        if self.fulfillment_type.is_some_and(|kind| kind > 2) {
            return Err(Failure::wrong("fulfillment_type must be 0 to 2."));
        }
        Ok(())
    }

    fn fits(&self, view: &View<'_>, package: &Package) -> bool {
        let status = match view.logistics_status(package) {
            "LOGISTICS_NOT_START" | "LOGISTICS_PENDING_ARRANGE" => 1,
            "LOGISTICS_READY" | "LOGISTICS_PICKUP_RETRY" => 2,
            "LOGISTICS_REQUEST_CREATED" => 3,
            // What has left or was cancelled is not in it.
            _ => return false,
        };
        let by = if view.extra.fulfilled_by_shopee { 1 } else { 2 };
        let (wanted_status, wanted_by) =
            (self.package_status.unwrap_or(2), self.fulfillment_type.unwrap_or(2));
        let any_of = |wanted: bool, none: bool| none || wanted;
        (wanted_status == 0 || wanted_status == status)
            && (wanted_by == 0 || wanted_by == by)
            && (!self.invoice_pending || view.extra.invoice_pending)
            && any_of(
                self.product_location_ids.contains(&view.settings.location()),
                self.product_location_ids.is_empty(),
            )
            && any_of(
                self.logistics_channel_ids.contains(&view.channel().0),
                self.logistics_channel_ids.is_empty(),
            )
    }
}

/// `order/search_package_list`.
pub(super) fn search(visit: &Visit<'_>) -> Outcome {
    let asked: Search = visit.call.body()?;
    asked.filter.check()?;
    let pagination = asked.pagination.ok_or_else(|| Failure::required("pagination"))?;
    let size = check_page_size(pagination.page_size)?;
    let sort = asked.sort.sort_type.unwrap_or(1);
    if !matches!(sort, 1..=3) {
        return Err(Failure::wrong("sort_type must be 1 to 3."));
    }
    let ascending = asked.sort.ascending.unwrap_or(true);
    let found = gather(visit, |view, package| {
        let row = json!({
            "order_sn": order_sn(view.order),
            "package_number": package.number,
            "logistics_channel_id": view.channel().0,
            "product_location_id": view.settings.location(),
            "is_shipment_arranged": is_arranged(package),
        });
        let time = match sort {
            1 => view.ship_by(),
            2 => view.order.ordered_at.timestamp(),
            _ => view.order.paid_at.map(|at| at.timestamp()).unwrap_or_default(),
        };
        asked.filter.fits(view, package).then_some((time, row))
    });
    let page = visit.page(found, size, &pagination.cursor, ascending)?;
    Ok(Answer::wrapped(json!({
        "packages_list": page.rows,
        "pagination": { "total_count": page.total, "next_cursor": page.next, "more": page.more },
        "sort": { "sort_type": sort, "is_asc": ascending },
    })))
}

/// `order/get_shipment_list`.
pub(super) fn shipments(visit: &Visit<'_>) -> Outcome {
    let size = visit.call.page_size()?;
    let found = gather(visit, |view, package| {
        let is_to_ship = matches!(view.status(true), "READY_TO_SHIP" | "RETRY_SHIP")
            && matches!(package.progress, Progress::Open | Progress::Retry);
        let row = json!({ "order_sn": order_sn(view.order), "package_number": package.number });
        is_to_ship.then(|| (view.order.ordered_at.timestamp(), row))
    });
    let page = visit.page(found, size, visit.call.param("cursor"), false)?;
    Ok(Answer::wrapped(json!({ "order_list": page.rows, "more": page.more, "next_cursor": page.next })))
}

/// The shop's parcels that are picked, with what to sort them by.
fn gather(
    visit: &Visit<'_>,
    pick: impl Fn(&View<'_>, &Package) -> Option<(i64, Value)>,
) -> Vec<(i64, u64, Value)> {
    let mut book = visit.book();
    visit.market().read(|state| {
        let mut found = Vec::new();
        for order in state.orders().iter().filter(|order| visit.is_own(order)) {
            let view = View::of(order, &mut book, visit.settings, visit.now);
            for package in &view.packages {
                let serial = package.number.trim_start_matches("OFG").parse().unwrap_or_default();
                found.extend(pick(&view, package).map(|(time, row)| (time, serial, row)));
            }
        }
        found
    })
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Split {
    order_sn: String,
    package_list: Vec<Group>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Group {
    item_list: Vec<Part>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Part {
    item_id: u64,
    model_id: u64,
    order_item_id: Option<u64>,
    promotion_group_id: Option<u64>,
    model_quantity: Option<u32>,
}

fn can_split(view: &View<'_>) -> Result<(), Failure> {
    if view.packages.len() > 1 {
        return Err(Failure::new("order.order_has_been_split", "This order has already been split."));
    }
    if view.extra.fulfilled_by_shopee {
        return Err(Failure::new("order.order_cannot_split_pff", "Cannot split this warehouse order."));
    }
    let is_open = view.packages.iter().all(|package| package.progress == Progress::Open);
    if view.status(true) != "READY_TO_SHIP" || !is_open {
        return Err(Failure::new("order.order_split_failed", "Split order failed, please try again."));
    }
    Ok(())
}

/// `order/split_order`.
pub(super) fn split(visit: &Visit<'_>) -> Outcome {
    let asked: Split = visit.call.body()?;
    let mut book = visit.book();
    let order = visit.required_order(&asked.order_sn)?;
    if asked.package_list.is_empty() || asked.package_list.iter().any(|group| group.item_list.is_empty()) {
        return Err(Failure::required("package_list"));
    }
    let most = if visit.settings.region == "TW" { 30 } else { 5 };
    if asked.package_list.len() > most {
        return Err(Failure::param("The size of package list is over limit."));
    }
    can_split(&View::of(&order, &mut book, visit.settings, visit.now))?;
    let groups = groups_of(&order, &asked.package_list)?;
    let numbers = book.split(&order, groups, visit.now);
    let view = View::of(&order, &mut book, visit.settings, visit.now);
    let rows: Vec<Value> = numbers
        .iter()
        .filter_map(|number| view.packages.iter().find(|package| package.number == *number))
        .map(|package| {
            let items = contents(&view, &package.contents);
            json!({ "package_number": package.number, "item_list": items })
        })
        .collect();
    Ok(Answer::wrapped(json!({ "order_sn": asked.order_sn, "package_list": rows })))
}

/// What is to be in each parcel. All units of the order must be in exactly one of them.
fn groups_of(order: &Order, asked: &[Group]) -> Result<Vec<Vec<ParcelLine>>, Failure> {
    let mut whole = Vec::new();
    let mut groups: Vec<Vec<ParcelLine>> = Vec::new();
    for group in asked {
        let mut parcel: Vec<ParcelLine> = Vec::new();
        for part in &group.item_list {
            let named = lines_named(
                order,
                (part.item_id, part.model_id),
                part.order_item_id,
                part.promotion_group_id,
            );
            let live = |line| order.line(line).map(crate::market::Line::open_quantity).unwrap_or_default();
            // Two lines of the same goods that are not told apart are taken in turn.
            let line = named.iter().find(|line| !whole.contains(*line) && live(**line) > 0).copied();
            let Some(line) = line else {
                return Err(if named.is_empty() {
                    Failure::new("order.order_split_item_not_exist", "Cannot split order with invalid items.")
                } else {
                    Failure::new(
                        "order.order_split_duplicate_item",
                        "Cannot split order with duplicate items.",
                    )
                });
            };
            let quantity = part.model_quantity.unwrap_or_else(|| live(line));
            if part.model_quantity.is_none() {
                whole.push(line);
            }
            match parcel.iter_mut().find(|sent| sent.line == line) {
                Some(sent) => sent.quantity = sent.quantity.saturating_add(quantity),
                None => parcel.push(ParcelLine { line, quantity }),
            }
        }
        groups.push(parcel);
    }
    for line in &order.lines {
        let sum: u64 = groups
            .iter()
            .flatten()
            .filter(|sent| sent.line == line.number)
            .map(|sent| u64::from(sent.quantity))
            .sum();
        let wanted = u64::from(line.open_quantity());
        if wanted > 0 && sum == 0 {
            return Err(Failure::new(
                "order.order_split_package_missing_item",
                "Cannot split order with missing items.",
            ));
        }
        if sum != wanted || groups.iter().flatten().any(|sent| sent.quantity == 0) {
            return Err(Failure::new(
                "order.order_split_wrong_item_quantity",
                "Cannot split order with wrong model quantity",
            ));
        }
    }
    Ok(groups)
}
