//! The pure parts: signatures, tables row by row, rows, windows.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Asia::Tokyo;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::auth::{Query, encoded, request, signature};
use super::confirm::settled;
use super::dispatch::{Next, Parcel, after_writing, next};
use super::errors::{Method, judge_body, verdict};
use super::lines::{Missing, lines_result};
use super::listings::{Item, items_result, listings_of};
use super::orders::{listed, one_row};
use super::phase::Present;
use super::rows::{OrderRow, held, order, packed_into, status};
use super::settings::Choices;
use super::variants::{Variant, key, sku, variants_result};
use super::window::Place;
use super::wire::{Envelope, day, number, time};
use super::{Config, CrossMall};
use crate::channel::{
    Capabilities, Capability, Channel, Context, Credentials, DispatchRequest, Outcome, PageCursor, Secret,
    Tracking,
};
use crate::error::{ErrorKind, Retry};
use crate::http::{HttpClient, HttpSettings};
use crate::model::{Hold, LineId, ListingKey, ListingState, Order, OrderId, OrderStatus, Window};
use crate::options::OptionKind;
use crate::xml::Element;

const ORDER: &str = include_str!("../../tests/samples/crossmall/get_order.response.xml");
const LINES: &str = include_str!("../../tests/samples/crossmall/get_order_detail.response.xml");
const MOVED: &str = include_str!("../../tests/samples/crossmall/upd_order_phase.response.xml");
const EMPTY: &str = include_str!("../../tests/samples/crossmall/get_order_empty.response.xml");
const ITEMS: &str = include_str!("../../tests/samples/crossmall/get_item.response.xml");
const VARIANTS: &str = include_str!("../../tests/samples/crossmall/get_item_sku.response.xml");
const ERROR: &str = include_str!("../../tests/samples/crossmall/error.response.xml");
const VECTORS: &str = include_str!("../../tests/samples/crossmall/signature_vectors.json");

fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().with_timezone(&Utc)
}

fn config() -> Config {
    Config::new().unwrap()
}

fn cx(settings: serde_json::Value) -> Context {
    let settings: BTreeMap<String, serde_json::Value> = serde_json::from_value(settings).unwrap();
    Context::new().with_settings(Arc::new(settings))
}

fn choices() -> Choices {
    Choices::of(&cx(json!({
        "new_phases": "注文確認, 確認待ち", "unpaid_phases": "入金待ち", "confirm_phase": "発送待ち",
        "confirmed_phases": "引当待ち", "shipped_phases": "完了", "shipped_phase": "出荷済", "cancelled_phases": "取消",
        "carriers": "Yamato = ヤマト宅急便",
    })))
    .unwrap()
}

/// An order made of these fields alone, beside those that it must have.
fn order_of(fields: &str) -> Result<Order, &'static str> {
    let xml = format!(
        "<Result><order_number>00252963</order_number><order_date>2026/11/24 10:03:40</order_date>{fields}</Result>"
    );
    let element = Element::parse(&xml).unwrap();
    order(&OrderRow::of(&element), &choices(), &config(), at("2026-11-24T12:00:00+09:00"), None)
}

#[test]
fn signatures_are_those_of_the_vectors() {
    let vectors: serde_json::Value = serde_json::from_str(VECTORS).unwrap();
    let key = Secret::new(vectors["auth_key"].as_str().unwrap());
    let vectors = vectors["vectors"].as_array().unwrap();
    assert_eq!(vectors.len(), 7);
    for vector in vectors {
        let query = vector["query"].as_str().unwrap();
        assert_eq!(signature(query, &key), vector["signing"].as_str().unwrap(), "{query}");
    }
}

#[test]
fn what_is_signed_is_encoded_once_and_sent_as_it_is() {
    let query: Query = vec![
        ("condition", "1".to_owned()),
        ("updated_at_fr", "2026-11-24 00:00:00".to_owned()),
        ("after_phase_name", "発送 & 待ち=~'🌸\"<*-._%".to_owned()),
    ];
    let text = encoded(&"i l".into(), &query);
    assert_eq!(
        text,
        "account=i+l&condition=1&updated_at_fr=2026-11-24+00%3A00%3A00&after_phase_name=\
         %E7%99%BA%E9%80%81+%26+%E5%BE%85%E3%81%A1%3D%7E%27%F0%9F%8C%B8%22%3C*-._%25"
    );
    let url = "https://crossmall.jp/webapi2/get_order".parse().unwrap();
    let key = Secret::new("mXCTpnoA");
    let sent = request(&url, &"i l".into(), &key, &query);
    let signed = format!("{text}&signing={}", signature(&text, &key));
    assert_eq!(sent.url.query(), Some(signed.as_str()), "nothing encodes it a second time");
    assert!(!format!("{sent:?}").contains("signing"));
}

