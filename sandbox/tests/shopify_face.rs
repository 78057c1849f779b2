//! Shopify's face over plain HTTP, as the sheet describes the API.

// Helpers of tests are not marked as tests, and may fail like them.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::{Client, Response};
use sales_channels_sandbox::faces::shopify::{
    ACCESS_TOKEN, ALL_SCOPES, AccessToken, BucketSize, CLIENT_ID, CLIENT_SECRET, EXPIRED_ACCESS_TOKEN, Hold,
    Location, OTHER_ACCESS_TOKEN, READ_ONLY_ACCESS_TOKEN, REFRESH_TOKEN, ShopState, Shopify,
    webhook_signature,
};
use sales_channels_sandbox::market::{
    Action, Axis, ClaimKind, ItemDraft, ItemId, LineDraft, LineNumber, LineState, OptionId, OrderNumber,
};
use sales_channels_sandbox::{Amount, Market, OrderDraft, Sandbox};
use serde_json::{Value, json};

const ORDERS: &str = include_str!("samples/shopify/orders.graphql");
const FULFILL: &str = include_str!("samples/shopify/fulfill.graphql");
const TRACKING: &str = include_str!("samples/shopify/tracking.graphql");
const STOCK: &str = include_str!("samples/shopify/stock.graphql");
const VARIANTS: &str = include_str!("samples/shopify/variants.graphql");
const CANCEL: &str = include_str!("samples/shopify/cancel.graphql");
const DEADLINE: &str = include_str!("samples/shopify/deadline.graphql");
const WEBHOOK: &str = include_str!("samples/shopify/webhook.graphql");

const TOKYO: &str = "gid://shopify/Location/11";
const OSAKA: &str = "gid://shopify/Location/13";

fn at(time: &str) -> DateTime<Utc> {
    time.parse().unwrap()
}

struct Shop {
    sandbox: Sandbox,
    face: Shopify,
    client: Client,
}

impl Shop {
    async fn open() -> Self {
        Self::open_with(Shopify::new()).await
    }

    async fn open_with(face: Shopify) -> Self {
        let now = at("2026-11-24T03:00:00Z");
        let sandbox = Sandbox::builder().face(face.clone()).now(now).start().await.unwrap();
        Self { sandbox, face, client: Client::new() }
    }

