//! Orders: the list and the detail (sheet section 4).

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Failure, INVALID_PARAM, Outcome};
use super::desk::{Page, Visit};
use super::ids;
use super::logistics;
use super::order_row::View;
use super::packages::cancel_asked;
use crate::lock;
use crate::market::Order;

const STATUSES: [&str; 9] = [
    "UNPAID",
    "ON_HOLD",
    "AWAITING_SHIPMENT",
    "PARTIALLY_SHIPPING",
    "AWAITING_COLLECTION",
    "IN_TRANSIT",
    "DELIVERED",
    "COMPLETED",
    "CANCELLED",
];

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Filter {
    order_status: Option<String>,
    create_time_ge: Option<i64>,
    create_time_lt: Option<i64>,
    update_time_ge: Option<i64>,
    update_time_lt: Option<i64>,
    shipping_type: Option<String>,
    buyer_user_id: Option<String>,
    is_buyer_request_cancel: Option<bool>,
    warehouse_ids: Vec<String>,
}

impl Filter {
    fn check(&self) -> Result<(), Failure> {
        let status = self.order_status.as_deref().is_none_or(|status| STATUSES.contains(&status));
        let shipping = self.shipping_type.as_deref().is_none_or(|kind| matches!(kind, "TIKTOK" | "SELLER"));
        if !status || !shipping || self.warehouse_ids.len() > 100 {
            return Err(Failure::invalid("order_status, shipping_type or warehouse_ids"));
        }
        Ok(())
    }

    fn takes(&self, view: &View<'_>) -> bool {
        let order = view.order;
        within(order.ordered_at, self.create_time_ge, self.create_time_lt)
            && within(view.updated(), self.update_time_ge, self.update_time_lt)
            && self.is_buyer_request_cancel.is_none_or(|asked| asked == cancel_asked(order))
            && self.buyer_user_id.as_ref().is_none_or(|id| *id == ids::user_id(order.number))
            && (self.warehouse_ids.is_empty()
                || self.warehouse_ids.iter().any(|id| id == logistics::WAREHOUSES[0].0))
            && self.order_status.as_deref().is_none_or(|status| status == view.status())
            && self.shipping_type.as_deref().is_none_or(|kind| kind == view.shipping_type())
    }
}

/// From `ge`, inclusive, to before `lt`.
pub(super) fn within(time: DateTime<Utc>, ge: Option<i64>, lt: Option<i64>) -> bool {
    let time = time.timestamp();
    ge.is_none_or(|ge| time >= ge) && lt.is_none_or(|lt| time < lt)
}

/// `get-order-list`.
pub(super) fn search(visit: &Visit<'_>) -> Outcome {
    let filter: Filter = visit.call.body(INVALID_PARAM)?;
    filter.check()?;
    let page = Page::asked(visit, 100, "create_time", &["create_time", "update_time"], "DESC")?;
    let settings = visit.desk.face.settings();
    let mut ledger = lock(&visit.desk.face.0.ledger);
    visit.market().read(|state| {
        let own = || state.orders().iter().filter(|order| order.seller == visit.seller);
        own().for_each(|order| ledger.follow(order, &settings, visit.now));
        let views = own().map(|order| View::of(order, &ledger, &settings, visit.now));
        let found: Vec<(i64, u64, View<'_>)> = views
            .filter(|view| filter.takes(view))
            .map(|view| {
                let time = if page.is_by("update_time") { view.updated() } else { view.order.ordered_at };
                (time.timestamp(), view.order.number.0, view)
            })
            .collect();
        Ok(page.cut(found, "orders", |view| view.row()))
    })
}

/// `get-order-detail`: ids that are nobody's are left out.
pub(super) fn detail(visit: &Visit<'_>) -> Outcome {
    let asked: Vec<&str> = visit.call.param("ids").split(',').filter(|id| !id.is_empty()).collect();
    if asked.is_empty() || asked.len() > 50 {
        return Err(Failure::invalid("ids: 1 to 50"));
    }
    let settings = visit.desk.face.settings();
    let mut ledger = lock(&visit.desk.face.0.ledger);
    visit.market().read(|state| {
        let found: Vec<&Order> = asked.iter().filter_map(|id| ids::order(state, id)).collect();
        if found.iter().any(|order| order.seller != visit.seller) {
            return Err(Failure::new(
                21_008_111,
                "The order or package does not belong to the current seller.",
            ));
        }
        found.iter().for_each(|order| ledger.follow(order, &settings, visit.now));
        let row = |order: &&Order| View::of(order, &ledger, &settings, visit.now).row();
        Ok(json!({ "orders": found.iter().map(row).collect::<Vec<Value>>() }))
    })
}
