//! The shop's domain and its access token: which kinds there are, and how those that end are renewed (sheet 2).

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

use crate::channel::{
    Context, CredentialPart, CredentialVault, Credentials, Operation, RotatingCredentials, Secret,
};
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::http::{AccountHttp, Call, Nature, Request, Response, Url, classify_status, expect_json};
use crate::lenient::{Text, body_text, unreadable};
use crate::model::AccountId;

/// The part that names the shop: `name.myshopify.com`.
pub const SHOP: &str = "shop";
/// The part that holds the access token.
pub const ACCESS_TOKEN: &str = "access_token";
/// The part that holds the app's client id.
pub const CLIENT_ID: &str = "client_id";
/// The part that holds the app's client secret. It also signs webhooks.
pub const CLIENT_SECRET: &str = "client_secret";
/// The part that holds the refresh token of an access token that ends.
pub const REFRESH_TOKEN: &str = "refresh_token";
/// The part in which the library notes when the access token ends (RFC 3339). [`Credentials::expires_at`] is another
/// time: the end of what nobody but the merchant can renew.
pub const ACCESS_TOKEN_ENDS: &str = "access_token_ends";

const SHOP_PART: CredentialPart = CredentialPart::lasting(
    SHOP,
    "the shop's own domain, name.myshopify.com, as the admin shows it under Settings > Domains",
)
.like("example.myshopify.com");
const TOKEN_HELP: &str = "the Admin API access token; not needed with the client credentials grant";
const CLIENT_ID_PART: CredentialPart = CredentialPart::lasting(
    CLIENT_ID,
    "the app's client id; needed with a refresh token and for the client credentials grant",
);
const SECRET_HELP: &str = "the app's client secret; needed as the client id is, and to receive webhooks";
const REFRESH_HELP: &str = "the refresh token, where the access token is one that ends after an hour";
const ENDS_PART: CredentialPart =
    CredentialPart::lasting(ACCESS_TOKEN_ENDS, "when the access token ends; kept by the library itself")
        .like("2026-11-24T02:00:00+00:00");

/// The parts, where nothing is known yet about the kind of token.
pub(super) const PARTS: &[CredentialPart] = &[
    SHOP_PART,
    CredentialPart::lasting(ACCESS_TOKEN, TOKEN_HELP),
    CLIENT_ID_PART,
    CredentialPart::lasting(CLIENT_SECRET, SECRET_HELP),
    CredentialPart::lasting(REFRESH_TOKEN, REFRESH_HELP),
    ENDS_PART,
];

const PERMANENT_PARTS: &[CredentialPart] = &[
    SHOP_PART,
    CredentialPart::renewed(ACCESS_TOKEN, TOKEN_HELP),
    CLIENT_ID_PART,
    CredentialPart::lasting(CLIENT_SECRET, SECRET_HELP),
];

const REFRESHED_PARTS: &[CredentialPart] = &[
    SHOP_PART,
    CredentialPart::renewed(ACCESS_TOKEN, TOKEN_HELP),
    CLIENT_ID_PART,
    CredentialPart::lasting(CLIENT_SECRET, SECRET_HELP),
    CredentialPart::renewed(REFRESH_TOKEN, REFRESH_HELP),
    ENDS_PART,
];

const GRANTED_PARTS: &[CredentialPart] =
    &[SHOP_PART, CLIENT_ID_PART, CredentialPart::renewed(CLIENT_SECRET, SECRET_HELP), ENDS_PART];

/// A token is renewed so long before its end: no call that is under way outlives it.
const EARLY: TimeDelta = TimeDelta::minutes(5);

/// The kinds of token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A custom app's token, which does not end.
    Permanent,
    /// A token of an hour, with a refresh token that changes each time.
    Refreshed,
    /// A token of a day, asked for with client id and secret alone.
    Granted,
}

impl Kind {
    /// The kind that these parts make.
    ///
    /// # Errors
    /// `InvalidInput` when a part that the kind needs is missing.
    pub(super) fn of(credentials: &Credentials) -> Result<Self> {
        let has = |part| credentials.get(part).is_some();
        let app = has(CLIENT_ID) && has(CLIENT_SECRET);
        // A token with a known end and no refresh token can only come from the grant.
        let granted = !has(ACCESS_TOKEN) || has(ACCESS_TOKEN_ENDS);
        match (has(REFRESH_TOKEN), app) {
            (true, true) => Ok(Self::Refreshed),
            (true, false) => Err(Error::invalid("a refresh token needs client_id and client_secret")),
            (false, true) if granted => Ok(Self::Granted),
            (false, _) if has(ACCESS_TOKEN) => Ok(Self::Permanent),
            (false, _) => {
                Err(Error::invalid("the credentials lack access_token, or client_id and client_secret"))
            }
        }
    }

