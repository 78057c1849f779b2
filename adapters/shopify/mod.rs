//! Shopify, over the Admin GraphQL API.
//!
//! Here: which operation is where. What the API is like is in `docs/channels/shopify.md`; "sheet" in
//! comments names the sections of the project's notes on it.

mod access;
mod api;
mod auth;
mod cancels;
mod config;
mod deadline;
mod dispatch;
mod documents;
mod errors;
mod fetch;
mod info;
mod listings;
mod orders;
mod parts;
mod rows;
mod status;
mod stock;
#[cfg(test)]
mod tests;
mod tracking;
mod webhooks;
mod whole;
mod wire;

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{Adapter, Opening};
use crate::channel::{
    CancelAction, CancelDecision, CancelPage, Capabilities, Channel, ChannelInfo, ConnectionReport, Context,
    CredentialPart, CredentialVault, Credentials, DispatchOrders, DispatchRequest, Dispatched, FetchOrders,
    HandOver, HandleCancellations, ListListings, ListingPage, NotifyBuyer, Operation, OrderPage, OrderQuery,
    Outcome, PageCursor, ReceiveWebhooks, RenewCredentials, Repeat, SetShipDate, ShipDateRequest, ShipDates,
    StockAccepted, StockChange, TrackingUpdate, UpdateStock, WebhookReply, WebhookRequest,
};
use crate::error::{Error, ErrorKind, Result};
use crate::http::HttpClient;
use crate::model::{AccountId, ListingKey, Order, Window};

use api::Api;
use auth::Kind;

pub use auth::{ACCESS_TOKEN, ACCESS_TOKEN_ENDS, CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, SHOP};
pub use config::Config;
pub use webhooks::sign_webhook;

/// This adapter.
pub const ADAPTER: Adapter = Adapter::new("shopify", "shopify", auth::PARTS, open);

/// The version of the API that the documents are written for. Each is supported for 12 months; after that a newer one
/// answers, which is noticed and said.
pub const API_VERSION: &str = "2026-10";

fn open(opening: &Opening) -> Result<Arc<dyn Channel>> {
    let mut config = Config::default();
    config.base_url.clone_from(&opening.base_url);
    Ok(Arc::new(Shopify::open(opening, config)?))
}

/// Asks the shop for its currency and zone, and answers with the configuration that has them.
///
/// # Errors
/// `Configuration` for a token that has a refresh token, without a vault: a renewal would be lost. Any kind.
///
/// ```no_run
/// use sales_channels::adapters::Opening;
/// use sales_channels::adapters::shopify::{ACCESS_TOKEN, Config, SHOP, Shopify, discover};
/// use sales_channels::channel::{Context, Credentials};
/// use sales_channels::http::{HttpClient, HttpSettings};
///
/// # async fn connect() -> sales_channels::Result<()> {
/// let client = HttpClient::new(HttpSettings::default())?;
/// let credentials = Credentials::new().with(SHOP, "my-shop.myshopify.com").with(ACCESS_TOKEN, "shpat_...");
/// let opening = Opening::new(&client, "shop-1", credentials);
/// let config = discover(&opening, &Context::new(), Config::default()).await?;
/// let shop = Shopify::open(&opening, config)?;
/// # Ok(())
/// # }
/// ```
pub async fn discover(opening: &Opening, cx: &Context, config: Config) -> Result<Config> {
    let shop = Shopify::open(opening, config.clone())?;
    if shop.kind()? == Kind::Refreshed && !shop.api.auth().has_vault() {
        return Err(Error::new(ErrorKind::Configuration)
            .with_message("a token with a refresh token needs a vault: its renewal would be lost"));
    }
    let found = access::whoami(&shop.api, cx, Operation::TestConnection).await?;
    let (currency, zone) = access::facts(&found)?;
    Ok(Config { currency, zone, ..config })
}

/// A shop at Shopify.
#[derive(Debug)]
pub struct Shopify {
    info: ChannelInfo,
    api: Api,
}

impl Shopify {
    /// A shop with its credentials. Nothing is sent. A refresh token that changes is kept in memory only: use
    /// [`Shopify::open`] with a vault for one.
    ///
    /// # Errors
    /// `InvalidInput` when a part is missing or `shop` is no domain of Shopify's; `Configuration` when the address
    /// can't be used.
    pub fn new(
        client: &HttpClient,
        account: impl Into<AccountId>,
        credentials: &Credentials,
        config: Config,
    ) -> Result<Self> {
        Self::with(client, account.into(), credentials, config, None)
    }

    /// As [`Shopify::new`], with the vault in which tokens are saved before they are used. The configuration's address
    /// goes before the opening's.
    ///
    /// # Errors
    /// As [`Shopify::new`].
    pub fn open(opening: &Opening, mut config: Config) -> Result<Self> {
        config.base_url = config.base_url.or_else(|| opening.base_url.clone());
        let vault = opening.vault.clone();
        Self::with(&opening.client, opening.account.clone(), &opening.credentials, config, vault)
    }

    fn with(
        client: &HttpClient,
        account: AccountId,
        credentials: &Credentials,
        config: Config,
        vault: Option<Arc<dyn CredentialVault>>,
    ) -> Result<Self> {
        let info = info::info(&config);
        let http = client.account(&info.id, &account, &info.limits);
        Ok(Self { info, api: Api::new(http, account, config, credentials, vault)? })
    }

    /// The version of the API that answered last, where it is another than [`API_VERSION`]: the library needs an
    /// update.
    pub fn other_api_version(&self) -> Option<String> {
        self.api.other_version()
    }

