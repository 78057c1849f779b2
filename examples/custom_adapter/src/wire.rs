//! What goes over the wire: pure functions, nothing is sent here.

use chrono::{DateTime, NaiveDateTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Asia::Tokyo;
use encoding_rs::SHIFT_JIS;
use quick_xml::escape::escape;
use sales_channels::channel::{DispatchRequest, Refusal, Row, Tracking, UnreadableRow};
use sales_channels::http::{Response, classify_status};
use sales_channels::lenient::decimal;
use sales_channels::model::{
    CancelState, Currency, Destination, Hold, Line, ListingKey, Money, Order, OrderStatus, Party, Private,
    RawPayload, Window,
};
use sales_channels::xml::Element;
use sales_channels::{Error, ErrorKind, Result};

/// Says what is wrong with an answer. Errors come with status 200 and `<error code="" text=""/>`.
pub(crate) fn judge(response: &Response) -> Result<()> {
    classify_status(response).map_err(|error| match error.kind() {
        // The mall answers 200 to what it understands: a 404 is an address that is wrong, never an order that is gone.
        ErrorKind::NotFound => {
            Error::new(ErrorKind::Configuration).with_message("nothing is at this address")
        }
        _ => error,
    })?;
    let text = text(&response.body);
    let answer = Element::parse(&text)?;
    let kind = match (answer.name(), answer.attribute("code")) {
        ("orders" | "stock" | "done", _) => return Ok(()),
        ("error", "K1") => ErrorKind::Unauthorized,
        ("error", "K2") => ErrorKind::CredentialExpired,
        ("error", "L1") => ErrorKind::RateLimited,
        ("error", "M1") => ErrorKind::Unavailable,
        ("error", _) => ErrorKind::Refused,
        _ => return Err(Error::malformed(format!("no XML of the mall (HTTP {})", response.status))),
    };
    Err(Error::new(kind).with_code(answer.attribute("code")).with_message(answer.attribute("text")))
}

fn text(body: &[u8]) -> String {
    SHIFT_JIS.decode(body).0.into_owned()
}

/// A page of orders, and how many pages there are. A bad order spoils only itself.
pub(crate) fn orders(body: &[u8], read_at: DateTime<Utc>) -> Result<(Vec<Row>, u32)> {
    let text = text(body);
    let list = Element::parse(&text)?;
    let pages = list.attribute("pages").parse().ok().filter(|_| list.name() == "orders");
    let pages = pages.ok_or_else(|| Error::malformed("the list of orders can't be read"))?;
    let row = |row: &Element<'_>| match order(row, read_at) {
        Ok(order) => Row::Order(Box::new(order)),
        Err(why) => Row::Unreadable(UnreadableRow::new(None, why, RawPayload::new(row.raw()))),
    };
    Ok((list.all("order").map(row).collect(), pages))
}

fn order(row: &Element<'_>, read_at: DateTime<Utc>) -> Result<Order, &'static str> {
    let status = super::STATUSES.iter().find(|mapping| mapping.channel == row.attribute("status"));
    let status = status.map_or(OrderStatus::Unknown, |mapping| mapping.status);
    let ordered = time(row.attribute("ordered")).ok_or("the time of the order can't be read")?;
    let mut order = Order::new(row.attribute("id"), status, ordered, read_at, Currency::JPY);
    order.raw = RawPayload::new(row.raw());
    order.paid_at = time(row.attribute("paid"));
    if row.attribute("cancel") == "asked" {
        order.cancel = CancelState::Requested;
    }
    if row.attribute("held") == "1" {
        order.holds.push(Hold::OnHold);
    }
    for to in row.all("to") {
        let person = person(to);
        order.buyer = Private::new(person.clone());
        let mut destination = Destination::default();
        destination.recipient = Private::new(person);
        order.destinations.push(destination);
        order.memo =
            Some(to.attribute("message").to_owned()).filter(|text| !text.is_empty()).map(Private::new);
    }
    let parcel =
        |parcel: &Element<'_>| Tracking::new(parcel.attribute("carrier"), parcel.attribute("number"));
    order.tracking = row.all("parcel").map(parcel).collect();
    for (n, item) in (1..).zip(row.all("item")) {
        order.lines.push(line(n, item, status)?);
    }
    if order.id.as_str().is_empty() || order.lines.is_empty() {
        return Err("the order has no number or no items");
    }
    Ok(order)
}

fn person(to: &Element<'_>) -> Party {
    let mut person = Party::default();
    person.name = to.attribute("name").to_owned();
    person.phone = to.attribute("phone").to_owned();
    person.email = to.attribute("mail").to_owned();
    person.address.postal_code = to.attribute("zip").to_owned();
    person.address.lines = vec![to.attribute("street").to_owned()];
    person
}

fn line(n: u32, item: &Element<'_>, status: OrderStatus) -> Result<Line, &'static str> {
    let quantity = item.attribute("quantity").parse::<u32>().map_err(|_| "a quantity can't be read")?;
    let price = decimal(item.attribute("price")).ok_or("a price can't be read")?;
    let mut line = Line::new(n.to_string(), ListingKey::item(item.attribute("code")), quantity, status);
    line.sku = Some(item.attribute("sku").into());
    line.title = item.attribute("title").to_owned();
    line.shipped = item.attribute("sent").parse().map_err(|_| "what was sent can't be read")?;
    line.unit_price = Some(Money::new(price, Currency::JPY));
    line.total = price.checked_mul(quantity.into()).map(|total| Money::new(total, Currency::JPY));
    Ok(line)
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
    let mut lines = request.lines.to_vec();
    if lines.is_empty() {
        lines = request.order.lines.iter().map(|line| (line.id.clone(), line.outstanding())).collect();
    }
    let lines: String = lines.iter().map(|(id, n)| format!("<line no=\"{id}\" quantity=\"{n}\"/>")).collect();
    let (carrier, number) = (escape(tracking.carrier.trim()), escape(tracking.number.trim()));
    let xml = format!("<shipment carrier=\"{carrier}\" number=\"{number}\">{lines}</shipment>");
    Ok(SHIFT_JIS.encode(&xml).0.into_owned())
}

/// The quantity that the mall shows.
pub(crate) fn stock(body: &[u8]) -> Result<u32> {
    let quantity = Element::parse(&text(body))?.attribute("quantity").parse();
    quantity.map_err(|_| Error::malformed("the quantity can't be read"))
}
