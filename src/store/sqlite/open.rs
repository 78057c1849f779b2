//! Opening a file: is it ours, is it of a version we know, bring it up to date.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Row, raw_sql};
use tokio::sync::Mutex;

use super::errors::{is_busy, unopened};
use super::{SqliteStore, Writer};
use crate::error::{Error, ErrorKind, Result};

/// "scha" in ASCII, in the file's header: tells the file from databases of other programs.
const APPLICATION_ID: i32 = 0x7363_6861;
/// Each brings the schema from version n to n + 1. Once released, an entry never changes.
const MIGRATIONS: &[&str] = &[include_str!("../../../migrations/sqlite/0001_initial.sql")];
/// Statements of every batch size stay prepared.
const PREPARED: usize = 200;
/// Switching to WAL can't wait for a lock by itself: it is tried this often within the lock timeout.
const WAL_TRIES: u32 = 20;

/// How to open a [`SqliteStore`].
///
/// ```
/// # async fn example() -> sales_channels::Result<()> {
/// use std::time::Duration;
///
/// use sales_channels::store::SqliteOptions;
///
/// let store = SqliteOptions::new("orders.db").lock_timeout(Duration::from_secs(30)).open().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct SqliteOptions {
    path: PathBuf,
    lock_timeout: Duration,
    readers: u32,
    max_bytes: Option<u64>,
}

impl SqliteOptions {
    /// Defaults for this file.
    pub fn new(path: impl AsRef<Path>) -> Self {
        Self {
            path: path.as_ref().to_owned(),
            lock_timeout: Duration::from_secs(10),
            readers: 4,
            max_bytes: None,
        }
    }

    /// How long a write waits for a write of another process. Default: 10 s.
    pub fn lock_timeout(mut self, timeout: Duration) -> Self {
        self.lock_timeout = timeout;
        self
    }

    /// Connections for reading, at least 1. Default: 4.
    pub fn readers(mut self, readers: u32) -> Self {
        self.readers = readers.max(1);
        self
    }

    /// The file does not grow beyond this: commits that would need more fail as on a full disk. Default: no limit.
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = Some(bytes);
        self
    }

    /// Opens the file, or makes it.
    ///
    /// # Errors
    /// As [`SqliteStore::open`].
    pub async fn open(self) -> Result<SqliteStore> {
        let failed = |error: sqlx::Error| unopened(&error, &self.path);
        let connect = SqliteConnectOptions::new()
            .filename(&self.path)
            .create_if_missing(true)
            .busy_timeout(self.lock_timeout)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .statement_cache_capacity(PREPARED)
            .disable_statement_logging();
        let mut connection = connect.connect().await.map_err(failed)?;
        // Nothing is changed before it is known that the file is ours.
        let version = self.version(&mut connection).await?;
        self.use_wal(&mut connection).await?;
        if version < MIGRATIONS.len() {
            self.migrate(&mut connection).await?;
        }
        self.check_writable(&mut connection).await?;
        let connect = self.limited(connect, &mut connection).await?;
        let readers_connect = connect.clone().create_if_missing(false).pragma("query_only", "ON");
        let readers = SqlitePoolOptions::new()
            .max_connections(self.readers)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            .connect_lazy_with(readers_connect);
        Ok(SqliteStore {
            path: self.path,
            connect: connect.create_if_missing(false),
            writer: Mutex::new(Writer::Ready(Box::new(connection))),
            readers,
        })
    }

    /// Puts the limit on this connection and on those to come.
    async fn limited(
        &self,
        connect: SqliteConnectOptions,
        connection: &mut SqliteConnection,
    ) -> Result<SqliteConnectOptions> {
        let Some(bytes) = self.max_bytes else { return Ok(connect) };
        let failed = |error: sqlx::Error| unopened(&error, &self.path);
        let page: i64 =
            sqlx::query_scalar("PRAGMA page_size").fetch_one(&mut *connection).await.map_err(failed)?;
        let pages = (bytes / page.unsigned_abs().max(1)).clamp(1, u64::from(u32::MAX - 1)).to_string();
        let limit = format!("PRAGMA max_page_count = {pages}");
        raw_sql(sqlx::AssertSqlSafe(limit)).execute(connection).await.map_err(failed)?;
        Ok(connect.pragma("max_page_count", pages))
    }

    /// The file's schema version; an error when it is not a file for us.
    async fn version(&self, connection: &mut SqliteConnection) -> Result<usize> {
        let header = sqlx::query(
            "SELECT (SELECT application_id FROM pragma_application_id), (SELECT user_version FROM pragma_user_version), \
             (SELECT count(*) FROM sqlite_schema)",
        )
        .fetch_one(connection)
        .await
        .map_err(|error| unopened(&error, &self.path))?;
        let field = |n: usize| header.try_get::<i64, _>(n).map_err(|error| unopened(&error, &self.path));
        let (application, version, tables) = (field(0)?, field(1)?, field(2)?);
        if application != i64::from(APPLICATION_ID) {
            return if application == 0 && version == 0 && tables == 0 {
                Ok(0)
            } else {
                Err(self.unsuitable("is a database of another program: choose another path"))
            };
        }
        let known = MIGRATIONS.len();
        match usize::try_from(version) {
            Ok(version) if version <= known => Ok(version),
            _ => Err(self.unsuitable(&format!(
                "was made by a newer version of the library (schema {version}, this one knows up to {known}): update \
                 the library; nothing was changed"
            ))),
        }
    }

    fn unsuitable(&self, text: &str) -> Error {
        Error::new(ErrorKind::Configuration).with_message(format!("{} {text}", self.path.display()))
    }

    /// Write-ahead logging: readers never wait, and a commit costs one sync.
    async fn use_wal(&self, connection: &mut SqliteConnection) -> Result<()> {
        let mut tries = 0;
        loop {
            let mode = sqlx::query_scalar::<_, String>("PRAGMA journal_mode = WAL")
                .fetch_one(&mut *connection)
                .await;
            match mode {
                Ok(mode) if mode.eq_ignore_ascii_case("wal") => return Ok(()),
                Ok(_) => {
                    return Err(self.unsuitable("can't use a write-ahead log: put it on a local disk"));
                }
                Err(error) if is_busy(&error) && tries < WAL_TRIES => {
                    tries += 1;
                    tokio::time::sleep(self.lock_timeout / WAL_TRIES).await;
                }
                Err(error) => return Err(unopened(&error, &self.path)),
            }
        }
    }

    /// All missing steps in one transaction. Another process can have been faster: the version is read again inside.
    async fn migrate(&self, connection: &mut SqliteConnection) -> Result<()> {
        let failed = |error: sqlx::Error| unopened(&error, &self.path);
        raw_sql("BEGIN IMMEDIATE").execute(&mut *connection).await.map_err(failed)?;
        let from = self.version(connection).await?;
        for migration in &MIGRATIONS[from..] {
            raw_sql(*migration).execute(&mut *connection).await.map_err(failed)?;
        }
        let header = format!(
            "PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {}; COMMIT",
            MIGRATIONS.len()
        );
        raw_sql(sqlx::AssertSqlSafe(header)).execute(connection).await.map_err(failed)?;
        Ok(())
    }

    /// SQLite opens a file that it may not write to without a word; better to know now than at the first order.
    async fn check_writable(&self, connection: &mut SqliteConnection) -> Result<()> {
        let written = sqlx::query("DELETE FROM leases WHERE false").execute(connection).await;
        written.map(drop).map_err(|error| unopened(&error, &self.path))
    }
}
