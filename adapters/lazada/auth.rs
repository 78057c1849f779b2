//! Signing, sending, and tokens that rotate (sheet 2).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use sha2::Sha256;

use crate::channel::{Context, CredentialPart, Credentials, Operation, RotatingCredentials, Secret};
use crate::error::{Error, ErrorKind, Result};
use crate::http::{AccountHttp, Call, Nature, Request, Response, Url};
use crate::lenient::{Text, body_text, object};

use super::Config;
use super::errors::{Endpoint, judge};

/// The part that names the app.
pub const APP_KEY: &str = "app_key";
/// The part that signs every request and every push.
pub const APP_SECRET: &str = "app_secret";
/// The part that opens the shop for 30 days.
pub const ACCESS_TOKEN: &str = "access_token";
/// The part that gets the next access token.
pub const REFRESH_TOKEN: &str = "refresh_token";
/// The part that names the market: sg, th, my, vn, ph or id.
pub const MARKET: &str = "market";
/// The part in which the library notes when the access token ends (RFC 3339). [`Credentials::expires_at`] is another
/// time: the end of the refresh token, after which the merchant must authorise the app again.
pub const ACCESS_TOKEN_ENDS: &str = "access_token_ends";
/// The part that holds the seller's id, where it is kept: pushes about other sellers are then told apart.
pub const SELLER_ID: &str = "seller_id";

/// The parts of the credentials.
pub(super) const PARTS: &[CredentialPart] = &[
    CredentialPart::lasting(APP_KEY, "the app's key, from Open Platform > App Console > App Overview"),
    CredentialPart::lasting(APP_SECRET, "the app's secret, from the same page"),
    CredentialPart::renewed(ACCESS_TOKEN, "the access token that the authorisation gave, good for 30 days"),
    CredentialPart::renewed(REFRESH_TOKEN, "the refresh token that came with the access token"),
    CredentialPart::lasting(MARKET, "the shop's market: sg, th, my, vn, ph or id").like("sg"),
    CredentialPart::lasting(
        ACCESS_TOKEN_ENDS,
        "when the access token ends, RFC 3339; kept by the library itself, may be left out",
    )
    .like("2030-01-01T00:00:00Z"),
    CredentialPart::lasting(
        SELLER_ID,
        "the seller's id in this market; may be left out, tells pushes about other sellers apart",
    ),
];

/// All calls are below it, and it takes no part in the signature.
const ROOT: &str = "/rest";
/// A token is renewed so long before its end: no call that is under way outlives it.
const EARLY: TimeDelta = TimeDelta::minutes(30);

pub(super) fn hmac(key: &Secret, parts: &[&[u8]]) -> Result<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.expose().as_bytes())
        .map_err(|_| Error::new(ErrorKind::Configuration).with_message("app_secret can't be a key"))?;
    for part in parts {
        mac.update(part);
    }
    Ok(mac)
}

/// HMAC-SHA256 in lower-case hex.
pub(super) fn hmac_hex(key: &Secret, parts: &[&[u8]]) -> Result<String> {
    let mac = hmac(key, parts)?;
    Ok(mac.finalize().into_bytes().iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing to a String does not fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    }))
}

/// The signature of a call: its path, then all parameters sorted by name; in upper-case hex (sheet 2).
pub(super) fn sign(secret: &Secret, path: &str, parameters: &BTreeMap<&str, String>) -> Result<String> {
    let joined: String = parameters
        .iter()
        .filter(|(name, _)| **name != "sign")
        .flat_map(|(name, value)| [*name, value.as_str()])
        .collect();
    Ok(hmac_hex(secret, &[path.as_bytes(), joined.as_bytes()])?.to_ascii_uppercase())
}

/// How parameters travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// In the address: the channel takes these calls by GET alone.
    Get,
    /// As a form.
    Post,
}

/// What is asked of the API, before it is signed.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    pub(super) endpoint: Endpoint,
    pub(super) way: Way,
    pub(super) path: &'static str,
    pub(super) parameters: Vec<(&'static str, String)>,
}

impl Ask {
    pub(super) fn get(endpoint: Endpoint, path: &'static str) -> Self {
        Self { endpoint, way: Way::Get, path, parameters: Vec::new() }
    }

