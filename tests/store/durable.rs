//! Stores that survive a restart.

use sales_channels::channel::UnreadableRow;
use sales_channels::store::AccountState;

use super::*;

pub(crate) async fn everything_is_there_after_a_restart<S: Subject>(subject: &S, store: Arc<dyn Store>) {
    let first = lease(&store, "shop").await;
    let mut due = record("due");
    due.next_read = Some(now());
    due.order.status = OrderStatus::Shipped;
    let commit = Commit {
        state: Some(AccountState::new(shop())),
        records: vec![record("A"), due],
        links: vec![link("item-TEE", &[("TEE", 2)])],
        unreadable: vec![UnreadableRow::new(None, "no", RawPayload::new("{"))],
        forget: Vec::new(),
    };
    store.commit(&first, commit.clone()).await.unwrap();
    drop(store);
    let store = subject.reopened().await;
    assert_eq!(store.state(&shop()).await.unwrap(), commit.state);
    assert_eq!(get(&store, "shop", "A").await, Some(record("A")));
    assert_eq!(ids(&store, Scan::Working, 10).await, ["A"]);
    assert_eq!(ids(&store, Scan::FollowDue(now()), 10).await, ["due"]);
    assert_eq!(store.scan_links(&shop(), None, 10).await.unwrap(), commit.links);
    assert_eq!(store.held(&["TEE".into()]).await.unwrap()[&Sku::from("TEE")], 2);
    assert_eq!(store.unreadable(&shop(), 10).await.unwrap(), commit.unreadable);
    let lease = lease(&store, "shop").await;
    store.commit(&lease, commit).await.unwrap();
    assert_eq!(store.unreadable(&shop(), 10).await.unwrap().len(), 1, "the same text, also across a restart");
}

pub(crate) async fn fences_count_on_after_a_restart<S: Subject>(subject: &S, store: Arc<dyn Store>) {
    let before = lease(&store, "shop").await;
    store.release(&before).await.unwrap();
    drop(store);
    let store = subject.reopened().await;
    let after = lease(&store, "shop").await;
    assert!(after.fence > before.fence);
    refused(store.commit(&before, records(vec![record("A")])).await, ErrorKind::Busy);
}

pub(crate) async fn a_lease_outlives_its_process_until_it_ends<S: Subject>(
    subject: &S,
    store: Arc<dyn Store>,
) {
    let ten = TimeDelta::minutes(10);
    let dead = store.acquire(&shop(), "dead", now(), ten).await.unwrap();
    drop(store);
    let store = subject.reopened().await;
    refused(store.acquire(&shop(), "new", now() + ten - TimeDelta::seconds(1), ten).await, ErrorKind::Busy);
    let new = store.acquire(&shop(), "new", now() + ten, ten).await.unwrap();
    refused(store.commit(&dead, records(vec![record("A")])).await, ErrorKind::Busy);
    store.commit(&new, records(vec![record("B")])).await.unwrap();
    assert_eq!(ids(&store, Scan::All, 10).await, ["B"]);
}

pub(crate) async fn a_store_that_was_not_closed_has_every_commit<S: Subject>(
    subject: &S,
    store: Arc<dyn Store>,
) {
    let first = lease(&store, "shop").await;
    for n in 0..50 {
        store.commit(&first, records(vec![record(&format!("{n:02}"))])).await.unwrap();
        if n % 10 == 9 {
            // Another process reads while this one still has it open.
            assert_eq!(ids(&subject.reopened().await, Scan::All, 100).await.len(), n + 1);
        }
    }
}
