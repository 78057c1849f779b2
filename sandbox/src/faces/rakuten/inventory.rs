//! The inventory API (sheet 4.6). An item or SKU that does not exist is no error: its stock is an orphan.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::TimeDelta;
use serde_json::{Value, json};

use super::answer::{Failure, ok};
use super::book::Orphan;
use super::desk::Visit;
use super::items::{self, manage_number, variants};
use super::wording::iso_time;
use crate::market::{Action, ItemId, MarketState, OptionId};

/// Rows of one call, and the largest quantity.
const MOST_WRITTEN: usize = 400;
const MOST_READ: usize = 1000;
const MOST_UNITS: i64 = 99_999;
const MOST_BYTES: usize = 32;
/// How long orphans are kept.
const ORPHAN_HOURS: i64 = 24;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Absolute(i64),
    Relative(i64),
}

#[derive(Debug)]
struct Row {
    manage: String,
    variant: String,
    change: Change,
}

pub(super) fn upsert(visit: &Visit<'_>) -> Response {
    let (manage, variant) = path(visit);
    let row = codes(&json!({ "manageNumber": manage, "variantId": variant }), "")
        .and_then(|(manage, variant)| Ok(Row { manage, variant, change: change(&visit.call.body, "")? }));
    no_content(row.and_then(|row| write(visit, &[row])))
}

pub(super) fn bulk_upsert(visit: &Visit<'_>) -> Response {
    let rows = rows(&visit.call.body, MOST_WRITTEN).and_then(|rows| {
        let row = |(at, row): (usize, &Value)| {
            let prefix = format!("inventories[{at}].");
            let (manage, variant) = codes(row, &prefix)?;
            Ok(Row { manage, variant, change: change(row, &prefix)? })
        };
        rows.iter().enumerate().map(row).collect::<Result<Vec<_>, Failure>>()
    });
    no_content(rows.and_then(|rows| write(visit, &rows)))
}

pub(super) fn get(visit: &Visit<'_>) -> Response {
    let (manage, variant) = path(visit);
    let manage = manage.to_lowercase();
    match items::find(visit, &manage, &variant) {
        Some(found) => ok(&visit.market().read(|state| shown(state, &manage, &variant, found))),
        None => not_found(&manage, &variant).into_response(),
    }
}

pub(super) fn bulk_get(visit: &Visit<'_>) -> Response {
    let wanted = rows(&visit.call.body, MOST_READ).and_then(|rows| {
        let codes = |(at, row): (usize, &Value)| codes(row, &format!("inventories[{at}]."));
        rows.iter().enumerate().map(codes).collect::<Result<Vec<_>, Failure>>()
    });
    match wanted {
        Err(failure) => failure.into_response(),
        Ok(wanted) => {
            let rows: Vec<Value> = wanted
                .iter()
                .filter_map(|(manage, variant)| {
                    let found = items::find(visit, manage, variant)?;
                    Some(visit.market().read(|state| shown(state, manage, variant, found)))
                })
                .collect();
            ok(&json!({ "inventories": rows }))
        }
    }
}

pub(super) fn range(visit: &Visit<'_>) -> Response {
    match range_rows(visit) {
        Ok(rows) => ok(&json!({ "inventories": rows })),
        Err(failure) => failure.into_response(),
    }
}

fn range_rows(visit: &Visit<'_>) -> Result<Vec<Value>, Failure> {
    let bound = |name: &str| match visit.call.param(name) {
        None => Ok(None),
        Some(text) => {
            let number: i64 = text
                .parse()
                .map_err(|_| Failure::bad("IE0002", format!("{name} has an invalid value : {text}.")))?;
            in_range(number, name, "")?;
            Ok(Some(number))
        }
    };
    let (least, most) = (bound("minQuantity")?, bound("maxQuantity")?);
    if least.is_none() && most.is_none() {
        return Err(Failure::bad("IE0105", "minQuantity or maxQuantity is required."));
    }
    visit.market().read(|state| {
        let own = state.items().filter(|item| item.seller == visit.key.seller);
        let all = own.flat_map(|item| {
            let manage = manage_number(&item.seller_code);
            variants(item).into_iter().map(move |(variant, option, quantity)| {
                (manage.clone(), variant, (item.id, option, quantity))
            })
        });
        let all: Vec<_> = all.collect();
        if all.len() > MOST_READ {
            return Err(Failure::bad("IE0105", "The shop has more than 1000 SKUs."));
        }
        let within = |quantity: i64| {
            least.is_none_or(|least| least <= quantity) && most.is_none_or(|most| quantity <= most)
        };
        let rows = all.iter().filter(|(.., found)| within(found.2));
        Ok(rows.map(|(manage, variant, found)| shown(state, manage, variant, *found)).collect())
    })
}

fn path(visit: &Visit<'_>) -> (String, String) {
    let part = |at: usize| visit.call.path.get(at).cloned().unwrap_or_default();
    (part(0), part(1))
}

fn no_content(result: Result<(), Failure>) -> Response {
    match result {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(failure) => failure.into_response(),
    }
}

fn not_found(manage: &str, variant: &str) -> Failure {
    let text = format!("Not found for inputs; manageNumber={manage}, variantId={variant}");
    Failure::new(StatusCode::NOT_FOUND, "GE0014", text)
}

