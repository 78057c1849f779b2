//! Windows and pages of orders: nothing is left out, nothing comes twice, nothing runs in circles.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::kit::{Checked, Kit, OrFail, Shop, Stop, ensure, not_applicable};
use super::wire::Fault;
use super::{Change, Connection, NotArranged};
use crate::channel::{OrderPage, OrderQuery, PageCursor, Row};
use crate::model::{OrderId, Window, start_of_day};

/// Places an order paid at each of these times.
async fn place_at(kit: &Kit, times: &[DateTime<Utc>]) -> Result<Vec<OrderId>, Stop> {
    let mut ids = Vec::new();
    for at in times {
        let mut wish = kit.wish(1);
        (wish.ordered_at, wish.paid_at) = (*at, Some(*at));
        ids.push(kit.place_one(wish).await?);
    }
    Ok(ids)
}

async fn all_found(kit: &Kit, shop: &Shop, window: Window, wanted: &[OrderId]) -> Checked {
    let found = kit.ids(shop, window).await?;
    for id in wanted {
        ensure!(found.contains(id), "order {id} of the window {window:?} was not fetched");
    }
    Ok(())
}

async fn once_each(kit: &Kit, shop: &Shop, window: Window, wanted: &[OrderId]) -> Checked {
    let mut counts: BTreeMap<OrderId, usize> = BTreeMap::new();
    for id in kit.ids(shop, window).await? {
        *counts.entry(id).or_default() += 1;
    }
    for id in wanted {
        let times = counts.get(id).copied().unwrap_or_default();
        ensure!(times == 1, "order {id} came {times} times in {window:?}");
    }
    Ok(())
}

fn seconds(n: i64) -> TimeDelta {
    TimeDelta::seconds(n)
}

/// An order paid exactly when the window begins is in it.
pub async fn an_order_at_the_beginning_of_a_window_is_fetched(kit: &Kit) -> Checked {
    let (shop, from) = (kit.good().await?, kit.recently());
    let ids = place_at(kit, &[from]).await?;
    all_found(kit, &shop, Window::new(from, from + seconds(600)), &ids).await
}

/// An order paid in the last second before the window ends is in it.
pub async fn an_order_in_the_last_second_of_a_window_is_fetched(kit: &Kit) -> Checked {
    let (shop, to) = (kit.good().await?, kit.recently());
    let ids = place_at(kit, &[to - seconds(1)]).await?;
    all_found(kit, &shop, Window::new(to - seconds(600), to), &ids).await
}

/// A window that ends within a second still holds what was paid at that second's beginning.
pub async fn a_window_that_ends_within_a_second_holds_its_beginning(kit: &Kit) -> Checked {
    let (shop, at) = (kit.good().await?, kit.recently());
    let ids = place_at(kit, &[at]).await?;
    let to = at + TimeDelta::milliseconds(500);
    all_found(kit, &shop, Window::new(at - seconds(600), to), &ids).await
}

/// Two windows that touch leave nothing out between them.
pub async fn windows_that_touch_leave_no_gap(kit: &Kit) -> Checked {
    let (shop, border) = (kit.good().await?, kit.recently());
    let ids = place_at(kit, &[border - seconds(1), border, border + seconds(1)]).await?;
    let before = kit.ids(&shop, Window::new(border - seconds(300), border)).await?;
    let after = kit.ids(&shop, Window::new(border, border + seconds(300))).await?;
    for id in ids {
        ensure!(before.contains(&id) || after.contains(&id), "order {id} lies in neither of two windows");
    }
    Ok(())
}

/// A day in the channel's zone holds its first and its last second.
pub async fn a_day_in_the_channels_zone_is_whole(kit: &Kit) -> Checked {
    let shop = kit.good().await?;
    let zone = shop.channel.info().zone;
    let today = kit.harness.now().with_timezone(&zone).date_naive();
    let yesterday = today.pred_opt().unwrap_or(today);
    let (from, to) = (start_of_day(yesterday, zone), start_of_day(today, zone));
    let ids = place_at(kit, &[from, to - seconds(1)]).await?;
    all_found(kit, &shop, Window::new(from, to), &ids).await
}

