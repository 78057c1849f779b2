//! The Ecwid face over plain HTTP, as a client would that knows only the documentation.

// Helpers of tests are not marked as tests, and may fail like them.
#![allow(clippy::unwrap_used, clippy::panic)]

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::{Client, Response};
use sales_channels_sandbox::faces::ecwid::{
    ACCESS_TOKEN, CLIENT_ID, CLIENT_SECRET, Ecwid, Forbidden, OTHER_ACCESS_TOKEN, OTHER_SELLER, OrderSort,
    PUBLIC_TOKEN, Plan, READ_ONLY_TOKEN, REDIRECT_URI, webhook_signature,
};
use sales_channels_sandbox::market::{
    Action, Axis, ClaimKind, ClaimState, ItemDraft, ItemId, LineDraft, LineState, OptionId, OrderDraft,
    OrderNumber,
};
use sales_channels_sandbox::{Amount, Market, Sandbox};
use serde_json::{Value, json};

fn noon() -> DateTime<Utc> {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

struct Store {
    sandbox: Sandbox,
    face: Ecwid,
    client: Client,
    token: &'static str,
}

impl Store {
    async fn open() -> Self {
        Self::open_with(Ecwid::new()).await
    }

    async fn open_with(face: Ecwid) -> Self {
        let sandbox = Sandbox::builder().face(face.clone()).now(noon()).start().await.unwrap();
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { sandbox, face, client, token: ACCESS_TOKEN }
    }

    fn market(&self) -> &Market {
        self.sandbox.market()
    }

    fn url(&self, rest: &str) -> String {
        format!("{}/api/v3/1003/{rest}", self.sandbox.base_url("ecwid").unwrap())
    }

    async fn ask(&self, rest: &str) -> Response {
        self.client.get(self.url(rest)).bearer_auth(self.token).send().await.unwrap()
    }

    async fn get(&self, rest: &str) -> (u16, Value) {
        answer(self.ask(rest).await).await
    }

    async fn ok(&self, rest: &str) -> Value {
        let (status, value) = self.get(rest).await;
        assert_eq!(status, 200, "{rest}: {value}");
        value
    }

    async fn put(&self, rest: &str, body: Value) -> (u16, Value) {
        let request = self.client.put(self.url(rest)).bearer_auth(self.token).json(&body);
        answer(request.send().await.unwrap()).await
    }

    async fn put_order(&self, order: OrderNumber, body: Value) {
        let done = self.put(&format!("orders/{}", self.face.order_id(order)), body).await;
        assert_eq!(done, (200, json!({ "updateCount": 1 })));
    }

    async fn order(&self, order: OrderNumber) -> Value {
        self.ok(&format!("orders/{}", self.face.order_id(order))).await
    }

    async fn statuses(&self, order: OrderNumber) -> (String, String) {
        let row = self.order(order).await;
        let text = |name: &str| row[name].as_str().unwrap().to_owned();
        (text("paymentStatus"), text("fulfillmentStatus"))
    }

    async fn found(&self, query: &str) -> Vec<String> {
        let answer = self.ok(&format!("orders?{query}")).await;
        answer["items"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
    }

    fn place(&self) -> OrderNumber {
        self.market().buyer().place(OrderDraft::example()).unwrap()
    }

    /// A mug with 12 units, and an order of two of them.
    fn mug_sold(&self) -> (ItemId, OrderNumber) {
        let mug = ItemDraft::simple("MUG", "Mug", Amount::whole(900), 12);
        let item = self.market().list(mug).unwrap();
        let order = self.market().buyer().place(OrderDraft::of(vec![LineDraft::of(item, 2)])).unwrap();
        (item, order)
    }

    /// A shirt with 9 units of its own and two variations.
    fn shirt(&self) -> (ItemId, OptionId, OptionId) {
        let shirt = ItemDraft::simple("TEE", "T-shirt", Amount::whole(1980), 9)
            .with_option(vec![Axis::new("Size", "L")], "TEE-L", 4)
            .with_option(vec![Axis::new("Size", "M")], "", 9);
        let item = self.market().list(shirt).unwrap();
        let options = self.market().item(item).unwrap().options;
        (item, options[0].id, options[1].id)
    }

    fn advance(&self, seconds: i64) {
        self.sandbox.clock().advance(TimeDelta::seconds(seconds));
    }

    fn units(&self, item: ItemId) -> i64 {
        self.market().quantity(item, None).unwrap()
    }
}

async fn answer(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() })
}

fn refusal((status, value): (u16, Value)) -> (u16, String) {
    assert!(value["errorMessage"].is_string(), "{status} {value}");
    (status, value["errorCode"].as_str().unwrap().to_owned())
}

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

// Access

#[tokio::test]
async fn a_wrong_token_is_forbidden_with_an_empty_body() {
    let mut store = Store::open().await;
    for token in ["secret_wrong", "", OTHER_ACCESS_TOKEN] {
        store.token = token;
        let response = store.ask("profile").await;
        assert_eq!(response.status(), 403, "{token}");
        assert_eq!(response.headers()["content-length"], "0");
    }
    let bare = store.client.get(store.url("profile")).send().await.unwrap();
    assert_eq!(bare.status(), 403);
    let in_address =
        store.client.get(store.url(&format!("profile?token={ACCESS_TOKEN}"))).send().await.unwrap();
    assert_eq!(in_address.status(), 403, "tokens in addresses are taken only when that is switched on");
}

