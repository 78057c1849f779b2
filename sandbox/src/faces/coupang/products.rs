//! Listings and quantities (sheet 4.10 and 4.11).

use serde_json::{Value, json};

use super::answer::{Failure, Outcome, success};
use super::desk::Visit;
use super::ids;
use crate::Amount;
use crate::market::{Item, ItemId, ItemStatus, OptionId};

/// The market doesn't keep when items were listed.
const LISTED: &str = "2023-11-15T07:13:20";
/// The market's quantities go further, the channel's form does not.
const MOST: i64 = 99_999;

const STATUSES: [(&str, &str, ItemStatus); 6] = [
    ("APPROVED", "승인완료", ItemStatus::OnSale),
    ("SAVED", "임시저장중", ItemStatus::Waiting),
    ("IN_REVIEW", "심사중", ItemStatus::InReview),
    ("DELETED", "상품삭제", ItemStatus::Stopped),
    ("PARTIAL_APPROVED", "부분승인완료", ItemStatus::Restricted),
    ("DENIED", "승인반려", ItemStatus::Refused),
];

fn status_name(status: ItemStatus) -> &'static str {
    STATUSES.iter().find(|(_, _, known)| *known == status).map_or("승인완료", |(_, name, _)| name)
}

/// Only approved options have a number; of a partly approved product that is all but the last.
fn is_approved(item: &Item, at: usize, options: usize) -> bool {
    match item.status {
        ItemStatus::OnSale | ItemStatus::Stopped => true,
        ItemStatus::Restricted => at + 1 < options,
        ItemStatus::Waiting | ItemStatus::InReview | ItemStatus::Refused => false,
    }
}

/// The option and its number, item by item.
fn options(item: &Item) -> Vec<(Option<OptionId>, Option<u64>)> {
    let all: Vec<(Option<OptionId>, u64)> = if item.options.is_empty() {
        vec![(None, ids::of_item(item.id))]
    } else {
        item.options.iter().map(|option| (Some(option.id), ids::of_option(option.id))).collect()
    };
    let count = all.len();
    let number = |(at, (option, id)): (usize, (Option<OptionId>, u64))| {
        (option, is_approved(item, at, count).then_some(id))
    };
    all.into_iter().enumerate().map(number).collect()
}

fn summary(item: &Item, vendor: &str) -> Value {
    json!({
        "sellerProductId": item.id.0,
        "sellerProductName": item.title,
        "displayCategoryCode": 77413,
        "categoryId": 2102,
        "productId": item.id.0 + 1,
        "vendorId": vendor,
        "mdId": "sample@",
        "mdName": null,
        "saleStartedAt": LISTED,
        "saleEndedAt": "2099-12-31T00:00:00",
        "brand": "상세설명별도참조",
        "statusName": status_name(item.status),
        "createdAt": LISTED,
    })
}

/// `seller-products`, in pages by number.
pub(super) fn list(visit: &Visit<'_>) -> Outcome {
    let call = visit.call;
    if call.param("vendorId") != Some(visit.vendor) {
        return Err(Failure::product("vendorId is not valid"));
    }
    let size: usize = match call.param("maxPerPage").map(str::parse) {
        None => 10,
        Some(Ok(size)) if (1..=100).contains(&size) => size,
        Some(_) => return Err(Failure::product("maxPerPage must be 1 to 100")),
    };
    let page: usize = match call.param("nextToken").map(str::parse) {
        None => 1,
        Some(Ok(page)) if page > 0 => page,
        Some(_) => return Err(Failure::product("nextToken is not valid")),
    };
    let status = match call.param("status") {
        None => None,
        Some("APPROVING") => {
            return Ok(json!({ "code": "SUCCESS", "message": "", "nextToken": "", "data": [] }));
        }
        Some(text) => {
            let found = STATUSES.iter().find(|(code, ..)| *code == text).map(|(_, _, status)| *status);
            Some(found.ok_or_else(|| Failure::product(format!("unknown status {text}")))?)
        }
    };
    let id: Option<u64> = call.param("sellerProductId").and_then(|text| text.parse().ok());
    let (name, created) = (call.param("sellerProductName"), call.param("createdAt"));
    let size = size.min(visit.desk.face.settings().page_size);
    visit.market().read(|state| {
        let found: Vec<&Item> = state
            .items()
            .filter(|item| {
                item.seller == visit.seller
                    && status.is_none_or(|status| item.status == status)
                    && id.is_none_or(|id| item.id.0 == id)
                    && name.is_none_or(|name| item.title.contains(name))
                    && created.is_none_or(|day| LISTED.starts_with(day))
            })
            .collect();
        let start = (page - 1).saturating_mul(size);
        let rows: Vec<Value> =
            found.iter().skip(start).take(size).map(|item| summary(item, visit.vendor)).collect();
        let more = found.len() > start.saturating_add(size);
        let next = if more { (page + 1).to_string() } else { String::new() };
        Ok(json!({ "code": "SUCCESS", "message": "", "nextToken": next, "data": rows }))
    })
}

