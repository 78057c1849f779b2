//! The durable store for one machine: one SQLite file.
//!
//! Writes go through one connection, each commit as one transaction with one sync to the disk. Reads use a few
//! connections of their own and never wait for a write. Several processes may share a file.

mod errors;
mod open;
mod read;
mod statement;
mod write;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection, SqlitePool};
use tokio::sync::Mutex;

use self::errors::{closed, failed};
use super::rows::Rows;
use super::{AccountState, Commit, Lease, Scan, Store};
use crate::channel::UnreadableRow;
use crate::error::Result;
use crate::model::{AccountId, ListingKey, ListingLink, OrderId, OrderRecord, Sku};

pub use open::SqliteOptions;

/// Keeps everything in one SQLite file, durably: what a commit has written survives a power cut.
///
/// The file can be looked at with the `sqlite3` tool while the library works: tables `orders`, `accounts`,
/// `listings`, `leases`, `unreadable_rows`. It holds personal data of buyers.
///
/// ```
/// # async fn example() -> sales_channels::Result<()> {
/// use std::sync::Arc;
///
/// use sales_channels::hub::Hub;
/// use sales_channels::store::SqliteStore;
///
/// let store = SqliteStore::open("/var/lib/shop/orders.db").await?;
/// let hub = Hub::new(Arc::new(store));
/// # Ok(())
/// # }
/// ```
pub struct SqliteStore {
    path: PathBuf,
    connect: SqliteConnectOptions,
    writer: Mutex<Writer>,
    readers: SqlitePool,
}

/// The connection that writes. It is taken out for the time of a write: when the write fails or its future is
/// dropped, the connection goes with it, SQLite rolls back what it had begun, and the next write opens another.
enum Writer {
    Ready(Box<SqliteConnection>),
    Gone,
    Closed,
}

impl SqliteStore {
    /// Opens a file, or makes it. Databases of older versions of the library are brought up to date.
    ///
    /// # Errors
    /// `Configuration` when the path can't be used: no such folder, a file that is no database or one of another
    /// program or of a newer version of this library. `Store` when the file is damaged, locked, can't be written to,
    /// or the disk is full.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self> {
        SqliteOptions::new(path).open().await
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes everything into the one file and closes it; later calls fail. Without it nothing is lost: what stands
    /// in the files beside it (`-wal`, `-shm`) is taken over when it is opened the next time.
    ///
    /// # Errors
    /// `Store` when closing fails; everything committed is safe all the same.
    pub async fn close(&self) -> Result<()> {
        self.readers.close().await;
        match std::mem::replace(&mut *self.writer.lock().await, Writer::Closed) {
            Writer::Ready(connection) => connection.close().await.map_err(|error| failed(&error)),
            Writer::Gone | Writer::Closed => Ok(()),
        }
    }

    /// Does one write on the one connection that writes.
    async fn write<T>(
        &self,
        work: impl AsyncFnOnce(&mut SqliteConnection) -> sqlx::Result<Result<T>>,
    ) -> Result<T> {
        let mut writer = self.writer.lock().await;
        let mut connection = match std::mem::replace(&mut *writer, Writer::Gone) {
            Writer::Ready(connection) => connection,
            Writer::Gone => Box::new(self.connect.connect().await.map_err(|error| failed(&error))?),
            Writer::Closed => {
                *writer = Writer::Closed;
                return Err(closed());
            }
        };
        let written = work(&mut connection).await.map_err(|error| failed(&error))?;
        *writer = Writer::Ready(connection);
        written
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("path", &self.path).finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn acquire(
        &self,
        account: &AccountId,
        owner: &str,
        now: DateTime<Utc>,
        ttl: TimeDelta,
    ) -> Result<Lease> {
        self.write(async |connection| write::acquire(connection, account, owner, now, ttl).await).await
    }

    async fn release(&self, lease: &Lease) -> Result<()> {
        self.write(async |connection| write::release(connection, lease).await.map(Ok)).await
    }

    async fn state(&self, account: &AccountId) -> Result<Option<AccountState>> {
        read::state(&self.readers, account).await
    }

    async fn states(&self) -> Result<Vec<AccountState>> {
        read::states(&self.readers).await
    }

    async fn records(&self, account: &AccountId, ids: &[OrderId]) -> Result<Vec<OrderRecord>> {
        read::records(&self.readers, account, ids).await
    }

    async fn scan(
        &self,
        account: &AccountId,
        scan: Scan,
        after: Option<&OrderId>,
        limit: usize,
    ) -> Result<Vec<OrderRecord>> {
        read::scan(&self.readers, account, scan, after, limit).await
    }

    async fn links(&self, account: &AccountId, keys: &[ListingKey]) -> Result<Vec<ListingLink>> {
        read::links(&self.readers, account, keys).await
    }

    async fn scan_links(
        &self,
        account: &AccountId,
        after: Option<&ListingKey>,
        limit: usize,
    ) -> Result<Vec<ListingLink>> {
        read::scan_links(&self.readers, account, after, limit).await
    }

    async fn held(&self, skus: &[Sku]) -> Result<BTreeMap<Sku, u64>> {
        read::held(&self.readers, skus).await
    }

    async fn unreadable(&self, account: &AccountId, limit: usize) -> Result<Vec<UnreadableRow>> {
        read::unreadable(&self.readers, account, limit).await
    }

    async fn commit(&self, lease: &Lease, commit: Commit) -> Result<()> {
        let rows = Rows::of(&lease.account, commit)?;
        self.write(async |connection| write::commit(connection, lease, rows).await).await
    }
}
