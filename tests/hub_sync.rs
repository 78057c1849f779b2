//! Order sync through the hub: rules OS, KE, AH as a merchant would see them.
#![allow(clippy::unwrap_used)]

mod model;

use chrono::TimeDelta;
use model::{World, at, ids};
use sales_channels::hub::{End, What};
use sales_channels::model::{CancelState, Clock, DateRange, LinkState, OrderStatus};
use sales_channels::options::{Confirmation, OptionSet};
use sales_channels::store::{HealthLevel, IssueKey};
use sales_channels::{Error, ErrorKind, Retry};

async fn linked(world: &World) -> Vec<String> {
    let records = world.hub().orders(&world.account, None, 1000).await.unwrap();
    records.iter().filter(|r| r.is_linked()).map(|r| r.order.id.to_string()).collect()
}

#[tokio::test]
async fn os_1_off_fetches_nothing_and_a_manual_run_still_works() {
    let mut world = World::new("2026-11-24T10:00");
    world.options.order_sync = Some(false);
    world.market.sell("A", "TEE", 1, at("2026-11-24T09:00"));
    let hub = world.hub();
    hub.cycle(&world.account).await.unwrap();
    assert_eq!(world.market.calls("fetch"), 0);
    let day = DateRange::day("2026-11-24".parse().unwrap());
    let report = hub.run_for(&world.account, day).await.unwrap();
    assert_eq!(report.tally.linked, 1);
}

#[tokio::test]
async fn os_1_every_account_is_due_once_an_hour() {
    let world = World::new("2026-11-24T10:00");
    let hub = world.hub();
    let mut runs = 0;
    for _ in 0..(6 * 12) {
        runs += hub.run_due().await.unwrap().len();
        world.clock.advance(TimeDelta::minutes(5));
    }
    assert!((6..=7).contains(&runs), "{runs} cycles in six hours");
}

#[tokio::test]
async fn os_2_first_cycle_takes_orders_since_midnight_in_the_schedule_zone() {
    let world = World::new("2026-11-24T10:00");
    world.market.sell("before", "TEE", 1, at("2026-11-23T23:59"));
    world.market.sell("first", "TEE", 1, at("2026-11-24T00:00"));
    world.hub().cycle(&world.account).await.unwrap();
    assert_eq!(linked(&world).await, ["first"]);
}

#[tokio::test]
async fn os_3_shipped_cancelled_claimed_and_unpaid_orders_are_not_linked() {
    let world = World::new("2026-11-24T10:00");
    let paid = at("2026-11-24T09:00");
    world.market.sell_with("shipped", "TEE", 1, paid, |s| s.order.status = OrderStatus::Shipped);
    world.market.sell_with("cancelled", "TEE", 1, paid, |s| s.order.status = OrderStatus::Cancelled);
    world.market.sell_with("claimed", "TEE", 1, paid, |s| s.order.cancel = CancelState::Requested);
    let unpaid =
        world.market.sell_with("unpaid", "TEE", 1, paid, |s| s.order.status = OrderStatus::PendingPayment);
    let report = world.hub().cycle(&world.account).await.unwrap();
    assert_eq!((report.tally.linked, report.tally.excluded), (0, 4));
    assert!(report.tally.adds_up());

    // Taken once it is paid, long after its window was closed.
    world.set("2026-11-24T17:00");
    world.market.edit(&unpaid, |order| order.status = OrderStatus::New);
    let report = world.hub().cycle(&world.account).await.unwrap();
    assert_eq!(linked(&world).await, ["unpaid"]);
    assert!(report.tally.adds_up(), "{report}");
}

#[tokio::test]
async fn os_3_an_order_whose_cancel_request_is_taken_back_is_linked() {
    let world = World::new("2026-11-24T10:00");
    let id = world.market.sell_with("A", "TEE", 1, at("2026-11-24T09:00"), |s| {
        s.order.cancel = CancelState::Requested;
    });
    world.hub().cycle(&world.account).await.unwrap();
    world.set("2026-11-24T15:00");
    world.market.edit(&id, |order| order.cancel = CancelState::None);
    world.hub().cycle(&world.account).await.unwrap();
    assert_eq!(linked(&world).await, ["A"]);
    assert_eq!(world.market.sold(&id).confirmations, 1);
}

