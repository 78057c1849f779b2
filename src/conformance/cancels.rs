//! Cancel requests and what is decided about them; webhooks.

use super::Change;
use super::kit::{Checked, Kit, NO_CANCELS, OrFail, Shop, Stop, ensure, failed, not_applicable, only, word};
use crate::channel::{
    CancelAction, CancelDecision, CancelReason, CancelRequest, HandleCancellations, Outcome, PageCursor,
    WebhookEvent, WebhookRequest,
};
use crate::error::ErrorKind;
use crate::model::{CancelState, Order, OrderStatus};

fn cancels(shop: &Shop) -> Result<&dyn HandleCancellations, Stop> {
    shop.channel.cancellations().map_or_else(|| not_applicable(NO_CANCELS), Ok)
}

async fn requests(kit: &Kit, shop: &Shop) -> Result<Vec<CancelRequest>, Stop> {
    let mut found = Vec::new();
    let mut cursors: Vec<PageCursor> = Vec::new();
    loop {
        let page = cancels(shop)?
            .requests(&kit.cx(), kit.lately(), cursors.last())
            .await
            .or_fail("listing cancel requests")?;
        ensure!(page.unreadable.is_empty(), "{} cancel requests can't be read", page.unreadable.len());
        found.extend(page.requests);
        let Some(next) = page.next else { return Ok(found) };
        ensure!(!cursors.contains(&next), "a page cursor came back: the listing would never end");
        ensure!(cursors.len() < 500, "the listing does not end");
        cursors.push(next);
    }
}

async fn decide(kit: &Kit, shop: &Shop, order: &Order, action: CancelAction) -> Result<Outcome<()>, Stop> {
    let cancels = cancels(shop)?;
    if !cancels.actions().contains(&action) {
        return not_applicable(format!("the channel takes no {action:?} by API"));
    }
    let reason = match action {
        CancelAction::CancelBySeller => CancelReason::OutOfStock,
        _ => CancelReason::BuyerRequest,
    };
    let memo = kit.harness.refusal_memo().filter(|_| action == CancelAction::Refuse);
    let decision = CancelDecision { order, action, reason, memo: memo.as_deref() };
    let outcomes = cancels.decide(&kit.cx(), &[decision]).await.or_fail("deciding a cancellation")?;
    only(outcomes, "deciding a cancellation")
}

/// An order of which the buyer asks to cancel, as it reads then.
async fn asked(kit: &Kit, shop: &Shop) -> Result<Order, Stop> {
    cancels(shop)?;
    let order = kit.new_order(shop).await?;
    kit.harness.change(&order.id, Change::AskCancel).await?;
    kit.reread(shop, &order).await
}

/// An open request is listed, once, as open; one that was taken back is not open any more.
pub async fn open_cancel_requests_are_listed(kit: &Kit) -> Checked {
    let shop = kit.good().await?;
    let order = asked(kit, &shop).await?;
    let found: Vec<_> = requests(kit, &shop).await?.into_iter().filter(|r| r.order == order.id).collect();
    ensure!(found.iter().filter(|request| request.open).count() == 1, "one request is open: {found:?}");
    kit.harness.change(&order.id, Change::TakeCancelBack).await?;
    let still = requests(kit, &shop).await?.into_iter().any(|r| r.order == order.id && r.open);
    ensure!(!still, "a request that was taken back is listed as open");
    Ok(())
}

/// A request that is accepted cancels the order.
pub async fn an_accepted_request_cancels(kit: &Kit) -> Checked {
    let shop = kit.good().await?;
    let order = asked(kit, &shop).await?;
    let outcome = decide(kit, &shop, &order, CancelAction::Accept).await?;
    ensure!(outcome.is_done(), "accepting: {}", word(&outcome));
    ensure!(kit.harness.is_cancelled(&order.id).await?, "accepted, and the order lives on");
    let read = kit.reread(&shop, &order).await?;
    ensure!(read.status == OrderStatus::Cancelled, "a cancelled order reads as {}", read.status);
    Ok(())
}

