//! Order items into lines (sheet 6). No call is made here.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::channel::Tracking;
use crate::lenient::{Text, object};
use crate::model::{ChannelData, Currency, Line, ListingKey, Money, OrderStatus, Sku};

use super::config::status;
use super::wire::{rows, time, told};

/// An order item: one piece.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct ItemRow<'a> {
    #[serde(borrow)]
    order_item_id: Text<'a>,
    #[serde(borrow)]
    product_id: Text<'a>,
    #[serde(borrow)]
    sku_id: Text<'a>,
    #[serde(borrow)]
    shop_sku: Text<'a>,
    #[serde(borrow)]
    sku: Text<'a>,
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    variation: Text<'a>,
    #[serde(borrow)]
    status: Text<'a>,
    #[serde(borrow)]
    order_type: Text<'a>,
    #[serde(borrow)]
    stage_pay_status: Text<'a>,
    #[serde(borrow)]
    item_price: Text<'a>,
    #[serde(borrow)]
    paid_price: Text<'a>,
    #[serde(borrow)]
    voucher_amount: Text<'a>,
    #[serde(borrow)]
    currency: Text<'a>,
    #[serde(borrow)]
    package_id: Text<'a>,
    #[serde(borrow)]
    tracking_code: Text<'a>,
    #[serde(borrow)]
    shipment_provider: Text<'a>,
    #[serde(borrow)]
    warehouse_code: Text<'a>,
    #[serde(borrow)]
    is_fbl: Text<'a>,
    #[serde(borrow)]
    sla_time_stamp: Text<'a>,
    #[serde(borrow)]
    payment_time: Text<'a>,
    #[serde(borrow)]
    updated_at: Text<'a>,
    #[serde(borrow)]
    need_cancel_confirm: Text<'a>,
    #[serde(borrow)]
    is_cancel_pending: Text<'a>,
}

impl ItemRow<'_> {
    fn status(&self) -> OrderStatus {
        let word = self.status.trim();
        let stage = told(&self.stage_pay_status).is_some_and(|stage| stage.starts_with("unpaid"));
        match status(word) {
            // A presale whose balance is due is not paid, whatever the item says.
            OrderStatus::New if stage && self.order_type.trim().eq_ignore_ascii_case("presale") => {
                OrderStatus::PendingPayment
            }
            // Lazada ships it from its own warehouse: nothing is left for the seller, and a second parcel from the
            // seller's own would cost money.
            OrderStatus::New | OrderStatus::Confirmed if self.is_fbl.flag() == Some(true) => {
                OrderStatus::ReadyToShip
            }
            status => status,
        }
    }

    /// Whether the buyer asks to cancel it; `None`: it is not told.
    fn wants_out(&self) -> Option<bool> {
        match (self.need_cancel_confirm.flag(), self.is_cancel_pending.flag()) {
            (None, None) => None,
            (needed, pending) => Some(needed == Some(true) || pending == Some(true)),
        }
    }
}

/// What later calls need of a line.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct LineData {
    /// The order items behind the line, one for each piece.
    pub(super) ids: Vec<String>,
    /// The channel's word for their state.
    pub(super) word: String,
    /// The warehouse that they lie in; empty: the only one.
    pub(super) warehouse: String,
    /// Carrier and tracking number, once the pieces are packed.
    pub(super) carrier: String,
    pub(super) tracking: String,
}

/// The order items of an order, each typed.
///
/// # Errors
/// What is missing: an order without a part of its pieces would ship incomplete.
pub(super) fn items<'a>(list: &'a RawValue) -> Result<Vec<ItemRow<'a>>, &'static str> {
    let raws = rows(Some(list)).map_err(|_| "the order items can't be read")?;
    if raws.is_empty() {
        return Err("the order has no items");
    }
    raws.into_iter()
        .map(|raw| {
            object::<ItemRow<'a>>("an order item", raw.get()).map_err(|_| "an order item can't be read")
        })
        .collect()
}

/// What the items say of the order as a whole.
pub(super) struct Summary {
    /// The least advanced open line's (sheet 5).
    pub(super) status: OrderStatus,
    pub(super) currency: Option<Currency>,
    pub(super) paid_at: Option<DateTime<Utc>>,
    pub(super) changed_at: Option<DateTime<Utc>>,
    pub(super) ship_by: Option<DateTime<Utc>>,
    /// What the pieces cost together.
    pub(super) paid: Option<Decimal>,
    /// Whether the buyer asks to cancel an item that is not shipped; `None`: no item tells.
    pub(super) wants_out: Option<bool>,
    pub(super) tracking: Vec<Tracking>,
}

