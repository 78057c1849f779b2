//! The Coupang face over plain HTTP, as a client would that knows only the documentation.

// Helpers of tests are not marked as tests, and may fail like them.
#![allow(clippy::unwrap_used, clippy::panic)]

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::{Client, Method, Response};
use sales_channels_sandbox::faces::coupang::{
    ACCESS_KEY, BoxesPer, Coupang, EXPIRED_ACCESS_KEY, Gateway, OTHER_ACCESS_KEY, OTHER_SELLER,
    OTHER_VENDOR_ID, SECRET_KEY, VENDOR_ID, WING_USER_ID, signature,
};
use sales_channels_sandbox::market::{
    Action, Address, Axis, ClaimKind, ClaimState, ItemDraft, ItemStatus, LineDraft, LineNumber, LineState,
    OrderDraft, OrderNumber, Refusal,
};
use sales_channels_sandbox::{Amount, Market, RateLimit, Sandbox};
use serde_json::{Value, json};

const ORDERS: &str = "/v2/providers/openapi/apis/api";
const PRODUCTS: &str = "/v2/providers/seller_api/apis/api/v1/marketplace";
const DAY: &str = "createdAtFrom=2026-11-24%2B09:00&createdAtTo=2026-11-24%2B09:00";

/// Noon in Korea, 24 November 2026.
fn noon() -> DateTime<Utc> {
    "2026-11-24T03:00:00Z".parse().unwrap()
}

struct Shop {
    sandbox: Sandbox,
    face: Coupang,
    client: Client,
    access_key: String,
    secret_key: String,
    vendor: &'static str,
    extra: Vec<(&'static str, &'static str)>,
}

impl Shop {
    async fn open() -> Self {
        Self::open_with(Coupang::new()).await
    }

    async fn open_with(face: Coupang) -> Self {
        let sandbox = Sandbox::builder().face(face.clone()).now(noon()).start().await.unwrap();
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let (access_key, secret_key) = (ACCESS_KEY.to_owned(), SECRET_KEY.to_owned());
        Self { sandbox, face, client, access_key, secret_key, vendor: VENDOR_ID, extra: Vec::new() }
    }

    fn market(&self) -> &Market {
        self.sandbox.market()
    }

    fn authorization(&self, method: &str, path: &str, query: &str) -> String {
        let date = self.sandbox.clock().now().format("%y%m%dT%H%M%SZ").to_string();
        let signed = signature(&self.secret_key, &date, method, path, query);
        let key = &self.access_key;
        format!("CEA algorithm=HmacSHA256, access-key={key}, signed-date={date}, signature={signed}")
    }

    async fn send(&self, method: &str, target: &str, authorization: &str, body: &str) -> Response {
        let url = format!("{}{target}", self.sandbox.base_url("coupang").unwrap());
        let mut request = self.client.request(method.parse::<Method>().unwrap(), url);
        for (name, value) in &self.extra {
            request = request.header(*name, *value);
        }
        request
            .header("authorization", authorization)
            .header("content-type", "application/json;charset=UTF-8")
            .body(body.to_owned())
            .send()
            .await
            .unwrap()
    }

    /// A signed call: HTTP status and answer.
    async fn call(&self, method: &str, path: &str, query: &str, body: &str) -> (u16, Value) {
        let target = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
        let response = self.send(method, &target, &self.authorization(method, path, query), body).await;
        let status = response.status().as_u16();
        assert_eq!(response.headers()["content-type"], "application/json;charset=UTF-8");
        (status, response.json().await.unwrap())
    }

    fn path(&self, version: &str, rest: &str) -> String {
        format!("{ORDERS}/{version}/vendors/{}/{rest}", self.vendor)
    }

    async fn get(&self, version: &str, rest: &str, query: &str) -> (u16, Value) {
        self.call("GET", &self.path(version, rest), query, "").await
    }

    /// The boxes of today in one status.
    async fn boxes(&self, status: &str) -> Vec<Value> {
        let (code, answer) = self.get("v5", "ordersheets", &format!("{DAY}&status={status}")).await;
        assert_eq!((code, &answer["code"]), (200, &json!(200)), "{answer}");
        answer["data"].as_array().unwrap().clone()
    }

    /// A paid order of lines with so many units each.
    fn place(&self, units: &[u32]) -> OrderNumber {
        let line = |(at, units): (usize, &u32)| {
            LineDraft::unlisted(&format!("SKU-{at}"), "모자 🧢", Amount::whole(19_000), *units)
        };
        let draft = OrderDraft::of(units.iter().enumerate().map(line).collect());
        self.market().buyer().place(draft).unwrap()
    }

    fn line(&self, order: OrderNumber) -> LineNumber {
        self.market().lines_of(order)[0]
    }

    /// The boxes of an order.
    async fn of_order(&self, order: OrderNumber) -> Vec<Value> {
        let (code, answer) = self.get("v5", &format!("{}/ordersheets", id_of(order)), "").await;
        assert_eq!(code, 200, "{answer}");
        answer["data"].as_array().unwrap().clone()
    }

    async fn acknowledge(&self, ids: &[u64]) -> (u16, Value) {
        let body = json!({ "vendorId": self.vendor, "shipmentBoxIds": ids }).to_string();
        self.call("PUT", &self.path("v4", "ordersheets/acknowledgement"), "", &body).await
    }

    /// A confirmed order and its box.
    async fn confirmed(&self, units: &[u32]) -> (OrderNumber, Value) {
        let order = self.place(units);
        let id = self.of_order(order).await[0]["shipmentBoxId"].as_u64().unwrap();
        let (_, answer) = self.acknowledge(&[id]).await;
        assert_eq!(answer["data"]["responseCode"], 0, "{answer}");
        (order, self.of_order(order).await[0].clone())
    }

    async fn invoices(&self, call: &str, entries: Vec<Value>) -> (u16, Value) {
        let body = json!({ "vendorId": self.vendor, "orderSheetInvoiceApplyDtos": entries }).to_string();
        self.call("POST", &self.path("v4", &format!("orders/{call}")), "", &body).await
    }

    async fn receipts(&self, query: &str) -> Vec<Value> {
        let query = format!("createdAtFrom=2026-11-24&createdAtTo=2026-11-24&{query}");
        let (code, answer) = self.get("v6", "returnRequests", &query).await;
        assert_eq!(code, 200, "{answer}");
        answer["data"].as_array().unwrap().clone()
    }

    fn refusals(&self, line: LineNumber) -> Vec<Refusal> {
        self.market().record_of(line).into_iter().filter_map(|event| event.refused).collect()
    }
}

fn id_of(order: OrderNumber) -> u64 {
    22_000_000_000_000 + order.0
}

fn box_id(sheet: &Value) -> u64 {
    sheet["shipmentBoxId"].as_u64().unwrap()
}

/// One entry of a waybill call, for the item at a place of a box.
fn entry(sheet: &Value, at: usize, invoice: &str) -> Value {
    json!({
        "shipmentBoxId": sheet["shipmentBoxId"],
        "orderId": sheet["orderId"],
        "vendorItemId": sheet["orderItems"][at]["vendorItemId"],
        "deliveryCompanyCode": "CJGLS",
        "invoiceNumber": invoice,
        "splitShipping": false,
        "preSplitShipped": false,
        "estimatedShippingDate": "",
    })
}

fn with(mut entry: Value, changes: Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        entry[name] = value.clone();
    }
    entry
}

