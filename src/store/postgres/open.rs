//! Connecting: bring the schema up to date, unless it is of a newer version.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, PgPool, raw_sql};

use super::PgStore;
use super::errors::unopened;
use crate::channel::Secret;
use crate::error::{Error, ErrorKind, Result};

/// Each brings the schema from version n to n + 1. Once released, an entry never changes.
const MIGRATIONS: &[&str] = &[include_str!("../../../migrations/postgres/0001_initial.sql")];

/// How to connect a [`PgStore`]. Debug does not show the address: it holds a password.
#[derive(Clone)]
pub struct PgOptions {
    url: Secret,
    connections: u32,
    connect_timeout: Duration,
}

impl PgOptions {
    /// Defaults for this address: `postgres://user:password@host:port/database?sslmode=verify-full`.
    pub fn new(url: &str) -> Self {
        Self { url: Secret::new(url), connections: 10, connect_timeout: Duration::from_secs(10) }
    }

    /// The most connections of this process, at least 2: each running cycle uses one at a time. Default: 10.
    pub fn connections(mut self, connections: u32) -> Self {
        self.connections = connections.max(2);
        self
    }

    /// How long a call waits for a connection. Default: 10 s.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Connects, and makes or updates the schema.
    ///
    /// # Errors
    /// As [`PgStore::connect`].
    pub async fn connect(self) -> Result<PgStore> {
        // sqlx takes any scheme.
        let url = self.url.expose();
        if !["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)) {
            return Err(unopened(&sqlx::Error::Configuration("scheme".into())));
        }
        let connect = PgConnectOptions::from_str(url)
            .map_err(|error| unopened(&error))?
            .application_name("sales-channels")
            .disable_statement_logging();
        let pool = PgPoolOptions::new()
            .max_connections(self.connections)
            .acquire_timeout(self.connect_timeout)
            .connect_with(connect)
            .await
            .map_err(|error| unopened(&error))?;
        migrate(&pool).await?;
        Ok(PgStore { pool })
    }
}

impl fmt::Debug for PgOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PgOptions")
            .field("connections", &self.connections)
            .field("connect_timeout", &self.connect_timeout)
            .finish_non_exhaustive()
    }
}

/// All missing steps in one transaction, one process at a time: the others wait for the lock and find nothing to do.
async fn migrate(pool: &PgPool) -> Result<()> {
    let failed = |error: sqlx::Error| unopened(&error);
    let known = MIGRATIONS.len();
    if version(pool).await? == known {
        return Ok(());
    }
    let mut transaction = pool.begin().await.map_err(failed)?;
    // "scha" in ASCII. The lock ends with the transaction.
    raw_sql(
        "SELECT pg_advisory_xact_lock(x'73636861'::bigint);
         CREATE SCHEMA IF NOT EXISTS sales_channels;
         CREATE TABLE IF NOT EXISTS sales_channels.schema_version (version BIGINT NOT NULL);",
    )
    .execute(&mut *transaction)
    .await
    .map_err(failed)?;
    let from: i64 = sqlx::query_scalar("SELECT coalesce(max(version), 0) FROM sales_channels.schema_version")
        .fetch_one(&mut *transaction)
        .await
        .map_err(failed)?;
    for migration in &MIGRATIONS[usize::try_from(from).unwrap_or(known).min(known)..] {
        raw_sql(*migration).execute(&mut *transaction).await.map_err(failed)?;
    }
    sqlx::query("WITH old AS (DELETE FROM sales_channels.schema_version) INSERT INTO sales_channels.schema_version VALUES ($1)")
        .bind(i64::try_from(known).unwrap_or(i64::MAX))
        .execute(&mut *transaction)
        .await
        .map_err(failed)?;
    transaction.commit().await.map_err(failed)
}

/// The schema's version; 0: there is none.
async fn version(pool: &PgPool) -> Result<usize> {
    let failed = |error: sqlx::Error| unopened(&error);
    let there: bool = sqlx::query_scalar("SELECT to_regclass('sales_channels.schema_version') IS NOT NULL")
        .fetch_one(pool)
        .await
        .map_err(failed)?;
    if !there {
        return Ok(0);
    }
    let version: i64 =
        sqlx::query_scalar("SELECT coalesce(max(version), 0) FROM sales_channels.schema_version")
            .fetch_one(pool)
            .await
            .map_err(failed)?;
    let known = MIGRATIONS.len();
    match usize::try_from(version) {
        Ok(version) if version <= known => Ok(version),
        _ => Err(Error::new(ErrorKind::Configuration).with_message(format!(
            "the schema sales_channels was made by a newer version of the library (schema {version}, this one knows up \
             to {known}): update the library; nothing was changed"
        ))),
    }
}
