//! What the marketplace holds, and where to find it. Changes to lines are in acting.rs.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};

use super::draft::{LineDraft, OrderDraft};
use super::event::{Action, Actor, Event, Refusal, Subject};
use super::ids::{ItemId, LineNumber, OptionId, OrderNumber};
use super::item::{Item, ItemDraft, ItemOption};
use super::order::{Line, LineState, Order};

/// Everything the marketplace holds.
#[derive(Debug)]
pub struct MarketState {
    orders: Vec<Order>,
    by_number: HashMap<OrderNumber, usize>,
    by_line: HashMap<LineNumber, usize>,
    by_cart: HashMap<u64, Vec<usize>>,
    /// A window of payment times is asked for again and again, also over very many orders.
    by_paid_at: BTreeSet<(DateTime<Utc>, usize)>,
    items: BTreeMap<ItemId, Item>,
    record: Vec<Event>,
    next: Next,
}

#[derive(Debug)]
struct Next {
    order: u64,
    line: u64,
    item: u64,
    option: u64,
}

impl Default for MarketState {
    fn default() -> Self {
        Self {
            orders: Vec::new(),
            by_number: HashMap::new(),
            by_line: HashMap::new(),
            by_cart: HashMap::new(),
            by_paid_at: BTreeSet::new(),
            items: BTreeMap::new(),
            record: Vec::new(),
            // As long as real numbers are: short ones hide clients that store them in 16 bits.
            next: Next { order: 300_100_200, line: 1_062_428_737, item: 700_100_100, option: 50_001 },
        }
    }
}

impl MarketState {
    /// An order.
    pub fn order(&self, number: OrderNumber) -> Option<&Order> {
        self.by_number.get(&number).and_then(|&place| self.orders.get(place))
    }

    /// A line with its order.
    pub fn line(&self, number: LineNumber) -> Option<(&Order, &Line)> {
        let order = self.orders.get(*self.by_line.get(&number)?)?;
        Some((order, order.line(number)?))
    }

    /// All orders, in the order in which they came in.
    pub fn orders(&self) -> &[Order] {
        &self.orders
    }

    /// The orders that were paid from `from` (inclusive) to before `until`, by payment time.
    pub fn paid_between(&self, from: DateTime<Utc>, until: DateTime<Utc>) -> impl Iterator<Item = &Order> {
        // BTreeSet::range panics on a range that runs backwards.
        let until = until.max(from);
        self.by_paid_at.range((from, 0)..(until, 0)).filter_map(|&(_, place)| self.orders.get(place))
    }

    /// The orders that were paid together.
    pub fn in_cart(&self, cart: u64) -> impl Iterator<Item = &Order> {
        self.by_cart.get(&cart).into_iter().flatten().filter_map(|&place| self.orders.get(place))
    }

    /// An item.
    pub fn item(&self, id: ItemId) -> Option<&Item> {
        self.items.get(&id)
    }

    /// All items, by id.
    pub fn items(&self) -> impl Iterator<Item = &Item> {
        self.items.values()
    }

    /// The record, oldest first.
    pub fn record(&self) -> &[Event] {
        &self.record
    }

    pub(super) fn line_mut(&mut self, number: LineNumber) -> Result<(&mut Order, usize), Refusal> {
        let place = *self.by_line.get(&number).ok_or(Refusal::NoSuchLine)?;
        let order = self.orders.get_mut(place).ok_or(Refusal::NoSuchLine)?;
        let at = order.lines.iter().position(|line| line.number == number).ok_or(Refusal::NoSuchLine)?;
        Ok((order, at))
    }

    pub(super) fn order_mut(&mut self, number: OrderNumber) -> Result<&mut Order, Refusal> {
        let place = *self.by_number.get(&number).ok_or(Refusal::NoSuchOrder)?;
        self.orders.get_mut(place).ok_or(Refusal::NoSuchOrder)
    }

