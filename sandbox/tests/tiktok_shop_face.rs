//! The TikTok Shop face over plain HTTP, as a client would that knows only the documentation.

// Helpers of tests are not marked as tests, and may fail like them.
#![allow(clippy::unwrap_used, clippy::panic)]

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::{Client, Method};
use sales_channels_sandbox::faces::tiktok_shop::{
    ACCESS_TOKEN, APP_KEY, APP_SECRET, AUTH_CODE, Event, OTHER_ACCESS_TOKEN, OTHER_SELLER, OTHER_SHOP_CIPHER,
    PackagesPer, REFRESH_TOKEN, RefreshTokens, SHOP_CIPHER, SHOP_ID, Shipping, TikTokShop, ZeroStock,
    request_signature, webhook_signature,
};
use sales_channels_sandbox::market::{
    Action, Axis, ItemDraft, ItemStatus, LineDraft, LineNumber, LineState, OrderDraft, OrderNumber, Refusal,
};
use sales_channels_sandbox::{Amount, Market, Sandbox};
use serde_json::{Value, json};

const SEARCH: &str = "/order/202309/orders/search";
const DETAIL: &str = "/order/202507/orders";
const PRODUCTS: &str = "/product/202502/products/search";
const INVENTORY: &str = "/product/202309/inventory/search";
const CANCELS: &str = "/return_refund/202309/cancellations/search";

/// Noon in Japan, 24 November 2026.
fn noon() -> DateTime<Utc> {
    "2026-11-24T03:00:00Z".parse().unwrap()
}

struct Shop {
    sandbox: Sandbox,
    face: TikTokShop,
    client: Client,
    token: String,
    cipher: &'static str,
}

impl Shop {
    async fn open() -> Self {
        Self::open_with(TikTokShop::new()).await
    }

    async fn open_with(face: TikTokShop) -> Self {
        let sandbox = Sandbox::builder().face(face.clone()).now(noon()).start().await.unwrap();
        Self { sandbox, face, client: Client::new(), token: ACCESS_TOKEN.into(), cipher: SHOP_CIPHER }
    }

    fn market(&self) -> &Market {
        self.sandbox.market()
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.sandbox.base_url("tiktok_shop").unwrap())
    }

    /// A signed call: HTTP status and envelope.
    async fn answer(&self, method: &str, path: &str, query: &[(&str, &str)], body: &str) -> (u16, Value) {
        let timestamp = self.sandbox.clock().now().timestamp().to_string();
        let mut all: Vec<(String, String)> =
            [("app_key", APP_KEY), ("timestamp", &timestamp)].map(|(n, v)| (n.into(), v.into())).into();
        if !self.cipher.is_empty() {
            all.push(("shop_cipher".into(), self.cipher.into()));
        }
        all.extend(query.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())));
        let sign = request_signature(APP_SECRET, path, &all, Some(body.as_bytes()));
        all.push(("sign".into(), sign));
        self.send(method, path, &all, body).await
    }

    async fn send(&self, method: &str, path: &str, query: &[(String, String)], body: &str) -> (u16, Value) {
        let url = reqwest::Url::parse_with_params(&self.url(path), query).unwrap();
        let request = self
            .client
            .request(method.parse::<Method>().unwrap(), url)
            .header("x-tts-access-token", &self.token)
            .header("content-type", "application/json")
            .body(body.to_owned());
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    async fn post(&self, path: &str, query: &[(&str, &str)], body: Value) -> Value {
        self.answer("POST", path, query, &body.to_string()).await.1
    }

    async fn get(&self, path: &str, query: &[(&str, &str)]) -> Value {
        self.answer("GET", path, query, "").await.1
    }

    async fn search(&self, body: Value) -> Vec<Value> {
        let answer = self.post(SEARCH, &[("page_size", "100")], body).await;
        data(&answer)["orders"].as_array().unwrap().clone()
    }

    /// A paid order of lines with so many units each.
    fn place(&self, units: &[u32]) -> OrderNumber {
        let line = |(at, units): (usize, &u32)| {
            LineDraft::unlisted(&format!("SKU-{at}"), "キャップ 🧢", Amount::whole(1000), *units)
        };
        let draft = OrderDraft::of(units.iter().enumerate().map(line).collect());
        self.market().buyer().place(draft).unwrap()
    }

    fn line(&self, order: OrderNumber) -> LineNumber {
        self.market().lines_of(order)[0]
    }

    async fn shown(&self, order: OrderNumber) -> Value {
        let id = id_of(order);
        data(&self.get(DETAIL, &[("ids", &id)]).await)["orders"][0].clone()
    }

    async fn package(&self, order: OrderNumber) -> String {
        self.shown(order).await["packages"][0]["id"].as_str().unwrap().to_owned()
    }

    async fn ship(&self, package: &str, body: Value) -> i64 {
        code(&self.post(&format!("/fulfillment/202309/packages/{package}/ship"), &[], body).await)
    }

    async fn cancel_ids(&self) -> Vec<String> {
        let answer = self.post(CANCELS, &[("page_size", "50")], json!({})).await;
        let rows = data(&answer)["cancellations"].as_array().unwrap().clone();
        rows.iter().map(|row| row["cancel_id"].as_str().unwrap().to_owned()).collect()
    }
}

fn id_of(order: OrderNumber) -> String {
    (576_000_000_000_000_000 + order.0).to_string()
}

fn code(answer: &Value) -> i64 {
    answer["code"].as_i64().unwrap()
}

/// The data of an answer that must have gone well.
fn data(answer: &Value) -> &Value {
    assert_eq!(answer["code"], 0, "{answer}");
    assert_eq!(answer["message"], "Success");
    assert!(!answer["request_id"].as_str().unwrap().is_empty());
    &answer["data"]
}

