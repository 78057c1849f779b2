//! The calls that fetch a window of orders or read single ones (sheet, list orders; get an order).

use std::collections::HashMap;

use chrono::TimeDelta;

use crate::channel::{Context, Operation, OrderPage, Outcome, PageCursor, Refusal, Row, each};
use crate::error::{Error, ErrorKind, Result};
use crate::http::{Nature, Response};
use crate::lenient::{body_text, object};
use crate::model::{Order, OrderId, RawPayload, Window};

use super::access::Store;
use super::auth::{Api, Ask, PARALLEL};
use super::errors::{Endpoint, failure};
use super::pages::{LIMIT, Place, borders};
use super::rows::{Look, OrderRow, Reading, internal_id, look, order, read_row};
use super::status::Choices;
use super::wire::{Page, row_id, segment, updated};

/// Orders in one search by ids. 100 rows come back at most, and one id may name two orders.
const MOST_BY_IDS: usize = 50;
/// So long a look at an order is good for a write.
const FRESH: TimeDelta = TimeDelta::seconds(20);

/// The call for a page of the orders of a window.
///
/// What changed since the window began and was placed before it ended: an order that is paid after days is found by its
/// payment. There is no upper bound on the change, because an order that changes while pages are turned would leave the
/// list, and another would be skipped (sheet, traps). No status is asked for: each change of it would do the same.
pub(super) fn search_ask(window: Window, place: &Place) -> Ask {
    let (from, to) = borders(window);
    Ask::get(Endpoint::Orders, "/orders")
        .with([("updatedFrom", from.to_string()), ("createdTo", to.to_string())])
        .with(place.query())
}

/// The call for orders by their ids.
fn ids_ask(orders: &[&Order]) -> Ask {
    let ids: Vec<&str> = orders.iter().map(|order| order.id.as_str()).collect();
    Ask::get(Endpoint::Orders, "/orders").with([("ids", ids.join(",")), ("limit", LIMIT.to_string())])
}

/// The call for one order.
///
/// # Errors
/// `InvalidInput` for an id that can't be asked for.
pub(super) fn order_ask(id: &str) -> Result<Ask> {
    Ok(Ask::get(Endpoint::Order, format!("/orders/{}", segment(id)?)))
}

/// A page of rows, and where the list goes on.
///
/// # Errors
/// `MalformedResponse` when the answer as a whole can't be read.
pub(super) fn page_result(body: &[u8], place: &Place, reading: &Reading) -> Result<OrderPage> {
    let body = body_text(body);
    let page = Page::read(Endpoint::Orders, &body)?;
    let ids: Vec<Option<String>> = page.rows.iter().map(|raw| row_id(raw)).collect();
    let next = place.next(&page, &ids)?;
    Ok(OrderPage { rows: page.rows.iter().filter_map(|raw| read_row(raw, reading)).collect(), next })
}

/// A page of a window.
pub(super) async fn fetch(
    api: &Api,
    cx: &Context,
    window: Window,
    cursor: Option<&PageCursor>,
) -> Result<OrderPage> {
    if window.is_empty() {
        return Ok(OrderPage::default());
    }
    let operation = Operation::FetchOrders;
    let place = Place::begin("orders", Some(window), cursor)?;
    let store = api.store(cx, operation).await?;
    let answer = api.read(cx, operation, &search_ask(window, &place)).await?;
    let reading = Reading { store, choices: Choices::of(cx), read_at: answer.sent_at };
    page_result(&answer.body, &place, &reading)
}

/// Reads the answer of a single order, and hands its row on.
///
/// # Errors
/// `MalformedResponse` when it is about another order than the known one, or `take` can't read it.
fn single<T>(
    body: &[u8],
    known: &Order,
    take: impl FnOnce(&OrderRow<'_>, &str) -> Result<T, &'static str>,
) -> Result<T> {
    let body = body_text(body);
    let row: OrderRow<'_> = object("the order", &body).map_err(|e| e.for_order(&known.id))?;
    if row.id.filled().is_none()
        && let Some(error) = failure(Endpoint::Order, &row.error_code, &row.error_message)
    {
        return Err(error.for_order(&known.id));
    }
    let ours = |text: Option<&str>| {
        text.is_some_and(|text| text == known.id.as_str() || Some(text) == internal_id(known).as_deref())
    };
    // A webhook may name the order by the store's number; then that is what comes back beside the id.
    if row.id.filled() != Some(known.id.as_str()) && !ours(row.internal_id.filled()) {
        return Err(Error::malformed("the answer is about another order").for_order(&known.id));
    }
    take(&row, &body).map_err(|why| Error::malformed(why).for_order(&known.id))
}

/// The order in the answer of a single read.
///
/// # Errors
/// As [`single`].
pub(super) fn order_result(body: &[u8], known: &Order, reading: &Reading) -> Result<Order> {
    single(body, known, |row, text| {
        let mut order = order(row, reading)?;
        order.raw = RawPayload::new(text);
        Ok(order)
    })
}

/// What decides about an order, in the answer of a single read.
///
/// # Errors
/// As [`single`].
pub(super) fn look_result(body: &[u8], known: &Order, choices: Choices) -> Result<Look> {
    single(body, known, |row, _| look(row, choices))
}

/// Reads an order by its id, then by the store's number; `None`: neither finds it.
async fn ask_one(api: &Api, cx: &Context, operation: Operation, known: &Order) -> Result<Option<Response>> {
    let by_number = internal_id(known).filter(|number| number != known.id.as_str());
    for id in std::iter::once(known.id.as_str()).chain(by_number.as_deref()) {
        match api.read(cx, operation, &order_ask(id)?).await {
            Ok(answer) => return Ok(Some(answer)),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error.for_order(&known.id)),
        }
    }
    Ok(None)
}

