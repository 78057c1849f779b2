//! Packages: what is in them, how far they are, and what only their own call tells (sheet 4.2, 5).

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::channel::{Context, Operation};
use crate::error::{Error, ErrorKind, Result};
use crate::lenient::{Text, body_text, object};

use super::api::Api;
use super::auth::Ask;
use super::errors::Endpoint;
use super::wire::{Envelope, pieces, rows, shown, typed};

/// Most packages in one call.
const MOST: usize = 50;

/// What names the pieces of a line inside an order: two lines may share item and model (sheet 8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
pub(super) struct Key {
    pub(super) item_id: i64,
    pub(super) model_id: i64,
    pub(super) order_item_id: i64,
    pub(super) promotion_group_id: i64,
}

impl Key {
    /// Item and model alone, where the rest is not told on both sides.
    pub(super) fn short(self) -> Self {
        Self { order_item_id: 0, promotion_group_id: 0, ..self }
    }
}

/// Pieces by what names them.
pub(super) type Contents = BTreeMap<Key, u32>;

/// How far a package is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Stage {
    /// It can't be arranged yet.
    NotReady,
    /// It waits to be arranged.
    Ready,
    /// The pick-up failed: it is arranged again.
    Retry,
    /// Arranged, not handed over.
    Arranged,
    /// Handed over.
    Gone,
    Delivered,
    /// The carrier gave up.
    Failed,
    Cancelled,
    Unknown,
}

impl Stage {
    /// The table of the package's states (sheet 5). An unknown word stays unknown: it is never acted upon.
    pub(super) fn read(word: &str) -> Self {
        match word {
            "LOGISTICS_NOT_START" | "LOGISTICS_NOT_STARTED" | "NOT_STARTED" | "LOGISTICS_PENDING_ARRANGE" => {
                Self::NotReady
            }
            "LOGISTICS_READY" => Self::Ready,
            "LOGISTICS_PICKUP_RETRY" => Self::Retry,
            "LOGISTICS_REQUEST_CREATED" => Self::Arranged,
            "LOGISTICS_PICKUP_DONE" => Self::Gone,
            "LOGISTICS_DELIVERY_DONE" => Self::Delivered,
            "LOGISTICS_PICKUP_FAILED"
            | "LOGISTICS_DELIVERY_FAILED"
            | "LOGISTICS_LOST"
            | "LOGISTICS_COD_REJECTED" => Self::Failed,
            "LOGISTICS_INVALID" | "LOGISTICS_REQUEST_CANCELED" => Self::Cancelled,
            _ => Self::Unknown,
        }
    }

    /// Whether the seller still has something to do for it.
    pub(super) fn is_open(self) -> bool {
        matches!(self, Self::NotReady | Self::Ready | Self::Retry)
    }

    /// Whether it was arranged, whatever became of it.
    pub(super) fn is_arranged(self) -> bool {
        matches!(self, Self::Arranged | Self::Gone | Self::Delivered | Self::Failed)
    }
}

/// A package of an order, as kept with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Package {
    pub(super) number: String,
    pub(super) stage: Stage,
    pub(super) carrier: String,
    pub(super) tracking: String,
    #[serde(with = "as_list")]
    pub(super) contents: Contents,
}

/// JSON has no maps with keys that are objects.
mod as_list {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{Contents, Key};

    pub(super) fn serialize<S: Serializer>(contents: &Contents, to: S) -> Result<S::Ok, S::Error> {
        contents.iter().collect::<Vec<_>>().serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Contents, D::Error> {
        Vec::<(Key, u32)>::deserialize(from).map(|list| list.into_iter().collect())
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct PackageRow<'a> {
    #[serde(borrow)]
    package_number: Text<'a>,
    #[serde(borrow)]
    logistics_status: Text<'a>,
    #[serde(borrow)]
    shipping_carrier: Text<'a>,
    #[serde(borrow)]
    virtual_contact_number: Text<'a>,
    #[serde(borrow)]
    item_list: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct PackedRow<'a> {
    #[serde(borrow)]
    item_id: Text<'a>,
    #[serde(borrow)]
    model_id: Text<'a>,
    #[serde(borrow)]
    model_quantity: Text<'a>,
    #[serde(borrow)]
    order_item_id: Text<'a>,
    #[serde(borrow)]
    promotion_group_id: Text<'a>,
}

/// The pieces of a package.
///
/// # Errors
/// `MalformedResponse` when one can't be read: a parcel without a part of its pieces would ship incomplete.
pub(super) fn contents(list: Option<&RawValue>) -> Result<Contents> {
    let mut contents = Contents::new();
    for row in typed::<PackedRow<'_>>(list)? {
        let wrong = || Error::malformed("a piece of a package has no item or quantity");
        let key = Key {
            item_id: row.item_id.integer().ok_or_else(wrong)?,
            model_id: row.model_id.integer().unwrap_or(0),
            order_item_id: row.order_item_id.integer().unwrap_or(0),
            promotion_group_id: row.promotion_group_id.integer().unwrap_or(0),
        };
        let count = pieces(&row.model_quantity).ok_or_else(wrong)?;
        let sum = contents.entry(key).or_insert(0);
        *sum = sum.checked_add(count).ok_or_else(wrong)?;
    }
    Ok(contents)
}

/// What the packages of an order row tell.
#[derive(Debug, Default)]
pub(super) struct Packed {
    pub(super) packages: Vec<Package>,
    /// The number that reaches the recipient where the phone is masked (TW).
    pub(super) contact: Option<String>,
}

/// The packages of an order row.
///
/// # Errors
/// `MalformedResponse` when one can't be read.
pub(super) fn packed(list: Option<&RawValue>) -> Result<Packed> {
    let mut packed = Packed::default();
    for row in typed::<PackageRow<'_>>(list)? {
        if packed.contact.is_none() {
            packed.contact = shown(&row.virtual_contact_number).map(str::to_owned);
        }
        packed.packages.push(Package {
            number: row.package_number.trim().to_owned(),
            stage: Stage::read(row.logistics_status.trim()),
            carrier: row.shipping_carrier.trim().to_owned(),
            tracking: String::new(),
            contents: contents(row.item_list)?,
        });
    }
    Ok(packed)
}

