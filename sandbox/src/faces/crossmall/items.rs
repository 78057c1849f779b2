//! Items, their variants and their stock (sheet, sections 8 and 9). Read only.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::answer::{Failure, Outcome, Row, Rows};
use super::desk::Visit;
use super::ledger::Ledger;
use super::lines::attribute_fields;
use super::orders::within;
use crate::faces::xml::Element;
use crate::market::{Axis, Item, ItemId, MarketState, OptionId};

/// When all items were entered: 5 January 2026, 10:00 in Japan.
const LISTED_AT: i64 = 1_767_574_800;

/// One of the two attributes of a variant.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Attribute {
    pub(super) code: String,
    pub(super) name: String,
}

/// An item's code; the seller gave it, or it is the item's id.
pub(super) fn code_of(item: &Item) -> String {
    if item.seller_code.is_empty() { item.id.to_string() } else { item.seller_code.clone() }
}

/// A JAN code with its check digit, made of the id.
pub(super) fn jan_of(item: ItemId, option: Option<OptionId>) -> String {
    let id = option.map_or(item.0, |option| option.0) % 10_000_000_000;
    let digits = format!("49{id:010}");
    let weighted =
        digits.bytes().enumerate().map(|(at, b)| u32::from(b - b'0') * if at % 2 == 0 { 1 } else { 3 });
    format!("{digits}{}", (10 - weighted.sum::<u32>() % 10) % 10)
}

/// The texts of the two attributes: CROSS MALL knows no third, so further axes stand in the second.
fn values(axes: &[Axis], pick: fn(&Axis) -> &str) -> [String; 2] {
    let first = axes.first().map(pick).unwrap_or_default().to_owned();
    let rest: Vec<&str> = axes.iter().skip(1).map(pick).collect();
    [first, rest.join("/")]
}

/// The attributes of a variant. Codes count the values of the item.
pub(super) fn attributes_of(item: Option<&Item>, axes: &[Axis]) -> [Attribute; 2] {
    let [first, second] = values(axes, |axis| &axis.value);
    [attribute(item, 0, first), attribute(item, 1, second)]
}

fn attribute(item: Option<&Item>, place: usize, name: String) -> Attribute {
    if name.is_empty() {
        return Attribute::default();
    }
    let all = item.map(|item| distinct(item, place)).unwrap_or_default();
    let at = all.iter().position(|known| *known == name).unwrap_or(0);
    Attribute { code: format!("{:02}", at + 1), name }
}

/// The values of one of an item's attributes, as they come.
fn distinct(item: &Item, place: usize) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for option in &item.options {
        let value = values(&option.axes, |axis| &axis.value)[place].clone();
        if !value.is_empty() && !found.contains(&value) {
            found.push(value);
        }
    }
    found
}

/// The seller's items by code. Of two with one code the older counts.
fn by_code<'a>(state: &'a MarketState, seller: &str) -> BTreeMap<String, &'a Item> {
    let mut items = BTreeMap::new();
    for item in state.items().filter(|item| item.seller == seller) {
        items.entry(code_of(item)).or_insert(item);
    }
    items
}

fn find<'a>(visit: &Visit<'_>, state: &'a MarketState) -> Result<&'a Item, Failure> {
    let code = visit.query.required("item_code")?;
    by_code(state, visit.seller).remove(code).ok_or_else(Failure::no_such_item)
}

/// When each item was last changed, as far as the record tells.
fn changes(state: &MarketState) -> BTreeMap<ItemId, DateTime<Utc>> {
    let done = state.record().iter().filter(|event| event.is_done());
    done.filter_map(|event| Some((event.subject.item?, event.at))).collect()
}

pub(super) fn search(visit: &Visit<'_>) -> Outcome {
    let is_above = visit.query.flag("condition")?.unwrap_or(false);
    let code = visit.query.text("item_code");
    let updated = visit.query.updated()?;
    let listed = DateTime::from_timestamp(LISTED_AT, 0).unwrap_or_default();
    let (rows, available) = visit.market().read(|state| {
        let changes = changes(state);
        let wanted = |known: &str| match code {
            Some(code) if is_above => known > code,
            Some(code) => known == code,
            None => true,
        };
        let is_in = |item: &Item| {
            within(updated, changes.get(&item.id).copied().unwrap_or(listed), visit.settings.open_ends)
        };
        let items = by_code(state, visit.seller).into_iter();
        let found: Vec<_> = items.filter(|(known, item)| wanted(known) && is_in(item)).collect();
        let page = found.iter().take(visit.settings.page_size);
        (page.map(|(code, item)| item_row(code, item)).collect(), found.len())
    });
    Ok(Rows { rows, available })
}

