//! An order as `getOrder` gives it, and what becomes of it (sheet 4.2, 5, 6).

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::channel::{Row, Tracking, UnreadableRow};
use crate::lenient::{Text, object};
use crate::model::{
    Address, CancelState, ChannelData, Currency, Destination, Hold, Line, LineId, ListingKey, Money, Order,
    OrderId, OrderStatus, Party, Private, RawPayload, Sku,
};

use super::carriers;
use super::wire::{DayEnd, day, time};

/// Stands for an amount that is not fixed yet (sheet 4.2).
const NOT_FIXED: i64 = -9999;

macro_rules! wire {
    ($($(#[$doc:meta])* $name:ident { $($(#[$rename:meta])* $field:ident: $kind:ty),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Deserialize, Default)]
        #[serde(default, rename_all = "camelCase")]
        struct $name<'a> {
            $(#[serde(borrow)] $(#[$rename])* $field: $kind,)+
        }
    )+};
}

wire! {
    OrderRow {
        order_number: Text<'a>,
        order_progress: Text<'a>,
        order_datetime: Text<'a>,
        shop_order_cfm_datetime: Text<'a>,
        order_fix_datetime: Text<'a>,
        shipping_cmpl_rpt_datetime: Text<'a>,
        delivery_date: Text<'a>,
        shipping_term: Text<'a>,
        remarks: Text<'a>,
        caution_display_type: Text<'a>,
        rakuten_confirm_flag: Text<'a>,
        postage_price: Text<'a>,
        request_price: Text<'a>,
        coupon_all_total_price: Text<'a>,
        #[serde(rename = "OrdererModel")] orderer: Option<Person<'a>>,
        #[serde(rename = "PointModel")] point: Option<Point<'a>>,
        #[serde(rename = "PackageModelList")] packages: Option<Vec<Package<'a>>>,
    }
    Person {
        zip_code1: Text<'a>,
        zip_code2: Text<'a>,
        prefecture: Text<'a>,
        city: Text<'a>,
        sub_address: Text<'a>,
        family_name: Text<'a>,
        first_name: Text<'a>,
        family_name_kana: Text<'a>,
        first_name_kana: Text<'a>,
        phone_number1: Text<'a>,
        phone_number2: Text<'a>,
        phone_number3: Text<'a>,
        email_address: Text<'a>,
    }
    Point { used_point: Text<'a> }
    Package {
        basket_id: Text<'a>,
        package_delete_flag: Text<'a>,
        /// The recipient, in spite of its name (sheet 8).
        #[serde(rename = "SenderModel", alias = "senderModel")] recipient: Option<Person<'a>>,
        #[serde(rename = "ItemModelList")] items: Option<Vec<Item<'a>>>,
        #[serde(rename = "ShippingModelList")] shippings: Option<Vec<Shipping<'a>>>,
    }
    Item {
        item_detail_id: Text<'a>,
        item_name: Text<'a>,
        item_number: Text<'a>,
        manage_number: Text<'a>,
        price: Text<'a>,
        price_tax_incl: Text<'a>,
        units: Text<'a>,
        selected_choice: Text<'a>,
        delete_item_flag: Text<'a>,
        #[serde(rename = "SkuModelList")] skus: Option<Vec<SkuRow<'a>>>,
    }
    SkuRow {
        variant_id: Text<'a>,
        merchant_defined_sku_id: Text<'a>,
        sku_info: Text<'a>,
    }
    Shipping {
        shipping_detail_id: Text<'a>,
        shipping_number: Text<'a>,
        delivery_company: Text<'a>,
        delivery_company_name: Text<'a>,
        shipping_date: Text<'a>,
    }
}

/// What a later call needs of an order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Kept {
    /// `orderProgress`.
    pub(super) progress: i64,
    /// Points that paid a part of the order, in yen. A payment, not a discount.
    pub(super) points: Option<Decimal>,
    /// The packages.
    pub(super) baskets: Vec<Basket>,
}

/// A package and the shipments that the channel knows of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Basket {
    pub(super) id: i64,
    pub(super) shipments: Vec<Shipment>,
}

