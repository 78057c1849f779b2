//! Listings (sheet section 4).

use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Failure, Outcome};
use super::desk::{Page, Visit};
use super::ids::{self, Sku};
use super::stock;
use crate::lock;
use crate::market::{Item, ItemStatus};

/// The market doesn't keep when items were listed: 14 November 2023.
const LISTED: i64 = 1_700_000_000;

const STATUSES: [(&str, ItemStatus); 6] = [
    ("ACTIVATE", ItemStatus::OnSale),
    ("SELLER_DEACTIVATED", ItemStatus::Waiting),
    ("PENDING", ItemStatus::InReview),
    ("PLATFORM_DEACTIVATED", ItemStatus::Stopped),
    ("FREEZE", ItemStatus::Restricted),
    ("FAILED", ItemStatus::Refused),
];

fn status_text(status: ItemStatus) -> &'static str {
    STATUSES.iter().find(|(_, known)| *known == status).map_or("ACTIVATE", |(text, _)| text)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Filter {
    status: Option<String>,
    seller_skus: Vec<String>,
    sku_ids: Vec<String>,
    create_time_ge: Option<i64>,
    create_time_le: Option<i64>,
    update_time_ge: Option<i64>,
    update_time_le: Option<i64>,
}

impl Filter {
    fn check(&self) -> Result<(), Failure> {
        if self.seller_skus.len() > 10 {
            return Err(Failure::new(
                12_019_027,
                "The maximum count of “seller_skus” in the search filter is 10.",
            ));
        }
        if self.sku_ids.len() > 10 {
            return Err(Failure::new(12_019_087, "The number of SKU IDs exceeds the limit of 10"));
        }
        let known = |status: &str| {
            matches!(status, "ALL" | "DRAFT" | "DELETED") || STATUSES.iter().any(|(text, _)| *text == status)
        };
        if self.status.as_deref().is_some_and(|status| !known(status)) {
            return Err(Failure::new(12_052_910, "Invalid input parameters. status"));
        }
        Ok(())
    }

    fn takes(&self, item: &Item) -> bool {
        let status = self.status.as_deref().unwrap_or("ALL");
        let after = self.create_time_ge.max(self.update_time_ge);
        let before = [self.create_time_le, self.update_time_le].into_iter().flatten().min();
        (status == "ALL" || status == status_text(item.status))
            && after.is_none_or(|ge| LISTED >= ge)
            && before.is_none_or(|le| LISTED <= le)
            && (self.seller_skus.is_empty() && self.sku_ids.is_empty()
                || skus(item).any(|(sku, seller_sku)| {
                    self.seller_skus.iter().any(|wanted| wanted == seller_sku)
                        || self.sku_ids.contains(&sku.id())
                }))
    }
}

/// What can be bought of an item, with the seller's code.
pub(super) fn skus(item: &Item) -> impl Iterator<Item = (Sku, &str)> {
    let simple = item.options.is_empty().then_some((Sku::Item(item.id), item.seller_code.as_str()));
    let options = item.options.iter().map(|option| (Sku::Option(item.id, option.id), option.sku.as_str()));
    simple.into_iter().chain(options)
}

/// `search-products`.
pub(super) fn search(visit: &Visit<'_>) -> Outcome {
    let filter: Filter = visit.call.body(12_052_910)?;
    filter.check()?;
    let page = Page::asked(visit, 100, "create_time", &["create_time"], "ASC").map_err(|failure| {
        let code = if failure.message.contains("page_token") { 12_019_108 } else { 12_019_109 };
        Failure::new(code, failure.message)
    })?;
    let settings = visit.desk.face.settings();
    let mut ledger = lock(&visit.desk.face.0.ledger);
    visit.market().read(|state| {
        let own = state.items().filter(|item| item.seller == visit.seller && filter.takes(item));
        let rows: Vec<(i64, u64, Value)> = own
            .map(|item| {
                (LISTED, item.id.0, row(item, &mut ledger.stock, settings.warehouses, &settings.region))
            })
            .collect();
        Ok(page.cut(rows, "products", Value::clone))
    })
}

/// `get-product`.
pub(super) fn one(visit: &Visit<'_>) -> Outcome {
    let settings = visit.desk.face.settings();
    let mut ledger = lock(&visit.desk.face.0.ledger);
    let not_found = || Failure::new(12_052_032, "The product does not exist");
    let id = ids::product(visit.call.in_path("product_id")).ok_or_else(not_found)?;
    let item = visit.market().item(id).ok_or_else(not_found)?;
    if item.seller != visit.seller {
        return Err(not_listed());
    }
    let mut product = row(&item, &mut ledger.stock, settings.warehouses, &settings.region);
    product["description"] = json!("<p>A product of the sandbox</p>");
    Ok(product)
}

pub(super) fn not_listed() -> Failure {
    Failure::new(
        12_052_048,
        "You cannot edit the specified product(s) as it isn't listed in your account or shop.",
    )
}

fn row(item: &Item, stock: &mut stock::Split, warehouses: usize, region: &str) -> Value {
    let sku = |(sku, seller_sku): (Sku, &str)| {
        let option = sku.option().and_then(|id| item.option(id));
        let (quantity, surcharge) =
            option.map_or((item.quantity, crate::Amount::ZERO), |option| (option.quantity, option.surcharge));
        let price = (item.price + surcharge).to_string();
        let inventory: Vec<Value> = stock::by_warehouse(stock, sku, quantity, warehouses)
            .into_iter()
            .map(|(id, quantity)| json!({ "warehouse_id": id, "quantity": quantity }))
            .collect();
        json!({
            "id": sku.id(),
            "seller_sku": seller_sku,
            "price": { "currency": item.currency, "tax_exclusive_price": price, "sale_price": price },
            "inventory": inventory,
            "status_info": { "status": "NORMAL" },
        })
    };
    json!({
        "id": ids::product_id(item.id),
        "title": item.title,
        "status": status_text(item.status),
        "skus": skus(item).map(sku).collect::<Vec<_>>(),
        "sales_regions": [region],
        "create_time": LISTED,
        "update_time": LISTED,
        "is_not_for_sale": false,
        "has_draft": false,
    })
}
