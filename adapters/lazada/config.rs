//! Where the API is, and what the channel is, as data.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use chrono::NaiveDate;
use chrono_tz::Tz;

use crate::channel::{ChannelInfo, ChannelState, Limit, LocalText, Operation, StatusMapping};
use crate::error::{Error, ErrorKind, Result};
use crate::http::BaseUrl;
use crate::model::{ChannelId, Currency, OrderStatus};

use super::{cancels, dispatch, orders, stock};

/// The longest window. Each looks through all orders that changed since it began, so long ones are few.
const LONGEST_WINDOW: Duration = Duration::from_secs(7 * 24 * 3600);
/// A refresh token lives 180 days (sheet 2).
const REFRESH_LIFE: Duration = Duration::from_secs(180 * 24 * 3600);

/// A country of Lazada: each has its own host, currency and zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Market {
    /// Singapore.
    Singapore,
    /// Thailand.
    Thailand,
    /// Malaysia.
    Malaysia,
    /// Vietnam.
    Vietnam,
    /// Philippines.
    Philippines,
    /// Indonesia.
    Indonesia,
}

impl Market {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Singapore, Self::Thailand, Self::Malaysia, Self::Vietnam, Self::Philippines, Self::Indonesia];

    /// The country code, lower case: what the part `market` of the credentials holds.
    pub fn code(self) -> &'static str {
        match self {
            Self::Singapore => "sg",
            Self::Thailand => "th",
            Self::Malaysia => "my",
            Self::Vietnam => "vn",
            Self::Philippines => "ph",
            Self::Indonesia => "id",
        }
    }

    /// The country's name in English, as addresses write it.
    pub(super) fn country(self) -> &'static str {
        match self {
            Self::Singapore => "Singapore",
            Self::Thailand => "Thailand",
            Self::Malaysia => "Malaysia",
            Self::Vietnam => "Vietnam",
            Self::Philippines => "Philippines",
            Self::Indonesia => "Indonesia",
        }
    }

    fn host(self) -> &'static str {
        match self {
            Self::Singapore => "https://api.lazada.sg",
            Self::Thailand => "https://api.lazada.co.th",
            Self::Malaysia => "https://api.lazada.com.my",
            Self::Vietnam => "https://api.lazada.vn",
            Self::Philippines => "https://api.lazada.com.ph",
            Self::Indonesia => "https://api.lazada.co.id",
        }
    }

    fn zone(self) -> Tz {
        match self {
            Self::Singapore => chrono_tz::Asia::Singapore,
            Self::Thailand => chrono_tz::Asia::Bangkok,
            Self::Malaysia => chrono_tz::Asia::Kuala_Lumpur,
            Self::Vietnam => chrono_tz::Asia::Ho_Chi_Minh,
            Self::Philippines => chrono_tz::Asia::Manila,
            Self::Indonesia => chrono_tz::Asia::Jakarta,
        }
    }

    fn currency(self) -> &'static str {
        match self {
            Self::Singapore => "SGD",
            Self::Thailand => "THB",
            Self::Malaysia => "MYR",
            Self::Vietnam => "VND",
            Self::Philippines => "PHP",
            Self::Indonesia => "IDR",
        }
    }
}

impl fmt::Display for Market {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Market {
    type Err = Error;

    fn from_str(code: &str) -> Result<Self> {
        let code = code.trim();
        Self::ALL.into_iter().find(|market| market.code().eq_ignore_ascii_case(code)).ok_or_else(|| {
            Error::new(ErrorKind::Configuration)
                .with_message("the market is none of sg, th, my, vn, ph, id (credentials, part market)")
        })
    }
}

/// Where the API is and what the shop's market is.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Config {
    /// The channel's id.
    pub id: ChannelId,
    /// The market.
    pub market: Market,
    /// Host of the API; `/rest` is added.
    pub base_url: BaseUrl,
    /// Host that gives tokens, and at which the merchant authorises the app; `/rest` is added for tokens.
    pub auth_url: BaseUrl,
    /// The zone of the shop's business day.
    pub zone: Tz,
    /// The market's currency: stands on orders that come with none, whose amounts are left out.
    pub currency: Currency,
    /// Calls per second, at least 1. Only the stock calls have a published limit (50); 10 is careful.
    pub calls_per_second: u32,
}

