//! The calls that fetch a window of orders or read single ones (sheet 4).

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::StreamExt;

use crate::channel::{Context, Operation, OrderPage, Outcome, PageCursor, Refusal, Row, UnreadableRow, each};
use crate::error::{Error, Result};
use crate::model::{Order, OrderId, RawPayload, Window};
use crate::xml::Element;

use super::Config;
use super::auth::{Api, PARALLEL, Query};
use super::errors::Method;
use super::lines::{Missing, add_lines};
use super::rows::{OrderRow, held, order, packed_into};
use super::settings::Choices;
use super::window::Place;
use super::wire::{Envelope, MOST_ROWS, number, salvaged, text, time};

/// A page ends early rather than in an error: what is left of the caller's time when no further order is begun.
const RESERVE: Duration = Duration::from_secs(10);

/// A row of a page of `get_order`. Debug shows its number only: the rest holds personal data.
pub(super) struct Listed<'a> {
    /// Its order number, where that much can be read.
    pub(super) number: Option<(u64, String)>,
    /// `None`: it is no whole XML.
    pub(super) element: Option<Element<'a>>,
    pub(super) raw: &'a str,
}

impl fmt::Debug for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[row {:?}, {} bytes]", self.number, self.raw.len())
    }
}

/// The rows of a page, without doubles. They must ascend and be greater than the last number of the page before:
/// otherwise going on would skip orders.
///
/// # Errors
/// `MalformedResponse` when they don't.
pub(super) fn listed<'a>(rows: &[&'a str], after: &str) -> Result<Vec<Listed<'a>>> {
    let mut last = number(after).filter(|_| !after.is_empty());
    let mut listed: Vec<Listed<'a>> = Vec::with_capacity(rows.len());
    for raw in rows {
        let element = Element::parse(raw).ok();
        let told = match &element {
            Some(element) => Some(element.field("order_number")).filter(|text| !text.is_empty()),
            None => salvaged(raw, "order_number"),
        };
        let number = told.and_then(|text| Some((number(text)?, text.to_owned())));
        if let Some((number, _)) = &number {
            let double =
                listed.iter().any(|row| row.number.as_ref().is_some_and(|(known, _)| known == number));
            if double {
                continue;
            }
            if last.is_some_and(|last| *number <= last) {
                return Err(Error::malformed(
                    "the order numbers of a page do not ascend: going on would skip orders",
                ));
            }
            last = Some(*number);
        }
        listed.push(Listed { number, element, raw });
    }
    Ok(listed)
}

/// The parameters that read one order.
pub(super) fn one_query(id: &OrderId) -> Query {
    vec![("order_number", id.to_string()), ("condition", "0".to_owned())]
}

/// The row of this order in an answer of `get_order`; `None`: CROSS MALL has no such order.
///
/// # Errors
/// `MalformedResponse` when the answer can't be read, or is about other orders: then nothing is known of this one.
pub(super) fn one_row<'a>(body: &'a str, id: &OrderId) -> Result<Option<(&'a str, Element<'a>)>> {
    let rows = Envelope::read(body)?.rows;
    let wanted = number(id.as_str());
    for raw in &rows {
        let Ok(element) = Element::parse(raw) else { continue };
        let told = element.field("order_number");
        if told == id.as_str() || (wanted.is_some() && number(told) == wanted) {
            return Ok(Some((raw, element)));
        }
    }
    if rows.is_empty() {
        Ok(None)
    } else {
        Err(Error::malformed("the answer is about another order").for_order(id))
    }
}

fn unreadable(row: &Listed<'_>, reason: impl Into<String>) -> Row {
    let id = row.number.as_ref().map(|(_, text)| OrderId::from(text.as_str()));
    Row::Unreadable(UnreadableRow::new(id, reason, RawPayload::new(row.raw)))
}

/// What is known of a row without a further call.
enum Head {
    /// All of it.
    Row(Row),
    /// Its lines are still to be read.
    Order(Box<Order>),
}

fn head(row: &Listed<'_>, choices: &Choices, config: &Config, read_at: DateTime<Utc>) -> Head {
    let Some(element) = &row.element else { return Head::Row(unreadable(row, "the row is no whole XML")) };
    let fields = OrderRow::of(element);
    // It is not shipped by itself, and its lines are refused (sheet 5): it must be seen, and not taken.
    if let Some(ahead) = packed_into(&fields) {
        return Head::Row(unreadable(
            row,
            format!("packed into order {ahead}: ship it with that one, by hand"),
        ));
    }
    match order(&fields, choices, config, read_at, None) {
        Ok(order) => Head::Order(Box::new(order)),
        Err(why) => Head::Row(unreadable(row, why)),
    }
}