    /// Asks the channel to send webhooks about orders and the app's removal to this https address; answers with how
    /// many topics are new. Those that were asked for before stay.
    ///
    /// # Errors
    /// `InvalidInput` for an address that is not https; `Refused` with the channel's text; any kind.
    pub async fn subscribe_webhooks(&self, cx: &Context, address: &str) -> Result<usize> {
        webhooks::subscribe(&self.api, cx, address).await
    }

    fn kind(&self) -> Result<Kind> {
        Kind::of(&self.api.auth().current())
    }
}

#[async_trait]
impl Channel for Shopify {
    fn info(&self) -> &ChannelInfo {
        &self.info
    }

    fn orders(&self) -> &dyn FetchOrders {
        self
    }

    fn ship_date(&self) -> Option<ShipDates<'_>> {
        self.api.config().ship_dates.then_some(ShipDates::Separate(self))
    }

    fn dispatch(&self) -> Option<&dyn DispatchOrders> {
        Some(self)
    }

    fn stock(&self) -> Option<&dyn UpdateStock> {
        Some(self)
    }

    fn notify(&self) -> Option<&dyn NotifyBuyer> {
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

    /// Only with the client secret, which signs them.
    fn webhooks(&self) -> Option<&dyn ReceiveWebhooks> {
        self.api.auth().current().get(CLIENT_SECRET).map(|_| self as &dyn ReceiveWebhooks)
    }

    async fn test(&self, cx: &Context) -> Result<ConnectionReport> {
        let answer = access::answer(&self.api, cx, Operation::TestConnection).await?;
        let shop = access::shop(&answer.body)?;
        let capabilities = Capabilities::of(self).iter().map(|c| (c, access::check(&shop, c))).collect();
        let config = self.api.config();
        if shop.currency.is_some_and(|c| c != config.currency) || shop.zone.is_some_and(|z| z != config.zone)
        {
            tracing::warn!("the shop's currency or zone is another than the configured one: see discover()");
        }
        let mut report = ConnectionReport::new(capabilities);
        report.credentials_end = self.api.auth().current().expires_at;
        report.clock_skew_seconds = answer.clock_skew.map(|skew| skew.num_seconds());
        Ok(report)
    }
}

#[async_trait]
impl FetchOrders for Shopify {
    async fn fetch(
        &self,
        cx: &Context,
        query: &OrderQuery,
        cursor: Option<&PageCursor>,
    ) -> Result<OrderPage> {
        fetch::fetch(&self.api, cx, query.window, cursor).await
    }

    async fn read(&self, cx: &Context, orders: &[&Order]) -> Result<Vec<Outcome<Order>>> {
        whole::read(&self.api, cx, orders).await
    }
}

#[async_trait]
impl SetShipDate for Shopify {
    async fn set_ship_date(
        &self,
        cx: &Context,
        requests: &[ShipDateRequest<'_>],
    ) -> Result<Vec<Outcome<()>>> {
        deadline::set(&self.api, cx, requests).await
    }

    fn repeat(&self) -> Repeat {
        deadline::REPEAT
    }
}

#[async_trait]
impl DispatchOrders for Shopify {
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
impl UpdateStock for Shopify {
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
impl NotifyBuyer for Shopify {
    async fn update_tracking(
        &self,
        cx: &Context,
        updates: &[TrackingUpdate<'_>],
    ) -> Result<Vec<Outcome<()>>> {
        tracking::update(&self.api, cx, updates).await
    }
}

#[async_trait]
impl ListListings for Shopify {
    async fn list(&self, cx: &Context, cursor: Option<&PageCursor>) -> Result<ListingPage> {
        listings::list(&self.api, cx, cursor).await
    }
}

#[async_trait]
impl HandleCancellations for Shopify {
    async fn requests(
        &self,
        cx: &Context,
        window: Window,
        cursor: Option<&PageCursor>,
    ) -> Result<CancelPage> {
        cancels::requests(&self.api, cx, window, cursor).await
    }

    fn actions(&self) -> &[CancelAction] {
        cancels::ACTIONS
    }

    async fn decide(&self, cx: &Context, decisions: &[CancelDecision<'_>]) -> Result<Vec<Outcome<()>>> {
        cancels::decide(&self.api, cx, decisions).await
    }
}

#[async_trait]
impl RenewCredentials for Shopify {
    fn parts(&self) -> &[CredentialPart] {
        self.kind().map_or(auth::PARTS, Kind::parts)
    }

    async fn current(&self) -> Credentials {
        (*self.api.auth().current()).clone()
    }

    async fn expiry(&self, _cx: &Context) -> Result<Option<DateTime<Utc>>> {
        // Tokens that end are renewed by the adapter, and the end of a refresh token moves with each renewal: a date
        // kept elsewhere would stop an account that is well.
        Ok(None)
    }

    async fn replace(&self, cx: &Context, credentials: &Credentials) -> Result<()> {
        let shop = auth::shop(credentials)?;
        if shop != self.api.shop() {
            return Err(Error::invalid("shop is another one: connect it as an account of its own"));
        }
        match Kind::of(credentials)? {
            // The grant gives out a new token each time and changes nothing.
            Kind::Granted => drop(self.api.auth().ask(cx, credentials).await?),
            // The refresh token is left alone: the caller saves these very credentials next.
            Kind::Permanent | Kind::Refreshed => access::prove(&self.api, cx, credentials).await?,
        }
        self.api.auth().replace(credentials.clone()).await;
        Ok(())
    }
}

#[async_trait]
impl ReceiveWebhooks for Shopify {
    async fn receive(&self, request: &WebhookRequest<'_>) -> Result<WebhookReply> {
        let secret = self
            .api
            .auth()
            .current()
            .part(CLIENT_SECRET)
            .map_err(|_| Error::unsupported("webhooks need the client secret among the credentials"))?;
        webhooks::receive(&secret, self.api.shop(), self.api.now(), request)
    }
}