#[test]
fn an_answer_is_success_only_where_it_says_so() {
    for good in [ORDER, LINES, MOVED, EMPTY, ITEMS, VARIANTS] {
        assert!(Envelope::read(good).unwrap().refusal.is_none());
    }
    let refusal = Envelope::read(ERROR).unwrap().refusal;
    assert_eq!(refusal.as_deref(), Some("商品コードが見つかりません。"));
    let set = |count: &str, status: &str, rows: &str| {
        format!(
            "<A><ResultSet TotalResult=\"{count}\"><ResultStatus>{status}</ResultStatus>{rows}</ResultSet></A>"
        )
    };
    let success = "<GetStatus>success</GetStatus>";
    for good in [
        set("0", success, ""),
        set("", success, "<Result><a/></Result>"),
        set("1", success, "<Result/>"),
        set("200", success, "<Result></Result >"),
        set("1", "<UpdStatus> success </UpdStatus>", ""),
        format!("\u{feff}{}", set("0", success, "")),
    ] {
        assert!(Envelope::read(&good).unwrap().refusal.is_none(), "{good}");
    }
    assert!(Envelope::read(&set("0", "<UpdStatus>error</UpdStatus>", "")).unwrap().refusal.is_some());
    for bad in [
        String::new(),
        "{}".to_owned(),
        "<html><body>メンテナンス中</body></html>".to_owned(),
        "<A><ResultSet/></A>".to_owned(),
        set("0", "", ""),
        set("0", "<GetStatus>Success</GetStatus>", ""),
        set("0", "<GetStatus>success</GetStatus><UpdStatus>?</UpdStatus>", ""),
        set("2", success, ""),
        set("1", success, "<Result/><Result/>"),
        set("1", success, "<Result>"),
    ] {
        assert_eq!(Envelope::read(&bad).unwrap_err().kind(), ErrorKind::MalformedResponse, "{bad}");
    }
    let whole = ORDER.trim_end();
    for (end, _) in whole.char_indices() {
        assert!(Envelope::read(&whole[..end]).is_err(), "cut at {end}");
    }
}

#[test]
fn rows_are_cut_out_whole_whatever_is_in_them() {
    let rows = [
        "<Result No='1'><m><![CDATA[</Result><Result No='9'>]]></m></Result>",
        "<Result No=\"2\"><m>a & b</m></Result>",
        "<Result><order_number>7</order_number><m>x</wrong></Result>",
    ];
    let text = format!(
        "<A><ResultSet TotalResult='3'><ResultStatus><GetStatus>success</GetStatus></ResultStatus>{}</ResultSet></A>",
        rows.join("\n")
    );
    let found = Envelope::read(&text).unwrap().rows;
    assert_eq!(found, rows);
    let listed = listed(&found, "").unwrap();
    let whole: Vec<bool> = listed.iter().map(|row| row.element.is_some()).collect();
    assert_eq!((whole[0], whole[2]), (true, false));
    assert_eq!(listed[2].number, Some((7, "7".to_owned())));
}

#[test]
fn error_table() {
    use ErrorKind as K;
    let ip = "許可されていないIPアドレスです";
    let table = [
        (Method::Orders { first: true }, "認証エラー", K::Unauthorized, Retry::Never),
        (Method::Orders { first: true }, "", K::Unauthorized, Retry::Never),
        (Method::Orders { first: true }, ip, K::Forbidden, Retry::Never),
        (Method::Orders { first: true }, "ＩＰ制限", K::Forbidden, Retry::Never),
        (Method::Orders { first: false }, "認証エラー", K::Unavailable, Retry::Later),
        (Method::Items { first: true }, "認証エラー", K::Unauthorized, Retry::Never),
        (Method::Items { first: true }, ip, K::Forbidden, Retry::Never),
        (Method::Items { first: false }, ip, K::Unavailable, Retry::Later),
        (Method::Order, "?", K::Unavailable, Retry::Later),
        (Method::Lines, "?", K::Refused, Retry::Never),
        (Method::Variants, "商品コードが見つかりません。", K::NotFound, Retry::Never),
        (Method::Variants, "?", K::Refused, Retry::Never),
        (Method::MovePhase, "?", K::Refused, Retry::Never),
        (Method::MovePhase, ip, K::Refused, Retry::Never),
    ];
    for (method, said, kind, retry) in table {
        let found = verdict(method, said);
        assert_eq!((found.kind, found.retry), (kind, retry), "{method:?} {said}");
        let body = ERROR.replace("商品コードが見つかりません。", said);
        let error = judge_body(method, &body).unwrap_err();
        assert_eq!((error.kind(), error.retry()), (kind, retry));
        assert!(error.message().unwrap_or_default().contains(said), "the channel's text is kept: {error}");
    }
    assert_eq!(Method::MovePhase.name(), "upd_order_phase");
    assert!(
        Method::MovePhase.changes() && !Method::Order.changes() && !Method::Orders { first: true }.changes()
    );
}

