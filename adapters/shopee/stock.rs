//! Quantities, always absolute (sheet 4.6).

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::channel::{
    Context, LocalText, Operation, Outcome, Refusal, Repeat, StockAccepted, StockChange, each, whole,
};
use crate::error::{Error, ErrorKind, Result};
use crate::http::Nature;
use crate::lenient::{Text, body_text};
use crate::model::ListingKey;
use crate::options::{OptionDescription, OptionKind};

use super::api::Api;
use super::auth::Ask;
use super::errors::{Code, Endpoint, refused};
use super::inventory::{Held, Locations, Shown, by_model, items, models, spread};
use super::meanings::meaning;
use super::wire::{Envelope, json, pieces, rows, typed};

/// Quantities are absolute: a second call sets the same (sheet 4.6).
const REPEAT: Repeat = Repeat::Safe;
/// Most models in one update.
const MOST_SET: usize = 50;
/// So many calls are on their way at once.
const PARALLEL: usize = 4;

/// The key of the option that names the location.
pub(super) const LOCATION: &str = "stock_location_id";

/// The option that names the location whose quantity is set.
pub(super) fn location_option() -> OptionDescription {
    OptionDescription {
        key: LOCATION,
        rule: "SS-1",
        kind: OptionKind::Text,
        default: serde_json::Value::Null,
        label: LocalText {
            en: "Location for stock sync",
            ja: "在庫連携に使うロケーション",
            ko: "재고 연동에 쓰는 위치",
        },
        help: LocalText {
            en: "Shopee's location id of the warehouse whose quantity is set. Needed only where the shop has several. The others keep what they have, unless that alone is more than the quantity to show.",
            ja: "数量を設定する倉庫のShopee上のロケーションID。倉庫が複数ある場合に必要です。他の倉庫の数量はそのまま残します（合計が設定数を超える場合は減らします）。",
            ko: "수량을 설정할 창고의 Shopee 위치 ID입니다. 창고가 여러 개일 때만 필요합니다. 다른 창고의 수량은 그대로 두며, 합계가 설정 수량을 넘으면 줄입니다.",
        },
    }
}

#[derive(Serialize)]
struct Update<'a> {
    item_id: i64,
    stock_list: Vec<ModelUpdate<'a>>,
}

#[derive(Serialize)]
struct ModelUpdate<'a> {
    model_id: i64,
    seller_stock: &'a [Held],
}

/// A model's new quantities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NewStock {
    pub(super) model: i64,
    pub(super) held: Vec<Held>,
}

/// The call that sets quantities of one item.
///
/// # Errors
/// `InvalidInput` when it can't be written.
pub(super) fn update_ask(item: i64, new: &[NewStock]) -> Result<Ask> {
    let stock_list =
        new.iter().map(|new| ModelUpdate { model_id: new.model, seller_stock: &new.held }).collect();
    Ok(Ask::post(Endpoint::SetStock, json(&Update { item_id: item, stock_list })?))
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Lists<'a> {
    #[serde(borrow)]
    success_list: Option<&'a RawValue>,
    #[serde(borrow)]
    failure_list: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct SuccessRow<'a> {
    #[serde(borrow)]
    model_id: Text<'a>,
    #[serde(borrow)]
    location_id: Text<'a>,
    #[serde(borrow)]
    stock: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct FailureRow<'a> {
    #[serde(borrow)]
    model_id: Text<'a>,
    #[serde(borrow)]
    failed_reason: Text<'a>,
}

