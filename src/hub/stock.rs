//! Stock: what each listing should show, and the pushes that make it so (SS).

use std::collections::{BTreeMap, BTreeSet};

use super::work::{Work, complete, ends_run};
use super::{Event, What};
use crate::channel::{Operation, Outcome, StockChange};
use crate::error::Result;
use crate::model::{ListingKey, ListingLink, Sku};
use crate::options::Reconcile;
use crate::policy::stock::{Push, listing_quantity, pushes};
use crate::policy::{Reason, Rule};
use crate::store::{Commit, HealthLevel, IssueKey};

/// A listing with what it should show.
struct Wanted {
    link: ListingLink,
    quantity: u32,
}

impl Work<'_> {
    /// Pushes every linked listing whose quantity differs from what the channel last accepted.
    pub(super) async fn sync_stock(&mut self) -> Result<()> {
        let Some(policy) = self.options.stock() else { return Ok(()) };
        if self.options.statistics_only() || self.channel().stock().is_none() {
            return Ok(());
        }
        let today = self.report.started_at.with_timezone(&self.options.zone()).date_naive();
        let reconcile = policy.reconcile != Reconcile::Off && self.state.reconciled_on != Some(today);
        let mut differing: Vec<Wanted> = Vec::new();
        let (mut differences, mut compared_all) = (0, true);
        let mut after: Option<ListingKey> = None;
        loop {
            let limit = self.hub.settings.page.max(1);
            let page = self.store.scan_links(&self.connected.account.id, after.as_ref(), limit).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.key.clone());
            let Some(mut wanted) = self.wanted(page).await? else { return Ok(()) };
            if reconcile {
                let (found, complete) =
                    self.reconcile(&mut wanted, policy.reconcile == Reconcile::Repair).await?;
                differences += found;
                compared_all &= complete;
            }
            // Only what differs is kept: memory grows with the changes, not with the catalogue.
            wanted.retain(|w| w.link.pushing.is_some() || w.link.accepted != Some(w.quantity));
            differing.extend(wanted);
        }
        if reconcile && differences == 0 && compared_all {
            self.cure(&IssueKey::StockDiffers);
        }
        let pushes = pushes(
            differing
                .iter()
                .enumerate()
                .map(|(n, w)| (n, w.link.accepted, w.link.pushing.is_some(), w.quantity)),
        );
        let pushed = self.push(&mut differing, &pushes).await;
        // What was found to differ is known to this run alone until it is pushed: an unfinished repair begins anew.
        if reconcile && compared_all && pushed.is_ok() {
            self.state.reconciled_on = Some(today);
        }
        if differing.iter().all(|w| w.link.failure.is_none()) && pushed.is_ok() {
            self.cure(&IssueKey::StockPush);
        }
        pushed
    }

    /// What these listings should show; those with a part that the centre does not stock are left out. `None`: the
    /// centre did not answer.
    async fn wanted(&mut self, page: Vec<ListingLink>) -> Result<Option<Vec<Wanted>>> {
        let (Some(policy), Some(centre)) = (self.options.stock(), self.connected.account.centre.clone())
        else {
            return Ok(None);
        };
        let skus: BTreeSet<Sku> =
            page.iter().flat_map(|link| link.components.iter().map(|part| part.sku.clone())).collect();
        let skus: Vec<Sku> = skus.into_iter().collect();
        // What is held is read first: an order that ships in between is then counted twice, never not at all.
        let held = self.store.held(&skus).await?;
        let levels = match centre.stock_levels(&skus).await {
            Ok(levels) => levels,
            Err(error) => {
                let key = IssueKey::Operation(Operation::CentreStock);
                self.raise(key, HealthLevel::Degraded, &error.to_string(), error.kind().advice());
                return Ok(None);
            }
        };
        let now = self.now();
        self.state.health.succeeded(Operation::CentreStock, now);
        let on_hand: BTreeMap<Sku, u32> =
            levels.into_iter().filter_map(|level| Some((level.sku, level.on_hand?))).collect();
        let most = self.channel().info().stock_range.1;
        Ok(Some(
            page.into_iter()
                .filter_map(|link| {
                    let quantity = listing_quantity(&link.components, &on_hand, &held, policy)?.min(most);
                    Some(Wanted { link, quantity })
                })
                .collect(),
        ))
    }

    /// Reads what the channel shows and compares it with what it should show (SS-11). A listing that is to be pushed
    /// anyway is no difference. Answers how many differ, and whether all could be compared.
    async fn reconcile(&mut self, wanted: &mut [Wanted], repair: bool) -> Result<(u64, bool)> {
        let Some(stock) = self.channel().stock() else { return Ok((0, true)) };
        let (mut differences, mut compared_all) = (0, true);
        for batch in wanted.chunks_mut(self.channel().info().stock_batch.max(1)) {
            let keys: Vec<ListingKey> = batch.iter().map(|w| w.link.key.clone()).collect();
            let cx = self.context();
            let (outcomes, failure) = complete(stock.read_stock(&cx, &keys).await, keys.len());
            for (w, outcome) in batch.iter_mut().zip(outcomes) {
                let Outcome::Done(shown) = outcome else {
                    compared_all &= matches!(outcome, Outcome::Refused(_));
                    continue;
                };
                if w.link.accepted != Some(w.quantity) || shown.quantity == w.quantity {
                    continue;
                }
                differences += 1;
                self.report.tally.stock_differs += 1;
                let text = format!("shows {}, should show {} (SS-11)", shown.quantity, w.quantity);
                self.report.line(&w.link.key, What::Differs, &text);
                self.emit(&Event::StockDiffers {
                    listing: w.link.key.clone(),
                    expected: w.quantity,
                    shown: shown.quantity,
                });
                let advice =
                    if repair { "it is being put right" } else { "push it by hand, or let it be repaired" };
                let reason = format!("listing {} {text}", w.link.key);
                self.raise(IssueKey::StockDiffers, HealthLevel::Degraded, &reason, advice);
                if repair {
                    w.link.accepted = Some(shown.quantity);
                }
            }
            if let Some(error) = failure {
                let placed = self.placed(error, Operation::ReadStock);
                self.stage(Err(placed))?;
                compared_all = false;
                break;
            }
        }
        Ok((differences, compared_all))
    }

    async fn push(&mut self, wanted: &mut [Wanted], pushes: &[Push]) -> Result<()> {
        let Some(stock) = self.channel().stock() else { return Ok(()) };
        let size = self.channel().info().stock_batch.max(1);
        for (done, batch) in pushes.chunks(size).enumerate() {
            let reason = |push: &Push| {
                let from = push.from.map_or("unknown".to_owned(), |from| from.to_string());
                Reason::new(Rule::Ss3, format!("from {from} to {}", push.to))
            };
            if self.dry() {
                for push in batch {
                    self.report.tally.stock_pushed += 1;
                    self.report.did(&wanted[push.listing].link.key, Operation::SetStock, &reason(push));
                }
                continue;
            }
            for push in batch {
                wanted[push.listing].link.pushing = Some(push.to);
            }
            self.store_links(wanted, batch).await?;
            let changes: Vec<StockChange<'_>> = batch
                .iter()
                .map(|push| {
                    let link = &wanted[push.listing].link;
                    StockChange {
                        listing: &link.key,
                        channel_data: &link.channel_data,
                        quantity: push.to,
                        accepted: push.from,
                    }
                })
                .collect();
            let cx = self.context();
            let (outcomes, failure) = complete(stock.set_stock(&cx, &changes).await, batch.len());
            let now = self.now();
            for (push, outcome) in batch.iter().zip(outcomes) {
                let why = reason(push);
                let link = &mut wanted[push.listing].link;
                let key = link.key.clone();
                let fault = match outcome {
                    Outcome::Done(taken) => {
                        link.accepted = Some(taken.quantity);
                        None
                    }
                    Outcome::AlreadyDone => {
                        link.accepted = Some(push.to);
                        None
                    }
                    Outcome::Refused(refusal) => {
                        link.pushing = None;
                        Some(format!("[{}] {}", refusal.code, refusal.message))
                    }
                    Outcome::NotTried(error) => {
                        link.pushing = None;
                        Some(error.to_string())
                    }
                    // It stays marked: the quantity is absolute, and is pushed again.
                    Outcome::Unknown(error) => Some(error.to_string()),
                };
                match fault {
                    None => {
                        link.pushing = None;
                        link.failure = None;
                        link.pushed_at = Some(now);
                        let to = link.accepted.unwrap_or(push.to);
                        self.report.tally.stock_pushed += 1;
                        self.report.did(&key, Operation::SetStock, &why);
                        self.emit(&Event::StockPushed { listing: key, from: push.from, to });
                    }
                    Some(reason) => {
                        link.failure = Some(reason.clone());
                        self.report.tally.stock_failed += 1;
                        self.report.line(&key, What::Refused(Operation::SetStock), &reason);
                        let text = format!("listing {key}: {reason}");
                        self.emit(&Event::StockFailed { listing: key, reason });
                        let advice = "look at the listing at the channel; the next cycle tries again";
                        self.raise(IssueKey::StockPush, HealthLevel::Degraded, &text, advice);
                    }
                }
            }
            if failure.is_none() {
                self.succeeded(Operation::SetStock);
            }
            self.store_links(wanted, batch).await?;
            if let Some(error) = failure {
                let rest = pushes.len().saturating_sub((done + 1) * size);
                self.report.tally.stock_waiting += rest as u64;
                let error = self.placed(error, Operation::SetStock);
                if ends_run(&error) || error.is_temporary() {
                    return Err(error);
                }
                self.note(&error);
            }
        }
        Ok(())
    }

    async fn store_links(&mut self, wanted: &[Wanted], batch: &[Push]) -> Result<()> {
        let links = batch.iter().map(|push| wanted[push.listing].link.clone()).collect();
        self.commit(Commit { links, ..Commit::default() }).await
    }
}
