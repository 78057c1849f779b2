//! The certification key: sending with it, replacing it, making one.

use std::sync::{PoisonError, RwLock};

use crate::channel::{Context, CredentialPart, Credentials, Operation, Secret};
use crate::error::{Error, Result};
use crate::http::{AccountHttp, Call, HttpClient, Nature, Request, Response, Url};
use crate::model::AccountId;
use chrono::{DateTime, Utc};

use super::Config;
use super::errors::{Method, judge};
use super::wire::{Envelope, row, scalar, text, unreadable};

/// The name of the one part of the credentials.
pub const CERTIFICATION_KEY: &str = "certification_key";

/// The parts of the credentials.
pub(super) const PARTS: &[CredentialPart] = &[CredentialPart::renewed(
    CERTIFICATION_KEY,
    "the certification key (seller authorization key), issued in the seller back office J-QSM under API management",
)];

/// So many calls are on their way at once: enough to use up the rate limit, too few to queue behind it.
pub(super) const PARALLEL: usize = 4;

/// Form fields.
pub(super) type Form = Vec<(&'static str, String)>;

/// Sends with the account's key.
#[derive(Debug)]
pub(super) struct Api {
    http: AccountHttp,
    base: String,
    config: Config,
    credentials: RwLock<Credentials>,
}

impl Api {
    pub(super) fn new(http: AccountHttp, config: Config, credentials: &Credentials) -> Result<Self> {
        key_of(credentials)?;
        let base = config.path.trim_matches('/').to_owned();
        config.base_url.join(&base)?;
        Ok(Self { http, base, config, credentials: RwLock::new(credentials.clone()) })
    }

    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    pub(super) fn credentials(&self) -> Credentials {
        self.credentials.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn use_credentials(&self, credentials: &Credentials) {
        *self.credentials.write().unwrap_or_else(PoisonError::into_inner) = credentials.clone();
    }

    /// Calls a method with the account's key.
    pub(super) async fn call(
        &self,
        cx: &Context,
        operation: Operation,
        nature: Nature,
        method: Method,
        form: Form,
    ) -> Result<Response> {
        let key = key_of(&self.credentials())?;
        self.call_with(cx, operation, nature, method, &key, &|_| form.clone()).await
    }

    /// Calls a method with this key. `form` is told the time of the attempt.
    pub(super) async fn call_with(
        &self,
        cx: &Context,
        operation: Operation,
        nature: Nature,
        method: Method,
        key: &Secret,
        form: &(dyn Fn(DateTime<Utc>) -> Form + Send + Sync),
    ) -> Result<Response> {
        let url = self.config.base_url.join(&format!("{}/{}", self.base, method.name()))?;
        self.http
            .send(
                cx,
                Call {
                    operation,
                    nature,
                    build: &|now| request(&url, method, key, &form(now)),
                    judge: &|response| judge(method, response),
                },
            )
            .await
    }
}

/// A method's request (sheet 3). The key goes into the header, never into the address: addresses are logged.
pub(super) fn request(url: &Url, method: Method, key: &Secret, form: &Form) -> Result<Request> {
    let fields = std::iter::once(("returnType", "application/json"))
        .chain(form.iter().map(|(name, value)| (*name, value.as_str())));
    Request::post_form(url.clone(), fields)
        .header("accept", "application/json")?
        .header("qapiversion", method.version())?
        .secret_header("giosiscertificationkey", key)
}

/// The key, without the white space that copying brings along.
pub(super) fn key_of(credentials: &Credentials) -> Result<Secret> {
    credentials.part(CERTIFICATION_KEY)
}

row! {
    /// The form in which one client expects a new key (sheet 2).
    KeyRow { key: "certificationkey" }
}

/// Reads a new key: a text, or an object that holds it.
pub(super) fn new_key(body: &[u8]) -> Result<Secret> {
    let body = text(body);
    let envelope = Envelope::read(&body)?;
    let object = envelope.object.ok_or_else(|| Error::malformed("the answer holds no certification key"))?;
    let key = if object.get().starts_with('{') {
        let row: KeyRow<'_> = serde_json::from_str(object.get()).map_err(|e| unreadable("the key", &e))?;
        Secret::new(row.key.trim())
    } else {
        Secret::new(scalar(object).trim())
    };
    if key.is_blank() {
        return Err(Error::malformed("the answer holds no certification key"));
    }
    Ok(key)
}

/// Makes a certification key out of an API key, the seller's user id and password (sheet 2). The password is needed
/// for nothing else: don't keep it.
///
/// The answer that is lost may have made a key: the call is not repeated by itself.
///
/// # Errors
/// `Unauthorized` when api key, user id or password are not accepted; any kind.
///
/// ```no_run
/// use sales_channels::adapters::qoo10::{CERTIFICATION_KEY, Config, create_certification_key};
/// use sales_channels::channel::{Context, Credentials};
/// use sales_channels::http::{HttpClient, HttpSettings};
///
/// # async fn make() -> sales_channels::Result<()> {
/// let client = HttpClient::new(HttpSettings::default())?;
/// let key = create_certification_key(
///     &client,
///     &Context::new(),
///     &Config::japan()?,
///     "shop-1",
///     &"api key".into(),
///     "user id",
///     &"password".into(),
/// )
/// .await?;
/// let credentials = Credentials::new().with(CERTIFICATION_KEY, key);
/// # Ok(())
/// # }
/// ```
pub async fn create_certification_key(
    client: &HttpClient,
    cx: &Context,
    config: &Config,
    account: impl Into<AccountId>,
    api_key: &Secret,
    user_id: &str,
    password: &Secret,
) -> Result<Secret> {
    let http = client.account(&config.id, &account.into(), &config.limits());
    let api_key = Secret::new(api_key.expose().trim());
    if api_key.is_blank() || user_id.trim().is_empty() || password.is_blank() {
        return Err(Error::invalid(
            "api key, user id and password are all needed to make a certification key",
        ));
    }
    let url =
        config.base_url.join(&format!("{}/{}", config.path.trim_matches('/'), Method::CreateKey.name()))?;
    let response = http
        .send(
            cx,
            Call {
                operation: Operation::RenewCredentials,
                nature: Nature::UnsafeWrite,
                build: &|_| {
                    let form = vec![("user_id", user_id.to_owned()), ("pwd", password.expose().to_owned())];
                    let request = request(&url, Method::CreateKey, &api_key, &form)?;
                    Ok(request.keeping(password).keeping(&Secret::new(user_id)))
                },
                judge: &|response| judge(Method::CreateKey, response),
            },
        )
        .await?;
    new_key(&response.body)
}
