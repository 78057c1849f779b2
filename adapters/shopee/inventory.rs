//! What the channel shows of an item and its models, and where its stock lies (sheet 4.6, 4.7).

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::sync::Mutex;

use crate::channel::{Context, Operation};
use crate::error::{Error, ErrorKind, Result};
use crate::lenient::{Text, body_text};

use super::api::Api;
use super::auth::Ask;
use super::errors::{Endpoint, has_no_warehouses};
use super::wire::{Envelope, pieces, typed};

/// Most items in one look-up.
pub(super) const MOST_ITEMS: usize = 50;

/// The seller's own stock at a location.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Held {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) location_id: String,
    pub(super) stock: u32,
}

/// What is shown of a model, or of an item without models.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Shown {
    /// 0: the item has no models.
    pub(super) model: i64,
    pub(super) sku: String,
    /// The places of its options.
    pub(super) tiers: Vec<usize>,
    /// `MODEL_UNAVAILABLE`: buyers can't buy it.
    pub(super) status: String,
    /// `None`: not told.
    pub(super) held: Option<Vec<Held>>,
}

impl Shown {
    /// The pieces that the seller offers, over all locations. Those reserved for a promotion are among them: they are
    /// sold too.
    pub(super) fn quantity(&self) -> Option<u32> {
        let held = self.held.as_ref()?;
        held.iter().try_fold(0_u32, |sum, held| sum.checked_add(held.stock))
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct StockInfo<'a> {
    #[serde(borrow)]
    seller_stock: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct HeldRow<'a> {
    #[serde(borrow)]
    location_id: Text<'a>,
    #[serde(borrow)]
    stock: Text<'a>,
}

fn held(info: Option<&RawValue>) -> Result<Option<Vec<Held>>> {
    let Some(info) = info else { return Ok(None) };
    let info: StockInfo<'_> = crate::lenient::object("the stock", info.get())?;
    if info.seller_stock.is_none() {
        return Ok(None);
    }
    let rows = typed::<HeldRow<'_>>(info.seller_stock)?;
    let held = rows
        .iter()
        .map(|row| Some(Held { location_id: row.location_id.trim().to_owned(), stock: pieces(&row.stock)? }));
    Ok(held.collect())
}

/// An item.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Item {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) status: String,
    pub(super) has_models: bool,
    /// What is shown of it where it has no models.
    pub(super) own: Shown,
}

#[derive(Deserialize)]
struct Items<'a> {
    #[serde(borrow)]
    item_list: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ItemRow<'a> {
    #[serde(borrow)]
    item_id: Text<'a>,
    #[serde(borrow)]
    item_name: Text<'a>,
    #[serde(borrow)]
    item_sku: Text<'a>,
    #[serde(borrow)]
    item_status: Text<'a>,
    #[serde(borrow)]
    has_model: Text<'a>,
    #[serde(borrow)]
    stock_info_v2: Option<&'a RawValue>,
}

/// The call that reads items.
pub(super) fn items_ask(ids: &[i64]) -> Ask {
    let ids: Vec<String> = ids.iter().map(i64::to_string).collect();
    Ask::get(Endpoint::ItemInfo).with("item_id_list", ids.join(","))
}

/// The items of an answer.
///
/// # Errors
/// `MalformedResponse` when it or one of its items can't be read: a list with a hole would be taken for whole.
pub(super) fn items_result(body: &[u8]) -> Result<Vec<Item>> {
    let body = body_text(body);
    let items: Items<'_> = Envelope::read(&body)?.response()?;
    typed::<ItemRow<'_>>(items.item_list)?
        .into_iter()
        .map(|row| {
            let wrong = || Error::malformed("an item has no id, or does not say whether it has models");
            Ok(Item {
                id: row.item_id.integer().ok_or_else(wrong)?,
                name: row.item_name.trim().to_owned(),
                status: row.item_status.trim().to_owned(),
                has_models: row.has_model.flag().ok_or_else(wrong)?,
                own: Shown {
                    sku: row.item_sku.trim().to_owned(),
                    held: held(row.stock_info_v2)?,
                    ..Shown::default()
                },
            })
        })
        .collect()
}

/// Reads items; those that the shop does not have are left out.
///
/// # Errors
/// Any kind.
pub(super) async fn items(api: &Api, cx: &Context, operation: Operation, ids: &[i64]) -> Result<Vec<Item>> {
    let mut all = Vec::new();
    let mut left: Vec<&[i64]> = ids.chunks(MOST_ITEMS).collect();
    while let Some(chunk) = left.pop() {
        match api.read(cx, operation, &items_ask(chunk)).await {
            Ok(answer) => all.extend(items_result(&answer.body)?),
            // One that is missing spoils the call: the halves are asked for.
            Err(error) if error.kind() == ErrorKind::NotFound => {
                if chunk.len() > 1 {
                    let (one, two) = chunk.split_at(chunk.len() / 2);
                    left.extend([one, two]);
                }
            }
            Err(error) => return Err(error),
        }
    }
    Ok(all)
}

/// The models of an item with the words of their options.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Models {
    pub(super) all: Vec<Shown>,
    options: Vec<Vec<String>>,
}

