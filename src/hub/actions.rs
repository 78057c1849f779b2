//! Stages that act on orders: confirm, set the ship date, instruct the centre. Each stores START before it calls, and
//! the outcome after.

use chrono::{DateTime, NaiveDate, Utc};

use super::work::{Work, complete, ends_run};
use crate::channel::{ConfirmRequest, Operation, Outcome, Refusal, ShipDateRequest, ShipDates};
use crate::error::{Error, Result};
use crate::fulfillment::Instruction;
use crate::model::{By, Done, Fulfilment, OrderId, OrderRecord, Step};
use crate::policy::{Reason, Rule, fulfilment, next, ship_date, state};
use crate::store::{Commit, IssueKey, Scan};

/// The centre is asked for this many orders at once.
const INSTRUCT_BATCH: usize = 100;

impl Work<'_> {
    /// Confirms, dates and instructs all open orders for which it is due.
    pub(super) async fn act_on_open(&mut self) -> Result<()> {
        if self.options.statistics_only() {
            return Ok(());
        }
        let mut after: Option<OrderId> = None;
        loop {
            let page = self.scan(Scan::Working, after.as_ref()).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.order.id.clone());
            self.act_on(page, By::Option).await?;
        }
    }

    /// Does what is due for these orders; answers with their records as they are then.
    pub(super) async fn act_on(&mut self, page: Vec<OrderRecord>, by: By) -> Result<Vec<OrderRecord>> {
        let mut page: Vec<OrderRecord> =
            page.into_iter().filter(|record| record.is_linked() && self.is_fresh(record)).collect();
        self.reclassify(&mut page).await?;
        self.plan(&mut page).await?;
        if by == By::Option {
            let confirmed = self.confirm_due(&mut page).await;
            self.stage(confirmed)?;
            self.read_again(&mut page).await?;
            // A confirmation is what ship dates and instructions wait for: in the same cycle (SD-1, FI-1).
            self.plan(&mut page).await?;
            let dated = self.set_ship_dates(&mut page).await;
            self.stage(dated)?;
            let instructed = self.instruct_due(&mut page).await;
            self.stage(instructed)?;
        }
        Ok(page)
    }

    /// Orders that were ordinary only because a link was missing or the centre was silent become the centre's.
    async fn reclassify(&mut self, page: &mut [OrderRecord]) -> Result<()> {
        let doubtful = |record: &OrderRecord| {
            matches!(record.fulfilment, Fulfilment::Ordinary { .. })
                && !record.order.status.is_past_dispatch()
        };
        if self.connected.account.centre.is_none() || !page.iter().any(doubtful) {
            return Ok(());
        }
        let orders = || page.iter().filter(|record| doubtful(record)).map(|record| &record.order);
        let links = self.links_of(orders()).await?;
        let stocked = self.stocked(orders(), &links).await;
        let mut changed = Vec::new();
        for record in page.iter_mut().filter(|record| doubtful(record)) {
            let fulfilment = self.classify(&record.order, &links, &stocked);
            if record.fulfilment != fulfilment {
                record.fulfilment = fulfilment;
                changed.push(record.clone());
            }
        }
        self.commit(Commit::default().with_records(changed)).await
    }

    /// Stores the intentions that follow from the orders' present state.
    async fn plan(&mut self, page: &mut [OrderRecord]) -> Result<()> {
        let now = self.now();
        let mut changed = Vec::new();
        for record in page {
            let before = (record.confirm.clone(), record.set_ship_date.clone(), record.instruct.clone());
            state::plan(record, &self.options, now);
            if self.channel().ship_date().is_none_or(|dates| matches!(dates, ShipDates::WithConfirmation)) {
                record.set_ship_date = Step::None;
            }
            if before != (record.confirm.clone(), record.set_ship_date.clone(), record.instruct.clone()) {
                changed.push(record.clone());
            }
        }
        self.commit(Commit::default().with_records(changed)).await
    }

    /// Reads orders that an action has changed, before the next step.
    async fn read_again(&mut self, page: &mut [OrderRecord]) -> Result<()> {
        let changed: Vec<OrderRecord> = page.iter().filter(|record| record.reread).cloned().collect();
        if changed.is_empty() || self.dry() {
            return Ok(());
        }
        match self.reread(changed).await {
            Ok(read) => {
                for fresh in read {
                    if let Some(record) = page.iter_mut().find(|record| record.order.id == fresh.order.id) {
                        *record = fresh;
                    }
                }
                Ok(())
            }
            Err(error) => self.stage(Err(error)),
        }
    }

    /// Confirms those of these orders that are to be confirmed now (OC).
    pub(super) async fn confirm_due(&mut self, page: &mut [OrderRecord]) -> Result<()> {
        let Some(confirm) = self.channel().confirm() else { return Ok(()) };
        let mut due: Vec<(usize, Reason)> = Vec::new();
        for (n, record) in page.iter().enumerate() {
            if matches!(record.confirm, Step::Planned { .. }) {
                let verdict = next::confirm(record, &self.options, By::Option);
                if verdict.go {
                    due.push((n, verdict.reason));
                }
            }
        }
        let with_date = matches!(self.channel().ship_date(), Some(ShipDates::WithConfirmation));
        for batch in due.chunks_mut(self.channel().info().confirm_batch.max(1)) {
            let now = self.now();
            for (n, reason) in batch.iter_mut() {
                let record = &mut page[*n];
                if with_date && record.ship_date.is_none() {
                    record.ship_date = self.ship_date(now);
                }
                if with_date && let Some(date) = record.ship_date {
                    *reason =
                        Reason::new(Rule::Sd3, format!("{}; ship date {date} is sent with it", reason.text));
                }
                record.confirm = start(&record.confirm, now);
            }
            let batch = &*batch;
            let Some(dates) = self.started(page, batch, Operation::Confirm).await? else {
                for (n, _) in batch {
                    page[*n].confirm = Step::Done { at: now, how: Done::Here };
                    self.report.tally.confirmed += 1;
                    self.report.tally.ship_dates += u64::from(page[*n].ship_date.is_some());
                }
                self.store_batch(page, batch).await?;
                continue;
            };
            let requests: Vec<ConfirmRequest<'_>> = batch
                .iter()
                .zip(&dates)
                .map(|((n, _), date)| ConfirmRequest { order: &page[*n].order, ship_date: *date })
                .collect();
            let cx = self.context();
            let (outcomes, failure) = complete(confirm.confirm(&cx, &requests).await, batch.len());
            let now = self.now();
            for ((n, reason), outcome) in batch.iter().zip(outcomes) {
                let record = &mut page[*n];
                let id = record.order.id.clone();
                match outcome {
                    Outcome::Done(done) => {
                        record.confirm = Step::Done { at: now, how: Done::Here };
                        record.order.status = record.order.status.max(crate::model::OrderStatus::Confirmed);
                        record.reread = done.reread;
                        self.report.tally.confirmed += 1;
                        self.report.tally.ship_dates += u64::from(record.ship_date.is_some());
                        self.did(&id, Operation::Confirm, reason);
                    }
                    Outcome::AlreadyDone => {
                        record.confirm = Step::Done { at: now, how: Done::SeenOnChannel };
                        record.reread = true;
                        record.ship_date = None;
                        self.report.tally.found_confirmed += 1;
                        self.did(&id, Operation::Confirm, &Reason::new(Rule::Oc5, "it was confirmed before"));
                    }
                    Outcome::Refused(refusal) => {
                        record.ship_date = None;
                        record.reread = refusal.reread;
                        record.confirm = refused(&record.confirm, &refusal, now);
                        self.refused(&id, Operation::Confirm, &words(&refusal));
                    }
                    Outcome::NotTried(_) => {
                        record.ship_date = None;
                        record.confirm = again(&record.confirm, now);
                    }
                    Outcome::Unknown(_) => self.unknown(&id, Operation::Confirm),
                }
            }
            self.ended(page, batch, Operation::Confirm, failure).await?;
        }
        Ok(())
    }

    /// Sends ship dates on channels that take them by a call of their own (SD).
    async fn set_ship_dates(&mut self, page: &mut [OrderRecord]) -> Result<()> {
        let Some(ShipDates::Separate(dates)) = self.channel().ship_date() else { return Ok(()) };
        let mut due: Vec<(usize, Reason)> = Vec::new();
        for (n, record) in page.iter().enumerate() {
            let verdict = next::set_ship_date(record, &self.options);
            if verdict.go && matches!(record.set_ship_date, Step::Planned { .. }) {
                due.push((n, verdict.reason));
            }
        }
        for batch in due.chunks(self.channel().info().confirm_batch.max(1)) {
            let now = self.now();
            for (n, _) in batch {
                let record = &mut page[*n];
                if record.ship_date.is_none() {
                    // Day zero is the day of the confirmation, not of this call (SD-1).
                    let confirmed_at = match record.confirm {
                        Step::Done { at, .. } => at,
                        _ => now,
                    };
                    record.ship_date = self.ship_date(confirmed_at);
                }
                record.set_ship_date = start(&record.set_ship_date, now);
            }
            let Some(_) = self.started(page, batch, Operation::SetShipDate).await? else {
                for (n, _) in batch {
                    page[*n].set_ship_date = Step::Done { at: now, how: Done::Here };
                    self.report.tally.ship_dates += 1;
                }
                self.store_batch(page, batch).await?;
                continue;
            };
            let requests: Vec<ShipDateRequest<'_>> = batch
                .iter()
                .filter_map(|(n, _)| {
                    Some(ShipDateRequest { order: &page[*n].order, date: page[*n].ship_date? })
                })
                .collect();
            let cx = self.context();
            let (outcomes, failure) = complete(dates.set_ship_date(&cx, &requests).await, batch.len());
            let now = self.now();
            for ((n, reason), outcome) in batch.iter().zip(outcomes) {
                let record = &mut page[*n];
                let id = record.order.id.clone();
                match outcome {
                    Outcome::Done(()) | Outcome::AlreadyDone => {
                        record.set_ship_date = Step::Done { at: now, how: Done::Here };
                        self.report.tally.ship_dates += 1;
                        self.did(&id, Operation::SetShipDate, reason);
                    }
                    Outcome::Refused(refusal) => {
                        record.set_ship_date = refused(&record.set_ship_date, &refusal, now);
                        record.reread = refusal.reread;
                        self.refused(&id, Operation::SetShipDate, &words(&refusal));
                    }
                    Outcome::NotTried(_) => record.set_ship_date = again(&record.set_ship_date, now),
                    Outcome::Unknown(_) => self.unknown(&id, Operation::SetShipDate),
                }
            }
            self.ended(page, batch, Operation::SetShipDate, failure).await?;
        }
        Ok(())
    }

    /// Tells the centre to ship those of these orders that are due (FI).
    pub(super) async fn instruct_due(&mut self, page: &mut [OrderRecord]) -> Result<()> {
        let Some(centre) = self.connected.account.centre.clone() else { return Ok(()) };
        let mut due: Vec<(usize, Reason)> = Vec::new();
        for (n, record) in page.iter().enumerate() {
            if record.instruct.is_open() {
                let verdict = next::instruct(record, &self.options, By::Option);
                if verdict.go {
                    due.push((n, verdict.reason));
                }
            }
        }
        for batch in due.chunks(INSTRUCT_BATCH) {
            let now = self.now();
            let links = self.links_of(batch.iter().map(|(n, _)| &page[*n].order)).await?;
            for (n, _) in batch {
                page[*n].instruct = start(&page[*n].instruct, now);
            }
            let Some(_) = self.started(page, batch, Operation::Instruct).await? else {
                for (n, _) in batch {
                    page[*n].instruct = Step::Done { at: now, how: Done::Here };
                    self.report.tally.instructed += 1;
                }
                self.store_batch(page, batch).await?;
                continue;
            };
            let account = &self.connected.account.id;
            let instructions: Vec<Instruction<'_>> = batch
                .iter()
                .map(|(n, _)| {
                    let record = &page[*n];
                    let items = fulfilment::items(&record.order, &links, record.sku_from_channel);
                    Instruction::new(account, &record.order, items)
                })
                .collect();
            let (outcomes, failure) = complete(centre.instruct(&instructions).await, batch.len());
            let now = self.now();
            for ((n, reason), outcome) in batch.iter().zip(outcomes) {
                let record = &mut page[*n];
                let id = record.order.id.clone();
                match outcome {
                    Outcome::Done(()) | Outcome::AlreadyDone => {
                        record.instruct = Step::Done { at: now, how: Done::Here };
                        self.report.tally.instructed += 1;
                        self.did(&id, Operation::Instruct, reason);
                    }
                    Outcome::Refused(refusal) => {
                        record.instruct = refused(&record.instruct, &refusal, now);
                        self.refused(&id, Operation::Instruct, &words(&refusal));
                    }
                    Outcome::NotTried(_) => record.instruct = again(&record.instruct, now),
                    Outcome::Unknown(_) => self.unknown(&id, Operation::Instruct),
                }
            }
            // The centre's credentials are not the channel's: its errors never pause the account.
            if let Some(error) = failure {
                let advice = error.kind().advice();
                let key = IssueKey::Operation(Operation::Instruct);
                self.raise(key, crate::store::HealthLevel::Degraded, &error.to_string(), advice);
                self.store_batch(page, batch).await?;
                return Ok(());
            }
            let now = self.now();
            self.state.health.succeeded(Operation::Instruct, now);
            self.store_batch(page, batch).await?;
        }
        Ok(())
    }

    fn ship_date(&self, confirmed_at: DateTime<Utc>) -> Option<NaiveDate> {
        let offset = self.options.ship_offset()?;
        Some(ship_date::expected(confirmed_at, offset, self.options.channel_zone(), self.options.holidays()))
    }

    /// Stores START of a batch; answers with the ship dates to send, or `None` in a dry run, where nothing is sent.
    async fn started(
        &mut self,
        page: &[OrderRecord],
        batch: &[(usize, Reason)],
        operation: Operation,
    ) -> Result<Option<Vec<Option<NaiveDate>>>> {
        if self.dry() {
            for (n, reason) in batch {
                let id = page[*n].order.id.clone();
                self.did(&id, operation, reason);
            }
            return Ok(None);
        }
        self.store_batch(page, batch).await?;
        Ok(Some(batch.iter().map(|(n, _)| page[*n].ship_date).collect()))
    }

    /// Stores the outcomes of a batch, and passes its failure on.
    async fn ended(
        &mut self,
        page: &[OrderRecord],
        batch: &[(usize, Reason)],
        operation: Operation,
        failure: Option<Error>,
    ) -> Result<()> {
        if failure.is_none() {
            self.succeeded(operation);
        }
        self.store_batch(page, batch).await?;
        match failure {
            Some(error) if ends_run(&error) || error.is_temporary() => Err(self.placed(error, operation)),
            Some(error) => {
                let error = self.placed(error, operation);
                self.note(&error);
                Ok(())
            }
            None => Ok(()),
        }
    }

    async fn store_batch(&mut self, page: &[OrderRecord], batch: &[(usize, Reason)]) -> Result<()> {
        let records = batch.iter().map(|(n, _)| page[*n].clone()).collect();
        self.commit(Commit::default().with_records(records)).await
    }
}

/// START, keeping who wanted it.
pub(super) fn start(step: &Step, now: DateTime<Utc>) -> Step {
    let by = match step {
        Step::Planned { by, .. } | Step::Started { by, .. } => *by,
        _ => By::Option,
    };
    Step::Started { at: now, by }
}

/// Intended again after a try that had no effect.
pub(super) fn again(step: &Step, now: DateTime<Utc>) -> Step {
    match step {
        Step::Started { by, .. } => Step::Planned { at: now, by: *by, attempts: 1 },
        Step::Planned { at, by, attempts } => {
            Step::Planned { at: *at, by: *by, attempts: attempts.saturating_add(1) }
        }
        other => other.clone(),
    }
}

/// The end of a step that was refused: for good, or until it is tried again.
pub(super) fn refused(step: &Step, refusal: &Refusal, now: DateTime<Utc>) -> Step {
    if refusal.temporary {
        return again(step, now);
    }
    Step::Refused { at: now, code: refusal.code.clone(), message: refusal.message.clone() }
}

pub(super) fn words(refusal: &Refusal) -> String {
    format!("[{}] {}", refusal.code, refusal.message)
}
