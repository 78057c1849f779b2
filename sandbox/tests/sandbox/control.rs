use serde_json::{Value, json};

use crate::support::Shop;

async fn post(shop: &Shop, path: &str, body: Value) -> Value {
    let (status, answer) = shop.control("POST", path, body).await;
    assert_eq!(status, 200, "{path}: {answer}");
    answer
}

async fn get(shop: &Shop, path: &str) -> Value {
    let (status, answer) = shop.control("GET", path, Value::Null).await;
    assert_eq!(status, 200, "{path}: {answer}");
    answer
}

async fn placed(shop: &Shop) -> (String, Value) {
    let draft = json!({
        "buyer": { "name": "김민지" },
        "lines": [
            { "title": "キャップ 🧢", "seller_code": "CAP-02", "unit_price": 2480, "quantity": 2 },
            { "title": "マグ", "seller_code": "MUG-03", "unit_price": "1200.50" },
        ],
    });
    let order = post(shop, "/orders", draft).await;
    (format!("/orders/{}", order["number"]), order)
}

#[tokio::test]
async fn an_order_lives_its_whole_life_over_http() {
    let shop = Shop::open().await;
    let (order, placed) = placed(&shop).await;
    assert_eq!((&placed["state"], &placed["lines"][1]["unit_price"]), (&json!("paid"), &json!(1200.5)));
    let first = &placed["lines"][0]["number"];
    post(&shop, &format!("{order}/confirm"), json!({ "ship_date": "2026-11-26" })).await;
    assert_eq!(get(&shop, &order).await["state"], "confirmed");
    post(&shop, &format!("{order}/ship-date"), json!({ "line": first, "ship_date": "2026-11-27" })).await;
    assert_eq!(get(&shop, &order).await["lines"][0]["promise"]["date"], "2026-11-27");
    post(&shop, &format!("{order}/ship"), json!({ "line": first, "carrier": "佐川急便", "tracking": "1" }))
        .await;
    assert_eq!(get(&shop, &order).await["state"], "partly_shipped");
    post(
        &shop,
        &format!("{order}/cancel"),
        json!({ "line": placed["lines"][1]["number"], "reason": "欠品" }),
    )
    .await;
    post(&shop, &format!("{order}/deliver"), json!({ "line": first })).await;
    let now = get(&shop, &order).await;
    assert_eq!(now["state"], "delivered");
    assert_eq!(now["parcels"][0]["tracking"], "1");
    let record = get(&shop, &format!("/record?order={}", placed["number"])).await;
    let actions: Vec<_> =
        record.as_array().unwrap().iter().map(|event| event["action"].as_str().unwrap()).collect();
    assert_eq!(
        actions,
        ["placed", "confirmed", "confirmed", "ship_date_set", "shipped", "cancelled", "delivered"]
    );
    assert_eq!((&record[0]["by"], &record[1]["by"]), (&json!("buyer"), &json!("back_office")));
    let after = get(&shop, &format!("/record?after={}&line={first}", record[1]["seq"])).await;
    assert_eq!(after.as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn a_buyer_asks_to_cancel_and_takes_it_back() {
    let shop = Shop::open().await;
    let (order, _) = placed(&shop).await;
    post(&shop, &format!("{order}/request-cancel"), json!({ "reason": "注文間違い" })).await;
    assert_eq!(get(&shop, &order).await["claims"][0]["state"], "requested");
    post(&shop, &format!("{order}/withdraw-cancel"), json!({})).await;
    let claims = get(&shop, &order).await["claims"].clone();
    assert!(claims.as_array().unwrap().iter().all(|claim| claim["state"] == "withdrawn"), "{claims}");
    post(&shop, &format!("{order}/request-cancel"), json!({})).await;
    post(&shop, &format!("{order}/move-claim"), json!({ "state": "in_progress" })).await;
    assert_eq!(get(&shop, &order).await["claims"][2]["state"], "in_progress");
}

#[tokio::test]
async fn unpaid_orders_are_paid_and_returns_are_asked_for() {
    let shop = Shop::open().await;
    let draft = json!({ "unpaid": true, "lines": [{ "title": "a" }] });
    let number = post(&shop, "/orders", draft).await["number"].to_string();
    let order = format!("/orders/{number}");
    assert_eq!(get(&shop, &order).await["state"], "awaiting_payment");
    post(&shop, &format!("{order}/pay"), Value::Null).await;
    post(&shop, &format!("{order}/ship"), json!({ "carrier": "a", "tracking": "b" })).await;
    post(&shop, &format!("{order}/request-return"), json!({})).await;
    assert_eq!(get(&shop, &order).await["claims"][0]["kind"], "return");
    assert_eq!(get(&shop, "/orders").await[0]["state"], "shipped");
}

#[tokio::test]
async fn items_are_listed_and_their_stock_is_changed() {
    let shop = Shop::open().await;
    let draft = json!({
        "seller_code": "TEE-01", "title": "Tシャツ", "price": 1980,
        "options": [{ "axes": [{ "name": "サイズ", "value": "S" }], "sku": "TEE-01-S", "quantity": 3 }],
    });
    let item = post(&shop, "/items", draft).await;
    let path = format!("/items/{}", item["id"]);
    let change = json!({ "option": item["options"][0]["id"], "quantity": 8 });
    let (status, _) = shop.control("PUT", &format!("{path}/quantity"), change).await;
    assert_eq!(status, 200);
    assert_eq!(get(&shop, &path).await["options"][0]["quantity"], 8);
    assert_eq!(get(&shop, "/items").await.as_array().unwrap().len(), 1);
    let record = get(&shop, &format!("/record?item={}", item["id"])).await;
    assert_eq!((&record[0]["action"], &record[0]["quantity"]), (&json!("quantity_set"), &json!(8)));
}

#[tokio::test]
async fn faults_time_counters_and_settings_are_set_over_http() {
    let shop = Shop::open().await;
    let rule = json!({
        "face": "qoo10", "operation": "ItemsLookup.GetAllGoodsInfo", "times": { "next": 2 },
        "fault": { "kind": "status", "status": 429, "retry_after": 3, "moment": "before_handling" },
    });
    post(&shop, "/faults", rule).await;
    let goods = [("ItemStatus", "S2"), ("Page", "1")];
    assert_eq!(shop.request("ItemsLookup.GetAllGoodsInfo", &goods).send().await.unwrap().status(), 429);
    assert_eq!(get(&shop, "/faults").await[0]["times"]["next"], 1);
    assert_eq!(shop.control("DELETE", "/faults", Value::Null).await.0, 200);
    assert_eq!(shop.code("ItemsLookup.GetAllGoodsInfo", &goods).await, 0);
    let counts = get(&shop, "/faces/qoo10/counts").await;
    assert_eq!(counts["ItemsLookup.GetAllGoodsInfo"], json!({ "received": 2, "handled": 1 }));
    assert_eq!(get(&shop, "/faces/qoo10/requests").await[1]["method"], "POST");

    let (_, clock) = shop.control("PUT", "/clock", json!({ "advance_seconds": 60 })).await;
    assert_eq!(clock["now"], "2026-11-24T03:01:00Z");
    let (_, clock) = shop.control("PUT", "/clock", json!({ "now": "2027-01-01T00:00:00+09:00" })).await;
    assert_eq!(clock["now"], "2026-12-31T15:00:00Z");

    let key = json!({ "key": sales_channels_sandbox::faces::qoo10::KEY, "state": "expired" });
    assert_eq!(shop.control("PUT", "/faces/qoo10/control/keys", key).await.0, 200);
    assert_eq!(shop.code("ItemsLookup.GetAllGoodsInfo", &goods).await, -90004);
    let settings = json!({ "wording": "varied" });
    assert_eq!(shop.control("PUT", "/faces/qoo10/control/settings", settings).await.0, 200);
    let answers = [
        shop.call("ItemsLookup.GetAllGoodsInfo", &goods).await,
        shop.call("ItemsLookup.GetAllGoodsInfo", &goods).await,
    ];
    assert!(answers.iter().any(|answer| answer["ResultCode"] == "-90004"), "{answers:?}");
}

#[tokio::test]
async fn sample_orders_are_made_over_http() {
    let shop = Shop::open().await;
    let made = post(&shop, "/sample", json!({ "orders": 12, "seed": 3 })).await;
    assert_eq!(made, json!({ "items": 6, "orders": 12 }));
    assert_eq!(get(&shop, "/orders").await.as_array().unwrap().len(), 12);
    assert!(shop.shown("2").await.len() >= 12);
}

#[tokio::test]
async fn what_can_not_be_done_is_an_error_with_its_reason() {
    let shop = Shop::open().await;
    let (order, placed) = placed(&shop).await;
    let other = post(&shop, "/orders", json!({ "lines": [{ "title": "a" }] })).await;
    for (method, path, body, status, reason) in [
        ("GET", "/orders/5".to_owned(), Value::Null, 404, "no such order"),
        ("POST", "/orders/5/confirm".to_owned(), json!({}), 404, "no such order"),
        (
            "POST",
            format!("{order}/confirm"),
            json!({ "line": other["lines"][0]["number"] }),
            404,
            "no such line",
        ),
        ("POST", format!("{order}/deliver"), json!({}), 409, "not possible in state Paid"),
        ("POST", "/orders".to_owned(), json!({}), 400, "an order needs at least one line"),
        (
            "POST",
            "/orders".to_owned(),
            json!({ "number": placed["number"], "lines": [{}] }),
            409,
            "the number is taken",
        ),
        ("GET", "/items/5".to_owned(), Value::Null, 404, "no such item"),
        ("GET", "/faces/nowhere/counts".to_owned(), Value::Null, 404, "the sandbox has no face nowhere"),
        (
            "POST",
            "/faults".to_owned(),
            json!({ "face": "nowhere", "times": { "next": 1 }, "fault": { "kind": "cut" } }),
            404,
            "the sandbox has no face nowhere",
        ),
        (
            "POST",
            "/faults".to_owned(),
            json!({ "times": { "next": 1 }, "fault": { "kind": "status", "status": 99 } }),
            400,
            "no such fault: status 99 is not in 200 to 599",
        ),
    ] {
        let answer = shop.control(method, &path, body).await;
        assert_eq!(answer, (status, json!({ "error": reason })), "{method} {path}");
    }
    let (status, answer) = shop.control("POST", &format!("{order}/ship"), json!({ "trakking": "1" })).await;
    assert_eq!(status, 422);
    assert!(answer["error"].as_str().unwrap().contains("unknown field `trakking`"), "{answer}");
}

#[tokio::test]
async fn the_front_page_tells_where_everything_is() {
    let shop = Shop::open().await;
    let page = get(&shop, "/").await;
    assert_eq!(page["faces"]["qoo10"]["base_url"], shop.url(""));
    assert_eq!(
        page["faces"]["qoo10"]["credentials"],
        shop.sandbox.describe()["faces"]["qoo10"]["credentials"]
    );
}
