//! The pure parts: signature, tables row by row, boxes, splits, receipts, windows.

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Value, json};

use super::auth::{Ask, Keys, PARTS, encoded, request};
use super::cancels::{cancel_ask, cancel_result, decision_ask, decision_result};
use super::carriers;
use super::confirm::{acknowledge_ask, outcome as confirmed};
use super::dispatch::{corrected, invoices_ask, outcome as dispatched, parcel};
use super::errors::{BLOCKED, BLOCKED_LONG, Function, Told, is_closed, judge_body, verdict};
use super::info::split_days;
use super::listings::{Product, product_result, products_ask, products_result, state};
use super::orders::{belongs, boxes_ask, parse_orders};
use super::receipts::{Claim, Receipt, Search, apply, claim, closed, receipts_ask, receipts_result};
use super::rows::{kept, read_row, status};
use super::splits::{is_part, refreshed, whole, without_box};
use super::stock::{inventory_result, quantity_ask};
use super::window::{Place, days, first_day, spans};
use super::wire::{BoxResult, amount, box_results, day, number, time};
use super::{ACCESS_KEY, Config, Coupang, SECRET_KEY, VENDOR_ID, WING_USER_ID};
use crate::channel::{
    CancelAction, CancelDecision, CancelReason, Capabilities, Capability, Channel, Context, Credentials,
    DispatchRequest, Outcome, PageCursor, Refusal, Row, Secret, Tracking,
};
use crate::error::{Error, ErrorKind, Retry};
use crate::http::{HttpClient, HttpSettings};
use crate::model::{
    CancelState, Currency, Hold, LineId, ListingKey, ListingState, Order, OrderId, OrderStatus, Window,
};

const B: u64 = 642_538_970_006_401_429;
const N: u64 = 642_538_970_006_401_999;

fn sample(name: &str) -> String {
    std::fs::read_to_string(format!("tests/samples/coupang/{name}.json")).unwrap()
}

fn korea() -> Config {
    Config::korea().unwrap()
}

fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().with_timezone(&Utc)
}

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn read_at() -> DateTime<Utc> {
    at("2026-11-02T12:00:00+09:00")
}

/// A line of a box, with other fields over it.
fn item(option: u64, fields: Value) -> Value {
    let mut item = json!({"vendorItemId": option, "sellerProductId": 7, "sellerProductName": "잡지",
        "externalVendorSkuCode": "A-1", "shippingCount": 2, "cancelCount": 0, "holdCountForCancel": 0, "canceled": false,
        "estimatedShippingDate": "2026-11-04"});
    item.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    item
}

/// A box of order 500, with other fields over it.
fn boxed(id: u64, status: &str, items: Vec<Value>, fields: Value) -> Value {
    let mut value = json!({"shipmentBoxId": id, "orderId": 500, "orderedAt": "2026-11-02T10:20:16.973885+09:00",
        "paidAt": "2026-11-02T10:20:41.12+09:00", "status": status, "orderItems": items,
        "receiver": {"name": "김가나", "addr1": "서울", "postCode": "05500"}});
    value.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    value
}

fn row(json: &str) -> Row {
    let raw = serde_json::value::RawValue::from_string(json.to_owned()).unwrap();
    read_row(&raw, &korea(), read_at())
}

fn order(value: &Value) -> Order {
    match row(&value.to_string()) {
        Row::Order(order) => *order,
        Row::Unreadable(row) => panic!("unreadable: {}", row.reason),
    }
}

fn plain(status: &str) -> Order {
    order(&boxed(B, status, vec![item(11, json!({})), item(12, json!({"shippingCount": 1}))], json!({})))
}

fn keys() -> Keys {
    Keys::of(&credentials()).unwrap()
}

fn credentials() -> Credentials {
    Credentials::new()
        .with(ACCESS_KEY, " 11112222-3333-4444-5555-666677778888\n")
        .with(SECRET_KEY, "abcdef0123456789abcdef0123456789abcdef01")
        .with(VENDOR_ID, "A00012345")
        .with(WING_USER_ID, "wing_login")
}

#[test]
fn signatures_agree_with_the_vectors_byte_for_byte() {
    let vectors: Value = serde_json::from_str(&sample("signature_vectors")).unwrap();
    let vectors = vectors.as_array().unwrap();
    assert_eq!(vectors.len(), 2);
    for vector in vectors {
        let text = |name: &str| vector[name].as_str().unwrap();
        let keys = Keys::of(
            &Credentials::new()
                .with(ACCESS_KEY, text("access_key"))
                .with(SECRET_KEY, text("secret_key"))
                .with(VENDOR_ID, "A00012345"),
        )
        .unwrap();
        let signed =
            chrono::NaiveDateTime::parse_from_str(text("signed_date"), "%y%m%dT%H%M%SZ").unwrap().and_utc();
        let header = keys.authorization(signed, text("method"), text("path"), text("query"));
        assert_eq!(header.expose(), text("authorization"));
    }
    // The first vector's request as it is built: order and encoding of the query are those that were signed.
    let days = (date("2026-10-31"), date("2026-11-01"));
    let ask = boxes_ask("A00012345", "ACCEPT", days, 50, "", &korea());
    assert_eq!(ask.query, vectors[0]["query"].as_str().unwrap());
    let sent = request(&korea(), &ask, &keys(), at("2026-11-01T08:30:00Z")).unwrap();
    assert_eq!(sent.headers["authorization"], vectors[0]["authorization"].as_str().unwrap());
    assert!(sent.headers["authorization"].is_sensitive());
    assert_eq!(
        sent.url.as_str(),
        "https://api-gateway.coupang.com/v2/providers/openapi/apis/api/v5/vendors/A00012345/ordersheets?createdAtFrom=2026-10-31%2B09:00&createdAtTo=2026-11-01%2B09:00&maxPerPage=50&status=ACCEPT"
    );
}

#[test]
fn headers_are_those_of_the_sheet_and_differ_by_market() {
    let ask = acknowledge_ask("A00012345", &[B, B - 1]).unwrap();
    let sent = request(&korea(), &ask, &keys(), at("2026-11-01T08:30:01Z")).unwrap();
    for (name, value) in [
        ("content-type", "application/json;charset=UTF-8"),
        ("x-requested-by", "A00012345"),
        ("x-market", "KR"),
        ("x-extended-timeout", "90000"),
        (
            "authorization",
            "CEA algorithm=HmacSHA256, access-key=11112222-3333-4444-5555-666677778888, signed-date=261101T083001Z, signature=a27565b63d7216a4242bf560b7c470d83b4cd6678f493fc29b2a8a4398dff8dc",
        ),
    ] {
        assert_eq!(sent.headers[name], value, "{name}");
    }
    assert_eq!(sent.method, "PUT");
    let body: Value = serde_json::from_slice(&sent.body).unwrap();
    assert_eq!(body, serde_json::from_str::<Value>(&sample("acknowledgement.request")).unwrap());

    let taiwan = Config::taiwan().unwrap();
    let sent = request(&taiwan, &ask, &keys(), read_at()).unwrap();
    assert_eq!(sent.headers["x-market"], "TW");
    let ask = boxes_ask("A00012345", "ACCEPT", (date("2026-11-01"), date("2026-11-01")), 50, "", &taiwan);
    assert!(ask.query.starts_with("createdAtFrom=2026-11-01%2B08:00&"));
}

#[test]
fn query_values_are_encoded_so_that_nothing_changes_on_the_way() {
    assert_eq!(encoded("2026-11-01+09:00"), "2026-11-01%2B09:00");
    assert_eq!(encoded("a&b=c/é %?#"), "a%26b%3Dc%2F%C3%A9%20%25%3F%23");
    let ask = Ask::get(Function::Boxes, "/v2/x".to_owned(), &[("nextToken", "a+'b\"<>`{}|^ ")]);
    let sent = request(&korea(), &ask, &keys(), read_at()).unwrap();
    assert_eq!(sent.url.query(), Some(ask.query.as_str()), "what is signed is what is sent");
}

#[test]
fn credentials_are_checked_before_anything_is_sent() {
    let client = HttpClient::new(HttpSettings::default()).unwrap();
    for part in [ACCESS_KEY, SECRET_KEY, VENDOR_ID] {
        let mut lacking = credentials();
        lacking.parts.remove(part);
        let error = Coupang::new(&client, "shop", &lacking, korea()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains(part));
    }
    for vendor in ["A1/../B", "A 1", "A1?x", "회사"] {
        let wrong = credentials().with(VENDOR_ID, vendor);
        assert_eq!(
            Coupang::new(&client, "shop", &wrong, korea()).unwrap_err().kind(),
            ErrorKind::InvalidInput
        );
    }
    let mut without_user = credentials();
    without_user.parts.remove(WING_USER_ID);
    assert!(Coupang::new(&client, "shop", &without_user, korea()).is_ok(), "needed for one call only");
    let renewed: Vec<(&str, bool, bool)> = PARTS.iter().map(|p| (p.name, p.renewed, p.with_expiry)).collect();
    assert_eq!(
        renewed,
        [
            (ACCESS_KEY, true, true),
            (SECRET_KEY, true, true),
            (VENDOR_ID, false, false),
            (WING_USER_ID, false, false)
        ]
    );
    let example = PARTS.iter().fold(Credentials::new(), |c, part| c.with(part.name, part.example));
    assert!(Keys::of(&example).is_ok(), "the examples have the right form");
}

