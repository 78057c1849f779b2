//! Lists of order heads: `orderList`.

use chrono::{DateTime, Utc};

use crate::error::{Error, Result};
use crate::lenient::integer;
use crate::xml::Element;

use super::auth::{Ask, Body};
use super::errors::Method;
use super::window::{Page, Search, Span};
use super::wire::{Req, day, flag, stamp, time, value, with_root};

/// Most orders in an answer.
pub(super) const MOST_LISTED: usize = 2000;
/// What is asked for of each. One name that the channel does not know fails the whole call.
const FIELDS: &str = "OrderId,ParentOrderId,OrderTime,LastUpdateTime,OrderStatus,IsSplit,PayStatus,PayType,PayDate,ShipStatus,FraudHoldStatus,PublicationTime";

/// Asks for a page of a list. Orders in the buyer's ten minutes and those held for a fraud check are asked for too: they
/// hold stock.
pub(super) fn list_ask(seller: &str, search: Search, span: Span, page: &Page, most: usize) -> Ask {
    let from = page.from.map(stamp);
    let ordered = |from: Option<String>, to: i64| {
        move |condition: Req| {
            let condition = match from {
                Some(from) => condition.text("OrderTimeFrom", &from),
                None => condition,
            };
            condition.text("OrderTimeTo", &stamp(to))
        }
    };
    let xml = Req::new()
        .group("Search", |req| {
            req.text("Result", &most.to_string())
                .text("Start", &page.start.to_string())
                .text("Sort", "+order_time")
                .group("Condition", |condition| {
                    let condition = match search {
                        Search::Made => {
                            ordered(from.or_else(|| Some(stamp(span.made_from()))), span.to)(condition)
                        }
                        Search::Published => {
                            let condition = match from {
                                Some(from) => condition.text("OrderTimeFrom", &from),
                                None => condition,
                            };
                            condition
                                .text("PublicationTimeFrom", &stamp(span.from))
                                .text("PublicationTimeTo", &stamp(span.to))
                        }
                        Search::OldOpen => ordered(from, span.made_from())(condition)
                            .text("OrderStatus", "1,2,3")
                            .text("ShipStatus", "0,1,2"),
                    };
                    condition.text("ReadOnlyMode", "2").text("FraudHoldDisplayType", "1")
                })
                .text("Field", FIELDS)
        })
        .text("SellerId", seller)
        .end();
    Ask { method: Method::OrderList, body: Body::Xml(xml) }
}

/// The head of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) id: String,
    /// When it was made, in whole seconds; `None`: it can't be read.
    pub(super) ordered: Option<i64>,
    /// Whether it is to be read.
    pub(super) wanted: bool,
}

/// A page of a list.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) heads: Vec<Head>,
    /// All that match, by the channel's count.
    pub(super) total: usize,
}

/// The heads in an answer of `orderList`. A page past the end has an empty element, which is no order.
///
/// # Errors
/// `MalformedResponse` when a part is missing: a list with a hole would be taken for whole.
pub(super) fn list_result(body: &[u8], search: Search, span: Span) -> Result<Listed> {
    with_root(body, |root| {
        let search_element = root.all("Search").next();
        let found = search_element.ok_or_else(|| Error::malformed("the answer has no list of orders"))?;
        let total = integer(found.field("TotalCount")).and_then(|total| usize::try_from(total).ok());
        let total =
            total.ok_or_else(|| Error::malformed("the list does not say how many orders there are"))?;
        let rows: Vec<&Element<'_>> = found.all("OrderInfo").collect();
        if let [only] = rows.as_slice()
            && is_empty(only)
        {
            return Ok(Listed { heads: Vec::new(), total });
        }
        let heads = rows.into_iter().map(|row| head(row, search, span)).collect::<Result<_>>()?;
        Ok(Listed { heads, total })
    })
}

/// Whether nothing is in an element: its text has no tags beside its own.
pub(super) fn is_empty(element: &Element<'_>) -> bool {
    element.text().is_empty() && element.raw().matches('<').count() <= 2
}