/// The refusal of an order that the store does not have.
pub(super) fn gone() -> Refusal {
    Refusal::new("ORDER_NOT_FOUND", "the store has no such order: it was deleted")
}

/// Looks at an order directly before something is done to it, because writes overwrite whatever is there (sheet, traps);
/// `None`: the store has no such order.
pub(super) async fn look_now(
    api: &Api,
    cx: &Context,
    operation: Operation,
    known: &Order,
) -> Result<Option<Look>> {
    let Some(answer) = ask_one(api, cx, operation, known).await? else { return Ok(None) };
    let mut look = look_result(&answer.body, known, Choices::of(cx))?;
    look.at = answer.sent_at;
    Ok(Some(look))
}

/// The call that writes to an order, while the look at it is fresh.
///
/// # Errors
/// `InvalidInput` for an id that can't be asked for.
pub(super) fn write_ask(look: &Look, body: String) -> Result<Ask> {
    let ask = Ask::put(Endpoint::UpdateOrder, format!("/orders/{}", segment(&look.id)?), body);
    Ok(ask.until(look.at + FRESH))
}

/// Writes to an order; whether that changed anything.
pub(super) async fn write(
    api: &Api,
    cx: &Context,
    operation: Operation,
    look: &Look,
    body: String,
) -> Result<bool> {
    let ask = write_ask(look, body)?;
    let answer = api.call(cx, operation, Nature::UnsafeWrite, &ask).await?;
    updated(Endpoint::UpdateOrder, &answer.body)
}

/// Reads known orders. What decisions hang on is read order by order: searches are behind by up to a minute, and the
/// goods of a cancelled order would leave. What has left is only followed, and is searched for.
pub(super) async fn read(api: &Api, cx: &Context, orders: &[&Order]) -> Result<Vec<Outcome<Order>>> {
    if orders.is_empty() {
        return Ok(Vec::new());
    }
    let store = api.store(cx, Operation::ReadOrders).await?;
    let followed: Vec<&Order> = orders.iter().filter(|order| is_followed(order)).copied().collect();
    let searched =
        if followed.len() > 1 { followed_now(api, cx, store, &followed).await } else { Ok(HashMap::new()) };
    let calls = orders.iter().map(|known| {
        let searched = &searched;
        async move {
            match searched {
                Ok(found) => match found.get(&known.id) {
                    Some(order) => Ok(Outcome::Done(order.clone())),
                    // The search may be behind: only a read of its own proves that it is gone.
                    None => read_one(api, cx, store, known).await,
                },
                Err(error) if is_followed(known) => Err(error.clone()),
                Err(_) => read_one(api, cx, store, known).await,
            }
        }
    });
    // A failed read says nothing about the order: never a refusal, which would drop it.
    each(calls.collect(), PARALLEL, |e| Outcome::NotTried(e.clone())).await
}

/// A comma would split an id in the search.
fn is_followed(order: &Order) -> bool {
    order.status.is_past_dispatch() && !order.id.as_str().contains(',')
}

/// Those of these orders that a search finds. The channel may find others beside them: each is known by its id.
async fn followed_now(
    api: &Api,
    cx: &Context,
    store: Store,
    orders: &[&Order],
) -> Result<HashMap<OrderId, Order>> {
    let mut found = HashMap::new();
    for chunk in orders.chunks(MOST_BY_IDS) {
        let answer = api.read(cx, Operation::ReadOrders, &ids_ask(chunk)).await?;
        let reading = Reading { store, choices: Choices::of(cx), read_at: answer.sent_at };
        let body = body_text(&answer.body);
        for raw in Page::read(Endpoint::Orders, &body)?.rows {
            if let Some(Row::Order(order)) = read_row(raw, &reading)
                && chunk.iter().any(|known| known.id == order.id)
            {
                found.insert(order.id.clone(), *order);
            }
        }
    }
    Ok(found)
}

async fn read_one(api: &Api, cx: &Context, store: Store, known: &Order) -> Result<Outcome<Order>> {
    let Some(answer) = ask_one(api, cx, Operation::ReadOrders, known).await? else {
        return Ok(Outcome::Refused(gone()));
    };
    let reading = Reading { store, choices: Choices::of(cx), read_at: answer.sent_at };
    order_result(&answer.body, known, &reading).map(Outcome::Done)
}
