//! Stages that read: open orders again (OS-10), new orders (OS), deliveries (DT).

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, HashSet};
use std::hash::{Hash, Hasher};

use chrono::TimeDelta;

use super::work::{Work, complete, ends_run};
use super::{Event, What};
use crate::channel::{Operation, OrderPage, OrderQuery, Outcome, PageCursor, Row};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Component, DateRange, LinkState, ListingLink, Order, OrderId, OrderRecord, Window};
use crate::policy::link::{Asked, Decision, decide};
use crate::policy::{state, window};
use crate::store::{Commit, HealthLevel, IssueKey, Scan};

impl Work<'_> {
    /// Reads every open order again, so that a cancel request or a shipment made elsewhere is seen before anything
    /// is done to the order (OS-10). Watched orders that have become eligible are linked, others dropped.
    pub(super) async fn reread_open(&mut self) -> Result<()> {
        let mut after: Option<OrderId> = None;
        loop {
            let page = self.scan(Scan::Working, after.as_ref()).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.order.id.clone());
            if let Err(error) = self.reread(page).await {
                self.reread_failed = true;
                return Err(error);
            }
        }
    }

    /// Reads these orders and stores what became of them.
    pub(super) async fn reread(&mut self, mut records: Vec<OrderRecord>) -> Result<Vec<OrderRecord>> {
        let batch = self.channel().info().read_batch.max(1);
        let mut start = 0;
        while start < records.len() {
            let end = (start + batch).min(records.len());
            self.reread_batch(&mut records[start..end]).await?;
            start = end;
        }
        Ok(records)
    }

    async fn reread_batch(&mut self, records: &mut [OrderRecord]) -> Result<()> {
        let cx = self.context();
        let orders: Vec<&Order> = records.iter().map(|record| &record.order).collect();
        let answer = self.channel().orders().read(&cx, &orders).await;
        let (outcomes, failure) = complete(answer, records.len());
        let now = self.now();
        let mut commit = Commit::default();
        let mut eligible = Vec::new();
        for (record, outcome) in records.iter_mut().zip(outcomes) {
            let id = record.order.id.clone();
            match outcome {
                Outcome::Done(fresh) if fresh.id == id => {
                    self.report.tally.reread += 1;
                    let absorbed = state::absorb(record, fresh, &self.options, now);
                    state::settle(record, now);
                    if absorbed.found_confirmed {
                        self.report.tally.found_confirmed += 1;
                    }
                    if absorbed.changed {
                        let state = record.order.status.to_string();
                        self.emit(&Event::Changed { order: id.clone(), state });
                    }
                    if record.link == LinkState::Watched {
                        eligible.push(record.clone());
                    } else {
                        commit.records.push(record.clone());
                    }
                }
                Outcome::Refused(refusal) => {
                    self.unread.insert(id.clone());
                    if record.link == LinkState::Watched {
                        commit.forget.push(id);
                    } else {
                        let reason = format!("[{}] {}", refusal.code, refusal.message);
                        self.refused(&id, Operation::ReadOrders, &reason);
                    }
                }
                _ => {
                    self.unread.insert(id);
                }
            }
        }
        self.take_watched(eligible, &mut commit).await?;
        self.commit(commit).await?;
        match failure {
            Some(error) => Err(self.placed(error, Operation::ReadOrders)),
            None => {
                self.succeeded(Operation::ReadOrders);
                Ok(())
            }
        }
    }

    /// Watched orders whose state was just read: they are rows of this run like any other.
    async fn take_watched(&mut self, records: Vec<OrderRecord>, commit: &mut Commit) -> Result<()> {
        if records.is_empty() {
            return Ok(());
        }
        let rows = records.iter().map(|record| Row::Order(Box::new(record.order.clone()))).collect();
        let known = records.into_iter().map(|record| (record.order.id.clone(), record)).collect();
        let room = self.room();
        let taken = self.take(rows, known, Asked::ByCycle, room).await?;
        commit.records.extend(taken.commit.records);
        commit.forget.extend(taken.commit.forget);
        commit.links.extend(taken.commit.links);
        Ok(())
    }

    /// Fetches what is new, window by window, until all is taken or the cap is reached (OS).
    pub(super) async fn fetch_new(&mut self) -> Result<()> {
        let max_window = self.max_window();
        let mut run = window::begin(
            self.state.cursor.clone(),
            self.report.started_at,
            self.options.zone(),
            self.options.lookback(),
            max_window,
        );
        self.state.cursor = run.cursor.clone();
        if run.clock_went_back() {
            self.raise(
                IssueKey::Clock,
                HealthLevel::Degraded,
                "this machine's clock went back: today's orders are fetched again",
                "check the clock",
            );
        } else {
            self.cure(&IssueKey::Clock);
        }
        // Where the sync began must survive a first cycle that fails (OS-6).
        self.commit(Commit::default().with_state(self.state.clone())).await?;

        while let Some(step) = run.next() {
            self.emit(&Event::Window { window: step.window, reason: step.reason() });
            let mut pages = Pages::new(step.window);
            loop {
                let page = self.next_page(&mut pages).await?;
                let room = self.room();
                let mut taken = self.take_page(page, Asked::ByCycle, room).await?;
                let capped = taken.left_over > 0 || (self.room() == 0 && pages.next.is_some());
                if capped {
                    run.leave_open(&step);
                } else if pages.next.is_none() {
                    run.close(&step);
                    self.report.tally.windows += 1;
                }
                // The cursor moves in the transaction that stores the last of its orders. When that fails, it must
                // not have moved here either: the end of the run stores the state once more.
                let mut state = self.state.clone();
                state.cursor = run.cursor.clone();
                taken.commit.state = Some(state);
                self.commit(taken.commit).await?;
                self.state.cursor = run.cursor.clone();
                self.emit(&Event::Page { tally: self.report.tally });
                if capped {
                    return Ok(());
                }
                if pages.next.is_none() {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Fetches given days (OS-8): no cap, and the automatic cursor stays where it is.
    pub(super) async fn fetch_days(&mut self, days: DateRange) -> Result<()> {
        let mut span = days.window(self.options.zone());
        // What lies in the future has not happened.
        span.to = span.to.min(self.report.started_at);
        for window in window::manual(span, self.max_window()) {
            let mut pages = Pages::new(window);
            loop {
                let page = self.next_page(&mut pages).await?;
                let taken = self.take_page(page, Asked::ByHand, u64::MAX).await?;
                self.commit(taken.commit).await?;
                self.emit(&Event::Page { tally: self.report.tally });
                if pages.next.is_none() {
                    self.report.tally.windows += 1;
                    break;
                }
            }
        }
        Ok(())
    }

    /// Reads deliveries that are due (DT-3).
    pub(super) async fn follow(&mut self) -> Result<()> {
        let due = Scan::FollowDue(self.report.started_at);
        let mut after: Option<OrderId> = None;
        loop {
            let page = self.scan(due, after.as_ref()).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.order.id.clone());
            self.report.tally.followed += page.len() as u64;
            let mut read = self.reread(page).await?;
            // An order that could not be read, or told nothing new, is asked again later all the same.
            let now = self.now();
            read.retain(|record| record.next_read.is_some_and(|at| at <= now));
            for record in &mut read {
                record.next_read = crate::policy::follow::next_read(record, &self.options, now);
            }
            self.commit(Commit::default().with_records(read)).await?;
        }
    }

    /// Brings the state that was just read of orders into the store, whoever delivered it.
    pub(super) async fn take_orders(&mut self, orders: Vec<Order>, asked: Asked) -> Result<()> {
        let rows = orders.into_iter().map(|order| Row::Order(Box::new(order))).collect();
        let taken = self.take_page(OrderPage { rows, next: None }, asked, u64::MAX).await?;
        self.commit(taken.commit).await
    }

    pub(super) async fn scan(&self, scan: Scan, after: Option<&OrderId>) -> Result<Vec<OrderRecord>> {
        let page = self.hub.settings.page.max(1);
        self.store.scan(&self.connected.account.id, scan, after, page).await
    }

    fn max_window(&self) -> TimeDelta {
        TimeDelta::from_std(self.channel().info().max_window).unwrap_or(TimeDelta::days(1))
    }

    /// How many orders this run may still link.
    fn room(&self) -> u64 {
        u64::from(self.options.max_orders_per_cycle()).saturating_sub(self.report.tally.linked)
    }

    async fn next_page(&mut self, pages: &mut Pages) -> Result<OrderPage> {
        let cx = self.context();
        let query = OrderQuery::window(pages.window);
        let page = self
            .channel()
            .orders()
            .fetch(&cx, &query, pages.next.as_ref())
            .await
            .and_then(|page| pages.turn(page))
            .map_err(|error| self.placed(error, Operation::FetchOrders))?;
        self.succeeded(Operation::FetchOrders);
        Ok(page)
    }

    async fn take_page(&mut self, page: OrderPage, asked: Asked, room: u64) -> Result<Taken> {
        let ids: Vec<OrderId> =
            page.rows.iter().filter_map(|row| row.order().map(|order| order.id.clone())).collect();
        let known = self.store.records(&self.connected.account.id, &ids).await?;
        let known = known.into_iter().map(|record| (record.order.id.clone(), record)).collect();
        self.take(page.rows, known, asked, room).await
    }

    /// Decides about each row, and prepares the transaction that stores it all.
    async fn take(
        &mut self,
        rows: Vec<Row>,
        mut known: BTreeMap<OrderId, OrderRecord>,
        asked: Asked,
        room: u64,
    ) -> Result<Taken> {
        let now = self.now();
        let options = std::sync::Arc::clone(&self.options);
        let mut commit = Commit::default();
        let mut touched: BTreeMap<OrderId, OrderRecord> = BTreeMap::new();
        let (mut left_over, mut linked) = (0, 0);
        let links = self.links_of(rows.iter().filter_map(Row::order)).await?;
        let mut stocked = self.stocked(rows.iter().filter_map(Row::order), &links).await;
        if let Err(error) = &stocked {
            let error = error.clone();
            if ends_run(&error) && matches!(error.kind(), ErrorKind::Store | ErrorKind::Busy) {
                return Err(error);
            }
            // The centre's trouble keeps no order from being linked.
            self.raise(
                IssueKey::Operation(Operation::CentreStock),
                HealthLevel::Degraded,
                &error.to_string(),
                error.kind().advice(),
            );
            stocked = Err(error);
        } else if matches!(stocked, Ok(Some(_))) {
            let now = self.now();
            self.state.health.succeeded(Operation::CentreStock, now);
        }

        for row in rows {
            let order = match row {
                Row::Order(order) => *order,
                Row::Unreadable(row) => {
                    self.report.tally.seen += 1;
                    self.report.tally.unreadable += 1;
                    let subject = row.id.as_ref().map_or("?", OrderId::as_str).to_owned();
                    self.report.line(subject, What::Unreadable, &row.reason);
                    self.raise(
                        IssueKey::UnreadableRows,
                        HealthLevel::Degraded,
                        &format!("a row could not be read: {}", row.reason),
                        "read the stored rows and take them in by hand; report what the adapter can't read",
                    );
                    self.emit(&Event::Unreadable { order: row.id.clone(), reason: row.reason.clone() });
                    commit.unreadable.push(row);
                    continue;
                }
            };
            let id = order.id.clone();
            let record = touched.remove(&id).or_else(|| known.remove(&id));
            let newest = match &record {
                Some(record) if !order.supersedes(&record.order) => &record.order,
                _ => &order,
            };
            let decision = decide(newest, record.as_ref(), asked);
            if matches!(decision, Decision::Link(_)) && linked >= room {
                left_over += 1;
                if let Some(record) = record {
                    touched.insert(id, record);
                }
                continue;
            }
            self.report.tally.seen += 1;
            match decision {
                Decision::Known(_) => {
                    self.report.tally.known += 1;
                    if let Some(mut record) = record {
                        let absorbed = state::absorb(&mut record, order, &options, now);
                        if absorbed.found_confirmed {
                            self.report.tally.found_confirmed += 1;
                        }
                        if absorbed.changed {
                            let state = record.order.status.to_string();
                            self.emit(&Event::Changed { order: id.clone(), state });
                        }
                        touched.insert(id, record);
                    }
                }
                Decision::Link(why) => {
                    linked += 1;
                    self.report.tally.linked += 1;
                    let mut record = self.taken_in(record, order, now);
                    let fulfilment = self.classify(&record.order, &links, &stocked);
                    let next = state::link(&mut record, fulfilment, &options, now);
                    self.new_links(&record, &links, &mut commit);
                    self.report.line(&id, What::Linked, format!("{why}; {next}"));
                    self.emit(&Event::Linked { order: id.clone(), reason: next });
                    touched.insert(id, record);
                }
                Decision::Watch(reason) => {
                    self.report.tally.excluded += 1;
                    let mut record = self.taken_in(record, order, now);
                    if !matches!(record.link, LinkState::Deleted { .. }) {
                        record.link = LinkState::Watched;
                    }
                    record.sku_from_channel = options.sku_from_channel();
                    self.report.line(&id, What::NotLinked, &reason);
                    self.emit(&Event::NotLinked { order: id.clone(), reason });
                    touched.insert(id, record);
                }
                Decision::Exclude(reason) => {
                    self.report.tally.excluded += 1;
                    self.report.line(&id, What::NotLinked, &reason);
                    self.emit(&Event::NotLinked { order: id.clone(), reason });
                    match record {
                        Some(record) if record.link == LinkState::Watched => commit.forget.push(id),
                        Some(record) => drop(touched.insert(id, record)),
                        None => {}
                    }
                }
            }
        }
        self.report.tally.left_over += left_over;
        commit.records.extend(touched.into_values());
        Ok(Taken { commit, left_over })
    }

    /// The record of an order to be linked or watched, with its newest state.
    fn taken_in(
        &self,
        record: Option<OrderRecord>,
        order: Order,
        now: chrono::DateTime<chrono::Utc>,
    ) -> OrderRecord {
        match record {
            Some(mut record) => {
                state::absorb(&mut record, order, &self.options, now);
                record
            }
            None => OrderRecord::new(self.connected.account.id.clone(), order, LinkState::Watched),
        }
    }

    /// A listing that an order brings with its SKU is linked by it (SS-2), unless it is linked already.
    fn new_links(
        &self,
        record: &OrderRecord,
        links: &BTreeMap<crate::model::ListingKey, ListingLink>,
        commit: &mut Commit,
    ) {
        if !self.options.sku_from_channel() {
            return;
        }
        for line in &record.order.lines {
            let Some(sku) = &line.sku else { continue };
            if links.contains_key(&line.listing) || commit.links.iter().any(|link| link.key == line.listing) {
                continue;
            }
            let part = Component { sku: sku.clone(), quantity: 1 };
            commit.links.push(ListingLink::new(record.account.clone(), line.listing.clone(), vec![part]));
        }
    }
}

/// A page taken in: its transaction, and how many rows had no room.
struct Taken {
    commit: Commit,
    left_over: u64,
}

/// Turning the pages of a window.
struct Pages {
    window: Window,
    next: Option<PageCursor>,
    /// Hashes of all cursors so far: a cursor that comes back would be an endless loop.
    seen: HashSet<u64>,
}

impl Pages {
    fn new(window: Window) -> Self {
        Self { window, next: None, seen: HashSet::new() }
    }

    fn turn(&mut self, page: OrderPage) -> Result<OrderPage> {
        if let Some(cursor) = &page.next {
            let mut hasher = DefaultHasher::new();
            cursor.hash(&mut hasher);
            if !self.seen.insert(hasher.finish()) {
                return Err(Error::malformed("the channel gave the same page cursor twice"));
            }
        }
        self.next.clone_from(&page.next);
        Ok(page)
    }
}
