//! The calls that fetch a window of orders or read single ones (sheet 4).

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::channel::{
    Context, Operation, OrderPage, Outcome, PageCursor, Refusal, Row, UnreadableRow, whole,
};
use crate::error::{Error, ErrorKind, Result};
use crate::http::Nature;
use crate::lenient::{Text, body_text};
use crate::model::{Order, OrderId, OrderStatus, Window};

use super::Config;
use super::auth::{Api, Ask};
use super::errors::Endpoint;
use super::rows::{OrderData, read_row};
use super::wire::{Envelope, json, rows};

/// Orders on a page. The channel takes 100; an order can have many line items, and a page is held in memory.
const PAGE: usize = 50;
/// Most orders that are read at once.
pub(super) const MOST_READ: usize = 50;
/// The time of the last change can be a little before the time of the payment that caused it.
const SLACK: TimeDelta = TimeDelta::minutes(10);

/// Which orders a search asks for.
///
/// An order becomes the seller's when it is paid, and the search knows no payment time. Every order that was paid in
/// the window was made before the window's end and was changed at or after its beginning, so these two borders find
/// all of them, however late they are looked for. Both are open to one side on purpose: an order that changes while
/// pages are turned stays among those found, and the sorting by the time of making, which never changes, keeps its
/// place: none is skipped, wherever a page begins.
#[derive(Serialize)]
struct Search {
    create_time_lt: i64,
    update_time_ge: i64,
}

/// The search for a page of a window.
///
/// # Errors
/// `InvalidInput` when it can't be written.
pub(super) fn search_ask(window: Window, token: Option<&str>) -> Result<Ask> {
    let search = Search {
        create_time_lt: ceil(window.to),
        update_time_ge: window.from.checked_sub_signed(SLACK).unwrap_or(window.from).timestamp(),
    };
    let ask = Ask::post(Endpoint::SearchOrders, "/order/202309/orders/search", json(&search)?)
        .with("page_size", PAGE.to_string())
        .with("sort_field", "create_time")
        .with("sort_order", "ASC");
    Ok(match token {
        Some(token) => ask.with("page_token", token),
        None => ask,
    })
}

/// The full second at or after a time.
pub(super) fn ceil(at: DateTime<Utc>) -> i64 {
    at.timestamp() + i64::from(at.timestamp_subsec_nanos() > 0)
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Page<'a> {
    #[serde(borrow)]
    orders: Option<&'a RawValue>,
    #[serde(borrow)]
    next_page_token: Text<'a>,
    #[serde(borrow)]
    total_count: Text<'a>,
}

/// The rows of a search, and the token of the next page.
///
/// # Errors
/// `MalformedResponse` when the answer as a whole can't be read.
pub(super) fn search_result(
    body: &[u8],
    config: &Config,
    read_at: DateTime<Utc>,
) -> Result<(Vec<Row>, Option<String>)> {
    let body = body_text(body);
    let page: Page<'_> = Envelope::read(&body)?.data()?;
    let rows: Vec<Row> = rows(page.orders)?.into_iter().map(|raw| read_row(raw, config, read_at)).collect();
    let next = page.next_page_token.filled().map(str::to_owned);
    if rows.is_empty() && next.is_none() && page.total_count.integer().is_some_and(|total| total > 0) {
        return Err(Error::malformed("the answer counts orders and shows none"));
    }
    Ok((rows, next))
}

/// Whether an order became the seller's in a window: paid, or made and not paid yet. Others only changed in it: taking
/// them would bring in orders from before the account's first day (OS-2).
pub(super) fn became_sellers(order: &Order, window: Window) -> bool {
    let inside = |at: DateTime<Utc>| window.contains(at);
    inside(order.ordered_at)
        || match order.paid_at {
            Some(paid) => inside(paid),
            // Paid, and nobody tells when: the last change is the nearest time there is.
            None => order.status != OrderStatus::PendingPayment && inside(order.updated_at),
        }
}

/// A page of the orders of a window.
pub(super) async fn fetch(
    api: &Api,
    cx: &Context,
    window: Window,
    cursor: Option<&PageCursor>,
) -> Result<OrderPage> {
    if window.is_empty() {
        return Ok(OrderPage::default());
    }
    let token = cursor.map(|cursor| token_of(cursor, window)).transpose()?;
    let ask = search_ask(window, token)?;
    let answer = api.call(cx, Operation::FetchOrders, Nature::Read, &ask).await?;
    let (mut rows, next) = search_result(&answer.body, api.config(), answer.sent_at)?;
    rows.retain(|row| row.order().is_none_or(|order| became_sellers(order, window)));
    Ok(OrderPage { rows, next: next.map(|token| cursor_of(&token, window)) })
}

/// A page token belongs to its search: it travels with the window.
pub(super) fn cursor_of(token: &str, window: Window) -> PageCursor {
    PageCursor::new(format!("{}-{}/{token}", window.from.timestamp(), ceil(window.to)))
}

