//! Reads. Pages cost as much as what they return: each scan walks an index.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Row, SqlitePool, query};

use super::errors::failed;
use super::statement::{filled, parameters, values};
use crate::channel::UnreadableRow;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{AccountId, ListingKey, ListingLink, OrderId, OrderRecord, RawPayload, Sku};
use crate::store::rows::{from_json, time};
use crate::store::{AccountState, Scan};

/// Most entries of one `IN (...)`.
const LIST: usize = 512;

/// A page of orders after an id (`>`), or from the beginning (`>=`, with an empty id).
macro_rules! page {
    ($index:literal, $condition:literal, $after:literal) => {
        concat!(
            "SELECT id, record FROM orders ",
            $index,
            " WHERE account = ?1 AND id ",
            $after,
            " ?2 AND ",
            $condition,
            " ORDER BY id LIMIT ?3"
        )
    };
    ($index:literal, $condition:literal) => {
        (page!($index, $condition, ">="), page!($index, $condition, ">"))
    };
}

/// For [`Scan::Working`]: from the beginning, after an id.
pub(super) const WORKING: (&str, &str) = page!("INDEXED BY orders_working", "working = 1");
/// For [`Scan::FollowDue`].
pub(super) const FOLLOWED: (&str, &str) =
    page!("INDEXED BY orders_followed", "next_read IS NOT NULL AND next_read <= ?4");
/// For [`Scan::All`].
pub(super) const ALL: (&str, &str) = page!("", "true");

/// Pieces held through the links of listings, and by lines whose listing is not linked.
pub(super) fn held_sql(skus: usize) -> String {
    let list = parameters(1, skus);
    format!(
        "SELECT part.sku, part.quantity, sum(held.quantity)
         FROM listing_parts part JOIN holdings held USING (account, item, option)
         WHERE part.sku IN ({list}) GROUP BY part.sku, part.quantity
         UNION ALL
         SELECT own.sku, 1, sum(own.pieces)
         FROM (SELECT sku, account, item, option, sum(quantity) AS pieces FROM holdings
               WHERE sku IS NOT NULL AND sku IN ({list}) GROUP BY sku, account, item, option) own
         WHERE NOT EXISTS (SELECT 1 FROM listings l
                           WHERE l.account = own.account AND l.item = own.item AND l.option = own.option)
         GROUP BY own.sku"
    )
}

pub(super) async fn state(readers: &SqlitePool, account: &AccountId) -> Result<Option<AccountState>> {
    let row = query("SELECT account, state FROM accounts WHERE account = ?1")
        .bind(account.as_str())
        .fetch_optional(readers)
        .await
        .map_err(|error| failed(&error))?;
    row.map(|row| account_state(&row)).transpose()
}

pub(super) async fn states(readers: &SqlitePool) -> Result<Vec<AccountState>> {
    let rows = query("SELECT account, state FROM accounts ORDER BY account")
        .fetch_all(readers)
        .await
        .map_err(|error| failed(&error))?;
    rows.iter().map(account_state).collect()
}

pub(super) async fn records(
    readers: &SqlitePool,
    account: &AccountId,
    ids: &[OrderId],
) -> Result<Vec<OrderRecord>> {
    let ids: Vec<&OrderId> = ids.iter().collect::<BTreeSet<_>>().into_iter().collect();
    let mut found = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(LIST) {
        let list: Vec<&&OrderId> = filled(chunk).collect();
        let sql = format!(
            "SELECT id, record FROM orders WHERE account = ?1 AND id IN ({})",
            parameters(2, list.len())
        );
        let mut select = query(AssertSqlSafe(sql)).bind(account.as_str());
        for id in list {
            select = select.bind(id.as_str());
        }
        let rows = select.fetch_all(readers).await.map_err(|error| failed(&error))?;
        for row in &rows {
            found.push(order(account, row)?);
        }
    }
    Ok(found)
}

pub(super) async fn scan(
    readers: &SqlitePool,
    account: &AccountId,
    scan: Scan,
    after: Option<&OrderId>,
    limit: usize,
) -> Result<Vec<OrderRecord>> {
    let (first, next) = match scan {
        Scan::Working => WORKING,
        Scan::FollowDue(_) => FOLLOWED,
        Scan::All => ALL,
    };
    let sql = if after.is_some() { next } else { first };
    let mut select =
        query(sql).bind(account.as_str()).bind(after.map_or("", OrderId::as_str)).bind(count(limit));
    if let Scan::FollowDue(now) = scan {
        select = select.bind(time(now));
    }
    let rows = select.fetch_all(readers).await.map_err(|error| failed(&error))?;
    rows.iter().map(|row| order(account, row)).collect()
}

pub(super) async fn links(
    readers: &SqlitePool,
    account: &AccountId,
    keys: &[ListingKey],
) -> Result<Vec<ListingLink>> {
    let keys: Vec<&ListingKey> = keys.iter().collect::<BTreeSet<_>>().into_iter().collect();
    let mut found = Vec::with_capacity(keys.len());
    for chunk in keys.chunks(LIST) {
        let list: Vec<&&ListingKey> = filled(chunk).collect();
        let sql = format!(
            "SELECT item, link FROM listings WHERE account = ? AND (item, option) IN (VALUES {})",
            values(list.len(), 2)
        );
        let mut select = query(AssertSqlSafe(sql)).bind(account.as_str());
        for key in list {
            select = select.bind(&key.item).bind(&key.option);
        }
        let rows = select.fetch_all(readers).await.map_err(|error| failed(&error))?;
        for row in &rows {
            found.push(link(account, row)?);
        }
    }
    Ok(found)
}

