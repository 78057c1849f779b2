//! The durable store for many machines: one PostgreSQL database, in a schema of its own.
//!
//! A commit is one transaction that locks the account's lease: whoever would take the account over waits for it, and
//! whoever lost it writes nothing.

mod errors;
mod open;
mod read;
mod text;
mod write;

use std::collections::BTreeMap;
use std::fmt;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgPool;

use super::rows::Rows;
use super::{AccountState, Commit, Lease, Scan, Store};
use crate::channel::UnreadableRow;
use crate::error::Result;
use crate::model::{AccountId, ListingKey, ListingLink, OrderId, OrderRecord, Sku};

pub use open::PgOptions;

/// Keeps everything in a PostgreSQL database (13 or newer), in the schema `sales_channels`, for any number of
/// processes on any number of machines. It holds personal data of buyers.
///
/// ```no_run
/// # async fn example() -> sales_channels::Result<()> {
/// use std::sync::Arc;
///
/// use sales_channels::hub::Hub;
/// use sales_channels::store::PgStore;
///
/// let store = PgStore::connect("postgres://hub:secret@db.internal/shop?sslmode=verify-full").await?;
/// let hub = Hub::new(Arc::new(store));
/// # Ok(())
/// # }
/// ```
pub struct PgStore {
    pool: PgPool,
}

impl PgStore {
    /// Connects, and makes or updates the schema. Several processes may do this at once.
    ///
    /// # Errors
    /// `Configuration` when the address can't be read, names no database, or user and password are not accepted, when
    /// the user may not make the schema, and when the schema is of a newer version of this library. `Store` when the
    /// database can't be reached.
    pub async fn connect(url: &str) -> Result<Self> {
        PgOptions::new(url).connect().await
    }

    /// Closes all connections; later calls fail.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

impl fmt::Debug for PgStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PgStore").field("connections", &self.pool.size()).finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for PgStore {
    async fn acquire(
        &self,
        account: &AccountId,
        owner: &str,
        now: DateTime<Utc>,
        ttl: TimeDelta,
    ) -> Result<Lease> {
        write::acquire(&self.pool, account, owner, now, ttl).await
    }

    async fn release(&self, lease: &Lease) -> Result<()> {
        write::release(&self.pool, lease).await
    }

    async fn state(&self, account: &AccountId) -> Result<Option<AccountState>> {
        read::state(&self.pool, account).await
    }

    async fn states(&self) -> Result<Vec<AccountState>> {
        read::states(&self.pool).await
    }

    async fn records(&self, account: &AccountId, ids: &[OrderId]) -> Result<Vec<OrderRecord>> {
        read::records(&self.pool, account, ids).await
    }

    async fn scan(
        &self,
        account: &AccountId,
        scan: Scan,
        after: Option<&OrderId>,
        limit: usize,
    ) -> Result<Vec<OrderRecord>> {
        read::scan(&self.pool, account, scan, after, limit).await
    }

    async fn links(&self, account: &AccountId, keys: &[ListingKey]) -> Result<Vec<ListingLink>> {
        read::links(&self.pool, account, keys).await
    }

    async fn scan_links(
        &self,
        account: &AccountId,
        after: Option<&ListingKey>,
        limit: usize,
    ) -> Result<Vec<ListingLink>> {
        read::scan_links(&self.pool, account, after, limit).await
    }

    async fn held(&self, skus: &[Sku]) -> Result<BTreeMap<Sku, u64>> {
        read::held(&self.pool, skus).await
    }

    async fn unreadable(&self, account: &AccountId, limit: usize) -> Result<Vec<UnreadableRow>> {
        read::unreadable(&self.pool, account, limit).await
    }

    async fn commit(&self, lease: &Lease, commit: Commit) -> Result<()> {
        write::commit(&self.pool, lease, Rows::of(&lease.account, commit)?).await
    }
}
