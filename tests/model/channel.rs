//! A channel in memory, strict about what may be done twice: a repeated confirmation or dispatch is counted.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use sales_channels::channel::{
    CancelAction, CancelDecision, CancelPage, CancelRequest, Capabilities, CapabilityCheck, Channel,
    ChannelInfo, ConfirmOrders, ConfirmRequest, Confirmed, ConnectionReport, Context, CredentialPart,
    Credentials, DispatchOrders, DispatchRequest, Dispatched, FetchOrders, HandOver, HandleCancellations,
    LocalText, Notify, NotifyBuyer, OptionCode, OrderPage, OrderQuery, Outcome, PageCursor, Refusal,
    RenewCredentials, Repeat, Row, SetShipDate, ShipDateRequest, ShipDates, StockAccepted, StockChange,
    Tracking, TrackingUpdate, UnreadableRow, UpdateStock,
};
use sales_channels::model::{
    CancelState, Clock, Currency, Destination, Hold, Line, ListingKey, Money, Order, OrderId, OrderStatus,
    Party, Private, RawPayload, Sku, Window,
};
use sales_channels::{Error, ErrorKind, Result};

use super::Fuse;

/// An order as the market keeps it.
#[derive(Debug, Clone)]
pub struct Sold {
    pub order: Order,
    /// From when it shows in answers.
    pub visible_from: DateTime<Utc>,
    pub confirmations: u32,
    pub ship_dates: Vec<NaiveDate>,
    pub dispatches: Vec<(Tracking, Option<Notify>, Option<HandOver>)>,
    /// Confirming is refused with this code.
    pub refuses: Option<(String, bool)>,
    pub unreadable: bool,
}

/// When the channel's own logistics gives a parcel its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbering {
    /// In its answer to the dispatch.
    AtOnce,
    /// Some time after it, on the order.
    Later,
}

#[derive(Debug)]
pub struct Switches {
    pub confirm: bool,
    /// `None`: no ship dates; `Some(true)`: with the confirmation.
    pub ship_date: Option<bool>,
    pub dispatch: bool,
    pub stock: bool,
    pub notify: bool,
    pub hand_over: &'static [HandOver],
    /// For parcels that are reported without a number.
    pub numbering: Numbering,
    pub credentials: bool,
    /// What the channel says when its credentials end, where it has an API for it.
    pub tells_expiry: Option<DateTime<Utc>>,
    pub option_code: OptionCode,
    pub page: usize,
    pub batch: usize,
    pub reversed: bool,
    pub max_window: Duration,
}

#[derive(Debug)]
pub struct Inside {
    pub orders: BTreeMap<OrderId, Sold>,
    pub shown: BTreeMap<ListingKey, u32>,
    pub pushes: Vec<(ListingKey, u32)>,
    pub switches: Switches,
    /// Errors to answer the next calls of an operation with, and whether the effect happens all the same.
    pub faults: BTreeMap<&'static str, VecDeque<(Error, bool)>>,
    pub calls: BTreeMap<&'static str, u32>,
    pub credentials: Credentials,
    pub accepted_key: String,
}

/// The marketplace behind a [`ModelChannel`].
#[derive(Debug)]
pub struct Market {
    inside: Mutex<Inside>,
    clock: Arc<dyn Clock>,
}

