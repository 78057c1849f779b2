//! The channel's long ids, made from the market's numbers and read back. Pure.
//!
//! Numbers below 10^15 stand behind a prefix; a longer number that a test gave itself is shown as it is.

use crate::market::{ItemId, Line, LineNumber, MarketState, OptionId, Order, OrderNumber};

const BLOCK: u64 = 1_000_000_000_000_000;
const ORDER: u64 = 576_000_000_000_000_000;
const LINE_ITEM: u64 = 577_000_000_000_000_000;
const OPTION_SKU: u64 = 1_729_000_000_000_000_000;
const ITEM_SKU: u64 = OPTION_SKU + BLOCK;
const UNLISTED_SKU: u64 = OPTION_SKU + 2 * BLOCK;
const PRODUCT: u64 = OPTION_SKU + 3 * BLOCK;
const UNLISTED_PRODUCT: u64 = OPTION_SKU + 4 * BLOCK;
const CANCEL: u64 = 4_035_000_000_000_000_000;
const USER: u64 = 7_021_000_000_000_000_000;

/// Units of a line that ids are there for.
const UNITS: u64 = 10_000;
/// Claims of a line that ids are there for.
const CLAIMS: u64 = 100;

fn shown(prefix: u64, number: u64) -> u64 {
    if number < BLOCK { prefix + number } else { number }
}

fn read(prefix: u64, text: &str) -> Option<u64> {
    let number = text.parse::<u64>().ok()?.checked_sub(prefix)?;
    (number < BLOCK).then_some(number)
}

/// What can be bought: an option of an item, an item without options, or what is not listed any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Sku {
    Option(ItemId, OptionId),
    Item(ItemId),
    Unlisted(LineNumber),
}

impl Sku {
    pub(super) fn of(line: &Line) -> Self {
        match line.option {
            Some(option) => Self::Option(line.item, option),
            None if line.item.0 > 0 => Self::Item(line.item),
            None => Self::Unlisted(line.number),
        }
    }

    pub(super) fn id(self) -> String {
        match self {
            Self::Option(_, option) => shown(OPTION_SKU, option.0),
            Self::Item(item) => shown(ITEM_SKU, item.0),
            Self::Unlisted(line) => shown(UNLISTED_SKU, line.0),
        }
        .to_string()
    }

    pub(super) fn product_id(self) -> String {
        match self {
            Self::Option(item, _) | Self::Item(item) => product_id(item),
            Self::Unlisted(line) => shown(UNLISTED_PRODUCT, line.0).to_string(),
        }
    }

    pub(super) fn option(self) -> Option<OptionId> {
        match self {
            Self::Option(_, option) => Some(option),
            Self::Item(_) | Self::Unlisted(_) => None,
        }
    }
}

pub(super) fn product_id(item: ItemId) -> String {
    shown(PRODUCT, item.0).to_string()
}

pub(super) fn product(text: &str) -> Option<ItemId> {
    read(PRODUCT, text).map(ItemId)
}

pub(super) fn order_id(number: OrderNumber) -> String {
    shown(ORDER, number.0).to_string()
}

/// The order that an id names.
pub(super) fn order<'a>(state: &'a MarketState, text: &str) -> Option<&'a Order> {
    let behind_prefix = || read(ORDER, text).and_then(|number| state.order(OrderNumber(number)));
    let as_it_is = text.parse().ok().filter(|number: &u64| *number >= BLOCK);
    as_it_is.and_then(|number| state.order(OrderNumber(number))).or_else(behind_prefix)
}

/// One unit of a line: the channel has a line item for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Unit {
    pub(super) line: LineNumber,
    /// Counts from 0.
    pub(super) at: u32,
}

impl Unit {
    pub(super) fn id(self) -> String {
        LINE_ITEM.wrapping_add(self.line.0.wrapping_mul(UNITS)).wrapping_add(u64::from(self.at)).to_string()
    }

    pub(super) fn read(text: &str) -> Option<Self> {
        let number = text.parse::<u64>().ok()?.checked_sub(LINE_ITEM)?;
        let at = u32::try_from(number % UNITS).ok()?;
        Some(Self { line: LineNumber(number / UNITS), at })
    }
}

/// The id of the claim at a place in its order's list.
pub(super) fn cancel_id(line: LineNumber, at: usize) -> String {
    CANCEL.wrapping_add(line.0.wrapping_mul(CLAIMS)).wrapping_add(at as u64).to_string()
}

/// The line and the place of its claim in the order's list.
pub(super) fn cancel(text: &str) -> Option<(LineNumber, usize)> {
    let number = text.parse::<u64>().ok()?.checked_sub(CANCEL)?;
    Some((LineNumber(number / CLAIMS), usize::try_from(number % CLAIMS).ok()?))
}

/// One buyer per order: the market doesn't know who is who.
pub(super) fn user_id(number: OrderNumber) -> String {
    shown(USER, number.0).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_as_long_as_real_ones_and_read_back() {
        assert_eq!(order_id(OrderNumber(300_100_200)).len(), 18);
        assert_eq!(order_id(OrderNumber(576_461_413_038_785_752)), "576461413038785752");
        let unit = Unit { line: LineNumber(1_062_428_737), at: 2 };
        assert_eq!(Unit::read(&unit.id()), Some(unit));
        assert_eq!(cancel(&cancel_id(LineNumber(7), 3)), Some((LineNumber(7), 3)));
        assert_eq!(product(&product_id(ItemId(700_100_100))), Some(ItemId(700_100_100)));
        assert_eq!(product("1"), None);
    }
}
