//! The pure parts, row by row.
#![allow(clippy::unwrap_used, clippy::panic)] // tests

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::errors::{Endpoint, verdict};
use super::pages::{Place, borders};
use super::status::{Choices, Goods, Marks, Payment, STATUSES, cancel, holds, status};
use super::wire::{Page, instant, segment, updated};
use crate::channel::PageCursor;
use crate::error::ErrorKind::{self, *};
use crate::error::Retry;
use crate::model::{CancelState, Hold, OrderStatus, Window};

const WAIT: Choices = Choices { unpaid_ships: false, tracks_unlimited: false };
const SHIP: Choices = Choices { unpaid_ships: true, tracks_unlimited: false };

fn read(payment: &str, goods: &str, choices: Choices) -> OrderStatus {
    status(Payment::read(payment), Goods::read(goods), choices)
}

const GOODS: [&str; 10] = [
    "AWAITING_PROCESSING",
    "PROCESSING",
    "SHIPPED",
    "OUT_FOR_DELIVERY",
    "DELIVERED",
    "WILL_NOT_DELIVER",
    "RETURNED",
    "READY_FOR_PICKUP",
    "CUSTOM_FULFILLMENT_STATUS_1",
    "",
];

/// The whole table: a line for each payment word, with a status for each word of [`GOODS`].
#[test]
fn every_pair_of_words_has_the_status_of_the_table() {
    use OrderStatus::{
        Cancelled as C, Confirmed as F, Delivered as D, New as N, PendingPayment as P, ReadyToShip as R,
        Returned as B, Shipped as S, Unknown as U,
    };
    let table = [
        ("INCOMPLETE", [P; 10]),
        ("CANCELLED", [C; 10]),
        ("PAID", [N, F, S, S, D, C, B, R, U, U]),
        ("AWAITING_PAYMENT", [P, P, S, S, D, C, B, R, U, U]),
        ("PARTIALLY_REFUNDED", [N, F, S, S, D, C, B, R, U, U]),
        ("REFUNDED", [C, C, S, S, D, C, B, R, C, C]),
        ("CUSTOM_PAYMENT_STATUS_1", [U, U, S, S, D, C, B, R, U, U]),
        ("", [U, U, S, S, D, C, B, R, U, U]),
    ];
    for (payment, row) in table {
        for (goods, expected) in GOODS.iter().zip(row) {
            assert_eq!(read(payment, goods, WAIT), expected, "{payment} {goods}");
            let ships = match (payment, *goods) {
                ("AWAITING_PAYMENT", "AWAITING_PROCESSING") => N,
                ("AWAITING_PAYMENT", "PROCESSING") => F,
                _ => expected,
            };
            assert_eq!(read(payment, goods, SHIP), ships, "{payment} {goods}, unpaid ones ship");
        }
    }
    assert_eq!(read(" paid ", "Awaiting_Processing", WAIT), N, "in any case");
}

#[test]
fn the_table_for_people_says_what_the_code_does() {
    for row in STATUSES {
        let (first, second) = row.channel.split_once(", ").unwrap_or((row.channel, ""));
        let got = match (first, second) {
            ("REFUNDED", _) => read("REFUNDED", "AWAITING_PROCESSING", WAIT),
            (payment, goods) if GOODS.contains(&goods) && !goods.is_empty() => read(payment, goods, WAIT),
            (goods, _) if GOODS.contains(&goods) => read("PAID", goods, WAIT),
            (payment, _) => read(payment, "AWAITING_PROCESSING", WAIT),
        };
        assert_eq!(got, row.status, "{}", row.channel);
    }
}

#[test]
fn the_words_of_a_store_are_known_or_the_shops_own() {
    let text = std::fs::read_to_string("tests/samples/ecwid/order_statuses.response.json").unwrap();
    let sample: Value = serde_json::from_str(&text).unwrap();
    for row in sample["items"].as_array().unwrap() {
        let word = row["statusId"].as_str().unwrap();
        let known = match row["orderStatusType"].as_str().unwrap() {
            "PAYMENT_STATUS" => Payment::read(word) != Payment::Other,
            _ => Goods::read(word) != Goods::Other,
        };
        assert_eq!(known, row["defaultStatus"] == json!(true), "{word}");
    }
}

