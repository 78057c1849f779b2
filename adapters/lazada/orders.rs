//! The calls that fetch a window of orders or read single ones (sheet 4).

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::channel::{
    Context, Operation, OrderPage, Outcome, PageCursor, Refusal, Row, UnreadableRow, each, whole,
};
use crate::error::{Error, ErrorKind, Result};
use crate::lenient::{Text, body_text, object};
use crate::model::{Order, OrderId, OrderStatus, Window};

use super::Config;
use super::auth::{Api, Ask};
use super::errors::Endpoint;
use super::items::lists;
use super::reverses::overlay;
use super::rows::{Head, OrderData, head};
use super::wire::{Envelope, json, rows};

/// Orders on a page: as many as one call for items takes.
const PAGE: usize = 50;
/// Most orders that are read at once.
pub(super) const MOST_READ: usize = 50;
/// So many look-ups are on their way at once.
pub(super) const PARALLEL: usize = 4;
/// Beyond this the channel takes no offset (its guide "Get Order").
const MOST_SKIPPED: usize = 5000;
/// The time of the last change can be a little before the time of the payment that caused it.
const SLACK: TimeDelta = TimeDelta::minutes(10);

/// Where a window's list goes on.
///
/// An order becomes the seller's when it is paid, and the search knows no payment time. Every order that was paid in
/// the window was made before the window's end and was changed at or after its beginning, so these two borders find all
/// of them, however late they are looked for. An order that changes while pages are turned stays among those found, and
/// the time of making, by which they are sorted, never changes. So the list goes on from the last order's time
/// (`after`), as the channel's guide says, not by an offset that shifts; orders of that very second that were seen are
/// dropped. Only where a whole page was made in one second is an offset needed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Place {
    /// The window, so that a cursor is not used for another.
    from: i64,
    to: i64,
    /// Made at or after this, in Unix seconds.
    after: Option<i64>,
    offset: usize,
    /// Orders made at `after` that were given out.
    seen: Vec<String>,
    /// The channel passed over `after` once: only offsets are left.
    by_offset: bool,
}

impl Place {
    pub(super) fn begin(window: Window) -> Self {
        let (from, to) = (window.from.timestamp_millis(), window.to.timestamp_millis());
        Self { from, to, after: None, offset: 0, seen: Vec::new(), by_offset: false }
    }

    /// The place in a cursor.
    ///
    /// # Errors
    /// `InvalidInput` when it is not one of this channel and window.
    pub(super) fn of(cursor: &PageCursor, window: Window) -> Result<Self> {
        let other = || Error::invalid("the page cursor is not of this channel and window");
        let place: Self = object("the cursor", cursor.as_str()).map_err(|_| other())?;
        let begin = Self::begin(window);
        if (place.from, place.to) == (begin.from, begin.to) { Ok(place) } else { Err(other()) }
    }

    /// Where it goes on after a page: the ids and times of its rows as they came (`None`: unreadable), and how many there
    /// are in all from `after` on. `None`: that was all.
    ///
    /// # Errors
    /// `MalformedResponse` when the channel counts orders and shows none, or hides them behind the largest offset.
    pub(super) fn next(&self, page: &[Option<(&str, i64)>], total: Option<usize>) -> Result<Option<Self>> {
        let end = self.offset + page.len();
        // A full page is never taken for the last one, whatever the count says; a short one only if the count agrees.
        if page.is_empty() {
            return match total {
                Some(total) if total > end => {
                    Err(Error::malformed("the answer counts orders and shows none"))
                }
                _ => Ok(None),
            };
        }
        if page.len() < PAGE && total.is_some_and(|total| total <= end) {
            return Ok(None);
        }
        let passed_over = |at: i64| self.after.is_some_and(|after| at < after);
        if page.iter().flatten().any(|(_, at)| passed_over(*at)) {
            let (after, offset, seen) = (None, page.len(), Vec::new());
            return Ok(Some(Self { after, offset, seen, by_offset: true, ..self.clone() }));
        }
        let ordered: Option<Vec<(&str, i64)>> = page.iter().copied().collect();
        if let Some(rows) = ordered
            && !self.by_offset
            && rows.is_sorted_by_key(|(_, at)| *at)
            && let (Some((_, first)), Some((_, last))) = (rows.first(), rows.last())
            && first < last
            && self.after.is_none_or(|after| after < *last)
        {
            let seen = rows.iter().filter(|(_, at)| at == last).map(|(id, _)| (*id).to_owned()).collect();
            return Ok(Some(Self { after: Some(*last), offset: 0, seen, ..self.clone() }));
        }
        if end > MOST_SKIPPED {
            return Err(Error::malformed(
                "the channel shows no more than 5000 orders that can't be told apart by time",
            )
            .with_retry(crate::error::Retry::Never));
        }
        Ok(Some(Self { offset: end, ..self.clone() }))
    }
}

/// The full second at or after a time.
fn ceil(at: DateTime<Utc>) -> i64 {
    at.timestamp() + i64::from(at.timestamp_subsec_nanos() > 0)
}

