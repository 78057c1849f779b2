//! Quantities, always absolute (sheet, stock). The delta call is handy and never used: sent twice, it counts twice.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use crate::channel::{
    Context, Operation, Outcome, Refusal, Repeat, StockAccepted, StockChange, concerns_account, each, whole,
};
use crate::error::{Error, ErrorKind, Result};
use crate::http::Nature;
use crate::lenient::body_text;
use crate::model::ListingKey;

use super::auth::{Api, Ask, PARALLEL};
use super::errors::{Endpoint, refused};
use super::pages::LIMIT;
use super::products::{LIST_FIELDS, Offer, Product, product, product_result};
use super::status::Choices;
use super::wire::{Page, is_number, json, updated};

/// Quantities are absolute: a second call sets the same (sheet, what is done twice).
const REPEAT: Repeat = Repeat::Safe;
/// Products in one search.
const MOST_BY_IDS: usize = 50;
/// A change that is older than this is known to the hub: its cycle fetched the orders behind it.
const SETTLED: TimeDelta = TimeDelta::minutes(15);
/// The code of a raise that waits.
pub(super) const CHANGED: &str = "CHANGED_MEANWHILE";

/// Listings whose raise waited once.
#[derive(Debug, Default)]
pub(super) struct Raises(Mutex<HashSet<ListingKey>>);

impl Raises {
    fn has_waited(&self, listing: &ListingKey) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(listing)
    }

    fn note(&self, listing: &ListingKey, waits: bool) {
        let mut waited = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waits {
            waited.insert(listing.clone());
        } else {
            waited.remove(listing);
        }
    }
}

#[derive(Serialize)]
struct Quantity {
    quantity: u32,
    /// Sent only to switch the tracking of stock on.
    #[serde(skip_serializing_if = "Option::is_none")]
    unlimited: Option<bool>,
}

/// The call for one product: whole, because the parts of bundles and several locations show nowhere else.
///
/// # Errors
/// A refusal for what is no listing of this channel.
fn product_ask(listing: &ListingKey) -> Result<Ask, Refusal> {
    if !is_number(&listing.item) || !(listing.option.is_empty() || is_number(&listing.option)) {
        return Err(Refusal::new(
            "",
            "this is no listing of the store: a line that was made by hand has none",
        ));
    }
    Ok(Ask::get(Endpoint::Product, format!("/products/{}", listing.item)))
}

/// The call that sets a quantity, and nothing else of the product.
///
/// # Errors
/// `InvalidInput` when it can't be written.
pub(super) fn set_ask(listing: &ListingKey, quantity: u32, tracks: bool) -> Result<Ask> {
    let path = if listing.option.is_empty() {
        format!("/products/{}", listing.item)
    } else {
        format!("/products/{}/combinations/{}", listing.item, listing.option)
    };
    let unlimited = tracks.then_some(false);
    Ok(Ask::put(Endpoint::UpdateStock, path, json(&Quantity { quantity, unlimited })?))
}

fn no_variation() -> Refusal {
    Refusal::new("COMBINATION_NOT_FOUND", "the product has no such variation")
}

fn untracked() -> Refusal {
    let text = "Ecwid does not track this listing's stock, it sells without end: switch tracking on, or choose unlimited_stock = track";
    Refusal::new("UNLIMITED_STOCK", text)
}

