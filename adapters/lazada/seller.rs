//! The shop itself: a harmless read that proves the credentials (sheet 2).

use serde::Deserialize;

use crate::channel::Credentials;
use crate::error::{Error, ErrorKind, Result};
use crate::lenient::{Text, body_text, object};

use super::auth::{Ask, SELLER_ID};
use super::errors::Endpoint;
use super::wire::Envelope;

/// The call that reads the shop.
pub(super) fn seller_ask() -> Ask {
    Ask::get(Endpoint::Seller, "/seller/get")
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct SellerRow<'a> {
    #[serde(borrow)]
    seller_id: Text<'a>,
    #[serde(borrow)]
    status: Text<'a>,
    #[serde(borrow)]
    verified: Text<'a>,
    #[serde(borrow, rename = "marketplaceEaseMode")]
    ease_mode: Text<'a>,
}

/// What a person should know of the shop in an answer.
///
/// # Errors
/// `Unauthorized` when it is another shop than the one of the credentials; `MalformedResponse`.
pub(super) fn seller_result(body: &[u8], credentials: &Credentials) -> Result<Vec<String>> {
    let body = body_text(body);
    let row: SellerRow<'_> = object("the seller", Envelope::read(&body)?.data()?.get())?;
    if let (Some(told), Some(ours)) = (row.seller_id.filled(), credentials.get(SELLER_ID))
        && told != ours.expose().trim()
    {
        return Err(Error::new(ErrorKind::Unauthorized).with_message(
            "the token opens another shop than the one of seller_id: authorise the app for this shop",
        ));
    }
    let mut notes = Vec::new();
    if let Some(status) = row.status.filled().filter(|status| !status.eq_ignore_ascii_case("ACTIVE")) {
        notes.push(format!("the shop's state at Lazada is {status}"));
    }
    if row.verified.flag() == Some(false) {
        notes.push("the shop is not verified yet: complete it in Seller Center".to_owned());
    }
    if row.ease_mode.flag() == Some(true) {
        notes
            .push("the shop is in Marketplace Ease Mode: Lazada offers it a part of the API only".to_owned());
    }
    Ok(notes)
}
