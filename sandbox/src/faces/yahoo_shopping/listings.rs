//! `stCategoryList`, `myItemList` and `getItem`.

use axum::http::StatusCode;

use super::answer::{Done, Failure, Outcome, counted};
use super::desk::Visit;
use super::ledger::{Ledger, StockKey};
use super::times::shown;
use super::view::item_code;
use crate::faces::xml::Element;
use crate::market::{Item, ItemOption, ItemStatus, MarketState};

/// Most items in one answer, and how many without a number.
const MOST: usize = 100;
const DEFAULT: usize = 25;

/// A category of every store: its key, its name, and the key above it.
type Category = (&'static str, &'static str, Option<&'static str>);

const CATEGORIES: [Category; 3] = [
    ("c3e6b8c5a5", "カテゴリ1", None),
    ("c3e6b8c5a6", "カテゴリ2", None),
    ("a0b1c2d3e4", "カテゴリ1-1", Some("c3e6b8c5a5")),
];

/// The categories of the item at a place: one below the first, and every fourth in another, too.
fn categories_of(at: usize) -> Vec<&'static str> {
    let [first, second, below] = CATEGORIES.map(|(key, ..)| key);
    match at % 4 {
        0 => vec![below],
        1 => vec![second],
        2 => vec![first],
        _ => vec![first, second],
    }
}

/// `stCategoryList`.
pub(super) fn categories(visit: &Visit<'_>, _ledger: &mut Ledger) -> Outcome {
    let above = visit.call.param("page_key");
    if above.is_some_and(|key| !CATEGORIES.iter().any(|(known, ..)| *known == key)) {
        return Err(Failure::item_parameter("page_key"));
    }
    let below: Vec<&Category> = CATEGORIES.iter().filter(|(.., parent)| *parent == above).collect();
    let rows = below.iter().enumerate().map(|(at, (key, name, _))| {
        Element::new("Result")
            .child(Element::text("PageKey", *key))
            .child(Element::cdata("Name", *name))
            .child(Element::text("Display", 1))
            .child(Element::text("HiddenPageFlag", 0))
            .child(Element::text("SortOrder", at + 1))
            .child(Element::text("EditingFlag", 0))
            .child(Element::text("UpdateTime", shown(visit.listed_at)))
    });
    Done::ok(
        counted("ResultSet", below.len(), below.len()).attribute("firstResultPosition", 1).children(rows),
    )
}

/// The store's items with their categories.
fn items<'a>(state: &'a MarketState, store: &str) -> Vec<(&'a Item, Vec<&'static str>)> {
    let own = state.items().filter(|item| item.seller == store);
    own.enumerate().map(|(at, item)| (item, categories_of(at))).collect()
}

fn in_query(item: &Item, query: &str, by_name: bool) -> bool {
    let code = item_code(&item.seller_code, item.id);
    let mut words = query.split(' ').filter(|word| !word.is_empty());
    words.all(|word| if by_name { item.title.contains(word) } else { code.starts_with(word) })
}

/// `myItemList`.
pub(super) fn list(visit: &Visit<'_>, ledger: &mut Ledger) -> Outcome {
    let call = visit.call;
    let number = |name: &'static str, default: usize, most: usize| match call.param(name) {
        None => Ok(default),
        Some(text) => {
            let number = text.parse().ok().filter(|n| (1..=most).contains(n));
            number.ok_or_else(|| Failure::item_parameter(name))
        }
    };
    let start = number("start", 1, usize::MAX)?;
    let results = number("results", DEFAULT, MOST)?.min(visit.settings.page_size.max(1));
    let (key, query) = (call.param("stcat_key"), call.param("query"));
    if key.is_some() == query.is_some() {
        return Err(Failure::item_parameter("stcat_key"));
    }
    if key.is_some_and(|key| !CATEGORIES.iter().any(|(known, ..)| *known == key)) {
        return Err(Failure::item_parameter("stcat_key"));
    }
    let by_name = match call.param("type") {
        None => false,
        Some("name") => true,
        Some(_) => return Err(Failure::item_parameter("type")),
    };
    let sort = call.param("sort").unwrap_or("+sort_priority");
    let (is_down, by) = match sort.split_at_checked(1) {
        Some(("+", by)) => (false, by),
        Some(("-", by)) => (true, by),
        _ => return Err(Failure::item_parameter("sort")),
    };
    if !["sort_priority", "item_code", "name", "stcat_key"].contains(&by) {
        return Err(Failure::item_parameter("sort"));
    }
    let with_stock = call.param("stock") == Some("true");
    visit.market().read(|state| {
        let mut found: Vec<(&Item, Vec<&str>)> = items(state, &visit.store)
            .into_iter()
            .filter(|(item, categories)| {
                key.is_none_or(|key| categories.contains(&key))
                    && query.is_none_or(|query| in_query(item, query, by_name))
            })
            .collect();
        match by {
            "item_code" => found.sort_by_key(|(item, _)| item_code(&item.seller_code, item.id)),
            "name" => found.sort_by(|a, b| a.0.title.cmp(&b.0.title)),
            _ => {}
        }
        if is_down {
            found.reverse();
        }
        let page = found.iter().enumerate().skip(start - 1).take(results);
        let rows: Vec<Element> =
            page.map(|(at, (item, categories))| row(item, at, categories, with_stock, ledger)).collect();
        let root = counted("ResultSet", found.len(), rows.len()).attribute("firstResultPosition", start);
        Done::ok(root.children(rows))
    })
}

