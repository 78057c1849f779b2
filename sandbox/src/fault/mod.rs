//! Faults: what goes wrong between a client and an API. They know no face.

mod answer;

use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};

pub(crate) use answer::{in_place_of, on_answer};

use crate::lock;

/// When a fault strikes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Moment {
    /// In place of the API: nothing is done.
    #[default]
    BeforeHandling,
    /// After the API did what was asked: only its answer is lost.
    AfterHandling,
}

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Effect {
    /// The request waits, then all goes on as usual. It is carried out also when the client has given up.
    Delay {
        /// Milliseconds.
        millis: u64,
    },
    /// An HTTP status: 502 to 504 with a gateway's HTML page, others with a short JSON text.
    Status {
        /// The status, 200 to 599.
        status: u16,
        /// Seconds in a Retry-After header.
        #[serde(default)]
        retry_after: Option<u32>,
    },
    /// 200 with an HTML page, as a maintenance page or a login form.
    Html,
    /// 200 with an empty body.
    Empty,
    /// 200 with bytes that are no text.
    Garbage,
    /// 200 with a body of so many bytes.
    Huge {
        /// Bytes.
        bytes: u64,
        /// Whether Content-Length says so before.
        #[serde(default)]
        announced: bool,
    },
    /// The connection is closed without an answer.
    Cut,
    /// The API's answer breaks off halfway; Content-Length promised all of it. Always after handling.
    Truncated,
    /// The API's answer comes in pieces with pauses. Always after handling.
    Slow {
        /// Pieces; at least 1.
        pieces: u32,
        /// Milliseconds before each.
        pause_millis: u64,
    },
}

/// An effect with its moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// What happens.
    #[serde(flatten)]
    pub effect: Effect,
    /// When.
    #[serde(default)]
    pub moment: Moment,
}

impl Fault {
    /// This effect in place of the API.
    pub const fn new(effect: Effect) -> Self {
        Self { effect, moment: Moment::BeforeHandling }
    }

    /// The same after the API did what was asked.
    #[must_use]
    pub const fn after_handling(self) -> Self {
        Self { moment: Moment::AfterHandling, ..self }
    }

    /// A wait.
    pub const fn delay(millis: u64) -> Self {
        Self::new(Effect::Delay { millis })
    }

    /// An HTTP status.
    pub const fn status(status: u16) -> Self {
        Self::new(Effect::Status { status, retry_after: None })
    }

    /// An HTTP status with a Retry-After header.
    pub const fn status_with_retry_after(status: u16, seconds: u32) -> Self {
        Self::new(Effect::Status { status, retry_after: Some(seconds) })
    }

    /// The connection is closed and nothing was done.
    pub const fn cut() -> Self {
        Self::new(Effect::Cut)
    }

    /// The change is made, then the connection is closed without an answer.
    pub const fn response_lost() -> Self {
        Self::cut().after_handling()
    }

    /// Whether the API gets to see the request.
    pub(crate) fn lets_through(&self) -> bool {
        let needs_answer =
            matches!(self.effect, Effect::Delay { .. } | Effect::Truncated | Effect::Slow { .. });
        needs_answer || self.moment == Moment::AfterHandling
    }
}

/// How often a rule strikes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Times {
    /// The next so many requests that match.
    Next(u32),
    /// Each request that matches, with this probability, from a seed.
    Chance {
        /// From 0 to 1.
        probability: f64,
        /// The same seed gives the same sequence.
        seed: u64,
    },
}

/// Which requests meet a fault.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRule {
    /// The face; all faces when absent.
    #[serde(default)]
    pub face: Option<String>,
    /// The operation, as the face names it; all operations when absent.
    #[serde(default)]
    pub operation: Option<String>,
    /// Lets so many matching requests pass first.
    #[serde(default)]
    pub after: u32,
    /// How often.
    pub times: Times,
    /// What happens.
    pub fault: Fault,
}

/// A rule that can't be carried out, with the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRule(String);

impl std::fmt::Display for BadRule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "no such fault: {}", self.0)
    }
}

impl std::error::Error for BadRule {}

impl FaultRule {
    fn check(&self) -> Result<(), BadRule> {
        if let Effect::Status { status, .. } = self.fault.effect
            && !(200..=599).contains(&status)
        {
            return Err(BadRule(format!("status {status} is not in 200 to 599")));
        }
        if let Times::Chance { probability, .. } = self.times
            && !(0.0..=1.0).contains(&probability)
        {
            return Err(BadRule(format!("probability {probability} is not in 0 to 1")));
        }
        Ok(())
    }

