//! Whole calls of the Coupang adapter: what is sent, byte for byte, and what becomes of each answer.
#![cfg(feature = "coupang")]
#![allow(clippy::unwrap_used)] // tests

mod coupang;

use std::sync::Arc;

use coupang::*;
use mockito::Matcher;
use sales_channels::adapters::coupang::{ACCESS_KEY, Config, Coupang, SECRET_KEY, VENDOR_ID};
use sales_channels::adapters::{self, Opening};
use sales_channels::channel::{
    CancelAction, CancelDecision, CancelReason, CapabilityCheck, Channel, ConfirmRequest, Context,
    Credentials, DispatchRequest, Outcome, PageCursor, Repeat, Row, StockChange, Tracking,
};
use sales_channels::model::{
    CancelState, ChannelData, LineId, ListingKey, ListingState, ManualClock, Order, OrderStatus, Window,
};
use sales_channels::{Error, ErrorKind, Retry};
use serde_json::json;

const FROM: &str = "2026-11-02T09:00:00+09:00";
const TO: &str = "2026-11-02T11:00:00+09:00";
/// The days that a window on 2 November is looked for in: a week before it, for late payments.
const DAYS: (&str, &str) = ("2026-10-26", "2026-11-02");

fn states(rows: &[Row]) -> Vec<(&str, OrderStatus, CancelState)> {
    rows.iter().filter_map(Row::order).map(|o| (o.id.as_str(), o.status, o.cancel)).collect()
}

#[tokio::test]
async fn a_window_is_two_lists_turned_to_their_last_page_with_the_requests_on_their_boxes() {
    let mut shop = Shop::open().await;
    let day = sample("ordersheets_day.v5.response");
    let last = answer(&[boxed("102391542", "ACCEPT")]);
    let confirmed = answer(&[boxed("102391599", "INSTRUCT")]);
    let mut mocks = vec![
        shop.on("GET", &boxes_path("ACCEPT", DAYS.0, DAYS.1, ""), day).await,
        shop.on("GET", &boxes_path("ACCEPT", DAYS.0, DAYS.1, "448537989"), last).await,
        shop.on("GET", &boxes_path("INSTRUCT", DAYS.0, DAYS.1, ""), confirmed).await,
    ];
    for (status, receipts) in [
        ("RU", sample("return_requests.v6.response")),
        // The samples of both versions have one number, as a request has that moves on: the later search would count.
        ("UC", sample("return_requests.v4.response").replace("50229613", "50229614")),
        ("PR", EMPTY.into()),
        ("CC", EMPTY.into()),
        ("CANCEL", EMPTY.into()),
    ] {
        let path = receipts_path(status, "2026-11-02", "2026-11-03");
        mocks.push(shop.on("GET", &path, receipts).await.expect(3));
    }
    let rows = shop.fetch(FROM, TO).await.unwrap();
    assert_eq!(
        states(&rows),
        [
            ("642538970006401429", OrderStatus::New, CancelState::Requested),
            ("642538970006401428", OrderStatus::New, CancelState::None),
            ("102391542", OrderStatus::New, CancelState::None),
            ("102391599", OrderStatus::Confirmed, CancelState::None),
        ]
    );
    assert_eq!(
        rows[0].order().unwrap().updated_at,
        at("2026-11-03T12:00:00+09:00"),
        "when the request was sent"
    );
    for mock in mocks {
        mock.assert_async().await;
    }
}

#[tokio::test]
async fn a_window_without_orders_asks_for_no_receipts() {
    let mut shop = Shop::open().await;
    let empty = sample("ordersheets_day_empty.v5.response");
    for status in ["ACCEPT", "INSTRUCT"] {
        shop.on("GET", &boxes_path(status, DAYS.0, DAYS.1, ""), &empty).await;
    }
    assert!(shop.fetch(FROM, TO).await.unwrap().is_empty());
    let none = shop.page(FROM, FROM, None).await.unwrap();
    assert!(none.rows.is_empty() && none.next.is_none(), "an empty window asks for nothing");
}

#[tokio::test]
async fn orders_paid_after_midnight_are_found_and_those_of_days_before_are_left() {
    let mut shop = Shop::open().await;
    let paid = |id: &str, at: &str| {
        with(boxed(id, "ACCEPT"), json!({"orderedAt": "2026-11-01T23:50:00+09:00", "paidAt": at}))
    };
    let page = answer(&[
        paid("1", "2026-11-01T23:59:59+09:00"),
        paid("2", "2026-11-02T00:01:00+09:00"),
        paid("3", "2026-11-02T23:59:59+09:00"),
    ]);
    shop.on("GET", &boxes_path("ACCEPT", DAYS.0, DAYS.1, ""), page).await;
    shop.on("GET", &boxes_path("INSTRUCT", DAYS.0, DAYS.1, ""), EMPTY).await;
    // Receipts since the day of the order.
    for status in STATUSES {
        shop.on("GET", &receipts_path(status, "2026-11-01", "2026-11-03"), EMPTY).await;
    }
    let rows = shop.fetch(FROM, TO).await.unwrap();
    assert_eq!(states(&rows).iter().map(|s| s.0).collect::<Vec<_>>(), ["2", "3"]);
}

#[tokio::test]
async fn window_borders_are_days_in_seoul() {
    for (from, to, first, last) in [
        ("2026-11-01T15:00:00Z", "2026-11-02T15:00:00Z", "2026-10-26", "2026-11-02"),
        ("2026-11-01T14:59:59Z", "2026-11-02T15:00:01Z", "2026-10-25", "2026-11-03"),
    ] {
        let mut shop = Shop::open().await;
        let a = shop.on("GET", &boxes_path("ACCEPT", first, last, ""), EMPTY).await;
        let b = shop.on("GET", &boxes_path("INSTRUCT", first, last, ""), EMPTY).await;
        shop.fetch(from, to).await.unwrap();
        a.assert_async().await;
        b.assert_async().await;
    }
    // A span that no single list may ask for.
    let mut shop = Shop::open().await;
    let mut mocks = Vec::new();
    for status in ["ACCEPT", "INSTRUCT"] {
        for (first, last) in
            [("2026-08-25", "2026-09-23"), ("2026-09-24", "2026-10-23"), ("2026-10-24", "2026-11-02")]
        {
            mocks.push(shop.on("GET", &boxes_path(status, first, last, ""), EMPTY).await);
        }
    }
    shop.fetch("2026-09-01T00:00:00+09:00", TO).await.unwrap();
    for mock in mocks {
        mock.assert_async().await;
    }
}

