//! `orderCancel` (sheet 4.7): a job that is carried out later.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::book::{self, CancelJob};
use super::desk::{Desk, Visit};
use super::node::Node;
use super::order_nodes::is_visible;
use super::{ids, root};
use crate::lock;
use crate::market::{CancelTerms, LineState, OrderNumber};

pub(super) fn cancel(visit: &Visit<'_>, arguments: &Value) -> Node {
    let payload = |job: Option<Node>, error: Option<(&str, &str, &str)>| {
        let errors: Vec<Node> = error
            .into_iter()
            .map(|(code, field, message)| {
                Node::new("OrderCancelUserError").leaves([
                    ("code", json!(code)),
                    ("field", json!([field])),
                    ("message", json!(message)),
                ])
            })
            .collect();
        Node::new("OrderCancelPayload").with("job", job).with("orderCancelUserErrors", errors)
    };
    let number = root::id(arguments, "orderId", "Order");
    let order = number.and_then(|number| visit.market().order(OrderNumber(number)));
    let Some(order) = order.filter(|order| is_visible(visit, order)) else {
        return payload(None, Some(("NOT_FOUND", "orderId", "Order does not exist")));
    };
    if book::cancelled_at(&order).is_some() {
        return payload(None, Some(("INVALID", "orderId", "Order has already been cancelled")));
    }
    if order.lines.iter().any(|line| line.shipped_quantity > 0) {
        let text = "Cannot cancel an order that has fulfillments";
        return payload(None, Some(("INVALID", "orderId", text)));
    }
    let delay = TimeDelta::seconds(i64::from(visit.settings.cancel_seconds));
    let job = CancelJob {
        order: order.number,
        due: visit.now.checked_add_signed(delay).unwrap_or(visit.now),
        reason: arguments["reason"].as_str().unwrap_or_default().to_owned(),
        terms: CancelTerms { restock: arguments["restock"].as_bool().unwrap_or(false), after_leaving: false },
        notify: arguments["notifyCustomer"].as_bool().unwrap_or(false),
        done: false,
    };
    let id = {
        let mut book = visit.book();
        let id = book.next_id();
        book.jobs.insert(id, job);
        id
    };
    carry_out_jobs(visit.desk, visit.now);
    // The answer never waits for the job.
    payload(Some(node(id, false)), None)
}

fn node(id: u64, done: bool) -> Node {
    Node::new("Job").leaves([("done", json!(done)), ("id", json!(ids::gid("Job", id)))])
}

pub(super) fn job(visit: &Visit<'_>, id: u64) -> Option<Node> {
    let job = visit.book().jobs.get(&id).cloned()?;
    let order = visit.market().order(job.order)?;
    (order.seller == visit.token.seller).then(|| node(id, job.done))
}

/// Carries out the cancellations that are due.
pub(super) fn carry_out_jobs(desk: &Desk, now: DateTime<Utc>) {
    let due: Vec<CancelJob> = {
        let mut book = lock(&desk.face.0.book);
        let due = book.jobs.values_mut().filter(|job| !job.done && job.due <= now);
        due.map(|job| {
            job.done = true;
            job.clone()
        })
        .collect()
    };
    for job in due {
        let Some(order) = desk.context.market.order(job.order) else { continue };
        let acting = desk.acting("orderCancel");
        for line in order.lines.iter().filter(|line| line.state != LineState::Cancelled) {
            // What has left meanwhile stays: the refusal is in the record.
            let _ = acting.cancel_on(line.number, &job.reason, job.terms);
        }
        if job.notify {
            let _ = acting.mail_buyer(job.order, "Your order has been cancelled", &job.reason);
        }
        lock(&desk.face.0.book).page_mut(job.order, now).cancel_reason = Some(job.reason);
    }
}
