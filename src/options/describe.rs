//! Options as data, so that an application can draw its settings screen.

use serde::Serialize;

use super::{AccountFacts, OptionKey};
use crate::channel::{Channel, LocalText};

/// What values an option takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "type")]
#[non_exhaustive]
pub enum OptionKind {
    /// On or off.
    Switch,
    /// A whole number, both ends included.
    Integer {
        /// Smallest.
        min: i64,
        /// Largest.
        max: i64,
    },
    /// One of some words.
    Choice {
        /// The words.
        values: Vec<ChoiceDescription>,
    },
    /// Free text.
    Text,
    /// An IANA zone name.
    Zone,
    /// A day.
    Date,
    /// Days.
    Dates,
    /// An instant, RFC 3339.
    Time,
    /// [`StockShare`](super::StockShare): `share_percent` 1 to 100 and `reserve` 0 or more.
    StockShare,
}

/// One word of a choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ChoiceDescription {
    /// The value in JSON.
    pub value: &'static str,
    /// What people read.
    pub label: LocalText,
}

/// An option as data.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OptionDescription {
    /// Key in [`OptionSet`](super::OptionSet), or in its `channel` map for a channel's own option.
    pub key: &'static str,
    /// Its rule in the specification.
    pub rule: &'static str,
    /// What values it takes.
    #[serde(flatten)]
    pub kind: OptionKind,
    /// The default; `null`: not set.
    pub default: serde_json::Value,
    /// Name.
    pub label: LocalText,
    /// What it does.
    pub help: LocalText,
}

/// An option with whether this channel offers it to this account.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DescribedOption {
    /// The option.
    #[serde(flatten)]
    pub description: OptionDescription,
    /// Why it is not shown; absent: it is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hidden: Option<&'static str>,
}

/// todo
pub fn describe(_channel: &dyn Channel, _facts: AccountFacts) -> Vec<DescribedOption> {
    let _ = OptionKey::ALL;
    Vec::new()
}

/// todo
pub fn json_schema(_channel: &dyn Channel, _facts: AccountFacts) -> serde_json::Value {
    serde_json::Value::Null
}
