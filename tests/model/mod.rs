//! A scripted world for tests of the hub: a channel, a fulfilment centre and a store, all in memory, that count what is
//! done to them and can cut the process off at any of their I/O points.
// Each test binary uses its own part of it.
#![allow(dead_code, unused_imports, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod channel;
pub mod fuse;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use sales_channels::fulfillment::MemoryCentre;
use sales_channels::hub::{Account, Hub};
use sales_channels::model::{AccountId, Clock, ManualClock, OrderId};
use sales_channels::options::OptionSet;
use sales_channels::store::{MemoryStore, Store};

pub use channel::{Market, ModelChannel, Numbering, Sold};
pub use fuse::{Fuse, FusedCentre, FusedStore};

/// A time, out of `2026-11-24T10:00` in Seoul and Tokyo.
pub fn at(local: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(&format!("{local}:00+09:00")).unwrap().with_timezone(&Utc)
}

pub fn ids(ids: &[&str]) -> Vec<OrderId> {
    ids.iter().map(|id| OrderId::from(*id)).collect()
}

/// One merchant with one account at one channel, and a centre.
pub struct World {
    pub clock: Arc<ManualClock>,
    pub market: Arc<Market>,
    pub centre: Arc<MemoryCentre>,
    pub store: Arc<dyn Store>,
    pub fuse: Arc<Fuse>,
    pub account: AccountId,
    pub options: OptionSet,
    pub with_centre: bool,
    workers: std::sync::atomic::AtomicU32,
}

impl World {
    /// A world in which it is this time.
    pub fn new(now: &str) -> Self {
        Self::on(Arc::new(MemoryStore::new()), now)
    }

    /// A world over this store.
    pub fn on(store: Arc<dyn Store>, now: &str) -> Self {
        let clock = Arc::new(ManualClock::at(at(now)));
        Self {
            market: Arc::new(Market::new(Arc::clone(&clock) as Arc<dyn Clock>)),
            clock,
            centre: Arc::new(MemoryCentre::new()),
            store,
            fuse: Arc::default(),
            account: AccountId::from("shop"),
            options: OptionSet::default(),
            with_centre: true,
            workers: 0.into(),
        }
    }

    pub fn set(&self, now: &str) {
        self.clock.set(at(now));
    }

    /// A worker of its own over the world's store, as after a restart.
    pub fn hub(&self) -> Hub {
        let n = self.workers.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let store = Arc::new(FusedStore::new(Arc::clone(&self.store), Arc::clone(&self.fuse)));
        let hub = Hub::builder(store)
            .clock(Arc::clone(&self.clock) as Arc<dyn Clock>)
            .owner(format!("worker-{n}"))
            .build();
        hub.connect(self.account()).unwrap();
        hub
    }

    pub fn account(&self) -> Account {
        let channel = ModelChannel::new(Arc::clone(&self.market), Arc::clone(&self.fuse));
        let account =
            Account::new(self.account.clone(), Arc::new(channel)).with_options(self.options.clone());
        if self.with_centre {
            account.with_centre(Arc::new(FusedCentre::new(Arc::clone(&self.centre), Arc::clone(&self.fuse))))
        } else {
            account
        }
    }
}
