//! Reverse orders: what buyers asked to cancel, and what that says of orders (sheet 4, 5).

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::channel::{Context, Operation, UnreadableRow};
use crate::error::{Error, ErrorKind, Result};
use crate::lenient::{Text, body_text, object};
use crate::model::{CancelState, Order, OrderId, OrderStatus, RawPayload, Window};

use super::auth::{Api, Ask};
use super::errors::{Endpoint, MP3_LIMIT};
use super::lines::LineData;
use super::rows::OrderData;
use super::wire::{Envelope, readable, rows, time};

/// Requests on a page. The channel's default is 10; it gives no largest size.
const PAGE: usize = 50;
/// Orders that were made within so long of each other are looked up by one search.
const APART: TimeDelta = TimeDelta::hours(12);
/// The time of an order's line can differ a little from the order's.
const SLACK: TimeDelta = TimeDelta::hours(1);

/// Which cancellations to search for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Search<'a> {
    /// Those that were asked for in this span.
    Asked(Window),
    /// Those of orders made in this span.
    Made(Window),
    /// Those of one order.
    Of(&'a OrderId),
}

/// The search for a page, from 1 on.
pub(super) fn search_ask(search: Search<'_>, page: usize) -> Ask {
    let ask = Ask::get(Endpoint::Reverses, "/reverse/getreverseordersforseller")
        .with("request_type_list", "[\"CANCEL\"]")
        .with("page_no", page.to_string())
        .with("page_size", PAGE.to_string());
    let millis = |at: DateTime<Utc>| at.timestamp_millis().to_string();
    match search {
        Search::Asked(span) => ask
            .with("ReverseOrderLineTimeRangeStart", millis(span.from))
            .with("ReverseOrderLineTimeRangeEnd", millis(span.to)),
        Search::Made(span) => ask
            .with("TradeOrderLineCreatedTimeRangeStart", millis(span.from))
            .with("TradeOrderLineCreatedTimeRangeEnd", millis(span.to)),
        Search::Of(order) => ask.with("trade_order_id", order.as_str()),
    }
}

/// How far a cancellation of one item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// It waits for the seller, or for the channel.
    Open,
    Granted,
    Rejected,
    /// The buyer took it back.
    Withdrawn,
}

impl State {
    /// A word that is not known counts as open: nothing may be done to the order unseen.
    pub(super) fn read(word: &str) -> Self {
        match word {
            "CANCEL_SUCCESS" | "CANCEL_REFUND_ISSUED" => Self::Granted,
            "REQUEST_REJECT" => Self::Rejected,
            "REQUEST_CANCEL" => Self::Withdrawn,
            // REQUEST_INITIATE, CANCEL_INIT.
            _ => Self::Open,
        }
    }

    /// Whether the item must not be shipped.
    fn stands(self) -> bool {
        matches!(self, Self::Open | Self::Granted)
    }
}

/// A cancellation of one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ReverseLine {
    /// The order item; empty: not told.
    pub(super) item: String,
    pub(super) state: State,
    pub(super) asked_at: Option<DateTime<Utc>>,
    pub(super) reason: String,
}

/// A cancellation of items of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reverse {
    /// Empty: not told.
    pub(super) id: String,
    pub(super) order: OrderId,
    /// Never empty: one that names no line stands for its whole order.
    pub(super) lines: Vec<ReverseLine>,
}

impl Reverse {
    pub(super) fn is_open(&self) -> bool {
        self.lines.iter().any(|line| line.state == State::Open)
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Page<'a> {
    #[serde(borrow)]
    items: Option<&'a RawValue>,
    #[serde(borrow)]
    total: Text<'a>,
    #[serde(borrow)]
    page_size: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ReverseRow<'a> {
    #[serde(borrow)]
    reverse_order_id: Text<'a>,
    #[serde(borrow)]
    trade_order_id: Text<'a>,
    #[serde(borrow)]
    request_type: Text<'a>,
    #[serde(borrow)]
    reverse_order_lines: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct LineRow<'a> {
    #[serde(borrow)]
    trade_order_line_id: Text<'a>,
    #[serde(borrow)]
    reverse_status: Text<'a>,
    #[serde(borrow)]
    return_order_line_gmt_create: Text<'a>,
    #[serde(borrow)]
    reason_text: Text<'a>,
}

/// A page of cancellations.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) reverses: Vec<Reverse>,
    pub(super) unreadable: Vec<UnreadableRow>,
    /// Whether there is a page after it.
    pub(super) more: bool,
}

