use sales_channels_sandbox::Amount;
use sales_channels_sandbox::faces::qoo10::{OTHER_SELLER, Qoo10, Wording};
use sales_channels_sandbox::market::{Axis, ItemDraft, ItemStatus};
use serde_json::{Value, json};

use crate::support::{Shop, rows};

const ALL: &str = "ItemsLookup.GetAllGoodsInfo";
const OPTIONS: &str = "ItemsLookup.GetGoodsInventoryInfo";
const DETAIL: &str = "ItemsLookup.GetItemDetailInfo";

fn simple(code: &str) -> ItemDraft {
    ItemDraft::simple(code, "キャップ", Amount::whole(2480), 5)
}

#[tokio::test]
async fn items_come_in_pages_by_status() {
    let shop = Shop::open_with(Qoo10::new().wording(Wording::Uniform).page_size(2)).await;
    let ids: Vec<_> = (0..5).map(|n| shop.list(simple(&format!("CAP-{n}"))).to_string()).collect();
    shop.list(ItemDraft { status: ItemStatus::Waiting, ..simple("WAIT") });
    shop.list(ItemDraft { seller: OTHER_SELLER.into(), ..simple("OTHER") });
    let page =
        async |page| shop.call(ALL, &[("ItemStatus", "S2"), ("Page", page)]).await["ResultObject"].clone();
    let codes = |page: &Value| -> Vec<String> {
        page["Items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["ItemCode"].as_str().unwrap().to_owned())
            .collect()
    };
    let (first, third, fourth) = (page("1").await, page("3").await, page("4").await);
    assert_eq!(
        (&first["TotalItems"], &first["TotalPages"], &first["PresentPage"]),
        (&json!(5), &json!(3), &json!(1))
    );
    assert_eq!(codes(&first), ids[..2]);
    assert_eq!(codes(&third), ids[4..]);
    assert!(codes(&fourth).is_empty());
    let waiting = shop.call(ALL, &[("ItemStatus", "S1"), ("Page", "1")]).await;
    assert_eq!(waiting["ResultObject"]["Items"][0]["SellerCode"], "WAIT");
    for params in [[("ItemStatus", "S9"), ("Page", "1")], [("ItemStatus", "S2"), ("Page", "0")]] {
        assert_eq!(shop.code(ALL, &params).await, -10101);
    }
}

#[tokio::test]
async fn the_page_and_the_options_look_like_the_samples() {
    let shop = Shop::open().await;
    let axes = vec![Axis::new("カラー", "赤"), Axis::new("サイズ", "S")];
    let id = shop.list(ItemDraft::simple("TEE-01", "Tシャツ", Amount::whole(1980), 0).with_option(
        axes,
        "TEE-01-RED-S",
        12,
    ));
    shop.list(simple("CAP-02"));
    let sample = |text| serde_json::from_str::<Value>(text).unwrap();
    let page = shop.call(ALL, &[("ItemStatus", "S2"), ("Page", "1")]).await;
    assert_eq!(page, sample(include_str!("../samples/qoo10/get_all_goods_info.response.json")));
    let options = shop.call(OPTIONS, &[("ItemCode", &id.to_string())]).await;
    assert_eq!(options, sample(include_str!("../samples/qoo10/get_goods_inventory_info.response.json")));
}

#[tokio::test]
async fn an_item_without_options_has_no_rows_and_an_unknown_one_is_an_error() {
    let shop = Shop::open().await;
    shop.list(simple("CAP-02"));
    assert!(rows(shop.call(OPTIONS, &[("SellerCode", "CAP-02")]).await).is_empty());
    assert_eq!(shop.code(OPTIONS, &[("ItemCode", "1")]).await, -10001);
    assert_eq!(shop.code(DETAIL, &[("ItemCode", "1")]).await, -10001);
}

#[tokio::test]
async fn the_detail_has_price_quantity_title_and_end_date() {
    let shop = Shop::open().await;
    let id = shop.list(ItemDraft { sale_ends: Some("2026-12-31".parse().unwrap()), ..simple("CAP-02") });
    let detail = rows(shop.call(DETAIL, &[("ItemCode", &id.to_string())]).await).remove(0);
    assert_eq!((&detail["ItemPrice"], &detail["ItemQty"]), (&json!(2480), &json!(5)));
    assert_eq!((&detail["ItemTitle"], &detail["ExpireDate"]), (&json!("キャップ"), &json!("2026-12-31")));
}
