//! An order as this channel sees it: its statuses (document, "Orders"). Pure.

use std::sync::LazyLock;

use chrono::{DateTime, TimeDelta, Utc};

use super::ledger::{CardAuthorization, FraudCheck, Slip};
use super::settings::Settings;
use super::times::seconds;
use crate::Amount;
use crate::market::{ClaimKind, ClaimState, Line, LineState, Order, OrderState};

static NO_SLIP: LazyLock<Slip> = LazyLock::new(Slip::default);

/// How an order is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Method {
    pub(super) code: &'static str,
    pub(super) name: &'static str,
    pub(super) kind: u8,
    pub(super) is_prepaid: bool,
}

const fn method(code: &'static str, name: &'static str, kind: u8, is_prepaid: bool) -> Method {
    Method { code, name, kind, is_prepaid }
}

/// An order with what only this channel knows of it.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) order: &'a Order,
    pub(super) slip: &'a Slip,
    pub(super) settings: &'a Settings,
    pub(super) now: DateTime<Utc>,
}

impl<'a> View<'a> {
    pub(super) fn new(
        order: &'a Order,
        slip: Option<&'a Slip>,
        settings: &'a Settings,
        now: DateTime<Utc>,
    ) -> Self {
        Self { order, slip: slip.unwrap_or(&NO_SLIP), settings, now }
    }

    fn is_returned(&self) -> bool {
        let returned = |line: &Line| {
            let of_it = |c: &&crate::market::Claim| c.line == line.number && c.kind == ClaimKind::Return;
            self.order.claims.iter().filter(of_it).any(|claim| claim.state == ClaimState::Done)
        };
        let live = || self.order.lines.iter().filter(|line| line.state != LineState::Cancelled);
        live().next().is_some() && live().all(returned)
    }

    pub(super) fn is_split(&self) -> bool {
        !self.slip.children.is_empty()
    }

    /// `OrderStatus`: 1 reserved, 2 in process, 3 on hold, 4 cancelled, 5 closed. A split order keeps its own.
    pub(super) fn order_status(&self) -> u8 {
        let is_cancelled = self.order.state() == OrderState::Cancelled && !self.is_split();
        match () {
            () if is_cancelled || self.is_returned() => 4,
            () if self.slip.is_closed => 5,
            () if self.slip.is_held => 3,
            () if self.slip.is_reserved => 1,
            () => 2,
        }
    }

    /// `CancelReason`, of a cancelled order. `by_buyer` and `by_seller` tell who did it in the market.
    pub(super) fn cancel_reason(&self, by_buyer: bool, by_seller: bool) -> String {
        if self.order_status() != 4 {
            return String::new();
        }
        if !self.slip.cancel_reason.is_empty() {
            return self.slip.cancel_reason.clone();
        }
        let reason = match () {
            () if self.is_returned() => "110",
            () if by_buyer => "300",
            () if by_seller => "180",
            () => "0",
        };
        reason.to_owned()
    }

    /// `ShipStatus`: 0 can't be shipped, 1 can be, 2 being shipped, 3 shipped, 4 arrived.
    pub(super) fn ship_status(&self) -> u8 {
        match self.order.state() {
            OrderState::Delivered => 4,
            OrderState::Shipped => 3,
            _ if self.is_returned() => 4,
            OrderState::AwaitingPayment => 0,
            _ if self.slip.is_unshippable || self.slip.fraud.is_some_and(|f| f != FraudCheck::Released) => 0,
            _ if self.slip.is_being_shipped => 2,
            _ => 1,
        }
    }

    /// How it is paid, by the words of the market's order.
    pub(super) fn pay_method(&self) -> Method {
        let words = self.order.payment_method.to_lowercase();
        let says = |names: &[&str]| names.iter().any(|name| words.contains(name));
        match () {
            () if says(&["cash on delivery", "cod", "代金引換", "代引"]) => {
                method("payment_d1", "商品代引", 4, false)
            }
            () if says(&["paypay"]) => method("payment_a17", "PayPay残高等", 6, false),
            () if says(&["convenience", "コンビニ"]) => method("payment_a6", "コンビニ支払い", 5, true),
            () if says(&["bank", "transfer", "振込"]) => method("payment_b1", "銀行振込", 3, true),
            () if says(&["carrier", "softbank", "キャリア"]) => {
                method("payment_a11", "ソフトバンクまとめて支払い", 2, true)
            }
            () => method("payment_a1", "クレジットカード決済", 0, true),
        }
    }

    /// `PayStatus` 1. Cash on delivery is paid when it arrives.
    pub(super) fn is_paid(&self) -> bool {
        if self.pay_method().kind == 4 {
            return self.order.state() == OrderState::Delivered;
        }
        self.order.paid_at.is_some()
    }

