//! Coupang Marketplace (Wing) in Korea, over its Open API; and Taiwan's market, of which a part is not documented.
//!
//! Here: which operation is where. What the API is like is in `docs/channels/coupang.md`; "sheet" in
//! comments names the sections of the project's notes on it.

mod auth;
mod cancels;
mod carriers;
mod config;
mod confirm;
mod dispatch;
mod errors;
mod info;
mod listings;
mod orders;
mod receipts;
mod rows;
mod splits;
mod stock;
#[cfg(test)]
mod tests;
mod window;
mod wire;

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{Adapter, Opening};
use crate::channel::{
    CancelAction, CancelDecision, CancelPage, Capabilities, Capability, CapabilityCheck, Channel,
    ChannelInfo, ConfirmOrders, ConfirmRequest, Confirmed, ConnectionReport, Context, CredentialPart,
    Credentials, DispatchOrders, DispatchRequest, Dispatched, FetchOrders, HandOver, HandleCancellations,
    ListListings, ListingPage, Operation, OrderPage, OrderQuery, Outcome, PageCursor, RenewCredentials,
    Repeat, StockAccepted, StockChange, Tracking, UpdateStock,
};
use crate::error::{Error, ErrorKind, Result};
use crate::http::{HttpClient, Nature, Response};
use crate::model::{AccountId, ListingKey, Order, Window};

use auth::{Api, Keys};

pub use auth::{ACCESS_KEY, SECRET_KEY, VENDOR_ID, WING_USER_ID};
pub use config::{Config, Market};
pub use orders::parse_orders;

/// This adapter. It opens accounts in Korea; an account in Taiwan is opened by [`Coupang::new`].
pub const ADAPTER: Adapter = Adapter::new("coupang", "coupang", auth::PARTS, open);

fn open(opening: &Opening) -> Result<Arc<dyn Channel>> {
    let mut config = Config::korea()?;
    if let Some(base_url) = &opening.base_url {
        config.base_url = base_url.clone();
    }
    Ok(Arc::new(Coupang::new(&opening.client, opening.account.clone(), &opening.credentials, config)?))
}

/// An account at Coupang.
#[derive(Debug)]
pub struct Coupang {
    info: ChannelInfo,
    api: Api,
}

impl Coupang {
    /// An account with its keys. Nothing is sent.
    ///
    /// # Errors
    /// `InvalidInput` when a part is missing or `vendor_id` can't be one; `Configuration` when the address can't be
    /// used.
    pub fn new(
        client: &HttpClient,
        account: impl Into<AccountId>,
        credentials: &Credentials,
        config: Config,
    ) -> Result<Self> {
        let info = info::info(&config);
        let http = client.account(&info.id, &account.into(), &info.limits);
        Ok(Self { info, api: Api::new(http, config, credentials)? })
    }

    /// Corrects the waybill of an order that was dispatched before; Coupang sets it back to DEPARTURE. For orders in
    /// one box, in Korea.
    ///
    /// # Errors
    /// `Unsupported` outside Korea; any kind. An error whose outcome is unknown may be followed by the same call.
    pub async fn correct_waybill(
        &self,
        cx: &Context,
        order: &Order,
        tracking: &Tracking,
    ) -> Result<Outcome<Dispatched>> {
        if self.api.config().market != Market::Korea {
            return Err(Error::unsupported("waybills are documented for Korea only"));
        }
        dispatch::correct(&self.api, cx, order, tracking).await
    }

    /// A harmless read with these credentials: one of today's new boxes.
    async fn probe_orders(
        &self,
        cx: &Context,
        operation: Operation,
        credentials: &Credentials,
    ) -> Result<Response> {
        let (today, config) = (self.api.today(), self.api.config());
        let vendor = Keys::of(credentials)?.vendor;
        let ask = orders::boxes_ask(&vendor, orders::STATUSES[0], (today, today), 1, "", config);
        self.api.send(cx, operation, Nature::Read, &ask, credentials).await
    }

    fn korea(&self) -> Option<&Self> {
        (self.api.config().market == Market::Korea).then_some(self)
    }
}

#[async_trait]
impl Channel for Coupang {
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
        self.korea().map(|own| own as _)
    }

    fn stock(&self) -> Option<&dyn UpdateStock> {
        self.korea().map(|own| own as _)
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
        let credentials = self.api.credentials();
        let orders = self.probe_orders(cx, Operation::TestConnection, &credentials).await;
        let skew = orders.as_ref().ok().and_then(|answer| answer.clock_skew);
        let orders = check(orders)?;
        let denied = matches!(orders, CapabilityCheck::Denied { .. });
        let items = if denied {
            // An IP address is registered for all calls or none; errors in a row lead to a block.
            orders.clone()
        } else {
            let ask = listings::products_ask(&self.api.keys()?.vendor, 1, "");
            check(self.api.read(cx, Operation::TestConnection, &ask).await)?
        };
        let capabilities = Capabilities::of(self)
            .iter()
            .map(|capability| {
                let check = match capability {
                    Capability::FetchOrders => orders.clone(),
                    Capability::ListListings => items.clone(),
                    _ if denied => orders.clone(),
                    // The same key writes; nothing harmless proves it.
                    _ => CapabilityCheck::Assumed,
                };
                (capability, check)
            })
            .collect();
        let mut report = ConnectionReport::new(capabilities);
        report.credentials_end = credentials.expires_at;
        report.clock_skew_seconds = skew.map(|skew| skew.num_seconds());
        Ok(report)
    }
}

/// What a harmless read proves. What the channel does not permit is named; other errors end the test.
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
impl FetchOrders for Coupang {
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
impl ConfirmOrders for Coupang {
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
impl DispatchOrders for Coupang {
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
impl UpdateStock for Coupang {
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
impl ListListings for Coupang {
    async fn list(&self, cx: &Context, cursor: Option<&PageCursor>) -> Result<ListingPage> {
        listings::list(&self.api, cx, cursor).await
    }
}

#[async_trait]
impl HandleCancellations for Coupang {
    async fn requests(
        &self,
        cx: &Context,
        window: Window,
        cursor: Option<&PageCursor>,
    ) -> Result<CancelPage> {
        cancels::requests(&self.api, cx, window, cursor).await
    }

    fn actions(&self) -> &[CancelAction] {
        self.api.config().market.cancel_actions()
    }

    async fn decide(&self, cx: &Context, decisions: &[CancelDecision<'_>]) -> Result<Vec<Outcome<()>>> {
        cancels::decide(&self.api, cx, decisions).await
    }
}

#[async_trait]
impl RenewCredentials for Coupang {
    fn parts(&self) -> &[CredentialPart] {
        auth::PARTS
    }

    async fn current(&self) -> Credentials {
        self.api.credentials()
    }

    async fn expiry(&self, _cx: &Context) -> Result<Option<DateTime<Utc>>> {
        // No call tells it (sheet 2): the merchant enters it.
        Ok(None)
    }

    async fn replace(&self, cx: &Context, credentials: &Credentials) -> Result<()> {
        self.probe_orders(cx, Operation::RenewCredentials, credentials).await?;
        self.api.use_credentials(credentials);
        Ok(())
    }
}
