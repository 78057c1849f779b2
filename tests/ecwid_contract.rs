//! Whole calls of the Ecwid adapter: what is sent, and what becomes of each answer.
#![cfg(feature = "ecwid")]
// Helpers outside of test functions fail the test just as well.
#![allow(clippy::unwrap_used, clippy::panic)]

mod ecwid;

use std::sync::Arc;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use ecwid::*;
use mockito::Matcher;
use sales_channels::adapters::ecwid::{
    ACCESS_TOKEN, App, CLIENT_SECRET, Config, Ecwid, STORE_ID, authorize_link, discover, exchange_code,
    sign_webhook, webhook_store,
};
use sales_channels::adapters::{Opening, find};
use sales_channels::channel::{
    CancelAction, CancelDecision, CancelReason, Capabilities, Capability, CapabilityCheck, Channel,
    ConfirmRequest, Context, Credentials, DispatchRequest, Dispatched, OrderQuery, Outcome, PageCursor,
    Repeat, Row, StockAccepted, StockChange, Tracking, WebhookEvent, WebhookRequest,
};
use sales_channels::model::{
    CancelState, ChannelData, Clock, Currency, Hold, LineId, ListingKey, ListingState, ManualClock, Order,
    OrderStatus, Window,
};
use sales_channels::{ErrorKind, Retry};
use serde_json::{Value, json};

fn ids(rows: &[Row]) -> Vec<&str> {
    rows.iter().filter_map(Row::order).map(|order| order.id.as_str()).collect()
}

// Fetching.

#[tokio::test]
async fn a_window_asks_for_what_changed_since_and_was_placed_before_with_a_second_to_spare() {
    let mut shop = Shop::open().await;
    let mock = shop.on("GET /orders", &page_query("0"), page(&[order()], 0, 1), 1).await;
    let found = shop.fetch_page(None).await.unwrap();
    assert!(found.next.is_none());
    assert_eq!(ids(&found.rows), ["EBJFT"]);
    mock.assert_async().await;
    // Fractions of a second: down at the beginning, up at the end.
    let query = OrderQuery::window(Window::new(at("2024-05-01T05:00:00.9Z"), at("2024-05-01T05:59:59.1Z")));
    let mock = shop.on("GET /orders", &page_query("0"), page(&[], 0, 0), 1).await;
    assert!(shop.channel.orders().fetch(&Context::new(), &query, None).await.unwrap().rows.is_empty());
    mock.assert_async().await;
}

#[tokio::test]
async fn an_order_is_read_in_all_its_parts() {
    let order = read_of(&order()).await;
    assert_eq!(
        (order.id.as_str(), order.status, order.cancel),
        ("EBJFT", OrderStatus::New, CancelState::None)
    );
    assert!(order.holds.is_empty(), "{:?}", order.holds);
    assert_eq!(order.ordered_at, at("2024-05-01T05:26:28Z"));
    assert_eq!(order.updated_at, at("2024-05-01T06:10:02Z"));
    assert_eq!(order.paid_at, None);
    assert_eq!(order.currency, Currency::USD);
    let money = |m: Option<sales_channels::model::Money>| m.unwrap().to_string();
    assert_eq!(money(order.totals.total), "37.39 USD");
    assert_eq!(money(order.totals.shipping), "10 USD");
    assert_eq!(money(order.totals.discount), "4.35 USD", "the discount and the coupon");
    let buyer = order.buyer.reveal();
    assert_eq!((buyer.name.as_str(), buyer.email.as_str()), ("John Smith", "john.smith@example.com"));
    let to = order.destinations[0].recipient.reveal();
    assert_eq!((to.name.as_str(), to.phone.as_str()), ("Mary Watson", "+1234567891"));
    assert_eq!(to.address.lines, ["Best Brownies Inc.", "The other street 5", "Apt. 12"]);
    assert_eq!((to.address.region.as_str(), to.address.country.as_str()), ("California", "US"));
    assert_eq!(order.memo.as_ref().unwrap().reveal(), "Please ring twice\nT-shirt, Engraving: A.B.");
    let [line] = order.lines.as_slice() else { panic!("one line") };
    assert_eq!(line.id.as_str(), "1741253497");
    assert_eq!(line.listing, ListingKey::option("439710255", "421616046"));
    assert_eq!(line.sku.as_ref().unwrap().as_str(), "TEE-L");
    assert_eq!((line.quantity, line.cancelled, line.shipped, line.outstanding()), (5, 0, 0, 5));
    assert_eq!((money(line.unit_price), money(line.total)), ("5.99 USD".into(), "29.95 USD".into()));
    assert_eq!(line.discount, None, "it would count twice");
    assert_eq!((line.title.as_str(), line.option_text.as_str()), ("T-shirt", "Size: L"));
    let raw: Value = serde_json::from_str(order.raw.reveal()).unwrap();
    assert_eq!(raw, crate::ecwid::order());
}

#[tokio::test]
async fn the_store_is_asked_once_for_the_currency_that_orders_lack() {
    let mut shop = Shop::with(|config| config).await;
    let profile = shop.on("GET /profile", &PROFILE, sample("profile.response.json"), 1).await;
    shop.on("GET /orders", &page_query("0"), page(&[order()], 0, 1), 2).await;
    for _ in 0..2 {
        let rows = shop.fetch().await.unwrap();
        assert_eq!(rows[0].order().unwrap().currency.as_str(), "EUR");
    }
    profile.assert_async().await;
}

const PROFILE: [(&str, &str); 1] = [(
    "responseFields",
    "generalInfo(storeId),account(suspended),settings(closed,allowPreordersForOutOfStockProducts),formatsAndUnits(currency,timezone)",
)];

#[tokio::test]
async fn a_currency_is_never_guessed() {
    for (answer, kind) in [
        (json!({"formatsAndUnits": {"currency": "?"}}), ErrorKind::MalformedResponse),
        (json!({}), ErrorKind::MalformedResponse),
        (
            json!({"generalInfo": {"storeId": 9}, "formatsAndUnits": {"currency": "EUR"}}),
            ErrorKind::Configuration,
        ),
        (json!({"errorCode": "INVALID_API_TOKEN", "errorMessage": "no"}), ErrorKind::Unauthorized),
    ] {
        let mut shop = Shop::with(|config| config).await;
        shop.on("GET /profile", &PROFILE, answer.to_string(), 1).await;
        let list = shop.server.mock("GET", Matcher::Regex("/orders".into())).expect(0).create_async().await;
        assert_eq!(shop.fetch().await.unwrap_err().kind(), kind, "{answer}");
        list.assert_async().await;
    }
    // A currency that nobody knows is one all the same.
    let mut shop = Shop::with(|config| config).await;
    shop.on("GET /profile", &PROFILE, r#"{"formatsAndUnits":{"currency":"XQZ"}}"#, 1).await;
    shop.on("GET /orders", &page_query("0"), page(&[order()], 0, 1), 1).await;
    assert_eq!(shop.fetch().await.unwrap()[0].order().unwrap().currency.as_str(), "XQZ");
}

#[tokio::test]
async fn pages_overlap_by_five_rows_and_end_with_a_short_one() {
    let mut shop = Shop::open().await;
    let all: Vec<Value> = (0..195).map(numbered).collect();
    let first = shop.on("GET /orders", &page_query("0"), page(&all[..100], 0, 195), 1).await;
    let second = shop.on("GET /orders", &page_query("95"), page(&all[95..], 95, 195), 1).await;
    let last = shop.on("GET /orders", &page_query("190"), page(&all[190..], 190, 195), 1).await;
    let rows = shop.fetch().await.unwrap();
    let mut seen = ids(&rows);
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 195, "none is missing");
    for mock in [first, second, last] {
        mock.assert_async().await;
    }
}

#[tokio::test]
async fn a_list_whose_pages_do_not_meet_is_begun_again() {
    let mut shop = Shop::open().await;
    let all: Vec<Value> = (0..120).map(numbered).collect();
    // Ten orders were deleted between the pages: what stood at 100 to 104 is passed over.
    shop.on("GET /orders", &page_query("0"), page(&all[..100], 0, 120), 1).await;
    let gap = shop.on("GET /orders", &page_query("95"), page(&all[105..], 95, 110), 1).await;
    let page_1 = shop.fetch_page(None).await.unwrap();
    let page_2 = shop.fetch_page(page_1.next.as_ref()).await.unwrap();
    gap.assert_async().await;
    assert_ne!(page_2.next, page_1.next);
    let left = &all[10..];
    shop.server.reset();
    shop.on("GET /orders", &page_query("0"), page(&left[..100], 0, 110), 1).await;
    shop.on("GET /orders", &page_query("95"), page(&left[95..], 95, 110), 1).await;
    let mut rows = page_2.rows;
    let mut cursor = page_2.next;
    assert!(cursor.is_some(), "it is not over");
    while let Some(place) = cursor {
        let page = shop.fetch_page(Some(&place)).await.unwrap();
        rows.extend(page.rows);
        cursor = page.next;
    }
    assert!((100..105).all(|n| ids(&rows).contains(&format!("N{n:04}").as_str())));
}

#[tokio::test]
async fn pages_that_never_meet_are_an_error_and_not_a_loop() {
    let mut shop = Shop::open().await;
    let all: Vec<Value> = (0..220).map(numbered).collect();
    shop.on("GET /orders", &page_query("0"), page(&all[..100], 0, 300), 4).await;
    shop.on("GET /orders", &page_query("95"), page(&all[110..210], 95, 300), 4).await;
    let error = shop.fetch().await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::MalformedResponse, Retry::Later));
}