/// Whether an answer that is an error tells model by model what became of them.
pub(super) fn tells_of_models(body: &str) -> bool {
    let lists = Envelope::read(body).and_then(|envelope| envelope.response::<Lists<'_>>());
    lists.is_ok_and(|lists| rows(lists.failure_list).is_ok_and(|rows| !rows.is_empty()))
}

/// The outcomes of one item's call by model.
pub(super) type OfItem = HashMap<i64, Outcome<StockAccepted>>;

/// Reads an update: each model by its id. One that is in neither list is unknown; so is one of several locations of which
/// some were set.
///
/// # Errors
/// `MalformedResponse` when it can't be read at all.
pub(super) fn update_result(body: &[u8], new: &[NewStock]) -> Result<OfItem> {
    let body = body_text(body);
    let envelope = Envelope::read(&body)?;
    let said = envelope.error.as_deref().unwrap_or_default().trim().to_owned();
    let lists: Lists<'_> = envelope.response()?;
    let set = typed::<SuccessRow<'_>>(lists.success_list)?;
    let failed = typed::<FailureRow<'_>>(lists.failure_list)?;
    Ok(new.iter().map(|new| (new.model, outcome(new, &set, &failed, &said))).collect())
}

fn outcome(
    new: &NewStock,
    set: &[SuccessRow<'_>],
    failed: &[FailureRow<'_>],
    code: &str,
) -> Outcome<StockAccepted> {
    let unknown = |why: &str| Outcome::Unknown(Error::malformed(why).with_unknown_effect());
    let set: Vec<&SuccessRow<'_>> =
        set.iter().filter(|row| row.model_id.integer() == Some(new.model)).collect();
    if let Some(row) = failed.iter().find(|row| row.model_id.integer() == Some(new.model)) {
        if !set.is_empty() {
            return unknown("some locations of the model were set and some were not");
        }
        let said = row.failed_reason.trim();
        let words = match meaning(Code { module: "", name: "" }, said) {
            "" => said.to_owned(),
            meaning => format!("{meaning} ({said})"),
        };
        return Outcome::Refused(Refusal::new(code, words));
    }
    let mut sum = 0_u32;
    for held in &new.held {
        let told = set.iter().find(|row| {
            let place = row.location_id.trim();
            place == held.location_id
                || (new.held.len() == 1 && (place.is_empty() || held.location_id.is_empty()))
        });
        match told.and_then(|row| pieces(&row.stock)) {
            Some(stock) => sum = sum.saturating_add(stock),
            None => return unknown("the answer leaves the model out"),
        }
    }
    Outcome::Done(StockAccepted { quantity: sum })
}

/// What names a listing at the channel.
fn ids(listing: &ListingKey) -> Result<(i64, i64), Refusal> {
    let number = |text: &str| text.parse::<i64>().ok().filter(|number| *number > 0);
    let item = number(&listing.item);
    let model = if listing.option.is_empty() { Some(0) } else { number(&listing.option) };
    item.zip(model).ok_or_else(|| Refusal::new("", "item and model of Shopee are numbers"))
}

/// Where the stock of this shop is set.
enum Target {
    /// The shop has no warehouses: no location may be named.
    Nowhere,
    /// Its only location.
    One(String),
    /// One of several, which together show the quantity.
    Among(String),
}

async fn target(api: &Api, cx: &Context, locations: &Locations) -> Result<Result<Target, Refusal>> {
    let all = locations.find(api, cx).await?;
    let chosen = cx.setting(LOCATION).and_then(serde_json::Value::as_str).map(str::trim);
    let chosen = chosen.filter(|id| !id.is_empty());
    Ok(match (all.as_slice(), chosen) {
        ([], _) => Ok(Target::Nowhere),
        ([one], None) => Ok(Target::One(one.clone())),
        (all, Some(chosen)) if !all.iter().any(|id| id == chosen) => Err(Refusal::new(
            "",
            format!(
                "the shop has no location {chosen:?}; it has {}: set the option {LOCATION}",
                all.join(", ")
            ),
        )),
        ([_], Some(chosen)) => Ok(Target::One(chosen.to_owned())),
        (_, Some(chosen)) => Ok(Target::Among(chosen.to_owned())),
        (all, None) => Err(Refusal::new(
            "",
            format!(
                "the shop has several locations ({}): choose one by the option {LOCATION}",
                all.join(", ")
            ),
        )),
    })
}

/// Sets quantities: one call for each item, and one before it where the shop has several locations.
pub(super) async fn set_stock(
    api: &Api,
    cx: &Context,
    locations: &Locations,
    changes: &[StockChange<'_>],
) -> Result<Vec<Outcome<StockAccepted>>> {
    if changes.is_empty() {
        return Ok(Vec::new());
    }
    let target = match target(api, cx, locations).await? {
        Ok(target) => target,
        Err(refusal) => return Ok(changes.iter().map(|_| Outcome::Refused(refusal.clone())).collect()),
    };
    let mut by_item: BTreeMap<i64, Vec<(i64, u32)>> = BTreeMap::new();
    let mut seen: HashSet<(i64, i64)> = HashSet::new();
    let named: Vec<Result<(i64, i64), Outcome<StockAccepted>>> = changes
        .iter()
        .map(|change| {
            let ids = ids(change.listing).map_err(Outcome::Refused)?;
            if !seen.insert(ids) {
                let twice = "another quantity for this listing is in the same call";
                return Err(Outcome::NotTried(Error::new(ErrorKind::Busy).with_message(twice)));
            }
            by_item.entry(ids.0).or_default().push((ids.1, change.quantity));
            Ok(ids)
        })
        .collect();
    let chunks: Vec<(i64, &[(i64, u32)])> = by_item
        .iter()
        .flat_map(|(item, models)| models.chunks(MOST_SET).map(|chunk| (*item, chunk)))
        .collect();
    let target = &target;
    let calls = chunks.iter().map(|(item, models)| async move {
        Ok(Outcome::Done(set_item(api, cx, target, *item, models).await?))
    });
    let set = each(calls.collect::<Vec<_>>(), PARALLEL, Outcome::from_error).await?;
    let mut all: HashMap<(i64, i64), Outcome<StockAccepted>> = HashMap::new();
    for ((item, models), outcome) in chunks.iter().zip(set) {
        for (model, _) in *models {
            let of_model = match &outcome {
                Outcome::Done(told) => match told.get(model) {
                    Some(outcome) => outcome.clone(),
                    None => continue,
                },
                Outcome::AlreadyDone => Outcome::AlreadyDone,
                Outcome::Refused(no) => Outcome::Refused(no.clone()),
                Outcome::NotTried(error) => Outcome::NotTried(error.clone()),
                Outcome::Unknown(error) => Outcome::Unknown(error.clone()),
            };
            all.insert((*item, *model), of_model);
        }
    }
    let is_about_places = |outcome: &Outcome<StockAccepted>| matches!(outcome, Outcome::Refused(no) if no.message.contains("location"));
    if all.values().any(is_about_places) {
        locations.forget().await;
    }
    let outcomes = named.into_iter().map(|named| match named {
        Err(outcome) => outcome,
        Ok(ids) => all.get(&ids).cloned().unwrap_or_else(|| {
            Outcome::Unknown(Error::malformed("no outcome for the listing").with_unknown_effect())
        }),
    });
    whole(outcomes.collect())
}

async fn set_item(
    api: &Api,
    cx: &Context,
    target: &Target,
    item: i64,
    changes: &[(i64, u32)],
) -> Result<OfItem> {
    let mut outcomes = OfItem::new();
    let new: Vec<NewStock> = match target {
        Target::Among(chosen) => {
            let shown = shown(api, cx, Operation::SetStock, item, changes).await?;
            let mut new = Vec::new();
            for (model, quantity) in changes {
                match shown.get(model).map(|shown| &shown.held) {
                    Some(Some(held)) => {
                        new.push(NewStock { model: *model, held: spread(*quantity, held, chosen) });
                    }
                    Some(None) => {
                        let why = "the channel does not tell where the stock lies";
                        outcomes.insert(*model, Outcome::NotTried(Error::malformed(why)));
                    }
                    None => drop(outcomes.insert(*model, no_such())),
                }
            }
            new
        }
        Target::Nowhere | Target::One(_) => {
            let place = if let Target::One(id) = target { id.as_str() } else { "" };
            let held = |stock| vec![Held { location_id: place.to_owned(), stock }];
            changes.iter().map(|(model, stock)| NewStock { model: *model, held: held(*stock) }).collect()
        }
    };
    if !new.is_empty() {
        outcomes.extend(send(api, cx, item, &new).await?);
    }
    Ok(outcomes)
}

fn no_such<T>() -> Outcome<T> {
    Outcome::Refused(Refusal::new("", "the channel shows no stock of this item and model"))
}

async fn send(api: &Api, cx: &Context, item: i64, new: &[NewStock]) -> Result<OfItem> {
    let sent = api.call(cx, Operation::SetStock, Nature::from(REPEAT), &update_ask(item, new)?).await;
    match sent {
        Ok(answer) => update_result(&answer.body, new).map_err(Error::with_unknown_effect),
        Err(error) => {
            let refusal = refused(&error).ok_or(error)?;
            // One model may have spoilt the whole call: each goes alone, so that it blocks no other.
            if new.len() > 1 {
                let mut outcomes = OfItem::new();
                for one in new {
                    match Box::pin(send(api, cx, item, std::slice::from_ref(one))).await {
                        Ok(outcome) => outcomes.extend(outcome),
                        Err(error) => drop(outcomes.insert(one.model, Outcome::from_error(&error))),
                    }
                }
                return Ok(outcomes);
            }
            let one = new.iter().map(|new| (new.model, Outcome::Refused(without_reread(refusal.clone()))));
            Ok(one.collect())
        }
    }
}

/// Listings are not read again as orders are.
fn without_reread(mut refusal: Refusal) -> Refusal {
    refusal.reread = false;
    refusal
}

/// What the channel shows of these models of an item.
async fn shown(
    api: &Api,
    cx: &Context,
    operation: Operation,
    item: i64,
    changes: &[(i64, u32)],
) -> Result<HashMap<i64, Shown>> {
    let mut all = HashMap::new();
    if changes.iter().any(|(model, _)| *model == 0) {
        let items = items(api, cx, operation, &[item]).await?;
        all.extend(items.into_iter().filter(|i| i.id == item && !i.has_models).map(|item| (0, item.own)));
    }
    if changes.iter().any(|(model, _)| *model != 0) {
        all.extend(by_model(models(api, cx, operation, item).await?.all));
    }
    Ok(all)
}

/// Reads the quantities that the seller offers, over all locations.
pub(super) async fn read_stock(
    api: &Api,
    cx: &Context,
    listings: &[ListingKey],
) -> Result<Vec<Outcome<StockAccepted>>> {
    let named: Vec<Result<(i64, i64), Refusal>> = listings.iter().map(ids).collect();
    let mut plain: Vec<i64> = Vec::new();
    let mut with_models: Vec<i64> = Vec::new();
    for (item, model) in named.iter().flatten() {
        let list = if *model == 0 { &mut plain } else { &mut with_models };
        if !list.contains(item) {
            list.push(*item);
        }
    }
    let mut all: HashMap<(i64, i64), Shown> = HashMap::new();
    for item in items(api, cx, Operation::ReadStock, &plain).await? {
        if !item.has_models {
            all.insert((item.id, 0), item.own);
        }
    }
    let calls = with_models.iter().map(|item| async move {
        Ok(Outcome::Done(by_model(models(api, cx, Operation::ReadStock, *item).await?.all)))
    });
    let read = each(calls.collect::<Vec<_>>(), PARALLEL, Outcome::from_error).await?;
    let mut failed: HashMap<i64, Outcome<StockAccepted>> = HashMap::new();
    for (item, outcome) in with_models.iter().zip(read) {
        match outcome {
            Outcome::Done(models) => {
                all.extend(models.into_iter().map(|(model, shown)| ((*item, model), shown)));
            }
            Outcome::Refused(no) => drop(failed.insert(*item, Outcome::Refused(without_reread(no)))),
            Outcome::NotTried(error) | Outcome::Unknown(error) => {
                failed.insert(*item, Outcome::NotTried(error));
            }
            Outcome::AlreadyDone => {}
        }
    }
    let outcomes = named.into_iter().map(|named| match named {
        Err(refusal) => Outcome::Refused(refusal),
        Ok((item, model)) => match (all.get(&(item, model)), failed.get(&item)) {
            (Some(shown), _) => match shown.quantity() {
                Some(quantity) => Outcome::Done(StockAccepted { quantity }),
                None => Outcome::NotTried(Error::malformed("the channel does not tell the quantity")),
            },
            (None, Some(outcome)) if model != 0 => outcome.clone(),
            (None, _) => no_such(),
        },
    });
    whole(outcomes.collect())
}