/// A time as the channel writes it: ISO with the market's offset.
pub(super) fn stamp(seconds: i64, config: &Config) -> String {
    let at = DateTime::from_timestamp(seconds, 0).unwrap_or_default().with_timezone(&config.zone);
    at.format("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// The search for a page of a window.
pub(super) fn search_ask(window: Window, place: &Place, config: &Config) -> Ask {
    let since = window.from.checked_sub_signed(SLACK).unwrap_or(window.from).timestamp();
    let ask = Ask::get(Endpoint::Orders, "/orders/get")
        .with("update_after", stamp(since, config))
        .with("created_before", stamp(ceil(window.to), config))
        .with("sort_by", "created_at")
        .with("sort_direction", "ASC")
        .with("offset", place.offset.to_string())
        .with("limit", PAGE.to_string());
    match place.after {
        Some(after) => ask.with("created_after", stamp(after, config)),
        None => ask,
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Page<'a> {
    #[serde(borrow)]
    orders: Option<&'a RawValue>,
    #[serde(borrow, rename = "countTotal")]
    total: Text<'a>,
}

/// The rows of a search, and how many there are in all.
///
/// # Errors
/// `MalformedResponse` when the answer as a whole can't be read.
pub(super) fn search_result(body: &str) -> Result<(Vec<&RawValue>, Option<usize>)> {
    let page: Page<'_> = object("the data of the answer", Envelope::read(body)?.data()?.get())?;
    let total = page.total.integer().and_then(|total| usize::try_from(total).ok());
    Ok((rows(page.orders)?, total))
}

/// Whether an order became the seller's in a window: paid, or made. Others only changed in it: taking them would bring
/// in orders from before the account's first day (OS-2).
pub(super) fn became_sellers(order: &Order, window: Window, config: &Config) -> bool {
    let inside = |at: DateTime<Utc>| window.contains(at);
    let paid_inside = |paid: DateTime<Utc>| {
        // The reference says "milliseconds local time": it may be off by the market's zone. Either reading counts.
        let offset = paid.with_timezone(&config.zone).naive_local() - paid.naive_utc();
        inside(paid) || paid.checked_sub_signed(offset).is_some_and(inside)
    };
    inside(order.ordered_at)
        || match order.paid_at {
            Some(paid) => paid_inside(paid),
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
    let place = match cursor {
        Some(cursor) => Place::of(cursor, window)?,
        None => Place::begin(window),
    };
    let operation = Operation::FetchOrders;
    let answer = api.read(cx, operation, &search_ask(window, &place, api.config())).await?;
    let body = body_text(&answer.body);
    let (raws, total) = search_result(&body)?;
    let mut heads: Vec<Result<Head<'_>, UnreadableRow>> = raws.into_iter().map(head).collect();
    let told = |head: &Result<Head<'_>, UnreadableRow>| {
        head.as_ref().ok().map(|head| (head.id.clone(), head.ordered_at.timestamp()))
    };
    let times: Vec<Option<(OrderId, i64)>> = heads.iter().map(told).collect();
    let times: Vec<Option<(&str, i64)>> =
        times.iter().map(|time| time.as_ref().map(|(id, at)| (id.as_str(), *at))).collect();
    let next = place.next(&times, total)?;
    heads.retain(|head| {
        head.as_ref().map_or(true, |head| !place.seen.iter().any(|id| id == head.id.as_str()))
    });
    let mut rows = complete(api, cx, operation, heads, answer.sent_at).await?;
    rows.retain(|row| row.order().is_none_or(|order| became_sellers(order, window, api.config())));
    Ok(OrderPage { rows, next: next.map(|place| json(&place).map(PageCursor::new)).transpose()? })
}

/// Orders with their items and cancel requests, in their order.
async fn complete(
    api: &Api,
    cx: &Context,
    operation: Operation,
    heads: Vec<Result<Head<'_>, UnreadableRow>>,
    read_at: DateTime<Utc>,
) -> Result<Vec<Row>> {
    let ids: Vec<&OrderId> = heads.iter().flatten().map(|head| &head.id).collect();
    let lists = lists(api, cx, operation, &ids).await?;
    let mut rows: Vec<Row> = heads
        .iter()
        .map(|head| match head {
            Err(row) => Row::Unreadable(row.clone()),
            Ok(head) => match lists.get(&head.id) {
                Some(list) => head.with_items(list, api.config(), read_at),
                None => head.without_items(),
            },
        })
        .collect();
    let orders = rows.iter_mut().filter_map(|row| match row {
        Row::Order(order) => Some(&mut **order),
        Row::Unreadable(_) => None,
    });
    overlay(api, cx, operation, orders.collect()).await?;
    Ok(rows)
}

/// The call that reads an order.
pub(super) fn order_ask(id: &OrderId) -> Ask {
    Ask::get(Endpoint::Order, "/order/get").with("order_id", id.as_str())
}

/// What an error says of an order that was to be read. Only the channel's word that there is none is a refusal: any
/// other would make the hub forget an order that it watches.
fn unread<T>(error: &Error) -> Outcome<T> {
    if error.kind() == ErrorKind::NotFound {
        let code = error.code().unwrap_or_default();
        return Outcome::Refused(Refusal::new(code, "the channel has no such order in this shop"));
    }
    Outcome::NotTried(error.clone())
}

/// Reads orders.
pub(super) async fn read(api: &Api, cx: &Context, orders: &[&Order]) -> Result<Vec<Outcome<Order>>> {
    let mut outcomes = Vec::with_capacity(orders.len());
    let mut failure: Option<Error> = None;
    for chunk in orders.chunks(MOST_READ) {
        let read = match &failure {
            Some(error) => Err(error.clone()),
            None => read_chunk(api, cx, chunk).await,
        };
        match read {
            Ok(read) => outcomes.extend(read),
            Err(error) => {
                outcomes.extend(chunk.iter().map(|_| Outcome::NotTried(error.clone())));
                failure = Some(error);
            }
        }
    }
    whole(outcomes)
}

async fn read_chunk(api: &Api, cx: &Context, orders: &[&Order]) -> Result<Vec<Outcome<Order>>> {
    let operation = Operation::ReadOrders;
    let calls = orders
        .iter()
        .map(|order| async move { Ok(Outcome::Done(api.read(cx, operation, &order_ask(&order.id)).await?)) });
    let answers = each(calls.collect::<Vec<_>>(), PARALLEL, unread).await?;
    let bodies: Vec<_> = answers
        .iter()
        .map(|answer| match answer {
            Outcome::Done(answer) => Some((body_text(&answer.body), answer.sent_at)),
            _ => None,
        })
        .collect();
    let heads: Vec<Option<Result<Head<'_>>>> = bodies
        .iter()
        .zip(orders)
        .map(|(body, known)| body.as_ref().map(|(body, _)| order_result(body, &known.id)))
        .collect();
    let ids: Vec<&OrderId> = heads.iter().flatten().flatten().map(|head| &head.id).collect();
    let lists = lists(api, cx, operation, &ids).await?;
    let mut outcomes: Vec<Outcome<Order>> = Vec::with_capacity(orders.len());
    for ((answer, head), body) in answers.iter().zip(&heads).zip(&bodies) {
        let read_at = body.as_ref().map(|(_, at)| *at).unwrap_or_default();
        outcomes.push(match (answer, head) {
            (_, Some(Ok(head))) => {
                outcome(head, lists.get(&head.id).map(|list| &**list), api.config(), read_at)
            }
            (_, Some(Err(error))) => Outcome::NotTried(error.clone()),
            (Outcome::Refused(no), None) => Outcome::Refused(no.clone()),
            (Outcome::NotTried(error) | Outcome::Unknown(error), None) => Outcome::NotTried(error.clone()),
            (_, None) => Outcome::NotTried(Error::malformed("the order was not read")),
        });
    }
    let read = outcomes.iter_mut().filter_map(|outcome| match outcome {
        Outcome::Done(order) => Some(order),
        _ => None,
    });
    overlay(api, cx, operation, read.collect()).await?;
    Ok(outcomes
        .into_iter()
        .zip(orders)
        .map(|(outcome, known)| match outcome {
            Outcome::Done(fresh) => Outcome::Done(newest(fresh, known)),
            outcome => outcome,
        })
        .collect())
}

/// The order in an answer.
///
/// # Errors
/// `MalformedResponse` when it can't be read or is another.
fn order_result<'a>(body: &'a str, id: &OrderId) -> Result<Head<'a>> {
    let head =
        head(Envelope::read(body)?.data()?).map_err(|row| Error::malformed(row.reason).for_order(id))?;
    if head.id != *id {
        return Err(Error::malformed("the answer is about another order").for_order(id));
    }
    Ok(head)
}

fn outcome(
    head: &Head<'_>,
    list: Option<&RawValue>,
    config: &Config,
    read_at: DateTime<Utc>,
) -> Outcome<Order> {
    let row = match list {
        Some(list) => head.with_items(list, config, read_at),
        None => head.without_items(),
    };
    match row {
        Row::Order(order) => Outcome::Done(*order),
        Row::Unreadable(row) => Outcome::NotTried(Error::malformed(row.reason).for_order(&head.id)),
    }
}

/// The channel's time of the last change need not follow a cancel request that is taken back, and the known state would
/// then win for ever. What was read now, and is not older by the channel's own time, is the newer state: it is dated
/// after the known one.
pub(super) fn newest(mut fresh: Order, known: &Order) -> Order {
    let changed = |order: &Order| order.channel_data.read::<OrderData>().map_or(0, |data| data.changed);
    if !fresh.supersedes(known) && changed(&fresh) >= changed(known) {
        let after = known.updated_at.checked_add_signed(TimeDelta::seconds(1));
        fresh.updated_at = after.unwrap_or(known.updated_at);
    }
    fresh
}
