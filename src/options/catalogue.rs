//! The options in words: names, help, ranges and defaults in English, Japanese and Korean.

use serde_json::{Value, json};

use super::{ChoiceDescription, OptionDescription, OptionKey, OptionKind};
use crate::channel::LocalText;

const fn text(en: &'static str, ja: &'static str, ko: &'static str) -> LocalText {
    LocalText { en, ja, ko }
}

const fn choice(
    value: &'static str,
    en: &'static str,
    ja: &'static str,
    ko: &'static str,
) -> ChoiceDescription {
    ChoiceDescription { value, label: text(en, ja, ko) }
}

/// Kind, default, label and help of an option.
pub(super) fn describe(key: OptionKey) -> OptionDescription {
    let (kind, default) = values(key);
    let (label, help) = words(key);
    OptionDescription { key: key.as_str(), rule: key.rule(), kind, default, label, help }
}

fn values(key: OptionKey) -> (OptionKind, Value) {
    match key {
        OptionKey::OrderSync => (OptionKind::Switch, json!(true)),
        OptionKey::ScheduleZone => (OptionKind::Zone, json!("Asia/Seoul")),
        OptionKey::MaxOrdersPerCycle => (OptionKind::Integer { min: 1, max: 1_000_000 }, json!(1000)),
        OptionKey::Lookback => (OptionKind::Integer { min: 0, max: 1440 }, json!(15)),
        OptionKey::Confirmation => (
            OptionKind::Choice {
                values: vec![
                    choice("full_auto", "Full auto", "全自動", "전자동"),
                    choice("manual", "Manual", "手動", "수동"),
                ],
            },
            json!("full_auto"),
        ),
        OptionKey::FulfilmentInstruction => (OptionKind::Switch, json!(false)),
        OptionKey::StockSync => (OptionKind::StockShare, Value::Null),
        OptionKey::Reconcile => (
            OptionKind::Choice {
                values: vec![
                    choice("off", "Off", "しない", "사용 안 함"),
                    choice("report", "Report differences", "差異を報告する", "차이를 보고"),
                    choice("repair", "Report and repair", "差異を報告して修正する", "차이를 보고하고 수정"),
                ],
            },
            json!("off"),
        ),
        OptionKey::Mode => (
            OptionKind::Choice {
                values: vec![
                    choice(
                        "processing_and_statistics",
                        "Order processing and statistics",
                        "注文処理と統計",
                        "주문 처리 및 통계",
                    ),
                    choice("statistics_only", "Statistics only", "統計のみ", "통계만"),
                ],
            },
            json!("processing_and_statistics"),
        ),
        OptionKey::DeliveryTracking => (
            OptionKind::Choice {
                values: vec![
                    choice(
                        "processed_here",
                        "Orders processed here",
                        "ここで処理した注文",
                        "여기서 처리한 주문",
                    ),
                    choice(
                        "all_collected",
                        "All collected orders",
                        "取得したすべての注文",
                        "수집한 모든 주문",
                    ),
                ],
            },
            json!("processed_here"),
        ),
        OptionKey::ShipOffset => (OptionKind::Integer { min: 0, max: 3 }, Value::Null),
        OptionKey::Holidays => (OptionKind::Dates, Value::Null),
        OptionKey::NotifyBuyer => (OptionKind::Switch, json!(false)),
        OptionKey::CredentialsEnd => (OptionKind::Time, Value::Null),
        OptionKey::OptionCodeAsSku => (OptionKind::Switch, json!(false)),
        OptionKey::HandOver => (
            OptionKind::Choice {
                values: vec![
                    choice("pick_up", "Pick-up by the carrier", "集荷", "방문 수거"),
                    choice("drop_off", "Drop-off at the carrier", "持ち込み", "직접 발송"),
                ],
            },
            Value::Null,
        ),
    }
}