#[tokio::test]
async fn a_wrong_token_is_named_where_the_documented_answer_is_switched_on() {
    let mut store = Store::open_with(Ecwid::new().forbidden(Forbidden::Documented)).await;
    store.token = "secret_wrong";
    assert_eq!(refusal(store.get("orders").await), refused(403, "INVALID_API_TOKEN"));
}

#[tokio::test]
async fn each_call_wants_its_scope() {
    let mut store = Store::open().await;
    let (item, order) = store.mug_sold();
    store.token = READ_ONLY_TOKEN;
    store.ok("orders").await;
    let no_scope = refused(403, "INSUFFICIENT_APP_SCOPE");
    let id = store.face.order_id(order);
    assert_eq!(
        refusal(store.put(&format!("orders/{id}"), json!({ "paymentStatus": "CANCELLED" })).await),
        no_scope
    );
    assert_eq!(refusal(store.put(&format!("products/{item}"), json!({ "quantity": 1 })).await), no_scope);
    assert_eq!(store.units(item), 10);
    store.token = PUBLIC_TOKEN;
    store.ok("products").await;
    assert_eq!(refusal(store.get("orders").await), no_scope);
    assert_eq!(refusal(store.get(&format!("orders/{id}")).await), no_scope);
}

#[tokio::test]
async fn other_stores_paths_and_methods_are_told_apart() {
    let store = Store::open().await;
    let at = |path: &str| format!("{}/api/v3/{path}", store.sandbox.base_url("ecwid").unwrap());
    for unknown in ["1999/orders", "shop/orders"] {
        let response = store.client.get(at(unknown)).bearer_auth(ACCESS_TOKEN).send().await.unwrap();
        assert_eq!(refusal(answer(response).await), refused(404, "STORE_NOT_FOUND"));
    }
    assert_eq!(refusal(store.get("nothing").await), refused(404, "WRONG_URL"));
    assert_eq!(refusal(store.put("orders", json!({})).await), refused(405, "METHOD_NOT_ALLOWED"));
    let other = store.client.get(at("1004/orders")).bearer_auth(OTHER_ACCESS_TOKEN).send().await.unwrap();
    assert_eq!(other.status(), 200);
}

#[tokio::test]
async fn plans_without_the_api_and_suspended_stores_answer_402() {
    let free = Store::open_with(Ecwid::new().plan(Plan::Free)).await;
    assert_eq!(refusal(free.get("orders").await), refused(402, "NOT_AVAILABLE_ON_CURRENT_PLAN"));
    let suspended = Store::open_with(Ecwid::new().plan(Plan::Suspended)).await;
    assert_eq!(refusal(suspended.get("profile").await), refused(402, "STORE_IS_SUSPENDED"));
}

#[tokio::test]
async fn over_the_limit_calls_wait_and_nothing_is_done() {
    let store = Store::open_with(Ecwid::new().with_limit(2)).await;
    let (item, _) = store.mug_sold();
    store.ok("profile").await;
    store.advance(20);
    store.ok("profile").await;
    let request = store.client.put(store.url(&format!("products/{item}"))).bearer_auth(ACCESS_TOKEN);
    let response = request.json(&json!({ "quantity": 3 })).send().await.unwrap();
    assert_eq!(response.headers()["retry-after"], "40");
    assert_eq!(refusal(answer(response).await), refused(429, "RATE_LIMITED"));
    assert_eq!(store.units(item), 10);
    store.advance(39);
    assert_eq!(store.get("profile").await.0, 429);
    store.advance(1);
    store.ok("profile").await;
}

#[tokio::test]
async fn who_goes_on_while_blocked_is_blocked_longer() {
    let store = Store::open_with(Ecwid::new().with_limit(1)).await;
    store.ok("profile").await;
    for _ in 0..21 {
        assert_eq!(store.get("profile").await.0, 429);
    }
    store.advance(61);
    assert_eq!(store.get("profile").await.0, 429);
    store.advance(600);
    store.ok("profile").await;
}

#[tokio::test]
async fn a_code_gives_a_token_once_and_the_second_exchange_kills_it() {
    let store = Store::open().await;
    let base = store.sandbox.base_url("ecwid").unwrap();
    let scopes = "read_orders+update_orders";
    let ask = format!("client_id={CLIENT_ID}&redirect_uri={REDIRECT_URI}&response_type=code&scope={scopes}");
    let redirect = store.client.get(format!("{base}/api/oauth/authorize?{ask}")).send().await.unwrap();
    assert_eq!(redirect.status(), 302);
    let target = redirect.headers()["location"].to_str().unwrap().to_owned();
    let code = target.strip_prefix(&format!("{REDIRECT_URI}?code=")).unwrap();
    let exchange = |secret: &str| {
        let query =
            format!("client_id={CLIENT_ID}&client_secret={secret}&code={code}&redirect_uri={REDIRECT_URI}");
        store.client.get(format!("{base}/api/oauth/token?{query}&grant_type=authorization_code")).send()
    };
    assert_eq!(exchange("wrong").await.unwrap().status(), 400);
    let (status, granted) = answer(exchange(CLIENT_SECRET).await.unwrap()).await;
    assert_eq!((status, &granted["store_id"], &granted["token_type"]), (200, &json!(1003), &json!("bearer")));
    assert_eq!(granted["scope"], "read_orders update_orders");
    let token = granted["access_token"].as_str().unwrap();
    let with = |rest: &str| store.client.get(store.url(rest)).bearer_auth(token).send();
    assert_eq!(with("orders").await.unwrap().status(), 200);
    assert_eq!(
        refusal(answer(with("products").await.unwrap()).await),
        refused(403, "INSUFFICIENT_APP_SCOPE")
    );
    assert_eq!(exchange(CLIENT_SECRET).await.unwrap().status(), 400);
    assert_eq!(with("orders").await.unwrap().status(), 403);
}

