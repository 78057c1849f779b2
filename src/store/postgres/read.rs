//! Reads. Pages cost as much as what they return: each scan walks an index.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use sqlx::postgres::PgRow;
use sqlx::{PgPool, Row, query};

use super::errors::failed;
use super::text::{read, stored};
use crate::channel::UnreadableRow;
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::model::{AccountId, ListingKey, ListingLink, OrderId, OrderRecord, RawPayload, Sku};
use crate::store::rows::{from_json, time};
use crate::store::{AccountState, Scan};

/// A page of orders after an id (`>`), or from the beginning (`>=`, with an empty id).
macro_rules! page {
    ($condition:literal, $after:literal) => {
        concat!(
            "SELECT id, record FROM sales_channels.orders WHERE account = $1 AND id ",
            $after,
            " $2 AND ",
            $condition,
            " ORDER BY id LIMIT $3"
        )
    };
    ($condition:literal) => {
        (page!($condition, ">="), page!($condition, ">"))
    };
}

/// For [`Scan::Working`]: from the beginning, after an id.
const WORKING: (&str, &str) = page!("working");
/// For [`Scan::FollowDue`].
const FOLLOWED: (&str, &str) = page!("next_read IS NOT NULL AND next_read <= $4");
/// For [`Scan::All`].
const ALL: (&str, &str) = page!("true");

/// Pieces held through the links of listings, and by lines whose listing is not linked.
const HELD: &str = "
    SELECT part.sku, part.quantity, sum(held.quantity)::bigint
    FROM sales_channels.listing_parts part JOIN sales_channels.holdings held USING (account, item, option)
    WHERE part.sku = ANY($1::text[]) GROUP BY part.sku, part.quantity
    UNION ALL
    SELECT own.sku, 1, sum(own.pieces)::bigint
    FROM (SELECT sku, account, item, option, sum(quantity) AS pieces FROM sales_channels.holdings
          WHERE sku IS NOT NULL AND sku = ANY($1::text[]) GROUP BY sku, account, item, option) own
    WHERE NOT EXISTS (SELECT 1 FROM sales_channels.listings l
                      WHERE l.account = own.account AND l.item = own.item AND l.option = own.option)
    GROUP BY own.sku";

pub(super) async fn state(pool: &PgPool, account: &AccountId) -> Result<Option<AccountState>> {
    let row = query("SELECT account, state FROM sales_channels.accounts WHERE account = $1")
        .bind(stored(account.as_str()))
        .fetch_optional(pool)
        .await
        .map_err(|error| failed(&error))?;
    row.map(|row| account_state(&row)).transpose()
}

pub(super) async fn states(pool: &PgPool) -> Result<Vec<AccountState>> {
    let rows = query("SELECT account, state FROM sales_channels.accounts ORDER BY account")
        .fetch_all(pool)
        .await
        .map_err(|error| failed(&error))?;
    rows.iter().map(account_state).collect()
}

pub(super) async fn records(pool: &PgPool, account: &AccountId, ids: &[OrderId]) -> Result<Vec<OrderRecord>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<_> = ids.iter().map(|id| stored(id.as_str())).collect();
    let rows =
        query("SELECT id, record FROM sales_channels.orders WHERE account = $1 AND id = ANY($2::text[])")
            .bind(stored(account.as_str()))
            .bind(ids)
            .fetch_all(pool)
            .await
            .map_err(|error| failed(&error))?;
    rows.iter().map(|row| order(account, row)).collect()
}

pub(super) async fn scan(
    pool: &PgPool,
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
    let mut select = query(sql)
        .bind(stored(account.as_str()))
        .bind(stored(after.map_or("", OrderId::as_str)))
        .bind(count(limit));
    if let Scan::FollowDue(now) = scan {
        select = select.bind(time(now));
    }
    let rows = select.fetch_all(pool).await.map_err(|error| failed(&error))?;
    rows.iter().map(|row| order(account, row)).collect()
}

