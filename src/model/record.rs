//! What the library remembers about an order beside the order itself: what was intended, begun and done.
//!
//! Three facts are kept for each thing done to the outside: the intention ([`Step::Planned`]), START
//! ([`Step::Started`], stored before the first byte leaves) and END ([`Step::Done`] or [`Step::Refused`]). A START
//! without END means that the outcome is unknown.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::{AccountId, LineId, Order, Private};
use crate::channel::Tracking;

/// Whether an order is in the merchant's hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
#[non_exhaustive]
pub enum LinkState {
    /// Seen, not linked, and may still become eligible (OS-3): re-read each cycle.
    Watched,
    /// Linked.
    Linked {
        /// When.
        at: DateTime<Utc>,
    },
    /// Deleted locally (OS-9). Only a manual run brings it back.
    Deleted {
        /// When.
        at: DateTime<Utc>,
    },
}

/// Whether a centre ships the order (FI-5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
#[non_exhaustive]
pub enum Fulfilment {
    /// The merchant ships it.
    Ordinary {
        /// Why it is not the centre's.
        reason: String,
    },
    /// The centre ships it.
    Centre,
}

/// How a step came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Done {
    /// The library did it.
    Here,
    /// It was seen done on the channel: in its back office, or by a call whose answer was lost.
    SeenOnChannel,
    /// The channel has no such step (OC-3).
    NotNeeded,
}

/// Who wanted a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// An option that the merchant switched on.
    Option,
    /// A person or the application, for this very order.
    Hand,
}

/// One thing to be done to the outside.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "step")]
#[non_exhaustive]
pub enum Step {
    /// Not intended.
    #[default]
    None,
    /// Intended.
    Planned {
        /// Since when.
        at: DateTime<Utc>,
        /// By an option, or by a person.
        by: By,
        /// How often it was tried without effect.
        #[serde(default)]
        attempts: u32,
    },
    /// Begun; without an end after it the outcome is unknown.
    Started {
        /// When.
        at: DateTime<Utc>,
        /// By an option, or by a person.
        by: By,
    },
    /// Done.
    Done {
        /// When.
        at: DateTime<Utc>,
        /// How.
        how: Done,
    },
    /// The channel or the centre said no.
    Refused {
        /// When.
        at: DateTime<Utc>,
        /// Its code.
        code: String,
        /// Its text.
        message: String,
    },
}

impl Step {
    /// Intended now.
    pub fn planned(at: DateTime<Utc>, by: By) -> Self {
        Self::Planned { at, by, attempts: 0 }
    }

    /// Whether it is not intended.
    pub fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    /// Whether it is done.
    pub fn is_done(&self) -> bool {
        matches!(self, Self::Done { .. })
    }

    /// Whether it is intended or begun, and neither done nor refused.
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Planned { .. } | Self::Started { .. })
    }

    /// Whether it was begun and its outcome is unknown.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Started { .. })
    }
}

/// A parcel to be reported to the channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PlannedDispatch {
    /// Names this parcel among those of the order: the same parcel reported twice is one dispatch.
    pub key: String,
    /// Carrier and number; `None` where the channel's own logistics gives the number.
    pub tracking: Option<Tracking>,
    /// Which lines, and how many pieces of each; empty: all that is outstanding.
    pub lines: Vec<(LineId, u32)>,
    /// When the parcel left.
    pub shipped_at: DateTime<Utc>,
}

impl PlannedDispatch {
    /// All that is outstanding, in one parcel.
    pub fn whole(key: impl Into<String>, tracking: Option<Tracking>, shipped_at: DateTime<Utc>) -> Self {
        Self { key: key.into(), tracking, lines: Vec::new(), shipped_at }
    }

    /// Some lines only.
    pub fn part(mut self, lines: Vec<(LineId, u32)>) -> Self {
        self.lines = lines;
        self
    }
}

/// A parcel and how far its report is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DispatchStep {
    /// The parcel.
    pub parcel: PlannedDispatch,
    /// How far.
    pub step: Step,
    /// The channel's own ids of the parcel, where it gave some.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parcel_ids: Vec<String>,
    /// Where the label is, if the channel made one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<Private<String>>,
    /// Telling the centre the number that the channel gave, where the centre reported the parcel without one.
    #[serde(default, skip_serializing_if = "Step::is_none")]
    pub tell: Step,
}

impl DispatchStep {
    /// A parcel that is to be reported.
    pub fn new(parcel: PlannedDispatch, step: Step) -> Self {
        Self { parcel, step, parcel_ids: Vec::new(), label: None, tell: Step::None }
    }
}

/// An order and everything remembered about it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OrderRecord {
    /// Whose order.
    pub account: AccountId,
    /// Its newest known state.
    pub order: Order,
    /// Whether it is in the hub.
    pub link: LinkState,
    /// Who ships it.
    pub fulfilment: Fulfilment,
    /// The confirmation.
    #[serde(default)]
    pub confirm: Step,
    /// The ship date sent, or about to be sent; once set it never changes (SD-4).
    #[serde(default)]
    pub ship_date: Option<NaiveDate>,
    /// The ship date's own call, where it is not part of the confirmation.
    #[serde(default)]
    pub set_ship_date: Step,
    /// The instruction to the centre.
    #[serde(default)]
    pub instruct: Step,
    /// Parcels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dispatches: Vec<DispatchStep>,
    /// Whether the centre has reported all of it as shipped, so that it no longer holds stock.
    #[serde(default)]
    pub left_centre: bool,
    /// When the order is next re-read (DT-3); `None`: not followed.
    #[serde(default)]
    pub next_read: Option<DateTime<Utc>>,
    /// The order must be read again before anything else is done to it (ids or address changed by an action).
    #[serde(default)]
    pub reread: bool,
    /// Whether the channel's code on a line counts as SKU for stock and fulfilment (RC).
    #[serde(default)]
    pub sku_from_channel: bool,
}

impl OrderRecord {
    /// A record of an order just seen, with nothing done to it.
    pub fn new(account: AccountId, order: Order, link: LinkState) -> Self {
        Self {
            account,
            order,
            link,
            fulfilment: Fulfilment::Ordinary { reason: String::new() },
            confirm: Step::None,
            ship_date: None,
            set_ship_date: Step::None,
            instruct: Step::None,
            dispatches: Vec::new(),
            left_centre: false,
            next_read: None,
            reread: false,
            sku_from_channel: true,
        }
    }

    /// Whether it is linked.
    pub fn is_linked(&self) -> bool {
        matches!(self.link, LinkState::Linked { .. })
    }

    /// Whether the goods were reported as shipped through the library.
    pub fn dispatched_here(&self) -> bool {
        self.dispatches.iter().any(|d| matches!(d.step, Step::Done { how: Done::Here, .. }))
    }

    /// Whether it keeps pieces from being sold elsewhere (SS-1): linked, instructed or waiting to be linked, and not
    /// yet gone. An unpaid order counts: the channel has set its pieces aside, and an absolute quantity pushed over
    /// that would sell them again.
    ///
    /// An order that the centre was told to ship holds its pieces until the centre says that they left, even when it
    /// was cancelled meanwhile: overselling is worse than underselling. Deleting it locally releases them.
    pub fn holds_stock(&self) -> bool {
        match self.link {
            LinkState::Deleted { .. } => false,
            LinkState::Watched => !self.order.status.is_past_dispatch(),
            LinkState::Linked { .. } if self.left_centre => false,
            LinkState::Linked { .. } if matches!(self.instruct, Step::Started { .. } | Step::Done { .. }) => {
                true
            }
            LinkState::Linked { .. } => !self.order.status.is_past_dispatch(),
        }
    }
}