#[tokio::test]
async fn an_uninstalled_app_has_no_token() {
    let store = Store::open().await;
    store.ok("profile").await;
    store.face.uninstall(1003);
    assert_eq!(store.get("profile").await, (403, Value::Null));
}

// The store

#[tokio::test]
async fn the_profile_tells_currency_and_zone() {
    let store = Store::open_with(Ecwid::new().region("EUR", 2, "Europe/London")).await;
    let fields = "generalInfo(storeId),formatsAndUnits(currency,currencyPrecision,timezone)";
    let profile = store.ok(&format!("profile?responseFields={fields}")).await;
    let expected = json!({
        "generalInfo": { "storeId": 1003 },
        "formatsAndUnits": { "currency": "EUR", "currencyPrecision": 2, "timezone": "Europe/London" },
    });
    assert_eq!(profile, expected);
    let full = store.ok("profile").await;
    assert_eq!(full["mailNotifications"]["customerOrderMessages"]["orderShipped"]["enabled"], true);
    let statuses = store.ok("profile/order_statuses").await;
    let rows = statuses["items"].as_array().unwrap();
    let custom = rows.iter().find(|row| row["statusId"] == "CUSTOM_FULFILLMENT_STATUS_1").unwrap();
    assert_eq!((&custom["name"], &custom["defaultStatus"]), (&json!("Own 1"), &Value::Null));
}

// Orders

#[tokio::test]
async fn an_order_is_shown_with_all_that_the_market_knows() {
    let store = Store::open_with(Ecwid::new().uniform()).await;
    let (item, large, _) = store.shirt();
    let mut draft = OrderDraft::of(vec![LineDraft::of_option(item, large, 2)]);
    draft.lines[0].discount = Amount::whole(60);
    draft.shipping_fee = Amount::whole(500);
    draft.message = "Ring twice".to_owned();
    let number = store.market().buyer().place(draft).unwrap();
    let row = store.order(number).await;
    assert_eq!(row["internalId"], number.0);
    assert_eq!(
        (&row["paymentStatus"], &row["fulfillmentStatus"]),
        (&json!("PAID"), &json!("AWAITING_PROCESSING"))
    );
    assert_eq!(
        (&row["createTimestamp"], &row["createDate"]),
        (&json!(1_795_521_600), &json!("2026-11-24 12:00:00 +0000"))
    );
    assert_eq!((&row["subtotal"], &row["discount"], &row["total"]), (&json!(3960), &json!(60), &json!(4400)));
    assert_eq!(
        (&row["orderComments"], &row["shippingOption"]["shippingRate"]),
        (&json!("Ring twice"), &json!(500))
    );
    assert_eq!(row["shippingPerson"]["name"], "山田 花子");
    assert_eq!(row["shippingPerson"]["street"], "千代田1-1\nテストビル101");
    assert_eq!((&row["withdrawalRequested"], &row["trackingNumber"]), (&json!(false), &Value::Null));
    let line = &row["items"][0];
    assert_eq!((&line["productId"], &line["combinationId"]), (&json!(item), &json!(large)));
    assert_eq!((&line["sku"], &line["quantity"], &line["price"]), (&json!("TEE-L"), &json!(2), &json!(1980)));
    assert_eq!(
        (&line["selectedOptions"][0]["name"], &line["selectedOptions"][0]["value"]),
        (&json!("Size"), &json!("L"))
    );
    assert!(row.get("currency").is_none());
}

#[tokio::test]
async fn nothing_is_written_in_three_ways() {
    let store = Store::open().await;
    let mut seen = Vec::new();
    for _ in 0..3 {
        let row = store.order(store.place()).await;
        seen.push(row["shippingPerson"].get("companyName").cloned());
    }
    for way in [None, Some(Value::Null), Some(json!(""))] {
        assert!(seen.contains(&way), "{way:?} in {seen:?}");
    }
}

#[tokio::test]
async fn orders_are_found_page_by_page() {
    let store = Store::open_with(Ecwid::new().page_size(2)).await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(store.face.order_id(store.place()));
        store.advance(1);
    }
    ids.reverse();
    let mut found = Vec::new();
    for offset in [0, 2, 4, 6] {
        let page = store.ok(&format!("orders?limit=100&offset={offset}")).await;
        let rows = page["items"].as_array().unwrap();
        assert_eq!((&page["total"], &page["offset"], &page["limit"]), (&json!(5), &json!(offset), &json!(2)));
        assert_eq!(page["count"], rows.len());
        found.extend(rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()));
    }
    assert_eq!(found, ids);
    assert_eq!(store.ok("orders?limit=1").await["count"], 1);
}

#[tokio::test]
async fn rows_can_stand_in_other_orders() {
    let oldest = Store::open_with(Ecwid::new().order_sort(OrderSort::OldestFirst)).await;
    let changed = Store::open_with(Ecwid::new().order_sort(OrderSort::ChangedFirst)).await;
    for (store, expected) in [(oldest, [0, 1, 2]), (changed, [0, 2, 1])] {
        let mut orders = Vec::new();
        for _ in 0..3 {
            orders.push(store.place());
            store.advance(1);
        }
        store.put_order(orders[0], json!({ "privateAdminNotes": "x" })).await;
        let expected: Vec<String> =
            expected.iter().map(|&at: &usize| store.face.order_id(orders[at])).collect();
        assert_eq!(store.found("").await, expected);
    }
}