impl Market {
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let switches = Switches {
            confirm: true,
            ship_date: Some(true),
            dispatch: true,
            stock: true,
            notify: false,
            hand_over: &[],
            numbering: Numbering::AtOnce,
            credentials: false,
            tells_expiry: None,
            option_code: OptionCode::Plain,
            page: 10,
            batch: 5,
            reversed: false,
            max_window: Duration::from_secs(24 * 3600),
        };
        let inside = Inside {
            orders: BTreeMap::new(),
            shown: BTreeMap::new(),
            pushes: Vec::new(),
            switches,
            faults: BTreeMap::new(),
            calls: BTreeMap::new(),
            credentials: Credentials::new().with("key", "good"),
            accepted_key: "good".into(),
        };
        Self { inside: Mutex::new(inside), clock }
    }

    pub fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap()
    }

    pub fn switch(&self, change: impl FnOnce(&mut Switches)) {
        change(&mut self.inside().switches);
    }

    /// A new, paid order of one line.
    pub fn sell(&self, id: &str, sku: &str, quantity: u32, paid_at: DateTime<Utc>) -> OrderId {
        self.sell_with(id, sku, quantity, paid_at, |_| {})
    }

    pub fn sell_with(
        &self,
        id: &str,
        sku: &str,
        quantity: u32,
        paid_at: DateTime<Utc>,
        change: impl FnOnce(&mut Sold),
    ) -> OrderId {
        let mut order = Order::new(id, OrderStatus::New, paid_at, paid_at, Currency::JPY);
        order.paid_at = Some(paid_at);
        let mut line = Line::new("1", ListingKey::item(format!("item-{sku}")), quantity, OrderStatus::New);
        line.sku = Some(Sku::from(sku));
        line.title = format!("{sku} 🌿");
        line.unit_price = Some(Money::new(1980.into(), Currency::JPY));
        order.lines.push(line);
        let mut party = Party::default();
        party.name = "山田 花子".into();
        party.address.postal_code = "100-0001".into();
        party.address.lines.push("千代田1-1".into());
        order.buyer = Private::new(party.clone());
        let mut destination = Destination::default();
        destination.recipient = Private::new(party);
        order.destinations.push(destination);
        order.raw = RawPayload::new(&format!("{{\"id\":\"{id}\"}}"));
        let mut sold = Sold {
            order,
            visible_from: paid_at,
            confirmations: 0,
            ship_dates: Vec::new(),
            dispatches: Vec::new(),
            refuses: None,
            unreadable: false,
        };
        change(&mut sold);
        let id = sold.order.id.clone();
        self.inside().orders.insert(id.clone(), sold);
        id
    }

    /// Changes an order as its back office or the buyer would, at the present time.
    pub fn edit(&self, id: &OrderId, change: impl FnOnce(&mut Order)) {
        let now = self.clock.now();
        let mut inside = self.inside();
        let order = &mut inside.orders.get_mut(id).unwrap().order;
        change(order);
        order.updated_at = now;
    }

    pub fn sold(&self, id: &OrderId) -> Sold {
        self.inside().orders[id].clone()
    }

    /// The next call of this operation fails; `done`: after its effect.
    pub fn fail(&self, operation: &'static str, error: Error, done: bool) {
        self.inside().faults.entry(operation).or_default().push_back((error, done));
    }

    pub fn calls(&self, operation: &str) -> u32 {
        self.inside().calls.get(operation).copied().unwrap_or(0)
    }
}

/// A connection to a [`Market`].
#[derive(Debug)]
pub struct ModelChannel {
    market: Arc<Market>,
    fuse: Arc<Fuse>,
    info: ChannelInfo,
    hand_over: &'static [HandOver],
}

impl ModelChannel {
    pub fn new(market: Arc<Market>, fuse: Arc<Fuse>) -> Self {
        let name = LocalText { en: "Model", ja: "モデル", ko: "모델" };
        let mut info = ChannelInfo::new("model", name, chrono_tz::Asia::Tokyo, Currency::JPY);
        let hand_over;
        {
            let inside = market.inside();
            let s = &inside.switches;
            info.confirm_batch = s.batch;
            info.dispatch_batch = s.batch;
            info.stock_batch = s.batch;
            info.read_batch = s.batch;
            info.max_window = s.max_window;
            info.option_code = s.option_code;
            hand_over = s.hand_over;
        }
        Self { market, fuse, info, hand_over }
    }

    /// Passes the fuse, counts the call, and tells what fault it meets.
    async fn call(&self, operation: &'static str) -> Result<Option<Error>> {
        self.fuse.point().await;
        let mut inside = self.market.inside();
        *inside.calls.entry(operation).or_default() += 1;
        let good =
            inside.credentials.get("key").map(|k| k.expose().to_owned()) == Some(inside.accepted_key.clone());
        if !good {
            return Err(Error::new(ErrorKind::Unauthorized));
        }
        match inside.faults.get_mut(operation).and_then(VecDeque::pop_front) {
            Some((error, false)) => Err(error),
            Some((error, true)) => Ok(Some(error)),
            None => Ok(None),
        }
    }