fn rows(body: &Value, most: usize) -> Result<&[Value], Failure> {
    match body.get("inventories").and_then(Value::as_array) {
        None => Err(Failure::bad("IE0001", "inventories is required.").at("inventories")),
        Some(rows) if (1..=most).contains(&rows.len()) => Ok(rows),
        Some(_) => {
            let text = format!("The number of inventories must be between 1 and {most}.");
            Err(Failure::bad("IE0121", text).at("inventories"))
        }
    }
}

fn codes(row: &Value, prefix: &str) -> Result<(String, String), Failure> {
    let code = |name: &str| {
        let failure = |code, text: String| Failure::bad(code, text).at(format!("{prefix}{name}"));
        let text = match row.get(name) {
            None | Some(Value::Null) => return Err(failure("IE0001", format!("{name} is required."))),
            Some(value) => value.as_str().unwrap_or_default().to_owned(),
        };
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        if text.is_empty() || !text.bytes().all(plain) {
            return Err(failure("IE0002", format!("{name} has an invalid value : {text}.")));
        }
        if text.len() > MOST_BYTES {
            return Err(failure("IE0004", format!("Max length of {name} must be within 32 bytes.")));
        }
        Ok(text)
    };
    Ok((code("manageNumber")?.to_lowercase(), code("variantId")?))
}

fn change(row: &Value, prefix: &str) -> Result<Change, Failure> {
    let at = |name: &str| format!("{prefix}{name}");
    let mode = match row.get("mode") {
        None | Some(Value::Null) => return Err(Failure::bad("IE0001", "mode is required.").at(at("mode"))),
        Some(value) => value.as_str().unwrap_or_default(),
    };
    let quantity = match row.get("quantity") {
        None | Some(Value::Null) => {
            return Err(Failure::bad("IE0001", "quantity is required.").at(at("quantity")));
        }
        Some(value) => value.as_i64().ok_or_else(|| {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            Failure::bad("IE0002", format!("quantity has an invalid value : {text}.")).at(at("quantity"))
        })?,
    };
    match mode {
        "ABSOLUTE" => {
            in_range(quantity, "quantity", prefix)?;
            Ok(Change::Absolute(quantity))
        }
        "RELATIVE" => Ok(Change::Relative(quantity)),
        other => Err(Failure::bad("IE0002", format!("mode has an invalid value : {other}.")).at(at("mode"))),
    }
}

fn in_range(quantity: i64, name: &str, prefix: &str) -> Result<(), Failure> {
    if (0..=MOST_UNITS).contains(&quantity) {
        return Ok(());
    }
    let text = format!("{name} must be between 0 and {MOST_UNITS}.");
    Err(Failure::bad("IE0003", text).at(format!("{prefix}{name}")))
}

/// All rows or none.
fn write(visit: &Visit<'_>, rows: &[Row]) -> Result<(), Failure> {
    for row in rows {
        let Change::Relative(by) = row.change else { continue };
        let known = items::find(visit, &row.manage, &row.variant).map(|found| found.2);
        let known = known.or_else(|| orphan(visit, row).map(|orphan| orphan.quantity));
        let now = known.ok_or_else(|| not_found(&row.manage, &row.variant))?;
        in_range(now.saturating_add(by), "quantity", "")?;
    }
    for row in rows {
        match (items::find(visit, &row.manage, &row.variant), row.change) {
            (Some((item, option, _)), Change::Absolute(quantity)) => {
                let _ = visit.acting().set_quantity(item, option, quantity);
            }
            (Some((item, option, _)), Change::Relative(by)) => {
                let _ = visit.acting().change_quantity(item, option, by);
            }
            (None, change) => keep_orphan(visit, row, change),
        }
    }
    Ok(())
}

fn orphan_key(visit: &Visit<'_>, row: &Row) -> (String, String, String) {
    (visit.key.seller.clone(), row.manage.clone(), row.variant.clone())
}

fn orphan(visit: &Visit<'_>, row: &Row) -> Option<Orphan> {
    let orphan = visit.book().orphans.get(&orphan_key(visit, row)).copied()?;
    (visit.now - orphan.updated_at < TimeDelta::hours(ORPHAN_HOURS)).then_some(orphan)
}

fn keep_orphan(visit: &Visit<'_>, row: &Row, change: Change) {
    let quantity = match change {
        Change::Absolute(quantity) => quantity,
        Change::Relative(by) => orphan(visit, row).map(|orphan| orphan.quantity).unwrap_or_default() + by,
    };
    // The market refuses it, so that the attempt is in the record: as one on item 0.
    let _ = visit.acting().set_quantity(ItemId(0), None, quantity);
    let orphan = Orphan { quantity, updated_at: visit.now };
    visit.book().orphans.insert(orphan_key(visit, row), orphan);
}

fn shown(
    state: &MarketState,
    manage: &str,
    variant: &str,
    (item, option, quantity): (ItemId, Option<OptionId>, i64),
) -> Value {
    let set = |action: &Action| matches!(action, Action::QuantitySet { .. } | Action::QuantityChanged { .. });
    let last = state.record().iter().rev().find(|event| {
        event.is_done()
            && event.subject.item == Some(item)
            && event.subject.option == option
            && set(&event.action)
    });
    let created = "2026-01-01T00:00:00+09:00".to_owned();
    let updated = last.map_or_else(|| created.clone(), |event| iso_time(event.at));
    json!({
        "manageNumber": manage,
        "variantId": variant,
        "quantity": quantity,
        "created": created,
        "updated": updated,
    })
}
