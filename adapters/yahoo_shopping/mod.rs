//! Yahoo! Shopping Japan, over the store API (V1).
//!
//! Here: what is exported, the connection, and which operation is where. What the API is like is in
//! `docs/channels/yahoo_shopping.md`; quoted titles in comments are its sections.

mod auth;
mod cancels;
mod carriers;
mod config;
mod confirm;
mod connect;
mod dispatch;
mod errors;
mod listings;
mod lists;
mod orders;
mod park;
mod rows;
mod status;
mod stock;
#[cfg(test)]
mod tests;
mod tokens;
mod window;
mod wire;

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{Adapter, Opening};
use crate::channel::{
    CancelAction, CancelDecision, CancelPage, Capabilities, Capability, CapabilityCheck, Channel,
    ChannelInfo, ConfirmOrders, ConfirmRequest, Confirmed, ConnectionReport, Context, CredentialPart,
    CredentialVault, Credentials, DispatchOrders, DispatchRequest, Dispatched, FetchOrders, HandOver,
    HandleCancellations, ListListings, ListingPage, Operation, OrderPage, OrderQuery, Outcome, PageCursor,
    RenewCredentials, Repeat, RotatingCredentials, StockAccepted, StockChange, UpdateStock,
};
use crate::error::{Error, ErrorKind, Result};
use crate::http::{HttpClient, Nature};
use crate::model::{AccountId, ListingKey, Order, Window};

use auth::{Api, is_signed};
use errors::KEY_STATUS;
use tokens::{ACCESS_TOKEN, ACCESS_TOKEN_ENDS};

pub use auth::{CLIENT_ID, CLIENT_SECRET, PUBLIC_KEY, PUBLIC_KEY_VERSION, REFRESH_TOKEN, SELLER_ID};
pub use config::Config;
pub use connect::{authorize_link, exchange_code};
pub use orders::parse_order;

/// This adapter.
pub const ADAPTER: Adapter = Adapter::new("yahoo_shopping", "yahoo_shopping", auth::PARTS, open);

/// How long a consent is good, in days, for calls signed with the public key.
const CONSENT_DAYS: i64 = 28;
/// Orders in a batch: each takes a call of its own, one every 1.1 seconds, and half a minute leaves room within the time
/// that a caller usually gives.
const ONE_BY_ONE: usize = 25;
/// Store accounts of the test environment begin so.
const TEST_STORE: &str = "snbx-";

fn open(opening: &Opening) -> Result<Arc<dyn Channel>> {
    let is_test = opening.credentials.part(SELLER_ID)?.expose().starts_with(TEST_STORE);
    let config = if is_test { Config::test_environment()? } else { Config::live()? };
    let config = match &opening.base_url {
        Some(base_url) => config.at(base_url.clone()),
        None => config,
    };
    let account = opening.account.clone();
    let (client, credentials) = (&opening.client, &opening.credentials);
    Ok(Arc::new(YahooShopping::connect(client, account, credentials, config, opening.vault.clone())?))
}

/// A store at Yahoo! Shopping Japan.
#[derive(Debug)]
pub struct YahooShopping {
    info: ChannelInfo,
    api: Api,
}

impl YahooShopping {
    /// A store with its credentials. Nothing is sent. Access tokens live as long as this value: see
    /// [`YahooShopping::with_vault`].
    ///
    /// # Errors
    /// `InvalidInput` when a part of the credentials is missing or the public key can't be read; `Configuration` when an
    /// address can't be used.
    pub fn new(
        client: &HttpClient,
        account: impl Into<AccountId>,
        credentials: &Credentials,
        config: Config,
    ) -> Result<Self> {
        Self::connect(client, account.into(), credentials, config, None)
    }

    /// A store whose access tokens are kept in a vault, so that other processes use the same: two that renew the same
    /// refresh token at once can disturb each other.
    ///
    /// # Errors
    /// As [`YahooShopping::new`].
    pub fn with_vault(
        client: &HttpClient,
        account: impl Into<AccountId>,
        credentials: &Credentials,
        config: Config,
        vault: Arc<dyn CredentialVault>,
    ) -> Result<Self> {
        Self::connect(client, account.into(), credentials, config, Some(vault))
    }

    fn connect(
        client: &HttpClient,
        account: AccountId,
        credentials: &Credentials,
        config: Config,
        vault: Option<Arc<dyn CredentialVault>>,
    ) -> Result<Self> {
        let info = config::info(&config);
        let http = client.account(&info.id, &account, &info.limits);
        let tokens = RotatingCredentials::new(account, credentials.clone(), vault);
        Ok(Self { info, api: Api::new(http, config, tokens)? })
    }
}