/// Whether a quantity may be set, and whether that switches the tracking of stock on.
///
/// A quantity that changed unseen since the last push was usually sold, and the hub knows of it by now. Lowering is
/// always safe. A raise waits once where the change is fresh: an order may be behind it that no cycle has fetched yet
/// (searches are behind), and a raise would sell its goods again.
///
/// # Errors
/// A refusal, where nothing is to be sent.
pub(super) fn may_set(
    change: &StockChange<'_>,
    product: &Product,
    choices: Choices,
    now: DateTime<Utc>,
    has_waited: bool,
) -> Result<bool, Refusal> {
    if i32::try_from(change.quantity).is_err() {
        return Err(Refusal::new(
            "QUANTITY",
            "the quantity is larger than the channel takes (2,147,483,647)",
        ));
    }
    let offer = product.offer(&change.listing.option).ok_or_else(no_variation)?;
    if product.is_bundle {
        return Err(Refusal::new("BUNDLE", "the product is made of others: set the stock of its parts"));
    }
    if offer.several_locations || product.offer.several_locations {
        return Err(Refusal::new("SEVERAL_LOCATIONS", "several locations keep this product's stock"));
    }
    if offer.is_unlimited() {
        return if choices.tracks_unlimited { Ok(true) } else { Err(untracked()) };
    }
    let wanted = i64::from(change.quantity);
    let settled = product.changed.is_some_and(|at| now - at > SETTLED);
    match (offer.quantity, change.accepted.map(i64::from)) {
        (Some(shown), Some(accepted)) if shown != accepted && wanted > shown && !has_waited && !settled => {
            let text = format!(
                "it shows {shown} where {accepted} was set: the orders behind that are read first, and then it is raised"
            );
            Err(Refusal::new(CHANGED, text).temporary())
        }
        _ => Ok(false),
    }
}

