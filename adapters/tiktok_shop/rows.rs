//! Rows into orders (sheet 5, 6). No call is made here.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::channel::{Row, UnreadableRow};
use crate::lenient::{Text, object};
use crate::model::{
    Address, CancelState, ChannelData, Currency, Destination, Hold, Money, Order, OrderId, OrderStatus,
    Party, Private, RawPayload,
};

use super::Config;
use super::lines::{items, lines, tracking};
use super::wire::{readable, time};

#[derive(Deserialize, Default)]
#[serde(default)]
struct OrderRow<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    status: Text<'a>,
    #[serde(borrow)]
    create_time: Text<'a>,
    #[serde(borrow)]
    paid_time: Text<'a>,
    #[serde(borrow)]
    update_time: Text<'a>,
    #[serde(borrow)]
    rts_sla_time: Text<'a>,
    #[serde(borrow)]
    is_buyer_request_cancel: Text<'a>,
    #[serde(borrow)]
    fulfillment_type: Text<'a>,
    #[serde(borrow)]
    shipping_type: Text<'a>,
    #[serde(borrow)]
    delivery_option_id: Text<'a>,
    #[serde(borrow)]
    shipping_provider: Text<'a>,
    #[serde(borrow)]
    tracking_number: Text<'a>,
    #[serde(borrow)]
    auto_combine_group_id: Text<'a>,
    #[serde(borrow)]
    buyer_email: Text<'a>,
    #[serde(borrow)]
    buyer_message: Text<'a>,
    #[serde(borrow)]
    payment: Option<&'a RawValue>,
    #[serde(borrow)]
    recipient_address: Option<&'a RawValue>,
    #[serde(borrow)]
    line_items: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct PaymentRow<'a> {
    #[serde(borrow)]
    currency: Text<'a>,
    #[serde(borrow)]
    total_amount: Text<'a>,
    #[serde(borrow)]
    shipping_fee: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct AddressRow<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    first_name: Text<'a>,
    #[serde(borrow)]
    last_name: Text<'a>,
    #[serde(borrow)]
    first_name_local_script: Text<'a>,
    #[serde(borrow)]
    last_name_local_script: Text<'a>,
    #[serde(borrow)]
    phone_number: Text<'a>,
    #[serde(borrow)]
    region_code: Text<'a>,
    #[serde(borrow)]
    postal_code: Text<'a>,
    #[serde(borrow)]
    post_town: Text<'a>,
    #[serde(borrow)]
    address_line1: Text<'a>,
    #[serde(borrow)]
    address_line2: Text<'a>,
    #[serde(borrow)]
    address_line3: Text<'a>,
    #[serde(borrow)]
    address_line4: Text<'a>,
    #[serde(borrow)]
    address_detail: Text<'a>,
    #[serde(borrow)]
    full_address: Text<'a>,
    #[serde(borrow)]
    district_info: Option<&'a RawValue>,
    #[serde(borrow)]
    delivery_preferences: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct DistrictRow<'a> {
    #[serde(borrow)]
    address_level: Text<'a>,
    #[serde(borrow)]
    address_name: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct PreferencesRow<'a> {
    #[serde(borrow)]
    drop_off_location: Text<'a>,
}

/// What dispatch needs of an order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct OrderData {
    /// The channel's own time of the last change, in Unix seconds.
    pub(super) changed: i64,
    /// `SELLER` or `TIKTOK`.
    pub(super) shipping_type: String,
    pub(super) delivery_option: String,
    /// The market, as a country code.
    pub(super) region: String,
}

/// Reads one row. A row that can't be read spoils only itself.
pub(super) fn read_row(raw: &RawValue, config: &Config, read_at: DateTime<Utc>) -> Row {
    let unreadable = |id: Option<OrderId>, reason: &str| {
        Row::Unreadable(UnreadableRow::new(id, reason, RawPayload::new(raw.get())))
    };
    let Ok(row) = object::<OrderRow<'_>>("the row", raw.get()) else {
        return unreadable(None, "the row is not an object");
    };
    match order(&row, config, read_at) {
        Ok(mut order) => {
            order.raw = RawPayload::new(raw.get());
            Row::Order(Box::new(order))
        }
        Err(reason) => unreadable(row.id.filled().map(OrderId::from), reason),
    }
}

