//! The calls that fetch a window of boxes or read single ones (sheet 4.1 to 4.5).

use chrono::{DateTime, NaiveDate, Utc};

use crate::channel::{Context, Operation, OrderPage, Outcome, PageCursor, Row, each};
use crate::error::{Error, Result};
use crate::http::Response;
use crate::lenient::body_text;
use crate::model::{Order, Window};

use super::Config;
use super::auth::{Api, Ask, PARALLEL};
use super::errors::{Function, is_closed, may_be_gone};
use super::receipts;
use super::rows::{in_path, kept, read_row};
use super::splits;
use super::window::{Place, Span, days, first_day, spans};
use super::wire::Envelope;

/// What is asked for: paid, then confirmed in Wing or here. A box that is confirmed between the two lists is found by
/// both. What is shipped is never linked (OS-3) and not asked for; unpaid orders are never shown (sheet 4.5).
pub(super) const STATUSES: [&str; 2] = ["ACCEPT", "INSTRUCT"];
/// Most boxes of a page (sheet 4.1).
pub(super) const PAGE: u32 = 50;

/// A page of boxes by the day on which they were ordered, both ends included (sheet 4.1).
pub(super) fn boxes_ask(
    vendor: &str,
    status: &str,
    (from, to): Span,
    most: u32,
    token: &str,
    config: &Config,
) -> Ask {
    let day = |day: NaiveDate| format!("{day}{}", config.market.offset());
    let (from, to, most) = (day(from), day(to), most.to_string());
    let mut query = vec![
        ("createdAtFrom", from.as_str()),
        ("createdAtTo", &to),
        ("maxPerPage", &most),
        ("status", status),
    ];
    if !token.is_empty() {
        query.push(("nextToken", token));
    }
    Ask::get(Function::Boxes, format!("{}/ordersheets", vendor_path(vendor)), &query)
}

/// One box.
pub(super) fn box_ask(vendor: &str, box_id: &str) -> Ask {
    Ask::get(Function::OneBox, format!("{}/ordersheets/{box_id}", vendor_path(vendor)), &[])
}

/// The boxes of an order.
pub(super) fn order_ask(vendor: &str, order_id: &str) -> Ask {
    Ask::get(Function::BoxesOfOrder, format!("{}/{order_id}/ordersheets", vendor_path(vendor)), &[])
}

fn vendor_path(vendor: &str) -> String {
    format!("/v2/providers/openapi/apis/api/v5/vendors/{vendor}")
}

/// The boxes in an answer, without their cancel requests: pure, for tools that keep answers.
///
/// # Errors
/// `MalformedResponse` when the answer as a whole can't be read.
pub fn parse_orders(body: &[u8], config: &Config, read_at: DateTime<Utc>) -> Result<Vec<Row>> {
    let body = body_text(body);
    let rows = Envelope::read(&body)?.rows()?;
    Ok(rows.into_iter().map(|raw| read_row(raw, config, read_at)).collect())
}

/// The boxes of a page and the token of the next.
///
/// # Errors
/// `MalformedResponse` when the answer as a whole can't be read.
pub(super) fn page_result(
    answer: &Response,
    asked: &str,
    config: &Config,
) -> Result<(Vec<Row>, Option<String>)> {
    let rows = parse_orders(&answer.body, config, answer.sent_at)?;
    let token = Envelope::read(&body_text(&answer.body))?.next(asked)?;
    Ok((rows, token))
}

/// Whether a row belongs to a window: paid on its first day or later. The list goes by the day of the order and is
/// asked for earlier days too; an order that was paid before is not this window's, and a cycle must not take it (OS-2).
/// A row that can't be read is always told.
pub(super) fn belongs(row: &Row, first: NaiveDate, config: &Config) -> bool {
    let Some(paid) = row.order().and_then(|order| order.paid_at) else { return true };
    paid.with_timezone(&config.zone()).date_naive() >= first
}

