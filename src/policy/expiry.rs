//! Credentials that end (KE).

use chrono::{DateTime, Utc};

use super::{Reason, Rule};

/// Days before the end on which the merchant is warned (KE-2).
pub const WARNING_DAYS: [u8; 4] = [14, 7, 3, 1];

/// Where the credentials stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Good, or nobody knows when they end.
    Good,
    /// They end within this many days: 14, 7, 3 or 1.
    EndsSoon {
        /// The warning that is due.
        days: u8,
        /// In a sentence.
        reason: Reason,
    },
    /// They have ended: no request is sent.
    Ended(Reason),
}

/// Where the credentials stand at `now`.
pub fn standing(ends: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Standing {
    let Some(ends) = ends else { return Standing::Good };
    if now >= ends {
        return Standing::Ended(Reason::new(
            Rule::Ke2,
            format!(
                "the credentials ended on {}: renew them; nothing is sent until then",
                ends.format("%Y-%m-%d")
            ),
        ));
    }
    let left = ends - now;
    let due = WARNING_DAYS.into_iter().rev().find(|days| left <= chrono::TimeDelta::days(i64::from(*days)));
    match due {
        None => Standing::Good,
        Some(days) => Standing::EndsSoon {
            days,
            reason: Reason::new(
                Rule::Ke2,
                format!(
                    "the credentials end on {} ({days} days or less): renew them",
                    ends.format("%Y-%m-%d %H:%M UTC")
                ),
            ),
        },
    }
}

/// Whether a warning is due that was not given yet.
pub fn warn(days: u8, warned: Option<u8>) -> bool {
    warned.is_none_or(|given| days < given)
}
