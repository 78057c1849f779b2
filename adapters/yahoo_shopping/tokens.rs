//! The token endpoint ("Authorization"). A refresh gives a new access token and leaves the refresh token as it is; it
//! does not extend its four weeks.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use serde::Deserialize;

use crate::channel::{Context, Credentials, Operation, Secret};
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::http::{AccountHttp, Call, Nature, Request, Response, Url, classify_status, expect_json};
use crate::lenient::{Text, body_text, object};

use super::Config;
use super::auth::{CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN};

/// The part in which the library keeps the access token. It is no part that a person enters.
pub(super) const ACCESS_TOKEN: &str = "access_token";
/// The part in which the library keeps when the access token ends (RFC 3339).
pub(super) const ACCESS_TOKEN_ENDS: &str = "access_token_ends";

/// What tokens are asked for with.
#[derive(Clone, Copy)]
pub(super) enum Grant<'a> {
    Refresh(&'a Secret),
    Code { code: &'a Secret, redirect_uri: &'a str },
}

/// The call that gets tokens.
///
/// # Errors
/// `InvalidInput` when a part is missing.
pub(super) fn token_request(url: &Url, credentials: &Credentials, grant: Grant<'_>) -> Result<Request> {
    let (id, secret) = (credentials.part(CLIENT_ID)?, credentials.part(CLIENT_SECRET)?);
    let basic =
        Secret::new(format!("Basic {}", STANDARD.encode(format!("{}:{}", id.expose(), secret.expose()))));
    let (fields, held) = match grant {
        Grant::Refresh(token) => {
            (vec![("grant_type", "refresh_token"), ("refresh_token", token.expose())], token)
        }
        Grant::Code { code, redirect_uri } => (
            vec![
                ("grant_type", "authorization_code"),
                ("code", code.expose()),
                ("redirect_uri", redirect_uri),
            ],
            code,
        ),
    };
    let request = Request::post_form(url.clone(), fields).header("accept", "application/json")?;
    Ok(request.secret_header("authorization", &basic)?.keeping(&secret).keeping(held))
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Answer<'a> {
    #[serde(borrow)]
    access_token: Text<'a>,
    #[serde(borrow)]
    refresh_token: Text<'a>,
    #[serde(borrow)]
    expires_in: Text<'a>,
    #[serde(borrow)]
    error: Text<'a>,
    #[serde(borrow)]
    error_description: Text<'a>,
}

/// Says what is wrong with an answer of the token endpoint.
///
/// # Errors
/// `CredentialExpired` for `invalid_grant`: a person must agree again; `Unauthorized` for `invalid_client`; what the
/// status stands for otherwise.
pub(super) fn judge_token(response: &Response) -> Result<()> {
    let body = body_text(&response.body);
    let answer = object::<Answer<'_>>("the answer", &body).unwrap_or_default();
    let code = answer.error.filled().unwrap_or_default();
    let known = match (code, response.status) {
        (_, 429 | 500..) => None,
        ("invalid_grant", _) => Some((
            ErrorKind::CredentialExpired,
            "the four weeks since the consent are over, or it was withdrawn: let a person agree again",
        )),
        ("invalid_client" | "unauthorized_client", _) => {
            Some((ErrorKind::Unauthorized, "client_id or client_secret is wrong"))
        }
        // Another code of its own says nothing about the consent.
        (code, 400) if !code.is_empty() => {
            Some((ErrorKind::Configuration, "the token endpoint refuses the request"))
        }
        _ => None,
    };
    if let Some((kind, meaning)) = known {
        let said = answer.error_description.filled().map(|said| format!(" ({said})")).unwrap_or_default();
        return Err(Error::new(kind).with_code(code).with_message(format!("{meaning}{said}")));
    }
    match classify_status(response) {
        // Something in front of the endpoint: never "no such thing".
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(Error::new(ErrorKind::Configuration)
                .with_code(format_args!("HTTP {}", response.status))
                .with_message("no token endpoint is at this address: check the host of the configuration"));
        }
        Err(error) if error.kind() == ErrorKind::Refused => {
            return Err(Error::new(ErrorKind::Unavailable)
                .with_code(format_args!("HTTP {}", response.status))
                .with_message("the token endpoint could not answer")
                .with_retry(Retry::Later));
        }
        other => other?,
    }
    expect_json(response)?;
    let answer = object::<Answer<'_>>("the answer of the token endpoint", &body)?;
    answer.access_token.filled().map(drop).ok_or_else(no_token)
}

fn no_token() -> Error {
    Error::malformed("the answer of the token endpoint holds no access token")
}

/// The credentials with the tokens of an answer.
///
/// # Errors
/// `MalformedResponse` when it holds no access token.
pub(super) fn new_tokens(response: &Response, old: &Credentials) -> Result<Credentials> {
    let body = body_text(&response.body);
    let answer: Answer<'_> = object("the answer of the token endpoint", &body)?;
    let mut fresh = old.clone().with(ACCESS_TOKEN, answer.access_token.filled().ok_or_else(no_token)?);
    fresh.parts.remove(ACCESS_TOKEN_ENDS);
    let seconds = answer.expires_in.integer().and_then(TimeDelta::try_seconds);
    if let Some(ends) = seconds.and_then(|life| response.sent_at.checked_add_signed(life)) {
        fresh = fresh.with(ACCESS_TOKEN_ENDS, ends.to_rfc3339());
    }
    // A refresh brings none: the old one stays. Should one come, it counts.
    if let Some(refresh) = answer.refresh_token.filled() {
        fresh = fresh.with(REFRESH_TOKEN, refresh);
    }
    Ok(fresh)
}

/// Gets tokens.
///
/// # Errors
/// Any kind.
pub(super) async fn token_call(
    http: &AccountHttp,
    config: &Config,
    cx: &Context,
    credentials: &Credentials,
    grant: Grant<'_>,
) -> Result<Credentials> {
    let url = config.token_url()?;
    let nature = match grant {
        // The refresh token stays as it is: a second refresh gives another access token, and no more.
        Grant::Refresh(_) => Nature::Read,
        // A code is good once.
        Grant::Code { .. } => Nature::UnsafeWrite,
    };
    let build = |_| token_request(&url, credentials, grant);
    let call = Call { operation: Operation::RenewCredentials, nature, build: &build, judge: &judge_token };
    new_tokens(&http.send(cx, call).await?, credentials)
}
