//! Operations that the application asks for by hand. Each takes the account for itself, reads the orders first, and
//! answers per order.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::dispatching::add_parcel;
use super::run::{after_fetch, may_run};
use super::work::{Mode, Work, complete};
use super::{CycleReport, End, Hub};
use crate::analytics::SalesReport;
use crate::channel::{
    CancelDecision, CancelPage, Credentials, ListingPage, Operation, Outcome, PageCursor, WebhookEvent,
    WebhookReply, WebhookRequest,
};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{
    AccountId, By, Component, DateRange, Listing, ListingKey, ListingLink, Order, OrderId, OrderRecord,
    PlannedDispatch, Step, Window,
};
use crate::policy::link::Asked;
use crate::policy::{Reason, Rule, next, state};
use crate::store::{AccountState, Commit, Scan};

/// What became of one order.
#[derive(Debug, Clone)]
pub struct Acted {
    /// The order.
    pub order: OrderId,
    /// Done, or why not.
    pub result: Result<()>,
}

impl Hub {
    /// Takes the orders of some days by hand (OS-8): what is missing is linked, also orders that were deleted locally.
    /// The automatic cursor stays where it is; order sync may be off.
    ///
    /// # Errors
    /// As [`Hub::cycle`].
    pub async fn run_for(&self, id: &AccountId, days: DateRange) -> Result<CycleReport> {
        let connected = self.connected(id)?;
        let _gate = connected.gate.lock().await;
        let mut work = Work::begin(&self.0, &connected, Arc::clone(&self.0.store), Mode::Real).await?;
        let result = run_days(&mut work, days).await;
        work.end(result).await
    }

    /// Confirms orders by hand (OC-2). Each is read first.
    ///
    /// # Errors
    /// `NotFound`; `Unsupported` in statistics-only mode (AM-2) or where the channel has no confirmation; `Busy`;
    /// `Store`. What concerns one order is in its own result.
    pub async fn confirm(&self, id: &AccountId, orders: &[OrderId]) -> Result<Vec<Acted>> {
        self.by_hand(id, orders, Operation::Confirm, async |work, mut records| {
            if work.channel().confirm().is_none() {
                return Err(Error::unsupported("this channel has no order confirmation (OC-3)"));
            }
            let now = work.now();
            let verdicts = refuse(&mut records, |record| next::confirm(record, &work.options, By::Hand));
            for record in &mut records {
                record.confirm = Step::planned(now, By::Hand);
            }
            work.commit(Commit::default().with_records(records.clone())).await?;
            let done = work.confirm_due(&mut records).await;
            work.stage(done)?;
            Ok(results(verdicts, &records, |record| &record.confirm))
        })
        .await
    }

    /// Tells the centre to ship orders by hand (FI-3). Each is read first.
    ///
    /// # Errors
    /// As [`Hub::confirm`].
    pub async fn instruct(&self, id: &AccountId, orders: &[OrderId]) -> Result<Vec<Acted>> {
        self.by_hand(id, orders, Operation::Instruct, async |work, records| {
            if work.connected.account.centre.is_none() {
                return Err(Error::unsupported("the account has no fulfilment centre"));
            }
            let mut records = work.act_on(records, By::Hand).await?;
            let now = work.now();
            let verdicts = refuse(&mut records, |record| next::instruct(record, &work.options, By::Hand));
            for record in &mut records {
                if !record.instruct.is_unknown() {
                    record.instruct = Step::planned(now, By::Hand);
                }
            }
            work.commit(Commit::default().with_records(records.clone())).await?;
            let done = work.instruct_due(&mut records).await;
            work.stage(done)?;
            Ok(results(verdicts, &records, |record| &record.instruct))
        })
        .await
    }

