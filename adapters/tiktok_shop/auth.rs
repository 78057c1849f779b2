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
use crate::http::{AccountHttp, Call, Method, Nature, Request, Response, Url};
use crate::lenient::{Text, body_text};

use super::Config;
use super::errors::{Endpoint, judge};
use super::wire::{Envelope, time};

/// The part that names the app.
pub const APP_KEY: &str = "app_key";
/// The part that signs every request and every webhook.
pub const APP_SECRET: &str = "app_secret";
/// The part that opens the shop for seven days.
pub const ACCESS_TOKEN: &str = "access_token";
/// The part that gets the next access token.
pub const REFRESH_TOKEN: &str = "refresh_token";
/// The part that names the shop in every call.
pub const SHOP_CIPHER: &str = "shop_cipher";
/// The part in which the library notes when the access token ends (RFC 3339). [`Credentials::expires_at`] is another
/// time: the end of the refresh token, after which the merchant must authorise the app again.
pub const ACCESS_TOKEN_ENDS: &str = "access_token_ends";
/// The part that holds the shop's id, where it is kept: webhooks of other shops are then told apart.
pub const SHOP_ID: &str = "shop_id";

/// The parts of the credentials.
pub(super) const PARTS: &[CredentialPart] = &[
    CredentialPart::lasting(APP_KEY, "the app's key, from Partner Center > App & Service"),
    CredentialPart::lasting(APP_SECRET, "the app's secret, from the same page"),
    CredentialPart::renewed(ACCESS_TOKEN, "the access token that the authorisation gave, good for 7 days"),
    CredentialPart::renewed(REFRESH_TOKEN, "the refresh token that came with the access token"),
    CredentialPart::lasting(SHOP_CIPHER, "the shop's cipher, from the list of authorised shops"),
    CredentialPart::lasting(
        ACCESS_TOKEN_ENDS,
        "when the access token ends, RFC 3339; kept by the library itself, may be left out",
    )
    .like("2030-01-01T00:00:00Z"),
    CredentialPart::lasting(
        SHOP_ID,
        "the shop's id, from the list of authorised shops; may be left out, tells webhooks of other shops apart",
    ),
];

/// A token is renewed so long before its end: no call that is under way outlives it.
const EARLY: TimeDelta = TimeDelta::minutes(30);

/// HMAC-SHA256 in lower-case hex.
pub(super) fn hmac_hex(key: &Secret, parts: &[&[u8]]) -> Result<String> {
    let mac = hmac(key, parts)?;
    Ok(mac.finalize().into_bytes().iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing to a String does not fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    }))
}

pub(super) fn hmac(key: &Secret, parts: &[&[u8]]) -> Result<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.expose().as_bytes())
        .map_err(|_| Error::new(ErrorKind::Configuration).with_message("app_secret can't be a key"))?;
    for part in parts {
        mac.update(part);
    }
    Ok(mac)
}

/// The signature of a request: secret, path, sorted parameters, body, secret; keyed with the secret (sheet 2).
pub(super) fn sign(
    secret: &Secret,
    path: &str,
    parameters: &BTreeMap<&str, String>,
    body: &[u8],
) -> Result<String> {
    let sorted: String = parameters
        .iter()
        .filter(|(name, _)| !matches!(**name, "sign" | "access_token"))
        .flat_map(|(name, value)| [*name, value.as_str()])
        .collect();
    let around = secret.expose().as_bytes();
    hmac_hex(secret, &[around, path.as_bytes(), sorted.as_bytes(), body, around])
}

/// Whether a call names the shop. The channel refuses a call that names it and need not (36009004).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    Shop,
    Seller,
}

/// What is asked of the API, before it is signed.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    pub(super) endpoint: Endpoint,
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: Vec<(&'static str, String)>,
    pub(super) body: Option<String>,
    pub(super) scope: Scope,
}

impl Ask {
    pub(super) fn get(endpoint: Endpoint, path: impl Into<String>) -> Self {
        let (path, query) = (path.into(), Vec::new());
        Self { endpoint, method: Method::GET, path, query, body: None, scope: Scope::Shop }
    }

    pub(super) fn post(endpoint: Endpoint, path: impl Into<String>, body: String) -> Self {
        Self { method: Method::POST, body: Some(body), ..Self::get(endpoint, path) }
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }
}

/// The signed request. The token goes into a header, never into the address: addresses are logged.
pub(super) fn request(
    base: &Url,
    ask: &Ask,
    credentials: &Credentials,
    now: DateTime<Utc>,
) -> Result<Request> {
    let mut parameters: BTreeMap<&str, String> =
        ask.query.iter().map(|(name, value)| (*name, value.clone())).collect();
    parameters.insert("app_key", credentials.part(APP_KEY)?.expose().to_owned());
    parameters.insert("timestamp", now.timestamp().to_string());
    if ask.scope == Scope::Shop {
        parameters.insert("shop_cipher", credentials.part(SHOP_CIPHER)?.expose().to_owned());
    }
    let body = ask.body.clone().unwrap_or_default();
    let secret = credentials.part(APP_SECRET)?;
    let signature = sign(&secret, base.path(), &parameters, body.as_bytes())?;
    let mut url = base.clone();
    url.query_pairs_mut().extend_pairs(&parameters).append_pair("sign", &signature);
    Request::new(ask.method.clone(), url, body)
        .header("content-type", "application/json")?
        .header("accept", "application/json")?
        .secret_header("x-tts-access-token", &credentials.part(ACCESS_TOKEN)?)
        .map(|request| request.keeping(&secret))
}

