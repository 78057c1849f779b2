//! Cancel and return requests ("receipts"), and what they say of orders: a box itself does not show them (sheet 4.9, 5).

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::channel::{Context, Operation, UnreadableRow};
use crate::error::Result;
use crate::lenient::{Text, body_text, object};
use crate::model::{CancelState, Line, Order, OrderStatus, RawPayload};

use super::Config;
use super::auth::{Api, Ask};
use super::errors::Function;
use super::rows::{kept, settle_status};
use super::window::{Place, Span, spans};
use super::wire::{Envelope, time};

/// A search for receipts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Search {
    /// By `status`: without it the channel asks for an order number, whatever its documents say (sheet 4.9).
    Status(&'static str),
    /// Cancelled while paid: `cancelType=CANCEL`, which takes no status.
    Cancelled,
}

/// All receipts, in the order in which one state becomes the next: a receipt that moves on between two searches is
/// found by the later one.
pub(super) const ALL: &[Search] = &[
    Search::Status("RU"),
    Search::Status("UC"),
    Search::Status("PR"),
    Search::Status("CC"),
    Search::Cancelled,
];
/// Receipts on which something can be decided: a request made after the confirmation shows under both.
pub(super) const OPEN: &[Search] = &[Search::Status("RU"), Search::Status("UC")];

/// Most receipts of a page (sheet 4.9).
const PAGE: &str = "50";

/// A page of receipts by the day on which they were made, both ends included.
pub(super) fn receipts_ask(vendor: &str, search: Search, (from, to): Span, token: &str) -> Ask {
    let (from, to) = (from.to_string(), to.to_string());
    let mut query = vec![("createdAtFrom", from.as_str()), ("createdAtTo", to.as_str())];
    query.push(match search {
        Search::Status(status) => ("status", status),
        Search::Cancelled => ("cancelType", "CANCEL"),
    });
    query.push(("maxPerPage", PAGE));
    if !token.is_empty() {
        query.push(("nextToken", token));
    }
    let path = format!("/v2/providers/openapi/apis/api/v6/vendors/{vendor}/returnRequests");
    Ask::get(Function::Receipts, path, &query)
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct ReceiptRow<'a> {
    #[serde(borrow)]
    receipt_id: Text<'a>,
    #[serde(borrow)]
    order_id: Text<'a>,
    #[serde(borrow)]
    receipt_type: Text<'a>,
    #[serde(borrow)]
    receipt_status: Text<'a>,
    #[serde(borrow)]
    release_stop_status: Text<'a>,
    #[serde(borrow)]
    created_at: Text<'a>,
    #[serde(borrow)]
    cancel_count_sum: Text<'a>,
    #[serde(borrow)]
    cancel_reason_category1: Text<'a>,
    #[serde(borrow)]
    cancel_reason_category2: Text<'a>,
    #[serde(borrow)]
    cancel_reason: Text<'a>,
    #[serde(borrow)]
    return_items: Option<Vec<ReceiptItem<'a>>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct ReceiptItem<'a> {
    #[serde(borrow)]
    vendor_item_id: Text<'a>,
    #[serde(borrow)]
    shipment_box_id: Text<'a>,
    #[serde(borrow)]
    cancel_count: Text<'a>,
    #[serde(borrow)]
    release_status: Text<'a>,
}

/// What a receipt says of one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Claim {
    /// The buyer asks to stop the shipment: it can be decided.
    Open,
    /// The shipment is stopped, and the request not finished yet.
    Stopping,
    /// Cancelled.
    Cancelled,
    /// A return is under way.
    Returning,
    /// Returned.
    Returned,
    /// Under way, and nobody says whether the goods had left.
    Undecided,
    /// Finished, and nobody says whether the goods had left.
    Ended,
}

/// One line of a receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    /// Empty: not told.
    pub(super) box_id: String,
    pub(super) option: String,
    /// `None`: it can't be read.
    pub(super) pieces: Option<u32>,
    pub(super) claim: Claim,
}

