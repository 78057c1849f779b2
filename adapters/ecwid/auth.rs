//! The token, and sending with it (sheet, authentication).

use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

use crate::channel::{Context, CredentialPart, Credentials, Operation, Secret};
use crate::error::{Error, ErrorKind, Result};
use crate::http::{AccountHttp, BaseUrl, Call, Method, Nature, Request, Response, Url};
use crate::lenient::body_text;

use super::Config;
use super::access::{Store, profile_ask, store_of};
use super::errors::{EMPTY_403, Endpoint, NO_SCOPE, judge, missing};
use super::stock::Raises;

/// The part that names the store.
pub const STORE_ID: &str = "store_id";
/// The part that opens the store.
pub const ACCESS_TOKEN: &str = "access_token";
/// The part that signs webhooks; another value than the token.
pub const CLIENT_SECRET: &str = "client_secret";

/// The parts of the credentials. None is replaced by a renewal: tokens don't end.
pub(super) const PARTS: &[CredentialPart] = &[
    CredentialPart::lasting(STORE_ID, "the number of the store, from the footer of the Ecwid admin")
        .like("1003"),
    CredentialPart::lasting(
        ACCESS_TOKEN,
        "the app's secret access token (secret_...), from https://my.ecwid.com/#develop-apps",
    )
    .like("secret_example"),
    CredentialPart::lasting(
        CLIENT_SECRET,
        "the app's secret key, from the same page; needed for webhooks only",
    ),
];

/// So many calls are on their way at once (sheet, rate limits).
pub(super) const PARALLEL: usize = 4;
/// A token that the profile accepted counts as good for so long.
const PROVEN: TimeDelta = TimeDelta::minutes(1);

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ask {
    pub(super) endpoint: Endpoint,
    /// Below the store, with a leading slash.
    pub(super) path: String,
    pub(super) query: Vec<(&'static str, String)>,
    /// The body of a PUT; `None`: a GET.
    pub(super) body: Option<String>,
    /// After this it is not sent any more: what it was decided upon may have changed.
    pub(super) until: Option<DateTime<Utc>>,
}

impl Ask {
    pub(super) fn get(endpoint: Endpoint, path: impl Into<String>) -> Self {
        Self { endpoint, path: path.into(), query: Vec::new(), body: None, until: None }
    }

    pub(super) fn put(endpoint: Endpoint, path: impl Into<String>, body: String) -> Self {
        Self { endpoint, path: path.into(), query: Vec::new(), body: Some(body), until: None }
    }

    pub(super) fn with(mut self, query: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        self.query.extend(query);
        self
    }

    pub(super) fn until(mut self, at: DateTime<Utc>) -> Self {
        self.until = Some(at);
        self
    }
}

/// Sends with the store's token.
#[derive(Debug)]
pub(super) struct Api {
    http: AccountHttp,
    config: Config,
    store_id: String,
    token: Secret,
    client_secret: Option<Secret>,
    store: tokio::sync::OnceCell<Store>,
    /// When the profile last accepted the token.
    proven: Mutex<Option<DateTime<Utc>>>,
    pub(super) raises: Raises,
}

impl Api {
    pub(super) fn new(http: AccountHttp, config: Config, credentials: &Credentials) -> Result<Self> {
        let store_id = store_id(credentials)?;
        let token = token(credentials)?;
        let client_secret = credentials.get(CLIENT_SECRET).map(|secret| Secret::new(secret.expose().trim()));
        config.base_url.join(&root(&store_id))?;
        Ok(Self {
            http,
            config,
            store_id,
            token,
            client_secret,
            store: tokio::sync::OnceCell::new(),
            proven: Mutex::new(None),
            raises: Raises::default(),
        })
    }

    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.http.now()
    }

    pub(super) fn store_id(&self) -> &str {
        &self.store_id
    }

    pub(super) fn client_secret(&self) -> Option<&Secret> {
        self.client_secret.as_ref()
    }

    /// The store's currency and zone: configured, else asked for once. A currency is never guessed.
    ///
    /// # Errors
    /// Any kind; `MalformedResponse` when the store's currency can't be read.
    pub(super) async fn store(&self, cx: &Context, operation: Operation) -> Result<Store> {
        if let (Some(currency), Some(zone)) = (self.config.currency, self.config.zone) {
            return Ok(Store { currency, zone: Some(zone) });
        }
        let found = self.store.get_or_try_init(async || {
            let answer = self.read(cx, operation, &profile_ask()).await?;
            store_of(&body_text(&answer.body), &self.store_id, &self.config)
        });
        found.await.copied()
    }

    /// A call that changes nothing.
    pub(super) async fn read(&self, cx: &Context, operation: Operation, ask: &Ask) -> Result<Response> {
        self.call(cx, operation, Nature::Read, ask).await
    }

    /// A call. An empty 403 is a wrong token or a missing scope: the profile tells which.
    pub(super) async fn call(
        &self,
        cx: &Context,
        operation: Operation,
        nature: Nature,
        ask: &Ask,
    ) -> Result<Response> {
        let error = match self.send(cx, operation, nature, ask).await {
            Err(error) if error.code() == Some(EMPTY_403) && ask.endpoint != Endpoint::Profile => error,
            other => return other,
        };
        if !self.is_token_good(cx, operation).await {
            return Err(error);
        }
        Err(Error::new(ErrorKind::Forbidden).with_code(NO_SCOPE).with_message(missing(ask.endpoint)))
    }

    /// Whether the profile accepts the token; a scope that it lacks is named only to a token that is known.
    async fn is_token_good(&self, cx: &Context, operation: Operation) -> bool {
        let now = self.now();
        let proven = *self.proven.lock().unwrap_or_else(PoisonError::into_inner);
        if proven.is_some_and(|at| now - at < PROVEN) {
            return true;
        }
        let good = match self.send(cx, operation, Nature::Read, &profile_ask()).await {
            Ok(_) => true,
            Err(error) => error.code() == Some(NO_SCOPE),
        };
        if good {
            *self.proven.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
        }
        good
    }

    async fn send(&self, cx: &Context, operation: Operation, nature: Nature, ask: &Ask) -> Result<Response> {
        let judged = |response: &Response| {
            let verdict = judge(ask.endpoint, response);
            // The first 429 parks the account: who goes on is shut out for longer (sheet, rate limits).
            if let Err(error) = &verdict
                && error.kind() == ErrorKind::RateLimited
                && let Some(delay) = error.retry_after()
            {
                self.http.hold(delay);
            }
            verdict
        };
        // Asked before each attempt: a wait for the limits, or for the end of a 429, can be long.
        let build = |now| match ask.until {
            Some(until) if now > until => Err(Error::new(ErrorKind::Unavailable)
                .with_message("it was looked at too long ago: nothing was sent, the next cycle looks again")),
            _ => request(&self.config.base_url, &self.store_id, &self.token, ask),
        };
        self.http.send(cx, Call { operation, nature, build: &build, judge: &judged }).await
    }
}