impl Models {
    /// The options of a model in words.
    pub(super) fn words(&self, model: &Shown) -> String {
        let words = self.options.iter().zip(&model.tiers).filter_map(|(tier, at)| tier.get(*at));
        words.map(String::as_str).collect::<Vec<_>>().join(", ")
    }
}

#[derive(Deserialize)]
struct ModelList<'a> {
    #[serde(borrow)]
    tier_variation: Option<&'a RawValue>,
    #[serde(borrow)]
    model: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct TierRow<'a> {
    #[serde(borrow)]
    option_list: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct OptionRow<'a> {
    #[serde(borrow)]
    option: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ModelRow<'a> {
    #[serde(borrow)]
    model_id: Text<'a>,
    #[serde(borrow)]
    model_sku: Text<'a>,
    #[serde(borrow)]
    model_status: Text<'a>,
    #[serde(borrow)]
    tier_index: Option<&'a RawValue>,
    #[serde(borrow)]
    stock_info_v2: Option<&'a RawValue>,
}

/// The call that reads an item's models. It has no pages.
pub(super) fn models_ask(item: i64) -> Ask {
    Ask::get(Endpoint::Models).with("item_id", item.to_string())
}

/// The models of an answer.
///
/// # Errors
/// `MalformedResponse` when it or one of its models can't be read.
pub(super) fn models_result(body: &[u8]) -> Result<Models> {
    let body = body_text(body);
    let list: ModelList<'_> = Envelope::read(&body)?.response()?;
    if list.model.is_none() {
        return Err(Error::malformed("the answer holds no list of models"));
    }
    let mut models = Models::default();
    for tier in typed::<TierRow<'_>>(list.tier_variation)? {
        let options = typed::<OptionRow<'_>>(tier.option_list)?;
        models.options.push(options.iter().map(|row| row.option.trim().to_owned()).collect());
    }
    for row in typed::<ModelRow<'_>>(list.model)? {
        let tiers = super::wire::texts(row.tier_index);
        models.all.push(Shown {
            model: row.model_id.integer().ok_or_else(|| Error::malformed("a model has no id"))?,
            sku: row.model_sku.trim().to_owned(),
            tiers: tiers.iter().filter_map(|index| index.parse().ok()).collect(),
            status: row.model_status.trim().to_owned(),
            held: held(row.stock_info_v2)?,
        });
    }
    Ok(models)
}

/// Reads an item's models.
///
/// # Errors
/// Any kind.
pub(super) async fn models(api: &Api, cx: &Context, operation: Operation, item: i64) -> Result<Models> {
    models_result(&api.read(cx, operation, &models_ask(item)).await?.body)
}

/// The locations of the shop's stock, once they were read. Empty: the shop has no warehouses of its own.
#[derive(Debug, Default)]
pub(super) struct Locations(Mutex<Option<Vec<String>>>);

#[derive(Deserialize, Default)]
#[serde(default)]
struct WarehouseRow<'a> {
    #[serde(borrow)]
    location_id: Text<'a>,
}

/// The locations of an answer, each once.
///
/// # Errors
/// `MalformedResponse` when it can't be read.
pub(super) fn locations_result(body: &[u8]) -> Result<Vec<String>> {
    let body = body_text(body);
    let envelope = Envelope::read(&body)?;
    let list = envelope.response.ok_or_else(|| Error::malformed("the answer holds no list of warehouses"))?;
    let mut locations: Vec<String> = Vec::new();
    for row in typed::<WarehouseRow<'_>>(Some(list))? {
        if let Some(id) = row.location_id.filled()
            && !locations.iter().any(|known| known == id)
        {
            locations.push(id.to_owned());
        }
    }
    Ok(locations)
}

impl Locations {
    /// Reads them.
    ///
    /// # Errors
    /// Any kind.
    pub(super) async fn find(&self, api: &Api, cx: &Context) -> Result<Vec<String>> {
        let mut kept = self.0.lock().await;
        if let Some(locations) = &*kept {
            return Ok(locations.clone());
        }
        let ask = Ask::get(Endpoint::Warehouses).with("warehouse_type", "1");
        let locations = match api.read(cx, Operation::SetStock, &ask).await {
            Ok(answer) => locations_result(&answer.body)?,
            Err(error) if has_no_warehouses(&error) => Vec::new(),
            Err(error) => return Err(error),
        };
        *kept = Some(locations.clone());
        Ok(locations)
    }

    /// They are read anew: the channel refused one.
    pub(super) async fn forget(&self) {
        *self.0.lock().await = None;
    }
}

/// Spreads a quantity over locations: together they show it, never more. The chosen one takes what the others leave; where
/// the others alone hold too much, they are lowered.
pub(super) fn spread(quantity: u32, held: &[Held], chosen: &str) -> Vec<Held> {
    let mut left = quantity;
    let mut spread: Vec<Held> = Vec::with_capacity(held.len() + 1);
    for place in held.iter().filter(|place| place.location_id != chosen) {
        let stock = place.stock.min(left);
        left -= stock;
        spread.push(Held { location_id: place.location_id.clone(), stock });
    }
    spread.push(Held { location_id: chosen.to_owned(), stock: left });
    spread
}

/// Models by id.
pub(super) fn by_model(all: Vec<Shown>) -> HashMap<i64, Shown> {
    all.into_iter().map(|shown| (shown.model, shown)).collect()
}
