//! Boxes into orders (sheet 4.4, 5, 6). No call is made here.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::channel::{Row, Tracking, UnreadableRow};
use crate::lenient::{Text, object};
use crate::model::{
    CancelState, ChannelData, Destination, Hold, Line, ListingKey, Money, Order, OrderId, OrderStatus, Party,
    Private, RawPayload, Sku,
};

use super::Config;
use super::wire::{amount, day, number, sum, time};

/// A box. Numbers may come as text; fields may be `null` or missing.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct BoxRow<'a> {
    #[serde(borrow)]
    shipment_box_id: Text<'a>,
    #[serde(borrow)]
    order_id: Text<'a>,
    #[serde(borrow)]
    ordered_at: Text<'a>,
    #[serde(borrow)]
    paid_at: Text<'a>,
    #[serde(borrow)]
    status: Text<'a>,
    #[serde(borrow)]
    orderer: Option<Person<'a>>,
    #[serde(borrow)]
    receiver: Option<Person<'a>>,
    #[serde(borrow)]
    shipping_price: Option<&'a RawValue>,
    #[serde(borrow)]
    remote_price: Option<&'a RawValue>,
    #[serde(borrow)]
    parcel_print_message: Text<'a>,
    #[serde(borrow)]
    split_shipping: Text<'a>,
    #[serde(borrow)]
    able_split_shipping: Text<'a>,
    #[serde(borrow)]
    order_items: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    delivery_company_name: Text<'a>,
    #[serde(borrow)]
    invoice_number: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Person<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    email: Text<'a>,
    #[serde(borrow)]
    safe_number: Text<'a>,
    #[serde(borrow)]
    orderer_number: Text<'a>,
    #[serde(borrow)]
    receiver_number: Text<'a>,
    #[serde(borrow)]
    addr1: Text<'a>,
    #[serde(borrow)]
    addr2: Text<'a>,
    #[serde(borrow)]
    post_code: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct ItemRow<'a> {
    #[serde(borrow)]
    vendor_item_id: Text<'a>,
    #[serde(borrow)]
    vendor_item_name: Text<'a>,
    #[serde(borrow)]
    seller_product_id: Text<'a>,
    #[serde(borrow)]
    seller_product_name: Text<'a>,
    #[serde(borrow)]
    seller_product_item_name: Text<'a>,
    #[serde(borrow)]
    external_vendor_sku_code: Text<'a>,
    #[serde(borrow)]
    shipping_count: Text<'a>,
    #[serde(borrow)]
    cancel_count: Text<'a>,
    #[serde(borrow)]
    hold_count_for_cancel: Text<'a>,
    #[serde(borrow)]
    canceled: Text<'a>,
    #[serde(borrow)]
    sales_price: Option<&'a RawValue>,
    #[serde(borrow)]
    order_price: Option<&'a RawValue>,
    #[serde(borrow)]
    discount_price: Option<&'a RawValue>,
    #[serde(borrow)]
    etc_info_header: Text<'a>,
    #[serde(borrow)]
    etc_info_values: Option<&'a RawValue>,
    #[serde(borrow)]
    estimated_shipping_date: Text<'a>,
    #[serde(borrow)]
    planned_shipping_date: Text<'a>,
}

/// What a dispatch needs of the box, kept with the order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Kept {
    /// `orderId`.
    pub(super) order: String,
    /// Whether the box can be split.
    pub(super) splittable: bool,
    /// Whether a part of it was shipped already.
    pub(super) split: bool,
}

/// What a dispatch needs of a line, kept with it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct KeptLine {
    /// The day by which it is promised to ship.
    pub(super) promised: Option<NaiveDate>,
}

/// What was kept with an order.
pub(super) fn kept(order: &Order) -> Kept {
    let mut kept: Kept = order.channel_data.read().unwrap_or_default();
    if kept.order.is_empty() {
        kept.order = order.group.clone().unwrap_or_default();
    }
    kept
}

/// Reads one box. One that can't be read spoils only itself.
pub(super) fn read_row(raw: &RawValue, config: &Config, read_at: DateTime<Utc>) -> Row {
    let unreadable = |id: Option<OrderId>, reason: &str| {
        Row::Unreadable(UnreadableRow::new(id, reason, RawPayload::new(raw.get())))
    };
    let Ok(row) = object::<BoxRow<'_>>("a box", raw.get()) else {
        return unreadable(box_id_alone(raw), "the row is not a box");
    };
    match order(&row, config, read_at) {
        Ok(mut order) => {
            order.raw = RawPayload::new(raw.get());
            Row::Order(Box::new(order))
        }
        Err(reason) => unreadable(box_id(&row.shipment_box_id), reason),
    }
}

fn box_id(text: &Text<'_>) -> Option<OrderId> {
    text.filled().filter(|id| *id != "0").map(OrderId::from)
}

