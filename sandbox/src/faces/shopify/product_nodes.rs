//! Products, variants, inventory items and locations as nodes (sheet 4.5 and 4.6).

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::book::{self, Book, Location};
use super::desk::Visit;
use super::node::{Field, Node};
use super::{ids, time};
use crate::market::{Action, Axis, Item, ItemId, ItemStatus, MarketState, OptionId};

/// "Red / S"; none for an item without options.
pub(super) fn variant_title(axes: &[Axis]) -> Option<String> {
    let values: Vec<&str> = axes.iter().map(|axis| &*axis.value).collect();
    (!values.is_empty()).then(|| values.join(" / "))
}

pub(super) fn full_name(title: &str, variant: Option<&str>) -> String {
    variant.map_or_else(|| title.to_owned(), |variant| format!("{title} - {variant}"))
}

/// `ProductStatus`.
pub(super) fn status(item: &Item) -> &'static str {
    match item.status {
        ItemStatus::OnSale => "ACTIVE",
        ItemStatus::Waiting | ItemStatus::InReview => "DRAFT",
        ItemStatus::Stopped | ItemStatus::Restricted | ItemStatus::Refused => "ARCHIVED",
    }
}

pub(super) fn product(item: &Item) -> Node {
    let total: i64 =
        ids::variants(item).iter().map(|(_, option)| quantity(item, *option).unwrap_or_default()).sum();
    Node::new("Product").leaves([
        ("handle", json!(item.seller_code.to_lowercase())),
        ("id", json!(ids::gid("Product", item.id.0))),
        ("legacyResourceId", json!(item.id.0.to_string())),
        ("status", json!(status(item))),
        ("title", json!(item.title)),
        ("totalInventory", json!(total)),
        ("tracksInventory", json!(true)),
        ("vendor", json!("Sandbox Demo")),
    ])
}

/// Units for sale.
pub(super) fn quantity(item: &Item, option: Option<OptionId>) -> Option<i64> {
    option.map_or(Some(item.quantity), |id| item.option(id).map(|option| option.quantity))
}

/// The SKU of a variant.
pub(super) fn sku(item: &Item, option: Option<OptionId>) -> Option<&str> {
    let sku = option.map_or(Some(&item.seller_code), |id| item.option(id).map(|option| &option.sku));
    sku.map(String::as_str).filter(|sku| !sku.is_empty())
}

pub(super) fn variant(visit: &Visit<'_>, book: &Book, item: &Item, option: Option<OptionId>) -> Option<Node> {
    let number = ids::variant(item.id, option);
    let units = quantity(item, option)?;
    let chosen = option.and_then(|id| item.option(id));
    let title = chosen.and_then(|option| variant_title(&option.axes));
    let price = item.price + chosen.map(|option| option.surcharge).unwrap_or_default();
    let position = ids::variants(item).iter().position(|(id, _)| *id == number).unwrap_or_default() + 1;
    let node = Node::new("ProductVariant")
        .leaves([
            ("availableForSale", json!(units > 0 && item.status == ItemStatus::OnSale)),
            ("barcode", Value::Null),
            ("displayName", json!(full_name(&item.title, Some(title.as_deref().unwrap_or("Default Title"))))),
            ("id", json!(ids::gid("ProductVariant", number))),
            ("inventoryPolicy", json!("DENY")),
            ("inventoryQuantity", json!(units)),
            ("legacyResourceId", json!(number.to_string())),
            ("position", json!(position)),
            ("price", json!(price.with_decimals())),
            ("sku", json!(sku(item, option))),
            ("title", json!(title.as_deref().unwrap_or("Default Title"))),
        ])
        .with("product", product(item));
    Some(match visit.lacks(&["read_inventory"]) {
        Some(access) => node.with("inventoryItem", Field::Denied(access)),
        None => node.with("inventoryItem", inventory_item(visit, book, item, option)),
    })
}