pub(super) async fn scan_links(
    readers: &SqlitePool,
    account: &AccountId,
    after: Option<&ListingKey>,
    limit: usize,
) -> Result<Vec<ListingLink>> {
    let sql = match after {
        None => {
            "SELECT item, link FROM listings WHERE account = ?1 AND (item, option) >= (?2, ?3)
             ORDER BY item, option LIMIT ?4"
        }
        Some(_) => {
            "SELECT item, link FROM listings WHERE account = ?1 AND (item, option) > (?2, ?3)
             ORDER BY item, option LIMIT ?4"
        }
    };
    let (item, option) = after.map_or(("", ""), |key| (&key.item, &key.option));
    let rows = query(sql)
        .bind(account.as_str())
        .bind(item)
        .bind(option)
        .bind(count(limit))
        .fetch_all(readers)
        .await
        .map_err(|error| failed(&error))?;
    rows.iter().map(|row| link(account, row)).collect()
}

pub(super) async fn held(readers: &SqlitePool, skus: &[Sku]) -> Result<BTreeMap<Sku, u64>> {
    let mut held: BTreeMap<Sku, u64> = skus.iter().map(|sku| (sku.clone(), 0)).collect();
    let skus: Vec<Sku> = held.keys().cloned().collect();
    for chunk in skus.chunks(LIST) {
        let list: Vec<&Sku> = filled(chunk).collect();
        let mut select = query(AssertSqlSafe(held_sql(list.len())));
        for sku in list {
            select = select.bind(sku.as_str());
        }
        let rows = select.fetch_all(readers).await.map_err(|error| failed(&error))?;
        for row in &rows {
            let sku: &str = column(row, 0)?;
            let [each, pieces] = [column::<i64>(row, 1)?, column::<i64>(row, 2)?].map(i64::unsigned_abs);
            if let Some(sum) = held.get_mut(sku) {
                // Multiplied here: SQLite would turn a product that is too large into a floating-point number.
                *sum = sum.saturating_add(each.saturating_mul(pieces));
            }
        }
    }
    Ok(held)
}

pub(super) async fn unreadable(
    readers: &SqlitePool,
    account: &AccountId,
    limit: usize,
) -> Result<Vec<UnreadableRow>> {
    let rows = query(
        "SELECT order_id, reason, raw FROM unreadable_rows WHERE account = ?1 ORDER BY id DESC LIMIT ?2",
    )
    .bind(account.as_str())
    .bind(count(limit))
    .fetch_all(readers)
    .await
    .map_err(|error| failed(&error))?;
    rows.iter()
        .map(|row| {
            let id: Option<&str> = column(row, 0)?;
            Ok(UnreadableRow::new(
                id.map(OrderId::from),
                column::<&str>(row, 1)?,
                RawPayload::new(column(row, 2)?),
            ))
        })
        .collect()
}

fn count(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

fn account_state(row: &SqliteRow) -> Result<AccountState> {
    json(row, |name| format!("the state of account {name}"))
}

fn order(account: &AccountId, row: &SqliteRow) -> Result<OrderRecord> {
    json(row, |name| format!("order {name}")).map_err(|error| error.for_account(account))
}

fn link(account: &AccountId, row: &SqliteRow) -> Result<ListingLink> {
    json(row, |name| format!("listing {name}")).map_err(|error| error.for_account(account))
}

/// Reads the JSON in the second column; the first names it.
fn json<T: DeserializeOwned>(row: &SqliteRow, what: impl Fn(&str) -> String) -> Result<T> {
    let name: &str = column(row, 0)?;
    from_json(column(row, 1)?, || what(name))
}

fn column<'r, T>(row: &'r SqliteRow, n: usize) -> Result<T>
where
    T: sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
{
    row.try_get(n).map_err(|_| {
        Error::new(ErrorKind::Store)
            .with_message(
                "a row in the database is of another shape: it was changed by hand, or the file is damaged",
            )
            .with_retry(crate::error::Retry::Never)
    })
}

#[cfg(test)]
mod tests {
    use super::super::SqliteStore;
    use super::*;

    async fn plan(store: &SqliteStore, sql: &str) -> String {
        let explain = format!("EXPLAIN QUERY PLAN {sql}");
        let rows = query(AssertSqlSafe(explain)).fetch_all(&store.readers).await.unwrap();
        rows.iter().map(|row| row.get::<String, _>("detail")).collect::<Vec<_>>().join("\n")
    }

    #[tokio::test]
    async fn scans_walk_an_index_and_sort_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(folder.path().join("orders.db")).await.unwrap();
        let indexes =
            [(WORKING, "orders_working"), (FOLLOWED, "orders_followed"), (ALL, "sqlite_autoindex_orders_1")];
        for ((first, next), index) in indexes {
            for sql in [first, next] {
                let plan = plan(&store, sql).await;
                let search = format!("SEARCH orders USING INDEX {index} (account=? AND id>?");
                assert!(plan.contains(&search), "{plan}");
                assert!(!plan.contains("TEMP B-TREE"), "{plan}");
            }
        }
    }

    #[tokio::test]
    async fn held_reads_indexes_only() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(folder.path().join("orders.db")).await.unwrap();
        let plan = plan(&store, &held_sql(4)).await;
        for index in ["listing_parts_by_sku", "holdings_by_listing", "holdings_by_sku"] {
            assert!(plan.contains(&format!("USING COVERING INDEX {index}")), "{plan}");
        }
        assert!(!plan.contains("SCAN held") && !plan.contains("SCAN part"), "{plan}");
    }
}
