//! Running behaviours, and what came of them.

use std::fmt::Write;
use std::future::Future;
use std::sync::Arc;

use futures_util::future::LocalBoxFuture;

use super::{Checked, Harness, Kit, Stop};

/// A behaviour of the suite.
#[derive(Clone, Copy)]
pub struct Behaviour {
    /// Its name: what it proves.
    pub name: &'static str,
    /// Its module.
    pub area: &'static str,
    /// Proves it.
    pub run: for<'a> fn(&'a Kit) -> LocalBoxFuture<'a, Checked>,
}

impl std::fmt::Debug for Behaviour {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}::{}", self.area, self.name)
    }
}

/// All behaviours.
pub const ALL: &[Behaviour] = crate::__conformance_behaviours!(__conformance_table);

/// What became of a behaviour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The adapter does it.
    Passed,
    /// The channel has no such thing, or the harness can't arrange it, and why.
    NotApplicable(String),
    /// The adapter is excused, and why.
    Excused(&'static str),
    /// It does not, and what it does instead.
    Failed(String),
}

impl Behaviour {
    /// The behaviour of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        ALL.iter().find(|behaviour| behaviour.name == name)
    }

    /// Proves it on a fresh harness.
    pub async fn verdict(&self, harness: Arc<dyn Harness>) -> Verdict {
        let excused = harness.excuses().iter().find(|(name, _)| *name == self.name);
        if let Some((_, reason)) = excused {
            return Verdict::Excused(reason);
        }
        match (self.run)(&Kit::new(harness)).await {
            Ok(()) => Verdict::Passed,
            Err(Stop::NotApplicable(why)) => Verdict::NotApplicable(why),
            Err(Stop::Failed(why)) => Verdict::Failed(why),
        }
    }
}

/// Runs one behaviour as a test.
///
/// # Panics
/// When the behaviour fails or has no such name: that is how tests fail.
pub async fn check(name: &str, harness: impl Harness + 'static) {
    let verdict = match Behaviour::named(name) {
        Some(behaviour) => behaviour.verdict(Arc::new(harness)).await,
        None => Verdict::Failed("the suite has no such behaviour".to_owned()),
    };
    say(name, &verdict);
}

// A test says what it did on standard output, and fails by a panic.
#[allow(clippy::panic, clippy::print_stdout)]
fn say(name: &str, verdict: &Verdict) {
    match verdict {
        Verdict::Passed => {}
        Verdict::NotApplicable(why) => println!("not applicable: {name}: {why}"),
        Verdict::Excused(why) => println!("excused: {name}: {why}"),
        Verdict::Failed(why) => panic!("{name}: {why}"),
    }
}

/// What became of all behaviours.
#[derive(Debug, Clone)]
pub struct Report {
    /// Each with its verdict.
    pub verdicts: Vec<(&'static Behaviour, Verdict)>,
    /// The excuses, those from single rungs included.
    pub excuses: Vec<super::Excuse>,
}

impl Report {
    /// How many passed.
    pub fn passed(&self) -> usize {
        self.verdicts.iter().filter(|(_, verdict)| *verdict == Verdict::Passed).count()
    }

    /// Those that failed.
    pub fn failed(&self) -> Vec<String> {
        let failed = |(behaviour, verdict): &(&Behaviour, Verdict)| match verdict {
            Verdict::Failed(why) => Some(format!("{}: {why}", behaviour.name)),
            _ => None,
        };
        self.verdicts.iter().filter_map(failed).collect()
    }

    /// Excuses that excuse nothing: no behaviour has this name.
    pub fn idle_excuses(&self) -> Vec<&'static str> {
        let known = |name: &str| Behaviour::named(name.split('/').next().unwrap_or(name)).is_some();
        self.excuses.iter().map(|(name, _)| *name).filter(|name| !known(name)).collect()
    }

    /// As text: how many passed, then what did not apply and why, then the excuses.
    pub fn text(&self) -> String {
        let count = |wanted: fn(&Verdict) -> bool| self.verdicts.iter().filter(|(_, v)| wanted(v)).count();
        let mut text = format!(
            "{} passed, {} not applicable, {} excused, {} failed, of {}\n",
            self.passed(),
            count(|v| matches!(v, Verdict::NotApplicable(_))),
            count(|v| matches!(v, Verdict::Excused(_))),
            count(|v| matches!(v, Verdict::Failed(_))),
            self.verdicts.len()
        );
        for (behaviour, verdict) in &self.verdicts {
            let _ = match verdict {
                Verdict::Passed => Ok(()),
                Verdict::NotApplicable(why) => writeln!(text, "not applicable: {behaviour:?}: {why}"),
                Verdict::Excused(why) => writeln!(text, "excused: {behaviour:?}: {why}"),
                Verdict::Failed(why) => writeln!(text, "FAILED: {behaviour:?}: {why}"),
            };
        }
        for (name, why) in self.excuses.iter().filter(|(name, _)| name.contains('/')) {
            let _ = writeln!(text, "excused from a rung: {name}: {why}");
        }
        text
    }
}

/// Runs all behaviours, each on a fresh harness.
pub async fn report<H, F>(mut fresh: impl FnMut() -> F) -> Report
where
    H: Harness + 'static,
    F: Future<Output = H>,
{
    let mut verdicts = Vec::new();
    let mut excuses = Vec::new();
    for behaviour in ALL {
        let harness = fresh().await;
        if verdicts.is_empty() {
            excuses = harness.excuses().to_vec();
        }
        verdicts.push((behaviour, behaviour.verdict(Arc::new(harness)).await));
    }
    Report { verdicts, excuses }
}

/// Runs all behaviours as one test, prints what came of them, and answers with it.
///
/// # Panics
/// When fewer than `least` passed, when none was run, when one failed, when an excuse excuses nothing.
// A test says what it did on standard output, and fails by a panic.
#[allow(clippy::panic, clippy::print_stdout)]
pub async fn at_least<H, F>(least: usize, fresh: impl FnMut() -> F) -> Report
where
    H: Harness + 'static,
    F: Future<Output = H>,
{
    let report = report(fresh).await;
    println!("{}", report.text());
    let wrong = report.failed().first().cloned();
    if let Some(why) =
        wrong.or_else(|| report.idle_excuses().first().map(|e| format!("no behaviour is called {e}")))
    {
        panic!("{why}");
    }
    let passed = report.passed();
    if passed < least.max(1) {
        panic!("{passed} behaviours passed, fewer than {least}: what kept the others from applying?");
    }
    report
}

/// Runs a future on one thread, with timers and network.
///
/// # Panics
/// When no runtime can be built: a test can't go on then.
// A test that can't run must not pass.
#[allow(clippy::panic)]
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(future),
        Err(error) => panic!("no runtime: {error}"),
    }
}
