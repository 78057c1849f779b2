//! Parcels: tracking, parts, repeats, the mail to the buyer, the hand-over.

use super::kit::{Checked, Kit, NO_DISPATCH, OrFail, Shop, Stop, ensure, failed, not_applicable, only, word};
use super::{Change, LineWish, SeenDispatch};
use crate::channel::{DispatchRequest, Dispatched, HandOver, Notify, Outcome, Repeat, TrackingUpdate};
use crate::model::{Order, OrderStatus};

async fn send(kit: &Kit, shop: &Shop, request: DispatchRequest<'_>) -> Result<Outcome<Dispatched>, Stop> {
    let Some(dispatch) = shop.channel.dispatch() else { return not_applicable(NO_DISPATCH) };
    let outcomes = dispatch.dispatch(&kit.cx(), &[request]).await.or_fail("reporting a parcel")?;
    only(outcomes, "reporting a parcel")
}

async fn ready(kit: &Kit) -> Result<(Shop, Order), Stop> {
    let shop = kit.good().await?;
    if shop.channel.dispatch().is_none() {
        return not_applicable(NO_DISPATCH);
    }
    let order = kit.ready_order(&shop).await?;
    Ok((shop, order))
}

fn pieces(seen: &[SeenDispatch]) -> u32 {
    seen.iter().map(|parcel| parcel.pieces).sum()
}

/// A parcel reaches the channel with its tracking number and all pieces, and the order reads as shipped.
pub async fn a_parcel_reaches_the_channel(kit: &Kit) -> Checked {
    let (shop, order) = ready(kit).await?;
    let tracking = kit.harness.tracking(1);
    let outcome = send(kit, &shop, kit.parcel(&shop, &order, tracking.as_ref())).await?;
    ensure!(matches!(outcome, Outcome::Done(_)), "reporting a parcel: {}", word(&outcome));
    let seen = kit.harness.dispatches(&order.id).await?;
    let [parcel] = seen.as_slice() else { return failed(format!("one parcel was reported: {seen:?}")) };
    if let Some(tracking) = &tracking {
        ensure!(parcel.number == tracking.number, "{} became {}", tracking.number, parcel.number);
    }
    ensure!(parcel.pieces == 2, "2 pieces left; the channel has {}", parcel.pieces);
    let read = kit.reread(&shop, &order).await?;
    ensure!(read.status.is_past_dispatch(), "a shipped order reads as {}", read.status);
    Ok(())
}

/// A parcel that is reported twice leaves once.
pub async fn a_parcel_reported_twice_leaves_once(kit: &Kit) -> Checked {
    let (shop, order) = ready(kit).await?;
    let tracking = kit.harness.tracking(1);
    send(kit, &shop, kit.parcel(&shop, &order, tracking.as_ref())).await?;
    let again = send(kit, &shop, kit.parcel(&shop, &order, tracking.as_ref())).await?;
    let seen = kit.harness.dispatches(&order.id).await?;
    ensure!(pieces(&seen) == 2, "2 pieces were ordered; {} left", pieces(&seen));
    let repeat = shop.channel.dispatch().map(|dispatch| dispatch.repeat());
    if repeat == Some(Repeat::Safe) {
        ensure!(again.is_done(), "a second report, said to be safe: {}", word(&again));
        ensure!(seen.len() == 1, "a second report, said to be safe, made another parcel: {seen:?}");
    }
    Ok(())
}

/// A part of the pieces leaves as that part, or is refused; never more.
pub async fn a_part_of_an_order_leaves_as_a_part(kit: &Kit) -> Checked {
    let (shop, order) = ready(kit).await?;
    let tracking = kit.harness.tracking(1);
    let Some(line) = order.lines.first() else { return failed("the order has no line") };
    let lines = [(line.id.clone(), 1)];
    let mut request = kit.parcel(&shop, &order, tracking.as_ref());
    request.lines = &lines;
    let outcome = send(kit, &shop, request).await?;
    let seen = kit.harness.dispatches(&order.id).await?;
    match outcome {
        Outcome::Refused(_) | Outcome::NotTried(_) => {
            ensure!(seen.is_empty(), "a part was refused, and {} pieces left", pieces(&seen));
        }
        Outcome::Done(_) => ensure!(pieces(&seen) == 1, "1 piece was reported; {} left", pieces(&seen)),
        other => return failed(format!("reporting a part: {}", word(&other))),
    }
    Ok(())
}

/// The rest of an order can follow in a second parcel: by pieces, or else by lines.
pub async fn the_rest_follows_in_a_second_parcel(kit: &Kit) -> Checked {
    let (shop, order) = ready(kit).await?;
    if in_two_parcels(kit, &shop, &order).await? {
        return Ok(());
    }
    let mut wish = kit.wish(1);
    wish.lines.push(LineWish::of("CAP-02", 1, 990.into()));
    let ids = kit.harness.place(wish).await?;
    if let [id] = ids.as_slice() {
        let order = kit.make_ready(&shop, id).await?;
        if in_two_parcels(kit, &shop, &order).await? {
            return Ok(());
        }
    }
    not_applicable("the channel ships orders as a whole")
}

