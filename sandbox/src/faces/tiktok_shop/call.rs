//! A call as it came in, and its signature (sheet section 2). Pure.

use std::collections::HashMap;

use axum::http::Method;
use serde::de::DeserializeOwned;

use super::answer::Failure;
use crate::RequestHead;
use crate::faces::signing::hmac_sha256_hex;

/// The signature of a request: of the path, the decoded query parameters but `sign` and `access_token`, and the bytes of
/// the body, unless they are multipart.
pub fn request_signature(
    app_secret: &str,
    path: &str,
    query: &[(String, String)],
    body: Option<&[u8]>,
) -> String {
    let mut params: Vec<&(String, String)> =
        query.iter().filter(|(name, _)| name != "sign" && name != "access_token").collect();
    params.sort_by(|a, b| a.0.cmp(&b.0));
    let mut parts: Vec<&[u8]> = vec![app_secret.as_bytes(), path.as_bytes()];
    for (name, value) in params {
        parts.push(name.as_bytes());
        parts.push(value.as_bytes());
    }
    parts.push(body.unwrap_or_default());
    parts.push(app_secret.as_bytes());
    hmac_sha256_hex(app_secret.as_bytes(), &parts)
}

/// The signature of a webhook, as it stands in its `Authorization` header.
pub fn webhook_signature(app_key: &str, app_secret: &str, body: &[u8]) -> String {
    hmac_sha256_hex(app_secret.as_bytes(), &[app_key.as_bytes(), body])
}

/// A call with its parameters.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) method: &'a Method,
    pub(super) path: &'a str,
    pub(super) host: &'a str,
    pub(super) token: Option<&'a str>,
    query: Vec<(String, String)>,
    multipart: bool,
    body: &'a [u8],
    /// The parts of the path that its pattern leaves open.
    pub(super) in_path: HashMap<&'static str, String>,
}

impl<'a> Call<'a> {
    pub(super) fn parse(head: &RequestHead<'a>, body: &'a [u8]) -> Self {
        let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
        let query = head.uri.query().unwrap_or_default();
        let kind = header("content-type").unwrap_or_default().to_ascii_lowercase();
        Self {
            method: head.method,
            path: head.uri.path(),
            host: header("host").unwrap_or("localhost"),
            token: header("x-tts-access-token").filter(|token| !token.is_empty()),
            query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            multipart: kind.starts_with("multipart/form-data"),
            body,
            in_path: HashMap::new(),
        }
    }

    /// A query parameter; empty when it was not sent.
    pub(super) fn param(&self, name: &str) -> &str {
        self.query.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    pub(super) fn in_path(&self, name: &str) -> &str {
        self.in_path.get(name).map(String::as_str).unwrap_or_default()
    }

    pub(super) fn is_signed_with(&self, app_secret: &str) -> bool {
        let body = (!self.multipart).then_some(self.body);
        self.param("sign") == request_signature(app_secret, self.path, &self.query, body)
    }

    pub(super) fn raw_body(&self) -> &[u8] {
        self.body
    }

    /// The body as JSON of a known form; nothing at all counts as `{}`.
    pub(super) fn body<T: DeserializeOwned>(&self, code: i64) -> Result<T, Failure> {
        let body: &[u8] = if self.body.is_empty() { b"{}" } else { self.body };
        serde_json::from_slice(body).map_err(|error| Failure::new(code, format!("invalid param. {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn signatures_are_those_of_the_sheet() {
        let common = [("app_key", "68xu9ks5p4i8"), ("timestamp", "1696909648"), ("sign", "left out")];
        let mut first = query(&common);
        first.extend(query(&[
            ("shop_cipher", "ROW_xkMbgAAAeVAQra0eZWebFQq5aIK"),
            ("access_token", "left out"),
        ]));
        let body = br#"{"address":"https://partner.tiktokshop.com","event_type":"PACKAGE_UPDATE"}"#;
        assert_eq!(
            request_signature("e59af819cc", "/event/202309/webhooks", &first, Some(body)),
            "cd0d6268252f4ba293bf7ea4c0a2873bf9beec600d22530638564ab301435f7a"
        );
        let mut second = query(&common);
        second.extend(query(&[("shop_cipher", "ROW_abc"), ("page_size", "50")]));
        let body = br#"{"order_status":"AWAITING_SHIPMENT"}"#;
        assert_eq!(
            request_signature("e59af819cc", "/order/202309/orders/search", &second, Some(body)),
            "e95d03766b31a55a303808920d392a5f02feb7fd9c5c89f752e01346893de962"
        );
    }

    #[test]
    fn the_webhook_signature_is_that_of_the_sheet() {
        assert_eq!(
            webhook_signature("mykey", "s3cr3t", br#"{"type":1}"#),
            "ca1b40180c54694b6d91a2f5efd4aa3247762fc3e3dfdebbc5f636c72d8a8725"
        );
    }
}