/// A shipment as the channel has it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Shipment {
    /// `shippingDetailId`.
    pub(super) id: i64,
    /// Empty: none yet.
    pub(super) number: String,
    /// Whether a day was reported on which it left.
    pub(super) left: bool,
}

/// Reads one row. A row that can't be read spoils only itself.
pub(super) fn read_row(raw: &RawValue, read_at: DateTime<Utc>) -> Row {
    let unreadable = |id: Option<OrderId>, reason: &str| {
        Row::Unreadable(UnreadableRow::new(id, reason, RawPayload::new(raw.get())))
    };
    let row = match object::<OrderRow<'_>>("the row", raw.get()) {
        Ok(row) => row,
        Err(_) => return unreadable(id_alone(raw), "the row has another shape than documented"),
    };
    match order(&row, read_at) {
        Ok(mut order) => {
            order.raw = RawPayload::new(raw.get());
            Row::Order(Box::new(order))
        }
        Err(reason) => unreadable(order_id(&row.order_number), reason),
    }
}

/// The order number of a row of another shape.
fn id_alone(raw: &RawValue) -> Option<OrderId> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Id<'a> {
        #[serde(borrow)]
        order_number: Text<'a>,
    }
    object::<Id<'_>>("the row", raw.get()).ok().and_then(|row| order_id(&row.order_number))
}

fn order_id(number: &Text<'_>) -> Option<OrderId> {
    number.filled().map(OrderId::from)
}

