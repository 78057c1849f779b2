//! What the merchant must choose: CROSS MALL has no fixed order states, only the account's own processing phases (処理
//! フェーズ). Nothing in an order says "paid", "confirmed" or "shipped" but its phase.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::channel::{Context, LocalText};
use crate::error::{Error, ErrorKind, Result};
use crate::model::OrderStatus;
use crate::options::{OptionDescription, OptionKind};

/// Phases of paid orders that wait for the seller.
pub(super) const NEW_PHASES: &str = "new_phases";
/// Phases of orders that wait for payment.
pub(super) const UNPAID_PHASES: &str = "unpaid_phases";
/// Phases after the seller has taken the order.
pub(super) const CONFIRMED_PHASES: &str = "confirmed_phases";
/// The phase to which confirming moves an order.
pub(super) const CONFIRM_PHASE: &str = "confirm_phase";
/// Phases that mean "has left".
pub(super) const SHIPPED_PHASES: &str = "shipped_phases";
/// The phase to which dispatch moves an order.
pub(super) const SHIPPED_PHASE: &str = "shipped_phase";
/// Phases that the merchant uses for cancelled orders.
pub(super) const CANCELLED_PHASES: &str = "cancelled_phases";
/// Usual names of carriers, and the account's own names of them.
pub(super) const CARRIERS: &str = "carriers";

/// The phase that the operator's order screen shows first.
pub(super) const FIRST_PHASE: &str = "注文確認";

/// The options that hold phases, and what they mean. The two phases to move to belong to their lists by themselves.
const LISTS: [(&str, OrderStatus); 7] = [
    (NEW_PHASES, OrderStatus::New),
    (UNPAID_PHASES, OrderStatus::PendingPayment),
    (CONFIRMED_PHASES, OrderStatus::Confirmed),
    (CONFIRM_PHASE, OrderStatus::Confirmed),
    (SHIPPED_PHASES, OrderStatus::Shipped),
    (SHIPPED_PHASE, OrderStatus::Shipped),
    (CANCELLED_PHASES, OrderStatus::Cancelled),
];

/// The merchant's choices.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Choices {
    phases: HashMap<String, OrderStatus>,
    confirm_phase: Option<String>,
    shipped_phase: Option<String>,
    carriers: HashMap<String, String>,
}

impl Choices {
    /// Reads the merchant's choices; what was not chosen, or left blank, is at its default.
    ///
    /// # Errors
    /// `Configuration` when a choice is no text, a phase has two meanings, or a carrier has no or two names.
    pub(super) fn of(cx: &Context) -> Result<Self> {
        let mut phases: HashMap<String, (OrderStatus, &str)> = HashMap::new();
        for (key, status) in LISTS {
            let chosen = chosen(cx, key)?;
            let names: Vec<&str> = match key {
                CONFIRM_PHASE | SHIPPED_PHASE => chosen.into_iter().collect(),
                NEW_PHASES => several(chosen.unwrap_or(FIRST_PHASE)).collect(),
                _ => several(chosen.unwrap_or_default()).collect(),
            };
            for name in names {
                let (known, where_) = *phases.entry(name.to_owned()).or_insert((status, key));
                if known != status {
                    return Err(wrong(format!(
                        "the phase {name} is in {where_} and in {key}: a phase has one meaning"
                    )));
                }
            }
        }
        let owned = |key| chosen(cx, key).map(|name| name.map(str::to_owned));
        Ok(Self {
            phases: phases.into_iter().map(|(name, (status, _))| (name, status)).collect(),
            confirm_phase: owned(CONFIRM_PHASE)?,
            shipped_phase: owned(SHIPPED_PHASE)?,
            carriers: carriers(chosen(cx, CARRIERS)?.unwrap_or_default())?,
        })
    }

    /// What a phase means; `None`: no option names it. Names are compared exactly, as text.
    pub(super) fn status(&self, phase: &str) -> Option<OrderStatus> {
        self.phases.get(phase.trim()).copied()
    }

    /// The phase to which confirming moves an order.
    ///
    /// # Errors
    /// `Configuration`, naming the option, when it is not set.
    pub(super) fn confirm_phase(&self) -> Result<&str> {
        self.confirm_phase.as_deref().ok_or_else(|| {
            wrong(format!(
                "set the option {CONFIRM_PHASE} first: the phase to which confirming moves an order"
            ))
        })
    }

    /// The phase to which dispatch moves an order.
    ///
    /// # Errors
    /// `Configuration`, naming the option, when it is not set.
    pub(super) fn shipped_phase(&self) -> Result<&str> {
        self.shipped_phase.as_deref().ok_or_else(|| {
            wrong(format!(
                "set the option {SHIPPED_PHASE} first: the phase to which a dispatch moves an order"
            ))
        })
    }

    /// The account's own name of a carrier, where the merchant gave one.
    pub(super) fn carrier(&self, usual: &str) -> Option<&str> {
        self.carriers.get(&usual.trim().to_lowercase()).map(String::as_str)
    }