/// Sets quantities, a listing at a time.
pub(super) async fn set_stock(
    api: &Api,
    cx: &Context,
    changes: &[StockChange<'_>],
) -> Result<Vec<Outcome<StockAccepted>>> {
    let mut seen: HashSet<&ListingKey> = HashSet::new();
    let firsts: Vec<bool> = changes.iter().map(|change| seen.insert(change.listing)).collect();
    let calls = changes.iter().zip(firsts).map(|(change, first)| async move {
        if first {
            return set_one(api, cx, change).await;
        }
        Ok(Outcome::NotTried(Error::new(ErrorKind::Busy).with_message("the listing is twice in one call")))
    });
    each(calls.collect(), PARALLEL, Outcome::from_error).await
}

async fn set_one(api: &Api, cx: &Context, change: &StockChange<'_>) -> Result<Outcome<StockAccepted>> {
    let operation = Operation::SetStock;
    let product = match look_up(api, cx, operation, change.listing).await? {
        Ok(product) => product,
        Err(refusal) => return Ok(Outcome::Refused(refusal)),
    };
    let waited = api.raises.has_waited(change.listing);
    let tracks = match may_set(change, &product, Choices::of(cx), api.now(), waited) {
        Ok(tracks) => tracks,
        Err(refusal) => {
            if refusal.code == CHANGED {
                api.raises.note(change.listing, true);
            }
            return Ok(Outcome::Refused(refusal));
        }
    };
    let ask = set_ask(change.listing, change.quantity, tracks)?;
    let answer = match api.call(cx, operation, Nature::from(REPEAT), &ask).await {
        Ok(answer) => answer,
        Err(error) => return refused(&error).map_or(Err(error), |no| Ok(Outcome::Refused(no))),
    };
    let changed = match updated(Endpoint::UpdateStock, &answer.body) {
        Ok(changed) => changed,
        Err(error) => return refused(&error).map_or(Err(error), |no| Ok(Outcome::Refused(no))),
    };
    api.raises.note(change.listing, false);
    let accepted = StockAccepted { quantity: change.quantity };
    if changed && !tracks {
        return Ok(Outcome::Done(accepted));
    }
    // That a quantity ends "unlimited" is known from one client only, and a count of 0 says that nothing was changed: the
    // listing itself tells.
    let shown = look_up(api, cx, operation, change.listing).await.map_err(Error::with_unknown_effect)?;
    let offer = shown.as_ref().ok().and_then(|product| product.offer(&change.listing.option));
    Ok(match offer {
        Some(offer) if offer.shown() == Some(change.quantity) => Outcome::Done(accepted),
        Some(offer) if offer.is_unlimited() => Outcome::Refused(untracked()),
        _ => {
            let text = "the channel took the update and shows another quantity";
            Outcome::Refused(Refusal::new("NOT_CHANGED", text).temporary())
        }
    })
}

/// Reads the product of a listing by itself: searches are behind.
async fn look_up(
    api: &Api,
    cx: &Context,
    operation: Operation,
    listing: &ListingKey,
) -> Result<Result<Product, Refusal>> {
    let ask = match product_ask(listing) {
        Ok(ask) => ask,
        Err(refusal) => return Ok(Err(refusal)),
    };
    match api.read(cx, operation, &ask).await {
        Ok(answer) => product_result(&answer.body, &listing.item).map(Ok),
        Err(error) => refused(&error).map_or(Err(error), |no| Ok(Err(no))),
    }
}

/// The call for products by their ids. All other search terms are ignored beside them.
pub(super) fn products_ask(ids: &[&str]) -> Ask {
    Ask::get(Endpoint::Products, "/products").with([
        ("productId", ids.join(",")),
        ("limit", LIMIT.to_string()),
        ("responseFields", LIST_FIELDS.to_owned()),
    ])
}

/// Reads the quantities shown. Products are searched for together; one that does not come is asked for by itself.
pub(super) async fn read_stock(
    api: &Api,
    cx: &Context,
    listings: &[ListingKey],
) -> Result<Vec<Outcome<StockAccepted>>> {
    let operation = Operation::ReadStock;
    let ids: BTreeSet<&str> =
        listings.iter().filter(|l| product_ask(l).is_ok()).map(|l| l.item.as_str()).collect();
    let ids: Vec<&str> = ids.into_iter().collect();
    let mut found: HashMap<String, Product> = HashMap::new();
    let mut failed: HashMap<&str, Error> = HashMap::new();
    let mut stopped: Option<Error> = None;
    for chunk in ids.chunks(MOST_BY_IDS) {
        let read = match &stopped {
            Some(error) => Err(error.clone()),
            None => search(api, cx, operation, chunk).await,
        };
        match read {
            Ok(products) => found.extend(products.into_iter().map(|p| (p.offer.id.clone(), p))),
            Err(error) => {
                failed.extend(chunk.iter().map(|id| (*id, error.clone())));
                if concerns_account(&error) {
                    stopped = Some(error);
                }
            }
        }
    }
    let calls = listings.iter().map(|listing| {
        let (found, failed) = (&found, &failed);
        async move {
            if let Some(error) = failed.get(listing.item.as_str()) {
                return Ok(Outcome::NotTried(error.clone()));
            }
            if let Some(product) = found.get(&listing.item) {
                return Ok(shown(product.offer(&listing.option)));
            }
            Ok(match look_up(api, cx, operation, listing).await? {
                Ok(product) => shown(product.offer(&listing.option)),
                Err(refusal) => Outcome::Refused(refusal),
            })
        }
    });
    whole(each(calls.collect(), PARALLEL, |e| Outcome::NotTried(e.clone())).await?)
}

async fn search(api: &Api, cx: &Context, operation: Operation, ids: &[&str]) -> Result<Vec<Product>> {
    let answer = api.read(cx, operation, &products_ask(ids)).await?;
    let body = body_text(&answer.body);
    let rows = Page::read(Endpoint::Products, &body)?.rows;
    // One that can't be read is asked for by itself, and says so then.
    Ok(rows.into_iter().filter_map(|raw| product(raw.get()).ok()).collect())
}

/// What a listing shows. "Without end" is no quantity: it is told as such, so that it is not taken for a difference.
fn shown(offer: Option<&Offer>) -> Outcome<StockAccepted> {
    let Some(offer) = offer else { return Outcome::Refused(no_variation()) };
    match offer.shown() {
        Some(quantity) => Outcome::Done(StockAccepted { quantity }),
        None if offer.is_unlimited() => Outcome::Refused(untracked()),
        None => Outcome::NotTried(Error::malformed("the channel does not tell the quantity")),
    }
}
