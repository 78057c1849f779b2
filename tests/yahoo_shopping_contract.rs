//! Whole calls of the Yahoo! Shopping adapter: what is sent, byte for byte, and what becomes of each answer.
#![cfg(feature = "yahoo_shopping")]
#![allow(clippy::unwrap_used, clippy::panic)] // tests

mod yahoo_shopping;

use std::sync::Arc;

use chrono::Utc;
use mockito::Matcher;
use rsa::pkcs8::DecodePrivateKey as _;
use sales_channels::adapters::yahoo_shopping::{
    CLIENT_ID, CLIENT_SECRET, PUBLIC_KEY, PUBLIC_KEY_VERSION, REFRESH_TOKEN, YahooShopping, exchange_code,
};
use sales_channels::adapters::{self, Opening};
use sales_channels::channel::{
    CancelAction, CancelDecision, CancelReason, Capability, CapabilityCheck, Channel, ConfirmRequest,
    Context, CredentialVault, Credentials, DispatchRequest, MemoryVault, OrderQuery, Outcome, PageCursor,
    Repeat, Row, StockChange, Tracking,
};
use sales_channels::model::{ChannelData, Hold, ListingKey, Order, OrderStatus, Window};
use sales_channels::{ErrorKind, Retry};
use yahoo_shopping::*;

fn ids(rows: &[Row]) -> Vec<&str> {
    rows.iter().filter_map(Row::order).map(|order| order.id.as_str()).collect()
}

fn cx() -> Context {
    Context::new()
}

fn regex(text: &str) -> Matcher {
    Matcher::Regex(text.into())
}

#[tokio::test]
async fn a_window_is_three_lists_and_a_read_of_each_order_that_is_wanted() {
    let mut shop = Shop::open().await;
    let made = shop
        .on(
            LIST,
            made(),
            list(&[head("s-1", &[]), head("s-2", &[("OrderStatus", "4")]), head("s-3", &[])], 3),
        )
        .await;
    let published = shop
        .on(
            LIST,
            regex(
                "<PublicationTimeFrom>20261120090000</PublicationTimeFrom><PublicationTimeTo>20261120100000<",
            ),
            NOTHING,
        )
        .await;
    let old = shop.on(LIST, regex("<Condition><OrderTimeTo>20261106090000</OrderTimeTo><OrderStatus>1,2,3</OrderStatus><ShipStatus>0,1,2<"), NOTHING).await;
    let one = shop.has("s-1", &[]).await;
    let three = shop.has("s-3", &[("IsSeen", "true")]).await;
    let rows = shop.fetch(FROM, TO).await.unwrap();
    assert_eq!(ids(&rows), ["s-1", "s-3"]);
    let order = rows[0].order().unwrap();
    assert_eq!((order.status, order.paid_at), (OrderStatus::New, Some(at("2026-11-20T09:13:00+09:00"))));
    assert_eq!(order.lines[0].listing, ListingKey::option("item-n77", "4201"));
    assert_eq!(order.lines[0].title, "オーガニックTシャツ 🌿");
    assert_eq!(order.totals.total.unwrap().to_string(), "4460 JPY");
    assert_eq!(order.memo.as_ref().unwrap().reveal(), "よろしく & 🌿");
    assert_eq!(rows[1].order().unwrap().status, OrderStatus::Confirmed);
    for mock in [made, published, old, one, three] {
        mock.assert_async().await;
    }
}

#[tokio::test]
async fn an_order_that_is_paid_days_later_is_found_in_the_window_of_its_payment() {
    let mut shop = Shop::open().await;
    let ordered = ("OrderTime", "2026-11-14T10:00:00+09:00");
    shop.lists(&[head("s-1", &[ordered, ("PayDate", "2026-11-20")])]).await;
    shop.has("s-1", &[ordered]).await;
    assert_eq!(ids(&shop.fetch(FROM, TO).await.unwrap()), ["s-1"]);
}

#[tokio::test]
async fn what_was_the_sellers_before_the_window_is_left_to_the_window_before() {
    let mut shop = Shop::open().await;
    let ordered = ("OrderTime", "2026-11-14T10:00:00+09:00");
    shop.lists(&[head("s-1", &[ordered]), head("s-2", &[ordered])]).await;
    shop.has("s-1", &[ordered, ("PayActionTime", "2026-11-14T10:05:00+09:00")]).await;
    // Still unpaid: it is watched.
    shop.has("s-2", &[ordered, ("PayStatus", "0")]).await;
    let rows = shop.fetch(FROM, TO).await.unwrap();
    assert_eq!(ids(&rows), ["s-2"]);
    assert_eq!(rows[0].order().unwrap().status, OrderStatus::PendingPayment);
}

#[tokio::test]
async fn orders_released_from_a_fraud_check_and_old_ones_that_are_paid_late_come_from_the_other_lists() {
    let mut shop = Shop::open().await;
    let old = ("OrderTime", "2026-10-01T10:00:00+09:00");
    let published = ("PublicationTime", "2026-11-20T09:30:00+09:00");
    shop.on(LIST, made(), NOTHING).await;
    shop.on(LIST, regex("PublicationTimeFrom"), list(&[head("s-1", &[old, published])], 1)).await;
    shop.on(
        LIST,
        regex("<ShipStatus>0,1,2<"),
        list(&[head("s-1", &[old, published]), head("s-2", &[old])], 2),
    )
    .await;
    shop.has("s-1", &[old, published, ("FraudHoldStatus", "2")]).await;
    shop.has("s-2", &[old]).await;
    assert_eq!(ids(&shop.fetch(FROM, TO).await.unwrap()), ["s-1", "s-2"], "each once");
}

#[tokio::test]
async fn what_the_channel_does_not_hand_over_yet_is_watched_and_holds_stock() {
    let mut shop = Shop::open().await;
    shop.lists(&[head("s-1", &[]), head("s-2", &[("FraudHoldStatus", "1")])]).await;
    shop.has("s-1", &[("IsReadOnly", "1")]).await;
    shop.has("s-2", &[("FraudHoldStatus", "1")]).await;
    let rows = shop.fetch(FROM, TO).await.unwrap();
    for order in rows.iter().filter_map(Row::order) {
        assert_eq!(
            (order.status, order.holds.as_slice()),
            (OrderStatus::PendingPayment, &[Hold::OnHold][..])
        );
        assert_eq!(order.lines[0].outstanding(), 2);
    }
    assert_eq!(rows.len(), 2);
}

#[tokio::test]
async fn a_split_order_brings_its_children_and_counts_as_cancelled_itself() {
    let mut shop = Shop::open().await;
    shop.lists(&[head("s-1", &[("IsSplit", "true"), ("OrderStatus", "5")])]).await;
    shop.has("s-1", &[("IsSplit", "true"), ("ChildOrderId", "s-2,s-3")]).await;
    shop.has("s-2", &[("ParentOrderId", "s-1"), ("OrderTime", "2026-11-01T10:00:00+09:00")]).await;
    shop.has("s-3", &[("ParentOrderId", "s-1")]).await;
    let rows = shop.fetch(FROM, TO).await.unwrap();
    let told: Vec<_> =
        rows.iter().filter_map(Row::order).map(|o| (o.id.as_str(), o.status, o.group.as_deref())).collect();
    assert_eq!(
        told,
        [
            ("s-1", OrderStatus::Cancelled, None),
            ("s-2", OrderStatus::New, Some("s-1")),
            ("s-3", OrderStatus::New, Some("s-1")),
        ]
    );
}

