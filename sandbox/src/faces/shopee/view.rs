//! An order as the channel sees it: its status, times and parcels (sheet section 5). Pure.

use chrono::{DateTime, TimeDelta, Utc};

use super::book::{Book, Extra, Package, Progress};
use super::settings::{Settings, Way};
use crate::market::{ClaimKind, LineState, Order};

/// Days that the seller has for shipping.
pub(super) const DAYS_TO_SHIP: i64 = 2;
/// The channel of integrated logistics.
const INTEGRATED: (u64, &str) = (18_080, "Standard Delivery");
/// The seller's own delivery.
const OWN: (u64, &str) = (18_099, "Seller Own Fleet");
/// The seller's own delivery in BR, whose way the seller tells.
const OWN_BR: (u64, &str) = (90_021, "Entrega Direta");

/// An order with what the channel knows of it.
pub(super) struct View<'a> {
    pub(super) order: &'a Order,
    pub(super) extra: Extra,
    pub(super) packages: Vec<Package>,
    pub(super) settings: &'a Settings,
    now: DateTime<Utc>,
}

impl<'a> View<'a> {
    /// Looks at an order, bringing its parcels up to the market first.
    pub(super) fn of(order: &'a Order, book: &mut Book, settings: &'a Settings, now: DateTime<Utc>) -> Self {
        book.follow(order);
        Self {
            order,
            extra: book.extra(order.number),
            packages: book.of_order(order.number).into_iter().cloned().collect(),
            settings,
            now,
        }
    }

    pub(super) fn is_cod(&self) -> bool {
        is_cod(self.order)
    }

    pub(super) fn is_pending(&self) -> bool {
        let held = pending_until(self.order, self.settings).is_some_and(|until| self.now < until);
        held || !self.extra.pending_terms.is_empty()
    }

    pub(super) fn pending_terms(&self) -> Vec<String> {
        match &self.extra.pending_terms[..] {
            [] if self.is_pending() => vec!["SYSTEM_PENDING".to_owned()],
            terms => terms.to_vec(),
        }
    }

