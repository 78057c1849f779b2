//! What a commit writes, and how it is read back.

use sales_channels::channel::{Tracking, UnreadableRow};
use sales_channels::model::{By, ChannelData, DispatchStep, Done, Fulfilment, PlannedDispatch, Step};
use sales_channels::store::{AccountState, HealthLevel, IssueKey};

use super::*;

fn state(account: &str) -> AccountState {
    let mut state = AccountState::new(account.into());
    state.cursor.through = Some(now());
    state.centre_cursor = Some("7".into());
    state.health.raise(
        IssueKey::Refused(sales_channels::channel::Operation::Confirm),
        HealthLevel::Degraded,
        "why",
        "what",
        now(),
    );
    state.health.succeeded(sales_channels::channel::Operation::FetchOrders, now());
    state
}

fn unreadable(raw: &str) -> UnreadableRow {
    UnreadableRow::new(Some("X".into()), "quantity is not a number", RawPayload::new(raw))
}

pub(crate) async fn everything_of_a_commit_is_there(store: &Arc<dyn Store>) {
    put(store, vec![record("old")]).await;
    let lease = lease(store, "shop").await;
    let commit = Commit {
        state: Some(state("shop")),
        records: vec![record("A"), record("B")],
        forget: vec!["old".into()],
        links: vec![link("item-TEE", &[("TEE", 1)])],
        unreadable: vec![unreadable("{")],
    };
    store.commit(&lease, commit.clone()).await.unwrap();
    assert_eq!(store.state(&shop()).await.unwrap(), commit.state);
    assert_eq!(ids(store, Scan::All, 10).await, ["A", "B"]);
    assert_eq!(store.links(&shop(), &[ListingKey::item("item-TEE")]).await.unwrap(), commit.links);
    assert_eq!(store.unreadable(&shop(), 10).await.unwrap(), commit.unreadable);
}

pub(crate) async fn an_empty_commit_writes_nothing(store: &Arc<dyn Store>) {
    let lease = lease(store, "shop").await;
    store.commit(&lease, Commit::default()).await.unwrap();
    assert!(store.states().await.unwrap().is_empty());
    assert!(ids(store, Scan::All, 10).await.is_empty());
}

pub(crate) async fn records_are_replaced_as_a_whole(store: &Arc<dyn Store>) {
    let mut first = order_of("A", &[("one", Some("ONE"), 2), ("two", Some("TWO"), 3)]);
    first.next_read = Some(now());
    put(store, vec![first]).await;
    let second = order_of("A", &[("one", Some("ONE"), 1)]);
    put(store, vec![second.clone()]).await;
    assert_eq!(get(store, "shop", "A").await, Some(second));
    let held = store.held(&["ONE".into(), "TWO".into()]).await.unwrap();
    assert_eq!(held.into_values().collect::<Vec<_>>(), [1, 0]);
    assert!(ids(store, Scan::FollowDue(now()), 10).await.is_empty());
}

pub(crate) async fn the_last_of_several_versions_in_a_commit_wins(store: &Arc<dyn Store>) {
    let versions = (1..=3).map(|n| order_of("A", &[("one", Some("ONE"), n)])).collect();
    put(store, versions).await;
    assert_eq!(get(store, "shop", "A").await.unwrap().order.lines[0].quantity, 3);
    assert_eq!(store.held(&["ONE".into()]).await.unwrap()[&Sku::from("ONE")], 3);
    put_links(store, "shop", vec![link("one", &[("ONE", 1)]), link("one", &[("ONE", 5)])]).await;
    assert_eq!(store.scan_links(&shop(), None, 10).await.unwrap(), [link("one", &[("ONE", 5)])]);
    assert_eq!(store.held(&["ONE".into()]).await.unwrap()[&Sku::from("ONE")], 15);
}

pub(crate) async fn a_record_forgotten_in_its_own_commit_is_gone(store: &Arc<dyn Store>) {
    let lease = lease(store, "shop").await;
    let mut commit = records(vec![record("A"), record("B")]);
    commit.forget = vec!["A".into()];
    store.commit(&lease, commit).await.unwrap();
    assert_eq!(ids(store, Scan::All, 10).await, ["B"]);
    assert_eq!(store.held(&["TEE".into()]).await.unwrap()[&Sku::from("TEE")], 1);
}

pub(crate) async fn forgetting_what_is_not_there_is_nothing(store: &Arc<dyn Store>) {
    put(store, vec![record("A")]).await;
    forget(store, &["B", "C", "B"]).await;
    assert_eq!(ids(store, Scan::All, 10).await, ["A"]);
}

