//! Quantities, always absolute (sheet 4.5). The methods that add and subtract are not used: a repeat would count
//! twice.

use std::collections::{BTreeSet, HashMap};

use serde::Serialize;

use crate::channel::{
    Context, Operation, Outcome, Refusal, Repeat, StockAccepted, StockChange, concerns_account, each, whole,
};
use crate::error::{Error, ErrorKind, Result};
use crate::http::Nature;
use crate::model::ListingKey;

use super::MOST_IN_BULK;
use super::auth::{Api, Form, PARALLEL};
use super::cancels::refused;
use super::errors::{Method, SOME_FAILED};
use super::listings::{Detail, OptionRow, detail, inventory};
use super::wire::{Envelope, json_field, text};

/// Quantities are absolute: a second call sets the same (sheet 4.5).
const REPEAT: Repeat = Repeat::Safe;

/// What is sent for an item without options.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ItemQuantity {
    item_code: String,
    seller_code: String,
    price: String,
    qty: String,
    expire_date: String,
    tax_rate: String,
}

/// An item's new quantity, with its own price and end of sale.
///
/// The trap of these methods (sheet 4.5): an empty `ExpireDate` extends the sale by a year, and the price is set too.
/// Both go back as they are; where they can't be read, nothing is sent.
pub(super) fn item_quantity(item: &str, quantity: u32, detail: &Detail) -> Result<ItemQuantity, Refusal> {
    let missing =
        |what| Refusal::new("", format!("the item's {what} can't be read, and would be changed by the call"));
    Ok(ItemQuantity {
        item_code: item.to_owned(),
        seller_code: detail.seller_code.clone(),
        price: detail.price.clone().ok_or_else(|| missing("price"))?,
        qty: quantity.to_string(),
        expire_date: detail.ends.clone().ok_or_else(|| missing("end of sale"))?,
        tax_rate: detail.tax_rate.clone(),
    })
}

/// The form for one item.
pub(super) fn one_form(item: &ItemQuantity) -> Form {
    let mut form = vec![
        ("ItemCode", item.item_code.clone()),
        ("SellerCode", item.seller_code.clone()),
        ("Price", item.price.clone()),
        ("Qty", item.qty.clone()),
        ("ExpireDate", item.expire_date.clone()),
    ];
    if !item.tax_rate.is_empty() {
        form.push(("TaxRate", item.tax_rate.clone()));
    }
    form
}

/// The form for many items.
///
/// # Errors
/// `InvalidInput` when it can't be written.
pub(super) fn many_form(items: &[&ItemQuantity]) -> Result<Form> {
    Ok(vec![("ItemInfoJson", json_field(&items)?)])
}

/// The form for an option row, which is found by name and value.
pub(super) fn option_form(item: &str, option: &OptionRow, quantity: u32) -> Form {
    vec![
        ("ItemCode", item.to_owned()),
        ("SellerCode", String::new()),
        ("OptionName", option.name.clone()),
        ("OptionValue", option.value.clone()),
        ("OptionCode", option.code.clone()),
        ("Qty", quantity.to_string()),
    ]
}

/// The row of a listing among the item's: by the merchant's code, else by the words that orders show.
///
/// # Errors
/// A refusal when there is none, or several: a quantity on the wrong row would oversell.
pub(super) fn find_option<'a>(option: &str, rows: &'a [OptionRow]) -> Result<&'a OptionRow, Refusal> {
    let only = |matches: Vec<&'a OptionRow>| match matches.as_slice() {
        [] => Ok(None),
        [row] => Ok(Some(*row)),
        _ => Err(Refusal::new("", "several option rows of the item have this code: make the codes unique")),
    };
    if let Some(row) = only(rows.iter().filter(|row| row.code == option).collect())? {
        return Ok(row);
    }
    only(rows.iter().filter(|row| row.words == option).collect())?
        .ok_or_else(|| Refusal::new("", "the item has no such option row"))
}

