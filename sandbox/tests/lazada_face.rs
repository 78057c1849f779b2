//! The Lazada face over plain HTTP, as a client would that knows only the documentation.

// Helpers of tests are not marked as tests, and may fail like them.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Client;
use sales_channels_sandbox::faces::lazada::{
    ACCESS_TOKEN, APP_KEY, APP_SECRET, AUTH_CODE, Allocation, Country, Lazada, OTHER_ACCESS_TOKEN,
    OTHER_SELLER, PushMessage, REFRESH_TOKEN, RefreshTokens, push_signature, request_signature,
};
use sales_channels_sandbox::market::{
    Action, Actor, Axis, ClaimKind, ItemDraft, ItemId, ItemStatus, LineDraft, LineNumber, LineState,
    OrderDraft, OrderNumber, Refusal,
};
use sales_channels_sandbox::{Amount, Market, Sandbox};
use serde_json::{Value, json};

const PACK: &str = "/order/fulfill/pack";
const READY: &str = "/order/package/rts";
const REPACK: &str = "/order/package/repack";
const SELLABLE: &str = "/product/stock/sellable/update";
const REVERSE: &str = "/reverse/getreverseordersforseller";
const VALIDATE: &str = "/order/reverse/cancel/validate";
const CANCEL: &str = "/order/reverse/cancel/create";
const DECIDE: &str = "/order/reverse/cancel/seller/decide";

/// Noon in Singapore, 24 November 2026.
fn noon() -> DateTime<Utc> {
    "2026-11-24T04:00:00Z".parse().unwrap()
}

struct Shop {
    sandbox: Sandbox,
    face: Lazada,
    client: Client,
    token: String,
}

impl Shop {
    async fn open() -> Self {
        Self::open_with(Lazada::new()).await
    }

    async fn open_with(face: Lazada) -> Self {
        let sandbox = Sandbox::builder().face(face.clone()).now(noon()).start().await.unwrap();
        Self { sandbox, face, client: Client::new(), token: ACCESS_TOKEN.into() }
    }

    fn market(&self) -> &Market {
        self.sandbox.market()
    }

    fn url(&self, path: &str) -> String {
        format!("{}/rest{path}", self.sandbox.base_url("lazada").unwrap())
    }

    /// System and business parameters with their signature.
    fn signed(&self, path: &str, params: &[(&str, &str)]) -> Vec<(String, String)> {
        let timestamp = self.sandbox.clock().now().timestamp_millis().to_string();
        let mut all = owned(&[("app_key", APP_KEY), ("timestamp", &timestamp), ("sign_method", "sha256")]);
        if !self.token.is_empty() {
            all.push(("access_token".into(), self.token.clone()));
        }
        all.extend(owned(params));
        let sign = request_signature(APP_SECRET, path, &all, b"");
        all.push(("sign".into(), sign));
        all
    }

    async fn get_as(&self, path: &str, params: &[(String, String)]) -> Value {
        let url = reqwest::Url::parse_with_params(&self.url(path), params).unwrap();
        read(self.client.get(url).send().await.unwrap()).await
    }

    async fn get(&self, path: &str, params: &[(&str, &str)]) -> Value {
        self.get_as(path, &self.signed(path, params)).await
    }

    async fn post(&self, path: &str, params: &[(&str, &str)]) -> Value {
        let form = self.signed(path, params);
        read(self.client.post(self.url(path)).form(&form).send().await.unwrap()).await
    }

    async fn orders(&self, params: &[(&str, &str)]) -> Value {
        let mut all = vec![("created_after", "2026-01-01T00:00:00+08:00"), ("sort_direction", "ASC")];
        all.extend(params);
        let answer = self.get("/orders/get", &all).await;
        ok(&answer)["data"].clone()
    }

    async fn items(&self, order: OrderNumber) -> Vec<Value> {
        let answer = self.get("/order/items/get", &[("order_id", &id_of(order))]).await;
        ok(&answer)["data"].as_array().unwrap().clone()
    }

    async fn statuses(&self, order: OrderNumber) -> Vec<String> {
        texts(&self.items(order).await, "status")
    }

    async fn item_ids(&self, order: OrderNumber) -> Vec<u64> {
        self.items(order).await.iter().map(|row| row["order_item_id"].as_u64().unwrap()).collect()
    }

    /// A paid order of lines with so many units each.
    fn place(&self, units: &[u32]) -> OrderNumber {
        let line = |(at, units): (usize, &u32)| {
            LineDraft::unlisted(&format!("SKU-{at}"), "Cap 🧢", Amount::whole(10), *units)
        };
        let draft = OrderDraft::of(units.iter().enumerate().map(line).collect());
        self.market().buyer().place(draft).unwrap()
    }

    fn line(&self, order: OrderNumber) -> LineNumber {
        self.market().lines_of(order)[0]
    }

    async fn pack_as(&self, request: Value) -> Value {
        self.post(PACK, &[("packReq", &request.to_string())]).await
    }

    /// Packs order items: their rows.
    async fn pack(&self, order: OrderNumber, items: &[u64]) -> Vec<Value> {
        let answer = self.pack_as(pack_request(&[(order, items)])).await;
        let data = &done(&answer)["data"]["pack_order_list"][0];
        assert_eq!(data["order_id"].to_string(), id_of(order));
        data["order_item_list"].as_array().unwrap().clone()
    }

    async fn pack_all(&self, order: OrderNumber) -> String {
        let items = self.item_ids(order).await;
        self.pack(order, &items).await[0]["package_id"].as_str().unwrap().to_owned()
    }

    /// The codes of packages by one of the package calls.
    async fn packages(&self, path: &str, name: &str, ids: &[&str]) -> Vec<String> {
        let list: Vec<Value> = ids.iter().map(|id| json!({ "package_id": id })).collect();
        let answer = self.post(path, &[(name, &json!({ "packages": list }).to_string())]).await;
        texts(done(&answer)["data"]["packages"].as_array().unwrap(), "item_err_code")
    }

    async fn ready(&self, package: &str) -> String {
        self.packages(READY, "readyToShipReq", &[package]).await.remove(0)
    }

    async fn reverse(&self, params: &[(&str, &str)]) -> Value {
        let mut all = vec![("page_no", "1"), ("page_size", "10")];
        all.extend(params);
        done(&self.get(REVERSE, &all).await).clone()
    }

    fn list(&self, seller_code: &str, quantity: i64) -> ItemId {
        self.market().list(ItemDraft::simple(seller_code, "Mug", Amount::whole(12), quantity)).unwrap()
    }

    async fn update(&self, path: &str, skus: Value) -> Value {
        let payload = json!({ "Request": { "Product": { "Skus": { "Sku": skus } } } }).to_string();
        self.post(path, &[("payload", &payload)]).await
    }
}

async fn read(response: reqwest::Response) -> Value {
    assert_eq!(response.status().as_u16(), 200);
    response.json().await.unwrap()
}

