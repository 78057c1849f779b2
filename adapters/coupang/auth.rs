//! The key: signing each request, sending, replacing it (sheet 2, 3).

use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::channel::{Context, CredentialPart, Credentials, Operation, Secret};
use crate::error::{Error, Result};
use crate::http::{AccountHttp, Call, Method, Nature, Request, Response};

use super::Config;
use super::errors::{Function, judge};

/// The name of the part that holds the access key.
pub const ACCESS_KEY: &str = "access_key";
/// The name of the part that holds the secret key.
pub const SECRET_KEY: &str = "secret_key";
/// The name of the part that holds the vendor's code.
pub const VENDOR_ID: &str = "vendor_id";
/// The name of the part that holds the login id at Wing.
pub const WING_USER_ID: &str = "wing_user_id";

/// The parts of the credentials. Both keys are issued together and end together (KE-3).
pub(super) const PARTS: &[CredentialPart] = &[
    CredentialPart::renewed(
        ACCESS_KEY,
        "the access key, issued in Wing under seller information, OPEN API key; it ends 180 days later",
    )
    .with_expiry()
    .like("11112222-3333-4444-5555-666677778888"),
    CredentialPart::renewed(SECRET_KEY, "the secret key, shown in Wing beside the access key")
        .with_expiry()
        .like("abcdef0123456789abcdef0123456789abcdef01"),
    CredentialPart::lasting(VENDOR_ID, "the vendor's code, shown in Wing beside the keys").like("A00012345"),
    CredentialPart::lasting(
        WING_USER_ID,
        "the login id at Wing; needed only for cancelling orders as seller, otherwise leave it empty",
    ),
];

/// So many calls are on their way at once: Coupang asks not to use many threads (sheet 7).
pub(super) const PARALLEL: usize = 2;
/// The gateway's own wait in milliseconds, in place of 3 s (sheet 2).
const GATEWAY_WAIT: &str = "90000";
/// How long nothing is sent after the channel warned that its limit is near (sheet 7).
const WARNED: Duration = Duration::from_secs(2);

/// A call with what it is told.
#[derive(Clone)]
pub(super) struct Ask {
    pub(super) function: Function,
    pub(super) method: Method,
    /// Below the host.
    pub(super) path: String,
    /// As it is sent, encoded.
    pub(super) query: String,
    /// JSON.
    pub(super) body: Option<String>,
}

impl Ask {
    /// A read.
    pub(super) fn get(function: Function, path: String, query: &[(&str, &str)]) -> Self {
        let query: Vec<String> =
            query.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        Self { function, method: Method::GET, path, query: query.join("&"), body: None }
    }

    /// A write.
    pub(super) fn put(function: Function, path: String) -> Self {
        Self { function, method: Method::PUT, path, query: String::new(), body: None }
    }

    /// A write that is posted.
    pub(super) fn post(function: Function, path: String) -> Self {
        Self { method: Method::POST, ..Self::put(function, path) }
    }

    /// With a JSON body.
    ///
    /// # Errors
    /// `InvalidInput` when it can't be written.
    pub(super) fn json<T: serde::Serialize>(mut self, body: &T) -> Result<Self> {
        let body = serde_json::to_string(body)
            .map_err(|_| Error::invalid("the request can't be written as JSON"))?;
        self.body = Some(body);
        Ok(self)
    }
}

/// Percent encoding that leaves the colon alone, as in the channel's own examples: the plus sign must be `%2B`.
pub(super) fn encoded(text: &str) -> String {
    use std::fmt::Write;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b':' => {
                out.push(char::from(byte))
            }
            // Writing to a text does not fail.
            _ => _ = write!(out, "%{byte:02X}"),
        }
    }
    out
}

/// The parts as they are used.
#[derive(Clone)]
pub(super) struct Keys {
    access: Secret,
    secret: Secret,
    pub(super) vendor: String,
    pub(super) user: Option<String>,
}

impl Keys {
    /// The parts, without the white space that copying brings along.
    ///
    /// # Errors
    /// `InvalidInput` when one is missing, or the vendor's code can't be one: a wrong one leads to a block.
    pub(super) fn of(credentials: &Credentials) -> Result<Self> {
        let vendor = credentials.part(VENDOR_ID)?.expose().to_owned();
        if !vendor.bytes().all(|c| c.is_ascii_alphanumeric()) {
            return Err(Error::invalid("vendor_id must be letters and digits, like A00012345"));
        }
        Ok(Self {
            access: credentials.part(ACCESS_KEY)?,
            secret: credentials.part(SECRET_KEY)?,
            vendor,
            user: credentials.part(WING_USER_ID).ok().map(|user| user.expose().to_owned()),
        })
    }