pub(super) async fn links(
    pool: &PgPool,
    account: &AccountId,
    keys: &[ListingKey],
) -> Result<Vec<ListingLink>> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let keys: BTreeSet<&ListingKey> = keys.iter().collect();
    let (items, options): (Vec<_>, Vec<_>) =
        keys.into_iter().map(|key| (stored(&key.item), stored(&key.option))).unzip();
    let rows = query(
        "SELECT l.item, l.link FROM unnest($2::text[], $3::text[]) AS wanted (item, option)
         JOIN sales_channels.listings l ON l.account = $1 AND l.item = wanted.item AND l.option = wanted.option",
    )
    .bind(stored(account.as_str()))
    .bind(items)
    .bind(options)
    .fetch_all(pool)
    .await
    .map_err(|error| failed(&error))?;
    rows.iter().map(|row| link(account, row)).collect()
}

pub(super) async fn scan_links(
    pool: &PgPool,
    account: &AccountId,
    after: Option<&ListingKey>,
    limit: usize,
) -> Result<Vec<ListingLink>> {
    let sql = match after {
        None => {
            "SELECT item, link FROM sales_channels.listings WHERE account = $1 AND (item, option) >= ($2, $3)
             ORDER BY item, option LIMIT $4"
        }
        Some(_) => {
            "SELECT item, link FROM sales_channels.listings WHERE account = $1 AND (item, option) > ($2, $3)
             ORDER BY item, option LIMIT $4"
        }
    };
    let (item, option) = after.map_or(("", ""), |key| (&key.item, &key.option));
    let rows = query(sql)
        .bind(stored(account.as_str()))
        .bind(stored(item))
        .bind(stored(option))
        .bind(count(limit))
        .fetch_all(pool)
        .await
        .map_err(|error| failed(&error))?;
    rows.iter().map(|row| link(account, row)).collect()
}

pub(super) async fn held(pool: &PgPool, skus: &[Sku]) -> Result<BTreeMap<Sku, u64>> {
    let mut held: BTreeMap<Sku, u64> = skus.iter().map(|sku| (sku.clone(), 0)).collect();
    if held.is_empty() {
        return Ok(held);
    }
    let list: Vec<_> = held.keys().map(|sku| stored(sku.as_str()).into_owned()).collect();
    let rows = query(HELD).bind(list).fetch_all(pool).await.map_err(|error| failed(&error))?;
    for row in &rows {
        let sku = read(column(row, 0)?);
        let [each, pieces] = [column::<i64>(row, 1)?, column::<i64>(row, 2)?].map(i64::unsigned_abs);
        if let Some(sum) = held.get_mut(sku.as_str()) {
            // Multiplied here: a product that is too large would be an error there.
            *sum = sum.saturating_add(each.saturating_mul(pieces));
        }
    }
    Ok(held)
}

pub(super) async fn unreadable(
    pool: &PgPool,
    account: &AccountId,
    limit: usize,
) -> Result<Vec<UnreadableRow>> {
    let rows = query(
        "SELECT order_id, reason, raw FROM sales_channels.unreadable_rows WHERE account = $1
         ORDER BY id DESC LIMIT $2",
    )
    .bind(stored(account.as_str()))
    .bind(count(limit))
    .fetch_all(pool)
    .await
    .map_err(|error| failed(&error))?;
    rows.iter()
        .map(|row| {
            let id: Option<&str> = column(row, 0)?;
            let (reason, raw) = (read(column(row, 1)?), read(column(row, 2)?));
            Ok(UnreadableRow::new(id.map(read).map(OrderId::from), reason, RawPayload::new(&raw)))
        })
        .collect()
}

fn count(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

fn account_state(row: &PgRow) -> Result<AccountState> {
    json(row, |name| format!("the state of account {name}"))
}

fn order(account: &AccountId, row: &PgRow) -> Result<OrderRecord> {
    json(row, |name| format!("order {name}")).map_err(|error| error.for_account(account))
}

fn link(account: &AccountId, row: &PgRow) -> Result<ListingLink> {
    json(row, |name| format!("listing {name}")).map_err(|error| error.for_account(account))
}

/// Reads the JSON in the second column; the first names it.
fn json<T: DeserializeOwned>(row: &PgRow, what: impl Fn(&str) -> String) -> Result<T> {
    let name: &str = column(row, 0)?;
    from_json(column(row, 1)?, || what(name))
}

fn column<'r, T>(row: &'r PgRow, n: usize) -> Result<T>
where
    T: sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
{
    row.try_get(n).map_err(|_| {
        Error::new(ErrorKind::Store)
            .with_message("a row in the database is of another shape: it was changed by hand")
            .with_retry(Retry::Never)
    })
}
