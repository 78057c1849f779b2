//! The pure parts: signing, tables, places of lists, choosing pieces, spreading quantities; and every official sample.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;
use serde_json::value::RawValue;

use super::auth::{new_tokens, sign, token_ends};
use super::cancels::{cancel_ask, decide_ask, validate_ask, validate_result};
use super::config::status;
use super::errors::{Endpoint, judge, verdict};
use super::items::{items_ask, items_of_ask};
use super::lines::LineData;
use super::orders::{Place, became_sellers, newest, order_ask, search_ask, stamp};
use super::packs::{
    Allocation, label_ask, pack_ask, pack_result, providers_ask, providers_result, ready_ask, ready_result,
};
use super::plan::{No, Plan, plan};
use super::products::{Held, Shown, product_ask, state};
use super::reverses::{Reverse, State, search_result, spans, stands};
use super::rows::{fresh, head};
use super::stock::{NewStock, new_stock, set_ask, set_result, spread};
use super::wire::time;
use super::*;
use crate::channel::{CancelReason, Row, Secret};
use crate::error::{Effect, Retry};
use crate::lenient::Text;
use crate::model::{CancelState, ChannelData, Hold, LineId, ListingState, OrderId, OrderStatus};

fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().with_timezone(&Utc)
}

fn config() -> Config {
    Config::of(Market::Singapore).unwrap()
}

fn raw(json: &str) -> Box<RawValue> {
    serde_json::from_str(json).unwrap()
}

fn item(id: u32, word: &str, package: &str, more: &str) -> String {
    format!(
        r#"{{"order_item_id":{id},"product_id":9,"sku_id":7,"sku":"CAP","status":"{word}","item_price":"10.00","paid_price":"9.50","voucher_amount":"0.50","currency":"SGD","package_id":"{package}"{more}}}"#
    )
}

fn order(items: &[String], more: &str) -> Order {
    let row = raw(&format!(
        r#"{{"order_id":57,"order_number":57,"created_at":"2026-11-20T10:00:00+08:00","updated_at":"2026-11-20T11:00:00+08:00","shipping_fee":"1.00","address_shipping":{{"address1":"1 Changi Road","country":"Singapore"}}{more}}}"#
    ));
    let head = head(&row).unwrap();
    match head.with_items(&raw(&format!("[{}]", items.join(","))), &config(), at("2026-11-24T12:00:00Z")) {
        Row::Order(order) => *order,
        Row::Unreadable(row) => panic!("{}", row.reason),
    }
}

fn plan_of(order: &Order, lines: &[(LineId, u32)], now: &[String]) -> Result<Plan, No> {
    let mut request = DispatchRequest::new(order, None, at("2026-11-21T00:00:00Z"));
    request.lines = lines;
    plan(&request, &fresh(&raw(&format!("[{}]", now.join(",")))).unwrap())
}

fn words(no: No) -> String {
    match no {
        No::AlreadyDone => "already".to_owned(),
        No::Refused(no) => format!("{}{}", if no.temporary { "temporary: " } else { "" }, no.message),
    }
}

#[test]
fn the_official_signature_vector_comes_out() {
    let parameters: BTreeMap<&str, String> = [
        ("access_token", "test"),
        ("app_key", "123456"),
        ("order_id", "1234"),
        ("sign_method", "sha256"),
        ("timestamp", "1517820392000"),
        // It takes no part.
        ("sign", "x"),
    ]
    .into_iter()
    .map(|(name, value)| (name, value.to_owned()))
    .collect();
    let signature = sign(&Secret::from("helloworld"), "/order/get", &parameters).unwrap();
    assert_eq!(signature, "4190D32361CFB9581350222F345CB77F3B19F0E31D162316848A2C1FFD5FAB4A");
}

#[test]
fn the_official_push_vector_comes_out() {
    let body = br#"{"seller_id":"1234567","message_type":0,"data":{"order_status":"unpaid"}}"#;
    let signature = webhook_signature("123456", &"helloworld".into(), body).unwrap();
    assert_eq!(signature, "aeed980a5b5951256175a70ba6b1aa0dff3a510579cc217faa7fdfa5c298cbbb");
}

#[test]
fn each_status_has_its_row_and_an_unknown_word_stays_unknown() {
    let statuses = info(&config()).statuses;
    assert_eq!(statuses.len(), 22);
    for row in statuses {
        assert_eq!(status(row.channel), row.status, "{}", row.channel);
        let read = order(&[item(1, row.channel, "", "")], "");
        assert_eq!(read.status, row.status, "{}", row.channel);
    }
    for (word, expected) in [
        ("unpaid", OrderStatus::PendingPayment),
        ("pending", OrderStatus::New),
        ("repacked", OrderStatus::Confirmed),
        ("ready_to_ship_pending", OrderStatus::ReadyToShip),
        ("shipping", OrderStatus::Shipped),
        ("confirmed", OrderStatus::Delivered),
        ("damaged_by_3pl", OrderStatus::DeliveryFailed),
        ("returned", OrderStatus::Returned),
        ("canceled", OrderStatus::Cancelled),
        ("toship", OrderStatus::Unknown),
        ("SOMETHING_NEW", OrderStatus::Unknown),
        ("", OrderStatus::Unknown),
    ] {
        assert_eq!(status(word), expected, "{word}");
    }
}

