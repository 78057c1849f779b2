//! Between the model and rows: JSON, times as text, batches. No I/O.

use std::collections::BTreeMap;
use std::ops::Range;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::errors::{undecodable, unencodable};
use crate::channel::UnreadableRow;
use crate::error::Result;
use crate::model::{AccountId, ListingKey, ListingLink, OrderId, OrderRecord};
use crate::store::{AccountState, Commit, Holding, holdings, is_working};

/// Most rows of one statement.
pub(super) const BATCH: usize = 64;

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

/// Cuts `len` rows into batches whose sizes are powers of two, so that few different statements are prepared.
pub(super) fn batches(len: usize) -> impl Iterator<Item = Range<usize>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let rest = len - from;
        if rest == 0 {
            return None;
        }
        let size = BATCH.min(1 << rest.ilog2());
        from += size;
        Some(from - size..from)
    })
}

/// A list for `IN (...)`, filled up with its last entry to a power of two: repeats find nothing more.
pub(super) fn filled<T>(list: &[T]) -> impl Iterator<Item = &T> {
    let size = if list.is_empty() { 0 } else { list.len().next_power_of_two() };
    list.iter().chain(list.last().into_iter().cycle()).take(size)
}

/// `(?, ?), (?, ?)`: rows of columns.
pub(super) fn values(rows: usize, columns: usize) -> String {
    let row = format!("({})", vec!["?"; columns].join(", "));
    vec![row; rows].join(", ")
}

/// `?2, ?3, ?4`: parameters from a number on.
pub(super) fn parameters(from: usize, count: usize) -> String {
    let numbered: Vec<String> = (from..from + count).map(|n| format!("?{n}")).collect();
    numbered.join(", ")
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
    fn batches_cover_every_row_once_in_few_sizes() {
        for len in 0..300 {
            let mut next = 0;
            for range in batches(len) {
                assert_eq!(range.start, next);
                assert!(range.len().is_power_of_two() && range.len() <= BATCH);
                next = range.end;
            }
            assert_eq!(next, len);
        }
    }

    #[test]
    fn lists_are_filled_up_with_their_last_entry() {
        assert_eq!(filled(&[1, 2, 3]).copied().collect::<Vec<_>>(), [1, 2, 3, 3]);
        assert_eq!(filled(&[1]).count(), 1);
        assert_eq!(filled::<u8>(&[]).count(), 0);
    }

    #[test]
    fn the_hash_is_the_published_one() {
        // From the FNV reference: 64-bit FNV-1a of "foobar".
        assert_eq!(hash("foobar").cast_unsigned(), 0x8594_4171_f739_67e8);
    }
}
