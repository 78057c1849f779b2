//! What happens, as it happens: fit for a progress bar, a log, a notification.

use std::fmt;

use chrono::{DateTime, Utc};

use super::{CycleReport, Tally};
use crate::channel::Operation;
use crate::model::{AccountId, ListingKey, OrderId, Window};
use crate::policy::Reason;
use crate::store::{HealthLevel, IssueKey};

/// Something that happened to an account. No personal data, no secrets.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Event {
    /// A cycle or a manual run began.
    Started,
    /// A window is being fetched.
    Window {
        /// The span.
        window: Window,
        /// Why.
        reason: Reason,
    },
    /// A page of orders was stored. The counts are those of the run so far.
    Page {
        /// Counts so far.
        tally: Tally,
    },
    /// An order was linked.
    Linked {
        /// The order.
        order: OrderId,
        /// What follows from it.
        reason: Reason,
    },
    /// An order was seen and not linked.
    NotLinked {
        /// The order.
        order: OrderId,
        /// Why.
        reason: Reason,
    },
    /// A row could not be read.
    Unreadable {
        /// The order, if that much could be read.
        order: Option<OrderId>,
        /// Why.
        reason: String,
    },
    /// The state of a linked order is another than before.
    Changed {
        /// The order.
        order: OrderId,
        /// Its state in words.
        state: String,
    },
    /// Something was done to an order.
    Done {
        /// The order.
        order: OrderId,
        /// What.
        operation: Operation,
        /// Why.
        reason: Reason,
    },
    /// The channel or the centre said no.
    Refused {
        /// The order.
        order: OrderId,
        /// To what.
        operation: Operation,
        /// Code and text.
        reason: String,
    },
    /// A quantity was pushed.
    StockPushed {
        /// The listing.
        listing: ListingKey,
        /// What the channel accepted before.
        from: Option<u32>,
        /// What it accepted now.
        to: u32,
    },
    /// A quantity was not taken.
    StockFailed {
        /// The listing.
        listing: ListingKey,
        /// Why.
        reason: String,
    },
    /// The channel shows another quantity than it accepted (SS-11).
    StockDiffers {
        /// The listing.
        listing: ListingKey,
        /// What it should show.
        expected: u32,
        /// What it shows.
        shown: u32,
    },
    /// The credentials end soon (KE-2).
    CredentialsEndSoon {
        /// In a sentence.
        reason: Reason,
    },
    /// Something went wrong, or was cured.
    Health {
        /// What it is about.
        issue: IssueKey,
        /// How bad the account is now.
        level: HealthLevel,
        /// What happened, or that it is cured.
        reason: String,
    },
    /// No call before this time (AH-3).
    Parked {
        /// Until when.
        until: DateTime<Utc>,
    },
    /// A cycle or manual run ended.
    Ended {
        /// Its report.
        report: Box<CycleReport>,
    },
}

/// Is told of events. Called in the middle of the work: be quick.
pub trait Observer: Send + Sync + fmt::Debug {
    /// Something happened to an account.
    fn on_event(&self, account: &AccountId, event: &Event);
}

/// An unbounded channel is an observer: nothing is lost, and the receiver may take its time.
impl Observer for tokio::sync::mpsc::UnboundedSender<(AccountId, Event)> {
    fn on_event(&self, account: &AccountId, event: &Event) {
        // A receiver that went away wants no events.
        let _ = self.send((account.clone(), event.clone()));
    }
}

pub(super) fn trace(account: &AccountId, event: &Event) {
    match event {
        Event::Refused { order, operation, reason } => {
            tracing::warn!(%account, %order, %operation, reason, "refused");
        }
        Event::Unreadable { reason, .. } => tracing::warn!(%account, reason, "unreadable row"),
        Event::StockFailed { listing, reason } => {
            tracing::warn!(%account, %listing, reason, "stock not taken")
        }
        Event::StockDiffers { listing, expected, shown } => {
            tracing::warn!(%account, %listing, expected, shown, "stock differs");
        }
        Event::CredentialsEndSoon { reason } => tracing::warn!(%account, %reason, "credentials end soon"),
        Event::Health { issue, level, reason } => tracing::warn!(%account, %issue, %level, reason, "health"),
        Event::Parked { until } => tracing::info!(%account, %until, "parked"),
        Event::Ended { report } => tracing::info!(
            %account, seen = report.tally.seen, linked = report.tally.linked, error = ?report.error, "ended"
        ),
        Event::Done { order, operation, reason } => {
            tracing::info!(%account, %order, %operation, %reason, "done")
        }
        Event::Linked { order, reason } => tracing::info!(%account, %order, %reason, "linked"),
        other => tracing::debug!(%account, event = ?other),
    }
}
