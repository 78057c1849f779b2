//! Rows into orders (sheet: Status table, 4, 5). No call is made here.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::channel::Tracking;
use crate::model::{
    ChannelData, Destination, Hold, Line, ListingKey, Money, Order, OrderStatus, Party, Private,
};

use super::Config;
use super::settings::Choices;
use super::variants::{escaped, key};
use super::wire::{day, decimal, integer, number, row, time};

row! {
    /// A row of `get_order`.
    OrderRow {
        order_number, order_date, shop_code, shop_name, order_code,
        client_section_name1, client_section_name2, client_name, client_kana, client_zip, client_address1,
        client_address2, client_tel, client_mail,
        ship_section_name1, ship_section_name2, ship_name, ship_kana, ship_zip, ship_address1, ship_address2, ship_tel,
        delivery_number, delivery_type_name, delivery_name, delivery_req_date, delivery_time_name, delivery_date,
        delivery_memo, payment_name, order_memo, carriage_price, total_price,
        phase_name, cancel_flag, bundle_ahead_number, created_at, updated_at,
    }
}

row! {
    /// A row of `get_order_detail`.
    LineRow {
        order_number, line_no, item_code, item_name, attribute1_code, attribute1_name, attribute2_code, attribute2_name,
        amount, unit_price, amount_price, free_item_code, component_flag, jan_cd,
    }
}

impl LineRow<'_> {
    /// The item whose variants tell the line's SKU; `None`: it is not in the item master.
    pub(super) fn stocked_item(&self) -> Option<&str> {
        (!self.item_code.is_empty() && self.free_item_code.is_empty()).then_some(self.item_code)
    }

    pub(super) fn codes(&self) -> [&str; 2] {
        [self.attribute1_code, self.attribute2_code]
    }
}

/// What of an order has no place of its own in the model.
#[derive(Serialize)]
struct OrderData<'a> {
    phase: &'a str,
    shop_code: &'a str,
    shop: &'a str,
    payment: &'a str,
    delivery_type: &'a str,
    /// The number, also before the order counts as shipped.
    delivery_number: &'a str,
    carrier: &'a str,
    /// Planned or done.
    ship_date: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    packed_into: Option<&'a str>,
}

/// What of a line has no place of its own in the model.
#[derive(Serialize)]
struct LineData<'a> {
    /// It is a set made of parts.
    set: bool,
    jan: &'a str,
    free_item_code: &'a str,
}

/// The order into which this one is packed, if it is packed into another (sheet 5).
pub(super) fn packed_into<'e>(row: &OrderRow<'e>) -> Option<&'e str> {
    let ahead = row.bundle_ahead_number;
    let nothing = ahead.is_empty() || number(ahead) == Some(0);
    let itself =
        ahead == row.order_number || (number(ahead).is_some() && number(ahead) == number(row.order_number));
    (!nothing && !itself).then_some(ahead)
}

/// What flag and phase say (sheet: Status table); the first that fits counts. A tracking number and a ship date say
/// nothing: merchants enter both ahead.
pub(super) fn status(row: &OrderRow<'_>, choices: &Choices) -> OrderStatus {
    match row.cancel_flag {
        "2" => OrderStatus::Cancelled,
        "0" | "1" => choices.status(row.phase_name).unwrap_or(OrderStatus::Unknown),
        _ => OrderStatus::Unknown,
    }
}

/// The order without its lines. `known` fills what the row leaves out. The error says what is missing, without
/// personal data.
pub(super) fn order(
    row: &OrderRow<'_>,
    choices: &Choices,
    config: &Config,
    read_at: DateTime<Utc>,
    known: Option<&Order>,
) -> Result<Order, &'static str> {
    if number(row.order_number).is_none_or(|number| number == 0) {
        return Err("the order number can't be read");
    }
    if [row.ship_name, row.ship_address1, row.ship_address2].iter().any(|text| text.contains('\u{FFFD}')) {
        return Err("name or address have broken characters");
    }
    let time = |text| time(text, config.zone);
    let ordered_at = time(row.order_date)
        .or_else(|| Some(known?.ordered_at))
        .or_else(|| time(row.created_at))
        .ok_or("neither the order date nor the time of import can be read")?;
    let status = status(row, choices);
    let updated_at = time(row.updated_at).unwrap_or(read_at);
    let mut order = Order::new(row.order_number, status, ordered_at, updated_at, config.currency);
    order.number = filled(row.order_code);
    if row.cancel_flag == "1" {
        order.holds.push(Hold::OnHold);
    }
    let money = |text| Some(Money::new(decimal(text)?, config.currency));
    order.totals.total = money(row.total_price);
    order.totals.shipping = money(row.carriage_price);
    order.buyer = Private::new(buyer(row));
    order.destinations = vec![destination(row)];
    order.memo = filled(row.order_memo).map(Private::new);
    // Only once it has left: the hub takes a number in an order for a parcel that was reported, and merchants enter
    // numbers when they print labels.
    if status == OrderStatus::Shipped
        && let Some(number) = filled(row.delivery_number)
    {
        order.tracking = vec![Tracking::new(row.delivery_name, number)];
    }
    order.channel_data = ChannelData::new(&OrderData {
        phase: row.phase_name,
        shop_code: row.shop_code,
        shop: row.shop_name,
        payment: row.payment_name,
        delivery_type: row.delivery_type_name,
        delivery_number: row.delivery_number,
        carrier: row.delivery_name,
        ship_date: row.delivery_date,
        packed_into: packed_into(row),
    })
    .map_err(|_| "the order's data can't be kept")?;
    if let Some(known) = known {
        fill_from(&mut order, known);
    }
    Ok(order)
}

