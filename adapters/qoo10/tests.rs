//! The pure parts: tables row by row, rows, windows.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};

use super::cancels::{Claim, claim_result, spans};
use super::errors::{Method, judge_body, refusal, verdict};
use super::listings::{Detail, OptionRow, detail_result, inventory_result, items_result, listings_of};
use super::orders::{Search, order_result, parse_orders, search_form};
use super::rows::read_row;
use super::stock::{find_option, item_quantity, one_form};
use super::window::{DAY, Piece};
use super::wire::{bulk_outcomes, day, decimal, integer, status_number, time};
use super::{Config, Qoo10};
use crate::channel::{
    Capabilities, Capability, Channel, Credentials, DispatchRequest, Outcome, PageCursor, Row, Tracking,
};
use crate::error::{Effect, ErrorKind, Retry};
use crate::http::{HttpClient, HttpSettings};
use crate::model::{
    CancelState, Currency, LineId, ListingKey, ListingState, Order, OrderId, OrderStatus, Window,
};

const SAMPLE: &str = include_str!("../../tests/samples/qoo10/get_shipping_info_v3.response.json");

fn japan() -> Config {
    Config::japan().unwrap()
}

fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().with_timezone(&Utc)
}

fn row(json: &str) -> Row {
    let raw = serde_json::value::RawValue::from_string(json.to_owned()).unwrap();
    read_row(&raw, &japan(), at("2026-11-20T12:00:00+09:00"))
}

fn order(json: &str) -> Order {
    match row(json) {
        Row::Order(order) => *order,
        Row::Unreadable(row) => panic!("unreadable: {}", row.reason),
    }
}

