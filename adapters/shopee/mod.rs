//! Shopee, over the Open Platform API v2.
//!
//! Here: what the channel is, and which operation is where. What the API is like is in `docs/channels/shopee.md`; "sheet"
//! in comments names the sections of the project's notes on it, "the call's page" the official page of a call.

mod api;
mod auth;
mod cancels;
mod config;
mod connect;
mod details;
mod dispatch;
mod errors;
mod inventory;
mod lines;
mod listings;
mod meanings;
mod orders;
mod packages;
mod plan;
mod rows;
mod settings;
mod shipping;
mod stock;
#[cfg(test)]
mod tests;
mod ways;
mod webhooks;
mod window;
mod wire;

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{Adapter, Opening};
use crate::channel::{
    CancelAction, CancelDecision, CancelPage, Capabilities, Capability, CapabilityCheck, Channel,
    ChannelInfo, ConnectionReport, Context, CredentialPart, CredentialVault, Credentials, DispatchOrders,
    DispatchRequest, Dispatched, FetchOrders, HandOver, HandleCancellations, ListListings, ListingPage,
    Operation, OrderPage, OrderQuery, Outcome, PageCursor, ReceiveWebhooks, RenewCredentials, Repeat,
    RotatingCredentials, StockAccepted, StockChange, UpdateStock, WebhookReply, WebhookRequest,
};
use crate::error::{ErrorKind, Result};
use crate::http::{HttpClient, Nature, Response};
use crate::model::{AccountId, ListingKey, Order, Window};

use api::Api;
use config::info;
use inventory::Locations;

pub use auth::{
    ACCESS_TOKEN, ACCESS_TOKEN_ENDS, PARTNER_ID, PARTNER_KEY, PUSH_PARTNER_KEY, REFRESH_TOKEN, SHOP_ID,
};
pub use config::Config;
pub use connect::{Authorized, AuthorizedShop, Code, authorize_link, authorized_shops, exchange_code};
pub use webhooks::{PUSHES, push_shop, push_signature};

/// This adapter.
pub const ADAPTER: Adapter = Adapter::new("shopee", "shopee", auth::PARTS, open);

fn open(opening: &Opening) -> Result<Arc<dyn Channel>> {
    let mut config = Config::global()?;
    if let Some(base_url) = &opening.base_url {
        config = config.at(base_url.clone());
    }
    Ok(Arc::new(Shopee::with_vault(
        &opening.client,
        opening.account.clone(),
        &opening.credentials,
        config,
        opening.vault.clone(),
    )?))
}

/// A shop at Shopee.
#[derive(Debug)]
pub struct Shopee {
    info: ChannelInfo,
    api: Api,
    locations: Locations,
}

impl Shopee {
    /// A shop with its credentials. Nothing is sent. Renewed tokens live as long as this value: see
    /// [`Shopee::with_vault`].
    ///
    /// # Errors
    /// `InvalidInput` when a part of the credentials is missing or no number; `Configuration` when an address can't be
    /// used.
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
    /// As [`Shopee::new`].
    pub fn with_vault(
        client: &HttpClient,
        account: impl Into<AccountId>,
        credentials: &Credentials,
        config: Config,
        vault: Option<Arc<dyn CredentialVault>>,
    ) -> Result<Self> {
        let account = account.into();
        let info = info(&config);
        let http = client.account(&info.id, &account, &info.limits);
        let tokens = RotatingCredentials::new(account, credentials.clone(), vault);
        let api = Api::new(http, config, tokens)?;
        Ok(Self { info, api, locations: Locations::default() })
    }

    /// Has the [`PUSHES`] of all shops of the app sent to this address. Shopee calls it at once and wants an empty answer
    /// within 3 seconds. The same address again changes nothing.
    ///
    /// # Errors
    /// `InvalidInput` when the address is not https; any kind.
    pub async fn register_webhooks(&self, cx: &Context, callback_url: &str) -> Result<()> {
        webhooks::register(&self.api, cx, callback_url).await
    }

