//! Options as data, so that an application can draw its settings screen.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::check::{Offer, hidden_because};
use super::{AccountFacts, OptionKey, catalogue};
use crate::channel::{Channel, HandOver, LocalText};

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
    pub default: Value,
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
    /// Whether it is a field of [`OptionSet`](super::OptionSet) or an entry of its `channel` map.
    pub own: bool,
    /// Why it is not shown; absent: it is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hidden: Option<&'static str>,
}

/// All options, in the order of a settings screen, with whether this channel offers them to this account: first those
/// that every channel may have, then the channel's own.
///
/// ```
/// # use sales_channels::options::{AccountFacts, describe};
/// # fn with(channel: &dyn sales_channels::Channel) {
/// for option in describe(channel, AccountFacts::authorised()).iter().filter(|o| o.hidden.is_none()) {
///     println!("{}: {}", option.description.label.ja, option.description.help.ja);
/// }
/// # }
/// ```
pub fn describe(channel: &dyn Channel, facts: AccountFacts) -> Vec<DescribedOption> {
    let info = channel.info();
    let offer = Offer::of(channel);
    let common = OptionKey::ALL.iter().map(|key| {
        let mut description = catalogue::describe(*key);
        if *key == OptionKey::HandOver {
            offer_only(&mut description.kind, offer.methods);
        }
        let hidden = hidden_because(*key, offer, facts);
        DescribedOption { description, own: false, hidden }
    });
    let own = info.options.iter().map(|description| DescribedOption {
        description: description.clone(),
        own: true,
        hidden: None,
    });
    common.chain(own).collect()
}

/// Leaves only the hand-over methods that the channel has.
fn offer_only(kind: &mut OptionKind, methods: &[HandOver]) {
    if let OptionKind::Choice { values } = kind {
        values.retain(|choice| methods.iter().any(|method| method.as_str() == choice.value));
    }
}

/// The options that this channel offers to this account as JSON Schema (draft 2020-12): what it accepts for an
/// [`OptionSet`](super::OptionSet) is what [`EffectiveOptions::check`](super::EffectiveOptions::check) accepts, but for
/// the names of zones, which the schema marks by `format` alone.
///
/// Labels and help are `title` and `description` in English, and `x-label` and `x-help` in all three languages.
pub fn json_schema(channel: &dyn Channel, facts: AccountFacts) -> Value {
    let mut properties = Map::new();
    let mut own = Map::new();
    for option in describe(channel, facts).into_iter().filter(|option| option.hidden.is_none()) {
        let schema = schema_of(&option.description);
        let to = if option.own { &mut own } else { &mut properties };
        to.insert(option.description.key.to_owned(), schema);
    }
    if !own.is_empty() {
        let channel = json!({"type": "object", "properties": own, "additionalProperties": false});
        properties.insert("channel".to_owned(), channel);
    }
    let has = |key: OptionKey| properties.contains_key(key.as_str());
    let mut rules = Vec::new();
    if has(OptionKey::Reconcile) {
        rules.push(json!({
            "if": {"properties": {"reconcile": {"enum": ["report", "repair"]}}, "required": ["reconcile"]},
            "then": {"required": ["stock_sync"]}
        }));
    }
    rules.push(json!({
        "if": {"properties": {"mode": {"const": "statistics_only"}}, "required": ["mode"]},
        "then": {"properties": {
            "fulfilment_instruction": {"const": false},
            "stock_sync": false,
            "ship_offset": false,
            "delivery_tracking": {"const": "all_collected"},
        }}
    }));
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": format!("Options of an account at {}", channel.info().name.en),
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
        "allOf": rules,
    })
}

fn schema_of(option: &OptionDescription) -> Value {
    let mut schema = match &option.kind {
        OptionKind::Switch => json!({"type": "boolean"}),
        OptionKind::Integer { min, max } => json!({"type": "integer", "minimum": min, "maximum": max}),
        OptionKind::Choice { values } => json!({
            "type": "string",
            "enum": values.iter().map(|choice| choice.value).collect::<Vec<_>>(),
            "x-enum-labels": values,
        }),
        OptionKind::Text => json!({"type": "string"}),
        OptionKind::Zone => json!({"type": "string", "format": "iana-time-zone"}),
        OptionKind::Date => json!({"type": "string", "format": "date"}),
        OptionKind::Dates => json!({"type": "array", "items": {"type": "string", "format": "date"}}),
        OptionKind::Time => json!({"type": "string", "format": "date-time"}),
        OptionKind::StockShare => json!({
            "type": "object",
            "properties": {
                "share_percent": {"type": "integer", "minimum": 1, "maximum": 100},
                "reserve": {"type": "integer", "minimum": 0, "maximum": u32::MAX, "default": 0},
            },
            "required": ["share_percent"],
            "additionalProperties": false,
        }),
    };
    if let Some(object) = schema.as_object_mut() {
        if !option.default.is_null() {
            object.insert("default".to_owned(), option.default.clone());
        }
        object.insert("title".to_owned(), json!(option.label.en));
        object.insert("description".to_owned(), json!(option.help.en));
        object.insert("x-rule".to_owned(), json!(option.rule));
        object.insert("x-label".to_owned(), json!(option.label));
        object.insert("x-help".to_owned(), json!(option.help));
    }
    schema
}
