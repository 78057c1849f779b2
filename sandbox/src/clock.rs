//! The time of the sandbox: the system's by default, or one that a test sets.

use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};

use crate::lock;

/// A clock that all faces and the market share. Clones show the same time.
#[derive(Debug, Clone, Default)]
pub struct Clock(Arc<Mutex<Option<DateTime<Utc>>>>);

impl Clock {
    /// A clock that follows the system.
    pub fn system() -> Self {
        Self::default()
    }

    /// A clock that stands at `now` until it is moved.
    pub fn standing(now: DateTime<Utc>) -> Self {
        Self(Arc::new(Mutex::new(Some(now))))
    }

    /// The time now.
    pub fn now(&self) -> DateTime<Utc> {
        lock(&self.0).unwrap_or_else(Utc::now)
    }

    /// Makes the clock stand at `now`.
    pub fn set(&self, now: DateTime<Utc>) {
        *lock(&self.0) = Some(now);
    }

    /// Moves the clock on (or back). A clock that followed the system stands afterwards.
    pub fn advance(&self, by: TimeDelta) {
        let mut time = lock(&self.0);
        let now = time.unwrap_or_else(Utc::now);
        *time = Some(now.checked_add_signed(by).unwrap_or(now));
    }

    /// Follows the system again.
    pub fn follow_system(&self) {
        *lock(&self.0) = None;
    }
}
