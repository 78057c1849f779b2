//! Cancel requests: listing, granting, refusing; cancelling as seller (sheet 4).

use std::collections::HashSet;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::channel::{
    CancelAction, CancelDecision, CancelPage, CancelReason, CancelRequest, Context, LocalText, Operation,
    Outcome, PageCursor, Refusal, each,
};
use crate::error::{Error, ErrorKind, Result};
use crate::http::Nature;
use crate::lenient::{Text, body_text, object};
use crate::model::{Line, Order, OrderId, OrderStatus, Private, Window};
use crate::options::{OptionDescription, OptionKind};

use super::auth::{Api, Ask};
use super::errors::{Endpoint, refused};
use super::items::lists;
use super::lines::LineData;
use super::orders::PARALLEL;
use super::reverses::{Reverse, Search, State, all, search_ask, search_result};
use super::rows::{Fresh, fresh};
use super::wire::{Envelope, json, readable, told};

const OPERATION: Operation = Operation::DecideCancellation;

/// What can be decided.
pub(super) const ACTIONS: &[CancelAction] =
    &[CancelAction::Accept, CancelAction::Refuse, CancelAction::CancelBySeller];

/// The key of the option that names the reason of the seller's own cancellations.
pub(super) const REASON: &str = "seller_cancel_reason_id";

/// The option that names the reason of the seller's own cancellations.
pub(super) fn reason_option() -> OptionDescription {
    OptionDescription {
        key: REASON,
        rule: "OC-6",
        kind: OptionKind::Text,
        default: serde_json::Value::Null,
        label: LocalText {
            en: "Reason of the seller's other cancellations",
            ja: "販売者によるその他のキャンセルの理由",
            ko: "판매자의 기타 취소 사유",
        },
        help: LocalText {
            en: "Lazada's id of the reason that is sent when the seller cancels and no name that Lazada offers fits (want of stock and delay usually do). It must be among those that Lazada offers for the order.",
            ja: "販売者がキャンセルし、Lazadaの提示する理由名に合うものがないとき（在庫切れ・遅延は通常合います）に送る理由のLazada上のID。注文ごとに選べる理由の中にある必要があります。",
            ko: "판매자가 취소할 때 Lazada가 제시하는 사유 이름 중 맞는 것이 없으면(품절과 지연은 보통 있습니다) 보내는 사유의 Lazada ID입니다. 주문마다 제공되는 사유 중에 있어야 합니다.",
        },
    }
}

/// A page number belongs to its search: it travels with the window.
fn cursor_of(page: usize, window: Window) -> PageCursor {
    let (from, to) = (window.from.timestamp_millis(), window.to.timestamp_millis());
    PageCursor::new(format!("{from}-{to}/{page}"))
}

/// The page in a cursor.
///
/// # Errors
/// `InvalidInput` when it is not one of this channel and window.
fn page_of(cursor: &PageCursor, window: Window) -> Result<usize> {
    let page = cursor.as_str().rsplit_once('/').and_then(|(_, page)| page.parse().ok());
    page.filter(|page| *page > 1 && cursor_of(*page, window) == *cursor)
        .ok_or_else(|| Error::invalid("the page cursor is not of this channel and window"))
}

/// A page of the requests made in a window.
pub(super) async fn requests(
    api: &Api,
    cx: &Context,
    window: Window,
    cursor: Option<&PageCursor>,
) -> Result<CancelPage> {
    if window.is_empty() {
        return Ok(CancelPage::default());
    }
    let page = cursor.map_or(Ok(1), |cursor| page_of(cursor, window))?;
    let ask = search_ask(Search::Asked(window), page);
    let answer = api.read(cx, Operation::ListCancellations, &ask).await?;
    let found = search_result(&answer.body, page)?;
    Ok(CancelPage {
        requests: found.reverses.into_iter().map(request).collect(),
        unreadable: found.unreadable,
        next: found.more.then(|| cursor_of(page + 1, window)),
    })
}

fn request(reverse: Reverse) -> CancelRequest {
    let mut request = CancelRequest::new(reverse.order.clone(), reverse.is_open());
    request.requested_at = reverse.lines.iter().filter_map(|line| line.asked_at).min();
    let mut reasons: Vec<&str> = Vec::new();
    for line in &reverse.lines {
        if !line.reason.is_empty() && !reasons.contains(&line.reason.as_str()) {
            reasons.push(&line.reason);
        }
    }
    request.reason = Private::new(reasons.join(" / "));
    request.id = (!reverse.id.is_empty()).then_some(reverse.id);
    request
}

