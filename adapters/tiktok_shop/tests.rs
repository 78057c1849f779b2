//! The pure parts: signing, tables, choosing pieces and packages, spreading quantities.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::value::RawValue;

use super::auth::{sign, token_ends};
use super::dispatch::batch_result;
use super::errors::{Endpoint, verdict};
use super::inventory::{Held, spread};
use super::lines::LineData;
use super::orders::{became_sellers, cursor_of, newest, token_of};
use super::packages::{Offered, Provider, Slot, find_provider, hand_over, package_result, slots_result};
use super::plan::{Plan, pick};
use super::rows::{read_row, status};
use super::stock::{NewStock, update_result};
use super::webhooks::webhook_signature;
use super::wire::segment;
use super::*;
use crate::channel::{PageCursor, Row, Secret, Tracking};
use crate::error::{Effect, Retry};
use crate::model::{CancelState, Currency, Hold, LineId, OrderStatus};

fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().with_timezone(&Utc)
}

fn order_from(json: &str) -> Order {
    let raw: Box<RawValue> = serde_json::from_str(json).unwrap();
    match read_row(&raw, &Config::global().unwrap(), at("2026-11-24T12:00:00Z")) {
        Row::Order(order) => *order,
        Row::Unreadable(row) => panic!("{}", row.reason),
    }
}

fn item(id: u32, sku: &str, status: &str, package: &str, more: &str) -> String {
    format!(
        r#"{{"id":"{id}","sku_id":"{sku}","product_id":"900","display_status":"{status}","package_id":"{package}","sale_price":"9.50","original_price":"10.00","seller_discount":"0.50","platform_discount":"0"{more}}}"#
    )
}

fn order(status: &str, items: &[String]) -> Order {
    order_from(&format!(
        r#"{{"id":"57","status":"{status}","create_time":1763978400,"paid_time":1763978460,"update_time":1763978500,"shipping_type":"SELLER","delivery_option_id":"71","payment":{{"currency":"USD"}},"recipient_address":{{"region_code":"US","full_address":"1199 Coleman Ave"}},"line_items":[{}]}}"#,
        items.join(",")
    ))
}