    async fn answer<T>(&self, fault: Option<Error>, answer: T) -> Result<T> {
        self.fuse.point().await;
        match fault {
            Some(error) => Err(error),
            None => Ok(answer),
        }
    }
}

#[async_trait]
impl Channel for ModelChannel {
    fn info(&self) -> &ChannelInfo {
        &self.info
    }

    fn orders(&self) -> &dyn FetchOrders {
        self
    }

    fn confirm(&self) -> Option<&dyn ConfirmOrders> {
        self.market.inside().switches.confirm.then_some(self as _)
    }

    fn ship_date(&self) -> Option<ShipDates<'_>> {
        match self.market.inside().switches.ship_date {
            None => None,
            Some(true) => Some(ShipDates::WithConfirmation),
            Some(false) => Some(ShipDates::Separate(self)),
        }
    }

    fn dispatch(&self) -> Option<&dyn DispatchOrders> {
        self.market.inside().switches.dispatch.then_some(self as _)
    }

    fn stock(&self) -> Option<&dyn UpdateStock> {
        self.market.inside().switches.stock.then_some(self as _)
    }

    fn notify(&self) -> Option<&dyn NotifyBuyer> {
        self.market.inside().switches.notify.then_some(self as _)
    }

    fn cancellations(&self) -> Option<&dyn HandleCancellations> {
        Some(self)
    }

    fn credentials(&self) -> Option<&dyn RenewCredentials> {
        self.market.inside().switches.credentials.then_some(self as _)
    }

    async fn test(&self, _: &Context) -> Result<ConnectionReport> {
        self.call("test").await?;
        let checks = Capabilities::of(self).iter().map(|c| (c, CapabilityCheck::Allowed)).collect();
        Ok(ConnectionReport::new(checks))
    }
}

#[async_trait]
impl FetchOrders for ModelChannel {
    async fn fetch(&self, _: &Context, query: &OrderQuery, cursor: Option<&PageCursor>) -> Result<OrderPage> {
        let fault = self.call("fetch").await?;
        let now = self.market.clock.now();
        let page = {
            let inside = self.market.inside();
            let mut found: Vec<&Sold> = inside
                .orders
                .values()
                .filter(|sold| sold.visible_from <= now)
                .filter(|sold| query.window.contains(sold.order.paid_at.unwrap_or(sold.order.ordered_at)))
                .collect();
            found.sort_by_key(|sold| (sold.order.paid_at, sold.order.id.clone()));
            if inside.switches.reversed {
                found.reverse();
            }
            let from: usize = cursor.map_or(0, |c| c.as_str().parse().unwrap());
            let to = from + inside.switches.page;
            let rows = found
                .iter()
                .skip(from)
                .take(inside.switches.page)
                .map(|sold| {
                    if sold.unreadable {
                        let id = Some(sold.order.id.clone());
                        Row::Unreadable(UnreadableRow::new(
                            id,
                            "quantity is not a number",
                            sold.order.raw.clone(),
                        ))
                    } else {
                        Row::Order(Box::new(sold.order.clone()))
                    }
                })
                .collect();
            OrderPage { rows, next: (to < found.len()).then(|| PageCursor::new(to.to_string())) }
        };
        self.answer(fault, page).await
    }

    async fn read(&self, _: &Context, orders: &[&Order]) -> Result<Vec<Outcome<Order>>> {
        let fault = self.call("read").await?;
        let outcomes = {
            let inside = self.market.inside();
            orders
                .iter()
                .map(|order| match inside.orders.get(&order.id) {
                    Some(sold) => Outcome::Done(sold.order.clone()),
                    None => Outcome::Refused(Refusal::new("gone", "no such order")),
                })
                .collect()
        };
        self.answer(fault, outcomes).await
    }
}

