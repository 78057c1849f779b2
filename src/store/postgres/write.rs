//! Writes: leases and commits. A commit is one transaction; its rows go as arrays, one statement a table.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, PgPool, Postgres, Row, query, raw_sql};

use super::errors::failed;
use super::text::stored;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{AccountId, OrderId};
use crate::store::rows::{Rows, hash, time};
use crate::store::{Lease, lease_lost};

pub(super) async fn acquire(
    pool: &PgPool,
    account: &AccountId,
    owner: &str,
    now: DateTime<Utc>,
    ttl: TimeDelta,
) -> Result<Lease> {
    let until = now.checked_add_signed(ttl).unwrap_or(DateTime::<Utc>::MAX_UTC);
    let taken = query(
        "INSERT INTO sales_channels.leases AS lease (account, owner, fence, until) VALUES ($1, $2, 1, $4)
         ON CONFLICT (account) DO UPDATE
         SET owner = excluded.owner, fence = lease.fence + 1, until = excluded.until
         WHERE lease.owner IS NULL OR lease.owner = excluded.owner OR lease.until <= $3
         RETURNING fence",
    )
    .bind(stored(account.as_str()))
    .bind(stored(owner))
    .bind(time(now))
    .bind(time(until))
    .fetch_optional(pool)
    .await
    .map_err(|error| failed(&error))?;
    if let Some(row) = taken {
        let fence = row.try_get(0).map_err(|error| failed(&error))?;
        return Ok(Lease { account: account.clone(), owner: owner.to_owned(), fence });
    }
    let holder = query("SELECT owner, until FROM sales_channels.leases WHERE account = $1")
        .bind(stored(account.as_str()))
        .fetch_optional(pool)
        .await
        .map_err(|error| failed(&error))?;
    let column =
        |n: usize| holder.as_ref().and_then(|row| row.try_get::<Option<String>, _>(n).ok().flatten());
    Err(Error::new(ErrorKind::Busy).for_account(account).with_message(format!(
        "held by {} until {} UTC",
        column(0).as_deref().unwrap_or("another"),
        column(1).as_deref().unwrap_or("?"),
    )))
}

pub(super) async fn release(pool: &PgPool, lease: &Lease) -> Result<()> {
    query("UPDATE sales_channels.leases SET owner = NULL WHERE account = $1 AND fence = $2")
        .bind(stored(lease.account.as_str()))
        .bind(lease.fence)
        .execute(pool)
        .await
        .map(drop)
        .map_err(|error| failed(&error))
}

/// What a commit has written must survive a power cut, whatever the server's default is. A machine that dies in the
/// middle keeps the account locked no longer than the time-out.
const BEGIN: &str =
    "BEGIN; SET LOCAL synchronous_commit TO on; SET LOCAL idle_in_transaction_session_timeout TO '60s'";

pub(super) async fn commit(pool: &PgPool, lease: &Lease, rows: Rows) -> Result<()> {
    let connection = pool.acquire().await.map_err(|error| failed(&error))?;
    let mut writer = Uncertain { connection, certain: false };
    let held = write(&mut writer.connection, lease, &rows).await.map_err(|error| failed(&error))?;
    writer.certain = true;
    if held {
        return Ok(());
    }
    Err(lease_lost(lease))
}

/// Answers whether the lease was still held: else nothing was written.
async fn write(connection: &mut PgConnection, lease: &Lease, rows: &Rows) -> sqlx::Result<bool> {
    raw_sql(BEGIN).execute(&mut *connection).await?;
    let held = is_held(connection, lease).await?;
    if held {
        put(connection, &stored(lease.account.as_str()), rows).await?;
    }
    raw_sql(if held { "COMMIT" } else { "ROLLBACK" }).execute(connection).await?;
    Ok(held)
}

/// A connection that may be in the middle of a transaction. Dropped like that, by an error or with the future, it is
/// closed, and PostgreSQL rolls back. (sqlx's own transaction is not enough: a future that is dropped while it begins
/// gives back a connection with an open transaction, in which the next caller's writes would be lost.)
struct Uncertain {
    connection: PoolConnection<Postgres>,
    certain: bool,
}

impl Drop for Uncertain {
    fn drop(&mut self) {
        if !self.certain {
            self.connection.close_on_drop();
        }
    }
}

/// Locks the lease until the end of the transaction: nobody takes the account over before that.
async fn is_held(connection: &mut PgConnection, lease: &Lease) -> sqlx::Result<bool> {
    let fence: Option<i64> =
        sqlx::query_scalar("SELECT fence FROM sales_channels.leases WHERE account = $1 FOR UPDATE")
            .bind(stored(lease.account.as_str()))
            .fetch_optional(connection)
            .await?;
    Ok(fence == Some(lease.fence))
}

async fn put(connection: &mut PgConnection, account: &str, rows: &Rows) -> sqlx::Result<()> {
    if let Some(state) = &rows.state {
        query(
            "INSERT INTO sales_channels.accounts (account, state) VALUES ($1, $2)
             ON CONFLICT (account) DO UPDATE SET state = excluded.state",
        )
        .bind(account)
        .bind(state)
        .execute(&mut *connection)
        .await?;
    }
    put_orders(connection, account, rows).await?;
    put_holdings(connection, account, rows).await?;
    if !rows.forget.is_empty() {
        let ids: Vec<_> = rows.forget.iter().map(|id| stored(id.as_str())).collect();
        query("DELETE FROM sales_channels.orders WHERE account = $1 AND id = ANY($2::text[])")
            .bind(account)
            .bind(&ids[..])
            .execute(&mut *connection)
            .await?;
    }
    put_listings(connection, account, rows).await?;
    put_unreadable(connection, account, rows).await
}

