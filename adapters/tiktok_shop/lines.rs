//! Line items into lines (sheet 6). No call is made here.

use std::collections::HashMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::channel::Tracking;
use crate::lenient::{Text, object};
use crate::model::{ChannelData, Currency, Line, ListingKey, Money, OrderStatus, Sku};

use super::rows::status;
use super::wire::{readable, rows};

/// A line item: one piece.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct ItemRow<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    sku_id: Text<'a>,
    #[serde(borrow)]
    product_id: Text<'a>,
    #[serde(borrow)]
    seller_sku: Text<'a>,
    #[serde(borrow)]
    product_name: Text<'a>,
    #[serde(borrow)]
    sku_name: Text<'a>,
    #[serde(borrow)]
    display_status: Text<'a>,
    #[serde(borrow)]
    sale_price: Text<'a>,
    #[serde(borrow)]
    original_price: Text<'a>,
    #[serde(borrow)]
    seller_discount: Text<'a>,
    #[serde(borrow)]
    platform_discount: Text<'a>,
    #[serde(borrow)]
    package_id: Text<'a>,
    #[serde(borrow)]
    is_gift: Text<'a>,
    #[serde(borrow)]
    tracking_number: Text<'a>,
    #[serde(borrow)]
    shipping_provider_name: Text<'a>,
    #[serde(borrow)]
    combined_listing_skus: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct PartRow<'a> {
    #[serde(borrow)]
    sku_id: Text<'a>,
    #[serde(borrow)]
    product_id: Text<'a>,
    #[serde(borrow)]
    seller_sku: Text<'a>,
    #[serde(borrow)]
    sku_count: Text<'a>,
}

/// What dispatch needs of a line.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct LineData {
    /// The line items behind the line, one for each piece.
    pub(super) ids: Vec<String>,
    /// The tracking number of the pieces, once they are shipped.
    pub(super) tracking: String,
    /// The parts of a bundle.
    pub(super) parts: Vec<Part>,
}

/// A part of a bundle (`combined_listing_skus`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Part {
    pub(super) sku_id: String,
    pub(super) product_id: String,
    pub(super) seller_sku: String,
    pub(super) count: u32,
}

/// The line items of an order, each typed.
///
/// # Errors
/// What is missing: an order without a part of its pieces would ship incomplete.
pub(super) fn items<'a>(list: Option<&'a RawValue>) -> Result<Vec<ItemRow<'a>>, &'static str> {
    let raws = rows(list).map_err(|_| "the line items can't be read")?;
    if raws.is_empty() {
        return Err("the order has no line items");
    }
    raws.into_iter()
        .map(|raw| object::<ItemRow<'a>>("a line item", raw.get()).map_err(|_| "a line item can't be read"))
        .collect()
}

/// What makes line items the same line.
#[derive(PartialEq, Eq, Hash)]
struct Same<'a> {
    product: &'a str,
    sku: &'a str,
    price: &'a str,
    original: &'a str,
    status: &'a str,
    package: &'a str,
    tracking: &'a str,
    gift: bool,
    parts: Vec<Part>,
}

/// Each line item is one piece: equal ones become one line with a quantity (sheet 6). The line is named by its lowest
/// line item, so that its name does not depend on the order in which they come.
pub(super) fn lines(
    items: &[ItemRow<'_>],
    order: OrderStatus,
    currency: Option<Currency>,
) -> Result<Vec<Line>, &'static str> {
    let mut groups: Vec<Vec<&ItemRow<'_>>> = Vec::new();
    let mut places: HashMap<Same<'_>, usize> = HashMap::new();
    for item in items {
        if [&item.id, &item.sku_id, &item.product_id].iter().any(|id| id.filled().is_none()) {
            return Err("a line item has no id, SKU id or product id");
        }
        if item.sku_id.is_broken() || item.product_id.is_broken() || item.id.is_broken() {
            return Err("a line item's ids have broken characters");
        }
        let place = *places.entry(same(item)).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => group.push(item),
            None => groups.push(vec![item]),
        }
    }
    groups.into_iter().map(|group| line(group, order, currency)).collect()
}

