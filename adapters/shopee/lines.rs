//! Items of an order into lines (sheet 6). No call is made here.

use std::collections::{BTreeSet, HashMap};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::lenient::{Text, object};
use crate::model::{ChannelData, Currency, Line, LineId, ListingKey, Money, OrderStatus, Sku};

use super::packages::{Contents, Key, Package, Stage};
use super::wire::{pieces, rows};

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct ItemRow<'a> {
    #[serde(borrow)]
    item_id: Text<'a>,
    #[serde(borrow)]
    item_name: Text<'a>,
    #[serde(borrow)]
    item_sku: Text<'a>,
    #[serde(borrow)]
    model_id: Text<'a>,
    #[serde(borrow)]
    model_name: Text<'a>,
    #[serde(borrow)]
    model_sku: Text<'a>,
    #[serde(borrow)]
    model_quantity_purchased: Text<'a>,
    #[serde(borrow)]
    model_original_price: Text<'a>,
    #[serde(borrow)]
    model_discounted_price: Text<'a>,
    #[serde(borrow)]
    promotion_type: Text<'a>,
    #[serde(borrow)]
    order_item_id: Text<'a>,
    #[serde(borrow)]
    line_item_id: Text<'a>,
    #[serde(borrow)]
    promotion_group_id: Text<'a>,
    #[serde(borrow)]
    active_qty: Text<'a>,
    #[serde(borrow)]
    cancel_requested_qty: Text<'a>,
    #[serde(borrow)]
    cancelled_qty: Text<'a>,
    #[serde(borrow)]
    return_requested_qty: Text<'a>,
    #[serde(borrow)]
    returned_qty: Text<'a>,
}

/// What later calls need of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct LineData {
    pub(super) key: Key,
}

impl ItemRow<'_> {
    fn key(&self) -> Result<Key, &'static str> {
        Ok(Key {
            item_id: self.item_id.integer().ok_or("a line has no item id")?,
            model_id: self.model_id.integer().unwrap_or(0),
            order_item_id: self.order_item_id.integer().unwrap_or(0),
            promotion_group_id: self.promotion_group_id.integer().unwrap_or(0),
        })
    }

    /// Pieces that were cancelled: told, or what is no more active.
    fn cancelled(&self, quantity: u32) -> u32 {
        let gone = [&self.cancel_requested_qty, &self.returned_qty, &self.return_requested_qty];
        let of = |text: &Text<'_>| pieces(text).unwrap_or(0);
        let told = pieces(&self.cancelled_qty).or_else(|| {
            let active = pieces(&self.active_qty)?;
            let other: u32 = gone.iter().fold(0, |sum, text| sum.saturating_add(of(text)));
            Some(quantity.saturating_sub(active).saturating_sub(other))
        });
        told.unwrap_or(0).min(quantity)
    }

    pub(super) fn wants_cancel(&self) -> bool {
        pieces(&self.cancel_requested_qty).is_some_and(|count| count > 0)
    }

    pub(super) fn wants_return(&self) -> bool {
        [&self.return_requested_qty, &self.returned_qty]
            .iter()
            .any(|text| pieces(text).is_some_and(|n| n > 0))
    }
}

