//! Rows into orders (sheet, order fields). No call is made here.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::channel::{Row, Tracking, UnreadableRow};
use crate::lenient::{Text, object};
use crate::model::{
    CancelState, ChannelData, Destination, Hold, LineId, Money, Order, OrderId, OrderStatus, Party, Private,
    RawPayload,
};

use super::access::Store;
use super::lines::{ReadLine, read_lines};
use super::person::{PersonRow, address, party};
use super::status::{Choices, Goods, Marks, Payment, cancel, holds, status};
use super::wire::{instant, part, readable, row_id, time};

/// An order as it comes.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct OrderRow<'a> {
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    #[serde(borrow)]
    pub(super) internal_id: Text<'a>,
    #[serde(borrow)]
    create_timestamp: Text<'a>,
    #[serde(borrow)]
    create_date: Text<'a>,
    #[serde(borrow)]
    update_timestamp: Text<'a>,
    #[serde(borrow)]
    update_date: Text<'a>,
    #[serde(borrow)]
    payment_status: Text<'a>,
    #[serde(borrow)]
    fulfillment_status: Text<'a>,
    #[serde(borrow)]
    withdrawal_requested: Text<'a>,
    #[serde(borrow)]
    external_fulfillment: Text<'a>,
    #[serde(borrow)]
    email: Text<'a>,
    #[serde(borrow)]
    order_comments: Text<'a>,
    #[serde(borrow)]
    tracking_number: Text<'a>,
    #[serde(borrow)]
    latest_ship_date: Text<'a>,
    #[serde(borrow)]
    total: Text<'a>,
    #[serde(borrow)]
    discount: Text<'a>,
    #[serde(borrow)]
    coupon_discount: Text<'a>,
    #[serde(borrow)]
    items: Option<&'a RawValue>,
    #[serde(borrow)]
    billing_person: Option<&'a RawValue>,
    #[serde(borrow)]
    shipping_person: Option<&'a RawValue>,
    #[serde(borrow)]
    shipping_option: Option<&'a RawValue>,
    #[serde(borrow)]
    order_extra_fields: Option<&'a RawValue>,
    #[serde(borrow)]
    extra_fields: Option<&'a RawValue>,
    #[serde(borrow)]
    shipments: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) error_code: Text<'a>,
    #[serde(borrow)]
    pub(super) error_message: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct ShippingRow<'a> {
    #[serde(borrow)]
    shipping_carrier_name: Text<'a>,
    #[serde(borrow)]
    shipping_rate: Text<'a>,
    #[serde(borrow)]
    discounted_shipping_rate: Text<'a>,
    #[serde(borrow)]
    is_pickup: Text<'a>,
    #[serde(borrow)]
    fulfillment_type: Text<'a>,
}

impl ShippingRow<'_> {
    fn is_pickup(&self) -> bool {
        self.is_pickup.flag() == Some(true) || self.fulfillment_type.trim().eq_ignore_ascii_case("pickup")
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ExtraFieldRow<'a> {
    #[serde(borrow)]
    title: Text<'a>,
    #[serde(borrow)]
    value: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct DeliveryRow<'a> {
    #[serde(borrow, rename = "ecwid_order_delivery_time_interval_start")]
    start: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct ShipmentRow<'a> {
    #[serde(borrow)]
    shipping_service: Option<&'a RawValue>,
    #[serde(borrow)]
    tracking: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct CarrierRow<'a> {
    #[serde(borrow)]
    carrier: Text<'a>,
    #[serde(borrow)]
    carrier_name: Text<'a>,
}

/// The page writes the first, the maker's client the second (sheet, line fields).
#[derive(Deserialize, Default)]
#[serde(default)]
struct NumberRow<'a> {
    #[serde(borrow)]
    tracking_number: Text<'a>,
    #[serde(borrow, rename = "trackingNumber")]
    number: Text<'a>,
}

/// What later calls need of an order.
#[derive(Serialize, Deserialize)]
struct Kept {
    internal_id: String,
}

/// The store's own number of an order, if it was kept.
pub(super) fn internal_id(order: &Order) -> Option<String> {
    order.channel_data.read::<Kept>().map(|kept| kept.internal_id)
}

/// What rows don't say themselves.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading {
    pub(super) store: Store,
    pub(super) choices: Choices,
    /// When the request that brings the row was sent.
    pub(super) read_at: DateTime<Utc>,
}