#[tokio::test]
async fn pages_are_turned_to_the_end_at_the_time_of_the_last_order() {
    let mut shop = Shop::open().await;
    let timed = |id: &str, time: &str| head(id, &[("OrderTime", time)]);
    let (early, late) = ("2026-11-20T09:01:00+09:00", "2026-11-20T09:02:00+09:00");
    shop.on(LIST, made(), list(&[timed("s-1", early), timed("s-2", late)], 3)).await;
    let second = shop
        .on(
            LIST,
            regex("<Start>1</Start>.*<OrderTimeFrom>20261120090200<"),
            list(&[timed("s-2", late), timed("s-3", late)], 2),
        )
        .await;
    shop.on(LIST, regex("PublicationTimeFrom"), NOTHING).await;
    shop.on(LIST, regex("<ShipStatus>0,1,2<"), NOTHING).await;
    for id in ["s-1", "s-2", "s-3"] {
        shop.has(id, &[]).await;
    }
    assert_eq!(ids(&shop.fetch(FROM, TO).await.unwrap()), ["s-1", "s-2", "s-3"]);
    second.assert_async().await;
}

#[tokio::test]
async fn many_orders_are_read_a_page_at_a_time() {
    let mut shop = Shop::open().await;
    let heads: Vec<String> = (1..=30).map(|n| head(&format!("s-{n}"), &[])).collect();
    shop.lists(&heads).await;
    for n in 1..=30 {
        shop.has(&format!("s-{n}"), &[]).await;
    }
    let query = OrderQuery::window(Window::new(at(FROM), at(TO)));
    let first = shop.channel.orders().fetch(&cx(), &query, None).await.unwrap();
    assert_eq!((first.rows.len(), first.next.is_some()), (25, true));
    let second = shop.channel.orders().fetch(&cx(), &query, first.next.as_ref()).await.unwrap();
    assert_eq!(second.rows.len(), 5);
    let third = shop.channel.orders().fetch(&cx(), &query, second.next.as_ref()).await.unwrap();
    assert_eq!((third.rows.len(), third.next.is_none()), (0, true), "the other two lists");
}