#[test]
fn status_table() {
    use OrderStatus as S;
    let table = [
        ("2", "注文確認", S::Cancelled),
        ("2", "完了", S::Cancelled),
        ("", "注文確認", S::Unknown),
        ("3", "完了", S::Unknown),
        ("x", "注文確認", S::Unknown),
        ("0", "取消", S::Cancelled),
        ("0", "完了", S::Shipped),
        ("0", "出荷済", S::Shipped),
        ("0", "引当待ち", S::Confirmed),
        ("0", "発送待ち", S::Confirmed),
        ("0", "注文確認", S::New),
        ("0", " 確認待ち ", S::New),
        ("1", "注文確認", S::New),
        ("0", "入金待ち", S::PendingPayment),
        ("0", "注文確認済", S::Unknown),
        ("0", "", S::Unknown),
    ];
    for (flag, phase, expected) in table {
        let xml = format!("<cancel_flag>{flag}</cancel_flag><phase_name>{phase}</phase_name>");
        let order = order_of(&xml).unwrap();
        assert_eq!(order.status, expected, "{flag} {phase}");
        let on_hold = if flag == "1" { vec![Hold::OnHold] } else { Vec::new() };
        assert_eq!(order.holds, on_hold, "{flag}");
    }
    assert_eq!(super::STATUSES.len(), 8);
}

#[test]
fn a_number_and_a_ship_date_do_not_mean_shipped() {
    let fields = "<cancel_flag>0</cancel_flag><delivery_number>123</delivery_number>\
                  <delivery_name>ヤマト</delivery_name><delivery_date>2026/11/24</delivery_date>";
    let open = order_of(&format!("{fields}<phase_name>発送待ち</phase_name>")).unwrap();
    assert_eq!((open.status, open.expected_ship_date), (OrderStatus::Confirmed, None));
    assert!(open.tracking.is_empty(), "the hub would take it for a parcel that was reported");
    let shipped = order_of(&format!("{fields}<phase_name>完了</phase_name>")).unwrap();
    assert_eq!(shipped.tracking, [Tracking::new("ヤマト", "123")]);
    let data: serde_json::Value = open.channel_data.read().unwrap();
    assert_eq!((&data["delivery_number"], &data["ship_date"]), (&json!("123"), &json!("2026/11/24")));
}

#[test]
fn sample_order_is_read_field_by_field() {
    let rows = Envelope::read(ORDER).unwrap().rows;
    let element = Element::parse(rows[0]).unwrap();
    let read_at = at("2026-11-24T12:00:00+09:00");
    let mut order = order(&OrderRow::of(&element), &choices(), &config(), read_at, None).unwrap();
    assert_eq!(
        (order.id.as_str(), order.number.as_deref()),
        ("00252963", Some("123456-20261124-0000000001"))
    );
    assert_eq!((order.status, order.paid_at, order.ship_by), (OrderStatus::New, None, None));
    assert_eq!(order.ordered_at, at("2026-11-24T10:03:40+09:00"));
    assert_eq!(order.updated_at, at("2026-11-24T10:08:02+09:00"));
    assert_eq!(order.totals.total.unwrap().to_string(), "7210 JPY");
    assert_eq!(order.totals.shipping.unwrap().to_string(), "500 JPY");
    assert_eq!(order.totals.discount, None);
    let buyer = order.buyer.reveal();
    assert_eq!((buyer.name.as_str(), buyer.email.as_str()), ("山田 太郎", "taro@example.com"));
    let to = &order.destinations[0];
    let recipient = to.recipient.reveal();
    assert_eq!(
        (recipient.name_reading.as_str(), recipient.phone.as_str()),
        ("ヤマダ タロウ", "03-0000-0000")
    );
    assert_eq!(recipient.address.postal_code, "100-0001");
    assert_eq!(recipient.address.lines, ["東京都千代田区千代田", "1-1"]);
    assert_eq!((to.desired_date, to.message.as_ref().unwrap().reveal().as_str()), (None, "午前中"));
    assert_eq!(order.memo, None);
    let data: serde_json::Value = order.channel_data.read().unwrap();
    assert_eq!((&data["phase"], &data["shop"]), (&json!("注文確認"), &json!("楽天市場店")));

    let (lines, raw) = lines_result(LINES.as_bytes(), &order, &config()).unwrap().unwrap();
    let line = &lines[0].line;
    assert_eq!((line.id.as_str(), line.quantity, line.shipped), ("1", 2, 0));
    assert_eq!(line.listing, ListingKey::option("t-shirt", "S/BK"));
    assert_eq!((line.title.as_str(), line.option_text.as_str()), ("Tシャツ", "S / Black"));
    assert_eq!(line.unit_price.unwrap().to_string(), "3355 JPY");
    assert_eq!(line.total.unwrap().to_string(), "6710 JPY");
    assert!(raw.starts_with("<Result No='1'>") && LINES.contains(&raw));

    order.status = OrderStatus::Shipped;
    let (lines, _) = lines_result(LINES.as_bytes(), &order, &config()).unwrap().unwrap();
    assert_eq!((lines[0].line.shipped, lines[0].line.outstanding()), (2, 0));
}

#[test]
fn an_order_without_address_amount_or_change_time_is_read() {
    let order =
        order_of("<cancel_flag>0</cancel_flag><ship_section_name1>株式会社</ship_section_name1>").unwrap();
    assert_eq!(order.updated_at, at("2026-11-24T12:00:00+09:00"), "when it was asked for");
    assert_eq!(order.totals.total, None);
    assert!(order.destinations[0].recipient.reveal().address.is_empty(), "a company is no address");
    let order = order_of("<total_price>abc</total_price><ship_address1>千代田 🌸</ship_address1>").unwrap();
    assert_eq!(order.totals.total, None);
    assert_eq!(order.destinations[0].recipient.reveal().address.lines, ["千代田 🌸"]);
}