#[async_trait]
impl Channel for YahooShopping {
    fn info(&self) -> &ChannelInfo {
        &self.info
    }

    fn orders(&self) -> &dyn FetchOrders {
        self
    }

    fn confirm(&self) -> Option<&dyn ConfirmOrders> {
        Some(self)
    }

    fn dispatch(&self) -> Option<&dyn DispatchOrders> {
        Some(self)
    }

    fn stock(&self) -> Option<&dyn UpdateStock> {
        Some(self)
    }

    fn listings(&self) -> Option<&dyn ListListings> {
        Some(self)
    }

    fn cancellations(&self) -> Option<&dyn HandleCancellations> {
        Some(self)
    }

    fn credentials(&self) -> Option<&dyn RenewCredentials> {
        Some(self)
    }

    async fn test(&self, cx: &Context) -> Result<ConnectionReport> {
        let ask = orders::probe_ask(&self.api.seller()?, self.api.now());
        let orders = self.api.read(cx, Operation::TestConnection, &ask).await;
        let skew = orders.as_ref().ok().and_then(|answer| answer.clock_skew);
        let judged = orders.as_ref().is_ok_and(|answer| answer.header(KEY_STATUS).is_some());
        let orders = self.with_key(check(orders.map(drop))?);
        let ask = listings::categories_ask(&self.api.seller()?, None);
        let items = check(self.api.read(cx, Operation::ListListings, &ask).await.map(drop))?;
        let capabilities = Capabilities::of(self).iter().map(|capability| {
            let check = match capability {
                Capability::FetchOrders => orders.clone(),
                Capability::ListListings => items.clone(),
                // The same approval and the same scope write; nothing harmless proves it.
                Capability::ConfirmOrders | Capability::DispatchOrders | Capability::HandleCancellations => {
                    assumed(&orders)
                }
                Capability::UpdateStock => assumed(&items),
                _ => CapabilityCheck::Assumed,
            };
            (capability, check)
        });
        let mut report = ConnectionReport::new(capabilities.collect());
        let credentials = self.api.credentials();
        report.credentials_end = credentials.expires_at;
        report.clock_skew_seconds = skew.map(|skew| skew.num_seconds());
        report.notes = self.notes(&credentials, judged);
        Ok(report)
    }
}

/// What a harmless read proves. What the credentials may not use is named; other errors end the test.
fn check(answer: Result<()>) -> Result<CapabilityCheck> {
    match answer {
        Ok(()) => Ok(CapabilityCheck::Allowed),
        Err(error) if error.kind() == ErrorKind::Forbidden => {
            Ok(CapabilityCheck::Denied { reason: error.message().unwrap_or("not permitted").to_owned() })
        }
        Err(error) => Err(error),
    }
}

/// What a read says about writes beside it: denied with it, else assumed.
fn assumed(read: &CapabilityCheck) -> CapabilityCheck {
    match read {
        CapabilityCheck::Denied { reason } => CapabilityCheck::Denied { reason: reason.clone() },
        _ => CapabilityCheck::Assumed,
    }
}

impl YahooShopping {
    /// Orders can be read with a bad signature, but only for 12 hours after the consent: that is no permission to work
    /// with.
    fn with_key(&self, orders: CapabilityCheck) -> CapabilityCheck {
        match (orders, self.api.key_trouble()) {
            (CapabilityCheck::Allowed, Some(trouble)) => CapabilityCheck::Denied {
                reason: format!(
                    "{trouble}; until that is put right, order calls stop 12 hours after the consent"
                ),
            },
            (orders, _) => orders,
        }
    }

    fn notes(&self, credentials: &Credentials, judged: bool) -> Vec<String> {
        let mut notes = Vec::new();
        if let Some(trouble) = self.api.key_trouble() {
            notes.push(format!("public key: {trouble}"));
        } else if !is_signed(credentials) {
            notes.push("no public key is entered: order calls stop 12 hours after the consent".to_owned());
        } else if !judged {
            notes.push("the channel did not say whether it accepts the public key signature".to_owned());
        }
        if credentials.expires_at.is_none() {
            notes.push(
                "nobody entered when the credentials end: four weeks after the consent, or with the public key"
                    .to_owned(),
            );
        }
        notes
    }
}

