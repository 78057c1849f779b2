//! People and places. Always held inside [`Private`](super::Private).

use serde::{Deserialize, Serialize};

/// A person or company at an address: buyer, recipient or sender. Empty fields are fields that the channel left
/// out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Party {
    /// Full name as the channel shows it.
    pub name: String,
    /// Reading of the name (katakana) where the channel gives one.
    pub name_reading: String,
    /// Phone number; the mobile number where there are both.
    pub phone: String,
    /// A second phone number.
    pub phone_alternative: String,
    /// E-mail address, often an alias made by the channel.
    pub email: String,
    /// Where.
    pub address: Address,
}

/// A postal address.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Address {
    /// ISO 3166-1 alpha-2 country code, upper case; empty: the channel's own country.
    pub country: String,
    /// Postal code as the channel writes it.
    pub postal_code: String,
    /// State, prefecture or province.
    pub region: String,
    /// City or ward.
    pub city: String,
    /// The rest, from coarse to fine.
    pub lines: Vec<String>,
}

impl Address {
    /// Whether nothing is known: some channels release the address only later.
    pub fn is_empty(&self) -> bool {
        self.postal_code.is_empty()
            && self.region.is_empty()
            && self.city.is_empty()
            && self.lines.iter().all(String::is_empty)
    }
}