/// Sends one of 2 pieces, then the other. `false`: a part is not taken.
async fn in_two_parcels(kit: &Kit, shop: &Shop, order: &Order) -> Result<bool, Stop> {
    let (one, two) = (kit.harness.tracking(1), kit.harness.tracking(2));
    let Some(line) = order.lines.first() else { return failed("the order has no line") };
    let lines = [(line.id.clone(), 1)];
    let mut request = kit.parcel(shop, order, one.as_ref());
    request.lines = &lines;
    if !matches!(send(kit, shop, request).await?, Outcome::Done(_)) {
        return Ok(false);
    }
    let order = kit.reread(shop, order).await?;
    let left: u32 = order.lines.iter().map(|line| line.outstanding()).sum();
    ensure!(left == 1, "one of 2 pieces left; {left} are said to be outstanding");
    let outcome = send(kit, shop, kit.parcel(shop, &order, two.as_ref())).await?;
    ensure!(matches!(outcome, Outcome::Done(_)), "the second parcel: {}", word(&outcome));
    let seen = kit.harness.dispatches(&order.id).await?;
    ensure!(pieces(&seen) == 2 && seen.len() == 2, "two parcels of one piece each: {seen:?}");
    Ok(true)
}

/// One parcel that the channel refuses blocks no other, and outcomes come in the order of the requests.
pub async fn a_refused_parcel_blocks_no_other(kit: &Kit) -> Checked {
    let (shop, first) = ready(kit).await?;
    let Some(dispatch) = shop.channel.dispatch() else { return not_applicable(NO_DISPATCH) };
    if shop.channel.info().dispatch_batch < 3 {
        return not_applicable("the channel takes fewer than 3 parcels at once");
    }
    let (bad, last) = (kit.new_order(&shop).await?, kit.ready_order(&shop).await?);
    kit.harness.change(&bad.id, Change::Cancel).await?;
    let numbers = [kit.harness.tracking(1), kit.harness.tracking(2), kit.harness.tracking(3)];
    let [one, two, three] = numbers.each_ref().map(Option::as_ref);
    let requests =
        [kit.parcel(&shop, &first, one), kit.parcel(&shop, &bad, two), kit.parcel(&shop, &last, three)];
    let outcomes = dispatch.dispatch(&kit.cx(), &requests).await.or_fail("reporting three parcels")?;
    let words: Vec<_> = outcomes.iter().map(word).collect();
    let [one, two, three] = outcomes.as_slice() else { return failed(format!("outcomes: {words:?}")) };
    ensure!(one.is_done() && three.is_done(), "one refused parcel blocked others: {words:?}");
    ensure!(!two.is_done(), "a cancelled order was shipped: {words:?}");
    for order in [&first, &last] {
        let seen = kit.harness.dispatches(&order.id).await?;
        ensure!(seen.len() == 1, "order {} has {} parcels", order.id, seen.len());
    }
    let seen = kit.harness.dispatches(&bad.id).await?;
    ensure!(seen.is_empty(), "a cancelled order has a parcel");
    Ok(())
}

/// A parcel with blank tracking is refused before anything is sent that could be shown to the buyer.
pub async fn a_parcel_without_a_number_is_refused(kit: &Kit) -> Checked {
    let (shop, order) = ready(kit).await?;
    let Some(mut tracking) = kit.harness.tracking(1) else {
        return not_applicable("the channel's own logistics gives the number");
    };
    tracking.number = "  ".to_owned();
    let Some(dispatch) = shop.channel.dispatch() else { return not_applicable(NO_DISPATCH) };
    let outcomes = dispatch.dispatch(&kit.cx(), &[kit.parcel(&shop, &order, Some(&tracking))]).await;
    let done = outcomes.is_ok_and(|outcomes| outcomes.iter().any(Outcome::is_done));
    let seen = kit.harness.dispatches(&order.id).await?;
    ensure!(!done && seen.is_empty(), "a parcel without a tracking number was reported: {seen:?}");
    Ok(())
}

/// Without the hand-over method that the channel asks for, nothing is sent and nothing is guessed (HM-3).
pub async fn a_missing_hand_over_is_not_guessed(kit: &Kit) -> Checked {
    let (shop, order) = ready(kit).await?;
    if kit.hand_overs(&shop).is_empty() {
        return not_applicable("the channel asks for no hand-over method");
    }
    let tracking = kit.harness.tracking(1);
    let mut request = kit.parcel(&shop, &order, tracking.as_ref());
    request.hand_over = None;
    let Some(dispatch) = shop.channel.dispatch() else { return not_applicable(NO_DISPATCH) };
    let outcomes = dispatch.dispatch(&kit.cx(), &[request]).await;
    let done = outcomes.is_ok_and(|outcomes| outcomes.iter().any(Outcome::is_done));
    let seen = kit.harness.dispatches(&order.id).await?;
    ensure!(!done && seen.is_empty(), "a hand-over method was guessed: {seen:?}");
    Ok(())
}

