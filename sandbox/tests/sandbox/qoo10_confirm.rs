use sales_channels_sandbox::faces::qoo10::{Qoo10, ShipToday, Wording};
use sales_channels_sandbox::market::{Action, Actor, LineState, OrderDraft, Refusal};
use serde_json::{Value, json};

use crate::support::{Shop, rows};

const ONE: &str = "ShippingBasic.SetSellerCheckYN_V2";
const BULK: &str = "ShippingBasic.SetSellerCheckYNBulk";

async fn bulk(shop: &Shop, orders: Value) -> Value {
    shop.call(BULK, &[("SendPlanDtInfoJson", &orders.to_string())]).await
}

fn codes(answer: Value) -> Vec<i64> {
    rows(answer).iter().map(|row| row["result_cd"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn confirming_moves_one_line_of_the_cart_and_keeps_its_date() {
    let shop = Shop::open().await;
    let lines = shop.place(2);
    let params = [
        ("OrderNo", &*lines[0].to_string()),
        ("EstShipDt", "20261126"),
        ("DelayType", "2"),
        ("DelayMemo", "受注生産です"),
    ];
    assert_eq!(shop.call(ONE, &params).await, json!({ "ResultCode": 0, "ResultMsg": "SUCCESS" }));
    let (done, other) = (shop.market().line(lines[0]).unwrap(), shop.market().line(lines[1]).unwrap());
    assert_eq!((done.state, other.state), (LineState::Confirmed, LineState::Paid));
    let promise = done.promise.unwrap();
    assert_eq!((promise.reason.as_str(), promise.memo.as_str()), ("2", "受注生産です"));
    assert_eq!(shop.shown("3").await[0]["EstimatedShippingDate"], "2026-11-26");
    assert!(shop.shown("3").await[0]["PackingNo"].as_str().unwrap().starts_with("JPP"));
    let record = shop.market().record_of(lines[0]);
    let [event] = record.as_slice() else { panic!("{record:?}") };
    assert_eq!(event.actor, Actor::Api { face: "qoo10".into(), operation: ONE.into() });
    assert_eq!(event.action, Action::Confirmed { ship_date: Some("2026-11-26".parse().unwrap()) });
}

#[tokio::test]
async fn the_single_call_needs_no_date() {
    let shop = Shop::open().await;
    let line = shop.place(1)[0];
    assert_eq!(shop.code(ONE, &[("OrderNo", &line.to_string())]).await, 0);
    assert_eq!(shop.market().confirmations(line), 1);
    assert!(shop.market().ship_dates_set(line).is_empty());
}

#[tokio::test]
async fn refusals_of_the_single_call_have_their_codes() {
    let shop = Shop::open().await;
    let lines = shop.place(4);
    let back_office = shop.market().back_office();
    back_office.confirm(lines[1], None).unwrap();
    back_office.ship_line(lines[2], "その他", "1").unwrap();
    back_office.cancel(lines[3], "").unwrap();
    let unpaid = shop.market().buyer().place(OrderDraft { unpaid: true, ..OrderDraft::example() }).unwrap();
    let unpaid = shop.market().lines_of(unpaid)[0];
    let long = "あ".repeat(1001);
    for (number, date, delay_type, memo, code) in [
        (lines[1].to_string(), "20261125", "", "", -10012),
        (lines[2].to_string(), "20261125", "", "", -10013),
        (lines[3].to_string(), "20261125", "", "", -10013),
        (unpaid.to_string(), "20261125", "", "", -10013),
        (lines[0].to_string(), "20261123", "", "", -10018),
        (lines[0].to_string(), "20261225", "", "", -10017),
        (lines[0].to_string(), "2026-11-25", "", "", -10101),
        (lines[0].to_string(), "20261125", "5", "", -10101),
        (lines[0].to_string(), "20261125", "4", &long, -10101),
        ("1".to_owned(), "20261125", "", "", -10101),
        ("one".to_owned(), "20261125", "", "", -10101),
    ] {
        let params =
            [("OrderNo", &*number), ("EstShipDt", date), ("DelayType", delay_type), ("DelayMemo", memo)];
        assert_eq!(shop.code(ONE, &params).await, code, "{number} {date} {delay_type}");
    }
    assert_eq!(shop.market().line(lines[0]).unwrap().state, LineState::Paid);
}

#[tokio::test]
async fn today_is_taken_as_a_ship_date_unless_it_is_switched_off() {
    for (ship_today, code) in [(ShipToday::Taken, 0), (ShipToday::Refused, -10018)] {
        let shop = Shop::open_with(Qoo10::new().wording(Wording::Uniform).ship_today(ship_today)).await;
        let line = shop.place(1)[0].to_string();
        assert_eq!(shop.code(ONE, &[("OrderNo", &line), ("EstShipDt", "20261124")]).await, code);
    }
}

#[tokio::test]
async fn the_bulk_call_answers_row_by_row() {
    let shop = Shop::open().await;
    let lines = shop.place(6);
    shop.market().back_office().confirm(lines[1], None).unwrap();
    shop.market().back_office().cancel(lines[2], "").unwrap();
    let order = |at: usize, date: &str| json!({ "OrderNo": lines[at].to_string(), "EstShipDt": date, "DelayType": "", "DelayMemo": "" });
    let orders = json!([
        order(0, "20261125"),
        order(1, "20261125"),
        order(2, "20261125"),
        order(3, ""),
        order(4, "20270101"),
        order(5, "20261101"),
        { "OrderNo": "7", "EstShipDt": "20261125" },
    ]);
    let answer = bulk(&shop, orders).await;
    let first = json!({ "cont_no": lines[0].0, "result_cd": 0, "ResultCode": 0, "ResultMsg": "SUCCESS" });
    assert_eq!(answer["ResultObject"][0], first);
    assert_eq!(codes(answer), [0, -10012, -10013, -10016, -10017, -10018, -10101]);
}

#[tokio::test]
async fn the_bulk_answer_has_the_fields_of_the_sample() {
    let shop = Shop::open().await;
    let line = shop.place(1)[0].to_string();
    let twice =
        json!([{ "OrderNo": line, "EstShipDt": "20261125" }, { "OrderNo": line, "EstShipDt": "20261125" }]);
    let mut answer = bulk(&shop, twice).await;
    let sample: Value =
        serde_json::from_str(include_str!("../samples/qoo10/set_seller_check_bulk.response.json")).unwrap();
    for at in 0..2 {
        answer["ResultObject"][at]["cont_no"] = sample["ResultObject"][at]["cont_no"].clone();
    }
    assert_eq!(answer, sample);
}

#[tokio::test]
async fn five_hundred_are_taken_and_one_more_refuses_all() {
    let shop = Shop::open().await;
    let lines = shop.place(501);
    let orders = |count: usize| -> Value {
        lines[..count]
            .iter()
            .map(|line| json!({ "OrderNo": line.to_string(), "EstShipDt": "20261125" }))
            .collect()
    };
    let answer = bulk(&shop, orders(501)).await;
    assert_eq!(answer, json!({ "ResultCode": -10011, "ResultMsg": "Over the limit" }));
    assert_eq!(shop.shown("3").await.len(), 0);
    assert_eq!(codes(bulk(&shop, orders(500)).await), vec![0; 500]);
}

#[tokio::test]
async fn a_malformed_list_is_refused_as_a_whole() {
    let shop = Shop::open().await;
    for list in ["", "{}", "[1]", "[{]"] {
        assert_eq!(shop.code(BULK, &[("SendPlanDtInfoJson", list)]).await, -10101, "{list}");
    }
}

#[tokio::test]
async fn a_second_attempt_is_refused_and_stands_in_the_record() {
    let shop = Shop::open().await;
    let line = shop.place(1)[0];
    let params = [("OrderNo", &*line.to_string()), ("EstShipDt", "20261125")];
    assert_eq!(shop.code(ONE, &params).await, 0);
    assert_eq!(shop.code(ONE, &params).await, -10012);
    let refused: Vec<_> = shop.market().record_of(line).into_iter().map(|event| event.refused).collect();
    assert_eq!(refused, [None, Some(Refusal::AlreadyConfirmed)]);
    assert_eq!(shop.market().confirmations(line), 1);
}
