//! Whole calls of the Rakuten adapter: what is sent, byte for byte, and what becomes of each answer.
#![cfg(feature = "rakuten")]
#![allow(clippy::unwrap_used, clippy::panic)] // tests

mod rakuten;

use chrono::{TimeDelta, Utc};
use mockito::Matcher;
use rakuten::*;
use sales_channels::adapters::rakuten::{Config, LICENSE_KEY, Rakuten, SERVICE_SECRET};
use sales_channels::adapters::{self, Opening};
use sales_channels::channel::{
    CancelAction, CancelDecision, CancelReason, Capability, CapabilityCheck, Channel, ConfirmRequest,
    Context, Credentials, DispatchRequest, OrderQuery, Outcome, PageCursor, Repeat, Row, StockChange,
    Tracking,
};
use sales_channels::model::{CancelState, ChannelData, Hold, ListingKey, Order, OrderStatus, Window};
use sales_channels::{ErrorKind, Retry};

const FROM: &str = "2026-11-20T09:00:00+09:00";
const TO: &str = "2026-11-20T10:00:00+09:00";

fn numbers(rows: &[Row]) -> Vec<&str> {
    rows.iter().filter_map(Row::order).map(|order| order.id.as_str()).collect()
}

fn cx() -> Context {
    Context::new()
}

// Fetching

#[tokio::test]
async fn a_window_is_searched_by_order_date_and_by_the_date_of_the_payment() {
    let mut shop = Shop::open().await;
    let (from, to) = ("2026-11-20T09:00:00", "2026-11-20T10:00:00");
    let sample_number = "123456-20230417-0207814266";
    let ordered =
        shop.answers_to(SEARCH, &search_body(1, from, to, 1), found(&[sample_number, "2"], 2)).await;
    let first = shop
        .answers_to(
            GET,
            &get_body(&[sample_number, "2"]),
            sample("get_order")
                .replace("\"OrderModelList\": [", &format!("\"OrderModelList\": [{},", row("2", 200))),
        )
        .await;
    let fixed = shop.answers_to(SEARCH, &search_body(3, from, to, 1), found(&["3"], 1)).await;
    let second = shop.gives(&["3"], &[row("3", 300)]).await;
    let before = Utc::now();
    let rows = shop.fetch(FROM, TO).await.unwrap();
    let mut seen = numbers(&rows);
    seen.sort_unstable();
    assert_eq!(seen, [sample_number, "2", "3"]);
    let waiting = rows.iter().filter_map(Row::order).find(|order| order.id.as_str() == "2").unwrap();
    assert_eq!(
        (waiting.status, waiting.holds.as_slice()),
        (OrderStatus::Confirmed, [Hold::PaymentInProcess].as_slice())
    );
    assert!(before <= waiting.updated_at && waiting.updated_at <= Utc::now(), "when the request was sent");
    for mock in [ordered, first, fixed, second] {
        mock.assert_async().await;
    }
}

#[tokio::test]
async fn a_window_without_orders_asks_for_none() {
    let mut shop = Shop::open().await;
    let searches = shop.on(SEARCH, Matcher::Any, 200, sample("search_order_none"), 2).await;
    let gets = shop.on(GET, Matcher::Any, 200, "{}", 0).await;
    assert!(shop.fetch(FROM, TO).await.unwrap().is_empty());
    searches.assert_async().await;
    gets.assert_async().await;
}

#[tokio::test]
async fn window_borders_are_rounded_outwards_to_the_second() {
    let mut shop = Shop::open().await;
    let none = sample("search_order_none");
    let body = |date| search_body(date, "2026-11-20T09:00:00", "2026-11-20T10:00:01", 1);
    let by_order = shop.answers_to(SEARCH, &body(1), &none).await;
    let by_payment = shop.answers_to(SEARCH, &body(3), &none).await;
    shop.fetch("2026-11-20T00:00:00.900Z", "2026-11-20T01:00:00.001Z").await.unwrap();
    by_order.assert_async().await;
    by_payment.assert_async().await;
    assert!(shop.fetch(FROM, FROM).await.unwrap().is_empty(), "an empty window sends nothing");
}

#[tokio::test]
async fn orders_that_leave_the_set_between_two_pages_shift_nobody_out_of_it() {
    let mut shop = Shop::open().await;
    let all: Vec<String> = (0..250).map(|n| format!("n{n}")).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    // One search lists them all: what is shipped meanwhile is read by its number all the same.
    let search = shop.finds(1, &all).await;
    shop.finds(3, &[]).await;
    let mut pages = Vec::new();
    for chunk in all.chunks(100) {
        let rows: Vec<String> = chunk.iter().map(|n| row(n, 500)).collect();
        pages.push(shop.gives(chunk, &rows).await);
    }
    let rows = shop.fetch(FROM, TO).await.unwrap();
    assert_eq!(numbers(&rows), all);
    search.assert_async().await;
    for page in pages {
        page.assert_async().await;
    }
}

#[tokio::test]
async fn a_piece_with_more_orders_than_one_search_lists_is_halved() {
    let mut shop = Shop::open().await;
    let span = |from: &str, to: &str| {
        let day = "2026-11-20T";
        Matcher::Exact(search_body(1, &format!("{day}{from}"), &format!("{day}{to}"), 1))
    };
    let whole = shop.on(SEARCH, span("09:00:00", "10:00:00"), 200, found(&["a", "b"], 1500), 1).await;
    let first = shop.on(SEARCH, span("09:00:00", "09:30:00"), 200, found(&["a", "b"], 2), 1).await;
    let second = shop.on(SEARCH, span("09:30:00", "10:00:00"), 200, found(&["c"], 1), 1).await;
    shop.finds(3, &[]).await;
    shop.gives(&["a", "b"], &[row("a", 100), row("b", 100)]).await;
    shop.gives(&["c"], &[row("c", 300)]).await;
    assert_eq!(numbers(&shop.fetch(FROM, TO).await.unwrap()), ["a", "b", "c"]);
    for mock in [whole, first, second] {
        mock.assert_async().await;
    }
}