#[tokio::test]
async fn orders_are_searched_by_times_statuses_and_words() {
    let store = Store::open().await;
    let first = store.place();
    store.advance(60);
    let second = store.place();
    store.advance(60);
    store.put_order(first, json!({ "fulfillmentStatus": "PROCESSING" })).await;
    let (one, two) = (store.face.order_id(first), store.face.order_id(second));
    let t = noon().timestamp();
    for (query, expected) in [
        (format!("createdFrom={}", t + 60), vec![&two]),
        (format!("createdTo={}", t + 59), vec![&one]),
        (format!("updatedFrom={}", t + 61), vec![&one]),
        (format!("updatedFrom={}&createdTo={}", t - 1, t + 60), vec![&two, &one]),
        ("updatedTo=2026-11-24+12:01:30+%2B0000".to_owned(), vec![&two]),
        ("createdFrom=2026-11-25".to_owned(), vec![]),
        ("fulfillmentStatus=PROCESSING,SHIPPED".to_owned(), vec![&one]),
        ("paymentStatus=PAID".to_owned(), vec![&two, &one]),
        ("paymentStatus=REFUNDED".to_owned(), vec![]),
        (format!("ids={one},{}", second.0), vec![&two, &one]),
        (format!("keywords={two}"), vec![&two]),
        ("totalFrom=3960&totalTo=3960".to_owned(), vec![&two, &one]),
        ("totalFrom=3961".to_owned(), vec![]),
        ("couponCode=X".to_owned(), vec![]),
    ] {
        let found = store.found(&query).await;
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{query}");
    }
}

#[tokio::test]
async fn wrong_parameters_are_refused() {
    let store = Store::open().await;
    for query in [
        "limit=x",
        "offset=-1",
        "createdFrom=yesterday",
        "paymentStatus=PAYED",
        "fulfillmentStatus=NEW",
        "totalFrom=much",
        "acceptMarketing=perhaps",
        "responseFields=items(id",
    ] {
        assert_eq!(
            refusal(store.get(&format!("orders?{query}")).await),
            refused(400, "WRONG_PARAMETER"),
            "{query}"
        );
    }
}

#[tokio::test]
async fn abandoned_carts_are_left_out_unless_asked_for() {
    let store = Store::open().await;
    let cart = store.place();
    store.face.mark_order(cart, |card| card.incomplete = true);
    assert!(store.found("").await.is_empty());
    assert_eq!(store.found("paymentStatus=INCOMPLETE").await, [store.face.order_id(cart)]);
}

#[tokio::test]
async fn an_unpaid_order_keeps_its_creation_time_and_is_updated_when_it_is_paid() {
    let store = Store::open().await;
    let draft = OrderDraft { unpaid: true, ..OrderDraft::example() };
    let order = store.market().buyer().place(draft).unwrap();
    assert_eq!(store.statuses(order).await.0, "AWAITING_PAYMENT");
    store.advance(86_400);
    store.market().buyer().pay(order).unwrap();
    let row = store.order(order).await;
    let t = noon().timestamp();
    assert_eq!(row["paymentStatus"], "PAID");
    assert_eq!((&row["createTimestamp"], &row["updateTimestamp"]), (&json!(t), &json!(t + 86_400)));
}

#[tokio::test]
async fn one_order_is_read_by_either_id() {
    let store = Store::open_with(Ecwid::new().affixes("SA/", "-X")).await;
    let order = store.place();
    let id = store.face.order_id(order);
    assert!(id.starts_with("SA/") && id.ends_with("-X"));
    let by_id = store.ok(&format!("orders/{}", id.replace('/', "%2F"))).await;
    assert_eq!(by_id["id"], id);
    assert_eq!(store.ok(&format!("orders/{order}")).await, by_id);
    assert_eq!(store.ok("orders/last").await, by_id);
    let bare = id.replace("SA/", "").replace("-X", "");
    assert_eq!(refusal(store.get(&format!("orders/{bare}")).await), refused(404, "ORDER_NOT_FOUND"));
    assert_eq!(
        refusal(store.put("orders/ZZZZZ", json!({ "paymentStatus": "PAID" })).await),
        refused(404, "ORDER_NOT_FOUND")
    );
}

#[tokio::test]
async fn deleted_orders_and_other_stores_orders_are_not_found() {
    let store = Store::open().await;
    let deleted = store.place();
    store.face.mark_order(deleted, |card| card.deleted = true);
    let foreign = OrderDraft { seller: OTHER_SELLER.to_owned(), ..OrderDraft::example() };
    let foreign = store.market().buyer().place(foreign).unwrap();
    for order in [deleted, foreign] {
        let id = store.face.order_id(order);
        assert_eq!(refusal(store.get(&format!("orders/{id}")).await), refused(404, "ORDER_NOT_FOUND"));
    }
    assert!(store.found("").await.is_empty());
    let gone = store.ok("orders/deleted").await;
    assert_eq!((&gone["total"], &gone["items"][0]["id"]), (&json!(1), &json!(deleted)));
}

