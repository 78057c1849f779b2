//! Quantities, always absolute: what buyers can order from now on, beside what open orders hold (sheet 4).

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write as _;

use crate::channel::{
    Context, LocalText, Operation, Outcome, Refusal, Repeat, StockAccepted, StockChange, each, whole,
};
use crate::error::{Error, ErrorKind, Result};
use crate::http::Nature;
use crate::lenient::body_text;
use crate::model::ListingKey;
use crate::options::{OptionDescription, OptionKind};

use super::auth::{Api, Ask};
use super::errors::{Endpoint, refused};
use super::orders::PARALLEL;
use super::products::{Held, Shown, USUAL, product_ask, product_result};
use super::wire::{Envelope, number};

/// Quantities are absolute: a second call sets the same (sheet 4).
const REPEAT: Repeat = Repeat::Safe;
/// Most SKUs in one call: 50 are taken, 20 are recommended (reference of updatesellablequantity, code 513).
pub(super) const MOST_SET: usize = 20;

/// The key of the option that names the warehouse.
pub(super) const WAREHOUSE: &str = "stock_warehouse_code";

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
            en: "Code of the Lazada warehouse whose quantity is set where a SKU has several. The others keep what they have, unless that alone is more than the quantity to show. Shops with one warehouse leave it empty.",
            ja: "1つのSKUに倉庫が複数ある場合に、数量を設定するLazadaの倉庫コード。他の倉庫の数量はそのまま残します（合計が設定数を超える場合は減らします）。倉庫が1つのショップは空欄のままにします。",
            ko: "한 SKU에 창고가 여러 개일 때 수량을 설정할 Lazada 창고 코드입니다. 다른 창고의 수량은 그대로 두며, 합계가 설정 수량을 넘으면 줄입니다. 창고가 하나인 상점은 비워 둡니다.",
        },
    }
}

/// A SKU's new quantity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NewStock {
    pub(super) item: u64,
    pub(super) sku: u64,
    /// What it shows afterwards, over all warehouses.
    pub(super) quantity: u32,
    /// Empty: the only warehouse, which is not named.
    pub(super) warehouses: Vec<Held>,
}

fn escaped(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c => out.push(c),
        }
        out
    })
}

/// The call that sets quantities. The payload is XML, as in the channel's examples.
pub(super) fn set_ask(stock: &[&NewStock]) -> Ask {
    let mut xml = "<Request><Product><Skus>".to_owned();
    for sku in stock {
        // Writing to a String does not fail.
        let _ = write!(xml, "<Sku><ItemId>{}</ItemId><SkuId>{}</SkuId>", sku.item, sku.sku);
        if sku.warehouses.is_empty() {
            let _ = write!(xml, "<SellableQuantity>{}</SellableQuantity>", sku.quantity);
        } else {
            xml.push_str("<MultiWarehouseInventories>");
            for held in &sku.warehouses {
                let _ = write!(
                    xml,
                    "<MultiWarehouseInventory><WarehouseCode>{}</WarehouseCode><SellableQuantity>{}</SellableQuantity></MultiWarehouseInventory>",
                    escaped(&held.code),
                    held.quantity
                );
            }
            xml.push_str("</MultiWarehouseInventories>");
        }
        xml.push_str("</Sku>");
    }
    xml.push_str("</Skus></Product></Request>");
    Ask::post(Endpoint::SetStock, "/product/stock/sellable/update").with("payload", xml)
}

/// Whether all of a call was done.
///
/// # Errors
/// `Refused` with unknown effect when a success tells of failures too.
pub(super) fn set_result(body: &[u8]) -> Result<()> {
    let body = body_text(body);
    let envelope = Envelope::read(&body)?;
    if envelope.has_details() {
        let why = format!("the channel answered success and failures in one: {}", envelope.details());
        return Err(Error::new(ErrorKind::Refused).with_message(why).with_unknown_effect());
    }
    Ok(())
}