/// The result code of the only box of an answer.
fn result(answer: &Value) -> &str {
    let [row] = answer["data"]["responseList"].as_array().unwrap().as_slice() else { panic!("{answer}") };
    row["resultCode"].as_str().unwrap()
}

#[tokio::test]
async fn the_signatures_of_the_documentation_are_accepted_and_a_changed_byte_is_not() {
    let shop = Shop::open().await;
    shop.sandbox.set_now("2026-11-01T08:30:00Z".parse().unwrap());
    let path = "/v2/providers/openapi/apis/api/v5/vendors/A00012345/ordersheets";
    let query = "createdAtFrom=2026-10-31%2B09:00&createdAtTo=2026-11-01%2B09:00&maxPerPage=50&status=ACCEPT";
    let good = "CEA algorithm=HmacSHA256, access-key=11112222-3333-4444-5555-666677778888, signed-date=261101T083000Z, signature=14db79a8d198eed8bc317be660a5f4ab897ac380928422a7eef396d6c1d9c3a7";
    let status = async |method: &str, target: &str, authorization: &str| {
        shop.send(method, target, authorization, "").await.status().as_u16()
    };
    assert_eq!(status("GET", &format!("{path}?{query}"), good).await, 200);
    // The same parameters in another order or encoding are another text.
    let (first, rest) = query.split_once('&').unwrap();
    for target in [
        format!("{path}?{rest}&{first}"),
        format!("{path}?{}", query.replace(':', "%3A")),
        format!("{path}?{query}&"),
        format!("{path}/?{query}"),
    ] {
        assert_eq!(status("GET", &target, good).await, 401, "{target}");
    }
    assert_eq!(status("POST", &format!("{path}?{query}"), good).await, 401);
    for bad in
        [good.replace("14db", "14dc"), good.replace(", ", ","), good.replace("CEA ", ""), String::new()]
    {
        assert_eq!(status("GET", &format!("{path}?{query}"), &bad).await, 401, "{bad}");
    }
    let put = "CEA algorithm=HmacSHA256, access-key=11112222-3333-4444-5555-666677778888, signed-date=261101T083001Z, signature=a27565b63d7216a4242bf560b7c470d83b4cd6678f493fc29b2a8a4398dff8dc";
    let target = "/v2/providers/openapi/apis/api/v4/vendors/A00012345/ordersheets/acknowledgement";
    for id in [1, 2] {
        let body = json!({ "vendorId": VENDOR_ID, "shipmentBoxIds": [id] }).to_string();
        assert_eq!(shop.send("PUT", target, put, &body).await.status(), 200, "the body is not signed");
    }
}

#[tokio::test]
async fn keys_live_180_days_and_die_on_reissue() {
    let mut shop = Shop::open().await;
    let query = format!("{DAY}&status=ACCEPT");
    let message = |answer: &Value| answer["message"].as_str().unwrap().to_owned();
    shop.access_key = EXPIRED_ACCESS_KEY.into();
    let (status, answer) = shop.get("v5", "ordersheets", &query).await;
    assert_eq!((status, message(&answer)), (401, "Specified key is expired.".to_owned()));
    shop.access_key = "nobody's".into();
    assert_eq!(shop.get("v5", "ordersheets", &query).await.0, 401);
    shop.access_key = ACCESS_KEY.into();
    let stale = shop.authorization("GET", &shop.path("v5", "ordersheets"), &query);
    shop.sandbox.advance(TimeDelta::minutes(6));
    let target = format!("{}?{query}", shop.path("v5", "ordersheets"));
    let response = shop.send("GET", &target, &stale, "").await;
    assert_eq!(response.status(), 401);
    assert_eq!(message(&response.json().await.unwrap()), "Specified signature is expired.");
    shop.sandbox.set_now(noon() + TimeDelta::days(180) - TimeDelta::seconds(1));
    assert_eq!(shop.get("v5", "ordersheets", &query).await.0, 200);
    shop.sandbox.advance(TimeDelta::seconds(1));
    assert_eq!(shop.get("v5", "ordersheets", &query).await.0, 401);
    let (access_key, secret_key) = shop.face.reissue_key().unwrap();
    (shop.access_key, shop.secret_key) = (access_key, secret_key);
    assert_eq!(shop.get("v5", "ordersheets", &query).await.0, 200);
    shop.face.reissue_key().unwrap();
    assert_eq!(shop.get("v5", "ordersheets", &query).await.0, 401);
}

#[tokio::test]
async fn a_wrong_vendor_or_path_is_not_found_and_others_see_nothing() {
    let mut shop = Shop::open().await;
    let order = shop.place(&[1]);
    shop.vendor = OTHER_VENDOR_ID;
    assert_eq!(shop.get("v5", "ordersheets", &format!("{DAY}&status=ACCEPT")).await.0, 404);
    shop.access_key = OTHER_ACCESS_KEY.into();
    assert_eq!(shop.boxes("ACCEPT").await.len(), 0);
    assert_eq!(shop.get("v5", &format!("{}/ordersheets", id_of(order)), "").await.0, 400);
    assert_eq!(shop.get("v7", "ordersheets", "").await.0, 404);
    let foreign = OrderDraft { seller: OTHER_SELLER.into(), ..OrderDraft::example() };
    shop.market().buyer().place(foreign).unwrap();
    assert_eq!(shop.boxes("ACCEPT").await.len(), 1);
}

#[tokio::test]
async fn the_gateway_refuses_as_it_is_switched() {
    for (gateway, status, kind) in [
        (Gateway::AddressRefused, 403, "application/json;charset=UTF-8"),
        (Gateway::Denied, 403, "text/html; charset=utf-8"),
    ] {
        let shop = Shop::open_with(Coupang::new().gateway(gateway)).await;
        let response = shop.send("GET", &shop.path("v5", "ordersheets"), "", "").await;
        let sent = response.headers()["content-type"].to_str().unwrap();
        assert_eq!((response.status().as_u16(), sent), (status, kind));
    }
    let refused = Shop::open_with(Coupang::new().gateway(Gateway::AddressRefused)).await;
    let (_, answer) = refused.get("v5", "ordersheets", "").await;
    let sample: Value =
        serde_json::from_str(include_str!("samples/coupang/error_403_ip.response.json")).unwrap();
    assert_eq!(answer, sample);
    let blocked = Shop::open_with(Coupang::new().gateway(Gateway::Blocked)).await;
    assert_eq!(blocked.send("GET", "/", "", "").await.status(), 302);
}

#[tokio::test]
async fn above_the_limit_a_vendor_is_blocked_for_minutes() {
    let limit = RateLimit { requests: 10, seconds: 1 };
    let shop = Shop::open_with(Coupang::new().limited_to(limit, 5)).await;
    for _ in 0..10 {
        assert_eq!(shop.boxes("ACCEPT").await.len(), 0);
    }
    let query = format!("{DAY}&status=ACCEPT");
    for (minutes, status) in [(0, 429), (4, 429), (1, 200)] {
        shop.sandbox.advance(TimeDelta::minutes(minutes));
        assert_eq!(shop.get("v5", "ordersheets", &query).await.0, status, "{minutes}");
    }
}

#[tokio::test]
async fn slow_lists_need_the_extended_timeout() {
    let mut shop = Shop::open_with(Coupang::new().slow()).await;
    let query = format!("{DAY}&status=ACCEPT");
    assert_eq!(shop.get("v5", "ordersheets", &query).await.0, 504);
    shop.extra = vec![("X-EXTENDED-TIMEOUT", "90000")];
    assert_eq!(shop.get("v5", "ordersheets", &query).await.0, 200);
}

