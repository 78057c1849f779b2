//! Cycles: one, all that are due, and for ever.

use std::future::Future;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::StreamExt;

use super::work::{Mode, Work};
use super::{Connected, CycleReport, End, Event, Hub};
use crate::channel::Operation;
use crate::error::{Error, Result};
use crate::model::AccountId;
use crate::policy::expiry::{self, Standing};
use crate::store::{AccountState, HealthLevel, IssueKey, OverlayStore, Store};

const HOUR: i64 = 3600;
/// An order sync that is behind by more than this is an issue (AH-1).
const STALE: TimeDelta = TimeDelta::hours(3);
/// How often the channel is asked when the credentials end.
const EXPIRY_EVERY: TimeDelta = TimeDelta::hours(23);
/// How often the loop looks for accounts that are due.
const TICK: Duration = Duration::from_secs(15);

impl Hub {
    /// Runs one cycle of an account now, whatever its schedule.
    ///
    /// Everything that goes wrong at the channel or the centre is in the report and in the account's health; nothing
    /// of it is lost.
    ///
    /// # Errors
    /// `NotFound`; `Busy` while another worker has the account; `Store`.
    pub async fn cycle(&self, id: &AccountId) -> Result<CycleReport> {
        let connected = self.connected(id)?;
        let _gate = connected.gate.lock().await;
        let mut work = Work::begin(&self.0, &connected, Arc::clone(&self.0.store), Mode::Real).await?;
        let result = cycle(&mut work).await;
        work.end(result).await
    }

    /// Says what a cycle would do now. It reads from the channel and the centre, and changes nothing: not there, and
    /// not in the store.
    ///
    /// # Errors
    /// As [`Hub::cycle`].
    pub async fn dry_run(&self, id: &AccountId) -> Result<CycleReport> {
        let connected = self.connected(id)?;
        let _gate = connected.gate.lock().await;
        let overlay: Arc<dyn Store> = Arc::new(OverlayStore::over(Arc::clone(&self.0.store), id.clone()));
        let mut work = Work::begin(&self.0, &connected, overlay, Mode::Dry).await?;
        let result = cycle(&mut work).await;
        work.end(result).await
    }

    /// Runs a cycle of every account that is due, a bounded number at once. One failing account never stops another:
    /// each has its own result.
    ///
    /// An account is due once an hour, at a minute that its id decides, so that not all run at once; at once when it
    /// never ran; and when the time is over until which it was parked.
    ///
    /// # Errors
    /// `Store` when the accounts' states can't be read.
    pub async fn run_due(&self) -> Result<Vec<(AccountId, Result<CycleReport>)>> {
        let now = self.0.clock.now();
        let states = self.0.store.states().await?;
        let state_of =
            |id: &AccountId| states.binary_search_by(|s| s.account.cmp(id)).ok().map(|n| &states[n]);
        let due: Vec<AccountId> =
            self.accounts().into_iter().filter(|id| is_due(id, state_of(id), now)).collect();
        Ok(self.cycles(due).await)
    }

    /// Runs a cycle of every connected account, due or not.
    pub async fn cycle_all(&self) -> Vec<(AccountId, Result<CycleReport>)> {
        self.cycles(self.accounts()).await
    }

    async fn cycles(&self, ids: Vec<AccountId>) -> Vec<(AccountId, Result<CycleReport>)> {
        futures_util::stream::iter(ids)
            .map(|id| async move {
                let result = self.cycle(&id).await;
                (id, result)
            })
            .buffer_unordered(self.0.settings.concurrency.max(1))
            .collect()
            .await
    }

    /// Runs due cycles until `stop` ends. Cycles that have begun are finished first.
    ///
    /// # Errors
    /// None ends the loop but `stop`: trouble with the store is logged, and tried again.
    pub async fn run(&self, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        loop {
            if let Err(error) = self.run_due().await {
                tracing::error!(%error, "the accounts' states can't be read; trying again");
            }
            tokio::select! {
                () = &mut stop => return,
                () = tokio::time::sleep(TICK) => {}
            }
        }
    }
}

/// Whether an account's cycle is due.
fn is_due(id: &AccountId, state: Option<&AccountState>, now: DateTime<Utc>) -> bool {
    let Some(state) = state else { return true };
    let Some(last) = state.last_cycle else { return true };
    match state.next_allowed {
        Some(until) if until > now => false,
        // It was parked in its last cycle: it goes on as soon as it may.
        Some(until) if last <= until => true,
        _ => last < slot(id, now),
    }
}

/// The newest time at or before `now` at which the account's hour begins.
fn slot(id: &AccountId, now: DateTime<Utc>) -> DateTime<Utc> {
    let mut hasher = DefaultHasher::new();
    id.as_str().hash(&mut hasher);
    let offset = i64::try_from(hasher.finish() % HOUR.unsigned_abs()).unwrap_or(0);
    let seconds = now.timestamp();
    let since = (seconds - offset).rem_euclid(HOUR);
    DateTime::from_timestamp(seconds - since, 0).unwrap_or(now)
}

