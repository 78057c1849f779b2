//! Whole calls of the Shopee adapter: what is sent, byte for byte, and what becomes of each answer.
#![cfg(feature = "shopee")]
#![allow(clippy::unwrap_used)] // tests

mod shopee;

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use mockito::Matcher;
use sales_channels::adapters::shopee::{
    ACCESS_TOKEN, ACCESS_TOKEN_ENDS, Code, Config, PARTNER_ID, PARTNER_KEY, PUSH_PARTNER_KEY, REFRESH_TOKEN,
    SHOP_ID, Shopee, authorize_link, authorized_shops, exchange_code, push_shop, push_signature,
};
use sales_channels::adapters::{self, Opening};
use sales_channels::channel::{
    CancelAction, CancelDecision, CancelReason, CapabilityCheck, Channel, Context, CredentialVault,
    Credentials, HandOver, MemoryVault, OrderQuery, Outcome, PageCursor, Repeat, Row, Secret, StockChange,
    Tracking, WebhookEvent, WebhookRequest,
};
use sales_channels::model::{
    CancelState, ChannelData, Hold, LineId, ListingKey, ListingState, Order, OrderStatus, Window,
};
use sales_channels::{ErrorKind, Retry};
use shopee::*;

const FROM: &str = "2026-11-20T09:00:00Z";
const TO: &str = NOW;

fn ids(rows: &[Row]) -> Vec<&str> {
    rows.iter().filter_map(Row::order).map(|order| order.id.as_str()).collect()
}

fn settings(all: &[(&str, &str)]) -> Context {
    let all = all.iter().map(|(key, value)| ((*key).to_owned(), serde_json::Value::from(*value)));
    Context::new().with_settings(Arc::new(all.collect()))
}

#[tokio::test]
async fn a_window_asks_for_changes_from_before_it_up_to_now_and_for_all_fields() {
    let mut shop = Shop::open().await;
    let listed = shop.listed(&["11", "12"]).await;
    let details =
        shop.details("11,12", &[ready("12"), plain("11", "PENDING", "LOGISTICS_NOT_START")], 1).await;
    let rows = shop.fetch(FROM, TO).await.unwrap();
    assert_eq!(ids(&rows), ["11", "12"], "in the order of the list, found by id");
    assert_eq!(rows[0].order().unwrap().holds, [Hold::OnHold]);
    listed.assert_async().await;
    details.assert_async().await;
    assert!(shop.fetch(TO, TO).await.unwrap().is_empty(), "an empty window asks nothing");
}

#[tokio::test]
async fn orders_past_everything_that_is_linked_are_dropped_by_the_list_and_others_by_their_times() {
    let mut shop = Shop::open().await;
    let rows = r#"{"more":false,"next_cursor":"","order_list":[{"order_sn":"1","order_status":"SHIPPED"},{"order_sn":"2","order_status":"COMPLETED"},{"order_sn":"3","order_status":"CANCELLED"},{"order_sn":"4","order_status":"TO_CONFIRM_RECEIVE"},{"order_sn":"5","order_status":"TO_RETURN"},{"order_sn":"6"},{"order_sn":"7","order_status":"PROCESSED"}]}"#;
    shop.list(WINDOW.0, WINDOW.1, response(rows), 1).await;
    // Made and paid before the window: it only changed in it.
    let old =
        ready("6").replace(&MADE.to_string(), "1795000000").replace(&(MADE + 60).to_string(), "1795000060");
    let details = shop.details("6,7", &[old, plain("7", "PROCESSED", "LOGISTICS_REQUEST_CREATED")], 1).await;
    let found = shop.fetch(FROM, TO).await.unwrap();
    assert_eq!(ids(&found), ["7"]);
    assert_eq!(found[0].order().unwrap().status, OrderStatus::ReadyToShip);
    details.assert_async().await;
}

#[tokio::test]
async fn a_piece_that_does_not_fit_in_one_answer_is_halved_so_that_no_change_moves_an_order_out_of_it() {
    let mut shop = Shop::open().await;
    let (from, end) = WINDOW;
    let mut mocks = Vec::new();
    // 8192 seconds would reach beyond now; so do 4096 after them.
    mocks.push(shop.list(from, end, sample("get_order_list.response"), 1).await);
    mocks.push(shop.list(from, from + 4096, list(&["11", "12"], "READY_TO_SHIP", false, ""), 1).await);
    // The order on the border is listed again; the next piece is longer, because the first had few rows.
    mocks.push(shop.list(from + 4096, end, list(&["12", "13"], "READY_TO_SHIP", false, ""), 1).await);
    let border = ready("12").replace(&(MADE + 60).to_string(), &(from + 4096).to_string());
    mocks.push(shop.details("11,12", &[ready("11"), border], 1).await);
    mocks.push(shop.details("13", &[ready("13")], 1).await);
    assert_eq!(ids(&shop.fetch(FROM, TO).await.unwrap()), ["11", "12", "13"]);
    for mock in mocks {
        mock.assert_async().await;
    }
}

