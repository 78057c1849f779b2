//! CROSS MALL (クロスモール), a hub over a merchant's Japanese shops, over its WebAPI 2.
//!
//! Here: configuration, what the channel is, and which operation is where. What the API is like is in
//! `docs/channels/crossmall.md`; "sheet" in comments names the sections of that page.

// The model's types can't be built by a literal outside of the crate, and adapters are written as if they were outside.
#![allow(clippy::field_reassign_with_default)]

mod auth;
mod confirm;
mod dispatch;
mod errors;
mod lines;
mod listings;
mod orders;
mod phase;
mod rows;
mod settings;
#[cfg(test)]
mod tests;
mod variants;
mod window;
mod wire;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::{Adapter, Opening};
use crate::channel::{
    Capabilities, Capability, CapabilityCheck, Channel, ChannelInfo, ChannelState, ConfirmOrders,
    ConfirmRequest, Confirmed, ConnectionReport, Context, CredentialPart, Credentials, DispatchOrders,
    DispatchRequest, Dispatched, FetchOrders, HandOver, Limit, ListListings, ListingPage, LocalText,
    Operation, OrderPage, OrderQuery, Outcome, PageCursor, RenewCredentials, Repeat, StatusMapping,
};
use crate::error::{ErrorKind, Result};
use crate::http::{BaseUrl, HttpClient, Response};
use crate::model::{AccountId, ChannelId, Currency, Order, OrderStatus};
use crate::xml::Element;

use auth::{Api, Query};
use errors::Method;
use settings::Choices;
use wire::{Envelope, text};

pub use auth::{ACCOUNT, AUTH_KEY};

/// This adapter.
pub const ADAPTER: Adapter = Adapter::new("crossmall", "crossmall", auth::PARTS, open);

/// How long the calls of one batch may take where each item needs calls of its own. It leaves room within the time that
/// a caller usually gives, also for the look-up of SKU codes.
const BATCH_SECONDS: u32 = 20;
/// So many unknown phases are named in a connection test.
const MOST_NOTED: usize = 20;

fn open(opening: &Opening) -> Result<Arc<dyn Channel>> {
    let mut config = Config::new()?;
    if let Some(base_url) = &opening.base_url {
        config.base_url = base_url.clone();
    }
    Ok(Arc::new(CrossMall::new(&opening.client, opening.account.clone(), &opening.credentials, config)?))
}

/// Where the API is.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Config {
    /// The channel's id.
    pub id: ChannelId,
    /// Host.
    pub base_url: BaseUrl,
    /// Path below it, to which a slash and the method are added.
    pub path: String,
    /// The zone of all times: the API names none.
    pub zone: Tz,
    /// The currency of all amounts: the API names none.
    pub currency: Currency,
    /// Calls per second, at least 1. The channel publishes no limit; 2 is prudence.
    pub calls_per_second: u32,
    /// Most orders or items on a page, each with its own calls; at least 1. `None`: as many as fit the rate limit.
    pub page_size: Option<usize>,
}

impl Config {
    /// CROSS MALL's own address.
    ///
    /// # Errors
    /// None in practice: the address is fixed.
    pub fn new() -> Result<Self> {
        Ok(Self {
            id: ChannelId::from("crossmall"),
            base_url: "https://crossmall.jp".parse()?,
            path: "/webapi2".to_owned(),
            zone: chrono_tz::Asia::Tokyo,
            currency: Currency::JPY,
            calls_per_second: 2,
            page_size: None,
        })
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

    /// With at most this many orders or items on a page, at least 1.
    pub fn with_page_size(mut self, size: usize) -> Self {
        self.page_size = Some(size.max(1));
        self
    }

    fn limits(&self) -> Vec<Limit> {
        vec![Limit::on_all(self.calls_per_second.max(1), Duration::from_secs(1)).assumed()]
    }

    /// Items whose calls, so many each, fit into a batch.
    fn fitting(&self, calls_each: u32) -> usize {
        (self.calls_per_second.max(1).saturating_mul(BATCH_SECONDS) / calls_each.max(1)).clamp(1, 200)
            as usize
    }

    /// An order takes a call for its lines, and up to some for SKU codes that are not known yet.
    fn page_size(&self) -> usize {
        self.page_size.unwrap_or_else(|| self.fitting(4)).max(1)
    }
}

const STATUSES: &[StatusMapping] = &[
    StatusMapping { channel: "cancel_flag 2", status: OrderStatus::Cancelled },
    StatusMapping { channel: "cancel_flag other than 0, 1, 2", status: OrderStatus::Unknown },
    StatusMapping { channel: "a phase in cancelled_phases", status: OrderStatus::Cancelled },
    StatusMapping { channel: "a phase in shipped_phases", status: OrderStatus::Shipped },
    StatusMapping { channel: "a phase in confirmed_phases", status: OrderStatus::Confirmed },
    StatusMapping { channel: "a phase in new_phases (注文確認)", status: OrderStatus::New },
    StatusMapping { channel: "a phase in unpaid_phases", status: OrderStatus::PendingPayment },
    StatusMapping { channel: "any other phase", status: OrderStatus::Unknown },
];

fn info(config: &Config) -> ChannelInfo {
    let name = LocalText { en: "CROSS MALL", ja: "CROSS MALL (クロスモール)", ko: "크로스몰" };
    let mut info = ChannelInfo::new(config.id.clone(), name, config.zone, config.currency);
    info.state = ChannelState::Part(
        "the operator's manual was not seen: parameters of the stock call and texts of refusals are not established",
    );
    info.max_window = Duration::from_secs(24 * 3600);
    // A call is about one order. Confirming reads and moves; a dispatch reads, writes, reads and moves.
    info.confirm_batch = config.fitting(2);
    info.dispatch_batch = config.fitting(4);
    info.read_batch = config.fitting(2);
    info.limits = config.limits();
    // The key lives until it is changed by hand.
    info.credential_life = None;
    info.options = settings::options();
    info.statuses = STATUSES.to_vec();
    info.documentation = "https://support.crossmall.jp";
    info
}

/// An account at CROSS MALL.
#[derive(Debug)]
pub struct CrossMall {
    info: ChannelInfo,
    api: Api,
}

impl CrossMall {
    /// An account with its company code and authentication key. Nothing is sent.
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