/// Spreads a quantity over a SKU's warehouses, so that together they show it, never more. The chosen one takes what the
/// others leave; where the others alone hold too much, they are lowered. Those that keep what they have are left out: an
/// order may have taken from them since they were read.
pub(super) fn spread(quantity: u32, held: &[Held], chosen: &str) -> Vec<Held> {
    let mut left = quantity;
    let mut new = Vec::new();
    for place in held.iter().filter(|place| place.code != chosen) {
        let kept = place.quantity.min(left);
        left -= kept;
        if kept != place.quantity {
            new.push(Held { code: place.code.clone(), quantity: kept });
        }
    }
    new.push(Held { code: chosen.to_owned(), quantity: left });
    new
}

fn item_of(listing: &ListingKey) -> Result<u64, Refusal> {
    number(&listing.item).filter(|item| *item > 0).ok_or_else(|| {
        Refusal::new(
            "",
            "the listing does not tell its product: link the one that the list of products shows",
        )
    })
}

/// The new quantity of a listing, or why it can't be set.
pub(super) fn new_stock(
    change: &StockChange<'_>,
    shown: &Shown,
    named: Option<&str>,
) -> Result<NewStock, Refusal> {
    let no = |why: &str| Refusal::new("", why);
    let item = item_of(change.listing)?;
    let sku =
        number(&change.listing.option).ok_or_else(|| no("a listing of Lazada is a product with a SKU id"))?;
    let held = shown.warehouses.as_deref().ok_or_else(|| no("the SKU's warehouses can't be read"))?;
    let warehouses = match (held, named) {
        ([], None) => Vec::new(),
        ([only], None) if only.code.eq_ignore_ascii_case(USUAL) => Vec::new(),
        ([only], None) => spread(change.quantity, held, &only.code),
        ([only], Some(named)) if only.code == named && named.eq_ignore_ascii_case(USUAL) => Vec::new(),
        (held, Some(named)) if held.iter().any(|place| place.code == named) => {
            spread(change.quantity, held, named)
        }
        (held, named) => {
            let codes: Vec<&str> = held.iter().map(|place| place.code.as_str()).collect();
            let why = match named {
                Some(named) => format!("the warehouse {named} is none of this SKU's: {}", codes.join(", ")),
                None => format!(
                    "the SKU has several warehouses: choose one by the option {WAREHOUSE}: {}",
                    codes.join(", ")
                ),
            };
            return Err(Refusal::new("", why));
        }
    };
    Ok(NewStock { item, sku, quantity: change.quantity, warehouses })
}

/// What is shown of the SKUs of products; for each product, that, or why it is not known.
type Products = BTreeMap<u64, Outcome<HashMap<String, Shown>>>;

async fn products<'a>(
    api: &Api,
    cx: &Context,
    operation: Operation,
    listings: impl Iterator<Item = &'a ListingKey>,
) -> Result<Products> {
    let items: BTreeMap<u64, ()> =
        listings.filter_map(|listing| Some((item_of(listing).ok()?, ()))).collect();
    let calls = items.keys().map(|item| async move {
        let answer = api.read(cx, operation, &product_ask(*item)).await?;
        let variants = product_result(&answer.body, *item)?;
        Ok(Outcome::Done(variants.into_iter().map(|variant| (variant.id, variant.shown)).collect()))
    });
    let read = each(calls.collect::<Vec<_>>(), PARALLEL, Outcome::from_error).await?;
    Ok(items.into_keys().zip(read).collect())
}

/// What is shown of a listing.
fn shown_of<T>(products: &Products, listing: &ListingKey) -> Result<Shown, Outcome<T>> {
    let item = item_of(listing).map_err(Outcome::Refused)?;
    match products.get(&item) {
        Some(Outcome::Done(skus)) => skus
            .get(&listing.option)
            .cloned()
            .ok_or_else(|| Outcome::Refused(Refusal::new("", "the product has no such SKU"))),
        Some(Outcome::Refused(no)) => Err(Outcome::Refused(no.clone())),
        Some(Outcome::NotTried(error) | Outcome::Unknown(error)) => Err(Outcome::NotTried(error.clone())),
        _ => Err(Outcome::NotTried(Error::malformed("the product was not read"))),
    }
}

