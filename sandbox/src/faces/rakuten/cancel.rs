//! `cancelOrder` and `cancelOrderAfterShipping` (sheet 4.8).

use axum::response::Response;
use serde_json::{Value, json};

use super::answer::{Message, bad_request, ok};
use super::desk::Visit;
use crate::market::{CancelTerms, LineState};

/// Reasons by the buyer (1 to 6) and by the shop.
const REASONS: [u64; 11] = [1, 2, 3, 4, 5, 6, 8, 10, 13, 14, 15];

/// 100 to 300.
pub(super) fn before_shipping(visit: &Visit<'_>) -> Response {
    cancel(visit, "CANCEL_ORDER", 100..=300, false)
}

/// 500 to 800.
pub(super) fn after_shipping(visit: &Visit<'_>) -> Response {
    cancel(visit, "CANCEL_ORDER_AFTER_SHIPPING", 500..=800, true)
}

fn cancel(
    visit: &Visit<'_>,
    operation: &str,
    states: std::ops::RangeInclusive<u16>,
    after_leaving: bool,
) -> Response {
    let body = &visit.call.body;
    let mut messages = Vec::new();
    let number = match body.get("orderNumber") {
        None | Some(Value::Null) => Err(Message::missing(operation, "orderNumber")),
        Some(Value::String(text)) if text.is_empty() => Err(Message::empty(operation, "orderNumber")),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(_) => Err(Message::malformed(operation, "orderNumber")),
    };
    let number = number.map_err(|message| messages.push(message)).unwrap_or_default();
    let restore = code(body, operation, "inventoryRestoreType", &[0, 1, 2], &mut messages);
    let reason = code(body, operation, "changeReasonDetailApply", &REASONS, &mut messages);
    if !messages.is_empty() {
        return bad_request(&json!({ "MessageModelList": messages }));
    }
    let refused = |code, text: &str| {
        bad_request(&json!({ "MessageModelList": [Message::error(operation, code, text).of_order(&number)] }))
    };
    let Some(order) = visit.order(&number) else {
        return refused(101, "該当する注文がありません。");
    };
    let page = visit.book().page(order.number);
    let terms = CancelTerms { restock: restore != 2, after_leaving };
    let allowed = states.contains(&visit.progress(&order, &page));
    if !allowed {
        return refused(102, "キャンセルできないステータスです。");
    }
    for line in order.lines.iter().filter(|line| line.state != LineState::Cancelled) {
        if visit.acting().cancel_on(line.number, &reason.to_string(), terms).is_err() {
            return refused(102, "キャンセルできないステータスです。");
        }
    }
    visit.book().page_mut(order.number).cancel_reason = Some(reason);
    let done = Message::info(operation, 101, "キャンセル申請に成功しました。").of_order(&number);
    ok(&json!({ "MessageModelList": [done] }))
}

fn code(body: &Value, operation: &str, field: &str, known: &[u64], messages: &mut Vec<Message>) -> u64 {
    match body.get(field) {
        None | Some(Value::Null) => messages.push(Message::missing(operation, field)),
        Some(value) => match value.as_u64().filter(|code| known.contains(code)) {
            Some(code) => return code,
            None => messages.push(Message::malformed(operation, field)),
        },
    }
    0
}
