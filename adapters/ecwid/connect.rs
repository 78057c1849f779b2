//! Connecting a store to a public app: the link, the code, the token (sheet, OAuth). An app of one store needs none of
//! this: its page shows the token.

use serde::Deserialize;

use crate::channel::{Context, Credentials, Operation, Secret};
use crate::error::{Error, ErrorKind, Result};
use crate::http::{Call, HttpClient, Nature, Request, Url};
use crate::lenient::{Text, body_text, object};
use crate::model::AccountId;

use super::Config;
use super::auth::{ACCESS_TOKEN, CLIENT_SECRET, STORE_ID};
use super::config::id;
use super::errors::{Endpoint, failure, judge};
use super::wire::is_number;

/// What the library needs.
const SCOPES: &str = "read_store_profile read_orders update_orders read_catalog update_catalog";

/// An app that is registered with Ecwid.
#[derive(Debug, Clone)]
pub struct App {
    /// Its id.
    pub client_id: String,
    /// Its secret key.
    pub client_secret: Secret,
    /// Where merchants come back to, as it is registered.
    pub redirect_uri: String,
}

impl App {
    fn check(&self) -> Result<()> {
        if self.client_id.trim().is_empty()
            || self.redirect_uri.trim().is_empty()
            || self.client_secret.is_blank()
        {
            return Err(Error::invalid("the app's id, its secret and its redirect address are all needed"));
        }
        Ok(())
    }
}

/// The address at which a merchant authorises the app. The merchant comes back with `code`, or with `error`.
///
/// # Errors
/// `InvalidInput` when a part of the app is blank.
///
/// ```
/// use sales_channels::adapters::ecwid::{App, Config, authorize_link};
///
/// let app = App {
///     client_id: "abcd".into(),
///     client_secret: "secret key".into(),
///     redirect_uri: "https://example.com/back".into(),
/// };
/// let link = authorize_link(&Config::new()?, &app)?;
/// assert!(link.as_str().starts_with("https://my.ecwid.com/api/oauth/authorize?client_id=abcd&redirect_uri="));
/// # Ok::<(), sales_channels::Error>(())
/// ```
pub fn authorize_link(config: &Config, app: &App) -> Result<Url> {
    app.check()?;
    let mut url = config.auth_url.join("/api/oauth/authorize")?;
    url.query_pairs_mut()
        .append_pair("client_id", app.client_id.trim())
        .append_pair("redirect_uri", app.redirect_uri.trim())
        .append_pair("response_type", "code")
        .append_pair("scope", SCOPES);
    Ok(url)
}

/// Exchanges the code of the redirect for the store's credentials. **Never exchange a code twice**: the second try
/// disables the token that the first one gave. A call whose answer is lost is not repeated: let the merchant authorise
/// again.
///
/// # Errors
/// `Unauthorized` when the code or the app's secret is not accepted; any kind.
pub async fn exchange_code(
    client: &HttpClient,
    cx: &Context,
    config: &Config,
    account: impl Into<AccountId>,
    app: &App,
    code: &Secret,
) -> Result<Credentials> {
    app.check()?;
    if code.is_blank() {
        return Err(Error::invalid("the code is blank"));
    }
    let http = client.account(&id(), &account.into(), &config.limits());
    let build = |_| token_request(config, app, code);
    let judged = |response: &_| judge(Endpoint::Token, response);
    let call = Call {
        operation: Operation::RenewCredentials,
        nature: Nature::UnsafeWrite,
        build: &build,
        judge: &judged,
    };
    let answer = http.send(cx, call).await?;
    credentials_of(&answer.body, app).map_err(Error::with_unknown_effect)
}

/// The channel wants the secret in the address here; errors never show it.
fn token_request(config: &Config, app: &App, code: &Secret) -> Result<Request> {
    let secret = Secret::new(app.client_secret.expose().trim());
    let code = Secret::new(code.expose().trim());
    let mut url = config.auth_url.join("/api/oauth/token")?;
    url.query_pairs_mut()
        .append_pair("client_id", app.client_id.trim())
        .append_pair("client_secret", secret.expose())
        .append_pair("code", code.expose())
        .append_pair("redirect_uri", app.redirect_uri.trim())
        .append_pair("grant_type", "authorization_code");
    Ok(Request::get(url).header("accept", "application/json")?.keeping(&secret).keeping(&code))
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct TokenRow<'a> {
    #[serde(borrow)]
    access_token: Text<'a>,
    #[serde(borrow)]
    store_id: Text<'a>,
    #[serde(borrow)]
    error: Text<'a>,
    #[serde(borrow, rename = "errorCode")]
    error_code: Text<'a>,
    #[serde(borrow, rename = "errorMessage")]
    error_message: Text<'a>,
}

/// The credentials in the answer, with the app's secret, which signs webhooks.
///
/// # Errors
/// `MalformedResponse` when it holds none; what it reports instead.
fn credentials_of(body: &[u8], app: &App) -> Result<Credentials> {
    let body = body_text(body);
    let row: TokenRow<'_> = object("the token's answer", &body)?;
    if let Some(code) = row.error.filled() {
        return Err(Error::new(ErrorKind::Unauthorized).with_code(code).with_message("no token was given"));
    }
    if let Some(error) = failure(Endpoint::Token, &row.error_code, &row.error_message) {
        return Err(error);
    }
    match (row.access_token.filled(), row.store_id.filled().filter(|id| is_number(id))) {
        (Some(token), Some(store)) => Ok(Credentials::new()
            .with(STORE_ID, store)
            .with(ACCESS_TOKEN, token)
            .with(CLIENT_SECRET, app.client_secret.expose().trim())),
        _ => Err(Error::malformed("the answer holds no token or no store")),
    }
}