/// Without a request nothing can be accepted: an order whose buyer wants it stays.
pub async fn nothing_is_accepted_without_a_request(kit: &Kit) -> Checked {
    let shop = kit.good().await?;
    cancels(&shop)?;
    let order = kit.new_order(&shop).await?;
    let outcome = decide(kit, &shop, &order, CancelAction::Accept).await?;
    let cancelled = kit.harness.is_cancelled(&order.id).await?;
    ensure!(!outcome.is_done() && !cancelled, "an order without a request was cancelled: {}", word(&outcome));
    Ok(())
}

/// A request that is refused is gone, and the order lives on. Where refusing says that it has left, a return may follow.
pub async fn a_refused_request_leaves_the_order(kit: &Kit) -> Checked {
    let shop = kit.good().await?;
    let order = asked(kit, &shop).await?;
    let outcome = decide(kit, &shop, &order, CancelAction::Refuse).await?;
    ensure!(outcome.is_done(), "refusing: {}", word(&outcome));
    ensure!(!kit.harness.is_cancelled(&order.id).await?, "refused, and the order is cancelled");
    let read = kit.reread(&shop, &order).await?;
    let returns = read.cancel == CancelState::ReturnOrExchange && read.status.is_past_dispatch();
    ensure!(read.cancel == CancelState::None || returns, "a refused request still shows");
    Ok(())
}

/// The seller can cancel where the channel takes it.
pub async fn a_seller_cancels(kit: &Kit) -> Checked {
    let shop = kit.good().await?;
    cancels(&shop)?;
    let order = kit.new_order(&shop).await?;
    let outcome = decide(kit, &shop, &order, CancelAction::CancelBySeller).await?;
    ensure!(outcome.is_done(), "cancelling: {}", word(&outcome));
    ensure!(kit.harness.is_cancelled(&order.id).await?, "cancelled, and the order lives on");
    Ok(())
}

/// What has left can't be cancelled, and the refusal is told.
pub async fn what_has_left_is_not_cancelled(kit: &Kit) -> Checked {
    let shop = kit.good().await?;
    cancels(&shop)?;
    let order = kit.new_order(&shop).await?;
    kit.harness.change(&order.id, Change::Ship).await?;
    let outcome = decide(kit, &shop, &order, CancelAction::CancelBySeller).await?;
    let cancelled = kit.harness.is_cancelled(&order.id).await?;
    ensure!(!outcome.is_done() && !cancelled, "an order that has left was cancelled: {}", word(&outcome));
    Ok(())
}

/// A webhook that is signed well names its order and has an id by which repeats are dropped.
pub async fn a_signed_webhook_names_its_order(kit: &Kit) -> Checked {
    let shop = kit.good().await?;
    let Some(webhooks) = shop.channel.webhooks() else {
        return not_applicable("the channel sends no webhooks");
    };
    let order = kit.new_order(&shop).await?;
    let call = kit.harness.webhook(&order.id).await?;
    let request = WebhookRequest::new(&call.headers, &call.body).at(&call.url);
    let reply = webhooks.receive(&request).await.or_fail("taking a webhook")?;
    ensure!((200..300).contains(&reply.status), "a good webhook is answered with {}", reply.status);
    let named = reply.events.iter().any(|event| match event {
        WebhookEvent::OrdersChanged(ids) => ids.contains(&order.id),
        WebhookEvent::Orders(orders) => orders.iter().any(|o| o.id == order.id),
        _ => false,
    });
    ensure!(named, "the webhook is about order {}; it was read as {:?}", order.id, reply.events);
    Ok(())
}

/// A webhook whose body or signature was changed is refused.
pub async fn a_tampered_webhook_is_refused(kit: &Kit) -> Checked {
    let shop = kit.good().await?;
    let Some(webhooks) = shop.channel.webhooks() else {
        return not_applicable("the channel sends no webhooks");
    };
    let order = kit.new_order(&shop).await?;
    let call = kit.harness.webhook(&order.id).await?;
    let other = kit.harness.tampered(&call);
    let tampered = WebhookRequest::new(&other.headers, &other.body).at(&other.url);
    let bare = WebhookRequest::new(&[], &call.body).at(&call.url);
    for (request, what) in [(tampered, "signed fields changed"), (bare, "no signature")] {
        match webhooks.receive(&request).await {
            Err(error) if error.kind() == ErrorKind::Unauthorized => {}
            Err(error) => return failed(format!("a webhook with {what}: {error}")),
            Ok(_) => return failed(format!("a webhook with {what} was taken")),
        }
    }
    Ok(())
}