/// What was looked up, by item. A failed look-up stands for its own items only, unless it ends the whole call.
fn by_item<T>(
    items: BTreeSet<&str>,
    looked_up: Result<Vec<Outcome<T>>>,
) -> Result<HashMap<&str, Outcome<T>>> {
    match looked_up {
        Ok(outcomes) => Ok(items.into_iter().zip(outcomes).collect()),
        Err(error) if concerns_account(&error) => Err(error),
        Err(error) => Ok(items.into_iter().map(|item| (item, Outcome::NotTried(error.clone()))).collect()),
    }
}

async fn inventories<'a>(
    api: &Api,
    cx: &Context,
    operation: Operation,
    items: BTreeSet<&'a str>,
) -> Result<HashMap<&'a str, Outcome<Vec<OptionRow>>>> {
    let calls =
        items.iter().map(|item| async { Ok(Outcome::Done(inventory(api, cx, operation, item).await?)) });
    let looked_up = each(calls.collect(), PARALLEL, Outcome::from_error).await;
    by_item(items, looked_up)
}

async fn details<'a>(
    api: &Api,
    cx: &Context,
    operation: Operation,
    items: BTreeSet<&'a str>,
) -> Result<HashMap<&'a str, Outcome<Detail>>> {
    let calls = items.iter().map(|item| async { Ok(Outcome::Done(detail(api, cx, operation, item).await?)) });
    let looked_up = each(calls.collect(), PARALLEL, Outcome::from_error).await;
    by_item(items, looked_up)
}

/// What a look-up found, or the outcome that follows for each listing of the item.
fn found<T, U>(looked_up: Option<&Outcome<T>>) -> Result<&T, Outcome<U>> {
    match looked_up {
        Some(Outcome::Done(found)) => Ok(found),
        Some(Outcome::Refused(no)) => Err(Outcome::Refused(no.clone())),
        Some(Outcome::NotTried(error) | Outcome::Unknown(error)) => Err(Outcome::NotTried(error.clone())),
        _ => Err(Outcome::NotTried(Error::malformed("the item was not looked up"))),
    }
}

/// What is to be sent for a change.
enum Push {
    Item(ItemQuantity),
    Option(OptionRow),
    /// Nothing: this is its outcome.
    Not(Outcome<StockAccepted>),
}

