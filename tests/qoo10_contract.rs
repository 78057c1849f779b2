//! Whole calls of the Qoo10 adapter: what is sent, byte for byte, and what becomes of each answer.
#![cfg(feature = "qoo10")]
#![allow(clippy::unwrap_used)] // tests

mod qoo10;

use chrono::Utc;
use mockito::Matcher;
use qoo10::*;
use sales_channels::adapters::qoo10::{CERTIFICATION_KEY, Config, Qoo10, create_certification_key};
use sales_channels::adapters::{self, Opening};
use sales_channels::channel::{
    CancelAction, CancelDecision, CancelReason, CapabilityCheck, Channel, ConfirmRequest, Context,
    Credentials, DispatchRequest, Outcome, Repeat, Row, StockChange, Tracking,
};
use sales_channels::model::{CancelState, ChannelData, Currency, ListingKey, Order, OrderStatus, Window};
use sales_channels::{ErrorKind, Retry};

const FROM: &str = "2026-11-20T09:00:00+09:00";
const TO: &str = "2026-11-20T10:00:00+09:00";

fn orders(rows: &[Row]) -> Vec<(&str, OrderStatus, CancelState)> {
    rows.iter().filter_map(Row::order).map(|o| (o.id.as_str(), o.status, o.cancel)).collect()
}

#[tokio::test]
async fn a_window_is_two_searches_and_the_claims_on_what_they_found() {
    let mut shop = Shop::open().await;
    let (from, to) = (("SearchStartDate", "20261120090000"), ("SearchEndDate", "20261120100000"));
    let unpaid = shop
        .answers_to(
            SHIPPING,
            &[("ShippingStatus", "1"), from, to, ("SearchCondition", "1")],
            rows(&[row(9, "1")]),
        )
        .await;
    let paid = shop
        .answers_to(
            SHIPPING,
            &[("ShippingStatus", ""), from, to, ("SearchCondition", "2")],
            sample("get_shipping_info_v3"),
        )
        .await;
    let mut claims = Vec::new();
    for (status, answer) in
        [("1", sample("get_claim_info_v3")), ("2", NONE.into()), ("3", NONE.into()), ("16", NONE.into())]
    {
        let fields = [
            ("ClaimStat", status),
            ("search_Sdate", "20261120000000"),
            ("search_Edate", "20261120235959"),
            ("search_condition", "1"),
        ];
        claims.push(shop.answers_to(CLAIMS, &fields, answer).await);
    }
    let before = Utc::now();
    let page = shop.fetch(FROM, TO).await.unwrap();
    assert_eq!(
        orders(&page),
        [
            ("1062428737", OrderStatus::New, CancelState::None),
            ("1062428738", OrderStatus::New, CancelState::Requested),
            ("9", OrderStatus::PendingPayment, CancelState::None),
        ]
    );
    let read_at = page[0].order().unwrap().updated_at;
    assert!(before <= read_at && read_at <= Utc::now(), "the time at which the request was sent");
    for mock in [unpaid, paid].into_iter().chain(claims) {
        mock.assert_async().await;
    }
}

#[tokio::test]
async fn orders_confirmed_in_the_back_office_and_unpaid_ones_are_seen() {
    let mut shop = Shop::open().await;
    shop.has_only(&rows(&[
        row(1, "1"),
        row(2, "Request shipping(2)"),
        row(3, "Seller confirm(3)"),
        row(4, "?"),
    ]))
    .await;
    let page = shop.fetch(FROM, TO).await.unwrap();
    let statuses: Vec<OrderStatus> = orders(&page).iter().map(|o| o.1).collect();
    assert_eq!(
        statuses,
        [OrderStatus::PendingPayment, OrderStatus::New, OrderStatus::Confirmed, OrderStatus::Unknown]
    );
}

#[tokio::test]
async fn an_order_paid_between_the_two_searches_is_there_once_in_its_newer_state() {
    let mut shop = Shop::open().await;
    shop.on(SHIPPING, Matcher::Regex("ShippingStatus=1&".into()), rows(&[row(1, "1")]), 1).await;
    shop.on(SHIPPING, Matcher::Regex("ShippingStatus=&".into()), rows(&[row(1, "2")]), 1).await;
    shop.on(CLAIMS, Matcher::Any, NONE, 4).await;
    let page = shop.fetch(FROM, TO).await.unwrap();
    assert_eq!(orders(&page), [("1", OrderStatus::New, CancelState::None)]);
}

