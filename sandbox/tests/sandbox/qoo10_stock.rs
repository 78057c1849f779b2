use sales_channels_sandbox::Amount;
use sales_channels_sandbox::market::{Axis, ItemDraft, ItemId, OptionId};
use serde_json::{Value, json};

use crate::support::Shop;

const SET: &str = "ItemsOrder.SetGoodsPriceQty";
const SET_BULK: &str = "ItemsOrder.SetGoodsPriceQtyBulk";
const OPTION: &str = "ItemsOptions.UpdateInventoryQtyUnit";
const OPTION_BULK: &str = "ItemsOptions.UpdateInventoryDataBulk";

fn cap(shop: &Shop) -> ItemId {
    shop.list(ItemDraft {
        sale_ends: Some("2026-12-31".parse().unwrap()),
        ..ItemDraft::simple("CAP-02", "キャップ", Amount::whole(2480), 5)
    })
}

fn shirt(shop: &Shop) -> (ItemId, Vec<OptionId>) {
    let axes = |size: &str| vec![Axis::new("カラー", "赤"), Axis::new("サイズ", size)];
    let draft = ItemDraft::simple("TEE-01", "Tシャツ", Amount::whole(1980), 0)
        .with_option(axes("S"), "TEE-01-RED-S", 3)
        .with_option(axes("M"), "TEE-01-RED-M", 4);
    let id = shop.list(draft);
    (id, shop.market().item(id).unwrap().options.iter().map(|option| option.id).collect())
}

#[tokio::test]
async fn a_quantity_is_set_and_the_rest_stays() {
    let shop = Shop::open().await;
    let id = cap(&shop);
    assert_eq!(shop.code(SET, &[("ItemCode", &id.to_string()), ("Qty", "7")]).await, 0);
    assert_eq!(shop.code(SET, &[("SellerCode", "CAP-02"), ("Qty", "7")]).await, 0);
    let item = shop.market().item(id).unwrap();
    assert_eq!((item.quantity, item.price), (7, Amount::whole(2480)));
    assert_eq!(item.sale_ends, Some("2026-12-31".parse().unwrap()));
    assert_eq!(shop.market().quantities_set(id, None), [7, 7], "a repeat shows in the record");
}

#[tokio::test]
async fn an_empty_expire_date_extends_the_sale_by_a_year() {
    let shop = Shop::open().await;
    let id = cap(&shop);
    let code = id.to_string();
    assert_eq!(shop.code(SET, &[("ItemCode", &code), ("Qty", "7"), ("ExpireDate", "")]).await, 0);
    assert_eq!(shop.market().item(id).unwrap().sale_ends, Some("2027-11-24".parse().unwrap()));
    assert_eq!(shop.code(SET, &[("ItemCode", &code), ("ExpireDate", "2026-12-31")]).await, 0);
    assert_eq!(shop.market().item(id).unwrap().sale_ends, Some("2026-12-31".parse().unwrap()));
}

#[tokio::test]
async fn bad_values_change_nothing_at_all() {
    let shop = Shop::open().await;
    let id = cap(&shop);
    let before = shop.market().item(id).unwrap();
    let code = id.to_string();
    for (price, quantity, date) in [
        ("0", "7", "2026-12-31"),
        ("abc", "7", "2026-12-31"),
        ("100", "-1", "2026-12-31"),
        ("100", "1.5", "2026-12-31"),
        ("100", "7", "soon"),
    ] {
        let params = [("ItemCode", &*code), ("Price", price), ("Qty", quantity), ("ExpireDate", date)];
        assert_eq!(shop.code(SET, &params).await, -10101, "{params:?}");
    }
    assert_eq!(shop.code(SET, &[("ItemCode", "1"), ("Qty", "7")]).await, -10001);
    assert_eq!(shop.code(SET, &[("Qty", "7")]).await, -10001);
    assert_eq!(shop.market().item(id).unwrap(), before);
}

