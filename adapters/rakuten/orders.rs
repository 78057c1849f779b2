//! Orders: the calls that fetch a window or read known orders (sheet 4.1, 4.2).

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::channel::{
    Context, Operation, OrderPage, Outcome, PageCursor, Refusal, Row, UnreadableRow, concerns_account, whole,
};
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::lenient::{Text, body_text, object};
use crate::model::{Order, OrderId, RawPayload, Window};

use super::MOST_ORDERS;
use super::auth::{Api, Ask};
use super::errors::Function;
use super::row::read_row;
use super::window::Place;
use super::wire::{Said, rows, written};

/// Most numbers in an answer (sheet 4.1).
const MOST_NUMBERS: u32 = 1000;
/// Pages of a piece that is a second long and still has more orders than one search lists.
const MOST_PAGES: u32 = 20;
/// With SKU data, which the option code needs (sheet 4.2).
const VERSION: u32 = 7;
/// Nothing was found (sheet 4.1).
const NONE_FOUND: &str = "_SEARCH_ORDER_INFO_102";
/// Nothing is known of an order number (sheet 4.2).
const NOT_FOUND: &str = "_GET_ORDER_INFO_102";

/// By which dates and for which states orders are searched.
pub(super) struct Search {
    /// `dateType`, one search after the other.
    pub(super) dates: &'static [u32],
    /// `orderProgressList`.
    pub(super) progress: &'static [u32],
}

