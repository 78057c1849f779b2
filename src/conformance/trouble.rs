//! Trouble of other kinds: bodies without an end, callers that go away, many callers at once.

use futures_util::future::{Either, join_all, select};

use super::kit::{Checked, Kit, OrFail, Shop, Stop, ensure, failed, not_applicable, word};
use super::operations::Op;
use super::wire::Fault;
use crate::channel::{OrderQuery, Outcome};
use crate::error::ErrorKind;

/// Each operation that the channel has and the harness can arrange; `check` is done for each.
async fn each(kit: &Kit, check: impl AsyncFn(&Kit, Op) -> Checked) -> Checked {
    let mut tried = 0;
    for op in Op::ALL {
        match check(kit, op).await {
            Ok(()) => tried += 1,
            Err(Stop::NotApplicable(_)) => {}
            Err(Stop::Failed(why)) => return failed(format!("{op:?}: {why}")),
        }
    }
    if tried == 0 { not_applicable("no operation could be tried") } else { Ok(()) }
}

/// An answer that is larger than the limit ends the call with an error, in a bounded number of requests.
pub async fn an_answer_without_an_end_is_an_error(kit: &Kit) -> Checked {
    each(kit, async |kit, op| {
        let healthy = kit.good().await?;
        let subject = op.subject(kit, &healthy).await?;
        let shop = kit.good().await?;
        shop.wire.strike(0, usize::MAX, Fault::Endless);
        let end = op.run(kit, &shop, &subject).await?;
        if shop.wire.struck() == 0 {
            return not_applicable("the operation sends nothing");
        }
        ensure!(!end.is_done(), "an answer without an end is taken for success");
        let kinds = [ErrorKind::MalformedResponse, ErrorKind::Unavailable];
        ensure!(end.kind().is_some_and(|kind| kinds.contains(&kind)), "{end:?}");
        // A window is asked for in smaller and smaller pieces, where the channel has such.
        ensure!(
            shop.wire.struck() <= 64,
            "an answer without an end was asked for {} times",
            shop.wire.struck()
        );
        Ok(())
    })
    .await
}

/// An answer that begins and never ends is given up in time, and a write is then of unknown outcome.
pub async fn an_answer_that_stalls_is_given_up(kit: &Kit) -> Checked {
    each(kit, async |kit, op| {
        let healthy = kit.good().await?;
        let subject = op.subject(kit, &healthy).await?;
        let shop = kit.good().await?;
        shop.wire.strike(0, usize::MAX, Fault::Slow);
        // Nothing goes over the network from here: the clock can run ahead.
        tokio::time::pause();
        let end = op.run(kit, &shop, &subject).await;
        tokio::time::resume();
        let end = end?;
        if shop.wire.struck() == 0 {
            return not_applicable("the operation sends nothing");
        }
        let kinds = [ErrorKind::TimedOut, ErrorKind::Unavailable];
        ensure!(end.kind().is_some_and(|kind| kinds.contains(&kind)), "{end:?}");
        ensure!(end.is_temporary(), "a stalled answer is said to be final: {end:?}");
        Ok(())
    })
    .await
}

/// A caller that goes away in the middle of a call, at any of its requests, leaves the adapter as it was: the same call
/// again does what is still to be done, and nothing is done twice.
pub async fn a_caller_may_go_away_at_any_request(kit: &Kit) -> Checked {
    each(kit, async |kit, op| {
        for at in 0..6 {
            for fault in [Fault::HeldBefore, Fault::HeldAfter] {
                let shop = kit.good().await?;
                let subject = op.subject(kit, &shop).await?;
                shop.wire.strike(at, usize::MAX, fault);
                let gone = {
                    let call = std::pin::pin!(op.run(kit, &shop, &subject));
                    let held = std::pin::pin!(shop.wire.held());
                    match select(call, held).await {
                        Either::Left((end, _)) => {
                            end?;
                            false
                        }
                        Either::Right(_) => true,
                    }
                };
                if !gone {
                    break;
                }
                shop.wire.calm();
                let end = op.run(kit, &shop, &subject).await?;
                // What was done already may be refused the second time, where it is not safe to repeat.
                let settled = end.is_done() || op.is_write();
                ensure!(settled, "after a caller went away at request {}: {end:?}", at + 1);
                op.is_made_once(kit, &shop, &subject).await?;
            }
        }
        Ok(())
    })
    .await
}