pub(crate) async fn records_come_back_as_they_were_stored(store: &Arc<dyn Store>) {
    let mut full = order_of("A", &[("one", Some("ONE"), 2), ("two", None, u32::MAX)]);
    full.order.channel_data = ChannelData::new(&[("delivery", 7), ("箱", -1)]).unwrap();
    full.order.lines[0].channel_data = ChannelData::new(&"ü\u{0}").unwrap();
    full.order.tracking.push(Tracking::new("ヤマト", "4000-1"));
    full.order.expected_ship_date = Some("2026-11-25".parse().unwrap());
    full.fulfilment = Fulfilment::Centre;
    full.confirm = Step::Refused { at: now(), code: "-1".into(), message: "拒否".into() };
    full.set_ship_date = Step::Started { at: now(), by: By::Hand };
    full.instruct = Step::Planned { at: now(), by: By::Option, attempts: 3 };
    full.ship_date = Some("2026-11-25".parse().unwrap());
    let parcel = PlannedDispatch::whole("p1", Some(Tracking::new("ヤマト", "4000-1")), now());
    let done = Step::Done { at: now(), how: Done::SeenOnChannel };
    let mut step = DispatchStep::new(parcel.part(vec![("0".into(), 2)]), done);
    step.parcel_ids = vec!["PKG-1".into()];
    step.label = Some(Private::new("https://label.example/1".to_owned()));
    full.dispatches.push(step);
    full.next_read = Some(at("2026-11-24T10:00:00.123456789Z"));
    full.left_centre = true;
    full.reread = true;
    full.sku_from_channel = false;
    put(store, vec![full.clone()]).await;
    assert_eq!(get(store, "shop", "A").await, Some(full));

    let mut push = link("one", &[("ONE", 1), ("TWO", 4)]);
    push.key.option = "赤/L".into();
    push.accepted = Some(7);
    push.pushing = Some(u32::MAX);
    push.failure = Some("[1] no".into());
    push.pushed_at = Some(now());
    push.channel_data = ChannelData::new(&7).unwrap();
    put_links(store, "shop", vec![push.clone()]).await;
    assert_eq!(store.links(&shop(), &[push.key.clone()]).await.unwrap(), [push]);
}

pub(crate) async fn ids_may_be_any_text(store: &Arc<dyn Store>) {
    let long = "x".repeat(10_000);
    let strange =
        ["", " ", "'; DROP TABLE orders; --", "a\u{0}b", "a\u{0}c", "주문 🌿", "%_*", "NULL", "\"", &long];
    let mut all: Vec<OrderRecord> = strange.iter().map(|id| record(id)).collect();
    for (n, record) in all.iter_mut().enumerate() {
        record.order.lines[0].listing = ListingKey::option(strange[n], strange[(n + 1) % strange.len()]);
        record.order.lines[0].sku = Some(strange[n].into());
    }
    put(store, all.clone()).await;
    let mut sorted = strange;
    sorted.sort_unstable();
    assert_eq!(ids(store, Scan::All, 3).await, sorted);
    assert_eq!(ids(store, Scan::Working, 1).await, sorted);
    let wanted: Vec<OrderId> = strange.iter().map(|id| OrderId::from(*id)).collect();
    let mut found = store.records(&shop(), &wanted).await.unwrap();
    found.sort_by_key(|record| strange.iter().position(|id| *id == record.order.id.as_str()));
    assert_eq!(found, all);
    let skus: Vec<Sku> = strange.iter().map(|sku| Sku::from(*sku)).collect();
    assert!(store.held(&skus).await.unwrap().values().all(|pieces| *pieces == 1));
    forget(store, &strange).await;
    assert!(ids(store, Scan::All, 10).await.is_empty());
    for account in strange {
        let lease = lease(store, account).await;
        store.commit(&lease, Commit { state: Some(state(account)), ..Commit::default() }).await.unwrap();
    }
    let accounts: Vec<String> =
        store.states().await.unwrap().into_iter().map(|state| state.account.to_string()).collect();
    assert_eq!(accounts, sorted);
}

