//! The bucket of points (sheet section 3). It refills by the sandbox's clock.

use chrono::{DateTime, Utc};
use serde::Deserialize;

/// Size and restore rate of a bucket, in points and points per second.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BucketSize {
    /// Points when it is full.
    pub maximum: f64,
    /// Points that come back in a second.
    pub restore_rate: f64,
}

impl Default for BucketSize {
    /// Of a standard plan.
    fn default() -> Self {
        Self { maximum: 2000.0, restore_rate: 100.0 }
    }
}

/// What is left for one app and shop.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bucket {
    available: f64,
    at: DateTime<Utc>,
}

impl Bucket {
    pub(super) fn full(size: BucketSize, now: DateTime<Utc>) -> Self {
        Self { available: size.maximum, at: now }
    }

    /// What is in it now.
    pub(super) fn refilled(&mut self, size: BucketSize, now: DateTime<Utc>) -> f64 {
        let seconds = (now - self.at).num_milliseconds().max(0) as f64 / 1000.0;
        self.available = (self.available + seconds * size.restore_rate).min(size.maximum);
        self.at = now;
        self.available
    }

    pub(super) fn spend(&mut self, points: u64) {
        self.available = (self.available - points as f64).max(0.0);
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn a_bucket_refills_by_time_and_not_above_its_size() {
        let size = BucketSize { maximum: 1000.0, restore_rate: 50.0 };
        let start = DateTime::UNIX_EPOCH;
        let mut bucket = Bucket::full(size, start);
        bucket.spend(900);
        assert_eq!(bucket.refilled(size, start), 100.0);
        assert_eq!(bucket.refilled(size, start + TimeDelta::milliseconds(1500)), 175.0);
        assert_eq!(bucket.refilled(size, start + TimeDelta::hours(1)), 1000.0);
    }
}
