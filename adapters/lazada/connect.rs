//! Connecting a shop: the link, the code, the sellers that it stands for (sheet 2).

use std::fmt;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::channel::{Context, Credentials, Secret};
use crate::error::{Error, Result};
use crate::http::{HttpClient, Url};
use crate::lenient::{Text, body_text, object};
use crate::model::AccountId;

use super::auth::{APP_KEY, APP_SECRET, Grant, MARKET, SELLER_ID, token_call};
use super::wire::readable;
use super::{Config, Market};

/// The address at which the merchant authorises the app. The channel adds the code to `redirect_uri`, which must be the
/// app's callback address; it knows no parameter of yours to come back with it, so put an unguessable one into
/// `redirect_uri`, keep it, and compare.
///
/// # Errors
/// `InvalidInput` when the app key or the address is empty.
///
/// ```
/// use sales_channels::adapters::lazada::{Config, Market, authorize_link};
///
/// let config = Config::of(Market::Singapore)?;
/// let link = authorize_link(&config, "100132", "https://example.com/lazada?own=a1b2c3")?;
/// assert!(link.as_str().starts_with("https://auth.lazada.com/oauth/authorize?response_type=code&force_auth=true"));
/// # Ok::<(), sales_channels::Error>(())
/// ```
pub fn authorize_link(config: &Config, app_key: &str, redirect_uri: &str) -> Result<Url> {
    if app_key.trim().is_empty() || redirect_uri.trim().is_empty() {
        return Err(Error::invalid("app key and redirect_uri are both needed"));
    }
    let mut url = config.auth_url.join("/oauth/authorize")?;
    url.query_pairs_mut()
        .append_pair("response_type", "code")
        .append_pair("force_auth", "true")
        .append_pair("redirect_uri", redirect_uri.trim())
        .append_pair("client_id", app_key.trim());
    Ok(url)
}

/// A seller that the merchant has authorised the app for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuthorizedSeller {
    /// Its market; `None`: none that the library knows.
    pub market: Option<Market>,
    /// Its id, which pushes name.
    pub seller_id: String,
    /// Its code, as Seller Center shows it.
    pub short_code: String,
}

/// What an authorisation gave: tokens, good for each of these sellers. Cross-border merchants have one in each market.
#[derive(Clone)]
#[non_exhaustive]
pub struct Authorization {
    tokens: Credentials,
    /// The sellers.
    pub sellers: Vec<AuthorizedSeller>,
}

impl Authorization {
    /// The credentials for a market. Renewing the tokens replaces them: an account of its own for each market needs an
    /// authorisation of its own.
    pub fn credentials(&self, market: Market) -> Credentials {
        let tokens = self.tokens.clone().with(MARKET, market.code());
        match self.sellers.iter().find(|seller| seller.market == Some(market)) {
            Some(seller) if !seller.seller_id.is_empty() => tokens.with(SELLER_ID, seller.seller_id.as_str()),
            _ => tokens,
        }
    }
}

impl fmt::Debug for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorization").field("sellers", &self.sellers).finish_non_exhaustive()
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct SellersRow<'a> {
    #[serde(borrow)]
    country: Text<'a>,
    #[serde(borrow)]
    country_user_info: Option<&'a RawValue>,
    #[serde(borrow)]
    country_user_info_list: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct SellerRow<'a> {
    #[serde(borrow)]
    country: Text<'a>,
    #[serde(borrow)]
    seller_id: Text<'a>,
    #[serde(borrow)]
    short_code: Text<'a>,
}

/// The sellers in an answer that gave tokens.
///
/// # Errors
/// `MalformedResponse` when it can't be read.
pub(super) fn sellers(body: &[u8]) -> Result<Vec<AuthorizedSeller>> {
    let body = body_text(body);
    let answer: SellersRow<'_> = object("the answer", &body)?;
    let rows: Vec<SellerRow<'_>> = readable(answer.country_user_info.or(answer.country_user_info_list));
    let mut sellers: Vec<AuthorizedSeller> = rows
        .iter()
        .map(|row| AuthorizedSeller {
            market: row.country.parse().ok(),
            seller_id: row.seller_id.trim().to_owned(),
            short_code: row.short_code.trim().to_owned(),
        })
        .collect();
    if let (true, Ok(market)) = (sellers.is_empty(), answer.country.parse()) {
        let (seller_id, short_code) = (String::new(), String::new());
        sellers.push(AuthorizedSeller { market: Some(market), seller_id, short_code });
    }
    Ok(sellers)
}

/// Exchanges the code of the redirect for tokens. A code is good once and for 30 minutes.
///
/// # Errors
/// `CredentialExpired` when the code is not accepted; any kind. An answer that is lost uses the code up: let the merchant
/// authorise again.
pub async fn exchange_code(
    client: &HttpClient,
    cx: &Context,
    config: &Config,
    account: impl Into<AccountId>,
    app_key: &str,
    app_secret: &Secret,
    code: &Secret,
) -> Result<Authorization> {
    if app_key.trim().is_empty() || app_secret.is_blank() || code.is_blank() {
        return Err(Error::invalid("app key, app secret and code are all needed"));
    }
    let http = client.account(&config.id, &account.into(), &config.limits());
    let app = Credentials::new().with(APP_KEY, app_key.trim()).with(APP_SECRET, app_secret.expose().trim());
    let code = Secret::new(code.expose().trim());
    let (tokens, answer) = token_call(&http, config, cx, &app, Grant::Code(&code)).await?;
    Ok(Authorization { tokens, sellers: sellers(&answer.body)? })
}
