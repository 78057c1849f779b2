use sales_channels_sandbox::market::{LineState, OrderDraft};
use serde_json::{Value, json};

use crate::support::{Shop, rows};

const ONE: &str = "ShippingBasic.SetSendingInfo";
const BULK: &str = "ShippingBasic.SetSendingInfoBulk";

fn sending<'a>(order_no: &'a str, carrier: &'a str, tracking: &'a str) -> [(&'a str, &'a str); 3] {
    [("OrderNo", order_no), ("ShippingCorp", carrier), ("TrackingNo", tracking)]
}

#[tokio::test]
async fn sending_moves_one_line_of_the_cart_to_in_delivery() {
    let shop = Shop::open().await;
    let lines = shop.place(2);
    shop.market().back_office().confirm(lines[0], None).unwrap();
    let answer = shop.call(ONE, &sending(&lines[0].to_string(), "ヤマト運輸", "1234-5678")).await;
    let sample: Value =
        serde_json::from_str(include_str!("../samples/qoo10/set_sending_info.response.json")).unwrap();
    assert_eq!(answer, sample);
    assert_eq!(shop.market().line(lines[1]).unwrap().state, LineState::Paid);
    let row = &shop.shown("4").await[0];
    assert_eq!(row["ShippingStatus"], "On delivery(4)");
    assert_eq!((&row["DeliveryCompany"], &row["TrackingNo"]), (&json!("ヤマト運輸"), &json!("1234-5678")));
    assert_eq!(row["ShippingDate"], "2026-11-24 12:00:00");
}

#[tokio::test]
async fn a_second_sending_is_refused_and_stands_in_the_record() {
    let shop = Shop::open().await;
    let line = shop.place(1)[0];
    let number = line.to_string();
    assert_eq!(shop.code(ONE, &sending(&number, "Qxpress", "A1")).await, 0);
    assert_eq!(shop.code(ONE, &sending(&number, "Qxpress", "A2")).await, -10101);
    assert_eq!(shop.market().dispatches(line), ["A1"]);
    assert_eq!(shop.market().record_of(line).len(), 2);
}

#[tokio::test]
async fn sendings_that_can_not_be_are_refused() {
    let shop = Shop::open().await;
    let line = shop.place(1)[0];
    let unpaid = shop.market().buyer().place(OrderDraft { unpaid: true, ..OrderDraft::example() }).unwrap();
    let unpaid = shop.market().lines_of(unpaid)[0].to_string();
    let number = line.to_string();
    let (long_carrier, long_tracking) = ("あ".repeat(201), "1".repeat(51));
    for params in [
        sending("", "Qxpress", "A1"),
        sending("5", "Qxpress", "A1"),
        sending(&number, "", "A1"),
        sending(&number, "Qxpress", ""),
        sending(&number, &long_carrier, "A1"),
        sending(&number, "Qxpress", &long_tracking),
        sending(&unpaid, "Qxpress", "A1"),
    ] {
        assert_eq!(shop.code(ONE, &params).await, -10101, "{params:?}");
    }
    assert!(shop.market().dispatches(line).is_empty());
}

#[tokio::test]
async fn the_bulk_call_answers_row_by_row_with_the_carrier() {
    let shop = Shop::open().await;
    let lines = shop.place(2);
    let list = json!([
        { "OrderNo": lines[0].to_string(), "ShippingCorp": "Qxpress", "TrackingNo": "A1" },
        { "OrderNo": lines[1].to_string(), "ShippingCorp": "佐川急便", "TrackingNo": "" },
    ]);
    let rows = rows(shop.call(BULK, &[("ShippingInfoJson", &list.to_string())]).await);
    let first = json!({ "contr_no": lines[0].0, "result_cd": 0, "transc_nm": "Qxpress", "ResultCode": 0, "ResultMsg": "SUCCESS" });
    assert_eq!(rows[0], first);
    assert_eq!((&rows[1]["result_cd"], &rows[1]["transc_nm"]), (&json!(-10101), &json!("佐川急便")));
}

#[tokio::test]
async fn the_bulk_call_takes_five_hundred() {
    let shop = Shop::open().await;
    let lines = shop.place(501);
    let list = |count: usize| {
        let row =
            |line: &_| json!({ "OrderNo": format!("{line}"), "ShippingCorp": "Qxpress", "TrackingNo": "A1" });
        Value::from(lines[..count].iter().map(row).collect::<Vec<_>>()).to_string()
    };
    assert_eq!(shop.code(BULK, &[("ShippingInfoJson", &list(501))]).await, -10011);
    assert!(shop.shown("4").await.is_empty());
    assert_eq!(rows(shop.call(BULK, &[("ShippingInfoJson", &list(500))]).await).len(), 500);
    assert_eq!(shop.shown("4").await.len(), 500);
}
