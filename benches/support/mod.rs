//! A channel that makes its pages up as they are asked for, so that a bench measures the library and not the channel.
#![allow(dead_code, unreachable_pub, reason = "each bench uses its own part")]

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use sales_channels::Result;
use sales_channels::channel::{
    Channel, ChannelInfo, ConfirmOrders, ConfirmRequest, Confirmed, ConnectionReport, Context, FetchOrders,
    LocalText, OrderPage, OrderQuery, Outcome, PageCursor, Repeat, Row,
};
use sales_channels::model::{
    Currency, Destination, Line, ListingKey, ManualClock, Money, Order, OrderStatus, Party, Private,
    RawPayload,
};

/// When everything happens.
pub fn now() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_781)
}

pub fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(now()))
}

/// An order of two lines, about as large as a real one.
pub fn order(n: usize) -> Order {
    let at = now() - TimeDelta::minutes(30);
    let mut order = Order::new(format!("{:010}", 1_062_000_000 + n), OrderStatus::New, at, at, Currency::JPY);
    order.paid_at = Some(at);
    let mut party = Party::default();
    party.name = "山田 花子".into();
    party.phone = "090-0000-0001".into();
    party.address.postal_code = "100-0001".into();
    party.address.lines = vec!["東京都千代田区千代田1-1".into(), "テストビル101".into()];
    order.buyer = Private::new(party.clone());
    let mut destination = Destination::default();
    destination.recipient = Private::new(party);
    order.destinations.push(destination);
    for l in 0..2 {
        let item = ListingKey::option(format!("70010{}", (n + l) % 500), "RED-S");
        let mut line = Line::new((l + 1).to_string(), item, 2, OrderStatus::New);
        line.sku = Some(format!("TEE-{}", (n + l) % 500).into());
        line.title = "オーガニックTシャツ 🌿".into();
        line.unit_price = Some(Money::new(1980.into(), Currency::JPY));
        order.lines.push(line);
    }
    order.raw = RawPayload::new(&"{\"ShippingStatus\":\"Request shipping(2)\"}".repeat(30));
    order
}

/// A channel with `orders` new orders, in pages of 100.
#[derive(Debug)]
pub struct EndlessChannel {
    info: ChannelInfo,
    orders: usize,
}

impl EndlessChannel {
    pub fn new(orders: usize) -> Self {
        let name = LocalText { en: "Bench", ja: "ベンチ", ko: "벤치" };
        let mut info = ChannelInfo::new("bench", name, chrono_tz::Asia::Tokyo, Currency::JPY);
        info.confirm_batch = 500;
        info.read_batch = 500;
        Self { info, orders }
    }
}

#[async_trait]
impl Channel for EndlessChannel {
    fn info(&self) -> &ChannelInfo {
        &self.info
    }

    fn orders(&self) -> &dyn FetchOrders {
        self
    }

    fn confirm(&self) -> Option<&dyn ConfirmOrders> {
        Some(self)
    }

    async fn test(&self, _: &Context) -> Result<ConnectionReport> {
        Ok(ConnectionReport::new(Vec::new()))
    }
}

#[async_trait]
impl FetchOrders for EndlessChannel {
    async fn fetch(&self, _: &Context, query: &OrderQuery, cursor: Option<&PageCursor>) -> Result<OrderPage> {
        if !query.window.contains(now() - TimeDelta::minutes(30)) {
            return Ok(OrderPage::default());
        }
        let from = cursor.and_then(|c| c.as_str().parse().ok()).unwrap_or(0);
        let to = (from + 100).min(self.orders);
        let rows = (from..to).map(|n| Row::Order(Box::new(order(n)))).collect();
        Ok(OrderPage { rows, next: (to < self.orders).then(|| PageCursor::new(to.to_string())) })
    }

    async fn read(&self, _: &Context, orders: &[&Order]) -> Result<Vec<Outcome<Order>>> {
        Ok(orders.iter().map(|order| Outcome::Done((*order).clone())).collect())
    }
}

#[async_trait]
impl ConfirmOrders for EndlessChannel {
    async fn confirm(&self, _: &Context, requests: &[ConfirmRequest<'_>]) -> Result<Vec<Outcome<Confirmed>>> {
        Ok(requests.iter().map(|_| Outcome::Done(Confirmed::default())).collect())
    }

    fn repeat(&self) -> Repeat {
        Repeat::Safe
    }
}
