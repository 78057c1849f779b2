//! Connecting a store: the page on which a person agrees, and the code that comes back ("Authorization").

use chrono::TimeDelta;

use crate::channel::{Context, Credentials, Secret};
use crate::error::{Error, Result};
use crate::http::{HttpClient, Url};
use crate::model::AccountId;

use super::auth::REFRESH_TOKEN;
use super::tokens::{Grant, token_call};
use super::{CONSENT_DAYS, Config};

/// The address at which a person who manages the store agrees. `redirect_uri` must be registered for the Client ID.
/// `state` comes back with the code: make it unguessable, keep it, and compare.
///
/// # Errors
/// `InvalidInput` when one of them is empty.
///
/// ```
/// use sales_channels::adapters::yahoo_shopping::{Config, authorize_link};
///
/// let link = authorize_link(&Config::live()?, "dj00aiZpPQ", "https://client.example.org/cb", "a1b2c3")?;
/// assert_eq!(
///     link.as_str(),
///     "https://auth.login.yahoo.co.jp/yconnect/v2/authorization?response_type=code&client_id=dj00aiZpPQ\
///      &redirect_uri=https%3A%2F%2Fclient.example.org%2Fcb&scope=openid+profile&bail=1&state=a1b2c3"
/// );
/// # Ok::<(), sales_channels::Error>(())
/// ```
pub fn authorize_link(config: &Config, client_id: &str, redirect_uri: &str, state: &str) -> Result<Url> {
    if [client_id, redirect_uri, state].iter().any(|text| text.trim().is_empty()) {
        return Err(Error::invalid("client_id, redirect_uri and state are all needed"));
    }
    let mut url = config.auth_url.join("/yconnect/v2/authorization")?;
    url.query_pairs_mut()
        .append_pair("response_type", "code")
        .append_pair("client_id", client_id.trim())
        .append_pair("redirect_uri", redirect_uri.trim())
        .append_pair("scope", "openid profile")
        .append_pair("bail", "1")
        .append_pair("state", state);
    Ok(url)
}

/// Exchanges the code of the redirect for tokens. `app` holds `client_id` and `client_secret`, and may hold the other
/// parts; the answer is `app` with the tokens, ending four weeks from now. Where the public key ends earlier, set that
/// end instead. A code is good once and for 10 minutes.
///
/// # Errors
/// `CredentialExpired` when the code is not accepted; any kind. An answer that is lost uses the code up: let the person
/// agree again.
pub async fn exchange_code(
    client: &HttpClient,
    cx: &Context,
    config: &Config,
    account: impl Into<AccountId>,
    app: &Credentials,
    redirect_uri: &str,
    code: &Secret,
) -> Result<Credentials> {
    if code.is_blank() || redirect_uri.trim().is_empty() {
        return Err(Error::invalid("code and redirect_uri are both needed"));
    }
    let http = client.account(&config.id, &account.into(), &[]);
    let code = Secret::new(code.expose().trim());
    let agreed_at = http.now();
    let grant = Grant::Code { code: &code, redirect_uri: redirect_uri.trim() };
    let fresh = token_call(&http, config, cx, app, grant).await?;
    fresh.part(REFRESH_TOKEN).map_err(|_| Error::malformed("the answer holds no refresh token"))?;
    Ok(match agreed_at.checked_add_signed(TimeDelta::days(CONSENT_DAYS)) {
        Some(ends) => fresh.expiring(ends),
        None => fresh,
    })
}
