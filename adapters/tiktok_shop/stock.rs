//! Quantities, always absolute (sheet 4).

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::channel::{
    Context, LocalText, Operation, Outcome, Refusal, Repeat, StockAccepted, StockChange, concerns_account,
    each, whole,
};
use crate::error::{Error, ErrorKind, Result};
use crate::http::Nature;
use crate::lenient::{Text, body_text, object};
use crate::model::ListingKey;
use crate::options::{OptionDescription, OptionKind};

use super::auth::{Api, Ask};
use super::errors::{Endpoint, is_quantity_refused, item_failed, refused};
use super::inventory::{DefaultWarehouse, Held, Shown, shown, spread};
use super::wire::{Envelope, json, readable, rows, segment};

/// Quantities are absolute: a second call sets the same (sheet 4).
const REPEAT: Repeat = Repeat::Safe;
/// Largest quantity of a warehouse (sheet 4). The smallest that is documented is 1; 0 is sent and may be refused.
pub(super) const MOST_PIECES: u32 = 99_999;
/// Most SKUs of a product in one update (12052050).
const MOST_SET: usize = 100;
/// So many calls are on their way at once.
const PARALLEL: usize = 4;

/// The key of the option that names the warehouse.
pub(super) const WAREHOUSE: &str = "stock_warehouse_id";

/// The option that names the warehouse whose quantity is set.
pub(super) fn warehouse_option() -> OptionDescription {
    OptionDescription {
        key: WAREHOUSE,
        rule: "SS-1",
        kind: OptionKind::Text,
        default: serde_json::Value::Null,
        label: LocalText {
            en: "Warehouse for stock sync",
            ja: "在庫連携に使う倉庫",
            ko: "재고 연동에 쓰는 창고",
        },
        help: LocalText {
            en: "Id of the TikTok Shop warehouse whose quantity is set where a SKU has several. The others keep what they have, unless that alone is more than the quantity to show. Empty: the default sales warehouse.",
            ja: "1つのSKUに倉庫が複数ある場合に、数量を設定するTikTok Shopの倉庫ID。他の倉庫の数量はそのまま残します（合計が設定数を超える場合は減らします）。空欄の場合は既定の販売倉庫です。",
            ko: "한 SKU에 창고가 여러 개일 때 수량을 설정할 TikTok Shop 창고 ID입니다. 다른 창고의 수량은 그대로 두며, 합계가 설정 수량을 넘으면 줄입니다. 비워 두면 기본 판매 창고입니다.",
        },
    }
}

#[derive(Serialize)]
struct Update<'a> {
    skus: Vec<SkuUpdate<'a>>,
}

#[derive(Serialize)]
struct SkuUpdate<'a> {
    id: &'a str,
    inventory: &'a [Held],
}

/// A SKU's new quantities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NewStock {
    pub(super) sku: String,
    pub(super) held: Vec<Held>,
}

impl NewStock {
    fn total(&self) -> u32 {
        self.held.iter().fold(0, |sum, held| sum.saturating_add(held.quantity))
    }
}

/// The call that sets quantities of one product.
///
/// # Errors
/// `InvalidInput` when it can't be written.
pub(super) fn update_ask(product: &str, skus: &[&NewStock]) -> Result<Ask> {
    let path = format!("/product/202309/products/{}/inventory/update", segment(product)?);
    let skus = skus.iter().map(|sku| SkuUpdate { id: &sku.sku, inventory: &sku.held }).collect();
    Ok(Ask::post(Endpoint::SetInventory, path, json(&Update { skus })?))
}

#[derive(Deserialize)]
struct Errors<'a> {
    #[serde(borrow)]
    errors: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ErrorRow<'a> {
    #[serde(borrow)]
    code: Text<'a>,
    #[serde(borrow)]
    message: Text<'a>,
    #[serde(borrow)]
    detail: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct DetailRow<'a> {
    #[serde(borrow)]
    sku_id: Text<'a>,
    #[serde(borrow)]
    extra_errors: Option<&'a RawValue>,
}

