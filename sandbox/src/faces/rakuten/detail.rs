//! `getOrder` (sheet 4.2).

use axum::response::Response;
use serde_json::{Value, json};

use super::answer::{Message, bad_request, ok};
use super::book::{self, Package, Page, Shipment};
use super::desk::Visit;
use super::wording::{order_number, order_time, split_name, split_phone, split_postal_code};
use super::{companies, items};
use crate::Amount;
use crate::market::{Address, Line, Order, Person};

const OPERATION: &str = "GET_ORDER";
/// An amount that is not fixed yet.
const UNFIXED: i64 = -9999;
/// Versions of the answer. SKUs came with 7.
const VERSIONS: std::ops::RangeInclusive<u64> = 3..=9;
const VERSION_WITH_SKUS: u64 = 7;

pub(super) fn run(visit: &Visit<'_>) -> Response {
    let mut messages = Vec::new();
    let numbers = order_numbers(&visit.call.body, OPERATION, &mut messages);
    let version = match visit.call.body.get("version") {
        None | Some(Value::Null) => {
            messages.push(Message::missing(OPERATION, "version"));
            0
        }
        Some(value) => value.as_u64().filter(|version| VERSIONS.contains(version)).unwrap_or_else(|| {
            messages.push(Message::malformed(OPERATION, "version"));
            0
        }),
    };
    if !messages.is_empty() {
        return bad_request(&json!({ "MessageModelList": messages, "OrderModelList": [] }));
    }
    let mut orders = Vec::new();
    let mut unknown = Vec::new();
    for number in &numbers {
        match visit.order(number) {
            Some(order) => orders.push(shown(visit, &order, version)),
            None => unknown.push(
                Message::info(OPERATION, 102, "受注情報取得に成功しました。(取得件数０件)").of_order(number),
            ),
        }
    }
    let mut messages = Vec::new();
    if !orders.is_empty() {
        let text = format!("受注情報取得に成功しました。(取得件数{}件)", orders.len());
        messages.push(Message::info(OPERATION, 101, text));
    }
    messages.append(&mut unknown);
    ok(&json!({ "MessageModelList": messages, "OrderModelList": orders, "version": version }))
}

/// `orderNumberList`: 1 to 100 texts.
pub(super) fn order_numbers(body: &Value, operation: &str, messages: &mut Vec<Message>) -> Vec<String> {
    const FIELD: &str = "orderNumberList";
    let Some(value) = body.get(FIELD).filter(|value| !value.is_null()) else {
        messages.push(Message::missing(operation, FIELD));
        return Vec::new();
    };
    let text = |value: &Value| value.as_str().map(str::to_owned);
    match value.as_array().and_then(|list| list.iter().map(text).collect::<Option<Vec<_>>>()) {
        Some(list) if list.is_empty() => messages.push(Message::empty(operation, FIELD)),
        Some(list) if list.len() <= 100 => return list,
        _ => messages.push(Message::malformed(operation, FIELD)),
    }
    Vec::new()
}

fn shown(visit: &Visit<'_>, order: &Order, version: u64) -> Value {
    let page = {
        let mut book = visit.book();
        if visit.desk.face.settings().blank_shipments {
            book.open_shipments(order);
        }
        book.page(order.number)
    };
    let packages = book::packages(order, &page);
    let lines: Vec<&Line> = packages.iter().flat_map(|package| package.lines.iter().copied()).collect();
    let goods = goods_price(&lines);
    let coupon = lines.iter().fold(Amount::ZERO, |sum, line| sum + line.discount);
    let total = goods + order.shipping_fee;
    let amount = |amount: Amount| if page.unfixed { json!(UNFIXED) } else { json!(amount) };
    let time = |time: Option<chrono::DateTime<chrono::Utc>>| time.map(order_time);
    let settings = visit.desk.face.settings();
    let mut model = json!({
        "orderNumber": order_number(&visit.key.shop, order),
        "orderProgress": visit.progress(order, &page),
        "subStatusId": null,
        "subStatusName": null,
        "orderDatetime": order_time(order.ordered_at),
        "shopOrderCfmDatetime": time(book::confirmed_at(order)),
        "orderFixDatetime": time(book::fixed_at(order, &page, settings.payment).filter(|at| *at <= visit.now)),
        "shippingInstDatetime": null,
        "shippingCmplRptDatetime": time(page.reported_at),
        "cancelDueDate": null,
        "deliveryDate": order.desired_delivery.map(|day| day.format("%Y-%m-%d").to_string()),
        "shippingTerm": 0,
        "remarks": remarks(order),
        "giftCheckFlag": 0,
        "severalSenderFlag": u8::from(packages.len() > 1),
        "equalSenderFlag": u8::from(order.buyer == order.recipient),
        "isolatedIslandFlag": 0,
        "rakutenMemberFlag": 1,
        "orderType": 1,
        "reserveNumber": null,
        "cautionDisplayType": 0,
        "rakutenConfirmFlag": 0,
        "asurakuFlag": 0,
        "drugFlag": 0,
        "dealFlag": 0,
        "memo": null,
        "operator": null,
    });
    let prices = json!({
        "goodsPrice": goods,
        "goodsTax": 0,
        "postagePrice": amount(order.shipping_fee),
        "deliveryPrice": amount(Amount::ZERO),
        "paymentCharge": amount(Amount::ZERO),
        "totalPrice": amount(total),
        "requestPrice": amount(total - coupon),
        "couponAllTotalPrice": coupon,
        "couponShopPrice": coupon,
        "couponOtherPrice": 0,
    });
    let models = json!({
        "OrdererModel": orderer(&order.buyer, &order.address),
        "SettlementModel": { "settlementMethod": settlement_method(&order.payment_method) },
        "DeliveryModel": { "deliveryName": "宅配便", "deliveryClass": null },
        "PointModel": { "usedPoint": 0 },
        "WrappingModel1": null,
        "WrappingModel2": null,
        "PackageModelList": packages.iter().map(|package| package_model(order, package, &page, version)).collect::<Vec<_>>(),
        "CouponModelList": null,
        "ChangeReasonModelList": page.cancel_reason.map(|reason| json!([{ "changeReasonDetail": reason }])),
        "TaxSummaryModelList": null,
    });
    for part in [prices, models] {
        if let (Some(model), Value::Object(part)) = (model.as_object_mut(), part) {
            model.extend(part);
        }
    }
    model
}

