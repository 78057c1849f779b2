//! Rows into orders (sheet 5, 6). No call is made here.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::channel::{Row, Tracking, UnreadableRow};
use crate::lenient::{Text, object};
use crate::model::{
    Address, CancelState, ChannelData, Currency, Destination, Hold, Money, Order, OrderId, OrderStatus,
    Party, Private, RawPayload,
};

use super::Config;
use super::lines::{ItemRow, items, lines};
use super::packages::{Facts, Package, Stage, packed};
use super::wire::{shown, texts, time};

#[derive(Deserialize, Default)]
#[serde(default)]
struct OrderRow<'a> {
    #[serde(borrow)]
    order_sn: Text<'a>,
    #[serde(borrow)]
    region: Text<'a>,
    #[serde(borrow)]
    currency: Text<'a>,
    #[serde(borrow)]
    order_status: Text<'a>,
    #[serde(borrow)]
    pending_terms: Option<&'a RawValue>,
    #[serde(borrow)]
    total_amount: Text<'a>,
    #[serde(borrow)]
    create_time: Text<'a>,
    #[serde(borrow)]
    update_time: Text<'a>,
    #[serde(borrow)]
    pay_time: Text<'a>,
    #[serde(borrow)]
    ship_by_date: Text<'a>,
    #[serde(borrow)]
    buyer_username: Text<'a>,
    #[serde(borrow)]
    message_to_seller: Text<'a>,
    #[serde(borrow)]
    buyer_cancel_reason: Text<'a>,
    #[serde(borrow)]
    fulfillment_flag: Text<'a>,
    #[serde(borrow)]
    advance_package: Text<'a>,
    #[serde(borrow)]
    booking_sn: Text<'a>,
    #[serde(borrow)]
    split_up: Text<'a>,
    #[serde(borrow)]
    dropshipper: Text<'a>,
    #[serde(borrow)]
    dropshipper_phone: Text<'a>,
    #[serde(borrow)]
    recipient_address: Option<&'a RawValue>,
    #[serde(borrow)]
    item_list: Option<&'a RawValue>,
    #[serde(borrow)]
    package_list: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct AddressRow<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    phone: Text<'a>,
    #[serde(borrow)]
    town: Text<'a>,
    #[serde(borrow)]
    district: Text<'a>,
    #[serde(borrow)]
    city: Text<'a>,
    #[serde(borrow)]
    state: Text<'a>,
    #[serde(borrow)]
    region: Text<'a>,
    #[serde(borrow)]
    zipcode: Text<'a>,
    #[serde(borrow)]
    full_address: Text<'a>,
}

/// What later calls need of an order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct OrderData {
    /// The channel's own time of the last change, in Unix seconds.
    pub(super) changed: i64,
    /// The market, as a country code.
    pub(super) region: String,
    /// Whether calls about it must name the package.
    pub(super) split: bool,
    /// Whether the channel waits for its shipment to be arranged.
    pub(super) waits: bool,
    /// Whether Shopee ships it from its own warehouse.
    pub(super) by_shopee: bool,
    pub(super) packages: Vec<Package>,
    /// What the buyer said when asking to cancel.
    pub(super) cancel_reason: String,
}

/// Reads one row. A row that can't be read spoils only itself.
pub(super) fn read_row(raw: &RawValue, config: &Config, read_at: DateTime<Utc>, facts: &Facts) -> Row {
    let unreadable = |id: Option<OrderId>, reason: &str| {
        Row::Unreadable(UnreadableRow::new(id, reason, RawPayload::new(raw.get())))
    };
    let Ok(row) = object::<OrderRow<'_>>("the row", raw.get()) else {
        return unreadable(None, "the row is not an object");
    };
    match order(&row, config, read_at, facts) {
        Ok(mut order) => {
            order.raw = RawPayload::new(raw.get());
            Row::Order(Box::new(order))
        }
        Err(reason) => unreadable(row.order_sn.filled().map(OrderId::from), reason),
    }
}