#[test]
fn what_makes_an_order_unreadable() {
    assert!(order_of("").is_ok());
    for (xml, word) in [
        ("<Result><order_date>2026/11/24</order_date></Result>", "number"),
        ("<Result><order_number>A7</order_number><order_date>2026/11/24</order_date></Result>", "number"),
        ("<Result><order_number>0</order_number><order_date>2026/11/24</order_date></Result>", "number"),
        ("<Result><order_number>7</order_number><order_date>today</order_date></Result>", "date"),
        (
            "<Result><order_number>7</order_number><order_date>2026/11/24</order_date><ship_name>\u{fffd}</ship_name></Result>",
            "broken",
        ),
    ] {
        let element = Element::parse(xml).unwrap();
        let why =
            order(&OrderRow::of(&element), &choices(), &config(), at("2026-11-24T12:00:00+09:00"), None);
        assert!(why.unwrap_err().contains(word), "{xml}");
    }
}

#[test]
fn what_makes_lines_unreadable() {
    let order = order_of("").unwrap();
    let read = |from: &str, to: &str| {
        assert!(LINES.contains(from));
        lines_result(LINES.replacen(from, to, 1).as_bytes(), &order, &config())
            .unwrap()
            .map(|(lines, _)| lines.len())
    };
    assert_eq!(read("<amount>2<", "<amount>2.0<"), Ok(1));
    for (from, to) in [
        ("<amount>2<", "<amount>0<"),
        ("<amount>2<", "<amount>-1<"),
        ("<amount>2<", "<amount>1.5<"),
        ("<amount>2<", "<amount><"),
        ("<amount>2<", "<amount>99999999999<"),
        ("<line_no>1<", "<line_no><"),
        ("<order_number>00252963<", "<order_number>00252964<"),
        ("<item_code>t-shirt<", "<item_code>\u{fffd}<"),
        ("<item_code>t-shirt<", "<item_code>t-shirt</wrong><"),
    ] {
        assert!(matches!(read(from, to), Err(Missing::Unreadable(_))), "{to}");
    }
    let rows = Envelope::read(LINES).unwrap().rows;
    let twice = LINES.replace("TotalResult=\"1\"", "TotalResult=\"2\"").replace(rows[0], &rows[0].repeat(2));
    assert!(lines_result(twice.as_bytes(), &order, &config()).unwrap().is_err(), "a line number comes twice");
    assert!(matches!(lines_result(EMPTY.as_bytes(), &order, &config()).unwrap(), Err(Missing::Withheld(_))));
    assert!(lines_result(b"<html/>", &order, &config()).is_err());
}

#[test]
fn a_line_of_an_item_that_is_not_in_the_master_has_a_key_of_its_own_and_no_sku() {
    let order = order_of("").unwrap();
    let free = LINES.replace("<free_item_code></free_item_code>", "<free_item_code>by/hand</free_item_code>");
    let (lines, _) = lines_result(free.as_bytes(), &order, &config()).unwrap().unwrap();
    assert_eq!(lines[0].line.listing, ListingKey::option("t-shirt", "by%2Fhand"));
    let options = LINES.replace(
        "<item_option1_label></item_option1_label><item_option1></item_option1>",
        "<item_option1_label>ラッピング</item_option1_label><item_option1>あり🎁</item_option1><item_option20>x</item_option20>",
    );
    let (lines, _) = lines_result(options.as_bytes(), &order, &config()).unwrap().unwrap();
    assert_eq!(lines[0].line.option_text, "S / Black / ラッピング: あり🎁 / x");
}

#[test]
fn a_child_of_a_bundle_is_known_by_the_order_ahead_of_it() {
    for (ahead, child) in
        [("", false), ("0", false), ("00252963", false), ("252963", false), ("00252960", true), ("x", true)]
    {
        let xml = format!(
            "<Result><order_number>00252963</order_number><bundle_ahead_number>{ahead}</bundle_ahead_number></Result>"
        );
        let element = Element::parse(&xml).unwrap();
        assert_eq!(packed_into(&OrderRow::of(&element)).is_some(), child, "{ahead}");
    }
}

#[test]
fn a_known_order_that_is_packed_into_another_keeps_its_lines_and_is_held() {
    let fields = "<cancel_flag>0</cancel_flag><phase_name>注文確認</phase_name>";
    let mut known = order_of(fields).unwrap();
    let (lines, _) = lines_result(LINES.as_bytes(), &known, &config()).unwrap().unwrap();
    known.lines = lines.into_iter().map(|shown| shown.line).collect();
    let now = held(order_of(fields).unwrap(), &known);
    assert_eq!(
        (now.status, now.lines.len(), now.holds.as_slice()),
        (OrderStatus::New, 1, &[Hold::ChangePending][..])
    );
    known.status = OrderStatus::PendingPayment;
    assert_eq!(held(order_of(fields).unwrap(), &known).status, OrderStatus::Unknown, "it is not taken now");
    let shipped = order_of("<cancel_flag>0</cancel_flag><phase_name>完了</phase_name>").unwrap();
    assert_eq!(held(shipped, &known).lines[0].outstanding(), 0);
}

