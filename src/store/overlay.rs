//! A store over another: reads fall through, writes stay here. A dry run works on it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use super::{AccountState, Commit, Lease, MemoryStore, Scan, Store, holdings};
use crate::channel::UnreadableRow;
use crate::error::Result;
use crate::model::{AccountId, ListingKey, ListingLink, OrderId, OrderRecord, Sku};

/// Reads fall through to the base, writes stay in memory. For one account.
#[derive(Debug)]
pub(crate) struct OverlayStore {
    base: Arc<dyn Store>,
    top: MemoryStore,
    account: AccountId,
    forgotten: Mutex<BTreeSet<OrderId>>,
}

impl OverlayStore {
    pub(crate) fn over(base: Arc<dyn Store>, account: AccountId) -> Self {
        Self { base, top: MemoryStore::new(), account, forgotten: Mutex::default() }
    }

    fn is_forgotten(&self, id: &OrderId) -> bool {
        self.forgotten.lock().unwrap_or_else(PoisonError::into_inner).contains(id)
    }

    /// Adds what a record holds to the sums, or takes it away.
    async fn count(&self, held: &mut BTreeMap<Sku, u64>, record: &OrderRecord, add: bool) -> Result<()> {
        for holding in holdings(record) {
            let links = self.links(&record.account, std::slice::from_ref(&holding.listing)).await?;
            for (sku, pieces) in crate::policy::stock::needs(&holding, links.first()) {
                if let Some(sum) = held.get_mut(&sku) {
                    *sum = if add { *sum + pieces } else { sum.saturating_sub(pieces) };
                }
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Store for OverlayStore {
    async fn acquire(
        &self,
        account: &AccountId,
        owner: &str,
        now: DateTime<Utc>,
        ttl: TimeDelta,
    ) -> Result<Lease> {
        self.top.acquire(account, owner, now, ttl).await
    }

    async fn release(&self, lease: &Lease) -> Result<()> {
        self.top.release(lease).await
    }

    async fn state(&self, account: &AccountId) -> Result<Option<AccountState>> {
        match self.top.state(account).await? {
            Some(state) => Ok(Some(state)),
            None => self.base.state(account).await,
        }
    }

    async fn states(&self) -> Result<Vec<AccountState>> {
        self.base.states().await
    }

    async fn records(&self, account: &AccountId, ids: &[OrderId]) -> Result<Vec<OrderRecord>> {
        let mut found = self.top.records(account, ids).await?;
        let missing: Vec<OrderId> =
            ids.iter().filter(|id| !found.iter().any(|r| r.order.id == **id)).cloned().collect();
        found.extend(self.base.records(account, &missing).await?);
        Ok(found)
    }

    async fn scan(
        &self,
        account: &AccountId,
        scan: Scan,
        after: Option<&OrderId>,
        limit: usize,
    ) -> Result<Vec<OrderRecord>> {
        let mut after = after.cloned();
        loop {
            let below = self.base.scan(account, scan, after.as_ref(), limit).await?;
            let above = self.top.scan(account, scan, after.as_ref(), limit).await?;
            // What lies behind the end of a full page is not known yet.
            let full_ends = [&below, &above]
                .into_iter()
                .filter(|page| page.len() == limit)
                .filter_map(|page| page.last());
            let bound = full_ends.map(|record| record.order.id.clone()).min();
            let ids: Vec<OrderId> = below.iter().map(|r| r.order.id.clone()).collect();
            let changed: BTreeSet<OrderId> =
                self.top.records(account, &ids).await?.into_iter().map(|r| r.order.id).collect();
            let mut merged: BTreeMap<OrderId, OrderRecord> = BTreeMap::new();
            for record in below {
                if !changed.contains(&record.order.id) && !self.is_forgotten(&record.order.id) {
                    merged.insert(record.order.id.clone(), record);
                }
            }
            for record in above {
                merged.insert(record.order.id.clone(), record);
            }
            if let Some(bound) = &bound {
                merged.retain(|id, _| id <= bound);
            }
            if !merged.is_empty() || bound.is_none() {
                return Ok(merged.into_values().take(limit).collect());
            }
            after = bound;
        }
    }

    async fn links(&self, account: &AccountId, keys: &[ListingKey]) -> Result<Vec<ListingLink>> {
        let mut found = self.top.links(account, keys).await?;
        let missing: Vec<ListingKey> =
            keys.iter().filter(|k| !found.iter().any(|l| l.key == **k)).cloned().collect();
        found.extend(self.base.links(account, &missing).await?);
        Ok(found)
    }

    async fn scan_links(
        &self,
        account: &AccountId,
        after: Option<&ListingKey>,
        limit: usize,
    ) -> Result<Vec<ListingLink>> {
        let mut merged: BTreeMap<ListingKey, ListingLink> = BTreeMap::new();
        for link in self.base.scan_links(account, after, limit).await? {
            merged.insert(link.key.clone(), link);
        }
        for link in self.top.scan_links(account, after, limit).await? {
            merged.insert(link.key.clone(), link);
        }
        Ok(merged.into_values().take(limit).collect())
    }

    async fn held(&self, skus: &[Sku]) -> Result<BTreeMap<Sku, u64>> {
        let mut held = self.base.held(skus).await?;
        let mut after = None;
        loop {
            let page = self.top.scan(&self.account, Scan::All, after.as_ref(), 500).await?;
            let Some(last) = page.last() else { return Ok(held) };
            after = Some(last.order.id.clone());
            let ids: Vec<OrderId> = page.iter().map(|r| r.order.id.clone()).collect();
            for before in self.base.records(&self.account, &ids).await? {
                self.count(&mut held, &before, false).await?;
            }
            for now in &page {
                self.count(&mut held, now, true).await?;
            }
        }
    }

    async fn unreadable(&self, account: &AccountId, limit: usize) -> Result<Vec<UnreadableRow>> {
        self.base.unreadable(account, limit).await
    }

    async fn commit(&self, lease: &Lease, commit: Commit) -> Result<()> {
        self.forgotten.lock().unwrap_or_else(PoisonError::into_inner).extend(commit.forget.iter().cloned());
        self.top.commit(lease, commit).await
    }
}
