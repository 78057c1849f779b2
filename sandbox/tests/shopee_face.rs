//! The Shopee face over plain HTTP, as a client would that knows only the documentation.

// Helpers of tests are not marked as tests, and may fail like them.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Client;
use reqwest::redirect::Policy;
use sales_channels_sandbox::faces::shopee::{
    ACCESS_TOKEN, AUTH_CODE, CALLBACK_URL, Event, Gate, MAIN_ACCOUNT_ID, Masking, OTHER_ACCESS_TOKEN,
    OTHER_SELLER, OTHER_SHOP_ID, OrderChange, PARTNER_ID, PARTNER_KEY, PUSH_KEY, PushCall, PushKey,
    REFRESH_TOKEN, SHOP_ID, ShopEvent, Shopee, TokenError, Way, item_id, model_id, push_signature,
    request_signature,
};
use sales_channels_sandbox::market::{
    Action, Axis, DEFAULT_SELLER, ItemDraft, ItemId, ItemStatus, LineDraft, LineNumber, LineState, OptionId,
    OrderDraft, OrderNumber, Refusal,
};
use sales_channels_sandbox::{Amount, Market, Sandbox};
use serde_json::{Value, json};

const LIST: &str = "/api/v2/order/get_order_list";
const DETAIL: &str = "/api/v2/order/get_order_detail";
const PACKAGES: &str = "/api/v2/order/get_package_detail";
const QUEUE: &str = "/api/v2/order/search_package_list";
const SPLIT: &str = "/api/v2/order/split_order";
const CANCEL: &str = "/api/v2/order/cancel_order";
const HANDLE: &str = "/api/v2/order/handle_buyer_cancellation";
const PARAMETER: &str = "/api/v2/logistics/get_shipping_parameter";
const SHIP: &str = "/api/v2/logistics/ship_order";
const TRACKING: &str = "/api/v2/logistics/get_tracking_number";
const STOCK: &str = "/api/v2/product/update_stock";
const ITEMS: &str = "/api/v2/product/get_item_list";
const BASE_INFO: &str = "/api/v2/product/get_item_base_info";
const MODELS: &str = "/api/v2/product/get_model_list";
const INFO: &str = "/api/v2/shop/get_shop_info";
const GET_TOKEN: &str = "/api/v2/auth/token/get";
const REFRESH: &str = "/api/v2/auth/access_token/get";
const LOST: &str = "/api/v2/push/get_lost_push_message";
const ALL_FIELDS: &str = "buyer_user_id,buyer_username,estimated_shipping_fee,recipient_address,\
     actual_shipping_fee,goods_to_declare,note,note_update_time,item_list,pay_time,dropshipper,\
     dropshipper_phone,split_up,buyer_cancel_reason,cancel_by,cancel_reason,actual_shipping_fee_confirmed,\
     buyer_cpf_id,fulfillment_flag,pickup_done_time,package_list,shipping_carrier,payment_method,total_amount,\
     invoice_data,order_chargeable_weight_gram,return_request_due_date,edt,payment_info,\
     can_full_cancel_order,can_partial_cancel_order,checkout_shipping_carrier,reverse_shipping_fee";

/// Noon in Japan, 24 November 2026.
fn noon() -> DateTime<Utc> {
    "2026-11-24T03:00:00Z".parse().unwrap()
}

