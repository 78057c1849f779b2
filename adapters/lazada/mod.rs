//! Lazada, over its Open Platform: six markets, each with its own host, currency and zone.
//!
//! Here: which operation is where. Configuration and what the channel is are in `config.rs`; what the API is like is in
//! `docs/channels/lazada.md`; "sheet" in comments names the sections of the project's notes on it.

mod auth;
mod cancels;
mod config;
mod connect;
mod dispatch;
mod errors;
mod items;
mod lines;
mod listings;
mod orders;
mod packs;
mod plan;
mod products;
mod reverses;
mod rows;
mod seller;
mod stock;
#[cfg(test)]
mod tests;
mod webhooks;
mod wire;

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use super::{Adapter, Opening};
use crate::channel::{
    CancelAction, CancelDecision, CancelPage, Capabilities, Capability, CapabilityCheck, Channel,
    ChannelInfo, ConnectionReport, Context, CredentialPart, CredentialVault, Credentials, DispatchOrders,
    DispatchRequest, Dispatched, FetchOrders, HandOver, HandleCancellations, ListListings, ListingPage,
    Operation, OrderPage, OrderQuery, Outcome, PageCursor, ReceiveWebhooks, RenewCredentials, Repeat,
    RotatingCredentials, StockAccepted, StockChange, UpdateStock, WebhookReply, WebhookRequest,
};
use crate::error::{Error, ErrorKind, Result};
use crate::http::{HttpClient, Nature, Response};
use crate::model::{AccountId, ListingKey, Order, Private, Window};

use auth::Api;
use config::info;
use reverses::Search;

pub use auth::{ACCESS_TOKEN, ACCESS_TOKEN_ENDS, APP_KEY, APP_SECRET, MARKET, REFRESH_TOKEN, SELLER_ID};
pub use config::{Config, Market};
pub use connect::{Authorization, AuthorizedSeller, authorize_link, exchange_code};
pub use webhooks::{webhook_seller, webhook_signature};

/// This adapter.
pub const ADAPTER: Adapter = Adapter::new("lazada", "lazada", auth::PARTS, open);

fn open(opening: &Opening) -> Result<Arc<dyn Channel>> {
    let market: Market = opening.credentials.part(MARKET)?.expose().parse()?;
    let mut config = Config::of(market)?;
    if let Some(base_url) = &opening.base_url {
        config = config.at(base_url.clone());
    }
    Ok(Arc::new(Lazada::with_vault(
        &opening.client,
        opening.account.clone(),
        &opening.credentials,
        config,
        opening.vault.clone(),
    )?))
}

/// A shop at Lazada.
#[derive(Debug)]
pub struct Lazada {
    info: ChannelInfo,
    api: Api,
}

impl Lazada {
    /// A shop with its credentials, in the market of the configuration. Nothing is sent. Renewed tokens live as long as
    /// this value: see [`Lazada::with_vault`].
    ///
    /// # Errors
    /// `InvalidInput` when a part of the credentials is missing; `Configuration` when an address can't be used, or the
    /// credentials are of another market.
    pub fn new(
        client: &HttpClient,
        account: impl Into<AccountId>,
        credentials: &Credentials,
        config: Config,
    ) -> Result<Self> {
        Self::with_vault(client, account, credentials, config, None)
    }

    /// A shop whose renewed tokens are saved before they are used.
    ///
    /// # Errors
    /// As [`Lazada::new`].
    pub fn with_vault(
        client: &HttpClient,
        account: impl Into<AccountId>,
        credentials: &Credentials,
        config: Config,
        vault: Option<Arc<dyn CredentialVault>>,
    ) -> Result<Self> {
        check_market(credentials, &config)?;
        let account = account.into();
        let info = info(&config);
        let http = client.account(&info.id, &account, &info.limits);
        let tokens = RotatingCredentials::new(account, credentials.clone(), vault);
        Ok(Self { info, api: Api::new(http, config, tokens)? })
    }

    /// Where the label of a package is, which [`Dispatched::parcels`] names. Whoever has the address can open it, and it
    /// shows the buyer's.
    ///
    /// # Errors
    /// `Refused` for a package that is not packed; any kind.
    pub async fn shipping_label(&self, cx: &Context, package: &str) -> Result<Private<String>> {
        dispatch::label(&self.api, cx, package).await
    }

    /// A harmless read: the orders of the last minute.
    async fn probe_orders(&self, cx: &Context) -> Result<Response> {
        let window = self.last_minute();
        let ask = orders::search_ask(window, &orders::Place::begin(window), self.api.config());
        self.api.read(cx, Operation::TestConnection, &ask).await
    }

