//! Products with their options (sheet 4.11).

use serde::{Deserialize, Serialize};

use crate::channel::{Context, ListingPage, Operation, PageCursor};
use crate::error::{Error, ErrorKind, Result};
use crate::lenient::{Text, body_text};
use crate::model::{Listing, ListingKey, ListingState, Sku};

use super::auth::{Api, Ask};
use super::errors::{Function, says_not_found};
use super::rows::in_path;
use super::wire::{Envelope, object};

/// Most products of a page (sheet 4.11).
const PAGE: u32 = 100;
/// Products looked up for one page of ours: a call each.
const LOOKUPS: usize = 20;

const PATH: &str = "/v2/providers/seller_api/apis/api/v1/marketplace/seller-products";

/// Asks for a page of products.
pub(super) fn products_ask(vendor: &str, most: u32, token: &str) -> Ask {
    let most = most.to_string();
    let mut query = vec![("vendorId", vendor), ("maxPerPage", most.as_str())];
    if !token.is_empty() {
        query.push(("nextToken", token));
    }
    Ask::get(Function::Products, PATH.to_owned(), &query)
}

/// Asks for a product's options.
pub(super) fn product_ask(product: &str) -> Ask {
    Ask::get(Function::Product, format!("{PATH}/{product}"), &[])
}

/// A product whose options are still to be looked up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Product {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) state: String,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct ProductRow<'a> {
    #[serde(borrow)]
    seller_product_id: Text<'a>,
    #[serde(borrow)]
    seller_product_name: Text<'a>,
    #[serde(borrow)]
    status_name: Text<'a>,
    #[serde(borrow)]
    items: Option<Vec<ItemRow<'a>>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct ItemRow<'a> {
    #[serde(borrow)]
    vendor_item_id: Text<'a>,
    #[serde(borrow)]
    item_name: Text<'a>,
    #[serde(borrow)]
    external_vendor_sku: Text<'a>,
}

impl ProductRow<'_> {
    fn product(&self) -> Option<Product> {
        Some(Product {
            id: in_path(&self.seller_product_id)?,
            title: self.seller_product_name.trim().to_owned(),
            state: self.status_name.trim().to_owned(),
        })
    }
}

/// The products of a page and the token of the next.
///
/// # Errors
/// `MalformedResponse` when one can't be read: a list with a hole would be taken for whole.
pub(super) fn products_result(body: &[u8], asked: &str) -> Result<(Vec<Product>, Option<String>)> {
    let body = body_text(body);
    let envelope = Envelope::read(&body)?;
    let mut products = Vec::new();
    for raw in envelope.rows()? {
        let row: ProductRow<'_> = object("product", Some(raw))?;
        products.push(row.product().ok_or_else(|| Error::malformed("a product has no id"))?);
    }
    Ok((products, envelope.next(asked)?))
}

/// The listings of a product: its options that are approved, which alone have an id and stock. A product that shows no
/// options (sold by Rocket Growth too, or gone meanwhile) is listed as one that has no stock of its own.
///
/// # Errors
/// `MalformedResponse` when the answer is about another product.
pub(super) fn product_result(body: &[u8], product: &Product) -> Result<Vec<Listing>> {
    let body = body_text(body);
    let row: ProductRow<'_> = object("product", Envelope::read(&body)?.data)?;
    if in_path(&row.seller_product_id).as_deref() != Some(product.id.as_str()) {
        return Err(Error::malformed("the answer is about another product"));
    }
    let Some(items) = &row.items else { return Ok(vec![bare(product)]) };
    let state = state(row.status_name.filled().unwrap_or(&product.state));
    let options = items.iter().filter_map(|item| {
        let mut listing =
            Listing::new(ListingKey::option(&product.id, in_path(&item.vendor_item_id)?), state);
        listing.sku = item.external_vendor_sku.filled().map(Sku::from);
        let words = [product.title.as_str(), item.item_name.trim()];
        listing.title = words.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" ");
        Some(listing)
    });
    Ok(options.collect())
}

fn bare(product: &Product) -> Listing {
    let mut listing = Listing::new(ListingKey::item(&product.id), ListingState::Unknown);
    listing.title.clone_from(&product.title);
    listing
}

/// The state of a product's approval, in the words of answers and of the filter (sheet 4.11). Whether an approved option
/// is on sale is told by the call for its stock alone.
pub(super) fn state(word: &str) -> ListingState {
    match word.trim() {
        "승인완료" | "APPROVED" | "부분승인완료" | "PARTIAL_APPROVED" => ListingState::OnSale,
        "심사중" | "IN_REVIEW" | "임시저장" | "임시저장중" | "SAVED" | "승인대기중" | "APPROVING" => {
            ListingState::Waiting
        }
        "승인반려" | "DENIED" | "상품삭제" | "삭제" | "DELETED" => ListingState::Stopped,
        _ => ListingState::Unknown,
    }
}

/// Where a listing of pages goes on.
#[derive(Serialize, Deserialize)]
struct Place {
    /// The channel's token of its next page; empty: its first.
    token: String,
    /// Whether the channel has a next page.
    more: bool,
    products: Vec<Product>,
}

/// A page of listings.
pub(super) async fn list(api: &Api, cx: &Context, cursor: Option<&PageCursor>) -> Result<ListingPage> {
    let foreign = || Error::invalid("the page cursor is not of this channel");
    let mut place = match cursor {
        None => Place { token: String::new(), more: true, products: Vec::new() },
        Some(cursor) => serde_json::from_str(cursor.as_str()).map_err(|_| foreign())?,
    };
    if place.products.is_empty() {
        if !place.more {
            return Err(foreign());
        }
        turn(api, cx, &mut place).await?;
    }
    let rest = place.products.split_off(place.products.len().min(LOOKUPS));
    let mut listings = Vec::new();
    for product in std::mem::replace(&mut place.products, rest) {
        listings.extend(look_up(api, cx, &product).await?);
    }
    if place.products.is_empty() && !place.more {
        return Ok(ListingPage { listings, next: None });
    }
    let cursor = serde_json::to_string(&place).map_err(|_| Error::invalid("the cursor can't be written"))?;
    Ok(ListingPage { listings, next: Some(PageCursor::new(cursor)) })
}

/// Reads the channel's next page.
async fn turn(api: &Api, cx: &Context, place: &mut Place) -> Result<()> {
    let ask = products_ask(&api.keys()?.vendor, PAGE, &place.token);
    let answer = api.read(cx, Operation::ListListings, &ask).await?;
    let (products, next) = products_result(&answer.body, &place.token)?;
    place.products = products;
    place.more = next.is_some();
    place.token = next.unwrap_or_default();
    Ok(())
}

/// A product that vanished between the list and the look-up is listed with what is known.
async fn look_up(api: &Api, cx: &Context, product: &Product) -> Result<Vec<Listing>> {
    let Some(id) = in_path(&product.id) else {
        return Err(Error::invalid("the page cursor is not of this channel"));
    };
    match api.read(cx, Operation::ListListings, &product_ask(&id)).await {
        Ok(answer) => product_result(&answer.body, product),
        Err(error) if is_gone(&error) => Ok(vec![bare(product)]),
        Err(error) => Err(error),
    }
}

/// Whether the channel says that it has no such product; an answer from in front of it says nothing.
fn is_gone(error: &Error) -> bool {
    error.kind() == ErrorKind::NotFound && error.message().is_some_and(says_not_found)
}
