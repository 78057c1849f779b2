//! Service secrets and license keys (sheet section 2).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};

use super::{
    EXPIRED_LICENSE_KEY, LICENSE_KEY, OTHER_LICENSE_KEY, OTHER_SELLER, OTHER_SHOP, SERVICE_SECRET, SHOP,
};
use crate::market::DEFAULT_SELLER;

/// A service secret with its license key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The seller whose key it is.
    pub seller: String,
    /// The seller's shop number, with which order numbers begin.
    pub shop: String,
    /// The service secret.
    pub service_secret: String,
    /// The license key.
    pub license_key: String,
    /// Until when it works. None: for 60 days from the start of the face.
    pub expires_at: Option<DateTime<Utc>>,
    /// Operations that it is not good for: answered with 403.
    pub without: Vec<String>,
}

impl Key {
    /// A key of the demo seller's shop.
    pub fn new(service_secret: &str, license_key: &str, expires_at: Option<DateTime<Utc>>) -> Self {
        Self {
            seller: DEFAULT_SELLER.to_owned(),
            shop: SHOP.to_owned(),
            service_secret: service_secret.to_owned(),
            license_key: license_key.to_owned(),
            expires_at,
            without: Vec::new(),
        }
    }

    /// The value of the `Authorization` header.
    pub fn authorization(&self) -> String {
        format!("ESA {}", STANDARD.encode(format!("{}:{}", self.service_secret, self.license_key)))
    }
}

/// All keys.
#[derive(Debug)]
pub(super) struct Keys(Vec<Key>);

impl Keys {
    pub(super) fn new() -> Self {
        let mut other = Key::new(SERVICE_SECRET, OTHER_LICENSE_KEY, None);
        other.seller = OTHER_SELLER.to_owned();
        other.shop = OTHER_SHOP.to_owned();
        Self(vec![
            Key::new(SERVICE_SECRET, LICENSE_KEY, None),
            Key::new(SERVICE_SECRET, EXPIRED_LICENSE_KEY, Some(DateTime::UNIX_EPOCH)),
            other,
        ])
    }

    /// Puts a key in; replaces the one with the same license key.
    pub(super) fn put(&mut self, key: Key) {
        self.0.retain(|known| known.license_key != key.license_key);
        self.0.push(key);
    }

    pub(super) fn remove(&mut self, license_key: &str) {
        self.0.retain(|known| known.license_key != license_key);
    }

    /// Gives keys without an end one.
    pub(super) fn end_at(&mut self, time: DateTime<Utc>) {
        for key in self.0.iter_mut().filter(|key| key.expires_at.is_none()) {
            key.expires_at = Some(time);
        }
    }

    /// The key that a header names, if it works now.
    pub(super) fn find(&self, authorization: Option<&str>, now: DateTime<Utc>) -> Option<&Key> {
        let sent = authorization?;
        let key = self.0.iter().find(|key| key.authorization() == sent)?;
        key.expires_at.is_none_or(|end| now <= end).then_some(key)
    }

    pub(super) fn of_license(&self, license_key: &str) -> Option<&Key> {
        self.0.iter().find(|key| key.license_key == license_key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_as_in_the_sheets_vector() {
        let key = Key::new("SP123456_secret", "SL123456_license", None);
        assert_eq!(key.authorization(), "ESA U1AxMjM0NTZfc2VjcmV0OlNMMTIzNDU2X2xpY2Vuc2U=");
    }
}