#[tokio::test]
async fn os_4_what_is_left_over_comes_next_and_nothing_twice() {
    for reversed in [false, true] {
        let mut world = World::new("2026-11-24T10:00");
        world.options.max_orders_per_cycle = Some(7);
        world.market.switch(|s| {
            s.page = 4;
            s.reversed = reversed;
        });
        for n in 0..30 {
            world.market.sell(
                &format!("{n:02}"),
                "TEE",
                1,
                at("2026-11-24T08:00") + TimeDelta::minutes(n / 3),
            );
        }
        let mut counts = Vec::new();
        for _ in 0..6 {
            let report = world.hub().cycle(&world.account).await.unwrap();
            assert!(report.tally.adds_up(), "{report}");
            counts.push(report.tally.linked);
            world.clock.advance(TimeDelta::hours(1));
        }
        assert_eq!(counts, [7, 7, 7, 7, 2, 0], "reversed: {reversed}");
        assert_eq!(linked(&world).await.len(), 30);
        for sold in world.market.inside().orders.values() {
            assert_eq!(sold.confirmations, 1);
        }
    }
}

#[tokio::test]
async fn os_5_night_cycles_take_what_the_day_before_left_behind() {
    let world = World::new("2026-11-24T22:00");
    world.hub().cycle(&world.account).await.unwrap();
    // Shows hours late: no overlap finds it.
    world
        .market
        .sell_with("late", "TEE", 1, at("2026-11-24T18:00"), |s| s.visible_from = at("2026-11-24T23:30"));
    world.set("2026-11-24T23:40");
    world.hub().cycle(&world.account).await.unwrap();
    assert!(linked(&world).await.is_empty());
    world.set("2026-11-25T03:40");
    world.hub().cycle(&world.account).await.unwrap();
    assert_eq!(linked(&world).await, ["late"]);
}

#[tokio::test]
async fn os_6_a_failed_cycle_is_taken_again_without_linking_twice() {
    let world = World::new("2026-11-24T10:00");
    world.market.switch(|s| s.page = 2);
    for n in 0..5 {
        world.market.sell(&format!("{n}"), "TEE", 1, at("2026-11-24T09:00"));
    }
    let hub = world.hub();
    world.market.fail("fetch", Error::new(ErrorKind::Unavailable), false);
    let report = hub.cycle(&world.account).await.unwrap();
    assert_eq!(report.tally.linked, 0);
    assert_eq!(report.health, HealthLevel::Degraded);
    // Past midnight: the failed first day is not forgotten.
    world.set("2026-11-25T10:00");
    let report = hub.cycle(&world.account).await.unwrap();
    assert_eq!(report.tally.linked, 5);
    assert_eq!(report.health, HealthLevel::Ok, "cured by success");
}

#[tokio::test]
async fn os_7_orders_that_show_late_are_found_by_the_overlap() {
    let world = World::new("2026-11-24T10:00");
    let hub = world.hub();
    world
        .market
        .sell_with("late", "TEE", 1, at("2026-11-24T09:55"), |s| s.visible_from = at("2026-11-24T10:05"));
    assert_eq!(hub.cycle(&world.account).await.unwrap().tally.linked, 0);
    world.set("2026-11-24T11:00");
    assert_eq!(hub.cycle(&world.account).await.unwrap().tally.linked, 1);
    world.set("2026-11-24T11:05");
    let report = hub.cycle(&world.account).await.unwrap();
    assert_eq!((report.tally.linked, report.tally.known), (0, 0));
}

#[tokio::test]
async fn os_8_manual_run_links_what_is_missing_and_leaves_the_cursor() {
    let world = World::new("2026-11-24T10:00");
    let hub = world.hub();
    hub.cycle(&world.account).await.unwrap();
    let cursor = hub.state(&world.account).await.unwrap().cursor;
    world.market.sell("old", "TEE", 1, at("2026-11-20T12:00"));
    let days = DateRange::new("2026-11-19".parse().unwrap(), "2026-11-21".parse().unwrap()).unwrap();
    let report = hub.run_for(&world.account, days).await.unwrap();
    assert_eq!(report.tally.linked, 1);
    assert_eq!(hub.state(&world.account).await.unwrap().cursor, cursor);
}

#[tokio::test]
async fn os_9_deleted_stays_deleted_until_a_manual_run_brings_it_back() {
    let world = World::new("2026-11-24T10:00");
    let id = world.market.sell("A", "TEE", 1, at("2026-11-24T09:55"));
    let hub = world.hub();
    hub.cycle(&world.account).await.unwrap();
    let calls = world.market.calls("confirm");
    assert_eq!(hub.delete(&world.account, &ids(&["A"])).await.unwrap(), ids(&["A"]));
    world.set("2026-11-24T10:05");
    hub.cycle(&world.account).await.unwrap();
    assert!(linked(&world).await.is_empty());
    assert_eq!(world.market.calls("confirm"), calls, "OC-4: no call");
    hub.run_for(&world.account, DateRange::day("2026-11-24".parse().unwrap())).await.unwrap();
    assert_eq!(linked(&world).await, ["A"]);
    assert_eq!(world.market.sold(&id).confirmations, 1);
}