/// `seller-product`, with its options.
pub(super) fn one(visit: &Visit<'_>) -> Outcome {
    let not_found = || Failure::product("상품 정보를 조회할 수 없습니다. not found");
    let id: u64 = visit.call.in_path("sellerProductId").parse().map_err(|_| not_found())?;
    let item = visit.market().item(ItemId(id)).filter(|item| item.seller == visit.seller);
    let item = item.ok_or_else(not_found)?;
    let mut product = summary(&item, visit.vendor);
    let rows: Vec<Value> = options(&item)
        .into_iter()
        .map(|(option, vendor_item)| option_row(&item, option, vendor_item))
        .collect();
    product["displayProductName"] = json!(item.title);
    product["deliveryMethod"] = json!("SEQUENCIAL");
    product["deliveryCompanyCode"] = json!("CJGLS");
    product["outboundShippingPlaceCode"] = json!(74010);
    product["items"] = json!(rows);
    Ok(success(product))
}

fn option_row(item: &Item, option: Option<OptionId>, vendor_item: Option<u64>) -> Value {
    let option = option.and_then(|id| item.option(id));
    let price = item.price + option.map(|option| option.surcharge).unwrap_or_default();
    let axes = option.map(|option| option.axes.as_slice()).unwrap_or_default();
    let attributes: Vec<Value> = axes
        .iter()
        .map(|axis| {
            json!({
                "attributeTypeName": axis.name,
                "attributeValueName": axis.value,
                "exposed": "EXPOSED",
                "editable": false,
            })
        })
        .collect();
    let name = axes.iter().map(|axis| &*axis.value).collect::<Vec<_>>().join(" ");
    json!({
        "sellerProductItemId": option.map_or(item.id.0, |option| option.id.0) + 400_000_000,
        "vendorItemId": vendor_item,
        "itemName": if name.is_empty() { &item.title } else { &name },
        "originalPrice": decimal(price),
        "salePrice": decimal(price),
        "maximumBuyCount": 9999,
        "outboundShippingTimeDay": 2,
        "unitCount": 1,
        "externalVendorSku": option.map_or(&item.seller_code, |option| &option.sku),
        "barcode": "",
        "modelNo": "",
        "attributes": attributes,
    })
}

/// As the official example has prices here: with a decimal point.
fn decimal(amount: Amount) -> f64 {
    amount.as_hundredths() as f64 / 100.0
}

/// `external-vendor-sku-codes`: product summaries, without options.
pub(super) fn by_sku(visit: &Visit<'_>) -> Outcome {
    let sku = visit.call.in_path("sku");
    visit.market().read(|state| {
        let has = |item: &Item| {
            (item.options.is_empty() && item.seller_code == sku)
                || item.options.iter().any(|option| option.sku == sku)
        };
        let found = state.items().filter(|item| item.seller == visit.seller && has(item));
        let rows: Vec<Value> = found.map(|item| summary(item, visit.vendor)).collect();
        Ok(success(json!(rows)))
    })
}

/// The item and option behind an approved number of this vendor.
fn vendor_item(visit: &Visit<'_>) -> Result<(Item, Option<OptionId>), Failure> {
    let not_found =
        || Failure::product(format!("vendorItemId {} not found", visit.call.in_path("vendorItemId")));
    let id: u64 = visit.call.in_path("vendorItemId").parse().map_err(|_| not_found())?;
    visit
        .market()
        .read(|state| {
            let (item, option) = ids::find_item(state, id).filter(|(item, _)| item.seller == visit.seller)?;
            let approved = options(item).into_iter().any(|(_, number)| number == Some(id));
            approved.then(|| (item.clone(), option))
        })
        .ok_or_else(not_found)
}

/// `quantities`: absolute, one option.
pub(super) fn set_quantity(visit: &Visit<'_>) -> Outcome {
    visit.check_korea()?;
    let quantity: i64 = match visit.call.in_path("quantity").parse() {
        Ok(quantity) if (0..=MOST).contains(&quantity) => quantity,
        _ => return Err(Failure::product("유효하지 않은 재고수량입니다.")),
    };
    let (item, option) = vendor_item(visit)?;
    if item.status == ItemStatus::Stopped {
        return Err(Failure::product("상품이 삭제되었습니다. 삭제된 상품은 변경이 불가능합니다."));
    }
    visit
        .acting()
        .set_quantity(item.id, option, quantity)
        .map_err(|refusal| Failure::product(refusal.to_string()))?;
    Ok(json!({ "code": "SUCCESS", "message": "재고 변경을 완료했습니다." }))
}

/// `inventories`: quantity, price, and whether it is on sale.
pub(super) fn inventory(visit: &Visit<'_>) -> Outcome {
    let (item, option) = vendor_item(visit)?;
    let id = option.map_or(ids::of_item(item.id), ids::of_option);
    let option = option.and_then(|id| item.option(id));
    let price = item.price + option.map(|option| option.surcharge).unwrap_or_default();
    Ok(success(json!({
        "sellerItemId": id,
        "amountInStock": option.map_or(item.quantity, |option| option.quantity),
        "salePrice": price,
        "onSale": item.status == ItemStatus::OnSale,
    })))
}