#[tokio::test]
async fn the_search_is_behind_and_the_single_read_is_not() {
    let store = Store::open_with(Ecwid::new().search_lag_seconds(5)).await;
    let order = store.place();
    assert!(store.found("").await.is_empty());
    store.order(order).await;
    store.advance(5);
    assert_eq!(store.found("").await.len(), 1);
    store.put_order(order, json!({ "fulfillmentStatus": "PROCESSING" })).await;
    assert_eq!(store.statuses(order).await.1, "PROCESSING");
    assert!(store.found("fulfillmentStatus=PROCESSING").await.is_empty());
    assert_eq!(store.found("fulfillmentStatus=AWAITING_PROCESSING").await.len(), 1);
    store.advance(5);
    assert_eq!(store.found("fulfillmentStatus=PROCESSING").await.len(), 1);
}

// Writing orders

#[tokio::test]
async fn processing_confirms_and_a_repeat_is_taken_and_recorded() {
    let store = Store::open().await;
    let order = store.place();
    let line = store.market().lines_of(order)[0];
    store.put_order(order, json!({ "fulfillmentStatus": "PROCESSING" })).await;
    store.put_order(order, json!({ "fulfillmentStatus": "PROCESSING" })).await;
    assert_eq!(store.statuses(order).await, ("PAID".to_owned(), "PROCESSING".to_owned()));
    assert_eq!(store.market().confirmations(line), 1);
    let tries = store.market().record_of(line);
    assert_eq!(tries.iter().filter(|event| matches!(event.action, Action::Confirmed { .. })).count(), 2);
}

#[tokio::test]
async fn shipped_sends_the_whole_order_and_every_repeat_is_a_dispatch() {
    let store = Store::open().await;
    let order = store.place();
    let line = store.market().lines_of(order)[0];
    let body = json!({ "trackingNumber": "1Z999", "fulfillmentStatus": "SHIPPED" });
    store.put_order(order, body.clone()).await;
    assert_eq!(store.order(order).await["trackingNumber"], "1Z999");
    assert_eq!(store.market().line(line).unwrap().state, LineState::Shipped);
    store.put_order(order, body).await;
    assert_eq!(store.market().dispatches(line), ["1Z999", "1Z999"]);
}

#[tokio::test]
async fn an_unpaid_order_can_be_confirmed_and_sent() {
    let store = Store::open().await;
    let draft = OrderDraft { unpaid: true, ..OrderDraft::example() };
    let order = store.market().buyer().place(draft).unwrap();
    let line = store.market().lines_of(order)[0];
    store.put_order(order, json!({ "fulfillmentStatus": "PROCESSING" })).await;
    store.put_order(order, json!({ "fulfillmentStatus": "SHIPPED" })).await;
    assert_eq!(store.statuses(order).await, ("AWAITING_PAYMENT".to_owned(), "SHIPPED".to_owned()));
    assert_eq!(store.market().dispatches(line), [""]);
    store.put_order(order, json!({ "paymentStatus": "PAID" })).await;
    assert_eq!(store.statuses(order).await, ("PAID".to_owned(), "SHIPPED".to_owned()));
}

#[tokio::test]
async fn a_late_processing_pulls_a_shipped_order_back() {
    let store = Store::open().await;
    let order = store.place();
    store.put_order(order, json!({ "trackingNumber": "1", "fulfillmentStatus": "SHIPPED" })).await;
    store.put_order(order, json!({ "fulfillmentStatus": "PROCESSING" })).await;
    let row = store.order(order).await;
    assert_eq!((&row["fulfillmentStatus"], &row["trackingNumber"]), (&json!("PROCESSING"), &json!("1")));
    let line = store.market().lines_of(order)[0];
    store.market().marketplace().deliver(line).unwrap();
    assert_eq!(store.statuses(order).await.1, "DELIVERED", "what happens afterwards shows");
}

#[tokio::test]
async fn a_tracking_number_alone_ships_nothing() {
    let store = Store::open().await;
    let order = store.place();
    let line = store.market().lines_of(order)[0];
    store.put_order(order, json!({ "trackingNumber": "7" })).await;
    let row = store.order(order).await;
    assert_eq!(
        (&row["trackingNumber"], &row["fulfillmentStatus"]),
        (&json!("7"), &json!("AWAITING_PROCESSING"))
    );
    assert!(store.market().dispatches(line).is_empty());
    assert!(
        store.market().record_of(line).iter().any(|e| matches!(e.action, Action::TrackingEntered { .. }))
    );
    store.put_order(order, json!({ "fulfillmentStatus": "SHIPPED" })).await;
    assert_eq!(store.market().dispatches(line), ["7"]);
}

#[tokio::test]
async fn any_status_can_be_written_over_any_other() {
    let store = Store::open().await;
    let order = store.place();
    for word in [
        "READY_FOR_PICKUP",
        "CUSTOM_FULFILLMENT_STATUS_2",
        "WILL_NOT_DELIVER",
        "RETURNED",
        "OUT_FOR_DELIVERY",
        "DELIVERED",
        "AWAITING_PROCESSING",
    ] {
        store.put_order(order, json!({ "fulfillmentStatus": word })).await;
        assert_eq!(store.statuses(order).await.1, word);
    }
    for word in [
        "PARTIALLY_REFUNDED",
        "CUSTOM_PAYMENT_STATUS_3",
        "AWAITING_PAYMENT",
        "REFUNDED",
        "INCOMPLETE",
        "PAID",
    ] {
        store.put_order(order, json!({ "paymentStatus": word })).await;
        assert_eq!(store.statuses(order).await.0, word);
    }
}