#[tokio::test]
async fn os_10_a_cancel_request_is_seen_before_anything_is_done() {
    let mut world = World::new("2026-11-24T10:00");
    world.options.confirmation = Some(Confirmation::Manual);
    let id = world.market.sell("A", "TEE", 1, at("2026-11-24T09:00"));
    world.hub().cycle(&world.account).await.unwrap();
    world.market.edit(&id, |order| order.cancel = CancelState::Requested);
    world.options.confirmation = Some(Confirmation::FullAuto);
    world.set("2026-11-24T15:00");
    world.hub().cycle(&world.account).await.unwrap();
    assert_eq!(world.market.calls("confirm"), 0);
}

#[tokio::test]
async fn os_10_orders_that_could_not_be_read_are_left_alone() {
    let mut world = World::new("2026-11-24T10:00");
    world.options.confirmation = Some(Confirmation::Manual);
    world.market.sell("A", "TEE", 1, at("2026-11-24T09:00"));
    world.hub().cycle(&world.account).await.unwrap();
    world.options.confirmation = None;
    world.market.fail("read", Error::new(ErrorKind::TimedOut), false);
    world.set("2026-11-24T15:00");
    world.hub().cycle(&world.account).await.unwrap();
    assert_eq!(world.market.calls("confirm"), 0);
    world.set("2026-11-24T16:00");
    world.hub().cycle(&world.account).await.unwrap();
    assert_eq!(world.market.calls("confirm"), 1);
}

#[tokio::test]
async fn os_11_an_unreadable_row_is_kept_and_the_rest_linked() {
    let world = World::new("2026-11-24T10:00");
    world.market.sell("A", "TEE", 1, at("2026-11-24T09:00"));
    world.market.sell_with("B", "TEE", 1, at("2026-11-24T09:01"), |s| s.unreadable = true);
    world.market.sell("C", "TEE", 1, at("2026-11-24T09:02"));
    let report = world.hub().cycle(&world.account).await.unwrap();
    assert_eq!((report.tally.linked, report.tally.unreadable, report.tally.seen), (2, 1, 3));
    assert!(report.lines.iter().any(|l| l.what == What::Unreadable && l.subject == "B"));
    let kept = world.store.unreadable(&world.account, 10).await.unwrap();
    assert_eq!(kept[0].raw.reveal(), "{\"id\":\"B\"}");
    assert_eq!(linked(&world).await, ["A", "C"]);
    let state = world.hub().state(&world.account).await.unwrap();
    assert!(state.health.issues.contains_key(&IssueKey::UnreadableRows));
}

#[tokio::test]
async fn os_13_every_report_adds_up() {
    let world = World::new("2026-11-24T10:00");
    let paid = at("2026-11-24T09:50");
    world.market.sell("A", "TEE", 1, paid);
    world.market.sell_with("B", "TEE", 1, paid, |s| s.unreadable = true);
    world.market.sell_with("C", "TEE", 1, paid, |s| s.order.status = OrderStatus::Shipped);
    let hub = world.hub();
    for _ in 0..3 {
        let report = hub.cycle(&world.account).await.unwrap();
        let t = report.tally;
        assert_eq!(t.seen, 3);
        assert_eq!(t.seen, t.linked + t.known + t.excluded + t.unreadable);
        world.clock.advance(TimeDelta::minutes(3));
    }
}

#[tokio::test]
async fn a_cursor_that_comes_back_is_an_error_not_a_loop() {
    let world = World::new("2026-11-24T10:00");
    // A page of nothing leads to itself for ever.
    world.market.switch(|s| s.page = 0);
    world.market.sell("A", "TEE", 1, at("2026-11-24T09:00"));
    let report = world.hub().cycle(&world.account).await.unwrap();
    assert!(report.error.unwrap().to_string().contains("cursor twice"));
    let through = world.hub().state(&world.account).await.unwrap().cursor.through;
    assert_eq!(through, Some(at("2026-11-24T00:00")), "the window stays open");
}

#[tokio::test]
async fn a_clock_that_ran_ahead_loses_nothing() {
    let world = World::new("2026-11-24T15:00");
    world.hub().cycle(&world.account).await.unwrap();
    world.set("2026-11-24T10:00");
    world.market.sell("A", "TEE", 1, at("2026-11-24T09:30"));
    world.set("2026-11-24T10:30");
    let report = world.hub().cycle(&world.account).await.unwrap();
    assert_eq!(linked(&world).await, ["A"]);
    assert_eq!(report.health, HealthLevel::Degraded);
}