#[tokio::test]
async fn the_bulk_call_names_what_failed() {
    let shop = Shop::open().await;
    let id = cap(&shop);
    let row = |code: &str| json!({ "ItemCode": code, "SellerCode": "", "Price": "2480", "Qty": "9", "ExpireDate": "2026-12-31", "TaxRate": "S" });
    let call = async |list: Value| shop.call(SET_BULK, &[("ItemInfoJson", &list.to_string())]).await;
    assert_eq!(call(json!([row(&id.to_string())])).await["ResultCode"], 0);
    let answer = call(json!([row("1"), row(&id.to_string())])).await;
    assert_eq!(answer["ResultCode"], -1);
    assert_eq!(answer["ResultObject"]["Keys"], json!(["1", id.to_string()]));
    assert!(answer["ResultObject"]["Values"][0].as_str().unwrap().starts_with("-10001"));
    assert_eq!(answer["ResultObject"]["Values"][1], "SUCCESS");
    assert_eq!(shop.market().quantities_set(id, None), [9, 9]);
    let many: Vec<Value> = (0..501).map(|_| row(&id.to_string())).collect();
    assert_eq!(call(Value::from(many)).await["ResultCode"], -2);
    assert_eq!(shop.market().quantities_set(id, None), [9, 9]);
}

#[tokio::test]
async fn an_option_is_found_by_name_and_value_and_set_absolutely() {
    let shop = Shop::open().await;
    let (id, options) = shirt(&shop);
    let code = id.to_string();
    let params = |value, quantity| {
        [
            ("ItemCode", &*code),
            ("OptionName", "カラー||*サイズ"),
            ("OptionValue", value),
            ("OptionCode", "TEE-01-RED-M"),
            ("Qty", quantity),
        ]
    };
    assert_eq!(shop.code(OPTION, &params("赤||*M", "11")).await, 0);
    assert_eq!(shop.code(OPTION, &params("赤||*M", "11")).await, 0);
    assert_eq!(shop.market().quantity(id, Some(options[1])), Some(11));
    assert_eq!(shop.market().quantity(id, Some(options[0])), Some(3));
    assert_eq!(shop.market().quantities_set(id, Some(options[1])), [11, 11]);
    assert_eq!(shop.code(OPTION, &params("赤||*L", "1")).await, -10101);
    assert_eq!(shop.code(OPTION, &params("赤||*M", "many")).await, -10101);
    let unknown = [("ItemCode", "1"), ("OptionName", "カラー"), ("OptionValue", "赤"), ("Qty", "1")];
    assert_eq!(shop.code(OPTION, &unknown).await, -10001);
}

#[tokio::test]
async fn a_difference_that_is_repeated_counts_twice() {
    let shop = Shop::open().await;
    let (id, options) = shirt(&shop);
    let code = id.to_string();
    let params =
        [("ItemCode", &*code), ("OptionName", "カラー||*サイズ"), ("OptionValue", "赤||*S"), ("Qty", "2")];
    for _ in 0..2 {
        assert_eq!(shop.code("ItemsOptions.UpdateInventoryQtyPlusUnit", &params).await, 0);
    }
    assert_eq!(shop.market().quantities_set(id, Some(options[0])), [5, 7]);
}

#[tokio::test]
async fn the_bulk_option_call_needs_the_price() {
    let shop = Shop::open().await;
    let (id, options) = shirt(&shop);
    let row = |price: Option<&str>, value: &str, quantity: &str| {
        let mut row = json!({ "ItemCode": id.to_string(), "OptionName": "カラー||*サイズ", "OptionValue": value, "Qty": quantity });
        if let Some(price) = price {
            row["Price"] = json!(price);
        }
        row
    };
    let list = json!([row(Some("100"), "赤||*S", "8"), row(None, "赤||*M", "9")]);
    let answer = shop.call(OPTION_BULK, &[("ItemInfoJson", &list.to_string())]).await;
    assert_eq!(answer["ResultCode"], -1);
    let item = shop.market().item(id).unwrap();
    let first = item.option(options[0]).unwrap();
    assert_eq!((first.quantity, first.surcharge), (8, Amount::whole(100)));
    assert_eq!(item.option(options[1]).unwrap().quantity, 4);
    let many: Vec<Value> = (0..501).map(|_| row(Some("0"), "赤||*S", "1")).collect();
    assert_eq!(shop.code(OPTION_BULK, &[("ItemInfoJson", &Value::from(many).to_string())]).await, -2);
    assert_eq!(shop.market().quantity(id, Some(options[0])), Some(8));
}