/// Decides, order by order.
pub(super) async fn decide(
    api: &Api,
    cx: &Context,
    decisions: &[CancelDecision<'_>],
) -> Result<Vec<Outcome<()>>> {
    let mut seen: HashSet<&OrderId> = HashSet::new();
    let calls = decisions.iter().map(|decision| {
        let first = seen.insert(&decision.order.id);
        async move {
            if !first {
                let why = "another decision on this order is in the same call: read the order first";
                return Ok(Outcome::NotTried(Error::new(ErrorKind::Busy).with_message(why)));
            }
            match decision.action {
                CancelAction::CancelBySeller => cancel(api, cx, decision).await,
                CancelAction::Accept | CancelAction::Refuse => answer(api, cx, decision).await,
            }
        }
    });
    each(calls.collect::<Vec<_>>(), PARALLEL, Outcome::from_error).await
}

fn no(why: impl ToString) -> Outcome<()> {
    Outcome::Refused(Refusal::new("", why).reread())
}

/// The items of an order as they are now.
async fn now(api: &Api, cx: &Context, order: &Order) -> Result<Fresh> {
    let lists = lists(api, cx, OPERATION, &[&order.id]).await?;
    let why = match lists.get(&order.id).map(|list| fresh(list)) {
        Some(Ok(now)) => return Ok(now),
        Some(Err(why)) => why,
        None => "the channel shows no items of the order",
    };
    Err(Error::malformed(why).for_order(&order.id))
}

fn ids(line: &Line) -> Vec<String> {
    line.channel_data.read::<LineData>().unwrap_or_default().ids
}

/// The call that answers a buyer's request. The channel takes it by GET alone.
pub(super) fn decide_ask(reverse: &str, agree: bool) -> Ask {
    Ask::get(Endpoint::Decide, "/order/reverse/cancel/seller/decide")
        .with("reverse_order_id", reverse)
        .with("agree_cancel", agree.to_string())
}

/// Answers the buyer's open requests. They are looked up now: one may have been made or taken back since.
async fn answer(api: &Api, cx: &Context, decision: &CancelDecision<'_>) -> Result<Outcome<()>> {
    let order = &decision.order.id;
    let agree = decision.action == CancelAction::Accept;
    let mut reverses = all(api, cx, OPERATION, Search::Of(order)).await?;
    reverses.retain(|reverse| reverse.order == *order);
    let open: Vec<&Reverse> = reverses.iter().filter(|reverse| reverse.is_open()).collect();
    if open.is_empty() {
        let wanted = if agree { State::Granted } else { State::Rejected };
        let done = reverses.iter().flat_map(|reverse| &reverse.lines).any(|line| line.state == wanted);
        return Ok(if done { Outcome::AlreadyDone } else { no("no cancel request is open on this order") });
    }
    if open.iter().any(|reverse| reverse.id.is_empty()) {
        return Ok(no("the channel tells no id of the cancel request"));
    }
    if agree && let Some(why) = takes_more(&open, &now(api, cx, decision.order).await?) {
        return Ok(no(why));
    }
    for (n, reverse) in open.iter().enumerate() {
        // A repeat would be refused although the first was done (E0131): it is not repeated.
        let ask = decide_ask(&reverse.id, agree);
        if let Err(error) = api.call(cx, OPERATION, Nature::UnsafeWrite, &ask).await {
            // An order can have several requests, for parts of it: what was decided before stays decided.
            let error = if n > 0 { error.with_unknown_effect() } else { error };
            return Ok(Outcome::Refused(refused(&error).ok_or(error)?));
        }
    }
    Ok(Outcome::Done(()))
}

/// Why granting would cancel more than the buyer asked for: one item of a packed package takes the others along
/// (sheet 4).
fn takes_more(open: &[&Reverse], now: &Fresh) -> Option<&'static str> {
    let lines = || open.iter().flat_map(|reverse| &reverse.lines).filter(|line| line.state == State::Open);
    let here = || now.lines.iter().filter(|line| line.status < OrderStatus::Shipped);
    let asked: HashSet<&str> = lines().map(|line| line.item.as_str()).collect();
    if asked.contains("") {
        let packed = here().any(|line| !line.unit.is_empty());
        return packed.then_some(
            "the request does not tell its items, and some are packed: decide it in Seller Center",
        );
    }
    let packages: HashSet<&str> = here()
        .filter(|line| !line.unit.is_empty() && ids(line).iter().any(|id| asked.contains(id.as_str())))
        .map(|line| line.unit.as_str())
        .collect();
    let more = here()
        .filter(|line| packages.contains(line.unit.as_str()))
        .any(|line| ids(line).iter().any(|id| !asked.contains(id.as_str())));
    more.then_some(
        "granting it would cancel other pieces of the package too: repack it, or decide it in Seller Center",
    )
}

/// The call for the reasons that an order's items can be cancelled for.
///
/// # Errors
/// `InvalidInput` when it can't be written.
pub(super) fn validate_ask(order: &OrderId, items: &[String]) -> Result<Ask> {
    Ok(Ask::get(Endpoint::Validate, "/order/reverse/cancel/validate")
        .with("order_id", order.as_str())
        .with("order_item_id_list", json(items)?))
}

