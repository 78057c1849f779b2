//! Rows into orders (sheet 4.1, 4.2, 5, 6). No call is made here.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde_json::value::RawValue;

use crate::channel::{Row, Tracking, UnreadableRow};
use crate::model::{
    Address, Currency, Destination, Line, ListingKey, Money, Order, OrderId, OrderStatus, Party, Private,
    RawPayload, Sku,
};

use super::Config;
use super::cancels::Claim;
use super::wire::{day, decimal, integer, row, status_number, time};

row! {
    /// An order row, by the names of both methods: `GetShippingInfo_v3` and `GetShippingAndClaimInfoByOrderNo_V2`.
    OrderRow {
        order_no: "orderno",
        pack_no: "packno",
        status: "shippingstatus",
        order_date: "orderdate",
        payment_date: "paymentdate",
        estimated_date: "estimatedshippingdate",
        shipping_date: "shippingdate",
        delivered_date: "delivereddate",
        desired_date: "desireddeliverydate" | "hopedate",
        buyer: "buyer",
        buyer_kana: "buyerkana" | "buyergata",
        buyer_tel: "buyertel",
        buyer_mobile: "buyermobile",
        buyer_email: "buyeremail",
        receiver: "receiver",
        receiver_kana: "receiverkana" | "receivergata",
        receiver_tel: "receivertel",
        receiver_mobile: "receivermobile",
        zip: "zipcode",
        whole_address: "shippingaddress" | "shippingaddr",
        address_1: "address1",
        address_2: "address2",
        sender: "sendername",
        sender_tel: "sendertel",
        sender_nation: "sendernation",
        sender_zip: "senderzipcode",
        sender_address: "senderaddress" | "senderaddr",
        item_no: "itemno" | "itemcode",
        seller_code: "selleritemcode",
        title: "itemtitle",
        option: "option",
        option_code: "optioncode",
        quantity: "orderqty",
        price: "orderprice",
        discount: "discount",
        total: "total",
        cart_discount_seller: "cartdiscountseller",
        cart_discount_qoo10: "cartdiscountqoo10",
        settlement: "settleprice",
        shipping_fee: "shippingrate",
        currency: "currency",
        message: "shippingmessage" | "shippingmsg",
        carrier: "deliverycompany",
        tracking_no: "trackingno",
        claim: "claimstatus",
    }
}

/// Reads one row. A row that can't be read spoils only itself.
pub(super) fn read_row(raw: &RawValue, config: &Config, read_at: DateTime<Utc>) -> Row {
    let unreadable = |id: Option<OrderId>, reason: &str| {
        Row::Unreadable(UnreadableRow::new(id, reason, RawPayload::new(raw.get())))
    };
    let Ok(row) = serde_json::from_str::<OrderRow<'_>>(raw.get()) else {
        return unreadable(None, "the row is not an object");
    };
    match order(&row, config, read_at, None) {
        Ok(mut order) => {
            order.raw = RawPayload::new(raw.get());
            Row::Order(Box::new(order))
        }
        Err(reason) => unreadable(order_id(&row), reason),
    }
}

pub(super) fn order_id(row: &OrderRow<'_>) -> Option<OrderId> {
    let number = row.order_no.trim();
    (!number.is_empty() && number != "0").then(|| OrderId::from(number))
}

