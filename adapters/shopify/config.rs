//! What the shop is, and what of it is used.

use chrono_tz::Tz;

use crate::http::BaseUrl;
use crate::model::Currency;

/// What the shop is, and what of it is used.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Config {
    /// The shop's own currency. Orders carry theirs; this stands in where one does not.
    pub currency: Currency,
    /// The shop's own zone: its business day, and what ship dates are days of.
    pub zone: Tz,
    /// Another host than the shop's own: a sandbox, a test's server. It is sent the shop's token.
    pub base_url: Option<BaseUrl>,
    /// Whether ship dates are set as deadlines of the fulfilment orders. The merchant sees them in the admin, the
    /// buyer does not. Default: no.
    pub ship_dates: bool,
    /// Calls per second, at least 1. The channel counts points instead, which are kept to as well. Default: 10.
    pub calls_per_second: u32,
}

impl Default for Config {
    /// US dollars and UTC. [`discover`](super::discover) asks the shop for its own.
    fn default() -> Self {
        Self {
            currency: Currency::USD,
            zone: chrono_tz::UTC,
            base_url: None,
            ship_dates: false,
            calls_per_second: 10,
        }
    }
}

impl Config {
    /// A shop with this currency and zone.
    pub fn new(currency: Currency, zone: Tz) -> Self {
        Self { currency, zone, ..Self::default() }
    }

    /// At another host: a sandbox, a test's own server.
    pub fn at(mut self, base_url: BaseUrl) -> Self {
        self.base_url = Some(base_url);
        self
    }

    /// With ship dates set as deadlines.
    pub fn with_ship_dates(mut self) -> Self {
        self.ship_dates = true;
        self
    }

    /// With another number of calls per second, at least 1.
    pub fn with_calls_per_second(mut self, calls: u32) -> Self {
        self.calls_per_second = calls.max(1);
        self
    }
}
