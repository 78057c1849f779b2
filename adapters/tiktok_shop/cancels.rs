//! Cancel requests: listing, granting, refusing (sheet 4).

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::channel::{
    CancelAction, CancelDecision, CancelPage, CancelRequest, Context, LocalText, Operation, Outcome,
    PageCursor, Refusal, UnreadableRow, each,
};
use crate::error::Result;
use crate::http::Nature;
use crate::lenient::{Text, body_text, object};
use crate::model::{OrderId, Private, RawPayload, Window};
use crate::options::{OptionDescription, OptionKind};

use super::auth::{Api, Ask};
use super::errors::{Endpoint, refused};
use super::orders::{ceil, cursor_of, token_of};
use super::wire::{Envelope, json, readable, rows, segment, time};

/// Most requests on a page.
const PAGE: usize = 50;
/// So many decisions are on their way at once.
const PARALLEL: usize = 4;

/// What can be decided.
pub(super) const ACTIONS: &[CancelAction] = &[CancelAction::Accept, CancelAction::Refuse];

/// The key of the option that names the reason of a refusal.
pub(super) const REJECT_REASON: &str = "cancel_reject_reason";
/// What most sellers refuse for; an example of the official documentation.
const PACKED: &str = "seller_reject_apply_product_has_been_packed";

/// The option that names the reason of a refusal.
pub(super) fn reject_option() -> OptionDescription {
    OptionDescription {
        key: REJECT_REASON,
        rule: "OC-6",
        kind: OptionKind::Text,
        default: serde_json::Value::from(PACKED),
        label: LocalText {
            en: "Reason for refusing a cancellation",
            ja: "キャンセル拒否の理由",
            ko: "취소 거절 사유",
        },
        help: LocalText {
            en: "TikTok Shop's name of the reason that is sent when a buyer's cancel request is refused. It must be among those that TikTok Shop offers for the request.",
            ja: "購入者のキャンセル申請を拒否するときに送る理由のTikTok Shop上の名前。申請ごとに選べる理由の中にある必要があります。",
            ko: "구매자의 취소 요청을 거절할 때 보내는 사유의 TikTok Shop 이름입니다. 요청마다 제공되는 사유 중에 있어야 합니다.",
        },
    }
}

#[derive(Serialize, Default)]
struct Search<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    order_ids: Option<[&'a str; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    create_time_ge: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    create_time_lt: Option<i64>,
}

fn search(search: &Search<'_>, token: Option<&str>) -> Result<Ask> {
    let ask = Ask::post(Endpoint::Cancellations, "/return_refund/202309/cancellations/search", json(search)?)
        .with("page_size", PAGE.to_string())
        .with("sort_field", "create_time")
        .with("sort_order", "ASC");
    Ok(match token {
        Some(token) => ask.with("page_token", token),
        None => ask,
    })
}

/// The search for requests made in a window. The type is not asked for: the documents call a buyer's request by two
/// names, and a wrong one would find nothing.
///
/// # Errors
/// `InvalidInput` when it can't be written.
pub(super) fn window_ask(window: Window, token: Option<&str>) -> Result<Ask> {
    let (from, to) = (Some(window.from.timestamp()), Some(ceil(window.to)));
    search(&Search { create_time_ge: from, create_time_lt: to, ..Search::default() }, token)
}

/// The search for an order's requests.
///
/// # Errors
/// `InvalidInput` when it can't be written.
pub(super) fn order_ask(order: &OrderId) -> Result<Ask> {
    search(&Search { order_ids: Some([order.as_str()]), ..Search::default() }, None)
}

/// How far a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Open,
    Granted,
    Closed,
}

