//! `orderList`, `orderInfo`, `orderCount` and `orderChangeHistory`.

use super::answer::{Done, Failure, Outcome, counted};
use super::desk::Visit;
use super::fields::{self, CancelledBy};
use super::ledger::Ledger;
use super::search::Conditions;
use super::times::{seconds, shown};
use super::view::View;
use crate::faces::xml::{Element, Tree};
use crate::market::{Action, Actor, MarketState, Order, OrderState};

/// Most orders in one answer.
const MOST: usize = 2_000;

/// The wished fields, each of which must be known.
fn wished(field: Option<&str>, is_known: impl Fn(&str) -> bool) -> Result<Vec<&str>, Failure> {
    let names: Vec<&str> = field.ok_or_else(|| Failure::parameter("Field"))?.split(',').collect();
    match names.iter().find(|name| !is_known(name)) {
        Some(unknown) => Err(Failure::parameter(unknown)),
        None => Ok(names),
    }
}

fn number(
    search: &Tree,
    name: &str,
    default: usize,
    range: std::ops::RangeInclusive<usize>,
) -> Result<usize, Failure> {
    let Some(text) = search.text_at(&[name]) else { return Ok(default) };
    text.parse().ok().filter(|n| range.contains(n)).ok_or_else(|| Failure::parameter(name))
}

/// `orderList`.
pub(super) fn list(visit: &Visit<'_>, ledger: &mut Ledger) -> Outcome {
    let request = visit.xml()?;
    let search = request.child("Search").ok_or_else(|| Failure::parameter("Search"))?;
    let most = number(search, "Result", 10, 0..=MOST)?;
    let start = number(search, "Start", 1, 1..=usize::MAX)?;
    let newest_first = match search.text_at(&["Sort"]) {
        None | Some("+order_time") => false,
        Some("-order_time") => true,
        Some(_) => return Err(Failure::parameter("Sort")),
    };
    let names = wished(search.text_at(&["Field"]), |name| fields::has(fields::LIST, name))?;
    let conditions = Conditions::read(search.child("Condition"))?;
    visit.market().read(|state| {
        let own = |order: &&Order| order.seller == visit.store;
        let views = state.orders().iter().filter(own).map(|order| visit.view(order, ledger));
        if let Some(id) = conditions.order_id() {
            let mut ids = state.orders().iter().filter(own);
            if !ids.any(|order| fields::order_id(&order.seller, order.number) == id) {
                return Err(Failure::no_such_order(id));
            }
        }
        let mut found: Vec<View<'_>> = views.filter(|view| conditions.hold(view)).collect();
        found.sort_by_key(|view| (seconds(view.order.ordered_at), view.order.number));
        if newest_first {
            found.reverse();
        }
        let page = found.iter().enumerate().skip(start - 1).take(most.min(visit.settings.page_size));
        let rows: Vec<Element> = page
            .map(|(at, view)| {
                let wished = names.iter().map(|name| fields::element(view, name, CancelledBy::default()));
                Element::new("OrderInfo").child(Element::text("Index", at + 1)).children(wished)
            })
            .collect();
        // A page past the end has one empty row.
        let past_end = rows.is_empty() && !found.is_empty();
        let search = Element::new("Search")
            .child(Element::text("TotalCount", found.len()))
            .children(rows)
            .children(past_end.then(|| Element::new("OrderInfo")));
        Done::ok(Element::new("Result").child(Element::text("Status", "OK")).child(search))
    })
}

fn cancelled_by(state: &MarketState, order: &Order) -> CancelledBy {
    let is_cancel = |action: &Action| matches!(action, Action::Cancelled { .. });
    let mut done = state
        .record()
        .iter()
        .filter(|e| e.subject.order == Some(order.number) && e.is_done() && is_cancel(&e.action));
    match done.next_back().map(|event| &event.actor) {
        Some(Actor::Buyer) => CancelledBy { buyer: true, seller: false },
        Some(Actor::BackOffice | Actor::Api { .. }) => CancelledBy { buyer: false, seller: true },
        Some(Actor::Marketplace) | None => CancelledBy::default(),
    }
}

/// `orderInfo`: one order.
pub(super) fn info(visit: &Visit<'_>, ledger: &mut Ledger) -> Outcome {
    let request = visit.xml()?;
    let id = request.text_at(&["Target", "OrderId"]).ok_or_else(|| Failure::parameter("OrderId"))?;
    let known = |name: &str| fields::GROUPS.iter().any(|(_, names)| fields::has(names, name));
    let names = wished(request.text_at(&["Target", "Field"]), known)?;
    let order = visit.order(id)?;
    let by = visit.market().read(|state| cancelled_by(state, &order));
    let view = visit.view(&order, ledger);
    let mut shown = Element::new("OrderInfo");
    for (group, known) in fields::GROUPS {
        let wished: Vec<&str> = names.iter().copied().filter(|name| fields::has(known, name)).collect();
        if wished.is_empty() {
            continue;
        }
        shown = match group {
            "" => shown.children(wished.iter().map(|name| fields::element(&view, name, by))),
            "Item" => shown.children(view.lines().iter().map(|row| {
                Element::new("Item").children(wished.iter().flat_map(|name| fields::item_elements(row, name)))
            })),
            group => shown.child(
                Element::new(group).children(wished.iter().map(|name| fields::element(&view, name, by))),
            ),
        };
    }
    let result = Element::new("Result").child(Element::text("Status", "OK")).child(shown);
    Done::ok(counted("ResultSet", 1, 1).attribute("firstResultPosition", 1).child(result))
}

