//! Connecting a shop: the link, the code, the shops that were authorised, and until when (sheet 2).

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::channel::{Context, Credentials, Operation, Secret};
use crate::error::{Error, Result};
use crate::http::{HttpClient, Nature, Url};
use crate::lenient::{Text, body_text, object};
use crate::model::AccountId;

use super::Config;
use super::api::{send, token_call};
use super::auth::{Ask, PARTNER_ID, PARTNER_KEY, SHOP_ID, new_tokens, number};
use super::errors::Endpoint;
use super::wire::{json, texts, time, typed};

/// Shops on a page of the list.
const PAGE: usize = 100;
/// A list of shops that goes on for longer than this goes in circles.
const MOST_PAGES: u32 = 1000;

/// The address at which the seller authorises the app. The domain of `redirect_uri` must be that of the console. `state`
/// comes back with the code: make it unguessable, keep it, and compare.
///
/// # Errors
/// `InvalidInput` when something is empty, or the partner id is no number.
///
/// ```
/// use sales_channels::adapters::shopee::{Config, authorize_link};
///
/// let link = authorize_link(&Config::global()?, "2001887", "https://example.com/back", "a1b2c3")?;
/// assert!(link.as_str().starts_with("https://open.shopee.com/auth?partner_id=2001887&auth_type=seller&"));
/// # Ok::<(), sales_channels::Error>(())
/// ```
pub fn authorize_link(config: &Config, partner_id: &str, redirect_uri: &str, state: &str) -> Result<Url> {
    let credentials = Credentials::new().with(PARTNER_ID, partner_id);
    let partner_id = number(&credentials, PARTNER_ID)?.to_string();
    if redirect_uri.trim().is_empty() || state.trim().is_empty() {
        return Err(Error::invalid("redirect_uri and state are both needed"));
    }
    let mut url = config.authorize_url.join("/auth")?;
    url.query_pairs_mut()
        .append_pair("partner_id", &partner_id)
        .append_pair("auth_type", "seller")
        .append_pair("redirect_uri", redirect_uri.trim())
        .append_pair("response_type", "code")
        .append_pair("state", state);
    Ok(url)
}

/// What came back from the authorisation.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Code<'a> {
    /// The code of a shop account, with the shop's id.
    Shop(&'a Secret, &'a str),
    /// The code of a main account with many shops, with its id.
    MainAccount(&'a Secret, &'a str),
    /// A code that the console sent again because tokens were lost. Live only.
    Resent(&'a Secret),
}

#[derive(Serialize)]
struct CodeBody<'a> {
    code: &'a str,
    partner_id: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    shop_id: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    main_account_id: Option<u64>,
}

#[derive(Serialize)]
struct ResendBody<'a> {
    resend_code: &'a str,
}

fn code_ask(credentials: &Credentials, code: &Code<'_>) -> Result<(Ask, Secret)> {
    let id = |text: &str| {
        text.trim()
            .parse::<u64>()
            .map_err(|_| Error::invalid("the id that came with the code is not a number"))
    };
    let (spent, shop_id, main_account_id) = match code {
        Code::Shop(code, shop) => (*code, Some(id(shop)?), None),
        Code::MainAccount(code, account) => (*code, None, Some(id(account)?)),
        Code::Resent(code) => (*code, None, None),
    };
    if spent.is_blank() {
        return Err(Error::invalid("the code is empty"));
    }
    let spent = Secret::new(spent.expose().trim());
    let ask = if let Code::Resent(_) = code {
        Ask::post(Endpoint::Resend, json(&ResendBody { resend_code: spent.expose() })?)
    } else {
        let partner_id = number(credentials, PARTNER_ID)?;
        let body = CodeBody { code: spent.expose(), partner_id, shop_id, main_account_id };
        Ask::post(Endpoint::Token, json(&body)?)
    };
    Ok((ask.public(), spent))
}

/// Tokens, and the shops that they are for.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Authorized {
    /// The ids of the shops that were authorised.
    pub shops: Vec<String>,
    tokens: Credentials,
}

