//! Where the API is, and what the channel is, as data.

use std::time::Duration;

use chrono::NaiveDate;
use chrono_tz::Tz;
use serde_json::{Value, json};

use crate::channel::{ChannelInfo, ChannelState, Limit, LocalText};
use crate::error::Result;
use crate::http::BaseUrl;
use crate::model::{ChannelId, Currency};
use crate::options::{ChoiceDescription, OptionDescription, OptionKind};

use super::status::STATUSES;

/// Whether unpaid orders are shipped.
pub(super) const AWAITING_PAYMENT: &str = "awaiting_payment";
/// What a quantity does to a listing whose stock is not tracked.
pub(super) const UNLIMITED_STOCK: &str = "unlimited_stock";

/// None is published. Each window looks through all orders that changed since it began, so long ones are few.
const LONGEST_WINDOW: Duration = Duration::from_secs(31 * 24 * 3600);
/// Each of these is a read and a write of its own: about six seconds at 8 calls a second.
const WRITES: usize = 25;
/// Open orders are a read each.
const READS: usize = 50;
/// The largest published quantity is none; the maker's client holds a signed 32-bit number (sheet, limits).
const MOST_PIECES: u32 = i32::MAX as u32;

/// Where the API is, and what is known of the store.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Config {
    /// The host of the API.
    pub base_url: BaseUrl,
    /// The host at which merchants authorise a public app.
    pub auth_url: BaseUrl,
    /// The store's currency: orders don't carry one. `None`: the store is asked, once.
    pub currency: Option<Currency>,
    /// The store's zone, for the days on which buyers want their parcels. `None`: the store is asked, once.
    pub zone: Option<Tz>,
    /// Calls per second, at least 1. The channel lets 600 a minute through and shuts out for longer who goes on beyond
    /// it. Default: 8.
    pub calls_per_second: u32,
}

impl Config {
    /// Ecwid's own hosts; currency and zone are asked for.
    ///
    /// # Errors
    /// None in practice: the addresses are fixed.
    pub fn new() -> Result<Self> {
        Ok(Self {
            base_url: "https://app.ecwid.com".parse()?,
            auth_url: "https://my.ecwid.com".parse()?,
            currency: None,
            zone: None,
            calls_per_second: 8,
        })
    }

    /// At another host, for API and authorisation alike: a sandbox, a test's own server.
    pub fn at(mut self, base_url: BaseUrl) -> Self {
        self.auth_url = base_url.clone();
        self.base_url = base_url;
        self
    }

    /// With the store's currency and zone, so that it is not asked for them.
    pub fn with_store(mut self, currency: Currency, zone: Tz) -> Self {
        self.currency = Some(currency);
        self.zone = Some(zone);
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

/// The channel's id.
pub(super) fn id() -> ChannelId {
    ChannelId::from("ecwid")
}

fn options() -> Vec<OptionDescription> {
    let choice = |value, label| ChoiceDescription { value, label };
    let option = |key, rule, values, default: Value, label, help| OptionDescription {
        key,
        rule,
        kind: OptionKind::Choice { values },
        default,
        label,
        help,
    };
    vec![
        option(
            AWAITING_PAYMENT,
            "OS-3",
            vec![
                choice(
                    "wait",
                    LocalText {
                        en: "Wait until paid", ja: "入金を待つ", ko: "결제될 때까지 대기"
                    },
                ),
                choice("new", LocalText { en: "Ship them", ja: "出荷する", ko: "출고합니다" }),
            ],
            json!("wait"),
            LocalText {
                en: "Orders awaiting payment", ja: "入金待ちの注文", ko: "결제 대기 주문"
            },
            LocalText {
                en: "Ship them only where buyers pay on delivery or by invoice.",
                ja: "代金引換や請求書払いの場合のみ出荷してください。",
                ko: "착불이나 청구서 결제일 때만 출고하세요.",
            },
        ),
        option(
            UNLIMITED_STOCK,
            "SS-2",
            vec![
                choice("refuse", LocalText { en: "Refuse", ja: "設定しない", ko: "설정하지 않음" }),
                choice(
                    "track",
                    LocalText {
                        en: "Switch tracking on", ja: "在庫管理をオンにする", ko: "재고 추적 켜기"
                    },
                ),
            ],
            json!("refuse"),
            LocalText {
                en: "Unlimited stock", ja: "在庫無制限の商品", ko: "재고 무제한 상품"
            },
            LocalText {
                en: "What a quantity does to a linked listing whose stock Ecwid does not track.",
                ja: "Ecwidで在庫管理されていない連携済み商品に数量を設定するときの動作。",
                ko: "Ecwid에서 재고를 추적하지 않는 연결된 상품에 수량을 설정할 때의 동작입니다.",
            },
        ),
    ]
}

/// The channel as data. Where currency and zone are not configured, US dollars and UTC stand in here; orders carry what
/// the store says.
pub(super) fn info(config: &Config) -> ChannelInfo {
    let name = LocalText {
        en: "Ecwid by Lightspeed",
        ja: "Ecwid by Lightspeed (エクウィッド)",
        ko: "Ecwid by Lightspeed (에퀴드)",
    };
    let zone = config.zone.unwrap_or(chrono_tz::UTC);
    let mut info = ChannelInfo::new(id(), name, zone, config.currency.unwrap_or(Currency::USD));
    info.state = match NaiveDate::from_ymd_opt(2026, 11, 24) {
        Some(day) => ChannelState::VerifiedAgainstDocuments(day),
        None => ChannelState::Part("the day of the check is not known"),
    };
    info.max_window = LONGEST_WINDOW;
    info.confirm_batch = WRITES;
    info.dispatch_batch = WRITES;
    info.stock_batch = WRITES;
    info.read_batch = READS;
    info.limits = config.limits();
    info.stock_range = (0, MOST_PIECES);
    // Tokens don't end (sheet, credentials).
    info.credential_life = None;
    info.options = options();
    info.statuses = STATUSES.to_vec();
    info.documentation = "https://docs.ecwid.com/api-reference";
    info
}
