//! Fetching a window: its two searches, and their pages (sheet 4.1).

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use serde::Serialize;

use crate::channel::{Context, Operation, OrderPage, PageCursor, Row, UnreadableRow};
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::lenient::body_text;
use crate::model::{RawPayload, Window};

use super::access;
use super::api::Api;
use super::documents::ORDERS;
use super::orders::{Draft, Room, draft, row_id};
use super::status::Choices;
use super::whole::{Whole, whole};
use super::wire::{Answer, Connection};

/// Orders older than this need a scope of their own (sheet 2).
const OLD: TimeDelta = TimeDelta::days(60);

/// The two searches that a window takes, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pass {
    /// Orders made in the window.
    Created,
    /// Older orders that changed in the window: paid, authorised or released after days.
    Changed,
}

/// Where in the two searches a page is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) pass: Pass,
    pub(super) after: Option<String>,
}

impl Place {
    /// Reads a cursor.
    ///
    /// # Errors
    /// `InvalidInput` for one that this channel did not make.
    pub(super) fn read(cursor: Option<&PageCursor>) -> Result<Self> {
        let Some(cursor) = cursor else { return Ok(Self { pass: Pass::Created, after: None }) };
        match cursor.as_str().split_once('/') {
            Some(("created", after)) if !after.is_empty() => {
                Ok(Self { pass: Pass::Created, after: Some(after.to_owned()) })
            }
            Some(("changed", after)) => {
                Ok(Self { pass: Pass::Changed, after: (!after.is_empty()).then(|| after.to_owned()) })
            }
            _ => Err(Error::invalid("the page cursor is not of this channel")),
        }
    }

    /// Where it goes on, given where this search does.
    pub(super) fn next(&self, after: Option<String>) -> Option<PageCursor> {
        match (self.pass, after) {
            (Pass::Created, Some(after)) => Some(PageCursor::new(format!("created/{after}"))),
            (Pass::Created, None) => Some(PageCursor::new("changed/")),
            (Pass::Changed, Some(after)) => Some(PageCursor::new(format!("changed/{after}"))),
            (Pass::Changed, None) => None,
        }
    }
}

/// The terms of a search. Whole seconds, with the end rounded up: that can return one second too much and never too
/// little. What is closed or cancelled is never linked (OS-3), and not asked for.
pub(super) fn terms(pass: Pass, window: Window, choices: &Choices) -> String {
    let (from, to) = borders(window);
    let tests = if choices.test_orders { "" } else { " test:false" };
    match pass {
        Pass::Created => format!("status:open created_at:>='{from}' created_at:<'{to}'{tests}"),
        Pass::Changed => {
            format!("status:open updated_at:>='{from}' updated_at:<'{to}' created_at:<'{from}'{tests}")
        }
    }
}

/// The ends of a window in the channel's form.
pub(super) fn borders(window: Window) -> (String, String) {
    let text = |at: DateTime<Utc>| at.format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let whole = window.to.trunc_subsecs(0);
    let up = if whole < window.to { TimeDelta::seconds(1) } else { TimeDelta::zero() };
    (text(window.from.trunc_subsecs(0)), text(whole.checked_add_signed(up).unwrap_or(whole)))
}

/// How much of everything an answer holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sizes {
    pub(super) orders: u32,
    pub(super) lines: u32,
    pub(super) parts: u32,
    pub(super) part_lines: u32,
    pub(super) parcels: u32,
}

impl Sizes {
    pub(super) fn room(self) -> Room {
        Room { parts: self.parts, parcels: self.parcels }
    }
}

fn halved(size: u32, times: u32) -> u32 {
    (size >> times.min(31)).max(1)
}

/// Sizes of a page of orders: first fewer orders, then less of each.
pub(super) fn list_sizes(halvings: u32) -> Sizes {
    let nested = halvings.saturating_sub(3);
    Sizes {
        orders: halved(10, halvings),
        lines: halved(20, nested),
        parts: halved(5, nested),
        part_lines: halved(20, nested),
        parcels: halved(5, nested),
    }
}

/// Sizes of an order that is read alone.
pub(super) fn single_sizes(halvings: u32) -> Sizes {
    Sizes {
        orders: 1,
        lines: halved(50, halvings),
        parts: halved(10, halvings),
        part_lines: halved(50, halvings),
        parcels: halved(25, halvings),
    }
}

#[derive(Serialize)]
struct ListVariables<'a> {
    first: u32,
    after: Option<&'a str>,
    query: &'a str,
    sort: &'static str,
    #[serde(flatten)]
    sizes: SizeVariables,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SizeVariables {
    lines: u32,
    parts: u32,
    part_lines: u32,
    parcels: u32,
}