#[test]
fn personal_data_that_vanished_are_kept() {
    let mut known = order_of("<ship_name>山田</ship_name><ship_address1>千代田</ship_address1>").unwrap();
    known.buyer = known.destinations[0].recipient.clone();
    let xml = "<Result><order_number>00252963</order_number><order_date>x</order_date></Result>";
    let element = Element::parse(xml).unwrap();
    let read_at = at("2026-12-24T12:00:00+09:00");
    let order = order(&OrderRow::of(&element), &choices(), &config(), read_at, Some(&known)).unwrap();
    assert_eq!(order.destinations[0].recipient.reveal().address.lines, ["千代田"]);
    assert_eq!((order.buyer.reveal().name.as_str(), order.ordered_at), ("山田", known.ordered_at));
}

#[test]
fn order_numbers_must_ascend_from_the_last_page_on() {
    let rows = |numbers: &[&str]| -> Vec<String> {
        numbers.iter().map(|n| format!("<Result><order_number>{n}</order_number></Result>")).collect()
    };
    let read = |numbers: &[&str], after: &str| {
        let rows = rows(numbers);
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        listed(&rows, after)
            .map(|rows| rows.iter().filter_map(|row| Some(row.number.as_ref()?.0)).collect::<Vec<_>>())
    };
    assert_eq!(
        read(&["00000008", "9", "00000010"], "00000007").unwrap(),
        [8, 9, 10],
        "as numbers, not as texts"
    );
    assert_eq!(read(&["8", "8", "9"], "").unwrap(), [8, 9], "doubles are dropped");
    assert_eq!(
        read(&["8", "", "x", "9"], "").unwrap(),
        [8, 9],
        "a number that can't be read spoils only its row"
    );
    for (numbers, after) in [(&["9", "8"][..], ""), (&["7"][..], "7"), (&["6", "8"][..], "00000007")] {
        assert_eq!(read(numbers, after).unwrap_err().kind(), ErrorKind::MalformedResponse, "{numbers:?}");
    }
}

#[test]
fn only_the_row_of_the_order_counts_and_only_an_empty_answer_means_gone() {
    let id = OrderId::from("00252963");
    assert!(one_row(ORDER, &id).unwrap().is_some());
    assert!(one_row(ORDER, &OrderId::from("252963")).unwrap().is_some(), "the same number");
    assert!(one_row(EMPTY, &id).unwrap().is_none());
    assert_eq!(one_row(ORDER, &OrderId::from("00252964")).unwrap_err().kind(), ErrorKind::MalformedResponse);
}

