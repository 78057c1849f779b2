//! What goes over the wire: pure functions, nothing is sent here.

use chrono::{DateTime, Utc};
use sales_channels::channel::{Row, UnreadableRow};
use sales_channels::http::{Response, classify_status, expect_json};
use sales_channels::lenient::{Text, body_text, object, unreadable};
use sales_channels::model::{Currency, Line, ListingKey, Money, Order, OrderStatus, RawPayload, Sku, Window};
use sales_channels::{Error, ErrorKind, Result};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Says what is wrong with an answer: your channel's table of codes.
pub(crate) fn judge(response: &Response) -> Result<()> {
    classify_status(response).map_err(|error| match error.kind() {
        // A 404 of a proxy must never read as "the order is gone".
        ErrorKind::NotFound => {
            Error::new(ErrorKind::Configuration).with_message("nothing is at this address")
        }
        _ => error,
    })?;
    expect_json(response)
}

/// The path of a page. Say whether the channel takes the ends of a window in or out, and in which zone.
pub(crate) fn list_path(window: Window, after: &str) -> String {
    let end = window.to.timestamp() + i64::from(window.to.timestamp_subsec_nanos() > 0);
    format!("orders?from={}&to={end}&after={after}", window.from.timestamp())
}

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    orders: Vec<&'a RawValue>,
    #[serde(borrow, default)]
    next: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Wire<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    status: Text<'a>,
    #[serde(borrow)]
    paid: Text<'a>,
    #[serde(borrow)]
    sku: Text<'a>,
    #[serde(borrow)]
    quantity: Text<'a>,
    #[serde(borrow)]
    price: Text<'a>,
}

/// The rows of a page, and where it goes on. Each row is parsed on its own: a bad one spoils only itself.
pub(crate) fn orders(body: &[u8], read_at: DateTime<Utc>) -> Result<(Vec<Row>, Option<String>)> {
    let body = body_text(body);
    let page: Page<'_> = object("the list of orders", &body)?;
    let row = |raw: &RawValue| match order(raw, read_at) {
        Ok(order) => Row::Order(Box::new(order)),
        Err(error) => {
            let why = error.message().unwrap_or_default();
            Row::Unreadable(UnreadableRow::new(None, why, RawPayload::new(raw.get())))
        }
    };
    Ok((page.orders.into_iter().map(row).collect(), page.next.filled().map(str::to_owned)))
}

fn order(raw: &RawValue, read_at: DateTime<Utc>) -> Result<Order> {
    let row: Wire<'_> = serde_json::from_str(raw.get()).map_err(|e| unreadable("the order", &e))?;
    let missing = |what: &str| Error::malformed(format!("{what} is missing or can't be read"));
    let id = row.id.filled().ok_or_else(|| missing("the number"))?;
    let seconds = row.paid.integer().ok_or_else(|| missing("the time of payment"))?;
    let paid = DateTime::from_timestamp(seconds, 0).ok_or_else(|| missing("the time of payment"))?;
    let status = super::STATUSES.iter().find(|mapping| mapping.channel == &*row.status);
    let status = status.map_or(OrderStatus::Unknown, |mapping| mapping.status);
    let quantity =
        row.quantity.integer().and_then(|n| u32::try_from(n).ok()).ok_or_else(|| missing("a quantity"))?;
    let mut order = Order::new(id, status, paid, read_at, Currency::JPY);
    order.paid_at = Some(paid);
    let mut line = Line::new("1", ListingKey::item(row.sku.to_string()), quantity, status);
    line.sku = row.sku.filled().map(Sku::from);
    line.unit_price = row.price.decimal().map(|price| Money::new(price, Currency::JPY));
    order.lines.push(line);
    order.raw = RawPayload::new(raw.get());
    Ok(order)
}

/// A number for an address: nothing else may get into one.
///
/// # Errors
/// `InvalidInput` for anything else.
pub(crate) fn number(text: &str) -> Result<&str> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then_some(text).ok_or_else(|| Error::invalid("the channel's ids are numbers"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_row_spoils_only_itself() {
        let body = br#"{"orders": [{"id": 7, "status": "paid", "paid": 1, "quantity": "2", "price": "19.80"}, {}], "next": "7"}"#;
        let (rows, next) = orders(body, DateTime::UNIX_EPOCH).unwrap_or_default();
        assert_eq!((rows.len(), next.as_deref()), (2, Some("7")));
        let price =
            rows[0].order().and_then(|order| order.lines[0].unit_price).map(|price| price.to_string());
        assert_eq!(price.as_deref(), Some("19.80 JPY"));
        assert!(matches!(rows[1], Row::Unreadable(_)));
    }
}
