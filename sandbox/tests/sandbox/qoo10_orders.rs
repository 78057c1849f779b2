use std::collections::BTreeSet;

use sales_channels_sandbox::Amount;
use sales_channels_sandbox::faces::qoo10::{OTHER_KEY, OTHER_SELLER, Qoo10};
use sales_channels_sandbox::market::{
    Axis, ItemId, LineDraft, LineNumber, OrderDraft, OrderNumber, ShipPromise,
};
use serde_json::{Value, json};

use crate::support::{Shop, at, json as json_of, numbers, rows};

const SEARCH: &str = "ShippingBasic.GetShippingInfo_v3";
const ONE: &str = "ShippingBasic.GetShippingAndClaimInfoByOrderNo_V2";

/// The cart of the sample file.
fn sample_cart() -> OrderDraft {
    let shirt = LineDraft {
        number: Some(LineNumber(1_062_428_737)),
        item: Some(ItemId(700_100_100)),
        axes: Some(vec![Axis::new("カラー", "赤"), Axis::new("サイズ", "S")]),
        option_sku: Some("TEE-01-RED-S".into()),
        discount: Amount::whole(100),
        ..LineDraft::unlisted("TEE-01", "オーガニックTシャツ 🌿", Amount::whole(1980), 2)
    };
    let cap = LineDraft {
        number: Some(LineNumber(1_062_428_738)),
        item: Some(ItemId(700_100_101)),
        ..LineDraft::unlisted("CAP-02", "キャップ", Amount::whole(2480), 1)
    };
    OrderDraft {
        number: Some(OrderNumber(300_100_200)),
        ordered_at: Some(at("2026-11-20T09:12:33+09:00")),
        paid_at: Some(at("2026-11-20T09:13:01+09:00")),
        shipping_fee: Amount::whole(500),
        message: "不在の場合は管理室に預けてください。".into(),
        ..OrderDraft::of(vec![shirt, cap])
    }
}

fn keys(row: &Value) -> BTreeSet<String> {
    row.as_object().unwrap().keys().cloned().collect()
}

async fn search(shop: &Shop, params: &[(&str, &str)]) -> Vec<Value> {
    rows(shop.call(SEARCH, params).await)
}

#[tokio::test]
async fn rows_have_the_fields_and_values_of_the_sample() {
    let shop = Shop::open().await;
    shop.market().buyer().place(sample_cart()).unwrap();
    let window = [("SearchStartDate", "20261120"), ("SearchEndDate", "20261120"), ("SearchCondition", "2")];
    let rows = search(&shop, &window).await;
    let sample: Value =
        serde_json::from_str(include_str!("../samples/qoo10/get_shipping_info_v3.response.json")).unwrap();
    let sample = sample["ResultObject"].as_array().unwrap();
    assert_eq!(keys(&rows[0]), keys(&sample[0]));
    let wanted = sample[0].as_object().unwrap();
    for (field, value) in wanted {
        assert_eq!(&rows[0][field], value, "{field}");
    }
    // The second sample row spells its numbers as texts; they are compared as what they mean.
    assert_eq!(rows[1]["OrderPrice"], 2480);
    assert_eq!(rows[1]["RelatedOrder"], "1062428737");
    assert_eq!((&rows[1]["ShippingRate"], &rows[1]["ShippingRateType"]), (&json!(0), &json!("Free")));
}

#[tokio::test]
async fn varied_rows_mix_numbers_and_texts_dates_and_statuses() {
    let shop = Shop::open_with(Qoo10::new()).await;
    shop.market().buyer().place(sample_cart()).unwrap();
    shop.place(10);
    let window = [("SearchStartDate", "20261101"), ("SearchEndDate", "20261130"), ("SearchCondition", "2")];
    let answer = shop.call(SEARCH, &window).await;
    let rows = answer["ResultObject"].as_array().unwrap();
    let row = |number: u64| rows.iter().find(|row| row["OrderNo"] == number).unwrap();
    assert_eq!(row(1_062_428_737)["OrderPrice"], 1980);
    assert_eq!(row(1_062_428_738)["OrderPrice"], "2480.00");
    assert_eq!(row(1_062_428_738)["OrderQty"], "1");
    assert!(rows.iter().any(|row| row["ShippingStatus"] == "2"));
    assert!(rows.iter().any(|row| row["ShippingStatus"] == "Request shipping(2)"));
    assert!(rows.iter().any(|row| row["PaymentDate"] == "2026/11/24 12:00"));
    assert!(rows.iter().any(|row| row["PaymentDate"] == "2026-11-24 12:00:00"));
    assert_eq!(
        answer,
        shop.call(SEARCH, &window).await.also_with_code(&answer),
        "a row reads the same each time"
    );
}

