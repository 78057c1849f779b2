//! Whole calls of the Shopify adapter, against a scripted shop that checks each document against the official schema.
#![cfg(feature = "shopify")]
// Helpers outside of test functions fail the test just as well.
#![allow(clippy::unwrap_used, clippy::panic)]

mod shopify;

use std::sync::Arc;
use std::time::Duration;

use sales_channels::adapters::shopify::{
    ACCESS_TOKEN, ACCESS_TOKEN_ENDS, ADAPTER, CLIENT_ID, CLIENT_SECRET, Config, REFRESH_TOKEN, SHOP, Shopify,
    discover, sign_webhook,
};
use sales_channels::adapters::{Opening, find};
use sales_channels::channel::{
    CancelAction, CancelDecision, CancelReason, Capabilities, Capability, CapabilityCheck, Channel, Context,
    CredentialVault, Credentials, DispatchRequest, Dispatched, MemoryVault, Notify, Outcome, PageCursor, Row,
    ShipDateRequest, ShipDates, StockAccepted, StockChange, Tracking, TrackingUpdate, WebhookEvent,
    WebhookRequest,
};
use sales_channels::model::{
    ChannelData, Currency, Hold, LineId, ListingKey, ListingState, Order, OrderStatus, Window,
};
use sales_channels::{Error, ErrorKind, Retry};
use serde_json::{Value, json};

use shopify::*;

fn opening(shop: &Shop, credentials: Credentials) -> Opening {
    Opening::new(&shop.client(), "shop", credentials).at(shop.url().parse().unwrap())
}

async fn fetch_all(channel: &Shopify, cx: &Context) -> Result<Vec<Row>, Error> {
    let (mut rows, mut cursor) = (Vec::new(), None);
    loop {
        let page = channel.orders().fetch(cx, &window(), cursor.as_ref()).await?;
        rows.extend(page.rows);
        cursor = page.next;
        if cursor.is_none() {
            return Ok(rows);
        }
    }
}

fn orders(rows: &[Row]) -> Vec<&Order> {
    rows.iter().filter_map(Row::order).collect()
}

// Fetching.

#[tokio::test]
async fn a_window_is_fetched_by_two_searches_to_their_ends() {
    let shop = Shop::open().await;
    shop.answers("Orders", ORDERS);
    shop.answers("Orders", page(&[row_with(5002, |_| {})], None));
    shop.answers("Orders", page(&[row_with(4001, |_| {})], Some("later")));
    shop.answers("Orders", page(&[], None));
    let rows = fetch_all(&shop.channel(), &cx()).await.unwrap();
    let ids: Vec<&str> = orders(&rows).iter().map(|order| order.id.as_str()).collect();
    assert_eq!(ids, ["gid://shopify/Order/5001", "gid://shopify/Order/5002", "gid://shopify/Order/4001"]);
    let sent = shop.sent();
    let places: Vec<(&str, Option<&str>)> =
        sent.iter().map(|s| (s.variables["sort"].as_str().unwrap(), s.variables["after"].as_str())).collect();
    assert_eq!(
        places,
        [
            ("CREATED_AT", None),
            ("CREATED_AT", Some("eyJsYXN0X2lkIjo1fQ==")),
            ("UPDATED_AT", None),
            ("UPDATED_AT", Some("later")),
        ]
    );
    assert_eq!(
        sent[0].variables["query"],
        "status:open created_at:>='2026-11-20T00:00:00Z' created_at:<'2026-11-21T00:00:00Z' test:false"
    );
    assert_eq!(
        sent[2].variables["query"],
        "status:open updated_at:>='2026-11-20T00:00:00Z' updated_at:<'2026-11-21T00:00:00Z' created_at:<'2026-11-20T00:00:00Z' test:false"
    );
    assert_eq!(sent[0].variables["first"], 10);
    assert!(sent.iter().all(|s| s.token == TOKEN));
}

#[tokio::test]
async fn text_in_japanese_and_emoji_survives() {
    let shop = Shop::open().await;
    shop.answers("Orders", ORDERS);
    let page = shop.channel().orders().fetch(&cx(), &window(), None).await.unwrap();
    let order = page.rows[0].order().unwrap();
    assert!(order.memo.as_ref().unwrap().reveal().starts_with("置き配希望 📦"));
    assert_eq!(order.destinations[0].recipient.reveal().address.city, "大阪市北区");
}

