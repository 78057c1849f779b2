//! Where the API is, and what the channel is, as data.

use std::time::Duration;

use chrono::NaiveDate;
use chrono_tz::Tz;

use crate::channel::{ChannelInfo, ChannelState, Limit, LocalText, StatusMapping};
use crate::error::Result;
use crate::http::BaseUrl;
use crate::model::{ChannelId, Currency, OrderStatus};

use super::{details, dispatch, settings, stock};

/// The longest window: the channel's own limit of one search. Windows are cut into pieces anyway.
const LONGEST_WINDOW: Duration = Duration::from_secs(15 * 24 * 3600);
/// Listings in one stock call: a call for each item.
const MOST_STOCK: usize = 100;
/// Calls per second where nothing else is said.
const PRUDENT: u32 = 10;

/// Where the API is and what the shop's business day and currency are.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Config {
    /// The channel's id.
    pub id: ChannelId,
    /// Host of the API. It follows where this machine is, not where the shop is.
    pub base_url: BaseUrl,
    /// Host at which the seller authorises the app.
    pub authorize_url: BaseUrl,
    /// The zone of the shop's business day. All times of the API are UTC.
    pub zone: Tz,
    /// The shop's currency: stands on orders that come with none, whose amounts are left out.
    pub currency: Currency,
    /// Calls per second, at least 1. The channel publishes no limit.
    pub calls_per_second: u32,
}

fn config(base: &str, authorize: &str) -> Result<Config> {
    Ok(Config {
        id: ChannelId::from("shopee"),
        base_url: base.parse()?,
        authorize_url: authorize.parse()?,
        zone: Tz::Asia__Singapore,
        currency: "SGD".parse()?,
        calls_per_second: PRUDENT,
    })
}

impl Config {
    /// The API near Singapore, and the authorisation of sellers outside China and Brazil.
    ///
    /// # Errors
    /// None in practice: the addresses are fixed.
    pub fn global() -> Result<Self> {
        config("https://partner.shopeemobile.com", "https://open.shopee.com")
    }

    /// The API and the authorisation in mainland China.
    ///
    /// # Errors
    /// None in practice: the addresses are fixed.
    pub fn china() -> Result<Self> {
        config("https://openplatform.shopee.cn", "https://open.shopee.cn")
    }

    /// The API near the US and Brazil, and the authorisation of Brazil.
    ///
    /// # Errors
    /// None in practice: the addresses are fixed.
    pub fn brazil() -> Result<Self> {
        let config = config("https://openplatform.shopee.com.br", "https://open.shopee.com.br")?;
        Ok(config.in_market(Tz::America__Sao_Paulo, "BRL".parse()?))
    }

    /// The channel's own sandbox.
    ///
    /// # Errors
    /// None in practice: the addresses are fixed.
    pub fn sandbox() -> Result<Self> {
        config(
            "https://openplatform.sandbox.test-stable.shopee.sg",
            "https://open.sandbox.test-stable.shopee.com",
        )
    }

    /// All of it at one other host: a local sandbox, a test's own server.
    pub fn at(mut self, base_url: BaseUrl) -> Self {
        self.base_url = base_url.clone();
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
        vec![Limit::on_all(self.calls_per_second.max(1), Duration::from_secs(1)).assumed()]
    }
}

/// The currencies of the markets, the shop's own first.
fn currencies(own: Currency) -> Vec<Currency> {
    let markets = ["SGD", "MYR", "THB", "VND", "PHP", "IDR", "TWD", "BRL", "MXN", "COP", "CLP"];
    let markets = markets.iter().filter_map(|code| code.parse().ok()).filter(|code| *code != own);
    std::iter::once(own).chain(markets).collect()
}

pub(super) fn info(config: &Config) -> ChannelInfo {
    let name = LocalText { en: "Shopee", ja: "Shopee (ショッピー)", ko: "쇼피" };
    let mut info = ChannelInfo::new(config.id.clone(), name, config.zone, config.currency);
    info.currencies = currencies(config.currency);
    info.state = NaiveDate::from_ymd_opt(2026, 11, 24)
        .map_or(ChannelState::Unverified("not stated"), ChannelState::VerifiedAgainstDocuments);
    info.max_window = LONGEST_WINDOW;
    info.read_batch = details::MOST_READ;
    info.dispatch_batch = dispatch::MOST_SHIPPED;
    info.stock_batch = MOST_STOCK;
    info.limits = config.limits();
    // The end of the authorisation is read (sheet 2): no guess is needed.
    info.credential_life = None;
    info.options = settings::options();
    info.options.push(stock::location_option());
    info.statuses = STATUSES.to_vec();
    info.documentation = "https://open.shopee.com/documents";
    info
}

const STATUSES: &[StatusMapping] = &[
    StatusMapping { channel: "UNPAID", status: OrderStatus::PendingPayment },
    StatusMapping { channel: "PENDING", status: OrderStatus::New },
    StatusMapping { channel: "INVOICE_PENDING", status: OrderStatus::New },
    StatusMapping { channel: "READY_TO_SHIP", status: OrderStatus::New },
    StatusMapping { channel: "RETRY_SHIP", status: OrderStatus::New },
    StatusMapping { channel: "IN_CANCEL", status: OrderStatus::New },
    StatusMapping { channel: "PROCESSED", status: OrderStatus::ReadyToShip },
    StatusMapping { channel: "SHIPPED", status: OrderStatus::Shipped },
    StatusMapping { channel: "TO_CONFIRM_RECEIVE", status: OrderStatus::Delivered },
    StatusMapping { channel: "COMPLETED", status: OrderStatus::Delivered },
    StatusMapping { channel: "TO_RETURN", status: OrderStatus::Delivered },
    StatusMapping { channel: "CANCELLED", status: OrderStatus::Cancelled },
];