fn inventory_item(visit: &Visit<'_>, book: &Book, item: &Item, option: Option<OptionId>) -> Node {
    let number = ids::variant(item.id, option);
    let (market, most) = (visit.market().clone(), visit.settings.page_size);
    let (home, id) = (book.location(book.home(number)).cloned(), item.id);
    Node::new("InventoryItem")
        .leaves([
            ("id", json!(ids::gid("InventoryItem", number))),
            ("legacyResourceId", json!(number.to_string())),
            ("requiresShipping", json!(!book.digital.contains(&number))),
            ("sku", json!(sku(item, option))),
            ("tracked", json!(!book.untracked.contains(&number))),
        ])
        // Every order is looked at for it, so only when it is asked for.
        .later("inventoryLevels", move || {
            let level = |state: &MarketState| Some(level(state, state.item(id)?, option, home.as_ref()?));
            let levels: Vec<Node> = market.read(level).into_iter().collect();
            Field::connection(levels, most)
        })
}

fn level(state: &MarketState, item: &Item, option: Option<OptionId>, location: &Location) -> Node {
    let number = ids::variant(item.id, option);
    let available = quantity(item, option).unwrap_or_default();
    let committed = committed(state, item.id, option);
    let changed_at = quantity_changed_at(state, item.id, option).map(time);
    let quantities: Vec<Node> =
        [("available", available), ("committed", committed), ("on_hand", available + committed)]
            .into_iter()
            .map(|(name, quantity)| {
                let id = format!("gid://shopify/InventoryQuantity/{number}?name={name}");
                Node::new("InventoryQuantity").leaves([
                    ("id", json!(id)),
                    ("name", json!(name)),
                    ("quantity", json!(quantity)),
                    ("updatedAt", json!(changed_at)),
                ])
            })
            .collect();
    let id = format!("gid://shopify/InventoryLevel/{}?inventory_item_id={number}", location.id);
    Node::new("InventoryLevel")
        .leaves([("id", json!(id)), ("isActive", json!(true))])
        .with("location", location_node(location))
        .with("quantities", quantities)
}

/// When the quantity was last set, changed or sold from.
fn quantity_changed_at(state: &MarketState, item: ItemId, option: Option<OptionId>) -> Option<DateTime<Utc>> {
    let set = state.record().iter().rev().find(|event| {
        event.subject.item == Some(item)
            && event.subject.option == option
            && matches!(event.action, Action::QuantitySet { .. } | Action::QuantityChanged { .. })
    });
    let sold = state
        .orders()
        .iter()
        .filter(|order| order.lines.iter().any(|line| line.item == item && line.option == option))
        .map(|order| order.ordered_at)
        .max();
    set.map(|event| event.at).max(sold)
}

/// Units of open orders.
pub(super) fn committed(state: &MarketState, item: ItemId, option: Option<OptionId>) -> i64 {
    let lines = state.orders().iter().flat_map(|order| &order.lines);
    let of_it = lines.filter(|line| line.item == item && line.option == option);
    of_it.map(|line| i64::from(book::left_of(line))).sum()
}

pub(super) fn location_node(location: &Location) -> Node {
    Node::new("Location").leaves([
        ("fulfillsOnlineOrders", json!(location.active)),
        ("id", json!(ids::gid("Location", location.id))),
        ("isActive", json!(location.active)),
        ("isFulfillmentService", json!(false)),
        ("legacyResourceId", json!(location.id.to_string())),
        ("name", json!(location.name)),
        ("shipsInventory", json!(location.active)),
    ])
}

/// The seller's item and option with a variant number.
pub(super) fn find<'a>(
    visit: &Visit<'_>,
    state: &'a MarketState,
    number: u64,
) -> Option<(&'a Item, Option<OptionId>)> {
    let own = state.items().filter(|item| item.seller == visit.token.seller);
    own.flat_map(|item| ids::variants(item).into_iter().map(move |(id, option)| (id, item, option)))
        .find(|(id, ..)| *id == number)
        .map(|(_, item, option)| (item, option))
}

pub(super) fn variant_by_number(visit: &Visit<'_>, number: u64) -> Option<Node> {
    let book = visit.book();
    visit.market().read(|state| {
        let (item, option) = find(visit, state, number)?;
        variant(visit, &book, item, option)
    })
}

pub(super) fn inventory_by_number(visit: &Visit<'_>, number: u64) -> Option<Node> {
    let book = visit.book();
    visit.market().read(|state| {
        let (item, option) = find(visit, state, number)?;
        Some(inventory_item(visit, &book, item, option))
    })
}