/// Reads page number `page`, from 1 on.
///
/// # Errors
/// `MalformedResponse` when the answer as a whole can't be read, or counts rows and shows none.
pub(super) fn search_result(body: &[u8], page: usize) -> Result<Found> {
    let body = body_text(body);
    let answer: Page<'_> = object("the result of the answer", Envelope::read(&body)?.result()?.get())?;
    let raws = rows(answer.items)?;
    let count = |text: &Text<'_>| text.integer().and_then(|n| usize::try_from(n).ok());
    // The channel may give smaller pages than were asked for.
    let size = count(&answer.page_size).filter(|size| (1..=PAGE).contains(size)).unwrap_or(PAGE);
    let total = count(&answer.total);
    let more = match total {
        Some(total) if raws.is_empty() && total > (page - 1).saturating_mul(size) => {
            return Err(Error::malformed("the answer counts requests and shows none"));
        }
        Some(total) => total > page.saturating_mul(size),
        None => !raws.is_empty(),
    };
    let mut found = Found { more, ..Found::default() };
    for raw in raws {
        let row = object::<ReverseRow<'_>>("a request", raw.get()).unwrap_or_default();
        // The type is asked for; where it is not told, the answer is believed.
        if row.request_type.filled().is_some_and(|kind| kind != "CANCEL") {
            continue;
        }
        match row.trade_order_id.filled().filter(|id| *id != "0") {
            Some(order) => found.reverses.push(reverse(order, &row)),
            None => {
                let raw = RawPayload::new(raw.get());
                found.unreadable.push(UnreadableRow::new(None, "a cancel request without an order", raw));
            }
        }
    }
    Ok(found)
}

fn reverse(order: &str, row: &ReverseRow<'_>) -> Reverse {
    let named = |text: &Text<'_>| text.filled().filter(|id| *id != "0").unwrap_or_default().to_owned();
    let rows: Vec<LineRow<'_>> = readable(row.reverse_order_lines);
    let mut lines: Vec<ReverseLine> = rows
        .iter()
        .map(|line| ReverseLine {
            item: named(&line.trade_order_line_id),
            state: State::read(line.reverse_status.trim()),
            asked_at: time(&line.return_order_line_gmt_create),
            reason: line.reason_text.trim().to_owned(),
        })
        .collect();
    if lines.is_empty() {
        let whole =
            ReverseLine { item: String::new(), state: State::Open, asked_at: None, reason: String::new() };
        lines.push(whole);
    }
    Reverse { id: named(&row.reverse_order_id), order: OrderId::from(order), lines }
}

/// All cancellations that a search finds. Of several orders, one that does not tell its order says nothing of any.
///
/// # Errors
/// Any kind: requests that can't be asked for must not pass for none.
pub(super) async fn all(
    api: &Api,
    cx: &Context,
    operation: Operation,
    search: Search<'_>,
) -> Result<Vec<Reverse>> {
    let mut reverses = Vec::new();
    for page in 1.. {
        let answer = api.read(cx, operation, &search_ask(search, page)).await?;
        let found = search_result(&answer.body, page)?;
        if matches!(search, Search::Of(_)) && !found.unreadable.is_empty() {
            return Err(Error::malformed("a cancel request does not tell its order"));
        }
        reverses.extend(found.reverses);
        if !found.more {
            break;
        }
    }
    Ok(reverses)
}