#[tokio::test]
async fn pages_that_are_cut_shorter_than_asked_are_turned_to_the_end() {
    // The sample: one row a page, two in all.
    let mut shop = Shop::open().await;
    shop.on("GET /orders", &page_query("0"), sample("orders.response.json"), 1).await;
    let second = json!({"total": 2, "count": 1, "offset": 1, "limit": 1, "items": [numbered(2)]});
    shop.on("GET /orders", &page_query("1"), second.to_string(), 1).await;
    let none = json!({"total": 2, "count": 0, "offset": 2, "limit": 1, "items": []});
    shop.on("GET /orders", &page_query("2"), none.to_string(), 1).await;
    assert_eq!(ids(&shop.fetch().await.unwrap()), ["EBJFT", "N0002"]);
    // Short without saying so: only `total` tells that there is more.
    let mut shop = Shop::open().await;
    let all: Vec<Value> = (0..12).map(numbered).collect();
    let short = |from: usize, to: usize| json!({"total": 12, "items": &all[from..to]}).to_string();
    shop.on("GET /orders", &page_query("0"), short(0, 10), 1).await;
    shop.on("GET /orders", &page_query("5"), short(5, 12), 1).await;
    let rows = shop.fetch().await.unwrap();
    assert!((0..12).all(|n| ids(&rows).contains(&format!("N{n:04}").as_str())));
}

#[tokio::test]
async fn an_answer_to_another_question_or_without_a_list_is_an_error() {
    for answer in [
        r#"{"total":300,"count":0,"offset":100,"limit":100,"items":[]}"#,
        r#"{"total":0}"#,
        r#"{"total":0,"items":null}"#,
        "[]",
        r#"{"total":1,"items":[{"id":"#,
    ] {
        let mut shop = Shop::open().await;
        shop.on("GET /orders", &page_query("0"), answer, 1).await;
        assert_eq!(shop.fetch().await.unwrap_err().kind(), ErrorKind::MalformedResponse, "{answer}");
    }
}