    /// Reports parcels by hand. Each order is read first. The same parcel key again reports nothing twice.
    ///
    /// # Errors
    /// As [`Hub::confirm`].
    pub async fn dispatch(
        &self,
        id: &AccountId,
        parcels: Vec<(OrderId, PlannedDispatch)>,
    ) -> Result<Vec<Acted>> {
        let orders: Vec<OrderId> = parcels.iter().map(|(order, _)| order.clone()).collect();
        self.by_hand(id, &orders, Operation::Dispatch, async move |work, mut records| {
            if work.channel().dispatch().is_none() {
                return Err(Error::unsupported("this channel takes no parcels"));
            }
            if work.options.asks_hand_over() && work.options.hand_over().is_none() {
                return Err(Error::new(ErrorKind::Configuration).with_message(
                    "choose pick-up or drop-off first (HM-3): this channel asks how parcels are handed over",
                ));
            }
            let now = work.now();
            for (order, parcel) in &parcels {
                if let Some(record) = records.iter_mut().find(|record| record.order.id == *order) {
                    for (line, pieces) in &parcel.lines {
                        let known = record.order.line(line).map(crate::model::Line::outstanding);
                        if known.is_none_or(|outstanding| *pieces == 0 || *pieces > outstanding) {
                            return Err(Error::invalid(format!(
                                "line {line}: {pieces} pieces can't be shipped"
                            ))
                            .for_order(order));
                        }
                    }
                    add_parcel(record, parcel.clone(), By::Hand, now);
                }
            }
            work.commit(Commit::default().with_records(records.clone())).await?;
            let done = work.dispatch_due(&mut records).await;
            work.stage(done)?;
            Ok(parcels
                .iter()
                .map(|(order, parcel)| {
                    let record = records.iter().find(|record| record.order.id == *order);
                    let index =
                        record.and_then(|r| r.dispatches.iter().position(|d| d.parcel.key == parcel.key));
                    let result = match (record, index) {
                        (Some(record), Some(index)) => {
                            let why = || next::dispatch(record, index, &work.options).reason;
                            outcome_of(&record.dispatches[index].step, why)
                        }
                        _ => Err(not_linked(order)),
                    };
                    Acted { order: order.clone(), result }
                })
                .collect())
        })
        .await
    }

    /// Pushes stock now (SS-4).
    ///
    /// # Errors
    /// `Unsupported` where stock sync is off (SS-7) or the mode forbids it (AM-2); `NotFound`, `Busy`, `Store`.
    pub async fn push_stock(&self, id: &AccountId) -> Result<CycleReport> {
        let connected = self.connected(id)?;
        let _gate = connected.gate.lock().await;
        let mut work = Work::begin(&self.0, &connected, Arc::clone(&self.0.store), Mode::Real).await?;
        let result = async {
            refuse_mode(&work)?;
            if work.options.stock().is_none() {
                return Err(Error::unsupported("stock sync is off for this account (SS-7)"));
            }
            if may_run(&mut work).await? {
                work.collect_shipments().await?;
                work.sync_stock().await?;
            }
            Ok(())
        }
        .await;
        match result {
            Err(error) if error.kind() == ErrorKind::Unsupported => {
                work.end(Ok(())).await?;
                Err(error.for_account(id).in_operation(Operation::SetStock))
            }
            result => work.end(result).await,
        }
    }

    /// Deletes orders locally (OS-9). The channel is not told (OC-4). Orders that are not known are left out of the
    /// answer.
    ///
    /// # Errors
    /// `NotFound`, `Busy`, `Store`.
    pub async fn delete(&self, id: &AccountId, orders: &[OrderId]) -> Result<Vec<OrderId>> {
        self.locally(id, async |work| {
            let mut records = work.store.records(id, orders).await?;
            let now = work.now();
            for record in &mut records {
                state::delete(record, now);
            }
            let deleted = records.iter().map(|record| record.order.id.clone()).collect();
            work.commit(Commit::default().with_records(records)).await?;
            Ok(deleted)
        })
        .await
    }