    /// `order_status`. PENDING is shown to those who ask for it; others see READY_TO_SHIP.
    pub(super) fn status(&self, shows_pending: bool) -> &'static str {
        let lines = &self.order.lines;
        if lines.iter().all(|line| line.state == LineState::Cancelled) {
            return "CANCELLED";
        }
        if has_open_cancel(self.order) {
            return "IN_CANCEL";
        }
        if lines.iter().any(|line| line.state == LineState::AwaitingPayment) {
            return "UNPAID";
        }
        let progress = self.packages.iter().filter(|package| package.is_live()).map(|p| p.progress).min();
        match progress {
            Some(Progress::Open) if self.extra.invoice_pending => "INVOICE_PENDING",
            Some(Progress::Open) if self.is_pending() && shows_pending => "PENDING",
            Some(Progress::Open) => "READY_TO_SHIP",
            // The carrier gave all of it up.
            None | Some(Progress::Invalid | Progress::Cancelled) => "CANCELLED",
            Some(Progress::Retry) => "RETRY_SHIP",
            Some(Progress::Arranged) => "PROCESSED",
            Some(Progress::PickedUp) => "SHIPPED",
            Some(Progress::Delivered) if is_returning(self.order) => "TO_RETURN",
            Some(Progress::Delivered) if self.extra.completed => "COMPLETED",
            Some(Progress::Delivered) => "TO_CONFIRM_RECEIVE",
        }
    }

    /// Whether a shipment of it can be arranged now, as far as the order goes.
    pub(super) fn is_ready(&self) -> bool {
        matches!(self.status(true), "READY_TO_SHIP" | "RETRY_SHIP" | "PROCESSED" | "SHIPPED")
    }

    /// `logistics_status` and `fulfillment_status` of a parcel.
    pub(super) fn logistics_status(&self, package: &Package) -> &'static str {
        match package.progress {
            Progress::Open => match self.status(true) {
                "UNPAID" | "IN_CANCEL" | "INVOICE_PENDING" => "LOGISTICS_NOT_START",
                "PENDING" => "LOGISTICS_PENDING_ARRANGE",
                _ => "LOGISTICS_READY",
            },
            Progress::Retry => "LOGISTICS_PICKUP_RETRY",
            Progress::Arranged => "LOGISTICS_REQUEST_CREATED",
            Progress::PickedUp => "LOGISTICS_PICKUP_DONE",
            Progress::Delivered => "LOGISTICS_DELIVERY_DONE",
            Progress::Invalid => "LOGISTICS_INVALID",
            Progress::Cancelled => "LOGISTICS_REQUEST_CANCELED",
        }
    }

    pub(super) fn ways(&self) -> &[Way] {
        self.extra.ways.as_deref().unwrap_or(&self.settings.ways)
    }

    /// Whether the seller brings it, or a carrier of the seller's.
    pub(super) fn is_own_delivery(&self) -> bool {
        self.ways().iter().all(|way| matches!(way, Way::OwnCarrier | Way::OwnCarrierUntracked))
    }

    /// `logistics_channel_id` and its name.
    pub(super) fn channel(&self) -> (u64, &'static str) {
        match (self.is_own_delivery(), self.settings.region.as_str()) {
            (false, _) => INTEGRATED,
            (true, "BR") => OWN_BR,
            (true, _) => OWN,
        }
    }

    /// The parcel's number as it is told now: the channel's own takes a while.
    pub(super) fn tracking<'p>(&self, package: &'p Package) -> &'p str {
        let wait = TimeDelta::seconds(i64::from(self.settings.tracking_seconds));
        let is_known =
            package.own_tracking || package.arranged.is_some_and(|arranged| arranged + wait <= self.now);
        if is_known { &package.tracking } else { "" }
    }

    pub(super) fn ship_by(&self) -> i64 {
        let deadline = |paid: DateTime<Utc>| (paid + TimeDelta::days(DAYS_TO_SHIP)).timestamp();
        self.order.paid_at.map(deadline).unwrap_or_default()
    }

    pub(super) fn picked_up(&self) -> i64 {
        let last = self.packages.iter().filter_map(|package| package.picked_up).max();
        last.map(|at| at.timestamp()).unwrap_or_default()
    }

    pub(super) fn updated(&self) -> i64 {
        updated(self.order, self.extra.moved, self.settings, self.now).timestamp()
    }

    /// Whether the seller may still cancel it.
    pub(super) fn can_cancel(&self) -> bool {
        matches!(self.status(true), "UNPAID" | "PENDING" | "INVOICE_PENDING" | "READY_TO_SHIP")
            && self.packages.iter().all(|p| matches!(p.progress, Progress::Open | Progress::Invalid))
    }
}

pub(super) fn is_cod(order: &Order) -> bool {
    order.payment_method.eq_ignore_ascii_case("Cash on Delivery")
}

/// When the money was there: on delivery, if it is paid then.
pub(super) fn paid_at(order: &Order) -> Option<DateTime<Utc>> {
    if is_cod(order) {
        return order.lines.iter().filter_map(|line| line.delivered_at).max();
    }
    order.paid_at
}

pub(super) fn has_open_cancel(order: &Order) -> bool {
    order.claims.iter().any(|claim| claim.kind == ClaimKind::Cancel && claim.is_open())
}

fn is_returning(order: &Order) -> bool {
    order.claims.iter().any(|claim| claim.kind == ClaimKind::Return && claim.is_open())
}

fn pending_until(order: &Order, settings: &Settings) -> Option<DateTime<Utc>> {
    let seconds = i64::from(settings.pending_seconds);
    order.paid_at.filter(|_| seconds > 0).map(|paid| paid + TimeDelta::seconds(seconds))
}

/// When anything of an order last changed: in the market, by the channel, or by the end of its pending time.
pub(super) fn updated(
    order: &Order,
    moved: Option<DateTime<Utc>>,
    settings: &Settings,
    now: DateTime<Utc>,
) -> DateTime<Utc> {
    let ended = pending_until(order, settings).filter(|until| *until <= now);
    [moved, ended].into_iter().flatten().fold(order.updated_at, DateTime::max)
}
