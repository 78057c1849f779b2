//! Orders in full (sheet sections 4.2 and 6): only fields that are asked for, but those given by default.

use serde_json::{Map, Value, json};

use super::answer::{Answer, Failure, Outcome};
use super::book::Package;
use super::desk::Visit;
use super::ids::{self, order_sn};
use super::settings::{Masking, Settings};
use super::view::{DAYS_TO_SHIP, View, paid_at};
use crate::market::{
    Action, Actor, Claim, ClaimKind, Event, Line, LineState, MarketState, Order, OrderNumber, ParcelLine,
};
use crate::{Amount, Market};

/// So many orders are given at once.
const MOST: usize = 50;

/// Fields that are given without being asked for.
const DEFAULT_FIELDS: [&str; 11] = [
    "order_sn",
    "region",
    "currency",
    "cod",
    "order_status",
    "message_to_seller",
    "create_time",
    "update_time",
    "days_to_ship",
    "ship_by_date",
    "booking_sn",
];

/// `order/get_order_detail`.
pub(super) fn detail(visit: &Visit<'_>) -> Outcome {
    visit.call.required("order_sn_list")?;
    let mut asked = visit.call.list("order_sn_list");
    if asked.is_empty() || asked.len() > MOST {
        return Err(Failure::wrong("order_sn_list must have 1 to 50 entries."));
    }
    let mut seen = std::collections::HashSet::new();
    asked.retain(|sn| seen.insert(*sn));
    let shows_pending = visit.call.flag("request_order_status_pending")?;
    let fields = visit.call.list("response_optional_fields");
    let orders: Vec<Order> = asked.iter().filter_map(|sn| visit.order(sn)).collect();
    if orders.is_empty() {
        return Err(Failure::no_such_order());
    }
    let mut book = visit.book();
    let rows: Vec<Value> = orders
        .iter()
        .map(|order| {
            let view = View::of(order, &mut book, visit.settings, visit.now);
            let mut row = row(&view, visit.market(), shows_pending);
            row.retain(|name, _| is_wanted(name, &fields, shows_pending));
            Value::Object(row)
        })
        .collect();
    let found: Vec<String> = orders.iter().map(order_sn).collect();
    let missing: Vec<String> = asked
        .iter()
        .filter(|sn| !found.iter().any(|other| other == *sn))
        .map(|sn| format!("the order {sn} is not found."))
        .collect();
    let answer = Answer::wrapped(json!({ "order_list": rows }));
    Ok(if missing.is_empty() { answer } else { answer.warn(missing) })
}

fn is_wanted(name: &str, fields: &[&str], shows_pending: bool) -> bool {
    match name {
        "pending_terms" => shows_pending,
        // Asked for under one name.
        "edt_from" | "edt_to" => fields.contains(&"edt") || fields.contains(&name),
        _ => DEFAULT_FIELDS.contains(&name) || fields.contains(&name),
    }
}

fn row(view: &View<'_>, market: &Market, shows_pending: bool) -> Map<String, Value> {
    let order = view.order;
    let fields = [base(view, shows_pending), money(view), buyer(view), goods(view), ended(view, market)];
    let mut row = Map::new();
    for part in fields {
        if let Value::Object(part) = part {
            row.extend(part);
        }
    }
    if let Some(booking) = &view.extra.booking_sn {
        row.insert("booking_sn".to_owned(), json!(booking));
    }
    if let Some(paid) = paid_at(order) {
        row.insert("pay_time".to_owned(), json!(paid.timestamp()));
    }
    if view.settings.region == "BR" {
        row.insert("edt_from".to_owned(), json!(view.ship_by()));
        row.insert("edt_to".to_owned(), json!(view.ship_by() + 5 * 86_400));
        row.insert("payment_info".to_owned(), json!([]));
    }
    row
}

fn base(view: &View<'_>, shows_pending: bool) -> Value {
    let order = view.order;
    json!({
        "order_sn": order_sn(order),
        "region": view.settings.region,
        "currency": order.currency,
        "cod": view.is_cod(),
        "order_status": view.status(shows_pending),
        "pending_terms": view.pending_terms(),
        "message_to_seller": order.message,
        "create_time": order.ordered_at.timestamp(),
        "update_time": view.updated(),
        "days_to_ship": DAYS_TO_SHIP,
        "ship_by_date": view.ship_by(),
        "note": view.extra.note,
        "note_update_time": view.extra.noted.map(|at| at.timestamp()).unwrap_or_default(),
        "pickup_done_time": view.picked_up(),
        "split_up": view.packages.len() > 1,
        "fulfillment_flag":
            if view.extra.fulfilled_by_shopee { "fulfilled_by_shopee" } else { "fulfilled_by_local_seller" },
        "advance_package": view.extra.booking_sn.is_some(),
        "can_full_cancel_order": view.can_cancel(),
        "can_partial_cancel_order": view.can_cancel() && order.lines.len() > 1,
        "goods_to_declare": false,
        "return_request_due_date": 0,
        "shipping_carrier": view.channel().1,
        "checkout_shipping_carrier": view.channel().1,
        "order_chargeable_weight_gram": weight(&order.lines),
        "dropshipper": null,
        "dropshipper_phone": null,
        "invoice_data": null,
        "buyer_cpf_id": null,
    })
}