fn root(store_id: &str) -> String {
    format!("/api/v3/{store_id}")
}

/// The request of a call. The token goes into the header, never into the address: addresses are logged.
pub(super) fn request(base: &BaseUrl, store_id: &str, token: &Secret, ask: &Ask) -> Result<Request> {
    let mut url: Url = base.join(&format!("{}{}", root(store_id), ask.path))?;
    if !ask.query.is_empty() {
        url.query_pairs_mut().extend_pairs(ask.query.iter().map(|(name, value)| (*name, value.as_str())));
    }
    let request = match &ask.body {
        Some(body) => {
            Request::new(Method::PUT, url, body.clone()).header("content-type", "application/json")?
        }
        None => Request::get(url),
    };
    request
        .header("accept", "application/json")?
        .secret_header("authorization", &Secret::new(format!("Bearer {}", token.expose())))
}

/// The store's number.
///
/// # Errors
/// `InvalidInput` when it is missing or no number: the shop's address is not meant.
pub(super) fn store_id(credentials: &Credentials) -> Result<String> {
    let part = credentials.part(STORE_ID)?;
    let id = part.expose();
    if !super::wire::is_number(id) {
        return Err(Error::invalid("store_id must be the store's number, digits only"));
    }
    Ok(id.to_owned())
}

/// The token, without the white space that copying brings along.
fn token(credentials: &Credentials) -> Result<Secret> {
    let token = credentials.part(ACCESS_TOKEN)?;
    if token.expose().starts_with("public_") {
        return Err(Error::invalid("access_token is the app's public token: give the secret one"));
    }
    Ok(token)
}