/// The error says what is missing, without personal data.
fn order(row: &OrderRow<'_>, read_at: DateTime<Utc>) -> Result<Order, &'static str> {
    let id = order_id(&row.order_number).ok_or("the order number is missing")?;
    let ordered_at = time(&row.order_datetime, DayEnd::First).ok_or("the order time can't be read")?;
    let progress = row.order_progress.integer().unwrap_or_default();
    let status = status(row, progress);
    // Rakuten has no time of the last change.
    let mut order = Order::new(id, status, ordered_at, read_at, Currency::JPY);
    if progress == 800 {
        order.cancel = CancelState::Requested;
    }
    order.holds = holds(row, progress);
    order.paid_at = time(&row.order_fix_datetime, DayEnd::First);
    order.buyer = Private::new(row.orderer.as_ref().map(party).unwrap_or_default());
    order.memo = row.remarks.filled().map(|text| Private::new(text.to_owned()));
    let points = row.point.as_ref().and_then(|point| amount(&point.used_point));
    order.totals.total = total(row, points);
    order.totals.shipping = amount(&row.postage_price).map(yen);
    order.totals.discount = amount(&row.coupon_all_total_price).map(yen);
    let mut kept = Kept { progress, points, baskets: Vec::new() };
    for package in row.packages.iter().flatten() {
        add_package(&mut order, &mut kept, row, package)?;
    }
    if order.lines.is_empty() {
        return Err("the order has no lines");
    }
    let ids: HashSet<&LineId> = order.lines.iter().map(|line| &line.id).collect();
    if ids.len() < order.lines.len() {
        return Err("two lines of the order have the same id");
    }
    order.channel_data = ChannelData::new(&kept).map_err(|_| "what a later call needs can't be kept")?;
    Ok(order)
}

/// How far the order is (sheet 5). 400 and 800 say nothing about it: the dates do.
fn status(row: &OrderRow<'_>, progress: i64) -> OrderStatus {
    let was_shipped = row.shipping_cmpl_rpt_datetime.filled().is_some();
    match progress {
        100 => OrderStatus::New,
        200 | 300 => OrderStatus::Confirmed,
        400 | 800 if was_shipped => OrderStatus::Shipped,
        400 => OrderStatus::Confirmed,
        500 | 600 | 700 => OrderStatus::Shipped,
        800 if row.shop_order_cfm_datetime.filled().is_some() => OrderStatus::Confirmed,
        800 => OrderStatus::New,
        900 => OrderStatus::Cancelled,
        // It is never acted upon.
        _ => OrderStatus::Unknown,
    }
}

/// What keeps the goods from leaving. An order that Rakuten still checks, or has marked to be cancelled, is held too:
/// the sheet knows the flags but not what they ask for, and goods that left don't come back.
fn holds(row: &OrderRow<'_>, progress: i64) -> Vec<Hold> {
    let mut holds = Vec::new();
    match progress {
        200 => holds.push(Hold::PaymentInProcess),
        400 => holds.push(Hold::ChangePending),
        _ => {}
    }
    let checked = row.rakuten_confirm_flag.integer() == Some(1);
    if matches!(progress, 100..=400) && (checked || row.caution_display_type.integer() == Some(2)) {
        holds.push(Hold::OnHold);
    }
    holds
}

fn add_package(
    order: &mut Order,
    kept: &mut Kept,
    row: &OrderRow<'_>,
    package: &Package<'_>,
) -> Result<(), &'static str> {
    let items = package.items.as_deref().unwrap_or_default();
    if items.is_empty() {
        return Ok(());
    }
    let recipient = package.recipient.as_ref();
    if recipient.is_some_and(is_broken) {
        return Err("a name or address has broken characters");
    }
    let mut to = Destination::default();
    to.id = package.basket_id.filled().unwrap_or_default().to_owned();
    to.recipient = Private::new(recipient.map(party).unwrap_or_default());
    to.desired_date = day(&row.delivery_date);
    to.message = hours(&row.shipping_term).map(Private::new);
    let deleted = package.package_delete_flag.integer() == Some(1);
    for item in items {
        let mut line = line(item, order.status, deleted)?;
        line.unit.clone_from(&to.id);
        line.destination = order.destinations.len();
        order.lines.push(line);
    }
    order.destinations.push(to);
    let mut shipments = Vec::new();
    for shipping in package.shippings.iter().flatten() {
        let number = shipping.shipping_number.filled().unwrap_or_default();
        if !number.is_empty() {
            order.tracking.push(Tracking::new(carrier_name(shipping), number));
        }
        // One without an id can't be completed, but its number can be compared.
        let id = shipping.shipping_detail_id.integer().unwrap_or_default();
        let left = shipping.shipping_date.filled().is_some();
        shipments.push(Shipment { id, number: number.to_owned(), left });
    }
    if let Some(id) = package.basket_id.integer() {
        kept.baskets.push(Basket { id, shipments });
    }
    Ok(())
}

fn carrier_name(shipping: &Shipping<'_>) -> String {
    let code = shipping.delivery_company.filled().unwrap_or_default();
    let name = shipping.delivery_company_name.filled().or_else(|| carriers::name(code));
    name.unwrap_or(code).to_owned()
}