fn owned(query: &[(&str, &str)]) -> Vec<(String, String)> {
    query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn ids(rows: &[Value]) -> Vec<String> {
    rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_signatures_of_the_documentation_are_accepted_and_a_changed_byte_is_not() {
    let mut shop = Shop::open().await;
    shop.sandbox.set_now(DateTime::from_timestamp(1_696_909_648, 0).unwrap());
    let path = "/event/202309/webhooks";
    let body = r#"{"address":"https://partner.tiktokshop.com","event_type":"PACKAGE_UPDATE"}"#;
    let sign = "cd0d6268252f4ba293bf7ea4c0a2873bf9beec600d22530638564ab301435f7a";
    let mut query = owned(&[
        ("shop_cipher", SHOP_CIPHER),
        ("app_key", APP_KEY),
        ("timestamp", "1696909648"),
        ("sign", sign),
    ]);
    data(&shop.send("PUT", path, &query, body).await.1);
    for changed in [body.replace("PACKAGE", "package"), format!("{body} "), String::new()] {
        let (status, answer) = shop.send("PUT", path, &query, &changed).await;
        assert_eq!((status, code(&answer)), (401, 106_001), "{changed}");
    }
    query.push(("page_size".into(), "1".into()));
    assert_eq!(code(&shop.send("PUT", path, &query, body).await.1), 106_001);

    (shop.token, shop.cipher) = (OTHER_ACCESS_TOKEN.into(), OTHER_SHOP_CIPHER);
    let query = owned(&[
        ("page_size", "50"),
        ("app_key", APP_KEY),
        ("shop_cipher", "ROW_abc"),
        ("timestamp", "1696909648"),
        ("sign", "e95d03766b31a55a303808920d392a5f02feb7fd9c5c89f752e01346893de962"),
    ]);
    let answer = shop.send("POST", SEARCH, &query, r#"{"order_status":"AWAITING_SHIPMENT"}"#).await.1;
    assert_eq!(data(&answer)["total_count"], 0);
}

#[tokio::test]
async fn timestamps_are_good_for_five_minutes() {
    let shop = Shop::open().await;
    for (offset, expected) in [(0, 0), (300, 0), (-300, 0), (301, 36_009_004), (-301, 36_009_004)] {
        let timestamp = (noon().timestamp() + offset).to_string();
        let mut query =
            owned(&[("app_key", APP_KEY), ("timestamp", &timestamp), ("shop_cipher", SHOP_CIPHER)]);
        query.push(("page_size".into(), "10".into()));
        query.push(("sign".into(), request_signature(APP_SECRET, SEARCH, &query, Some(b"{}"))));
        assert_eq!(code(&shop.send("POST", SEARCH, &query, "{}").await.1), expected, "{offset}");
    }
}

#[tokio::test]
async fn tokens_scopes_and_ciphers_are_checked() {
    let mut shop = Shop::open().await;
    let page = [("page_size", "10")];
    shop.token = "nobody's".into();
    let (status, answer) = shop.answer("POST", SEARCH, &page, "{}").await;
    assert_eq!((status, code(&answer)), (401, 105_001));
    shop.token = OTHER_ACCESS_TOKEN.into();
    assert_eq!(code(&shop.post(SEARCH, &page, json!({})).await), 101_000);
    shop.token = ACCESS_TOKEN.into();
    shop.cipher = "";
    assert_eq!(code(&shop.post(SEARCH, &page, json!({})).await), 101_000);
    shop.cipher = SHOP_CIPHER;
    let narrow = shop.face.authorize_scopes("demo-seller", &["seller.product.basic"]).unwrap();
    shop.token = exchange(&shop, &narrow).await["data"]["access_token"].as_str().unwrap().to_owned();
    let (status, answer) = shop.answer("POST", SEARCH, &page, "{}").await;
    assert_eq!((status, code(&answer)), (403, 105_005));
    data(&shop.post(PRODUCTS, &page, json!({})).await);
    let (status, answer) = shop.answer("GET", "/order/202212/orders", &[], "").await;
    assert_eq!((status, code(&answer)), (404, 36_009_009));
    let refused = Shop::open_with(TikTokShop::new().address_refused()).await;
    assert_eq!(code(&refused.post(SEARCH, &page, json!({})).await), 36_009_033);
}

async fn token(shop: &Shop, path: &str, query: &[(&str, &str)]) -> Value {
    let url = reqwest::Url::parse_with_params(&shop.url(path), query).unwrap();
    shop.client.get(url).send().await.unwrap().json().await.unwrap()
}

async fn exchange(shop: &Shop, auth_code: &str) -> Value {
    let query = [
        ("app_key", APP_KEY),
        ("app_secret", APP_SECRET),
        ("auth_code", auth_code),
        ("grant_type", "authorized_code"),
    ];
    token(shop, "/api/v2/token/get", &query).await
}

async fn refresh(shop: &Shop, refresh_token: &str) -> Value {
    let query = [
        ("app_key", APP_KEY),
        ("app_secret", APP_SECRET),
        ("refresh_token", refresh_token),
        ("grant_type", "refresh_token"),
    ];
    token(shop, "/api/v2/token/refresh", &query).await
}

#[tokio::test]
async fn a_code_works_once_and_for_half_an_hour() {
    let mut shop = Shop::open().await;
    let answer = exchange(&shop, AUTH_CODE).await;
    let granted = data(&answer);
    assert_eq!(granted["access_token_expire_in"], (noon() + TimeDelta::days(7)).timestamp());
    assert_eq!(granted["seller_base_region"], "JP");
    shop.token = granted["access_token"].as_str().unwrap().to_owned();
    let shops = shop.get("/authorization/202309/shops", &[]).await;
    assert_eq!(data(&shops)["shops"][0]["cipher"], SHOP_CIPHER);
    assert_eq!(data(&shops)["shops"][0]["id"], SHOP_ID);
    assert_eq!(code(&exchange(&shop, AUTH_CODE).await), 36_004_004);
    let late = shop.face.authorize("demo-seller").unwrap();
    shop.sandbox.advance(TimeDelta::minutes(30));
    assert_eq!(code(&exchange(&shop, &late).await), 36_004_004);
    let wrong = [("app_key", APP_KEY), ("app_secret", "wrong"), ("grant_type", "authorized_code")];
    assert_eq!(code(&token(&shop, "/api/v2/token/get", &wrong).await), 36_004_003);
}

#[tokio::test]
async fn an_expired_token_is_refreshed_and_the_old_refresh_token_is_dead() {
    let mut shop = Shop::open().await;
    shop.sandbox.advance(TimeDelta::days(7));
    let (status, answer) = shop.answer("POST", SEARCH, &[("page_size", "10")], "{}").await;
    assert_eq!((status, code(&answer)), (401, 105_002));
    let first = refresh(&shop, REFRESH_TOKEN).await;
    shop.token = data(&first)["access_token"].as_str().unwrap().to_owned();
    data(&shop.post(SEARCH, &[("page_size", "10")], json!({})).await);
    assert_eq!(code(&refresh(&shop, REFRESH_TOKEN).await), 36_004_005);
    let rotated = data(&first)["refresh_token"].as_str().unwrap();
    data(&refresh(&shop, rotated).await);
    shop.face.deauthorize("demo-seller");
    assert_eq!(code(&shop.post(SEARCH, &[("page_size", "10")], json!({})).await), 105_001);

    let staying = Shop::open_with(TikTokShop::new().refresh_tokens(RefreshTokens::Stay)).await;
    for _ in 0..2 {
        assert_eq!(data(&refresh(&staying, REFRESH_TOKEN).await)["refresh_token"], REFRESH_TOKEN);
    }
    staying.sandbox.advance(TimeDelta::days(365));
    assert_eq!(code(&refresh(&staying, REFRESH_TOKEN).await), 36_004_001);
}

#[tokio::test]
async fn an_order_has_a_line_item_for_each_unit_and_loses_no_money() {
    let shop = Shop::open().await;
    let axes = vec![Axis::new("カラー", "赤"), Axis::new("サイズ", "M")];
    let shirt = ItemDraft::simple("TEE", "Tシャツ", Amount::whole(1980), 0).with_option(axes, "TEE-RED-M", 9);
    let item = shop.market().list(shirt).unwrap();
    let option = shop.market().item(item).unwrap().options[0].id;
    let line = LineDraft { discount: Amount::whole(100), ..LineDraft::of_option(item, option, 3) };
    let draft = OrderDraft { shipping_fee: Amount::whole(500), ..OrderDraft::of(vec![line]) };
    let order = shop.market().buyer().place(draft).unwrap();
    let [row] = shop.search(json!({})).await.try_into().unwrap();
    assert_eq!(row["id"], id_of(order));
    assert_eq!(row["status"], "AWAITING_SHIPMENT");
    assert_eq!(row["payment"]["total_amount"], "6340");
    let items = row["line_items"].as_array().unwrap();
    assert_eq!(items.len(), 3);
    assert_eq!(ids(items).iter().collect::<std::collections::BTreeSet<_>>().len(), 3);
    let sum: i64 =
        items.iter().map(|item| item["sale_price"].as_str().unwrap().parse::<i64>().unwrap()).sum();
    assert_eq!(sum, 5840);
    assert_eq!(items[0]["seller_sku"], "TEE-RED-M");
    assert_eq!(items[0]["sku_name"], "赤, M");
    assert_eq!(items[0]["package_id"], row["packages"][0]["id"]);
    // TikTok's own logistics: who receives it is masked.
    assert_eq!(row["recipient_address"]["name"], "山***");
    assert_eq!(shop.shown(order).await, row);

    let open = Shop::open_with(TikTokShop::new().shipping(Shipping::Seller)).await;
    let order = open.place(&[1]);
    let address = open.shown(order).await["recipient_address"].clone();
    assert_eq!((&address["name"], &address["first_name"]), (&json!("山田 花子"), &json!("花子")));
    assert_eq!(address["first_name_local_script"], "ハナコ");
}

#[tokio::test]
async fn a_row_has_only_fields_of_the_official_example() {
    let shop = Shop::open().await;
    let order = shop.place(&[2]);
    let package = shop.package(order).await;
    assert_eq!(shop.ship(&package, json!({})).await, 0);
    let row = shop.shown(order).await;
    let sample: Value =
        serde_json::from_str(include_str!("samples/tiktok_shop/get-order-list.response.json")).unwrap();
    let sample = &sample["data"]["orders"][0];
    for (part, known) in [
        (&row, sample),
        (&row["payment"], &sample["payment"]),
        (&row["recipient_address"], &sample["recipient_address"]),
        (&row["line_items"][0], &sample["line_items"][0]),
    ] {
        for (name, value) in part.as_object().unwrap() {
            let example = known.get(name).unwrap_or_else(|| panic!("{name} is not in the example"));
            assert_eq!(
                std::mem::discriminant(value),
                std::mem::discriminant(example),
                "{name} has another type"
            );
        }
    }
}

#[tokio::test]
async fn statuses_follow_the_order() {
    let shop = Shop::open_with(TikTokShop::new().hold_minutes(60).packages_per(PackagesPer::Line)).await;
    let draft = OrderDraft { unpaid: true, ..OrderDraft::example() };
    let order = shop.market().buyer().place(draft).unwrap();
    let status = async |expected: &str, address: bool| {
        let row = shop.shown(order).await;
        assert_eq!(row["status"], expected);
        assert_eq!(row.get("recipient_address").is_some(), address, "{expected}");
        assert_eq!(shop.search(json!({ "order_status": expected })).await.len(), 1, "{expected}");
    };
    status("UNPAID", false).await;
    shop.market().marketplace().pay(order).unwrap();
    status("ON_HOLD", false).await;
    assert!(shop.shown(order).await["packages"].as_array().unwrap().is_empty());
    shop.sandbox.advance(TimeDelta::minutes(60));
    status("AWAITING_SHIPMENT", true).await;
    // The end of the hold is an update.
    let since = json!({ "update_time_ge": shop.sandbox.clock().now().timestamp() });
    assert_eq!(shop.search(since).await.len(), 1);
    let package = shop.package(order).await;
    assert_eq!(shop.ship(&package, json!({})).await, 0);
    status("AWAITING_COLLECTION", true).await;
    assert_eq!(shop.face.collect(order), 1);
    status("IN_TRANSIT", true).await;
    shop.market().marketplace().deliver(shop.line(order)).unwrap();
    status("DELIVERED", true).await;
    let other = shop.place(&[1]);
    shop.market().back_office().cancel(shop.line(other), "pricing error").unwrap();
    assert_eq!(shop.shown(other).await["status"], "CANCELLED");
}

#[tokio::test]
async fn windows_take_their_first_second_and_not_their_last() {
    let shop = Shop::open().await;
    let order = shop.place(&[1]);
    let at = noon().timestamp();
    for (ge, lt, found) in [(at, at + 1, 1), (at - 10, at, 0), (at + 1, at + 9, 0), (at + 1, at, 0)] {
        for field in ["create_time", "update_time"] {
            let body = json!({ format!("{field}_ge"): ge, format!("{field}_lt"): lt });
            assert_eq!(shop.search(body).await.len(), found, "{field} {ge} {lt}");
        }
    }
    shop.sandbox.advance(TimeDelta::minutes(5));
    shop.market().buyer().request_cancel(shop.line(order), "no longer needed").unwrap();
    assert_eq!(shop.search(json!({ "create_time_ge": at + 300 })).await.len(), 0);
    assert_eq!(shop.search(json!({ "update_time_ge": at + 300 })).await.len(), 1);
    assert_eq!(shop.search(json!({ "is_buyer_request_cancel": true })).await.len(), 1);
    assert_eq!(shop.search(json!({ "is_buyer_request_cancel": false })).await.len(), 0);
}

#[tokio::test]
async fn pages_follow_each_other_without_a_gap_while_orders_come_in() {
    let shop = Shop::open_with(TikTokShop::new().page_size(2)).await;
    let mut expected = Vec::new();
    for _ in 0..5 {
        shop.sandbox.advance(TimeDelta::seconds(1));
        expected.push(id_of(shop.place(&[1])));
    }
    for (order, newest_first) in [("ASC", false), ("DESC", true)] {
        let (mut seen, mut page_token) = (Vec::new(), String::new());
        loop {
            let query = [
                ("page_size", "100"),
                ("sort_field", "create_time"),
                ("sort_order", order),
                ("page_token", &page_token),
            ];
            let answer = shop.post(SEARCH, &query, json!({ "create_time_lt": noon().timestamp() + 6 })).await;
            let rows = data(&answer)["orders"].as_array().unwrap().clone();
            assert_eq!(data(&answer)["total_count"], 5);
            assert!(rows.len() <= 2);
            seen.extend(ids(&rows));
            // One comes in meanwhile; it is not in the window.
            shop.sandbox.set_now(noon() + TimeDelta::seconds(10));
            shop.place(&[1]);
            page_token = data(&answer)["next_page_token"].as_str().unwrap().to_owned();
            if page_token.is_empty() {
                break;
            }
        }
        if newest_first {
            seen.reverse();
        }
        assert_eq!(seen, expected);
    }
}

#[tokio::test]
async fn bad_parameters_are_refused() {
    let shop = Shop::open().await;
    for query in [
        vec![],
        vec![("page_size", "0")],
        vec![("page_size", "101")],
        vec![("page_size", "10"), ("sort_field", "id")],
        vec![("page_size", "10"), ("sort_order", "UP")],
        vec![("page_size", "10"), ("page_token", "zz")],
    ] {
        assert_eq!(code(&shop.post(SEARCH, &query, json!({})).await), 11_001_002, "{query:?}");
    }
    for body in [json!({ "order_status": "NEW" }), json!({ "create_time_ge": "yesterday" }), json!([1])] {
        assert_eq!(code(&shop.post(SEARCH, &[("page_size", "10")], body).await), 11_001_002);
    }
    let many = vec!["1"; 51].join(",");
    assert_eq!(code(&shop.get(DETAIL, &[("ids", &many)]).await), 11_001_002);
    assert_eq!(code(&shop.get(DETAIL, &[]).await), 11_001_002);
    assert_eq!(data(&shop.get(DETAIL, &[("ids", "1,2")]).await)["orders"], json!([]));
}

#[tokio::test]
async fn a_shop_sees_only_its_own() {
    let shop = Shop::open().await;
    let foreign = shop
        .market()
        .buyer()
        .place(OrderDraft { seller: OTHER_SELLER.into(), ..OrderDraft::example() })
        .unwrap();
    assert_eq!(shop.search(json!({})).await.len(), 0);
    assert_eq!(code(&shop.get(DETAIL, &[("ids", &id_of(foreign))]).await), 21_008_111);
}

#[tokio::test]
async fn shipping_twice_is_refused_and_recorded_once() {
    let shop = Shop::open().await;
    let order = shop.place(&[2]);
    let package = shop.package(order).await;
    let slots = shop.get(&format!("/fulfillment/202309/packages/{package}/handover_time_slots"), &[]).await;
    assert_eq!(data(&slots)["can_pickup"], true);
    let slot = data(&slots)["pickup_slots"][0].clone();
    let pickup = json!({
        "handover_method": "PICKUP",
        "pickup_slot": { "start_time": slot["start_time"], "end_time": slot["end_time"] },
    });
    let wrong = json!({ "handover_method": "PICKUP", "pickup_slot": { "start_time": 1, "end_time": 2 } });
    assert_eq!(shop.ship(&package, wrong).await, 21_011_053);
    assert_eq!(shop.ship(&package, json!({ "handover_method": "THROW" })).await, 11_001_002);
    assert_eq!(shop.ship(&package, pickup.clone()).await, 0);
    assert_eq!(shop.ship(&package, pickup).await, 11_006_021);
    let detail = shop.get(&format!("/fulfillment/202309/packages/{package}"), &[]).await;
    assert_eq!(data(&detail)["package_status"], "PROCESSING");
    assert_eq!(data(&detail)["handover_method"], "PICKUP");
    assert_eq!(data(&detail)["pickup_slot"]["start_time"], slot["start_time"]);
    let tracking = data(&detail)["tracking_number"].as_str().unwrap();
    assert_eq!(shop.market().dispatches(shop.line(order)), [tracking]);
    let refused = |market: &Market, line| -> Vec<Refusal> {
        market.record_of(line).into_iter().filter_map(|event| event.refused).collect()
    };
    assert_eq!(refused(shop.market(), shop.line(order)), [Refusal::WrongState(LineState::Shipped)]);
    shop.face.collect(order);
    assert_eq!(shop.ship(&package, json!({})).await, 11_006_021);
    shop.market().marketplace().deliver(shop.line(order)).unwrap();
    assert_eq!(shop.ship(&package, json!({})).await, 21_011_027);
    assert_eq!(shop.ship("1", json!({})).await, 21_011_028);
}

#[tokio::test]
async fn what_must_not_leave_is_not_shipped() {
    let shop = Shop::open().await;
    let asked = shop.place(&[1]);
    let package = shop.package(asked).await;
    shop.market().buyer().request_cancel(shop.line(asked), "changed my mind").unwrap();
    assert_eq!(shop.ship(&package, json!({})).await, 21_011_007);
    shop.market().back_office().cancel(shop.line(asked), "").unwrap();
    assert_eq!(shop.ship(&package, json!({})).await, 21_011_041);
    assert!(shop.market().dispatches(shop.line(asked)).is_empty());
}

#[tokio::test]
async fn a_batch_tells_which_packages_failed() {
    let shop = Shop::open().await;
    let (first, second) = (shop.place(&[1]), shop.place(&[1]));
    let (one, two) = (shop.package(first).await, shop.package(second).await);
    assert_eq!(shop.ship(&one, json!({})).await, 0);
    let body =
        json!({ "packages": [{ "id": one }, { "id": two, "handover_method": "DROP_OFF" }, { "id": "9" }] });
    let answer = shop.post("/fulfillment/202309/packages/ship", &[], body).await;
    let errors = data(&answer)["errors"].as_array().unwrap();
    let seen: Vec<(i64, &str)> =
        errors.iter().map(|e| (code(e), e["detail"]["package_id"].as_str().unwrap())).collect();
    assert_eq!(seen, [(11_006_021, one.as_str()), (21_011_028, "9")]);
    assert_eq!(shop.market().dispatches(shop.line(second)).len(), 1);
    assert_eq!(code(&shop.post("/fulfillment/202309/packages/ship", &[], json!({})).await), 11_001_002);
}

#[tokio::test]
async fn a_sellers_own_parcel_needs_a_carrier_and_a_number_of_its_own() {
    let shop = Shop::open_with(TikTokShop::new().shipping(Shipping::Seller)).await;
    let (first, second) = (shop.place(&[1]), shop.place(&[1]));
    let (one, two) = (shop.package(first).await, shop.package(second).await);
    let option = shop.shown(first).await["delivery_option_id"].as_str().unwrap().to_owned();
    let providers = |option: &str| format!("/logistics/202309/delivery_options/{option}/shipping_providers");
    let answer = shop.get(&providers(&option), &[]).await;
    let provider = data(&answer)["shipping_providers"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(code(&shop.get(&providers("1"), &[]).await), 21_008_116);
    assert_eq!(code(&shop.get(&providers("7091146663229654785"), &[]).await), 21_008_117);

    let sent = |number: &str, provider: &str| json!({ "self_shipment": { "tracking_number": number, "shipping_provider_id": provider } });
    assert_eq!(shop.ship(&one, json!({ "handover_method": "PICKUP" })).await, 21_011_022);
    assert_eq!(shop.ship(&one, sent("JX1", "1")).await, 21_011_022);
    assert_eq!(shop.ship(&one, sent("", &provider)).await, 21_011_022);
    assert_eq!(shop.ship(&one, sent("J X", &provider)).await, 21_004_012);
    assert_eq!(shop.ship(&one, sent("JX1", &provider)).await, 0);
    assert_eq!(shop.ship(&two, sent("JX1", &provider)).await, 21_011_025);

    let update = |package: &str| format!("/fulfillment/202309/packages/{package}/shipping_info/update");
    let new = json!({ "tracking_number": "JX2", "shipping_provider_id": provider });
    assert_eq!(code(&shop.post(&update(&two), &[], new.clone()).await), 21_011_043);
    data(&shop.post(&update(&one), &[], new.clone()).await);
    assert_eq!(shop.market().order(first).unwrap().parcels[0].tracking, "JX2");
    assert_eq!(shop.market().dispatches(shop.line(first)), ["JX1"]);
    let entered =
        shop.market().record_of(shop.line(first)).into_iter().any(
            |event| matches!(event.action, Action::TrackingEntered { tracking, .. } if tracking == "JX2"),
        );
    assert!(entered);
    let path = format!("/fulfillment/202309/orders/{}/shipping_info/update", id_of(first));
    let third = json!({ "tracking_number": "JX3", "shipping_provider_id": provider });
    data(&shop.post(&path, &[], third).await);
    assert_eq!(shop.shown(first).await["tracking_number"], "JX3");
    let label = format!("/fulfillment/202309/packages/{one}/shipping_documents");
    assert_eq!(code(&shop.get(&label, &[("document_type", "SHIPPING_LABEL")]).await), 21_008_017);
}

#[tokio::test]
async fn in_the_us_line_items_leave_one_by_one() {
    let shop = Shop::open_with(TikTokShop::new().region("US").shipping(Shipping::Seller)).await;
    let order = shop.place(&[2, 1]);
    let row = shop.shown(order).await;
    assert_eq!(row["packages"], json!([]));
    assert!(row["line_items"][0].get("package_id").is_none());
    let units = ids(row["line_items"].as_array().unwrap());
    let path = format!("/fulfillment/202309/orders/{}/packages", id_of(order));
    let body = |units: &[String], number: &str| {
        json!({
            "order_line_item_ids": units,
            "tracking_number": number,
            "shipping_provider_id": "7117858858072016686",
        })
    };
    assert_eq!(code(&shop.post(&path, &[], body(&units[..1], "")).await), 21_011_022);
    assert_eq!(code(&shop.post(&path, &[], body(&["1".into()], "A1")).await), 21_011_029);
    let answer = shop.post(&path, &[], body(&units[..1], "A1")).await;
    assert_eq!(data(&answer)["order_line_item_ids"], json!([units[0]]));
    assert_eq!(code(&shop.post(&path, &[], body(&units[..1], "A2")).await), 21_011_006);
    let row = shop.shown(order).await;
    assert_eq!(row["status"], "PARTIALLY_SHIPPING");
    assert_eq!(row["line_items"][0]["package_id"], data(&answer)["package_id"]);
    assert_eq!(row["packages"].as_array().unwrap().len(), 1);
    assert_eq!(shop.market().line(shop.line(order)).unwrap().shipped_quantity, 1);
    // Without line items it is all that is left.
    let rest = shop.post(&path, &[], body(&[], "A3")).await;
    assert_eq!(data(&rest)["order_line_item_ids"], json!(units[1..]));
    assert_eq!(shop.shown(order).await["status"], "AWAITING_COLLECTION");
    assert_eq!(shop.market().line(shop.line(order)).unwrap().state, LineState::Shipped);

    let japan = Shop::open_with(TikTokShop::new().shipping(Shipping::Seller)).await;
    let order = japan.place(&[1]);
    let path = format!("/fulfillment/202309/orders/{}/packages", id_of(order));
    assert_eq!(code(&japan.post(&path, &[], body(&[], "A1")).await), 21_008_106);
}

#[tokio::test]
async fn a_split_order_ships_in_two_packages() {
    let shop = Shop::open().await;
    let order = shop.place(&[2, 1]);
    let units = ids(shop.shown(order).await["line_items"].as_array().unwrap());
    let path = format!("/fulfillment/202309/orders/{}/split", id_of(order));
    let group =
        |units: &[String]| json!({ "splittable_groups": [{ "id": "g", "order_line_item_ids": units }] });
    assert_eq!(code(&shop.post(&path, &[], group(&[])).await), 21_011_005);
    let answer = shop.post(&path, &[], group(&units[2..])).await;
    assert_eq!(data(&answer)["packages"][0]["splittable_group_id"], "g");
    let new = data(&answer)["packages"][0]["id"].as_str().unwrap();
    let row = shop.shown(order).await;
    assert_eq!(row["packages"].as_array().unwrap().len(), 2);
    assert_eq!(
        (&row["line_items"][2]["package_id"], &row["split_or_combine_tag"]),
        (&json!(new), &json!("SPLIT"))
    );
    assert_eq!(shop.ship(new, json!({})).await, 0);
    assert_eq!(shop.shown(order).await["status"], "PARTIALLY_SHIPPING");
    assert_eq!(code(&shop.post(&path, &[], group(&units[2..])).await), 21_011_035);
    let found = shop.post("/fulfillment/202309/packages/search", &[("page_size", "50")], json!({})).await;
    assert_eq!(data(&found)["packages"][0]["id"], new);
    assert_eq!(data(&found)["total_count"], 1);
}

#[tokio::test]
async fn in_southeast_asia_the_warehouse_decides_the_hand_over() {
    let shop = Shop::open_with(TikTokShop::new().region("ID")).await;
    let package = shop.package(shop.place(&[1])).await;
    assert_eq!(shop.ship(&package, json!({ "handover_method": "DROP_OFF" })).await, 0);
    let detail = shop.get(&format!("/fulfillment/202309/packages/{package}"), &[]).await;
    assert_eq!(data(&detail)["handover_method"], "PICKUP");
}

#[tokio::test]
async fn a_label_is_there_between_shipping_and_collection() {
    let shop = Shop::open().await;
    let order = shop.place(&[1]);
    let package = shop.package(order).await;
    let path = format!("/fulfillment/202309/packages/{package}/shipping_documents");
    let label = [("document_type", "SHIPPING_LABEL")];
    assert_eq!(code(&shop.get(&path, &label).await), 21_023_035);
    assert_eq!(shop.ship(&package, json!({})).await, 0);
    assert_eq!(code(&shop.get(&path, &[]).await), 11_001_002);
    let answer = shop.get(&path, &label).await;
    let url = data(&answer)["doc_url"].as_str().unwrap();
    let file = shop.client.get(url).send().await.unwrap().bytes().await.unwrap();
    assert!(file.starts_with(b"%PDF"));
    shop.face.collect(order);
    assert_eq!(code(&shop.get(&path, &label).await), 21_042_102);
}

#[tokio::test]
async fn products_are_found_by_status_and_sku_in_pages() {
    let shop = Shop::open().await;
    let list = |code: &str, status: ItemStatus| {
        let draft =
            ItemDraft { status, ..ItemDraft::simple(code, "マグカップ", Amount::whole(1200), 7) };
        shop.market().list(draft).unwrap()
    };
    list("A", ItemStatus::OnSale);
    list("B", ItemStatus::OnSale);
    list("C", ItemStatus::Waiting);
    let search = async |query: &[(&str, &str)], body: Value| shop.post(PRODUCTS, query, body).await;
    let all = [("page_size", "100")];
    let active = search(&all, json!({ "status": "ACTIVATE" })).await;
    assert_eq!(data(&active)["total_count"], 2);
    let sku = &data(&active)["products"][0]["skus"][0];
    assert_eq!((&sku["seller_sku"], &sku["inventory"][0]["quantity"]), (&json!("A"), &json!(7)));
    assert_eq!(sku["price"]["currency"], "JPY");
    let found = search(&all, json!({ "seller_skus": ["C"] })).await;
    assert_eq!(data(&found)["products"][0]["status"], "SELLER_DEACTIVATED");
    let first = search(&[("page_size", "2")], json!({})).await;
    let next = data(&first)["next_page_token"].as_str().unwrap();
    let second = search(&[("page_size", "2"), ("page_token", next)], json!({})).await;
    assert_eq!(data(&second)["products"].as_array().unwrap().len(), 1);
    assert_eq!(data(&second)["next_page_token"], "");
    for (query, body, expected) in [
        (vec![("page_size", "101")], json!({}), 12_019_109),
        (vec![("page_size", "9"), ("page_token", "x")], json!({}), 12_019_108),
        (vec![("page_size", "9")], json!({ "seller_skus": vec!["A"; 11] }), 12_019_027),
        (vec![("page_size", "9")], json!({ "sku_ids": vec!["1"; 11] }), 12_019_087),
        (vec![("page_size", "9")], json!({ "status": "LIVE" }), 12_052_910),
    ] {
        assert_eq!(code(&search(&query, body).await), expected);
    }
    let id = data(&active)["products"][0]["id"].as_str().unwrap();
    assert_eq!(data(&shop.get(&format!("/product/202309/products/{id}"), &[]).await)["title"], "マグカップ");
    assert_eq!(code(&shop.get("/product/202309/products/1", &[]).await), 12_052_032);
}

/// The product and SKU id of a listed item.
async fn sku_of(shop: &Shop, seller_sku: &str) -> (String, String) {
    let found = shop.post(PRODUCTS, &[("page_size", "9")], json!({ "seller_skus": [seller_sku] })).await;
    let product = &data(&found)["products"][0];
    let id = |value: &Value| value["id"].as_str().unwrap().to_owned();
    (id(product), id(&product["skus"][0]))
}

async fn set(shop: &Shop, product: &str, skus: Value) -> Value {
    let path = format!("/product/202309/products/{product}/inventory/update");
    shop.post(&path, &[], json!({ "skus": skus })).await
}

const MAIN: &str = "7068517275539719942";
const SECOND: &str = "7068517275539719943";

#[tokio::test]
async fn quantities_are_absolute_and_from_1_to_99999() {
    let shop = Shop::open().await;
    let item = shop.market().list(ItemDraft::simple("MUG", "マグ", Amount::whole(1200), 7)).unwrap();
    let (product, sku) = sku_of(&shop, "MUG").await;
    let one =
        |quantity: i64| json!([{ "id": sku, "inventory": [{ "warehouse_id": MAIN, "quantity": quantity }] }]);
    for quantity in [1, 99_999, 5, 5] {
        assert_eq!(data(&set(&shop, &product, one(quantity)).await), &json!({}));
    }
    assert_eq!(shop.market().quantities_set(item, None), [1, 99_999, 5, 5]);
    for quantity in [0, -1, 100_000] {
        let answer = set(&shop, &product, one(quantity)).await;
        let error = &data(&answer)["errors"][0];
        assert_eq!((code(error), &error["detail"]["sku_id"]), (12_052_990, &json!(sku)));
        assert_eq!(code(&error["detail"]["extra_errors"][0]), 12_052_055);
    }
    assert_eq!(shop.market().quantity(item, None), Some(5));
    // The warehouse may be left out where there is one.
    data(&set(&shop, &product, json!([{ "id": sku, "inventory": [{ "quantity": 8 }] }])).await);
    let found = shop.post(INVENTORY, &[], json!({ "sku_ids": [sku] })).await;
    let row = &data(&found)["inventory"][0];
    assert_eq!(
        (&row["product_id"], &row["skus"][0]["total_available_quantity"]),
        (&json!(product), &json!(8))
    );
    let zero = Shop::open_with(TikTokShop::new().zero_stock(ZeroStock::Taken)).await;
    let item = zero.market().list(ItemDraft::simple("MUG", "マグ", Amount::whole(1200), 7)).unwrap();
    let (product, _) = sku_of(&zero, "MUG").await;
    data(&set(&zero, &product, one(0)).await);
    assert_eq!(zero.market().quantity(item, None), Some(0));
}

#[tokio::test]
async fn all_warehouses_of_a_sku_are_set_at_once_and_one_bad_sku_spoils_no_other() {
    let shop = Shop::open_with(TikTokShop::new().warehouses(2)).await;
    let draft = ItemDraft::simple("TEE", "Tシャツ", Amount::whole(1980), 0)
        .with_option(vec![Axis::new("サイズ", "S")], "TEE-S", 4)
        .with_option(vec![Axis::new("サイズ", "M")], "TEE-M", 4);
    let item = shop.market().list(draft).unwrap();
    let options: Vec<_> = shop.market().item(item).unwrap().options.iter().map(|o| o.id).collect();
    let (product, small) = sku_of(&shop, "TEE-S").await;
    let medium = {
        let found = shop.post(PRODUCTS, &[("page_size", "9")], json!({ "seller_skus": ["TEE-M"] })).await;
        data(&found)["products"][0]["skus"][1]["id"].as_str().unwrap().to_owned()
    };
    let part = |id: &str, quantity: i64| json!({ "warehouse_id": id, "quantity": quantity });
    let answer = set(
        &shop,
        &product,
        json!([
            { "id": small, "inventory": [part(MAIN, 3), part(SECOND, 2)] },
            { "id": medium, "inventory": [part(MAIN, 3)] },
            { "id": "7", "inventory": [part(MAIN, 3)] },
        ]),
    )
    .await;
    let codes: Vec<i64> = data(&answer)["errors"].as_array().unwrap().iter().map(code).collect();
    assert_eq!(codes, [12_019_028, 12_052_556]);
    assert_eq!(shop.market().quantity(item, Some(options[0])), Some(5));
    assert_eq!(shop.market().quantity(item, Some(options[1])), Some(4));
    let unknown = json!([{ "id": medium, "inventory": [part(MAIN, 3), part("1", 2)] }]);
    let answer = set(&shop, &product, unknown).await;
    let extra = &data(&answer)["errors"][0]["detail"]["extra_errors"][0];
    assert_eq!((code(extra), &extra["warehouse_id"]), (12_052_097, &json!("1")));
    // What is sold is gone from the first warehouse.
    let line = LineDraft::of_option(item, options[0], 4);
    shop.market().buyer().place(OrderDraft::of(vec![line])).unwrap();
    let found = shop.post(INVENTORY, &[], json!({ "product_ids": [product] })).await;
    let sku = &data(&found)["inventory"][0]["skus"][0];
    let parts: Vec<&Value> = sku["warehouse_inventory"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| &part["available_quantity"])
        .collect();
    assert_eq!(parts, [&json!(0), &json!(1)]);
    assert_eq!(sku["total_committed_quantity"], 4);
}

#[tokio::test]
async fn only_products_on_sale_take_quantities() {
    let shop = Shop::open().await;
    let stopped =
        ItemDraft { status: ItemStatus::Stopped, ..ItemDraft::simple("X", "X", Amount::whole(1), 1) };
    shop.market().list(stopped).unwrap();
    let foreign =
        ItemDraft { seller: OTHER_SELLER.into(), ..ItemDraft::simple("Y", "Y", Amount::whole(1), 1) };
    let foreign = shop.market().list(foreign).unwrap();
    let (product, sku) = sku_of(&shop, "X").await;
    let skus = json!([{ "id": sku, "inventory": [{ "quantity": 3 }] }]);
    assert_eq!(code(&set(&shop, &product, skus.clone()).await), 12_052_901);
    let foreign = (1_732_000_000_000_000_000 + foreign.0).to_string();
    assert_eq!(code(&set(&shop, &foreign, skus.clone()).await), 12_052_048);
    assert_eq!(code(&set(&shop, "1732000000000000001", skus.clone()).await), 12_052_032);
    assert_eq!(code(&set(&shop, "one", skus).await), 12_052_031);
    assert_eq!(code(&shop.post(INVENTORY, &[], json!({})).await), 12_019_008);
}

#[tokio::test]
async fn a_buyers_cancellation_is_approved_once() {
    let shop = Shop::open().await;
    let item = shop.market().list(ItemDraft::simple("MUG", "マグ", Amount::whole(1200), 7)).unwrap();
    let order = shop.market().buyer().place(OrderDraft::of(vec![LineDraft::of(item, 2)])).unwrap();
    let line = shop.line(order);
    shop.market().buyer().request_cancel(line, "ordered by mistake").unwrap();
    assert_eq!(shop.shown(order).await["is_buyer_request_cancel"], true);
    let body = json!({ "cancel_types": ["BUYER_CANCEL"], "cancel_status": ["CANCELLATION_REQUEST_PENDING"] });
    let found = shop.post(CANCELS, &[("page_size", "50")], body.clone()).await;
    let row = &data(&found)["cancellations"][0];
    assert_eq!((&row["order_id"], &row["role"]), (&json!(id_of(order)), &json!("BUYER")));
    assert_eq!(row["cancel_line_items"].as_array().unwrap().len(), 2);
    assert_eq!(row["seller_next_action_response"][0]["action"], "SELLER_RESPOND_CANCEL");
    let id = row["cancel_id"].as_str().unwrap();
    let path = format!("/return_refund/202309/cancellations/{id}/approve");
    let key = [("idempotency_key", "k-1")];
    data(&shop.post(&path, &key, json!({})).await);
    // The same key again changes nothing and is no error; another one is too late.
    data(&shop.post(&path, &key, json!({})).await);
    assert_eq!(code(&shop.post(&path, &[("idempotency_key", "k-2")], json!({})).await), 25_011_012);
    assert_eq!(shop.market().line(line).unwrap().state, LineState::Cancelled);
    assert_eq!(shop.market().quantity(item, None), Some(7));
    let cancels: Vec<bool> = shop
        .market()
        .record_of(line)
        .iter()
        .filter(|event| matches!(event.action, Action::Cancelled { .. }))
        .map(|event| event.is_done())
        .collect();
    assert_eq!(cancels, [true, false]);
    assert_eq!(data(&shop.post(CANCELS, &[("page_size", "50")], body).await)["total_count"], 0);
    let long = "k".repeat(256);
    assert_eq!(code(&shop.post(&path, &[("idempotency_key", &long)], json!({})).await), 25_001_001);
}

#[tokio::test]
async fn a_cancellation_is_rejected_with_a_reason_of_the_list() {
    let shop = Shop::open().await;
    let order = shop.place(&[1]);
    let line = shop.line(order);
    shop.market().buyer().request_cancel(line, "too slow").unwrap();
    let [id] = shop.cancel_ids().await.try_into().unwrap();
    let reasons = shop.get("/return_refund/202309/reject_reasons", &[("return_or_cancel_id", &id)]).await;
    let reason = data(&reasons)["reasons"][0]["name"].clone();
    let path = format!("/return_refund/202309/cancellations/{id}/reject");
    assert_eq!(code(&shop.post(&path, &[], json!({})).await), 25_001_001);
    assert_eq!(code(&shop.post(&path, &[], json!({ "reject_reason": "no" })).await), 25_001_014);
    data(&shop.post(&path, &[], json!({ "reject_reason": reason })).await);
    assert_eq!(code(&shop.post(&path, &[], json!({ "reject_reason": reason })).await), 25_011_011);
    assert_eq!(shop.market().line(line).unwrap().state, LineState::Paid);
    assert_eq!(shop.shown(order).await["is_buyer_request_cancel"], false);
    let package = shop.package(order).await;
    assert_eq!(shop.ship(&package, json!({})).await, 0);
    for (path, expected) in [("1", 25_007_006), (&id, 25_011_012)] {
        let path = format!("/return_refund/202309/cancellations/{path}/approve");
        assert_eq!(code(&shop.post(&path, &[], json!({})).await), expected);
    }
}

#[tokio::test]
async fn withdrawn_and_late_cancellations_are_not_approved() {
    let shop = Shop::open().await;
    let order = shop.place(&[1, 1]);
    let lines = shop.market().lines_of(order);
    for line in &lines {
        shop.market().buyer().request_cancel(*line, "no").unwrap();
    }
    let cancels = shop.cancel_ids().await;
    shop.market().buyer().withdraw_cancel(lines[0]).unwrap();
    shop.market().back_office().ship_line(lines[1], "Yamato", "1").unwrap();
    let approve = |id: &str| format!("/return_refund/202309/cancellations/{id}/approve");
    assert_eq!(code(&shop.post(&approve(&cancels[0]), &[], json!({})).await), 25_020_009);
    assert_eq!(code(&shop.post(&approve(&cancels[1]), &[], json!({})).await), 25_001_045);
}

#[tokio::test]
async fn the_seller_cancels_an_order_that_has_not_left() {
    let shop = Shop::open().await;
    let order = shop.place(&[2, 1]);
    let path = "/return_refund/202309/cancellations";
    let units = ids(shop.shown(order).await["line_items"].as_array().unwrap());
    let body = |units: &[String]| json!({ "order_id": id_of(order), "order_line_item_ids": units, "cancel_reason": "seller_cancel_reason_out_of_stock" });
    assert_eq!(code(&shop.post(path, &[], json!({ "order_id": id_of(order) })).await), 25_001_001);
    assert_eq!(code(&shop.post(path, &[], body(&units[..1])).await), 25_005_010);
    let answer = shop.post(path, &[], body(&units[2..])).await;
    assert_eq!(data(&answer)["cancel_status"], "CANCELLATION_REQUEST_SUCCESS");
    data(&shop.post(path, &[], body(&[])).await);
    assert_eq!(shop.shown(order).await["status"], "CANCELLED");
    assert_eq!(code(&shop.post(path, &[], body(&[])).await), 25_001_051);
    let found = shop.post(CANCELS, &[("page_size", "50")], json!({ "cancel_types": ["CANCEL"] })).await;
    assert_eq!(data(&found)["total_count"], 2);
}

#[tokio::test]
async fn webhook_addresses_are_kept_and_calls_are_signed() {
    let shop = Shop::open().await;
    let path = "/event/202309/webhooks";
    let address =
        |event: &str| json!({ "address": "https://example.com/hook", "event_type": event }).to_string();
    data(&shop.answer("PUT", path, &[], &address("ORDER_STATUS_CHANGE")).await.1);
    assert_eq!(code(&shop.answer("PUT", path, &[], &address("NOTHING")).await.1), 11_001_002);
    assert_eq!(data(&shop.get(path, &[]).await)["webhooks"][0]["address"], "https://example.com/hook");
    let order = shop.place(&[1]);
    let call = shop.face.webhook(order, Event::OrderStatusChange).unwrap();
    assert_eq!(call.address.as_deref(), Some("https://example.com/hook"));
    let signature =
        call.headers.iter().find(|(name, _)| name == "authorization").map(|(_, value)| value.clone());
    assert_eq!(signature, Some(webhook_signature(APP_KEY, APP_SECRET, call.body.as_bytes())));
    assert_ne!(signature, Some(webhook_signature(APP_KEY, APP_SECRET, format!("{} ", call.body).as_bytes())));
    let body: Value = serde_json::from_str(&call.body).unwrap();
    assert_eq!((&body["type"], &body["shop_id"]), (&json!(1), &json!(SHOP_ID)));
    assert_eq!(body["data"]["order_id"], id_of(order));
    assert_eq!(body["data"]["order_status"], "AWAITING_SHIPMENT");
    assert!(shop.face.webhook(order, Event::CancellationStatusChange).is_none());
    shop.market().buyer().request_cancel(shop.line(order), "no").unwrap();
    let call = shop.face.webhook(order, Event::CancellationStatusChange).unwrap();
    let body: Value = serde_json::from_str(&call.body).unwrap();
    assert_eq!((&body["type"], &body["data"]["cancel_id"]), (&json!(11), &json!(shop.cancel_ids().await[0])));
    data(&shop.answer("DELETE", path, &[], &address("ORDER_STATUS_CHANGE")).await.1);
    assert_eq!(data(&shop.get(path, &[]).await)["total_count"], 0);
}

#[tokio::test]
async fn the_published_limit_is_per_second_and_operation() {
    let shop = Shop::open_with(TikTokShop::new().with_limits()).await;
    let page = [("page_size", "1")];
    for _ in 0..50 {
        data(&shop.post(SEARCH, &page, json!({})).await);
    }
    let (status, answer) = shop.answer("POST", SEARCH, &page, "{}").await;
    assert_eq!((status, code(&answer)), (429, 36_009_002));
    data(&shop.post(PRODUCTS, &page, json!({})).await);
    shop.sandbox.advance(TimeDelta::seconds(1));
    data(&shop.post(SEARCH, &page, json!({})).await);
}

#[tokio::test]
async fn the_control_port_switches_the_face() {
    let shop = Shop::open().await;
    let order = shop.place(&[1]);
    let control = |path: &str| format!("{}/faces/tiktok_shop/control/{path}", shop.sandbox.control_url());
    let put = shop.client.put(control("settings")).json(&json!({ "hold_minutes": 60, "region": "US" }));
    assert!(put.send().await.unwrap().status().is_success());
    assert_eq!(shop.shown(order).await["status"], "ON_HOLD");
    let hook = json!({ "order": order.0, "event": "ORDER_STATUS_CHANGE" });
    let call: Value =
        shop.client.post(control("webhook")).json(&hook).send().await.unwrap().json().await.unwrap();
    assert!(call["body"].as_str().unwrap().contains("ON_HOLD"));
    let made: Value =
        shop.client.post(control("authorize")).json(&json!({})).send().await.unwrap().json().await.unwrap();
    data(&exchange(&shop, made["code"].as_str().unwrap()).await);
}

#[tokio::test]
async fn operations_are_counted_by_the_names_of_the_reference() {
    let shop = Shop::open().await;
    let package = shop.package(shop.place(&[1])).await;
    shop.ship(&package, json!({})).await;
    shop.ship(&package, json!({})).await;
    exchange(&shop, AUTH_CODE).await;
    let counts = shop.sandbox.counts("tiktok_shop").unwrap();
    let received = |name: &str| counts.get(name).map(|count| count.received).unwrap_or_default();
    assert_eq!((received("ship-package"), received("get-order-detail"), received("token/get")), (2, 1, 1));
}