#[tokio::test]
async fn a_second_with_more_orders_than_one_search_lists_is_paged_until_the_count_agrees() {
    let (from, to) = (FROM, "2026-11-20T09:00:01+09:00");
    let page = |n| Matcher::Exact(search_body(1, "2026-11-20T09:00:00", "2026-11-20T09:00:01", n));
    let mut shop = Shop::open().await;
    shop.on(SEARCH, page(1), 200, found(&["a", "b"], 3), 1).await;
    shop.on(SEARCH, page(2), 200, found(&["c"], 3), 1).await;
    shop.finds(3, &[]).await;
    shop.gives(&["a", "b", "c"], &[row("a", 100), row("b", 100), row("c", 100)]).await;
    assert_eq!(numbers(&shop.fetch(from, to).await.unwrap()), ["a", "b", "c"]);

    let mut shop = Shop::open().await;
    shop.on(SEARCH, page(1), 200, found(&["a", "b"], 4), 1).await;
    // It moved: "b" again, and one that nobody lists.
    shop.on(SEARCH, page(2), 200, found(&["b", "c"], 4), 1).await;
    shop.on(SEARCH, page(3), 200, found(&[], 0), 1).await;
    let error = shop.fetch(from, to).await.unwrap_err();
    assert_eq!((error.kind(), error.is_temporary()), (ErrorKind::Unavailable, true));
}

#[tokio::test]
async fn a_number_whose_order_is_not_given_is_asked_for_again_and_then_reported() {
    let mut shop = Shop::open().await;
    shop.finds(1, &["a", "b", "c"]).await;
    shop.finds(3, &[]).await;
    shop.gives(&["a", "b", "c"], &[row("a", 100)]).await;
    shop.gives(&["b", "c"], &[row("c", 100)]).await;
    let rows = shop.fetch(FROM, TO).await.unwrap();
    assert_eq!(numbers(&rows), ["a", "c"]);
    let Some(Row::Unreadable(lost)) = rows.last() else { panic!("{rows:?}") };
    assert_eq!(lost.id.as_ref().unwrap().as_str(), "b");
}