impl State {
    /// A word that is not known counts as open: nothing may be done to the order unseen.
    fn read(word: &str) -> Self {
        match word {
            "CANCELLATION_REQUEST_SUCCESS" | "CANCELLATION_REQUEST_COMPLETE" => Self::Granted,
            // The documents spell it in two ways.
            "CANCELLATION_REQUEST_CANCEL" | "CANCELLATION_REQUEST_CANCELLED" => Self::Closed,
            _ => Self::Open,
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct CancelRow<'a> {
    #[serde(borrow)]
    order_id: Text<'a>,
    #[serde(borrow)]
    cancel_id: Text<'a>,
    #[serde(borrow)]
    cancel_type: Text<'a>,
    #[serde(borrow)]
    cancel_status: Text<'a>,
    #[serde(borrow)]
    role: Text<'a>,
    #[serde(borrow)]
    cancel_reason_text: Text<'a>,
    #[serde(borrow)]
    cancel_reason: Text<'a>,
    #[serde(borrow)]
    create_time: Text<'a>,
}

impl CancelRow<'_> {
    /// Whether the buyer asked; cancellations by seller and system are listed beside.
    fn is_buyers(&self) -> bool {
        match (self.role.trim(), self.cancel_type.trim()) {
            ("BUYER", _) => true,
            ("", kind) => kind != "CANCEL",
            _ => false,
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Page<'a> {
    #[serde(borrow)]
    cancellations: Option<&'a RawValue>,
    #[serde(borrow)]
    next_page_token: Text<'a>,
}

/// The requests of an answer.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) requests: Vec<(CancelRequest, State)>,
    pub(super) unreadable: Vec<UnreadableRow>,
    pub(super) next: Option<String>,
}

/// Reads the requests of an answer.
///
/// # Errors
/// `MalformedResponse` when the answer as a whole can't be read.
pub(super) fn search_result(body: &[u8]) -> Result<Found> {
    let body = body_text(body);
    let page: Page<'_> = Envelope::read(&body)?.data()?;
    let mut found = Found { next: page.next_page_token.filled().map(str::to_owned), ..Found::default() };
    for raw in rows(page.cancellations)? {
        let row = object::<CancelRow<'_>>("a cancel request", raw.get()).unwrap_or_default();
        let Some(order) = row.order_id.filled() else {
            let raw = RawPayload::new(raw.get());
            found.unreadable.push(UnreadableRow::new(None, "a cancel request without an order", raw));
            continue;
        };
        if !row.is_buyers() {
            continue;
        }
        let state = State::read(row.cancel_status.trim());
        let mut request = CancelRequest::new(OrderId::from(order), state == State::Open);
        request.id = row.cancel_id.filled().map(str::to_owned);
        request.requested_at = time(&row.create_time);
        let reason = row.cancel_reason_text.filled().or(row.cancel_reason.filled()).unwrap_or_default();
        request.reason = Private::new(reason.to_owned());
        found.requests.push((request, state));
    }
    Ok(found)
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
    let token = cursor.map(|cursor| token_of(cursor, window)).transpose()?;
    let ask = window_ask(window, token)?;
    let answer = api.call(cx, Operation::ListCancellations, Nature::Read, &ask).await?;
    let found = search_result(&answer.body)?;
    Ok(CancelPage {
        requests: found.requests.into_iter().map(|(request, _)| request).collect(),
        unreadable: found.unreadable,
        next: found.next.map(|token| cursor_of(&token, window)),
    })
}

#[derive(Deserialize)]
struct Reasons<'a> {
    #[serde(borrow)]
    reasons: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ReasonRow<'a> {
    #[serde(borrow)]
    name: Text<'a>,
}

/// The names of the reasons of an answer.
///
/// # Errors
/// `MalformedResponse` when it can't be read.
pub(super) fn reasons_result(body: &[u8]) -> Result<Vec<String>> {
    let body = body_text(body);
    let data: Reasons<'_> = Envelope::read(&body)?.data()?;
    rows(data.reasons)?;
    let rows: Vec<ReasonRow<'_>> = readable(data.reasons);
    Ok(rows.iter().filter_map(|row| row.name.filled().map(str::to_owned)).collect())
}

#[derive(Serialize)]
struct Rejection<'a> {
    reject_reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<&'a str>,
}

/// The call that grants a request. The key makes a repeat harmless (sheet 4).
///
/// # Errors
/// `InvalidInput` when the id is none.
pub(super) fn approve_ask(id: &str) -> Result<Ask> {
    let path = format!("/return_refund/202309/cancellations/{}/approve", segment(id)?);
    Ok(Ask::post(Endpoint::Approve, path, "{}".to_owned()).with("idempotency_key", format!("approve-{id}")))
}