fn owned(params: &[(&str, &str)]) -> Vec<(String, String)> {
    params.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn id_of(order: OrderNumber) -> String {
    (490_000_000_000_000 + order.0).to_string()
}

fn sku_of(item: ItemId) -> String {
    (20_000_000_000 + item.0).to_string()
}

fn code(answer: &Value) -> &str {
    answer["code"].as_str().unwrap()
}

/// An answer that must have gone well.
fn ok(answer: &Value) -> &Value {
    assert_eq!(answer["code"], "0", "{answer}");
    assert!(!answer["request_id"].as_str().unwrap().is_empty());
    answer
}

/// The result of a fulfilment call that must have gone well as a whole.
fn done(answer: &Value) -> &Value {
    let result = &ok(answer)["result"];
    assert_eq!(result["success"], true, "{answer}");
    result
}

/// The code of a fulfilment call of which nothing was done.
fn failed(answer: &Value) -> &str {
    let result = &ok(answer)["result"];
    assert_eq!(result["success"], false, "{answer}");
    result["error_code"].as_str().unwrap()
}

fn texts(rows: &[Value], name: &str) -> Vec<String> {
    rows.iter().map(|row| row[name].as_str().unwrap().to_owned()).collect()
}

fn pack_request(orders: &[(OrderNumber, &[u64])]) -> Value {
    let order = |(order, items): &(OrderNumber, &[u64])| json!({ "order_id": id_of(*order).parse::<u64>().unwrap(), "order_item_list": items });
    json!({
        "pack_order_list": orders.iter().map(order).collect::<Vec<_>>(),
        "delivery_type": "dropship",
        "shipping_allocate_type": "TFS",
    })
}

fn sample(name: &str) -> Value {
    let path = format!("{}/tests/samples/lazada/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn names(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

// Calls

#[tokio::test]
async fn the_signature_of_the_documentation_is_accepted_and_a_changed_byte_is_not() {
    let shop = Shop::open().await;
    shop.sandbox.set_now(DateTime::from_timestamp_millis(1_517_820_392_000).unwrap());
    let params = [
        ("timestamp", "1517820392000"),
        ("order_id", "1234"),
        ("app_key", "123456"),
        ("sign_method", "sha256"),
        ("access_token", "test"),
        ("sign", "4190D32361CFB9581350222F345CB77F3B19F0E31D162316848A2C1FFD5FAB4A"),
    ];
    let answer = |changes: &[(&str, &str)]| {
        let mut changed = owned(&params);
        for (name, value) in changes {
            match changed.iter_mut().find(|(n, _)| n == name) {
                Some(param) => param.1 = (*value).to_owned(),
                None => changed.push(((*name).to_owned(), (*value).to_owned())),
            }
        }
        let shop = &shop;
        async move { shop.get_as("/order/get", &changed).await }
    };
    // The signature is good; nobody has this token.
    assert_eq!(code(&answer(&[]).await), "IllegalAccessToken");
    for changes in [
        ("order_id", "1235"),
        ("timestamp", "1517820392001"),
        ("access_token", "Test"),
        ("more", "1"),
        ("sign_method", "hmac"),
        ("sign", "4190d32361cfb9581350222f345cb77f3b19f0e31d162316848a2c1ffd5fab4a"),
        ("sign", "5190D32361CFB9581350222F345CB77F3B19F0E31D162316848A2C1FFD5FAB4A"),
    ] {
        assert_eq!(code(&answer(&[changes]).await), "IncompleteSignature", "{changes:?}");
    }
}

#[tokio::test]
async fn a_call_is_checked_step_by_step_and_errors_are_http_200() {
    let mut shop = Shop::open().await;
    let order = shop.place(&[1]);
    let params = shop.signed("/order/get", &[("order_id", &id_of(order))]);
    let without = |name: &str| params.iter().filter(|(n, _)| n != name).cloned().collect::<Vec<_>>();
    for name in ["app_key", "timestamp", "sign_method", "sign"] {
        let answer = shop.get_as("/order/get", &without(name)).await;
        assert_eq!(code(&answer), "MissingParameter", "{name}");
        assert_eq!(answer["type"], "ISV");
        assert!(answer["message"].as_str().unwrap().contains(name));
    }
    assert_eq!(code(&shop.get_as("/order/get", &without("order_id")).await), "IncompleteSignature");
    let mut other_app = params.clone();
    other_app[0].1 = "654321".into();
    assert_eq!(code(&shop.get_as("/order/get", &other_app).await), "InvalidAppKey");
    assert_eq!(code(&shop.get("/order/got", &[]).await), "InvalidApiPath");
    assert_eq!(code(&shop.post("/order/get", &[("order_id", &id_of(order))]).await), "UnsupportedHttpMethod");
    assert_eq!(code(&shop.get(PACK, &[]).await), "UnsupportedHttpMethod");
    ok(&shop.get_as("/order/get", &params).await);
    shop.token = String::new();
    assert_eq!(code(&shop.get("/order/get", &[]).await), "MissingParameter");
    shop.token = "nobody's".into();
    assert_eq!(code(&shop.get("/order/get", &[]).await), "IllegalAccessToken");
    // Another seller's order is none.
    shop.token = OTHER_ACCESS_TOKEN.into();
    assert_eq!(code(&shop.get("/order/get", &[("order_id", &id_of(order))]).await), "16");
    assert_eq!(shop.orders(&[]).await["countTotal"], 0);
    // The base URL works without /rest, too.
    let query = shop.signed("/seller/get", &[]);
    let base = format!("{}/seller/get", shop.sandbox.base_url("lazada").unwrap());
    let url = reqwest::Url::parse_with_params(&base, query).unwrap();
    let answer = read(shop.client.get(url).send().await.unwrap()).await;
    assert_eq!(ok(&answer)["data"]["seller_id"], 1002);
}

#[tokio::test]
async fn timestamps_are_good_for_two_hours() {
    let shop = Shop::open().await;
    let params = shop.signed("/seller/get", &[]);
    for (offset, expected) in
        [(7200, "0"), (7201, "InvalidTimestamp"), (-7200, "0"), (-7201, "InvalidTimestamp")]
    {
        shop.sandbox.set_now(noon() + TimeDelta::seconds(offset));
        assert_eq!(code(&shop.get_as("/seller/get", &params).await), expected, "{offset}");
    }
}

#[tokio::test]
async fn a_raw_body_is_signed_with_the_rest_or_left_aside() {
    let shop = Shop::open().await;
    let body = r#"{"page_size":"10"}"#;
    let timestamp = noon().timestamp_millis().to_string();
    let params = owned(&[
        ("app_key", APP_KEY),
        ("timestamp", &timestamp),
        ("sign_method", "sha256"),
        ("access_token", ACCESS_TOKEN),
        ("page_no", "1"),
        ("page_size", "10"),
    ]);
    for (signed, expected) in [(body, "0"), ("", "0"), ("{}", "IncompleteSignature")] {
        let mut all = params.clone();
        all.push(("sign".into(), request_signature(APP_SECRET, REVERSE, &params, signed.as_bytes())));
        let url = reqwest::Url::parse_with_params(&shop.url(REVERSE), &all).unwrap();
        let request = shop.client.post(url).header("content-type", "application/json").body(body);
        assert_eq!(code(&read(request.send().await.unwrap()).await), expected, "{signed}");
    }
}

#[tokio::test]
async fn limits_ban_for_as_long_as_the_message_says() {
    let shop = Shop::open_with(Lazada::new().with_limits(2, 3)).await;
    let seller = || shop.get("/seller/get", &[]);
    for expected in ["0", "0", "ApiCallLimit", "ApiCallLimit"] {
        assert_eq!(code(&seller().await), expected);
    }
    let answer = seller().await;
    assert_eq!(answer["message"], "Api access frequency exceeds the limit. this ban will last 3 seconds");
    // Another API has a limit of its own, and products a code.
    for expected in ["0", "0", "901"] {
        assert_eq!(code(&shop.get("/products/get", &[("filter", "all")]).await), expected);
    }
    shop.sandbox.advance(TimeDelta::seconds(2));
    assert_eq!(code(&seller().await), "ApiCallLimit");
    shop.sandbox.advance(TimeDelta::seconds(1));
    assert_eq!(code(&seller().await), "0");
    let free = Shop::open().await;
    for _ in 0..60 {
        assert_eq!(code(&free.get("/seller/get", &[]).await), "0");
    }
}

// Tokens

async fn token(shop: &mut Shop, path: &str, name: &str, value: &str) -> Value {
    let kept = std::mem::take(&mut shop.token);
    let answer = shop.post(path, &[(name, value)]).await;
    shop.token = kept;
    answer
}

async fn exchange(shop: &mut Shop, auth_code: &str) -> Value {
    token(shop, "/auth/token/create", "code", auth_code).await
}

async fn refresh(shop: &mut Shop, refresh_token: &str) -> Value {
    token(shop, "/auth/token/refresh", "refresh_token", refresh_token).await
}

#[tokio::test]
async fn a_code_works_once_and_for_half_an_hour() {
    let mut shop = Shop::open().await;
    let granted = exchange(&mut shop, AUTH_CODE).await;
    ok(&granted);
    assert_eq!(granted["expires_in"], 30 * 86_400);
    assert_eq!(granted["refresh_expires_in"], (180 * 86_400).to_string());
    assert_eq!(granted["country_user_info"][0]["seller_id"], "1001");
    let wanted = sample("generateaccesstoken.response.json");
    assert!(names(&wanted).is_subset(&names(&granted)));
    shop.token = granted["access_token"].as_str().unwrap().to_owned();
    ok(&shop.get("/seller/get", &[]).await);
    assert_eq!(code(&exchange(&mut shop, AUTH_CODE).await), "InvalidCode");
    let late = shop.face.authorize("demo-seller").unwrap();
    shop.sandbox.advance(TimeDelta::minutes(30));
    assert_eq!(code(&exchange(&mut shop, &late).await), "InvalidCode");
    assert_eq!(code(&token(&mut shop, "/auth/token/create", "uuid", "x").await), "MissingParameter");
    // Token calls are signed like others.
    let mut params = shop.signed("/auth/token/create", &[("code", "x")]);
    params.last_mut().unwrap().1.push('0');
    assert_eq!(code(&shop.get_as("/auth/token/create", &params).await), "IncompleteSignature");
}

#[tokio::test]
async fn an_expired_token_is_refreshed_and_the_old_refresh_token_is_dead() {
    let mut shop = Shop::open().await;
    shop.sandbox.advance(TimeDelta::days(30) - TimeDelta::seconds(1));
    ok(&shop.get("/seller/get", &[]).await);
    shop.sandbox.advance(TimeDelta::seconds(1));
    assert_eq!(code(&shop.get("/seller/get", &[]).await), "IllegalAccessToken");
    let first = refresh(&mut shop, REFRESH_TOKEN).await;
    assert_eq!(ok(&first)["refresh_expires_in"], 180 * 86_400);
    assert_eq!(first["country_user_info_list"][0]["short_code"], "SG1001");
    shop.token = first["access_token"].as_str().unwrap().to_owned();
    ok(&shop.get("/seller/get", &[]).await);
    assert_eq!(code(&refresh(&mut shop, REFRESH_TOKEN).await), "IllegalRefreshToken");
    let rotated = first["refresh_token"].as_str().unwrap();
    shop.sandbox.advance(TimeDelta::days(180));
    assert_eq!(code(&refresh(&mut shop, rotated).await), "IllegalRefreshToken");

    let mut staying = Shop::open_with(Lazada::new().refresh_tokens(RefreshTokens::OldOnesLive)).await;
    for _ in 0..2 {
        assert_ne!(ok(&refresh(&mut staying, REFRESH_TOKEN).await)["refresh_token"], REFRESH_TOKEN);
    }
    staying.face.deauthorize("demo-seller");
    assert_eq!(code(&staying.get("/seller/get", &[]).await), "IllegalAccessToken");
    assert_eq!(code(&refresh(&mut staying, REFRESH_TOKEN).await), "IllegalRefreshToken");
    let mut in_test = Shop::open_with(Lazada::new().access_days(7)).await;
    assert_eq!(ok(&refresh(&mut in_test, REFRESH_TOKEN).await)["expires_in"], 7 * 86_400);
}

#[tokio::test]
async fn one_listener_serves_the_market_of_its_shops() {
    let shop = Shop::open_with(Lazada::new().country(Country::Th)).await;
    let order = shop.place(&[1]);
    let item = &shop.items(order).await[0];
    assert_eq!(
        (&item["currency"], &item["created_at"]),
        (&json!("THB"), &json!("2026-11-24 11:00:00 +0700"))
    );
    let query = shop.signed("/seller/get", &[]);
    for (host, expected) in [("api.lazada.co.th", "0"), ("api.lazada.sg", "IllegalAccessToken")] {
        let url = reqwest::Url::parse_with_params(&shop.url("/seller/get"), &query).unwrap();
        let response = shop.client.get(url).header("host", host).send().await.unwrap();
        assert_eq!(code(&read(response).await), expected, "{host}");
    }
}

// Orders

#[tokio::test]
async fn an_order_has_an_item_for_each_unit_and_loses_no_money() {
    let shop = Shop::open().await;
    let axes = vec![Axis::new("color_family", "Red"), Axis::new("Size", "M")];
    let shirt = ItemDraft::simple("TEE", "T-shirt", Amount::whole(20), 0).with_option(axes, "TEE-RED-M", 9);
    let item = shop.market().list(shirt).unwrap();
    let option = shop.market().item(item).unwrap().options[0].id;
    let line = LineDraft { discount: Amount::whole(1), ..LineDraft::of_option(item, option, 3) };
    let draft = OrderDraft { shipping_fee: Amount::hundredths(54), ..OrderDraft::of(vec![line]) };
    let order = shop.market().buyer().place(draft).unwrap();
    let row = shop.orders(&[]).await["orders"][0].clone();
    assert_eq!((&row["order_id"], &row["order_number"]), (&json!(id_of(order)), &json!(id_of(order))));
    assert_eq!(
        (&row["price"], &row["voucher"], &row["shipping_fee"]),
        (&json!("60.00"), &json!("1.00"), &json!("0.54"))
    );
    assert_eq!(row["statuses"], json!(["pending"]));
    assert_eq!(row["items_count"], 3);
    assert_eq!(row["created_at"], "2026-11-24T12:00:00+08:00");
    assert_eq!(row["address_shipping"]["phone"], "09****1");
    let items = shop.items(order).await;
    assert_eq!(shop.item_ids(order).await.into_iter().collect::<BTreeSet<_>>().len(), 3);
    let sum: Amount = items
        .iter()
        .map(|item| item["paid_price"].as_str().unwrap().parse::<Amount>().unwrap())
        .fold(Amount::ZERO, |a, b| a + b);
    assert_eq!(sum, Amount::whole(59));
    assert_eq!(items[0]["sku"], "TEE-RED-M");
    assert_eq!(items[0]["variation"], "color_family:Red, Size:M");
    assert_eq!(items[0]["sku_id"], (10_000_000_000 + option.0).to_string());
    assert_eq!(items[0]["product_id"], item.to_string());
}

#[tokio::test]
async fn rows_have_only_fields_of_the_official_examples() {
    let shop = Shop::open().await;
    let order = shop.place(&[1, 1]);
    shop.market().buyer().request_cancel(shop.line(order), "changed my mind").unwrap();
    let listed = shop.orders(&[]).await["orders"][0].clone();
    let known = sample("getorders.response.json")["data"]["orders"].clone();
    assert_eq!(names(&listed).difference(&names(&known)).collect::<Vec<_>>(), [&""; 0]);
    assert_eq!(names(&listed["address_shipping"]), names(&known["address_shipping"]));
    let single = shop.get("/order/get", &[("order_id", &id_of(order))]).await["data"].clone();
    let known = sample("getorder.response.json")["data"].clone();
    assert_eq!(names(&single).difference(&names(&known)).collect::<Vec<_>>(), [&""; 0]);
    assert_eq!(single["order_id"], id_of(order).parse::<u64>().unwrap());
    assert_eq!(single["created_at"], "2026-11-24 12:00:00 +0800");
    let items = shop.items(order).await;
    let known = sample("getorderitems.response.json")["data"].clone();
    assert_eq!(names(&items[0]).difference(&names(&known)).collect::<Vec<_>>(), [&""; 0]);
    assert_eq!(
        (&items[0]["need_cancel_confirm"], &items[1]["need_cancel_confirm"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(single["need_cancel_confirm"], true);
}

#[tokio::test]
async fn orders_are_found_by_time_and_status() {
    let shop = Shop::open().await;
    let first = shop.place(&[1]);
    shop.sandbox.advance(TimeDelta::minutes(10));
    let unpaid = OrderDraft { unpaid: true, ..OrderDraft::example() };
    let second = shop.market().buyer().place(unpaid).unwrap();
    shop.sandbox.advance(TimeDelta::minutes(10));
    shop.pack_all(first).await;
    let found = |params: &'static [(&str, &str)]| {
        let shop = &shop;
        async move {
            let answer = shop.get("/orders/get", params).await;
            texts(ok(&answer)["data"]["orders"].as_array().unwrap(), "order_id")
        }
    };
    let (first, second) = (id_of(first), id_of(second));
    // Both ends belong to the range.
    let by_creation =
        [("created_after", "2026-11-24T12:00:00+08:00"), ("created_before", "2026-11-24T12:10:00+0800")];
    let rows = shop.get("/orders/get", &by_creation).await["data"]["orders"].clone();
    assert_eq!(texts(rows.as_array().unwrap(), "order_id"), [&*second, &*first]);
    assert_eq!(found(&[("created_after", "2026-11-24T12:00:01+08:00")]).await, [&*second]);
    // What was packed was updated.
    assert_eq!(found(&[("update_after", "2026-11-24T12:20:00+08:00")]).await, [&*first]);
    let by_update =
        [("update_after", "2026-11-24T12:00:00+08:00"), ("sort_by", "updated_at"), ("sort_direction", "ASC")];
    let rows = shop.get("/orders/get", &by_update).await["data"]["orders"].clone();
    assert_eq!(texts(rows.as_array().unwrap(), "order_id"), [&*second, &*first]);
    for (status, expected) in [
        ("unpaid", vec![&second]),
        ("packed", vec![&first]),
        ("toship", vec![&first]),
        ("pending", vec![]),
        ("lost", vec![]),
    ] {
        let rows = shop.orders(&[("status", status)]).await["orders"].clone();
        assert_eq!(
            texts(rows.as_array().unwrap(), "order_id").iter().collect::<Vec<_>>(),
            expected,
            "{status}"
        );
    }
}

#[tokio::test]
async fn bad_parameters_of_orders_have_their_codes() {
    let shop = Shop::open().await;
    let after = ("created_after", "2026-01-01T00:00:00+08:00");
    for (params, expected) in [
        (vec![], "17"),
        (vec![("created_before", "2026-01-01T00:00:00+08:00")], "17"),
        (vec![("created_after", "2026-01-01")], "17"),
        (vec![("created_after", "2026-01-01T00:00:00")], "17"),
        (vec![after, ("update_before", "yesterday")], "17"),
        (vec![after, ("limit", "101")], "19"),
        (vec![after, ("limit", "0")], "19"),
        (vec![after, ("offset", "-1")], "14"),
        (vec![after, ("status", "confirmed")], "36"),
        (vec![after, ("sort_by", "price")], "75"),
        (vec![after, ("sort_direction", "asc")], "74"),
    ] {
        let answer = shop.get("/orders/get", &params).await;
        assert_eq!(code(&answer), expected, "{params:?}");
        assert_eq!(answer["type"], "ISP");
    }
}

#[tokio::test]
async fn pages_count_from_an_offset_that_shifts_while_orders_change() {
    let shop = Shop::open_with(Lazada::new().page_size(2)).await;
    for _ in 0..5 {
        shop.place(&[1]);
        shop.sandbox.advance(TimeDelta::minutes(1));
    }
    let mut seen = Vec::new();
    for offset in ["0", "2", "4", "6"] {
        let data = shop.orders(&[("offset", offset), ("limit", "100")]).await;
        assert_eq!(data["countTotal"], 5);
        assert_eq!(data["count"], data["orders"].as_array().unwrap().len());
        seen.extend(texts(data["orders"].as_array().unwrap(), "order_id"));
    }
    assert_eq!(seen.len(), 5);
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), 5);
    // By last change: the first order moves to the end between two pages, and the third is never seen.
    let by_change = |offset: &'static str| {
        let shop = &shop;
        async move {
            let data = shop.orders(&[("sort_by", "updated_at"), ("offset", offset)]).await;
            texts(data["orders"].as_array().unwrap(), "order_id")
        }
    };
    assert_eq!(by_change("0").await, seen[0..2]);
    let moved: OrderNumber = OrderNumber(seen[0].parse::<u64>().unwrap() - 490_000_000_000_000);
    shop.pack_all(moved).await;
    assert_eq!(by_change("2").await, seen[3..5]);
}

#[tokio::test]
async fn items_of_many_orders_are_asked_for_in_brackets() {
    let shop = Shop::open().await;
    let (first, second) = (shop.place(&[2]), shop.place(&[1]));
    let get = |ids: String| async move { ids };
    let both = get(format!("[{}, {}]", id_of(first), id_of(second))).await;
    let answer = shop.get("/orders/items/get", &[("order_ids", &both)]).await;
    let rows = ok(&answer)["data"].as_array().unwrap();
    assert_eq!(rows[0]["order_id"], id_of(first).parse::<u64>().unwrap());
    assert_eq!(rows[0]["order_items"].as_array().unwrap().len(), 2);
    assert_eq!(rows[1]["order_items"][0]["order_id"], id_of(second).parse::<u64>().unwrap());
    let many = format!("[{}]", vec![id_of(first); 51].join(","));
    for (ids, expected) in [
        (format!("{},{}", id_of(first), id_of(second)), "56"),
        ("[]".into(), "56"),
        (format!("[{},1]", id_of(first)), "37"),
        ("[1,2]".into(), "39"),
        (many, "38"),
    ] {
        assert_eq!(code(&shop.get("/orders/items/get", &[("order_ids", &ids)]).await), expected, "{ids}");
    }
    assert_eq!(code(&shop.get("/orders/items/get", &[]).await), "MissingParameter");
    for path in ["/order/get", "/order/items/get"] {
        assert_eq!(code(&shop.get(path, &[("order_id", "1")]).await), "16");
    }
}

// Packages

#[tokio::test]
async fn packing_gives_package_and_tracking_number_and_ready_to_ship_sends() {
    let shop = Shop::open().await;
    let order = shop.place(&[2, 1]);
    let items = shop.item_ids(order).await;
    let rows = shop.pack(order, &items).await;
    assert_eq!(texts(&rows, "item_err_code"), ["0", "0", "0"]);
    let package = rows[0]["package_id"].as_str().unwrap();
    let tracking = rows[0]["tracking_number"].as_str().unwrap();
    assert!(rows.iter().all(|row| row["package_id"] == package && row["tracking_number"] == tracking));
    assert_eq!(
        names(&rows[0]),
        names(&sample("pack.response.json")["result"]["data"]["pack_order_list"][0]["order_item_list"][0])
    );
    let shown = shop.items(order).await;
    assert!(shown.iter().all(|item| item["package_id"] == package && item["tracking_code"] == tracking));
    assert_eq!(shop.statuses(order).await, ["packed"; 3]);
    let line = shop.line(order);
    assert_eq!(shop.market().confirmations(line), 1);
    assert!(shop.market().dispatches(line).is_empty());

    assert_eq!(shop.ready(package).await, "0");
    assert_eq!(shop.statuses(order).await, ["ready_to_ship"; 3]);
    assert_eq!(shop.market().dispatches(line), [tracking]);
    shop.sandbox.advance(TimeDelta::minutes(1));
    assert_eq!(shop.face.collect(order), 1);
    assert_eq!(shop.statuses(order).await, ["shipped"; 3]);
    assert_eq!(shop.orders(&[("update_after", "2026-11-24T12:01:00+08:00")]).await["count"], 1);
    for line in shop.market().lines_of(order) {
        shop.market().marketplace().deliver(line).unwrap();
    }
    assert_eq!(shop.statuses(order).await, ["delivered"; 3]);
}

#[tokio::test]
async fn repeats_are_refused_and_in_the_record() {
    let shop = Shop::open().await;
    let order = shop.place(&[1]);
    let package = shop.pack_all(order).await;
    let items = shop.item_ids(order).await;
    let again = shop.pack(order, &items).await;
    assert_eq!((&again[0]["item_err_code"], &again[0]["package_id"]), (&json!("700026"), &json!("")));
    assert_eq!(shop.ready(&package).await, "0");
    assert_eq!(shop.ready(&package).await, "700000");
    let line = shop.line(order);
    assert_eq!((shop.market().confirmations(line), shop.market().dispatches(line).len()), (1, 1));
    let refused: Vec<Refusal> =
        shop.market().record_of(line).into_iter().filter_map(|event| event.refused).collect();
    assert_eq!(refused, [Refusal::AlreadyConfirmed, Refusal::WrongState(LineState::Shipped)]);
    assert!(shop.market().record_of(line).iter().all(|event| {
        matches!(&event.actor, Actor::Api { face, operation } if face == "lazada" && !operation.is_empty())
    }));
}

#[tokio::test]
async fn each_order_item_has_a_result_of_its_own() {
    let shop = Shop::open().await;
    let order = shop.place(&[2]);
    let items = shop.item_ids(order).await;
    shop.pack(order, &items[..1]).await;
    let rows = shop.pack(order, &[items[0], items[1], 5, items[1]]).await;
    assert_eq!(texts(&rows, "item_err_code"), ["700026", "0", "700025", "700026"]);
    let unpaid = shop.market().buyer().place(OrderDraft { unpaid: true, ..OrderDraft::example() }).unwrap();
    let unpaid_items = shop.item_ids(unpaid).await;
    let answer = shop.pack_as(pack_request(&[(unpaid, &unpaid_items), (OrderNumber(1), &[7])])).await;
    let list = &done(&answer)["data"]["pack_order_list"];
    assert_eq!(list[0]["order_item_list"][0]["item_err_code"], "700031");
    assert_eq!(list[1]["order_item_list"][0]["item_err_code"], "700021");
    // Two packages, two parcels.
    let packages = texts(&shop.items(order).await, "package_id");
    let ids: Vec<&str> = packages.iter().map(String::as_str).collect();
    assert_eq!(shop.packages(READY, "readyToShipReq", &[ids[0], "FP1", ids[1]]).await, ["0", "600001", "0"]);
    assert_eq!(shop.market().dispatches(shop.line(order)).len(), 2);
    assert_eq!(shop.market().line(shop.line(order)).unwrap().state, LineState::Shipped);
}

#[tokio::test]
async fn a_batch_that_is_wrong_as_a_whole_changes_nothing() {
    let shop = Shop::open().await;
    let order = shop.place(&[1]);
    let items = shop.item_ids(order).await;
    let good = pack_request(&[(order, &items)]);
    let with = |name: &str, value: Value| {
        let mut request = good.clone();
        request[name] = value;
        request
    };
    let many = pack_request(&vec![(order, items.as_slice()); 21]);
    for (request, expected) in [
        (many, "700022"),
        (pack_request(&[]), "700018"),
        (pack_request(&[(order, &[])]), "700018"),
        (with("delivery_type", json!("send_to_warehouse")), "700004"),
        (with("delivery_type", Value::Null), "700017"),
        (with("shipping_allocate_type", json!("NTFS")), "700004"),
        (with("shipping_allocate_type", Value::Null), "700017"),
        (with("pack_order_list", json!("all")), "700004"),
    ] {
        assert_eq!(failed(&shop.pack_as(request.clone()).await), expected, "{request}");
    }
    assert_eq!(code(&shop.post(PACK, &[]).await), "MissingParameter");
    assert_eq!(shop.statuses(order).await, ["pending"]);
    let many: Vec<Value> = (0..21).map(|_| json!({ "package_id": "FP1" })).collect();
    let answer = shop.post(READY, &[("readyToShipReq", &json!({ "packages": many }).to_string())]).await;
    assert_eq!(failed(&answer), "700022");
    assert_eq!(failed(&shop.post(READY, &[("readyToShipReq", "{}")]).await), "700017");
}

#[tokio::test]
async fn a_cross_border_shop_names_its_provider() {
    let shop = Shop::open_with(Lazada::new().allocation(Allocation::Ntfs)).await;
    let order = shop.place(&[1]);
    let items = shop.item_ids(order).await;
    let request =
        |order: &str| json!({ "orders": [{ "order_id": order, "order_item_ids": items }] }).to_string();
    let path = "/order/shipment/providers/get";
    let answer = shop.get(path, &[("getShipmentProvidersReq", &request(&id_of(order)))]).await;
    let data = &done(&answer)["data"];
    assert_eq!((&data["platform_default"], &data["shipping_allocate_type"]), (&json!(0), &json!("NTFS")));
    assert_eq!(data["shipment_providers"][0], json!({ "name": "Cainiao", "provider_code": "FM49" }));
    assert_eq!(failed(&shop.post(path, &[("getShipmentProvidersReq", &request("1"))]).await), "700021");
    let mut pack = pack_request(&[(order, &items)]);
    pack["shipping_allocate_type"] = json!("NTFS");
    assert_eq!(failed(&shop.pack_as(pack.clone()).await), "700016");
    pack["shipment_provider_code"] = json!("FM49");
    let answer = shop.pack_as(pack).await;
    let row = &done(&answer)["data"]["pack_order_list"][0]["order_item_list"][0];
    assert_eq!(row["shipment_provider"], "Cainiao");

    let local = Shop::open().await;
    let order = local.place(&[1]);
    let asked = json!({ "orders": [{ "order_id": id_of(order) }] }).to_string();
    let answer = local.get(path, &[("getShipmentProvidersReq", &asked)]).await;
    assert_eq!(done(&answer)["data"]["shipment_providers"], json!([]));
    assert_eq!(done(&answer)["data"]["platform_default"], 1);
}

#[tokio::test]
async fn a_package_that_is_given_up_can_be_packed_again() {
    let shop = Shop::open().await;
    let order = shop.place(&[2]);
    let first = shop.pack_all(order).await;
    assert_eq!(shop.packages(REPACK, "rePackReq", &[&first, "FP1"]).await, ["0", "600001"]);
    assert_eq!(shop.statuses(order).await, ["repacked"; 2]);
    assert_eq!(shop.items(order).await[0]["tracking_code"], "");
    assert_eq!(shop.ready(&first).await, "600002");
    let second = shop.pack_all(order).await;
    assert_ne!(first, second);
    assert_eq!(shop.market().confirmations(shop.line(order)), 1);
    assert_eq!(shop.ready(&second).await, "0");
    assert_eq!(shop.packages(REPACK, "rePackReq", &[&second]).await, ["700000"]);
    assert_eq!(shop.packages(REPACK, "rePackReq", &[&first]).await, ["600002"]);
    // Another seller's packages are none.
    let mut other = shop;
    other.token = OTHER_ACCESS_TOKEN.into();
    assert_eq!(other.packages(READY, "readyToShipReq", &[&second]).await, ["600001"]);
}

#[tokio::test]
async fn switched_on_failures_and_lags_happen() {
    let shop = Shop::open_with(Lazada::new().allocation_failures(1).pending_seconds(60)).await;
    let order = shop.place(&[1]);
    let items = shop.item_ids(order).await;
    let row = shop.pack(order, &items).await.remove(0);
    assert_eq!((&row["item_err_code"], &row["retry"]), (&json!("1003"), &json!(true)));
    let row = shop.pack(order, &items).await.remove(0);
    assert_eq!(row["item_err_code"], "0");
    assert_eq!(shop.ready(row["package_id"].as_str().unwrap()).await, "0");
    assert_eq!(shop.statuses(order).await, ["ready_to_ship_pending"]);
    shop.sandbox.advance(TimeDelta::seconds(60));
    assert_eq!(shop.statuses(order).await, ["ready_to_ship"]);
}

#[tokio::test]
async fn labels_are_for_packages_that_stand() {
    let shop = Shop::open().await;
    let order = shop.place(&[1]);
    let package = shop.pack_all(order).await;
    let label = |kind: &'static str, package: String| {
        let shop = &shop;
        async move {
            let request = json!({ "doc_type": kind, "packages": [{ "package_id": package }] }).to_string();
            shop.get("/order/package/document/get", &[("getDocumentReq", &request)]).await
        }
    };
    let answer = label("PDF", package.clone()).await;
    let data = &done(&answer)["data"];
    assert!(!data["file"].as_str().unwrap().is_empty());
    let file = shop.client.get(data["pdf_url"].as_str().unwrap()).send().await.unwrap().text().await.unwrap();
    assert!(file.starts_with("%PDF") && file.contains(&package));
    assert!(done(&label("HTML", package.clone()).await)["data"].get("pdf_url").is_none());
    assert_eq!(failed(&label("DOC", package.clone()).await), "700004");
    assert_eq!(failed(&label("PDF", "FP1".into()).await), "600001");
    shop.packages(REPACK, "rePackReq", &[&package]).await;
    assert_eq!(failed(&label("PDF", package).await), "700040");
}

// Stock and listings

#[tokio::test]
async fn sellable_quantities_are_absolute_and_wrong_skus_are_named() {
    let shop = Shop::open().await;
    let (first, second) = (shop.list("MUG", 5), shop.list("CAP", 5));
    let row = |item: ItemId, code: &str, quantity: Value| json!({ "ItemId": item, "SkuId": sku_of(item), "SellerSku": code, "SellableQuantity": quantity });
    let skus = json!([
        row(first, "MUG", json!(0)),
        row(second, "WRONG", json!(3)),
        row(ItemId(1), "CAP", json!(3)),
        row(second, "CAP", json!(-1)),
        row(second, "CAP", json!("many")),
        row(second, "CAP", json!("12")),
    ]);
    let answer = shop.update(SELLABLE, skus).await;
    assert_eq!((code(&answer), &answer["message"]), ("501", &json!("E501: Update product failed")));
    let detail = answer["detail"].as_array().unwrap();
    assert_eq!(texts(detail, "seller_sku"), ["WRONG", "CAP", "CAP", "CAP"]);
    assert_eq!(texts(detail, "code"), ["207", "207", "5", "5"]);
    assert_eq!(
        (shop.market().quantity(first, None), shop.market().quantity(second, None)),
        (Some(0), Some(12))
    );
    // XML as in the official example, and again: each is in the record.
    let xml = format!(
        "<Request><Product><Skus><Sku><ItemId>{first}</ItemId><SkuId>{}</SkuId><SellerSku>MUG</SellerSku>\
         <SellableQuantity>7</SellableQuantity></Sku></Skus></Product></Request>",
        sku_of(first)
    );
    for _ in 0..2 {
        ok(&shop.post(SELLABLE, &[("payload", &xml)]).await);
    }
    assert_eq!(shop.market().quantities_set(first, None), [0, 7, 7]);
    for (payload, expected) in [("", "30"), ("<Request>", "5"), ("{}", "5")] {
        assert_eq!(code(&shop.post(SELLABLE, &[("payload", payload)]).await), expected, "{payload}");
    }
    let many = vec![row(first, "MUG", json!(1)); 51];
    assert_eq!(code(&shop.update(SELLABLE, json!(many)).await), "204");
    ok(&shop.update(SELLABLE, json!(many[..50])).await);
    let mut other = shop;
    other.token = OTHER_ACCESS_TOKEN.into();
    assert_eq!(code(&other.update(SELLABLE, row(first, "MUG", json!(1))).await), "501");
}

#[tokio::test]
async fn the_one_warehouse_can_be_named() {
    let shop = Shop::open().await;
    let item = shop.list("MUG", 5);
    let in_warehouse = |code: &str| {
        json!({ "ItemId": item, "SellerSku": "MUG", "MultiWarehouseInventories": {
            "MultiWarehouseInventory": [{ "WarehouseCode": code, "SellableQuantity": 9 }] } })
    };
    ok(&shop.update(SELLABLE, in_warehouse("dropshipping")).await);
    assert_eq!(shop.market().quantity(item, None), Some(9));
    assert_eq!(code(&shop.update(SELLABLE, in_warehouse("elsewhere")).await), "501");
}

#[tokio::test]
async fn totals_and_differences_mind_what_is_locked() {
    let shop = Shop::open().await;
    let item = shop.list("MUG", 5);
    shop.market().buyer().place(OrderDraft::of(vec![LineDraft::of(item, 2)])).unwrap();
    let row = |name: &str, value: Value| json!({ "ItemId": item, "SkuId": sku_of(item), (name): value });
    let total = "/product/price_quantity/update";
    let adjust = "/product/stock/sellable/adjust";
    assert_eq!(code(&shop.update(total, row("Quantity", json!(1))).await), "501");
    ok(&shop.update(total, row("Quantity", json!(10))).await);
    assert_eq!(shop.market().quantity(item, None), Some(8));
    ok(&shop.update(total, row("Price", json!("13.50"))).await);
    assert_eq!(shop.market().item(item).unwrap().price, Amount::hundredths(1350));
    assert_eq!(shop.update(total, row("Price", json!("0"))).await["detail"][0]["code"], "4104");
    ok(&shop.update(adjust, row("SellableQuantity", json!(-3))).await);
    let answer = shop.update(adjust, row("SellableQuantity", json!(-6))).await;
    assert_eq!((code(&answer), &answer["detail"][0]["code"]), ("501", &json!("212")));
    assert_eq!(shop.market().quantity(item, None), Some(5));
}

#[tokio::test]
async fn a_campaign_forbids_to_lower_quantities() {
    let shop = Shop::open_with(Lazada::new().campaign()).await;
    let item = shop.list("MUG", 5);
    let row = |quantity: i64| json!({ "ItemId": item, "SellerSku": "MUG", "SellableQuantity": quantity });
    let answer = shop.update(SELLABLE, row(4)).await;
    assert_eq!(answer["detail"][0]["code"], "4170");
    ok(&shop.update(SELLABLE, row(5)).await);
    ok(&shop.update(SELLABLE, row(6)).await);
    assert_eq!(shop.market().quantities_set(item, None), [5, 6]);
}

#[tokio::test]
async fn listings_are_filtered_and_scrolled_by_time() {
    let shop = Shop::open_with(Lazada::new().page_size(2).listed_together(2)).await;
    let items: Vec<ItemId> = (0..5).map(|at| shop.list(&format!("SKU-{at}"), at)).collect();
    let products = |params: Vec<(&'static str, String)>| {
        let shop = &shop;
        async move {
            let params: Vec<(&str, &str)> = params.iter().map(|(n, v)| (*n, v.as_str())).collect();
            let answer = shop.get("/products/get", &params).await;
            ok(&answer)["data"].clone()
        }
    };
    let mut seen = BTreeSet::new();
    let mut after = "2010-01-01T00:00:00+0800".to_owned();
    for _ in 0..4 {
        let data = products(vec![("filter", "live".into()), ("create_after", after.clone())]).await;
        let rows = data["products"].as_array().unwrap();
        seen.extend(rows.iter().map(|row| row["item_id"].as_u64().unwrap()));
        let last: i64 = rows.last().unwrap()["created_time"].as_str().unwrap().parse().unwrap();
        // One second on: two items have the same time.
        let next = DateTime::from_timestamp_millis(last + 1000).unwrap();
        after = next.format("%Y-%m-%dT%H:%M:%S+0000").to_string();
        if seen.len() == 5 {
            break;
        }
    }
    assert_eq!(seen, items.iter().map(|item| item.0).collect());
    // What was changed is found by the time of its change.
    shop.sandbox.advance(TimeDelta::hours(1));
    shop.market().back_office().set_quantity(items[3], None, 9).unwrap();
    let data =
        products(vec![("filter", "all".into()), ("update_after", "2026-11-24T12:30:00+0800".into())]).await;
    assert_eq!((&data["total_products"], &data["products"][0]["item_id"]), (&json!(1), &json!(items[3])));
    let data = products(vec![("filter", "all".into()), ("offset", "4".into()), ("limit", "50".into())]).await;
    assert_eq!((&data["total_products"], data["products"].as_array().unwrap().len()), (&json!(5), 1));
    let data = products(vec![("filter", "sold-out".into())]).await;
    assert_eq!(data["products"][0]["item_id"], json!(items[0]));
    let data = products(vec![("filter", "all".into()), ("sku_seller_list", r#"["SKU-2"]"#.into())]).await;
    assert_eq!(data["products"][0]["item_id"], json!(items[2]));
    assert_eq!(data["products"][0]["skus"][0]["quantity"], 2);
}

#[tokio::test]
async fn listings_show_stock_and_refuse_bad_parameters() {
    let shop = Shop::open().await;
    let axes = |value: &str| vec![Axis::new("color_family", value)];
    let draft = ItemDraft::simple("TEE", "T-shirt", Amount::whole(20), 0)
        .with_option(axes("Red"), "TEE-R", 5)
        .with_option(axes("Blue"), "TEE-B", 6);
    let item = shop.market().list(draft).unwrap();
    let option = shop.market().item(item).unwrap().options[0].id;
    shop.market().buyer().place(OrderDraft::of(vec![LineDraft::of_option(item, option, 2)])).unwrap();
    let waiting =
        ItemDraft { status: ItemStatus::Waiting, ..ItemDraft::simple("OLD", "Old", Amount::whole(1), 1) };
    shop.market().list(waiting).unwrap();
    let answer = shop.get("/products/get", &[("filter", "live"), ("options", "1")]).await;
    let products = ok(&answer)["data"]["products"].as_array().unwrap();
    assert_eq!(products.len(), 1);
    let sku = &products[0]["skus"][0];
    assert_eq!(
        (&sku["quantity"], &sku["Available"], &sku["ReservedStock"]),
        (&json!(5), &json!(3), &json!(2))
    );
    assert_eq!((&sku["SellerSku"], &sku["saleProp"]), (&json!("TEE-R"), &json!({ "color_family": "Red" })));
    let one = shop.get("/product/item/get", &[("item_id", &item.to_string())]).await;
    assert_eq!(ok(&one)["data"]["skus"].as_array().unwrap().len(), 2);
    assert!(ok(&one)["data"]["skus"][0].get("ReservedStock").is_none());
    assert_eq!(code(&shop.get("/product/item/get", &[("item_id", "1")]).await), "208");
    assert_eq!(code(&shop.get("/product/item/get", &[]).await), "200");
    let all = ("filter", "all");
    for (params, expected) in [
        (vec![], "36"),
        (vec![("filter", "Live")], "36"),
        (vec![all, ("limit", "51")], "19"),
        (vec![all, ("offset", "10001")], "14"),
        (vec![all, ("create_after", "2018-01-01")], "17"),
        (vec![all, ("sku_seller_list", "TEE-R")], "70"),
    ] {
        assert_eq!(code(&shop.get("/products/get", &params).await), expected, "{params:?}");
    }
    let mut other = shop;
    other.token = OTHER_ACCESS_TOKEN.into();
    let answer = other.get("/product/item/get", &[("item_id", &item.to_string())]).await;
    assert_eq!(code(&answer), "EDIT_ITEM_NOT_BELONG_SELLER");
}

// Cancelling

#[tokio::test]
async fn the_seller_cancels_single_units_and_they_go_back_on_sale() {
    let shop = Shop::open().await;
    let item = shop.list("MUG", 5);
    let order = shop.market().buyer().place(OrderDraft::of(vec![LineDraft::of(item, 3)])).unwrap();
    let items = shop.item_ids(order).await;
    let (id, list) = (id_of(order), format!("[\"{}\"]", items[1]));
    let params = [("order_id", id.as_str()), ("order_item_id_list", list.as_str())];
    let answer = shop.get(VALIDATE, &params).await;
    let data = &ok(&answer)["data"];
    assert_eq!(
        (&data["tip_type"], &data["reason_options"][0]["reason_id"]),
        (&json!("warn"), &json!("1000017"))
    );
    let create = |reason: &'static str| {
        let (shop, params) = (&shop, params);
        async move { shop.get(CANCEL, &[params[0], params[1], ("reason_id", reason)]).await }
    };
    assert_eq!(code(&create("7").await), "104");
    ok(&create("10000021").await);
    assert_eq!(shop.statuses(order).await, ["pending", "canceled", "pending"]);
    assert_eq!(shop.market().quantity(item, None), Some(3));
    assert_eq!(shop.items(order).await[1]["cancel_return_initiator"], "cancellation-seller");
    // A second time it is not an error of the API.
    assert_eq!(ok(&create("10000021").await)["data"]["tip_type"], "error");
    assert_eq!(ok(&shop.get(VALIDATE, &params).await)["data"]["tip_type"], "error");
    assert_eq!(shop.market().quantity(item, None), Some(3));
    let record = shop.market().record_of(shop.line(order));
    let cancels = record.iter().filter(|event| matches!(event.action, Action::UnitsCancelled { .. }));
    assert_eq!(cancels.filter(|event| event.is_done()).count(), 1);
    assert!(record.iter().any(|event| event.refused.is_some()));
    let reverse = shop.reverse(&[]).await;
    assert_eq!(reverse["total"], 1);
    let line = &reverse["items"][0]["reverse_order_lines"][0];
    assert_eq!(
        (&line["trade_order_line_id"], &line["reverse_status"]),
        (&json!(items[1]), &json!("CANCEL_SUCCESS"))
    );
}

#[tokio::test]
async fn out_of_stock_sets_the_stock_to_nothing() {
    let shop = Shop::open().await;
    let item = shop.list("MUG", 5);
    let order = shop.market().buyer().place(OrderDraft::of(vec![LineDraft::of(item, 1)])).unwrap();
    let list = format!("[{}]", shop.item_ids(order).await[0]);
    let params = [("order_id", &*id_of(order)), ("order_item_id_list", &*list), ("reason_id", "1000017")];
    assert_eq!(ok(&shop.get(CANCEL, &params).await)["data"]["tip_content"], "stock will be set as 0");
    assert_eq!(shop.market().quantity(item, None), Some(0));
    assert_eq!(shop.market().quantities_set(item, None), [0]);
}

#[tokio::test]
async fn cancelling_one_item_of_a_package_cancels_all_of_it() {
    let shop = Shop::open().await;
    let order = shop.place(&[2, 1, 1]);
    let items = shop.item_ids(order).await;
    let rows = shop.pack(order, &[items[0], items[2]]).await;
    let package = rows[0]["package_id"].as_str().unwrap().to_owned();
    let list = format!("[{}]", items[0]);
    let params = [("order_id", &*id_of(order)), ("order_item_id_list", &*list), ("reason_id", "10000021")];
    let tip = shop.get(VALIDATE, &params[..2]).await;
    assert!(tip["data"]["tip_content"].as_str().unwrap().contains("other items of the package"));
    ok(&shop.get(CANCEL, &params).await);
    assert_eq!(shop.statuses(order).await, ["canceled", "pending", "canceled", "pending"]);
    assert_eq!(shop.ready(&package).await, "600002");
    let others = shop.market().record_of(shop.market().lines_of(order)[1]);
    let last = others.iter().find(|event| matches!(event.action, Action::Cancelled { .. })).unwrap();
    assert_eq!(last.actor, Actor::Marketplace);
    // A cancellation by anybody else does the same.
    let second = shop.place(&[1, 1]);
    shop.pack_all(second).await;
    shop.market().back_office().cancel(shop.line(second), "sold elsewhere").unwrap();
    assert_eq!(shop.statuses(second).await, ["canceled"; 2]);
}

#[tokio::test]
async fn what_is_ready_to_ship_can_not_be_cancelled() {
    let shop = Shop::open().await;
    let order = shop.place(&[1]);
    let package = shop.pack_all(order).await;
    assert_eq!(shop.ready(&package).await, "0");
    let list = format!("[{}]", shop.item_ids(order).await[0]);
    let params = [("order_id", &*id_of(order)), ("order_item_id_list", &*list), ("reason_id", "10000021")];
    assert_eq!(ok(&shop.get(CANCEL, &params).await)["data"]["tip_type"], "error");
    assert_eq!(shop.statuses(order).await, ["ready_to_ship"]);
}

#[tokio::test]
async fn bad_parameters_of_cancellations_have_their_codes() {
    let shop = Shop::open().await;
    let (order, other) = (shop.place(&[1]), shop.place(&[1]));
    let (id, item) = (id_of(order), shop.item_ids(order).await[0].to_string());
    let foreign = format!("[{}]", shop.item_ids(other).await[0]);
    let list = format!("[{item}]");
    for (params, expected) in [
        (vec![("order_item_id_list", list.as_str())], "115"),
        (vec![("order_id", id.as_str())], "102"),
        (vec![("order_id", id.as_str()), ("order_item_id_list", "[]")], "102"),
        (vec![("order_id", id.as_str()), ("order_item_id_list", item.as_str())], "102"),
        (vec![("order_id", "1"), ("order_item_id_list", list.as_str())], "122"),
        (vec![("order_id", id.as_str()), ("order_item_id_list", foreign.as_str())], "123"),
    ] {
        assert_eq!(code(&shop.get(VALIDATE, &params).await), expected, "{params:?}");
        assert_eq!(code(&shop.get(CANCEL, &params).await), expected, "{params:?}");
    }
    let params = [("order_id", id.as_str()), ("order_item_id_list", list.as_str())];
    assert_eq!(code(&shop.get(CANCEL, &params).await), "104");
}

#[tokio::test]
async fn a_buyers_request_is_agreed_to_or_not() {
    let shop = Shop::open().await;
    let (first, second) = (shop.place(&[3]), shop.place(&[1]));
    shop.market().buyer().claim_units(shop.line(first), ClaimKind::Cancel, 2, "too slow").unwrap();
    shop.sandbox.advance(TimeDelta::minutes(1));
    shop.market().buyer().request_cancel(shop.line(second), "wrong colour").unwrap();
    let open = shop
        .reverse(&[
            ("request_type_list", r#"["CANCEL"]"#),
            ("reverse_status_list", r#"["REQUEST_INITIATE"]"#),
        ])
        .await;
    let [newest, oldest] = <[Value; 2]>::try_from(open["items"].as_array().unwrap().clone()).unwrap();
    assert_eq!(newest["trade_order_id"], id_of(second).parse::<u64>().unwrap());
    assert_eq!(oldest["reverse_order_lines"].as_array().unwrap().len(), 2);
    assert_eq!(oldest["reverse_order_lines"][0]["refund_amount"], 1000);
    let known = sample("getreverseordersforseller.response.json")["result"]["items"][0].clone();
    assert!(names(&newest).is_subset(&names(&known)));
    assert!(names(&newest["reverse_order_lines"][0]).is_subset(&names(&known["reverse_order_lines"][0])));
    let decide = |id: String, agree: &'static str| {
        let shop = &shop;
        async move { shop.get(DECIDE, &[("reverse_order_id", &id), ("agree_cancel", agree)]).await }
    };
    let (newest, oldest) = (newest["reverse_order_id"].to_string(), oldest["reverse_order_id"].to_string());
    ok(&decide(oldest.clone(), "true").await);
    assert_eq!(shop.statuses(first).await, ["pending", "canceled", "canceled"]);
    assert_eq!(shop.items(first).await[1]["cancel_return_initiator"], "cancellation-customer");
    ok(&decide(newest.clone(), "false").await);
    assert_eq!(shop.statuses(second).await, ["pending"]);
    for id in [&newest, &oldest] {
        assert_eq!(code(&decide(id.clone(), "true").await), "131");
    }
    assert_eq!(code(&decide("7".into(), "true").await), "105");
    assert_eq!(code(&shop.get(DECIDE, &[("agree_cancel", "true")]).await), "105");
    assert_eq!(code(&decide(oldest.clone(), "maybe").await), "MissingParameter");
    let all = shop.reverse(&[("trade_order_id", &id_of(second))]).await;
    assert_eq!(all["items"][0]["reverse_order_lines"][0]["reverse_status"], "REQUEST_REJECT");
    let line = shop.line(first);
    let cancelled = shop.market().record_of(line).into_iter().filter(|event| {
        event.is_done() && matches!(event.action, Action::UnitsCancelled { quantity: 2, .. })
    });
    assert_eq!(cancelled.count(), 1);
    let detail = shop.get("/order/reverse/return/detail/list", &[("reverse_order_id", &oldest)]).await;
    let rows = &ok(&detail)["data"]["reverseOrderLineDTOList"];
    assert_eq!(rows[0]["reverse_status"], "CANCEL_SUCCESS");
    let known = sample("getreverseorderdetail.response.json")["data"]["reverseOrderLineDTOList"][0].clone();
    assert!(names(&rows[0]).is_subset(&names(&known)));
    let line_id = rows[0]["reverse_order_line_id"].to_string();
    let reasons = shop.get("/order/reverse/reason/list", &[("reverse_order_line_id", &line_id)]).await;
    assert!(ok(&reasons)["data"][0]["reason_id"].is_u64());
    assert_eq!(code(&shop.get("/order/reverse/reason/list", &[]).await), "103");
    assert_eq!(code(&shop.get("/order/reverse/return/detail/list", &[]).await), "105");
}

#[tokio::test]
async fn a_request_is_too_late_once_the_package_is_ready() {
    let shop = Shop::open().await;
    let order = shop.place(&[1]);
    let package = shop.pack_all(order).await;
    shop.market().buyer().request_cancel(shop.line(order), "too slow").unwrap();
    let id = shop.reverse(&[]).await["items"][0]["reverse_order_id"].to_string();
    assert_eq!(shop.ready(&package).await, "0");
    let answer = shop.get(DECIDE, &[("reverse_order_id", &id), ("agree_cancel", "true")]).await;
    assert_eq!(code(&answer), "131");
    assert_eq!(shop.statuses(order).await, ["ready_to_ship"]);
    ok(&shop.get(DECIDE, &[("reverse_order_id", &id), ("agree_cancel", "false")]).await);
}

#[tokio::test]
async fn a_request_without_an_answer_is_granted_by_the_channel() {
    let shop = Shop::open().await;
    let order = shop.place(&[1]);
    shop.market().buyer().request_cancel(shop.line(order), "too slow").unwrap();
    let until = shop.items(order).await[0]["cancel_trigger_time"].as_i64().unwrap();
    assert_eq!(until, (noon() + TimeDelta::hours(48)).timestamp_millis());
    shop.sandbox.advance(TimeDelta::hours(48) - TimeDelta::seconds(1));
    assert_eq!(shop.statuses(order).await, ["pending"]);
    shop.sandbox.advance(TimeDelta::seconds(1));
    assert_eq!(shop.statuses(order).await, ["canceled"]);
}

#[tokio::test]
async fn reverse_orders_are_paged_and_filtered() {
    let shop = Shop::open_with(Lazada::new().page_size(2)).await;
    for _ in 0..3 {
        let order = shop.place(&[1]);
        shop.market().buyer().request_cancel(shop.line(order), "too slow").unwrap();
        shop.sandbox.advance(TimeDelta::minutes(1));
    }
    let first = shop.reverse(&[]).await;
    let answer = shop.get(REVERSE, &[("page_no", "2"), ("page_size", "10")]).await;
    let second = done(&answer).clone();
    assert_eq!((&first["total"], &second["total"]), (&json!(3), &json!(3)));
    assert_eq!((first["items"].as_array().unwrap().len(), second["items"].as_array().unwrap().len()), (2, 1));
    let until = (noon() + TimeDelta::seconds(59)).timestamp_millis().to_string();
    assert_eq!(shop.reverse(&[("ReverseOrderLineTimeRangeEnd", &until)]).await["total"], 1);
    assert_eq!(shop.reverse(&[("ReverseOrderLineTimeRangeStart", &until)]).await["total"], 2);
    assert_eq!(shop.reverse(&[("reverse_status_list", r#"["CANCEL_SUCCESS"]"#)]).await["total"], 0);
    let id = first["items"][0]["reverse_order_id"].to_string();
    assert_eq!(shop.reverse(&[("reverse_order_id", &id)]).await["total"], 1);
    for (params, expected) in [
        (vec![("page_no", "1")], "MissingParameter"),
        (vec![("page_size", "10")], "MissingParameter"),
        (vec![("page_no", "1"), ("page_size", "101")], "120"),
        (vec![("page_no", "0"), ("page_size", "10")], "121"),
    ] {
        assert_eq!(code(&shop.get(REVERSE, &params).await), expected, "{params:?}");
    }
}

// Changes from elsewhere, pushes, switches

#[tokio::test]
async fn what_is_shipped_elsewhere_is_shown_with_its_tracking_number() {
    let shop = Shop::open().await;
    let order = shop.place(&[1]);
    shop.market().back_office().ship_line(shop.line(order), "LEX SG", "OTHER-1").unwrap();
    let item = shop.items(order).await.remove(0);
    assert_eq!((&item["status"], &item["tracking_code"]), (&json!("shipped"), &json!("OTHER-1")));
    let items = shop.item_ids(order).await;
    assert_eq!(shop.pack(order, &items).await[0]["item_err_code"], "700026");
}

#[tokio::test]
async fn pushes_are_signed_and_tell_of_each_item() {
    let shop = Shop::open().await;
    let order = shop.place(&[2]);
    assert!(shop.face.pushes(order, PushMessage::ReverseOrder).is_empty());
    let calls = shop.face.pushes(order, PushMessage::TradeOrder);
    assert_eq!(calls.len(), 2);
    let body: Value = serde_json::from_str(&calls[0].body).unwrap();
    assert_eq!(
        (&body["message_type"], &body["seller_id"], &body["site"]),
        (&json!(0), &json!("1001"), &json!("lazada_sg"))
    );
    assert_eq!(
        (&body["data"]["order_status"], &body["data"]["trade_order_id"]),
        (&json!("pending"), &json!(id_of(order)))
    );
    let signature = push_signature(APP_KEY, APP_SECRET, calls[0].body.as_bytes());
    assert!(calls[0].headers.contains(&("authorization".into(), signature)));
    shop.market().buyer().request_cancel(shop.line(order), "too slow").unwrap();
    let calls = shop.face.pushes(order, PushMessage::ReverseOrder);
    let body: Value = serde_json::from_str(&calls[0].body).unwrap();
    assert_eq!((calls.len(), &body["message_type"]), (2, &json!(10)));
    let listed = shop.reverse(&[]).await;
    assert_eq!(body["data"]["reverse_order_id"], listed["items"][0]["reverse_order_id"].to_string());
    let official = br#"{"seller_id":"1234567","message_type":0,"data":{"order_status":"unpaid"}}"#;
    assert_eq!(
        push_signature("123456", "helloworld", official),
        "aeed980a5b5951256175a70ba6b1aa0dff3a510579cc217faa7fdfa5c298cbbb"
    );
}

#[tokio::test]
async fn the_control_port_switches_and_pushes() {
    let shop = Shop::open().await;
    let order = shop.place(&[1]);
    let control = format!("{}/faces/lazada/control", shop.sandbox.control_url());
    let send = |method: &'static str, path: &'static str, body: Value| {
        let request = shop.client.request(method.parse().unwrap(), format!("{control}/{path}"));
        async move { request.json(&body).send().await.unwrap().json::<Value>().await.unwrap() }
    };
    send("PUT", "settings", json!({ "country": "vn", "page_size": 1, "refresh_tokens": "old_ones_live" }))
        .await;
    assert_eq!(shop.items(order).await[0]["currency"], "VND");
    let code = send("POST", "authorize", json!({ "seller": OTHER_SELLER })).await["code"].clone();
    assert!(code.as_str().unwrap().starts_with("0_"));
    let calls = send("POST", "push", json!({ "order": order, "message": "trade_order" })).await;
    assert_eq!(calls["calls"].as_array().unwrap().len(), 1);
    let package = shop.pack_all(order).await;
    shop.ready(&package).await;
    assert_eq!(send("POST", "collect", json!({ "order": order })).await["packages"], 1);
    assert_eq!(shop.statuses(order).await, ["shipped"]);
}