#[tokio::test]
async fn an_unreadable_row_keeps_its_text_and_spoils_only_itself() {
    let mut shop = Shop::open().await;
    shop.finds(1, &["a", "b"]).await;
    shop.finds(3, &[]).await;
    let bad = row("b", 100).replace(r#""units":2"#, r#""units":"many""#);
    shop.gives(&["a", "b"], &[bad.clone(), row("a", 100)]).await;
    let rows = shop.fetch(FROM, TO).await.unwrap();
    let [Row::Unreadable(unread), Row::Order(_)] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!(unread.raw.reveal(), bad);
    let shown = format!("{rows:?} {}", unread.reason);
    assert!(!shown.contains("秘密") && !shown.contains("hanako"), "{shown}");
}

#[tokio::test]
async fn an_unknown_status_a_missing_address_and_emoji_are_taken_as_they_are() {
    let mut shop = Shop::open().await;
    shop.finds(1, &["a", "b"]).await;
    shop.finds(3, &[]).await;
    let strange = row("a", 100).replace(r#""orderProgress":100"#, r#""orderProgress":950"#);
    let missing = r#"{"orderNumber":"b","orderProgress":"100","orderDatetime":"2026-11-20T09:12:33+0900","remarks":"よろしく 🎁","OrdererModel":null,"PackageModelList":[{"basketId":1,"SenderModel":null,"ItemModelList":[{"itemDetailId":"5","manageNumber":"帽子","units":"1","SkuModelList":null}],"ShippingModelList":null}]}"#;
    shop.gives(&["a", "b"], &[strange, missing.into()]).await;
    let rows = shop.fetch(FROM, TO).await.unwrap();
    let [Row::Order(strange), Row::Order(missing)] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!((strange.status, strange.cancel), (OrderStatus::Unknown, CancelState::None));
    assert!(strange.raw.reveal().contains("950"));
    assert_eq!(missing.memo.as_ref().unwrap().reveal(), "よろしく 🎁");
    assert_eq!(missing.lines[0].listing, ListingKey::item("帽子"));
    assert!(missing.destinations[0].recipient.reveal().address.is_empty());
    let stored = serde_json::to_string(&**missing).unwrap();
    assert_eq!(serde_json::from_str::<Order>(&stored).unwrap(), **missing, "kept and read back unchanged");
}

#[tokio::test]
async fn a_cursor_of_something_else_is_refused() {
    let shop = Shop::open().await;
    let window = Window::new(at(FROM), at(TO));
    for text in ["", "7", "{}", "mark:"] {
        let cursor = PageCursor::new(text);
        let fetch = shop.channel.orders().fetch(&cx(), &OrderQuery::window(window), Some(&cursor)).await;
        assert_eq!(fetch.unwrap_err().kind(), ErrorKind::InvalidInput, "{text}");
        let cancels = shop.channel.cancellations().unwrap().requests(&cx(), window, Some(&cursor)).await;
        assert_eq!(cancels.unwrap_err().kind(), ErrorKind::InvalidInput, "{text}");
        let items = shop.channel.listings().unwrap().list(&cx(), Some(&cursor)).await;
        assert_eq!(items.unwrap_err().kind(), ErrorKind::InvalidInput, "{text}");
    }
}

// Reading

#[tokio::test]
async fn known_orders_are_read_a_hundred_a_call_and_found_by_number() {
    let mut shop = Shop::open().await;
    let ids: Vec<String> = (0..101).map(|n| n.to_string()).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let rows: Vec<String> = ids[..100].iter().rev().map(|n| row(n, 300)).collect();
    let first = shop.gives(&ids[..100], &rows).await;
    let gone = message("GET_ORDER", "INFO", "102", r#","orderNumber":"100""#);
    let second = shop
        .on(
            GET,
            Matcher::Exact(get_body(&["100"])),
            200,
            format!(r#"{{"MessageModelList":[{gone}],"OrderModelList":[]}}"#),
            1,
        )
        .await;
    let known: Vec<Order> = ids.iter().map(|n| bare(n)).collect();
    let known: Vec<&Order> = known.iter().collect();
    let read = shop.read(&known).await.unwrap();
    for (n, outcome) in read.iter().enumerate().take(100) {
        let Outcome::Done(order) = outcome else { panic!("{outcome:?}") };
        assert_eq!(order.id.as_str(), ids[n]);
    }
    assert_eq!(words(&read[100..]), ["refused 102"]);
    first.assert_async().await;
    second.assert_async().await;
}

#[tokio::test]
async fn a_read_that_fails_is_never_a_refusal_whatever_the_channel_answers() {
    // A refusal would make the hub forget an order that it watches.
    let error = messages(&[message("GET_ORDER", "ERROR", "777", r#","orderNumber":"1""#)]);
    for (status, body) in [
        (200, error.clone()),
        (400, error),
        (400, String::new()),
        (404, "not found".into()),
        (409, "{}".into()),
        (
            200,
            r#"{"MessageModelList":[{"messageType":"INFO","messageCode":"X_INFO_101"}],"OrderModelList":[]}"#
                .into(),
        ),
    ] {
        let mut shop = Shop::open().await;
        shop.on(GET, Matcher::Any, status, &body, 2).await;
        let known = bare("1");
        match shop.read(&[&known]).await {
            Ok(outcomes) => assert_eq!(words(&outcomes), ["not tried"], "{status} {body}"),
            Err(error) => assert_ne!(error.kind(), ErrorKind::Refused, "{status} {body}"),
        }
    }
}

// Confirming

fn confirm_message(order: &str, sort: &str, end: &str) -> String {
    message("CONFIRM_ORDER", sort, end, &format!(r#","orderNumber":"{order}""#))
}

async fn confirm(shop: &Shop, orders: &[&str]) -> sales_channels::Result<Vec<String>> {
    let orders: Vec<Order> = orders.iter().map(|n| bare(n)).collect();
    let requests: Vec<ConfirmRequest<'_>> = orders.iter().map(ConfirmRequest::new).collect();
    let outcomes = shop.channel.confirm().unwrap().confirm(&cx(), &requests).await?;
    Ok(words(&outcomes))
}

#[tokio::test]
async fn orders_are_confirmed_in_one_call_each_with_its_own_outcome() {
    let mut shop = Shop::open().await;
    let answer = messages(&[
        confirm_message("c", "ERROR", "102"),
        confirm_message("a", "INFO", "101"),
        confirm_message("d", "ERROR", "105"),
    ]);
    let mock = shop.answers_to(CONFIRM, r#"{"orderNumberList":["a","b","c","d"]}"#, answer).await;
    let outcomes = confirm(&shop, &["a", "b", "c", "d"]).await.unwrap();
    assert_eq!(outcomes, ["done", "unknown", "refused 102", "refused 105 for now"]);
    mock.assert_async().await;
    assert_eq!(shop.channel.confirm().unwrap().repeat(), Repeat::Safe);
}

#[tokio::test]
async fn an_order_that_has_moved_on_is_read_to_tell_confirmed_from_cancelled() {
    let mut shop = Shop::open().await;
    let orders = ["done", "paid", "gone", "wanted", "still"];
    let no: Vec<String> = orders.iter().map(|n| confirm_message(n, "ERROR", "103")).collect();
    // With HTTP 400 too, the messages count.
    shop.on(CONFIRM, Matcher::Any, 400, messages(&no), 1).await;
    let rows = [row("done", 200), row("paid", 300), row("gone", 900), row("wanted", 800), row("still", 100)];
    let read = shop.gives(&orders, &rows).await;
    let outcomes = confirm(&shop, &orders).await.unwrap();
    assert_eq!(outcomes, ["already", "already", "refused 103", "refused 103", "refused 103 for now"]);
    read.assert_async().await;
}

#[tokio::test]
async fn the_sample_answer_confirms_one_and_refuses_the_other() {
    let mut shop = Shop::open().await;
    shop.answers(CONFIRM, sample("confirm_order")).await;
    shop.on(GET, Matcher::Any, 500, "", 2).await;
    let orders = ["123456-20180102-1241583267", "123456-20180101-1241583267"];
    let outcomes = confirm(&shop, &orders).await.unwrap();
    assert_eq!(outcomes, ["refused 103 for now", "done"], "what it moved to could not be read");
}

#[tokio::test]
async fn one_order_that_spoils_a_whole_call_blocks_no_other() {
    let mut shop = Shop::open().await;
    let general = messages(&[message("CONFIRM_ORDER", "ERROR", "011", "")]);
    shop.on(CONFIRM, Matcher::Exact(r#"{"orderNumberList":["a","?"]}"#.into()), 400, &general, 1).await;
    shop.answers_to(
        CONFIRM,
        r#"{"orderNumberList":["a"]}"#,
        messages(&[confirm_message("a", "INFO", "101")]),
    )
    .await;
    shop.on(CONFIRM, Matcher::Exact(r#"{"orderNumberList":["?"]}"#.into()), 400, &general, 1).await;
    assert_eq!(confirm(&shop, &["a", "?"]).await.unwrap(), ["done", "refused 011"]);
}

// Dispatching

const ADDED: &str = r#","dataNumber":1,"shippingDetailId":15421"#;

fn yamato() -> Tracking {
    Tracking::new("Yamato", "1234-5678-9012")
}

#[tokio::test]
async fn a_parcel_completes_the_empty_shipment_of_its_package() {
    let order = known("7", 300).await;
    let mut shop = Shop::open().await;
    let read = shop.gives(&["7"], &[row("7", 300)]).await;
    let body = r#"{"orderNumber":"7","BasketidModelList":[{"basketId":11,"ShippingModelList":[{"shippingDetailId":100,"deliveryCompany":"1001","shippingNumber":"1234-5678-9012","shippingDate":"2026-11-21"}]}]}"#;
    let done = message("UPDATE_ORDERSHIPPING", "INFO", "102", r#","dataNumber":1,"shippingDetailId":100"#);
    let sent = shop.answers_to(SHIP, body, messages(&[done])).await;
    let tracking = yamato();
    let request = DispatchRequest::new(&order, Some(&tracking), at("2026-11-21T00:30:00+09:00"));
    let outcomes = shop.channel.dispatch().unwrap().dispatch(&cx(), &[request]).await.unwrap();
    let [Outcome::Done(done)] = outcomes.as_slice() else { panic!("{outcomes:?}") };
    assert_eq!((done.parcels.as_slice(), done.reread), (["100".to_owned()].as_slice(), true));
    read.assert_async().await;
    sent.assert_async().await;
    assert_eq!(shop.channel.dispatch().unwrap().repeat(), Repeat::ReadFirst);
    assert!(shop.channel.dispatch().unwrap().hand_over_methods().is_empty());
}

async fn dispatch(shop: &Shop, order: &Order, tracking: &Tracking) -> sales_channels::Result<Vec<String>> {
    let request = DispatchRequest::new(order, Some(tracking), at("2026-11-21T00:30:00+09:00"));
    let outcomes = shop.channel.dispatch().unwrap().dispatch(&cx(), &[request]).await?;
    Ok(words(&outcomes))
}

#[tokio::test]
async fn a_parcel_that_the_channel_has_already_is_not_added_again_however_old_the_order_in_hand_is() {
    let stale = known("7", 300).await;
    let mut shop = Shop::open().await;
    let listed = r#"{"shippingDetailId":100,"shippingNumber":"123456789012","shippingDate":"2026-11-20"}"#;
    shop.gives(&["7"], &[shipped_row("7", 500, listed)]).await;
    let sent = shop.on(SHIP, Matcher::Any, 200, "{}", 0).await;
    assert_eq!(dispatch(&shop, &stale, &yamato()).await.unwrap(), ["already"]);
    sent.assert_async().await;
}

#[tokio::test]
async fn another_parcel_never_overwrites_the_first_and_an_unknown_carrier_is_other() {
    let stale = known("7", 300).await;
    let mut shop = Shop::open().await;
    let listed = r#"{"shippingDetailId":100,"shippingNumber":"A-1","shippingDate":"2026-11-20"}"#;
    shop.gives(&["7"], &[shipped_row("7", 500, listed)]).await;
    let body = r#"{"orderNumber":"7","BasketidModelList":[{"basketId":11,"ShippingModelList":[{"deliveryCompany":"1000","shippingNumber":"B-2","shippingDate":"2026-11-21"}]}]}"#;
    let sent =
        shop.answers_to(SHIP, body, messages(&[message("UPDATE_ORDERSHIPPING", "INFO", "101", ADDED)])).await;
    assert_eq!(dispatch(&shop, &stale, &Tracking::new("Pigeon Post", "B-2")).await.unwrap(), ["done"]);
    sent.assert_async().await;
}

#[tokio::test]
async fn a_lost_answer_to_a_parcel_is_unknown_and_sent_once_and_the_next_read_shows_it() {
    let order = known("7", 300).await;
    for (status, body) in
        [(500, ""), (503, "<html>maintenance</html>"), (200, "<html>"), (200, ""), (200, r#"{"Mess"#)]
    {
        let mut shop = Shop::open().await;
        shop.gives(&["7"], &[row("7", 300)]).await;
        let sent = shop.on(SHIP, Matcher::Any, status, body, 1).await;
        let error = dispatch(&shop, &order, &yamato()).await.unwrap_err();
        assert!(error.outcome_unknown(), "{status} {body}: {error}");
        sent.assert_async().await;
    }
    let mut shop = Shop::open().await;
    let listed = r#"{"shippingDetailId":100,"shippingNumber":"1234-5678-9012","deliveryCompany":"1001","shippingDate":"2026-11-20"}"#;
    shop.gives(&["7"], &[shipped_row("7", 500, listed)]).await;
    let read = shop.read(&[&order]).await.unwrap();
    let [Outcome::Done(read)] = read.as_slice() else { panic!() };
    assert_eq!(read.tracking[0].number, "1234-5678-9012", "by which the hub settles it");
}

#[tokio::test]
async fn a_parcel_that_is_refused_says_why_in_http_200_and_400() {
    let order = known("7", 300).await;
    let answer = sample("update_order_shipping_async_error").replace("15419", "100");
    for status in [200, 400] {
        let mut shop = Shop::open().await;
        shop.gives(&["7"], &[row("7", 300)]).await;
        shop.on(SHIP, Matcher::Any, status, &answer, 1).await;
        assert_eq!(dispatch(&shop, &order, &yamato()).await.unwrap(), ["refused 011"], "{status}");
    }
}

#[tokio::test]
async fn each_parcel_of_a_batch_has_its_own_outcome() {
    let mut shop = Shop::open().await;
    let orders: Vec<Order> = ["a", "gone", "b", "unread", "late"].iter().map(|n| bare(n)).collect();
    let gone = message("GET_ORDER", "INFO", "102", r#","orderNumber":"gone""#);
    let rows = [row("late", 900), row("b", 300), row("a", 300)].join(",");
    shop.answers_to(
        GET,
        &get_body(&["a", "gone", "b", "unread", "late"]),
        format!(r#"{{"MessageModelList":[{gone}],"OrderModelList":[{rows}]}}"#),
    )
    .await;
    let done = message("UPDATE_ORDERSHIPPING", "INFO", "102", r#","dataNumber":1,"shippingDetailId":100"#);
    shop.on(SHIP, Matcher::Regex(r#""orderNumber":"a""#.into()), 200, messages(&[done]), 1).await;
    shop.on(SHIP, Matcher::Regex(r#""orderNumber":"b""#.into()), 500, "", 1).await;
    let tracking = yamato();
    let mut requests: Vec<DispatchRequest<'_>> =
        orders.iter().map(|order| DispatchRequest::new(order, Some(&tracking), Utc::now())).collect();
    requests.push(DispatchRequest::new(&orders[0], Some(&tracking), Utc::now()));
    let outcomes = shop.channel.dispatch().unwrap().dispatch(&cx(), &requests).await.unwrap();
    assert_eq!(
        words(&outcomes),
        ["done", "refused 102", "unknown", "not tried", "refused ", "not tried"],
        "the second parcel of an order waits for its next read"
    );
}

#[tokio::test]
async fn nothing_is_sent_where_the_orders_cannot_be_read_first() {
    let order = known("7", 300).await;
    let mut shop = Shop::open().await;
    shop.on(GET, Matcher::Any, 503, "", 2).await;
    let sent = shop.on(SHIP, Matcher::Any, 200, "{}", 0).await;
    let error = dispatch(&shop, &order, &yamato()).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::Unavailable, false));
    sent.assert_async().await;
}

// Stock

fn shown(rows: &[(&str, &str, u32)]) -> String {
    let rows: Vec<String> = rows
        .iter()
        .map(|(item, sku, n)| format!(r#"{{"manageNumber":"{item}","variantId":"{sku}","quantity":{n}}}"#))
        .collect();
    format!(r#"{{"inventories":[{}]}}"#, rows.join(","))
}

fn upsert(rows: &[(&str, &str, u32)]) -> Matcher {
    let rows: Vec<String> = rows
        .iter()
        .map(|(item, sku, n)| {
            format!(r#"{{"manageNumber":"{item}","variantId":"{sku}","mode":"ABSOLUTE","quantity":{n}}}"#)
        })
        .collect();
    Matcher::Exact(format!(r#"{{"inventories":[{}]}}"#, rows.join(",")))
}

async fn set_stock(shop: &Shop, rows: &[(&str, &str, u32)]) -> sales_channels::Result<Vec<String>> {
    let keys: Vec<ListingKey> = rows.iter().map(|(item, sku, _)| ListingKey::option(*item, *sku)).collect();
    let none = ChannelData::default();
    let changes: Vec<StockChange<'_>> =
        keys.iter().zip(rows).map(|(key, (_, _, n))| StockChange::new(key, &none, *n)).collect();
    let outcomes = shop.channel.stock().unwrap().set_stock(&cx(), &changes).await?;
    Ok(outcomes
        .iter()
        .zip(words(&outcomes))
        .map(|(outcome, word)| match outcome {
            Outcome::Done(taken) => format!("shows {}", taken.quantity),
            _ => word,
        })
        .collect())
}

#[tokio::test]
async fn quantities_are_set_absolute_and_read_back() {
    let mut shop = Shop::open().await;
    let set = shop
        .on(
            UPSERT,
            Matcher::Exact(
                r#"{"inventories":[{"manageNumber":"tee","variantId":"S","mode":"ABSOLUTE","quantity":5},{"manageNumber":"tee","variantId":"M","mode":"ABSOLUTE","quantity":0},{"manageNumber":"ghost","variantId":"x","mode":"ABSOLUTE","quantity":9},{"manageNumber":"tee","variantId":"L","mode":"ABSOLUTE","quantity":4}]}"#
                    .into(),
            ),
            204,
            "",
            1,
        )
        .await;
    let read = shop
        .answers_to(
            BULK_GET,
            r#"{"inventories":[{"manageNumber":"tee","variantId":"S"},{"manageNumber":"tee","variantId":"M"},{"manageNumber":"ghost","variantId":"x"},{"manageNumber":"tee","variantId":"L"}]}"#,
            shown(&[("tee", "L", 7), ("tee", "M", 0), ("tee", "S", 4)]),
        )
        .await;
    let rows = [("tee", "S", 5), ("tee", "M", 0), ("ghost", "x", 9), ("tee", "L", 4)];
    assert_eq!(
        set_stock(&shop, &rows).await.unwrap(),
        ["shows 4", "shows 0", "refused ", "unknown"],
        "one was sold in between; the shop has no such item; more are shown than were set"
    );
    set.assert_async().await;
    read.assert_async().await;
}

#[tokio::test]
async fn a_row_that_is_refused_is_taken_out_and_the_rest_goes_again() {
    let mut shop = Shop::open().await;
    let fault = r#"{"errors":[{"code":"IE0004","message":"m","metadata":{"propertyPath":"inventories[1].variantId"}}]}"#;
    let all = shop.on(UPSERT, Matcher::Regex("bad".into()), 400, fault, 1).await;
    let rest = shop.on(UPSERT, upsert(&[("tee", "S", 1), ("tee", "M", 3)]), 204, "", 1).await;
    shop.answers(BULK_GET, shown(&[("tee", "S", 1), ("tee", "M", 3)])).await;
    let rows = [("tee", "S", 1), ("tee", "bad", 2), ("tee", "M", 3)];
    assert_eq!(set_stock(&shop, &rows).await.unwrap(), ["shows 1", "refused IE0004", "shows 3"]);
    all.assert_async().await;
    rest.assert_async().await;
}

#[tokio::test]
async fn a_refusal_that_names_no_row_is_narrowed_down_to_it() {
    let mut shop = Shop::open().await;
    let fault = r#"{"errors":[{"code":"IE0002","message":"m"}]}"#;
    shop.on(UPSERT, Matcher::Regex("bad".into()), 400, fault, 3).await;
    let first = shop.on(UPSERT, upsert(&[("tee", "1", 1), ("tee", "2", 2)]), 204, "", 1).await;
    let second = shop.on(UPSERT, upsert(&[("tee", "4", 4)]), 204, "", 1).await;
    shop.answers(BULK_GET, shown(&[("tee", "1", 1), ("tee", "2", 2), ("tee", "4", 4)])).await;
    let rows = [("tee", "1", 1), ("tee", "2", 2), ("tee", "bad", 3), ("tee", "4", 4)];
    assert_eq!(set_stock(&shop, &rows).await.unwrap(), ["shows 1", "shows 2", "refused IE0002", "shows 4"]);
    first.assert_async().await;
    second.assert_async().await;
}

#[tokio::test]
async fn a_refusal_of_everything_is_not_narrowed_down_row_by_row() {
    let mut shop = Shop::open().await;
    let skus: Vec<String> = (0..400).map(|n| format!("s{n}")).collect();
    let rows: Vec<(&str, &str, u32)> = skus.iter().map(|sku| ("tee", sku.as_str(), 1)).collect();
    let calls =
        shop.on(UPSERT, Matcher::Any, 400, r#"{"errors":[{"code":"IE9999","message":"m"}]}"#, 21).await;
    let words = set_stock(&shop, &rows).await.unwrap();
    assert!(words.iter().all(|word| word.starts_with("refused IE9999")), "{words:?}");
    calls.assert_async().await;
}

#[tokio::test]
async fn a_key_that_is_refused_is_no_refusal_of_the_rows() {
    let mut shop = Shop::open().await;
    let fault = r#"{"errors":[{"code":"GE0011","message":"m"}]}"#;
    let calls = shop.on(UPSERT, Matcher::Any, 400, fault, 1).await;
    let error = set_stock(&shop, &[("tee", "S", 1), ("tee", "M", 1)]).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::Unauthorized, false));
    calls.assert_async().await;
}

#[tokio::test]
async fn rows_that_rakuten_cannot_take_are_not_sent() {
    let mut shop = Shop::open().await;
    let set = shop.on(UPSERT, upsert(&[("tee", "S", 1)]), 204, "", 1).await;
    shop.answers(BULK_GET, shown(&[("tee", "S", 1)])).await;
    let long = "x".repeat(33);
    let rows =
        [("tee", "S", 1), (long.as_str(), "S", 1), ("tee", "", 1), ("tee", "M", 100_000), ("TEE", "S", 2)];
    assert_eq!(
        set_stock(&shop, &rows).await.unwrap(),
        ["shows 1", "refused ", "refused ", "refused ", "not tried"],
        "the last is the first again"
    );
    set.assert_async().await;
}

#[tokio::test]
async fn more_rows_than_one_call_takes_go_in_several() {
    let mut shop = Shop::open().await;
    let skus: Vec<String> = (0..401).map(|n| format!("s{n}")).collect();
    let rows: Vec<(&str, &str, u32)> = skus.iter().map(|sku| ("tee", sku.as_str(), 1)).collect();
    let calls = shop.on(UPSERT, Matcher::Any, 204, "", 2).await;
    shop.answers(BULK_GET, shown(&rows)).await;
    assert!(set_stock(&shop, &rows).await.unwrap().iter().all(|word| word == "shows 1"));
    calls.assert_async().await;
}

#[tokio::test]
async fn a_quantity_that_cannot_be_read_back_is_unknown() {
    let mut shop = Shop::open().await;
    shop.on(UPSERT, Matcher::Any, 204, "", 1).await;
    shop.on(BULK_GET, Matcher::Any, 503, "", 2).await;
    let error = set_stock(&shop, &[("tee", "S", 1)]).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::Unavailable, true));
}

#[tokio::test]
async fn a_stock_call_is_done_only_when_it_says_204() {
    for (status, body) in
        [(200, ""), (200, "{}"), (200, "<html>"), (201, r#"{"ok":true}"#), (500, ""), (502, "<html>")]
    {
        let mut shop = Shop::open().await;
        // Absolute quantities may be sent again.
        let calls = shop.on(UPSERT, Matcher::Any, status, body, 2).await;
        let error = set_stock(&shop, &[("tee", "S", 1)]).await.unwrap_err();
        assert!(error.outcome_unknown(), "{status} {body}: {error}");
        calls.assert_async().await;
    }
}

#[tokio::test]
async fn quantities_shown_are_read_by_their_numbers() {
    let mut shop = Shop::open().await;
    shop.answers_to(
        BULK_GET,
        r#"{"inventories":[{"manageNumber":"Tee","variantId":"S"},{"manageNumber":"ghost","variantId":"x"}]}"#,
        shown(&[("tee", "S", 5)]),
    )
    .await;
    let keys = [ListingKey::option("Tee", "S"), ListingKey::item("cap"), ListingKey::option("ghost", "x")];
    let read = shop.channel.stock().unwrap().read_stock(&cx(), &keys).await.unwrap();
    assert_eq!(words(&read), ["done", "refused ", "refused "]);
    let mut shop = Shop::open().await;
    shop.on(BULK_GET, Matcher::Any, 404, r#"{"errors":[{"code":"GE0014","message":"Not found"}]}"#, 1).await;
    let read = shop.channel.stock().unwrap().read_stock(&cx(), &keys[..1]).await.unwrap();
    assert_eq!(words(&read), ["refused "]);
}

// Listings

#[tokio::test]
async fn items_are_listed_to_the_end_of_the_cursor() {
    let mut shop = Shop::open().await;
    let query = |mark: &str| Matcher::Exact(format!("hits=100&cursorMark={mark}"));
    let mut mocks = Vec::new();
    let item = |n: &str| {
        format!(r#"{{"item":{{"manageNumber":"{n}","title":"t","hideItem":false,"variants":{{"v":{{}}}}}}}}"#)
    };
    for (mark, results, next) in [("*", item("a"), "x+/="), ("x%2B%2F%3D", item("b"), "x+/=")] {
        let body = format!(r#"{{"results":[{results}],"nextCursorMark":"{next}"}}"#);
        let mock = shop
            .server
            .mock("GET", ITEMS)
            .match_header("authorization", ESA)
            .match_query(query(mark))
            .with_body(body)
            .create_async()
            .await;
        mocks.push(mock);
    }
    let (mut keys, mut cursor) = (Vec::new(), None);
    loop {
        let page = shop.channel.listings().unwrap().list(&cx(), cursor.as_ref()).await.unwrap();
        keys.extend(page.listings.iter().map(|listing| listing.key.to_string()));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(keys, ["a/v", "b/v"]);
    for mock in mocks {
        mock.assert_async().await;
    }
}

// Cancellations

#[tokio::test]
async fn cancel_requests_are_looked_for_among_the_orders_of_62_days() {
    let mut shop = Shop::open().await;
    // One piece is 62 days long; the hour of the window is the second.
    let first = shop
        .on(
            SEARCH,
            Matcher::Regex(r#"^\{"dateType":1,"startDatetime":"2026-09-19T09:00:00\+0900","endDatetime":"2026-11-20T09:00:00\+0900","orderProgressList":\[800,900\],"#.into()),
            200,
            found(&["a"], 1),
            1,
        )
        .await;
    let second = shop
        .on(
            SEARCH,
            Matcher::Regex(
                r#""startDatetime":"2026-11-20T09:00:00\+0900","endDatetime":"2026-11-20T10:00:00\+0900""#
                    .into(),
            ),
            200,
            sample("search_order_none"),
            1,
        )
        .await;
    let change = r#"{"changeId":5,"changeType":0,"changeReasonDetail":1,"changeApplyDatetime":"2026-11-20T09:30:00+0900"}"#;
    let request = format!(r#"{{"orderNumber":"a","orderProgress":800,"ChangeReasonModelList":[{change}]}}"#);
    shop.gives(&["a"], &[request]).await;
    let window = Window::new(at(FROM), at(TO));
    let (mut requests, mut cursor) = (Vec::new(), None);
    loop {
        let cancellations = shop.channel.cancellations().unwrap();
        let page = cancellations.requests(&cx(), window, cursor.as_ref()).await.unwrap();
        requests.extend(page.requests);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    let [request] = requests.as_slice() else { panic!("{requests:?}") };
    assert_eq!((request.order.as_str(), request.open, request.id.as_deref()), ("a", true, Some("5")));
    first.assert_async().await;
    second.assert_async().await;
}

#[tokio::test]
async fn a_seller_cancels_before_and_after_shipping_and_fixes_a_request() {
    for (progress, action, path, reason, code) in [
        (300, CancelAction::CancelBySeller, CANCEL, CancelReason::OutOfStock, 8),
        (500, CancelAction::CancelBySeller, CANCEL_AFTER, CancelReason::BuyerRequest, 1),
        (800, CancelAction::Accept, CANCEL_AFTER, CancelReason::BuyerRequest, 1),
    ] {
        let order = known("7", progress).await;
        let mut shop = Shop::open().await;
        let body =
            format!(r#"{{"orderNumber":"7","inventoryRestoreType":0,"changeReasonDetailApply":{code}}}"#);
        let done = message("CANCEL_ORDER", "INFO", "101", r#","orderNumber":"7""#);
        let sent = shop.answers_to(path, &body, messages(&[done])).await;
        let decision = CancelDecision { order: &order, action, reason, memo: None };
        let outcomes = shop.channel.cancellations().unwrap().decide(&cx(), &[decision]).await.unwrap();
        assert_eq!(words(&outcomes), ["done"]);
        sent.assert_async().await;
    }
}

#[tokio::test]
async fn a_cancellation_whose_answer_is_lost_is_sent_once_and_unknown() {
    let order = known("7", 300).await;
    for (status, body) in [(500, ""), (200, "<html>"), (200, ""), (200, r#"{"MessageModelList":[{"mess"#)] {
        let mut shop = Shop::open().await;
        let sent = shop.on(CANCEL, Matcher::Any, status, body, 1).await;
        let decision = CancelDecision {
            order: &order,
            action: CancelAction::CancelBySeller,
            reason: CancelReason::Delay,
            memo: None,
        };
        let error = shop.channel.cancellations().unwrap().decide(&cx(), &[decision]).await.unwrap_err();
        assert!(error.outcome_unknown(), "{status} {body}");
        sent.assert_async().await;
    }
    let shop = Shop::open().await;
    assert!(!shop.channel.cancellations().unwrap().actions().contains(&CancelAction::Refuse));
}

// Answers that go wrong

#[tokio::test]
async fn bad_answers_to_a_read_have_their_kind_and_their_retry() {
    let table = [
        (400, "{}", ErrorKind::Unavailable, Retry::Later),
        (
            401,
            r#"{"errors":[{"code":"GA0001","message":"Un-Authorised"}]}"#,
            ErrorKind::Unauthorized,
            Retry::Never,
        ),
        (403, "", ErrorKind::Forbidden, Retry::Never),
        (
            403,
            r#"{"errors":[{"code":"X","message":"Too many requests"}]}"#,
            ErrorKind::RateLimited,
            Retry::Later,
        ),
        (404, "", ErrorKind::Configuration, Retry::Never),
        (405, "", ErrorKind::Configuration, Retry::Never),
        (408, "", ErrorKind::TimedOut, Retry::Later),
        (409, "", ErrorKind::Unavailable, Retry::Later),
        (429, "", ErrorKind::RateLimited, Retry::Later),
        (302, "", ErrorKind::MalformedResponse, Retry::Never),
        (500, "down", ErrorKind::Unavailable, Retry::Later),
        (502, "<html>bad gateway</html>", ErrorKind::Unavailable, Retry::Later),
        (503, "", ErrorKind::Unavailable, Retry::Later),
        (504, "", ErrorKind::Unavailable, Retry::Later),
        (200, "<html>maintenance</html>", ErrorKind::MalformedResponse, Retry::Later),
        (200, "", ErrorKind::MalformedResponse, Retry::Later),
        (200, "[]", ErrorKind::MalformedResponse, Retry::Later),
        (200, r#"{"orderNumberList":["1","#, ErrorKind::MalformedResponse, Retry::Later),
    ];
    for (status, body, kind, retry) in table {
        let mut shop = Shop::open().await;
        let times = if retry == Retry::Never { 1 } else { 2 };
        let calls = shop.on(SEARCH, Matcher::Any, status, body, times).await;
        let error = shop.fetch(FROM, TO).await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (kind, retry), "{status} {body}: {error}");
        assert!(!error.outcome_unknown());
        calls.assert_async().await;
    }
}

#[tokio::test]
async fn a_limit_with_a_time_waits_for_it() {
    for (status, header) in [(429, "900"), (403, "900"), (503, "900")] {
        let mut shop = Shop::open().await;
        shop.server
            .mock("POST", SEARCH)
            .with_status(status)
            .with_header("retry-after", header)
            .expect(1)
            .create_async()
            .await;
        let error = shop.fetch(FROM, TO).await.unwrap_err();
        let kind = if status == 503 { ErrorKind::Unavailable } else { ErrorKind::RateLimited };
        assert_eq!(error.kind(), kind, "{status}");
        assert_eq!(error.retry_after(), Some(std::time::Duration::from_secs(900)), "{status}");
    }
}

#[tokio::test]
async fn bad_answers_to_a_confirmation_are_unknown_only_where_it_may_have_been_made() {
    for (status, body, kind, unknown) in [
        (401, "", ErrorKind::Unauthorized, false),
        (403, "", ErrorKind::Forbidden, false),
        (404, "", ErrorKind::Configuration, false),
        (429, "", ErrorKind::RateLimited, false),
        (500, "", ErrorKind::Unavailable, true),
        (502, "<html>", ErrorKind::Unavailable, true),
        (200, "<html>", ErrorKind::MalformedResponse, true),
        (200, "", ErrorKind::MalformedResponse, true),
        (200, "{}", ErrorKind::MalformedResponse, true),
        (200, r#"{"MessageModelList":[{"#, ErrorKind::MalformedResponse, true),
    ] {
        let mut shop = Shop::open().await;
        let _calls = shop.on(CONFIRM, Matcher::Any, status, body, 2).await;
        let error = confirm(&shop, &["a", "b"]).await.unwrap_err();
        assert_eq!((error.kind(), error.outcome_unknown()), (kind, unknown), "{status} {body}");
    }
}

#[tokio::test]
async fn errors_and_debug_hold_no_secret_and_no_personal_data() {
    let mut shop = Shop::open().await;
    let leak = format!(
        r#"{{"errors":[{{"code":"X","message":"{KEY} and {} and {SECRET}"}}]}}"#,
        ESA.trim_start_matches("ESA ")
    );
    shop.on(SEARCH, Matcher::Any, 400, leak, 2).await;
    let error = shop.fetch(FROM, TO).await.unwrap_err();
    let shown = format!("{error} {error:?} {:?}", shop.channel);
    for secret in [KEY, SECRET, ESA.trim_start_matches("ESA ")] {
        assert!(!shown.contains(secret), "{shown}");
    }
    // A connection that fails tells no address: the key travels in that of the expiry date.
    let client = client();
    let config = Config::new().unwrap().at("http://127.0.0.1:9".parse().unwrap());
    let channel = Rakuten::new(&client, "shop-1", &credentials(), config).unwrap();
    let error = channel.credentials().unwrap().expiry(&cx()).await.unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains(KEY) && !shown.contains("expiry-date?"), "{shown}");
}

// Credentials

async fn expires(
    shop: &mut Shop,
    key: &str,
    esa: &str,
    status: usize,
    body: &str,
    times: usize,
) -> mockito::Mock {
    shop.server
        .mock("GET", EXPIRY)
        .match_header("authorization", esa)
        .match_query(Matcher::Exact(format!("licenseKey={key}")))
        .with_status(status)
        .with_body(body)
        .expect(times)
        .create_async()
        .await
}

#[tokio::test]
async fn ke_the_end_of_the_key_is_read_in_japans_time() {
    let mut shop = Shop::open().await;
    let mock = expires(&mut shop, KEY, ESA, 200, &sample("license_expiry"), 1).await;
    let end = shop.channel.credentials().unwrap().expiry(&cx()).await.unwrap();
    assert_eq!(end, Some(at("2026-11-28T23:59:59+09:00")));
    mock.assert_async().await;
    let parts = shop.channel.credentials().unwrap().parts();
    assert!(parts.len() == 2 && parts.iter().all(|part| part.renewed && part.with_expiry));
}

#[tokio::test]
async fn ke_a_refused_key_has_expired_where_its_end_is_known_to_have_passed() {
    let unauthorised = r#"{"errors":[{"code":"GA0001","message":"Un-Authorised"}]}"#;
    let hour = TimeDelta::hours(1);
    for (end, kind) in [
        (None, ErrorKind::Unauthorized),
        (Some(Utc::now() + hour), ErrorKind::Unauthorized),
        (Some(Utc::now() - hour), ErrorKind::CredentialExpired),
    ] {
        let mut own = credentials();
        own.expires_at = end;
        let mut shop = Shop::with(&own).await;
        let calls = shop.on(SEARCH, Matcher::Any, 401, unauthorised, 1).await;
        let error = shop.fetch(FROM, TO).await.unwrap_err();
        assert_eq!((error.kind(), error.code()), (kind, Some("GA0001")));
        calls.assert_async().await;
    }
    // What the channel itself told goes before what was entered.
    let mut shop = Shop::with(&credentials().expiring(Utc::now() + hour)).await;
    expires(&mut shop, KEY, ESA, 200, r#"{"expiryDate":"2020-01-01T23:59:59"}"#, 1).await;
    shop.channel.credentials().unwrap().expiry(&cx()).await.unwrap();
    shop.on(SEARCH, Matcher::Any, 401, "", 1).await;
    assert_eq!(shop.fetch(FROM, TO).await.unwrap_err().kind(), ErrorKind::CredentialExpired);
}

const NEW_ESA: &str = "ESA U1AtbmV3OlNMLW5ldw==";

fn renewed() -> Credentials {
    Credentials::new()
        .with(SERVICE_SECRET, "SP-new")
        .with(LICENSE_KEY, "SL-new")
        .expiring(at("2100-01-01T00:00:00Z"))
}

#[tokio::test]
async fn ke_new_credentials_are_proved_before_they_are_used() {
    let mut shop = Shop::open().await;
    let probe = expires(&mut shop, "SL-new", NEW_ESA, 200, &sample("license_expiry"), 1).await;
    let renewal = shop.channel.credentials().unwrap();
    renewal.replace(&cx(), &renewed()).await.unwrap();
    assert_eq!(renewal.current().await, renewed());
    probe.assert_async().await;
    let search = shop
        .server
        .mock("POST", SEARCH)
        .match_header("authorization", NEW_ESA)
        .with_body(sample("search_order_none"))
        .expect(2)
        .create_async()
        .await;
    shop.fetch(FROM, TO).await.unwrap();
    search.assert_async().await;
}

#[tokio::test]
async fn ke_credentials_that_are_not_accepted_leave_the_old_ones_in_use() {
    let mut shop = Shop::open().await;
    expires(&mut shop, "SL-new", NEW_ESA, 401, "", 1).await;
    let renewal = shop.channel.credentials().unwrap();
    let error = renewal.replace(&cx(), &renewed()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert_eq!(renewal.current().await, credentials());
    let one = Credentials::new().with(LICENSE_KEY, "SL-new");
    assert_eq!(renewal.replace(&cx(), &one).await.unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[tokio::test]
async fn ke_where_the_expiry_function_is_not_switched_on_the_orders_prove_the_key() {
    let mut shop = Shop::open().await;
    expires(&mut shop, "SL-new", NEW_ESA, 403, "", 1).await;
    let search = shop
        .server
        .mock("POST", SEARCH)
        .match_header("authorization", NEW_ESA)
        .with_body(sample("search_order_none"))
        .expect(1)
        .create_async()
        .await;
    shop.channel.credentials().unwrap().replace(&cx(), &renewed()).await.unwrap();
    search.assert_async().await;
}

// Connecting

#[tokio::test]
async fn ct_1_the_connection_test_names_functions_that_are_not_switched_on() {
    let mut shop = Shop::open().await;
    shop.answers(SEARCH, sample("search_order_none")).await;
    shop.server.mock("GET", ITEMS).match_query(Matcher::Any).with_status(403).create_async().await;
    expires(&mut shop, KEY, ESA, 200, &sample("license_expiry"), 1).await;
    let report = shop.channel.test(&cx()).await.unwrap();
    let check =
        |wanted| report.capabilities.iter().find(|(c, _)| *c == wanted).map(|(_, check)| check.clone());
    assert_eq!(check(Capability::FetchOrders), Some(CapabilityCheck::Allowed));
    assert_eq!(check(Capability::RenewCredentials), Some(CapabilityCheck::Allowed));
    assert_eq!(check(Capability::DispatchOrders), Some(CapabilityCheck::Assumed));
    assert!(
        matches!(check(Capability::ListListings), Some(CapabilityCheck::Denied { reason }) if reason.contains("RMS"))
    );
    assert_eq!(report.credentials_end, Some(at("2026-11-28T23:59:59+09:00")));
    assert!(!report.is_complete());
}

#[tokio::test]
async fn ct_1_a_wrong_key_fails_the_connection_test() {
    let mut shop = Shop::open().await;
    shop.on(SEARCH, Matcher::Any, 401, "", 1).await;
    assert_eq!(shop.channel.test(&cx()).await.unwrap_err().kind(), ErrorKind::Unauthorized);
}

#[tokio::test]
async fn an_account_opens_from_the_registry_at_another_host_for_all_its_calls() {
    let server = mockito::Server::new_async().await;
    let adapter = adapters::find("rakuten").unwrap();
    let opening = Opening::new(&client(), "shop-1", credentials()).at(server.url().parse().unwrap());
    let channel = (adapter.open)(&opening).unwrap();
    assert_eq!(channel.info().id.as_str(), "rakuten");
    let mut server = server;
    let order = server.mock("POST", SEARCH).with_status(401).expect(1).create_async().await;
    let expiry =
        server.mock("GET", EXPIRY).match_query(Matcher::Any).with_status(401).expect(1).create_async().await;
    let query = OrderQuery::window(Window::new(at(FROM), at(TO)));
    assert!(channel.orders().fetch(&cx(), &query, None).await.is_err());
    assert!(channel.credentials().unwrap().expiry(&cx()).await.is_err());
    order.assert_async().await;
    expiry.assert_async().await;
    let without = Opening::new(&client(), "shop-1", Credentials::new().with(LICENSE_KEY, KEY));
    assert_eq!((adapter.open)(&without).unwrap_err().kind(), ErrorKind::InvalidInput);
}