    /// Brings back orders that were deleted locally, where they may still be linked (OS-8). Each is read first.
    ///
    /// # Errors
    /// `NotFound`, `Busy`, `Store`, or what keeps the channel from answering.
    pub async fn relink(&self, id: &AccountId, orders: &[OrderId]) -> Result<Vec<Acted>> {
        self.locally(id, async |work| {
            let records = work.store.records(id, orders).await?;
            let read = work.reread(records).await?;
            let fresh = read.into_iter().map(|record| record.order).collect();
            work.take_orders(fresh, Asked::ByHand).await?;
            let records = work.store.records(id, orders).await?;
            Ok(orders
                .iter()
                .map(|order| {
                    let record = records.iter().find(|record| record.order.id == *order);
                    let result = match record {
                        Some(record) if record.is_linked() => Ok(()),
                        Some(record) => {
                            let decision =
                                crate::policy::link::decide(&record.order, Some(record), Asked::ByHand);
                            Err(Error::new(ErrorKind::Refused)
                                .with_message(decision.reason())
                                .for_order(order))
                        }
                        None => Err(not_linked(order)),
                    };
                    Acted { order: order.clone(), result }
                })
                .collect())
        })
        .await
    }

    /// Links a listing to the SKUs behind it (SS-2, SS-10), replacing what it was linked to. The next push sends its
    /// quantity.
    ///
    /// # Errors
    /// `InvalidInput` without components, with a quantity of 0 or with a SKU twice; `NotFound`, `Busy`, `Store`.
    pub async fn link_listing(
        &self,
        id: &AccountId,
        listing: &Listing,
        components: Vec<Component>,
    ) -> Result<()> {
        let twice =
            components.iter().enumerate().any(|(n, part)| components[..n].iter().any(|p| p.sku == part.sku));
        if components.is_empty() || twice || components.iter().any(|part| part.quantity == 0) {
            return Err(Error::invalid(
                "a listing is linked to at least one SKU, each once, each with a quantity",
            ));
        }
        self.locally(id, async |work| {
            let known = work.store.links(id, std::slice::from_ref(&listing.key)).await?.pop();
            let mut link =
                known.unwrap_or_else(|| ListingLink::new(id.clone(), listing.key.clone(), Vec::new()));
            link.components = components;
            link.channel_data = listing.channel_data.clone();
            work.commit(Commit { links: vec![link], ..Commit::default() }).await
        })
        .await
    }

    /// A page of what the channel offers for sale.
    ///
    /// # Errors
    /// `Unsupported` where the channel can't list; any kind.
    pub async fn listings(&self, id: &AccountId, cursor: Option<&PageCursor>) -> Result<ListingPage> {
        let connected = self.connected(id)?;
        let channel = &connected.account.channel;
        let Some(listings) = channel.listings() else {
            return Err(Error::unsupported("this channel can't list what it offers").for_account(id));
        };
        let cx = crate::channel::Context::new()
            .with_budget(self.0.settings.call_budget)
            .with_settings(connected.options().settings());
        listings.list(&cx, cursor).await.map_err(|e| {
            e.at_channel(&channel.info().id).for_account(id).in_operation(Operation::ListListings)
        })
    }

    /// A page of the cancel requests made in a window.
    ///
    /// # Errors
    /// `Unsupported` where the channel has none; any kind.
    pub async fn cancel_requests(
        &self,
        id: &AccountId,
        window: Window,
        cursor: Option<&PageCursor>,
    ) -> Result<CancelPage> {
        let connected = self.connected(id)?;
        let channel = &connected.account.channel;
        let Some(cancellations) = channel.cancellations() else {
            return Err(Error::unsupported("this channel shows no cancel requests").for_account(id));
        };
        let cx = crate::channel::Context::new()
            .with_budget(self.0.settings.call_budget)
            .with_settings(connected.options().settings());
        cancellations.requests(&cx, window, cursor).await.map_err(|e| {
            e.at_channel(&channel.info().id).for_account(id).in_operation(Operation::ListCancellations)
        })
    }