/// The outcomes of an update by SKU. The answer names those that failed; an error that can't be placed leaves all others
/// unknown.
///
/// # Errors
/// `MalformedResponse` when it can't be read at all.
pub(super) fn update_result(body: &[u8], skus: &[&NewStock]) -> Result<OfProduct> {
    let body = body_text(body);
    let envelope = Envelope::read(&body)?;
    let errors = match envelope.data {
        Some(_) => rows(envelope.data::<Errors<'_>>()?.errors)?,
        None => Vec::new(),
    };
    let mut outcomes = HashMap::new();
    let mut unplaced = false;
    for raw in errors {
        let row = object::<ErrorRow<'_>>("an error", raw.get()).unwrap_or_default();
        let detail: DetailRow<'_> =
            row.detail.and_then(|raw| object("its detail", raw.get()).ok()).unwrap_or_default();
        let sent = skus.iter().find(|sku| sku.sku == detail.sku_id.trim());
        match (sent, row.code.integer()) {
            (Some(sku), Some(code)) => {
                drop(outcomes.insert(sku.sku.clone(), sku_failed(sku, code, &row.message, &detail)));
            }
            _ => unplaced = true,
        }
    }
    for sku in skus {
        outcomes.entry(sku.sku.clone()).or_insert_with(|| {
            if unplaced {
                let why = "the answer tells of a failure and not of which SKU";
                return Outcome::Unknown(Error::malformed(why).with_unknown_effect());
            }
            Outcome::Done(StockAccepted { quantity: sku.total() })
        });
    }
    Ok(outcomes)
}

/// The first of the secondary errors says more than the main one ("check failed").
fn sku_failed(sku: &NewStock, code: i64, said: &str, detail: &DetailRow<'_>) -> Outcome<StockAccepted> {
    let extra: Vec<ErrorRow<'_>> = readable(detail.extra_errors);
    let (code, said) = extra
        .first()
        .and_then(|row| Some((row.code.integer()?, row.message.to_string())))
        .unwrap_or((code, said.to_owned()));
    let outcome = item_failed(Endpoint::SetInventory, code, &said);
    match outcome {
        // Some of its warehouses may have been set.
        Outcome::Refused(no) if !extra.is_empty() && extra.len() < sku.held.len() => Outcome::Unknown(
            Error::new(ErrorKind::Refused).with_code(no.code).with_message(no.message).with_unknown_effect(),
        ),
        Outcome::Refused(no) => Outcome::Refused(about_zero(no, sku)),
        outcome => outcome,
    }
}

/// Says it where the smallest quantity is what was refused.
fn about_zero(mut no: Refusal, sku: &NewStock) -> Refusal {
    let zero = sku.held.iter().any(|held| held.quantity == 0);
    if zero && no.code.parse().is_ok_and(is_quantity_refused) {
        no.message = format!(
            "TikTok Shop refused a quantity of 0: its documented smallest is 1. Deactivate the product in Seller Center until there is stock again ({})",
            no.message
        );
    }
    no
}

/// The new quantities of a listing, or why they can't be set.
fn new_stock(
    change: &StockChange<'_>,
    shown: &HashMap<String, Shown>,
    named: Option<&str>,
    default: Option<&str>,
) -> Result<NewStock, Refusal> {
    let sku = change.listing.option.as_str();
    let no = |why: &str| Refusal::new("", why);
    if sku.is_empty() {
        return Err(no("a listing of TikTok Shop is a product with a SKU"));
    }
    let found = shown.get(sku).ok_or_else(|| no("the channel shows no stock of this SKU"))?;
    let held = found.warehouses.as_deref().ok_or_else(|| no("the SKU's warehouses can't be read"))?;
    let wanted = match held {
        [] => return Err(no("the SKU has no warehouse: assign one in Seller Center")),
        [_] if named.is_none() => 0,
        several => {
            let id = named.or(default).ok_or_else(|| {
                no("the SKU has several warehouses: choose one by the option stock_warehouse_id")
            })?;
            several.iter().position(|held| held.warehouse_id == id).ok_or_else(|| {
                no("the warehouse of the option stock_warehouse_id (or the default one) is none of this SKU's")
            })?
        }
    };
    Ok(NewStock { sku: sku.to_owned(), held: spread(change.quantity, held, wanted) })
}

/// Sets quantities: all warehouses of the SKUs are read together, then one call for each product.
pub(super) async fn set_stock(
    api: &Api,
    cx: &Context,
    warehouse: &DefaultWarehouse,
    changes: &[StockChange<'_>],
) -> Result<Vec<Outcome<StockAccepted>>> {
    let mut skus: Vec<&str> = changes.iter().map(|change| change.listing.option.as_str()).collect();
    skus.retain(|sku| !sku.is_empty());
    skus.sort_unstable();
    skus.dedup();
    let shown =
        if skus.is_empty() { HashMap::new() } else { shown(api, cx, Operation::SetStock, &skus).await? };
    let named = cx.setting(WAREHOUSE).and_then(serde_json::Value::as_str).map(str::trim);
    let named = named.filter(|id| !id.is_empty());
    let several = |change: &StockChange<'_>| {
        let found = shown.get(&change.listing.option);
        found.and_then(|shown| shown.warehouses.as_ref()).is_some_and(|held| held.len() > 1)
    };
    let default = match named {
        None if changes.iter().any(several) => warehouse.find(api, cx).await?,
        _ => None,
    };
    let mut seen: HashSet<&str> = HashSet::new();
    let new: Vec<Result<NewStock, Outcome<StockAccepted>>> = changes
        .iter()
        .map(|change| {
            let stock = new_stock(change, &shown, named, default.as_deref()).map_err(Outcome::Refused)?;
            let first = seen.insert(change.listing.option.as_str());
            first.then_some(stock).ok_or_else(|| {
                let twice = "another quantity for this SKU is in the same call";
                Outcome::NotTried(Error::new(ErrorKind::Busy).with_message(twice))
            })
        })
        .collect();
    let mut products: BTreeMap<&str, Vec<&NewStock>> = BTreeMap::new();
    for (change, stock) in changes.iter().zip(&new) {
        if let Ok(stock) = stock {
            products.entry(change.listing.item.as_str()).or_default().push(stock);
        }
    }
    let chunks: Vec<(&str, &[&NewStock])> = products
        .iter()
        .flat_map(|(product, skus)| skus.chunks(MOST_SET).map(|chunk| (*product, chunk)))
        .collect();
    let calls = chunks
        .iter()
        .map(|(product, skus)| async move { Ok(Outcome::Done(set_product(api, cx, product, skus).await?)) });
    let set = each(calls.collect::<Vec<_>>(), PARALLEL, Outcome::from_error).await;
    let by_sku = gather(&chunks, set)?;
    let outcomes = changes.iter().zip(&new).map(|(change, new)| match new {
        Err(outcome) => outcome.clone(),
        Ok(_) => by_sku.get(change.listing.option.as_str()).cloned().unwrap_or_else(|| {
            Outcome::Unknown(Error::malformed("no outcome for the SKU").with_unknown_effect())
        }),
    });
    whole(outcomes.collect())
}

type BySku<'a> = HashMap<&'a str, Outcome<StockAccepted>>;
/// The outcomes of one product's call.
type OfProduct = HashMap<String, Outcome<StockAccepted>>;

/// Sorts the outcomes of calls to their SKUs.
fn gather<'a>(
    chunks: &[(&'a str, &'a [&'a NewStock])],
    set: Result<Vec<Outcome<OfProduct>>>,
) -> Result<BySku<'a>> {
    let mut by_sku = BySku::new();
    let set = match set {
        Ok(set) => set,
        Err(error) if concerns_account(&error) => return Err(error),
        Err(error) => chunks.iter().map(|_| Outcome::from_error(&error)).collect(),
    };
    for ((_, skus), outcome) in chunks.iter().zip(set) {
        for sku in *skus {
            let of_sku = match &outcome {
                Outcome::Done(all) => match all.get(&sku.sku) {
                    Some(outcome) => outcome.clone(),
                    None => continue,
                },
                Outcome::AlreadyDone => Outcome::AlreadyDone,
                Outcome::Refused(no) => Outcome::Refused(about_zero(no.clone(), sku)),
                Outcome::NotTried(error) => Outcome::NotTried(error.clone()),
                Outcome::Unknown(error) => Outcome::Unknown(error.clone()),
            };
            by_sku.insert(sku.sku.as_str(), of_sku);
        }
    }
    Ok(by_sku)
}

async fn set_product(api: &Api, cx: &Context, product: &str, skus: &[&NewStock]) -> Result<OfProduct> {
    let sent = api.call(cx, Operation::SetStock, Nature::from(REPEAT), &update_ask(product, skus)?).await;
    match sent {
        Ok(answer) => update_result(&answer.body, skus).map_err(Error::with_unknown_effect),
        // One SKU may have spoilt the whole call: each goes alone, so that it blocks no other.
        Err(error) if skus.len() > 1 && refused(Endpoint::SetInventory, &error).is_some() => {
            let mut outcomes = HashMap::new();
            for sku in skus {
                let one = Box::pin(set_product(api, cx, product, &[*sku])).await;
                outcomes.extend(one?);
            }
            Ok(outcomes)
        }
        Err(error) => {
            let no = refused(Endpoint::SetInventory, &error).ok_or(error)?;
            let one = skus.iter().map(|sku| (sku.sku.clone(), Outcome::Refused(about_zero(no.clone(), sku))));
            Ok(one.collect())
        }
    }
}

/// Reads the quantities shown: what buyers can order, over all warehouses.
pub(super) async fn read_stock(
    api: &Api,
    cx: &Context,
    listings: &[ListingKey],
) -> Result<Vec<Outcome<StockAccepted>>> {
    let skus: Vec<&str> =
        listings.iter().map(|listing| listing.option.as_str()).filter(|sku| !sku.is_empty()).collect();
    let shown =
        if skus.is_empty() { HashMap::new() } else { shown(api, cx, Operation::ReadStock, &skus).await? };
    let outcomes = listings.iter().map(|listing| match shown.get(&listing.option) {
        Some(Shown { total: Some(quantity), .. }) => Outcome::Done(StockAccepted { quantity: *quantity }),
        Some(_) => Outcome::NotTried(Error::malformed("the channel does not tell the quantity")),
        None => Outcome::Refused(Refusal::new("", "the channel shows no stock of this SKU")),
    });
    whole(outcomes.collect())
}
