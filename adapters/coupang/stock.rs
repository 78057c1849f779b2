//! Quantities, one option a call, always absolute (sheet 4.10). Korea only.

use serde::Deserialize;

use crate::channel::{Context, Operation, Outcome, Refusal, Repeat, StockAccepted, StockChange, each};
use crate::error::{Error, Result};
use crate::http::Nature;
use crate::lenient::{Text, body_text};
use crate::model::ListingKey;

use super::auth::{Api, Ask, PARALLEL};
use super::errors::Function;
use super::rows::in_path;
use super::wire::{Envelope, object};

/// Quantities are absolute: a second call sets the same (sheet 4.10).
const REPEAT: Repeat = Repeat::Safe;

const PATH: &str = "/v2/providers/seller_api/apis/api/v1/marketplace/vendor-items";

/// Asks to set an option's quantity. There is no body.
pub(super) fn quantity_ask(option: &str, quantity: u32) -> Ask {
    Ask::put(Function::SetQuantity, format!("{PATH}/{option}/quantities/{quantity}"))
}

/// Asks for an option's quantity.
pub(super) fn inventory_ask(option: &str) -> Ask {
    Ask::get(Function::Inventory, format!("{PATH}/{option}/inventories"), &[])
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Inventory<'a> {
    #[serde(borrow)]
    amount_in_stock: Text<'a>,
}

/// The quantity in an answer.
///
/// # Errors
/// `MalformedResponse` when there is none.
pub(super) fn inventory_result(body: &[u8]) -> Result<u32> {
    let body = body_text(body);
    let inventory: Inventory<'_> = object("inventory", Envelope::read(&body)?.data)?;
    inventory
        .amount_in_stock
        .integer()
        // More reserved than there is would be none.
        .and_then(|pieces| u32::try_from(pieces.max(0)).ok())
        .ok_or_else(|| Error::malformed("the channel does not tell the quantity"))
}

/// The id under which stock is kept.
fn option(listing: &ListingKey) -> Result<String, Refusal> {
    in_path(&listing.option).ok_or_else(|| {
        Refusal::new("", "the listing has no vendorItemId: only approved options of own products have stock")
    })
}

/// Sets quantities.
pub(super) async fn set_stock(
    api: &Api,
    cx: &Context,
    changes: &[StockChange<'_>],
) -> Result<Vec<Outcome<StockAccepted>>> {
    let calls = changes.iter().map(|change| async {
        let option = match option(change.listing) {
            Ok(option) => option,
            Err(no) => return Ok(Outcome::Refused(no)),
        };
        let ask = quantity_ask(&option, change.quantity);
        api.write(cx, Operation::SetStock, Nature::from(REPEAT), &ask).await?;
        Ok(Outcome::Done(StockAccepted { quantity: change.quantity }))
    });
    each(calls.collect(), PARALLEL, Outcome::from_error).await
}

/// Reads the quantities shown.
pub(super) async fn read_stock(
    api: &Api,
    cx: &Context,
    listings: &[ListingKey],
) -> Result<Vec<Outcome<StockAccepted>>> {
    let calls = listings.iter().map(|listing| async {
        let option = match option(listing) {
            Ok(option) => option,
            Err(no) => return Ok(Outcome::Refused(no)),
        };
        let answer = api.read(cx, Operation::ReadStock, &inventory_ask(&option)).await?;
        Ok(Outcome::Done(StockAccepted { quantity: inventory_result(&answer.body)? }))
    });
    each(calls.collect(), PARALLEL, Outcome::from_error).await
}