    /// Decides about the cancellation of one order, which is read first and after.
    ///
    /// # Errors
    /// `Unsupported` where the channel or the mode has no such decision; `Refused` by the channel; any kind. An error
    /// whose outcome is unknown: look at the order before deciding again.
    pub async fn decide_cancel(
        &self,
        id: &AccountId,
        order: &OrderId,
        action: crate::channel::CancelAction,
        reason: crate::channel::CancelReason,
        memo: Option<&str>,
    ) -> Result<()> {
        let acted = self
            .by_hand(id, std::slice::from_ref(order), Operation::DecideCancellation, async |work, records| {
                let Some(cancellations) = work.channel().cancellations() else {
                    return Err(Error::unsupported("this channel takes no cancel decisions"));
                };
                if !cancellations.actions().contains(&action) {
                    return Err(Error::unsupported("this channel does not take this decision by API"));
                }
                let Some(record) = records.first() else { return Err(not_linked(order)) };
                let decision = CancelDecision { order: &record.order, action, reason, memo };
                let cx = work.context();
                let (outcomes, _) = complete(cancellations.decide(&cx, &[decision]).await, 1);
                let result = match outcomes.into_iter().next() {
                    Some(Outcome::Done(()) | Outcome::AlreadyDone) => Ok(()),
                    Some(Outcome::Refused(refusal)) => Err(Error::new(ErrorKind::Refused)
                        .with_code(refusal.code)
                        .with_message(refusal.message)),
                    Some(Outcome::NotTried(error)) => Err(error),
                    Some(Outcome::Unknown(error)) => Err(error.with_unknown_effect()),
                    None => Err(Error::malformed("no answer for the order").with_unknown_effect()),
                };
                work.reread(records).await?;
                Ok(vec![Acted { order: order.clone(), result }])
            })
            .await?;
        acted.into_iter().next().map_or_else(|| Err(not_linked(order)), |acted| acted.result)
    }

    /// Replaces credentials that end or have ended (KE-3). They are checked by the channel, saved in the account's
    /// vault and used from then on; the account resumes with its next cycle, which takes everything since (KE-4).
    ///
    /// # Errors
    /// `InvalidInput` with a part missing or unchanged; `Unauthorized` when the channel does not accept them;
    /// `Unsupported` where credentials don't end; `Configuration` without a vault; `Busy`, `Store`.
    pub async fn renew_credentials(&self, id: &AccountId, credentials: Credentials) -> Result<()> {
        self.locally(id, async |work| {
            let Some(renewal) = work.channel().credentials() else {
                return Err(Error::unsupported("this channel's credentials are not renewed"));
            };
            let Some(vault) = work.connected.account.vault.clone() else {
                return Err(Error::new(ErrorKind::Configuration)
                    .with_message("the account has no vault to save them in"));
            };
            let old = renewal.current().await;
            let merged = renewed(renewal.parts(), &old, credentials)?;
            let cx = work.context();
            renewal.replace(&cx, &merged).await.map_err(|e| work.placed(e, Operation::RenewCredentials))?;
            vault.save(id, &merged).await?;
            let told = renewal.expiry(&cx).await.ok().flatten();
            work.state.credentials_read = told.map(|_| work.now());
            work.state.credentials_end = told.or(merged.expires_at);
            work.state.warned_days = None;
            work.cure(&crate::store::IssueKey::Credentials);
            work.cure(&crate::store::IssueKey::CredentialsEndSoon);
            Ok(())
        })
        .await
    }

    /// Takes a webhook: checks it, reads the orders it names, and brings them into the store as a cycle would. A
    /// webhook and a cycle for the same order link it once (OS-12).
    ///
    /// # Errors
    /// `Unauthorized` when its signature is wrong: answer 401. `Unsupported` where the channel sends none. Any other:
    /// answer 500, so that the channel sends it again.
    pub async fn receive_webhook(
        &self,
        id: &AccountId,
        request: &WebhookRequest<'_>,
    ) -> Result<WebhookReply> {
        let connected = self.connected(id)?;
        let Some(webhooks) = connected.account.channel.webhooks() else {
            return Err(Error::unsupported("this channel sends no webhooks").for_account(id));
        };
        let reply = webhooks.receive(request).await.map_err(|e| {
            e.at_channel(&connected.account.channel.info().id)
                .for_account(id)
                .in_operation(Operation::ReceiveWebhook)
        })?;
        self.locally(id, async |work| {
            for event in &reply.events {
                match event {
                    WebhookEvent::Orders(orders) => work.take_orders(orders.clone(), Asked::ByCycle).await?,
                    WebhookEvent::OrdersChanged(ids) => read_named(work, ids).await?,
                    WebhookEvent::Deauthorized => {
                        work.note(
                            &Error::new(ErrorKind::Unauthorized)
                                .with_message("the merchant withdrew the authorisation"),
                        );
                    }
                    WebhookEvent::Other(_) => {}
                }
            }
            Ok(())
        })
        .await?;
        Ok(reply)
    }