/// Whether a cancellation stands for one of these items of an order.
pub(super) fn stands<'a>(
    reverses: &[Reverse],
    order: &OrderId,
    items: impl IntoIterator<Item = &'a str>,
) -> bool {
    let items: HashSet<&str> = items.into_iter().collect();
    reverses.iter().filter(|reverse| reverse.order == *order).flat_map(|reverse| &reverse.lines).any(|line| {
        line.state.stands()
            && !items.is_empty()
            // One that was granted shows in the item's own state; without an item it says nothing of those left.
            && (items.contains(line.item.as_str()) || (line.item.is_empty() && line.state == State::Open))
    })
}

/// Spans in which these times lie, each widened a little.
pub(super) fn spans(mut times: Vec<DateTime<Utc>>) -> Vec<Window> {
    times.sort_unstable();
    let mut spans: Vec<Window> = Vec::new();
    for at in times {
        match spans.last_mut() {
            Some(span) if at - span.to <= APART => span.to = at,
            _ => spans.push(Window::new(at, at)),
        }
    }
    for span in &mut spans {
        span.from = span.from.checked_sub_signed(SLACK).unwrap_or(span.from);
        span.to = span.to.checked_add_signed(SLACK).unwrap_or(span.to);
    }
    spans
}

fn waits(order: &Order) -> bool {
    matches!(order.status, OrderStatus::New | OrderStatus::Confirmed) && order.cancel == CancelState::None
}

/// The cancellations of one order, for a shop that may look them up. `tells`: the order's own fields say whether one
/// stands, so that those of a shop that may not are not missed.
///
/// # Errors
/// Any kind.
pub(super) async fn of_order(
    api: &Api,
    cx: &Context,
    operation: Operation,
    order: &OrderId,
    tells: bool,
) -> Result<Vec<Reverse>> {
    match all(api, cx, operation, Search::Of(order)).await {
        Err(error) if is_barred(&error) && (tells || error.code() == Some(MP3_LIMIT)) => Ok(Vec::new()),
        found => found,
    }
}

/// Whether the channel itself says that the shop may not look them up. A bare 403 comes from in front of the API and says
/// nothing about that.
fn is_barred(error: &Error) -> bool {
    error.kind() == ErrorKind::Forbidden && error.code().is_some_and(|code| !code.starts_with("HTTP "))
}

/// Brings cancel requests into orders that were just read. Orders and items tell of them too; a reverse order is seen
/// before and after that, while the channel works on it.
///
/// # Errors
/// Any kind: an order must not be taken for free of requests unseen. Only where the shop may not look them up at all do
/// the orders' own fields count alone.
pub(super) async fn overlay(
    api: &Api,
    cx: &Context,
    operation: Operation,
    mut orders: Vec<&mut Order>,
) -> Result<()> {
    orders.retain(|order| waits(order));
    let mut reverses = Vec::new();
    for span in spans(orders.iter().map(|order| order.ordered_at).collect()) {
        match all(api, cx, operation, Search::Made(span)).await {
            Ok(found) => reverses.extend(found),
            Err(error) if is_barred(&error) => {
                let tells = |order: &&mut Order| {
                    order.channel_data.read::<OrderData>().is_some_and(|data| data.tells_cancels)
                };
                if error.code() == Some(MP3_LIMIT) || orders.iter().all(tells) {
                    return Ok(());
                }
                return Err(error);
            }
            Err(error) => return Err(error),
        }
    }
    for order in orders {
        let items: Vec<String> = open_items(order);
        if stands(&reverses, &order.id, items.iter().map(String::as_str)) {
            order.cancel = CancelState::Requested;
        }
    }
    Ok(())
}

/// The items of an order that wait to be shipped.
fn open_items(order: &Order) -> Vec<String> {
    order
        .lines
        .iter()
        .filter(|line| matches!(line.status, OrderStatus::New | OrderStatus::Confirmed))
        .flat_map(|line| line.channel_data.read::<LineData>().unwrap_or_default().ids)
        .collect()
}