fn order(
    row: &OrderRow<'_>,
    config: &Config,
    read_at: DateTime<Utc>,
    facts: &Facts,
) -> Result<Order, &'static str> {
    let id = row.order_sn.filled().ok_or("the order number is missing")?;
    if row.order_sn.is_broken() {
        return Err("the order number has broken characters");
    }
    let paid_at = time(&row.pay_time);
    let ordered_at = time(&row.create_time).or(paid_at).ok_or("the order's time can't be read")?;
    let changed_at = time(&row.update_time);
    // One that is missing or no currency code: the order is taken, its amounts are left out. Counting them in another
    // currency would be wrong.
    let currency: Option<Currency> = row.currency.filled().and_then(|code| code.parse().ok());
    let mut packed = packed(row.package_list).map_err(|_| "the packages can't be read")?;
    let word = row.order_status.trim();
    let waits = matches!(word, "READY_TO_SHIP" | "RETRY_SHIP");
    // Where none of the packages of a waiting order is left open, their requests were created before anybody arranged
    // them (sheet 8).
    let pre_created = waits && !packed.packages.iter().any(|package| package.stage.is_open());
    for package in &mut packed.packages {
        if pre_created && package.stage == Stage::Arranged {
            package.stage = Stage::Ready;
        }
        if let Some(fact) = facts.get(&package.number) {
            fact.apply(package, waits);
        }
    }
    let status = order_status(row, &packed.packages);
    let items = items(row.item_list)?;
    let mut order = Order::new(
        id,
        status,
        ordered_at,
        changed_at.unwrap_or(read_at),
        currency.unwrap_or(config.currency),
    );
    order.paid_at = paid_at;
    order.ship_by = time(&row.ship_by_date);
    order.cancel = cancel(word, status, &items);
    order.holds = holds(row, word, status);
    let total = row.total_amount.decimal();
    order.totals.total = currency.and_then(|currency| Some(Money::new(total?, currency)));
    order.lines = lines(&items, &packed.packages, status, currency)?;
    let mut buyer = Party::default();
    buyer.name.push_str(shown(&row.buyer_username).unwrap_or_default());
    order.buyer = Private::new(buyer);
    order.memo = row.message_to_seller.filled().map(|message| Private::new(message.to_owned()));
    order.destinations = vec![destination(row, packed.contact.as_deref())?];
    order.tracking = packed
        .packages
        .iter()
        .filter(|package| !package.tracking.is_empty())
        .map(|package| Tracking::new(package.carrier.as_str(), package.tracking.as_str()))
        .collect();
    let data = OrderData {
        changed: changed_at.map_or(0, |at| at.timestamp()),
        region: row.region.trim().to_ascii_uppercase(),
        split: packed.packages.len() > 1 || row.split_up.flag() == Some(true),
        waits,
        by_shopee: is_by_shopee(row),
        packages: packed.packages,
        cancel_reason: row.buyer_cancel_reason.trim().to_owned(),
    };
    order.channel_data = ChannelData::new(&data).map_err(|_| "the order's data can't be kept")?;
    Ok(order)
}

/// The status table (sheet 5). An unknown word stays unknown: it is never acted upon.
pub(super) fn status(word: &str) -> OrderStatus {
    match word {
        "UNPAID" => OrderStatus::PendingPayment,
        "PENDING" | "INVOICE_PENDING" | "READY_TO_SHIP" | "RETRY_SHIP" | "IN_CANCEL" => OrderStatus::New,
        "PROCESSED" => OrderStatus::ReadyToShip,
        "SHIPPED" => OrderStatus::Shipped,
        "TO_CONFIRM_RECEIVE" | "COMPLETED" | "TO_RETURN" => OrderStatus::Delivered,
        "CANCELLED" => OrderStatus::Cancelled,
        _ => OrderStatus::Unknown,
    }
}

/// Whether an order in this state of the list is past everything that is linked (OS-3): its details are not asked for.
pub(super) fn is_over(word: &str) -> bool {
    matches!(word, "SHIPPED" | "TO_CONFIRM_RECEIVE" | "COMPLETED" | "TO_RETURN" | "CANCELLED")
}

