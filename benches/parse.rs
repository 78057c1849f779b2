//! A page of orders from bytes to `Order` values, beside plain serde_json into a typed struct of the same fields.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "criterion's macros make public items; a bench may fail"
)]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sales_channels::adapters::qoo10::{Config, parse_orders};
use sales_channels::channel::Row;
use sales_channels::lenient::Text;
use serde::Deserialize;

/// A row with every field that the sample has, borrowed, numbers as they are written.
#[derive(Deserialize)]
#[allow(dead_code, reason = "the fields are read to be measured")]
struct PlainRow<'a> {
    #[serde(rename = "ShippingStatus", borrow)]
    shipping_status: Text<'a>,
    #[serde(rename = "SellerID", borrow)]
    seller_id: Text<'a>,
    #[serde(rename = "PackNo", borrow)]
    pack_no: Text<'a>,
    #[serde(rename = "OrderDate", borrow)]
    order_date: Text<'a>,
    #[serde(rename = "PaymentDate", borrow)]
    payment_date: Text<'a>,
    #[serde(rename = "EstimatedShippingDate", borrow)]
    estimated_shipping_date: Text<'a>,
    #[serde(rename = "ShippingDate", borrow)]
    shipping_date: Text<'a>,
    #[serde(rename = "DeliveredDate", borrow)]
    delivered_date: Text<'a>,
    #[serde(rename = "Buyer", borrow)]
    buyer: Text<'a>,
    #[serde(rename = "BuyerKana", borrow)]
    buyer_kana: Text<'a>,
    #[serde(rename = "BuyerTel", borrow)]
    buyer_tel: Text<'a>,
    #[serde(rename = "BuyerMobile", borrow)]
    buyer_mobile: Text<'a>,
    #[serde(rename = "BuyerEmail", borrow)]
    buyer_email: Text<'a>,
    #[serde(rename = "OrderNo", borrow)]
    order_no: Text<'a>,
    #[serde(rename = "ItemNo", borrow)]
    item_no: Text<'a>,
    #[serde(rename = "SellerItemCode", borrow)]
    seller_item_code: Text<'a>,
    #[serde(rename = "ItemTitle", borrow)]
    item_title: Text<'a>,
    #[serde(rename = "Option", borrow)]
    option: Text<'a>,
    #[serde(rename = "OptionCode", borrow)]
    option_code: Text<'a>,
    #[serde(rename = "OrderPrice", borrow)]
    order_price: Text<'a>,
    #[serde(rename = "OrderQty", borrow)]
    order_qty: Text<'a>,
    #[serde(rename = "Discount", borrow)]
    discount: Text<'a>,
    #[serde(rename = "Total", borrow)]
    total: Text<'a>,
    #[serde(rename = "Receiver", borrow)]
    receiver: Text<'a>,
    #[serde(rename = "ReceiverKana", borrow)]
    receiver_kana: Text<'a>,
    #[serde(rename = "ZipCode", borrow)]
    zip_code: Text<'a>,
    #[serde(rename = "ShippingAddress", borrow)]
    shipping_address: Text<'a>,
    #[serde(rename = "Address1", borrow)]
    address_1: Text<'a>,
    #[serde(rename = "Address2", borrow)]
    address_2: Text<'a>,
    #[serde(rename = "ReceiverTel", borrow)]
    receiver_tel: Text<'a>,
    #[serde(rename = "ReceiverMobile", borrow)]
    receiver_mobile: Text<'a>,
    #[serde(rename = "DesiredDeliveryDate", borrow)]
    desired_delivery_date: Text<'a>,
    #[serde(rename = "SenderName", borrow)]
    sender_name: Text<'a>,
    #[serde(rename = "SenderTel", borrow)]
    sender_tel: Text<'a>,
    #[serde(rename = "SenderNation", borrow)]
    sender_nation: Text<'a>,
    #[serde(rename = "SenderZipCode", borrow)]
    sender_zip_code: Text<'a>,
    #[serde(rename = "SenderAddress", borrow)]
    sender_address: Text<'a>,
    #[serde(rename = "ShippingWay", borrow)]
    shipping_way: Text<'a>,
    #[serde(rename = "ShippingMessage", borrow)]
    shipping_message: Text<'a>,
    #[serde(rename = "PaymentMethod", borrow)]
    payment_method: Text<'a>,
    #[serde(rename = "SellerDiscount", borrow)]
    seller_discount: Text<'a>,
    #[serde(rename = "Currency", borrow)]
    currency: Text<'a>,
    #[serde(rename = "ShippingRate", borrow)]
    shipping_rate: Text<'a>,
    #[serde(rename = "RelatedOrder", borrow)]
    related_order: Text<'a>,
    #[serde(rename = "ShippingRateType", borrow)]
    shipping_rate_type: Text<'a>,
    #[serde(rename = "DeliveryCompany", borrow)]
    delivery_company: Text<'a>,
    #[serde(rename = "VoucherCode", borrow)]
    voucher_code: Text<'a>,
    #[serde(rename = "PackingNo", borrow)]
    packing_no: Text<'a>,
    #[serde(rename = "SellerDeliveryNo", borrow)]
    seller_delivery_no: Text<'a>,
    #[serde(rename = "Gift", borrow)]
    gift: Text<'a>,
    #[serde(rename = "CartDiscountSeller", borrow)]
    cart_discount_seller: Text<'a>,
    #[serde(rename = "CartDiscountQoo10", borrow)]
    cart_discount_qoo_10: Text<'a>,
    #[serde(rename = "SettlePrice", borrow)]
    settle_price: Text<'a>,
    #[serde(rename = "BranchName", borrow)]
    branch_name: Text<'a>,
    #[serde(rename = "TrackingNo", borrow)]
    tracking_no: Text<'a>,
    #[serde(rename = "Material", borrow)]
    material: Text<'a>,
    #[serde(rename = "AvailableSendType", borrow)]
    available_send_type: Text<'a>,
    #[serde(rename = "AvailableShippingDate", borrow)]
    available_shipping_date: Text<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Plain<'a> {
    #[serde(borrow)]
    result_object: Vec<PlainRow<'a>>,
}

/// The sample's two rows, 250 times.
fn page() -> Vec<u8> {
    let sample = std::fs::read_to_string("tests/samples/qoo10/get_shipping_info_v3.response.json").unwrap();
    let (from, to) = (sample.find('[').unwrap() + 1, sample.rfind(']').unwrap());
    let rows = vec![sample[from..to].trim(); 250].join(",\n");
    format!("{}{rows}{}", &sample[..from], &sample[to..]).into_bytes()
}

fn benches(c: &mut Criterion) {
    let page = page();
    let config = Config::japan().unwrap();
    let now = "2026-11-24T00:00:00Z".parse().unwrap();
    let rows = parse_orders(&page, &config, now).unwrap();
    assert_eq!(rows.len(), 500);
    assert!(rows.iter().all(|row| matches!(row, Row::Order(_))));

    let mut group = c.benchmark_group("qoo10 page of 500 orders");
    group.throughput(Throughput::Bytes(page.len() as u64));
    group.bench_function("bytes to orders", |b| {
        b.iter(|| parse_orders(black_box(&page), &config, now).unwrap());
    });
    group.bench_function("plain serde_json, borrowed struct", |b| {
        b.iter(|| serde_json::from_slice::<Plain<'_>>(black_box(&page)).unwrap().result_object.len());
    });
    group.bench_function("plain serde_json, Value", |b| {
        b.iter(|| serde_json::from_slice::<serde_json::Value>(black_box(&page)).unwrap());
    });
    group.finish();
}

criterion_group!(parse, benches);
criterion_main!(parse);