#[async_trait]
impl FetchOrders for YahooShopping {
    async fn fetch(
        &self,
        cx: &Context,
        query: &OrderQuery,
        cursor: Option<&PageCursor>,
    ) -> Result<OrderPage> {
        orders::fetch(&self.api, cx, query.window, cursor).await
    }

    async fn read(&self, cx: &Context, orders: &[&Order]) -> Result<Vec<Outcome<Order>>> {
        orders::read(&self.api, cx, orders).await
    }
}

#[async_trait]
impl ConfirmOrders for YahooShopping {
    async fn confirm(
        &self,
        cx: &Context,
        requests: &[ConfirmRequest<'_>],
    ) -> Result<Vec<Outcome<Confirmed>>> {
        confirm::confirm(&self.api, cx, requests).await
    }

    fn repeat(&self) -> Repeat {
        confirm::REPEAT
    }
}

#[async_trait]
impl DispatchOrders for YahooShopping {
    async fn dispatch(
        &self,
        cx: &Context,
        requests: &[DispatchRequest<'_>],
    ) -> Result<Vec<Outcome<Dispatched>>> {
        dispatch::dispatch(&self.api, cx, requests).await
    }

    fn repeat(&self) -> Repeat {
        dispatch::REPEAT
    }

    fn hand_over_methods(&self) -> &[HandOver] {
        &[]
    }
}

#[async_trait]
impl UpdateStock for YahooShopping {
    async fn set_stock(
        &self,
        cx: &Context,
        changes: &[StockChange<'_>],
    ) -> Result<Vec<Outcome<StockAccepted>>> {
        stock::set_stock(&self.api, cx, changes).await
    }

    async fn read_stock(&self, cx: &Context, listings: &[ListingKey]) -> Result<Vec<Outcome<StockAccepted>>> {
        stock::read_stock(&self.api, cx, listings).await
    }
}

#[async_trait]
impl ListListings for YahooShopping {
    async fn list(&self, cx: &Context, cursor: Option<&PageCursor>) -> Result<ListingPage> {
        listings::list(&self.api, cx, cursor).await
    }
}

#[async_trait]
impl HandleCancellations for YahooShopping {
    async fn requests(
        &self,
        _cx: &Context,
        _window: Window,
        cursor: Option<&PageCursor>,
    ) -> Result<CancelPage> {
        cancels::requests(cursor)
    }

    fn actions(&self) -> &[CancelAction] {
        cancels::ACTIONS
    }

    async fn decide(&self, cx: &Context, decisions: &[CancelDecision<'_>]) -> Result<Vec<Outcome<()>>> {
        cancels::decide(&self.api, cx, decisions).await
    }
}

#[async_trait]
impl RenewCredentials for YahooShopping {
    fn parts(&self) -> &[CredentialPart] {
        auth::PARTS
    }

    async fn current(&self) -> Credentials {
        // Access tokens are the library's own: no person compares or enters them.
        without_token(&self.api.credentials())
    }

    async fn expiry(&self, _cx: &Context) -> Result<Option<DateTime<Utc>>> {
        // No method tells it: the date of the consent is entered with the credentials.
        Ok(None)
    }

    async fn replace(&self, cx: &Context, credentials: &Credentials) -> Result<()> {
        auth::check(credentials)?;
        let old = self.api.credentials();
        if credentials.expires_at.is_none() && old.expires_at.is_some() {
            return Err(Error::invalid(
                "enter when the credentials end: four weeks after the consent, or with the public key if that is earlier",
            ));
        }
        let fresh = self.api.refreshed(cx, &without_token(credentials)).await?;
        let seller = fresh.part(SELLER_ID)?;
        let ask = orders::probe_ask(seller.expose(), self.api.now());
        let answer = self.api.send(cx, Operation::TestConnection, Nature::Read, &ask, &fresh).await?;
        // The call works with a bad signature too. A wrong key is told now, not 12 hours later.
        let trouble = answer.header(KEY_STATUS).filter(|_| is_signed(&fresh)).and_then(auth::key_trouble);
        if let Some(trouble) = trouble {
            return Err(Error::new(ErrorKind::Unauthorized).with_message(trouble));
        }
        self.api.use_credentials(fresh).await;
        Ok(())
    }
}

/// The credentials as a person entered them.
fn without_token(credentials: &Credentials) -> Credentials {
    let mut entered = credentials.clone();
    entered.parts.remove(ACCESS_TOKEN);
    entered.parts.remove(ACCESS_TOKEN_ENDS);
    entered
}