    /// The header's value (sheet 2). `path` and `query` are as they are sent.
    pub(super) fn authorization(&self, at: DateTime<Utc>, method: &str, path: &str, query: &str) -> Secret {
        let date = at.format("%y%m%dT%H%M%SZ").to_string();
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(self.secret.expose().as_bytes())
            // HMAC takes a key of any length; a signature with none would be refused.
            .unwrap_or_else(|_| <Hmac<Sha256> as KeyInit>::new(&Default::default()));
        for part in [&date, method, path, query] {
            mac.update(part.as_bytes());
        }
        let signature: String =
            mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        Secret::new(format!(
            "CEA algorithm=HmacSHA256, access-key={}, signed-date={date}, signature={signature}",
            self.access.expose()
        ))
    }
}

/// Sends with the vendor's key.
#[derive(Debug)]
pub(super) struct Api {
    http: AccountHttp,
    config: Config,
    credentials: RwLock<Credentials>,
}

impl Api {
    pub(super) fn new(http: AccountHttp, config: Config, credentials: &Credentials) -> Result<Self> {
        Keys::of(credentials)?;
        config.base_url.join("v2")?;
        Ok(Self { http, config, credentials: RwLock::new(credentials.clone()) })
    }

    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.http.now()
    }

    /// Today at the channel.
    pub(super) fn today(&self) -> NaiveDate {
        self.now().with_timezone(&self.config.zone()).date_naive()
    }

    pub(super) fn credentials(&self) -> Credentials {
        self.credentials.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn use_credentials(&self, credentials: &Credentials) {
        *self.credentials.write().unwrap_or_else(PoisonError::into_inner) = credentials.clone();
    }

    /// The parts in use.
    ///
    /// # Errors
    /// `InvalidInput` when one is missing.
    pub(super) fn keys(&self) -> Result<Keys> {
        Keys::of(&self.credentials())
    }

    /// Calls what changes nothing.
    pub(super) async fn read(&self, cx: &Context, operation: Operation, ask: &Ask) -> Result<Response> {
        self.send(cx, operation, Nature::Read, ask, &self.credentials()).await
    }

    /// Calls what changes something.
    pub(super) async fn write(
        &self,
        cx: &Context,
        operation: Operation,
        nature: Nature,
        ask: &Ask,
    ) -> Result<Response> {
        self.send(cx, operation, nature, ask, &self.credentials()).await
    }

    /// Calls with these credentials.
    pub(super) async fn send(
        &self,
        cx: &Context,
        operation: Operation,
        nature: Nature,
        ask: &Ask,
        credentials: &Credentials,
    ) -> Result<Response> {
        let keys = Keys::of(credentials)?;
        let build = |now| request(&self.config, ask, &keys, now);
        let judge = |response: &Response| judge(ask.function, response, credentials.expires_at);
        let response = self.http.send(cx, Call { operation, nature, build: &build, judge: &judge }).await?;
        if response.header("x-cag-warnings").is_some() {
            self.http.hold(WARNED);
        }
        Ok(response)
    }
}

/// A call's request, signed at this time.
pub(super) fn request(config: &Config, ask: &Ask, keys: &Keys, now: DateTime<Utc>) -> Result<Request> {
    let mut url = config.base_url.join(&ask.path)?;
    if !ask.query.is_empty() {
        url.set_query(Some(&ask.query));
    }
    // What is signed is what is sent, byte for byte.
    let authorization =
        keys.authorization(now, ask.method.as_str(), url.path(), url.query().unwrap_or_default());
    Request::new(ask.method.clone(), url, ask.body.clone().unwrap_or_default())
        .header("content-type", "application/json;charset=UTF-8")?
        .header("x-requested-by", &keys.vendor)?
        .header("x-market", config.market.code())?
        .header("x-extended-timeout", GATEWAY_WAIT)?
        .secret_header("authorization", &authorization)
        .map(|request| request.keeping(&keys.access).keeping(&keys.secret))
}