#[test]
fn both_signature_vectors_come_out() {
    let secret = Secret::from("e59af819cc");
    for (path, parameters, body, expected) in [
        (
            "/event/202309/webhooks",
            vec![("shop_cipher", "ROW_xkMbgAAAeVAQra0eZWebFQq5aIK")],
            r#"{"address":"https://partner.tiktokshop.com","event_type":"PACKAGE_UPDATE"}"#,
            "cd0d6268252f4ba293bf7ea4c0a2873bf9beec600d22530638564ab301435f7a",
        ),
        (
            "/order/202309/orders/search",
            vec![("shop_cipher", "ROW_abc"), ("page_size", "50")],
            r#"{"order_status":"AWAITING_SHIPMENT"}"#,
            "e95d03766b31a55a303808920d392a5f02feb7fd9c5c89f752e01346893de962",
        ),
    ] {
        let mut all: BTreeMap<&str, String> =
            parameters.into_iter().map(|(name, value)| (name, value.to_owned())).collect();
        all.insert("app_key", "68xu9ks5p4i8".to_owned());
        all.insert("timestamp", "1696909648".to_owned());
        assert_eq!(sign(&secret, path, &all, body.as_bytes()).unwrap(), expected);
        // Neither the signature itself nor a token takes part.
        all.insert("sign", "x".to_owned());
        all.insert("access_token", "y".to_owned());
        assert_eq!(sign(&secret, path, &all, body.as_bytes()).unwrap(), expected);
    }
    assert_eq!(
        webhook_signature("mykey", &"s3cr3t".into(), br#"{"type":1}"#).unwrap(),
        "ca1b40180c54694b6d91a2f5efd4aa3247762fc3e3dfdebbc5f636c72d8a8725"
    );
}

#[test]
fn each_status_has_its_row_and_an_unknown_word_stays_unknown() {
    for row in Config::global().map(|config| info(&config).statuses).unwrap() {
        assert_eq!(status(row.channel), row.status, "{}", row.channel);
    }
    assert_eq!(status("SOMETHING_NEW"), OrderStatus::Unknown);
    assert_eq!(status(""), OrderStatus::Unknown);
}

#[test]
fn each_code_has_its_verdict() {
    use ErrorKind as Kind;
    const NO: Effect = Effect::None;
    let rows = [
        (Endpoint::SearchOrders, 200, 36_009_002, "", Kind::RateLimited, Retry::Later, NO),
        (Endpoint::Ship, 200, 36_009_003, "", Kind::Unavailable, Retry::Later, NO),
        (Endpoint::Ship, 200, 36_009_007, "", Kind::TimedOut, Retry::Later, NO),
        (Endpoint::SearchOrders, 404, 36_009_009, "", Kind::Configuration, Retry::Never, NO),
        (Endpoint::SearchOrders, 401, 36_009_033, "", Kind::Forbidden, Retry::Never, NO),
        (Endpoint::SearchOrders, 200, 101_000, "", Kind::Unauthorized, Retry::Never, NO),
        (Endpoint::SearchOrders, 401, 105_001, "", Kind::CredentialExpired, Retry::Never, NO),
        (Endpoint::Ship, 401, 105_002, "", Kind::CredentialExpired, Retry::Never, NO),
        (Endpoint::SearchOrders, 200, 105_005, "", Kind::Forbidden, Retry::Never, NO),
        (Endpoint::SearchOrders, 200, 106_001, "", Kind::Unauthorized, Retry::Never, NO),
        (Endpoint::SearchOrders, 200, 106_013, "", Kind::Unauthorized, Retry::Never, NO),
        (Endpoint::SearchOrders, 200, 36_009_004, "Invalid timestamp.", Kind::Unauthorized, Retry::Never, NO),
        (
            Endpoint::SearchOrders,
            200,
            36_009_004,
            "The `x-tts-access-token` header is invalid.",
            Kind::CredentialExpired,
            Retry::Never,
            NO,
        ),
        (Endpoint::Shops, 200, 36_009_004, "Unexpected identifier.", Kind::Configuration, Retry::Never, NO),
        (Endpoint::SearchOrders, 200, 36_009_004, "", Kind::Unauthorized, Retry::Never, NO),
        (Endpoint::SearchOrders, 200, 10_006_402, "", Kind::Forbidden, Retry::Never, NO),
        (Endpoint::OrderDetail, 200, 21_008_111, "", Kind::NotFound, Retry::Never, NO),
        (Endpoint::OrderDetail, 200, 10_002_014, "", Kind::Unavailable, Retry::Later, NO),
        // A read that is refused says nothing about an order.
        (Endpoint::SearchOrders, 200, 11_001_002, "", Kind::Unavailable, Retry::Later, NO),
        (Endpoint::SearchOrders, 400, 77, "", Kind::Unavailable, Retry::Later, NO),
        (Endpoint::Providers, 200, 21_008_117, "", Kind::Refused, Retry::Never, NO),
        (Endpoint::Slots, 200, 11_021_009, "", Kind::Refused, Retry::Never, NO),
        (Endpoint::Package, 200, 77, "", Kind::Unavailable, Retry::Later, NO),
        (Endpoint::Ship, 200, 11_001_031, "", Kind::Unavailable, Retry::Later, NO),
        (Endpoint::Ship, 200, 21_001_003, "", Kind::Unavailable, Retry::Later, NO),
        (Endpoint::Ship, 200, 21_001_008, "", Kind::Unavailable, Retry::Later, NO),
        (Endpoint::Ship, 200, 21_001_011, "", Kind::Unavailable, Retry::Later, NO),
        (Endpoint::Ship, 200, 11_006_021, "", Kind::Refused, Retry::Never, NO),
        (Endpoint::Ship, 400, 77, "", Kind::Refused, Retry::Never, NO),
        (Endpoint::ShipMany, 200, 77, "", Kind::Refused, Retry::Never, Effect::Unknown),
        (Endpoint::SetInventory, 200, 12_052_901, "", Kind::Refused, Retry::Never, NO),
        (Endpoint::Products, 200, 12_052_180, "", Kind::Refused, Retry::Never, NO),
        (Endpoint::Approve, 200, 25_001_028, "", Kind::Unavailable, Retry::Later, NO),
        (Endpoint::Approve, 200, 25_020_009, "", Kind::Refused, Retry::Never, NO),
        (Endpoint::Token, 200, 36_004_001, "", Kind::CredentialExpired, Retry::Never, NO),
        (Endpoint::Token, 200, 36_004_003, "", Kind::Unauthorized, Retry::Never, NO),
        (Endpoint::Token, 200, 36_004_004, "", Kind::CredentialExpired, Retry::Never, NO),
        (Endpoint::Token, 200, 36_004_005, "", Kind::Unauthorized, Retry::Never, NO),
        (Endpoint::SearchOrders, 429, 77, "", Kind::RateLimited, Retry::Later, NO),
        (Endpoint::Ship, 503, 77, "", Kind::Unavailable, Retry::Later, NO),
        (Endpoint::Ship, 401, 77, "", Kind::Unauthorized, Retry::Never, NO),
        (Endpoint::Ship, 403, 77, "", Kind::Forbidden, Retry::Never, NO),
    ];
    for (endpoint, http, code, said, kind, retry, effect) in rows {
        let verdict = verdict(endpoint, http, code, said);
        assert_eq!(
            (verdict.kind, verdict.retry, verdict.effect),
            (kind, retry, effect),
            "{endpoint:?} {http} {code} {said}"
        );
    }
}

#[test]
fn equal_line_items_are_one_line_named_by_the_lowest() {
    let order = order(
        "AWAITING_SHIPMENT",
        &[
            item(11, "s", "AWAITING_SHIPMENT", "p1", ""),
            item(9, "s", "AWAITING_SHIPMENT", "p1", ""),
            item(12, "s", "CANCELLED", "p1", ""),
            item(13, "s", "AWAITING_SHIPMENT", "p2", ""),
            item(
                14,
                "t",
                "AWAITING_SHIPMENT",
                "p2",
                r#","is_gift":true,"combined_listing_skus":[{"sku_id":"x","sku_count":2}]"#,
            ),
        ],
    );
    let lines: Vec<(&str, u32, u32, &str)> =
        order.lines.iter().map(|l| (l.id.as_str(), l.quantity, l.outstanding(), l.unit.as_str())).collect();
    assert_eq!(lines, [("9", 2, 2, "p1"), ("12", 1, 0, "p1"), ("13", 1, 1, "p2"), ("14", 1, 1, "p2")]);
    let money = |m: &Option<crate::model::Money>| m.as_ref().map(ToString::to_string).unwrap_or_default();
    let first = &order.lines[0];
    assert_eq!(
        (money(&first.unit_price), money(&first.discount), money(&first.total)),
        ("10.00 USD".to_owned(), "1.00 USD".to_owned(), "19.00 USD".to_owned())
    );
    let data: LineData = first.channel_data.read().unwrap();
    assert_eq!(data.ids, ["9", "11"]);
    let bundle: LineData = order.lines[3].channel_data.read().unwrap();
    assert_eq!((bundle.parts[0].sku_id.as_str(), bundle.parts[0].count), ("x", 2));
}

#[test]
fn an_order_that_tiktok_ships_from_its_own_warehouse_is_left_alone() {
    for (kind, expected) in [
        ("FULFILLMENT_BY_SELLER", OrderStatus::New),
        ("FULFILLMENT_BY_TIKTOK", OrderStatus::ReadyToShip),
        ("FULFILLMENT_BY_DILAYANI_TOKOPEDIA", OrderStatus::ReadyToShip),
    ] {
        let items = item(1, "s", "AWAITING_SHIPMENT", "p", "");
        let order = order_from(&format!(
            r#"{{"id":"57","status":"AWAITING_SHIPMENT","create_time":1763978400,"fulfillment_type":"{kind}","line_items":[{items}]}}"#
        ));
        assert_eq!((order.status, order.lines[0].status), (expected, expected), "{kind}");
    }
}

#[test]
fn held_orders_say_why() {
    let item = item(1, "s", "AWAITING_SHIPMENT", "p", "");
    let bare = |status: &str, more: &str| {
        order_from(&format!(
            r#"{{"id":"57","status":"{status}","create_time":1763978400{more},"line_items":[{item}]}}"#
        ))
    };
    assert_eq!(bare("ON_HOLD", "").holds, [Hold::OnHold]);
    assert_eq!(bare("AWAITING_SHIPMENT", "").holds, [Hold::AddressWithheld]);
    assert!(bare("UNPAID", "").holds.is_empty());
    let asked = bare("AWAITING_SHIPMENT", r#","is_buyer_request_cancel":true"#);
    assert_eq!(asked.cancel, CancelState::Requested);
    assert_eq!(bare("CANCELLED", r#","is_buyer_request_cancel":true"#).cancel, CancelState::None);
}

#[test]
fn an_order_becomes_the_sellers_when_it_is_made_or_paid_and_at_no_other_time() {
    let window = Window::new(at("2026-11-24T00:00:00Z"), at("2026-11-25T00:00:00Z"));
    let (before, inside, after) =
        (at("2026-11-23T23:59:59Z"), at("2026-11-24T00:00:00Z"), at("2026-11-25T00:00:00Z"));
    let case = |made, paid: Option<_>, changed, status| {
        let mut order = Order::new("1", status, made, changed, Currency::USD);
        order.paid_at = paid;
        became_sellers(&order, window)
    };
    assert!(case(before, Some(inside), after, OrderStatus::New), "paid in it, changed after it");
    assert!(case(inside, None, inside, OrderStatus::PendingPayment), "unpaid orders are watched");
    assert!(case(inside, Some(after), after, OrderStatus::New), "made in it, paid after it");
    assert!(!case(before, Some(before), inside, OrderStatus::New), "only changed in it");
    assert!(!case(before, None, inside, OrderStatus::PendingPayment), "it is found when it is paid");
    assert!(case(before, None, inside, OrderStatus::New), "paid, nobody knows when");
    assert!(!case(after, None, after, OrderStatus::New), "the end does not belong to it");
}

#[test]
fn a_cancel_request_taken_back_wins_even_if_the_channels_time_stands_still() {
    let json = |flag: bool, updated: i64| {
        format!(
            r#"{{"id":"57","status":"AWAITING_SHIPMENT","create_time":1763978400,"update_time":{updated},"is_buyer_request_cancel":{flag},"line_items":[{}]}}"#,
            item(1, "s", "AWAITING_SHIPMENT", "p", "")
        )
    };
    let asked = order_from(&json(true, 1_763_978_500));
    let read = newest(order_from(&json(false, 1_763_978_500)), &asked);
    assert!(read.supersedes(&asked) && read.cancel == CancelState::None);
    // Asked for once more: the same holds against the state that was dated by us.
    let again = newest(order_from(&json(true, 1_763_978_500)), &read);
    assert!(again.supersedes(&read) && again.cancel == CancelState::Requested);
    // What is older by the channel's own time stays older.
    let stale = newest(order_from(&json(false, 1_763_978_400)), &asked);
    assert!(!stale.supersedes(&asked));
}

#[test]
fn a_cursor_belongs_to_its_window() {
    let window = Window::new(at("2026-11-24T00:00:00Z"), at("2026-11-25T00:00:00.5Z"));
    let cursor = cursor_of("a/b+c==", window);
    assert_eq!(token_of(&cursor, window).unwrap(), "a/b+c==");
    let other = Window::new(window.from, window.to + TimeDelta::hours(1));
    assert_eq!(token_of(&cursor, other).unwrap_err().kind(), ErrorKind::InvalidInput);
    for wrong in ["", "7", "x/y", "1763942400-1764028801/"] {
        assert!(token_of(&PageCursor::new(wrong), window).is_err(), "{wrong}");
    }
}

fn request<'a>(
    order: &'a Order,
    tracking: Option<&'a Tracking>,
    lines: &'a [(LineId, u32)],
) -> DispatchRequest<'a> {
    DispatchRequest { lines, ..DispatchRequest::new(order, tracking, at("2026-11-24T12:00:00Z")) }
}

fn word<T>(outcome: &Outcome<T>) -> &'static str {
    match outcome {
        Outcome::Done(_) => "done",
        Outcome::AlreadyDone => "already",
        Outcome::Refused(_) => "refused",
        Outcome::NotTried(_) => "not tried",
        _ => "unknown",
    }
}

#[test]
fn a_part_of_a_line_picks_that_many_line_items() {
    let order = order(
        "PARTIALLY_SHIPPING",
        &[
            item(1, "s", "IN_TRANSIT", "p0", r#","tracking_number":"T0""#),
            item(2, "s", "AWAITING_SHIPMENT", "p1", ""),
            item(3, "s", "AWAITING_SHIPMENT", "p1", ""),
            item(4, "s", "AWAITING_SHIPMENT", "p1", ""),
            item(5, "t", "CANCELLED", "p1", ""),
        ],
    );
    let new = Tracking::new("UPS", "T1");
    let picked = |tracking: Option<&Tracking>, lines: &[(LineId, u32)]| {
        pick(&request(&order, tracking, lines)).map_err(|outcome: Outcome<Plan>| word(&outcome))
    };
    let of =
        |ids: &[&str]| Ok(BTreeMap::from([("p1".to_owned(), ids.iter().map(|s| (*s).to_owned()).collect())]));
    assert_eq!(picked(Some(&new), &[]), of(&["2", "3", "4"]));
    assert_eq!(picked(Some(&new), &[("2".into(), 2)]), of(&["2", "3"]));
    assert_eq!(picked(Some(&new), &[("2".into(), 4)]), Err("refused"));
    assert_eq!(picked(Some(&new), &[("5".into(), 1)]), Err("refused"));
    assert_eq!(picked(Some(&new), &[("99".into(), 1)]), Err("refused"));
    // The line that the centre knows was shipped in part since: pieces like it stand in, if the parcel has a number.
    assert_eq!(picked(Some(&new), &[("1".into(), 1)]), of(&["2"]));
    assert_eq!(picked(None, &[("1".into(), 1)]), Err("already"));
    assert_eq!(picked(Some(&Tracking::new("UPS", "T0")), &[("1".into(), 1)]), Err("already"));
}

#[test]
fn an_order_with_nothing_left_is_done_only_with_its_number() {
    let order = order("IN_TRANSIT", &[item(1, "s", "IN_TRANSIT", "p0", r#","tracking_number":"T0""#)]);
    let outcome = |tracking: Option<&Tracking>| word(&pick(&request(&order, tracking, &[])).unwrap_err());
    assert_eq!(outcome(Some(&Tracking::new("UPS", "T0"))), "already");
    assert_eq!(outcome(Some(&Tracking::new("UPS", "T1"))), "refused");
    assert_eq!(outcome(None), "already");
}

#[test]
fn the_hand_over_is_what_was_chosen_and_offered() {
    let slot = Slot { start_time: 1, end_time: 2 };
    let all = Offered { pick_up: true, drop_off: true, slots: vec![slot], has_slots: true };
    assert_eq!(hand_over(Some(HandOver::PickUp), &all).unwrap(), ("PICKUP", Some(slot)));
    assert_eq!(hand_over(Some(HandOver::DropOff), &all).unwrap(), ("DROP_OFF", None));
    assert!(hand_over(None, &all).is_err(), "nothing is guessed");
    let none = Offered { pick_up: false, drop_off: false, ..all.clone() };
    assert!(hand_over(Some(HandOver::PickUp), &none).is_err());
    assert!(hand_over(Some(HandOver::DropOff), &none).is_err());
    let full = Offered { slots: vec![], ..all.clone() };
    assert!(hand_over(Some(HandOver::PickUp), &full).unwrap_err().temporary);
    let any_time = Offered { slots: vec![], has_slots: false, ..all };
    assert_eq!(hand_over(Some(HandOver::PickUp), &any_time).unwrap(), ("PICKUP", None));
    let offered = slots_result(
        br#"{"code":0,"data":{"can_pickup":true,"pickup_slots":[{"start_time":1,"end_time":2,"avaliable":false},{"start_time":"3","end_time":4}]}}"#,
    )
    .unwrap();
    assert_eq!((offered.drop_off, offered.slots), (false, vec![Slot { start_time: 3, end_time: 4 }]));
}

#[test]
fn carriers_are_found_by_name_alias_or_id_and_never_guessed() {
    let provider = |id: &str, name: &str| Provider { id: id.to_owned(), name: name.to_owned() };
    let all = [
        provider("1", "USPS"),
        provider("2", "Yamato Transport"),
        provider("3", "Royal Mail"),
        provider("4", "Same Name"),
        provider("5", "same-name"),
    ];
    let found = |name: &str| find_provider(name, &all).map(|p| p.id.as_str()).unwrap_or("none");
    assert_eq!(found("usps"), "1");
    assert_eq!(found("United States Postal Service"), "1");
    assert_eq!(found("ヤマト運輸"), "2");
    assert_eq!(found(" royal mail "), "3");
    assert_eq!(found("5"), "5");
    assert_eq!(found("same name"), "none", "two have it");
    assert_eq!(found("Mail"), "none");
    assert!(find_provider("DPD", &all).unwrap_err().message.contains("Royal Mail"));
}

#[test]
fn a_quantity_is_spread_over_all_warehouses_and_adds_up() {
    let held = |quantities: &[u32]| -> Vec<Held> {
        let place = |(n, quantity): (usize, &u32)| Held { warehouse_id: n.to_string(), quantity: *quantity };
        quantities.iter().enumerate().map(place).collect()
    };
    for (quantity, before, chosen, after) in [
        (7, vec![100], 0, vec![7]),
        (0, vec![100], 0, vec![0]),
        (50, vec![5, 9, 3], 0, vec![38, 9, 3]),
        (13, vec![5, 9, 3], 0, vec![1, 9, 3]),
        (12, vec![5, 9, 3], 0, vec![1, 9, 2]),
        (5, vec![5, 9, 3], 1, vec![3, 1, 1]),
        (3, vec![5, 9, 3], 1, vec![1, 1, 1]),
        (2, vec![5, 9, 3], 0, vec![0, 2, 0]),
        (0, vec![5, 9, 3], 0, vec![0, 0, 0]),
        (20, vec![0, 9], 1, vec![0, 20]),
        (99_999, vec![0, 9], 0, vec![99_990, 9]),
    ] {
        let spread = spread(quantity, &held(&before), chosen);
        let quantities: Vec<u32> = spread.iter().map(|held| held.quantity).collect();
        assert_eq!(quantities, after, "{quantity} over {before:?}");
        assert_eq!(quantities.iter().sum::<u32>(), quantity);
    }
}

#[test]
fn failures_of_an_update_are_each_skus_own() {
    let held = |quantities: &[u32]| {
        let place = |(n, quantity): (usize, &u32)| Held { warehouse_id: n.to_string(), quantity: *quantity };
        quantities.iter().enumerate().map(place).collect::<Vec<_>>()
    };
    let new = |sku: &str, quantities: &[u32]| NewStock { sku: sku.to_owned(), held: held(quantities) };
    let skus = [new("1", &[7]), new("2", &[0]), new("3", &[4, 5]), new("4", &[4, 5]), new("5", &[9])];
    let skus: Vec<&NewStock> = skus.iter().collect();
    let body = br#"{"code":0,"data":{"errors":[
        {"code":12052990,"message":"Check failed","detail":{"sku_id":"2","extra_errors":[{"warehouse_id":"0","code":12052055,"message":"within limits"}]}},
        {"code":12052901,"message":"status","detail":{"sku_id":"3"}},
        {"code":12052990,"message":"Check failed","detail":{"sku_id":"4","extra_errors":[{"warehouse_id":"1","code":12052097,"message":"no such"}]}},
        {"code":36009003,"message":"Internal error","detail":{"sku_id":"5"}}]}}"#;
    let done = update_result(body, &skus).unwrap();
    let words: Vec<&str> = ["1", "2", "3", "4", "5"].iter().map(|sku| word(&done[*sku])).collect();
    assert_eq!(words, ["done", "refused", "refused", "unknown", "unknown"]);
    let Outcome::Refused(zero) = &done["2"] else { panic!() };
    assert!(zero.code == "12052055" && zero.message.contains("refused a quantity of 0"), "{}", zero.message);
    let unplaced = br#"{"code":0,"data":{"errors":[{"code":12052901,"message":"?"}]}}"#;
    let done = update_result(unplaced, &skus).unwrap();
    assert!(done.values().all(|outcome| word(outcome) == "unknown"));
}

#[test]
fn failures_of_a_batch_are_each_packages_own() {
    let body = |errors: &str| format!(r#"{{"code":0,"data":{{"errors":[{errors}]}}}}"#);
    let error =
        |id: &str, code: u32| format!(r#"{{"code":{code},"message":"m","detail":{{"package_id":"{id}"}}}}"#);
    let words = |errors: &str| {
        let done = batch_result(body(errors).as_bytes(), &["1", "2", "3"]).unwrap();
        ["1", "2", "3"].map(|id| word(&done[id]))
    };
    assert_eq!(words(""), ["done", "done", "done"]);
    let some = [error("3", 21_011_040), error("2", 21_001_003)].join(",");
    assert_eq!(words(&some), ["done", "unknown", "refused"]);
    // Of which package it tells is not said: none passes for done.
    assert_eq!(words(&error("9", 21_011_040)), ["unknown", "unknown", "unknown"]);
    assert_eq!(words(&[error("1", 21_011_040), "7".to_owned()].join(",")), ["refused", "unknown", "unknown"]);
    assert!(batch_result(br#"{"code":0,"data":7}"#, &["1"]).is_err());
}

#[test]
fn an_answer_about_another_package_is_no_answer() {
    let body = br#"{"code":0,"data":{"package_id":"2","package_status":"PROCESSING"}}"#;
    assert!(package_result(body, "2").unwrap().is_shipped());
    assert_eq!(package_result(body, "3").unwrap_err().kind(), ErrorKind::MalformedResponse);
}

#[test]
fn an_id_can_not_lead_to_another_address() {
    assert!(segment("576461413038785752").is_ok());
    for id in ["", "..", "a/b", "a?b", "1%2f", "é"] {
        assert!(segment(id).is_err(), "{id}");
    }
}

#[test]
fn the_end_of_the_access_token_is_kept_beside_it() {
    let credentials = Credentials::new().with(ACCESS_TOKEN_ENDS, "2026-11-24T12:00:00+09:00");
    assert_eq!(token_ends(&credentials), Some(at("2026-11-24T03:00:00Z")));
    assert_eq!(token_ends(&Credentials::new().with(ACCESS_TOKEN_ENDS, "soon")), None);
}
