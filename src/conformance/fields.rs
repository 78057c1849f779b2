//! What is in an order: texts, amounts, times, quantities, the raw payload; and how far it is.

use rust_decimal::Decimal;

use super::kit::OrFail;
use super::kit::{Checked, Kit, MESSAGE, NAME, PHONE, STREET, Shop, Stop, ensure, failed, only, word};
use super::{Change, LineWish};
use crate::channel::{Outcome, Row};
use crate::model::{CancelState, Currency, Order, OrderId, OrderStatus};

fn bare(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// Names, addresses and messages outside ASCII, with emoji, quotes and markup, come as they were written.
pub async fn texts_come_as_they_were_written(kit: &Kit) -> Checked {
    let shop = kit.good().await?;
    let order = kit.new_order(&shop).await?;
    let Some(to) = order.destinations.first() else { return failed("the order has no destination") };
    let person = to.recipient.reveal();
    ensure!(bare(&person.name) == bare(NAME), "the recipient's name changed on the way");
    let address = &person.address;
    let mut parts = vec![address.region.as_str(), address.city.as_str()];
    parts.extend(address.lines.iter().map(String::as_str));
    ensure!(bare(&parts.concat()).contains(&bare(STREET)), "the address changed on the way");
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    ensure!(
        digits(&person.phone).ends_with(digits(PHONE).trim_start_matches('0')),
        "the phone number changed"
    );
    let said = order.memo.as_ref().or(to.message.as_ref()).map(|message| message.reveal().clone());
    // Channels without a message to the seller have none; one that comes must be the buyer's.
    ensure!(said.is_none_or(|said| said.contains(MESSAGE)), "the buyer's message changed on the way");
    let title = order.lines.first().map(|line| line.title.as_str()).unwrap_or_default();
    ensure!(title.contains("オーガニックTシャツ 🌿"), "the title changed on the way: {title}");
    Ok(())
}

/// The prices that a currency can have, up to many digits.
fn prices(currency: Currency) -> Vec<Decimal> {
    let whole = [1, 7, 1980, 123_456_789].map(Decimal::from);
    if [Currency::JPY, Currency::KRW].contains(&currency) {
        return whole.to_vec();
    }
    vec![Decimal::new(1, 2), Decimal::new(10, 2), Decimal::new(1_999, 2), Decimal::new(123_456_789, 2)]
}

/// Prices are exact to the last digit, in the right currency.
pub async fn amounts_are_exact_to_the_last_digit(kit: &Kit) -> Checked {
    let shop = kit.good().await?;
    let Some(currency) = shop.channel.info().currencies.first().copied() else {
        return failed("the channel names no currency");
    };
    for price in prices(currency) {
        let mut wish = kit.wish(1);
        wish.lines = vec![LineWish::of("TEE-01", 1, price)];
        let id = kit.place_one(wish).await?;
        let order = kit.find(&shop, &id).await?;
        let line = order.lines.first();
        let Some(told) = line.and_then(|line| line.unit_price.or(line.total)) else {
            return failed("a line has neither a price nor a total");
        };
        ensure!(told.amount == price, "{price} became {}", told.amount);
        ensure!(told.currency == currency, "the price is in {}, not in {currency}", told.currency);
        ensure!(order.currency == currency, "the order is in {}, not in {currency}", order.currency);
        if let Some(total) = line.and_then(|line| line.total) {
            ensure!(total.amount == price, "the line costs {price}; its total says {}", total.amount);
        }
    }
    Ok(())
}

/// A line's total is for all its pieces, and its price for one.
pub async fn prices_are_of_one_piece_and_totals_of_all(kit: &Kit) -> Checked {
    let shop = kit.good().await?;
    let order = kit.new_order_of(&shop, 3).await?;
    let Some(line) = order.lines.first() else { return failed("the order has no line") };
    ensure!(line.quantity == 3, "3 pieces were ordered; the line says {}", line.quantity);
    if let Some(price) = line.unit_price {
        ensure!(price.amount == Decimal::from(1980), "one piece costs 1980; the line says {}", price.amount);
    }
    if let Some(total) = line.total {
        ensure!(total.amount == Decimal::from(5940), "3 pieces cost 5940; the line says {}", total.amount);
    }
    Ok(())
}

/// Every line of an order with several comes, with its SKU and quantity.
pub async fn every_line_comes_with_its_sku_and_quantity(kit: &Kit) -> Checked {
    let shop = kit.good().await?;
    let mut wish = kit.wish(1);
    let price = Decimal::from(500);
    wish.lines =
        vec![LineWish::of("a-1", 1, price), LineWish::of("b-2", 2, price), LineWish::of("c-3", 3, price)];
    let ids = kit.harness.place(wish).await?;
    let orders = kit.orders(&shop, kit.lately()).await?;
    let mut lines: Vec<(String, u32)> = orders
        .iter()
        .filter(|order| ids.contains(&order.id))
        .flat_map(|order| &order.lines)
        .map(|line| (line.sku.as_ref().map(ToString::to_string).unwrap_or_default(), line.quantity))
        .collect();
    lines.sort();
    let wanted = [("a-1".to_owned(), 1), ("b-2".to_owned(), 2), ("c-3".to_owned(), 3)];
    ensure!(lines == wanted, "three lines were ordered; these came: {lines:?}");
    let mut names: Vec<_> = orders.iter().flat_map(|o| o.lines.iter().map(|l| (&o.id, &l.id))).collect();
    let count = names.len();
    names.sort();
    names.dedup();
    ensure!(names.len() == count, "two lines of an order have the same id");
    Ok(())
}

/// The times of an order are the moments themselves, whatever zone the channel writes them in.
pub async fn times_are_the_moments_themselves(kit: &Kit) -> Checked {
    let shop = kit.good().await?;
    let order = kit.new_order(&shop).await?;
    let at = kit.recently();
    ensure!(order.ordered_at == at, "ordered at {at}; the order says {}", order.ordered_at);
    if let Some(paid) = order.paid_at {
        ensure!(paid == at, "paid at {at}; the order says {paid}");
    }
    Ok(())
}

/// The channel's own text of an order can be had, also after a round trip through the store.
pub async fn the_raw_payload_can_be_had(kit: &Kit) -> Checked {
    let shop = kit.good().await?;
    let order = kit.new_order(&shop).await?;
    ensure!(!order.raw.reveal().trim().is_empty(), "the order has no raw payload");
    let Ok(json) = serde_json::to_string(&order) else { return failed("the order can't be stored") };
    let Ok(back) = serde_json::from_str::<Order>(&json) else {
        return failed("a stored order can't be read");
    };
    ensure!(back == order, "an order is not the same after it was stored and read");
    Ok(())
}

async fn state_after(kit: &Kit, shop: &Shop, changes: &[Change]) -> Result<(Order, Vec<Order>), Stop> {
    let order = kit.new_order(shop).await?;
    for change in changes {
        kit.harness.change(&order.id, *change).await?;
    }
    let read = kit.reread(shop, &order).await?;
    let listed = kit.orders(shop, kit.lately()).await?.into_iter().filter(|other| other.id == order.id);
    Ok((read, listed.collect()))
}

async fn comes_as(kit: &Kit, changes: &[Change], wanted: &[OrderStatus]) -> Checked {
    let shop = kit.good().await?;
    let (read, listed) = state_after(kit, &shop, changes).await?;
    ensure!(wanted.contains(&read.status), "after {changes:?} the order is read as {}", read.status);
    for order in listed {
        ensure!(wanted.contains(&order.status), "after {changes:?} the order is listed as {}", order.status);
    }
    Ok(())
}

/// A paid order is new (or confirmed, where nothing is confirmed).
pub async fn a_paid_order_is_new(kit: &Kit) -> Checked {
    let shop = kit.good().await?;
    let order = kit.new_order(&shop).await?;
    let taken = shop.channel.confirm().is_none() && order.status == OrderStatus::Confirmed;
    ensure!(order.status == OrderStatus::New || taken, "a paid order comes as {}", order.status);
    ensure!(order.cancel == CancelState::None, "a paid order comes with {:?}", order.cancel);
    Ok(())
}

/// An order that is not paid never looks as if it were; once paid, it is found and new.
pub async fn an_unpaid_order_is_not_new_until_it_is_paid(kit: &Kit) -> Checked {
    let shop = kit.good().await?;
    let mut wish = kit.wish(1);
    wish.paid_at = None;
    let id = kit.place_one(wish).await?;
    for order in kit.orders(&shop, kit.lately()).await?.iter().filter(|order| order.id == id) {
        ensure!(order.status == OrderStatus::PendingPayment, "an unpaid order comes as {}", order.status);
    }
    kit.harness.change(&id, Change::Pay).await?;
    let order = kit.find(&shop, &id).await?;
    ensure!(order.status > OrderStatus::PendingPayment, "a paid order comes as {}", order.status);
    Ok(())
}

/// What was confirmed in the back office comes as confirmed.
pub async fn an_order_confirmed_in_the_back_office_is_confirmed(kit: &Kit) -> Checked {
    comes_as(kit, &[Change::Confirm], &[OrderStatus::Confirmed, OrderStatus::ReadyToShip]).await
}

/// What was shipped in the back office comes as shipped, or is not listed any more.
pub async fn an_order_shipped_in_the_back_office_is_shipped(kit: &Kit) -> Checked {
    comes_as(kit, &[Change::Ship], &[OrderStatus::Shipped, OrderStatus::ReadyToShip]).await
}

/// What arrived comes as delivered.
pub async fn an_order_that_arrived_is_delivered(kit: &Kit) -> Checked {
    comes_as(kit, &[Change::Ship, Change::Deliver], &[OrderStatus::Delivered]).await
}

/// What was cancelled comes as cancelled, or is not listed any more.
pub async fn a_cancelled_order_is_cancelled(kit: &Kit) -> Checked {
    comes_as(kit, &[Change::Cancel], &[OrderStatus::Cancelled]).await
}

/// An open cancel request shows, in the list and when the order is read again.
pub async fn a_cancel_request_shows(kit: &Kit) -> Checked {
    let shop = kit.good().await?;
    let (read, listed) = state_after(kit, &shop, &[Change::AskCancel]).await?;
    let shows =
        |order: &Order| order.cancel == CancelState::Requested || order.status == OrderStatus::Cancelled;
    ensure!(shows(&read), "a cancel request does not show when the order is read");
    ensure!(listed.iter().all(shows), "a cancel request does not show when orders are listed");
    Ok(())
}

/// A cancel request that was taken back shows no more.
pub async fn a_cancel_request_taken_back_shows_no_more(kit: &Kit) -> Checked {
    let shop = kit.good().await?;
    let (read, listed) = state_after(kit, &shop, &[Change::AskCancel, Change::TakeCancelBack]).await?;
    for order in listed.iter().chain([&read]) {
        ensure!(order.cancel == CancelState::None, "a request that was taken back still shows");
        ensure!(order.status == OrderStatus::New, "after a request taken back the order is {}", order.status);
    }
    ensure!(!listed.is_empty(), "an order whose cancel request was taken back is not fetched");
    Ok(())
}

/// The newest state wins: a later read is never older than an earlier one.
pub async fn a_later_read_supersedes_an_earlier_one(kit: &Kit) -> Checked {
    let shop = kit.good().await?;
    let before = kit.new_order(&shop).await?;
    kit.harness.change(&before.id, Change::Ship).await?;
    let after = kit.reread(&shop, &before).await?;
    ensure!(after.supersedes(&before), "the state read later counts as the older one (OS-12)");
    Ok(())
}

/// Orders are read in the order that was asked, each for itself; one that the channel does not have is refused alone.
pub async fn orders_are_read_each_for_itself(kit: &Kit) -> Checked {
    let shop = kit.good().await?;
    let first = kit.new_order(&shop).await?;
    let second = kit.new_order(&shop).await?;
    let mut gone = kit.new_order(&shop).await?;
    gone.id = OrderId::from("999999999999");
    for line in &mut gone.lines {
        line.id = "999999999999".into();
    }
    let batch = shop.channel.info().read_batch;
    if batch < 3 {
        let outcomes = shop.channel.orders().read(&kit.cx(), &[&second]).await.or_fail("reading an order")?;
        let Outcome::Done(read) = only(outcomes, "reading an order")? else {
            return failed("an order was not read");
        };
        ensure!(read.id == second.id, "another order was read than was asked for");
        return Ok(());
    }
    let asked = [&second, &gone, &first];
    let outcomes = shop.channel.orders().read(&kit.cx(), &asked).await.or_fail("reading orders")?;
    ensure!(outcomes.len() == 3, "{} outcomes for 3 orders", outcomes.len());
    for (outcome, order) in outcomes.iter().zip(asked) {
        match outcome {
            Outcome::Done(read) => {
                ensure!(read.id == order.id, "{} was read in place of {}", read.id, order.id)
            }
            other => ensure!(order.id == gone.id, "order {} was not read: {}", order.id, word(other)),
        }
    }
    ensure!(!matches!(outcomes.get(1), Some(Outcome::Done(_))), "an order that is not there was read");
    Ok(())
}

/// Whatever state an order is in, none of its rows is unreadable.
pub async fn orders_in_every_state_can_be_read(kit: &Kit) -> Checked {
    let shop = kit.good().await?;
    let paths: [&[Change]; 6] = [
        &[],
        &[Change::Confirm],
        &[Change::Ship],
        &[Change::Ship, Change::Deliver],
        &[Change::Cancel],
        &[Change::AskCancel],
    ];
    let mut reached = 0;
    'paths: for path in paths {
        let id = kit.place_one(kit.wish(1)).await?;
        for change in path {
            match kit.harness.change(&id, *change).await {
                Err(super::NotArranged::NotPossible(_)) => continue 'paths,
                done => done?,
            }
        }
        reached += 1;
    }
    let rows = kit.rows(&shop, kit.lately()).await?;
    let unreadable = rows.iter().filter(|row| matches!(row, Row::Unreadable(_))).count();
    ensure!(unreadable == 0, "{unreadable} of {} rows in {reached} states can't be read", rows.len());
    let unknown = rows.iter().filter_map(Row::order).filter(|o| o.status == OrderStatus::Unknown).count();
    ensure!(unknown == 0, "{unknown} orders come in an unknown state");
    Ok(())
}