    fn matches(&self, face: &str, operation: &str) -> bool {
        self.face.as_deref().is_none_or(|f| f == face)
            && self.operation.as_deref().is_none_or(|o| o == operation)
    }
}

/// The rules in force. The first that strikes wins; a request meets at most one fault. Clones are the same rules.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Mutex<Vec<Armed>>>);

#[derive(Debug)]
struct Armed {
    rule: FaultRule,
    random: fastrand::Rng,
}

impl Faults {
    /// Adds a rule behind those in force.
    ///
    /// # Errors
    /// [`BadRule`] for a status or a probability out of range.
    pub fn add(&self, rule: FaultRule) -> Result<(), BadRule> {
        rule.check()?;
        self.arm(rule);
        Ok(())
    }

    /// The next `requests` to a face meet a fault.
    pub fn next(&self, face: &str, requests: u32, fault: Fault) {
        let times = Times::Next(requests);
        self.arm(FaultRule { face: Some(face.to_owned()), operation: None, after: 0, times, fault });
    }

    /// The next `requests` for one operation of a face meet a fault.
    pub fn next_of(&self, face: &str, operation: &str, requests: u32, fault: Fault) {
        let (face, operation) = (Some(face.to_owned()), Some(operation.to_owned()));
        self.arm(FaultRule { face, operation, after: 0, times: Times::Next(requests), fault });
    }

    /// The rules that can still strike.
    pub fn rules(&self) -> Vec<FaultRule> {
        lock(&self.0).iter().map(|armed| armed.rule.clone()).collect()
    }

    /// Ends all faults.
    pub fn clear(&self) {
        lock(&self.0).clear();
    }

    fn arm(&self, rule: FaultRule) {
        let seed = match rule.times {
            Times::Chance { seed, .. } => seed,
            Times::Next(_) => 0,
        };
        lock(&self.0).push(Armed { rule, random: fastrand::Rng::with_seed(seed) });
    }

    /// The fault that the next request meets, if any. Uses it up.
    pub(crate) fn strike(&self, face: &str, operation: &str) -> Option<Fault> {
        let mut armed = lock(&self.0);
        let mut struck = None;
        for Armed { rule, random } in armed.iter_mut().filter(|armed| armed.rule.matches(face, operation)) {
            if rule.after > 0 {
                rule.after -= 1;
                continue;
            }
            let strikes = match &mut rule.times {
                Times::Next(left) => {
                    let strikes = *left > 0;
                    *left = left.saturating_sub(1);
                    strikes
                }
                Times::Chance { probability, .. } => random.f64() < *probability,
            };
            if strikes {
                struck = Some(rule.fault);
                break;
            }
        }
        armed.retain(|armed| armed.rule.times != Times::Next(0));
        struck
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_strikes_so_many_times_after_letting_some_pass() {
        let faults = Faults::default();
        let rule = FaultRule {
            face: Some("a".into()),
            operation: None,
            after: 1,
            times: Times::Next(2),
            fault: Fault::cut(),
        };
        faults.add(rule).unwrap();
        assert_eq!(faults.strike("b", "x"), None);
        let struck: Vec<bool> = (0..4).map(|_| faults.strike("a", "x").is_some()).collect();
        assert_eq!(struck, [false, true, true, false]);
        assert!(faults.rules().is_empty());
    }

    #[test]
    fn a_seed_repeats_its_faults() {
        let run = |seed| {
            let faults = Faults::default();
            let times = Times::Chance { probability: 0.5, seed };
            faults
                .add(FaultRule { face: None, operation: None, after: 0, times, fault: Fault::cut() })
                .unwrap();
            (0..64).map(|_| faults.strike("a", "x").is_some()).collect::<Vec<_>>()
        };
        assert_eq!(run(7), run(7));
        assert_ne!(run(7), run(8));
        assert!(run(7).contains(&true) && run(7).contains(&false));
    }

    #[test]
    fn impossible_rules_are_refused() {
        let rule = |fault, times| FaultRule { face: None, operation: None, after: 0, times, fault };
        let faults = Faults::default();
        assert!(faults.add(rule(Fault::status(99), Times::Next(1))).is_err());
        assert!(faults.add(rule(Fault::cut(), Times::Chance { probability: 1.5, seed: 0 })).is_err());
    }
}
