//! Qoo10 Japan, over QAPI; and Qoo10 global as a variant that nothing can verify any more.
//!
//! Here: configuration, what the channel is, and which operation is where. What the API is like is in
//! `docs/channels/qoo10.md`; "sheet" in comments names the sections of the project's notes on it.

mod auth;
mod cancels;
mod confirm;
mod dispatch;
mod errors;
mod listings;
mod orders;
mod rows;
mod stock;
#[cfg(test)]
mod tests;
mod window;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;

use super::{Adapter, Opening};
use crate::channel::{
    CancelAction, CancelDecision, CancelPage, Capabilities, Capability, CapabilityCheck, Channel,
    ChannelInfo, ChannelState, ConfirmOrders, ConfirmRequest, Confirmed, ConnectionReport, Context,
    CredentialPart, Credentials, DispatchOrders, DispatchRequest, Dispatched, FetchOrders, HandOver,
    HandleCancellations, Limit, ListListings, ListingPage, LocalText, Operation, OrderPage, OrderQuery,
    Outcome, PageCursor, RenewCredentials, Repeat, ShipDates, StatusMapping, StockAccepted, StockChange,
    UpdateStock,
};
use crate::error::{ErrorKind, Result};
use crate::http::{BaseUrl, HttpClient, Nature, Response};
use crate::model::{AccountId, ChannelId, Currency, ListingKey, Order, OrderStatus, Window};

use auth::{Api, Form};
use errors::Method;
use window::{DAY, Piece};

pub use auth::{CERTIFICATION_KEY, create_certification_key};
pub use orders::parse_orders;

/// This adapter.
pub const ADAPTER: Adapter = Adapter::new("qoo10", "qoo10", auth::PARTS, open);

/// Most items of the bulk methods (sheet 4.3 to 4.5).
const MOST_IN_BULK: usize = 500;
/// How long the calls of one batch may take where each item needs a call of its own. Half a minute leaves room within
/// the time that a caller usually gives.
const BATCH_SECONDS: u32 = 30;

fn open(opening: &Opening) -> Result<Arc<dyn Channel>> {
    let mut config = Config::japan()?;
    if let Some(base_url) = &opening.base_url {
        config.base_url = base_url.clone();
    }
    Ok(Arc::new(Qoo10::new(&opening.client, opening.account.clone(), &opening.credentials, config)?))
}

/// Where the API is and what its business day and currency are.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Config {
    /// The channel's id: `qoo10` or `qoo10_global`.
    pub id: ChannelId,
    /// Host.
    pub base_url: BaseUrl,
    /// Path below it, to which a slash and the method are added.
    pub path: String,
    /// The zone in which all dates are sent and read.
    pub zone: Tz,
    /// The currency of amounts that come without one.
    pub currency: Currency,
    /// Calls per second, at least 1. The channel publishes no limit; 3 is what careful clients do.
    pub calls_per_second: u32,
}

impl Config {
    /// Qoo10 Japan.
    ///
    /// # Errors
    /// None in practice: the address is fixed.
    pub fn japan() -> Result<Self> {
        Ok(Self {
            id: ChannelId::from("qoo10"),
            base_url: "https://api.qoo10.jp".parse()?,
            path: "/GMKT.INC.Front.QAPIService/ebayjapan.qapi".to_owned(),
            zone: chrono_tz::Asia::Tokyo,
            currency: Currency::JPY,
            calls_per_second: 3,
        })
    }

    /// Qoo10 global (Singapore and others): the same methods on another host. Its marketplaces stopped in 2024, and
    /// nothing of this can be verified: everything that differs must be given.
    pub fn global(base_url: BaseUrl, path: impl Into<String>, zone: Tz, currency: Currency) -> Self {
        Self {
            id: ChannelId::from("qoo10_global"),
            base_url,
            path: path.into(),
            zone,
            currency,
            calls_per_second: 3,
        }
    }

    /// At another host: a sandbox, a test's own server.
    pub fn at(mut self, base_url: BaseUrl) -> Self {
        self.base_url = base_url;
        self
    }

    /// With another number of calls per second, at least 1.
    pub fn with_calls_per_second(mut self, calls: u32) -> Self {
        self.calls_per_second = calls.max(1);
        self
    }

    fn limits(&self) -> Vec<Limit> {
        vec![Limit::on_all(self.calls_per_second.max(1), Duration::from_secs(1)).assumed()]
    }

    fn is_global(&self) -> bool {
        self.id.as_str() != "qoo10"
    }
}

