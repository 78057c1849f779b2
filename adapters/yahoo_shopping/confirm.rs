//! Confirming: the seen flag ("Confirm: orderChange with IsSeen"). There is no status "new".

use crate::channel::{ConfirmRequest, Confirmed, Context, Operation, Outcome, Refusal, Repeat, each};
use crate::error::{Error, Result};
use crate::http::Nature;
use crate::model::OrderStatus;

use super::auth::{Api, Ask, Body};
use super::errors::{Method, is_refusal, refusal, warnings};
use super::orders::read_one;
use super::rows::Kept;
use super::wire::Req;

/// The flag goes from unseen to seen only, so that a second call changes nothing. What it answers is not documented:
/// a refusal is followed by a read, which shows the flag.
pub(super) const REPEAT: Repeat = Repeat::Safe;

/// Sets the seen flag. Every other change would set it too; nothing else is sent.
pub(super) fn seen_ask(seller: &str, order: &str) -> Ask {
    let xml = Req::new()
        .text("SellerId", seller)
        .group("Target", |target| target.text("OrderId", order))
        .group("Order", |order| order.text("IsSeen", "true"))
        .end();
    Ask { method: Method::OrderChange, body: Body::Xml(xml) }
}

/// Confirms, a call each.
pub(super) async fn confirm(
    api: &Api,
    cx: &Context,
    requests: &[ConfirmRequest<'_>],
) -> Result<Vec<Outcome<Confirmed>>> {
    let calls = requests.iter().map(|request| confirm_one(api, cx, request));
    each(calls.collect(), 1, Outcome::from_error).await
}

async fn confirm_one(api: &Api, cx: &Context, request: &ConfirmRequest<'_>) -> Result<Outcome<Confirmed>> {
    let order = request.order;
    let kept: Kept = order.channel_data.read().unwrap_or_default();
    if let Some(block) = kept.blocks.iter().find(|block| block.bars_confirmation()) {
        return Ok(Outcome::Refused(Refusal::new("", block.words()).temporary().reread()));
    }
    let ask = seen_ask(&api.seller()?, order.id.as_str());
    let called = api.call(cx, Operation::Confirm, Nature::from(REPEAT), &ask).await;
    match called.map_err(|error| error.for_order(&order.id)) {
        Ok(answer) => {
            for warning in warnings(&answer.body).map_err(Error::with_unknown_effect)? {
                tracing::debug!(order = %order.id, code = %warning.code, "the channel warns of a confirmation");
            }
            Ok(Outcome::Done(Confirmed::default()))
        }
        Err(error) if is_refusal(&error) => Ok(after_refusal(api, cx, request, &error).await),
        Err(error) => Err(error),
    }
}

/// A refused order may be confirmed already: the flag tells. Where it can't be read, the refusal stands.
async fn after_refusal(
    api: &Api,
    cx: &Context,
    request: &ConfirmRequest<'_>,
    error: &Error,
) -> Outcome<Confirmed> {
    match read_one(api, cx, &request.order.id).await {
        Ok(read) if is_confirmed(read.order.status) => Outcome::AlreadyDone,
        Ok(read) => {
            let kept: Kept = read.order.channel_data.read().unwrap_or_default();
            let waits = kept.blocks.iter().any(|block| block.bars_confirmation());
            Outcome::Refused(if waits { refusal(error).temporary() } else { refusal(error) })
        }
        // Nobody knows whether it was confirmed before: it is tried again.
        Err(_) => Outcome::Refused(refusal(error).temporary()),
    }
}

fn is_confirmed(status: OrderStatus) -> bool {
    (OrderStatus::Confirmed..=OrderStatus::DeliveryFailed).contains(&status)
}
