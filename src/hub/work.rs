//! One run on one account: what its stages share.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::event::trace;
use super::{Connected, CycleReport, End, Event, Inner, What};
use crate::channel::{Channel, Context, Operation, Outcome};
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::model::{Fulfilment, LinkState, ListingKey, ListingLink, Order, OrderId, OrderRecord, Sku};
use crate::options::EffectiveOptions;
use crate::policy::{Reason, fulfilment};
use crate::store::{AccountState, Commit, HealthLevel, Issue, IssueKey, Lease, Store};

/// Where a rate limit gives no time, the account waits this long.
const PARK: TimeDelta = TimeDelta::minutes(1);

/// Whether a run changes anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// It does.
    Real,
    /// It only says what it would do. Its store is an overlay.
    Dry,
}

/// One run on one account.
pub(super) struct Work<'a> {
    pub(super) hub: &'a Inner,
    pub(super) connected: &'a Connected,
    pub(super) options: Arc<EffectiveOptions>,
    pub(super) store: Arc<dyn Store>,
    pub(super) mode: Mode,
    pub(super) state: AccountState,
    pub(super) report: CycleReport,
    lease: Lease,
    leased_at: DateTime<Utc>,
    /// The issues as the store knows them.
    stored_issues: BTreeMap<IssueKey, Issue>,
    /// Orders that could not be read in this run: nothing is done to them (OS-10).
    pub(super) unread: BTreeSet<OrderId>,
    /// What went wrong in this run.
    pub(super) raised: BTreeSet<IssueKey>,
    /// The re-read ended early: nothing is done to orders that were linked before this run.
    pub(super) reread_failed: bool,
}

impl<'a> Work<'a> {
    pub(super) async fn begin(
        hub: &'a Inner,
        connected: &'a Connected,
        store: Arc<dyn Store>,
        mode: Mode,
    ) -> Result<Self> {
        let id = &connected.account.id;
        let now = hub.clock.now();
        let lease = store.acquire(id, &hub.owner, now, hub.settings.lease).await?;
        let state = match store.state(id).await {
            Ok(state) => state.unwrap_or_else(|| AccountState::new(id.clone())),
            Err(error) => {
                let _ = store.release(&lease).await;
                return Err(error);
            }
        };
        let work = Self {
            hub,
            connected,
            stored_issues: state.health.issues.clone(),
            options: connected.options(),
            store,
            mode,
            state,
            report: CycleReport::new(id.clone(), now, mode == Mode::Dry),
            lease,
            leased_at: now,
            unread: BTreeSet::new(),
            raised: BTreeSet::new(),
            reread_failed: false,
        };
        work.emit(&Event::Started);
        Ok(work)
    }

    /// Stores the state, gives the account back, and reports. `result` is how the run went.
    pub(super) async fn end(mut self, result: Result<()>) -> Result<CycleReport> {
        let mut failure = None;
        if let Err(error) = result {
            self.note(&error);
            match self.report.end {
                End::Complete => self.report.end = End::Failed,
                End::Failed | End::Parked(_) | End::Paused => {}
            }
            if matches!(error.kind(), ErrorKind::Store | ErrorKind::Busy) {
                failure = Some(error);
            }
        }
        let stored = self.commit(Commit::default().with_state(self.state.clone())).await;
        let released = self.store.release(&self.lease).await;
        self.report.ended_at = self.now();
        self.report.health = self.state.health.level();
        self.emit(&Event::Ended { report: Box::new(self.report.clone()) });
        match failure {
            Some(error) => Err(error),
            None => stored.and(released).map(|()| self.report),
        }
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.hub.clock.now()
    }

