//! The pure parts: tables row by row, documents, rows, plans, keys.

use std::collections::BTreeSet;

use apollo_compiler::{ExecutableDocument, Schema};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use serde_json::value::RawValue;

use super::auth::{ACCESS_TOKEN_ENDS, Kind, Token, new_token, shop, token_form, token_state};
use super::dispatch::{carrier_name, plan};
use super::documents::{self, ORDERS};
use super::errors::{by_code, by_status, judge_body};
use super::fetch::{Pass, Place, list_sizes, single_sizes, terms};
use super::listings::{Level, Variant, variants};
use super::orders::{Draft, Room, draft};
use super::parts::{OrderData, Parcel, Part, PartLine};
use super::status::{Choices, Facts, holds, status};
use super::stock::{intent_key, only_location, quantity, refusals, variant_of};
use super::webhooks::{receive, sign_webhook};
use super::wire::Answer;
use super::{ACCESS_TOKEN, CLIENT_ID, CLIENT_SECRET, Config, REFRESH_TOKEN, SHOP};
use crate::channel::{
    Context, Credentials, DispatchRequest, Notify, Outcome, PageCursor, StockChange, Tracking, WebhookEvent,
    WebhookRequest,
};
use crate::error::{Effect, ErrorKind, Retry};
use crate::model::{ChannelData, Currency, Hold, LineId, ListingKey, Order, OrderStatus, Window};

const SCHEMA: &str = include_str!("../../tests/samples/shopify/admin.graphql");
const SAMPLE: &str = include_str!("../../tests/samples/shopify/orders.response.json");
const THROTTLED: &str = include_str!("../../tests/samples/shopify/throttled.response.json");

fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().with_timezone(&Utc)
}

fn now() -> DateTime<Utc> {
    at("2026-11-24T01:00:00Z")
}

#[test]
fn every_document_fits_the_official_schema() {
    let schema = Schema::parse_and_validate(SCHEMA, "admin.graphql").unwrap();
    assert_eq!(documents::ALL.len(), 16);
    for document in documents::ALL {
        let parsed = ExecutableDocument::parse_and_validate(&schema, document.text, document.name)
            .unwrap_or_else(|e| panic!("{}: {e}", document.name));
        let operation = parsed.operations.get(Some(document.name)).unwrap();
        assert_eq!(operation.is_mutation(), document.writes, "{}", document.name);
        let roots: Vec<&str> =
            operation.root_fields(&parsed).map(|field| field.response_key().as_str()).collect();
        assert!(roots.contains(&document.root), "{}: {roots:?}", document.name);
    }
}

#[test]
fn a_typo_in_a_field_fails_the_check_against_the_schema() {
    let schema = Schema::parse_and_validate(SCHEMA, "admin.graphql").unwrap();
    for (right, wrong) in
        [("displayFinancialStatus", "displayFinancialState"), ("$first: Int!", "$first: ID!")]
    {
        let text = ORDERS.text.replacen(right, wrong, 1);
        assert_ne!(text, ORDERS.text);
        assert!(ExecutableDocument::parse_and_validate(&schema, text, "typo").is_err(), "{wrong}");
    }
}

#[test]
fn the_sample_documents_fit_the_schema_too() {
    let schema = Schema::parse_and_validate(SCHEMA, "admin.graphql").unwrap();
    for text in [
        include_str!("../../tests/samples/shopify/cancel.graphql"),
        include_str!("../../tests/samples/shopify/deadline.graphql"),
        include_str!("../../tests/samples/shopify/fulfill.graphql"),
        include_str!("../../tests/samples/shopify/orders.graphql"),
        include_str!("../../tests/samples/shopify/stock.graphql"),
        include_str!("../../tests/samples/shopify/tracking.graphql"),
        include_str!("../../tests/samples/shopify/variants.graphql"),
        include_str!("../../tests/samples/shopify/webhook.graphql"),
    ] {
        ExecutableDocument::parse_and_validate(&schema, text, "sample").unwrap();
    }
}

fn row(json: &serde_json::Value) -> Box<RawValue> {
    serde_json::value::to_raw_value(json).unwrap()
}

fn sample_row() -> serde_json::Value {
    let page: serde_json::Value = serde_json::from_str(SAMPLE).unwrap();
    page["data"]["orders"]["nodes"][0].clone()
}

const ROOM: Room = Room { parts: 5, parcels: 5 };

fn read(json: &serde_json::Value) -> Result<Draft, &'static str> {
    draft(&row(json), &Config::new(Currency::JPY, chrono_tz::Asia::Tokyo), now(), ROOM, false)
}

fn order(json: &serde_json::Value) -> Order {
    let config = Config::new(Currency::JPY, chrono_tz::Asia::Tokyo);
    read(json).unwrap().finish(&config, &Choices::default()).unwrap()
}

