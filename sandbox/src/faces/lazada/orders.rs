//! Orders and their items (sheet section 4).

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::answer::{Failure, Outcome};
use super::call::{date, id_list};
use super::desk::Visit;
use super::ids;
use super::ledger::Ledger;
use super::order_row::{Form, View};
use super::units::Status;
use crate::lock;
use crate::market::Order;

/// Most rows on a page.
const MOST: usize = 100;
/// Most orders of one call for their items.
const MOST_ORDERS: usize = 50;

/// Statuses that can be filtered by but that no order item here is ever in.
const NEVER: [&str; 9] = [
    "failed",
    "lost",
    "lost_by_3pl",
    "damaged_by_3pl",
    "failed_delivery",
    "shipped_back",
    "shipped_back_success",
    "shipped_back_failed",
    "package_scrapped",
];

/// The statuses that a filter finds.
fn statuses(filter: &str) -> Option<Vec<Status>> {
    Some(match filter {
        "unpaid" => vec![Status::Unpaid],
        "pending" => vec![Status::Pending],
        "topack" => vec![Status::Pending, Status::Repacked],
        "packed" => vec![Status::Packed],
        "toship" => vec![Status::Packed, Status::ReadyToShipPending],
        "ready_to_ship" => vec![Status::ReadyToShip],
        "shipped" | "shipping" => vec![Status::Shipped],
        "delivered" => vec![Status::Delivered],
        "canceled" => vec![Status::Canceled],
        "returned" => vec![Status::Returned],
        never if NEVER.contains(&never) => Vec::new(),
        _ => return None,
    })
}

#[derive(Default)]
struct Range {
    after: Option<DateTime<Utc>>,
    before: Option<DateTime<Utc>>,
}

impl Range {
    fn asked(visit: &Visit<'_>, after: &str, before: &str) -> Result<Self, Failure> {
        Ok(Self { after: optional_date(visit, after)?, before: optional_date(visit, before)? })
    }

    /// Both ends belong to it; the API knows whole seconds only.
    fn holds(&self, at: DateTime<Utc>) -> bool {
        let at = at.timestamp();
        self.after.is_none_or(|after| after.timestamp() <= at)
            && self.before.is_none_or(|before| at <= before.timestamp())
    }
}

/// # Errors
/// E017.
pub(super) fn optional_date(visit: &Visit<'_>, name: &str) -> Result<Option<DateTime<Utc>>, Failure> {
    match visit.call.param(name) {
        "" => Ok(None),
        text => date(text).map(Some).ok_or_else(|| bad_date(text)),
    }
}

fn bad_date(text: &str) -> Failure {
    Failure::service(17, format!("E017: \"{text}\" Invalid Date Format"))
}

/// A number from `least` to `most`.
///
/// # Errors
/// The given code.
pub(super) fn number_in(
    visit: &Visit<'_>,
    name: &str,
    default: usize,
    range: std::ops::RangeInclusive<usize>,
    wrong: fn(&str) -> Failure,
) -> Result<usize, Failure> {
    match visit.call.param(name) {
        "" => Ok(default),
        text => text.parse().ok().filter(|number| range.contains(number)).ok_or_else(|| wrong(text)),
    }
}

pub(super) fn bad_offset(text: &str) -> Failure {
    Failure::service(14, format!("E014: \"{text}\" Invalid Offset"))
}

pub(super) fn bad_limit(text: &str) -> Failure {
    Failure::service(19, format!("E019: \"{text}\" Invalid Limit"))
}

struct Search {
    created: Range,
    updated: Range,
    statuses: Option<Vec<Status>>,
    by_update: bool,
    descends: bool,
    offset: usize,
    limit: usize,
}

impl Search {
    fn asked(visit: &Visit<'_>) -> Result<Self, Failure> {
        let created = Range::asked(visit, "created_after", "created_before")?;
        let updated = Range::asked(visit, "update_after", "update_before")?;
        if created.after.is_none() && updated.after.is_none() {
            return Err(bad_date(""));
        }
        let statuses = match visit.call.param("status") {
            "" => None,
            text => {
                let known = statuses(text);
                Some(known.ok_or_else(|| Failure::service(36, "E036: Invalid status filter"))?)
            }
        };
        let by_update = match visit.call.param("sort_by") {
            "" | "created_at" => false,
            "updated_at" => true,
            _ => return Err(Failure::service(75, "E075: Invalid sort filter.")),
        };
        let descends = match visit.call.param("sort_direction") {
            "" | "DESC" => true,
            "ASC" => false,
            _ => return Err(Failure::service(74, "E074: Invalid sort direction.")),
        };
        let offset = number_in(visit, "offset", 0, 0..=usize::MAX, bad_offset)?;
        let limit = number_in(visit, "limit", MOST, 1..=MOST, bad_limit)?;
        let limit = limit.min(visit.settings.page_size);
        Ok(Self { created, updated, statuses, by_update, descends, offset, limit })
    }

