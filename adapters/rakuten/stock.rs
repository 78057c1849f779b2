//! Quantities, always absolute (sheet 4.6). The relative mode is not used: a repeat would count twice.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::channel::{
    Context, Operation, Outcome, Refusal, Repeat, StockAccepted, StockChange, concerns_account, whole,
};
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::http::{Nature, Response};
use crate::lenient::{Text, body_text, object};
use crate::model::ListingKey;

use super::auth::{Api, Ask};
use super::errors::{Function, NO_SUCH_STOCK};
use super::wire::{Said, rows};

/// Quantities are absolute: a second call sets the same (sheet 4.6).
const REPEAT: Repeat = Repeat::Safe;
/// Most rows of a call that sets (sheet 4.6).
pub(super) const MOST_SET: usize = 400;
/// Most rows of a call that reads (sheet 4.6).
const MOST_READ: usize = 1000;
/// Most pieces of a listing.
pub(super) const MOST_PIECES: u32 = 99_999;
/// Most calls that look for the row that spoils a call: one among 400 is found in 18.
const MOST_NARROWING: u32 = 20;
/// Longest management number, in bytes.
const MOST_BYTES: usize = 32;

/// A row as it is compared: Rakuten writes item numbers in small letters, and tells SKU numbers apart by them.
type Key = (String, String);

fn key(item: &str, option: &str) -> Key {
    (item.trim().to_lowercase(), option.trim().to_owned())
}

fn key_of(listing: &ListingKey) -> Key {
    key(&listing.item, &listing.option)
}

#[derive(Serialize)]
struct Body<T> {
    inventories: Vec<T>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SetRow<'a> {
    manage_number: &'a str,
    variant_id: &'a str,
    mode: &'static str,
    quantity: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct KeyRow<'a> {
    manage_number: &'a str,
    variant_id: &'a str,
}

/// Sets quantities.
///
/// # Errors
/// `InvalidInput` when it can't be written.
pub(super) fn set_ask(changes: &[&StockChange<'_>]) -> Result<Ask> {
    let row = |change: &&StockChange<'_>| -> (String, String, u32) {
        (change.listing.item.clone(), change.listing.option.clone(), change.quantity)
    };
    let rows: Vec<(String, String, u32)> = changes.iter().map(row).collect();
    let inventories = rows.iter().map(|(manage_number, variant_id, quantity)| SetRow {
        manage_number,
        variant_id,
        mode: "ABSOLUTE",
        quantity: *quantity,
    });
    Ask::json(Function::SetStock, &Body { inventories: inventories.collect() })
}

/// Reads quantities.
///
/// # Errors
/// `InvalidInput` when it can't be written.
pub(super) fn read_ask(listings: &[&ListingKey]) -> Result<Ask> {
    let inventories =
        listings.iter().map(|listing| KeyRow { manage_number: &listing.item, variant_id: &listing.option });
    Ask::json(Function::ReadStock, &Body { inventories: inventories.collect() })
}

/// What keeps a listing from having a quantity.
pub(super) fn objection(listing: &ListingKey) -> Option<Refusal> {
    let no = |message: &str| Some(Refusal::new("", message));
    let fits = |number: &str| (1..=MOST_BYTES).contains(&number.trim().len());
    match (fits(&listing.item), listing.option.is_empty()) {
        (false, _) => no("the item's management number must have 1 to 32 bytes"),
        (true, true) => no("the listing has no SKU management number: Rakuten keeps quantities by SKU"),
        (true, false) if !fits(&listing.option) => no("the SKU management number must have 1 to 32 bytes"),
        _ => None,
    }
}

/// What an answer says about the rows of a call.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// All were taken.
    All,
    /// None was: these rows, by their index, and why.
    Not(Vec<(Option<usize>, Refusal)>),
}

/// What an answer says about the rows of a call.
///
/// # Errors
/// `MalformedResponse` when it can't be read.
pub(super) fn set_result(status: u16, body: &[u8]) -> Result<Taken> {
    if status == 204 {
        return Ok(Taken::All);
    }
    let body = body_text(body);
    let said = Said::read(&body)?;
    let faults = said.faults.iter();
    Ok(Taken::Not(
        faults.map(|fault| (fault.row(), Refusal::new(fault.code.trim(), fault.message.trim()))).collect(),
    ))
}

/// The quantities that the channel shows.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Shown {
    quantities: HashMap<Key, Option<u32>>,
    /// Rows that can't be read: nothing may be concluded from what is missing.
    has_holes: bool,
}