#[tokio::test]
async fn a_row_that_can_not_be_read_spoils_only_itself() {
    let shop = Shop::open().await;
    let broken = row_with(5003, |row| row["lineItems"] = json!(null));
    let mut answer = page(&[row(), Value::Null, broken.clone(), row_with(5004, |_| {})], None);
    answer["errors"] = json!([{"message": "m", "path": ["orders", "nodes", 1], "extensions": {"code": "INTERNAL_SERVER_ERROR"}}]);
    shop.answers("Orders", answer);
    let page = shop.channel().orders().fetch(&cx(), &window(), None).await.unwrap();
    let kinds: Vec<bool> = page.rows.iter().map(|row| row.order().is_some()).collect();
    assert_eq!(kinds, [true, false, false, true]);
    match &page.rows[2] {
        Row::Unreadable(row) => {
            assert_eq!(row.id.as_ref().unwrap().as_str(), "gid://shopify/Order/5003");
            assert_eq!(serde_json::from_str::<Value>(row.raw.reveal()).unwrap(), broken);
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn test_orders_are_left_out_unless_they_are_wanted() {
    let shop = Shop::open().await;
    let rows = [row_with(1, |row| row["test"] = json!(true)), row()];
    shop.answers("Orders", page(&rows, None));
    shop.answers("Orders", page(&rows, None));
    let channel = shop.channel();
    let page = channel.orders().fetch(&cx(), &window(), None).await.unwrap();
    assert_eq!(orders(&page.rows).len(), 1);
    let wanted = with_setting("test_orders", json!(true));
    let page = channel.orders().fetch(&wanted, &window(), None).await.unwrap();
    assert_eq!(orders(&page.rows).len(), 2);
    assert!(!shop.sent()[1].variables["query"].as_str().unwrap().contains("test:"));
    // A webhook names them too.
    shop.answers("OrderById", order_answer(&rows[0]));
    let named = bare("gid://shopify/Order/1");
    let outcome = channel.orders().read(&cx(), &[&named]).await.unwrap().remove(0);
    assert!(matches!(outcome, Outcome::Refused(_)), "{outcome:?}");
}

#[tokio::test]
async fn an_address_that_the_app_may_not_see_holds_the_order() {
    let shop = Shop::open().await;
    let mut answer = page(&[row(), row_with(2, |row| row["shippingAddress"] = Value::Null)], None);
    answer["errors"] = json!([{"message": "no", "path": ["orders", "nodes", 1, "shippingAddress"], "extensions": {"code": "ACCESS_DENIED"}}]);
    shop.answers("Orders", answer);
    let page = shop.channel().orders().fetch(&cx(), &window(), None).await.unwrap();
    let orders = orders(&page.rows);
    assert_eq!((orders[0].holds.len(), orders[1].holds.as_slice()), (0, &[Hold::AddressWithheld][..]));
}

fn lines(rows: &[(&str, u32)], next: Option<&str>) -> Value {
    let sample = row()["lineItems"]["nodes"][0].clone();
    let nodes: Vec<Value> = rows
        .iter()
        .map(|(id, quantity)| {
            let mut line = sample.clone();
            line["id"] = json!(id);
            for field in ["quantity", "currentQuantity", "unfulfilledQuantity"] {
                line[field] = json!(quantity);
            }
            line
        })
        .collect();
    json!({"pageInfo": {"hasNextPage": next.is_some(), "endCursor": next}, "nodes": nodes})
}

fn part(id: &str, location: &str, rows: &[(&str, u32)], next: Option<&str>) -> Value {
    let nodes: Vec<Value> = rows
        .iter()
        .map(|(line, left)| json!({"id": format!("{id}-{line}"), "remainingQuantity": left, "lineItem": {"id": line}}))
        .collect();
    json!({
        "id": id, "status": "OPEN", "fulfillBy": null,
        "assignedLocation": {"location": {"id": location}},
        "supportedActions": [{"action": "CREATE_FULFILLMENT"}],
        "lineItems": {"pageInfo": {"hasNextPage": next.is_some(), "endCursor": next}, "nodes": nodes},
    })
}

fn parcel(n: usize, number: &str) -> Value {
    json!({
        "id": format!("gid://shopify/Fulfillment/{n}"), "status": "SUCCESS", "displayStatus": "IN_TRANSIT",
        "deliveredAt": null, "totalQuantity": 1, "trackingInfo": [{"company": "Yamato (JA)", "number": number}],
    })
}

#[tokio::test]
async fn what_a_page_cuts_off_is_fetched_by_the_order_s_id() {
    let shop = Shop::open().await;
    let updated = row()["updatedAt"].clone();
    let parts: Vec<Value> = (1..=5)
        .map(|n| part(&format!("gid://shopify/FulfillmentOrder/{n}"), "A", &[("L1", 1)], None))
        .collect();
    let parcels: Vec<Value> = (1..=5).map(|n| parcel(n, &format!("T{n}"))).collect();
    let cut = row_with(7, |row| {
        row["lineItems"] = lines(&[("L1", 1)], Some("l-2"));
        row["fulfillmentOrders"] = json!({"nodes": parts});
        row["fulfillments"] = json!(parcels);
    });
    shop.answers("Orders", page(&[cut], None));
    for (names, next) in [(vec![("L2", 2)], Some("l-3")), (vec![("L3", 3)], None)] {
        shop.answers(
            "LinesOfOrder",
            json!({"data": {"order": {"updatedAt": updated, "lineItems": lines(&names, next)}}}),
        );
    }
    let mut whole = parts.clone();
    whole.push(part("gid://shopify/FulfillmentOrder/6", "B", &[("L2", 2)], Some("p-2")));
    shop.answers(
        "PartsOfOrder",
        json!({"data": {"order": {"updatedAt": updated, "fulfillmentOrders": {"nodes": whole}}}}),
    );
    let more = json!({"nodes": [
        {"id": "gid://shopify/FulfillmentOrder/1", "lineItems": {"pageInfo": {"hasNextPage": false}, "nodes": []}},
        {"id": "gid://shopify/FulfillmentOrder/6", "lineItems": part("x", "B", &[("L3", 3)], None)["lineItems"]},
    ]});
    shop.answers(
        "LinesOfPart",
        json!({"data": {"order": {"updatedAt": updated, "fulfillmentOrders": more}}}),
    );
    let all: Vec<Value> = (1..=6).map(|n| parcel(n, &format!("T{n}"))).collect();
    shop.answers("ParcelsOfOrder", json!({"data": {"order": {"updatedAt": updated, "fulfillments": all}}}));

    let page = shop.channel().orders().fetch(&cx(), &window(), None).await.unwrap();
    let order = page.rows[0].order().unwrap_or_else(|| panic!("{:?}", page.rows[0]));
    let read: Vec<(&str, u32)> = order.lines.iter().map(|l| (l.id.as_str(), l.quantity)).collect();
    assert_eq!(read, [("L1", 1), ("L2", 2), ("L3", 3)]);
    assert_eq!(order.tracking.len(), 6, "a number that is cut off would be reported twice");
    let raw: Value = serde_json::from_str(order.raw.reveal()).unwrap();
    assert_eq!(raw.as_array().unwrap().len(), 6, "the row and each further answer");
    let sent = shop.sent();
    let names: Vec<&str> = sent.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(
        names,
        ["Orders", "LinesOfOrder", "LinesOfOrder", "PartsOfOrder", "LinesOfPart", "ParcelsOfOrder"]
    );
    assert_eq!(sent[1].variables["after"], "l-2");
    assert_eq!((&sent[4].variables["part"], &sent[4].variables["after"]), (&json!("id:6"), &json!("p-2")));
    // All of it can be shipped: the fulfilment order's second page counts.
    let tracking = Tracking::new("yamato", "N");
    let all = [(LineId::from("L3"), 3)];
    let mut request = DispatchRequest::new(order, Some(&tracking), at("2026-11-24T00:00:00Z"));
    request.lines = &all;
    shop.answers("Fulfill", json!({"data": {"fulfillmentCreate": {"fulfillment": {"id": "F", "status": "SUCCESS"}, "userErrors": []}}}));
    assert!(shop.channel().dispatch().unwrap().dispatch(&cx(), &[request]).await.unwrap()[0].is_done());
}

#[tokio::test]
async fn an_order_that_changes_while_its_pages_are_read_is_read_anew() {
    let shop = Shop::open().await;
    let cut = row_with(7, |row| row["lineItems"] = lines(&[("L1", 1)], Some("l-2")));
    shop.answers("Orders", page(&[cut], None));
    let later = json!("2026-11-20T02:00:00Z");
    shop.answers(
        "LinesOfOrder",
        json!({"data": {"order": {"updatedAt": later, "lineItems": lines(&[("L9", 9)], None)}}}),
    );
    let fresh = row_with(7, |row| {
        row["updatedAt"] = later.clone();
        row["lineItems"] = lines(&[("L1", 1)], None);
    });
    shop.answers("OrderById", order_answer(&fresh));
    let page = shop.channel().orders().fetch(&cx(), &window(), None).await.unwrap();
    let order = page.rows[0].order().unwrap();
    assert_eq!((order.lines.len(), order.updated_at), (1, at("2026-11-20T02:00:00Z")));
}

#[tokio::test]
async fn a_cursor_that_is_not_ours_is_an_error_and_nothing_is_sent() {
    let shop = Shop::open().await;
    let channel = shop.channel();
    let error = channel.orders().fetch(&cx(), &window(), Some(&PageCursor::new("7+300"))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    let empty = Window::new(at("2026-11-20T00:00:00Z"), at("2026-11-20T00:00:00Z"));
    let query = sales_channels::channel::OrderQuery::window(empty);
    assert!(channel.orders().fetch(&cx(), &query, None).await.unwrap().next.is_none());
    assert!(shop.sent().is_empty());
}

#[tokio::test]
async fn a_page_that_says_there_is_more_and_not_where_is_an_error() {
    for info in [json!({"hasNextPage": true, "endCursor": null}), json!({}), Value::Null] {
        let shop = Shop::open().await;
        shop.answers("Orders", json!({"data": {"orders": {"pageInfo": info, "nodes": []}}}));
        let error = shop.channel().orders().fetch(&cx(), &window(), None).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MalformedResponse, "{info}");
    }
}

#[tokio::test]
async fn a_search_term_that_is_ignored_is_an_error() {
    let shop = Shop::open().await;
    let warned = |field: &str| {
        let mut answer = page(&[], None);
        answer["extensions"] =
            json!({"search": [{"path": ["orders"], "warnings": [{"field": field, "message": "m"}]}]});
        answer
    };
    shop.answers("Orders", warned("created_at"));
    let error = shop.channel().orders().fetch(&cx(), &window(), None).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::MalformedResponse, Retry::Never));
    shop.answers("Orders", warned("test"));
    shop.channel().orders().fetch(&cx(), &window(), None).await.unwrap();
}

#[tokio::test]
async fn orders_older_than_60_days_need_their_scope() {
    let whoami = |scopes: &[&str]| {
        let scopes: Vec<Value> = scopes.iter().map(|s| json!({"handle": s})).collect();
        json!({"data": {"shop": {"currencyCode": "JPY", "ianaTimezone": "Asia/Tokyo", "myshopifyDomain": "x"},
            "currentAppInstallation": {"accessScopes": scopes}}})
    };
    let old = Window::new(at("2026-09-01T00:00:00Z"), at("2026-09-02T00:00:00Z"));
    let query = sales_channels::channel::OrderQuery::window(old);
    let shop = Shop::open().await;
    shop.answers("Whoami", whoami(&["read_orders"]));
    let error = shop.channel().orders().fetch(&cx(), &query, None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    assert!(error.to_string().contains("read_all_orders"));
    shop.answers("Whoami", whoami(&["read_orders", "read_all_orders"]));
    shop.answers("Orders", page(&[row()], None));
    assert_eq!(shop.channel().orders().fetch(&cx(), &query, None).await.unwrap().rows.len(), 1);
}

// Cost, limits, versions, bad answers.

#[tokio::test]
async fn a_query_that_is_too_large_is_halved_and_the_size_remembered() {
    let shop = Shop::open().await;
    let too_costly =
        json!({"errors": [{"message": "Query cost is 2020", "extensions": {"code": "MAX_COST_EXCEEDED"}}]});
    shop.answers("Orders", too_costly.clone());
    shop.answers("Orders", too_costly);
    shop.answers("Orders", page(&[], None));
    shop.answers("Orders", page(&[], None));
    let channel = shop.channel();
    channel.orders().fetch(&cx(), &window(), None).await.unwrap();
    channel.orders().fetch(&cx(), &window(), None).await.unwrap();
    let sizes: Vec<u64> = shop.sent().iter().map(|s| s.variables["first"].as_u64().unwrap()).collect();
    assert_eq!(sizes, [10, 5, 2, 2]);
}

#[tokio::test]
async fn throttling_waits_for_the_points_or_says_how_long() {
    let shop = Shop::open().await;
    shop.answers("Orders", THROTTLED.replace("100.0", "1000000.0").as_str());
    shop.answers("Orders", page(&[], None));
    shop.channel().orders().fetch(&cx(), &window(), None).await.unwrap();
    assert_eq!(shop.sent().len(), 2);

    let shop = Shop::open().await;
    shop.answers("Orders", THROTTLED);
    let short = Context::new().with_budget(Duration::from_secs(2));
    let error = shop.channel().orders().fetch(&short, &window(), None).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.retry_after()),
        (ErrorKind::RateLimited, Some(Duration::from_millis(3800)))
    );
    assert_eq!(shop.sent().len(), 1);
}