#[tokio::test]
async fn ah_3_a_limited_account_is_parked_until_the_known_time() {
    let world = World::new("2026-11-24T10:00");
    world.market.sell("A", "TEE", 1, at("2026-11-24T09:00"));
    let hub = world.hub();
    let wait = std::time::Duration::from_secs(600);
    world.market.fail("fetch", Error::new(ErrorKind::RateLimited).with_retry(Retry::After(wait)), false);
    let report = hub.cycle(&world.account).await.unwrap();
    assert_eq!(report.end, End::Parked(at("2026-11-24T10:10")));
    let calls = world.market.calls("fetch");
    world.set("2026-11-24T10:09");
    assert!(hub.run_due().await.unwrap().is_empty());
    hub.cycle(&world.account).await.unwrap();
    assert_eq!(world.market.calls("fetch"), calls);
    world.set("2026-11-24T10:11");
    assert_eq!(hub.run_due().await.unwrap().len(), 1, "due as soon as it may");
    assert_eq!(linked(&world).await, ["A"]);
}

#[tokio::test]
async fn ah_2_a_refused_account_is_paused_and_resumes_by_itself() {
    let world = World::new("2026-11-24T10:00");
    world.market.sell("A", "TEE", 1, at("2026-11-24T09:00"));
    world.market.inside().accepted_key = "another".into();
    let hub = world.hub();
    let report = hub.cycle(&world.account).await.unwrap();
    assert_eq!((report.end, report.health), (End::Paused, HealthLevel::Paused));
    let issue = hub.state(&world.account).await.unwrap().health.issues[&IssueKey::Credentials].clone();
    assert!(issue.advice.contains("credentials"));
    world.set("2026-11-24T11:00");
    hub.cycle(&world.account).await.unwrap();
    let again = hub.state(&world.account).await.unwrap().health.issues[&IssueKey::Credentials].clone();
    assert_eq!(again.since, issue.since, "since when it began");
    world.market.inside().accepted_key = "good".into();
    world.set("2026-11-24T12:00");
    let report = hub.cycle(&world.account).await.unwrap();
    assert_eq!((report.end, report.health, report.tally.linked), (End::Complete, HealthLevel::Ok, 1));
}

fn with_expiry(world: &mut World, end: &str) {
    world.market.switch(|s| s.credentials = true);
    world.options = OptionSet { credentials_end: Some(at(end)), ..OptionSet::default() };
}

#[tokio::test]
async fn ke_2_warns_once_per_step_and_sends_nothing_after_the_end() {
    let mut world = World::new("2026-11-01T10:00");
    with_expiry(&mut world, "2026-11-20T10:00");
    let (events, mut seen) = tokio::sync::mpsc::unbounded_channel();
    let hub = sales_channels::hub::Hub::builder(std::sync::Arc::clone(&world.store))
        .clock(std::sync::Arc::clone(&world.clock) as std::sync::Arc<dyn Clock>)
        .observer(std::sync::Arc::new(events))
        .build();
    hub.connect(world.account()).unwrap();
    for _ in 0..(19 * 24) {
        hub.cycle(&world.account).await.unwrap();
        world.clock.advance(TimeDelta::hours(1));
    }
    let mut warnings = 0;
    while let Ok((_, event)) = seen.try_recv() {
        warnings += u32::from(matches!(event, sales_channels::hub::Event::CredentialsEndSoon { .. }));
    }
    assert_eq!(warnings, 4, "14, 7, 3 and 1 days before");
    let calls = world.market.calls("fetch");
    let report = hub.cycle(&world.account).await.unwrap();
    assert_eq!((report.end, report.health), (End::Paused, HealthLevel::Paused));
    assert!(report.error.unwrap().to_string().contains("renew"));
    assert_eq!(world.market.calls("fetch") + world.market.calls("test"), calls);
}

#[tokio::test]
async fn ke_1_the_date_is_read_from_the_channel_where_it_tells_it() {
    let mut world = World::new("2026-11-01T10:00");
    // What the merchant entered is wrong; what the channel says counts.
    with_expiry(&mut world, "2027-11-01T10:00");
    world.market.switch(|s| s.tells_expiry = Some(at("2026-11-12T10:00")));
    let hub = world.hub();
    hub.cycle(&world.account).await.unwrap();
    let state = hub.state(&world.account).await.unwrap();
    assert_eq!(state.credentials_end, Some(at("2026-11-12T10:00")));
    assert!(state.health.issues.contains_key(&IssueKey::CredentialsEndSoon), "11 days are left");
    hub.cycle(&world.account).await.unwrap();
    assert_eq!(world.market.calls("expiry"), 1, "once a day");
    world.set("2026-11-12T11:00");
    assert_eq!(hub.cycle(&world.account).await.unwrap().end, End::Paused);
}