#[tokio::test]
async fn a_claim_that_moves_on_between_the_searches_is_seen_in_its_later_state() {
    let mut shop = Shop::open().await;
    shop.on(SHIPPING, Matcher::Regex("ShippingStatus=1&".into()), NONE, 1).await;
    shop.on(SHIPPING, Matcher::Regex("ShippingStatus=&".into()), rows(&[row(1, "3")]), 1).await;
    for status in ["1", "3"] {
        let claim = rows(&[format!(r#"{{"orderNo":"1","claimStatus":"{status}"}}"#)]);
        shop.on(CLAIMS, Matcher::Regex(format!("ClaimStat={status}&")), claim, 1).await;
    }
    shop.on(CLAIMS, Matcher::Regex("ClaimStat=(2|16)&".into()), NONE, 2).await;
    let page = shop.fetch(FROM, TO).await.unwrap();
    assert_eq!(orders(&page), [("1", OrderStatus::Cancelled, CancelState::None)]);
}

#[tokio::test]
async fn a_window_without_orders_asks_for_no_claims() {
    let mut shop = Shop::open().await;
    let searches = shop.on(SHIPPING, Matcher::Any, r#"{"ResultCode":"0","ResultObject":null}"#, 2).await;
    let claims = shop.on(CLAIMS, Matcher::Any, NONE, 0).await;
    assert!(shop.fetch(FROM, TO).await.unwrap().is_empty());
    searches.assert_async().await;
    claims.assert_async().await;
}

#[tokio::test]
async fn claims_that_cannot_be_read_fail_the_window_rather_than_pass_for_none() {
    let mut shop = Shop::open().await;
    shop.on(SHIPPING, Matcher::Any, rows(&[row(1, "2")]), 2).await;
    shop.fails(CLAIMS, 500, "down", 2).await;
    assert_eq!(shop.fetch(FROM, TO).await.unwrap_err().kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn a_claim_without_order_number_is_reported_and_spoils_nothing() {
    let mut shop = Shop::open().await;
    shop.on(SHIPPING, Matcher::Regex("ShippingStatus=1&".into()), NONE, 1).await;
    shop.on(SHIPPING, Matcher::Regex("ShippingStatus=&".into()), rows(&[row(1, "2")]), 1).await;
    shop.on(CLAIMS, Matcher::Regex("ClaimStat=1&".into()), rows(&[r#"{"claimStatus":"1"}"#.into()]), 1).await;
    shop.on(CLAIMS, Matcher::Regex("ClaimStat=(2|3|16)&".into()), NONE, 3).await;
    let page = shop.fetch(FROM, TO).await.unwrap();
    let [Row::Order(_), Row::Unreadable(bad)] = page.as_slice() else { panic!("{page:?}") };
    assert_eq!(bad.raw.reveal(), r#"{"claimStatus":"1"}"#);
}

#[tokio::test]
async fn a_window_over_a_day_is_fetched_page_by_page() {
    let mut shop = Shop::open().await;
    let mut mocks = Vec::new();
    for (from, to) in [("20261118000000", "20261119000000"), ("20261119000000", "20261119120000")] {
        for (status, condition) in [("1", "1"), ("", "2")] {
            let fields = [
                ("ShippingStatus", status),
                ("SearchStartDate", from),
                ("SearchEndDate", to),
                ("SearchCondition", condition),
            ];
            mocks.push(shop.answers_to(SHIPPING, &fields, NONE).await);
        }
    }
    shop.fetch("2026-11-18T00:00:00+09:00", "2026-11-19T12:00:00+09:00").await.unwrap();
    for mock in mocks {
        mock.assert_async().await;
    }
}

#[tokio::test]
async fn an_answer_with_very_many_rows_is_asked_for_again_in_halves() {
    let mut shop = Shop::open().await;
    let many: Vec<String> = (1..=501).map(|n| row(n, "2")).collect();
    shop.on(SHIPPING, Matcher::Regex("ShippingStatus=1&".into()), NONE, 3).await;
    let span = |from: &str, to: &str| {
        Matcher::Regex(format!("ShippingStatus=&SearchStartDate=20261120{from}&SearchEndDate=20261120{to}&"))
    };
    let whole = shop.on(SHIPPING, span("090000", "100000"), rows(&many), 1).await;
    let first = shop.on(SHIPPING, span("090000", "093000"), rows(&many[..300]), 1).await;
    let second = shop.on(SHIPPING, span("093000", "100000"), rows(&many[299..]), 1).await;
    shop.on(CLAIMS, Matcher::Any, NONE, 8).await;
    let page = shop.fetch(FROM, TO).await.unwrap();
    let mut ids: Vec<&str> = orders(&page).iter().map(|o| o.0).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 501, "none is missing");
    for mock in [whole, first, second] {
        mock.assert_async().await;
    }
}

#[tokio::test]
async fn an_answer_beyond_the_size_limit_is_asked_for_again_in_halves() {
    let mut server = mockito::Server::new_async().await;
    let mut settings = sales_channels::http::HttpSettings::default();
    settings.max_response_bytes = 1000;
    let client = sales_channels::http::HttpClient::new(settings).unwrap();
    let credentials = Credentials::new().with(CERTIFICATION_KEY, KEY);
    let channel = Qoo10::new(&client, "shop-1", &credentials, config(&server)).unwrap();
    let path = format!("{PATH}/{SHIPPING}");
    let mut on = async |form: &str, body: String, times| {
        let form = Matcher::Regex(form.into());
        server.mock("POST", path.as_str()).match_body(form).with_body(body).expect(times).create_async().await
    };
    let whole = on("SearchEndDate=20261120100000", " ".repeat(2000), 1).await;
    let halves = on("SearchEndDate=20261120093000", NONE.into(), 2).await;
    let query = sales_channels::channel::OrderQuery::window(Window::new(at(FROM), at(TO)));
    let page = channel.orders().fetch(&Context::new(), &query, None).await.unwrap();
    assert!(page.rows.is_empty() && page.next.is_some());
    whole.assert_async().await;
    halves.assert_async().await;
}

#[tokio::test]
async fn a_cursor_of_something_else_is_refused() {
    let shop = Shop::open().await;
    let query = sales_channels::channel::OrderQuery::window(Window::new(at(FROM), at(TO)));
    let cursor = sales_channels::channel::PageCursor::new("7");
    let error = shop.channel.orders().fetch(&Context::new(), &query, Some(&cursor)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    let cancellations = shop.channel.cancellations().unwrap();
    for cursor in ["", "7", "x/", "0/x"] {
        let cursor = sales_channels::channel::PageCursor::new(cursor);
        let window = Window::new(at(FROM), at(TO));
        let error = cancellations.requests(&Context::new(), window, Some(&cursor)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }
    let cursor = sales_channels::channel::PageCursor::new("{}");
    let error = shop.channel.listings().unwrap().list(&Context::new(), Some(&cursor)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

fn single(number: &str, fields: &str) -> String {
    format!(
        r#"{{"ResultCode":0,"ResultObject":[{{"orderNo":{number},"orderDate":"2026-11-20 09:12:33","itemCode":"7","orderQty":2{fields}}}]}}"#
    )
}

#[tokio::test]
async fn orders_are_read_one_by_one_and_one_that_fails_leaves_the_others_alone() {
    let mut shop = Shop::open().await;
    let known: Vec<Order> = ["11", "12", "13", "14"].map(|n| known(n, OrderStatus::New)).to_vec();
    // A claim made after the order's window was fetched.
    shop.answers_to(ORDER, &[("OrderNo", "11")], single("11", r#","shippingStatus":"3","claimStatus":"1""#))
        .await;
    shop.on(ORDER, Matcher::Exact(form(&[("OrderNo", "12")])), "<html>busy</html>", 2).await;
    shop.answers_to(ORDER, &[("OrderNo", "13")], NONE).await;
    shop.answers_to(ORDER, &[("OrderNo", "14")], single("14", r#","shippingStatus":"4","trackingNo":"A1""#))
        .await;
    let known: Vec<&Order> = known.iter().collect();
    let read = shop.channel.orders().read(&Context::new(), &known).await.unwrap();
    assert_eq!(words(&read), ["done", "not tried", "refused ", "done"]);
    let Outcome::Done(claimed) = &read[0] else { panic!() };
    assert_eq!((claimed.status, claimed.cancel), (OrderStatus::Confirmed, CancelState::Requested));
    let Outcome::Done(shipped) = &read[3] else { panic!() };
    assert_eq!((shipped.status, shipped.tracking[0].number.as_str()), (OrderStatus::Shipped, "A1"));
}

#[tokio::test]
async fn a_read_that_fails_is_never_a_refusal_whatever_the_channel_answers() {
    // A refusal would make the hub forget an order that it watches.
    let answers = [
        (200, r#"{"ResultCode":-10001,"ResultMsg":"x"}"#),
        (200, r#"{"ResultCode":-10101,"ResultMsg":"x"}"#),
        (200, r#"{"ResultCode":-4711,"ResultMsg":"x"}"#),
        (200, r#"{"ResultCode":-90003,"ResultMsg":"x"}"#),
        (200, "{}"),
        (400, ""),
        (404, ""),
        (409, ""),
        (410, ""),
        (500, ""),
    ];
    for (status, body) in answers {
        let mut shop = Shop::open().await;
        shop.fails(ORDER, status, body, 1).await;
        let known = known("11", OrderStatus::PendingPayment);
        let outcome = match shop.channel.orders().read(&Context::new(), &[&known]).await {
            Ok(outcomes) => outcomes.into_iter().next().unwrap(),
            Err(error) => Outcome::from_error(&error),
        };
        assert_eq!(word(&outcome), "not tried", "{status} {body}");
    }
}

#[tokio::test]
async fn reading_stops_at_the_first_answer_that_refuses_the_key() {
    let mut shop = Shop::open().await;
    let refusals = shop.on(ORDER, Matcher::Any, sample("error_key_expired"), 4).await.expect_at_most(4);
    let mut known: Vec<Order> = (0..50).map(|n| known(&format!("{n}"), OrderStatus::New)).collect();
    // Each of a day of its own: none is busy enough for a search.
    for (day, order) in known.iter_mut().enumerate() {
        order.ordered_at -= chrono::TimeDelta::days(day as i64);
        order.paid_at = None;
    }
    let known: Vec<&Order> = known.iter().collect();
    let error = shop.channel.orders().read(&Context::new(), &known).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CredentialExpired);
    refusals.assert_async().await;
}

fn dates(orders: &[Order]) -> Vec<ConfirmRequest<'_>> {
    orders.iter().map(|o| ConfirmRequest::new(o).with_ship_date("2026-11-24".parse().unwrap())).collect()
}

#[tokio::test]
async fn confirming_with_a_ship_date_is_one_bulk_call() {
    let mut shop = Shop::open().await;
    let json = r#"[{"OrderNo":"1062428737","EstShipDt":"20261124","DelayType":"","DelayMemo":""},{"OrderNo":"1062428738","EstShipDt":"20261124","DelayType":"","DelayMemo":""},{"OrderNo":"3","EstShipDt":"20261124","DelayType":"","DelayMemo":""}]"#;
    let call =
        shop.answers_to(CONFIRM_MANY, &[("SendPlanDtInfoJson", json)], sample("set_seller_check_bulk")).await;
    let orders: Vec<Order> = ["1062428737", "1062428738", "3"].map(|n| known(n, OrderStatus::New)).to_vec();
    let confirm = shop.channel.confirm().unwrap();
    let done = confirm.confirm(&Context::new(), &dates(&orders)).await.unwrap();
    assert_eq!(words(&done), ["done", "already", "unknown"]);
    assert_eq!(confirm.repeat(), Repeat::Safe);
    call.assert_async().await;
}

#[tokio::test]
async fn refusals_of_a_confirmation_are_each_orders_own() {
    let mut shop = Shop::open().await;
    let codes = [0, -10012, -10013, -10016, -10017, -10018, -10101, -1];
    let answers: Vec<String> = codes
        .iter()
        .enumerate()
        .rev()
        .map(|(n, code)| {
            format!(r#"{{"cont_no":"{n}","result_cd":"{code}","ResultCode":{code},"ResultMsg":"m"}}"#)
        })
        .collect();
    shop.answers(CONFIRM_MANY, rows(&answers)).await;
    let orders: Vec<Order> = (0..codes.len()).map(|n| known(&n.to_string(), OrderStatus::New)).collect();
    let done = shop.channel.confirm().unwrap().confirm(&Context::new(), &dates(&orders)).await.unwrap();
    assert_eq!(
        words(&done),
        [
            "done",
            "already",
            "refused -10013 reread",
            "refused -10016",
            "refused -10017",
            "refused -10018",
            "refused -10101 reread",
            "refused -1 reread"
        ]
    );
}

#[tokio::test]
async fn confirming_without_a_ship_date_is_a_call_for_each_order() {
    let mut shop = Shop::open().await;
    let mut calls = Vec::new();
    for (number, answer) in [
        ("1", OK.to_owned()),
        ("2", r#"{"ResultCode":"-10012","ResultMsg":"already"}"#.to_owned()),
        ("3", r#"{"ResultCode":-10013,"ResultMsg":"no"}"#.to_owned()),
    ] {
        calls.push(shop.answers_to(CONFIRM_ONE, &[("OrderNo", number)], answer).await);
    }
    let orders: Vec<Order> = ["1", "2", "3"].map(|n| known(n, OrderStatus::New)).to_vec();
    let requests: Vec<ConfirmRequest<'_>> = orders.iter().map(ConfirmRequest::new).collect();
    let done = shop.channel.confirm().unwrap().confirm(&Context::new(), &requests).await.unwrap();
    assert_eq!(words(&done), ["done", "already", "refused -10013 reread"]);
    for call in calls {
        call.assert_async().await;
    }
}

#[tokio::test]
async fn orders_with_and_without_a_ship_date_keep_their_places() {
    let mut shop = Shop::open().await;
    shop.answers(CONFIRM_MANY, rows(&[r#"{"cont_no":2,"result_cd":-10017}"#.into()])).await;
    shop.on(CONFIRM_ONE, Matcher::Any, OK, 2).await;
    let orders: Vec<Order> = ["1", "2", "3"].map(|n| known(n, OrderStatus::New)).to_vec();
    let mut requests: Vec<ConfirmRequest<'_>> = orders.iter().map(ConfirmRequest::new).collect();
    requests[1] = requests[1].with_ship_date("2026-11-24".parse().unwrap());
    let done = shop.channel.confirm().unwrap().confirm(&Context::new(), &requests).await.unwrap();
    assert_eq!(words(&done), ["done", "refused -10017", "done"]);
}

#[tokio::test]
async fn one_order_that_spoils_the_bulk_call_does_not_block_the_others() {
    let mut shop = Shop::open().await;
    shop.answers(CONFIRM_MANY, r#"{"ResultCode":-10101,"ResultMsg":"processing error"}"#).await;
    shop.answers_to(CONFIRM_ONE, &[("OrderNo", "1"), ("EstShipDt", "20261124")], OK).await;
    shop.answers_to(
        CONFIRM_ONE,
        &[("OrderNo", "2"), ("EstShipDt", "20261124")],
        r#"{"ResultCode":-10101,"ResultMsg":"x"}"#,
    )
    .await;
    let orders: Vec<Order> = ["1", "2"].map(|n| known(n, OrderStatus::New)).to_vec();
    let done = shop.channel.confirm().unwrap().confirm(&Context::new(), &dates(&orders)).await.unwrap();
    assert_eq!(words(&done), ["done", "refused -10101 reread"]);
}

#[tokio::test]
async fn more_than_five_hundred_confirmations_are_several_calls() {
    let mut shop = Shop::open().await;
    let answer = rows(&(0..501).map(|n| format!(r#"{{"cont_no":{n},"result_cd":0}}"#)).collect::<Vec<_>>());
    let calls = shop.on(CONFIRM_MANY, Matcher::Any, answer, 2).await;
    let orders: Vec<Order> = (0..501).map(|n| known(&n.to_string(), OrderStatus::New)).collect();
    let done = shop.channel.confirm().unwrap().confirm(&Context::new(), &dates(&orders)).await.unwrap();
    assert!(done.len() == 501 && done.iter().all(Outcome::is_done));
    calls.assert_async().await;
}

#[tokio::test]
async fn a_lost_confirmation_is_repeated_and_found_done() {
    let mut shop = Shop::open().await;
    // mockito answers in order of creation: first the cut answer, then the channel's "already".
    shop.fails(CONFIRM_ONE, 502, "<html>bad gateway</html>", 1).await;
    shop.answers(CONFIRM_ONE, r#"{"ResultCode":-10012,"ResultMsg":"already"}"#).await;
    let order = known("1", OrderStatus::New);
    let done = shop.channel.confirm().unwrap().confirm(&Context::new(), &[ConfirmRequest::new(&order)]).await;
    assert_eq!(words(&done.unwrap()), ["already"]);
}

#[tokio::test]
async fn parcels_go_in_one_bulk_call_and_each_has_its_outcome() {
    let mut shop = Shop::open().await;
    let json = r#"[{"OrderNo":"1","ShippingCorp":"ヤマト運輸","TrackingNo":"4567-1"},{"OrderNo":"2","ShippingCorp":"福山通運","TrackingNo":"4567-2"},{"OrderNo":"3","ShippingCorp":"Qxpress","TrackingNo":"4567-3"}]"#;
    let answer = rows(&[
        r#"{"contr_no":2,"result_cd":-10013,"transc_nm":"x","ResultCode":-10013,"ResultMsg":"wrong state"}"#
            .into(),
        r#"{"contr_no":"1","result_cd":"0","transc_nm":"ヤマト運輸","ResultCode":"0","ResultMsg":"SUCCESS"}"#
            .into(),
    ]);
    let call = shop.answers_to(SEND_MANY, &[("ShippingInfoJson", json)], answer).await;
    let orders: Vec<Order> = ["1", "2", "3", "4"].map(|n| known(n, OrderStatus::Confirmed)).to_vec();
    let tracking = [
        Tracking::new("Yamato", "4567-1"),
        Tracking::new("福山通運", "4567-2"),
        Tracking::new("qxpress", "4567-3"),
    ];
    let mut requests: Vec<DispatchRequest<'_>> = orders
        .iter()
        .zip(&tracking)
        .map(|(order, tracking)| DispatchRequest::new(order, Some(tracking), Utc::now()))
        .collect();
    requests.push(DispatchRequest::new(&orders[3], None, Utc::now()));
    // A second parcel of the first order would be the same row again.
    requests.push(DispatchRequest::new(&orders[0], Some(&tracking[1]), Utc::now()));
    let dispatch = shop.channel.dispatch().unwrap();
    let done = dispatch.dispatch(&Context::new(), &requests).await.unwrap();
    assert_eq!(words(&done), ["done", "refused -10013 reread", "unknown", "refused ", "not tried"]);
    assert_eq!((dispatch.repeat(), dispatch.hand_over_methods().len()), (Repeat::ReadFirst, 0));
    call.assert_async().await;
}

#[tokio::test]
async fn done_without_a_word_about_the_parcels_is_not_done() {
    let mut shop = Shop::open().await;
    shop.answers(SEND_MANY, sample("set_sending_info")).await;
    let (order, tracking) = (known("1", OrderStatus::Confirmed), Tracking::new("x", "1"));
    let requests = [DispatchRequest::new(&order, Some(&tracking), Utc::now())];
    let done = shop.channel.dispatch().unwrap().dispatch(&Context::new(), &requests).await.unwrap();
    assert_eq!(words(&done), ["unknown"]);
}

#[tokio::test]
async fn nothing_is_sent_where_no_parcel_can_be() {
    let mut shop = Shop::open().await;
    let call = shop.on(SEND_MANY, Matcher::Any, OK, 0).await;
    let order = known("1", OrderStatus::Confirmed);
    let requests = [DispatchRequest::new(&order, None, Utc::now())];
    let done = shop.channel.dispatch().unwrap().dispatch(&Context::new(), &requests).await.unwrap();
    assert_eq!(words(&done), ["refused "]);
    call.assert_async().await;
}

/// Status, body, kind, retry, whether a write may have been made.
const LADDER: &[(usize, &str, ErrorKind, Retry, bool)] = &[
    (200, "", ErrorKind::MalformedResponse, Retry::Later, true),
    (200, "<html>maintenance</html>", ErrorKind::MalformedResponse, Retry::Later, true),
    (
        200,
        r#"{"ResultCode":0,"ResultObject":[{"cont_no":1,"#,
        ErrorKind::MalformedResponse,
        Retry::Later,
        true,
    ),
    (200, "{}", ErrorKind::MalformedResponse, Retry::Later, true),
    (200, "\u{feff}{}", ErrorKind::MalformedResponse, Retry::Later, true),
    (200, r#"{"ResultCode":-10000,"ResultMsg":"x"}"#, ErrorKind::Unauthorized, Retry::Never, false),
    (200, r#"{"ErrorCode":-90001,"ErrorMsg":"x"}"#, ErrorKind::Configuration, Retry::Never, false),
    (200, r#"{"ResultCode":-90002,"ResultMsg":"x"}"#, ErrorKind::Forbidden, Retry::Never, false),
    (200, r#"{"ResultCode":-90005,"ResultMsg":"x"}"#, ErrorKind::CredentialExpired, Retry::Never, false),
    (302, "", ErrorKind::MalformedResponse, Retry::Never, false),
    (401, "", ErrorKind::Unauthorized, Retry::Never, false),
    (403, "", ErrorKind::Forbidden, Retry::Never, false),
    (404, "<html>404</html>", ErrorKind::Configuration, Retry::Never, false),
    (408, "", ErrorKind::TimedOut, Retry::Later, true),
    (429, "", ErrorKind::RateLimited, Retry::Later, false),
    (500, "<html>error</html>", ErrorKind::Unavailable, Retry::Later, true),
    (502, "<html>bad gateway</html>", ErrorKind::Unavailable, Retry::Later, true),
    (503, "", ErrorKind::Unavailable, Retry::Later, true),
];

#[tokio::test]
async fn every_broken_answer_to_a_fetch_has_its_kind() {
    for (status, body, kind, retry, _) in LADDER {
        let mut shop = Shop::open().await;
        let attempts = if *retry == Retry::Later { 2 } else { 1 };
        let call = shop.fails(SHIPPING, *status, body, attempts).await;
        let error = shop.fetch(FROM, TO).await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (*kind, *retry), "{status} {body}");
        assert!(!error.outcome_unknown());
        assert!(error.to_string().contains("qoo10/shop-1: fetch_orders"), "{error}");
        call.assert_async().await;
    }
}

#[tokio::test]
async fn every_broken_answer_to_a_confirmation_says_whether_it_may_have_been_made() {
    for (status, body, kind, retry, unknown) in LADDER {
        let mut shop = Shop::open().await;
        let attempts = if *retry == Retry::Later { 2 } else { 1 };
        let call = shop.fails(CONFIRM_MANY, *status, body, attempts).await;
        let orders = [known("1", OrderStatus::New)];
        let error =
            shop.channel.confirm().unwrap().confirm(&Context::new(), &dates(&orders)).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.retry(), error.outcome_unknown()),
            (*kind, *retry, *unknown),
            "{status} {body}"
        );
        call.assert_async().await;
    }
}

#[tokio::test]
async fn a_dispatch_that_may_have_been_made_is_never_sent_twice() {
    for (status, body, kind, retry, unknown) in LADDER {
        let mut shop = Shop::open().await;
        let attempts = if *retry == Retry::Later && !unknown { 2 } else { 1 };
        let call = shop.fails(SEND_MANY, *status, body, attempts).await;
        let (order, tracking) = (known("1", OrderStatus::Confirmed), Tracking::new("x", "1"));
        let requests = [DispatchRequest::new(&order, Some(&tracking), Utc::now())];
        let error = shop.channel.dispatch().unwrap().dispatch(&Context::new(), &requests).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.retry(), error.outcome_unknown()),
            (*kind, *retry, *unknown),
            "{status} {body}"
        );
        call.assert_async().await;
    }
}

#[tokio::test]
async fn an_answer_that_is_json_but_of_another_shape_leaves_a_dispatch_unknown() {
    let mut shop = Shop::open().await;
    let call = shop.answers(SEND_MANY, r#"{"ResultCode":0,"ResultObject":"queued"}"#).await;
    let (order, tracking) = (known("1", OrderStatus::Confirmed), Tracking::new("x", "1"));
    let requests = [DispatchRequest::new(&order, Some(&tracking), Utc::now())];
    let error = shop.channel.dispatch().unwrap().dispatch(&Context::new(), &requests).await.unwrap_err();
    assert!(error.outcome_unknown() && error.kind() == ErrorKind::MalformedResponse);
    call.assert_async().await;
}

#[tokio::test]
async fn a_retry_after_is_obeyed() {
    let mut shop = Shop::open().await;
    shop.server
        .mock("POST", format!("{PATH}/{SHIPPING}").as_str())
        .with_status(429)
        .with_header("retry-after", "3600")
        .expect(1)
        .create_async()
        .await;
    let error = shop.fetch(FROM, TO).await.unwrap_err();
    assert_eq!(error.retry_after(), Some(std::time::Duration::from_secs(3600)));
}

const PLAIN: &str = r#"{"ResultCode":0,"ResultObject":[{"ItemNo":"7","ItemTitle":"帽子","SellerCode":"CAP","SellPrice":"2480.0000","ItemQty":"5","ExpireDate":"2027-03-31 00:00:00"}]}"#;

fn set(listing: &ListingKey, quantity: u32) -> StockChange<'_> {
    static NO_DATA: std::sync::LazyLock<ChannelData> = std::sync::LazyLock::new(ChannelData::default);
    StockChange::new(listing, &NO_DATA, quantity)
}

#[tokio::test]
async fn an_item_without_options_keeps_its_price_and_end_of_sale() {
    let mut shop = Shop::open().await;
    let read = shop.answers_to(DETAIL, &[("ItemCode", "7"), ("SellerCode", "")], PLAIN).await;
    let fields = [
        ("ItemCode", "7"),
        ("SellerCode", "CAP"),
        ("Price", "2480"),
        ("Qty", "3"),
        ("ExpireDate", "2027-03-31"),
    ];
    let call = shop.answers_to(SET_ITEM, &fields, OK).await;
    let key = ListingKey::item("7");
    let done = shop.channel.stock().unwrap().set_stock(&Context::new(), &[set(&key, 3)]).await.unwrap();
    let [Outcome::Done(taken)] = done.as_slice() else { panic!("{done:?}") };
    assert_eq!(taken.quantity, 3);
    read.assert_async().await;
    call.assert_async().await;
}

#[tokio::test]
async fn many_items_go_in_bulk_and_those_of_a_failed_bulk_one_by_one() {
    let mut shop = Shop::open().await;
    shop.on(DETAIL, Matcher::Any, PLAIN, 4).await;
    let json = r#"[{"ItemCode":"7","SellerCode":"CAP","Price":"2480","Qty":"0","ExpireDate":"2027-03-31","TaxRate":""},{"ItemCode":"8","SellerCode":"CAP","Price":"2480","Qty":"4","ExpireDate":"2027-03-31","TaxRate":""}]"#;
    let all = shop.answers_to(SET_ITEMS, &[("ItemInfoJson", json)], OK).await;
    let keys = [ListingKey::item("7"), ListingKey::item("8")];
    let changes = [set(&keys[0], 0), set(&keys[1], 4)];
    let stock = shop.channel.stock().unwrap();
    assert_eq!(words(&stock.set_stock(&Context::new(), &changes).await.unwrap()), ["done", "done"]);
    all.assert_async().await;
    all.remove_async().await;

    for failed in
        [r#"{"ResultCode":-1,"ResultObject":[{"Key":"x"}]}"#, r#"{"ResultCode":-10101,"ResultMsg":"x"}"#]
    {
        let mut shop = Shop::open().await;
        shop.on(DETAIL, Matcher::Any, PLAIN, 2).await;
        shop.answers(SET_ITEMS, failed).await;
        shop.on(SET_ITEM, Matcher::Regex("ItemCode=7&".into()), OK, 1).await;
        shop.on(
            SET_ITEM,
            Matcher::Regex("ItemCode=8&".into()),
            r#"{"ResultCode":-10101,"ResultMsg":"sold out"}"#,
            1,
        )
        .await;
        let done = shop.channel.stock().unwrap().set_stock(&Context::new(), &changes).await.unwrap();
        assert_eq!(words(&done), ["done", "refused -10101 reread"]);
    }
}

#[tokio::test]
async fn option_rows_are_found_once_per_item_and_set_by_name_and_value() {
    let mut shop = Shop::open().await;
    let rows = shop
        .answers_to(
            INVENTORY,
            &[("ItemCode", "700100100"), ("SellerCode", "")],
            sample("get_goods_inventory_info"),
        )
        .await;
    let fields = [
        ("ItemCode", "700100100"),
        ("SellerCode", ""),
        ("OptionName", "カラー||*サイズ"),
        ("OptionValue", "赤||*S"),
        ("OptionCode", "TEE-01-RED-S"),
        ("Qty", "9"),
    ];
    let call = shop.answers_to(SET_OPTION, &fields, OK).await;
    let keys =
        [ListingKey::option("700100100", "TEE-01-RED-S"), ListingKey::option("700100100", "TEE-01-BLUE")];
    let changes = [set(&keys[0], 9), set(&keys[1], 1)];
    let done = shop.channel.stock().unwrap().set_stock(&Context::new(), &changes).await.unwrap();
    assert_eq!(words(&done), ["done", "refused "]);
    rows.assert_async().await;
    call.assert_async().await;
}

#[tokio::test]
async fn a_lost_stock_call_is_repeated_because_quantities_are_absolute() {
    let mut shop = Shop::open().await;
    shop.answers(INVENTORY, sample("get_goods_inventory_info")).await;
    shop.fails(SET_OPTION, 500, "", 1).await;
    let second = shop.answers(SET_OPTION, OK).await;
    let key = ListingKey::option("700100100", "TEE-01-RED-S");
    let done = shop.channel.stock().unwrap().set_stock(&Context::new(), &[set(&key, 9)]).await.unwrap();
    assert_eq!(words(&done), ["done"]);
    second.assert_async().await;

    let mut shop = Shop::open().await;
    shop.answers(INVENTORY, sample("get_goods_inventory_info")).await;
    shop.fails(SET_OPTION, 500, "", 2).await;
    let error = shop.channel.stock().unwrap().set_stock(&Context::new(), &[set(&key, 9)]).await.unwrap_err();
    assert!(error.outcome_unknown());
}

#[tokio::test]
async fn an_item_that_cannot_be_looked_up_does_not_stop_the_others() {
    let mut shop = Shop::open().await;
    shop.fails(DETAIL, 500, "", 2).await;
    shop.answers(INVENTORY, sample("get_goods_inventory_info")).await;
    shop.answers(SET_OPTION, OK).await;
    let keys = [ListingKey::item("7"), ListingKey::option("700100100", "TEE-01-RED-S")];
    let changes = [set(&keys[0], 1), set(&keys[1], 2)];
    let done = shop.channel.stock().unwrap().set_stock(&Context::new(), &changes).await.unwrap();
    assert_eq!(words(&done), ["not tried", "done"]);
}

#[tokio::test]
async fn the_quantities_shown_are_read() {
    let mut shop = Shop::open().await;
    shop.on(DETAIL, Matcher::Regex("ItemCode=7&".into()), PLAIN, 1).await;
    shop.on(DETAIL, Matcher::Regex("ItemCode=8&".into()), r#"{"ResultCode":-10001,"ResultMsg":"none"}"#, 1)
        .await;
    let rows = shop.answers(INVENTORY, sample("get_goods_inventory_info")).await;
    let keys = [
        ListingKey::item("7"),
        ListingKey::item("8"),
        ListingKey::option("700100100", "TEE-01-RED-S"),
        ListingKey::option("700100100", "カラー : 赤 / サイズ : S"),
        ListingKey::option("700100100", "?"),
    ];
    let shown = shop.channel.stock().unwrap().read_stock(&Context::new(), &keys).await.unwrap();
    let shown: Vec<String> = shown
        .iter()
        .map(|o| if let Outcome::Done(s) = o { s.quantity.to_string() } else { word(o) })
        .collect();
    assert_eq!(shown, ["5", "refused -10001", "12", "12", "refused "]);
    rows.assert_async().await;
}

#[tokio::test]
async fn listings_are_items_on_sale_then_waiting_with_their_options() {
    let mut shop = Shop::open().await;
    let on_sale =
        shop.answers_to(ITEMS, &[("ItemStatus", "S2"), ("Page", "1")], sample("get_all_goods_info")).await;
    let waiting = shop
        .answers_to(
            ITEMS,
            &[("ItemStatus", "S1"), ("Page", "1")],
            r#"{"ResultCode":0,"ResultObject":{"TotalItems":0,"TotalPages":0,"PresentPage":1,"Items":[]}}"#,
        )
        .await;
    shop.on(DETAIL, Matcher::Any, PLAIN, 2).await;
    shop.on(INVENTORY, Matcher::Regex("ItemCode=700100100&".into()), sample("get_goods_inventory_info"), 1)
        .await;
    shop.on(INVENTORY, Matcher::Regex("ItemCode=700100101&".into()), NONE, 1).await;
    let listing = shop.channel.listings().unwrap();
    let first = listing.list(&Context::new(), None).await.unwrap();
    let keys: Vec<String> = first.listings.iter().map(|l| l.key.to_string()).collect();
    assert_eq!(keys, ["700100100/TEE-01-RED-S", "700100101"]);
    assert_eq!(first.listings[0].title, "帽子 (カラー : 赤 / サイズ : S)");
    assert_eq!((first.listings[0].quantity, first.listings[1].quantity), (Some(12), Some(5)));
    let second = listing.list(&Context::new(), first.next.as_ref()).await.unwrap();
    assert!(second.listings.is_empty() && second.next.is_none());
    on_sale.assert_async().await;
    waiting.assert_async().await;

    // What was kept with the listing saves the look-up.
    let fields = [
        ("ItemCode", "700100100"),
        ("SellerCode", ""),
        ("OptionName", "カラー||*サイズ"),
        ("OptionValue", "赤||*S"),
        ("OptionCode", "TEE-01-RED-S"),
        ("Qty", "1"),
    ];
    let call = shop.answers_to(SET_OPTION, &fields, OK).await;
    let kept = &first.listings[0];
    let change = StockChange::new(&kept.key, &kept.channel_data, 1);
    shop.channel.stock().unwrap().set_stock(&Context::new(), &[change]).await.unwrap();
    call.assert_async().await;
}

#[tokio::test]
async fn a_long_list_is_turned_page_by_page_without_a_hole_or_a_loop() {
    let mut shop = Shop::open().await;
    let items = |from: u32, to: u32| {
        (from..to).map(|n| format!(r#"{{"ItemCode":"{n}","ItemStatus":"S2"}}"#)).collect::<Vec<_>>().join(",")
    };
    for (page, body) in [("1", items(0, 45)), ("2", items(45, 50))] {
        let answer = format!(
            r#"{{"ResultCode":0,"ResultObject":{{"TotalPages":2,"PresentPage":{page},"Items":[{body}]}}}}"#
        );
        shop.answers_to(ITEMS, &[("ItemStatus", "S2"), ("Page", page)], answer).await;
    }
    shop.answers_to(ITEMS, &[("ItemStatus", "S1"), ("Page", "1")], NONE).await;
    shop.on(DETAIL, Matcher::Any, r#"{"ResultCode":-10009,"ResultMsg":"x"}"#, 50).await;
    shop.on(INVENTORY, Matcher::Any, NONE, 50).await;
    let (mut cursor, mut keys, mut pages) = (None, Vec::new(), 0);
    loop {
        let page = shop.channel.listings().unwrap().list(&Context::new(), cursor.as_ref()).await.unwrap();
        keys.extend(page.listings.into_iter().map(|l| l.key.item));
        cursor = page.next;
        pages += 1;
        if cursor.is_none() || pages > 20 {
            break;
        }
    }
    assert_eq!(keys, (0..50).map(|n| n.to_string()).collect::<Vec<_>>());
    assert_eq!(pages, 5);
}

#[tokio::test]
async fn cancel_requests_are_listed_by_the_day_of_the_request() {
    let mut shop = Shop::open().await;
    let mut calls = Vec::new();
    for (status, answer) in [
        ("1", sample("get_claim_info_v3")),
        ("2", NONE.to_owned()),
        ("3", rows(&[r#"{"orderNo":5,"claimStatus":"3"}"#.into(), "7".into()])),
    ] {
        let fields = [
            ("ClaimStat", status),
            ("search_Sdate", "20261120090000"),
            ("search_Edate", "20261120100000"),
            ("search_condition", "2"),
        ];
        calls.push(shop.answers_to(CLAIMS, &fields, answer).await);
    }
    let (mut cursor, mut found, mut unreadable) = (None, Vec::new(), 0);
    loop {
        let window = Window::new(at(FROM), at(TO));
        let page = shop
            .channel
            .cancellations()
            .unwrap()
            .requests(&Context::new(), window, cursor.as_ref())
            .await
            .unwrap();
        found.extend(page.requests.into_iter().map(|r| (r.order.to_string(), r.open)));
        unreadable += page.unreadable.len();
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(found, [("1062428738".to_owned(), true), ("5".to_owned(), false)]);
    assert_eq!(unreadable, 1);
    for call in calls {
        call.assert_async().await;
    }
}

#[tokio::test]
async fn cancelling_sends_the_reason_and_is_never_repeated_by_itself() {
    let mut shop = Shop::open().await;
    let mut calls = Vec::new();
    let table = [
        (CancelReason::OutOfStock, ""),
        (CancelReason::BuyerRequest, "1"),
        (CancelReason::OrderChanged, "1"),
        (CancelReason::CannotDeliver, "2"),
        (CancelReason::Delay, "3"),
    ];
    let orders: Vec<Order> = (0..table.len()).map(|n| known(&n.to_string(), OrderStatus::New)).collect();
    let decisions: Vec<CancelDecision<'_>> = table
        .iter()
        .zip(&orders)
        .map(|((reason, _), order)| CancelDecision {
            order,
            action: CancelAction::CancelBySeller,
            reason: *reason,
            memo: Some("申し訳ございません"),
        })
        .collect();
    for ((_, code), order) in table.iter().zip(&orders) {
        let fields =
            [("ContrNo", order.id.as_str()), ("CancelReason", code), ("SellerMemo", "申し訳ございません")];
        calls.push(shop.answers_to(CANCEL, &fields, OK).await);
    }
    let cancellations = shop.channel.cancellations().unwrap();
    let done = cancellations.decide(&Context::new(), &decisions).await.unwrap();
    assert!(done.iter().all(Outcome::is_done));
    for call in calls {
        call.assert_async().await;
    }
    assert_eq!(cancellations.actions(), [CancelAction::Accept, CancelAction::CancelBySeller]);

    let mut shop = Shop::open().await;
    let lost = shop.fails(CANCEL, 500, "", 1).await;
    let error =
        shop.channel.cancellations().unwrap().decide(&Context::new(), &decisions[..1]).await.unwrap_err();
    assert!(error.outcome_unknown());
    lost.assert_async().await;
}

#[tokio::test]
async fn a_request_is_accepted_only_while_it_is_open_and_never_refused() {
    let mut shop = Shop::open().await;
    let mut asked = known("1", OrderStatus::New);
    asked.cancel = CancelState::Requested;
    let withdrawn = known("2", OrderStatus::New);
    let call = shop
        .on(CANCEL, Matcher::Regex("ContrNo=1&".into()), r#"{"ResultCode":-10004,"ResultMsg":"x"}"#, 1)
        .await;
    let decision =
        |order, action| CancelDecision { order, action, reason: CancelReason::BuyerRequest, memo: None };
    let decisions = [
        decision(&asked, CancelAction::Accept),
        decision(&withdrawn, CancelAction::Accept),
        decision(&asked, CancelAction::Refuse),
    ];
    let done = shop.channel.cancellations().unwrap().decide(&Context::new(), &decisions).await.unwrap();
    assert_eq!(words(&done), ["refused -10004 reread", "refused  reread", "refused "]);
    call.assert_async().await;
}

#[tokio::test]
async fn a_new_key_is_used_once_the_channel_has_accepted_it() {
    let mut shop = Shop::open().await;
    let path = format!("{PATH}/{SHIPPING}");
    let with = |key: &str, answer: &str, server: &mut mockito::ServerGuard| {
        server
            .mock("POST", path.as_str())
            .match_header("giosiscertificationkey", key)
            .with_body(answer)
            .create()
    };
    let renewal = shop.channel.credentials().unwrap();
    let bad = with("bad", r#"{"ResultCode":-10000,"ResultMsg":"check the key"}"#, &mut shop.server);
    let new = |key: &str| Credentials::new().with(CERTIFICATION_KEY, key);
    let error = renewal.replace(&Context::new(), &new("bad")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert_eq!(
        renewal.current().await.get(CERTIFICATION_KEY).unwrap().expose(),
        KEY,
        "the old one stays in use"
    );
    bad.assert_async().await;

    let fresh = with("fresh", NONE, &mut shop.server).expect(3);
    renewal.replace(&Context::new(), &new(" fresh\n")).await.unwrap();
    shop.fetch(FROM, TO).await.unwrap();
    fresh.assert_async().await;
    assert_eq!(renewal.expiry(&Context::new()).await.unwrap(), None);
    assert_eq!(renewal.parts()[0].name, CERTIFICATION_KEY);
    assert!(renewal.replace(&Context::new(), &Credentials::new()).await.is_err());
}

#[tokio::test]
async fn a_key_is_made_from_api_key_user_and_password_without_telling_any() {
    let mut server = mockito::Server::new_async().await;
    let path = format!("{PATH}/{CREATE_KEY}");
    let made = server
        .mock("POST", path.as_str())
        .match_header("giosiscertificationkey", "api-key-1")
        .match_body(Matcher::Exact(form(&[("user_id", "seller"), ("pwd", "p&ss wörd")])))
        .with_body(r#"{"ResultObject":"NEW-SAK","ResultCode":0,"ResultMsg":"成功"}"#)
        .expect(1)
        .create_async()
        .await;
    let (client, config) = (client(), config(&server));
    let make = async || {
        create_certification_key(
            &client,
            &Context::new(),
            &config,
            "shop-1",
            &"api-key-1".into(),
            "seller",
            &"p&ss wörd".into(),
        )
        .await
    };
    let key = make().await.unwrap();
    assert_eq!(key.expose(), "NEW-SAK");
    made.assert_async().await;
    made.remove_async().await;

    server
        .mock("POST", path.as_str())
        .with_body(r#"{"ResultCode":-10001,"ResultMsg":"seller / p&ss wörd / api-key-1 is wrong"}"#)
        .create_async()
        .await;
    let error = make().await.unwrap_err();
    let text = format!("{error} {error:?}");
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert!(!text.contains("p&ss") && !text.contains("api-key-1"), "{text}");
}

#[tokio::test]
async fn the_connection_test_names_what_the_key_allows() {
    let mut shop = Shop::open().await;
    shop.answers(SHIPPING, NONE).await;
    shop.answers(ITEMS, r#"{"ResultCode":-90003,"ResultMsg":"You are not authorized for this."}"#).await;
    let report = shop.channel.test(&Context::new()).await.unwrap();
    assert!(!report.is_complete());
    for (capability, check) in &report.capabilities {
        match (capability.as_str(), check) {
            ("fetch orders", CapabilityCheck::Allowed) => {}
            ("list listings", CapabilityCheck::Denied { reason }) => assert!(reason.contains("not allowed")),
            (name, CapabilityCheck::Assumed) => assert!(name != "fetch orders" && name != "list listings"),
            other => panic!("{other:?}"),
        }
    }

    let mut shop = Shop::open().await;
    shop.answers(SHIPPING, sample("error_key_expired")).await;
    let error = shop.channel.test(&Context::new()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CredentialExpired);
}

#[tokio::test]
async fn neither_secrets_nor_personal_data_get_into_debug_or_errors() {
    let mut shop = Shop::open().await;
    shop.has_only(&rows(&[row(1, "2"), row(2, "2").replace("\"OrderQty\":1", "\"OrderQty\":\"山\"")])).await;
    let page = shop.fetch(FROM, TO).await.unwrap();
    assert_eq!(page.len(), 2);
    let shown = format!(
        "{page:?} {:?} {:?}",
        shop.channel,
        Opening::new(&client(), "a", Credentials::new().with(CERTIFICATION_KEY, KEY))
    );
    for secret in [KEY, "山田", "千代田", "100-0001"] {
        assert!(!shown.contains(secret), "{secret}");
    }
    let broken = rows(&[row(1, "2")]);
    shop.on(ORDER, Matcher::Any, &broken[..broken.len() / 2], 2).await;
    let known = known("1", OrderStatus::New);
    let error = shop.channel.orders().read(&Context::new(), &[&known]).await.unwrap_err();
    let text = format!("{error} {error:?}");
    assert!(!text.contains("山田") && !text.contains(KEY), "{text}");

    let mut shop = Shop::open().await;
    shop.answers(SHIPPING, format!(r#"{{"ResultCode":-10000,"ResultMsg":"key {KEY} is wrong"}}"#)).await;
    let error = shop.fetch(FROM, TO).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains(KEY));
}

#[tokio::test]
async fn the_key_is_in_the_header_and_nowhere_else() {
    let mut shop = Shop::open().await;
    let calls = shop
        .server
        .mock("POST", Matcher::Any)
        .match_request(|request| {
            let body = String::from_utf8_lossy(request.body().unwrap()).into_owned();
            let address = request.path_and_query();
            !address.contains(KEY) && !address.contains('?') && !body.contains(KEY)
        })
        .match_header("giosiscertificationkey", KEY)
        .with_body(NONE)
        .expect(2)
        .create_async()
        .await;
    shop.fetch(FROM, TO).await.unwrap();
    calls.assert_async().await;
}

#[tokio::test]
async fn the_registry_opens_an_account_at_a_given_address() {
    let mut server = mockito::Server::new_async().await;
    let adapter = adapters::find("qoo10").unwrap();
    assert_eq!((adapter.feature, adapter.parts.len()), ("qoo10", 1));
    let calls = server
        .mock("POST", Matcher::Regex(format!("^{PATH}/")))
        .with_body(NONE)
        .expect_at_least(2)
        .create_async()
        .await;
    let opening = Opening::new(&client(), "shop-1", Credentials::new().with(CERTIFICATION_KEY, KEY))
        .at(server.url().parse().unwrap());
    let channel = (adapter.open)(&opening).unwrap();
    let query = sales_channels::channel::OrderQuery::window(Window::new(at(FROM), at(TO)));
    channel.orders().fetch(&Context::new(), &query, None).await.unwrap();
    calls.assert_async().await;
    let error = (adapter.open)(&Opening::new(&client(), "shop-1", Credentials::new())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[tokio::test]
async fn the_global_variant_has_its_own_address_zone_and_currency() {
    let mut server = mockito::Server::new_async().await;
    let zone = chrono_tz::Asia::Singapore;
    let currency: Currency = "SGD".parse().unwrap();
    let config = Config::global(server.url().parse().unwrap(), "GMKT/Giosis.qapi/", zone, currency)
        .with_calls_per_second(10_000);
    let credentials = Credentials::new().with(CERTIFICATION_KEY, KEY);
    let channel = Qoo10::new(&client(), "shop-1", &credentials, config).unwrap();
    assert_eq!((channel.info().id.as_str(), channel.info().zone), ("qoo10_global", zone));
    assert!(matches!(channel.info().state, sales_channels::channel::ChannelState::Unverified(_)));
    let search = server
        .mock("POST", format!("/GMKT/Giosis.qapi/{SHIPPING}").as_str())
        .match_body(Matcher::Regex("SearchStartDate=20261120080000".into()))
        .with_body(rows(&[row(1, "2").replace("\"OrderQty\"", "\"OrderPrice\":\"1.50\",\"OrderQty\"")]))
        .expect(2)
        .create_async()
        .await;
    server.mock("POST", format!("/GMKT/Giosis.qapi/{CLAIMS}").as_str()).with_body(NONE).create_async().await;
    let query = sales_channels::channel::OrderQuery::window(Window::new(at(FROM), at(TO)));
    let page = channel.orders().fetch(&Context::new(), &query, None).await.unwrap();
    let order = page.rows[0].order().unwrap();
    assert_eq!(order.lines[0].unit_price.unwrap().to_string(), "1.50 SGD");
    assert_eq!(order.ordered_at, at("2026-11-20T09:12:33+08:00"));
    search.assert_async().await;
}