fn goods_price(lines: &[&Line]) -> Amount {
    lines.iter().fold(Amount::ZERO, |sum, line| sum + line.unit_price * line.quantity)
}

fn remarks(order: &Order) -> String {
    let day = order.desired_delivery.map(|day| day.format("\n%Y-%m-%d").to_string()).unwrap_or_default();
    format!("[配送日時指定:]{day}\n{}", order.message)
}

fn settlement_method(method: &str) -> &str {
    if method == "Credit Card" { "クレジットカード" } else { method }
}

fn person(person: &Person, address: &Address) -> Value {
    let (zip1, zip2) = split_postal_code(&address.postal_code);
    let (family, first) = split_name(&person.name);
    let (family_kana, first_kana) = split_name(&person.reading);
    let phone = if person.phone.is_empty() { &person.mobile } else { &person.phone };
    let [phone1, phone2, phone3] = split_phone(phone);
    let sub_address = format!("{}{}", address.line1, address.line2);
    json!({
        "zipCode1": zip1,
        "zipCode2": zip2,
        "prefecture": address.region,
        "city": address.city,
        "subAddress": sub_address,
        "familyName": family,
        "firstName": first,
        "familyNameKana": family_kana,
        "firstNameKana": first_kana,
        "phoneNumber1": phone1,
        "phoneNumber2": phone2,
        "phoneNumber3": phone3,
    })
}

fn orderer(buyer: &Person, address: &Address) -> Value {
    let mut model = person(buyer, address);
    model["emailAddress"] = json!("masked@example.com");
    model["sex"] = Value::Null;
    for part in ["birthYear", "birthMonth", "birthDay"] {
        model[part] = Value::Null;
    }
    model
}

fn package_model(order: &Order, package: &Package<'_>, page: &Page, version: u64) -> Value {
    let goods = goods_price(&package.lines);
    let postage = if package.basket.is_multiple_of(10) { order.shipping_fee } else { Amount::ZERO };
    let amount = |amount: Amount| if page.unfixed { json!(UNFIXED) } else { json!(amount) };
    let mut recipient = person(package.recipient, package.address);
    recipient["isolatedIslandFlag"] = json!(0);
    let shipments = page.shipments.get(&package.basket).map(Vec::as_slice).unwrap_or_default();
    json!({
        "basketId": package.basket,
        "postagePrice": amount(postage),
        "deliveryPrice": amount(Amount::ZERO),
        "goodsTax": 0,
        "goodsPrice": goods,
        "totalPrice": amount(goods + postage),
        "noshi": null,
        "defaultDeliveryCompanyCode": "1001",
        "SenderModel": recipient,
        "ItemModelList": package.lines.iter().map(|line| item_model(line, version)).collect::<Vec<_>>(),
        "ShippingModelList": shipments.iter().map(shipment_model).collect::<Vec<_>>(),
        "DeliveryCvsModel": null,
    })
}

fn item_model(line: &Line, version: u64) -> Value {
    let info: Vec<String> = line.axes.iter().map(|axis| format!("{}:{}", axis.name, axis.value)).collect();
    let mut model = json!({
        "itemDetailId": line.number.0,
        "itemName": line.title,
        "itemId": line.item.0,
        "itemNumber": line.seller_code,
        "manageNumber": items::manage_number(&line.seller_code),
        "price": line.unit_price,
        "units": line.quantity,
        "includePostageFlag": 0,
        "includeTaxFlag": 1,
        "includeCashOnDeliveryPostageFlag": 0,
        "selectedChoice": null,
        "inventoryType": if line.option.is_some() { 2 } else { 1 },
        "delvdateInfo": null,
        "taxRate": 0.1,
        "priceTaxIncl": line.unit_price,
        "isSingleItemShipping": 0,
    });
    if version >= VERSION_WITH_SKUS {
        let variant =
            line.option.map_or_else(|| items::manage_number(&line.seller_code), |id| id.to_string());
        let sku = Some(&line.option_sku).filter(|sku| !sku.is_empty());
        let info = Some(info.join("\n")).filter(|info| !info.is_empty());
        model["SkuModelList"] =
            json!([{ "variantId": variant, "merchantDefinedSkuId": sku, "skuInfo": info }]);
    }
    model
}

fn shipment_model(shipment: &Shipment) -> Value {
    json!({
        "shippingDetailId": shipment.id,
        "shippingNumber": shipment.number,
        "deliveryCompany": shipment.company,
        "deliveryCompanyName": shipment.company.as_deref().and_then(companies::name_of),
        "shippingDate": shipment.date.map(|day| day.format("%Y-%m-%d").to_string()),
    })
}
