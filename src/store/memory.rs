//! A store in memory: for tests, trials and applications that keep state elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use super::{AccountState, Commit, Lease, Scan, Store, holdings, is_working, lease_lost};
use crate::channel::UnreadableRow;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{AccountId, ListingKey, ListingLink, OrderId, OrderRecord, Sku};

/// Keeps everything in memory; gone when it is dropped.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<Inside>);

#[derive(Debug, Default)]
struct Inside {
    leases: BTreeMap<AccountId, Held>,
    accounts: BTreeMap<AccountId, Account>,
}

#[derive(Debug)]
struct Held {
    owner: Option<String>,
    fence: i64,
    until: DateTime<Utc>,
}

#[derive(Debug, Default)]
struct Account {
    state: Option<AccountState>,
    records: BTreeMap<OrderId, OrderRecord>,
    working: BTreeSet<OrderId>,
    links: BTreeMap<ListingKey, ListingLink>,
    unreadable: Vec<UnreadableRow>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn page<'a>(
        account: &'a Account,
        after: Option<&OrderId>,
        limit: usize,
        keep: impl Fn(&OrderRecord) -> bool + 'a,
    ) -> Vec<OrderRecord> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        account
            .records
            .range::<OrderId, _>((from, Bound::Unbounded))
            .map(|(_, record)| record)
            .filter(|record| keep(record))
            .take(limit)
            .cloned()
            .collect()
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn acquire(
        &self,
        account: &AccountId,
        owner: &str,
        now: DateTime<Utc>,
        ttl: TimeDelta,
    ) -> Result<Lease> {
        let mut inside = self.inside();
        let held = inside.leases.entry(account.clone()).or_insert(Held { owner: None, fence: 0, until: now });
        if let Some(other) = &held.owner
            && other != owner
            && now < held.until
        {
            return Err(Error::new(ErrorKind::Busy)
                .for_account(account)
                .with_message(format!("held by {other} until {}", held.until.to_rfc3339())));
        }
        held.owner = Some(owner.to_owned());
        held.fence += 1;
        held.until = now + ttl;
        Ok(Lease { account: account.clone(), owner: owner.to_owned(), fence: held.fence })
    }

    async fn release(&self, lease: &Lease) -> Result<()> {
        let mut inside = self.inside();
        if let Some(held) = inside.leases.get_mut(&lease.account)
            && held.fence == lease.fence
        {
            held.owner = None;
        }
        Ok(())
    }

    async fn state(&self, account: &AccountId) -> Result<Option<AccountState>> {
        Ok(self.inside().accounts.get(account).and_then(|a| a.state.clone()))
    }

    async fn states(&self) -> Result<Vec<AccountState>> {
        Ok(self.inside().accounts.values().filter_map(|a| a.state.clone()).collect())
    }

    async fn records(&self, account: &AccountId, ids: &[OrderId]) -> Result<Vec<OrderRecord>> {
        let inside = self.inside();
        let Some(account) = inside.accounts.get(account) else { return Ok(Vec::new()) };
        let ids: BTreeSet<&OrderId> = ids.iter().collect();
        Ok(ids.into_iter().filter_map(|id| account.records.get(id).cloned()).collect())
    }

    async fn scan(
        &self,
        account: &AccountId,
        scan: Scan,
        after: Option<&OrderId>,
        limit: usize,
    ) -> Result<Vec<OrderRecord>> {
        let inside = self.inside();
        let Some(account) = inside.accounts.get(account) else { return Ok(Vec::new()) };
        Ok(match scan {
            Scan::Working => {
                let from = after.map_or(Bound::Unbounded, Bound::Excluded);
                account
                    .working
                    .range::<OrderId, _>((from, Bound::Unbounded))
                    .take(limit)
                    .filter_map(|id| account.records.get(id).cloned())
                    .collect()
            }
            Scan::FollowDue(now) => {
                Self::page(account, after, limit, move |record| record.next_read.is_some_and(|at| at <= now))
            }
            Scan::All => Self::page(account, after, limit, |_| true),
        })
    }

    async fn links(&self, account: &AccountId, keys: &[ListingKey]) -> Result<Vec<ListingLink>> {
        let inside = self.inside();
        let Some(account) = inside.accounts.get(account) else { return Ok(Vec::new()) };
        let keys: BTreeSet<&ListingKey> = keys.iter().collect();
        Ok(keys.into_iter().filter_map(|key| account.links.get(key).cloned()).collect())
    }

    async fn scan_links(
        &self,
        account: &AccountId,
        after: Option<&ListingKey>,
        limit: usize,
    ) -> Result<Vec<ListingLink>> {
        let inside = self.inside();
        let Some(account) = inside.accounts.get(account) else { return Ok(Vec::new()) };
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        Ok(account.links.range((from, Bound::Unbounded)).take(limit).map(|(_, link)| link.clone()).collect())
    }

    async fn held(&self, skus: &[Sku]) -> Result<BTreeMap<Sku, u64>> {
        let inside = self.inside();
        let mut held: BTreeMap<Sku, u64> = skus.iter().map(|sku| (sku.clone(), 0)).collect();
        for account in inside.accounts.values() {
            for id in &account.working {
                let Some(record) = account.records.get(id) else { continue };
                add_holdings(&mut held, record, &account.links);
            }
            // Instructed orders can be past dispatch on the channel and still lie in the centre.
            for record in account.records.values().filter(|r| !is_working(r) && r.holds_stock()) {
                add_holdings(&mut held, record, &account.links);
            }
        }
        Ok(held)
    }

    async fn unreadable(&self, account: &AccountId, limit: usize) -> Result<Vec<UnreadableRow>> {
        let inside = self.inside();
        let Some(account) = inside.accounts.get(account) else { return Ok(Vec::new()) };
        Ok(account.unreadable.iter().rev().take(limit).cloned().collect())
    }

    async fn commit(&self, lease: &Lease, commit: Commit) -> Result<()> {
        let mut inside = self.inside();
        if inside.leases.get(&lease.account).is_none_or(|held| held.fence != lease.fence) {
            return Err(lease_lost(lease));
        }
        let account = inside.accounts.entry(lease.account.clone()).or_default();
        if let Some(state) = commit.state {
            account.state = Some(state);
        }
        for record in commit.records {
            let id = record.order.id.clone();
            if is_working(&record) {
                account.working.insert(id.clone());
            } else {
                account.working.remove(&id);
            }
            account.records.insert(id, record);
        }
        for id in &commit.forget {
            account.records.remove(id);
            account.working.remove(id);
        }
        for link in commit.links {
            account.links.insert(link.key.clone(), link);
        }
        for row in commit.unreadable {
            if !account.unreadable.iter().any(|known| known.raw == row.raw) {
                account.unreadable.push(row);
            }
        }
        Ok(())
    }
}

fn add_holdings(
    held: &mut BTreeMap<Sku, u64>,
    record: &OrderRecord,
    links: &BTreeMap<ListingKey, ListingLink>,
) {
    for holding in holdings(record) {
        let pieces = u64::from(holding.quantity);
        match links.get(&holding.listing) {
            Some(link) => {
                for part in &link.components {
                    if let Some(sum) = held.get_mut(&part.sku) {
                        *sum = sum.saturating_add(pieces * u64::from(part.quantity));
                    }
                }
            }
            None => {
                if let Some(sum) = holding.sku.as_ref().and_then(|sku| held.get_mut(sku)) {
                    *sum = sum.saturating_add(pieces);
                }
            }
        }
    }
}
