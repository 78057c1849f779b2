//! What an order is shipped by: fulfilment orders ("parts": what one location sends) and fulfilments ("parcels" that
//! were reported). Both travel in the order's channel data, so that a dispatch needs no look-up.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::channel::Tracking;
use crate::error::Result;
use crate::lenient::Text;

use super::wire::Connection;

/// What a dispatch needs to know of an order.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct OrderData {
    /// Fulfilment orders.
    pub(super) parts: Vec<Part>,
    /// Fulfilments.
    pub(super) parcels: Vec<Parcel>,
}

/// A fulfilment order: what one location is to send.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Part {
    pub(super) id: String,
    /// The channel's word, upper case.
    pub(super) status: String,
    /// The location's id; empty: not told.
    pub(super) location: String,
    /// Whether `CREATE_FULFILLMENT` is among the supported actions.
    pub(super) can_ship: bool,
    /// Latest ship time.
    pub(super) ship_by: Option<DateTime<Utc>>,
    pub(super) lines: Vec<PartLine>,
}

impl Part {
    /// Whether it still waits for something to be shipped, from here or held.
    pub(super) fn is_open(&self) -> bool {
        !matches!(self.status.as_str(), "CLOSED" | "CANCELLED" | "INCOMPLETE") && self.left() > 0
    }

    /// Whether the channel takes no parcel of it now.
    pub(super) fn is_held(&self) -> bool {
        matches!(self.status.as_str(), "ON_HOLD" | "SCHEDULED")
    }

    /// Pieces that are left.
    pub(super) fn left(&self) -> u32 {
        self.lines.iter().map(|line| line.left).fold(0, u32::saturating_add)
    }
}

/// A line of a fulfilment order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct PartLine {
    pub(super) id: String,
    /// The order's line.
    pub(super) line: String,
    /// Pieces that are left to ship.
    pub(super) left: u32,
}

/// A fulfilment: a parcel that was reported.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Parcel {
    pub(super) id: String,
    /// The channel's word, upper case.
    pub(super) status: String,
    /// How far it got, the channel's word.
    pub(super) shown: String,
    pub(super) pieces: u32,
    pub(super) tracking: Vec<Tracking>,
}

impl Parcel {
    /// Whether it counts: it was not cancelled and did not fail.
    pub(super) fn is_live(&self) -> bool {
        !matches!(self.status.as_str(), "CANCELLED" | "ERROR" | "FAILURE")
    }

    /// Whether it has this number.
    pub(super) fn has(&self, number: &str) -> bool {
        self.tracking.iter().any(|tracking| tracking.number.trim() == number.trim())
    }
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct PartRow<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    status: Text<'a>,
    #[serde(borrow)]
    fulfill_by: Text<'a>,
    #[serde(borrow)]
    assigned_location: Option<Assigned<'a>>,
    #[serde(borrow)]
    supported_actions: Option<Vec<Action<'a>>>,
    #[serde(borrow)]
    line_items: Option<Connection<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Assigned<'a> {
    #[serde(borrow)]
    location: Option<Id<'a>>,
}

/// An object of which only the id is read.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Id<'a> {
    #[serde(borrow)]
    pub(super) id: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Action<'a> {
    #[serde(borrow)]
    action: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct PartLineRow<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    remaining_quantity: Text<'a>,
    #[serde(borrow)]
    line_item: Option<Id<'a>>,
}

/// A fulfilment order as read, and where its lines go on.
pub(super) struct ReadPart {
    pub(super) part: Part,
    pub(super) more: Option<String>,
}

/// Reads a fulfilment order. The error says what is missing.
pub(super) fn read_part(raw: &RawValue) -> Result<ReadPart, &'static str> {
    let row: PartRow<'_> = serde_json::from_str(raw.get()).map_err(|_| "a fulfilment order can't be read")?;
    let id = row.id.filled().ok_or("a fulfilment order has no id")?.to_owned();
    let lines = row.line_items.unwrap_or_default();
    let more = lines.next().map_err(|_| "a fulfilment order does not say whether it has more lines")?;
    let location = row.assigned_location.and_then(|assigned| assigned.location);
    let part = Part {
        id,
        status: row.status.trim().to_ascii_uppercase(),
        location: location.map(|location| location.id.trim().to_owned()).unwrap_or_default(),
        can_ship: row
            .supported_actions
            .unwrap_or_default()
            .iter()
            .any(|action| action.action.trim() == "CREATE_FULFILLMENT"),
        ship_by: time(&row.fulfill_by),
        lines: read_part_lines(&lines)?,
    };
    Ok(ReadPart { part, more })
}

/// Reads lines of a fulfilment order.
pub(super) fn read_part_lines(lines: &Connection<'_>) -> Result<Vec<PartLine>, &'static str> {
    let nodes = lines.nodes.as_ref().ok_or("a fulfilment order has no lines")?;
    nodes.iter().map(|raw| read_part_line(raw.ok_or("a line of a fulfilment order is missing")?)).collect()
}

fn read_part_line(raw: &RawValue) -> Result<PartLine, &'static str> {
    let wrong = "a line of a fulfilment order can't be read";
    let row: PartLineRow<'_> = serde_json::from_str(raw.get()).map_err(|_| wrong)?;
    let left = row.remaining_quantity.integer().and_then(|left| u32::try_from(left).ok());
    Ok(PartLine {
        id: row.id.filled().ok_or(wrong)?.to_owned(),
        line: row.line_item.and_then(|line| Some(line.id.filled()?.to_owned())).ok_or(wrong)?,
        left: left.ok_or(wrong)?,
    })
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct ParcelRow<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    status: Text<'a>,
    #[serde(borrow)]
    display_status: Text<'a>,
    #[serde(borrow)]
    delivered_at: Text<'a>,
    #[serde(borrow)]
    total_quantity: Text<'a>,
    #[serde(borrow)]
    tracking_info: Option<Vec<TrackingRow<'a>>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct TrackingRow<'a> {
    #[serde(borrow)]
    company: Text<'a>,
    #[serde(borrow)]
    number: Text<'a>,
}

/// Reads a fulfilment. The error says what is missing: without all of them a parcel could be reported twice.
pub(super) fn read_parcel(raw: &RawValue) -> Result<Parcel, &'static str> {
    let row: ParcelRow<'_> = serde_json::from_str(raw.get()).map_err(|_| "a fulfilment can't be read")?;
    let tracking = row
        .tracking_info
        .unwrap_or_default()
        .into_iter()
        .filter_map(|info| Some(Tracking::new(info.company.trim(), info.number.filled()?)));
    let shown = match row.delivered_at.filled() {
        Some(_) => "DELIVERED".to_owned(),
        None => row.display_status.trim().to_ascii_uppercase(),
    };
    Ok(Parcel {
        id: row.id.filled().ok_or("a fulfilment has no id")?.to_owned(),
        status: row.status.trim().to_ascii_uppercase(),
        shown,
        pieces: row.total_quantity.integer().and_then(|n| u32::try_from(n).ok()).unwrap_or(0),
        tracking: tracking.collect(),
    })
}

/// A time of the channel: ISO 8601 with its zone (sheet 1).
pub(super) fn time(text: &str) -> Option<DateTime<Utc>> {
    Some(DateTime::parse_from_rfc3339(text.trim()).ok()?.with_timezone(&Utc))
}

/// The number in a global id.
pub(super) fn number(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or(id)
}
