//! How long an account waits that has used up its calls of the day.

use std::time::Duration;

use chrono::{DateTime, Days, Utc};
use chrono_tz::Asia::Tokyo;

use crate::model::start_of_day;

/// Longest wait: the same answer comes for a Client ID that is not known, which a person may have put right meanwhile.
const LONGEST: Duration = Duration::from_secs(3 * 3600);

/// Until the channel counts anew, at midnight in Japan, but no longer than three hours.
pub(super) fn until_tomorrow(now: DateTime<Utc>) -> Duration {
    let today = now.with_timezone(&Tokyo).date_naive();
    let midnight = today.checked_add_days(Days::new(1)).map(|day| start_of_day(day, Tokyo));
    midnight.and_then(|at| (at - now).to_std().ok()).map_or(LONGEST, |wait| wait.min(LONGEST))
}
