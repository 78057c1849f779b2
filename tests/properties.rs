//! Properties of the order sync: whatever the channel does, every eligible order is linked exactly once.
#![allow(clippy::unwrap_used)]

mod model;

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use model::{World, at};
use proptest::prelude::*;
use sales_channels::model::{
    AccountId, CancelState, Currency, LinkState, Order, OrderRecord, OrderStatus, Step, Window,
};
use sales_channels::options::{AccountFacts, Confirmation, EffectiveOptions, OptionSet};
use sales_channels::policy::{state, window};
use sales_channels::{Error, ErrorKind, Retry};

/// One sale: minutes after the start at which it is paid, and minutes until the channel shows it.
#[derive(Debug, Clone)]
struct Sale {
    paid: i64,
    delay: i64,
    kind: u8,
}

fn sale() -> impl Strategy<Value = Sale> {
    // Bursts at equal minutes are likely, and most orders show at once. The longest delay is one that the last night
    // cycle (03:00) still sees: what shows later is beyond OS-5.
    let delay = prop_oneof![6 => Just(0_i64), 3 => 1_i64..=15, 1 => 16_i64..=180];
    (prop_oneof![3 => 0_i64..60 * 30, 1 => Just(120_i64)], delay, 0_u8..10)
        .prop_map(|(paid, delay, kind)| Sale { paid, delay, kind })
}

#[derive(Debug, Clone)]
struct Weather {
    page: usize,
    cap: i64,
    reversed: bool,
    window_minutes: u64,
    /// What happens to the n-th cycle: a call fails, or the process is cut off at an I/O point.
    trouble: Vec<Option<Trouble>>,
}

#[derive(Debug, Clone)]
enum Trouble {
    Fails(&'static str, u8),
    CutAt(usize),
}

fn trouble() -> impl Strategy<Value = Option<Trouble>> {
    prop_oneof![
        4 => Just(None),
        2 => (prop::sample::select(&["fetch", "read", "confirm"][..]), 0_u8..5)
            .prop_map(|(call, kind)| Some(Trouble::Fails(call, kind))),
        2 => (1_usize..40).prop_map(|n| Some(Trouble::CutAt(n))),
    ]
}

fn weather() -> impl Strategy<Value = Weather> {
    (
        1_usize..12,
        prop_oneof![1_i64..6, Just(1000_i64)],
        any::<bool>(),
        prop::sample::select(&[45_u64, 24 * 60][..]),
        prop::collection::vec(trouble(), 45),
    )
        .prop_map(|(page, cap, reversed, window_minutes, trouble)| Weather {
            page,
            cap,
            reversed,
            window_minutes,
            trouble,
        })
}

fn error(kind: u8) -> Error {
    match kind {
        0 => Error::new(ErrorKind::Unavailable),
        1 => Error::new(ErrorKind::TimedOut).with_unknown_effect(),
        2 => Error::new(ErrorKind::MalformedResponse),
        3 => Error::new(ErrorKind::RateLimited).with_retry(Retry::After(Duration::from_secs(300))),
        _ => Error::new(ErrorKind::Unauthorized),
    }
}

/// Runs hourly cycles over two days, and then until everything that can come has come.
async fn two_days(sales: &[Sale], weather: &Weather) -> World {
    // Midnight: everything is of the account's first day or later (OS-2).
    let mut world = World::new("2026-11-24T00:00");
    world.with_centre = false;
    world.options.max_orders_per_cycle = Some(weather.cap);
    world.market.switch(|s| {
        s.page = weather.page;
        s.reversed = weather.reversed;
        s.max_window = Duration::from_secs(weather.window_minutes * 60);
    });
    let start = at("2026-11-24T00:00");
    for (n, sale) in sales.iter().enumerate() {
        let paid = start + TimeDelta::minutes(sale.paid);
        world.market.sell_with(&format!("{n:03}"), "TEE", 1, paid, |sold| {
            sold.visible_from = paid + TimeDelta::minutes(sale.delay);
            match sale.kind {
                0 => sold.order.status = OrderStatus::Shipped,
                1 => sold.order.cancel = CancelState::Requested,
                2 => sold.order.status = OrderStatus::Confirmed,
                _ => {}
            }
        });
    }
    // Past the night after the last sale, and then on until nothing is left over.
    let mut quiet = false;
    for n in 0.. {
        if n > 54 && quiet {
            break;
        }
        assert!(n < 300, "it never comes to rest");
        let hub = world.hub();
        match weather.trouble.get(n).cloned().flatten() {
            Some(Trouble::CutAt(point)) => {
                world.fuse.arm(point);
                world.fuse.cut(hub.cycle(&world.account)).await;
                world.fuse.disarm();
            }
            Some(Trouble::Fails(call, kind)) => {
                world.market.fail(call, error(kind), kind == 1);
                let report = hub.cycle(&world.account).await.unwrap();
                assert!(report.tally.adds_up(), "{report}");
            }
            None => {
                let report = hub.cycle(&world.account).await.unwrap();
                assert!(report.tally.adds_up(), "{report}");
                quiet = report.tally.linked + report.tally.left_over + report.tally.confirmed == 0;
            }
        }
        world.clock.advance(TimeDelta::hours(1));
    }
    world
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn os_4_os_6_os_7_every_eligible_order_is_linked_and_confirmed_exactly_once(
        sales in prop::collection::vec(sale(), 0..60), weather in weather(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let world = two_days(&sales, &weather).await;
            let records = world.hub().orders(&world.account, None, 1000).await.unwrap();
            for (n, sale) in sales.iter().enumerate() {
                let id = format!("{n:03}");
                let record = records.iter().find(|r| r.order.id.as_str() == id);
                let sold = world.market.sold(&id.as_str().into());
                match sale.kind {
                    0 => prop_assert!(record.is_none(), "{} was shipped before", id),
                    1 => {
                        prop_assert!(record.is_some_and(|r| r.link == LinkState::Watched), "{} is claimed", id);
                        prop_assert_eq!(sold.confirmations, 0);
                    }
                    kind => {
                        prop_assert!(record.is_some_and(OrderRecord::is_linked), "{} {:?} is lost", id, sale);
                        prop_assert_eq!(sold.confirmations, u32::from(kind != 2), "{}", id);
                    }
                }
            }
            Ok(())
        })?;
    }