/// One order number is one order with one line: that is what is confirmed and shipped (sheet 6). `known` fills what
/// the row leaves out. The error says what is missing, without personal data.
pub(super) fn order(
    row: &OrderRow<'_>,
    config: &Config,
    read_at: DateTime<Utc>,
    known: Option<&Order>,
) -> Result<Order, &'static str> {
    let id = order_id(row).ok_or("the order number is missing")?;
    if [&row.item_no, &row.receiver, &row.whole_address, &row.address_1, &row.address_2]
        .iter()
        .any(|text| text.contains('\u{FFFD}'))
    {
        return Err("name, address or item number have broken characters");
    }
    let zone = config.zone;
    let paid_at = time(&row.payment_date, zone).or_else(|| known?.paid_at);
    let ordered_at = time(&row.order_date, zone)
        .or_else(|| Some(known?.ordered_at))
        .or(paid_at)
        .ok_or("neither the order date nor the payment date can be read")?;
    let status = status(row, zone);
    let currency = currency(row, config, known);
    let mut order = Order::new(id.clone(), status, ordered_at, read_at, currency.unwrap_or(config.currency));
    order.paid_at = paid_at;
    order.group = filled(&row.pack_no).filter(|pack| pack != "0").or_else(|| known?.group.clone());
    order.expected_ship_date = day(&row.estimated_date, zone);
    let amount = |text: &str| currency.and_then(|currency| Some(Money::new(decimal(text)?, currency)));
    order.totals.shipping = amount(&row.shipping_fee);
    order.totals.settlement = amount(&row.settlement);
    order.totals.discount = currency.and_then(|currency| cart_discount(row, currency));
    order.buyer = Private::new(buyer(row));
    order.destinations = vec![destination(row, zone)];
    order.memo = filled(&row.message).map(Private::new);
    order.tracking = tracking(row).into_iter().collect();
    let mut line = line(row, &id, status)?;
    line.unit_price = amount(&row.price);
    line.discount = amount(&row.discount).map(|money| Money::new(money.amount.abs(), money.currency));
    line.total = amount(&row.total);
    order.lines = vec![line];
    if let Some(known) = known {
        fill_from(&mut order, known);
    }
    Claim::read(&row.claim).apply(&mut order);
    Ok(order)
}

