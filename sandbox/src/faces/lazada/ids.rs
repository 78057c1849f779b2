//! The channel's long ids, made from the market's numbers and read back. All fit a double. Pure.
//!
//! Numbers below 10^12 stand behind a prefix; a longer number that a test gave itself is shown as it is.

use crate::market::{ItemId, Line, LineNumber, MarketState, OptionId, Order, OrderNumber};

const BLOCK: u64 = 1_000_000_000_000;
const ORDER: u64 = 490_000_000_000_000;
const ORDER_ITEM: u64 = 500_000_000_000_000;
const REVERSE_ORDER: u64 = 600_000_000_000_000;
const REVERSE_LINE: u64 = 700_000_000_000_000;
const OPTION_SKU: u64 = 10_000_000_000;
const ITEM_SKU: u64 = 20_000_000_000;
const UNLISTED_SKU: u64 = 30_000_000_000;
const UNLISTED_PRODUCT: u64 = 40_000_000_000;
const PACKAGE: u64 = 40_000_000_000;
const BUYER: u64 = 800_000_000_000;

/// Units of a line that order items have ids for.
const UNITS: u64 = 10_000;
/// Claims of a line that ids are there for.
const CLAIMS: u64 = 100;
/// Units of a claim that ids are there for.
const CLAIM_UNITS: u64 = 1_000;

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

    pub(super) fn id(self) -> u64 {
        match self {
            Self::Option(_, option) => OPTION_SKU.wrapping_add(option.0),
            Self::Item(item) => ITEM_SKU.wrapping_add(item.0),
            Self::Unlisted(line) => UNLISTED_SKU.wrapping_add(line.0),
        }
    }

    /// The item's number as it is.
    pub(super) fn product_id(self) -> u64 {
        match self {
            Self::Option(item, _) | Self::Item(item) => item.0,
            Self::Unlisted(line) => UNLISTED_PRODUCT.wrapping_add(line.0),
        }
    }

    pub(super) fn option(self) -> Option<OptionId> {
        match self {
            Self::Option(_, option) => Some(option),
            Self::Item(_) | Self::Unlisted(_) => None,
        }
    }
}

pub(super) fn order_id(number: OrderNumber) -> u64 {
    if number.0 < BLOCK { ORDER + number.0 } else { number.0 }
}

/// The order that an id names.
pub(super) fn order(state: &MarketState, id: u64) -> Option<&Order> {
    let behind_prefix = || {
        let number = id.checked_sub(ORDER).filter(|number| *number < BLOCK)?;
        state.order(OrderNumber(number))
    };
    let as_it_is = || state.order(OrderNumber(id)).filter(|_| id >= BLOCK);
    behind_prefix().or_else(as_it_is)
}

/// One unit of a line: the channel has an order item for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Unit {
    pub(super) line: LineNumber,
    /// Counts from 0.
    pub(super) at: u32,
}

impl Unit {
    pub(super) fn id(self) -> u64 {
        ORDER_ITEM.wrapping_add(self.line.0.wrapping_mul(UNITS)).wrapping_add(u64::from(self.at))
    }

    /// The id of its line in the reverse order at a place in the order's list of claims.
    pub(super) fn reverse_line_id(self, claim: usize) -> u64 {
        let within = u64::from(self.at) * CLAIMS + claim as u64;
        REVERSE_LINE.wrapping_add(self.line.0.wrapping_mul(CLAIMS * CLAIM_UNITS)).wrapping_add(within)
    }
}

/// The line that the id of a line of a reverse order is about.
pub(super) fn reverse_line(id: u64) -> Option<LineNumber> {
    Some(LineNumber(id.checked_sub(REVERSE_LINE)? / (CLAIMS * CLAIM_UNITS)))
}

/// The id of the claim at a place in its order's list.
pub(super) fn reverse_order_id(line: LineNumber, at: usize) -> u64 {
    REVERSE_ORDER.wrapping_add(line.0.wrapping_mul(CLAIMS)).wrapping_add(at as u64)
}

/// The line and the place of its claim in the order's list.
pub(super) fn reverse_order(id: u64) -> Option<(LineNumber, usize)> {
    let number = id.checked_sub(REVERSE_ORDER)?;
    Some((LineNumber(number / CLAIMS), usize::try_from(number % CLAIMS).ok()?))
}

/// The id of the package at a place in the ledger.
pub(super) fn package_id(at: usize) -> String {
    format!("FP{:012}", PACKAGE + at as u64)
}

/// The place of a package in the ledger.
pub(super) fn package(id: &str) -> Option<usize> {
    let number: u64 = id.strip_prefix("FP")?.parse().ok()?;
    usize::try_from(number.checked_sub(PACKAGE)?).ok()
}

/// One buyer per order: the market doesn't know who is who.
pub(super) fn buyer_id(number: OrderNumber) -> u64 {
    BUYER.wrapping_add(number.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_as_long_as_real_ones_and_read_back() {
        assert_eq!(order_id(OrderNumber(300_100_200)).to_string().len(), 15);
        assert_eq!(order_id(OrderNumber(491_253_082_180_001)), 491_253_082_180_001);
        let line = LineNumber(1_062_428_737);
        let unit = Unit { line, at: 2 };
        assert_eq!(reverse_order(reverse_order_id(line, 3)), Some((line, 3)));
        assert_eq!(reverse_line(unit.reverse_line_id(3)), Some(line));
        assert!(unit.reverse_line_id(3) < 1 << 53 && unit.id() < 1 << 53);
        assert_eq!(package(&package_id(7)), Some(7));
        assert_eq!(package("7"), None);
    }
}
