//! Scans, pages and links.

use sales_channels::channel::Tracking;
use sales_channels::model::{By, DispatchStep, PlannedDispatch, Step};
use sales_channels::store::is_working;

use super::*;

fn with(id: &str, change: impl FnOnce(&mut OrderRecord)) -> OrderRecord {
    let mut record = record(id);
    change(&mut record);
    record
}

pub(crate) async fn working_follows_what_is_still_to_be_done(store: &Arc<dyn Store>) {
    let shipped = |record: &mut OrderRecord| record.order.status = OrderStatus::Shipped;
    let started = || Step::Started { at: now(), by: By::Option };
    let parcel = |step| {
        DispatchStep::new(PlannedDispatch::whole("p", Some(Tracking::new("Yamato", "1")), now()), step)
    };
    let kinds: Vec<OrderRecord> = vec![
        with("deleted", |r| r.link = LinkState::Deleted { at: now() }),
        with("linked", |_| {}),
        with("shipped", shipped),
        with("shipped, confirmation unknown", |r| {
            shipped(r);
            r.confirm = started();
        }),
        with("shipped, date unknown", |r| {
            shipped(r);
            r.set_ship_date = started();
        }),
        with("shipped, instruction unknown", |r| {
            shipped(r);
            r.instruct = started();
        }),
        with("shipped, parcel open", |r| {
            shipped(r);
            r.dispatches.push(parcel(Step::planned(now(), By::Option)));
        }),
        with("shipped, parcel reported", |r| {
            shipped(r);
            r.dispatches.push(parcel(Step::None));
        }),
        with("watched", |r| r.link = LinkState::Watched),
    ];
    let expected: Vec<String> =
        kinds.iter().filter(|r| is_working(r)).map(|r| r.order.id.to_string()).collect();
    assert_eq!(expected.len(), 6);
    put(store, kinds.clone()).await;
    assert_eq!(ids(store, Scan::Working, 2).await, expected);
    assert_eq!(ids(store, Scan::All, 2).await.len(), 9);
    // Each into its opposite, and back.
    let mut turned = kinds.clone();
    for record in &mut turned {
        *record = if is_working(record) {
            with(record.order.id.as_str(), |r| r.link = LinkState::Deleted { at: now() })
        } else {
            with(record.order.id.as_str(), |_| {})
        };
    }
    put(store, turned).await;
    assert_eq!(ids(store, Scan::Working, 2).await, ["deleted", "shipped", "shipped, parcel reported"]);
    put(store, kinds).await;
    assert_eq!(ids(store, Scan::Working, 2).await, expected);
}

pub(crate) async fn working_and_all_come_by_id_in_byte_order(store: &Arc<dyn Store>) {
    let mut names = ["10", "9", "a", "B", "é", "Ａ", "🌿", "한", "a ", "A-1", "\u{ffff}", "~"];
    put(store, names.iter().map(|id| record(id)).collect()).await;
    names.sort_unstable();
    assert_eq!(ids(store, Scan::All, 100).await, names);
    assert_eq!(ids(store, Scan::Working, 100).await, names);
}

pub(crate) async fn pages_join_without_gap_or_repeat(store: &Arc<dyn Store>) {
    let all: Vec<OrderRecord> =
        (0..97).map(|n| with(&format!("{n:03}"), |r| r.next_read = Some(now()))).collect();
    let expected: Vec<String> = all.iter().map(|record| record.order.id.to_string()).collect();
    put(store, all).await;
    for scan in [Scan::All, Scan::Working, Scan::FollowDue(now())] {
        for page in [1, 7, 96, 97, 98, 1000] {
            assert_eq!(ids(store, scan, page).await, expected, "{scan:?} by {page}");
        }
    }
}

pub(crate) async fn a_page_after_an_id_that_is_gone_goes_on_behind_it(store: &Arc<dyn Store>) {
    put(store, ["A", "B", "C"].map(record).to_vec()).await;
    forget(store, &["B"]).await;
    for scan in [Scan::All, Scan::Working] {
        let rest = store.scan(&shop(), scan, Some(&"B".into()), 10).await.unwrap();
        assert_eq!(rest.iter().map(|record| record.order.id.as_str()).collect::<Vec<_>>(), ["C"]);
        assert!(store.scan(&shop(), scan, Some(&"C".into()), 10).await.unwrap().is_empty());
    }
}

pub(crate) async fn orders_that_change_behind_a_scan_are_neither_skipped_nor_repeated(
    store: &Arc<dyn Store>,
) {
    put(store, (0..30).map(|n| record(&format!("{n:02}"))).collect()).await;
    let mut seen = Vec::new();
    let mut after: Option<OrderId> = None;
    loop {
        let page = store.scan(&shop(), Scan::Working, after.as_ref(), 4).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.order.id.clone());
        seen.extend(page.iter().map(|record| record.order.id.to_string()));
        // Done with, as a cycle does: they leave the scan. One comes in before, one behind the page's end.
        let n = seen.len();
        let mut change: Vec<OrderRecord> = page
            .into_iter()
            .map(|r| with(r.order.id.as_str(), |r| r.order.status = OrderStatus::Shipped))
            .collect();
        if n == 4 {
            change.push(record("00-new"));
            change.push(record("99-new"));
        }
        put(store, change).await;
    }
    let mut expected: Vec<String> = (0..30).map(|n| format!("{n:02}")).collect();
    expected.push("99-new".into());
    assert_eq!(seen, expected);
    assert_eq!(ids(store, Scan::Working, 4).await, ["00-new"]);
}