impl Authorized {
    /// The credentials of one of the shops. The refresh token of a main account is common to its shops, and good once for
    /// each of them: make the credentials of all shops out of the same answer.
    pub fn credentials(&self, shop_id: &str) -> Credentials {
        self.tokens.clone().with(SHOP_ID, shop_id.trim())
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ShopIds<'a> {
    #[serde(borrow)]
    shop_id_list: Option<&'a RawValue>,
}

/// Exchanges the code of the redirect for tokens. A code is good once and for 10 minutes.
///
/// # Errors
/// `CredentialExpired` when the code is not accepted; any kind. An answer that is lost uses the code up: let the seller
/// authorise again.
pub async fn exchange_code(
    client: &HttpClient,
    cx: &Context,
    config: &Config,
    account: impl Into<AccountId>,
    partner_id: &str,
    partner_key: &Secret,
    code: Code<'_>,
) -> Result<Authorized> {
    let app = Credentials::new().with(PARTNER_ID, partner_id.trim()).with(PARTNER_KEY, partner_key.clone());
    app.part(PARTNER_KEY)?;
    number(&app, PARTNER_ID)?;
    let http = client.account(&config.id, &account.into(), &config.limits());
    let (ask, spent) = code_ask(&app, &code)?;
    let answer = token_call(&http, config, cx, &ask, &app, &spent).await?;
    let tokens = new_tokens(&answer.body, &app, answer.sent_at)?;
    let body = body_text(&answer.body);
    let ids: ShopIds<'_> = object("the answer", &body)?;
    let mut shops = texts(ids.shop_id_list);
    if let (Code::Shop(_, shop), true) = (code, shops.is_empty()) {
        shops.push(shop.trim().to_owned());
    }
    Ok(Authorized { shops, tokens })
}

/// A shop that has authorised the app.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuthorizedShop {
    /// Its id.
    pub id: String,
    /// Its market, as a country code.
    pub region: String,
    /// When its authorisation ends.
    pub expires_at: Option<DateTime<Utc>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Shops<'a> {
    #[serde(borrow)]
    authed_shop_list: Option<&'a RawValue>,
    #[serde(borrow)]
    more: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ShopRow<'a> {
    #[serde(borrow)]
    shop_id: Text<'a>,
    #[serde(borrow)]
    region: Text<'a>,
    #[serde(borrow)]
    expire_time: Text<'a>,
}

/// The shops of a page, and whether there is another.
///
/// # Errors
/// `MalformedResponse` when it can't be read.
pub(super) fn shops_result(body: &[u8]) -> Result<(Vec<AuthorizedShop>, bool)> {
    let body = body_text(body);
    let page: Shops<'_> = object("the answer", &body)?;
    if page.authed_shop_list.is_none() {
        return Err(Error::malformed("the answer holds no list of shops"));
    }
    let shops = typed::<ShopRow<'_>>(page.authed_shop_list)?;
    let shops = shops.iter().map(|row| AuthorizedShop {
        id: row.shop_id.trim().to_owned(),
        region: row.region.trim().to_owned(),
        expires_at: time(&row.expire_time),
    });
    Ok((shops.collect(), page.more.flag() == Some(true)))
}

/// The shops that have authorised the app.
///
/// # Errors
/// Any kind.
pub async fn authorized_shops(
    client: &HttpClient,
    cx: &Context,
    config: &Config,
    account: impl Into<AccountId>,
    partner_id: &str,
    partner_key: &Secret,
) -> Result<Vec<AuthorizedShop>> {
    let app = Credentials::new().with(PARTNER_ID, partner_id.trim()).with(PARTNER_KEY, partner_key.clone());
    let http = client.account(&config.id, &account.into(), &config.limits());
    let mut all = Vec::new();
    for page in 1..=MOST_PAGES {
        let ask = Ask::get(Endpoint::Shops)
            .public()
            .with("page_size", PAGE.to_string())
            .with("page_no", page.to_string());
        let answer = send(&http, config, cx, Operation::TestConnection, Nature::Read, &ask, &app).await?;
        let (shops, more) = shops_result(&answer.body)?;
        let empty = shops.is_empty();
        all.extend(shops);
        if !more || empty {
            return Ok(all);
        }
    }
    Err(Error::malformed("the list of shops does not end"))
}

/// What the shop says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct ShopInfo {
    pub(super) expires_at: Option<DateTime<Utc>>,
    pub(super) status: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct InfoRow<'a> {
    #[serde(borrow)]
    expire_time: Text<'a>,
    #[serde(borrow)]
    status: Text<'a>,
}

/// The call that reads the shop.
pub(super) fn shop_ask() -> Ask {
    Ask::get(Endpoint::ShopInfo)
}

/// The shop in an answer. It stands beside the wrapper, not in it.
///
/// # Errors
/// `MalformedResponse` when it can't be read.
pub(super) fn shop_result(body: &[u8]) -> Result<ShopInfo> {
    let body = body_text(body);
    let row: InfoRow<'_> = object("the answer", &body)?;
    Ok(ShopInfo { expires_at: time(&row.expire_time), status: row.status.trim().to_owned() })
}
