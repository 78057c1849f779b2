//! `fulfillmentCreate` and `fulfillmentTrackingInfoUpdate` (sheet 4.4). Nothing makes a repeat of them harmless.

use serde_json::{Value, json};

use super::book::{self, Tracking};
use super::desk::Visit;
use super::fulfillment_orders::{Found, find};
use super::node::Node;
use super::order_nodes;
use super::{ids, root};
use crate::market::{LineNumber, OrderNumber, ParcelDraft, ParcelLine};

/// Why a fulfilment is not made: the field, and the message.
struct Refused(Vec<String>, String);

impl Refused {
    fn at(path: &[&str], message: impl Into<String>) -> Self {
        Self(path.iter().map(|part| (*part).to_owned()).collect(), message.into())
    }
}

fn payload(kind: &'static str, result: Result<Option<Node>, Refused>) -> Node {
    let (node, errors) = match result {
        Ok(node) => (node, Vec::new()),
        Err(Refused(field, message)) => {
            let error = Node::new("UserError").leaves([("field", json!(field)), ("message", json!(message))]);
            (None, vec![error])
        }
    };
    Node::new(kind).with("fulfillment", node).with("userErrors", errors)
}

pub(super) fn create(visit: &Visit<'_>, arguments: &Value) -> Node {
    payload("FulfillmentCreatePayload", try_create(visit, &arguments["fulfillment"]))
}

fn try_create(visit: &Visit<'_>, input: &Value) -> Result<Option<Node>, Refused> {
    let groups = input["lineItemsByFulfillmentOrder"].as_array().cloned().unwrap_or_default();
    let mut lines: Vec<ParcelLine> = Vec::new();
    let mut first: Option<(OrderNumber, u64)> = None;
    for (at, group) in groups.iter().enumerate() {
        let path = ["fulfillment", "lineItemsByFulfillmentOrder", &at.to_string()];
        let id = group["fulfillmentOrderId"].as_str().unwrap_or_default();
        let found = find(visit, id).ok_or_else(|| {
            Refused::at(
                &[path[0], path[1], path[2], "fulfillmentOrderId"],
                "Fulfillment order does not exist.",
            )
        })?;
        if !matches!(found.status, "OPEN" | "IN_PROGRESS") {
            return Err(Refused::at(&["fulfillment"], "The fulfillment order is not in an open state."));
        }
        let (order, location) = *first.get_or_insert((found.order.number, found.location));
        if order != found.order.number {
            let text = "All fulfillment orders must belong to the same order.";
            return Err(Refused::at(&["fulfillment"], text));
        }
        if location != found.location {
            let text = "All fulfillment orders must be assigned to the same location.";
            return Err(Refused::at(&["fulfillment"], text));
        }
        lines.extend(chosen(&found, &group["fulfillmentOrderLineItems"], &path)?);
    }
    let Some((order, _)) = first else {
        let path = ["fulfillment", "lineItemsByFulfillmentOrder"];
        return Err(Refused::at(&path, "Line items by fulfillment order can't be blank."));
    };
    let tracking = read_tracking(&input["trackingInfo"]);
    let main = tracking.first().cloned().unwrap_or_default();
    let draft = ParcelDraft {
        carrier: main.company.unwrap_or_default(),
        tracking: main.number.unwrap_or_default(),
        lines,
    };
    visit.acting("fulfillmentCreate").ship(order, draft).map_err(|_| {
        Refused::at(&["fulfillment"], "Invalid fulfillment order line item quantity requested.")
    })?;
    Ok(keep(visit, order, tracking, input["notifyCustomer"].as_bool().unwrap_or(false)))
}

/// The units that are asked for; everything left when no lines are named.
fn chosen(found: &Found, asked: &Value, path: &[&str; 3]) -> Result<Vec<ParcelLine>, Refused> {
    let asked = asked.as_array().map(Vec::as_slice).unwrap_or_default();
    if asked.is_empty() {
        let open = found.lines.iter().filter(|line| book::left_of(line) > 0);
        return Ok(open
            .map(|line| ParcelLine { line: line.number, quantity: book::left_of(line) })
            .collect());
    }
    let one = |(at, asked): (usize, &Value)| {
        let (at, lines) = (at.to_string(), "fulfillmentOrderLineItems");
        let refused =
            |field: &str, text: &str| Refused::at(&[path[0], path[1], path[2], lines, &at, field], text);
        let id = asked["id"].as_str().and_then(|id| ids::number_of("FulfillmentOrderLineItem", id));
        let line = found.lines.iter().find(|line| Some(line.number.0) == id);
        let line = line.ok_or_else(|| refused("id", "Fulfillment order line item does not exist."))?;
        let quantity = asked["quantity"].as_i64().and_then(|quantity| u32::try_from(quantity).ok());
        let fits = quantity.filter(|quantity| (1..=book::left_of(line)).contains(quantity));
        let quantity = fits
            .ok_or_else(|| refused("quantity", "Invalid fulfillment order line item quantity requested."))?;
        Ok(ParcelLine { line: line.number, quantity })
    };
    asked.iter().enumerate().map(one).collect()
}

