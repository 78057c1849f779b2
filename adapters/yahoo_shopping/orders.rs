//! Orders: the calls that fetch a window or read known orders ("orderList", "orderInfo").

use chrono::{DateTime, Utc};

use crate::channel::{Context, Operation, OrderPage, Outcome, PageCursor, Refusal, Row, UnreadableRow, each};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Order, OrderId, RawPayload, Window};
use crate::xml::Element;

use super::ONE_BY_ONE;
use super::auth::{Api, Ask, Body};
use super::errors::{Method, NO_SUCH_ORDER};
use super::lists::{MOST_LISTED, is_empty, list_ask, list_result, minute_before, next_page};
use super::rows::{Read, read_order};
use super::window::{Page, Place, Search, Span};
use super::wire::{Req, value, with_root};

/// What is asked for of an order. One name that the channel does not know fails the whole call.
const FIELDS: &str = "OrderId,ParentOrderId,ChildOrderId,IsSeen,IsSplit,OrderTime,LastUpdateTime,Suspect,OrderStatus,CancelReason,CancelReasonDetail,StoreStatus,BuyerComments,IsMultiShip,MultiShipId,IsReadOnly,FraudHoldStatus,PublicationTime,IsYahooAuctionOrder,LineGiftOrderId,IsLineGiftOrder,SocialGiftType,IsFirstClassDrugIncludes,IsFirstClassDrugAgreement,PayStatus,SettleStatus,PayType,PayKind,PayMethod,PayMethodName,PayActionTime,PayDate,BillFirstName,BillFirstNameKana,BillLastName,BillLastNameKana,BillZipCode,BillPrefecture,BillCity,BillAddress1,BillAddress2,BillPhoneNumber,BillEmgPhoneNumber,BillMailAddress,ShipStatus,ShipMethod,ShipMethodName,ShipRequestDate,ShipRequestTime,ShipNotes,ShipCompanyCode,ShipInvoiceNumber1,ShipInvoiceNumber2,ShipInvoiceNumberEmptyReason,ShipDate,ArrivalDate,NeedGiftWrap,GiftWrapType,GiftWrapMessage,NeedGiftWrapPaper,GiftWrapPaperType,GiftWrapName,ShipFirstName,ShipFirstNameKana,ShipLastName,ShipLastNameKana,ShipZipCode,ShipPrefecture,ShipCity,ShipAddress1,ShipAddress2,ShipPhoneNumber,ShipEmgPhoneNumber,IsLineGiftShippable,ShippingDeadline,ShipInstructType,EazyDeliveryName,PayCharge,ShipCharge,GiftWrapCharge,Discount,Adjustments,UsePoint,GiftCardDiscount,TotalPrice,TotalMallCouponDiscount,LineId,ItemId,Title,SubCode,SubCodeOption,ItemOption,Inscription,UnitPrice,OriginalPrice,CouponDiscount,Quantity,ReleaseDate,LeadTimeText,LeadTimeStart,LeadTimeEnd,SellerId";

/// Orders of a page: each takes a call of its own.
const PAGE: usize = ONE_BY_ONE;
/// Lists that are turned for one page; most have nothing new.
const MOST_LISTS: usize = 10;
/// An order is split into two, which can be split again.
const MOST_CHILDREN: usize = 16;

/// Asks for an order.
pub(super) fn info_ask(seller: &str, order: &str) -> Ask {
    let xml = Req::new()
        .group("Target", |target| target.text("OrderId", order).text("Field", FIELDS))
        .text("SellerId", seller)
        .end();
    Ask { method: Method::OrderInfo, body: Body::Xml(xml) }
}

/// What an answer of `orderInfo` holds.
#[derive(Debug)]
pub(super) enum Got {
    Order(Box<Read>),
    Unreadable(UnreadableRow),
}

impl Got {
    fn row(self) -> Row {
        match self {
            Self::Order(read) => Row::Order(Box::new(read.order)),
            Self::Unreadable(row) => Row::Unreadable(row),
        }
    }
}

/// The order in an answer of `orderInfo`. One that can't be read spoils only itself.
///
/// # Errors
/// `MalformedResponse` when there is none, or another than this.
pub(super) fn info_result(body: &[u8], wanted: &str, read_at: DateTime<Utc>) -> Result<Got> {
    with_root(body, |root| {
        let results = || root.all("Result");
        let order = results().flat_map(|result| result.all("OrderInfo")).find(|order| !is_empty(order));
        let order = order.ok_or_else(|| Error::malformed("the answer holds no order"))?;
        if value(order, "OrderId").is_some_and(|id| id != wanted) {
            return Err(Error::malformed("the answer is about another order"));
        }
        Ok(got(order, wanted, read_at))
    })
}

fn got(order: &Element<'_>, wanted: &str, read_at: DateTime<Utc>) -> Got {
    match read_order(order, read_at) {
        Ok(read) => Got::Order(Box::new(read)),
        Err(why) => Got::Unreadable(UnreadableRow::new(
            Some(OrderId::from(wanted)),
            why,
            RawPayload::new(order.raw()),
        )),
    }
}

/// The order in an answer of `orderInfo`, for tools that keep answers. A row that can't be read is an unreadable row.
///
/// # Errors
/// `MalformedResponse` when the answer as a whole can't be read.
pub fn parse_order(body: &[u8], read_at: DateTime<Utc>) -> Result<Row> {
    let id = with_root(body, |root| {
        let orders = root.all("Result").flat_map(|result| result.all("OrderInfo"));
        let ids: Vec<String> =
            orders.filter_map(|order| value(order, "OrderId").map(str::to_owned)).collect();
        Ok(ids.into_iter().next().unwrap_or_default())
    })?;
    Ok(info_result(body, &id, read_at)?.row())
}

