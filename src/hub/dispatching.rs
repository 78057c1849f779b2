//! Parcels: from the centre to the channel (FI-6), and by hand.

use std::collections::BTreeSet;

use super::actions::{again, refused, start, words};
use super::work::{Work, complete};
use crate::channel::{DispatchRequest, Operation, Outcome};
use crate::error::Result;
use crate::model::{By, DispatchStep, Done, OrderId, OrderRecord, OrderStatus, PlannedDispatch, Step};
use crate::policy::{Reason, follow, next};
use crate::store::{Commit, HealthLevel, IssueKey, Scan};

impl Work<'_> {
    /// Asks the centre what left, and notes each parcel to be reported, with the centre's cursor in one transaction.
    pub(super) async fn collect_shipments(&mut self) -> Result<()> {
        let Some(centre) = self.connected.account.centre.clone() else { return Ok(()) };
        if self.options.statistics_only() {
            return Ok(());
        }
        loop {
            let since = self.state.centre_cursor.clone();
            let page = match centre.shipments(&self.connected.account.id, since.as_deref()).await {
                Ok(page) => page,
                Err(error) => {
                    let key = IssueKey::Operation(Operation::CentreShipments);
                    self.raise(key, HealthLevel::Degraded, &error.to_string(), error.kind().advice());
                    return Ok(());
                }
            };
            let ids: Vec<OrderId> = page.shipments.iter().map(|shipment| shipment.order.clone()).collect();
            let mut records = self.store.records(&self.connected.account.id, &ids).await?;
            let now = self.now();
            for shipment in page.shipments {
                self.report.tally.shipments += 1;
                let Some(record) = records.iter_mut().find(|record| record.order.id == shipment.order) else {
                    self.raise(
                        IssueKey::Operation(Operation::CentreShipments),
                        HealthLevel::Degraded,
                        &format!("the centre shipped order {}, which is not known here", shipment.order),
                        "report the parcel at the channel by hand",
                    );
                    continue;
                };
                record.left_centre |= shipment.complete;
                let parcel = PlannedDispatch {
                    key: shipment.id,
                    tracking: shipment.tracking,
                    lines: shipment.lines,
                    shipped_at: shipment.shipped_at,
                };
                let waits = parcel.tracking.is_none() && centre.take_tracking().is_some();
                if let Some(added) = add_parcel(record, parcel, By::Option, now).filter(|_| waits) {
                    added.tell = Step::planned(now, By::Option);
                }
            }
            self.state.health.succeeded(Operation::CentreShipments, now);
            let stuck = page.cursor.is_none() || page.cursor == since;
            let mut state = self.state.clone();
            if page.cursor.is_some() {
                state.centre_cursor = page.cursor;
            }
            let moved = state.centre_cursor.clone();
            self.commit(Commit::default().with_records(records).with_state(state)).await?;
            // Only now: a run whose commit failed stores its state once more at its end.
            self.state.centre_cursor = moved;
            if !page.more || stuck {
                return Ok(());
            }
        }
    }

    /// Reports all parcels that are due. Every open order has passed by then: what none of them shows any more is cured.
    pub(super) async fn dispatch_open(&mut self) -> Result<()> {
        if self.options.statistics_only() {
            return Ok(());
        }
        let mut standing = Standing::default();
        let mut after: Option<OrderId> = None;
        loop {
            let mut page = self.scan(Scan::Working, after.as_ref()).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.order.id.clone());
            page.iter().filter(|record| !self.is_fresh(record)).for_each(|record| standing.note(record));
            page.retain(|record| self.is_fresh(record));
            self.dispatch_due(&mut page).await?;
            page.iter().for_each(|record| standing.note(record));
        }
        self.cure_settled(&standing);
        let unchosen = self.options.asks_hand_over() && self.options.hand_over().is_none();
        if unchosen && standing.open.contains(&Operation::Dispatch) {
            self.raise(
                IssueKey::HandOver,
                HealthLevel::Degraded,
                "parcels wait: this channel asks how they are handed over, and nothing is chosen (HM-3)",
                "choose pick-up or drop-off; the next cycle reports them",
            );
        } else {
            self.cure(&IssueKey::HandOver);
        }
        Ok(())
    }

    /// An issue stays until its cause is gone (AH-1): also when that was seen on the channel, or done by hand.
    fn cure_settled(&mut self, standing: &Standing) {
        for operation in [
            Operation::Confirm,
            Operation::SetShipDate,
            Operation::Instruct,
            Operation::Dispatch,
            Operation::CentreTracking,
        ] {
            let settled = [
                (IssueKey::Refused(operation), !standing.refused.contains(&operation)),
                (IssueKey::Operation(operation), !standing.open.contains(&operation)),
            ];
            for (key, gone) in settled {
                if gone && !self.raised.contains(&key) {
                    self.cure(&key);
                }
            }
        }
        let gone = IssueKey::Refused(Operation::ReadOrders);
        if !self.reread_failed && !self.raised.contains(&gone) {
            self.cure(&gone);
        }
    }

    /// Reports those parcels of these orders that are due.
    pub(super) async fn dispatch_due(&mut self, page: &mut [OrderRecord]) -> Result<()> {
        let Some(channel) = self.channel().dispatch() else { return Ok(()) };
        let mut due: Vec<(usize, usize, Reason)> = Vec::new();
        for (n, record) in page.iter().enumerate() {
            for index in 0..record.dispatches.len() {
                let verdict = next::dispatch(record, index, &self.options);
                if verdict.go {
                    due.push((n, index, verdict.reason));
                }
            }
        }
        for batch in due.chunks(self.channel().info().dispatch_batch.max(1)) {
            let now = self.now();
            if self.dry() {
                for (n, index, reason) in batch {
                    page[*n].dispatches[*index].step = Step::Done { at: now, how: Done::Here };
                    self.report.tally.dispatched += 1;
                    let id = page[*n].order.id.clone();
                    self.did(&id, Operation::Dispatch, reason);
                }
                self.store_parcels(page, batch).await?;
                continue;
            }
            for (n, index, _) in batch {
                let step = &mut page[*n].dispatches[*index].step;
                *step = start(step, now);
            }
            self.store_parcels(page, batch).await?;
            let requests: Vec<DispatchRequest<'_>> = batch
                .iter()
                .map(|(n, index, _)| {
                    let record = &page[*n];
                    let parcel = &record.dispatches[*index].parcel;
                    DispatchRequest {
                        order: &record.order,
                        tracking: parcel.tracking.as_ref(),
                        lines: &parcel.lines,
                        shipped_at: parcel.shipped_at,
                        notify: self.options.notify(),
                        hand_over: self.options.hand_over(),
                    }
                })
                .collect();
            let cx = self.context();
            let (outcomes, failure) = complete(channel.dispatch(&cx, &requests).await, batch.len());
            let now = self.now();
            for ((n, index, reason), outcome) in batch.iter().zip(outcomes) {
                let record = &mut page[*n];
                let id = record.order.id.clone();
                let dispatch = &mut record.dispatches[*index];
                match outcome {
                    Outcome::Done(done) => {
                        dispatch.step = Step::Done { at: now, how: Done::Here };
                        if done.tracking.is_some() {
                            dispatch.parcel.tracking = done.tracking;
                        }
                        dispatch.parcel_ids = done.parcels;
                        dispatch.label = done.label;
                        record.reread = done.reread;
                        shipped(record, *index);
                        record.next_read = follow::next_read(record, &self.options, now);
                        self.report.tally.dispatched += 1;
                        self.did(&id, Operation::Dispatch, reason);
                    }
                    Outcome::AlreadyDone => {
                        dispatch.step = Step::Done { at: now, how: Done::SeenOnChannel };
                        record.reread = true;
                        self.report.tally.dispatched += 1;
                        self.did(&id, Operation::Dispatch, reason);
                    }
                    Outcome::Refused(refusal) => {
                        dispatch.step = refused(&dispatch.step, &refusal, now);
                        record.reread = refusal.reread;
                        self.refused(&id, Operation::Dispatch, &words(&refusal));
                    }
                    Outcome::NotTried(_) => dispatch.step = again(&dispatch.step, now),
                    Outcome::Unknown(_) => self.unknown(&id, Operation::Dispatch),
                }
            }
            if failure.is_none() {
                self.succeeded(Operation::Dispatch);
            }
            self.store_parcels(page, batch).await?;
            if let Some(error) = failure {
                return Err(self.placed(error, Operation::Dispatch));
            }
        }
        Ok(())
    }

    /// Stores the records of a batch of parcels.
    pub(super) async fn store_parcels(
        &mut self,
        page: &[OrderRecord],
        batch: &[(usize, usize, Reason)],
    ) -> Result<()> {
        let mut which: Vec<usize> = batch.iter().map(|(n, _, _)| *n).collect();
        which.dedup();
        let records = which.into_iter().map(|n| page[n].clone()).collect();
        self.commit(Commit::default().with_records(records)).await
    }
}