fn item_row(code: &str, item: &Item) -> Row {
    let groups = item.options.first().map(|option| values(&option.axes, |axis| &axis.name));
    let [one, two] = groups.unwrap_or_default();
    vec![
        Element::text("item_code", code),
        Element::text("item_name", &item.title),
        Element::text("attribute1_name", one),
        Element::text("attribute2_name", two),
        Element::text("unit_price", item.price),
        Element::text("notax_purchase_price", ""),
        Element::text("taxin_purchase_price", ""),
        Element::text("cost_price", ""),
        Element::text("fixed_price", item.price),
    ]
}

/// What has stock of its own: an option, or an item without options.
struct Variant<'a> {
    item: &'a Item,
    option: Option<OptionId>,
    sku: &'a str,
    attributes: [Attribute; 2],
    quantity: i64,
}

fn variants(item: &Item) -> Vec<Variant<'_>> {
    if item.options.is_empty() {
        let attributes = <[Attribute; 2]>::default();
        return vec![Variant { item, option: None, sku: "", attributes, quantity: item.quantity }];
    }
    let options = item.options.iter().map(|option| {
        let attributes = attributes_of(Some(item), &option.axes);
        Variant { item, option: Some(option.id), sku: &option.sku, attributes, quantity: option.quantity }
    });
    options.collect()
}

pub(super) fn skus(visit: &Visit<'_>) -> Outcome {
    visit.market().read(|state| {
        let item = find(visit, state)?;
        let is_left_out = item.options.is_empty() && visit.settings.simple_items_have_no_sku_row;
        let variants = if is_left_out { Vec::new() } else { variants(item) };
        Ok(Rows::of(variants.iter().map(sku_row).collect()))
    })
}

fn sku_row(variant: &Variant<'_>) -> Row {
    let mut row = vec![Element::text("item_code", code_of(variant.item))];
    row.extend(attribute_fields(&variant.attributes));
    row.push(Element::text("item_sku_code", variant.sku));
    for name in ["order_type", "order_point", "safety_stock", "lead_time", "order_lot", "keep_stock"] {
        row.push(Element::text(name, 0));
    }
    row.push(Element::text("stock_unlimit_flag", 0));
    row.push(Element::text("jan_code", jan_of(variant.item.id, variant.option)));
    row
}

pub(super) fn attributes(visit: &Visit<'_>) -> Outcome {
    let place = |text: &str| text.parse::<usize>().ok().filter(|place| (1..=2).contains(place));
    let place = visit.query.read("attribute_type", place)?;
    let place = place.ok_or_else(|| Failure::parameter("attribute_type"))?;
    visit.market().read(|state| {
        let names = distinct(find(visit, state)?, place - 1);
        let row = |(at, name): (usize, &String)| {
            vec![
                Element::text("attribute_code", format!("{:02}", at + 1)),
                Element::text("attribute_name", name),
            ]
        };
        Ok(Rows::of(names.iter().enumerate().map(row).collect()))
    })
}

pub(super) fn stock(visit: &Visit<'_>) -> Outcome {
    let query = visit.query;
    let (item, sku, jan) = (query.text("item_code"), query.text("sku_code"), query.text("jan_code"));
    if item.or(sku).or(jan).is_none() {
        return Err(Failure::parameter("item_code"));
    }
    let ledger = visit.ledger();
    visit.market().read(|state| {
        let items = by_code(state, visit.seller);
        let fits = |variant: &Variant<'_>| {
            let [one, two] = &variant.attributes;
            let named =
                |name: &str, is: &str| item.is_none() || query.text(name).is_none_or(|name| name == is);
            sku.is_none_or(|sku| variant.sku == sku)
                && jan.is_none_or(|jan| jan_of(variant.item.id, variant.option) == jan)
                && named("attribute1_name", &one.name)
                && named("attribute2_name", &two.name)
        };
        let wanted = items.iter().filter(|(code, _)| item.is_none_or(|item| *code == item));
        let found = wanted.filter(|(_, item)| has_stock(&ledger, item)).flat_map(|(_, item)| variants(item));
        let rows: Vec<Row> = found.filter(fits).map(|variant| stock_row(&variant)).collect();
        if rows.is_empty() { Err(Failure::no_such_item()) } else { Ok(Rows::of(rows)) }
    })
}

/// Sets have none of their own.
fn has_stock(ledger: &Ledger, item: &Item) -> bool {
    !ledger.sets.contains_key(&item.id)
}

fn stock_row(variant: &Variant<'_>) -> Row {
    let mut row = vec![Element::text("item_cd", code_of(variant.item))];
    row.extend(attribute_fields(&variant.attributes));
    row.push(Element::text("stock", variant.quantity));
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jan_codes_have_their_check_digit() {
        let jan = jan_of(ItemId(700_100_100), None);
        assert_eq!(jan.len(), 13);
        let weighted =
            jan.bytes().enumerate().map(|(at, b)| u32::from(b - b'0') * if at % 2 == 0 { 1 } else { 3 });
        assert_eq!(weighted.sum::<u32>() % 10, 0);
    }
}