#[test]
fn the_sample_row_is_read_field_by_field() {
    let order = order(&sample_row());
    assert_eq!((order.id.as_str(), order.number.as_deref()), ("gid://shopify/Order/5001", Some("#1001")));
    assert_eq!((order.status, order.holds.as_slice()), (OrderStatus::New, &[][..]));
    assert_eq!(order.ordered_at, at("2026-11-20T01:02:03Z"));
    assert_eq!(order.updated_at, at("2026-11-20T01:05:00Z"));
    assert_eq!(order.currency, Currency::JPY);
    assert_eq!(order.totals.total.unwrap().to_string(), "4480.0 JPY", "the digits are kept");
    assert_eq!(order.totals.shipping.unwrap().to_string(), "500.0 JPY");
    let buyer = order.buyer.reveal();
    assert_eq!((buyer.name.as_str(), buyer.email.as_str()), ("田中 一郎", "buyer@example.com"));
    let to = order.destinations[0].recipient.reveal();
    assert_eq!((to.name.as_str(), to.phone.as_str()), ("田中 一郎", "+819000000002"));
    assert_eq!((to.address.country.as_str(), to.address.postal_code.as_str()), ("JP", "530-0001"));
    assert_eq!((to.address.region.as_str(), to.address.city.as_str()), ("Osaka", "大阪市北区"));
    assert_eq!(to.address.lines, ["梅田1-1-1", "101号"]);
    assert_eq!(order.memo.as_ref().unwrap().reveal(), "置き配希望 📦\nTee: Engraving: A.B.");
    let line = &order.lines[0];
    assert_eq!(
        line.listing,
        ListingKey::option("gid://shopify/Product/61", "gid://shopify/ProductVariant/71")
    );
    assert_eq!(line.sku.as_ref().unwrap().as_str(), "TEE-01-RED-S");
    assert_eq!((line.title.as_str(), line.option_text.as_str()), ("Tee", "Red / S"));
    assert_eq!((line.quantity, line.cancelled, line.shipped), (2, 0, 0));
    assert_eq!(line.unit_price.unwrap().to_string(), "1990.0 JPY");
    assert_eq!(line.total.unwrap().to_string(), "3980.0 JPY");
    assert_eq!(line.discount, None);
    let data: OrderData = order.channel_data.read().unwrap();
    assert_eq!(data.parts[0].id, "gid://shopify/FulfillmentOrder/3001");
    assert_eq!(
        (data.parts[0].location.as_str(), data.parts[0].can_ship),
        ("gid://shopify/Location/11", true)
    );
    assert_eq!(data.parts[0].lines[0].left, 2);
    assert!(order.raw.reveal().contains("置き配希望 📦"));
}

#[test]
fn amounts_are_of_the_order_s_own_currency_or_left_out() {
    let mut json = sample_row();
    json["currencyCode"] = json!("USDC");
    json["lineItems"]["nodes"][0]["originalUnitPriceSet"]["shopMoney"]["currencyCode"] = json!("USDC");
    let read = order(&json);
    assert_eq!(read.currency, Currency::JPY, "the configured one stands in");
    assert_eq!((read.totals.total, read.lines[0].unit_price), (None, None));
    let mut json = sample_row();
    json["totalPriceSet"]["shopMoney"]["currencyCode"] = json!("EUR");
    assert_eq!(order(&json).totals.total, None);
    let mut json = sample_row();
    json["lineItems"]["nodes"][0]["discountedUnitPriceAfterAllDiscountsSet"]["shopMoney"]["amount"] =
        json!(1890.5);
    let line = order(&json).lines.remove(0);
    assert_eq!(line.discount.unwrap().to_string(), "199.0 JPY");
    assert_eq!(line.total.unwrap().to_string(), "3781.0 JPY");
}

#[test]
fn pieces_are_counted_from_what_is_current_and_unfulfilled() {
    for (quantity, current, unfulfilled, cancelled, shipped) in
        [(2, 2, 2, 0, 0), (3, 2, 2, 1, 0), (3, 3, 1, 0, 2), (2, 1, 0, 1, 1), (2, 0, 0, 2, 0)]
    {
        let mut json = sample_row();
        let line = &mut json["lineItems"]["nodes"][0];
        line["quantity"] = json!(quantity);
        line["currentQuantity"] = json!(current);
        line["unfulfilledQuantity"] = json!(unfulfilled);
        let line = order(&json).lines.remove(0);
        assert_eq!(
            (line.cancelled, line.shipped),
            (cancelled, shipped),
            "{quantity} {current} {unfulfilled}"
        );
    }
}

#[test]
fn a_row_without_what_is_needed_is_unreadable_and_says_why_without_personal_data() {
    for (path, value) in [
        ("id", json!(null)),
        ("createdAt", json!("yesterday")),
        ("lineItems", json!(null)),
        ("fulfillmentOrders", json!(null)),
        ("fulfillments", json!(null)),
        ("lineItems", json!({"pageInfo": {"hasNextPage": false}, "nodes": [null]})),
        ("lineItems", json!({"nodes": []})),
        ("fulfillments", json!([{"status": "SUCCESS"}])),
    ] {
        let mut json = sample_row();
        json[path] = value.clone();
        if path == "createdAt" {
            json["processedAt"] = json!(null);
        }
        let why = read(&json).err().unwrap_or_else(|| panic!("{path} {value}"));
        assert!(!why.contains("田中") && !why.is_empty(), "{why}");
    }
}

#[test]
fn missing_and_strange_fields_are_no_panic() {
    let mut json = sample_row();
    for field in ["shippingAddress", "customer", "note", "customAttributes", "totalPriceSet", "email"] {
        json[field] = json!(null);
    }
    json["lineItems"]["nodes"][0]["variant"] = json!(null);
    json["lineItems"]["nodes"][0]["product"] = json!(null);
    json["lineItems"]["nodes"][0]["sku"] = json!("");
    json["someFieldOfNextYear"] = json!({"a": [1, 2]});
    let order = order(&json);
    assert!(order.destinations.is_empty() && order.totals.total.is_none());
    assert_eq!(order.lines[0].listing, ListingKey::item("gid://shopify/LineItem/9001"));
    assert_eq!(order.lines[0].sku, None);
}

fn parcel(number: &str, status: &str, shown: &str, pieces: u32) -> Parcel {
    Parcel {
        id: format!("gid://shopify/Fulfillment/{number}"),
        status: status.into(),
        shown: shown.into(),
        pieces,
        tracking: vec![Tracking::new("Yamato (JA)", number)],
    }
}