/// A receipt.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Receipt {
    pub(super) id: String,
    pub(super) order: String,
    pub(super) created_at: Option<DateTime<Utc>>,
    /// `cancelCountSum`.
    pub(super) pieces: Option<u32>,
    /// The buyer's reason, in words.
    pub(super) reason: String,
    /// Never empty: a receipt that names no line stands for its whole order.
    pub(super) items: Vec<Item>,
    /// The row as it came.
    pub(super) raw: RawPayload,
}

/// Whether goods had left when the buyer asked (`releaseStatus`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Release {
    Shipped,
    NotShipped,
    Stopped,
    Unknown,
}

/// The line's letter, else the receipt's words: v4 has no letter, and clients saw letters that are not documented.
fn release(letter: &str, words: &str) -> Release {
    match (letter.trim(), words.trim()) {
        ("Y", _) => Release::Shipped,
        ("N", _) => Release::NotShipped,
        ("S", _) => Release::Stopped,
        (_, words) if words.contains("이미출고") => Release::Shipped,
        (_, words) if words.contains("출고중지") => Release::Stopped,
        (_, "미처리") => Release::NotShipped,
        // "Not applicable": nothing was to be stopped any more.
        (_, "비대상") => Release::Shipped,
        _ => Release::Unknown,
    }
}

/// What a receipt's type, state and release mean together (sheet 5).
pub(super) fn claim(kind: &str, status: &str, letter: &str, words: &str) -> Claim {
    let release = release(letter, words);
    match (kind.trim(), status.trim(), release) {
        (_, "RELEASE_STOP_UNCHECKED", _) => Claim::Open,
        ("CANCEL", _, _) => Claim::Cancelled,
        (_, "RETURNS_COMPLETED", Release::Shipped) => Claim::Returned,
        (_, "RETURNS_COMPLETED", Release::NotShipped | Release::Stopped) => Claim::Cancelled,
        (_, "RETURNS_COMPLETED", Release::Unknown) => Claim::Ended,
        (_, "RETURNS_UNCHECKED", Release::NotShipped) => Claim::Open,
        // Received, in the warehouse, being checked, or a word that is not documented.
        (_, _, Release::Shipped) => Claim::Returning,
        (_, _, Release::NotShipped | Release::Stopped) => Claim::Stopping,
        (_, _, Release::Unknown) => Claim::Undecided,
    }
}

/// The receipts of a page, the rows that can't be read, and the token of the next page.
///
/// # Errors
/// `MalformedResponse` when the answer as a whole can't be read.
pub(super) fn receipts_result(
    body: &[u8],
    asked: &str,
    config: &Config,
) -> Result<(Vec<Receipt>, Vec<UnreadableRow>, Option<String>)> {
    let body = body_text(body);
    let envelope = Envelope::read(&body)?;
    let (mut receipts, mut unreadable) = (Vec::new(), Vec::new());
    for raw in envelope.rows()? {
        match receipt(raw, config) {
            Some(receipt) => receipts.push(receipt),
            None => {
                let reason = "a cancel or return request without its number or order";
                unreadable.push(UnreadableRow::new(None, reason, RawPayload::new(raw.get())));
            }
        }
    }
    Ok((receipts, unreadable, envelope.next(asked)?))
}

fn receipt(raw: &RawValue, config: &Config) -> Option<Receipt> {
    let row: ReceiptRow<'_> = object("a receipt", raw.get()).ok()?;
    let named = |text: &Text<'_>| text.filled().filter(|id| *id != "0").map(str::to_owned);
    let claim =
        |letter: &str| claim(&row.receipt_type, &row.receipt_status, letter, &row.release_stop_status);
    let count = |text: &Text<'_>| text.integer().and_then(|pieces| u32::try_from(pieces).ok());
    let mut items: Vec<Item> = row
        .return_items
        .iter()
        .flatten()
        .map(|item| Item {
            box_id: named(&item.shipment_box_id).unwrap_or_default(),
            option: named(&item.vendor_item_id).unwrap_or_default(),
            pieces: count(&item.cancel_count),
            claim: claim(&item.release_status),
        })
        .collect();
    if items.is_empty() {
        let whole = Item { box_id: String::new(), option: String::new(), pieces: None, claim: claim("") };
        items.push(whole);
    }
    let reasons = [&row.cancel_reason_category1, &row.cancel_reason_category2, &row.cancel_reason];
    let reasons: Vec<&str> = reasons.into_iter().filter_map(Text::filled).collect();
    Some(Receipt {
        id: named(&row.receipt_id)?,
        order: named(&row.order_id)?,
        created_at: time(&row.created_at, config.zone()),
        pieces: count(&row.cancel_count_sum),
        reason: reasons.join(" / "),
        items,
        raw: RawPayload::new(raw.get()),
    })
}