pub(super) fn summary(items: &[ItemRow<'_>], lines: &[Line]) -> Summary {
    let open = lines.iter().filter(|line| line.status != OrderStatus::Cancelled);
    let status = open.map(|line| line.status).min().unwrap_or(OrderStatus::Cancelled);
    let unshipped = || items.iter().filter(|item| !item.status().is_past_dispatch());
    let mut wants_out = None;
    // Also after "ready to ship": the goods may still be here.
    let here = items.iter().filter(|item| item.status() < OrderStatus::Shipped);
    for wish in here.filter_map(ItemRow::wants_out) {
        wants_out = Some(wants_out == Some(true) || wish);
    }
    Summary {
        status,
        currency: currency(items),
        paid_at: items.iter().filter_map(|item| time(&item.payment_time)).max(),
        changed_at: items.iter().filter_map(|item| time(&item.updated_at)).max(),
        ship_by: unshipped().filter_map(|item| time(&item.sla_time_stamp)).min(),
        paid: sum(items.iter().map(|item| item.paid_price.decimal())),
        wants_out,
        tracking: tracking(items),
    }
}

/// The one currency of all items; `None`: one is missing, no currency code, or another.
fn currency(items: &[ItemRow<'_>]) -> Option<Currency> {
    let mut one = None;
    for item in items {
        let code: Currency = item.currency.filled()?.parse().ok()?;
        if *one.get_or_insert(code) != code {
            return None;
        }
    }
    one
}

fn sum(amounts: impl Iterator<Item = Option<Decimal>>) -> Option<Decimal> {
    let mut sum = Decimal::ZERO;
    for amount in amounts {
        sum = sum.checked_add(amount?)?;
    }
    Some(sum)
}

/// What makes order items the same line.
#[derive(PartialEq, Eq, Hash)]
struct Same<'a> {
    product: &'a str,
    sku: &'a str,
    shop_sku: &'a str,
    seller_sku: &'a str,
    price: &'a str,
    paid: &'a str,
    word: &'a str,
    status: OrderStatus,
    package: &'a str,
    tracking: &'a str,
    warehouse: &'a str,
}

fn same<'a>(item: &'a ItemRow<'_>) -> Same<'a> {
    Same {
        product: item.product_id.trim(),
        sku: item.sku_id.trim(),
        shop_sku: item.shop_sku.trim(),
        seller_sku: item.sku.trim(),
        price: item.item_price.trim(),
        paid: item.paid_price.trim(),
        word: item.status.trim(),
        status: item.status(),
        package: item.package_id.trim(),
        tracking: item.tracking_code.trim(),
        warehouse: item.warehouse_code.trim(),
    }
}

/// Each order item is one piece: equal ones become one line with a quantity (sheet 6). The line is named by its lowest
/// item, so that its name does not depend on the order in which they come.
///
/// # Errors
/// What is missing.
pub(super) fn lines(items: &[ItemRow<'_>]) -> Result<Vec<Line>, &'static str> {
    let currency = currency(items);
    let mut groups: Vec<Vec<&ItemRow<'_>>> = Vec::new();
    let mut places: HashMap<Same<'_>, usize> = HashMap::new();
    let mut ids: HashSet<&str> = HashSet::new();
    for item in items {
        let id = item.order_item_id.filled().ok_or("an order item has no id")?;
        if !ids.insert(id) {
            return Err("two order items have one id");
        }
        if [&item.order_item_id, &item.product_id, &item.sku_id, &item.sku].iter().any(|id| id.is_broken()) {
            return Err("an order item's ids have broken characters");
        }
        let place = *places.entry(same(item)).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => group.push(item),
            None => groups.push(vec![item]),
        }
    }
    groups.into_iter().map(|group| line(group, currency)).collect()
}

/// Product and SKU, as the list of products names them. Where the channel tells no SKU id, its other name of the SKU
/// stands for it: no stock can be set under it, and the order is whole.
fn listing(item: &ItemRow<'_>) -> Result<ListingKey, &'static str> {
    let product = told(&item.product_id).unwrap_or_default();
    let sku = told(&item.sku_id).or_else(|| told(&item.shop_sku)).or_else(|| told(&item.sku));
    match sku {
        Some(sku) => Ok(ListingKey::option(product, sku)),
        None if !product.is_empty() => Ok(ListingKey::item(product)),
        None => Err("an order item names neither product nor SKU"),
    }
}

fn line(mut group: Vec<&ItemRow<'_>>, currency: Option<Currency>) -> Result<Line, &'static str> {
    // Ids are numbers of different lengths.
    let order = |item: &&ItemRow<'_>| (item.order_item_id.trim().len(), item.order_item_id.trim().to_owned());
    group.sort_by_key(order);
    let ids: Vec<String> = group.iter().map(|item| item.order_item_id.trim().to_owned()).collect();
    let (Some(first), Some(name)) = (group.first(), ids.first()) else {
        return Err("the order has no items");
    };
    let quantity = u32::try_from(ids.len()).map_err(|_| "the order has too many items")?;
    let status = first.status();
    let mut line = Line::new(name.as_str(), listing(first)?, quantity, status);
    line.unit = told(&first.package_id).unwrap_or_default().to_owned();
    line.sku = told(&first.sku).map(Sku::from);
    line.title = first.name.trim().to_owned();
    line.option_text = told(&first.variation).unwrap_or_default().to_owned();
    if status == OrderStatus::Cancelled {
        line.cancelled = quantity;
    } else if status.is_past_dispatch() {
        line.shipped = quantity;
    }
    if let Some(currency) = currency {
        let money = |amount: Decimal| Money::new(amount, currency);
        line.unit_price = first.item_price.decimal().map(money);
        line.total = sum(group.iter().map(|item| item.paid_price.decimal())).map(money);
        line.discount =
            sum(group.iter().map(|item| item.voucher_amount.decimal().map(|off| off.abs()))).map(money);
    }
    let data = LineData {
        word: first.status.trim().to_owned(),
        warehouse: told(&first.warehouse_code).unwrap_or_default().to_owned(),
        carrier: told(&first.shipment_provider).unwrap_or_default().to_owned(),
        tracking: told(&first.tracking_code).unwrap_or_default().to_owned(),
        ids,
    };
    line.channel_data = ChannelData::new(&data).map_err(|_| "the line's data can't be kept")?;
    Ok(line)
}

/// The tracking numbers of the pieces, each once.
fn tracking(items: &[ItemRow<'_>]) -> Vec<Tracking> {
    let mut found: Vec<Tracking> = Vec::new();
    for item in items {
        if let Some(number) = told(&item.tracking_code)
            && !found.iter().any(|known| known.number == number)
        {
            found.push(Tracking::new(told(&item.shipment_provider).unwrap_or_default(), number));
        }
    }
    found
}