#[async_trait]
impl ConfirmOrders for ModelChannel {
    async fn confirm(&self, _: &Context, requests: &[ConfirmRequest<'_>]) -> Result<Vec<Outcome<Confirmed>>> {
        assert!(requests.len() <= self.info.confirm_batch, "more than the batch size");
        let fault = self.call("confirm").await?;
        let now = self.market.clock.now();
        let outcomes = {
            let mut inside = self.market.inside();
            requests
                .iter()
                .map(|request| {
                    let sold = inside.orders.get_mut(&request.order.id).unwrap();
                    if let Some((code, temporary)) = &sold.refuses {
                        let refusal = Refusal::new(code, "no");
                        return Outcome::Refused(if *temporary { refusal.temporary() } else { refusal });
                    }
                    match sold.order.status {
                        OrderStatus::New => {
                            sold.confirmations += 1;
                            sold.ship_dates.extend(request.ship_date);
                            sold.order.expected_ship_date = request.ship_date;
                            sold.order.status = OrderStatus::Confirmed;
                            sold.order.updated_at = now;
                            Outcome::Done(Confirmed::default())
                        }
                        OrderStatus::Confirmed => Outcome::AlreadyDone,
                        _ => Outcome::Refused(Refusal::new("state", "not new").reread()),
                    }
                })
                .collect()
        };
        self.answer(fault, outcomes).await
    }

    fn repeat(&self) -> Repeat {
        Repeat::Safe
    }
}

#[async_trait]
impl SetShipDate for ModelChannel {
    async fn set_ship_date(&self, _: &Context, requests: &[ShipDateRequest<'_>]) -> Result<Vec<Outcome<()>>> {
        let fault = self.call("set_ship_date").await?;
        let now = self.market.clock.now();
        let outcomes = {
            let mut inside = self.market.inside();
            requests
                .iter()
                .map(|request| {
                    let sold = inside.orders.get_mut(&request.order.id).unwrap();
                    sold.ship_dates.push(request.date);
                    sold.order.expected_ship_date = Some(request.date);
                    sold.order.updated_at = now;
                    Outcome::Done(())
                })
                .collect()
        };
        self.answer(fault, outcomes).await
    }

    fn repeat(&self) -> Repeat {
        Repeat::ReadFirst
    }
}

#[async_trait]
impl DispatchOrders for ModelChannel {
    async fn dispatch(
        &self,
        _: &Context,
        requests: &[DispatchRequest<'_>],
    ) -> Result<Vec<Outcome<Dispatched>>> {
        let fault = self.call("dispatch").await?;
        let now = self.market.clock.now();
        let outcomes = {
            let mut inside = self.market.inside();
            let numbering = inside.switches.numbering;
            requests
                .iter()
                .map(|request| {
                    let sold = inside.orders.get_mut(&request.order.id).unwrap();
                    if sold.order.status == OrderStatus::Cancelled {
                        return Outcome::Refused(Refusal::new("cancelled", "it is cancelled").reread());
                    }
                    let own = Tracking::new("Model Express", format!("M-{}", request.order.id));
                    let tracking = request.tracking.cloned().unwrap_or_else(|| own.clone());
                    sold.dispatches.push((tracking.clone(), request.notify, request.hand_over));
                    let numbered = request.tracking.is_some() || numbering == Numbering::AtOnce;
                    if numbered {
                        sold.order.tracking.push(tracking);
                    }
                    for line in &mut sold.order.lines {
                        let part = request.lines.iter().find(|(id, _)| *id == line.id).map(|(_, n)| *n);
                        line.shipped +=
                            if request.lines.is_empty() { line.outstanding() } else { part.unwrap_or(0) };
                    }
                    if sold.order.lines.iter().all(|line| line.outstanding() == 0) {
                        sold.order.status = OrderStatus::Shipped;
                    }
                    sold.order.updated_at = now;
                    let mut done = Dispatched::default();
                    done.tracking = (numbered && request.tracking.is_none()).then_some(own);
                    done.parcels.push(format!("parcel-{}", sold.dispatches.len()));
                    done.label = Some(Private::new("https://label.example/1".to_owned()));
                    Outcome::Done(done)
                })
                .collect()
        };
        self.answer(fault, outcomes).await
    }

    fn repeat(&self) -> Repeat {
        Repeat::ReadFirst
    }

    fn hand_over_methods(&self) -> &[HandOver] {
        self.hand_over
    }
}

#[async_trait]
impl UpdateStock for ModelChannel {
    async fn set_stock(
        &self,
        _: &Context,
        changes: &[StockChange<'_>],
    ) -> Result<Vec<Outcome<StockAccepted>>> {
        let fault = self.call("set_stock").await?;
        let outcomes = {
            let mut inside = self.market.inside();
            changes
                .iter()
                .map(|change| {
                    inside.shown.insert(change.listing.clone(), change.quantity);
                    inside.pushes.push((change.listing.clone(), change.quantity));
                    Outcome::Done(StockAccepted { quantity: change.quantity })
                })
                .collect()
        };
        self.answer(fault, outcomes).await
    }

    async fn read_stock(&self, _: &Context, listings: &[ListingKey]) -> Result<Vec<Outcome<StockAccepted>>> {
        let fault = self.call("read_stock").await?;
        let outcomes = {
            let inside = self.market.inside();
            listings
                .iter()
                .map(|key| match inside.shown.get(key) {
                    Some(quantity) => Outcome::Done(StockAccepted { quantity: *quantity }),
                    None => Outcome::Refused(Refusal::new("gone", "no such listing")),
                })
                .collect()
        };
        self.answer(fault, outcomes).await
    }
}

#[async_trait]
impl NotifyBuyer for ModelChannel {
    async fn update_tracking(&self, _: &Context, updates: &[TrackingUpdate<'_>]) -> Result<Vec<Outcome<()>>> {
        Ok(updates.iter().map(|_| Outcome::Done(())).collect())
    }
}

#[async_trait]
impl HandleCancellations for ModelChannel {
    async fn requests(&self, _: &Context, window: Window, _: Option<&PageCursor>) -> Result<CancelPage> {
        let inside = self.market.inside();
        let requests = inside
            .orders
            .values()
            .filter(|sold| {
                sold.order.cancel == CancelState::Requested && window.contains(sold.order.updated_at)
            })
            .map(|sold| CancelRequest::new(sold.order.id.clone(), true))
            .collect();
        Ok(CancelPage { requests, unreadable: Vec::new(), next: None })
    }

