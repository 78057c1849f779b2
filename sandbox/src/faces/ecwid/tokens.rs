//! Tokens, scopes, limits and the exchange of codes (sheet "Authentication", "OAuth", "Rate limits").

use std::collections::HashMap;

use axum::http::StatusCode;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::answer::{Failure, Outcome};
use super::call::Query;
use super::{
    ACCESS_TOKEN, CLIENT_ID, CLIENT_SECRET, OTHER_ACCESS_TOKEN, OTHER_STORE_ID, PUBLIC_TOKEN,
    READ_ONLY_TOKEN, REDIRECT_URI, STORE_ID,
};

pub(super) const ALL_SCOPES: [&str; 5] =
    ["read_store_profile", "read_orders", "update_orders", "read_catalog", "update_catalog"];

/// Calls with a blocked token in a minute that make the block longer.
const STUBBORN: u32 = 20;
/// How much longer. The sheet says only "much".
const LONG_BLOCK: TimeDelta = TimeDelta::minutes(10);
const WINDOW: TimeDelta = TimeDelta::minutes(1);

#[derive(Debug)]
struct Token {
    store: u64,
    scopes: Vec<String>,
    window: DateTime<Utc>,
    calls: u32,
    blocked_until: Option<DateTime<Utc>>,
    while_blocked: u32,
}

#[derive(Debug)]
struct Code {
    store: u64,
    scope: String,
    /// The token that the first exchange gave.
    token: Option<String>,
}

#[derive(Debug)]
pub(super) struct Tokens {
    tokens: HashMap<String, Token>,
    codes: HashMap<String, Code>,
    made: u32,
}

impl Tokens {
    pub(super) fn new() -> Self {
        let mut tokens = Self { tokens: HashMap::new(), codes: HashMap::new(), made: 0 };
        let reading = ["read_store_profile", "read_orders", "read_catalog"];
        tokens.issue(ACCESS_TOKEN, STORE_ID, &ALL_SCOPES);
        tokens.issue(READ_ONLY_TOKEN, STORE_ID, &reading);
        tokens.issue(PUBLIC_TOKEN, STORE_ID, &["read_store_profile", "read_catalog"]);
        tokens.issue(OTHER_ACCESS_TOKEN, OTHER_STORE_ID, &ALL_SCOPES);
        tokens
    }

    fn issue(&mut self, text: &str, store: u64, scopes: &[&str]) {
        let token = Token {
            store,
            scopes: scopes.iter().map(|&scope| scope.to_owned()).collect(),
            window: DateTime::UNIX_EPOCH,
            calls: 0,
            blocked_until: None,
            while_blocked: 0,
        };
        self.tokens.insert(text.to_owned(), token);
    }

    pub(super) fn is_of(&self, token: &str, store: u64) -> bool {
        self.tokens.get(token).is_some_and(|token| token.store == store)
    }

    pub(super) fn has_scope(&self, token: &str, scope: &str) -> bool {
        self.tokens.get(token).is_some_and(|token| token.scopes.iter().any(|known| known == scope))
    }

    /// Counts a call, and refuses it above the limit.
    pub(super) fn count(&mut self, token: &str, limit: u32, now: DateTime<Utc>) -> Result<(), Failure> {
        let Some(token) = self.tokens.get_mut(token) else { return Ok(()) };
        if let Some(until) = token.blocked_until.filter(|&until| now < until) {
            token.while_blocked += 1;
            if token.while_blocked == STUBBORN {
                token.blocked_until = Some(until + LONG_BLOCK);
            }
            return Err(limited(token.blocked_until.unwrap_or(until), now));
        }
        if token.blocked_until.take().is_some() || now - token.window >= WINDOW || now < token.window {
            token.window = now;
            token.calls = 0;
            token.while_blocked = 0;
        }
        token.calls += 1;
        if token.calls <= limit {
            return Ok(());
        }
        let until = token.window + WINDOW;
        token.blocked_until = Some(until);
        Err(limited(until, now))
    }

    pub(super) fn authorize(&mut self, store: u64, scope: &str) -> String {
        self.made += 1;
        let code = format!("sandbox-code-{}", self.made);
        self.codes.insert(code.clone(), Code { store, scope: scope.to_owned(), token: None });
        code
    }

    pub(super) fn uninstall(&mut self, store: u64) {
        self.tokens.retain(|_, token| token.store != store);
        self.codes.retain(|_, code| code.store != store);
    }

    /// `GET /api/oauth/token`.
    pub(super) fn exchange(&mut self, query: &Query) -> Outcome {
        let is = |name, wanted| query.text(name) == Some(wanted);
        if !(is("client_id", CLIENT_ID) && is("client_secret", CLIENT_SECRET)) {
            return Err(oauth_failure("invalid_client"));
        }
        if !is("grant_type", "authorization_code") {
            return Err(oauth_failure("unsupported_grant_type"));
        }
        if !is("redirect_uri", REDIRECT_URI) {
            return Err(oauth_failure("invalid_request"));
        }
        let code = query.text("code").and_then(|code| self.codes.get_mut(code));
        let code = code.ok_or_else(|| oauth_failure("invalid_grant"))?;
        if let Some(first) = &code.token {
            self.tokens.remove(first);
            return Err(oauth_failure("invalid_grant"));
        }
        self.made += 1;
        let (store, scope) = (code.store, code.scope.clone());
        let token = format!("secret_sandboxMade{}OfStore{store}", self.made);
        code.token = Some(token.clone());
        self.issue(&token, store, &scope.split_whitespace().collect::<Vec<_>>());
        Ok(granted(store, &token, &scope))
    }
}

fn granted(store: u64, token: &str, scope: &str) -> Value {
    json!({
        "access_token": token,
        "token_type": "bearer",
        "scope": scope,
        "store_id": store,
        "public_token": PUBLIC_TOKEN,
    })
}

fn oauth_failure(text: &'static str) -> Failure {
    Failure::new(StatusCode::BAD_REQUEST, "OAUTH", text)
}

fn limited(until: DateTime<Utc>, now: DateTime<Utc>) -> Failure {
    Failure::limited((until - now).num_seconds().max(1))
}
