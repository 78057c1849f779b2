//! What a cycle or manual run did, and why. Prints well.

use std::fmt;

use chrono::{DateTime, Utc};

use crate::channel::Operation;
use crate::error::Error;
use crate::model::AccountId;
use crate::policy::Reason;
use crate::store::HealthLevel;

/// Details beyond this many are counted, not listed: a report stays small however large the run.
const MOST_LINES: usize = 1000;

/// Counts of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Tally {
    /// Open orders read again (OS-10).
    pub reread: u64,
    /// Windows closed.
    pub windows: u64,
    /// Rows taken in: linked + already known + excluded + unreadable (OS-13).
    pub seen: u64,
    /// Orders linked.
    pub linked: u64,
    /// Orders known before.
    pub known: u64,
    /// Orders excluded by a rule, for good or for now.
    pub excluded: u64,
    /// Rows that could not be read.
    pub unreadable: u64,
    /// Rows left to the next cycle because of the cap (OS-4); not counted as seen.
    pub left_over: u64,
    /// Orders confirmed here.
    pub confirmed: u64,
    /// Orders found confirmed on the channel (OC-5).
    pub found_confirmed: u64,
    /// Ship dates sent, with the confirmation or by themselves.
    pub ship_dates: u64,
    /// Instructions that the centre took.
    pub instructed: u64,
    /// Parcels that left the centre.
    pub shipments: u64,
    /// Parcels reported to the channel.
    pub dispatched: u64,
    /// Tracking numbers of the channel that the centre took.
    pub told: u64,
    /// Refusals by the channel or the centre.
    pub refused: u64,
    /// Calls whose outcome is not known; the orders are read before anything else is done to them.
    pub unknown: u64,
    /// Quantities pushed.
    pub stock_pushed: u64,
    /// Quantities that the channel did not take.
    pub stock_failed: u64,
    /// Quantities that wait for the next cycle.
    pub stock_waiting: u64,
    /// Quantities at the channel that differ from what they should be (SS-11).
    pub stock_differs: u64,
    /// Deliveries followed up (DT-3).
    pub followed: u64,
}

impl Tally {
    /// Whether the counts of rows add up (OS-13).
    pub fn adds_up(&self) -> bool {
        self.seen == self.linked + self.known + self.excluded + self.unreadable
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// Everything that was due was tried.
    Complete,
    /// An error ended it early; nothing is lost, the next cycle goes on.
    Failed,
    /// The account must wait until this time.
    Parked(DateTime<Utc>),
    /// The account is paused; its health says why.
    Paused,
}

/// One thing that was done, or not, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportLine {
    /// An order or a listing.
    pub subject: String,
    /// What was done, or kept from being done.
    pub what: What,
    /// Why.
    pub reason: String,
}

/// What a line of a report is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum What {
    /// Linked.
    Linked,
    /// Not linked.
    NotLinked,
    /// Could not be read.
    Unreadable,
    /// Done. In a dry run: would be done.
    Did(Operation),
    /// Refused.
    Refused(Operation),
    /// Not known.
    Unknown(Operation),
    /// Differs from what it should be.
    Differs,
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Linked => f.write_str("linked"),
            Self::NotLinked => f.write_str("not linked"),
            Self::Unreadable => f.write_str("unreadable"),
            Self::Did(operation) => write!(f, "{operation}"),
            Self::Refused(operation) => write!(f, "{operation} refused"),
            Self::Unknown(operation) => write!(f, "{operation} unknown"),
            Self::Differs => f.write_str("differs"),
        }
    }
}

/// What a cycle or manual run did. A dry run's report says what a cycle would do.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CycleReport {
    /// Whose.
    pub account: AccountId,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: DateTime<Utc>,
    /// Whether nothing was changed by it.
    pub dry: bool,
    /// How it ended.
    pub end: End,
    /// The error that ended it early, or the worst one that did not.
    pub error: Option<Error>,
    /// Counts.
    pub tally: Tally,
    /// Details, the first thousand.
    pub lines: Vec<ReportLine>,
    /// Details that are not listed.
    pub lines_left_out: u64,
    /// How the account is afterwards.
    pub health: HealthLevel,
}

impl CycleReport {
    pub(super) fn new(account: AccountId, now: DateTime<Utc>, dry: bool) -> Self {
        Self {
            account,
            started_at: now,
            ended_at: now,
            dry,
            end: End::Complete,
            error: None,
            tally: Tally::default(),
            lines: Vec::new(),
            lines_left_out: 0,
            health: HealthLevel::Ok,
        }
    }

    pub(super) fn line(&mut self, subject: impl ToString, what: What, reason: impl ToString) {
        if self.lines.len() < MOST_LINES {
            self.lines.push(ReportLine { subject: subject.to_string(), what, reason: reason.to_string() });
        } else {
            self.lines_left_out += 1;
        }
    }

    pub(super) fn did(&mut self, subject: impl ToString, operation: Operation, reason: &Reason) {
        self.line(subject, What::Did(operation), reason);
    }
}

impl fmt::Display for CycleReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let t = &self.tally;
        let end = match self.end {
            End::Complete => "complete".to_owned(),
            End::Failed => "ended early".to_owned(),
            End::Parked(until) => format!("parked until {}", until.format("%H:%M:%S UTC")),
            End::Paused => "paused".to_owned(),
        };
        writeln!(
            f,
            "{}{}: {} ({}), health {}",
            self.account,
            if self.dry { " (dry run, nothing was changed)" } else { "" },
            end,
            self.started_at.format("%Y-%m-%d %H:%M UTC"),
            self.health
        )?;
        writeln!(
            f,
            "  orders   seen {} = linked {} + known {} + excluded {} + unreadable {}; left over {}",
            t.seen, t.linked, t.known, t.excluded, t.unreadable, t.left_over
        )?;
        let counts = [
            ("re-read", t.reread),
            ("confirmed", t.confirmed),
            ("found confirmed", t.found_confirmed),
            ("ship dates", t.ship_dates),
            ("instructed", t.instructed),
            ("shipments", t.shipments),
            ("dispatched", t.dispatched),
            ("told", t.told),
            ("followed", t.followed),
            ("stock pushed", t.stock_pushed),
            ("stock failed", t.stock_failed),
            ("stock waiting", t.stock_waiting),
            ("stock differs", t.stock_differs),
            ("refused", t.refused),
            ("unknown", t.unknown),
        ];
        let done: Vec<String> =
            counts.iter().filter(|(_, n)| *n > 0).map(|(name, n)| format!("{name} {n}")).collect();
        if !done.is_empty() {
            writeln!(f, "  actions  {}", done.join(", "))?;
        }
        let widest = self.lines.iter().map(|line| line.subject.chars().count()).max().unwrap_or(0).min(40);
        for line in &self.lines {
            writeln!(f, "  {:<widest$}  {:<20}  {}", line.subject, line.what.to_string(), line.reason)?;
        }
        if self.lines_left_out > 0 {
            writeln!(f, "  and {} more", self.lines_left_out)?;
        }
        if let Some(error) = &self.error {
            writeln!(f, "  error    {error}")?;
        }
        Ok(())
    }
}
