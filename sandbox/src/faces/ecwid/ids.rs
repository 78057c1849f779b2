//! Order ids: five letters and digits that look random, as new stores have them. Pure.

use crate::market::OrderNumber;

const DIGITS: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
/// The numbers of five digits.
const SPAN: u64 = 60_466_176;
/// The market's own numbers begin above it.
const FIRST: u64 = 300_000_000;
/// Has no factor in common with the span, so that no two numbers get one code.
const STRIDE: u64 = 7919;
/// `STRIDE * BACK` is 1 in the span.
const BACK: u64 = 48_493_583;

/// The code of an order, without prefix and suffix. Numbers of others' choice get longer ones, with an N in front.
pub(super) fn code_of(order: OrderNumber) -> String {
    match order.0.checked_sub(FIRST) {
        Some(nth) if nth < SPAN => format!("{:0>5}", base36(nth * STRIDE % SPAN)),
        _ => format!("N{:0>5}", base36(order.0)),
    }
}

/// The order behind a code.
pub(super) fn order_of(code: &str) -> Option<OrderNumber> {
    let number = match code.strip_prefix('N').filter(|_| code.len() > 5) {
        Some(rest) => parse(rest)?,
        None => FIRST + parse(code)?.checked_mul(BACK)? % SPAN,
    };
    // Whatever reads the same but is written otherwise is no id.
    Some(OrderNumber(number)).filter(|&order| code_of(order) == code)
}

fn base36(mut number: u64) -> String {
    let mut text = Vec::new();
    while number > 0 {
        text.push(char::from(DIGITS[(number % 36) as usize]));
        number /= 36;
    }
    text.iter().rev().collect()
}

fn parse(text: &str) -> Option<u64> {
    let canonical = text.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase());
    u64::from_str_radix(text, 36).ok().filter(|_| canonical && !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_a_code_of_its_own_that_reads_back() {
        let mut seen = std::collections::HashSet::new();
        let numbers = (300_100_200..300_101_200).chain([0, 1, 299_999_999, 360_466_176, u64::MAX]);
        for number in numbers.map(OrderNumber) {
            let code = code_of(number);
            assert_eq!(order_of(&code), Some(number), "{code}");
            assert!(seen.insert(code));
        }
        assert_eq!(code_of(OrderNumber(300_100_200)).len(), 5);
        for code in ["", "abcde", "0", "N1", "+1234"] {
            assert_eq!(order_of(code), None, "{code}");
        }
    }
}
