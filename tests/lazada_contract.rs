//! Whole calls of the Lazada adapter: what is sent, byte for byte, and what becomes of each answer.
#![cfg(feature = "lazada")]
#![allow(clippy::unwrap_used)] // tests

mod lazada;

use std::sync::Arc;

use chrono::{TimeDelta, Utc};
use lazada::*;
use mockito::Matcher;
use sales_channels::adapters::lazada::{
    ACCESS_TOKEN, ACCESS_TOKEN_ENDS, Config, Lazada, MARKET, Market, REFRESH_TOKEN, SELLER_ID,
    authorize_link, exchange_code, webhook_seller, webhook_signature,
};
use sales_channels::adapters::{self, Opening};
use sales_channels::channel::{
    CancelAction, CancelDecision, CancelReason, Capability, CapabilityCheck, Channel, Context,
    CredentialVault, Credentials, MemoryVault, OrderQuery, Outcome, PageCursor, Repeat, Row, Secret,
    StockChange, Tracking, WebhookEvent, WebhookRequest,
};
use sales_channels::model::{
    CancelState, ChannelData, LineId, ListingKey, ListingState, Order, OrderStatus, Window,
};
use sales_channels::{ErrorKind, Retry};
use serde_json::{Value, json};

const FROM: &str = "2026-11-20T09:00:00Z";
const TO: &str = "2026-11-20T10:00:00Z";

fn orders(rows: &[Row]) -> Vec<(&str, OrderStatus)> {
    rows.iter().filter_map(Row::order).map(|order| (order.id.as_str(), order.status)).collect()
}

fn window_query<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut query = vec![
        ("update_after", "2026-11-20T16:50:00+08:00"),
        ("created_before", "2026-11-20T18:00:00+08:00"),
        ("sort_by", "created_at"),
        ("sort_direction", "ASC"),
        ("limit", "50"),
    ];
    query.extend(more);
    query
}