/// What was paid days away from a window is not in it.
pub async fn orders_far_from_a_window_are_left_out(kit: &Kit) -> Checked {
    let (shop, at) = (kit.good().await?, kit.recently());
    let far = place_at(kit, &[at - TimeDelta::days(4)]).await?;
    let near = place_at(kit, &[at]).await?;
    let found = kit.ids(&shop, Window::new(at - seconds(600), at + seconds(600))).await?;
    ensure!(near.iter().all(|id| found.contains(id)), "the order in the window was not fetched");
    ensure!(!far.iter().any(|id| found.contains(id)), "an order paid 4 days before the window was fetched");
    Ok(())
}

/// An order that was made days ago and paid just now is found by when it was paid.
pub async fn an_order_that_is_paid_late_is_found(kit: &Kit) -> Checked {
    let (shop, at) = (kit.good().await?, kit.recently());
    let mut wish = kit.wish(1);
    (wish.ordered_at, wish.paid_at) = (at - TimeDelta::days(3), Some(at));
    let id = kit.place_one(wish).await?;
    // A channel may go by the time of the order: then the hub finds it by its unpaid state, in the older window.
    let paid = kit.ids(&shop, Window::new(at - seconds(600), at + seconds(600))).await?;
    let ordered = kit.ids(&shop, Window::new(at - TimeDelta::days(3) - seconds(600), at)).await?;
    ensure!(paid.contains(&id) || ordered.contains(&id), "order {id} is found by neither of its times");
    Ok(())
}

/// A window without orders is an empty page without an end of its own.
pub async fn a_window_without_orders_is_empty(kit: &Kit) -> Checked {
    let (shop, at) = (kit.good().await?, kit.recently() - TimeDelta::days(2));
    let rows = kit.rows(&shop, Window::new(at, at + seconds(600))).await?;
    ensure!(rows.is_empty(), "{} rows in a window without orders", rows.len());
    Ok(())
}

/// A window over several days, in as many pages as it takes: everything once.
pub async fn a_window_of_days_comes_whole_and_once(kit: &Kit) -> Checked {
    let (shop, now) = (kit.good().await?, kit.recently());
    let times: Vec<_> = (0..9).map(|n| now - TimeDelta::hours(n * 8)).collect();
    let ids = place_at(kit, &times).await?;
    once_each(kit, &shop, Window::new(now - TimeDelta::hours(70), now + seconds(60)), &ids).await
}

/// More orders than fit on a page: everything once.
pub async fn every_page_is_read_and_no_order_comes_twice(kit: &Kit) -> Checked {
    let shop = kit.open(Connection::paged(2)).await?;
    let now = kit.recently();
    let times: Vec<_> = (0..7).map(|n| now - seconds(n * 10)).collect();
    let ids = place_at(kit, &times).await?;
    let pages = kit.pages(&shop, kit.lately()).await?;
    ensure!(pages.len() > 1, "7 orders came on one page although 2 were asked for");
    once_each(kit, &shop, kit.lately(), &ids).await
}

/// Pages of one row.
pub async fn pages_of_one_row_come_whole(kit: &Kit) -> Checked {
    let shop = kit.open(Connection::paged(1)).await?;
    let now = kit.recently();
    let ids = place_at(kit, &[now, now - seconds(5), now - seconds(10)]).await?;
    once_each(kit, &shop, kit.lately(), &ids).await
}

/// Many orders of one second, more than fit on a page.
pub async fn equal_times_over_a_page_border_lose_nothing(kit: &Kit) -> Checked {
    let shop = kit.open(Connection::paged(2)).await?;
    let ids = place_at(kit, &[kit.recently(); 5]).await?;
    once_each(kit, &shop, kit.lately(), &ids).await
}

