//! Orders and their lines as nodes (sheet 4.1 and section 6).

use serde_json::{Value, json};

use super::book::{self, Book, Page};
use super::desk::Visit;
use super::node::{Field, Node};
use super::root::READ_FULFILLMENT;
use super::{fulfillment_orders, ids, places, product_nodes, time};
use crate::Amount;
use crate::market::{Address, Line, MarketState, Order, OrderNumber, Person};

/// Orders older than this need `read_all_orders`.
const RECENT_DAYS: i64 = 60;

/// Whether the token may see an order.
pub(super) fn is_visible(visit: &Visit<'_>, order: &Order) -> bool {
    let old = (visit.now - order.ordered_at).num_days() >= RECENT_DAYS;
    order.seller == visit.token.seller && (!old || visit.lacks(&["read_all_orders"]).is_none())
}

pub(super) fn by_number(visit: &Visit<'_>, number: u64) -> Option<Node> {
    let book = visit.book();
    visit.market().read(|state| {
        let order = state.order(OrderNumber(number)).filter(|order| is_visible(visit, order))?;
        Some(order_node(visit, &book, state, order))
    })
}

pub(super) fn order_node(visit: &Visit<'_>, book: &Book, state: &MarketState, order: &Order) -> Node {
    let page = book.page(order.number);
    let lines: Vec<Node> =
        order.lines.iter().map(|line| line_node(visit, book, state, order, line)).collect();
    let units = |count: fn(&Line) -> u32| order.lines.iter().map(count).sum::<u32>();
    let discounts = order.lines.iter().fold(Amount::ZERO, |sum, line| sum + line.discount);
    let total = order.lines.iter().fold(order.shipping_fee, |sum, line| sum + line.total());
    let closed_at = page.closed_at;
    let fulfillable = book
        .by_location(&page, order)
        .iter()
        .any(|(id, lines)| is_open(book::fulfillment_status(order, &page, (*id, lines), visit.now)));
    let ships = order.lines.iter().any(|line| !book.digital.contains(&ids::variant_of(line)));
    let personal = |value: Value| if visit.settings.protected_data { value } else { Value::Null };
    let node = Node::new("Order").leaves([
        ("cancelReason", json!(page.cancel_reason.clone().or_else(|| cancelled_elsewhere(order)))),
        ("cancelledAt", json!(book::cancelled_at(order).map(time))),
        ("closed", json!(closed_at.is_some())),
        ("closedAt", json!(closed_at.map(time))),
        ("confirmed", json!(true)),
        ("createdAt", json!(time(order.ordered_at))),
        ("currencyCode", json!(order.currency)),
        ("currentSubtotalLineItemsQuantity", json!(units(current))),
        ("displayFinancialStatus", json!(book::financial_status(order, &page))),
        ("displayFulfillmentStatus", json!(book::display_status(book, order, &page, visit.now))),
        ("edited", json!(false)),
        ("email", personal(json!(filled(&order.buyer.email)))),
        ("fulfillable", json!(fulfillable)),
        ("fullyPaid", json!(order.paid_at.is_some())),
        ("id", json!(ids::gid("Order", order.number.0))),
        ("legacyResourceId", json!(order.number.0.to_string())),
        ("name", json!(name(order))),
        ("note", json!(filled(&order.message))),
        ("number", json!(order.number.0)),
        ("paymentGatewayNames", json!([order.payment_method])),
        ("phone", personal(json!(phone(&order.buyer)))),
        ("presentmentCurrencyCode", json!(order.currency)),
        ("processedAt", json!(time(order.ordered_at))),
        ("requiresShipping", json!(ships)),
        ("subtotalLineItemsQuantity", json!(units(|line| line.quantity))),
        ("tags", json!([])),
        ("test", json!(page.test)),
        ("unpaid", json!(order.paid_at.is_none())),
        ("updatedAt", json!(time(book::updated_at(order, &page)))),
    ]);
    let most = visit.settings.page_size;
    let node = node
        .with("customAttributes", attributes(order))
        .with("customer", visit.settings.protected_data.then(|| customer(order)))
        .with("shippingAddress", (visit.settings.protected_data && ships).then(|| address(order)))
        .with("totalPriceSet", money(total, &order.currency))
        .with("totalShippingPriceSet", money(order.shipping_fee, &order.currency))
        .with("totalDiscountsSet", money(discounts, &order.currency))
        .with("fulfillments", fulfillments(book, &page, order))
        .connection("lineItems", lines, most);
    match visit.lacks(READ_FULFILLMENT) {
        Some(access) => node.with("fulfillmentOrders", Field::Denied(access)),
        None => {
            let nodes = fulfillment_orders::nodes(visit, book, state, order);
            node.connection("fulfillmentOrders", nodes, most)
        }
    }
}

