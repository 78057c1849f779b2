//! What the channel is, and its own options, as data.

use std::time::Duration;

use chrono::NaiveDate;
use serde_json::{Value, json};

use crate::channel::{ChannelInfo, ChannelState, Limit, LocalText};
use crate::model::ChannelId;
use crate::options::{ChoiceDescription, OptionDescription, OptionKind};

use super::Config;
use super::status::STATUSES;
use super::stock::MOST;

/// Whether authorised payments are shipped.
pub(super) const AUTHORIZED: &str = "authorized_orders";
/// Whether pending payments are shipped.
pub(super) const PENDING: &str = "pending_orders";
/// Whether test orders are taken.
pub(super) const TEST_ORDERS: &str = "test_orders";
/// Where stock is set.
pub(super) const LOCATION: &str = "location_id";
/// Whether a cancellation gives the money back.
pub(super) const CANCEL_REFUND: &str = "cancel_refund";
/// Whether a cancellation mails the buyer.
pub(super) const CANCEL_MAIL: &str = "cancel_mail";

const RULE: &str = "channel option";

const SHIP_OR_WAIT: [ChoiceDescription; 2] = [
    ChoiceDescription {
        value: "new",
        label: LocalText { en: "Ship them", ja: "出荷する", ko: "출고합니다" },
    },
    ChoiceDescription {
        value: "wait",
        label: LocalText { en: "Wait until paid", ja: "入金を待つ", ko: "결제될 때까지 대기" },
    },
];

fn option(
    key: &'static str,
    kind: OptionKind,
    default: Value,
    label: LocalText,
    help: LocalText,
) -> OptionDescription {
    OptionDescription { key, rule: RULE, kind, default, label, help }
}

/// The options of this channel alone.
pub(super) fn options() -> Vec<OptionDescription> {
    let ship_or_wait = || OptionKind::Choice { values: SHIP_OR_WAIT.to_vec() };
    vec![
        option(
            AUTHORIZED,
            ship_or_wait(),
            json!("new"),
            LocalText {
                en: "Authorised payments", ja: "オーソリ済みの注文", ko: "승인된 결제"
            },
            LocalText {
                en: "Orders whose payment is authorised and not captured yet.",
                ja: "オーソリ済みで売上確定前の注文の扱い。",
                ko: "승인되었지만 아직 매입되지 않은 주문의 처리.",
            },
        ),
        option(
            PENDING,
            ship_or_wait(),
            json!("wait"),
            LocalText { en: "Pending payments", ja: "入金待ちの注文", ko: "결제 대기 주문" },
            LocalText {
                en: "Ship them only where buyers pay on delivery or by invoice.",
                ja: "代金引換や請求書払いの場合のみ出荷してください。",
                ko: "착불이나 청구서 결제일 때만 출고하세요.",
            },
        ),
        option(
            TEST_ORDERS,
            OptionKind::Switch,
            json!(false),
            LocalText {
                en: "Take test orders", ja: "テスト注文を取り込む", ko: "테스트 주문 수집"
            },
            LocalText {
                en: "Test orders are shipped like any other when this is on.",
                ja: "オンにすると、テスト注文も通常の注文と同じく出荷されます。",
                ko: "켜면 테스트 주문도 다른 주문처럼 출고됩니다.",
            },
        ),
        option(
            LOCATION,
            OptionKind::Text,
            Value::Null,
            LocalText { en: "Stock location", ja: "在庫ロケーション", ko: "재고 위치" },
            LocalText {
                en: "The id of the location whose stock is set. Needed where the shop has several active ones.",
                ja: "在庫を設定するロケーションのID。有効なロケーションが複数ある場合に必要です。",
                ko: "재고를 설정할 위치의 ID. 활성 위치가 여러 개일 때 필요합니다.",
            },
        ),
        option(
            CANCEL_REFUND,
            OptionKind::Switch,
            json!(true),
            LocalText {
                en: "Refund on cancellation", ja: "キャンセル時に返金", ko: "취소 시 환불"
            },
            LocalText {
                en: "Cancelling an order gives the money back by the original payment method.",
                ja: "注文のキャンセル時に、元の支払い方法へ返金します。",
                ko: "주문을 취소하면 원래 결제 수단으로 환불합니다.",
            },
        ),
        option(
            CANCEL_MAIL,
            OptionKind::Switch,
            json!(false),
            LocalText {
                en: "Mail the buyer on cancellation",
                ja: "キャンセル時に購入者へメール",
                ko: "취소 시 구매자에게 메일",
            },
            LocalText {
                en: "The channel mails the buyer when an order is cancelled here.",
                ja: "ここで注文をキャンセルすると、Shopifyが購入者へメールを送ります。",
                ko: "여기서 주문을 취소하면 Shopify가 구매자에게 메일을 보냅니다.",
            },
        ),
    ]
}

/// The channel as data.
pub(super) fn info(config: &Config) -> ChannelInfo {
    let name =
        LocalText { en: "Shopify", ja: "Shopify (ショッピファイ)", ko: "Shopify (쇼피파이)" };
    let mut info = ChannelInfo::new(ChannelId::from("shopify"), name, config.zone, config.currency);
    info.state = match NaiveDate::from_ymd_opt(2026, 11, 24) {
        Some(day) => ChannelState::VerifiedAgainstDocuments(day),
        None => ChannelState::Part("the day of the check is not known"),
    };
    // A search can be paged to 25,000 orders (sheet 3): a day's are well within.
    info.max_window = Duration::from_secs(24 * 3600);
    // Each of these is a call of its own.
    info.confirm_batch = 25;
    info.dispatch_batch = 25;
    info.read_batch = 25;
    // Variants that one look-up holds.
    info.stock_batch = 50;
    // The channel counts points, which the answers tell and `api` keeps to; calls are spaced by our own prudence.
    info.limits = vec![Limit::on_all(config.calls_per_second.max(1), Duration::from_secs(1)).assumed()];
    info.stock_range = (0, MOST);
    // Tokens that end are renewed by the adapter itself.
    info.credential_life = None;
    info.options = options();
    info.statuses = STATUSES.to_vec();
    info.documentation = "https://shopify.dev/docs/api/admin-graphql";
    info
}
