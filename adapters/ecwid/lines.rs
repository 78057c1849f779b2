//! Lines of an order (sheet, line fields). No call is made here.

use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::lenient::{Text, object};
use crate::model::{Currency, Line, ListingKey, Money, OrderStatus, Sku};

use super::wire::{readable, rows};

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct LineRow<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    product_id: Text<'a>,
    #[serde(borrow)]
    combination_id: Text<'a>,
    #[serde(borrow)]
    sku: Text<'a>,
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    quantity: Text<'a>,
    #[serde(borrow)]
    price: Text<'a>,
    #[serde(borrow)]
    is_shipping_required: Text<'a>,
    #[serde(borrow)]
    selected_options: Option<&'a RawValue>,
}

/// An option that was chosen, of a line or of a variation.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct OptionRow<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    value: Text<'a>,
    #[serde(borrow, rename = "type")]
    kind: Text<'a>,
}

impl OptionRow<'_> {
    fn words(&self) -> Option<String> {
        let value = self.value.filled()?;
        Some(self.name.filled().map_or_else(|| value.to_owned(), |name| format!("{name}: {value}")))
    }

    /// Whether the buyer wrote it: then it can be personal.
    fn is_free(&self) -> bool {
        let kind = self.kind.trim();
        ["TEXT", "TEXTAREA", "FILES"].iter().any(|free| kind.eq_ignore_ascii_case(free))
    }
}

/// Options in words: "Size: L, Colour: red".
pub(super) fn option_words(options: &[OptionRow<'_>]) -> String {
    let chosen: Vec<String> =
        options.iter().filter(|option| !option.is_free()).filter_map(OptionRow::words).collect();
    chosen.join(", ")
}

/// A line as it was read.
#[derive(Debug, Clone)]
pub(super) struct ReadLine {
    pub(super) line: Line,
    /// Whether it is shipped at all.
    pub(super) ships: bool,
    /// What the buyer wrote ("T-shirt, Engraving: A.B."): personal, for the memo.
    pub(super) words: Vec<String>,
}

/// Reads the lines. A line that can't be read spoils its order: shipped without it, the buyer would miss it.
pub(super) fn read_lines(
    list: Option<&RawValue>,
    currency: Option<Currency>,
) -> Result<Vec<ReadLine>, &'static str> {
    let rows = rows("the lines", list).map_err(|_| "the lines are no list")?;
    rows.into_iter().map(|raw| read_line(raw, currency)).collect()
}

fn read_line(raw: &RawValue, currency: Option<Currency>) -> Result<ReadLine, &'static str> {
    let row: LineRow<'_> = object("a line", raw.get()).map_err(|_| "a line can't be read")?;
    let id = row.id.filled().ok_or("a line has no id")?;
    let quantity = row
        .quantity
        .integer()
        .and_then(|pieces| u32::try_from(pieces).ok())
        .ok_or("the quantity of a line can't be read")?;
    let id_of = |text: &Text<'_>| text.filled().filter(|id| *id != "0").map(str::to_owned);
    let listing = match (id_of(&row.product_id), id_of(&row.combination_id)) {
        (Some(product), Some(variation)) => ListingKey::option(product, variation),
        (Some(product), None) => ListingKey::item(product),
        // Made by hand: there is no listing. The name is no number, so that it can never be taken for a product.
        (None, _) => ListingKey::item(format!("line-{id}")),
    };
    let mut line = Line::new(id, listing, quantity, OrderStatus::Unknown);
    line.sku = row.sku.filled().map(Sku::from);
    line.title = row.name.trim().to_owned();
    let options: Vec<OptionRow<'_>> = readable(row.selected_options);
    line.option_text = option_words(&options);
    if let Some((price, currency)) = row.price.decimal().zip(currency) {
        line.unit_price = Some(Money::new(price, currency));
        // Discounts of lines are shares of the order's: here they would count twice (sheet, discounts).
        line.total = price.checked_mul(Decimal::from(quantity)).map(|total| Money::new(total, currency));
    }
    let free = options.iter().filter(|option| option.is_free()).filter_map(OptionRow::words);
    let words = free.map(|words| format!("{}, {words}", line.title)).collect();
    // What does not say that it stays is shipped.
    Ok(ReadLine { line, ships: row.is_shipping_required.flag() != Some(false), words })
}