fn order_with(fields: &str) -> Order {
    order(&format!(r#"{{"OrderNo":1,"OrderDate":"2026-11-20 09:12:33","ItemNo":"7","OrderQty":2{fields}}}"#))
}

#[test]
fn sample_rows_are_read_field_by_field() {
    let rows = parse_orders(SAMPLE.as_bytes(), &japan(), at("2026-11-20T12:00:00+09:00")).unwrap();
    let orders: Vec<&Order> = rows.iter().filter_map(Row::order).collect();
    assert_eq!(orders.len(), 2);
    let [first, second] = orders.as_slice() else { panic!("two orders") };

    assert_eq!((first.id.as_str(), first.group.as_deref()), ("1062428737", Some("300100200")));
    assert_eq!((first.status, first.cancel), (OrderStatus::New, CancelState::None));
    assert_eq!(first.ordered_at, at("2026-11-20T09:12:33+09:00"));
    assert_eq!(first.paid_at, Some(at("2026-11-20T09:13:01+09:00")));
    assert_eq!(first.updated_at, at("2026-11-20T12:00:00+09:00"));
    assert_eq!((first.currency, first.expected_ship_date), (Currency::JPY, None));
    assert_eq!(first.buyer.reveal().name, "山田 花子");
    let to = &first.destinations[0];
    let recipient = to.recipient.reveal();
    assert_eq!(
        (recipient.name_reading.as_str(), recipient.phone.as_str()),
        ("ヤマダ ハナコ", "090-0000-0001")
    );
    assert_eq!(recipient.address.postal_code, "100-0001");
    assert_eq!(recipient.address.lines, ["東京都千代田区千代田1-1", "テストビル101"]);
    assert!(to.sender.is_none());
    assert_eq!(first.memo.as_ref().unwrap().reveal(), "不在の場合は管理室に預けてください。");
    let line = &first.lines[0];
    assert_eq!(line.listing, ListingKey::option("700100100", "TEE-01-RED-S"));
    assert_eq!(line.sku.as_ref().unwrap().as_str(), "TEE-01-RED-S");
    assert_eq!((line.quantity, line.shipped, line.outstanding()), (2, 0, 2));
    assert_eq!(line.title, "オーガニックTシャツ 🌿");
    assert_eq!(line.option_text, "カラー : 赤 / サイズ : S");
    assert_eq!(line.unit_price.unwrap().to_string(), "1980 JPY");
    assert_eq!(line.discount.unwrap().to_string(), "100 JPY");
    assert_eq!(line.total.unwrap().to_string(), "3860 JPY");
    assert_eq!(first.totals.shipping.unwrap().to_string(), "500 JPY");
    assert_eq!(first.totals.settlement.unwrap().to_string(), "3474 JPY");
    assert_eq!(first.totals.total, None, "no row says what the buyer pays all in");

    let line = &second.lines[0];
    assert_eq!(line.listing, ListingKey::item("700100101"));
    assert_eq!(line.sku.as_ref().unwrap().as_str(), "CAP-02");
    assert_eq!(line.unit_price.unwrap().to_string(), "2480.00 JPY", "the digits are kept");
    assert_eq!(second.destinations[0].desired_date, Some("2026-11-25".parse().unwrap()));
    assert!(SAMPLE.contains(first.raw.reveal()) && first.raw.reveal().starts_with('{'));
}

#[test]
fn shipping_status_table() {
    use OrderStatus as S;
    let table = [
        ("\"1\"", S::PendingPayment),
        ("\"2\"", S::New),
        ("3", S::Confirmed),
        ("\"Request shipping(2)\"", S::New),
        ("\"Seller confirm(3)\"", S::Confirmed),
        ("\"On delivery(4)\"", S::Shipped),
        ("\"Delivered (5) \"", S::Delivered),
        ("\"配送準備（３）\"", S::Confirmed),
        ("\"status 2\"", S::New),
        ("\"Waiting(9)\"", S::Unknown),
        ("\"12\"", S::Unknown),
        ("\"2 or 3\"", S::Unknown),
        ("\"配送要請\"", S::Unknown),
        ("\"\"", S::Unknown),
        ("null", S::Unknown),
    ];
    for (text, status) in table {
        let order = order_with(&format!(r#","ShippingStatus":{text}"#));
        assert_eq!((order.status, order.lines[0].status), (status, status), "{text}");
    }
    for mapping in super::STATUSES {
        let fields = match mapping.channel.strip_prefix("claim ") {
            Some(claim) => format!(r#","ShippingStatus":"2","claimStatus":"{claim}""#),
            None => format!(r#","ShippingStatus":"{}""#, mapping.channel),
        };
        assert_eq!(order_with(&fields).status, mapping.status, "{}", mapping.channel);
    }
}

#[test]
fn a_status_without_number_falls_back_on_what_dates_prove() {
    let status = |fields: &str| order_with(fields).status;
    assert_eq!(status(r#","ShippingStatus":"x","ShippingDate":"2026-11-21 10:00:00""#), OrderStatus::Shipped);
    assert_eq!(status(r#","ShippingStatus":"x","TrackingNo":"123""#), OrderStatus::Shipped);
    assert_eq!(status(r#","ShippingStatus":"x","DeliveredDate":"2026/11/22 10:00""#), OrderStatus::Delivered);
    assert_eq!(status(r#","ShippingStatus":"x","ShippingDate":"","TrackingNo":"  ""#), OrderStatus::Unknown);
}

#[test]
fn claim_table_and_a_claim_wins_over_the_shipping_status() {
    use {CancelState as C, OrderStatus as S};
    let table = [
        ("", "2", S::New, C::None),
        ("0", "2", S::New, C::None),
        ("1", "2", S::New, C::Requested),
        ("2", "3", S::Confirmed, C::Requested),
        ("Cancel request(1)", "2", S::New, C::Requested),
        ("3", "2", S::Cancelled, C::None),
        ("16", "1", S::Cancelled, C::None),
        ("4", "5", S::Delivered, C::ReturnOrExchange),
        ("5", "5", S::Delivered, C::ReturnOrExchange),
        ("6", "5", S::Returned, C::ReturnOrExchange),
        ("11", "5", S::Delivered, C::ReturnOrExchange),
        ("12", "5", S::Delivered, C::ReturnOrExchange),
        ("13", "4", S::Shipped, C::ReturnOrExchange),
        ("14", "4", S::Shipped, C::ReturnOrExchange),
        ("15", "4", S::Shipped, C::ReturnOrExchange),
        // Not in the table: before shipping it might be a cancellation, after it not.
        ("99", "2", S::Unknown, C::None),
        ("99", "4", S::Shipped, C::ReturnOrExchange),
        ("取消", "3", S::Unknown, C::None),
    ];
    for (claim, shipping, status, cancel) in table {
        let order = order_with(&format!(r#","ShippingStatus":"{shipping}","claimStatus":"{claim}""#));
        assert_eq!((order.status, order.cancel), (status, cancel), "claim {claim:?} on {shipping}");
        assert_eq!(order.lines[0].status, status);
    }
    let cancelled = order_with(r#","ShippingStatus":"2","claimStatus":"3""#);
    assert_eq!((cancelled.lines[0].cancelled, cancelled.lines[0].outstanding()), (2, 0));
}

#[test]
fn a_row_that_cannot_be_read_spoils_only_itself_and_keeps_its_text() {
    let bad = [
        (r#"{"OrderNo":"5","OrderDate":"2026-11-20","ItemNo":"7","OrderQty":"two"}"#, Some("5")),
        (r#"{"OrderNo":"5","OrderDate":"2026-11-20","ItemNo":"7","OrderQty":0}"#, Some("5")),
        (r#"{"OrderNo":"5","OrderDate":"2026-11-20","ItemNo":"7","OrderQty":-1}"#, Some("5")),
        (r#"{"OrderNo":"5","OrderDate":"2026-11-20","ItemNo":"7","OrderQty":1.5}"#, Some("5")),
        (r#"{"OrderNo":"5","OrderDate":"soon","ItemNo":"7","OrderQty":1}"#, Some("5")),
        (r#"{"OrderNo":"5","OrderDate":"2026-11-20","OrderQty":1}"#, Some("5")),
        (r#"{"OrderNo":"","OrderDate":"2026-11-20","ItemNo":"7","OrderQty":1}"#, None),
        (r#"{"OrderNo":{"x":1}}"#, None),
        (r#"[1,2]"#, None),
        ("17", None),
    ];
    for (text, id) in bad {
        let page = format!(
            r#"{{"ResultCode":0,"ResultObject":[{text},{{"OrderNo":6,"OrderDate":"2026-11-20","ItemNo":"7","OrderQty":1}}]}}"#
        );
        let rows = parse_orders(page.as_bytes(), &japan(), Utc::now()).unwrap();
        let [Row::Unreadable(bad), Row::Order(good)] = rows.as_slice() else { panic!("{text}") };
        assert_eq!(bad.raw.reveal(), text);
        assert_eq!(bad.id.as_ref().map(OrderId::as_str), id);
        assert_eq!(good.id.as_str(), "6");
    }
}

#[test]
fn broken_bytes_spoil_their_own_row_only() {
    let mut page = br#"{"ResultCode":0,"ResultObject":[{"OrderNo":5,"OrderDate":"2026-11-20","ItemNo":"7","OrderQty":1,"Address1":"#.to_vec();
    page.extend_from_slice(b"\"\xff\xfe\"},");
    page.extend_from_slice(br#"{"OrderNo":6,"OrderDate":"2026-11-20","ItemNo":"7","OrderQty":1}]}"#);
    let rows = parse_orders(&page, &japan(), Utc::now()).unwrap();
    assert!(matches!(rows.as_slice(), [Row::Unreadable(_), Row::Order(_)]));
}

#[test]
fn emoji_full_width_and_half_an_emoji_come_through() {
    let order = order_with(
        r#","ItemTitle":"ﾃｨｰｼｬﾂ ＴＳ 👩‍🔬 \ud83c\udf3f","Option":"half \ud83c end","Receiver":"髙﨑""#,
    );
    assert_eq!(order.lines[0].title, "ﾃｨｰｼｬﾂ ＴＳ 👩‍🔬 🌿");
    assert!(order.lines[0].option_text.starts_with("half ") && order.lines[0].option_text.ends_with(" end"));
    assert_eq!(order.destinations[0].recipient.reveal().name, "髙﨑");
}

#[test]
fn an_unknown_currency_keeps_the_order_and_leaves_its_amounts_out() {
    let order = order_with(r#","Currency":"円","OrderPrice":100,"ShippingRate":5"#);
    assert_eq!((order.lines[0].unit_price, order.totals.shipping), (None, None));
    let order = order_with(r#","Currency":"xts","OrderPrice":100"#);
    assert_eq!(order.lines[0].unit_price.unwrap().to_string(), "100 XTS");
    let order = order_with(r#","OrderPrice":100"#);
    assert_eq!(order.lines[0].unit_price.unwrap().to_string(), "100 JPY");
}

#[test]
fn a_missing_address_is_an_empty_one_and_the_whole_one_stands_in() {
    assert!(order_with("").destinations[0].recipient.reveal().address.is_empty());
    let order = order_with(r#","ShippingAddress":"東京都 1-1","Address1":"","Address2":null"#);
    assert_eq!(order.destinations[0].recipient.reveal().address.lines, ["東京都 1-1"]);
}

#[test]
fn option_words_name_the_listing_where_there_is_no_code() {
    let order = order_with(r#","Option":"カラー : 赤","SellerItemCode":"TEE""#);
    assert_eq!(order.lines[0].listing, ListingKey::option("7", "カラー : 赤"));
    assert_eq!(order.lines[0].sku.as_ref().unwrap().as_str(), "TEE");
}

#[test]
fn fields_of_any_spelling_repeated_or_unknown_are_no_trouble() {
    let order = order_with(
        r#","orderNo":1,"ORDER_NO":1,"a_field_with_a_name_that_is_longer_than_any_field_read":{"x":[1]},"Total":null,"Gift":[]"#,
    );
    assert_eq!(order.id.as_str(), "1");
}

#[test]
fn times_in_all_forms() {
    let tokyo = chrono_tz::Asia::Tokyo;
    let noon = Some(at("2026-11-20T12:00:00+09:00"));
    for text in [
        "2026-11-20 12:00:00",
        "2026/11/20 12:00",
        "2026/11/20 12:00:00",
        "20261120120000",
        "2026-11-20T12:00:00",
        "2026-11-20T03:00:00Z",
        " 2026-11-20 12:00:00.000 ",
    ] {
        assert_eq!(time(text, tokyo), noon, "{text}");
    }
    for text in ["2026-11-20", "2026/11/20", "20261120"] {
        assert_eq!(time(text, tokyo), Some(at("2026-11-20T00:00:00+09:00")), "{text}");
        assert_eq!(day(text, tokyo), Some("2026-11-20".parse().unwrap()));
    }
    for text in ["", " ", "0001-01-01 00:00:00", "1900-01-01", "2026-13-01", "soon"] {
        assert_eq!(time(text, tokyo), None, "{text}");
    }
}

#[test]
fn numbers_in_all_forms() {
    for (text, number) in
        [("0", Some(0)), (" -10012 ", Some(-10012)), ("3.0", Some(3)), ("3.5", None), ("", None), ("x", None)]
    {
        assert_eq!(integer(text), number, "{text}");
    }
    for (text, amount) in
        [("2480.00", "2480.00"), ("1,234,567.5", "1234567.5"), ("1E3", "1000"), ("-5", "-5")]
    {
        assert_eq!(decimal(text).unwrap().to_string(), amount);
    }
    assert_eq!(decimal("0.1").unwrap() + decimal("0.2").unwrap(), decimal("0.3").unwrap());
    assert_eq!(decimal("free"), None);
    assert_eq!(status_number("A(1) B(16)"), Some(16));
}

#[test]
fn error_table() {
    use {Effect as E, ErrorKind as K, Method as M};
    let all = [
        M::ShippingInfo,
        M::OrderInfo,
        M::ClaimInfo,
        M::ConfirmOne,
        M::ConfirmMany,
        M::SendMany,
        M::CancelOrder,
        M::AllItems,
        M::ItemDetail,
        M::Inventory,
        M::SetItemQuantity,
        M::SetItemQuantities,
        M::SetOptionQuantity,
        M::CreateKey,
    ];
    // Codes that mean the same everywhere.
    for method in all {
        for (code, kind) in [
            (-10000, K::Unauthorized),
            (-90001, K::Configuration),
            (-90002, K::Forbidden),
            (-90003, K::Forbidden),
            (-90004, K::CredentialExpired),
            (-90005, K::CredentialExpired),
        ] {
            let verdict = verdict(method, code);
            assert_eq!(
                (verdict.kind, verdict.retry, verdict.effect),
                (kind, Retry::Never, E::None),
                "{method:?} {code}"
            );
        }
    }
    let table = [
        (M::ShippingInfo, -10001, K::Unauthorized, Retry::Never, E::None),
        (M::ClaimInfo, -10001, K::Unauthorized, Retry::Never, E::None),
        (M::AllItems, -10001, K::Unauthorized, Retry::Never, E::None),
        (M::CreateKey, -10001, K::Unauthorized, Retry::Never, E::None),
        (M::ItemDetail, -10001, K::NotFound, Retry::Never, E::None),
        (M::ItemDetail, -10009, K::NotFound, Retry::Never, E::None),
        (M::Inventory, -10001, K::NotFound, Retry::Never, E::None),
        (M::ClaimInfo, -10002, K::InvalidInput, Retry::Never, E::None),
        (M::ClaimInfo, -10003, K::InvalidInput, Retry::Never, E::None),
        // An order is never dropped because a read was refused.
        (M::OrderInfo, -10001, K::Unavailable, Retry::Later, E::None),
        (M::OrderInfo, -10101, K::Unavailable, Retry::Later, E::None),
        (M::ShippingInfo, -10101, K::Unavailable, Retry::Later, E::None),
        (M::ShippingInfo, -4711, K::Unavailable, Retry::Later, E::None),
        (M::ConfirmOne, -10012, K::Refused, Retry::Never, E::None),
        (M::ConfirmOne, -10013, K::Refused, Retry::Never, E::None),
        (M::ConfirmOne, -10101, K::Refused, Retry::Never, E::None),
        (M::ConfirmMany, -10011, K::InvalidInput, Retry::Never, E::None),
        (M::ConfirmMany, -10101, K::Refused, Retry::Never, E::Unknown),
        (M::ConfirmMany, -4711, K::Refused, Retry::Never, E::Unknown),
        (M::SendMany, -10101, K::Refused, Retry::Never, E::Unknown),
        (M::SendMany, -4711, K::Refused, Retry::Never, E::Unknown),
        (M::SetItemQuantities, -2, K::InvalidInput, Retry::Never, E::None),
        (M::SetItemQuantity, -10001, K::Refused, Retry::Never, E::None),
        (M::SetOptionQuantity, -10001, K::Refused, Retry::Never, E::None),
        (M::SetOptionQuantity, -10101, K::Refused, Retry::Never, E::None),
        (M::CancelOrder, -10001, K::Refused, Retry::Never, E::None),
        (M::CancelOrder, -10002, K::Refused, Retry::Never, E::None),
        (M::CancelOrder, -10003, K::Refused, Retry::Never, E::None),
        (M::CancelOrder, -10004, K::Refused, Retry::Never, E::None),
    ];
    for (method, code, kind, retry, effect) in table {
        let body = format!(r#"{{"ResultCode":"{code}","ResultMsg":"the channel's words"}}"#);
        let error = judge_body(method, body.as_bytes()).unwrap_err();
        assert_eq!((error.kind(), error.retry(), error.effect()), (kind, retry, effect), "{method:?} {code}");
        assert_eq!(error.code(), Some(code.to_string().as_str()));
        assert!(error.message().unwrap().contains("the channel's words"));
    }
}

#[test]
fn envelopes_of_all_shapes_are_judged() {
    let good = [
        r#"{"ResultCode":0}"#,
        r#"{"ResultCode":"0","ResultObject":null}"#,
        r#"{"ErrorCode":0,"ResultCode":0}"#,
    ];
    for body in good {
        judge_body(Method::ShippingInfo, body.as_bytes()).unwrap();
    }
    let expired = include_bytes!("../../tests/samples/qoo10/error_key_expired.response.json");
    assert_eq!(judge_body(Method::AllItems, expired).unwrap_err().kind(), ErrorKind::CredentialExpired);
    let framework = br#"{"ErrorCode": -90001, "ErrorMsg": "The API does not exist"}"#;
    assert_eq!(judge_body(Method::AllItems, framework).unwrap_err().kind(), ErrorKind::Configuration);
    let both = br#"{"ErrorCode":-90002,"ErrorMsg":"no","ResultCode":0}"#;
    assert_eq!(judge_body(Method::AllItems, both).unwrap_err().kind(), ErrorKind::Forbidden);
    for body in [
        "",
        "{",
        "[]",
        "{}",
        "\"x\"",
        r#"{"ResultCode":null}"#,
        r#"{"ResultCode":"ok"}"#,
        r#"{"ResultCode":0,"ResultObject":[{"#,
    ] {
        let error = judge_body(Method::SendMany, body.as_bytes()).unwrap_err();
        assert_eq!((error.kind(), error.retry()), (ErrorKind::MalformedResponse, Retry::Later), "{body}");
    }
}

#[test]
fn result_objects_of_all_shapes_are_rows() {
    let one = r#"{"OrderNo":1,"OrderDate":"2026-11-20","ItemNo":"7","OrderQty":1}"#;
    for (object, rows) in [("null", 0), ("[]", 0), ("\"\"", 0), (one, 1)] {
        let body = format!(r#"{{"ResultCode":0,"ResultObject":{object}}}"#);
        assert_eq!(parse_orders(body.as_bytes(), &japan(), Utc::now()).unwrap().len(), rows, "{object}");
    }
    assert!(parse_orders(br#"{"ResultCode":0}"#, &japan(), Utc::now()).unwrap().is_empty());
    let odd = parse_orders(br#"{"ResultCode":0,"ResultObject":"busy"}"#, &japan(), Utc::now()).unwrap_err();
    assert_eq!(odd.kind(), ErrorKind::MalformedResponse);
}

#[test]
fn refusals_say_what_to_do_and_whether_to_read_the_order_again() {
    for (code, reread) in
        [(-10013, true), (-10016, false), (-10017, false), (-10018, false), (-10101, true), (-7, true)]
    {
        let no = refusal(Method::ConfirmMany, code, "words");
        assert_eq!((no.reread, no.temporary), (reread, false), "{code}");
        assert!(no.message.contains("words") && no.code == code.to_string());
    }
    assert!(refusal(Method::ConfirmMany, -10018, "").message.contains("passed"));
}

#[test]
fn bulk_outcomes_are_found_by_number_and_contradictions_are_unknown() {
    let ids: Vec<OrderId> = ["1", "2", "3", "4", "5", "6"].map(OrderId::from).to_vec();
    let ids: Vec<&OrderId> = ids.iter().collect();
    let body = br#"{"ResultCode":0,"ResultObject":[
        {"cont_no":"5","result_cd":0,"ResultCode":-10013},
        {"contr_no":3,"result_cd":"-7","ResultCode":"-10013","ResultMsg":"m"},
        {"cont_no":2,"result_cd":"0"},
        {"cont_no":6,"result_cd":0},{"cont_no":6,"result_cd":-10013},
        {"cont_no":99,"result_cd":0}, 7,
        {"cont_no":1,"ResultCode":0}]}"#;
    let done = |code: i64, _: &str| {
        if code == 0 { Outcome::Done(code) } else { Outcome::Refused(refusal(Method::ConfirmMany, code, "")) }
    };
    let outcomes = bulk_outcomes(body, &ids, done).unwrap();
    let words: Vec<String> = outcomes
        .iter()
        .map(|outcome| match outcome {
            Outcome::Done(_) => "done".to_owned(),
            Outcome::Refused(no) => no.code.clone(),
            Outcome::Unknown(error) => {
                assert!(error.outcome_unknown());
                "unknown".to_owned()
            }
            _ => "other".to_owned(),
        })
        .collect();
    assert_eq!(words, ["done", "done", "-10013", "unknown", "unknown", "unknown"]);
}

#[test]
fn rows_of_a_bulk_answer_say_more_than_its_envelope() {
    let mixed = br#"{"ResultCode":-10013,"ResultMsg":"x","ResultObject":[{"cont_no":1,"result_cd":0}]}"#;
    judge_body(Method::ConfirmMany, mixed).unwrap();
    let expired = br#"{"ResultCode":-90004,"ResultMsg":"x","ResultObject":[{"cont_no":1,"result_cd":0}]}"#;
    assert_eq!(judge_body(Method::ConfirmMany, expired).unwrap_err().kind(), ErrorKind::CredentialExpired);
}

fn pieces(from: &str, to: &str) -> Vec<(String, String)> {
    let window = Window::new(at(from), at(to));
    let (mut cursor, mut pieces) = (None, Vec::new());
    while let Some(piece) = Piece::begin(window, cursor.as_ref(), DAY).unwrap() {
        pieces.push(piece.borders(chrono_tz::Asia::Tokyo));
        cursor = piece.next(window);
        if cursor.is_none() {
            break;
        }
    }
    pieces
}

#[test]
fn window_borders_are_rounded_outwards_to_the_second() {
    let one = |from, to| pieces(from, to).remove(0);
    let pair = |from: &str, to: &str| (from.to_owned(), to.to_owned());
    assert_eq!(one("2026-11-20T00:00:00Z", "2026-11-20T01:00:00Z"), pair("20261120090000", "20261120100000"));
    assert_eq!(
        one("2026-11-20T00:00:00.999Z", "2026-11-20T01:00:00.001Z"),
        pair("20261120090000", "20261120100001")
    );
    assert!(pieces("2026-11-20T01:00:00Z", "2026-11-20T01:00:00Z").is_empty());
    assert!(pieces("2026-11-20T02:00:00Z", "2026-11-20T01:00:00Z").is_empty());
    assert_eq!(
        one("2026-11-20T01:00:00.2Z", "2026-11-20T01:00:00.3Z"),
        pair("20261120100000", "20261120100001")
    );
}

#[test]
fn a_window_over_a_day_is_covered_without_a_gap() {
    let pieces = pieces("2026-11-17T15:00:00Z", "2026-11-20T03:00:00.5Z");
    assert_eq!(pieces.len(), 3);
    assert_eq!(pieces[0].0, "20261118000000");
    assert_eq!(pieces[2].1, "20261120120001");
    for pair in pieces.windows(2) {
        assert_eq!(pair[0].1, pair[1].0, "each begins where the last one ends");
    }
}

#[test]
fn halved_pieces_go_on_where_they_end_and_end_at_a_minute() {
    let window = Window::new(at("2026-11-20T00:00:00Z"), at("2026-11-20T01:00:00Z"));
    let mut piece = Piece::begin(window, None, DAY).unwrap().unwrap();
    let mut halvings = 0;
    while piece.can_split() {
        piece = piece.half();
        halvings += 1;
    }
    assert_eq!(halvings, 6);
    let next = piece.next(window).unwrap();
    let after = Piece::begin(window, Some(&next), DAY).unwrap().unwrap();
    assert_eq!(after.borders(chrono_tz::Asia::Tokyo).0, piece.borders(chrono_tz::Asia::Tokyo).1);
    for cursor in ["", "x", "1+2+3", "0+60", "1763596800+0", "1763596800+-5", "99999999999999+60"] {
        let error = Piece::begin(window, Some(&PageCursor::new(cursor)), DAY).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{cursor}");
    }
}

#[test]
fn searches_ask_for_unpaid_by_order_date_and_for_the_rest_by_payment_date() {
    let window = Window::new(at("2026-11-20T00:00:00Z"), at("2026-11-20T01:00:00Z"));
    let piece = Piece::begin(window, None, DAY).unwrap().unwrap();
    let field = |search, name| {
        let form = search_form(search, piece, &japan());
        form.into_iter().find(|(n, _)| *n == name).unwrap().1
    };
    assert_eq!(
        (field(Search::Unpaid, "ShippingStatus"), field(Search::Unpaid, "SearchCondition")),
        ("1".into(), "1".into())
    );
    assert_eq!(
        (field(Search::Paid, "ShippingStatus"), field(Search::Paid, "SearchCondition")),
        (String::new(), "2".into())
    );
}

#[test]
fn claim_spans_stay_under_ninety_days_whatever_the_dates() {
    let days = |texts: &[&str]| -> BTreeSet<chrono::NaiveDate> {
        texts.iter().map(|t| t.parse().unwrap()).collect()
    };
    assert!(spans(&days(&[])).is_empty());
    let found = spans(&days(&["2026-08-01", "2026-10-28", "2026-10-29", "2026-11-20", "2001-01-01"]));
    assert_eq!(found.len(), 3);
    for (first, last) in &found {
        assert!((*last - *first) < TimeDelta::days(90));
    }
    for day in days(&["2026-08-01", "2026-10-28", "2026-10-29", "2026-11-20", "2001-01-01"]) {
        assert!(found.iter().any(|(first, last)| (*first..=*last).contains(&day)));
    }
}

#[test]
fn sample_claims_are_read() {
    let body = include_bytes!("../../tests/samples/qoo10/get_claim_info_v3.response.json");
    let (found, unreadable) = claim_result(body, 1, chrono_tz::Asia::Tokyo).unwrap();
    assert!(unreadable.is_empty());
    assert_eq!((found.len(), found[0].claim), (1, Claim::CancelOpen));
    let request = &found[0].request;
    assert_eq!((request.order.as_str(), request.open), ("1062428738", true));
    assert_eq!(request.requested_at, Some(at("2026-11-20T10:02:11+09:00")));
    assert_eq!(request.reason.reveal(), "注文間違い");
    let (found, unreadable) = claim_result(
        br#"{"ResultCode":0,"ResultObject":[{"orderNo":5},{"claimStatus":"1"},8]}"#,
        3,
        chrono_tz::Asia::Tokyo,
    )
    .unwrap();
    assert_eq!((found[0].claim, unreadable.len()), (Claim::Cancelled, 2));
}

#[test]
fn a_single_order_is_read_with_its_claim_and_keeps_what_it_leaves_out() {
    let known = parse_orders(SAMPLE.as_bytes(), &japan(), Utc::now()).unwrap();
    let known = known[0].order().unwrap();
    let body = r#"{"ResultCode":0,"ResultObject":[{"shippingStatus":"4","orderNo":1062428737,"packNo":300100200,
        "orderDate":"2026/11/20 09:12","PaymentDate":"2026-11-20 09:13:01","shippingDate":"2026-11-21 10:00:00",
        "itemCode":"700100100","sellerItemCode":"TEE-01","itemTitle":"T","option":"カラー : 赤 / サイズ : S","optionCode":"TEE-01-RED-S",
        "orderQty":"2","orderPrice":"1980.0000","receiver":"山田 花子","receiver_gata":"ヤマダ","zipCode":"100-0001",
        "shippingAddr":"東京都千代田区千代田1-1　テストビル101","deliveryCompany":"ヤマト運輸","trackingNo":"4567","claimStatus":"4"}]}"#;
    let outcome = order_result(body.as_bytes(), known, &japan(), at("2026-11-21T12:00:00Z")).unwrap();
    let Outcome::Done(order) = outcome else { panic!("read") };
    assert_eq!((order.status, order.cancel), (OrderStatus::Shipped, CancelState::ReturnOrExchange));
    assert_eq!(order.tracking, [Tracking::new("ヤマト運輸", "4567")]);
    assert_eq!(order.lines[0].listing, known.lines[0].listing);
    assert_eq!(order.lines[0].shipped, 2);
    // The same address in one line: its known parts are better.
    assert_eq!(order.destinations, known.destinations);
    assert_eq!(order.totals.shipping, known.totals.shipping);
    assert!(order.raw.reveal().contains("receiver_gata"));

    let moved = body.replace("千代田1-1", "丸の内2-2");
    let Outcome::Done(order) = order_result(moved.as_bytes(), known, &japan(), Utc::now()).unwrap() else {
        panic!()
    };
    assert_eq!(
        order.destinations[0].recipient.reveal().address.lines,
        ["東京都千代田区丸の内2-2　テストビル101"]
    );

    let bare = r#"{"ResultCode":"0","ResultObject":{"orderNo":"1062428737","shippingStatus":"3","itemCode":"700100100","orderQty":2}}"#;
    let Outcome::Done(order) = order_result(bare.as_bytes(), known, &japan(), Utc::now()).unwrap() else {
        panic!()
    };
    assert_eq!(
        (order.status, order.ordered_at, order.paid_at),
        (OrderStatus::Confirmed, known.ordered_at, known.paid_at)
    );
    assert_eq!(
        (&order.lines[0].listing, &order.lines[0].sku),
        (&known.lines[0].listing, &known.lines[0].sku)
    );
    assert_eq!(order.destinations, known.destinations);
    assert_eq!(order.buyer, known.buyer);
}

#[test]
fn only_an_empty_answer_says_that_an_order_is_gone() {
    let known = order_with("");
    let read = |body: &str| order_result(body.as_bytes(), &known, &japan(), Utc::now());
    assert!(matches!(read(r#"{"ResultCode":0,"ResultObject":[]}"#), Ok(Outcome::Refused(_))));
    for body in [
        r#"{"ResultCode":0,"ResultObject":[{"orderNo":2,"orderQty":1}]}"#,
        r#"{"ResultCode":0,"ResultObject":[{"orderNo":1,"orderQty":"?"}]}"#,
        r#"{"ResultCode":0,"ResultObject":[7]}"#,
        r#"{"ResultCode":0,"ResultObject":"x"}"#,
    ] {
        assert_eq!(read(body).unwrap_err().kind(), ErrorKind::MalformedResponse, "{body}");
    }
}

#[test]
fn parcels_are_checked_before_they_are_sent() {
    let order = order_with(r#","ShippingStatus":"3""#);
    let item = |carrier: &str, number: &str| {
        let tracking = Tracking::new(carrier, number);
        let request = DispatchRequest::new(&order, Some(&tracking), Utc::now());
        super::dispatch::item(&request).map(|item| serde_json::to_value(item).unwrap())
    };
    assert_eq!(
        item("Yamato Transport", " 123 ").unwrap(),
        serde_json::json!({"OrderNo": "1", "ShippingCorp": "ヤマト運輸", "TrackingNo": "123"})
    );
    assert_eq!(item("福山通運", "1").unwrap()["ShippingCorp"], "福山通運");
    assert!(item("", "1").is_err() && item("x", " ").is_err());
    assert!(item(&"運".repeat(200), &"9".repeat(50)).is_ok());
    assert!(item(&"運".repeat(201), "1").is_err() && item("x", &"9".repeat(51)).is_err());
    assert!(super::dispatch::item(&DispatchRequest::new(&order, None, Utc::now())).is_err());

    let tracking = Tracking::new("x", "1");
    let mut request = DispatchRequest::new(&order, Some(&tracking), Utc::now());
    let (part, all) = ([(LineId::from("1"), 1)], [(LineId::from("1"), 2)]);
    request.lines = &part;
    assert!(super::dispatch::item(&request).unwrap_err().message.contains("whole"));
    request.lines = &all;
    assert!(super::dispatch::item(&request).is_ok());
}

fn option(name: &str, value: &str, code: &str, quantity: u32) -> OptionRow {
    let words = name
        .split("||*")
        .zip(value.split("||*"))
        .map(|(n, v)| format!("{n} : {v}"))
        .collect::<Vec<_>>()
        .join(" / ");
    OptionRow { name: name.into(), value: value.into(), code: code.into(), words, quantity: Some(quantity) }
}

#[test]
fn sample_options_are_listed_under_the_key_that_orders_use() {
    let body = include_bytes!("../../tests/samples/qoo10/get_goods_inventory_info.response.json");
    let rows = inventory_result(body).unwrap();
    assert_eq!(rows, [option("カラー||*サイズ", "赤||*S", "TEE-01-RED-S", 12)]);
    let body = include_bytes!("../../tests/samples/qoo10/get_all_goods_info.response.json");
    let (items, more) = items_result(body, 1).unwrap();
    assert_eq!((items.len(), more), (2, false));
    let listings = listings_of(&items[0], None, &rows).unwrap();
    assert_eq!(listings[0].key, ListingKey::option("700100100", "TEE-01-RED-S"));
    assert_eq!((listings[0].quantity, listings[0].state), (Some(12), ListingState::OnSale));
    let orders = parse_orders(SAMPLE.as_bytes(), &japan(), Utc::now()).unwrap();
    assert_eq!(listings[0].key, orders[0].order().unwrap().lines[0].listing);
    let plain = listings_of(&items[1], None, &[]).unwrap();
    assert_eq!(plain[0].key, orders[1].order().unwrap().lines[0].listing);
    assert_eq!(plain[0].sku.as_ref().unwrap().as_str(), "CAP-02");
}

#[test]
fn option_rows_without_or_with_shared_codes_are_named_by_their_words() {
    let (items, _) =
        items_result(br#"{"ResultCode":0,"ResultObject":{"Items":[{"ItemCode":7,"ItemStatus":"S9"}]}}"#, 1)
            .unwrap();
    let rows = [option("色", "赤", "A", 1), option("色", "青", "A", 2), option("色", "黒", "", 3)];
    let listings = listings_of(&items[0], None, &rows).unwrap();
    let keys: Vec<&str> = listings.iter().map(|l| l.key.option.as_str()).collect();
    assert_eq!(keys, ["色 : 赤", "色 : 青", "色 : 黒"]);
    assert_eq!(listings[0].state, ListingState::Unknown);
    assert_eq!(find_option("色 : 青", &rows).unwrap().quantity, Some(2));
    assert!(find_option("A", &rows).unwrap_err().message.contains("several"));
    assert!(find_option("B", &rows).unwrap_err().message.contains("no such"));
}

#[test]
fn a_list_of_items_with_a_hole_is_an_error_and_its_end_is_what_the_channel_says() {
    let page = |body: &str, page| items_result(body.as_bytes(), page);
    assert!(page(r#"{"ResultCode":0,"ResultObject":{"TotalPages":"3","PresentPage":"2","Items":[{"ItemCode":"1"}]}}"#, 2).unwrap().1);
    assert!(
        !page(
            r#"{"ResultCode":0,"ResultObject":{"TotalPages":3,"PresentPage":3,"Items":[{"ItemCode":"1"}]}}"#,
            3
        )
        .unwrap()
        .1
    );
    assert!(page(r#"{"ResultCode":0,"ResultObject":{"Items":[{"ItemCode":"1"}]}}"#, 1).unwrap().1);
    assert!(!page(r#"{"ResultCode":0,"ResultObject":{"Items":[]}}"#, 2).unwrap().1);
    assert!(!page(r#"{"ResultCode":0,"ResultObject":null}"#, 1).unwrap().1);
    assert!(page(r#"{"ResultCode":0,"ResultObject":{"Items":[{"SellerCode":"x"}]}}"#, 1).is_err());
    assert!(page(r#"{"ResultCode":0,"ResultObject":{"Items":[7]}}"#, 1).is_err());
}

#[test]
fn a_quantity_goes_out_with_the_items_own_price_and_end_of_sale_or_not_at_all() {
    let body = br#"{"ResultCode":0,"ResultObject":{"ItemNo":"7","ItemTitle":"T","SellerCode":"TEE","SellPrice":"1480.0000","ItemQty":"5","ExpireDate":"2027/03/31 23:59","TaxRate":"10"}}"#;
    let detail = detail_result(body, chrono_tz::Asia::Tokyo).unwrap();
    let form = one_form(&item_quantity("7", 0, &detail).unwrap());
    let field = |name: &str| form.iter().find(|(n, _)| *n == name).map(|(_, v)| v.as_str());
    assert_eq!(field("ItemCode"), Some("7"));
    assert_eq!(field("SellerCode"), Some("TEE"));
    assert_eq!(field("Price"), Some("1480"));
    assert_eq!(field("Qty"), Some("0"));
    assert_eq!(field("ExpireDate"), Some("2027-03-31"));
    assert_eq!(field("TaxRate"), Some("10"));
    assert!(
        item_quantity("7", 1, &Detail { ends: None, ..detail.clone() })
            .unwrap_err()
            .message
            .contains("end of sale")
    );
    assert!(item_quantity("7", 1, &Detail { price: None, ..detail }).unwrap_err().message.contains("price"));
    let empty = detail_result(br#"{"ResultCode":0,"ResultObject":[]}"#, chrono_tz::Asia::Tokyo).unwrap_err();
    assert_eq!(empty.kind(), ErrorKind::NotFound);
}

#[test]
fn the_channel_describes_itself() {
    let client = HttpClient::new(HttpSettings::default()).unwrap();
    let credentials = Credentials::new().with(super::CERTIFICATION_KEY, "very-secret");
    let channel = Qoo10::new(&client, "shop", &credentials, japan()).unwrap();
    let info = channel.info();
    assert_eq!(
        (info.id.as_str(), info.zone, info.currencies.as_slice()),
        ("qoo10", chrono_tz::Asia::Tokyo, &[Currency::JPY][..])
    );
    assert!(info.confirm_batch <= 500 && info.read_batch <= 500 && info.stock_batch <= 500);
    assert_eq!(info.dispatch_batch, 500);
    let has = Capabilities::of(&channel);
    for capability in Capability::ALL {
        let expected = !matches!(capability, Capability::NotifyBuyer | Capability::ReceiveWebhooks);
        assert_eq!(has.has(capability), expected, "{capability}");
    }
    assert!(!format!("{channel:?}").contains("very-secret"));
}

#[test]
fn credentials_without_a_key_are_refused_before_anything_is_sent() {
    let client = HttpClient::new(HttpSettings::default()).unwrap();
    for credentials in [Credentials::new(), Credentials::new().with(super::CERTIFICATION_KEY, "  ")] {
        let error = Qoo10::new(&client, "shop", &credentials, japan()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }
}

#[test]
fn a_new_key_is_read_as_text_or_from_an_object() {
    let read = |body: &str| super::auth::new_key(body.as_bytes());
    assert_eq!(read(r#"{"ResultCode":0,"ResultObject":" S5bnbf "}"#).unwrap().expose(), "S5bnbf");
    assert_eq!(read(r#"{"ResultCode":0,"ResultObject":{"CertificationKey":"K"}}"#).unwrap().expose(), "K");
    for body in [
        r#"{"ResultCode":0}"#,
        r#"{"ResultCode":0,"ResultObject":""}"#,
        r#"{"ResultCode":0,"ResultObject":{}}"#,
    ] {
        assert_eq!(read(body).unwrap_err().kind(), ErrorKind::MalformedResponse);
    }
}