/// One page at a place of a walk.
pub(super) async fn page(
    api: &Api,
    cx: &Context,
    operation: Operation,
    searches: &[Search],
    spans: &[Span],
    place: &Place,
) -> Result<(Vec<Receipt>, Vec<UnreadableRow>, Option<Place>)> {
    let (Some(search), Some(span)) = (searches.get(place.search), spans.get(place.span)) else {
        return Ok((Vec::new(), Vec::new(), None));
    };
    let ask = receipts_ask(&api.keys()?.vendor, *search, *span, &place.token);
    let answer = api.read(cx, operation, &ask).await?;
    let (receipts, unreadable, token) = receipts_result(&answer.body, &place.token, api.config())?;
    Ok((receipts, unreadable, place.next(token, searches.len(), spans.len())))
}

/// All receipts made since a day, each in its latest state, and the rows that can't be read.
///
/// # Errors
/// Any kind: receipts that can't be read must not pass for none.
pub(super) async fn since(
    api: &Api,
    cx: &Context,
    operation: Operation,
    searches: &[Search],
    first: NaiveDate,
) -> Result<(Vec<Receipt>, Vec<UnreadableRow>)> {
    all(api, cx, operation, searches, &spans((first, api.today().max(first)))).await
}

/// All receipts of these days, each once and in its latest state, oldest first.
///
/// # Errors
/// Any kind.
pub(super) async fn all(
    api: &Api,
    cx: &Context,
    operation: Operation,
    searches: &[Search],
    spans: &[Span],
) -> Result<(Vec<Receipt>, Vec<UnreadableRow>)> {
    let (mut found, mut unreadable) = (HashMap::new(), Vec::new());
    let mut place = Some(Place::default());
    while let Some(at) = place {
        let (receipts, unread, next) = page(api, cx, operation, searches, spans, &at).await?;
        found.extend(receipts.into_iter().map(|receipt| (receipt.id.clone(), receipt)));
        unreadable.extend(unread);
        place = next;
    }
    let mut receipts: Vec<Receipt> = found.into_values().collect();
    receipts.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
    Ok((receipts, unreadable))
}

/// The lines of receipts that concern a box: those that name it, and those that name no box of its order.
pub(super) fn concerning<'a>(
    receipts: &'a [Receipt],
    order_id: &'a str,
    box_id: &'a str,
) -> impl Iterator<Item = &'a Item> {
    receipts.iter().flat_map(move |receipt| {
        let own = receipt.order == order_id;
        receipt.items.iter().filter(move |item| item.box_id == box_id || (item.box_id.is_empty() && own))
    })
}

fn names(item: &Item, line: &Line) -> bool {
    item.option.is_empty() || item.option == line.listing.option
}

/// Brings what receipts say into an order that was just read.
pub(super) fn apply(order: &mut Order, receipts: &[Receipt]) {
    let kept = kept(order);
    let box_id = order.id.to_string();
    let items: Vec<&Item> = concerning(receipts, &kept.order, &box_id).collect();
    cancel_pieces(order, &items);
    settle_status(order);
    if order.status == OrderStatus::Cancelled {
        return;
    }
    let past = order.status.is_past_dispatch();
    let has = |claims: &[Claim]| items.iter().any(|item| claims.contains(&item.claim));
    if has(&[Claim::Open, Claim::Stopping]) || (!past && has(&[Claim::Undecided])) {
        order.cancel = CancelState::Requested;
    } else if has(&[Claim::Returning, Claim::Returned])
        || (past && has(&[Claim::Undecided, Claim::Ended]))
        || (past && returns_of_parts(order, receipts))
    {
        order.cancel = CancelState::ReturnOrExchange;
        if is_returned(order, receipts) {
            order.status = OrderStatus::Returned;
            for line in order.lines.iter_mut().filter(|line| line.status != OrderStatus::Cancelled) {
                line.status = OrderStatus::Returned;
            }
        }
    }
}

