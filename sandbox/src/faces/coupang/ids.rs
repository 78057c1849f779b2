//! The channel's numbers, made from the market's and read back. Pure.

use crate::market::{Item, ItemId, Line, LineNumber, MarketState, OptionId, Order, OrderNumber};

const ORDER: u64 = 22_000_000_000_000;
/// Longer numbers, which a test gave itself, are shown as they are.
const ORDERS: u64 = 1_000_000_000_000;
const OPTION: u64 = 3_242_000_000;
const ITEM: u64 = 70_000_000_000;
const UNLISTED: u64 = 900_000_000_000;
/// The first box: 18 digits, more than a double can hold.
pub(super) const FIRST_BOX: u64 = 642_538_970_006_401_429;
const RECEIPT: u64 = 50_000_000;
/// Claims of an order that receipts are there for.
const CLAIMS: u64 = 100;

pub(super) fn order_id(number: OrderNumber) -> u64 {
    if number.0 < ORDERS { ORDER + number.0 } else { number.0 }
}

pub(super) fn order(state: &MarketState, id: u64) -> Option<&Order> {
    let behind_prefix = || state.order(OrderNumber(id.checked_sub(ORDER).filter(|number| *number < ORDERS)?));
    behind_prefix().or_else(|| state.order(OrderNumber(id)).filter(|order| order.number.0 >= ORDERS))
}

/// The option id: what quantities are kept by.
pub(super) fn vendor_item(line: &Line) -> u64 {
    match line.option {
        Some(option) => of_option(option),
        None if line.item.0 > 0 => of_item(line.item),
        None => UNLISTED + line.number.0,
    }
}

pub(super) fn of_option(option: OptionId) -> u64 {
    OPTION + option.0
}

pub(super) fn of_item(item: ItemId) -> u64 {
    ITEM + item.0
}

/// The item, and the option unless it has none.
pub(super) fn find_item(state: &MarketState, vendor_item: u64) -> Option<(&Item, Option<OptionId>)> {
    let simple = || {
        let item = state.item(ItemId(vendor_item.checked_sub(ITEM)?))?;
        item.options.is_empty().then_some((item, None))
    };
    let option = || {
        let id = OptionId(vendor_item.checked_sub(OPTION)?);
        state.items().find(|item| item.option(id).is_some()).map(|item| (item, Some(id)))
    };
    option().or_else(simple)
}

pub(super) fn seller_product(line: &Line) -> u64 {
    if line.item.0 > 0 { line.item.0 } else { UNLISTED + line.number.0 }
}

/// The receipt of the claim at a place in its order's list.
pub(super) fn receipt(line: LineNumber, at: usize) -> u64 {
    RECEIPT.wrapping_add(line.0.wrapping_mul(CLAIMS)).wrapping_add(at as u64)
}

/// The line and the place of its claim.
pub(super) fn claim(receipt: u64) -> Option<(LineNumber, usize)> {
    let number = receipt.checked_sub(RECEIPT)?;
    Some((LineNumber(number / CLAIMS), usize::try_from(number % CLAIMS).ok()?))
}
