//! What open orders hold (SS-1, SS-10).

use sales_channels::model::{By, Done, Step};

use super::*;

async fn held<const N: usize>(store: &Arc<dyn Store>, skus: [&str; N]) -> [u64; N] {
    let asked: Vec<Sku> = skus.iter().map(|sku| Sku::from(*sku)).collect();
    let found = store.held(&asked).await.unwrap();
    skus.map(|sku| found[&Sku::from(sku)])
}

pub(crate) async fn a_line_holds_its_own_sku(store: &Arc<dyn Store>) {
    put(store, vec![order_of("A", &[("one", Some("ONE"), 3), ("two", None, 9)])]).await;
    assert_eq!(held(store, ["ONE", "TWO"]).await, [3, 0]);
}

pub(crate) async fn a_link_goes_before_the_own_sku(store: &Arc<dyn Store>) {
    put_links(store, "shop", vec![link("one", &[("LINKED", 1)])]).await;
    put(store, vec![order_of("A", &[("one", Some("OWN"), 3), ("other", Some("OWN"), 4)])]).await;
    assert_eq!(held(store, ["OWN", "LINKED"]).await, [4, 3]);
    put_links(store, "shop", vec![link("other", &[])]).await;
    assert_eq!(held(store, ["OWN", "LINKED"]).await, [0, 3], "a link to nothing is a link");
}

pub(crate) async fn a_bundle_holds_all_of_its_parts(store: &Arc<dyn Store>) {
    put_links(store, "shop", vec![link("set", &[("CUP", 2), ("TEA", 1)]), link("cup", &[("CUP", 1)])]).await;
    put(
        store,
        vec![order_of("A", &[("set", None, 3), ("cup", None, 1)]), order_of("B", &[("set", None, 1)])],
    )
    .await;
    assert_eq!(held(store, ["CUP", "TEA"]).await, [9, 4]);
}

pub(crate) async fn all_accounts_count_each_through_its_own_links(store: &Arc<dyn Store>) {
    put_links(store, "shop", vec![link("one", &[("TEE", 2)])]).await;
    put(store, vec![order_of("A", &[("one", Some("X"), 1)])]).await;
    for (account, pieces) in [("other", 10), ("third", 100)] {
        let lease = lease(store, account).await;
        // The same listing id and order id at another account: not linked there.
        store.commit(&lease, records(vec![order_of("A", &[("one", Some("TEE"), pieces)])])).await.unwrap();
    }
    put_links(store, "third", vec![link("one", &[("CUP", 3)])]).await;
    assert_eq!(held(store, ["TEE", "CUP", "X"]).await, [12, 300, 0]);
}

pub(crate) async fn a_link_made_later_counts_for_orders_that_were_there(store: &Arc<dyn Store>) {
    put(store, vec![order_of("A", &[("one", Some("OWN"), 3)])]).await;
    put_links(store, "shop", vec![link("one", &[("LINKED", 1)])]).await;
    assert_eq!(held(store, ["OWN", "LINKED"]).await, [0, 3]);
    put_links(store, "shop", vec![link("one", &[("LATER", 2)])]).await;
    assert_eq!(held(store, ["OWN", "LINKED", "LATER"]).await, [0, 0, 6]);
}

pub(crate) async fn a_code_that_does_not_count_holds_nothing(store: &Arc<dyn Store>) {
    let mut record = order_of("A", &[("one", Some("OWN"), 3), ("two", Some("OWN"), 1)]);
    record.sku_from_channel = false;
    put(store, vec![record]).await;
    assert_eq!(held(store, ["OWN"]).await, [0]);
    put_links(store, "shop", vec![link("two", &[("OWN", 1)])]).await;
    assert_eq!(held(store, ["OWN"]).await, [1], "through the link it does");
}

pub(crate) async fn watched_orders_hold(store: &Arc<dyn Store>) {
    let mut record = record("A");
    record.link = LinkState::Watched;
    put(store, vec![record]).await;
    assert_eq!(held(store, ["TEE"]).await, [1]);
}