    /// What is not set, and what does not work therefore.
    pub(super) fn unset(&self) -> Vec<String> {
        let steps = [
            (CONFIRM_PHASE, &self.confirm_phase, "orders can't be confirmed"),
            (SHIPPED_PHASE, &self.shipped_phase, "parcels can't be reported"),
        ];
        let unset = steps.into_iter().filter(|(_, phase, _)| phase.is_none());
        unset.map(|(key, _, effect)| format!("the option {key} is not set: {effect}")).collect()
    }
}

fn wrong(message: String) -> Error {
    Error::new(ErrorKind::Configuration).with_message(message)
}

fn chosen<'a>(cx: &'a Context, key: &str) -> Result<Option<&'a str>> {
    match cx.setting(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.trim()).filter(|text| !text.is_empty())),
        Some(_) => Err(wrong(format!("the option {key} must be a text"))),
    }
}

/// The entries of a text, separated by a comma or a line.
fn several(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', '\n', '\r']).map(str::trim).filter(|entry| !entry.is_empty())
}

fn carriers(text: &str) -> Result<HashMap<String, String>> {
    let mut carriers = HashMap::new();
    for entry in several(text) {
        let (usual, own) = entry.split_once('=').unwrap_or((entry, ""));
        let (usual, own) = (usual.trim().to_lowercase(), own.trim().to_owned());
        if usual.is_empty() || own.is_empty() {
            return Err(wrong(format!("the option {CARRIERS} must be lines like yamato = ヤマト宅急便")));
        }
        if carriers.insert(usual.clone(), own.clone()).is_some_and(|before| before != own) {
            return Err(wrong(format!("the option {CARRIERS} names the carrier {usual} twice")));
        }
    }
    Ok(carriers)
}

fn option(key: &'static str, default: Value, label: LocalText, help: LocalText) -> OptionDescription {
    OptionDescription { key, rule: "channel option", kind: OptionKind::Text, default, label, help }
}

/// The options of this channel alone.
pub(super) fn options() -> Vec<OptionDescription> {
    let text = |en, ja, ko| LocalText { en, ja, ko };
    let phases = text(
        "Processing phases of CROSS MALL, exactly as they are written there; several separated by a comma or a line.",
        "CROSS MALLの処理フェーズ名(表記どおり)。複数の場合はカンマまたは改行で区切ります。",
        "CROSS MALL의 처리 페이즈 이름(표기 그대로). 여러 개는 쉼표나 줄바꿈으로 구분합니다.",
    );
    vec![
        option(
            NEW_PHASES,
            json!(FIRST_PHASE),
            text("Phases of new, paid orders", "新規(入金済み)の処理フェーズ", "신규(결제 완료) 페이즈"),
            phases,
        ),
        option(
            UNPAID_PHASES,
            Value::Null,
            text("Phases of unpaid orders", "入金待ちの処理フェーズ", "입금 대기 페이즈"),
            phases,
        ),
        option(
            CONFIRMED_PHASES,
            Value::Null,
            text("Phases of confirmed orders", "受注確定後の処理フェーズ", "주문 확정 페이즈"),
            phases,
        ),
        option(
            CONFIRM_PHASE,
            Value::Null,
            text("Phase after confirming", "受注確定時の移動先フェーズ", "주문 확정 시 이동할 페이즈"),
            text(
                "Confirming moves an order to this phase. Not set: orders can't be confirmed.",
                "受注確定時に注文をこのフェーズへ移動します。未設定の場合は確定できません。",
                "주문 확정 시 이 페이즈로 이동합니다. 설정하지 않으면 확정할 수 없습니다.",
            ),
        ),
        option(
            SHIPPED_PHASES,
            Value::Null,
            text("Phases of shipped orders", "出荷済みの処理フェーズ", "출고 완료 페이즈"),
            phases,
        ),
        option(
            SHIPPED_PHASE,
            Value::Null,
            text("Phase after dispatch", "出荷時の移動先フェーズ", "출고 시 이동할 페이즈"),
            text(
                "A dispatch moves an order to this phase. CROSS MALL may report the shipment to the shop from it. Not \
                 set: parcels can't be reported.",
                "出荷報告時に注文をこのフェーズへ移動します。このフェーズからモールへ出荷通知が送られることがあります。未設定の場合は\
                 出荷報告できません。",
                "출고 보고 시 이 페이즈로 이동합니다. 이 페이즈에서 쇼핑몰로 출고 통지가 나갈 수 있습니다. 설정하지 않으면 출고를 \
                 보고할 수 없습니다.",
            ),
        ),
        option(
            CANCELLED_PHASES,
            Value::Null,
            text("Phases of cancelled orders", "キャンセルの処理フェーズ", "취소 페이즈"),
            phases,
        ),
        option(
            CARRIERS,
            Value::Null,
            text("Names of carriers", "配送便名の対応", "배송편 이름"),
            text(
                "Lines like yamato = ヤマト宅急便: the usual name, and the name of the 配送便 in CROSS MALL. Not named: \
                 the order keeps its carrier.",
                "「yamato = ヤマト宅急便」のように、一般的な名称とCROSS MALLの配送便名を一行ずつ入力します。指定のない場合は配送便を\
                 変更しません。",
                "\"yamato = ヤマト宅急便\"처럼 일반적인 이름과 CROSS MALL의 배송편 이름을 한 줄씩 입력합니다. 없으면 배송편을 \
                 바꾸지 않습니다.",
            ),
        ),
    ]
}
