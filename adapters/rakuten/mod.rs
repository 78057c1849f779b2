//! Rakuten Ichiba, over RMS WEB SERVICE.
//!
//! Here: configuration, what the channel is, and which operation is where. What the API is like is in
//! `docs/channels/rakuten.md`; "sheet" in comments names the sections of the project's notes on it.

// The model's types can't be built by a literal outside of the crate, and adapters are written as if they were outside.
#![allow(clippy::field_reassign_with_default)]

mod auth;
mod cancels;
mod carriers;
mod confirm;
mod dispatch;
mod errors;
mod listings;
mod orders;
mod row;
mod stock;
#[cfg(test)]
mod tests;
mod window;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::{Adapter, Opening};
use crate::channel::{
    CancelAction, CancelDecision, CancelPage, Capabilities, Capability, CapabilityCheck, Channel,
    ChannelInfo, ChannelState, ConfirmOrders, ConfirmRequest, Confirmed, ConnectionReport, Context,
    CredentialPart, Credentials, DispatchOrders, DispatchRequest, Dispatched, FetchOrders, HandOver,
    HandleCancellations, Limit, ListListings, ListingPage, LocalText, Operation, OptionCode, OrderPage,
    OrderQuery, Outcome, PageCursor, RenewCredentials, Repeat, StatusMapping, StockAccepted, StockChange,
    UpdateStock,
};
use crate::error::{ErrorKind, Result};
use crate::http::{BaseUrl, HttpClient, Response};
use crate::model::{AccountId, Currency, ListingKey, Order, OrderStatus, Window};

use auth::Api;

pub use auth::{LICENSE_KEY, SERVICE_SECRET};

/// This adapter.
pub const ADAPTER: Adapter = Adapter::new("rakuten", "rakuten", auth::PARTS, open);

/// Most orders in one call (sheet 4.2, 4.3).
const MOST_ORDERS: usize = 100;
/// How long the calls of one batch may take where each item needs a call of its own. It leaves room within the time
/// that a caller usually gives.
const BATCH_SECONDS: u32 = 25;

fn open(opening: &Opening) -> Result<Arc<dyn Channel>> {
    let mut config = Config::new()?;
    if let Some(base_url) = &opening.base_url {
        config.base_url = base_url.clone();
    }
    Ok(Arc::new(Rakuten::new(&opening.client, opening.account.clone(), &opening.credentials, config)?))
}

/// Where the API is and how fast it may be called.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Config {
    /// The one host of all functions.
    pub base_url: BaseUrl,
    /// Calls per second of the order functions, and again of the inventory functions; at least 1. Item functions are
    /// called up to five times as often. 1 is what Rakuten publishes for inventories, and what is safe for orders.
    pub calls_per_second: u32,
}

impl Config {
    /// Rakuten's own address and pace.
    ///
    /// # Errors
    /// None in practice: the address is fixed.
    pub fn new() -> Result<Self> {
        Ok(Self { base_url: "https://api.rms.rakuten.co.jp".parse()?, calls_per_second: 1 })
    }

    /// At another host: a sandbox, a test's own server.
    pub fn at(mut self, base_url: BaseUrl) -> Self {
        self.base_url = base_url;
        self
    }

    /// At another pace, in calls per second, at least 1.
    pub fn with_calls_per_second(mut self, calls: u32) -> Self {
        self.calls_per_second = calls.max(1);
        self
    }

    fn limits(&self) -> Vec<Limit> {
        const ORDERS: &[Operation] = &[
            Operation::FetchOrders,
            Operation::ReadOrders,
            Operation::Confirm,
            Operation::Dispatch,
            Operation::ListCancellations,
            Operation::DecideCancellation,
        ];
        const STOCK: &[Operation] = &[Operation::SetStock, Operation::ReadStock];
        const ITEMS: &[Operation] = &[Operation::ListListings];
        const OTHERS: &[Operation] =
            &[Operation::ReadExpiry, Operation::RenewCredentials, Operation::TestConnection];
        let calls = self.calls_per_second.max(1);
        let second = Duration::from_secs(1);
        vec![
            Limit::on(ORDERS, calls, second).assumed(),
            Limit::on(STOCK, calls, second),
            Limit::on(ITEMS, calls.saturating_mul(5), second),
            Limit::on(OTHERS, calls, second).assumed(),
        ]
    }
}

fn info(config: &Config) -> ChannelInfo {
    let name =
        LocalText { en: "Rakuten Ichiba", ja: "楽天市場 (RMS WEB SERVICE)", ko: "라쿠텐 이치바" };
    let mut info = ChannelInfo::new("rakuten", name, chrono_tz::Asia::Tokyo, Currency::JPY);
    info.state = match NaiveDate::from_ymd_opt(2026, 11, 24) {
        Some(day) => ChannelState::VerifiedAgainstDocuments(day),
        None => ChannelState::Unverified("not stated"),
    };
    info.max_window = Duration::from_secs(window::LONGEST.unsigned_abs());
    info.confirm_batch = MOST_ORDERS;
    info.read_batch = MOST_ORDERS;
    // A call each, after one that reads them all.
    info.dispatch_batch =
        (config.calls_per_second.max(1).saturating_mul(BATCH_SECONDS) as usize).min(MOST_ORDERS);
    info.stock_batch = stock::MOST_SET;
    info.limits = config.limits();
    info.option_code = OptionCode::Choice;
    info.stock_range = (0, stock::MOST_PIECES);
    // Said to be 60 days by one integrator, seen to be 90 (sheet 2): the shorter, for a warning where nothing is known.
    info.credential_life = Some(Duration::from_secs(60 * 24 * 3600));
    info.statuses = STATUSES.to_vec();
    info.documentation = "https://webservice.rms.rakuten.co.jp/merchant-portal/";
    info
}