    /// A harmless read: the orders that changed in the last minute.
    async fn probe_orders(&self, cx: &Context) -> Result<Response> {
        let now = self.api.now().timestamp();
        let ask = orders::list_ask(orders::Search::Linkable, now - 60, now, None);
        self.api.read(cx, Operation::TestConnection, &ask).await
    }
}

#[async_trait]
impl Channel for Shopee {
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
        let answer = self.api.read(cx, operation, &connect::shop_ask()).await?;
        let (shop, skew) = (connect::shop_result(&answer.body)?, answer.clock_skew);
        let orders = check(self.probe_orders(cx).await)?;
        let items = check(self.api.read(cx, operation, &listings::list_ask(0, 1)).await)?;
        let capabilities = Capabilities::of(self)
            .iter()
            .map(|capability| {
                let check = match capability {
                    Capability::FetchOrders | Capability::HandleCancellations => orders.clone(),
                    Capability::ListListings => items.clone(),
                    Capability::RenewCredentials => CapabilityCheck::Allowed,
                    // The type of the app decides; nothing harmless proves those that write.
                    _ => CapabilityCheck::Assumed,
                };
                (capability, check)
            })
            .collect();
        let mut report = ConnectionReport::new(capabilities);
        report.credentials_end = shop.expires_at;
        report.clock_skew_seconds = skew.map(|skew| skew.num_seconds());
        if matches!(shop.status.as_str(), "BANNED" | "FROZEN") {
            report.notes.push(format!("the shop's state at Shopee is {}", shop.status));
        }
        Ok(report)
    }
}

/// What a harmless read proves. A call that the app may not make is named; other errors end the test.
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
impl FetchOrders for Shopee {
    async fn fetch(
        &self,
        cx: &Context,
        query: &OrderQuery,
        cursor: Option<&PageCursor>,
    ) -> Result<OrderPage> {
        orders::fetch(&self.api, cx, query.window, cursor).await
    }

    async fn read(&self, cx: &Context, orders: &[&Order]) -> Result<Vec<Outcome<Order>>> {
        orders::read(&self.api, cx, Operation::ReadOrders, orders).await
    }
}

#[async_trait]
impl DispatchOrders for Shopee {
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
        &[HandOver::PickUp, HandOver::DropOff]
    }
}

#[async_trait]
impl UpdateStock for Shopee {
    async fn set_stock(
        &self,
        cx: &Context,
        changes: &[StockChange<'_>],
    ) -> Result<Vec<Outcome<StockAccepted>>> {
        stock::set_stock(&self.api, cx, &self.locations, changes).await
    }

    async fn read_stock(&self, cx: &Context, listings: &[ListingKey]) -> Result<Vec<Outcome<StockAccepted>>> {
        stock::read_stock(&self.api, cx, listings).await
    }
}

#[async_trait]
impl ListListings for Shopee {
    async fn list(&self, cx: &Context, cursor: Option<&PageCursor>) -> Result<ListingPage> {
        listings::list(&self.api, cx, cursor).await
    }
}

#[async_trait]
impl HandleCancellations for Shopee {
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
impl RenewCredentials for Shopee {
    fn parts(&self) -> &[CredentialPart] {
        auth::PARTS
    }

    async fn current(&self) -> Credentials {
        (*self.api.credentials()).clone()
    }

    async fn expiry(&self, cx: &Context) -> Result<Option<DateTime<Utc>>> {
        let answer = self.api.read(cx, Operation::ReadExpiry, &connect::shop_ask()).await?;
        Ok(connect::shop_result(&answer.body)?.expires_at)
    }

    async fn replace(&self, cx: &Context, credentials: &Credentials) -> Result<()> {
        auth::check(credentials)?;
        let ask = connect::shop_ask();
        self.api.send(cx, Operation::RenewCredentials, Nature::Read, &ask, credentials).await?;
        self.api.use_credentials(credentials).await;
        Ok(())
    }
}

#[async_trait]
impl ReceiveWebhooks for Shopee {
    async fn receive(&self, request: &WebhookRequest<'_>) -> Result<WebhookReply> {
        webhooks::receive(request, &self.api.credentials(), self.api.now())
    }
}
