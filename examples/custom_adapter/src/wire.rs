//! What goes over the wire: pure functions, nothing is sent here.

use chrono::{DateTime, NaiveDateTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Asia::Tokyo;
use encoding_rs::SHIFT_JIS;
use quick_xml::escape::escape;
use rust_decimal::Decimal;
use sales_channels::channel::{DispatchRequest, Refusal, Row, Secret, Tracking, UnreadableRow};
use sales_channels::http::{Response, classify_status};
use sales_channels::lenient::decimal;
use sales_channels::model::{
    CancelState, Currency, Destination, Line, ListingKey, Money, Order, OrderStatus, Party, Private,
    RawPayload, Window,
};
use sales_channels::{Error, ErrorKind, Result};
use serde::Deserialize;

#[derive(Deserialize)]
struct Fault {
    #[serde(rename = "@code")]
    code: String,
    #[serde(rename = "@text", default)]
    text: String,
}

/// Says what is wrong with an answer. Errors come with status 200 and `<error code="" text=""/>`.
pub(crate) fn judge(response: &Response, key: &Secret) -> Result<()> {
    classify_status(response).map_err(|error| match error.kind() {
        // The mall answers 200 to what it understands: a 404 is an address that is wrong, never an order that is gone.
        ErrorKind::NotFound => {
            Error::new(ErrorKind::Configuration).with_message("nothing is at this address")
        }
        _ => error,
    })?;
    let text = text(&response.body);
    if ["<orders", "<stock", "<done"].iter().any(|root| body_of(&text).starts_with(root)) {
        return Ok(());
    }
    let fault: Fault = quick_xml::de::from_str(body_of(&text))
        .map_err(|_| Error::malformed(format!("no XML of the mall (HTTP {})", response.status)))?;
    let kind = match fault.code.as_str() {
        "K1" => ErrorKind::Unauthorized,
        "K2" => ErrorKind::CredentialExpired,
        "L1" => ErrorKind::RateLimited,
        "M1" => ErrorKind::Unavailable,
        _ => ErrorKind::Refused,
    };
    let told = if fault.text.contains(key.expose()) { String::new() } else { fault.text };
    Err(Error::new(kind).with_code(fault.code).with_message(told))
}

fn text(body: &[u8]) -> String {
    SHIFT_JIS.decode(body).0.into_owned()
}

fn body_of(text: &str) -> &str {
    text.trim_start()
        .strip_prefix("<?xml")
        .and_then(|rest| rest.split_once("?>"))
        .map_or(text, |(_, rest)| rest)
        .trim()
}

/// A page of orders.
pub(crate) struct Orders {
    pub(crate) rows: Vec<Row>,
    /// Which of the rows are gifts.
    pub(crate) gifts: Vec<bool>,
    pub(crate) pages: u32,
}

#[derive(Deserialize)]
struct Head {
    #[serde(rename = "@pages")]
    pages: u32,
}

/// Reads a page. Each order is read on its own: a bad one spoils only itself.
pub(crate) fn orders(body: &[u8], read_at: DateTime<Utc>) -> Result<Orders> {
    let text = text(body);
    let xml = body_of(&text);
    let malformed = || Error::malformed("the list of orders can't be read");
    // Cut off in the middle, it would be taken for a shorter list.
    if !xml.starts_with("<orders") || !(xml.ends_with("</orders>") || xml.ends_with("/>")) {
        return Err(malformed());
    }
    let head: Head = quick_xml::de::from_str(xml).map_err(|_| malformed())?;
    let mut found = Orders { rows: Vec::new(), gifts: Vec::new(), pages: head.pages };
    // Texts are escaped, so a tag in them can't be mistaken for one.
    for part in xml.split("<order ").skip(1) {
        let raw = format!("<order {}</order>", part.split("</order>").next().unwrap_or_default());
        let read = quick_xml::de::from_str::<WireOrder>(&raw).map_err(|_| "no order").and_then(|row| {
            let gift = row.gift == "1";
            Ok((order(row, read_at)?, gift))
        });
        let (row, gift) = match read {
            Ok((mut order, gift)) => {
                order.raw = RawPayload::new(&raw);
                (Row::Order(Box::new(order)), gift)
            }
            Err(why) => (Row::Unreadable(UnreadableRow::new(None, why, RawPayload::new(&raw))), false),
        };
        found.rows.push(row);
        found.gifts.push(gift);
    }
    Ok(found)
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireOrder {
    #[serde(rename = "@id")]
    id: String,
    #[serde(rename = "@status")]
    status: String,
    #[serde(rename = "@cancel")]
    cancel: String,
    #[serde(rename = "@gift")]
    gift: String,
    #[serde(rename = "@ordered")]
    ordered: String,
    #[serde(rename = "@paid")]
    paid: String,
    to: To,
    item: Vec<Item>,
    parcel: Vec<Parcel>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct To {
    #[serde(rename = "@name")]
    name: String,
    #[serde(rename = "@phone")]
    phone: String,
    #[serde(rename = "@mail")]
    mail: String,
    #[serde(rename = "@zip")]
    zip: String,
    #[serde(rename = "@street")]
    street: String,
    #[serde(rename = "@message")]
    message: String,
}

#[derive(Deserialize)]
struct Item {
    #[serde(rename = "@code")]
    code: String,
    #[serde(rename = "@sku")]
    sku: String,
    #[serde(rename = "@title")]
    title: String,
    #[serde(rename = "@quantity")]
    quantity: u32,
    #[serde(rename = "@sent")]
    sent: u32,
    #[serde(rename = "@price")]
    price: String,
}

#[derive(Deserialize)]
struct Parcel {
    #[serde(rename = "@carrier")]
    carrier: String,
    #[serde(rename = "@number")]
    number: String,
}

fn order(row: WireOrder, read_at: DateTime<Utc>) -> Result<Order, &'static str> {
    let status = super::STATUSES.iter().find(|mapping| mapping.channel == row.status);
    let status = status.map_or(OrderStatus::Unknown, |mapping| mapping.status);
    let ordered = time(&row.ordered).ok_or("the time of the order can't be read")?;
    if row.id.is_empty() || row.item.is_empty() {
        return Err("the order has no number or no items");
    }
    let mut order = Order::new(row.id, status, ordered, read_at, Currency::JPY);
    order.paid_at = time(&row.paid);
    if row.cancel == "asked" {
        order.cancel = CancelState::Requested;
    }
    let mut party = Party::default();
    (party.name, party.phone, party.email) = (row.to.name, row.to.phone, row.to.mail);
    party.address.postal_code = row.to.zip;
    party.address.lines = vec![row.to.street];
    order.buyer = Private::new(party.clone());
    let mut destination = Destination::default();
    destination.recipient = Private::new(party);
    order.destinations = vec![destination];
    order.memo = Some(row.to.message).filter(|message| !message.is_empty()).map(Private::new);
    order.tracking =
        row.parcel.into_iter().map(|parcel| Tracking::new(parcel.carrier, parcel.number)).collect();
    for (n, item) in (1..).zip(row.item) {
        let price = decimal(&item.price).ok_or("a price can't be read")?;
        let mut line = Line::new(format!("{n}"), ListingKey::item(item.code), item.quantity, status);
        (line.sku, line.title, line.shipped) = (Some(item.sku.into()), item.title, item.sent);
        line.unit_price = Some(Money::new(price, Currency::JPY));
        line.total = Some(Money::new(price * Decimal::from(item.quantity), Currency::JPY));
        order.lines.push(line);
    }
    Ok(order)
}

fn time(text: &str) -> Option<DateTime<Utc>> {
    let local = NaiveDateTime::parse_from_str(text, "%Y%m%d%H%M%S").ok()?;
    Some(Tokyo.from_local_datetime(&local).single()?.with_timezone(&Utc))
}

/// A window's ends as the mall takes them: whole seconds in Tokyo, both included.
pub(crate) fn borders(window: Window) -> (String, String) {
    let border = |at: DateTime<Utc>| at.with_timezone(&Tokyo).format("%Y%m%d%H%M%S").to_string();
    (border(window.from), border(window.to + TimeDelta::milliseconds(999)))
}

/// A number for a path: nothing else may get into an address.
pub(crate) fn number(text: &str) -> Result<&str> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then_some(text).ok_or_else(|| Error::invalid("the mall's ids are numbers"))
}

/// A parcel as XML in Shift_JIS, or why it can't be sent.
pub(crate) fn shipment(request: &DispatchRequest<'_>) -> Result<Vec<u8>, Refusal> {
    let tracking = request.tracking.filter(|t| !t.number.trim().is_empty() && !t.carrier.trim().is_empty());
    let tracking = tracking.ok_or_else(|| Refusal::new("", "a carrier and a tracking number are needed"))?;
    let all: Vec<(_, u32)>;
    let lines = if request.lines.is_empty() {
        all = request.order.lines.iter().map(|line| (line.id.clone(), line.outstanding())).collect();
        &all
    } else {
        request.lines
    };
    let lines: String = lines.iter().map(|(id, n)| format!("<line no=\"{id}\" quantity=\"{n}\"/>")).collect();
    let (carrier, number) = (escape(tracking.carrier.trim()), escape(tracking.number.trim()));
    let xml = format!("<shipment carrier=\"{carrier}\" number=\"{number}\">{lines}</shipment>");
    Ok(SHIFT_JIS.encode(&xml).0.into_owned())
}

#[derive(Deserialize)]
struct Stock {
    #[serde(rename = "@quantity")]
    quantity: u32,
}

/// The quantity that the mall shows.
pub(crate) fn stock(body: &[u8]) -> Result<u32> {
    let text = text(body);
    let stock: Stock = quick_xml::de::from_str(body_of(&text))
        .map_err(|_| Error::malformed("the quantity can't be read"))?;
    Ok(stock.quantity)
}
