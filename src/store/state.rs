//! What is remembered about an account: how far its sync is, and its health.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::channel::Operation;
use crate::model::AccountId;
use crate::policy::SyncCursor;

/// What is remembered about an account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AccountState {
    /// Which account.
    pub account: AccountId,
    /// How far its order sync is.
    pub cursor: SyncCursor,
    /// How it is.
    pub health: Health,
    /// Where the centre's shipments go on.
    #[serde(default)]
    pub centre_cursor: Option<String>,
    /// No call before this time (AH-3).
    #[serde(default)]
    pub next_allowed: Option<DateTime<Utc>>,
    /// When the credentials end, as read from the channel or given at a renewal (KE-1).
    #[serde(default)]
    pub credentials_end: Option<DateTime<Utc>>,
    /// When the channel itself was last asked when they end, where it has an API for it; `None`: never, or it has none.
    #[serde(default)]
    pub credentials_read: Option<DateTime<Utc>>,
    /// The smallest number of days before the end of the credentials that was warned of (KE-2).
    #[serde(default)]
    pub warned_days: Option<u8>,
    /// The day of the last reconciliation (SS-11).
    #[serde(default)]
    pub reconciled_on: Option<NaiveDate>,
    /// When the last cycle began.
    #[serde(default)]
    pub last_cycle: Option<DateTime<Utc>>,
}

impl AccountState {
    /// An account that never ran.
    pub fn new(account: AccountId) -> Self {
        Self {
            account,
            cursor: SyncCursor::default(),
            health: Health::default(),
            centre_cursor: None,
            next_allowed: None,
            credentials_end: None,
            credentials_read: None,
            warned_days: None,
            reconciled_on: None,
            last_cycle: None,
        }
    }
}

/// How an account is (AH-1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HealthLevel {
    /// All is well.
    Ok,
    /// It works, but not everything.
    Degraded,
    /// It does nothing until the cause is gone.
    Paused,
}

impl fmt::Display for HealthLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ok => "ok",
            Self::Degraded => "degraded",
            Self::Paused => "paused",
        })
    }
}

/// What an issue is about. One of each at most: it stays until cured.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum IssueKey {
    /// The credentials.
    Credentials,
    /// They end soon.
    CredentialsEndSoon,
    /// The clock of this machine.
    Clock,
    /// The order sync is behind.
    StaleCursor,
    /// Rows that can't be read.
    UnreadableRows,
    /// An operation fails.
    Operation(Operation),
    /// Pushes of stock that the channel did not take.
    StockPush,
    /// Quantities at the channel differ from what they should be.
    StockDiffers,
    /// Orders that were refused.
    Refused(Operation),
    /// Parcels wait for the merchant's choice of how they are handed over (HM-3).
    HandOver,
    /// The options stored for the account can't be honoured.
    Options,
}

impl fmt::Display for IssueKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Credentials => f.write_str("credentials"),
            Self::CredentialsEndSoon => f.write_str("credentials end soon"),
            Self::Clock => f.write_str("clock"),
            Self::StaleCursor => f.write_str("order sync is behind"),
            Self::UnreadableRows => f.write_str("unreadable rows"),
            Self::Operation(operation) => write!(f, "{operation}"),
            Self::StockPush => f.write_str("stock pushes"),
            Self::StockDiffers => f.write_str("stock differs"),
            Self::Refused(operation) => write!(f, "{operation} refused"),
            Self::HandOver => f.write_str("hand-over not chosen"),
            Self::Options => f.write_str("options"),
        }
    }
}

/// Something wrong with an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Issue {
    /// How bad.
    pub level: HealthLevel,
    /// What happened.
    pub reason: String,
    /// What to do.
    pub advice: String,
    /// Since when.
    pub since: DateTime<Utc>,
}

/// How an account is, why, since when, and what to do.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Health {
    /// What is wrong, until cured.
    #[serde(with = "pairs")]
    pub issues: BTreeMap<IssueKey, Issue>,
    /// When each operation last succeeded.
    pub last_success: BTreeMap<Operation, DateTime<Utc>>,
}

impl Health {
    /// The worst level of its issues.
    pub fn level(&self) -> HealthLevel {
        self.issues.values().map(|issue| issue.level).max().unwrap_or(HealthLevel::Ok)
    }

    /// Notes that something is wrong. The time since when stays that of the first note; whether it is new is
    /// answered.
    pub fn raise(
        &mut self,
        key: IssueKey,
        level: HealthLevel,
        reason: impl Into<String>,
        advice: impl Into<String>,
        now: DateTime<Utc>,
    ) -> bool {
        let since = self.issues.get(&key).map(|issue| issue.since);
        let issue =
            Issue { level, reason: reason.into(), advice: advice.into(), since: since.unwrap_or(now) };
        self.issues.insert(key, issue);
        since.is_none()
    }

    /// Notes that it is cured; whether it was there is answered.
    pub fn cure(&mut self, key: &IssueKey) -> bool {
        self.issues.remove(key).is_some()
    }

    /// Notes that an operation worked: what was wrong with it is cured.
    pub fn succeeded(&mut self, operation: Operation, now: DateTime<Utc>) {
        self.last_success.insert(operation, now);
        self.cure(&IssueKey::Operation(operation));
    }
}

/// JSON objects have text keys only; issue keys are richer.
mod pairs {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{Issue, IssueKey};

    pub(super) fn serialize<S: Serializer>(
        map: &BTreeMap<IssueKey, Issue>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        map.iter().collect::<Vec<_>>().serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<BTreeMap<IssueKey, Issue>, D::Error> {
        Ok(Vec::<(IssueKey, Issue)>::deserialize(from)?.into_iter().collect())
    }
}