#[tokio::test]
async fn a_page_that_comes_again_is_an_error_and_so_is_a_foreign_cursor() {
    let mut shop = Shop::open().await;
    let again = json!({"code": 200, "data": [], "nextToken": "7"}).to_string();
    shop.on("GET", &boxes_path("ACCEPT", DAYS.0, DAYS.1, ""), &again).await;
    shop.on("GET", &boxes_path("ACCEPT", DAYS.0, DAYS.1, "7"), &again).await;
    assert_eq!(shop.fetch(FROM, TO).await.unwrap_err().kind(), ErrorKind::MalformedResponse);
    for cursor in ["", "7", "0/x/", "9/0/", "0/9/"] {
        let cursor = PageCursor::new(cursor);
        let error = shop.page(FROM, TO, Some(&cursor)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        let window = Window::new(at(FROM), at(TO));
        let cancellations = shop.channel.cancellations().unwrap();
        let error = cancellations.requests(&Context::new(), window, Some(&cursor)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }
    for cursor in ["7", "{}", r#"{"token":"","more":false,"products":[]}"#] {
        let cursor = PageCursor::new(cursor);
        let error = shop.channel.listings().unwrap().list(&Context::new(), Some(&cursor)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }
}

#[tokio::test]
async fn an_unreadable_box_keeps_its_text_and_an_unknown_state_is_watched() {
    let mut shop = Shop::open().await;
    let bad =
        with(boxed("5", "ACCEPT"), json!({"orderItems": [{"vendorItemId": 1, "shippingCount": "두 개"}]}));
    let odd = with(boxed("6", "SOMETHING_NEW"), json!({"receiver": null}));
    shop.on("GET", &boxes_path("ACCEPT", DAYS.0, DAYS.1, ""), answer(&[bad.clone(), odd])).await;
    shop.on("GET", &boxes_path("INSTRUCT", DAYS.0, DAYS.1, ""), EMPTY).await;
    shop.no_receipts(1).await;
    let rows = shop.fetch(FROM, TO).await.unwrap();
    let [Row::Unreadable(row), Row::Order(order)] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!((row.raw.reveal(), row.id.as_ref().unwrap().as_str()), (bad.to_string().as_str(), "5"));
    assert_eq!((order.status, order.holds.len()), (OrderStatus::Unknown, 1));
    assert!(order.destinations[0].recipient.reveal().address.is_empty());
    assert_eq!(order.destinations[0].message.as_ref().unwrap().reveal(), "문 앞 🌿");
}

#[tokio::test]
async fn receipts_that_cannot_be_read_fail_the_window_rather_than_pass_for_none() {
    let mut shop = Shop::open().await;
    shop.on("GET", &boxes_path("ACCEPT", DAYS.0, DAYS.1, ""), answer(&[boxed(BOX, "ACCEPT")])).await;
    shop.fails("GET", &receipts_path("RU", "2026-11-02", "2026-11-03"), 500, "down", 2).await;
    assert_eq!(shop.fetch(FROM, TO).await.unwrap_err().kind(), ErrorKind::Unavailable);

    // One row that can't be read is told, and spoils nothing else.
    let mut shop = Shop::open().await;
    shop.on("GET", &boxes_path("ACCEPT", DAYS.0, DAYS.1, ""), answer(&[boxed(BOX, "ACCEPT")])).await;
    shop.on("GET", &boxes_path("INSTRUCT", DAYS.0, DAYS.1, ""), EMPTY).await;
    shop.receipts("UC", r#"{"code":200,"data":[{"receiptId":1}],"nextToken":""}"#).await;
    let rows = shop.fetch(FROM, TO).await.unwrap();
    let [Row::Order(_), Row::Unreadable(row)] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!(row.raw.reveal(), r#"{"receiptId":1}"#);
}

#[tokio::test]
async fn a_box_cancelled_between_the_list_and_the_receipts_is_cancelled() {
    let mut shop = Shop::open().await;
    shop.on("GET", &boxes_path("ACCEPT", DAYS.0, DAYS.1, ""), answer(&[boxed(BOX, "ACCEPT")])).await;
    shop.on("GET", &boxes_path("INSTRUCT", DAYS.0, DAYS.1, ""), EMPTY).await;
    shop.receipts("CANCEL", &receipt("CANCEL", "RETURNS_COMPLETED", &[(BOX, 11, 2), (BOX, 12, 1)])).await;
    let rows = shop.fetch(FROM, TO).await.unwrap();
    assert_eq!(states(&rows), [(BOX, OrderStatus::Cancelled, CancelState::None)]);
}

/// An answer with one receipt over boxes, options and pieces, not shipped.
fn receipt(kind: &str, status: &str, items: &[(&str, u64, u32)]) -> String {
    let sum: u32 = items.iter().map(|(_, _, pieces)| pieces).sum();
    let items: Vec<_> = items
        .iter()
        .map(|(id, option, pieces)| {
            json!({"shipmentBoxId": id.parse::<u64>().unwrap(), "vendorItemId": option, "cancelCount": pieces,
                "releaseStatus": "N"})
        })
        .collect();
    json!({"code": 200, "data": [{"receiptId": 363667, "orderId": 500, "receiptType": kind, "receiptStatus": status,
        "cancelCountSum": sum, "createdAt": "2026-11-02T22:52:42", "cancelReasonCategory1": "고객변심",
        "returnItems": items}], "nextToken": ""})
    .to_string()
}

#[tokio::test]
async fn orders_are_read_box_by_box_with_their_requests_and_one_that_fails_leaves_the_others_alone() {
    let mut shop = Shop::open().await;
    let orders: Vec<Order> = ["1", "2", "3", "4"].map(|id| known(id, "ACCEPT")).to_vec();
    shop.on("GET", &box_path("1"), single(&boxed("1", "INSTRUCT"))).await;
    shop.fails("GET", &box_path("2"), 200, "<html>busy</html>", 2).await;
    let shipped = with(
        boxed("3", "DEPARTURE"),
        json!({"deliveryCompanyName": "CJ 대한통운", "invoiceNumber": "340010913442"}),
    );
    shop.on("GET", &box_path("3"), single(&shipped)).await;
    shop.on("GET", &box_path("4"), single(&boxed("4", "ACCEPT"))).await;
    shop.receipts("UC", &receipt("RETURN", "RETURNS_UNCHECKED", &[("1", 11, 1)])).await;
    let known: Vec<&Order> = orders.iter().collect();
    let read = shop.channel.orders().read(&Context::new(), &known).await.unwrap();
    assert_eq!(words(&read), ["done", "not tried", "done", "done"]);
    let Outcome::Done(claimed) = &read[0] else { panic!() };
    assert_eq!((claimed.status, claimed.cancel), (OrderStatus::Confirmed, CancelState::Requested));
    let Outcome::Done(sent) = &read[2] else { panic!() };
    assert_eq!((sent.status, sent.tracking[0].number.as_str()), (OrderStatus::Shipped, "340010913442"));
    assert!(sent.supersedes(&orders[2]));
    let Outcome::Done(same) = &read[3] else { panic!() };
    assert_eq!((same.status, same.cancel), (OrderStatus::New, CancelState::None));
}

#[tokio::test]
async fn a_cancelled_order_is_refused_by_the_channel_and_found_in_the_receipts() {
    let refusal = sample("error_400_cancelled_order.response");
    for (search, kind, status) in
        [("CANCEL", "CANCEL", "RETURNS_COMPLETED"), ("CC", "RETURN", "RETURNS_COMPLETED")]
    {
        let mut shop = Shop::open().await;
        shop.fails("GET", &box_path(BOX), 400, &refusal, 1).await;
        shop.receipts(search, &receipt(kind, status, &[(BOX, 11, 2), (BOX, 12, 1)])).await;
        let Outcome::Done(order) = shop.read(&known(BOX, "INSTRUCT")).await else { panic!("{search}") };
        assert_eq!((order.status, order.lines[0].outstanding()), (OrderStatus::Cancelled, 0), "{search}");
    }
    // The channel's word alone: nothing more is done to the order, and nothing is given up.
    let mut shop = Shop::open().await;
    shop.fails("GET", &box_path(BOX), 400, &refusal, 1).await;
    shop.no_receipts(1).await;
    let Outcome::Done(order) = shop.read(&known(BOX, "ACCEPT")).await else { panic!() };
    assert_eq!((order.status, order.cancel), (OrderStatus::New, CancelState::Requested));
}

#[tokio::test]
async fn a_read_that_fails_is_never_a_refusal_whatever_the_channel_answers() {
    for (status, body, times) in [
        (400, r#"{"code":400,"message":"x"}"#, 1),
        (404, "", 1),
        (401, r#"{"code":"ERROR","message":"Invalid signature"}"#, 2),
        (403, r#"{"code":"ERROR","message":"x"}"#, 1),
        (403, "<html>Access Denied. Reference #18</html>", 1),
        (409, "", 1),
        (410, "", 1),
        (423, "", 1),
        (429, "", 1),
        (500, "", 2),
        (200, "{}", 2),
        (200, r#"{"code":"ERROR"}"#, 1),
        (200, r#"{"code":200,"data":{"shipmentBoxId":9}}"#, 1),
        (200, r#"{"code":200,"data":[]}"#, 1),
    ] {
        let mut shop = Shop::open().await;
        shop.fails("GET", &box_path(BOX), status, body, times).await;
        shop.fails("GET", &order_path("500"), 404, "", 1).await;
        let outcome = shop.read(&known(BOX, "ACCEPT")).await;
        assert!(matches!(outcome, Outcome::NotTried(_)), "{status} {body}: {}", word(&outcome));
    }
}

#[tokio::test]
async fn reading_stops_at_the_first_answer_that_blocks() {
    let mut shop = Shop::open().await;
    let blocked = shop
        .server
        .mock("GET", Matcher::Any)
        .with_status(429)
        .expect_at_most(2)
        .expect_at_least(1)
        .create_async()
        .await;
    let known: Vec<Order> = (1..50).map(|n| known(&n.to_string(), "ACCEPT")).collect();
    let known: Vec<&Order> = known.iter().collect();
    let error = shop.channel.orders().read(&Context::new(), &known).await.unwrap_err();
    assert_eq!((error.kind(), error.retry_after().unwrap().as_secs()), (ErrorKind::RateLimited, 600));
    blocked.assert_async().await;
}

#[tokio::test]
async fn a_split_order_is_read_whole_by_its_number_and_then_box_by_box() {
    let mut shop = Shop::open().await;
    let known = known(BOX, "INSTRUCT");
    let items = boxed(BOX, "INSTRUCT")["orderItems"].clone();
    let rest = with(boxed(BOX, "INSTRUCT"), json!({"splitShipping": true, "orderItems": [items[1]]}));
    let moved = with(
        boxed("642538970006401999", "DEPARTURE"),
        json!({"splitShipping": true, "orderItems": [items[0]], "deliveryCompanyName": "한진택배", "invoiceNumber": "55"}),
    );
    shop.on("GET", &box_path(BOX), single(&rest)).await;
    shop.on("GET", &order_path("500"), answer(&[rest.clone(), moved])).await;
    shop.no_receipts(1).await;
    let Outcome::Done(read) = shop.read(&known).await else { panic!() };
    let lines: Vec<(&str, &str, u32)> =
        read.lines.iter().map(|l| (l.id.as_str(), l.unit.as_str(), l.outstanding())).collect();
    assert_eq!(lines, [("11", "642538970006401999", 0), ("12", BOX, 1)]);
    assert_eq!((read.status, read.tracking[0].number.as_str()), (OrderStatus::Confirmed, "55"));

    // Found by a list, the rest of the box alone must not replace what is known: it is the older state.
    let mut shop = Shop::open().await;
    shop.on("GET", &boxes_path("ACCEPT", DAYS.0, DAYS.1, ""), EMPTY).await;
    shop.on("GET", &boxes_path("INSTRUCT", DAYS.0, DAYS.1, ""), answer(&[rest])).await;
    shop.no_receipts(1).await;
    let rows = shop.fetch(FROM, TO).await.unwrap();
    assert!(!rows[0].order().unwrap().supersedes(&read));
}

#[tokio::test]
async fn a_box_that_is_gone_is_looked_for_by_its_order() {
    let mut shop = Shop::open().await;
    let known = known(BOX, "INSTRUCT");
    shop.fails("GET", &box_path(BOX), 400, r#"{"code":400,"message":"유효하지 않은 배송번호입니다."}"#, 1)
        .await;
    shop.on("GET", &order_path("500"), answer(&[boxed("642538970006401999", "DELIVERING")])).await;
    shop.no_receipts(1).await;
    let Outcome::Done(read) = shop.read(&known).await else { panic!() };
    assert_eq!((read.id.as_str(), read.status), (BOX, OrderStatus::Shipped));

    // Gone, and its order too: cancelled or returned as a whole.
    let mut shop = Shop::open().await;
    shop.fails("GET", &box_path(BOX), 404, "", 1).await;
    shop.fails("GET", &order_path("500"), 400, &sample("error_400_cancelled_order.response"), 1).await;
    shop.receipts("CANCEL", &receipt("CANCEL", "RETURNS_COMPLETED", &[(BOX, 11, 2), (BOX, 12, 1)])).await;
    let Outcome::Done(read) = shop.read(&known).await else { panic!() };
    assert_eq!(read.status, OrderStatus::Cancelled);
}

#[tokio::test]
async fn confirming_is_one_call_and_each_box_has_its_outcome() {
    let mut shop = Shop::open().await;
    let body = json!({"vendorId": VENDOR, "shipmentBoxIds": [102391542, 102391599, 642538970006401429_u64]});
    let call = shop.on_json("PUT", &acknowledge_path(), body, sample("acknowledgement.response")).await;
    let orders: Vec<Order> = ["102391542", "102391599", BOX].map(|id| known(id, "ACCEPT")).to_vec();
    let requests: Vec<ConfirmRequest<'_>> = orders.iter().map(ConfirmRequest::new).collect();
    let confirm = shop.channel.confirm().unwrap();
    let done = confirm.confirm(&Context::new(), &requests).await.unwrap();
    assert_eq!(words(&done), ["done", "refused NOT_FOUND_SHIPMENT_BOX temporary reread", "unknown"]);
    assert!(matches!(&done[0], Outcome::Done(done) if done.reread), "the address can have changed until now");
    assert_eq!(confirm.repeat(), Repeat::Safe);
    call.assert_async().await;
}

fn results(rows: serde_json::Value) -> String {
    json!({"code": "200", "message": "OK", "data": {"responseCode": 1, "responseList": rows}}).to_string()
}

#[tokio::test]
async fn a_box_that_is_confirmed_already_is_found_so_by_reading_it() {
    let mut shop = Shop::open().await;
    let no = |id: u64| json!({"shipmentBoxId": id, "succeed": false, "resultCode": "INVALID_STATUS", "retryRequired": false});
    shop.on("PUT", &acknowledge_path(), results(json!([no(3), no(2), no(1)]))).await;
    shop.on("GET", &box_path("1"), single(&boxed("1", "INSTRUCT"))).await;
    shop.on("GET", &box_path("2"), single(&boxed("2", "ACCEPT"))).await;
    shop.fails("GET", &box_path("3"), 500, "", 2).await;
    let orders: Vec<Order> = ["1", "2", "3"].map(|id| known(id, "ACCEPT")).to_vec();
    let requests: Vec<ConfirmRequest<'_>> = orders.iter().map(ConfirmRequest::new).collect();
    let done = shop.channel.confirm().unwrap().confirm(&Context::new(), &requests).await.unwrap();
    assert_eq!(words(&done), ["already", "refused INVALID_STATUS reread", "refused INVALID_STATUS reread"]);
}

#[tokio::test]
async fn a_lost_confirmation_is_repeated_and_found_done() {
    let mut shop = Shop::open().await;
    // mockito answers in order of creation: first the gateway gives up, then the channel says "already".
    shop.fails("PUT", &acknowledge_path(), 504, "<html>gateway timeout</html>", 1).await;
    let no = json!([{"shipmentBoxId": 1, "succeed": false, "resultCode": "INVALID_STATUS"}]);
    shop.on("PUT", &acknowledge_path(), results(no)).await;
    shop.on("GET", &box_path("1"), single(&boxed("1", "INSTRUCT"))).await;
    let order = known("1", "ACCEPT");
    let done = shop.channel.confirm().unwrap().confirm(&Context::new(), &[ConfirmRequest::new(&order)]).await;
    assert_eq!(words(&done.unwrap()), ["already"]);
}

#[tokio::test]
async fn one_box_that_spoils_the_call_does_not_block_the_others() {
    let mut shop = Shop::open().await;
    let body = |ids: &[u64]| json!({"vendorId": VENDOR, "shipmentBoxIds": ids});
    shop.mock_json(&acknowledge_path(), body(&[1, 2]), 400, r#"{"code":400,"message":"잘못된 요청"}"#).await;
    let ok = results(json!([{"shipmentBoxId": 1, "succeed": true, "resultCode": "OK"}]));
    shop.mock_json(&acknowledge_path(), body(&[1]), 200, &ok).await;
    shop.mock_json(&acknowledge_path(), body(&[2]), 400, r#"{"code":400,"message":"잘못된 요청"}"#).await;
    let orders: Vec<Order> = ["1", "2"].map(|id| known(id, "ACCEPT")).to_vec();
    let requests: Vec<ConfirmRequest<'_>> = orders.iter().map(ConfirmRequest::new).collect();
    let done = shop.channel.confirm().unwrap().confirm(&Context::new(), &requests).await.unwrap();
    assert_eq!(words(&done), ["done", "refused HTTP 400"]);
}

#[tokio::test]
async fn more_than_fifty_confirmations_are_several_calls() {
    let mut shop = Shop::open().await;
    let rows = |ids: std::ops::RangeInclusive<u32>| {
        let rows: Vec<_> =
            ids.map(|n| json!({"shipmentBoxId": n, "succeed": true, "resultCode": "OK"})).collect();
        results(json!(rows))
    };
    let body = |ids: Vec<u32>| json!({"vendorId": VENDOR, "shipmentBoxIds": ids});
    let first = shop.on_json("PUT", &acknowledge_path(), body((1..=50).collect()), rows(1..=50)).await;
    let second = shop.on_json("PUT", &acknowledge_path(), body(vec![51]), rows(51..=51)).await;
    let orders: Vec<Order> = (1..=51).map(|n| known(&n.to_string(), "ACCEPT")).collect();
    let requests: Vec<ConfirmRequest<'_>> = orders.iter().map(ConfirmRequest::new).collect();
    let done = shop.channel.confirm().unwrap().confirm(&Context::new(), &requests).await.unwrap();
    assert!(done.len() == 51 && done.iter().all(Outcome::is_done));
    first.assert_async().await;
    second.assert_async().await;
}

fn entry(box_id: u64, option: u64, code: &str, number: &str) -> serde_json::Value {
    json!({"shipmentBoxId": box_id, "orderId": 500, "vendorItemId": option, "deliveryCompanyCode": code,
        "invoiceNumber": number, "splitShipping": false, "preSplitShipped": false, "estimatedShippingDate": ""})
}

#[tokio::test]
async fn parcels_go_together_and_each_has_its_outcome() {
    let mut shop = Shop::open().await;
    let body = json!({"vendorId": VENDOR, "orderSheetInvoiceApplyDtos": [
        entry(1, 11, "CJGLS", "1001"), entry(1, 12, "CJGLS", "1001"),
        entry(2, 11, "HANJIN", "1002"), entry(2, 12, "HANJIN", "1002"),
        entry(3, 11, "EPOST", "1003"), entry(3, 12, "EPOST", "1003"),
    ]});
    let rows = json!([
        {"shipmentBoxId": 2, "succeed": false, "resultCode": "DUPLICATE_INVOICE_NUMBER", "retryRequired": true},
        {"shipmentBoxId": 1, "succeed": true, "resultCode": "OK", "retryRequired": false, "resultMessage": null},
    ]);
    let call = shop.on_json("POST", &invoices_path(), body, results(rows)).await;
    let orders: Vec<Order> = ["1", "2", "3", "4"].map(|id| known(id, "INSTRUCT")).to_vec();
    let tracking = [
        Tracking::new("CJ대한통운", "10-01"),
        Tracking::new("한진택배", "1002"),
        Tracking::new("Korea Post", "1003"),
        Tracking::new("no such carrier", "1004"),
    ];
    let mut requests: Vec<DispatchRequest<'_>> = orders
        .iter()
        .zip(&tracking)
        .map(|(order, tracking)| DispatchRequest::new(order, Some(tracking), at(TO)))
        .collect();
    // A second parcel of an order that is in the same call.
    requests.push(DispatchRequest::new(&orders[0], Some(&tracking[0]), at(TO)));
    let dispatch = shop.channel.dispatch().unwrap();
    let done = dispatch.dispatch(&Context::new(), &requests).await.unwrap();
    assert_eq!(
        words(&done),
        ["done", "refused DUPLICATE_INVOICE_NUMBER", "unknown", "refused ", "not tried"]
    );
    assert!(matches!(&done[0], Outcome::Done(d) if d.tracking == Some(Tracking::new("CJGLS", "1001"))));
    assert_eq!(dispatch.repeat(), Repeat::ReadFirst);
    assert!(dispatch.hand_over_methods().is_empty());
    call.assert_async().await;
}

#[tokio::test]
async fn the_documented_answers_to_a_waybill() {
    let order = |id: &str| known(id, "INSTRUCT");
    let tracking = Tracking::new("KDEXP", "20180731040123");
    let mut shop = Shop::open().await;
    shop.on("POST", &invoices_path(), sample("invoices.response")).await;
    let known = order("606920263");
    let request = [DispatchRequest::new(&known, Some(&tracking), at(TO))];
    let dispatch = shop.channel.dispatch().unwrap();
    assert_eq!(words(&dispatch.dispatch(&Context::new(), &request).await.unwrap()), ["done"]);

    // Shipped already: under this number it is done, under another it is not.
    for (number, expected) in [("20180731040123", "already"), ("99", "refused INVALID_STATUS reread")] {
        let mut shop = Shop::open().await;
        shop.on("POST", &invoices_path(), sample("invoices_invalid_status.response")).await;
        let shown = with(boxed("38273723", "DEPARTURE"), json!({"invoiceNumber": number}));
        shop.on("GET", &box_path("38273723"), single(&shown)).await;
        let known = order("38273723");
        let request = [DispatchRequest::new(&known, Some(&tracking), at(TO))];
        let done = shop.channel.dispatch().unwrap().dispatch(&Context::new(), &request).await.unwrap();
        assert_eq!(words(&done), [expected]);
    }
}

#[tokio::test]
async fn a_parcel_with_a_carrier_that_is_not_on_the_list_goes_alone() {
    let mut shop = Shop::open().await;
    let body = |id: u64, code: &str| {
        json!({"vendorId": VENDOR,
        "orderSheetInvoiceApplyDtos": [entry(id, 11, code, "1"), entry(id, 12, code, "1")]})
    };
    let ok = results(json!([{"shipmentBoxId": 1, "succeed": true, "resultCode": "OK"}]));
    shop.on_json("POST", &invoices_path(), body(1, "CJGLS"), ok).await;
    let unknown_code = r#"{"code":500,"message":"internal exception"}"#;
    let failed = shop
        .server
        .mock("POST", invoices_path().as_str())
        .match_body(Matcher::Json(body(2, "NEWCARRIER")))
        .with_status(500)
        .with_body(unknown_code)
        .expect(1)
        .create_async()
        .await;
    let orders: Vec<Order> = ["2", "1"].map(|id| known(id, "INSTRUCT")).to_vec();
    let (new, known) = (Tracking::new("NEWCARRIER", "1"), Tracking::new("CJGLS", "1"));
    let requests = [
        DispatchRequest::new(&orders[0], Some(&new), at(TO)),
        DispatchRequest::new(&orders[1], Some(&known), at(TO)),
    ];
    let done = shop.channel.dispatch().unwrap().dispatch(&Context::new(), &requests).await.unwrap();
    assert_eq!(words(&done), ["unknown", "done"]);
    failed.assert_async().await;
}

#[tokio::test]
async fn a_part_of_a_box_is_sent_with_a_day_for_the_rest() {
    let mut shop = Shop::open().await;
    let split = |mut entry: serde_json::Value, date: &str| {
        entry["splitShipping"] = json!(true);
        entry["estimatedShippingDate"] = json!(date);
        entry
    };
    let body = json!({"vendorId": VENDOR, "orderSheetInvoiceApplyDtos": [
        split(entry(1, 12, "CJGLS", "7"), ""), split(entry(1, 11, "CJGLS", ""), "2026-11-05")]});
    let ok = results(json!([{"shipmentBoxId": 1, "succeed": true, "resultCode": "OK"}]));
    shop.on_json("POST", &invoices_path(), body, ok).await;
    let order = known("1", "INSTRUCT");
    let tracking = Tracking::new("CJGLS", "7");
    let lines = [(LineId::from("12"), 1)];
    let mut request = DispatchRequest::new(&order, Some(&tracking), at(TO));
    request.lines = &lines;
    let settings = std::collections::BTreeMap::from([("split_rest_days".to_owned(), json!(2))]);
    let cx = Context::new().with_settings(Arc::new(settings));
    let done = shop.channel.dispatch().unwrap().dispatch(&cx, &[request]).await.unwrap();
    assert!(matches!(&done[0], Outcome::Done(done) if done.reread), "{:?}", words(&done));
}

#[tokio::test]
async fn nothing_is_sent_while_the_buyer_asks_to_cancel() {
    let shop = Shop::open().await;
    let mut order = known("1", "INSTRUCT");
    order.cancel = CancelState::Requested;
    let tracking = Tracking::new("CJGLS", "7");
    let request = [DispatchRequest::new(&order, Some(&tracking), at(TO))];
    let done = shop.channel.dispatch().unwrap().dispatch(&Context::new(), &request).await.unwrap();
    assert_eq!(words(&done), ["refused  temporary reread"]);
}

#[tokio::test]
async fn a_waybill_is_corrected_by_its_own_call() {
    let mut shop = Shop::open().await;
    let path = format!("{API}/v4/vendors/{VENDOR}/orders/updateInvoices");
    let body = json!({"vendorId": VENDOR,
        "orderSheetInvoiceApplyDtos": [entry(1, 11, "CJGLS", "8"), entry(1, 12, "CJGLS", "8")]});
    let ok = results(json!([{"shipmentBoxId": 1, "succeed": true, "resultCode": "OK"}]));
    let call = shop.on_json("POST", &path, body, ok).await;
    let tracking = Tracking::new("CJGLS", "8");
    let done =
        shop.channel.correct_waybill(&Context::new(), &known("1", "DELIVERING"), &tracking).await.unwrap();
    assert_eq!(word(&done), "done");
    call.assert_async().await;
    let refused =
        shop.channel.correct_waybill(&Context::new(), &known("1", "INSTRUCT"), &tracking).await.unwrap();
    assert_eq!(word(&refused), "refused ");
}

/// Status, body, tries of a read, kind, and whether a write may have been made.
const LADDER: &[(usize, &str, usize, ErrorKind, bool)] = &[
    (302, "", 1, ErrorKind::RateLimited, false),
    (400, r#"{"code":400,"message":"x"}"#, 1, ErrorKind::InvalidInput, false),
    (
        401,
        r#"{"code":"ERROR","message":"Specified signature is expired."}"#,
        2,
        ErrorKind::Unauthorized,
        false,
    ),
    (401, r#"{"code":"ERROR","message":"Invalid signature."}"#, 2, ErrorKind::Unauthorized, false),
    (403, r#"{"code":"ERROR","message":"[FORBIDDEN] Not allowed IP."}"#, 1, ErrorKind::Forbidden, false),
    (403, "<HTML>Access Denied Reference #18.1</HTML>", 1, ErrorKind::RateLimited, false),
    (404, "", 1, ErrorKind::Configuration, false),
    (408, "", 2, ErrorKind::TimedOut, true),
    (410, "", 1, ErrorKind::Configuration, false),
    (412, "", 1, ErrorKind::Forbidden, false),
    (423, "", 1, ErrorKind::Forbidden, false),
    (429, "", 1, ErrorKind::RateLimited, false),
    (500, r#"{"code":500,"message":"internal exception"}"#, 2, ErrorKind::Unavailable, true),
    (502, "<html>bad gateway</html>", 2, ErrorKind::Unavailable, true),
    (503, "", 2, ErrorKind::Unavailable, true),
    (504, "", 2, ErrorKind::TimedOut, true),
    (521, "", 2, ErrorKind::Unavailable, true),
    (200, r#"{"code":500,"message":"x"}"#, 2, ErrorKind::Unavailable, true),
    (200, "<html>ok</html>", 2, ErrorKind::MalformedResponse, true),
    (200, "", 2, ErrorKind::MalformedResponse, true),
    (200, r#"{"code":200,"data":[{"ship"#, 2, ErrorKind::MalformedResponse, true),
    (200, r#"{"message":"OK"}"#, 2, ErrorKind::MalformedResponse, true),
];

#[tokio::test]
async fn every_broken_answer_to_a_fetch_has_its_kind() {
    for (status, body, times, kind, _) in LADDER {
        let mut shop = Shop::open().await;
        let call = shop.fails("GET", &boxes_path("ACCEPT", DAYS.0, DAYS.1, ""), *status, body, *times).await;
        let error = shop.fetch(FROM, TO).await.unwrap_err();
        assert_eq!((error.kind(), error.outcome_unknown()), (*kind, false), "{status} {body}");
        call.assert_async().await;
    }
}

/// The first outcome's error, or that of the whole.
fn error_of<T>(done: sales_channels::Result<Vec<Outcome<T>>>) -> Result<Error, String> {
    match done {
        Err(error) => Ok(error),
        Ok(outcomes) => match outcomes.into_iter().next() {
            Some(Outcome::NotTried(error) | Outcome::Unknown(error)) => Ok(error),
            other => Err(other.as_ref().map(word).unwrap_or_default()),
        },
    }
}

#[tokio::test]
async fn a_write_that_may_have_been_made_is_unknown_and_an_unsafe_one_is_never_sent_twice() {
    let tracking = Tracking::new("CJGLS", "7");
    for (status, body, times, kind, unknown) in LADDER {
        let order = known("1", "INSTRUCT");
        let mut shop = Shop::open().await;
        // Where it may have been made, once; wrong signatures are certain to have done nothing.
        let once = if *unknown { 1 } else { *times };
        let call = shop.fails("POST", &invoices_path(), *status, body, once).await;
        let request = [DispatchRequest::new(&order, Some(&tracking), at(TO))];
        let done = shop.channel.dispatch().unwrap().dispatch(&Context::new(), &request).await;
        match (*kind, error_of(done)) {
            (ErrorKind::InvalidInput, Err(word)) => assert_eq!(word, "refused HTTP 400"),
            (kind, Ok(error)) => {
                assert_eq!((error.kind(), error.outcome_unknown()), (kind, *unknown), "{status} {body}");
            }
            (_, other) => panic!("{status} {body}: {other:?}"),
        }
        call.assert_async().await;

        // Confirming may be repeated.
        let mut shop = Shop::open().await;
        let call = shop.fails("PUT", &acknowledge_path(), *status, body, *times).await;
        let done =
            shop.channel.confirm().unwrap().confirm(&Context::new(), &[ConfirmRequest::new(&order)]).await;
        if let Ok(error) = error_of(done) {
            assert_eq!((error.kind(), error.outcome_unknown()), (*kind, *unknown), "{status} {body}");
        }
        call.assert_async().await;
    }
}

#[tokio::test]
async fn an_answer_that_is_json_but_of_another_shape_leaves_a_write_unknown() {
    let tracking = Tracking::new("CJGLS", "7");
    for body in [
        r#"{"code":"200"}"#,
        r#"{"code":"200","data":"done"}"#,
        r#"{"code":"200","data":null}"#,
        r#"{"code":"200","data":{"responseCode":0,"responseMessage":"SUCCESS"}}"#,
        r#"{"code":"200","data":{"responseList":[{"shipmentBoxId":9,"succeed":true,"resultCode":"OK"}]}}"#,
        r#"{"code":"200","data":{"responseList":[{"succeed":true}]}}"#,
    ] {
        let order = known("1", "INSTRUCT");
        let mut shop = Shop::open().await;
        shop.fails("POST", &invoices_path(), 200, body, 1).await;
        shop.fails("PUT", &acknowledge_path(), 200, body, 1).await;
        let request = [DispatchRequest::new(&order, Some(&tracking), at(TO))];
        let error =
            error_of(shop.channel.dispatch().unwrap().dispatch(&Context::new(), &request).await).unwrap();
        assert!(error.outcome_unknown(), "{body}");
        let confirm = shop.channel.confirm().unwrap();
        let error = error_of(confirm.confirm(&Context::new(), &[ConfirmRequest::new(&order)]).await).unwrap();
        assert!(error.outcome_unknown(), "{body}");
    }
}

#[tokio::test]
async fn a_retry_after_is_obeyed_and_without_one_the_account_waits_minutes() {
    let mut shop = Shop::open().await;
    let path = boxes_path("ACCEPT", DAYS.0, DAYS.1, "");
    shop.server
        .mock("GET", path.as_str())
        .with_status(429)
        .with_header("retry-after", "120")
        .expect(1)
        .create_async()
        .await;
    let cx = Context::new().with_budget(std::time::Duration::from_secs(20));
    let query = sales_channels::channel::OrderQuery::window(Window::new(at(FROM), at(TO)));
    let error = shop.channel.orders().fetch(&cx, &query, None).await.unwrap_err();
    assert_eq!(error.retry(), Retry::After(std::time::Duration::from_secs(120)));
    let mut shop = Shop::open().await;
    shop.fails("GET", &path, 403, "<html>Access Denied</html>", 1).await;
    let error = shop.channel.orders().fetch(&cx, &query, None).await.unwrap_err();
    assert_eq!(error.retry(), Retry::After(std::time::Duration::from_secs(600)));
}

#[tokio::test]
async fn a_warning_that_the_limit_is_near_slows_the_account_down() {
    let mut shop = Shop::open().await;
    let path = boxes_path("ACCEPT", DAYS.0, DAYS.1, "");
    shop.server
        .mock("GET", path.as_str())
        .with_header("X-CAG-Warnings", "near")
        .with_body(EMPTY)
        .expect(1)
        .create_async()
        .await;
    let query = sales_channels::channel::OrderQuery::window(Window::new(at(FROM), at(TO)));
    let cx = Context::new().with_budget(std::time::Duration::from_millis(500));
    let page = shop.channel.orders().fetch(&cx, &query, None).await.unwrap();
    let error = shop.channel.orders().fetch(&cx, &query, page.next.as_ref()).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::RateLimited, 0), "nothing was sent");
}

#[tokio::test]
async fn quantities_are_set_one_by_one_and_a_lost_call_is_repeated() {
    let mut shop = Shop::open().await;
    let path = |option: &str, quantity: u32| format!("{STOCK}/vendor-items/{option}/quantities/{quantity}");
    shop.on("PUT", &path("3000000177", 7), sample("update_quantity.response")).await;
    shop.fails("PUT", &path("2", 0), 504, "", 1).await;
    shop.on("PUT", &path("2", 0), r#"{"code":"SUCCESS"}"#).await;
    shop.fails("PUT", &path("3", 5), 400, r#"{"code":"ERROR","message":"유효하지 않은 재고수량입니다."}"#, 1)
        .await;
    shop.fails(
        "PUT",
        &path("4", 5),
        200,
        r#"{"code":"ERROR","message":"삭제된 상품은 변경이 불가능합니다."}"#,
        1,
    )
    .await;
    shop.fails("PUT", &path("5", 5), 400, r#"{"code":"ERROR","message":"5 not found"}"#, 1).await;
    shop.fails("PUT", &path("6", 5), 500, "", 2).await;
    let keys = ["3000000177", "2", "3", "4", "5", "6", ""].map(|option| ListingKey::option("7", option));
    let data = ChannelData::default();
    let quantities = [7, 0, 5, 5, 5, 5, 5];
    let changes: Vec<StockChange<'_>> =
        keys.iter().zip(quantities).map(|(key, quantity)| StockChange::new(key, &data, quantity)).collect();
    let done = shop.channel.stock().unwrap().set_stock(&Context::new(), &changes).await.unwrap();
    assert_eq!(
        words(&done),
        ["done", "done", "refused HTTP 400", "refused ERROR", "refused HTTP 400", "unknown", "refused "]
    );
    assert!(matches!(done[0], Outcome::Done(taken) if taken.quantity == 7));
}

#[tokio::test]
async fn the_quantities_shown_are_read() {
    let mut shop = Shop::open().await;
    let path = |option: &str| format!("{STOCK}/vendor-items/{option}/inventories");
    shop.on("GET", &path("1"), sample("inventories.response")).await;
    shop.fails("GET", &path("2"), 400, r#"{"code":"ERROR","message":"2 not found"}"#, 1).await;
    shop.fails("GET", &path("3"), 200, r#"{"code":"SUCCESS","data":{}}"#, 1).await;
    let keys = ["1", "2", "3", "x"].map(|option| ListingKey::option("7", option));
    let read = shop.channel.stock().unwrap().read_stock(&Context::new(), &keys).await.unwrap();
    assert_eq!(words(&read), ["done", "refused HTTP 400", "not tried", "refused "]);
    assert!(matches!(read[0], Outcome::Done(shown) if shown.quantity == 7));
}

#[tokio::test]
async fn listings_are_products_page_by_page_with_their_options() {
    let mut shop = Shop::open().await;
    let page = |token: &str| format!("{STOCK}/seller-products?vendorId={VENDOR}&maxPerPage=100{token}");
    shop.on("GET", &page(""), sample("seller_products_page.response")).await;
    let last = json!({"code": "SUCCESS", "nextToken": "", "data":
        [{"sellerProductId": 152620911, "sellerProductName": "호떡믹스", "statusName": "승인완료"}]});
    shop.on("GET", &page("&nextToken=2"), last.to_string()).await;
    let product = |id: &str| format!("{STOCK}/seller-products/{id}");
    let detail = json!({"code": "SUCCESS", "data": {"sellerProductId": 239092172, "statusName": "승인완료",
        "items": [{"vendorItemId": 5, "itemName": "빨강 🌿", "externalVendorSku": "R-1"}]}});
    shop.on("GET", &product("239092172"), detail.to_string()).await;
    shop.fails("GET", &product("239092161"), 400, r#"{"code":"ERROR","message":"not found"}"#, 1).await;
    shop.on("GET", &product("152620911"), sample("seller_product_detail.response")).await;
    let (mut listings, mut cursor) = (Vec::new(), None);
    loop {
        let page = shop.channel.listings().unwrap().list(&Context::new(), cursor.as_ref()).await.unwrap();
        listings.extend(page.listings);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    let listed: Vec<(String, Option<&str>, ListingState)> = listings
        .iter()
        .map(|l| (l.key.to_string(), l.sku.as_ref().map(|sku| sku.as_str()), l.state))
        .collect();
    assert_eq!(
        listed,
        [
            ("239092172/5".to_owned(), Some("R-1"), ListingState::OnSale),
            ("239092161".to_owned(), None, ListingState::Unknown),
            ("152620911/3000000177".to_owned(), Some("90726"), ListingState::OnSale),
        ]
    );
    assert_eq!(listings[0].title, "R07 샘플 미니낚시놀이 빨강 🌿");
}

#[tokio::test]
async fn cancel_requests_are_listed_by_box_and_returns_are_none() {
    let mut shop = Shop::open().await;
    let two = receipt("RETURN", "RELEASE_STOP_UNCHECKED", &[("1", 11, 1), ("1", 12, 1), ("2", 11, 1)]);
    let sample: serde_json::Value = serde_json::from_str(&sample("return_requests.v4.response")).unwrap();
    let shipped = &sample["data"][0];
    for (status, answer) in [
        ("RU", two.as_str()),
        ("UC", &two.replace("\"data\":[", &format!("\"data\":[{shipped},"))),
        ("PR", EMPTY),
        ("CC", r#"{"code":200,"data":[{"receiptId":1,"orderId":2,"receiptType":"CANCEL"}],"nextToken":""}"#),
        ("CANCEL", &receipt("CANCEL", "RETURNS_COMPLETED", &[("3", 11, 1)])),
    ] {
        shop.on("GET", &receipts_path(status, "2026-11-02", "2026-11-03"), answer).await;
    }
    let window = Window::new(at("2026-11-02T00:00:00+09:00"), at("2026-11-03T12:00:00+09:00"));
    let (mut requests, mut unreadable, mut cursor) = (Vec::new(), Vec::new(), None);
    let cancellations = shop.channel.cancellations().unwrap();
    loop {
        let page = cancellations.requests(&Context::new(), window, cursor.as_ref()).await.unwrap();
        requests.extend(page.requests);
        unreadable.extend(page.unreadable);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    let found: Vec<(&str, bool, Option<&str>)> =
        requests.iter().map(|r| (r.order.as_str(), r.open, r.id.as_deref())).collect();
    assert_eq!(
        found,
        [("1", true, Some("363667")), ("2", true, Some("363667")), ("3", false, Some("363667"))]
    );
    assert_eq!(requests[0].requested_at, Some(at("2026-11-02T22:52:42+09:00")));
    assert_eq!(requests[0].reason.reveal(), "고객변심");
    assert!(unreadable[0].raw.reveal().contains("CANCEL") && unreadable.len() == 1);
}

fn decision<'a>(order: &'a Order, action: CancelAction, memo: Option<&'a str>) -> CancelDecision<'a> {
    CancelDecision { order, action, reason: CancelReason::OutOfStock, memo }
}

/// Open requests on box 1 under both words, as a request after the confirmation shows; the call to answer it.
async fn with_request(shop: &mut Shop, items: &[(&str, u64, u32)]) {
    for status in ["RU", "UC"] {
        let answer = receipt("RETURN", "RELEASE_STOP_UNCHECKED", items);
        shop.on("GET", &receipts_path(status, "2026-11-02", "2026-11-03"), answer).await;
    }
}

fn act_path(act: &str) -> String {
    format!("{API}/v4/vendors/{VENDOR}/returnRequests/363667/{act}")
}

#[tokio::test]
async fn a_request_is_accepted_once_with_its_own_number_of_pieces() {
    let mut shop = Shop::open().await;
    with_request(&mut shop, &[("1", 11, 2), ("1", 12, 1)]).await;
    let body = json!({"vendorId": VENDOR, "receiptId": 363667, "cancelCount": 3});
    let call =
        shop.on_json("PUT", &act_path("stoppedShipment"), body, sample("stopped_shipment.response")).await;
    let order = known("1", "INSTRUCT");
    let cancellations = shop.channel.cancellations().unwrap();
    let done = cancellations.decide(&Context::new(), &[decision(&order, CancelAction::Accept, None)]).await;
    assert_eq!(words(&done.unwrap()), ["done"]);
    call.assert_async().await;
}

#[tokio::test]
async fn a_request_is_refused_with_the_parcel_that_has_left() {
    let mut shop = Shop::open().await;
    with_request(&mut shop, &[("1", 11, 2)]).await;
    let body = json!({"vendorId": VENDOR, "receiptId": 363667, "deliveryCompanyCode": "KDEXP", "invoiceNumber": "70432743577"});
    shop.on_json("PUT", &act_path("completedShipment"), body, sample("completed_shipment.response")).await;
    let order = known("1", "INSTRUCT");
    let cancellations = shop.channel.cancellations().unwrap();
    let refuse = decision(&order, CancelAction::Refuse, Some("경동택배 70432743577"));
    assert_eq!(words(&cancellations.decide(&Context::new(), &[refuse]).await.unwrap()), ["done"]);

    let mut shop = Shop::open().await;
    with_request(&mut shop, &[("1", 11, 2)]).await;
    let cancellations = shop.channel.cancellations().unwrap();
    let refuse = decision(&order, CancelAction::Refuse, None);
    assert_eq!(
        words(&cancellations.decide(&Context::new(), &[refuse]).await.unwrap()),
        ["refused "],
        "no parcel is known"
    );
}

#[tokio::test]
async fn a_decision_is_sent_only_on_an_open_request_that_covers_this_box_alone() {
    let order = known("1", "INSTRUCT");
    let mut shop = Shop::open().await;
    for status in ["RU", "UC"] {
        shop.on("GET", &receipts_path(status, "2026-11-02", "2026-11-03"), EMPTY).await;
    }
    let accept = [decision(&order, CancelAction::Accept, None)];
    let done = shop.channel.cancellations().unwrap().decide(&Context::new(), &accept).await.unwrap();
    assert_eq!(words(&done), ["refused  reread"], "the buyer took it back");

    let mut shop = Shop::open().await;
    with_request(&mut shop, &[("1", 11, 2), ("2", 11, 1)]).await;
    let done = shop.channel.cancellations().unwrap().decide(&Context::new(), &accept).await.unwrap();
    assert_eq!(words(&done), ["refused "], "it would cancel another order too");
}

#[tokio::test]
async fn a_decision_whose_answer_is_lost_is_unknown_and_not_repeated() {
    let order = known("1", "INSTRUCT");
    for (status, body) in
        [(504, ""), (200, r#"{"code":"200","data":{}}"#), (200, "<html>"), (200, r#"{"code":"200"}"#)]
    {
        let mut shop = Shop::open().await;
        with_request(&mut shop, &[("1", 11, 2)]).await;
        let call = shop.fails("PUT", &act_path("stoppedShipment"), status, body, 1).await;
        let accept = [decision(&order, CancelAction::Accept, None)];
        let error =
            error_of(shop.channel.cancellations().unwrap().decide(&Context::new(), &accept).await).unwrap();
        assert!(error.outcome_unknown(), "{status} {body}");
        call.assert_async().await;
    }
    let mut shop = Shop::open().await;
    with_request(&mut shop, &[("1", 11, 2)]).await;
    let fail = r#"{"code":"200","data":{"resultCode":"FAIL","resultMessage":"이미 처리되었습니다"}}"#;
    shop.on("PUT", &act_path("stoppedShipment"), fail).await;
    let accept = [decision(&order, CancelAction::Accept, None)];
    let done = shop.channel.cancellations().unwrap().decide(&Context::new(), &accept).await.unwrap();
    assert_eq!(words(&done), ["refused FAIL reread"]);
}

#[tokio::test]
async fn a_seller_cancels_what_is_outstanding_and_never_twice() {
    let path = format!("{API}/v5/vendors/{VENDOR}/orders/500/cancel");
    let body = json!({"orderId": 500, "vendorItemIds": [11, 12], "receiptCounts": [2, 1], "bigCancelCode": "CANERR",
        "middleCancelCode": "CCTTER", "userId": "wing_login", "vendorId": VENDOR});
    let order = known("1", "ACCEPT");
    let cancel = [decision(&order, CancelAction::CancelBySeller, None)];
    let mut shop = Shop::open().await;
    let ok = json!({"code": "200", "data": {"receiptMap": {"9": {"receiptId": 9, "receiptType": "CANCEL",
        "vendorItemIds": [11, 12], "totalCount": 3}}, "orderId": 500, "failedVendorItemIds": []}});
    shop.on_json("POST", &path, body, ok.to_string()).await;
    let cancellations = shop.channel.cancellations().unwrap();
    assert_eq!(words(&cancellations.decide(&Context::new(), &cancel).await.unwrap()), ["done"]);
    assert_eq!(
        cancellations.actions(),
        [CancelAction::Accept, CancelAction::Refuse, CancelAction::CancelBySeller]
    );
    let mut shop = Shop::open().await;
    let lost = shop.fails("POST", &path, 500, "", 1).await;
    let error =
        error_of(shop.channel.cancellations().unwrap().decide(&Context::new(), &cancel).await).unwrap();
    assert!(error.outcome_unknown());
    lost.assert_async().await;
}

#[tokio::test]
async fn new_keys_are_used_once_the_channel_has_accepted_them() {
    let mut shop = Shop::open().await;
    let path = format!(
        "{API}/v5/vendors/{VENDOR}/ordersheets?createdAtFrom=2026-11-03%2B09:00&createdAtTo=2026-11-03%2B09:00&maxPerPage=1&status=ACCEPT"
    );
    let with = |access: &str, status: usize, server: &mut mockito::ServerGuard| {
        server
            .mock("GET", path.as_str())
            .match_header("authorization", Matcher::Regex(format!("access-key={access},")))
            .with_status(status)
            .with_body(if status == 200 { EMPTY } else { r#"{"message":"Invalid signature"}"# })
            .create()
    };
    let renewal = shop.channel.credentials().unwrap();
    let new = |access: &str| credentials().with(ACCESS_KEY, access).with(SECRET_KEY, "new");
    let bad = with("bad", 401, &mut shop.server).expect(2);
    let error = renewal.replace(&Context::new(), &new("bad")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert_eq!(renewal.current().await.get(ACCESS_KEY).unwrap().expose(), ACCESS, "the old ones stay in use");
    bad.assert_async().await;

    let fresh = with("fresh", 200, &mut shop.server).expect(1);
    renewal.replace(&Context::new(), &new(" fresh\n")).await.unwrap();
    fresh.assert_async().await;
    assert_eq!(renewal.current().await.get(SECRET_KEY).unwrap().expose(), "new");
    assert_eq!(renewal.expiry(&Context::new()).await.unwrap(), None, "no call tells it");
    assert_eq!(renewal.parts().len(), 4);
    assert!(renewal.replace(&Context::new(), &Credentials::new()).await.is_err());
}

#[tokio::test]
async fn a_key_whose_days_are_over_says_so() {
    let mut server = mockito::Server::new_async().await;
    server.mock("GET", Matcher::Any).with_status(401).expect(1).create_async().await;
    let ended = credentials().expiring(at("2026-11-03T00:00:00+09:00"));
    let channel =
        Coupang::new(&client(), "shop-1", &ended, at_server(Config::korea().unwrap(), &server)).unwrap();
    let error = channel.test(&Context::new()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CredentialExpired);
    assert!(error.to_string().contains("180 days"), "{error}");
}

#[tokio::test]
async fn the_connection_test_names_what_the_key_allows() {
    let orders = format!(
        "{API}/v5/vendors/{VENDOR}/ordersheets?createdAtFrom=2026-11-03%2B09:00&createdAtTo=2026-11-03%2B09:00&maxPerPage=1&status=ACCEPT"
    );
    let products = format!("{STOCK}/seller-products?vendorId={VENDOR}&maxPerPage=1");
    let mut shop = Shop::open().await;
    shop.on("GET", &orders, EMPTY).await;
    shop.fails("GET", &products, 403, r#"{"code":"ERROR","message":"no product API"}"#, 1).await;
    let report = shop.channel.test(&Context::new()).await.unwrap();
    for (capability, check) in &report.capabilities {
        match (capability.as_str(), check) {
            ("fetch orders", CapabilityCheck::Allowed) => {}
            ("list listings", CapabilityCheck::Denied { reason }) => {
                assert!(reason.contains("no product API"))
            }
            (name, CapabilityCheck::Assumed) => assert!(name != "fetch orders" && name != "list listings"),
            other => panic!("{other:?}"),
        }
    }

    // The IP address is not registered: one call, and everything is denied for it.
    let mut shop = Shop::open().await;
    shop.fails("GET", &orders, 403, &sample("error_403_ip.response"), 1).await;
    let report = shop.channel.test(&Context::new()).await.unwrap();
    let told = |check: &CapabilityCheck| matches!(check, CapabilityCheck::Denied { reason } if reason.contains("203.0.113.10"));
    assert!(report.capabilities.iter().all(|(_, check)| told(check)), "{report:?}");
}

#[tokio::test]
async fn neither_secrets_nor_personal_data_get_into_debug_or_errors() {
    let mut shop = Shop::open().await;
    let bad = with(boxed("5", "ACCEPT"), json!({"orderItems": []}));
    shop.on("GET", &boxes_path("ACCEPT", DAYS.0, DAYS.1, ""), answer(&[boxed(BOX, "ACCEPT"), bad])).await;
    shop.on("GET", &boxes_path("INSTRUCT", DAYS.0, DAYS.1, ""), EMPTY).await;
    shop.no_receipts(1).await;
    let rows = shop.fetch(FROM, TO).await.unwrap();
    assert_eq!(rows.len(), 2);
    let shown = format!("{rows:?} {:?} {:?}", shop.channel, Opening::new(&client(), "a", credentials()));
    for secret in [ACCESS, SECRET, "wing_login", "김가나", "가짜동", "05500", "문 앞"] {
        assert!(!shown.contains(secret), "{secret}");
    }
    let cut = single(&boxed(BOX, "ACCEPT"));
    let cut = cut[..cut.rfind("05500").unwrap()].to_owned();
    shop.fails("GET", &box_path(BOX), 200, &cut, 2).await;
    let Outcome::NotTried(error) = shop.read(&known(BOX, "ACCEPT")).await else { panic!() };
    let text = format!("{error} {error:?}");
    assert!(!text.contains("김가나") && !text.contains(SECRET), "{text}");

    let mut shop = Shop::open().await;
    let body = format!(r#"{{"code":"ERROR","message":"key {ACCESS} is wrong"}}"#);
    shop.fails("GET", &boxes_path("ACCEPT", DAYS.0, DAYS.1, ""), 401, &body, 2).await;
    let error = shop.fetch(FROM, TO).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains(ACCESS));
}

#[tokio::test]
async fn the_keys_are_in_the_header_and_nowhere_else() {
    let mut shop = Shop::open().await;
    let calls = shop
        .server
        .mock("GET", Matcher::Any)
        .match_request(|request| {
            let address = request.path_and_query();
            !address.contains(ACCESS) && !address.contains(SECRET) && is_signed(request)
        })
        .with_body(EMPTY)
        .expect(2)
        .create_async()
        .await;
    shop.fetch(FROM, TO).await.unwrap();
    calls.assert_async().await;
}

#[tokio::test]
async fn each_attempt_is_signed_anew() {
    let mut server = mockito::Server::new_async().await;
    let clock = Arc::new(ManualClock::at(at("2026-11-03T12:00:00+09:00")));
    let mut settings = sales_channels::http::HttpSettings::default();
    settings.max_attempts = 2;
    settings.base_pause = std::time::Duration::from_millis(1);
    let client = sales_channels::http::HttpClient::new(settings).unwrap().with_clock(clock.clone());
    let channel =
        Coupang::new(&client, "shop-1", &credentials(), at_server(Config::korea().unwrap(), &server))
            .unwrap();
    let late = server
        .mock("GET", Matcher::Any)
        .match_header("authorization", Matcher::Regex("signed-date=261103T030000Z,".into()))
        .with_status(401)
        .with_body_from_request(move |_| {
            clock.set(at("2026-11-03T12:00:05+09:00"));
            br#"{"code":"ERROR","message":"Specified signature is expired."}"#.to_vec()
        })
        .expect(1)
        .create_async()
        .await;
    let fresh = server
        .mock("GET", Matcher::Any)
        .match_header("authorization", Matcher::Regex("signed-date=261103T030005Z,".into()))
        .with_body(EMPTY)
        .expect(1)
        .create_async()
        .await;
    let query = sales_channels::channel::OrderQuery::window(Window::new(at(FROM), at(TO)));
    channel.orders().fetch(&Context::new(), &query, None).await.unwrap();
    late.assert_async().await;
    fresh.assert_async().await;
}

#[tokio::test]
async fn the_registry_opens_an_account_at_a_given_address() {
    let mut server = mockito::Server::new_async().await;
    let adapter = adapters::find("coupang").unwrap();
    assert_eq!((adapter.feature, adapter.parts.len()), ("coupang", 4));
    let calls = server
        .mock("GET", Matcher::Regex(format!("^/sub{API}/v5/")))
        .match_request(is_signed)
        .with_body(EMPTY)
        .expect(1)
        .create_async()
        .await;
    let opening = Opening::new(&client(), "shop-1", credentials())
        .at(format!("{}/sub/", server.url()).parse().unwrap());
    let channel = (adapter.open)(&opening).unwrap();
    let query = sales_channels::channel::OrderQuery::window(Window::new(at(FROM), at(TO)));
    channel.orders().fetch(&Context::new(), &query, None).await.unwrap();
    calls.assert_async().await;
    for lacking in [Credentials::new(), credentials().with(VENDOR_ID, "A/1")] {
        let error = (adapter.open)(&Opening::new(&client(), "shop-1", lacking)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }
}

#[tokio::test]
async fn taiwan_has_its_own_market_zone_and_currency() {
    let mut shop = Shop::of(Config::taiwan().unwrap()).await;
    let path = format!(
        "{API}/v5/vendors/{VENDOR}/ordersheets?createdAtFrom=2026-10-26%2B08:00&createdAtTo=2026-11-02%2B08:00&maxPerPage=50&status=ACCEPT"
    );
    let fields = json!({"orderedAt": "2026-11-02T10:20:16+08:00", "shippingPrice": {"currencyCode": "TWD", "units": 60, "nanos": 0}});
    let list = shop
        .server
        .mock("GET", path.as_str())
        .match_header("x-market", "TW")
        .with_body(answer(&[with(boxed(BOX, "ACCEPT"), fields)]))
        .create_async()
        .await;
    let receipts = Matcher::Regex("/returnRequests\\?".into());
    shop.server.mock("GET", receipts).with_body(EMPTY).expect(5).create_async().await;
    let page = shop.page("2026-11-02T09:00:00+08:00", "2026-11-02T11:00:00+08:00", None).await.unwrap();
    let order = page.rows[0].order().unwrap();
    assert_eq!(
        (order.totals.shipping.unwrap().to_string().as_str(), order.currency.as_str()),
        ("60 TWD", "TWD")
    );
    assert_eq!(order.destinations[0].recipient.reveal().address.country, "TW");
    list.assert_async().await;
    let known = known("1", "INSTRUCT");
    let decide = [decision(&known, CancelAction::Accept, None)];
    let done = shop.channel.cancellations().unwrap().decide(&Context::new(), &decide).await.unwrap();
    assert_eq!(words(&done), ["refused "]);
    let error = shop
        .channel
        .correct_waybill(&Context::new(), &known, &Tracking::new("CJGLS", "1"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}