/// A page: one status of one span of days, with the cancel requests on its boxes.
pub(super) async fn fetch(
    api: &Api,
    cx: &Context,
    window: Window,
    cursor: Option<&PageCursor>,
) -> Result<OrderPage> {
    let config = api.config();
    let Some(days) = days(window, config.zone(), u64::from(config.payment_days)) else {
        return Ok(OrderPage::default());
    };
    let spans = spans(days);
    let place = Place::begin(cursor, STATUSES.len(), spans.len())?;
    let (Some(status), Some(span)) = (STATUSES.get(place.search), spans.get(place.span)) else {
        return Ok(OrderPage::default());
    };
    let ask = boxes_ask(&api.keys()?.vendor, status, *span, PAGE, &place.token, config);
    let answer = api.read(cx, Operation::FetchOrders, &ask).await?;
    let (mut rows, token) = page_result(&answer, &place.token, config)?;
    let first = first_day(window, config.zone());
    rows.retain(|row| belongs(row, first, config));
    rows.iter_mut().for_each(yield_to_known);
    add_receipts(api, cx, &mut rows).await?;
    let next = place.next(token, STATUSES.len(), spans.len());
    Ok(OrderPage { rows, next: next.map(|place| place.cursor()) })
}

/// What is left of a split box shows less than is known of it, if it is known: the fuller state, which a read put together,
/// must stay the newer one (OS-12).
fn yield_to_known(row: &mut Row) {
    if let Row::Order(order) = row
        && kept(order).split
    {
        order.updated_at = order.ordered_at;
    }
}

/// Requests are read after the boxes, so that one made in between is seen.
async fn add_receipts(api: &Api, cx: &Context, rows: &mut Vec<Row>) -> Result<()> {
    let Some(first) = rows.iter().filter_map(|row| Some(ordered_on(row.order()?, api.config()))).min() else {
        return Ok(());
    };
    let (receipts, unreadable) =
        receipts::since(api, cx, Operation::FetchOrders, receipts::ALL, first).await?;
    for row in rows.iter_mut() {
        if let Row::Order(order) = row {
            receipts::apply(order, &receipts);
        }
    }
    rows.extend(unreadable.into_iter().map(Row::Unreadable));
    Ok(())
}

/// The day on which an order was made: none of its receipts is older.
pub(super) fn ordered_on(order: &Order, config: &Config) -> NaiveDate {
    order.ordered_at.with_timezone(&config.zone()).date_naive()
}

/// A box as a read found it.
pub(super) enum Seen {
    /// It is shown.
    Open(Box<Order>),
    /// It was cancelled or returned: its receipts say which. With what was known, read at this time.
    Closed(Box<Order>, DateTime<Utc>),
}

/// Reads boxes, one call each, then the requests on them. One that fails leaves the others alone.
pub(super) async fn read(api: &Api, cx: &Context, orders: &[&Order]) -> Result<Vec<Outcome<Order>>> {
    let calls = orders
        .iter()
        .map(|known| async { look(api, cx, Operation::ReadOrders, known).await.map(Outcome::Done) });
    // A failed read says nothing about the order: never a refusal, which would drop it.
    let seen = each(calls.collect(), PARALLEL, |error| Outcome::NotTried(error.clone())).await?;
    let read = orders.iter().zip(&seen).filter(|(_, seen)| seen.is_done());
    let Some(first) = read.map(|(known, _)| ordered_on(known, api.config())).min() else {
        return Ok(seen.into_iter().map(without_order).collect());
    };
    // Rows that can't be read are told when the window is fetched.
    let (receipts, _) = receipts::since(api, cx, Operation::ReadOrders, receipts::ALL, first).await?;
    Ok(seen
        .into_iter()
        .map(|seen| match seen {
            Outcome::Done(Seen::Open(mut order)) => {
                receipts::apply(&mut order, &receipts);
                Outcome::Done(*order)
            }
            Outcome::Done(Seen::Closed(known, at)) => Outcome::Done(receipts::closed(&known, &receipts, at)),
            other => without_order(other),
        })
        .collect())
}

