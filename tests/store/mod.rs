//! What every store must do, as functions over any store. `store_suite!` makes named tests of them for one store,
//! `durable_suite!` adds those for stores that survive a restart.

pub(crate) mod commits;
pub(crate) mod durable;
pub(crate) mod held;
pub(crate) mod leases;
#[cfg(feature = "postgres")]
pub(crate) mod postgres;
pub(crate) mod scans;
#[cfg(feature = "sqlite")]
pub(crate) mod sqlite;

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use sales_channels::ErrorKind;
use sales_channels::model::{
    AccountId, Component, Currency, Line, LinkState, ListingKey, ListingLink, Order, OrderId, OrderRecord,
    OrderStatus, Private, RawPayload, Sku,
};
use sales_channels::store::{Commit, Lease, Scan, Store};

/// Makes stores to be tested.
#[async_trait::async_trait]
pub(crate) trait Subject: Send + Sync {
    /// An empty store; `None`: this machine lacks what it needs, and it was said.
    async fn empty() -> Option<(Self, Arc<dyn Store>)>
    where
        Self: Sized;

    /// The same store after a restart of the process.
    async fn reopened(&self) -> Arc<dyn Store> {
        panic!("this store does not survive a restart")
    }
}

macro_rules! store_tests {
    ($subject:ty; $($module:ident: $($test:ident)*;)*) => {$(
        mod $module {
            use super::*;
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    let Some((_subject, store)) = <$subject as $crate::store::Subject>::empty().await else {
                        return;
                    };
                    $crate::store::$module::$test(&store).await;
                }
            )*
        }
    )*};
}
pub(crate) use store_tests;

macro_rules! store_suite {
    ($subject:ty) => {
        $crate::store::store_tests! { $subject;
            leases:
                another_owner_is_refused_until_the_lease_ends
                the_same_owner_prolongs_under_a_new_fence
                a_released_account_is_free_at_once
                releasing_a_lost_lease_changes_nothing
                an_old_fence_writes_nothing
                an_expired_lease_writes_until_it_is_taken_over
                a_lease_of_another_account_opens_nothing
                a_commit_without_any_lease_is_refused
                one_of_many_gets_the_account;
            commits:
                everything_of_a_commit_is_there
                an_empty_commit_writes_nothing
                records_are_replaced_as_a_whole
                the_last_of_several_versions_in_a_commit_wins
                a_record_forgotten_in_its_own_commit_is_gone
                forgetting_what_is_not_there_is_nothing
                records_come_back_as_they_were_stored
                ids_may_be_any_text
                accounts_do_not_see_each_other
                the_account_of_the_lease_owns_what_is_written
                unknown_accounts_are_empty
                asking_for_an_order_twice_gives_it_once
                states_come_by_account
                an_account_without_state_has_none
                unreadable_rows_come_newest_first
                the_same_unreadable_text_is_kept_once_per_account
                ten_thousand_records_in_one_commit
                readers_see_all_of_a_commit_or_nothing
                concurrent_commits_lose_nothing;
            scans:
                working_follows_what_is_still_to_be_done
                working_and_all_come_by_id_in_byte_order
                pages_join_without_gap_or_repeat
                a_page_after_an_id_that_is_gone_goes_on_behind_it
                orders_that_change_behind_a_scan_are_neither_skipped_nor_repeated
                follow_due_gives_those_that_are_due
                forgotten_and_deleted_orders_leave_the_scans
                a_limit_of_nothing_gives_nothing
                links_come_by_key_in_pages
                links_are_replaced_as_a_whole;
            held:
                a_line_holds_its_own_sku
                a_link_goes_before_the_own_sku
                a_bundle_holds_all_of_its_parts
                all_accounts_count_each_through_its_own_links
                a_link_made_later_counts_for_orders_that_were_there
                a_code_that_does_not_count_holds_nothing
                watched_orders_hold
                deleted_forgotten_and_shipped_orders_do_not_hold
                instructed_orders_hold_until_they_left_the_centre
                cancelled_and_shipped_pieces_do_not_hold
                pieces_of_several_lines_are_summed
                every_sku_asked_for_is_answered_once
                sums_too_large_to_count_stay_at_the_most;
        }
    };
}
pub(crate) use store_suite;

macro_rules! durable_suite {
    ($subject:ty) => {
        mod durable {
            use super::*;
            $crate::store::durable_tests! { $subject;
                everything_is_there_after_a_restart
                fences_count_on_after_a_restart
                a_lease_outlives_its_process_until_it_ends
                a_store_that_was_not_closed_has_every_commit
            }
        }
    };
}
pub(crate) use durable_suite;