#[tokio::test]
async fn cancelled_restocks_once() {
    let store = Store::open().await;
    let (item, order) = store.mug_sold();
    assert_eq!(store.units(item), 10);
    for _ in 0..2 {
        store.put_order(order, json!({ "paymentStatus": "CANCELLED" })).await;
        assert_eq!(store.units(item), 12);
    }
    assert_eq!(store.statuses(order).await, ("CANCELLED".to_owned(), "AWAITING_PROCESSING".to_owned()));
    let line = store.market().lines_of(order)[0];
    assert_eq!(store.market().line(line).unwrap().state, LineState::Cancelled);
    assert_eq!(store.order(order).await["items"][0]["quantity"], 2);
    let tries = store.market().record_of(line);
    assert_eq!(tries.iter().filter(|event| matches!(event.action, Action::Cancelled { .. })).count(), 2);
}

#[tokio::test]
async fn refunded_restocks_also_what_was_sent_and_not_again_when_cancelled() {
    let store = Store::open().await;
    let (item, order) = store.mug_sold();
    store.put_order(order, json!({ "fulfillmentStatus": "SHIPPED" })).await;
    store.put_order(order, json!({ "paymentStatus": "PARTIALLY_REFUNDED" })).await;
    assert_eq!(store.units(item), 10);
    for status in ["REFUNDED", "REFUNDED", "CANCELLED"] {
        store.put_order(order, json!({ "paymentStatus": status })).await;
        assert_eq!(store.units(item), 12, "{status}");
    }
    assert_eq!(store.statuses(order).await, ("CANCELLED".to_owned(), "SHIPPED".to_owned()));
}

#[tokio::test]
async fn items_in_an_update_replace_all_lines() {
    let store = Store::open().await;
    let line = |sku: &str| LineDraft::unlisted(sku, "Thing", Amount::whole(100), 1);
    let order = store.market().buyer().place(OrderDraft::of(vec![line("A"), line("B")])).unwrap();
    let lines = store.market().lines_of(order);
    store.put_order(order, json!({ "items": [{ "id": lines[1] }] })).await;
    let row = store.order(order).await;
    assert_eq!(row["items"].as_array().unwrap().len(), 1);
    assert_eq!((&row["items"][0]["sku"], &row["total"]), (&json!("B"), &json!(100)));
}

#[tokio::test]
async fn what_is_no_update_changes_nothing() {
    let store = Store::open().await;
    let order = store.place();
    let before = store.order(order).await;
    let path = format!("orders/{}", store.face.order_id(order));
    for body in [
        json!({ "fulfillmentStatus": "SENT" }),
        json!({ "paymentStatus": 1 }),
        json!({ "trackingNumber": 12 }),
        json!({ "items": [] }),
        json!([]),
    ] {
        assert_eq!(refusal(store.put(&path, body.clone()).await), refused(400, "WRONG_PARAMETER"), "{body}");
    }
    for body in [json!({}), json!({ "unknown": 1 }), json!({ "paymentStatus": null })] {
        assert_eq!(store.put(&path, body).await, (200, json!({ "updateCount": 0 })));
    }
    let untyped =
        store.client.put(store.url(&path)).bearer_auth(ACCESS_TOKEN).body("{}").send().await.unwrap();
    assert_eq!(answer(untyped).await, (415, Value::Null));
    assert_eq!(store.order(order).await, before);
}

#[tokio::test]
async fn buyers_are_mailed_once_per_change_unless_it_is_off() {
    let store = Store::open().await;
    let (order, quiet) = (store.place(), store.place());
    let subjects = |order| -> Vec<String> {
        store.market().order(order).unwrap().mails.into_iter().map(|mail| mail.subject).collect()
    };
    store.put_order(order, json!({ "fulfillmentStatus": "PROCESSING" })).await;
    let shipped = json!({ "fulfillmentStatus": "SHIPPED", "trackingNumber": "1" });
    store.put_order(order, shipped.clone()).await;
    store.put_order(order, shipped.clone()).await;
    assert_eq!(subjects(order), ["Order status changed", "Order shipped"]);
    store.put_order(quiet, json!({ "disableAllCustomerNotifications": true })).await;
    store.put_order(quiet, shipped.clone()).await;
    assert!(subjects(quiet).is_empty());
    let silent = Store::open_with(Ecwid::new().without_mails()).await;
    let order = silent.place();
    silent.put_order(order, shipped).await;
    assert!(silent.market().order(order).unwrap().mails.is_empty());
}

// Withdrawals and what else an order can be

#[tokio::test]
async fn a_withdrawal_shows_as_a_flag_until_it_is_settled() {
    let store = Store::open_with(Ecwid::new().uniform()).await;
    let order = store.place();
    let line = store.market().lines_of(order)[0];
    store.market().buyer().request_cancel(line, "changed my mind").unwrap();
    assert_eq!(store.order(order).await["withdrawalRequested"], true);
    assert_eq!(store.statuses(order).await, ("PAID".to_owned(), "AWAITING_PROCESSING".to_owned()));
    let refuse = ClaimState::Refused;
    store.market().back_office().move_claim(line, ClaimKind::Cancel, refuse).unwrap();
    assert_eq!(store.order(order).await["withdrawalRequested"], false);
    store.face.mark_order(order, |card| card.withdrawal_requested = Some(true));
    assert_eq!(store.order(order).await["withdrawalRequested"], true);
}