fn is_open(status: &str) -> bool {
    matches!(status, "OPEN" | "IN_PROGRESS")
}

fn cancelled_elsewhere(order: &Order) -> Option<String> {
    book::cancelled_at(order).map(|_| "OTHER".to_owned())
}

/// The number that merchants see.
pub(super) fn name(order: &Order) -> String {
    format!("#{}", order.number)
}

fn current(line: &Line) -> u32 {
    if line.cancelled_at.is_some() { 0 } else { line.quantity.saturating_sub(line.cancelled_quantity) }
}

fn filled(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

fn phone(person: &Person) -> Option<&str> {
    filled(&person.mobile).or_else(|| filled(&person.phone))
}

fn attributes(order: &Order) -> Vec<Node> {
    let day = order.desired_delivery.map(|day| day.format("%Y-%m-%d").to_string());
    day.into_iter()
        .map(|day| Node::new("Attribute").leaves([("key", json!("desired_delivery")), ("value", json!(day))]))
        .collect()
}

/// First and last name. In Japan the last name stands first.
fn split_name<'a>(name: &'a str, address: &Address) -> (Option<&'a str>, Option<&'a str>) {
    let (head, tail) = name.split_once([' ', '\u{3000}']).unwrap_or(("", name));
    if address.country == "JP" && !head.is_empty() {
        (filled(tail), filled(head))
    } else {
        (filled(head), filled(tail))
    }
}

fn customer(order: &Order) -> Node {
    let buyer = &order.buyer;
    let (first, last) = split_name(&buyer.name, &order.address);
    let email = filled(&buyer.email)
        .map(|email| Node::new("CustomerEmailAddress").leaves([("emailAddress", json!(email))]));
    let phone =
        phone(buyer).map(|phone| Node::new("CustomerPhoneNumber").leaves([("phoneNumber", json!(phone))]));
    Node::new("Customer")
        .leaves([
            ("displayName", json!(buyer.name)),
            ("firstName", json!(first)),
            ("id", json!(ids::gid("Customer", order.cart))),
            ("lastName", json!(last)),
            ("legacyResourceId", json!(order.cart.to_string())),
        ])
        .with("defaultEmailAddress", email)
        .with("defaultPhoneNumber", phone)
}

fn address(order: &Order) -> Node {
    let (person, address) = (&order.recipient, &order.address);
    let (first, last) = split_name(&person.name, address);
    let (province, code) = places::province(&address.region);
    let country = Some(&address.country).filter(|country| country.len() == 2);
    Node::new("MailingAddress").leaves([
        ("address1", json!(filled(&address.line1))),
        ("address2", json!(filled(&address.line2))),
        ("city", json!(filled(&address.city))),
        ("company", Value::Null),
        ("country", json!(country.map(|code| if code == "JP" { "Japan" } else { code }))),
        ("countryCodeV2", json!(country)),
        ("firstName", json!(first)),
        ("id", json!(ids::gid("MailingAddress", order.number.0))),
        ("lastName", json!(last)),
        ("name", json!(filled(&person.name))),
        ("phone", json!(phone(person))),
        ("province", json!(filled(&province))),
        ("provinceCode", json!(code)),
        ("zip", json!(filled(&address.postal_code))),
    ])
}

/// An amount in both currencies, which are the same here.
pub(super) fn money(amount: Amount, currency: &str) -> Node {
    let one = || {
        Node::new("MoneyV2").leaves([("amount", json!(decimal(amount))), ("currencyCode", json!(currency))])
    };
    Node::new("MoneyBag").with("shopMoney", one()).with("presentmentMoney", one())
}

/// "4480.0", "12.5", "0.05".
pub(super) fn decimal(amount: Amount) -> String {
    let text = amount.with_decimals();
    text.strip_suffix('0').map(str::to_owned).unwrap_or(text)
}

/// The share of a unit in the line's total.
fn discounted_unit(line: &Line) -> Amount {
    Amount::hundredths(line.total().as_hundredths() / i64::from(line.quantity.max(1)))
}

