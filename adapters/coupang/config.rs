//! Where the API is, in which market, and how it is used.

use chrono_tz::Tz;

use crate::channel::CancelAction;
use crate::error::Result;
use crate::http::BaseUrl;
use crate::model::Currency;

use super::cancels;

/// In which country the buyers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Market {
    /// Korea.
    Korea,
    /// Taiwan: orders, confirmation, listings and cancel requests. Dispatch, stock and answers to cancel requests are
    /// documented for Korea only (sheet 8).
    Taiwan,
}

impl Market {
    /// The value of `X-MARKET`, which is the country's code too.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Korea => "KR",
            Self::Taiwan => "TW",
        }
    }

    pub(super) fn zone(self) -> Tz {
        match self {
            Self::Korea => chrono_tz::Asia::Seoul,
            Self::Taiwan => chrono_tz::Asia::Taipei,
        }
    }

    /// How days are sent (sheet 3).
    pub(super) fn offset(self) -> &'static str {
        match self {
            Self::Korea => "+09:00",
            Self::Taiwan => "+08:00",
        }
    }

    pub(super) fn cancel_actions(self) -> &'static [CancelAction] {
        match self {
            Self::Korea => cancels::KOREA,
            Self::Taiwan => cancels::TAIWAN,
        }
    }
}

/// Where the API is, and how it is used.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Config {
    /// In which country the buyers are.
    pub market: Market,
    /// Host of all calls.
    pub base_url: BaseUrl,
    /// The currency of amounts that come without one.
    currency: Currency,
    /// Calls per second, at least 1. About 10 are published; beyond it the channel blocks, for good in the end.
    pub calls_per_second: u32,
    /// How many days before the window orders are looked for, 1 to 9. Orders are listed by the day on which they were
    /// made, and taken by the day on which they were paid: a bank transfer can come days later.
    pub payment_days: u32,
}

impl Config {
    /// Korea.
    ///
    /// # Errors
    /// None in practice: the address is fixed.
    pub fn korea() -> Result<Self> {
        Self::of(Market::Korea, Currency::KRW)
    }

    /// Taiwan, through the same host.
    ///
    /// # Errors
    /// None in practice: the address is fixed.
    pub fn taiwan() -> Result<Self> {
        Self::of(Market::Taiwan, "TWD".parse()?)
    }

    fn of(market: Market, currency: Currency) -> Result<Self> {
        let base_url = "https://api-gateway.coupang.com".parse()?;
        Ok(Self { market, base_url, currency, calls_per_second: 5, payment_days: 7 })
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

    /// With another number of days before the window, 1 to 9.
    pub fn with_payment_days(mut self, days: u32) -> Self {
        self.payment_days = days.clamp(1, 9);
        self
    }

    /// The zone of its days.
    pub(super) fn zone(&self) -> Tz {
        self.market.zone()
    }

    pub(super) fn currency(&self) -> Currency {
        self.currency
    }
}