fn order(row: &OrderRow<'_>, config: &Config, read_at: DateTime<Utc>) -> Result<Order, &'static str> {
    let id = row.id.filled().ok_or("the order id is missing")?;
    let paid_at = time(&row.paid_time);
    let ordered_at = time(&row.create_time).or(paid_at).ok_or("the order's time can't be read")?;
    let changed_at = time(&row.update_time);
    let payment = optional::<PaymentRow<'_>>(row.payment)?;
    let address = optional::<AddressRow<'_>>(row.recipient_address)?;
    // One that is missing or no currency code: the order is taken, its amounts are left out. Counting them in another
    // currency would be wrong.
    let currency: Option<Currency> = payment.currency.filled().and_then(|code| code.parse().ok());
    let status = order_status(row);
    let mut order = Order::new(
        id,
        status,
        ordered_at,
        changed_at.unwrap_or(read_at),
        currency.unwrap_or(config.currency),
    );
    order.paid_at = paid_at;
    order.ship_by = time(&row.rts_sla_time);
    order.group = row.auto_combine_group_id.filled().map(str::to_owned);
    if row.is_buyer_request_cancel.flag() == Some(true) && !status.is_final() {
        order.cancel = CancelState::Requested;
    }
    let amount = |text: &Text<'_>| currency.and_then(|currency| Some(Money::new(text.decimal()?, currency)));
    order.totals.total = amount(&payment.total_amount);
    order.totals.shipping = amount(&payment.shipping_fee);
    let mut buyer = Party::default();
    buyer.email.push_str(row.buyer_email.trim());
    order.buyer = Private::new(buyer);
    order.memo = row.buyer_message.filled().map(|message| Private::new(message.to_owned()));
    let destination = destination(&address)?;
    order.holds = holds(row, status, destination.recipient.reveal().address.is_empty());
    order.destinations = vec![destination];
    let items = items(row.line_items)?;
    order.lines = lines(&items, status, currency)?;
    order.tracking = tracking((&row.shipping_provider, &row.tracking_number), &items);
    let data = OrderData {
        changed: changed_at.map_or(0, |at| at.timestamp()),
        shipping_type: row.shipping_type.trim().to_owned(),
        delivery_option: row.delivery_option_id.trim().to_owned(),
        region: address.region_code.trim().to_ascii_uppercase(),
    };
    order.channel_data = ChannelData::new(&data).map_err(|_| "the order's data can't be kept")?;
    Ok(order)
}

/// An object that may be missing. One that is there and can't be read is no missing one.
fn optional<'a, T: Deserialize<'a> + Default>(raw: Option<&'a RawValue>) -> Result<T, &'static str> {
    let unreadable = "payment or address can't be read";
    raw.map_or_else(|| Ok(T::default()), |raw| object("the part", raw.get()).map_err(|_| unreadable))
}

/// The status table (sheet 5). An unknown word stays unknown: it is never acted upon.
pub(super) fn status(word: &str) -> OrderStatus {
    match word {
        "UNPAID" => OrderStatus::PendingPayment,
        "ON_HOLD" | "AWAITING_SHIPMENT" => OrderStatus::New,
        "PARTIALLY_SHIPPING" => OrderStatus::Confirmed,
        "AWAITING_COLLECTION" => OrderStatus::ReadyToShip,
        "IN_TRANSIT" => OrderStatus::Shipped,
        "DELIVERED" | "COMPLETED" => OrderStatus::Delivered,
        "CANCELLED" => OrderStatus::Cancelled,
        _ => OrderStatus::Unknown,
    }
}

fn order_status(row: &OrderRow<'_>) -> OrderStatus {
    let status = status(row.status.trim());
    let for_seller = matches!(row.fulfillment_type.trim(), "" | "FULFILLMENT_BY_SELLER");
    match status {
        // TikTok ships it from its own warehouse: nothing is left for the seller, and a second parcel from the seller's
        // own would cost money.
        OrderStatus::New | OrderStatus::Confirmed if !for_seller => OrderStatus::ReadyToShip,
        status => status,
    }
}

fn holds(row: &OrderRow<'_>, status: OrderStatus, no_address: bool) -> Vec<Hold> {
    match status {
        // The buyer may still cancel without asking; the address comes after (sheet 4, 5).
        OrderStatus::New if row.status.trim() == "ON_HOLD" => vec![Hold::OnHold],
        OrderStatus::New | OrderStatus::Confirmed if no_address => vec![Hold::AddressWithheld],
        _ => Vec::new(),
    }
}

fn destination(row: &AddressRow<'_>) -> Result<Destination, &'static str> {
    let texts = [
        &row.name,
        &row.first_name,
        &row.last_name,
        &row.address_line1,
        &row.address_line2,
        &row.address_line3,
        &row.address_line4,
        &row.address_detail,
        &row.full_address,
        &row.postal_code,
    ];
    if texts.iter().any(|text| text.is_broken()) {
        return Err("name or address have broken characters");
    }
    let joined = |one: &Text<'_>, two: &Text<'_>| {
        let names: Vec<&str> = [one, two].into_iter().filter_map(Text::filled).collect();
        names.join(" ")
    };
    let mut party = Party::default();
    let name = row.name.filled().map_or_else(|| joined(&row.first_name, &row.last_name), str::to_owned);
    party.name.push_str(&name);
    party.name_reading = joined(&row.last_name_local_script, &row.first_name_local_script);
    party.phone = row.phone_number.trim().to_owned();
    party.address = address(row);
    let mut destination = Destination::default();
    let wish = optional::<PreferencesRow<'_>>(row.delivery_preferences).unwrap_or_default();
    destination.recipient = Private::new(party);
    destination.message = wish.drop_off_location.filled().map(|wish| Private::new(wish.to_owned()));
    Ok(destination)
}

/// L1 is the state or prefecture, L2 the county or city; finer districts come before the street (sheet 6).
fn address(row: &AddressRow<'_>) -> Address {
    let districts: Vec<DistrictRow<'_>> = readable(row.district_info);
    let level = |level: &str| {
        let district = districts.iter().find(|district| district.address_level.trim() == level)?;
        district.address_name.filled().map(str::to_owned)
    };
    let mut address = Address::default();
    address.country.push_str(&row.region_code.trim().to_ascii_uppercase());
    address.postal_code = row.postal_code.trim().to_owned();
    address.region = level("L1").unwrap_or_default();
    address.city = level("L2").or_else(|| row.post_town.filled().map(str::to_owned)).unwrap_or_default();
    let street: Vec<&str> = [&row.address_line1, &row.address_line2, &row.address_line3, &row.address_line4]
        .into_iter()
        .filter_map(Text::filled)
        .collect();
    if street.is_empty() {
        address.lines.extend(row.address_detail.filled().or(row.full_address.filled()).map(str::to_owned));
    } else {
        let finer = ["L3", "L4"].iter().filter_map(|name| level(name));
        address.lines.extend(finer.chain(street.into_iter().map(str::to_owned)));
    }
    address
}
