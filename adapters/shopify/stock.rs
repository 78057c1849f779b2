//! Quantities at one location, absolute, each with the quantity that it replaces (sheet 4.5).

use std::collections::{BTreeSet, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::channel::{Context, Operation, Outcome, Refusal, Repeat, StockAccepted, StockChange, whole};
use crate::error::{Error, ErrorKind, Result};
use crate::http::Nature;
use crate::lenient::{Text, body_text};
use crate::model::ListingKey;

use super::api::Api;
use super::documents::{LOCATIONS, SET_STOCK};
use super::errors::refusal;
use super::listings::{Variant, look_up};
use super::status::Choices;
use super::wire::{Answer, Connection, UserError, user_errors};

/// Quantities are absolute, and the key makes the channel answer a repeat with the first result (sheet 4.5).
const REPEAT: Repeat = Repeat::Safe;

/// The largest quantity that the channel takes.
pub(super) const MOST: u32 = 1_000_000_000;
/// The most quantities in one call.
const MOST_IN_BULK: usize = 250;
/// The code of a quantity that changed meanwhile.
const STALE: &str = "CHANGE_FROM_QUANTITY_STALE";
/// A change that is older than this is known to the hub: its cycle fetched the orders behind it.
const SETTLED: TimeDelta = TimeDelta::minutes(15);

/// What is remembered between pushes.
#[derive(Debug, Default)]
pub(super) struct Pushes {
    /// Listings whose raise waited once.
    waited: Mutex<HashSet<String>>,
    /// Makes each intent's key another.
    intents: AtomicU64,
}

impl Pushes {
    fn has_waited(&self, variant: &str) -> bool {
        self.waited.lock().unwrap_or_else(PoisonError::into_inner).contains(variant)
    }

    fn note(&self, variant: &str, waits: bool) {
        let mut waited = self.waited.lock().unwrap_or_else(PoisonError::into_inner);
        if waits {
            waited.insert(variant.to_owned());
        } else {
            waited.remove(variant);
        }
    }
}

/// `InventoryQuantityInput`. The quantity to change from is always there, if only as `null`: the channel wants it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Quantity {
    inventory_item_id: String,
    location_id: String,
    quantity: u32,
    change_from_quantity: Option<i64>,
}

#[derive(Serialize)]
struct Input<'a> {
    name: &'static str,
    reason: &'static str,
    quantities: &'a [Quantity],
}

#[derive(Serialize)]
struct Variables<'a> {
    input: Input<'a>,
    key: String,
}

/// The variant of a listing.
///
/// # Errors
/// A refusal, where the listing is none: a line without a variant has its own id in its place.
pub(super) fn variant_of(listing: &ListingKey) -> Result<&str, Refusal> {
    let number = listing.option.strip_prefix("gid://shopify/ProductVariant/").unwrap_or_default();
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Refusal::new(
            "",
            "this is no variant: its product was deleted, or the line was made by hand",
        ));
    }
    Ok(&listing.option)
}

/// What the channel counts of a variant at the location.
///
/// # Errors
/// A refusal, where it counts nothing.
fn counted<'a>(variant: Option<&'a Variant>, location: &str) -> Result<(&'a Variant, i64), Refusal> {
    let no = |message: &str| Refusal::new("", message);
    let variant = variant.ok_or_else(|| no("the channel has no such variant"))?;
    if variant.tracked != Some(true) {
        return Err(no("the shop does not track this item's quantity: switch tracking on at the product"));
    }
    let level = variant.at(location).ok_or_else(|| no("the item is not stocked at this location"))?;
    if variant.item.is_empty() {
        return Err(no("the variant has no inventory item"));
    }
    Ok((variant, level.available))
}

/// What is to be sent for a change.
///
/// A quantity that changed unseen since the last push was usually sold, and the hub knows of it by now. Lowering is
/// always safe. A raise waits once where the change is fresh: an order may be behind it that no cycle has fetched yet,
/// and a raise would sell its goods again.
///
/// # Errors
/// The outcome, where nothing is to be sent.
pub(super) fn quantity(
    change: &StockChange<'_>,
    variant: Option<&Variant>,
    location: &str,
    now: DateTime<Utc>,
    has_waited: bool,
) -> Result<Quantity, Outcome<StockAccepted>> {
    if change.quantity > MOST {
        let text = "the quantity is larger than the channel takes (1,000,000,000)";
        return Err(Outcome::Refused(Refusal::new("INVALID_QUANTITY_TOO_HIGH", text)));
    }
    let (variant, current) = counted(variant, location).map_err(Outcome::Refused)?;
    let wanted = i64::from(change.quantity);
    if current == wanted {
        return Err(Outcome::AlreadyDone);
    }
    let changed = variant.at(location).and_then(|level| level.changed);
    let from = match change.accepted.map(i64::from) {
        None => None,
        Some(accepted) if accepted == current => Some(accepted),
        Some(_) if wanted < current => Some(current),
        Some(_) if has_waited || changed.is_some_and(|at| now - at > SETTLED) => Some(current),
        Some(accepted) => {
            let text = format!(
                "it shows {current} where {accepted} was set: the orders behind that are read first, and then it is raised"
            );
            return Err(Outcome::Refused(Refusal::new(STALE, text).temporary()));
        }
    };
    Ok(Quantity {
        inventory_item_id: variant.item.clone(),
        location_id: location.to_owned(),
        quantity: change.quantity,
        change_from_quantity: from,
    })
}