#[test]
fn window_borders() {
    let queries = |from: &str, to: &str| {
        let place = Place::at(Window::new(at(from), at(to)), None).unwrap();
        let changed = place.query(Tokyo);
        (changed, place.next_pass().unwrap().query(Tokyo))
    };
    let (changed, ordered) = queries("2026-11-24T00:00:00+09:00", "2026-11-25T00:00:00+09:00");
    let own = |query: &[(&'static str, &str)]| -> Query {
        query.iter().map(|(n, v)| (*n, (*v).to_owned())).collect()
    };
    assert_eq!(
        changed,
        own(&[
            ("condition", "1"),
            ("updated_at_fr", "2026-11-23 23:59:59"),
            ("updated_at_to", "2026-11-25 00:00:01")
        ])
    );
    let day = own(&[("condition", "1"), ("order_date_fr", "2026-11-24"), ("order_date_to", "2026-11-24")]);
    assert_eq!(ordered, day, "midnight belongs to the next window");
    let (changed, ordered) = queries("2026-11-23T23:59:59.500+09:00", "2026-11-25T00:00:00.001+09:00");
    assert_eq!(changed[1].1, "2026-11-23 23:59:58");
    assert_eq!(changed[2].1, "2026-11-25 00:00:02", "a part of a second is rounded up");
    assert_eq!((ordered[1].1.as_str(), ordered[2].1.as_str()), ("2026-11-23", "2026-11-25"));
}

#[test]
fn a_cursor_is_for_its_own_window() {
    let window = Window::new(at("2026-11-24T00:00:00+09:00"), at("2026-11-25T00:00:00+09:00"));
    let mut place = Place::at(window, None).unwrap();
    place.after = "00252963".to_owned();
    place.saw(252_963);
    let cursor = place.cursor().unwrap();
    assert_eq!(Place::at(window, Some(&cursor)).unwrap(), place);
    assert_eq!(
        place.query(Tokyo)[..2],
        [("condition", "1".to_owned()), ("order_number", "00252963".to_owned())]
    );
    let other = Window::new(window.from, window.to + TimeDelta::seconds(1));
    assert_eq!(Place::at(other, Some(&cursor)).unwrap_err().kind(), ErrorKind::InvalidInput);
    for text in ["", "7", "{}", "00252963", &cursor.as_str().replace("00252963", "x")] {
        let error = Place::at(window, Some(&PageCursor::new(text))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{text}");
    }
}

#[test]
fn the_second_pass_leaves_out_what_the_first_brought_unless_it_has_changed() {
    let (from, to) = (at("2026-11-24T10:00:00+09:00"), at("2026-11-24T11:00:00+09:00"));
    let mut place = Place::at(Window::new(from, to), None).unwrap();
    let inside = Some(from + TimeDelta::minutes(5));
    assert!(!place.leaves_out(7, Some(from - TimeDelta::days(9)), inside), "imported late");
    place.saw(7);
    let place = place.next_pass().unwrap();
    assert!(place.leaves_out(7, inside, inside), "brought");
    assert!(!place.leaves_out(7, inside, Some(to)), "changed since");
    assert!(!place.leaves_out(8, inside, inside), "the first pass missed it");
    assert!(!place.leaves_out(8, None, None));
    for (ordered, out) in
        [(from, false), (to, false), (from - TimeDelta::seconds(2), true), (to + TimeDelta::seconds(2), true)]
    {
        assert_eq!(place.leaves_out(8, Some(ordered), Some(to)), out, "{ordered}");
    }
    assert!(place.next_pass().is_none());
}

#[test]
fn times_and_numbers() {
    let jst = |text| time(text, Tokyo);
    let expected = Some(at("2026-11-24T10:03:40+09:00"));
    for text in
        ["2026/11/24 10:03:40", "2026-11-24 10:03:40", " 2026-11-24T10:03:40.0 ", "2026/11/24  10:03:40"]
    {
        assert_eq!(jst(text.trim()), expected, "{text}");
    }
    assert_eq!(jst("2026/11/24 10:03"), Some(at("2026-11-24T10:03:00+09:00")));
    assert_eq!(jst("2026/11/24"), Some(at("2026-11-24T00:00:00+09:00")));
    for bad in ["", "24.11.2026", "2026/13/01", "2026/11/24 25:00:00", "0000/00/00"] {
        assert_eq!(jst(bad), None, "{bad}");
    }
    assert_eq!(day("2026/11/24 10:00:00"), day("2026-11-24"));
    assert!(day("2026-11-24").is_some() && day("").is_none());
    assert_eq!(
        (number("00252963"), number(""), number("-1"), number("1.0")),
        (Some(252_963), None, None, None)
    );
    assert_eq!(number("99999999999999999999999"), None);
}

#[test]
fn choices_have_defaults_and_take_commas_and_lines() {
    let nothing = Choices::of(&Context::new()).unwrap();
    assert_eq!(nothing.status("注文確認"), Some(OrderStatus::New));
    assert_eq!(nothing.status("完了"), None);
    assert_eq!(nothing.unset().len(), 2);
    for (error, word) in [
        (nothing.confirm_phase().unwrap_err(), "confirm_phase"),
        (nothing.shipped_phase().unwrap_err(), "shipped_phase"),
    ] {
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.to_string().contains(word), "{error}");
    }
    let chosen = cx(json!({"new_phases": " a , b\r\nc\n", "confirm_phase": " d ", "confirmed_phases": "d,e",
        "unpaid_phases": "", "shipped_phases": null, "carriers": "Yamato=ヤマト宅急便, sagawa = 佐川急便\nYAMATO = ヤマト宅急便"}));
    let chosen = Choices::of(&chosen).unwrap();
    for phase in ["a", "b", "c"] {
        assert_eq!(chosen.status(phase), Some(OrderStatus::New), "{phase}");
    }
    assert_eq!((chosen.status("注文確認"), chosen.status("A")), (None, None));
    assert_eq!((chosen.confirm_phase().unwrap(), chosen.status("d")), ("d", Some(OrderStatus::Confirmed)));
    assert_eq!((chosen.carrier(" yamato "), chosen.carrier("jp")), (Some("ヤマト宅急便"), None));
    assert_eq!(chosen.unset(), ["the option shipped_phase is not set: parcels can't be reported"]);
    assert_eq!(choices().unset(), Vec::<String>::new());
}

#[test]
fn a_phase_has_one_meaning_and_a_carrier_one_name() {
    for (settings, words) in [
        (json!({"confirmed_phases": "注文確認"}), ["new_phases", "confirmed_phases"]),
        (json!({"confirm_phase": "完了", "shipped_phases": "完了"}), ["confirm_phase", "shipped_phases"]),
        (json!({"shipped_phase": "x", "cancelled_phases": "y,x"}), ["shipped_phase", "cancelled_phases"]),
        (json!({"carriers": "yamato"}), ["carriers", "yamato"]),
        (json!({"carriers": "= ヤマト"}), ["carriers", "yamato"]),
        (json!({"carriers": "a=b\nA=c"}), ["carriers", "twice"]),
        (json!({"new_phases": 7}), ["new_phases", "text"]),
    ] {
        let error = Choices::of(&cx(settings.clone())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration, "{settings}");
        assert!(words.iter().all(|word| error.to_string().contains(word)), "{settings}: {error}");
    }
}

#[test]
fn variants_have_keys_that_cannot_be_mistaken() {
    assert_eq!(key("cap", ["", ""]), ListingKey::item("cap"));
    assert_eq!(key("t", ["S", "BK"]), ListingKey::option("t", "S/BK"));
    assert_eq!(key("t", ["S", ""]), ListingKey::option("t", "S/"));
    assert_ne!(key("t", ["a/b", "c"]), key("t", ["a", "b/c"]));
    assert_ne!(key("t", ["a%2Fb", "c"]), key("t", ["a/b", "c"]));
    let variants = variants_result(VARIANTS.as_bytes(), "t-shirt").unwrap();
    let code = |item: &str, codes| sku(item, codes, &variants).map(|sku| sku.to_string());
    assert_eq!(code("t-shirt", ["S", "BK"]).as_deref(), Some("TEE-S-BK"));
    assert_eq!(code("t-shirt", ["M/L", "BK"]), None, "its code is empty");
    assert_eq!(code("t-shirt", ["XL", "BK"]), None);
    assert_eq!(code("cap", ["", ""]).as_deref(), Some("cap"));
    let plain = Variant { sku: "CAP-1".to_owned(), ..Variant::default() };
    assert_eq!(sku("cap", ["", ""], &[plain]).unwrap().as_str(), "CAP-1");
    assert!(variants_result(VARIANTS.as_bytes(), "cap").is_err(), "of another item");
}

#[test]
fn listings_of_the_samples() {
    let items = items_result(ITEMS.as_bytes(), &[]).unwrap();
    let codes: Vec<(&str, bool)> = items.iter().map(|item| (item.code.as_str(), item.varies)).collect();
    assert_eq!(codes, [("cap", false), ("t-shirt", true)]);
    assert!(items_result(ITEMS.as_bytes(), &["t-shirt".to_owned()]).is_err(), "the list runs in a circle");
    assert!(items_result(ITEMS.replace(">t-shirt<", ">cap<").as_bytes(), &[]).is_err(), "a code comes twice");
    assert!(items_result(ITEMS.replace(">t-shirt<", "><").as_bytes(), &[]).is_err());
    let told = |item: &Item, variants: Option<&[Variant]>| -> Vec<(String, String, Option<String>)> {
        let listings = listings_of(item, variants);
        assert!(listings.iter().all(|l| l.state == ListingState::Unknown && l.quantity.is_none()));
        listings.into_iter().map(|l| (l.key.to_string(), l.title, l.sku.map(|sku| sku.to_string()))).collect()
    };
    let own = |key: &str, title: &str, sku: Option<&str>| {
        (key.to_owned(), title.to_owned(), sku.map(str::to_owned))
    };
    let variants = variants_result(VARIANTS.as_bytes(), "t-shirt").unwrap();
    assert_eq!(
        told(&items[1], Some(&variants)),
        [
            own("t-shirt/S/BK", "Tシャツ (S / Black)", Some("TEE-S-BK")),
            own("t-shirt/M%2FL/BK", "Tシャツ (M/L / Black)", None),
        ]
    );
    assert_eq!(told(&items[0], Some(&[])), [own("cap", "キャップ 🧢", Some("cap"))]);
    assert_eq!(
        told(&items[0], None),
        [own("cap", "キャップ 🧢", None)],
        "nothing says that its code is a SKU"
    );
    assert_eq!(told(&items[1], Some(&[])), [own("t-shirt", "Tシャツ", None)], "it has attributes");
}

fn present(status: OrderStatus) -> Present {
    Present {
        status,
        on_hold: false,
        packed_into: None,
        phase: "発送待ち".to_owned(),
        tracking_number: String::new(),
        carrier: "佐川急便".to_owned(),
        ship_date: String::new(),
    }
}

fn said<T>(outcome: Option<&Outcome<T>>) -> &'static str {
    match outcome {
        None => "go on",
        Some(Outcome::AlreadyDone) => "already",
        Some(Outcome::Refused(no)) if !no.reread => "refused without reading again",
        Some(Outcome::Refused(no)) if no.temporary => "refused for now",
        Some(Outcome::Refused(_)) => "refused",
        Some(_) => "?",
    }
}