#[tokio::test]
async fn a_second_with_more_changes_than_a_page_holds_is_turned_by_cursor_to_its_end() {
    let mut shop = Shop::open().await;
    let (from, _) = WINDOW;
    for k in 0..13 {
        let to = if k == 12 { from + 4096 } else { from + (1 << k) };
        if k > 0 {
            shop.list(from, to, list(&["x"], "READY_TO_SHIP", true, "20"), 1).await;
        }
    }
    shop.list(from, WINDOW.1, list(&["x"], "READY_TO_SHIP", true, "20"), 1).await;
    let first = shop.list(from, from + 1, list(&["11"], "READY_TO_SHIP", true, "20,x"), 1).await;
    let query = list_query(from, from + 1).with("cursor", "20,x");
    let last =
        shop.on(LIST, &query.each(), Matcher::Any, sample("get_order_list_last_page.response"), 1).await;
    shop.details("11", &[ready("11")], 1).await;
    shop.details(
        "201218V2Y6E59M,201218V2W2SG1E",
        &[
            ready("201218V2Y6E59M"),
            row("201218V2W2SG1E", "READY_TO_SHIP", &[], r#","booking_sn":"2404098R48U37H""#),
        ],
        1,
    )
    .await;
    // The pieces after it are empty, and each is twice as long as the one before: 4499 seconds take 13.
    let rest = shop.fails(LIST, 200, &list(&[], "", false, ""), 13).await;
    let rows = shop.fetch(FROM, TO).await.unwrap();
    assert_eq!(ids(&rows), ["11", "201218V2Y6E59M", "201218V2W2SG1E"]);
    assert_eq!(rows[2].order().unwrap().holds, [Hold::OnHold], "a booking fulfils it");
    for mock in [first, last, rest] {
        mock.assert_async().await;
    }
}

#[tokio::test]
async fn a_list_that_goes_on_without_saying_where_is_no_end() {
    let mut shop = Shop::open().await;
    shop.fails(LIST, 200, &list(&["11"], "READY_TO_SHIP", true, ""), 14).await;
    shop.fails(DETAIL, 200, &details(&[ready("11")]), 1).await;
    assert_eq!(shop.fetch(FROM, TO).await.unwrap_err().kind(), ErrorKind::MalformedResponse);
    for answer in [response(r#"{"order_list":[]}"#), OK.to_owned(), response("[]")] {
        let mut shop = Shop::open().await;
        shop.fails(LIST, 200, &answer, 1).await;
        assert_eq!(shop.fetch(FROM, TO).await.unwrap_err().kind(), ErrorKind::MalformedResponse, "{answer}");
    }
}

#[tokio::test]
async fn a_cursor_of_something_else_is_refused() {
    let shop = Shop::open().await;
    let window = Window::new(at(FROM), at(TO));
    for text in ["", "20", "{}", "items-", "items-x", "髙🌸"] {
        let cursor = PageCursor::new(text);
        let query = OrderQuery::window(window);
        let error = shop.channel.orders().fetch(&Context::new(), &query, Some(&cursor)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        let cancels = shop.channel.cancellations().unwrap();
        let error = cancels.requests(&Context::new(), window, Some(&cursor)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        let error = shop.channel.listings().unwrap().list(&Context::new(), Some(&cursor)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }
}

#[tokio::test]
async fn an_order_that_is_listed_and_not_shown_is_asked_for_again_and_then_told() {
    let mut shop = Shop::open().await;
    shop.listed(&["11", "12", "13"]).await;
    shop.details("11,12,13", &[ready("11")], 1).await;
    let again = shop.details("12,13", &[ready("13")], 1).await;
    let rows = shop.fetch(FROM, TO).await.unwrap();
    assert_eq!(ids(&rows), ["11", "13"]);
    let Row::Unreadable(lost) = &rows[1] else { panic!("{rows:?}") };
    assert_eq!(lost.id.as_ref().map(|id| id.as_str()), Some("12"));
    assert_eq!(lost.raw.reveal(), r#"{"order_sn":"12","order_status":"READY_TO_SHIP"}"#);
    again.assert_async().await;
}

#[tokio::test]
async fn one_order_that_the_channel_does_not_find_does_not_spoil_the_others() {
    let mut shop = Shop::open().await;
    shop.listed(&["11", "12", "13"]).await;
    let missing = sample("error_not_found.response");
    for ids in ["11,12,13", "12,13"] {
        shop.on(DETAIL, &detail_query(ids), Matcher::Any, &missing, 1).await;
    }
    shop.on(DETAIL, &detail_query("12"), Matcher::Any, &missing, 2).await;
    shop.details("11", &[ready("11")], 1).await;
    shop.details("13", &[ready("13")], 1).await;
    let rows = shop.fetch(FROM, TO).await.unwrap();
    assert_eq!(ids(&rows), ["11", "13"]);
    assert_eq!(rows.len(), 3);
}

#[tokio::test]
async fn a_warning_that_rows_are_missing_is_told() {
    for (warning, told) in
        [(r#""some orders are left out""#, 1), (r#"["a","b"]"#, 1), (r#""""#, 0), ("[]", 0), ("null", 0)]
    {
        let mut shop = Shop::open().await;
        let answer =
            list(&[], "", false, "").replace("\"message\"", &format!("\"warning\":{warning},\"message\""));
        shop.list(WINDOW.0, WINDOW.1, answer, 1).await;
        let rows = shop.fetch(FROM, TO).await.unwrap();
        assert_eq!(rows.iter().filter(|row| matches!(row, Row::Unreadable(_))).count(), told, "{warning}");
    }
}

#[tokio::test]
async fn a_bad_row_spoils_only_itself_and_keeps_its_text() {
    let bad = [
        r#"{"order_sn":"9","order_status":"READY_TO_SHIP","create_time":1795167000,"item_list":[]}"#,
        r#"{"order_sn":"8","order_status":"READY_TO_SHIP","item_list":[{"item_id":1,"model_quantity_purchased":1}]}"#,
        r#"{"order_sn":"7","create_time":1795167000,"item_list":[{"item_id":1}]}"#,
        r#"{"order_sn":"6","create_time":1795167000,"item_list":[7]}"#,
        r#"{"order_sn":"5","create_time":1795167000,"recipient_address":{"name":"half \ud83c"},"item_list":[{"item_id":1,"model_quantity_purchased":1}]}"#,
        r#"{"order_sn":"4","create_time":1795167000,"item_list":[{"item_id":1,"model_quantity_purchased":1}],"package_list":[{"package_number":"P","item_list":[{"item_id":1}]}]}"#,
        r#"["not an order"]"#,
    ];
    let mut shop = Shop::open().await;
    shop.listed(&["9", "11", "8", "7", "6", "5", "4"]).await;
    let mut rows: Vec<String> = bad.iter().map(|row| (*row).to_owned()).collect();
    rows.push(ready("11"));
    shop.details("9,11,8,7,6,5,4", &rows, 1).await;
    let rows = shop.fetch(FROM, TO).await.unwrap();
    assert_eq!(ids(&rows), ["11"]);
    let told: Vec<_> = rows
        .iter()
        .filter_map(|row| match row {
            Row::Unreadable(row) => Some((row.id.as_ref().map(|id| id.as_str()), row.raw.reveal())),
            Row::Order(_) => None,
        })
        .collect();
    let names = [Some("9"), Some("8"), Some("7"), Some("6"), Some("5"), Some("4"), None];
    assert_eq!(told, names.into_iter().zip(bad).collect::<Vec<_>>());
}

#[tokio::test]
async fn the_official_completed_order_is_read_field_by_field() {
    let mut shop = Shop::open().await;
    let known = fetched(&[ready("2404098R48U37H")]).await;
    shop.on(
        DETAIL,
        &detail_query("2404098R48U37H"),
        Matcher::Any,
        sample("get_order_detail_completed_cod.response"),
        1,
    )
    .await;
    let number = r#"{"package_number":"OFG166300791210964","fulfillment_status":"LOGISTICS_DELIVERY_DONE","tracking_number":"SPXVN01"}"#;
    shop.packages("OFG166300791210964", &[number], 1).await;
    let read = shop.channel.orders().read(&Context::new(), &[&known[0]]).await.unwrap();
    let Outcome::Done(order) = &read[0] else { panic!("{read:?}") };
    assert_eq!((order.id.as_str(), order.status), ("2404098R48U37H", OrderStatus::Delivered));
    assert_eq!(order.ordered_at, at("2024-04-08T18:39:51Z"));
    assert_eq!(order.paid_at, Some(at("2024-04-11T06:42:46Z")));
    assert_eq!(order.ship_by, Some(at("2024-04-09T14:00:00Z")));
    assert_eq!(order.totals.total.unwrap().to_string(), "32119 VND");
    assert_eq!(order.totals.shipping, None, "the channel's own estimate is not what the buyer pays");
    assert_eq!(order.buyer.reveal().name, "fake_buyer01");
    let party = order.destinations[0].recipient.reveal();
    assert_eq!((party.name.as_str(), party.phone.as_str()), ("", ""), "masked is withheld");
    let address = &party.address;
    assert_eq!((address.country.as_str(), address.region.as_str()), ("VN", "Bạc Liêu"));
    assert!(address.lines.is_empty());
    let line = &order.lines[0];
    assert_eq!(line.listing, ListingKey::option("23620853561", "221404189791"));
    assert_eq!(line.sku.as_ref().unwrap().as_str(), "QAZ-SADOER-05");
    assert_eq!((line.option_text.as_str(), line.quantity, line.shipped), ("60g（Papaya）", 1, 1));
    assert_eq!(line.unit_price.unwrap().to_string(), "300000 VND");
    assert_eq!(line.total.unwrap().to_string(), "48000 VND");
    assert_eq!(line.discount.unwrap().to_string(), "252000 VND");
    assert_eq!(line.unit, "OFG166300791210964");
    assert_eq!(order.tracking, [Tracking::new("5-Day Delivery (SPX)", "SPXVN01")]);
    assert!(order.raw.reveal().contains("\"2404098R48U37H\""));
}

#[tokio::test]
async fn the_sampled_waiting_order_is_read_field_by_field() {
    let mut shop = Shop::open().await;
    let known = fetched(&[ready("201218V2Y6E59M")]).await;
    shop.fails(DETAIL, 200, &sample("get_order_detail_ready_to_ship.response"), 1).await;
    let read = shop.channel.orders().read(&Context::new(), &[&known[0]]).await.unwrap();
    let Outcome::Done(order) = &read[0] else { panic!("{read:?}") };
    assert_eq!((order.status, order.cancel, order.holds.len()), (OrderStatus::New, CancelState::None, 0));
    assert_eq!(order.totals.total.unwrap().to_string(), "184.5 SGD");
    assert_eq!(order.memo.as_ref().unwrap().reveal(), "please pack well");
    let lines: Vec<_> = order
        .lines
        .iter()
        .map(|l| (l.id.as_str(), l.sku.as_ref().unwrap().as_str(), l.quantity, l.total.unwrap().to_string()))
        .collect();
    assert_eq!(
        lines,
        [
            ("2600144043", "BAG", 1, "90.0 SGD".to_owned()),
            ("2600144045", "TEE-BK-M", 2, "90.50 SGD".to_owned()),
        ]
    );
    assert_eq!(order.lines[0].listing, ListingKey::item("2600144043"));
    let party = order.destinations[0].recipient.reveal();
    assert_eq!((party.name.as_str(), party.phone.as_str()), ("Max Sample", "6580000000"));
    assert_eq!(party.address.lines, ["1 Fake Street, #01-01, Singapore, SG, 000001"]);
}

#[tokio::test]
async fn an_unknown_currency_leaves_amounts_out_and_keeps_the_order() {
    for (currency, expected) in [("\"TWD\"", Some("30.75 TWD")), ("\"GOLD\"", None), ("null", None)] {
        let order = &fetched(&[ready("11").replace("\"SGD\"", currency)]).await[0];
        assert_eq!(order.totals.total.map(|total| total.to_string()).as_deref(), expected);
        assert_eq!(order.lines[0].total.is_some(), expected.is_some());
    }
}

#[tokio::test]
async fn orders_are_read_together_and_one_that_is_left_out_is_asked_for_alone() {
    let mut shop = Shop::open().await;
    let known = fetched(&[ready("11"), ready("12"), ready("13")]).await;
    let rows = [plain("13", "SHIPPED", "LOGISTICS_PICKUP_DONE"), plain("11", "IN_CANCEL", "LOGISTICS_READY")];
    let all = shop.details("11,12,13", &rows, 1).await;
    let alone = shop.details("12", &[], 1).await;
    shop.packages("P13", &[], 1).await;
    let known: Vec<&Order> = known.iter().collect();
    let read = shop.channel.orders().read(&Context::new(), &known).await.unwrap();
    assert_eq!(words(&read), ["done", "refused", "done"]);
    let seen: Vec<_> = read
        .iter()
        .filter_map(|outcome| match outcome {
            Outcome::Done(order) => Some((order.status, order.cancel)),
            _ => None,
        })
        .collect();
    assert_eq!(seen, [(OrderStatus::New, CancelState::Requested), (OrderStatus::Shipped, CancelState::None)]);
    all.assert_async().await;
    alone.assert_async().await;
}

#[tokio::test]
async fn a_read_that_fails_is_never_a_refusal() {
    // A refusal would make the hub forget an order that it watches.
    let answers = [
        (200, error("error_server")),
        (200, error("error_param")),
        (200, error("error_data")),
        (200, error("error_permission")),
        (200, sample("error_rate_limit.response")),
        (200, "{}".to_owned()),
        (200, OK.to_owned()),
        (200, response("{}")),
        (200, "<html>".to_owned()),
        (200, response("null")),
        (400, String::new()),
        (404, String::new()),
        (409, String::new()),
        (500, sample("error_not_found.response")),
    ];
    let known = fetched(&[plain("11", "UNPAID", "LOGISTICS_NOT_START")]).await;
    for (status, body) in answers {
        let mut shop = Shop::open().await;
        shop.fails(DETAIL, status, &body, 1).await;
        let outcome = match shop.channel.orders().read(&Context::new(), &[&known[0]]).await {
            Ok(outcomes) => outcomes.into_iter().next().unwrap(),
            Err(error) => Outcome::from_error(&error),
        };
        assert_eq!(word(&outcome), "not tried", "{status} {body}");
    }
}

#[tokio::test]
async fn a_read_shows_the_numbers_of_arranged_packages_and_keeps_those_that_were_known() {
    let known = fetched(&[ready("11")]).await;
    let mut shop = Shop::open().await;
    let arranged = plain("11", "PROCESSED", "LOGISTICS_REQUEST_CREATED");
    shop.details("11", std::slice::from_ref(&arranged), 2).await;
    let number = r#"{"package_number":"P11","fulfillment_status":"LOGISTICS_REQUEST_CREATED","tracking_number":"SPXSG1"}"#;
    let first = shop.packages("P11", &[number], 1).await;
    let read = shop.channel.orders().read(&Context::new(), &[&known[0]]).await.unwrap();
    let Outcome::Done(order) = &read[0] else { panic!("{read:?}") };
    assert_eq!(
        (order.status, order.tracking.as_slice()),
        (OrderStatus::ReadyToShip, &[Tracking::new("SPX", "SPXSG1")][..])
    );
    first.assert_async().await;
    let later = shop.packages("P11", &[r#"{"package_number":"P11","tracking_number":""}"#], 1).await;
    let read = shop.channel.orders().read(&Context::new(), &[order]).await.unwrap();
    let Outcome::Done(order) = &read[0] else { panic!("{read:?}") };
    assert_eq!(order.tracking, [Tracking::new("SPX", "SPXSG1")]);
    later.assert_async().await;
}

#[tokio::test]
async fn a_shipment_that_the_order_does_not_show_yet_is_looked_up() {
    // After our own dispatch the hub has the order as shipped; the channel takes a moment.
    let mut known = fetched(&[ready("11")]).await;
    known[0].status = OrderStatus::Shipped;
    let mut shop = Shop::open().await;
    shop.details("11", &[ready("11")], 1).await;
    let arranging =
        r#"{"package_number":"P11","fulfillment_status":"LOGISTICS_READY","is_shipment_arranged":true}"#;
    let call = shop.packages("P11", &[arranging], 1).await;
    let read = shop.channel.orders().read(&Context::new(), &[&known[0]]).await.unwrap();
    let Outcome::Done(order) = &read[0] else { panic!("{read:?}") };
    assert_eq!(order.status, OrderStatus::ReadyToShip);
    call.assert_async().await;
}

/// What is offered for a package: pick-up and drop-off.
fn both() -> String {
    sample("get_shipping_parameter_pickup.response")
}

#[tokio::test]
async fn the_merchants_choice_is_sent_as_the_channel_offers_it_and_the_number_comes_back() {
    let order = &fetched(&[ready("201218V2Y6E59M")]).await[0];
    for (choice, expected) in [
        (
            HandOver::PickUp,
            r#"{"order_sn":"201218V2Y6E59M","pickup":{"address_id":234,"pickup_time_id":"1793606400_1"}}"#,
        ),
        (HandOver::DropOff, r#"{"order_sn":"201218V2Y6E59M","dropoff":{}}"#),
    ] {
        let mut shop = Shop::open().await;
        let mut mocks = Vec::new();
        mocks.push(shop.details("201218V2Y6E59M", &[ready("201218V2Y6E59M")], 1).await);
        mocks.push(shop.packages("P201218V2Y6E59M", &[], 1).await);
        // No package number: the order is not split, and an empty one is refused.
        mocks.push(shop.on(PARAMETER, &[("order_sn", "201218V2Y6E59M")], Matcher::Any, both(), 1).await);
        mocks.push(shop.on(SHIP, &[], json(expected), sample("ship_order.response"), 1).await);
        let number = [
            ("order_sn", "201218V2Y6E59M"),
            ("response_optional_fields", "first_mile_tracking_number,last_mile_tracking_number,plp_number"),
        ];
        mocks.push(shop.on(NUMBER, &number, Matcher::Any, sample("get_tracking_number.response"), 1).await);
        let done = shop.dispatch(&[parcel(order, None, &[], Some(choice))]).await.unwrap();
        let [Outcome::Done(done)] = done.as_slice() else { panic!("{done:?}") };
        assert_eq!(done.tracking, Some(Tracking::new("SPX", "MY200448706479IT")));
        assert_eq!((done.parcels.as_slice(), done.reread), (&["P201218V2Y6E59M".to_owned()][..], false));
        for mock in mocks {
            mock.assert_async().await;
        }
    }
    let dropoff: serde_json::Value =
        serde_json::from_str(&sample("ship_order_dropoff_empty.request")).unwrap();
    assert_eq!(dropoff, serde_json::json!({ "order_sn": "201218V2Y6E59M", "dropoff": {} }));
}

#[tokio::test]
async fn a_number_that_is_not_there_yet_is_read_later() {
    let orders = fetched(&[ready("11")]).await;
    for (status, body, attempts) in
        [(200, sample("get_tracking_number_not_yet.response"), 1), (500, String::new(), 2)]
    {
        let mut shop = Shop::open().await;
        shop.details("11", &[ready("11")], 1).await;
        shop.packages("P11", &[], 1).await;
        shop.fails(PARAMETER, 200, &both(), 1).await;
        shop.fails(SHIP, 200, OK, 1).await;
        let number = shop.fails(NUMBER, status, &body, attempts).await;
        let done = shop.dispatch(&[parcel(&orders[0], None, &[], Some(HandOver::DropOff))]).await.unwrap();
        let [Outcome::Done(done)] = done.as_slice() else { panic!("{done:?}") };
        assert!(done.tracking.is_none() && done.reread);
        number.assert_async().await;
    }
    assert_eq!(Shop::open().await.channel.dispatch().unwrap().repeat(), Repeat::ReadFirst);
}

#[tokio::test]
async fn the_sellers_own_carrier_takes_the_sellers_number() {
    let order = &fetched(&[ready("201218V2Y6E59M")]).await[0];
    let mut shop = Shop::open().await;
    shop.details("201218V2Y6E59M", &[ready("201218V2Y6E59M")], 1).await;
    shop.packages("P201218V2Y6E59M", &[], 1).await;
    shop.fails(PARAMETER, 200, &sample("get_shipping_parameter_non_integrated.response"), 1).await;
    let ship = shop.on(SHIP, &[], body("ship_order_non_integrated.request"), OK, 1).await;
    let number = shop.fails(NUMBER, 200, OK, 0).await;
    let tracking = Tracking::new("My carrier", " TRACK0000000001 ");
    let done = shop.dispatch(&[parcel(order, Some(&tracking), &[], None)]).await.unwrap();
    let [Outcome::Done(done)] = done.as_slice() else { panic!("{done:?}") };
    assert!(done.tracking.is_none(), "the parcel has its number");
    ship.assert_async().await;
    number.assert_async().await;
}

#[tokio::test]
async fn split_orders_go_package_by_package_with_their_numbers() {
    let two = |a: &str, b: &str| {
        row(
            "201218V2Y6E59M",
            "READY_TO_SHIP",
            &[&package("OFG134731496217591", a, &[CAPS]), &package("OFG2", b, &[MUGS])],
            r#","split_up":true"#,
        )
    };
    let (ready, done) = ("LOGISTICS_READY", "LOGISTICS_REQUEST_CREATED");
    let order = &fetched(&[two(ready, ready)]).await[0];
    let caps = [(LineId::from("11"), 2)];
    let mut shop = Shop::open().await;
    shop.details("201218V2Y6E59M", &[two(ready, ready)], 1).await;
    shop.packages("OFG134731496217591,OFG2", &[], 1).await;
    let query = [("order_sn", "201218V2Y6E59M"), ("package_number", "OFG134731496217591")];
    shop.on(PARAMETER, &query, Matcher::Any, both(), 1).await;
    let ship = shop.on(SHIP, &[], body("ship_order_pickup.request"), OK, 1).await;
    shop.fails(NUMBER, 200, &sample("get_tracking_number.response"), 1).await;
    let outcome = shop.dispatch(&[parcel(order, None, &caps, Some(HandOver::PickUp))]).await.unwrap();
    let [Outcome::Done(first)] = outcome.as_slice() else { panic!("{outcome:?}") };
    assert_eq!(first.parcels, ["OFG134731496217591"]);
    ship.assert_async().await;
    // The answer was lost, and the order read: nothing is sent again.
    let mut shop = Shop::open().await;
    shop.details("201218V2Y6E59M", &[two(done, ready)], 1).await;
    shop.packages("OFG2", &[], 2).await;
    let ship = shop.fails(SHIP, 200, OK, 0).await;
    let again = shop.dispatch(&[parcel(order, None, &caps, Some(HandOver::PickUp))]).await.unwrap();
    assert_eq!(words(&again), ["already"]);
    ship.assert_async().await;
}

#[tokio::test]
async fn a_whole_order_in_two_packages_takes_both_and_half_a_success_is_unknown() {
    let both_open = row(
        "11",
        "READY_TO_SHIP",
        &[&package("A", "LOGISTICS_READY", &[CAPS]), &package("B", "LOGISTICS_READY", &[MUGS])],
        "",
    );
    let order = &fetched(std::slice::from_ref(&both_open)).await[0];
    for (second, expected) in [
        (OK.to_owned(), "done"),
        (sample("ship_order_error.response"), "unknown"),
        (error(" logistics.package_already_shipped"), "done"),
    ] {
        let mut shop = Shop::open().await;
        shop.details("11", std::slice::from_ref(&both_open), 1).await;
        shop.packages("A,B", &[], 1).await;
        shop.fails(PARAMETER, 200, &both(), 2).await;
        let ship = |number: &str| {
            json(&format!(r#"{{"order_sn":"11","package_number":"{number}","dropoff":{{}}}}"#))
        };
        let first = shop.on(SHIP, &[], ship("A"), OK, 1).await;
        let last = shop.on(SHIP, &[], ship("B"), &second, 1).await;
        shop.fails(NUMBER, 200, &sample("get_tracking_number.response"), 1).await.expect_at_least(0);
        let done = match shop.dispatch(&[parcel(order, None, &[], Some(HandOver::DropOff))]).await {
            Ok(done) => done.into_iter().next().unwrap(),
            Err(error) => Outcome::from_error(&error),
        };
        assert_eq!(word(&done), expected, "{done:?}");
        first.assert_async().await;
        last.assert_async().await;
    }
    // One number can't be that of two packages.
    let mut shop = Shop::open().await;
    shop.details("11", std::slice::from_ref(&both_open), 1).await;
    shop.packages("A,B", &[], 1).await;
    shop.fails(PARAMETER, 200, &sample("get_shipping_parameter_non_integrated.response"), 2).await;
    let ship = shop.fails(SHIP, 200, OK, 0).await;
    let tracking = Tracking::new("own", "T1");
    let done = shop.dispatch(&[parcel(order, Some(&tracking), &[], None)]).await.unwrap();
    assert_eq!(words(&done), ["refused"]);
    ship.assert_async().await;
}

/// An order of one package, whose caps go alone.
async fn partial(split: (usize, &str), times: (usize, usize)) -> (Vec<String>, Shop) {
    let order = &fetched(&[ready("11")]).await[0];
    let mut shop = Shop::open().await;
    shop.details("11", &[ready("11")], 1).await;
    shop.packages("P11", &[r#"{"package_number":"P11","can_split_order":true}"#], 1).await;
    let whole = shop.on(PARAMETER, &[("order_sn", "11")], Matcher::Any, both(), 1).await;
    let expected = r#"{"order_sn":"11","package_list":[{"item_list":[{"item_id":1,"model_id":0,"order_item_id":1,"promotion_group_id":0}]},{"item_list":[{"item_id":2,"model_id":7,"order_item_id":2,"promotion_group_id":0}]}]}"#;
    let call = shop
        .mock(SPLIT, &[], json(expected))
        .with_status(split.0)
        .with_body(split.1)
        .expect(times.0)
        .create_async()
        .await;
    let query = [("order_sn", "11"), ("package_number", "NEW")];
    let parameter = shop.on(PARAMETER, &query, Matcher::Any, both(), times.1).await;
    let ship = shop
        .on(SHIP, &[], json(r#"{"order_sn":"11","package_number":"NEW","dropoff":{}}"#), OK, times.1)
        .await;
    shop.fails(NUMBER, 200, &sample("get_tracking_number.response"), 1).await.expect_at_least(0);
    let caps = [(LineId::from("11"), 2)];
    let done = match shop.dispatch(&[parcel(order, None, &caps, Some(HandOver::DropOff))]).await {
        Ok(done) => words(&done),
        Err(error) => vec![word(&Outcome::<()>::from_error(&error))],
    };
    for mock in [whole, call, parameter, ship] {
        mock.assert_async().await;
    }
    (done, shop)
}

#[tokio::test]
async fn a_part_of_an_order_is_split_off_with_all_items_and_its_package_found_by_what_is_in_it() {
    let answer = response(&format!(
        r#"{{"order_sn":"11","package_list":[{},{}]}}"#,
        package("REST", "", &[MUGS]),
        package("NEW", "", &[CAPS])
    ));
    assert_eq!(partial((200, &answer), (1, 1)).await.0, ["done"]);
}

#[tokio::test]
async fn a_split_of_unknown_outcome_is_neither_repeated_nor_taken_for_done() {
    for (status, answer, expected) in [
        (500, String::new(), "unknown"),
        (200, "<html>".to_owned(), "unknown"),
        (200, response(r#"{"package_list":[]}"#), "unknown"),
        (200, error("order.order_has_been_split"), "refused temporary"),
        (200, error("order.order_split_get_package_info_failed"), "refused temporary"),
        (200, error("order.order_cannot_split"), "refused order.order_cannot_split"),
    ] {
        assert_eq!(partial((status, &answer), (1, 0)).await.0, [expected], "{answer}");
    }
}

#[tokio::test]
async fn what_may_not_be_split_is_not() {
    let order = &fetched(&[ready("11")]).await[0];
    let mut shop = Shop::open().await;
    shop.details("11", &[ready("11")], 1).await;
    shop.packages("P11", &[r#"{"package_number":"P11","can_split_order":false}"#], 1).await;
    let split = shop.fails(SPLIT, 200, OK, 0).await;
    let caps = [(LineId::from("11"), 2)];
    let done = shop.dispatch(&[parcel(order, None, &caps, Some(HandOver::DropOff))]).await.unwrap();
    assert_eq!(words(&done), ["refused"]);
    split.assert_async().await;
}

#[tokio::test]
async fn the_order_is_read_before_it_is_shipped_and_what_has_changed_is_seen() {
    let order = &fetched(&[ready("11")]).await[0];
    let arranging =
        r#"{"package_number":"P11","fulfillment_status":"LOGISTICS_READY","is_shipment_arranged":true}"#;
    for (fresh, package, expected) in [
        (vec![plain("11", "IN_CANCEL", "LOGISTICS_READY")], "", "refused temporary"),
        (vec![plain("11", "CANCELLED", "LOGISTICS_INVALID")], "", "refused"),
        (vec![plain("11", "PROCESSED", "LOGISTICS_REQUEST_CREATED")], "", "already"),
        (vec![plain("11", "SHIPPED", "LOGISTICS_PICKUP_DONE")], "", "already"),
        (
            vec![row("11", "READY_TO_SHIP", &[&package_of("LOGISTICS_READY")], r#","booking_sn":"B1""#)],
            "",
            "refused temporary",
        ),
        (vec![ready("11")], arranging, "already"),
        (vec![], "", "refused"),
        (vec![r#"{"order_sn":"11"}"#.to_owned()], "", "not tried"),
    ] {
        let mut shop = Shop::open().await;
        shop.details("11", &fresh, 1).await;
        shop.packages(
            "P11",
            &[package].map(|p| p).iter().copied().filter(|p| !p.is_empty()).collect::<Vec<_>>(),
            1,
        )
        .await;
        let ship = shop.fails(SHIP, 200, OK, 0).await;
        let done = match shop.dispatch(&[parcel(order, None, &[], Some(HandOver::DropOff))]).await {
            Ok(done) => done.into_iter().next().unwrap(),
            Err(error) => Outcome::from_error(&error),
        };
        assert_eq!(word(&done), expected, "{fresh:?}");
        ship.assert_async().await;
    }
}

fn package_of(stage: &str) -> String {
    package("P11", stage, &[CAPS, MUGS])
}

#[tokio::test]
async fn hm_3_nothing_is_sent_without_a_choice_or_with_one_that_is_not_offered() {
    let order = &fetched(&[ready("11")]).await[0];
    for (choice, offered) in [
        (None, both()),
        (Some(HandOver::PickUp), sample("get_shipping_parameter_dropoff.response")),
        (Some(HandOver::DropOff), response(r#"{"info_needed":{"pickup":[]}}"#)),
        (Some(HandOver::DropOff), response(r#"{"info_needed":{"dropoff":["sender_real_name"]}}"#)),
    ] {
        let mut shop = Shop::open().await;
        shop.details("11", &[ready("11")], 1).await;
        shop.packages("P11", &[], 1).await;
        shop.fails(PARAMETER, 200, &offered, 1).await;
        let ship = shop.fails(SHIP, 200, OK, 0).await;
        let done = shop.dispatch(&[parcel(order, None, &[], choice)]).await.unwrap();
        assert_eq!(words(&done), ["refused"], "{offered}");
        ship.assert_async().await;
    }
    // An option of the merchant's answers what the order asks.
    let mut shop = Shop::open().await;
    shop.details("11", &[ready("11")], 1).await;
    shop.packages("P11", &[], 1).await;
    shop.fails(PARAMETER, 200, &sample("get_shipping_parameter_official.response"), 1).await;
    let ship = shop.on(SHIP, &[], json(r#"{"order_sn":"11","pickup":{"address_id":234}}"#), OK, 1).await;
    shop.fails(NUMBER, 200, &sample("get_tracking_number.response"), 1).await;
    let cx = settings(&[("pickup_address_id", " 234 ")]);
    let request = parcel(order, None, &[], Some(HandOver::PickUp));
    let done = shop.channel.dispatch().unwrap().dispatch(&cx, &[request]).await.unwrap();
    assert_eq!(words(&done), ["done"]);
    ship.assert_async().await;
}

#[tokio::test]
async fn every_refusal_of_a_shipment_has_its_outcome() {
    let order = &fetched(&[ready("11")]).await[0];
    for (answer, expected, calls) in [
        (sample("ship_order_error.response"), "refused logistics.ship_order_need_sender_real_name", 1),
        (error(" logistics.package_already_shipped"), "already", 1),
        (
            error("logistics.ship_order_not_ready_to_ship"),
            "refused logistics.ship_order_not_ready_to_ship temporary",
            1,
        ),
        (error("logistics.error_booking_order"), "refused logistics.error_booking_order", 1),
        (
            error("logistics.ship_order_need_pacakge_number"),
            "refused logistics.ship_order_need_pacakge_number temporary",
            1,
        ),
        // A lock: nothing was done, so that it goes again at once.
        (
            error("logistics.logistic_order_is_locked_on_creating"),
            "refused logistics.logistic_order_is_locked_on_creating temporary",
            2,
        ),
        (error("logistics.error_timeout"), "unknown", 1),
    ] {
        let mut shop = Shop::open().await;
        shop.details("11", &[ready("11")], 1).await;
        shop.packages("P11", &[], 1).await;
        shop.fails(PARAMETER, 200, &both(), 1).await;
        let ship = shop.fails(SHIP, 200, &answer, calls).await;
        let done = match shop.dispatch(&[parcel(order, None, &[], Some(HandOver::DropOff))]).await {
            Ok(done) => done.into_iter().next().unwrap(),
            Err(error) => Outcome::from_error(&error),
        };
        assert_eq!(word(&done), expected, "{answer}");
        ship.assert_async().await;
    }
}

#[tokio::test]
async fn one_refused_order_blocks_no_other_and_a_second_parcel_of_an_order_waits() {
    let orders = fetched(&[ready("11"), ready("12")]).await;
    let mut shop = Shop::open().await;
    shop.details("11,12", &[ready("11"), ready("12")], 1).await;
    shop.packages("P11,P12", &[], 1).await;
    shop.fails(PARAMETER, 200, &both(), 2).await;
    shop.on(SHIP, &[], json(r#"{"order_sn":"11","dropoff":{}}"#), error("logistics.error_booking_order"), 1)
        .await;
    shop.on(SHIP, &[], json(r#"{"order_sn":"12","dropoff":{}}"#), OK, 1).await;
    shop.fails(NUMBER, 200, &sample("get_tracking_number.response"), 1).await;
    let off = Some(HandOver::DropOff);
    let requests = [&orders[0], &orders[1], &orders[0]].map(|order| parcel(order, None, &[], off));
    let done = shop.dispatch(&requests).await.unwrap();
    assert_eq!(words(&done), ["refused logistics.error_booking_order", "done", "not tried"]);
}

/// Answers of every kind to any call: kind, repeat, and whether a change may have been made.
const LADDER: &[(usize, &str, ErrorKind, Retry, bool)] = &[
    (200, "<html>maintenance</html>", ErrorKind::MalformedResponse, Retry::Later, true),
    (200, "", ErrorKind::MalformedResponse, Retry::Later, true),
    (200, r#"{"error":"","response":{"or"#, ErrorKind::MalformedResponse, Retry::Later, true),
    (200, r#"{"message":"Success"}"#, ErrorKind::MalformedResponse, Retry::Later, true),
    (200, "[]", ErrorKind::MalformedResponse, Retry::Later, true),
    (200, r#"{"error":"error_server","message":"x"}"#, ErrorKind::Unavailable, Retry::Later, true),
    (200, r#"{"error":"error_rate_limit","message":"x"}"#, ErrorKind::RateLimited, Retry::Later, false),
    (200, r#"{"error":"error_api_permission","message":"x"}"#, ErrorKind::Forbidden, Retry::Never, false),
    (403, r#"{"error":"error_sign","message":"x"}"#, ErrorKind::Unauthorized, Retry::Never, false),
    (302, "", ErrorKind::MalformedResponse, Retry::Never, false),
    (401, "", ErrorKind::Unauthorized, Retry::Never, false),
    (403, "", ErrorKind::Forbidden, Retry::Never, false),
    (404, "<html>404</html>", ErrorKind::Configuration, Retry::Never, false),
    (408, "", ErrorKind::TimedOut, Retry::Later, true),
    (429, "", ErrorKind::RateLimited, Retry::Later, false),
    (429, r#"{"error":"slow"}"#, ErrorKind::RateLimited, Retry::Later, false),
    (500, "<html>error</html>", ErrorKind::Unavailable, Retry::Later, true),
    (502, "<html>bad gateway</html>", ErrorKind::Unavailable, Retry::Later, true),
    (503, "", ErrorKind::Unavailable, Retry::Later, true),
];

#[tokio::test]
async fn every_broken_answer_to_a_fetch_has_its_kind() {
    for (status, body, kind, retry, _) in LADDER {
        let mut shop = Shop::open().await;
        let attempts = if *retry == Retry::Later { 2 } else { 1 };
        let call = shop.fails(LIST, *status, body, attempts).await;
        let error = shop.fetch(FROM, TO).await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (*kind, *retry), "{status} {body}");
        assert!(!error.outcome_unknown());
        assert!(error.to_string().contains("shopee/shop-1: fetch_orders"), "{error}");
        call.assert_async().await;
    }
}

#[tokio::test]
async fn a_list_that_may_not_end_ahead_of_our_clock_ends_now() {
    let mut shop = Shop::open().await;
    let ahead = shop.list(WINDOW.0, WINDOW.1, sample("error_time_window.response"), 1).await;
    let now = shop.list(WINDOW.0, at(NOW).timestamp(), list(&["11"], "READY_TO_SHIP", false, ""), 1).await;
    shop.details("11", &[ready("11")], 1).await;
    assert_eq!(ids(&shop.fetch(FROM, TO).await.unwrap()), ["11"]);
    ahead.assert_async().await;
    now.assert_async().await;
    let mut shop = Shop::open().await;
    let refused = shop.fails(LIST, 200, &sample("error_time_window.response"), 2).await;
    let error = shop.fetch(FROM, TO).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::InvalidInput, Some("order.order_list_invalid_time"))
    );
    refused.assert_async().await;
}

#[tokio::test]
async fn a_dispatch_that_may_have_been_made_is_never_sent_twice() {
    let orders = fetched(&[ready("11")]).await;
    for (status, body, kind, retry, unknown) in LADDER {
        let mut shop = Shop::open().await;
        shop.details("11", &[ready("11")], 1).await;
        shop.packages("P11", &[], 1).await;
        shop.fails(PARAMETER, 200, &both(), 1).await;
        let attempts = if *retry == Retry::Later && !unknown { 2 } else { 1 };
        let call = shop.fails(SHIP, *status, body, attempts).await;
        let error =
            shop.dispatch(&[parcel(&orders[0], None, &[], Some(HandOver::DropOff))]).await.unwrap_err();
        let seen = (error.kind(), error.retry(), error.outcome_unknown());
        assert_eq!(seen, (*kind, *retry, *unknown), "{status} {body}");
        call.assert_async().await;
    }
}

#[tokio::test]
async fn a_retry_after_is_obeyed_and_the_daily_quota_waits_for_midnight_in_singapore() {
    let mut shop = Shop::open().await;
    shop.mock(LIST, &list_query(WINDOW.0, WINDOW.1).each(), Matcher::Any)
        .with_status(429)
        .with_header("retry-after", "3600")
        .with_body(sample("error_rate_limit.response"))
        .expect(1)
        .create_async()
        .await;
    let limited = shop.fetch(FROM, TO).await.unwrap_err();
    assert_eq!(
        (limited.kind(), limited.retry_after()),
        (ErrorKind::RateLimited, Some(Duration::from_secs(3600)))
    );
    let mut shop = Shop::open().await;
    shop.fails(LIST, 200, &error("error_limit"), 1).await;
    let quota = shop.fetch(FROM, TO).await.unwrap_err();
    // 10:00 UTC is 18:00 there.
    assert_eq!(
        (quota.kind(), quota.retry_after()),
        (ErrorKind::RateLimited, Some(Duration::from_secs(6 * 3600)))
    );
}

fn set(listing: &ListingKey, quantity: u32) -> StockChange<'_> {
    static NO_DATA: std::sync::LazyLock<ChannelData> = std::sync::LazyLock::new(ChannelData::default);
    StockChange::new(listing, &NO_DATA, quantity)
}

async fn no_warehouses(shop: &mut Shop, times: usize) -> mockito::Mock {
    shop.on(
        WAREHOUSES,
        &[("warehouse_type", "1")],
        Matcher::Any,
        error("warehouse.error_not_in_whitelist"),
        times,
    )
    .await
}

fn warehouses(ids: &[&str]) -> String {
    let rows: Vec<String> =
        ids.iter().map(|id| format!(r#"{{"warehouse_id":6,"location_id":"{id}"}}"#)).collect();
    response(&format!("[{}]", rows.join(",")))
}

#[tokio::test]
async fn quantities_go_item_by_item_with_all_their_models_and_no_location() {
    let mut shop = Shop::open().await;
    // Once, however often stock is set.
    let places = no_warehouses(&mut shop, 1).await;
    let keys = [
        ListingKey::option("2600144044", "10000605797"),
        ListingKey::item("5"),
        ListingKey::option("2600144044", "10000605798"),
    ];
    let tee = shop.on(STOCK, &[], body("update_stock.request"), sample("update_stock.response"), 1).await;
    let plain = json(r#"{"item_id":5,"stock_list":[{"model_id":0,"seller_stock":[{"stock":3}]}]}"#);
    let plain = shop
        .on(
            STOCK,
            &[],
            plain,
            response(r#"{"success_list":[{"model_id":0,"stock":3}],"failure_list":[]}"#),
            2,
        )
        .await;
    let stock = shop.channel.stock().unwrap();
    let changes = [set(&keys[0], 12), set(&keys[1], 3), set(&keys[2], 0)];
    let done = stock.set_stock(&Context::new(), &changes).await.unwrap();
    assert_eq!(words(&done), ["done", "done", "done"]);
    let taken: Vec<u32> = done
        .iter()
        .map(|outcome| if let Outcome::Done(taken) = outcome { taken.quantity } else { 99 })
        .collect();
    assert_eq!(taken, [12, 3, 0]);
    stock.set_stock(&Context::new(), &[set(&keys[1], 3)]).await.unwrap();
    for mock in [places, tee, plain] {
        mock.assert_async().await;
    }
}

#[tokio::test]
async fn a_shop_with_one_location_names_it_and_one_with_several_leaves_no_old_stock_beside_it() {
    let key = ListingKey::item("2500139861");
    let mut shop = Shop::open().await;
    shop.on(WAREHOUSES, &[("warehouse_type", "1")], Matcher::Any, warehouses(&["SGZ", "SGZ"]), 1).await;
    let taken =
        response(r#"{"success_list":[{"model_id":0,"location_id":"SGZ","stock":7}],"failure_list":[]}"#);
    let call = shop.on(STOCK, &[], body("update_stock_no_model_location.request"), taken, 1).await;
    let done = shop.channel.stock().unwrap().set_stock(&Context::new(), &[set(&key, 7)]).await.unwrap();
    assert_eq!(words(&done), ["done"]);
    call.assert_async().await;

    let held = r#"{"item_list":[{"item_id":2500139861,"has_model":false,"stock_info_v2":{"seller_stock":[{"location_id":"A","stock":2},{"location_id":"B","stock":"4"}]}}]}"#;
    for (chosen, sent, told) in [
        ("A", r#"[{"location_id":"B","stock":4},{"location_id":"A","stock":6}]"#, "done"),
        ("C", "", "refused"),
        ("", "", "refused"),
    ] {
        let mut shop = Shop::open().await;
        shop.on(WAREHOUSES, &[("warehouse_type", "1")], Matcher::Any, warehouses(&["A", "B"]), 1).await;
        shop.on(INFO, &[("item_id_list", "2500139861")], Matcher::Any, response(held), 1).await;
        let taken = r#"{"success_list":[{"model_id":0,"location_id":"A","stock":6},{"model_id":0,"location_id":"B","stock":4}],"failure_list":[]}"#;
        let sent_body =
            format!(r#"{{"item_id":2500139861,"stock_list":[{{"model_id":0,"seller_stock":{sent}}}]}}"#);
        let call = shop.on(STOCK, &[], json(&sent_body), response(taken), usize::from(told == "done")).await;
        let cx = settings(&[("stock_location_id", chosen)]);
        let done = shop.channel.stock().unwrap().set_stock(&cx, &[set(&key, 10)]).await.unwrap();
        assert_eq!(words(&done), [told], "{chosen}");
        call.assert_async().await;
    }
}

#[tokio::test]
async fn models_that_failed_are_told_by_id_and_one_that_spoils_a_call_blocks_no_other() {
    let keys = [
        ListingKey::option("1", "21"),
        ListingKey::option("1", "22"),
        ListingKey::item("x"),
        ListingKey::option("1", "21"),
    ];
    let mut shop = Shop::open().await;
    no_warehouses(&mut shop, 1).await;
    let answer = r#"{"error":"error_busi_update_stock_failed","message":"m","request_id":"r","response":{"success_list":[{"model_id":22,"stock":2}],"failure_list":[{"model_id":21,"failed_reason":"Stock should be larger than reserved stock."}]}}"#;
    shop.on(STOCK, &[], Matcher::Any, answer, 1).await;
    let changes = [set(&keys[0], 1), set(&keys[1], 2), set(&keys[2], 3), set(&keys[3], 9)];
    let done = shop.channel.stock().unwrap().set_stock(&Context::new(), &changes).await.unwrap();
    assert_eq!(words(&done), ["refused error_busi_update_stock_failed", "done", "refused", "not tried"]);

    let mut shop = Shop::open().await;
    no_warehouses(&mut shop, 1).await;
    let one = |model: u32, n: u32| {
        json(&format!(
            r#"{{"item_id":1,"stock_list":[{{"model_id":{model},"seller_stock":[{{"stock":{n}}}]}}]}}"#
        ))
    };
    shop.on(STOCK, &[], Matcher::Regex(r#"21.*22"#.to_owned()), error("error_param"), 1).await;
    shop.on(STOCK, &[], one(21, 1), error("error_param"), 1).await;
    shop.on(STOCK, &[], one(22, 2), response(r#"{"success_list":[{"model_id":22,"stock":2}]}"#), 1).await;
    let done = shop.channel.stock().unwrap().set_stock(&Context::new(), &changes[..2]).await.unwrap();
    assert_eq!(words(&done), ["refused error_param", "done"]);
}

#[tokio::test]
async fn a_lost_stock_call_is_repeated_because_quantities_are_absolute() {
    let key = ListingKey::item("1");
    for (status, body) in [(502, ""), (200, "<html>")] {
        let mut shop = Shop::open().await;
        no_warehouses(&mut shop, 1).await;
        let lost = shop.fails(STOCK, status, body, 2).await;
        let error =
            shop.channel.stock().unwrap().set_stock(&Context::new(), &[set(&key, 1)]).await.unwrap_err();
        assert!(error.outcome_unknown());
        lost.assert_async().await;
    }
    let mut shop = Shop::open().await;
    no_warehouses(&mut shop, 1).await;
    shop.fails(STOCK, 200, OK, 1).await;
    let error = shop.channel.stock().unwrap().set_stock(&Context::new(), &[set(&key, 1)]).await.unwrap_err();
    assert!(error.outcome_unknown(), "a success that tells nothing of the model");
}

#[tokio::test]
async fn the_quantities_that_the_seller_offers_are_read_over_all_locations() {
    let mut shop = Shop::open().await;
    let query = [("item_id_list", "2500139861,2600144044,9")];
    shop.on(INFO, &query, Matcher::Any, sample("get_item_base_info.response"), 1).await;
    shop.on(MODELS, &[("item_id", "2600144044")], Matcher::Any, sample("get_model_list.response"), 1).await;
    shop.on(MODELS, &[("item_id", "8")], Matcher::Any, error("error_item_not_found"), 1).await;
    let keys = [
        ListingKey::item("2500139861"),
        ListingKey::option("2600144044", "10000605797"),
        ListingKey::option("2600144044", "1"),
        ListingKey::item("2600144044"),
        ListingKey::item("9"),
        ListingKey::option("8", "1"),
    ];
    let read = shop.channel.stock().unwrap().read_stock(&Context::new(), &keys).await.unwrap();
    assert_eq!(
        words(&read),
        ["done", "done", "refused", "refused", "refused", "refused error_item_not_found"]
    );
    let shown: Vec<u32> = read
        .iter()
        .filter_map(|o| if let Outcome::Done(shown) = o { Some(shown.quantity) } else { None })
        .collect();
    assert_eq!(shown, [10, 5], "what is reserved for a promotion is on offer too");
}

fn items_query(offset: &'static str) -> Vec<(&'static str, &'static str)> {
    let mut query = vec![("offset", offset), ("page_size", "50")];
    query.extend(["NORMAL", "UNLIST", "REVIEWING", "BANNED"].map(|state| ("item_status", state)));
    query
}

#[tokio::test]
async fn listings_are_items_or_their_models_page_by_page() {
    let mut shop = Shop::open().await;
    let first = shop.on(ITEMS, &items_query("0"), Matcher::Any, sample("get_item_list.response"), 1).await;
    let rest = r#"{"item":[{"item_id":2600144044},{"item_id":7}],"has_next_page":false,"next_offset":0}"#;
    let second = shop.on(ITEMS, &items_query("10"), Matcher::Any, response(rest), 1).await;
    shop.on(
        INFO,
        &[("item_id_list", "2500139861")],
        Matcher::Any,
        sample("get_item_base_info.response")
            .replace("2600144044", "2500139862")
            .replace("\"has_model\": true", "\"has_model\": false"),
        1,
    )
    .await;
    let info = r#"{"item_list":[{"item_id":2600144044,"item_name":"Tシャツ 👕","item_status":"UNLIST","has_model":true}]}"#;
    shop.on(INFO, &[("item_id_list", "2600144044,7")], Matcher::Any, response(info), 1).await;
    shop.on(MODELS, &[("item_id", "2600144044")], Matcher::Any, sample("get_model_list.response"), 1).await;
    let mut listings = Vec::new();
    let mut cursor = None;
    loop {
        let page = shop.channel.listings().unwrap().list(&Context::new(), cursor.as_ref()).await.unwrap();
        listings.extend(page.listings);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    let seen: Vec<_> = listings
        .iter()
        .map(|l| {
            (l.key.to_string(), l.sku.as_ref().map(|s| s.as_str()), l.title.as_str(), l.state, l.quantity)
        })
        .collect();
    assert_eq!(
        seen[0],
        ("2500139861".to_owned(), Some("BAG"), "Canvas backpack", ListingState::OnSale, Some(10))
    );
    assert_eq!(
        seen[2..],
        [
            (
                "2600144044/10000605797".to_owned(),
                Some("TEE-BK-M"),
                "Tシャツ 👕 (Black, M)",
                ListingState::Stopped,
                Some(5)
            ),
            (
                "2600144044/10000605798".to_owned(),
                None,
                "Tシャツ 👕 (White, L)",
                ListingState::Stopped,
                Some(0)
            ),
        ]
    );
    first.assert_async().await;
    second.assert_async().await;
}

#[tokio::test]
async fn open_cancel_requests_are_listed_with_the_buyers_reason() {
    let mut shop = Shop::open().await;
    let query = list_query(WINDOW.0, WINDOW.1).with("order_status", "IN_CANCEL");
    let call =
        shop.on(LIST, &query.each(), Matcher::Any, list(&["11", "12"], "IN_CANCEL", false, ""), 1).await;
    let asks = row("11", "IN_CANCEL", &[], r#","buyer_cancel_reason":"要らなくなった 🙏""#);
    // Taken back between the two calls.
    shop.details("11,12", &[asks, ready("12")], 1).await;
    let window = Window::new(at(FROM), at(TO));
    let page = shop.channel.cancellations().unwrap().requests(&Context::new(), window, None).await.unwrap();
    let seen: Vec<_> =
        page.requests.iter().map(|r| (r.order.as_str(), r.open, r.reason.reveal().as_str())).collect();
    assert_eq!(seen, [("11", true, "要らなくなった 🙏"), ("12", false, "")]);
    assert!(page.next.is_none() && page.unreadable.is_empty());
    call.assert_async().await;
}

fn decision(order: &Order, action: CancelAction, reason: CancelReason) -> CancelDecision<'_> {
    CancelDecision { order, action, reason, memo: None }
}

#[tokio::test]
async fn requests_are_decided_and_sellers_cancel_in_the_channels_words() {
    let orders = fetched(&[ready("201016F6B94MQK")]).await;
    let sold_out = fetched(&[ready("201020SQQ5K2EP")
        .replace("\"item_id\":1,", "\"item_id\":1680783,")
        .replace("\"model_id\":0", "\"model_id\":327890123")
        .replace(r#""item_id":2,"item_name""#, r#""item_id":1680783,"item_name""#)
        .replace("\"model_id\":7", "\"model_id\":327890123")])
    .await;
    let answer = || sample("handle_buyer_cancellation.response");
    for (order, action, reason, call, sent, answer) in [
        (
            &orders[0],
            CancelAction::Accept,
            CancelReason::BuyerRequest,
            DECIDE,
            body("handle_buyer_cancellation.request"),
            answer(),
        ),
        (
            &orders[0],
            CancelAction::Refuse,
            CancelReason::BuyerRequest,
            DECIDE,
            json(r#"{"operation":"REJECT","order_sn":"201016F6B94MQK"}"#),
            answer(),
        ),
        (
            &sold_out[0],
            CancelAction::CancelBySeller,
            CancelReason::OutOfStock,
            CANCEL,
            body("cancel_order.request"),
            sample("cancel_order.response"),
        ),
        (
            &orders[0],
            CancelAction::CancelBySeller,
            CancelReason::BuyerRequest,
            CANCEL,
            json(r#"{"order_sn":"201016F6B94MQK","cancel_reason":"CUSTOMER_REQUEST"}"#),
            sample("cancel_order.response"),
        ),
    ] {
        let mut shop = Shop::open().await;
        let call = shop.on(call, &[], sent, answer, 1).await;
        let decisions = [decision(order, action, reason)];
        let done = shop.channel.cancellations().unwrap().decide(&Context::new(), &decisions).await.unwrap();
        assert_eq!(words(&done), ["done"]);
        call.assert_async().await;
    }
    let mut shop = Shop::open().await;
    let sent = shop.fails(CANCEL, 200, OK, 0).await;
    let decisions = [decision(&orders[0], CancelAction::CancelBySeller, CancelReason::Delay)];
    let done = shop.channel.cancellations().unwrap().decide(&Context::new(), &decisions).await.unwrap();
    assert_eq!(words(&done), ["refused"], "the channel has no such reason");
    sent.assert_async().await;
}

#[tokio::test]
async fn a_request_that_is_not_open_is_settled_by_reading_the_order_and_a_lost_answer_by_nobody() {
    let orders = fetched(&[ready("11")]).await;
    for (action, now, expected) in [
        (CancelAction::Accept, "CANCELLED", "already"),
        (CancelAction::CancelBySeller, "CANCELLED", "already"),
        (CancelAction::Accept, "READY_TO_SHIP", "refused order.order_status_invalid"),
        (CancelAction::Refuse, "CANCELLED", "refused order.order_status_invalid"),
    ] {
        let mut shop = Shop::open().await;
        let call = if action == CancelAction::CancelBySeller { CANCEL } else { DECIDE };
        shop.fails(call, 200, &error("order.order_status_invalid"), 1).await;
        shop.fails(DETAIL, 200, &details(&[plain("11", now, "LOGISTICS_READY")]), 1).await.expect_at_least(0);
        let decisions = [decision(&orders[0], action, CancelReason::BuyerRequest)];
        let done = shop.channel.cancellations().unwrap().decide(&Context::new(), &decisions).await.unwrap();
        assert_eq!(words(&done), [expected], "{action:?} {now}");
    }
    let mut shop = Shop::open().await;
    let lost = shop.fails(DECIDE, 502, "", 1).await;
    let decisions = [decision(&orders[0], CancelAction::Accept, CancelReason::BuyerRequest)];
    let error = shop.channel.cancellations().unwrap().decide(&Context::new(), &decisions).await.unwrap_err();
    assert!(error.outcome_unknown());
    lost.assert_async().await;
}

fn refresh_body() -> Matcher {
    json(&format!(r#"{{"refresh_token":"{REFRESH}","partner_id":{PARTNER},"shop_id":{SHOP}}}"#))
}

const NEW_TOKENS: &str = r#"{"error":"","message":"","request_id":"r","partner_id":2001887,"shop_id":322300222,"access_token":"new-access-token","refresh_token":"new-refresh-token","expire_in":14400}"#;

impl Shop {
    async fn renewal(&mut self, answer: &str, times: usize) -> mockito::Mock {
        self.mock_as(REFRESHING, &[], refresh_body(), None)
            .with_body(answer)
            .expect(times)
            .create_async()
            .await
    }
}

#[tokio::test]
async fn a_token_that_is_refused_is_renewed_once_for_all_callers_and_saved_first() {
    for refusal in [
        sample("error_invalid_token.response"),
        r#"{"error":"error_auth","message":"Invalid access_token."}"#.to_owned(),
    ] {
        let vault = Arc::new(MemoryVault::default());
        let expiring = credentials().expiring(at("2027-01-01T00:00:00Z"));
        let mut shop = Shop::with(expiring, Some(vault.clone())).await;
        let query = list_query(WINDOW.0, WINDOW.1);
        let old = shop
            .mock(LIST, &query.each(), Matcher::Any)
            .with_status(403)
            .with_body(refusal)
            .expect(2)
            .create_async()
            .await;
        let renewal = shop.renewal(NEW_TOKENS, 1).await;
        let new = shop
            .mock_as(LIST, &query.each(), Matcher::Any, Some("new-access-token"))
            .with_body(list(&[], "", false, ""))
            .expect(2)
            .create_async()
            .await;
        let (one, two) = tokio::join!(shop.fetch(FROM, TO), shop.fetch(FROM, TO));
        assert!(one.unwrap().is_empty() && two.unwrap().is_empty());
        for mock in [old, renewal, new] {
            mock.assert_async().await;
        }
        let saved = vault.load(&"shop-1".into()).await.unwrap().unwrap();
        let part = |name: &str| saved.get(name).unwrap().expose().to_owned();
        assert_eq!(
            (part(ACCESS_TOKEN).as_str(), part(REFRESH_TOKEN).as_str()),
            ("new-access-token", "new-refresh-token")
        );
        assert_eq!(part(ACCESS_TOKEN_ENDS), "2026-11-20T14:00:00+00:00");
        assert_eq!(saved.expires_at, Some(at("2027-01-01T00:00:00Z")), "the authorisation ends when it did");
        assert_eq!(part(SHOP_ID), SHOP, "the other parts stay");
    }
}

#[tokio::test]
async fn the_renewal_is_sent_as_the_official_sample_shows() {
    let mut server = mockito::Server::new_async().await;
    let credentials = Credentials::new()
        .with(PARTNER_ID, PARTNER)
        .with(PARTNER_KEY, KEY)
        .with(SHOP_ID, SHOP)
        .with(ACCESS_TOKEN, TOKEN)
        .with(REFRESH_TOKEN, "4c7259534969484e71734d695a6e6d55")
        .with(ACCESS_TOKEN_ENDS, "2026-11-20T09:00:00Z");
    let call = server
        .mock("POST", Matcher::Regex("^/api/v2/auth/access_token/get[?]".to_owned()))
        .match_body(body("token_refresh.request"))
        .with_body(sample("token_refresh.response"))
        .expect(1)
        .create_async()
        .await;
    server
        .mock("GET", "/api/v2/shop/get_shop_info")
        .match_query(Matcher::UrlEncoded("access_token".into(), "71594a4c54537649697341796363674a".into()))
        .with_body(sample("get_shop_info.response"))
        .create_async()
        .await;
    let channel = Shopee::new(&client(), "shop-1", &credentials, config(&server)).unwrap();
    let ends = channel.credentials().unwrap().expiry(&Context::new()).await.unwrap();
    assert_eq!(ends, Some(at("2026-03-14T15:59:59Z")));
    call.assert_async().await;
}

#[tokio::test]
async fn a_token_that_is_refused_after_its_renewal_is_the_end() {
    let mut shop = Shop::open().await;
    let refused = shop.fails(LIST, 200, &sample("error_invalid_token.response"), 2).await;
    let renewal = shop.renewal(NEW_TOKENS, 1).await;
    assert_eq!(shop.fetch(FROM, TO).await.unwrap_err().kind(), ErrorKind::Unauthorized);
    refused.assert_async().await;
    renewal.assert_async().await;
}

#[tokio::test]
async fn an_authorisation_that_has_ended_spends_no_refresh_token() {
    for code in ["shop_access_expired", "shop_no_linked", "error_partner_key_expired"] {
        let mut shop = Shop::open().await;
        shop.fails(LIST, 200, &error(code), 1).await;
        let renewal = shop.fails(REFRESHING, 200, NEW_TOKENS, 0).await;
        let error = shop.fetch(FROM, TO).await.unwrap_err();
        assert_eq!((error.kind(), error.code()), (ErrorKind::CredentialExpired, Some(code)));
        renewal.assert_async().await;
    }
}

#[tokio::test]
async fn a_refused_token_lets_a_dispatch_go_again_because_nothing_was_done() {
    let orders = fetched(&[ready("11")]).await;
    let mut shop = Shop::open().await;
    shop.details("11", &[ready("11")], 1).await;
    shop.packages("P11", &[], 1).await;
    shop.fails(PARAMETER, 200, &both(), 1).await;
    let first = shop.on(SHIP, &[], Matcher::Any, sample("error_invalid_token.response"), 1).await;
    shop.renewal(NEW_TOKENS, 1).await;
    let second = shop
        .mock_as(SHIP, &[], json(r#"{"order_sn":"11","dropoff":{}}"#), Some("new-access-token"))
        .with_body(OK)
        .expect(1)
        .create_async()
        .await;
    shop.fails(NUMBER, 200, &sample("get_tracking_number.response"), 1).await;
    let done = shop.dispatch(&[parcel(&orders[0], None, &[], Some(HandOver::DropOff))]).await.unwrap();
    assert_eq!(words(&done), ["done"]);
    first.assert_async().await;
    second.assert_async().await;
}

#[tokio::test]
async fn a_token_about_to_end_is_renewed_before_the_call() {
    let ends = |minutes: i64| {
        credentials().with(ACCESS_TOKEN_ENDS, (at(NOW) + TimeDelta::minutes(minutes)).to_rfc3339())
    };
    for (minutes, renewals) in [(60, 0), (10, 1), (-10, 1)] {
        let mut shop = Shop::with(ends(minutes), None).await;
        let renewal = shop.renewal(NEW_TOKENS, renewals).await;
        shop.fails(LIST, 200, &list(&[], "", false, ""), 2).await;
        for _ in 0..2 {
            shop.fetch(FROM, TO).await.unwrap();
        }
        renewal.assert_async().await;
    }
    // While the old one still works, a renewal that fails keeps nothing from being done.
    for (minutes, kind) in [(10, None), (-10, Some(ErrorKind::Unavailable))] {
        let mut shop = Shop::with(ends(minutes), None).await;
        let renewal = shop.fails(REFRESHING, 503, "", 1).await;
        shop.fails(LIST, 200, &list(&[], "", false, ""), 1).await;
        let answer = shop.fetch(FROM, TO).await.map_err(|error| {
            assert!(!error.outcome_unknown(), "the shop was not touched");
            error.kind()
        });
        assert_eq!(answer.err(), kind);
        renewal.assert_async().await;
    }
}

#[tokio::test]
async fn a_refresh_token_that_has_ended_asks_for_a_new_authorisation_and_tells_no_secret() {
    for answer in [
        sample("token_refresh_error.response"),
        error("refresh_token_expired"),
        error("error_shop_refresh_token"),
        format!(r#"{{"error":"error_param","message":"bad {REFRESH} of {KEY} {TOKEN}"}}"#),
    ] {
        let mut shop = Shop::open().await;
        shop.fails(LIST, 200, &sample("error_invalid_token.response"), 1).await;
        shop.renewal(&answer, 1).await;
        let error = shop.fetch(FROM, TO).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::CredentialExpired, "{answer}");
        for secret in [KEY, REFRESH, TOKEN] {
            assert!(!format!("{error} {error:?}").contains(secret));
        }
    }
}

#[tokio::test]
async fn a_shop_is_connected_by_link_and_code() {
    let link =
        authorize_link(&Config::brazil().unwrap(), "2001887", "https://hub.example/back?a=1", "x y").unwrap();
    assert_eq!(
        link.as_str(),
        "https://open.shopee.com.br/auth?partner_id=2001887&auth_type=seller&redirect_uri=https%3A%2F%2Fhub.example%2Fback%3Fa%3D1&response_type=code&state=x+y"
    );
    for (partner, uri, state) in [("x", "https://a", "s"), ("1", " ", "s"), ("1", "https://a", " ")] {
        let error = authorize_link(&Config::china().unwrap(), partner, uri, state).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }
    let mut server = mockito::Server::new_async().await;
    let call = server
        .mock(
            "POST",
            Matcher::Regex(
                "^/api/v2/auth/token/get[?]partner_id=1001141&timestamp=1795168800&sign=[0-9a-f]{64}$"
                    .to_owned(),
            ),
        )
        .match_header("content-type", "application/json")
        .match_body(body("token_get.request"))
        .with_body(sample("token_get.response"))
        .expect(1)
        .create_async()
        .await;
    let (config, cx, code) =
        (config(&server), Context::new(), Secret::from(" 5a5477794a55537954697169514f4653 "));
    let granted =
        exchange_code(&client(), &cx, &config, "s", "1001141", &KEY.into(), Code::Shop(&code, "368765100"))
            .await
            .unwrap();
    assert_eq!(granted.shops, ["368765100", "368765098", "368765097"]);
    assert!(!format!("{granted:?}").contains("6b5a46716e474d6f6e59777659459849"));
    let credentials = granted.credentials("368765098");
    assert_eq!(credentials.get(SHOP_ID).map(Secret::expose), Some("368765098"));
    assert_eq!(credentials.get(REFRESH_TOKEN).map(Secret::expose), Some("4c7259534969484e71734d695a6e0d55"));
    assert_eq!(credentials.get(ACCESS_TOKEN_ENDS).map(Secret::expose), Some("2025-12-29T09:50:12+00:00"));
    assert!(Shopee::new(&client(), "s", &credentials, config.clone()).is_ok());
    call.assert_async().await;
    // A main account, and a code that the console sent again.
    let main = json(r#"{"code":"c1","partner_id":1001141,"main_account_id":77}"#);
    let resent = json(r#"{"resend_code":"c2"}"#);
    for (path, sent, code) in [
        ("/api/v2/auth/token/get", main, Code::MainAccount(&"c1".into(), "77")),
        ("/api/v2/public/get_token_by_resend_code", resent, Code::Resent(&"c2".into())),
    ] {
        let call = server
            .mock("POST", Matcher::Regex(format!("^{path}[?]")))
            .match_body(sent)
            .with_body(sample("token_get.response"))
            .expect(1)
            .create_async()
            .await;
        assert!(exchange_code(&client(), &cx, &config, "s", "1001141", &KEY.into(), code).await.is_ok());
        call.assert_async().await;
    }
    let lost = server
        .mock("POST", Matcher::Regex("^/api/v2/auth/token/get[?]".to_owned()))
        .with_status(502)
        .expect(1)
        .create_async()
        .await;
    let error = exchange_code(&client(), &cx, &config, "s", "1001141", &KEY.into(), Code::Shop(&code, "1"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    lost.assert_async().await;
    let error = exchange_code(&client(), &cx, &config, "s", "1001141", &KEY.into(), Code::Shop(&code, "x"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[tokio::test]
async fn the_shops_of_an_app_are_listed_with_the_end_of_their_authorisation() {
    let mut server = mockito::Server::new_async().await;
    for (page, more) in [("1", true), ("2", false)] {
        let answer =
            sample("get_shops_by_partner.response").replace("\"more\": false", &format!("\"more\": {more}"));
        server
            .mock("GET", "/api/v2/public/get_shops_by_partner")
            .match_query(Matcher::AllOf(vec![
                Matcher::UrlEncoded("page_no".into(), page.into()),
                Matcher::UrlEncoded("page_size".into(), "100".into()),
            ]))
            .with_body(answer)
            .expect(1)
            .create_async()
            .await;
    }
    let shops = authorized_shops(&client(), &Context::new(), &config(&server), "s", PARTNER, &KEY.into())
        .await
        .unwrap();
    assert_eq!(shops.len(), 2);
    assert_eq!((shops[0].id.as_str(), shops[0].region.as_str()), ("123", "TW"));
    assert_eq!(shops[0].expires_at, Some(at("2022-01-13T10:24:01Z")));
}

#[tokio::test]
async fn replaced_credentials_are_used_once_the_channel_takes_them() {
    let mut shop = Shop::open().await;
    let new = credentials().with(ACCESS_TOKEN, "by-hand-token").with(REFRESH_TOKEN, "r2-by-hand");
    shop.fails(SHOP_INFO, 403, &error("error_sign"), 1).await;
    let renewal = shop.channel.credentials().unwrap();
    assert_eq!(renewal.replace(&Context::new(), &new).await.unwrap_err().kind(), ErrorKind::Unauthorized);
    assert_eq!(renewal.current().await, credentials(), "the old ones stay in use");
    shop.mock_as(SHOP_INFO, &[], Matcher::Any, Some("by-hand-token"))
        .with_body(sample("get_shop_info.response"))
        .create_async()
        .await;
    let renewal = shop.channel.credentials().unwrap();
    renewal.replace(&Context::new(), &new).await.unwrap();
    assert_eq!(renewal.current().await, new);
    let bad = credentials().with(SHOP_ID, "my shop");
    assert_eq!(renewal.replace(&Context::new(), &bad).await.unwrap_err().kind(), ErrorKind::InvalidInput);
}

const CALLBACK: &str = "https://example.com/webhooks/shopee";

/// A shop that takes pushes at the time of one.
fn taking_pushes(shop: &str, key: Option<&str>, now: i64) -> Shopee {
    let now = chrono::DateTime::from_timestamp(now, 0).unwrap().to_rfc3339();
    let mut credentials = credentials().with(SHOP_ID, shop);
    if let Some(key) = key {
        credentials = credentials.with(PUSH_PARTNER_KEY, key);
    }
    Shopee::new(&client_at(&now), "shop-1", &credentials, Config::global().unwrap()).unwrap()
}

fn signed(key: &str, body: &str) -> Vec<(String, String)> {
    let signature = push_signature(&key.into(), CALLBACK, body.as_bytes()).unwrap();
    vec![("authorization".to_owned(), signature)]
}

#[tokio::test]
async fn the_official_push_vector_is_accepted_and_names_its_order() {
    let vectors: serde_json::Value = serde_json::from_str(&sample("signature_vectors")).unwrap();
    let push = vectors.as_array().unwrap().iter().find(|v| v["kind"] == "push").unwrap();
    let text = |name: &str| push[name].as_str().unwrap();
    let channel = taking_pushes("727720655", Some(text("push_partner_key")), 1_660_123_130);
    let headers = vec![("authorization".to_owned(), text("authorization").to_owned())];
    let body = text("raw_body");
    let request = WebhookRequest::new(&headers, body.as_bytes()).at(text("callback_url"));
    let reply = channel.webhooks().unwrap().receive(&request).await.unwrap();
    assert_eq!(
        (reply.status, reply.body.as_str(), reply.delivery_id),
        (200, "", None),
        "a body counts as a failure"
    );
    let [WebhookEvent::OrdersChanged(ids)] = reply.events.as_slice() else { panic!("{:?}", reply.events) };
    assert_eq!(ids[0].as_str(), "220810QSK8S7BX");
    assert_eq!(push_shop(body.as_bytes()).as_deref(), Some("727720655"));
}

#[tokio::test]
async fn pushes_are_read_by_their_code() {
    let lost: serde_json::Value = serde_json::from_str(&sample("get_lost_push_message.response")).unwrap();
    let lost = lost["response"]["push_message_list"][0]["data"].to_string();
    for (shop, body, expected) in [
        ("727720655", sample("push_order_status.request"), "orders 220810QSK8S7BX"),
        ("727720655", lost, "orders 220810QSK8S7BX"),
        ("727720655", sample("push_package_fulfillment.request"), "orders 250421TPSF33R6"),
        (
            "727720655",
            r#"{"code":4,"shop_id":727720655,"data":{"ordersn":"9","package_number":"P"}}"#.to_owned(),
            "orders 9",
        ),
        ("727720655", r#"{"code":29,"shop_id":727720655,"data":{"order_sn":"8"}}"#.to_owned(), "orders 8"),
        ("60011111", sample("push_shop_deauthorized.request"), "deauthorized"),
        ("727720655", sample("push_shop_deauthorized.request"), "other about another shop"),
        (
            "7",
            r#"{"code":2,"data":{"shop_id_list":[6,7],"authorize_type":"expiry"}}"#.to_owned(),
            "deauthorized",
        ),
        ("7", r#"{"code":2,"data":{"shopid":7}}"#.to_owned(), "deauthorized"),
        ("7", r#"{"code":2,"data":{"merchant_id":7}}"#.to_owned(), "other 2"),
        ("7", r#"{"code":3,"shop_id":8,"data":{"ordersn":"9"}}"#.to_owned(), "other about another shop"),
        ("7", sample("push_authorization_expiry.request"), "other 12"),
        (
            "7",
            r#"{"code":0,"data":{"verify_info":"This is a Verification message."}}"#.to_owned(),
            "other verify",
        ),
    ] {
        let time = serde_json::from_str::<serde_json::Value>(&body).unwrap()["timestamp"]
            .as_i64()
            .unwrap_or(1_660_123_127);
        let channel = taking_pushes(shop, Some("push-key"), time);
        let headers = signed("push-key", &body);
        let request = WebhookRequest::new(&headers, body.as_bytes()).at(CALLBACK);
        let reply = channel.webhooks().unwrap().receive(&request).await.unwrap();
        let told = match reply.events.as_slice() {
            [WebhookEvent::OrdersChanged(ids)] => format!("orders {}", ids[0]),
            [WebhookEvent::Deauthorized] => "deauthorized".to_owned(),
            [WebhookEvent::Other(what)] => format!("other {what}"),
            other => panic!("{other:?}"),
        };
        assert_eq!(told, expected, "{body}");
        assert_eq!((reply.status, reply.body.as_str()), (200, ""));
    }
    let nothing = r#"{"code":3,"shop_id":7,"data":{}}"#;
    let headers = signed("push-key", nothing);
    let request = WebhookRequest::new(&headers, nothing.as_bytes()).at(CALLBACK);
    let error =
        taking_pushes("7", Some("push-key"), 0).webhooks().unwrap().receive(&request).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MalformedResponse);
}

#[tokio::test]
async fn the_push_key_comes_before_the_partner_key_and_the_consoles_ping_needs_none() {
    let body = r#"{"code":3,"shop_id":322300222,"data":{"ordersn":"9"}}"#;
    for (key, signer, good) in [
        (None, KEY, true),
        (Some("push-key"), "push-key", true),
        (Some("push-key"), KEY, false),
        (None, "push-key", false),
    ] {
        let headers = signed(signer, body);
        let request = WebhookRequest::new(&headers, body.as_bytes()).at(CALLBACK);
        let reply = taking_pushes(SHOP, key, 1_660_123_127).webhooks().unwrap().receive(&request).await;
        assert_eq!(reply.is_ok(), good, "{key:?} {signer}");
    }
    let ping = r#"{"code":0,"data":{"verify_info":"x"}}"#;
    let request = WebhookRequest::new(&[], ping.as_bytes()).at(CALLBACK);
    let reply = taking_pushes(SHOP, None, 0).webhooks().unwrap().receive(&request).await.unwrap();
    assert!(matches!(reply.events.as_slice(), [WebhookEvent::Other(_)]));
    // With an order or a shop in it, it is no ping.
    for body in [
        r#"{"code":3,"shop_id":322300222,"data":{"verify_info":"x"}}"#,
        r#"{"code":2,"data":{"verify_info":"x","shop_id":322300222}}"#,
        r#"{"data":{"verify_info":"x","ordersn":"9"}}"#,
    ] {
        let request = WebhookRequest::new(&[], body.as_bytes()).at(CALLBACK);
        let error = taking_pushes(SHOP, None, 0).webhooks().unwrap().receive(&request).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthorized);
    }
}

#[tokio::test]
async fn a_push_with_a_wrong_signature_address_or_time_is_refused() {
    let now = 1_660_123_127;
    let body = |time: i64| {
        format!(r#"{{"code":3,"shop_id":322300222,"timestamp":{time},"data":{{"ordersn":"9"}}}}"#)
    };
    let (good, late, early) = (body(now), body(now - 25 * 3600), body(now + 600));
    let bad = |value: &str| vec![("authorization".to_owned(), value.to_owned())];
    for (headers, body, url) in [
        (vec![], &good, CALLBACK),
        (bad(""), &good, CALLBACK),
        (bad("not hex"), &good, CALLBACK),
        (bad("abc"), &good, CALLBACK),
        (signed("other", &good), &good, CALLBACK),
        (signed(KEY, &late), &good, CALLBACK),
        (signed(KEY, &good), &good, "https://example.com/other"),
        (signed(KEY, &good), &good, ""),
        (signed(KEY, &late), &late, CALLBACK),
        (signed(KEY, &early), &early, CALLBACK),
    ] {
        let request = WebhookRequest::new(&headers, body.as_bytes()).at(url);
        let error = taking_pushes(SHOP, None, now).webhooks().unwrap().receive(&request).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthorized);
    }
    // The last of the channel's own retries comes after 3.6 hours.
    let retried = body(now - 4 * 3600);
    let headers = signed(KEY, &retried);
    let request = WebhookRequest::new(&headers, retried.as_bytes()).at(CALLBACK);
    assert!(taking_pushes(SHOP, None, now).webhooks().unwrap().receive(&request).await.is_ok());
}

#[tokio::test]
async fn pushes_are_registered_by_the_app_alone() {
    let mut shop = Shop::open().await;
    let sent = json(
        r#"{"callback_url":"https://example.com/webhooks/shopee","set_push_config_on":[1,2,3,4,12,30]}"#,
    );
    let call = shop
        .mock_as("POST /api/v2/push/set_app_push_config", &[], sent, None)
        .with_body(response(r#"{"result":"success"}"#))
        .expect(1)
        .create_async()
        .await;
    shop.channel.register_webhooks(&Context::new(), CALLBACK).await.unwrap();
    let error = shop.channel.register_webhooks(&Context::new(), "http://example.com").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    call.assert_async().await;
}

#[tokio::test]
async fn ct_1_the_connection_test_names_what_the_app_may_do() {
    let mut shop = Shop::open().await;
    shop.fails(SHOP_INFO, 200, &sample("get_shop_info.response").replace("NORMAL", "FROZEN"), 1).await;
    shop.fails(LIST, 200, &list(&[], "", false, ""), 1).await;
    shop.fails(ITEMS, 200, &error("error_api_permission"), 1).await;
    let report = shop.channel.test(&Context::new()).await.unwrap();
    let denied: Vec<String> = report
        .capabilities
        .iter()
        .filter(|(_, check)| matches!(check, CapabilityCheck::Denied { .. }))
        .map(|(capability, _)| capability.to_string())
        .collect();
    assert_eq!(denied, ["list listings"]);
    assert_eq!(report.credentials_end, Some(at("2026-03-14T15:59:59Z")));
    assert!(report.notes[0].contains("FROZEN") && report.clock_skew_seconds.is_some());
    let mut shop = Shop::open().await;
    shop.fails(SHOP_INFO, 403, &error("error_sign"), 1).await;
    assert_eq!(shop.channel.test(&Context::new()).await.unwrap_err().kind(), ErrorKind::Unauthorized);
}

#[tokio::test]
async fn neither_secrets_nor_personal_data_get_into_debug_or_errors() {
    let mut shop = Shop::open().await;
    let known = fetched(&[ready("11")]).await;
    let shown =
        format!("{:?} {known:?} {:?}", shop.channel, shop.channel.credentials().unwrap().current().await);
    for secret in [KEY, TOKEN, REFRESH, "山田", "千代田", "花子", "急いで", "6580000000"] {
        assert!(!shown.contains(secret), "{secret}");
    }
    let said = format!(r#"{{"error":"error_sign","message":"{TOKEN} signed with {KEY} is wrong"}}"#);
    shop.fails(LIST, 200, &said, 1).await;
    let error = shop.fetch(FROM, TO).await.unwrap_err();
    let text = format!("{error} {error:?}");
    assert!(!text.contains(TOKEN) && !text.contains(KEY), "{text}");
    let mut shop = Shop::open().await;
    shop.listed(&["11"]).await;
    shop.fails(DETAIL, 200, &details(&[ready("11")]).replace("\"order_list\":[", "\"order_list\":[["), 1)
        .await;
    let error = shop.fetch(FROM, TO).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("山田"));
}

#[tokio::test]
async fn text_beyond_ascii_makes_the_round_trip() {
    let order = &fetched(&[ready("11")]).await[0];
    let party = order.destinations[0].recipient.reveal();
    assert_eq!((party.name.as_str(), party.address.lines[0].as_str()), ("山田 花子", "千代田1-1 🌿"));
    assert_eq!(order.lines[0].title, "帽子 🧢");
    assert_eq!(order.memo.as_ref().unwrap().reveal(), "急いで 🙏");
    let mut shop = Shop::open().await;
    shop.details("11", &[ready("11")], 1).await;
    shop.packages("P11", &[], 1).await;
    shop.fails(PARAMETER, 200, &response(r#"{"info_needed":{"dropoff":["sender_real_name"]}}"#), 1).await;
    let sent = json(r#"{"order_sn":"11","dropoff":{"sender_real_name":"王小明 🌸"}}"#);
    let ship = shop.on(SHIP, &[], sent, OK, 1).await;
    shop.fails(NUMBER, 200, &sample("get_tracking_number.response"), 1).await;
    let cx = settings(&[("sender_real_name", "王小明 🌸")]);
    let request = parcel(order, None, &[], Some(HandOver::DropOff));
    let done = shop.channel.dispatch().unwrap().dispatch(&cx, &[request]).await.unwrap();
    assert_eq!(words(&done), ["done"]);
    ship.assert_async().await;
}

#[tokio::test]
async fn the_registry_opens_an_account_at_a_given_address() {
    let mut shop = Shop::open().await;
    let adapter = adapters::find("shopee").unwrap();
    let vault = Arc::new(MemoryVault::default());
    let opening = Opening::new(&client(), "shop-1", credentials())
        .at(shop.server.url().parse().unwrap())
        .with_vault(vault.clone());
    let channel = (adapter.open)(&opening).unwrap();
    assert_eq!(channel.dispatch().unwrap().hand_over_methods(), [HandOver::PickUp, HandOver::DropOff]);
    assert!(channel.confirm().is_none() && channel.ship_date().is_none() && channel.notify().is_none());
    let keys: Vec<&str> = channel.info().options.iter().map(|option| option.key).collect();
    assert_eq!(
        keys,
        [
            "pickup_address_id",
            "pickup_slot",
            "dropoff_branch_id",
            "dropoff_slug",
            "sender_real_name",
            "stock_location_id"
        ]
    );
    shop.fails(LIST, 200, &sample("error_invalid_token.response"), 1).await;
    shop.renewal(NEW_TOKENS, 1).await;
    shop.fails(LIST, 200, &list(&[], "", false, ""), 1).await;
    let query = OrderQuery::window(Window::new(at(FROM), at(TO)));
    channel.orders().fetch(&Context::new(), &query, None).await.unwrap();
    assert!(vault.load(&"shop-1".into()).await.unwrap().is_some());
    for wrong in [
        Credentials::new().with(PARTNER_KEY, KEY),
        credentials().with(PARTNER_ID, "my app"),
        credentials().with(SHOP_ID, "1.5"),
        credentials().with(REFRESH_TOKEN, " "),
    ] {
        let error = (adapter.open)(&Opening::new(&client(), "shop-1", wrong)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }
}

/// Samples of calls that this adapter does not make, each with the reason. Every other is used by a test.
const NOT_USED: &[(&str, &str)] =
    &[("get_shipment_list.response", "the list of orders says more; the call is announced to end")];

#[test]
fn every_sample_is_used_or_excused() {
    let own = [include_str!("shopee_contract.rs"), include_str!("../adapters/shopee/tests.rs")].concat();
    let mut seen = 0;
    for entry in std::fs::read_dir("tests/samples/shopee").unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let Some(call) = name.strip_suffix(".json") else { continue };
        seen += 1;
        let used =
            [format!("sample(\"{call}\")"), format!("body(\"{call}\")"), format!("number(\"{call}\")")];
        let used = used.iter().any(|used| own.contains(used));
        let excused = NOT_USED.iter().any(|(name, _)| *name == call);
        assert!(used != excused, "{call} is neither used nor excused, or both");
    }
    assert_eq!(seen, 43);
}
