//! The retry budget: repeats are at most about a fifth of the traffic, so that trouble is not made worse.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// What each first attempt adds.
const PER_CALL: f64 = 0.2;
/// What small traffic starts with, and the most that is saved up.
const MOST: f64 = 10.0;

/// Budgets by host.
#[derive(Debug, Default)]
pub(super) struct RetryBudget(Mutex<HashMap<String, f64>>);

impl RetryBudget {
    /// Counts a first attempt.
    pub(super) fn earn(&self, host: &str) {
        self.change(host, |left| Some((left + PER_CALL).min(MOST)));
    }

    /// Whether one more repeat may be made; it is counted.
    pub(super) fn spend(&self, host: &str) -> bool {
        self.change(host, |left| (left >= 1.0).then_some(left - 1.0))
    }

    fn change(&self, host: &str, next: impl FnOnce(f64) -> Option<f64>) -> bool {
        let mut budgets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let left = budgets.get(host).copied().unwrap_or(MOST);
        match next(left) {
            Some(left) => {
                budgets.insert(host.to_owned(), left);
                true
            }
            None => false,
        }
    }
}
