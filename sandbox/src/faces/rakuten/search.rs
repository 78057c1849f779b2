//! `searchOrder` (sheet 4.1).

use axum::response::Response;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::answer::{Message, bad_request, ok};
use super::book::{self, Page};
use super::desk::Visit;
use super::wording;
use crate::market::Order;

const OPERATION: &str = "SEARCH_ORDER";
/// Longest window, how far back it reaches, and how many orders can be found at all.
const WINDOW_DAYS: i64 = 63;
const PAST_DAYS: i64 = 730;
const MOST: usize = 15_000;

struct Wanted {
    date_type: u64,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
    progress: Option<Vec<u64>>,
    without_number: bool,
    amount: usize,
    page: usize,
    descending: bool,
}

pub(super) fn run(visit: &Visit<'_>) -> Response {
    let wanted = match read(&visit.call.body, visit.now) {
        Ok(wanted) => wanted,
        Err(messages) => {
            return bad_request(&json!({
                "orderNumberList": null,
                "MessageModelList": messages,
                "PaginationResponseModel": null,
            }));
        }
    };
    let mut found = find(visit, &wanted);
    found.truncate(MOST);
    let amount = wanted.amount.min(visit.desk.face.settings().page_size);
    let total = found.len();
    let page: Vec<String> = found
        .into_iter()
        .skip((wanted.page - 1) * amount)
        .take(amount)
        .map(|(_, _, number)| number)
        .collect();
    if page.is_empty() {
        return ok(&json!({
            "orderNumberList": [],
            "MessageModelList": [Message::info(OPERATION, 102, "注文検索に成功しました。(検索結果０件)")],
            "PaginationResponseModel": { "totalRecordsAmount": null, "totalPages": null, "requestPage": null },
        }));
    }
    ok(&json!({
        "orderNumberList": page,
        "MessageModelList": [Message::info(OPERATION, 101, "注文検索に成功しました。")],
        "PaginationResponseModel": {
            "totalRecordsAmount": total,
            "totalPages": total.div_ceil(amount),
            "requestPage": wanted.page,
        },
    }))
}

fn find(visit: &Visit<'_>, wanted: &Wanted) -> Vec<(DateTime<Utc>, u64, String)> {
    let book = visit.book();
    let mut found = visit.market().read(|state| {
        let own = state.orders().iter().filter(|order| order.seller == visit.key.seller);
        own.filter(|order| matches(visit, &book.page(order.number), order, wanted))
            .map(|order| (order.ordered_at, order.number.0, wording::order_number(&visit.key.shop, order)))
            .collect::<Vec<_>>()
    });
    found.sort();
    if wanted.descending {
        found.reverse();
    }
    found
}

fn matches(visit: &Visit<'_>, page: &Page, order: &Order, wanted: &Wanted) -> bool {
    let settings = visit.desk.face.settings();
    let date = match wanted.date_type {
        1 => Some(order.ordered_at),
        2 => book::confirmed_at(order),
        3 => book::fixed_at(order, page, settings.payment),
        4 => shipped_day(page),
        5 => page.reported_at,
        _ => order.paid_at,
    };
    let in_window = date.is_some_and(|date| wanted.from <= date && date <= wanted.until);
    let progress = u64::from(visit.progress(order, page));
    let numbered = page.shipments.values().flatten().any(|shipment| shipment.number.is_some());
    in_window
        && wanted.progress.as_ref().is_none_or(|list| list.is_empty() || list.contains(&progress))
        && !(wanted.without_number && numbered)
}

fn shipped_day(page: &Page) -> Option<DateTime<Utc>> {
    let days = page.shipments.values().flatten().filter_map(|shipment| shipment.date);
    days.max().map(|day| wording::utc(day.and_time(chrono::NaiveTime::MIN)))
}

fn read(body: &Value, now: DateTime<Utc>) -> Result<Wanted, Vec<Message>> {
    let mut messages = Vec::new();
    let date_type = whole(body, "dateType", 1..=6, &mut messages);
    if date_type.is_none() && body.get("dateType").is_none_or(Value::is_null) {
        messages.push(Message::missing(OPERATION, "dateType"));
    }
    let from = time(body, "startDatetime", &mut messages);
    let until = time(body, "endDatetime", &mut messages);
    if let (Some(from), Some(until)) = (from, until) {
        if until < from || until - from > TimeDelta::days(WINDOW_DAYS) {
            messages.push(Message::malformed(OPERATION, "endDatetime"));
        } else if now - from > TimeDelta::days(PAST_DAYS) {
            messages.push(Message::malformed(OPERATION, "startDatetime"));
        }
    }
    let progress = progress_list(body, &mut messages);
    let blank = whole(body, "shippingNumberBlankFlag", 0..=1, &mut messages);
    let (amount, page, descending) = paging(body, &mut messages);
    match (date_type, from, until) {
        (Some(date_type), Some(from), Some(until)) if messages.is_empty() => Ok(Wanted {
            date_type,
            from,
            until,
            progress,
            without_number: blank == Some(1),
            amount,
            page,
            descending,
        }),
        _ => Err(messages),
    }
}

fn time(body: &Value, field: &str, messages: &mut Vec<Message>) -> Option<DateTime<Utc>> {
    let (time, message) = match body.get(field) {
        None | Some(Value::Null) => (None, Some(Message::missing(OPERATION, field))),
        Some(Value::String(text)) if text.is_empty() => (None, Some(Message::empty(OPERATION, field))),
        Some(Value::String(text)) => {
            let time = wording::read_order_time(text);
            (time, time.is_none().then(|| Message::malformed(OPERATION, field)))
        }
        Some(_) => (None, Some(Message::malformed(OPERATION, field))),
    };
    messages.extend(message);
    time
}

/// A number that may be absent; out of range or of another type it is complained about.
fn whole(
    body: &Value,
    field: &str,
    range: std::ops::RangeInclusive<u64>,
    messages: &mut Vec<Message>,
) -> Option<u64> {
    let value = body.get(field).filter(|value| !value.is_null())?;
    let number = value.as_u64().filter(|number| range.contains(number));
    if number.is_none() {
        messages.push(Message::malformed(OPERATION, field));
    }
    number
}

fn progress_list(body: &Value, messages: &mut Vec<Message>) -> Option<Vec<u64>> {
    let value = body.get("orderProgressList").filter(|value| !value.is_null())?;
    let known = |value: &Value| value.as_u64().filter(|code| code % 100 == 0 && (100..=900).contains(code));
    let list = value.as_array().and_then(|list| list.iter().map(known).collect::<Option<Vec<_>>>());
    if list.is_none() {
        messages.push(Message::malformed(OPERATION, "orderProgressList"));
    }
    list
}

fn paging(body: &Value, messages: &mut Vec<Message>) -> (usize, usize, bool) {
    let Some(paging) = body.get("PaginationRequestModel").filter(|value| !value.is_null()) else {
        return (30, 1, false);
    };
    let mut number = |field: &str, most: u64| {
        if paging.get(field).is_none_or(Value::is_null) {
            messages.push(Message::missing(OPERATION, field));
        }
        whole(paging, field, 1..=most, messages).unwrap_or(1)
    };
    let amount = number("requestRecordsAmount", 1000);
    let page = number("requestPage", 1_000_000);
    let sort = paging.get("SortModelList").and_then(|list| list.get(0));
    let mut descending = false;
    if let Some(sort) = sort {
        whole(sort, "sortColumn", 1..=1, messages);
        descending = whole(sort, "sortDirection", 1..=2, messages) == Some(2);
    }
    (amount as usize, page as usize, descending)
}
