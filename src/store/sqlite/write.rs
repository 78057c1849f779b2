//! Writes: leases and commits. Each is one transaction.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Row, query, raw_sql};

use super::statement::{BATCH, batches, filled, parameters, values};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{AccountId, OrderId};
use crate::store::rows::{Rows, hash, time};
use crate::store::{Lease, lease_lost};

type Done<T> = sqlx::Result<T>;

pub(super) async fn acquire(
    connection: &mut SqliteConnection,
    account: &AccountId,
    owner: &str,
    now: DateTime<Utc>,
    ttl: TimeDelta,
) -> Done<Result<Lease>> {
    let until = now.checked_add_signed(ttl).unwrap_or(DateTime::<Utc>::MAX_UTC);
    let taken = query(
        "INSERT INTO leases (account, owner, fence, until) VALUES (?1, ?2, 1, ?4)
         ON CONFLICT (account) DO UPDATE SET owner = excluded.owner, fence = fence + 1, until = excluded.until
         WHERE owner IS NULL OR owner = excluded.owner OR until <= ?3
         RETURNING fence",
    )
    .bind(account.as_str())
    .bind(owner)
    .bind(time(now))
    .bind(time(until))
    // All rows, so that the statement runs to its end: an error at its commit shows only there.
    .fetch_all(&mut *connection)
    .await?;
    if let Some(row) = taken.first() {
        let fence = row.try_get(0)?;
        return Ok(Ok(Lease { account: account.clone(), owner: owner.to_owned(), fence }));
    }
    let holder = query("SELECT owner, until FROM leases WHERE account = ?1")
        .bind(account.as_str())
        .fetch_one(connection)
        .await?;
    let other: Option<String> = holder.try_get(0)?;
    let until: String = holder.try_get(1)?;
    Ok(Err(Error::new(ErrorKind::Busy)
        .for_account(account)
        .with_message(format!("held by {} until {until} UTC", other.as_deref().unwrap_or("another")))))
}

pub(super) async fn release(connection: &mut SqliteConnection, lease: &Lease) -> Done<()> {
    query("UPDATE leases SET owner = NULL WHERE account = ?1 AND fence = ?2")
        .bind(lease.account.as_str())
        .bind(lease.fence)
        .execute(connection)
        .await?;
    Ok(())
}

/// On an error, the caller drops the connection: that rolls back.
pub(super) async fn commit(connection: &mut SqliteConnection, lease: &Lease, rows: Rows) -> Done<Result<()>> {
    raw_sql("BEGIN IMMEDIATE").execute(&mut *connection).await?;
    if !is_held(connection, lease).await? {
        raw_sql("ROLLBACK").execute(connection).await?;
        return Ok(Err(lease_lost(lease)));
    }
    let account = lease.account.as_str();
    if let Some(state) = &rows.state {
        put_state(connection, account, state).await?;
    }
    put_orders(connection, account, &rows).await?;
    forget(connection, account, &rows.forget).await?;
    put_listings(connection, account, &rows).await?;
    put_unreadable(connection, account, &rows).await?;
    raw_sql("COMMIT").execute(connection).await?;
    Ok(Ok(()))
}

async fn is_held(connection: &mut SqliteConnection, lease: &Lease) -> Done<bool> {
    let fence: Option<i64> = sqlx::query_scalar("SELECT fence FROM leases WHERE account = ?1")
        .bind(lease.account.as_str())
        .fetch_optional(connection)
        .await?;
    Ok(fence == Some(lease.fence))
}

async fn put_state(connection: &mut SqliteConnection, account: &str, state: &str) -> Done<()> {
    query(
        "INSERT INTO accounts (account, state) VALUES (?1, ?2)
         ON CONFLICT (account) DO UPDATE SET state = excluded.state",
    )
    .bind(account)
    .bind(state)
    .execute(connection)
    .await?;
    Ok(())
}