/// Everything that is, or may become, an order to link: new (100), confirmed here or in RMS (300), and those that wait
/// for payment (200), a change (400) or a cancellation (800), because they hold stock. What was shipped or cancelled is
/// never linked (OS-3).
///
/// By the date of the order (1), by which each shows at once; then by the date on which it was fixed (3), which is when
/// its payment came: an order that was made before the window and paid in it is the seller's since then, and no search
/// by order date would find it.
pub(super) const FETCH: Search = Search { dates: &[1, 3], progress: &[100, 200, 300, 400, 800] };

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SearchBody<'a> {
    date_type: u32,
    start_datetime: String,
    end_datetime: String,
    order_progress_list: &'a [u32],
    #[serde(rename = "PaginationRequestModel")]
    pagination: Pagination,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Pagination {
    request_records_amount: u32,
    request_page: u32,
    #[serde(rename = "SortModelList")]
    sort: [Sort; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Sort {
    sort_column: u32,
    sort_direction: u32,
}

/// Asks for the numbers of the orders in a piece, oldest first. Both ends seem to belong to the span.
///
/// # Errors
/// `InvalidInput` when it can't be written.
pub(super) fn search_ask(search: &Search, date: u32, piece: Window, page: u32) -> Result<Ask> {
    let body = SearchBody {
        date_type: date,
        start_datetime: written(piece.from),
        end_datetime: written(piece.to),
        order_progress_list: search.progress,
        pagination: Pagination {
            request_records_amount: MOST_NUMBERS,
            request_page: page,
            sort: [Sort { sort_column: 1, sort_direction: 1 }],
        },
    };
    Ask::json(Function::SearchOrder, &body)
}

/// What a search found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) numbers: Vec<String>,
    /// How many there are in all; `None`: not told.
    pub(super) total: Option<usize>,
}

impl Found {
    /// Whether all of them are listed.
    fn is_whole(&self) -> bool {
        match self.total {
            Some(total) => total <= self.numbers.len(),
            None => self.numbers.len() < MOST_NUMBERS as usize,
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct SearchAnswer<'a> {
    #[serde(borrow, rename = "orderNumberList")]
    numbers: Option<Vec<Text<'a>>>,
    #[serde(borrow, rename = "PaginationResponseModel")]
    pagination: Option<PaginationAnswer<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct PaginationAnswer<'a> {
    #[serde(borrow)]
    total_records_amount: Text<'a>,
}

/// The numbers in the answer of `searchOrder`. Where nothing is found, its paging is `null` (sheet 4.1).
///
/// # Errors
/// `MalformedResponse` when it can't be read: a list with a hole would be taken for whole.
pub(super) fn search_result(body: &[u8]) -> Result<Found> {
    let body = body_text(body);
    let answer: SearchAnswer<'_> = object("the list of order numbers", &body)?;
    if answer.numbers.is_none() && !is_none_found(&body)? {
        return Err(Error::malformed("the answer has no list of order numbers"));
    }
    let mut numbers = Vec::new();
    for number in answer.numbers.unwrap_or_default() {
        let number = number.filled().filter(|_| !number.is_broken());
        numbers
            .push(number.ok_or_else(|| Error::malformed("an order number of the list is blank"))?.to_owned());
    }
    let total = answer.pagination.and_then(|paging| paging.total_records_amount.integer());
    let total = total.and_then(|total| usize::try_from(total).ok());
    if numbers.is_empty() && total.unwrap_or_default() > 0 {
        return Err(Error::malformed("the answer counts orders and lists none"));
    }
    Ok(Found { numbers, total })
}

fn is_none_found(body: &str) -> Result<bool> {
    let messages = Said::read(body)?.into_messages()?;
    Ok(messages.iter().any(|message| message.code().ends_with(NONE_FOUND)))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GetBody<'a> {
    order_number_list: &'a [&'a str],
    version: u32,
}

/// Asks for the orders of at most 100 numbers.
///
/// # Errors
/// `InvalidInput` when it can't be written.
pub(super) fn get_ask(numbers: &[&str]) -> Result<Ask> {
    Ask::json(Function::GetOrder, &GetBody { order_number_list: numbers, version: VERSION })
}

/// What `getOrder` gave.
#[derive(Debug, Default)]
pub(super) struct Got {
    pub(super) rows: Vec<Row>,
    /// The numbers of which it says that there is no such order, with its text.
    pub(super) absent: HashMap<String, Refusal>,
}

/// The raw rows in the answer of `getOrder`.
///
/// # Errors
/// `MalformedResponse` when the answer as a whole can't be read.
pub(super) fn raw_rows(body: &str) -> Result<Vec<&RawValue>> {
    #[derive(Deserialize)]
    struct Answer<'a> {
        #[serde(borrow, rename = "OrderModelList", default)]
        orders: Option<&'a RawValue>,
    }
    let answer: Answer<'_> = object("the list of orders", body)?;
    answer.orders.map_or_else(|| Ok(Vec::new()), rows)
}

/// The orders in the answer of `getOrder`.
///
/// # Errors
/// `MalformedResponse` when the answer as a whole can't be read.
pub(super) fn get_result(body: &[u8], read_at: DateTime<Utc>) -> Result<Got> {
    let body = body_text(body);
    let rows = raw_rows(&body)?.into_iter().map(|raw| read_row(raw, read_at)).collect();
    let messages = Said::read(&body)?.into_messages()?;
    let absent = messages
        .iter()
        .filter(|message| message.code().ends_with(NOT_FOUND))
        .filter_map(|message| {
            Some((message.order()?.to_owned(), Refusal::new(message.code(), message.message.trim())))
        })
        .collect();
    Ok(Got { rows, absent })
}

fn row_id(row: &Row) -> Option<&OrderId> {
    match row {
        Row::Order(order) => Some(&order.id),
        Row::Unreadable(row) => row.id.as_ref(),
    }
}

/// A page: at most one search, and the orders of at most 100 of the numbers that it found.
pub(super) async fn fetch(
    api: &Api,
    cx: &Context,
    window: Window,
    cursor: Option<&PageCursor>,
) -> Result<OrderPage> {
    let operation = Operation::FetchOrders;
    let Some((numbers, next)) = turn(api, cx, operation, &FETCH, window, cursor).await? else {
        return Ok(OrderPage::default());
    };
    let rows = details(api, cx, operation, &numbers).await?;
    Ok(OrderPage { rows, next })
}

/// The next numbers of a window, and where it goes on; `None`: the window is empty.
pub(super) async fn turn(
    api: &Api,
    cx: &Context,
    operation: Operation,
    search: &Search,
    window: Window,
    cursor: Option<&PageCursor>,
) -> Result<Option<(Vec<String>, Option<PageCursor>)>> {
    let Some(mut place) = Place::begin(window, search.dates.len(), cursor)? else { return Ok(None) };
    if place.rest.is_empty() {
        find(api, cx, operation, search, window, &mut place).await?;
    }
    let rest = place.rest.split_off(place.rest.len().min(MOST_ORDERS));
    let numbers = std::mem::replace(&mut place.rest, rest);
    Ok(Some((numbers, place.next(window, search.dates.len())?)))
}

/// Takes all numbers of a piece in one search; halves the piece until it is one.
async fn find(
    api: &Api,
    cx: &Context,
    operation: Operation,
    search: &Search,
    window: Window,
    place: &mut Place,
) -> Result<()> {
    let date = search.dates.get(place.by()).copied().unwrap_or(1);
    loop {
        let piece = place.piece(window);
        let mut found = ask_numbers(api, cx, operation, search, date, piece, 1).await?;
        if !found.is_whole() {
            if place.halve(window) {
                continue;
            }
            add_pages(api, cx, operation, search, date, piece, &mut found).await?;
        }
        let mut seen = HashSet::new();
        found.numbers.retain(|number| seen.insert(number.clone()));
        place.take(found.numbers, MOST_NUMBERS as usize);
        return Ok(());
    }
}

async fn ask_numbers(
    api: &Api,
    cx: &Context,
    operation: Operation,
    search: &Search,
    date: u32,
    piece: Window,
    page: u32,
) -> Result<Found> {
    let answer = api.read(cx, operation, &search_ask(search, date, piece, page)?).await?;
    search_result(&answer.body)
}

/// The further pages of a second in which more orders were made than one search lists. The set may move between them:
/// fewer than were counted is an error, and the window is fetched again.
async fn add_pages(
    api: &Api,
    cx: &Context,
    operation: Operation,
    search: &Search,
    date: u32,
    piece: Window,
    found: &mut Found,
) -> Result<()> {
    for page in 2..=MOST_PAGES {
        if found.is_whole() {
            return Ok(());
        }
        let more = ask_numbers(api, cx, operation, search, date, piece, page).await?;
        if more.numbers.is_empty() {
            break;
        }
        found.numbers.extend(more.numbers);
        found.numbers.sort_unstable();
        found.numbers.dedup();
        found.total = more.total;
    }
    if found.is_whole() {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Unavailable)
        .with_message("the orders of one second moved while they were listed: the window is fetched again")
        .with_retry(Retry::Later))
}