#[tokio::test]
async fn a_window_asks_for_what_was_made_before_its_end_and_changed_since_its_beginning() {
    let mut shop = Shop::open().await;
    let rows = [row("11", MADE, ""), row("12", MADE, "")];
    let call = shop.on(ORDERS, &window_query(&[("offset", "0")]), page(&rows, 2), 1).await;
    let lists = items(&[("12", &two("12", "unpaid", "")), ("11", &two("11", "pending", ""))]);
    let list = shop.on(ITEMS, &[("order_ids", "[11,12]")], lists, 1).await;
    let none = shop
        .on(
            REVERSES,
            &[
                ("request_type_list", r#"["CANCEL"]"#),
                ("page_no", "1"),
                ("page_size", "50"),
                ("TradeOrderLineCreatedTimeRangeStart", "1795162353000"),
                ("TradeOrderLineCreatedTimeRangeEnd", "1795169553000"),
            ],
            reverses(&[]),
            1,
        )
        .await;
    let found = shop.fetch(FROM, TO).await.unwrap();
    assert_eq!(orders(&found), [("11", OrderStatus::New), ("12", OrderStatus::PendingPayment)]);
    for mock in [call, list, none] {
        mock.assert_async().await;
    }
}

#[tokio::test]
async fn an_order_paid_long_after_it_was_made_is_found_in_the_window_of_its_payment() {
    let mut shop = Shop::open().await;
    let old = "2026-11-10T08:00:00+08:00";
    let changed = r#""updated_at":"2026-11-21T08:00:00+08:00""#;
    let rows =
        ["1", "2", "3"].map(|id| row(id, old, "").replace(&format!(r#""updated_at":"{old}""#), changed));
    shop.any(ORDERS, page(&rows, 3), 1).await;
    // 09:00:00 lies in the window, 08:59:59 does not, 10:00:00 does not.
    let paid =
        |id: &str, millis: i64| [item(id, "1", "delivered", "P", &format!(r#","payment_time":{millis}"#))];
    let lists = items(&[
        ("1", &paid("1", 1_795_165_200_000)),
        ("2", &paid("2", 1_795_165_199_000)),
        ("3", &paid("3", 1_795_168_800_000)),
    ]);
    shop.any(ITEMS, lists, 1).await;
    assert_eq!(orders(&shop.fetch(FROM, TO).await.unwrap()), [("1", OrderStatus::Delivered)]);
}

#[tokio::test]
async fn pages_go_on_from_the_last_time_and_orders_of_that_second_come_once() {
    let mut shop = Shop::open().await;
    let made = |n: usize| format!("2026-11-20T17:{:02}:{:02}+08:00", 10 + n / 60, n % 60);
    // 48 orders a second apart, then three of one second: the page ends between them.
    let all: Vec<String> = (0..51).map(|n| row(&(100 + n).to_string(), &made(n.min(48)), "")).collect();
    let first = shop.on(ORDERS, &window_query(&[("offset", "0")]), page(&all[..50], 51), 1).await;
    let after = [("created_after", "2026-11-20T17:10:48+08:00"), ("offset", "0")];
    let second = shop.on(ORDERS, &window_query(&after), page(&all[48..], 3), 1).await;
    shop.server
        .mock("GET", Matcher::Regex("^/rest/orders/items/get".to_owned()))
        .with_body_from_request(|request| {
            let text = request.path_and_query();
            let ids: Vec<String> = (100..151).map(|n| n.to_string()).filter(|id| text.contains(id)).collect();
            let pieces: Vec<(String, Vec<String>)> = ids
                .into_iter()
                .map(|id| (id.clone(), vec![item(&id, &format!("{id}1"), "delivered", "P", "")]))
                .collect();
            let borrowed: Vec<(&str, &[String])> =
                pieces.iter().map(|(id, list)| (id.as_str(), list.as_slice())).collect();
            items(&borrowed).into_bytes()
        })
        .expect_at_least(1)
        .create_async()
        .await;
    let found = shop.fetch(FROM, TO).await.unwrap();
    let ids: Vec<String> = orders(&found).iter().map(|(id, _)| (*id).to_owned()).collect();
    assert_eq!(ids, (100..151).map(|n| n.to_string()).collect::<Vec<_>>());
    first.assert_async().await;
    second.assert_async().await;
}

#[tokio::test]
async fn an_answer_that_counts_orders_and_shows_none_is_no_empty_window() {
    let mut shop = Shop::open().await;
    shop.any(ORDERS, page(&[], 3), 1).await;
    assert_eq!(shop.fetch(FROM, TO).await.unwrap_err().kind(), ErrorKind::MalformedResponse);
    let mut shop = Shop::open().await;
    shop.any(ORDERS, page(&[], 0), 1).await;
    assert!(shop.fetch(FROM, TO).await.unwrap().is_empty());
    assert!(shop.fetch(TO, FROM).await.unwrap().is_empty(), "an empty window is not asked for");
}

#[tokio::test]
async fn an_order_that_the_call_for_many_leaves_out_is_asked_for_alone_and_never_lost() {
    let mut shop = Shop::open().await;
    let rows = ["11", "12", "13"].map(|id| row(id, MADE, ""));
    shop.any(ORDERS, page(&rows, 3), 1).await;
    shop.any(ITEMS, items(&[("11", &two("11", "pending", ""))]), 1).await;
    let one = data(&format!("[{}]", two("12", "pending", "").join(",")));
    shop.on(ITEMS_OF, &[("order_id", "12")], one, 1).await;
    shop.on(ITEMS_OF, &[("order_id", "13")], failed("16"), 1).await;
    shop.no_reverses().await;
    let found = shop.fetch(FROM, TO).await.unwrap();
    assert_eq!(orders(&found), [("11", OrderStatus::New), ("12", OrderStatus::New)]);
    let Row::Unreadable(row) = &found[2] else { panic!("{found:?}") };
    assert_eq!(row.id.as_ref().map(|id| id.as_str()), Some("13"));
    assert!(row.raw.reveal().contains("red 🌿"));
}

#[tokio::test]
async fn items_that_can_t_be_read_fail_the_page_and_lose_nothing() {
    for (status, body) in [(200, failed("6")), (500, String::new()), (200, "<html>".to_owned())] {
        let mut shop = Shop::open().await;
        shop.any(ORDERS, page(&[row("11", MADE, "")], 1), 1).await;
        shop.fails(ITEMS, status, &body, 2).await;
        let error = shop.fetch(FROM, TO).await.unwrap_err();
        assert!(error.is_temporary(), "{error}");
    }
}

#[tokio::test]
async fn one_order_of_another_shop_does_not_spoil_the_others() {
    let mut shop = Shop::open().await;
    shop.any(ORDERS, page(&[row("11", MADE, ""), row("12", MADE, "")], 2), 1).await;
    shop.any(ITEMS, failed("37"), 1).await;
    for id in ["11", "12"] {
        let one = data(&format!("[{}]", two(id, "pending", "").join(",")));
        shop.on(ITEMS_OF, &[("order_id", id)], one, 1).await;
    }
    shop.no_reverses().await;
    assert_eq!(shop.fetch(FROM, TO).await.unwrap().iter().filter_map(Row::order).count(), 2);
}

#[tokio::test]
async fn a_cancel_request_shows_before_anything_is_done_to_the_order() {
    let mut shop = Shop::open().await;
    let rows = ["11", "12", "13", "14"].map(|id| row(id, MADE, ""));
    shop.any(ORDERS, page(&rows, 4), 1).await;
    let lists: Vec<(&str, [String; 2])> =
        ["11", "12", "13", "14"].map(|id| (id, two(id, "pending", ""))).into();
    let lists: Vec<(&str, &[String])> = lists.iter().map(|(id, list)| (*id, list.as_slice())).collect();
    shop.any(ITEMS, items(&lists), 1).await;
    let found = [
        reverse("901", "11", &["1101"], "CANCEL_INIT"),
        reverse("902", "12", &["1201"], "REQUEST_REJECT"),
        reverse("903", "13", &["9999"], "REQUEST_INITIATE"),
    ];
    shop.any(REVERSES, reverses(&found), 1).await;
    let rows = shop.fetch(FROM, TO).await.unwrap();
    let cancels: Vec<CancelState> = rows.iter().filter_map(Row::order).map(|order| order.cancel).collect();
    assert_eq!(cancels, [CancelState::Requested, CancelState::None, CancelState::None, CancelState::None]);
}

#[tokio::test]
async fn a_shop_that_may_not_look_up_requests_goes_by_the_orders_own_fields() {
    let told = r#","need_cancel_confirm":false"#;
    for (code, more, fetched) in [
        ("Mp3SellerApiLimit", "", true),
        ("InsufficientPermission", told, true),
        ("InsufficientPermission", "", false),
        ("ServiceUnavailable", told, false),
    ] {
        let mut shop = Shop::open().await;
        shop.any(ORDERS, page(&[row("11", MADE, more)], 1), 1).await;
        shop.any(ITEMS, items(&[("11", &two("11", "pending", ""))]), 1).await;
        shop.fails(REVERSES, 200, &failed(code), 1).await.expect_at_least(1);
        assert_eq!(shop.fetch(FROM, TO).await.is_ok(), fetched, "{code} {more}");
    }
}

#[tokio::test]
async fn the_official_order_is_read_field_by_field() {
    let mut shop = Shop::open().await;
    let list = sample("getorders").replace("491253082180001", "32793").replace("\"500\"", "\"1\"");
    shop.any(ORDERS, list, 1).await;
    // The call for many names no product in its reference, the call for one does.
    shop.any(ITEMS, sample("getmultipleorderitems"), 1).await;
    let single = sample("getorderitems").replace("\"canceled\"", "\"pending\"");
    let alone = shop.on(ITEMS_OF, &[("order_id", "32793")], single, 1).await;
    shop.any(REVERSES, reverses(&[]), 0).await;
    let rows = shop.fetch("2018-02-09T14:00:00Z", "2018-02-09T15:00:00Z").await.unwrap();
    let order = rows[0].order().unwrap();
    assert_eq!((order.id.as_str(), order.status), ("32793", OrderStatus::New));
    assert_eq!(order.ordered_at, at("2018-02-09T14:44:30Z"));
    assert_eq!(order.updated_at, at("2018-02-09T14:44:30Z"));
    assert_eq!(order.paid_at, Some(at("2023-10-13T10:36:14.592Z")));
    assert_eq!(order.ship_by, Some(at("2019-06-24T15:59:59Z")));
    assert_eq!(order.cancel, CancelState::Requested, "need_cancel_confirm and is_cancel_pending");
    assert_eq!(order.currency.as_str(), "SGD");
    assert_eq!(order.totals.shipping.unwrap().to_string(), "0.54 SGD");
    assert_eq!(order.totals.total.unwrap().to_string(), "99.54 SGD");
    assert_eq!(order.buyer.reveal().name, "Ha Hung last_name");
    assert_eq!(order.memo.as_ref().unwrap().reveal(), "red color / remarks / 1");
    let party = order.destinations[0].recipient.reveal();
    assert_eq!((party.name.as_str(), party.phone.as_str()), ("Ha Hung last_name", "6****67"));
    assert_eq!(party.phone_alternative, "4***456");
    let address = &party.address;
    assert_eq!((address.country.as_str(), address.postal_code.as_str()), ("SG", "500001"));
    assert_eq!((address.region.as_str(), address.city.as_str()), ("address3", "address4"));
    assert_eq!(address.lines, ["address5", "addressDsitrict", "address2", "1 CHANGI VILLAGE ROAD, 11"]);
    let line = &order.lines[0];
    assert_eq!((line.id.as_str(), line.quantity, line.unit.as_str()), ("98108", 1, "345"));
    assert_eq!(line.listing, ListingKey::option("12345", "666"));
    assert_eq!(line.sku.as_ref().unwrap().as_str(), "BRSD#02");
    assert_eq!(line.title, "Bean Rester Dooby Red");
    assert_eq!(line.unit_price.unwrap().to_string(), "99.00 SGD");
    assert_eq!(order.tracking, [Tracking::new("LEL", "456")]);
    let raw: Value = serde_json::from_str(order.raw.reveal()).unwrap();
    assert_eq!(raw["order"]["recipient_info"]["passport_no"], "012345678");
    assert_eq!(raw["items"]["order_item_id"], "98108");
    alone.assert_async().await;
}

#[tokio::test]
async fn a_bad_row_spoils_only_itself_and_keeps_its_text() {
    let mut shop = Shop::open().await;
    let bad = [
        r#"{"created_at":"2026-11-20 17:12:33 +0800"}"#.to_owned(),
        r#"{"order_id":9,"created_at":"yesterday"}"#.to_owned(),
        r#"["not an order"]"#.to_owned(),
    ];
    let mut rows: Vec<String> = bad.to_vec();
    rows.insert(1, row("11", MADE, ""));
    rows.push(row("12", MADE, "").replace("山田", "half \\ud83c"));
    rows.push(row("13", MADE, ""));
    shop.any(ORDERS, page(&rows, 6), 1).await;
    let twice = [item("13", "131", "pending", "", ""), item("13", "131", "pending", "", "")];
    let lists =
        items(&[("11", &two("11", "pending", "")), ("12", &two("12", "pending", "")), ("13", &twice)]);
    shop.any(ITEMS, lists, 1).await;
    shop.no_reverses().await;
    let rows = shop.fetch(FROM, TO).await.unwrap();
    assert_eq!(orders(&rows), [("11", OrderStatus::New)]);
    let unreadable: Vec<(Option<&str>, &str)> = rows
        .iter()
        .filter_map(|row| match row {
            Row::Unreadable(row) => Some((row.id.as_ref().map(|id| id.as_str()), row.raw.reveal())),
            Row::Order(_) => None,
        })
        .collect();
    let ids: Vec<Option<&str>> = unreadable.iter().map(|(id, _)| *id).collect();
    assert_eq!(ids, [None, Some("9"), None, Some("12"), Some("13")]);
    for ((_, raw), text) in unreadable.iter().zip(&bad) {
        assert_eq!(raw, text);
    }
    assert!(unreadable[3].1.contains("half \\ud83c") && unreadable[3].1.contains("\"items\":["));
}

#[tokio::test]
async fn an_unknown_currency_leaves_amounts_out_and_keeps_the_order() {
    for (currency, expected) in [("\"MYR\"", Some("20.50 MYR")), ("\"GOLD\"", None), ("null", None)] {
        let mut shop = Shop::open().await;
        shop.any(ORDERS, page(&[row("11", MADE, "")], 1), 1).await;
        let lists = items(&[("11", &two("11", "pending", ""))]).replace("\"SGD\"", currency);
        shop.any(ITEMS, lists, 1).await;
        shop.no_reverses().await;
        let rows = shop.fetch(FROM, TO).await.unwrap();
        let order = rows[0].order().unwrap();
        assert_eq!(order.totals.total.map(|total| total.to_string()).as_deref(), expected);
        assert_eq!(order.lines[0].total.is_some(), expected.is_some());
        assert_eq!(order.lines[0].title, "帽子 🧢");
    }
}

#[tokio::test]
async fn a_cursor_of_something_else_is_refused() {
    let shop = Shop::open().await;
    let window = Window::new(at(FROM), at(TO));
    let other = r#"{"from":1,"to":2,"after":null,"offset":0,"seen":[],"by_offset":false}"#;
    for cursor in ["", "7", "1-2/3", "{}", "[]", other] {
        let cursor = PageCursor::new(cursor);
        let query = OrderQuery::window(window);
        let error = shop.channel.orders().fetch(&Context::new(), &query, Some(&cursor)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        let cancels = shop.channel.cancellations().unwrap();
        let error = cancels.requests(&Context::new(), window, Some(&cursor)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        let error = shop.channel.listings().unwrap().list(&Context::new(), Some(&cursor)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }
    let past = PageCursor::new(r#"{"from":9,"to":1,"end":2,"offset":0}"#);
    let error = shop.channel.listings().unwrap().list(&Context::new(), Some(&past)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[tokio::test]
async fn orders_are_read_one_by_one_with_their_items_together() {
    let mut shop = Shop::open().await;
    let known = fetched(&[
        ("11", &two("11", "pending", "")),
        ("12", &two("12", "pending", "")),
        ("13", &two("13", "pending", "")),
    ])
    .await;
    shop.on(ORDER, &[("order_id", "11")], data(&row("11", MADE, "")), 1).await;
    shop.on(ORDER, &[("order_id", "12")], failed("16"), 1).await;
    shop.on(ORDER, &[("order_id", "13")], data(&row("99", MADE, "")), 1).await;
    let lists = items(&[("11", &two("11", "ready_to_ship", "FP1"))]);
    let list = shop.on(ITEMS, &[("order_ids", "[11]")], lists, 1).await;
    let known: Vec<&Order> = known.iter().collect();
    let read = shop.channel.orders().read(&Context::new(), &known).await.unwrap();
    // A refusal says that there is no such order; an answer about another one says nothing.
    assert_eq!(words(&read), ["done", "refused 16", "not tried"]);
    let Outcome::Done(order) = &read[0] else { panic!("{read:?}") };
    assert_eq!((order.status, order.lines[0].unit.as_str()), (OrderStatus::ReadyToShip, "FP1"));
    assert!(order.supersedes(known[0]), "the same time, and read later");
    list.assert_async().await;
}

#[tokio::test]
async fn the_official_order_that_is_read_alone_is_read() {
    let mut shop = Shop::open().await;
    let known = fetched(&[("16090", &two("16090", "pending", ""))]).await;
    shop.any(ORDER, sample("getorder"), 1).await;
    shop.any(ITEMS, items(&[("16090", &two("16090", "delivered", "P"))]), 1).await;
    let read = shop.channel.orders().read(&Context::new(), &[&known[0]]).await.unwrap();
    let Outcome::Done(order) = &read[0] else { panic!("{read:?}") };
    assert_eq!((order.status, order.ordered_at), (OrderStatus::Delivered, at("2014-10-15T10:36:05Z")));
    assert_eq!(order.number.as_deref(), Some("300034416"));
    assert!(order.destinations[0].recipient.reveal().address.lines.contains(&"addressDistrict".to_owned()));
}

#[tokio::test]
async fn a_read_that_fails_is_never_a_refusal() {
    // A refusal would make the hub forget an order that it watches.
    let answers = [
        (200, failed("6")),
        (200, failed("4711")),
        (200, failed("InsufficientPermission")),
        (200, "{}".to_owned()),
        (200, "<html>".to_owned()),
        (200, String::new()),
        (200, r#"{"code":"0","data":{"order_id""#.to_owned()),
        (200, data("null")),
        (200, data("[]")),
        (400, String::new()),
        (404, String::new()),
        (409, String::new()),
        (500, String::new()),
    ];
    let known = fetched(&[("11", &two("11", "unpaid", ""))]).await;
    for (status, body) in answers {
        let mut shop = Shop::open().await;
        shop.fails(ORDER, status, &body, 1).await;
        let outcome = match shop.channel.orders().read(&Context::new(), &[&known[0]]).await {
            Ok(outcomes) => outcomes.into_iter().next().unwrap(),
            Err(error) => Outcome::from_error(&error),
        };
        assert_eq!(word(&outcome), "not tried", "{status} {body}");
    }
}

const LOCAL: &str = r#"{"platform_default":1,"shipping_allocate_type":"TFS","shipment_providers":[]}"#;

fn packed(order: &str, items: &[(&str, &str)]) -> String {
    let rows: Vec<String> =
        items.iter().map(|(id, rest)| format!(r#"{{"order_item_id":{id},{rest}}}"#)).collect();
    format!(r#"{{"order_id":{order},"order_item_list":[{}]}}"#, rows.join(","))
}

const GOOD: &str = r#""item_err_code":"0","package_id":"FP1","tracking_number":"TH340231JV0W0A","shipment_provider":"Flash Express","retry":false"#;

fn handed(packages: &[(&str, &str)]) -> String {
    let rows: Vec<String> = packages
        .iter()
        .map(|(id, code)| {
            format!(r#"{{"package_id":"{id}","item_err_code":"{code}","msg":"said","retry":false}}"#)
        })
        .collect();
    result(&format!(r#"{{"packages":[{}]}}"#, rows.join(",")))
}

#[tokio::test]
async fn an_order_is_packed_then_ready_to_ship_with_lazadas_number_and_label() {
    let mut shop = Shop::open().await;
    let orders = fetched(&[("11", &two("11", "pending", ""))]).await;
    let read = shop.on(ITEMS, &[("order_ids", "[11]")], items(&[("11", &two("11", "pending", ""))]), 1).await;
    let asked = shop
        .on(
            REVERSES,
            &[
                ("request_type_list", r#"["CANCEL"]"#),
                ("page_no", "1"),
                ("page_size", "50"),
                ("trade_order_id", "11"),
            ],
            reverses(&[]),
            1,
        )
        .await;
    let body = r#"{"orders":[{"order_id":11,"order_item_ids":[1101,1102]}]}"#;
    let providers =
        shop.on(PROVIDERS, &[("getShipmentProvidersReq", body)], sample("getshipmentprovider"), 1).await;
    let body = r#"{"pack_order_list":[{"order_item_list":[1101,1102],"order_id":11}],"delivery_type":"dropship","shipping_allocate_type":"TFS"}"#;
    let answer =
        result(&format!(r#"{{"pack_order_list":[{}]}}"#, packed("11", &[("1102", GOOD), ("1101", GOOD)])));
    let pack = shop.on(PACK, &[("packReq", body)], answer, 1).await;
    let rts = shop
        .on(RTS, &[("readyToShipReq", r#"{"packages":[{"package_id":"FP1"}]}"#)], handed(&[("FP1", "0")]), 1)
        .await;
    let body = r#"{"doc_type":"PDF","packages":[{"package_id":"FP1"}],"print_item_list":false}"#;
    let label = shop.on(LABEL, &[("getDocumentReq", body)], sample("printawb"), 2).await;
    let dispatch = shop.channel.dispatch().unwrap();
    let done = dispatch.dispatch(&Context::new(), &[parcel(&orders[0], &[])]).await.unwrap();
    let [Outcome::Done(done)] = done.as_slice() else { panic!("{done:?}") };
    assert_eq!(done.tracking, Some(Tracking::new("Flash Express", "TH340231JV0W0A")));
    assert_eq!((done.parcels.as_slice(), done.reread), (&["FP1".to_owned()][..], false));
    assert_eq!(done.label.as_ref().unwrap().reveal(), "http://www.test.com/xxx.pdf");
    assert_eq!(
        shop.channel.shipping_label(&Context::new(), "FP1").await.unwrap().reveal(),
        "http://www.test.com/xxx.pdf"
    );
    assert_eq!(dispatch.repeat(), Repeat::ReadFirst);
    assert!(dispatch.hand_over_methods().is_empty());
    for mock in [read, asked, providers, pack, rts, label] {
        mock.assert_async().await;
    }
}

#[tokio::test]
async fn the_official_packing_is_read_and_a_missing_item_is_unknown() {
    let mut shop = Shop::open().await;
    let (order, piece) = ("560694402192001", "560694402292001");
    let list = [item(order, piece, "pending", "", ""), item(order, "560694402292002", "pending", "", "")];
    let orders = fetched(&[(order, &list)]).await;
    shop.any(ITEMS, items(&[(order, &list)]), 2).await;
    shop.no_reverses().await;
    shop.any(PROVIDERS, result(LOCAL), 2).await;
    shop.any(PACK, sample("pack"), 2).await;
    let rts = shop.any(RTS, handed(&[("FP022511752246001", "0")]), 1).await;
    let dispatch = shop.channel.dispatch().unwrap();
    let error = dispatch.dispatch(&Context::new(), &[parcel(&orders[0], &[])]).await.unwrap_err();
    assert!(error.outcome_unknown(), "the second piece is in no answer: {error}");
    let one = [(LineId::from(piece), 1)];
    let done = dispatch.dispatch(&Context::new(), &[parcel(&orders[0], &one)]).await.unwrap();
    let [Outcome::Done(done)] = done.as_slice() else { panic!("{done:?}") };
    assert_eq!(done.tracking, Some(Tracking::new("Flash Express", "TH340231JV0W0A")));
    assert!(done.reread, "a part splits the order's lines");
    rts.assert_async().await;
}

#[tokio::test]
async fn what_was_packed_before_a_crash_is_only_handed_over() {
    let mut shop = Shop::open().await;
    let orders = fetched(&[("11", &two("11", "pending", "")), ("12", &two("12", "pending", ""))]).await;
    let now = items(&[("11", &two("11", "packed", "FP1")), ("12", &two("12", "ready_to_ship", "FP2"))]);
    shop.any(ITEMS, now, 1).await;
    shop.no_reverses().await;
    let providers = shop.any(PROVIDERS, result(LOCAL), 0).await;
    let pack = shop.any(PACK, result("{}"), 0).await;
    let rts = shop
        .on(RTS, &[("readyToShipReq", r#"{"packages":[{"package_id":"FP1"}]}"#)], handed(&[("FP1", "0")]), 1)
        .await;
    shop.fails(LABEL, 200, &failed("6"), 2).await;
    let dispatch = shop.channel.dispatch().unwrap();
    let requests = [parcel(&orders[0], &[]), parcel(&orders[1], &[])];
    let done = dispatch.dispatch(&Context::new(), &requests).await.unwrap();
    assert_eq!(words(&done), ["done", "already"]);
    let Outcome::Done(first) = &done[0] else { panic!("{done:?}") };
    // The order's items tell the number, and a label that fails changes nothing.
    assert_eq!(
        (first.tracking.clone(), first.label.is_none()),
        (Some(Tracking::new("LEX SG", "LEX1")), true)
    );
    for mock in [providers, pack, rts] {
        mock.assert_async().await;
    }
}

#[tokio::test]
async fn each_parcel_of_a_batch_has_its_own_outcome() {
    let mut shop = Shop::open().await;
    let ids = ["11", "12", "13", "14", "15", "16", "17"];
    let pieces: Vec<(&str, [String; 2])> = ids.map(|id| (id, two(id, "pending", ""))).into();
    let lists: Vec<(&str, &[String])> = pieces.iter().map(|(id, list)| (*id, list.as_slice())).collect();
    let known = fetched(&lists).await;
    let mut now = lists.clone();
    let cancelled = two("15", "canceled", "");
    now[4] = ("15", &cancelled);
    shop.any(ITEMS, items(&now), 1).await;
    // 16 has an open request.
    let of = |id: &'static str| {
        [
            ("request_type_list", r#"["CANCEL"]"#),
            ("page_no", "1"),
            ("page_size", "50"),
            ("trade_order_id", id),
        ]
    };
    for id in ["11", "12", "13", "14", "17"] {
        shop.on(REVERSES, &of(id), reverses(&[]), 1).await;
    }
    shop.on(REVERSES, &of("16"), reverses(&[reverse("9", "16", &["1602"], "REQUEST_INITIATE")]), 1).await;
    shop.any(PROVIDERS, result(LOCAL), 5).await;
    let good = |package: &str| GOOD.replace("FP1", package).replace("TH340231JV0W0A", package);
    let bad = r#""item_err_code":"700026","msg":"no""#;
    let busy = r#""item_err_code":"40011","msg":"busy""#;
    let answer = result(&format!(
        r#"{{"pack_order_list":[{},{},{},{},{}]}}"#,
        packed("17", &[("1701", &good("FP7")), ("1702", &good("FP7"))]),
        packed("11", &[("1101", &good("FP1")), ("1102", &good("FP1"))]),
        packed("12", &[("1201", &good("FP2")), ("1202", bad)]),
        packed("13", &[("1301", bad), ("1302", bad)]),
        packed("14", &[("1401", busy), ("1402", &good("FP4"))]),
    ));
    shop.any(PACK, answer, 1).await;
    let body = r#"{"packages":[{"package_id":"FP1"},{"package_id":"FP7"}]}"#;
    shop.on(RTS, &[("readyToShipReq", body)], handed(&[("FP7", "600002"), ("FP1", "0")]), 1).await;
    shop.fails(LABEL, 200, &failed("6"), 2).await;
    let mut requests: Vec<_> = known.iter().map(|order| parcel(order, &[])).collect();
    requests.push(parcel(&known[0], &[]));
    let done = shop.channel.dispatch().unwrap().dispatch(&Context::new(), &requests).await.unwrap();
    assert_eq!(
        words(&done),
        [
            "done",
            "refused 700026",
            "refused 700026",
            "unknown",
            "refused",
            "refused temporary",
            "refused 600002",
            "not tried",
        ]
    );
    let Outcome::Refused(partly) = &done[1] else { panic!("{done:?}") };
    assert!(partly.message.contains("1 of 2 pieces were packed (FP2)"), "{}", partly.message);
}

#[tokio::test]
async fn one_order_that_spoils_a_packing_blocks_no_other() {
    let mut shop = Shop::open().await;
    let orders = fetched(&[("11", &two("11", "pending", "")), ("12", &two("12", "pending", ""))]).await;
    let now = items(&[("11", &two("11", "pending", "")), ("12", &two("12", "pending", ""))]);
    shop.any(ITEMS, now, 1).await;
    shop.no_reverses().await;
    shop.any(PROVIDERS, result(LOCAL), 2).await;
    let body = |list: &str| {
        format!(r#"{{"pack_order_list":[{list}],"delivery_type":"dropship","shipping_allocate_type":"TFS"}}"#)
    };
    let (one, two) = (
        r#"{"order_item_list":[1101,1102],"order_id":11}"#,
        r#"{"order_item_list":[1201,1202],"order_id":12}"#,
    );
    shop.on(PACK, &[("packReq", &body(&format!("{one},{two}")))], unsuccessful("700021"), 1).await;
    shop.on(PACK, &[("packReq", &body(one))], unsuccessful("700021"), 1).await;
    let answer =
        result(&format!(r#"{{"pack_order_list":[{}]}}"#, packed("12", &[("1201", GOOD), ("1202", GOOD)])));
    shop.on(PACK, &[("packReq", &body(two))], answer, 1).await;
    shop.any(RTS, handed(&[("FP1", "0")]), 1).await;
    let requests = [parcel(&orders[0], &[]), parcel(&orders[1], &[])];
    let done = shop.channel.dispatch().unwrap().dispatch(&Context::new(), &requests).await.unwrap();
    assert_eq!(words(&done), ["refused 700021", "done"]);
}

#[tokio::test]
async fn a_lost_answer_of_packing_or_hand_over_is_unknown_and_not_repeated() {
    for (call, status, body, known) in [
        (PACK, 500, String::new(), false),
        (PACK, 200, "<html>".to_owned(), false),
        (PACK, 200, String::new(), false),
        (PACK, 200, r#"{"code":"0","result":{"suc"#.to_owned(), false),
        (PACK, 200, result("null"), false),
        (PACK, 200, failed("ServiceTimeout"), false),
        (PACK, 200, failed("4711"), false),
        (PACK, 200, unsuccessful("700000"), true),
        (RTS, 504, String::new(), false),
        (RTS, 200, handed(&[("FP9", "0")]), false),
        (RTS, 200, unsuccessful("11"), true),
    ] {
        let mut shop = Shop::open().await;
        let orders = fetched(&[("11", &two("11", "pending", ""))]).await;
        shop.any(ITEMS, items(&[("11", &two("11", "pending", ""))]), 1).await;
        shop.no_reverses().await;
        shop.any(PROVIDERS, result(LOCAL), 1).await;
        if call == RTS {
            let list = packed("11", &[("1101", GOOD), ("1102", GOOD)]);
            shop.any(PACK, result(&format!(r#"{{"pack_order_list":[{list}]}}"#)), 1).await;
        }
        let once = shop.fails(call, status, &body, 1).await;
        let outcome = match shop
            .channel
            .dispatch()
            .unwrap()
            .dispatch(&Context::new(), &[parcel(&orders[0], &[])])
            .await
        {
            Ok(outcomes) => outcomes.into_iter().next().unwrap(),
            Err(error) => Outcome::from_error(&error),
        };
        let expected = if known { "refused" } else { "unknown" };
        assert!(word(&outcome).starts_with(expected), "{call} {status} {body}: {outcome:?}");
        once.assert_async().await;
    }
}

#[tokio::test]
async fn a_limit_keeps_later_calls_back_and_says_when() {
    let mut shop = Shop::open().await;
    let orders = fetched(&[("11", &two("11", "pending", ""))]).await;
    shop.any(ITEMS, items(&[("11", &two("11", "pending", ""))]), 1).await;
    shop.no_reverses().await;
    shop.any(PROVIDERS, result(LOCAL), 1).await;
    let limited = r#"{"code":"SellerCallLimit","type":"ISV","message":"this ban will last 86000 seconds"}"#;
    shop.fails(PACK, 200, limited, 1).await;
    let rts = shop.any(RTS, handed(&[]), 0).await;
    let error = shop
        .channel
        .dispatch()
        .unwrap()
        .dispatch(&Context::new(), &[parcel(&orders[0], &[])])
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert_eq!(error.retry_after().map(|wait| wait.as_secs()), Some(86_000));
    assert!(!error.outcome_unknown());
    rts.assert_async().await;
}

#[tokio::test]
async fn a_cross_border_shop_packs_for_the_warehouse_that_the_merchant_chose() {
    let mut shop = Shop::open().await;
    let orders = fetched(&[("11", &two("11", "pending", ""))]).await;
    shop.any(ITEMS, items(&[("11", &two("11", "pending", ""))]), 2).await;
    shop.no_reverses().await;
    let offered = r#"{"platform_default":"0","shipping_allocate_type":"NTFS","shipment_providers":[{"name":"A","provider_code":"FM49"},{"name":"B","provider_code":"FM50"}]}"#;
    shop.any(PROVIDERS, result(offered), 2).await;
    let dispatch = shop.channel.dispatch().unwrap();
    let refused = dispatch.dispatch(&Context::new(), &[parcel(&orders[0], &[])]).await.unwrap();
    let Outcome::Refused(no) = &refused[0] else { panic!("{refused:?}") };
    assert!(
        no.message.contains("shipment_provider_code") && no.message.contains("FM50 (B)"),
        "{}",
        no.message
    );
    let body = r#"{"pack_order_list":[{"order_item_list":[1101,1102],"order_id":11}],"delivery_type":"dropship","shipment_provider_code":"FM50","shipping_allocate_type":"NTFS"}"#;
    let list = packed("11", &[("1101", GOOD), ("1102", GOOD)]);
    let pack =
        shop.on(PACK, &[("packReq", body)], result(&format!(r#"{{"pack_order_list":[{list}]}}"#)), 1).await;
    shop.any(RTS, handed(&[("FP1", "0")]), 1).await;
    let cx =
        Context::new().with_settings(Arc::new([("shipment_provider_code".to_owned(), json!("FM50"))].into()));
    let dispatch = shop.channel.dispatch().unwrap();
    let done = dispatch.dispatch(&cx, &[parcel(&orders[0], &[])]).await.unwrap();
    assert_eq!(words(&done), ["done"]);
    pack.assert_async().await;
}

fn product(item: &str, skus: &[(&str, &str)]) -> String {
    let skus: Vec<String> = skus
        .iter()
        .map(|(id, more)| {
            format!(r#"{{"SkuId":{id},"SellerSku":"CAP-{id}","Status":"active","quantity":9,"Available":"5"{more}}}"#)
        })
        .collect();
    format!(
        r#"{{"item_id":{item},"status":"Active","attributes":{{"name":"帽子 🧢"}},"skus":[{}]}}"#,
        skus.join(",")
    )
}

const SINGLE: &str =
    r#","multiWarehouseInventories":[{"warehouseCode":"dropshipping","sellableQuantity":3,"quantity":9}]"#;
const DOUBLE: &str = r#","multiWarehouseInventories":[{"warehouseCode":"dropshipping","sellableQuantity":3},{"warehouseCode":"WH-1","quantity":4}]"#;

#[tokio::test]
async fn quantities_of_several_products_go_in_one_call() {
    let mut shop = Shop::open().await;
    shop.on(PRODUCT, &[("item_id", "1")], data(&product("1", &[("10", SINGLE)])), 1).await;
    shop.on(PRODUCT, &[("item_id", "2")], data(&product("2", &[("20", "")])), 1).await;
    shop.on(PRODUCT, &[("item_id", "3")], failed("208"), 1).await;
    let xml = "<Request><Product><Skus><Sku><ItemId>1</ItemId><SkuId>10</SkuId><SellableQuantity>7</SellableQuantity></Sku><Sku><ItemId>2</ItemId><SkuId>20</SkuId><SellableQuantity>6</SellableQuantity></Sku></Skus></Product></Request>";
    let set = shop.on(STOCK, &[("payload", xml)], sample("updatesellablequantity"), 1).await;
    let keys = [("1", "10"), ("3", "30"), ("2", "20"), ("1", "99"), ("", "10"), ("1", "10")]
        .map(|(item, sku)| ListingKey::option(item, sku));
    let empty = ChannelData::default();
    let changes: Vec<StockChange<'_>> = keys
        .iter()
        .zip([7, 1, 6, 1, 1, 1])
        .map(|(key, quantity)| StockChange::new(key, &empty, quantity))
        .collect();
    let done = shop.channel.stock().unwrap().set_stock(&Context::new(), &changes).await.unwrap();
    assert_eq!(words(&done), ["done", "refused 208", "done", "refused", "refused", "not tried"]);
    let Outcome::Done(second) = &done[2] else { panic!("{done:?}") };
    assert_eq!(second.quantity, 6);
    set.assert_async().await;
}

#[tokio::test]
async fn a_quantity_of_several_warehouses_adds_up() {
    let mut shop = Shop::open().await;
    shop.any(PRODUCT, data(&product("1", &[("11", DOUBLE)])), 2).await;
    let xml = "<Request><Product><Skus><Sku><ItemId>1</ItemId><SkuId>11</SkuId><MultiWarehouseInventories><MultiWarehouseInventory><WarehouseCode>WH-1</WarehouseCode><SellableQuantity>5</SellableQuantity></MultiWarehouseInventory></MultiWarehouseInventories></Sku></Skus></Product></Request>";
    let set = shop.on(STOCK, &[("payload", xml)], sample("updatesellablequantity"), 1).await;
    let (key, data) = (ListingKey::option("1", "11"), ChannelData::default());
    let changes = [StockChange::new(&key, &data, 8)];
    let stock = shop.channel.stock().unwrap();
    let refused = stock.set_stock(&Context::new(), &changes).await.unwrap();
    let Outcome::Refused(no) = &refused[0] else { panic!("{refused:?}") };
    assert!(no.message.contains("stock_warehouse_code"), "{}", no.message);
    let cx =
        Context::new().with_settings(Arc::new([("stock_warehouse_code".to_owned(), json!("WH-1"))].into()));
    let done = stock.set_stock(&cx, &changes).await.unwrap();
    let [Outcome::Done(done)] = done.as_slice() else { panic!("{done:?}") };
    assert_eq!(done.quantity, 8);
    set.assert_async().await;
}

#[tokio::test]
async fn a_failed_stock_call_is_repeated_sku_by_sku() {
    let mut shop = Shop::open().await;
    shop.any(PRODUCT, data(&product("1", &[("10", SINGLE), ("11", ""), ("12", "")])), 1).await;
    let sku = |id: &str, n: u32| {
        format!("<Sku><ItemId>1</ItemId><SkuId>{id}</SkuId><SellableQuantity>{n}</SellableQuantity></Sku>")
    };
    let xml = |skus: &str| format!("<Request><Product><Skus>{skus}</Skus></Product></Request>");
    let detail = r#"{"code":"501","type":"ISP","message":"E501: Update product failed","detail":[{"field":"SkuId","message":"SKU is locked"}]}"#;
    let all = sku("10", 0) + &sku("11", 2) + &sku("12", 3);
    let first = shop.on(STOCK, &[("payload", &xml(&all))], detail, 1).await;
    let ten = shop.on(STOCK, &[("payload", &xml(&sku("10", 0)))], data("{}"), 1).await;
    let eleven = shop.on(STOCK, &[("payload", &xml(&sku("11", 2)))], detail, 1).await;
    let mixed = r#"{"code":"0","data":{},"detail":[{"message":"not all was done"}]}"#;
    let twelve = shop.on(STOCK, &[("payload", &xml(&sku("12", 3)))], mixed, 1).await;
    let keys = ["10", "11", "12"].map(|sku| ListingKey::option("1", sku));
    let empty = ChannelData::default();
    let changes: Vec<StockChange<'_>> =
        keys.iter().zip([0, 2, 3]).map(|(key, quantity)| StockChange::new(key, &empty, quantity)).collect();
    let done = shop.channel.stock().unwrap().set_stock(&Context::new(), &changes).await.unwrap();
    assert_eq!(words(&done), ["done", "refused 501", "unknown"]);
    let Outcome::Refused(no) = &done[1] else { panic!("{done:?}") };
    assert!(no.message.contains("SkuId: SKU is locked"), "{}", no.message);
    for mock in [first, ten, eleven, twelve] {
        mock.assert_async().await;
    }
}

#[tokio::test]
async fn stock_that_got_no_readable_answer_is_sent_again_and_then_unknown() {
    for (status, body) in [(500, ""), (200, "<html>"), (200, ""), (200, r#"{"code":"6","type":"ISP"}"#)] {
        let mut shop = Shop::open().await;
        shop.any(PRODUCT, data(&product("1", &[("10", "")])), 1).await;
        let twice = shop.fails(STOCK, status, body, 2).await;
        let (key, empty) = (ListingKey::option("1", "10"), ChannelData::default());
        let changes = [StockChange::new(&key, &empty, 1)];
        let error = shop.channel.stock().unwrap().set_stock(&Context::new(), &changes).await.unwrap_err();
        assert!(error.outcome_unknown(), "{status} {body}: {error}");
        twice.assert_async().await;
    }
}

#[tokio::test]
async fn shown_quantities_are_what_buyers_can_order() {
    let mut shop = Shop::open().await;
    let broken = r#","multiWarehouseInventories":[{"warehouseCode":"A"}]"#;
    let skus = [("10", SINGLE), ("11", DOUBLE), ("12", ""), ("13", broken)];
    shop.on(PRODUCT, &[("item_id", "1")], data(&product("1", &skus)), 1).await;
    shop.on(PRODUCT, &[("item_id", "2")], failed("207"), 1).await;
    let keys = [("1", "10"), ("1", "11"), ("1", "12"), ("1", "13"), ("1", "14"), ("2", "20")]
        .map(|(item, sku)| ListingKey::option(item, sku));
    let read = shop.channel.stock().unwrap().read_stock(&Context::new(), &keys).await.unwrap();
    assert_eq!(words(&read), ["done", "done", "done", "not tried", "refused", "refused 207"]);
    let quantities: Vec<u32> = read
        .iter()
        .filter_map(|outcome| if let Outcome::Done(shown) = outcome { Some(shown.quantity) } else { None })
        .collect();
    assert_eq!(quantities, [3, 7, 5]);
}

/// The official products, whose SKUs are shown as texts: they are lists.
fn official(name: &str) -> String {
    let mut value: Value = serde_json::from_str(&sample(name)).unwrap();
    let product = if name == "getproducts" { &mut value["data"]["products"] } else { &mut value["data"] };
    let skus: Value = serde_json::from_str(product["skus"].as_str().unwrap()).unwrap();
    product["skus"] = skus;
    product["status"] = json!("Active");
    value.to_string()
}

#[tokio::test]
async fn the_official_products_are_read() {
    let mut shop = Shop::open().await;
    shop.any(PRODUCT, official("getproductitem"), 1).await;
    let key = ListingKey::option("234222211", "314525867");
    let read = shop.channel.stock().unwrap().read_stock(&Context::new(), &[key]).await.unwrap();
    let [Outcome::Done(shown)] = read.as_slice() else { panic!("{read:?}") };
    assert_eq!(shown.quantity, 0);
    shop.any(
        PRODUCTS,
        official("getproducts").replace("\"total_products\":\"10\"", "\"total_products\":\"1\""),
        1,
    )
    .await;
    let page = shop.channel.listings().unwrap().list(&Context::new(), None).await.unwrap();
    let listing = &page.listings[0];
    assert_eq!(listing.key, ListingKey::option("180226526", "314525867"));
    assert_eq!(listing.sku.as_ref().unwrap().as_str(), "39817:01:01");
    assert_eq!((listing.title.as_str(), listing.state), ("asd", ListingState::OnSale));
    assert_eq!((listing.quantity, page.next.is_none()), (Some(0), true));
}

#[tokio::test]
async fn products_are_listed_in_spans_of_their_creation_whatever_order_they_come_in() {
    let mut shop = Shop::open().await;
    // 120 products in bursts, ten of them in one second; the server gives any order and at most 50.
    let made: Vec<i64> =
        (0..120).map(|n| 1_500_000_000 + (n / 10) * 7_000_000 + (n % 10) * i64::from(n > 9)).collect();
    shop.server
        .mock("GET", Matcher::Regex("^/rest/products/get".to_owned()))
        .with_body_from_request(move |request| {
            let query: Vec<(String, String)> = request
                .path_and_query()
                .split_once('?')
                .unwrap()
                .1
                .split('&')
                .map(|pair| {
                    pair.split_once('=')
                        .map(|(n, v)| (n.to_owned(), v.replace("%3A", ":").replace("%2B", "+")))
                        .unwrap()
                })
                .collect();
            let get = |name: &str| query.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone());
            let time = |name: &str| at(&get(name).unwrap()).timestamp();
            assert_eq!(
                (get("filter").as_deref(), get("limit").as_deref(), get("offset")),
                (Some("all"), Some("50"), None)
            );
            let found: Vec<usize> = (0..made.len())
                .rev()
                .filter(|n| (time("create_after")..=time("create_before")).contains(&made[*n]))
                .collect();
            let rows: Vec<String> =
                found.iter().take(50).map(|n| product(&(n + 1).to_string(), &[("1", "")])).collect();
            data(&format!(r#"{{"total_products":{},"products":[{}]}}"#, found.len(), rows.join(",")))
                .into_bytes()
        })
        .expect_at_least(3)
        .create_async()
        .await;
    let (mut seen, mut cursor, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = shop.channel.listings().unwrap().list(&Context::new(), cursor.as_ref()).await.unwrap();
        seen.extend(page.listings.iter().map(|listing| listing.key.item.parse::<usize>().unwrap()));
        pages += 1;
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    seen.sort_unstable();
    assert_eq!(seen, (1..=120).collect::<Vec<_>>());
    assert!(pages < 40, "{pages} pages");
}

#[tokio::test]
async fn a_product_that_can_t_be_read_is_no_hole_in_the_list() {
    for body in [
        r#"{"total_products":1,"products":[{"skus":[]}]}"#,
        r#"{"total_products":1,"products":[{"item_id":1,"skus":[{"SellerSku":"A"}]}]}"#,
        r#"{"total_products":1,"products":[7]}"#,
    ] {
        let mut shop = Shop::open().await;
        shop.any(PRODUCTS, data(body), 1).await;
        let error = shop.channel.listings().unwrap().list(&Context::new(), None).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MalformedResponse, "{body}");
    }
}

#[tokio::test]
async fn requests_of_a_window_are_listed_page_by_page() {
    let mut shop = Shop::open().await;
    let window = Window::new(at(FROM), at(TO));
    let query = |page: &'static str| {
        [
            ("request_type_list", r#"["CANCEL"]"#),
            ("page_no", page),
            ("page_size", "50"),
            ("ReverseOrderLineTimeRangeStart", "1795165200000"),
            ("ReverseOrderLineTimeRangeEnd", "1795168800000"),
        ]
    };
    let first = reverses(&[reverse("901", "11", &["1101", "1102"], "REQUEST_INITIATE")])
        .replace("\"total\":1", "\"total\":\"51\"");
    let one = shop.on(REVERSES, &query("1"), first, 1).await;
    let rows = [reverse("902", "12", &["1201"], "CANCEL_SUCCESS"), r#"{"request_type":"CANCEL"}"#.to_owned()];
    let second = reverses(&rows).replace("\"total\":2", "\"total\":\"51\"");
    let two = shop.on(REVERSES, &query("2"), second, 1).await;
    let cancels = shop.channel.cancellations().unwrap();
    let page = cancels.requests(&Context::new(), window, None).await.unwrap();
    let request = &page.requests[0];
    assert_eq!((request.order.as_str(), request.id.as_deref(), request.open), ("11", Some("901"), true));
    assert_eq!(request.requested_at, Some(at("2026-11-20T09:12:33Z")));
    assert_eq!(request.reason.reveal(), "Change of mind");
    let page = cancels.requests(&Context::new(), window, page.next.as_ref()).await.unwrap();
    assert_eq!((page.requests[0].open, page.unreadable.len(), page.next.is_none()), (false, 1, true));
    one.assert_async().await;
    two.assert_async().await;
    // The official sample: an order of 0 is none.
    let mut shop = Shop::open().await;
    shop.any(REVERSES, sample("getreverseordersforseller"), 1).await;
    let page = shop.channel.cancellations().unwrap().requests(&Context::new(), window, None).await.unwrap();
    assert_eq!((page.requests.len(), page.unreadable.len(), page.next.is_some()), (0, 1, true));
}

fn decision(order: &Order, action: CancelAction) -> CancelDecision<'_> {
    CancelDecision { order, action, reason: CancelReason::OutOfStock, memo: None }
}

#[tokio::test]
async fn open_requests_are_granted_and_refused() {
    for (action, agree) in [(CancelAction::Accept, "true"), (CancelAction::Refuse, "false")] {
        let mut shop = Shop::open().await;
        let orders = fetched(&[("11", &two("11", "pending", ""))]).await;
        shop.any(REVERSES, reverses(&[reverse("901", "11", &["1101"], "REQUEST_INITIATE")]), 1).await;
        shop.any(ITEMS, items(&[("11", &two("11", "pending", ""))]), 1).await;
        let query = [("reverse_order_id", "901"), ("agree_cancel", agree)];
        let decide = shop.on(DECIDE, &query, sample("initreverseordercanceldecide"), 1).await;
        let cancels = shop.channel.cancellations().unwrap();
        let done = cancels.decide(&Context::new(), &[decision(&orders[0], action)]).await.unwrap();
        assert_eq!(words(&done), ["done"]);
        decide.assert_async().await;
    }
}

#[tokio::test]
async fn granting_never_cancels_more_than_the_buyer_asked_for() {
    let asked = |items: &[&str]| reverses(&[reverse("901", "11", items, "REQUEST_INITIATE")]);
    let nameless =
        reverses(&[r#"{"reverse_order_id":901,"trade_order_id":11,"request_type":"CANCEL"}"#.to_owned()]);
    for (found, package, expected, calls) in [
        (asked(&["1101"]), "FP1", "refused", 0),
        (asked(&["1101", "1102"]), "FP1", "done", 1),
        (asked(&["1101"]), "", "done", 1),
        (nameless.clone(), "FP1", "refused", 0),
        (nameless, "", "done", 1),
    ] {
        let mut shop = Shop::open().await;
        let orders = fetched(&[("11", &two("11", "pending", ""))]).await;
        shop.any(REVERSES, found, 1).await;
        let status = if package.is_empty() { "pending" } else { "packed" };
        shop.any(ITEMS, items(&[("11", &two("11", status, package))]), 1).await;
        let decide = shop.any(DECIDE, data("null"), calls).await;
        let cancels = shop.channel.cancellations().unwrap();
        let done =
            cancels.decide(&Context::new(), &[decision(&orders[0], CancelAction::Accept)]).await.unwrap();
        assert_eq!(words(&done), [expected]);
        decide.assert_async().await;
    }
}

#[tokio::test]
async fn a_decision_without_an_open_request_calls_nothing() {
    for (status, action, expected) in [
        ("CANCEL_SUCCESS", CancelAction::Accept, "already"),
        ("CANCEL_SUCCESS", CancelAction::Refuse, "refused"),
        ("REQUEST_REJECT", CancelAction::Refuse, "already"),
        ("REQUEST_CANCEL", CancelAction::Accept, "refused"),
    ] {
        let mut shop = Shop::open().await;
        let orders = fetched(&[("11", &two("11", "pending", ""))]).await;
        shop.any(REVERSES, reverses(&[reverse("901", "11", &["1101"], status)]), 1).await;
        let decide = shop.any(DECIDE, data("null"), 0).await;
        let cancels = shop.channel.cancellations().unwrap();
        let done = cancels.decide(&Context::new(), &[decision(&orders[0], action)]).await.unwrap();
        assert_eq!(words(&done), [expected], "{status} {action:?}");
        decide.assert_async().await;
    }
}

#[tokio::test]
async fn a_decision_is_sent_once_and_a_lost_answer_is_unknown() {
    for (status, body, expected) in [
        (200, failed("131"), "refused 131"),
        (200, failed("106"), "unknown"),
        (500, String::new(), "unknown"),
        (200, "<html>".to_owned(), "unknown"),
    ] {
        let mut shop = Shop::open().await;
        let orders = fetched(&[("11", &two("11", "pending", ""))]).await;
        shop.any(REVERSES, reverses(&[reverse("901", "11", &["1101"], "REQUEST_INITIATE")]), 1).await;
        let once = shop.fails(DECIDE, status, &body, 1).await;
        let cancels = shop.channel.cancellations().unwrap();
        let outcome =
            match cancels.decide(&Context::new(), &[decision(&orders[0], CancelAction::Refuse)]).await {
                Ok(outcomes) => outcomes.into_iter().next().unwrap(),
                Err(error) => Outcome::from_error(&error),
            };
        assert_eq!(word(&outcome), expected, "{status} {body}");
        once.assert_async().await;
    }
}

#[tokio::test]
async fn a_seller_cancels_a_whole_order_or_nothing() {
    for (now, expected, cancelled) in [
        (two("11", "pending", ""), "done", 1),
        (two("11", "packed", "FP1"), "done", 1),
        (two("11", "ready_to_ship", "FP1"), "refused", 0),
        (two("11", "canceled", ""), "already", 0),
        ([item("11", "1101", "shipped", "P", ""), item("11", "1102", "pending", "", "")], "refused", 0),
    ] {
        let mut shop = Shop::open().await;
        let orders = fetched(&[("11", &two("11", "pending", ""))]).await;
        shop.any(ITEMS, items(&[("11", &now)]), 1).await;
        let list = [("order_id", "11"), ("order_item_id_list", r#"["1101","1102"]"#)];
        let validate = shop.on(VALIDATE, &list, sample("ordercancelvalidate"), cancelled).await;
        let mut query = list.to_vec();
        query.push(("reason_id", "1000017"));
        let answer = sample("initreverseordercancel").replace("\"error\"", "\"warn\"");
        let cancel = shop.on(CANCEL, &query, answer, cancelled).await;
        let cancels = shop.channel.cancellations().unwrap();
        let done = cancels
            .decide(&Context::new(), &[decision(&orders[0], CancelAction::CancelBySeller)])
            .await
            .unwrap();
        assert_eq!(words(&done), [expected], "{now:?}");
        validate.assert_async().await;
        cancel.assert_async().await;
    }
}

#[tokio::test]
async fn a_cancellation_that_succeeds_with_an_error_tip_is_checked_on_the_order() {
    for (after, expected) in [("canceled", "done"), ("pending", "unknown")] {
        let mut shop = Shop::open().await;
        let orders = fetched(&[("11", &two("11", "pending", ""))]).await;
        shop.any(ITEMS, items(&[("11", &two("11", "pending", ""))]), 1).await;
        shop.any(ITEMS, items(&[("11", &two("11", after, ""))]), 1).await;
        shop.any(VALIDATE, sample("ordercancelvalidate"), 1).await;
        shop.any(CANCEL, sample("initreverseordercancel"), 1).await;
        let cancels = shop.channel.cancellations().unwrap();
        let outcome = match cancels
            .decide(&Context::new(), &[decision(&orders[0], CancelAction::CancelBySeller)])
            .await
        {
            Ok(outcomes) => outcomes.into_iter().next().unwrap(),
            Err(error) => Outcome::from_error(&error),
        };
        assert_eq!(word(&outcome), expected);
    }
}

const NEW_TOKENS: &str = r#"{"code":"0","access_token":"50000-new-access-very-secret","refresh_token":"50001-new-refresh-very-secret","expires_in":2592000,"refresh_expires_in":15552000,"country":"sg"}"#;

#[tokio::test]
async fn two_callers_at_once_renew_a_refused_token_once() {
    let vault = Arc::new(MemoryVault::default());
    let mut shop = Shop::with(credentials(), Some(vault.clone())).await;
    let refused = r#"{"code":"IllegalAccessToken","type":"ISV","message":"The specified access token is invalid or expired"}"#;
    let old = Matcher::UrlEncoded("access_token".to_owned(), TOKEN.to_owned());
    let old = shop
        .server
        .mock("GET", "/rest/orders/get")
        .match_query(Matcher::AllOf(vec![old]))
        .with_body(refused)
        .expect(2)
        .create_async()
        .await;
    let refresh = shop.on(REFRESHES, &[("refresh_token", REFRESH)], NEW_TOKENS, 1).await;
    let new = Matcher::UrlEncoded("access_token".to_owned(), "50000-new-access-very-secret".to_owned());
    let new = shop
        .server
        .mock("GET", "/rest/orders/get")
        .match_query(Matcher::AllOf(vec![new]))
        .with_body(page(&[], 0))
        .expect(2)
        .create_async()
        .await;
    let (one, two) = tokio::join!(shop.fetch(FROM, TO), shop.fetch(FROM, TO));
    assert!(one.unwrap().is_empty() && two.unwrap().is_empty());
    for mock in [old, refresh, new] {
        mock.assert_async().await;
    }
    let saved = vault.load(&"shop-1".into()).await.unwrap().unwrap();
    assert_eq!(saved.get(REFRESH_TOKEN).map(Secret::expose), Some("50001-new-refresh-very-secret"));
    assert_eq!(saved.get(MARKET).map(Secret::expose), Some("sg"));
    let life = saved.expires_at.unwrap() - Utc::now();
    assert!(life > TimeDelta::days(179) && life <= TimeDelta::days(180));
    let current = shop.channel.credentials().unwrap().current().await;
    assert_eq!(current, saved);
}

#[tokio::test]
async fn a_token_is_renewed_before_it_ends_and_one_that_still_works_is_used_if_that_fails() {
    for (ends, status, renewed, works) in [
        (TimeDelta::minutes(10), 200, true, true),
        (TimeDelta::minutes(10), 500, true, true),
        (TimeDelta::minutes(-1), 500, true, false),
        (TimeDelta::days(3), 200, false, true),
    ] {
        let ends = (Utc::now() + ends).to_rfc3339();
        let mut shop = Shop::with(credentials().with(ACCESS_TOKEN_ENDS, ends), None).await;
        let body = if status == 200 { NEW_TOKENS } else { "" };
        let refresh = shop.fails(REFRESHES, status, body, usize::from(renewed)).await;
        shop.any(ORDERS, page(&[], 0), usize::from(works)).await;
        let fetched = shop.fetch(FROM, TO).await;
        assert_eq!(fetched.is_ok(), works, "{status} {fetched:?}");
        refresh.assert_async().await;
    }
}

#[tokio::test]
async fn a_refresh_token_that_ended_says_that_the_merchant_must_authorise_again() {
    for (code, word) in [("IllegalRefreshToken", "authorise"), ("AUTH_TYPE_UNSUPPORTED", "service market")] {
        let mut shop = Shop::open().await;
        shop.fails(ORDERS, 200, &failed("IllegalAccessToken"), 1).await;
        shop.fails(REFRESHES, 200, &failed(code), 1).await;
        let error = shop.fetch(FROM, TO).await.unwrap_err();
        assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::CredentialExpired, false));
        assert!(error.to_string().contains(word), "{error}");
    }
}

#[tokio::test]
async fn a_code_becomes_credentials_for_each_market_of_the_merchant() {
    let mut shop = Shop::open().await;
    let config = config(&shop.server);
    let call = shop
        .on("POST /auth/token/create", &[("code", "0_100132_code")], sample("generateaccesstoken"), 1)
        .await;
    let (client, cx) = (client(), Context::new());
    let got = exchange_code(&client, &cx, &config, "shop-1", KEY, &SECRET.into(), &"0_100132_code".into())
        .await
        .unwrap();
    assert_eq!(got.sellers.len(), 1);
    assert_eq!((got.sellers[0].market, got.sellers[0].seller_id.as_str()), (Some(Market::Singapore), "1001"));
    let credentials = got.credentials(Market::Singapore);
    assert_eq!(credentials.get(SELLER_ID).map(Secret::expose), Some("1001"));
    assert_eq!(credentials.get(MARKET).map(Secret::expose), Some("sg"));
    assert!(credentials.get(ACCESS_TOKEN).unwrap().expose().starts_with("50000601c30atpedfgu3"));
    assert!(credentials.get(ACCESS_TOKEN_ENDS).is_some() && credentials.expires_at.is_some());
    assert!(Lazada::new(&client, "shop-1", &credentials, config.clone()).is_ok());
    assert!(!format!("{got:?}").contains("50000601c30"));
    call.assert_async().await;
    // Renewals name the sellers by another field; the library keeps the market that it has.
    let mut shop = Shop::open().await;
    shop.on(REFRESHES, &[("refresh_token", REFRESH)], sample("refreshaccesstoken"), 1).await;
    shop.fails(ORDERS, 200, &failed("IllegalAccessToken"), 2).await;
    let error = shop.fetch(FROM, TO).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized, "the renewed token is refused too: {error}");
}

#[test]
fn the_link_asks_for_a_code() {
    let config = Config::of(Market::Thailand).unwrap();
    let link = authorize_link(&config, "100132", "https://example.com/back?own=1").unwrap();
    assert_eq!(
        link.as_str(),
        "https://auth.lazada.com/oauth/authorize?response_type=code&force_auth=true&redirect_uri=https%3A%2F%2Fexample.com%2Fback%3Fown%3D1&client_id=100132"
    );
    assert!(authorize_link(&config, " ", "https://example.com").is_err());
}

#[tokio::test]
async fn the_market_of_the_credentials_chooses_the_host() {
    let server = mockito::Server::new_async().await;
    let adapter = adapters::find("lazada").unwrap();
    for (market, zone, currency) in [("sg", "Asia/Singapore", "SGD"), ("VN", "Asia/Ho_Chi_Minh", "VND")] {
        let opening = Opening::new(&client(), "shop-1", credentials().with(MARKET, market))
            .at(server.url().parse().unwrap());
        let channel = (adapter.open)(&opening).unwrap();
        assert_eq!(channel.info().zone.name(), zone);
        assert_eq!(channel.info().currencies[0].as_str(), currency);
    }
    for market in ["jp", "cb"] {
        let opening = Opening::new(&client(), "shop-1", credentials().with(MARKET, market));
        assert_eq!((adapter.open)(&opening).unwrap_err().kind(), ErrorKind::Configuration);
    }
    let mut lacking = credentials();
    lacking.parts.remove(MARKET);
    let opening = Opening::new(&client(), "shop-1", lacking);
    assert_eq!((adapter.open)(&opening).unwrap_err().kind(), ErrorKind::InvalidInput);
    let other = Config::of(Market::Malaysia).unwrap();
    let error = Lazada::new(&client(), "shop-1", &credentials(), other).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    let mut example = Credentials::new();
    for part in adapter.parts {
        example = example.with(part.name, part.example);
    }
    assert!((adapter.open)(&Opening::new(&client(), "shop-1", example)).is_ok());
}

#[tokio::test]
async fn a_connection_is_tested_by_harmless_reads_and_names_what_is_missing() {
    let mut shop = Shop::open().await;
    let seller = sample("getseller").replace("\"ACTIVE\"", "\"INACTIVE\"");
    let calls = [
        shop.any(SELLER, seller, 1).await,
        shop.any(ORDERS, page(&[], 0), 1).await,
        shop.any(PRODUCTS, failed("InsufficientPermission"), 1).await,
        shop.any(REVERSES, reverses(&[]), 1).await,
    ];
    let report = shop.channel.test(&Context::new()).await.unwrap();
    let of = |capability| {
        report.capabilities.iter().find(|(c, _)| *c == capability).map(|(_, check)| check.clone())
    };
    assert_eq!(of(Capability::FetchOrders), Some(CapabilityCheck::Allowed));
    assert_eq!(of(Capability::HandleCancellations), Some(CapabilityCheck::Allowed));
    assert!(matches!(of(Capability::ListListings), Some(CapabilityCheck::Denied { .. })));
    assert_eq!(of(Capability::DispatchOrders), Some(CapabilityCheck::Assumed));
    assert!(report.notes.iter().any(|note| note.contains("INACTIVE")));
    assert!(report.notes.iter().any(|note| note.contains("Ease Mode")));
    for mock in calls {
        mock.assert_async().await;
    }
    // The token of another shop.
    let mut shop = Shop::with(credentials().with(SELLER_ID, "77"), None).await;
    shop.any(SELLER, sample("getseller"), 1).await;
    assert_eq!(shop.channel.test(&Context::new()).await.unwrap_err().kind(), ErrorKind::Unauthorized);
}

#[tokio::test]
async fn replaced_credentials_are_checked_before_they_are_used() {
    let mut shop = Shop::open().await;
    let renew = shop.channel.credentials().unwrap();
    let new = credentials().with(ACCESS_TOKEN, "50000-other-access").with(REFRESH_TOKEN, "50001-other");
    let wrong_market = renew.replace(&Context::new(), &new.clone().with(MARKET, "my")).await.unwrap_err();
    assert_eq!(wrong_market.kind(), ErrorKind::Configuration);
    shop.fails(SELLER, 200, &failed("IllegalAccessToken"), 1).await;
    let renew = shop.channel.credentials().unwrap();
    assert!(renew.replace(&Context::new(), &new).await.is_err());
    assert_eq!(renew.current().await, credentials());
    shop.server.reset();
    shop.any(SELLER, sample("getseller"), 1).await;
    let renew = shop.channel.credentials().unwrap();
    renew.replace(&Context::new(), &new).await.unwrap();
    assert_eq!(renew.current().await, new);
    assert_eq!(renew.expiry(&Context::new()).await.unwrap(), None);
}

#[tokio::test]
async fn each_bad_answer_to_a_read_has_its_kind() {
    use ErrorKind as Kind;
    for (status, body, kind, temporary, calls) in [
        (500, "", Kind::Unavailable, true, 2),
        (502, "<html>bad gateway</html>", Kind::Unavailable, true, 2),
        (429, "", Kind::RateLimited, true, 2),
        (200, "<html>maintenance</html>", Kind::MalformedResponse, true, 2),
        (200, "", Kind::MalformedResponse, true, 2),
        (200, r#"{"code":"0","data":{"orders":[{"order_id""#, Kind::MalformedResponse, true, 2),
        (200, "[]", Kind::MalformedResponse, true, 2),
        (200, r#"{"data":{"countTotal":0,"orders":[]}}"#, Kind::MalformedResponse, true, 2),
        (200, r#"{"code":"0"}"#, Kind::MalformedResponse, true, 1),
        (401, "", Kind::Unauthorized, false, 1),
        (403, "", Kind::Forbidden, false, 1),
        (404, "", Kind::Configuration, false, 1),
        (302, "", Kind::MalformedResponse, false, 1),
    ] {
        let mut shop = Shop::open().await;
        let mock = shop.fails(ORDERS, status, body, calls).await;
        let error = shop.fetch(FROM, TO).await.unwrap_err();
        assert_eq!((error.kind(), error.is_temporary()), (kind, temporary), "{status} {body}: {error}");
        assert!(!error.outcome_unknown(), "{status} {body}");
        mock.assert_async().await;
    }
}

#[tokio::test]
async fn a_limit_of_http_says_how_long_to_wait() {
    let mut shop = Shop::open().await;
    shop.server
        .mock("GET", Matcher::Regex("^/rest/orders/get".to_owned()))
        .with_status(429)
        .with_header("retry-after", "3600")
        .expect(1)
        .create_async()
        .await;
    let error = shop.fetch(FROM, TO).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert_eq!(error.retry(), Retry::After(std::time::Duration::from_secs(3600)));
}

#[tokio::test]
async fn secrets_and_personal_data_stand_in_no_debug_and_no_error() {
    let mut shop = Shop::open().await;
    let orders = fetched(&[("11", &two("11", "pending", ""))]).await;
    let shown = format!(
        "{:?} {:?} {:?}",
        shop.channel,
        orders[0],
        shop.channel.credentials().unwrap().current().await
    );
    for private in [SECRET, TOKEN, REFRESH, "山田", "千代田", "Ha Hùng", "red 🌿", "6****67"] {
        assert!(!shown.contains(private), "{private} in {shown}");
    }
    // The channel repeats what it was sent.
    let echo = format!(r#"{{"code":"4711","type":"ISV","message":"bad token {TOKEN} for {SECRET}"}}"#);
    shop.fails(ORDERS, 200, &echo, 2).await;
    let error = shop.fetch(FROM, TO).await.unwrap_err();
    let text = format!("{error} {error:?}");
    assert!(text.contains("bad token") && !text.contains(TOKEN) && !text.contains(SECRET), "{text}");
    let echo = format!(r#"{{"code":"IllegalRefreshToken","message":"bad {REFRESH}"}}"#);
    let mut shop = Shop::open().await;
    shop.fails(ORDERS, 200, &failed("IllegalAccessToken"), 1).await;
    shop.fails(REFRESHES, 200, &echo, 1).await;
    let error = shop.fetch(FROM, TO).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains(REFRESH));
}

fn push<'a>(headers: &'a [(String, String)], body: &'a str) -> WebhookRequest<'a> {
    WebhookRequest::new(headers, body.as_bytes())
}

#[tokio::test]
async fn pushes_are_checked_and_name_their_order() {
    let shop = Shop::with(credentials().with(SELLER_ID, "1234567"), None).await;
    let hooks = shop.channel.webhooks().unwrap();
    let changed = |id: &str| Some(vec![id.to_owned()]);
    for (body, expected) in [
        (
            r#"{"seller_id":"1234567","message_type":0,"data":{"order_status":"unpaid","trade_order_id":"260422900198363","trade_order_line_id":"260422900298363","status_update_time":1603698638},"timestamp":1603766859530,"site":"lazada_vn"}"#,
            changed("260422900198363"),
        ),
        (
            r#"{"seller_id":"1234567","message_type":10,"data":{"reverse_order_id":658960600102006,"reverse_status":"CANCEL_INIT","trade_order_id":416557324702006},"timestamp":1627889609,"site":"lazada_sg"}"#,
            changed("416557324702006"),
        ),
        (r#"{"seller_id":"1234567","message_type":3,"data":{"item_id":"232611001"}}"#, None),
        (r#"{"seller_id":"99","message_type":0,"data":{"trade_order_id":"1"}}"#, None),
    ] {
        let signature = webhook_signature(KEY, &SECRET.into(), body.as_bytes()).unwrap();
        let headers = [("authorization".to_owned(), signature)];
        let reply = hooks.receive(&push(&headers, body)).await.unwrap();
        assert_eq!((reply.status, reply.body.as_str()), (200, ""));
        let ids = match &reply.events[0] {
            WebhookEvent::OrdersChanged(ids) => Some(ids.iter().map(|id| id.as_str().to_owned()).collect()),
            _ => None,
        };
        assert_eq!(ids, expected, "{body}");
    }
    assert_eq!(webhook_seller(br#"{"seller_id":"1000114855"}"#).as_deref(), Some("1000114855"));
}

#[tokio::test]
async fn a_push_that_is_not_lazadas_is_refused() {
    let shop = Shop::open().await;
    let hooks = shop.channel.webhooks().unwrap();
    let body = r#"{"message_type":0,"data":{"trade_order_id":"1"}}"#;
    let good = webhook_signature(KEY, &SECRET.into(), body.as_bytes()).unwrap();
    let other = webhook_signature(KEY, &"another".into(), body.as_bytes()).unwrap();
    for signature in [Some(other.as_str()), Some("zz"), Some(&good[..10]), Some(""), None] {
        let headers: Vec<(String, String)> =
            signature.map(|s| ("authorization".to_owned(), s.to_owned())).into_iter().collect();
        let error = hooks.receive(&push(&headers, body)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthorized);
    }
    let headers = [("authorization".to_owned(), good)];
    assert!(hooks.receive(&push(&headers, &body.replace('1', "2"))).await.is_err());
    // Signed, and tells no order: the channel sends it again.
    let empty = r#"{"message_type":0,"data":{}}"#;
    let signature = webhook_signature(KEY, &SECRET.into(), empty.as_bytes()).unwrap();
    let headers = [("authorization".to_owned(), signature)];
    let error = hooks.receive(&push(&headers, empty)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MalformedResponse);
}

#[test]
fn what_the_channel_can_do_is_what_it_hands_out() {
    let config = Config::of(Market::Philippines).unwrap();
    let channel = Lazada::new(&client(), "shop-1", &credentials().with(MARKET, "ph"), config).unwrap();
    assert!(channel.confirm().is_none() && channel.ship_date().is_none() && channel.notify().is_none());
    let info = channel.info();
    assert_eq!((info.id.as_str(), info.name.ja, info.name.ko), ("lazada", "ラザダ", "라자다"));
    assert_eq!((info.read_batch, info.dispatch_batch, info.stock_batch), (50, 20, 20));
    assert_eq!(info.stock_range.0, 0);
    let keys: Vec<&str> = info.options.iter().map(|option| option.key).collect();
    assert_eq!(keys, ["stock_warehouse_code", "shipment_provider_code", "seller_cancel_reason_id"]);
}