/// The envelope's code changes its spelling from answer to answer, the rows don't.
trait WithCode {
    fn also_with_code(self, of: &Value) -> Value;
}

impl WithCode for Value {
    fn also_with_code(mut self, of: &Value) -> Value {
        self["ResultCode"] = of["ResultCode"].clone();
        self
    }
}

#[tokio::test]
async fn each_status_shows_its_lines_and_blank_shows_one_to_three() {
    let shop = Shop::open().await;
    let market = shop.market();
    let lines = shop.place(5);
    let unpaid = market.buyer().place(OrderDraft { unpaid: true, ..OrderDraft::example() }).unwrap();
    let back_office = market.back_office();
    for &line in &lines[1..] {
        back_office.confirm(line, None).unwrap();
    }
    for &line in &lines[2..4] {
        back_office.ship_line(line, "ヤマト運輸", "1234").unwrap();
    }
    market.marketplace().deliver(lines[3]).unwrap();
    let shown = async |status| numbers(&shop.shown(status).await, "OrderNo");
    assert_eq!(shown("2").await, [lines[0].0]);
    assert_eq!(shown("3").await, [lines[1].0, lines[4].0]);
    assert_eq!(shown("4").await, [lines[2].0]);
    assert_eq!(shown("5").await, [lines[3].0]);
    assert_eq!(shown("").await, [lines[0].0, lines[1].0, lines[4].0]);
    assert_eq!(shown("0").await, shown("").await);
    assert!(shown("1").await.is_empty(), "it has no payment time yet");
    let by_order_date =
        [("ShippingStatus", "1"), ("SearchStartDate", "20261124"), ("SearchEndDate", "20261124")];
    let waiting = search(&shop, &by_order_date).await;
    assert_eq!(numbers(&waiting, "PackNo"), [unpaid.0]);
    assert_eq!(
        shop.code(SEARCH, &[("ShippingStatus", "6"), by_order_date[1], by_order_date[2]]).await,
        -10101
    );
}

#[tokio::test]
async fn windows_are_japanese_time_and_hold_both_ends_to_the_second() {
    let shop = Shop::open().await;
    for time in ["2026-11-19T23:59:59+09:00", "2026-11-20T00:00:00+09:00", "2026-11-20T10:00:00.900+09:00"] {
        shop.market().buyer().place(OrderDraft::example().paid_at(at(time))).unwrap();
    }
    for (start, end, found) in [
        ("20261120", "20261120", 2),
        ("20261119", "20261119", 1),
        ("20261119235959", "20261120000000", 2),
        ("20261120000001", "20261120095959", 0),
        ("20261120100000", "20261120100000", 1),
        ("20261119150000", "20261119235958", 0),
    ] {
        let params = [("SearchStartDate", start), ("SearchEndDate", end), ("SearchCondition", "2")];
        assert_eq!(search(&shop, &params).await.len(), found, "{start} {end}");
    }
    for (start, end) in [("", ""), ("20261120", ""), ("20261121", "20261120"), ("2026-11-20", "20261121")] {
        assert_eq!(shop.code(SEARCH, &[("SearchStartDate", start), ("SearchEndDate", end)]).await, -10002);
    }
}

#[tokio::test]
async fn the_condition_chooses_the_date() {
    let shop = Shop::open().await;
    let market = shop.market();
    let draft = OrderDraft {
        ordered_at: Some(at("2026-11-01T12:00:00+09:00")),
        paid_at: Some(at("2026-11-02T12:00:00+09:00")),
        ..OrderDraft::example()
    };
    let order = market.buyer().place(draft).unwrap();
    let line = market.lines_of(order)[0];
    shop.sandbox.set_now(at("2026-11-03T12:00:00+09:00"));
    market.back_office().ship_line(line, "佐川急便", "1").unwrap();
    shop.sandbox.set_now(at("2026-11-04T12:00:00+09:00"));
    market.marketplace().deliver(line).unwrap();
    for (condition, day) in [("1", "20261101"), ("2", "20261102"), ("3", "20261103"), ("4", "20261104")] {
        for other in ["20261101", "20261102", "20261103", "20261104"] {
            let params = [
                ("ShippingStatus", "5"),
                ("SearchCondition", condition),
                ("SearchStartDate", other),
                ("SearchEndDate", other),
            ];
            let found = search(&shop, &params).await.len();
            assert_eq!(found, usize::from(other == day), "condition {condition} on {other}");
        }
    }
}