    fn takes(&self, visit: &Visit<'_>, order: &Order, ledger: &Ledger) -> bool {
        order.seller == visit.shop.seller
            && self.created.holds(order.ordered_at)
            && self.updated.holds(ledger.updated(order))
            && self.statuses.as_ref().is_none_or(|wanted| {
                let view = View::of(order, ledger, &visit.settings, visit.now);
                view.items.iter().any(|item| wanted.contains(&item.status))
            })
    }
}

/// `getorders`. Offsets count in the list as it is now: it moves while orders come in and change.
pub(super) fn list(visit: &Visit<'_>) -> Outcome {
    let search = Search::asked(visit)?;
    let ledger = lock(&visit.desk.face.0.ledger);
    visit.market().read(|state| {
        let all = state.orders().iter();
        let mut found: Vec<&Order> = all.filter(|order| search.takes(visit, order, &ledger)).collect();
        let time = |order: &Order| if search.by_update { ledger.updated(order) } else { order.ordered_at };
        found.sort_by_key(|order| (time(order), order.number));
        if search.descends {
            found.reverse();
        }
        let page = found.iter().skip(search.offset).take(search.limit);
        let rows: Vec<Value> = page
            .map(|order| View::of(order, &ledger, &visit.settings, visit.now).row(Form::Listed))
            .collect();
        Ok(json!({ "data": { "countTotal": found.len(), "count": rows.len(), "orders": rows } }))
    })
}

fn asked_order(visit: &Visit<'_>) -> Result<Order, Failure> {
    let text = visit.call.required("order_id")?;
    let order = text.parse().ok().and_then(|id| visit.order(id));
    order.ok_or_else(|| Failure::service(16, format!("E016: \"{text}\" Invalid Order ID")))
}

/// `getorder`.
pub(super) fn one(visit: &Visit<'_>) -> Outcome {
    let order = asked_order(visit)?;
    let ledger = lock(&visit.desk.face.0.ledger);
    Ok(json!({ "data": View::of(&order, &ledger, &visit.settings, visit.now).row(Form::Single) }))
}

/// `getorderitems`.
pub(super) fn items_of_one(visit: &Visit<'_>) -> Outcome {
    let order = asked_order(visit)?;
    let ledger = lock(&visit.desk.face.0.ledger);
    Ok(json!({ "data": item_rows(visit, &order, &ledger, Form::Single) }))
}

/// `getmultipleorderitems`.
pub(super) fn items_of_many(visit: &Visit<'_>) -> Outcome {
    let wrong = || Failure::service(56, "E056: Invalid OrdersIdList format. Must use array format [1,2]");
    let wanted = id_list(visit.call.required("order_ids")?).ok_or_else(wrong)?;
    if wanted.is_empty() {
        return Err(wrong());
    }
    if wanted.len() > MOST_ORDERS {
        return Err(Failure::service(38, "E038: Too many orders were requested"));
    }
    let orders: Vec<Order> = wanted.iter().filter_map(|id| visit.order(*id)).collect();
    if orders.is_empty() {
        return Err(Failure::service(39, "E039: No orders were found"));
    }
    if orders.len() < wanted.len() {
        return Err(Failure::service(37, "E037: One or more order id in the list are incorrect"));
    }
    let ledger = lock(&visit.desk.face.0.ledger);
    let row = |order: &Order| {
        let id = ids::order_id(order.number);
        let items = item_rows(visit, order, &ledger, Form::Listed);
        json!({ "order_id": id, "order_number": id, "order_items": items })
    };
    Ok(json!({ "data": orders.iter().map(row).collect::<Vec<_>>() }))
}

fn item_rows(visit: &Visit<'_>, order: &Order, ledger: &Ledger, form: Form) -> Vec<Value> {
    let by_buyer = visit.market().read(|state| super::cancels::asked_by_buyer(state, order));
    View::of(order, ledger, &visit.settings, visit.now).item_rows(form, visit.shop.name, &by_buyer)
}
