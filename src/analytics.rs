//! Sales analytics (AM-4): per day, channel, account, currency and SKU. Currencies are never added together.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use chrono_tz::Tz;
use rust_decimal::Decimal;

use crate::model::{AccountId, ChannelId, Currency, OrderRecord, OrderStatus, Sku};

/// What a row of the analytics is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SalesKey {
    /// Day of the order, in the schedule's zone.
    pub day: NaiveDate,
    /// Channel.
    pub channel: ChannelId,
    /// Account.
    pub account: AccountId,
    /// Currency of all amounts in the row.
    pub currency: Currency,
    /// SKU; `None`: amounts of whole orders (shipping, order discounts) and lines without a SKU.
    pub sku: Option<Sku>,
}

/// Sums of a row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sales {
    /// Orders in which the SKU occurs. For the row without a SKU: all orders.
    pub orders: u64,
    /// Pieces ordered.
    pub units: u64,
    /// Pieces of them that were cancelled.
    pub cancelled: u64,
    /// Unit prices times pieces, before discounts, cancelled pieces included.
    pub gross: Decimal,
    /// Discounts, positive.
    pub discount: Decimal,
    /// Shipping charged to buyers.
    pub shipping: Decimal,
}

/// Sums up linked orders, one at a time: memory is the rows, not the orders.
#[derive(Debug, Clone, Default)]
pub struct SalesReport {
    /// Rows by day, channel, account, currency and SKU.
    pub rows: BTreeMap<SalesKey, Sales>,
    /// Amounts in another currency than their order's; they are in no row.
    pub foreign_amounts: u64,
}

impl SalesReport {
    /// Counts an order. Orders that are not linked don't count.
    pub fn add(&mut self, record: &OrderRecord, channel: &ChannelId, zone: Tz) {
        if !record.is_linked() {
            return;
        }
        let order = &record.order;
        let key = |sku: Option<Sku>| SalesKey {
            day: order.ordered_at.with_timezone(&zone).date_naive(),
            channel: channel.clone(),
            account: record.account.clone(),
            currency: order.currency,
            sku,
        };
        let mut foreign = 0;
        let mut amount = |money: Option<crate::model::Money>| match money {
            Some(money) if money.currency == order.currency => money.amount,
            Some(_) => {
                foreign += 1;
                Decimal::ZERO
            }
            None => Decimal::ZERO,
        };
        let whole = self.rows.entry(key(None)).or_default();
        whole.orders += 1;
        whole.shipping += amount(order.totals.shipping);
        whole.discount += amount(order.totals.discount);
        let mut counted: Vec<&Option<Sku>> = vec![&None];
        for line in &order.lines {
            let row = self.rows.entry(key(line.sku.clone())).or_default();
            if !counted.contains(&&line.sku) {
                counted.push(&line.sku);
                row.orders += 1;
            }
            let cancelled = order.status == OrderStatus::Cancelled || line.status == OrderStatus::Cancelled;
            row.units += u64::from(line.quantity);
            row.cancelled += u64::from(if cancelled { line.quantity } else { line.cancelled });
            row.gross += amount(line.unit_price).saturating_mul(Decimal::from(line.quantity));
            row.discount += amount(line.discount);
        }
        self.foreign_amounts += foreign;
    }
}
