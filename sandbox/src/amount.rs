//! Amounts of money, exact to a hundredth of the currency's unit.

use std::fmt;
use std::ops::{Add, Mul, Sub};
use std::str::FromStr;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An amount in hundredths of the currency's unit, whatever the currency: 1980 yen are `Amount::whole(1980)`.
/// In JSON it is a number (1980 or 12.5); numbers and texts are read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(i64);

/// The text is not an amount with at most two decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAnAmount;

impl fmt::Display for NotAnAmount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an amount with at most two decimals")
    }
}

impl std::error::Error for NotAnAmount {}

impl Amount {
    /// Nothing.
    pub const ZERO: Amount = Amount(0);

    /// An amount of whole units.
    pub const fn whole(units: i64) -> Self {
        Self(units.saturating_mul(100))
    }

    /// An amount of hundredths.
    pub const fn hundredths(hundredths: i64) -> Self {
        Self(hundredths)
    }

    /// The amount in hundredths.
    pub const fn as_hundredths(self) -> i64 {
        self.0
    }

    /// The amount with two decimals, always: "2480.00".
    pub fn with_decimals(self) -> String {
        let sign = if self.0 < 0 { "-" } else { "" };
        format!("{sign}{}.{:02}", self.0.unsigned_abs() / 100, self.0.unsigned_abs() % 100)
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 % 100 == 0 { write!(f, "{}", self.0 / 100) } else { f.write_str(&self.with_decimals()) }
    }
}

impl FromStr for Amount {
    type Err = NotAnAmount;

    fn from_str(text: &str) -> Result<Self, NotAnAmount> {
        let text = text.trim();
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (units, decimals) = digits.split_once('.').unwrap_or((digits, ""));
        let only_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if units.is_empty() || decimals.len() > 2 || !only_digits(units) || !only_digits(decimals) {
            return Err(NotAnAmount);
        }
        let units: i64 = units.parse().map_err(|_| NotAnAmount)?;
        let decimals: i64 = format!("{decimals:0<2}").parse().map_err(|_| NotAnAmount)?;
        let all = units.checked_mul(100).and_then(|u| u.checked_add(decimals)).ok_or(NotAnAmount)?;
        Ok(Self(if negative { -all } else { all }))
    }
}

impl Add for Amount {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Amount {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Mul<u32> for Amount {
    type Output = Self;
    fn mul(self, times: u32) -> Self {
        Self(self.0.saturating_mul(i64::from(times)))
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 % 100 == 0 {
            serializer.serialize_i64(self.0 / 100)
        } else {
            serializer.serialize_f64(self.0 as f64 / 100.0)
        }
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = Amount;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an amount as a number or a text")
            }
            fn visit_i64<E: Error>(self, units: i64) -> Result<Amount, E> {
                Ok(Amount::whole(units))
            }
            fn visit_u64<E: Error>(self, units: u64) -> Result<Amount, E> {
                i64::try_from(units).map(Amount::whole).map_err(E::custom)
            }
            fn visit_f64<E: Error>(self, units: f64) -> Result<Amount, E> {
                Ok(Amount::hundredths((units * 100.0).round() as i64))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Amount, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_from_texts_exactly() {
        for (text, hundredths) in [("1980", 198_000), ("0.1", 10), ("12.50", 1250), ("-3.05", -305)] {
            assert_eq!(text.parse::<Amount>(), Ok(Amount::hundredths(hundredths)), "{text}");
        }
        for text in ["", "-", ".5", "1,980", "1.234", "1e3", "99999999999999999999"] {
            assert_eq!(text.parse::<Amount>(), Err(NotAnAmount), "{text}");
        }
    }

    #[test]
    fn amounts_are_json_numbers_and_read_back() {
        for amount in [Amount::whole(1980), Amount::hundredths(1250), Amount::hundredths(-5)] {
            let json = serde_json::to_string(&amount).unwrap();
            assert_eq!(serde_json::from_str::<Amount>(&json).unwrap(), amount, "{json}");
        }
        assert_eq!(serde_json::to_string(&Amount::whole(1980)).unwrap(), "1980");
        assert_eq!(Amount::whole(2480).with_decimals(), "2480.00");
    }
}