#[tokio::test]
async fn an_empty_window_asks_for_nothing_and_a_foreign_cursor_is_an_error() {
    let mut shop = Shop::open().await;
    let asked = shop.mock(LIST, 200, Matcher::Any, NOTHING, 0).await;
    assert!(shop.fetch(FROM, FROM).await.unwrap().is_empty());
    let query = OrderQuery::window(Window::new(at(FROM), at(TO)));
    for cursor in ["20261120090000+86400", "{}", ""] {
        let cursor = PageCursor::new(cursor);
        let error = shop.channel.orders().fetch(&cx(), &query, Some(&cursor)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(shop.channel.listings().unwrap().list(&cx(), Some(&cursor)).await.is_err());
    }
    asked.assert_async().await;
}

#[tokio::test]
async fn a_row_that_cannot_be_read_spoils_only_itself_and_keeps_its_text() {
    let mut shop = Shop::open().await;
    shop.lists(&[head("s-1", &[]), head("s-2", &[])]).await;
    shop.has("s-1", &[("Quantity", "two")]).await;
    shop.has("s-2", &[]).await;
    let rows = shop.fetch(FROM, TO).await.unwrap();
    let [Row::Unreadable(bad), Row::Order(good)] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!((bad.id.as_ref().unwrap().as_str(), good.id.as_str()), ("s-1", "s-2"));
    assert!(bad.raw.reveal().contains("<Quantity>two</Quantity>"));
    assert!(!format!("{rows:?}").contains("山田"));
}

#[tokio::test]
async fn an_order_that_is_listed_and_then_unknown_is_reported() {
    let mut shop = Shop::open().await;
    shop.lists(&[head("s-1", &[])]).await;
    shop.mock(INFO, 404, Matcher::Any, "<Error><Code>od91801</Code><Message>x</Message></Error>", 1).await;
    let rows = shop.fetch(FROM, TO).await.unwrap();
    let [Row::Unreadable(row)] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!(row.id.as_ref().unwrap().as_str(), "s-1");
}

#[tokio::test]
async fn bad_answers_to_a_list_are_errors_and_never_an_empty_window() {
    let cut = list(&[head("s-1", &[])], 1).replace("</Search></Result>", "");
    let cases: [(usize, &str, ErrorKind); 12] = [
        (500, "down", ErrorKind::Unavailable),
        (503, "<Error><Code>st-02000</Code></Error>", ErrorKind::Unavailable),
        (429, "", ErrorKind::RateLimited),
        (404, "<html></html>", ErrorKind::Configuration),
        (403, "<Error><Code>px-04306</Code><Message>x</Message></Error>", ErrorKind::Forbidden),
        (400, &sample("error_od90101.response.xml"), ErrorKind::InvalidInput),
        (200, &sample("error_od90101.response.xml"), ErrorKind::InvalidInput),
        (200, "<html><body>maintenance</body></html>", ErrorKind::MalformedResponse),
        (200, "", ErrorKind::MalformedResponse),
        (200, &cut, ErrorKind::MalformedResponse),
        (200, &sample("order_list_past_end.response.xml"), ErrorKind::MalformedResponse),
        (200, &NOTHING.replace("OK", "NG"), ErrorKind::Unavailable),
    ];
    for (status, body, kind) in cases {
        let mut shop = Shop::open().await;
        shop.mock(LIST, status, Matcher::Any, body, 2).await;
        let error = shop.fetch(FROM, TO).await.unwrap_err();
        assert_eq!((error.kind(), error.outcome_unknown()), (kind, false), "{status} {body}");
    }
}

#[tokio::test]
async fn an_empty_list_is_an_empty_window() {
    let mut shop = Shop::open().await;
    shop.mock(LIST, 200, Matcher::Any, sample("order_list_empty.response.xml"), 3).await;
    assert!(shop.fetch(FROM, TO).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_wait_that_is_asked_for_is_told() {
    let mut shop = Shop::open().await;
    shop.server
        .mock("POST", path(LIST).as_str())
        .with_status(429)
        .with_header("retry-after", "3600")
        .expect(1)
        .create_async()
        .await;
    let error = shop.fetch(FROM, TO).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.retry_after().map(|wait| wait.as_secs())),
        (ErrorKind::RateLimited, Some(3600))
    );
}

#[tokio::test]
async fn a_used_up_day_parks_the_account_for_hours() {
    let mut shop = Shop::open().await;
    let body = "<Error><Message>Your Request was Forbidden</Message></Error>";
    shop.mock(LIST, 403, Matcher::Any, body, 1).await;
    let error = shop.fetch(FROM, TO).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert!(error.retry_after().is_some_and(|wait| wait.as_secs() <= 3 * 3600), "{error}");
}

#[tokio::test]
async fn known_orders_are_read_and_only_the_channels_own_word_means_gone() {
    let mut shop = Shop::open().await;
    let orders: Vec<Order> = ["s-1", "s-2", "s-3", "s-4", "s-5"].map(|id| known(id, &[])).into();
    shop.has("s-1", &[("ShipStatus", "3"), ("ShipInvoiceNumber1", "44"), ("ShipCompanyCode", "1001")]).await;
    shop.mock(INFO, 404, of_order("s-2"), "<Error><Code>od91801</Code></Error>", 1).await;
    shop.mock(INFO, 404, of_order("s-3"), "<html>no such page</html>", 1).await;
    shop.mock(INFO, 200, of_order("s-4"), order("s-9", &[]), 1).await;
    shop.mock(INFO, 200, of_order("s-5"), sample("update_ok.response.xml").replace("OK", "NG"), 2).await;
    let read = shop.read(&orders.iter().collect::<Vec<_>>()).await.unwrap();
    // A wrong address concerns all: what comes after it is not tried.
    assert_eq!(words(&read), ["done", "refused od91801", "not tried", "not tried", "not tried"]);
    let Outcome::Done(order) = &read[0] else { panic!() };
    assert_eq!(
        (order.status, order.tracking.as_slice()),
        (OrderStatus::Shipped, &[Tracking::new("ヤマト運輸", "44")][..])
    );
    for id in [3, 4] {
        let error = shop.read(&[&orders[id]]).await.unwrap_err();
        assert!(error.is_temporary(), "{error}");
    }
}

#[tokio::test]
async fn the_official_order_is_read_whole() {
    let mut shop = Shop::open().await;
    shop.answers(INFO, sample("order_info.response.xml")).await;
    let read = shop.read(&[&known("testseller-10005002", &[])]).await.unwrap();
    let Outcome::Done(order) = &read[0] else { panic!() };
    assert_eq!((order.status, order.lines.len()), (OrderStatus::New, 1));
    assert!(!format!("{order:?}").contains("buyer@example.invalid"));
}

async fn confirm(shop: &Shop, orders: &[&Order]) -> sales_channels::Result<Vec<String>> {
    let requests: Vec<ConfirmRequest<'_>> = orders.iter().map(|order| ConfirmRequest::new(order)).collect();
    Ok(words(&shop.channel.confirm().unwrap().confirm(&cx(), &requests).await?))
}

#[tokio::test]
async fn confirming_sets_the_seen_flag_of_each_order() {
    let mut shop = Shop::open().await;
    let body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Req><SellerId>teststore</SellerId><Target><OrderId>s-1</OrderId></Target><Order><IsSeen>true</IsSeen></Order></Req>";
    let one = shop.on(CHANGE, Matcher::Exact(body.into()), sample("update_ok.response.xml")).await;
    let two = shop
        .on(CHANGE, of_order("s-2"), sample("update_warning.response.xml").replace("od91113", "od91058"))
        .await;
    let orders = [known("s-1", &[]), known("s-2", &[])];
    assert_eq!(confirm(&shop, &[&orders[0], &orders[1]]).await.unwrap(), ["done", "done"]);
    one.assert_async().await;
    two.assert_async().await;
    assert_eq!(shop.channel.confirm().unwrap().repeat(), Repeat::Safe);
}

#[tokio::test]
async fn a_refused_confirmation_is_looked_at_before_it_is_believed() {
    let mut shop = Shop::open().await;
    let refused = "<Error><Code>od90166</Code><Message>no</Message></Error>";
    for id in ["s-1", "s-2", "s-3", "s-4"] {
        shop.mock(CHANGE, 400, of_order(id), refused, 1).await;
    }
    shop.has("s-1", &[("IsSeen", "true")]).await;
    shop.has("s-2", &[]).await;
    shop.has("s-3", &[("FraudHoldStatus", "1")]).await;
    shop.mock(INFO, 500, of_order("s-4"), "down", 2).await;
    let orders: Vec<Order> = ["s-1", "s-2", "s-3", "s-4"].map(|id| known(id, &[])).into();
    let words = confirm(&shop, &orders.iter().collect::<Vec<_>>()).await.unwrap();
    assert_eq!(words, ["already", "refused od90166", "refused od90166 later", "refused od90166 later"]);
}

#[tokio::test]
async fn nothing_is_confirmed_that_the_channel_would_refuse_or_that_was_split() {
    let mut shop = Shop::open().await;
    let asked = shop.mock(CHANGE, 200, Matcher::Any, "", 0).await;
    for fields in [("IsReadOnly", "1"), ("FraudHoldStatus", "1"), ("IsSplit", "true")] {
        assert_eq!(confirm(&shop, &[&known("s-1", &[fields])]).await.unwrap(), ["refused later"]);
    }
    asked.assert_async().await;
}

#[tokio::test]
async fn bad_answers_to_a_confirmation_leave_it_open() {
    let cut = sample("update_ok.response.xml").replace("</ResultSet>", "");
    for (status, body, kind) in [
        (500, "down", ErrorKind::Unavailable),
        (200, "<html></html>", ErrorKind::MalformedResponse),
        (200, "", ErrorKind::MalformedResponse),
        (200, cut.as_str(), ErrorKind::MalformedResponse),
        (200, "<ResultSet></ResultSet>", ErrorKind::MalformedResponse),
    ] {
        let mut shop = Shop::open().await;
        let sent = shop.mock(CHANGE, status, Matcher::Any, body, 2).await;
        let error = confirm(&shop, &[&known("s-1", &[])]).await.unwrap_err();
        assert_eq!((error.kind(), error.outcome_unknown()), (kind, true), "{status} {body}");
        sent.assert_async().await;
    }
}

fn parcel<'a>(order: &'a Order, tracking: &'a Tracking) -> DispatchRequest<'a> {
    DispatchRequest::new(order, Some(tracking), at("2026-11-20T23:30:00Z"))
}

async fn dispatch(shop: &Shop, requests: &[DispatchRequest<'_>]) -> sales_channels::Result<Vec<String>> {
    Ok(words(&shop.channel.dispatch().unwrap().dispatch(&cx(), requests).await?))
}

#[tokio::test]
async fn a_parcel_is_reported_after_a_look_at_its_order() {
    let mut shop = Shop::open().await;
    let looked = shop.has("s-1", &[("IsSeen", "true")]).await;
    let body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Req><Target><OrderId>s-1</OrderId><IsPointFix>true</IsPointFix></Target><Order><Ship><ShipStatus>3</ShipStatus><ShipCompanyCode>1001</ShipCompanyCode><ShipInvoiceNumber1>4400-0000-0001</ShipInvoiceNumber1><ShipDate>20261121</ShipDate></Ship></Order><SellerId>teststore</SellerId></Req>";
    let sent = shop.on(SHIP, Matcher::Exact(body.into()), sample("update_warning.response.xml")).await;
    let (order, tracking) = (known("s-1", &[]), Tracking::new("Yamato", "4400-0000-0001"));
    assert_eq!(dispatch(&shop, &[parcel(&order, &tracking)]).await.unwrap(), ["done"]);
    looked.assert_async().await;
    sent.assert_async().await;
    assert_eq!(shop.channel.dispatch().unwrap().repeat(), Repeat::ReadFirst);
}

#[tokio::test]
async fn parcels_have_outcomes_of_their_own() {
    let mut shop = Shop::open().await;
    let tracking = Tracking::new("Sagawa", "4400-0000-0001");
    let orders: Vec<Order> = ["s-1", "s-2", "s-3", "s-4", "s-5", "s-6"].map(|id| known(id, &[])).into();
    shop.has("s-1", &[("ShipStatus", "3"), ("ShipInvoiceNumber1", "440000000001")]).await;
    shop.has("s-2", &[("ShipStatus", "0")]).await;
    shop.mock(INFO, 404, of_order("s-3"), "<Error><Code>od91801</Code></Error>", 1).await;
    shop.has("s-4", &[]).await;
    shop.mock(SHIP, 400, of_order("s-4"), "<Error><Code>od90180</Code><Message>no</Message></Error>", 1)
        .await;
    shop.has("s-5", &[]).await;
    shop.mock(SHIP, 200, of_order("s-5"), sample("update_ok.response.xml").replace("OK", "NG"), 1).await;
    shop.has("s-6", &[]).await;
    shop.mock(SHIP, 500, of_order("s-6"), "down", 1).await;
    let mut requests: Vec<_> = orders.iter().map(|order| parcel(order, &tracking)).collect();
    requests.push(parcel(&orders[0], &tracking));
    let outcomes = dispatch(&shop, &requests).await.unwrap();
    assert_eq!(
        outcomes,
        ["already", "refused later", "refused od91801", "refused od90180", "refused", "unknown", "not tried"]
    );
}

#[tokio::test]
async fn a_report_whose_answer_is_lost_is_not_sent_again() {
    for (status, body, kind) in [
        (502, "<html></html>", ErrorKind::Unavailable),
        (200, "<html></html>", ErrorKind::MalformedResponse),
        (200, "", ErrorKind::MalformedResponse),
        (408, "", ErrorKind::TimedOut),
    ] {
        let mut shop = Shop::open().await;
        shop.has("s-1", &[]).await;
        let sent = shop.mock(SHIP, status, Matcher::Any, body, 1).await;
        let (order, tracking) = (known("s-1", &[]), Tracking::new("Sagawa", "44"));
        let error = dispatch(&shop, &[parcel(&order, &tracking)]).await.unwrap_err();
        assert_eq!((error.kind(), error.outcome_unknown()), (kind, true), "{status} {body}");
        sent.assert_async().await;
    }
}

#[tokio::test]
async fn after_an_expired_authorization_the_order_is_read_again() {
    let mut shop = Shop::open().await;
    shop.has("s-1", &[]).await;
    shop.answers(SHIP, sample("update_warning.response.xml").replace("od91113", "od91115")).await;
    let (order, tracking) = (known("s-1", &[]), Tracking::new("Sagawa", "44"));
    let outcomes =
        shop.channel.dispatch().unwrap().dispatch(&cx(), &[parcel(&order, &tracking)]).await.unwrap();
    let [Outcome::Done(done)] = outcomes.as_slice() else { panic!("{outcomes:?}") };
    assert!(done.reread);
}

#[tokio::test]
async fn a_seller_cancels_after_a_look_and_never_twice() {
    let mut shop = Shop::open().await;
    shop.has("s-1", &[]).await;
    let body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Req><Target><OrderId>s-1</OrderId><IsPointFix>false</IsPointFix></Target><Order><OrderStatus>4</OrderStatus><CancelReason>210</CancelReason></Order><SellerId>teststore</SellerId></Req>";
    let sent = shop.on(STATUS, Matcher::Exact(body.into()), sample("update_ok.response.xml")).await;
    shop.has("s-2", &[("OrderStatus", "4")]).await;
    shop.has("s-3", &[("ShipStatus", "3")]).await;
    shop.has("s-4", &[]).await;
    shop.on(STATUS, of_order("s-4"), sample("update_warning.response.xml").replace("od91113", "od91704"))
        .await;
    shop.has("s-5", &[]).await;
    let lost = shop.mock(STATUS, 500, of_order("s-5"), "down", 1).await;
    let orders: Vec<Order> = ["s-1", "s-2", "s-3", "s-4", "s-5"].map(|id| known(id, &[])).into();
    let decision =
        |order, action| CancelDecision { order, action, reason: CancelReason::OutOfStock, memo: None };
    let mut decisions: Vec<_> =
        orders.iter().map(|order| decision(order, CancelAction::CancelBySeller)).collect();
    decisions.push(decision(&orders[0], CancelAction::Accept));
    let cancels = shop.channel.cancellations().unwrap();
    let outcomes = cancels.decide(&cx(), &decisions).await.unwrap();
    assert_eq!(words(&outcomes), ["done", "already", "refused", "unknown", "unknown", "refused"]);
    sent.assert_async().await;
    lost.assert_async().await;
    let window = Window::new(at(FROM), at(TO));
    let page = cancels.requests(&cx(), window, None).await.unwrap();
    assert!(page.requests.is_empty() && page.next.is_none());
}

fn keys() -> [ListingKey; 4] {
    [
        ListingKey::option("item-01", "sub-01"),
        ListingKey::item("item-02"),
        ListingKey::item("item-03"),
        ListingKey::item("bad,code"),
    ]
}

fn records(rows: &[(&str, &str, &str, &str, &str)]) -> String {
    let row = |(item, sub, status, quantity, overdraft): &(&str, &str, &str, &str, &str)| {
        format!(
            "<Result><ItemCode>\n {item} </ItemCode><SubCode>{sub}</SubCode><Status> {status} </Status><Quantity>{quantity}</Quantity><AllowOverdraft>{overdraft}</AllowOverdraft></Result>"
        )
    };
    format!("<ResultSet totalResultsReturned=\"9\">{}</ResultSet>", rows.iter().map(row).collect::<String>())
}

fn set_rows(rows: &[(&str, &str, &str, &str)]) -> String {
    let row = |(item, sub, quantity, error): &(&str, &str, &str, &str)| {
        let error = if error.is_empty() { String::new() } else { format!("<ErrorCode>{error}</ErrorCode>") };
        format!(
            "<Result><ItemCode>{item}</ItemCode><SubCode>{sub}</SubCode><Quantity>{quantity}</Quantity>{error}</Result>"
        )
    };
    format!("<ResultSet>{}</ResultSet>", rows.iter().map(row).collect::<String>())
}

async fn set(shop: &Shop, wanted: &[(&ListingKey, u32)]) -> sales_channels::Result<Vec<Outcome<u32>>> {
    let none = ChannelData::default();
    let changes: Vec<_> = wanted.iter().map(|(key, pieces)| StockChange::new(key, &none, *pieces)).collect();
    let outcomes = shop.channel.stock().unwrap().set_stock(&cx(), &changes).await?;
    Ok(outcomes
        .into_iter()
        .map(|outcome| match outcome {
            Outcome::Done(taken) => Outcome::Done(taken.quantity),
            Outcome::Refused(no) => Outcome::Refused(no),
            Outcome::Unknown(error) => Outcome::Unknown(error),
            Outcome::NotTried(error) => Outcome::NotTried(error),
            _ => Outcome::AlreadyDone,
        })
        .collect())
}

#[tokio::test]
async fn stock_is_read_then_set_absolutely_with_what_would_be_reset() {
    let mut shop = Shop::open().await;
    let read = shop
        .on(
            GET_STOCK,
            Matcher::Exact("seller_id=teststore&item_code=item-01%3Asub-01%2Citem-02%2Citem-03".into()),
            records(&[
                ("item-03", "", "0", "", ""),
                ("item-02", "", "1", "", "1"),
                ("item-01", "sub-01", "1", "7", "0"),
            ]),
        )
        .await;
    let body =
        "seller_id=teststore&item_code=item-01%3Asub-01%2Citem-02&quantity=10%2C0&allow_overdraft=0%2C1";
    let written = shop
        .on(
            SET_STOCK,
            Matcher::Exact(body.into()),
            set_rows(&[("item-02", "", "0", ""), ("item-01", "sub-01", "9", "")]),
        )
        .await;
    let keys = keys();
    let wanted = [(&keys[0], 10), (&keys[1], 0), (&keys[2], 5), (&keys[3], 1), (&keys[0], 4)];
    let outcomes = set(&shop, &wanted).await.unwrap();
    assert_eq!(words(&outcomes), ["done", "done", "refused", "refused", "not tried"]);
    assert!(
        matches!(outcomes[0], Outcome::Done(9)),
        "an order came in between: what the channel shows counts"
    );
    read.assert_async().await;
    written.assert_async().await;
}

#[tokio::test]
async fn after_a_part_that_failed_the_rest_counts_once_it_shows() {
    let mut shop = Shop::open().await;
    let keys = keys();
    let three = &[
        ("item-01", "sub-01", "1", "7", "0"),
        ("item-02", "", "1", "7", "0"),
        ("item-03", "", "1", "7", "0"),
    ];
    shop.on(GET_STOCK, regex("item-03"), records(three)).await;
    let part = set_rows(&[
        ("item-01", "sub-01", "10", ""),
        ("item-02", "", "", "st-02104"),
        ("item-03", "", "12", ""),
    ]);
    shop.mock(SET_STOCK, 207, regex("item-02"), part, 1).await;
    // The one is set, the other is undone: it goes again alone.
    let shown = &[("item-01", "sub-01", "1", "10", "0"), ("item-03", "", "1", "7", "0")];
    shop.on(
        GET_STOCK,
        Matcher::Exact("seller_id=teststore&item_code=item-01%3Asub-01%2Citem-03".into()),
        records(shown),
    )
    .await;
    let again = shop
        .on(
            SET_STOCK,
            regex("item_code=item-03&quantity=12&allow_overdraft=0"),
            set_rows(&[("item-03", "", "12", "")]),
        )
        .await;
    let outcomes = set(&shop, &[(&keys[0], 10), (&keys[1], 11), (&keys[2], 12)]).await.unwrap();
    assert_eq!(words(&outcomes), ["done", "refused st-02104", "done"]);
    again.assert_async().await;
}

#[tokio::test]
async fn what_was_set_and_never_shows_is_unknown() {
    let mut shop = Shop::open().await;
    let keys = keys();
    shop.mock(GET_STOCK, 200, Matcher::Any, records(&[("item-02", "", "1", "7", "0")]), 3).await;
    shop.mock(SET_STOCK, 207, Matcher::Any, set_rows(&[("item-02", "", "", "ed-10002")]), 2).await;
    assert_eq!(
        words(&set(&shop, &[(&keys[1], 11)]).await.unwrap_or_else(|error| {
            assert!(error.outcome_unknown());
            vec![Outcome::Unknown(error)]
        })),
        ["unknown"]
    );
}

#[tokio::test]
async fn a_listing_that_the_answer_leaves_out_is_unknown_and_one_that_the_read_leaves_out_is_not_tried() {
    let mut shop = Shop::open().await;
    let keys = keys();
    shop.answers(GET_STOCK, records(&[("item-01", "sub-01", "1", "7", "0"), ("item-02", "", "1", "7", "0")]))
        .await;
    shop.answers(SET_STOCK, set_rows(&[("item-02", "", "3", ""), ("other", "", "5", "")])).await;
    let outcomes = set(&shop, &[(&keys[0], 10), (&keys[1], 3), (&keys[2], 5)]).await.unwrap();
    assert_eq!(words(&outcomes), ["unknown", "done", "not tried"]);
}

#[tokio::test]
async fn bad_answers_to_a_push_leave_it_open_and_to_the_look_before_it_change_nothing() {
    let keys = keys();
    for (status, body, kind, unknown) in [
        (500, "down", ErrorKind::Unavailable, true),
        (200, "<html></html>", ErrorKind::MalformedResponse, true),
        (200, "", ErrorKind::MalformedResponse, true),
        (400, "<Error><Code>st-02103</Code></Error>", ErrorKind::InvalidInput, false),
        (429, "", ErrorKind::RateLimited, false),
    ] {
        let mut shop = Shop::open().await;
        shop.answers(GET_STOCK, records(&[("item-02", "", "1", "7", "0")])).await;
        shop.mock(SET_STOCK, status, Matcher::Any, body, 2).await;
        let error = set(&shop, &[(&keys[1], 3)]).await.unwrap_err();
        assert_eq!((error.kind(), error.outcome_unknown()), (kind, unknown), "{status} {body}");
    }
    let mut shop = Shop::open().await;
    shop.mock(GET_STOCK, 500, Matcher::Any, "down", 2).await;
    let written = shop.mock(SET_STOCK, 200, Matcher::Any, "", 0).await;
    let error = set(&shop, &[(&keys[1], 3)]).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::Unavailable, false));
    written.assert_async().await;
}