    pub(super) fn channel(&self) -> &'a dyn Channel {
        self.connected.account.channel.as_ref()
    }

    pub(super) fn context(&self) -> Context {
        Context::new().with_budget(self.hub.settings.call_budget).with_settings(self.options.settings())
    }

    pub(super) fn dry(&self) -> bool {
        self.mode == Mode::Dry
    }

    pub(super) fn emit(&self, event: &Event) {
        let account = &self.connected.account.id;
        trace(account, event);
        if let Some(observer) = &self.hub.observer {
            observer.on_event(account, event);
        }
    }

    /// Writes all of it or nothing, under a lease that is still ours.
    pub(super) async fn commit(&mut self, mut commit: Commit) -> Result<()> {
        if commit.is_empty() {
            return Ok(());
        }
        // An issue goes with the work that raised or cured it: after a crash nothing may be left to cure it by.
        if commit.state.is_none() && self.state.health.issues != self.stored_issues {
            commit.state = Some(self.state.clone());
        }
        let issues = commit.state.as_ref().map(|state| state.health.issues.clone());
        let now = self.now();
        if now - self.leased_at > self.hub.settings.lease / 3 {
            let hub = self.hub;
            self.lease = self.store.acquire(&self.lease.account, &hub.owner, now, hub.settings.lease).await?;
            self.leased_at = now;
        }
        self.store.commit(&self.lease, commit).await?;
        if let Some(issues) = issues {
            self.stored_issues = issues;
        }
        Ok(())
    }

    /// Notes a step about an order that was done. In a dry run: that would be.
    pub(super) fn did(&mut self, order: &OrderId, operation: Operation, reason: &Reason) {
        self.report.did(order, operation, reason);
        self.emit(&Event::Done { order: order.clone(), operation, reason: reason.clone() });
    }

    /// Notes a refusal.
    pub(super) fn refused(&mut self, order: &OrderId, operation: Operation, reason: &str) {
        self.report.tally.refused += 1;
        self.report.line(order, What::Refused(operation), reason);
        self.emit(&Event::Refused { order: order.clone(), operation, reason: reason.to_owned() });
        self.raise(
            IssueKey::Refused(operation),
            HealthLevel::Degraded,
            &format!("order {order}: {reason}"),
            "look at the order; confirm or dispatch it by hand, or delete it locally",
        );
    }

    /// Notes that nobody knows what became of a call.
    pub(super) fn unknown(&mut self, order: &OrderId, operation: Operation) {
        self.report.tally.unknown += 1;
        self.report.line(
            order,
            What::Unknown(operation),
            "the answer was lost; the order is read before anything else",
        );
    }

    /// Notes that an operation worked.
    pub(super) fn succeeded(&mut self, operation: Operation) {
        let now = self.now();
        let failed = self.state.health.issues.contains_key(&IssueKey::Operation(operation));
        self.state.health.succeeded(operation, now);
        if failed {
            self.cured(IssueKey::Operation(operation));
        }
        self.cure(&IssueKey::Credentials);
    }

    pub(super) fn raise(&mut self, key: IssueKey, level: HealthLevel, reason: &str, advice: &str) {
        let now = self.now();
        self.raised.insert(key.clone());
        if self.state.health.raise(key.clone(), level, reason, advice, now) {
            let level = self.state.health.level();
            self.emit(&Event::Health { issue: key, level, reason: reason.to_owned() });
        }
    }

    pub(super) fn cure(&mut self, key: &IssueKey) {
        if self.state.health.cure(key) {
            self.cured(key.clone());
        }
    }

    fn cured(&self, issue: IssueKey) {
        let level = self.state.health.level();
        self.emit(&Event::Health { issue, level, reason: "cured".to_owned() });
    }

    /// Notes an error in the account's health and the report.
    pub(super) fn note(&mut self, error: &Error) {
        let now = self.now();
        let advice = error.kind().advice();
        let text = error.to_string();
        match error.kind() {
            ErrorKind::Unauthorized | ErrorKind::CredentialExpired => {
                self.report.end = End::Paused;
                self.raise(IssueKey::Credentials, HealthLevel::Paused, &text, advice);
            }
            ErrorKind::RateLimited => {
                let wait = error.retry_after().and_then(|d| TimeDelta::from_std(d).ok()).unwrap_or(PARK);
                let until = now.checked_add_signed(wait).unwrap_or(now);
                self.state.next_allowed = Some(until);
                self.report.end = End::Parked(until);
                self.emit(&Event::Parked { until });
            }
            ErrorKind::Store | ErrorKind::Busy => {}
            _ => {
                let key = error
                    .operation()
                    .map_or(IssueKey::Operation(Operation::FetchOrders), IssueKey::Operation);
                self.raise(key, HealthLevel::Degraded, &text, advice);
            }
        }
        self.report.error.get_or_insert_with(|| error.clone());
    }

    /// Ends a stage on an error: passes on those that end the whole run, notes the others.
    pub(super) fn stage(&mut self, result: Result<()>) -> Result<()> {
        match result {
            Err(error) if ends_run(&error) => Err(error),
            Err(error) => {
                self.note(&error);
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    /// Adds channel, account and operation to an error.
    pub(super) fn placed(&self, error: Error, operation: Operation) -> Error {
        error
            .at_channel(&self.channel().info().id)
            .for_account(&self.connected.account.id)
            .in_operation(operation)
    }

    /// Whether the order was read in this run, so that something may be done to it (OS-10).
    pub(super) fn is_fresh(&self, record: &OrderRecord) -> bool {
        if self.unread.contains(&record.order.id) {
            return false;
        }
        match record.link {
            LinkState::Linked { at } => !self.reread_failed || at >= self.report.started_at,
            _ => false,
        }
    }

    /// The links of all listings in these orders.
    pub(super) async fn links_of<'b>(
        &self,
        orders: impl Iterator<Item = &'b Order>,
    ) -> Result<BTreeMap<ListingKey, ListingLink>> {
        let keys: BTreeSet<ListingKey> =
            orders.flat_map(|order| order.lines.iter().map(|line| line.listing.clone())).collect();
        if keys.is_empty() {
            return Ok(BTreeMap::new());
        }
        let keys: Vec<ListingKey> = keys.into_iter().collect();
        let links = self.store.links(&self.connected.account.id, &keys).await?;
        Ok(links.into_iter().map(|link| (link.key.clone(), link)).collect())
    }

    /// Which of the SKUs in these orders the centre stocks; `None`: there is no centre.
    pub(super) async fn stocked<'b>(
        &self,
        orders: impl Iterator<Item = &'b Order>,
        links: &BTreeMap<ListingKey, ListingLink>,
    ) -> Result<Option<BTreeSet<Sku>>> {
        let Some(centre) = &self.connected.account.centre else { return Ok(None) };
        let counts = self.options.sku_from_channel();
        let skus: BTreeSet<Sku> = orders
            .flat_map(|order| &order.lines)
            .flat_map(|line| fulfilment::line_skus(line, links.get(&line.listing), counts))
            .map(|(sku, _)| sku)
            .collect();
        if skus.is_empty() {
            return Ok(Some(BTreeSet::new()));
        }
        let skus: Vec<Sku> = skus.into_iter().collect();
        let levels = centre
            .stock_levels(&skus)
            .await
            .map_err(|e| e.for_account(&self.connected.account.id).in_operation(Operation::CentreStock))?;
        Ok(Some(levels.into_iter().filter(|level| level.on_hand.is_some()).map(|level| level.sku).collect()))
    }

    /// Who ships an order. Where the centre can't be asked, it is an ordinary order for now; each cycle asks again.
    pub(super) fn classify(
        &self,
        order: &Order,
        links: &BTreeMap<ListingKey, ListingLink>,
        stocked: &Result<Option<BTreeSet<Sku>>>,
    ) -> Fulfilment {
        match stocked {
            Ok(stocked) => {
                fulfilment::classify(order, links, stocked.as_ref(), self.options.sku_from_channel())
            }
            Err(_) => {
                Fulfilment::Ordinary { reason: "the centre could not be asked; it is asked again".to_owned() }
            }
        }
    }
}

/// Whether an error concerns the whole account, not one operation.
pub(super) fn ends_run(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Unauthorized
            | ErrorKind::CredentialExpired
            | ErrorKind::RateLimited
            | ErrorKind::Store
            | ErrorKind::Busy
    )
}

/// One outcome per item: what a channel left out is unknown, what it added is ignored.
pub(super) fn complete<T>(
    outcomes: Result<Vec<Outcome<T>>>,
    items: usize,
) -> (Vec<Outcome<T>>, Option<Error>) {
    match outcomes {
        Ok(mut outcomes) => {
            outcomes.truncate(items);
            while outcomes.len() < items {
                outcomes.push(Outcome::Unknown(
                    Error::malformed("the answer leaves this item out").with_retry(Retry::Later),
                ));
            }
            (outcomes, None)
        }
        Err(error) => ((0..items).map(|_| Outcome::from_error(&error)).collect(), Some(error)),
    }
}

impl Commit {
    pub(super) fn with_state(mut self, state: AccountState) -> Self {
        self.state = Some(state);
        self
    }

    pub(super) fn with_records(mut self, records: Vec<OrderRecord>) -> Self {
        self.records = records;
        self
    }
}