    pub(super) fn post(endpoint: Endpoint, path: &'static str) -> Self {
        Self { way: Way::Post, ..Self::get(endpoint, path) }
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.parameters.push((name, value.into()));
        self
    }
}

/// The signed request. GET carries the access token in the address, because the channel has no other place for it; a
/// POST carries everything in its body.
pub(super) fn request(
    base: &Url,
    ask: &Ask,
    credentials: &Credentials,
    token: Option<&Secret>,
    now: DateTime<Utc>,
) -> Result<Request> {
    let mut parameters: BTreeMap<&str, String> =
        ask.parameters.iter().map(|(name, value)| (*name, value.clone())).collect();
    parameters.insert("app_key", credentials.part(APP_KEY)?.expose().to_owned());
    parameters.insert("timestamp", now.timestamp_millis().to_string());
    parameters.insert("sign_method", "sha256".to_owned());
    if let Some(token) = token {
        parameters.insert("access_token", token.expose().to_owned());
    }
    let secret = credentials.part(APP_SECRET)?;
    let signature = sign(&secret, ask.path, &parameters)?;
    parameters.insert("sign", signature);
    let request = match ask.way {
        Way::Get => {
            let mut url = base.clone();
            url.query_pairs_mut().extend_pairs(&parameters);
            Request::get(url)
        }
        Way::Post => Request::post_form(base.clone(), &parameters),
    };
    let request = request.header("accept", "application/json")?.keeping(&secret);
    Ok(match token {
        Some(token) => request.keeping(token),
        None => request,
    })
}

/// When the access token ends, where that is known.
pub(super) fn token_ends(credentials: &Credentials) -> Option<DateTime<Utc>> {
    credentials.time(ACCESS_TOKEN_ENDS)
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct TokenRow<'a> {
    #[serde(borrow)]
    access_token: Text<'a>,
    #[serde(borrow)]
    expires_in: Text<'a>,
    #[serde(borrow)]
    refresh_token: Text<'a>,
    #[serde(borrow)]
    refresh_expires_in: Text<'a>,
}

/// The credentials with the tokens of an answer in place of the old. Their lives are told in seconds from the answer on
/// (sheet 2); they are counted from when it was asked for, which is a little less.
///
/// # Errors
/// `MalformedResponse` when the answer holds no access token.
pub(super) fn new_tokens(body: &[u8], old: &Credentials, asked_at: DateTime<Utc>) -> Result<Credentials> {
    let body = body_text(body);
    let row: TokenRow<'_> = object("the answer", &body)?;
    let token =
        row.access_token.filled().ok_or_else(|| Error::malformed("the answer holds no access token"))?;
    let after = |life: i64| asked_at.checked_add_signed(TimeDelta::try_seconds(life)?);
    let mut fresh = old.clone().with(ACCESS_TOKEN, token);
    fresh.parts.remove(ACCESS_TOKEN_ENDS);
    let ends = row.expires_in.integer().filter(|life| *life > 0).and_then(after);
    if let Some(ends) = ends {
        fresh = fresh.with(ACCESS_TOKEN_ENDS, ends.to_rfc3339());
    }
    // Without a new refresh token the old one stays: it is the only one there is.
    if let Some(refresh) = row.refresh_token.filled() {
        fresh = fresh.with(REFRESH_TOKEN, refresh);
    }
    fresh.expires_at = match row.refresh_expires_in.integer() {
        // It can't be refreshed: the access token's end is the end.
        Some(life) if life <= 0 => ends,
        Some(life) => after(life),
        None => fresh.expires_at,
    };
    Ok(fresh)
}

/// Sends with the account's credentials.
#[derive(Debug)]
pub(super) struct Api {
    http: AccountHttp,
    config: Config,
    tokens: RotatingCredentials,
}