/// The id of a row whose other fields have the wrong shape.
fn box_id_alone(raw: &RawValue) -> Option<OrderId> {
    #[derive(Deserialize, Default)]
    #[serde(default, rename_all = "camelCase")]
    struct Id<'a> {
        #[serde(borrow)]
        shipment_box_id: Text<'a>,
    }
    box_id(&object::<Id<'_>>("a box", raw.get()).ok()?.shipment_box_id)
}

/// A box is what is confirmed and shipped as one (sheet 4.4). The error says what is missing, without personal data.
fn order(row: &BoxRow<'_>, config: &Config, read_at: DateTime<Utc>) -> Result<Order, &'static str> {
    let id = box_id(&row.shipment_box_id).ok_or("the box has no id")?;
    let group = row.order_id.filled().filter(|id| *id != "0").ok_or("the box has no order number")?;
    let broken = |person: &Option<Person<'_>>| {
        person.as_ref().is_some_and(|p| p.name.is_broken() || p.addr1.is_broken() || p.addr2.is_broken())
    };
    if broken(&row.receiver) || row.shipment_box_id.is_broken() || row.order_id.is_broken() {
        return Err("name, address or an id have broken characters");
    }
    let zone = config.zone();
    let paid_at = time(&row.paid_at, zone);
    let ordered_at = time(&row.ordered_at, zone)
        .or(paid_at)
        .ok_or("neither the order time nor the payment time can be read")?;
    let status = status(&row.status);
    let mut lines = Lines::default();
    for item in row.order_items.iter().flatten() {
        let item: ItemRow<'_> = object("a line", item.get()).map_err(|_| "a line is not an item")?;
        lines.add(&item, id.as_str(), status, config)?;
    }
    if lines.lines.is_empty() {
        return Err("the box has no lines");
    }

    let currency = lines.lines.iter().find_map(|line| Some(line.unit_price?.currency));
    let mut order =
        Order::new(id.clone(), status, ordered_at, read_at, currency.unwrap_or(config.currency()));
    order.paid_at = paid_at;
    order.number = Some(group.to_owned());
    order.group = Some(group.to_owned());
    order.totals.shipping =
        sum([row.shipping_price, row.remote_price].map(|price| amount(price, config.currency())));
    order.buyer = Private::new(row.orderer.as_ref().map(|p| party(p, "")).unwrap_or_default());
    let mut to = Destination::default();
    id.as_str().clone_into(&mut to.id);
    let country = config.market.code();
    to.recipient = Private::new(row.receiver.as_ref().map(|p| party(p, country)).unwrap_or_default());
    to.message = row.parcel_print_message.filled().map(|text| Private::new(text.to_owned()));
    order.destinations = vec![to];
    order.memo = (!lines.memos.is_empty()).then(|| Private::new(lines.memos.join("\n")));
    order.tracking = tracking(row).into_iter().collect();
    order.expected_ship_date = lines.promised;
    let kept = Kept {
        order: group.to_owned(),
        splittable: row.able_split_shipping.flag().unwrap_or(false),
        split: row.split_shipping.flag().unwrap_or(false),
    };
    order.channel_data = ChannelData::new(&kept).map_err(|_| "the box can't be kept")?;
    order.lines = lines.lines;
    if lines.held {
        // Pieces of it wait for a cancellation (sheet 4.4): nothing is done to the box until that is settled.
        order.cancel = match status.is_past_dispatch() {
            true => CancelState::ReturnOrExchange,
            false => CancelState::Requested,
        };
    }
    if status == OrderStatus::Unknown {
        order.holds.push(Hold::OnHold);
    }
    settle_status(&mut order);
    Ok(order)
}

/// An order is as far as the least of its lines that are not cancelled.
pub(super) fn settle_status(order: &mut Order) {
    for line in &mut order.lines {
        if line.quantity > 0 && line.cancelled >= line.quantity {
            line.status = OrderStatus::Cancelled;
        }
    }
    let open = order.lines.iter().map(|line| line.status).filter(|status| *status != OrderStatus::Cancelled);
    order.status = open.min().unwrap_or(OrderStatus::Cancelled);
    if order.status == OrderStatus::Cancelled {
        order.cancel = CancelState::None;
    }
}

/// What a box's word means (sheet 5). A word that is not in the table is never acted upon.
pub(super) fn status(word: &str) -> OrderStatus {
    let word = word.trim();
    super::info::STATUSES
        .iter()
        .find(|row| row.channel == word)
        .map_or(OrderStatus::Unknown, |row| row.status)
}

#[derive(Default)]
struct Lines {
    lines: Vec<Line>,
    memos: Vec<String>,
    promised: Option<NaiveDate>,
    /// Pieces wait for a cancellation.
    held: bool,
}