/// The stages of a cycle.
async fn cycle(work: &mut Work<'_>) -> Result<()> {
    if !may_run(work).await? {
        return Ok(());
    }
    work.state.last_cycle = Some(work.report.started_at);
    // What was just learnt may end it here.
    if read_expiry(work).await && !may_run(work).await? {
        return Ok(());
    }
    let reread = work.reread_open().await;
    work.stage(reread)?;
    if work.options.order_sync() {
        let fetched = work.fetch_new().await;
        work.stage(fetched)?;
        note_staleness(work);
    }
    after_fetch(work).await
}

/// What follows the fetching, in cycles and manual runs.
pub(super) async fn after_fetch(work: &mut Work<'_>) -> Result<()> {
    let acted = work.act_on_open().await;
    work.stage(acted)?;
    let collected = work.collect_shipments().await;
    work.stage(collected)?;
    let dispatched = work.dispatch_open().await;
    work.stage(dispatched)?;
    let told = work.tell_centre().await;
    work.stage(told)?;
    let stocked = work.sync_stock().await;
    work.stage(stocked)?;
    let followed = work.follow().await;
    work.stage(followed)
}

/// Whether anything may be sent: the account is not parked, and its credentials have not ended (KE-2). An account
/// that the channel had refused is probed by a harmless read, and resumes when that works (AH-2).
pub(super) async fn may_run(work: &mut Work<'_>) -> Result<bool> {
    let now = work.report.started_at;
    if let Some(until) = work.state.next_allowed.filter(|until| *until > now) {
        work.report.end = End::Parked(until);
        return Ok(false);
    }
    work.state.next_allowed = None;
    let ends = credentials_end(work.connected, &work.state, &work.options);
    match expiry::standing(ends, now) {
        Standing::Ended(reason) => {
            let advice = "enter the renewed credentials; the next cycle then takes everything since";
            work.cure(&IssueKey::CredentialsEndSoon);
            work.raise(IssueKey::Credentials, HealthLevel::Paused, &reason.to_string(), advice);
            work.report.end = End::Paused;
            work.report.error = Some(
                Error::new(crate::ErrorKind::CredentialExpired)
                    .for_account(&work.connected.account.id)
                    .with_message(&reason.text),
            );
            return Ok(false);
        }
        Standing::EndsSoon { days, reason } => {
            if expiry::warn(days, work.state.warned_days) {
                work.state.warned_days = Some(days);
                work.emit(&Event::CredentialsEndSoon { reason: reason.clone() });
            }
            let advice = "renew them at the channel and enter the new ones";
            work.raise(IssueKey::CredentialsEndSoon, HealthLevel::Degraded, &reason.to_string(), advice);
        }
        Standing::Good => {
            work.state.warned_days = None;
            work.cure(&IssueKey::CredentialsEndSoon);
        }
    }
    if work.state.health.issues.contains_key(&IssueKey::Credentials) {
        let cx = work.context();
        work.channel().test(&cx).await.map_err(|e| work.placed(e, Operation::TestConnection))?;
        work.cure(&IssueKey::Credentials);
        work.report.end = End::Complete;
    }
    Ok(true)
}

/// Asks the channel once a day when the credentials end, where it has an API for that (KE-1). That it does not answer
/// stops nothing. Whether it did is answered.
async fn read_expiry(work: &mut Work<'_>) -> bool {
    let now = work.report.started_at;
    let asked = work.state.credentials_read.is_some_and(|at| now - at < EXPIRY_EVERY && at <= now);
    let Some(renewal) = work.channel().credentials().filter(|_| !asked) else { return false };
    let cx = work.context();
    let Ok(Some(ends)) = renewal.expiry(&cx).await else { return false };
    work.state.credentials_end = Some(ends);
    work.state.credentials_read = Some(now);
    true
}

/// When the credentials end: what the channel said, where it says it; else the later of what the merchant entered and
/// what came with a renewal (KE-1).
fn credentials_end(
    connected: &Connected,
    state: &AccountState,
    options: &crate::options::EffectiveOptions,
) -> Option<DateTime<Utc>> {
    connected.account.channel.credentials()?;
    if state.credentials_read.is_some() {
        return state.credentials_end;
    }
    options.credentials_end().max(state.credentials_end)
}

fn note_staleness(work: &mut Work<'_>) {
    let through = work.state.cursor.through;
    let behind = through.is_some_and(|through| work.report.started_at - through > STALE);
    if behind {
        let since = through.map_or_else(String::new, |t| t.format("%Y-%m-%d %H:%M UTC").to_string());
        work.raise(
            IssueKey::StaleCursor,
            HealthLevel::Degraded,
            &format!("orders are taken up to {since} only"),
            "raise max_orders_per_cycle, or look at the other issues of this account",
        );
    } else {
        work.cure(&IssueKey::StaleCursor);
    }
}