/// What only the call about a package tells.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Fact {
    pub(super) stage: Option<Stage>,
    pub(super) tracking: String,
    /// The shipment was arranged and the package's state does not show it yet.
    pub(super) arranged: bool,
    /// `None`: not told.
    pub(super) can_split: Option<bool>,
}

impl Fact {
    /// How far the package is, by both. In an order that `waits` for its shipment, a request that was created says nothing:
    /// it can be there before anybody arranged it (sheet 8).
    pub(super) fn apply(&self, package: &mut Package, waits: bool) {
        if let Some(stage) = self.stage.filter(|stage| *stage != Stage::Unknown && !waits) {
            package.stage = stage;
        }
        // Only effective in this state (the call's page): in others it says nothing.
        if package.stage == Stage::Ready && self.arranged {
            package.stage = Stage::Arranged;
        }
        if !self.tracking.is_empty() {
            package.tracking.clone_from(&self.tracking);
        }
    }
}

/// Facts by package number.
pub(super) type Facts = HashMap<String, Fact>;

#[derive(Deserialize)]
struct Details<'a> {
    #[serde(borrow)]
    package_list: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct DetailRow<'a> {
    #[serde(borrow)]
    package_number: Text<'a>,
    #[serde(borrow)]
    fulfillment_status: Text<'a>,
    #[serde(borrow)]
    tracking_number: Text<'a>,
    #[serde(borrow)]
    is_shipment_arranged: Text<'a>,
    #[serde(borrow)]
    can_split_order: Text<'a>,
}

/// The call about packages.
pub(super) fn detail_ask(numbers: &[&str]) -> Ask {
    Ask::get(Endpoint::PackageDetail).with("package_number_list", numbers.join(","))
}

/// The facts of an answer. A package that can't be read is left out.
///
/// # Errors
/// `MalformedResponse` when the answer as a whole can't be read.
pub(super) fn detail_result(body: &[u8]) -> Result<Facts> {
    let body = body_text(body);
    let details: Details<'_> = Envelope::read(&body)?.response()?;
    let mut facts = Facts::new();
    for raw in rows(details.package_list)? {
        let row: DetailRow<'_> = object("a package", raw.get()).unwrap_or_default();
        let Some(number) = row.package_number.filled() else { continue };
        let word = row.fulfillment_status.filled();
        facts.insert(
            number.to_owned(),
            Fact {
                stage: word.map(Stage::read),
                tracking: shown(&row.tracking_number).filter(|n| *n != "-").unwrap_or_default().to_owned(),
                arranged: row.is_shipment_arranged.flag() == Some(true),
                can_split: row.can_split_order.flag(),
            },
        );
    }
    Ok(facts)
}

/// Reads packages. One that the channel does not have is left out.
///
/// # Errors
/// Any kind.
pub(super) async fn facts(
    api: &Api,
    cx: &Context,
    operation: Operation,
    numbers: &[String],
) -> Result<Facts> {
    let mut facts = Facts::new();
    let mut left: Vec<&[String]> = numbers.chunks(MOST).collect();
    while let Some(chunk) = left.pop() {
        let asked: Vec<&str> = chunk.iter().map(String::as_str).collect();
        match api.read(cx, operation, &detail_ask(&asked)).await {
            Ok(answer) => facts.extend(detail_result(&answer.body)?),
            // One that is missing spoils the call: the halves are asked for.
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Refused) => {
                if chunk.len() > 1 {
                    let (one, two) = chunk.split_at(chunk.len() / 2);
                    left.extend([one, two]);
                }
            }
            Err(error) => return Err(error),
        }
    }
    Ok(facts)
}
