//! Sending with the account's credentials, and renewing them (sheet 2).

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use crate::channel::{Context, Credentials, Operation, RotatingCredentials, Secret};
use crate::error::{Error, ErrorKind, Result};
use crate::http::{AccountHttp, Call, Nature, Response};

use super::Config;
use super::auth::{ACCESS_TOKEN, Ask, check, new_tokens, refresh_body, request, token_ends};
use super::errors::{Endpoint, is_token_refused, judge};

/// A token is renewed so long before its end: no call that is under way outlives it.
const EARLY: TimeDelta = TimeDelta::minutes(15);

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
        check(&credentials)?;
        config.base_url.join("api")?;
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
            Err(error) if is_token_refused(&error) => {
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
        send(&self.http, &self.config, cx, operation, nature, ask, credentials).await
    }

    /// The credentials to use now.
    async fn ready(&self, cx: &Context) -> Result<Arc<Credentials>> {
        self.tokens.ready(self.now(), token_ends, EARLY, async |old| self.refresh(cx, old).await).await
    }

    async fn renew(&self, cx: &Context, seen: &Arc<Credentials>) -> Result<Arc<Credentials>> {
        self.tokens.renew(seen, async |old| self.refresh(cx, old).await).await
    }

    async fn refresh(&self, cx: &Context, old: &Credentials) -> Result<Credentials> {
        let (body, refresh) = refresh_body(old)?;
        let ask = Ask::post(Endpoint::Refresh, body).public();
        let answer = token_call(&self.http, &self.config, cx, &ask, old, &refresh).await?;
        new_tokens(&answer.body, old, answer.sent_at)
    }
}

/// Calls the API with these credentials.
///
/// # Errors
/// Any kind.
pub(super) async fn send(
    http: &AccountHttp,
    config: &Config,
    cx: &Context,
    operation: Operation,
    nature: Nature,
    ask: &Ask,
    credentials: &Credentials,
) -> Result<Response> {
    let url = config.base_url.join(ask.endpoint.path())?;
    http.send(
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

/// Gets tokens. A code and a refresh token are good once: a second call could fail although the first was done, so it is
/// not repeated by itself.
///
/// # Errors
/// Any kind.
pub(super) async fn token_call(
    http: &AccountHttp,
    config: &Config,
    cx: &Context,
    ask: &Ask,
    credentials: &Credentials,
    spent: &Secret,
) -> Result<Response> {
    let url = config.base_url.join(ask.endpoint.path())?;
    http.send(
        cx,
        Call {
            operation: Operation::RenewCredentials,
            nature: Nature::UnsafeWrite,
            build: &|now| {
                let request = request(&url, ask, credentials, now)?.keeping(spent);
                // It is not sent, and the answer may show it all the same.
                Ok(credentials
                    .get(ACCESS_TOKEN)
                    .into_iter()
                    .fold(request, |request, old| request.keeping(old)))
            },
            judge: &|response| judge(ask.endpoint, response),
        },
    )
    .await
    // Whatever became of the token, nothing was done to the shop.
    .map_err(Error::without_effect)
}

fn still_refused(error: Error) -> Error {
    if !is_token_refused(&error) {
        return error;
    }
    Error::new(ErrorKind::Unauthorized).with_code(error.code().unwrap_or_default()).with_message(
        "the renewed access token is not accepted either: let the seller authorise the app again",
    )
}
