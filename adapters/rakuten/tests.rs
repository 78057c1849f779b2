//! The pure parts: tables row by row, rows, windows.

use chrono::{DateTime, TimeDelta, Utc};

use super::auth::{LICENSE_KEY, SERVICE_SECRET, authorization, expiry_result};
use super::cancels::{self, looked_through, requests_result};
use super::dispatch::{self, Plan, Sent};
use super::errors::{Function, judge_body, verdict};
use super::orders::{self, Found, get_result, read_outcomes, search_ask, search_result};
use super::row::{Kept, read_row};
use super::stock::{self, Taken};
use super::window::{LONGEST, Place};
use super::wire::{DayEnd, day, time, written};
use super::{Config, Rakuten, carriers, confirm, listings};
use crate::channel::{
    CancelAction, CancelDecision, CancelReason, Capabilities, Capability, Channel, ConfirmRequest,
    Credentials, DispatchRequest, OptionCode, Outcome, PageCursor, Row, StockChange, Tracking,
};
use crate::error::{Effect, ErrorKind, Retry};
use crate::http::{HttpClient, HttpSettings};
use crate::model::{
    CancelState, ChannelData, Currency, Hold, LineId, ListingKey, ListingState, Order, OrderId, OrderStatus,
    Window,
};

const ORDER: &str = include_str!("../../tests/samples/rakuten/get_order.response.json");
const SEARCH: &str = include_str!("../../tests/samples/rakuten/search_order.response.json");
const SEARCH_NONE: &str = include_str!("../../tests/samples/rakuten/search_order_none.response.json");
const CONFIRM: &str = include_str!("../../tests/samples/rakuten/confirm_order.response.json");
const EXPIRY: &str = include_str!("../../tests/samples/rakuten/license_expiry.response.json");
const ASYNC: &str = include_str!("../../tests/samples/rakuten/update_order_shipping_async.response.json");
const ASYNC_ERROR: &str =
    include_str!("../../tests/samples/rakuten/update_order_shipping_async_error.response.json");
const ASYNC_RESULT: &str =
    include_str!("../../tests/samples/rakuten/get_result_update_order_shipping_async.response.json");

fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().with_timezone(&Utc)
}

fn read_at() -> DateTime<Utc> {
    at("2026-11-20T12:00:00+09:00")
}

fn row(json: &str) -> Row {
    let raw = serde_json::value::RawValue::from_string(json.to_owned()).unwrap();
    read_row(&raw, read_at())
}

fn order(json: &str) -> Order {
    match row(json) {
        Row::Order(order) => *order,
        Row::Unreadable(row) => panic!("unreadable: {}", row.reason),
    }
}

/// An order of one package with one line.
fn with(fields: &str, package: &str, item: &str) -> String {
    format!(
        r#"{{"orderNumber":"1-20261120-1","orderDatetime":"2026-11-20T09:12:33+0900"{fields},
            "PackageModelList":[{{"basketId":11{package},"ItemModelList":[
            {{"itemDetailId":21,"manageNumber":"tee","itemNumber":"tee-no","units":2{item}}}]}}]}}"#
    )
}

fn order_with(fields: &str) -> Order {
    order(&with(fields, "", ""))
}

#[test]
fn the_sample_order_is_read_field_by_field() {
    let got = get_result(ORDER.as_bytes(), read_at()).unwrap();
    let [Row::Order(order)] = got.rows.as_slice() else { panic!("one order") };
    assert_eq!(order.id.as_str(), "123456-20230417-0207814266");
    assert_eq!((order.status, order.cancel), (OrderStatus::New, CancelState::None));
    assert_eq!((order.ordered_at, order.paid_at), (at("2023-04-17T13:01:20+09:00"), None));
    assert_eq!((order.updated_at, order.currency), (read_at(), Currency::JPY));
    assert!(order.holds.is_empty());
    let buyer = order.buyer.reveal();
    assert_eq!((buyer.name.as_str(), buyer.name_reading.as_str()), ("楽天 太郎", "ラクテン タロウ"));
    assert_eq!((buyer.phone.as_str(), buyer.email.as_str()), ("03-0000-0000", "masked@example.com"));
    let [to] = order.destinations.as_slice() else { panic!("one destination") };
    assert_eq!(to.id, "9501048");
    let address = &to.recipient.reveal().address;
    assert_eq!(address.postal_code, "158-0094");
    assert_eq!((address.region.as_str(), address.city.as_str()), ("東京都", "世田谷区"));
    assert_eq!(address.lines, ["玉川0-0-0"]);
    assert_eq!(to.message.as_ref().unwrap().reveal(), "14時-16時");
    assert_eq!(to.desired_date, None, "the day in the buyer's words is not taken for a field");
    assert!(order.memo.as_ref().unwrap().reveal().starts_with("[配送日時指定:]\n2023-04-20"));

    let lines: Vec<_> =
        order.lines.iter().map(|l| (l.id.as_str(), l.sku.as_ref().unwrap().as_str())).collect();
    assert_eq!(lines, [("9501048", "c3ps390M090"), ("9501049", "s1gr050sz8H"), ("9501050", "tst1234")]);
    let line = &order.lines[0];
    assert_eq!(line.listing, ListingKey::option("c3ps390", "11"));
    assert_eq!((line.unit.as_str(), line.destination), ("9501048", 0));
    assert_eq!((line.quantity, line.outstanding()), (1, 1));
    assert_eq!(line.title, "Tシャツ （抗菌防臭/吸汗速乾）");
    assert_eq!(
        line.option_text,
        "サイズ:M\nカラー:(090)ブラック\n領収書は同封されません:了承しました\n代金引換不可商品です:確認しました"
    );
    assert_eq!(line.unit_price.unwrap().to_string(), "1200 JPY");
    assert_eq!(order.lines[2].option_text, "", "null and null");
    // 8225 billed and 10 points, which are a payment: 9150 less the coupon of 915.
    assert_eq!(order.totals.total.unwrap().to_string(), "8235 JPY");
    assert_eq!(order.totals.discount.unwrap().to_string(), "915 JPY");
    assert_eq!(order.totals.shipping.unwrap().to_string(), "0 JPY");
    let kept: Kept = order.channel_data.read().unwrap();
    assert_eq!((kept.progress, kept.points), (100, Some(10.into())));
    assert_eq!((kept.baskets[0].id, kept.baskets[0].shipments[0].id), (9_501_048, 100));
    assert!(order.tracking.is_empty(), "a shipment without number is none");
    assert!(ORDER.contains(order.raw.reveal()) && order.raw.reveal().starts_with('{'));
}