/// Orders are placed and shipped while the pages of a window are read: nothing that was there all the time is missing.
pub async fn orders_that_change_between_pages_are_not_lost(kit: &Kit) -> Checked {
    let now = kit.recently();
    let (shop, window, times) = match kit.open(Connection::paged(2)).await {
        Ok(shop) => (shop, kit.lately(), (0..8).map(|n| now - seconds(n * 10)).collect::<Vec<_>>()),
        // Where pages have no size of their own, they are pieces of time.
        Err(Stop::NotApplicable(_)) => {
            let times = (0..8).map(|n| now - TimeDelta::hours(n * 8)).collect();
            (kit.good().await?, Window::new(now - TimeDelta::hours(70), now + seconds(60)), times)
        }
        Err(stop) => return Err(stop),
    };
    let ids = place_at(kit, &times).await?;
    let mut found = BTreeSet::new();
    let mut cursor: Option<PageCursor> = None;
    let mut moved: BTreeSet<OrderId> = BTreeSet::new();
    for turn in 0..100_i64 {
        let page = fetch(kit, &shop, window, cursor.as_ref()).await?;
        found.extend(page.rows.iter().filter_map(|row| Some(row.order()?.id.clone())));
        // One that was read already leaves the list of new orders, and one more is placed: both shift what follows.
        if let Some(id) = found.iter().find(|id| ids.contains(id) && !moved.contains(*id)).cloned() {
            match kit.harness.change(&id, Change::Confirm).await {
                Ok(()) | Err(NotArranged::NotPossible(_)) => {}
                Err(error) => return Err(error.into()),
            }
            moved.insert(id);
        }
        place_at(kit, &[now + seconds(turn % 20)]).await?;
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    ensure!(cursor.is_none(), "the listing did not end within 100 pages");
    for id in &ids {
        ensure!(found.contains(id), "order {id} was there all the time and was not fetched");
    }
    Ok(())
}

async fn fetch(
    kit: &Kit,
    shop: &Shop,
    window: Window,
    cursor: Option<&PageCursor>,
) -> Result<OrderPage, Stop> {
    let query = OrderQuery::window(window);
    shop.channel.orders().fetch(&kit.cx(), &query, cursor).await.or_fail("fetching orders")
}

/// A shop with a window of more than one page, and the cursor of the second.
async fn second_page(kit: &Kit) -> Result<(Shop, Window, PageCursor), Stop> {
    let now = kit.recently();
    let (shop, window) = match kit.open(Connection::paged(1)).await {
        Ok(shop) => {
            place_at(kit, &[now, now - seconds(5), now - seconds(10)]).await?;
            (shop, kit.lately())
        }
        Err(Stop::NotApplicable(_)) => {
            let times: Vec<_> = (0..3).map(|n| now - TimeDelta::hours(n * 24)).collect();
            place_at(kit, &times).await?;
            (kit.good().await?, Window::new(now - TimeDelta::hours(50), now + seconds(60)))
        }
        Err(stop) => return Err(stop),
    };
    match fetch(kit, &shop, window, None).await?.next {
        Some(cursor) => Ok((shop, window, cursor)),
        None => not_applicable("a window of orders comes on one page here"),
    }
}

fn ids_of(page: &OrderPage) -> Vec<OrderId> {
    page.rows.iter().filter_map(|row| Some(row.order()?.id.clone())).collect()
}

/// A page that is asked for again, as after a crash, is the same page.
pub async fn a_cursor_that_is_used_again_gives_the_same_page(kit: &Kit) -> Checked {
    let (shop, window, cursor) = second_page(kit).await?;
    let first = fetch(kit, &shop, window, Some(&cursor)).await?;
    let again = fetch(kit, &shop, window, Some(&cursor)).await?;
    ensure!(ids_of(&first) == ids_of(&again), "the same cursor gave other orders");
    ensure!(first.next == again.next, "the same cursor went on elsewhere");
    Ok(())
}

/// A cursor still works in another process: it holds all it needs.
pub async fn a_cursor_works_after_a_restart(kit: &Kit) -> Checked {
    let (shop, window, cursor) = second_page(kit).await?;
    let here = fetch(kit, &shop, window, Some(&cursor)).await?;
    let other = match kit.open(Connection::paged(1)).await {
        Err(Stop::NotApplicable(_)) => kit.good().await?,
        shop => shop?,
    };
    let there = fetch(kit, &other, window, Some(&cursor)).await?;
    ensure!(ids_of(&here) == ids_of(&there), "a new adapter gave other orders for the same cursor");
    Ok(())
}

/// A cursor from the far future, or of something else, is an error or an end, never an endless listing.
pub async fn a_foreign_cursor_ends(kit: &Kit) -> Checked {
    let shop = kit.good().await?;
    place_at(kit, &[kit.recently()]).await?;
    let far = kit.harness.now() + TimeDelta::days(36_500);
    let mut cursors = vec![
        far.timestamp().to_string(),
        far.to_rfc3339(),
        format!("{}+86400", far.timestamp()),
        "999999999".to_owned(),
        i64::MAX.to_string(),
        "-1".to_owned(),
        String::new(),
        "/".to_owned(),
        "{\"page\":999999999}".to_owned(),
        "髙🌸".to_owned(),
    ];
    cursors.push("9".repeat(5000));
    for text in cursors {
        let mut cursor = Some(PageCursor::new(text.clone()));
        let query = OrderQuery::window(kit.lately());
        for turn in 0.. {
            let page = shop.channel.orders().fetch(&kit.cx(), &query, cursor.as_ref()).await;
            cursor = page.ok().and_then(|page| page.next);
            if cursor.is_none() {
                break;
            }
            ensure!(turn < 100, "a foreign cursor starts a listing without an end ({} bytes)", text.len());
        }
    }
    Ok(())
}

/// A row that can't be read is told with its raw text, and the others come as if nothing were.
pub async fn a_row_that_cannot_be_read_spoils_only_itself(kit: &Kit) -> Checked {
    let (shop, now) = (kit.good().await?, kit.recently());
    let ids = place_at(kit, &[now, now - seconds(10), now - seconds(20)]).await?;
    let fetched = kit.orders(&shop, kit.lately()).await?;
    let Some(bad) = ids.get(1).and_then(|id| fetched.iter().find(|order| order.id == *id)) else {
        return super::kit::failed("an order of the window was not fetched");
    };
    let (harness, id, raw) = (Arc::clone(&kit.harness), bad.id.clone(), bad.raw.reveal().to_owned());
    let spoilt = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let hit = Arc::clone(&spoilt);
    let tamper = move |answer: &[u8]| {
        let changed = harness.spoil(answer, &id, &raw);
        hit.fetch_or(changed.is_some(), std::sync::atomic::Ordering::SeqCst);
        changed
    };
    shop.wire.strike(0, usize::MAX, Fault::Tampered(Arc::new(tamper)));
    let rows = kit.rows(&shop, kit.lately()).await?;
    if !spoilt.load(std::sync::atomic::Ordering::SeqCst) {
        return not_applicable("the raw payload is in no answer as it is: write Harness::spoil");
    }
    let read: Vec<_> = rows.iter().filter_map(Row::order).map(|order| order.id.clone()).collect();
    for id in ids.iter().filter(|id| **id != bad.id) {
        ensure!(read.contains(id), "a row that can't be read took order {id} with it");
    }
    ensure!(!read.contains(&bad.id), "a row that can't be read was taken for an order");
    let told = rows.iter().any(|row| matches!(row, Row::Unreadable(row) if !row.raw.reveal().is_empty()));
    ensure!(told, "the row that can't be read is not told, or without its raw text");
    Ok(())
}
