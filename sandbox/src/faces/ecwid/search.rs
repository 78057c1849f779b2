//! Lists of orders (sheet "List orders").

use std::borrow::Cow;
use std::cmp::Reverse;

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::answer::{Failure, Outcome};
use super::call::{Query, date_text};
use super::desk::Visit;
use super::ledger::{Ledger, Snapshot, View};
use super::order_row::{order_id, row, total};
use super::orders::{FULFILLMENT, PAYMENT};
use super::settings::{OrderSort, Settings};
use crate::lock;
use crate::market::{MarketState, Order};

/// What is searched for. Bounds are inclusive.
struct Filter<'a> {
    ids: Option<Vec<&'a str>>,
    created: (Option<i64>, Option<i64>),
    updated: (Option<i64>, Option<i64>),
    total: (Option<f64>, Option<f64>),
    payment: Option<Vec<&'a str>>,
    fulfillment: Option<Vec<&'a str>>,
    keywords: Option<&'a str>,
    email: Option<&'a str>,
    product: Option<u64>,
    payment_method: Option<&'a str>,
    /// Searched for by something that no order here has.
    nothing: bool,
}

/// No order of the market has these.
const NEVER: [&str; 6] =
    ["customerId", "couponCode", "subscriptionId", "refererId", "pickupTimeFrom", "pickupTimeTo"];

impl<'a> Filter<'a> {
    fn read(query: &'a Query) -> Result<Self, Failure> {
        let wants = |name| query.flag(name);
        Ok(Self {
            ids: query.list("ids"),
            created: (query.time("createdFrom")?, query.time("createdTo")?),
            updated: (query.time("updatedFrom")?, query.time("updatedTo")?),
            total: (query.number("totalFrom")?, query.number("totalTo")?),
            payment: words(query, "paymentStatus", &PAYMENT)?,
            fulfillment: words(query, "fulfillmentStatus", &FULFILLMENT)?,
            keywords: query.text("keywords"),
            email: query.text("email"),
            product: query.number("productId")?,
            payment_method: query.text("paymentMethod"),
            nothing: NEVER.iter().any(|name| query.text(name).is_some())
                || query.text("paymentModule").is_some_and(|module| module != "STRIPE")
                || query.text("shippingMethod").is_some_and(|method| method != "Standard shipping")
                || wants("acceptMarketing")? == Some(true)
                || wants("containsPreorderItems")? == Some(true),
        })
    }

    fn fits(&self, settings: &Settings, view: &View<'_>) -> bool {
        let order = &*view.order;
        let among = |words: &Option<Vec<&str>>, word: &str| words.as_ref().is_none_or(|w| w.contains(&word));
        let total = || total(order).as_hundredths() as f64 / 100.0;
        let id_fits = self.ids.as_ref().is_none_or(|ids| {
            let (id, internal) = (order_id(settings, order), order.number.to_string());
            ids.iter().any(|&asked| asked == id || asked == internal)
        });
        let shown = self.payment.is_some() || view.payment() != "INCOMPLETE";
        !view.card.deleted
            && !self.nothing
            && shown
            && id_fits
            && within(self.created, order.ordered_at.timestamp())
            && within(self.updated, view.updated_at().timestamp())
            && (self.total == (None, None) || within(self.total, total()))
            && among(&self.payment, view.payment())
            && among(&self.fulfillment, view.fulfillment())
            && self.email.is_none_or(|email| order.buyer.email.eq_ignore_ascii_case(email))
            && self.product.is_none_or(|product| order.lines.iter().any(|line| line.item.0 == product))
            && self.payment_method.is_none_or(|method| order.payment_method == method)
            && self.keywords.is_none_or(|text| mentions(settings, order, text))
    }
}

fn words<'a>(query: &'a Query, name: &str, known: &[&str]) -> Result<Option<Vec<&'a str>>, Failure> {
    let words = query.list(name);
    if let Some(unknown) = words.iter().flatten().find(|word| !known.contains(word)) {
        return Err(Failure::wrong(format!("Wrong value of parameter '{name}': {unknown}")));
    }
    Ok(words)
}

fn within<T: PartialOrd>((from, to): (Option<T>, Option<T>), value: T) -> bool {
    from.is_none_or(|from| value >= from) && to.is_none_or(|to| value <= to)
}