#[tokio::test]
async fn a_cursor_that_is_not_ours_is_an_error_and_nothing_is_sent() {
    let mut shop = Shop::open().await;
    let none = shop.server.mock("GET", Matcher::Any).expect(0).create_async().await;
    let other = r#"{"list":"orders","from":1,"to":2,"offset":95,"round":0,"last":["A"]}"#;
    let products = r#"{"list":"products","from":1714539599,"to":1714543201,"offset":95,"round":0,"last":[]}"#;
    for text in ["", "7", "{}", other, products] {
        let error = shop.fetch_page(Some(&PageCursor::new(text))).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{text}");
        let cancels = shop.channel.cancellations().unwrap();
        let cursor = PageCursor::new(text);
        let error = cancels.requests(&Context::new(), window().window, Some(&cursor)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{text}");
    }
    let empty = OrderQuery::window(Window::new(at(FROM), at(FROM)));
    assert!(shop.channel.orders().fetch(&Context::new(), &empty, None).await.unwrap().next.is_none());
    none.assert_async().await;
}

#[tokio::test]
async fn an_unreadable_row_keeps_its_text_and_spoils_only_itself() {
    let mut shop = Shop::open().await;
    let broken = order_with(|order| {
        order["id"] = json!("BROKEN");
        order["items"][0]["quantity"] = json!("many");
    });
    let rows = [numbered(1), broken.clone(), json!(7), order_with(|o| o["id"] = json!("")), numbered(2)];
    shop.on("GET /orders", &page_query("0"), page(&rows, 0, 5), 1).await;
    let rows = shop.fetch().await.unwrap();
    assert_eq!(ids(&rows), ["N0001", "N0002"]);
    let bad: Vec<_> = rows
        .iter()
        .filter_map(|row| match row {
            Row::Unreadable(row) => Some(row),
            Row::Order(_) => None,
        })
        .collect();
    assert_eq!(bad.len(), 3);
    assert_eq!(bad[0].id.as_ref().unwrap().as_str(), "BROKEN");
    assert_eq!(bad[0].raw.reveal(), broken.to_string());
    assert!(!format!("{bad:?}").contains("Watson"));
}

#[tokio::test]
async fn an_abandoned_cart_is_no_order() {
    let mut shop = Shop::open().await;
    let cart = order_with(|order| order["paymentStatus"] = json!("INCOMPLETE"));
    shop.on("GET /orders", &page_query("0"), page(&[cart, numbered(1)], 0, 2), 1).await;
    assert_eq!(ids(&shop.fetch().await.unwrap()), ["N0001"]);
}

#[tokio::test]
async fn only_the_id_must_be_there_and_what_is_missing_holds_the_order() {
    let order = read_of(&json!({"id": 15, "items": null, "shippingPerson": "", "total": null})).await;
    assert_eq!((order.id.as_str(), order.status), ("15", OrderStatus::Unknown));
    assert!(order.holds.contains(&Hold::OnHold) && order.lines.is_empty());
    assert_eq!(order.totals.total, None);
    assert!((Utc::now() - order.updated_at).num_minutes() < 5, "the time of the request stands in");
    let bare = read_of(&order_with(|order| {
        order.as_object_mut().unwrap().remove("shippingPerson");
    }))
    .await;
    assert_eq!((bare.status, bare.holds.as_slice()), (OrderStatus::New, &[Hold::AddressWithheld][..]));
    let odd = read_of(&order_with(|order| order["fulfillmentStatus"] = json!("ON_THE_MOON"))).await;
    assert_eq!(odd.status, OrderStatus::Unknown);
}

#[tokio::test]
async fn numbers_that_come_as_texts_and_many_digits_are_exact() {
    let order = read_of(&order_with(|order| {
        order["total"] = json!("642.404477130936");
        order["items"][0]["price"] = json!("0.1");
        order["items"][0]["quantity"] = json!("3");
        order["createTimestamp"] = Value::Null;
        order["updateTimestamp"] = json!(0);
    }))
    .await;
    assert_eq!(order.totals.total.unwrap().amount.to_string(), "642.404477130936");
    assert_eq!(order.lines[0].total.unwrap().amount.to_string(), "0.3");
    assert_eq!(order.ordered_at, at("2024-05-01T05:26:28Z"), "from the text");
    assert_eq!(order.updated_at, at("2024-05-01T06:10:02Z"));
}

#[tokio::test]
async fn text_in_japanese_and_emoji_survives() {
    let order = read_of(&order_with(|order| {
        order["id"] = json!("注文-1/🌿");
        order["orderComments"] = json!("置き配希望 📦 \"<b>\"");
        order["shippingPerson"]["street"] = json!("中央区銀座1-2-3\n🏠 302号");
        order["items"][0]["name"] = json!("マグカップ ☕");
    }))
    .await;
    assert_eq!(order.id.as_str(), "注文-1/🌿");
    assert!(order.memo.unwrap().reveal().starts_with("置き配希望 📦 \"<b>\""));
    assert_eq!(order.destinations[0].recipient.reveal().address.lines[1..], ["中央区銀座1-2-3", "🏠 302号"]);
    assert_eq!(order.lines[0].title, "マグカップ ☕");
}

#[tokio::test]
async fn names_and_addresses_with_broken_characters_are_not_shipped_to() {
    let mut shop = Shop::open().await;
    let mut body = page(&[order()], 0, 1).into_bytes();
    let place = body.windows(11).position(|w| w == b"Mary Watson").unwrap();
    body[place] = 0xff;
    shop.on("GET /orders", &page_query("0"), body, 1).await;
    assert!(matches!(shop.fetch().await.unwrap()[0], Row::Unreadable(_)));
}

#[tokio::test]
async fn holds_and_withdrawals_are_seen() {
    type Change = fn(&mut Value);
    let cases: [(Change, CancelState, &[Hold]); 9] = [
        (|o| o["withdrawalRequested"] = json!(true), CancelState::Requested, &[]),
        (|o| o["externalFulfillment"] = json!(true), CancelState::None, &[Hold::OnHold]),
        (|o| o["shippingOption"]["isPickup"] = json!(true), CancelState::None, &[Hold::OnHold]),
        (|o| o["shippingOption"]["fulfillmentType"] = json!("pickup"), CancelState::None, &[Hold::OnHold]),
        (|o| o["items"][0]["isShippingRequired"] = json!(false), CancelState::None, &[Hold::OnHold]),
        (|o| o["shippingPerson"] = json!({}), CancelState::None, &[Hold::AddressWithheld]),
        (|o| o["paymentStatus"] = json!("PARTIALLY_REFUNDED"), CancelState::None, &[Hold::OnHold]),
        (|o| o["paymentStatus"] = json!("AWAITING_PAYMENT"), CancelState::None, &[Hold::PaymentInProcess]),
        (
            |o| {
                o["withdrawalRequested"] = json!("true");
                o["fulfillmentStatus"] = json!("SHIPPED");
            },
            CancelState::ReturnOrExchange,
            &[],
        ),
    ];
    for (n, (change, cancel, holds)) in cases.into_iter().enumerate() {
        let order = read_of(&order_with(change)).await;
        assert_eq!((order.cancel, order.holds.as_slice()), (cancel, holds), "case {n}");
    }
}

#[tokio::test]
async fn unpaid_orders_wait_unless_the_merchant_ships_them() {
    let unpaid = order_with(|order| order["paymentStatus"] = json!("AWAITING_PAYMENT"));
    let mut shop = Shop::open().await;
    shop.on("GET /orders", &page_query("0"), page(&[unpaid], 0, 1), 1).await;
    let cx = with_setting("awaiting_payment", "new");
    let page = shop.channel.orders().fetch(&cx, &window(), None).await.unwrap();
    let order = page.rows[0].order().unwrap();
    assert_eq!((order.status, order.holds.len()), (OrderStatus::New, 0));
}

fn with_setting(key: &str, value: &str) -> Context {
    let settings = [(key.to_owned(), json!(value))].into_iter().collect();
    Context::new().with_settings(Arc::new(settings))
}

#[tokio::test]
async fn the_day_that_the_buyer_wants_is_one_of_the_store() {
    let field = "ecwid_order_delivery_time_interval_start";
    for (text, day) in [
        ("2020-11-22 03:30:00 +0000", Some("2020-11-21")),
        ("2020-11-22", Some("2020-11-22")),
        ("2020-11-22 03:30:00", None),
        ("soon", None),
    ] {
        let order = read_of(&order_with(|order| order["extraFields"][field] = json!(text))).await;
        let desired = order.destinations[0].desired_date.map(|day| day.to_string());
        assert_eq!(desired.as_deref(), day, "{text}");
        assert_eq!(order.memo.unwrap().reveal().contains(text), day.is_none(), "{text}");
    }
}

#[tokio::test]
async fn numbers_of_bought_labels_are_known_beside_the_one_that_was_set() {
    let order = read_of(&order_with(|order| {
        order["trackingNumber"] = json!("T1");
        order["shippingOption"]["shippingCarrierName"] = json!("UPS");
        order["shipments"] = json!([
            {"shippingService": {"carrierName": "USPS"}, "tracking": {"tracking_number": "T2"}},
            {"shippingService": {"carrier": "fedex"}, "tracking": {"trackingNumber": "T3"}},
            {"tracking": {"trackingNumber": "T1"}},
        ]);
    }))
    .await;
    let expected = [Tracking::new("UPS", "T1"), Tracking::new("USPS", "T2"), Tracking::new("fedex", "T3")];
    assert_eq!(order.tracking, expected);
}

#[tokio::test]
async fn a_line_made_by_hand_is_never_taken_for_a_product() {
    let order = read_of(&order_with(|order| {
        let line = order["items"][0].as_object_mut().unwrap();
        line.remove("productId");
        line.remove("combinationId");
    }))
    .await;
    let listing = &order.lines[0].listing;
    assert_eq!(listing, &ListingKey::item("line-1741253497"));
    let mut shop = Shop::open().await;
    let none = shop.takes_none().await;
    let data = ChannelData::default();
    let outcomes = shop
        .channel
        .stock()
        .unwrap()
        .set_stock(&Context::new(), &[StockChange::new(listing, &data, 3)])
        .await;
    assert!(matches!(outcomes.unwrap()[0], Outcome::Refused(_)));
    none.assert_async().await;
}

// Reading known orders.

#[tokio::test]
async fn open_orders_are_read_one_by_one_and_sent_ones_are_searched_for() {
    let mut shop = Shop::open().await;
    let open = read_of(&numbered(1)).await;
    let mut sent = Vec::new();
    for n in 2..5 {
        let mut row = numbered(n);
        row["fulfillmentStatus"] = json!("SHIPPED");
        sent.push((read_of(&row).await, row));
    }
    let one = shop.shows(&numbered(1), 1).await;
    // The search finds two, and one that nobody asked for; the third is asked for by itself.
    let rows = [sent[1].1.clone(), numbered(9), sent[0].1.clone()];
    let query = [("ids", "N0002,N0003,N0004"), ("limit", "100")];
    let search = shop.on("GET /orders", &query, page(&rows, 0, 3), 1).await;
    let alone = shop.shows(&sent[2].1, 1).await;
    let known = [&open, &sent[0].0, &sent[1].0, &sent[2].0];
    let outcomes = shop.channel.orders().read(&Context::new(), &known).await.unwrap();
    let read: Vec<&str> = outcomes
        .iter()
        .map(|outcome| match outcome {
            Outcome::Done(order) => order.id.as_str(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(read, ["N0001", "N0002", "N0003", "N0004"]);
    for mock in [one, search, alone] {
        mock.assert_async().await;
    }
}

#[tokio::test]
async fn a_deleted_order_is_gone_only_when_neither_of_its_ids_finds_it() {
    let known = read_of(&order()).await;
    let missing = json!({"errorCode": "ORDER_NOT_FOUND", "errorMessage": "Order not found"}).to_string();
    let mut shop = Shop::open().await;
    let by_id = shop
        .mock("GET /orders/EBJFT", &[])
        .with_status(404)
        .with_body(&missing)
        .expect(1)
        .create_async()
        .await;
    let by_number = shop
        .mock("GET /orders/492512057", &[])
        .with_status(404)
        .with_body(&missing)
        .expect(1)
        .create_async()
        .await;
    let outcomes = shop.channel.orders().read(&Context::new(), &[&known]).await.unwrap();
    assert_eq!(word(&outcomes[0]), "refused ORDER_NOT_FOUND");
    by_id.assert_async().await;
    by_number.assert_async().await;
    // An answer that does not say what is missing drops nothing.
    for body in ["", "<html>404</html>", r#"{"error":"no"}"#] {
        let mut shop = Shop::open().await;
        shop.mock("GET /orders/EBJFT", &[]).with_status(404).with_body(body).create_async().await;
        let error = shop.channel.orders().read(&Context::new(), &[&known]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MalformedResponse, "{body}");
    }
}

#[tokio::test]
async fn an_order_that_a_webhook_names_by_number_is_found_and_another_order_is_not_taken() {
    let mut shop = Shop::open().await;
    shop.on("GET /orders/492512057", &[], order().to_string(), 1).await;
    let at = at(FROM);
    let named = Order::new("492512057", OrderStatus::Unknown, at, at, Currency::USD);
    let outcomes = shop.channel.orders().read(&Context::new(), &[&named]).await.unwrap();
    assert!(matches!(&outcomes[0], Outcome::Done(order) if order.id.as_str() == "EBJFT"));
    let known = read_of(&order()).await;
    shop.on("GET /orders/EBJFT", &[], numbered(3).to_string(), 1).await;
    let error = shop.channel.orders().read(&Context::new(), &[&known]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MalformedResponse);
}

#[tokio::test]
async fn an_order_id_is_one_segment_of_the_address() {
    for (id, path) in [("A/B ?#%é,1", "A%2FB%20%3F%23%25%C3%A9%2C1"), ("-.5", "-.5")] {
        let row = order_with(|order| order["id"] = json!(id));
        let known = read_of(&row).await;
        let mut shop = Shop::open().await;
        let mock = shop.on(&format!("GET /orders/{path}"), &[], row.to_string(), 1).await;
        let outcomes = shop.channel.orders().read(&Context::new(), &[&known]).await.unwrap();
        assert!(outcomes[0].is_done());
        mock.assert_async().await;
    }
    let dots = Order::new("..", OrderStatus::New, at(FROM), at(FROM), Currency::USD);
    let shop = Shop::open().await;
    let outcomes = shop.channel.orders().read(&Context::new(), &[&dots]).await.unwrap();
    assert_eq!(word(&outcomes[0]), "not tried: InvalidInput");
}

// Confirming.

async fn confirm(shop: &Shop, orders: &[&Order]) -> Vec<String> {
    confirm_in(shop, &Context::new(), orders).await
}

async fn confirm_in(shop: &Shop, cx: &Context, orders: &[&Order]) -> Vec<String> {
    let requests: Vec<_> = orders.iter().map(|order| ConfirmRequest::new(order)).collect();
    let outcomes = shop.channel.confirm().unwrap().confirm(cx, &requests).await.unwrap();
    outcomes.iter().map(word).collect()
}

#[tokio::test]
async fn an_order_is_read_and_then_confirmed_by_exactly_the_documented_body() {
    let mut shop = Shop::open().await;
    let known = read_of(&order()).await;
    let look = shop.shows(&order(), 1).await;
    let body = sample("confirm.request.json");
    let write = shop.takes("EBJFT", body.trim(), &sample("update.response.json"), 1).await;
    assert_eq!(confirm(&shop, &[&known]).await, ["done"]);
    look.assert_async().await;
    write.assert_async().await;
    assert_eq!(shop.channel.confirm().unwrap().repeat(), Repeat::ReadFirst);
}

#[tokio::test]
async fn an_order_is_confirmed_only_as_it_is_now() {
    let known = read_of(&order()).await;
    type Change = fn(&mut Value);
    let cases: [(Change, &str); 13] = [
        (|o| o["fulfillmentStatus"] = json!("PROCESSING"), "already"),
        (|o| o["fulfillmentStatus"] = json!("SHIPPED"), "refused NOT_OPEN"),
        (|o| o["fulfillmentStatus"] = json!("DELIVERED"), "refused NOT_OPEN"),
        (|o| o["fulfillmentStatus"] = json!("CUSTOM_FULFILLMENT_STATUS_1"), "refused CUSTOM_STATUS, for now"),
        (|o| o["paymentStatus"] = json!("CUSTOM_PAYMENT_STATUS_2"), "refused CUSTOM_STATUS, for now"),
        (|o| o["paymentStatus"] = json!("CANCELLED"), "refused NOT_OPEN"),
        (|o| o["paymentStatus"] = json!("REFUNDED"), "refused NOT_OPEN"),
        (|o| o["paymentStatus"] = json!("AWAITING_PAYMENT"), "refused NOT_PAID, for now"),
        (|o| o["paymentStatus"] = json!("PARTIALLY_REFUNDED"), "refused ON_HOLD"),
        (|o| o["withdrawalRequested"] = json!(true), "refused WITHDRAWAL_REQUESTED, for now"),
        (|o| o["externalFulfillment"] = json!(true), "refused ON_HOLD"),
        (|o| o["shippingOption"]["isPickup"] = json!(true), "refused ON_HOLD"),
        (|o| o["shippingPerson"] = Value::Null, "refused ON_HOLD, for now"),
    ];
    for (n, (change, expected)) in cases.into_iter().enumerate() {
        let mut shop = Shop::open().await;
        shop.shows(&order_with(change), 1).await;
        let none = shop.takes_none().await;
        assert_eq!(confirm(&shop, &[&known]).await, [expected], "case {n}");
        none.assert_async().await;
    }
    let mut shop = Shop::open().await;
    shop.shows(&order_with(|o| o["paymentStatus"] = json!("AWAITING_PAYMENT")), 1).await;
    shop.takes("EBJFT", r#"{"fulfillmentStatus":"PROCESSING"}"#, UPDATED, 1).await;
    assert_eq!(confirm_in(&shop, &with_setting("awaiting_payment", "new"), &[&known]).await, ["done"]);
}

#[tokio::test]
async fn outcomes_of_a_batch_are_each_orders_own() {
    let mut shop = Shop::open().await;
    let mut known = Vec::new();
    for n in 1..6 {
        known.push(read_of(&numbered(n)).await);
    }
    let mut confirmed = numbered(2);
    confirmed["fulfillmentStatus"] = json!("PROCESSING");
    shop.shows(&numbered(1), 1).await;
    shop.shows(&confirmed, 1).await;
    let missing = json!({"errorCode": "ORDER_NOT_FOUND"}).to_string();
    for path in ["/orders/N0003", "/orders/900003"] {
        shop.mock(&format!("GET {path}"), &[]).with_status(404).with_body(&missing).create_async().await;
    }
    shop.shows(&numbered(4), 1).await;
    shop.shows(&numbered(5), 1).await;
    let body = r#"{"fulfillmentStatus":"PROCESSING"}"#;
    shop.takes("N0001", body, UPDATED, 1).await;
    // The answer does not say.
    shop.takes("N0004", body, "{}", 1).await;
    shop.mock("PUT /orders/N0005", &[])
        .with_status(400)
        .with_body(r#"{"errorCode":"WRONG_PARAMETER","errorMessage":"no"}"#)
        .expect(1)
        .create_async()
        .await;
    let known: Vec<&Order> = known.iter().chain(std::iter::once(&known[0])).collect();
    assert_eq!(
        confirm(&shop, &known).await,
        [
            "done",
            "already",
            "refused ORDER_NOT_FOUND",
            "unknown: MalformedResponse",
            "refused WRONG_PARAMETER",
            "not tried: Busy"
        ]
    );
}

#[tokio::test]
async fn an_update_that_changed_nothing_is_settled_by_reading() {
    let known = read_of(&order()).await;
    let processing = order_with(|o| o["fulfillmentStatus"] = json!("PROCESSING"));
    for (after, expected) in [(processing, "already"), (order(), "refused NOT_CHANGED, for now")] {
        let mut shop = Shop::open().await;
        let mut bodies = vec![after.to_string(), order().to_string()];
        let answer = std::sync::Mutex::new(std::mem::take(&mut bodies));
        shop.mock("GET /orders/EBJFT", &[])
            .with_body_from_request(move |_| answer.lock().unwrap().pop().unwrap().into_bytes())
            .expect(2)
            .create_async()
            .await;
        shop.takes("EBJFT", r#"{"fulfillmentStatus":"PROCESSING"}"#, r#"{"updateCount":"0"}"#, 1).await;
        assert_eq!(confirm(&shop, &[&known]).await, [expected]);
    }
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_not_sent_again() {
    let known = read_of(&order()).await;
    for (status, body) in [
        (500, ""),
        (502, "<html>"),
        (408, ""),
        (200, "<html>"),
        (200, ""),
        (200, "{\"upd"),
        (200, r#"{"errorCode":"INTERNAL_ERROR"}"#),
    ] {
        let mut shop = Shop::open().await;
        shop.shows(&order(), 1).await;
        let write = shop
            .mock("PUT /orders/EBJFT", &[])
            .with_status(status)
            .with_body(body)
            .expect(1)
            .create_async()
            .await;
        let request = [ConfirmRequest::new(&known)];
        let error = shop.channel.confirm().unwrap().confirm(&Context::new(), &request).await.unwrap_err();
        assert!(error.outcome_unknown() && error.is_temporary(), "{status} {body}: {error}");
        write.assert_async().await;
    }
}

#[tokio::test]
async fn a_look_that_has_grown_old_allows_no_write() {
    let clock = Arc::new(ManualClock::at(at(FROM)));
    let mut server = mockito::Server::new_async().await;
    let config = asking(&server).with_store(Currency::USD, chrono_tz::UTC);
    let client = client().with_clock(Arc::clone(&clock) as Arc<dyn Clock>);
    let channel = Ecwid::new(&client, "shop-1", &credentials(), config).unwrap();
    let known = read_of(&order()).await;
    let path = format!("{ROOT}/orders/EBJFT");
    let later = Arc::clone(&clock);
    server
        .mock("GET", path.as_str())
        .with_body_from_request(move |_| {
            later.advance(TimeDelta::seconds(21));
            order().to_string().into_bytes()
        })
        .create_async()
        .await;
    let write = server.mock("PUT", path.as_str()).expect(0).create_async().await;
    let request = [ConfirmRequest::new(&known)];
    let error = channel.confirm().unwrap().confirm(&Context::new(), &request).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::Unavailable, false));
    write.assert_async().await;
}

// Dispatch.

async fn dispatch(shop: &Shop, requests: &[DispatchRequest<'_>]) -> Vec<Outcome<Dispatched>> {
    shop.channel.dispatch().unwrap().dispatch(&Context::new(), requests).await.unwrap()
}

const SHIPPED: &str = r#"{"trackingNumber":"1Z999AA10123456784","fulfillmentStatus":"SHIPPED"}"#;

fn ups() -> Tracking {
    Tracking::new("UPS", " 1Z999AA10123456784 ")
}

#[tokio::test]
async fn a_parcel_is_reported_with_number_and_status_in_one_write() {
    let sent: Value = serde_json::from_str(&sample("dispatch.request.json")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(SHIPPED).unwrap(), sent);
    let mut shop = Shop::open().await;
    let known = read_of(&order()).await;
    let look = shop.shows(&order(), 1).await;
    let write = shop.takes("EBJFT", SHIPPED, UPDATED, 1).await;
    let tracking = ups();
    let outcomes = dispatch(&shop, &[DispatchRequest::new(&known, Some(&tracking), Utc::now())]).await;
    assert_eq!(word(&outcomes[0]), "done");
    look.assert_async().await;
    write.assert_async().await;
    // Without a number, the status alone.
    let mut shop = Shop::open().await;
    shop.shows(&order(), 1).await;
    shop.takes("EBJFT", r#"{"fulfillmentStatus":"SHIPPED"}"#, UPDATED, 1).await;
    let outcomes = dispatch(&shop, &[DispatchRequest::new(&known, None, Utc::now())]).await;
    assert_eq!(word(&outcomes[0]), "done");
    assert_eq!(shop.channel.dispatch().unwrap().repeat(), Repeat::ReadFirst);
    assert!(shop.channel.dispatch().unwrap().hand_over_methods().is_empty());
}

#[tokio::test]
async fn a_parcel_is_reported_only_for_the_order_as_it_is_now() {
    let known = read_of(&order()).await;
    type Change = fn(&mut Value);
    let cases: [(Change, &str); 15] = [
        (
            |o| {
                o["fulfillmentStatus"] = json!("SHIPPED");
                o["trackingNumber"] = json!("1Z999AA10123456784");
            },
            "already",
        ),
        (
            |o| {
                o["fulfillmentStatus"] = json!("DELIVERED");
                o["trackingNumber"] = json!("1Z999AA10123456784");
            },
            "already",
        ),
        (
            |o| {
                o["fulfillmentStatus"] = json!("SHIPPED");
                o["trackingNumber"] = json!("OTHER");
            },
            "refused ALREADY_SHIPPED",
        ),
        (|o| o["fulfillmentStatus"] = json!("OUT_FOR_DELIVERY"), "refused ALREADY_SHIPPED"),
        (|o| o["trackingNumber"] = json!("OTHER"), "refused OTHER_TRACKING_NUMBER"),
        (|o| o["fulfillmentStatus"] = json!("RETURNED"), "refused NOT_OPEN"),
        (|o| o["fulfillmentStatus"] = json!("READY_FOR_PICKUP"), "refused NOT_OPEN"),
        (|o| o["fulfillmentStatus"] = json!("WILL_NOT_DELIVER"), "refused NOT_OPEN"),
        (|o| o["fulfillmentStatus"] = json!("CUSTOM_FULFILLMENT_STATUS_3"), "refused CUSTOM_STATUS, for now"),
        (|o| o["paymentStatus"] = json!("CANCELLED"), "refused NOT_OPEN"),
        (|o| o["paymentStatus"] = json!("AWAITING_PAYMENT"), "refused NOT_PAID, for now"),
        (|o| o["withdrawalRequested"] = json!(true), "refused WITHDRAWAL_REQUESTED, for now"),
        (|o| o["externalFulfillment"] = json!(true), "refused ON_HOLD"),
        (|o| o["shippingOption"]["fulfillmentType"] = json!("PICKUP"), "refused ON_HOLD"),
        (
            |o| {
                let mut line = o["items"][0].clone();
                line["id"] = json!(2);
                o["items"].as_array_mut().unwrap().push(line);
            },
            "refused PARTIAL_NOT_SUPPORTED",
        ),
    ];
    let tracking = ups();
    for (n, (change, expected)) in cases.into_iter().enumerate() {
        let mut shop = Shop::open().await;
        shop.shows(&order_with(change), 1).await;
        let none = shop.takes_none().await;
        let outcomes = dispatch(&shop, &[DispatchRequest::new(&known, Some(&tracking), Utc::now())]).await;
        assert_eq!(word(&outcomes[0]), expected, "case {n}");
        none.assert_async().await;
    }
    // The number is there and the status is not; and a part of the money was given back after the parcel left.
    let open: [Change; 2] = [
        |o| {
            o["fulfillmentStatus"] = json!("PROCESSING");
            o["trackingNumber"] = json!("1Z999AA10123456784");
        },
        |o| o["paymentStatus"] = json!("PARTIALLY_REFUNDED"),
    ];
    for change in open {
        let mut shop = Shop::open().await;
        shop.shows(&order_with(change), 1).await;
        shop.takes("EBJFT", SHIPPED, UPDATED, 1).await;
        let outcomes = dispatch(&shop, &[DispatchRequest::new(&known, Some(&tracking), Utc::now())]).await;
        assert_eq!(word(&outcomes[0]), "done");
    }
}

#[tokio::test]
async fn a_part_of_an_order_and_a_second_parcel_are_refused() {
    let row = order_with(|o| {
        let mut digital = o["items"][0].clone();
        digital["id"] = json!(2);
        digital["isShippingRequired"] = json!(false);
        o["items"].as_array_mut().unwrap().push(digital);
    });
    let known = read_of(&row).await;
    let tracking = ups();
    let line = |id: &str, pieces| (LineId::from(id), pieces);
    for (lines, expected) in [
        (vec![line("1741253497", 4)], "refused PARTIAL_NOT_SUPPORTED"),
        (vec![line("1741253497", 6)], "refused PARTIAL_NOT_SUPPORTED"),
        (vec![line("2", 5)], "refused PARTIAL_NOT_SUPPORTED"),
        (vec![line("1741253497", 5), line("77", 1)], "refused PARTIAL_NOT_SUPPORTED"),
        (vec![line("1741253497", 5)], "done"),
        (vec![line("1741253497", 2), line("1741253497", 3), line("2", 5)], "done"),
    ] {
        let mut shop = Shop::open().await;
        shop.shows(&row, 1).await;
        let times = usize::from(expected == "done");
        let write = shop.takes("EBJFT", SHIPPED, UPDATED, times).await;
        let mut request = DispatchRequest::new(&known, Some(&tracking), Utc::now());
        request.lines = &lines;
        assert_eq!(word(&dispatch(&shop, &[request]).await[0]), expected, "{lines:?}");
        write.assert_async().await;
    }
    // Two parcels of one order in one call: the second must not overwrite the first.
    let mut shop = Shop::open().await;
    shop.shows(&row, 1).await;
    let write = shop.takes("EBJFT", SHIPPED, UPDATED, 1).await;
    let other = Tracking::new("UPS", "SECOND");
    let requests = [
        DispatchRequest::new(&known, Some(&tracking), Utc::now()),
        DispatchRequest::new(&known, Some(&other), Utc::now()),
    ];
    let words: Vec<String> = dispatch(&shop, &requests).await.iter().map(word).collect();
    assert_eq!(words, ["done", "not tried: Busy"]);
    write.assert_async().await;
}

#[tokio::test]
async fn a_blank_number_is_refused_before_anything_is_sent() {
    let known = read_of(&order()).await;
    let shop = Shop::open().await;
    for number in ["  ", "A\nB"] {
        let tracking = Tracking::new("UPS", number);
        let outcomes = dispatch(&shop, &[DispatchRequest::new(&known, Some(&tracking), Utc::now())]).await;
        assert_eq!(word(&outcomes[0]), "refused TRACKING_NUMBER");
    }
}

#[tokio::test]
async fn after_a_lost_answer_a_read_shows_the_parcel_and_a_repeat_does_nothing() {
    let known = read_of(&order()).await;
    let mut shop = Shop::open().await;
    let sent = order_with(|o| {
        o["fulfillmentStatus"] = json!("SHIPPED");
        o["trackingNumber"] = json!("1Z999AA10123456784");
    });
    shop.shows(&sent, 2).await;
    let none = shop.takes_none().await;
    let outcomes = shop.channel.orders().read(&Context::new(), &[&known]).await.unwrap();
    let Outcome::Done(read) = &outcomes[0] else { panic!("{outcomes:?}") };
    assert_eq!((read.status, read.tracking[0].number.as_str()), (OrderStatus::Shipped, "1Z999AA10123456784"));
    assert_eq!(read.lines[0].outstanding(), 0);
    let tracking = ups();
    let outcomes = dispatch(&shop, &[DispatchRequest::new(&known, Some(&tracking), Utc::now())]).await;
    assert_eq!(word(&outcomes[0]), "already");
    none.assert_async().await;
}

// Cancellations.

async fn cancel(shop: &Shop, order: &Order, action: CancelAction) -> String {
    let decision = CancelDecision { order, action, reason: CancelReason::OutOfStock, memo: Some("sorry") };
    let outcomes = shop.channel.cancellations().unwrap().decide(&Context::new(), &[decision]).await.unwrap();
    word(&outcomes[0])
}

#[tokio::test]
async fn a_seller_cancels_after_reading_and_sends_nothing_but_the_status() {
    let known = read_of(&order()).await;
    let mut shop = Shop::open().await;
    let look = shop.shows(&order(), 1).await;
    let body = r#"{"paymentStatus":"CANCELLED"}"#;
    let sampled: Value = serde_json::from_str(&sample("cancel.request.json")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(body).unwrap(), sampled);
    let write = shop.takes("EBJFT", body, UPDATED, 1).await;
    assert_eq!(cancel(&shop, &known, CancelAction::CancelBySeller).await, "done");
    look.assert_async().await;
    write.assert_async().await;
    assert_eq!(shop.channel.cancellations().unwrap().actions(), [CancelAction::CancelBySeller]);
    for action in [CancelAction::Accept, CancelAction::Refuse] {
        assert_eq!(cancel(&shop, &known, action).await, "refused UNSUPPORTED");
    }
}

#[tokio::test]
async fn what_is_cancelled_is_not_cancelled_twice_and_what_has_left_not_at_all() {
    let known = read_of(&order()).await;
    type Change = fn(&mut Value);
    let cases: [(Change, &str); 9] = [
        (|o| o["paymentStatus"] = json!("CANCELLED"), "already"),
        (|o| o["paymentStatus"] = json!("REFUNDED"), "already"),
        (|o| o["fulfillmentStatus"] = json!("SHIPPED"), "refused ALREADY_SHIPPED"),
        (|o| o["fulfillmentStatus"] = json!("OUT_FOR_DELIVERY"), "refused ALREADY_SHIPPED"),
        (|o| o["fulfillmentStatus"] = json!("RETURNED"), "refused ALREADY_SHIPPED"),
        (|o| o["fulfillmentStatus"] = json!("WILL_NOT_DELIVER"), "refused WILL_NOT_DELIVER"),
        (|o| o["fulfillmentStatus"] = json!("CUSTOM_FULFILLMENT_STATUS_1"), "refused CUSTOM_STATUS, for now"),
        (|o| o["trackingNumber"] = json!("T1"), "refused OTHER_TRACKING_NUMBER"),
        (|o| o["paymentStatus"] = json!("INCOMPLETE"), "refused INCOMPLETE"),
    ];
    for (n, (change, expected)) in cases.into_iter().enumerate() {
        let mut shop = Shop::open().await;
        shop.shows(&order_with(change), 1).await;
        let none = shop.takes_none().await;
        assert_eq!(cancel(&shop, &known, CancelAction::CancelBySeller).await, expected, "case {n}");
        none.assert_async().await;
    }
}

#[tokio::test]
async fn withdrawals_are_found_among_the_orders_of_the_window() {
    let mut shop = Shop::open().await;
    let asks = |n: usize, status: &str| {
        let mut row = numbered(n);
        row["withdrawalRequested"] = json!(true);
        row["fulfillmentStatus"] = json!(status);
        row
    };
    let rows = [numbered(1), asks(2, "SHIPPED"), asks(3, "DELIVERED"), json!({"withdrawalRequested": true})];
    shop.on("GET /orders", &page_query("0"), page(&rows, 0, 4), 1).await;
    let page =
        shop.channel.cancellations().unwrap().requests(&Context::new(), window().window, None).await.unwrap();
    let found: Vec<(&str, bool)> = page.requests.iter().map(|r| (r.order.as_str(), r.open)).collect();
    assert_eq!(found, [("N0002", true), ("N0003", false)]);
    assert_eq!(page.unreadable.len(), 1);
    assert!(page.next.is_none());
}

// Stock and listings.

const MUG: &str = "692730761";
const TEE: &str = "689454040";

fn product(id: &str) -> Value {
    let page: Value = serde_json::from_str(&sample("products.response.json")).unwrap();
    page["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["id"].as_u64() == id.parse().ok())
        .unwrap()
        .clone()
}

async fn set(
    shop: &Shop,
    cx: &Context,
    changes: &[(&ListingKey, u32, Option<u32>)],
) -> Vec<Outcome<StockAccepted>> {
    let data = ChannelData::default();
    let changes: Vec<StockChange<'_>> = changes
        .iter()
        .map(|(listing, quantity, accepted)| {
            let mut change = StockChange::new(listing, &data, *quantity);
            change.accepted = *accepted;
            change
        })
        .collect();
    shop.channel.stock().unwrap().set_stock(cx, &changes).await.unwrap()
}

impl Shop {
    async fn sets(&mut self, path: &str, body: &str, answer: &str, times: usize) -> mockito::Mock {
        self.mock(&format!("PUT {path}"), &[])
            .match_header("content-type", "application/json")
            .match_body(body)
            .with_body(answer)
            .expect(times)
            .create_async()
            .await
    }
}

#[tokio::test]
async fn a_quantity_is_set_absolutely_and_nothing_else_of_the_product_is_sent() {
    let mut shop = Shop::open().await;
    let (mug, tee) = (ListingKey::item(MUG), ListingKey::option(TEE, "421616046"));
    shop.on(&format!("GET /products/{MUG}"), &[], product(MUG).to_string(), 1).await;
    shop.on(&format!("GET /products/{TEE}"), &[], product(TEE).to_string(), 1).await;
    let one = shop.sets(&format!("/products/{MUG}"), r#"{"quantity":7}"#, UPDATED, 1).await;
    let two =
        shop.sets(&format!("/products/{TEE}/combinations/421616046"), r#"{"quantity":0}"#, UPDATED, 1).await;
    let outcomes = set(&shop, &Context::new(), &[(&mug, 7, None), (&tee, 0, Some(4)), (&mug, 8, None)]).await;
    let words: Vec<String> = outcomes.iter().map(word).collect();
    assert_eq!(words, ["done", "done", "not tried: Busy"]);
    assert!(matches!(outcomes[0], Outcome::Done(StockAccepted { quantity: 7 })));
    one.assert_async().await;
    two.assert_async().await;
}

#[tokio::test]
async fn an_unlimited_listing_is_refused_or_switched_over_as_the_merchant_chose() {
    let small = ListingKey::option(TEE, "421616047");
    let mut shop = Shop::open().await;
    shop.on(&format!("GET /products/{TEE}"), &[], product(TEE).to_string(), 1).await;
    let none = shop.takes_none().await;
    let outcomes = set(&shop, &Context::new(), &[(&small, 7, None)]).await;
    assert_eq!(word(&outcomes[0]), "refused UNLIMITED_STOCK");
    none.assert_async().await;
    // Switched over: the listing itself must show it.
    let cx = with_setting("unlimited_stock", "track");
    for (limited, expected) in [(true, "done"), (false, "refused UNLIMITED_STOCK")] {
        let mut shop = Shop::open().await;
        let mut after = product(TEE);
        if limited {
            after["combinations"][1]["unlimited"] = json!(false);
            after["combinations"][1]["quantity"] = json!(7);
        }
        let bodies = std::sync::Mutex::new(vec![after.to_string(), product(TEE).to_string()]);
        shop.mock(&format!("GET /products/{TEE}"), &[])
            .with_body_from_request(move |_| bodies.lock().unwrap().pop().unwrap().into_bytes())
            .expect(2)
            .create_async()
            .await;
        let path = format!("/products/{TEE}/combinations/421616047");
        let write = shop.sets(&path, r#"{"quantity":7,"unlimited":false}"#, UPDATED, 1).await;
        assert_eq!(word(&set(&shop, &cx, &[(&small, 7, None)]).await[0]), expected);
        write.assert_async().await;
    }
}

#[tokio::test]
async fn bundles_several_locations_and_missing_listings_are_refused() {
    type Change = fn(&mut Value);
    let cases: [(Change, &str, &str); 4] = [
        (|p| p["compositeComponents"] = json!([{"productId": 1, "quantity": 2}]), "", "refused BUNDLE"),
        (|p| p["locationInventory"] = json!({"a": 1, "b": 2}), "", "refused SEVERAL_LOCATIONS"),
        (|_| {}, "99", "refused COMBINATION_NOT_FOUND"),
        (|p| p["unlimited"] = json!(true), "", "refused UNLIMITED_STOCK"),
    ];
    for (change, option, expected) in cases {
        let mut row = product(MUG);
        change(&mut row);
        let mut shop = Shop::open().await;
        shop.on(&format!("GET /products/{MUG}"), &[], row.to_string(), 1).await;
        let none = shop.takes_none().await;
        let listing = ListingKey::option(MUG, option);
        assert_eq!(word(&set(&shop, &Context::new(), &[(&listing, 7, None)]).await[0]), expected);
        none.assert_async().await;
    }
    let mut shop = Shop::open().await;
    shop.mock("GET /products/1", &[])
        .with_status(404)
        .with_body(r#"{"errorCode":"PRODUCT_NOT_FOUND"}"#)
        .create_async()
        .await;
    shop.on(&format!("GET /products/{MUG}"), &[], product(MUG).to_string(), 2).await;
    shop.mock(&format!("PUT /products/{MUG}"), &[])
        .with_status(400)
        .with_body(r#"{"errorCode":"DIFFERENT_COMBINATION_STOCK","errorMessage":"no"}"#)
        .expect(1)
        .create_async()
        .await;
    let (gone, mug, odd) = (ListingKey::item("1"), ListingKey::item(MUG), ListingKey::item("../orders/1"));
    let outcomes = set(&shop, &Context::new(), &[(&gone, 1, None), (&mug, 1, None), (&odd, 1, None)]).await;
    let words: Vec<String> = outcomes.iter().map(word).collect();
    assert_eq!(words, ["refused PRODUCT_NOT_FOUND", "refused DIFFERENT_COMBINATION_STOCK", "refused "]);
    let outcomes = set(&shop, &Context::new(), &[(&mug, u32::MAX, None)]).await;
    assert_eq!(word(&outcomes[0]), "refused QUANTITY");
}

#[tokio::test]
async fn a_raise_waits_once_for_the_orders_behind_a_fresh_change() {
    let mug = ListingKey::item(MUG);
    let mut fresh = product(MUG);
    fresh["updateTimestamp"] = json!(Utc::now().timestamp());
    let mut shop = Shop::open().await;
    // It shows 12 where 14 was set.
    shop.on(&format!("GET /products/{MUG}"), &[], fresh.to_string(), 3).await;
    let up = shop.sets(&format!("/products/{MUG}"), r#"{"quantity":20}"#, UPDATED, 1).await;
    let down = shop.sets(&format!("/products/{MUG}"), r#"{"quantity":3}"#, UPDATED, 1).await;
    let cx = Context::new();
    assert_eq!(
        word(&set(&shop, &cx, &[(&mug, 20, Some(14))]).await[0]),
        "refused CHANGED_MEANWHILE, for now"
    );
    assert_eq!(word(&set(&shop, &cx, &[(&mug, 20, Some(14))]).await[0]), "done");
    assert_eq!(word(&set(&shop, &cx, &[(&mug, 3, Some(14))]).await[0]), "done", "lowering never waits");
    up.assert_async().await;
    down.assert_async().await;
    // What changed long ago is known.
    let mut old = product(MUG);
    old["updated"] = json!("2024-05-01 05:26:28 +0000");
    let mut shop = Shop::open().await;
    shop.on(&format!("GET /products/{MUG}"), &[], old.to_string(), 1).await;
    shop.sets(&format!("/products/{MUG}"), r#"{"quantity":20}"#, UPDATED, 1).await;
    assert_eq!(word(&set(&shop, &cx, &[(&mug, 20, Some(14))]).await[0]), "done");
}

#[tokio::test]
async fn a_quantity_is_sent_again_after_a_lost_answer_and_a_count_of_nothing_is_looked_into() {
    let mug = ListingKey::item(MUG);
    let mut shop = Shop::open().await;
    shop.on(&format!("GET /products/{MUG}"), &[], product(MUG).to_string(), 1).await;
    let twice =
        shop.mock(&format!("PUT /products/{MUG}"), &[]).with_status(500).expect(2).create_async().await;
    let data = ChannelData::default();
    let change = [StockChange::new(&mug, &data, 5)];
    let error = shop.channel.stock().unwrap().set_stock(&Context::new(), &change).await.unwrap_err();
    assert!(error.outcome_unknown() && error.is_temporary());
    twice.assert_async().await;
    for (quantity, expected) in [(12, "done"), (11, "refused NOT_CHANGED, for now")] {
        let mut shop = Shop::open().await;
        shop.on(&format!("GET /products/{MUG}"), &[], product(MUG).to_string(), 2).await;
        let body = format!(r#"{{"quantity":{quantity}}}"#);
        shop.sets(&format!("/products/{MUG}"), &body, r#"{"updateCount":0}"#, 1).await;
        assert_eq!(word(&set(&shop, &Context::new(), &[(&mug, quantity, None)]).await[0]), expected);
    }
}

const FIELDS: &str = "total,count,offset,limit,items(id,sku,name,enabled,quantity,unlimited,outOfStockVisibilityBehaviour,combinations(id,sku,quantity,unlimited,outOfStockVisibilityBehaviour,options))";

#[tokio::test]
async fn quantities_are_read_together_and_matched_by_id() {
    let mut shop = Shop::open().await;
    let mut answer: Value = serde_json::from_str(&sample("products.response.json")).unwrap();
    answer["items"][0]["quantity"] = json!(-3);
    let query = [("productId", "5,6,689454040,692730761"), ("limit", "100"), ("responseFields", FIELDS)];
    let search = shop.on("GET /products", &query, answer.to_string(), 1).await;
    let mut late = product(MUG);
    late["id"] = json!(5);
    let alone = shop.on("GET /products/5", &[], late.to_string(), 1).await;
    shop.mock("GET /products/6", &[])
        .with_status(404)
        .with_body(r#"{"errorCode":"PRODUCT_NOT_FOUND"}"#)
        .create_async()
        .await;
    let listings = [
        ListingKey::option(TEE, "421616046"),
        ListingKey::item(MUG),
        ListingKey::item("6"),
        ListingKey::option(TEE, "421616047"),
        ListingKey::item("5"),
        ListingKey::option(TEE, "1"),
        ListingKey::item("line-1"),
    ];
    let outcomes = shop.channel.stock().unwrap().read_stock(&Context::new(), &listings).await.unwrap();
    let told: Vec<String> = outcomes
        .iter()
        .map(|outcome| match outcome {
            Outcome::Done(accepted) => accepted.quantity.to_string(),
            other => word(other),
        })
        .collect();
    assert_eq!(
        told,
        [
            "4",
            "0",
            "refused PRODUCT_NOT_FOUND",
            "refused UNLIMITED_STOCK",
            "12",
            "refused COMBINATION_NOT_FOUND",
            "refused "
        ]
    );
    search.assert_async().await;
    alone.assert_async().await;
}

#[tokio::test]
async fn products_and_their_variations_are_listed_in_the_order_of_their_adding() {
    let mut shop = Shop::open().await;
    let query = [("sortBy", "ADDED_TIME_ASC"), ("offset", "0"), ("limit", "100"), ("responseFields", FIELDS)];
    let mut answer: Value = serde_json::from_str(&sample("products.response.json")).unwrap();
    let mut stopped = product(MUG);
    stopped["id"] = json!(7);
    stopped["enabled"] = json!(false);
    answer["items"].as_array_mut().unwrap().extend([json!({"name": "no id"}), stopped]);
    shop.on("GET /products", &query, answer.to_string(), 1).await;
    let page = shop.channel.listings().unwrap().list(&Context::new(), None).await.unwrap();
    let found: Vec<(String, Option<&str>, &str, Option<u32>)> = page
        .listings
        .iter()
        .map(|l| (l.key.to_string(), l.sku.as_ref().map(|sku| sku.as_str()), l.title.as_str(), l.quantity))
        .collect();
    assert_eq!(
        found,
        [
            ("692730761".into(), Some("MUG"), "Mug", Some(12)),
            ("689454040".into(), Some("TEE"), "T-shirt", None),
            ("689454040/421616046".into(), Some("TEE-L"), "T-shirt (Size: L)", Some(4)),
            ("689454040/421616047".into(), Some("TEE"), "T-shirt (Size: M)", None),
            ("7".into(), Some("MUG"), "Mug", Some(12)),
        ]
    );
    assert_eq!(page.listings[0].state, ListingState::OnSale);
    assert_eq!(page.listings[4].state, ListingState::Stopped);
    assert!(page.next.is_none());
}

#[tokio::test]
async fn listings_are_paged_to_the_end_with_an_overlap() {
    let mut shop = Shop::open().await;
    let rows: Vec<Value> =
        (0..120).map(|n| json!({"id": n + 1, "name": "x", "enabled": true, "quantity": n})).collect();
    for (offset, rows) in [("0", &rows[..100]), ("95", &rows[95..])] {
        let query =
            [("sortBy", "ADDED_TIME_ASC"), ("offset", offset), ("limit", "100"), ("responseFields", FIELDS)];
        shop.on("GET /products", &query, page(rows, offset.parse().unwrap(), 120), 1).await;
    }
    let listings = shop.channel.listings().unwrap();
    let first = listings.list(&Context::new(), None).await.unwrap();
    let second = listings.list(&Context::new(), first.next.as_ref()).await.unwrap();
    assert_eq!((first.listings.len(), second.listings.len(), second.next), (100, 25, None));
    assert!(listings.list(&Context::new(), Some(&PageCursor::new("95"))).await.is_err());
}

// Limits, tokens, bad answers.

#[tokio::test]
async fn the_first_429_parks_the_account() {
    for (header, seconds) in [(Some("30"), 30), (None, 60)] {
        let mut shop = Shop::open().await;
        let mut mock = shop.mock("GET /orders", &page_query("0")).with_status(429).expect(1);
        if let Some(header) = header {
            mock = mock.with_header("retry-after", header);
        }
        let mock =
            mock.with_body(r#"{"errorCode":"RATE_LIMITED","errorMessage":"slow"}"#).create_async().await;
        let cx = Context::new().with_budget(Duration::from_secs(5));
        let error = shop.channel.orders().fetch(&cx, &window(), None).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RateLimited);
        assert_eq!(error.retry_after(), Some(Duration::from_secs(seconds)));
        // No other call leaves either.
        let error = shop.channel.test(&cx).await.unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::RateLimited, 0));
        mock.assert_async().await;
    }
}

#[tokio::test]
async fn bad_answers_to_a_read_are_told_apart() {
    let cases = [
        (500, "", ErrorKind::Unavailable, true, 2),
        (503, "{\"errorCode\":\"X\"}", ErrorKind::Unavailable, true, 2),
        (408, "", ErrorKind::TimedOut, true, 2),
        (409, "", ErrorKind::Unavailable, true, 2),
        (400, "{\"errorMessage\":\"wrong\"}", ErrorKind::InvalidInput, false, 1),
        (401, "", ErrorKind::Unauthorized, false, 1),
        (402, "", ErrorKind::Forbidden, false, 1),
        (403, "<html>", ErrorKind::Forbidden, false, 1),
        (404, "", ErrorKind::Configuration, false, 1),
        (200, "<html>", ErrorKind::MalformedResponse, true, 2),
        (200, "", ErrorKind::MalformedResponse, true, 2),
        (200, "{\"items\":[", ErrorKind::MalformedResponse, true, 1),
        (200, "{\"errorCode\":\"INTERNAL_ERROR\"}", ErrorKind::Unavailable, true, 1),
        (200, "{\"errorMessage\":\"odd\"}", ErrorKind::Unavailable, true, 1),
    ];
    for (status, body, kind, temporary, times) in cases {
        let mut shop = Shop::open().await;
        let mock = shop
            .mock("GET /orders", &page_query("0"))
            .with_status(status)
            .with_body(body)
            .expect(times)
            .create_async()
            .await;
        let error = shop.fetch().await.unwrap_err();
        assert_eq!((error.kind(), error.is_temporary()), (kind, temporary), "{status} {body}: {error}");
        assert!(!error.outcome_unknown());
        mock.assert_async().await;
    }
}

#[tokio::test]
async fn an_empty_403_is_a_wrong_token_unless_the_profile_lets_it_in() {
    let no_scope = r#"{"errorCode":"INSUFFICIENT_APP_SCOPE"}"#;
    for (status, body, kind) in [
        (403, String::new(), ErrorKind::Unauthorized),
        (200, sample("profile.response.json"), ErrorKind::Forbidden),
        (403, no_scope.to_owned(), ErrorKind::Forbidden),
    ] {
        let mut shop = Shop::open().await;
        shop.mock("GET /orders", &page_query("0")).with_status(403).create_async().await;
        shop.mock("GET /profile", &PROFILE)
            .with_status(status)
            .with_body(body)
            .expect(1)
            .create_async()
            .await;
        let error = shop.fetch().await.unwrap_err();
        assert_eq!(error.kind(), kind);
        assert_eq!(error.to_string().contains("read_orders"), kind == ErrorKind::Forbidden, "{error}");
    }
}

#[tokio::test]
async fn a_missing_scope_to_write_is_named_and_nothing_is_unknown() {
    let known = read_of(&order()).await;
    let mut shop = Shop::open().await;
    shop.shows(&order(), 1).await;
    shop.mock("PUT /orders/EBJFT", &[])
        .with_status(403)
        .with_body(r#"{"errorCode":"INSUFFICIENT_APP_SCOPE","errorMessage":"no"}"#)
        .create_async()
        .await;
    let request = [ConfirmRequest::new(&known)];
    let error = shop.channel.confirm().unwrap().confirm(&Context::new(), &request).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::Forbidden, false));
    assert!(error.to_string().contains("update_orders"), "{error}");
}

#[tokio::test]
async fn a_wrong_token_stops_a_batch() {
    let known = [read_of(&numbered(1)).await, read_of(&numbered(2)).await, read_of(&numbered(3)).await];
    let mut shop = Shop::open().await;
    let body = r#"{"errorCode":"INVALID_API_TOKEN","errorMessage":"no"}"#;
    shop.server.mock("GET", Matcher::Any).with_status(403).with_body(body).create_async().await;
    let known: Vec<&Order> = known.iter().collect();
    let error = shop.channel.orders().read(&Context::new(), &known).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Unauthorized, Retry::Never));
}

#[tokio::test]
async fn the_connection_test_names_what_is_missing() {
    let probe = [("limit", "1"), ("responseFields", "total")];
    let mut shop = Shop::open().await;
    shop.on("GET /profile", &PROFILE, sample("profile.response.json"), 1).await;
    shop.on("GET /orders", &probe, r#"{"total":7}"#, 1).await;
    shop.mock("GET /products", &probe)
        .with_status(403)
        .with_body(r#"{"errorCode":"INSUFFICIENT_APP_SCOPE"}"#)
        .create_async()
        .await;
    let report = shop.channel.test(&Context::new()).await.unwrap();
    let check = |wanted| report.capabilities.iter().find(|(c, _)| *c == wanted).unwrap().1.clone();
    assert_eq!(report.capabilities.len(), Capabilities::of(&shop.channel).iter().count());
    assert_eq!(check(Capability::FetchOrders), CapabilityCheck::Allowed);
    assert_eq!(check(Capability::DispatchOrders), CapabilityCheck::Assumed);
    for denied in [Capability::ListListings, Capability::UpdateStock] {
        let CapabilityCheck::Denied { reason } = check(denied) else { panic!("{denied}") };
        assert!(reason.contains("read_catalog"), "{reason}");
    }
    assert_eq!(report.notes, ["the store's currency is EUR, the configured one is USD"]);
    // A store that is in trouble says so.
    let mut shop = Shop::with(|config| config).await;
    let profile = json!({"account": {"suspended": true}, "settings": {"closed": true, "allowPreordersForOutOfStockProducts": true}});
    shop.on("GET /profile", &PROFILE, profile.to_string(), 1).await;
    shop.on("GET /orders", &probe, r#"{"total":7}"#, 1).await;
    shop.on("GET /products", &probe, r#"{"total":7}"#, 1).await;
    let report = shop.channel.test(&Context::new()).await.unwrap();
    assert!(report.is_complete());
    assert_eq!(report.notes.len(), 3, "{:?}", report.notes);
    // Without the profile, orders have no currency.
    let mut shop = Shop::with(|config| config).await;
    let body = r#"{"errorCode":"INSUFFICIENT_APP_SCOPE"}"#;
    shop.mock("GET /profile", &PROFILE).with_status(403).with_body(body).create_async().await;
    shop.on("GET /orders", &probe, r#"{"total":7}"#, 1).await;
    shop.on("GET /products", &probe, r#"{"total":7}"#, 1).await;
    let report = shop.channel.test(&Context::new()).await.unwrap();
    let (_, fetches) = &report.capabilities[0];
    assert!(matches!(fetches, CapabilityCheck::Denied { reason } if reason.contains("read_store_profile")));
    for (status, body, kind) in [
        (403, "", ErrorKind::Unauthorized),
        (404, r#"{"errorCode":"STORE_NOT_FOUND"}"#, ErrorKind::Configuration),
    ] {
        let mut shop = Shop::open().await;
        shop.mock("GET /profile", &PROFILE).with_status(status).with_body(body).create_async().await;
        assert_eq!(shop.channel.test(&Context::new()).await.unwrap_err().kind(), kind);
    }
}

// Connecting.

#[test]
fn wrong_credentials_are_refused_before_anything_is_sent() {
    let good = credentials();
    for (part, value) in [
        (STORE_ID, ""),
        (STORE_ID, "my-shop.company.site"),
        (STORE_ID, "1003/../1004"),
        (ACCESS_TOKEN, " "),
        (ACCESS_TOKEN, "public_abc"),
    ] {
        let credentials = good.clone().with(part, value);
        let error = Ecwid::new(&client(), "shop-1", &credentials, Config::new().unwrap()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{part} {value}");
        assert!(value.trim().is_empty() || !format!("{error} {error:?}").contains(value));
    }
    let spaced = good.with(STORE_ID, " 1003\n").with(ACCESS_TOKEN, " secret_x \n");
    assert!(Ecwid::new(&client(), "shop-1", &spaced, Config::new().unwrap()).is_ok());
}

#[test]
fn the_adapter_is_in_the_registry_and_offers_what_the_sheet_says() {
    let adapter = find("ecwid").unwrap();
    let channel = (adapter.open)(&Opening::new(&client(), "shop-1", credentials())).unwrap();
    let offered: Vec<Capability> = Capabilities::of(channel.as_ref()).iter().collect();
    assert_eq!(
        offered,
        [
            Capability::FetchOrders,
            Capability::ConfirmOrders,
            Capability::DispatchOrders,
            Capability::UpdateStock,
            Capability::ListListings,
            Capability::HandleCancellations,
            Capability::ReceiveWebhooks,
        ]
    );
    let without = Credentials::new().with(STORE_ID, "1003").with(ACCESS_TOKEN, TOKEN);
    let channel = (adapter.open)(&Opening::new(&client(), "shop-1", without)).unwrap();
    assert!(channel.webhooks().is_none(), "nothing could be checked");
    let keys: Vec<&str> = channel.info().options.iter().map(|option| option.key).collect();
    assert_eq!(keys, ["awaiting_payment", "unlimited_stock"]);
}

#[tokio::test]
async fn the_store_tells_its_currency_and_zone() {
    let mut shop = Shop::open().await;
    shop.on("GET /profile", &PROFILE, sample("profile.response.json"), 1).await;
    let opening = Opening::new(&client(), "shop-1", credentials()).at(shop.server.url().parse().unwrap());
    let config = discover(&opening, &Context::new(), Config::new().unwrap()).await.unwrap();
    assert_eq!(config.currency.unwrap().as_str(), "EUR");
    assert_eq!(config.zone, Some(chrono_tz::Europe::London));
    let channel = Ecwid::new(&client(), "shop-1", &credentials(), config).unwrap();
    assert_eq!(channel.info().currencies[0].as_str(), "EUR");
    assert_eq!(channel.info().zone, chrono_tz::Europe::London);
}

fn app() -> App {
    App {
        client_id: "app-1".into(),
        client_secret: SECRET.into(),
        redirect_uri: "https://example.com/back?a=1".into(),
    }
}

#[tokio::test]
async fn a_code_is_exchanged_once() {
    let mut server = mockito::Server::new_async().await;
    let config = asking(&server);
    let link = authorize_link(&config, &app()).unwrap();
    assert!(link.as_str().ends_with(
        "/api/oauth/authorize?client_id=app-1&redirect_uri=https%3A%2F%2Fexample.com%2Fback%3Fa%3D1&response_type=code&scope=read_store_profile+read_orders+update_orders+read_catalog+update_catalog"
    ));
    let query = Matcher::AllOf(
        [
            ("client_id", "app-1"),
            ("client_secret", SECRET),
            ("code", "the-code-1"),
            ("redirect_uri", "https://example.com/back?a=1"),
            ("grant_type", "authorization_code"),
        ]
        .map(|(name, value)| Matcher::UrlEncoded(name.into(), value.into()))
        .to_vec(),
    );
    let token = server
        .mock("GET", "/api/oauth/token")
        .match_query(query)
        .with_body(sample("token.response.json"))
        .expect(1)
        .create_async()
        .await;
    let code = "the-code-1".into();
    let got = exchange_code(&client(), &Context::new(), &config, "shop-1", &app(), &code).await.unwrap();
    assert_eq!(got.get(STORE_ID).unwrap().expose(), "1003");
    assert_eq!(got.get(ACCESS_TOKEN).unwrap().expose(), "secret_EXAMPLE_TOKEN_OF_STORE_1003");
    assert_eq!(got.get(CLIENT_SECRET).unwrap().expose(), SECRET);
    token.assert_async().await;
    for (status, body, kind) in [
        (500, "", ErrorKind::Unavailable),
        (400, "", ErrorKind::Unauthorized),
        (200, "{}", ErrorKind::MalformedResponse),
        (200, r#"{"error":"invalid_grant"}"#, ErrorKind::Unauthorized),
    ] {
        let mut server = mockito::Server::new_async().await;
        let config = asking(&server);
        let once = server
            .mock("GET", Matcher::Regex("^/api/oauth/token".into()))
            .with_status(status)
            .with_body(body)
            .expect(1)
            .create_async()
            .await;
        let error =
            exchange_code(&client(), &Context::new(), &config, "shop-1", &app(), &code).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{status} {body}");
        let told = format!("{error} {error:?}");
        assert!(!told.contains(SECRET) && !told.contains("the-code-1"), "{told}");
        once.assert_async().await;
    }
    assert!(exchange_code(&client(), &Context::new(), &config, "s", &app(), &" ".into()).await.is_err());
}

// Webhooks.

/// A shop whose clock shows the time of the sample.
async fn taking() -> Ecwid {
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at("2026-11-01T08:00:00Z".parse().unwrap()));
    let config = Config::new().unwrap().with_store(Currency::USD, chrono_tz::UTC);
    Ecwid::new(&client().with_clock(clock), "shop-1", &credentials(), config).unwrap()
}

const SIGNATURE: &str = "hVPyEHWf/9fAZg1F4H5yDhWN3vonjJUjHSjmj8PH2Us=";

async fn receive(
    body: &str,
    signature: Option<&str>,
) -> sales_channels::Result<sales_channels::channel::WebhookReply> {
    let headers: Vec<(String, String)> =
        signature.map(|s| ("x-ecwid-webhook-signature".to_owned(), s.to_owned())).into_iter().collect();
    let channel = taking().await;
    let webhooks = channel.webhooks().unwrap();
    webhooks.receive(&WebhookRequest::new(&headers, body.as_bytes())).await
}

fn event_with(change: impl FnOnce(&mut Value)) -> String {
    let mut event: Value = serde_json::from_str(&sample("webhook.body.json")).unwrap();
    change(&mut event);
    event.to_string()
}

#[tokio::test]
async fn a_webhook_is_a_hint_to_read_its_order() {
    let reply = receive(&sample("webhook.body.json"), Some(SIGNATURE)).await.unwrap();
    assert_eq!((reply.status, reply.body.as_str()), (200, ""));
    assert_eq!(reply.delivery_id.as_deref(), Some("80aece08-40e8-4145-8764-6c2f0d386781"));
    assert!(matches!(&reply.events[..], [WebhookEvent::OrdersChanged(ids)] if ids[0].as_str() == "B8HGD"));
    assert_eq!(webhook_store(sample("webhook.body.json").as_bytes()).as_deref(), Some("1003"));
    type Change = fn(&mut Value);
    let cases: [(Change, &str); 5] = [
        (|e| e["data"] = Value::Null, "read 450012387"),
        (|e| e["eventType"] = json!("order.deleted"), "read B8HGD"),
        // The body is not signed: whoever saw one delivery could send this.
        (|e| e["eventType"] = json!("application.uninstalled"), "other application.uninstalled"),
        (|e| e["eventType"] = json!("product.updated"), "other product.updated"),
        (
            |e| {
                e["data"] = json!({});
                e["entityId"] = Value::Null;
            },
            "other order.updated",
        ),
    ];
    for (change, expected) in cases {
        let reply = receive(&event_with(change), Some(SIGNATURE)).await.unwrap();
        let told = match &reply.events[0] {
            WebhookEvent::OrdersChanged(ids) => format!("read {}", ids[0]),
            WebhookEvent::Other(kind) => format!("other {kind}"),
            other => panic!("{other:?}"),
        };
        assert_eq!(told, expected);
    }
}

#[tokio::test]
async fn a_webhook_that_is_not_signed_well_is_refused() {
    let body = sample("webhook.body.json");
    let other = event_with(|e| e["eventId"] = json!("80aece08-40e8-4145-8764-6c2f0d386782"));
    let moved = event_with(|e| e["eventCreated"] = json!(1_793_520_001));
    let store = event_with(|e| e["storeId"] = json!(1004));
    let nameless = event_with(|e| e["eventId"] = Value::Null);
    for (body, signature) in [
        (body.as_str(), None),
        (&body, Some("")),
        (&body, Some("not base64!")),
        (&body, Some("ekmGPQc/IpCwO6woAiM+L8uvY6chew4n6JVQCiDrEVw=")),
        (&other, Some(SIGNATURE)),
        (&moved, Some(SIGNATURE)),
        (&store, Some(SIGNATURE)),
        (&nameless, Some(SIGNATURE)),
        ("", Some(SIGNATURE)),
        ("[]", Some(SIGNATURE)),
    ] {
        let error = receive(body, signature).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthorized, "{body} {signature:?}");
        assert!(!format!("{error} {error:?}").contains(SECRET));
    }
}

#[tokio::test]
async fn an_old_webhook_is_refused_although_its_signature_never_ends() {
    let now = at("2026-11-01T08:00:00Z").timestamp();
    for (created, taken) in [
        (now, true),
        (now - 48 * 3600, true),
        (now - 48 * 3600 - 1, false),
        (now + 300, true),
        (now + 301, false),
    ] {
        let body = event_with(|e| e["eventCreated"] = json!(created));
        let signature = sign_webhook(&SECRET.into(), created, "80aece08-40e8-4145-8764-6c2f0d386781");
        assert_eq!(receive(&body, Some(&signature)).await.is_ok(), taken, "{}", created - now);
    }
}

#[test]
fn signatures_are_those_of_the_sheet() {
    let one = sign_webhook(&"test_client_secret".into(), 1_234_567, "80aece08-40e8-4145-8764-6c2f0d38678");
    assert_eq!(one, "ekmGPQc/IpCwO6woAiM+L8uvY6chew4n6JVQCiDrEVw=");
    let two = sign_webhook(&SECRET.into(), 1_793_520_000, "80aece08-40e8-4145-8764-6c2f0d386781");
    assert_eq!(two, SIGNATURE);
}

// Privacy.

#[tokio::test]
async fn neither_secrets_nor_personal_data_show() {
    let mut shop = Shop::open().await;
    shop.on("GET /orders", &page_query("0"), page(&[order()], 0, 1), 1).await;
    let rows = shop.fetch().await.unwrap();
    let mut shown = format!("{rows:?} {:?}", shop.channel);
    let leak = format!("token {TOKEN} of Mary Watson");
    for (status, body) in
        [(500, leak.clone()), (400, json!({"errorMessage": format!("bad {TOKEN}")}).to_string())]
    {
        let mut shop = Shop::open().await;
        shop.mock("GET /orders", &page_query("0")).with_status(status).with_body(body).create_async().await;
        let error = shop.fetch().await.unwrap_err();
        shown.push_str(&format!("{error} {error:?}"));
    }
    for secret in
        [TOKEN, SECRET, "Watson", "Smith", "example.com", "+1234567891", "other street", "ring twice", "A.B."]
    {
        assert!(!shown.contains(secret), "{secret} shows");
    }
}
