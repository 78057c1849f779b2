//! Policy decisions per second: what a cycle asks for each open order.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "criterion's macros make public items; a bench may fail"
)]

mod support;

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sales_channels::channel::{Capabilities, Channel};
use sales_channels::model::{By, Done, LinkState, OrderRecord, OrderStatus, Step};
use sales_channels::options::{AccountFacts, EffectiveOptions, OptionSet};
use sales_channels::policy::link::{Asked, decide};
use sales_channels::policy::{next, window};

fn records() -> Vec<OrderRecord> {
    (0..1000)
        .map(|n| {
            let at = support::now();
            let mut order = support::order(n);
            let (link, confirm) = match n % 4 {
                0 => (LinkState::Watched, Step::None),
                1 => (LinkState::Linked { at }, Step::planned(at, By::Option)),
                2 => (LinkState::Linked { at }, Step::Done { at, how: Done::Here }),
                _ => {
                    order.status = OrderStatus::Shipped;
                    (LinkState::Linked { at }, Step::Done { at, how: Done::SeenOnChannel })
                }
            };
            let mut record = OrderRecord::new("shop".into(), order, link);
            record.confirm = confirm;
            record
        })
        .collect()
}

fn benches(c: &mut Criterion) {
    let channel = support::EndlessChannel::new(0);
    assert!(Capabilities::of(&channel).iter().count() > 1 && channel.confirm().is_some());
    let options =
        EffectiveOptions::check(&OptionSet::default(), &channel, AccountFacts::authorised()).unwrap();
    let records = records();

    let mut group = c.benchmark_group("policy");
    group.throughput(Throughput::Elements(records.len() as u64));
    group.bench_function("decide whether to link", |b| {
        b.iter(|| {
            for record in &records {
                black_box(decide(black_box(&record.order), Some(record), Asked::ByCycle));
            }
        });
    });
    group.bench_function("decide whether to confirm", |b| {
        b.iter(|| {
            for record in &records {
                black_box(next::confirm(black_box(record), &options, By::Option));
            }
        });
    });
    group.bench_function("decide all steps of an order", |b| {
        b.iter(|| {
            for record in &records {
                let record = black_box(record);
                black_box(decide(&record.order, Some(record), Asked::ByCycle));
                black_box(next::confirm(record, &options, By::Option));
                black_box(next::set_ship_date(record, &options));
                black_box(next::instruct(record, &options, By::Option));
            }
        });
    });
    group.finish();

    c.bench_function("policy/begin a cycle's windows", |b| {
        let cursor = window::SyncCursor::default();
        let day = chrono::TimeDelta::days(1);
        b.iter(|| {
            let cursor = black_box(&cursor).clone();
            black_box(window::begin(cursor, support::now(), options.zone(), options.lookback(), day).next())
        });
    });
}

criterion_group!(policy, benches);
criterion_main!(policy);