/// What decides whether something may be done to an order now.
#[derive(Debug, Clone)]
pub(super) struct Look {
    /// As the channel writes it.
    pub(super) id: String,
    /// When it was asked for.
    pub(super) at: DateTime<Utc>,
    pub(super) payment: Payment,
    pub(super) goods: Goods,
    pub(super) status: OrderStatus,
    pub(super) cancel: CancelState,
    pub(super) holds: Vec<Hold>,
    pub(super) marks: Marks,
    /// Empty: none was set.
    pub(super) tracking: String,
    /// The lines that are shipped, with their pieces.
    pub(super) ships: Vec<(LineId, u32)>,
}

/// Looks at an order.
pub(super) fn look(row: &OrderRow<'_>, choices: Choices) -> Result<Look, &'static str> {
    let lines = read_lines(row.items, None)?;
    let id = row.id.filled().ok_or("the order's id is missing")?;
    Ok(look_at(row, id, &lines, choices))
}

fn look_at(row: &OrderRow<'_>, id: &str, lines: &[ReadLine], choices: Choices) -> Look {
    let payment = Payment::read(&row.payment_status);
    let goods = Goods::read(&row.fulfillment_status);
    let shipping: ShippingRow<'_> = part(row.shipping_option).unwrap_or_default();
    let person: PersonRow<'_> = part(row.shipping_person).unwrap_or_default();
    let marks = Marks {
        withdrawal: row.withdrawal_requested.flag() == Some(true),
        external: row.external_fulfillment.flag() == Some(true),
        pickup: shipping.is_pickup(),
        ships: lines.iter().any(|line| line.ships),
        addressed: !address(&person).is_empty(),
    };
    let status = status(payment, goods, choices);
    let ships = lines.iter().filter(|line| line.ships).map(|l| (l.line.id.clone(), l.line.quantity));
    Look {
        id: id.to_owned(),
        // Whoever asked stamps it: without a stamp it is good for no write.
        at: DateTime::UNIX_EPOCH,
        payment,
        goods,
        status,
        cancel: cancel(payment, goods, status, marks),
        holds: holds(payment, status, choices, marks),
        marks,
        tracking: row.tracking_number.trim().to_owned(),
        ships: ships.collect(),
    }
}

/// Reads one row of a list; `None`: an abandoned cart, which is no order yet. A row that can't be read spoils only
/// itself.
pub(super) fn read_row(raw: &RawValue, reading: &Reading) -> Option<Row> {
    let unreadable = |reason: &str| {
        let id = row_id(raw).map(OrderId::from);
        Some(Row::Unreadable(UnreadableRow::new(id, reason, RawPayload::new(raw.get()))))
    };
    let Ok(row) = object::<OrderRow<'_>>("the row", raw.get()) else {
        return unreadable("the row is not an order");
    };
    if Payment::read(&row.payment_status) == Payment::Incomplete {
        return None;
    }
    match order(&row, reading) {
        Ok(mut order) => {
            order.raw = RawPayload::new(raw.get());
            Some(Row::Order(Box::new(order)))
        }
        Err(reason) => unreadable(reason),
    }
}