    fn market(&self) -> &Market {
        self.sandbox.market()
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.sandbox.base_url("shopify").unwrap())
    }

    async fn post(&self, path: &str, token: &str, body: Value) -> Response {
        let request = self.client.post(self.url(path)).header("X-Shopify-Access-Token", token);
        request.json(&body).send().await.unwrap()
    }

    async fn ask_as(&self, token: &str, query: &str, operation: &str, variables: Value) -> Value {
        let body = json!({ "query": query, "operationName": operation, "variables": variables });
        let response = self.post("/admin/api/2026-10/graphql.json", token, body).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["x-shopify-api-version"], "2026-10");
        response.json().await.unwrap()
    }

    async fn ask(&self, query: &str, operation: &str, variables: Value) -> Value {
        self.ask_as(ACCESS_TOKEN, query, operation, variables).await
    }

    /// The data of an answer without errors.
    async fn data(&self, query: &str, operation: &str, variables: Value) -> Value {
        let answer = self.ask(query, operation, variables).await;
        assert!(answer.get("errors").is_none(), "{answer}");
        answer["data"].clone()
    }

    /// The code of the first error of a query without operation name.
    async fn error_code(&self, query: &str) -> String {
        let body = json!({ "query": query });
        let response = self.post("/admin/api/2026-10/graphql.json", ACCESS_TOKEN, body).await;
        let answer: Value = response.json().await.unwrap();
        answer["errors"][0]["extensions"]["code"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    /// A paid order of so many lines of 2 units.
    fn place(&self, lines: usize) -> OrderNumber {
        let line = |n| LineDraft::unlisted(&format!("SKU-{n}"), "キャップ 🧢", Amount::whole(2480), 2);
        self.place_draft(OrderDraft::of((0..lines).map(line).collect()))
    }

    fn place_draft(&self, draft: OrderDraft) -> OrderNumber {
        self.market().buyer().place(draft).unwrap()
    }

    fn lines(&self, order: OrderNumber) -> Vec<LineNumber> {
        self.market().lines_of(order)
    }

    async fn order(&self, order: OrderNumber) -> Value {
        self.data(ORDERS, "OrderById", json!({ "id": order_id(order) })).await["order"].clone()
    }

    async fn found(&self, query: &str) -> Vec<Value> {
        let variables = json!({ "first": 10, "query": query });
        let data = self.data(ORDERS, "Orders", variables).await;
        data["orders"]["nodes"].as_array().unwrap().iter().map(|order| order["id"].clone()).collect()
    }

    async fn fulfill(&self, input: Value) -> Value {
        self.data(FULFILL, "Fulfill", json!({ "fulfillment": input })).await["fulfillmentCreate"].clone()
    }

    async fn set_stock(&self, key: &str, rows: Value) -> Value {
        let input = json!({ "name": "available", "reason": "correction", "quantities": rows });
        let variables = json!({ "key": key, "input": input });
        self.data(STOCK, "SetStock", variables).await["inventorySetQuantities"].clone()
    }
}

fn order_id(order: OrderNumber) -> String {
    format!("gid://shopify/Order/{order}")
}

fn fulfillment_order(shown: &Value) -> &str {
    shown["fulfillmentOrders"]["nodes"][0]["id"].as_str().unwrap()
}

fn everything_of(fulfillment_order: &str) -> Value {
    json!([{ "fulfillmentOrderId": fulfillment_order }])
}

fn message(payload: &Value) -> &str {
    payload["userErrors"][0]["message"].as_str().unwrap_or_else(|| panic!("{payload}"))
}

fn code(payload: &Value) -> &str {
    payload["userErrors"][0]["code"].as_str().unwrap_or_else(|| panic!("{payload}"))
}

/// An item with two options, and one without.
fn catalogue(shop: &Shop) -> (ItemId, OptionId, OptionId, ItemId) {
    let tee = ItemDraft::simple("TEE-01", "Tシャツ", Amount::whole(1980), 0)
        .with_option(vec![Axis::new("色", "赤"), Axis::new("サイズ", "S")], "TEE-01-RED-S", 5)
        .with_option(vec![Axis::new("色", "赤"), Axis::new("サイズ", "M")], "TEE-01-RED-M", 7);
    let tee = shop.market().list(tee).unwrap();
    let cap = shop.market().list(ItemDraft::simple("CAP-02", "キャップ", Amount::whole(2480), 3)).unwrap();
    let options = shop.market().item(tee).unwrap().options;
    (tee, options[0].id, options[1].id, cap)
}

fn row(variant: u64, quantity: i64, from: Value) -> Value {
    json!({
        "inventoryItemId": format!("gid://shopify/InventoryItem/{variant}"),
        "locationId": TOKYO,
        "quantity": quantity,
        "changeFromQuantity": from,
    })
}

#[tokio::test]
async fn the_documents_of_the_sheet_fit_the_schema() {
    let shop = Shop::open().await;
    for (documents, operations) in [
        (ORDERS, vec!["Orders", "OrderById"]),
        (FULFILL, vec!["Fulfill"]),
        (TRACKING, vec!["UpdateTracking"]),
        (STOCK, vec!["SetStock"]),
        (VARIANTS, vec!["Variants", "Locations", "Whoami"]),
        (CANCEL, vec!["Cancel", "Report"]),
        (DEADLINE, vec!["SetDeadline"]),
        (WEBHOOK, vec!["Subscribe"]),
    ] {
        for operation in operations {
            let answer = shop.ask(documents, operation, json!({})).await;
            // Without variables a document fails later than one that does not fit.
            let code = answer["errors"][0]["extensions"]["code"].as_str().unwrap_or("none");
            assert!(matches!(code, "INVALID_VARIABLE" | "none"), "{operation}: {answer}");
        }
    }
}

/// Selects everything of a type, a few levels deep.
fn selection(types: &BTreeMap<String, Value>, kind: &str, depth: usize) -> String {
    let mut text = String::new();
    for field in types[kind]["fields"].as_array().unwrap() {
        let (name, mut of) = (field["name"].as_str().unwrap(), &field["type"]);
        while of["name"].is_null() {
            of = &of["ofType"];
        }
        let inner = &types[of["name"].as_str().unwrap()];
        let has = |wanted: &str| field["args"].as_array().unwrap().iter().any(|arg| arg["name"] == wanted);
        let arguments = if has("names") {
            "(names: [\"available\"])"
        } else if has("first") {
            "(first: 1)"
        } else {
            ""
        };
        if inner["kind"] != "OBJECT" {
            text.push_str(&format!(" {name}{arguments}"));
        } else if depth > 0 {
            let inner = selection(types, inner["name"].as_str().unwrap(), depth - 1);
            if !inner.is_empty() {
                text.push_str(&format!(" {name}{arguments} {{{inner} }}"));
            }
        }
    }
    text
}

#[tokio::test]
async fn every_field_of_the_schema_is_served() {
    let shop = Shop::open_with(Shopify::new().max_query_cost(u64::MAX)).await;
    let (tee, small, _, _) = catalogue(&shop);
    let order = shop.place_draft(OrderDraft {
        desired_delivery: at("2026-11-30T00:00:00Z").date_naive().into(),
        message: "hello".into(),
        ..OrderDraft::of(vec![LineDraft::of_option(tee, small, 2), LineDraft::of_option(tee, small, 1)])
    });
    shop.face.hold(order, Hold { reason: "OTHER".into(), notes: "wait".into() });
    shop.market().back_office().ship_line(shop.lines(order)[0], "Yamato (JA)", "N1").unwrap();
    let introspection = "{ __schema { types { name kind fields { name args { name } \
        type { name ofType { name ofType { name ofType { name } } } } } } } }";
    let schema = shop.data(introspection, "", json!({})).await;
    let types: BTreeMap<String, Value> = schema["__schema"]["types"]
        .as_array()
        .unwrap()
        .iter()
        .map(|kind| (kind["name"].as_str().unwrap().to_owned(), kind.clone()))
        .collect();
    assert!(types.len() > 60);
    let order = order_id(order);
    let item = format!("gid://shopify/InventoryItem/{small}");
    for (field, kind) in [
        ("shop".to_owned(), "Shop"),
        ("currentAppInstallation".to_owned(), "AppInstallation"),
        ("locations(first: 1)".to_owned(), "LocationConnection"),
        (format!("order(id: \"{order}\")"), "Order"),
        ("orders(first: 1)".to_owned(), "OrderConnection"),
        ("productVariants(first: 2)".to_owned(), "ProductVariantConnection"),
        (format!("inventoryItem(id: \"{item}\")"), "InventoryItem"),
    ] {
        let query = format!("{{ {field} {{ {} }} }}", selection(&types, kind, 6));
        let answer = shop.ask(&query, "", json!({})).await;
        assert!(answer.get("errors").is_none(), "{field}: {:?}", answer["errors"]);
        let name = field.split('(').next().unwrap();
        assert!(answer["data"][name].is_object(), "{field}");
    }
}

#[tokio::test]
async fn tokens_are_checked_and_end_by_the_clock() {
    let shop = Shop::open().await;
    let status = async |token: &str| {
        let body = json!({ "query": "{ shop { name } }" });
        let response = shop.post("/admin/api/2026-10/graphql.json", token, body).await;
        let status = response.status().as_u16();
        if status == 401 {
            let text = "[API] Invalid API key or access token (unrecognized login or wrong password)";
            assert_eq!(response.json::<Value>().await.unwrap(), json!({ "errors": text }));
        }
        status
    };
    assert_eq!(status(ACCESS_TOKEN).await, 200);
    for token in ["", "shpat_sandbox_dem0", EXPIRED_ACCESS_TOKEN] {
        assert_eq!(status(token).await, 401, "{token}");
    }
    let soon = at("2026-11-24T03:00:10Z");
    let ending = AccessToken { expires_at: Some(soon), ..AccessToken::with_scopes(ALL_SCOPES) };
    shop.face.put_token("shpat_ending", ending);
    assert_eq!(status("shpat_ending").await, 200);
    shop.sandbox.set_now(soon);
    assert_eq!(status("shpat_ending").await, 401);
    shop.face.remove_token(ACCESS_TOKEN);
    assert_eq!(status(ACCESS_TOKEN).await, 401);
}

#[tokio::test]
async fn shops_that_can_not_be_reached_answer_with_their_status() {
    let shop = Shop::open().await;
    for (state, status) in [
        (ShopState::Frozen, 402),
        (ShopState::Blocked, 403),
        (ShopState::Gone, 404),
        (ShopState::Locked, 423),
        (ShopState::SecurityRejection, 430),
        (ShopState::Open, 200),
    ] {
        shop.face.set_shop_state(state);
        let body = json!({ "query": "{ shop { name } }" });
        let response = shop.post("/admin/api/2026-10/graphql.json", ACCESS_TOKEN, body).await;
        assert_eq!(response.status().as_u16(), status);
        assert!(response.headers().contains_key("x-request-id"));
    }
}

#[tokio::test]
async fn the_header_names_the_version_that_answered() {
    let shop = Shop::open().await;
    let version = async |asked: &str| {
        let body = json!({ "query": "{ shop { name } }" });
        let response = shop.post(&format!("/admin/api/{asked}/graphql.json"), ACCESS_TOKEN, body).await;
        let header = response.headers().get("x-shopify-api-version").map(|v| v.to_str().unwrap().to_owned());
        (response.status().as_u16(), header)
    };
    assert_eq!(version("2026-10").await, (200, Some("2026-10".to_owned())));
    assert_eq!(version("2024-04").await, (200, Some("2026-01".to_owned())));
    assert_eq!(version("2027-01").await, (404, None));
    shop.face.answer_with_version(Some("2026-07"));
    assert_eq!(version("2026-10").await, (200, Some("2026-07".to_owned())));
}

async fn token_call(shop: &Shop, params: &[(&str, &str)]) -> (u16, Value) {
    let request = shop.client.post(shop.url("/admin/oauth/access_token")).form(params);
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

async fn refresh(shop: &Shop, token: &str) -> (u16, Value) {
    let params = [
        ("client_id", CLIENT_ID),
        ("client_secret", CLIENT_SECRET),
        ("grant_type", "refresh_token"),
        ("refresh_token", token),
    ];
    token_call(shop, &params).await
}

#[tokio::test]
async fn refresh_tokens_rotate_and_the_old_one_lives_until_the_new_one_is_used() {
    let shop = Shop::open().await;
    let (status, first) = refresh(&shop, REFRESH_TOKEN).await;
    assert_eq!(status, 200);
    assert_eq!((&first["expires_in"], &first["refresh_token_expires_in"]), (&json!(3600), &json!(7_776_000)));
    assert!(first["scope"].as_str().unwrap().contains("write_inventory"));
    let access = first["access_token"].as_str().unwrap();
    let second_refresh = first["refresh_token"].as_str().unwrap();
    assert_ne!(second_refresh, REFRESH_TOKEN);
    assert!(shop.ask_as(access, "{ shop { name } }", "", json!({})).await["data"]["shop"].is_object());

    let (status, again) = refresh(&shop, REFRESH_TOKEN).await;
    assert_eq!(
        (status, &again["refresh_token"]),
        (200, &json!(second_refresh)),
        "a lost answer is made up for"
    );
    let (status, second) = refresh(&shop, second_refresh).await;
    assert_eq!(status, 200);
    let (status, refused) = refresh(&shop, REFRESH_TOKEN).await;
    assert_eq!((status, &refused["error"]), (400, &json!("invalid_grant")));

    shop.sandbox.advance(TimeDelta::seconds(3600));
    let body = json!({ "query": "{ shop { name } }" });
    let access = second["access_token"].as_str().unwrap();
    assert_eq!(shop.post("/admin/api/2026-10/graphql.json", access, body).await.status(), 401);
    shop.sandbox.advance(TimeDelta::days(90));
    assert_eq!(refresh(&shop, second["refresh_token"].as_str().unwrap()).await.0, 400);
}

#[tokio::test]
async fn a_used_refresh_token_can_be_tried_again_for_30_days() {
    let shop = Shop::open().await;
    assert_eq!(refresh(&shop, REFRESH_TOKEN).await.0, 200);
    shop.sandbox.advance(TimeDelta::days(30) - TimeDelta::seconds(1));
    assert_eq!(refresh(&shop, REFRESH_TOKEN).await.0, 200);
    shop.sandbox.advance(TimeDelta::seconds(1));
    assert_eq!(refresh(&shop, REFRESH_TOKEN).await.0, 400);
}

#[tokio::test]
async fn client_credentials_give_a_token_for_a_day_and_wrong_ones_nothing() {
    let shop = Shop::open().await;
    let body =
        json!({ "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "grant_type": "client_credentials" });
    let response = shop.post("/admin/oauth/access_token", "", body).await;
    assert_eq!(response.status(), 200);
    let made: Value = response.json().await.unwrap();
    assert!(made.get("refresh_token").is_none());
    let access = made["access_token"].as_str().unwrap();
    let query = json!({ "query": "{ shop { name } }" });
    let path = "/admin/api/2026-10/graphql.json";
    shop.sandbox.advance(TimeDelta::seconds(made["expires_in"].as_i64().unwrap() - 1));
    assert_eq!(shop.post(path, access, query.clone()).await.status(), 200);
    shop.sandbox.advance(TimeDelta::seconds(1));
    assert_eq!(shop.post(path, access, query).await.status(), 401);
    for (params, error) in [
        (
            vec![("client_id", CLIENT_ID), ("client_secret", "x"), ("grant_type", "client_credentials")],
            "invalid_client",
        ),
        (
            vec![("client_id", CLIENT_ID), ("client_secret", CLIENT_SECRET), ("grant_type", "x")],
            "unsupported_grant_type",
        ),
        (vec![], "invalid_client"),
    ] {
        let (status, answer) = token_call(&shop, &params).await;
        assert_eq!((status, &answer["error"]), (400, &json!(error)));
    }
}

#[tokio::test]
async fn missing_scopes_are_named_field_by_field() {
    let shop = Shop::open().await;
    let order = shop.place(1);
    let with = |scopes: &[&str]| shop.face.put_token("shpat_some", AccessToken::with_scopes(scopes));
    with(&["read_products"]);
    let answer = shop.ask_as("shpat_some", ORDERS, "Orders", json!({ "first": 1 })).await;
    let error = &answer["errors"][0];
    assert_eq!(error["extensions"]["code"], "ACCESS_DENIED");
    assert_eq!(error["extensions"]["requiredAccess"], "`read_orders` access scope.");
    assert_eq!(
        error["message"],
        "Access denied for orders field. Required access: `read_orders` access scope."
    );
    assert_eq!(error["path"], json!(["orders"]));
    assert!(answer["data"].is_null());

    with(&["read_orders"]);
    let query = "{ orders(first: 1) { nodes { id lineItems(first: 1) { nodes { id product { id } } } } } }";
    let answer = shop.ask_as("shpat_some", query, "", json!({})).await;
    assert_eq!(answer["data"]["orders"]["nodes"][0]["id"], order_id(order), "the rest is answered");
    assert_eq!(answer["data"]["orders"]["nodes"][0]["lineItems"]["nodes"][0]["product"], Value::Null);
    assert_eq!(answer["errors"][0]["extensions"]["code"], "ACCESS_DENIED");

    for (query, operation, variables) in [
        (FULFILL, "Fulfill", json!({ "fulfillment": { "lineItemsByFulfillmentOrder": [] } })),
        (
            STOCK,
            "SetStock",
            json!({ "key": "k", "input": { "name": "available", "reason": "correction", "quantities": [] } }),
        ),
        (CANCEL, "Cancel", json!({ "orderId": order_id(order), "reason": "OTHER", "restock": true })),
    ] {
        let answer = shop.ask_as(READ_ONLY_ACCESS_TOKEN, query, operation, variables).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "ACCESS_DENIED", "{answer}");
    }
    let scopes = shop.data(VARIANTS, "Whoami", json!({})).await;
    let scopes = &scopes["currentAppInstallation"]["accessScopes"];
    let handles: HashSet<&str> =
        scopes.as_array().unwrap().iter().map(|scope| scope["handle"].as_str().unwrap()).collect();
    assert_eq!(handles, ALL_SCOPES.iter().copied().collect());
}

#[tokio::test]
async fn a_token_sees_its_own_shop_and_old_orders_only_with_their_scope() {
    let shop = Shop::open().await;
    let old = shop.place_draft(OrderDraft::example().paid_at(at("2026-09-01T00:00:00Z")));
    let new = shop.place(1);
    let seen = async |token: &str| {
        let query = "{ orders(first: 5, sortKey: ID) { nodes { id } } }";
        let answer = shop.ask_as(token, query, "", json!({})).await;
        answer["data"]["orders"]["nodes"].as_array().unwrap().len()
    };
    assert_eq!(seen(ACCESS_TOKEN).await, 2);
    assert_eq!(seen(OTHER_ACCESS_TOKEN).await, 0);
    shop.face.put_token("shpat_recent", AccessToken::with_scopes(&["read_orders"]));
    assert_eq!(seen("shpat_recent").await, 1);
    for (order, there) in [(old, false), (new, true)] {
        let query = format!("{{ order(id: \"{}\") {{ id }} }}", order_id(order));
        let answer = shop.ask_as("shpat_recent", &query, "", json!({})).await;
        assert_eq!(answer["data"]["order"].is_object(), there);
    }
}

#[tokio::test]
async fn documents_that_do_not_fit_are_refused() {
    let shop = Shop::open().await;
    let answer = shop.ask("{ shop { nmae } }", "", json!({})).await;
    assert_eq!(answer["errors"][0]["message"], "Field 'nmae' doesn't exist on type 'Shop'");
    assert_eq!(answer["errors"][0]["extensions"]["code"], "undefinedField");
    assert!(answer.get("data").is_none());
    for query in [
        "{ shop { name ",
        "query ($first: Int!) { orders(first: $frist) { nodes { id } } }",
        "{ orders(first: 1, status: OPEN) { nodes { id } } }",
        "{ orders(first: \"1\") { nodes { id } } }",
        "{ shop }",
        "mutation { orderCancel(orderId: \"x\", reason: BORED, restock: true) { job { id } } }",
    ] {
        let answer = shop.ask(query, "", json!({})).await;
        assert!(answer["errors"].is_array() && answer.get("data").is_none(), "{query}: {answer}");
    }
    let answer = shop.ask(ORDERS, "Orders", json!({ "first": "ten" })).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "INVALID_VARIABLE");
    let answer = shop.ask(ORDERS, "Nothing", json!({})).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_REQUEST");
    let path = "/admin/api/2026-10/graphql.json";
    let response = shop.post(path, ACCESS_TOKEN, json!({ "variables": {} })).await;
    assert_eq!(response.status(), 400);
    assert_eq!(shop.post("/admin/api/2026-10/orders.json", ACCESS_TOKEN, json!({})).await.status(), 404);
    assert_eq!(shop.client.get(shop.url(path)).send().await.unwrap().status(), 405);
}

#[tokio::test]
async fn costs_are_told_and_a_query_above_1000_points_is_refused() {
    let shop = Shop::open().await;
    shop.place(2);
    let cost = async |query: &str| shop.ask(query, "", json!({})).await["extensions"]["cost"].clone();
    assert_eq!(cost("{ shop { name } }").await["requestedQueryCost"], 1);
    let two = cost("{ orders(first: 10) { pageInfo { hasNextPage } nodes { id } } }").await;
    assert_eq!((&two["requestedQueryCost"], &two["actualQueryCost"]), (&json!(6), &json!(3)));
    // Published: a product, its 250 variants and their inventory items cost 25.
    let variants = "{ productVariants(first: 250) { nodes { inventoryItem { id tracked } } } }";
    assert_eq!(cost(variants).await["requestedQueryCost"], 24);
    let cancel = format!(
        "mutation {{ orderCancel(orderId: \"{}\", reason: OTHER, restock: true) {{ job {{ id }} }} }}",
        order_id(OrderNumber(1))
    );
    assert_eq!(cost(&cancel).await["requestedQueryCost"], 10);

    let answer = shop.ask(ORDERS, "Orders", json!({ "first": 10 })).await;
    let requested = answer["extensions"]["cost"]["requestedQueryCost"].as_u64().unwrap();
    assert!((400..=1000).contains(&requested), "{requested}");
    let actual = answer["extensions"]["cost"]["actualQueryCost"].as_u64().unwrap();
    assert!(actual < requested, "{actual}");
    let answer = shop.ask(ORDERS, "Orders", json!({ "first": 100 })).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "MAX_COST_EXCEEDED");
    assert_eq!(answer["errors"][0]["extensions"]["maxCost"], 1000);
    assert!(answer.get("data").is_none());
}

#[tokio::test]
async fn the_bucket_empties_throttles_with_200_and_refills_by_the_clock() {
    let bucket = BucketSize { maximum: 20.0, restore_rate: 2.0 };
    let shop = Shop::open_with(Shopify::new().limited(bucket)).await;
    for _ in 0..4 {
        shop.place(1);
    }
    let query = "{ orders(first: 10) { nodes { id lineItems(first: 2) { nodes { id } } } } }";
    let answer = shop.ask(query, "", json!({})).await;
    let cost = answer["extensions"]["cost"].clone();
    assert_eq!((&cost["requestedQueryCost"], &cost["actualQueryCost"]), (&json!(18), &json!(10)));
    assert_eq!(
        cost["throttleStatus"],
        json!({ "maximumAvailable": 20.0, "currentlyAvailable": 10, "restoreRate": 2.0 })
    );

    let answer = shop.ask(query, "", json!({})).await;
    let sample: Value =
        serde_json::from_str(include_str!("samples/shopify/throttled.response.json")).unwrap();
    assert_eq!(answer["errors"], sample["errors"]);
    assert!(answer.get("data").is_none());
    let cost = &answer["extensions"]["cost"];
    assert_eq!((&cost["requestedQueryCost"], &cost["actualQueryCost"]), (&json!(18), &Value::Null));
    let other = shop.ask_as(OTHER_ACCESS_TOKEN, query, "", json!({})).await;
    assert!(other.get("errors").is_none(), "each shop has its own");
    shop.sandbox.advance(TimeDelta::seconds(4));
    let answer = shop.ask(query, "", json!({})).await;
    assert!(answer.get("errors").is_none(), "(18 - 10) / 2 seconds are enough");
}

#[tokio::test]
async fn nothing_is_throttled_until_it_is_switched_on() {
    let shop = Shop::open().await;
    for _ in 0..5 {
        let answer = shop.ask(ORDERS, "Orders", json!({ "first": 10 })).await;
        assert!(answer.get("errors").is_none());
        assert!(
            answer["extensions"]["cost"]["throttleStatus"]["currentlyAvailable"].as_u64().unwrap() > 1900
        );
    }
}

#[tokio::test]
async fn an_order_is_shown_as_in_the_sample() {
    let shop = Shop::open().await;
    let (tee, small, ..) = catalogue(&shop);
    let mut draft = OrderDraft::of(vec![LineDraft {
        discount: Amount::whole(100),
        ..LineDraft::of_option(tee, small, 2)
    }]);
    draft.shipping_fee = Amount::whole(500);
    draft.message = "置き配希望 📦".into();
    draft.buyer.email = "buyer@example.com".into();
    let order = shop.place_draft(draft);
    let line = shop.lines(order)[0];
    let shown = shop.order(order).await;
    for (field, value) in [
        ("id", json!(order_id(order))),
        ("name", json!(format!("#{order}"))),
        ("createdAt", json!("2026-11-24T03:00:00Z")),
        ("cancelledAt", Value::Null),
        ("test", json!(false)),
        ("displayFinancialStatus", json!("PAID")),
        ("displayFulfillmentStatus", json!("UNFULFILLED")),
        ("fulfillable", json!(true)),
        ("confirmed", json!(true)),
        ("unpaid", json!(false)),
        ("email", json!("buyer@example.com")),
        ("note", json!("置き配希望 📦")),
        ("currencyCode", json!("JPY")),
        ("fulfillments", json!([])),
    ] {
        assert_eq!(shown[field], value, "{field}");
    }
    let amount = |field: &str| shown[field]["shopMoney"]["amount"].clone();
    assert_eq!(amount("totalPriceSet"), "4360.0");
    assert_eq!(amount("totalShippingPriceSet"), "500.0");
    assert_eq!(amount("totalDiscountsSet"), "100.0");
    let address = &shown["shippingAddress"];
    assert_eq!((&address["lastName"], &address["firstName"]), (&json!("山田"), &json!("花子")));
    assert_eq!((&address["province"], &address["provinceCode"]), (&json!("Tokyo"), &json!("JP-13")));
    assert_eq!((&address["zip"], &address["countryCodeV2"]), (&json!("100-0001"), &json!("JP")));
    let shown_line = &shown["lineItems"]["nodes"][0];
    assert_eq!(shown_line["id"], format!("gid://shopify/LineItem/{line}"));
    assert_eq!(shown_line["sku"], "TEE-01-RED-S");
    assert_eq!(shown_line["variantTitle"], "赤 / S");
    assert_eq!(shown_line["variant"]["inventoryItem"]["id"], format!("gid://shopify/InventoryItem/{small}"));
    assert_eq!(shown_line["originalUnitPriceSet"]["shopMoney"]["amount"], "1980.0");
    assert_eq!(shown_line["discountedUnitPriceAfterAllDiscountsSet"]["shopMoney"]["amount"], "1930.0");
    let group = &shown["fulfillmentOrders"]["nodes"][0];
    assert_eq!(group["status"], "OPEN");
    assert_eq!(group["assignedLocation"]["location"]["id"], TOKYO);
    assert!(
        group["supportedActions"].as_array().unwrap().contains(&json!({ "action": "CREATE_FULFILLMENT" }))
    );
    let group_line = &group["lineItems"]["nodes"][0];
    assert_eq!((&group_line["remainingQuantity"], &group_line["totalQuantity"]), (&json!(2), &json!(2)));
    assert_eq!(group_line["lineItem"]["id"], shown_line["id"]);
}

#[tokio::test]
async fn without_approval_protected_customer_data_is_null() {
    let shop = Shop::open_with(Shopify::new().protected_data(false)).await;
    let mut draft = OrderDraft::example();
    draft.buyer.email = "buyer@example.com".into();
    let order = shop.place_draft(draft);
    let shown = shop.order(order).await;
    for field in ["email", "phone", "customer", "shippingAddress"] {
        assert_eq!(shown[field], Value::Null, "{field}");
    }
    assert!(!shown.to_string().contains("山田"));
}

#[tokio::test]
async fn orders_are_found_by_the_terms_of_the_sheet() {
    let shop = Shop::open().await;
    let early = shop.place(1);
    shop.sandbox.advance(TimeDelta::hours(1));
    let late = shop.place(1);
    let unpaid = shop.place_draft(OrderDraft { unpaid: true, ..OrderDraft::example() });
    let cancelled = shop.place(1);
    shop.market().back_office().cancel(shop.lines(cancelled)[0], "").unwrap();
    let closed = shop.place(1);
    shop.face.close(closed, shop.sandbox.clock().now());
    let test = shop.place(1);
    shop.face.set_test(test, true);
    shop.sandbox.advance(TimeDelta::hours(1));
    shop.market().back_office().ship_line(shop.lines(early)[0], "x", "y").unwrap();
    let ids = |orders: &[OrderNumber]| orders.iter().map(|order| json!(order_id(*order))).collect::<Vec<_>>();
    let found = async |query: &str| shop.found(query).await;
    assert_eq!(found("status:open created_at:<'2026-11-24T04:00:00Z'").await, ids(&[early]));
    assert_eq!(found("status:open test:false").await, ids(&[late, unpaid, early]), "by update time");
    assert_eq!(found("status:cancelled").await, ids(&[cancelled]));
    assert_eq!(found("status:closed").await, ids(&[closed]));
    assert_eq!(found("status:any").await.len(), 6);
    assert_eq!(found("").await.len(), 6);
    assert_eq!(found("updated_at:>='2026-11-24T05:00:00Z'").await, ids(&[early]));
    assert_eq!(found("created_at:>=2026-11-24T04:00:00Z updated_at:<='2026-11-24T04:00:00Z'").await.len(), 5);
    assert_eq!(found("financial_status:pending").await, ids(&[unpaid]));
    assert_eq!(found("fulfillment_status:fulfilled").await, ids(&[early]));
    assert_eq!(found("test:true").await, ids(&[test]));
    assert_eq!(found(&format!("name:'#{late}'")).await, ids(&[late]));
}

#[tokio::test]
async fn unknown_search_terms_are_ignored_with_a_warning() {
    let shop = Shop::open().await;
    shop.place(1);
    let query = "fulfilment_status:unfulfilled created_at:>='yesterday'";
    let answer = shop.ask(ORDERS, "Orders", json!({ "first": 1, "query": query })).await;
    assert_eq!(answer["data"]["orders"]["nodes"].as_array().unwrap().len(), 1);
    let search = &answer["extensions"]["search"][0];
    assert_eq!((&search["path"], &search["query"]), (&json!(["orders"]), &json!(query)));
    let warnings = search["warnings"].as_array().unwrap();
    assert_eq!(warnings[0]["field"], "fulfilment_status");
    assert_eq!(warnings[0]["code"], "invalid_field");
    assert_eq!(warnings[1]["code"], "invalid_value");
    let answer = shop.ask(ORDERS, "Orders", json!({ "first": 1, "query": "status:open" })).await;
    assert!(answer["extensions"].get("search").is_none());
}

#[tokio::test]
async fn orders_are_paged_by_cursor_in_the_order_of_updates() {
    let shop = Shop::open().await;
    let mut orders = Vec::new();
    for _ in 0..5 {
        orders.push(order_id(shop.place(1)));
        shop.sandbox.advance(TimeDelta::seconds(1));
    }
    let page = async |first: u64, after: Value| {
        let data = shop.data(ORDERS, "Orders", json!({ "first": first, "after": after })).await;
        let ids: Vec<String> = data["orders"]["nodes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|order| order["id"].as_str().unwrap().to_owned())
            .collect();
        (ids, data["orders"]["pageInfo"].clone())
    };
    let (ids, info) = page(2, Value::Null).await;
    assert_eq!((&*ids, &info["hasNextPage"]), (&orders[..2], &json!(true)));
    let (ids, info) = page(2, info["endCursor"].clone()).await;
    assert_eq!(ids, orders[2..4]);
    let (ids, info) = page(2, info["endCursor"].clone()).await;
    assert_eq!((&*ids, &info["hasNextPage"]), (&orders[4..], &json!(false)));
    // An order that changes moves to the end, behind the cursor.
    let (_, info) = page(2, Value::Null).await;
    let first: OrderNumber = orders[0].rsplit('/').next().unwrap().parse().unwrap();
    shop.market().back_office().confirm(shop.lines(first)[0], None).unwrap();
    let (ids, _) = page(10, info["endCursor"].clone()).await;
    assert_eq!(ids, [&orders[2..], &orders[..1]].concat());

    let reverse = "{ orders(first: 2, sortKey: CREATED_AT, reverse: true) { edges { cursor node { id } } } }";
    let data = shop.data(reverse, "", json!({})).await;
    assert_eq!(data["orders"]["edges"][0]["node"]["id"], orders[4]);
    let cursor = &data["orders"]["edges"][1]["cursor"];
    let more = format!(
        "{{ orders(first: 9, after: {cursor}, sortKey: CREATED_AT, reverse: true) {{ nodes {{ id }} }} }}"
    );
    let data = shop.data(&more, "", json!({})).await;
    assert_eq!(data["orders"]["nodes"].as_array().unwrap().len(), 3);
    let last = shop
        .data(
            "{ orders(last: 2, sortKey: CREATED_AT) { pageInfo { hasPreviousPage } nodes { id } } }",
            "",
            json!({}),
        )
        .await;
    assert_eq!(last["orders"]["nodes"][1]["id"], orders[4]);
    assert_eq!(last["orders"]["pageInfo"]["hasPreviousPage"], true);
}

#[tokio::test]
async fn pages_need_a_size_of_at_most_250_and_a_real_cursor() {
    let shop = Shop::open().await;
    shop.place(1);
    for query in [
        "{ orders { nodes { id } } }",
        "{ orders(first: 1, last: 1) { nodes { id } } }",
        "{ orders(first: 251) { nodes { id } } }",
        "{ orders(first: -1) { nodes { id } } }",
        "{ orders(first: 1, after: \"nonsense\") { nodes { id } } }",
        "{ orders(first: 1) { nodes { lineItems { nodes { id } } } } }",
    ] {
        assert_eq!(shop.error_code(query).await, "BAD_REQUEST", "{query}");
    }
}

#[tokio::test]
async fn small_pages_cut_orders_and_lines_and_the_rest_is_fetched_by_cursor() {
    let shop = Shop::open_with(Shopify::new().page_size(2)).await;
    let order = shop.place(3);
    shop.place(1);
    shop.place(1);
    let data = shop.data(ORDERS, "Orders", json!({ "first": 10 })).await;
    assert_eq!(data["orders"]["nodes"].as_array().unwrap().len(), 2);
    assert_eq!(data["orders"]["pageInfo"]["hasNextPage"], true);
    let lines = &data["orders"]["nodes"][0]["lineItems"];
    assert_eq!(lines["nodes"].as_array().unwrap().len(), 2);
    assert_eq!(lines["pageInfo"]["hasNextPage"], true);
    let query = format!(
        "{{ order(id: \"{}\") {{ lineItems(first: 9, after: {}) {{ pageInfo {{ hasNextPage }} nodes {{ sku }} }} }} }}",
        order_id(order),
        lines["pageInfo"]["endCursor"]
    );
    let rest = shop.data(&query, "", json!({})).await;
    assert_eq!(
        rest["order"]["lineItems"],
        json!({ "pageInfo": { "hasNextPage": false }, "nodes": [{ "sku": "SKU-2" }] })
    );
}

#[tokio::test]
async fn holds_schedules_and_payment_keep_an_order_from_being_sent() {
    let shop = Shop::open().await;
    let order = shop.place(1);
    let state = async |order: OrderNumber| {
        let shown = shop.order(order).await;
        let group = &shown["fulfillmentOrders"]["nodes"][0];
        (shown["displayFulfillmentStatus"].clone(), group["status"].clone(), shown["fulfillable"].clone())
    };
    shop.face.hold(order, Hold { reason: "INCORRECT_ADDRESS".into(), notes: "no such street".into() });
    assert_eq!(state(order).await, (json!("ON_HOLD"), json!("ON_HOLD"), json!(false)));
    let shown = shop.order(order).await;
    let hold = json!({ "reason": "INCORRECT_ADDRESS", "reasonNotes": "no such street" });
    assert_eq!(shown["fulfillmentOrders"]["nodes"][0]["fulfillmentHolds"], json!([hold]));
    let input = json!({ "lineItemsByFulfillmentOrder": everything_of(fulfillment_order(&shown)) });
    let refused = shop.fulfill(input.clone()).await;
    let sample: Value =
        serde_json::from_str(include_str!("samples/shopify/fulfill_refused.response.json")).unwrap();
    assert_eq!(refused, sample["data"]["fulfillmentCreate"]);
    shop.face.release(order);
    shop.face.schedule(order, at("2026-11-25T00:00:00Z"));
    assert_eq!(state(order).await, (json!("SCHEDULED"), json!("SCHEDULED"), json!(false)));
    assert_eq!(shop.fulfill(input.clone()).await, sample["data"]["fulfillmentCreate"]);
    shop.sandbox.set_now(at("2026-11-25T00:00:00Z"));
    assert_eq!(state(order).await, (json!("UNFULFILLED"), json!("OPEN"), json!(true)));
    assert!(shop.fulfill(input).await["fulfillment"].is_object());
    assert_eq!(state(order).await, (json!("FULFILLED"), json!("CLOSED"), json!(false)));

    let unpaid = shop.place_draft(OrderDraft { unpaid: true, ..OrderDraft::example() });
    assert_eq!(state(unpaid).await.1, "ON_HOLD");
    assert_eq!(shop.order(unpaid).await["displayFinancialStatus"], "PENDING");
    shop.market().marketplace().pay(unpaid).unwrap();
    assert_eq!(state(unpaid).await.1, "OPEN");
    shop.face.set_financial_status(unpaid, Some("AUTHORIZED"));
    assert_eq!(shop.order(unpaid).await["displayFinancialStatus"], "AUTHORIZED");
}

#[tokio::test]
async fn a_fulfilment_is_made_with_its_tracking_and_a_repeat_makes_no_second_of_nothing() {
    let shop = Shop::open().await;
    let order = shop.place(2);
    let shown = shop.order(order).await;
    let input = json!({
        "lineItemsByFulfillmentOrder": everything_of(fulfillment_order(&shown)),
        "trackingInfo": { "company": "Yamato (JA)", "number": "1234" },
        "notifyCustomer": true,
    });
    let made = shop.fulfill(input.clone()).await;
    assert_eq!(made["userErrors"], json!([]));
    assert_eq!(made["fulfillment"]["status"], "SUCCESS");
    let tracking = &made["fulfillment"]["trackingInfo"][0];
    assert_eq!((&tracking["company"], &tracking["number"]), (&json!("Yamato (JA)"), &json!("1234")));
    assert!(tracking["url"].as_str().unwrap().ends_with("=1234"), "a known carrier has a link");
    for line in shop.lines(order) {
        assert_eq!(shop.market().dispatches(line), ["1234"]);
        assert_eq!(shop.market().line(line).unwrap().state, LineState::Shipped);
    }
    assert_eq!(shop.market().order(order).unwrap().mails.len(), 1);
    let refused = shop.fulfill(input).await;
    assert_eq!(message(&refused), "The fulfillment order is not in an open state.");
    let shown = shop.order(order).await;
    assert_eq!(shown["displayFulfillmentStatus"], "FULFILLED");
    assert_eq!(shown["fulfillments"][0]["id"], made["fulfillment"]["id"]);
    assert_eq!(shown["lineItems"]["nodes"][0]["unfulfilledQuantity"], 0);
    assert_eq!(shown["fulfillmentOrders"]["nodes"][0]["lineItems"]["nodes"][0]["remainingQuantity"], 0);
}

#[tokio::test]
async fn a_repeated_part_is_sent_twice() {
    let shop = Shop::open().await;
    let order = shop.place(1);
    let shown = shop.order(order).await;
    let line = &shown["fulfillmentOrders"]["nodes"][0]["lineItems"]["nodes"][0]["id"];
    let part = |quantity: i64| {
        json!({
            "lineItemsByFulfillmentOrder": [{
                "fulfillmentOrderId": fulfillment_order(&shown),
                "fulfillmentOrderLineItems": [{ "id": line, "quantity": quantity }],
            }],
            "trackingInfo": { "company": "Somebody", "number": "P", "url": "https://example.com/P" },
        })
    };
    for quantity in [0, 3, -1] {
        let refused = shop.fulfill(part(quantity)).await;
        assert_eq!(message(&refused), "Invalid fulfillment order line item quantity requested.");
    }
    let made = shop.fulfill(part(1)).await;
    assert_eq!(made["fulfillment"]["trackingInfo"][0]["url"], "https://example.com/P");
    let between = shop.order(order).await;
    assert_eq!(between["displayFulfillmentStatus"], "PARTIALLY_FULFILLED");
    assert_eq!(between["fulfillmentOrders"]["nodes"][0]["status"], "IN_PROGRESS");
    assert_eq!(between["fulfillmentOrders"]["nodes"][0]["lineItems"]["nodes"][0]["remainingQuantity"], 1);
    shop.fulfill(part(1)).await;
    assert_eq!(shop.market().dispatches(shop.lines(order)[0]), ["P", "P"], "not idempotent");
    assert_eq!(shop.order(order).await["fulfillments"].as_array().unwrap().len(), 2);
    assert!(shop.market().order(order).unwrap().mails.is_empty(), "nobody was told to be notified");
}

#[tokio::test]
async fn fulfilment_orders_are_by_location_and_go_into_one_call_only_together() {
    let shop = Shop::open().await;
    shop.face.put_location(Location { id: 13, name: "Osaka Warehouse".into(), active: true });
    let (tee, small, medium, cap) = catalogue(&shop);
    shop.face.stock_at(cap, None, 13);
    let draft = OrderDraft::of(vec![
        LineDraft::of_option(tee, small, 1),
        LineDraft::of_option(tee, medium, 1),
        LineDraft::of(cap, 1),
    ]);
    let order = shop.place_draft(draft);
    let shown = shop.order(order).await;
    let groups = shown["fulfillmentOrders"]["nodes"].as_array().unwrap().clone();
    assert_eq!(groups.len(), 2);
    assert_eq!(groups[0]["lineItems"]["nodes"].as_array().unwrap().len(), 2);
    assert_eq!(groups[1]["assignedLocation"]["location"]["id"], OSAKA);
    let ids: Vec<&Value> = groups.iter().map(|group| &group["id"]).collect();
    let both = json!([{ "fulfillmentOrderId": ids[0] }, { "fulfillmentOrderId": ids[1] }]);
    let refused = shop.fulfill(json!({ "lineItemsByFulfillmentOrder": both })).await;
    assert_eq!(message(&refused), "All fulfillment orders must be assigned to the same location.");
    assert!(shop.market().order(order).unwrap().parcels.is_empty());
    let one = json!([{ "fulfillmentOrderId": ids[1] }]);
    assert_eq!(shop.fulfill(json!({ "lineItemsByFulfillmentOrder": one })).await["userErrors"], json!([]));
    let lines = shop.lines(order);
    assert_eq!(shop.market().line(lines[2]).unwrap().state, LineState::Shipped);
    assert_eq!(shop.market().line(lines[0]).unwrap().state, LineState::Paid);
    shop.face.move_line(order, lines[0], 13);
    let shown = shop.order(order).await;
    let groups = &shown["fulfillmentOrders"]["nodes"];
    assert_eq!(groups[0]["lineItems"]["nodes"].as_array().unwrap().len(), 1, "fulfilment orders move");
    assert_eq!(groups[1]["status"], "IN_PROGRESS");

    let other = shop.place(1);
    let foreign = fulfillment_order(&shop.order(other).await).to_owned();
    let both = json!([{ "fulfillmentOrderId": groups[0]["id"] }, { "fulfillmentOrderId": foreign }]);
    let refused = shop.fulfill(json!({ "lineItemsByFulfillmentOrder": both })).await;
    assert_eq!(message(&refused), "All fulfillment orders must belong to the same order.");
    for id in ["gid://shopify/FulfillmentOrder/1", "gid://shopify/Order/1", "3"] {
        let refused = shop.fulfill(json!({ "lineItemsByFulfillmentOrder": everything_of(id) })).await;
        assert_eq!(message(&refused), "Fulfillment order does not exist.");
    }
    let refused = shop.fulfill(json!({ "lineItemsByFulfillmentOrder": [] })).await;
    assert_eq!(message(&refused), "Line items by fulfillment order can't be blank.");
}

#[tokio::test]
async fn tracking_is_changed_and_the_buyer_told_if_asked() {
    let shop = Shop::open().await;
    let order = shop.place(1);
    let shown = shop.order(order).await;
    let input = json!({ "lineItemsByFulfillmentOrder": everything_of(fulfillment_order(&shown)) });
    let made = shop.fulfill(input).await;
    assert_eq!(made["fulfillment"]["trackingInfo"], json!([]));
    let update = async |id: &Value, notify: bool| {
        let tracking = json!({ "company": "Sagawa (JA)", "numbers": ["A", "B"] });
        let variables = json!({ "fulfillmentId": id, "tracking": tracking, "notify": notify });
        shop.data(TRACKING, "UpdateTracking", variables).await["fulfillmentTrackingInfoUpdate"].clone()
    };
    let id = &made["fulfillment"]["id"];
    assert_eq!(update(id, false).await["userErrors"], json!([]));
    assert!(shop.market().order(order).unwrap().mails.is_empty());
    assert_eq!(update(id, true).await["fulfillment"]["id"], *id);
    assert_eq!(shop.market().order(order).unwrap().mails.len(), 1);
    let tracking = shop.order(order).await["fulfillments"][0]["trackingInfo"].clone();
    assert_eq!((&tracking[0]["number"], &tracking[1]["number"]), (&json!("A"), &json!("B")));
    let line = shop.lines(order)[0];
    assert_eq!(shop.market().order(order).unwrap().parcels[0].tracking, "A");
    let entered = |action: &Action| matches!(action, Action::TrackingEntered { .. });
    let record = shop.market().record_of(line);
    assert_eq!(record.iter().filter(|event| entered(&event.action)).count(), 2, "each change counts");
    assert_eq!(shop.market().dispatches(line).len(), 1);
    let refused = update(&json!("gid://shopify/Fulfillment/1"), false).await;
    assert_eq!(message(&refused), "Fulfillment does not exist.");
}

#[tokio::test]
async fn parcels_of_the_back_office_and_deliveries_are_shown() {
    let shop = Shop::open().await;
    let order = shop.place(1);
    let line = shop.lines(order)[0];
    shop.market().back_office().ship_line(line, "Yamato (JA)", "B1").unwrap();
    let query = format!(
        "{{ order(id: \"{}\") {{ fulfillments {{ displayStatus deliveredAt trackingInfo {{ number }} }} }} }}",
        order_id(order)
    );
    let shown = shop.data(&query, "", json!({})).await["order"]["fulfillments"][0].clone();
    assert_eq!(
        shown,
        json!({ "displayStatus": "FULFILLED", "deliveredAt": null, "trackingInfo": [{ "number": "B1" }] })
    );
    shop.market().marketplace().deliver(line).unwrap();
    let shown = shop.data(&query, "", json!({})).await["order"]["fulfillments"][0].clone();
    assert_eq!(
        (&shown["displayStatus"], &shown["deliveredAt"]),
        (&json!("DELIVERED"), &json!("2026-11-24T03:00:00Z"))
    );
}

#[tokio::test]
async fn progress_and_deadlines_are_kept() {
    let shop = Shop::open().await;
    let order = shop.place(1);
    let id = fulfillment_order(&shop.order(order).await).to_owned();
    let report = async |id: &str| {
        let variables = json!({ "id": id, "report": { "reasonNotes": "packing" } });
        shop.data(CANCEL, "Report", variables).await["fulfillmentOrderReportProgress"].clone()
    };
    assert_eq!(report(&id).await["fulfillmentOrder"], json!({ "id": id, "status": "IN_PROGRESS" }));
    assert_eq!(shop.order(order).await["displayFulfillmentStatus"], "IN_PROGRESS");
    assert_eq!(code(&report("gid://shopify/FulfillmentOrder/1").await), "FULFILLMENT_ORDER_NOT_FOUND");
    shop.face.hold(order, Hold { reason: "OTHER".into(), notes: String::new() });
    assert_eq!(code(&report(&id).await), "FULFILLMENT_ORDER_STATUS_INVALID");

    let deadline = async |ids: Value| {
        let variables = json!({ "ids": ids, "deadline": "2026-11-26T09:00:00Z" });
        shop.data(DEADLINE, "SetDeadline", variables).await["fulfillmentOrdersSetFulfillmentDeadline"].clone()
    };
    let refused = deadline(json!([id, "gid://shopify/FulfillmentOrder/1"])).await;
    assert_eq!((&refused["success"], code(&refused)), (&json!(false), "FULFILLMENT_ORDERS_NOT_FOUND"));
    let line = shop.lines(order)[0];
    assert!(shop.market().ship_dates_set(line).is_empty());
    assert_eq!(deadline(json!([id])).await, json!({ "success": true, "userErrors": [] }));
    assert_eq!(shop.order(order).await["fulfillmentOrders"]["nodes"][0]["fulfillBy"], "2026-11-26T09:00:00Z");
    assert_eq!(shop.market().ship_dates_set(line), [at("2026-11-26T00:00:00Z").date_naive()]);
}

#[tokio::test]
async fn stock_is_set_once_for_each_idempotency_key() {
    let shop = Shop::open().await;
    let (tee, small, medium, _) = catalogue(&shop);
    let rows = json!([row(small.0, 9, json!(5)), row(medium.0, 0, Value::Null)]);
    let first = shop.set_stock("key-1", rows.clone()).await;
    assert_eq!(first["userErrors"], json!([]));
    assert!(first["inventoryAdjustmentGroup"]["id"].as_str().unwrap().starts_with("gid://shopify/"));
    assert_eq!(shop.set_stock("key-1", rows).await, first, "the same answer, and nothing done");
    assert_eq!(shop.market().quantities_set(tee, Some(small)), [9]);
    assert_eq!(shop.market().quantities_set(tee, Some(medium)), [0]);
    let mismatch = shop.set_stock("key-1", json!([row(small.0, 8, json!(9))])).await;
    assert_eq!(code(&mismatch), "IDEMPOTENCY_KEY_PARAMETER_MISMATCH");
    assert_eq!(shop.set_stock("key-2", json!([row(small.0, 8, json!(9))])).await["userErrors"], json!([]));
    assert_eq!(shop.market().quantities_set(tee, Some(small)), [9, 8]);
}

#[tokio::test]
async fn stock_without_the_directive_is_refused_from_2026_04_on() {
    let shop = Shop::open().await;
    let (tee, small, ..) = catalogue(&shop);
    let query = STOCK.replace("@idempotent(key: $key)", "").replace(", $key: String!", "");
    let input =
        json!({ "name": "available", "reason": "correction", "quantities": [row(small.0, 1, Value::Null)] });
    let answer = shop.ask(&query, "SetStock", json!({ "input": input })).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_REQUEST");
    assert!(answer["errors"][0]["message"].as_str().unwrap().contains("@idempotent"));
    assert_eq!(answer["data"]["inventorySetQuantities"], Value::Null);
    assert!(shop.market().quantities_set(tee, Some(small)).is_empty());
    let body = json!({ "query": query, "variables": { "input": input } });
    let response = shop.post("/admin/api/2026-01/graphql.json", ACCESS_TOKEN, body).await;
    assert!(response.json::<Value>().await.unwrap().get("errors").is_none());
    assert_eq!(shop.market().quantities_set(tee, Some(small)), [1]);
}

#[tokio::test]
async fn stock_is_compared_before_it_is_set_and_one_bad_row_stops_all() {
    let shop = Shop::open().await;
    let (tee, small, medium, cap) = catalogue(&shop);
    shop.face.set_tracked(cap, None, false);
    shop.face.put_location(Location { id: 13, name: "Osaka".into(), active: true });
    let mut elsewhere = row(small.0, 1, Value::Null);
    elsewhere["locationId"] = json!(OSAKA);
    let mut uncompared = row(small.0, 1, Value::Null);
    uncompared.as_object_mut().unwrap().remove("changeFromQuantity");
    for (at, (bad, code, field)) in [
        (row(small.0, 1, json!(4)), "CHANGE_FROM_QUANTITY_STALE", "changeFromQuantity"),
        (uncompared, "COMPARE_QUANTITY_REQUIRED", "changeFromQuantity"),
        (row(1, 1, Value::Null), "INVALID_INVENTORY_ITEM", "inventoryItemId"),
        (elsewhere, "INVALID_LOCATION", "locationId"),
        (row(small.0, -1, Value::Null), "INVALID_QUANTITY_NEGATIVE", "quantity"),
        (row(small.0, 1_000_000_001, Value::Null), "INVALID_QUANTITY_TOO_HIGH", "quantity"),
        (row(cap.0, 1, Value::Null), "NON_MUTABLE_INVENTORY_ITEM", "inventoryItemId"),
    ]
    .into_iter()
    .enumerate()
    {
        let payload = shop.set_stock(&format!("key-{at}"), json!([row(medium.0, 1, Value::Null), bad])).await;
        assert_eq!(payload["userErrors"][0]["code"], code, "{payload}");
        assert_eq!(payload["userErrors"][0]["field"], json!(["input", "quantities", "1", field]));
        assert_eq!(payload["inventoryAdjustmentGroup"], Value::Null);
    }
    let twice =
        shop.set_stock("twice", json!([row(small.0, 1, Value::Null), row(small.0, 2, Value::Null)])).await;
    assert_eq!(code(&twice), "NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR");
    assert!(shop.market().quantities_set(tee, Some(medium)).is_empty());
    for (name, reason, document, expected) in [
        ("incoming", "correction", "gid://app/1", "INVALID_NAME"),
        ("available", "whim", "gid://app/1", "INVALID_REASON"),
        ("available", "correction", "document 1", "INVALID_REFERENCE_DOCUMENT"),
    ] {
        let input =
            json!({ "name": name, "reason": reason, "referenceDocumentUri": document, "quantities": [] });
        let data = shop
            .data(STOCK, "SetStock", json!({ "key": name.to_owned() + reason + document, "input": input }))
            .await;
        assert_eq!(code(&data["inventorySetQuantities"]), expected);
    }
}

#[tokio::test]
async fn on_hand_counts_units_of_open_orders() {
    let shop = Shop::open().await;
    let (tee, small, ..) = catalogue(&shop);
    shop.place_draft(OrderDraft::of(vec![LineDraft::of_option(tee, small, 2)]));
    let query = format!(
        "{{ inventoryItem(id: \"gid://shopify/InventoryItem/{small}\") {{ inventoryLevels(first: 1) {{ nodes {{ quantities(names: [\"on_hand\", \"available\"]) {{ name quantity }} }} }} }} }}"
    );
    let quantities = async || {
        let data = shop.data(&query, "", json!({})).await;
        data["inventoryItem"]["inventoryLevels"]["nodes"][0]["quantities"].clone()
    };
    let both = json!([{ "name": "available", "quantity": 3 }, { "name": "on_hand", "quantity": 5 }]);
    assert_eq!(quantities().await, both);
    let input =
        json!({ "name": "on_hand", "reason": "correction", "quantities": [row(small.0, 12, json!(5))] });
    let data = shop.data(STOCK, "SetStock", json!({ "key": "k", "input": input })).await;
    assert_eq!(data["inventorySetQuantities"]["userErrors"], json!([]));
    assert_eq!(shop.market().quantity(tee, Some(small)), Some(10));
}

#[tokio::test]
async fn arrays_of_more_than_250_are_refused() {
    let shop = Shop::open().await;
    let (_, small, ..) = catalogue(&shop);
    let rows = |count: usize| json!(vec![row(small.0, 1, Value::Null); count]);
    let input = |count| json!({ "name": "available", "reason": "correction", "quantities": rows(count) });
    let answer = shop.ask(STOCK, "SetStock", json!({ "key": "k", "input": input(251) })).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "MAX_INPUT_SIZE_EXCEEDED");
    let answer = shop.ask(STOCK, "SetStock", json!({ "key": "k", "input": input(250) })).await;
    assert!(answer.get("errors").is_none());
    let ids = vec!["\"gid://shopify/FulfillmentOrder/1\""; 251].join(",");
    let query = format!(
        "mutation {{ fulfillmentOrdersSetFulfillmentDeadline(fulfillmentDeadline: \"2026-11-26T09:00:00Z\", fulfillmentOrderIds: [{ids}]) {{ success }} }}"
    );
    assert_eq!(shop.error_code(&query).await, "MAX_INPUT_SIZE_EXCEEDED");
}

#[tokio::test]
async fn variants_are_listed_with_their_stock_key_and_found_by_sku() {
    let shop = Shop::open().await;
    let (tee, small, medium, cap) = catalogue(&shop);
    let twin = ItemDraft::simple("TEE-01-RED-S", "Tシャツ赤S", Amount::whole(1980), 1);
    let twin = shop.market().list(twin).unwrap();
    let draft = ItemDraft {
        status: sales_channels_sandbox::market::ItemStatus::Waiting,
        ..ItemDraft::simple("NEW", "新", Amount::whole(1), 0)
    };
    shop.market().list(draft).unwrap();
    let found = async |query: &str| {
        let data = shop.data(VARIANTS, "Variants", json!({ "first": 10, "query": query })).await;
        data["productVariants"]["nodes"].as_array().unwrap().clone()
    };
    let id = |variant: u64| json!(format!("gid://shopify/ProductVariant/{variant}"));
    let ids = |rows: &[Value]| rows.iter().map(|row| row["id"].clone()).collect::<Vec<_>>();
    let active = found("product_status:active").await;
    assert_eq!(ids(&active), [id(small.0), id(medium.0), id(cap.0), id(twin.0)].to_vec());
    let first = &active[0];
    assert_eq!((&first["sku"], &first["title"]), (&json!("TEE-01-RED-S"), &json!("赤 / S")));
    assert_eq!(
        first["product"],
        json!({ "id": format!("gid://shopify/Product/{tee}"), "title": "Tシャツ", "status": "ACTIVE" })
    );
    assert_eq!(first["inventoryItem"]["tracked"], true);
    let level = &first["inventoryItem"]["inventoryLevels"]["nodes"][0];
    assert_eq!(level["location"]["id"], TOKYO);
    assert_eq!(level["quantities"][0], json!({ "name": "available", "quantity": 5 }));
    let by_sku = found("sku:'TEE-01-RED-S'").await;
    assert_eq!(ids(&by_sku), [id(small.0), id(twin.0)].to_vec(), "SKUs are not unique");
    assert_eq!(found("product_status:draft").await.len(), 1);
    let locations = shop.data(VARIANTS, "Locations", json!({})).await;
    assert_eq!(locations["locations"]["nodes"].as_array().unwrap().len(), 1, "the inactive one is left out");
    let all = shop
        .data("{ locations(first: 5, includeInactive: true) { nodes { name isActive } } }", "", json!({}))
        .await;
    assert_eq!(all["locations"]["nodes"][0], json!({ "name": "Old Warehouse", "isActive": false }));
}

#[tokio::test]
async fn the_shop_says_its_currency_and_zone() {
    let shop = Shop::open_with(Shopify::new().shop("USD", "America/New_York")).await;
    let data = shop.data(VARIANTS, "Whoami", json!({})).await;
    assert_eq!(
        (&data["shop"]["currencyCode"], &data["shop"]["ianaTimezone"]),
        (&json!("USD"), &json!("America/New_York"))
    );
    assert_eq!(data["shop"]["myshopifyDomain"], "sandbox-demo.myshopify.com");
}

async fn cancel(shop: &Shop, order: OrderNumber, restock: bool) -> Value {
    let variables = json!({
        "orderId": order_id(order),
        "reason": "INVENTORY",
        "restock": restock,
        "notify": true,
        "refund": { "originalPaymentMethodsRefund": true },
    });
    shop.data(CANCEL, "Cancel", variables).await["orderCancel"].clone()
}

#[tokio::test]
async fn cancelling_is_a_job_that_is_carried_out_later() {
    let shop = Shop::open_with(Shopify::new().cancel_seconds(5)).await;
    let (_, _, _, cap) = catalogue(&shop);
    let order = shop.place_draft(OrderDraft::of(vec![LineDraft::of(cap, 2)]));
    let answer = cancel(&shop, order, true).await;
    assert_eq!(answer["orderCancelUserErrors"], json!([]));
    assert_eq!(answer["job"]["done"], false);
    let id = answer["job"]["id"].as_str().unwrap().to_owned();
    let done = async || {
        let query = format!("{{ job(id: \"{id}\") {{ done }} }}");
        shop.data(&query, "", json!({})).await["job"]["done"].clone()
    };
    assert_eq!(done().await, false);
    assert_eq!(shop.order(order).await["cancelledAt"], Value::Null);
    shop.sandbox.advance(TimeDelta::seconds(5));
    assert_eq!(done().await, true);
    let shown = shop.order(order).await;
    assert_eq!(shown["cancelledAt"], "2026-11-24T03:00:05Z");
    assert_eq!(shown["cancelReason"], "INVENTORY");
    assert_eq!(shown["displayFinancialStatus"], "REFUNDED");
    assert_eq!(shown["lineItems"]["nodes"][0]["currentQuantity"], 0);
    assert_eq!(shop.market().quantity(cap, None), Some(3), "restocked");
    assert_eq!(shop.market().order(order).unwrap().mails.len(), 1);
    assert_eq!(shop.market().order(order).unwrap().claims[0].kind, ClaimKind::Cancel);
}

#[tokio::test]
async fn cancelling_refuses_what_is_gone_sent_or_unknown_and_restocks_only_if_asked() {
    let shop = Shop::open().await;
    let (_, _, _, cap) = catalogue(&shop);
    let order = shop.place_draft(OrderDraft::of(vec![LineDraft::of(cap, 2)]));
    cancel(&shop, order, false).await;
    assert_eq!(shop.market().quantity(cap, None), Some(1), "not restocked");
    let code = |answer: &Value| answer["orderCancelUserErrors"][0]["code"].clone();
    let again = cancel(&shop, order, false).await;
    assert_eq!((code(&again), &again["job"]), (json!("INVALID"), &Value::Null));
    let sent = shop.place(2);
    shop.market().back_office().ship_line(shop.lines(sent)[0], "x", "y").unwrap();
    assert_eq!(code(&cancel(&shop, sent, false).await), "INVALID");
    assert_eq!(code(&cancel(&shop, OrderNumber(1), false).await), "NOT_FOUND");
}

#[tokio::test]
async fn webhooks_are_signed_over_their_body_and_a_changed_byte_shows() {
    let body = br##"{"id":820982911946154508,"name":"#9999"}"##;
    let vector = "j3YIshZL/7bARdL+Vo9Loi7edJbdnTLUYLGgOO8C4GA=";
    assert_eq!(webhook_signature("shpss_0123456789abcdef", body), vector);
    let shop = Shop::open().await;
    let order = shop.place(1);
    let call = shop.face.webhook("orders/create", order).unwrap();
    let signature = webhook_signature(CLIENT_SECRET, call.body.as_bytes());
    assert_eq!(call.header("X-Shopify-Hmac-Sha256"), Some(&*signature));
    assert_ne!(webhook_signature(CLIENT_SECRET, call.body.replace("SKU-0", "SKU-1").as_bytes()), signature);
    assert_eq!(call.header("x-shopify-topic"), Some("orders/create"));
    assert_eq!(call.header("x-shopify-shop-domain"), Some("sandbox-demo.myshopify.com"));
    let sent: Value = serde_json::from_str(&call.body).unwrap();
    assert_eq!(sent["admin_graphql_api_id"], order_id(order));
    assert_eq!((&sent["id"], &sent["financial_status"]), (&json!(order.0), &json!("paid")));
    let again = shop.face.webhook("orders/create", order).unwrap();
    assert_ne!(again.header("X-Shopify-Webhook-Id"), call.header("X-Shopify-Webhook-Id"));
    assert!(shop.face.webhook("orders/create", OrderNumber(1)).is_none());
    let url = format!(
        "{}/faces/shopify/control/webhook?topic=orders/updated&order={order}",
        shop.sandbox.control_url()
    );
    let shown: Value = shop.client.get(url).send().await.unwrap().json().await.unwrap();
    assert_eq!(shown["headers"][1], json!(["X-Shopify-Topic", "orders/updated"]));
}

#[tokio::test]
async fn webhooks_are_subscribed_to_once_and_only_over_https() {
    let shop = Shop::open().await;
    let subscribe = async |uri: &str| {
        let variables = json!({ "topic": "ORDERS_CREATE", "subscription": { "uri": uri } });
        shop.data(WEBHOOK, "Subscribe", variables).await["webhookSubscriptionCreate"].clone()
    };
    let made = subscribe("https://example.com/hooks").await;
    assert_eq!(made["webhookSubscription"]["topic"], "ORDERS_CREATE");
    assert_eq!(made["webhookSubscription"]["uri"], "https://example.com/hooks");
    assert_eq!(
        message(&subscribe("https://example.com/hooks").await),
        "Address for this topic has already been taken"
    );
    assert_eq!(message(&subscribe("http://example.com/hooks").await), "Address protocol is not supported");
    assert_eq!(message(&subscribe("").await), "Address can't be blank");
}

#[tokio::test]
async fn operations_are_counted_by_their_first_field() {
    let shop = Shop::open().await;
    shop.ask(ORDERS, "Orders", json!({ "first": 1 })).await;
    shop.ask(ORDERS, "OrderById", json!({ "id": "x" })).await;
    shop.ask(STOCK, "SetStock", json!({})).await;
    refresh(&shop, REFRESH_TOKEN).await;
    shop.post("/nothing", "", json!({})).await;
    let counts = shop.sandbox.counts("shopify").unwrap();
    let names: Vec<&str> = counts.keys().map(String::as_str).collect();
    assert_eq!(names, ["inventorySetQuantities", "order", "orders", "token", "unknown"]);
}

#[tokio::test]
async fn the_control_port_switches_the_face() {
    let shop = Shop::open().await;
    let order = shop.place(1);
    let control = async |path: String, body: Value| {
        let url = format!("{}/faces/shopify/control{path}", shop.sandbox.control_url());
        shop.client.put(url).json(&body).send().await.unwrap().status().as_u16()
    };
    let hold = json!({ "hold": { "reason": "OTHER" }, "test": true });
    assert_eq!(control(format!("/orders/{order}"), hold).await, 200);
    let shown = shop.order(order).await;
    assert_eq!((&shown["displayFulfillmentStatus"], &shown["test"]), (&json!("ON_HOLD"), &json!(true)));
    let settings = json!({ "limited": true, "bucket": { "maximum": 5.0, "restore_rate": 1.0 } });
    assert_eq!(control("/settings".into(), settings).await, 200);
    let answer = shop.ask(ORDERS, "OrderById", json!({ "id": order_id(order) })).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "THROTTLED");
    assert_eq!(control("/settings".into(), json!({ "limit": true })).await, 422);
}