pub(super) fn line_node(
    visit: &Visit<'_>,
    book: &Book,
    state: &MarketState,
    order: &Order,
    line: &Line,
) -> Node {
    let variant_title = product_nodes::variant_title(&line.axes);
    let sku = if line.option.is_some() { &line.option_sku } else { &line.seller_code };
    let listed = state.item(line.item);
    let node = Node::new("LineItem")
        .leaves([
            ("currentQuantity", json!(current(line))),
            ("id", json!(ids::gid("LineItem", line.number.0))),
            ("name", json!(product_nodes::full_name(&line.title, variant_title.as_deref()))),
            ("nonFulfillableQuantity", json!(0)),
            ("quantity", json!(line.quantity)),
            ("refundableQuantity", json!(current(line))),
            ("requiresShipping", json!(!book.digital.contains(&ids::variant_of(line)))),
            ("sku", json!(filled(sku))),
            ("title", json!(line.title)),
            ("unfulfilledQuantity", json!(book::left_of(line))),
            ("variantTitle", json!(variant_title)),
            ("vendor", json!("Sandbox Demo")),
        ])
        .with("customAttributes", Vec::<Node>::new())
        .with("originalUnitPriceSet", money(line.unit_price, &order.currency))
        .with("discountedUnitPriceAfterAllDiscountsSet", money(discounted_unit(line), &order.currency));
    match visit.lacks(&["read_products"]) {
        Some(access) => {
            node.with("product", Field::Denied(access.clone())).with("variant", Field::Denied(access))
        }
        None => node
            .with("product", listed.map(product_nodes::product))
            .with("variant", listed.and_then(|item| product_nodes::variant(visit, book, item, line.option))),
    }
}

fn fulfillments(book: &Book, page: &Page, order: &Order) -> Vec<Node> {
    (0..order.parcels.len()).filter_map(|place| fulfillment(book, page, order, place)).collect()
}

/// The fulfilment that a parcel is.
pub(super) fn fulfillment(book: &Book, page: &Page, order: &Order, place: usize) -> Option<Node> {
    let parcel = order.parcels.get(place)?;
    let lines: Vec<&Line> = parcel.lines.iter().filter_map(|sent| order.line(sent.line)).collect();
    let delivered_at = lines.iter().map(|line| line.delivered_at).collect::<Option<Vec<_>>>();
    let delivered_at = delivered_at.and_then(|times| times.into_iter().max());
    let shown = book::Tracking {
        company: filled(&parcel.carrier).map(str::to_owned),
        number: filled(&parcel.tracking).map(str::to_owned),
        url: None,
    };
    let tracking = page
        .tracking
        .get(&place)
        .cloned()
        .unwrap_or_else(|| if shown == book::Tracking::default() { Vec::new() } else { vec![shown] });
    let tracking: Vec<Node> = tracking
        .into_iter()
        .map(|one| {
            Node::new("FulfillmentTrackingInfo").leaves([
                ("company", json!(one.company)),
                ("number", json!(one.number)),
                ("url", json!(one.url)),
            ])
        })
        .collect();
    let id = ids::fulfillment(order.number, place);
    let ships = lines.iter().any(|line| !book.digital.contains(&ids::variant_of(line)));
    let node = Node::new("Fulfillment").leaves([
        ("createdAt", json!(time(parcel.shipped_at))),
        ("deliveredAt", json!(delivered_at.map(time))),
        ("displayStatus", json!(if delivered_at.is_some() { "DELIVERED" } else { "FULFILLED" })),
        ("id", json!(ids::gid("Fulfillment", id))),
        ("legacyResourceId", json!(id.to_string())),
        ("name", json!(format!("{}-F{}", name(order), place + 1))),
        ("requiresShipping", json!(ships)),
        ("status", json!("SUCCESS")),
        ("totalQuantity", json!(parcel.lines.iter().map(|sent| sent.quantity).sum::<u32>())),
        ("updatedAt", json!(time(delivered_at.unwrap_or(parcel.shipped_at)))),
    ]);
    Some(node.with("trackingInfo", tracking))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_at_least_one_decimal() {
        for (hundredths, text) in [(448_000, "4480.0"), (1250, "12.5"), (5, "0.05"), (0, "0.0")] {
            assert_eq!(decimal(Amount::hundredths(hundredths)), text);
        }
    }

    #[test]
    fn the_last_name_stands_first_in_japan_only() {
        let country = |code: &str| Address { country: code.into(), ..Address::default() };
        assert_eq!(split_name("田中 一郎", &country("JP")), (Some("一郎"), Some("田中")));
        assert_eq!(split_name("Ann Lee", &country("US")), (Some("Ann"), Some("Lee")));
        assert_eq!(split_name("김민지", &country("KR")), (None, Some("김민지")));
        assert_eq!(split_name("田中", &country("JP")), (None, Some("田中")));
    }
}
