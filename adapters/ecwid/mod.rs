//! Ecwid by Lightspeed, over its REST API v3.
//!
//! Here: which operation is where. Configuration and what the channel is are in `config.rs`; what the API is like is in
//! `docs/channels/ecwid.md`; "sheet" in comments names the sections of that page.

mod access;
mod auth;
mod cancels;
mod config;
mod confirm;
mod connect;
mod dispatch;
mod errors;
mod lines;
mod listings;
mod orders;
mod pages;
mod person;
mod products;
mod rows;
mod status;
mod stock;
#[cfg(test)]
mod tests;
mod webhooks;
mod wire;

use std::sync::Arc;

use async_trait::async_trait;

use super::{Adapter, Opening};
use crate::channel::{
    CancelAction, CancelDecision, CancelPage, Capabilities, Channel, ChannelInfo, ConfirmOrders,
    ConfirmRequest, Confirmed, ConnectionReport, Context, Credentials, DispatchOrders, DispatchRequest,
    Dispatched, FetchOrders, HandOver, HandleCancellations, ListListings, ListingPage, Operation, OrderPage,
    OrderQuery, Outcome, PageCursor, ReceiveWebhooks, Repeat, StockAccepted, StockChange, UpdateStock,
    WebhookReply, WebhookRequest,
};
use crate::error::{Error, Result};
use crate::http::HttpClient;
use crate::model::{AccountId, ListingKey, Order, Window};

use auth::Api;

pub use auth::{ACCESS_TOKEN, CLIENT_SECRET, STORE_ID};
pub use config::Config;
pub use connect::{App, authorize_link, exchange_code};
pub use webhooks::{sign_webhook, webhook_store};

/// This adapter.
pub const ADAPTER: Adapter = Adapter::new("ecwid", "ecwid", auth::PARTS, open);

fn open(opening: &Opening) -> Result<Arc<dyn Channel>> {
    let mut config = Config::new()?;
    if let Some(base_url) = &opening.base_url {
        config = config.at(base_url.clone());
    }
    Ok(Arc::new(Ecwid::new(&opening.client, opening.account.clone(), &opening.credentials, config)?))
}

/// Asks the store for its currency and zone, and answers with the configuration that has them, so that
/// [`ChannelInfo`] tells them too. Without it the store is asked when the first order is read.
///
/// # Errors
/// `MalformedResponse` when they can't be read; any kind.
pub async fn discover(opening: &Opening, cx: &Context, mut config: Config) -> Result<Config> {
    if let Some(base_url) = &opening.base_url {
        config = config.at(base_url.clone());
    }
    let store = Ecwid::new(&opening.client, opening.account.clone(), &opening.credentials, config.clone())?;
    let found = store.api.store(cx, Operation::TestConnection).await?;
    let zone = found.zone.ok_or_else(|| Error::malformed("the store's zone can't be read"))?;
    Ok(config.with_store(found.currency, zone))
}

/// A store at Ecwid.
#[derive(Debug)]
pub struct Ecwid {
    info: ChannelInfo,
    api: Api,
}

impl Ecwid {
    /// A store with its credentials. Nothing is sent.
    ///
    /// # Errors
    /// `InvalidInput` when a part of the credentials is missing or of the wrong form; `Configuration` when the address
    /// can't be used.
    pub fn new(
        client: &HttpClient,
        account: impl Into<AccountId>,
        credentials: &Credentials,
        config: Config,
    ) -> Result<Self> {
        let info = config::info(&config);
        let http = client.account(&info.id, &account.into(), &info.limits);
        Ok(Self { info, api: Api::new(http, config, credentials)? })
    }
}

#[async_trait]
impl Channel for Ecwid {
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

    /// Only with the client secret, which signs them.
    fn webhooks(&self) -> Option<&dyn ReceiveWebhooks> {
        self.api.client_secret().map(|_| self as &dyn ReceiveWebhooks)
    }

    async fn test(&self, cx: &Context) -> Result<ConnectionReport> {
        access::test(&self.api, cx, Capabilities::of(self).iter()).await
    }
}

#[async_trait]
impl FetchOrders for Ecwid {
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
impl ConfirmOrders for Ecwid {
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
impl DispatchOrders for Ecwid {
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
impl UpdateStock for Ecwid {
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
impl ListListings for Ecwid {
    async fn list(&self, cx: &Context, cursor: Option<&PageCursor>) -> Result<ListingPage> {
        listings::list(&self.api, cx, cursor).await
    }
}

#[async_trait]
impl HandleCancellations for Ecwid {
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
impl ReceiveWebhooks for Ecwid {
    async fn receive(&self, request: &WebhookRequest<'_>) -> Result<WebhookReply> {
        let secret = self
            .api
            .client_secret()
            .ok_or_else(|| Error::unsupported("webhooks need the client secret among the credentials"))?;
        webhooks::receive(secret, self.api.store_id(), self.api.now(), request)
    }
}