/// `number` and `url`, or their lists side by side. A known carrier gets its own link.
fn read_tracking(input: &Value) -> Vec<Tracking> {
    let company = input["company"].as_str().filter(|text| !text.is_empty());
    let texts = |one: &str, many: &str| -> Vec<String> {
        let list = input[many].as_array().map(Vec::as_slice).unwrap_or_default();
        let all = input[one].as_str().into_iter().chain(list.iter().filter_map(Value::as_str));
        all.filter(|text| !text.is_empty()).map(str::to_owned).collect()
    };
    let (numbers, urls) = (texts("number", "numbers"), texts("url", "urls"));
    let count = numbers.len().max(urls.len()).max(usize::from(company.is_some()));
    (0..count)
        .map(|at| {
            let number = numbers.get(at).cloned();
            let known = || known_link(company?, number.as_deref()?);
            let url = urls.get(at).cloned().or_else(known);
            Tracking { company: company.map(str::to_owned), number, url }
        })
        .collect()
}

fn known_link(company: &str, number: &str) -> Option<String> {
    let host = match company {
        "Yamato (JA)" | "Yamato (EN)" => "https://jizen.kuronekoyamato.co.jp/jizen/servlet/crjz.b.NQ0010?id=",
        "Sagawa (JA)" | "Sagawa (EN)" => "https://k2k.sagawa-exp.co.jp/p/web/okurijosearch.do?okurijoNo=",
        "Japan Post (JA)" | "Japan Post (EN)" => {
            "https://trackings.post.japanpost.jp/services/srv/search?requestNo1="
        }
        _ => return None,
    };
    Some(format!("{host}{number}"))
}

/// Keeps the details of the order's last parcel; its fulfilment.
fn keep(visit: &Visit<'_>, number: OrderNumber, tracking: Vec<Tracking>, notify: bool) -> Option<Node> {
    if notify {
        mail(visit, "fulfillmentCreate", number, "Your order is on the way");
    }
    let order = visit.market().order(number)?;
    let place = order.parcels.len().checked_sub(1)?;
    let mut book = visit.book();
    let page = book.page_mut(number, visit.now);
    if !tracking.is_empty() {
        page.tracking.insert(place, tracking);
    }
    let page = book.page(number);
    order_nodes::fulfillment(&book, &page, &order, place)
}

pub(super) fn mail(visit: &Visit<'_>, field: &str, order: OrderNumber, subject: &str) {
    let _ = visit.acting(field).mail_buyer(order, subject, subject);
}

pub(super) fn update_tracking(visit: &Visit<'_>, arguments: &Value) -> Node {
    payload("FulfillmentTrackingInfoUpdatePayload", try_update(visit, arguments))
}

fn try_update(visit: &Visit<'_>, arguments: &Value) -> Result<Option<Node>, Refused> {
    const FIELD: &str = "fulfillmentTrackingInfoUpdate";
    let missing = || Refused::at(&["fulfillmentId"], "Fulfillment does not exist.");
    let id = root::id(arguments, "fulfillmentId", "Fulfillment").ok_or_else(missing)?;
    let (number, place) = ids::of_fulfillment(id).ok_or_else(missing)?;
    let visible = |order: &crate::market::Order| order_nodes::is_visible(visit, order);
    let order = visit.market().order(number).filter(visible).ok_or_else(missing)?;
    let parcel = order.parcels.get(place).ok_or_else(missing)?;
    let tracking = read_tracking(&arguments["trackingInfoInput"]);
    let main = tracking.first().cloned().unwrap_or_default();
    let lines: Vec<LineNumber> = parcel.lines.iter().map(|sent| sent.line).collect();
    for line in lines {
        let (carrier, tracking) = (main.company.as_deref(), main.number.as_deref());
        let _ = visit.acting(FIELD).enter_tracking(
            line,
            Some(place),
            carrier.unwrap_or_default(),
            tracking.unwrap_or_default(),
        );
    }
    if arguments["notifyCustomer"].as_bool().unwrap_or(false) {
        mail(visit, FIELD, number, "The tracking of your order has changed");
    }
    let order = visit.market().order(number).ok_or_else(missing)?;
    let mut book = visit.book();
    book.page_mut(number, visit.now).tracking.insert(place, tracking);
    let page = book.page(number);
    Ok(order_nodes::fulfillment(&book, &page, &order, place))
}
