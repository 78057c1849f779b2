//! What buyers ask for after the order: to cancel, return or exchange.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::ids::LineNumber;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClaimKind {
    /// Not to get it.
    Cancel,
    /// To send it back for the money.
    Return,
    /// To get another one for it.
    Exchange,
    /// It never came.
    NotReceived,
    /// It was never paid.
    Unpaid,
}

/// How far a claim is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClaimState {
    /// The buyer asked.
    Requested,
    /// It was accepted and is being carried out.
    InProgress,
    /// It is carried out.
    Done,
    /// The buyer took it back.
    Withdrawn,
    /// The seller or the channel said no.
    Refused,
}

/// A claim on one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Claim {
    /// The line.
    pub line: LineNumber,
    /// What is asked for.
    pub kind: ClaimKind,
    /// How far it is.
    pub state: ClaimState,
    /// Units it is about.
    pub quantity: u32,
    /// The buyer's reason.
    pub reason: String,
    /// When it was asked for.
    pub requested_at: DateTime<Utc>,
    /// When it ended.
    pub settled_at: Option<DateTime<Utc>>,
}

impl Claim {
    /// Whether somebody still has to do something.
    pub fn is_open(&self) -> bool {
        matches!(self.state, ClaimState::Requested | ClaimState::InProgress)
    }

    /// Whether channels show it: withdrawn and refused ones are as if they had never been.
    pub fn is_shown(&self) -> bool {
        self.is_open() || self.state == ClaimState::Done
    }
}
