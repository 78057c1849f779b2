//! Where the API is, and what the channel is, as data.

use std::time::Duration;

use chrono::NaiveDate;
use chrono_tz::Asia::Tokyo;

use crate::channel::{ChannelInfo, ChannelState, Limit, LocalText, Operation, StatusMapping};
use crate::error::Result;
use crate::http::{BaseUrl, Url};
use crate::model::{ChannelId, Currency, OrderStatus};

use super::errors::Method;
use super::{CONSENT_DAYS, ONE_BY_ONE, stock};

/// One call a second for each method is what the channel allows. More can lock it for a while, so a little is added, as
/// careful clients do ("Limits").
const SPACING: Duration = Duration::from_millis(1100);
/// The longest window. Each window lists two weeks more, so long ones are few.
const LONGEST_WINDOW: Duration = Duration::from_secs(7 * 24 * 3600);

/// Where the API is.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Config {
    /// The channel's id.
    pub id: ChannelId,
    /// Host of the store API.
    pub base_url: BaseUrl,
    /// Host at which people agree and that gives tokens.
    pub auth_url: BaseUrl,
    /// Time between two calls of one method. Default: 1.1 s.
    pub spacing: Duration,
}

impl Config {
    /// The live API.
    ///
    /// # Errors
    /// None in practice: the addresses are fixed.
    pub fn live() -> Result<Self> {
        Ok(Self {
            id: ChannelId::from("yahoo_shopping"),
            base_url: "https://circus.shopping.yahooapis.jp".parse()?,
            auth_url: "https://auth.login.yahoo.co.jp".parse()?,
            spacing: SPACING,
        })
    }

    /// The channel's own test environment, for store accounts that begin with `snbx-`. People agree at the live address.
    ///
    /// # Errors
    /// None in practice: the addresses are fixed.
    pub fn test_environment() -> Result<Self> {
        Ok(Self { base_url: "https://test.circus.shopping.yahooapis.jp".parse()?, ..Self::live()? })
    }

    /// All of it at one other host: a local sandbox, a test's own server.
    pub fn at(mut self, base_url: BaseUrl) -> Self {
        self.auth_url = base_url.clone();
        self.base_url = base_url;
        self
    }

    /// With another time between two calls of one method.
    pub fn with_spacing(mut self, spacing: Duration) -> Self {
        self.spacing = spacing;
        self
    }

    pub(super) fn method_url(&self, method: Method) -> Result<Url> {
        self.base_url.join(&format!("ShoppingWebService/V1/{}", method.name()))
    }

    pub(super) fn token_url(&self) -> Result<Url> {
        self.auth_url.join("yconnect/v2/token")
    }

    /// A limit for each method: each kind of call goes to one of them. Lists and single orders count together.
    pub(super) fn limits(&self) -> Vec<Limit> {
        const BY_METHOD: [&[Operation]; 7] = [
            &[Operation::FetchOrders, Operation::ReadOrders, Operation::TestConnection],
            &[Operation::Confirm],
            &[Operation::Dispatch],
            &[Operation::DecideCancellation],
            &[Operation::SetStock],
            &[Operation::ReadStock],
            &[Operation::ListListings],
        ];
        BY_METHOD.into_iter().map(|operations| Limit::on(operations, 1, self.spacing)).collect()
    }
}

pub(super) fn info(config: &Config) -> ChannelInfo {
    let name =
        LocalText { en: "Yahoo! Shopping Japan", ja: "Yahoo!ショッピング", ko: "야후 쇼핑 재팬" };
    let mut info = ChannelInfo::new(config.id.clone(), name, Tokyo, Currency::JPY);
    info.state = NaiveDate::from_ymd_opt(2026, 11, 24)
        .map_or(ChannelState::Unverified("not stated"), ChannelState::VerifiedAgainstDocuments);
    info.max_window = LONGEST_WINDOW;
    info.confirm_batch = ONE_BY_ONE;
    info.dispatch_batch = ONE_BY_ONE;
    info.read_batch = ONE_BY_ONE;
    info.stock_batch = stock::MOST_CODES;
    info.stock_range = (0, stock::MOST_PIECES);
    info.limits = config.limits();
    info.credential_life = Some(Duration::from_secs(CONSENT_DAYS.unsigned_abs() * 24 * 3600));
    info.statuses = STATUSES.to_vec();
    info.documentation = "https://developer.yahoo.co.jp/webapi/shopping/";
    info
}

const STATUSES: &[StatusMapping] = &[
    StatusMapping { channel: "OrderStatus 4, CancelReason 110", status: OrderStatus::Returned },
    StatusMapping { channel: "OrderStatus 4", status: OrderStatus::Cancelled },
    StatusMapping { channel: "ShipStatus 4", status: OrderStatus::Delivered },
    StatusMapping { channel: "ShipStatus 3", status: OrderStatus::Shipped },
    StatusMapping { channel: "OrderStatus 5", status: OrderStatus::Shipped },
    StatusMapping { channel: "IsSplit true, with children", status: OrderStatus::Cancelled },
    StatusMapping { channel: "PayType 1, PayStatus 0", status: OrderStatus::PendingPayment },
    StatusMapping { channel: "IsReadOnly 1", status: OrderStatus::PendingPayment },
    StatusMapping { channel: "FraudHoldStatus 1", status: OrderStatus::PendingPayment },
    StatusMapping { channel: "FraudHoldStatus 3", status: OrderStatus::PendingPayment },
    StatusMapping { channel: "OrderStatus 2, IsSeen false", status: OrderStatus::New },
    StatusMapping { channel: "OrderStatus 2, IsSeen true", status: OrderStatus::Confirmed },
    StatusMapping { channel: "OrderStatus 1, IsSeen false", status: OrderStatus::New },
    StatusMapping { channel: "OrderStatus 1, IsSeen true", status: OrderStatus::Confirmed },
    StatusMapping { channel: "OrderStatus 3, IsSeen false", status: OrderStatus::New },
    StatusMapping { channel: "OrderStatus 3, IsSeen true", status: OrderStatus::Confirmed },
    StatusMapping { channel: "OrderStatus 0", status: OrderStatus::Unknown },
    StatusMapping { channel: "OrderStatus 8", status: OrderStatus::Unknown },
];
