//! Access tokens, refresh tokens that rotate, and the token endpoint (sheet section 2).

use std::collections::{HashMap, HashSet};

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{
    ACCESS_TOKEN, CLIENT_ID, CLIENT_SECRET, EXPIRED_ACCESS_TOKEN, OTHER_ACCESS_TOKEN, OTHER_SELLER,
    READ_ONLY_ACCESS_TOKEN, REFRESH_TOKEN,
};
use crate::market::DEFAULT_SELLER;

/// How long things live, in seconds.
const ACCESS_SECONDS: i64 = 3600;
const CLIENT_CREDENTIALS_SECONDS: i64 = 86_399;
const REFRESH_SECONDS: i64 = 90 * 86_400;
/// How long a used refresh token can be tried again, as long as its replacement is not used.
const RETRY_SECONDS: i64 = 30 * 86_400;

/// The scopes of a token that may do everything.
pub const ALL_SCOPES: &[&str] = &[
    "read_orders",
    "read_all_orders",
    "write_orders",
    "read_products",
    "read_inventory",
    "write_inventory",
    "read_locations",
    "read_merchant_managed_fulfillment_orders",
    "write_merchant_managed_fulfillment_orders",
];

/// What an access token is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessToken {
    /// The shop.
    pub seller: String,
    /// The app: tokens of one app share a bucket of points.
    pub client_id: String,
    /// What it may do.
    pub scopes: HashSet<String>,
    /// When it ends. None: never.
    pub expires_at: Option<DateTime<Utc>>,
}

impl AccessToken {
    /// A token of the demo seller's shop that does not end.
    pub fn with_scopes(scopes: &[&str]) -> Self {
        Self {
            seller: DEFAULT_SELLER.to_owned(),
            client_id: CLIENT_ID.to_owned(),
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            expires_at: None,
        }
    }

    fn scope_text(&self) -> String {
        let mut scopes: Vec<&str> = self.scopes.iter().map(String::as_str).collect();
        scopes.sort_unstable();
        scopes.join(",")
    }
}

#[derive(Debug, Clone)]
struct RefreshToken {
    seller: String,
    expires_at: DateTime<Utc>,
    first_used_at: Option<DateTime<Utc>>,
    replacement: Option<String>,
    /// The token that this one replaces: it dies when this one is used.
    predecessor: Option<String>,
}

/// All tokens.
#[derive(Debug)]
pub(super) struct Tokens {
    access: HashMap<String, AccessToken>,
    refresh: HashMap<String, RefreshToken>,
    made: u64,
}

impl Tokens {
    pub(super) fn new() -> Self {
        let read_only: Vec<&str> =
            ALL_SCOPES.iter().copied().filter(|scope| scope.starts_with("read_")).collect();
        let mut other = AccessToken::with_scopes(ALL_SCOPES);
        other.seller = OTHER_SELLER.to_owned();
        let mut expired = AccessToken::with_scopes(ALL_SCOPES);
        expired.expires_at = Some(DateTime::UNIX_EPOCH);
        let access = [
            (ACCESS_TOKEN, AccessToken::with_scopes(ALL_SCOPES)),
            (READ_ONLY_ACCESS_TOKEN, AccessToken::with_scopes(&read_only)),
            (EXPIRED_ACCESS_TOKEN, expired),
            (OTHER_ACCESS_TOKEN, other),
        ];
        Self {
            access: access.into_iter().map(|(token, good_for)| (token.to_owned(), good_for)).collect(),
            refresh: HashMap::new(),
            made: 0,
        }
    }

    /// The refresh token of the credentials lives from the start of the face.
    pub(super) fn start(&mut self, now: DateTime<Utc>) {
        self.keep_refresh(REFRESH_TOKEN.to_owned(), DEFAULT_SELLER, None, now);
    }

    pub(super) fn put(&mut self, token: &str, good_for: AccessToken) {
        self.access.insert(token.to_owned(), good_for);
    }

    pub(super) fn remove(&mut self, token: &str) {
        self.access.remove(token);
    }

    pub(super) fn find(&self, token: Option<&str>, now: DateTime<Utc>) -> Option<&AccessToken> {
        let token = self.access.get(token?)?;
        token.expires_at.is_none_or(|end| now < end).then_some(token)
    }

