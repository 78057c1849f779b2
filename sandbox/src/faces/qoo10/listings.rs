//! Items and their options (sheet 4.7).

use serde::Serialize;

use super::answer::{Done, Failure, Outcome};
use super::methods::Visit;
use super::stock::not_found;
use super::wording::{Num, Spelling};
use crate::market::{Axis, Item, ItemId, ItemOption, ItemStatus, LineNumber};

const STATUSES: [(&str, ItemStatus); 6] = [
    ("S0", ItemStatus::InReview),
    ("S1", ItemStatus::Waiting),
    ("S2", ItemStatus::OnSale),
    ("S3", ItemStatus::Stopped),
    ("S5", ItemStatus::Restricted),
    ("S8", ItemStatus::Refused),
];

fn status_code(status: ItemStatus) -> &'static str {
    STATUSES.iter().find(|(_, s)| *s == status).map(|(code, _)| *code).unwrap_or_default()
}

/// The seller's item with this code, or with the seller's code where the item code is empty.
pub(super) fn item_of<T>(
    visit: &Visit<'_>,
    item_code: &str,
    seller_code: &str,
    look: impl FnOnce(&Item) -> T,
) -> Result<T, Failure> {
    visit.market().read(|state| {
        let found = match item_code.trim() {
            "" if seller_code.is_empty() => None,
            "" => state.items().find(|item| item.seller == visit.seller && item.seller_code == seller_code),
            code => code.parse::<ItemId>().ok().and_then(|id| state.item(id)),
        };
        found.filter(|item| item.seller == visit.seller).map(look).ok_or_else(not_found)
    })
}

/// `ItemsLookup.GetAllGoodsInfo`.
pub(super) fn all(visit: &Visit<'_>) -> Outcome {
    let status = visit.call.text("ItemStatus");
    let status = STATUSES.iter().find(|(code, _)| *code == status).map(|(_, status)| *status);
    let status = status.ok_or_else(|| Failure::processing("ItemStatus must be S0/S1/S2/S4"))?;
    let page: usize = match visit.call.text("Page").parse() {
        Ok(page) if page > 0 => page,
        _ => return Err(Failure::processing("Page must be 1 or more")),
    };
    let size = visit.desk.face.settings().page_size;
    visit.market().read(|state| {
        let fits = |item: &&Item| item.seller == visit.seller && item.status == status;
        let items: Vec<&Item> = state.items().filter(fits).collect();
        let on_page = items.iter().skip((page - 1).saturating_mul(size)).take(size);
        Done::value(&Page {
            total_items: items.len(),
            total_pages: items.len().div_ceil(size),
            present_page: page,
            items: on_page.map(|item| Brief::of(item)).collect(),
        })
    })
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Page<'a> {
    total_items: usize,
    total_pages: usize,
    present_page: usize,
    items: Vec<Brief<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Brief<'a> {
    item_code: String,
    seller_code: &'a str,
    item_status: &'static str,
}

impl<'a> Brief<'a> {
    fn of(item: &'a Item) -> Self {
        Self {
            item_code: item.id.to_string(),
            seller_code: &item.seller_code,
            item_status: status_code(item.status),
        }
    }
}

/// `ItemsLookup.GetGoodsInventoryInfo`: empty for an item without options.
pub(super) fn options(visit: &Visit<'_>) -> Outcome {
    let wording = visit.desk.face.settings().wording;
    item_of(visit, visit.call.text("ItemCode"), visit.call.text("SellerCode"), |item| {
        let spelling = |option: &ItemOption| Spelling::of(wording, LineNumber(option.id.0));
        let rows: Vec<_> =
            item.options.iter().map(|option| OptionRow::of(option, spelling(option))).collect();
        Done::rows(&rows)
    })?
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct OptionRow<'a> {
    name1: &'a str,
    value1: &'a str,
    name2: &'a str,
    value2: &'a str,
    name3: &'a str,
    value3: &'a str,
    name4: &'a str,
    value4: &'a str,
    name5: &'a str,
    value5: &'a str,
    price: Num,
    qty: Num,
    item_type_code: &'a str,
}

impl<'a> OptionRow<'a> {
    fn of(option: &'a ItemOption, spelling: Spelling) -> Self {
        let axis = |at: usize| option.axes.get(at);
        let name = |at| axis(at).map(|axis: &Axis| &*axis.name).unwrap_or_default();
        let value = |at| axis(at).map(|axis: &Axis| &*axis.value).unwrap_or_default();
        Self {
            name1: name(0),
            value1: value(0),
            name2: name(1),
            value2: value(1),
            name3: name(2),
            value3: value(2),
            name4: name(3),
            value4: value(3),
            name5: name(4),
            value5: value(4),
            price: spelling.amount(option.surcharge),
            qty: spelling.count(option.quantity),
            item_type_code: &option.sku,
        }
    }
}

/// `ItemsLookup.GetItemDetailInfo`.
pub(super) fn detail(visit: &Visit<'_>) -> Outcome {
    let wording = visit.desk.face.settings().wording;
    item_of(visit, visit.call.text("ItemCode"), visit.call.text("SellerCode"), |item| {
        let spelling = Spelling::of(wording, LineNumber(item.id.0));
        Done::rows(&[Detail {
            item_no: item.id.to_string(),
            item_code: item.id.to_string(),
            item_status: status_code(item.status),
            item_title: &item.title,
            seller_code: &item.seller_code,
            item_price: spelling.amount(item.price),
            item_qty: spelling.count(item.quantity),
            expire_date: spelling.day(item.sale_ends),
        }])
    })?
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Detail<'a> {
    item_no: String,
    item_code: String,
    item_status: &'static str,
    item_title: &'a str,
    seller_code: &'a str,
    item_price: Num,
    item_qty: Num,
    expire_date: String,
}