/// The page token in a cursor.
///
/// # Errors
/// `InvalidInput` when it is not one of this channel and window.
pub(super) fn token_of(cursor: &PageCursor, window: Window) -> Result<&str> {
    let (span, token) = cursor.as_str().split_once('/').unwrap_or_default();
    if !token.is_empty() && span == format!("{}-{}", window.from.timestamp(), ceil(window.to)) {
        return Ok(token);
    }
    Err(Error::invalid("the page cursor is not of this channel and window"))
}

/// The call that reads orders.
pub(super) fn detail_ask(ids: &[&OrderId]) -> Ask {
    let ids: Vec<&str> = ids.iter().map(|id| id.as_str()).collect();
    Ask::get(Endpoint::OrderDetail, "/order/202507/orders").with("ids", ids.join(","))
}

/// The orders of an answer by id.
///
/// # Errors
/// `MalformedResponse` when the answer as a whole can't be read.
pub(super) fn detail_result(
    body: &[u8],
    config: &Config,
    read_at: DateTime<Utc>,
) -> Result<HashMap<OrderId, Result<Order, UnreadableRow>>> {
    let (rows, _) = search_result(body, config, read_at)?;
    Ok(rows
        .into_iter()
        .filter_map(|row| match row {
            Row::Order(order) => Some((order.id.clone(), Ok(*order))),
            Row::Unreadable(row) => Some((row.id.clone()?, Err(row))),
        })
        .collect())
}

/// Reads orders.
pub(super) async fn read(
    api: &Api,
    cx: &Context,
    operation: Operation,
    orders: &[&Order],
) -> Result<Vec<Outcome<Order>>> {
    let mut outcomes = Vec::with_capacity(orders.len());
    let mut failure: Option<Error> = None;
    for chunk in orders.chunks(MOST_READ) {
        if let Some(error) = &failure {
            outcomes.extend(chunk.iter().map(|_| Outcome::NotTried(error.clone())));
            continue;
        }
        match read_chunk(api, cx, operation, chunk).await {
            Ok(read) => outcomes.extend(read),
            // A failed read says nothing about the orders: never a refusal, which would drop them.
            Err(error) => {
                outcomes.extend(chunk.iter().map(|_| Outcome::NotTried(error.clone())));
                failure = Some(error);
            }
        }
    }
    whole(outcomes)
}

async fn read_chunk(
    api: &Api,
    cx: &Context,
    operation: Operation,
    orders: &[&Order],
) -> Result<Vec<Outcome<Order>>> {
    let mut found = match read_ids(api, cx, operation, orders).await {
        Ok(found) => found,
        // One order that is not this shop's spoils the call: each is asked for alone.
        Err(error) if error.kind() == ErrorKind::NotFound => HashMap::new(),
        Err(error) => return Err(error),
    };
    let mut outcomes = Vec::with_capacity(orders.len());
    for known in orders {
        outcomes.push(match found.remove(&known.id) {
            Some(read) => outcome(read, known),
            // An order that is left out may only be late: what a call for it alone says counts.
            None => read_alone(api, cx, operation, known).await?,
        });
    }
    Ok(outcomes)
}

async fn read_ids(
    api: &Api,
    cx: &Context,
    operation: Operation,
    orders: &[&Order],
) -> Result<HashMap<OrderId, Result<Order, UnreadableRow>>> {
    let ids: Vec<&OrderId> = orders.iter().map(|order| &order.id).collect();
    let answer = api.call(cx, operation, Nature::Read, &detail_ask(&ids)).await?;
    detail_result(&answer.body, api.config(), answer.sent_at)
}

async fn read_alone(api: &Api, cx: &Context, operation: Operation, known: &Order) -> Result<Outcome<Order>> {
    let none = || Outcome::Refused(Refusal::new("", "the channel has no such order"));
    match read_ids(api, cx, operation, &[known]).await {
        Ok(mut found) => Ok(match found.remove(&known.id) {
            Some(read) => outcome(read, known),
            None if found.is_empty() => none(),
            None => {
                Outcome::NotTried(Error::malformed("the answer is about another order").for_order(&known.id))
            }
        }),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(none()),
        Err(error) => Err(error),
    }
}

fn outcome(read: Result<Order, UnreadableRow>, known: &Order) -> Outcome<Order> {
    match read {
        Ok(fresh) => Outcome::Done(newest(fresh, known)),
        Err(row) => Outcome::NotTried(Error::malformed(row.reason).for_order(&known.id)),
    }
}

/// The channel says of its time of the last change that it follows the order's status. A cancel request that is taken
/// back may leave it as it was, and the known state would then win for ever. What was read now, and is not older by
/// the channel's own time, is the newer state: it is dated after the known one.
pub(super) fn newest(mut fresh: Order, known: &Order) -> Order {
    let changed = |order: &Order| order.channel_data.read::<OrderData>().map_or(0, |data| data.changed);
    if !fresh.supersedes(known) && changed(&fresh) >= changed(known) {
        let after = known.updated_at.checked_add_signed(TimeDelta::seconds(1));
        fresh.updated_at = after.unwrap_or(known.updated_at);
    }
    fresh
}