/// An order. The error says what is missing, without personal data. Only the id must be there: fields vary, and what is
/// absent holds the order back instead of losing it.
pub(super) fn order(row: &OrderRow<'_>, reading: &Reading) -> Result<Order, &'static str> {
    let id = row.id.filled().ok_or("the order's id is missing")?;
    let person: PersonRow<'_> = part(row.shipping_person).unwrap_or_default();
    if row.id.is_broken() || person.is_broken() {
        return Err("id, name or address have broken characters");
    }
    let store = reading.store;
    let currency = store.currency;
    let lines = read_lines(row.items, Some(currency))?;
    let look = look_at(row, id, &lines, reading.choices);
    let updated_at = time(&row.update_timestamp, &row.update_date);
    let ordered_at = time(&row.create_timestamp, &row.create_date).or(updated_at).unwrap_or(reading.read_at);
    let mut order = Order::new(id, look.status, ordered_at, updated_at.unwrap_or(reading.read_at), currency);
    order.cancel = look.cancel;
    order.holds = look.holds;
    order.ship_by = row.latest_ship_date.filled().and_then(instant);
    let shipping: ShippingRow<'_> = part(row.shipping_option).unwrap_or_default();
    let money = |text: &Text<'_>| text.decimal().map(|amount| Money::new(amount, currency));
    order.totals.total = money(&row.total);
    order.totals.shipping =
        money(&shipping.discounted_shipping_rate).or_else(|| money(&shipping.shipping_rate));
    order.totals.discount = match (money(&row.discount), money(&row.coupon_discount)) {
        (Some(discount), Some(coupon)) => discount.checked_add(&coupon),
        (discount, coupon) => discount.or(coupon),
    };
    order.buyer = Private::new(buyer(row, &person));
    let (desired_date, untold_date) = desired_date(row, store.zone);
    let recipient = Private::new(party(&person));
    order.destinations = vec![Destination { recipient, desired_date, ..Destination::default() }];
    order.memo = memo(row, &lines, untold_date).map(Private::new);
    order.tracking = tracking(row, &shipping);
    if let Some(internal_id) = row.internal_id.filled() {
        let kept = Kept { internal_id: internal_id.to_owned() };
        order.channel_data = ChannelData::new(&kept).map_err(|_| "the store's number can't be kept")?;
    }
    order.lines = lines.into_iter().map(|read| settled(read, look.status)).collect();
    Ok(order)
}

/// Lines have no status of their own.
fn settled(read: ReadLine, status: OrderStatus) -> crate::model::Line {
    let mut line = read.line;
    line.status = status;
    match status {
        OrderStatus::Cancelled => line.cancelled = line.quantity,
        OrderStatus::Shipped | OrderStatus::Delivered | OrderStatus::Returned => line.shipped = line.quantity,
        _ => {}
    }
    line
}

fn buyer(row: &OrderRow<'_>, shipped_to: &PersonRow<'_>) -> Party {
    let billed: Option<PersonRow<'_>> = part(row.billing_person);
    let mut buyer = party(billed.as_ref().unwrap_or(shipped_to));
    buyer.email = row.email.trim().to_owned();
    buyer
}

/// The day that the buyer asked for, or the channel's text of it where that can't be read.
fn desired_date(row: &OrderRow<'_>, zone: Option<Tz>) -> (Option<NaiveDate>, Option<String>) {
    let delivery: DeliveryRow<'_> = part(row.extra_fields).unwrap_or_default();
    let Some(text) = delivery.start.filled() else { return (None, None) };
    match day(text, zone) {
        Some(day) => (Some(day), None),
        None => (None, Some(text.to_owned())),
    }
}

/// A date alone is a day; a time with its offset is one in the store's zone. Nothing else is guessed: a time without an
/// offset may be of another day.
fn day(text: &str, zone: Option<Tz>) -> Option<NaiveDate> {
    if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return Some(day);
    }
    if NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").is_ok() {
        return None;
    }
    Some(instant(text)?.with_timezone(&zone?).date_naive())
}

/// The buyer's words: the comment, the checkout's own fields, texts on lines.
fn memo(row: &OrderRow<'_>, lines: &[ReadLine], untold_date: Option<String>) -> Option<String> {
    let fields: Vec<ExtraFieldRow<'_>> = readable(row.order_extra_fields);
    let fields = fields
        .iter()
        .filter_map(|field| Some(format!("{}: {}", field.title.filled()?, field.value.filled()?)));
    let words: Vec<String> = row
        .order_comments
        .filled()
        .map(str::to_owned)
        .into_iter()
        .chain(fields)
        .chain(lines.iter().flat_map(|line| line.words.iter().cloned()))
        .chain(untold_date)
        .collect();
    (!words.is_empty()).then(|| words.join("\n"))
}

/// The number that was set, and those of labels that were bought in Ecwid.
fn tracking(row: &OrderRow<'_>, shipping: &ShippingRow<'_>) -> Vec<Tracking> {
    let mut found: Vec<Tracking> = Vec::new();
    if let Some(number) = row.tracking_number.filled() {
        found.push(Tracking::new(shipping.shipping_carrier_name.trim(), number));
    }
    for shipment in readable::<ShipmentRow<'_>>(row.shipments) {
        let number: NumberRow<'_> = part(shipment.tracking).unwrap_or_default();
        let carrier: CarrierRow<'_> = part(shipment.shipping_service).unwrap_or_default();
        let Some(number) = number.tracking_number.filled().or_else(|| number.number.filled()) else {
            continue;
        };
        if !found.iter().any(|known| known.number == number) {
            let carrier = carrier.carrier_name.filled().or_else(|| carrier.carrier.filled());
            found.push(Tracking::new(carrier.unwrap_or_default(), number));
        }
    }
    found
}