#[test]
fn sample_boxes_are_read_field_by_field() {
    let page = sample("ordersheets_day.v5.response");
    let rows = parse_orders(page.as_bytes(), &korea(), read_at()).unwrap();
    let orders: Vec<&Order> = rows.iter().filter_map(Row::order).collect();
    let [first, second] = orders.as_slice() else { panic!("two boxes") };
    assert_eq!(first.id.as_str(), "642538970006401429", "18 digits, exact");
    assert_eq!(first.group.as_deref(), Some("22000009546234"));
    assert_eq!(first.number.as_deref(), Some("22000009546234"));
    assert_eq!((first.status, first.cancel), (OrderStatus::New, CancelState::None));
    assert_eq!(first.ordered_at, at("2026-11-02T10:20:16.973885+09:00"));
    assert_eq!(first.paid_at, Some(at("2026-11-02T10:20:41.12+09:00")));
    assert_eq!((first.updated_at, first.currency), (read_at(), Currency::KRW));
    assert_eq!(first.expected_ship_date, Some(date("2026-11-04")));
    assert_eq!(first.totals.shipping.unwrap().to_string(), "5000 KRW");
    assert_eq!(first.buyer.reveal().name, "홍길동");
    assert_eq!(first.buyer.reveal().phone, "+82 50-0000-0001");
    let to = &first.destinations[0];
    assert_eq!(to.message.as_ref().unwrap().reveal(), "문 앞");
    let party = to.recipient.reveal();
    assert_eq!((party.name.as_str(), party.phone.as_str()), ("김가나", "+82 50-0000-0002"));
    assert_eq!(party.address.lines, ["경기 오산시 가짜동 샘플아파트", "109동 1호"]);
    assert_eq!((party.address.postal_code.as_str(), party.address.country.as_str()), ("18100", "KR"));
    assert_eq!(first.memo.as_ref().unwrap().reveal(), "추가메시지1, 추가메시지2");
    let line = &first.lines[0];
    assert_eq!((line.id.as_str(), line.unit.as_str()), ("3242596358", "642538970006401429"));
    assert_eq!(line.listing, ListingKey::option("80240831", "3242596358"));
    assert_eq!(line.sku.as_ref().unwrap().as_str(), "170816368810");
    assert_eq!(
        (line.title.as_str(), line.option_text.as_str()),
        ("샘플 배색 트레이닝 팬츠", "07 DARK GREY 160호")
    );
    assert_eq!(line.unit_price.unwrap().to_string(), "19000 KRW");
    assert_eq!(line.discount.unwrap().to_string(), "3000 KRW");
    assert_eq!(line.total.unwrap().to_string(), "16000 KRW");
    assert!(page.contains(first.raw.reveal()) && first.raw.reveal().starts_with('{'));

    assert_eq!(second.lines.len(), 2);
    assert_eq!(second.lines[1].quantity, 2);
    assert_eq!(
        second.destinations[0].recipient.reveal().phone,
        "+82 50-0000-0003",
        "without the leading space"
    );
    assert!(kept(second).splittable && !kept(second).split && !kept(first).splittable);
}

#[test]
fn every_form_of_the_answer_is_read() {
    let read = |name: &str| {
        let rows = parse_orders(sample(name).as_bytes(), &korea(), read_at()).unwrap();
        rows.iter().map(|row| row.order().unwrap().clone()).collect::<Vec<_>>()
    };
    assert!(read("ordersheets_day_empty.v5.response").is_empty());
    let single = read("ordersheet_by_shipmentbox.v5.response");
    assert_eq!((single.len(), single[0].status), (1, OrderStatus::Confirmed));
    assert_eq!(single[0].totals.shipping.unwrap().to_string(), "2500 KRW");
    let by_order = read("ordersheets_by_order.v5.response");
    assert_eq!(by_order.len(), 2);
    assert_ne!(by_order[0].id, by_order[1].id);
    assert_eq!(by_order[0].group, by_order[1].group);
    let minute = read("ordersheets_minute.v5.response");
    assert_eq!((minute[0].status, minute[0].lines[0].shipped), (OrderStatus::Shipped, 1));
    assert_eq!(minute[0].tracking, [Tracking::new("CJ 대한통운", "340010913442")]);
    // v4: plain numbers, local times, on the same names.
    let old = read("ordersheets_day.v4.response");
    assert_eq!(old[0].status, OrderStatus::Delivered);
    assert_eq!(old[0].ordered_at, at("2017-10-10T10:20:16+09:00"));
    assert_eq!(old[0].lines[0].unit_price.unwrap().to_string(), "19900 KRW");
    assert_eq!(old[0].lines[0].discount, None);
    assert_eq!(old[0].lines[0].total.unwrap().to_string(), "19900 KRW");
    assert_eq!(old[0].destinations[0].recipient.reveal().phone, "0500-0000-0002");
}

#[test]
fn status_table() {
    use OrderStatus as S;
    let table = [
        ("ACCEPT", S::New),
        ("INSTRUCT", S::Confirmed),
        ("DEPARTURE", S::Shipped),
        ("DELIVERING", S::Shipped),
        ("FINAL_DELIVERY", S::Delivered),
        ("NONE_TRACKING", S::Shipped),
        (" ACCEPT ", S::New),
        ("accept", S::Unknown),
        ("NEXT_BIG_THING", S::Unknown),
        ("", S::Unknown),
    ];
    for (word, expected) in table {
        let order = plain(word);
        assert_eq!((order.status, order.lines[0].status), (expected, expected), "{word}");
        assert_eq!(
            order.holds.contains(&Hold::OnHold),
            expected == S::Unknown,
            "an unknown state ships nothing"
        );
    }
    let history: Value = serde_json::from_str(&sample("ordersheet_history.response")).unwrap();
    let words =
        history["data"]["details"].as_array().unwrap().iter().map(|d| d["deliveryStatus"].as_str().unwrap());
    assert_eq!(
        words.map(status).collect::<Vec<_>>(),
        [S::Delivered, S::Shipped, S::Shipped, S::Confirmed, S::New],
        "every word of the documented history is known"
    );
}

#[test]
fn cancelled_pieces_and_lines_are_not_to_be_shipped() {
    let of = |fields| order(&boxed(B, "INSTRUCT", vec![item(11, fields), item(12, json!({}))], json!({})));
    let part = of(json!({"cancelCount": 1}));
    assert_eq!(
        (part.lines[0].cancelled, part.lines[0].outstanding(), part.cancel),
        (1, 1, CancelState::None)
    );
    for fields in [
        json!({"cancelCount": 2}),
        json!({"canceled": true}),
        json!({"canceled": "true", "shippingCount": 0}),
    ] {
        let line = &of(fields.clone()).lines[0];
        assert_eq!((line.status, line.outstanding()), (OrderStatus::Cancelled, 0), "{fields}");
    }
    let held = of(json!({"holdCountForCancel": 1}));
    assert_eq!(held.cancel, CancelState::Requested, "pieces wait for a cancellation");
    let all = order(&boxed(B, "ACCEPT", vec![item(11, json!({"canceled": true}))], json!({})));
    assert_eq!((all.status, all.cancel), (OrderStatus::Cancelled, CancelState::None));
    let shipped = order(&boxed(
        B,
        "DEPARTURE",
        vec![item(11, json!({"cancelCount": 1, "holdCountForCancel": 1}))],
        json!({}),
    ));
    assert_eq!((shipped.lines[0].shipped, shipped.cancel), (1, CancelState::ReturnOrExchange));
}