macro_rules! durable_tests {
    ($subject:ty; $($test:ident)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $test() {
            let Some((subject, store)) = <$subject as $crate::store::Subject>::empty().await else { return };
            $crate::store::durable::$test(&subject, store).await;
        }
    )*};
}
pub(crate) use durable_tests;

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// When all of it happens.
pub(crate) fn now() -> DateTime<Utc> {
    at("2026-11-24T10:00:00Z")
}

pub(crate) fn shop() -> AccountId {
    AccountId::from("shop")
}

pub(crate) async fn lease(store: &Arc<dyn Store>, account: &str) -> Lease {
    store.acquire(&AccountId::from(account), "worker", now(), TimeDelta::minutes(10)).await.unwrap()
}

/// A linked, paid order of one piece of TEE.
pub(crate) fn record(id: &str) -> OrderRecord {
    order_of(id, &[("item-TEE", Some("TEE"), 1)])
}

/// A linked, paid order of these lines: listing, own SKU, pieces.
pub(crate) fn order_of(id: &str, lines: &[(&str, Option<&str>, u32)]) -> OrderRecord {
    let mut order = Order::new(id, OrderStatus::New, now(), now(), Currency::JPY);
    for (n, (item, sku, pieces)) in lines.iter().enumerate() {
        let mut line = Line::new(format!("{n}"), ListingKey::item(*item), *pieces, OrderStatus::New);
        line.sku = sku.map(Sku::from);
        line.title = "Tシャツ 🌿 \"good\"\n\u{0}".into();
        order.lines.push(line);
    }
    order.memo = Some(Private::new("門の前に置いてください".into()));
    order.raw = RawPayload::new("{\"a\":\"\\u0000 ü\"}");
    OrderRecord::new(shop(), order, LinkState::Linked { at: now() })
}

pub(crate) fn link(item: &str, parts: &[(&str, u32)]) -> ListingLink {
    let components =
        parts.iter().map(|(sku, quantity)| Component { sku: Sku::from(*sku), quantity: *quantity }).collect();
    ListingLink::new(shop(), ListingKey::item(item), components)
}

pub(crate) fn records(records: Vec<OrderRecord>) -> Commit {
    Commit { records, ..Commit::default() }
}

pub(crate) async fn put(store: &Arc<dyn Store>, all: Vec<OrderRecord>) {
    let lease = lease(store, "shop").await;
    store.commit(&lease, records(all)).await.unwrap();
}

pub(crate) async fn put_links(store: &Arc<dyn Store>, account: &str, links: Vec<ListingLink>) {
    let lease = lease(store, account).await;
    store.commit(&lease, Commit { links, ..Commit::default() }).await.unwrap();
}

pub(crate) async fn forget(store: &Arc<dyn Store>, ids: &[&str]) {
    let lease = lease(store, "shop").await;
    let forget = ids.iter().map(|id| OrderId::from(*id)).collect();
    store.commit(&lease, Commit { forget, ..Commit::default() }).await.unwrap();
}

pub(crate) async fn get(store: &Arc<dyn Store>, account: &str, id: &str) -> Option<OrderRecord> {
    store.records(&AccountId::from(account), &[OrderId::from(id)]).await.unwrap().pop()
}

/// All ids of a scan, by pages of this size.
pub(crate) async fn ids(store: &Arc<dyn Store>, scan: Scan, page: usize) -> Vec<String> {
    let mut ids = Vec::new();
    let mut after: Option<OrderId> = None;
    loop {
        let found = store.scan(&shop(), scan, after.as_ref(), page).await.unwrap();
        assert!(found.len() <= page);
        let Some(last) = found.last() else { return ids };
        after = Some(last.order.id.clone());
        ids.extend(found.iter().map(|record| record.order.id.to_string()));
    }
}

pub(crate) fn refused<T: std::fmt::Debug>(result: sales_channels::Result<T>, kind: ErrorKind) {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
}

/// The error says this, and what to do.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
#[track_caller]
pub(crate) fn says<T: std::fmt::Debug>(result: sales_channels::Result<T>, kind: ErrorKind, words: &[&str]) {
    let error = result.unwrap_err();
    let text = error.to_string();
    assert_eq!(error.kind(), kind, "{text}");
    for word in words {
        assert!(text.contains(word), "{text}");
    }
}

/// Lets others go on so many times.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) async fn turns(n: u32) {
    for _ in 0..n {
        tokio::task::yield_now().await;
    }
}