    /// What the library will do next with an order, and which rule decides, in one sentence.
    ///
    /// # Errors
    /// `NotFound`, `Store`.
    pub async fn explain_order(&self, id: &AccountId, order: &OrderId) -> Result<Reason> {
        let connected = self.connected(id)?;
        match self.0.store.records(id, std::slice::from_ref(order)).await?.first() {
            Some(record) => Ok(next::explain(record, &connected.options())),
            None => Err(not_linked(order).for_account(id)),
        }
    }

    /// What the library will do next with a listing, and which rule decides, in one sentence.
    ///
    /// # Errors
    /// `NotFound`, `Store`.
    pub async fn explain_listing(&self, id: &AccountId, listing: &ListingKey) -> Result<Reason> {
        let connected = self.connected(id)?;
        let options = connected.options();
        let link = self.0.store.links(id, std::slice::from_ref(listing)).await?.pop();
        Ok(match (options.stock(), link) {
            _ if connected.account.channel.stock().is_none() => {
                Reason::new(Rule::Ss8, "the channel takes no stock quantities")
            }
            (None, _) => Reason::new(Rule::Ss7, "stock sync is off: nothing is pushed"),
            (_, None) => Reason::new(Rule::Ss2, "the listing is not linked to a SKU: nothing is pushed"),
            (Some(_), Some(ListingLink { failure: Some(failure), .. })) => {
                Reason::new(Rule::Ah1, format!("the last push failed, the next cycle tries again: {failure}"))
            }
            (Some(policy), Some(link)) => {
                let shown = link.accepted.map_or("nothing yet".to_owned(), |n| n.to_string());
                Reason::new(
                    Rule::Ss1,
                    format!(
                        "it shows {} % of what is available less {} in reserve; the channel last accepted {shown}",
                        policy.share.get(),
                        policy.reserve
                    ),
                )
            }
        })
    }

    /// An order and everything remembered about it; `None`: not known.
    ///
    /// # Errors
    /// `Store`.
    pub async fn order(&self, id: &AccountId, order: &OrderId) -> Result<Option<OrderRecord>> {
        Ok(self.0.store.records(id, std::slice::from_ref(order)).await?.pop())
    }

    /// A page of an account's orders by id, after an id.
    ///
    /// # Errors
    /// `Store`.
    pub async fn orders(
        &self,
        id: &AccountId,
        after: Option<&OrderId>,
        limit: usize,
    ) -> Result<Vec<OrderRecord>> {
        self.0.store.scan(id, Scan::All, after, limit).await
    }

    /// Takes an issue off an account's health by hand (AH-1): for those that only a person can judge, such as rows that
    /// could not be read and were taken in otherwise. Whether it was there is answered. What still goes wrong comes back
    /// with the next cycle.
    ///
    /// # Errors
    /// `NotFound`, `Busy`, `Store`.
    pub async fn acknowledge(&self, id: &AccountId, issue: &crate::store::IssueKey) -> Result<bool> {
        self.locally(id, async |work| {
            let there = work.state.health.issues.contains_key(issue);
            work.cure(issue);
            Ok(there)
        })
        .await
    }

    /// An account's health, cursor and times (AH-1).
    ///
    /// # Errors
    /// `Store`.
    pub async fn state(&self, id: &AccountId) -> Result<AccountState> {
        Ok(self.0.store.state(id).await?.unwrap_or_else(|| AccountState::new(id.clone())))
    }

    /// Sales analytics over some days, of all connected accounts (AM-4). Orders are read page by page.
    ///
    /// # Errors
    /// `Store`.
    pub async fn sales(&self, days: DateRange) -> Result<SalesReport> {
        let mut sales = SalesReport::default();
        for id in self.accounts() {
            let connected = self.connected(&id)?;
            let zone = connected.options().zone();
            let window = days.window(zone);
            let channel = &connected.account.channel.info().id;
            let mut after = None;
            loop {
                let page = self.orders(&id, after.as_ref(), self.0.settings.page.max(1)).await?;
                let Some(last) = page.last() else { break };
                after = Some(last.order.id.clone());
                for record in page.iter().filter(|record| window.contains(record.order.ordered_at)) {
                    sales.add(record, channel, zone);
                }
            }
        }
        Ok(sales)
    }

