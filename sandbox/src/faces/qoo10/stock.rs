//! Quantities and prices (sheet 4.5).

use chrono::{Months, NaiveDate};
use serde::Serialize;

use super::answer::{Done, Failure, Outcome};
use super::call::day;
use super::confirm::{MOST, field, json_rows, sent_field};
use super::listings::item_of;
use super::methods::Visit;
use super::wording::day_of;
use crate::Amount;
use crate::market::{Item, ItemId, OptionId};

/// Joins the axes of an option.
const AXES: &str = "||*";

/// What is asked for one item. None: not sent, stays as it is.
struct Asked {
    item_code: String,
    seller_code: String,
    price: Option<String>,
    quantity: Option<String>,
    expire_date: Option<String>,
}

/// `ItemsOrder.SetGoodsPriceQty`.
pub(super) fn price_and_quantity(visit: &Visit<'_>) -> Outcome {
    let sent = |name| visit.call.sent(name).map(str::to_owned);
    let asked = Asked {
        item_code: visit.call.text("ItemCode").to_owned(),
        seller_code: visit.call.text("SellerCode").to_owned(),
        price: sent("Price"),
        quantity: sent("Qty"),
        expire_date: sent("ExpireDate"),
    };
    set(visit, &asked)?;
    Done::envelope()
}

/// `ItemsOrder.SetGoodsPriceQtyBulk`.
pub(super) fn price_and_quantity_bulk(visit: &Visit<'_>) -> Outcome {
    bulk(visit, |row| {
        let asked = Asked {
            item_code: field(row, "ItemCode"),
            seller_code: field(row, "SellerCode"),
            price: sent_field(row, "Price"),
            quantity: sent_field(row, "Qty"),
            expire_date: sent_field(row, "ExpireDate"),
        };
        set(visit, &asked)
    })
}

/// Checks everything before anything is changed.
fn set(visit: &Visit<'_>, asked: &Asked) -> Result<(), Failure> {
    let item = item_of(visit, &asked.item_code, &asked.seller_code, |item| item.id)?;
    let price = asked.price.as_deref().filter(|text| !text.is_empty()).map(price).transpose()?;
    let quantity = asked.quantity.as_deref().filter(|text| !text.is_empty()).map(quantity).transpose()?;
    let sale_end = asked.expire_date.as_deref().map(|text| sale_end(visit, text)).transpose()?;
    let acting = visit.acting();
    let gone = |_| not_found();
    if let Some(price) = price {
        acting.set_price(item, price).map_err(gone)?;
    }
    if let Some(quantity) = quantity {
        acting.set_quantity(item, None, quantity).map_err(gone)?;
    }
    if let Some(date) = sale_end {
        acting.set_sale_end(item, date).map_err(gone)?;
    }
    Ok(())
}

pub(super) fn not_found() -> Failure {
    Failure::new(-10001, "The item does not exist")
}

fn price(text: &str) -> Result<Amount, Failure> {
    match text.parse() {
        Ok(price) if price > Amount::ZERO => Ok(price),
        _ => Err(Failure::processing("Price must be a number above 0")),
    }
}

fn quantity(text: &str) -> Result<i64, Failure> {
    match text.trim().parse() {
        Ok(quantity) if (0..=999_999).contains(&quantity) => Ok(quantity),
        _ => Err(Failure::processing("Qty must be a whole number of 0 or more")),
    }
}

/// The trap: an empty date extends the sale by a year.
fn sale_end(visit: &Visit<'_>, text: &str) -> Result<NaiveDate, Failure> {
    let bad = || Failure::processing("ExpireDate must be yyyy-MM-dd");
    if text.is_empty() {
        return day_of(visit.desk.context.clock.now()).checked_add_months(Months::new(12)).ok_or_else(bad);
    }
    day(text).or_else(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()).ok_or_else(bad)
}

/// `ItemsOptions.UpdateInventoryQtyUnit`: an absolute quantity.
pub(super) fn option_quantity(visit: &Visit<'_>) -> Outcome {
    let call = visit.call;
    let (item, option) = named_option(visit, |name| call.text(name).to_owned())?;
    let quantity = quantity(call.text("Qty"))?;
    visit.acting().set_quantity(item, Some(option), quantity).map_err(|_| not_found())?;
    Done::envelope()
}

/// `ItemsOptions.UpdateInventoryQtyPlusUnit`: a difference. A repeat counts twice.
pub(super) fn option_quantity_plus(visit: &Visit<'_>) -> Outcome {
    let call = visit.call;
    let (item, option) = named_option(visit, |name| call.text(name).to_owned())?;
    let by =
        call.text("Qty").trim().parse().map_err(|_| Failure::processing("Qty must be a whole number"))?;
    visit.acting().change_quantity(item, Some(option), by).map_err(|_| not_found())?;
    Done::envelope()
}

/// `ItemsOptions.UpdateInventoryDataBulk`: needs the option's price, too.
pub(super) fn option_bulk(visit: &Visit<'_>) -> Outcome {
    bulk(visit, |row| {
        let (item, option) = named_option(visit, |name| field(row, name))?;
        let surcharge: Amount = field(row, "Price")
            .parse()
            .map_err(|_| Failure::processing("Price of the option is required"))?;
        let quantity = quantity(&field(row, "Qty"))?;
        let acting = visit.acting();
        acting.set_surcharge(item, option, surcharge).map_err(|_| not_found())?;
        acting.set_quantity(item, Some(option), quantity).map_err(|_| not_found())
    })
}

/// The option that a name and a value name together. The seller's code alone finds nothing.
fn named_option(visit: &Visit<'_>, param: impl Fn(&str) -> String) -> Result<(ItemId, OptionId), Failure> {
    let (name, value) = (param("OptionName"), param("OptionValue"));
    let (item, option) = item_of(visit, &param("ItemCode"), &param("SellerCode"), |item| {
        (item.id, find_option(item, &name, &value))
    })?;
    let option = option.ok_or_else(|| Failure::processing("the option does not exist"))?;
    Ok((item, option))
}

fn find_option(item: &Item, name: &str, value: &str) -> Option<OptionId> {
    let matches = |option: &&crate::market::ItemOption| {
        let names: Vec<&str> = option.axes.iter().map(|axis| &*axis.name).collect();
        let values: Vec<&str> = option.axes.iter().map(|axis| &*axis.value).collect();
        names.join(AXES) == name && values.join(AXES) == value
    };
    item.options.iter().find(matches).map(|option| option.id)
}

/// The rows of a bulk call, in parallel lists.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct BulkResult {
    keys: Vec<String>,
    values: Vec<String>,
}

/// 0 all done, -1 some failed, -2 too many.
fn bulk(visit: &Visit<'_>, set: impl Fn(&serde_json::Value) -> Result<(), Failure>) -> Outcome {
    let rows = json_rows(visit.call.text("ItemInfoJson"), "ItemInfoJson")?;
    if rows.len() > MOST {
        return Err(Failure::new(-2, "Over the limit"));
    }
    let mut result = BulkResult { keys: Vec::new(), values: Vec::new() };
    let mut failed = false;
    for row in &rows {
        let code = Some(field(row, "ItemCode")).filter(|code| !code.is_empty());
        result.keys.push(code.unwrap_or_else(|| field(row, "SellerCode")));
        result.values.push(match set(row) {
            Ok(()) => "SUCCESS".to_owned(),
            Err(failure) => {
                failed = true;
                format!("{} {}", failure.code, failure.text)
            }
        });
    }
    Done::value(&result).map(|done| if failed { done.with_code(-1) } else { done })
}