    /// The pure part alone: the windows of a row of cycles cover every instant from the first midnight on.
    #[test]
    fn os_2_os_4_closed_windows_leave_no_gap(
        steps in prop::collection::vec((1_i64..240, 0_u8..4), 1..60),
        lookback in 0_i64..60, max_minutes in 1_i64..1500,
    ) {
        let zone = chrono_tz::Asia::Seoul;
        let mut now = at("2026-11-24T05:00");
        let mut cursor = window::SyncCursor::default();
        let mut closed: Vec<Window> = Vec::new();
        for (minutes, open_after) in steps {
            let mut run = window::begin(
                cursor.clone(), now, zone, TimeDelta::minutes(lookback), TimeDelta::minutes(max_minutes),
            );
            let mut done = 0_u32;
            while let Some(step) = run.next() {
                prop_assert!(!step.window.is_empty() && step.window.to <= now);
                prop_assert!(step.window.to - step.window.from <= TimeDelta::minutes(max_minutes.max(1)));
                if open_after > 0 && done == u32::from(open_after) {
                    run.leave_open(&step);
                    break;
                }
                run.close(&step);
                closed.push(step.window);
                done += 1;
            }
            cursor = run.cursor.clone();
            let through = cursor.through.unwrap();
            let mut reached = at("2026-11-24T00:00");
            closed.sort_by_key(|w| w.from);
            for window in &closed {
                if window.from <= reached {
                    reached = reached.max(window.to);
                }
            }
            prop_assert!(through <= reached, "taken up to {reached}, but {through} is claimed");
            now += TimeDelta::minutes(minutes);
        }
    }

    #[test]
    fn os_12_any_order_of_arrival_ends_in_the_same_state(
        states in prop::collection::vec((0_i64..6, 0_u8..4, any::<bool>()), 1..7), seed: u64,
    ) {
        let forward = replay(&states, |_| {});
        let shuffled = replay(&states, |arrivals| {
            let mut seed = seed;
            for n in (1..arrivals.len()).rev() {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                arrivals.swap(n, (seed >> 33) as usize % (n + 1));
            }
        });
        let twice = replay(&states, |arrivals| arrivals.extend(arrivals.clone()));
        for other in [shuffled, twice] {
            prop_assert_eq!(&forward.order, &other.order);
            prop_assert_eq!(forward.confirm.is_done(), other.confirm.is_done());
        }
    }
}

/// Absorbs states of one order in some order of arrival.
fn replay(states: &[(i64, u8, bool)], arrange: impl Fn(&mut Vec<Order>)) -> OrderRecord {
    let base = at("2026-11-24T10:00");
    let order = |minutes: i64, status: u8, claimed: bool| {
        let status = [OrderStatus::New, OrderStatus::Confirmed, OrderStatus::Shipped, OrderStatus::Delivered]
            [usize::from(status)];
        let updated: DateTime<Utc> = base + TimeDelta::minutes(minutes);
        let mut order = Order::new("A", status, base, updated, Currency::JPY);
        order.cancel = if claimed { CancelState::Requested } else { CancelState::None };
        order
    };
    let world = World::new("2026-11-24T10:00");
    let set = OptionSet { confirmation: Some(Confirmation::Manual), ..OptionSet::default() };
    let channel = world.account().channel;
    let options = EffectiveOptions::check(&set, channel.as_ref(), AccountFacts::authorised()).unwrap();
    // An order only ever moves on; claims come and go.
    let mut by_time = states.to_vec();
    by_time.sort();
    let mut reached = 0;
    let mut arrivals: Vec<Order> = by_time
        .iter()
        .map(|(minutes, status, claimed)| {
            reached = reached.max(*status);
            order(*minutes, reached, *claimed)
        })
        .collect();
    arrange(&mut arrivals);
    let mut record =
        OrderRecord::new(AccountId::from("shop"), order(-10, 0, false), LinkState::Linked { at: base });
    record.confirm = Step::None;
    for fresh in arrivals {
        state::absorb(&mut record, fresh, &options, base);
    }
    record
}