#[test]
fn money_given_back_after_shipping_is_a_claim_and_a_withdrawal_before_it_a_request() {
    let state = |payment: &str, goods: &str, withdrawal| {
        let (payment, goods) = (Payment::read(payment), Goods::read(goods));
        let marks = Marks { withdrawal, ..Marks::default() };
        cancel(payment, goods, status(payment, goods, WAIT), marks)
    };
    for (payment, goods, withdrawal, expected) in [
        ("PAID", "PROCESSING", false, CancelState::None),
        ("PAID", "PROCESSING", true, CancelState::Requested),
        ("PAID", "READY_FOR_PICKUP", true, CancelState::Requested),
        ("PAID", "CUSTOM_FULFILLMENT_STATUS_1", true, CancelState::Requested),
        ("PAID", "DELIVERED", true, CancelState::ReturnOrExchange),
        ("REFUNDED", "SHIPPED", false, CancelState::ReturnOrExchange),
        ("REFUNDED", "DELIVERED", false, CancelState::ReturnOrExchange),
        ("REFUNDED", "AWAITING_PROCESSING", false, CancelState::None),
        ("PARTIALLY_REFUNDED", "DELIVERED", false, CancelState::None),
        ("CANCELLED", "AWAITING_PROCESSING", true, CancelState::None),
    ] {
        assert_eq!(state(payment, goods, withdrawal), expected, "{payment} {goods} {withdrawal}");
    }
}

#[test]
fn what_has_left_is_not_held() {
    let marks = Marks { external: true, ..Marks::default() };
    assert!(holds(Payment::Paid, OrderStatus::Shipped, WAIT, marks).is_empty());
    assert_eq!(holds(Payment::Paid, OrderStatus::New, WAIT, marks), [Hold::OnHold]);
}

