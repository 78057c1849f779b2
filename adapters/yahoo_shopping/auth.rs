//! Sending: access tokens that live an hour, and the public key signature ("Authorization", "Headers of every call").

use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use getrandom::SysRng;
use rsa::pkcs8::DecodePublicKey as _;
use rsa::{Pkcs1v15Encrypt, PublicKey};

use crate::channel::{Context, CredentialPart, Credentials, Operation, RotatingCredentials, Secret};
use crate::error::{Error, ErrorKind, Result};
use crate::http::{AccountHttp, Call, Nature, Request, Response, Url};

use super::Config;
use super::errors::{KEY_STATUS, Method, SESSION_OVER, judge, wants_new_token};
use super::tokens::{ACCESS_TOKEN, ACCESS_TOKEN_ENDS, Grant, token_call};

/// The part that names the store account.
pub const SELLER_ID: &str = "seller_id";
/// The part that names the application.
pub const CLIENT_ID: &str = "client_id";
/// The application's secret.
pub const CLIENT_SECRET: &str = "client_secret";
/// The part that gets access tokens, good for four weeks from the consent. [`Credentials::expires_at`] is that end, or
/// the end of the public key where that is earlier.
pub const REFRESH_TOKEN: &str = "refresh_token";
/// The store's RSA public key.
pub const PUBLIC_KEY: &str = "public_key";
/// The number of that key.
pub const PUBLIC_KEY_VERSION: &str = "public_key_version";

/// The parts of the credentials. None is marked as renewed: after a new consent the refresh token can be the same text
/// as before, and the key is renewed at another time than the token. What tells a renewal is the date on which they end.
pub(super) const PARTS: &[CredentialPart] = &[
    CredentialPart::lasting(SELLER_ID, "the store account (ストアアカウント), like teststore; of test stores snbx-…"),
    CredentialPart::lasting(CLIENT_ID, "the Client ID (アプリケーションID) of the application for store operations"),
    CredentialPart::lasting(CLIENT_SECRET, "the application's secret, from the same page"),
    CredentialPart::lasting(
        REFRESH_TOKEN,
        "the refresh token from the consent of a Yahoo! JAPAN ID that manages the store; good for 4 weeks: enter with it the date on which they end",
    ),
    CredentialPart::lasting(
        PUBLIC_KEY,
        "the public key (公開鍵) from Store Creator Pro > 設定 > 暗号鍵管理, with or without its PEM lines; without it the consent is good for 12 hours only",
    )
    .like(EXAMPLE_KEY),
    CredentialPart::lasting(PUBLIC_KEY_VERSION, "the version number shown beside the public key").like("1"),
];

/// A key that opens nothing.
const EXAMPLE_KEY: &str = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDBLbUZrXtn+I3FlyEGhuz/b4M49zskvuKdh7SYGQg8EXyVvPzs071rZcMcZHqzRC3OBTlAicjaTkNzU/MF7FIiTIx2ff8bLHmdWTIk5z61FAkeENTt8zK9d7+e1Fk0gaNb9pGEi9WOhjdpUQw6+pDmPEhrNBvNgRfX7CsOMesV5QIDAQAB";

/// A token is renewed so long before its end: no call that is under way outlives it.
const EARLY: TimeDelta = TimeDelta::minutes(5);
/// A vault that others write to can give credentials without a token that is good; more often than this it is broken.
const MOST_RENEWALS: usize = 3;

/// Checks that all is there that has to be, and that the key can be read.
///
/// # Errors
/// `InvalidInput` names what is missing or wrong.
pub(super) fn check(credentials: &Credentials) -> Result<()> {
    for name in [SELLER_ID, CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN] {
        credentials.part(name)?;
    }
    signing(credentials)?.map_or(Ok(()), |signing| read_key(&signing.key).map(drop))
}

/// What calls are signed with.
pub(super) struct Signing {
    seller: String,
    key: Secret,
    version: String,
}

/// What calls are signed with; `None`: there is no key, and the consent is good for 12 hours.
///
/// # Errors
/// `InvalidInput` when there is a key without its version, or the other way round.
fn signing(credentials: &Credentials) -> Result<Option<Signing>> {
    if credentials.get(PUBLIC_KEY).is_none() && credentials.get(PUBLIC_KEY_VERSION).is_none() {
        return Ok(None);
    }
    Ok(Some(Signing {
        seller: credentials.part(SELLER_ID)?.expose().to_owned(),
        key: credentials.part(PUBLIC_KEY)?,
        version: credentials.part(PUBLIC_KEY_VERSION)?.expose().to_owned(),
    }))
}

/// Whether calls are signed.
pub(super) fn is_signed(credentials: &Credentials) -> bool {
    credentials.get(PUBLIC_KEY).is_some()
}