impl Config {
    /// The API of a market.
    ///
    /// # Errors
    /// None in practice: the addresses are fixed.
    pub fn of(market: Market) -> Result<Self> {
        Ok(Self {
            id: ChannelId::from("lazada"),
            market,
            base_url: market.host().parse()?,
            auth_url: "https://auth.lazada.com".parse()?,
            zone: market.zone(),
            currency: market.currency().parse()?,
            calls_per_second: 10,
        })
    }

    /// All of it at one other host: a local sandbox, a test's own server.
    pub fn at(mut self, base_url: BaseUrl) -> Self {
        self.base_url = base_url.clone();
        self.auth_url = base_url;
        self
    }

    /// With another number of calls per second, at least 1.
    pub fn with_calls_per_second(mut self, calls: u32) -> Self {
        self.calls_per_second = calls.max(1);
        self
    }

    pub(super) fn limits(&self) -> Vec<Limit> {
        let second = Duration::from_secs(1);
        vec![
            Limit::on_all(self.calls_per_second.max(1), second).assumed(),
            Limit::on(&[Operation::SetStock], 50, second),
        ]
    }
}

pub(super) fn info(config: &Config) -> ChannelInfo {
    let name = LocalText { en: "Lazada", ja: "ラザダ", ko: "라자다" };
    let mut info = ChannelInfo::new(config.id.clone(), name, config.zone, config.currency);
    info.state = NaiveDate::from_ymd_opt(2026, 11, 24)
        .map_or(ChannelState::Unverified("not stated"), ChannelState::VerifiedAgainstDocuments);
    info.max_window = LONGEST_WINDOW;
    info.read_batch = orders::MOST_READ;
    info.dispatch_batch = dispatch::MOST_PACKED;
    info.stock_batch = stock::MOST_SET;
    info.limits = config.limits();
    info.credential_life = Some(REFRESH_LIFE);
    info.options = vec![stock::warehouse_option(), dispatch::provider_option(), cancels::reason_option()];
    info.statuses = STATUSES.to_vec();
    info.documentation = "https://open.lazada.com/apps/doc/api";
    info
}

const STATUSES: &[StatusMapping] = &[
    StatusMapping { channel: "unpaid", status: OrderStatus::PendingPayment },
    StatusMapping { channel: "pending", status: OrderStatus::New },
    StatusMapping { channel: "topack", status: OrderStatus::New },
    StatusMapping { channel: "packed", status: OrderStatus::Confirmed },
    StatusMapping { channel: "repacked", status: OrderStatus::Confirmed },
    StatusMapping { channel: "ready_to_ship_pending", status: OrderStatus::ReadyToShip },
    StatusMapping { channel: "ready_to_ship", status: OrderStatus::ReadyToShip },
    StatusMapping { channel: "shipped", status: OrderStatus::Shipped },
    StatusMapping { channel: "shipping", status: OrderStatus::Shipped },
    StatusMapping { channel: "delivered", status: OrderStatus::Delivered },
    StatusMapping { channel: "confirmed", status: OrderStatus::Delivered },
    StatusMapping { channel: "failed", status: OrderStatus::DeliveryFailed },
    StatusMapping { channel: "failed_delivery", status: OrderStatus::DeliveryFailed },
    StatusMapping { channel: "lost", status: OrderStatus::DeliveryFailed },
    StatusMapping { channel: "lost_by_3pl", status: OrderStatus::DeliveryFailed },
    StatusMapping { channel: "damaged_by_3pl", status: OrderStatus::DeliveryFailed },
    StatusMapping { channel: "package_scrapped", status: OrderStatus::DeliveryFailed },
    StatusMapping { channel: "shipped_back", status: OrderStatus::DeliveryFailed },
    StatusMapping { channel: "shipped_back_failed", status: OrderStatus::DeliveryFailed },
    StatusMapping { channel: "shipped_back_success", status: OrderStatus::Returned },
    StatusMapping { channel: "returned", status: OrderStatus::Returned },
    StatusMapping { channel: "canceled", status: OrderStatus::Cancelled },
];

/// A word of the status table (sheet 5). Another stays unknown: it is never acted upon.
pub(super) fn status(word: &str) -> OrderStatus {
    STATUSES
        .iter()
        .find(|row| row.channel.eq_ignore_ascii_case(word))
        .map_or(OrderStatus::Unknown, |row| row.status)
}
