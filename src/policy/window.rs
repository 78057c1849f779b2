//! Which spans of time a cycle fetches, and how far the sync is afterwards.
//!
//! A window is closed only when the channel has said that there is no more and nothing of it was left over. Until
//! then it is fetched again from its beginning: page cursors are never stored, because the pages of most channels
//! shift while orders change underneath. What was linked is recognised by its id (OS-4, OS-6). Windows in which the
//! cap was hit are halved, so that a large backlog is not fetched again as a whole.

use chrono::{DateTime, Days, TimeDelta, Timelike, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::{Reason, Rule};
use crate::model::{Window, start_of_day};

/// Smallest window that halving leaves.
pub const MIN_CHUNK: TimeDelta = TimeDelta::minutes(1);
/// Up to this hour of the schedule's day, cycles also take what the day before left (OS-5).
const NIGHT_ENDS: u32 = 4;
/// A finished sweep that began before this much of the day had passed is not the night's last: where no later one was
/// finished (a cycle failed, nothing ran at night), the first cycle of the day sweeps once more (OS-6).
const LAST_NIGHT_HOUR: TimeDelta = TimeDelta::hours(3);
/// How far the clock may step back before what was closed meanwhile is fetched again.
const CLOCK_TOLERANCE: TimeDelta = TimeDelta::minutes(5);

/// How far the order sync of an account is. Stored with the orders it brought, in one transaction.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct SyncCursor {
    /// Automatic cycles take nothing before this (OS-2); `None` before the first cycle.
    pub since: Option<DateTime<Utc>>,
    /// Everything before this was taken.
    pub through: Option<DateTime<Utc>>,
    /// What is left of the sweep of a past day (OS-5).
    pub sweep: Option<Window>,
    /// When the sweep under way began; after its end, when the last finished one began.
    pub swept: Option<DateTime<Utc>>,
    /// Span of one window in seconds; `None`: as long as the channel allows.
    pub chunk_seconds: Option<i64>,
}

/// Why a window is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Pass {
    /// The day before (OS-5).
    Sweep,
    /// What is new.
    New,
}

/// What a cycle fetches, window by window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The cursor; store it after each closed window.
    pub cursor: SyncCursor,
    new: Window,
    max_window: TimeDelta,
    clock_went_back: bool,
}

/// A window to fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// The span.
    pub window: Window,
    /// Why.
    pub pass: Pass,
}

impl Step {
    /// Why this window is fetched.
    pub fn reason(&self) -> Reason {
        match self.pass {
            Pass::Sweep => Reason::new(Rule::Os5, "what the day before left behind is taken first"),
            Pass::New => Reason::new(Rule::Os1, "orders since the last closed window, with an overlap"),
        }
    }
}

/// Begins a cycle at `now`.
///
/// The first cycle starts at midnight in the schedule's zone (OS-2). Between 00:00 and 04:00 the whole day before is
/// swept again (OS-5), but never anything from before the account's first day. A sweep that was not finished by
/// 04:00 goes on until it is, and a night without a finished last sweep is made up for by day (OS-6).
pub fn begin(
    mut cursor: SyncCursor,
    now: DateTime<Utc>,
    zone: Tz,
    lookback: TimeDelta,
    max_window: TimeDelta,
) -> Run {
    let local = now.with_timezone(&zone);
    let today = start_of_day(local.date_naive(), zone);
    let mut clock_went_back = false;

    let since = *cursor.since.get_or_insert(today);
    let through = *cursor.through.get_or_insert(since);
    if through > now + CLOCK_TOLERANCE {
        // The windows after `now` were closed by a clock that ran ahead, before their orders existed.
        clock_went_back = true;
        cursor.through = Some(today);
        cursor.since = Some(since.min(today));
    }
    let since = cursor.since.unwrap_or(today);
    let through = cursor.through.unwrap_or(today);

    let is_night = local.hour() < NIGHT_ENDS;
    let missed = cursor.sweep.is_none() && cursor.swept.is_none_or(|began| began < today + LAST_NIGHT_HOUR);
    if is_night || missed {
        let yesterday = local.date_naive().checked_sub_days(Days::new(1)).unwrap_or(local.date_naive());
        let from = start_of_day(yesterday, zone).max(since);
        let from = cursor.sweep.map_or(from, |unfinished| unfinished.from.min(from));
        let sweep = Window::new(from, today);
        cursor.sweep = (!sweep.is_empty()).then_some(sweep);
        cursor.swept = Some(now);
    }
    // Orders of before the first day are not taken, not even by the overlap.
    let from = through.checked_sub_signed(lookback).unwrap_or(through).max(since);
    let max_window = max_window.max(MIN_CHUNK);
    Run { cursor, new: Window::new(from, now), max_window, clock_went_back }
}

impl Run {
    /// The next window to fetch; `None`: the cycle has everything.
    pub fn next(&self) -> Option<Step> {
        let (rest, pass) = match self.cursor.sweep {
            Some(sweep) => (sweep, Pass::Sweep),
            None => (self.new, Pass::New),
        };
        if rest.is_empty() {
            return None;
        }
        let to = rest.from.checked_add_signed(self.chunk()).unwrap_or(rest.to).min(rest.to);
        Some(Step { window: Window::new(rest.from, to), pass })
    }

    /// The window was fetched to its end and nothing of it was left over.
    pub fn close(&mut self, step: &Step) {
        match step.pass {
            Pass::Sweep => {
                if let Some(sweep) = &mut self.cursor.sweep {
                    sweep.from = step.window.to;
                    if sweep.is_empty() {
                        self.cursor.sweep = None;
                    }
                }
            }
            Pass::New => {
                self.new.from = step.window.to;
                self.cursor.through = self.cursor.through.max(Some(step.window.to));
            }
        }
        let doubled = self.chunk().checked_mul(2).filter(|span| *span < self.max_window);
        self.cursor.chunk_seconds = doubled.map(|span| span.num_seconds());
    }

    /// The cap was hit inside the window: the next cycle fetches a smaller one (OS-4).
    pub fn leave_open(&mut self, step: &Step) {
        let half = (step.window.to - step.window.from) / 2;
        self.cursor.chunk_seconds = Some(half.max(MIN_CHUNK).num_seconds());
    }

    /// Whether the clock was found to have run ahead: today is fetched again.
    pub fn clock_went_back(&self) -> bool {
        self.clock_went_back
    }

    fn chunk(&self) -> TimeDelta {
        self.cursor
            .chunk_seconds
            .and_then(TimeDelta::try_seconds)
            .unwrap_or(self.max_window)
            .clamp(MIN_CHUNK, self.max_window)
    }
}

/// The windows of a manual run over a span (OS-8). The automatic cursor is not involved.
pub fn manual(span: Window, max_window: TimeDelta) -> impl Iterator<Item = Window> {
    let step = max_window.max(MIN_CHUNK);
    let mut from = span.from;
    std::iter::from_fn(move || {
        if from >= span.to {
            return None;
        }
        let to = from.checked_add_signed(step).unwrap_or(span.to).min(span.to);
        let window = Window::new(from, to);
        from = to;
        Some(window)
    })
}
