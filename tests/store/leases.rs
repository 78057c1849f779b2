//! Leases and fences.

use super::*;

const TEN: TimeDelta = TimeDelta::minutes(10);

pub(crate) async fn another_owner_is_refused_until_the_lease_ends(store: &Arc<dyn Store>) {
    let first = store.acquire(&shop(), "one", now(), TEN).await.unwrap();
    assert_eq!((&first.account, first.owner.as_str()), (&shop(), "one"));
    let almost = now() + TEN - TimeDelta::milliseconds(1);
    let error = store.acquire(&shop(), "two", almost, TEN).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy);
    assert!(error.to_string().contains("one") && error.to_string().contains("10:10"), "{error}");
    let second = store.acquire(&shop(), "two", now() + TEN, TEN).await.unwrap();
    assert!(second.fence > first.fence);
    refused(store.acquire(&shop(), "one", now() + TEN, TEN).await, ErrorKind::Busy);
}

pub(crate) async fn the_same_owner_prolongs_under_a_new_fence(store: &Arc<dyn Store>) {
    let first = store.acquire(&shop(), "one", now(), TEN).await.unwrap();
    let later = now() + TimeDelta::minutes(5);
    let second = store.acquire(&shop(), "one", later, TEN).await.unwrap();
    assert!(second.fence > first.fence);
    refused(store.acquire(&shop(), "two", now() + TimeDelta::minutes(14), TEN).await, ErrorKind::Busy);
    refused(store.commit(&first, records(vec![record("A")])).await, ErrorKind::Busy);
    store.commit(&second, records(vec![record("A")])).await.unwrap();
}

pub(crate) async fn a_released_account_is_free_at_once(store: &Arc<dyn Store>) {
    let first = store.acquire(&shop(), "one", now(), TEN).await.unwrap();
    store.release(&first).await.unwrap();
    let second = store.acquire(&shop(), "two", now(), TEN).await.unwrap();
    assert!(second.fence > first.fence, "fences count on");
}

pub(crate) async fn releasing_a_lost_lease_changes_nothing(store: &Arc<dyn Store>) {
    let first = store.acquire(&shop(), "one", now(), TEN).await.unwrap();
    let second = store.acquire(&shop(), "two", now() + TEN, TEN).await.unwrap();
    store.release(&first).await.unwrap();
    refused(store.acquire(&shop(), "three", now() + TEN, TEN).await, ErrorKind::Busy);
    store.commit(&second, records(vec![record("A")])).await.unwrap();
    let strange = Lease { account: "nobody".into(), owner: "one".into(), fence: 1 };
    store.release(&strange).await.unwrap();
}

pub(crate) async fn an_old_fence_writes_nothing(store: &Arc<dyn Store>) {
    let old = store.acquire(&shop(), "one", now(), TEN).await.unwrap();
    store.commit(&old, records(vec![record("A")])).await.unwrap();
    store.acquire(&shop(), "two", now() + TEN, TEN).await.unwrap();
    let mut commit = records(vec![record("B")]);
    commit.forget = vec!["A".into()];
    commit.links = vec![link("item-TEE", &[("TEE", 1)])];
    commit.state = Some(sales_channels::store::AccountState::new(shop()));
    commit.unreadable = vec![sales_channels::channel::UnreadableRow::new(None, "no", RawPayload::new("{"))];
    refused(store.commit(&old, commit).await, ErrorKind::Busy);
    assert_eq!(ids(store, Scan::All, 10).await, ["A"]);
    assert!(store.scan_links(&shop(), None, 10).await.unwrap().is_empty());
    assert!(store.state(&shop()).await.unwrap().is_none());
    assert!(store.unreadable(&shop(), 10).await.unwrap().is_empty());
}

pub(crate) async fn an_expired_lease_writes_until_it_is_taken_over(store: &Arc<dyn Store>) {
    // The store has no clock of its own: what counts is whether another took the account.
    let lease = store.acquire(&shop(), "one", now(), TimeDelta::zero()).await.unwrap();
    store.commit(&lease, records(vec![record("A")])).await.unwrap();
    store.acquire(&shop(), "two", now(), TEN).await.unwrap();
    refused(store.commit(&lease, records(vec![record("B")])).await, ErrorKind::Busy);
}

pub(crate) async fn a_lease_of_another_account_opens_nothing(store: &Arc<dyn Store>) {
    let mine = store.acquire(&"mine".into(), "one", now(), TEN).await.unwrap();
    for _ in 0..3 {
        store.acquire(&"other".into(), "two", now(), TEN).await.unwrap();
    }
    let forged = Lease { account: "other".into(), ..mine };
    refused(store.commit(&forged, records(vec![record("A")])).await, ErrorKind::Busy);
}

pub(crate) async fn a_commit_without_any_lease_is_refused(store: &Arc<dyn Store>) {
    for fence in [0, 1, -1, i64::MAX] {
        let forged = Lease { account: shop(), owner: "one".into(), fence };
        refused(store.commit(&forged, records(vec![record("A")])).await, ErrorKind::Busy);
    }
    assert!(ids(store, Scan::All, 10).await.is_empty());
}

pub(crate) async fn one_of_many_gets_the_account(store: &Arc<dyn Store>) {
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..16 {
        let store = Arc::clone(store);
        tasks.spawn(async move { store.acquire(&shop(), &format!("worker-{n}"), now(), TEN).await });
    }
    let results = tasks.join_all().await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    assert!(results.iter().filter_map(|r| r.as_ref().err()).all(|e| e.kind() == ErrorKind::Busy));
}