fn info(config: &Config) -> ChannelInfo {
    let name = if config.is_global() {
        LocalText { en: "Qoo10 (global)", ja: "Qoo10(グローバル)", ko: "큐텐 글로벌" }
    } else {
        LocalText { en: "Qoo10 Japan", ja: "Qoo10 (キューテン)", ko: "큐텐 재팬" }
    };
    let one_by_one = (config.calls_per_second.max(1) * BATCH_SECONDS) as usize;
    let mut info = ChannelInfo::new(config.id.clone(), name, config.zone, config.currency);
    info.state = match NaiveDate::from_ymd_opt(2026, 11, 24) {
        Some(day) if !config.is_global() => ChannelState::VerifiedAgainstDocuments(day),
        _ => ChannelState::Unverified("the marketplaces stopped in 2024; the API can't be checked any more"),
    };
    info.max_window = Duration::from_secs(24 * 3600);
    // Confirmations without a ship date and reads are a call each; stock is up to two per listing.
    info.confirm_batch = one_by_one.min(MOST_IN_BULK);
    info.read_batch = one_by_one.min(MOST_IN_BULK);
    info.stock_batch = (one_by_one / 2).clamp(1, MOST_IN_BULK);
    info.dispatch_batch = MOST_IN_BULK;
    info.limits = config.limits();
    // No method tells when a key ends; one integrator says after a year (sheet 2).
    info.credential_life = Some(Duration::from_secs(365 * 24 * 3600));
    info.statuses = STATUSES.to_vec();
    info.documentation = "https://api.qoo10.jp/GMKT.INC.Front.QAPIService/Document/QAPIGuideIndex.aspx";
    info
}

const STATUSES: &[StatusMapping] = &[
    StatusMapping { channel: "1", status: OrderStatus::PendingPayment },
    StatusMapping { channel: "2", status: OrderStatus::New },
    StatusMapping { channel: "3", status: OrderStatus::Confirmed },
    StatusMapping { channel: "4", status: OrderStatus::Shipped },
    StatusMapping { channel: "5", status: OrderStatus::Delivered },
    StatusMapping { channel: "claim 3", status: OrderStatus::Cancelled },
    StatusMapping { channel: "claim 6", status: OrderStatus::Returned },
    StatusMapping { channel: "claim 16", status: OrderStatus::Cancelled },
];

/// An account at Qoo10.
#[derive(Debug)]
pub struct Qoo10 {
    info: ChannelInfo,
    api: Api,
}

impl Qoo10 {
    /// An account with its certification key. Nothing is sent.
    ///
    /// # Errors
    /// `InvalidInput` when the key is missing; `Configuration` when the address can't be used.
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

    /// A harmless read with these credentials: the new orders of the last minute.
    async fn probe_orders(
        &self,
        cx: &Context,
        operation: Operation,
        credentials: &Credentials,
    ) -> Result<Response> {
        let config = self.api.config().clone();
        let form = move |now: DateTime<Utc>| {
            let window = Window::new(now - TimeDelta::minutes(1), now);
            let piece = Piece::begin(window, None, DAY).ok().flatten();
            piece.map_or_else(Form::new, |piece| orders::search_form(orders::Search::Paid, piece, &config))
        };
        let key = auth::key_of(credentials)?;
        self.api.call_with(cx, operation, Nature::Read, Method::ShippingInfo, &key, &form).await
    }
}

#[async_trait]
impl Channel for Qoo10 {
    fn info(&self) -> &ChannelInfo {
        &self.info
    }

    fn orders(&self) -> &dyn FetchOrders {
        self
    }

    fn confirm(&self) -> Option<&dyn ConfirmOrders> {
        Some(self)
    }

    fn ship_date(&self) -> Option<ShipDates<'_>> {
        Some(ShipDates::WithConfirmation)
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
        let credentials = self.api.credentials();
        let orders = self.probe_orders(cx, Operation::TestConnection, &credentials).await;
        let skew = orders.as_ref().ok().and_then(|answer| answer.clock_skew);
        let orders = check(orders)?;
        let form = listings::items_form("S2", 1);
        let items = self.api.call(cx, Operation::TestConnection, Nature::Read, Method::AllItems, form).await;
        let items = check(items)?;
        let capabilities = Capabilities::of(self)
            .iter()
            .map(|capability| {
                let check = match capability {
                    Capability::FetchOrders => orders.clone(),
                    Capability::ListListings => items.clone(),
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

/// What a harmless read proves. A method that the key may not use is named; other errors end the test.
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
impl FetchOrders for Qoo10 {
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
impl ConfirmOrders for Qoo10 {
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
impl DispatchOrders for Qoo10 {
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
impl UpdateStock for Qoo10 {
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
impl ListListings for Qoo10 {
    async fn list(&self, cx: &Context, cursor: Option<&PageCursor>) -> Result<ListingPage> {
        listings::list(&self.api, cx, cursor).await
    }
}

#[async_trait]
impl HandleCancellations for Qoo10 {
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
impl RenewCredentials for Qoo10 {
    fn parts(&self) -> &[CredentialPart] {
        auth::PARTS
    }

    async fn current(&self) -> Credentials {
        self.api.credentials()
    }

    async fn expiry(&self, _cx: &Context) -> Result<Option<DateTime<Utc>>> {
        // No method tells it (sheet 2).
        Ok(None)
    }

    async fn replace(&self, cx: &Context, credentials: &Credentials) -> Result<()> {
        self.probe_orders(cx, Operation::RenewCredentials, credentials).await?;
        self.api.use_credentials(credentials);
        Ok(())
    }
}
