//! A call as it came in, and the signatures of calls and pushes (sheet sections 2 and 4.9). Pure.

use axum::http::Method;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::answer::Failure;
use crate::RequestHead;
use crate::faces::signing::hmac_sha256_hex;

/// The signature of a call. `shop` is the access token and the shop's id; public calls have none.
pub fn request_signature(
    partner_key: &str,
    partner_id: u64,
    path: &str,
    timestamp: i64,
    shop: Option<(&str, u64)>,
) -> String {
    let (partner_id, timestamp) = (partner_id.to_string(), timestamp.to_string());
    let (token, shop_id) = shop.map(|(token, id)| (token, id.to_string())).unwrap_or_default();
    let parts = [partner_id.as_str(), path, &timestamp, token, &shop_id];
    hmac_sha256_hex(partner_key.as_bytes(), &parts.map(str::as_bytes))
}

/// The signature of a push, as it stands in its `Authorization` header.
pub fn push_signature(key: &str, callback_url: &str, body: &[u8]) -> String {
    hmac_sha256_hex(key.as_bytes(), &[callback_url.as_bytes(), b"|", body])
}

/// A call with its parameters.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) method: &'a Method,
    pub(super) path: &'a str,
    query: Vec<(String, String)>,
    body: &'a [u8],
}

impl<'a> Call<'a> {
    pub(super) fn parse(head: &RequestHead<'a>, body: &'a [u8]) -> Self {
        let query = head.uri.query().unwrap_or_default();
        Self {
            method: head.method,
            path: head.uri.path(),
            query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            body,
        }
    }

    /// A query parameter as it was sent, also an empty one.
    pub(super) fn sent(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// All values of a parameter that may be repeated.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.query.iter().filter(move |(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// A query parameter; empty when it was not sent.
    pub(super) fn param(&self, name: &str) -> &str {
        self.sent(name).unwrap_or_default()
    }

    pub(super) fn required(&self, name: &str) -> Result<&str, Failure> {
        Some(self.param(name)).filter(|text| !text.is_empty()).ok_or_else(|| Failure::required(name))
    }

    /// The entries of a list that is joined by commas.
    pub(super) fn list(&self, name: &str) -> Vec<&str> {
        self.param(name).split(',').map(str::trim).filter(|entry| !entry.is_empty()).collect()
    }

    pub(super) fn number(&self, name: &str) -> Result<i64, Failure> {
        let text = self.required(name)?;
        text.parse().map_err(|_| Failure::wrong(format!("{name} must be a number.")))
    }

    pub(super) fn flag(&self, name: &str) -> Result<bool, Failure> {
        match self.param(name) {
            "true" => Ok(true),
            "" | "false" => Ok(false),
            _ => Err(Failure::wrong(format!("{name} must be true or false."))),
        }
    }

    /// The number of rows that is asked for, from 1 to 100.
    pub(super) fn page_size(&self) -> Result<usize, Failure> {
        check_page_size(self.number("page_size")?)
    }

    /// The body as JSON of a known form; nothing at all counts as `{}`.
    pub(super) fn body<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        let body: &[u8] = if self.body.is_empty() { b"{}" } else { self.body };
        let value: Value =
            serde_json::from_slice(body).map_err(|_| Failure::new("error_data", "parse data failed"))?;
        serde_json::from_value(value).map_err(|error| Failure::wrong(format!("{error}.")))
    }
}

pub(super) fn check_page_size(size: i64) -> Result<usize, Failure> {
    match usize::try_from(size) {
        Ok(size @ 1..=100) => Ok(size),
        Ok(0) | Err(_) => Err(Failure::wrong("page_size must be 1 or more.")),
        Ok(_) => Err(Failure::wrong("page_size must be 100 or less.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faces::shopee::{ACCESS_TOKEN, CALLBACK_URL, PARTNER_ID, PARTNER_KEY, PUSH_KEY, SHOP_ID};

    #[test]
    fn signatures_are_those_of_the_sheet() {
        let at = 1_793_520_000;
        let public = |path| request_signature(PARTNER_KEY, PARTNER_ID, path, at, None);
        let shop = |path| request_signature(PARTNER_KEY, PARTNER_ID, path, at, Some((ACCESS_TOKEN, SHOP_ID)));
        let vectors = [
            (
                public("/api/v2/auth/access_token/get"),
                "8211b2b7b6e47e25ae5e86693506dc7c4fc33b6312ce8199943aa5f005dfd647",
            ),
            (
                public("/api/v2/shop/auth_partner"),
                "5fda42484fb20b57e9a16a541ac81e13768f34108d149e31879babfb7d39e3e5",
            ),
            (
                shop("/api/v2/order/get_order_list"),
                "1290a44bc79a745a36eba95caa87bb5804260926b23237fd618dc3076959b8f4",
            ),
            (
                shop("/api/v2/product/update_stock"),
                "ac26d8c81a10262030f5be654f9125948a9b8273db1334816133a8f214b082da",
            ),
        ];
        for (made, expected) in vectors {
            assert_eq!(made, expected);
        }
    }

    #[test]
    fn the_push_signature_is_that_of_the_sheet() {
        let body = concat!(
            r#"{"data":{"items":[],"ordersn":"220810QSK8S7BX","status":"PROCESSED","completed_scenario":"","#,
            r#""update_time":1660123127},"shop_id":727720655,"code":3,"timestamp":1660123127}"#
        );
        assert_eq!(
            push_signature(PUSH_KEY, CALLBACK_URL, body.as_bytes()),
            "6163a3d2c2777f10d56977d74ae87456a825771927b1812108d9bfa898350503"
        );
    }
}
