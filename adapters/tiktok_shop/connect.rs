//! Connecting a shop: the link, the code, the shops that were authorised (sheet 2).

use std::fmt;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::channel::{Context, Credentials, Operation, Secret};
use crate::error::{Error, Result};
use crate::http::{Call, HttpClient, Nature, Url};
use crate::lenient::{Text, body_text, object};
use crate::model::AccountId;

use super::Config;
use super::auth::{APP_KEY, APP_SECRET, Ask, Grant, SHOP_CIPHER, SHOP_ID, Scope, request, token_call};
use super::errors::{Endpoint, judge};
use super::wire::{Envelope, rows};

/// The address at which the merchant authorises the app. `state` comes back with the code: make it unguessable, keep
/// it, and compare.
///
/// # Errors
/// `InvalidInput` when the service id or the state is empty.
///
/// ```
/// use sales_channels::adapters::tiktok_shop::{Config, authorize_link};
///
/// let link = authorize_link(&Config::global()?, "7431458374265161478", "a1b2c3")?;
/// assert_eq!(
///     link.as_str(),
///     "https://services.tiktokshop.com/open/authorize?service_id=7431458374265161478&state=a1b2c3"
/// );
/// # Ok::<(), sales_channels::Error>(())
/// ```
pub fn authorize_link(config: &Config, service_id: &str, state: &str) -> Result<Url> {
    if service_id.trim().is_empty() || state.trim().is_empty() {
        return Err(Error::invalid("service_id and state are both needed"));
    }
    let mut url = config.authorize_url.join("/open/authorize")?;
    url.query_pairs_mut().append_pair("service_id", service_id.trim()).append_pair("state", state);
    Ok(url)
}

/// Exchanges the code of the redirect for tokens. A code is good once and for 30 minutes. The credentials lack the
/// shop: choose one of [`authorized_shops`].
///
/// # Errors
/// `CredentialExpired` when the code is not accepted, `Unauthorized` when the app's key or secret is not; any kind. An
/// answer that is lost uses the code up: let the merchant authorise again.
pub async fn exchange_code(
    client: &HttpClient,
    cx: &Context,
    config: &Config,
    account: impl Into<AccountId>,
    app_key: &str,
    app_secret: &Secret,
    code: &Secret,
) -> Result<Credentials> {
    if app_key.trim().is_empty() || app_secret.is_blank() || code.is_blank() {
        return Err(Error::invalid("app key, app secret and code are all needed"));
    }
    let http = client.account(&config.id, &account.into(), &config.limits());
    let app = Credentials::new().with(APP_KEY, app_key.trim()).with(APP_SECRET, app_secret.expose().trim());
    let code = Secret::new(code.expose().trim());
    token_call(&http, config, cx, &app, Grant::Code(&code)).await
}

/// A shop that the merchant has authorised.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct AuthorizedShop {
    /// Its id, which webhooks name.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its market, as a country code.
    pub region: String,
    /// `LOCAL` or `CROSS_BORDER`.
    pub seller_type: String,
    /// Its code, as Seller Center shows it.
    pub code: String,
    /// What names it in calls.
    pub cipher: Secret,
}

impl AuthorizedShop {
    /// The credentials with this shop.
    pub fn credentials(&self, tokens: Credentials) -> Credentials {
        tokens.with(SHOP_CIPHER, self.cipher.clone()).with(SHOP_ID, self.id.as_str())
    }
}

impl fmt::Debug for AuthorizedShop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizedShop")
            .field("id", &self.id)
            .field("region", &self.region)
            .field("seller_type", &self.seller_type)
            .finish_non_exhaustive()
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ShopRow<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    region: Text<'a>,
    #[serde(borrow)]
    seller_type: Text<'a>,
    #[serde(borrow)]
    cipher: Text<'a>,
    #[serde(borrow)]
    code: Text<'a>,
}

#[derive(Deserialize)]
struct Shops<'a> {
    #[serde(borrow)]
    shops: Option<&'a RawValue>,
}

/// The call that lists the shops. It names none (36009004).
pub(super) fn shops_ask() -> Ask {
    Ask { scope: Scope::Seller, ..Ask::get(Endpoint::Shops, "/authorization/202309/shops") }
}

/// The shops of an answer.
///
/// # Errors
/// `MalformedResponse` when it can't be read.
pub(super) fn shops_result(body: &[u8]) -> Result<Vec<AuthorizedShop>> {
    let body = body_text(body);
    let data: Shops<'_> = Envelope::read(&body)?.data()?;
    rows(data.shops)?
        .into_iter()
        .map(|raw| {
            let row: ShopRow<'_> = object("a shop", raw.get())?;
            let text = |text: &Text<'_>| text.trim().to_owned();
            Ok(AuthorizedShop {
                id: text(&row.id),
                name: text(&row.name),
                region: text(&row.region),
                seller_type: text(&row.seller_type),
                code: text(&row.code),
                cipher: Secret::new(row.cipher.trim()),
            })
        })
        .collect()
}

/// The shops that the merchant has authorised.
///
/// # Errors
/// Any kind.
pub async fn authorized_shops(
    client: &HttpClient,
    cx: &Context,
    config: &Config,
    account: impl Into<AccountId>,
    credentials: &Credentials,
) -> Result<Vec<AuthorizedShop>> {
    let http = client.account(&config.id, &account.into(), &config.limits());
    let ask = shops_ask();
    let url = config.base_url.join(&ask.path)?;
    let answer = http
        .send(
            cx,
            Call {
                operation: Operation::TestConnection,
                nature: Nature::Read,
                build: &|now| request(&url, &ask, credentials, now),
                judge: &|response| judge(Endpoint::Shops, response),
            },
        )
        .await?;
    shops_result(&answer.body)
}
