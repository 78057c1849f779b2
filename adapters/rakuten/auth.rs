//! The service secret and the licence key: sending with them, when they end, replacing them (sheet 2, 3).

use std::sync::{PoisonError, RwLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::channel::{Context, CredentialPart, Credentials, Operation, Secret};
use crate::error::{Error, Result};
use crate::http::{AccountHttp, Call, Method, Nature, Request, Response};
use crate::lenient::{Text, body_text, object};

use super::Config;
use super::errors::{Function, judge};
use super::wire::{DayEnd, time};

/// The name of the part that holds the service secret.
pub const SERVICE_SECRET: &str = "service_secret";
/// The name of the part that holds the licence key.
pub const LICENSE_KEY: &str = "license_key";

/// The parts of the credentials. RMS issues them together, with the date on which they end (KE-3).
pub(super) const PARTS: &[CredentialPart] = &[
    CredentialPart::renewed(
        SERVICE_SECRET,
        "the service secret of RMS WEB SERVICE, shown in RMS under WEB API, system linkage settings",
    )
    .with_expiry()
    .like("SP123456_example"),
    CredentialPart::renewed(
        LICENSE_KEY,
        "the licence key of RMS WEB SERVICE, issued on the same page, with the date on which it ends",
    )
    .with_expiry()
    .like("SL123456_example"),
];

/// So many calls are on their way at once: enough to use up the rate limit, too few to queue behind it.
pub(super) const PARALLEL: usize = 2;

/// A call's function with what it is told.
#[derive(Clone, PartialEq)]
pub(super) struct Ask {
    pub(super) function: Function,
    pub(super) query: Vec<(&'static str, String)>,
    /// JSON.
    pub(super) body: Option<String>,
}

impl Ask {
    /// With a JSON body.
    pub(super) fn json<T: serde::Serialize>(function: Function, body: &T) -> Result<Self> {
        let body = serde_json::to_string(body)
            .map_err(|_| Error::invalid("the request can't be written as JSON"))?;
        Ok(Self { function, query: Vec::new(), body: Some(body) })
    }

    /// Without a body.
    pub(super) fn query(function: Function, query: Vec<(&'static str, String)>) -> Self {
        Self { function, query, body: None }
    }
}

/// Sends with the shop's key.
#[derive(Debug)]
pub(super) struct Api {
    http: AccountHttp,
    config: Config,
    credentials: RwLock<Credentials>,
    /// When the key ends, by the channel's own word.
    end: RwLock<Option<DateTime<Utc>>>,
}

impl Api {
    pub(super) fn new(http: AccountHttp, config: Config, credentials: &Credentials) -> Result<Self> {
        authorization(credentials)?;
        config.base_url.join(Function::SearchOrder.path())?;
        Ok(Self { http, config, credentials: RwLock::new(credentials.clone()), end: RwLock::default() })
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.http.now()
    }

    pub(super) fn credentials(&self) -> Credentials {
        self.credentials.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn use_credentials(&self, credentials: &Credentials, end: Option<DateTime<Utc>>) {
        *self.credentials.write().unwrap_or_else(PoisonError::into_inner) = credentials.clone();
        self.set_end(end);
    }

    pub(super) fn set_end(&self, end: Option<DateTime<Utc>>) {
        *self.end.write().unwrap_or_else(PoisonError::into_inner) = end;
    }

    /// When the key ends: as the channel told, else as the merchant entered.
    pub(super) fn ends(&self) -> Option<DateTime<Utc>> {
        let told = *self.end.read().unwrap_or_else(PoisonError::into_inner);
        told.or_else(|| self.credentials().expires_at)
    }

    /// Calls a function that changes nothing.
    pub(super) async fn read(&self, cx: &Context, operation: Operation, ask: &Ask) -> Result<Response> {
        self.read_with(cx, operation, ask, &self.credentials()).await
    }

    /// Calls a function that changes nothing, with these credentials.
    pub(super) async fn read_with(
        &self,
        cx: &Context,
        operation: Operation,
        ask: &Ask,
        credentials: &Credentials,
    ) -> Result<Response> {
        self.send(cx, operation, Nature::Read, ask, credentials).await
    }

    /// Calls a function that changes something.
    pub(super) async fn write(
        &self,
        cx: &Context,
        operation: Operation,
        nature: Nature,
        ask: &Ask,
    ) -> Result<Response> {
        self.send(cx, operation, nature, ask, &self.credentials()).await
    }

    async fn send(
        &self,
        cx: &Context,
        operation: Operation,
        nature: Nature,
        ask: &Ask,
        credentials: &Credentials,
    ) -> Result<Response> {
        let header = authorization(credentials)?;
        // What is known of other credentials is their own date alone.
        let own = self.credentials().parts == credentials.parts;
        let ends = if own { self.ends() } else { credentials.expires_at };
        let (secret, key) = (credentials.part(SERVICE_SECRET)?, credentials.part(LICENSE_KEY)?);
        let build = |_| Ok(request(&self.config, ask, &header)?.keeping(&secret).keeping(&key));
        let judge = |response: &Response| judge(ask.function, response, ends);
        self.http.send(cx, Call { operation, nature, build: &build, judge: &judge }).await
    }

    /// When these credentials end. That the channel answers proves them.
    ///
    /// # Errors
    /// Any kind but `Refused`.
    pub(super) async fn read_expiry(
        &self,
        cx: &Context,
        operation: Operation,
        credentials: &Credentials,
    ) -> Result<DateTime<Utc>> {
        let ask = expiry_ask(credentials)?;
        let answer = self.read_with(cx, operation, &ask, credentials).await?;
        expiry_result(&answer.body)
    }
}

/// A function's request (sheet 3).
pub(super) fn request(config: &Config, ask: &Ask, authorization: &Secret) -> Result<Request> {
    let mut url = config.base_url.join(ask.function.path())?;
    if !ask.query.is_empty() {
        url.query_pairs_mut().extend_pairs(&ask.query);
    }
    let request = match &ask.body {
        Some(body) => Request::new(Method::POST, url, body.clone())
            .header("content-type", "application/json; charset=utf-8")?,
        None => Request::get(url),
    };
    request.header("accept", "application/json")?.secret_header("authorization", authorization)
}

/// The header's value: `ESA` and both parts in base64 (sheet 2).
///
/// # Errors
/// `InvalidInput` when a part is missing.
pub(super) fn authorization(credentials: &Credentials) -> Result<Secret> {
    let secret = credentials.part(SERVICE_SECRET)?;
    let key = credentials.part(LICENSE_KEY)?;
    let encoded = STANDARD.encode(format!("{}:{}", secret.expose(), key.expose()));
    Ok(Secret::new(format!("ESA {encoded}")))
}

/// Asks when the key ends. The channel takes the key in the address here, and nowhere else (sheet 2).
pub(super) fn expiry_ask(credentials: &Credentials) -> Result<Ask> {
    let key = credentials.part(LICENSE_KEY)?;
    Ok(Ask::query(Function::ExpiryDate, vec![("licenseKey", key.expose().to_owned())]))
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Expiry<'a> {
    #[serde(borrow)]
    expiry_date: Text<'a>,
}

/// The date in the answer, in Japan's time where it has no offset.
///
/// # Errors
/// `MalformedResponse` when there is none.
pub(super) fn expiry_result(body: &[u8]) -> Result<DateTime<Utc>> {
    let body = body_text(body);
    let expiry: Expiry<'_> = object("the expiry date", &body)?;
    // A day alone is good until its end.
    time(&expiry.expiry_date, DayEnd::Last)
        .ok_or_else(|| Error::malformed("the answer holds no expiry date that can be read"))
}