impl Api {
    pub(super) fn new(http: AccountHttp, config: Config, tokens: RotatingCredentials) -> Result<Self> {
        let credentials = tokens.current();
        for name in [APP_KEY, APP_SECRET, ACCESS_TOKEN, REFRESH_TOKEN] {
            credentials.part(name)?;
        }
        config.base_url.join(ROOT)?;
        config.auth_url.join(ROOT)?;
        Ok(Self { http, config, tokens })
    }

    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.http.now()
    }

    pub(super) fn credentials(&self) -> Arc<Credentials> {
        self.tokens.current()
    }

    pub(super) async fn use_credentials(&self, credentials: &Credentials) {
        self.tokens.replace(credentials.clone()).await;
    }

    /// A read.
    ///
    /// # Errors
    /// Any kind.
    pub(super) async fn read(&self, cx: &Context, operation: Operation, ask: &Ask) -> Result<Response> {
        self.call(cx, operation, Nature::Read, ask).await
    }

    /// Calls the API. A token that is about to end is renewed first; one that is refused is renewed once.
    ///
    /// # Errors
    /// Any kind.
    pub(super) async fn call(
        &self,
        cx: &Context,
        operation: Operation,
        nature: Nature,
        ask: &Ask,
    ) -> Result<Response> {
        let seen = self.ready(cx).await?;
        match self.send(cx, operation, nature, ask, &seen).await {
            // A refused token did nothing, so that even a change that is not repeatable goes again.
            Err(error) if error.kind() == ErrorKind::CredentialExpired => {
                let fresh = self.renew(cx, &seen).await?;
                self.send(cx, operation, nature, ask, &fresh).await.map_err(still_refused)
            }
            answer => answer,
        }
    }

    /// Calls the API with these credentials, whatever the account's are.
    ///
    /// # Errors
    /// Any kind.
    pub(super) async fn send(
        &self,
        cx: &Context,
        operation: Operation,
        nature: Nature,
        ask: &Ask,
        credentials: &Credentials,
    ) -> Result<Response> {
        let url = self.config.base_url.join(&format!("{ROOT}{}", ask.path))?;
        let token = credentials.part(ACCESS_TOKEN)?;
        self.http
            .send(
                cx,
                Call {
                    operation,
                    nature,
                    build: &|now| request(&url, ask, credentials, Some(&token), now),
                    judge: &|response| judge(ask.endpoint, response),
                },
            )
            .await
    }

    /// The credentials to use now.
    async fn ready(&self, cx: &Context) -> Result<Arc<Credentials>> {
        self.tokens.ready(self.now(), token_ends, EARLY, async |old| self.refresh(cx, old).await).await
    }

    async fn renew(&self, cx: &Context, seen: &Arc<Credentials>) -> Result<Arc<Credentials>> {
        self.tokens.renew(seen, async |old| self.refresh(cx, old).await).await
    }

    async fn refresh(&self, cx: &Context, old: &Credentials) -> Result<Credentials> {
        let refresh = old.part(REFRESH_TOKEN)?;
        token_call(&self.http, &self.config, cx, old, Grant::Refresh(&refresh)).await.map(|new| new.0)
    }
}

/// What tokens are asked for with.
#[derive(Clone, Copy)]
pub(super) enum Grant<'a> {
    Refresh(&'a Secret),
    Code(&'a Secret),
}

/// Gets tokens, with the answer that brought them. A second call with the same code or refresh token could fail although
/// the first was done: it is not repeated by itself.
pub(super) async fn token_call(
    http: &AccountHttp,
    config: &Config,
    cx: &Context,
    credentials: &Credentials,
    grant: Grant<'_>,
) -> Result<(Credentials, Response)> {
    let (path, name, value) = match grant {
        Grant::Refresh(token) => ("/auth/token/refresh", "refresh_token", token),
        Grant::Code(code) => ("/auth/token/create", "code", code),
    };
    let ask = Ask::post(Endpoint::Token, path).with(name, value.expose());
    let url = config.auth_url.join(&format!("{ROOT}{path}"))?;
    let answer = http
        .send(
            cx,
            Call {
                operation: Operation::RenewCredentials,
                nature: Nature::UnsafeWrite,
                build: &|now| Ok(request(&url, &ask, credentials, None, now)?.keeping(value)),
                judge: &|response| judge(Endpoint::Token, response),
            },
        )
        .await
        // Whatever became of the token, nothing was done to the shop.
        .map_err(Error::without_effect)?;
    let fresh = new_tokens(&answer.body, credentials, answer.sent_at)?;
    Ok((fresh, answer))
}

fn still_refused(error: Error) -> Error {
    if error.kind() != ErrorKind::CredentialExpired {
        return error;
    }
    Error::new(ErrorKind::Unauthorized).with_code(error.code().unwrap_or_default()).with_message(
        "the renewed access token is not accepted either: let the merchant authorise the app again",
    )
}
