use std::collections::BTreeSet;

use sales_channels_sandbox::Amount;
use sales_channels_sandbox::faces::qoo10::OTHER_SELLER;
use sales_channels_sandbox::market::{ClaimKind, ClaimState, ItemDraft, LineDraft, LineState, OrderDraft};
use serde_json::Value;

use crate::support::{Shop, at, numbers, rows};

const SEARCH: &str = "ShippingBasic.GetClaimInfo_V3";
const CANCEL: &str = "Claim.SetCancelProcess";

async fn claims(shop: &Shop, status: &str, condition: &str, day: &str) -> Vec<u64> {
    let params = [
        ("ClaimStat", status),
        ("search_condition", condition),
        ("search_Sdate", day),
        ("search_Edate", day),
    ];
    numbers(&rows(shop.call(SEARCH, &params).await), "orderNo")
}

#[tokio::test]
async fn claims_are_found_by_status() {
    let shop = Shop::open().await;
    let market = shop.market();
    let lines = shop.place(7);
    for &line in &lines[3..6] {
        market.back_office().ship_line(line, "その他", "1").unwrap();
    }
    market.buyer().request_cancel(lines[0], "注文間違い").unwrap();
    market.buyer().request_cancel(lines[1], "").unwrap();
    market.back_office().move_claim(lines[1], ClaimKind::Cancel, ClaimState::InProgress).unwrap();
    market.back_office().cancel(lines[2], "欠品").unwrap();
    market.buyer().claim(lines[3], ClaimKind::Return, "").unwrap();
    market.buyer().claim(lines[4], ClaimKind::Exchange, "").unwrap();
    market.buyer().claim(lines[5], ClaimKind::NotReceived, "").unwrap();
    for (status, line) in [("1", 0), ("2", 1), ("3", 2), ("4", 3), ("11", 4), ("14", 5)] {
        assert_eq!(claims(&shop, status, "2", "20261124").await, [lines[line].0], "{status}");
    }
    assert_eq!(claims(&shop, "", "2", "20261124").await.len(), 6);
    assert!(claims(&shop, "16", "2", "20261124").await.is_empty());
}

#[tokio::test]
async fn a_claim_row_has_the_fields_of_the_sample() {
    let shop = Shop::open().await;
    let line = shop.place(1)[0];
    shop.market().buyer().request_cancel(line, "注文間違い").unwrap();
    let params = [("ClaimStat", "1"), ("search_Sdate", "20261124"), ("search_Edate", "20261124")];
    let row = rows(shop.call(SEARCH, &params).await).remove(0);
    let sample: Value =
        serde_json::from_str(include_str!("../samples/qoo10/get_claim_info_v3.response.json")).unwrap();
    let keys = |row: &Value| row.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    assert!(keys(&row).is_superset(&keys(&sample["ResultObject"][0])), "{row}");
    assert_eq!(row["claimStatus"], "1");
    assert_eq!(row["reason"], "注文間違い");
    assert_eq!(row["requestDate"], "2026-11-24 12:00:00");
}

#[tokio::test]
async fn a_withdrawn_request_is_not_shown_any_more() {
    let shop = Shop::open().await;
    let line = shop.place(1)[0];
    shop.market().buyer().request_cancel(line, "").unwrap();
    assert_eq!(claims(&shop, "1", "2", "20261124").await, [line.0]);
    shop.market().buyer().withdraw_cancel(line).unwrap();
    assert!(claims(&shop, "", "2", "20261124").await.is_empty());
    let row = rows(
        shop.call("ShippingBasic.GetShippingAndClaimInfoByOrderNo_V2", &[("OrderNo", &line.to_string())])
            .await,
    );
    assert_eq!(row[0]["claimStatus"], "");
}

#[tokio::test]
async fn the_condition_chooses_the_date_of_a_claim() {
    let shop = Shop::open().await;
    let draft = OrderDraft::example().paid_at(at("2026-11-22T12:00:00+09:00"));
    let order = shop.market().buyer().place(draft).unwrap();
    let line = shop.market().lines_of(order)[0];
    shop.sandbox.set_now(at("2026-11-23T12:00:00+09:00"));
    shop.market().buyer().request_cancel(line, "").unwrap();
    shop.sandbox.set_now(at("2026-11-24T12:00:00+09:00"));
    shop.market().back_office().cancel(line, "").unwrap();
    for (condition, day) in [("1", "20261122"), ("2", "20261123"), ("3", "20261124")] {
        for other in ["20261122", "20261123", "20261124"] {
            let found = claims(&shop, "3", condition, other).await.len();
            assert_eq!(found, usize::from(other == day), "condition {condition} on {other}");
        }
    }
}

#[tokio::test]
async fn bad_searches_have_their_codes() {
    let shop = Shop::open().await;
    for (status, start, end, code) in [
        ("1", "20260827", "20261124", 0),
        ("1", "20260826", "20261124", -10003),
        ("1", "", "20261124", -10002),
        ("1", "20261125", "20261124", -10002),
        ("1", "yesterday", "20261124", -10002),
        ("7", "20261124", "20261124", -10101),
    ] {
        let params = [("ClaimStat", status), ("search_Sdate", start), ("search_Edate", end)];
        assert_eq!(shop.code(SEARCH, &params).await, code, "{params:?}");
    }
}

#[tokio::test]
async fn the_seller_cancels_one_line_and_its_units_go_back_on_sale() {
    let shop = Shop::open().await;
    let item = shop.list(ItemDraft::simple("CAP-02", "キャップ", Amount::whole(2480), 5));
    let draft = OrderDraft::of(vec![LineDraft::of(item, 2), LineDraft::of(item, 1)]);
    let order = shop.market().buyer().place(draft).unwrap();
    assert_eq!(shop.market().quantity(item, None), Some(2));
    let lines = shop.market().lines_of(order);
    shop.market().buyer().request_cancel(lines[0], "").unwrap();
    assert_eq!(shop.code(CANCEL, &[("ContrNo", &lines[0].to_string()), ("CancelReason", "1")]).await, 0);
    assert_eq!(shop.market().quantity(item, None), Some(4));
    assert_eq!(shop.market().line(lines[0]).unwrap().state, LineState::Cancelled);
    assert_eq!(shop.market().line(lines[1]).unwrap().state, LineState::Paid);
    assert_eq!(claims(&shop, "3", "2", "20261124").await, [lines[0].0]);
}

#[tokio::test]
async fn refused_cancellations_have_their_codes() {
    let shop = Shop::open().await;
    let line = shop.place(1)[0];
    shop.market().back_office().ship_line(line, "その他", "1").unwrap();
    let other = OrderDraft { seller: OTHER_SELLER.into(), ..OrderDraft::example() };
    let other = shop.market().buyer().place(other).unwrap();
    let other = shop.market().lines_of(other)[0].to_string();
    let shipped = line.to_string();
    for (number, reason, code) in [
        ("x", "", -10001),
        ("", "", -10001),
        ("5", "", -10002),
        (&*other, "", -10003),
        (&*shipped, "", -10004),
        (&*shipped, "9", -10101),
    ] {
        assert_eq!(
            shop.code(CANCEL, &[("ContrNo", number), ("CancelReason", reason)]).await,
            code,
            "{number}"
        );
    }
}