#[tokio::test]
async fn ke_3_and_ke_4_renewal_replaces_all_parts_and_the_next_cycle_takes_everything() {
    let mut world = World::new("2026-11-18T10:00");
    with_expiry(&mut world, "2026-11-20T10:00");
    let vault = std::sync::Arc::new(sales_channels::channel::MemoryVault::default());
    let hub = world.hub();
    hub.connect(world.account().with_vault(vault.clone())).unwrap();
    hub.cycle(&world.account).await.unwrap();
    world.set("2026-11-21T10:00");
    world.market.sell("while-paused", "TEE", 1, at("2026-11-20T12:00"));
    hub.cycle(&world.account).await.unwrap();
    assert!(linked(&world).await.is_empty());

    use sales_channels::channel::{CredentialVault, Credentials};
    let renew = |credentials: Credentials| hub.renew_credentials(&world.account, credentials);
    world.market.inside().accepted_key = "new".into();
    let missing = renew(Credentials::new().expiring(at("2027-01-20T10:00"))).await.unwrap_err();
    assert!(missing.to_string().contains("missing"), "{missing}");
    let unchanged =
        renew(Credentials::new().with("key", "good").expiring(at("2027-01-20T10:00"))).await.unwrap_err();
    assert!(unchanged.to_string().contains("old one"), "{unchanged}");
    assert!(renew(Credentials::new().with("key", "new")).await.is_err(), "the date is missing");
    let wrong =
        renew(Credentials::new().with("key", "wrong").expiring(at("2027-01-20T10:00"))).await.unwrap_err();
    assert_eq!(wrong.kind(), ErrorKind::Unauthorized);
    renew(Credentials::new().with("key", "new").expiring(at("2027-01-20T10:00"))).await.unwrap();
    assert_eq!(vault.load(&world.account).await.unwrap().unwrap().get("key").unwrap().expose(), "new");

    world.set("2026-11-21T11:00");
    let report = hub.cycle(&world.account).await.unwrap();
    assert_eq!((report.tally.linked, report.health), (1, HealthLevel::Ok));
}

#[tokio::test]
async fn one_failing_account_never_stops_another() {
    let good = World::new("2026-11-24T10:00");
    good.market.sell("A", "TEE", 1, at("2026-11-24T09:00"));
    let mut bad = World::on(std::sync::Arc::clone(&good.store), "2026-11-24T10:00");
    bad.account = "broken".into();
    for _ in 0..50 {
        bad.market.fail("fetch", Error::new(ErrorKind::MalformedResponse), false);
    }
    let hub = good.hub();
    hub.connect(bad.account()).unwrap();
    let results = hub.cycle_all().await;
    assert_eq!(results.len(), 2);
    assert_eq!(linked(&good).await, ["A"]);
}

#[tokio::test]
async fn a_dry_run_plans_the_same_and_changes_nothing() {
    let mut world = World::new("2026-11-24T10:00");
    world.options.fulfilment_instruction = Some(true);
    world.options.stock_sync = Some(sales_channels::options::StockShare { share_percent: 50, reserve: 0 });
    world.options.ship_offset = Some(1);
    world.centre.set_on_hand("TEE", 20);
    let id = world.market.sell("A", "TEE", 2, at("2026-11-24T09:00"));
    let hub = world.hub();
    let plan = hub.dry_run(&world.account).await.unwrap();
    assert!(plan.dry);
    assert_eq!(world.market.calls("confirm") + world.market.calls("set_stock"), 0);
    assert_eq!(world.centre.instructed(), 0);
    assert!(
        world
            .store
            .scan(&world.account, sales_channels::store::Scan::All, None, 10)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(world.store.state(&world.account).await.unwrap().is_none());

    let real = hub.cycle(&world.account).await.unwrap();
    let what = |report: &sales_channels::hub::CycleReport| {
        report.lines.iter().map(|l| (l.subject.clone(), l.what)).collect::<Vec<_>>()
    };
    assert_eq!(what(&plan), what(&real));
    assert_eq!(world.market.sold(&id).confirmations, 1);
    assert_eq!(plan.tally.stock_pushed, real.tally.stock_pushed);
    assert!(matches!(hub.order(&world.account, &id).await.unwrap().unwrap().link, LinkState::Linked { .. }));
}
