//! Rakuten's face over plain HTTP, as the sheet describes the API.

// Helpers of tests are not marked as tests, and may fail like them.
#![allow(clippy::unwrap_used, clippy::panic)]

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::{Client, Method, Response};
use sales_channels_sandbox::faces::rakuten::{
    Destination, EXPIRED_LICENSE_KEY, Key, LICENSE_KEY, LimitStatus, OTHER_LICENSE_KEY, OTHER_SELLER,
    PaymentStep, Rakuten, SERVICE_SECRET,
};
use sales_channels_sandbox::market::{
    Action, Address, Axis, ItemDraft, ItemId, LineDraft, LineNumber, OptionId, OrderNumber, ParcelDraft,
    ParcelLine, Person,
};
use sales_channels_sandbox::{Amount, Market, OrderDraft, Sandbox};
use serde_json::{Value, json};

fn at(time: &str) -> DateTime<Utc> {
    time.parse().unwrap()
}

struct Shop {
    sandbox: Sandbox,
    face: Rakuten,
    client: Client,
    authorization: String,
}

/// Status and body of an answer; null for none.
type Answer = (u16, Value);

impl Shop {
    /// Paid orders are ready to be sent as soon as they are confirmed, and have no empty shipment.
    async fn open() -> Self {
        Self::open_with(Rakuten::new().payment(PaymentStep::AtOnce).blank_shipments(false)).await
    }

    async fn open_with(face: Rakuten) -> Self {
        let now = at("2026-11-24T12:00:00+09:00");
        let sandbox = Sandbox::builder().face(face.clone()).now(now).start().await.unwrap();
        let authorization = Key::new(SERVICE_SECRET, LICENSE_KEY, None).authorization();
        Self { sandbox, face, client: Client::new(), authorization }
    }

    fn market(&self) -> &Market {
        self.sandbox.market()
    }

    async fn send(&self, method: Method, path: &str, authorization: Option<&str>, body: &Value) -> Response {
        let url = format!("{}{path}", self.sandbox.base_url("rakuten").unwrap());
        let mut request = self.client.request(method, url);
        if let Some(authorization) = authorization {
            request = request.header("Authorization", authorization);
        }
        if !body.is_null() {
            request = request
                .header("Content-Type", "application/json; charset=utf-8")
                .body(serde_json::to_vec(body).unwrap());
        }
        request.send().await.unwrap()
    }

    async fn call(&self, method: Method, path: &str, body: &Value) -> Answer {
        read(self.send(method, path, Some(&self.authorization), body).await).await
    }

    async fn order_call(&self, name: &str, body: Value) -> Answer {
        self.call(Method::POST, &format!("/es/2.0/order/{name}/"), &body).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, &Value::Null).await
    }

    /// A paid order of so many lines, its number here and in the market.
    fn place(&self, lines: usize) -> (OrderNumber, String) {
        let line = |n| LineDraft::unlisted(&format!("SKU-{n}"), "キャップ 🧢", Amount::whole(2480), 2);
        self.place_draft(OrderDraft::of((0..lines).map(line).collect()))
    }

    fn place_draft(&self, draft: OrderDraft) -> (OrderNumber, String) {
        let number = self.market().buyer().place(draft).unwrap();
        (number, Rakuten::order_number(&self.market().order(number).unwrap()))
    }

    fn line(&self, order: OrderNumber) -> LineNumber {
        self.market().lines_of(order)[0]
    }

    async fn detail(&self, number: &str) -> Value {
        let (status, body) =
            self.order_call("getOrder", json!({ "orderNumberList": [number], "version": 7 })).await;
        assert_eq!(status, 200, "{body}");
        body["OrderModelList"][0].clone()
    }

    async fn progress(&self, number: &str) -> u64 {
        self.detail(number).await["orderProgress"].as_u64().unwrap()
    }

    async fn confirm(&self, number: &str) -> Value {
        let (status, body) = self.order_call("confirmOrder", json!({ "orderNumberList": [number] })).await;
        assert_eq!(status, 200);
        body["MessageModelList"][0].clone()
    }

    async fn search(&self, more: Value) -> Value {
        let (status, body) = self.order_call("searchOrder", window(more)).await;
        assert_eq!(status, 200, "{body}");
        body
    }

    async fn ship(&self, number: &str, shipments: Value) -> Answer {
        let basket = self.detail(number).await["PackageModelList"][0]["basketId"].clone();
        let baskets = json!([{ "basketId": basket, "ShippingModelList": shipments }]);
        let body = json!({ "orderNumber": number, "BasketidModelList": baskets });
        self.order_call("updateOrderShipping", body).await
    }
}

async fn read(response: Response) -> Answer {
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() })
}