    /// The parts that a person replaces, and those that stay.
    pub(super) fn parts(self) -> &'static [CredentialPart] {
        match self {
            Self::Permanent => PERMANENT_PARTS,
            Self::Refreshed => REFRESHED_PARTS,
            Self::Granted => GRANTED_PARTS,
        }
    }
}

/// The shop's domain. Only Shopify's own names are taken: whatever else stood there would be sent the token.
///
/// # Errors
/// `InvalidInput` when it is missing or is no such name.
pub(super) fn shop(credentials: &Credentials) -> Result<String> {
    let domain = credentials.part(SHOP)?.expose().to_ascii_lowercase();
    let name = domain.strip_suffix(".myshopify.com").unwrap_or_default();
    let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let fits = name.len() <= 63
        && name.bytes().next().is_some_and(good)
        && name.bytes().all(|byte| good(byte) || byte == b'-');
    if fits { Ok(domain) } else { Err(Error::invalid("shop must have the form name.myshopify.com")) }
}

/// When the access token ends, where that is known.
pub(super) fn token_ends(credentials: &Credentials) -> Option<DateTime<Utc>> {
    credentials.time(ACCESS_TOKEN_ENDS)
}

/// How good the token in hand is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    /// It is used.
    Good,
    /// It still works, and is renewed where that can be done.
    EndsSoon,
    /// There is none, or it has ended.
    Missing,
}

/// How good the token of these credentials is at `now`. One whose end nobody knows is used until it is refused.
pub(super) fn token_state(credentials: &Credentials, now: DateTime<Utc>) -> Token {
    match (credentials.get(ACCESS_TOKEN), token_ends(credentials)) {
        (None, _) => Token::Missing,
        (Some(_), Some(ends)) if ends <= now => Token::Missing,
        (Some(_), Some(ends)) if ends - now <= EARLY => Token::EndsSoon,
        _ => Token::Good,
    }
}

/// The form that asks for a new token.
///
/// # Errors
/// `InvalidInput` when a part is missing.
pub(super) fn token_form(kind: Kind, credentials: &Credentials) -> Result<Vec<(&'static str, Secret)>> {
    let need = |name: &'static str| credentials.part(name).map(|secret| (name, secret));
    let mut form = vec![need(CLIENT_ID)?, need(CLIENT_SECRET)?];
    match kind {
        Kind::Refreshed => {
            form.push(("grant_type", Secret::from("refresh_token")));
            form.push(need(REFRESH_TOKEN)?);
        }
        Kind::Granted => form.push(("grant_type", Secret::from("client_credentials"))),
        Kind::Permanent => return Err(Error::unsupported("this access token is not renewed by the library")),
    }
    Ok(form)
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct TokenAnswer<'a> {
    #[serde(borrow)]
    access_token: Text<'a>,
    #[serde(borrow)]
    expires_in: Text<'a>,
    #[serde(borrow)]
    refresh_token: Text<'a>,
    #[serde(borrow)]
    refresh_token_expires_in: Text<'a>,
}

/// The credentials with the new token in place of the old.
///
/// # Errors
/// `MalformedResponse` when the answer holds no token.
pub(super) fn new_token(body: &[u8], old: &Credentials, asked_at: DateTime<Utc>) -> Result<Credentials> {
    let body = body_text(body);
    let answer: TokenAnswer<'_> = serde_json::from_str(&body).map_err(|e| unreadable("the token", &e))?;
    let token = answer.access_token.filled().ok_or_else(|| Error::malformed("the answer holds no token"))?;
    let in_seconds = |text: &Text<'_>| {
        let seconds = text.integer().filter(|seconds| *seconds > 0)?;
        asked_at.checked_add_signed(TimeDelta::try_seconds(seconds)?)
    };
    let mut fresh = old.clone().with(ACCESS_TOKEN, token);
    fresh.parts.remove(ACCESS_TOKEN_ENDS);
    if let Some(ends) = in_seconds(&answer.expires_in) {
        fresh = fresh.with(ACCESS_TOKEN_ENDS, ends.to_rfc3339());
    }
    // Without a new refresh token the old one stays: it is the only one there is.
    if let Some(refresh) = answer.refresh_token.filled() {
        fresh = fresh.with(REFRESH_TOKEN, refresh);
        fresh.expires_at = in_seconds(&answer.refresh_token_expires_in).or(fresh.expires_at);
    }
    Ok(fresh)
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct TokenRefusal<'a> {
    #[serde(borrow)]
    error: Text<'a>,
}