#[tokio::test]
async fn a_sheet_has_the_fields_and_types_of_the_official_examples() {
    let shop = Shop::open().await;
    let item = ItemDraft::simple("TEE", "티셔츠", Amount::whole(19_000), 0).with_option(
        vec![Axis::new("색상", "GREY"), Axis::new("사이즈", "M")],
        "TEE-GREY-M",
        9,
    );
    let item = shop.market().list(item).unwrap();
    let option = shop.market().item(item).unwrap().options[0].id;
    let line = LineDraft { discount: Amount::whole(3000), ..LineDraft::of_option(item, option, 2) };
    let draft = OrderDraft {
        shipping_fee: Amount::whole(2500),
        message: "문 앞".into(),
        ..OrderDraft::of(vec![line])
    };
    let order = shop.market().buyer().place(draft).unwrap();
    let [sheet] = shop.boxes("ACCEPT").await.try_into().unwrap();
    assert!(box_id(&sheet) > 1 << 53, "more than a double can hold");
    assert_eq!(sheet["orderId"], id_of(order));
    assert_eq!(sheet["orderedAt"], "2026-11-24T12:00:00.000000+09:00");
    assert_eq!(sheet["shippingPrice"], json!({ "currencyCode": "KRW", "units": 2500, "nanos": 0 }));
    let row = &sheet["orderItems"][0];
    assert_eq!((&row["shippingCount"], &row["externalVendorSkuCode"]), (&json!(2), &json!("TEE-GREY-M")));
    assert_eq!((&row["orderPrice"]["units"], &row["discountPrice"]["units"]), (&json!(38_000), &json!(3000)));
    assert_eq!(row["vendorItemName"], "티셔츠, GREY, M");
    let id = box_id(&sheet);
    let (_, one) = shop.get("v5", &format!("ordersheets/{id}"), "").await;
    assert_eq!((&one["code"], &one["data"]), (&json!("200"), &sheet));
    let (_, v4) = shop.get("v4", &format!("ordersheets/{id}"), "").await;
    assert_eq!(v4["data"]["orderItems"][0]["salesPrice"], 19_000);
    assert_eq!(v4["data"]["orderedAt"], "2026-11-24T12:00:00");
    for (ours, sample) in [
        (&sheet, include_str!("samples/coupang/ordersheets_day.v5.response.json")),
        (&v4["data"], include_str!("samples/coupang/ordersheets_day.v4.response.json")),
    ] {
        let sample: Value = serde_json::from_str(sample).unwrap();
        let names = |value: &Value| -> Vec<String> {
            let mut names: Vec<String> = value.as_object().unwrap().keys().cloned().collect();
            names.sort();
            names
        };
        let example = &sample["data"][0];
        assert_eq!(names(ours), names(example));
        assert_eq!(names(&ours["orderItems"][0]), names(&example["orderItems"][0]));
        assert_eq!(names(&ours["receiver"]), names(&example["receiver"]));
    }
}