impl From<Sizes> for SizeVariables {
    fn from(sizes: Sizes) -> Self {
        let Sizes { lines, parts, part_lines, parcels, .. } = sizes;
        Self { lines, parts, part_lines, parcels }
    }
}

/// A page: one page of one of the two searches.
pub(super) async fn fetch(
    api: &Api,
    cx: &Context,
    window: Window,
    cursor: Option<&PageCursor>,
) -> Result<OrderPage> {
    let place = Place::read(cursor)?;
    if window.is_empty() {
        return Ok(OrderPage::default());
    }
    if cursor.is_none() && window.from < api.now() - OLD {
        may_read_old(api, cx).await?;
    }
    let choices = Choices::of(cx)?;
    let query = terms(place.pass, window, &choices);
    // By the time that the search is about: it is the one that does not move rows to pages that were turned already.
    // An order that changes while the second search is paged leaves the window, and is found by the next.
    let sort = match place.pass {
        Pass::Created => "CREATED_AT",
        Pass::Changed => "UPDATED_AT",
    };
    let variables = |halvings| {
        let sizes = list_sizes(halvings);
        ListVariables {
            first: sizes.orders,
            after: place.after.as_deref(),
            query: &query,
            sort,
            sizes: sizes.into(),
        }
    };
    let operation = Operation::FetchOrders;
    let (response, halvings) = api.sized(cx, operation, &ORDERS, &api.lists, variables).await?;
    let room = list_sizes(halvings).room();
    let (drafts, next) = page(&response.body, api, response.sent_at, room)?;
    let mut rows = Vec::with_capacity(drafts.len());
    for read in drafts {
        match read {
            Err(row) => rows.push(Row::Unreadable(row)),
            Ok(draft) if draft.test && !choices.test_orders => {}
            Ok(draft) => rows.extend(row(api, cx, draft, &choices).await?),
        }
    }
    Ok(OrderPage { rows, next: place.next(next) })
}

type Drafts = Vec<Result<Draft, UnreadableRow>>;

/// The rows of a page, and where it goes on.
fn page(body: &[u8], api: &Api, read_at: DateTime<Utc>, room: Room) -> Result<(Drafts, Option<String>)> {
    let text = body_text(body);
    let answer = Answer::read(&text)?;
    understood(&answer)?;
    let page: Connection<'_> = answer.root(&ORDERS)?;
    let next = page.next()?;
    let nodes = page.nodes.ok_or_else(|| Error::malformed("the page has no rows"))?;
    let drafts = nodes.into_iter().enumerate().map(|(n, raw)| {
        let unread = |id, reason: &str, raw: &str| UnreadableRow::new(id, reason, RawPayload::new(raw));
        let Some(raw) = raw else {
            return Err(unread(None, "the channel left the row out", "null"));
        };
        let denied = answer.is_denied("shippingAddress", Some(n));
        draft(raw, api.config(), read_at, room, denied).map_err(|why| unread(row_id(raw), why, raw.get()))
    });
    Ok((drafts.collect(), next))
}

/// A search whose terms were not all understood asks for something else than was meant (sheet 4.1).
fn understood(answer: &Answer<'_>) -> Result<()> {
    // Test orders are left out here too.
    let Some(term) = answer.ignored_terms.iter().find(|term| *term != "test") else { return Ok(()) };
    Err(Error::malformed(format!("the channel ignored the search term {term}: update the library"))
        .with_retry(Retry::Never))
}

/// Without the scope the channel shows no old orders and does not say so: that must not pass for "there are none".
async fn may_read_old(api: &Api, cx: &Context) -> Result<()> {
    let shop = access::whoami(api, cx, Operation::FetchOrders).await?;
    if shop.may("read_all_orders") {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Forbidden)
        .with_message("orders older than 60 days need the scope read_all_orders"))
}

/// A row out of a draft, with what the page left out; nothing where the order is gone.
async fn row(api: &Api, cx: &Context, draft: Draft, choices: &Choices) -> Result<Option<Row>> {
    let id = draft.id().clone();
    Ok(match whole(api, cx, Operation::FetchOrders, draft).await? {
        Whole::Order(draft, raw) => match draft.finish(api.config(), choices) {
            Ok(order) => Some(Row::Order(Box::new(order))),
            Err(why) => Some(Row::Unreadable(UnreadableRow::new(Some(id), why, raw))),
        },
        Whole::Unreadable(why, raw) => Some(Row::Unreadable(UnreadableRow::new(Some(id), why, raw))),
        Whole::Gone => None,
    })
}
