//! What the channel is, and its own option, as data.

use std::time::Duration;

use chrono::NaiveDate;
use serde_json::Value;

use crate::channel::{ChannelInfo, ChannelState, Context, Limit, LocalText, Operation, StatusMapping};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{ChannelId, OrderStatus};
use crate::options::{OptionDescription, OptionKind};

use super::{Config, Market};

/// The box's words (sheet 5).
pub(super) const STATUSES: &[StatusMapping] = &[
    StatusMapping { channel: "ACCEPT", status: OrderStatus::New },
    StatusMapping { channel: "INSTRUCT", status: OrderStatus::Confirmed },
    StatusMapping { channel: "DEPARTURE", status: OrderStatus::Shipped },
    StatusMapping { channel: "DELIVERING", status: OrderStatus::Shipped },
    StatusMapping { channel: "FINAL_DELIVERY", status: OrderStatus::Delivered },
    StatusMapping { channel: "NONE_TRACKING", status: OrderStatus::Shipped },
];

/// In how many days the rest of a split box ships.
pub(super) const SPLIT_DAYS: &str = "split_rest_days";
/// The most that can be chosen for it.
const MOST_SPLIT_DAYS: i64 = 30;

/// How long the calls of one batch may take where each item needs a call of its own.
const BATCH_SECONDS: u32 = 30;
/// Most boxes of one confirmation (sheet 4.6).
pub(super) const MOST_BOXES: usize = 50;
/// The most pieces that are ever sent: no limit is documented, and a quantity beyond it is called invalid.
const MOST_PIECES: u32 = 99_999;
/// A key's life (sheet 2).
const KEY_LIFE: Duration = Duration::from_secs(180 * 24 * 3600);
/// Product and stock calls are said to have the strictest limit (sheet 7).
const STRICT: &[Operation] = &[Operation::SetStock, Operation::ReadStock, Operation::ListListings];

/// What limits there are: about 10 calls a second are published, and what goes beyond leads to blocks (sheet 7).
pub(super) fn limits(config: &Config) -> Vec<Limit> {
    let calls = config.calls_per_second.max(1);
    vec![
        Limit::on_all(calls, Duration::from_secs(1)).assumed(),
        Limit::on(STRICT, calls.div_ceil(2), Duration::from_secs(1)).assumed(),
    ]
}

pub(super) fn info(config: &Config) -> ChannelInfo {
    let name = match config.market {
        Market::Korea => LocalText { en: "Coupang", ja: "クーパン", ko: "쿠팡" },
        Market::Taiwan => {
            LocalText { en: "Coupang (Taiwan)", ja: "クーパン(台湾)", ko: "쿠팡 (대만)" }
        }
    };
    let calls = (config.calls_per_second.max(1) * BATCH_SECONDS) as usize;
    let mut info = ChannelInfo::new(ChannelId::from("coupang"), name, config.zone(), config.currency());
    info.state = match (config.market, NaiveDate::from_ymd_opt(2026, 11, 24)) {
        (Market::Korea, Some(day)) => ChannelState::VerifiedAgainstDocuments(day),
        _ => ChannelState::Part("how sellers in Taiwan dispatch and set stock is not documented"),
    };
    // With the days before the window this stays within one list of 30 days.
    info.max_window = Duration::from_secs(20 * 24 * 3600);
    info.confirm_batch = MOST_BOXES;
    info.dispatch_batch = MOST_BOXES;
    // A read is a call or two; a stock push is one, at half the speed.
    info.read_batch = (calls / 2).clamp(1, 200);
    info.stock_batch = (calls / 2).clamp(1, 200);
    info.stock_range = (0, MOST_PIECES);
    info.limits = limits(config);
    info.credential_life = Some(KEY_LIFE);
    info.options = vec![split_days_option()];
    info.statuses = STATUSES.to_vec();
    info.documentation = "https://developers.coupangcorp.com";
    info
}

fn split_days_option() -> OptionDescription {
    OptionDescription {
        key: SPLIT_DAYS,
        rule: "channel option",
        kind: OptionKind::Integer { min: 0, max: MOST_SPLIT_DAYS },
        default: Value::Null,
        label: LocalText {
            en: "Days until the rest of a split order ships",
            ja: "分割発送の残りを出荷するまでの日数",
            ko: "분리배송 나머지 상품의 출고까지 일수",
        },
        help: LocalText {
            en: "When a part of an order ships, Coupang promises the buyer a day for the rest. Not set: the day promised \
                 already; where that has passed, a part can't be shipped alone.",
            ja: "注文の一部を発送すると、残りの出荷予定日が購入者に示されます。未設定の場合は既に約束した日を使い、その日が過ぎて\
                 いるときは一部だけの発送はできません。",
            ko: "주문의 일부를 출고하면 나머지의 출고예정일이 구매자에게 표시됩니다. 설정하지 않으면 이미 약속한 날짜를 쓰고, \
                 그 날짜가 지났으면 일부만 출고할 수 없습니다.",
        },
    }
}

/// The merchant's choice of [`SPLIT_DAYS`].
///
/// # Errors
/// `Configuration` when it is no number of days.
pub(super) fn split_days(cx: &Context) -> Result<Option<u64>> {
    match cx.setting(SPLIT_DAYS) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            let days = value.as_i64().filter(|days| (0..=MOST_SPLIT_DAYS).contains(days));
            days.and_then(|days| u64::try_from(days).ok()).map(Some).ok_or_else(|| {
                Error::new(ErrorKind::Configuration)
                    .with_message(format!("option {SPLIT_DAYS} must be 0 to {MOST_SPLIT_DAYS} days"))
            })
        }
    }
}