/// A page: lists until some orders are to be read, then reads some of them.
pub(super) async fn fetch(
    api: &Api,
    cx: &Context,
    window: Window,
    cursor: Option<&PageCursor>,
) -> Result<OrderPage> {
    let Some(mut place) = Place::begin(window, cursor)? else { return Ok(OrderPage::default()) };
    let span = Span::of(window);
    for _ in 0..MOST_LISTS {
        if !place.rest.is_empty() {
            break;
        }
        place.settle();
        if place.search().is_none() {
            break;
        }
        turn(api, cx, span, &mut place).await?;
    }
    let rest = place.rest.split_off(place.rest.len().min(PAGE));
    let ids = std::mem::replace(&mut place.rest, rest);
    let rows = details(api, cx, span, ids).await?;
    Ok(OrderPage { rows, next: place.cursor()? })
}

/// Lists the next page of a search.
async fn turn(api: &Api, cx: &Context, span: Span, place: &mut Place) -> Result<()> {
    let (Some(search), Some(page)) = (place.search(), place.page.take()) else { return Ok(()) };
    let ask = list_ask(&api.seller()?, search, span, &page, MOST_LISTED);
    let answer = api.read(cx, Operation::FetchOrders, &ask).await?;
    let listed = list_result(&answer.body, search, span)?;
    place.page = next_page(&page, &listed, MOST_LISTED)?;
    let mut ids: Vec<String> = Vec::new();
    for head in listed.heads {
        if head.wanted && !page.known.contains(&head.id) && !ids.contains(&head.id) {
            ids.push(head.id);
        }
    }
    place.rest = ids;
    Ok(())
}

/// The orders of these ids, with those into which they were split.
async fn details(api: &Api, cx: &Context, span: Span, mut ids: Vec<String>) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    let (mut next, mut children) = (0, 0);
    while let Some(id) = ids.get(next).cloned() {
        next += 1;
        let got = listed_order(api, cx, &id).await?;
        if let Got::Order(read) = &got {
            for child in &read.children {
                if !ids.contains(child) && children < MOST_CHILDREN {
                    children += 1;
                    ids.push(child.clone());
                }
            }
            // It was the seller's before the window began: the window before has it.
            if read.taken.is_some_and(|at| at.timestamp() < span.changed_from()) {
                continue;
            }
        }
        rows.push(got.row());
    }
    Ok(rows)
}

/// An order that a list named. Where the channel then knows no such order, that is reported: it is missing to nobody's
/// knowledge.
async fn listed_order(api: &Api, cx: &Context, id: &str) -> Result<Got> {
    let ask = info_ask(&api.seller()?, id);
    let answer = match api.read(cx, Operation::FetchOrders, &ask).await {
        Err(error) if is_gone(&error) => {
            let why = "the channel lists the order, and knows no such order when it is asked for";
            let raw = RawPayload::new(error.message().unwrap_or_default());
            return Ok(Got::Unreadable(UnreadableRow::new(Some(OrderId::from(id)), why, raw)));
        }
        answer => answer.map_err(|error| error.for_order(&OrderId::from(id)))?,
    };
    info_result(&answer.body, id, answer.sent_at)
}

/// Whether the channel says that it has no such order. Nothing else means that.
pub(super) fn is_gone(error: &Error) -> bool {
    error.kind() == ErrorKind::NotFound && error.code() == Some(NO_SUCH_ORDER)
}

/// Reads known orders, a call each. One that fails leaves the others alone.
pub(super) async fn read(api: &Api, cx: &Context, orders: &[&Order]) -> Result<Vec<Outcome<Order>>> {
    let calls = orders.iter().map(|known| async {
        match read_one(api, cx, &known.id).await {
            Ok(read) => Ok(Outcome::Done(read.order)),
            Err(error) if is_gone(&error) => {
                let message = error.message().unwrap_or_default();
                Ok(Outcome::Refused(Refusal::new(NO_SUCH_ORDER, message)))
            }
            Err(error) => Err(error),
        }
    });
    // A failed read says nothing about the order: never a refusal, which would drop it.
    each(calls.collect(), 1, |error| Outcome::NotTried(error.clone())).await
}

/// An order as it is now.
///
/// # Errors
/// [`is_gone`] tells an order that the channel does not have; any kind.
pub(super) async fn read_one(api: &Api, cx: &Context, id: &OrderId) -> Result<Read> {
    let ask = info_ask(&api.seller()?, id.as_str());
    let answer = api.read(cx, Operation::ReadOrders, &ask).await.map_err(|error| error.for_order(id))?;
    match info_result(&answer.body, id.as_str(), answer.sent_at).map_err(|error| error.for_order(id))? {
        Got::Order(read) => Ok(*read),
        Got::Unreadable(row) => Err(Error::malformed(row.reason).for_order(id)),
    }
}

/// A harmless search, which proves the credentials and the signature.
pub(super) fn probe_ask(seller: &str, now: DateTime<Utc>) -> Ask {
    let page = Page { from: Some(now.timestamp() - 60), start: 1, known: Vec::new() };
    list_ask(seller, Search::Made, minute_before(now), &page, 1)
}