#[test]
fn each_answer_without_success_has_its_kind() {
    let table: [(Endpoint, u16, &str, &str, ErrorKind, Retry); 33] = [
        (Endpoint::Orders, 400, "WRONG_PARAMETER", "x", InvalidInput, Retry::Never),
        (Endpoint::UpdateOrder, 400, "", "x", Refused, Retry::Never),
        (Endpoint::UpdateStock, 400, "DIFFERENT_COMBINATION_STOCK", "x", Refused, Retry::Never),
        (Endpoint::UpdateStock, 400, "", "SKU for combination is not set", Refused, Retry::Never),
        (Endpoint::UpdateStock, 400, "COMBINATION_LIMIT_PER_REQUEST_EXCEEDED", "x", Refused, Retry::Never),
        (Endpoint::Orders, 402, "", "", Forbidden, Retry::Never),
        (Endpoint::Orders, 402, "NOT_AVAILABLE_ON_CURRENT_PLAN", "x", Forbidden, Retry::Never),
        (Endpoint::Orders, 402, "STORE_IS_SUSPENDED", "x", Forbidden, Retry::Never),
        (Endpoint::Orders, 403, "", "", Unauthorized, Retry::Never),
        (Endpoint::Orders, 403, "INVALID_API_TOKEN", "x", Unauthorized, Retry::Never),
        (Endpoint::Orders, 403, "INSUFFICIENT_APP_SCOPE", "x", Forbidden, Retry::Never),
        (Endpoint::Profile, 404, "STORE_NOT_FOUND", "Store not found", Configuration, Retry::Never),
        (Endpoint::Profile, 404, "PROFILE_NOT_FOUND", "x", Configuration, Retry::Never),
        (Endpoint::Order, 404, "", "Store not found", Configuration, Retry::Never),
        (Endpoint::Order, 404, "ORDER_NOT_FOUND", "x", NotFound, Retry::Never),
        (Endpoint::Order, 404, "", "Order #123 not found", NotFound, Retry::Never),
        (Endpoint::UpdateOrder, 404, "ORDER_NOT_FOUND", "x", NotFound, Retry::Never),
        (Endpoint::Order, 404, "", "", MalformedResponse, Retry::Never),
        (Endpoint::Orders, 404, "", "", Configuration, Retry::Never),
        (Endpoint::Product, 404, "PRODUCT_NOT_FOUND", "x", NotFound, Retry::Never),
        (Endpoint::UpdateStock, 404, "COMBINATION_NOT_FOUND", "x", NotFound, Retry::Never),
        (Endpoint::UpdateOrder, 405, "METHOD_NOT_ALLOWED", "x", Refused, Retry::Never),
        (Endpoint::Order, 405, "METHOD_NOT_ALLOWED", "x", InvalidInput, Retry::Never),
        (Endpoint::UpdateOrder, 408, "TIMEOUT", "x", TimedOut, Retry::Later),
        (Endpoint::UpdateStock, 409, "NOT_ALLOWED_TO_UPDATE_PARAMETER", "x", Refused, Retry::Never),
        (Endpoint::UpdateStock, 409, "CONSTRAINT_VIOLATION", "x", Refused, Retry::Never),
        (Endpoint::Orders, 409, "", "x", Unavailable, Retry::Later),
        (Endpoint::UpdateOrder, 415, "", "", Refused, Retry::Never),
        (Endpoint::Orders, 422, "WRONG_URL", "x", InvalidInput, Retry::Never),
        (Endpoint::Orders, 429, "", "", RateLimited, Retry::After(std::time::Duration::from_secs(60))),
        (
            Endpoint::Orders,
            429,
            "RATE_LIMITED",
            "x",
            RateLimited,
            Retry::After(std::time::Duration::from_secs(60)),
        ),
        (Endpoint::UpdateOrder, 500, "INTERNAL_ERROR", "x", Unavailable, Retry::Later),
        (Endpoint::Token, 403, "", "", Unauthorized, Retry::Never),
    ];
    for (endpoint, status, code, said, kind, retry) in table {
        let empty = code.is_empty() && said.is_empty();
        let got = verdict(endpoint, status, code, said, empty).unwrap();
        assert_eq!((got.kind, got.retry), (kind, retry), "{endpoint:?} {status} {code} {said}");
    }
    // These are as their status says.
    for (status, empty) in
        [(401, true), (403, false), (408, true), (500, true), (502, false), (503, false), (301, true)]
    {
        assert!(verdict(Endpoint::Orders, status, "", "", empty).is_none(), "{status}");
    }
}