/// Sets quantities. Option rows go one by one, by the method that takes a quantity alone; items without options go
/// together, with what was just read of them.
pub(super) async fn set_stock(
    api: &Api,
    cx: &Context,
    changes: &[StockChange<'_>],
) -> Result<Vec<Outcome<StockAccepted>>> {
    let pushes = prepare(api, cx, changes).await?;
    let items: Vec<&ItemQuantity> = pushes
        .iter()
        .filter_map(|push| if let Push::Item(item) = push { Some(item) } else { None })
        .collect();
    let mut taken = HashMap::new();
    for chunk in items.chunks(MOST_IN_BULK) {
        if chunk.len() > 1 {
            match set_many(api, cx, chunk).await {
                Ok(true) => taken.extend(chunk.iter().map(|item| (item.item_code.clone(), None))),
                // Which items failed is told in a form that is not documented: each is sent alone, which says it.
                Ok(false) => {}
                // So is each where one of them may have spoilt the whole call.
                Err(error) if error.kind() == ErrorKind::Refused => {}
                Err(error) if chunk.len() == changes.len() => return Err(error),
                Err(error) => {
                    taken.extend(chunk.iter().map(|item| (item.item_code.clone(), Some(error.clone()))));
                }
            }
        }
    }
    let calls = changes.iter().zip(pushes).map(|(change, push)| async {
        match push {
            Push::Not(outcome) => Ok(outcome),
            Push::Option(option) => {
                let form = option_form(&change.listing.item, &option, change.quantity);
                set_one(api, cx, Method::SetOptionQuantity, form, change.quantity).await
            }
            Push::Item(item) => match taken.get(&item.item_code) {
                Some(None) => Ok(Outcome::Done(StockAccepted { quantity: change.quantity })),
                Some(Some(error)) => Ok(Outcome::from_error(error)),
                None => set_one(api, cx, Method::SetItemQuantity, one_form(&item), change.quantity).await,
            },
        }
    });
    each(calls.collect(), PARALLEL, Outcome::from_error).await
}

/// Looks up what the calls need beside the quantity.
async fn prepare(api: &Api, cx: &Context, changes: &[StockChange<'_>]) -> Result<Vec<Push>> {
    let kept = |change: &StockChange<'_>| change.channel_data.read::<OptionRow>();
    let item = |change: &StockChange<'_>| change.listing.option.is_empty();
    let plain: BTreeSet<&str> = changes.iter().filter(|c| item(c)).map(|c| c.listing.item.as_str()).collect();
    let with_options: BTreeSet<&str> =
        changes.iter().filter(|c| !item(c) && kept(c).is_none()).map(|c| c.listing.item.as_str()).collect();
    let details = details(api, cx, Operation::SetStock, plain).await?;
    let inventories = inventories(api, cx, Operation::SetStock, with_options).await?;
    let push = |change: &StockChange<'_>| -> Result<Push, Outcome<StockAccepted>> {
        let code = change.listing.item.as_str();
        if item(change) {
            let detail = found(details.get(code))?;
            return item_quantity(code, change.quantity, detail).map(Push::Item).map_err(Outcome::Refused);
        }
        if let Some(option) = kept(change) {
            return Ok(Push::Option(option));
        }
        let rows = found(inventories.get(code))?;
        find_option(&change.listing.option, rows)
            .map(|row| Push::Option(row.clone()))
            .map_err(Outcome::Refused)
    };
    Ok(changes.iter().map(|change| push(change).unwrap_or_else(Push::Not)).collect())
}

/// Whether the channel took all of them.
async fn set_many(api: &Api, cx: &Context, items: &[&ItemQuantity]) -> Result<bool> {
    let form = many_form(items)?;
    let method = Method::SetItemQuantities;
    let answer = api.call(cx, Operation::SetStock, Nature::from(REPEAT), method, form).await?;
    all_taken(&answer.body).map_err(Error::with_unknown_effect)
}

/// Whether the answer of the bulk method says that all were taken; `false`: some failed.
///
/// # Errors
/// `MalformedResponse` when it can't be read.
pub(super) fn all_taken(body: &[u8]) -> Result<bool> {
    let body = text(body);
    Ok(Envelope::read(&body)?.code != SOME_FAILED)
}

async fn set_one(
    api: &Api,
    cx: &Context,
    method: Method,
    form: Form,
    quantity: u32,
) -> Result<Outcome<StockAccepted>> {
    match api.call(cx, Operation::SetStock, Nature::from(REPEAT), method, form).await {
        Ok(_) => Ok(Outcome::Done(StockAccepted { quantity })),
        Err(error) => refused(&error, method).map_or(Err(error), |no| Ok(Outcome::Refused(no))),
    }
}

/// Reads the quantities shown. A change can take 10 minutes to show (sheet 4.5).
pub(super) async fn read_stock(
    api: &Api,
    cx: &Context,
    listings: &[ListingKey],
) -> Result<Vec<Outcome<StockAccepted>>> {
    let items = |plain: bool| -> BTreeSet<&str> {
        listings.iter().filter(|l| l.option.is_empty() == plain).map(|l| l.item.as_str()).collect()
    };
    let details = details(api, cx, Operation::ReadStock, items(true)).await?;
    let inventories = inventories(api, cx, Operation::ReadStock, items(false)).await?;
    let shown = |listing: &ListingKey| -> Result<Option<u32>, Outcome<StockAccepted>> {
        let item = listing.item.as_str();
        if listing.option.is_empty() {
            return Ok(found(details.get(item))?.quantity);
        }
        let rows = found(inventories.get(item))?;
        find_option(&listing.option, rows).map(|row| row.quantity).map_err(Outcome::Refused)
    };
    let untold = || Outcome::NotTried(Error::malformed("the channel does not tell the quantity"));
    let outcomes = listings.iter().map(|listing| match shown(listing) {
        Ok(Some(quantity)) => Outcome::Done(StockAccepted { quantity }),
        Ok(None) => untold(),
        Err(outcome) => outcome,
    });
    whole(outcomes.collect())
}