    pub(super) fn item_mut(&mut self, id: ItemId) -> Result<&mut Item, Refusal> {
        self.items.get_mut(&id).ok_or(Refusal::NoSuchItem)
    }

    pub(super) fn quantity_mut(&mut self, id: ItemId, option: Option<OptionId>) -> Result<&mut i64, Refusal> {
        let item = self.item_mut(id)?;
        let Some(option) = option else { return Ok(&mut item.quantity) };
        let option = item.options.iter_mut().find(|o| o.id == option).ok_or(Refusal::NoSuchOption)?;
        Ok(&mut option.quantity)
    }

    pub(super) fn note(
        &mut self,
        at: DateTime<Utc>,
        actor: Actor,
        subject: Subject,
        action: Action,
        refused: Option<Refusal>,
    ) {
        let seq = self.record.len() as u64 + 1;
        self.record.push(Event { seq, at, actor, subject, action, refused });
    }

    pub(super) fn list(&mut self, draft: ItemDraft) -> Result<ItemId, Refusal> {
        let id = draft.id.unwrap_or(ItemId(self.next.item));
        if self.items.contains_key(&id) {
            return Err(Refusal::NumberTaken);
        }
        self.next.item = self.next.item.max(id.0.saturating_add(1));
        let mut options = Vec::with_capacity(draft.options.len());
        for option in draft.options {
            options.push(ItemOption {
                id: OptionId(self.next.option),
                axes: option.axes,
                sku: option.sku,
                surcharge: option.surcharge,
                quantity: option.quantity,
            });
            self.next.option += 1;
        }
        let item = Item {
            id,
            seller: draft.seller,
            seller_code: draft.seller_code,
            title: draft.title,
            status: draft.status,
            price: draft.price,
            currency: draft.currency,
            quantity: draft.quantity,
            sale_ends: draft.sale_ends,
            options,
        };
        self.items.insert(id, item);
        Ok(id)
    }

    pub(super) fn insert_order(
        &mut self,
        draft: OrderDraft,
        now: DateTime<Utc>,
        from_stock: bool,
    ) -> Result<OrderNumber, Refusal> {
        let number = draft.number.unwrap_or(OrderNumber(self.next.order));
        if draft.lines.is_empty() {
            return Err(Refusal::NoLines);
        }
        if self.by_number.contains_key(&number) {
            return Err(Refusal::NumberTaken);
        }
        let ordered_at = draft.ordered_at.or(draft.paid_at).unwrap_or(now);
        let paid_at = if draft.unpaid { None } else { Some(draft.paid_at.unwrap_or(ordered_at)) };
        let state = if paid_at.is_some() { LineState::Paid } else { LineState::AwaitingPayment };
        let lines = self.build_lines(draft.lines, state)?;
        let lines = if from_stock { self.take_from_stock(lines)? } else { lines };

        self.next.order = self.next.order.max(number.0.saturating_add(1));
        let cart = draft.cart.unwrap_or(number.0);
        let place = self.orders.len();
        for line in &lines {
            self.next.line = self.next.line.max(line.number.0.saturating_add(1));
            self.by_line.insert(line.number, place);
        }
        self.by_number.insert(number, place);
        self.by_cart.entry(cart).or_default().push(place);
        if let Some(paid_at) = paid_at {
            self.by_paid_at.insert((paid_at, place));
        }
        self.orders.push(Order {
            number,
            cart,
            seller: draft.seller,
            recipient: draft.recipient.unwrap_or_else(|| draft.buyer.clone()),
            buyer: draft.buyer,
            address: draft.address,
            lines,
            shipping_fee: draft.shipping_fee,
            currency: draft.currency,
            payment_method: draft.payment_method,
            message: draft.message,
            desired_delivery: draft.desired_delivery,
            ordered_at,
            paid_at,
            updated_at: paid_at.unwrap_or(ordered_at),
            parcels: Vec::new(),
            claims: Vec::new(),
            mails: Vec::new(),
        });
        Ok(number)
    }

