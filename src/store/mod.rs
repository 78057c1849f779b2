//! What the hub remembers.
//!
//! A commit is one transaction: orders linked, the cursor moved and the intentions that follow are stored together
//! or not at all. Every commit carries the lease under which it was made, so that a worker that lost its account
//! can't write any more.

mod memory;
mod overlay;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod rows;
#[cfg(feature = "sqlite")]
mod sqlite;
mod state;

use std::collections::BTreeMap;
use std::fmt;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use crate::channel::UnreadableRow;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{AccountId, ListingKey, ListingLink, OrderId, OrderRecord, Sku};

pub use memory::MemoryStore;
pub(crate) use overlay::OverlayStore;
#[cfg(feature = "postgres")]
pub use postgres::{PgOptions, PgStore};
#[cfg(feature = "sqlite")]
pub use sqlite::{SqliteOptions, SqliteStore};
pub use state::{AccountState, Health, HealthLevel, Issue, IssueKey};

/// The right to work on an account, until it ends or is taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The account.
    pub account: AccountId,
    /// Who holds it.
    pub owner: String,
    /// Counts the leases of this account. A commit with an older number than the store's is refused.
    pub fence: i64,
}

/// Which records to go through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scan {
    /// Those that a cycle must look at ([`is_working`]).
    Working,
    /// Those whose delivery is to be followed up by now (DT-3).
    FollowDue(DateTime<Utc>),
    /// All.
    All,
}

/// Whether a cycle must look at this record: it is watched, not shipped yet, or has a step that is open.
pub fn is_working(record: &OrderRecord) -> bool {
    use crate::model::LinkState;
    match record.link {
        LinkState::Deleted { .. } => false,
        LinkState::Watched => true,
        LinkState::Linked { .. } => {
            !record.order.status.is_past_dispatch()
                || record.confirm.is_unknown()
                || record.instruct.is_unknown()
                || record.set_ship_date.is_unknown()
                || record.dispatches.iter().any(|d| d.step.is_open() || d.tell.is_open())
        }
    }
}

/// Pieces that an order keeps from being sold elsewhere, by listing and SKU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// The listing that was bought.
    pub listing: ListingKey,
    /// The line's own SKU, where it counts; the listing's link goes before it.
    pub sku: Option<Sku>,
    /// Pieces of the listing.
    pub quantity: u32,
}

/// What a record holds (SS-1).
pub fn holdings(record: &OrderRecord) -> Vec<Holding> {
    if !record.holds_stock() {
        return Vec::new();
    }
    let at_centre =
        matches!(record.instruct, crate::model::Step::Started { .. } | crate::model::Step::Done { .. });
    record
        .order
        .lines
        .iter()
        .map(|line| Holding {
            listing: line.listing.clone(),
            sku: line.sku.clone().filter(|_| record.sku_from_channel),
            quantity: if at_centre { line.quantity } else { line.outstanding() },
        })
        .filter(|holding| holding.quantity > 0)
        .collect()
}

/// What one transaction writes. Empty parts write nothing.
#[derive(Debug, Clone, Default)]
pub struct Commit {
    /// The account's state.
    pub state: Option<AccountState>,
    /// Orders, inserted or replaced.
    pub records: Vec<OrderRecord>,
    /// Orders that are no longer watched.
    pub forget: Vec<OrderId>,
    /// Listings, inserted or replaced.
    pub links: Vec<ListingLink>,
    /// Rows that could not be read. The same text of the same account is kept once.
    pub unreadable: Vec<UnreadableRow>,
}

impl Commit {
    /// Whether it writes nothing.
    pub fn is_empty(&self) -> bool {
        self.state.is_none()
            && self.records.is_empty()
            && self.forget.is_empty()
            && self.links.is_empty()
            && self.unreadable.is_empty()
    }
}

/// The error of a commit whose lease was lost.
fn lease_lost(lease: &Lease) -> Error {
    Error::new(ErrorKind::Busy)
        .for_account(&lease.account)
        .with_message("the lease was lost to another worker; nothing was written")
}

/// What the hub remembers, and how. All methods fail with [`ErrorKind::Store`], and where
/// said with [`ErrorKind::Busy`].
#[async_trait]
pub trait Store: Send + Sync + fmt::Debug {
    /// Takes an account for a while; taking it again as the same owner prolongs it under a new fence. Fences of an
    /// account only ever grow. The store has no clock of its own: `now` says whether another's time is over.
    ///
    /// # Errors
    /// `Busy` while another owner holds it.
    async fn acquire(
        &self,
        account: &AccountId,
        owner: &str,
        now: DateTime<Utc>,
        ttl: TimeDelta,
    ) -> Result<Lease>;

    /// Gives an account back. A lease that was lost already is nothing to worry about.
    ///
    /// # Errors
    /// Only `Store`.
    async fn release(&self, lease: &Lease) -> Result<()>;

    /// The account's state; `None` before its first commit.
    ///
    /// # Errors
    /// Only `Store`.
    async fn state(&self, account: &AccountId) -> Result<Option<AccountState>>;

    /// All accounts' states, by id.
    ///
    /// # Errors
    /// Only `Store`.
    async fn states(&self) -> Result<Vec<AccountState>>;

    /// Those of these orders that are known, in any order, each once.
    ///
    /// # Errors
    /// Only `Store`.
    async fn records(&self, account: &AccountId, ids: &[OrderId]) -> Result<Vec<OrderRecord>>;

    /// A page of the account's records after an id, by order id in byte order.
    ///
    /// # Errors
    /// Only `Store`.
    async fn scan(
        &self,
        account: &AccountId,
        scan: Scan,
        after: Option<&OrderId>,
        limit: usize,
    ) -> Result<Vec<OrderRecord>>;

    /// Those of these listings that are linked, in any order, each once.
    ///
    /// # Errors
    /// Only `Store`.
    async fn links(&self, account: &AccountId, keys: &[ListingKey]) -> Result<Vec<ListingLink>>;

    /// A page of the account's linked listings by key, after a key.
    ///
    /// # Errors
    /// Only `Store`.
    async fn scan_links(
        &self,
        account: &AccountId,
        after: Option<&ListingKey>,
        limit: usize,
    ) -> Result<Vec<ListingLink>>;

    /// Pieces of these SKUs that open orders of all accounts hold (SS-1): through the listing's link where there is
    /// one, else through the line's own SKU. Every SKU asked for is in the answer.
    ///
    /// # Errors
    /// Only `Store`.
    async fn held(&self, skus: &[Sku]) -> Result<BTreeMap<Sku, u64>>;

    /// The newest rows that could not be read, newest first.
    ///
    /// # Errors
    /// Only `Store`.
    async fn unreadable(&self, account: &AccountId, limit: usize) -> Result<Vec<UnreadableRow>>;

    /// Writes all of it, or nothing, also when the future is dropped. Durable when it returns, where the store is
    /// durable at all. It belongs to the lease's account. Of several versions of one order or listing the last counts;
    /// orders to forget are forgotten last. On an error, nothing was written, or (a disk that fails at the very end)
    /// all of it: read before relying on either.
    ///
    /// # Errors
    /// `Busy` when the lease was lost.
    async fn commit(&self, lease: &Lease, commit: Commit) -> Result<()>;
}