fn money(view: &View<'_>) -> Value {
    let order = view.order;
    let total = order.lines.iter().fold(order.shipping_fee, |sum, line| sum + line.total());
    json!({
        "total_amount": order.paid_at.map(|_| total),
        "payment_method": order.payment_method,
        "estimated_shipping_fee": order.shipping_fee,
        "actual_shipping_fee": Amount::ZERO,
        "actual_shipping_fee_confirmed": false,
        "reverse_shipping_fee": Amount::ZERO,
    })
}

fn buyer(view: &View<'_>) -> Value {
    let user = ids::user_id(view.order.number);
    let hidden = view.settings.region == "TW" && view.is_own_delivery();
    json!({
        "buyer_user_id": (!hidden).then_some(user),
        "buyer_username": if hidden { "****".to_owned() } else { format!("buyer{user}") },
        "recipient_address": recipient_address(view.order, view.settings),
    })
}

/// As masked as the settings say.
pub(super) fn recipient_address(order: &Order, settings: &Settings) -> Value {
    let (person, address) = (&order.recipient, &order.address);
    let phone = if person.mobile.is_empty() { &person.phone } else { &person.mobile };
    let streets = [&address.line1, &address.line2].map(String::as_str);
    let parts = [streets[0], streets[1], &address.city, &address.region, &address.postal_code];
    let full = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
    let masked = |text: &str, mask: fn(&str) -> String| match settings.masking {
        Masking::Off => text.to_owned(),
        Masking::Partly => mask(text),
        Masking::Whole => "****".to_owned(),
    };
    let open = |text: &str| masked(text, str::to_owned);
    json!({
        "name": masked(&person.name, mask_inside),
        "phone": masked(phone, mask_front),
        "town": "",
        "district": "",
        "city": open(&address.city),
        "state": open(&address.region),
        "region": open(&address.country),
        "zipcode": open(&address.postal_code),
        "full_address": masked(&full, mask_end),
    })
}

fn mask_inside(text: &str) -> String {
    match (text.chars().next(), text.chars().next_back()) {
        (Some(first), Some(last)) => format!("{first}******{last}"),
        _ => String::new(),
    }
}

fn mask_front(text: &str) -> String {
    let kept = text.chars().count().saturating_sub(2);
    format!("******{}", text.chars().skip(kept).collect::<String>())
}

fn mask_end(text: &str) -> String {
    format!("{}******", text.chars().take(3).collect::<String>())
}

fn weight(lines: &[Line]) -> u64 {
    lines.iter().map(|line| 500 * u64::from(line.quantity)).sum()
}

fn goods(view: &View<'_>) -> Value {
    let order = view.order;
    let lines: Vec<Value> = (0..order.lines.len()).filter_map(|at| line_row(view, at)).collect();
    let packages: Vec<Value> = view.packages.iter().map(|package| package_row(view, package)).collect();
    json!({ "item_list": lines, "package_list": packages })
}