#[tokio::test]
async fn shown_quantities_are_read_and_unlimited_is_the_largest() {
    let mut shop = Shop::open().await;
    shop.answers(GET_STOCK, sample("get_stock.response.xml").replace("</ResultSet>", "<Result><ItemCode>item-02</ItemCode><Status>1</Status><Quantity></Quantity></Result></ResultSet>")).await;
    let [one, two, three, bad] = keys();
    let listings = [one, ListingKey::option("item-01", "sub-02"), two, three, bad];
    let outcomes = shop.channel.stock().unwrap().read_stock(&cx(), &listings).await.unwrap();
    assert_eq!(words(&outcomes), ["done", "refused", "done", "not tried", "refused"]);
    let shown: Vec<u32> = outcomes
        .iter()
        .filter_map(|o| if let Outcome::Done(s) = o { Some(s.quantity) } else { None })
        .collect();
    assert_eq!(shown, [10, 999_999_999]);
}

#[tokio::test]
async fn listings_are_walked_category_by_category_and_come_once() {
    let mut shop = Shop::open().await;
    let categories = |keys: &[&str]| {
        let rows: String =
            keys.iter().map(|key| format!("<Result><PageKey>{key}</PageKey></Result>")).collect();
        format!("<ResultSet>{rows}</ResultSet>")
    };
    shop.gets(CATEGORIES, &[("seller_id", "teststore"), ("page_key", "c1")], categories(&["c2"])).await;
    shop.gets(CATEGORIES, &[("seller_id", "teststore"), ("page_key", "c2")], categories(&[])).await;
    let item = |code: &str, options: &str| {
        format!(
            "<Result><ItemCode>{code}</ItemCode><HasSubCode>{options}</HasSubCode><Name>名 &amp; 🌿</Name><Display>1</Display><Quantity>3</Quantity></Result>"
        )
    };
    let page = |total: usize, items: &[String]| {
        format!("<ResultSet totalResultsAvailable=\"{total}\">{}</ResultSet>", items.concat())
    };
    let query = |key: &'static str, start: &'static str| {
        [("stcat_key", key), ("start", start), ("results", "100"), ("sort", "+item_code"), ("stock", "true")]
    };
    let one = shop.gets(ITEMS, &query("c1", "1"), page(2, &[item("a", "0")])).await;
    let two = shop.gets(ITEMS, &query("c1", "2"), page(2, &[item("sc-sws", "1")])).await;
    let three = shop.gets(ITEMS, &query("c2", "1"), page(2, &[item("a", "0"), item("b", "0")])).await;
    let looked = shop.gets(ITEM, &[("item_code", "sc-sws")], sample("get_item_subcodes.response.xml")).await;
    shop.server
        .mock("GET", format!("{}?seller_id=teststore", path(CATEGORIES)).as_str())
        .with_body(categories(&["c1"]))
        .create_async()
        .await;
    let listings = shop.channel.listings().unwrap();
    let mut found = Vec::new();
    let mut cursor = None;
    loop {
        let page = listings.list(&cx(), cursor.as_ref()).await.unwrap();
        found.extend(page.listings.into_iter().map(|listing| (listing.key.to_string(), listing.quantity)));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    found.sort();
    assert_eq!(
        found,
        [
            ("a".to_owned(), Some(3)),
            ("b".to_owned(), Some(3)),
            ("sc-sws/sc-sws-vrtest0001".to_owned(), None),
            ("sc-sws/sc-sws-vrtest0008".to_owned(), Some(300)),
        ]
    );
    for mock in [one, two, three, looked] {
        mock.assert_async().await;
    }
}

#[tokio::test]
async fn each_call_is_signed_anew_with_store_and_time() {
    use base64::Engine as _;
    let mut server = mockito::Server::new_async().await;
    token_mock(&mut server).with_body(sample("token_refresh.response.json")).create_async().await;
    let private = rsa::PrivateKey::from_pkcs8_pem(PRIVATE_KEY).unwrap();
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    let notes = Arc::clone(&seen);
    server
        .mock("POST", path(LIST).as_str())
        .with_body_from_request(move |request| {
            let signature = request.header("x-sws-signature")[0].to_str().unwrap().to_owned();
            notes.lock().unwrap().push(signature);
            NOTHING.into()
        })
        .expect(3)
        .create_async()
        .await;
    let channel = YahooShopping::new(&client(), "shop-1", &credentials(), config(&server)).unwrap();
    let query = OrderQuery::window(Window::new(at(FROM), at(TO)));
    let before = Utc::now().timestamp();
    channel.orders().fetch(&cx(), &query, None).await.unwrap();
    let mut signatures = seen.lock().unwrap().clone();
    for signature in &signatures {
        let sealed = base64::engine::general_purpose::STANDARD.decode(signature).unwrap();
        let value = String::from_utf8(private.decrypt(rsa::Pkcs1v15Encrypt, &sealed).unwrap()).unwrap();
        let (seller, time) = value.split_once(':').unwrap();
        assert_eq!(seller, "teststore");
        assert!((before..=Utc::now().timestamp()).contains(&time.parse::<i64>().unwrap()));
    }
    signatures.dedup();
    assert_eq!(signatures.len(), 3);
}

fn token(access: &str, expires_in: u32) -> String {
    format!(r#"{{"access_token":"{access}","token_type":"Bearer","expires_in":{expires_in}}}"#)
}

async fn list_with(
    server: &mut mockito::ServerGuard,
    access: &str,
    status: usize,
    body: &str,
    times: usize,
) -> mockito::Mock {
    server
        .mock("POST", path(LIST).as_str())
        .match_header("authorization", format!("Bearer {access}").as_str())
        .with_status(status)
        .with_body(body)
        .expect(times)
        .create_async()
        .await
}

#[tokio::test]
async fn two_callers_at_once_get_one_token() {
    let mut server = mockito::Server::new_async().await;
    let tokens =
        token_mock(&mut server).with_body(token("access-token-1", 3600)).expect(1).create_async().await;
    list_with(&mut server, "access-token-1", 200, NOTHING, 6).await;
    let channel = YahooShopping::new(&client(), "shop-1", &credentials(), config(&server)).unwrap();
    let query = OrderQuery::window(Window::new(at(FROM), at(TO)));
    let context = cx();
    let fetch = || channel.orders().fetch(&context, &query, None);
    let (one, two) = tokio::join!(fetch(), fetch());
    assert!(one.is_ok() && two.is_ok());
    tokens.assert_async().await;
}

#[tokio::test]
async fn a_token_that_has_ended_is_renewed_once_and_kept_with_the_same_refresh_token() {
    let mut server = mockito::Server::new_async().await;
    let vault = Arc::new(MemoryVault::default());
    let ended = credentials()
        .with("access_token", "access-token-1")
        .with("access_token_ends", "2099-01-01T00:00:00Z");
    vault.save(&"shop-1".into(), &ended).await.unwrap();
    let old =
        list_with(&mut server, "access-token-1", 401, &sample("error_expired_token_401.response.xml"), 1)
            .await;
    let new = list_with(&mut server, "access-token-2", 200, NOTHING, 3).await;
    let tokens =
        token_mock(&mut server).with_body(token("access-token-2", 3600)).expect(1).create_async().await;
    let channel =
        YahooShopping::with_vault(&client(), "shop-1", &ended, config(&server), vault.clone()).unwrap();
    let query = OrderQuery::window(Window::new(at(FROM), at(TO)));
    channel.orders().fetch(&cx(), &query, None).await.unwrap();
    for mock in [old, new, tokens] {
        mock.assert_async().await;
    }
    let kept = vault.load(&"shop-1".into()).await.unwrap().unwrap();
    assert_eq!(kept.get("access_token").unwrap().expose(), "access-token-2");
    assert_eq!(kept.get(REFRESH_TOKEN).unwrap().expose(), REFRESH);
    let shown = channel.credentials().unwrap().current().await;
    assert_eq!(shown, credentials(), "tokens are the library's own");
}

#[tokio::test]
async fn credentials_that_the_hub_saved_without_a_token_are_used() {
    let mut server = mockito::Server::new_async().await;
    let vault = Arc::new(MemoryVault::default());
    vault.save(&"shop-1".into(), &credentials()).await.unwrap();
    let old = credentials()
        .with("access_token", "access-token-1")
        .with("access_token_ends", "2026-01-01T00:00:00Z");
    let tokens =
        token_mock(&mut server).with_body(token("access-token-2", 3600)).expect(1).create_async().await;
    list_with(&mut server, "access-token-2", 200, NOTHING, 3).await;
    let channel = YahooShopping::with_vault(&client(), "shop-1", &old, config(&server), vault).unwrap();
    let query = OrderQuery::window(Window::new(at(FROM), at(TO)));
    channel.orders().fetch(&cx(), &query, None).await.unwrap();
    tokens.assert_async().await;
}

#[tokio::test]
async fn a_session_that_is_over_asks_for_a_person_after_one_renewal() {
    let mut server = mockito::Server::new_async().await;
    let tokens =
        token_mock(&mut server).with_body(token("access-token-1", 3600)).expect(2).create_async().await;
    let refused = server
        .mock("POST", path(LIST).as_str())
        .with_status(401)
        .with_header("X-SWS-Authorize-Status", "expired-key-version")
        .with_body(sample("error_px04102.response.xml"))
        .expect(2)
        .create_async()
        .await;
    let channel = YahooShopping::new(&client(), "shop-1", &credentials(), config(&server)).unwrap();
    let query = OrderQuery::window(Window::new(at(FROM), at(TO)));
    let error = channel.orders().fetch(&cx(), &query, None).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.code(), error.retry()),
        (ErrorKind::CredentialExpired, Some("px-04102"), Retry::Never)
    );
    assert!(error.to_string().contains("the public key's year is over"), "{error}");
    tokens.assert_async().await;
    refused.assert_async().await;
}