/// When the access token ends, where that is known.
pub(super) fn token_ends(credentials: &Credentials) -> Option<DateTime<Utc>> {
    credentials.time(ACCESS_TOKEN_ENDS)
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct TokenData<'a> {
    #[serde(borrow)]
    access_token: Text<'a>,
    #[serde(borrow)]
    access_token_expire_in: Text<'a>,
    #[serde(borrow)]
    refresh_token: Text<'a>,
    #[serde(borrow)]
    refresh_token_expire_in: Text<'a>,
}

/// The credentials with the tokens of an answer in place of the old.
///
/// # Errors
/// `MalformedResponse` when the answer holds no access token.
pub(super) fn new_tokens(body: &[u8], old: &Credentials) -> Result<Credentials> {
    let body = body_text(body);
    let data: TokenData<'_> = Envelope::read(&body)?.data()?;
    let token =
        data.access_token.filled().ok_or_else(|| Error::malformed("the answer holds no access token"))?;
    let mut fresh = old.clone().with(ACCESS_TOKEN, token);
    fresh.parts.remove(ACCESS_TOKEN_ENDS);
    // Both ends are points in time, although their names say "in" (sheet 2).
    if let Some(ends) = time(&data.access_token_expire_in) {
        fresh = fresh.with(ACCESS_TOKEN_ENDS, ends.to_rfc3339());
    }
    // Without a new refresh token the old one stays: it is the only one there is.
    if let Some(refresh) = data.refresh_token.filled() {
        fresh = fresh.with(REFRESH_TOKEN, refresh);
    }
    fresh.expires_at = time(&data.refresh_token_expire_in).or(fresh.expires_at);
    Ok(fresh)
}

/// The call that gets tokens. The channel wants the secrets in the address: it is shown nowhere.
pub(super) fn token_request(
    base: &Url,
    credentials: &Credentials,
    grant: &str,
    name: &str,
    value: &Secret,
) -> Result<Request> {
    let secret = credentials.part(APP_SECRET)?;
    let mut url = base.clone();
    url.query_pairs_mut()
        .append_pair("app_key", credentials.part(APP_KEY)?.expose())
        .append_pair("app_secret", secret.expose())
        .append_pair(name, value.expose())
        .append_pair("grant_type", grant);
    Ok(Request::get(url).header("accept", "application/json")?.keeping(&secret).keeping(value))
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
        for name in [APP_KEY, APP_SECRET, ACCESS_TOKEN, REFRESH_TOKEN, SHOP_CIPHER] {
            credentials.part(name)?;
        }
        config.base_url.join("order")?;
        config.auth_url.join("api")?;
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
        let url = self.config.base_url.join(&ask.path)?;
        self.http
            .send(
                cx,
                Call {
                    operation,
                    nature,
                    build: &|now| request(&url, ask, credentials, now),
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
        token_call(&self.http, &self.config, cx, old, Grant::Refresh(&refresh)).await
    }
}

/// What tokens are asked for with.
#[derive(Clone, Copy)]
pub(super) enum Grant<'a> {
    Refresh(&'a Secret),
    Code(&'a Secret),
}

/// Gets tokens. A second call with the same code or refresh token could fail although the first was done: it is not
/// repeated by itself.
pub(super) async fn token_call(
    http: &AccountHttp,
    config: &Config,
    cx: &Context,
    credentials: &Credentials,
    grant: Grant<'_>,
) -> Result<Credentials> {
    let (path, grant_type, name, value) = match grant {
        Grant::Refresh(token) => ("/api/v2/token/refresh", "refresh_token", "refresh_token", token),
        Grant::Code(code) => ("/api/v2/token/get", "authorized_code", "auth_code", code),
    };
    let url = config.auth_url.join(path)?;
    let answer = http
        .send(
            cx,
            Call {
                operation: Operation::RenewCredentials,
                nature: Nature::UnsafeWrite,
                build: &|_| token_request(&url, credentials, grant_type, name, value),
                judge: &|response| judge(Endpoint::Token, response),
            },
        )
        .await
        // Whatever became of the token, nothing was done to the shop.
        .map_err(Error::without_effect)?;
    new_tokens(&answer.body, credentials)
}

fn still_refused(error: Error) -> Error {
    if error.kind() != ErrorKind::CredentialExpired {
        return error;
    }
    Error::new(ErrorKind::Unauthorized).with_code(error.code().unwrap_or_default()).with_message(
        "the renewed access token is not accepted either: let the merchant authorise the app again",
    )
}
