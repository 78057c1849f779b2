//! A call as it came in, and its signature (sheet section 2). Pure.

use axum::http::Method;
use chrono::{DateTime, Utc};
use serde_json::Value;

use super::answer::Failure;
use super::country::Country;
use crate::RequestHead;
use crate::faces::signing::hmac_sha256_hex;

/// The signature of a request: of the API's path (without `/rest`), all parameters but `sign` sorted by name, and the body of
/// calls that send it raw. Upper-case hex digits.
pub fn request_signature(
    app_secret: &str,
    api_path: &str,
    params: &[(String, String)],
    raw_body: &[u8],
) -> String {
    let mut signed: Vec<&(String, String)> = params.iter().filter(|(name, _)| name != "sign").collect();
    signed.sort_by(|a, b| a.0.cmp(&b.0));
    let mut parts: Vec<&[u8]> = vec![api_path.as_bytes()];
    for (name, value) in signed {
        parts.push(name.as_bytes());
        parts.push(value.as_bytes());
    }
    parts.push(raw_body);
    hmac_sha256_hex(app_secret.as_bytes(), &parts).to_ascii_uppercase()
}

/// The path that is signed: base URLs end with `/rest`, which is no part of it.
pub(super) fn api_path(path: &str) -> &str {
    path.strip_prefix("/rest").filter(|rest| rest.starts_with('/')).unwrap_or(path)
}

/// A call with its parameters.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) method: &'a Method,
    pub(super) path: &'a str,
    pub(super) host: &'a str,
    params: Vec<(String, String)>,
    raw_body: &'a [u8],
}

impl<'a> Call<'a> {
    pub(super) fn parse(head: &RequestHead<'a>, body: &'a [u8]) -> Self {
        let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
        let query = head.uri.query().unwrap_or_default();
        let mut params: Vec<(String, String)> =
            form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let kind = header("content-type").unwrap_or_default();
        let is_form = kind.starts_with("application/x-www-form-urlencoded");
        if is_form {
            params.extend(form_urlencoded::parse(body).into_owned());
        }
        Self {
            method: head.method,
            path: api_path(head.uri.path()),
            host: header("host").unwrap_or("localhost"),
            params,
            raw_body: if is_form { &[] } else { body },
        }
    }

    /// A parameter; empty when it was not sent.
    pub(super) fn param(&self, name: &str) -> &str {
        self.params.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    /// # Errors
    /// MissingParameter.
    pub(super) fn required(&self, name: &str) -> Result<&str, Failure> {
        Some(self.param(name)).filter(|value| !value.is_empty()).ok_or_else(|| Failure::missing(name))
    }

    /// A body that is not a form is signed with the rest, or sent beside it and not looked at.
    pub(super) fn is_signed_with(&self, app_secret: &str) -> bool {
        let sign = self.param("sign");
        let is = |body: &[u8]| sign == request_signature(app_secret, self.path, &self.params, body);
        is(&[]) || (!self.raw_body.is_empty() && is(self.raw_body))
    }

    /// The market whose host is called, if it is one of the channel's.
    pub(super) fn country(&self) -> Option<Country> {
        Country::of_host(self.host)
    }
}

/// A date as the API wants it: `2018-02-10T16:00:00+08:00`, the offset also without its colon.
pub(super) fn date(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%z").ok().map(|at| at.with_timezone(&Utc))
}

/// Ids in square brackets, as numbers or as texts.
pub(super) fn id_list(text: &str) -> Option<Vec<u64>> {
    match serde_json::from_str(text).ok()? {
        Value::Array(values) => values.iter().map(id).collect(),
        _ => None,
    }
}

/// An id as a number or as a text.
pub(super) fn id(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// Texts in square brackets.
pub(super) fn text_list(text: &str) -> Option<Vec<String>> {
    serde_json::from_str(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_the_documentation() {
        let params = [
            ("timestamp", "1517820392000"),
            ("app_key", "123456"),
            ("order_id", "1234"),
            ("sign", "left out"),
            ("sign_method", "sha256"),
            ("access_token", "test"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(
            request_signature("helloworld", "/order/get", &params, b""),
            "4190D32361CFB9581350222F345CB77F3B19F0E31D162316848A2C1FFD5FAB4A"
        );
    }

    #[test]
    fn dates_need_an_offset() {
        assert_eq!(date("2018-02-10T16:00:00+08:00"), date("2018-02-10T08:00:00+0000"));
        assert!(date("2018-02-10T16:00:00+0800").is_some());
        for text in ["2018-02-10T16:00:00", "2018-02-10T16:00:00Z", "2018-02-10", "2018-02-10T16:00:00 08:00"]
        {
            assert_eq!(date(text), None, "{text}");
        }
    }

    #[test]
    fn ids_come_as_numbers_or_texts() {
        assert_eq!(id_list(r#"[1, "2"]"#), Some(vec![1, 2]));
        assert_eq!(id_list("1,2"), None);
        assert_eq!(id_list("[1.5]"), None);
    }
}