    fn keep_refresh(&mut self, token: String, seller: &str, predecessor: Option<String>, now: DateTime<Utc>) {
        let refresh = RefreshToken {
            seller: seller.to_owned(),
            expires_at: later(now, REFRESH_SECONDS),
            first_used_at: None,
            replacement: None,
            predecessor,
        };
        self.refresh.insert(token, refresh);
    }

    fn next(&mut self, prefix: &str) -> String {
        self.made += 1;
        format!("{prefix}_sandbox_{:08}", self.made)
    }

    fn new_access(&mut self, seller: &str, seconds: i64, now: DateTime<Utc>) -> (String, AccessToken) {
        let token = self.next("shpat");
        let mut good_for = AccessToken::with_scopes(ALL_SCOPES);
        good_for.seller = seller.to_owned();
        good_for.expires_at = Some(later(now, seconds));
        self.access.insert(token.clone(), good_for.clone());
        (token, good_for)
    }

    /// Answers the token endpoint. `params` are those of the form or the JSON body.
    pub(super) fn grant(&mut self, params: &HashMap<String, String>, now: DateTime<Utc>) -> Response {
        let param = |name: &str| params.get(name).map(String::as_str).unwrap_or_default();
        if param("client_id") != CLIENT_ID || param("client_secret") != CLIENT_SECRET {
            return refused("invalid_client", "Client authentication failed");
        }
        match param("grant_type") {
            "client_credentials" => {
                let (token, good_for) = self.new_access(DEFAULT_SELLER, CLIENT_CREDENTIALS_SECONDS, now);
                answer(&json!({
                    "access_token": token,
                    "scope": good_for.scope_text(),
                    "expires_in": CLIENT_CREDENTIALS_SECONDS,
                }))
            }
            "refresh_token" => self.rotate(param("refresh_token"), now),
            _ => refused("unsupported_grant_type", "The grant type is not supported"),
        }
    }

    fn rotate(&mut self, token: &str, now: DateTime<Utc>) -> Response {
        let alive = |refresh: &&RefreshToken| {
            now < refresh.expires_at
                && refresh.first_used_at.is_none_or(|used| now < later(used, RETRY_SECONDS))
        };
        let Some(refresh) = self.refresh.get(token).filter(alive).cloned() else {
            return refused("invalid_grant", "The refresh token is invalid, expired or revoked");
        };
        if let Some(predecessor) = &refresh.predecessor {
            self.refresh.remove(predecessor);
        }
        // A repeat gets the same replacement: the first answer may have been lost.
        let replacement = match refresh.replacement {
            Some(replacement) => replacement,
            None => {
                let replacement = self.next("shprt");
                self.keep_refresh(replacement.clone(), &refresh.seller, Some(token.to_owned()), now);
                replacement
            }
        };
        if let Some(used) = self.refresh.get_mut(token) {
            used.first_used_at.get_or_insert(now);
            used.replacement = Some(replacement.clone());
        }
        let (access, good_for) = self.new_access(&refresh.seller, ACCESS_SECONDS, now);
        answer(&json!({
            "access_token": access,
            "expires_in": ACCESS_SECONDS,
            "refresh_token": replacement,
            "refresh_token_expires_in": REFRESH_SECONDS,
            "scope": good_for.scope_text(),
        }))
    }
}

fn later(time: DateTime<Utc>, seconds: i64) -> DateTime<Utc> {
    time.checked_add_signed(TimeDelta::seconds(seconds)).unwrap_or(time)
}

fn answer(body: &Value) -> Response {
    super::answer::json_response(StatusCode::OK, body)
}

fn refused(error: &str, description: &str) -> Response {
    let body = json!({ "error": error, "error_description": description });
    super::answer::json_response(StatusCode::BAD_REQUEST, &body).into_response()
}

/// The parameters of a token request, as a form or as JSON.
pub(super) fn read_params(content_type: &str, body: &[u8]) -> HashMap<String, String> {
    if !content_type.to_ascii_lowercase().contains("json") {
        return form_urlencoded::parse(body).into_owned().collect();
    }
    let json: HashMap<String, Value> = serde_json::from_slice(body).unwrap_or_default();
    json.into_iter().filter_map(|(name, value)| Some((name, value.as_str()?.to_owned()))).collect()
}
