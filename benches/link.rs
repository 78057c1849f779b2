//! Orders per second through a whole cycle (linked, confirmed, stored) into each store. SQLite with full durability.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "criterion's macros make public items; a bench may fail"
)]

mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sales_channels::hub::{Account, Hub};
use sales_channels::options::OptionSet;
use sales_channels::store::{MemoryStore, SqliteStore, Store};

const ORDERS: usize = 5_000;

async fn cycle(store: Arc<dyn Store>) -> Duration {
    let hub = Hub::builder(store).clock(support::clock()).build();
    let options = OptionSet { max_orders_per_cycle: Some(1_000_000), ..OptionSet::default() };
    let channel = Arc::new(support::EndlessChannel::new(ORDERS));
    hub.connect(Account::new("shop", channel).with_options(options)).unwrap();
    let began = Instant::now();
    let report = hub.cycle(&"shop".into()).await.unwrap();
    let took = began.elapsed();
    assert_eq!((report.tally.linked, report.tally.confirmed), (ORDERS as u64, ORDERS as u64), "{report}");
    took
}

fn benches(c: &mut Criterion) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut group = c.benchmark_group("link");
    group.throughput(Throughput::Elements(ORDERS as u64)).sample_size(10);
    group.bench_function("memory store", |b| {
        b.to_async(&runtime).iter_custom(async |runs| {
            let mut took = Duration::ZERO;
            for _ in 0..runs {
                took += cycle(Arc::new(MemoryStore::new())).await;
            }
            took
        });
    });
    group.bench_function("SQLite, fully durable", |b| {
        b.to_async(&runtime).iter_custom(async |runs| {
            let mut took = Duration::ZERO;
            for _ in 0..runs {
                let folder = tempfile::tempdir().unwrap();
                let store = SqliteStore::open(folder.path().join("bench.db")).await.unwrap();
                took += cycle(Arc::new(store)).await;
            }
            took
        });
    });
    group.finish();
}

criterion_group!(link, benches);
criterion_main!(link);