    fn actions(&self) -> &[CancelAction] {
        &[CancelAction::Accept]
    }

    async fn decide(&self, _: &Context, decisions: &[CancelDecision<'_>]) -> Result<Vec<Outcome<()>>> {
        for decision in decisions {
            self.market.edit(&decision.order.id, |order| order.status = OrderStatus::Cancelled);
        }
        Ok(decisions.iter().map(|_| Outcome::Done(())).collect())
    }
}

const PARTS: &[CredentialPart] =
    &[CredentialPart::renewed("key", "the key from the back office").with_expiry()];

#[async_trait]
impl RenewCredentials for ModelChannel {
    fn parts(&self) -> &[CredentialPart] {
        PARTS
    }

    async fn current(&self) -> Credentials {
        self.market.inside().credentials.clone()
    }

    async fn expiry(&self, _: &Context) -> Result<Option<DateTime<Utc>>> {
        self.call("expiry").await?;
        Ok(self.market.inside().switches.tells_expiry)
    }

    async fn replace(&self, _: &Context, credentials: &Credentials) -> Result<()> {
        let mut inside = self.market.inside();
        if credentials.get("key").map(|key| key.expose()) != Some(inside.accepted_key.as_str()) {
            return Err(Error::new(ErrorKind::Unauthorized));
        }
        inside.credentials = credentials.clone();
        Ok(())
    }
}

/// Puts an order on hold or takes the hold away.
pub fn hold(order: &mut Order, hold: Option<Hold>) {
    order.holds = hold.into_iter().collect();
}

pub fn minutes(n: i64) -> TimeDelta {
    TimeDelta::minutes(n)
}