#[tokio::test]
async fn pick_up_downloads_and_orders_of_other_systems_show() {
    let store = Store::open().await;
    let order = store.place();
    store.face.mark_order(order, |card| card.pickup = true);
    let row = store.order(order).await;
    assert_eq!((&row["shippingOption"]["isPickup"], row.get("shippingPerson")), (&json!(true), None));
    store.face.mark_order(order, |card| {
        card.pickup = false;
        card.digital = true;
        card.external_fulfillment = true;
    });
    let row = store.order(order).await;
    assert_eq!(
        (&row["externalFulfillment"], &row["items"][0]["isShippingRequired"]),
        (&json!(true), &json!(false))
    );
}

// Products and stock

#[tokio::test]
async fn products_are_listed_with_their_variations() {
    let store = Store::open().await;
    let (item, large, medium) = store.shirt();
    let fields = "total,items(id,sku,name,enabled,quantity,unlimited,combinations(id,sku,quantity,options))";
    let found = store.ok(&format!("products?productId={item}&responseFields={fields}")).await;
    let expected = json!({ "total": 1, "items": [{
        "id": item, "sku": "TEE", "name": "T-shirt", "enabled": true, "quantity": 9, "unlimited": false,
        "combinations": [
            { "id": large, "sku": "TEE-L", "quantity": 4, "options": [{ "name": "Size", "value": "L" }] },
            { "id": medium, "quantity": 9, "options": [{ "name": "Size", "value": "M" }] },
        ],
    }] });
    assert_eq!(found, expected);
    let variations = store.ok(&format!("products/{item}/combinations")).await;
    assert_eq!(variations.as_array().unwrap().len(), 2);
    assert_eq!(variations[0], store.ok(&format!("products/{item}/combinations/{large}")).await);
    assert_eq!(store.ok(&format!("products/{item}")).await["combinations"], variations);
}

#[tokio::test]
async fn products_are_paged_sorted_and_searched() {
    let store = Store::open_with(Ecwid::new().page_size(2)).await;
    let mut items = Vec::new();
    for (sku, title, units) in [("A", "Cup", 1), ("B", "Bowl", 0), ("C", "Plate", 5)] {
        items.push(store.market().list(ItemDraft::simple(sku, title, Amount::whole(100), units)).unwrap());
    }
    let ids = |answer: &Value| -> Vec<u64> {
        answer["items"].as_array().unwrap().iter().map(|row| row["id"].as_u64().unwrap()).collect()
    };
    let all: Vec<u64> = items.iter().map(|item| item.0).collect();
    let first = store.ok("products?sortBy=ADDED_TIME_ASC&limit=2").await;
    let second = store.ok("products?sortBy=ADDED_TIME_ASC&limit=2&offset=2").await;
    assert_eq!((&first["total"], [ids(&first), ids(&second)].concat()), (&json!(3), all.clone()));
    for (query, expected) in [
        ("sku=B", vec![all[1]]),
        ("sku=b", vec![]),
        ("keyword=plate", vec![all[2]]),
        ("inStock=false", vec![all[1]]),
        ("enabled=false", vec![]),
        ("sortBy=NAME_ASC&limit=1", vec![all[1]]),
    ] {
        assert_eq!(ids(&store.ok(&format!("products?{query}")).await), expected, "{query}");
    }
    assert_eq!(refusal(store.get("products?sortBy=NEWEST").await), refused(400, "WRONG_PARAMETER"));
}

#[tokio::test]
async fn an_absolute_quantity_is_set_and_repeats_are_counted() {
    let store = Store::open().await;
    let (item, large, _) = store.shirt();
    for _ in 0..2 {
        let done = store.put(&format!("products/{item}"), json!({ "quantity": 7 })).await;
        assert_eq!(done, (200, json!({ "updateCount": 1 })));
    }
    assert_eq!(store.market().quantities_set(item, None), [7, 7]);
    let variation = format!("products/{item}/combinations/{large}");
    assert_eq!(store.put(&variation, json!({ "quantity": 3 })).await.0, 200);
    assert_eq!(store.market().quantity(item, Some(large)), Some(3));
    let fields = "returnItem=true&responseFields=item(id,quantity,unlimited)";
    let (_, answer) = store.put(&format!("products/{item}?{fields}"), json!({ "quantity": 5 })).await;
    assert_eq!(answer, json!({ "item": { "id": item, "quantity": 5, "unlimited": false } }));
}

#[tokio::test]
async fn a_difference_counts_twice_when_it_is_sent_twice_and_goes_below_zero() {
    let store = Store::open().await;
    let (item, large, _) = store.shirt();
    let path = format!("products/{item}/inventory");
    assert_eq!(store.put(&path, json!({ "quantityDelta": -5 })).await, (200, json!({ "updateCount": 1 })));
    let (status, answer) = store.put(&path, json!({ "quantityDelta": -5 })).await;
    assert_eq!((status, &answer["warning"]), (200, &json!("Product has negative stock.")));
    assert_eq!(store.units(item), -1);
    assert_eq!(store.ok(&format!("products/{item}")).await["quantity"], -1);
    let of_variation = format!("products/{item}/combinations/{large}/inventory");
    store.put(&of_variation, json!({ "quantityDelta": 2 })).await;
    assert_eq!(store.market().quantity(item, Some(large)), Some(6));
    assert_eq!(refusal(store.put(&path, json!({})).await), refused(400, "WRONG_PARAMETER"));
}