fn shown_quantity(key: StockKey, quantity: i64, ledger: &Ledger) -> String {
    if ledger.unlimited.contains(&key) { String::new() } else { quantity.to_string() }
}

fn is_shown(item: &Item) -> u8 {
    u8::from(item.status == ItemStatus::OnSale)
}

fn row(item: &Item, at: usize, categories: &[&str], with_stock: bool, ledger: &Ledger) -> Element {
    let name = categories.first().and_then(|key| CATEGORIES.iter().find(|(known, ..)| known == key));
    let has_options = !item.options.is_empty();
    let mut row = Element::new("Result")
        .child(Element::text("ItemCode", item_code(&item.seller_code, item.id)))
        .child(Element::text("HasSubCode", u8::from(has_options)))
        .child(Element::cdata("Name", &item.title))
        .child(Element::cdata("StCatName", name.map_or("", |(_, name, _)| name)))
        .child(Element::text("Display", is_shown(item)))
        .child(Element::text("EditingFlag", 0))
        .child(Element::text("OriginalPrice", ""))
        .child(Element::text("Price", item.price))
        .child(Element::text("SalePrice", ""))
        .child(Element::text("MemberPrice", ""))
        .child(Element::text("SortOrder", at + 1))
        .child(Element::text("SortPriority", at + 1));
    if with_stock {
        let key = (item.id, None);
        let own = |text: String| if has_options { String::new() } else { text };
        row = row
            .child(Element::text("Quantity", own(shown_quantity(key, item.quantity, ledger))))
            .child(Element::text("StockClose", own(u8::from(ledger.closed.contains(&key)).to_string())));
    }
    row
}

/// `getItem`.
pub(super) fn one(visit: &Visit<'_>, ledger: &mut Ledger) -> Outcome {
    let code = visit.call.param("item_code").ok_or_else(|| Failure::item_parameter("item_code"))?;
    visit.market().read(|state| {
        let own = items(state, &visit.store);
        let found = own.iter().find(|(item, _)| item_code(&item.seller_code, item.id) == code);
        let Some((item, _)) = found else {
            return Done::ok(Element::new("ResultSet").attribute("totalResultsReturned", 0));
        };
        let quantity = if item.options.is_empty() {
            shown_quantity((item.id, None), item.quantity, ledger)
        } else {
            String::new()
        };
        let mut result = Element::new("Result")
            .child(Element::text("ItemCode", code))
            .child(Element::cdata("Name", &item.title))
            .child(Element::text("Price", item.price))
            .child(Element::text("Quantity", quantity))
            .child(Element::text("Display", is_shown(item)));
        if !item.options.is_empty() {
            let options = item.options.iter().map(|option| sub_code(item, option, ledger));
            result = result.child(Element::new("SubCodes").children(options));
        }
        let result = result
            .child(Element::text("UpdateTime", shown(visit.listed_at)))
            .child(Element::text("EditingFlag", 0));
        let body = Element::new("ResultSet").attribute("totalResultsReturned", 1).child(result);
        Ok(Done { status: StatusCode::OK, body })
    })
}

fn sub_code(item: &Item, option: &ItemOption, ledger: &Ledger) -> Element {
    let key = (item.id, Some(option.id));
    // The price of an option is there where it is not the item's.
    let price = item.price + option.surcharge;
    let price = if option.surcharge == crate::Amount::ZERO { String::new() } else { price.to_string() };
    let axes = option
        .axes
        .iter()
        .map(|axis| Element::new("Option").attribute("name", &axis.name).attribute("value", &axis.value));
    Element::new("SubCode")
        .attribute("code", &option.sku)
        .attribute("quantity", shown_quantity(key, option.quantity, ledger))
        .attribute("stockClose", u8::from(ledger.closed.contains(&key)))
        .children(axes)
        .child(Element::text("Price", price))
}