pub(crate) async fn deleted_forgotten_and_shipped_orders_do_not_hold(store: &Arc<dyn Store>) {
    put(store, ["A", "B", "C", "D", "E"].map(record).to_vec()).await;
    assert_eq!(held(store, ["TEE"]).await, [5]);
    let mut deleted = record("A");
    deleted.link = LinkState::Deleted { at: now() };
    let mut shipped = record("B");
    shipped.order.status = OrderStatus::Shipped;
    let mut cancelled = record("C");
    cancelled.order.status = OrderStatus::Cancelled;
    put(store, vec![deleted, shipped, cancelled]).await;
    assert_eq!(held(store, ["TEE"]).await, [2]);
    forget(store, &["D"]).await;
    assert_eq!(held(store, ["TEE"]).await, [1]);
}

pub(crate) async fn instructed_orders_hold_until_they_left_the_centre(store: &Arc<dyn Store>) {
    let mut record = record("A");
    record.order.status = OrderStatus::Shipped;
    record.order.lines[0].shipped = 1;
    record.instruct = Step::Started { at: now(), by: By::Option };
    put(store, vec![record.clone()]).await;
    assert_eq!(held(store, ["TEE"]).await, [1], "perhaps instructed");
    record.instruct = Step::Done { at: now(), how: Done::Here };
    record.order.status = OrderStatus::Cancelled;
    put(store, vec![record.clone()]).await;
    assert_eq!(held(store, ["TEE"]).await, [1], "instructed; cancelled since");
    record.left_centre = true;
    put(store, vec![record]).await;
    assert_eq!(held(store, ["TEE"]).await, [0]);
}

pub(crate) async fn cancelled_and_shipped_pieces_do_not_hold(store: &Arc<dyn Store>) {
    let mut record = order_of("A", &[("one", Some("ONE"), 10), ("two", Some("TWO"), 5)]);
    record.order.lines[0].cancelled = 2;
    record.order.lines[0].shipped = 3;
    record.order.lines[1].status = OrderStatus::Cancelled;
    put(store, vec![record]).await;
    assert_eq!(held(store, ["ONE", "TWO"]).await, [5, 0]);
}

pub(crate) async fn pieces_of_several_lines_are_summed(store: &Arc<dyn Store>) {
    put(
        store,
        vec![order_of("A", &[("one", Some("ONE"), 2), ("one", Some("ONE"), 2), ("two", Some("ONE"), 3)])],
    )
    .await;
    assert_eq!(held(store, ["ONE"]).await, [7]);
    put_links(store, "shop", vec![link("one", &[("ONE", 10)])]).await;
    assert_eq!(held(store, ["ONE"]).await, [43]);
}

pub(crate) async fn every_sku_asked_for_is_answered_once(store: &Arc<dyn Store>) {
    put(store, vec![record("A")]).await;
    let asked: Vec<Sku> =
        (0..1500).map(|n| Sku::from(format!("S{n}"))).chain(["TEE".into(), "TEE".into()]).collect();
    let found = store.held(&asked).await.unwrap();
    assert_eq!(found.len(), 1501);
    assert_eq!(found.values().sum::<u64>(), 1);
}

pub(crate) async fn sums_too_large_to_count_stay_at_the_most(store: &Arc<dyn Store>) {
    put_links(store, "shop", vec![link("one", &[("BIG", u32::MAX)])]).await;
    put(store, vec![order_of("A", &[("one", None, u32::MAX)])]).await;
    let once = u64::from(u32::MAX) * u64::from(u32::MAX);
    assert_eq!(held(store, ["BIG"]).await, [once]);
    put(store, vec![order_of("B", &[("one", None, u32::MAX)])]).await;
    assert_eq!(held(store, ["BIG"]).await, [u64::MAX]);
}