#[test]
fn confirming_goes_on_from_a_new_phase_only() {
    use OrderStatus as S;
    for (status, expected) in [
        (S::New, "go on"),
        (S::Confirmed, "already"),
        (S::Shipped, "already"),
        (S::Cancelled, "refused"),
        (S::PendingPayment, "refused for now"),
        (S::Unknown, "refused for now"),
    ] {
        assert_eq!(said(settled(&present(status)).as_ref()), expected, "{status}");
    }
    let mut held = present(S::New);
    held.on_hold = true;
    assert_eq!(said(settled(&held).as_ref()), "refused for now");
    for status in [S::New, S::Confirmed] {
        let mut child = present(status);
        child.packed_into = Some("00252960".to_owned());
        assert_eq!(said(settled(&child).as_ref()), "refused");
    }
}

#[test]
fn dispatch_steps() {
    use OrderStatus as S;
    let parcel = Parcel { number: "123".to_owned(), carrier: None, day: day("2026-11-24").unwrap() };
    let step = |parcel: &Parcel, present: &Present| match next(parcel, present) {
        Next::End(outcome) => said(Some(&outcome)),
        Next::Write => "write",
        Next::Move => "move",
    };
    let with = |status, number: &str, date: &str| {
        let mut present = present(status);
        present.tracking_number = number.to_owned();
        present.ship_date = date.to_owned();
        present
    };
    for (status, number, date, expected) in [
        (S::New, "", "", "write"),
        (S::Confirmed, "", "2026/11/24", "write"),
        (S::Confirmed, "123", "2026/11/24", "move"),
        (S::Confirmed, "123", "2026-11-24 00:00:00", "move"),
        (S::Confirmed, "123", "2026/11/30", "write"),
        (S::Confirmed, "123", "", "write"),
        (S::Confirmed, "999", "2026/11/24", "refused"),
        (S::Shipped, "123", "", "already"),
        (S::Shipped, "999", "", "refused"),
        (S::Shipped, "", "", "refused"),
        (S::Cancelled, "123", "2026/11/24", "refused"),
        (S::PendingPayment, "123", "2026/11/24", "refused for now"),
        (S::Unknown, "123", "2026/11/24", "refused for now"),
    ] {
        assert_eq!(step(&parcel, &with(status, number, date)), expected, "{status} {number} {date}");
    }
    let mut child = with(S::Shipped, "123", "2026/11/24");
    child.packed_into = Some("1".to_owned());
    assert_eq!(step(&parcel, &child), "refused");
    let mut held = with(S::Confirmed, "123", "2026/11/24");
    held.on_hold = true;
    assert_eq!(step(&parcel, &held), "refused for now");
    let yamato = Parcel { carrier: Some("ヤマト宅急便".to_owned()), ..parcel.clone() };
    assert_eq!(step(&yamato, &with(S::Confirmed, "123", "2026/11/24")), "write", "the carrier is another");

    let after = |present: Option<&Present>| said(after_writing(&parcel, present).as_ref());
    assert_eq!(after(Some(&with(S::Confirmed, "123", ""))), "go on", "the date is not asked for again");
    assert_eq!(after(Some(&with(S::Confirmed, "", "2026/11/24"))), "refused", "the number was not stored");
    assert_eq!(after(Some(&with(S::Shipped, "123", ""))), "already", "somebody moved it meanwhile");
    assert_eq!(after(Some(&with(S::Cancelled, "123", ""))), "refused");
    assert_eq!(after(None), "refused");
    let kept = with(S::Confirmed, "123", "2026/11/24");
    assert_eq!(said(after_writing(&yamato, Some(&kept)).as_ref()), "refused", "the carrier was not stored");
}

