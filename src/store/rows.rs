//! Between the model and the rows of a database: JSON, times as text. No I/O.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::channel::UnreadableRow;
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::model::{AccountId, ListingKey, ListingLink, OrderId, OrderRecord};
use crate::store::{AccountState, Commit, Holding, holdings, is_working};

/// A commit, ready to be bound: nothing is left to be computed while the database is locked.
pub(super) struct Rows {
    pub(super) state: Option<String>,
    pub(super) orders: Vec<OrderRow>,
    pub(super) holdings: Vec<HoldingRow>,
    pub(super) forget: Vec<OrderId>,
    pub(super) listings: Vec<ListingRow>,
    pub(super) parts: Vec<PartRow>,
    pub(super) unreadable: Vec<UnreadableRow>,
}

pub(super) struct OrderRow {
    pub(super) id: OrderId,
    pub(super) working: bool,
    pub(super) next_read: Option<String>,
    pub(super) record: String,
}

pub(super) struct HoldingRow {
    pub(super) order: OrderId,
    pub(super) n: i64,
    pub(super) holding: Holding,
}

pub(super) struct ListingRow {
    pub(super) key: ListingKey,
    pub(super) link: String,
}

pub(super) struct PartRow {
    pub(super) key: ListingKey,
    pub(super) n: i64,
    pub(super) sku: String,
    pub(super) quantity: u32,
}

impl Rows {
    pub(super) fn of(account: &AccountId, commit: Commit) -> Result<Self> {
        let state = match &commit.state {
            Some(state) => {
                let what = || format!("the state of account {account}");
                Some(to_json::<AccountState>(state, what)?)
            }
            None => None,
        };
        let mut rows = Self {
            state,
            orders: Vec::with_capacity(commit.records.len()),
            holdings: Vec::new(),
            forget: commit.forget,
            listings: Vec::with_capacity(commit.links.len()),
            parts: Vec::new(),
            unreadable: commit.unreadable,
        };
        // The last of several with one id wins. Sorted rows go into the index one beside the other.
        let records: BTreeMap<&OrderId, &OrderRecord> =
            commit.records.iter().map(|record| (&record.order.id, record)).collect();
        for (id, record) in records {
            rows.add_order(id, record)?;
        }
        let links: BTreeMap<&ListingKey, &ListingLink> =
            commit.links.iter().map(|link| (&link.key, link)).collect();
        for (key, link) in links {
            rows.add_listing(key, link)?;
        }
        Ok(rows)
    }

    fn add_order(&mut self, id: &OrderId, record: &OrderRecord) -> Result<()> {
        self.orders.push(OrderRow {
            id: id.clone(),
            working: is_working(record),
            next_read: record.next_read.map(time),
            record: to_json(record, || format!("order {id}"))?,
        });
        self.holdings.extend((0..).zip(holdings(record)).map(|(n, holding)| HoldingRow {
            order: id.clone(),
            n,
            holding,
        }));
        Ok(())
    }

    fn add_listing(&mut self, key: &ListingKey, link: &ListingLink) -> Result<()> {
        self.listings
            .push(ListingRow { key: key.clone(), link: to_json(link, || format!("listing {key}"))? });
        self.parts.extend((0..).zip(&link.components).map(|(n, part)| PartRow {
            key: key.clone(),
            n,
            sku: part.sku.as_str().to_owned(),
            quantity: part.quantity,
        }));
        Ok(())
    }
}

fn to_json<T: Serialize>(value: &T, what: impl Fn() -> String) -> Result<String> {
    serde_json::to_string(value).map_err(|_| unencodable(&what()))
}

pub(super) fn from_json<T: DeserializeOwned>(json: &str, what: impl Fn() -> String) -> Result<T> {
    serde_json::from_str(json).map_err(|error| undecodable(&what(), &error))
}

/// A time as text that sorts as the time does: UTC, the fraction only where there is one. Years beyond four digits
/// become the nearest that has them.
pub(super) fn time(at: DateTime<Utc>) -> String {
    const FIRST: NaiveDateTime = match NaiveDate::from_ymd_opt(0, 1, 1) {
        Some(day) => NaiveDateTime::new(day, NaiveTime::MIN),
        None => NaiveDateTime::MIN,
    };
    const LAST: NaiveDateTime = match NaiveDate::from_ymd_opt(9999, 12, 31) {
        Some(day) => NaiveDateTime::new(day, NaiveTime::MIN),
        None => NaiveDateTime::MAX,
    };
    at.naive_utc().clamp(FIRST, LAST).format("%Y-%m-%d %H:%M:%S%.f").to_string()
}

/// FNV-1a, 64 bits. It only has to be the same in every version of the library.
pub(super) fn hash(text: &str) -> i64 {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    hash.cast_signed()
}

/// Stored JSON that can't be read. The parser's own text is left out: it can quote personal data.
fn undecodable(what: &str, error: &serde_json::Error) -> Error {
    Error::new(ErrorKind::Store)
        .with_message(format!(
            "{what} in the database can't be read (at character {}): written by a newer version of the library, or \
             changed by hand",
            error.column()
        ))
        .with_retry(Retry::Never)
}

/// A value that can't be written as JSON.
fn unencodable(what: &str) -> Error {
    Error::new(ErrorKind::Store)
        .with_message(format!("{what} can't be written as JSON"))
        .with_retry(Retry::Never)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn times_sort_as_text() {
        let times = [
            DateTime::<Utc>::MIN_UTC,
            at("1969-12-31T23:59:59Z"),
            at("2026-11-24T10:00:00Z"),
            at("2026-11-24T10:00:00.000000001Z"),
            at("2026-11-24T10:00:00.25Z"),
            at("2026-11-24T10:00:00.250001Z"),
            at("2026-11-24T10:00:00.5Z"),
            at("2026-11-24T10:00:01Z"),
            DateTime::<Utc>::MAX_UTC,
        ];
        let texts: Vec<String> = times.into_iter().map(time).collect();
        assert!(texts.is_sorted_by(|a, b| a < b), "{texts:?}");
        assert_eq!(texts[2], "2026-11-24 10:00:00");
    }

    #[test]
    fn the_hash_is_the_published_one() {
        // From the FNV reference: 64-bit FNV-1a of "foobar".
        assert_eq!(hash("foobar").cast_unsigned(), 0x8594_4171_f739_67e8);
    }
}