/// The items of an order, each typed.
///
/// # Errors
/// What is missing: an order without a part of its lines would ship incomplete.
pub(super) fn items<'a>(list: Option<&'a RawValue>) -> Result<Vec<ItemRow<'a>>, &'static str> {
    let raws = rows(list).map_err(|_| "the items can't be read")?;
    if raws.is_empty() {
        return Err("the order has no items");
    }
    raws.into_iter()
        .map(|raw| object::<ItemRow<'a>>("an item", raw.get()).map_err(|_| "an item can't be read"))
        .collect()
}

/// Whether the keys of packages and lines are told in the same detail; else item and model alone count.
pub(super) fn agree(packages: &[Package], keys: &BTreeSet<Key>) -> bool {
    packages.iter().flat_map(|package| package.contents.keys()).all(|key| keys.contains(key))
}

/// Pieces of all packages in some stages.
fn pieces_in(packages: &[Package], full: bool, stage: impl Fn(Stage) -> bool) -> Contents {
    let mut sum = Contents::new();
    for package in packages.iter().filter(|package| stage(package.stage)) {
        for (key, count) in &package.contents {
            let count_of = sum.entry(if full { *key } else { key.short() }).or_insert(0);
            *count_of = count_of.saturating_add(*count);
        }
    }
    sum
}

/// The lines of an order in this state, with what its packages say of them.
pub(super) fn lines(
    items: &[ItemRow<'_>],
    packages: &[Package],
    status: OrderStatus,
    currency: Option<Currency>,
) -> Result<Vec<Line>, &'static str> {
    let keys: BTreeSet<Key> = items.iter().map(ItemRow::key).collect::<Result<_, _>>()?;
    let full = agree(packages, &keys);
    let mut arranged = pieces_in(packages, full, Stage::is_arranged);
    let mut ids: HashMap<String, u32> = HashMap::new();
    let told: Vec<&str> = items.iter().filter_map(|item| item.line_item_id.filled()).collect();
    // Half of them with an id of their own could not be told apart from the others.
    let own_ids = told.len() == items.len() && !told.contains(&"0");
    items
        .iter()
        .map(|item| {
            let key = item.key()?;
            let name = if own_ids {
                item.line_item_id.trim().to_owned()
            } else {
                let Key { item_id, model_id, order_item_id, promotion_group_id } = key;
                format!("{order_item_id}-{item_id}-{model_id}-{promotion_group_id}")
            };
            let count = ids.entry(name.clone()).or_insert(0);
            *count += 1;
            let id = if *count > 1 { format!("{name}-{count}") } else { name };
            let mut line = line(item, key, id.into(), status, currency)?;
            let match_key = if full { key } else { key.short() };
            let of_line = |package: &&Package| {
                package.contents.keys().any(|k| (if full { *k } else { k.short() }) == match_key)
            };
            if let [package] = packages.iter().filter(of_line).collect::<Vec<_>>().as_slice() {
                line.unit.clone_from(&package.number);
            }
            ship(&mut line, arranged.entry(match_key).or_insert(0));
            Ok(line)
        })
        .collect()
}

/// Counts what was shipped of a line.
fn ship(line: &mut Line, arranged: &mut u32) {
    let active = line.quantity.saturating_sub(line.cancelled);
    match line.status {
        OrderStatus::Cancelled => line.cancelled = line.quantity,
        OrderStatus::ReadyToShip
        | OrderStatus::Shipped
        | OrderStatus::Delivered
        | OrderStatus::DeliveryFailed
        | OrderStatus::Returned => line.shipped = active,
        OrderStatus::New | OrderStatus::Confirmed => {
            line.shipped = active.min(*arranged);
            *arranged -= line.shipped;
            if active > 0 && line.shipped == active {
                line.status = OrderStatus::ReadyToShip;
            } else if active == 0 {
                line.status = OrderStatus::Cancelled;
            }
        }
        OrderStatus::PendingPayment | OrderStatus::Unknown => {}
    }
}

/// The SKU rule (sheet 4.7): the model's own code; that of the item where there are no models. An item's code on one of
/// several models would name the wrong product.
pub(super) fn listing(item_id: i64, model_id: i64) -> ListingKey {
    if model_id == 0 {
        ListingKey::item(item_id.to_string())
    } else {
        ListingKey::option(item_id.to_string(), model_id.to_string())
    }
}

fn line(
    item: &ItemRow<'_>,
    key: Key,
    id: LineId,
    status: OrderStatus,
    currency: Option<Currency>,
) -> Result<Line, &'static str> {
    let quantity = pieces(&item.model_quantity_purchased).ok_or("the quantity of a line can't be read")?;
    if item.item_sku.is_broken() || item.model_sku.is_broken() {
        return Err("the SKU of a line has broken characters");
    }
    let mut line = Line::new(id, listing(key.item_id, key.model_id), quantity, status);
    let sku = if key.model_id == 0 { &item.item_sku } else { &item.model_sku };
    line.sku = sku.filled().map(Sku::from);
    line.title = item.item_name.trim().to_owned();
    line.option_text = item.model_name.trim().to_owned();
    line.cancelled = item.cancelled(quantity);
    if let Some(currency) = currency {
        let original = item.model_original_price.decimal();
        line.unit_price = original.map(|price| Money::new(price, currency));
        let paid = item.model_discounted_price.decimal();
        // A bundle's discount is not told by line: 0 stands for "not known" there (sheet 6).
        if let Some(paid) = paid.filter(|paid| !paid.is_zero() || !is_bundle(item)) {
            let count = Decimal::from(quantity);
            line.total = paid.checked_mul(count).map(|total| Money::new(total, currency));
            line.discount = original
                .and_then(|original| original.checked_sub(paid)?.checked_mul(count))
                .filter(|off| !off.is_sign_negative())
                .map(|off| Money::new(off, currency));
        }
    }
    line.channel_data = ChannelData::new(&LineData { key }).map_err(|_| "the line's data can't be kept")?;
    Ok(line)
}

fn is_bundle(item: &ItemRow<'_>) -> bool {
    item.promotion_type.trim() == "bundle_deal"
}