/// The hand-over method that was chosen is the one that reaches the channel.
pub async fn the_hand_over_reaches_the_channel(kit: &Kit) -> Checked {
    let shop = kit.good().await?;
    let methods: Vec<HandOver> = kit.hand_overs(&shop);
    if methods.is_empty() {
        return not_applicable("the channel asks for no hand-over method");
    }
    for (n, method) in (1..).zip(methods) {
        let order = kit.ready_order(&shop).await?;
        let tracking = kit.harness.tracking(n);
        let mut request = kit.parcel(&shop, &order, tracking.as_ref());
        request.hand_over = Some(method);
        let outcome = send(kit, &shop, request).await?;
        ensure!(matches!(outcome, Outcome::Done(_)), "handing over by {method:?}: {}", word(&outcome));
        let seen = kit.harness.dispatches(&order.id).await?;
        let told = seen.first().and_then(|parcel| parcel.hand_over);
        ensure!(told == Some(method), "{method:?} was chosen; the channel has {told:?}");
    }
    Ok(())
}

/// The channel mails the buyer exactly where it is told to (NB-1).
pub async fn the_mail_to_the_buyer_is_as_chosen(kit: &Kit) -> Checked {
    let shop = kit.good().await?;
    if shop.channel.notify().is_none() {
        return not_applicable("the channel takes no word on mails to the buyer");
    }
    for (n, notify) in (1..).zip([Notify::Buyer, Notify::Nobody]) {
        let order = kit.ready_order(&shop).await?;
        let tracking = kit.harness.tracking(n);
        let mut request = kit.parcel(&shop, &order, tracking.as_ref());
        request.notify = Some(notify);
        send(kit, &shop, request).await?;
        let seen = kit.harness.dispatches(&order.id).await?;
        let mailed = seen.first().and_then(|parcel| parcel.mailed);
        let wanted = Some(notify == Notify::Buyer);
        ensure!(mailed == wanted, "{notify:?} was chosen; the buyer was mailed: {mailed:?}");
    }
    Ok(())
}

/// A tracking number can be corrected, and no second parcel comes of it.
pub async fn a_corrected_tracking_number_reaches_the_channel(kit: &Kit) -> Checked {
    let shop = kit.good().await?;
    let Some(notify) = shop.channel.notify() else {
        return not_applicable("the channel takes no word on mails to the buyer");
    };
    let order = kit.ready_order(&shop).await?;
    let (one, two) = (kit.harness.tracking(1), kit.harness.tracking(2));
    let Some(corrected) = &two else { return not_applicable("the channel's own logistics gives the number") };
    send(kit, &shop, kit.parcel(&shop, &order, one.as_ref())).await?;
    let order = kit.reread(&shop, &order).await?;
    let update = TrackingUpdate { order: &order, tracking: corrected, notify: Notify::Nobody };
    let outcomes = notify.update_tracking(&kit.cx(), &[update]).await.or_fail("correcting a number")?;
    let outcome = only(outcomes, "correcting a number")?;
    ensure!(outcome.is_done(), "correcting a number: {}", word(&outcome));
    let seen = kit.harness.dispatches(&order.id).await?;
    let numbers: Vec<_> = seen.iter().map(|parcel| parcel.number.as_str()).collect();
    ensure!(numbers == [corrected.number.as_str()], "the channel has {numbers:?}");
    Ok(())
}

/// What was cancelled can't be shipped, and the refusal is told.
pub async fn a_cancelled_order_is_not_shipped(kit: &Kit) -> Checked {
    let (shop, order) = ready(kit).await?;
    kit.harness.change(&order.id, Change::Cancel).await?;
    let tracking = kit.harness.tracking(1);
    let Some(dispatch) = shop.channel.dispatch() else { return not_applicable(NO_DISPATCH) };
    let outcomes = dispatch.dispatch(&kit.cx(), &[kit.parcel(&shop, &order, tracking.as_ref())]).await;
    let done = outcomes.is_ok_and(|outcomes| outcomes.iter().any(Outcome::is_done));
    let seen = kit.harness.dispatches(&order.id).await?;
    ensure!(!done && seen.is_empty(), "a cancelled order was shipped: {seen:?}");
    let read = kit.reread(&shop, &order).await?;
    ensure!(read.status == OrderStatus::Cancelled, "a cancelled order reads as {}", read.status);
    Ok(())
}
