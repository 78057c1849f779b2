//! Cutting the process off at an I/O point.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use sales_channels::Result;
use sales_channels::channel::{Outcome, UnreadableRow};
use sales_channels::fulfillment::{
    FulfillmentCenter, GivenTracking, Instruction, MemoryCentre, ShipmentPage, StockLevel, TakeTracking,
};
use sales_channels::model::{AccountId, ListingKey, ListingLink, OrderId, OrderRecord, Sku};
use sales_channels::store::{AccountState, Commit, Lease, Scan, Store};
use tokio::sync::Notify;

/// Counts I/O points, and blows at one of them: whoever passes it stands still for ever, as a killed process does.
#[derive(Debug, Default)]
pub struct Fuse {
    passed: AtomicUsize,
    /// 0: never.
    blows_at: AtomicUsize,
    blown: Notify,
}

impl Fuse {
    /// Blows at the n-th point from now, counted from 1.
    pub fn arm(&self, n: usize) {
        self.passed.store(0, Ordering::SeqCst);
        self.blows_at.store(n, Ordering::SeqCst);
    }

    pub fn disarm(&self) {
        self.blows_at.store(0, Ordering::SeqCst);
    }

    pub fn passed(&self) -> usize {
        self.passed.load(Ordering::SeqCst)
    }

    pub async fn point(&self) {
        let n = self.passed.fetch_add(1, Ordering::SeqCst) + 1;
        if n == self.blows_at.load(Ordering::SeqCst) {
            self.blown.notify_one();
            std::future::pending::<()>().await;
        }
    }

    /// Runs until done, or until the fuse blows: then the work is dropped where it stands. Tells whether it blew.
    pub async fn cut<T>(&self, work: impl Future<Output = T>) -> bool {
        tokio::select! {
            biased;
            () = self.blown.notified() => true,
            _ = work => false,
        }
    }
}

#[derive(Debug)]
pub struct FusedStore {
    inner: Arc<dyn Store>,
    fuse: Arc<Fuse>,
}

impl FusedStore {
    pub fn new(inner: Arc<dyn Store>, fuse: Arc<Fuse>) -> Self {
        Self { inner, fuse }
    }
}

#[async_trait]
impl Store for FusedStore {
    async fn acquire(
        &self,
        account: &AccountId,
        owner: &str,
        now: DateTime<Utc>,
        ttl: TimeDelta,
    ) -> Result<Lease> {
        self.fuse.point().await;
        let lease = self.inner.acquire(account, owner, now, ttl).await;
        self.fuse.point().await;
        lease
    }

    async fn release(&self, lease: &Lease) -> Result<()> {
        self.fuse.point().await;
        self.inner.release(lease).await
    }

    async fn state(&self, account: &AccountId) -> Result<Option<AccountState>> {
        self.inner.state(account).await
    }

    async fn states(&self) -> Result<Vec<AccountState>> {
        self.inner.states().await
    }

    async fn records(&self, account: &AccountId, ids: &[OrderId]) -> Result<Vec<OrderRecord>> {
        self.fuse.point().await;
        self.inner.records(account, ids).await
    }

    async fn scan(
        &self,
        account: &AccountId,
        scan: Scan,
        after: Option<&OrderId>,
        limit: usize,
    ) -> Result<Vec<OrderRecord>> {
        self.fuse.point().await;
        self.inner.scan(account, scan, after, limit).await
    }

    async fn links(&self, account: &AccountId, keys: &[ListingKey]) -> Result<Vec<ListingLink>> {
        self.inner.links(account, keys).await
    }

    async fn scan_links(
        &self,
        account: &AccountId,
        after: Option<&ListingKey>,
        limit: usize,
    ) -> Result<Vec<ListingLink>> {
        self.inner.scan_links(account, after, limit).await
    }

    async fn held(&self, skus: &[Sku]) -> Result<BTreeMap<Sku, u64>> {
        self.inner.held(skus).await
    }

    async fn unreadable(&self, account: &AccountId, limit: usize) -> Result<Vec<UnreadableRow>> {
        self.inner.unreadable(account, limit).await
    }

    async fn commit(&self, lease: &Lease, commit: Commit) -> Result<()> {
        self.fuse.point().await;
        let done = self.inner.commit(lease, commit).await;
        self.fuse.point().await;
        done
    }
}

#[derive(Debug)]
pub struct FusedCentre {
    inner: Arc<MemoryCentre>,
    fuse: Arc<Fuse>,
}

impl FusedCentre {
    pub fn new(inner: Arc<MemoryCentre>, fuse: Arc<Fuse>) -> Self {
        Self { inner, fuse }
    }
}

#[async_trait]
impl FulfillmentCenter for FusedCentre {
    fn name(&self) -> &str {
        self.inner.name()
    }

    async fn stock_levels(&self, skus: &[Sku]) -> Result<Vec<StockLevel>> {
        self.fuse.point().await;
        self.inner.stock_levels(skus).await
    }

    async fn instruct(&self, instructions: &[Instruction<'_>]) -> Result<Vec<Outcome<()>>> {
        self.fuse.point().await;
        let done = self.inner.instruct(instructions).await;
        self.fuse.point().await;
        done
    }

    async fn shipments(&self, account: &AccountId, since: Option<&str>) -> Result<ShipmentPage> {
        self.fuse.point().await;
        self.inner.shipments(account, since).await
    }

    fn take_tracking(&self) -> Option<&dyn TakeTracking> {
        Some(self)
    }
}

#[async_trait]
impl TakeTracking for FusedCentre {
    async fn take(&self, parcels: &[GivenTracking<'_>]) -> Result<Vec<Outcome<()>>> {
        self.fuse.point().await;
        let done = self.inner.take(parcels).await;
        self.fuse.point().await;
        done
    }
}