    pub(super) fn mark_paid(&mut self, number: OrderNumber, now: DateTime<Utc>) -> Result<(), Refusal> {
        let place = *self.by_number.get(&number).ok_or(Refusal::NoSuchOrder)?;
        let order = self.orders.get_mut(place).ok_or(Refusal::NoSuchOrder)?;
        if order.paid_at.is_some() {
            return Err(Refusal::WrongState(LineState::Paid));
        }
        order.paid_at = Some(now);
        order.updated_at = now;
        for line in order.lines.iter_mut().filter(|line| line.state == LineState::AwaitingPayment) {
            // Some channels let the seller take an order before it is paid.
            line.state = if line.confirmed_at.is_some() { LineState::Confirmed } else { LineState::Paid };
        }
        self.by_paid_at.insert((now, place));
        Ok(())
    }

    fn build_lines(&self, drafts: Vec<LineDraft>, state: LineState) -> Result<Vec<Line>, Refusal> {
        let mut lines: Vec<Line> = Vec::with_capacity(drafts.len());
        for draft in drafts {
            let free = lines.iter().map(|line| line.number.0 + 1).max().unwrap_or(0).max(self.next.line);
            let number = draft.number.unwrap_or(LineNumber(free));
            if self.by_line.contains_key(&number) || lines.iter().any(|line| line.number == number) {
                return Err(Refusal::NumberTaken);
            }
            lines.push(self.build_line(number, draft, state)?);
        }
        Ok(lines)
    }

    fn build_line(&self, number: LineNumber, draft: LineDraft, state: LineState) -> Result<Line, Refusal> {
        let item = draft.item.and_then(|id| self.items.get(&id));
        // An id that is not listed is fine when the draft says itself what was bought.
        if draft.item.is_some() && item.is_none() && draft.title.is_none() {
            return Err(Refusal::NoSuchItem);
        }
        let option = match (item, draft.option) {
            (Some(item), Some(id)) => Some(item.option(id).ok_or(Refusal::NoSuchOption)?),
            _ => None,
        };
        let price =
            || item.map(|i| i.price).unwrap_or_default() + option.map(|o| o.surcharge).unwrap_or_default();
        Ok(Line {
            number,
            item: draft.item.unwrap_or(ItemId(0)),
            option: draft.option,
            seller_code: draft
                .seller_code
                .or_else(|| item.map(|i| i.seller_code.clone()))
                .unwrap_or_default(),
            option_sku: draft.option_sku.or_else(|| option.map(|o| o.sku.clone())).unwrap_or_default(),
            axes: draft.axes.or_else(|| option.map(|o| o.axes.clone())).unwrap_or_default(),
            title: draft.title.or_else(|| item.map(|i| i.title.clone())).unwrap_or_default(),
            quantity: draft.quantity.max(1),
            shipped_quantity: 0,
            cancelled_quantity: 0,
            unit_price: draft.unit_price.unwrap_or_else(price),
            discount: draft.discount,
            state,
            promise: None,
            confirmed_at: None,
            shipped_at: None,
            delivered_at: None,
            cancelled_at: None,
            from_stock: false,
        })
    }

    /// Sums the needs first: two lines of one order can want the same units.
    fn take_from_stock(&mut self, mut lines: Vec<Line>) -> Result<Vec<Line>, Refusal> {
        let mut needs: BTreeMap<(ItemId, Option<OptionId>), i64> = BTreeMap::new();
        for line in lines.iter_mut().filter(|line| self.items.contains_key(&line.item)) {
            line.from_stock = true;
            *needs.entry((line.item, line.option)).or_default() += i64::from(line.quantity);
        }
        for (&(item, option), &need) in &needs {
            if *self.quantity_mut(item, option)? < need {
                return Err(Refusal::OutOfStock);
            }
        }
        for ((item, option), need) in needs {
            *self.quantity_mut(item, option)? -= need;
        }
        Ok(lines)
    }
}