fn mentions(settings: &Settings, order: &Order, text: &str) -> bool {
    let text = text.to_lowercase();
    let names = [order_id(settings, order), order.buyer.name.clone(), order.buyer.email.clone()];
    let lines =
        order.lines.iter().flat_map(|l| [l.title.clone(), l.seller_code.clone(), l.option_sku.clone()]);
    names.into_iter().chain(lines).any(|word| word.to_lowercase().contains(&text))
}

/// `GET /orders`.
pub(super) fn search(visit: &Visit<'_>) -> Outcome {
    let filter = Filter::read(visit.query)?;
    let (offset, limit) = visit.query.page(visit.settings.page_size)?;
    let mut ledger = lock(&visit.desk.face.0.ledger);
    visit.market().read(|state| {
        if visit.settings.search_lag_seconds > 0 {
            index(visit, state, &mut ledger);
        }
        let mut found = views(visit, state, &ledger);
        found.retain(|view| filter.fits(visit.settings, view));
        sort(&mut found, visit.settings.order_sort);
        let page = found.iter().skip(offset).take(limit);
        let items: Vec<Value> = page.map(|view| row(visit.settings, view)).collect();
        Ok(json!({
            "total": found.len(), "count": items.len(), "offset": offset, "limit": limit, "items": items,
        }))
    })
}

fn sort(found: &mut [View<'_>], by: OrderSort) {
    let placed = |view: &View<'_>| (view.order.ordered_at, view.order.number);
    match by {
        OrderSort::NewestFirst => found.sort_by_key(|view| Reverse(placed(view))),
        OrderSort::OldestFirst => found.sort_by_key(placed),
        OrderSort::ChangedFirst => found.sort_by_key(|view| Reverse((view.updated_at(), view.order.number))),
    }
}

/// Takes over what is old enough to be found.
fn index(visit: &Visit<'_>, state: &MarketState, ledger: &mut Ledger) {
    for order in state.orders().iter().filter(|order| order.seller == visit.seller) {
        let card = ledger.card(order.number).into_owned();
        let view = View { order: Cow::Borrowed(order), card: Cow::Owned(card) };
        if !is_fresh(visit, &view) {
            let snapshot = Snapshot { order: order.clone(), card: view.card.into_owned() };
            ledger.indexed.insert(order.number, snapshot);
        }
    }
}

fn is_fresh(visit: &Visit<'_>, view: &View<'_>) -> bool {
    let lag = TimeDelta::seconds(visit.settings.search_lag_seconds.into());
    view.updated_at() > visit.desk.context.clock.now() - lag
}

/// The orders as the search knows them. One that it never saw before its last change is found as it is, unless it is new.
fn views<'a>(visit: &Visit<'_>, state: &'a MarketState, ledger: &'a Ledger) -> Vec<View<'a>> {
    let lag = TimeDelta::seconds(visit.settings.search_lag_seconds.into());
    let now = visit.desk.context.clock.now();
    let of_seller = state.orders().iter().filter(|order| order.seller == visit.seller);
    let view = |order: &'a Order| {
        let current = View { order: Cow::Borrowed(order), card: ledger.card(order.number) };
        if visit.settings.search_lag_seconds == 0 || !is_fresh(visit, &current) {
            return Some(current);
        }
        if let Some(old) = ledger.indexed.get(&order.number) {
            return Some(View { order: Cow::Borrowed(&old.order), card: Cow::Borrowed(&old.card) });
        }
        Some(current).filter(|_| order.ordered_at <= now - lag)
    };
    of_seller.filter_map(view).collect()
}

/// `GET /orders/deleted`.
pub(super) fn deleted(visit: &Visit<'_>) -> Outcome {
    let dates = (visit.query.time("from_date")?, visit.query.time("to_date")?);
    let (offset, limit) = visit.query.page(visit.settings.page_size)?;
    let ledger = lock(&visit.desk.face.0.ledger);
    visit.market().read(|state| {
        let of_seller = state.orders().iter().filter(|order| order.seller == visit.seller);
        let views = of_seller.map(|o| View { order: Cow::Borrowed(o), card: ledger.card(o.number) });
        let gone = views.filter(|v| v.card.deleted && within(dates, v.updated_at().timestamp()));
        let rows: Vec<Value> =
            gone.map(|v| json!({ "id": v.order.number, "date": date_text(v.updated_at()) })).collect();
        let page: Vec<&Value> = rows.iter().skip(offset).take(limit).collect();
        Ok(json!({
            "total": rows.len(), "count": page.len(), "offset": offset, "limit": limit, "items": page,
        }))
    })
}