#[tokio::test]
async fn the_next_call_waits_before_the_points_are_used_up() {
    let shop = Shop::open().await;
    let mut last = page(&[], None);
    last["extensions"] = json!({"cost": {"requestedQueryCost": 214, "actualQueryCost": 31,
        "throttleStatus": {"maximumAvailable": 2000.0, "currentlyAvailable": 4, "restoreRate": 1.0}}});
    shop.answers("Orders", last);
    let channel = shop.channel();
    channel.orders().fetch(&cx(), &window(), None).await.unwrap();
    let short = Context::new().with_budget(Duration::from_secs(1));
    let error = channel.orders().fetch(&short, &window(), None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert!(error.retry_after().is_some_and(|wait| wait > Duration::from_secs(200)), "{error:?}");
    assert_eq!(shop.sent().len(), 1, "nothing was sent");
}

#[tokio::test]
async fn another_version_of_the_api_is_noticed() {
    let shop = Shop::open().await;
    let channel = shop.channel();
    shop.answers("Orders", page(&[], None));
    channel.orders().fetch(&cx(), &window(), None).await.unwrap();
    assert_eq!(channel.other_api_version(), None);
    shop.answers("Orders", Answer::from(page(&[], None)).version("2027-01"));
    channel.orders().fetch(&cx(), &window(), None).await.unwrap();
    assert_eq!(channel.other_api_version().as_deref(), Some("2027-01"));
}

fn bad_answers() -> Vec<(Answer, ErrorKind, bool)> {
    use ErrorKind as K;
    vec![
        (Answer::text(500, "oops"), K::Unavailable, true),
        (Answer::text(502, "<html>bad gateway</html>"), K::Unavailable, true),
        (Answer::text(503, "").retry_after("120"), K::Unavailable, true),
        (Answer::text(429, "").retry_after("120"), K::RateLimited, false),
        (Answer::text(429, "").retry_after("120.0"), K::RateLimited, false),
        (Answer::text(429, ""), K::RateLimited, false),
        (Answer::text(200, "<html>login</html>"), K::MalformedResponse, true),
        (Answer::text(200, ""), K::MalformedResponse, true),
        (Answer::text(200, r#"{"data":{"orders":{"nod"#), K::MalformedResponse, true),
        (
            Answer::text(
                200,
                r#"{"errors":[{"message":"m","extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}"#,
            ),
            K::Unavailable,
            true,
        ),
        (Answer::text(400, "{}"), K::InvalidInput, false),
        (Answer::text(401, r#"{"errors":"[API] Invalid API key or access token"}"#), K::Unauthorized, false),
        (Answer::text(402, r#"{"errors":"Unavailable Shop"}"#), K::Forbidden, false),
        (Answer::text(403, ""), K::Forbidden, false),
        (Answer::text(404, r#"{"errors":"Not Found"}"#), K::Configuration, false),
        (Answer::text(423, ""), K::Forbidden, false),
        (Answer::text(430, ""), K::Forbidden, false),
        (
            Answer::text(200, r#"{"errors":[{"message":"m","extensions":{"code":"SHOP_INACTIVE"}}]}"#),
            K::Forbidden,
            false,
        ),
    ]
}

/// Long enough for a call, too short for a repeat after `Retry-After`.
fn brief() -> Context {
    Context::new().with_budget(Duration::from_secs(10))
}

#[tokio::test]
async fn bad_answers_to_a_fetch_are_errors_of_their_kind() {
    for (answer, kind, _) in bad_answers() {
        let shop = Shop::open().await;
        for _ in 0..4 {
            shop.answers("Orders", answer.clone());
        }
        let error = shop.channel().orders().fetch(&brief(), &window(), None).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{answer:?}");
        assert!(!error.outcome_unknown() && error.kind() != ErrorKind::Refused, "{answer:?}");
        assert!(error.to_string().contains("req-1"), "the channel's support asks for it: {error}");
        let waits = format!("{answer:?}").contains("120");
        assert_eq!(
            error.retry_after().is_some_and(|wait| wait == Duration::from_secs(120)),
            waits,
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn a_lost_answer_to_a_dispatch_is_unknown_and_not_repeated() {
    for (answer, kind, unknown) in bad_answers() {
        let shop = Shop::open().await;
        let channel = shop.channel();
        let order = read(&shop, &channel, &row()).await;
        for _ in 0..4 {
            shop.answers("Fulfill", answer.clone());
        }
        let tracking = Tracking::new("yamato", "1");
        let request = DispatchRequest::new(&order, Some(&tracking), at("2026-11-24T00:00:00Z"));
        let error = match channel.dispatch().unwrap().dispatch(&brief(), &[request]).await {
            Err(error) => error,
            Ok(outcomes) => match outcomes.into_iter().next().unwrap() {
                Outcome::Refused(_) => {
                    assert_eq!(kind, ErrorKind::InvalidInput, "{answer:?}");
                    continue;
                }
                other => panic!("{answer:?}: {other:?}"),
            },
        };
        assert_eq!((error.kind(), error.outcome_unknown()), (kind, unknown), "{answer:?}");
        if unknown {
            assert_eq!(shop.sent_of("Fulfill").len(), 1, "{answer:?}");
        }
    }
}

// Reading.

#[tokio::test]
async fn read_answers_one_by_one() {
    let shop = Shop::open().await;
    let channel = shop.channel();
    let order = read(&shop, &channel, &row()).await;
    assert_eq!(order.status, OrderStatus::New);
    assert_eq!(shop.sent()[0].variables["id"], "gid://shopify/Order/5001");
    shop.answers("OrderById", json!({"data": {"order": null}}));
    let outcome = channel.orders().read(&cx(), &[&order]).await.unwrap().remove(0);
    assert!(
        matches!(&outcome, Outcome::Refused(no) if no.message.contains("read_all_orders")),
        "{outcome:?}"
    );
    shop.answers("OrderById", order_answer(&row_with(9, |_| {})));
    let error = channel.orders().read(&cx(), &[&order]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MalformedResponse, "the answer is about another order");
    let broken = row_with(5001, |row| row["fulfillments"] = Value::Null);
    shop.answers("OrderById", order_answer(&broken));
    assert!(channel.orders().read(&cx(), &[&order]).await.is_err(), "it says nothing about the order");
}

#[tokio::test]
async fn read_shows_parcels_cancellation_and_unknown_states() {
    let shop = Shop::open().await;
    let channel = shop.channel();
    let shipped = row_with(1, |row| {
        row["displayFulfillmentStatus"] = json!("FULFILLED");
        let mut cancelled = parcel(2, "OLD");
        cancelled["status"] = json!("CANCELLED");
        row["fulfillments"] = json!([parcel(1, "T1"), cancelled]);
        row["lineItems"]["nodes"][0]["unfulfilledQuantity"] = json!(0);
    });
    let order = read(&shop, &channel, &shipped).await;
    assert_eq!((order.status, order.lines[0].shipped), (OrderStatus::Shipped, 2));
    let numbers: Vec<&str> = order.tracking.iter().map(|t| t.number.as_str()).collect();
    assert_eq!(numbers, ["T1"], "a cancelled parcel is none");
    let cancelled = row_with(2, |row| row["cancelledAt"] = json!("2026-11-21T00:00:00Z"));
    let order = read(&shop, &channel, &cancelled).await;
    assert_eq!((order.status, order.lines[0].outstanding()), (OrderStatus::Cancelled, 0));
    let strange = row_with(3, |row| row["displayFinancialStatus"] = json!("BARTERED"));
    let order = read(&shop, &channel, &strange).await;
    assert_eq!((order.status, order.holds.as_slice()), (OrderStatus::Unknown, &[Hold::OnHold][..]));
    let waits = with_setting("authorized_orders", json!("wait"));
    shop.answers(
        "OrderById",
        order_answer(&row_with(4, |row| row["displayFinancialStatus"] = json!("AUTHORIZED"))),
    );
    let outcome = channel.orders().read(&waits, &[&bare("gid://shopify/Order/4")]).await.unwrap().remove(0);
    assert!(matches!(&outcome, Outcome::Done(order) if order.status == OrderStatus::PendingPayment));
}

// Dispatch.

fn made(id: &str) -> Value {
    json!({"data": {"fulfillmentCreate": {"fulfillment": {"id": id, "status": "SUCCESS"}, "userErrors": []}}})
}

async fn dispatch(
    channel: &Shopify,
    order: &Order,
    number: &str,
    lines: &[(LineId, u32)],
    notify: Option<Notify>,
) -> Outcome<Dispatched> {
    let tracking = Tracking::new("Yamato", number);
    let mut request = DispatchRequest::new(order, Some(&tracking), at("2026-11-24T00:00:00Z"));
    request.lines = lines;
    request.notify = notify;
    match channel.dispatch().unwrap().dispatch(&cx(), &[request]).await {
        Ok(mut outcomes) => outcomes.remove(0),
        Err(error) => Outcome::from_error(&error),
    }
}

#[tokio::test]
async fn a_parcel_is_reported_as_the_sheet_says() {
    let shop = Shop::open().await;
    let channel = shop.channel();
    let order = read(&shop, &channel, &row()).await;
    shop.answers("Fulfill", made("gid://shopify/Fulfillment/8"));
    match dispatch(&channel, &order, "123", &[], Some(Notify::Buyer)).await {
        Outcome::Done(done) => {
            assert_eq!((done.parcels, done.reread), (vec!["gid://shopify/Fulfillment/8".into()], true))
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(
        shop.sent_of("Fulfill")[0].variables,
        json!({"fulfillment": {
            "lineItemsByFulfillmentOrder": [{
                "fulfillmentOrderId": "gid://shopify/FulfillmentOrder/3001",
                "fulfillmentOrderLineItems": [{"id": "gid://shopify/FulfillmentOrderLineItem/4001", "quantity": 2}],
            }],
            "trackingInfo": {"company": "Yamato (JA)", "number": "123"},
            "notifyCustomer": true,
        }})
    );
    for silent in [Some(Notify::Nobody), None] {
        shop.answers("Fulfill", made("f"));
        assert!(dispatch(&channel, &order, "124", &[], silent).await.is_done());
        let sent = shop.sent_of("Fulfill").pop().unwrap();
        assert_eq!(sent.variables["fulfillment"]["notifyCustomer"], json!(false), "NB-1: said, not left out");
    }
}

#[tokio::test]
async fn a_refused_parcel_is_refused_and_the_order_read_again() {
    let shop = Shop::open().await;
    let channel = shop.channel();
    let order = read(&shop, &channel, &row()).await;
    shop.answers("Fulfill", REFUSED);
    match dispatch(&channel, &order, "123", &[], None).await {
        Outcome::Refused(no) => {
            assert!(no.message.contains("not in an open state") && no.reread && no.temporary, "{no:?}");
        }
        other => panic!("{other:?}"),
    }
    let about_tracking = json!({"data": {"fulfillmentCreate": {"fulfillment": null, "userErrors":
        [{"field": ["fulfillment", "trackingInfo", "number"], "message": "is too long"}]}}});
    shop.answers("Fulfill", about_tracking);
    assert!(
        matches!(dispatch(&channel, &order, "123", &[], None).await, Outcome::Refused(no) if !no.temporary)
    );
}

#[tokio::test]
async fn an_answer_that_names_no_parcel_is_not_taken_for_done() {
    for payload in [
        json!({"fulfillment": null, "userErrors": []}),
        json!({"fulfillment": {"id": "f", "status": "FAILURE"}, "userErrors": []}),
        json!({"fulfillment": {"id": null, "status": "SUCCESS"}, "userErrors": []}),
        json!({"fulfillment": {"id": "f", "status": "SUCCESS"}}),
        Value::Null,
    ] {
        let shop = Shop::open().await;
        let channel = shop.channel();
        let order = read(&shop, &channel, &row()).await;
        shop.answers("Fulfill", json!({"data": {"fulfillmentCreate": payload}}));
        let outcome = dispatch(&channel, &order, "123", &[], None).await;
        assert!(matches!(outcome, Outcome::Unknown(_)), "{payload}: {outcome:?}");
        assert_eq!(shop.sent_of("Fulfill").len(), 1);
    }
}

#[tokio::test]
async fn throttling_does_nothing_so_a_parcel_is_sent_again() {
    let shop = Shop::open().await;
    let channel = shop.channel();
    let order = read(&shop, &channel, &row()).await;
    shop.answers("Fulfill", THROTTLED.replace("100.0", "1000000.0").as_str());
    shop.answers("Fulfill", made("f"));
    assert!(dispatch(&channel, &order, "123", &[], None).await.is_done());
    assert_eq!(shop.sent_of("Fulfill").len(), 2);
}

#[tokio::test]
async fn after_a_lost_answer_the_order_tells_whether_it_was_reported() {
    let shop = Shop::open().await;
    let channel = shop.channel();
    let order = read(&shop, &channel, &row()).await;
    shop.answers("Fulfill", Answer::text(500, ""));
    assert!(matches!(dispatch(&channel, &order, "T1", &[], None).await, Outcome::Unknown(_)));
    let shown = row_with(5001, |row| {
        row["displayFulfillmentStatus"] = json!("FULFILLED");
        row["fulfillments"] = json!([parcel(1, "T1")]);
        row["fulfillmentOrders"]["nodes"][0]["status"] = json!("CLOSED");
        row["fulfillmentOrders"]["nodes"][0]["lineItems"]["nodes"][0]["remainingQuantity"] = json!(0);
    });
    let order = read(&shop, &channel, &shown).await;
    assert!(order.tracking.iter().any(|tracking| tracking.number == "T1"));
    assert!(matches!(dispatch(&channel, &order, "T1", &[], None).await, Outcome::AlreadyDone));
    assert_eq!(shop.sent_of("Fulfill").len(), 1);
}

fn in_two_places() -> Value {
    row_with(7, |row| {
        row["lineItems"] = lines(&[("L1", 1), ("L2", 1)], None);
        row["fulfillmentOrders"] =
            json!({"nodes": [part("F1", "A", &[("L1", 1)], None), part("F2", "B", &[("L2", 1)], None)]});
    })
}

#[tokio::test]
async fn a_parcel_from_two_locations_takes_a_call_each() {
    let shop = Shop::open().await;
    let channel = shop.channel();
    let order = read(&shop, &channel, &in_two_places()).await;
    shop.answers("Fulfill", made("f1"));
    shop.answers("Fulfill", made("f2"));
    match dispatch(&channel, &order, "123", &[], None).await {
        Outcome::Done(done) => assert_eq!(done.parcels, ["f1", "f2"]),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_parcel_that_is_half_reported_is_neither_done_nor_repeated() {
    for second in [Answer::from(REFUSED), Answer::text(500, "")] {
        let shop = Shop::open().await;
        let channel = shop.channel();
        let order = read(&shop, &channel, &in_two_places()).await;
        shop.answers("Fulfill", made("f1"));
        shop.answers("Fulfill", second.clone());
        match dispatch(&channel, &order, "123", &[], None).await {
            Outcome::Refused(no) => {
                assert_eq!((no.code.as_str(), no.temporary, no.reread), ("PARTLY_REPORTED", false, true));
                assert_eq!(no.message.contains("not known"), second.is_error(), "{}", no.message);
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(shop.sent_of("Fulfill").len(), 2);
    }
    // Where the first call fails, nothing was done, and that is what is said.
    let shop = Shop::open().await;
    let channel = shop.channel();
    let order = read(&shop, &channel, &in_two_places()).await;
    shop.answers("Fulfill", REFUSED);
    assert!(matches!(dispatch(&channel, &order, "1", &[], None).await, Outcome::Refused(no) if no.temporary));
    assert_eq!(shop.sent_of("Fulfill").len(), 1);
}

#[tokio::test]
async fn a_batch_of_parcels_has_an_outcome_for_each() {
    let shop = Shop::open().await;
    let channel = shop.channel();
    let first = read(&shop, &channel, &row()).await;
    let held = row_with(2, |row| row["fulfillmentOrders"]["nodes"][0]["status"] = json!("ON_HOLD"));
    let held = read(&shop, &channel, &held).await;
    assert_eq!(held.holds, [Hold::OnHold]);
    let tracking = Tracking::new("yamato", "1");
    let request = |order| DispatchRequest::new(order, Some(&tracking), at("2026-11-24T00:00:00Z"));
    shop.answers("Fulfill", made("f"));
    let outcomes = channel
        .dispatch()
        .unwrap()
        .dispatch(&cx(), &[request(&first), request(&held), request(&first)])
        .await
        .unwrap();
    assert!(matches!(
        outcomes.as_slice(),
        [Outcome::Done(_), Outcome::Refused(_), Outcome::NotTried(error)] if error.kind() == ErrorKind::Busy
    ));
    assert_eq!(shop.sent_of("Fulfill").len(), 1);
}

#[tokio::test]
async fn tracking_is_changed_with_or_without_a_mail() {
    let shop = Shop::open().await;
    let channel = shop.channel();
    let shipped = row_with(1, |row| row["fulfillments"] = json!([parcel(9, "OLD")]));
    let order = read(&shop, &channel, &shipped).await;
    let tracking = Tracking::new("sagawa", "NEW");
    let update = |order, tracking, notify| TrackingUpdate { order, tracking, notify };
    let taken =
        json!({"data": {"fulfillmentTrackingInfoUpdate": {"fulfillment": {"id": "f"}, "userErrors": []}}});
    for notify in [Notify::Buyer, Notify::Nobody] {
        shop.answers("UpdateTracking", taken.clone());
        let updates = [update(&order, &tracking, notify)];
        assert!(channel.notify().unwrap().update_tracking(&cx(), &updates).await.unwrap()[0].is_done());
        assert_eq!(
            shop.sent_of("UpdateTracking").pop().unwrap().variables,
            json!({"fulfillmentId": "gid://shopify/Fulfillment/9",
                "tracking": {"company": "Sagawa (JA)", "number": "NEW"}, "notify": notify == Notify::Buyer})
        );
    }
    let same = Tracking::new("yamato", "OLD");
    let outcomes = channel
        .notify()
        .unwrap()
        .update_tracking(&cx(), &[update(&order, &same, Notify::Buyer)])
        .await
        .unwrap();
    assert!(matches!(outcomes[0], Outcome::AlreadyDone), "no second mail");
    let refused = json!({"data": {"fulfillmentTrackingInfoUpdate": {"fulfillment": null, "userErrors": [{"field": null, "message": "no"}]}}});
    shop.answers("UpdateTracking", refused);
    let outcomes = channel
        .notify()
        .unwrap()
        .update_tracking(&cx(), &[update(&order, &tracking, Notify::Buyer)])
        .await
        .unwrap();
    assert!(matches!(outcomes[0], Outcome::Refused(_)));
    let several = row_with(2, |row| row["fulfillments"] = json!([parcel(1, "A"), parcel(2, "B")]));
    let order = read(&shop, &channel, &several).await;
    let outcomes = channel
        .notify()
        .unwrap()
        .update_tracking(&cx(), &[update(&order, &tracking, Notify::Buyer)])
        .await
        .unwrap();
    assert!(matches!(&outcomes[0], Outcome::Refused(no) if no.message.contains("several")));
    assert_eq!(shop.sent_of("UpdateTracking").len(), 3);
}

// Ship dates.

#[tokio::test]
async fn ship_dates_are_off_unless_they_are_asked_for() {
    let shop = Shop::open().await;
    assert!(shop.channel().ship_date().is_none());
    let channel =
        Shopify::new(&shop.client(), "shop", &credentials(), shop.config().with_ship_dates()).unwrap();
    let Some(ShipDates::Separate(dates)) = channel.ship_date() else { panic!("separate") };
    let order = read(&shop, &channel, &row()).await;
    assert_eq!(order.expected_ship_date, None);
    let day: chrono::NaiveDate = "2026-11-25".parse().unwrap();
    shop.answers(
        "SetDeadline",
        json!({"data": {"fulfillmentOrdersSetFulfillmentDeadline": {"success": true, "userErrors": []}}}),
    );
    let request = ShipDateRequest { order: &order, date: day };
    assert!(dates.set_ship_date(&cx(), &[request]).await.unwrap()[0].is_done());
    assert_eq!(
        shop.sent_of("SetDeadline")[0].variables,
        json!({"ids": ["gid://shopify/FulfillmentOrder/3001"], "deadline": "2026-11-25T14:59:59Z"})
    );
    let dated = row_with(5001, |row| {
        row["fulfillmentOrders"]["nodes"][0]["fulfillBy"] = json!("2026-11-25T14:59:59Z");
    });
    let order = read(&shop, &channel, &dated).await;
    assert_eq!(order.expected_ship_date, Some(day), "what was set is seen");
    assert_eq!(order.ship_by, Some(at("2026-11-25T14:59:59Z")));
    for (payload, temporary) in [
        (json!({"success": false, "userErrors": []}), true),
        (
            json!({"success": null, "userErrors": [{"code": "FULFILLMENT_ORDERS_NOT_FOUND", "field": null, "message": "m"}]}),
            true,
        ),
    ] {
        shop.answers("SetDeadline", json!({"data": {"fulfillmentOrdersSetFulfillmentDeadline": payload}}));
        match dates.set_ship_date(&cx(), &[request]).await.unwrap().remove(0) {
            Outcome::Refused(no) => assert_eq!((no.temporary, no.reread), (temporary, true)),
            other => panic!("{other:?}"),
        }
    }
    shop.answers(
        "SetDeadline",
        json!({"data": {"fulfillmentOrdersSetFulfillmentDeadline": {"userErrors": []}}}),
    );
    assert!(dates.set_ship_date(&cx(), &[request]).await.unwrap_err().outcome_unknown());
}

// Stock and listings.

fn variant(n: u32, tracked: bool, available: i64) -> Value {
    json!({
        "id": format!("gid://shopify/ProductVariant/{n}"), "sku": format!("SKU-{n}"), "displayName": "Tee - Red",
        "inventoryQuantity": available, "product": {"id": "gid://shopify/Product/61", "status": "ACTIVE"},
        "inventoryItem": {"id": format!("gid://shopify/InventoryItem/{n}"), "tracked": tracked,
            "inventoryLevels": {"nodes": [{"location": {"id": "gid://shopify/Location/11"},
                "quantities": [{"name": "available", "quantity": available, "updatedAt": "2026-11-24T00:59:00Z"}]}]}},
    })
}

fn variants(rows: &[Value], next: Option<&str>) -> Value {
    json!({"data": {"productVariants": {"pageInfo": {"hasNextPage": next.is_some(), "endCursor": next}, "nodes": rows}}})
}

fn locations(n: usize) -> Value {
    let nodes: Vec<Value> = (11..11 + n)
        .map(|n| json!({"id": format!("gid://shopify/Location/{n}"), "isActive": true}))
        .collect();
    json!({"data": {"locations": {"nodes": nodes}}})
}

fn key(n: u32) -> ListingKey {
    ListingKey::option("gid://shopify/Product/61", format!("gid://shopify/ProductVariant/{n}"))
}

fn taken(errors: Value) -> Value {
    json!({"data": {"inventorySetQuantities": {"inventoryAdjustmentGroup": {"id": "g"}, "userErrors": errors}}})
}

async fn push(
    channel: &Shopify,
    cx: &Context,
    pushes: &[(u32, u32, Option<u32>)],
) -> Result<Vec<Outcome<StockAccepted>>, Error> {
    let data = ChannelData::default();
    let keys: Vec<ListingKey> = pushes.iter().map(|(n, _, _)| key(*n)).collect();
    let changes: Vec<StockChange<'_>> = pushes
        .iter()
        .zip(&keys)
        .map(|((_, quantity, accepted), key)| {
            let mut change = StockChange::new(key, &data, *quantity);
            change.accepted = *accepted;
            change
        })
        .collect();
    channel.stock().unwrap().set_stock(cx, &changes).await
}

#[tokio::test]
async fn quantities_are_set_as_the_sheet_says() {
    let shop = Shop::open().await;
    let channel = shop.channel();
    shop.answers("Locations", locations(1));
    shop.answers("Variants", variants(&[variant(72, true, 9), variant(71, true, 4)], None));
    shop.answers("SetStock", taken(json!([])));
    let outcomes = push(&channel, &cx(), &[(71, 6, Some(4)), (72, 3, None)]).await.unwrap();
    assert!(matches!(
        outcomes.as_slice(),
        [Outcome::Done(StockAccepted { quantity: 6 }), Outcome::Done(StockAccepted { quantity: 3 })]
    ));
    assert_eq!(shop.sent_of("Variants")[0].variables["query"], "id:71 OR id:72");
    let sent = &shop.sent_of("SetStock")[0].variables;
    assert_eq!(
        sent["input"],
        json!({"name": "available", "reason": "correction", "quantities": [
            {"inventoryItemId": "gid://shopify/InventoryItem/71", "locationId": "gid://shopify/Location/11",
                "quantity": 6, "changeFromQuantity": 4},
            {"inventoryItemId": "gid://shopify/InventoryItem/72", "locationId": "gid://shopify/Location/11",
                "quantity": 3, "changeFromQuantity": null},
        ]})
    );
    assert_eq!(sent["key"].as_str().unwrap().len(), 36);
}

#[tokio::test]
async fn a_lost_answer_is_repeated_with_the_same_key_and_a_later_push_has_another() {
    let shop = Shop::open().await;
    let channel = shop.channel();
    for _ in 0..2 {
        shop.answers("Locations", locations(1));
        shop.answers("Variants", variants(&[variant(71, true, 4)], None));
    }
    shop.answers("SetStock", Answer::text(500, ""));
    shop.answers("SetStock", taken(json!([])));
    shop.answers("SetStock", taken(json!([])));
    for _ in 0..2 {
        assert!(push(&channel, &cx(), &[(71, 6, None)]).await.unwrap()[0].is_done());
    }
    let keys: Vec<Value> = shop.sent_of("SetStock").iter().map(|s| s.variables["key"].clone()).collect();
    assert_eq!(keys[0], keys[1], "attempts of one intent");
    assert_ne!(keys[1], keys[2], "the same quantity later must not be answered from memory");
}

#[tokio::test]
async fn a_refused_quantity_is_taken_out_and_the_others_are_set() {
    let shop = Shop::open().await;
    let channel = shop.channel();
    shop.answers("Locations", locations(1));
    let rows: Vec<Value> = (71..=73).map(|n| variant(n, true, 4)).collect();
    shop.answers("Variants", variants(&rows, None));
    shop.answers(
        "SetStock",
        taken(json!([{"code": "CHANGE_FROM_QUANTITY_STALE", "field": ["input", "quantities", "1"], "message": "m"}])),
    );
    shop.answers("SetStock", taken(json!([])));
    let outcomes = push(&channel, &cx(), &[(71, 1, None), (72, 2, None), (73, 3, None)]).await.unwrap();
    assert!(matches!(
        outcomes.as_slice(),
        [Outcome::Done(StockAccepted { quantity: 1 }), Outcome::Refused(no), Outcome::Done(StockAccepted { quantity: 3 })]
            if no.temporary && no.code == "CHANGE_FROM_QUANTITY_STALE"
    ));
    let sent = shop.sent_of("SetStock");
    assert_eq!(sent[1].variables["input"]["quantities"].as_array().unwrap().len(), 2);
    assert_ne!(sent[0].variables["key"], sent[1].variables["key"], "other parameters need another key");
}

#[tokio::test]
async fn where_the_channel_does_not_say_which_each_goes_alone() {
    let shop = Shop::open().await;
    let channel = shop.channel();
    shop.answers("Locations", locations(1));
    shop.answers("Variants", variants(&[variant(71, true, 4), variant(72, true, 4)], None));
    let vague = json!([{"code": "NON_MUTABLE_INVENTORY_ITEM", "field": null, "message": "m"}]);
    shop.answers("SetStock", taken(vague.clone()));
    shop.answers("SetStock", taken(vague));
    shop.answers("SetStock", taken(json!([])));
    let outcomes = push(&channel, &cx(), &[(71, 1, None), (72, 2, None)]).await.unwrap();
    let done = outcomes.iter().filter(|outcome| outcome.is_done()).count();
    let refused = outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Refused(_))).count();
    assert_eq!((done, refused, shop.sent_of("SetStock").len()), (1, 1, 3));
}

#[tokio::test]
async fn what_is_not_tracked_or_not_there_is_refused_clearly() {
    let shop = Shop::open().await;
    let channel = shop.channel();
    shop.answers("Locations", locations(1));
    shop.answers("Variants", variants(&[variant(71, false, 4), variant(72, true, 4)], None));
    shop.answers("SetStock", taken(json!([])));
    let outcomes = push(&channel, &cx(), &[(71, 1, None), (99, 1, None), (72, 1, None)]).await.unwrap();
    assert!(matches!(&outcomes[0], Outcome::Refused(no) if no.message.contains("track")));
    assert!(matches!(&outcomes[1], Outcome::Refused(no) if no.message.contains("no such variant")));
    assert!(outcomes[2].is_done());
    assert_eq!(shop.sent_of("SetStock")[0].variables["input"]["quantities"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_raise_over_an_unseen_sale_waits_one_push() {
    let shop = Shop::open().await;
    let channel = shop.channel();
    for _ in 0..2 {
        shop.answers("Locations", locations(1));
        // Two were sold a minute ago: 9 were set, 7 are shown.
        shop.answers("Variants", variants(&[variant(71, true, 7)], None));
    }
    let first = push(&channel, &cx(), &[(71, 8, Some(9))]).await.unwrap();
    assert!(matches!(&first[0], Outcome::Refused(no) if no.temporary), "{first:?}");
    shop.answers("SetStock", taken(json!([])));
    assert!(push(&channel, &cx(), &[(71, 8, Some(9))]).await.unwrap()[0].is_done());
    assert_eq!(shop.sent_of("SetStock")[0].variables["input"]["quantities"][0]["changeFromQuantity"], 7);
}

#[tokio::test]
async fn stock_is_set_at_the_chosen_location_or_the_only_one() {
    let shop = Shop::open().await;
    let channel = shop.channel();
    shop.answers("Locations", locations(2));
    let error = push(&channel, &cx(), &[(71, 1, None)]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().contains("location_id"));
    let chosen = with_setting("location_id", json!("11"));
    shop.answers("Variants", variants(&[variant(71, true, 4)], None));
    shop.answers("SetStock", taken(json!([])));
    assert!(push(&channel, &chosen, &[(71, 1, None)]).await.unwrap()[0].is_done());
    assert_eq!(shop.sent_of("Locations").len(), 1, "the choice needs no look-up");
}

#[tokio::test]
async fn bad_answers_to_a_push_leave_it_open_only_where_it_may_have_been_made() {
    for (answer, kind, unknown) in bad_answers() {
        let shop = Shop::open().await;
        let channel = shop.channel();
        shop.answers("Locations", locations(1));
        shop.answers("Variants", variants(&[variant(71, true, 4)], None));
        for _ in 0..4 {
            shop.answers("SetStock", answer.clone());
        }
        match push(&channel, &brief(), &[(71, 1, None)]).await {
            Err(error) => assert_eq!((error.kind(), error.outcome_unknown()), (kind, unknown), "{answer:?}"),
            Ok(outcomes) => {
                assert!(
                    matches!(outcomes[0], Outcome::Refused(_)) && kind == ErrorKind::InvalidInput,
                    "{answer:?}"
                );
            }
        }
    }
}

#[tokio::test]
async fn quantities_shown_are_read() {
    let shop = Shop::open().await;
    let channel = shop.channel();
    shop.answers("Locations", locations(1));
    let rows = [variant(71, true, 4), variant(72, true, -3), variant(73, false, 5)];
    shop.answers("Variants", variants(&rows, None));
    let keys: Vec<ListingKey> = [71, 72, 73, 99].map(key).into();
    let outcomes = channel.stock().unwrap().read_stock(&cx(), &keys).await.unwrap();
    assert!(matches!(outcomes[0], Outcome::Done(StockAccepted { quantity: 4 })));
    assert!(matches!(outcomes[1], Outcome::Done(StockAccepted { quantity: 0 })), "oversold shows none");
    assert!(matches!(outcomes[2], Outcome::Refused(_)) && matches!(outcomes[3], Outcome::Refused(_)));
}

#[tokio::test]
async fn listings_are_read_to_the_end() {
    let shop = Shop::open().await;
    let channel = shop.channel();
    let mut draft = variant(72, true, 3);
    draft["product"]["status"] = json!("DRAFT");
    draft["sku"] = Value::Null;
    shop.answers("Variants", variants(&[variant(71, true, 4), draft], Some("c")));
    shop.answers("Variants", variants(&[variant(73, false, 0), Value::Null], None));
    let first = channel.listings().unwrap().list(&cx(), None).await.unwrap();
    let second = channel.listings().unwrap().list(&cx(), first.next.as_ref()).await.unwrap();
    assert!(second.next.is_none());
    assert_eq!(first.listings[0].key, key(71));
    assert_eq!(first.listings[0].sku.as_ref().unwrap().as_str(), "SKU-71");
    assert_eq!((first.listings[0].state, first.listings[0].quantity), (ListingState::OnSale, Some(4)));
    assert_eq!((first.listings[1].state, &first.listings[1].sku), (ListingState::Waiting, &None));
    assert_eq!(second.listings[0].quantity, None, "what is not tracked has no quantity");
    let sent = shop.sent_of("Variants");
    assert_eq!((&sent[0].variables["after"], &sent[1].variables["after"]), (&Value::Null, &json!("c")));
}

// Cancellations.

#[tokio::test]
async fn cancelled_orders_are_seen() {
    let shop = Shop::open().await;
    let cancelled = |id, at| json!({"id": id, "cancelledAt": at, "cancelReason": "CUSTOMER"});
    shop.answers(
        "Cancelled",
        page(
            &[
                cancelled("gid://shopify/Order/1", json!("2026-11-20T03:00:00Z")),
                cancelled("gid://shopify/Order/2", json!("2026-11-01T03:00:00Z")),
                cancelled("gid://shopify/Order/3", Value::Null),
            ],
            Some("c"),
        ),
    );
    let channel = shop.channel();
    let found = channel.cancellations().unwrap().requests(&cx(), window().window, None).await.unwrap();
    let ids: Vec<&str> = found.requests.iter().map(|request| request.order.as_str()).collect();
    assert_eq!(ids, ["gid://shopify/Order/1"]);
    assert!(!found.requests[0].open, "buyers can't ask: there is nothing to decide");
    assert_eq!((found.unreadable.len(), found.next.is_some()), (1, true));
    assert_eq!(shop.sent()[0].variables["query"], "status:cancelled updated_at:>='2026-11-20T00:00:00Z'");
}

#[tokio::test]
async fn an_order_is_cancelled_as_seller() {
    let shop = Shop::open().await;
    let channel = shop.channel();
    let order = read(&shop, &channel, &row()).await;
    let cancels = channel.cancellations().unwrap();
    assert_eq!(cancels.actions(), [CancelAction::CancelBySeller]);
    let decision =
        |action, reason| CancelDecision { order: &order, action, reason, memo: Some("品切れ 🙇") };
    let accepted =
        json!({"data": {"orderCancel": {"job": {"id": "j", "done": false}, "orderCancelUserErrors": []}}});
    shop.answers("Cancel", accepted.clone());
    let by_seller = decision(CancelAction::CancelBySeller, CancelReason::OutOfStock);
    assert!(cancels.decide(&cx(), std::slice::from_ref(&by_seller)).await.unwrap()[0].is_done());
    assert_eq!(
        shop.sent_of("Cancel")[0].variables,
        json!({"orderId": "gid://shopify/Order/5001", "reason": "INVENTORY", "restock": false, "notify": false,
            "refund": {"originalPaymentMethodsRefund": true}, "note": "品切れ 🙇"})
    );
    shop.answers("Cancel", accepted);
    let settings = with_setting("cancel_refund", json!(false));
    let delayed = decision(CancelAction::CancelBySeller, CancelReason::Delay);
    assert!(cancels.decide(&settings, &[delayed]).await.unwrap()[0].is_done());
    let sent = shop.sent_of("Cancel").pop().unwrap().variables;
    assert_eq!(
        (&sent["reason"], &sent["restock"], sent.get("refund")),
        (&json!("OTHER"), &json!(true), None)
    );
    let request = decision(CancelAction::Accept, CancelReason::BuyerRequest);
    assert!(matches!(cancels.decide(&cx(), &[request]).await.unwrap()[0], Outcome::Refused(_)));
    for (payload, refused) in [
        (
            json!({"job": null, "orderCancelUserErrors": [{"code": "INVALID", "field": null, "message": "fulfilled"}]}),
            true,
        ),
        (
            json!({"job": null, "orderCancelUserErrors": [{"code": "INTERNAL_ERROR", "field": null, "message": "m"}]}),
            false,
        ),
        (json!({"job": null, "orderCancelUserErrors": []}), false),
    ] {
        shop.answers("Cancel", json!({"data": {"orderCancel": payload}}));
        match cancels.decide(&cx(), std::slice::from_ref(&by_seller)).await {
            Ok(outcomes) => assert!(refused && matches!(outcomes[0], Outcome::Refused(_)), "{payload}"),
            Err(error) => assert!(!refused && error.outcome_unknown(), "{payload}"),
        }
    }
    let sent = shop.sent_of("Cancel").len();
    shop.answers("Cancel", Answer::text(500, ""));
    assert!(cancels.decide(&cx(), std::slice::from_ref(&by_seller)).await.unwrap_err().outcome_unknown());
    assert_eq!(shop.sent_of("Cancel").len(), sent + 1, "money is not given back twice");
    let gone =
        read(&shop, &channel, &row_with(5, |row| row["cancelledAt"] = json!("2026-11-20T03:00:00Z"))).await;
    let again = CancelDecision { order: &gone, ..by_seller };
    assert!(matches!(cancels.decide(&cx(), &[again]).await.unwrap()[0], Outcome::AlreadyDone));
}

// Tokens.

fn app(token: Option<&str>, refresh: Option<&str>, ends: Option<&str>) -> Credentials {
    let mut all = Credentials::new()
        .with(SHOP, "my-shop.myshopify.com")
        .with(CLIENT_ID, "client")
        .with(CLIENT_SECRET, "app-secret");
    for (name, value) in [(ACCESS_TOKEN, token), (REFRESH_TOKEN, refresh), (ACCESS_TOKEN_ENDS, ends)] {
        if let Some(value) = value {
            all = all.with(name, value);
        }
    }
    all
}

fn pair(n: u32) -> Value {
    json!({"access_token": format!("a{n}"), "expires_in": 3600, "refresh_token": format!("r{n}"),
        "refresh_token_expires_in": 7_776_000, "scope": "read_orders"})
}

#[tokio::test]
async fn the_client_credentials_grant_asks_for_a_token_when_there_is_none() {
    let shop = Shop::open().await;
    let channel = shop.channel_with(&app(None, None, None));
    shop.gives(json!({"access_token": "granted", "scope": "read_orders", "expires_in": 86399}));
    shop.answers("Orders", page(&[], None));
    shop.answers("Orders", page(&[], None));
    fetch_all(&channel, &cx()).await.unwrap();
    assert_eq!(
        shop.token_forms(),
        ["client_id=client&client_secret=app-secret&grant_type=client_credentials"]
    );
    assert!(shop.sent().iter().all(|sent| sent.token == "granted"));
    // After a day it is asked for again.
    shop.clock.advance(chrono::TimeDelta::hours(24));
    shop.gives(json!({"access_token": "granted-2", "expires_in": 86399}));
    shop.answers("Orders", page(&[], None));
    channel.orders().fetch(&cx(), &window(), None).await.unwrap();
    assert_eq!(shop.sent().pop().unwrap().token, "granted-2");
}

#[tokio::test]
async fn a_token_is_renewed_before_its_end_and_saved_before_it_is_used() {
    let shop = Shop::open().await;
    let vault = Arc::new(MemoryVault::default());
    let old = app(Some("a1"), Some("r1"), Some("2026-11-24T01:03:00Z"));
    let opening = opening(&shop, old).with_vault(vault.clone());
    let channel = Shopify::open(&opening, shop.config()).unwrap();
    shop.gives(pair(2));
    shop.answers("Orders", page(&[], None));
    channel.orders().fetch(&cx(), &window(), None).await.unwrap();
    assert_eq!(
        shop.token_forms(),
        ["client_id=client&client_secret=app-secret&grant_type=refresh_token&refresh_token=r1"]
    );
    assert_eq!(shop.sent()[0].token, "a2");
    let saved = vault.load(&"shop".into()).await.unwrap().unwrap();
    assert_eq!(saved.get(REFRESH_TOKEN).unwrap().expose(), "r2");
    assert_eq!(saved.get(ACCESS_TOKEN_ENDS).unwrap().expose(), "2026-11-24T02:00:00+00:00");
    assert_eq!(saved.expires_at, Some(at("2027-02-22T01:00:00Z")), "the end of the refresh token");
}

#[tokio::test]
async fn two_callers_that_find_the_token_ended_renew_it_once() {
    let shop = Shop::open().await;
    let channel = shop.channel_with(&app(Some("a1"), Some("r1"), None));
    shop.ends("a1");
    shop.gives(pair(2));
    shop.answers("Orders", page(&[], None));
    shop.answers("Orders", page(&[], None));
    let query = window();
    let one_cx = cx();
    let orders = channel.orders();
    let (one, two) = tokio::join!(orders.fetch(&one_cx, &query, None), orders.fetch(&one_cx, &query, None));
    assert!(one.is_ok() && two.is_ok(), "{one:?} {two:?}");
    assert_eq!(shop.token_forms().len(), 1);
    let tokens: Vec<String> = shop.sent().into_iter().map(|sent| sent.token).collect();
    assert_eq!(tokens.iter().filter(|token| *token == "a2").count(), 2, "{tokens:?}");
}

#[tokio::test]
async fn a_parcel_that_met_an_ended_token_is_sent_once_with_the_new_one() {
    let shop = Shop::open().await;
    let channel = shop.channel_with(&app(Some("a1"), Some("r1"), None));
    let order = read(&shop, &channel, &row()).await;
    shop.answers("Fulfill", ended_token());
    shop.gives(pair(2));
    shop.answers("Fulfill", made("f"));
    assert!(dispatch(&channel, &order, "1", &[], None).await.is_done());
    // Refused again with the new token: it is not tried for ever.
    shop.answers("Fulfill", ended_token());
    shop.gives(pair(3));
    shop.answers("Fulfill", ended_token());
    let outcome = dispatch(&channel, &order, "2", &[], None).await;
    assert!(
        matches!(&outcome, Outcome::NotTried(error) if error.kind() == ErrorKind::Unauthorized),
        "{outcome:?}"
    );
    assert_eq!(shop.sent_of("Fulfill").len(), 4);
}

#[tokio::test]
async fn a_refresh_token_that_has_ended_is_named() {
    let shop = Shop::open().await;
    let channel = shop.channel_with(&app(Some("a1"), Some("r1"), Some("2026-11-24T00:59:00Z")));
    shop.gives(Answer::text(400, r#"{"error":"invalid_grant","error_description":"r1 is gone"}"#));
    let error = channel.orders().fetch(&cx(), &window(), None).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::CredentialExpired, Some("invalid_grant")));
    assert!(!error.to_string().contains("r1 is gone"), "the text could repeat what was sent");
    assert!(shop.sent().is_empty());
    shop.gives(Answer::text(401, r#"{"error":"invalid_client"}"#));
    let error = channel.orders().fetch(&cx(), &window(), None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
}

#[tokio::test]
async fn a_renewal_that_fails_for_now_keeps_a_token_that_still_works() {
    let shop = Shop::open().await;
    let channel = shop.channel_with(&app(Some("a1"), Some("r1"), Some("2026-11-24T01:03:00Z")));
    for _ in 0..4 {
        shop.gives(Answer::text(503, ""));
    }
    let order = read(&shop, &channel, &row()).await;
    assert_eq!(shop.sent()[0].token, "a1");
    // Once it has ended, nothing is sent, and nothing about the parcel is unknown.
    shop.clock.advance(chrono::TimeDelta::minutes(5));
    for _ in 0..4 {
        shop.gives(Answer::text(503, ""));
    }
    let outcome = dispatch(&channel, &order, "1", &[], None).await;
    assert!(matches!(&outcome, Outcome::NotTried(error) if !error.outcome_unknown()), "{outcome:?}");
    assert!(shop.sent_of("Fulfill").is_empty());
}

#[tokio::test]
async fn credentials_are_replaced_after_they_are_proved() {
    let whoami = json!({"data": {"shop": {"currencyCode": "JPY", "ianaTimezone": "Asia/Tokyo"}, "currentAppInstallation": {"accessScopes": []}}});
    let shop = Shop::open().await;
    let channel = shop.channel();
    let renewal = channel.credentials().unwrap();
    let fresh = credentials().with(ACCESS_TOKEN, "shpat_new");
    shop.answers("Whoami", ended_token());
    assert_eq!(renewal.replace(&cx(), &fresh).await.unwrap_err().kind(), ErrorKind::Unauthorized);
    assert_eq!(renewal.current().await, credentials(), "the old ones stay in use");
    shop.answers("Whoami", whoami);
    renewal.replace(&cx(), &fresh).await.unwrap();
    shop.answers("Orders", page(&[], None));
    channel.orders().fetch(&cx(), &window(), None).await.unwrap();
    let tokens: Vec<String> = shop.sent().into_iter().map(|sent| sent.token).collect();
    assert_eq!(tokens, ["shpat_new", "shpat_new", "shpat_new"]);
    let other = fresh.with(SHOP, "other.myshopify.com");
    assert_eq!(renewal.replace(&cx(), &other).await.unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(renewal.expiry(&cx()).await.unwrap(), None);
}

// Connecting.

fn whoami(scopes: &[&str]) -> Value {
    let scopes: Vec<Value> = scopes.iter().map(|scope| json!({"handle": scope})).collect();
    json!({"data": {"shop": {"myshopifyDomain": "my-shop.myshopify.com", "currencyCode": "EUR", "ianaTimezone": "Europe/Berlin"},
        "currentAppInstallation": {"accessScopes": scopes}}})
}

#[tokio::test]
async fn the_shop_tells_its_currency_and_zone() {
    let shop = Shop::open().await;
    shop.answers("Whoami", whoami(&[]));
    let config = discover(&opening(&shop, credentials()), &cx(), Config::default()).await.unwrap();
    assert_eq!((config.currency.as_str(), config.zone), ("EUR", chrono_tz::Europe::Berlin));
    shop.answers("Whoami", json!({"data": {"shop": {"currencyCode": "EUR", "ianaTimezone": "Mars/Base"}}}));
    let error = discover(&opening(&shop, credentials()), &cx(), Config::default()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MalformedResponse);
    let rotating = opening(&shop, app(Some("a"), Some("r"), None));
    let error = discover(&rotating, &cx(), Config::default()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration, "a renewal would be lost");
}

#[tokio::test]
async fn a_connection_test_names_missing_scopes() {
    let shop = Shop::open().await;
    let channel = shop.channel();
    shop.answers(
        "Whoami",
        whoami(&["write_orders", "read_products", "read_inventory", "write_assigned_fulfillment_orders"]),
    );
    let report = channel.test(&cx()).await.unwrap();
    let check =
        |wanted| report.capabilities.iter().find(|(c, _)| *c == wanted).map(|(_, check)| check.clone());
    assert_eq!(check(Capability::FetchOrders), Some(CapabilityCheck::Allowed), "a scope to write reads too");
    assert_eq!(check(Capability::DispatchOrders), Some(CapabilityCheck::Allowed));
    assert_eq!(check(Capability::HandleCancellations), Some(CapabilityCheck::Allowed));
    match check(Capability::UpdateStock) {
        Some(CapabilityCheck::Denied { reason }) => {
            assert!(reason.contains("write_inventory") && reason.contains("read_locations"), "{reason}");
        }
        other => panic!("{other:?}"),
    }
    assert!(!report.is_complete());
    shop.answers("Whoami", ended_token());
    assert_eq!(channel.test(&cx()).await.unwrap_err().kind(), ErrorKind::Unauthorized);
}

#[tokio::test]
async fn capabilities_are_what_the_sheet_says() {
    let shop = Shop::open().await;
    let channel = shop.channel();
    let has = Capabilities::of(&channel);
    assert!(!has.has(Capability::ConfirmOrders), "Shopify has no confirmation");
    assert!(!has.has(Capability::SetShipDate) && !has.has(Capability::ReceiveWebhooks));
    for capability in [
        Capability::FetchOrders,
        Capability::DispatchOrders,
        Capability::UpdateStock,
        Capability::NotifyBuyer,
        Capability::ListListings,
        Capability::HandleCancellations,
        Capability::RenewCredentials,
    ] {
        assert!(has.has(capability), "{capability}");
    }
    let info = channel.info();
    assert_eq!(
        (info.id.as_str(), info.zone, info.currencies[0]),
        ("shopify", chrono_tz::Asia::Tokyo, Currency::JPY)
    );
    assert_eq!(info.stock_range, (0, 1_000_000_000));
    assert_eq!(info.options.len(), 6);
}

#[tokio::test]
async fn an_account_opens_from_stored_settings_alone() {
    let shop = Shop::open().await;
    let adapter = find("shopify").unwrap();
    let channel = (adapter.open)(&opening(&shop, credentials())).unwrap();
    shop.answers("Orders", page(&[], None));
    channel.orders().fetch(&cx(), &window(), None).await.unwrap();
    assert_eq!(shop.sent().len(), 1, "opening sends nothing");
    for wrong in [Credentials::new().with(ACCESS_TOKEN, "t"), credentials().with(SHOP, "evil.example")] {
        assert_eq!((ADAPTER.open)(&opening(&shop, wrong)).unwrap_err().kind(), ErrorKind::InvalidInput);
    }
    assert!(ADAPTER.parts.iter().any(|part| part.name == SHOP));
}

// Webhooks.

#[tokio::test]
async fn webhooks_are_checked_with_the_app_s_secret() {
    let shop = Shop::open().await;
    assert!(shop.channel().webhooks().is_none(), "without the client secret nothing can be checked");
    let channel = shop.channel_with(&app(Some("a"), None, None));
    let body = br#"{"id":5,"admin_graphql_api_id":"gid://shopify/Order/5"}"#;
    let signed = |signature: String| {
        [
            ("x-shopify-hmac-sha256", signature.as_str()),
            ("x-shopify-topic", "orders/updated"),
            ("x-shopify-shop-domain", "my-shop.myshopify.com"),
            ("x-shopify-webhook-id", "d"),
            ("x-shopify-triggered-at", "2026-11-24T00:59:00Z"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
    };
    let headers = signed(sign_webhook(&"app-secret".into(), body));
    let reply = channel.webhooks().unwrap().receive(&WebhookRequest::new(&headers, body)).await.unwrap();
    assert!(
        matches!(&reply.events[..], [WebhookEvent::OrdersChanged(ids)] if ids[0].as_str() == "gid://shopify/Order/5")
    );
    let headers = signed(sign_webhook(&"another".into(), body));
    let error = channel.webhooks().unwrap().receive(&WebhookRequest::new(&headers, body)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    shop.clock.advance(chrono::TimeDelta::days(1));
    let headers = signed(sign_webhook(&"app-secret".into(), body));
    let late = channel.webhooks().unwrap().receive(&WebhookRequest::new(&headers, body)).await;
    assert_eq!(late.unwrap_err().kind(), ErrorKind::Unauthorized, "by the client's clock it is a replay");
}

#[tokio::test]
async fn webhooks_are_asked_for_once_per_topic() {
    let shop = Shop::open().await;
    let channel = shop.channel();
    let made = json!({"data": {"webhookSubscriptionCreate": {"webhookSubscription": {"id": "w"}, "userErrors": []}}});
    let there = json!({"data": {"webhookSubscriptionCreate": {"webhookSubscription": null, "userErrors":
        [{"field": ["webhookSubscription", "uri"], "message": "Address for this topic has already been taken"}]}}});
    shop.answers("Subscribe", there);
    for _ in 0..5 {
        shop.answers("Subscribe", made.clone());
    }
    assert_eq!(channel.subscribe_webhooks(&cx(), "https://hub.example/hooks").await.unwrap(), 5);
    let sent = shop.sent_of("Subscribe");
    assert_eq!(
        sent[0].variables,
        json!({"topic": "ORDERS_CREATE", "subscription": {"uri": "https://hub.example/hooks", "format": "JSON"}})
    );
    assert_eq!(sent.last().unwrap().variables["topic"], "APP_UNINSTALLED");
    let error = channel.subscribe_webhooks(&cx(), "http://hub.example").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

// Secrets and personal data.

#[tokio::test]
async fn no_secret_and_no_personal_data_shows_in_debug_or_errors() {
    let shop = Shop::open().await;
    let channel = shop.channel_with(&app(Some("top-secret-token"), Some("top-secret-refresh"), None));
    let order = read(&shop, &channel, &row()).await;
    let shown = format!("{channel:?} {order:?} {:?}", channel.credentials().unwrap().current().await);
    for hidden in
        ["top-secret", "app-secret", "田中", "buyer@example.com", "+8190", "梅田", "置き配", "Engraving"]
    {
        assert!(!shown.contains(hidden), "{hidden}");
    }
    shop.gives(Answer::text(400, r#"{"error":"invalid_request","error_description":"top-secret-refresh"}"#));
    shop.answers("Orders", Answer::text(401, r#"{"errors":"bad token top-secret-token"}"#));
    let error = channel.orders().fetch(&cx(), &window(), None).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("top-secret"), "{error}");
    let permanent = shop.channel();
    shop.answers("Orders", Answer::text(401, format!(r#"{{"errors":"bad token {TOKEN}"}}"#)));
    let error = permanent.orders().fetch(&cx(), &window(), None).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains(TOKEN), "{error}");
    shop.answers("Orders", r#"{"data":{"orders":{"nodes":[{"note":"田中 一郎"}],"pageInfo":7}}}"#);
    let error = permanent.orders().fetch(&cx(), &window(), None).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("田中"), "{error}");
}