#[test]
fn only_whole_orders_with_a_number_are_reported() {
    let mut order = order_of("<cancel_flag>0</cancel_flag><phase_name>注文確認</phase_name>").unwrap();
    let (lines, _) = lines_result(LINES.as_bytes(), &order, &config()).unwrap().unwrap();
    order.lines = lines.into_iter().map(|shown| shown.line).collect();
    let shipped_at = at("2026-11-24T23:30:00+09:00");
    let good = Tracking::new("yamato", " 123 ");
    let parcel = |tracking: Option<&Tracking>, lines: &[(LineId, u32)]| {
        let mut request = DispatchRequest::new(&order, tracking, shipped_at);
        request.lines = lines;
        super::dispatch::parcel(&request, &choices(), Tokyo)
    };
    let whole = [(LineId::from("1"), 2)];
    for lines in [&[][..], &whole] {
        let parcel = parcel(Some(&good), lines).unwrap();
        assert_eq!((parcel.number.as_str(), parcel.carrier.as_deref()), ("123", Some("ヤマト宅急便")));
        assert_eq!(parcel.day, day("2026-11-24").unwrap(), "the Japanese day");
    }
    assert!(parcel(Some(&good), &[(LineId::from("1"), 1)]).is_err());
    assert!(parcel(None, &[]).is_err());
    assert!(parcel(Some(&Tracking::new("yamato", " ")), &[]).is_err());
    assert!(parcel(Some(&Tracking::new("yamato", "12\n3")), &[]).is_err());
}

#[test]
fn the_channel_offers_what_it_can_do() {
    let client = HttpClient::new(HttpSettings::default()).unwrap();
    let credentials = Credentials::new().with("account", "ill").with("auth_key", "secret-key-1");
    let channel = CrossMall::new(&client, "shop-1", &credentials, config()).unwrap();
    let offered: Vec<Capability> = Capabilities::of(&channel).iter().collect();
    assert_eq!(
        offered,
        [
            Capability::FetchOrders,
            Capability::ConfirmOrders,
            Capability::DispatchOrders,
            Capability::ListListings,
            Capability::RenewCredentials,
        ]
    );
    let info = channel.info();
    assert_eq!(info.options.len(), 8);
    assert!(info.options.iter().all(|option| option.kind == OptionKind::Text));
    assert_eq!((info.confirm_batch, info.dispatch_batch, info.read_batch), (20, 10, 20));
    assert!(!format!("{channel:?}").contains("secret-key-1"));
    for missing in ["account", "auth_key"] {
        let mut less = credentials.clone();
        less.parts.remove(missing);
        let error = CrossMall::new(&client, "shop-1", &less, config()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains(missing));
    }
}

#[test]
fn flags_and_phases_decide_together() {
    let xml = "<Result><cancel_flag>1</cancel_flag><phase_name>完了</phase_name></Result>";
    let element = Element::parse(xml).unwrap();
    assert_eq!(
        status(&OrderRow::of(&element), &choices()),
        OrderStatus::Shipped,
        "on hold and shipped is shipped"
    );
}