const STATUSES: &[StatusMapping] = &[
    StatusMapping { channel: "100", status: OrderStatus::New },
    StatusMapping { channel: "200", status: OrderStatus::Confirmed },
    StatusMapping { channel: "300", status: OrderStatus::Confirmed },
    StatusMapping { channel: "400", status: OrderStatus::Confirmed },
    StatusMapping { channel: "400 after shipping", status: OrderStatus::Shipped },
    StatusMapping { channel: "500", status: OrderStatus::Shipped },
    StatusMapping { channel: "600", status: OrderStatus::Shipped },
    StatusMapping { channel: "700", status: OrderStatus::Shipped },
    StatusMapping { channel: "800", status: OrderStatus::New },
    StatusMapping { channel: "800 after confirmation", status: OrderStatus::Confirmed },
    StatusMapping { channel: "800 after shipping", status: OrderStatus::Shipped },
    StatusMapping { channel: "900", status: OrderStatus::Cancelled },
];

/// A shop at Rakuten Ichiba.
#[derive(Debug)]
pub struct Rakuten {
    info: ChannelInfo,
    api: Api,
}

impl Rakuten {
    /// A shop with its service secret and licence key. Nothing is sent.
    ///
    /// # Errors
    /// `InvalidInput` when a part of the credentials is missing; `Configuration` when the address can't be used.
    pub fn new(
        client: &HttpClient,
        account: impl Into<AccountId>,
        credentials: &Credentials,
        config: Config,
    ) -> Result<Self> {
        let info = info(&config);
        let http = client.account(&info.id, &account.into(), &info.limits);
        Ok(Self { info, api: Api::new(http, config, credentials)? })
    }

    /// A harmless read: the numbers of the new orders of the last minute.
    async fn probe_orders(
        &self,
        cx: &Context,
        operation: Operation,
        credentials: &Credentials,
    ) -> Result<Response> {
        let now = self.api.now();
        let ask = orders::search_ask(&orders::FETCH, 1, Window::new(now - TimeDelta::minutes(1), now), 1)?;
        self.api.read_with(cx, operation, &ask, credentials).await
    }
}

#[async_trait]
impl Channel for Rakuten {
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
        let operation = Operation::TestConnection;
        let found = self.probe_orders(cx, operation, &self.api.credentials()).await;
        let skew = found.as_ref().ok().and_then(|answer| answer.clock_skew);
        let orders = check(found)?;
        let items = check(self.api.read(cx, operation, &listings::search_ask("*", 1)).await)?;
        let expiry = self.api.read_expiry(cx, operation, &self.api.credentials()).await;
        let end = expiry.as_ref().ok().copied();
        // The orders have proved the key: that its end can't be read now keeps nothing from working.
        let renewal = check(expiry).unwrap_or(CapabilityCheck::Assumed);
        let capabilities = Capabilities::of(self)
            .iter()
            .map(|capability| {
                let check = match capability {
                    Capability::FetchOrders => orders.clone(),
                    Capability::ListListings => items.clone(),
                    Capability::RenewCredentials => renewal.clone(),
                    // Each function is switched on by itself in RMS; nothing harmless proves those that write.
                    _ => CapabilityCheck::Assumed,
                };
                (capability, check)
            })
            .collect();
        let mut report = ConnectionReport::new(capabilities);
        report.credentials_end = end.or_else(|| self.api.ends());
        report.clock_skew_seconds = skew.map(|skew| skew.num_seconds());
        Ok(report)
    }
}

/// What a harmless read proves. A function that is not switched on for the key is named; other errors end the test.
fn check<T>(answer: Result<T>) -> Result<CapabilityCheck> {
    match answer {
        Ok(_) => Ok(CapabilityCheck::Allowed),
        Err(error) if error.kind() == ErrorKind::Forbidden => {
            Ok(CapabilityCheck::Denied { reason: error.message().unwrap_or("not permitted").to_owned() })
        }
        Err(error) => Err(error),
    }
}

#[async_trait]
impl FetchOrders for Rakuten {
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
impl ConfirmOrders for Rakuten {
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
impl DispatchOrders for Rakuten {
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
impl UpdateStock for Rakuten {
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
impl ListListings for Rakuten {
    async fn list(&self, cx: &Context, cursor: Option<&PageCursor>) -> Result<ListingPage> {
        listings::list(&self.api, cx, cursor).await
    }
}

#[async_trait]
impl HandleCancellations for Rakuten {
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
impl RenewCredentials for Rakuten {
    fn parts(&self) -> &[CredentialPart] {
        auth::PARTS
    }

    async fn current(&self) -> Credentials {
        self.api.credentials()
    }

    async fn expiry(&self, cx: &Context) -> Result<Option<DateTime<Utc>>> {
        let end = self.api.read_expiry(cx, Operation::ReadExpiry, &self.api.credentials()).await?;
        self.api.set_end(Some(end));
        Ok(Some(end))
    }

    async fn replace(&self, cx: &Context, credentials: &Credentials) -> Result<()> {
        let operation = Operation::RenewCredentials;
        let end = match self.api.read_expiry(cx, operation, credentials).await {
            Ok(end) => Some(end),
            // The function may not be switched on: the orders prove the key as well.
            Err(error) if error.kind() == ErrorKind::Forbidden => {
                self.probe_orders(cx, operation, credentials).await?;
                None
            }
            Err(error) => return Err(error),
        };
        self.api.use_credentials(credentials, end);
        Ok(())
    }
}
