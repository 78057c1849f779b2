//! The channel's ids, made from the market's numbers and read back. Pure.
//!
//! Ids of items and models are longer than 32 bits, as real ones are: numbers of 10^10 and more are shown as they are.

use crate::market::{ItemId, Line, MarketState, OptionId, Order, OrderNumber};

const BLOCK: u64 = 10_000_000_000;
const ITEM: u64 = 2 * BLOCK;
const LINE: u64 = 5 * BLOCK;
const UNLISTED: u64 = 9 * BLOCK;
const MODEL: u64 = 22 * BLOCK;
const USER: u64 = 1_000_000_000;

/// Characters of an order's number after the date.
const SERIAL: usize = 8;

fn shown(prefix: u64, number: u64) -> u64 {
    if number < BLOCK { prefix + number } else { number }
}

fn read(prefix: u64, id: u64) -> Option<u64> {
    id.checked_sub(prefix).filter(|number| *number < BLOCK)
}

/// The id under which the channel shows an item.
pub fn item_id(item: ItemId) -> u64 {
    shown(ITEM, item.0)
}

/// The id under which the channel shows an option.
pub fn model_id(option: OptionId) -> u64 {
    shown(MODEL, option.0)
}

/// The number under which the channel shows an order: the date (UTC), then digits and letters.
pub fn order_sn(order: &Order) -> String {
    let mut serial = Vec::with_capacity(SERIAL);
    let mut rest = order.number.0;
    while rest > 0 || serial.len() < SERIAL {
        let digit = u32::try_from(rest % 36).ok().and_then(|digit| char::from_digit(digit, 36));
        serial.push(digit.unwrap_or('0').to_ascii_uppercase());
        rest /= 36;
    }
    serial.extend(order.ordered_at.format("%y%m%d").to_string().chars().rev());
    serial.iter().rev().collect()
}

/// The order that an order_sn names.
pub(super) fn order<'a>(state: &'a MarketState, sn: &str) -> Option<&'a Order> {
    let serial = sn.get(6..).filter(|serial| serial.bytes().all(|byte| byte.is_ascii_alphanumeric()))?;
    let number = u64::from_str_radix(serial, 36).ok()?;
    state.order(OrderNumber(number)).filter(|order| order_sn(order) == sn)
}

/// The item behind an id, by what the market lists.
pub(super) fn item(state: &MarketState, id: u64) -> Option<ItemId> {
    let as_it_is = Some(ItemId(id)).filter(|_| id >= BLOCK);
    let known = |item: &ItemId| state.item(*item).is_some();
    as_it_is.filter(known).or_else(|| read(ITEM, id).map(ItemId).filter(known))
}

/// What a line is of: `item_id` and `model_id` (0 for an item without models).
pub(super) fn goods_of(line: &Line) -> (u64, u64) {
    let item = if line.item.0 > 0 { item_id(line.item) } else { shown(UNLISTED, line.number.0) };
    (item, line.option.map(model_id).unwrap_or_default())
}

/// `line_item_id`: one for each line.
pub(super) fn line_id(line: &Line) -> u64 {
    shown(LINE, line.number.0)
}

/// One buyer per order: the market doesn't know who is who.
pub(super) fn user_id(number: OrderNumber) -> u64 {
    shown(USER, number.0)
}

/// What tells two lines of one item and model apart: `order_item_id` and `promotion_group_id`. A second line of the same
/// is a bundle deal.
pub(super) fn place_of(order: &Order, at: usize) -> (u64, u64) {
    let goods = order.lines.get(at).map(goods_of).unwrap_or_default();
    let same = order.lines.iter().take(at).filter(|line| goods_of(line) == goods).count() as u64;
    if same == 0 { (goods.0, 0) } else { (at as u64, same) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Clock, Market, OrderDraft};

    #[test]
    fn ids_are_longer_than_32_bits() {
        for id in [item_id(ItemId(700_100_100)), model_id(OptionId(50_001))] {
            assert!(id > u64::from(u32::MAX), "{id}");
        }
        assert_eq!(item_id(ItemId(23_620_853_561)), 23_620_853_561);
    }

    #[test]
    fn order_numbers_are_read_back_and_others_are_not() {
        let market = Market::new(Clock::standing("2026-11-24T03:00:00Z".parse().unwrap()));
        let number = market.buyer().place(OrderDraft::example()).unwrap();
        let sn = order_sn(&market.order(number).unwrap());
        assert_eq!(sn.len(), 14);
        assert!(sn.starts_with("261124"), "{sn}");
        market.read(|state| {
            assert_eq!(order(state, &sn).map(|order| order.number), Some(number));
            for other in
                [sn.to_lowercase(), sn.replace("261124", "261125"), format!("{sn}0"), "日本語".into()]
            {
                assert!(order(state, &other).is_none(), "{other}");
            }
        });
    }
}
