//! Where the API is, and what the channel is, as data.

use std::time::Duration;

use chrono::NaiveDate;
use chrono_tz::Tz;

use crate::channel::{ChannelInfo, ChannelState, Limit, LocalText, StatusMapping};
use crate::error::Result;
use crate::http::BaseUrl;
use crate::model::{ChannelId, Currency, OrderStatus};

use super::{cancels, dispatch, orders, stock};

/// The longest window. The search has no limit of its own; each window looks through all orders that changed since it
/// began, so long ones are few.
const LONGEST_WINDOW: Duration = Duration::from_secs(7 * 24 * 3600);
/// Listings in one stock call: a call for each product.
const MOST_STOCK: usize = 100;

/// Where the API is and what the shop's business day and currency are.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Config {
    /// The channel's id.
    pub id: ChannelId,
    /// Host of the API.
    pub base_url: BaseUrl,
    /// Host that gives tokens.
    pub auth_url: BaseUrl,
    /// Host at which the merchant authorises the app.
    pub authorize_url: BaseUrl,
    /// The zone of the shop's business day. All times of the API are UTC.
    pub zone: Tz,
    /// The shop's currency: stands on orders that come with none, whose amounts are left out.
    pub currency: Currency,
    /// Calls per second, at least 1. The channel allows 50 for each app, shop and call.
    pub calls_per_second: u32,
}

impl Config {
    /// The API, for shops of all markets.
    ///
    /// # Errors
    /// None in practice: the addresses are fixed.
    pub fn global() -> Result<Self> {
        Ok(Self {
            id: ChannelId::from("tiktok_shop"),
            base_url: "https://open-api.tiktokglobalshop.com".parse()?,
            auth_url: "https://auth.tiktok-shops.com".parse()?,
            authorize_url: "https://services.tiktokshop.com".parse()?,
            zone: Tz::UTC,
            currency: Currency::USD,
            calls_per_second: 50,
        })
    }

    /// For apps of the US market, which are authorised at another address.
    ///
    /// # Errors
    /// None in practice: the addresses are fixed.
    pub fn us() -> Result<Self> {
        Ok(Self { authorize_url: "https://services.us.tiktokshop.com".parse()?, ..Self::global()? })
    }

    /// The channel's own sandbox.
    ///
    /// # Errors
    /// None in practice: the addresses are fixed.
    pub fn sandbox() -> Result<Self> {
        Ok(Self {
            base_url: "https://open-api-sandbox.tiktokglobalshop.com".parse()?,
            auth_url: "https://auth-sandbox.tiktok-shops.com".parse()?,
            ..Self::global()?
        })
    }

    /// All of it at one other host: a local sandbox, a test's own server.
    pub fn at(mut self, base_url: BaseUrl) -> Self {
        self.base_url = base_url.clone();
        self.auth_url = base_url.clone();
        self.authorize_url = base_url;
        self
    }

    /// In the zone and currency of the shop's market.
    pub fn in_market(mut self, zone: Tz, currency: Currency) -> Self {
        self.zone = zone;
        self.currency = currency;
        self
    }

    /// With another number of calls per second, at least 1.
    pub fn with_calls_per_second(mut self, calls: u32) -> Self {
        self.calls_per_second = calls.max(1);
        self
    }

    pub(super) fn limits(&self) -> Vec<Limit> {
        vec![Limit::on_all(self.calls_per_second.max(1), Duration::from_secs(1))]
    }
}

/// The currencies of the markets, the shop's own first.
fn currencies(own: Currency) -> Vec<Currency> {
    let markets = ["USD", "GBP", "EUR", "IDR", "SGD", "PHP", "VND", "THB", "MYR", "MXN", "BRL", "JPY"];
    let markets = markets.iter().filter_map(|code| code.parse().ok()).filter(|code| *code != own);
    std::iter::once(own).chain(markets).collect()
}

pub(super) fn info(config: &Config) -> ChannelInfo {
    let name = LocalText {
        en: "TikTok Shop", ja: "TikTok Shop (ティックトックショップ)", ko: "틱톡샵"
    };
    let mut info = ChannelInfo::new(config.id.clone(), name, config.zone, config.currency);
    info.currencies = currencies(config.currency);
    info.state = NaiveDate::from_ymd_opt(2026, 11, 24)
        .map_or(ChannelState::Unverified("not stated"), ChannelState::VerifiedAgainstDocuments);
    info.max_window = LONGEST_WINDOW;
    info.read_batch = orders::MOST_READ;
    info.dispatch_batch = dispatch::MOST_SHIPPED;
    info.stock_batch = MOST_STOCK;
    info.limits = config.limits();
    info.stock_range = (1, stock::MOST_PIECES);
    // The answer that gives a token tells when it ends, so that no guess is needed.
    info.credential_life = None;
    info.options = vec![stock::warehouse_option(), cancels::reject_option()];
    info.statuses = STATUSES.to_vec();
    info.documentation = "https://partner.tiktokshop.com/docv2";
    info
}

const STATUSES: &[StatusMapping] = &[
    StatusMapping { channel: "UNPAID", status: OrderStatus::PendingPayment },
    StatusMapping { channel: "ON_HOLD", status: OrderStatus::New },
    StatusMapping { channel: "AWAITING_SHIPMENT", status: OrderStatus::New },
    StatusMapping { channel: "PARTIALLY_SHIPPING", status: OrderStatus::Confirmed },
    StatusMapping { channel: "AWAITING_COLLECTION", status: OrderStatus::ReadyToShip },
    StatusMapping { channel: "IN_TRANSIT", status: OrderStatus::Shipped },
    StatusMapping { channel: "DELIVERED", status: OrderStatus::Delivered },
    StatusMapping { channel: "COMPLETED", status: OrderStatus::Delivered },
    StatusMapping { channel: "CANCELLED", status: OrderStatus::Cancelled },
];