#[test]
fn each_code_has_its_verdict() {
    use Endpoint as E;
    use ErrorKind as Kind;
    const NO: Effect = Effect::None;
    const UNKNOWN: Effect = Effect::Unknown;
    let second = Retry::After(Duration::from_secs(1));
    let rows = [
        (E::Orders, 200, "IllegalAccessToken", "ISV", "", Kind::CredentialExpired, Retry::Never, NO),
        (E::Pack, 200, "illegalaccesstoken", "ISV", "", Kind::CredentialExpired, Retry::Never, NO),
        (E::Orders, 200, "IncompleteSignature", "ISV", "", Kind::Unauthorized, Retry::Never, NO),
        (E::Orders, 200, "InvalidTimestamp", "ISV", "", Kind::Unauthorized, Retry::Never, NO),
        (E::Orders, 200, "InvalidAppKey", "ISV", "", Kind::Unauthorized, Retry::Never, NO),
        (E::Orders, 200, "MissingParameter", "ISV", "", Kind::Configuration, Retry::Never, NO),
        (E::Reverses, 200, "InsufficientPermission", "ISV", "", Kind::Forbidden, Retry::Never, NO),
        (E::Reverses, 200, "Mp3SellerApiLimit", "ISV", "", Kind::Forbidden, Retry::Never, NO),
        (E::Orders, 200, "SellerNotVerified", "ISP", "", Kind::Forbidden, Retry::Never, NO),
        (
            E::Orders,
            200,
            "ApiCallLimit",
            "ISV",
            "this ban will last 1 seconds",
            Kind::RateLimited,
            second,
            NO,
        ),
        (E::Orders, 200, "AppCallLimit", "ISV", "", Kind::RateLimited, Retry::Later, NO),
        (
            E::Pack,
            200,
            "SellerCallLimit",
            "ISV",
            "Api access frequency exceeds the limit. this ban will last 60 seconds",
            Kind::RateLimited,
            Retry::After(Duration::from_secs(60)),
            NO,
        ),
        (E::SetStock, 200, "901", "ISP", "", Kind::RateLimited, second, NO),
        (E::Orders, 200, "ServiceUnavailable", "ISP", "", Kind::Unavailable, Retry::Later, NO),
        (E::Pack, 200, "ServiceTimeout", "ISP", "", Kind::TimedOut, Retry::Later, NO),
        (E::Order, 200, "6", "ISP", "", Kind::Unavailable, Retry::Later, NO),
        (E::SetStock, 200, "1000", "ISP", "", Kind::Unavailable, Retry::Later, NO),
        (E::SetStock, 200, "513", "ISP", "", Kind::Unavailable, Retry::Later, NO),
        (E::Pack, 200, "40011", "ISP", "", Kind::Unavailable, Retry::Later, NO),
        (E::Orders, 200, "Whatever", "SYSTEM", "", Kind::Unavailable, Retry::Later, NO),
        (E::Orders, 429, "X", "", "", Kind::RateLimited, Retry::Later, NO),
        (E::Orders, 503, "X", "", "", Kind::Unavailable, Retry::Later, NO),
        (E::Token, 200, "IllegalRefreshToken", "ISV", "", Kind::CredentialExpired, Retry::Never, NO),
        (E::Token, 200, "InvalidCode", "ISV", "", Kind::CredentialExpired, Retry::Never, NO),
        (E::Token, 200, "AUTH_TYPE_UNSUPPORTED", "ISP", "", Kind::CredentialExpired, Retry::Never, NO),
        (E::Order, 200, "16", "ISP", "", Kind::NotFound, Retry::Never, NO),
        (E::ItemsOfOrder, 200, "16", "ISP", "", Kind::NotFound, Retry::Never, NO),
        (E::Items, 200, "37", "ISP", "", Kind::NotFound, Retry::Never, NO),
        (E::Items, 200, "39", "ISP", "", Kind::NotFound, Retry::Never, NO),
        (E::Product, 200, "208", "ISP", "", Kind::NotFound, Retry::Never, NO),
        (E::Product, 200, "EDIT_ITEM_NOT_BELONG_SELLER", "ISP", "", Kind::NotFound, Retry::Never, NO),
        // A read that is refused says nothing about an order.
        (E::Orders, 200, "17", "ISP", "", Kind::Unavailable, Retry::Later, NO),
        (E::Order, 200, "4711", "ISV", "", Kind::Unavailable, Retry::Later, NO),
        (E::Providers, 200, "700021", "ISP", "", Kind::Refused, Retry::Never, NO),
        (E::Validate, 200, "122", "ISP", "", Kind::Refused, Retry::Never, NO),
        (E::Reverses, 200, "106", "ISP", "", Kind::Unavailable, Retry::Later, NO),
        (E::Cancel, 200, "106", "ISP", "", Kind::Unavailable, Retry::Later, NO),
        (E::Decide, 200, "131", "ISP", "", Kind::Refused, Retry::Never, NO),
        (E::Pack, 200, "700000", "ISP", "", Kind::Refused, Retry::Never, NO),
        (E::Pack, 200, "700024", "ISP", "", Kind::Refused, Retry::Later, NO),
        (E::Pack, 200, "1003", "ISP", "", Kind::Refused, Retry::Later, NO),
        (E::Pack, 200, "4711", "ISP", "", Kind::Refused, Retry::Never, UNKNOWN),
        (E::ReadyToShip, 200, "11", "", "", Kind::Refused, Retry::Never, UNKNOWN),
        // `success` false: the whole batch was unsuccessful.
        (E::ReadyToShip, 200, "11", "ISV", "", Kind::Refused, Retry::Never, NO),
        (E::Decide, 200, "4711", "ISV", "", Kind::Refused, Retry::Never, NO),
        (E::SetStock, 200, "501", "ISP", "", Kind::Refused, Retry::Never, NO),
        (E::SetStock, 200, "4170", "ISP", "", Kind::Refused, Retry::Never, NO),
    ];
    for (endpoint, status, code, kind, said, expected, retry, effect) in rows {
        let verdict = verdict(endpoint, status, code, kind, said);
        assert_eq!(
            (verdict.kind, verdict.retry, verdict.effect),
            (expected, retry, effect),
            "{endpoint:?} {status} {code} {kind}"
        );
    }
}

#[test]
fn times_are_read_in_each_form_that_the_channel_writes() {
    for (json, expected) in [
        ("\"2018-02-09 22:44:30 +0800\"", Some("2018-02-09T14:44:30Z")),
        ("\"2018-02-09T22:44:30+08:00\"", Some("2018-02-09T14:44:30Z")),
        ("\"2018-02-09T22:44:30+0800\"", Some("2018-02-09T14:44:30Z")),
        ("\"1697193374592\"", Some("2023-10-13T10:36:14.592Z")),
        ("1603698638", Some("2020-10-26T07:50:38Z")),
        ("\"2018-02-09 22:44:30\"", None),
        ("\"0\"", None),
        ("\"99999999999999999999\"", None),
        ("\"null\"", None),
        ("null", None),
    ] {
        let text: Text<'_> = serde_json::from_str(json).unwrap();
        assert_eq!(time(&text), expected.map(at), "{json}");
    }
}

