//! What can be switched on the face.

use axum::http::HeaderMap;
use serde::Deserialize;

use super::Coupang;
use crate::{RateLimit, lock};

/// Whose buyers, by the header `X-MARKET`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Market {
    Kr,
    Tw,
}

impl Market {
    /// Korea when nothing is said. None for another market.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        match headers.get("x-market").map(|value| value.as_bytes()) {
            None | Some(b"KR") => Some(Self::Kr),
            Some(b"TW") => Some(Self::Tw),
            Some(_) => None,
        }
    }

    pub(super) fn currency(self) -> &'static str {
        match self {
            Self::Kr => "KRW",
            Self::Tw => "TWD",
        }
    }

    /// Taiwan's orders go to Taiwan, Korea's anywhere else.
    pub(super) fn takes(self, country: &str) -> bool {
        (country == "TW") == (self == Self::Tw)
    }
}

/// What the gateway does instead of answering.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gateway {
    /// It lets calls through.
    #[default]
    Open,
    /// The caller's address is not registered: 403 with JSON.
    AddressRefused,
    /// The firewall has had enough: 403 with an HTML page.
    Denied,
    /// The vendor is blocked for heavy use: 302.
    Blocked,
}

/// How an order is cut into boxes when it comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BoxesPer {
    /// One box for the whole order.
    #[default]
    Order,
    /// One box for each line.
    Line,
}

#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) gateway: Gateway,
    pub(super) boxes: BoxesPer,
    /// Most rows on a page, whatever is asked for.
    pub(super) page_size: usize,
    /// Minutes until a confirmation shows.
    pub(super) confirm_lag: u32,
    /// Minutes until a paid order shows.
    pub(super) list_lag: u32,
    /// Whether lists take longer than the gateway's 3 seconds: 504 without `X-EXTENDED-TIMEOUT`.
    pub(super) slow: bool,
    pub(super) limit: Option<RateLimit>,
    /// Minutes for which a caller above the limit is blocked.
    pub(super) block_minutes: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            gateway: Gateway::Open,
            boxes: BoxesPer::Order,
            page_size: 100,
            confirm_lag: 0,
            list_lag: 0,
            slow: false,
            limit: None,
            block_minutes: 0,
        }
    }
}

impl Coupang {
    fn change(self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut lock(&self.0.settings));
        self
    }

    /// What the gateway does.
    #[must_use]
    pub fn gateway(self, gateway: Gateway) -> Self {
        self.change(|settings| settings.gateway = gateway)
    }

    /// How orders are cut into boxes.
    #[must_use]
    pub fn boxes_per(self, boxes: BoxesPer) -> Self {
        self.change(|settings| settings.boxes = boxes)
    }

    /// Most rows on a page, whatever is asked for; at least 1.
    #[must_use]
    pub fn page_size(self, rows: usize) -> Self {
        self.change(|settings| settings.page_size = rows.max(1))
    }

    /// Minutes until a confirmation shows, though the call succeeded: up to 30 in reality.
    #[must_use]
    pub fn confirm_lag(self, minutes: u32) -> Self {
        self.change(|settings| settings.confirm_lag = minutes)
    }

    /// Minutes until a paid order shows in lists: about 10 in reality.
    #[must_use]
    pub fn list_lag(self, minutes: u32) -> Self {
        self.change(|settings| settings.list_lag = minutes)
    }

    /// Lists take longer than the gateway waits: 504, unless the call brings `X-EXTENDED-TIMEOUT`.
    #[must_use]
    pub fn slow(self) -> Self {
        self.change(|settings| settings.slow = true)
    }

    /// A limit per vendor, and for how many minutes a vendor above it is blocked. 10 a second in reality.
    #[must_use]
    pub fn limited_to(self, limit: RateLimit, block_minutes: u32) -> Self {
        self.change(|settings| {
            settings.limit = Some(limit);
            settings.block_minutes = block_minutes;
        })
    }
}