fn line(row: &OrderRow<'_>, id: &OrderId, status: OrderStatus) -> Result<Line, &'static str> {
    let quantity = integer(&row.quantity)
        .and_then(|pieces| u32::try_from(pieces).ok())
        .filter(|pieces| *pieces > 0)
        .ok_or("the quantity can't be read")?;
    let item = filled(&row.item_no).ok_or("the item number is missing")?;
    // The option code is the merchant's code of the option and the same in listings; without one, the words are.
    let listing = match (filled(&row.option_code), filled(&row.option)) {
        (Some(option), _) | (None, Some(option)) => ListingKey::option(item, option),
        (None, None) => ListingKey::item(item),
    };
    let mut line = Line::new(id.as_str(), listing, quantity, status);
    line.sku = filled(&row.option_code).or_else(|| filled(&row.seller_code)).map(Sku::from);
    line.title = row.title.trim().to_owned();
    line.option_text = row.option.trim().to_owned();
    if status.is_past_dispatch() {
        line.shipped = quantity;
    }
    Ok(line)
}

/// The number in the text, else what dates and tracking number prove, else unknown (sheet 4.1). An unknown number
/// stays unknown: it is never acted upon.
fn status(row: &OrderRow<'_>, zone: chrono_tz::Tz) -> OrderStatus {
    match status_number(&row.status) {
        Some(1) => OrderStatus::PendingPayment,
        Some(2) => OrderStatus::New,
        Some(3) => OrderStatus::Confirmed,
        Some(4) => OrderStatus::Shipped,
        Some(5) => OrderStatus::Delivered,
        Some(_) => OrderStatus::Unknown,
        None if time(&row.delivered_date, zone).is_some() => OrderStatus::Delivered,
        None if time(&row.shipping_date, zone).is_some() || !row.tracking_no.trim().is_empty() => {
            OrderStatus::Shipped
        }
        None => OrderStatus::Unknown,
    }
}

/// `None`: there is one that is not a currency code. The order is taken, its amounts are left out: counting them in
/// another currency would be wrong.
fn currency(row: &OrderRow<'_>, config: &Config, known: Option<&Order>) -> Option<Currency> {
    match row.currency.trim() {
        "" => Some(known.map_or(config.currency, |order| order.currency)),
        code => code.parse().ok(),
    }
}

fn cart_discount(row: &OrderRow<'_>, currency: Currency) -> Option<Money> {
    let parts = [decimal(&row.cart_discount_seller), decimal(&row.cart_discount_qoo10)];
    let parts = parts.into_iter().flatten();
    let sum = parts.map(|part| part.abs()).reduce(Decimal::saturating_add)?;
    Some(Money::new(sum, currency))
}

fn filled(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn named(name: &str, reading: &str) -> Party {
    let mut party = Party::default();
    party.name.push_str(name.trim());
    party.name_reading.push_str(reading.trim());
    party
}

fn buyer(row: &OrderRow<'_>) -> Party {
    let mut party = named(&row.buyer, &row.buyer_kana);
    (party.phone, party.phone_alternative) = phones(&row.buyer_mobile, &row.buyer_tel);
    party.email = row.buyer_email.trim().to_owned();
    party
}

fn destination(row: &OrderRow<'_>, zone: chrono_tz::Tz) -> Destination {
    let mut party = named(&row.receiver, &row.receiver_kana);
    (party.phone, party.phone_alternative) = phones(&row.receiver_mobile, &row.receiver_tel);
    party.address = address(&row.zip, &[&row.address_1, &row.address_2], &row.whole_address);
    let mut destination = Destination::default();
    if let Some(sender) = sender(row) {
        destination.sender = Some(Private::new(sender));
    }
    destination.recipient = Private::new(party);
    destination.desired_date = day(&row.desired_date, zone);
    // The one message of an order: buyers write to the carrier and to the seller in it.
    destination.message = filled(&row.message).map(Private::new);
    destination
}

fn sender(row: &OrderRow<'_>) -> Option<Party> {
    let mut party = named(&filled(&row.sender)?, "");
    party.phone = row.sender_tel.trim().to_owned();
    party.address = address(&row.sender_zip, &[], &row.sender_address);
    party.address.country = country(&row.sender_nation);
    Some(party)
}

fn country(text: &str) -> String {
    let text = text.trim();
    let is_code = text.len() == 2 && text.bytes().all(|letter| letter.is_ascii_alphabetic());
    if is_code { text.to_ascii_uppercase() } else { String::new() }
}

fn address(zip: &str, parts: &[&str], whole: &str) -> Address {
    let mut address = Address::default();
    address.postal_code.push_str(zip.trim());
    address
        .lines
        .extend(parts.iter().map(|part| part.trim()).filter(|part| !part.is_empty()).map(str::to_owned));
    if address.lines.is_empty() && !whole.trim().is_empty() {
        address.lines.push(whole.trim().to_owned());
    }
    address
}

/// The mobile number first (sheet 6).
fn phones(mobile: &str, tel: &str) -> (String, String) {
    let (mobile, tel) = (mobile.trim(), tel.trim());
    match (mobile.is_empty(), mobile == tel) {
        (true, _) => (tel.to_owned(), String::new()),
        (false, true) => (mobile.to_owned(), String::new()),
        (false, false) => (mobile.to_owned(), tel.to_owned()),
    }
}

fn tracking(row: &OrderRow<'_>) -> Option<Tracking> {
    Some(Tracking::new(row.carrier.trim(), filled(&row.tracking_no)?))
}

/// Keeps what was known and is left out by the method that reads single orders: it tells less (sheet 4.2), and a
/// missing address or SKU would stop the order's fulfilment.
fn fill_from(order: &mut Order, known: &Order) {
    if let (Some(line), Some(old)) = (order.lines.first_mut(), known.lines.first()) {
        if line.listing.option.is_empty() && line.listing.item == old.listing.item {
            line.listing.option.clone_from(&old.listing.option);
            line.option_text.clone_from(&old.option_text);
            line.sku.clone_from(&old.sku);
        }
        line.sku = line.sku.take().or_else(|| old.sku.clone());
        if line.title.is_empty() {
            line.title.clone_from(&old.title);
        }
    }
    if let (Some(to), Some(old)) = (order.destinations.first_mut(), known.destinations.first())
        && is_same_or_missing(&to.recipient.reveal().address, &old.recipient.reveal().address)
    {
        *to = old.clone();
    }
    if order.buyer.reveal().name.is_empty() {
        order.buyer = known.buyer.clone();
    }
    let same_currency = order.currency == known.currency;
    let (totals, old) = (&mut order.totals, &known.totals);
    if same_currency {
        totals.shipping = totals.shipping.or(old.shipping);
        totals.settlement = totals.settlement.or(old.settlement);
        totals.discount = totals.discount.or(old.discount);
    }
    order.expected_ship_date = order.expected_ship_date.or(known.expected_ship_date);
    if order.memo.is_none() {
        order.memo.clone_from(&known.memo);
    }
}

/// Whether an address is missing, or is the known one in a single line: that method knows no parts of it.
fn is_same_or_missing(address: &Address, known: &Address) -> bool {
    let bare = |address: &Address| -> String {
        let lines = address.lines.iter().flat_map(|line| line.chars());
        lines.filter(|c| !c.is_whitespace()).collect()
    };
    let text = bare(address);
    text.is_empty() || (address.postal_code == known.postal_code && text == bare(known))
}