pub(crate) async fn accounts_do_not_see_each_other(store: &Arc<dyn Store>) {
    put(store, vec![record("A")]).await;
    put_links(store, "shop", vec![link("one", &[("ONE", 1)])]).await;
    let other = lease(store, "other").await;
    let mut commit = records(vec![order_of("A", &[("one", Some("ONE"), 9)])]);
    commit.forget = vec!["B".into()];
    commit.unreadable = vec![unreadable("{")];
    store.commit(&other, commit).await.unwrap();
    assert_eq!(get(store, "shop", "A").await, Some(record("A")));
    assert_eq!(get(store, "other", "A").await.unwrap().order.lines[0].quantity, 9);
    assert!(store.links(&"other".into(), &[ListingKey::item("one")]).await.unwrap().is_empty());
    assert!(store.scan_links(&"other".into(), None, 10).await.unwrap().is_empty());
    assert!(store.unreadable(&shop(), 10).await.unwrap().is_empty());
    let lease = lease(store, "other").await;
    store.commit(&lease, Commit { forget: vec!["A".into()], ..Commit::default() }).await.unwrap();
    assert_eq!(ids(store, Scan::All, 10).await, ["A"]);
}

pub(crate) async fn the_account_of_the_lease_owns_what_is_written(store: &Arc<dyn Store>) {
    let other = lease(store, "other").await;
    store.commit(&other, records(vec![record("A")])).await.unwrap();
    assert!(get(store, "other", "A").await.is_some());
    assert!(get(store, "shop", "A").await.is_none());
}

pub(crate) async fn unknown_accounts_are_empty(store: &Arc<dyn Store>) {
    assert!(store.state(&shop()).await.unwrap().is_none());
    assert!(store.states().await.unwrap().is_empty());
    assert!(get(store, "shop", "A").await.is_none());
    assert!(store.records(&shop(), &[]).await.unwrap().is_empty());
    assert!(store.links(&shop(), &[]).await.unwrap().is_empty());
    assert!(store.links(&shop(), &[ListingKey::item("x")]).await.unwrap().is_empty());
    assert!(ids(store, Scan::Working, 10).await.is_empty());
    assert!(store.scan_links(&shop(), None, 10).await.unwrap().is_empty());
    assert!(store.unreadable(&shop(), 10).await.unwrap().is_empty());
    assert!(store.held(&[]).await.unwrap().is_empty());
}

pub(crate) async fn asking_for_an_order_twice_gives_it_once(store: &Arc<dyn Store>) {
    put(store, vec![record("A"), record("B")]).await;
    let asked: Vec<OrderId> = ["A", "A", "missing", "B", "A"].map(OrderId::from).to_vec();
    assert_eq!(store.records(&shop(), &asked).await.unwrap().len(), 2);
    put_links(store, "shop", vec![link("one", &[("ONE", 1)])]).await;
    let keys = vec![ListingKey::item("one"); 5];
    assert_eq!(store.links(&shop(), &keys).await.unwrap().len(), 1);
    let many: Vec<OrderId> = (0..2000).map(|n| OrderId::from(format!("{n}"))).chain(["A".into()]).collect();
    assert_eq!(store.records(&shop(), &many).await.unwrap().len(), 1);
}

pub(crate) async fn states_come_by_account(store: &Arc<dyn Store>) {
    for account in ["b", "a", "Z", "é", "10", "9"] {
        let lease = lease(store, account).await;
        store.commit(&lease, Commit { state: Some(state(account)), ..Commit::default() }).await.unwrap();
    }
    let states = store.states().await.unwrap();
    let accounts: Vec<&str> = states.iter().map(|state| state.account.as_str()).collect();
    assert_eq!(accounts, ["10", "9", "Z", "a", "b", "é"]);
    assert_eq!(states[3], state("a"));
}

pub(crate) async fn an_account_without_state_has_none(store: &Arc<dyn Store>) {
    put(store, vec![record("A")]).await;
    assert!(store.state(&shop()).await.unwrap().is_none());
    assert!(store.states().await.unwrap().is_empty());
    let lease = lease(store, "shop").await;
    store.commit(&lease, Commit { state: Some(state("shop")), ..Commit::default() }).await.unwrap();
    put(store, vec![record("B")]).await;
    assert_eq!(store.state(&shop()).await.unwrap(), Some(state("shop")), "a commit without state keeps it");
}

pub(crate) async fn unreadable_rows_come_newest_first(store: &Arc<dyn Store>) {
    let lease = lease(store, "shop").await;
    for texts in [vec!["1", "2"], vec!["3"], vec!["4", "5"]] {
        let unreadable = texts.into_iter().map(unreadable).collect();
        store.commit(&lease, Commit { unreadable, ..Commit::default() }).await.unwrap();
    }
    let newest = store.unreadable(&shop(), 3).await.unwrap();
    assert_eq!(newest.iter().map(|row| row.raw.reveal()).collect::<Vec<_>>(), ["5", "4", "3"]);
    assert_eq!(store.unreadable(&shop(), 100).await.unwrap().len(), 5);
    assert!(store.unreadable(&shop(), 0).await.unwrap().is_empty());
}