fn words(key: OptionKey) -> (LocalText, LocalText) {
    match key {
        OptionKey::OrderSync => (
            text("Automatic order sync", "注文の自動取得", "주문 자동 수집"),
            text(
                "Takes new orders every hour. Off: only a manual run takes orders.",
                "1時間ごとに新しい注文を取得します。オフの場合は手動実行のみ取得します。",
                "매시간 새 주문을 수집합니다. 끄면 수동 실행으로만 수집합니다.",
            ),
        ),
        OptionKey::ScheduleZone => (
            text("Time zone of the schedule", "スケジュールのタイムゾーン", "일정 시간대"),
            text(
                "The zone in which days begin, for the first sync, the night catch-up and the statistics.",
                "初回取得、夜間の取りこぼし補完、統計で1日の区切りに使うタイムゾーンです。",
                "최초 수집, 야간 누락 보완, 통계에서 하루의 시작을 정하는 시간대입니다.",
            ),
        ),
        OptionKey::MaxOrdersPerCycle => (
            text("Most orders per cycle", "1回の最大取得件数", "회당 최대 수집 건수"),
            text(
                "How many orders one cycle links at most. The rest is taken by the next cycle.",
                "1回のサイクルで取り込む注文の上限です。残りは次のサイクルで取り込みます。",
                "한 번의 주기에서 연동하는 주문의 최대 건수입니다. 나머지는 다음 주기에 연동합니다.",
            ),
        ),
        OptionKey::Lookback => (
            text("Overlap in minutes", "重複取得の時間(分)", "중복 조회 시간(분)"),
            text(
                "How far each sync looks back for orders that the channel shows late.",
                "チャネルに遅れて表示される注文を拾うため、さかのぼって取得する時間です。",
                "채널에 늦게 표시되는 주문을 찾기 위해 거슬러 조회하는 시간입니다.",
            ),
        ),
        OptionKey::Confirmation => (
            text("Order confirmation", "注文確認", "주문 확인"),
            text(
                "Full auto: orders are confirmed at the channel as soon as they are linked. Manual: order by order.",
                "全自動:取り込み時にチャネルで注文確認を行います。手動:注文ごとに確認します。",
                "전자동: 연동 즉시 채널에 주문 확인을 보냅니다. 수동: 주문별로 확인합니다.",
            ),
        ),
        OptionKey::FulfilmentInstruction => (
            text("Automatic fulfilment instruction", "出荷指示の自動送信", "출고 지시 자동 전송"),
            text(
                "Confirmed fulfilment orders are sent to the fulfilment centre in the same cycle.",
                "確認済みのフルフィルメント注文を同じサイクルで倉庫に出荷指示します。",
                "확인된 풀필먼트 주문을 같은 주기에 물류센터로 출고 지시합니다.",
            ),
        ),
        OptionKey::StockSync => (
            text("Automatic stock sync", "在庫の自動連携", "재고 자동 연동"),
            text(
                "Shows a share of the available stock (1 to 100 %), after a reserve in pieces, on linked listings.",
                "紐付け済みの商品に、予備数を引いた販売可能在庫の指定割合(1〜100%)を反映します。",
                "연결된 상품에 예비 수량을 뺀 가용 재고의 지정 비율(1~100%)을 반영합니다.",
            ),
        ),
        OptionKey::Reconcile => (
            text("Daily stock comparison", "在庫の日次照合", "재고 일일 대조"),
            text(
                "Once a day the quantities that the channel shows are compared with what they should be.",
                "1日1回、チャネルの表示在庫をあるべき数量と照合します。",
                "하루 한 번 채널에 표시된 수량을 기준 수량과 대조합니다.",
            ),
        ),
        OptionKey::Mode => (
            text("Account mode", "アカウントの用途", "계정 용도"),
            text(
                "Statistics only: orders are collected and counted; nothing is changed at the channel.",
                "統計のみ:注文を取得して集計し、チャネル側は一切変更しません。",
                "통계만: 주문을 수집해 집계하며 채널의 정보는 변경하지 않습니다.",
            ),
        ),
        OptionKey::DeliveryTracking => (
            text("Delivery tracking", "配送状況の追跡", "배송 추적"),
            text(
                "Which orders are followed until they are delivered.",
                "配達完了まで配送状況を追跡する注文の範囲です。",
                "배송 완료까지 추적할 주문의 범위입니다.",
            ),
        ),
        OptionKey::ShipOffset => (
            text("Expected ship date (D+n)", "発送予定日(D+n)", "발송 예정일(D+n)"),
            text(
                "Working days from the confirmation to the ship date told to the buyer, 0 to 3. Once sent it never changes.",
                "注文確認から購入者に伝える発送予定日までの営業日数(0〜3)です。送信後は変更されません。",
                "주문 확인일부터 구매자에게 알리는 발송 예정일까지의 영업일 수(0~3)입니다. 전송 후에는 변경되지 않습니다.",
            ),
        ),
        OptionKey::Holidays => (
            text("Holidays", "休業日", "휴무일"),
            text(
                "Days that don't count as working days, beside Saturdays and Sundays.",
                "土日のほかに営業日として数えない日です。",
                "토·일요일 외에 영업일로 세지 않는 날입니다.",
            ),
        ),
        OptionKey::NotifyBuyer => (
            text("Notify the buyer", "購入者への通知", "구매자 알림"),
            text(
                "From dispatch on, the channel mails the buyer at each change.",
                "発送以降の変更のたびに、チャネルから購入者にメールが送られます。",
                "발송 이후 변경될 때마다 채널이 구매자에게 메일을 보냅니다.",
            ),
        ),
        OptionKey::CredentialsEnd => (
            text("End of the credentials", "認証情報の有効期限", "인증 정보 만료일"),
            text(
                "Warnings come 14, 7, 3 and 1 days before; afterwards nothing is sent until they are renewed.",
                "14・7・3・1日前に警告します。期限後は更新するまで何も送信しません。",
                "14·7·3·1일 전에 경고합니다. 만료 후에는 갱신할 때까지 아무것도 보내지 않습니다.",
            ),
        ),
        OptionKey::OptionCodeAsSku => (
            text(
                "Use the option code for fulfilment orders",
                "オプションコードを出荷に使う",
                "옵션 코드를 출고에 사용",
            ),
            text(
                "Yes: the option code of each line is its SKU, and the order can be a fulfilment order.",
                "はい:各明細のオプションコードをSKUとして扱い、フルフィルメント注文にできます。",
                "예: 각 품목의 옵션 코드를 SKU로 사용하며 풀필먼트 주문이 될 수 있습니다.",
            ),
        ),
        OptionKey::HandOver => (
            text("Hand-over method", "荷物の引き渡し方法", "상품 인계 방법"),
            text(
                "How parcels reach the carrier, as the contract with the carrier says.",
                "運送会社との契約に応じた荷物の引き渡し方法です。",
                "택배사 계약에 따른 상품 인계 방법입니다.",
            ),
        ),
    }
}
