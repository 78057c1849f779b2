//! The calls that fetch a window of orders or read single ones (sheet 4.1, 4.2).

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, NaiveDate, Utc};

use crate::channel::{Context, Operation, OrderPage, Outcome, PageCursor, Refusal, Row, each};
use crate::error::{Error, Result};
use crate::http::{Nature, is_too_large};
use crate::model::{DateRange, Order, OrderId, RawPayload, Window};

use super::Config;
use super::auth::{Api, Form, PARALLEL};
use super::cancels::claims_of;
use super::errors::Method;
use super::rows::{OrderRow, order, order_id, read_row};
use super::window::{DAY, Piece};
use super::wire::{Envelope, text};

/// No paging is documented, and so no limit of an answer is known: beyond what the channel's other methods hold, the
/// window is halved, so that a silent cut loses nothing (sheet 4.1, 10).
const MOST_ROWS: usize = 500;

/// Which orders a search of `GetShippingInfo_v3` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Search {
    /// Waiting for their payment, by order date. They have no payment date: no search by it can be trusted to find
    /// them. They hold stock, and are watched until they are paid.
    Unpaid,
    /// Waiting, new or confirmed, by payment date. Blank asks for 1 to 3 together. An order that is paid days after
    /// it was made is found on the day of its payment, which a search by order date would miss. What was confirmed in
    /// the back office (3) is linked too (OC-5); what is shipped (4, 5) is never linked (OS-3) and not asked for.
    Paid,
}

/// The form of a search. Qoo10's borders are to the second and both seem to belong to the span: the end is rounded
/// up, which can return one second too much and never too little.
pub(super) fn search_form(search: Search, piece: Piece, config: &Config) -> Form {
    let (status, condition) = match search {
        Search::Unpaid => ("1", "1"),
        Search::Paid => ("", "2"),
    };
    let (from, to) = piece.borders(config.zone);
    vec![
        ("ShippingStatus", status.to_owned()),
        ("SearchStartDate", from),
        ("SearchEndDate", to),
        ("SearchCondition", condition.to_owned()),
    ]
}

/// The rows in an answer of `GetShippingInfo_v3`, without their claims: pure, for tools that keep answers.
///
/// # Errors
/// `MalformedResponse` when the answer as a whole can't be read.
pub fn parse_orders(body: &[u8], config: &Config, read_at: DateTime<Utc>) -> Result<Vec<Row>> {
    let body = text(body);
    let rows = Envelope::read(&body)?.rows()?;
    Ok(rows.into_iter().map(|raw| read_row(raw, config, read_at)).collect())
}

/// The order in the answer of `GetShippingAndClaimInfoByOrderNo_V2`.
///
/// `Refused` only for an answer that says "done" and holds nothing: the channel has no such order. Whatever else goes
/// wrong leaves the order as it is known.
///
/// # Errors
/// `MalformedResponse` when it holds something else than this order.
pub(super) fn order_result(
    body: &[u8],
    known: &Order,
    config: &Config,
    read_at: DateTime<Utc>,
) -> Result<Outcome<Order>> {
    let body = text(body);
    let rows = Envelope::read(&body)?.rows()?;
    if rows.is_empty() {
        return Ok(Outcome::Refused(Refusal::new("", "the channel has no such order")));
    }
    for raw in rows {
        let Ok(row) = serde_json::from_str::<OrderRow<'_>>(raw.get()) else { continue };
        if order_id(&row).as_ref() != Some(&known.id) {
            continue;
        }
        let mut order = order(&row, config, read_at, Some(known))
            .map_err(|why| Error::malformed(why).for_order(&known.id))?;
        order.raw = RawPayload::new(raw.get());
        return Ok(Outcome::Done(order));
    }
    Err(Error::malformed("the answer is about another order").for_order(&known.id))
}

/// A page: one piece of the window, with the claims on its orders.
pub(super) async fn fetch(
    api: &Api,
    cx: &Context,
    window: Window,
    cursor: Option<&PageCursor>,
) -> Result<OrderPage> {
    let Some(mut piece) = Piece::begin(window, cursor, DAY)? else { return Ok(OrderPage::default()) };
    let mut rows = loop {
        match piece_rows(api, cx, piece).await {
            Ok(Some(rows)) => break rows,
            Ok(None) => piece = piece.half(),
            Err(error) if is_too_large(&error) && piece.can_split() => piece = piece.half(),
            Err(error) => return Err(error),
        }
    };
    add_claims(api, cx, &mut rows).await?;
    Ok(OrderPage { rows, next: piece.next(window) })
}

