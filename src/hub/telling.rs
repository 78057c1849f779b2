//! Tracking numbers that the channel gave: from the channel to the centre.

use super::actions::{again, refused, words};
use super::work::{Work, complete};
use crate::channel::{Operation, Outcome};
use crate::error::Result;
use crate::fulfillment::GivenTracking;
use crate::model::{Done, OrderId, OrderRecord, Step};
use crate::policy::{Reason, next};
use crate::store::{HealthLevel, IssueKey, Scan};

/// The centre is told this many numbers at once.
const TELL_BATCH: usize = 100;

impl Work<'_> {
    /// Tells the centre the numbers that it waits for. No START is stored: the same number twice changes nothing.
    pub(super) async fn tell_centre(&mut self) -> Result<()> {
        let Some(centre) = self.connected.account.centre.clone() else { return Ok(()) };
        if centre.take_tracking().is_none() || self.options.statistics_only() {
            return Ok(());
        }
        let mut after: Option<OrderId> = None;
        loop {
            let mut page = self.scan(Scan::Working, after.as_ref()).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.order.id.clone());
            let due: Vec<(usize, usize, Reason)> = page
                .iter()
                .enumerate()
                .flat_map(|(n, record)| (0..record.dispatches.len()).map(move |index| (n, index, record)))
                .filter_map(|(n, index, record)| {
                    let verdict = next::tell(record, index);
                    verdict.go.then_some((n, index, verdict.reason))
                })
                .collect();
            for batch in due.chunks(TELL_BATCH) {
                if !self.tell(&mut page, batch).await? {
                    return Ok(());
                }
            }
        }
    }

    /// Tells a batch and stores the outcomes; answers whether to go on.
    async fn tell(&mut self, page: &mut [OrderRecord], batch: &[(usize, usize, Reason)]) -> Result<bool> {
        let centre = self.connected.account.centre.clone();
        let Some(taker) = centre.as_ref().and_then(|centre| centre.take_tracking()) else { return Ok(false) };
        let told: Vec<GivenTracking<'_>> =
            batch.iter().filter_map(|(n, index, _)| self.given(&page[*n], *index)).collect();
        let (outcomes, failure) = if self.dry() {
            (batch.iter().map(|_| Outcome::Done(())).collect(), None)
        } else {
            complete(taker.take(&told).await, batch.len())
        };
        let now = self.now();
        for ((n, index, reason), outcome) in batch.iter().zip(outcomes) {
            let record = &mut page[*n];
            let id = record.order.id.clone();
            let tell = &mut record.dispatches[*index].tell;
            match outcome {
                Outcome::Done(()) | Outcome::AlreadyDone => {
                    *tell = Step::Done { at: now, how: Done::Here };
                    self.report.tally.told += 1;
                    self.did(&id, Operation::CentreTracking, reason);
                }
                Outcome::Refused(refusal) => {
                    *tell = refused(tell, &refusal, now);
                    self.refused(&id, Operation::CentreTracking, &words(&refusal));
                }
                Outcome::NotTried(_) | Outcome::Unknown(_) => *tell = again(tell, now),
            }
        }
        self.store_parcels(page, batch).await?;
        // The centre's errors never pause the account: its credentials are not the channel's.
        let Some(error) = failure else {
            self.state.health.succeeded(Operation::CentreTracking, now);
            return Ok(true);
        };
        let key = IssueKey::Operation(Operation::CentreTracking);
        self.raise(key, HealthLevel::Degraded, &error.to_string(), error.kind().advice());
        Ok(false)
    }

    fn given<'a>(&'a self, record: &'a OrderRecord, index: usize) -> Option<GivenTracking<'a>> {
        let dispatch = record.dispatches.get(index)?;
        let tracking = dispatch.parcel.tracking.as_ref()?;
        let mut given =
            GivenTracking::new(&self.connected.account.id, &dispatch.parcel.key, &record.order, tracking);
        given.channel_ids = &dispatch.parcel_ids;
        given.label = dispatch.label.as_ref();
        Some(given)
    }
}