#[test]
fn each_market_has_its_host_currency_and_zone() {
    let rows = [
        ("sg", "https://api.lazada.sg/", "SGD", "+08:00"),
        ("th", "https://api.lazada.co.th/", "THB", "+07:00"),
        ("my", "https://api.lazada.com.my/", "MYR", "+08:00"),
        ("vn", "https://api.lazada.vn/", "VND", "+07:00"),
        ("ph", "https://api.lazada.com.ph/", "PHP", "+08:00"),
        ("ID", "https://api.lazada.co.id/", "IDR", "+07:00"),
    ];
    for (code, host, currency, offset) in rows {
        let config = Config::of(code.parse().unwrap()).unwrap();
        assert_eq!(config.base_url.url().as_str(), host);
        assert_eq!(config.currency.as_str(), currency);
        assert_eq!(stamp(1_795_165_953, &config).get(19..), Some(offset), "{code}");
    }
    assert_eq!("jp".parse::<Market>().unwrap_err().kind(), ErrorKind::Configuration);
}

#[test]
fn a_window_s_borders_are_rounded_outwards() {
    let window = Window::new(at("2026-11-20T09:00:00Z"), at("2026-11-20T10:00:00.500Z"));
    let ask = search_ask(window, &Place::begin(window), &config());
    let sent: BTreeMap<&str, &str> = ask.parameters.iter().map(|(n, v)| (*n, v.as_str())).collect();
    assert_eq!(sent["update_after"], "2026-11-20T16:50:00+08:00");
    assert_eq!(sent["created_before"], "2026-11-20T18:00:01+08:00");
    assert_eq!((sent["sort_by"], sent["sort_direction"]), ("created_at", "ASC"));
    assert!(!sent.contains_key("created_after") && !sent.contains_key("status"));
}

fn rows_at(times: impl IntoIterator<Item = i64>) -> Vec<Option<(&'static str, i64)>> {
    times.into_iter().map(|time| Some(("1", time))).collect()
}

#[test]
fn a_list_goes_on_from_the_last_orders_time_and_ends_only_by_the_channels_word() {
    let place = Place::begin(Window::new(at("2026-11-20T09:00:00Z"), at("2026-11-20T10:00:00Z")));
    let json = |place: Option<Place>| place.map(|place| serde_json::to_value(place).unwrap());
    // Short, and the count agrees: the end. Short, and the count says more: on.
    assert_eq!(place.next(&rows_at([1, 2]), Some(2)).unwrap(), None);
    assert_eq!(json(place.next(&rows_at([1, 2]), Some(3)).unwrap()).unwrap()["after"], 2);
    // Without a count, only an empty page is the end.
    assert_eq!(json(place.next(&rows_at([1, 2]), None).unwrap()).unwrap()["after"], 2);
    assert_eq!(place.next(&[], None).unwrap(), None);
    assert_eq!(place.next(&[], Some(0)).unwrap(), None);
    assert_eq!(place.next(&[], Some(4)).unwrap_err().kind(), ErrorKind::MalformedResponse);
    // A full page is never the last, whatever the count says.
    let full = place.next(&rows_at((0..50).map(|n| n / 2)), Some(50)).unwrap().unwrap();
    let told = json(Some(full.clone())).unwrap();
    assert_eq!((told["after"].as_i64(), told["offset"].as_u64()), (Some(24), Some(0)));
    assert_eq!(told["seen"].as_array().map(Vec::len), Some(2));
    // A page within one second, or with a time that can't be read, or unsorted: by offset.
    for page in [rows_at([7; 50]), rows_at([9, 3]), vec![None, Some(("1", 9))]] {
        let told = json(place.next(&page, None).unwrap()).unwrap();
        assert_eq!((told["after"].as_i64(), told["offset"].as_u64()), (None, Some(page.len() as u64)));
    }
    // The channel passed over the time: by offset from then on.
    let told = json(full.next(&rows_at([1, 2]), None).unwrap()).unwrap();
    assert_eq!((told["after"].as_i64(), told["offset"].as_u64()), (None, Some(2)));
    assert_eq!(told["by_offset"], true);
}

#[test]
fn an_order_is_the_sellers_when_it_was_made_or_paid() {
    let window = Window::new(at("2026-11-20T09:00:00Z"), at("2026-11-20T10:00:00Z"));
    let mut order = order(&[item(1, "pending", "", "")], "");
    order.ordered_at = at("2026-11-01T00:00:00Z");
    order.updated_at = at("2026-11-20T09:30:00Z");
    for (ordered, paid, expected) in [
        ("2026-11-20T09:00:00Z", None, true),
        ("2026-11-20T10:00:00Z", Some("2026-11-20T10:00:00Z"), false),
        ("2026-11-01T00:00:00Z", Some("2026-11-20T09:00:00Z"), true),
        ("2026-11-01T00:00:00Z", Some("2026-11-20T08:59:59Z"), false),
        // "Local time": 17:30 in Singapore may stand there as if it were UTC.
        ("2026-11-01T00:00:00Z", Some("2026-11-20T17:30:00Z"), true),
        // Nobody tells when it was paid: the last change counts.
        ("2026-11-01T00:00:00Z", None, true),
    ] {
        order.ordered_at = at(ordered);
        order.paid_at = paid.map(at);
        assert_eq!(became_sellers(&order, window, &config()), expected, "{ordered} {paid:?}");
    }
    order.status = OrderStatus::PendingPayment;
    assert!(!became_sellers(&order, window, &config()), "made long ago and not paid");
}