/// A page: the next rows of a pass, each with its lines. It can end after any row.
pub(super) async fn fetch(
    api: &Api,
    cx: &Context,
    window: Window,
    cursor: Option<&PageCursor>,
) -> Result<OrderPage> {
    let choices = Choices::of(cx)?;
    let mut place = Place::at(window, cursor)?;
    if window.is_empty() {
        return Ok(OrderPage::default());
    }
    let (zone, operation) = (api.config().zone, Operation::FetchOrders);
    let method = Method::Orders { first: place.is_first_page() };
    let answer = api.call(cx, operation, method, &place.query(zone)).await?;
    let body = text(&answer.body);
    let found = Envelope::read(&body)?.rows;
    let rows = listed(&found, &place.after)?;
    let ended = rows.is_empty() || (rows.iter().all(|row| row.number.is_none()) && rows.len() < MOST_ROWS);
    if !ended && rows.iter().all(|row| row.number.is_none()) {
        return Err(Error::malformed(
            "no order number of a full page can be read: going on would skip orders",
        ));
    }

    let mut wanted = Vec::new();
    let mut calls = 0;
    for row in rows {
        if calls == api.config().page_size() {
            break;
        }
        if let (Some((number, _)), Some(element)) = (&row.number, &row.element)
            && place.leaves_out(
                *number,
                time(element.field("order_date"), zone),
                time(element.field("updated_at"), zone),
            )
        {
            wanted.push((row, None));
            continue;
        }
        let head = head(&row, &choices, api.config(), answer.sent_at);
        calls += usize::from(matches!(head, Head::Order(_)));
        wanted.push((row, Some(head)));
    }
    // As a list, because a stream of borrowing closures is not `Send` for every lifetime.
    let calls: Vec<_> =
        wanted.into_iter().map(|(row, head)| completed(api, cx, operation, row, head)).collect();
    let mut calls = futures_util::stream::iter(calls).buffered(PARALLEL);
    let mut page = OrderPage::default();
    while let Some(read) = calls.next().await {
        let (number, read) = read?;
        if let Some((number, text)) = number {
            if read.is_some() {
                place.saw(number);
            }
            place.after = text;
        }
        page.rows.extend(read);
        if cx.remaining().is_some_and(|left| left < RESERVE) {
            break;
        }
    }
    // Only an answer without rows ends a pass: that 100 is the most in one is the channel's word, and may change.
    let next = if ended { place.next_pass() } else { Some(place) };
    page.next = next.map(|place| place.cursor()).transpose()?;
    Ok(page)
}

/// A row as it is brought, with its number; no row where it is left out.
async fn completed(
    api: &Api,
    cx: &Context,
    operation: Operation,
    row: Listed<'_>,
    head: Option<Head>,
) -> Result<(Option<(u64, String)>, Option<Row>)> {
    let read = match head {
        None => None,
        Some(Head::Row(read)) => Some(read),
        Some(Head::Order(order)) => Some(whole(api, cx, operation, *order, &row).await?),
    };
    Ok((row.number, read))
}

/// An order with its lines; unreadable where they are missing.
async fn whole(
    api: &Api,
    cx: &Context,
    operation: Operation,
    mut order: Order,
    row: &Listed<'_>,
) -> Result<Row> {
    Ok(match add_lines(api, cx, operation, &mut order, row.raw).await? {
        Ok(()) => Row::Order(Box::new(order)),
        Err(Missing::Withheld(why)) => unreadable(row, why),
        Err(Missing::Unreadable(why)) => unreadable(row, why),
    })
}

/// Reads known orders, two calls each. A failed read says nothing about the order: never a refusal, which would drop it.
pub(super) async fn read(api: &Api, cx: &Context, orders: &[&Order]) -> Result<Vec<Outcome<Order>>> {
    let choices = Choices::of(cx)?;
    let calls = orders.iter().map(|known| read_one(api, cx, &choices, known));
    each(calls.collect(), PARALLEL, |error| Outcome::NotTried(error.clone())).await
}

async fn read_one(api: &Api, cx: &Context, choices: &Choices, known: &Order) -> Result<Outcome<Order>> {
    let operation = Operation::ReadOrders;
    let answer = api.call(cx, operation, Method::Order, &one_query(&known.id)).await?;
    let body = text(&answer.body);
    let Some((raw, element)) = one_row(&body, &known.id)? else {
        return Ok(Outcome::Refused(gone()));
    };
    let unreadable = |why: &str| Error::malformed(why).for_order(&known.id);
    let fields = OrderRow::of(&element);
    let mut order = order(&fields, choices, api.config(), answer.sent_at, Some(known)).map_err(unreadable)?;
    order.id = known.id.clone();
    order.raw = RawPayload::new(raw);
    if packed_into(&fields).is_some() {
        return Ok(Outcome::Done(held(order, known)));
    }
    match add_lines(api, cx, operation, &mut order, raw).await? {
        Ok(()) => Ok(Outcome::Done(order)),
        Err(Missing::Withheld(_)) => Ok(Outcome::Done(held(order, known))),
        Err(Missing::Unreadable(why)) => Err(unreadable(why)),
    }
}

/// The word for an order that CROSS MALL does not have any more: it was deleted there, or split.
pub(super) fn gone() -> Refusal {
    Refusal::new("", "CROSS MALL has no such order any more").reread()
}