#[tokio::test]
async fn days_are_those_of_korea_and_both_ends_are_in() {
    let shop = Shop::open().await;
    for time in ["2026-11-22T15:00:00Z", "2026-11-23T14:59:59Z", "2026-11-23T15:00:00Z"] {
        let draft = OrderDraft::example().paid_at(time.parse().unwrap());
        shop.market().import([draft]).unwrap();
    }
    for (from, to, found) in [("23", "23", 2), ("22", "22", 0), ("24", "24", 1), ("22", "24", 3)] {
        let query =
            format!("createdAtFrom=2026-11-{from}%2B09:00&createdAtTo=2026-11-{to}%2B09:00&status=ACCEPT");
        let (_, answer) = shop.get("v5", "ordersheets", &query).await;
        assert_eq!(answer["data"].as_array().unwrap().len(), found, "{from} {to}");
        let query = format!("createdAtFrom=2026-11-{from}&createdAtTo=2026-11-{to}&status=ACCEPT");
        let (_, answer) = shop.get("v4", "ordersheets", &query).await;
        assert_eq!(answer["data"].as_array().unwrap().len(), found, "{from} {to}");
    }
    let minutes = |from: &str, to: &str| {
        format!(
            "searchType=timeFrame&status=ACCEPT&createdAtFrom=2026-11-{from}%2B09:00&createdAtTo=2026-11-{to}%2B09:00"
        )
    };
    let (_, answer) = shop.get("v5", "ordersheets", &minutes("23T23:59", "23T23:59")).await;
    assert_eq!(answer["data"].as_array().unwrap().len(), 1);
    assert!(answer.get("nextToken").is_none());
    let (status, _) = shop.get("v5", "ordersheets", &minutes("23T00:00", "24T00:00")).await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn bad_parameters_are_refused() {
    let shop = Shop::open().await;
    let range = |from: &str, to: &str| format!("createdAtFrom={from}%2B09:00&createdAtTo={to}%2B09:00");
    let (status, answer) =
        shop.get("v5", "ordersheets", &format!("{}&status=ACCEPT", range("2026-10-23", "2026-11-24"))).await;
    let sample: Value =
        serde_json::from_str(include_str!("samples/coupang/error_400_window.response.json")).unwrap();
    assert_eq!((status, answer), (400, sample));
    for query in [
        format!("{}&status=ACCEPT", range("2026-11-24", "2026-11-23")),
        DAY.to_owned(),
        format!("{DAY}&status=NEW"),
        format!("{DAY}&status=ACCEPT&maxPerPage=51"),
        format!("{DAY}&status=ACCEPT&maxPerPage=0"),
        format!("{DAY}&status=ACCEPT&nextToken=7"),
        format!("{DAY}&status=ACCEPT&searchType=day"),
        "createdAtFrom=2026-11-24&createdAtTo=2026-11-24&status=ACCEPT".to_owned(),
        // A plus that is not encoded is a space.
        "createdAtFrom=2026-11-24+09:00&createdAtTo=2026-11-24+09:00&status=ACCEPT".to_owned(),
        "status=ACCEPT".to_owned(),
    ] {
        assert_eq!(shop.get("v5", "ordersheets", &query).await.0, 400, "{query}");
    }
}

#[tokio::test]
async fn pages_lose_nothing_though_boxes_leave_the_list_meanwhile() {
    let shop = Shop::open_with(Coupang::new().page_size(2)).await;
    for _ in 0..5 {
        shop.place(&[1]);
    }
    let (mut seen, mut token, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let query = format!("{DAY}&status=ACCEPT&maxPerPage=50&nextToken={token}");
        let (_, answer) = shop.get("v5", "ordersheets", &query).await;
        let ids: Vec<u64> = answer["data"].as_array().unwrap().iter().map(box_id).collect();
        shop.acknowledge(&ids).await;
        seen.extend(ids);
        pages += 1;
        token = answer["nextToken"].as_str().unwrap().to_owned();
        if token.is_empty() {
            break;
        }
    }
    seen.dedup();
    assert_eq!((seen.len(), pages), (5, 3));
    assert_eq!(shop.boxes("ACCEPT").await.len(), 0);
}

#[tokio::test]
async fn unpaid_orders_never_show_and_paid_ones_after_a_while() {
    let shop = Shop::open_with(Coupang::new().list_lag(10)).await;
    let draft = OrderDraft { unpaid: true, ..OrderDraft::example() };
    let order = shop.market().buyer().place(draft).unwrap();
    assert_eq!(shop.get("v5", &format!("{}/ordersheets", id_of(order)), "").await.0, 400);
    shop.market().marketplace().pay(order).unwrap();
    for (minutes, found) in [(9, 0), (1, 1)] {
        shop.sandbox.advance(TimeDelta::minutes(minutes));
        assert_eq!(shop.boxes("ACCEPT").await.len(), found);
    }
}

#[tokio::test]
async fn a_box_moves_from_list_to_list_and_tells_its_history() {
    let shop = Shop::open().await;
    let (order, sheet) = shop.confirmed(&[2]).await;
    assert_eq!((&sheet["status"], shop.boxes("INSTRUCT").await.len()), (&json!("INSTRUCT"), 1));
    shop.sandbox.advance(TimeDelta::minutes(1));
    let (_, answer) = shop.invoices("invoices", vec![entry(&sheet, 0, "680405450931")]).await;
    assert_eq!(result(&answer), "OK");
    let [sent] = shop.boxes("DEPARTURE").await.try_into().unwrap();
    assert_eq!(
        (&sent["invoiceNumber"], &sent["deliveryCompanyName"]),
        (&json!("680405450931"), &json!("CJ 대한통운"))
    );
    shop.sandbox.advance(TimeDelta::minutes(1));
    assert_eq!(shop.face.collect(order), 1);
    assert_eq!(shop.boxes("DELIVERING").await.len(), 1);
    shop.sandbox.advance(TimeDelta::minutes(1));
    shop.market().marketplace().deliver(shop.line(order)).unwrap();
    assert_eq!(shop.boxes("FINAL_DELIVERY").await.len(), 1);
    let (_, answer) = shop.get("v5", &format!("ordersheets/{}/history", box_id(&sheet)), "").await;
    let steps: Vec<&str> = answer["data"]["details"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["deliveryStatus"].as_str().unwrap())
        .collect();
    assert_eq!(steps, ["FINAL_DELIVERY", "DELIVERING", "DEPARTURE", "INSTRUCT", "ACCEPT"]);
    let (_, v4) = shop.get("v4", &format!("ordersheets/{}/history", box_id(&sheet)), "").await;
    assert_eq!(v4["data"]["details"][0]["updatedAt"], "2026-11-24T12:03:00");
}

#[tokio::test]
async fn confirming_answers_box_by_box_and_the_record_counts_repeats() {
    let shop = Shop::open().await;
    let order = shop.place(&[1, 1]);
    let id = box_id(&shop.of_order(order).await[0]);
    let (_, answer) = shop.acknowledge(&[id, 102_391_599]).await;
    let mut sample: Value =
        serde_json::from_str(include_str!("samples/coupang/acknowledgement.response.json")).unwrap();
    assert_eq!(answer["data"]["responseCode"], 1);
    assert_eq!(answer["data"]["responseList"][1], sample["data"]["responseList"][1].take());
    assert_eq!(shop.market().confirmations(shop.line(order)), 1);
    let (_, answer) = shop.acknowledge(&[id]).await;
    assert_eq!((result(&answer), &answer["data"]["responseCode"]), ("INVALID_STATUS", &json!(99)));
    assert_eq!(shop.market().confirmations(shop.line(order)), 1);
    assert_eq!(shop.refusals(shop.line(order)), [Refusal::AlreadyConfirmed]);
    let (status, _) = shop.acknowledge(&[]).await;
    assert_eq!(status, 400);
    assert_eq!(shop.acknowledge(&vec![1; 51]).await.0, 400);
    let body = json!({ "vendorId": "A1", "shipmentBoxIds": [1] }).to_string();
    assert_eq!(shop.call("PATCH", &shop.path("v4", "ordersheets/acknowledgement"), "", &body).await.0, 400);
}

#[tokio::test]
async fn a_box_with_a_refund_in_progress_is_confirmed_after_it() {
    let shop = Shop::open().await;
    let order = shop.place(&[1, 1]);
    let lines = shop.market().lines_of(order);
    let id = box_id(&shop.of_order(order).await[0]);
    shop.market().buyer().request_cancel(lines[0], "변심").unwrap();
    let (_, answer) = shop.acknowledge(&[id]).await;
    assert_eq!(
        answer["data"]["responseList"][0]["resultMessage"],
        "배송상태를 변경할 수 없습니다. 주문내역을 확인해주세요."
    );
    shop.market().back_office().cancel(lines[0], "변심").unwrap();
    let (_, answer) = shop.acknowledge(&[id]).await;
    assert_eq!(result(&answer), "OK");
    let [sheet] = shop.of_order(order).await.try_into().unwrap();
    let row = &sheet["orderItems"][0];
    assert_eq!((&row["canceled"], &row["cancelCount"]), (&json!(true), &json!(1)));
}

#[tokio::test]
async fn a_confirmation_can_show_late() {
    let shop = Shop::open_with(Coupang::new().confirm_lag(30)).await;
    let order = shop.place(&[1]);
    let id = box_id(&shop.of_order(order).await[0]);
    assert_eq!(result(&shop.acknowledge(&[id]).await.1), "OK");
    assert_eq!(shop.market().confirmations(shop.line(order)), 1);
    let [sheet] = shop.boxes("ACCEPT").await.try_into().unwrap();
    let (_, early) = shop.invoices("invoices", vec![entry(&sheet, 0, "680405450931")]).await;
    assert_eq!(result(&early), "INVALID_STATUS");
    shop.sandbox.advance(TimeDelta::minutes(30));
    assert_eq!(shop.boxes("INSTRUCT").await.len(), 1);
    let (_, late) = shop.invoices("invoices", vec![entry(&sheet, 0, "680405450931")]).await;
    assert_eq!(result(&late), "OK");
}

#[tokio::test]
async fn a_cancelled_order_is_answered_with_400() {
    let shop = Shop::open().await;
    let order = shop.place(&[1]);
    let id = box_id(&shop.of_order(order).await[0]);
    shop.market().back_office().cancel(shop.line(order), "").unwrap();
    let sample: Value =
        serde_json::from_str(include_str!("samples/coupang/error_400_cancelled_order.response.json"))
            .unwrap();
    for rest in [format!("ordersheets/{id}"), format!("{}/ordersheets", id_of(order))] {
        assert_eq!(shop.get("v5", &rest, "").await, (400, sample.clone()));
    }
    assert_eq!(shop.boxes("ACCEPT").await.len(), 0);
    assert_eq!(shop.get("v5", "ordersheets/1", "").await.0, 400);
}

#[tokio::test]
async fn a_waybill_is_taken_once_and_a_repeat_is_in_the_record() {
    let shop = Shop::open().await;
    let (order, sheet) = shop.confirmed(&[2, 1]).await;
    let both = || vec![entry(&sheet, 0, "680405450931"), entry(&sheet, 1, "680405450931")];
    let (status, answer) = shop.invoices("invoices", both()).await;
    assert_eq!((status, result(&answer)), (200, "OK"));
    let (status, answer) = shop.invoices("invoices", both()).await;
    assert_eq!((status, result(&answer)), (200, "INVALID_STATUS"));
    let row = &answer["data"]["responseList"][0];
    assert_eq!((&row["succeed"], &row["retryRequired"]), (&json!(false), &json!(false)));
    let line = shop.line(order);
    assert_eq!(shop.market().dispatches(line), ["680405450931"]);
    assert_eq!(shop.refusals(line), [Refusal::WrongState(LineState::Shipped)]);
}

#[tokio::test]
async fn waybills_that_can_not_be_are_refused() {
    let shop = Shop::open().await;
    let (_, sheet) = shop.confirmed(&[1, 1]).await;
    let both = |first: &str, second: &str| vec![entry(&sheet, 0, first), entry(&sheet, 1, second)];
    for (entries, expected) in [
        (both("123", "123"), "INVALID_INVOICE_NUMBER"),
        (both("68040545093X", "68040545093X"), "INVALID_INVOICE_NUMBER"),
        (both("680405450931", "680405450932"), "INVALID_INVOICE_NUMBER"),
        (both("", ""), "INVALID_INVOICE_NUMBER"),
        (vec![entry(&sheet, 0, "680405450931")], "INVALID_STATUS"),
        (
            both("680405450931", "").into_iter().map(|e| with(e, json!({ "splitShipping": true }))).collect(),
            "INVALID_STATUS",
        ),
        (vec![with(entry(&sheet, 0, "680405450931"), json!({ "orderId": 1 }))], "NOT_FOUND_SHIPMENT_BOX"),
        (
            vec![with(entry(&sheet, 0, "680405450931"), json!({ "shipmentBoxId": 1 }))],
            "NOT_FOUND_SHIPMENT_BOX",
        ),
    ] {
        let (_, answer) = shop.invoices("invoices", entries).await;
        assert_eq!(result(&answer), expected, "{answer}");
    }
    let unknown = with(entry(&sheet, 0, "680405450931"), json!({ "deliveryCompanyCode": "NOBODY" }));
    let (status, answer) = shop.invoices("invoices", vec![unknown]).await;
    assert_eq!((status, &answer["message"]), (500, &json!("internal exception")));
    let mut missing = entry(&sheet, 0, "680405450931");
    missing.as_object_mut().unwrap().remove("preSplitShipped");
    assert_eq!(shop.invoices("invoices", vec![missing]).await.0, 400);
    assert_eq!(shop.invoices("invoices", vec![]).await.0, 400);
    assert_eq!(shop.boxes("INSTRUCT").await.len(), 1);
}

#[tokio::test]
async fn a_waybill_is_not_used_twice_but_for_the_same_receiver() {
    let shop = Shop::open().await;
    let (_, first) = shop.confirmed(&[1]).await;
    let (_, same) = shop.confirmed(&[1]).await;
    let elsewhere = OrderDraft {
        address: Address { line1: "마포대로 1".into(), ..OrderDraft::example().address },
        ..OrderDraft::example()
    };
    let order = shop.market().buyer().place(elsewhere).unwrap();
    shop.acknowledge(&[box_id(&shop.of_order(order).await[0])]).await;
    let other = shop.of_order(order).await[0].clone();
    for (sheet, expected) in [(&first, "OK"), (&same, "OK"), (&other, "DUPLICATE_INVOICE_NUMBER")] {
        let (_, answer) = shop.invoices("invoices", vec![entry(sheet, 0, "680405450931")]).await;
        assert_eq!(result(&answer), expected);
    }
    shop.sandbox.advance(TimeDelta::days(179));
    assert_eq!(
        result(&shop.invoices("invoices", vec![entry(&other, 0, "680405450931")]).await.1),
        "DUPLICATE_INVOICE_NUMBER"
    );
}

#[tokio::test]
async fn one_bad_box_spoils_no_other() {
    let shop = Shop::open().await;
    let (_, good) = shop.confirmed(&[1]).await;
    let new = shop.place(&[1]);
    let new = shop.of_order(new).await[0].clone();
    let (_, answer) = shop
        .invoices("invoices", vec![entry(&new, 0, "680405450931"), entry(&good, 0, "680405450932")])
        .await;
    assert_eq!(answer["data"]["responseCode"], 1);
    let codes: Vec<&Value> =
        answer["data"]["responseList"].as_array().unwrap().iter().map(|row| &row["resultCode"]).collect();
    assert_eq!(codes, ["INVALID_STATUS", "OK"]);
}

#[tokio::test]
async fn the_shipped_part_of_a_split_box_gets_a_new_number() {
    let shop = Shop::open().await;
    let (order, sheet) = shop.confirmed(&[1, 2]).await;
    assert_eq!(sheet["ableSplitShipping"], true);
    let later = json!({ "splitShipping": true, "estimatedShippingDate": "2026-11-30" });
    let now = json!({ "splitShipping": true });
    let first = vec![with(entry(&sheet, 0, "680405450931"), now), with(entry(&sheet, 1, ""), later)];
    assert_eq!(result(&shop.invoices("invoices", first.clone()).await.1), "OK");
    let boxes = shop.of_order(order).await;
    let (old, new): (Vec<_>, Vec<_>) = boxes.iter().partition(|found| box_id(found) == box_id(&sheet));
    assert_eq!((old.len(), new.len()), (1, 1));
    assert_eq!((&old[0]["status"], &new[0]["status"]), (&json!("INSTRUCT"), &json!("DEPARTURE")));
    assert_eq!(new[0]["orderItems"][0]["vendorItemId"], sheet["orderItems"][0]["vendorItemId"]);
    assert_eq!(old[0]["orderItems"][0]["plannedShippingDate"], "2026-11-30");
    assert_eq!((&old[0]["splitShipping"], &new[0]["splitShipping"]), (&json!(true), &json!(true)));
    let lines = shop.market().lines_of(order);
    assert_eq!(shop.market().ship_dates_set(lines[1]).len(), 1);
    // A split can't be undone or made again; the rest follows with its own call.
    assert_eq!(
        result(
            &shop
                .invoices(
                    "invoices",
                    vec![with(entry(old[0], 0, "680405450932"), json!({ "splitShipping": true }))]
                )
                .await
                .1
        ),
        "INVALID_STATUS"
    );
    let rest =
        with(entry(old[0], 0, "680405450932"), json!({ "splitShipping": true, "preSplitShipped": true }));
    assert_eq!(result(&shop.invoices("invoices", vec![rest]).await.1), "OK");
    assert_eq!(shop.market().dispatches(lines[0]), ["680405450931"]);
    assert_eq!(shop.market().dispatches(lines[1]), ["680405450932"]);
    assert_eq!(shop.boxes("DEPARTURE").await.len(), 2);
}

#[tokio::test]
async fn a_split_needs_a_part_that_leaves_and_one_that_waits() {
    let shop = Shop::open().await;
    let (_, single) = shop.confirmed(&[3]).await;
    assert_eq!(single["ableSplitShipping"], false);
    let (_, sheet) = shop.confirmed(&[1, 1]).await;
    let split = |entry: Value, date: &str| {
        with(entry, json!({ "splitShipping": true, "estimatedShippingDate": date }))
    };
    for entries in [
        vec![split(entry(&single, 0, ""), "2026-11-30")],
        vec![split(entry(&sheet, 0, "680405450931"), ""), split(entry(&sheet, 1, "680405450932"), "")],
        vec![split(entry(&sheet, 0, ""), "2026-11-30"), split(entry(&sheet, 1, ""), "2026-11-30")],
        vec![
            split(entry(&sheet, 0, "680405450931"), "2026-11-30"),
            split(entry(&sheet, 1, ""), "2026-11-30"),
        ],
        vec![split(entry(&sheet, 0, "680405450931"), "")],
    ] {
        assert_eq!(result(&shop.invoices("invoices", entries).await.1), "INVALID_STATUS");
    }
    let bad = vec![split(entry(&sheet, 0, "680405450931"), ""), split(entry(&sheet, 1, ""), "soon")];
    assert_eq!(shop.invoices("invoices", bad).await.0, 400);
    assert_eq!(shop.boxes("INSTRUCT").await.len(), 2);
}

#[tokio::test]
async fn a_corrected_waybill_departs_anew() {
    let shop = Shop::open().await;
    let (order, sheet) = shop.confirmed(&[1]).await;
    assert_eq!(
        result(&shop.invoices("updateInvoices", vec![entry(&sheet, 0, "680405450932")]).await.1),
        "INVALID_STATUS"
    );
    shop.invoices("invoices", vec![entry(&sheet, 0, "680405450931")]).await;
    shop.face.collect(order);
    let (_, answer) = shop.invoices("updateInvoices", vec![entry(&sheet, 0, "680405450932")]).await;
    assert_eq!(result(&answer), "OK");
    assert_eq!(shop.boxes("DEPARTURE").await[0]["invoiceNumber"], "680405450932");
    let line = shop.line(order);
    assert_eq!(shop.market().dispatches(line), ["680405450931"]);
    let entered = |event: &sales_channels_sandbox::market::Event| matches!(&event.action, Action::TrackingEntered { tracking, .. } if tracking == "680405450932");
    assert_eq!(shop.market().record_of(line).iter().filter(|event| entered(event)).count(), 1);
    assert_eq!(shop.market().order(order).unwrap().parcels[0].tracking, "680405450932");
}

#[tokio::test]
async fn own_delivery_is_not_tracked_and_a_stuck_one_can_be_closed() {
    let shop = Shop::open().await;
    let (_, own) = shop.confirmed(&[1]).await;
    let direct = with(entry(&own, 0, "1"), json!({ "deliveryCompanyCode": "DIRECT" }));
    assert_eq!(result(&shop.invoices("invoices", vec![direct]).await.1), "OK");
    assert_eq!(shop.boxes("NONE_TRACKING").await.len(), 1);
    let (order, sheet) = shop.confirmed(&[1]).await;
    shop.invoices("invoices", vec![entry(&sheet, 0, "680405450931")]).await;
    let body = json!({ "shipmentBoxId": box_id(&sheet), "invoiceNumber": "680405450931" }).to_string();
    let close = async || shop.call("POST", &shop.path("v4", "completeLongTermUndelivery"), "", &body).await.0;
    assert_eq!(close().await, 400);
    shop.sandbox.advance(TimeDelta::days(30));
    assert_eq!(close().await, 200);
    assert_eq!(shop.market().line(shop.line(order)).unwrap().state, LineState::Delivered);
}

#[tokio::test]
async fn a_cancel_request_before_dispatch_stops_the_box_and_is_accepted_once() {
    let shop = Shop::open().await;
    let item = shop.market().list(ItemDraft::simple("CAP", "모자", Amount::whole(9000), 9)).unwrap();
    let order = shop.market().buyer().place(OrderDraft::of(vec![LineDraft::of(item, 3)])).unwrap();
    let line = shop.line(order);
    shop.acknowledge(&[box_id(&shop.of_order(order).await[0])]).await;
    shop.market().buyer().claim_units(line, ClaimKind::Cancel, 1, "변심").unwrap();
    let [sheet] = shop.of_order(order).await.try_into().unwrap();
    assert_eq!(sheet["orderItems"][0]["holdCountForCancel"], 1);
    let (_, answer) = shop.invoices("invoices", vec![entry(&sheet, 0, "680405450931")]).await;
    assert_eq!(result(&answer), "ORDER_DELIVERY_PARTIAL_STOP_REQUESTED");
    assert_eq!(answer["data"]["responseList"][0]["retryRequired"], true);
    // Under RU and UC, with the fields of the documented row.
    assert_eq!(shop.receipts("status=UC").await.len(), 1);
    let [receipt] = shop.receipts("status=RU").await.try_into().unwrap();
    assert_eq!(
        (&receipt["receiptStatus"], &receipt["cancelCountSum"]),
        (&json!("RELEASE_STOP_UNCHECKED"), &json!(1))
    );
    let sample: Value =
        serde_json::from_str(include_str!("samples/coupang/return_requests.v6.response.json")).unwrap();
    let names =
        |value: &Value| value.as_object().unwrap().keys().cloned().collect::<std::collections::BTreeSet<_>>();
    assert_eq!(names(&receipt), names(&sample["data"][0]));
    assert_eq!(names(&receipt["returnItems"][0]), names(&sample["data"][0]["returnItems"][0]));
    let id = receipt["receiptId"].as_u64().unwrap();
    let stop = async |count: u32| {
        let body = json!({ "vendorId": VENDOR_ID, "receiptId": id, "cancelCount": count }).to_string();
        let path = shop.path("v4", &format!("returnRequests/{id}/stoppedShipment"));
        shop.call("PUT", &path, "", &body).await.1["data"]["resultCode"].clone()
    };
    assert_eq!(stop(2).await, "FAIL");
    assert_eq!(stop(1).await, "SUCCESS");
    assert_eq!(stop(1).await, "FAIL");
    assert_eq!(shop.market().quantity(item, None), Some(7));
    let [sheet] = shop.of_order(order).await.try_into().unwrap();
    let row = &sheet["orderItems"][0];
    assert_eq!(
        (&row["cancelCount"], &row["holdCountForCancel"], &row["shippingCount"]),
        (&json!(1), &json!(0), &json!(3))
    );
    assert_eq!(shop.receipts("status=CC").await[0]["returnItems"][0]["releaseStatus"], "S");
    assert_eq!(result(&shop.invoices("invoices", vec![entry(&sheet, 0, "680405450931")]).await.1), "OK");
    assert_eq!(shop.market().line(line).unwrap().shipped_quantity, 2);
    assert_eq!(shop.market().line(line).unwrap().state, LineState::Shipped);
}

#[tokio::test]
async fn a_cancel_request_of_everything_stops_the_dispatch() {
    let shop = Shop::open().await;
    let (order, sheet) = shop.confirmed(&[1]).await;
    shop.market().buyer().request_cancel(shop.line(order), "변심").unwrap();
    let (_, answer) = shop.invoices("invoices", vec![entry(&sheet, 0, "680405450931")]).await;
    assert_eq!(result(&answer), "ORDER_DELIVERY_CANCELED");
    assert_eq!(answer["data"]["responseCode"], 99);
}

#[tokio::test]
async fn a_cancel_request_that_comes_too_late_becomes_a_return() {
    let shop = Shop::open().await;
    let (order, _) = shop.confirmed(&[1]).await;
    let line = shop.line(order);
    shop.market().buyer().request_cancel(line, "변심").unwrap();
    let [receipt] = shop.receipts("status=RU").await.try_into().unwrap();
    let id = receipt["receiptId"].as_u64().unwrap();
    let path = shop.path("v4", &format!("returnRequests/{id}/completedShipment"));
    let send = async |company: &str, invoice: &str| {
        let body = json!({ "vendorId": VENDOR_ID, "receiptId": id, "deliveryCompanyCode": company, "invoiceNumber": invoice });
        shop.call("PUT", &path, "", &body.to_string()).await
    };
    assert_eq!(send("NOBODY", "70432743577").await.0, 500);
    assert_eq!(send("KDEXP", "1").await.1["data"]["resultCode"], "FAIL");
    let (_, answer) = send("KDEXP", "70432743577").await;
    let sample: Value =
        serde_json::from_str(include_str!("samples/coupang/completed_shipment.response.json")).unwrap();
    assert_eq!(answer, sample);
    assert_eq!(send("KDEXP", "70432743577").await.1["data"]["resultCode"], "FAIL");
    assert_eq!(shop.market().dispatches(line), ["70432743577"]);
    assert_eq!(shop.receipts("status=RU").await.len(), 0);
    let [row] = shop.receipts("status=UC").await.try_into().unwrap();
    assert_eq!((&row["receiptId"], &row["receiptStatus"]), (&json!(id), &json!("RETURNS_UNCHECKED")));
    assert_eq!(row["returnItems"][0]["releaseStatus"], "Y");
    assert_eq!(shop.boxes("DEPARTURE").await[0]["invoiceNumber"], "70432743577");
    shop.market().back_office().move_claim(line, ClaimKind::Return, ClaimState::InProgress).unwrap();
    assert_eq!(shop.receipts("status=UC").await[0]["receiptStatus"], "VENDOR_WAREHOUSE_CONFIRM");
    let (_, one) = shop.get("v6", &format!("returnRequests/{id}"), "").await;
    assert_eq!(one["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_was_cancelled_while_paid_is_under_cancel_only() {
    let shop = Shop::open().await;
    let order = shop.place(&[1]);
    shop.market().back_office().cancel(shop.line(order), "품절").unwrap();
    let [row] = shop.receipts("cancelType=CANCEL").await.try_into().unwrap();
    assert_eq!((&row["receiptType"], &row["orderId"]), (&json!("CANCEL"), &json!(id_of(order))));
    for status in ["RU", "UC", "CC", "PR"] {
        assert_eq!(shop.receipts(&format!("status={status}")).await.len(), 0, "{status}");
    }
    let day = "createdAtFrom=2026-11-24&createdAtTo=2026-11-24";
    let (status, answer) = shop.get("v6", "returnRequests", day).await;
    assert_eq!(status, 400);
    assert_eq!(answer["message"], "OrderId can't be null, if doesn't pass the parameter status");
    for query in [
        format!("{day}&cancelType=CANCEL&status=RU"),
        format!("{day}&status=XX"),
        format!("{day}&status=RU&searchType=timeFrame&maxPerPage=5"),
        "createdAtFrom=2026-10-23&createdAtTo=2026-11-24&status=RU".to_owned(),
        "createdAtFrom=2026-11-24%2B09:00&createdAtTo=2026-11-24%2B09:00&status=RU".to_owned(),
    ] {
        assert_eq!(shop.get("v6", "returnRequests", &query).await.0, 400, "{query}");
    }
    let frame =
        "searchType=timeFrame&cancelType=CANCEL&createdAtFrom=2026-11-24T12:00&createdAtTo=2026-11-24T12:00";
    assert_eq!(shop.get("v6", "returnRequests", frame).await.1["data"].as_array().unwrap().len(), 1);
    let (_, v4) = shop.get("v4", "returnRequests", &format!("{day}&cancelType=CANCEL")).await;
    assert_eq!(v4["data"][0]["enclosePrice"], 0);
}

#[tokio::test]
async fn receipts_come_in_pages() {
    let shop = Shop::open_with(Coupang::new().page_size(2)).await;
    for _ in 0..3 {
        let order = shop.place(&[1]);
        shop.market().buyer().request_cancel(shop.line(order), "변심").unwrap();
    }
    let day = "createdAtFrom=2026-11-24&createdAtTo=2026-11-24&status=RU";
    let (_, first) = shop.get("v6", "returnRequests", day).await;
    assert_eq!(first["data"].as_array().unwrap().len(), 2);
    let next = first["nextToken"].as_str().unwrap();
    let (_, second) = shop.get("v6", "returnRequests", &format!("{day}&nextToken={next}")).await;
    assert_eq!((second["data"].as_array().unwrap().len(), &second["nextToken"]), (1, &json!("")));
}

fn cancel_body(order: OrderNumber, items: &[&Value], counts: &[u32]) -> Value {
    json!({
        "orderId": id_of(order),
        "vendorItemIds": items,
        "receiptCounts": counts,
        "bigCancelCode": "CANERR",
        "middleCancelCode": "CCTTER",
        "userId": WING_USER_ID,
        "vendorId": VENDOR_ID,
    })
}

#[tokio::test]
async fn the_seller_cancels_new_boxes_at_once_and_confirmed_ones_by_request() {
    let shop = Shop::open().await;
    let cancel = async |order: OrderNumber, body: Value| {
        shop.call("POST", &shop.path("v5", &format!("orders/{}/cancel", id_of(order))), "", &body.to_string())
            .await
    };
    let order = shop.place(&[3, 1]);
    let sheet = shop.of_order(order).await[0].clone();
    let items = [&sheet["orderItems"][0]["vendorItemId"], &sheet["orderItems"][1]["vendorItemId"]];
    let (_, answer) = cancel(order, cancel_body(order, &items, &[2, 2])).await;
    assert_eq!(answer["data"]["failedVendorItemIds"], json!([items[1]]));
    let receipts = answer["data"]["receiptMap"].as_object().unwrap();
    let receipt = receipts.values().next().unwrap();
    assert_eq!(
        (receipts.len(), &receipt["receiptType"], &receipt["totalCount"]),
        (1, &json!("CANCEL"), &json!(2))
    );
    let lines = shop.market().lines_of(order);
    assert_eq!(shop.market().line(lines[0]).unwrap().open_quantity(), 1);
    assert_eq!(shop.of_order(order).await[0]["orderItems"][0]["cancelCount"], 2);

    let (confirmed, sheet) = shop.confirmed(&[1]).await;
    let item = [&sheet["orderItems"][0]["vendorItemId"]];
    let (_, answer) = cancel(confirmed, cancel_body(confirmed, &item, &[1])).await;
    let receipt = answer["data"]["receiptMap"].as_object().unwrap().values().next().unwrap().clone();
    assert_eq!(receipt["receiptType"], "STOP_SHIPMENT");
    assert_eq!(shop.receipts("status=RU").await[0]["receiptId"], receipt["receiptId"]);
    let (_, again) = cancel(confirmed, cancel_body(confirmed, &item, &[1])).await;
    assert_eq!(again["data"]["failedVendorItemIds"], json!(item));

    for body in [
        with(cancel_body(order, &items, &[1]), json!({})),
        with(cancel_body(order, &items, &[1, 1]), json!({ "middleCancelCode": "OTHER" })),
        with(cancel_body(order, &items, &[1, 1]), json!({ "userId": "" })),
        with(cancel_body(order, &items, &[1, 1]), json!({ "orderId": 7 })),
        with(cancel_body(order, &items, &[1, 0]), json!({})),
    ] {
        assert_eq!(cancel(order, body).await.0, 400);
    }
}

#[tokio::test]
async fn lines_of_one_option_are_one_order_item() {
    let shop = Shop::open().await;
    let item = shop.market().list(ItemDraft::simple("CAP", "모자", Amount::whole(9000), 9)).unwrap();
    let lines = vec![LineDraft::of(item, 2), LineDraft::of(item, 1)];
    let order = shop.market().buyer().place(OrderDraft::of(lines)).unwrap();
    let [sheet] = shop.of_order(order).await.try_into().unwrap();
    assert_eq!(sheet["orderItems"].as_array().unwrap().len(), 1);
    assert_eq!(sheet["orderItems"][0]["shippingCount"], 3);
    let apart = Shop::open_with(Coupang::new().boxes_per(BoxesPer::Line)).await;
    assert_eq!(apart.of_order(apart.place(&[1, 1])).await.len(), 2);
}

#[tokio::test]
async fn quantities_are_absolute_one_option_at_a_time() {
    let shop = Shop::open().await;
    let item = ItemDraft::simple("TEE", "티셔츠", Amount::whole(19_000), 0)
        .with_option(vec![Axis::new("사이즈", "M")], "TEE-M", 9)
        .with_option(vec![Axis::new("사이즈", "L")], "TEE-L", 9);
    let item = shop.market().list(item).unwrap();
    let (_, detail) = shop.call("GET", &format!("{PRODUCTS}/seller-products/{}", item.0), "", "").await;
    let option = &detail["data"]["items"][0];
    assert_eq!((&option["externalVendorSku"], &option["itemName"]), (&json!("TEE-M"), &json!("M")));
    let id = option["vendorItemId"].as_u64().unwrap();
    let set = async |id: u64, quantity: &str| {
        shop.call("PUT", &format!("{PRODUCTS}/vendor-items/{id}/quantities/{quantity}"), "", "").await
    };
    let sample: Value =
        serde_json::from_str(include_str!("samples/coupang/update_quantity.response.json")).unwrap();
    for quantity in ["0", "7", "7"] {
        assert_eq!(set(id, quantity).await, (200, sample.clone()));
    }
    let options: Vec<_> = shop.market().item(item).unwrap().options.iter().map(|o| o.id).collect();
    assert_eq!(shop.market().quantities_set(item, Some(options[0])), [0, 7, 7]);
    assert_eq!(shop.market().quantity(item, Some(options[1])), Some(9));
    for quantity in ["-1", "1.5", "100000", "x"] {
        let (status, answer) = set(id, quantity).await;
        assert_eq!((status, &answer["message"]), (400, &json!("유효하지 않은 재고수량입니다.")));
    }
    let (status, answer) = set(1, "5").await;
    assert_eq!((status, &answer["code"]), (400, &json!("ERROR")));
    let (_, read) = shop.call("GET", &format!("{PRODUCTS}/vendor-items/{id}/inventories"), "", "").await;
    assert_eq!((&read["data"]["amountInStock"], &read["data"]["onSale"]), (&json!(7), &json!(true)));
    let deleted =
        ItemDraft { status: ItemStatus::Stopped, ..ItemDraft::simple("X", "X", Amount::whole(1), 1) };
    let deleted = shop.market().list(deleted).unwrap();
    let (status, answer) = set(70_000_000_000 + deleted.0, "5").await;
    assert!(
        status == 400 && answer["message"].as_str().unwrap().contains("삭제된 상품은 변경이 불가능합니다.")
    );
}

#[tokio::test]
async fn products_come_in_numbered_pages_without_their_codes() {
    let shop = Shop::open().await;
    let list = |code: &str, status: ItemStatus| {
        let draft = ItemDraft {
            status,
            ..ItemDraft::simple(code, &format!("상품 {code}"), Amount::whole(1000), 1)
        };
        shop.market().list(draft).unwrap()
    };
    let first = list("A", ItemStatus::OnSale);
    list("B", ItemStatus::OnSale);
    let waiting = list("C", ItemStatus::InReview);
    let page = async |query: &str| {
        shop.call("GET", &format!("{PRODUCTS}/seller-products"), &format!("vendorId={VENDOR_ID}&{query}"), "")
            .await
    };
    let (_, one) = page("maxPerPage=2").await;
    assert_eq!((one["data"].as_array().unwrap().len(), &one["nextToken"]), (2, &json!("2")));
    assert!(one["data"][0].get("items").is_none());
    let (_, two) = page("maxPerPage=2&nextToken=2").await;
    assert_eq!((&two["data"][0]["sellerProductId"], &two["nextToken"]), (&json!(waiting.0), &json!("")));
    assert_eq!(page("status=IN_REVIEW").await.1["data"].as_array().unwrap().len(), 1);
    for query in ["maxPerPage=101", "maxPerPage=0", "nextToken=x", "status=LIVE"] {
        assert_eq!(page(query).await.0, 400, "{query}");
    }
    let (_, detail) = shop.call("GET", &format!("{PRODUCTS}/seller-products/{}", waiting.0), "", "").await;
    assert_eq!(detail["data"]["items"][0]["vendorItemId"], Value::Null, "not approved yet");
    let (_, found) =
        shop.call("GET", &format!("{PRODUCTS}/seller-products/external-vendor-sku-codes/A"), "", "").await;
    assert_eq!(found["data"][0]["sellerProductId"], first.0);
    assert_eq!(shop.call("GET", &format!("{PRODUCTS}/seller-products/1"), "", "").await.0, 400);
    assert_eq!(shop.call("GET", &format!("{PRODUCTS}/seller-products"), "vendorId=A1", "").await.0, 400);
}

#[tokio::test]
async fn taiwan_is_a_market_of_its_own() {
    let mut shop = Shop::open().await;
    let address = Address { country: "TW".into(), ..OrderDraft::example().address };
    shop.market().buyer().place(OrderDraft { address, ..OrderDraft::example() }).unwrap();
    assert_eq!(shop.boxes("ACCEPT").await.len(), 0);
    shop.extra = vec![("X-MARKET", "TW")];
    let query = DAY.replace("%2B09:00", "%2B08:00");
    let (_, answer) = shop.get("v5", "ordersheets", &format!("{query}&status=ACCEPT")).await;
    let sheet = &answer["data"][0];
    assert_eq!(sheet["shippingPrice"]["currencyCode"], "TWD");
    assert_eq!(sheet["orderedAt"], "2026-11-24T11:00:00.000000+08:00");
    assert_eq!(shop.get("v5", "ordersheets", &format!("{DAY}&status=ACCEPT")).await.0, 400);
    assert_eq!(result(&shop.acknowledge(&[box_id(sheet)]).await.1), "OK");
    assert_eq!(shop.invoices("invoices", vec![entry(sheet, 0, "680405450931")]).await.0, 400);
    shop.extra = vec![("X-MARKET", "JP")];
    assert_eq!(shop.get("v5", "ordersheets", &query).await.0, 400);
}

#[tokio::test]
async fn the_control_port_switches_the_face() {
    let shop = Shop::open().await;
    let order = shop.place(&[1]);
    let control = |path: &str| format!("{}/faces/coupang/control/{path}", shop.sandbox.control_url());
    let put = shop.client.put(control("settings")).json(&json!({ "list_lag": 10 }));
    assert!(put.send().await.unwrap().status().is_success());
    assert_eq!(shop.boxes("ACCEPT").await.len(), 0);
    let made: Value = shop.client.post(control("reissue")).send().await.unwrap().json().await.unwrap();
    assert_eq!(made["secret_key"].as_str().unwrap().len(), 40);
    let collected = shop.client.post(control("collect")).json(&json!({ "order": order.0 }));
    assert_eq!(collected.send().await.unwrap().json::<Value>().await.unwrap()["boxes"], 0);
    assert_eq!(shop.sandbox.received("coupang", "ordersheets").unwrap(), 1);
}