/// Sets quantities. The products are read before, because a quantity set for a SKU with several warehouses reaches only
/// one of them.
pub(super) async fn set_stock(
    api: &Api,
    cx: &Context,
    changes: &[StockChange<'_>],
) -> Result<Vec<Outcome<StockAccepted>>> {
    let listings = changes.iter().map(|change| change.listing);
    let products = products(api, cx, Operation::SetStock, listings).await?;
    let named = cx.setting(WAREHOUSE).and_then(serde_json::Value::as_str).map(str::trim);
    let named = named.filter(|code| !code.is_empty());
    let mut seen: HashSet<&ListingKey> = HashSet::new();
    let new: Vec<Result<NewStock, Outcome<StockAccepted>>> = changes
        .iter()
        .map(|change| {
            if !seen.insert(change.listing) {
                let twice = "another quantity for this SKU is in the same call";
                return Err(Outcome::NotTried(Error::new(ErrorKind::Busy).with_message(twice)));
            }
            let shown = shown_of(&products, change.listing)?;
            new_stock(change, &shown, named).map_err(Outcome::Refused)
        })
        .collect();
    let stock: Vec<&NewStock> = new.iter().flatten().collect();
    let mut set = Vec::with_capacity(stock.len());
    for chunk in stock.chunks(MOST_SET) {
        set.extend(set_chunk(api, cx, chunk).await);
    }
    let mut set = set.into_iter();
    let outcomes = new.iter().map(|new| match new {
        Err(outcome) => outcome.clone(),
        Ok(_) => set.next().unwrap_or_else(|| {
            Outcome::Unknown(Error::malformed("no outcome for the SKU").with_unknown_effect())
        }),
    });
    whole(outcomes.collect())
}

/// One outcome for each SKU, in their order. A call that failed does not tell reliably for which SKU, and whether the
/// others were set: each goes alone then, which is harmless.
async fn set_chunk(api: &Api, cx: &Context, stock: &[&NewStock]) -> Vec<Outcome<StockAccepted>> {
    let sent = set_once(api, cx, stock).await;
    let mixed = |error: &Error| error.kind() == ErrorKind::Refused;
    match sent {
        Ok(()) => stock.iter().map(|sku| accepted(sku)).collect(),
        Err(error) if stock.len() > 1 && mixed(&error) => {
            let calls = stock.iter().map(|sku| async move {
                match set_once(api, cx, &[*sku]).await {
                    Ok(()) => Ok(accepted(sku)),
                    Err(error) => Err(error),
                }
            });
            match each(calls.collect::<Vec<_>>(), PARALLEL, failed).await {
                Ok(outcomes) => outcomes,
                Err(error) => stock.iter().map(|_| failed(&error)).collect(),
            }
        }
        Err(error) => stock.iter().map(|_| failed(&error)).collect(),
    }
}

fn accepted(stock: &NewStock) -> Outcome<StockAccepted> {
    Outcome::Done(StockAccepted { quantity: stock.quantity })
}

fn failed(error: &Error) -> Outcome<StockAccepted> {
    match refused(error) {
        Some(mut no) => {
            no.reread = false;
            Outcome::Refused(no)
        }
        None => Outcome::from_error(error),
    }
}

async fn set_once(api: &Api, cx: &Context, stock: &[&NewStock]) -> Result<()> {
    let answer = api.call(cx, Operation::SetStock, Nature::from(REPEAT), &set_ask(stock)).await?;
    set_result(&answer.body)
}

/// Reads the quantities shown: what buyers can order, over the seller's own warehouses.
pub(super) async fn read_stock(
    api: &Api,
    cx: &Context,
    listings: &[ListingKey],
) -> Result<Vec<Outcome<StockAccepted>>> {
    let products = products(api, cx, Operation::ReadStock, listings.iter()).await?;
    let outcomes = listings.iter().map(|listing| match shown_of(&products, listing) {
        Ok(Shown { total: Some(quantity), .. }) => Outcome::Done(StockAccepted { quantity }),
        Ok(_) => Outcome::NotTried(Error::malformed("the channel does not tell the quantity")),
        Err(outcome) => outcome,
    });
    whole(outcomes.collect())
}