/// A hundred calls at once on one adapter: each gets its own answer.
pub async fn a_hundred_calls_at_once_get_their_own_answers(kit: &Kit) -> Checked {
    let shop = kit.good().await?;
    let mut orders = Vec::new();
    for _ in 0..10 {
        let id = kit.place_one(kit.wish(1)).await?;
        orders.push(id);
    }
    let orders: Vec<_> = kit
        .orders(&shop, kit.lately())
        .await?
        .into_iter()
        .filter(|order| orders.contains(&order.id))
        .collect();
    ensure!(orders.len() == 10, "{} of 10 orders were fetched", orders.len());
    let (cx, query) = (kit.cx(), OrderQuery::window(kit.lately()));
    let reads = join_all((0..90).map(|n| {
        let (shop, cx, order) = (&shop, &cx, &orders[n % orders.len()]);
        async move { (order, shop.channel.orders().read(cx, &[order]).await) }
    }));
    let fetches = join_all((0..10).map(|_| shop.channel.orders().fetch(&cx, &query, None)));
    let (reads, fetches) = futures_util::future::join(reads, fetches).await;
    for (order, outcomes) in reads {
        match outcomes.or_fail("reading one of a hundred at once")?.as_slice() {
            [Outcome::Done(read)] => {
                ensure!(read.id == order.id, "{} was read in place of {}", read.id, order.id)
            }
            [other] => return failed(format!("reading one of a hundred at once: {}", word(other))),
            many => return failed(format!("{} outcomes for one order", many.len())),
        }
    }
    for page in fetches {
        page.or_fail("fetching, ten times at once")?;
    }
    Ok(())
}

/// The same confirmation by many callers at once confirms once.
pub async fn many_confirmations_at_once_confirm_once(kit: &Kit) -> Checked {
    let shop: Shop = kit.good().await?;
    if shop.channel.confirm().is_none() {
        return not_applicable(super::kit::NO_CONFIRM);
    }
    let order = kit.new_order(&shop).await?;
    let asked = [&order];
    for said in join_all((0..20).map(|_| kit.confirm(&shop, &asked))).await {
        said?;
    }
    let seen = kit.harness.confirmations(&order.id).await?;
    ensure!(seen == 1, "20 confirmations at once confirmed {seen} times");
    Ok(())
}

/// An empty batch sends nothing and is no error.
pub async fn an_empty_batch_sends_nothing(kit: &Kit) -> Checked {
    let shop = kit.good().await?;
    shop.wire.calm();
    let (cx, channel) = (kit.cx(), &shop.channel);
    let count = channel.orders().read(&cx, &[]).await.or_fail("reading no orders")?.len();
    ensure!(count == 0, "{count} outcomes for no orders");
    if let Some(confirm) = channel.confirm() {
        confirm.confirm(&cx, &[]).await.or_fail("confirming no orders")?;
    }
    if let Some(dispatch) = channel.dispatch() {
        dispatch.dispatch(&cx, &[]).await.or_fail("reporting no parcels")?;
    }
    if let Some(stock) = channel.stock() {
        stock.set_stock(&cx, &[]).await.or_fail("setting no quantities")?;
        stock.read_stock(&cx, &[]).await.or_fail("reading no quantities")?;
    }
    if let Some(cancels) = channel.cancellations() {
        cancels.decide(&cx, &[]).await.or_fail("deciding nothing")?;
    }
    let sent = shop.wire.seen().len();
    ensure!(sent == 0, "{sent} requests for empty batches");
    Ok(())
}