fn line_row(view: &View<'_>, at: usize) -> Option<Value> {
    let line = view.order.lines.get(at)?;
    let (item_id, model_id) = ids::goods_of(line);
    let (order_item_id, group) = ids::place_of(view.order, at);
    let is_bundle = group > 0;
    let options: Vec<&str> = line.axes.iter().map(|axis| axis.value.as_str()).collect();
    let cancelled = if line.state == LineState::Cancelled { line.quantity } else { line.cancelled_quantity };
    let open = |kind| {
        let open = |claim: &&Claim| claim.line == line.number && claim.kind == kind && claim.is_open();
        view.order.claims.iter().filter(open).map(|claim| claim.quantity).sum::<u32>()
    };
    let mut row = json!({
        "item_id": item_id,
        "item_name": line.title,
        "item_sku": line.seller_code,
        "model_id": model_id,
        "model_name": options.join(","),
        "model_sku": line.option_sku,
        "model_quantity_purchased": line.quantity,
        "model_original_price": line.unit_price,
        // The price within a bundle is not told here.
        "model_discounted_price": if is_bundle { Amount::ZERO } else { discounted(line) },
        "wholesale": false,
        "weight": 0.5,
        "add_on_deal": false,
        "main_item": false,
        "add_on_deal_id": 0,
        "promotion_type": if is_bundle { "bundle_deal" } else { "" },
        "promotion_id": group,
        "order_item_id": order_item_id,
        "promotion_group_id": group,
        "image_info": { "image_url": "https://example.com/i.jpg" },
        "product_location_id": [view.settings.location()],
        "is_prescription_item": view.extra.prescription_unchecked,
        "is_b2c_owned_item": false,
        "promotion_list": [],
        "hot_listing_item": false,
        "active_qty": line.quantity.saturating_sub(cancelled),
        "cancel_requested_qty": open(ClaimKind::Cancel),
        "cancelled_qty": cancelled,
        "return_requested_qty": open(ClaimKind::Return),
        "returned_qty": 0,
    });
    if view.settings.line_item_ids {
        row["line_item_id"] = json!(ids::line_id(line));
    }
    Some(row)
}

/// The discount of a line is shared by its units, rounded down.
fn discounted(line: &Line) -> Amount {
    let share = line.discount.as_hundredths() / i64::from(line.quantity.max(1));
    line.unit_price - Amount::hundredths(share)
}

/// What is in a parcel, line by line.
pub(super) fn contents(view: &View<'_>, contents: &[ParcelLine]) -> Vec<Value> {
    let row = |sent: &ParcelLine| {
        let at = view.order.lines.iter().position(|line| line.number == sent.line)?;
        let line = &view.order.lines[at];
        let (item_id, model_id) = ids::goods_of(line);
        let (order_item_id, group) = ids::place_of(view.order, at);
        Some(json!({
            "item_id": item_id,
            "model_id": model_id,
            "item_sku": line.seller_code,
            "model_sku": line.option_sku,
            "model_quantity": sent.quantity,
            "order_item_id": order_item_id,
            "promotion_group_id": group,
            "product_location_id": view.settings.location(),
        }))
    };
    contents.iter().filter_map(row).collect()
}

fn package_row(view: &View<'_>, package: &Package) -> Value {
    let mut items = contents(view, &package.contents);
    for item in items.iter_mut().filter_map(Value::as_object_mut) {
        item.retain(|name, _| !name.ends_with("_sku"));
    }
    let (channel, carrier) = view.channel();
    let mut row = json!({
        "package_number": package.number,
        "logistics_status": view.logistics_status(package),
        "logistics_channel_id": channel,
        "shipping_carrier": carrier,
        "allow_self_design_awb": true,
        "item_list": items,
        "parcel_chargeable_weight_gram": 500,
        "group_shipment_id": null,
    });
    if view.settings.region == "TW" && view.is_own_delivery() {
        row["virtual_contact_number"] = json!("0928000886");
        row["package_query_number"] = json!("66668888");
    }
    row
}

/// By whom and why an order was cancelled, or is to be.
fn ended(view: &View<'_>, market: &Market) -> Value {
    let asked = view
        .order
        .claims
        .iter()
        .rev()
        .find(|claim| matches!(claim.kind, ClaimKind::Cancel | ClaimKind::Unpaid) && claim.is_shown());
    let reason = asked.map(|claim| claim.reason.clone()).unwrap_or_default();
    let status = view.status(true);
    let by = match status {
        "CANCELLED" => market.read(|state| cancelled_by(state, view.order.number)),
        "IN_CANCEL" => "buyer",
        _ => "",
    };
    let (buyer_reason, reason) = match by {
        "" => (String::new(), String::new()),
        "buyer" => (reason.clone(), reason),
        _ => (String::new(), reason),
    };
    json!({ "buyer_cancel_reason": buyer_reason, "cancel_by": by, "cancel_reason": reason })
}

/// By the record: who cancelled it last.
fn cancelled_by(state: &MarketState, order: OrderNumber) -> &'static str {
    let is_end = |event: &&Event| {
        event.subject.order == Some(order)
            && event.is_done()
            && matches!(event.action, Action::Cancelled { .. } | Action::UnitsCancelled { .. })
    };
    match state.record().iter().rev().find(is_end).map(|event| &event.actor) {
        Some(Actor::Buyer) => "buyer",
        Some(Actor::Api { operation, .. }) if operation == "order.handle_buyer_cancellation" => "buyer",
        Some(Actor::Marketplace) => "system",
        _ => "seller",
    }
}