/// A known order that was packed into another, or whose lines CROSS MALL does not show any more: it keeps its lines, and
/// is held (sheet 5). One that was not taken before is not taken now.
pub(super) fn held(mut order: Order, known: &Order) -> Order {
    let taken = known.status >= OrderStatus::New;
    if !taken && matches!(order.status, OrderStatus::New | OrderStatus::Confirmed) {
        order.status = OrderStatus::Unknown;
    }
    order.holds.push(Hold::ChangePending);
    order.lines.clone_from(&known.lines);
    for line in &mut order.lines {
        line.shipped = 0;
        in_status(line, order.status);
    }
    order
}

/// Lines have no state of their own: they are as far as their order.
fn in_status(line: &mut Line, status: OrderStatus) {
    line.status = status;
    if status.is_past_dispatch() && status != OrderStatus::Cancelled {
        line.shipped = line.quantity;
    }
}

/// A line without its SKU. `more` are its choices without stock of their own.
pub(super) fn line(
    row: &LineRow<'_>,
    more: &[String],
    order: &Order,
    config: &Config,
) -> Result<Line, &'static str> {
    if !row.order_number.is_empty() && number(row.order_number) != number(order.id.as_str()) {
        return Err("a line belongs to another order");
    }
    if row.line_no.is_empty() {
        return Err("a line has no number");
    }
    if row.item_code.contains('\u{FFFD}') {
        return Err("an item code has broken characters");
    }
    let quantity = integer(row.amount)
        .and_then(|pieces| u32::try_from(pieces).ok())
        .filter(|pieces| *pieces > 0)
        .ok_or("the quantity of a line is no positive whole number")?;
    let listing = match row.stocked_item() {
        Some(item) => key(item, row.codes()),
        // A code typed by hand, of an item that is not in the master: no listing has this key.
        None => ListingKey::option(row.item_code, escaped(row.free_item_code)),
    };
    let mut line = Line::new(row.line_no, listing, quantity, order.status);
    in_status(&mut line, order.status);
    line.title = row.item_name.to_owned();
    let names = [row.attribute1_name, row.attribute2_name].into_iter().filter(|name| !name.is_empty());
    let words: Vec<&str> = names.chain(more.iter().map(String::as_str)).collect();
    line.option_text = words.join(" / ");
    let money = |text| Some(Money::new(decimal(text)?, config.currency));
    line.unit_price = money(row.unit_price);
    line.total = money(row.amount_price);
    let data =
        LineData { set: row.component_flag == "1", jan: row.jan_cd, free_item_code: row.free_item_code };
    line.channel_data = ChannelData::new(&data).map_err(|_| "a line's data can't be kept")?;
    Ok(line)
}

fn filled(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn buyer(row: &OrderRow<'_>) -> Party {
    let mut party = party(row.client_name, row.client_kana, row.client_tel);
    party.email.push_str(row.client_mail);
    party.address.postal_code.push_str(row.client_zip);
    let company = [row.client_section_name1, row.client_section_name2];
    party.address.lines = lines([row.client_address1, row.client_address2], company);
    party
}

fn destination(row: &OrderRow<'_>) -> Destination {
    let mut party = party(row.ship_name, row.ship_kana, row.ship_tel);
    party.address.postal_code.push_str(row.ship_zip);
    let company = [row.ship_section_name1, row.ship_section_name2];
    party.address.lines = lines([row.ship_address1, row.ship_address2], company);
    let wishes: Vec<&str> =
        [row.delivery_time_name, row.delivery_memo].into_iter().filter(|wish| !wish.is_empty()).collect();
    let mut destination = Destination::default();
    destination.recipient = Private::new(party);
    destination.desired_date = day(row.delivery_req_date);
    destination.message = filled(&wishes.join("\n")).map(Private::new);
    destination
}

fn party(name: &str, reading: &str, phone: &str) -> Party {
    let mut party = Party::default();
    party.name.push_str(name);
    party.name_reading.push_str(reading);
    party.phone.push_str(phone);
    party
}

/// Company and department follow the address; alone they are none.
fn lines(address: [&str; 2], company: [&str; 2]) -> Vec<String> {
    if address.iter().all(|line| line.is_empty()) {
        return Vec::new();
    }
    address.into_iter().chain(company).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// Personal data of Amazon orders vanish after a while: what was known is kept (sheet: Traps).
fn fill_from(order: &mut Order, known: &Order) {
    if let (Some(to), Some(old)) = (order.destinations.first_mut(), known.destinations.first())
        && to.recipient.reveal().address.is_empty()
    {
        to.recipient = old.recipient.clone();
    }
    if order.buyer.reveal().name.is_empty() {
        order.buyer = known.buyer.clone();
    }
}