/// The key of an intent, as a UUID: another for each intent, because a key that was used would be answered with what
/// was set then; the same for all attempts of one.
pub(super) fn intent_key(shop: &str, quantities: &[Quantity], nonce: &str) -> String {
    let mut hash = Sha256::new();
    let mut add = |text: &str| {
        hash.update(text.len().to_be_bytes());
        hash.update(text.as_bytes());
    };
    add(shop);
    add(nonce);
    for one in quantities {
        add(&one.inventory_item_id);
        add(&one.location_id);
        add(&one.quantity.to_string());
    }
    let digest = hash.finalize();
    let mut hex: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    // Version and variant of a UUID whose bits are not random but made.
    hex.replace_range(12..13, "8");
    hex.replace_range(16..17, "a");
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Payload<'a> {
    #[serde(borrow)]
    user_errors: Option<&'a RawValue>,
}

/// What the channel says of the quantities of a call: all taken (nothing in the list), or none, and which of them, by
/// their place in the call, stood in the way.
///
/// # Errors
/// `MalformedResponse` when the answer does not say; `Unavailable` when an earlier attempt is still being worked on.
pub(super) fn refusals(body: &[u8]) -> Result<Vec<(Option<usize>, Refusal)>> {
    let text = body_text(body);
    let answer = Answer::read(&text)?;
    let payload: Payload<'_> = answer.root(&SET_STOCK)?;
    let errors = user_errors(payload.user_errors)?;
    if let Some(error) = errors.iter().find(|error| error.code == "IDEMPOTENCY_CONCURRENT_REQUEST") {
        return Err(Error::new(ErrorKind::Unavailable).with_code(&error.code).with_message(&error.message));
    }
    Ok(errors.iter().map(|error| (place(error), refusal(error))).collect())
}

fn place(error: &UserError) -> Option<usize> {
    let after = error.field.iter().skip_while(|step| *step != "quantities").nth(1)?;
    after.parse().ok()
}

/// Where stock is set: the merchant's choice, else the only active location.
///
/// # Errors
/// `Configuration` where there are several and none is chosen.
async fn location(api: &Api, cx: &Context, operation: Operation) -> Result<String> {
    if let Some(chosen) = Choices::of(cx)?.location {
        return Ok(chosen);
    }
    let answer = api.call(cx, operation, Nature::Read, &LOCATIONS, serde_json::Map::new()).await?;
    only_location(&answer.body)
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct LocationRow<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    is_active: Text<'a>,
}