/// The call that refuses a request.
///
/// # Errors
/// `InvalidInput` when the id is none.
pub(super) fn reject_ask(id: &str, reason: &str, comment: Option<&str>) -> Result<Ask> {
    let path = format!("/return_refund/202309/cancellations/{}/reject", segment(id)?);
    let body = json(&Rejection { reject_reason: reason, comment })?;
    Ok(Ask::post(Endpoint::Reject, path, body).with("idempotency_key", format!("reject-{id}")))
}

/// Decides, order by order.
pub(super) async fn decide(
    api: &Api,
    cx: &Context,
    decisions: &[CancelDecision<'_>],
) -> Result<Vec<Outcome<()>>> {
    let calls = decisions.iter().map(|decision| decide_one(api, cx, decision));
    each(calls.collect::<Vec<_>>(), PARALLEL, Outcome::from_error).await
}

fn no(why: impl ToString) -> Outcome<()> {
    Outcome::Refused(Refusal::new("", why).reread())
}

async fn decide_one(api: &Api, cx: &Context, decision: &CancelDecision<'_>) -> Result<Outcome<()>> {
    let operation = Operation::DecideCancellation;
    if !ACTIONS.contains(&decision.action) {
        return Ok(no("this adapter does not cancel as seller"));
    }
    // Orders carry no id of the request, and one may have been made or taken back since: it is looked up now.
    let answer = api.call(cx, operation, Nature::Read, &order_ask(&decision.order.id)?).await?;
    let found = search_result(&answer.body)?;
    let of_order = found.requests.iter().filter(|(request, _)| request.order == decision.order.id);
    let (open, ended): (Vec<_>, Vec<_>) = of_order.partition(|(_, state)| *state == State::Open);
    let mut ids = Vec::new();
    for (request, _) in &open {
        match &request.id {
            Some(id) => ids.push(id.as_str()),
            None => return Ok(no("the channel tells no id of the cancel request")),
        }
    }
    if ids.is_empty() {
        let granted = ended.iter().any(|(_, state)| *state == State::Granted);
        return Ok(match decision.action {
            CancelAction::Accept if granted => Outcome::AlreadyDone,
            _ => no("no cancel request is open on this order"),
        });
    }
    let mut asks = Vec::new();
    for id in &ids {
        asks.push(if decision.action == CancelAction::Accept {
            approve_ask(id)?
        } else {
            match reason(api, cx, id).await? {
                Ok(reason) => reject_ask(id, &reason, decision.memo)?,
                Err(refusal) => return Ok(Outcome::Refused(refusal)),
            }
        });
    }
    for (n, ask) in asks.iter().enumerate() {
        if let Err(error) = api.call(cx, operation, Nature::SafeWrite, ask).await {
            // An order can have several requests, for parts of it: what was decided before stays decided.
            let error = if n > 0 { error.with_unknown_effect() } else { error };
            let no = refused(ask.endpoint, &error).ok_or(error)?;
            return Ok(Outcome::Refused(no));
        }
    }
    Ok(Outcome::Done(()))
}

/// The reason of a refusal, if it is offered for the request. Which are offered changes: they are read each time.
async fn reason(api: &Api, cx: &Context, id: &str) -> Result<Result<String, Refusal>> {
    let wanted = cx.setting(REJECT_REASON).and_then(serde_json::Value::as_str).map(str::trim);
    let wanted = wanted.filter(|name| !name.is_empty()).unwrap_or(PACKED);
    let ask = Ask::get(Endpoint::RejectReasons, "/return_refund/202309/reject_reasons")
        .with("return_or_cancel_id", id);
    let answer = api.call(cx, Operation::DecideCancellation, Nature::Read, &ask).await?;
    let offered = reasons_result(&answer.body)?;
    Ok(if offered.iter().any(|name| name == wanted) {
        Ok(wanted.to_owned())
    } else {
        let why = format!(
            "the reason {wanted} is not offered for this request: set the option {REJECT_REASON} to one of {}",
            offered.join(", ")
        );
        Err(Refusal::new("", why))
    })
}