/// The rows of a piece; `None`: there are so many that it is to be halved.
async fn piece_rows(api: &Api, cx: &Context, piece: Piece) -> Result<Option<Vec<Row>>> {
    // Unpaid orders first: one that is paid between the two calls is then found by both, never by none.
    let unpaid = search(api, cx, Search::Unpaid, piece).await?;
    if unpaid.len() > MOST_ROWS && piece.can_split() {
        return Ok(None);
    }
    let mut rows = search(api, cx, Search::Paid, piece).await?;
    if rows.len() > MOST_ROWS && piece.can_split() {
        return Ok(None);
    }
    let newer: HashSet<OrderId> = rows.iter().filter_map(|row| Some(row.order()?.id.clone())).collect();
    rows.extend(unpaid.into_iter().filter(|row| row.order().is_none_or(|order| !newer.contains(&order.id))));
    Ok(Some(rows))
}

async fn search(api: &Api, cx: &Context, search: Search, piece: Piece) -> Result<Vec<Row>> {
    let form = search_form(search, piece, api.config());
    let answer = api.call(cx, Operation::FetchOrders, Nature::Read, Method::ShippingInfo, form).await?;
    parse_orders(&answer.body, api.config(), answer.sent_at)
}

/// Rows carry no claim (sheet 5): claims are read after them, so that one made in between is seen.
async fn add_claims(api: &Api, cx: &Context, rows: &mut Vec<Row>) -> Result<()> {
    let zone = api.config().zone;
    let days = rows.iter().filter_map(|row| Some(row.order()?.ordered_at.with_timezone(&zone).date_naive()));
    let (claims, unreadable) = claims_of(api, cx, days.collect()).await?;
    for row in rows.iter_mut() {
        if let Row::Order(order) = row
            && let Some(claim) = claims.get(&order.id)
        {
            claim.apply(order);
        }
    }
    rows.extend(unreadable.into_iter().map(Row::Unreadable));
    Ok(())
}

/// Reads known orders. Those of busy days come from searches, the others from a call each; one that fails leaves the
/// others alone.
pub(super) async fn read(api: &Api, cx: &Context, orders: &[&Order]) -> Result<Vec<Outcome<Order>>> {
    let found = on_busy_days(api, cx, orders).await?;
    let calls = orders.iter().map(|known| async {
        match found.get(&known.id) {
            Some(order) => Ok(Outcome::Done(order.clone())),
            None => read_one(api, cx, known).await,
        }
    });
    // A failed read says nothing about the order: never a refusal, which would drop it.
    each(calls.collect(), PARALLEL, |e| Outcome::NotTried(e.clone())).await
}

/// From so many orders of a day on, fetching the day again costs fewer calls (six a page) than reading each of them.
const BUSY_DAY: usize = 8;

/// Those of these orders that are still open, on days on which there are many of them. What a search does not find was
/// shipped or cancelled, and is read by itself.
async fn on_busy_days(api: &Api, cx: &Context, orders: &[&Order]) -> Result<HashMap<OrderId, Order>> {
    let zone = api.config().zone;
    let mut days: BTreeMap<NaiveDate, usize> = BTreeMap::new();
    for order in orders {
        let at = order.paid_at.unwrap_or(order.ordered_at);
        *days.entry(at.with_timezone(&zone).date_naive()).or_default() += 1;
    }
    let wanted: HashSet<&OrderId> = orders.iter().map(|order| &order.id).collect();
    let mut found = HashMap::new();
    for (day, _) in days.into_iter().filter(|(_, count)| *count >= BUSY_DAY) {
        let window = DateRange::day(day).window(zone);
        let mut cursor = None;
        loop {
            let page = fetch(api, cx, window, cursor.as_ref()).await?;
            for row in page.rows {
                if let Row::Order(order) = row
                    && wanted.contains(&order.id)
                {
                    found.insert(order.id.clone(), *order);
                }
            }
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
    }
    Ok(found)
}

async fn read_one(api: &Api, cx: &Context, known: &Order) -> Result<Outcome<Order>> {
    let form = vec![("OrderNo", known.id.to_string())];
    let answer = api.call(cx, Operation::ReadOrders, Nature::Read, Method::OrderInfo, form).await?;
    order_result(&answer.body, known, api.config(), answer.sent_at)
}