/// The only active location.
///
/// # Errors
/// `Configuration` where there is none, or several.
pub(super) fn only_location(body: &[u8]) -> Result<String> {
    let text = body_text(body);
    let answer = Answer::read(&text)?;
    let page: Connection<'_> = answer.root(&LOCATIONS)?;
    let nodes = page.nodes.ok_or_else(|| Error::malformed("the answer names no locations"))?;
    let rows =
        nodes.iter().flatten().filter_map(|raw| serde_json::from_str::<LocationRow<'_>>(raw.get()).ok());
    let active: Vec<String> = rows
        .filter(|row| row.is_active.flag() != Some(false))
        .filter_map(|row| row.id.filled().map(str::to_owned))
        .collect();
    let wrong = |text: &str| Err(Error::new(ErrorKind::Configuration).with_message(text));
    match <[String; 1]>::try_from(active) {
        Ok([only]) => Ok(only),
        Err(none) if none.is_empty() => wrong("the shop has no active location to set stock at"),
        Err(_) => wrong("the shop has several active locations: choose one with the option location_id"),
    }
}

/// Sets quantities. Each variant is looked up first: one that is not tracked would take a quantity and go on selling
/// without end.
pub(super) async fn set_stock(
    api: &Api,
    cx: &Context,
    changes: &[StockChange<'_>],
) -> Result<Vec<Outcome<StockAccepted>>> {
    if changes.is_empty() {
        return Ok(Vec::new());
    }
    let operation = Operation::SetStock;
    let location = location(api, cx, operation).await?;
    let ids: BTreeSet<&str> = changes.iter().filter_map(|c| variant_of(c.listing).ok()).collect();
    let found = look_up(api, cx, operation, &ids, &location).await?;
    let mut outcomes: Vec<Option<Outcome<StockAccepted>>> = Vec::with_capacity(changes.len());
    let mut pushes: Vec<(usize, Quantity)> = Vec::new();
    let mut seen: HashSet<&str> = HashSet::new();
    for (n, change) in changes.iter().enumerate() {
        let made = variant_of(change.listing).map_err(Outcome::Refused).and_then(|id| {
            if !seen.insert(id) {
                let twice = Error::new(ErrorKind::Busy).with_message("the listing is twice in one call");
                return Err(Outcome::NotTried(twice));
            }
            let waited = api.pushes.has_waited(id);
            let made = quantity(change, found.get(id), &location, api.now(), waited);
            if matches!(&made, Err(Outcome::Refused(no)) if no.code == STALE) {
                api.pushes.note(id, true);
            }
            made
        });
        match made {
            Ok(push) => {
                pushes.push((n, push));
                outcomes.push(None);
            }
            Err(outcome) => outcomes.push(Some(outcome)),
        }
    }
    for chunk in pushes.chunks(MOST_IN_BULK) {
        for (n, outcome) in push(api, cx, chunk).await {
            if let (Outcome::Done(_), Some(change)) = (&outcome, changes.get(n)) {
                api.pushes.note(&change.listing.option, false);
            }
            if let Some(place) = outcomes.get_mut(n) {
                *place = Some(outcome);
            }
        }
    }
    let lost = || Outcome::Unknown(Error::malformed("no outcome for the listing").with_unknown_effect());
    whole(outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(lost)).collect())
}

/// Sends quantities together. Those that the channel refuses are taken out, and the others go again: a call with a
/// refusal sets none. Where it does not say which, each goes alone.
async fn push(api: &Api, cx: &Context, pushes: &[(usize, Quantity)]) -> Vec<(usize, Outcome<StockAccepted>)> {
    let mut outcomes = Vec::with_capacity(pushes.len());
    let mut groups = vec![pushes.to_vec()];
    while let Some(group) = groups.pop() {
        let quantities: Vec<Quantity> = group.iter().map(|(_, quantity)| quantity.clone()).collect();
        match call(api, cx, &quantities).await {
            Ok(none) if none.is_empty() => outcomes.extend(
                group.into_iter().map(|(n, q)| (n, Outcome::Done(StockAccepted { quantity: q.quantity }))),
            ),
            Ok(refusals) => {
                let named = |place: usize| {
                    refusals.iter().find(|(at, _)| *at == Some(place)).map(|(_, refusal)| refusal.clone())
                };
                let only = group.len() == 1;
                let mut rest = Vec::new();
                let mut any_named = false;
                for (place, (n, quantity)) in group.into_iter().enumerate() {
                    let first = || refusals.first().map(|(_, refusal)| refusal.clone());
                    match named(place).or_else(|| if only { first() } else { None }) {
                        Some(refusal) => {
                            any_named = true;
                            outcomes.push((n, Outcome::Refused(refusal)));
                        }
                        None => rest.push((n, quantity)),
                    }
                }
                match (any_named, rest.is_empty()) {
                    (_, true) => {}
                    (true, false) => groups.push(rest),
                    (false, false) => groups.extend(rest.into_iter().map(|one| vec![one])),
                }
            }
            Err(error) => {
                outcomes.extend(group.iter().map(|(n, _)| (*n, Outcome::from_error(&error))));
                if crate::channel::concerns_account(&error) {
                    // The rest would fail the same way.
                    let rest = groups.drain(..).flatten();
                    outcomes.extend(rest.map(|(n, _)| (n, Outcome::NotTried(error.clone()))));
                }
            }
        }
    }
    outcomes
}

async fn call(api: &Api, cx: &Context, quantities: &[Quantity]) -> Result<Vec<(Option<usize>, Refusal)>> {
    let intent = api.pushes.intents.fetch_add(1, Ordering::Relaxed);
    let nonce = format!("{}/{intent}", api.now().to_rfc3339_opts(chrono::SecondsFormat::Nanos, true));
    let variables = Variables {
        input: Input { name: "available", reason: "correction", quantities },
        key: intent_key(api.shop(), quantities, &nonce),
    };
    let nature = Nature::from(REPEAT);
    let answer = api.call(cx, Operation::SetStock, nature, &SET_STOCK, variables).await?;
    refusals(&answer.body).map_err(Error::with_unknown_effect)
}

/// Reads the quantities shown at the location.
pub(super) async fn read_stock(
    api: &Api,
    cx: &Context,
    listings: &[ListingKey],
) -> Result<Vec<Outcome<StockAccepted>>> {
    if listings.is_empty() {
        return Ok(Vec::new());
    }
    let operation = Operation::ReadStock;
    let location = location(api, cx, operation).await?;
    let ids: BTreeSet<&str> = listings.iter().filter_map(|listing| variant_of(listing).ok()).collect();
    let found = look_up(api, cx, operation, &ids, &location).await?;
    let outcomes = listings.iter().map(|listing| {
        let shown = variant_of(listing).and_then(|id| counted(found.get(id), &location));
        match shown {
            // Less than nothing was sold: none is shown.
            Ok((_, available)) => {
                Outcome::Done(StockAccepted { quantity: u32::try_from(available.max(0)).unwrap_or(u32::MAX) })
            }
            Err(no) => Outcome::Refused(no),
        }
    });
    whole(outcomes.collect())
}
