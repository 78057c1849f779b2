//! The pure parts: signing, tables, rows, pieces of a window, choosing ways and packages, spreading quantities.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::value::RawValue;

use super::auth::{Scope, new_tokens, sign, token_ends};
use super::cancels::reason;
use super::dispatch::{split_ask, split_result};
use super::errors::{Code as ErrorCode, Endpoint, is_token_refused, refused, verdict};
use super::inventory::{Held, models_result, spread};
use super::lines::LineData;
use super::listings::{list_result, state};
use super::orders::{became_sellers, newest};
use super::packages::{Contents, Facts, Key, Package, Stage};
use super::plan::{Plan, plan};
use super::rows::{OrderData, is_over, read_row, status};
use super::settings::Settings;
use super::shipping::{Offered, PickupAddress, Slot, parameter_result, tracking_result};
use super::stock::{NewStock, update_result};
use super::ways::choose;
use super::window::Place;
use super::wire::is_masked;
use super::*;
use crate::channel::{CancelReason, PageCursor, Row, Secret, Tracking};
use crate::error::{Error, Retry};
use crate::model::{CancelState, ChannelData, Hold, LineId, OrderStatus};

fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().with_timezone(&Utc)
}

fn sample(name: &str) -> String {
    std::fs::read_to_string(format!("tests/samples/shopee/{name}.json")).unwrap()
}

fn read(json: &str, facts: &Facts) -> Row {
    let raw: Box<RawValue> = serde_json::from_str(json).unwrap();
    read_row(&raw, &Config::global().unwrap(), at("2026-11-24T12:00:00Z"), facts)
}

fn order_from(json: &str) -> Order {
    match read(json, &Facts::new()) {
        Row::Order(order) => *order,
        Row::Unreadable(row) => panic!("{}", row.reason),
    }
}

fn item(item: i64, model: i64, quantity: u32, more: &str) -> String {
    format!(
        r#"{{"item_id":{item},"item_name":"帽子 🧢","item_sku":"CAP","model_id":{model},"model_sku":"CAP-{model}","model_quantity_purchased":{quantity},"model_original_price":10.50,"model_discounted_price":9.25,"order_item_id":{item},"promotion_group_id":0{more}}}"#
    )
}

