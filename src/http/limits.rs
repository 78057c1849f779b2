//! Rate limits of one account, kept before the channel has to.

use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use governor::clock::{Clock, Reference};
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{NotUntil, Quota, RateLimiter};
use tokio::time::Instant;

use crate::channel::{Limit, Operation};

/// tokio's time, so that a paused clock pauses the limits too.
#[derive(Debug, Clone, Default)]
struct TokioClock;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Tick(Instant);

impl Reference for Tick {
    fn duration_since(&self, earlier: Self) -> Nanos {
        self.0.saturating_duration_since(earlier.0).into()
    }

    fn saturating_sub(&self, duration: Nanos) -> Self {
        self.0.checked_sub(duration.into()).map_or(*self, Self)
    }
}

impl std::ops::Add<Nanos> for Tick {
    type Output = Self;

    fn add(self, duration: Nanos) -> Self {
        Self(self.0 + Duration::from(duration))
    }
}

impl Clock for TokioClock {
    type Instant = Tick;

    fn now(&self) -> Tick {
        Tick(Instant::now())
    }
}

type Limiter = RateLimiter<NotKeyed, InMemoryState, TokioClock, NoOpMiddleware<Tick>>;

#[derive(Debug)]
struct Bucket {
    limit: Limit,
    limiter: Limiter,
}

/// A limit as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitState {
    /// The limit.
    pub limit: Limit,
}

/// The limits of one account.
#[derive(Debug)]
pub(super) struct Limits {
    buckets: Vec<Bucket>,
    held_until: Mutex<Option<Instant>>,
}

impl Limits {
    pub(super) fn new(limits: &[Limit]) -> Self {
        let buckets = limits
            .iter()
            .filter_map(|limit| Some(Bucket { limit: *limit, limiter: limiter(limit)? }))
            .collect();
        Self { buckets, held_until: Mutex::new(None) }
    }

    pub(super) fn hold(&self, wait: Duration) {
        let until = Instant::now().checked_add(wait);
        let mut held = self.held_until.lock().unwrap_or_else(PoisonError::into_inner);
        *held = (*held).max(until);
    }

    fn held(&self) -> Option<Duration> {
        let held = *self.held_until.lock().unwrap_or_else(PoisonError::into_inner);
        held.map(|until| until.saturating_duration_since(Instant::now())).filter(|wait| !wait.is_zero())
    }

    /// How long until this operation may be sent; `None`: it may now, and is counted.
    pub(super) fn take(&self, operation: Operation) -> Option<Duration> {
        if let Some(wait) = self.held() {
            return Some(wait);
        }
        for bucket in self.buckets.iter().filter(|bucket| concerns(&bucket.limit, operation)) {
            if let Err(until) = bucket.limiter.check() {
                return Some(wait(&until));
            }
        }
        None
    }

    pub(super) fn states(&self) -> Vec<LimitState> {
        self.buckets.iter().map(|bucket| LimitState { limit: bucket.limit }).collect()
    }
}

fn wait(until: &NotUntil<Tick>) -> Duration {
    until.wait_time_from(TokioClock.now())
}

fn concerns(limit: &Limit, operation: Operation) -> bool {
    limit.operations.is_empty() || limit.operations.contains(&operation)
}

/// Calls are spread evenly over the period, with no burst: channels count in windows of their own, and a burst at
/// the border of two would be too many for one of them. `None` for a limit of no calls or no time.
fn limiter(limit: &Limit) -> Option<Limiter> {
    let calls = NonZeroU32::new(limit.calls)?;
    let quota = Quota::with_period(limit.per.checked_div(calls.get())?)?;
    Some(RateLimiter::direct_with_clock(quota, TokioClock))
}