/// The operations that open orders still wait for, and those that were refused.
#[derive(Default)]
struct Standing {
    open: BTreeSet<Operation>,
    refused: BTreeSet<Operation>,
}

impl Standing {
    fn note(&mut self, record: &OrderRecord) {
        let steps = [
            (&record.confirm, Operation::Confirm),
            (&record.set_ship_date, Operation::SetShipDate),
            (&record.instruct, Operation::Instruct),
        ];
        let parcels = record.dispatches.iter().flat_map(|dispatch| {
            [(&dispatch.step, Operation::Dispatch), (&dispatch.tell, Operation::CentreTracking)]
        });
        for (step, operation) in steps.into_iter().chain(parcels) {
            match step {
                Step::Planned { .. } | Step::Started { .. } => drop(self.open.insert(operation)),
                Step::Refused { .. } => drop(self.refused.insert(operation)),
                Step::None | Step::Done { .. } => {}
            }
        }
    }
}

/// Notes a parcel to be reported; answers with what was added. The same key again changes nothing, unless the first was
/// refused.
pub(super) fn add_parcel(
    record: &mut OrderRecord,
    parcel: PlannedDispatch,
    by: By,
    now: chrono::DateTime<chrono::Utc>,
) -> Option<&mut DispatchStep> {
    let step = Step::planned(now, by);
    match record.dispatches.iter_mut().find(|known| known.parcel.key == parcel.key) {
        Some(known) if matches!(known.step, Step::Refused { .. }) && by == By::Hand => {
            *known = DispatchStep::new(parcel, step);
            None
        }
        Some(_) => None,
        None => {
            record.dispatches.push(DispatchStep::new(parcel, step));
            record.dispatches.last_mut()
        }
    }
}

/// Counts a reported parcel into the order's lines, so that it is known what is outstanding before the next read.
fn shipped(record: &mut OrderRecord, index: usize) {
    let lines = record.dispatches[index].parcel.lines.clone();
    for line in &mut record.order.lines {
        let outstanding = line.outstanding();
        let pieces = match lines.iter().find(|(id, _)| *id == line.id) {
            Some((_, pieces)) => (*pieces).min(outstanding),
            None if lines.is_empty() => outstanding,
            None => 0,
        };
        line.shipped += pieces;
        if line.outstanding() == 0 {
            line.status = line.status.max(OrderStatus::Shipped);
        }
    }
    if record.order.lines.iter().all(|line| line.outstanding() == 0) {
        record.order.status = record.order.status.max(OrderStatus::Shipped);
    }
}