async fn put_orders(connection: &mut PgConnection, account: &str, rows: &Rows) -> sqlx::Result<()> {
    if rows.orders.is_empty() {
        return Ok(());
    }
    let ids: Vec<_> = rows.orders.iter().map(|row| stored(row.id.as_str())).collect();
    let working: Vec<bool> = rows.orders.iter().map(|row| row.working).collect();
    let next_reads: Vec<Option<&str>> = rows.orders.iter().map(|row| row.next_read.as_deref()).collect();
    let records: Vec<&str> = rows.orders.iter().map(|row| row.record.as_str()).collect();
    query(
        "INSERT INTO sales_channels.orders (account, id, working, next_read, record)
         SELECT $1, * FROM unnest($2::text[], $3::bool[], $4::text[], $5::text[])
         ON CONFLICT (account, id) DO UPDATE
         SET working = excluded.working, next_read = excluded.next_read, record = excluded.record",
    )
    .bind(account)
    .bind(&ids[..])
    .bind(working)
    .bind(next_reads)
    .bind(records)
    .execute(&mut *connection)
    .await?;
    query("DELETE FROM sales_channels.holdings WHERE account = $1 AND order_id = ANY($2::text[])")
        .bind(account)
        .bind(&ids[..])
        .execute(&mut *connection)
        .await?;
    Ok(())
}

async fn put_holdings(connection: &mut PgConnection, account: &str, rows: &Rows) -> sqlx::Result<()> {
    if rows.holdings.is_empty() {
        return Ok(());
    }
    let of = |text: fn(&crate::store::rows::HoldingRow) -> &str| -> Vec<_> {
        rows.holdings.iter().map(|row| stored(text(row))).collect()
    };
    let numbers: Vec<i64> = rows.holdings.iter().map(|row| row.n).collect();
    let skus: Vec<_> =
        rows.holdings.iter().map(|row| row.holding.sku.as_ref().map(|sku| stored(sku.as_str()))).collect();
    let quantities: Vec<i64> = rows.holdings.iter().map(|row| i64::from(row.holding.quantity)).collect();
    query(
        "INSERT INTO sales_channels.holdings (account, order_id, n, item, option, sku, quantity)
         SELECT $1, * FROM unnest($2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::bigint[])",
    )
    .bind(account)
    .bind(of(|row| row.order.as_str()))
    .bind(numbers)
    .bind(of(|row| &row.holding.listing.item))
    .bind(of(|row| &row.holding.listing.option))
    .bind(skus)
    .bind(quantities)
    .execute(connection)
    .await?;
    Ok(())
}

async fn put_listings(connection: &mut PgConnection, account: &str, rows: &Rows) -> sqlx::Result<()> {
    if rows.listings.is_empty() {
        return Ok(());
    }
    let items: Vec<_> = rows.listings.iter().map(|row| stored(&row.key.item)).collect();
    let options: Vec<_> = rows.listings.iter().map(|row| stored(&row.key.option)).collect();
    let links: Vec<&str> = rows.listings.iter().map(|row| row.link.as_str()).collect();
    query(
        "INSERT INTO sales_channels.listings (account, item, option, link)
         SELECT $1, * FROM unnest($2::text[], $3::text[], $4::text[])
         ON CONFLICT (account, item, option) DO UPDATE SET link = excluded.link",
    )
    .bind(account)
    .bind(&items[..])
    .bind(&options[..])
    .bind(links)
    .execute(&mut *connection)
    .await?;
    query(
        "DELETE FROM sales_channels.listing_parts
         WHERE account = $1 AND (item, option) IN (SELECT * FROM unnest($2::text[], $3::text[]))",
    )
    .bind(account)
    .bind(items)
    .bind(options)
    .execute(&mut *connection)
    .await?;
    let items: Vec<_> = rows.parts.iter().map(|part| stored(&part.key.item)).collect();
    let options: Vec<_> = rows.parts.iter().map(|part| stored(&part.key.option)).collect();
    let numbers: Vec<i64> = rows.parts.iter().map(|part| part.n).collect();
    let skus: Vec<_> = rows.parts.iter().map(|part| stored(&part.sku)).collect();
    let quantities: Vec<i64> = rows.parts.iter().map(|part| i64::from(part.quantity)).collect();
    query(
        "INSERT INTO sales_channels.listing_parts (account, item, option, n, sku, quantity)
         SELECT $1, * FROM unnest($2::text[], $3::text[], $4::bigint[], $5::text[], $6::bigint[])",
    )
    .bind(account)
    .bind(items)
    .bind(options)
    .bind(numbers)
    .bind(skus)
    .bind(quantities)
    .execute(connection)
    .await?;
    Ok(())
}

/// The same text of the same account is kept once.
async fn put_unreadable(connection: &mut PgConnection, account: &str, rows: &Rows) -> sqlx::Result<()> {
    for row in &rows.unreadable {
        let raw = row.raw.reveal();
        query(
            "INSERT INTO sales_channels.unreadable_rows (account, hash, order_id, reason, raw)
             SELECT $1, $2, $3, $4, $5
             WHERE NOT EXISTS (SELECT 1 FROM sales_channels.unreadable_rows
                               WHERE account = $1 AND hash = $2 AND raw = $5)",
        )
        .bind(account)
        .bind(hash(raw))
        .bind(row.id.as_ref().map(OrderId::as_str).map(stored))
        .bind(stored(&row.reason))
        .bind(stored(raw))
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}
