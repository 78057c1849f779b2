//! Signing, and the parts of the credentials (sheet 2). Nothing is sent here.

use std::fmt::Write as _;

use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::channel::{CredentialPart, Credentials, Secret};
use crate::error::{Error, ErrorKind, Result};
use crate::http::{Method, Request, Url};
use crate::lenient::{Text, body_text, object};

use super::errors::Endpoint;
use super::wire::json;

/// The part that names the app.
pub const PARTNER_ID: &str = "partner_id";
/// The part that signs every request.
pub const PARTNER_KEY: &str = "partner_key";
/// The part that signs pushes (webhooks).
pub const PUSH_PARTNER_KEY: &str = "push_partner_key";
/// The part that names the shop.
pub const SHOP_ID: &str = "shop_id";
/// The part that opens the shop for four hours.
pub const ACCESS_TOKEN: &str = "access_token";
/// The part that gets the next access token, once and within 30 days.
pub const REFRESH_TOKEN: &str = "refresh_token";
/// The part in which the library notes when the access token ends (RFC 3339). [`Credentials::expires_at`] is another
/// time: the end of the seller's authorisation.
pub const ACCESS_TOKEN_ENDS: &str = "access_token_ends";

/// The parts of the credentials.
pub(super) const PARTS: &[CredentialPart] = &[
    CredentialPart::lasting(
        PARTNER_ID,
        "the app's partner id, a number, from the Open Platform console > App",
    )
    .like("2001887"),
    CredentialPart::lasting(PARTNER_KEY, "the app's partner key, from the same page; live and test differ"),
    CredentialPart::lasting(SHOP_ID, "the shop's id, a number, which comes back from the authorisation")
        .like("322300222"),
    CredentialPart::renewed(ACCESS_TOKEN, "the access token that the authorisation gave, good for 4 hours"),
    CredentialPart::renewed(REFRESH_TOKEN, "the refresh token that came with the access token"),
    CredentialPart::lasting(
        PUSH_PARTNER_KEY,
        "the Live Push Partner Key, from the console > Push Mechanism; may be left out, pushes are then checked with the partner key",
    ),
    CredentialPart::lasting(
        ACCESS_TOKEN_ENDS,
        "when the access token ends, RFC 3339; kept by the library itself, may be left out",
    )
    .like("2030-01-01T00:00:00Z"),
];

/// `expire_in` is a number of seconds, although one official sample shows a time (sheet 2).
const A_TIME: i64 = 1_000_000_000;

pub(super) fn hmac(key: &Secret, parts: &[&[u8]]) -> Result<Hmac<Sha256>> {
    // The key's text bytes: it looks like hex and is none (sheet 2).
    let mut mac = Hmac::<Sha256>::new_from_slice(key.expose().as_bytes())
        .map_err(|_| Error::new(ErrorKind::Configuration).with_message("partner_key can't be a key"))?;
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

/// Who is named in a call and in its signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// The app alone.
    Public,
    /// The app, the token and the shop.
    Shop,
}

/// What is asked of the API, before it is signed.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    pub(super) endpoint: Endpoint,
    pub(super) method: Method,
    pub(super) query: Vec<(&'static str, String)>,
    pub(super) body: Option<String>,
    pub(super) scope: Scope,
}

impl Ask {
    pub(super) fn get(endpoint: Endpoint) -> Self {
        Self { endpoint, method: Method::GET, query: Vec::new(), body: None, scope: Scope::Shop }
    }

    pub(super) fn post(endpoint: Endpoint, body: String) -> Self {
        Self { method: Method::POST, body: Some(body), ..Self::get(endpoint) }
    }

    pub(super) fn public(self) -> Self {
        Self { scope: Scope::Public, ..self }
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }
}

/// The signature of a call: partner id, path and time; token and shop too where the call is a shop's (sheet 2).
/// Parameters and body take no part.
///
/// # Errors
/// `InvalidInput` when a part is missing.
pub(super) fn sign(path: &str, timestamp: i64, scope: Scope, credentials: &Credentials) -> Result<String> {
    let (partner, timestamp) = (credentials.part(PARTNER_ID)?, timestamp.to_string());
    let key = credentials.part(PARTNER_KEY)?;
    let head = [partner.expose().as_bytes(), path.as_bytes(), timestamp.as_bytes()];
    match scope {
        Scope::Public => hmac_hex(&key, &head),
        Scope::Shop => {
            let (token, shop) = (credentials.part(ACCESS_TOKEN)?, credentials.part(SHOP_ID)?);
            let [partner, path, time] = head;
            hmac_hex(&key, &[partner, path, time, token.expose().as_bytes(), shop.expose().as_bytes()])
        }
    }
}

