//! Global ids, and how numbers of the market become them. Pure.

use crate::market::{Item, ItemId, Line, OptionId, OrderNumber};

/// `gid://shopify/<type>/<number>`.
pub(super) fn gid(kind: &str, number: u64) -> String {
    format!("gid://shopify/{kind}/{number}")
}

/// The number in a global id of a type.
pub(super) fn number_of(kind: &str, id: &str) -> Option<u64> {
    let digits = id.strip_prefix("gid://shopify/")?.strip_prefix(kind)?.strip_prefix('/')?;
    digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

/// A variant is an option, or an item without options. The inventory item has the same number.
pub(super) fn variant(item: ItemId, option: Option<OptionId>) -> u64 {
    option.map_or(item.0, |option| option.0)
}

/// The variant of a line.
pub(super) fn variant_of(line: &Line) -> u64 {
    variant(line.item, line.option)
}

/// The variants of an item in their order.
pub(super) fn variants(item: &Item) -> Vec<(u64, Option<OptionId>)> {
    if item.options.is_empty() {
        return vec![(item.id.0, None)];
    }
    item.options.iter().map(|option| (option.id.0, Some(option.id))).collect()
}

/// One fulfilment order for each location of an order.
pub(super) fn fulfillment_order(order: OrderNumber, location: u64) -> u64 {
    order.0 * 100 + location
}

/// The order and location of a fulfilment order.
pub(super) fn of_fulfillment_order(number: u64) -> (OrderNumber, u64) {
    (OrderNumber(number / 100), number % 100)
}

/// One fulfilment for each parcel of an order, by its place from 0.
pub(super) fn fulfillment(order: OrderNumber, parcel: usize) -> u64 {
    order.0 * 1000 + parcel as u64 + 1
}

/// The order of a fulfilment and the place of its parcel.
pub(super) fn of_fulfillment(number: u64) -> Option<(OrderNumber, usize)> {
    let place = usize::try_from((number % 1000).checked_sub(1)?).ok()?;
    Some((OrderNumber(number / 1000), place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_back() {
        assert_eq!(number_of("Order", &gid("Order", 5001)), Some(5001));
        for id in ["5001", "gid://shopify/LineItem/1", "gid://shopify/Order/", "gid://shopify/Order/-1", ""] {
            assert_eq!(number_of("Order", id), None, "{id}");
        }
        let order = OrderNumber(300_100_200);
        assert_eq!(of_fulfillment_order(fulfillment_order(order, 11)), (order, 11));
        assert_eq!(of_fulfillment(fulfillment(order, 2)), Some((order, 2)));
    }
}