pub(crate) async fn the_same_unreadable_text_is_kept_once_per_account(store: &Arc<dyn Store>) {
    for account in ["shop", "other"] {
        let lease = lease(store, account).await;
        for _ in 0..2 {
            let mut again = unreadable("{\"id\": \"あ\"}");
            again.reason = "another reason".into();
            let rows = vec![unreadable("{\"id\": \"あ\"}"), unreadable("{"), again];
            store.commit(&lease, Commit { unreadable: rows, ..Commit::default() }).await.unwrap();
        }
    }
    let kept = store.unreadable(&shop(), 10).await.unwrap();
    assert_eq!(kept.len(), 2);
    assert_eq!(kept[1], unreadable("{\"id\": \"あ\"}"), "as it was first seen");
    assert_eq!(store.unreadable(&"other".into(), 10).await.unwrap().len(), 2);
}

pub(crate) async fn ten_thousand_records_in_one_commit(store: &Arc<dyn Store>) {
    let lease = lease(store, "shop").await;
    let all: Vec<OrderRecord> = (0..10_000).map(|n| record(&format!("{n:05}"))).collect();
    let commit = Commit {
        records: all.clone(),
        links: (0..10_000).map(|n| link(&format!("{n:05}"), &[("TEE", 1), ("CUP", 2)])).collect(),
        unreadable: (0..100).map(|n| unreadable(&format!("{n}"))).collect(),
        state: Some(state("shop")),
        forget: Vec::new(),
    };
    store.commit(&lease, commit).await.unwrap();
    let found = ids(store, Scan::Working, 500).await;
    assert_eq!(found.len(), 10_000);
    assert!(found.is_sorted());
    assert_eq!(store.held(&["TEE".into()]).await.unwrap()[&Sku::from("TEE")], 10_000);
    let forget = all.iter().skip(1).map(|record| record.order.id.clone()).collect();
    store.commit(&lease, Commit { forget, ..Commit::default() }).await.unwrap();
    assert_eq!(ids(store, Scan::All, 500).await, ["00000"]);
    assert_eq!(store.held(&["TEE".into()]).await.unwrap()[&Sku::from("TEE")], 1);
}

pub(crate) async fn readers_see_all_of_a_commit_or_nothing(store: &Arc<dyn Store>) {
    let pair = |pieces| ["A", "B"].map(|id| order_of(id, &[("one", Some("ONE"), pieces)])).to_vec();
    put(store, pair(1)).await;
    let writing = Arc::clone(store);
    let writer = tokio::spawn(async move {
        for pieces in 2..100 {
            put(&writing, pair(pieces)).await;
        }
    });
    let mut seen = 0;
    while seen < 99 {
        let both = store.records(&shop(), &["A".into(), "B".into()]).await.unwrap();
        let pieces: Vec<u32> = both.iter().map(|record| record.order.lines[0].quantity).collect();
        assert_eq!(pieces.len(), 2);
        assert_eq!(pieces[0], pieces[1]);
        let held = store.held(&["ONE".into()]).await.unwrap()[&Sku::from("ONE")];
        assert_eq!(held % 2, 0, "{held} pieces: half a commit");
        assert!(pieces[0] >= seen, "never back to an older state");
        seen = pieces[0];
    }
    writer.await.unwrap();
}

pub(crate) async fn concurrent_commits_lose_nothing(store: &Arc<dyn Store>) {
    let mut tasks = tokio::task::JoinSet::new();
    for worker in 0..16 {
        let store = Arc::clone(store);
        tasks.spawn(async move {
            let mut written = Vec::new();
            // Two workers to an account: they take it from each other.
            let account = AccountId::from(format!("account-{}", worker / 2));
            for n in 0..25 {
                let id = format!("{worker}-{n}");
                let lease =
                    store.acquire(&account, &format!("{worker}"), now(), TimeDelta::zero()).await.unwrap();
                match store.commit(&lease, records(vec![record(&id)])).await {
                    Ok(()) => written.push((account.clone(), id)),
                    Err(error) => assert_eq!(error.kind(), ErrorKind::Busy, "{error}"),
                }
            }
            written
        });
    }
    let mut written: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
    written.sort();
    let mut stored = Vec::new();
    for n in 0..8 {
        let account = AccountId::from(format!("account-{n}"));
        let found = store.scan(&account, Scan::All, None, 1000).await.unwrap();
        stored.extend(found.into_iter().map(|record| (account.clone(), record.order.id.to_string())));
    }
    stored.sort();
    assert!(written.len() >= 8);
    assert_eq!(stored, written, "what was acknowledged is there, what was refused is not");
}