fn sample(name: &str) -> Value {
    let path = format!("{}/tests/samples/shopee/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Parameters of a call that are replaced, or left out.
type Change<'a> = &'a [(&'a str, Option<&'a str>)];

struct Shop {
    sandbox: Sandbox,
    face: Shopee,
    client: Client,
    token: String,
    shop_id: u64,
}

impl Shop {
    async fn open() -> Self {
        Self::open_with(Shopee::new()).await
    }

    async fn open_with(face: Shopee) -> Self {
        Self::open_at(face, noon()).await
    }

    async fn open_at(face: Shopee, now: DateTime<Utc>) -> Self {
        let sandbox = Sandbox::builder().face(face.clone()).now(now).start().await.unwrap();
        let client = Client::builder().redirect(Policy::none()).build().unwrap();
        Self { sandbox, face, client, token: ACCESS_TOKEN.into(), shop_id: SHOP_ID }
    }

    fn market(&self) -> &Market {
        self.sandbox.market()
    }

    fn now(&self) -> i64 {
        self.sandbox.clock().now().timestamp()
    }

    async fn send(&self, method: &str, path: &str, query: &[(String, String)], body: &str) -> (u16, Value) {
        let address = format!("{}{path}", self.sandbox.base_url("shopee").unwrap());
        let url = reqwest::Url::parse_with_params(&address, query).unwrap();
        let request = self.client.request(method.parse().unwrap(), url);
        let response =
            request.header("content-type", "application/json").body(body.to_owned()).send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    /// The parameters that every call has; `of_shop` says which of the two kinds of signature.
    fn common(&self, path: &str, of_shop: bool) -> Vec<(String, String)> {
        let shop = of_shop.then_some((self.token.as_str(), self.shop_id));
        let sign = request_signature(PARTNER_KEY, PARTNER_ID, path, self.now(), shop);
        let mut query = owned(&[
            ("partner_id", &PARTNER_ID.to_string()),
            ("timestamp", &self.now().to_string()),
            ("sign", &sign),
        ]);
        if of_shop {
            query.extend(owned(&[("access_token", &self.token), ("shop_id", &self.shop_id.to_string())]));
        }
        query
    }

    async fn get(&self, path: &str, query: &[(&str, &str)]) -> Value {
        let all = [self.common(path, true), owned(query)].concat();
        self.send("GET", path, &all, "").await.1
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        self.send("POST", path, &self.common(path, true), &body.to_string()).await.1
    }

    async fn public(&self, method: &str, path: &str, query: &[(&str, &str)], body: Value) -> Value {
        let all = [self.common(path, false), owned(query)].concat();
        let body = if method == "GET" { String::new() } else { body.to_string() };
        self.send(method, path, &all, &body).await.1
    }

    async fn refresh(&self, token: &str, shop_id: u64) -> Value {
        let body = json!({ "refresh_token": token, "partner_id": PARTNER_ID, "shop_id": shop_id });
        self.public("POST", REFRESH, &[], body).await
    }

    async fn list_of(&self, query: &[(&str, &str)]) -> Value {
        let (from, to) = ((self.now() - 86_400).to_string(), self.now().to_string());
        let base = [
            ("time_range_field", "update_time"),
            ("time_from", from.as_str()),
            ("time_to", &to),
            ("page_size", "100"),
            ("response_optional_fields", "order_status"),
        ];
        let kept = base.iter().filter(|(name, _)| query.iter().all(|(n, _)| n != name));
        let all: Vec<(&str, &str)> = kept.chain(query).copied().collect();
        self.get(LIST, &all).await
    }

    async fn listed(&self, query: &[(&str, &str)]) -> Vec<String> {
        let answer = self.list_of(query).await;
        sns(&response(&answer)["order_list"])
    }

    /// A paid order of lines with so many units each.
    fn place(&self, units: &[u32]) -> OrderNumber {
        let line = |(at, units): (usize, &u32)| {
            LineDraft::unlisted(&format!("SKU-{at}"), "キャップ 🧢", Amount::whole(1000), *units)
        };
        let draft = OrderDraft::of(units.iter().enumerate().map(line).collect());
        self.market().buyer().place(draft).unwrap()
    }

    fn sn(&self, order: OrderNumber) -> String {
        self.face.sn(order).unwrap()
    }

    fn line(&self, order: OrderNumber) -> LineNumber {
        self.market().lines_of(order)[0]
    }

    async fn shown(&self, order: OrderNumber) -> Value {
        let sn = self.sn(order);
        let query = [
            ("order_sn_list", sn.as_str()),
            ("response_optional_fields", ALL_FIELDS),
            ("request_order_status_pending", "true"),
        ];
        response(&self.get(DETAIL, &query).await)["order_list"][0].clone()
    }

    async fn status(&self, order: OrderNumber) -> String {
        text(&self.shown(order).await["order_status"])
    }

    async fn packages(&self, order: OrderNumber) -> Vec<String> {
        let shown = self.shown(order).await;
        let rows = shown["package_list"].as_array().unwrap();
        rows.iter().map(|row| text(&row["package_number"])).collect()
    }

    async fn parameter(&self, order: OrderNumber) -> Value {
        self.get(PARAMETER, &[("order_sn", &self.sn(order))]).await
    }

    async fn ship(&self, order: OrderNumber, handover: Value) -> Value {
        let mut body = handover;
        body["order_sn"] = json!(self.sn(order));
        self.post(SHIP, body).await
    }

    async fn tracking(&self, order: OrderNumber) -> String {
        let answer = self.get(TRACKING, &[("order_sn", &self.sn(order))]).await;
        text(&response(&answer)["tracking_number"])
    }

    fn simple(&self, quantity: i64) -> ItemId {
        let draft = ItemDraft::simple("CAP-02", "キャップ", Amount::whole(2480), quantity);
        self.market().list(draft).unwrap()
    }

    fn shirt(&self) -> (ItemId, Vec<OptionId>) {
        let mut draft = ItemDraft::simple("TEE", "T-shirt", Amount::whole(50), 0);
        for (colour, size) in [("Black", "M"), ("Black", "L"), ("White", "M")] {
            let axes = vec![Axis::new("Color", colour), Axis::new("Size", size)];
            draft = draft.with_option(axes, &format!("TEE-{colour}-{size}"), 5);
        }
        let item = self.market().list(draft).unwrap();
        (item, self.market().item(item).unwrap().options.iter().map(|option| option.id).collect())
    }

    async fn set_stock(&self, item: ItemId, rows: Value) -> Value {
        self.post(STOCK, json!({ "item_id": item_id(item), "stock_list": rows })).await
    }
}

fn owned(query: &[(&str, &str)]) -> Vec<(String, String)> {
    query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

fn error(answer: &Value) -> String {
    text(&answer["error"])
}

fn sns(rows: &Value) -> Vec<String> {
    rows.as_array().unwrap().iter().map(|row| text(&row["order_sn"])).collect()
}

/// An answer that must have gone well.
fn good(answer: &Value) -> &Value {
    assert_eq!(answer["error"], "", "{answer}");
    assert_eq!(answer["message"], "");
    assert_eq!(answer["request_id"].as_str().unwrap().len(), 32);
    answer
}

fn response(answer: &Value) -> &Value {
    &good(answer)["response"]
}

fn names(value: &Value) -> BTreeSet<String> {
    value.as_object().unwrap_or_else(|| panic!("no object: {value}")).keys().cloned().collect()
}

/// Every field of the sample is there.
fn has_fields_of(shown: &Value, sample: &Value) {
    let missing: Vec<String> = names(sample).difference(&names(shown)).cloned().collect();
    assert!(missing.is_empty(), "missing {missing:?} in {shown}");
}

fn pickup_of(parameter: &Value) -> Value {
    let address = &response(parameter)["pickup"]["address_list"][0];
    let slot = &address["time_slot_list"][0]["pickup_time_id"];
    json!({ "pickup": { "address_id": address["address_id"], "pickup_time_id": slot } })
}

fn dropoff() -> Value {
    json!({ "dropoff": {} })
}

// Signatures and the checks before every call

#[tokio::test]
async fn signature_vectors_of_the_documentation_are_accepted_and_a_changed_byte_is_not() {
    let shop = Shop::open().await;
    shop.sandbox.set_now(DateTime::from_timestamp(1_793_520_000, 0).unwrap());
    let vectors = sample("signature_vectors");
    let mut checked = 0;
    for vector in vectors.as_array().unwrap().iter().filter(|vector| vector["kind"] != "push") {
        let path = text(&vector["path"]);
        let method =
            if path.contains("get_order_list") || path.contains("auth_partner") { "GET" } else { "POST" };
        let mut query = owned(&[("partner_id", "2001887"), ("timestamp", "1793520000")]);
        if vector["kind"] == "shop" {
            query.extend(owned(&[("access_token", ACCESS_TOKEN), ("shop_id", "322300222")]));
        }
        let sign = text(&vector["sign"]);
        let signed = [query.clone(), owned(&[("sign", &sign)])].concat();
        let (_, answer) = shop.send(method, &path, &signed, "{}").await;
        // The signature is good, so the first thing that is wrong is a parameter.
        assert!(
            ["error_param", "product.error_param"].contains(&error(&answer).as_str()),
            "{path}: {answer}"
        );
        assert!(!answer["message"].as_str().unwrap().contains("sign"), "{answer}");
        for changed in
            [sign.replacen(&sign[..1], if sign.starts_with('0') { "1" } else { "0" }, 1), sign.to_uppercase()]
        {
            let signed = [query.clone(), owned(&[("sign", &changed)])].concat();
            let (_, answer) = shop.send(method, &path, &signed, "{}").await;
            assert_eq!(
                (error(&answer), text(&answer["message"])),
                ("error_sign".into(), "Wrong sign.".into())
            );
        }
        checked += 1;
    }
    assert_eq!(checked, 5);
}

#[tokio::test]
async fn calls_without_what_every_call_needs_are_refused_with_its_code() {
    let shop = Shop::open().await;
    let refused = async |change: Change<'_>| {
        let mut query = shop.common(INFO, true);
        for (name, value) in change {
            query.retain(|(n, _)| n != name);
            query.extend(value.map(|value| ((*name).to_owned(), value.to_owned())));
        }
        let (status, answer) = shop.send("GET", INFO, &query, "").await;
        assert_eq!(status, 200);
        (error(&answer), text(&answer["message"]))
    };
    let late = (shop.now() - 301).to_string();
    let early = (shop.now() + 301).to_string();
    let cases: [(Change<'_>, &str, &str); 13] = [
        (&[("partner_id", None)], "error_param", "There is no partner_id in query."),
        (&[("partner_id", Some("x"))], "error_param", "Partner_id is invalid"),
        (&[("partner_id", Some("4294967296"))], "error_param", "Partner_id is invalid"),
        (&[("partner_id", Some("1"))], "invalid_partner_id", "Invalid partner_id"),
        (&[("timestamp", None)], "error_param", "no timestamp."),
        (&[("timestamp", Some("soon"))], "error_param", "Timestamp is invalid"),
        (&[("timestamp", Some(&late))], "error_param", "Timestamp is expired."),
        (&[("timestamp", Some(&early))], "error_param", "Timestamp is expired."),
        (&[("sign", None)], "error_param", "There is no sign in query."),
        (&[("access_token", None)], "error_param", "There is no access_token in query."),
        (&[("shop_id", None)], "error_param", "There is no shop_id in query."),
        (&[("shop_id", Some("x"))], "error_param", "shop_id is invalid"),
        (&[("shop_id", Some("322300223"))], "error_sign", "Wrong sign."),
    ];
    for (change, code, message) in cases {
        let (found, text) = refused(change).await;
        assert_eq!(found, code, "{change:?}");
        assert!(text.starts_with(message), "{change:?}: {text}");
    }
}

#[tokio::test]
async fn a_timestamp_of_5_minutes_is_still_good() {
    let shop = Shop::open().await;
    let query = shop.common(INFO, true);
    shop.sandbox.advance(TimeDelta::seconds(300));
    good(&shop.send("GET", INFO, &query, "").await.1);
    shop.sandbox.advance(TimeDelta::seconds(1));
    assert_eq!(shop.send("GET", INFO, &query, "").await.1["message"], "Timestamp is expired.");
}

#[tokio::test]
async fn a_public_signature_is_not_good_for_a_shop_call_nor_the_other_way_round() {
    let shop = Shop::open().await;
    let with_shop = |mut query: Vec<(String, String)>| {
        query.extend(owned(&[("access_token", ACCESS_TOKEN), ("shop_id", &SHOP_ID.to_string())]));
        query
    };
    let public = with_shop(shop.common(INFO, false));
    assert_eq!(error(&shop.send("GET", INFO, &public, "").await.1), "error_sign");
    let of_shop = shop.common(LOST, true);
    assert_eq!(error(&shop.send("GET", LOST, &of_shop, "").await.1), "error_sign");
}

#[tokio::test]
async fn unknown_paths_wrong_methods_and_the_first_version_are_refused() {
    let shop = Shop::open().await;
    let offline = "Permission denied. This API is currently offline or the request path is incorrect.";
    for (method, path) in [("GET", "/api/v2/order/nothing"), ("POST", LIST), ("GET", SHIP), ("GET", "/")] {
        let (_, answer) = shop.send(method, path, &shop.common(path, true), "{}").await;
        assert_eq!(
            (error(&answer), text(&answer["message"])),
            ("error_param".into(), offline.into()),
            "{path}"
        );
    }
    let (_, answer) = shop.send("POST", "/api/v1/orders/basics", &[], "{}").await;
    assert_eq!(error(&answer), "api_suspended");
}

#[tokio::test]
async fn errors_look_as_the_switches_say() {
    let shop = Shop::open_with(Shopee::new().error_status(403).stray_spaces().prefixed_errors()).await;
    let (status, answer) = shop.send("GET", DETAIL, &shop.common(DETAIL, true), "").await;
    assert_eq!((status, error(&answer)), (403, " common.error_param\t".into()));
    let query =
        [("time_range_field", "create_time"), ("time_from", "2"), ("time_to", "1"), ("page_size", "1")];
    assert_eq!(error(&shop.get(LIST, &query).await), " order.order_list_invalid_time\t");
}

#[tokio::test]
async fn a_closed_gate_answers_with_the_apps_trouble() {
    for (gate, code, public) in [
        (Gate::KeyExpired, "error_partner_key_expired", true),
        (Gate::AddressRefused, "source_ip_undeclared", true),
        (Gate::NoPermission, "error_api_permission", true),
        (Gate::Restricted, "error_api_call_restricted", true),
        (Gate::ShopBanned, "shop_banned", false),
    ] {
        let shop = Shop::open_with(Shopee::new().gate(gate)).await;
        assert_eq!(error(&shop.get(INFO, &[]).await), code);
        let answer = shop.public("GET", "/api/v2/public/get_shops_by_partner", &[], json!({})).await;
        assert_eq!(answer["error"] == code, public, "{answer}");
    }
}

#[tokio::test]
async fn limits_are_enforced_when_switched_on_and_end_with_their_window() {
    let shop = Shop::open_with(Shopee::new().rate_limit(2)).await;
    for expected in ["", "", "error_rate_limit", "error_rate_limit"] {
        assert_eq!(error(&shop.get(INFO, &[]).await), expected);
    }
    shop.sandbox.advance(TimeDelta::seconds(1));
    good(&shop.get(INFO, &[]).await);

    // The day begins at 00:00 UTC+8, 16:00 UTC.
    let evening = "2026-11-24T15:59:59Z".parse().unwrap();
    let shop = Shop::open_at(Shopee::new().daily_limit(1), evening).await;
    good(&shop.get(INFO, &[]).await);
    assert_eq!(error(&shop.get(INFO, &[]).await), "error_limit");
    shop.sandbox.advance(TimeDelta::seconds(1));
    good(&shop.get(INFO, &[]).await);
}

// Tokens

#[tokio::test]
async fn a_code_is_exchanged_once_within_10_minutes() {
    let shop = Shop::open().await;
    let exchange = async |code: &str, more: Value| {
        let mut body = json!({ "code": code, "partner_id": PARTNER_ID });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        shop.public("POST", GET_TOKEN, &[], body).await
    };
    let of_shop = || json!({ "shop_id": SHOP_ID });
    assert_eq!(error(&exchange(AUTH_CODE, json!({ "shop_id": OTHER_SHOP_ID })).await), "invalid_shop_id");
    assert_eq!(
        error(&exchange(AUTH_CODE, json!({ "partner_id": 1, "shop_id": SHOP_ID })).await),
        "invalid_partner_id"
    );
    let as_text = json!({ "partner_id": PARTNER_ID.to_string(), "shop_id": SHOP_ID });
    assert_eq!(error(&exchange(AUTH_CODE, as_text).await), "error_param");
    let answer = exchange(AUTH_CODE, of_shop()).await;
    assert_eq!(good(&answer)["expire_in"], 14_400);
    assert_eq!(answer["shop_id_list"], json!([SHOP_ID]));
    assert!(answer.get("response").is_none());
    assert_eq!(error(&exchange(AUTH_CODE, of_shop()).await), "invalid_code");
    let late = shop.face.authorize(DEFAULT_SELLER, 365).unwrap();
    shop.sandbox.advance(TimeDelta::minutes(10));
    assert_eq!(error(&exchange(&late, of_shop()).await), "invalid_code");
    assert_eq!(error(&exchange("", of_shop()).await), "error_param");
}

#[tokio::test]
async fn a_refresh_gives_a_new_pair_and_the_old_refresh_token_is_dead_at_once() {
    let mut shop = Shop::open().await;
    let first = shop.refresh(REFRESH_TOKEN, SHOP_ID).await;
    has_fields_of(good(&first), &sample("token_refresh.response"));
    assert_eq!((&first["expire_in"], &first["shop_id"]), (&json!(14_400), &json!(SHOP_ID)));
    assert_ne!(first["refresh_token"], REFRESH_TOKEN);
    assert_eq!(error(&shop.refresh(REFRESH_TOKEN, SHOP_ID).await), "error_shop_refresh_token");
    good(&shop.get(INFO, &[]).await);
    shop.token = text(&first["access_token"]);
    good(&shop.get(INFO, &[]).await);
    let second = shop.refresh(&text(&first["refresh_token"]), SHOP_ID).await;
    assert_ne!(good(&second)["access_token"], first["access_token"]);
}

#[tokio::test]
async fn the_old_access_token_works_5_more_minutes_after_a_refresh() {
    let shop = Shop::open().await;
    good(&shop.refresh(REFRESH_TOKEN, SHOP_ID).await);
    shop.sandbox.advance(TimeDelta::seconds(299));
    good(&shop.get(INFO, &[]).await);
    shop.sandbox.advance(TimeDelta::seconds(1));
    assert_eq!(error(&shop.get(INFO, &[]).await), "invalid_acceess_token");
}

#[tokio::test]
async fn an_access_token_lives_4_hours_and_a_refresh_token_30_days() {
    for (spelling, code) in [
        (TokenError::Misspelled, "invalid_acceess_token"),
        (TokenError::Spelled, "invalid_access_token"),
        (TokenError::Auth, "error_auth"),
    ] {
        let mut shop = Shop::open_with(Shopee::new().token_error(spelling)).await;
        shop.sandbox.advance(TimeDelta::seconds(14_399));
        good(&shop.get(INFO, &[]).await);
        shop.sandbox.advance(TimeDelta::seconds(1));
        assert_eq!(error(&shop.get(INFO, &[]).await), code);
        shop.token = "made up".into();
        assert_eq!(error(&shop.get(INFO, &[]).await), code);
    }
    let shop = Shop::open().await;
    shop.sandbox.advance(TimeDelta::days(30));
    assert_eq!(error(&shop.refresh(REFRESH_TOKEN, SHOP_ID).await), "refresh_token_expired");
}

#[tokio::test]
async fn a_refresh_token_is_good_for_its_shop_only_and_for_one_kind_of_account() {
    let shop = Shop::open().await;
    assert_eq!(error(&shop.refresh(REFRESH_TOKEN, OTHER_SHOP_ID).await), "error_shop_refresh_token");
    assert_eq!(error(&shop.refresh(REFRESH_TOKEN, 1).await), "partner_shop_no_link");
    let body = |more: Value| {
        let mut body = json!({ "refresh_token": REFRESH_TOKEN, "partner_id": PARTNER_ID });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    for (more, code) in [
        (json!({}), "error_param"),
        (json!({ "shop_id": SHOP_ID, "merchant_id": 1 }), "error_param"),
        (json!({ "shop_id": SHOP_ID.to_string() }), "error_param"),
        (json!({ "merchant_id": 1 }), "error_merchant_refresh_token"),
        (json!({ "shop_id": SHOP_ID, "partner_id": 1 }), "invalid_partner_id"),
    ] {
        assert_eq!(error(&shop.public("POST", REFRESH, &[], body(more)).await), code);
    }
    good(&shop.refresh(REFRESH_TOKEN, SHOP_ID).await);
}

#[tokio::test]
async fn the_first_refresh_token_of_a_main_account_is_good_once_for_each_shop() {
    let mut shop = Shop::open().await;
    let code = shop.face.authorize_main_account(365).unwrap();
    let body = |more: (&str, u64)| json!({ "code": code, "partner_id": PARTNER_ID, more.0: more.1 });
    let wrong = shop.public("POST", GET_TOKEN, &[], body(("shop_id", SHOP_ID))).await;
    assert_eq!(error(&wrong), "invalid_main_acount_id");
    let answer = shop.public("POST", GET_TOKEN, &[], body(("main_account_id", MAIN_ACCOUNT_ID))).await;
    assert_eq!(good(&answer)["shop_id_list"], json!([SHOP_ID, OTHER_SHOP_ID]));
    let common = text(&answer["refresh_token"]);
    let of_first = shop.refresh(&common, SHOP_ID).await;
    let of_other = shop.refresh(&common, OTHER_SHOP_ID).await;
    assert_ne!(good(&of_first)["refresh_token"], good(&of_other)["refresh_token"]);
    assert_eq!(error(&shop.refresh(&common, SHOP_ID).await), "error_shop_refresh_token");
    shop.token = text(&of_first["access_token"]);
    shop.shop_id = OTHER_SHOP_ID;
    assert_eq!(error(&shop.get(INFO, &[]).await), "invalid_acceess_token");
}

#[tokio::test]
async fn a_resend_code_gives_tokens_once() {
    let shop = Shop::open().await;
    let path = "/api/v2/public/get_token_by_resend_code";
    let code = shop.face.resend_code(DEFAULT_SELLER).unwrap();
    let answer = shop.public("POST", path, &[], json!({ "resend_code": code })).await;
    assert_eq!(good(&answer)["shop_id_list"], json!([SHOP_ID]));
    assert_eq!(error(&shop.public("POST", path, &[], json!({ "resend_code": code })).await), "error_auth");
    good(&shop.refresh(&text(&answer["refresh_token"]), SHOP_ID).await);
}

#[tokio::test]
async fn an_authorization_ends_at_its_expire_time_and_when_the_seller_takes_it_back() {
    let mut shop = Shop::open().await;
    let code = shop.face.authorize(DEFAULT_SELLER, 7).unwrap();
    let body = json!({ "code": code, "partner_id": PARTNER_ID, "shop_id": SHOP_ID });
    let tokens = shop.public("POST", GET_TOKEN, &[], body).await;
    shop.token = text(&good(&tokens)["access_token"]);
    let info = shop.get(INFO, &[]).await;
    has_fields_of(good(&info), &sample("get_shop_info.response"));
    assert_eq!(info["expire_time"], shop.now() + 7 * 86_400);
    let shops =
        shop.public("GET", "/api/v2/public/get_shops_by_partner", &[("page_size", "1")], json!({})).await;
    assert_eq!(
        (&shops["authed_shop_list"][0]["expire_time"], &shops["more"]),
        (&info["expire_time"], &json!(true))
    );
    let second = [("page_size", "1"), ("page_no", "2")];
    let shops = shop.public("GET", "/api/v2/public/get_shops_by_partner", &second, json!({})).await;
    assert_eq!(
        (&shops["authed_shop_list"][0]["shop_id"], &shops["more"]),
        (&json!(OTHER_SHOP_ID), &json!(false))
    );

    shop.sandbox.advance(TimeDelta::days(7));
    assert_eq!(error(&shop.get(INFO, &[]).await), "shop_access_expired");
    assert_eq!(error(&shop.refresh(&text(&tokens["refresh_token"]), SHOP_ID).await), "shop_access_expired");
    shop.face.deauthorize(OTHER_SELLER);
    (shop.token, shop.shop_id) = (OTHER_ACCESS_TOKEN.into(), OTHER_SHOP_ID);
    assert_eq!(error(&shop.get(INFO, &[]).await), "shop_no_linked");
}

#[tokio::test]
async fn both_links_lead_back_with_a_code_that_is_good() {
    let shop = Shop::open().await;
    let base = shop.sandbox.base_url("shopee").unwrap();
    let back = "https://app.example/back?x=1";
    let signed = [shop.common("/api/v2/shop/auth_partner", false), owned(&[("redirect", back)])].concat();
    let current = owned(&[
        ("partner_id", &PARTNER_ID.to_string()),
        ("auth_type", "seller"),
        ("redirect_uri", back),
        ("response_type", "code"),
        ("state", "s p"),
    ]);
    for (path, query, state) in [("/api/v2/shop/auth_partner", signed, None), ("/auth", current, Some("s p"))]
    {
        let url = reqwest::Url::parse_with_params(&format!("{base}{path}"), query).unwrap();
        let answer = shop.client.get(url).send().await.unwrap();
        assert_eq!(answer.status(), 302);
        let to = reqwest::Url::parse(answer.headers()["location"].to_str().unwrap()).unwrap();
        let of = |name: &str| to.query_pairs().find(|(n, _)| n == name).map(|(_, value)| value.into_owned());
        assert_eq!((to.host_str(), of("x").as_deref()), (Some("app.example"), Some("1")));
        assert_eq!(of("state").as_deref(), state);
        let body = json!({ "code": of("code").unwrap(), "partner_id": PARTNER_ID, "shop_id": SHOP_ID });
        assert_eq!(of("shop_id").unwrap(), SHOP_ID.to_string());
        good(&shop.public("POST", GET_TOKEN, &[], body).await);
    }
    let ranges = shop.public("GET", "/api/v2/public/get_shopee_ip_ranges", &[], json!({})).await;
    assert!(!good(&ranges)["ip_list"].as_array().unwrap().is_empty());
}

// Orders

#[tokio::test]
async fn the_list_checks_its_parameters() {
    let shop = Shop::open().await;
    let days = |days: i64| (shop.now() - days * 86_400).to_string();
    let (now, too_long, longest) = (days(0), (shop.now() - 15 * 86_400 - 1).to_string(), days(15));
    let cases: [(&[(&str, &str)], &str); 11] = [
        (&[("time_range_field", "")], "error_param"),
        (&[("time_range_field", "pay_time")], "error_param"),
        (&[("time_from", "")], "error_param"),
        (&[("time_to", "today")], "error_param"),
        (&[("page_size", "0")], "error_param"),
        (&[("page_size", "101")], "error_param"),
        (&[("order_status", "TO_CONFIRM_RECEIVE")], "error_param"),
        (&[("request_order_status_pending", "1")], "error_param"),
        (&[("cursor", "20")], "error_param"),
        (&[("time_from", &too_long)], "order.order_list_invalid_time"),
        (&[("time_from", &now), ("time_to", &longest)], "order.order_list_invalid_time"),
    ];
    for (query, code) in cases {
        assert_eq!(error(&shop.list_of(query).await), code, "{query:?}");
    }
    assert_eq!(
        shop.list_of(&[("time_from", &too_long)]).await["message"],
        sample("error_time_window.response")["message"]
    );
    good(&shop.list_of(&[("time_from", &longest)]).await);
}

#[tokio::test]
async fn pages_show_every_order_once_newest_first_also_while_orders_come_in() {
    let shop = Shop::open_with(Shopee::new().page_size(2)).await;
    let mut placed = Vec::new();
    for _ in 0..5 {
        placed.push(shop.sn(shop.place(&[1])));
    }
    let (mut seen, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let answer = shop.list_of(&[("cursor", &cursor)]).await;
        let page = response(&answer);
        seen.extend(sns(&page["order_list"]));
        cursor = text(&page["next_cursor"]);
        pages += 1;
        if page["more"] == false {
            break;
        }
        shop.sandbox.advance(TimeDelta::seconds(1));
        shop.place(&[1]);
    }
    placed.reverse();
    assert_eq!((seen, cursor.as_str(), pages), (placed, "", 3));
}

#[tokio::test]
async fn the_list_goes_by_the_time_that_is_asked_for() {
    let shop = Shop::open().await;
    let order = shop.place(&[1]);
    shop.sandbox.advance(TimeDelta::hours(1));
    shop.post("/api/v2/order/set_note", json!({ "order_sn": shop.sn(order), "note": "wrap it" })).await;
    let (from, to) = ((shop.now() - 60).to_string(), shop.now().to_string());
    let recent = [("time_from", from.as_str()), ("time_to", to.as_str())];
    assert_eq!(shop.listed(&recent).await, [shop.sn(order)]);
    let by_creation = [recent[0], recent[1], ("time_range_field", "create_time")];
    assert!(shop.listed(&by_creation).await.is_empty());
    let shown = shop.shown(order).await;
    assert_eq!((&shown["note"], &shown["note_update_time"]), (&json!("wrap it"), &json!(shop.now())));
    for (body, code) in [
        (json!({ "order_sn": shop.sn(order) }), "error_param"),
        (json!({ "order_sn": "201218V2Y6E59M", "note": "x" }), "error_not_found"),
    ] {
        assert_eq!(error(&shop.post("/api/v2/order/set_note", body).await), code);
    }
}

#[tokio::test]
async fn the_list_gives_the_status_only_when_asked_and_filters_by_one() {
    let shop = Shop::open().await;
    let new = shop.place(&[1]);
    let sent = shop.place(&[1]);
    good(&shop.ship(sent, dropoff()).await);
    let unpaid = OrderDraft { unpaid: true, ..OrderDraft::example() };
    let unpaid = shop.market().buyer().place(unpaid).unwrap();
    for (status, order) in [("READY_TO_SHIP", new), ("PROCESSED", sent), ("UNPAID", unpaid)] {
        assert_eq!(shop.listed(&[("order_status", status)]).await, [shop.sn(order)], "{status}");
    }
    let bare = shop.list_of(&[("response_optional_fields", "")]).await;
    assert!(response(&bare)["order_list"].as_array().unwrap().iter().all(|row| names(row).len() == 1));
    let named = shop.list_of(&[]).await;
    assert_eq!(
        response(&named)["order_list"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|row| row["order_status"] == "PROCESSED")
            .count(),
        1
    );
}

#[tokio::test]
async fn pending_orders_are_ready_to_ship_to_those_who_do_not_ask_for_them() {
    let shop = Shop::open_with(Shopee::new().pending_seconds(600)).await;
    let order = shop.place(&[1]);
    let sn = shop.sn(order);
    assert_eq!(shop.listed(&[("order_status", "READY_TO_SHIP")]).await, [sn.as_str()]);
    let asking = [("order_status", "READY_TO_SHIP"), ("request_order_status_pending", "true")];
    assert!(shop.listed(&asking).await.is_empty());
    let shown = shop.shown(order).await;
    assert_eq!(
        (&shown["order_status"], &shown["pending_terms"]),
        (&json!("PENDING"), &json!(["SYSTEM_PENDING"]))
    );
    assert_eq!(shown["package_list"][0]["logistics_status"], "LOGISTICS_PENDING_ARRANGE");
    let old = shop.get(DETAIL, &[("order_sn_list", &sn)]).await;
    let old = &response(&old)["order_list"][0];
    assert_eq!((&old["order_status"], old.get("pending_terms")), (&json!("READY_TO_SHIP"), None));
    assert_eq!(error(&shop.ship(order, dropoff()).await), "logistics.ship_order_not_ready_to_ship");
    // Its end is a change like any other.
    shop.sandbox.advance(TimeDelta::seconds(600));
    let (from, to) = (shop.now().to_string(), (shop.now() + 1).to_string());
    assert_eq!(shop.listed(&[("time_from", &from), ("time_to", &to)]).await, [sn]);
    assert_eq!(shop.status(order).await, "READY_TO_SHIP");
}

#[tokio::test]
async fn the_detail_gives_default_fields_and_those_that_are_named() {
    let shop = Shop::open().await;
    let (shirt, options) = shop.shirt();
    let cap = shop.simple(10);
    let mut draft = OrderDraft::of(vec![LineDraft::of(cap, 1), LineDraft::of_option(shirt, options[0], 2)]);
    draft.shipping_fee = Amount::whole(4);
    draft.message = "please pack well".into();
    draft.lines[1].discount = Amount::whole(10);
    let order = shop.market().buyer().place(draft).unwrap();
    let sn = shop.sn(order);
    let bare = shop.get(DETAIL, &[("order_sn_list", &sn)]).await;
    let expected = "order_sn region currency cod order_status message_to_seller create_time update_time \
        days_to_ship ship_by_date";
    let expected: BTreeSet<String> = expected.split_whitespace().map(str::to_owned).collect();
    assert_eq!(names(&response(&bare)["order_list"][0]), expected);

    let shown = shop.shown(order).await;
    let sample = sample("get_order_detail_ready_to_ship.response");
    let sample = &sample["response"]["order_list"][0];
    has_fields_of(&shown, sample);
    has_fields_of(&shown["item_list"][1], &sample["item_list"][1]);
    has_fields_of(&shown["package_list"][0], &sample["package_list"][0]);
    has_fields_of(&shown["package_list"][0]["item_list"][0], &sample["package_list"][0]["item_list"][0]);
    has_fields_of(&shown["recipient_address"], &sample["recipient_address"]);
    assert_eq!((&shown["total_amount"], &shown["order_status"]), (&json!(2574), &json!("READY_TO_SHIP")));
    assert_eq!(shown["pay_time"], shop.now());
    assert_eq!(shown["ship_by_date"], shop.now() + 2 * 86_400);
    let line = &shown["item_list"][1];
    assert_eq!((&line["item_id"], &line["model_id"]), (&json!(item_id(shirt)), &json!(model_id(options[0]))));
    assert_eq!((&line["model_sku"], &line["model_name"]), (&json!("TEE-Black-M"), &json!("Black,M")));
    assert_eq!((&line["model_original_price"], &line["model_discounted_price"]), (&json!(50), &json!(45)));
    assert_eq!(shown["item_list"][0]["model_id"], 0);
    assert_eq!(shown["package_list"][0]["logistics_status"], "LOGISTICS_READY");
    assert_eq!(shown["recipient_address"]["name"], "山田 花子");
}

#[tokio::test]
async fn the_detail_takes_1_to_50_and_warns_of_those_it_does_not_find() {
    let shop = Shop::open().await;
    let sn = shop.sn(shop.place(&[1]));
    let too_many = vec![sn.as_str(); 51].join(",");
    for (list, code) in
        [("", "error_param"), (too_many.as_str(), "error_param"), ("201218V2Y6E59M", "error_not_found")]
    {
        assert_eq!(error(&shop.get(DETAIL, &[("order_sn_list", list)]).await), code);
    }
    let both = format!("{sn},201218V2Y6E59M,{sn}");
    let answer = shop.get(DETAIL, &[("order_sn_list", &both)]).await;
    assert_eq!(sns(&response(&answer)["order_list"]), [sn]);
    assert!(answer["warning"][0].as_str().unwrap().contains("201218V2Y6E59M"));
}

#[tokio::test]
async fn two_lines_of_the_same_goods_are_told_apart() {
    let shop = Shop::open().await;
    let cap = shop.simple(10);
    let draft = OrderDraft::of(vec![LineDraft::of(cap, 1), LineDraft::of(cap, 2)]);
    let order = shop.market().buyer().place(draft).unwrap();
    let shown = shop.shown(order).await;
    let (first, second) = (&shown["item_list"][0], &shown["item_list"][1]);
    assert_eq!(first["item_id"], second["item_id"]);
    assert_ne!(first["line_item_id"], second["line_item_id"]);
    assert_ne!(first["order_item_id"], second["order_item_id"]);
    assert_eq!(
        (&second["promotion_type"], &second["model_discounted_price"]),
        (&json!("bundle_deal"), &json!(0))
    );
    let old = shop.face.clone().without_line_item_ids();
    assert!(shop.shown(order).await["item_list"][0].get("line_item_id").is_none());
    drop(old);
}

#[tokio::test]
async fn recipients_are_masked_as_switched() {
    let shop = Shop::open_with(Shopee::new().masking(Masking::Partly)).await;
    let order = shop.place(&[1]);
    let address = shop.shown(order).await["recipient_address"].clone();
    assert_eq!((&address["name"], &address["phone"]), (&json!("山******子"), &json!("******01")));
    assert!(address["full_address"].as_str().unwrap().ends_with("******"));
    let _ = shop.face.clone().masking(Masking::Whole);
    let address = shop.shown(order).await["recipient_address"].clone();
    for field in ["name", "phone", "zipcode", "full_address", "city", "state", "region"] {
        assert_eq!(address[field], "****", "{field}");
    }
}

#[tokio::test]
async fn a_cod_order_is_ready_to_ship_without_a_pay_time() {
    let shop = Shop::open().await;
    let draft = OrderDraft { payment_method: "Cash on Delivery".into(), ..OrderDraft::example() };
    let order = shop.market().buyer().place(draft).unwrap();
    let shown = shop.shown(order).await;
    assert_eq!(
        (&shown["cod"], &shown["order_status"], shown.get("pay_time")),
        (&json!(true), &json!("READY_TO_SHIP"), None)
    );
}

#[tokio::test]
async fn another_sellers_orders_are_not_there() {
    let shop = Shop::open().await;
    let draft = OrderDraft { seller: OTHER_SELLER.into(), ..OrderDraft::example() };
    let order = shop.market().buyer().place(draft).unwrap();
    let sn = shop.sn(order);
    assert!(shop.listed(&[]).await.is_empty());
    assert_eq!(error(&shop.get(DETAIL, &[("order_sn_list", &sn)]).await), "error_not_found");
    assert_eq!(error(&shop.parameter(order).await), "error_not_found");
    assert_eq!(error(&shop.ship(order, dropoff()).await), "error_not_found");
    assert_eq!(error(&shop.get(TRACKING, &[("order_sn", &sn)]).await), "logistics.invalid_error");
    let body = json!({ "order_sn": sn, "cancel_reason": "CUSTOMER_REQUEST" });
    assert_eq!(error(&shop.post(CANCEL, body).await), "error_not_found");
    assert_eq!(shop.market().line(shop.line(order)).unwrap().state, LineState::Paid);
}

// Dispatch

#[tokio::test]
async fn shipping_parameters_offer_the_ways_of_the_order() {
    let shop = Shop::open().await;
    let order = shop.place(&[1]);
    let answer = shop.parameter(order).await;
    let sample = sample("get_shipping_parameter_official.response");
    let (shown, expected) = (response(&answer), &sample["response"]);
    assert_eq!(shown["info_needed"], expected["info_needed"]);
    assert_eq!((&shown["dropoff"], names(shown)), (&Value::Null, names(expected)));
    let addresses = shown["pickup"]["address_list"].as_array().unwrap();
    has_fields_of(&addresses[0], &expected["pickup"]["address_list"][0]);
    assert_eq!(addresses[0]["time_slot_list"].as_array().unwrap().len(), 3);
    assert_eq!(addresses[0]["time_slot_list"][0]["flags"], json!(["recommended"]));
    assert!(addresses[1]["time_slot_list"].is_null());
    for (way, name, fields) in [
        (Way::PickupWithoutSlots, "pickup", json!(["address_id"])),
        (Way::PickupWithTracking, "pickup", json!(["address_id", "pickup_time_id", "tracking_number"])),
        (Way::Dropoff, "dropoff", json!([])),
        (Way::DropoffBranch, "dropoff", json!(["branch_id"])),
        (Way::DropoffSender, "dropoff", json!(["sender_real_name"])),
        (Way::DropoffTracking, "dropoff", json!(["tracking_no"])),
        (Way::DropoffSlug, "dropoff", json!(["slug"])),
        (Way::OwnCarrier, "non_integrated", json!(["tracking_no"])),
        (Way::OwnCarrierUntracked, "non_integrated", json!([])),
    ] {
        shop.face.change_order(order, OrderChange { ways: Some(vec![way]), ..OrderChange::default() });
        let answer = shop.parameter(order).await;
        assert_eq!(response(&answer)["info_needed"], json!({ name: fields }), "{way:?}");
        let branches = response(&answer)["dropoff"]["branch_list"].as_array().map_or(0, Vec::len);
        assert_eq!(branches > 0, way == Way::DropoffBranch, "{way:?}");
    }
}

#[tokio::test]
async fn shipping_parameters_are_for_orders_that_can_be_shipped() {
    let shop = Shop::open().await;
    let order = shop.place(&[1]);
    let sn = shop.sn(order);
    assert_eq!(error(&shop.get(PARAMETER, &[]).await), "error_param");
    assert_eq!(error(&shop.get(PARAMETER, &[("order_sn", "x")]).await), "error_not_found");
    let empty = [("order_sn", sn.as_str()), ("package_number", "")];
    assert_eq!(error(&shop.get(PARAMETER, &empty).await), "error_param");
    let unknown = [("order_sn", sn.as_str()), ("package_number", "OFG1")];
    assert_eq!(error(&shop.get(PARAMETER, &unknown).await), "logistics.package_not_exist");
    shop.face.change_order(order, OrderChange { allocating: Some(true), ..OrderChange::default() });
    assert_eq!(error(&shop.parameter(order).await), "logistics.error_param");
    shop.face.change_order(order, OrderChange { allocating: Some(false), ..OrderChange::default() });
    good(&shop.ship(order, dropoff()).await);
    assert_eq!(error(&shop.parameter(order).await), "error_param");
    let cancelled = shop.place(&[1]);
    shop.market().buyer().cancel(shop.line(cancelled), "changed my mind").unwrap();
    assert_eq!(error(&shop.parameter(cancelled).await), "error_status");
    let shown = shop.shown(cancelled).await;
    assert_eq!((&shown["cancel_by"], &shown["order_status"]), (&json!("buyer"), &json!("CANCELLED")));
    assert_eq!(shown["package_list"][0]["logistics_status"], "LOGISTICS_INVALID");
}

#[tokio::test]
async fn a_pick_up_is_arranged_once_and_then_collected_and_delivered() {
    let shop = Shop::open().await;
    let order = shop.place(&[2, 1]);
    let handover = pickup_of(&shop.parameter(order).await);
    let answer = shop.ship(order, handover.clone()).await;
    assert_eq!(names(good(&answer)), names(&json!({ "error": 0, "message": 0, "request_id": 0 })));
    assert_eq!(shop.status(order).await, "PROCESSED");
    let number = shop.tracking(order).await;
    assert!(number.starts_with("SPXSG"), "{number}");
    let line = shop.line(order);
    assert_eq!(shop.market().dispatches(line), [number.as_str()]);

    let again = shop.ship(order, handover).await;
    assert_eq!(error(&again), " logistics.package_already_shipped");
    assert_eq!(shop.market().dispatches(line).len(), 1);
    let tries = shop.market().record_of(line);
    let last = tries.last().unwrap();
    assert_eq!(last.refused, Some(Refusal::WrongState(LineState::Shipped)));
    assert!(matches!(&last.action, Action::Shipped { quantity: 2, .. }), "{last:?}");

    assert_eq!(shop.face.pick_up(order), 1);
    let shown = shop.shown(order).await;
    assert_eq!((&shown["order_status"], &shown["pickup_done_time"]), (&json!("SHIPPED"), &json!(shop.now())));
    for line in shop.market().lines_of(order) {
        shop.market().marketplace().deliver(line).unwrap();
    }
    assert_eq!(shop.status(order).await, "TO_CONFIRM_RECEIVE");
    shop.face.change_order(order, OrderChange { completed: Some(true), ..OrderChange::default() });
    assert_eq!(shop.status(order).await, "COMPLETED");
}

#[tokio::test]
async fn a_pick_up_needs_one_of_the_addresses_and_slots() {
    let shop = Shop::open().await;
    let order = shop.place(&[1]);
    let slot = pickup_of(&shop.parameter(order).await)["pickup"]["pickup_time_id"].clone();
    for (pickup, code) in [
        (json!({}), "logistics.ship_order_need_address_pickup_time"),
        (json!({ "address_id": 234 }), "logistics.ship_order_need_address_pickup_time"),
        (json!({ "pickup_time_id": slot }), "logistics.ship_order_need_address_pickup_time"),
        (json!({ "address_id": 1, "pickup_time_id": slot }), "logistics.address_not_found"),
        (json!({ "address_id": 234, "pickup_time_id": "1_1" }), "logistics.ship_order_pickup_time_invalid"),
        (json!({ "address_id": 123, "pickup_time_id": slot }), "logistics.ship_order_pickup_time_invalid"),
        (json!({ "address_id": "234", "pickup_time_id": slot }), "error_param"),
        (json!({ "address_id": 234, "pickup_time_id": slot, "tracking_number": "X1" }), "error_param"),
    ] {
        assert_eq!(error(&shop.ship(order, json!({ "pickup": pickup })).await), code, "{pickup}");
    }
    // A slot is gone when its day has come.
    shop.sandbox.advance(TimeDelta::hours(3));
    good(&shop.ship(order, json!({ "pickup": { "address_id": 123 } })).await);
}

#[tokio::test]
async fn exactly_one_way_that_is_offered_is_taken() {
    let shop = Shop::open().await;
    let order = shop.place(&[1]);
    let one = "logistics.ship_order_only_support_one_type";
    let own = json!({ "non_integrated": { "tracking_number": "T1" } });
    for (handover, code) in [
        (json!({}), one),
        (json!({ "dropoff": null }), one),
        (json!({ "dropoff": {}, "pickup": { "address_id": 123 } }), one),
        (own.clone(), "logistics.ship_order_unsupport_non_integrated"),
        (json!({ "dropoff": { "slug": "x" } }), "error_param"),
        (json!({ "dropoff": { "tracking_number": "x" } }), "error_param"),
    ] {
        assert_eq!(error(&shop.ship(order, handover.clone()).await), code, "{handover}");
    }
    let offers = |way| OrderChange { ways: Some(vec![way]), ..OrderChange::default() };
    shop.face.change_order(order, offers(Way::OwnCarrier));
    assert_eq!(error(&shop.ship(order, dropoff()).await), "logistics.ship_order_unsupport_dropoff");
    let pickup = json!({ "pickup": { "address_id": 123 } });
    assert_eq!(error(&shop.ship(order, pickup).await), "logistics.ship_order_unsupport_pickup");
    assert!(shop.market().dispatches(shop.line(order)).is_empty());
    good(&shop.ship(order, own).await);
}

#[tokio::test]
async fn each_drop_off_needs_its_own_field() {
    let shop = Shop::open().await;
    let long = "x".repeat(65);
    for (way, wrong, right) in [
        (
            Way::DropoffBranch,
            vec![
                (json!({}), "logistics.ship_order_need_branch_id"),
                (json!({ "branch_id": 1 }), "error_param"),
            ],
            json!({ "branch_id": 55 }),
        ),
        (
            Way::DropoffSender,
            vec![
                (json!({}), "logistics.ship_order_need_sender_real_name"),
                (json!({ "sender_real_name": long }), "logistics.ship_order_long_sender_real_name"),
            ],
            json!({ "sender_real_name": "Max Sample" }),
        ),
        (
            Way::DropoffTracking,
            vec![
                (json!({}), "logistics.ship_order_need_tracking_number"),
                // What the list of needed fields calls it is not what is sent.
                (json!({ "tracking_no": "T1" }), "logistics.ship_order_need_tracking_number"),
                (json!({ "tracking_number": long }), "logistics.ship_order_long_tracking_number"),
            ],
            json!({ "tracking_number": "T1" }),
        ),
        (
            Way::DropoffSlug,
            vec![(json!({}), "error_param"), (json!({ "slug": "nobody" }), "error_param")],
            json!({ "slug": "ok-shop" }),
        ),
    ] {
        let order = shop.place(&[1]);
        shop.face.change_order(order, OrderChange { ways: Some(vec![way]), ..OrderChange::default() });
        for (dropoff, code) in wrong {
            assert_eq!(
                error(&shop.ship(order, json!({ "dropoff": dropoff })).await),
                code,
                "{way:?} {dropoff}"
            );
        }
        good(&shop.ship(order, json!({ "dropoff": right })).await);
    }
}

#[tokio::test]
async fn an_own_carriers_number_is_told_at_once_and_used_once() {
    let shop = Shop::open_with(Shopee::new().ways(&[Way::OwnCarrier]).tracking_seconds(600)).await;
    let (first, second) = (shop.place(&[1]), shop.place(&[1]));
    let own = |number: &str| json!({ "non_integrated": { "tracking_number": number } });
    assert_eq!(error(&shop.ship(first, own(" ")).await), "logistics.ship_order_need_tracking_number");
    good(&shop.ship(first, own("TRACK0000000001")).await);
    assert_eq!(shop.tracking(first).await, "TRACK0000000001");
    assert_eq!(error(&shop.ship(second, own("TRACK0000000001")).await), "logistics.error_param");
    assert_eq!(shop.market().dispatches(shop.line(first)), ["TRACK0000000001"]);
    assert!(shop.market().dispatches(shop.line(second)).is_empty());
}

#[tokio::test]
async fn the_channels_number_may_be_empty_at_first() {
    let shop = Shop::open_with(Shopee::new().tracking_seconds(300)).await;
    let order = shop.place(&[1]);
    assert_eq!(shop.tracking(order).await, "");
    good(&shop.ship(order, dropoff()).await);
    let answer = shop.get(TRACKING, &[("order_sn", &shop.sn(order))]).await;
    assert_eq!(response(&answer), &json!({ "tracking_number": "", "hint": "" }));
    shop.sandbox.advance(TimeDelta::seconds(300));
    assert_ne!(shop.tracking(order).await, "");
    let sn = shop.sn(order);
    let more =
        [("order_sn", sn.as_str()), ("response_optional_fields", "plp_number,first_mile_tracking_number")];
    let answer = shop.get(TRACKING, &more).await;
    assert_eq!(response(&answer)["plp_number"], "");
    assert_eq!(error(&shop.get(TRACKING, &[("order_sn", "x")]).await), "logistics.invalid_error");
}

#[tokio::test]
async fn orders_that_the_seller_must_not_ship_are_refused() {
    let shop = Shop::open().await;
    let change = OrderChange::default;
    for (change, code) in [
        (OrderChange { booking_sn: Some("B1".into()), ..change() }, "logistics.error_booking_order"),
        (OrderChange { fulfilled_by_shopee: Some(true), ..change() }, "logistics.ship_order_pff_init"),
        (OrderChange { allocating: Some(true), ..change() }, "logistics.error_param"),
        (OrderChange { invoice_pending: Some(true), ..change() }, "logistics.lack_of_invoice_data"),
        (
            OrderChange { prescription_unchecked: Some(true), ..change() },
            "logistics.order_prescription_unchecked",
        ),
        (
            OrderChange { pending_terms: Some(vec!["KYC_PENDING".into()]), ..change() },
            "logistics.ship_order_not_ready_to_ship",
        ),
    ] {
        let order = shop.place(&[1]);
        shop.face.change_order(order, change);
        assert_eq!(error(&shop.ship(order, dropoff()).await), code);
        assert!(shop.market().dispatches(shop.line(order)).is_empty());
    }
    let booked = shop.place(&[1]);
    shop.face.change_order(booked, OrderChange { booking_sn: Some("B2".into()), ..change() });
    let sn = shop.sn(booked);
    let named =
        shop.get(DETAIL, &[("order_sn_list", &sn), ("response_optional_fields", "advance_package")]).await;
    let row = &response(&named)["order_list"][0];
    assert_eq!((&row["booking_sn"], &row["advance_package"]), (&json!("B2"), &json!(true)));
    let unpaid = OrderDraft { unpaid: true, ..OrderDraft::example() };
    let unpaid = shop.market().buyer().place(unpaid).unwrap();
    assert_eq!(error(&shop.ship(unpaid, dropoff()).await), "logistics.ship_order_not_ready_to_ship");
    assert_eq!(error(&shop.post(SHIP, json!({ "dropoff": {} })).await), "error_param");
    let (_, answer) = shop.send("POST", SHIP, &shop.common(SHIP, true), "no json").await;
    assert_eq!(error(&answer), "error_data");
}

#[tokio::test]
async fn a_lock_is_gone_after_so_many_tries() {
    let shop = Shop::open().await;
    let order = shop.place(&[1]);
    shop.face.change_order(order, OrderChange { locked: Some(2), ..OrderChange::default() });
    for _ in 0..2 {
        assert_eq!(
            error(&shop.ship(order, dropoff()).await),
            "logistics.logistic_order_is_locked_on_creating"
        );
    }
    good(&shop.ship(order, dropoff()).await);
}

#[tokio::test]
async fn a_failed_pick_up_is_arranged_again() {
    let shop = Shop::open().await;
    let order = shop.place(&[1]);
    let handover = pickup_of(&shop.parameter(order).await);
    good(&shop.ship(order, handover.clone()).await);
    let update = async |handover: &Value| {
        let mut body = handover.clone();
        body["order_sn"] = json!(shop.sn(order));
        shop.post("/api/v2/logistics/update_shipping_order", body).await
    };
    assert_eq!(error(&update(&handover).await), "logistics.order_not_ready_to_update");
    assert_eq!(shop.face.fail_pick_up(order), 1);
    let shown = shop.shown(order).await;
    assert_eq!(
        (&shown["order_status"], &shown["package_list"][0]["logistics_status"]),
        (&json!("RETRY_SHIP"), &json!("LOGISTICS_PICKUP_RETRY"))
    );
    response(&shop.parameter(order).await);
    assert_eq!(error(&update(&handover).await), "logistics.update_shipping_order_no_param_change");
    let other = json!({ "pickup": { "address_id": 123 } });
    good(&update(&other).await);
    assert_eq!(shop.status(order).await, "PROCESSED");
    assert_eq!(shop.face.fail_pick_up(order), 1);
    good(&shop.ship(order, handover).await);
    assert_eq!(shop.market().dispatches(shop.line(order)).len(), 3);
}

#[tokio::test]
async fn a_split_order_is_shipped_parcel_by_parcel() {
    let shop = Shop::open().await;
    let (shirt, options) = shop.shirt();
    let cap = shop.simple(10);
    let draft = OrderDraft::of(vec![LineDraft::of(cap, 3), LineDraft::of_option(shirt, options[0], 1)]);
    let order = shop.market().buyer().place(draft).unwrap();
    let sn = shop.sn(order);
    let part = |item: ItemId, model: u64, units: Option<u32>| {
        let mut part = json!({ "item_id": item_id(item), "model_id": model });
        if let Some(units) = units {
            part["model_quantity"] = json!(units);
        }
        part
    };
    let tee = part(shirt, model_id(options[0]), None);
    let split = async |groups: Vec<Vec<Value>>| {
        let groups: Vec<Value> = groups.into_iter().map(|items| json!({ "item_list": items })).collect();
        shop.post(SPLIT, json!({ "order_sn": sn, "package_list": groups })).await
    };
    let cases = [
        (vec![], "error_param"),
        (vec![vec![tee.clone()]], "order.order_split_package_missing_item"),
        (vec![vec![tee.clone()], vec![part(cap, 7, None)]], "order.order_split_item_not_exist"),
        (
            vec![vec![tee.clone(), part(cap, 0, None)], vec![part(cap, 0, None)]],
            "order.order_split_duplicate_item",
        ),
        (vec![vec![tee.clone()], vec![part(cap, 0, Some(2))]], "order.order_split_wrong_item_quantity"),
        (vec![vec![tee.clone()]; 6], "error_param"),
    ];
    for (groups, code) in cases {
        assert_eq!(error(&split(groups.clone()).await), code, "{groups:?}");
    }
    let before = shop.packages(order).await;
    let answer = split(vec![vec![part(cap, 0, Some(1)), tee], vec![part(cap, 0, Some(2))]]).await;
    assert_eq!(response(&answer)["package_list"].as_array().unwrap().len(), 2);
    let numbers = shop.packages(order).await;
    assert!(numbers.len() == 2 && !numbers.contains(&before[0]));
    assert_eq!(shop.shown(order).await["split_up"], true);
    assert_eq!(error(&split(vec![vec![part(cap, 0, None)]]).await), "order.order_has_been_split");

    assert_eq!(error(&shop.ship(order, dropoff()).await), "logistics.ship_order_need_pacakge_number");
    assert_eq!(error(&shop.parameter(order).await), "logistics.package_number_not_exist");
    assert_eq!(error(&shop.get(TRACKING, &[("order_sn", &sn)]).await), "logistics.package_number_not_exist");
    let ship =
        async |number: &str| shop.ship(order, json!({ "dropoff": {}, "package_number": number })).await;
    assert_eq!(error(&ship("").await), "error_param");
    assert_eq!(error(&ship(&before[0]).await), "logistics.package_not_exist");
    good(&ship(&numbers[1]).await);
    assert_eq!(error(&ship(&numbers[1]).await), " logistics.package_already_shipped");
    assert_eq!(shop.status(order).await, "READY_TO_SHIP");
    let line = shop.line(order);
    assert_eq!(shop.market().line(line).unwrap().shipped_quantity, 2);
    good(&ship(&numbers[0]).await);
    assert_eq!(shop.status(order).await, "PROCESSED");
    assert_eq!(shop.market().dispatches(line).len(), 2);
    let tracking = [("order_sn", sn.as_str()), ("package_number", &numbers[0])];
    assert_ne!(response(&shop.get(TRACKING, &tracking).await)["tracking_number"], "");
}

#[tokio::test]
async fn an_order_that_is_not_split_is_shipped_without_a_package_number() {
    let shop = Shop::open().await;
    let order = shop.place(&[1]);
    let number = shop.packages(order).await.remove(0);
    let answer = shop.ship(order, json!({ "dropoff": {}, "package_number": number })).await;
    assert_eq!(error(&answer), "logistics.ship_order_not_need_pacakge_number");
}

#[tokio::test]
async fn a_batch_answers_for_each_order_and_fails_as_a_whole_only_when_all_fail() {
    let shop = Shop::open().await;
    let path = "/api/v2/logistics/batch_ship_order";
    let (first, second) = (shop.place(&[1]), shop.place(&[1]));
    good(&shop.ship(first, dropoff()).await);
    let list = json!([{ "order_sn": shop.sn(first) }, { "order_sn": shop.sn(second) }]);
    let answer = shop.post(path, json!({ "order_list": list, "dropoff": {} })).await;
    let rows = &response(&answer)["result_list"];
    assert_eq!(rows[0]["fail_error"], " logistics.package_already_shipped");
    assert!(rows[1].get("fail_error").is_none());
    assert_eq!(shop.market().dispatches(shop.line(second)).len(), 1);
    let again = shop.post(path, json!({ "order_list": list, "dropoff": {} })).await;
    assert_eq!(error(&again), "common.batch_api_all_failed");
    assert_eq!(again["response"]["result_list"].as_array().unwrap().len(), 2);
    assert_eq!(error(&shop.post(path, json!({ "dropoff": {} })).await), "error_param");
    let many = vec![json!({ "order_sn": shop.sn(first) }); 51];
    assert_eq!(
        error(&shop.post(path, json!({ "order_list": many, "dropoff": {} })).await),
        "logistics.error_limit"
    );
}

#[tokio::test]
async fn a_mass_shipment_goes_by_parcel() {
    let shop = Shop::open_with(Shopee::new().ways(&[Way::OwnCarrier])).await;
    let (first, second) = (shop.place(&[1]), shop.place(&[1]));
    let numbers = [shop.packages(first).await.remove(0), shop.packages(second).await.remove(0)];
    let body = json!({
        "package_list": [{ "package_number": numbers[0] }, { "package_number": numbers[1] }, { "package_number": "OFG1" }],
        "non_integrated": { "tracking_number": [{ "package_number": numbers[0], "tracking_number": "T1" }] },
    });
    let answer = shop.post("/api/v2/logistics/mass_ship_order", body).await;
    assert_eq!(response(&answer)["success_list"], json!([{ "package_number": numbers[0] }]));
    assert_eq!(response(&answer)["fail_list"].as_array().unwrap().len(), 2);
    assert_eq!(shop.market().dispatches(shop.line(first)), ["T1"]);
}

#[tokio::test]
async fn the_seller_tells_how_far_its_own_delivery_is_in_brazil_only() {
    let path = "/api/v2/logistics/update_tracking_status";
    let result = |answer: &Value| text(&response(answer)["update_result"]);
    for (region, expected) in [("BR", "succeed"), ("SG", "failed")] {
        let shop = Shop::open_with(Shopee::new().region(region).ways(&[Way::OwnCarrierUntracked])).await;
        let order = shop.place(&[1]);
        good(&shop.ship(order, json!({ "non_integrated": {} })).await);
        let step = |status: &str| json!({ "order_sn": shop.sn(order), "logistics_status": status, "tracking_number": "BR1" });
        assert_eq!(result(&shop.post(path, step("logistics_pickup_done")).await), expected);
        assert_eq!(result(&shop.post(path, step("logistics_delivery_done")).await), expected);
        let delivered = shop.market().line(shop.line(order)).unwrap().state == LineState::Delivered;
        assert_eq!((delivered, shop.tracking(order).await == "BR1"), (region == "BR", region == "BR"));
        assert_eq!(error(&shop.post(path, step("on_the_moon")).await), "error_param");
    }
}

#[tokio::test]
async fn what_the_back_office_ships_is_processed_here_too() {
    let shop = Shop::open().await;
    let order = shop.place(&[1]);
    shop.market().back_office().ship_line(shop.line(order), "SF", "SF123").unwrap();
    assert_eq!((shop.status(order).await, shop.tracking(order).await), ("PROCESSED".into(), "SF123".into()));
}

// Parcels

#[tokio::test]
async fn package_details_are_for_1_to_50_parcels() {
    let shop = Shop::open().await;
    let order = shop.place(&[2]);
    let number = shop.packages(order).await.remove(0);
    let answer = shop.get(PACKAGES, &[("package_number_list", &format!("{number},OFG1"))]).await;
    let row = &response(&answer)["package_list"][0];
    assert_eq!(
        (&row["order_sn"], &row["fulfillment_status"]),
        (&json!(shop.sn(order)), &json!("LOGISTICS_READY"))
    );
    assert_eq!((&row["is_shipment_arranged"], &row["can_split_order"]), (&json!(false), &json!(true)));
    assert_eq!(row["item_list"][0]["model_quantity"], 2);
    assert!(answer["warning"].as_str().unwrap().contains("OFG1"));
    good(&shop.ship(order, dropoff()).await);
    let answer = shop.get(PACKAGES, &[("package_number_list", &number)]).await;
    let row = &response(&answer)["package_list"][0];
    assert_eq!(
        (&row["is_shipment_arranged"], &row["tracking_number"]),
        (&json!(true), &json!(shop.tracking(order).await))
    );
    for (list, code) in
        [("", "error_param"), ("OFG1", "error_not_found"), (&["x"; 51].join(","), "error_param")]
    {
        assert_eq!(error(&shop.get(PACKAGES, &[("package_number_list", list)]).await), code);
    }
}

#[tokio::test]
async fn the_queue_shows_parcels_by_state_page_by_page() {
    let shop = Shop::open_with(Shopee::new().page_size(2)).await;
    let orders: Vec<OrderNumber> = (0..4).map(|_| shop.place(&[1])).collect();
    good(&shop.ship(orders[3], dropoff()).await);
    shop.face.change_order(
        orders[2],
        OrderChange { pending_terms: Some(vec!["SYSTEM_PENDING".into()]), ..OrderChange::default() },
    );
    let queue = async |status: u32, cursor: &str| {
        let pagination = json!({ "page_size": 50, "cursor": cursor });
        let body = json!({ "filter": { "package_status": status }, "pagination": pagination });
        response(&shop.post(QUEUE, body).await).clone()
    };
    assert_eq!(sns(&queue(2, "").await["packages_list"]), [shop.sn(orders[0]), shop.sn(orders[1])]);
    assert_eq!(sns(&queue(1, "").await["packages_list"]), [shop.sn(orders[2])]);
    assert_eq!(sns(&queue(3, "").await["packages_list"]), [shop.sn(orders[3])]);
    let first = queue(0, "").await;
    assert_eq!(
        (&first["pagination"]["total_count"], &first["pagination"]["more"]),
        (&json!(4), &json!(true))
    );
    let second = queue(0, first["pagination"]["next_cursor"].as_str().unwrap()).await;
    assert_eq!(sns(&second["packages_list"]), [shop.sn(orders[2]), shop.sn(orders[3])]);
    assert_eq!(second["pagination"]["more"], false);
    for (body, code) in [
        (json!({}), "error_param"),
        (json!({ "pagination": { "page_size": 101 } }), "error_param"),
        (json!({ "pagination": { "page_size": 1 }, "filter": { "package_status": 4 } }), "error_param"),
        (json!({ "pagination": { "page_size": 1 }, "sort": { "sort_type": 9 } }), "error_param"),
    ] {
        assert_eq!(error(&shop.post(QUEUE, body).await), code);
    }
    let path = "/api/v2/order/get_shipment_list";
    let answer = shop.get(path, &[("page_size", "100")]).await;
    assert_eq!(sns(&response(&answer)["order_list"]), [shop.sn(orders[1]), shop.sn(orders[0])]);
    assert_eq!(
        shop.get(path, &[("page_size", "101")]).await["message"],
        "Wrong parameters, detail: page_size must be 100 or less."
    );
}

// Stock and items

#[tokio::test]
async fn stock_is_set_absolutely_model_by_model_and_repeats_are_in_the_record() {
    let shop = Shop::open().await;
    let (shirt, options) = shop.shirt();
    let row = |option: usize, stock: i64| json!({ "model_id": model_id(options[option]), "seller_stock": [{ "stock": stock }] });
    let answer = shop.set_stock(shirt, json!([row(0, 12), row(1, 0)])).await;
    has_fields_of(good(&answer), &sample("update_stock.response"));
    let done = json!([
        { "model_id": model_id(options[0]), "location_id": "", "stock": 12 },
        { "model_id": model_id(options[1]), "location_id": "", "stock": 0 },
    ]);
    assert_eq!(answer["response"], json!({ "success_list": done, "failure_list": [] }));
    good(&shop.set_stock(shirt, json!([row(0, 12)])).await);
    assert_eq!(shop.market().quantities_set(shirt, Some(options[0])), [12, 12]);
    assert_eq!(shop.market().quantity(shirt, Some(options[1])), Some(0));
    assert_eq!(shop.market().quantity(shirt, Some(options[2])), Some(5));
    let cap = shop.simple(3);
    good(&shop.set_stock(cap, json!([{ "model_id": 0, "seller_stock": [{ "stock": 7 }] }])).await);
    good(&shop.set_stock(cap, json!([{ "seller_stock": [{ "stock": 8 }] }])).await);
    assert_eq!(shop.market().quantities_set(cap, None), [7, 8]);
}

#[tokio::test]
async fn some_models_can_fail_while_others_are_set() {
    let shop = Shop::open().await;
    let (shirt, options) = shop.shirt();
    shop.face.reserve(shirt, Some(options[1]), 4);
    let row = |model: u64, stock: i64| json!({ "model_id": model, "seller_stock": [{ "stock": stock }] });
    let rows = json!([row(model_id(options[0]), 9), row(model_id(options[1]), 3), row(1, 1)]);
    let answer = shop.set_stock(shirt, rows).await;
    assert_eq!(error(&answer), "error_busi_update_stock_failed");
    assert_eq!(
        answer["response"]["success_list"],
        json!([{ "model_id": model_id(options[0]), "location_id": "", "stock": 9 }])
    );
    let failed = answer["response"]["failure_list"].as_array().unwrap();
    assert_eq!(
        failed.iter().map(|row| row["model_id"].as_u64().unwrap()).collect::<Vec<_>>(),
        [model_id(options[1]), 1]
    );
    assert_eq!(failed[0]["failed_reason"], "Total stock must be more than reserved stock.");
    assert_eq!(shop.market().quantity(shirt, Some(options[0])), Some(9));
    assert_eq!(shop.market().quantity(shirt, Some(options[1])), Some(5));
    good(&shop.set_stock(shirt, json!([row(model_id(options[1]), 4)])).await);
}

#[tokio::test]
async fn stock_calls_that_are_wrong_as_a_whole_set_nothing() {
    let shop = Shop::open().await;
    let (shirt, options) = shop.shirt();
    let cap = shop.simple(3);
    let model = model_id(options[0]);
    let row = |model: u64, stock: Value| json!({ "model_id": model, "seller_stock": [stock] });
    for (rows, code) in [
        (json!([]), "error_param"),
        (json!(vec![row(model, json!({ "stock": 1 })); 51]), "error_param"),
        (json!([row(model, json!({ "stock": 1 })), row(model, json!({ "stock": 1 }))]), "error_param"),
        (json!([row(0, json!({ "stock": 1 }))]), "error_edit_item_stock_for_item_has_model"),
        (json!([row(model, json!({ "stock": -1 }))]), "error_param"),
        (json!([row(model, json!({ "stock": "1" }))]), "error_param"),
        (json!([row(model, json!({}))]), "error_param"),
        (json!([{ "model_id": model, "normal_stock": 1 }]), "error_param"),
        (json!([row(model, json!({ "location_id": "SGZ", "stock": 1 }))]), "error_auth"),
    ] {
        assert_eq!(error(&shop.set_stock(shirt, rows.clone()).await), code, "{rows}");
    }
    let rows = json!([row(0, json!({ "stock": 1 }))]);
    assert_eq!(error(&shop.post(STOCK, json!({ "stock_list": rows })).await), "product.error_param");
    assert_eq!(
        error(&shop.post(STOCK, json!({ "item_id": 1, "stock_list": rows })).await),
        "error_item_not_found"
    );
    let stopped =
        ItemDraft { status: ItemStatus::Stopped, ..ItemDraft::simple("S", "S", Amount::whole(1), 1) };
    let stopped = shop.market().list(stopped).unwrap();
    assert_eq!(error(&shop.set_stock(stopped, rows.clone()).await), "error_item_uneditable");
    let other = ItemDraft { seller: OTHER_SELLER.into(), ..ItemDraft::simple("O", "O", Amount::whole(1), 1) };
    let other = shop.market().list(other).unwrap();
    assert_eq!(error(&shop.set_stock(other, rows).await), "error_item_not_belong_shop");
    for item in [shirt, cap, stopped, other] {
        assert!(shop.market().quantities_set(item, None).is_empty());
    }
    assert!(shop.market().quantities_set(shirt, Some(options[0])).is_empty());
}

#[tokio::test]
async fn a_shop_with_warehouses_has_stock_by_location() {
    let shop = Shop::open_with(Shopee::new().warehouses(&["SGA", "SGB"])).await;
    let cap = shop.simple(10);
    let path = "/api/v2/shop/get_warehouse_detail";
    let answer = shop.get(path, &[("warehouse_type", "1")]).await;
    let locations: Vec<&str> = response(&answer)
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["location_id"].as_str().unwrap())
        .collect();
    assert_eq!(locations, ["SGA", "SGB"]);
    assert_eq!(error(&shop.get(path, &[("warehouse_type", "3")]).await), "error_param");
    let set = async |stock: Value| shop.set_stock(cap, json!([{ "seller_stock": stock }])).await;
    assert_eq!(error(&set(json!([{ "stock": 1 }])).await), "error_busi");
    assert_eq!(error(&set(json!([{ "location_id": "SGX", "stock": 1 }])).await), "error_auth");
    let answer = set(json!([{ "location_id": "SGB", "stock": 4 }])).await;
    assert_eq!(
        response(&answer)["success_list"],
        json!([{ "model_id": 0, "location_id": "SGB", "stock": 4 }])
    );
    assert_eq!(shop.market().quantity(cap, None), Some(14));
    let stock_of = async || {
        let answer = shop.get(BASE_INFO, &[("item_id_list", &item_id(cap).to_string())]).await;
        let info = response(&answer)["item_list"][0]["stock_info_v2"].clone();
        let rows = info["seller_stock"].as_array().unwrap().clone();
        (
            info["summary_info"]["total_available_stock"].clone(),
            rows.iter().map(|row| row["stock"].as_i64().unwrap()).collect::<Vec<_>>(),
        )
    };
    assert_eq!(stock_of().await, (json!(14), vec![10, 4]));
    shop.market().buyer().place(OrderDraft::of(vec![LineDraft::of(cap, 11)])).unwrap();
    assert_eq!(stock_of().await, (json!(3), vec![0, 3]));

    let plain = Shop::open().await;
    let answer = plain.get(path, &[]).await;
    assert_eq!(
        (error(&answer), &answer["response"]),
        ("warehouse.error_not_in_whitelist".into(), &Value::Null)
    );
}

#[tokio::test]
async fn items_are_listed_by_status_page_by_page() {
    let shop = Shop::open().await;
    let on_sale: Vec<u64> = (0..3).map(|_| item_id(shop.simple(1))).collect();
    let waiting =
        ItemDraft { status: ItemStatus::Waiting, ..ItemDraft::simple("W", "W", Amount::whole(1), 1) };
    let waiting = shop.market().list(waiting).unwrap();
    let page = async |offset: &str, statuses: &[&str]| {
        let mut query = vec![("offset", offset), ("page_size", "2")];
        query.extend(statuses.iter().map(|status| ("item_status", *status)));
        shop.get(ITEMS, &query).await
    };
    let ids = |answer: &Value| -> Vec<u64> {
        response(answer)["item"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["item_id"].as_u64().unwrap())
            .collect()
    };
    let first = page("0", &["NORMAL"]).await;
    assert_eq!(ids(&first), on_sale[..2]);
    let shown = response(&first);
    assert_eq!(
        (&shown["total_count"], &shown["has_next_page"], &shown["next_offset"]),
        (&json!(3), &json!(true), &json!(2))
    );
    let second = page("2", &["NORMAL"]).await;
    assert_eq!((ids(&second), &response(&second)["has_next_page"]), (vec![on_sale[2]], &json!(false)));
    assert_eq!(ids(&page("2", &["NORMAL", "UNLIST"]).await), [on_sale[2], item_id(waiting)]);
    assert!(response(&page("0", &["BANNED"]).await).get("item").is_none());
    assert_eq!(error(&page("0", &["NORMAL,UNLIST"]).await), "error_param_item_status");
    assert_eq!(error(&page("0", &[]).await), "error_param");
    assert_eq!(error(&page("-1", &["NORMAL"]).await), "error_param");
    let base = [("offset", "0"), ("page_size", "2"), ("item_status", "NORMAL")];
    let range = |from, to| [base[0], base[1], base[2], ("update_time_from", from), ("update_time_to", to)];
    assert_eq!(error(&shop.get(ITEMS, &range("2", "1")).await), "error_update_time_range");
    assert!(response(&shop.get(ITEMS, &range("1", "2")).await).get("item").is_none());
    assert_eq!(error(&shop.get(ITEMS, &[base[0], base[2], ("page_size", "101")]).await), "error_param");
}

#[tokio::test]
async fn base_info_has_price_and_stock_only_of_items_without_models() {
    let shop = Shop::open().await;
    let (shirt, _) = shop.shirt();
    let cap = shop.simple(8);
    shop.face.reserve(cap, None, 2);
    let list = format!("{},{},1", item_id(cap), item_id(shirt));
    let answer = shop.get(BASE_INFO, &[("item_id_list", &list)]).await;
    let rows = &response(&answer)["item_list"];
    let sample = sample("get_item_base_info.response");
    has_fields_of(&rows[0], &sample["response"]["item_list"][0]);
    has_fields_of(&rows[1], &sample["response"]["item_list"][1]);
    assert_eq!(
        (&rows[1]["has_model"], rows[1].get("stock_info_v2"), rows[1].get("price_info")),
        (&json!(true), None, None)
    );
    let stock = &rows[0]["stock_info_v2"];
    assert_eq!(stock["summary_info"], json!({ "total_reserved_stock": 2, "total_available_stock": 6 }));
    assert_eq!(rows[0]["item_sku"], "CAP-02");
    let ids = item_id(cap).to_string();
    for (list, code) in [
        ("", "error_param"),
        ("[1,2]", "error_param"),
        ("1", "error_item_not_found"),
        (&vec![ids; 51].join(","), "error_param"),
    ] {
        assert_eq!(error(&shop.get(BASE_INFO, &[("item_id_list", list)]).await), code);
    }
}

#[tokio::test]
async fn models_show_their_options_sku_price_and_stock() {
    let shop = Shop::open().await;
    let (shirt, options) = shop.shirt();
    let answer = shop.get(MODELS, &[("item_id", &item_id(shirt).to_string())]).await;
    let shown = response(&answer);
    let sample = sample("get_model_list.response");
    has_fields_of(&shown["model"][0], &sample["response"]["model"][0]);
    assert_eq!(shown["tier_variation"], sample["response"]["tier_variation"].clone());
    let row = &shown["model"][1];
    assert_eq!((&row["model_id"], &row["model_sku"]), (&json!(model_id(options[1])), &json!("TEE-Black-L")));
    assert_eq!((&row["tier_index"], &row["price_info"][0]["current_price"]), (&json!([0, 1]), &json!(50)));
    assert_eq!(row["stock_info_v2"]["summary_info"]["total_available_stock"], 5);
    let cap = shop.simple(1);
    let answer = shop.get(MODELS, &[("item_id", &item_id(cap).to_string())]).await;
    assert_eq!(response(&answer)["model"], json!([]));
    assert_eq!(error(&shop.get(MODELS, &[]).await), "product.error_param");
    assert_eq!(error(&shop.get(MODELS, &[("item_id", "1")]).await), "error_item_not_found");
}

#[tokio::test]
async fn items_are_found_by_their_own_sku_or_name() {
    let shop = Shop::open().await;
    let (shirt, _) = shop.shirt();
    let caps = [item_id(shop.simple(1)), item_id(shop.simple(1))];
    let search = async |query: &[(&str, &str)]| {
        let all = [&[("page_size", "1")], query].concat();
        shop.get("/api/v2/product/search_item", &all).await
    };
    let first = search(&[("item_sku", "CAP-02")]).await;
    assert_eq!(response(&first), &json!({ "item_id_list": [caps[0]], "total_count": 2, "next_offset": "1" }));
    let second = search(&[("item_sku", "CAP-02"), ("offset", "1")]).await;
    assert_eq!(
        (&response(&second)["item_id_list"], &response(&second)["next_offset"]),
        (&json!([caps[1]]), &json!(""))
    );
    assert_eq!(response(&search(&[("item_name", "shirt")]).await)["item_id_list"], json!([item_id(shirt)]));
    assert_eq!(response(&search(&[("item_sku", "TEE-Black-M")]).await)["item_id_list"], json!([]));
    assert_eq!(error(&search(&[]).await), "error_param");
}

// Cancelling

#[tokio::test]
async fn a_buyers_cancellation_is_accepted_once() {
    let shop = Shop::open().await;
    let cap = shop.simple(10);
    let order = shop.market().buyer().place(OrderDraft::of(vec![LineDraft::of(cap, 4)])).unwrap();
    let handle = async |operation: &str| {
        shop.post(HANDLE, json!({ "order_sn": shop.sn(order), "operation": operation })).await
    };
    assert_eq!(error(&handle("ACCEPT").await), "order.order_status_invalid");
    shop.market().buyer().request_cancel(shop.line(order), "too late").unwrap();
    let shown = shop.shown(order).await;
    assert_eq!(
        (&shown["order_status"], &shown["buyer_cancel_reason"]),
        (&json!("IN_CANCEL"), &json!("too late"))
    );
    assert_eq!(
        (&shown["item_list"][0]["cancel_requested_qty"], &shown["cancel_by"]),
        (&json!(4), &json!("buyer"))
    );
    assert_eq!(shop.listed(&[("order_status", "IN_CANCEL")]).await, [shop.sn(order)]);
    assert_eq!(error(&shop.ship(order, dropoff()).await), "logistics.ship_order_not_ready_to_ship");
    assert_eq!(error(&handle("MAYBE").await), "error_param");
    assert_eq!(error(&handle("").await), "error_param");
    assert_eq!(response(&handle("ACCEPT").await)["update_time"], shop.now());
    let shown = shop.shown(order).await;
    assert_eq!((&shown["order_status"], &shown["cancel_by"]), (&json!("CANCELLED"), &json!("buyer")));
    assert_eq!(shop.market().quantity(cap, None), Some(10));
    assert_eq!(error(&handle("ACCEPT").await), "order.order_status_invalid");
    let done = shop.market().record_of(shop.line(order));
    let cancels = done.iter().filter(|event| matches!(event.action, Action::Cancelled { .. }));
    let refused: Vec<bool> = cancels.map(|event| event.refused.is_some()).collect();
    assert_eq!(refused, [true, false, true]);
}

#[tokio::test]
async fn a_rejected_cancellation_leaves_the_order_to_be_shipped() {
    let shop = Shop::open().await;
    let order = shop.place(&[1]);
    shop.market().buyer().request_cancel(shop.line(order), "too late").unwrap();
    good(&shop.post(HANDLE, json!({ "order_sn": shop.sn(order), "operation": "REJECT" })).await);
    assert_eq!(shop.status(order).await, "READY_TO_SHIP");
    good(&shop.ship(order, dropoff()).await);
}

#[tokio::test]
async fn the_seller_cancels_before_shipping_with_a_reason_that_is_known() {
    let shop = Shop::open().await;
    let cap = shop.simple(10);
    let order = shop.market().buyer().place(OrderDraft::of(vec![LineDraft::of(cap, 4)])).unwrap();
    let sn = shop.sn(order);
    let items = json!([{ "item_id": item_id(cap), "model_id": 0 }]);
    for (body, code) in [
        (json!({ "cancel_reason": "CUSTOMER_REQUEST" }), "error_param"),
        (json!({ "order_sn": sn }), "error_param"),
        (json!({ "order_sn": sn, "cancel_reason": "BORED" }), "error_param"),
        (json!({ "order_sn": sn, "cancel_reason": "UNDELIVERABLE_AREA" }), "error_param"),
        (json!({ "order_sn": sn, "cancel_reason": "OUT_OF_STOCK" }), "error_param"),
        (
            json!({ "order_sn": sn, "cancel_reason": "OUT_OF_STOCK", "item_list": [{ "item_id": 1 }] }),
            "error_param",
        ),
        (json!({ "order_sn": "201218V2Y6E59M", "cancel_reason": "CUSTOMER_REQUEST" }), "error_not_found"),
    ] {
        assert_eq!(error(&shop.post(CANCEL, body.clone()).await), code, "{body}");
    }
    let body = json!({ "order_sn": sn, "cancel_reason": "OUT_OF_STOCK", "item_list": items });
    assert_eq!(response(&shop.post(CANCEL, body.clone()).await)["update_time"], shop.now());
    let shown = shop.shown(order).await;
    assert_eq!((&shown["cancel_by"], &shown["cancel_reason"]), (&json!("seller"), &json!("OUT_OF_STOCK")));
    assert_eq!(shop.market().quantity(cap, None), Some(10));
    assert_eq!(error(&shop.post(CANCEL, body).await), "order.error_limit");
    let shipped = shop.place(&[1]);
    good(&shop.ship(shipped, dropoff()).await);
    let body = json!({ "order_sn": shop.sn(shipped), "cancel_reason": "CUSTOMER_REQUEST" });
    assert_eq!(error(&shop.post(CANCEL, body).await), "order.error_limit");
    let warehouse = shop.place(&[1]);
    shop.face
        .change_order(warehouse, OrderChange { fulfilled_by_shopee: Some(true), ..OrderChange::default() });
    let body = json!({ "order_sn": shop.sn(warehouse), "cancel_reason": "CUSTOMER_REQUEST" });
    assert_eq!(error(&shop.post(CANCEL, body).await), "order. error_param");
    let taiwan = Shop::open_with(Shopee::new().region("TW")).await;
    let order = taiwan.place(&[1]);
    good(
        &taiwan
            .post(CANCEL, json!({ "order_sn": taiwan.sn(order), "cancel_reason": "UNDELIVERABLE_AREA" }))
            .await,
    );
}

#[tokio::test]
async fn some_units_can_be_cancelled_and_the_rest_is_shipped() {
    let shop = Shop::open().await;
    let cap = shop.simple(10);
    let order = shop.market().buyer().place(OrderDraft::of(vec![LineDraft::of(cap, 4)])).unwrap();
    let cancel = async |units: u32| {
        let part = json!({ "item_id": item_id(cap), "model_id": 0, "order_item_id": 0, "promotion_group_id": 0, "model_quantity": units });
        let body = json!({ "order_sn": shop.sn(order), "cancel_reason": "OUT_OF_STOCK", "partial_cancel_item_list": [part] });
        shop.post(CANCEL, body).await
    };
    assert_eq!(error(&cancel(5).await), "error_param");
    good(&cancel(3).await);
    let shown = shop.shown(order).await;
    let line = &shown["item_list"][0];
    assert_eq!(
        (&line["active_qty"], &line["cancelled_qty"], &line["model_quantity_purchased"]),
        (&json!(1), &json!(3), &json!(4))
    );
    assert_eq!(shown["package_list"][0]["item_list"][0]["model_quantity"], 1);
    assert_eq!(shop.market().quantity(cap, None), Some(9));
    good(&shop.ship(order, dropoff()).await);
    assert_eq!(shop.status(order).await, "PROCESSED");
}

// Pushes

fn check_push(call: &PushCall, key: &str) -> Value {
    let sent = call.headers.iter().find(|(name, _)| name == "authorization").map(|(_, value)| value.clone());
    assert_eq!(sent.unwrap(), push_signature(key, &call.address, call.body.as_bytes()));
    serde_json::from_str(&call.body).unwrap()
}

#[tokio::test]
async fn pushes_are_signed_over_the_address_and_the_body() {
    let vectors = sample("signature_vectors");
    let vector = vectors.as_array().unwrap().iter().find(|vector| vector["kind"] == "push").unwrap();
    let body = text(&vector["raw_body"]);
    assert_eq!(push_signature(PUSH_KEY, CALLBACK_URL, body.as_bytes()), text(&vector["authorization"]));

    let shop = Shop::open().await;
    let order = shop.place(&[1]);
    let call = shop.face.push(order, Event::OrderStatus).unwrap();
    assert_eq!(call.address, CALLBACK_URL);
    let body = check_push(&call, PUSH_KEY);
    assert_eq!((&body["code"], &body["shop_id"]), (&json!(3), &json!(SHOP_ID)));
    assert_eq!(
        (&body["data"]["ordersn"], &body["data"]["status"]),
        (&json!(shop.sn(order)), &json!("READY_TO_SHIP"))
    );
    assert!(shop.face.push(order, Event::TrackingNumber).is_none());
    good(&shop.ship(order, dropoff()).await);
    let body = check_push(&shop.face.push(order, Event::TrackingNumber).unwrap(), PUSH_KEY);
    assert_eq!(
        (&body["code"], &body["data"]["tracking_no"]),
        (&json!(4), &json!(shop.tracking(order).await))
    );
    let body = check_push(&shop.face.push(order, Event::PackageFulfillment).unwrap(), PUSH_KEY);
    assert_eq!(body["data"]["fulfillment_status"], "LOGISTICS_REQUEST_CREATED");
    let _ = shop.face.clone().push_key(PushKey::Partner);
    check_push(&shop.face.push(order, Event::OrderStatus).unwrap(), PARTNER_KEY);
}

#[tokio::test]
async fn pushes_of_shops_tell_of_authorizations() {
    let shop = Shop::open().await;
    let push = |event| shop.face.shop_push(DEFAULT_SELLER, event);
    let body = check_push(&push(ShopEvent::Authorized).unwrap(), PUSH_KEY);
    assert_eq!((&body["code"], &body["data"]["shop_id"]), (&json!(1), &json!(SHOP_ID)));
    let body = check_push(&push(ShopEvent::Expired).unwrap(), PUSH_KEY);
    assert_eq!((&body["code"], &body["data"]["authorize_type"]), (&json!(2), &json!("expiry")));
    assert!(push(ShopEvent::ExpiresSoon).is_none());
    shop.sandbox.advance(TimeDelta::days(360));
    let body = check_push(&push(ShopEvent::ExpiresSoon).unwrap(), PUSH_KEY);
    assert_eq!(
        (&body["code"], &body["data"]["shop_expire_soon"]),
        (&json!(12), &json!([SHOP_ID, OTHER_SHOP_ID]))
    );
    let body = check_push(&push(ShopEvent::Verify).unwrap(), "");
    assert!(body["data"]["verify_info"].is_string());
}

#[tokio::test]
async fn the_push_config_decides_what_goes_out_and_where() {
    let shop = Shop::open().await;
    let order = shop.place(&[1]);
    let set = async |body: Value| shop.public("POST", "/api/v2/push/set_app_push_config", &[], body).await;
    for body in [
        json!({ "callback_url": "nowhere" }),
        json!({ "set_push_config_on": [99] }),
        json!({ "blocked_shop_id_list": vec![1; 501] }),
    ] {
        assert_eq!(error(&set(body).await), "error_param");
    }
    let address = "https://hub.example/shopee";
    assert_eq!(
        response(&set(json!({ "callback_url": address, "set_push_config_off": [3] })).await)["result"],
        "success"
    );
    assert!(shop.face.push(order, Event::OrderStatus).is_none());
    assert_eq!(shop.face.push(order, Event::PackageFulfillment).unwrap().address, address);
    let config = shop.public("GET", "/api/v2/push/get_app_push_config", &[], json!({})).await;
    assert_eq!(
        (&response(&config)["callback_url"], &response(&config)["push_config_off_list"]),
        (&json!(address), &json!([3]))
    );
    good(&set(json!({ "set_push_config_on": [3], "blocked_shop_id_list": [SHOP_ID] })).await);
    assert!(shop.face.push(order, Event::OrderStatus).is_none());
    good(&set(json!({ "blocked_shop_id_list": [] })).await);
    assert!(shop.face.push(order, Event::OrderStatus).is_some());
}

#[tokio::test]
async fn lost_pushes_are_given_until_they_are_confirmed_or_3_days_old() {
    let shop = Shop::open_with(Shopee::new().page_size(2)).await;
    let orders: Vec<OrderNumber> = (0..3).map(|_| shop.place(&[1])).collect();
    for order in &orders {
        assert!(shop.face.lose_push(*order, Event::OrderStatus));
    }
    let lost = async || response(&shop.public("GET", LOST, &[], json!({})).await).clone();
    let confirm = async |body: Value| {
        shop.public("POST", "/api/v2/push/confirm_consumed_lost_push_message", &[], body).await
    };
    let first = lost().await;
    let rows = first["push_message_list"].as_array().unwrap();
    assert_eq!((rows.len(), &first["has_next_page"]), (2, &json!(true)));
    assert_eq!((&rows[0]["code"], &rows[0]["shop_id"]), (&json!(3), &json!(SHOP_ID)));
    assert_eq!(rows[0]["data"]["data"]["ordersn"], shop.sn(orders[0]));
    assert_eq!(lost().await, first);
    assert_eq!(error(&confirm(json!({})).await), "error_param");
    good(&confirm(json!({ "last_message_id": first["last_message_id"] })).await);
    let _ = shop.face.clone().lost_pushes_as_text();
    let second = lost().await;
    let data = text(&second["push_message_list"][0]["data"]);
    assert_eq!(serde_json::from_str::<Value>(&data).unwrap()["data"]["ordersn"], shop.sn(orders[2]));
    assert_eq!(second["has_next_page"], false);
    shop.sandbox.advance(TimeDelta::days(3) + TimeDelta::seconds(1));
    assert_eq!(lost().await["push_message_list"], json!([]));
}

// Control port

#[tokio::test]
async fn the_switches_work_over_the_control_port() {
    let shop = Shop::open().await;
    let order = shop.place(&[1]);
    let call = async |method: &str, path: &str, body: Value| {
        let url = format!("{}/faces/shopee/control/{path}", shop.sandbox.control_url());
        let request = shop.client.request(method.parse().unwrap(), url).json(&body);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap_or_default())
    };
    let (status, shown) = call("PUT", &format!("orders/{order}"), json!({ "ways": ["own_carrier"] })).await;
    assert_eq!((status, &shown["order_sn"]), (200, &json!(shop.sn(order))));
    assert_eq!(
        response(&shop.parameter(order).await)["info_needed"],
        json!({ "non_integrated": ["tracking_no"] })
    );
    assert_eq!(call("PUT", "settings", json!({ "error_status": 403, "rate_limit": 1000 })).await.0, 200);
    assert_eq!(shop.send("GET", DETAIL, &shop.common(DETAIL, true), "").await.0, 403);
    assert_eq!(call("PUT", "settings", json!({ "unknown": 1 })).await.0, 422);
    let (_, pushed) = call("POST", "push", json!({ "order": order, "event": "order_status" })).await;
    assert_eq!(pushed["address"], CALLBACK_URL);
    let lose = json!({ "order": order, "event": "order_status", "lost": true });
    assert_eq!(call("POST", "push", lose).await.0, 200);
    let shop_push = json!({ "seller": DEFAULT_SELLER, "event": "deauthorized" });
    assert_eq!(call("POST", "push", shop_push).await.0, 200);
    let (_, code) = call("POST", "authorize", json!({ "days": 30 })).await;
    let body = json!({ "code": code["code"], "partner_id": PARTNER_ID, "shop_id": SHOP_ID });
    good(&shop.public("POST", GET_TOKEN, &[], body).await);
    good(&shop.ship(order, json!({ "non_integrated": { "tracking_number": "T1" } })).await);
    assert_eq!(call("POST", "fail-pick-up", json!({ "order": order })).await.1["packages"], 1);
    assert_eq!(call("POST", "pick-up", json!({ "order": order })).await.1["packages"], 0);
    assert_eq!(call("POST", "reserve", json!({ "item": 1, "units": 2 })).await.0, 200);
    assert_eq!(call("POST", "deauthorize", json!({})).await.0, 200);
    assert_eq!(error(&shop.get(INFO, &[]).await), "shop_no_linked");
}