/// What counts in a number of `orderCount`.
type Counted = fn(&View<'_>) -> bool;

/// `orderCount`.
pub(super) fn count(visit: &Visit<'_>, ledger: &mut Ledger) -> Outcome {
    let tests: [(&str, Counted); 12] = [
        ("NewOrder", |v| v.order_status() == 2 && !v.is_seen()),
        ("NewReserve", |v| v.order_status() == 1 && !v.is_seen()),
        ("WaitPayment", |v| is_open(v) && !v.is_paid()),
        ("WaitShipping", |v| v.order_status() == 2 && v.ship_status() == 1),
        ("Shipping", |v| v.order_status() == 2 && v.ship_status() == 2),
        ("Reserve", |v| v.order_status() == 1),
        ("Holding", |v| v.order_status() == 3),
        ("WaitDone", |v| v.order_status() == 2 && v.ship_status() >= 3),
        ("Suspect", |v| v.is_prank()),
        ("SettleError", |v| matches!(v.settle_status(), 8 | 10)),
        ("Refund", |v| v.settle_status() == 7),
        ("AutoDone", |_| false),
    ];
    let counts: Vec<Element> = visit.market().read(|state| {
        let own = state.orders().iter().filter(|order| order.seller == visit.store);
        let views: Vec<View<'_>> = own
            .map(|order| visit.view(order, ledger))
            .filter(|view| !view.is_read_only() && !view.is_fraud_held())
            .collect();
        tests
            .iter()
            .map(|(name, test)| Element::text(*name, views.iter().filter(|view| test(view)).count()))
            .collect()
    });
    let rest = ["AutoWorking", "Release", "NoPayNumber"].map(|name| Element::text(name, 0));
    let marks = (1..=10).map(|mark| Element::text(format!("StoreStatus{mark}"), 0));
    let all = Element::new("Count").children(counts).children(rest).children(marks);
    let result = Element::new("Result").child(Element::text("Status", "OK")).child(all);
    Done::ok(counted("ResultSet", 1, 1).attribute("firstResultPosition", 1).child(result))
}

fn is_open(view: &View<'_>) -> bool {
    !matches!(view.order_status(), 4 | 5) && view.order.state() != OrderState::Cancelled
}

/// `orderChangeHistory`: what was done to an order, from the record.
pub(super) fn history(visit: &Visit<'_>, _ledger: &mut Ledger) -> Outcome {
    let id = visit.call.param("orderId").ok_or_else(|| Failure::parameter("orderId"))?;
    let order = visit.order(id)?;
    let rows: Vec<Element> = visit.market().read(|state| {
        let events = state.record().iter().filter(|e| e.subject.order == Some(order.number) && e.is_done());
        let changes = events.filter_map(|event| Some((event, change(&event.action)?)));
        let mut rows = Vec::new();
        let mut before = None;
        for (event, (field, value)) in changes {
            // The lines of one order change together.
            let same = (event.at, field, value.clone(), event.actor.clone());
            if before.as_ref() == Some(&same) {
                continue;
            }
            before = Some(same);
            let person = match event.actor {
                Actor::Buyer => "buyer",
                Actor::BackOffice | Actor::Api { .. } => visit.store.as_str(),
                Actor::Marketplace => "system",
            };
            let change = Element::new("Change")
                .child(Element::text("Field", field))
                .child(Element::text("Value", value));
            rows.push(
                Element::new("History")
                    .child(Element::text("HistoryId", rows.len() + 1))
                    .child(Element::text("UpdateTime", shown(event.at)))
                    .child(Element::text("UpdatePerson", person))
                    .child(change),
            );
        }
        rows
    });
    let result = Element::new("Result").child(Element::text("Status", "OK")).children(rows);
    Done::ok(counted("ResultSet", 1, 1).attribute("firstResultPosition", 1).child(result))
}

fn change(action: &Action) -> Option<(&'static str, String)> {
    Some(match action {
        Action::Paid => ("PayStatus", "1".into()),
        Action::Confirmed { .. } => ("IsSeen", "true".into()),
        Action::Shipped { .. } => ("ShipStatus", "3".into()),
        Action::TrackingEntered { tracking, .. } => ("ShipInvoiceNumber1", tracking.clone()),
        Action::Delivered => ("ShipStatus", "4".into()),
        Action::Cancelled { .. } => ("OrderStatus", "4".into()),
        _ => return None,
    })
}
