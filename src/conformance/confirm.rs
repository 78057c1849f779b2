//! Confirming, and expected ship dates.

use super::Change;
use super::kit::{Checked, Kit, NO_CONFIRM, OrFail, Shop, Stop, ensure, failed, not_applicable, only, word};
use crate::channel::{ConfirmRequest, Outcome, Repeat, ShipDateRequest, ShipDates};
use crate::model::{Order, OrderStatus};

async fn confirmations(kit: &Kit, order: &Order, wanted: usize, after: &str) -> Checked {
    let seen = kit.harness.confirmations(&order.id).await?;
    ensure!(seen == wanted, "after {after} the channel has {seen} confirmations of one order, not {wanted}");
    Ok(())
}

/// A confirmation reaches the channel once, and the order reads as confirmed.
pub async fn a_confirmation_reaches_the_channel(kit: &Kit) -> Checked {
    let shop = kit.good().await?;
    if shop.channel.confirm().is_none() {
        return not_applicable(NO_CONFIRM);
    }
    let order = kit.new_order(&shop).await?;
    let said = kit.confirm(&shop, &[&order]).await?;
    ensure!(said == ["done"], "confirming a new order: {said:?}");
    confirmations(kit, &order, 1, "a confirmation").await?;
    let read = kit.reread(&shop, &order).await?;
    let taken = matches!(read.status, OrderStatus::Confirmed | OrderStatus::ReadyToShip);
    ensure!(taken, "a confirmed order reads as {}", read.status);
    Ok(())
}

/// Confirming twice confirms once, and the second answer is no error.
pub async fn confirming_twice_confirms_once(kit: &Kit) -> Checked {
    let shop = kit.good().await?;
    let Some(repeat) = shop.channel.confirm().map(|confirm| confirm.repeat()) else {
        return not_applicable(NO_CONFIRM);
    };
    let order = kit.new_order(&shop).await?;
    kit.confirm(&shop, &[&order]).await?;
    let again = kit.confirm(&shop, &[&order]).await?;
    confirmations(kit, &order, 1, "two confirmations").await?;
    let calm = again.iter().all(|word| word == "done" || word == "already done");
    ensure!(calm || repeat == Repeat::ReadFirst, "a second confirmation, said to be safe: {again:?}");
    Ok(())
}

/// What was confirmed in the back office is no error.
pub async fn an_order_confirmed_elsewhere_is_no_error(kit: &Kit) -> Checked {
    let shop = kit.good().await?;
    if shop.channel.confirm().is_none() {
        return not_applicable(NO_CONFIRM);
    }
    let order = kit.new_order(&shop).await?;
    kit.harness.change(&order.id, Change::Confirm).await?;
    let said = kit.confirm(&shop, &[&order]).await?;
    ensure!(said.iter().all(|w| w.ends_with("done") || w.starts_with("refused")), "{said:?}");
    confirmations(kit, &order, 1, "a confirmation in the back office and one by API").await
}

/// Three orders, the middle one cancelled meanwhile: the outcomes are each order's own.
async fn mixed(kit: &Kit, shop: &Shop, dated: bool) -> Checked {
    let Some(confirm) = shop.channel.confirm() else { return not_applicable(NO_CONFIRM) };
    if shop.channel.info().confirm_batch < 3 {
        return not_applicable("the channel takes fewer than 3 confirmations at once");
    }
    let (first, bad, last) =
        (kit.new_order(shop).await?, kit.new_order(shop).await?, kit.new_order(shop).await?);
    kit.harness.change(&bad.id, Change::Cancel).await?;
    let date = kit.ship_date(shop);
    let request = |order| {
        let request = ConfirmRequest::new(order);
        if dated { request.with_ship_date(date) } else { request }
    };
    let requests = [request(&first), request(&bad), request(&last)];
    let outcomes = confirm.confirm(&kit.cx(), &requests).await.or_fail("confirming three orders")?;
    let words: Vec<_> = outcomes.iter().map(word).collect();
    let [one, two, three] = outcomes.as_slice() else { return failed(format!("outcomes: {words:?}")) };
    ensure!(one.is_done() && three.is_done(), "one refused order blocked others: {words:?}");
    ensure!(matches!(two, Outcome::Refused(_)), "a cancelled order was not refused: {words:?}");
    confirmations(kit, &first, 1, "a batch").await?;
    confirmations(kit, &bad, 0, "a batch").await?;
    confirmations(kit, &last, 1, "a batch").await
}

/// One refused order blocks no other, and outcomes come in the order of the requests.
pub async fn a_refused_confirmation_blocks_no_other(kit: &Kit) -> Checked {
    let shop = kit.good().await?;
    mixed(kit, &shop, false).await
}

