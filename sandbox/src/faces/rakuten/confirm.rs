//! `confirmOrder` (sheet 4.3).

use axum::response::Response;
use serde_json::json;

use super::answer::{Message, bad_request, ok};
use super::desk::Visit;
use super::detail::order_numbers;
use crate::market::{Line, LineState, Refusal};

const OPERATION: &str = "CONFIRM_ORDER";

pub(super) fn run(visit: &Visit<'_>) -> Response {
    let mut messages = Vec::new();
    let numbers = order_numbers(&visit.call.body, OPERATION, &mut messages);
    if !messages.is_empty() {
        return bad_request(&json!({ "MessageModelList": messages }));
    }
    let messages: Vec<Message> = numbers.iter().map(|number| confirm(visit, number)).collect();
    ok(&json!({ "MessageModelList": messages }))
}

fn confirm(visit: &Visit<'_>, number: &str) -> Message {
    let refused = |code, text: &str| Message::error(OPERATION, code, text).of_order(number);
    let moved = || refused(103, "注文確認できないステータスです。");
    let Some(order) = visit.order(number) else {
        return refused(101, "該当する注文がありません。");
    };
    let page = visit.book().page(order.number);
    match visit.progress(&order, &page) {
        800 | 900 => return refused(102, "注文がキャンセルされている可能性があります。"),
        100 if page.unfixed => return refused(105, "送料が未設定のため、注文確認できません。"),
        // The attempt goes on to the market, so that it is in the record.
        _ => {}
    }
    let live: Vec<&Line> = order.lines.iter().filter(|line| line.state != LineState::Cancelled).collect();
    // Lines that were confirmed one by one in the back office don't stop the others.
    let open: Vec<&Line> = live.iter().copied().filter(|line| line.confirmed_at.is_none()).collect();
    let asked = if open.is_empty() { live } else { open };
    let results: Vec<_> = asked.into_iter().map(|line| confirm_line(visit, line)).collect();
    if results.iter().any(Result::is_err) {
        return moved();
    }
    Message::info(OPERATION, 101, "注文確認に成功しました。").of_order(number)
}

fn confirm_line(visit: &Visit<'_>, line: &Line) -> Result<(), Refusal> {
    if line.state == LineState::AwaitingPayment {
        visit.acting().confirm_unpaid(line.number)
    } else {
        visit.acting().confirm(line.number, None)
    }
}