async fn put_orders(connection: &mut SqliteConnection, account: &str, rows: &Rows) -> Done<()> {
    for range in batches(rows.orders.len()) {
        let sql = format!(
            "INSERT INTO orders (account, id, working, next_read, record) VALUES {}
             ON CONFLICT (account, id) DO UPDATE
             SET working = excluded.working, next_read = excluded.next_read, record = excluded.record",
            values(range.len(), 5)
        );
        let mut insert = query(AssertSqlSafe(sql));
        for row in &rows.orders[range] {
            insert = insert
                .bind(account)
                .bind(row.id.as_str())
                .bind(i64::from(row.working))
                .bind(row.next_read.as_deref())
                .bind(&row.record);
        }
        insert.execute(&mut *connection).await?;
    }
    let ids: Vec<&str> = rows.orders.iter().map(|row| row.id.as_str()).collect();
    for chunk in ids.chunks(BATCH) {
        delete_where_id_in(
            connection,
            "DELETE FROM holdings WHERE account = ?1 AND order_id IN",
            account,
            chunk,
        )
        .await?;
    }
    for range in batches(rows.holdings.len()) {
        let sql = format!(
            "INSERT INTO holdings (account, order_id, n, item, option, sku, quantity) VALUES {}",
            values(range.len(), 7)
        );
        let mut insert = query(AssertSqlSafe(sql));
        for row in &rows.holdings[range] {
            let holding = &row.holding;
            insert = insert
                .bind(account)
                .bind(row.order.as_str())
                .bind(row.n)
                .bind(&holding.listing.item)
                .bind(&holding.listing.option)
                .bind(holding.sku.as_ref().map(|sku| sku.as_str()))
                .bind(i64::from(holding.quantity));
        }
        insert.execute(&mut *connection).await?;
    }
    Ok(())
}

/// Their holdings go with them.
async fn forget(connection: &mut SqliteConnection, account: &str, ids: &[OrderId]) -> Done<()> {
    let ids: Vec<&str> = ids.iter().map(OrderId::as_str).collect();
    for chunk in ids.chunks(BATCH) {
        delete_where_id_in(connection, "DELETE FROM orders WHERE account = ?1 AND id IN", account, chunk)
            .await?;
    }
    Ok(())
}

async fn delete_where_id_in(
    connection: &mut SqliteConnection,
    delete: &str,
    account: &str,
    ids: &[&str],
) -> Done<()> {
    let ids: Vec<&&str> = filled(ids).collect();
    let mut delete = query(AssertSqlSafe(format!("{delete} ({})", parameters(2, ids.len())))).bind(account);
    for id in ids {
        delete = delete.bind(*id);
    }
    delete.execute(connection).await?;
    Ok(())
}

async fn put_listings(connection: &mut SqliteConnection, account: &str, rows: &Rows) -> Done<()> {
    for range in batches(rows.listings.len()) {
        let sql = format!(
            "INSERT INTO listings (account, item, option, link) VALUES {}
             ON CONFLICT (account, item, option) DO UPDATE SET link = excluded.link",
            values(range.len(), 4)
        );
        let mut insert = query(AssertSqlSafe(sql));
        for row in &rows.listings[range.clone()] {
            insert = insert.bind(account).bind(&row.key.item).bind(&row.key.option).bind(&row.link);
        }
        insert.execute(&mut *connection).await?;
        let sql = format!(
            "DELETE FROM listing_parts WHERE account = ? AND (item, option) IN (VALUES {})",
            values(range.len(), 2)
        );
        let mut delete = query(AssertSqlSafe(sql)).bind(account);
        for row in &rows.listings[range] {
            delete = delete.bind(&row.key.item).bind(&row.key.option);
        }
        delete.execute(&mut *connection).await?;
    }
    for range in batches(rows.parts.len()) {
        let sql = format!(
            "INSERT INTO listing_parts (account, item, option, n, sku, quantity) VALUES {}",
            values(range.len(), 6)
        );
        let mut insert = query(AssertSqlSafe(sql));
        for row in &rows.parts[range] {
            insert = insert
                .bind(account)
                .bind(&row.key.item)
                .bind(&row.key.option)
                .bind(row.n)
                .bind(&row.sku)
                .bind(i64::from(row.quantity));
        }
        insert.execute(&mut *connection).await?;
    }
    Ok(())
}

/// The same text of the same account is kept once.
async fn put_unreadable(connection: &mut SqliteConnection, account: &str, rows: &Rows) -> Done<()> {
    for row in &rows.unreadable {
        let raw = row.raw.reveal();
        query(
            "INSERT INTO unreadable_rows (account, hash, order_id, reason, raw)
             SELECT ?1, ?2, ?3, ?4, ?5
             WHERE NOT EXISTS (SELECT 1 FROM unreadable_rows WHERE account = ?1 AND hash = ?2 AND raw = ?5)",
        )
        .bind(account)
        .bind(hash(raw))
        .bind(row.id.as_ref().map(OrderId::as_str))
        .bind(&row.reason)
        .bind(raw)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}