/// A search of the day by order time, with more fields.
fn window(more: Value) -> Value {
    let mut body = json!({
        "dateType": 1,
        "startDatetime": "2026-11-24T00:00:00+0900",
        "endDatetime": "2026-11-24T23:59:59+0900",
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

fn codes(body: &Value) -> Vec<&str> {
    body["MessageModelList"].as_array().unwrap().iter().map(code).collect()
}

/// What stands after `ORDER_EXT_API_` in a message's code.
fn code(message: &Value) -> &str {
    message["messageCode"].as_str().unwrap().strip_prefix("ORDER_EXT_API_").unwrap()
}

fn error_code((status, body): &Answer) -> (u16, &str) {
    (*status, body["errors"][0]["code"].as_str().unwrap())
}

const SEND: &str = r#"[{"deliveryCompany":"1001","shippingNumber":"N1","shippingDate":"2026-11-24"}]"#;

fn shipment() -> Value {
    serde_json::from_str(SEND).unwrap()
}

#[tokio::test]
async fn the_header_of_the_sheets_vector_is_accepted_and_a_changed_byte_refused() {
    let shop = Shop::open().await;
    shop.face.put_key(Key::new("SP123456_secret", "SL123456_license", None));
    let path = "/es/2.0/items/search";
    let status = async |header: Option<&str>| {
        let answer = read(shop.send(Method::GET, path, header, &Value::Null).await).await;
        if answer.0 == 401 {
            assert_eq!(answer.1["errors"][0], json!({ "code": "GA0001", "message": "Un-Authorised" }));
        }
        answer.0
    };
    assert_eq!(status(Some("ESA U1AxMjM0NTZfc2VjcmV0OlNMMTIzNDU2X2xpY2Vuc2U=")).await, 200);
    assert_eq!(status(Some("ESA U1AxMjM0NTZfc2VjcmV0OlNMMTIzNDU2X2xpY2Vuc2V=")).await, 401);
    assert_eq!(status(Some("Basic U1AxMjM0NTZfc2VjcmV0OlNMMTIzNDU2X2xpY2Vuc2U=")).await, 401);
    assert_eq!(status(None).await, 401);
    assert_eq!(status(Some(&Key::new(SERVICE_SECRET, EXPIRED_LICENSE_KEY, None).authorization())).await, 401);
}

#[tokio::test]
async fn keys_expire_by_the_clock_on_every_api_and_a_renewed_one_works() {
    let shop = Shop::open().await;
    let path = format!("/es/1.0/license-management/license-key/expiry-date?licenseKey={LICENSE_KEY}");
    assert_eq!(shop.get(&path).await, (200, json!({ "expiryDate": "2027-01-23T12:00:00" })));
    assert_eq!(error_code(&shop.get("/es/1.0/license-management/license-key/expiry-date").await).0, 400);
    let unknown = "/es/1.0/license-management/license-key/expiry-date?licenseKey=SL0";
    assert_eq!(error_code(&shop.get(unknown).await), (404, "GE0014"));

    shop.sandbox.advance(TimeDelta::days(60));
    assert_eq!(shop.get(&path).await.0, 200);
    shop.sandbox.advance(TimeDelta::seconds(1));
    for answer in [
        shop.get(&path).await,
        shop.order_call("searchOrder", window(json!({}))).await,
        shop.get("/es/2.0/items/search").await,
        shop.call(Method::POST, "/es/2.1/inventories/bulk-get", &json!({ "inventories": [] })).await,
    ] {
        assert_eq!(error_code(&answer), (401, "GA0001"));
    }
    let key = Key::new("SP123456_new", "SL123456_new", Some(at("2027-04-01T00:00:00+09:00")));
    let header = key.authorization();
    shop.face.put_key(key);
    shop.face.remove_key(LICENSE_KEY);
    let path = "/es/1.0/license-management/license-key/expiry-date?licenseKey=SL123456_new";
    let answer = read(shop.send(Method::GET, path, Some(&header), &Value::Null).await).await;
    assert_eq!(answer, (200, json!({ "expiryDate": "2027-04-01T00:00:00" })));
}

#[tokio::test]
async fn a_key_without_permission_for_an_api_gets_403() {
    let shop = Shop::open().await;
    let mut key = Key::new("SP123456_few", "SL123456_few", None);
    key.without = vec!["items.search".to_owned()];
    let header = key.authorization();
    shop.face.put_key(key);
    let path = "/es/2.0/items/search";
    assert_eq!(shop.send(Method::GET, path, Some(&header), &Value::Null).await.status(), 403);
    let path = "/es/2.0/items/manage-numbers/tee";
    assert_eq!(shop.send(Method::GET, path, Some(&header), &Value::Null).await.status(), 404);
}

#[tokio::test]
async fn wrong_paths_methods_and_types_are_refused() {
    let shop = Shop::open().await;
    let post = |path: &'static str| shop.call(Method::POST, path, &Value::Null);
    let url = |path: &str| format!("{}{path}", shop.sandbox.base_url("rakuten").unwrap());
    let authorized = |request: reqwest::RequestBuilder| request.header("Authorization", &shop.authorization);
    let status = async |request: reqwest::RequestBuilder| authorized(request).send().await.unwrap().status();
    assert_eq!(status(shop.client.post(url("/es/2.0/order/getOrders/"))).await, 404);
    assert_eq!(status(shop.client.get(url("/es/2.0/order/getOrder/"))).await, 405);
    assert_eq!(post("/es/2.0/order/getOrder/").await.0, 415);
    assert_eq!(shop.sandbox.received("rakuten", "getOrder").unwrap(), 1);
    assert_eq!(shop.sandbox.received("rakuten", "unknown").unwrap(), 2);
}

#[tokio::test]
async fn a_seller_sees_only_its_own_orders_and_items() {
    let shop = Shop::open().await;
    let (order, number) = shop.place(1);
    let other = Key::new(SERVICE_SECRET, OTHER_LICENSE_KEY, None).authorization();
    let body = json!({ "orderNumberList": [number], "version": 7 });
    let path = "/es/2.0/order/getOrder/";
    let answer = read(shop.send(Method::POST, path, Some(&other), &body).await).await.1;
    assert_eq!(codes(&answer), ["GET_ORDER_INFO_102"]);
    assert_eq!(answer["OrderModelList"], json!([]));
    let body = json!({ "orderNumberList": [number] });
    let path = "/es/2.0/order/confirmOrder/";
    let answer = read(shop.send(Method::POST, path, Some(&other), &body).await).await.1;
    assert_eq!(codes(&answer), ["CONFIRM_ORDER_ERROR_101"]);
    assert_eq!(shop.market().confirmations(shop.line(order)), 0);
    let theirs =
        ItemDraft { seller: OTHER_SELLER.into(), ..ItemDraft::simple("X", "X", Amount::whole(1), 1) };
    shop.market().list(theirs).unwrap();
    assert_eq!(shop.get("/es/2.0/items/search").await.1["numFound"], 0);
}

#[tokio::test]
async fn a_search_finds_orders_by_time_and_progress_and_says_null_for_no_pages() {
    let shop = Shop::open().await;
    let none = shop.search(json!({})).await;
    assert_eq!(codes(&none), ["SEARCH_ORDER_INFO_102"]);
    assert_eq!(none["orderNumberList"], json!([]));
    let nulls = json!({ "totalRecordsAmount": null, "totalPages": null, "requestPage": null });
    assert_eq!(none["PaginationResponseModel"], nulls);

    let (_, first) = shop.place(1);
    let (_, second) = shop.place(1);
    shop.confirm(&second).await;
    let all = shop.search(json!({})).await;
    assert_eq!(codes(&all), ["SEARCH_ORDER_INFO_101"]);
    assert_eq!(all["orderNumberList"], json!([first, second]));
    assert_eq!(first, "123456-20261124-0300100200");
    let found = async |more| shop.search(more).await["orderNumberList"].clone();
    assert_eq!(found(json!({ "orderProgressList": [100] })).await, json!([first]));
    assert_eq!(found(json!({ "orderProgressList": [300] })).await, json!([second]));
    assert_eq!(found(json!({ "dateType": 2 })).await, json!([second]));
    assert_eq!(found(json!({ "dateType": 3 })).await, json!([second]));
    assert_eq!(found(json!({ "dateType": 4 })).await, json!([]));
    shop.ship(&second, shipment()).await;
    assert_eq!(found(json!({ "dateType": 4 })).await, json!([second]));
    assert_eq!(found(json!({ "dateType": 5 })).await, json!([second]));
    assert_eq!(found(json!({ "dateType": 6 })).await, json!([first, second]));
    assert_eq!(found(json!({ "shippingNumberBlankFlag": 1 })).await, json!([first]));
    assert_eq!(found(json!({ "endDatetime": "2026-11-24T11:59:59+0900" })).await, json!([]));
}

#[tokio::test]
async fn a_search_is_paged_by_number_over_the_moving_set() {
    let shop = Shop::open().await;
    let mut numbers = Vec::new();
    for _ in 0..5 {
        numbers.push(shop.place(1).1);
        shop.sandbox.advance(TimeDelta::seconds(1));
    }
    let page = async |page: u64, direction: u64| {
        let sort = json!([{ "sortColumn": 1, "sortDirection": direction }]);
        let paging = json!({ "requestRecordsAmount": 2, "requestPage": page, "SortModelList": sort });
        shop.search(json!({ "PaginationRequestModel": paging })).await
    };
    let first = page(1, 1).await;
    assert_eq!(first["orderNumberList"], json!(numbers[..2]));
    let paging = json!({ "totalRecordsAmount": 5, "totalPages": 3, "requestPage": 1 });
    assert_eq!(first["PaginationResponseModel"], paging);
    assert_eq!(page(3, 1).await["orderNumberList"], json!(numbers[4..]));
    assert_eq!(page(1, 2).await["orderNumberList"], json!([numbers[4], numbers[3]]));
    assert_eq!(codes(&page(4, 1).await), ["SEARCH_ORDER_INFO_102"]);
}

#[tokio::test]
async fn the_page_size_can_be_made_small() {
    let shop = Shop::open_with(Rakuten::new().page_size(1)).await;
    let numbers = [shop.place(1).1, shop.place(1).1];
    let found = shop.search(json!({})).await;
    assert_eq!(found["orderNumberList"], json!([numbers[0]]));
    assert_eq!(found["PaginationResponseModel"]["totalPages"], 2);
}

#[tokio::test]
async fn a_search_refuses_what_is_missing_or_malformed() {
    let shop = Shop::open().await;
    let refused = async |body: Value| {
        let (status, answer) = shop.order_call("searchOrder", body).await;
        assert_eq!(status, 400, "{answer}");
        assert!(answer["orderNumberList"].is_null() && answer["PaginationResponseModel"].is_null());
        codes(&answer).into_iter().map(|code| code.replace("SEARCH_ORDER_ERROR_", "")).collect::<Vec<_>>()
    };
    assert_eq!(refused(json!({})).await, ["009", "009", "009"]);
    let empty = json!({ "dateType": 1, "startDatetime": "", "endDatetime": "" });
    assert_eq!(refused(empty).await, ["010", "010"]);
    for more in [
        json!({ "startDatetime": "2026-11-24T00:00:00Z" }),
        json!({ "startDatetime": "2026-11-24T00:00:00+09:00" }),
        json!({ "startDatetime": "2026-11-24T00:00:00" }),
        json!({ "startDatetime": "2026-11-25T00:00:00+0900" }),
        json!({ "startDatetime": "2026-09-21T00:00:00+0900" }),
        json!({ "startDatetime": "2024-11-01T00:00:00+0900", "endDatetime": "2024-11-02T00:00:00+0900" }),
        json!({ "dateType": 7 }),
        json!({ "dateType": "1" }),
        json!({ "orderProgressList": [150] }),
        json!({ "PaginationRequestModel": { "requestRecordsAmount": 1001, "requestPage": 1 } }),
        json!({ "PaginationRequestModel": { "requestRecordsAmount": 30, "requestPage": 0 } }),
    ] {
        assert_eq!(refused(window(more.clone())).await, ["011"], "{more}");
    }
    let paging = json!({ "PaginationRequestModel": { "requestRecordsAmount": 30 } });
    assert_eq!(refused(window(paging)).await, ["009"]);
    let whole =
        json!({ "startDatetime": "2026-09-23T00:00:00+0900", "endDatetime": "2026-11-25T00:00:00+0900" });
    assert_eq!(shop.order_call("searchOrder", window(whole)).await.0, 200);
}

#[tokio::test]
async fn an_order_is_shown_as_in_the_sample() {
    let shop = Shop::open().await;
    let item = ItemDraft::simple("TEE-01", "Tシャツ", Amount::whole(1980), 0).with_option(
        vec![Axis::new("サイズ", "M"), Axis::new("カラー", "黒")],
        "TEE-01-BLK-M",
        9,
    );
    let item = shop.market().list(item).unwrap();
    let option = shop.market().item(item).unwrap().options[0].id;
    let mut draft = OrderDraft::of(vec![
        LineDraft { discount: Amount::whole(100), ..LineDraft::of_option(item, option, 2) },
        LineDraft::unlisted("CAP-02", "キャップ", Amount::whole(2480), 1),
    ]);
    draft.shipping_fee = Amount::whole(500);
    draft.message = "留守です".into();
    let (order, number) = shop.place_draft(draft);
    let (status, answer) =
        shop.order_call("getOrder", json!({ "orderNumberList": [number], "version": 7 })).await;
    assert_eq!((status, answer["version"].as_u64()), (200, Some(7)));
    assert_eq!(codes(&answer), ["GET_ORDER_INFO_101"]);
    let shown = &answer["OrderModelList"][0];
    for (field, value) in [
        ("orderNumber", json!(number)),
        ("orderProgress", json!(100)),
        ("orderDatetime", json!("2026-11-24T12:00:00+0900")),
        ("orderFixDatetime", Value::Null),
        ("goodsPrice", json!(6440)),
        ("postagePrice", json!(500)),
        ("totalPrice", json!(6940)),
        ("requestPrice", json!(6840)),
        ("couponAllTotalPrice", json!(100)),
        ("remarks", json!("[配送日時指定:]\n留守です")),
    ] {
        assert_eq!(shown[field], value, "{field}");
    }
    assert_eq!(shown["OrdererModel"]["zipCode1"], "100");
    assert_eq!(shown["OrdererModel"]["zipCode2"], "0001");
    assert_eq!(shown["OrdererModel"]["familyNameKana"], "ヤマダ");
    let package = &shown["PackageModelList"][0];
    assert_eq!(package["SenderModel"]["familyName"], "山田");
    assert_eq!(package["SenderModel"]["subAddress"], "千代田1-1テストビル101");
    assert_eq!(package["SenderModel"]["phoneNumber2"], "0000");
    let lines = shop.market().lines_of(order);
    let first = &package["ItemModelList"][0];
    assert_eq!(first["itemDetailId"], lines[0].0);
    assert_eq!((&first["price"], &first["units"]), (&json!(1980), &json!(2)));
    let sku = json!([{
        "variantId": option.to_string(),
        "merchantDefinedSkuId": "TEE-01-BLK-M",
        "skuInfo": "サイズ:M\nカラー:黒",
    }]);
    assert_eq!(first["SkuModelList"], sku);
    let simple = json!([{ "variantId": "cap-02", "merchantDefinedSkuId": null, "skuInfo": null }]);
    assert_eq!(package["ItemModelList"][1]["SkuModelList"], simple);
    assert_eq!(package["ItemModelList"][1]["manageNumber"], "cap-02");
}

#[tokio::test]
async fn details_need_a_version_and_show_skus_from_7() {
    let shop = Shop::open().await;
    let (_, number) = shop.place(1);
    let get = async |body: Value| shop.order_call("getOrder", body).await;
    for (body, expected) in [
        (json!({ "orderNumberList": [number] }), "GET_ORDER_ERROR_009"),
        (json!({ "version": 7 }), "GET_ORDER_ERROR_009"),
        (json!({ "orderNumberList": [], "version": 7 }), "GET_ORDER_ERROR_010"),
        (json!({ "orderNumberList": [number], "version": 1 }), "GET_ORDER_ERROR_011"),
        (json!({ "orderNumberList": [number], "version": 2 }), "GET_ORDER_ERROR_011"),
        (json!({ "orderNumberList": vec![&number; 101], "version": 7 }), "GET_ORDER_ERROR_011"),
    ] {
        let (status, answer) = get(body).await;
        assert_eq!((status, codes(&answer)), (400, vec![expected]));
    }
    for (version, skus) in [(3, false), (6, false), (7, true), (9, true)] {
        let answer = get(json!({ "orderNumberList": [number], "version": version })).await.1;
        let line = &answer["OrderModelList"][0]["PackageModelList"][0]["ItemModelList"][0];
        assert_eq!(line.get("SkuModelList").is_some(), skus, "{version}");
    }
    let answer =
        get(json!({ "orderNumberList": [number, "123456-20261124-9999999999"], "version": 7 })).await.1;
    assert_eq!(codes(&answer), ["GET_ORDER_INFO_101", "GET_ORDER_INFO_102"]);
    assert_eq!(answer["MessageModelList"][1]["orderNumber"], "123456-20261124-9999999999");
    let wrong_day = number.replace("20261124", "20261125");
    let answer = get(json!({ "orderNumberList": [wrong_day], "version": 7 })).await.1;
    assert_eq!(codes(&answer), ["GET_ORDER_INFO_102"]);
}

#[tokio::test]
async fn confirming_answers_for_each_order_and_counts_once() {
    let shop = Shop::open().await;
    let (order, number) = shop.place(2);
    let (cancelled, cancelled_number) = shop.place(1);
    shop.market().buyer().request_cancel(shop.line(cancelled), "").unwrap();
    let numbers = json!([number, cancelled_number, "123456-20261124-0000000001"]);
    let (status, answer) = shop.order_call("confirmOrder", json!({ "orderNumberList": numbers })).await;
    assert_eq!(status, 200);
    assert_eq!(
        codes(&answer),
        ["CONFIRM_ORDER_INFO_101", "CONFIRM_ORDER_ERROR_102", "CONFIRM_ORDER_ERROR_101"]
    );
    assert_eq!(answer["MessageModelList"][1]["orderNumber"], json!(cancelled_number));
    assert_eq!(code(&shop.confirm(&number).await), "CONFIRM_ORDER_ERROR_103");
    for line in shop.market().lines_of(order) {
        assert_eq!(shop.market().confirmations(line), 1);
        assert_eq!(shop.market().record_of(line).len(), 2, "the refused repeat is in the record");
    }
    assert_eq!(shop.market().confirmations(shop.line(cancelled)), 0);
    let (status, answer) = shop.order_call("confirmOrder", json!({})).await;
    assert_eq!((status, codes(&answer)), (400, vec!["CONFIRM_ORDER_ERROR_009"]));
}

#[tokio::test]
async fn confirmed_orders_wait_for_their_payment_at_200() {
    let shop = Shop::open_with(Rakuten::new()).await;
    let (_, number) = shop.place(1);
    assert_eq!(shop.progress(&number).await, 100);
    shop.confirm(&number).await;
    assert_eq!(shop.progress(&number).await, 200);
    assert_eq!(shop.detail(&number).await["orderFixDatetime"], Value::Null);
    let (status, answer) = shop.ship(&number, shipment()).await;
    assert_eq!((status, codes(&answer)), (400, vec!["UPDATE_ORDERSHIPPING_ERROR_101"]));
    shop.sandbox.advance(TimeDelta::seconds(60));
    let shown = shop.detail(&number).await;
    assert_eq!(shown["orderProgress"], 300);
    assert_eq!(shown["shopOrderCfmDatetime"], "2026-11-24T12:00:00+0900");
    assert_eq!(shown["orderFixDatetime"], "2026-11-24T12:01:00+0900");
}

#[tokio::test]
async fn the_payment_step_can_wait_for_a_hand_or_for_the_buyer() {
    let shop = Shop::open_with(Rakuten::new().payment(PaymentStep::ByHand)).await;
    let (order, number) = shop.place(1);
    shop.confirm(&number).await;
    shop.sandbox.advance(TimeDelta::days(1));
    assert_eq!(shop.progress(&number).await, 200);
    shop.face.settle_payment(order, shop.sandbox.clock().now());
    assert_eq!(shop.progress(&number).await, 300);

    let shop = Shop::open().await;
    let (order, number) = shop.place_draft(OrderDraft { unpaid: true, ..OrderDraft::example() });
    assert_eq!(code(&shop.confirm(&number).await), "CONFIRM_ORDER_INFO_101");
    assert_eq!(code(&shop.confirm(&number).await), "CONFIRM_ORDER_ERROR_103");
    assert_eq!(shop.progress(&number).await, 200);
    shop.market().marketplace().pay(order).unwrap();
    assert_eq!(shop.progress(&number).await, 300);
    assert_eq!(shop.market().confirmations(shop.line(order)), 1);
}

#[tokio::test]
async fn unfixed_amounts_are_minus_9999_and_keep_an_order_from_being_confirmed() {
    let shop = Shop::open().await;
    let (order, number) = shop.place(1);
    shop.face.set_unfixed(order, true);
    let shown = shop.detail(&number).await;
    for field in ["postagePrice", "deliveryPrice", "paymentCharge", "totalPrice", "requestPrice"] {
        assert_eq!(shown[field], -9999, "{field}");
    }
    assert_eq!(shown["goodsPrice"], 4960);
    assert_eq!(code(&shop.confirm(&number).await), "CONFIRM_ORDER_ERROR_105");
    shop.face.set_unfixed(order, false);
    assert_eq!(code(&shop.confirm(&number).await), "CONFIRM_ORDER_INFO_101");
}

#[tokio::test]
async fn progress_follows_what_happens() {
    let shop = Shop::open().await;
    let (order, number) = shop.place(1);
    let line = shop.line(order);
    shop.market().buyer().request_cancel(line, "").unwrap();
    assert_eq!(shop.progress(&number).await, 800);
    shop.market().buyer().withdraw_cancel(line).unwrap();
    assert_eq!(shop.progress(&number).await, 100);
    shop.market().back_office().confirm(line, None).unwrap();
    assert_eq!(shop.progress(&number).await, 300);
    for progress in [400, 600, 700] {
        shop.face.set_progress(order, Some(progress));
        assert_eq!(shop.progress(&number).await, u64::from(progress));
    }
    shop.face.set_progress(order, None);
    shop.market().back_office().ship_line(line, "x", "y").unwrap();
    assert_eq!(shop.progress(&number).await, 500);
    let (order, number) = shop.place(1);
    shop.market().back_office().cancel(shop.line(order), "").unwrap();
    assert_eq!(shop.progress(&number).await, 900);
}

#[tokio::test]
async fn a_dated_shipment_sends_the_order_and_a_repeat_adds_a_second() {
    let shop = Shop::open().await;
    let (order, number) = shop.place(2);
    shop.confirm(&number).await;
    let (status, answer) = shop.ship(&number, shipment()).await;
    assert_eq!((status, codes(&answer)), (200, vec!["UPDATE_ORDERSHIPPING_INFO_101"]));
    let message = &answer["MessageModelList"][0];
    assert_eq!(message["dataNumber"], 1);
    let shown = shop.detail(&number).await;
    assert_eq!(shown["orderProgress"], 500);
    assert_eq!(shown["shippingCmplRptDatetime"], "2026-11-24T12:00:00+0900");
    let entry = json!([{
        "shippingDetailId": message["shippingDetailId"],
        "shippingNumber": "N1",
        "deliveryCompany": "1001",
        "deliveryCompanyName": "ヤマト運輸",
        "shippingDate": "2026-11-24",
    }]);
    assert_eq!(shown["PackageModelList"][0]["ShippingModelList"], entry);

    let answer = shop.ship(&number, shipment()).await.1;
    assert_eq!(codes(&answer), ["UPDATE_ORDERSHIPPING_INFO_101"]);
    let shown = shop.detail(&number).await;
    assert_eq!(shown["PackageModelList"][0]["ShippingModelList"].as_array().unwrap().len(), 2);
    for line in shop.market().lines_of(order) {
        assert_eq!(shop.market().dispatches(line), ["N1", "N1"]);
        assert_eq!(shop.market().line(line).unwrap().shipped_quantity, 2, "no unit left twice");
    }
}

#[tokio::test]
async fn a_shipment_is_changed_and_removed_by_its_id() {
    let shop = Shop::open().await;
    let (order, number) = shop.place(1);
    shop.confirm(&number).await;
    let answer = shop.ship(&number, shipment()).await.1;
    let id = answer["MessageModelList"][0]["shippingDetailId"].clone();
    let change = json!([{ "shippingDetailId": id, "shippingNumber": "N2" }]);
    let answer = shop.ship(&number, change).await.1;
    assert_eq!(codes(&answer), ["UPDATE_ORDERSHIPPING_INFO_102"]);
    assert_eq!(answer["MessageModelList"][0]["shippingDetailId"], id);
    let shown = async || shop.detail(&number).await["PackageModelList"][0]["ShippingModelList"].clone();
    assert_eq!(shown().await[0]["shippingNumber"], "N2");
    assert_eq!(shown().await[0]["deliveryCompany"], "1001", "what is not sent stays");
    let line = shop.line(order);
    assert_eq!(shop.market().dispatches(line), ["N1"], "no second dispatch");
    assert_eq!(shop.market().order(order).unwrap().parcels[0].tracking, "N2");
    shop.ship(&number, json!([{ "shippingDetailId": id, "shippingNumber": "" }])).await;
    assert_eq!(shown().await[0]["shippingNumber"], Value::Null);
    shop.ship(&number, json!([{ "shippingDetailId": id, "shippingDeleteFlag": 1 }])).await;
    assert_eq!(shown().await, json!([]));
    let (status, answer) =
        shop.ship(&number, json!([{ "shippingDetailId": id, "shippingNumber": "N3" }])).await;
    assert_eq!((status, codes(&answer)), (400, vec!["UPDATE_ORDERSHIPPING_ERROR_105"]));
}

#[tokio::test]
async fn a_number_without_a_date_does_not_send_the_order() {
    let shop = Shop::open().await;
    let (order, number) = shop.place(1);
    shop.confirm(&number).await;
    let answer = shop.ship(&number, json!([{ "deliveryCompany": "1002", "shippingNumber": "N1" }])).await.1;
    let id = answer["MessageModelList"][0]["shippingDetailId"].clone();
    assert_eq!(shop.progress(&number).await, 300);
    let line = shop.line(order);
    assert!(shop.market().dispatches(line).is_empty());
    let entered =
        |action: &Action| matches!(action, Action::TrackingEntered { tracking, .. } if tracking == "N1");
    assert!(shop.market().record_of(line).iter().any(|event| entered(&event.action)));
    shop.ship(&number, json!([{ "shippingDetailId": id, "shippingDate": "20261125" }])).await;
    assert_eq!(shop.progress(&number).await, 500);
    assert_eq!(shop.market().dispatches(line), ["N1"]);
}

#[tokio::test]
async fn destinations_have_an_empty_shipment_by_default() {
    let shop = Shop::open_with(Rakuten::new().payment(PaymentStep::AtOnce)).await;
    let (_, number) = shop.place(1);
    shop.confirm(&number).await;
    let shown = shop.detail(&number).await;
    let blank = &shown["PackageModelList"][0]["ShippingModelList"];
    assert_eq!(blank.as_array().unwrap().len(), 1);
    assert!(blank[0]["shippingNumber"].is_null() && blank[0]["shippingDate"].is_null());
    let mut filled = shipment();
    filled[0]["shippingDetailId"] = blank[0]["shippingDetailId"].clone();
    assert_eq!(codes(&shop.ship(&number, filled).await.1), ["UPDATE_ORDERSHIPPING_INFO_102"]);
    let shown = shop.detail(&number).await;
    assert_eq!(shown["orderProgress"], 500);
    assert_eq!(shown["PackageModelList"][0]["ShippingModelList"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_order_of_two_destinations_is_sent_when_both_are() {
    let shop = Shop::open().await;
    let (order, number) = shop.place(2);
    let lines = shop.market().lines_of(order);
    let recipient = Person { name: "佐藤 健".into(), ..Person::default() };
    let address = Address { postal_code: "5300001".into(), region: "大阪府".into(), ..Address::default() };
    shop.face.add_destination(order, Destination { recipient, address, lines: vec![lines[1]] });
    shop.confirm(&number).await;
    let shown = shop.detail(&number).await;
    assert_eq!(shown["severalSenderFlag"], 1);
    let packages = shown["PackageModelList"].as_array().unwrap().clone();
    assert_eq!(packages.len(), 2);
    assert_eq!(packages[1]["SenderModel"]["familyName"], "佐藤");
    assert_eq!(packages[1]["SenderModel"]["zipCode2"], "0001");
    assert_eq!(packages[1]["ItemModelList"][0]["itemDetailId"], lines[1].0);
    let send = async |package: &Value, shipments: Value| {
        let baskets = json!([{ "basketId": package["basketId"], "ShippingModelList": shipments }]);
        let body = json!({ "orderNumber": number, "BasketidModelList": baskets });
        shop.order_call("updateOrderShipping", body).await
    };
    send(&packages[1], shipment()).await;
    assert_eq!(shop.progress(&number).await, 300);
    assert_eq!(shop.market().dispatches(lines[0]), Vec::<String>::new());
    send(&packages[0], shipment()).await;
    assert_eq!(shop.progress(&number).await, 500);
    let (status, answer) = send(&json!({ "basketId": 7 }), shipment()).await;
    assert_eq!((status, codes(&answer)), (400, vec!["UPDATE_ORDERSHIPPING_ERROR_104"]));
}

#[tokio::test]
async fn a_dispatch_refuses_what_is_malformed_and_does_none_of_it() {
    let shop = Shop::open().await;
    let (order, number) = shop.place(1);
    shop.confirm(&number).await;
    let both = json!([
        { "deliveryCompany": "1001", "shippingNumber": "N1", "shippingDate": "2026/11/24" },
        { "deliveryCompany": "佐川急便" },
        { "shippingNumber": "1".repeat(121) },
        { "shippingDeleteFlag": 2 },
    ]);
    let (status, answer) = shop.ship(&number, both).await;
    assert_eq!(status, 400);
    assert_eq!(codes(&answer), ["UPDATE_ORDERSHIPPING_ERROR_011"; 4]);
    let place = |at: usize| answer["MessageModelList"][at]["dataNumber"].as_u64().unwrap();
    assert_eq!([place(0), place(1), place(2), place(3)], [1, 2, 3, 4]);
    assert_eq!(answer["MessageModelList"][0]["message"], "shippingDateの書式が不正です。");
    assert!(shop.market().dispatches(shop.line(order)).is_empty());
    for body in [json!({}), json!({ "orderNumber": number })] {
        let (status, answer) = shop.order_call("updateOrderShipping", body).await;
        assert!(status == 400 && codes(&answer).contains(&"UPDATE_ORDERSHIPPING_ERROR_009"), "{answer}");
    }
    let many: Vec<Value> = (0..21).map(|_| json!({ "deliveryCompany": "1001" })).collect();
    let answer = shop.ship(&number, json!(many)).await.1;
    assert_eq!(codes(&answer), ["UPDATE_ORDERSHIPPING_ERROR_106"]);
}

#[tokio::test]
async fn a_dispatch_refuses_orders_that_are_cancelled_unknown_or_not_ready() {
    let shop = Shop::open().await;
    let (order, number) = shop.place(1);
    let code = async || codes(&shop.ship(&number, shipment()).await.1)[0].to_owned();
    assert_eq!(code().await, "UPDATE_ORDERSHIPPING_ERROR_101");
    shop.market().buyer().request_cancel(shop.line(order), "").unwrap();
    assert_eq!(code().await, "UPDATE_ORDERSHIPPING_ERROR_101");
    shop.market().back_office().cancel(shop.line(order), "").unwrap();
    assert_eq!(code().await, "UPDATE_ORDERSHIPPING_ERROR_102");
    let baskets = json!([{ "basketId": 1, "ShippingModelList": shipment() }]);
    let body = json!({ "orderNumber": "123456-20261124-0000000001", "BasketidModelList": baskets });
    let answer = shop.order_call("updateOrderShipping", body).await.1;
    assert_eq!(codes(&answer), ["UPDATE_ORDERSHIPPING_ERROR_103"]);
}

fn async_order(order: OrderNumber, number: &str, shipments: Value) -> Value {
    let baskets = json!([{ "basketId": order.0 * 10, "ShippingModelList": shipments }]);
    json!({ "orderNumber": number, "BasketidModelList": baskets })
}

#[tokio::test]
async fn an_asynchronous_dispatch_is_carried_out_later_with_a_result_for_each_order() {
    let face = Rakuten::new().payment(PaymentStep::AtOnce).blank_shipments(false).async_seconds(30);
    let shop = Shop::open_with(face).await;
    let (first, first_number) = shop.place(1);
    let (second, second_number) = shop.place(1);
    shop.confirm(&first_number).await;
    shop.market().back_office().cancel(shop.line(second), "").unwrap();
    let orders = json!({ "OrderShippingModelList": [
        async_order(first, &first_number, shipment()),
        async_order(second, &second_number, shipment()),
    ]});
    let (status, answer) = shop.order_call("updateOrderShippingAsync", orders).await;
    assert_eq!((status, codes(&answer)), (200, vec!["UPDATE_ORDERSHIPPING_ASYNC_INFO_101"]));
    let id = answer["MessageModelList"][0]["requestId"].clone();
    let result = async || {
        let body = json!({ "requestId": id });
        shop.order_call("getResultUpdateOrderShippingAsync", body).await.1["ResultShippingModelList"].clone()
    };
    assert_eq!(codes(&result().await[0]), ["GET_RESULT_UPDATEORDERSHIPPING_ASYNC_INFO_101"]);
    assert!(shop.market().dispatches(shop.line(first)).is_empty());
    shop.sandbox.advance(TimeDelta::seconds(30));
    let results = result().await;
    assert_eq!(results[0]["orderNumber"], json!(first_number));
    assert_eq!(codes(&results[0]), ["UPDATE_ORDERSHIPPING_INFO_101"]);
    assert_eq!(codes(&results[1]), ["UPDATE_ORDERSHIPPING_ERROR_102"]);
    assert_eq!(results[1]["MessageModelList"][0]["dataNumber"], Value::Null);
    assert_eq!(result().await, results);
    assert_eq!(shop.market().dispatches(shop.line(first)), ["N1"]);
    shop.sandbox.advance(TimeDelta::days(30));
    assert_eq!(codes(&result().await[0]), ["GET_RESULT_UPDATEORDERSHIPPING_ASYNC_INFO_101"]);
}

#[tokio::test]
async fn an_asynchronous_dispatch_refuses_duplicates_too_many_and_malformed_orders() {
    let shop = Shop::open().await;
    let (order, number) = shop.place(1);
    shop.confirm(&number).await;
    let send = async |orders: Vec<Value>| {
        let body = json!({ "OrderShippingModelList": orders });
        let (status, answer) = shop.order_call("updateOrderShippingAsync", body).await;
        assert_eq!(status, 200);
        answer
    };
    let good = async_order(order, &number, shipment());
    let answer = send(vec![good.clone(), good.clone()]).await;
    assert_eq!(codes(&answer), ["UPDATE_ORDERSHIPPING_ASYNC_ERROR_101"]);
    assert_eq!(codes(&send(vec![good; 101]).await), ["UPDATE_ORDERSHIPPING_ASYNC_ERROR_011"]);
    let bad = json!([{ "shippingDate": "2018/01/25" }]);
    let answer = send(vec![async_order(order, &number, bad)]).await;
    assert_eq!(codes(&answer), ["UPDATE_ORDERSHIPPING_ASYNC_ERROR_011"]);
    assert_eq!(answer["MessageModelList"][0]["orderNumber"], json!(number));
    assert!(shop.market().dispatches(shop.line(order)).is_empty());
    let (status, answer) = shop.order_call("getResultUpdateOrderShippingAsync", json!({})).await;
    let codes = codes(&answer["ResultShippingModelList"][0]);
    assert_eq!((status, codes), (400, vec!["GET_RESULT_UPDATEORDERSHIPPING_ASYNC_ERROR_009"]));
}

#[tokio::test]
async fn sellers_cancel_before_shipping_and_stock_goes_back_as_asked() {
    let shop = Shop::open().await;
    let item = shop.market().list(ItemDraft::simple("CAP", "キャップ", Amount::whole(100), 10)).unwrap();
    let cancel = async |number: &str, restore: u64| {
        let body =
            json!({ "orderNumber": number, "inventoryRestoreType": restore, "changeReasonDetailApply": 8 });
        shop.order_call("cancelOrder", body).await
    };
    for (restore, left) in [(0, 10), (1, 10), (2, 7)] {
        let (_, number) = shop.place_draft(OrderDraft::of(vec![LineDraft::of(item, 3)]));
        let (status, answer) = cancel(&number, restore).await;
        assert_eq!((status, codes(&answer)), (200, vec!["CANCEL_ORDER_INFO_101"]));
        assert_eq!(shop.market().quantity(item, None), Some(left));
        let shown = shop.detail(&number).await;
        assert_eq!(shown["orderProgress"], 900);
        let (status, answer) = cancel(&number, restore).await;
        assert_eq!((status, codes(&answer)), (400, vec!["CANCEL_ORDER_ERROR_102"]));
    }
    assert_eq!(codes(&cancel("123456-20261124-0000000001", 1).await.1), ["CANCEL_ORDER_ERROR_101"]);
    let (status, answer) = shop.order_call("cancelOrder", json!({ "orderNumber": "x" })).await;
    assert_eq!((status, codes(&answer)), (400, vec!["CANCEL_ORDER_ERROR_009"; 2]));
    let body = json!({ "orderNumber": "x", "inventoryRestoreType": 3, "changeReasonDetailApply": 7 });
    assert_eq!(codes(&shop.order_call("cancelOrder", body).await.1), ["CANCEL_ORDER_ERROR_011"; 2]);
}

#[tokio::test]
async fn sent_orders_and_cancel_requests_are_cancelled_by_the_other_call() {
    let shop = Shop::open().await;
    let call = async |name: &str, number: &str| {
        let body = json!({ "orderNumber": number, "inventoryRestoreType": 1, "changeReasonDetailApply": 1 });
        codes(&shop.order_call(name, body).await.1)[0].to_owned()
    };
    let (sent, sent_number) = shop.place(1);
    shop.confirm(&sent_number).await;
    assert_eq!(call("cancelOrderAfterShipping", &sent_number).await, "CANCEL_ORDER_AFTER_SHIPPING_ERROR_102");
    shop.ship(&sent_number, shipment()).await;
    assert_eq!(call("cancelOrder", &sent_number).await, "CANCEL_ORDER_ERROR_102");
    assert_eq!(call("cancelOrderAfterShipping", &sent_number).await, "CANCEL_ORDER_AFTER_SHIPPING_INFO_101");
    assert_eq!(shop.progress(&sent_number).await, 900);
    let cancelled = |action: &Action| matches!(action, Action::Cancelled { reason } if reason == "1");
    assert!(shop.market().record_of(shop.line(sent)).iter().any(|event| cancelled(&event.action)));
    let (asked, asked_number) = shop.place(1);
    shop.market().buyer().request_cancel(shop.line(asked), "").unwrap();
    assert_eq!(call("cancelOrderAfterShipping", &asked_number).await, "CANCEL_ORDER_AFTER_SHIPPING_INFO_101");
    assert_eq!(shop.progress(&asked_number).await, 900);
}

/// An item with two options and one without.
fn catalogue(shop: &Shop) -> (ItemId, OptionId, OptionId, ItemId) {
    let tee = ItemDraft::simple("TEE-01", "Tシャツ", Amount::whole(1980), 0)
        .with_option(vec![Axis::new("サイズ", "S")], "TEE-01-S", 5)
        .with_option(vec![Axis::new("サイズ", "M")], "TEE-01-M", 7);
    let tee = shop.market().list(tee).unwrap();
    let cap = shop.market().list(ItemDraft::simple("CAP-02", "キャップ", Amount::whole(2480), 3)).unwrap();
    let options = shop.market().item(tee).unwrap().options;
    (tee, options[0].id, options[1].id, cap)
}

#[tokio::test]
async fn stock_is_set_one_by_one_and_in_bulk_in_both_versions() {
    let shop = Shop::open().await;
    let (tee, small, medium, cap) = catalogue(&shop);
    let body = json!({ "mode": "ABSOLUTE", "quantity": 9 });
    let path = format!("/es/2.1/inventories/manage-numbers/tee-01/variants/{small}");
    assert_eq!(shop.call(Method::PUT, &path, &body).await, (204, Value::Null));
    assert_eq!(shop.market().quantities_set(tee, Some(small)), [9]);
    let (status, read) = shop.get(&path).await;
    assert_eq!((status, &read["quantity"]), (200, &json!(9)));
    assert_eq!(read["updated"], "2026-11-24T12:00:00+09:00");
    let rows = json!({ "inventories": [
        { "manageNumber": "TEE-01", "variantId": medium.to_string(), "mode": "ABSOLUTE", "quantity": 0 },
        { "manageNumber": "cap-02", "variantId": "cap-02", "mode": "RELATIVE", "quantity": -2 },
    ]});
    for version in ["2.0", "2.1"] {
        let path = format!("/es/{version}/inventories/bulk-upsert");
        if version == "2.0" {
            assert_eq!(shop.call(Method::POST, &path, &rows).await, (204, Value::Null));
        } else {
            let again = shop.call(Method::POST, &path, &rows).await;
            assert_eq!(error_code(&again), (400, "IE0003"), "1 - 2 is below 0");
        }
    }
    assert_eq!(shop.market().quantities_set(tee, Some(medium)), [0], "the refused call did nothing");
    assert_eq!(shop.market().quantities_set(cap, None), [1]);
    let wanted = json!({ "inventories": [
        { "manageNumber": "cap-02", "variantId": "cap-02" },
        { "manageNumber": "cap-02", "variantId": "nothing" },
    ]});
    let (status, read) = shop.call(Method::POST, "/es/2.0/inventories/bulk-get", &wanted).await;
    assert_eq!((status, read["inventories"].as_array().unwrap().len()), (200, 1));
    assert_eq!(read["inventories"][0]["quantity"], 1);
    let range = shop.get("/es/2.0/inventories/bulk-get/range?minQuantity=1&maxQuantity=5").await.1;
    assert_eq!(range["inventories"].as_array().unwrap().len(), 1);
    assert_eq!(error_code(&shop.get("/es/2.0/inventories/bulk-get/range").await), (400, "IE0105"));
    let path = "/es/2.0/inventories/bulk-get/range?minQuantity=-1";
    assert_eq!(error_code(&shop.get(path).await), (400, "IE0003"));
    let path = "/es/2.0/inventories/manage-numbers/cap-02/variants/none";
    assert_eq!(error_code(&shop.get(path).await), (404, "GE0014"));
}

#[tokio::test]
async fn stock_of_an_unknown_sku_is_taken_and_kept_for_a_day_as_an_orphan() {
    let shop = Shop::open().await;
    catalogue(&shop);
    let write = async |mode: &str, quantity: i64| {
        let row = json!({ "manageNumber": "gone", "variantId": "g-1", "mode": mode, "quantity": quantity });
        let body = json!({ "inventories": [row] });
        shop.call(Method::POST, "/es/2.1/inventories/bulk-upsert", &body).await
    };
    assert_eq!(error_code(&write("RELATIVE", 3).await), (404, "GE0014"));
    assert_eq!(write("ABSOLUTE", 3).await, (204, Value::Null));
    assert_eq!(shop.face.orphans(), [("gone".to_owned(), "g-1".to_owned(), 3)]);
    let wanted = json!({ "inventories": [{ "manageNumber": "gone", "variantId": "g-1" }] });
    let read = shop.call(Method::POST, "/es/2.1/inventories/bulk-get", &wanted).await;
    assert_eq!(read, (200, json!({ "inventories": [] })));
    let event = shop.market().record().pop().unwrap();
    assert!(!event.is_done() && event.action == Action::QuantitySet { quantity: 3 });
    assert_eq!(write("RELATIVE", 1).await.0, 204);
    shop.sandbox.advance(TimeDelta::hours(24));
    assert_eq!(error_code(&write("RELATIVE", 1).await), (404, "GE0014"));
}

#[tokio::test]
async fn malformed_stock_is_refused_with_its_place_and_none_of_it_is_done() {
    let shop = Shop::open().await;
    let (tee, small, ..) = catalogue(&shop);
    let good = json!({ "manageNumber": "tee-01", "variantId": small.to_string(), "mode": "ABSOLUTE", "quantity": 1 });
    let with = |field: &str, value: Value| {
        let mut row = good.clone();
        row[field] = value;
        row
    };
    let write = async |rows: Vec<Value>| {
        let body = json!({ "inventories": rows });
        shop.call(Method::POST, "/es/2.1/inventories/bulk-upsert", &body).await
    };
    for (field, value, code) in [
        ("mode", Value::Null, "IE0001"),
        ("mode", json!("SET"), "IE0002"),
        ("quantity", Value::Null, "IE0001"),
        ("quantity", json!("a"), "IE0002"),
        ("quantity", json!(1.5), "IE0002"),
        ("quantity", json!(-1), "IE0003"),
        ("quantity", json!(100_000), "IE0003"),
        ("manageNumber", json!("x".repeat(33)), "IE0004"),
        ("manageNumber", json!("日本"), "IE0002"),
        ("variantId", Value::Null, "IE0001"),
    ] {
        let answer = write(vec![good.clone(), with(field, value.clone())]).await;
        assert_eq!(error_code(&answer), (400, code), "{field} {value}");
        let path = &answer.1["errors"][0]["metadata"]["propertyPath"];
        assert_eq!(path, &json!(format!("inventories[1].{field}")));
    }
    assert_eq!(error_code(&write(vec![]).await), (400, "IE0121"));
    assert_eq!(error_code(&write(vec![good.clone(); 401]).await), (400, "IE0121"));
    assert!(shop.market().quantities_set(tee, Some(small)).is_empty());
    assert_eq!(write(vec![good.clone(); 400]).await.0, 204);
    assert_eq!(shop.market().quantities_set(tee, Some(small)).len(), 400, "repeats count");
}

#[tokio::test]
async fn items_are_found_page_by_page_by_offset_and_by_cursor() {
    let shop = Shop::open().await;
    let (_, small, medium, _) = catalogue(&shop);
    let first = shop.get("/es/2.0/items/search?hits=1&sortKey=manageNumber&sortOrder=desc").await.1;
    assert_eq!((&first["numFound"], &first["offset"]), (&json!(2), &json!(0)));
    assert!(first.get("nextCursorMark").is_none());
    let tee = &first["results"][0]["item"];
    assert_eq!(tee["manageNumber"], "tee-01");
    assert_eq!(tee["variantSelectors"][0]["displayName"], "サイズ");
    let variant = &tee["variants"][small.to_string()];
    assert_eq!(variant["merchantDefinedSkuId"], "TEE-01-S");
    assert_eq!(variant["selectorValues"], json!({ "key0": "S" }));
    assert_eq!(variant["standardPrice"], "1980");
    assert_eq!(tee["variants"][medium.to_string()]["selectorValues"], json!({ "key0": "M" }));
    let second = shop.get("/es/2.0/items/search?hits=1&offset=1").await.1;
    assert_eq!(second["results"][0]["item"]["manageNumber"], "cap-02");
    assert!(second["results"][0]["item"]["variants"]["cap-02"].is_object());

    let (mut cursor, mut found) = ("*".to_owned(), Vec::new());
    loop {
        let page = shop.get(&format!("/es/2.0/items/search?hits=1&cursorMark={cursor}")).await.1;
        found.extend(page["results"].as_array().unwrap().iter().map(|r| r["item"]["manageNumber"].clone()));
        let next = page["nextCursorMark"].as_str().unwrap().to_owned();
        if next == cursor {
            break;
        }
        cursor = next;
    }
    assert_eq!(found, ["tee-01", "cap-02"]);
}

#[tokio::test]
async fn item_searches_filter_and_refuse_what_does_not_go_together() {
    let shop = Shop::open().await;
    let (_, small, ..) = catalogue(&shop);
    let hidden = ItemDraft {
        status: sales_channels_sandbox::market::ItemStatus::Waiting,
        ..ItemDraft::simple("OLD", "古い", Amount::whole(1), 0)
    };
    shop.market().list(hidden).unwrap();
    let count = async |query: String| {
        shop.get(&format!("/es/2.0/items/search?{query}")).await.1["numFound"].as_u64().unwrap()
    };
    assert_eq!(count(String::new()).await, 3);
    assert_eq!(count("isHiddenItem=false".into()).await, 2);
    assert_eq!(count("manageNumber=tee".into()).await, 1);
    assert_eq!(count("merchantDefinedSkuId=TEE-01-M".into()).await, 1);
    assert_eq!(count(format!("variantId={small}")).await, 1);
    assert_eq!(count("title=%E3%82%AD%E3%83%A3".into()).await, 1);
    for (query, code) in [
        ("hits=0", "IE0003"),
        ("hits=101", "IE0003"),
        ("hits=ten", "IE0002"),
        ("offset=10001", "IE0003"),
        ("cursorMark=*&offset=0", "IE0105"),
        ("cursorMark=*&sortKey=updated", "IE0105"),
        ("cursorMark=nonsense", "IE0002"),
        ("isHiddenItem=yes", "IE0002"),
        ("sortOrder=up", "IE0002"),
        ("updatedFrom=2026/11/01", "IE0002"),
    ] {
        assert_eq!(
            error_code(&shop.get(&format!("/es/2.0/items/search?{query}")).await),
            (400, code),
            "{query}"
        );
    }
    let (status, item) = shop.get("/es/2.0/items/manage-numbers/TEE-01").await;
    assert_eq!((status, &item["title"]), (200, &json!("Tシャツ")));
    let with = shop.get("/es/2.0/items/search?isInventoryIncluded=true").await.1;
    assert!(with["results"][0]["inventory"].is_object());
}

#[tokio::test]
async fn limits_are_off_until_switched_on_and_follow_the_clock() {
    for (status, expected) in [(LimitStatus::TooManyRequests, 429), (LimitStatus::Forbidden, 403)] {
        let shop = Shop::open_with(Rakuten::new().limited(status)).await;
        let search = async || shop.order_call("searchOrder", window(json!({}))).await.0;
        assert_eq!([search().await, search().await], [200, expected]);
        for _ in 0..5 {
            assert_eq!(shop.get("/es/2.0/items/search").await.0, 200);
        }
        assert_eq!(shop.get("/es/2.0/items/search").await.0, expected);
        shop.sandbox.advance(TimeDelta::seconds(1));
        assert_eq!(search().await, 200);
    }
    let shop = Shop::open().await;
    for _ in 0..10 {
        assert_eq!(shop.order_call("searchOrder", window(json!({}))).await.0, 200);
    }
}

#[tokio::test]
async fn the_control_port_switches_the_face() {
    let shop = Shop::open_with(Rakuten::new()).await;
    let (order, number) = shop.place(1);
    let control = async |path: &str, body: Value| {
        let url = format!("{}/faces/rakuten/control{path}", shop.sandbox.control_url());
        shop.client.put(url).json(&body).send().await.unwrap().status().as_u16()
    };
    assert_eq!(control("/settings", json!({ "payment": { "step": "at_once" }, "limits": "off" })).await, 200);
    shop.confirm(&number).await;
    assert_eq!(shop.progress(&number).await, 300);
    assert_eq!(control(&format!("/orders/{order}"), json!({ "progress": 400 })).await, 200);
    assert_eq!(shop.progress(&number).await, 400);
    assert_eq!(control("/settings", json!({ "limits": "sometimes" })).await, 400);
    let key = json!({ "service_secret": "SP1", "license_key": "SL1", "expires_at": "2027-01-01T00:00:00Z" });
    assert_eq!(control("/keys", key).await, 200);
    let header = Key::new("SP1", "SL1", None).authorization();
    let answer = shop.send(Method::GET, "/es/2.0/items/search", Some(&header), &Value::Null).await;
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn a_partly_sent_order_of_the_back_office_is_finished_here() {
    let shop = Shop::open().await;
    let (order, number) = shop.place(1);
    let line = shop.line(order);
    shop.confirm(&number).await;
    let parcel = ParcelDraft {
        carrier: "x".into(),
        tracking: "y".into(),
        lines: vec![ParcelLine { line, quantity: 1 }],
    };
    shop.market().back_office().ship(order, parcel).unwrap();
    assert_eq!(shop.progress(&number).await, 300);
    shop.ship(&number, shipment()).await;
    assert_eq!(shop.progress(&number).await, 500);
    assert_eq!(shop.market().line(line).unwrap().shipped_quantity, 2);
    assert_eq!(shop.market().dispatches(line), ["y", "N1"]);
}