fn is_by_shopee(row: &OrderRow<'_>) -> bool {
    row.fulfillment_flag.trim() == "fulfilled_by_shopee"
}

fn order_status(row: &OrderRow<'_>, packages: &[Package]) -> OrderStatus {
    let word = row.order_status.trim();
    let status = status(word);
    let arranged = packages.iter().any(|package| package.stage.is_arranged());
    let open = packages.iter().any(|package| package.stage.is_open());
    match status {
        // Shopee ships it from its own warehouse: nothing is left for the seller, and a second parcel from the seller's
        // own would cost money.
        OrderStatus::New if is_by_shopee(row) => OrderStatus::ReadyToShip,
        OrderStatus::New if arranged && !open => OrderStatus::ReadyToShip,
        // One of several packages still waits: the order is not done with.
        OrderStatus::ReadyToShip | OrderStatus::Shipped if arranged && open => OrderStatus::New,
        OrderStatus::Shipped if !packages.is_empty() && packages.iter().all(|p| p.stage == Stage::Failed) => {
            OrderStatus::DeliveryFailed
        }
        status => status,
    }
}

fn cancel(word: &str, status: OrderStatus, items: &[ItemRow<'_>]) -> CancelState {
    if word == "TO_RETURN" || (status >= OrderStatus::Shipped && items.iter().any(ItemRow::wants_return)) {
        CancelState::ReturnOrExchange
    } else if word == "IN_CANCEL" || (!status.is_final() && items.iter().any(ItemRow::wants_cancel)) {
        CancelState::Requested
    } else {
        CancelState::None
    }
}

/// What keeps the shipment from being arranged (sheet 4.2, 5, 8).
fn holds(row: &OrderRow<'_>, word: &str, status: OrderStatus) -> Vec<Hold> {
    let held = matches!(word, "PENDING" | "INVOICE_PENDING")
        || !texts(row.pending_terms).is_empty()
        || row.advance_package.flag() == Some(true)
        || row.booking_sn.filled().is_some();
    if held && status == OrderStatus::New { vec![Hold::OnHold] } else { Vec::new() }
}

fn destination(row: &OrderRow<'_>, contact: Option<&str>) -> Result<Destination, &'static str> {
    let to: AddressRow<'_> = match row.recipient_address {
        Some(raw) => object("the address", raw.get()).map_err(|_| "the address can't be read")?,
        None => AddressRow::default(),
    };
    if [&to.name, &to.full_address, &to.city, &to.state, &to.zipcode].iter().any(|text| text.is_broken()) {
        return Err("name or address have broken characters");
    }
    // What is masked counts as withheld: it must not be taken for a name or a street (sheet 8).
    let text = |text: &Text<'_>| shown(text).unwrap_or_default().to_owned();
    let mut party = Party::default();
    party.name.push_str(&text(&to.name));
    party.phone = shown(&to.phone).or(contact).unwrap_or_default().to_owned();
    let mut address = Address::default();
    let country = shown(&to.region).unwrap_or_else(|| row.region.trim());
    address.country.push_str(&country.to_ascii_uppercase());
    address.postal_code = text(&to.zipcode);
    address.region = text(&to.state);
    address.city = text(&to.city);
    match to.full_address.filled() {
        // It holds all of it (sheet 6).
        Some(_) => address.lines.extend(shown(&to.full_address).map(str::to_owned)),
        None => {
            address.lines.extend([&to.district, &to.town].into_iter().filter_map(shown).map(str::to_owned))
        }
    }
    party.address = address;
    let mut destination = Destination::default();
    if let Some(name) = shown(&row.dropshipper) {
        let mut sender = Party::default();
        sender.name.push_str(name);
        sender.phone.push_str(shown(&row.dropshipper_phone).unwrap_or_default());
        destination.sender = Some(Private::new(sender));
    }
    destination.recipient = Private::new(party);
    Ok(destination)
}
