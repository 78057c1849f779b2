//! Sending documents: the token, the pace that the answers ask for, the size of pages, the version that answers.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::channel::{Context, CredentialVault, Credentials, Operation, Secret};
use crate::error::{Error, ErrorKind, Result};
use crate::http::{AccountHttp, BaseUrl, Call, Nature, Request, Response, Url};
use crate::lenient::body_text;
use crate::model::AccountId;

use super::auth::{ACCESS_TOKEN, Auth, Kind, shop};
use super::documents::Document;
use super::errors::{is_too_costly, judge};
use super::stock::Pushes;
use super::wire::Answer;
use super::{API_VERSION, Config};

/// So many calls are on their way at once: enough to use the points, too few to queue behind them.
pub(super) const PARALLEL: usize = 4;

/// What is sent (sheet 3).
#[derive(Serialize)]
struct Body<'a, V> {
    query: &'a str,
    variables: V,
    #[serde(rename = "operationName")]
    operation_name: &'a str,
}

/// How often a page was halved because the channel found the query too large. It is remembered: what was too large
/// once would be so each time.
#[derive(Debug)]
pub(super) struct Dial {
    halvings: AtomicU32,
    most: u32,
}

impl Dial {
    const fn new(most: u32) -> Self {
        Self { halvings: AtomicU32::new(0), most }
    }

    pub(super) fn halvings(&self) -> u32 {
        self.halvings.load(Ordering::Relaxed)
    }

    /// Halves once more, unless another call did since `seen`. `false`: it is as small as it gets.
    fn halve(&self, seen: u32) -> bool {
        if seen >= self.most {
            return false;
        }
        let _ = self.halvings.compare_exchange(seen, seen + 1, Ordering::Relaxed, Ordering::Relaxed);
        true
    }
}

/// Sends with the account's token.
#[derive(Debug)]
pub(super) struct Api {
    http: AccountHttp,
    config: Config,
    shop: String,
    url: Url,
    auth: Auth,
    /// Pages of orders.
    pub(super) lists: Dial,
    /// Single orders and what belongs to them.
    pub(super) singles: Dial,
    /// Pages of listings.
    pub(super) variants: Dial,
    /// What is remembered between pushes of stock.
    pub(super) pushes: Pushes,
    /// The version that answered last, where it is another than the one asked for.
    other_version: Mutex<Option<String>>,
}

impl Api {
    pub(super) fn new(
        http: AccountHttp,
        account: AccountId,
        config: Config,
        credentials: &Credentials,
        vault: Option<Arc<dyn CredentialVault>>,
    ) -> Result<Self> {
        let shop = shop(credentials)?;
        let base: BaseUrl = match &config.base_url {
            Some(base) => base.clone(),
            None => format!("https://{shop}").parse()?,
        };
        let url = base.join(&format!("admin/api/{API_VERSION}/graphql.json"))?;
        let token_url = base.join("admin/oauth/access_token")?;
        let auth = Auth::new(http.clone(), account, token_url, credentials, vault)?;
        Ok(Self {
            http,
            config,
            shop,
            url,
            auth,
            lists: Dial::new(8),
            singles: Dial::new(6),
            variants: Dial::new(6),
            pushes: Pushes::default(),
            other_version: Mutex::new(None),
        })
    }

    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    pub(super) fn shop(&self) -> &str {
        &self.shop
    }

    pub(super) fn auth(&self) -> &Auth {
        &self.auth
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.http.now()
    }

    pub(super) fn other_version(&self) -> Option<String> {
        self.other_version.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Calls a document. A token that is refused is renewed once, where it can be.
    ///
    /// # Errors
    /// Any kind.
    pub(super) async fn call(
        &self,
        cx: &Context,
        operation: Operation,
        nature: Nature,
        document: &Document,
        variables: impl Serialize,
    ) -> Result<Response> {
        let body = body(document, variables)?;
        let seen = self.auth.ready(cx).await?;
        match self.send(cx, operation, nature, document, &body, &seen).await {
            // Refused credentials did nothing, so that even a change that is not repeatable goes again.
            Err(error) if error.kind() == ErrorKind::Unauthorized && Kind::of(&seen)? != Kind::Permanent => {
                let fresh = self.auth.renew(cx, &seen).await?;
                self.send(cx, operation, nature, document, &body, &fresh).await
            }
            answer => answer,
        }
    }

    /// Calls a document with these credentials, whatever the account's are.
    ///
    /// # Errors
    /// Any kind.
    pub(super) async fn call_with(
        &self,
        cx: &Context,
        operation: Operation,
        document: &Document,
        credentials: &Credentials,
    ) -> Result<Response> {
        let body = body(document, serde_json::Map::new())?;
        self.send(cx, operation, Nature::Read, document, &body, credentials).await
    }

    /// Reads by a document whose size can be turned down. `variables` are made for a number of halvings, which is
    /// answered too.
    ///
    /// # Errors
    /// Any kind; `InvalidInput` where the smallest page is still too large.
    pub(super) async fn sized<V: Serialize>(
        &self,
        cx: &Context,
        operation: Operation,
        document: &Document,
        dial: &Dial,
        variables: impl Fn(u32) -> V,
    ) -> Result<(Response, u32)> {
        loop {
            let halvings = dial.halvings();
            match self.call(cx, operation, Nature::Read, document, variables(halvings)).await {
                Err(error) if is_too_costly(&error) && dial.halve(halvings) => {
                    tracing::debug!(document = document.name, "the page is halved: the query was too large");
                }
                answer => return Ok((answer?, halvings)),
            }
        }
    }

    async fn send(
        &self,
        cx: &Context,
        operation: Operation,
        nature: Nature,
        document: &Document,
        body: &[u8],
        credentials: &Credentials,
    ) -> Result<Response> {
        let token = credentials.part(ACCESS_TOKEN)?;
        let call = Call {
            operation,
            nature,
            build: &|_| request(&self.url, body, &token),
            judge: &|response| {
                self.watch(response);
                judge(document, response)
            },
        };
        self.http.send(cx, call).await
    }

    /// What every answer tells, errors too: how many points are left, and which version answered.
    fn watch(&self, response: &Response) {
        if let Ok(answer) = Answer::read(&body_text(&response.body))
            && let Some(cost) = answer.cost
        {
            // The next call will cost about the same: it waits here rather than be turned away.
            self.http.hold(cost.wait());
        }
        let Some(version) = response.header("x-shopify-api-version") else { return };
        let other = (version != API_VERSION).then(|| version.to_owned());
        let mut known = self.other_version.lock().unwrap_or_else(PoisonError::into_inner);
        if other != *known {
            if let Some(other) = &other {
                tracing::warn!(
                    asked = API_VERSION,
                    answered = other,
                    "another version of the API answers: update the library"
                );
            }
            *known = other;
        }
    }
}

fn body(document: &Document, variables: impl Serialize) -> Result<Vec<u8>> {
    let body = Body { query: document.text, variables, operation_name: document.name };
    serde_json::to_vec(&body).map_err(|_| Error::invalid("the query's variables can't be written as JSON"))
}

/// The request for a document (sheet 3). The token goes into a header, never into the address: addresses are logged.
pub(super) fn request(url: &Url, body: &[u8], token: &Secret) -> Result<Request> {
    Request::post_json(url.clone(), body.to_vec())
        .header("accept", "application/json")?
        .secret_header("x-shopify-access-token", token)
}
