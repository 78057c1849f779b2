//! An order out of the answer of `orderInfo`. No call is made here.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::channel::Tracking;
use crate::lenient::{decimal, integer};
use crate::model::{
    Address, ChannelData, Currency, Destination, Line, ListingKey, Money, Order, OrderStatus, Party, Private,
    RawPayload, Sku,
};
use crate::xml::Element;

use super::carriers;
use super::status::{Block, Flags};
use super::wire::{day, filled, flag, time, value};

/// What later calls need of an order.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Kept {
    /// What keeps it from being changed.
    pub(super) blocks: Vec<Block>,
    /// The tracking numbers on it, whether it is shipped or not.
    pub(super) numbers: [String; 2],
    /// Why it has no number, where the store said so.
    pub(super) no_number: String,
}

/// An order as it was read.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) order: Order,
    /// When it became the seller's; `None`: not yet, or that can't be told.
    pub(super) taken: Option<DateTime<Utc>>,
    /// The orders that it was split into.
    pub(super) children: Vec<String>,
}

/// The groups of an order. One that is missing is as if it were empty.
struct Groups<'a> {
    order: &'a Element<'a>,
    pay: &'a Element<'a>,
    ship: &'a Element<'a>,
    detail: &'a Element<'a>,
}

/// Reads an order. The error says what can't be read, without personal data.
pub(super) fn read_order(element: &Element<'_>, read_at: DateTime<Utc>) -> Result<Read, &'static str> {
    let group = |name| element.all(name).next().unwrap_or(element);
    let groups = Groups { order: element, pay: group("Pay"), ship: group("Ship"), detail: group("Detail") };
    let id = value(element, "OrderId").ok_or("the order id is missing")?;
    let ordered_at = time(element.field("OrderTime")).ok_or("the time of the order can't be read")?;
    let flags = Flags::of(element, groups.pay, groups.ship);
    let status = flags.status();
    let updated_at = time(element.field("LastUpdateTime")).unwrap_or(read_at);
    let mut order = Order::new(id, status, ordered_at, updated_at, Currency::JPY);
    order.paid_at = paid_at(&groups, &flags);
    order.group = group_of(element);
    order.buyer = Private::new(person(groups.pay, "Bill"));
    order.destinations = vec![destination(groups.ship)?];
    order.ship_by = time(groups.ship.field("ShippingDeadline"));
    if !status.is_past_dispatch() {
        order.holds = flags.holds();
    }
    order.lines =
        element.all("Item").map(|item| line(item, status)).collect::<Result<Vec<Line>, &'static str>>()?;
    if order.lines.is_empty() {
        return Err("the order has no lines");
    }
    order.expected_ship_date = element.all("Item").filter_map(|item| day(item.field("LeadTimeEnd"))).max();
    totals(&mut order, groups.detail);
    order.memo = memo(&groups);
    let kept = Kept {
        blocks: flags.blocks(),
        numbers: ["ShipInvoiceNumber1", "ShipInvoiceNumber2"].map(|name| groups.ship.field(name).to_owned()),
        no_number: groups.ship.field("ShipInvoiceNumberEmptyReason").to_owned(),
    };
    order.tracking = tracking(&kept, groups.ship.field("ShipCompanyCode"), status);
    order.channel_data = ChannelData::new(&kept).map_err(|_| "what later calls need can't be kept")?;
    order.raw = RawPayload::new(element.raw());
    let children = flags.children.split(',').filter_map(filled).map(str::to_owned);
    Ok(Read { taken: taken(element, &flags, &order), children: children.collect(), order })
}

/// When the order became the seller's: when it was paid, for those that are paid first; else when it was ordered. One
/// that the channel held back counts from the time at which it handed it over; where it was held and that time is not
/// told, nobody knows.
fn taken(element: &Element<'_>, flags: &Flags<'_>, order: &Order) -> Option<DateTime<Utc>> {
    if !matches!(order.status, OrderStatus::New | OrderStatus::Confirmed) || flags.split {
        return None;
    }
    let published = time(element.field("PublicationTime"));
    let was_held = !matches!(flags.fraud, "" | "0");
    if (was_held && published.is_none()) || value(element, "ParentOrderId").is_some() {
        return None;
    }
    let paid = if flags.pay_type == "0" { None } else { Some(order.paid_at?) };
    [Some(order.ordered_at), published, paid].into_iter().flatten().max()
}

fn paid_at(groups: &Groups<'_>, flags: &Flags<'_>) -> Option<DateTime<Utc>> {
    let action = time(groups.pay.field("PayActionTime")).filter(|_| flags.pay == "1");
    action.or_else(|| time(groups.pay.field("PayDate")))
}

/// Orders of one purchase to several addresses; else those that were one order before it was split.
fn group_of(order: &Element<'_>) -> Option<String> {
    let of_purchase = value(order, "MultiShipId").filter(|_| flag(order.field("IsMultiShip")) == Some(true));
    of_purchase.or_else(|| value(order, "ParentOrderId")).map(str::to_owned)
}

fn full_name(family: &str, given: &str) -> String {
    [family, given].into_iter().filter_map(filled).collect::<Vec<&str>>().join(" ")
}

/// A person, by the prefix of the fields: `Bill` or `Ship`.
fn person(group: &Element<'_>, prefix: &str) -> Party {
    let field = |name: &str| group.field(&format!("{prefix}{name}")).to_owned();
    let mut party = Party::default();
    party.name.push_str(&full_name(&field("LastName"), &field("FirstName")));
    party.name_reading = full_name(&field("LastNameKana"), &field("FirstNameKana"));
    party.phone = field("PhoneNumber");
    party.phone_alternative = field("EmgPhoneNumber");
    if party.phone.is_empty() {
        std::mem::swap(&mut party.phone, &mut party.phone_alternative);
    }
    party.email = field("MailAddress");
    party.address = Address::default();
    party.address.postal_code = field("ZipCode");
    party.address.region = field("Prefecture");
    party.address.city = field("City");
    party.address.lines =
        ["Address1", "Address2"].into_iter().map(field).filter(|line| !line.is_empty()).collect();
    party
}

fn destination(ship: &Element<'_>) -> Result<Destination, &'static str> {
    let party = person(ship, "Ship");
    let address = &party.address;
    let texts = [&party.name, &address.postal_code, &address.region, &address.city];
    if texts.into_iter().chain(&address.lines).any(|text| text.contains('\u{FFFD}')) {
        return Err("name or address have broken characters");
    }
    let wishes = ["ShipRequestTime", "EazyDeliveryName"].into_iter().filter_map(|name| value(ship, name));
    let wishes = wishes.collect::<Vec<&str>>().join("\n");
    let mut destination = Destination::default();
    if !wishes.is_empty() {
        destination.message = Some(Private::new(wishes));
    }
    destination.recipient = Private::new(party);
    destination.desired_date = day(ship.field("ShipRequestDate"));
    Ok(destination)
}

fn line(item: &Element<'_>, status: OrderStatus) -> Result<Line, &'static str> {
    let id = value(item, "LineId").ok_or("a line has no number")?;
    let code = value(item, "ItemId").ok_or("a line has no item code")?;
    if code.contains('\u{FFFD}') || item.field("SubCode").contains('\u{FFFD}') {
        return Err("an item code has broken characters");
    }
    // A changed order shows other quantities, and no field tells cancelled pieces ("Item").
    let quantity = integer(item.field("Quantity"))
        .and_then(|pieces| u32::try_from(pieces).ok())
        .ok_or("the quantity of a line can't be read")?;
    let option = value(item, "SubCode");
    let listing = option.map_or_else(|| ListingKey::item(code), |option| ListingKey::option(code, option));
    let mut line = Line::new(id, listing, quantity, status);
    line.sku = Some(Sku::from(option.unwrap_or(code)));
    line.title = item.field("Title").to_owned();
    line.option_text = option_text(item);
    match status {
        OrderStatus::Cancelled => line.cancelled = quantity,
        status if status.is_past_dispatch() => line.shipped = quantity,
        _ => {}
    }
    prices(&mut line, item);
    Ok(line)
}

fn option_text(item: &Element<'_>) -> String {
    if let Some(words) = value(item, "SubCodeOption") {
        return words.to_owned();
    }
    named(item, "ItemOption").collect::<Vec<String>>().join(", ")
}

/// Names and values of the chosen options, or of the buyer's texts.
fn named(item: &Element<'_>, name: &'static str) -> impl Iterator<Item = String> {
    item.all(name).filter_map(|one| {
        let (name, value) = (one.field("Name"), one.field("Value"));
        filled(value)?;
        Some(if name.is_empty() { value.to_owned() } else { format!("{name}: {value}") })
    })
}

/// `UnitPrice` is after the store's coupon. `OriginalPrice` is before it; empty without one, and 0 when it was taken back.
fn prices(line: &mut Line, item: &Element<'_>) {
    let Some(paid) = decimal(item.field("UnitPrice")) else { return };
    let before = decimal(item.field("OriginalPrice")).filter(|price| *price > paid);
    let pieces = Decimal::from(line.quantity);
    let money = |amount: Option<Decimal>| amount.map(|amount| Money::new(amount, Currency::JPY));
    line.unit_price = money(Some(before.unwrap_or(paid)));
    line.total = money(paid.checked_mul(pieces));
    line.discount = money(before.and_then(|before| before.checked_sub(paid)?.checked_mul(pieces)));
}

/// `TotalPrice` is taken as it is: what it is made of is told in two ways that contradict each other ("Detail").
fn totals(order: &mut Order, detail: &Element<'_>) {
    let amount = |name| decimal(detail.field(name));
    let money = |amount: Option<Decimal>| amount.map(|amount| Money::new(amount, Currency::JPY));
    order.totals.total = money(amount("TotalPrice"));
    order.totals.shipping = money(amount("ShipCharge"));
    let parts = [amount("Discount"), amount("TotalMallCouponDiscount")];
    let discount = parts.into_iter().flatten().map(|part| part.abs()).reduce(Decimal::saturating_add);
    order.totals.discount = money(discount);
}

fn memo(groups: &Groups<'_>) -> Option<Private<String>> {
    let comments = value(groups.order, "BuyerComments").map(str::to_owned);
    let gift = value(groups.ship, "GiftWrapMessage").map(str::to_owned);
    let inscriptions = groups.order.all("Item").flat_map(|item| named(item, "Inscription"));
    let texts: Vec<String> = comments.into_iter().chain(gift).chain(inscriptions).collect();
    (!texts.is_empty()).then(|| Private::new(texts.join("\n")))
}

/// Numbers count as known to the channel only once the order is shipped: a number that somebody noted beforehand proves
/// no shipment, and would end a parcel that is still to be reported.
fn tracking(kept: &Kept, carrier: &str, status: OrderStatus) -> Vec<Tracking> {
    if !matches!(status, OrderStatus::Shipped | OrderStatus::Delivered | OrderStatus::Returned) {
        return Vec::new();
    }
    let carrier = carriers::name(carrier).unwrap_or(carrier);
    let numbers = kept.numbers.iter().filter_map(|number| filled(number));
    numbers.map(|number| Tracking::new(carrier, number)).collect()
}