    /// `SettleStatus`.
    pub(super) fn settle_status(&self) -> u8 {
        let is_cancelled = self.order_status() == 4;
        match self.slip.authorization {
            CardAuthorization::Ended => 8,
            _ if self.pay_method().kind == 4 || !self.is_paid() => 2,
            _ if is_cancelled => 7,
            CardAuthorization::Taken => 5,
            CardAuthorization::Open if self.ship_status() >= 3 => 5,
            CardAuthorization::Open => 3,
        }
    }

    /// `IsSeen`: every line that is left was taken by the store, or has left.
    pub(super) fn is_seen(&self) -> bool {
        let taken = |line: &&Line| {
            line.confirmed_at.is_some() || matches!(line.state, LineState::Shipped | LineState::Delivered)
        };
        let mut live = self.order.lines.iter().filter(|line| line.state != LineState::Cancelled).peekable();
        if live.peek().is_none() {
            self.order.lines.iter().all(|line| taken(&line))
        } else {
            live.all(|l| taken(&l))
        }
    }

    fn handed_over_at(&self) -> DateTime<Utc> {
        self.order.ordered_at + TimeDelta::minutes(i64::from(self.settings.read_only_minutes))
    }

    /// `IsReadOnly`: the buyer can still cancel.
    pub(super) fn is_read_only(&self) -> bool {
        self.now < self.handed_over_at()
    }

    /// `FraudHoldStatus`: empty, 1, 2 or 3.
    pub(super) fn fraud(&self) -> &'static str {
        match self.slip.fraud {
            None => "",
            Some(FraudCheck::Checking) => "1",
            Some(FraudCheck::Released) => "2",
            Some(FraudCheck::Fraud) => "3",
        }
    }

    pub(super) fn is_fraud_held(&self) -> bool {
        matches!(self.slip.fraud, Some(FraudCheck::Checking | FraudCheck::Fraud))
    }

    /// `Suspect` 1.
    pub(super) fn is_prank(&self) -> bool {
        self.slip.fields.get("Suspect").is_some_and(|value| value == "1")
    }

    /// `LastUpdateTime`: it also moves when the buyer's minutes end and when the order is handed over.
    pub(super) fn updated_at(&self) -> DateTime<Utc> {
        let mut latest = self.order.updated_at;
        if self.settings.read_only_minutes > 0 && !self.is_read_only() {
            latest = latest.max(self.handed_over_at());
        }
        seconds([self.slip.changed_at, self.slip.published_at].into_iter().flatten().fold(latest, Ord::max))
    }

    /// The lines that are left, with their pieces and their `LineId`. Of a cancelled order all of them, as ordered.
    pub(super) fn lines(&self) -> Vec<Row<'a>> {
        let is_over = self.order.state() == OrderState::Cancelled;
        let numbered = self.order.lines.iter().enumerate();
        let rows = numbered.map(|(at, line)| {
            let gone = if is_over { 0 } else { line.cancelled_quantity };
            Row { line, id: at + 1, quantity: line.quantity.saturating_sub(gone) }
        });
        rows.filter(|row| row.quantity > 0).collect()
    }

    /// What the store took off by hand: what can't be a coupon on the single pieces of a line.
    pub(super) fn discount(&self) -> Amount {
        self.lines()
            .iter()
            .filter(|row| row.coupon().is_none())
            .fold(Amount::ZERO, |sum, r| sum + r.line.discount)
    }

    /// `TotalPrice`.
    pub(super) fn total(&self) -> Amount {
        let goods = self.lines().iter().fold(Amount::ZERO, |sum, row| sum + row.unit_price() * row.quantity);
        goods + self.order.shipping_fee - self.discount()
    }
}

/// A line of the answer.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    pub(super) line: &'a Line,
    pub(super) id: usize,
    pub(super) quantity: u32,
}

impl Row<'_> {
    /// The store coupon on one piece, where the discount divides into whole yen.
    pub(super) fn coupon(&self) -> Option<Amount> {
        let (discount, pieces) = (self.line.discount.as_hundredths(), i64::from(self.line.quantity.max(1)));
        let divides = discount > 0 && discount % (pieces * 100) == 0;
        divides.then(|| Amount::hundredths(discount / pieces))
    }

    /// After the coupon.
    pub(super) fn unit_price(&self) -> Amount {
        self.line.unit_price - self.coupon().unwrap_or_default()
    }

    pub(super) fn item_code(&self) -> String {
        item_code(&self.line.seller_code, self.line.item)
    }
}

/// The item code: the seller's, or the market's number where there is none.
pub(super) fn item_code(seller_code: &str, id: crate::market::ItemId) -> String {
    if seller_code.is_empty() { id.to_string() } else { seller_code.to_owned() }
}