/// The key in a PEM text, or in its base64 alone. Merchants paste both, also with `\n` spelled out.
///
/// # Errors
/// `InvalidInput` when it is no RSA public key.
pub(super) fn read_key(pem: &Secret) -> Result<PublicKey> {
    let wrong = || {
        Error::invalid(
            "public_key is no RSA public key: paste it as Store Creator Pro shows it, from BEGIN PUBLIC KEY to END PUBLIC KEY",
        )
    };
    let text = pem.expose().replace("\\n", "\n").replace("\\r", "");
    let text = text.replace("-----BEGIN PUBLIC KEY-----", "").replace("-----END PUBLIC KEY-----", "");
    let base64: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let der = STANDARD.decode(base64).map_err(|_| wrong())?;
    PublicKey::from_public_key_der(&der).map_err(|_| wrong())
}

/// The signature of a call: `<store>:<unix time>`, encrypted with the store's public key, PKCS#1 v1.5, in base64. The
/// padding is random, so that no two are alike.
///
/// # Errors
/// `InvalidInput` when the key can't be used.
pub(super) fn signature(seller: &str, key: &Secret, now: DateTime<Utc>) -> Result<Secret> {
    let value = format!("{seller}:{}", now.timestamp());
    let sealed = read_key(key)?
        .encrypt(&mut SysRng, Pkcs1v15Encrypt, value.as_bytes())
        .map_err(|_| Error::invalid("public_key is too short for the store account"))?;
    Ok(Secret::new(STANDARD.encode(sealed)))
}

/// What is wrong with the public key, by the header of an answer; `None`: nothing.
pub(super) fn key_trouble(status: &str) -> Option<&'static str> {
    Some(match status.trim() {
        "authorized" => return None,
        "none" => "no public key is entered",
        "expired-key-version" => "the public key's year is over: issue a new one in Store Creator Pro",
        "invalid-key-version" => "public_key_version is malformed",
        "not-found-key-version" => "the store has no public key of this version",
        "invalid-key-status" => "the public key is set to invalid in Store Creator Pro",
        "expired-timestamp" => "the signature's time is too old: check this machine's clock",
        "invalid-timestamp" => "the signature's time is no number",
        "invalid-sellerid" => "the store account does not fit the public key: check seller_id",
        "invalid-authorize-value" => {
            "the channel can't read the signature: public key and version don't belong together"
        }
        "unauthorized" => "the channel does not accept the public key signature",
        _ => "the channel does not accept the public key signature, for a reason that is not known",
    })
}