pub(crate) async fn follow_due_gives_those_that_are_due(store: &Arc<dyn Store>) {
    let after = |millis: i64| Some(now() + TimeDelta::milliseconds(millis));
    put(
        store,
        vec![
            with("A-later", |r| r.next_read = after(1)),
            with("B-now", |r| r.next_read = after(0)),
            with("C-never", |r| r.next_read = None),
            with("D-before", |r| r.next_read = after(-3_600_000)),
            with("E-fraction", |r| r.next_read = after(-1)),
            with("F-shipped", |r| {
                r.order.status = OrderStatus::Shipped;
                r.next_read = after(0);
            }),
            with("G-end-of-time", |r| r.next_read = Some(DateTime::<Utc>::MAX_UTC)),
        ],
    )
    .await;
    assert_eq!(ids(store, Scan::FollowDue(now()), 2).await, ["B-now", "D-before", "E-fraction", "F-shipped"]);
    let moment = now() + TimeDelta::milliseconds(1);
    assert_eq!(ids(store, Scan::FollowDue(moment), 2).await.len(), 5);
    assert!(ids(store, Scan::FollowDue(now() - TimeDelta::days(1)), 2).await.is_empty());
    put(store, vec![with("B-now", |r| r.next_read = after(3_600_000)), record("D-before")]).await;
    assert_eq!(ids(store, Scan::FollowDue(now()), 1).await, ["E-fraction", "F-shipped"]);
}

pub(crate) async fn forgotten_and_deleted_orders_leave_the_scans(store: &Arc<dyn Store>) {
    let due = |id| with(id, |r| r.next_read = Some(now()));
    put(store, vec![due("A"), due("B"), due("C")]).await;
    forget(store, &["A"]).await;
    put(store, vec![with("B", |r| r.link = LinkState::Deleted { at: now() })]).await;
    assert_eq!(ids(store, Scan::Working, 10).await, ["C"]);
    assert_eq!(ids(store, Scan::FollowDue(now()), 10).await, ["C"]);
    assert_eq!(ids(store, Scan::All, 10).await, ["B", "C"]);
    put(store, vec![due("A")]).await;
    assert_eq!(ids(store, Scan::Working, 10).await, ["A", "C"], "it can come back");
}

pub(crate) async fn a_limit_of_nothing_gives_nothing(store: &Arc<dyn Store>) {
    put(store, vec![with("A", |r| r.next_read = Some(now()))]).await;
    put_links(store, "shop", vec![link("one", &[("ONE", 1)])]).await;
    for scan in [Scan::All, Scan::Working, Scan::FollowDue(now())] {
        assert!(store.scan(&shop(), scan, None, 0).await.unwrap().is_empty());
        assert_eq!(store.scan(&shop(), scan, None, usize::MAX).await.unwrap().len(), 1);
    }
    assert!(store.scan_links(&shop(), None, 0).await.unwrap().is_empty());
    assert_eq!(store.scan_links(&shop(), None, usize::MAX).await.unwrap().len(), 1);
}

pub(crate) async fn links_come_by_key_in_pages(store: &Arc<dyn Store>) {
    let mut keys: Vec<ListingKey> = Vec::new();
    for item in ["2", "10", "é", "a", ""] {
        for option in ["", "L", "赤", "10"] {
            keys.push(ListingKey::option(item, option));
        }
    }
    let of = |key: &ListingKey| {
        let mut link = link("x", &[("ONE", 1)]);
        link.key = key.clone();
        link
    };
    put_links(store, "shop", keys.iter().map(of).collect()).await;
    keys.sort();
    for page in [1, 3, 20, 100] {
        let mut seen = Vec::new();
        let mut after: Option<ListingKey> = None;
        loop {
            let found = store.scan_links(&shop(), after.as_ref(), page).await.unwrap();
            assert!(found.len() <= page);
            let Some(last) = found.last() else { break };
            after = Some(last.key.clone());
            seen.extend(found.into_iter().map(|link| link.key));
        }
        assert_eq!(seen, keys, "by {page}");
    }
    let some = [keys[3].clone(), ListingKey::option("2", "XXL"), keys[11].clone()];
    let mut found: Vec<ListingKey> =
        store.links(&shop(), &some).await.unwrap().into_iter().map(|link| link.key).collect();
    found.sort();
    assert_eq!(found, [keys[3].clone(), keys[11].clone()]);
}

pub(crate) async fn links_are_replaced_as_a_whole(store: &Arc<dyn Store>) {
    put(store, vec![order_of("A", &[("set", None, 1)])]).await;
    put_links(store, "shop", vec![link("set", &[("ONE", 1), ("TWO", 2)])]).await;
    let mut second = link("set", &[("THREE", 3)]);
    second.accepted = Some(4);
    put_links(store, "shop", vec![second.clone()]).await;
    assert_eq!(store.scan_links(&shop(), None, 10).await.unwrap(), [second]);
    let held = store.held(&["ONE".into(), "TWO".into(), "THREE".into()]).await.unwrap();
    assert_eq!(held.into_iter().filter(|(_, n)| *n > 0).collect::<Vec<_>>(), [(Sku::from("THREE"), 3)]);
}