#[tokio::test]
async fn a_cancel_request_is_still_listed_and_a_cancelled_line_is_not() {
    let shop = Shop::open().await;
    let lines = shop.place(2);
    shop.market().buyer().request_cancel(lines[0], "注文間違い").unwrap();
    assert_eq!(shop.shown("2").await.len(), 2);
    shop.market().back_office().cancel(lines[0], "").unwrap();
    assert_eq!(numbers(&shop.shown("2").await, "OrderNo"), [lines[1].0]);
}

#[tokio::test]
async fn a_seller_sees_only_their_own_orders() {
    let shop = Shop::open().await;
    let line = shop.place(1)[0];
    let draft = OrderDraft { seller: OTHER_SELLER.into(), ..OrderDraft::example() };
    let other = shop.market().buyer().place(draft).unwrap();
    let window = [("SearchStartDate", "20261124"), ("SearchEndDate", "20261124")];
    let request = shop.request_as(OTHER_KEY, SEARCH, &window);
    assert_eq!(numbers(&rows(json_of(request.send().await.unwrap()).await), "PackNo"), [other.0]);
    assert_eq!(numbers(&shop.shown("").await, "OrderNo"), [line.0]);
    let foreign = shop.market().lines_of(other)[0].to_string();
    assert_eq!(shop.code(ONE, &[("OrderNo", &foreign)]).await, -10003);
}

#[tokio::test]
async fn carts_of_several_orders_share_their_pack_number() {
    let shop = Shop::open().await;
    for _ in 0..2 {
        shop.market().buyer().place(OrderDraft { cart: Some(77), ..OrderDraft::example() }).unwrap();
    }
    let rows = shop.shown("2").await;
    assert_eq!(numbers(&rows, "PackNo"), [77, 77]);
    assert_eq!(rows[0]["RelatedOrder"], rows[1]["OrderNo"].to_string());
}

#[tokio::test]
async fn one_order_has_its_other_spellings_and_the_claim() {
    let shop = Shop::open().await;
    shop.market().buyer().place(sample_cart()).unwrap();
    let (line, number) = (LineNumber(1_062_428_737), "1062428737");
    let row = rows(shop.call(ONE, &[("OrderNo", number)]).await).remove(0);
    for (field, value) in [
        ("shippingStatus", json!("Request shipping(2)")),
        ("orderNo", json!(1_062_428_737)),
        ("packNo", json!(300_100_200)),
        ("orderDate", json!("2026-11-20 09:12:33")),
        ("PaymentDate", json!("2026-11-20 09:13:01")),
        ("buyer_gata", json!("ヤマダ ハナコ")),
        ("receiver_gata", json!("ヤマダ ハナコ")),
        ("zipCode", json!("100-0001")),
        ("shippingAddr", json!("東京都千代田区千代田1-1 テストビル101")),
        ("hopeDate", json!("")),
        ("ShippingMsg", json!("不在の場合は管理室に預けてください。")),
        ("itemCode", json!("700100100")),
        ("sellerItemCode", json!("TEE-01")),
        ("optionCode", json!("TEE-01-RED-S")),
        ("orderPrice", json!(1980)),
        ("orderQty", json!(2)),
        ("discount", json!(100)),
        ("total", json!(3860)),
        ("Cart_Discount_Seller", json!(0)),
        ("Cart_Discount_Qoo10", json!(0)),
        ("cod_price", json!(0)),
        ("deliveryCompany", json!("")),
        ("trackingNo", json!("")),
        ("claimStatus", json!("")),
        ("requestDate", json!("")),
    ] {
        assert_eq!(row[field], value, "{field}");
    }
    let promise =
        ShipPromise { date: "2026-11-26".parse().unwrap(), reason: String::new(), memo: String::new() };
    shop.market().back_office().confirm(line, Some(promise)).unwrap();
    shop.market().buyer().request_cancel(line, "注文間違い").unwrap();
    let row = rows(shop.call(ONE, &[("OrderNo", number)]).await).remove(0);
    assert_eq!(row["shippingStatus"], "Seller confirm(3)");
    assert_eq!((&row["claimStatus"], &row["reason"]), (&json!("1"), &json!("注文間違い")));
    assert_eq!(row["requestDate"], "2026-11-24 12:00:00");
    shop.market().back_office().cancel(line, "").unwrap();
    let row = rows(shop.call(ONE, &[("OrderNo", number)]).await).remove(0);
    assert_eq!((&row["claimStatus"], &row["cancelRefundDate"]), (&json!("3"), &json!("2026-11-24 12:00:00")));
}

#[tokio::test]
async fn order_numbers_that_lead_nowhere_have_their_codes() {
    let shop = Shop::open().await;
    assert_eq!(shop.code(ONE, &[("OrderNo", "12x")]).await, -10002);
    assert_eq!(shop.code(ONE, &[]).await, -10002);
    assert_eq!(shop.code(ONE, &[("OrderNo", "1")]).await, -10003);
}