fn same<'a>(item: &'a ItemRow<'_>) -> Same<'a> {
    Same {
        product: item.product_id.trim(),
        sku: item.sku_id.trim(),
        price: item.sale_price.trim(),
        original: item.original_price.trim(),
        status: item.display_status.trim(),
        package: item.package_id.trim(),
        tracking: item.tracking_number.trim(),
        gift: item.is_gift.flag() == Some(true),
        parts: parts(item),
    }
}

fn parts(item: &ItemRow<'_>) -> Vec<Part> {
    let parts: Vec<PartRow<'_>> = readable(item.combined_listing_skus);
    parts
        .iter()
        .map(|part| Part {
            sku_id: part.sku_id.trim().to_owned(),
            product_id: part.product_id.trim().to_owned(),
            seller_sku: part.seller_sku.trim().to_owned(),
            count: part.sku_count.integer().and_then(|n| u32::try_from(n).ok()).unwrap_or(1),
        })
        .collect()
}

fn line(
    mut group: Vec<&ItemRow<'_>>,
    order: OrderStatus,
    currency: Option<Currency>,
) -> Result<Line, &'static str> {
    // Ids are numbers of different lengths.
    group.sort_by(|a, b| (a.id.trim().len(), a.id.trim()).cmp(&(b.id.trim().len(), b.id.trim())));
    let ids: Vec<String> = group.iter().map(|item| item.id.trim().to_owned()).collect();
    let (Some(first), Some(name)) = (group.first(), ids.first()) else {
        return Err("the order has no line items");
    };
    let quantity = u32::try_from(ids.len()).map_err(|_| "the order has too many line items")?;
    let listing = ListingKey::option(first.product_id.trim(), first.sku_id.trim());
    let status = line_status(first.display_status.trim(), order);
    let mut line = Line::new(name.as_str(), listing, quantity, status);
    line.unit = first.package_id.trim().to_owned();
    line.sku = first.seller_sku.filled().map(Sku::from);
    line.title = first.product_name.trim().to_owned();
    line.option_text = first.sku_name.trim().to_owned();
    if status == OrderStatus::Cancelled {
        line.cancelled = quantity;
    } else if status.is_past_dispatch() {
        line.shipped = quantity;
    }
    if let Some(currency) = currency {
        let sum = |of: fn(&ItemRow<'_>) -> Option<Decimal>| {
            let amounts: Option<Vec<_>> = group.iter().map(|item| of(item)).collect();
            let mut sum = Decimal::ZERO;
            for amount in amounts? {
                sum = sum.checked_add(amount)?;
            }
            Some(Money::new(sum, currency))
        };
        line.unit_price = first.original_price.decimal().map(|price| Money::new(price, currency));
        line.total = sum(|item| item.sale_price.decimal());
        line.discount = sum(|item| {
            let off = |text: &Text<'_>| {
                if text.filled().is_none() { Some(0.into()) } else { text.decimal().map(|off| off.abs()) }
            };
            off(&item.seller_discount)?.checked_add(off(&item.platform_discount)?)
        });
    }
    let data = LineData { ids, tracking: first.tracking_number.trim().to_owned(), parts: parts(first) };
    line.channel_data = ChannelData::new(&data).map_err(|_| "the line's data can't be kept")?;
    Ok(line)
}

/// A line's own status; without one, the order's.
fn line_status(word: &str, order: OrderStatus) -> OrderStatus {
    match (word, order) {
        (_, OrderStatus::Cancelled) => OrderStatus::Cancelled,
        ("", order) => order,
        (word, order) => match status(word) {
            // What TikTok ships itself.
            OrderStatus::New if order == OrderStatus::ReadyToShip => OrderStatus::ReadyToShip,
            status => status,
        },
    }
}

/// The tracking numbers of the pieces, and the order's own, each once.
pub(super) fn tracking(order: (&Text<'_>, &Text<'_>), items: &[ItemRow<'_>]) -> Vec<Tracking> {
    let of_items = items.iter().map(|item| (&item.shipping_provider_name, &item.tracking_number));
    let all = of_items.chain([order]);
    let mut found: Vec<Tracking> = Vec::new();
    for (carrier, number) in all {
        if let Some(number) = number.filled()
            && !found.iter().any(|known| known.number == number)
        {
            found.push(Tracking::new(carrier.trim(), number));
        }
    }
    found
}
