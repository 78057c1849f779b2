//! The conditions of `orderList`. Pure.

use chrono::{DateTime, Utc};

use super::answer::Failure;
use super::fields::{order_id, shown_value};
use super::times::{day, moment, seconds};
use super::view::View;
use crate::faces::xml::Tree;

#[derive(Debug, Clone, Copy)]
enum Side {
    From,
    To,
    At,
}

#[derive(Debug)]
enum Condition {
    Id(String),
    Time(&'static str, Side, DateTime<Utc>),
    /// A day, as `YYYYMMDD`.
    Day(&'static str, Side, String),
    /// One of several values of a field of the order.
    Among(String, Vec<String>),
    /// Of one of its lines.
    Item(String),
    Sub(String),
    Title(String),
    Invoice(String),
    LineOrders(bool),
    LineShippable(bool),
}

/// All of them together must hold.
#[derive(Debug, Default)]
pub(super) struct Conditions {
    all: Vec<Condition>,
    read_only: u8,
    with_fraud_held: bool,
}

/// Fields that take one or several values by comma, with those values. None: any.
const VALUES: [(&str, &[&str]); 12] = [
    ("OrderStatus", &["1", "2", "3", "4", "5"]),
    ("IsSeen", BOOL),
    ("PayStatus", &["0", "1"]),
    ("PayType", &["0", "1"]),
    ("SettleStatus", &["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"]),
    ("ShipStatus", &["0", "1", "2", "3", "4"]),
    ("Suspect", &["0", "1", "2"]),
    ("StoreStatus", &["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"]),
    ("IsSplit", BOOL),
    ("IsActive", BOOL),
    ("IsRoyalty", BOOL),
    ("SocialGiftType", &["0", "1", "2", "3", "4"]),
];

const BOOL: &[&str] = &["true", "false"];

/// Those that take a list.
const LISTS: [&str; 6] =
    ["OrderStatus", "PayType", "SettleStatus", "ShipStatus", "Suspect", "SocialGiftType"];

/// One of these is needed.
const NEEDED: [&str; 8] = [
    "OrderId",
    "OrderTime",
    "OrderTimeFrom",
    "OrderTimeTo",
    "PublicationTimeFrom",
    "PublicationTimeTo",
    "PayMethodChangeDeadlineFrom",
    "PayMethodChangeDeadlineTo",
];

impl Conditions {
    /// # Errors
    /// od90101 with the name of an unknown key, of one with a bad value, or `Condition` where none that is needed is there.
    pub(super) fn read(condition: Option<&Tree>) -> Result<Self, Failure> {
        let missing = || Failure::parameter("Condition");
        let keys: Vec<&Tree> =
            condition.ok_or_else(missing)?.children.iter().filter(|key| !key.text.is_empty()).collect();
        if !keys.iter().any(|key| NEEDED.contains(&key.name.as_str())) {
            return Err(missing());
        }
        let mut conditions = Self::default();
        for key in keys {
            conditions.add(&key.name, &key.text).ok_or_else(|| Failure::parameter(&key.name))?;
        }
        Ok(conditions)
    }

    fn add(&mut self, name: &str, text: &str) -> Option<()> {
        let digit = |most: u8| text.parse::<u8>().ok().filter(|&value| value <= most);
        match name {
            "ReadOnlyMode" => self.read_only = digit(2)?,
            "FraudHoldDisplayType" => self.with_fraud_held = digit(1)? == 1,
            "LineGiftDisplayType" => match digit(2)? {
                0 => {}
                mode => self.all.push(Condition::LineOrders(mode == 1)),
            },
            "LineGiftShippableType" => match digit(2)? {
                0 => {}
                mode => self.all.push(Condition::LineShippable(mode == 1)),
            },
            name => self.all.push(condition(name, text)?),
        }
        Some(())
    }

    /// The one order that is asked for.
    pub(super) fn order_id(&self) -> Option<&str> {
        self.all.iter().find_map(|condition| match condition {
            Condition::Id(id) => Some(id.as_str()),
            _ => None,
        })
    }

    pub(super) fn hold(&self, view: &View<'_>) -> bool {
        let in_mode = match self.read_only {
            0 => !view.is_read_only(),
            1 => view.is_read_only(),
            _ => true,
        };
        in_mode
            && (self.with_fraud_held || !view.is_fraud_held())
            && self.all.iter().all(|condition| holds(condition, view))
    }
}

fn condition(name: &str, text: &str) -> Option<Condition> {
    let time = |field, side| Some(Condition::Time(field, side, moment(text)?));
    let on_day = |field, side| day(text).map(|_| Condition::Day(field, side, text.to_owned()));
    match name {
        "OrderId" => Some(Condition::Id(text.to_owned())),
        "OrderTime" => time("OrderTime", Side::At),
        "OrderTimeFrom" => time("OrderTime", Side::From),
        "OrderTimeTo" => time("OrderTime", Side::To),
        "PublicationTimeFrom" => time("PublicationTime", Side::From),
        "PublicationTimeTo" => time("PublicationTime", Side::To),
        "PayMethodChangeDeadlineFrom" => time("PayMethodChangeDeadline", Side::From),
        "PayMethodChangeDeadlineTo" => time("PayMethodChangeDeadline", Side::To),
        "ShipDate" => on_day("ShipDate", Side::At),
        "ShipDateFrom" => on_day("ShipDate", Side::From),
        "ShipDateTo" => on_day("ShipDate", Side::To),
        "ReleaseDateFrom" => on_day("ReleaseDate", Side::From),
        "ReleaseDateTo" => on_day("ReleaseDate", Side::To),
        "ShipRequestDateFrom" => on_day("ShipRequestDate", Side::From),
        "ShipRequestDateTo" => on_day("ShipRequestDate", Side::To),
        "ItemId" => Some(Condition::Item(text.to_owned())),
        "SubCode" => Some(Condition::Sub(text.to_owned())),
        "Title" => Some(Condition::Title(text.to_owned())),
        "ShipInvoiceNumber" => Some(Condition::Invoice(text.to_owned())),
        name => {
            let (_, known) = VALUES.iter().find(|(field, _)| *field == name)?;
            let values: Vec<String> = text.split(',').map(str::to_owned).collect();
            let fits = values.iter().all(|value| known.contains(&value.as_str()))
                && (values.len() == 1 || LISTS.contains(&name));
            fits.then(|| Condition::Among(name.to_owned(), values))
        }
    }
}

fn is_within<T: PartialOrd>(value: &T, side: Side, bound: &T) -> bool {
    match side {
        Side::From => value >= bound,
        Side::To => value <= bound,
        Side::At => value == bound,
    }
}

fn holds(condition: &Condition, view: &View<'_>) -> bool {
    let is_line = || shown_value(view, "IsLineGiftOrder") == "true";
    match condition {
        Condition::Id(id) => order_id(&view.order.seller, view.order.number) == *id,
        Condition::Time("OrderTime", side, bound) => is_within(&seconds(view.order.ordered_at), *side, bound),
        Condition::Time("PublicationTime", side, bound) => {
            view.slip.published_at.is_some_and(|at| is_within(&seconds(at), *side, bound))
        }
        Condition::Time(..) => false,
        Condition::Day(field, side, bound) => {
            let value = shown_value(view, field).replace('-', "");
            !value.is_empty() && is_within(&value, *side, bound)
        }
        Condition::Among(field, values) if field == "IsActive" => {
            let is_active = !matches!(view.order_status(), 4 | 5) && !view.is_split();
            values.contains(&is_active.to_string())
        }
        Condition::Among(field, values) => values.contains(&shown_value(view, field)),
        Condition::Item(code) => view.lines().iter().any(|row| row.item_code() == *code),
        Condition::Sub(code) => view.lines().iter().any(|row| row.line.option_sku == *code),
        Condition::Title(part) => view.lines().iter().any(|row| row.line.title.contains(part)),
        Condition::Invoice(number) => ["ShipInvoiceNumber1", "ShipInvoiceNumber2"]
            .iter()
            .any(|field| shown_value(view, field) == *number),
        Condition::LineOrders(wanted) => is_line() == *wanted,
        Condition::LineShippable(wanted) => {
            let is_stuck = is_line() && shown_value(view, "IsLineGiftShippable") == "false";
            is_stuck != *wanted
        }
    }
}