#[test]
fn status_table() {
    use {CancelState as C, Hold as H, OrderStatus as S};
    const CONFIRMED: &str = r#","shopOrderCfmDatetime":"2026-11-20T10:00:00+0900""#;
    const SHIPPED: &str = r#","shippingCmplRptDatetime":"2026-11-21T10:00:00+0900""#;
    let table: [(&str, &str, S, C, &[H]); 16] = [
        ("100", "", S::New, C::None, &[]),
        ("\"100\"", "", S::New, C::None, &[]),
        ("200", CONFIRMED, S::Confirmed, C::None, &[H::PaymentInProcess]),
        ("300", CONFIRMED, S::Confirmed, C::None, &[]),
        ("400", CONFIRMED, S::Confirmed, C::None, &[H::ChangePending]),
        ("400", SHIPPED, S::Shipped, C::None, &[H::ChangePending]),
        ("500", SHIPPED, S::Shipped, C::None, &[]),
        ("600", SHIPPED, S::Shipped, C::None, &[]),
        ("700", "", S::Shipped, C::None, &[]),
        ("800", "", S::New, C::Requested, &[]),
        ("800", CONFIRMED, S::Confirmed, C::Requested, &[]),
        ("800", SHIPPED, S::Shipped, C::Requested, &[]),
        ("900", CONFIRMED, S::Cancelled, C::None, &[]),
        ("1000", "", S::Unknown, C::None, &[]),
        ("\"発送待ち\"", "", S::Unknown, C::None, &[]),
        ("null", "", S::Unknown, C::None, &[]),
    ];
    for (progress, dates, status, cancel, holds) in table {
        let order = order_with(&format!(r#","orderProgress":{progress}{dates}"#));
        assert_eq!((order.status, order.cancel), (status, cancel), "{progress}{dates}");
        assert_eq!(order.holds, holds, "{progress}");
        assert_eq!(order.lines[0].status, status);
    }
    for mapping in super::STATUSES {
        let dates = match mapping.channel.split_once(" after ") {
            Some((_, "shipping")) => SHIPPED,
            Some((_, _)) => CONFIRMED,
            None => "",
        };
        let progress = &mapping.channel[..3];
        let order = order_with(&format!(r#","orderProgress":{progress}{dates}"#));
        assert_eq!(order.status, mapping.status, "{}", mapping.channel);
    }
    let gone = order_with(r#","orderProgress":500"#);
    assert_eq!((gone.lines[0].shipped, gone.lines[0].outstanding()), (2, 0));
    let cancelled = order_with(r#","orderProgress":900"#);
    assert_eq!((cancelled.lines[0].cancelled, cancelled.lines[0].outstanding()), (2, 0));
}

#[test]
fn an_order_that_rakuten_checks_or_marks_to_be_cancelled_is_held() {
    for flag in [r#","rakutenConfirmFlag":1"#, r#","cautionDisplayType":"2""#] {
        let order = order_with(&format!(r#","orderProgress":300{flag}"#));
        assert_eq!(order.holds, [Hold::OnHold], "{flag}");
        assert!(order_with(&format!(r#","orderProgress":500{flag}"#)).holds.is_empty());
    }
    assert!(
        order_with(r#","orderProgress":300,"rakutenConfirmFlag":0,"cautionDisplayType":1"#).holds.is_empty()
    );
}

#[test]
fn an_amount_that_is_not_fixed_is_unknown() {
    let open = order_with(
        r#","requestPrice":-9999,"postagePrice":"-9999","couponAllTotalPrice":-9999,"PointModel":{"usedPoint":5}"#,
    );
    assert_eq!((open.totals.total, open.totals.shipping, open.totals.discount), (None, None, None));
    let exact = order_with(r#","requestPrice":"1,980.50","postagePrice":0,"PointModel":null"#);
    assert_eq!(exact.totals.total.unwrap().to_string(), "1980.50 JPY");
    let price = |fields: &str| order(&with("", "", fields)).lines[0].unit_price.map(|m| m.to_string());
    assert_eq!(price(r#","price":1000,"priceTaxIncl":1100"#).as_deref(), Some("1100 JPY"));
    assert_eq!(price(r#","price":1000,"priceTaxIncl":null"#).as_deref(), Some("1000 JPY"));
    assert_eq!(price(r#","price":-9999,"priceTaxIncl":-9999"#), None);
}

#[test]
fn option_code_is_the_system_code_else_the_sku_number_else_the_item_number() {
    let line = |skus: &str| order(&with("", "", &format!(r#","SkuModelList":{skus}"#))).lines[0].clone();
    let sku = |skus: &str| line(skus).sku.map(|sku| sku.to_string());
    assert_eq!(
        sku(r#"[{"variantId":"v1","merchantDefinedSkuId":"SYS-1","skuInfo":null}]"#).as_deref(),
        Some("SYS-1")
    );
    assert_eq!(sku(r#"[{"variantId":"v1","merchantDefinedSkuId":"  "}]"#).as_deref(), Some("v1"));
    assert_eq!(sku("[]").as_deref(), Some("tee-no"));
    assert_eq!(sku("null").as_deref(), Some("tee-no"));
    assert_eq!(line("null").listing, ListingKey::item("tee"));
    let set = line(r#"[{"variantId":"a"},{"variantId":"b"}]"#);
    assert_eq!(
        (set.sku, set.listing),
        (None, ListingKey::option("tee", "a+b")),
        "a bundle is linked by hand"
    );
}

#[test]
fn packages_are_destinations_with_their_lines() {
    let order = order(
        r#"{"orderNumber":"1","orderDatetime":"2026-11-20T09:12:33+0900","orderProgress":300,"deliveryDate":"2026-11-25",
        "PackageModelList":[
          {"basketId":11,"SenderModel":{"familyName":"一","city":"甲"},
           "ItemModelList":[{"itemDetailId":1,"manageNumber":"a","units":1},{"itemDetailId":2,"manageNumber":"b","units":3}],
           "ShippingModelList":[{"shippingDetailId":7,"shippingNumber":" 123-456 ","deliveryCompany":"1001"}]},
          {"basketId":12,"SenderModel":null,"ItemModelList":[{"itemDetailId":3,"manageNumber":"a","units":1,"deleteItemFlag":1}]},
          {"basketId":13,"ItemModelList":[]},
          {"basketId":14,"packageDeleteFlag":1,"SenderModel":{"familyName":"四"},"ItemModelList":[{"itemDetailId":4,"manageNumber":"a","units":1}]}]}"#,
    );
    let ids: Vec<&str> = order.destinations.iter().map(|to| to.id.as_str()).collect();
    assert_eq!(ids, ["11", "12", "14"], "a package without lines is no destination");
    let lines: Vec<_> = order
        .lines
        .iter()
        .map(|l| (l.id.as_str(), l.unit.as_str(), l.destination, l.outstanding()))
        .collect();
    assert_eq!(lines, [("1", "11", 0, 1), ("2", "11", 0, 3), ("3", "12", 1, 0), ("4", "14", 2, 0)]);
    assert_eq!(order.destinations[0].recipient.reveal().name, "一");
    assert!(order.destinations[1].recipient.reveal().address.is_empty(), "a missing address is empty");
    assert_eq!(order.destinations[0].desired_date, Some("2026-11-25".parse().unwrap()));
    assert_eq!(order.tracking, [Tracking::new("ヤマト運輸", "123-456")]);
}

#[test]
fn the_wished_hours_are_in_words() {
    let hours = |term: &str| {
        order_with(&format!(r#","shippingTerm":{term}"#)).destinations[0]
            .message
            .as_ref()
            .map(|text| text.reveal().clone())
    };
    for (term, words) in [
        ("1", Some("午前")),
        ("2", Some("午後")),
        ("1416", Some("14時-16時")),
        ("\"709\"", Some("7時-9時")),
        ("0", None),
        ("9", None),
        ("1614", None),
        ("99999", None),
        ("null", None),
    ] {
        assert_eq!(hours(term).as_deref(), words, "{term}");
    }
}

#[test]
fn a_row_that_cannot_be_read_spoils_only_itself_and_keeps_its_text() {
    let good = with("", "", "");
    let bad = [
        (with("", "", r#","units":"two""#).replace(r#""units":2,"#, ""), Some("1-20261120-1")),
        (with("", "", "").replace(r#""units":2"#, r#""units":-1"#), Some("1-20261120-1")),
        (with("", "", "").replace(r#""units":2"#, r#""units":1.5"#), Some("1-20261120-1")),
        (with("", "", "").replace(r#""itemDetailId":21,"#, ""), Some("1-20261120-1")),
        (with("", "", "").replace(r#""manageNumber":"tee","#, ""), Some("1-20261120-1")),
        (with("", "", "").replace("2026-11-20T09:12:33+0900", "soon"), Some("1-20261120-1")),
        (
            r#"{"orderNumber":"5","orderDatetime":"2026-11-20T09:12:33+0900","PackageModelList":null}"#
                .into(),
            Some("5"),
        ),
        (r#"{"orderNumber":"5","PackageModelList":"x"}"#.into(), Some("5")),
        (with("", "", "").replace("1-20261120-1", " "), None),
        ("[1,2]".into(), None),
        ("17".into(), None),
        ("null".into(), None),
    ];
    for (text, id) in bad {
        let page = format!(r#"{{"MessageModelList":[],"OrderModelList":[{text},{good}]}}"#);
        let rows = get_result(page.as_bytes(), read_at()).unwrap().rows;
        let [Row::Unreadable(bad), Row::Order(order)] = rows.as_slice() else { panic!("{text}: {rows:?}") };
        assert_eq!(bad.raw.reveal(), text);
        assert_eq!(bad.id.as_ref().map(OrderId::as_str), id, "{text}");
        assert_eq!(order.id.as_str(), "1-20261120-1");
    }
}

#[test]
fn two_lines_with_one_id_are_not_guessed_apart() {
    let text = with("", "", "")
        .replace(r#""units":2}"#, r#""units":2},{"itemDetailId":21,"manageNumber":"cap","units":1}"#);
    let Row::Unreadable(bad) = row(&text) else { panic!() };
    assert!(bad.reason.contains("same id"), "{}", bad.reason);
}

#[test]
fn broken_bytes_spoil_their_own_row_and_emoji_survive() {
    let mut page = br#"{"MessageModelList":[],"OrderModelList":["#.to_vec();
    let broken = with("", r#","SenderModel":{"city":"BROKEN"}"#, "");
    let (before, after) = broken.split_once("BROKEN").unwrap();
    page.extend_from_slice(before.as_bytes());
    page.extend_from_slice(b"\xff\xfe");
    page.extend_from_slice(after.as_bytes());
    page.push(b',');
    let good = with(r#","remarks":"よろしく \ud83c\udf3f😀""#, "", r#","itemName":"한국 ☕""#);
    page.extend_from_slice(good.replace("1-20261120-1", "6").as_bytes());
    page.extend_from_slice(b"]}");
    let rows = get_result(&page, read_at()).unwrap().rows;
    let [Row::Unreadable(bad), Row::Order(good)] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!(bad.id.as_ref().unwrap().as_str(), "1-20261120-1");
    assert_eq!(good.memo.as_ref().unwrap().reveal(), "よろしく 🌿😀");
    assert_eq!(good.lines[0].title, "한국 ☕");
}

#[test]
fn debug_of_an_order_shows_no_personal_data() {
    let got = get_result(ORDER.as_bytes(), read_at()).unwrap();
    let shown = format!("{:?}", got.rows);
    for private in ["楽天 太郎", "太郎", "玉川", "世田谷", "0094", "masked@", "配送日時指定"]
    {
        assert!(!shown.contains(private), "{private}");
    }
}

#[test]
fn a_search_lists_numbers_and_counts_them() {
    let found = search_result(SEARCH.as_bytes()).unwrap();
    assert_eq!(found.numbers, ["289999-20171117-00065901", "289999-20171117-00064901"]);
    assert_eq!(found.total, Some(79));
    // Nothing found: the paging is null.
    assert_eq!(search_result(SEARCH_NONE.as_bytes()).unwrap(), Found::default());
    let null = SEARCH_NONE.replace("\"orderNumberList\":[]", "\"orderNumberList\":null");
    assert_eq!(search_result(null.as_bytes()).unwrap(), Found::default());
    for bad in [
        r#"{"orderNumberList":["1",""],"PaginationResponseModel":{"totalRecordsAmount":2}}"#,
        r#"{"orderNumberList":["1",null]}"#,
        r#"{"orderNumberList":"1"}"#,
        r#"{"orderNumberList":null,"PaginationResponseModel":null}"#,
        r#"{"MessageModelList":[],"PaginationResponseModel":{"totalRecordsAmount":null}}"#,
        r#"{"orderNumberList":[],"PaginationResponseModel":{"totalRecordsAmount":3}}"#,
        "[]",
        "",
    ] {
        assert_eq!(search_result(bad.as_bytes()).unwrap_err().kind(), ErrorKind::MalformedResponse, "{bad}");
    }
}

#[test]
fn a_search_asks_in_japans_time_for_every_state_to_link_or_watch() {
    let window = Window::new(at("2026-11-19T15:00:00Z"), at("2026-11-20T15:00:00Z"));
    let ask = search_ask(&orders::FETCH, 1, window, 1).unwrap();
    assert_eq!(
        ask.body.unwrap(),
        r#"{"dateType":1,"startDatetime":"2026-11-20T00:00:00+0900","endDatetime":"2026-11-21T00:00:00+0900","orderProgressList":[100,200,300,400,800],"PaginationRequestModel":{"requestRecordsAmount":1000,"requestPage":1,"SortModelList":[{"sortColumn":1,"sortDirection":1}]}}"#
    );
}

#[test]
fn times_are_read_with_and_without_offset() {
    let expected = Some(at("2023-04-17T13:01:20+09:00"));
    for text in [
        "2023-04-17T13:01:20+0900",
        "2023-04-17T13:01:20+09:00",
        "2023-04-17T04:01:20Z",
        "2023-04-17T13:01:20",
        " 2023-04-17 13:01:20 ",
        "2023-04-17T13:01:20.000+0900",
    ] {
        assert_eq!(time(text, DayEnd::First), expected, "{text}");
    }
    assert_eq!(time("2026-11-28", DayEnd::First), Some(at("2026-11-28T00:00:00+09:00")));
    assert_eq!(time("2026-11-28", DayEnd::Last), Some(at("2026-11-28T23:59:59+09:00")));
    for text in ["", "soon", "2023-13-01T00:00:00+0900", "2026-11-28 later", "楽天楽天楽天楽天"] {
        assert_eq!(time(text, DayEnd::First), None, "{text}");
        let _ = day(text);
    }
    assert_eq!(day("2023-04-20"), Some("2023-04-20".parse().unwrap()));
    assert_eq!(day("2023-04-20T00:00:00+0900"), Some("2023-04-20".parse().unwrap()));
    assert_eq!(written(at("2026-11-20T15:00:00Z")), "2026-11-21T00:00:00+0900");
}

#[test]
fn a_place_covers_its_window_without_a_gap_and_by_each_date() {
    let window = Window::new(at("2026-09-01T00:00:00.400Z"), at("2026-11-20T10:00:00.100Z"));
    let mut cursor: Option<PageCursor> = None;
    let mut covered: Vec<(usize, Window)> = Vec::new();
    loop {
        let place = Place::begin(window, 2, cursor.as_ref()).unwrap().unwrap();
        covered.push((place.by(), place.piece(window)));
        cursor = place.next(window, 2).unwrap();
        if cursor.is_none() {
            break;
        }
    }
    for by in 0..2 {
        let pieces: Vec<Window> = covered.iter().filter(|(b, _)| *b == by).map(|(_, piece)| *piece).collect();
        assert_eq!(pieces.len(), 2, "longer than one search may ask for");
        assert_eq!(pieces[0].from, at("2026-09-01T00:00:00Z"), "the full second before");
        assert_eq!(pieces[0].to, pieces[1].from);
        assert_eq!(pieces[1].to, at("2026-11-20T10:00:01Z"), "the full second after");
        assert!(pieces.iter().all(|p| p.to - p.from <= TimeDelta::try_seconds(LONGEST).unwrap()));
    }
}

#[test]
fn a_place_is_halved_down_to_a_second_and_keeps_its_span() {
    let window = Window::new(at("2026-11-20T00:00:00Z"), at("2026-11-20T00:00:10Z"));
    let mut place = Place::begin(window, 1, None).unwrap().unwrap();
    assert!(place.halve(window));
    assert_eq!(place.piece(window).to, at("2026-11-20T00:00:05Z"));
    let next = place.clone().next(window, 1).unwrap().unwrap();
    let next = Place::begin(window, 1, Some(&next)).unwrap().unwrap();
    assert_eq!(next.piece(window), Window::new(at("2026-11-20T00:00:05Z"), at("2026-11-20T00:00:10Z")));
    while place.halve(window) {}
    assert_eq!(place.piece(window).to - place.piece(window).from, TimeDelta::seconds(1));
}

#[test]
fn after_a_busy_piece_a_quiet_one_makes_the_next_longer_and_a_full_one_does_not() {
    let window = Window::new(at("2026-11-20T00:00:00Z"), at("2026-11-21T00:00:00Z"));
    let mut place = Place::begin(window, 1, None).unwrap().unwrap();
    while place.halve(window) {}
    let mut lengths = Vec::new();
    for found in [1, 249, 250, 1000, 0] {
        place.take(vec!["n".into(); found], 1000);
        place.rest.clear();
        let next = place.next(window, 1).unwrap().unwrap();
        place = Place::begin(window, 1, Some(&next)).unwrap().unwrap();
        let piece = place.piece(window);
        lengths.push((piece.to - piece.from).num_seconds());
    }
    assert_eq!(lengths, [2, 4, 4, 4, 8]);
}

#[test]
fn a_cursor_of_something_else_or_of_another_window_is_refused() {
    let window = Window::new(at("2026-11-20T00:00:00Z"), at("2026-11-21T00:00:00Z"));
    let later = Window::new(at("2026-11-22T00:00:00Z"), at("2026-11-23T00:00:00Z"));
    let mut place = Place::begin(window, 2, None).unwrap().unwrap();
    place.rest = vec!["1".into()];
    let ours = place.next(window, 2).unwrap().unwrap();
    assert!(Place::begin(window, 2, Some(&ours)).is_ok());
    assert!(Place::begin(later, 2, Some(&ours)).is_err());
    let from = window.from.timestamp();
    for text in [
        String::new(),
        "7".into(),
        "{}".into(),
        format!(r#"{{"by":2,"from":{from},"span":60,"next_span":60,"rest":[]}}"#),
        format!(r#"{{"by":0,"from":{from},"span":0,"next_span":60,"rest":[]}}"#),
        format!(r#"{{"by":0,"from":{from},"span":60,"next_span":0,"rest":[]}}"#),
        format!(r#"{{"by":0,"from":{from},"span":999999999999,"next_span":60,"rest":[]}}"#),
        format!(r#"{{"by":0,"from":{},"span":60,"next_span":60,"rest":[]}}"#, from - 1),
    ] {
        let error = Place::begin(window, 2, Some(&PageCursor::new(text.as_str()))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{text}");
    }
    assert!(Place::begin(Window::new(window.to, window.to), 2, None).unwrap().is_none());
}

#[test]
fn header_vector_and_expiry_sample() {
    let credentials =
        Credentials::new().with(SERVICE_SECRET, " SP123456_secret\n").with(LICENSE_KEY, "SL123456_license");
    assert_eq!(
        authorization(&credentials).unwrap().expose(),
        "ESA U1AxMjM0NTZfc2VjcmV0OlNMMTIzNDU2X2xpY2Vuc2U="
    );
    for name in [SERVICE_SECRET, LICENSE_KEY] {
        let mut one = credentials.clone();
        one.parts.remove(name);
        let error = authorization(&one).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains(name));
    }
    // Japan's time, without an offset.
    assert_eq!(expiry_result(EXPIRY.as_bytes()).unwrap(), at("2026-11-28T14:59:59Z"));
    for bad in ["{}", r#"{"expiryDate":null}"#, r#"{"expiryDate":"soon"}"#, "[]"] {
        assert_eq!(expiry_result(bad.as_bytes()).unwrap_err().kind(), ErrorKind::MalformedResponse);
    }
}

#[test]
fn error_table() {
    use Effect::{None as Nothing, Unknown};
    use ErrorKind as K;
    use Function as F;
    use Retry::{Later, Never};
    let table = [
        (F::GetOrder, 401, "GA0001", "Un-Authorised", K::Unauthorized, Never, Nothing),
        (F::ConfirmOrder, 401, "", "", K::Unauthorized, Never, Nothing),
        (F::ReadStock, 400, "GE0011", "", K::Unauthorized, Never, Nothing),
        (F::GetOrder, 403, "", "", K::Forbidden, Never, Nothing),
        (F::GetOrder, 403, "", "Too Many Requests", K::RateLimited, Later, Nothing),
        (F::SetStock, 403, "", "アクセスが集中しています", K::RateLimited, Later, Nothing),
        (F::SetStock, 429, "", "", K::RateLimited, Later, Nothing),
        (F::GetOrder, 404, "", "", K::Configuration, Never, Nothing),
        (F::GetOrder, 405, "", "", K::Configuration, Never, Nothing),
        (F::SetStock, 404, "", "", K::Configuration, Never, Nothing),
        (F::SearchOrder, 408, "", "", K::TimedOut, Later, Nothing),
        (F::UpdateShipping, 408, "", "", K::TimedOut, Later, Unknown),
        (F::GetOrder, 500, "", "", K::Unavailable, Later, Nothing),
        (F::UpdateShipping, 500, "", "", K::Unavailable, Later, Unknown),
        (F::ConfirmOrder, 503, "", "", K::Unavailable, Later, Unknown),
        (F::SetStock, 504, "", "", K::Unavailable, Later, Unknown),
        (F::SearchOrder, 400, "ORDER_EXT_API_SEARCH_ORDER_ERROR_009", "", K::InvalidInput, Never, Nothing),
        (F::SearchOrder, 400, "ORDER_EXT_API_SEARCH_ORDER_ERROR_010", "", K::InvalidInput, Never, Nothing),
        (F::SearchOrder, 400, "ORDER_EXT_API_SEARCH_ORDER_ERROR_011", "", K::InvalidInput, Never, Nothing),
        (F::GetOrder, 400, "ORDER_EXT_API_GET_ORDER_ERROR_009", "", K::InvalidInput, Never, Nothing),
        (F::ReadStock, 400, "IE0004", "", K::InvalidInput, Never, Nothing),
        // A read that is refused for another reason drops no order: it is tried again.
        (F::GetOrder, 400, "ORDER_EXT_API_GET_ORDER_ERROR_777", "", K::Unavailable, Later, Nothing),
        (F::SearchItems, 400, "", "", K::Unavailable, Later, Nothing),
        (F::ExpiryDate, 409, "", "", K::Unavailable, Later, Nothing),
        (F::ConfirmOrder, 400, "ORDER_EXT_API_CONFIRM_ORDER_ERROR_009", "", K::Refused, Never, Nothing),
        (F::UpdateShipping, 400, "", "", K::Refused, Never, Nothing),
        (F::CancelOrder, 409, "", "", K::Refused, Never, Nothing),
    ];
    for (function, status, code, text, kind, retry, effect) in table {
        let verdict = verdict(function, status, code, text);
        assert_eq!(
            (verdict.kind, verdict.retry, verdict.effect),
            (kind, retry, effect),
            "{function:?} {status} {code} {text}"
        );
    }
}

#[test]
fn a_failure_inside_a_2xx_body_is_never_success() {
    use ErrorKind as K;
    use Function as F;
    let error = r#"{"MessageModelList":[{"messageType":"ERROR","messageCode":"ORDER_EXT_API_X_ERROR_777","message":"x"}]}"#;
    let fault = r#"{"errors":[{"code":"GE9999","message":"x"}]}"#;
    for (function, body, kind) in [
        (F::SearchOrder, error, K::Unavailable),
        (F::GetOrder, error, K::Unavailable),
        (F::SearchOrder, fault, K::Unavailable),
        (F::ReadStock, fault, K::Unavailable),
        (F::SearchItems, fault, K::Unavailable),
        (F::ExpiryDate, fault, K::Unavailable),
        (F::ConfirmOrder, fault, K::Refused),
        (F::SetStock, fault, K::Refused),
        (F::SetStock, "{}", K::MalformedResponse),
        (F::SearchOrder, "{}", K::MalformedResponse),
        (F::GetOrder, r#"{"MessageModelList":[]}"#, K::MalformedResponse),
        (F::ConfirmOrder, r#"{"MessageModelList":null}"#, K::MalformedResponse),
        (F::UpdateShipping, "[]", K::MalformedResponse),
        (F::CancelOrder, r#"{"MessageModelList":[{"messageType":"INFO""#, K::MalformedResponse),
    ] {
        assert_eq!(judge_body(function, body.as_bytes()).unwrap_err().kind(), kind, "{function:?} {body}");
    }
    // Writes are told item by item.
    assert!(judge_body(F::ConfirmOrder, error.as_bytes()).is_ok());
}

fn words<T>(outcomes: &[Outcome<T>]) -> Vec<String> {
    outcomes
        .iter()
        .map(|outcome| match outcome {
            Outcome::Done(_) => "done".to_owned(),
            Outcome::AlreadyDone => "already".to_owned(),
            Outcome::Refused(no) => {
                let end = no.code.rsplit('_').next().unwrap_or_default();
                format!("refused {end}{}", if no.temporary { " for now" } else { "" })
            }
            Outcome::NotTried(_) => "not tried".to_owned(),
            Outcome::Unknown(error) => {
                assert!(error.outcome_unknown());
                "unknown".to_owned()
            }
        })
        .collect()
}

fn known(id: &str, fields: &str) -> Order {
    order(&with(fields, "", "").replace("1-20261120-1", id))
}

#[test]
fn confirmations_are_found_by_order_number() {
    let orders: Vec<Order> = ["123456-20180102-1241583267", "left-out", "123456-20180101-1241583267"]
        .map(|id| known(id, ""))
        .to_vec();
    let requests: Vec<ConfirmRequest<'_>> = orders.iter().map(ConfirmRequest::new).collect();
    let requests: Vec<&ConfirmRequest<'_>> = requests.iter().collect();
    let outcomes = confirm::result(CONFIRM.as_bytes(), &requests).unwrap();
    assert_eq!(words(&outcomes), ["refused 103", "unknown", "done"]);
    let Outcome::Done(done) = &outcomes[2] else { panic!() };
    assert!(done.reread, "whether it waits for its payment is not told");
    assert_eq!(
        confirm::ask(&requests[..1]).unwrap().body.unwrap(),
        r#"{"orderNumberList":["123456-20180102-1241583267"]}"#
    );
}

#[test]
fn confirmation_codes() {
    let order = known("7", "");
    let request = ConfirmRequest::new(&order);
    let outcome = |messages: &str| {
        let body = format!(r#"{{"MessageModelList":[{messages}]}}"#);
        confirm::result(body.as_bytes(), &[&request]).map(|outcomes| words(&outcomes).remove(0))
    };
    let message = |sort: &str, end: &str| {
        format!(
            r#"{{"messageType":"{sort}","messageCode":"ORDER_EXT_API_CONFIRM_ORDER_{end}","message":"m","orderNumber":"7"}}"#
        )
    };
    for (messages, word) in [
        (message("INFO", "INFO_101"), "done"),
        (message("ERROR", "ERROR_102"), "refused 102"),
        (message("ERROR", "ERROR_103"), "refused 103"),
        (message("ERROR", "ERROR_105"), "refused 105 for now"),
        (message("ERROR", "ERROR_999"), "refused 999"),
        (message("INFO", "INFO_999"), "unknown"),
        (message("WARNING", "WARNING_101"), "unknown"),
        (message("?", "INFO_101"), "unknown"),
        (format!("{},{}", message("INFO", "INFO_101"), message("ERROR", "ERROR_103")), "unknown"),
        (message("INFO", "INFO_101").replace("\"7\"", "\"8\""), "unknown"),
    ] {
        assert_eq!(outcome(&messages).unwrap(), word, "{messages}");
    }
    let general =
        r#"{"messageType":"ERROR","messageCode":"ORDER_EXT_API_CONFIRM_ORDER_ERROR_009","message":"m"}"#;
    assert_eq!(outcome(general).unwrap_err().kind(), ErrorKind::Refused);
}

fn parcels(baskets: &str) -> Order {
    order(&format!(
        r#"{{"orderNumber":"7","orderDatetime":"2026-11-20T09:12:33+0900","orderProgress":300,"PackageModelList":[{baskets}]}}"#
    ))
}

fn basket(id: u32, line: u32, shippings: &str) -> String {
    format!(
        r#"{{"basketId":{id},"ItemModelList":[{{"itemDetailId":{line},"manageNumber":"a","units":1}}],"ShippingModelList":[{shippings}]}}"#
    )
}

#[test]
fn a_parcel_is_compared_with_the_shipments_that_the_channel_has() {
    let tracking = Tracking::new("Yamato", "1234-5678");
    let plan =
        |order: &Order| dispatch::plan(&DispatchRequest::new(order, Some(&tracking), read_at()), order);
    let sent = |basket: i64, detail: Option<i64>| Plan::Send(vec![Sent { basket, detail }]);
    let one = |shippings: &str| parcels(&basket(11, 1, shippings));
    assert_eq!(plan(&one("")), sent(11, None), "nothing there: added");
    assert_eq!(plan(&one(r#"{"shippingDetailId":100}"#)), sent(11, Some(100)), "an empty one is completed");
    let same = r#"{"shippingDetailId":100,"shippingNumber":"12345678","shippingDate":"2026-11-20"}"#;
    assert_eq!(plan(&one(same)), Plan::Already, "the same number, however it is written");
    let undated = r#"{"shippingDetailId":100,"shippingNumber":"1234-5678"}"#;
    assert_eq!(plan(&one(undated)), sent(11, Some(100)), "known, but not reported as left");
    let other = r#"{"shippingDetailId":100,"shippingNumber":"999","shippingDate":"2026-11-20"}"#;
    assert_eq!(plan(&one(other)), sent(11, None), "a second parcel");
    assert_eq!(plan(&one(&format!(r#"{other},{{"shippingDetailId":101}}"#))), sent(11, Some(101)));
    let full = vec![other; 20].join(",");
    assert!(matches!(plan(&one(&full)), Plan::Refused(no) if no.message.contains("20")));
}

#[test]
fn the_lines_of_a_parcel_decide_which_packages_it_is_in() {
    let tracking = Tracking::new("1002", "B-2");
    let done = r#"{"shippingDetailId":5,"shippingNumber":"A-1","shippingDate":"2026-11-20"}"#;
    let plan = |order: &Order, lines: &[(LineId, u32)]| {
        let mut request = DispatchRequest::new(order, Some(&tracking), read_at());
        request.lines = lines;
        match dispatch::plan(&request, order) {
            Plan::Send(sent) => sent.into_iter().map(|sent| sent.basket).collect(),
            Plan::Already => vec![],
            Plan::Refused(no) => panic!("{}", no.message),
        }
    };
    let both = parcels(&format!("{},{}", basket(11, 1, ""), basket(12, 2, "")));
    assert_eq!(plan(&both, &[(LineId::from("2"), 1)]), [12]);
    assert_eq!(plan(&both, &[(LineId::from("2"), 1), (LineId::from("1"), 1)]), [12, 11]);
    assert_eq!(plan(&both, &[]), [11, 12], "all that is outstanding");
    let half = parcels(&format!("{},{}", basket(11, 1, done), basket(12, 2, "")));
    assert_eq!(plan(&half, &[]), [12], "the other has its parcel");
    let mut request = DispatchRequest::new(&both, Some(&tracking), read_at());
    let unknown = [(LineId::from("99"), 1)];
    request.lines = &unknown;
    assert!(matches!(dispatch::plan(&request, &both), Plan::Refused(no) if no.reread));
}

#[test]
fn a_parcel_that_cannot_be_told_apart_or_sent_is_refused() {
    let order = parcels(&basket(11, 1, ""));
    let refused = |tracking: Option<&Tracking>| {
        matches!(dispatch::plan(&DispatchRequest::new(&order, tracking, read_at()), &order), Plan::Refused(_))
    };
    assert!(refused(None), "nothing would tell a repeat from a second parcel");
    for (carrier, number) in [("Yamato", ""), ("Yamato", " - "), ("Yamato", "1\u{0}"), (" ", "1")] {
        assert!(refused(Some(&Tracking::new(carrier, number))), "{carrier:?} {number:?}");
    }
    assert!(refused(Some(&Tracking::new("Yamato", "1".repeat(121)))));
    assert!(!refused(Some(&Tracking::new("Yamato", "1".repeat(120)))));
    for progress in [800, 900] {
        let gone = known("7", &format!(r#","orderProgress":{progress}"#));
        let tracking = Tracking::new("Yamato", "1");
        let plan = dispatch::plan(&DispatchRequest::new(&order, Some(&tracking), read_at()), &gone);
        assert!(
            matches!(plan, Plan::Refused(no) if no.reread && no.temporary == (progress == 800)),
            "{progress}"
        );
    }
}

#[test]
fn a_parcel_is_sent_with_codes_and_japans_day() {
    let tracking = Tracking::new("Sagawa", " 4000 ");
    let sent = [Sent { basket: 11, detail: Some(100) }, Sent { basket: 12, detail: None }];
    let ask = dispatch::ask(&OrderId::from("7"), &tracking, at("2026-11-20T15:00:00Z"), &sent).unwrap();
    assert_eq!(
        ask.body.unwrap(),
        r#"{"orderNumber":"7","BasketidModelList":[{"basketId":11,"ShippingModelList":[{"shippingDetailId":100,"deliveryCompany":"1002","shippingNumber":"4000","shippingDate":"2026-11-21"}]},{"basketId":12,"ShippingModelList":[{"deliveryCompany":"1002","shippingNumber":"4000","shippingDate":"2026-11-21"}]}]}"#
    );
}

#[test]
fn parcel_answers_are_found_by_row_and_shipment() {
    // The asynchronous result nests the messages of the synchronous call.
    let start = ASYNC_RESULT.find(r#""MessageModelList""#).unwrap();
    let messages = format!("{{{}", ASYNC_RESULT[start..].trim_end().strip_suffix("]}").unwrap());
    let update = Sent { basket: 1, detail: Some(15419) };
    let add = Sent { basket: 2, detail: None };
    let Outcome::Done(done) = dispatch::result(messages.as_bytes(), &[update.clone(), add.clone()]).unwrap()
    else {
        panic!("{messages}")
    };
    assert_eq!(done.parcels, ["15419", "15421"]);
    assert!(done.reread, "its shipments have changed");
    let word =
        |body: &str, sent: &[Sent]| words(&[dispatch::result(body.as_bytes(), sent).unwrap()]).remove(0);
    let third = Sent { basket: 3, detail: None };
    assert_eq!(word(&messages, &[update.clone(), add.clone(), third]), "unknown", "one is left out");
    let stranger = Sent { basket: 1, detail: Some(7) };
    assert_eq!(word(&messages, &[stranger, add.clone()]), "unknown", "another shipment's id");
    assert_eq!(word(ASYNC_ERROR, std::slice::from_ref(&update)), "refused 011");
    // Accepted for later is not done.
    assert_eq!(word(ASYNC, std::slice::from_ref(&add)), "unknown");
    let warning = messages.replace("INFO", "WARNING");
    assert_eq!(word(&warning, &[update, add.clone()]), "unknown", "what it warns of is not documented");
    let half = r#"{"MessageModelList":[
        {"messageType":"INFO","messageCode":"ORDER_EXT_API_UPDATE_ORDERSHIPPING_INFO_101","dataNumber":1,"shippingDetailId":5},
        {"messageType":"ERROR","messageCode":"ORDER_EXT_API_UPDATE_ORDERSHIPPING_ERROR_101","message":"x","dataNumber":"2"}]}"#;
    let Outcome::Refused(no) = dispatch::result(half.as_bytes(), &[add.clone(), add]).unwrap() else {
        panic!()
    };
    assert!(no.reread && no.message.contains("a part"), "{}", no.message);
}

#[test]
fn carrier_table() {
    for (name, code) in [
        ("Yamato", "1001"),
        ("ヤマト運輸", "1001"),
        ("SAGAWA Express", "1002"),
        ("ゆうパック", "1003"),
        ("Japan Post", "1003"),
        ("seino", "1004"),
        ("Seino Super Express", "1005"),
        ("福山通運", "1006"),
        ("dhl", "1018"),
        ("FedEx", "1019"),
        ("UPS", "1020"),
        ("SF Express", "1025"),
        ("Rakuten EXPRESS", "1028"),
        (" 1016 ", "1016"),
        ("その他", "1000"),
    ] {
        assert_eq!(carriers::code(name), Some(code), "{name}");
    }
    assert_eq!(carriers::code("Royal Pigeon"), None);
    assert_eq!(carriers::name("1003"), Some("日本郵便"));
    for code in 1000..=1028 {
        let code = code.to_string();
        assert_eq!(carriers::name(&code).and_then(carriers::code), Some(code.as_str()));
    }
}

#[test]
fn reads_are_found_by_number_and_silence_is_no_refusal() {
    let page = format!(
        r#"{{"MessageModelList":[{{"messageType":"INFO","messageCode":"ORDER_EXT_API_GET_ORDER_INFO_102","message":"none","orderNumber":"gone"}}],
            "OrderModelList":[{},{{"orderNumber":"bad"}},{}]}}"#,
        with(",\"orderProgress\":300", "", "").replace("1-20261120-1", "b"),
        with(",\"orderProgress\":100", "", "").replace("1-20261120-1", "stranger"),
    );
    let got = get_result(page.as_bytes(), read_at()).unwrap();
    let outcomes = read_outcomes(&["gone", "a", "bad", "b"], got);
    assert_eq!(words(&outcomes), ["refused 102", "not tried", "not tried", "done"]);
    let Outcome::Done(order) = &outcomes[3] else { panic!() };
    assert_eq!((order.id.as_str(), order.status), ("b", OrderStatus::Confirmed));
}

#[test]
fn cancellations_go_by_the_orders_state() {
    use CancelAction as A;
    let with_progress = |progress: i64| known("7", &format!(r#","orderProgress":{progress}"#));
    let word = |order: &Order, action| {
        let decision = CancelDecision { order, action, reason: CancelReason::OutOfStock, memo: None };
        match cancels::function(&decision) {
            Ok(Function::CancelOrder) => "before shipping",
            Ok(Function::CancelAfterShipping) => "after shipping",
            Ok(_) => "?",
            Err(Outcome::AlreadyDone) => "already",
            Err(Outcome::Refused(_)) => "refused",
            Err(_) => "?",
        }
    };
    for (progress, seller, accept) in [
        (100, "before shipping", "refused"),
        (200, "before shipping", "refused"),
        (300, "before shipping", "refused"),
        (400, "refused", "refused"),
        (500, "after shipping", "refused"),
        (600, "after shipping", "refused"),
        (700, "after shipping", "refused"),
        (800, "refused", "after shipping"),
        (900, "already", "already"),
        (777_777, "refused", "refused"),
    ] {
        let order = with_progress(progress);
        assert_eq!(word(&order, A::CancelBySeller), seller, "{progress}");
        assert_eq!(word(&order, A::Accept), accept, "{progress}");
        assert_eq!(word(&order, A::Refuse), "refused", "{progress}");
    }
    let mut bare = with_progress(300);
    bare.channel_data = ChannelData::default();
    assert_eq!(word(&bare, A::CancelBySeller), "before shipping", "by its status");
}

#[test]
fn cancel_reasons_have_rakutens_codes() {
    use CancelReason as R;
    let order = known("7", r#","orderProgress":300"#);
    for (action, reason, code) in [
        (CancelAction::CancelBySeller, R::BuyerRequest, 1),
        (CancelAction::CancelBySeller, R::OutOfStock, 8),
        (CancelAction::CancelBySeller, R::OrderChanged, 6),
        (CancelAction::CancelBySeller, R::CannotDeliver, 10),
        (CancelAction::CancelBySeller, R::Delay, 13),
        (CancelAction::Accept, R::OutOfStock, 1),
    ] {
        let decision = CancelDecision { order: &order, action, reason, memo: None };
        let body = cancels::ask(Function::CancelOrder, &decision).unwrap().body.unwrap();
        let expected =
            format!(r#"{{"orderNumber":"7","inventoryRestoreType":0,"changeReasonDetailApply":{code}}}"#);
        assert_eq!(body, expected);
    }
}

#[test]
fn cancel_answers_are_about_the_order_that_was_asked_for() {
    let word = |sort: &str, code: &str, order: &str| {
        let body = format!(
            r#"{{"MessageModelList":[{{"messageType":"{sort}","messageCode":"{code}","message":"m","orderNumber":{order}}}]}}"#
        );
        words(&[cancels::result(body.as_bytes(), &OrderId::from("7")).unwrap()]).remove(0)
    };
    assert_eq!(word("INFO", "ORDER_EXT_API_CANCEL_ORDER_INFO_101", "\"7\""), "done");
    assert_eq!(word("INFO", "ORDER_EXT_API_CANCEL_ORDER_INFO_101", "null"), "done");
    assert_eq!(word("INFO", "ORDER_EXT_API_CANCEL_ORDER_INFO_101", "\"8\""), "unknown");
    assert_eq!(word("ERROR", "ORDER_EXT_API_CANCEL_ORDER_ERROR_103", "\"7\""), "refused 103");
    assert_eq!(word("WARNING", "ORDER_EXT_API_CANCEL_ORDER_WARNING_101", "\"7\""), "unknown");
}

#[test]
fn cancel_requests_are_those_made_in_the_window() {
    let row = |id: &str, progress: u32, changes: &str| {
        format!(r#"{{"orderNumber":"{id}","orderProgress":{progress},"ChangeReasonModelList":{changes}}}"#)
    };
    let change = |id: u32, sort: u32, at: &str| {
        format!(
            r#"{{"changeId":{id},"changeType":{sort},"changeReasonDetail":1,"changeApplyDatetime":"{at}"}}"#
        )
    };
    let page = [
        row(
            "open",
            800,
            &format!(
                "[{},{}]",
                change(1, 8, "2026-11-01T00:00:00+0900"),
                change(2, 0, "2026-11-20T09:00:00+0900")
            ),
        ),
        row("fixed", 900, &format!("[{}]", change(3, 1, "2026-11-20T09:30:00+0900"))),
        row("earlier", 800, &format!("[{}]", change(4, 0, "2026-11-20T08:59:59+0900"))),
        row("border", 800, &format!("[{}]", change(5, 0, "2026-11-20T10:00:00+0900"))),
        row("undated", 800, "null"),
        row("no request", 900, "null"),
        r#"{"orderProgress":800}"#.to_owned(),
    ]
    .join(",");
    let body = format!(r#"{{"OrderModelList":[{page}]}}"#);
    let window = Window::new(at("2026-11-20T09:00:00+09:00"), at("2026-11-20T10:00:00+09:00"));
    let numbers = ["open", "fixed", "earlier", "border", "undated", "no request", "not given"];
    let (requests, unreadable) = requests_result(body.as_bytes(), &numbers, window).unwrap();
    let found: Vec<_> = requests.iter().map(|r| (r.order.as_str(), r.open, r.id.as_deref())).collect();
    assert_eq!(found, [("open", true, Some("2")), ("fixed", false, Some("3")), ("undated", true, None)]);
    assert_eq!(requests[0].reason.reveal(), "キャンセル");
    assert_eq!(requests[0].requested_at, Some(at("2026-11-20T09:00:00+09:00")));
    let ids: Vec<_> = unreadable.iter().map(|row| row.id.as_ref().map(OrderId::as_str)).collect();
    assert_eq!(ids, [None, Some("not given")]);
    assert_eq!(looked_through(window).from, window.from - TimeDelta::days(62));
}

#[test]
fn what_is_shown_after_a_push_decides_about_it() {
    let body = r#"{"inventories":[
        {"manageNumber":"tee","variantId":"S","quantity":5},
        {"manageNumber":"tee","variantId":"s","quantity":"3"},
        {"manageNumber":"tee","variantId":"M","quantity":9},
        {"manageNumber":"tee","variantId":"L","quantity":null}]}"#;
    let shown = stock::read_result(200, body.as_bytes()).unwrap();
    let none = ChannelData::default();
    let word = |item: &str, option: &str| {
        let key = ListingKey::option(item, option);
        match stock::accepted(&StockChange::new(&key, &none, 5), &shown) {
            Outcome::Done(taken) => taken.quantity.to_string(),
            outcome => words(&[outcome]).remove(0),
        }
    };
    assert_eq!(word("tee", "S"), "5");
    assert_eq!(word("TEE", "S"), "5", "Rakuten writes item numbers in small letters");
    assert_eq!(word("tee", "s"), "3", "sold in between; SKU numbers are told apart by their letters");
    assert_eq!(word("tee", "M"), "unknown", "more than were set");
    assert_eq!(word("tee", "L"), "unknown");
    assert_eq!(word("tee", "XL"), "refused ", "kept for nobody: the shop has no such SKU");
    let holes = stock::read_result(200, br#"{"inventories":[{"quantity":1},7]}"#).unwrap();
    let key = ListingKey::option("tee", "S");
    let outcome = stock::accepted(&StockChange::new(&key, &none, 5), &holes);
    assert_eq!(words(&[outcome]), ["unknown"], "a row that can't be read may be this one");
    for bad in ["{}", "[]", r#"{"inventories":7}"#] {
        assert!(stock::read_result(200, bad.as_bytes()).is_err(), "{bad}");
    }
    let absent = stock::read_result(404, br#"{"errors":[{"code":"GE0014","message":"Not found"}]}"#).unwrap();
    assert!(matches!(absent.of(&key), Err(Outcome::Refused(_))));
}

#[test]
fn stock_rows_are_absolute_and_refusals_name_their_row() {
    let (key, none) = (ListingKey::option("Tee", "S"), ChannelData::default());
    let ask = stock::set_ask(&[&StockChange::new(&key, &none, 7)]).unwrap();
    assert_eq!(
        ask.body.unwrap(),
        r#"{"inventories":[{"manageNumber":"Tee","variantId":"S","mode":"ABSOLUTE","quantity":7}]}"#
    );
    assert_eq!(
        stock::read_ask(&[&key]).unwrap().body.unwrap(),
        r#"{"inventories":[{"manageNumber":"Tee","variantId":"S"}]}"#
    );
    assert_eq!(stock::set_result(204, b"").unwrap(), Taken::All);
    let body = r#"{"errors":[{"code":"IE0004","message":"m","metadata":{"propertyPath":"inventories[3].manageNumber"}},{"code":"X","message":"n","metadata":null}]}"#;
    let Taken::Not(faults) = stock::set_result(400, body.as_bytes()).unwrap() else { panic!() };
    let rows: Vec<_> = faults.iter().map(|(row, no)| (*row, no.code.as_str())).collect();
    assert_eq!(rows, [(Some(3), "IE0004"), (None, "X")]);
    for (key, fits) in [
        (ListingKey::option("tee", "S"), true),
        (ListingKey::option("x".repeat(32), "y".repeat(32)), true),
        (ListingKey::option("x".repeat(33), "S"), false),
        (ListingKey::option("tee", "y".repeat(33)), false),
        (ListingKey::option("", "S"), false),
        (ListingKey::item("tee"), false),
    ] {
        assert_eq!(stock::objection(&key).is_none(), fits, "{key}");
    }
}

#[test]
fn items_are_listed_sku_by_sku() {
    let body = r#"{"numFound":3,"nextCursorMark":"AoE=","results":[
      {"item":{"manageNumber":"tee","itemNumber":"T","title":"Tシャツ","hideItem":false,"variants":{
        "s-red":{"merchantDefinedSkuId":"SYS-1","selectorValues":{"color":"赤","size":"S"},"standardPrice":"1200"},
        "s-blue":{"merchantDefinedSkuId":null,"selectorValues":null,"hidden":true}}}},
      {"item":{"manageNumber":"cap","itemNumber":"C-1","title":"帽子 🧢","hideItem":true,"variants":null}},
      {"item":{"manageNumber":"new","variants":{}}}]}"#;
    let (found, next) = listings::search_result(body.as_bytes(), "*").unwrap();
    assert_eq!(next.as_deref(), Some("AoE="));
    let rows: Vec<_> = found
        .iter()
        .map(|l| (l.key.to_string(), l.sku.as_ref().map(ToString::to_string), l.title.as_str(), l.state))
        .collect();
    let sku = |text: &str| Some(text.to_owned());
    assert_eq!(
        rows,
        [
            ("tee/s-blue".into(), sku("s-blue"), "Tシャツ", ListingState::Stopped),
            ("tee/s-red".into(), sku("SYS-1"), "Tシャツ (赤 / S)", ListingState::OnSale),
            ("cap".into(), sku("C-1"), "帽子 🧢", ListingState::Stopped),
            ("new".into(), None, "", ListingState::Unknown),
        ]
    );
    assert!(found.iter().all(|l| l.quantity.is_none()), "this call does not tell it");
    let last = |body: &str, mark: &str| listings::search_result(body.as_bytes(), mark).unwrap().1;
    assert_eq!(last(r#"{"results":[],"nextCursorMark":"AoE="}"#, "*"), None);
    assert_eq!(last(&body.replace("AoE=", "m"), "m"), None, "the mark stands still at the end");
    for bad in [r#"{"results":[{"item":{"title":"x"}}]}"#, r#"{"results":[{}]}"#, "{}", r#"{"results":[7]}"#]
    {
        let error = listings::search_result(bad.as_bytes(), "*").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MalformedResponse, "{bad}");
    }
}

#[test]
fn the_channel_offers_what_the_capability_table_says() {
    let client = HttpClient::new(HttpSettings::default()).unwrap();
    let credentials = Credentials::new().with(SERVICE_SECRET, "SP-s").with(LICENSE_KEY, "SL-k");
    let channel = Rakuten::new(&client, "shop", &credentials, Config::new().unwrap()).unwrap();
    let capabilities: Vec<Capability> = Capabilities::of(&channel).iter().collect();
    assert_eq!(
        capabilities,
        [
            Capability::FetchOrders,
            Capability::ConfirmOrders,
            Capability::DispatchOrders,
            Capability::UpdateStock,
            Capability::ListListings,
            Capability::HandleCancellations,
            Capability::RenewCredentials,
        ]
    );
    let info = channel.info();
    assert_eq!((info.option_code, info.stock_range), (OptionCode::Choice, (0, 99_999)));
    assert_eq!((info.confirm_batch, info.read_batch, info.stock_batch), (100, 100, 400));
    assert!(info.dispatch_batch <= 100 && info.limits.iter().all(|limit| limit.calls >= 1));
    let shown = format!("{channel:?}");
    assert!(!shown.contains("SP-s") && !shown.contains("SL-k") && !shown.contains("U1At"), "{shown}");
}