fn head(row: &Element<'_>, search: Search, span: Span) -> Result<Head> {
    let id = value(row, "OrderId").filter(|id| !id.contains('\u{FFFD}'));
    let id = id.ok_or_else(|| Error::malformed("an order of the list has no id"))?;
    let ordered = second(row, "OrderTime");
    Ok(Head { id: id.to_owned(), ordered, wanted: is_wanted(row, ordered, search, span) })
}

fn second(row: &Element<'_>, name: &str) -> Option<i64> {
    time(row.field(name)).map(|at| at.timestamp())
}

/// Whether an order of a list is to be read: it is open, and has changed since the window began. What says clearly that
/// it became the seller's before is left to the window before. Whatever can't be told is read.
fn is_wanted(row: &Element<'_>, ordered: Option<i64>, search: Search, span: Span) -> bool {
    let (published, updated) = (second(row, "PublicationTime"), second(row, "LastUpdateTime"));
    // Each order is left to one search, so that it comes once.
    match (search, ordered, published) {
        (Search::Published, Some(ordered), _) if ordered >= span.made_from() => return false,
        (Search::OldOpen, Some(ordered), _) if ordered >= span.made_from() => return false,
        (Search::OldOpen, _, Some(published)) if span.contains(published) => return false,
        _ => {}
    }
    let is_split = flag(row.field("IsSplit")) == Some(true);
    // What is shipped, closed or cancelled is never linked (OS-3). A split order is: its children are.
    let is_over =
        matches!(row.field("OrderStatus"), "4" | "5") || matches!(row.field("ShipStatus"), "3" | "4");
    if is_over && !is_split {
        return false;
    }
    let since = span.changed_from();
    let is_late = |at: Option<i64>| at.is_none_or(|at| at >= since);
    let was_published = published.is_some_and(|at| at >= since);
    if !is_late(ordered) && !is_late(updated) && !was_published {
        return false;
    }
    let is_child = value(row, "ParentOrderId").is_some();
    let was_held = !matches!(row.field("FraudHoldStatus"), "" | "0");
    if is_late(ordered) || was_published || is_split || is_child || was_held {
        return true;
    }
    match (row.field("PayType"), row.field("PayStatus")) {
        // Not paid in advance: it was the seller's when it was made.
        ("0", _) => false,
        ("1", "1") => !was_paid_before(row, since),
        _ => true,
    }
}

/// Whether the whole day of the payment lies before. Only the day is told here.
fn was_paid_before(row: &Element<'_>, since: i64) -> bool {
    let Some(paid) = day(row.field("PayDate")).and_then(|day| day.succ_opt()) else { return false };
    crate::model::start_of_day(paid, chrono_tz::Asia::Tokyo).timestamp() <= since
}

/// Where a list goes on after a page; `None`: it has no more.
///
/// # Errors
/// `MalformedResponse` when orders are counted and none is listed.
pub(super) fn next_page(page: &Page, listed: &Listed, most: usize) -> Result<Option<Page>> {
    let rows = listed.heads.len();
    if rows == 0 {
        // Past the end: orders have left the list meanwhile.
        let is_past = page.start > 1 || listed.total == 0;
        return if is_past {
            Ok(None)
        } else {
            Err(Error::malformed("the list counts orders and shows none"))
        };
    }
    let shown = page.start.saturating_sub(1).saturating_add(rows);
    if rows < most && shown >= listed.total {
        return Ok(None);
    }
    let times: Option<Vec<i64>> = listed.heads.iter().map(|head| head.ordered).collect();
    let last = times.filter(|times| times.is_sorted()).and_then(|times| times.last().copied());
    let known = |at: i64| -> Vec<String> {
        let same = listed.heads.iter().filter(|head| head.ordered == Some(at));
        same.map(|head| head.id.clone()).collect()
    };
    Ok(Some(match last {
        Some(at) if page.from.is_none_or(|from| at > from) => {
            Page { from: Some(at), start: 1, known: known(at) }
        }
        // All of a page in one second, or an order that the list does not keep: rows are counted.
        _ => Page { from: page.from, start: shown.saturating_add(1), known: Vec::new() },
    }))
}

/// The last minute, for a harmless search.
pub(super) fn minute_before(now: DateTime<Utc>) -> Span {
    let to = now.timestamp();
    Span { from: to.saturating_sub(60), to }
}