/// The same with ship dates, where they travel with the confirmation.
pub async fn a_refused_confirmation_with_ship_date_blocks_no_other(kit: &Kit) -> Checked {
    let shop = kit.good().await?;
    if !kit.sends_date_with_confirmation(&shop) {
        return not_applicable("the channel takes no ship date with the confirmation");
    }
    mixed(kit, &shop, true).await
}

/// Sends a ship date the channel's way.
async fn send_date(kit: &Kit, shop: &Shop, order: &Order) -> Result<String, Stop> {
    let date = kit.ship_date(shop);
    match shop.channel.ship_date() {
        None => not_applicable("the channel takes no ship date"),
        Some(ShipDates::WithConfirmation) => {
            let Some(confirm) = shop.channel.confirm() else {
                return failed("a ship date without confirming");
            };
            let request = ConfirmRequest::new(order).with_ship_date(date);
            let outcomes =
                confirm.confirm(&kit.cx(), &[request]).await.or_fail("confirming with a ship date")?;
            Ok(word(&only(outcomes, "confirming with a ship date")?))
        }
        Some(ShipDates::Separate(dates)) => {
            let request = ShipDateRequest { order, date };
            let outcomes = dates.set_ship_date(&kit.cx(), &[request]).await.or_fail("setting a ship date")?;
            Ok(word(&only(outcomes, "setting a ship date")?))
        }
    }
}

async fn dated_order(kit: &Kit, shop: &Shop) -> Result<Order, Stop> {
    let Some(dates) = shop.channel.ship_date() else {
        return not_applicable("the channel takes no ship date");
    };
    match dates {
        ShipDates::WithConfirmation => kit.new_order(shop).await,
        ShipDates::Separate(_) => kit.ready_order(shop).await,
    }
}

/// The ship date that reaches the channel is the day that was asked for, in the channel's zone.
pub async fn the_ship_date_is_the_day_that_was_asked_for(kit: &Kit) -> Checked {
    let shop = kit.good().await?;
    let order = dated_order(kit, &shop).await?;
    let said = send_date(kit, &shop, &order).await?;
    ensure!(said == "done", "a ship date: {said}");
    let (seen, asked) = (kit.harness.ship_dates(&order.id).await?, kit.ship_date(&shop));
    ensure!(seen == [asked], "the ship date {asked} was asked for; the channel has {seen:?}");
    Ok(())
}

/// A ship date that is sent again stays one, and stays the same (SD-4).
pub async fn a_ship_date_sent_twice_stays_the_same(kit: &Kit) -> Checked {
    let shop = kit.good().await?;
    let order = dated_order(kit, &shop).await?;
    send_date(kit, &shop, &order).await?;
    send_date(kit, &shop, &order).await?;
    let mut seen = kit.harness.ship_dates(&order.id).await?;
    seen.dedup();
    ensure!(seen == [kit.ship_date(&shop)], "after two calls with one date the channel has {seen:?}");
    Ok(())
}

/// Without a ship date, none is made up.
pub async fn no_ship_date_is_made_up(kit: &Kit) -> Checked {
    let shop = kit.good().await?;
    if !kit.sends_date_with_confirmation(&shop) {
        return not_applicable("the channel takes no ship date with the confirmation");
    }
    let order = kit.new_order(&shop).await?;
    kit.confirm(&shop, &[&order]).await?;
    let seen = kit.harness.ship_dates(&order.id).await?;
    ensure!(seen.is_empty(), "no ship date was asked for; the channel has {seen:?}");
    confirmations(kit, &order, 1, "a confirmation without ship date").await
}

/// A batch as large as the channel takes.
pub async fn a_full_batch_is_confirmed_each_for_itself(kit: &Kit) -> Checked {
    let shop = kit.good().await?;
    if shop.channel.confirm().is_none() {
        return not_applicable(NO_CONFIRM);
    }
    let size = shop.channel.info().confirm_batch.min(40);
    let mut ids = Vec::new();
    for _ in 0..size {
        ids.push(kit.place_one(kit.wish(1)).await?);
    }
    let orders: Vec<_> =
        kit.orders(&shop, kit.lately()).await?.into_iter().filter(|order| ids.contains(&order.id)).collect();
    ensure!(orders.len() == size, "{} of {size} orders were fetched", orders.len());
    let said = kit.confirm(&shop, &orders.iter().collect::<Vec<_>>()).await?;
    ensure!(said.iter().all(|word| word == "done"), "{said:?}");
    for order in &orders {
        confirmations(kit, order, 1, "a full batch").await?;
    }
    Ok(())
}