#[test]
fn an_update_says_whether_it_changed_anything_or_is_unknown() {
    assert!(updated(Endpoint::UpdateOrder, br#"{"updateCount":1}"#).unwrap());
    assert!(
        updated(Endpoint::UpdateStock, br#"{"updateCount":"2","warning":"Product has negative stock."}"#)
            .unwrap()
    );
    assert!(!updated(Endpoint::UpdateOrder, br#"{"updateCount":0}"#).unwrap());
    for body in ["", "{}", "[]", "null", "<html>", r#"{"updateCount":null}"#, r#"{"updateCount":"#] {
        let error = updated(Endpoint::UpdateOrder, body.as_bytes()).unwrap_err();
        assert!(error.outcome_unknown(), "{body}");
    }
    let failed = |code: &str| {
        let body = format!(r#"{{"updateCount":1,"errorCode":"{code}"}}"#);
        let error = updated(Endpoint::UpdateOrder, body.as_bytes()).unwrap_err();
        (error.kind(), error.outcome_unknown())
    };
    assert_eq!(failed("INTERNAL_ERROR"), (Unavailable, true));
    assert_eq!(failed("WHAT_IS_THIS"), (Unavailable, true));
    assert_eq!(failed("ORDER_NOT_FOUND"), (NotFound, false));
}

fn rows(ids: std::ops::Range<usize>) -> Vec<Option<String>> {
    ids.map(|n| Some(n.to_string())).collect()
}

fn page(total: Option<u64>) -> Page<'static> {
    Page { total, limit: Some(100), offset: None, rows: Vec::<&RawValue>::new() }
}

fn follow(cursor: &PageCursor) -> Place {
    Place::begin("orders", Some(span()), Some(cursor)).unwrap()
}

fn span() -> Window {
    Window::new("2024-05-01T05:00:00Z".parse().unwrap(), "2024-05-01T06:00:00Z".parse().unwrap())
}

#[test]
fn a_full_page_is_followed_by_one_that_overlaps_it() {
    let first = Place::begin("orders", Some(span()), None).unwrap();
    assert_eq!(first.offset, 0);
    let next = first.next(&page(None), &rows(0..100)).unwrap().unwrap();
    let second = follow(&next);
    assert_eq!(second.offset, 95);
    // One of the five at any place is enough; four may have gone.
    let mut met = rows(100..120);
    met.push(Some("97".to_owned()));
    assert_eq!(second.next(&page(None), &met).unwrap(), None, "a short page ends it");
    // None of them: it begins again, as another place than the first.
    let again = second.next(&page(None), &rows(100..120)).unwrap().unwrap();
    assert_eq!(follow(&again).offset, 0);
    assert_ne!(again, next);
    // Also where nothing comes at all.
    assert!(second.next(&page(None), &[]).unwrap().is_some());
}

#[test]
fn rows_without_an_id_do_not_break_the_chain() {
    let first = Place::begin("orders", Some(span()), None).unwrap();
    let mut ids = rows(0..95);
    ids.extend(vec![None; 5]);
    let second = follow(&first.next(&page(None), &ids).unwrap().unwrap());
    assert_eq!(second.offset, 95);
    assert_eq!(second.next(&page(None), &rows(200..210)).unwrap(), None);
}

#[test]
fn a_total_that_counts_what_is_not_shown_is_no_endless_list() {
    let first = Place::begin("orders", Some(span()), None).unwrap();
    let second = follow(&first.next(&page(Some(50)), &rows(0..20)).unwrap().unwrap());
    assert_eq!(second.offset, 15);
    assert_eq!(second.next(&page(Some(50)), &rows(15..20)).unwrap(), None, "nothing new came");
}

#[test]
fn borders_are_whole_seconds_with_one_to_spare() {
    assert_eq!(borders(span()), (1_714_539_599, 1_714_543_201));
    let odd =
        Window::new("2024-05-01T05:00:00.5Z".parse().unwrap(), "2024-05-01T06:00:00.001Z".parse().unwrap());
    assert_eq!(borders(odd), (1_714_539_599, 1_714_543_202));
}

#[test]
fn times_are_read_in_all_their_forms() {
    let expected = Some("2024-05-01T05:26:28Z".parse().unwrap());
    for text in [
        "2024-05-01 05:26:28 +0000",
        "2024-05-01 07:26:28 +0200",
        "2024-05-01T05:26:28Z",
        "2024-05-01 05:26:28",
        "1714541188",
    ] {
        assert_eq!(instant(text), expected, "{text}");
    }
    for text in ["", "0", "soon", "99999999999999999999", "2024-05-01"] {
        assert_eq!(instant(text), None, "{text}");
    }
}

#[test]
fn ids_are_encoded_and_dots_refused() {
    assert_eq!(segment("SALE-G01ZG").unwrap(), "SALE-G01ZG");
    assert_eq!(segment("a/../b?c#d%e 🌿").unwrap(), "a%2F..%2Fb%3Fc%23d%25e%20%F0%9F%8C%BF");
    for id in ["", ".", ".."] {
        assert!(segment(id).is_err(), "{id}");
    }
}