impl Lines {
    fn add(
        &mut self,
        item: &ItemRow<'_>,
        box_id: &str,
        status: OrderStatus,
        config: &Config,
    ) -> Result<(), &'static str> {
        if item.vendor_item_id.is_broken() || item.external_vendor_sku_code.is_broken() {
            return Err("an id has broken characters");
        }
        let option =
            item.vendor_item_id.filled().filter(|id| *id != "0").ok_or("a line has no vendorItemId")?;
        let quantity = pieces(&item.shipping_count)?.ok_or("a line has no quantity")?;
        let cancelled = pieces(&item.cancel_count)?.unwrap_or(0);
        let held = pieces(&item.hold_count_for_cancel)?.unwrap_or(0);
        let whole = item.canceled.flag().unwrap_or(false) || (quantity > 0 && cancelled >= quantity);
        if quantity == 0 && !whole {
            return Err("a line's quantity is zero");
        }

        // There is no line id (sheet 6). The same option twice in a box was not seen; it would be two lines.
        let same = self.lines.iter().filter(|line| line.listing.option == option).count();
        let id = if same == 0 { option.to_owned() } else { format!("{option}/{}", same + 1) };
        let product = item.seller_product_id.filled().unwrap_or_default();
        let mut line = Line::new(id, ListingKey::option(product, option), quantity, status);
        box_id.clone_into(&mut line.unit);
        line.sku = item.external_vendor_sku_code.filled().map(Sku::from);
        line.title =
            item.seller_product_name.filled().or(item.vendor_item_name.filled()).unwrap_or("").to_owned();
        line.option_text = item.seller_product_item_name.trim().to_owned();
        line.cancelled = if whole { quantity } else { cancelled };
        if status.is_past_dispatch() {
            line.shipped = quantity - line.cancelled;
        }
        if whole {
            line.status = OrderStatus::Cancelled;
        }
        let money = |price| amount(price, config.currency());
        line.unit_price = money(item.sales_price);
        line.discount = money(item.discount_price).map(|m| Money::new(m.amount.abs(), m.currency));
        line.total = total(money(item.order_price), line.discount);
        // After a split the planned day counts (sheet 4.4).
        let promised = day(&item.planned_shipping_date).or_else(|| day(&item.estimated_shipping_date));
        line.channel_data = ChannelData::new(&KeptLine { promised }).map_err(|_| "a line can't be kept")?;
        if !whole {
            self.promised = [self.promised, promised].into_iter().flatten().min();
        }
        self.held |= held > 0 && !whole;
        self.memos.extend(engraving(item));
        self.lines.push(line);
        Ok(())
    }
}

/// A number of pieces; `None`: not told.
fn pieces(text: &Text<'_>) -> Result<Option<u32>, &'static str> {
    match text.filled() {
        None => Ok(None),
        Some(_) => {
            let pieces = text.integer().and_then(|pieces| u32::try_from(pieces).ok());
            pieces.map(Some).ok_or("a quantity can't be read")
        }
    }
}

/// `orderPrice` is before discounts (sheet 4.4).
fn total(price: Option<Money>, discount: Option<Money>) -> Option<Money> {
    let price = price?;
    match discount {
        None => Some(price),
        Some(off) if off.currency == price.currency => {
            Some(Money::new(price.amount.checked_sub(off.amount)?, price.currency))
        }
        Some(_) => None,
    }
}

/// What the buyer wants written on the goods.
fn engraving(item: &ItemRow<'_>) -> Option<String> {
    let texts: Vec<Text<'_>> =
        item.etc_info_values.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default();
    let texts: Vec<&str> = texts.iter().filter_map(Text::filled).collect();
    if texts.is_empty() {
        return None;
    }
    let texts = texts.join(", ");
    Some(match item.etc_info_header.filled() {
        Some(header) => format!("{header}: {texts}"),
        None => texts,
    })
}

/// The real number, where it is told, before the relay number (sheet 6).
fn party(person: &Person<'_>, country: &str) -> Party {
    let mut party = Party::default();
    person.name.trim().clone_into(&mut party.name);
    person.email.trim().clone_into(&mut party.email);
    let phones =
        [&person.receiver_number, &person.orderer_number, &person.safe_number].map(|phone| phone.filled());
    let mut phones = phones.into_iter().flatten().map(str::to_owned);
    party.phone = phones.next().unwrap_or_default();
    party.phone_alternative = phones.next().unwrap_or_default();
    let lines = [person.addr1.filled(), person.addr2.filled()];
    party.address.lines = lines.into_iter().flatten().map(str::to_owned).collect();
    person.post_code.trim().clone_into(&mut party.address.postal_code);
    if !party.address.is_empty() {
        country.clone_into(&mut party.address.country);
    }
    party
}

fn tracking(row: &BoxRow<'_>) -> Option<Tracking> {
    Some(Tracking::new(row.delivery_company_name.trim(), row.invoice_number.filled()?))
}

/// A box id or order number as it goes into a path: digits only, so that it can't lead elsewhere.
pub(super) fn in_path(id: &str) -> Option<String> {
    number(id).map(|number| number.to_string())
}