/// The signed request. The channel demands the token in the address: it is shown nowhere.
pub(super) fn request(
    base: &Url,
    ask: &Ask,
    credentials: &Credentials,
    now: DateTime<Utc>,
) -> Result<Request> {
    let timestamp = now.timestamp();
    // The path without host: behind a proxy's own path the channel still sees its own.
    let signature = sign(ask.endpoint.path(), timestamp, ask.scope, credentials)?;
    let mut url = base.clone();
    let mut secrets = vec![credentials.part(PARTNER_KEY)?];
    {
        let mut query = url.query_pairs_mut();
        query.append_pair(PARTNER_ID, credentials.part(PARTNER_ID)?.expose());
        query.append_pair("timestamp", &timestamp.to_string());
        if ask.scope == Scope::Shop {
            let token = credentials.part(ACCESS_TOKEN)?;
            query.append_pair(ACCESS_TOKEN, token.expose());
            query.append_pair(SHOP_ID, credentials.part(SHOP_ID)?.expose());
            secrets.push(token);
        }
        query.append_pair("sign", &signature);
        query.extend_pairs(&ask.query);
    }
    let request = match &ask.body {
        Some(body) => {
            Request::new(ask.method.clone(), url, body.clone()).header("content-type", "application/json")?
        }
        None => Request::new(ask.method.clone(), url, String::new()),
    };
    let request = request.header("accept", "application/json")?;
    Ok(secrets.iter().fold(request, |request, secret| request.keeping(secret)))
}

/// A part that is a number: ids go into bodies as numbers (sheet 2).
///
/// # Errors
/// `InvalidInput` when it is missing or no number.
pub(super) fn number(credentials: &Credentials, name: &str) -> Result<u64> {
    let text = credentials.part(name)?;
    text.expose().parse().map_err(|_| Error::invalid(format!("{name} is not a number")))
}

/// When the access token ends, where that is known.
pub(super) fn token_ends(credentials: &Credentials) -> Option<DateTime<Utc>> {
    credentials.time(ACCESS_TOKEN_ENDS)
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Tokens<'a> {
    #[serde(borrow)]
    access_token: Text<'a>,
    #[serde(borrow)]
    refresh_token: Text<'a>,
    #[serde(borrow)]
    expire_in: Text<'a>,
}

/// The credentials with the tokens of an answer in place of the old.
///
/// # Errors
/// `MalformedResponse` when the answer holds no access token.
pub(super) fn new_tokens(body: &[u8], old: &Credentials, sent_at: DateTime<Utc>) -> Result<Credentials> {
    let body = body_text(body);
    let tokens: Tokens<'_> = object("the answer", &body)?;
    let token =
        tokens.access_token.filled().ok_or_else(|| Error::malformed("the answer holds no access token"))?;
    let mut fresh = old.clone().with(ACCESS_TOKEN, token);
    fresh.parts.remove(ACCESS_TOKEN_ENDS);
    let ends = tokens.expire_in.integer().filter(|seconds| *seconds > 0).and_then(|seconds| {
        if seconds > A_TIME {
            DateTime::from_timestamp(seconds, 0)
        } else {
            sent_at.checked_add_signed(TimeDelta::seconds(seconds))
        }
    });
    if let Some(ends) = ends {
        fresh = fresh.with(ACCESS_TOKEN_ENDS, ends.to_rfc3339());
    }
    // Without a new refresh token the old one stays: it is the only one there is.
    if let Some(refresh) = tokens.refresh_token.filled() {
        fresh = fresh.with(REFRESH_TOKEN, refresh);
    }
    Ok(fresh)
}

/// Whether nothing is missing, and numbers are numbers.
///
/// # Errors
/// `InvalidInput` when a part is missing or wrong.
pub(super) fn check(credentials: &Credentials) -> Result<()> {
    for name in [PARTNER_KEY, ACCESS_TOKEN, REFRESH_TOKEN] {
        credentials.part(name)?;
    }
    number(credentials, PARTNER_ID)?;
    number(credentials, SHOP_ID).map(drop)
}

#[derive(Serialize)]
struct RefreshBody<'a> {
    refresh_token: &'a str,
    partner_id: u64,
    shop_id: u64,
}

/// The body that asks for new tokens, and the refresh token in it.
///
/// # Errors
/// `InvalidInput` when a part is missing.
pub(super) fn refresh_body(credentials: &Credentials) -> Result<(String, Secret)> {
    let refresh = credentials.part(REFRESH_TOKEN)?;
    let body = json(&RefreshBody {
        refresh_token: refresh.expose(),
        partner_id: number(credentials, PARTNER_ID)?,
        shop_id: number(credentials, SHOP_ID)?,
    })?;
    Ok((body, refresh))
}