fn packed(number: &str, stage: &str, items: &[(i64, i64, u32)]) -> String {
    let items: Vec<String> = items
        .iter()
        .map(|(item, model, count)| {
            format!(r#"{{"item_id":{item},"model_id":{model},"model_quantity":{count},"order_item_id":{item},"promotion_group_id":0}}"#)
        })
        .collect();
    format!(
        r#"{{"package_number":"{number}","logistics_status":"{stage}","shipping_carrier":"SPX","item_list":[{}]}}"#,
        items.join(",")
    )
}

fn row(status: &str, items: &[String], packages: &[String], more: &str) -> String {
    format!(
        r#"{{"order_sn":"2611","region":"SG","currency":"SGD","order_status":"{status}","create_time":1763978400,"pay_time":1763978460,"update_time":1763978500,"item_list":[{}],"package_list":[{}]{more}}}"#,
        items.join(","),
        packages.join(",")
    )
}

fn plain(status: &str, stage: &str) -> Order {
    order_from(&row(status, &[item(1, 0, 2, "")], &[packed("P1", stage, &[(1, 0, 2)])], ""))
}

#[test]
fn all_signature_vectors_come_out() {
    let vectors: serde_json::Value = serde_json::from_str(&sample("signature_vectors")).unwrap();
    let mut seen = 0;
    for vector in vectors.as_array().unwrap() {
        let text = |name: &str| vector[name].as_str().unwrap_or_default().to_owned();
        if text("kind") == "push" {
            let key = Secret::new(text("push_partner_key"));
            let signature = push_signature(&key, &text("callback_url"), text("raw_body").as_bytes()).unwrap();
            assert_eq!(signature, text("authorization"));
        } else {
            let number = |name: &str| vector[name].as_u64().unwrap_or_default().to_string();
            let credentials = Credentials::new()
                .with(PARTNER_ID, number("partner_id"))
                .with(PARTNER_KEY, text("partner_key"))
                .with(ACCESS_TOKEN, text("access_token"))
                .with(SHOP_ID, number("shop_id"));
            let scope = if text("kind") == "shop" { Scope::Shop } else { Scope::Public };
            let timestamp = vector["timestamp"].as_i64().unwrap();
            assert_eq!(sign(&text("path"), timestamp, scope, &credentials).unwrap(), text("sign"));
        }
        seen += 1;
    }
    assert_eq!(seen, 6);
}

#[test]
fn tokens_end_after_so_many_seconds_or_at_a_time() {
    let sent = at("2026-11-24T12:00:00Z");
    let old = Credentials::new().with(REFRESH_TOKEN, "r1").with(ACCESS_TOKEN_ENDS, "2020-01-01T00:00:00Z");
    let fresh = new_tokens(sample("token_refresh.response").as_bytes(), &old, sent).unwrap();
    assert_eq!(token_ends(&fresh), Some(sent + TimeDelta::hours(4)));
    assert_eq!(fresh.get(REFRESH_TOKEN).map(Secret::expose), Some("516c6b577753554375764a63704d7245"));
    let fresh = new_tokens(sample("token_get.response").as_bytes(), &old, sent).unwrap();
    assert_eq!(token_ends(&fresh), DateTime::from_timestamp(1_767_001_812, 0));
    let fresh = new_tokens(br#"{"error":"","access_token":"a"}"#, &old, sent).unwrap();
    assert_eq!((token_ends(&fresh), fresh.get(REFRESH_TOKEN).map(Secret::expose)), (None, Some("r1")));
    assert!(new_tokens(br#"{"error":""}"#, &old, sent).is_err());
}

#[test]
fn every_status_has_its_meaning() {
    use OrderStatus as S;
    for (word, expected, over) in [
        ("UNPAID", S::PendingPayment, false),
        ("PENDING", S::New, false),
        ("INVOICE_PENDING", S::New, false),
        ("READY_TO_SHIP", S::New, false),
        ("RETRY_SHIP", S::New, false),
        ("IN_CANCEL", S::New, false),
        ("PROCESSED", S::ReadyToShip, false),
        ("SHIPPED", S::Shipped, true),
        ("TO_CONFIRM_RECEIVE", S::Delivered, true),
        ("COMPLETED", S::Delivered, true),
        ("TO_RETURN", S::Delivered, true),
        ("CANCELLED", S::Cancelled, true),
        ("TELEPORTED", S::Unknown, false),
        ("", S::Unknown, false),
    ] {
        assert_eq!((status(word), is_over(word)), (expected, over), "{word}");
    }
    for mapping in info(&Config::global().unwrap()).statuses {
        assert_eq!(status(mapping.channel), mapping.status, "{}", mapping.channel);
    }
}

#[test]
fn every_package_state_has_its_meaning() {
    for (word, expected) in [
        ("LOGISTICS_NOT_START", Stage::NotReady),
        ("NOT_STARTED", Stage::NotReady),
        ("LOGISTICS_PENDING_ARRANGE", Stage::NotReady),
        ("LOGISTICS_READY", Stage::Ready),
        ("LOGISTICS_PICKUP_RETRY", Stage::Retry),
        ("LOGISTICS_REQUEST_CREATED", Stage::Arranged),
        ("LOGISTICS_PICKUP_DONE", Stage::Gone),
        ("LOGISTICS_DELIVERY_DONE", Stage::Delivered),
        ("LOGISTICS_PICKUP_FAILED", Stage::Failed),
        ("LOGISTICS_DELIVERY_FAILED", Stage::Failed),
        ("LOGISTICS_LOST", Stage::Failed),
        ("LOGISTICS_COD_REJECTED", Stage::Failed),
        ("LOGISTICS_INVALID", Stage::Cancelled),
        ("LOGISTICS_REQUEST_CANCELED", Stage::Cancelled),
        ("LOGISTICS_TELEPORTED", Stage::Unknown),
    ] {
        assert_eq!(Stage::read(word), expected, "{word}");
    }
}

#[test]
fn status_cancel_and_hold_are_three_things() {
    use Hold::OnHold;
    use OrderStatus as S;
    let more = |more: &str| {
        row("READY_TO_SHIP", &[item(1, 0, 1, "")], &[packed("P", "LOGISTICS_READY", &[(1, 0, 1)])], more)
    };
    for (json, status, cancel, holds) in [
        (more(""), S::New, CancelState::None, &[][..]),
        (more(r#","advance_package":true"#), S::New, CancelState::None, &[OnHold]),
        (more(r#","booking_sn":"2404"#).replace("2404", "2404\""), S::New, CancelState::None, &[OnHold]),
        (more(r#","pending_terms":["KYC_PENDING"]"#), S::New, CancelState::None, &[OnHold]),
        (
            more(r#","pending_terms":[],"booking_sn":"","advance_package":false"#),
            S::New,
            CancelState::None,
            &[],
        ),
        (more(r#","fulfillment_flag":"fulfilled_by_shopee""#), S::ReadyToShip, CancelState::None, &[]),
        (more("").replace("READY_TO_SHIP", "PENDING"), S::New, CancelState::None, &[OnHold]),
        (more("").replace("READY_TO_SHIP", "INVOICE_PENDING"), S::New, CancelState::None, &[OnHold]),
        (more("").replace("READY_TO_SHIP", "IN_CANCEL"), S::New, CancelState::Requested, &[]),
        (more("").replace("READY_TO_SHIP", "TO_RETURN"), S::Delivered, CancelState::ReturnOrExchange, &[]),
        (more("").replace("READY_TO_SHIP", "HOVERING"), S::Unknown, CancelState::None, &[]),
    ] {
        let order = order_from(&json);
        assert_eq!((order.status, order.cancel, order.holds.as_slice()), (status, cancel, holds), "{json}");
    }
    let asked = order_from(&row("READY_TO_SHIP", &[item(1, 0, 2, r#","cancel_requested_qty":1"#)], &[], ""));
    assert_eq!(asked.cancel, CancelState::Requested);
}

#[test]
fn what_was_arranged_is_told_by_the_order_and_where_they_differ_by_its_packages() {
    use OrderStatus as S;
    // A request that is created before anybody arranged it is none.
    assert_eq!(plain("READY_TO_SHIP", "LOGISTICS_REQUEST_CREATED").status, S::New);
    assert_eq!(plain("PROCESSED", "LOGISTICS_READY").status, S::ReadyToShip);
    assert_eq!(plain("IN_CANCEL", "LOGISTICS_REQUEST_CREATED").status, S::ReadyToShip);
    assert_eq!(plain("SHIPPED", "LOGISTICS_DELIVERY_FAILED").status, S::DeliveryFailed);
    let items = [item(1, 0, 2, ""), item(2, 7, 1, "")];
    let two = |one: &str, two: &str| [packed("P1", one, &[(1, 0, 2)]), packed("P2", two, &[(2, 7, 1)])];
    for word in ["READY_TO_SHIP", "PROCESSED", "SHIPPED"] {
        let order = order_from(&row(word, &items, &two("LOGISTICS_REQUEST_CREATED", "LOGISTICS_READY"), ""));
        assert_eq!(order.status, S::New, "{word}: one package still waits");
        let lines: Vec<_> =
            order.lines.iter().map(|l| (l.shipped, l.outstanding(), l.status, l.unit.as_str())).collect();
        assert_eq!(lines, [(2, 0, S::ReadyToShip, "P1"), (0, 1, S::New, "P2")]);
    }
    let facts =
        Facts::from([("P2".to_owned(), super::packages::Fact { arranged: true, ..Default::default() })]);
    let json = row("READY_TO_SHIP", &items, &two("LOGISTICS_REQUEST_CREATED", "LOGISTICS_READY"), "");
    let Row::Order(order) = read(&json, &facts) else { panic!() };
    assert_eq!((order.status, order.lines[1].shipped), (S::ReadyToShip, 1), "it is being arranged");
}

#[test]
fn lines_have_ids_skus_and_exact_amounts() {
    let bundle = item(1, 0, 2, r#","promotion_type":"bundle_deal""#).replace("9.25", "0");
    let free = item(3, 0, 1, "").replace("9.25", "0");
    let order = order_from(&row("READY_TO_SHIP", &[bundle, item(2, 7, 3, ""), free], &[], ""));
    let ids: Vec<&str> = order.lines.iter().map(|line| line.id.as_str()).collect();
    assert_eq!(ids, ["1-1-0-0", "2-2-7-0", "3-3-0-0"]);
    let skus: Vec<&str> = order.lines.iter().map(|line| line.sku.as_ref().unwrap().as_str()).collect();
    assert_eq!(skus, ["CAP", "CAP-7", "CAP"]);
    let amounts: Vec<Vec<String>> = order
        .lines
        .iter()
        .map(|l| [l.unit_price, l.total, l.discount].into_iter().flatten().map(|m| m.to_string()).collect())
        .collect();
    assert_eq!(amounts[0], ["10.50 SGD"], "a bundle's discount is not told by line");
    assert_eq!(amounts[1], ["10.50 SGD", "27.75 SGD", "3.75 SGD"]);
    assert_eq!(amounts[2][1], "0 SGD");
    let none = order_from(&row("READY_TO_SHIP", &[item(2, 7, 1, "").replace("CAP-7", "")], &[], ""));
    assert_eq!(none.lines[0].sku, None, "the item's code is not that of one of its models");
    let own = order_from(&row(
        "READY_TO_SHIP",
        &[item(1, 0, 1, r#","line_item_id":11"#), item(1, 0, 1, r#","line_item_id":12"#)],
        &[],
        "",
    ));
    assert_eq!(own.lines.iter().map(|l| l.id.as_str()).collect::<Vec<_>>(), ["11", "12"]);
    let twins = order_from(&row("READY_TO_SHIP", &[item(1, 0, 1, ""), item(1, 0, 1, "")], &[], ""));
    assert_eq!(twins.lines.iter().map(|l| l.id.as_str()).collect::<Vec<_>>(), ["1-1-0-0", "1-1-0-0-2"]);
}

#[test]
fn cancelled_pieces_are_not_outstanding() {
    for (more, cancelled, outstanding) in [
        (r#","active_qty":2,"cancelled_qty":1"#, 1, 2),
        (r#","active_qty":2"#, 1, 2),
        (r#","active_qty":1,"cancel_requested_qty":2"#, 0, 3),
        ("", 0, 3),
        (r#","cancelled_qty":9"#, 3, 0),
    ] {
        let order = order_from(&row("READY_TO_SHIP", &[item(1, 0, 3, more)], &[], ""));
        let line = &order.lines[0];
        assert_eq!((line.cancelled, line.outstanding()), (cancelled, outstanding), "{more}");
    }
}

#[test]
fn masked_texts_count_as_withheld() {
    for (text, masked) in
        [("****", true), ("P******n", true), ("b***r", true), ("*", true), ("Unit 5*A", false), ("", false)]
    {
        assert_eq!(is_masked(text), masked, "{text}");
    }
    let order = order_from(&row(
        "READY_TO_SHIP",
        &[item(1, 0, 1, "")],
        &[packed("P", "LOGISTICS_READY", &[(1, 0, 1)])
            .replace("\"SPX\"", "\"SPX\",\"virtual_contact_number\":\"0928000886\"")],
        r#","buyer_username":"****","recipient_address":{"name":"王****","phone":"****","city":"台北市","state":"****","region":"****","zipcode":"****","full_address":"******11"}"#,
    ));
    let party = order.destinations[0].recipient.reveal();
    assert_eq!((party.name.as_str(), party.phone.as_str()), ("", "0928000886"));
    let address = &party.address;
    assert_eq!((address.country.as_str(), address.city.as_str(), address.lines.len()), ("SG", "台北市", 0));
    assert_eq!(order.buyer.reveal().name, "");
    let empty = order_from(&row("READY_TO_SHIP", &[item(1, 0, 1, "")], &[], ""));
    assert!(empty.destinations[0].recipient.reveal().address.is_empty(), "a missing address is no panic");
}

fn verdict_of(endpoint: Endpoint, status: u16, code: &str, said: &str) -> (ErrorKind, Retry) {
    let verdict = verdict(endpoint, status, ErrorCode::read(code), said);
    (verdict.kind, verdict.retry)
}

#[test]
fn every_code_has_its_kind_row_by_row() {
    use Endpoint as E;
    use ErrorKind as K;
    use Retry::{Later, Never};
    for (endpoint, status, code, said, kind, retry) in [
        (
            E::Orders,
            200,
            "invalid_acceess_token",
            "Invalid access_token, please have a check.",
            K::CredentialExpired,
            Never,
        ),
        (E::Orders, 403, "common.invalid_access_token", "", K::CredentialExpired, Never),
        (E::Orders, 200, "error_auth", "Invalid access_token.", K::CredentialExpired, Never),
        (E::Refresh, 200, "error_auth", "Invalid refresh_token.", K::CredentialExpired, Never),
        (E::Orders, 200, "error_auth", "No permission to current api.", K::Forbidden, Never),
        (E::Orders, 200, "error_auth", "", K::Unauthorized, Never),
        (E::SetStock, 200, "error_auth", "Total stock must be more than reserved stock.", K::Refused, Never),
        (E::Refresh, 200, "refresh_token_expired", "", K::CredentialExpired, Never),
        (E::Refresh, 200, "error_shop_refresh_token", "", K::CredentialExpired, Never),
        (E::Token, 200, "invalid_code", "", K::CredentialExpired, Never),
        (E::Token, 200, "error_param", "Wrong parameters", K::CredentialExpired, Never),
        (E::Refresh, 200, "error_server", "error server", K::Unavailable, Later),
        (E::Refresh, 400, "no", "", K::Unavailable, Later),
        (E::Orders, 200, "shop_access_expired", "", K::CredentialExpired, Never),
        (E::Orders, 200, "shop_no_linked", "", K::CredentialExpired, Never),
        (E::Orders, 200, "partner_shop_no_link", "", K::CredentialExpired, Never),
        (E::Orders, 200, "error_partner_key_expired", "", K::CredentialExpired, Never),
        (E::Orders, 403, "error_sign", "Wrong sign.", K::Unauthorized, Never),
        (E::Orders, 200, "invalid_partner_id", "", K::Unauthorized, Never),
        (E::Orders, 200, "error_shop", "shopid is invalid", K::Unauthorized, Never),
        (E::Ship, 200, "common.invalid_shop", "", K::Unauthorized, Never),
        (E::Orders, 200, "error_api_permission", "", K::Forbidden, Never),
        (E::Orders, 200, "error_api_call_restricted", "", K::Forbidden, Never),
        (E::Orders, 200, "error_ashop_api_permission", "", K::Forbidden, Never),
        (E::Orders, 200, "error_kyc_auth", "", K::Forbidden, Never),
        (E::Orders, 200, "source_ip_undeclared", "", K::Forbidden, Never),
        (E::Orders, 200, "shop_banned", "", K::Forbidden, Never),
        (E::Cancel, 200, "order. error_permission", "", K::Forbidden, Never),
        (E::Orders, 200, "error_param", "Timestamp is expired", K::Unauthorized, Never),
        (E::Orders, 200, "error_param", "request not from gateway", K::Configuration, Never),
        (E::Orders, 200, "api_suspended", "", K::Configuration, Never),
        (E::Orders, 200, "error_rate_limit", "", K::RateLimited, Later),
        (E::Ship, 200, "error_rate_limit", "", K::RateLimited, Later),
        (E::Orders, 200, "error_limit", "limit of the day", K::RateLimited, Later),
        (E::Ship, 200, "logistics.error_limit", "The batch request reach limit 50.", K::Refused, Never),
        (E::Cancel, 200, "order.error_limit", "Can not cancel this order", K::Refused, Never),
        (E::Orders, 200, "error_server", "", K::Unavailable, Later),
        (E::Orders, 200, "error_network", "Inner http call failed", K::Unavailable, Later),
        (E::Orders, 200, "error_inner", "", K::Unavailable, Later),
        (E::SetStock, 200, "error_system_busy", "", K::Unavailable, Later),
        (E::Orders, 200, "error_data", "parse data failed", K::Unavailable, Later),
        (E::OrderDetail, 200, "error_data", "data not exist", K::Unavailable, Later),
        (
            E::OrderDetail,
            200,
            "error_not_found",
            "Wrong parameters, detail: the order is not found.",
            K::NotFound,
            Never,
        ),
        (E::OrderDetail, 200, "error_param", "Wrong parameters", K::Unavailable, Later),
        (E::Models, 200, "product.error_item_not_found", "Product not found", K::NotFound, Never),
        (E::ItemInfo, 200, "error_item_not_found", "", K::NotFound, Never),
        (E::ItemInfo, 200, "error_param", "", K::Unavailable, Later),
        (E::Orders, 200, "order.order_list_invalid_time", "", K::InvalidInput, Never),
        (E::ShippingParameter, 200, "logistics.no_supported_dropoff_branch", "", K::Refused, Never),
        (
            E::ShippingParameter,
            200,
            "logistics.error_param",
            "The order is being allocated, please wait",
            K::Refused,
            Never,
        ),
        (E::Ship, 200, " logistics.package_already_shipped", "", K::Refused, Never),
        (E::Ship, 403, "logistics.ship_order_not_ready_to_ship", "", K::Refused, Never),
        (E::Ship, 200, "logistics.ship_order_need_sender_real_name", "", K::Refused, Never),
        (E::Ship, 200, "logistics.error_too_many_invoke_function", "", K::Refused, Later),
        (E::Ship, 200, "logistics.logistic_order_is_locked_on_creating", "", K::Refused, Later),
        (
            E::Ship,
            200,
            "logistics.error_param",
            "System error, please try again later.",
            K::Unavailable,
            Later,
        ),
        (E::Ship, 200, "logistics.error_timeout", "Timeout to call external system.", K::Unavailable, Later),
        (E::Ship, 200, "logistics.error_third_party_server", "", K::Unavailable, Later),
        (E::Ship, 200, "logistics.error_other", "Pick up address not support COD.", K::Refused, Never),
        (E::Ship, 200, "logistics.remove_ofg_from_group_failed\t", "", K::Unavailable, Later),
        (
            E::Split,
            200,
            "order.order_split_failed",
            "Split order failed, please try again.",
            K::Unavailable,
            Later,
        ),
        (
            E::Split,
            200,
            "order.order_split_failed",
            "Cannot split order paid by instalments",
            K::Refused,
            Never,
        ),
        (E::SetStock, 200, "error_inner", "Invalid stock location ID", K::Refused, Never),
        (E::SetStock, 200, "error_server", "The current item belong to the full FBS shop", K::Refused, Never),
        (E::Decide, 200, "order.order_status_invalid", "", K::Refused, Never),
        (E::Ship, 500, "logistics.ship_order_not_ready_to_ship", "", K::Unavailable, Later),
        (E::Ship, 429, "slow", "", K::RateLimited, Later),
        (E::Orders, 401, "no", "", K::Unauthorized, Never),
        (E::Orders, 403, "no", "", K::Forbidden, Never),
        (E::Orders, 404, "no", "", K::Configuration, Never),
        (E::Orders, 408, "no", "", K::TimedOut, Later),
        (E::Orders, 409, "no", "", K::Unavailable, Later),
        (E::Ship, 409, "no", "", K::Refused, Never),
    ] {
        assert_eq!(
            verdict_of(endpoint, status, code, said),
            (kind, retry),
            "{endpoint:?} {status} {code:?} {said:?}"
        );
    }
}

#[test]
fn refusals_that_pass_are_temporary_and_a_refused_token_is_told_from_an_ended_authorisation() {
    let error = |code: &str, said: &str| Error::new(ErrorKind::Refused).with_code(code).with_message(said);
    for (code, said, temporary) in [
        ("logistics.ship_order_not_ready_to_ship", "", true),
        ("logistics.error_param", "The order is being allocated, please wait", true),
        ("logistics.lack_of_invoice_data", "", true),
        ("order_prescription_unchecked", "", true),
        ("logistics.ship_order_need_pacakge_number", "", true),
        ("error_status", "Buyer hasn\u{2019}t completed pre-authorization yet.", true),
        ("logistics.error_booking_order", "", false),
        ("logistics.ship_order_unsupport_pickup", "", false),
        ("logistics.error_param", "Tracking Number Error.", false),
    ] {
        let refusal = refused(&error(code, said)).unwrap();
        assert_eq!((refusal.temporary, refusal.reread), (temporary, true), "{code} {said}");
    }
    assert!(refused(&error("x_y", "").with_unknown_effect()).is_none());
    assert!(refused(&Error::new(ErrorKind::Unavailable).with_code("error_server")).is_none());
    let expired = |code: &str| Error::new(ErrorKind::CredentialExpired).with_code(code);
    for code in ["invalid_acceess_token", "common.invalid_access_token", "error_auth"] {
        assert!(is_token_refused(&expired(code)), "{code}");
    }
    for code in ["shop_access_expired", "refresh_token_expired", "error_partner_key_expired"] {
        assert!(!is_token_refused(&expired(code)), "{code}");
    }
}

fn offer(pickup: Option<&[&str]>, dropoff: Option<&[&str]>, own: Option<&[&str]>) -> Offered {
    let fields = |fields: Option<&[&str]>| fields.map(|f| f.iter().map(|f| (*f).to_owned()).collect());
    Offered {
        pickup: fields(pickup),
        dropoff: fields(dropoff),
        non_integrated: fields(own),
        ..Offered::default()
    }
}

fn way(offered: &Offered, choice: Option<HandOver>, number: Option<&str>, settings: &Settings) -> String {
    let tracking = number.map(|number| Tracking::new("own", number));
    match choose(offered, choice, tracking.as_ref(), settings) {
        Ok(way) => serde_json::to_string(&way).unwrap(),
        Err(no) => format!("refused: {}", no.message),
    }
}

#[test]
fn hm_3_exactly_one_way_is_sent_and_none_is_guessed() {
    use HandOver::{DropOff, PickUp};
    let settings = Settings::default();
    let (some, own) = (Some(&[][..]), Some(&["tracking_no"][..]));
    for (offered, choice, number, expected) in [
        (offer(some, some, None), Some(PickUp), None, r#"{"pickup":{}}"#),
        (offer(some, some, own), Some(DropOff), Some("T1"), r#"{"dropoff":{}}"#),
        (offer(some, some, None), None, None, "refused: choose pick-up or drop-off"),
        (offer(some, None, None), None, None, "refused: choose pick-up or drop-off"),
        (offer(some, None, None), Some(DropOff), None, "refused: drop-off is not offered"),
        (offer(None, some, None), Some(PickUp), None, "refused: pick-up is not offered"),
        (offer(None, some, own), Some(PickUp), Some("T1"), "refused: pick-up is not offered"),
        (offer(None, None, own), None, Some(" T1 "), r#"{"non_integrated":{"tracking_number":"T1"}}"#),
        (offer(None, None, own), Some(PickUp), Some("T1"), r#"{"non_integrated":{"tracking_number":"T1"}}"#),
        (offer(None, None, own), Some(PickUp), None, "refused: the seller ships this package"),
        (offer(None, None, Some(&[])), None, Some("T1"), r#"{"non_integrated":{}}"#),
        (offer(None, None, None), Some(PickUp), None, "refused: Shopee offers no way"),
        (offer(None, None, Some(&["colour"])), None, None, "refused: Shopee asks for \"colour\""),
        (offer(Some(&["colour"]), None, None), Some(PickUp), None, "refused: Shopee asks for \"colour\""),
        (offer(None, Some(&["colour"]), None), Some(DropOff), None, "refused: Shopee asks for \"colour\""),
        (
            offer(Some(&["tracking_number"]), None, None),
            Some(PickUp),
            Some("T1"),
            r#"{"pickup":{"tracking_number":"T1"}}"#,
        ),
        (
            offer(Some(&["address_id"]), None, None),
            Some(PickUp),
            None,
            "refused: Shopee offers no pick-up address",
        ),
    ] {
        let sent = way(&offered, choice, number, &settings);
        assert!(sent.starts_with(expected), "{offered:?} {choice:?} {number:?}: {sent}");
    }
    let long = "T".repeat(65);
    assert!(way(&offer(None, None, own), None, Some(&long), &settings).starts_with("refused"));
}

fn address(id: &str, flags: &[&str], slots: &[(&str, i64, bool)]) -> PickupAddress {
    PickupAddress {
        id: id.to_owned(),
        flags: flags.iter().map(|flag| (*flag).to_owned()).collect(),
        slots: slots
            .iter()
            .map(|(id, date, recommended)| Slot {
                id: (*id).to_owned(),
                date: Some(*date),
                recommended: *recommended,
            })
            .collect(),
    }
}

#[test]
fn an_address_and_a_slot_are_taken_only_where_one_is_sensible() {
    let with = |addresses: Vec<PickupAddress>| Offered {
        addresses,
        ..offer(Some(&["address_id", "pickup_time_id"]), None, None)
    };
    let chosen = Settings { address: Some("2".to_owned()), ..Settings::default() };
    let earliest = Settings { earliest: true, ..Settings::default() };
    let two = [("a", 20, false), ("b", 10, false)];
    for (addresses, settings, expected) in [
        (vec![address("1", &[], &[])], Settings::default(), r#"{"pickup":{"address_id":1}}"#),
        (
            vec![address("1", &[], &[]), address("2", &["pickup_address"], &[])],
            Settings::default(),
            r#"{"pickup":{"address_id":2}}"#,
        ),
        (
            vec![address("1", &["default_address"], &[]), address("2", &["pickup_address"], &[])],
            Settings::default(),
            r#"{"pickup":{"address_id":2}}"#,
        ),
        (
            vec![address("1", &["default_address"], &[]), address("2", &[], &[])],
            Settings::default(),
            r#"{"pickup":{"address_id":1}}"#,
        ),
        (
            vec![address("1", &[], &[]), address("2", &[], &[])],
            Settings::default(),
            "refused: several pick-up addresses",
        ),
        (
            vec![address("1", &["pickup_address"], &[]), address("2", &["current_address"], &[])],
            Settings::default(),
            "refused: several",
        ),
        (
            vec![address("1", &["pickup_address"], &[]), address("2", &["pickup_address"], &[])],
            Settings::default(),
            "refused: several",
        ),
        (
            vec![address("1", &["pickup_address"], &[]), address("2", &[], &[])],
            chosen.clone(),
            r#"{"pickup":{"address_id":2}}"#,
        ),
        (
            vec![address("1", &["pickup_address"], &[])],
            chosen,
            "refused: this order can't be picked up at the address",
        ),
        (
            vec![address("1", &[], &[("a", 1, false)])],
            Settings::default(),
            r#"{"pickup":{"address_id":1,"pickup_time_id":"a"}}"#,
        ),
        (
            vec![address("1", &[], &[("a", 1, false), ("b", 2, true)])],
            Settings::default(),
            r#"{"pickup":{"address_id":1,"pickup_time_id":"b"}}"#,
        ),
        (vec![address("1", &[], &two)], Settings::default(), "refused: several pick-up times"),
        (
            vec![address("1", &[], &[("a", 1, true), ("b", 2, true)])],
            Settings::default(),
            "refused: several pick-up times",
        ),
        (vec![address("1", &[], &two)], earliest, r#"{"pickup":{"address_id":1,"pickup_time_id":"b"}}"#),
        (
            vec![address("x", &[], &[])],
            Settings::default(),
            "refused: the pick-up address \"x\" is not a number",
        ),
    ] {
        let sent = way(&with(addresses.clone()), Some(HandOver::PickUp), None, &settings);
        assert!(sent.starts_with(expected), "{addresses:?}: {sent}");
    }
}

#[test]
fn a_drop_off_takes_only_what_is_asked_for_and_known() {
    let offered = |fields: &[&str], branches: &[&str], slugs: &[&str]| Offered {
        branches: branches.iter().map(|b| (*b).to_owned()).collect(),
        slugs: slugs.iter().map(|s| (*s).to_owned()).collect(),
        ..offer(None, Some(fields), None)
    };
    let named = Settings { sender: Some("王小明".to_owned()), ..Settings::default() };
    let branch = Settings { branch: Some("56".to_owned()), ..Settings::default() };
    let slug = Settings { slug: Some("hilife".to_owned()), ..Settings::default() };
    let none = Settings::default;
    for (offered, number, settings, expected) in [
        (offered(&["branch_id"], &["55"], &[]), None, none(), r#"{"dropoff":{"branch_id":55}}"#),
        (
            offered(&["branch_id"], &["55", "56"], &[]),
            None,
            none(),
            "refused: several are offered as drop-off branch (55, 56)",
        ),
        (
            offered(&["branch_id"], &["55", "56"], &[]),
            None,
            branch.clone(),
            r#"{"dropoff":{"branch_id":56}}"#,
        ),
        (offered(&["branch_id"], &["55"], &[]), None, branch, "refused: this order does not offer"),
        (
            offered(&["branch_id"], &[], &[]),
            None,
            none(),
            "refused: Shopee asks for a drop-off branch and offers none",
        ),
        (offered(&["slug"], &[], &["fami"]), None, none(), r#"{"dropoff":{"slug":"fami"}}"#),
        (offered(&["slug"], &[], &["fami", "hilife"]), None, none(), "refused: several"),
        (offered(&["slug"], &[], &["fami", "hilife"]), None, slug, r#"{"dropoff":{"slug":"hilife"}}"#),
        (
            offered(&["sender_real_name"], &[], &[]),
            None,
            none(),
            "refused: Shopee asks for the sender's real name",
        ),
        (
            offered(&["sender_real_name"], &[], &[]),
            None,
            named.clone(),
            r#"{"dropoff":{"sender_real_name":"王小明"}}"#,
        ),
        (offered(&["tracking_no"], &[], &[]), Some("T1"), none(), r#"{"dropoff":{"tracking_number":"T1"}}"#),
        (offered(&["tracking_no"], &[], &[]), None, none(), "refused: the seller ships this package"),
        (
            offered(&["sender_real_name", "tracking_no"], &[], &[]),
            Some("T1"),
            named.clone(),
            r#"{"dropoff":{"tracking_number":"T1"}}"#,
        ),
        (
            offered(&["sender_real_name", "tracking_no"], &[], &[]),
            None,
            named,
            r#"{"dropoff":{"sender_real_name":"王小明"}}"#,
        ),
    ] {
        let sent = way(&offered, Some(HandOver::DropOff), number, &settings);
        assert!(sent.starts_with(expected), "{offered:?}: {sent}");
    }
}

#[test]
fn the_sampled_offers_are_read() {
    let official = parameter_result(sample("get_shipping_parameter_official.response").as_bytes()).unwrap();
    assert_eq!(official.dropoff, Some(vec![]), "an empty list offers the way");
    assert_eq!(official.non_integrated, None);
    assert_eq!(
        way(&official, Some(HandOver::PickUp), None, &Settings::default()),
        r#"{"pickup":{"address_id":123}}"#
    );
    let pickup = parameter_result(sample("get_shipping_parameter_pickup.response").as_bytes()).unwrap();
    let body = way(&pickup, Some(HandOver::PickUp), None, &Settings::default());
    assert_eq!(body, r#"{"pickup":{"address_id":234,"pickup_time_id":"1793606400_1"}}"#);
    let dropoff = parameter_result(sample("get_shipping_parameter_dropoff.response").as_bytes()).unwrap();
    assert_eq!(
        way(&dropoff, Some(HandOver::DropOff), None, &Settings::default()),
        r#"{"dropoff":{"branch_id":55}}"#
    );
    let own = parameter_result(sample("get_shipping_parameter_non_integrated.response").as_bytes()).unwrap();
    assert!(way(&own, None, Some("TRACK0000000001"), &Settings::default()).contains("TRACK0000000001"));
    assert!(parameter_result(br#"{"error":"","response":{}}"#).is_err());
    let number = |name: &str| tracking_result(sample(name).as_bytes()).unwrap();
    assert_eq!(number("get_tracking_number.response").as_deref(), Some("MY200448706479IT"));
    assert_eq!(number("get_tracking_number_not_yet.response"), None);
}

fn planned(order: &Order, lines: &[(LineId, u32)], number: Option<&str>) -> String {
    let tracking = number.map(|number| Tracking::new("own", number));
    let mut request = DispatchRequest::new(order, tracking.as_ref(), at("2026-11-24T12:00:00Z"));
    request.lines = lines;
    let data = order.channel_data.read::<OrderData>().unwrap();
    match plan::<()>(&request, order, &data) {
        Ok(Plan::Ship(numbers)) => format!("ship {}", numbers.join(" ")),
        Ok(Plan::Split { parcel, rest }) => format!("split {} {}", parcel.len(), rest.len()),
        Err(Outcome::AlreadyDone) => "already".to_owned(),
        Err(Outcome::Refused(no)) => format!("{}: {}", if no.temporary { "later" } else { "no" }, no.message),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_parcel_is_packages_whole_or_a_split_by_whole_lines() {
    let items = [item(1, 0, 2, ""), item(2, 7, 1, ""), item(3, 0, 1, "")];
    let one = |stage: &str| {
        order_from(&row(
            "READY_TO_SHIP",
            &items,
            &[packed("P", stage, &[(1, 0, 2), (2, 7, 1), (3, 0, 1)])],
            "",
        ))
    };
    let three = |a: &str, b: &str| {
        let packages = [packed("P1", a, &[(1, 0, 2)]), packed("P2", b, &[(2, 7, 1), (3, 0, 1)])];
        order_from(&row("READY_TO_SHIP", &items, &packages, ""))
    };
    let (ready, done) = ("LOGISTICS_READY", "LOGISTICS_REQUEST_CREATED");
    let id = |name: &str, n: u32| (LineId::from(name), n);
    let (a, b, c) = (id("1-1-0-0", 2), id("2-2-7-0", 1), id("3-3-0-0", 1));
    for (order, lines, expected) in [
        (one(ready), vec![], "ship P"),
        (one("LOGISTICS_PICKUP_RETRY"), vec![], "ship P"),
        (one("LOGISTICS_NOT_START"), vec![], "later: a package of the order can't be arranged yet"),
        (one("LOGISTICS_BEAMED"), vec![], "no: the state of a package"),
        (one(ready), vec![a.clone(), b.clone(), c.clone()], "ship P"),
        (one(ready), vec![a.clone()], "split 1 2"),
        (one(ready), vec![id("1-1-0-0", 1)], "no: Shopee splits orders by whole lines"),
        (one(ready), vec![id("9-9-9-9", 1)], "no: the order has no such line"),
        (one(ready), vec![id("1-1-0-0", 0)], "no: the parcel holds nothing"),
        (one("LOGISTICS_PICKUP_RETRY"), vec![a.clone()], "later: the package can't be split"),
        (three(ready, ready), vec![], "ship P1 P2"),
        (three(done, ready), vec![], "ship P2"),
        (three(ready, ready), vec![a.clone()], "ship P1"),
        (three(done, ready), vec![a.clone()], "already"),
        (three(done, ready), vec![b.clone(), c.clone()], "ship P2"),
        (three(done, ready), vec![a.clone(), b.clone(), c.clone()], "ship P2"),
        (three(ready, ready), vec![b.clone()], "no: the packages of the order hold other pieces"),
        (three(ready, ready), vec![a.clone(), b.clone()], "no: the packages of the order hold other pieces"),
    ] {
        let told = planned(&order, &lines, None);
        assert!(told.starts_with(expected), "{lines:?}: {told}");
    }
    // Unit by unit (shops on Shopee's list): pieces are alike, and a lost answer can't be told from a second parcel.
    let alike = |a: &str, b: &str| {
        let packages = [packed("P1", a, &[(1, 0, 1)]), packed("P2", b, &[(1, 0, 1)])];
        order_from(&row("READY_TO_SHIP", &[item(1, 0, 2, "")], &packages, ""))
    };
    let half = [id("1-1-0-0", 1)];
    assert_eq!(planned(&alike(ready, ready), &half, None), "ship P1");
    assert!(
        planned(&alike(done, ready), &half, None).starts_with("no: several packages hold the same pieces")
    );
    assert_eq!(planned(&alike(done, ready), &[], None), "ship P2");
}

#[test]
fn what_may_not_be_arranged_never_is() {
    let more = |word: &str, more: &str| {
        order_from(&row(word, &[item(1, 0, 2, "")], &[packed("P", "LOGISTICS_READY", &[(1, 0, 2)])], more))
    };
    for (order, expected) in [
        (more("READY_TO_SHIP", r#","advance_package":true"#), "later: Shopee holds the order"),
        (more("READY_TO_SHIP", r#","booking_sn":"24""#), "later: Shopee holds the order"),
        (more("READY_TO_SHIP", r#","pending_terms":["SYSTEM_PENDING"]"#), "later: Shopee holds the order"),
        (
            more("READY_TO_SHIP", r#","fulfillment_flag":"fulfilled_by_shopee""#),
            "no: Shopee ships this order",
        ),
        (more("PENDING", ""), "later: Shopee holds the order"),
        (more("INVOICE_PENDING", ""), "later: Shopee holds the order"),
        (more("IN_CANCEL", ""), "later: the buyer asks to cancel"),
        (more("UNPAID", ""), "no: the order is not paid"),
        (more("CANCELLED", ""), "no: the order is cancelled"),
        (more("HOVERING", ""), "no: the order's state is not known"),
        (more("PROCESSED", ""), "already"),
        (more("SHIPPED", ""), "already"),
        (
            order_from(&row("READY_TO_SHIP", &[item(1, 0, 2, "")], &[], "")),
            "later: Shopee has made no package",
        ),
    ] {
        let told = planned(&order, &[], None);
        assert!(told.starts_with(expected), "{told}");
    }
    assert!(
        planned(&more("READY_TO_SHIP", ""), &[], Some(" ")).starts_with("no: the tracking number is empty")
    );
}

#[test]
fn the_traps_of_a_split_are_refused_before_anything_is_sent() {
    let deal = |n: i64| item(n, 0, 1, "").replace("\"promotion_group_id\":0", "\"promotion_group_id\":5");
    let with_deals = packed("P", "LOGISTICS_READY", &[(1, 0, 1), (2, 0, 1)])
        .replace("\"promotion_group_id\":0", "\"promotion_group_id\":5");
    let order = order_from(&row("READY_TO_SHIP", &[deal(1), deal(2)], &[with_deals], ""));
    let one = [(order.lines[0].id.clone(), 1)];
    assert!(planned(&order, &one, None).contains("bundle or add-on deal must stay"));
    let twice = [
        item(1, 0, 1, ""),
        item(1, 0, 1, "").replace("\"order_item_id\":1", "\"order_item_id\":8"),
        item(2, 0, 1, ""),
    ];
    let packages = packed("P", "LOGISTICS_READY", &[(1, 0, 1), (2, 0, 1)])
        .replace("\"item_list\":[", r#""item_list":[{"item_id":1,"model_id":0,"model_quantity":1,"order_item_id":8,"promotion_group_id":0},"#);
    let order = order_from(&row("READY_TO_SHIP", &twice, &[packages], ""));
    let one = [(order.lines[2].id.clone(), 1)];
    assert!(planned(&order, &one, None).contains("the same item twice"));
}

#[test]
fn a_split_names_all_items_and_its_new_package_is_found_by_what_is_in_it() {
    let key = |item_id: i64, model_id: i64| Key {
        item_id,
        model_id,
        order_item_id: item_id,
        promotion_group_id: 0,
    };
    let (parcel, rest) = (Contents::from([(key(1, 0), 2)]), Contents::from([(key(2, 7), 1), (key(3, 0), 1)]));
    let ask = split_ask(&"2611".into(), &parcel, &rest).unwrap();
    assert_eq!(
        ask.body.unwrap(),
        r#"{"order_sn":"2611","package_list":[{"item_list":[{"item_id":1,"model_id":0,"order_item_id":1,"promotion_group_id":0}]},{"item_list":[{"item_id":2,"model_id":7,"order_item_id":2,"promotion_group_id":0},{"item_id":3,"model_id":0,"order_item_id":3,"promotion_group_id":0}]}]}"#
    );
    let answer = format!(
        r#"{{"error":"","response":{{"order_sn":"2611","package_list":[{},{}]}}}}"#,
        packed("B", "", &[(2, 7, 1), (3, 0, 1)]),
        packed("A", "", &[(1, 0, 2)])
    );
    assert_eq!(split_result(answer.as_bytes(), &parcel).unwrap(), "A");
    assert!(split_result(br#"{"error":"","response":{"package_list":[]}}"#, &parcel).is_err());
}

fn held(all: &[(&str, u32)]) -> Vec<Held> {
    all.iter().map(|(id, stock)| Held { location_id: (*id).to_owned(), stock: *stock }).collect()
}

#[test]
fn locations_together_show_the_quantity_and_never_more() {
    for (quantity, there, expected) in [
        (10, &[("A", 2), ("B", 4)][..], &[("B", 4), ("A", 6)][..]),
        (3, &[("A", 2), ("B", 4)], &[("B", 3), ("A", 0)]),
        (0, &[("A", 2), ("B", 4)], &[("B", 0), ("A", 0)]),
        (5, &[("B", 4)], &[("B", 4), ("A", 1)]),
        (5, &[], &[("A", 5)]),
    ] {
        let spread = spread(quantity, &held(there), "A");
        assert_eq!(spread, held(expected));
        assert_eq!(spread.iter().map(|held| held.stock).sum::<u32>(), quantity);
    }
}

#[test]
fn each_model_has_its_outcome_by_its_id() {
    let new = |model: i64, all: &[(&str, u32)]| NewStock { model, held: held(all) };
    let asked = [
        new(1, &[("", 5)]),
        new(2, &[("", 6)]),
        new(3, &[("", 7)]),
        new(4, &[("A", 1), ("B", 2)]),
        new(5, &[("A", 1), ("B", 2)]),
    ];
    let answer = r#"{"error":"error_busi_update_stock_failed","message":"m","response":{"success_list":[{"model_id":1,"location_id":"","stock":4},{"model_id":4,"location_id":"B","stock":2},{"model_id":4,"location_id":"A","stock":1},{"model_id":5,"location_id":"A","stock":1}],"failure_list":[{"model_id":2,"failed_reason":"Stock should be larger than reserved stock."}]}}"#;
    let told = update_result(answer.as_bytes(), &asked).unwrap();
    assert!(
        matches!(&told[&1], Outcome::Done(StockAccepted { quantity: 4 })),
        "what the channel took counts"
    );
    let Outcome::Refused(no) = &told[&2] else { panic!("{told:?}") };
    assert!(no.message.contains("reserved for a promotion") && !no.reread);
    assert!(matches!(&told[&3], Outcome::Unknown(_)), "left out is unknown");
    assert!(matches!(&told[&4], Outcome::Done(StockAccepted { quantity: 3 })));
    assert!(matches!(&told[&5], Outcome::Unknown(_)), "one of two locations");
    assert!(update_result(br#"{"error":""}"#, &asked).is_err());
}

#[test]
fn the_sampled_models_have_words_and_skus() {
    let models = models_result(sample("get_model_list.response").as_bytes()).unwrap();
    let words: Vec<String> = models.all.iter().map(|model| models.words(model)).collect();
    assert_eq!(words, ["Black, M", "White, L"]);
    assert_eq!(models.all[0].quantity(), Some(5));
    assert!(models_result(br#"{"error":"","response":{}}"#).is_err());
}

#[test]
fn a_list_of_items_goes_on_where_the_channel_says() {
    let (ids, next) = list_result(sample("get_item_list.response").as_bytes(), 0).unwrap();
    assert_eq!((ids.as_slice(), next), (&[2_500_139_861][..], Some(10)));
    assert!(list_result(sample("get_item_list.response").as_bytes(), 10).is_err(), "it goes in circles");
    let empty = br#"{"error":"","response":{"total_count":0,"has_next_page":false,"next_offset":0}}"#;
    assert_eq!(list_result(empty, 0).unwrap(), (vec![], None));
    for bad in [
        &br#"{"error":"","response":{}}"#[..],
        br#"{"error":"","response":{"item":[{}],"has_next_page":false}}"#,
    ] {
        assert!(list_result(bad, 0).is_err());
    }
    assert_eq!(state("NORMAL"), crate::model::ListingState::OnSale);
    assert_eq!(state("???"), crate::model::ListingState::Unknown);
}

fn window(from: &str, to: &str) -> Window {
    Window::new(at(from), at(to))
}

#[test]
fn pieces_cover_the_window_and_what_came_after_without_a_gap() {
    let now = at("2026-11-24T12:00:00Z");
    for (from, to) in [
        ("2026-11-24T11:00:00Z", "2026-11-24T12:00:00Z"),
        ("2026-10-01T00:00:00Z", "2026-10-02T00:00:00.5Z"),
        ("2026-11-24T11:59:59Z", "2026-11-24T12:00:00Z"),
    ] {
        let mut place = Place::first(window(from, to), now);
        let mut reached = at(from).timestamp() - 600;
        let mut turns = 0;
        while let Some(piece) = place {
            assert_eq!(piece.at, reached, "no gap");
            reached = piece.end(now);
            assert!(reached > piece.at && reached - piece.at <= 15 * 86_400, "at most 15 days");
            place = piece.next(now, turns % 2 == 0, vec![]);
            turns += 1;
        }
        assert_eq!(reached, now.timestamp() + 300, "up to now, and the channel's clock may be ahead");
        assert!(turns < 60, "{turns}");
    }
    assert!(Place::first(window("2026-11-24T12:00:00Z", "2026-11-24T12:00:00Z"), now).is_none());
    assert!(Place::first(window("2027-01-01T00:00:00Z", "2027-01-02T00:00:00Z"), now).is_none());
}

#[test]
fn halves_get_down_to_a_second_and_cursors_belong_to_their_window() {
    let now = at("2026-11-24T12:00:00Z");
    let hour = window("2026-11-24T11:00:00Z", "2026-11-24T12:00:00Z");
    let mut piece = Place::first(hour, now).unwrap();
    while let Some(half) = piece.half() {
        assert!(half.end(now) <= piece.end(now) && half.at == piece.at);
        piece = half;
    }
    assert_eq!(piece.end(now), piece.at + 1);
    let turned = piece.turned("20,x".to_owned(), vec!["a".to_owned()]);
    let cursor = turned.write().unwrap();
    assert_eq!(Place::read(&cursor, hour, now).unwrap(), turned);
    assert!(Place::read(&cursor, window("2026-11-24T11:00:00Z", "2026-11-24T12:00:01Z"), now).is_err());
    assert_eq!(turned.next(now, true, vec!["b".to_owned()]).unwrap().seen, ["a", "b"]);
    for text in [
        "",
        "20",
        "{}",
        "[]",
        "髙🌸",
        r#"{"window":[0,0],"at":0,"length":1,"cursor":null,"seen":[],"border":[]}"#,
    ] {
        assert!(Place::read(&PageCursor::new(text), hour, now).is_err(), "{text}");
    }
    let far = cursor.as_str().replace("\"length\":0", "\"length\":99");
    assert!(Place::read(&PageCursor::new(far), hour, now).is_err());
}

#[test]
fn an_order_belongs_to_the_window_of_its_making_or_its_payment() {
    let day = window("2025-11-24T00:00:00Z", "2025-11-25T00:00:00Z");
    let json = |create: &str, pay: &str, update: &str, status: &str| {
        row(status, &[item(1, 0, 1, "")], &[], "")
            .replace("1763978400", &at(create).timestamp().to_string())
            .replace("1763978460", pay)
            .replace("1763978500", &at(update).timestamp().to_string())
    };
    let paid = |text: &str| at(text).timestamp().to_string();
    for (create, pay, update, status, expected) in [
        ("2025-11-24T00:00:00Z", paid("2025-11-24T00:01:00Z"), "2025-11-24T00:01:00Z", "READY_TO_SHIP", true),
        (
            "2025-11-25T00:00:00Z",
            paid("2025-11-25T00:01:00Z"),
            "2025-11-25T00:01:00Z",
            "READY_TO_SHIP",
            false,
        ),
        ("2025-11-20T00:00:00Z", paid("2025-11-24T23:59:59Z"), "2025-11-26T00:00:00Z", "READY_TO_SHIP", true),
        (
            "2025-11-20T00:00:00Z",
            paid("2025-11-21T00:00:00Z"),
            "2025-11-24T12:00:00Z",
            "READY_TO_SHIP",
            false,
        ),
        ("2025-11-20T00:00:00Z", "null".to_owned(), "2025-11-24T12:00:00Z", "UNPAID", false),
        ("2025-11-24T10:00:00Z", "null".to_owned(), "2025-11-24T12:00:00Z", "UNPAID", true),
        ("2025-11-23T23:59:00Z", "0".to_owned(), "2025-11-24T00:10:00Z", "READY_TO_SHIP", true),
    ] {
        let order = order_from(&json(create, &pay, update, status));
        assert_eq!(became_sellers(&order, day), expected, "{create} {pay} {update} {status}");
    }
}

#[test]
fn what_was_read_last_wins_unless_it_only_lags_behind_our_own_shipment() {
    let open = plain("READY_TO_SHIP", "LOGISTICS_READY");
    let mut asked = open.clone();
    asked.cancel = CancelState::Requested;
    assert!(
        newest(open.clone(), &asked).supersedes(&asked),
        "a request that was taken back in the same second"
    );
    let mut shipped = open.clone();
    shipped.status = OrderStatus::Shipped;
    assert!(!newest(open.clone(), &shipped).supersedes(&shipped), "it takes the channel a moment");
    let mut older = open.clone();
    older.updated_at -= TimeDelta::hours(1);
    let data = OrderData { changed: 1, ..OrderData::default() };
    older.channel_data = ChannelData::new(&data).unwrap();
    assert!(!newest(older, &asked).supersedes(&asked), "an older state stays older");
}

#[test]
fn reasons_are_the_channels_or_none() {
    for (ours, region, theirs) in [
        (CancelReason::OutOfStock, "SG", Some("OUT_OF_STOCK")),
        (CancelReason::BuyerRequest, "SG", Some("CUSTOMER_REQUEST")),
        (CancelReason::CannotDeliver, "TW", Some("UNDELIVERABLE_AREA")),
        (CancelReason::CannotDeliver, "MY", Some("UNDELIVERABLE_AREA")),
        (CancelReason::CannotDeliver, "SG", None),
        (CancelReason::OrderChanged, "SG", None),
        (CancelReason::Delay, "SG", None),
    ] {
        assert_eq!(reason(ours, region), theirs);
    }
}

#[test]
fn what_is_kept_with_an_order_is_read_again() {
    let order = plain("READY_TO_SHIP", "LOGISTICS_READY");
    let data = order.channel_data.read::<OrderData>().unwrap();
    let key = Key { item_id: 1, model_id: 0, order_item_id: 1, promotion_group_id: 0 };
    let expected = Package {
        number: "P1".to_owned(),
        stage: Stage::Ready,
        carrier: "SPX".to_owned(),
        tracking: String::new(),
        contents: Contents::from([(key, 2)]),
    };
    assert_eq!((data.packages.as_slice(), data.region.as_str(), data.split), (&[expected][..], "SG", false));
    assert_eq!(order.lines[0].channel_data.read::<LineData>(), Some(LineData { key }));
}