#[test]
fn status_table_row_by_row() {
    use OrderStatus as S;
    let left = true;
    let table = [
        ("PAID", "UNFULFILLED", S::New),
        ("PAID", "OPEN", S::New),
        ("PAID", "IN_PROGRESS", S::New),
        ("PAID", "PENDING_FULFILLMENT", S::New),
        ("PAID", "ON_HOLD", S::New),
        ("PAID", "SCHEDULED", S::New),
        ("PAID", "REQUEST_DECLINED", S::New),
        ("PAID", "PARTIALLY_FULFILLED", S::Confirmed),
        ("PARTIALLY_REFUNDED", "UNFULFILLED", S::New),
        ("AUTHORIZED", "UNFULFILLED", S::New),
        ("PENDING", "UNFULFILLED", S::PendingPayment),
        ("PENDING", "PARTIALLY_FULFILLED", S::PendingPayment),
        ("PARTIALLY_PAID", "UNFULFILLED", S::PendingPayment),
        ("EXPIRED", "UNFULFILLED", S::PendingPayment),
        ("VOIDED", "UNFULFILLED", S::PendingPayment),
        ("REFUNDED", "UNFULFILLED", S::Cancelled),
        ("REFUNDED", "PARTIALLY_FULFILLED", S::Confirmed),
        ("PAID", "FULFILLED", S::Shipped),
        ("REFUNDED", "FULFILLED", S::Shipped),
        ("PENDING", "FULFILLED", S::Shipped),
        ("PAID", "FULFILLMENT_NOT_REQUIRED", S::Delivered),
        ("PAID", "RESTOCKED", S::Unknown),
        ("PAID", "TELEPORTED", S::Unknown),
        ("BARTERED", "UNFULFILLED", S::Unknown),
        ("", "UNFULFILLED", S::Unknown),
    ];
    for (financial, fulfilment, expected) in table {
        let facts = Facts { financial: financial.into(), fulfilment: fulfilment.into(), ..Facts::default() };
        assert_eq!(status(&facts, &[], left, &Choices::default()), expected, "{financial} {fulfilment}");
        let cancelled = Facts { cancelled: true, ..facts };
        assert_eq!(status(&cancelled, &[], left, &Choices::default()), S::Cancelled);
    }
    let facts = |financial: &str, fulfilment: &str, unpaid| Facts {
        cancelled: false,
        financial: financial.into(),
        fulfilment: fulfilment.into(),
        unpaid,
    };
    let none = Choices::default();
    assert_eq!(status(&facts("", "UNFULFILLED", Some(true)), &[], left, &none), S::PendingPayment);
    assert_eq!(status(&facts("PAID", "RESTOCKED", None), &[], false, &none), S::Cancelled);
    assert_eq!(
        status(&facts("PAID", "UNFULFILLED", None), &[], false, &none),
        S::Cancelled,
        "nothing is left"
    );
    let gone = [parcel("1", "SUCCESS", "", 1)];
    assert_eq!(status(&facts("PAID", "UNFULFILLED", None), &gone, false, &none), S::New);
    let waits = Choices { authorized_waits: true, ..Choices::default() };
    assert_eq!(status(&facts("AUTHORIZED", "UNFULFILLED", None), &[], left, &waits), S::PendingPayment);
    let ships = Choices { pending_ships: true, ..Choices::default() };
    assert_eq!(status(&facts("PENDING", "UNFULFILLED", None), &[], left, &ships), S::New);
    for (shown, expected) in [
        (vec!["DELIVERED"], S::Delivered),
        (vec!["DELIVERED", "PICKED_UP"], S::Delivered),
        (vec!["DELIVERED", "IN_TRANSIT"], S::Shipped),
        (vec!["DELIVERED", "NOT_DELIVERED"], S::DeliveryFailed),
        (vec!["FAILURE"], S::DeliveryFailed),
        (vec!["SOMETHING_NEW"], S::Shipped),
    ] {
        let mut parcels: Vec<Parcel> = shown.iter().map(|s| parcel("1", "SUCCESS", s, 1)).collect();
        parcels.push(parcel("2", "CANCELLED", "CANCELED", 1));
        assert_eq!(status(&facts("PAID", "FULFILLED", None), &parcels, false, &none), expected, "{shown:?}");
    }
}

#[test]
fn what_can_not_be_shipped_is_held() {
    let facts = |financial: &str, fulfilment: &str| Facts {
        financial: financial.into(),
        fulfilment: fulfilment.into(),
        ..Facts::default()
    };
    let table = [
        (facts("PAID", "UNFULFILLED"), OrderStatus::New, false, false, vec![]),
        (facts("PAID", "ON_HOLD"), OrderStatus::New, false, false, vec![Hold::OnHold]),
        (facts("PAID", "SCHEDULED"), OrderStatus::New, false, false, vec![Hold::OnHold]),
        (facts("PAID", "REQUEST_DECLINED"), OrderStatus::New, false, false, vec![Hold::OnHold]),
        (facts("PAID", "PARTIALLY_FULFILLED"), OrderStatus::Confirmed, true, false, vec![Hold::OnHold]),
        (
            facts("EXPIRED", "UNFULFILLED"),
            OrderStatus::PendingPayment,
            false,
            false,
            vec![Hold::PaymentInProcess],
        ),
        (
            facts("REFUNDED", "PARTIALLY_FULFILLED"),
            OrderStatus::Confirmed,
            false,
            false,
            vec![Hold::ChangePending],
        ),
        (facts("PAID", "NEW_WORD"), OrderStatus::Unknown, false, false, vec![Hold::OnHold]),
        (facts("PAID", "UNFULFILLED"), OrderStatus::New, false, true, vec![Hold::AddressWithheld]),
        (facts("PAID", "FULFILLED"), OrderStatus::Shipped, true, true, vec![]),
    ];
    for (facts, status, part, denied, expected) in table {
        assert_eq!(holds(&facts, status, part, denied), expected, "{facts:?}");
    }
}

#[test]
fn http_status_table_row_by_row() {
    use ErrorKind as K;
    for (status, kind) in [
        (400, K::InvalidInput),
        (401, K::Unauthorized),
        (402, K::Forbidden),
        (403, K::Forbidden),
        (404, K::Configuration),
        (406, K::InvalidInput),
        (410, K::Configuration),
        (422, K::InvalidInput),
        (423, K::Forbidden),
        (430, K::Forbidden),
    ] {
        let verdict = by_status(status).unwrap();
        assert_eq!(
            (verdict.kind, verdict.retry, verdict.effect),
            (kind, Retry::Never, Effect::None),
            "{status}"
        );
        assert!(!verdict.meaning.is_empty());
    }
    for elsewhere in [200, 302, 408, 429, 500, 502, 503] {
        assert_eq!(by_status(elsewhere), None, "{elsewhere} means what it means everywhere");
    }
}