fn line(item: &Item<'_>, status: OrderStatus, deleted: bool) -> Result<Line, &'static str> {
    let id = item.item_detail_id.filled().ok_or("the id of a line is missing")?;
    let quantity = item.units.integer().and_then(|pieces| u32::try_from(pieces).ok());
    let quantity = quantity.ok_or("the quantity of a line can't be read")?;
    let skus = item.skus.as_deref().unwrap_or_default();
    let code_is_broken =
        |sku: &SkuRow<'_>| sku.variant_id.is_broken() || sku.merchant_defined_sku_id.is_broken();
    if item.manage_number.is_broken() || item.item_number.is_broken() || skus.iter().any(code_is_broken) {
        return Err("the item number of a line has broken characters");
    }
    let manage_number = item.manage_number.filled().ok_or("the item's management number is missing")?;
    let variants: Vec<&str> = skus.iter().filter_map(|sku| sku.variant_id.filled()).collect();
    let listing = if variants.is_empty() {
        ListingKey::item(manage_number)
    } else {
        ListingKey::option(manage_number, variants.join("+"))
    };
    let mut line = Line::new(id, listing, quantity, status);
    line.sku = option_code(item, skus).map(Sku::from);
    line.title = item.item_name.trim().to_owned();
    line.option_text = option_text(item, skus);
    line.unit_price = amount(&item.price_tax_incl).or_else(|| amount(&item.price)).map(yen);
    if deleted || item.delete_item_flag.integer() == Some(1) {
        line.status = OrderStatus::Cancelled;
    }
    match line.status {
        OrderStatus::Cancelled => line.cancelled = quantity,
        status if status.is_past_dispatch() => line.shipped = quantity,
        _ => {}
    }
    Ok(line)
}

/// The option code (RC-2): the system SKU code, else the SKU management number; the item number for orders from before
/// SKUs. A line with several SKUs has none: its listing is linked by hand, as a bundle.
fn option_code<'a>(item: &'a Item<'_>, skus: &'a [SkuRow<'_>]) -> Option<&'a str> {
    match skus {
        [] => item.item_number.filled(),
        [sku] => sku.merchant_defined_sku_id.filled().or_else(|| sku.variant_id.filled()),
        _ => None,
    }
}

/// The SKU in words, then the free options (sheet 6). Both come in lines.
fn option_text(item: &Item<'_>, skus: &[SkuRow<'_>]) -> String {
    let texts = skus.iter().filter_map(|sku| sku.sku_info.filled()).chain(item.selected_choice.filled());
    let lines = texts.flat_map(str::lines).map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join("\n")
}

/// What the buyer pays, all in: what is billed, and the points, which are a payment.
fn total(row: &OrderRow<'_>, points: Option<Decimal>) -> Option<Money> {
    let billed = amount(&row.request_price)?;
    billed.checked_add(points.unwrap_or_default()).map(yen)
}

/// An amount; `None` when it is not fixed yet or can't be read.
fn amount(text: &Text<'_>) -> Option<Decimal> {
    text.decimal().filter(|amount| *amount != Decimal::from(NOT_FIXED))
}

fn yen(amount: Decimal) -> Money {
    Money::new(amount, Currency::JPY)
}

fn party(person: &Person<'_>) -> Party {
    let join = |parts: &[&Text<'_>], by: &str| {
        parts.iter().filter_map(|part| part.filled()).collect::<Vec<_>>().join(by)
    };
    let mut party = Party::default();
    party.name = join(&[&person.family_name, &person.first_name], " ");
    party.name_reading = join(&[&person.family_name_kana, &person.first_name_kana], " ");
    party.phone = join(&[&person.phone_number1, &person.phone_number2, &person.phone_number3], "-");
    // A masked address (sheet 8).
    party.email = person.email_address.trim().to_owned();
    let mut address = Address::default();
    address.postal_code = join(&[&person.zip_code1, &person.zip_code2], "-");
    address.region = person.prefecture.trim().to_owned();
    address.city = person.city.trim().to_owned();
    address.lines = person.sub_address.filled().map(str::to_owned).into_iter().collect();
    party.address = address;
    party
}

fn is_broken(person: &Person<'_>) -> bool {
    let texts = [
        &person.family_name,
        &person.first_name,
        &person.zip_code1,
        &person.zip_code2,
        &person.prefecture,
        &person.city,
        &person.sub_address,
    ];
    texts.iter().any(|text| text.is_broken())
}

/// The hours that the buyer wishes for delivery, in the words of Japanese labels: 1 morning, 2 afternoon, else two hours
/// as `h1h2` (sheet 4.2).
fn hours(term: &Text<'_>) -> Option<String> {
    match term.integer()? {
        1 => Some("午前".to_owned()),
        2 => Some("午後".to_owned()),
        hours @ 101..=9999 => {
            let (from, to) = (hours / 100, hours % 100);
            (from < to && to <= 24).then(|| format!("{from}時-{to}時"))
        }
        _ => None,
    }
}