impl Shown {
    /// The quantity of a listing.
    pub(super) fn of(&self, listing: &ListingKey) -> Result<u32, Outcome<StockAccepted>> {
        match self.quantities.get(&key_of(listing)) {
            Some(Some(quantity)) => Ok(*quantity),
            Some(None) => Err(Outcome::NotTried(Error::malformed("the quantity can't be read"))),
            None if self.has_holes => {
                Err(Outcome::NotTried(Error::malformed("rows of the answer can't be read")))
            }
            None => Err(Outcome::Refused(Refusal::new(
                "",
                "the shop has no such item or SKU: Rakuten takes the quantity, shows it to nobody and drops it after a day",
            ))),
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct ShownRow<'a> {
    #[serde(borrow)]
    manage_number: Text<'a>,
    #[serde(borrow)]
    variant_id: Text<'a>,
    #[serde(borrow)]
    quantity: Text<'a>,
}

/// The quantities in an answer, found by their numbers.
///
/// # Errors
/// `MalformedResponse` when it can't be read.
pub(super) fn read_result(status: u16, body: &[u8]) -> Result<Shown> {
    #[derive(Deserialize)]
    struct Answer<'a> {
        #[serde(borrow)]
        inventories: &'a RawValue,
    }
    let body = body_text(body);
    if status == 404 && body.contains(NO_SUCH_STOCK) {
        return Ok(Shown::default());
    }
    let answer: Answer<'_> = object("the list of quantities", &body)?;
    let mut shown = Shown::default();
    for raw in rows(answer.inventories)? {
        let row: ShownRow<'_> = object("a quantity", raw.get()).unwrap_or_default();
        let (Some(item), Some(option)) = (row.manage_number.filled(), row.variant_id.filled()) else {
            shown.has_holes = true;
            continue;
        };
        let quantity = row.quantity.integer().and_then(|pieces| u32::try_from(pieces).ok());
        shown.quantities.insert(key(item, option), quantity);
    }
    Ok(shown)
}

/// Sets quantities, and reads them back: the channel says yes to items and SKUs that it does not have (sheet 4.6).
pub(super) async fn set_stock(
    api: &Api,
    cx: &Context,
    changes: &[StockChange<'_>],
) -> Result<Vec<Outcome<StockAccepted>>> {
    let mut seen = HashSet::new();
    let mut outcomes: Vec<Option<Outcome<StockAccepted>>> = changes
        .iter()
        .map(|change| {
            if let Some(no) = objection(change.listing) {
                return Some(Outcome::Refused(no));
            }
            if change.quantity > MOST_PIECES {
                return Some(Outcome::Refused(Refusal::new("", "Rakuten shows at most 99999 pieces")));
            }
            let twice = || Error::new(ErrorKind::Busy).with_message("the listing is twice in the same call");
            (!seen.insert(key_of(change.listing))).then(|| Outcome::NotTried(twice()))
        })
        .collect();
    let open: Vec<usize> =
        (0..changes.len()).filter(|n| outcomes.get(*n).is_some_and(Option::is_none)).collect();
    let written = write(api, cx, changes, &mut outcomes, open).await;
    read_back(api, cx, changes, &mut outcomes, &written).await;
    let lost = || Outcome::Unknown(Error::malformed("no outcome for the listing").with_unknown_effect());
    whole(outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(lost)).collect())
}

fn set(outcomes: &mut [Option<Outcome<StockAccepted>>], n: usize, outcome: Outcome<StockAccepted>) {
    if let Some(place) = outcomes.get_mut(n) {
        *place = Some(outcome);
    }
}

/// Sends rows; answers with those that were taken. One bad row spoils a call: it is taken out, and the rest goes again.
async fn write(
    api: &Api,
    cx: &Context,
    changes: &[StockChange<'_>],
    outcomes: &mut [Option<Outcome<StockAccepted>>],
    open: Vec<usize>,
) -> Vec<usize> {
    let mut groups: Vec<Vec<usize>> = open.chunks(MOST_SET).map(<[usize]>::to_vec).collect();
    let mut written = Vec::new();
    let mut stop: Option<Error> = None;
    let mut narrowing = 0;
    while let Some(group) = groups.pop() {
        let rows: Vec<&StockChange<'_>> = group.iter().filter_map(|n| changes.get(*n)).collect();
        let sent = match &stop {
            Some(error) => Err(error.clone()),
            None => send(api, cx, &rows).await,
        };
        match sent {
            Ok(Taken::All) => written.extend(group),
            Ok(Taken::Not(faults)) => {
                let bad: HashMap<usize, Refusal> =
                    faults.iter().filter_map(|(row, no)| Some((*group.get((*row)?)?, no.clone()))).collect();
                if bad.is_empty() && group.len() > 1 && narrowing < MOST_NARROWING {
                    narrowing += 2;
                    // Which row it is was not said: it is in one of the halves.
                    let (one, two) = group.split_at(group.len() / 2);
                    groups.extend([two.to_vec(), one.to_vec()]);
                    continue;
                }
                let general = faults.first().map(|(_, no)| no.clone());
                let general = general.unwrap_or_else(|| Refusal::new("", "the channel refused the row"));
                // It may be about another row of the group.
                let general = if group.len() > 1 { general.temporary() } else { general };
                let (refused, rest): (Vec<usize>, Vec<usize>) =
                    group.into_iter().partition(|n| bad.is_empty() || bad.contains_key(n));
                for n in refused {
                    let no = bad.get(&n).unwrap_or(&general).clone();
                    set(outcomes, n, Outcome::Refused(no));
                }
                if !rest.is_empty() {
                    groups.push(rest);
                }
            }
            Err(error) => {
                for n in group {
                    let outcome = match &stop {
                        Some(error) => Outcome::NotTried(error.clone()),
                        None => Outcome::from_error(&error),
                    };
                    set(outcomes, n, outcome);
                }
                stop = stop.or_else(|| concerns_account(&error).then_some(error));
            }
        }
    }
    written
}

async fn send(api: &Api, cx: &Context, rows: &[&StockChange<'_>]) -> Result<Taken> {
    let answer = api.write(cx, Operation::SetStock, Nature::from(REPEAT), &set_ask(rows)?).await?;
    set_result(answer.status, &answer.body).map_err(Error::with_unknown_effect)
}

/// Compares what is shown with what was set.
async fn read_back(
    api: &Api,
    cx: &Context,
    changes: &[StockChange<'_>],
    outcomes: &mut [Option<Outcome<StockAccepted>>],
    written: &[usize],
) {
    for chunk in written.chunks(MOST_READ) {
        let listings: Vec<&ListingKey> =
            chunk.iter().filter_map(|n| Some(changes.get(*n)?.listing)).collect();
        let shown = read(api, cx, &listings).await;
        for n in chunk {
            let Some(change) = changes.get(*n) else { continue };
            let outcome = match &shown {
                Ok(shown) => accepted(change, shown),
                // It was taken; only whether the shop has such a SKU is not known.
                Err(error) => Outcome::Unknown(error.clone().with_unknown_effect()),
            };
            set(outcomes, *n, outcome);
        }
    }
}

/// What became of a change that was taken, by what is shown after it.
pub(super) fn accepted(change: &StockChange<'_>, shown: &Shown) -> Outcome<StockAccepted> {
    match shown.of(change.listing) {
        // Fewer than were set: some were sold in between. The hub compares with what is shown now.
        Ok(quantity) if quantity <= change.quantity => Outcome::Done(StockAccepted { quantity }),
        // More than were set would be oversold: it is set again.
        Ok(quantity) => Outcome::Unknown(
            Error::malformed(format!("{quantity} are shown after {} were set", change.quantity))
                .with_retry(Retry::Later)
                .with_unknown_effect(),
        ),
        Err(Outcome::NotTried(error)) => Outcome::Unknown(error.with_unknown_effect()),
        Err(outcome) => outcome,
    }
}

async fn read(api: &Api, cx: &Context, listings: &[&ListingKey]) -> Result<Shown> {
    let answer: Response = api.read(cx, Operation::ReadStock, &read_ask(listings)?).await?;
    read_result(answer.status, &answer.body)
}

/// Reads the quantities shown.
pub(super) async fn read_stock(
    api: &Api,
    cx: &Context,
    listings: &[ListingKey],
) -> Result<Vec<Outcome<StockAccepted>>> {
    let mut outcomes = Vec::with_capacity(listings.len());
    let mut stop: Option<Error> = None;
    for chunk in listings.chunks(MOST_READ) {
        let sound: Vec<&ListingKey> = chunk.iter().filter(|listing| objection(listing).is_none()).collect();
        let shown = match stop.clone() {
            Some(error) => Err(error),
            None if sound.is_empty() => Ok(Shown::default()),
            None => read(api, cx, &sound).await,
        };
        outcomes.extend(chunk.iter().map(|listing| match (objection(listing), &shown) {
            (Some(no), _) => Outcome::Refused(no),
            (None, Ok(shown)) => match shown.of(listing) {
                Ok(quantity) => Outcome::Done(StockAccepted { quantity }),
                Err(outcome) => outcome,
            },
            (None, Err(error)) => Outcome::NotTried(error.clone()),
        }));
        stop = stop.or_else(|| shown.err().filter(concerns_account));
    }
    whole(outcomes)
}