    /// Something done to single orders: the account is taken, the mode allows it, the orders are known and were just
    /// read.
    async fn by_hand(
        &self,
        id: &AccountId,
        orders: &[OrderId],
        operation: Operation,
        act: impl AsyncFnOnce(&mut Work<'_>, Vec<OrderRecord>) -> Result<Vec<Acted>>,
    ) -> Result<Vec<Acted>> {
        self.locally(id, async |work| {
            refuse_mode(work).map_err(|e| e.in_operation(operation))?;
            if !may_run(work).await? {
                return Err(match (&work.report.error, work.report.end) {
                    (Some(error), _) => error.clone(),
                    (None, End::Parked(until)) => {
                        let wait = (until - work.now()).to_std().unwrap_or_default();
                        Error::new(ErrorKind::RateLimited).with_retry(crate::Retry::After(wait))
                    }
                    _ => Error::new(ErrorKind::Unauthorized),
                });
            }
            let known = work.store.records(id, orders).await?;
            let known: Vec<OrderRecord> = known.into_iter().filter(OrderRecord::is_linked).collect();
            let read = work.reread(known).await?;
            let fresh: Vec<OrderRecord> = read.into_iter().filter(|record| work.is_fresh(record)).collect();
            let mut acted = act(work, fresh).await.map_err(|e| work.placed(e, operation))?;
            for order in orders {
                if !acted.iter().any(|done| done.order == *order) {
                    let error = if work.unread.contains(order) {
                        Error::new(ErrorKind::Unavailable)
                            .with_message("the order could not be read; nothing was done")
                    } else {
                        not_linked(order)
                    };
                    acted.push(Acted { order: order.clone(), result: Err(error.for_order(order)) });
                }
            }
            for done in &mut acted {
                if let Err(error) = &done.result {
                    done.result = Err(work.placed(error.clone(), operation));
                }
            }
            Ok(acted)
        })
        .await
    }

    /// Something done under the account's lease.
    async fn locally<T>(
        &self,
        id: &AccountId,
        act: impl AsyncFnOnce(&mut Work<'_>) -> Result<T>,
    ) -> Result<T> {
        let connected = self.connected(id)?;
        let _gate = connected.gate.lock().await;
        let mut work = Work::begin(&self.0, &connected, Arc::clone(&self.0.store), Mode::Real).await?;
        match act(&mut work).await {
            Ok(done) => {
                work.end(Ok(())).await?;
                Ok(done)
            }
            Err(error) => {
                let error = error.for_account(id);
                // Only what concerns the account goes into its health: a caller's mistake does not.
                let noted = if super::work::ends_run(&error) { Err(error.clone()) } else { Ok(()) };
                let _ = work.end(noted).await;
                Err(error)
            }
        }
    }
}

async fn run_days(work: &mut Work<'_>, days: DateRange) -> Result<()> {
    if !may_run(work).await? {
        return Ok(());
    }
    let reread = work.reread_open().await;
    work.stage(reread)?;
    let fetched = work.fetch_days(days).await;
    work.stage(fetched)?;
    after_fetch(work).await
}

/// Reads orders that a webhook names: known ones from their record, unknown ones by their id alone.
async fn read_named(work: &mut Work<'_>, ids: &[OrderId]) -> Result<()> {
    let known = work.store.records(&work.connected.account.id, ids).await?;
    let now: DateTime<Utc> = work.now();
    let currency = work.channel().info().currencies.first().copied().unwrap_or(crate::model::Currency::JPY);
    let bare: Vec<Order> = ids
        .iter()
        .filter(|id| !known.iter().any(|record| record.order.id == **id))
        .map(|id| {
            Order::new(id.clone(), crate::model::OrderStatus::Unknown, now, DateTime::UNIX_EPOCH, currency)
        })
        .collect();
    work.reread(known).await?;
    for batch in bare.chunks(work.channel().info().read_batch.max(1)) {
        let cx = work.context();
        let orders: Vec<&Order> = batch.iter().collect();
        let (outcomes, failure) = complete(work.channel().orders().read(&cx, &orders).await, batch.len());
        let fresh = outcomes.into_iter().filter_map(|outcome| match outcome {
            Outcome::Done(order) => Some(order),
            _ => None,
        });
        work.take_orders(fresh.collect(), Asked::ByCycle).await?;
        if let Some(error) = failure {
            return Err(work.placed(error, Operation::ReadOrders));
        }
    }
    Ok(())
}

/// AM-2: in statistics-only mode nothing is done to orders or stock, by hand either.
fn refuse_mode(work: &Work<'_>) -> Result<()> {
    if work.options.statistics_only() {
        return Err(Error::unsupported("the account is in statistics-only mode (AM-2)"));
    }
    Ok(())
}

/// Takes out the orders that may not be acted on, with the reason.
fn refuse(
    records: &mut Vec<OrderRecord>,
    verdict: impl Fn(&OrderRecord) -> next::Verdict,
) -> BTreeMap<OrderId, Reason> {
    let mut refused = BTreeMap::new();
    records.retain(|record| {
        let verdict = verdict(record);
        if !verdict.go {
            refused.insert(record.order.id.clone(), verdict.reason);
        }
        verdict.go
    });
    refused
}

fn results(
    refused: BTreeMap<OrderId, Reason>,
    records: &[OrderRecord],
    step: impl Fn(&OrderRecord) -> &Step,
) -> Vec<Acted> {
    let mut acted: Vec<Acted> = records
        .iter()
        .map(|record| Acted {
            order: record.order.id.clone(),
            result: outcome_of(step(record), || {
                Reason::new(Rule::Os6, "it is tried again by the next cycle")
            }),
        })
        .collect();
    acted.extend(refused.into_iter().map(|(order, reason)| {
        let result = Err(Error::new(ErrorKind::Refused).with_message(&reason).for_order(&order));
        Acted { order, result }
    }));
    acted
}

fn outcome_of(step: &Step, why_not: impl FnOnce() -> Reason) -> Result<()> {
    match step {
        Step::Done { .. } => Ok(()),
        Step::Refused { code, message, .. } => {
            Err(Error::new(ErrorKind::Refused).with_code(code).with_message(message))
        }
        Step::Started { .. } => Err(Error::new(ErrorKind::TimedOut)
            .with_message("the answer was lost; the order is read before anything else")
            .with_unknown_effect()),
        Step::None | Step::Planned { .. } => {
            Err(Error::new(ErrorKind::Unavailable).with_message(why_not()).with_retry(crate::Retry::Later))
        }
    }
}

fn not_linked(order: &OrderId) -> Error {
    Error::new(ErrorKind::NotFound).with_message("the order is not linked").for_order(order)
}

/// The old credentials with the new parts in their place. A part that a renewal changes must be there and differ
/// (KE-3).
fn renewed(
    parts: &[crate::channel::CredentialPart],
    old: &Credentials,
    new: Credentials,
) -> Result<Credentials> {
    let mut merged = old.clone();
    for part in parts.iter().filter(|part| part.renewed) {
        let Some(value) = new.get(part.name) else {
            return Err(Error::invalid(format!("{} is missing: {} (KE-3)", part.name, part.help)));
        };
        if old.get(part.name) == Some(value) {
            return Err(Error::invalid(format!(
                "{} is the old one: enter the renewed one (KE-3)",
                part.name
            )));
        }
        if part.with_expiry && (new.expires_at.is_none() || new.expires_at == old.expires_at) {
            return Err(Error::invalid("the date on which they end is missing or the old one (KE-3)"));
        }
        merged.parts.insert(part.name.to_owned(), value.clone());
    }
    for (name, value) in new.parts {
        if let Some(part) = parts.iter().find(|part| part.name == name) {
            if !part.renewed {
                merged.parts.insert(name, value);
            }
        } else {
            return Err(Error::invalid(format!("{name} is not a part of this channel's credentials")));
        }
    }
    merged.expires_at = new.expires_at;
    Ok(merged)
}
