//! A store over another: reads fall through, writes stay here. A dry run works on it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use super::{AccountState, Commit, Lease, MemoryStore, Scan, Store, holdings};
use crate::channel::UnreadableRow;
use crate::error::Result;
use crate::model::{AccountId, ListingKey, ListingLink, OrderId, OrderRecord, Sku};

/// Orders looked at together.
const PAGE: usize = 500;

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

    /// Takes away what the base counted for these orders, through the links that it counted by.
    async fn uncount(&self, held: &mut BTreeMap<Sku, u64>, ids: &[OrderId]) -> Result<()> {
        for record in self.base.records(&self.account, ids).await? {
            for (sku, pieces) in needs_of(self.base.as_ref(), &record).await? {
                if let Some(sum) = held.get_mut(&sku) {
                    *sum = sum.saturating_sub(pieces);
                }
            }
        }
        Ok(())
    }
}

/// What an order holds of which SKU, by the links of a store.
async fn needs_of(store: &dyn Store, record: &OrderRecord) -> Result<Vec<(Sku, u64)>> {
    let mut needs = Vec::new();
    for holding in holdings(record) {
        let links = store.links(&record.account, std::slice::from_ref(&holding.listing)).await?;
        needs.extend(crate::policy::stock::needs(&holding, links.first()));
    }
    Ok(needs)
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
        let here: BTreeSet<OrderId> = found.iter().map(|record| record.order.id.clone()).collect();
        let missing: Vec<OrderId> =
            ids.iter().filter(|id| !here.contains(*id) && !self.is_forgotten(id)).cloned().collect();
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

    /// Orders of the base that were not touched here are counted by the base's links, also where a link was made here.
    async fn held(&self, skus: &[Sku]) -> Result<BTreeMap<Sku, u64>> {
        let mut held = self.base.held(skus).await?;
        let mut gone = self.forgotten.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut after = None;
        loop {
            let page = self.top.scan(&self.account, Scan::All, after.as_ref(), PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.order.id.clone());
            let ids: Vec<OrderId> = page.iter().map(|record| record.order.id.clone()).collect();
            self.uncount(&mut held, &ids).await?;
            for record in &page {
                gone.remove(&record.order.id);
                for (sku, pieces) in needs_of(self, record).await? {
                    if let Some(sum) = held.get_mut(&sku) {
                        *sum = sum.saturating_add(pieces);
                    }
                }
            }
        }
        let gone: Vec<OrderId> = gone.into_iter().collect();
        for ids in gone.chunks(PAGE) {
            self.uncount(&mut held, ids).await?;
        }
        Ok(held)
    }

    async fn unreadable(&self, account: &AccountId, limit: usize) -> Result<Vec<UnreadableRow>> {
        self.base.unreadable(account, limit).await
    }

    async fn commit(&self, lease: &Lease, commit: Commit) -> Result<()> {
        self.forgotten.lock().unwrap_or_else(PoisonError::into_inner).extend(commit.forget.iter().cloned());
        self.top.commit(lease, commit).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Component, Currency, Line, LinkState, Order, OrderStatus};

    fn now() -> DateTime<Utc> {
        DateTime::UNIX_EPOCH
    }

    fn shop() -> AccountId {
        AccountId::from("shop")
    }

    fn order(id: &str, listing: &str, sku: &str, pieces: u32) -> OrderRecord {
        let mut order = Order::new(id, OrderStatus::New, now(), now(), Currency::JPY);
        let mut line = Line::new("1", ListingKey::item(listing), pieces, OrderStatus::New);
        line.sku = Some(Sku::from(sku));
        order.lines.push(line);
        OrderRecord::new(shop(), order, LinkState::Linked { at: now() })
    }

    fn shipped(mut record: OrderRecord) -> OrderRecord {
        record.order.status = OrderStatus::Shipped;
        record
    }

    fn link(listing: &str, sku: &str, quantity: u32) -> ListingLink {
        let parts = vec![Component { sku: Sku::from(sku), quantity }];
        ListingLink::new(shop(), ListingKey::item(listing), parts)
    }

    async fn commit(store: &dyn Store, commit: Commit) {
        let lease = store.acquire(&shop(), "me", now(), TimeDelta::minutes(1)).await.unwrap();
        store.commit(&lease, commit).await.unwrap();
    }

    async fn put(store: &dyn Store, records: Vec<OrderRecord>) {
        commit(store, Commit { records, ..Commit::default() }).await;
    }

    async fn forget(store: &dyn Store, id: &str) {
        commit(store, Commit { forget: vec![id.into()], ..Commit::default() }).await;
    }

    async fn held(store: &dyn Store, sku: &str) -> u64 {
        store.held(&[sku.into()]).await.unwrap()[&Sku::from(sku)]
    }

    async fn ids(store: &dyn Store, scan: Scan, limit: usize) -> Vec<String> {
        let mut ids = Vec::new();
        let mut after: Option<OrderId> = None;
        loop {
            let page = store.scan(&shop(), scan, after.as_ref(), limit).await.unwrap();
            let Some(last) = page.last() else { return ids };
            after = Some(last.order.id.clone());
            ids.extend(page.iter().map(|record| record.order.id.to_string()));
        }
    }

    /// A base with orders A to F of two TEE each, and an overlay on it.
    async fn over_six() -> (Arc<dyn Store>, OverlayStore) {
        let base: Arc<dyn Store> = Arc::new(MemoryStore::new());
        put(base.as_ref(), ["A", "B", "C", "D", "E", "F"].map(|id| order(id, "tee", "TEE", 2)).to_vec())
            .await;
        let overlay = OverlayStore::over(Arc::clone(&base), shop());
        (base, overlay)
    }

    #[tokio::test]
    async fn writes_stay_above_the_base() {
        let (base, overlay) = over_six().await;
        let state = AccountState::new(shop());
        let all = Commit {
            state: Some(state.clone()),
            records: vec![shipped(order("A", "tee", "TEE", 2)), order("G", "tee", "TEE", 2)],
            forget: vec!["B".into()],
            links: vec![link("tee", "TEE", 1)],
            unreadable: Vec::new(),
        };
        commit(&overlay, all).await;
        assert_eq!(overlay.state(&shop()).await.unwrap(), Some(state));
        assert_eq!(ids(&overlay, Scan::All, 10).await, ["A", "C", "D", "E", "F", "G"]);
        assert_eq!(base.state(&shop()).await.unwrap(), None);
        assert_eq!(ids(base.as_ref(), Scan::Working, 10).await, ["A", "B", "C", "D", "E", "F"]);
        assert!(base.scan_links(&shop(), None, 10).await.unwrap().is_empty());
        assert_eq!(held(base.as_ref(), "TEE").await, 12);
    }

    #[tokio::test]
    async fn the_base_can_be_taken_by_another_worker_meanwhile() {
        let (base, overlay) = over_six().await;
        let lease =
            base.acquire(&shop(), "other", now() + TimeDelta::hours(1), TimeDelta::hours(1)).await.unwrap();
        put(&overlay, vec![order("G", "tee", "TEE", 1)]).await;
        base.commit(&lease, Commit::default()).await.unwrap();
    }

    #[tokio::test]
    async fn scans_merge_both_in_order_whatever_the_page() {
        let (_base, overlay) = over_six().await;
        put(
            &overlay,
            vec![
                order("0", "tee", "TEE", 1),
                shipped(order("A", "tee", "TEE", 2)),
                order("BB", "tee", "TEE", 1),
                shipped(order("C", "tee", "TEE", 2)),
                shipped(order("D", "tee", "TEE", 2)),
                order("E", "tee", "TEE", 9),
                order("G", "tee", "TEE", 1),
            ],
        )
        .await;
        for limit in 1..12 {
            assert_eq!(
                ids(&overlay, Scan::Working, limit).await,
                ["0", "B", "BB", "E", "F", "G"],
                "by {limit}"
            );
            assert_eq!(ids(&overlay, Scan::All, limit).await.len(), 9, "by {limit}");
        }
        let page = overlay.scan(&shop(), Scan::All, Some(&"D".into()), 1).await.unwrap();
        assert_eq!(page[0].order.lines[0].quantity, 9, "the newer version");
    }

    #[tokio::test]
    async fn forgotten_orders_are_gone_everywhere_and_may_come_back() {
        let (_base, overlay) = over_six().await;
        forget(&overlay, "B").await;
        for limit in 1..8 {
            assert_eq!(ids(&overlay, Scan::Working, limit).await, ["A", "C", "D", "E", "F"]);
        }
        assert!(overlay.records(&shop(), &["B".into()]).await.unwrap().is_empty());
        assert_eq!(held(&overlay, "TEE").await, 10);
        put(&overlay, vec![order("B", "tee", "TEE", 5)]).await;
        assert_eq!(overlay.records(&shop(), &["B".into(), "A".into()]).await.unwrap().len(), 2);
        assert_eq!(held(&overlay, "TEE").await, 15);
    }

    #[tokio::test]
    async fn held_counts_each_order_once_in_its_newest_version() {
        let (_base, overlay) = over_six().await;
        put(&overlay, vec![shipped(order("A", "tee", "TEE", 2)), order("B", "tee", "TEE", 7)]).await;
        put(&overlay, vec![order("G", "tee", "TEE", 100)]).await;
        assert_eq!(held(&overlay, "TEE").await, 8 + 7 + 100);
    }

    #[tokio::test]
    async fn held_takes_away_what_the_base_had_counted_by_its_own_links() {
        let base: Arc<dyn Store> = Arc::new(MemoryStore::new());
        put(base.as_ref(), vec![order("A", "set", "OLD", 3)]).await;
        let overlay = OverlayStore::over(Arc::clone(&base), shop());
        let relinked = Commit {
            records: vec![order("A", "set", "OLD", 3)],
            links: vec![link("set", "NEW", 2)],
            ..Commit::default()
        };
        commit(&overlay, relinked).await;
        assert_eq!((held(&overlay, "OLD").await, held(&overlay, "NEW").await), (0, 6));
    }

    #[tokio::test]
    async fn links_of_both_come_by_key_the_newer_version_first() {
        let base: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let links = ["a", "c", "e"].map(|item| link(item, "OLD", 1)).to_vec();
        commit(base.as_ref(), Commit { links, ..Commit::default() }).await;
        let overlay = OverlayStore::over(base, shop());
        let links = ["b", "c", "f"].map(|item| link(item, "NEW", 1)).to_vec();
        commit(&overlay, Commit { links, ..Commit::default() }).await;
        for limit in 1..7 {
            let mut seen = Vec::new();
            let mut after: Option<ListingKey> = None;
            loop {
                let page = overlay.scan_links(&shop(), after.as_ref(), limit).await.unwrap();
                let Some(last) = page.last() else { break };
                after = Some(last.key.clone());
                seen.extend(page.into_iter().map(|link| (link.key.item, link.components[0].sku.to_string())));
            }
            let seen: Vec<(&str, &str)> =
                seen.iter().map(|(item, sku)| (item.as_str(), sku.as_str())).collect();
            assert_eq!(seen, [("a", "OLD"), ("b", "NEW"), ("c", "NEW"), ("e", "OLD"), ("f", "NEW")]);
        }
        assert_eq!(overlay.links(&shop(), &["a", "c", "x"].map(ListingKey::item)).await.unwrap().len(), 2);
    }
}