fn without_order(seen: Outcome<Seen>) -> Outcome<Order> {
    match seen {
        Outcome::NotTried(error) | Outcome::Unknown(error) => Outcome::NotTried(error),
        _ => Outcome::NotTried(Error::malformed("the order was not read")),
    }
}

/// Reads one box, and the order's other boxes where the box was split or is gone.
///
/// # Errors
/// Any kind: what is not read stays as it is known.
pub(super) async fn look(api: &Api, cx: &Context, operation: Operation, known: &Order) -> Result<Seen> {
    let box_id =
        in_path(known.id.as_str()).ok_or_else(|| Error::invalid("the order's id is no box number"))?;
    // Before the call, as the time of any read.
    let at = api.now();
    match api.read(cx, operation, &box_ask(&api.keys()?.vendor, &box_id)).await {
        Ok(answer) => {
            let own = one_box(&answer, known, api.config())?;
            if !splits::is_part(&own, known) {
                return Ok(Seen::Open(Box::new(splits::whole(own, &[], known))));
            }
            let others = boxes_of(api, cx, operation, &own).await?;
            Ok(Seen::Open(Box::new(splits::whole(own, &others, known))))
        }
        Err(error) if is_closed(&error) => {
            if !splits::has_parts(known) {
                return Ok(Seen::Closed(Box::new(known.clone()), at));
            }
            let others = boxes_of(api, cx, operation, known).await?;
            Ok(Seen::Closed(Box::new(splits::refreshed(known, &others)), at))
        }
        Err(error) if may_be_gone(&error) => gone(api, cx, operation, known, error).await,
        Err(error) => Err(error),
    }
}

/// The channel does not show the box: perhaps its order does (sheet 4.8).
async fn gone(api: &Api, cx: &Context, operation: Operation, known: &Order, error: Error) -> Result<Seen> {
    let Some(order_id) = in_path(&kept(known).order) else { return Err(error) };
    let at = api.now();
    let ask = order_ask(&api.keys()?.vendor, &order_id);
    let answer = match api.read(cx, operation, &ask).await {
        Ok(answer) => answer,
        Err(closed) if is_closed(&closed) => return Ok(Seen::Closed(Box::new(known.clone()), at)),
        Err(other) => return Err(other),
    };
    let boxes = readable(parse_orders(&answer.body, api.config(), answer.sent_at)?)?;
    if let Some(own) = boxes.iter().find(|order| order.id == known.id) {
        return Ok(Seen::Open(Box::new(splits::whole(own.clone(), &boxes, known))));
    }
    splits::without_box(known, &boxes, answer.sent_at).map(|order| Seen::Open(Box::new(order))).ok_or(error)
}

/// The boxes of an order; none where the order as a whole was cancelled or returned.
async fn boxes_of(api: &Api, cx: &Context, operation: Operation, order: &Order) -> Result<Vec<Order>> {
    let order_id =
        in_path(&kept(order).order).ok_or_else(|| Error::malformed("the order number is no number"))?;
    match api.read(cx, operation, &order_ask(&api.keys()?.vendor, &order_id)).await {
        Ok(answer) => readable(parse_orders(&answer.body, api.config(), answer.sent_at)?),
        Err(error) if is_closed(&error) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// The box in an answer about one.
fn one_box(answer: &Response, known: &Order, config: &Config) -> Result<Order> {
    let boxes = readable(parse_orders(&answer.body, config, answer.sent_at)?)?;
    boxes
        .into_iter()
        .find(|order| order.id == known.id)
        .ok_or_else(|| Error::malformed("the answer is about another box").for_order(&known.id))
}

/// All boxes of an answer: one that can't be read may be the one that matters.
fn readable(rows: Vec<Row>) -> Result<Vec<Order>> {
    rows.into_iter()
        .map(|row| match row {
            Row::Order(order) => Ok(*order),
            Row::Unreadable(row) => Err(Error::malformed(row.reason)),
        })
        .collect()
}