/// Judges the answer of the token address.
///
/// # Errors
/// `CredentialExpired` for a refresh token that has ended, `Unauthorized` for an app that is not known, and what the
/// status stands for.
pub(super) fn judge_token(kind: Kind, response: &Response) -> Result<()> {
    if !matches!(response.status, 400 | 401) {
        return match super::errors::by_status(response.status) {
            Some(verdict) => Err(Error::new(verdict.kind)
                .with_code(format_args!("HTTP {}", response.status))
                .with_message(verdict.meaning)),
            None => classify_status(response).and_then(|()| expect_json(response)),
        };
    }
    let body = body_text(&response.body);
    // The description is left out: it may repeat what was sent.
    let code = serde_json::from_str::<TokenRefusal<'_>>(&body)
        .map(|refusal| refusal.error.trim().to_owned())
        .unwrap_or_default();
    let (error, advice) = match kind {
        Kind::Refreshed if code != "invalid_client" => (
            ErrorKind::CredentialExpired,
            "the refresh token has ended or was replaced: let the merchant authorise the app again",
        ),
        _ => (ErrorKind::Unauthorized, "client_id and client_secret are not accepted for this shop"),
    };
    let code = if code.is_empty() { format!("HTTP {}", response.status) } else { code };
    Err(Error::new(error).with_code(code).with_message(advice))
}

/// The account's credentials, renewed as they end.
#[derive(Debug)]
pub(super) struct Auth {
    http: AccountHttp,
    url: Url,
    tokens: RotatingCredentials,
    has_vault: bool,
}

impl Auth {
    pub(super) fn new(
        http: AccountHttp,
        account: AccountId,
        url: Url,
        credentials: &Credentials,
        vault: Option<Arc<dyn CredentialVault>>,
    ) -> Result<Self> {
        shop(credentials)?;
        Kind::of(credentials)?;
        let has_vault = vault.is_some();
        Ok(Self {
            http,
            url,
            tokens: RotatingCredentials::new(account, credentials.clone(), vault),
            has_vault,
        })
    }

    pub(super) fn current(&self) -> Arc<Credentials> {
        self.tokens.current()
    }

    /// Whether new refresh tokens outlive this process.
    pub(super) fn has_vault(&self) -> bool {
        self.has_vault
    }

    /// Uses other credentials from now on.
    pub(super) async fn replace(&self, credentials: Credentials) {
        self.tokens.replace(credentials).await;
    }

    /// Credentials with a token that can be used, renewed first where its end is near.
    ///
    /// # Errors
    /// What keeps it from being renewed; nothing of the caller's own call was sent then.
    pub(super) async fn ready(&self, cx: &Context) -> Result<Arc<Credentials>> {
        let seen = self.current();
        let state = token_state(&seen, self.http.now());
        match (state, Kind::of(&seen)?) {
            (Token::Good, _) | (_, Kind::Permanent) => Ok(seen),
            (Token::EndsSoon, _) => match self.renew(cx, &seen).await {
                // It is good for some minutes more, and the next call tries again.
                Err(error) if error.is_temporary() && error.kind() != ErrorKind::Store => Ok(seen),
                renewed => renewed,
            },
            (Token::Missing, _) => self.renew(cx, &seen).await,
        }
    }

    /// Renews the credentials that `seen` are, once for all callers that ask at the same time.
    ///
    /// # Errors
    /// As [`Auth::ready`].
    pub(super) async fn renew(&self, cx: &Context, seen: &Arc<Credentials>) -> Result<Arc<Credentials>> {
        let renewed = self.tokens.renew(seen, async |old| self.ask(cx, old).await).await;
        renewed.map_err(|error| nothing_sent(&error))
    }

    /// Asks for a new token.
    ///
    /// # Errors
    /// As [`judge_token`].
    pub(super) async fn ask(&self, cx: &Context, old: &Credentials) -> Result<Credentials> {
        let kind = Kind::of(old)?;
        let form = token_form(kind, old)?;
        let call = Call {
            operation: Operation::RenewCredentials,
            // A second one does no harm: the old refresh token works until the new one is used (sheet 2).
            nature: Nature::SafeWrite,
            build: &|_| {
                let fields = form.iter().map(|(name, value)| (*name, value.expose()));
                Request::post_form(self.url.clone(), fields).header("accept", "application/json")
            },
            judge: &|response| judge_token(kind, response),
        };
        let response = self.http.send(cx, call).await?;
        new_token(&response.body, old, response.sent_at)
    }
}

/// The error of a renewal as that of the call that waited for it: of that call nothing was sent, so nothing about its
/// effect is unknown.
fn nothing_sent(error: &Error) -> Error {
    let mut plain = Error::new(error.kind())
        .with_message(format_args!("the access token can't be renewed: {}", error.message().unwrap_or("")))
        .with_retry(error.retry())
        .in_operation(Operation::RenewCredentials);
    if let Some(code) = error.code() {
        plain = plain.with_code(code);
    }
    // An answer without a token is the token's trouble, and is tried again with the next call.
    if error.kind() == ErrorKind::MalformedResponse { plain.with_retry(Retry::Later) } else { plain }
}