#[test]
fn a_box_that_cannot_be_read_spoils_only_itself_and_keeps_its_text() {
    let good = boxed(B - 1, "ACCEPT", vec![item(11, json!({}))], json!({}));
    let bad = [
        (boxed(B, "ACCEPT", vec![item(11, json!({"shippingCount": "two"}))], json!({})), true),
        (boxed(B, "ACCEPT", vec![item(11, json!({"shippingCount": -1}))], json!({})), true),
        (boxed(B, "ACCEPT", vec![item(11, json!({"shippingCount": 0}))], json!({})), true),
        (boxed(B, "ACCEPT", vec![item(11, json!({"shippingCount": null}))], json!({})), true),
        (boxed(B, "ACCEPT", vec![item(11, json!({"cancelCount": "x"}))], json!({})), true),
        (boxed(B, "ACCEPT", vec![item(11, json!({"vendorItemId": null}))], json!({})), true),
        // One line that can't be read would make the rest of the box look like all of it.
        (boxed(B, "ACCEPT", vec![item(11, json!({})), json!(7)], json!({})), true),
        (boxed(B, "ACCEPT", vec![], json!({})), true),
        (boxed(B, "ACCEPT", vec![item(11, json!({}))], json!({"orderId": 0})), true),
        (boxed(B, "ACCEPT", vec![item(11, json!({}))], json!({"orderedAt": "soon", "paidAt": ""})), true),
        (boxed(B, "ACCEPT", vec![item(11, json!({}))], json!({"receiver": "김가나"})), true),
        (boxed(0, "ACCEPT", vec![item(11, json!({}))], json!({})), false),
        (json!([1, 2]), false),
        (json!(17), false),
    ];
    for (value, named) in bad {
        let text = value.to_string();
        let page = format!(r#"{{"code":200,"data":[{text},{good}],"nextToken":""}}"#);
        let rows = parse_orders(page.as_bytes(), &korea(), read_at()).unwrap();
        let [Row::Unreadable(bad), Row::Order(ok)] = rows.as_slice() else { panic!("{text}") };
        assert_eq!(bad.raw.reveal(), text);
        assert_eq!(bad.id.as_ref().map(OrderId::as_str), named.then_some("642538970006401429"), "{text}");
        assert!(!bad.reason.contains("김가나"));
        assert_eq!(ok.id.as_str(), "642538970006401428");
    }
}

#[test]
fn emoji_half_an_emoji_and_broken_bytes() {
    let fine = order(&boxed(B, "ACCEPT", vec![item(11, json!({"sellerProductName": "컵 🌿"}))], json!({})));
    assert_eq!(fine.lines[0].title, "컵 🌿");
    let page = boxed(B, "ACCEPT", vec![item(11, json!({}))], json!({"parcelPrintMessage": "X"})).to_string();
    let half = row(&page.replace("\"X\"", "\"문 \\ud83c\""));
    assert!(half.order().unwrap().destinations[0].message.as_ref().unwrap().reveal().starts_with('문'));
    let mut bytes = format!(r#"{{"code":200,"data":[{page},"#).into_bytes();
    let broken =
        boxed(B - 1, "ACCEPT", vec![item(11, json!({}))], json!({})).to_string().replace("서울", "##");
    let cut = broken.find("##").unwrap();
    bytes.extend_from_slice(&broken.as_bytes()[..cut]);
    bytes.extend_from_slice(b"\xff\xfe");
    bytes.extend_from_slice(&broken.as_bytes()[cut + 2..]);
    bytes.extend_from_slice(b"]}");
    let rows = parse_orders(&bytes, &korea(), read_at()).unwrap();
    assert!(
        matches!(rows.as_slice(), [Row::Order(_), Row::Unreadable(_)]),
        "a broken address is not shipped to"
    );
}

#[test]
fn money_is_exact_in_both_forms_and_left_out_in_an_unknown_currency() {
    let read = |json: &str| {
        let raw = serde_json::value::RawValue::from_string(json.to_owned()).unwrap();
        amount(Some(&raw), Currency::KRW).map(|money| money.to_string())
    };
    for (json, expected) in [
        (r#"{"currencyCode":"KRW","units":19000,"nanos":0}"#, Some("19000 KRW")),
        (r#"{"currencyCode":"TWD","units":"12","nanos":500000000}"#, Some("12.5 TWD")),
        (r#"{"currencyCode":"TWD","units":0,"nanos":10000000}"#, Some("0.01 TWD")),
        (r#"{"currencyCode":"TWD","units":-1,"nanos":-500000000}"#, Some("-1.5 TWD")),
        (r#"{"currencyCode":"KRW","units":5}"#, Some("5 KRW")),
        (r#"{"currencyCode":"WON!","units":5,"nanos":0}"#, None),
        (r#"{"currencyCode":"KRW","units":5,"nanos":1000000000}"#, None),
        (r#"{"currencyCode":"KRW","units":"x","nanos":0}"#, None),
        (r#"{"currencyCode":"KRW","units":[1],"nanos":0}"#, None),
        ("19900", Some("19900 KRW")),
        ("\"19,900\"", Some("19900 KRW")),
        ("null", None),
        ("[1]", None),
    ] {
        assert_eq!(read(json).as_deref(), expected, "{json}");
    }
    let fields = json!({"salesPrice": {"currencyCode": "??", "units": 5, "nanos": 0}});
    let unknown = order(&boxed(B, "ACCEPT", vec![item(11, fields)], json!({})));
    assert_eq!((unknown.lines[0].unit_price, unknown.currency), (None, Currency::KRW));
}

#[test]
fn a_missing_address_is_an_empty_one() {
    for receiver in
        [json!(null), json!({}), json!({"name": "김", "addr1": null, "addr2": "", "postCode": null})]
    {
        let order = order(&boxed(B, "ACCEPT", vec![item(11, json!({}))], json!({"receiver": receiver})));
        assert!(order.destinations[0].recipient.reveal().address.is_empty());
        assert_eq!(order.destinations[0].recipient.reveal().phone, "");
    }
    let fields = json!({"receiver": {"safeNumber": "0503", "receiverNumber": "010", "addr1": "a"},
        "orderer": {"name": "x", "safeNumber": "0504", "ordererNumber": "011", "email": ""}});
    let order = order(&boxed(B, "ACCEPT", vec![item(11, json!({}))], fields));
    let to = order.destinations[0].recipient.reveal();
    assert_eq!((to.phone.as_str(), to.phone_alternative.as_str()), ("010", "0503"), "the real number first");
    assert_eq!(order.buyer.reveal().phone, "011");
}

#[test]
fn odd_but_readable_rows() {
    // Ids as text, unknown fields, no SKU, no product, the same option twice.
    let odd = boxed(
        B,
        "ACCEPT",
        vec![
            item(11, json!({"externalVendorSkuCode": "", "sellerProductId": null, "vendorItemId": "11"})),
            item(11, json!({})),
        ],
        json!({"shipmentBoxId": "642538970006401429", "isCod": false, "extraProperties": {"new": [1]}, "orderItemsX": 1}),
    );
    let order = order(&odd);
    assert_eq!(order.id.as_str(), "642538970006401429");
    let ids: Vec<&str> = order.lines.iter().map(|line| line.id.as_str()).collect();
    assert_eq!(ids, ["11", "11/2"], "unique within the order");
    assert_eq!((order.lines[0].sku.as_ref(), &order.lines[0].listing), (None, &ListingKey::option("", "11")));
}

#[test]
fn times_days_and_numbers_in_all_forms() {
    let zone = korea().zone();
    for (text, expected) in [
        ("2026-11-02T10:20:16.973885+09:00", Some("2026-11-02T10:20:16.973885+09:00")),
        ("2017-10-10T10:20:16", Some("2017-10-10T10:20:16+09:00")),
        ("2017-10-16 22:08:04", Some("2017-10-16T22:08:04+09:00")),
        ("2017-10-16T22:08", Some("2017-10-16T22:08:00+09:00")),
        ("", None),
        ("null", None),
        ("2017-13-01T00:00:00", None),
    ] {
        assert_eq!(time(text, zone), expected.map(at), "{text}");
    }
    assert_eq!(day("2026-11-04"), Some(date("2026-11-04")));
    assert_eq!(day("2026-11-04T00:00:00"), Some(date("2026-11-04")));
    for text in ["", "0000", "일이삼사오", "2026-11-4"] {
        assert_eq!(day(text), None, "{text}");
    }
    assert_eq!(number("642538970006401429"), Some(B));
    for id in ["", "0", "-1", "1.0", "a", "1/2", "99999999999999999999999", "+1"] {
        assert_eq!(number(id), None, "{id}");
    }
}

#[test]
fn error_table() {
    use ErrorKind as K;
    use Function as F;
    let none = Told::default();
    let html = Told { html: true, ..none };
    let again = Told { again: true, ..none };
    let ended = Told { ended: true, ..none };
    let seven = std::time::Duration::from_secs(7);
    let wait = Told { wait: Some(seven), ..none };
    let table = [
        (F::Boxes, 400, none, K::InvalidInput, Retry::Never),
        (F::OneBox, 400, none, K::InvalidInput, Retry::Never),
        (F::BoxesOfOrder, 400, none, K::InvalidInput, Retry::Never),
        (F::Receipts, 400, none, K::InvalidInput, Retry::Never),
        (F::Products, 400, none, K::InvalidInput, Retry::Never),
        (F::Product, 400, none, K::InvalidInput, Retry::Never),
        (F::Inventory, 400, none, K::InvalidInput, Retry::Never),
        (F::Acknowledge, 400, none, K::Refused, Retry::Never),
        (F::Invoices, 400, none, K::Refused, Retry::Never),
        (F::SetQuantity, 400, none, K::Refused, Retry::Never),
        (F::CancelOrder, 400, none, K::Refused, Retry::Never),
        (F::StoppedShipment, 400, none, K::Refused, Retry::Never),
        (F::Boxes, 401, none, K::Unauthorized, Retry::Later),
        (F::Boxes, 401, again, K::Unauthorized, Retry::Never),
        (F::Boxes, 401, ended, K::CredentialExpired, Retry::Never),
        (F::Boxes, 403, none, K::Forbidden, Retry::Never),
        (F::Boxes, 403, html, K::RateLimited, Retry::After(BLOCKED)),
        (F::Invoices, 403, html, K::RateLimited, Retry::After(BLOCKED)),
        (F::Boxes, 302, none, K::RateLimited, Retry::After(BLOCKED_LONG)),
        (F::Boxes, 404, none, K::Configuration, Retry::Never),
        (F::Acknowledge, 404, none, K::Configuration, Retry::Never),
        (F::OneBox, 404, none, K::NotFound, Retry::Never),
        (F::SetQuantity, 404, none, K::NotFound, Retry::Never),
        (F::Boxes, 408, none, K::TimedOut, Retry::Later),
        (F::Boxes, 409, none, K::InvalidInput, Retry::Never),
        (F::Invoices, 409, none, K::Refused, Retry::Never),
        (F::Boxes, 410, none, K::Configuration, Retry::Never),
        (F::Boxes, 412, none, K::Forbidden, Retry::Never),
        (F::Boxes, 423, none, K::Forbidden, Retry::Never),
        (F::Boxes, 429, none, K::RateLimited, Retry::After(BLOCKED)),
        (F::Boxes, 429, wait, K::RateLimited, Retry::After(seven)),
        (F::Boxes, 500, none, K::Unavailable, Retry::Later),
        (F::Invoices, 500, none, K::Unavailable, Retry::Later),
        (F::Boxes, 502, html, K::Unavailable, Retry::Later),
        (F::Boxes, 503, wait, K::Unavailable, Retry::After(seven)),
        (F::Boxes, 504, none, K::TimedOut, Retry::Later),
        (F::Invoices, 504, none, K::TimedOut, Retry::Later),
        (F::Boxes, 521, none, K::Unavailable, Retry::Later),
    ];
    for (function, status, told, kind, retry) in table {
        let found = verdict(function, status, "", told);
        assert_eq!((found.kind, found.retry), (kind, retry), "{function:?} {status} {told:?}");
    }
    for function in [F::SetQuantity, F::Inventory, F::Product] {
        assert_eq!(verdict(function, 400, "vendorItemId 7 not found", none).kind, K::NotFound);
    }
    assert!(verdict(F::Invoices, 500, "", none).meaning.contains("carrier"));
}

#[test]
fn a_failure_in_a_good_status_is_a_failure() {
    use ErrorKind as K;
    let judged = |function, body: &str| judge_body(function, body, Told::default()).map_err(|e| e.kind());
    for ok in [r#"{"code":200}"#, r#"{"code":"200"}"#, r#"{"code":"SUCCESS"}"#, r#"{"code":200.0}"#] {
        assert_eq!(judged(Function::Invoices, ok), Ok(()), "{ok}");
    }
    assert_eq!(judged(Function::CompletedShipment, &sample("completed_shipment.response")), Ok(()));
    for (function, body, kind) in [
        (Function::Invoices, r#"{"code":"400","message":"x"}"#, K::Refused),
        (Function::Invoices, r#"{"code":"ERROR","message":"x"}"#, K::Refused),
        (Function::Invoices, r#"{"code":500,"message":"x"}"#, K::Unavailable),
        (Function::Invoices, r#"{"code":504,"message":"x"}"#, K::TimedOut),
        (Function::Invoices, r#"{"code":429}"#, K::RateLimited),
        (Function::Invoices, r#"{"code":99}"#, K::Refused),
        (Function::Invoices, r#"{"data":{}}"#, K::MalformedResponse),
        (Function::Invoices, r#"{"code":null,"data":{}}"#, K::MalformedResponse),
        (Function::Invoices, r#"{"code":"#, K::MalformedResponse),
        (Function::Invoices, "[]", K::MalformedResponse),
        (Function::CompletedShipment, "{}", K::MalformedResponse),
        (Function::Boxes, r#"{"code":401}"#, K::Unauthorized),
        (Function::Boxes, r#"{"code":"ERROR"}"#, K::InvalidInput),
        (Function::SetQuantity, r#"{"code":"ERROR","message":"유효하지 않은 재고수량입니다."}"#, K::Refused),
        (Function::Inventory, r#"{"code":"ERROR","message":"7 not found"}"#, K::NotFound),
        (Function::OneBox, &sample("error_400_cancelled_order.response"), K::InvalidInput),
        (Function::Boxes, &sample("error_400_window.response"), K::InvalidInput),
        (Function::Boxes, &sample("error_403_ip.response"), K::InvalidInput),
    ] {
        assert_eq!(judged(function, body), Err(kind), "{function:?} {body}");
    }
    let closed = judge_body(Function::OneBox, &sample("error_400_cancelled_order.response"), Told::default());
    assert!(is_closed(&closed.unwrap_err()));
    assert!(!is_closed(&Error::new(ErrorKind::NotFound)));
}

#[test]
fn bulk_results_are_found_by_box_and_contradictions_are_unknown() {
    let results = box_results(sample("acknowledgement.response").as_bytes()).unwrap();
    assert!(results["102391542"].as_ref().unwrap().succeed);
    let no = results["102391599"].as_ref().unwrap();
    assert_eq!((no.succeed, no.code.as_str(), no.retry_required), (false, "NOT_FOUND_SHIPMENT_BOX", true));
    let many = r#"{"code":"200","data":[{"responseList":[
        {"shipmentBoxId":1,"succeed":true,"resultCode":"OK"},{"shipmentBoxId":1,"succeed":true,"resultCode":"OK"},
        {"shipmentBoxId":2,"succeed":true,"resultCode":"OK"},{"shipmentBoxId":2,"succeed":false,"resultCode":"X"},
        {"shipmentBoxId":3,"succeed":true,"resultCode":"INVALID_STATUS"},{"shipmentBoxId":4,"succeed":false,"resultCode":"OK"},
        {"shipmentBoxId":5,"resultCode":"OK"},{"shipmentBoxId":"6","succeed":"true"},{"succeed":true},7]}]}"#;
    let results = box_results(many.as_bytes()).unwrap();
    let known = |id: &str| results.get(id).map(|result| result.as_ref().map(|r| r.succeed));
    assert_eq!(known("1"), Some(Some(true)));
    for id in ["2", "3", "4", "5"] {
        assert_eq!(known(id), Some(None), "{id}");
    }
    assert_eq!(known("6"), Some(Some(true)));
    assert_eq!(known("7"), None);
    for bad in [
        "",
        "{}",
        r#"{"code":200}"#,
        r#"{"code":200,"data":"done"}"#,
        r#"{"code":200,"data":{"responseList":"#,
    ] {
        assert!(box_results(bad.as_bytes()).is_err(), "{bad}");
    }
    assert!(
        box_results(br#"{"code":200,"data":{"responseCode":0}}"#).unwrap().is_empty(),
        "no word about any box"
    );
}

fn result(succeed: bool, code: &str, retry_required: bool, message: &str) -> BoxResult {
    BoxResult { succeed, code: code.to_owned(), retry_required, message: message.to_owned() }
}

#[test]
fn a_confirmation_asks_for_the_order_to_be_read_again() {
    let Outcome::Done(done) = confirmed(Some(&result(true, "OK", false, ""))) else { panic!() };
    assert!(done.reread, "the address can have changed until then");
    assert!(matches!(confirmed(None), Outcome::Unknown(e) if e.outcome_unknown()));
    let no = |code, retry, message| match confirmed(Some(&result(false, code, retry, message))) {
        Outcome::Refused(no) => (no.temporary, no.reread),
        other => panic!("{other:?}"),
    };
    assert_eq!(no("INVALID_STATUS", false, ""), (false, true));
    assert_eq!(no("NOT_FOUND_SHIPMENT_BOX", true, ""), (true, true));
    assert_eq!(no("X", false, "배송상태를 변경할 수 없습니다. 주문내역을 확인해주세요."), (true, true));
}

fn dispatch_of<'a>(
    order: &'a Order,
    tracking: &'a Tracking,
    lines: &'a [(LineId, u32)],
) -> DispatchRequest<'a> {
    let mut request = DispatchRequest::new(order, Some(tracking), read_at());
    request.lines = lines;
    request
}

fn body(ask: &Ask) -> Value {
    serde_json::from_str(ask.body.as_deref().unwrap()).unwrap()
}

#[test]
fn a_whole_box_is_sent_line_by_line_as_the_sample_does() {
    let wanted: Value = serde_json::from_str(&sample("invoices.request")).unwrap();
    let lines = vec![item(3823839899, json!({})), item(3834780191, json!({}))];
    let order = order(&boxed(606920263, "INSTRUCT", lines, json!({"orderId": 4000019469460_u64})));
    let tracking = Tracking::new("경동택배", "2018-0731-040123");
    let parcel = parcel(&dispatch_of(&order, &tracking, &[]), date("2026-11-03"), None).unwrap();
    let ask = invoices_ask(Function::Invoices, "A00034612", &[&parcel]).unwrap();
    assert_eq!(body(&ask), wanted);
    assert_eq!(ask.path, "/v2/providers/openapi/apis/api/v4/vendors/A00034612/orders/invoices");
    assert_eq!(ask.method, "POST");
    let Outcome::Done(done) = dispatched(Some(&result(true, "OK", false, "")), &parcel) else { panic!() };
    assert_eq!(done.tracking, Some(Tracking::new("KDEXP", "20180731040123")), "as the channel shows it");
    assert!(!done.reread);
}

#[test]
fn a_split_names_every_line_and_a_day_for_what_stays() {
    let wanted: Value = serde_json::from_str(&sample("invoices_split_first.request")).unwrap();
    let lines = vec![
        item(3937239983, json!({})),
        item(3937239988, json!({"shippingCount": 1, "estimatedShippingDate": "2018-08-06"})),
    ];
    let fields = json!({"orderId": 4000022521677_u64, "ableSplitShipping": true});
    let first = order(&boxed(644466823, "INSTRUCT", lines.clone(), fields));
    let tracking = Tracking::new("KDEXP", "20180731040124");
    let part = [(LineId::from("3937239983"), 2)];
    let today = date("2018-08-01");
    let split = parcel(&dispatch_of(&first, &tracking, &part), today, None).unwrap();
    assert_eq!(body(&invoices_ask(Function::Invoices, "A00011111", &[&split]).unwrap()), wanted);
    let Outcome::Done(done) = dispatched(Some(&result(true, "OK", false, "")), &split) else { panic!() };
    assert!(done.reread, "the shipped part is in a new box");

    // What is left goes under the old box id, as a part of a shipment that began before.
    let fields = json!({"orderId": 4000022521677_u64, "ableSplitShipping": true, "splitShipping": true});
    let rest = order(&boxed(644466823, "INSTRUCT", lines[1..].to_vec(), fields));
    let rest = parcel(&dispatch_of(&rest, &tracking, &[]), today, None).unwrap();
    let sent = body(&invoices_ask(Function::Invoices, "A00011111", &[&rest]).unwrap());
    let [entry] = sent["orderSheetInvoiceApplyDtos"].as_array().unwrap().as_slice() else { panic!("{sent}") };
    assert_eq!(
        (&entry["vendorItemId"], &entry["invoiceNumber"]),
        (&json!(3937239988_u64), &json!("20180731040124"))
    );
    assert_eq!((&entry["splitShipping"], &entry["preSplitShipped"]), (&json!(true), &json!(true)));
    assert_eq!(entry["estimatedShippingDate"], "");

    // The day: what the merchant chose, else what was promised; never one that has passed, never a guess.
    let on = |today: &str, days| {
        let request = dispatch_of(&first, &tracking, &part);
        parcel(&request, date(today), days)
            .map(|p| serde_json::to_value(&p.entries[1]).unwrap()["estimatedShippingDate"].clone())
    };
    assert_eq!(on("2018-08-06", None).unwrap(), "2018-08-06");
    assert_eq!(on("2018-08-01", Some(3)).unwrap(), "2018-08-04");
    assert!(on("2018-08-07", None).unwrap_err().message.contains("split_rest_days"));
}

#[test]
fn what_cannot_be_dispatched_is_refused_before_it_is_sent() {
    let order_of =
        |fields| order(&boxed(B, "INSTRUCT", vec![item(11, json!({})), item(12, json!({}))], fields));
    let whole = order_of(json!({}));
    let tracking = Tracking::new("CJ대한통운", "123");
    let refused = |request: &DispatchRequest<'_>| parcel(request, date("2026-11-03"), None).unwrap_err();
    let says = |request: &DispatchRequest<'_>, word: &str| {
        let no: Refusal = refused(request);
        assert!(no.message.contains(word), "{} / {word}", no.message);
    };
    says(&DispatchRequest::new(&whole, None, read_at()), "needed");
    for carrier in ["", "some carrier", "Cj-logistic-x"] {
        says(&dispatch_of(&whole, &Tracking::new(carrier, "1"), &[]), "carrier");
    }
    for number in ["", " - ", "12 / 34", "번호"] {
        says(&dispatch_of(&whole, &Tracking::new("CJGLS", number), &[]), "waybill");
    }
    says(&dispatch_of(&whole, &tracking, &[(LineId::from("11"), 2)]), "split");
    says(&dispatch_of(&whole, &tracking, &[(LineId::from("11"), 1), (LineId::from("12"), 2)]), "as a whole");
    says(&dispatch_of(&whole, &tracking, &[(LineId::from("99"), 1)]), "nothing");
    let mut asked = whole.clone();
    asked.cancel = CancelState::Requested;
    let no = refused(&dispatch_of(&asked, &tracking, &[]));
    assert!(no.temporary && no.reread && no.message.contains("cancel"));
    // Cancelled lines are in no parcel.
    let lines = vec![item(11, json!({"canceled": true})), item(12, json!({}))];
    let part = order(&boxed(B, "INSTRUCT", lines, json!({})));
    assert_eq!(
        parcel(&dispatch_of(&part, &tracking, &[]), date("2026-11-03"), None).unwrap().entries.len(),
        1
    );
}

#[test]
fn waybill_results_say_what_to_do() {
    let parcel = {
        let order = plain("INSTRUCT");
        let tracking = Tracking::new("HANJIN", "1");
        parcel(&dispatch_of(&order, &tracking, &[]), date("2026-11-03"), None).unwrap()
    };
    let table = [
        ("NOT_FOUND_SHIPMENT_BOX", false, true),
        ("INVALID_STATUS", false, true),
        ("PERMISSION_DENIED", false, false),
        ("DUPLICATE_INVOICE_NUMBER", false, false),
        ("INVALID_INVOICE_NUMBER", false, false),
        ("ORDER_DELIVERY_CANCELED", false, true),
        ("ORDER_DELIVERY_PARTIAL_STOP_REQUESTED", true, true),
        ("SOMETHING_NEW", false, true),
    ];
    for (code, temporary, reread) in table {
        // "Retry required" means "correct and send again": the flag makes nothing temporary.
        let Outcome::Refused(no) = dispatched(Some(&result(false, code, true, "말")), &parcel) else {
            panic!()
        };
        assert_eq!((no.code.as_str(), no.temporary, no.reread), (code, temporary, reread));
        assert!(no.message.ends_with('말'));
    }
    assert!(matches!(dispatched(None, &parcel), Outcome::Unknown(e) if e.outcome_unknown()));
}

#[test]
fn carriers_by_name_and_code() {
    for (name, code) in [
        ("CJ대한통운", "CJGLS"),
        ("CJ 대한통운", "CJGLS"),
        ("cj logistics", "CJGLS"),
        ("cjgls", "CJGLS"),
        ("롯데택배", "HYUNDAI"),
        ("Lotte Global Logistics", "HYUNDAI"),
        ("로젠택배", "KGB"),
        ("우체국택배", "EPOST"),
        ("Korea Post", "EPOST"),
        ("한진택배", "HANJIN"),
        ("경동택배", "KDEXP"),
        ("업체직송", "DIRECT"),
        ("DHL", "DHL"),
    ] {
        assert_eq!(carriers::code(name), Some((code.to_owned(), true)), "{name}");
    }
    assert_eq!(carriers::code("SFEXPRESS"), Some(("SFEXPRESS".to_owned(), false)), "an open string passes");
    assert_eq!(carriers::code("  "), None);
    assert_eq!(carriers::waybill(" 1234-5678 90 "), Some("1234567890".to_owned()));
    assert_eq!(carriers::waybill("EE123456789KR"), Some("EE123456789KR".to_owned()));
}

#[test]
fn a_waybill_is_corrected_in_the_box_that_has_it() {
    let wanted: Value = serde_json::from_str(&sample("update_invoices.request")).unwrap();
    let lines = vec![item(3823839899, json!({}))];
    let order = order(&boxed(606920263, "DEPARTURE", lines, json!({"orderId": 4000019469460_u64})));
    let corrected_parcel = corrected(&order, &Tracking::new("CJGLS", "680405450931")).unwrap();
    let ask = invoices_ask(Function::UpdateInvoices, "A00012345", &[&corrected_parcel]).unwrap();
    assert_eq!(body(&ask), wanted);
    assert!(ask.path.ends_with("/orders/updateInvoices"));
    assert!(corrected(&plain("INSTRUCT"), &Tracking::new("CJGLS", "1")).is_err(), "nothing was shipped");
}

/// The order as it was before its first line went into box [`N`], and the boxes as they are after it.
fn split() -> (Order, Order, Vec<Order>) {
    let known = order(&boxed(
        B,
        "INSTRUCT",
        vec![item(11, json!({})), item(12, json!({"shippingCount": 1}))],
        json!({"ableSplitShipping": true}),
    ));
    let own =
        boxed(B, "INSTRUCT", vec![item(12, json!({"shippingCount": 1}))], json!({"splitShipping": true}));
    let moved = boxed(
        N,
        "DEPARTURE",
        vec![item(11, json!({}))],
        json!({"splitShipping": true, "deliveryCompanyName": "CJ 대한통운", "invoiceNumber": "340010913442"}),
    );
    // Another box of the buyer's order, with the same product.
    let sibling = boxed(77, "INSTRUCT", vec![item(11, json!({}))], json!({}));
    let (own, moved, sibling) = (order(&own), order(&moved), order(&sibling));
    (known, own.clone(), vec![own, moved, sibling])
}

#[test]
fn a_split_order_stays_whole_and_its_shipped_part_is_found_in_its_new_box() {
    let (known, own, boxes) = split();
    assert!(is_part(&own, &known) && !is_part(&known, &known));
    let read = whole(own.clone(), &boxes, &known);
    assert_eq!(read.id, known.id);
    let lines: Vec<(&str, &str, u32, OrderStatus)> = read
        .lines
        .iter()
        .map(|line| (line.id.as_str(), line.unit.as_str(), line.shipped, line.status))
        .collect();
    assert_eq!(
        lines,
        [
            ("11", "642538970006401999", 2, OrderStatus::Shipped),
            ("12", "642538970006401429", 0, OrderStatus::Confirmed)
        ]
    );
    assert_eq!((read.status, read.holds.as_slice()), (OrderStatus::Confirmed, &[][..]));
    assert_eq!(read.tracking[0].number, "340010913442", "the hub finds its parcel by it");
    // The next read follows the part in its box.
    let mut delivered = boxes.clone();
    delivered[1] = order(&boxed(N, "FINAL_DELIVERY", vec![item(11, json!({}))], json!({})));
    assert_eq!(whole(own, &delivered, &read).lines[0].status, OrderStatus::Delivered);
    assert_eq!(refreshed(&read, &delivered).lines[0].status, OrderStatus::Delivered);
    // The rest is dispatched as a part of what began before.
    let tracking = Tracking::new("CJGLS", "1");
    let rest = parcel(&dispatch_of(&read, &tracking, &[]), date("2026-11-03"), None).unwrap();
    let entry = serde_json::to_value(&rest.entries).unwrap();
    assert_eq!((entry.as_array().unwrap().len(), &entry[0]["vendorItemId"]), (1, &json!(12)));
    assert_eq!(entry[0]["preSplitShipped"], true);
}

#[test]
fn a_part_whose_new_box_cannot_be_told_is_shipped_all_the_same() {
    let (known, own, mut boxes) = split();
    boxes[1].id = OrderId::from("78");
    let mut twin = boxes[1].clone();
    twin.id = OrderId::from("79");
    for others in [vec![own.clone()], vec![own.clone(), boxes[1].clone(), twin]] {
        let read = whole(own.clone(), &others, &known);
        let line = &read.lines[0];
        assert_eq!((line.status, line.shipped, line.outstanding()), (OrderStatus::Shipped, 2, 0));
        assert!(read.holds.is_empty());
    }
}

#[test]
fn a_line_that_vanishes_without_a_split_stops_the_order() {
    let (known, mut own, _) = split();
    own.channel_data = crate::model::ChannelData::default();
    let read = whole(own, &[], &known);
    assert_eq!(
        (read.lines[0].status, read.lines[0].outstanding()),
        (OrderStatus::Confirmed, 2),
        "it holds stock"
    );
    assert_eq!(read.holds, [Hold::ChangePending]);
}

#[test]
fn a_split_that_does_not_show_yet_is_not_undone() {
    let (mut known, _, _) = split();
    let late = known.clone();
    known.lines[0].shipped = 2;
    known.lines[0].status = OrderStatus::Shipped;
    let read = whole(late.clone(), &[], &known);
    assert_eq!((read.lines[0].outstanding(), read.lines[1].outstanding()), (0, 1));
    assert_eq!(read.status, OrderStatus::Confirmed);
    let tracking = Tracking::new("CJGLS", "1");
    let rest = parcel(&dispatch_of(&read, &tracking, &[]), date("2026-11-03"), None).unwrap();
    assert_eq!(serde_json::to_value(&rest.entries).unwrap()[0]["preSplitShipped"], true);
    // Where all was reported, the channel's word counts.
    known.lines[1].shipped = 1;
    assert_eq!(whole(late, &[], &known).lines[0].shipped, 0);
}

#[test]
fn a_box_that_is_gone_is_found_in_the_boxes_that_took_its_lines() {
    let known = plain("INSTRUCT");
    let moved =
        |id, status: &str, option| order(&boxed(id, status, vec![item(option, json!({}))], json!({})));
    let boxes = [moved(78, "DEPARTURE", 11), moved(79, "DELIVERING", 12)];
    let read = without_box(&known, &boxes, read_at()).unwrap();
    assert_eq!((read.id.as_str(), read.status), (known.id.as_str(), OrderStatus::Shipped));
    let half = without_box(&known, &boxes[..1], read_at()).unwrap();
    assert_eq!((half.status, half.holds.as_slice()), (OrderStatus::Confirmed, &[Hold::ChangePending][..]));
    assert!(
        without_box(&known, &[moved(80, "INSTRUCT", 11)], read_at()).is_none(),
        "an open box is its own order"
    );
}

fn receipts(rows: Value) -> Vec<Receipt> {
    let page = json!({"code": 200, "data": rows, "nextToken": ""}).to_string();
    let (receipts, unreadable, next) = receipts_result(page.as_bytes(), "", &korea()).unwrap();
    assert!(unreadable.is_empty() && next.is_none());
    receipts
}

/// A receipt over pieces of option 11 in a box.
fn receipt(kind: &str, status: &str, release: &str, box_id: u64, pieces: u32) -> Value {
    json!({"receiptId": 9, "orderId": 500, "receiptType": kind, "receiptStatus": status, "cancelCountSum": pieces,
        "createdAt": "2026-11-02T22:52:42",
        "returnItems": [{"vendorItemId": 11, "shipmentBoxId": box_id, "cancelCount": pieces, "releaseStatus": release}]})
}

#[test]
fn claim_table() {
    use Claim as C;
    let table = [
        ("RETURN", "RELEASE_STOP_UNCHECKED", "N", "", C::Open),
        ("RETURN", "RELEASE_STOP_UNCHECKED", "", "", C::Open),
        ("CANCEL", "RELEASE_STOP_UNCHECKED", "N", "", C::Open),
        ("RETURN", "RETURNS_UNCHECKED", "N", "", C::Open),
        ("RETURN", "RETURNS_UNCHECKED", "S", "", C::Stopping),
        ("RETURN", "RETURNS_UNCHECKED", "Y", "", C::Returning),
        ("RETURN", "RETURNS_UNCHECKED", "", "처리(이미출고)", C::Returning),
        ("RETURN", "RETURNS_UNCHECKED", "A", "자동처리(이미출고)", C::Returning),
        ("RETURN", "RETURNS_UNCHECKED", "", "미처리", C::Open),
        ("RETURN", "RETURNS_UNCHECKED", "", "비대상", C::Returning),
        ("RETURN", "RETURNS_UNCHECKED", "A", "", C::Undecided),
        ("CANCEL", "RETURNS_COMPLETED", "N", "", C::Cancelled),
        ("CANCEL", "RETURNS_UNCHECKED", "", "", C::Cancelled),
        ("RETURN", "RETURNS_COMPLETED", "S", "", C::Cancelled),
        ("RETURN", "RETURNS_COMPLETED", "N", "", C::Cancelled),
        ("RETURN", "RETURNS_COMPLETED", "", "처리(출고중지)", C::Cancelled),
        ("RETURN", "RETURNS_COMPLETED", "Y", "", C::Returned),
        ("RETURN", "RETURNS_COMPLETED", "?", "", C::Ended),
        ("RETURN", "VENDOR_WAREHOUSE_CONFIRM", "Y", "", C::Returning),
        ("RETURN", "REQUEST_COUPANG_CHECK", "Y", "", C::Returning),
        ("RETURN", "REQUEST_COUPANG_CHECK", "N", "", C::Stopping),
        ("RETURN", "SOMETHING_NEW", "N", "", C::Stopping),
        ("RETURN", "SOMETHING_NEW", "Y", "", C::Returning),
        ("RETURN", "SOMETHING_NEW", "", "", C::Undecided),
    ];
    for (kind, status, letter, words, expected) in table {
        assert_eq!(claim(kind, status, letter, words), expected, "{kind} {status} {letter} {words}");
    }
}

#[test]
fn receipts_on_a_box_become_its_cancel_state() {
    use {CancelState as C, OrderStatus as S};
    let table = [
        ("RETURN", "RELEASE_STOP_UNCHECKED", "N", "INSTRUCT", S::Confirmed, C::Requested),
        ("RETURN", "RELEASE_STOP_UNCHECKED", "N", "DEPARTURE", S::Shipped, C::Requested),
        ("RETURN", "RETURNS_UNCHECKED", "N", "INSTRUCT", S::Confirmed, C::Requested),
        ("RETURN", "RETURNS_UNCHECKED", "S", "INSTRUCT", S::Confirmed, C::Requested),
        ("RETURN", "SOMETHING_NEW", "", "INSTRUCT", S::Confirmed, C::Requested),
        ("RETURN", "SOMETHING_NEW", "", "DELIVERING", S::Shipped, C::ReturnOrExchange),
        ("RETURN", "RETURNS_UNCHECKED", "Y", "FINAL_DELIVERY", S::Delivered, C::ReturnOrExchange),
        ("RETURN", "REQUEST_COUPANG_CHECK", "Y", "FINAL_DELIVERY", S::Delivered, C::ReturnOrExchange),
        ("RETURN", "RETURNS_COMPLETED", "Y", "FINAL_DELIVERY", S::Delivered, C::ReturnOrExchange),
        // What the box does not show yet: the pieces of line 11 are cancelled, line 12 is not.
        ("CANCEL", "RETURNS_COMPLETED", "N", "ACCEPT", S::New, C::None),
    ];
    for (kind, word, release, status, expected, cancel) in table {
        let mut order = plain(status);
        apply(&mut order, &receipts(json!([receipt(kind, word, release, B, 2)])));
        assert_eq!((order.status, order.cancel), (expected, cancel), "{word} {release} on {status}");
        if kind == "CANCEL" {
            assert_eq!((order.lines[0].outstanding(), order.lines[1].outstanding()), (0, 1));
        }
    }
    let mut other = plain("INSTRUCT");
    apply(&mut other, &receipts(json!([receipt("RETURN", "RELEASE_STOP_UNCHECKED", "N", 77, 1)])));
    assert_eq!(other.cancel, CancelState::None, "another box of the order is another order");
}

#[test]
fn cancelled_pieces_are_counted_once_and_a_wholly_cancelled_box_is_cancelled() {
    let one = receipt("CANCEL", "RETURNS_COMPLETED", "N", B, 1);
    let mut two = one.clone();
    two["receiptId"] = json!(10);
    let lines = |cancelled| vec![item(11, json!({"cancelCount": cancelled}))];
    for (shown, rows, left, status) in [
        (0, json!([one]), 1, OrderStatus::New),
        (1, json!([one]), 1, OrderStatus::New),
        (1, json!([one, two]), 0, OrderStatus::Cancelled),
        (2, json!([one, two]), 0, OrderStatus::Cancelled),
    ] {
        let mut order = order(&boxed(B, "ACCEPT", lines(shown), json!({})));
        apply(&mut order, &receipts(rows));
        assert_eq!((order.lines[0].outstanding(), order.status), (left, status), "{shown}");
    }
    let mut returned = order(&boxed(B, "FINAL_DELIVERY", lines(0), json!({})));
    apply(&mut returned, &receipts(json!([receipt("RETURN", "RETURNS_COMPLETED", "Y", B, 2)])));
    assert_eq!((returned.status, returned.cancel), (OrderStatus::Returned, CancelState::ReturnOrExchange));
}

#[test]
fn a_receipt_without_lines_stands_for_its_whole_order_and_one_without_numbers_is_told() {
    let bare = json!({"receiptId": 9, "orderId": 500, "receiptStatus": "RELEASE_STOP_UNCHECKED", "returnItems": null});
    let mut order = plain("INSTRUCT");
    apply(&mut order, &receipts(json!([bare])));
    assert_eq!(order.cancel, CancelState::Requested);
    let page = br#"{"code":200,"data":[{"receiptId":9},7,{"orderId":500}],"nextToken":""}"#;
    let (found, unreadable, _) = receipts_result(page, "", &korea()).unwrap();
    assert!(found.is_empty());
    assert_eq!(
        unreadable.iter().map(|row| row.raw.reveal()).collect::<Vec<_>>(),
        [r#"{"receiptId":9}"#, "7", r#"{"orderId":500}"#]
    );
}

#[test]
fn sample_receipts_of_both_versions_are_read() {
    let read = |name: &str| receipts_result(sample(name).as_bytes(), "", &korea()).unwrap().0.remove(0);
    let new = read("return_requests.v6.response");
    assert_eq!((new.id.as_str(), new.order.as_str(), new.pieces), ("50229613", "22000009546234", Some(1)));
    assert_eq!(new.created_at, Some(at("2026-11-02T22:52:42+09:00")));
    assert_eq!(new.reason, "고객변심 / 단순변심(사유없음)");
    assert_eq!(new.items[0].box_id, "642538970006401429");
    assert_eq!((new.items[0].claim, new.items[0].pieces), (Claim::Open, Some(1)));
    let old = read("return_requests.v4.response");
    assert_eq!((old.items[0].claim, old.items[0].box_id.as_str()), (Claim::Returning, "434119941"));
}

#[test]
fn a_box_that_is_not_shown_any_more_is_what_its_receipts_say() {
    use {CancelState as C, OrderStatus as S};
    let table = [
        (json!([receipt("CANCEL", "RETURNS_COMPLETED", "N", B, 2)]), "ACCEPT", S::Cancelled, C::None),
        (json!([receipt("RETURN", "RETURNS_COMPLETED", "S", B, 2)]), "INSTRUCT", S::Cancelled, C::None),
        (json!([receipt("RETURN", "RETURNS_COMPLETED", "", B, 2)]), "INSTRUCT", S::Cancelled, C::None),
        (
            json!([receipt("RETURN", "RELEASE_STOP_UNCHECKED", "N", B, 2)]),
            "INSTRUCT",
            S::Confirmed,
            C::Requested,
        ),
        (
            json!([receipt("RETURN", "RETURNS_COMPLETED", "Y", B, 2)]),
            "FINAL_DELIVERY",
            S::Returned,
            C::ReturnOrExchange,
        ),
        (
            json!([receipt("RETURN", "RETURNS_UNCHECKED", "Y", B, 2)]),
            "DELIVERING",
            S::Shipped,
            C::ReturnOrExchange,
        ),
        // Only the channel's sentence: nothing more is done, and it is read again.
        (json!([]), "INSTRUCT", S::Confirmed, C::Requested),
        (json!([]), "DELIVERING", S::Shipped, C::ReturnOrExchange),
    ];
    for (rows, status, expected, cancel) in table {
        let read = closed(&plain(status), &receipts(rows.clone()), read_at());
        assert_eq!((read.status, read.cancel), (expected, cancel), "{rows} on {status}");
        if expected == S::Cancelled {
            assert!(read.lines.iter().all(|line| line.outstanding() == 0 && line.status == S::Cancelled));
        }
    }
    // What was shipped in another box is not cancelled with the rest.
    let (known, own, boxes) = split();
    let known = whole(own, &boxes, &known);
    let rest = json!([{"receiptId": 9, "orderId": 500, "receiptType": "RETURN", "receiptStatus": "RETURNS_COMPLETED",
        "returnItems": [{"vendorItemId": 12, "shipmentBoxId": B, "cancelCount": 1, "releaseStatus": "S"}]}]);
    let read = closed(&known, &receipts(rest), read_at());
    let lines: Vec<OrderStatus> = read.lines.iter().map(|line| line.status).collect();
    assert_eq!((lines, read.status), (vec![S::Shipped, S::Cancelled], S::Shipped));
}

fn window(from: &str, to: &str) -> Window {
    Window::new(at(from), at(to))
}

#[test]
fn windows_become_days_at_the_channel_with_the_days_before() {
    let zone = korea().zone();
    for (from, to, before, first, last) in [
        ("2026-11-02T00:00:00+09:00", "2026-11-03T00:00:00+09:00", 0, "2026-11-02", "2026-11-02"),
        ("2026-11-02T00:00:00+09:00", "2026-11-03T00:00:00.001+09:00", 0, "2026-11-02", "2026-11-03"),
        ("2026-11-01T23:59:59+09:00", "2026-11-02T00:00:00+09:00", 1, "2026-10-31", "2026-11-01"),
        ("2026-11-01T15:00:00Z", "2026-11-01T16:00:00Z", 1, "2026-11-01", "2026-11-02"),
    ] {
        assert_eq!(days(window(from, to), zone, before), Some((date(first), date(last))), "{from} {to}");
    }
    assert_eq!(days(window("2026-11-02T00:00:00Z", "2026-11-02T00:00:00Z"), zone, 1), None);
    assert_eq!(spans((date("2026-11-02"), date("2026-11-02"))).len(), 1);
    let long = spans((date("2026-09-01"), date("2026-11-02")));
    assert_eq!(
        long,
        [
            (date("2026-09-01"), date("2026-09-30")),
            (date("2026-10-01"), date("2026-10-30")),
            (date("2026-10-31"), date("2026-11-02"))
        ]
    );
    assert!(spans((date("2026-11-02"), date("2026-11-01"))).is_empty());
}

#[test]
fn the_longest_window_fits_into_one_list() {
    let config = korea();
    let longest = chrono::TimeDelta::from_std(super::info::info(&config).max_window).unwrap();
    let from = at("2026-11-02T12:00:00+09:00");
    let most = config.with_payment_days(9);
    let days = days(Window::new(from, from + longest), most.zone(), u64::from(most.payment_days)).unwrap();
    assert_eq!(spans(days).len(), 1);
}

#[test]
fn a_walk_goes_through_every_page_span_and_search_and_takes_no_other_cursor() {
    let mut place = Place::begin(None, 2, 2).unwrap();
    let mut walked = Vec::new();
    let mut tokens = [None, Some("a/b"), None, None, Some("c"), None].into_iter();
    loop {
        walked.push((place.search, place.span, place.token.clone()));
        let Some(next) = place.next(tokens.next().unwrap().map(str::to_owned), 2, 2) else { break };
        place = Place::begin(Some(&next.cursor()), 2, 2).unwrap();
        assert_eq!(place, next);
    }
    let walked: Vec<(usize, usize, &str)> = walked.iter().map(|(a, b, c)| (*a, *b, c.as_str())).collect();
    assert_eq!(walked, [(0, 0, ""), (0, 1, ""), (0, 1, "a/b"), (1, 0, ""), (1, 1, ""), (1, 1, "c")]);
    for cursor in ["", "7", "0", "0/0", "2/0/", "0/2/", "-1/0/", "a/b/c", "{}"] {
        let error = Place::begin(Some(&PageCursor::new(cursor)), 2, 2).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{cursor}");
    }
}

#[test]
fn an_order_belongs_to_the_day_on_which_it_was_paid() {
    let config = korea();
    let first = first_day(window("2026-11-02T10:00:00+09:00", "2026-11-02T11:00:00+09:00"), config.zone());
    let paid = |at: Value| {
        let fields = json!({"orderedAt": "2026-11-01T23:55:00+09:00", "paidAt": at});
        belongs(&row(&boxed(B, "ACCEPT", vec![item(11, json!({}))], fields).to_string()), first, &config)
    };
    assert!(paid(json!("2026-11-02T00:02:00+09:00")), "made the day before, paid after midnight");
    assert!(paid(json!("2026-11-02T23:59:59+09:00")), "later than the window is not too much");
    assert!(!paid(json!("2026-11-01T23:59:59+09:00")), "OS-2: a day before the sync began is not taken");
    assert!(paid(json!(null)), "nothing is dropped for want of a time");
    assert!(belongs(&row("7"), first, &config), "a row that can't be read is told");
}

#[test]
fn receipts_are_asked_for_by_status_because_the_channel_insists() {
    let days = (date("2026-11-01"), date("2026-11-30"));
    let ask = receipts_ask("A1", Search::Status("RU"), days, "t+1");
    assert_eq!(ask.path, "/v2/providers/openapi/apis/api/v6/vendors/A1/returnRequests");
    assert_eq!(
        ask.query,
        "createdAtFrom=2026-11-01&createdAtTo=2026-11-30&status=RU&maxPerPage=50&nextToken=t%2B1"
    );
    let ask = receipts_ask("A1", Search::Cancelled, days, "");
    assert_eq!(ask.query, "createdAtFrom=2026-11-01&createdAtTo=2026-11-30&cancelType=CANCEL&maxPerPage=50");
}

fn decide<'a>(order: &'a Order, action: CancelAction, memo: Option<&'static str>) -> CancelDecision<'a> {
    CancelDecision { order, action, reason: CancelReason::OutOfStock, memo }
}

#[test]
fn decisions_are_sent_as_the_samples_are() {
    let order = plain("INSTRUCT");
    let mut receipt = receipts(json!([receipt("RETURN", "RELEASE_STOP_UNCHECKED", "N", B, 2)])).remove(0);
    receipt.id = "363667".to_owned();
    let keys = Keys::of(&credentials().with(VENDOR_ID, "A00013264")).unwrap();
    let ask = decision_ask(&decide(&order, CancelAction::Accept, None), &receipt, &keys).unwrap().unwrap();
    assert_eq!(body(&ask), serde_json::from_str::<Value>(&sample("stopped_shipment.request")).unwrap());
    assert_eq!(
        (ask.method.as_str(), ask.path.as_str()),
        ("PUT", "/v2/providers/openapi/apis/api/v4/vendors/A00013264/returnRequests/363667/stoppedShipment")
    );
    receipt.id = "12346897".to_owned();
    let refuse = decide(&order, CancelAction::Refuse, Some("경동택배 70432743577"));
    let ask = decision_ask(&refuse, &receipt, &Keys::of(&credentials()).unwrap()).unwrap().unwrap();
    assert_eq!(body(&ask), serde_json::from_str::<Value>(&sample("completed_shipment.request")).unwrap());
    assert!(ask.path.ends_with("/returnRequests/12346897/completedShipment"));
    // The parcel that the order shows, under the carrier's name there.
    let mut shipped = order.clone();
    shipped.tracking = vec![Tracking::new("CJ 대한통운", "340010913442")];
    let ask = decision_ask(&decide(&shipped, CancelAction::Refuse, Some("it left already")), &receipt, &keys);
    assert_eq!(body(&ask.unwrap().unwrap())["deliveryCompanyCode"], "CJGLS");
    let no = decision_ask(&decide(&order, CancelAction::Refuse, None), &receipt, &keys).err().unwrap();
    assert!(no.message.contains("waybill"), "{}", no.message);

    assert!(decision_result(sample("stopped_shipment.response").as_bytes()).unwrap().is_done());
    assert!(decision_result(sample("completed_shipment.response").as_bytes()).unwrap().is_done());
    let fail = br#"{"code":"200","data":{"resultCode":"FAIL","resultMessage":"x"}}"#;
    assert!(matches!(decision_result(fail).unwrap(), Outcome::Refused(no) if no.reread));
    assert!(matches!(decision_result(br#"{"code":"200","data":{}}"#).unwrap(), Outcome::Unknown(_)));
    assert!(decision_result(br#"{"code":"200"}"#).is_err());
}

#[test]
fn a_sellers_cancellation_is_sent_as_the_sample_is_and_each_option_has_its_outcome() {
    let wanted: Value = serde_json::from_str(&sample("cancel_order.request")).unwrap();
    let lines = vec![
        item(3145181064, json!({"shippingCount": 1})),
        item(3145181065, json!({})),
        item(3145181067, json!({"shippingCount": 2, "cancelCount": 1})),
        item(3145181068, json!({"canceled": true})),
    ];
    let order = order(&boxed(B, "INSTRUCT", lines, json!({"orderId": 2000006593044_u64})));
    let keys = Keys::of(&credentials().with(VENDOR_ID, "A00123456").with(WING_USER_ID, "wing_login_id_123"))
        .unwrap();
    let decision = decide(&order, CancelAction::CancelBySeller, None);
    let ask = cancel_ask(&decision, &keys).unwrap().unwrap();
    assert_eq!(body(&ask), wanted);
    assert_eq!(ask.path, "/v2/providers/openapi/apis/api/v5/vendors/A00123456/orders/2000006593044/cancel");
    assert_eq!(ask.method, "POST");

    let outcome = |body: &str| cancel_result(body.as_bytes(), &decision).unwrap();
    assert!(
        matches!(outcome(&sample("cancel_order_partial.response")), Outcome::Unknown(e) if e.outcome_unknown())
    );
    let all = r#"{"code":"200","data":{"receiptMap":{"1":{"vendorItemIds":[3145181064,3145181065,"3145181067"]}},"failedVendorItemIds":[]}}"#;
    assert!(outcome(all).is_done());
    let failed = r#"{"code":"200","message":"no","data":{"receiptMap":{},"failedVendorItemIds":[3145181064,3145181065,3145181067]}}"#;
    assert!(matches!(outcome(failed), Outcome::Refused(no) if no.reread && no.message == "no"));
    assert!(matches!(outcome(r#"{"code":"200","data":{}}"#), Outcome::Unknown(_)), "no word about any");
    let one = order_with_option(70071284034);
    let decision = decide(&one, CancelAction::CancelBySeller, None);
    assert!(cancel_result(sample("cancel_order.response").as_bytes(), &decision).unwrap().is_done());

    let refused =
        |decision: &CancelDecision<'_>, keys: &Keys| cancel_ask(decision, keys).err().unwrap().message;
    let mut no_user = credentials();
    no_user.parts.insert(WING_USER_ID.to_owned(), Secret::new(" "));
    assert!(refused(&decision, &Keys::of(&no_user).unwrap()).contains("wing_user_id"));
    let other = CancelDecision { reason: CancelReason::Delay, ..decision.clone() };
    assert!(refused(&other, &keys).contains("want of stock"));
    let shipped = plain("DEPARTURE");
    assert!(refused(&decide(&shipped, CancelAction::CancelBySeller, None), &keys).contains("not shipped"));
}

fn order_with_option(option: u64) -> Order {
    order(&boxed(B, "ACCEPT", vec![item(option, json!({"shippingCount": 1}))], json!({})))
}

#[test]
fn sample_products_are_listed_under_the_key_that_orders_use() {
    let (products, next) = products_result(sample("seller_products_page.response").as_bytes(), "").unwrap();
    assert_eq!((products.len(), next.as_deref()), (2, Some("2")));
    assert_eq!(products[0].id, "239092172");
    let (by_sku, _) = products_result(sample("product_by_external_sku.response").as_bytes(), "").unwrap();
    assert_eq!((by_sku[0].id.as_str(), by_sku[0].title.as_str()), ("123", "샘플 잡지"));
    let product =
        Product { id: "152620911".into(), title: "호떡믹스".into(), state: "승인완료".into() };
    let listings = product_result(sample("seller_product_detail.response").as_bytes(), &product).unwrap();
    let [listing] = listings.as_slice() else { panic!("the option that is not approved has no id") };
    assert_eq!(listing.key, ListingKey::option("152620911", "3000000177"));
    assert_eq!(listing.sku.as_ref().unwrap().as_str(), "90726");
    assert_eq!((listing.state, listing.quantity), (ListingState::OnSale, None));
    assert_eq!(listing.title, "호떡믹스 빅에디션 44");
    // Another schema on the same path (Rocket Growth): listed, without stock of its own.
    let other = br#"{"code":"SUCCESS","data":{"sellerProductId":152620911,"rocketGrowth":{}}}"#;
    assert_eq!(product_result(other, &product).unwrap()[0].key, ListingKey::item("152620911"));
    assert!(
        product_result(br#"{"code":"SUCCESS","data":{"sellerProductId":1,"items":[]}}"#, &product).is_err()
    );
    let page = |body: &str, asked| products_result(body.as_bytes(), asked).is_err();
    assert!(page(r#"{"code":"SUCCESS","data":[{"sellerProductName":"x"}]}"#, ""), "a hole");
    assert!(page(r#"{"code":"SUCCESS"}"#, ""), "no list");
    assert!(page(r#"{"code":"SUCCESS","data":[],"nextToken":"2"}"#, "2"), "the same page again");
    assert_eq!(products_ask("A1", 100, "2").query, "vendorId=A1&maxPerPage=100&nextToken=2");
    for (word, expected) in [
        ("승인완료", ListingState::OnSale),
        ("PARTIAL_APPROVED", ListingState::OnSale),
        ("IN_REVIEW", ListingState::Waiting),
        ("승인반려", ListingState::Stopped),
        ("DELETED", ListingState::Stopped),
        ("무엇", ListingState::Unknown),
    ] {
        assert_eq!(state(word), expected, "{word}");
    }
}

#[test]
fn quantities_are_asked_and_read() {
    let ask = quantity_ask("3000000177", 7);
    assert_eq!(
        (ask.method.as_str(), ask.path.as_str(), ask.body.as_deref()),
        (
            "PUT",
            "/v2/providers/seller_api/apis/api/v1/marketplace/vendor-items/3000000177/quantities/7",
            None
        )
    );
    assert!(judge_body(Function::SetQuantity, &sample("update_quantity.response"), Told::default()).is_ok());
    assert_eq!(inventory_result(sample("inventories.response").as_bytes()).unwrap(), 7);
    assert_eq!(inventory_result(br#"{"code":"SUCCESS","data":{"amountInStock":-3}}"#).unwrap(), 0);
    for bad in [r#"{"code":"SUCCESS"}"#, r#"{"code":"SUCCESS","data":{"amountInStock":null}}"#] {
        assert_eq!(inventory_result(bad.as_bytes()).unwrap_err().kind(), ErrorKind::MalformedResponse);
    }
}

#[test]
fn the_channel_describes_itself() {
    let client = HttpClient::new(HttpSettings::default()).unwrap();
    let of = |config| Coupang::new(&client, "shop", &credentials(), config).unwrap();
    let korea = of(korea());
    let info = korea.info();
    assert_eq!(
        (info.id.as_str(), info.zone, info.currencies[0]),
        ("coupang", chrono_tz::Asia::Seoul, Currency::KRW)
    );
    assert_eq!((info.name.en, info.name.ja, info.name.ko), ("Coupang", "クーパン", "쿠팡"));
    assert_eq!((info.confirm_batch, info.dispatch_batch), (50, 50));
    assert_eq!(info.credential_life.unwrap().as_secs(), 180 * 86_400);
    assert!(info.limits.iter().all(|limit| !limit.published) && !info.documentation.is_empty());
    assert_eq!(info.options.len(), 1);
    let missing = [Capability::SetShipDate, Capability::NotifyBuyer, Capability::ReceiveWebhooks];
    for capability in Capability::ALL {
        assert_eq!(Capabilities::of(&korea).has(capability), !missing.contains(&capability), "{capability}");
    }
    let taiwan = of(Config::taiwan().unwrap());
    assert_eq!((taiwan.info().zone, taiwan.info().currencies[0].as_str()), (chrono_tz::Asia::Taipei, "TWD"));
    let has = Capabilities::of(&taiwan);
    assert!(!has.has(Capability::DispatchOrders) && !has.has(Capability::UpdateStock));
    assert_eq!(taiwan.cancellations().unwrap().actions(), [CancelAction::CancelBySeller]);
}

#[test]
fn the_split_option_is_a_number_of_days_or_nothing() {
    let cx = |value: Value| {
        let settings = std::collections::BTreeMap::from([("split_rest_days".to_owned(), value)]);
        Context::new().with_settings(std::sync::Arc::new(settings))
    };
    assert_eq!(split_days(&Context::new()).unwrap(), None);
    assert_eq!(split_days(&cx(Value::Null)).unwrap(), None);
    assert_eq!(split_days(&cx(json!(2))).unwrap(), Some(2));
    for wrong in [json!(-1), json!(31), json!("2"), json!(1.5)] {
        assert_eq!(split_days(&cx(wrong)).unwrap_err().kind(), ErrorKind::Configuration);
    }
}