#[tokio::test]
async fn a_token_that_is_refused_twice_is_no_matter_of_time() {
    let mut server = mockito::Server::new_async().await;
    token_mock(&mut server).with_body(token("access-token-1", 3600)).create_async().await;
    list_with(&mut server, "access-token-1", 401, &sample("error_expired_token_401.response.xml"), 2).await;
    let channel = YahooShopping::new(&client(), "shop-1", &credentials(), config(&server)).unwrap();
    let query = OrderQuery::window(Window::new(at(FROM), at(TO)));
    let error = channel.orders().fetch(&cx(), &query, None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
}

#[tokio::test]
async fn what_the_token_endpoint_says() {
    let cases = [
        (
            400,
            r#"{"error":"invalid_grant","error_description":"very-secret-refresh-token is unknown"}"#,
            ErrorKind::CredentialExpired,
            1,
        ),
        (401, r#"{"error":"invalid_client"}"#, ErrorKind::Unauthorized, 1),
        (400, r#"{"error":"invalid_request"}"#, ErrorKind::Configuration, 1),
        (401, "", ErrorKind::Unauthorized, 1),
        (500, r#"{"error":"server_error"}"#, ErrorKind::Unavailable, 2),
        (503, "<html></html>", ErrorKind::Unavailable, 2),
        (400, "<html></html>", ErrorKind::Unavailable, 2),
        (404, "", ErrorKind::Configuration, 1),
        (429, "", ErrorKind::RateLimited, 2),
        (200, "<html></html>", ErrorKind::MalformedResponse, 2),
        (200, "", ErrorKind::MalformedResponse, 2),
        (200, r#"{"token_type":"Bearer"}"#, ErrorKind::MalformedResponse, 2),
        (200, r#"{"access_token":"a"#, ErrorKind::MalformedResponse, 2),
    ];
    for (status, body, kind, times) in cases {
        let mut server = mockito::Server::new_async().await;
        let asked =
            token_mock(&mut server).with_status(status).with_body(body).expect(times).create_async().await;
        let channel = YahooShopping::new(&client(), "shop-1", &credentials(), config(&server)).unwrap();
        // A change that waited for a token was not begun.
        let order = known("s-1", &[]);
        let error =
            channel.confirm().unwrap().confirm(&cx(), &[ConfirmRequest::new(&order)]).await.unwrap_err();
        assert_eq!((error.kind(), error.outcome_unknown()), (kind, false), "{status} {body}: {error}");
        let told = format!("{error} {error:?}");
        assert!(!told.contains(REFRESH) && !told.contains(SECRET), "{told}");
        asked.assert_async().await;
    }
}

#[tokio::test]
async fn secrets_that_the_channel_repeats_are_not_told_and_no_secret_is_in_an_address() {
    let mut shop = Shop::open().await;
    let body = format!("<Error><Message>{TOKEN} is bad for 山田</Message><Code>od90101</Code></Error>");
    shop.mock(LIST, 400, Matcher::Any, body, 1).await;
    let error = shop.fetch(FROM, TO).await.unwrap_err();
    let told = format!("{error} {error:?} {:?}", shop.channel);
    for secret in [TOKEN, REFRESH, SECRET] {
        assert!(!told.contains(secret), "{told}");
    }
    assert!(told.contains("[secret]"));
}

async fn tested(
    status: Option<&str>,
    lists: (usize, &str),
    categories: (usize, &str),
    credentials: &Credentials,
) -> sales_channels::Result<sales_channels::channel::ConnectionReport> {
    let mut server = mockito::Server::new_async().await;
    token_mock(&mut server).with_body(token(TOKEN, 3600)).create_async().await;
    let mut mock = server
        .mock("POST", path(LIST).as_str())
        .match_body(regex("<Result>1</Result>"))
        .with_status(lists.0)
        .with_body(lists.1);
    if let Some(status) = status {
        mock = mock.with_header("X-SWS-Authorize-Status", status);
    }
    mock.create_async().await;
    server
        .mock("GET", path(CATEGORIES).as_str())
        .match_query(Matcher::UrlEncoded("seller_id".into(), "teststore".into()))
        .with_status(categories.0)
        .with_body(categories.1)
        .create_async()
        .await;
    let channel = YahooShopping::new(&client(), "shop-1", credentials, config(&server)).unwrap();
    channel.test(&cx()).await
}

fn checked(report: &sales_channels::channel::ConnectionReport, wanted: Capability) -> String {
    let (_, check) = report.capabilities.iter().find(|(capability, _)| *capability == wanted).unwrap();
    match check {
        CapabilityCheck::Allowed => "allowed".into(),
        CapabilityCheck::Assumed => "assumed".into(),
        CapabilityCheck::Denied { reason } => reason.clone(),
        _ => "?".into(),
    }
}

const NO_CATEGORIES: (usize, &str) = (200, "<ResultSet></ResultSet>");

#[tokio::test]
async fn the_connection_test_proves_orders_and_items() {
    let ends = at("2026-12-18T09:00:00+09:00");
    let report = tested(Some("authorized"), (200, NOTHING), NO_CATEGORIES, &credentials().expiring(ends))
        .await
        .unwrap();
    assert!(report.is_complete());
    assert_eq!(checked(&report, Capability::FetchOrders), "allowed");
    assert_eq!(checked(&report, Capability::ListListings), "allowed");
    assert_eq!(checked(&report, Capability::DispatchOrders), "assumed");
    assert_eq!((report.credentials_end, report.notes.len()), (Some(ends), 0));
    let report = tested(None, (200, NOTHING), NO_CATEGORIES, &credentials()).await.unwrap();
    assert!(report.is_complete());
    assert_eq!(report.notes.len(), 2, "neither the signature nor the end is known: {:?}", report.notes);
}

#[tokio::test]
async fn a_bad_public_key_is_told_by_the_connection_test_although_calls_work() {
    let report =
        tested(Some("not-found-key-version"), (200, NOTHING), NO_CATEGORIES, &credentials()).await.unwrap();
    let reason = checked(&report, Capability::FetchOrders);
    assert!(reason.contains("no public key of this version") && reason.contains("12 hours"), "{reason}");
    assert!(checked(&report, Capability::ConfirmOrders).contains("12 hours"));
    assert_eq!(checked(&report, Capability::UpdateStock), "assumed");
    assert!(report.notes.iter().any(|note| note.contains("no public key of this version")));
    let unsigned = credentials().with(PUBLIC_KEY, "").with(PUBLIC_KEY_VERSION, "");
    let report = tested(None, (200, NOTHING), NO_CATEGORIES, &unsigned).await.unwrap();
    assert!(report.notes.iter().any(|note| note.contains("no public key is entered")));
}

#[tokio::test]
async fn the_connection_test_names_what_is_missing() {
    let ip = "<Error><Code>px-04306</Code><Message>x</Message></Error>";
    let report = tested(Some("authorized"), (403, ip), NO_CATEGORIES, &credentials()).await.unwrap();
    assert!(checked(&report, Capability::FetchOrders).contains("IP address"));
    assert!(checked(&report, Capability::DispatchOrders).contains("IP address"));
    assert_eq!(checked(&report, Capability::ListListings), "allowed");
    let error = tested(Some("authorized"), (500, "down"), NO_CATEGORIES, &credentials()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let error = tested(Some("authorized"), (200, NOTHING), (401, ""), &credentials()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
}

#[tokio::test]
async fn new_credentials_are_proven_before_they_are_used() {
    let mut server = mockito::Server::new_async().await;
    token_mock(&mut server).with_body(token("access-token-1", 3600)).create_async().await;
    server
        .mock("POST", "/yconnect/v2/token")
        .match_body("grant_type=refresh_token&refresh_token=the-next-refresh-token")
        .with_body(token("access-token-2", 3600))
        .create_async()
        .await;
    server
        .mock("POST", "/yconnect/v2/token")
        .match_body("grant_type=refresh_token&refresh_token=a-wrong-refresh-token")
        .with_status(400)
        .with_body(r#"{"error":"invalid_grant"}"#)
        .create_async()
        .await;
    let used = list_with(&mut server, "access-token-2", 200, NOTHING, 4).await;
    let old = credentials().expiring(at("2026-12-18T09:00:00+09:00"));
    let channel = YahooShopping::new(&client(), "shop-1", &old, config(&server)).unwrap();
    let renew = channel.credentials().unwrap();
    let next = |token: &str| old.clone().with(REFRESH_TOKEN, token);
    let wrong = renew.replace(&cx(), &next("a-wrong-refresh-token")).await.unwrap_err();
    assert_eq!(wrong.kind(), ErrorKind::CredentialExpired);
    let mut endless = next("the-next-refresh-token");
    endless.expires_at = None;
    assert_eq!(renew.replace(&cx(), &endless).await.unwrap_err().kind(), ErrorKind::InvalidInput);
    let unreadable = next("the-next-refresh-token").with(PUBLIC_KEY, "no key");
    assert_eq!(renew.replace(&cx(), &unreadable).await.unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(renew.current().await, old, "the old ones stay in use");
    let good = next("the-next-refresh-token").expiring(at("2027-01-15T09:00:00+09:00"));
    renew.replace(&cx(), &good).await.unwrap();
    assert_eq!(renew.current().await, good);
    assert_eq!(renew.expiry(&cx()).await.unwrap(), None);
    let query = OrderQuery::window(Window::new(at(FROM), at(TO)));
    channel.orders().fetch(&cx(), &query, None).await.unwrap();
    used.assert_async().await;
}

#[tokio::test]
async fn a_code_is_exchanged_once_and_ends_four_weeks_later() {
    let mut server = mockito::Server::new_async().await;
    let asked = server
        .mock("POST", "/yconnect/v2/token")
        .match_header("authorization", "Basic ZGowMGFpWnBQUTp2ZXJ5LXNlY3JldC1vZi10aGUtYXBw")
        .match_body("grant_type=authorization_code&code=SxlOBeZQ&redirect_uri=https%3A%2F%2Fclient.example.org%2Fcb")
        .with_body(r#"{"access_token":"a-1","token_type":"Bearer","refresh_token":"r-1","expires_in":3600,"id_token":"x"}"#)
        .expect(1)
        .create_async()
        .await;
    let app = Credentials::new().with(CLIENT_ID, "dj00aiZpPQ").with(CLIENT_SECRET, SECRET);
    let before = Utc::now();
    let config = config(&server);
    let exchange_with = |client: sales_channels::http::HttpClient| {
        let (config, app) = (config.clone(), app.clone());
        async move {
            exchange_code(
                &client,
                &Context::new(),
                &config,
                "shop-1",
                &app,
                "https://client.example.org/cb",
                &"SxlOBeZQ".into(),
            )
            .await
        }
    };
    let fresh = exchange_with(client()).await.unwrap();
    assert_eq!(fresh.get(REFRESH_TOKEN).unwrap().expose(), "r-1");
    let days = fresh.expires_at.unwrap() - before;
    assert_eq!(days.num_days(), 28);
    asked.assert_async().await;
    asked.remove_async().await;
    let lost = server.mock("POST", "/yconnect/v2/token").with_status(500).expect(1).create_async().await;
    assert!(exchange_with(client()).await.is_err());
    lost.assert_async().await;
}

#[tokio::test]
async fn the_registry_opens_a_store_from_stored_settings_alone() {
    let server = mockito::Server::new_async().await;
    let adapter = adapters::find("yahoo_shopping").unwrap();
    let opening = Opening::new(&client(), "shop-1", credentials()).at(server.url().parse().unwrap());
    let channel = (adapter.open)(&opening).unwrap();
    assert_eq!(channel.info().id.as_str(), "yahoo_shopping");
    let vaulted = opening.with_vault(Arc::new(MemoryVault::default()));
    assert!((adapter.open)(&vaulted).is_ok());
    let missing = Opening::new(&client(), "shop-1", Credentials::new());
    assert_eq!((adapter.open)(&missing).unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[tokio::test]
async fn a_new_key_that_the_channel_does_not_accept_is_not_used() {
    let mut server = mockito::Server::new_async().await;
    token_mock(&mut server).with_body(token("access-token-1", 3600)).create_async().await;
    server
        .mock("POST", path(LIST).as_str())
        .match_header("x-sws-signature-version", "4")
        .with_header("X-SWS-Authorize-Status", "not-found-key-version")
        .with_body(NOTHING)
        .expect(1)
        .create_async()
        .await;
    let channel = YahooShopping::new(&client(), "shop-1", &credentials(), config(&server)).unwrap();
    let renew = channel.credentials().unwrap();
    let error = renew.replace(&cx(), &credentials().with(PUBLIC_KEY_VERSION, "4")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert!(error.to_string().contains("no public key of this version"), "{error}");
    assert_eq!(renew.current().await, credentials());
}