/// What is sent with a call.
#[derive(Debug)]
pub(super) enum Body {
    /// XML.
    Xml(String),
    /// Form fields.
    Form(Vec<(&'static str, String)>),
    /// A query; nothing but the address is sent.
    Query(Vec<(&'static str, String)>),
}

/// What is asked of the API, before tokens and signature.
#[derive(Debug)]
pub(super) struct Ask {
    pub(super) method: Method,
    pub(super) body: Body,
}

/// The request of a call ("Requests and answers").
///
/// # Errors
/// `InvalidInput` when a part is missing or the key can't be used.
pub(super) fn request(
    url: &Url,
    ask: &Ask,
    credentials: &Credentials,
    now: DateTime<Utc>,
) -> Result<Request> {
    let request = match &ask.body {
        Body::Xml(xml) => Request::new(crate::http::Method::POST, url.clone(), xml.clone())
            .header("content-type", "application/xml; charset=UTF-8")?,
        Body::Form(fields) => {
            Request::post_form(url.clone(), fields.iter().map(|(name, value)| (*name, value.as_str())))
        }
        Body::Query(fields) => {
            let mut url = url.clone();
            url.query_pairs_mut().extend_pairs(fields.iter().map(|(name, value)| (*name, value.as_str())));
            Request::get(url)
        }
    };
    let token = credentials.part(ACCESS_TOKEN)?;
    let bearer = Secret::new(format!("Bearer {}", token.expose()));
    let request = request.header("accept", "application/xml")?.secret_header("authorization", &bearer)?;
    // Only some methods look at the signature; the others ignore it.
    match signing(credentials)? {
        None => Ok(request),
        Some(Signing { seller, key, version }) => request
            .secret_header("x-sws-signature", &signature(&seller, &key, now)?)?
            .header("x-sws-signature-version", &version),
    }
}

/// Sends with the account's credentials.
#[derive(Debug)]
pub(super) struct Api {
    http: AccountHttp,
    config: Config,
    tokens: RotatingCredentials,
    /// What the channel last thought of the public key; `None`: nothing bad.
    key: Mutex<Option<&'static str>>,
}

impl Api {
    pub(super) fn new(http: AccountHttp, config: Config, tokens: RotatingCredentials) -> Result<Self> {
        check(&tokens.current())?;
        config.method_url(Method::OrderList)?;
        config.token_url()?;
        Ok(Self { http, config, tokens, key: Mutex::new(None) })
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.http.now()
    }

    pub(super) fn credentials(&self) -> Arc<Credentials> {
        self.tokens.current()
    }

    /// The store account.
    ///
    /// # Errors
    /// `InvalidInput` when it is missing.
    pub(super) fn seller(&self) -> Result<String> {
        Ok(self.credentials().part(SELLER_ID)?.expose().to_owned())
    }

    pub(super) async fn use_credentials(&self, credentials: Credentials) {
        self.tokens.replace(credentials).await;
    }

    /// What the channel last thought of the public key; `None`: nothing bad.
    pub(super) fn key_trouble(&self) -> Option<&'static str> {
        *self.key.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls the API. A token that is about to end is renewed first; one that has ended is renewed once.
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
            Err(error) if wants_new_token(&error) => {
                let fresh = self.renew(cx, &seen).await?;
                self.send(cx, operation, nature, ask, &fresh).await.map_err(still_refused)
            }
            answer => answer,
        }
    }

    /// Reads.
    ///
    /// # Errors
    /// Any kind.
    pub(super) async fn read(&self, cx: &Context, operation: Operation, ask: &Ask) -> Result<Response> {
        self.call(cx, operation, Nature::Read, ask).await
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
        let url = self.config.method_url(ask.method)?;
        let judged = |response: &Response| {
            self.note_key(response);
            judge(ask.method, response)
        };
        let build = |now| request(&url, ask, credentials, now);
        self.http.send(cx, Call { operation, nature, build: &build, judge: &judged }).await
    }

    /// A bad signature is no error of the call: it works, and 12 hours after the consent all order calls stop
    /// ("Traps"). So what the channel thinks of it is kept.
    fn note_key(&self, response: &Response) {
        let Some(status) = response.header(KEY_STATUS) else { return };
        let trouble = key_trouble(status);
        let mut key = self.key.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(trouble) = trouble.filter(|_| *key != trouble) {
            tracing::warn!(
                trouble,
                "the public key signature is not accepted: order calls stop 12 hours after the consent"
            );
        }
        *key = trouble;
    }

    /// The credentials to use now.
    async fn ready(&self, cx: &Context) -> Result<Arc<Credentials>> {
        let seen = self.tokens.current();
        match self.standing(&seen) {
            Standing::Good => Ok(seen),
            // It still works: a renewal that fails now is tried again by the next call.
            Standing::EndsSoon => Ok(self.renew(cx, &seen).await.unwrap_or(seen)),
            Standing::Ended => self.renew(cx, &seen).await,
        }
    }

    fn standing(&self, credentials: &Credentials) -> Standing {
        if credentials.get(ACCESS_TOKEN).is_none() {
            return Standing::Ended;
        }
        let ends = credentials
            .get(ACCESS_TOKEN_ENDS)
            .and_then(|text| DateTime::parse_from_rfc3339(text.expose().trim()).ok());
        match ends.map(|ends| ends.with_timezone(&Utc) - self.now()) {
            Some(left) if left <= TimeDelta::zero() => Standing::Ended,
            Some(left) if left <= EARLY => Standing::EndsSoon,
            _ => Standing::Good,
        }
    }

    /// Renews the access token of `seen`, once for however many callers. What another process or a person put into the
    /// vault meanwhile is used instead; it may lack a token that is good.
    async fn renew(&self, cx: &Context, seen: &Arc<Credentials>) -> Result<Arc<Credentials>> {
        let mut seen = Arc::clone(seen);
        for _ in 0..MOST_RENEWALS {
            let fresh = self.tokens.renew(&seen, async |old| self.refreshed(cx, old).await).await?;
            if !matches!(self.standing(&fresh), Standing::Ended) {
                return Ok(fresh);
            }
            seen = fresh;
        }
        Err(Error::new(ErrorKind::Unavailable)
            .with_message("no access token that is good for some time was to be had"))
    }

    /// These credentials with a fresh access token.
    ///
    /// # Errors
    /// `CredentialExpired` when the four weeks are over or the consent was withdrawn; any kind.
    pub(super) async fn refreshed(&self, cx: &Context, old: &Credentials) -> Result<Credentials> {
        let refresh = old.part(REFRESH_TOKEN)?;
        token_call(&self.http, &self.config, cx, old, Grant::Refresh(&refresh)).await
    }
}

/// How long an access token is still good.
enum Standing {
    Good,
    EndsSoon,
    Ended,
}

fn still_refused(error: Error) -> Error {
    if !wants_new_token(&error) || error.code() == Some(SESSION_OVER) {
        return error;
    }
    Error::new(ErrorKind::Unauthorized)
        .with_code(error.code().unwrap_or_default())
        .with_message("the renewed access token is not accepted either: let a person agree again")
}