#[test]
fn graphql_code_table_row_by_row() {
    use ErrorKind as K;
    let table = [
        ("THROTTLED", K::RateLimited, Retry::Later, Effect::None),
        ("ACCESS_DENIED", K::Forbidden, Retry::Never, Effect::None),
        ("MAX_COST_EXCEEDED", K::InvalidInput, Retry::Never, Effect::None),
        ("SHOP_INACTIVE", K::Forbidden, Retry::Never, Effect::None),
        ("INTERNAL_SERVER_ERROR", K::Unavailable, Retry::Later, Effect::Unknown),
        ("TIMEOUT", K::TimedOut, Retry::Later, Effect::Unknown),
        ("BAD_REQUEST", K::InvalidInput, Retry::Never, Effect::None),
        ("undefinedField", K::Configuration, Retry::Never, Effect::None),
        ("SOMETHING_NEW", K::MalformedResponse, Retry::Later, Effect::Unknown),
        ("", K::MalformedResponse, Retry::Later, Effect::Unknown),
    ];
    for (code, kind, retry, effect) in table {
        let verdict = by_code(code);
        assert_eq!((verdict.kind, verdict.retry, verdict.effect), (kind, retry, effect), "{code}");
        let body = format!(r#"{{"errors":[{{"message":"m","extensions":{{"code":"{code}"}}}}]}}"#);
        let read = judge_body(&ORDERS, body.as_bytes()).unwrap_err();
        assert_eq!((read.kind(), read.outcome_unknown()), (kind, false), "{code}: a read changes nothing");
        let written = judge_body(&documents::FULFILL, body.as_bytes()).unwrap_err();
        assert_eq!(written.outcome_unknown(), effect == Effect::Unknown, "{code}");
    }
}

#[test]
fn throttling_says_how_long_to_wait() {
    let error = judge_body(&ORDERS, THROTTLED.as_bytes()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    // (500 - 120) points at 100 a second.
    assert_eq!(error.retry_after(), Some(std::time::Duration::from_millis(3800)));
    let without_cost = r#"{"errors":[{"message":"Throttled","extensions":{"code":"THROTTLED"}}]}"#;
    assert_eq!(judge_body(&ORDERS, without_cost.as_bytes()).unwrap_err().retry(), Retry::Later);
}

#[test]
fn errors_beside_the_data_are_no_failure_and_without_it_are() {
    let denied = r#"{"data":{"orders":{"nodes":[]}},"errors":[{"message":"no","path":["orders","nodes",3,"shippingAddress"],"extensions":{"code":"ACCESS_DENIED"}}]}"#;
    judge_body(&ORDERS, denied.as_bytes()).unwrap();
    let answer = Answer::read(denied).unwrap();
    assert!(answer.is_denied("shippingAddress", Some(3)) && answer.is_denied("shippingAddress", None));
    assert!(!answer.is_denied("shippingAddress", Some(2)) && !answer.is_denied("customer", Some(3)));
    for body in [
        r#"{"data":{"orders":null},"errors":[{"message":"no","extensions":{"code":"ACCESS_DENIED"}}]}"#,
        r#"{"data":null,"errors":[{"message":"no","extensions":{"code":"ACCESS_DENIED"}}]}"#,
    ] {
        assert_eq!(judge_body(&ORDERS, body.as_bytes()).unwrap_err().kind(), ErrorKind::Forbidden);
    }
    for body in ["{}", "[]", "7", r#"{"data":{}}"#, r#"{"errors":"[API] down"}"#] {
        let error = judge_body(&ORDERS, body.as_bytes()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MalformedResponse, "{body}");
    }
    judge_body(&documents::ORDER_BY_ID, br#"{"data":{"order":null}}"#).unwrap();
}

#[test]
fn only_shopify_s_own_names_are_shops() {
    let shop_of = |text: &str| shop(&Credentials::new().with(SHOP, text));
    assert_eq!(shop_of(" My-Shop1.myshopify.com ").unwrap(), "my-shop1.myshopify.com");
    for wrong in [
        "",
        "myshopify.com",
        ".myshopify.com",
        "-a.myshopify.com",
        "a.b.myshopify.com",
        "a.myshopify.com.evil.example",
        "evil.example/a.myshopify.com",
        "evil.example#.myshopify.com",
        "a@evil.myshopify.com",
        "a:1.myshopify.com",
        "http://a.myshopify.com",
        "a_b.myshopify.com",
        "あ.myshopify.com",
        "a.myshopify.com/",
        "a.myshopify.com\nx",
    ] {
        assert_eq!(shop_of(wrong).unwrap_err().kind(), ErrorKind::InvalidInput, "{wrong}");
    }
}

#[test]
fn the_parts_make_the_kind_of_token() {
    let with = |parts: &[&str]| parts.iter().fold(Credentials::new(), |all, part| all.with(part, "x"));
    for (parts, kind) in [
        (&[ACCESS_TOKEN][..], Some(Kind::Permanent)),
        (&[ACCESS_TOKEN, CLIENT_SECRET], Some(Kind::Permanent)),
        (&[ACCESS_TOKEN, CLIENT_ID, CLIENT_SECRET], Some(Kind::Permanent)),
        (&[CLIENT_ID, CLIENT_SECRET], Some(Kind::Granted)),
        (&[ACCESS_TOKEN, ACCESS_TOKEN_ENDS, CLIENT_ID, CLIENT_SECRET], Some(Kind::Granted)),
        (&[ACCESS_TOKEN, CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN], Some(Kind::Refreshed)),
        (&[CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN], Some(Kind::Refreshed)),
        (&[ACCESS_TOKEN, REFRESH_TOKEN], None),
        (&[CLIENT_ID], None),
        (&[], None),
    ] {
        assert_eq!(Kind::of(&with(parts)).ok(), kind, "{parts:?}");
    }
    let refreshed = with(&[CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN]);
    let names = |kind| -> Vec<&str> {
        token_form(kind, &refreshed).unwrap().into_iter().map(|(name, _)| name).collect()
    };
    assert_eq!(names(Kind::Refreshed), ["client_id", "client_secret", "grant_type", "refresh_token"]);
    assert_eq!(names(Kind::Granted), ["client_id", "client_secret", "grant_type"]);
    assert!(token_form(Kind::Permanent, &refreshed).is_err());
}

#[test]
fn a_token_is_renewed_minutes_before_its_end() {
    let ending = |seconds| {
        let ends = now() + TimeDelta::seconds(seconds);
        Credentials::new().with(ACCESS_TOKEN, "t").with(ACCESS_TOKEN_ENDS, ends.to_rfc3339())
    };
    for (seconds, state) in [
        (3600, Token::Good),
        (301, Token::Good),
        (300, Token::EndsSoon),
        (1, Token::EndsSoon),
        (0, Token::Missing),
    ] {
        assert_eq!(token_state(&ending(seconds), now()), state, "{seconds}");
    }
    assert_eq!(token_state(&Credentials::new().with(ACCESS_TOKEN, "t"), now()), Token::Good);
    assert_eq!(token_state(&Credentials::new(), now()), Token::Missing);
}

#[test]
fn a_new_token_replaces_the_old_pair_and_its_end() {
    let old = Credentials::new().with(ACCESS_TOKEN, "a1").with(REFRESH_TOKEN, "r1").with(SHOP, "s");
    let body = br#"{"access_token":"a2","expires_in":3600,"refresh_token":"r2","refresh_token_expires_in":"7776000","scope":"x"}"#;
    let fresh = new_token(body, &old, now()).unwrap();
    let part = |name| fresh.get(name).map(|secret| secret.expose().to_owned());
    assert_eq!((part(ACCESS_TOKEN).unwrap(), part(REFRESH_TOKEN).unwrap()), ("a2".into(), "r2".into()));
    assert_eq!(part(ACCESS_TOKEN_ENDS).unwrap(), "2026-11-24T02:00:00+00:00");
    assert_eq!((part(SHOP).unwrap(), fresh.expires_at), ("s".into(), Some(now() + TimeDelta::days(90))));
    let alone = new_token(br#"{"access_token":"a3","expires_in":86399}"#, &fresh, now()).unwrap();
    assert_eq!(alone.get(REFRESH_TOKEN).map(|r| r.expose()), Some("r2"), "the only one there is stays");
    for body in [&b"{}"[..], b"", b"<html>", br#"{"access_token":" "}"#, br#"{"access_token":null}"#] {
        assert_eq!(new_token(body, &old, now()).unwrap_err().kind(), ErrorKind::MalformedResponse);
    }
}

#[test]
fn windows_are_asked_for_in_whole_seconds_with_the_end_rounded_up() {
    let window = Window::new(at("2026-11-20T00:00:00.900Z"), at("2026-11-20T01:00:00.001+00:00"));
    assert_eq!(
        terms(Pass::Created, window, &Choices::default()),
        "status:open created_at:>='2026-11-20T00:00:00Z' created_at:<'2026-11-20T01:00:01Z' test:false"
    );
    let window = Window::new(at("2026-11-20T09:00:00+09:00"), at("2026-11-20T01:00:00Z"));
    let tests = Choices { test_orders: true, ..Choices::default() };
    assert_eq!(
        terms(Pass::Changed, window, &tests),
        "status:open updated_at:>='2026-11-20T00:00:00Z' updated_at:<'2026-11-20T01:00:00Z' created_at:<'2026-11-20T00:00:00Z'"
    );
}

#[test]
fn the_cursor_walks_both_searches_to_their_ends() {
    let start = Place::read(None).unwrap();
    let second = start.next(Some("abc/=".into())).unwrap();
    let place = Place::read(Some(&second)).unwrap();
    assert_eq!((place.pass, place.after.as_deref()), (Pass::Created, Some("abc/=")));
    let third = place.next(None).unwrap();
    let place = Place::read(Some(&third)).unwrap();
    assert_eq!((place.pass, place.after.as_deref()), (Pass::Changed, None));
    let fourth = place.next(Some("x".into())).unwrap();
    assert_eq!(Place::read(Some(&fourth)).unwrap().next(None), None);
    for foreign in ["", "abc", "created/", "7+300", "other/x"] {
        let error = Place::read(Some(&PageCursor::new(foreign))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{foreign}");
    }
}

#[test]
fn pages_are_halved_down_to_one_of_everything() {
    let orders: Vec<u32> = (0..6).map(|n| list_sizes(n).orders).collect();
    assert_eq!(orders, [10, 5, 2, 1, 1, 1]);
    assert_eq!((list_sizes(3).lines, list_sizes(4).lines), (20, 10), "first fewer orders, then less of each");
    for n in 0..40 {
        for sizes in [list_sizes(n), single_sizes(n)] {
            assert!(sizes.lines > 0 && sizes.parts > 0 && sizes.part_lines > 0 && sizes.parcels > 0);
        }
    }
}

fn part(id: &str, location: &str, status: &str, lines: &[(&str, u32)]) -> Part {
    Part {
        id: id.into(),
        status: status.into(),
        location: location.into(),
        can_ship: true,
        ship_by: None,
        lines: lines
            .iter()
            .map(|(line, left)| PartLine { id: format!("{id}-{line}"), line: (*line).into(), left: *left })
            .collect(),
    }
}

fn order_of(parts: Vec<Part>, parcels: Vec<Parcel>) -> Order {
    let mut order = Order::new("o1", OrderStatus::New, now(), now(), Currency::JPY);
    for line in ["L1", "L2"] {
        order.lines.push(crate::model::Line::new(line, ListingKey::item("i"), 9, OrderStatus::New));
    }
    order.channel_data = ChannelData::new(&OrderData { parts, parcels }).unwrap();
    order
}

fn planned(
    order: &Order,
    number: Option<&str>,
    lines: &[(&str, u32)],
) -> Result<serde_json::Value, Outcome<()>> {
    let tracking = number.map(|number| Tracking::new("yamato", number));
    let lines: Vec<(LineId, u32)> = lines.iter().map(|(line, n)| (LineId::from(*line), *n)).collect();
    let mut request = DispatchRequest::new(order, tracking.as_ref(), now());
    request.lines = &lines;
    request.notify = Some(Notify::Nobody);
    plan(&request).map(|inputs| serde_json::to_value(inputs).unwrap()).map_err(|outcome| match outcome {
        Outcome::Refused(no) => Outcome::Refused(no),
        Outcome::AlreadyDone => Outcome::AlreadyDone,
        other => panic!("{other:?}"),
    })
}

fn refusal_of(result: Result<serde_json::Value, Outcome<()>>) -> crate::channel::Refusal {
    match result {
        Err(Outcome::Refused(no)) => no,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_parcel_names_every_line_and_always_says_whether_the_buyer_is_mailed() {
    let order = order_of(vec![part("F1", "A", "OPEN", &[("L1", 2), ("L2", 1)])], vec![]);
    assert_eq!(
        planned(&order, Some(" 123 "), &[]).unwrap(),
        json!([{
            "lineItemsByFulfillmentOrder": [{"fulfillmentOrderId": "F1", "fulfillmentOrderLineItems":
                [{"id": "F1-L1", "quantity": 2}, {"id": "F1-L2", "quantity": 1}]}],
            "trackingInfo": {"company": "Yamato (JA)", "number": "123"},
            "notifyCustomer": false,
        }])
    );
    let partly = planned(&order, Some("123"), &[("L1", 1)]).unwrap();
    let lines = &partly[0]["lineItemsByFulfillmentOrder"][0]["fulfillmentOrderLineItems"];
    assert_eq!(*lines, json!([{"id": "F1-L1", "quantity": 1}]));
    let bare = planned(&order, None, &[]).unwrap();
    assert!(bare[0].get("trackingInfo").is_none());
}

#[test]
fn a_parcel_takes_one_location_if_it_can_and_one_call_each_if_it_can_not() {
    let parts = vec![
        part("F1", "A", "OPEN", &[("L1", 1)]),
        part("F2", "B", "IN_PROGRESS", &[("L1", 2), ("L2", 1)]),
        part("F3", "B", "OPEN", &[("L2", 1)]),
    ];
    let order = order_of(parts, vec![]);
    let one = planned(&order, Some("1"), &[("L1", 2), ("L2", 2)]).unwrap();
    assert_eq!(one.as_array().unwrap().len(), 1, "{one}");
    assert_eq!(
        one[0]["lineItemsByFulfillmentOrder"].as_array().unwrap().len(),
        2,
        "F2 and F3 share a location"
    );
    let two = planned(&order, Some("1"), &[("L1", 3)]).unwrap();
    assert_eq!(two.as_array().unwrap().len(), 2, "{two}");
    let unknown = vec![part("F1", "", "OPEN", &[("L1", 1)]), part("F2", "", "OPEN", &[("L2", 1)])];
    let each = planned(&order_of(unknown, vec![]), Some("1"), &[]).unwrap();
    assert_eq!(each.as_array().unwrap().len(), 2, "without a location each goes alone");
}

#[test]
fn what_the_channel_would_refuse_is_not_sent() {
    for status in ["ON_HOLD", "SCHEDULED"] {
        let order = order_of(vec![part("F1", "A", status, &[("L1", 1)])], vec![]);
        let no = refusal_of(planned(&order, Some("1"), &[]));
        assert!(no.temporary && no.reread && no.message.contains("hold"), "{no:?}");
    }
    let mut elsewhere = part("F1", "A", "OPEN", &[("L1", 1)]);
    elsewhere.can_ship = false;
    assert!(refusal_of(planned(&order_of(vec![elsewhere], vec![]), Some("1"), &[])).temporary);
    let open = || order_of(vec![part("F1", "A", "OPEN", &[("L1", 1)])], vec![]);
    assert!(!refusal_of(planned(&open(), Some("1"), &[("L1", 2)])).temporary, "more than is left");
    assert!(!refusal_of(planned(&open(), Some("1"), &[("L9", 1)])).temporary, "no such line");
    assert!(!refusal_of(planned(&open(), Some("  "), &[])).temporary, "a blank number");
    assert!(!refusal_of(planned(&open(), None, &[("L1", 1)])).temporary, "a part without a number");
    let closed = order_of(vec![part("F1", "A", "CLOSED", &[("L1", 1)])], vec![]);
    assert!(refusal_of(planned(&closed, Some("1"), &[])).reread, "nothing is left");
    let mut unread = open();
    unread.channel_data = ChannelData::default();
    assert!(refusal_of(planned(&unread, Some("1"), &[])).temporary);
}

#[test]
fn a_number_that_the_order_shows_is_not_reported_again() {
    let gone = order_of(vec![part("F1", "A", "CLOSED", &[("L1", 0)])], vec![parcel("7", "SUCCESS", "", 2)]);
    assert!(matches!(planned(&gone, Some("7"), &[]), Err(Outcome::AlreadyDone)));
    let half = order_of(vec![part("F1", "A", "OPEN", &[("L1", 5)])], vec![parcel("7", "SUCCESS", "", 2)]);
    assert!(matches!(planned(&half, Some("7"), &[("L1", 2)]), Err(Outcome::AlreadyDone)));
    assert!(refusal_of(planned(&half, Some("7"), &[("L1", 3)])).message.contains("2 of the 3"));
    assert!(planned(&half, Some("8"), &[("L1", 2)]).is_ok(), "another number is another parcel");
    let failed = order_of(vec![part("F1", "A", "OPEN", &[("L1", 5)])], vec![parcel("7", "CANCELLED", "", 2)]);
    assert!(planned(&failed, Some("7"), &[("L1", 2)]).is_ok(), "a cancelled parcel does not count");
}

#[test]
fn carriers_are_called_what_the_channel_calls_them() {
    for (usual, theirs) in [
        ("Yamato", "Yamato (JA)"),
        ("佐川急便", "Sagawa (JA)"),
        (" yu-pack ", "Japan Post (JA)"),
        ("DHL Express", "DHL Express"),
    ] {
        assert_eq!(carrier_name(usual), theirs);
    }
}

fn variant(available: i64, changed: Option<&str>) -> Variant {
    let raw = json!({"data": {"productVariants": {"pageInfo": {"hasNextPage": false}, "nodes": [{
        "id": "gid://shopify/ProductVariant/71", "sku": "A",
        "inventoryItem": {"id": "I", "tracked": true, "inventoryLevels": {"nodes": []}},
    }]}}});
    let (mut read, _) = variants(raw.to_string().as_bytes(), 10).unwrap();
    let mut variant = read.remove(0);
    variant.levels = vec![Level { location: "L".into(), available, changed: changed.map(at) }];
    variant
}

fn pushed(
    wanted: u32,
    accepted: Option<u32>,
    variant: Option<&Variant>,
    waited: bool,
) -> Result<Option<i64>, Outcome<crate::channel::StockAccepted>> {
    let (key, data) = (ListingKey::item("i"), ChannelData::default());
    let mut change = StockChange::new(&key, &data, wanted);
    change.accepted = accepted;
    quantity(&change, variant, "L", now(), waited)
        .map(|q| serde_json::to_value(q).unwrap()["changeFromQuantity"].as_i64())
}

#[test]
fn a_quantity_replaces_the_one_that_was_known() {
    let shown = |n| variant(n, None);
    assert_eq!(pushed(5, None, Some(&shown(9)), false).unwrap(), None, "the first push overwrites");
    assert_eq!(pushed(5, Some(9), Some(&shown(9)), false).unwrap(), Some(9));
    assert!(matches!(pushed(5, Some(9), Some(&shown(5)), false), Err(Outcome::AlreadyDone)));
    assert_eq!(pushed(5, Some(9), Some(&shown(7)), false).unwrap(), Some(7), "lowering is always safe");
    assert_eq!(pushed(0, Some(1), Some(&shown(-2)), true).unwrap(), Some(-2), "oversold");
}

#[test]
fn a_raise_over_a_fresh_change_waits_once() {
    let fresh = variant(7, Some("2026-11-24T00:55:00Z"));
    match pushed(8, Some(9), Some(&fresh), false) {
        Err(Outcome::Refused(no)) => assert!(no.temporary && no.code == "CHANGE_FROM_QUANTITY_STALE"),
        other => panic!("{other:?}"),
    }
    assert_eq!(pushed(8, Some(9), Some(&fresh), true).unwrap(), Some(7), "it waited");
    let settled = variant(7, Some("2026-11-24T00:30:00Z"));
    assert_eq!(pushed(8, Some(9), Some(&settled), false).unwrap(), Some(7), "the cycle knows of it");
}

#[test]
fn what_is_not_counted_takes_no_quantity() {
    let refused = |variant: Option<&Variant>| match pushed(5, None, variant, false) {
        Err(Outcome::Refused(no)) => no.message,
        other => panic!("{other:?}"),
    };
    let mut untracked = variant(1, None);
    untracked.tracked = Some(false);
    assert!(refused(Some(&untracked)).contains("track"));
    untracked.tracked = None;
    assert!(refused(Some(&untracked)).contains("track"), "not told is not tracked");
    let mut elsewhere = variant(1, None);
    elsewhere.levels[0].location = "M".into();
    assert!(refused(Some(&elsewhere)).contains("location"));
    assert!(refused(None).contains("no such variant"));
    assert!(variant_of(&ListingKey::item("gid://shopify/LineItem/9")).is_err());
    assert!(variant_of(&ListingKey::option("p", "gid://shopify/ProductVariant/7 OR id:8")).is_err());
    assert!(variant_of(&ListingKey::option("p", "gid://shopify/ProductVariant/7")).is_ok());
    assert!(matches!(pushed(1_000_000_001, None, Some(&variant(1, None)), false), Err(Outcome::Refused(_))));
}

#[test]
fn each_intent_has_a_key_of_its_own_in_the_form_of_a_uuid() {
    let one = |wanted, nonce: &str| {
        let (key, data) = (ListingKey::item("i"), ChannelData::default());
        let change = StockChange::new(&key, &data, wanted);
        let made = quantity(&change, Some(&variant(1, None)), "L", now(), false).unwrap();
        intent_key("shop", &[made], nonce)
    };
    assert_eq!(one(5, "a"), one(5, "a"), "attempts of one intent share it");
    let keys: BTreeSet<String> = [one(5, "a"), one(6, "a"), one(5, "b")].into();
    assert_eq!(keys.len(), 3, "the same quantity later is another intent");
    for key in keys {
        let groups: Vec<usize> = key.split('-').map(str::len).collect();
        assert_eq!(groups, [8, 4, 4, 4, 12], "{key}");
        assert!(key.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit()));
    }
}

#[test]
fn refused_quantities_are_found_by_their_place_in_the_call() {
    let body = |errors: &str| format!(r#"{{"data":{{"inventorySetQuantities":{{"userErrors":{errors}}}}}}}"#);
    let read = |errors: &str| refusals(body(errors).as_bytes());
    assert!(read("[]").unwrap().is_empty());
    let found = read(
        r#"[{"code":"CHANGE_FROM_QUANTITY_STALE","field":["input","quantities","3","changeFromQuantity"],"message":"m"},
            {"code":"INVALID_INVENTORY_ITEM","field":["input","quantities",1],"message":"m"},
            {"code":"INVALID_REASON","field":["input","reason"],"message":"m"},{"code":"X","field":null,"message":"m"}]"#,
    )
    .unwrap();
    let places: Vec<_> = found.iter().map(|(place, no)| (*place, no.temporary)).collect();
    assert_eq!(places, [(Some(3), true), (Some(1), false), (None, false), (None, false)]);
    let busy = read(r#"[{"code":"IDEMPOTENCY_CONCURRENT_REQUEST","message":"m"}]"#).unwrap_err();
    assert_eq!(busy.kind(), ErrorKind::Unavailable, "the first attempt may still do it");
    for body in [r#"{"data":{"inventorySetQuantities":{}}}"#, r#"{"data":{}}"#, "{"] {
        assert!(refusals(body.as_bytes()).is_err(), "{body}");
    }
}

#[test]
fn the_location_is_the_only_active_one_or_must_be_chosen() {
    let body = |nodes: &str| format!(r#"{{"data":{{"locations":{{"nodes":{nodes}}}}}}}"#);
    let one = r#"[{"id":"A","isActive":true},{"id":"B","isActive":false}]"#;
    assert_eq!(only_location(body(one).as_bytes()).unwrap(), "A");
    for nodes in [r#"[{"id":"A","isActive":true},{"id":"B","isActive":true}]"#, "[]"] {
        let error = only_location(body(nodes).as_bytes()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
    }
    let chosen = |value: serde_json::Value| {
        let settings = [("location_id".to_owned(), value)].into();
        Choices::of(&Context::new().with_settings(std::sync::Arc::new(settings))).map(|c| c.location)
    };
    let gid = Some("gid://shopify/Location/11".to_owned());
    assert_eq!(chosen(json!("11")).unwrap(), gid);
    assert_eq!(chosen(json!(" gid://shopify/Location/11 ")).unwrap(), gid);
    assert_eq!(chosen(json!(null)).unwrap(), None);
    assert_eq!(chosen(json!("Tokyo")).unwrap_err().kind(), ErrorKind::Configuration);
}

const SECRET: &str = "shpss_0123456789abcdef";
const BODY: &[u8] = br##"{"id":820982911946154508,"name":"#9999"}"##;
const SIGNATURE: &str = "j3YIshZL/7bARdL+Vo9Loi7edJbdnTLUYLGgOO8C4GA=";

fn headers(changes: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut headers = vec![
        ("x-shopify-hmac-sha256", SIGNATURE),
        ("x-shopify-shop-domain", "my-shop.myshopify.com"),
        ("x-shopify-topic", "orders/create"),
        ("x-shopify-webhook-id", "d-1"),
        ("x-shopify-triggered-at", "2026-11-24T00:30:00.123456789Z"),
    ];
    for (name, value) in changes {
        headers.retain(|(known, _)| known != name);
        headers.push((name, value));
    }
    headers.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn received(changes: &[(&str, &str)], body: &[u8]) -> crate::Result<crate::channel::WebhookReply> {
    let headers = headers(changes);
    receive(&SECRET.into(), "my-shop.myshopify.com", now(), &WebhookRequest::new(&headers, body))
}

#[test]
fn the_signature_of_the_sheet_is_made_and_taken() {
    assert_eq!(sign_webhook(&SECRET.into(), BODY), SIGNATURE);
    let reply = received(&[], BODY).unwrap();
    assert_eq!((reply.status, reply.delivery_id.as_deref()), (200, Some("d-1")));
    match reply.events.as_slice() {
        [WebhookEvent::OrdersChanged(ids)] => {
            assert_eq!(ids[0].as_str(), "gid://shopify/Order/820982911946154508")
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_webhook_that_is_not_the_channel_s_is_refused() {
    let wrong = [
        (vec![("x-shopify-hmac-sha256", "")], BODY),
        (vec![("x-shopify-hmac-sha256", "not base64 !")], BODY),
        (vec![("x-shopify-hmac-sha256", "j3YIshZL/7bARdL+Vo9Loi7edJbdnTLUYLGgOO8C4GB=")], BODY),
        (vec![("x-shopify-hmac-sha256", "j3YIshZL")], BODY),
        (vec![], &br##"{"id":820982911946154509,"name":"#9999"}"##[..]),
        (vec![("x-shopify-shop-domain", "other.myshopify.com")], BODY),
        (vec![("x-shopify-shop-domain", "")], BODY),
        (vec![("x-shopify-triggered-at", "2026-11-23T18:59:00Z")], BODY),
        (vec![("x-shopify-triggered-at", "2026-11-24T01:11:00Z")], BODY),
        // The topic is not signed: a body that describes no shop can't take the app away.
        (vec![("x-shopify-topic", "app/uninstalled")], BODY),
    ];
    for (changes, body) in wrong {
        let error = received(&changes, body).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthorized, "{changes:?}");
        assert!(!format!("{error:?} {error}").contains(SECRET));
    }
    received(&[("x-shopify-triggered-at", "2026-11-23T19:01:00Z")], BODY).unwrap();
}

#[test]
fn topics_say_which_order_changed() {
    let said = |topic: &str, body: &str| {
        let signature = sign_webhook(&SECRET.into(), body.as_bytes());
        let changes = [("x-shopify-topic", topic), ("x-shopify-hmac-sha256", signature.as_str())];
        match received(&changes, body.as_bytes()).unwrap().events.remove(0) {
            WebhookEvent::OrdersChanged(ids) => ids[0].to_string(),
            WebhookEvent::Deauthorized => "deauthorized".into(),
            WebhookEvent::Other(topic) => format!("other {topic}"),
            other => panic!("{other:?}"),
        }
    };
    let gid = "gid://shopify/Order/5";
    assert_eq!(said("orders/paid", r#"{"id":5,"admin_graphql_api_id":"gid://shopify/Order/5"}"#), gid);
    assert_eq!(said("orders/delete", r#"{"id":5}"#), gid);
    assert_eq!(said("orders/edited", r#"{"order_edit":{"id":1,"order_id":5}}"#), gid);
    assert_eq!(said("fulfillments/create", r#"{"id":1,"order_id":5}"#), gid);
    assert_eq!(said("refunds/create", r#"{"id":1,"order_id":5}"#), gid);
    assert_eq!(said("APP/UNINSTALLED", r#"{"myshopify_domain":"my-shop.myshopify.com"}"#), "deauthorized");
    assert_eq!(
        said("fulfillment_orders/split", r#"{"fulfillment_order":{"id":"g"}}"#),
        "other fulfillment_orders/split"
    );
    assert_eq!(said("orders/create", "not json"), "other orders/create");
    assert_eq!(said("orders/create", r#"{"id":"5; drop"}"#), "other orders/create");
}