#[test]
fn equal_pieces_become_one_line_and_amounts_are_exact() {
    let items = [
        item(10, "pending", "", ""),
        item(9, "pending", "", ""),
        item(11, "packed", "FP1", r#","tracking_code":"T1","shipment_provider":"LEX""#),
        item(12, "canceled", "", ""),
    ];
    let order = order(&items, "");
    let lines: Vec<(&str, u32, u32, u32, &str)> = order
        .lines
        .iter()
        .map(|l| (l.id.as_str(), l.quantity, l.cancelled, l.shipped, l.unit.as_str()))
        .collect();
    assert_eq!(lines, [("9", 2, 0, 0, ""), ("11", 1, 0, 0, "FP1"), ("12", 1, 1, 0, "")]);
    assert_eq!(order.lines[0].listing, ListingKey::option("9", "7"));
    assert_eq!(order.lines[0].total.unwrap().to_string(), "19.00 SGD");
    assert_eq!(order.lines[0].discount.unwrap().to_string(), "1.00 SGD");
    assert_eq!(order.totals.total.unwrap().to_string(), "39.00 SGD");
    // The least advanced open line's.
    assert_eq!(order.status, OrderStatus::New);
    assert_eq!(order.tracking, [crate::channel::Tracking::new("LEX", "T1")]);
    let data: LineData = order.lines[0].channel_data.read().unwrap();
    assert_eq!(data.ids, ["9", "10"]);
}

#[test]
fn what_the_seller_must_not_ship_is_not_new() {
    let presale = r#","order_type":"PreSale","stage_pay_status":"unpaid final payment""#;
    assert_eq!(order(&[item(1, "pending", "", presale)], "").status, OrderStatus::PendingPayment);
    // An ordinary order may carry the word too (the official sample does).
    let normal = r#","order_type":"Normal","stage_pay_status":"unpaid""#;
    assert_eq!(order(&[item(1, "pending", "", normal)], "").status, OrderStatus::New);
    let lazada = order(&[item(1, "pending", "", r#","is_fbl":"1""#), item(2, "pending", "", "")], "");
    assert_eq!(lazada.status, OrderStatus::New);
    assert_eq!(lazada.lines.iter().map(|line| line.outstanding()).collect::<Vec<_>>(), [0, 1]);
}

#[test]
fn cancel_requests_show_in_order_or_items_until_the_goods_have_left() {
    for (status, of_item, of_order, expected) in [
        ("pending", r#","need_cancel_confirm":true"#, "", CancelState::Requested),
        ("packed", r#","is_cancel_pending":"true""#, "", CancelState::Requested),
        ("pending", "", r#","need_cancel_confirm":"true""#, CancelState::Requested),
        ("ready_to_ship", "", r#","is_cancel_pending":true"#, CancelState::Requested),
        ("shipped", r#","need_cancel_confirm":true"#, r#","is_cancel_pending":true"#, CancelState::None),
        ("pending", r#","need_cancel_confirm":false"#, r#","is_cancel_pending":"false""#, CancelState::None),
    ] {
        let read = order(&[item(1, status, "", of_item)], of_order);
        assert_eq!(read.cancel, expected, "{status} {of_item} {of_order}");
    }
}

#[test]
fn a_state_that_was_read_now_wins_over_the_known_one_with_the_same_time() {
    let known = order(&[item(1, "pending", "", "")], r#","need_cancel_confirm":true"#);
    let taken_back = order(&[item(1, "pending", "", "")], "");
    assert!(newest(taken_back.clone(), &known).supersedes(&known));
    let mut older = taken_back;
    older.updated_at = at("2026-11-19T00:00:00Z");
    older.channel_data = ChannelData::default();
    assert!(!newest(older, &known).supersedes(&known));
}

#[test]
fn an_order_without_an_address_is_held_and_countries_get_their_codes() {
    let without = r#","address_shipping":null"#;
    let row = raw(&format!(r#"{{"order_id":1,"created_at":"2026-11-20T10:00:00+08:00"{without}}}"#));
    let Row::Order(order) = head(&row).unwrap().with_items(
        &raw(&format!("[{}]", item(1, "pending", "", ""))),
        &config(),
        at("2026-11-20T12:00:00Z"),
    ) else {
        panic!("the order is readable")
    };
    assert_eq!(order.holds, [Hold::AddressWithheld]);
    assert_eq!(order.updated_at, at("2026-11-20T12:00:00Z"), "no time told: when it was read");
    for (country, code, last) in [
        ("Viet Nam", "VN", "x"),
        ("thailand", "TH", "x"),
        ("my", "MY", "x"),
        ("Brunei", "", "Brunei"),
        ("", "SG", "x"),
    ] {
        let row = raw(&format!(
            r#"{{"order_id":1,"created_at":"2026-11-20T10:00:00+08:00","address_shipping":{{"address1":"x","country":"{country}"}}}}"#
        ));
        let list = raw(&format!("[{}]", item(1, "pending", "", "")));
        let Row::Order(order) = head(&row).unwrap().with_items(&list, &config(), at("2026-11-20T12:00:00Z"))
        else {
            panic!("the order is readable")
        };
        let address = &order.destinations[0].recipient.reveal().address;
        assert_eq!((address.country.as_str(), address.lines.last().map(String::as_str)), (code, Some(last)));
    }
}

#[test]
fn a_parcel_takes_what_is_left_and_packs_nothing_twice() {
    let known =
        order(&[item(1, "pending", "", ""), item(2, "pending", "", ""), item(3, "pending", "", "")], "");
    let now = [item(1, "packed", "FP1", ""), item(2, "pending", "", ""), item(3, "canceled", "", "")];
    let whole = plan_of(&known, &[], &now).unwrap();
    assert_eq!((whole.order, whole.pack.as_slice()), (57, &[2][..]));
    assert_eq!(whole.packages, BTreeSet::from(["FP1".to_owned()]));
    // A package that was taken apart is packed anew.
    let again = plan_of(&known, &[], &[item(1, "repacked", "FP1", "")]).unwrap();
    assert_eq!((again.pack.as_slice(), again.packages.len()), (&[1][..], 0));
    let done = plan_of(&known, &[], &[item(1, "ready_to_ship", "FP1", ""), item(2, "canceled", "", "")]);
    assert_eq!(words(done.unwrap_err()), "already");
    for (now, why) in [
        (item(1, "canceled", "", ""), "nothing of the order is left to ship"),
        (item(1, "unpaid", "", ""), "the order is not paid"),
        (item(1, "teleported", "", ""), "the state of an item is not known"),
        (
            item(1, "packed", "", ""),
            "temporary: pieces are packed and the channel does not tell their package yet",
        ),
        (
            item(1, "pending", "", r#","need_cancel_confirm":true"#),
            "temporary: the buyer asks to cancel: decide the request first",
        ),
    ] {
        assert_eq!(words(plan_of(&known, &[], &[now]).unwrap_err()), why);
    }
    let two = [
        item(1, "pending", "", r#","warehouse_code":"A""#),
        item(2, "pending", "", r#","warehouse_code":"B""#),
    ];
    assert!(words(plan_of(&known, &[], &two).unwrap_err()).contains("several warehouses"));
}

#[test]
fn a_part_of_an_order_takes_packed_pieces_first_and_never_more_than_asked() {
    let known =
        order(&[item(1, "pending", "", ""), item(2, "pending", "", ""), item(3, "pending", "", "")], "");
    let one = [(LineId::from("1"), 1)];
    let pending = [item(1, "pending", "", ""), item(2, "pending", "", ""), item(3, "pending", "", "")];
    assert_eq!(plan_of(&known, &one, &pending).unwrap().pack, [1]);
    // Cut off between packing and hand-over: the packed piece is the parcel's.
    let cut = [item(1, "pending", "", ""), item(2, "packed", "FP2", ""), item(3, "pending", "", "")];
    let resumed = plan_of(&known, &one, &cut).unwrap();
    assert_eq!(
        (resumed.pack.len(), resumed.packages.iter().map(String::as_str).collect::<Vec<_>>()),
        (0, vec!["FP2"])
    );
    // A package is handed over as a whole.
    let wide = [item(1, "packed", "FP2", ""), item(2, "packed", "FP2", ""), item(3, "pending", "", "")];
    assert!(words(plan_of(&known, &one, &wide).unwrap_err()).contains("holds other pieces"));
    let four = [(LineId::from("1"), 4)];
    assert!(words(plan_of(&known, &four, &pending).unwrap_err()).contains("fewer pieces"));
    let other = [(LineId::from("99"), 1)];
    assert!(words(plan_of(&known, &other, &pending).unwrap_err()).contains("no such line"));
    // One left since the order was read: it is read again, and then nothing tells which parcel it was.
    let left = [item(1, "ready_to_ship", "FP1", ""), item(2, "pending", "", ""), item(3, "pending", "", "")];
    assert!(words(plan_of(&known, &one, &left).unwrap_err()).starts_with("temporary: "));
    let read = order(&left, "");
    assert!(words(plan_of(&read, &one, &left).unwrap_err()).contains("name the line that waits"));
    let shipped = [item(1, "ready_to_ship", "FP1", "")];
    assert_eq!(words(plan_of(&order(&shipped, ""), &one, &shipped).unwrap_err()), "already");
}

#[test]
fn nothing_is_guessed_about_the_carrier() {
    let answer = |kind: &str, default: u8, providers: &str| {
        format!(
            r#"{{"code":"0","result":{{"success":true,"data":{{"platform_default":{default},"shipping_allocate_type":"{kind}","shipment_providers":[{providers}]}}}}}}"#
        )
    };
    let a = r#"{"name":"Cainiao","provider_code":"asc_1"}"#;
    let both = format!(r#"{a},{{"name":"Other","provider_code":"asc_2"}}"#);
    let rows = [
        ("TFS", 1, a, None, Ok(None)),
        // A local shop must send none, whatever is listed.
        ("TFS", 0, a, None, Ok(None)),
        ("NTFS", 1, a, None, Ok(None)),
        ("NTFS", 0, a, None, Ok(Some("asc_1"))),
        ("NTFS", 0, both.as_str(), Some("asc_2"), Ok(Some("asc_2"))),
        ("NTFS", 0, both.as_str(), None, Err("choose one by the option")),
        ("NTFS", 0, both.as_str(), Some("asc_3"), Err("asc_3 is not offered")),
        ("NTFS", 0, "", None, Err("names no transfer warehouse")),
    ];
    for (kind, default, providers, chosen, expected) in rows {
        let read = providers_result(answer(kind, default, providers).as_bytes(), chosen).unwrap();
        match (read, expected) {
            (Ok(read), Ok(code)) => assert_eq!((read.kind.as_str(), read.provider.as_deref()), (kind, code)),
            (Err(no), Err(why)) => assert!(no.message.contains(why), "{}", no.message),
            (read, _) => panic!("{kind} {default} {chosen:?}: {read:?}"),
        }
    }
    assert!(providers_result(answer("", 1, "").as_bytes(), None).is_err());
}

#[test]
fn packing_is_sent_as_documented_and_read_by_item() {
    let plan = Plan { order: 560694402192001, pack: vec![560694402292001], ..Plan::default() };
    let local = Allocation { kind: "TFS".to_owned(), provider: None };
    assert_eq!(
        pack_ask(&[&plan], &local).unwrap().parameters,
        [(
            "packReq",
            r#"{"pack_order_list":[{"order_item_list":[560694402292001],"order_id":560694402192001}],"delivery_type":"dropship","shipping_allocate_type":"TFS"}"#
                .to_owned()
        )]
    );
    let abroad = Allocation { kind: "NTFS".to_owned(), provider: Some("FM49".to_owned()) };
    let sent = pack_ask(&[&plan], &abroad).unwrap().parameters;
    assert!(sent[0].1.contains(r#""shipment_provider_code":"FM49","shipping_allocate_type":"NTFS""#));
    let body = br#"{"code":"0","result":{"success":true,"data":{"pack_order_list":[{"order_id":1,"order_item_list":[
        {"order_item_id":1,"item_err_code":"0","package_id":"FP1","tracking_number":"T1","shipment_provider":"LEX"},
        {"order_item_id":"2","item_err_code":"700026","msg":"no"},
        {"order_item_id":3,"item_err_code":"700024","msg":"locked"},
        {"order_item_id":4,"item_err_code":"40011"},
        {"order_item_id":5,"item_err_code":"0"},
        {"order_item_id":6,"item_err_code":"9","retry":"true"},
        {"order_item_id":7}]}]}}}"#;
    let read = pack_result(body).unwrap();
    let word = |id: u64| match &read[&id] {
        Outcome::Done(_) => "done",
        Outcome::Refused(no) if no.temporary => "later",
        Outcome::Refused(_) => "refused",
        Outcome::Unknown(_) => "unknown",
        _ => "?",
    };
    let all: Vec<&str> = (1..=7).map(word).collect();
    assert_eq!(all, ["done", "refused", "later", "unknown", "unknown", "later", "unknown"]);
    assert!(pack_result(br#"{"code":"0","result":{"success":true}}"#).is_err());
}

fn reverse(item: &str, state: State) -> Reverse {
    let line =
        super::reverses::ReverseLine { item: item.to_owned(), state, asked_at: None, reason: String::new() };
    Reverse { id: "5".to_owned(), order: OrderId::from("57"), lines: vec![line] }
}

#[test]
fn a_cancel_request_stands_for_the_items_that_wait() {
    for (item, state, items, expected) in [
        ("1", State::Open, &["1"][..], true),
        ("1", State::Granted, &["1"], true),
        ("1", State::Rejected, &["1"], false),
        ("1", State::Withdrawn, &["1"], false),
        ("2", State::Open, &["1"], false),
        ("", State::Open, &["1"], true),
        ("", State::Granted, &["1"], false),
        ("1", State::Open, &[], false),
    ] {
        let found = stands(&[reverse(item, state)], &OrderId::from("57"), items.iter().copied());
        assert_eq!(found, expected, "{item} {state:?} {items:?}");
        assert!(!stands(&[reverse(item, state)], &OrderId::from("58"), items.iter().copied()));
    }
    assert_eq!(State::read("REQUEST_INITIATE"), State::Open);
    assert_eq!(State::read("SOMETHING_NEW"), State::Open);
    assert_eq!(State::read("CANCEL_REFUND_ISSUED"), State::Granted);
}

#[test]
fn orders_made_near_each_other_are_looked_up_together() {
    let times = ["2026-11-20T10:00:00Z", "2026-11-20T01:00:00Z", "2026-11-22T00:00:00Z"].map(at);
    let found = spans(times.to_vec());
    assert_eq!(
        found,
        [
            Window::new(at("2026-11-20T00:00:00Z"), at("2026-11-20T11:00:00Z")),
            Window::new(at("2026-11-21T23:00:00Z"), at("2026-11-22T01:00:00Z")),
        ]
    );
}

#[test]
fn requests_end_by_the_channels_count_in_the_channels_page_size() {
    let body = |items: &str, total: &str| {
        format!(r#"{{"code":"0","result":{{"page_no":1,"page_size":10,"items":[{items}]{total}}}}}"#)
    };
    let one = r#"{"reverse_order_id":1,"trade_order_id":2,"request_type":"CANCEL"}"#;
    let more =
        |items: &str, total: &str, page| search_result(body(items, total).as_bytes(), page).map(|f| f.more);
    assert!(more(one, r#","total":"11""#, 1).unwrap());
    assert!(!more(one, r#","total":11"#, 2).unwrap());
    assert!(more(one, "", 1).unwrap(), "without a count only an empty page is the end");
    assert!(!more("", "", 2).unwrap());
    assert!(more("", r#","total":3"#, 1).is_err(), "counted and not shown");
    let mixed =
        format!(r#"{one},{{"trade_order_id":3,"request_type":"RETURN"}},{{"request_type":"CANCEL"}}"#);
    let found = search_result(body(&mixed, "").as_bytes(), 1).unwrap();
    assert_eq!((found.reverses.len(), found.unreadable.len()), (1, 1));
}

#[test]
fn the_reason_of_a_cancellation_is_one_that_is_offered() {
    let body = br#"{"code":"0","data":{"tip_type":"warning","reason_options":[
        {"reason_name":"Sourcing Delay","reason_id":"10000019"},
        {"reason_name":"Out of Stock","reason_id":"10000021"},
        {"reason_name":"Wrong Price or Pricing Error","reason_id":"10000023"}]}}"#;
    let reason = |reason, chosen| validate_result(body, reason, chosen).unwrap().map_err(|no| no.message);
    assert_eq!(reason(CancelReason::OutOfStock, None).as_deref(), Ok("10000021"));
    assert_eq!(reason(CancelReason::Delay, None).as_deref(), Ok("10000019"));
    assert_eq!(reason(CancelReason::OrderChanged, Some("10000023")).as_deref(), Ok("10000023"));
    // The name counts, not the option; and one id stands for different reasons in the official samples.
    assert_eq!(reason(CancelReason::OutOfStock, Some("10000023")).as_deref(), Ok("10000021"));
    let other = br#"{"code":"0","data":{"reason_options":[
        {"reason_name":"out of stock","reason_id":"1000017"},{"reason_name":"wrong price","reason_id":"10000021"}]}}"#;
    assert_eq!(validate_result(other, CancelReason::OutOfStock, None).unwrap().unwrap(), "1000017");
    let local = br#"{"code":"0","data":{"reason_options":[{"reason_name":"\u0e2a","reason_id":"5"}]}}"#;
    assert!(validate_result(local, CancelReason::OutOfStock, None).unwrap().is_err());
    assert_eq!(validate_result(local, CancelReason::OutOfStock, Some("5")).unwrap().unwrap(), "5");
    for chosen in [None, Some("1")] {
        assert!(reason(CancelReason::OrderChanged, chosen).unwrap_err().contains("Wrong Price"));
    }
    let no = br#"{"code":"0","data":{"tip_type":"error","tip_content":"can't be cancelled"}}"#;
    let refused = validate_result(no, CancelReason::OutOfStock, None).unwrap().unwrap_err();
    assert_eq!(refused.message, "can't be cancelled");
}

fn held(code: &str, quantity: u32) -> Held {
    Held { code: code.to_owned(), quantity }
}

#[test]
fn quantities_add_up_over_warehouses_and_untouched_ones_are_not_sent() {
    for (quantity, a, b, expected) in [
        (10, 4, 3, vec![held("A", 7)]),
        (10, 0, 0, vec![held("A", 10)]),
        (2, 9, 5, vec![held("B", 2), held("A", 0)]),
        (0, 9, 5, vec![held("B", 0), held("A", 0)]),
        (5, 9, 5, vec![held("A", 0)]),
    ] {
        let now = [held("A", a), held("B", b)];
        let new = spread(quantity, &now, "A");
        let shown = |code: &str| {
            new.iter().chain(&now).find(|held| held.code == code).map_or(0, |held| held.quantity)
        };
        assert_eq!(shown("A") + shown("B"), quantity);
        assert_eq!(new, expected, "{quantity} over {a} and {b}");
    }
}

#[test]
fn a_sku_with_several_warehouses_needs_the_merchants_choice() {
    let (key, data) = (ListingKey::option("9", "7"), ChannelData::default());
    let change = StockChange::new(&key, &data, 10);
    let shown = |warehouses: &[Held]| Shown { total: None, warehouses: Some(warehouses.to_vec()) };
    let new = |held: &[Held], named| new_stock(&change, &shown(held), named).map(|new| new.warehouses);
    assert_eq!(new(&[], None).unwrap(), []);
    assert_eq!(new(&[held("dropshipping", 3)], None).unwrap(), []);
    assert_eq!(new(&[held("WH-1", 3)], None).unwrap(), [held("WH-1", 10)]);
    let two = [held("dropshipping", 3), held("WH-1", 4)];
    assert_eq!(new(&two, Some("dropshipping")).unwrap(), [held("dropshipping", 6)]);
    assert!(new(&two, None).unwrap_err().message.contains("dropshipping, WH-1"));
    assert!(new(&two, Some("WH-9")).unwrap_err().message.contains("WH-9"));
    assert!(new_stock(&change, &Shown::default(), None).is_err());
    for (item, sku) in [("", "7"), ("0", "7"), ("9", ""), ("9", "7</SkuId>")] {
        let key = ListingKey::option(item, sku);
        assert!(new_stock(&StockChange::new(&key, &data, 10), &shown(&[]), None).is_err(), "{item} {sku}");
    }
}

#[test]
fn stock_is_sent_as_documented() {
    let single = NewStock { item: 234234234, sku: 234, quantity: 20, warehouses: Vec::new() };
    let several =
        NewStock { item: 5, sku: 6, quantity: 50, warehouses: vec![held("a<&b", 20), held("B", 30)] };
    let sent = set_ask(&[&single, &several]).parameters;
    assert_eq!(
        sent,
        [(
            "payload",
            "<Request><Product><Skus><Sku><ItemId>234234234</ItemId><SkuId>234</SkuId><SellableQuantity>20</SellableQuantity></Sku><Sku><ItemId>5</ItemId><SkuId>6</SkuId><MultiWarehouseInventories><MultiWarehouseInventory><WarehouseCode>a&lt;&amp;b</WarehouseCode><SellableQuantity>20</SellableQuantity></MultiWarehouseInventory><MultiWarehouseInventory><WarehouseCode>B</WarehouseCode><SellableQuantity>30</SellableQuantity></MultiWarehouseInventory></MultiWarehouseInventories></Sku></Skus></Product></Request>"
                .to_owned()
        )]
    );
    assert!(set_result(br#"{"code":"0","data":{},"detail":[]}"#).is_ok());
    let mixed = set_result(br#"{"code":"0","detail":[{"field":"SkuId","message":"locked"}]}"#).unwrap_err();
    assert!(mixed.outcome_unknown() && mixed.message().unwrap_or_default().contains("SkuId: locked"));
}

#[test]
fn what_products_and_skus_are_for_a_buyer() {
    for (product, sku, expected) in [
        ("Active", "active", ListingState::OnSale),
        ("", "active", ListingState::OnSale),
        ("Active", "inactive", ListingState::Stopped),
        ("Pending QC", "active", ListingState::Waiting),
        ("InActive", "active", ListingState::Stopped),
        ("Suspended", "active", ListingState::Stopped),
        ("Deleted", "deleted", ListingState::Stopped),
        ("Melted", "active", ListingState::Unknown),
        ("Active", "melted", ListingState::Unknown),
        ("", "", ListingState::Unknown),
    ] {
        assert_eq!(state(product, sku), expected, "{product} {sku}");
    }
}

#[test]
fn token_lives_are_counted_from_when_they_were_asked_for() {
    let old = Credentials::new().with(ACCESS_TOKEN, "a1").with(REFRESH_TOKEN, "r1");
    let now = at("2026-11-20T00:00:00Z");
    let fresh = |more: &str| {
        let body = format!(r#"{{"code":"0","access_token":"a2","expires_in":"86400"{more}}}"#);
        new_tokens(body.as_bytes(), &old, now).unwrap()
    };
    let both = fresh(r#","refresh_token":"r2","refresh_expires_in":"172800""#);
    assert_eq!(both.get(REFRESH_TOKEN).map(Secret::expose), Some("r2"));
    assert_eq!(token_ends(&both), Some(at("2026-11-21T00:00:00Z")));
    assert_eq!(both.expires_at, Some(at("2026-11-22T00:00:00Z")));
    // 0: it can't be refreshed, so that the access token's end is the end.
    assert_eq!(fresh(r#","refresh_expires_in":0"#).expires_at, Some(at("2026-11-21T00:00:00Z")));
    assert_eq!(fresh("").get(REFRESH_TOKEN).map(Secret::expose), Some("r1"));
    assert!(new_tokens(br#"{"code":"0"}"#, &old, now).is_err());
}

fn answer(body: &str) -> Response {
    // The HTTP layer alone makes answers: this one is made by it.
    tests_transport::answer(body)
}

/// An answer as the HTTP layer gives it.
mod tests_transport {
    use super::*;
    use crate::http::{Call, HttpSettings, RawResponse, Request, SystemRandom, Transport, TransportError};
    use crate::model::SystemClock;

    #[derive(Debug)]
    struct Fixed(String);

    #[async_trait]
    impl Transport for Fixed {
        async fn send(&self, _request: Request, _timeout: Duration) -> Result<RawResponse, TransportError> {
            let body = self.0.clone().into_bytes();
            let chunks = futures_util::stream::iter([Ok(body.into())]);
            Ok(RawResponse::new(200, Default::default(), None, Box::pin(chunks)))
        }
    }

    pub(super) fn answer(body: &str) -> Response {
        let transport = Arc::new(Fixed(body.to_owned()));
        let client = HttpClient::with(
            HttpSettings::default(),
            transport,
            Arc::new(SystemClock),
            Arc::new(SystemRandom::default()),
        );
        let http = client.account(&"lazada".into(), &"shop".into(), &[]);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime
            .block_on(http.send(
                &Context::new(),
                Call {
                    operation: Operation::FetchOrders,
                    nature: Nature::Read,
                    build: &|_| Ok(Request::get("https://example.com/".parse().unwrap())),
                    judge: &|_| Ok(()),
                },
            ))
            .unwrap()
    }
}

fn samples(kind: &str) -> Vec<(String, Value)> {
    let mut found: Vec<(String, Value)> = std::fs::read_dir("tests/samples/lazada")
        .unwrap()
        .filter_map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name()?.to_str()?.strip_suffix(&format!(".{kind}.json"))?.to_owned();
            Some((name, serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()))
        })
        .collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

#[test]
fn every_official_answer_is_told_success_or_failure() {
    let all = samples("response");
    assert_eq!(all.len(), 27);
    for (name, mut value) in all {
        assert_eq!(
            judge(Endpoint::Orders, &answer(&value.to_string())).unwrap_err().kind(),
            ErrorKind::MalformedResponse,
            "{name}: without a code nothing may be concluded"
        );
        let tokens = judge(Endpoint::Token, &answer(&value.to_string()));
        assert_eq!(tokens.is_ok(), name.ends_with("accesstoken"), "{name}: a pair that came is not lost");
        value["code"] = Value::from("0");
        let verdict = judge(Endpoint::ReadyToShip, &answer(&value.to_string()));
        // The one with `success` false, although the gateway calls it a success.
        assert_eq!(verdict.is_err(), name == "recreatepackage", "{name}: {verdict:?}");
        value["code"] = Value::from("IllegalAccessToken");
        let verdict = judge(Endpoint::Orders, &answer(&value.to_string()));
        assert_eq!(verdict.unwrap_err().kind(), ErrorKind::CredentialExpired, "{name}");
    }
}

#[test]
fn every_call_sends_documented_parameters_alone() {
    let window = Window::new(at("2026-11-20T00:00:00Z"), at("2026-11-21T00:00:00Z"));
    let plan = Plan { order: 1, pack: vec![2], ..Plan::default() };
    let local = Allocation { kind: "TFS".to_owned(), provider: Some("x".to_owned()) };
    let (id, ids) = (OrderId::from("1"), ["2".to_owned()]);
    let stock = NewStock { item: 1, sku: 2, quantity: 3, warehouses: Vec::new() };
    let asks = [
        ("getorders", search_ask(window, &Place::begin(window), &config())),
        ("getorder", order_ask(&id)),
        ("getmultipleorderitems", items_ask(&[1]).unwrap()),
        ("getorderitems", items_of_ask(&id)),
        ("getreverseordersforseller", reverses::search_ask(Search::Asked(window), 1)),
        ("getreverseordersforseller", reverses::search_ask(Search::Made(window), 1)),
        ("getreverseordersforseller", reverses::search_ask(Search::Of(&id), 1)),
        ("getshipmentprovider", providers_ask(&plan).unwrap()),
        ("pack", pack_ask(&[&plan], &local).unwrap()),
        ("readytoship", ready_ask(&["FP1"]).unwrap()),
        ("printawb", label_ask("FP1").unwrap()),
        ("getproducts", listings::probe_ask(1_795_165_953, &config())),
        ("getproductitem", product_ask(1)),
        ("updatesellablequantity", set_ask(&[&stock])),
        ("ordercancelvalidate", validate_ask(&id, &ids).unwrap()),
        ("initreverseordercancel", cancel_ask(&id, &ids, "3").unwrap()),
        ("initreverseordercanceldecide", decide_ask("1", true)),
    ];
    let samples: BTreeMap<String, Value> = samples("request").into_iter().collect();
    assert_eq!(samples.len(), 26);
    for (name, ask) in asks {
        let sample = &samples[name];
        for (parameter, value) in &ask.parameters {
            assert!(sample.get(parameter).is_some(), "{name} has no parameter {parameter}");
            // Parameters that hold JSON have the fields of the sample.
            if let (Value::Object(fields), Ok(Value::Object(sent))) =
                (&sample[parameter], serde_json::from_str(value))
            {
                let unknown: Vec<&String> = sent.keys().filter(|key| !fields.contains_key(*key)).collect();
                assert!(unknown.is_empty(), "{name}.{parameter}: {unknown:?}");
            }
        }
    }
}

#[test]
fn the_official_hand_over_is_read_by_package() {
    let mut value = samples("response").into_iter().find(|(name, _)| name == "readytoship").unwrap().1;
    value["code"] = Value::from("0");
    let read = ready_result(value.to_string().as_bytes()).unwrap();
    let Some(Outcome::Refused(no)) = read.get("FP038524014") else { panic!("{read:?}") };
    assert_eq!((no.code.as_str(), no.temporary, no.reread), ("600002", false, true));
}