/// A finished cancellation that the box did not show yet. Once goods have left, the box's own numbers count.
fn cancel_pieces(order: &mut Order, items: &[&Item]) {
    let box_id = order.id.to_string();
    for line in order.lines.iter_mut().filter(|line| line.shipped == 0 && line.unit == box_id) {
        let of_line = items.iter().filter(|item| item.claim == Claim::Cancelled && names(item, line));
        let cancelled = of_line.map(|item| item.pieces.unwrap_or(0)).fold(0_u32, u32::saturating_add);
        line.cancelled = line.cancelled.max(cancelled.min(line.quantity));
    }
}

/// Whether the other boxes of a split order have returns.
fn returns_of_parts(order: &Order, receipts: &[Receipt]) -> bool {
    let parts = |item: &Item| order.lines.iter().any(|line| line.unit == item.box_id && names(item, line));
    receipts
        .iter()
        .flat_map(|receipt| &receipt.items)
        .any(|item| parts(item) && matches!(item.claim, Claim::Returning | Claim::Returned))
}

/// Whether every piece that was shipped came back.
fn is_returned(order: &Order, receipts: &[Receipt]) -> bool {
    order.status.is_past_dispatch()
        && order.lines.iter().filter(|line| line.status != OrderStatus::Cancelled).all(|line| {
            let items = receipts.iter().flat_map(|receipt| &receipt.items);
            let back = items.filter(|item| {
                item.claim == Claim::Returned
                    && item.box_id == line.unit
                    && item.option == line.listing.option
            });
            let back = back.map(|item| item.pieces.unwrap_or(0)).fold(0_u32, u32::saturating_add);
            back >= line.quantity.saturating_sub(line.cancelled)
        })
}

/// An order whose box the channel does not show any more because it was cancelled or returned (sheet 4.3): what became
/// of it by its receipts. Lines that were shipped in other boxes stay as they are known.
///
/// Where no receipt is found, the channel's word stands alone: nothing is done to the order any more, and it is read
/// again.
pub(super) fn closed(known: &Order, receipts: &[Receipt], read_at: DateTime<Utc>) -> Order {
    let mut order = known.clone();
    order.updated_at = read_at;
    order.cancel = CancelState::None;
    let kept = kept(known);
    let items: Vec<&Item> = concerning(receipts, &kept.order, known.id.as_str()).collect();
    let has = |claims: &[Claim]| items.iter().any(|item| claims.contains(&item.claim));
    let own = |line: &&mut Line| line.unit.is_empty() || line.unit == known.id.as_str();
    let past = known.lines.iter().any(|line| line.shipped > 0 && line.unit == known.id.as_str());
    let (open, returned) = (has(&[Claim::Open, Claim::Stopping]), has(&[Claim::Returning, Claim::Returned]));
    if open || (!past && has(&[Claim::Undecided])) || (!past && items.is_empty()) {
        order.cancel = CancelState::Requested;
    } else if (!past || !returned) && has(&[Claim::Cancelled]) || (!past && has(&[Claim::Ended])) {
        for line in order.lines.iter_mut().filter(own) {
            line.cancelled = line.quantity;
            line.shipped = 0;
            line.status = OrderStatus::Cancelled;
        }
    } else {
        order.cancel = CancelState::ReturnOrExchange;
        if !has(&[Claim::Returning, Claim::Undecided]) && has(&[Claim::Returned, Claim::Ended]) {
            for line in order.lines.iter_mut().filter(own).filter(|l| l.status != OrderStatus::Cancelled) {
                line.status = OrderStatus::Returned;
            }
        }
    }
    settle_status(&mut order);
    order
}
