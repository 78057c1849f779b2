//! TikTok Shop, over its Open API.
//!
//! Here: configuration, what the channel is, and which operation is where. What the API is like is in
//! `docs/channels/tiktok_shop.md`; "sheet" in comments names the sections of the project's notes on it.

mod auth;
mod cancels;
mod config;
mod connect;
mod dispatch;
mod errors;
mod inventory;
mod lines;
mod listings;
mod orders;
mod packages;
mod plan;
mod rows;
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
use inventory::DefaultWarehouse;
use packages::Carriers;

pub use auth::{ACCESS_TOKEN, ACCESS_TOKEN_ENDS, APP_KEY, APP_SECRET, REFRESH_TOKEN, SHOP_CIPHER, SHOP_ID};
pub use config::Config;
pub use connect::{AuthorizedShop, authorize_link, authorized_shops, exchange_code};
pub use webhooks::{EVENTS, ShopWebhook, webhook_shop, webhook_signature};

/// This adapter.
pub const ADAPTER: Adapter = Adapter::new("tiktok_shop", "tiktok_shop", auth::PARTS, open);

fn open(opening: &Opening) -> Result<Arc<dyn Channel>> {
    let mut config = Config::global()?;
    if let Some(base_url) = &opening.base_url {
        config = config.at(base_url.clone());
    }
    Ok(Arc::new(TiktokShop::with_vault(
        &opening.client,
        opening.account.clone(),
        &opening.credentials,
        config,
        opening.vault.clone(),
    )?))
}

/// A shop at TikTok Shop.
#[derive(Debug)]
pub struct TiktokShop {
    info: ChannelInfo,
    api: Api,
    carriers: Carriers,
    warehouse: DefaultWarehouse,
}

impl TiktokShop {
    /// A shop with its credentials. Nothing is sent. Renewed tokens live as long as this value: see
    /// [`TiktokShop::with_vault`].
    ///
    /// # Errors
    /// `InvalidInput` when a part of the credentials is missing; `Configuration` when an address can't be used.
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
    /// As [`TiktokShop::new`].
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
        Ok(Self { info, api, carriers: Carriers::default(), warehouse: DefaultWarehouse::default() })
    }

    /// Where the label of a package is, which [`Dispatched::parcels`] names. The address is good for 24 hours, and
    /// shows the buyer's.
    ///
    /// # Errors
    /// `Refused` for a package that the seller ships or that is not arranged yet; any kind.
    pub async fn shipping_label(&self, cx: &Context, package: &str) -> Result<Private<String>> {
        packages::label(&self.api, cx, Operation::Dispatch, package).await
    }

    /// Has the [`EVENTS`] sent to this address. The same address again changes nothing.
    ///
    /// # Errors
    /// `InvalidInput` when the address is not https; any kind.
    pub async fn register_webhooks(&self, cx: &Context, address: &str) -> Result<()> {
        webhooks::subscribe(&self.api, cx, address).await
    }

    /// Where events are sent now.
    ///
    /// # Errors
    /// Any kind.
    pub async fn registered_webhooks(&self, cx: &Context) -> Result<Vec<ShopWebhook>> {
        webhooks::subscriptions(&self.api, cx).await
    }

    /// Ends the sending of the [`EVENTS`].
    ///
    /// # Errors
    /// Any kind.
    pub async fn remove_webhooks(&self, cx: &Context) -> Result<()> {
        webhooks::unsubscribe(&self.api, cx).await
    }

    /// A harmless read: the orders of the last minute.
    async fn probe_orders(&self, cx: &Context) -> Result<Response> {
        let now = self.api.now();
        let ask = orders::search_ask(Window::new(now - TimeDelta::minutes(1), now), None)?;
        self.api.call(cx, Operation::TestConnection, Nature::Read, &ask).await
    }
}

/// Whether the shop of the credentials is among those that were authorised.
fn check_shop(credentials: &Credentials, body: &[u8]) -> Result<()> {
    let cipher = credentials.part(SHOP_CIPHER)?;
    if connect::shops_result(body)?.iter().any(|shop| shop.cipher == cipher) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Unauthorized).with_message(
        "the token opens other shops than the one of shop_cipher: authorise the app for this shop",
    ))
}

#[async_trait]
impl Channel for TiktokShop {
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
        let orders = self.probe_orders(cx).await;
        let skew = orders.as_ref().ok().and_then(|answer| answer.clock_skew);
        let orders = check(orders)?;
        let products = check(self.api.call(cx, operation, Nature::Read, &listings::probe_ask()?).await)?;
        let now = self.api.now();
        let window = Window::new(now - TimeDelta::minutes(1), now);
        let cancels =
            check(self.api.call(cx, operation, Nature::Read, &cancels::window_ask(window, None)?).await)?;
        let shops = self.api.call(cx, operation, Nature::Read, &connect::shops_ask()).await;
        if let Ok(answer) = &shops {
            check_shop(&self.api.credentials(), &answer.body)?;
        }
        check(shops)?;
        let capabilities = Capabilities::of(self)
            .iter()
            .map(|capability| {
                let check = match capability {
                    Capability::FetchOrders => orders.clone(),
                    Capability::ListListings => products.clone(),
                    Capability::HandleCancellations => cancels.clone(),
                    // Each has a scope of its own; nothing harmless proves those that write.
                    _ => CapabilityCheck::Assumed,
                };
                (capability, check)
            })
            .collect();
        let mut report = ConnectionReport::new(capabilities);
        report.credentials_end = self.api.credentials().expires_at;
        report.clock_skew_seconds = skew.map(|skew| skew.num_seconds());
        Ok(report)
    }
}

/// What a harmless read proves. A scope that is missing is named; other errors end the test.
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
impl FetchOrders for TiktokShop {
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
impl DispatchOrders for TiktokShop {
    async fn dispatch(
        &self,
        cx: &Context,
        requests: &[DispatchRequest<'_>],
    ) -> Result<Vec<Outcome<Dispatched>>> {
        dispatch::dispatch(&self.api, cx, &self.carriers, requests).await
    }

    fn repeat(&self) -> Repeat {
        dispatch::REPEAT
    }

    fn hand_over_methods(&self) -> &[HandOver] {
        &[HandOver::PickUp, HandOver::DropOff]
    }
}

#[async_trait]
impl UpdateStock for TiktokShop {
    async fn set_stock(
        &self,
        cx: &Context,
        changes: &[StockChange<'_>],
    ) -> Result<Vec<Outcome<StockAccepted>>> {
        stock::set_stock(&self.api, cx, &self.warehouse, changes).await
    }

    async fn read_stock(&self, cx: &Context, listings: &[ListingKey]) -> Result<Vec<Outcome<StockAccepted>>> {
        stock::read_stock(&self.api, cx, listings).await
    }
}

#[async_trait]
impl ListListings for TiktokShop {
    async fn list(&self, cx: &Context, cursor: Option<&PageCursor>) -> Result<ListingPage> {
        listings::list(&self.api, cx, cursor).await
    }
}

#[async_trait]
impl HandleCancellations for TiktokShop {
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
impl RenewCredentials for TiktokShop {
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
        let ask = connect::shops_ask();
        let answer = self.api.send(cx, Operation::RenewCredentials, Nature::Read, &ask, credentials).await?;
        check_shop(credentials, &answer.body)?;
        self.api.use_credentials(credentials).await;
        Ok(())
    }
}

#[async_trait]
impl ReceiveWebhooks for TiktokShop {
    async fn receive(&self, request: &WebhookRequest<'_>) -> Result<WebhookReply> {
        webhooks::receive(request, &self.api.credentials(), self.api.now())
    }
}