    /// A harmless read with these credentials: today's orders.
    async fn probe_orders(
        &self,
        cx: &Context,
        operation: Operation,
        credentials: &Credentials,
    ) -> Result<Response> {
        let today = wire::day_text(window::local_day(self.api.http().now(), self.api.config().zone));
        let query: Query =
            vec![("condition", "1".to_owned()), ("order_date_fr", today.clone()), ("order_date_to", today)];
        self.api.call_with(cx, operation, Method::Orders { first: true }, &query, credentials).await
    }
}

#[async_trait]
impl Channel for CrossMall {
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

    fn listings(&self) -> Option<&dyn ListListings> {
        Some(self)
    }

    fn credentials(&self) -> Option<&dyn RenewCredentials> {
        Some(self)
    }

    async fn test(&self, cx: &Context) -> Result<ConnectionReport> {
        let choices = Choices::of(cx)?;
        let operation = Operation::TestConnection;
        let orders = self.probe_orders(cx, operation, &self.api.credentials()).await?;
        let items =
            self.api.call(cx, operation, Method::Items { first: true }, &listings::items_query(None)).await;
        let items = check_items(items)?;
        let checks = Capabilities::of(self).iter().map(|capability| {
            let check = match capability {
                Capability::FetchOrders => CapabilityCheck::Allowed,
                Capability::ListListings => items.clone(),
                // The same key writes; nothing harmless proves it.
                _ => CapabilityCheck::Assumed,
            };
            (capability, check)
        });
        let mut report = ConnectionReport::new(checks.collect());
        report.credentials_end = self.api.credentials().expires_at;
        report.clock_skew_seconds = orders.clock_skew.map(|skew| skew.num_seconds());
        report.notes = choices.unset();
        report.notes.extend(unknown_phases(&text(&orders.body), &choices)?);
        Ok(report)
    }
}

/// What the read of items proves. The orders have proved the key: what is refused now is refused for the items alone.
fn check_items(answer: Result<Response>) -> Result<CapabilityCheck> {
    match answer {
        Ok(_) => Ok(CapabilityCheck::Allowed),
        Err(error) if matches!(error.kind(), ErrorKind::Unauthorized | ErrorKind::Forbidden) => {
            Ok(CapabilityCheck::Denied { reason: error.message().unwrap_or("not permitted").to_owned() })
        }
        Err(error) => Err(error),
    }
}

/// A note for each phase of these orders that no option names: such orders are never acted upon.
fn unknown_phases(body: &str, choices: &Choices) -> Result<Vec<String>> {
    let mut phases: BTreeSet<String> = BTreeSet::new();
    for raw in Envelope::read(body)?.rows {
        if let Ok(row) = Element::parse(raw) {
            let phase = row.field("phase_name");
            if choices.status(phase).is_none() {
                phases.insert(phase.to_owned());
            }
        }
    }
    let note =
        |phase: String| format!("no option says what the phase \"{phase}\" means: its orders are left alone");
    Ok(phases.into_iter().take(MOST_NOTED).map(note).collect())
}

#[async_trait]
impl FetchOrders for CrossMall {
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
impl ConfirmOrders for CrossMall {
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
impl DispatchOrders for CrossMall {
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
impl ListListings for CrossMall {
    async fn list(&self, cx: &Context, cursor: Option<&PageCursor>) -> Result<ListingPage> {
        listings::list(&self.api, cx, cursor).await
    }
}

#[async_trait]
impl RenewCredentials for CrossMall {
    fn parts(&self) -> &[CredentialPart] {
        auth::PARTS
    }

    async fn current(&self) -> Credentials {
        self.api.credentials()
    }

    async fn expiry(&self, _cx: &Context) -> Result<Option<DateTime<Utc>>> {
        // No method tells it, and keys live until they are changed by hand (sheet: Credentials).
        Ok(None)
    }

    async fn replace(&self, cx: &Context, credentials: &Credentials) -> Result<()> {
        self.probe_orders(cx, Operation::RenewCredentials, credentials).await?;
        self.api.use_credentials(credentials);
        Ok(())
    }
}
