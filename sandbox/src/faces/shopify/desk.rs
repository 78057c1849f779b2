//! The face at work: the checks that all requests share (sheet section 3).

use std::cell::RefCell;
use std::sync::MutexGuard;

use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde_json::Value;

use super::answer::refused;
use super::book::Book;
use super::tokens::{AccessToken, read_params};
use super::{Settings, ShopState, Shopify, cancel, graphql};
use crate::market::{Acting, Actor};
use crate::{FaceContext, Market, RequestHead, lock};

/// The oldest version that still answers, and the newest.
const OLDEST_VERSION: &str = "2026-01";
const NEWEST_VERSION: &str = "2026-10";

/// The face with the market that it shows.
#[derive(Clone)]
pub(super) struct Desk {
    pub(super) face: Shopify,
    pub(super) context: FaceContext,
}

/// Where a path leads.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Path<'a> {
    Token,
    /// With the version that is asked for.
    GraphQl(&'a str),
    Nothing,
}

pub(super) fn find(path: &str) -> Path<'_> {
    if path == "/admin/oauth/access_token" {
        return Path::Token;
    }
    let version = path.strip_prefix("/admin/api/").and_then(|rest| rest.strip_suffix("/graphql.json"));
    version.filter(|version| !version.contains('/')).map_or(Path::Nothing, Path::GraphQl)
}

/// The version that answers: an old one falls forward, a future one does not exist.
fn answering(version: &str) -> Option<&str> {
    if version == "unstable" {
        return Some(version);
    }
    let (year, month) = version.split_once('-')?;
    let is_year = year.len() == 4 && year.bytes().all(|b| b.is_ascii_digit());
    if !is_year || !matches!(month, "01" | "04" | "07" | "10") || version > NEWEST_VERSION {
        return None;
    }
    Some(version.max(OLDEST_VERSION))
}

impl Desk {
    pub(super) fn answer(&self, head: &RequestHead<'_>, body: &[u8]) -> Response {
        let now = self.context.clock.now();
        cancel::carry_out_jobs(self, now);
        let mut response = self.handle(head, body, now);
        let id = lock(&self.face.0.book).next_id();
        if let Ok(id) = HeaderValue::from_str(&format!("00000000-0000-4000-8000-{id:012}")) {
            response.headers_mut().insert("x-request-id", id);
        }
        response
    }

    fn handle(&self, head: &RequestHead<'_>, body: &[u8], now: DateTime<Utc>) -> Response {
        let path = find(head.uri.path());
        if path == Path::Nothing {
            return refused(StatusCode::NOT_FOUND, "Not Found");
        }
        if head.method != Method::POST {
            return refused(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed");
        }
        let settings = self.face.settings();
        if let Some(response) = closed(settings.shop) {
            return response;
        }
        let Path::GraphQl(version) = path else {
            let params = read_params(text_header(head.headers, "content-type"), body);
            return lock(&self.face.0.tokens).grant(&params, now);
        };
        let Some(version) = answering(version) else { return refused(StatusCode::NOT_FOUND, "Not Found") };
        let sent = Some(text_header(head.headers, "x-shopify-access-token"));
        let token = lock(&self.face.0.tokens).find(sent, now).cloned();
        let Some(token) = token else {
            let text = "[API] Invalid API key or access token (unrecognized login or wrong password)";
            return refused(StatusCode::UNAUTHORIZED, text);
        };
        let version = settings.answers_version.clone().unwrap_or_else(|| version.to_owned());
        let visit = Visit::new(self, token, settings, version, now);
        let mut response = graphql::answer(&visit, body);
        if let Ok(version) = HeaderValue::from_str(&visit.version) {
            response.headers_mut().insert("x-shopify-api-version", version);
        }
        response
    }
}

fn text_header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn closed(shop: ShopState) -> Option<Response> {
    let (status, text) = match shop {
        ShopState::Open => return None,
        ShopState::Frozen => (402, "Unavailable Shop"),
        ShopState::Blocked => (403, "Forbidden"),
        ShopState::Gone => (404, "Not Found"),
        ShopState::Locked => (423, "This shop is unavailable"),
        ShopState::SecurityRejection => (430, "Shopify Security Rejection"),
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::FORBIDDEN);
    Some(refused(status, text).into_response())
}

/// One request with one token.
pub(super) struct Visit<'a> {
    pub(super) desk: &'a Desk,
    pub(super) token: AccessToken,
    pub(super) settings: Settings,
    /// The version that answers.
    pub(super) version: String,
    pub(super) now: DateTime<Utc>,
    /// For `extensions.search`.
    pub(super) warnings: RefCell<Vec<Value>>,
    /// The idempotency key of each field of the operation, by response key.
    pub(super) idempotency: RefCell<Vec<(String, String)>>,
}

impl<'a> Visit<'a> {
    fn new(
        desk: &'a Desk,
        token: AccessToken,
        settings: Settings,
        version: String,
        now: DateTime<Utc>,
    ) -> Self {
        let (warnings, idempotency) = (RefCell::default(), RefCell::default());
        Self { desk, token, settings, version, now, warnings, idempotency }
    }

    pub(super) fn market(&self) -> &Market {
        &self.desk.context.market
    }

    /// Who is in the record for what a field does.
    pub(super) fn acting(&self, field: &str) -> Acting<'_> {
        self.desk.acting(field)
    }

    pub(super) fn book(&self) -> MutexGuard<'_, Book> {
        lock(&self.desk.face.0.book)
    }

    /// What is missing for one of these scopes, as the API words it.
    pub(super) fn lacks(&self, any_of: &[&str]) -> Option<String> {
        if any_of.iter().any(|scope| self.token.scopes.contains(*scope)) {
            return None;
        }
        let scopes: Vec<String> = any_of.iter().map(|scope| format!("`{scope}`")).collect();
        Some(format!("{} access scope.", scopes.join(" or ")))
    }
}

impl Desk {
    pub(super) fn acting(&self, field: &str) -> Acting<'_> {
        self.context.market.by(Actor::Api { face: "shopify".into(), operation: field.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_versions_fall_forward_and_future_ones_do_not_exist() {
        for (asked, answers) in [
            ("2026-10", Some("2026-10")),
            ("2026-07", Some("2026-07")),
            ("2023-04", Some("2026-01")),
            ("2027-01", None),
            ("2026-09", None),
            ("latest", None),
            ("unstable", Some("unstable")),
        ] {
            assert_eq!(answering(asked), answers, "{asked}");
        }
    }

    #[test]
    fn paths_lead_to_the_token_or_to_graphql() {
        assert_eq!(find("/admin/oauth/access_token"), Path::Token);
        assert_eq!(find("/admin/api/2026-10/graphql.json"), Path::GraphQl("2026-10"));
        assert_eq!(find("/admin/api/2026-10/orders/graphql.json"), Path::Nothing);
        assert_eq!(find("/admin/api/2026-10/orders.json"), Path::Nothing);
    }
}
