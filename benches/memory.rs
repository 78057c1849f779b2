//! Memory of a cycle by the number of its orders: the peak of the live heap above what was live before, with the SQLite
//! store. It must not grow with the number of orders.
#![allow(clippy::unwrap_used, reason = "a bench may fail")]

mod support;

use std::sync::Arc;

use peak_alloc::PeakAlloc;
use sales_channels::hub::{Account, Hub};
use sales_channels::options::OptionSet;
use sales_channels::store::SqliteStore;

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

async fn peak_of_a_cycle(orders: usize) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("bench.db")).await.unwrap();
    let hub = Hub::builder(Arc::new(store)).clock(support::clock()).build();
    let options = OptionSet { max_orders_per_cycle: Some(1_000_000), ..OptionSet::default() };
    let channel = Arc::new(support::EndlessChannel::new(orders));
    hub.connect(Account::new("shop", channel).with_options(options)).unwrap();
    let before = HEAP.current_usage();
    HEAP.reset_peak_usage();
    let report = hub.cycle(&"shop".into()).await.unwrap();
    assert_eq!(report.tally.confirmed, orders as u64);
    HEAP.peak_usage().saturating_sub(before)
}

#[tokio::main]
async fn main() {
    // `cargo test --benches` only wants to know that it runs.
    let sizes: &[usize] =
        if std::env::args().any(|a| a == "--bench") { &[1_000, 10_000, 100_000] } else { &[100] };
    println!("{:>10}  {:>12}", "orders", "peak, KiB");
    for orders in sizes {
        println!("{orders:>10}  {:>12}", peak_of_a_cycle(*orders).await / 1024);
    }
}
