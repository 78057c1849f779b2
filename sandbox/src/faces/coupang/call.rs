//! A call as it came in, and its signature (sheet section 2). Pure.

use std::collections::HashMap;

use axum::http::{HeaderMap, Method};
use serde::de::DeserializeOwned;

use super::answer::Failure;
use crate::RequestHead;
use crate::faces::signing::hmac_sha256_hex;

/// The signature of a request: of the time, the method, the path and the query exactly as they are on the wire. The body
/// is not signed.
pub fn signature(secret_key: &str, signed_date: &str, method: &str, path: &str, query: &str) -> String {
    let parts = [signed_date, method, path, query].map(str::as_bytes);
    hmac_sha256_hex(secret_key.as_bytes(), &parts)
}

/// The parts of the `Authorization` header.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Authorization<'a> {
    pub(super) access_key: &'a str,
    pub(super) signed_date: &'a str,
    pub(super) signature: &'a str,
}

impl<'a> Authorization<'a> {
    /// None when it is not of the form `CEA algorithm=HmacSHA256, access-key=…, signed-date=…, signature=…`.
    pub(super) fn read(headers: &'a HeaderMap) -> Option<Self> {
        let header = headers.get("authorization")?.to_str().ok()?;
        let mut parts = header.strip_prefix("CEA ")?.split(", ");
        let mut next = |name: &str| parts.next()?.strip_prefix(name)?.strip_prefix('=');
        if next("algorithm")? != "HmacSHA256" {
            return None;
        }
        let read = Self {
            access_key: next("access-key")?,
            signed_date: next("signed-date")?,
            signature: next("signature")?,
        };
        parts.next().is_none().then_some(read)
    }
}

/// A call with its parameters.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) method: &'a Method,
    pub(super) path: &'a str,
    pub(super) raw_query: &'a str,
    pub(super) headers: &'a HeaderMap,
    query: Vec<(String, String)>,
    body: &'a [u8],
    /// The parts of the path that its pattern leaves open.
    pub(super) in_path: HashMap<&'static str, String>,
}

impl<'a> Call<'a> {
    pub(super) fn parse(head: &RequestHead<'a>, body: &'a [u8]) -> Self {
        let raw_query = head.uri.query().unwrap_or_default();
        Self {
            method: head.method,
            path: head.uri.path(),
            raw_query,
            headers: head.headers,
            query: form_urlencoded::parse(raw_query.as_bytes()).into_owned().collect(),
            body,
            in_path: HashMap::new(),
        }
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// A query parameter that was sent and is not empty.
    pub(super) fn param(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str());
        found.filter(|value| !value.is_empty())
    }

    pub(super) fn in_path(&self, name: &str) -> &str {
        self.in_path.get(name).map(String::as_str).unwrap_or_default()
    }

    /// The number in an open part of the path.
    pub(super) fn number(&self, name: &str) -> Result<u64, Failure> {
        self.in_path(name).parse().map_err(|_| Failure::bad_request(&format!("{name} is not a number")))
    }

    /// The body as JSON of a known form.
    pub(super) fn body<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_slice(self.body).map_err(|error| Failure::bad_request(&format!("body: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_the_sheet() {
        let query =
            "createdAtFrom=2026-10-31%2B09:00&createdAtTo=2026-11-01%2B09:00&maxPerPage=50&status=ACCEPT";
        assert_eq!(
            signature(
                "abcdef0123456789abcdef0123456789abcdef01",
                "261101T083000Z",
                "GET",
                "/v2/providers/openapi/apis/api/v5/vendors/A00012345/ordersheets",
                query
            ),
            "14db79a8d198eed8bc317be660a5f4ab897ac380928422a7eef396d6c1d9c3a7"
        );
    }

    #[test]
    fn only_the_documented_header_is_read() {
        let read = |text: &str| {
            let headers = HeaderMap::from_iter([(axum::http::header::AUTHORIZATION, text.parse().unwrap())]);
            Authorization::read(&headers).map(|read| format!("{} {}", read.access_key, read.signature))
        };
        let good = "CEA algorithm=HmacSHA256, access-key=a, signed-date=d, signature=s";
        assert_eq!(read(good), Some("a s".to_owned()));
        assert_eq!(read(&good.replace(", ", ",")), None);
        assert_eq!(read(&good.replace("CEA ", "Bearer ")), None);
        assert_eq!(read(&good.replace("256", "1")), None);
        assert_eq!(read(&format!("{good}, more=1")), None);
    }
}
