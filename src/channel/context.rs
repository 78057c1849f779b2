//! What travels with each call: how long it may take, and the merchant's settings for this channel.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

/// Travels with each call.
#[derive(Debug, Clone, Default)]
pub struct Context {
    deadline: Option<Instant>,
    settings: Arc<BTreeMap<String, serde_json::Value>>,
}

impl Context {
    /// No deadline beyond the HTTP layer's own time-outs, no settings.
    pub fn new() -> Self {
        Self::default()
    }

    /// The call, its waiting and its repeats must end within `budget` from now (AH-3).
    pub fn with_budget(mut self, budget: Duration) -> Self {
        self.deadline = Instant::now().checked_add(budget);
        self
    }

    /// The values of the options that the channel describes itself.
    pub fn with_settings(mut self, settings: Arc<BTreeMap<String, serde_json::Value>>) -> Self {
        self.settings = settings;
        self
    }

    /// What is left of the budget; `None`: no budget was set.
    pub fn remaining(&self) -> Option<Duration> {
        self.deadline.map(|at| at.saturating_duration_since(Instant::now()))
    }

    /// The value of one of the channel's own options, if the merchant chose one.
    pub fn setting(&self, key: &str) -> Option<&serde_json::Value> {
        self.settings.get(key)
    }
}
