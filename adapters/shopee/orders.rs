//! Fetching a window of orders and reading single ones (sheet 4.1, 4.2).

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::channel::{
    Context, Operation, OrderPage, Outcome, PageCursor, Refusal, Row, UnreadableRow, whole,
};
use crate::error::{Error, Result};
use crate::lenient::{Text, body_text, object, scalar};
use crate::model::{Order, OrderId, OrderStatus, RawPayload, Window};

use super::api::Api;
use super::auth::Ask;
use super::details::{MOST_READ, Wanted, read_ids};
use super::errors::{Endpoint, is_span_refused};
use super::rows::{OrderData, is_over};
use super::window::Place;
use super::wire::{Envelope, rows, texts};

/// Most orders in one answer of the list.
const PAGE: usize = 100;
/// So few rows mean that a piece of twice the length fits in one answer.
const FEW: usize = PAGE * 2 / 5;
/// Pieces without orders that are passed over in one page of ours.
const MOST_PIECES: usize = 24;

/// Which orders are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Search {
    /// All; those past everything that is linked are dropped.
    Linkable,
    /// Those whose buyer waits for an answer to a cancel request.
    InCancel,
}

/// The list of orders that changed in a span. Both ends may belong to it.
pub(super) fn list_ask(search: Search, from: i64, to: i64, cursor: Option<&str>) -> Ask {
    let ask = Ask::get(Endpoint::Orders)
        .with("time_range_field", "update_time")
        .with("time_from", from.to_string())
        .with("time_to", to.to_string())
        .with("page_size", PAGE.to_string())
        .with("response_optional_fields", "order_status")
        .with("request_order_status_pending", "true");
    let ask = if search == Search::InCancel { ask.with("order_status", "IN_CANCEL") } else { ask };
    match cursor {
        Some(cursor) => ask.with("cursor", cursor),
        None => ask,
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct List<'a> {
    #[serde(borrow)]
    more: Text<'a>,
    #[serde(borrow)]
    next_cursor: Text<'a>,
    #[serde(borrow)]
    order_list: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ListRow<'a> {
    #[serde(borrow)]
    order_sn: Text<'a>,
    #[serde(borrow)]
    order_status: Text<'a>,
}

/// What an answer lists.
#[derive(Debug, Default)]
pub(super) struct Listed {
    /// Orders with the rows that name them.
    pub(super) orders: Vec<(OrderId, RawPayload)>,
    /// All rows, also those that were dropped.
    pub(super) count: usize,
    pub(super) unreadable: Vec<UnreadableRow>,
    pub(super) more: bool,
    pub(super) cursor: Option<String>,
}

/// Reads a list.
///
/// # Errors
/// `MalformedResponse` when the answer as a whole can't be read.
pub(super) fn list_result(body: &[u8]) -> Result<Listed> {
    let body = body_text(body);
    let envelope = Envelope::read(&body)?;
    let list: List<'_> = envelope.response()?;
    let mut listed = Listed {
        // A list that does not say whether it is whole is not taken for one.
        more: list
            .more
            .flag()
            .ok_or_else(|| Error::malformed("the list of orders does not say whether there is more"))?,
        cursor: list.next_cursor.filled().map(str::to_owned),
        ..Listed::default()
    };
    for raw in rows(list.order_list)? {
        listed.count += 1;
        let row: ListRow<'_> = object("a row", raw.get()).unwrap_or_default();
        match row.order_sn.filled().filter(|_| !row.order_sn.is_broken()) {
            Some(_) if is_over(row.order_status.trim()) => {}
            Some(id) => listed.orders.push((OrderId::from(id), RawPayload::new(raw.get()))),
            None => {
                let raw = RawPayload::new(raw.get());
                listed.unreadable.push(UnreadableRow::new(None, "a row of the list names no order", raw));
            }
        }
    }
    if let Some(warning) = envelope.warning.filter(|warning| is_warning(warning)) {
        let why = "the channel warns that its list of orders may not be whole";
        listed.unreadable.push(UnreadableRow::new(None, why, RawPayload::new(warning.get())));
    }
    Ok(listed)
}

fn is_warning(raw: &RawValue) -> bool {
    !scalar(raw).trim().is_empty() || !texts(Some(raw)).is_empty()
}

/// Whether an order became the seller's in a window: paid, or made and not paid yet. Others only changed in it: taking
/// them would bring in orders from before the account's first day (OS-2).
pub(super) fn became_sellers(order: &Order, window: Window) -> bool {
    let inside = |at| window.contains(at);
    inside(order.ordered_at)
        || match order.paid_at {
            Some(paid) => inside(paid),
            // Paid, and nobody tells when (payment on delivery): the last change is the nearest time there is.
            None => order.status != OrderStatus::PendingPayment && inside(order.updated_at),
        }
}

/// A page of what is listed: the rows of a piece, and where it goes on.
pub(super) async fn page(
    api: &Api,
    cx: &Context,
    operation: Operation,
    search: Search,
    window: Window,
    cursor: Option<&PageCursor>,
) -> Result<OrderPage> {
    let now = api.now();
    let mut place = match cursor {
        Some(cursor) => Some(Place::read(cursor, window, now)?),
        None => Place::first(window, now),
    };
    let mut page = OrderPage::default();
    for _ in 0..MOST_PIECES {
        let Some(piece) = place.take() else { break };
        let (piece, listed) = list(api, cx, operation, search, piece, now).await?;
        let mut ids: Vec<(OrderId, RawPayload)> = Vec::new();
        for (id, raw) in listed.orders {
            if !piece.seen.iter().any(|seen| seen == id.as_str())
                && !ids.iter().any(|(known, _)| *known == id)
            {
                ids.push((id, raw));
            }
        }
        page.rows.extend(listed.unreadable.into_iter().map(Row::Unreadable));
        let rows = details(api, cx, operation, &ids).await?;
        let border = on_border(&rows, piece.end(now));
        place = match listed.cursor {
            Some(cursor) if listed.more => Some(piece.turned(cursor, border)),
            None if listed.more => {
                return Err(Error::malformed("there are more orders, and no cursor to them"));
            }
            _ => piece.next(now, listed.count <= FEW, border),
        };
        page.rows.extend(rows);
        if !page.rows.is_empty() {
            break;
        }
    }
    page.next = place.map(|place| place.write()).transpose()?;
    Ok(page)
}

/// The list of a piece, which is made shorter until one answer holds it.
async fn list(
    api: &Api,
    cx: &Context,
    operation: Operation,
    search: Search,
    mut piece: Place,
    now: DateTime<Utc>,
) -> Result<(Place, Listed)> {
    loop {
        let end = piece.end(now);
        let ask = |to| list_ask(search, piece.at, to, piece.cursor.as_deref());
        let answer = match api.read(cx, operation, &ask(end)).await {
            // The last piece ends ahead of our clock. No page says that it may not: should it be refused, it ends now.
            Err(error) if is_span_refused(&error) && end > now.timestamp() && piece.at < now.timestamp() => {
                api.read(cx, operation, &ask(now.timestamp())).await?
            }
            answer => answer?,
        };
        let listed = list_result(&answer.body)?;
        match piece.half() {
            Some(half) if listed.more => piece = half,
            _ => return Ok((piece, listed)),
        }
    }
}

/// Orders whose last change is at or after the end of a piece: the next piece may show them again.
fn on_border(rows: &[Row], end: i64) -> Vec<String> {
    let orders = rows.iter().filter_map(Row::order);
    orders.filter(|order| order.updated_at.timestamp() >= end).map(|order| order.id.to_string()).collect()
}

/// A page of the orders of a window.
pub(super) async fn fetch(
    api: &Api,
    cx: &Context,
    window: Window,
    cursor: Option<&PageCursor>,
) -> Result<OrderPage> {
    let mut page = page(api, cx, Operation::FetchOrders, Search::Linkable, window, cursor).await?;
    page.rows.retain(|row| row.order().is_none_or(|order| became_sellers(order, window)));
    Ok(page)
}

/// The orders of a list with their details. What is listed and not shown is asked for once more, and then told as
/// unreadable: it is never lost in silence.
async fn details(
    api: &Api,
    cx: &Context,
    operation: Operation,
    listed: &[(OrderId, RawPayload)],
) -> Result<Vec<Row>> {
    let mut rows = Vec::with_capacity(listed.len());
    for chunk in listed.chunks(MOST_READ) {
        let ids: Vec<OrderId> = chunk.iter().map(|(id, _)| id.clone()).collect();
        let mut found = read_ids(api, cx, operation, &ids, &HashMap::new()).await?;
        let missing: Vec<OrderId> = ids.iter().filter(|id| !found.rows.contains_key(*id)).cloned().collect();
        if !missing.is_empty() {
            let again = read_ids(api, cx, operation, &missing, &HashMap::new()).await?;
            found.rows.extend(again.rows);
            found.stray.extend(again.stray);
        }
        for (id, raw) in chunk {
            rows.push(found.rows.remove(id).unwrap_or_else(|| {
                let why = "the channel lists the order and does not show it";
                Row::Unreadable(UnreadableRow::new(Some(id.clone()), why, raw.clone()))
            }));
        }
        rows.extend(found.stray.into_iter().map(Row::Unreadable));
    }
    Ok(rows)
}

/// Reads known orders.
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
    let known: Wanted<'_> = orders.iter().map(|order| (order.id.clone(), *order)).collect();
    let mut seen: HashSet<&OrderId> = HashSet::with_capacity(orders.len());
    let ids: Vec<OrderId> =
        orders.iter().filter(|order| seen.insert(&order.id)).map(|order| order.id.clone()).collect();
    let mut found = read_ids(api, cx, operation, &ids, &known).await?.rows;
    let missing: Vec<OrderId> = ids.iter().filter(|id| !found.contains_key(*id)).cloned().collect();
    for id in &missing {
        // An order that is left out may only be late: what a call for it alone says counts.
        found.extend(read_ids(api, cx, operation, std::slice::from_ref(id), &known).await?.rows);
    }
    Ok(orders
        .iter()
        .map(|known| match found.get(&known.id) {
            Some(Row::Order(fresh)) => Outcome::Done(newest((**fresh).clone(), known)),
            Some(Row::Unreadable(row)) => {
                Outcome::NotTried(Error::malformed(row.reason.as_str()).for_order(&known.id))
            }
            None => Outcome::Refused(Refusal::new("", "the channel has no such order")),
        })
        .collect())
}

/// The channel's time of the last change is in seconds. A cancel request that is made and taken back within one may
/// leave it as it was, and the known state would then win for ever. What was read now, and is not older by the channel's
/// own time, is the newer state: it is dated after the known one. Never so where a shipment that was reported does not
/// show yet: it takes the channel a moment.
pub(super) fn newest(mut fresh: Order, known: &Order) -> Order {
    let changed = |order: &Order| order.channel_data.read::<OrderData>().map_or(0, |data| data.changed);
    let goes_back = known.status.is_past_dispatch() && fresh.status < known.status;
    if !fresh.supersedes(known) && !goes_back && changed(&fresh) >= changed(known) {
        let after = known.updated_at.checked_add_signed(chrono::TimeDelta::seconds(1));
        fresh.updated_at = after.unwrap_or(known.updated_at);
    }
    fresh
}
