//! The merchant's answers where an order offers several values: options of this channel (sheet 4.5).

use crate::channel::{Context, LocalText};
use crate::options::{ChoiceDescription, OptionDescription, OptionKind};

/// The key of the option that names the pick-up address.
pub(super) const PICKUP_ADDRESS: &str = "pickup_address_id";
/// The key of the option that says which time slot is taken.
pub(super) const PICKUP_SLOT: &str = "pickup_slot";
/// The key of the option that names the drop-off branch.
pub(super) const BRANCH: &str = "dropoff_branch_id";
/// The key of the option that names the drop-off partner (TW).
pub(super) const SLUG: &str = "dropoff_slug";
/// The key of the option that holds the sender's name.
pub(super) const SENDER: &str = "sender_real_name";

fn text(key: &'static str, label: LocalText, help: LocalText) -> OptionDescription {
    OptionDescription {
        key,
        rule: "HM-3",
        kind: OptionKind::Text,
        default: serde_json::Value::Null,
        label,
        help,
    }
}

/// The options that decide where an order offers several values.
pub(super) fn options() -> Vec<OptionDescription> {
    vec![
        text(
            PICKUP_ADDRESS,
            LocalText { en: "Pick-up address", ja: "集荷先住所", ko: "픽업 주소" },
            LocalText {
                en: "Shopee's id of the address at which parcels are picked up. Needed only where the shop has several and Shopee's own mark does not tell which.",
                ja: "荷物を集荷する住所のShopee上のID。住所が複数あり、Shopeeの既定の印だけでは決まらない場合に必要です。",
                ko: "택배를 픽업할 주소의 Shopee ID입니다. 주소가 여러 개이고 Shopee의 기본 표시로 정해지지 않을 때만 필요합니다.",
            },
        ),
        OptionDescription {
            key: PICKUP_SLOT,
            rule: "HM-3",
            kind: OptionKind::Choice {
                values: vec![
                    ChoiceDescription {
                        value: "recommended",
                        label: LocalText { en: "Recommended", ja: "推奨", ko: "추천" },
                    },
                    ChoiceDescription {
                        value: "earliest",
                        label: LocalText { en: "Earliest", ja: "最も早い", ko: "가장 빠른 시간" },
                    },
                ],
            },
            default: serde_json::Value::from("recommended"),
            label: LocalText { en: "Pick-up time", ja: "集荷時間", ko: "픽업 시간" },
            help: LocalText {
                en: "Which time slot is taken for a pick-up where there are several: the one that Shopee recommends, or the earliest.",
                ja: "集荷の時間帯が複数ある場合にどれを選ぶか。Shopeeの推奨、または最も早い時間帯。",
                ko: "픽업 시간대가 여러 개일 때 무엇을 고를지 정합니다. Shopee 추천 또는 가장 빠른 시간대입니다.",
            },
        },
        text(
            BRANCH,
            LocalText { en: "Drop-off branch", ja: "持込み先の店舗", ko: "접수 지점" },
            LocalText {
                en: "Shopee's id of the branch to which parcels are taken. Needed only where an order offers several.",
                ja: "荷物を持ち込む店舗のShopee上のID。注文に店舗が複数ある場合に必要です。",
                ko: "택배를 접수할 지점의 Shopee ID입니다. 주문에 지점이 여러 개일 때만 필요합니다.",
            },
        ),
        text(
            SLUG,
            LocalText {
                en: "Drop-off partner (Taiwan)",
                ja: "持込み先の配送業者（台湾）",
                ko: "접수 배송사(대만)",
            },
            LocalText {
                en: "Shopee's name (slug) of the partner to which parcels are taken. Needed only where an order offers several.",
                ja: "荷物を持ち込む配送業者のShopee上の名前（slug）。注文に業者が複数ある場合に必要です。",
                ko: "택배를 접수할 배송사의 Shopee 이름(slug)입니다. 주문에 배송사가 여러 개일 때만 필요합니다.",
            },
        ),
        text(
            SENDER,
            LocalText { en: "Sender's real name", ja: "差出人の本名", ko: "보내는 사람 실명" },
            LocalText {
                en: "The name that some drop-off partners ask for. At most 64 characters.",
                ja: "一部の持込み先が求める差出人の氏名。64文字以内。",
                ko: "일부 접수처가 요구하는 보내는 사람의 이름입니다. 64자 이내.",
            },
        ),
    ]
}

/// What the merchant chose for these questions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) address: Option<String>,
    pub(super) earliest: bool,
    pub(super) branch: Option<String>,
    pub(super) slug: Option<String>,
    pub(super) sender: Option<String>,
}

impl Settings {
    pub(super) fn of(cx: &Context) -> Self {
        let text = |key: &str| {
            let text = cx.setting(key).and_then(serde_json::Value::as_str).map(str::trim);
            text.filter(|text| !text.is_empty()).map(str::to_owned)
        };
        Self {
            address: text(PICKUP_ADDRESS),
            earliest: text(PICKUP_SLOT).as_deref() == Some("earliest"),
            branch: text(BRANCH),
            slug: text(SLUG),
            sender: text(SENDER),
        }
    }
}