/// The call that cancels. The channel takes it by GET alone.
///
/// # Errors
/// `InvalidInput` when it can't be written.
pub(super) fn cancel_ask(order: &OrderId, items: &[String], reason: &str) -> Result<Ask> {
    Ok(Ask::get(Endpoint::Cancel, "/order/reverse/cancel/create")
        .with("order_id", order.as_str())
        .with("order_item_id_list", json(items)?)
        .with("reason_id", reason))
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct TipRow<'a> {
    #[serde(borrow)]
    tip_content: Text<'a>,
    #[serde(borrow)]
    tip_type: Text<'a>,
    #[serde(borrow)]
    reason_options: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ReasonRow<'a> {
    #[serde(borrow)]
    reason_name: Text<'a>,
    #[serde(borrow)]
    reason_id: Text<'a>,
}

/// The id of the reason in an answer, by its name; where no name fits, the one that the merchant chose.
///
/// # Errors
/// `MalformedResponse` when it can't be read; inside: a refusal, with the reasons that are offered.
pub(super) fn validate_result(
    body: &[u8],
    reason: CancelReason,
    chosen: Option<&str>,
) -> Result<Result<String, Refusal>> {
    let body = body_text(body);
    let row: TipRow<'_> = object("the reasons", Envelope::read(&body)?.data()?.get())?;
    if row.tip_type.trim() == "error" {
        return Ok(Err(Refusal::new("", row.tip_content.trim()).reread()));
    }
    let offered: Vec<ReasonRow<'_>> = readable(row.reason_options);
    let word = match reason {
        CancelReason::OutOfStock => Some("out of stock"),
        CancelReason::Delay => Some("delay"),
        _ => None,
    };
    // By name: the samples and the guide give one id to different reasons.
    let of = |fits: &dyn Fn(&ReasonRow<'_>) -> bool| -> Vec<String> {
        let fitting = offered.iter().filter(|row| fits(row));
        fitting.filter_map(|row| told(&row.reason_id).map(str::to_owned)).collect()
    };
    let named = of(&|row| word.is_some_and(|word| row.reason_name.to_lowercase().contains(word)));
    let fitting = if named.is_empty() { of(&|row| Some(row.reason_id.trim()) == chosen) } else { named };
    Ok(match fitting.as_slice() {
        [id] => Ok(id.clone()),
        _ => {
            let name = |row: &ReasonRow<'_>| format!("{} ({})", row.reason_name.trim(), row.reason_id.trim());
            let names: Vec<String> = offered.iter().map(name).collect();
            let why = format!(
                "Lazada offers no one reason for this: set the option {REASON}, or cancel in Seller Center; offered: {}",
                names.join(", ")
            );
            Err(Refusal::new("", why))
        }
    })
}

/// Cancels an order as seller: all of it or nothing, because items of a package go together.
async fn cancel(api: &Api, cx: &Context, decision: &CancelDecision<'_>) -> Result<Outcome<()>> {
    let order = &decision.order.id;
    let now = now(api, cx, decision.order).await?;
    let left = || now.lines.iter().filter(|line| line.status != OrderStatus::Cancelled);
    if left().next().is_none() {
        return Ok(Outcome::AlreadyDone);
    }
    if !left().all(|line| matches!(line.status, OrderStatus::New | OrderStatus::Confirmed)) {
        return Ok(no("only an order of which nothing is handed over can be cancelled by the seller"));
    }
    let items: Vec<String> = left().flat_map(ids).collect();
    let answer = api.read(cx, OPERATION, &validate_ask(order, &items)?).await?;
    let chosen = cx.setting(REASON).and_then(serde_json::Value::as_str).map(str::trim);
    let chosen = chosen.filter(|id| !id.is_empty());
    let reason = match validate_result(&answer.body, decision.reason, chosen)? {
        Ok(reason) => reason,
        Err(refusal) => return Ok(Outcome::Refused(refusal)),
    };
    let ask = cancel_ask(order, &items, &reason)?;
    match api.call(cx, OPERATION, Nature::UnsafeWrite, &ask).await {
        Ok(answer) if is_doubtful(&answer.body) => verify(api, cx, decision.order).await,
        Ok(_) => Ok(Outcome::Done(())),
        Err(error) => Ok(Outcome::Refused(refused(&error).ok_or(error)?)),
    }
}

/// Whether an answer of success comes with a tip of the kind "error": then the order says what is true.
fn is_doubtful(body: &[u8]) -> bool {
    let body = body_text(body);
    let data = Envelope::read(&body).and_then(|envelope| envelope.data());
    let row = data.ok().and_then(|data| object::<TipRow<'_>>("the tip", data.get()).ok());
    row.is_some_and(|row| row.tip_type.trim() == "error")
}

async fn verify(api: &Api, cx: &Context, order: &Order) -> Result<Outcome<()>> {
    let now = now(api, cx, order).await.map_err(Error::with_unknown_effect)?;
    if now.status == OrderStatus::Cancelled {
        return Ok(Outcome::Done(()));
    }
    let why = "the channel answered success and an error in one, and the order is not cancelled yet";
    Ok(Outcome::Unknown(Error::new(ErrorKind::Refused).with_message(why).with_unknown_effect()))
}