#[tokio::test]
async fn unlimited_stock_has_no_quantity_until_tracking_is_switched_on() {
    let store = Store::open().await;
    let (item, _) = store.mug_sold();
    store.face.mark_item(item, None, |card| card.unlimited = true);
    let path = format!("products/{item}");
    let row = store.ok(&path).await;
    assert_eq!((row.get("quantity"), &row["unlimited"], &row["inStock"]), (None, &json!(true), &json!(true)));
    store.put(&path, json!({ "quantity": 7 })).await;
    assert_eq!(store.ok(&path).await.get("quantity"), None);
    let delta = store.put(&format!("{path}/inventory"), json!({ "quantityDelta": 1 })).await;
    assert_eq!(delta, (200, json!({ "updateCount": 0 })));
    store.put(&path, json!({ "quantity": 7, "unlimited": false })).await;
    let row = store.ok(&path).await;
    assert_eq!((&row["quantity"], &row["unlimited"]), (&json!(7), &json!(false)));
}

#[tokio::test]
async fn stock_that_cannot_be_set_is_refused() {
    let store = Store::open().await;
    let (item, large, medium) = store.shirt();
    let shared = format!("products/{item}/combinations/{medium}");
    assert_eq!(
        refusal(store.put(&shared, json!({ "quantity": 8 })).await),
        refused(400, "DIFFERENT_COMBINATION_STOCK")
    );
    assert_eq!(store.put(&shared, json!({ "quantity": 9 })).await.0, 200);
    let path = format!("products/{item}");
    store.face.mark_item(item, None, |card| card.locations = 2);
    assert_eq!(store.ok(&path).await["locationInventory"], json!({ "location-1": 9, "location-2": 0 }));
    let by_location = refused(409, "NOT_ALLOWED_TO_UPDATE_PARAMETER");
    assert_eq!(refusal(store.put(&path, json!({ "quantity": 8 })).await), by_location);
    for quantity in [json!("7"), json!(1.5), json!(3_000_000_000_u64)] {
        let variation = format!("{path}/combinations/{large}");
        assert_eq!(
            refusal(store.put(&variation, json!({ "quantity": quantity })).await),
            refused(400, "WRONG_PARAMETER")
        );
    }
    let quantity = json!({ "quantity": 1 });
    assert_eq!(refusal(store.put("products/1", quantity.clone()).await), refused(404, "PRODUCT_NOT_FOUND"));
    let unknown = format!("{path}/combinations/1");
    assert_eq!(refusal(store.put(&unknown, quantity).await), refused(404, "COMBINATION_NOT_FOUND"));
    assert_eq!((store.units(item), store.market().quantity(item, Some(large))), (9, Some(4)));
}

#[tokio::test]
async fn a_bundle_shows_its_parts() {
    let store = Store::open().await;
    let (item, _) = store.mug_sold();
    store.face.mark_item(item, None, |card| card.bundle = true);
    let row = store.ok(&format!("products/{item}")).await;
    assert_eq!(row["compositeComponents"].as_array().unwrap().len(), 1);
}

// Webhooks

#[test]
fn the_signature_is_that_of_the_vectors() {
    let first = webhook_signature("test_client_secret", 1_234_567, "80aece08-40e8-4145-8764-6c2f0d38678");
    assert_eq!(first, "ekmGPQc/IpCwO6woAiM+L8uvY6chew4n6JVQCiDrEVw=");
    let second = webhook_signature("abcde123456789", 1_793_520_000, "80aece08-40e8-4145-8764-6c2f0d386781");
    assert_eq!(second, "hVPyEHWf/9fAZg1F4H5yDhWN3vonjJUjHSjmj8PH2Us=");
    let changed = webhook_signature("abcde123456789", 1_793_520_000, "80aece08-40e8-4145-8764-6c2f0d386782");
    assert_ne!(changed, second);
}

#[tokio::test]
async fn a_webhook_names_the_order_and_both_statuses() {
    let store = Store::open().await;
    let order = store.place();
    let created = store.face.webhook(order, "order.created").unwrap();
    let body: Value = serde_json::from_str(&created.body).unwrap();
    assert_eq!(created.query, "eventtype=order.created");
    assert_eq!((&body["storeId"], &body["entityId"]), (&json!(1003), &json!(order)));
    assert_eq!(body["data"]["orderId"], json!(store.face.order_id(order)));
    assert!(body["data"].get("oldPaymentStatus").is_none());
    let id = body["eventId"].as_str().unwrap();
    let signature = webhook_signature(CLIENT_SECRET, noon().timestamp(), id);
    assert_eq!(created.header("x-ecwid-webhook-signature"), Some(signature.as_str()));
    store.put_order(order, json!({ "fulfillmentStatus": "PROCESSING" })).await;
    let updated = store.face.webhook(order, "order.updated").unwrap();
    let body: Value = serde_json::from_str(&updated.body).unwrap();
    assert_eq!(body["data"]["oldFulfillmentStatus"], "AWAITING_PROCESSING");
    assert_eq!(body["data"]["newFulfillmentStatus"], "PROCESSING");
    assert_ne!(body["eventId"].as_str().unwrap(), id);
    let uninstalled = store.face.webhook(order, "application.uninstalled").unwrap();
    let body: Value = serde_json::from_str(&uninstalled.body).unwrap();
    assert_eq!((&body["entityId"], body.get("data")), (&json!("1003"), None));
}