/// The orders of these numbers, one row for each: a number whose order is not given is asked for once more, and then
/// reported as unreadable, so that it is missing to nobody's knowledge.
async fn details(api: &Api, cx: &Context, operation: Operation, numbers: &[String]) -> Result<Vec<Row>> {
    if numbers.is_empty() {
        return Ok(Vec::new());
    }
    let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
    let mut rows = get(api, cx, operation, &numbers).await?.rows;
    let missing = left_out(&numbers, &rows);
    if missing.is_empty() {
        return Ok(rows);
    }
    let again = get(api, cx, operation, &missing).await?;
    // A row that can't even be named was in the first answer already.
    rows.extend(again.rows.into_iter().filter(|row| row_id(row).is_some()));
    let missing: Vec<&str> = left_out(&missing, &rows);
    rows.extend(missing.into_iter().map(|number| {
        let said = again.absent.get(number).map(|no| format!(": {} {}", no.code, no.message));
        let reason = format!("the channel lists this order and does not give it{}", said.unwrap_or_default());
        Row::Unreadable(UnreadableRow::new(Some(OrderId::from(number)), reason, RawPayload::default()))
    }));
    Ok(rows)
}

fn left_out<'a>(numbers: &[&'a str], rows: &[Row]) -> Vec<&'a str> {
    let given: HashSet<&str> = rows.iter().filter_map(|row| row_id(row).map(OrderId::as_str)).collect();
    numbers.iter().copied().filter(|number| !given.contains(number)).collect()
}

async fn get(api: &Api, cx: &Context, operation: Operation, numbers: &[&str]) -> Result<Got> {
    let answer = api.read(cx, operation, &get_ask(numbers)?).await?;
    get_result(&answer.body, answer.sent_at)
}

/// Reads known orders, up to 100 a call.
pub(super) async fn read(
    api: &Api,
    cx: &Context,
    operation: Operation,
    orders: &[&Order],
) -> Result<Vec<Outcome<Order>>> {
    let mut outcomes = Vec::with_capacity(orders.len());
    let mut stop: Option<Error> = None;
    for chunk in orders.chunks(MOST_ORDERS) {
        let numbers: Vec<&str> = chunk.iter().map(|order| order.id.as_str()).collect();
        let got = match stop.clone() {
            Some(error) => Err(error),
            None => get(api, cx, operation, &numbers).await,
        };
        match got {
            Ok(got) => outcomes.extend(read_outcomes(&numbers, got)),
            // A failed read says nothing about the orders: never a refusal, which would drop them.
            Err(error) => {
                outcomes.extend(chunk.iter().map(|_| Outcome::NotTried(error.clone())));
                stop = stop.or_else(|| concerns_account(&error).then_some(error));
            }
        }
    }
    whole(outcomes)
}

/// One outcome for each number, found by the number. One that is left out without a word is not refused.
pub(super) fn read_outcomes(numbers: &[&str], got: Got) -> Vec<Outcome<Order>> {
    let mut found: HashMap<String, Row> = HashMap::new();
    for row in got.rows {
        if let Some(id) = row_id(&row) {
            found.entry(id.to_string()).or_insert(row);
        }
    }
    let outcome = |number: &&str| match (found.remove(*number), got.absent.get(*number)) {
        (Some(Row::Order(order)), _) => Outcome::Done(*order),
        (Some(Row::Unreadable(row)), _) => {
            Outcome::NotTried(Error::malformed(row.reason).for_order(&OrderId::from(*number)))
        }
        (None, Some(no)) => Outcome::Refused(no.clone()),
        (None, None) => Outcome::NotTried(
            Error::malformed("the answer leaves this order out").for_order(&OrderId::from(*number)),
        ),
    };
    numbers.iter().map(outcome).collect()
}