    fn last_minute(&self) -> Window {
        let now = self.api.now();
        Window::new(now - TimeDelta::minutes(1), now)
    }
}

/// Whether the credentials, where they name a market, name the one whose host is called.
fn check_market(credentials: &Credentials, config: &Config) -> Result<()> {
    let Some(named) = credentials.get(MARKET) else { return Ok(()) };
    if named.expose().parse::<Market>()? == config.market {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Configuration)
        .with_message("the credentials are of another market than the configuration"))
}

#[async_trait]
impl Channel for Lazada {
    fn info(&self) -> &ChannelInfo {
        &self.info
    }

    fn orders(&self) -> &dyn FetchOrders {
        self
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

    fn webhooks(&self) -> Option<&dyn ReceiveWebhooks> {
        Some(self)
    }

    async fn test(&self, cx: &Context) -> Result<ConnectionReport> {
        let operation = Operation::TestConnection;
        let seller = self.api.read(cx, operation, &seller::seller_ask()).await?;
        let notes = seller::seller_result(&seller.body, &self.api.credentials())?;
        let orders = check(self.probe_orders(cx).await)?;
        let probe = listings::probe_ask(self.api.now().timestamp(), self.api.config());
        let products = check(self.api.read(cx, operation, &probe).await)?;
        let probe = reverses::search_ask(Search::Asked(self.last_minute()), 1);
        let cancels = check(self.api.read(cx, operation, &probe).await)?;
        let capabilities = Capabilities::of(self)
            .iter()
            .map(|capability| {
                let check = match capability {
                    Capability::FetchOrders => orders.clone(),
                    Capability::ListListings => products.clone(),
                    Capability::HandleCancellations => cancels.clone(),
                    // Each has an API group of its own; nothing harmless proves those that write.
                    _ => CapabilityCheck::Assumed,
                };
                (capability, check)
            })
            .collect();
        let mut report = ConnectionReport::new(capabilities);
        report.credentials_end = self.api.credentials().expires_at;
        report.clock_skew_seconds = seller.clock_skew.map(|skew| skew.num_seconds());
        report.notes = notes;
        Ok(report)
    }
}

/// What a harmless read proves. An API group that is missing is named; other errors end the test.
fn check(answer: Result<Response>) -> Result<CapabilityCheck> {
    match answer {
        Ok(_) => Ok(CapabilityCheck::Allowed),
        Err(error) if error.kind() == ErrorKind::Forbidden => {
            Ok(CapabilityCheck::Denied { reason: error.message().unwrap_or("not permitted").to_owned() })
        }
        Err(error) => Err(error),
    }
}

#[async_trait]
impl FetchOrders for Lazada {
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
impl DispatchOrders for Lazada {
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
        // Pick-up or drop-off is set in Seller Center, not by the API (sheet 4).
        &[]
    }
}

#[async_trait]
impl UpdateStock for Lazada {
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
impl ListListings for Lazada {
    async fn list(&self, cx: &Context, cursor: Option<&PageCursor>) -> Result<ListingPage> {
        listings::list(&self.api, cx, cursor).await
    }
}

#[async_trait]
impl HandleCancellations for Lazada {
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
impl RenewCredentials for Lazada {
    fn parts(&self) -> &[CredentialPart] {
        auth::PARTS
    }

    async fn current(&self) -> Credentials {
        (*self.api.credentials()).clone()
    }

    async fn expiry(&self, _cx: &Context) -> Result<Option<DateTime<Utc>>> {
        // The answer that gave the tokens told it; no other does (sheet 2).
        Ok(self.api.credentials().expires_at)
    }

    async fn replace(&self, cx: &Context, credentials: &Credentials) -> Result<()> {
        for part in [APP_KEY, APP_SECRET, REFRESH_TOKEN] {
            credentials.part(part)?;
        }
        check_market(credentials, self.api.config())?;
        let ask = seller::seller_ask();
        let answer = self.api.send(cx, Operation::RenewCredentials, Nature::Read, &ask, credentials).await?;
        seller::seller_result(&answer.body, credentials)?;
        self.api.use_credentials(credentials).await;
        Ok(())
    }
}

#[async_trait]
impl ReceiveWebhooks for Lazada {
    async fn receive(&self, request: &WebhookRequest<'_>) -> Result<WebhookReply> {
        webhooks::receive(request, &self.api.credentials())
    }
}
