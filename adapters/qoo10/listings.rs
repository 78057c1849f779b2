//! Items on offer with their option rows (sheet 4.7).

use serde::{Deserialize, Serialize};

use crate::channel::{Context, ListingPage, Operation, PageCursor};
use crate::error::{Error, ErrorKind, Result};
use crate::http::Nature;
use crate::model::{ChannelData, Listing, ListingKey, ListingState, Sku};

use super::auth::{Api, Form};
use super::errors::Method;
use super::wire::{Envelope, decimal, integer, row, rows, text, unreadable};

/// The states that are listed: on sale, then waiting. Details of items in other states can't be read.
const STATES: [&str; 2] = ["S2", "S1"];
/// Items looked up for one page of ours: two calls each.
const LOOKUPS: usize = 20;

row! {
    /// An item of `GetAllGoodsInfo`.
    ItemRow { code: "itemcode" | "itemno", seller_code: "sellercode", state: "itemstatus" }
}

row! {
    /// The head of the answer of `GetAllGoodsInfo`.
    PageRow { pages: "totalpages", page: "presentpage" }
}

row! {
    /// `GetItemDetailInfo`. The field names are those that working clients read.
    DetailRow {
        title: "itemtitle",
        seller_code: "sellercode",
        price: "sellprice" | "itemprice",
        quantity: "itemqty" | "qty",
        ends: "expiredate" | "enddate",
        tax_rate: "taxrate",
    }
}

row! {
    /// An option row of `GetGoodsInventoryInfo`.
    InventoryRow {
        name_1: "name1", value_1: "value1",
        name_2: "name2", value_2: "value2",
        name_3: "name3", value_3: "value3",
        name_4: "name4", value_4: "value4",
        name_5: "name5", value_5: "value5",
        quantity: "qty",
        code: "itemtypecode",
    }
}

/// An item whose options are still to be looked up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Item {
    pub(super) code: String,
    pub(super) seller_code: String,
    pub(super) state: String,
}

/// Price, quantity and end of sale of an item, as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Detail {
    pub(super) title: String,
    pub(super) seller_code: String,
    /// In the form in which it is sent back.
    pub(super) price: Option<String>,
    pub(super) quantity: Option<u32>,
    /// The day on which the sale ends, yyyy-MM-dd.
    pub(super) ends: Option<String>,
    pub(super) tax_rate: String,
}

/// An option row of an item: what its quantity is set by, and what it shows. Kept with the listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct OptionRow {
    /// Axes joined with `||*`.
    pub(super) name: String,
    /// Values joined with `||*`.
    pub(super) value: String,
    /// The merchant's code of the option.
    pub(super) code: String,
    /// The words that orders show.
    pub(super) words: String,
    #[serde(skip)]
    pub(super) quantity: Option<u32>,
}

/// The items of a page of `GetAllGoodsInfo`, and whether there are more pages.
///
/// # Errors
/// `MalformedResponse` when the answer or one of its items can't be read: a list with a hole would be taken for whole.
pub(super) fn items_result(body: &[u8], page: u32) -> Result<(Vec<Item>, bool)> {
    #[derive(Deserialize)]
    struct Items<'a> {
        #[serde(borrow, rename = "Items")]
        items: Option<&'a serde_json::value::RawValue>,
    }
    let body = text(body);
    let envelope = Envelope::read(&body)?;
    let Some(object) = envelope.object.filter(|object| object.get().starts_with('{')) else {
        return Ok((Vec::new(), false));
    };
    let wrong = |e: &serde_json::Error| unreadable("the list of items", e);
    let head: PageRow<'_> = serde_json::from_str(object.get()).map_err(|e| wrong(&e))?;
    let list: Items<'_> = serde_json::from_str(object.get()).map_err(|e| wrong(&e))?;
    let mut items = Vec::new();
    for raw in list.items.map_or_else(|| Ok(Vec::new()), rows)? {
        let row: ItemRow<'_> = serde_json::from_str(raw.get()).map_err(|e| wrong(&e))?;
        if row.code.trim().is_empty() {
            return Err(Error::malformed("an item of the list has no code"));
        }
        items.push(Item {
            code: row.code.trim().to_owned(),
            seller_code: row.seller_code.trim().to_owned(),
            state: row.state.trim().to_owned(),
        });
    }
    let present = integer(&head.page).unwrap_or_else(|| i64::from(page));
    // Where the number of pages is not told, the pages end with an empty one.
    let more = integer(&head.pages).map_or(!items.is_empty(), |pages| present < pages);
    Ok((items, more))
}

/// The item in the answer of `GetItemDetailInfo`.
///
/// # Errors
/// `MalformedResponse` when it can't be read; `NotFound` when it is empty.
pub(super) fn detail_result(body: &[u8], zone: chrono_tz::Tz) -> Result<Detail> {
    let body = text(body);
    let rows = Envelope::read(&body)?.rows()?;
    let raw = rows.first().ok_or_else(no_item)?;
    let row: DetailRow<'_> = serde_json::from_str(raw.get()).map_err(|e| unreadable("the item", &e))?;
    Ok(Detail {
        title: row.title.trim().to_owned(),
        seller_code: row.seller_code.trim().to_owned(),
        // Prices come as "1480.0000".
        price: decimal(&row.price).map(|price| price.normalize().to_string()),
        quantity: quantity(&row.quantity),
        ends: super::wire::day(&row.ends, zone).map(|day| day.format("%Y-%m-%d").to_string()),
        tax_rate: row.tax_rate.trim().to_owned(),
    })
}

fn no_item() -> Error {
    Error::new(ErrorKind::NotFound).with_message("the channel has no such item")
}

fn quantity(text: &str) -> Option<u32> {
    integer(text).and_then(|pieces| u32::try_from(pieces).ok())
}

/// The option rows in the answer of `GetGoodsInventoryInfo`; empty: the item has no combined options.
///
/// # Errors
/// `MalformedResponse` when it can't be read.
pub(super) fn inventory_result(body: &[u8]) -> Result<Vec<OptionRow>> {
    let body = text(body);
    let mut options = Vec::new();
    for raw in Envelope::read(&body)?.rows()? {
        let row: InventoryRow<'_> =
            serde_json::from_str(raw.get()).map_err(|e| unreadable("an option row", &e))?;
        options.push(option_row(&row));
    }
    Ok(options)
}

fn option_row(row: &InventoryRow<'_>) -> OptionRow {
    let axes: Vec<(&str, &str)> = [
        (&row.name_1, &row.value_1),
        (&row.name_2, &row.value_2),
        (&row.name_3, &row.value_3),
        (&row.name_4, &row.value_4),
        (&row.name_5, &row.value_5),
    ]
    .into_iter()
    .map(|(name, value)| (name.trim(), value.trim()))
    .filter(|(name, value)| !name.is_empty() || !value.is_empty())
    .collect();
    let join = |parts: Vec<&str>, by: &str| parts.join(by);
    OptionRow {
        name: join(axes.iter().map(|(name, _)| *name).collect(), "||*"),
        value: join(axes.iter().map(|(_, value)| *value).collect(), "||*"),
        code: row.code.trim().to_owned(),
        words: axes.iter().map(|(name, value)| format!("{name} : {value}")).collect::<Vec<_>>().join(" / "),
        quantity: quantity(&row.quantity),
    }
}

/// The listings of an item: one per option row, or the item itself. `detail` is missing where the channel does not
/// tell it.
///
/// # Errors
/// `InvalidInput` when the channel data can't be written.
pub(super) fn listings_of(
    item: &Item,
    detail: Option<&Detail>,
    options: &[OptionRow],
) -> Result<Vec<Listing>> {
    let state = match item.state.as_str() {
        "S2" => ListingState::OnSale,
        "S0" | "S1" => ListingState::Waiting,
        "S3" | "S4" | "S5" | "S8" => ListingState::Stopped,
        _ => ListingState::Unknown,
    };
    let title = detail.map_or("", |detail| detail.title.as_str());
    let seller_sku = (!item.seller_code.is_empty()).then(|| Sku::from(item.seller_code.as_str()));
    if options.is_empty() {
        let mut listing = Listing::new(ListingKey::item(item.code.as_str()), state);
        listing.sku = seller_sku;
        listing.title = title.to_owned();
        listing.quantity = detail.and_then(|detail| detail.quantity);
        return Ok(vec![listing]);
    }
    options
        .iter()
        .map(|option| {
            let shared =
                !option.code.is_empty() && options.iter().filter(|o| o.code == option.code).count() > 1;
            let key = if option.code.is_empty() || shared { &option.words } else { &option.code };
            let mut listing = Listing::new(ListingKey::option(item.code.as_str(), key.as_str()), state);
            listing.sku = if option.code.is_empty() {
                seller_sku.clone()
            } else {
                Some(Sku::from(option.code.as_str()))
            };
            listing.title =
                if title.is_empty() { option.words.clone() } else { format!("{title} ({})", option.words) };
            listing.quantity = option.quantity;
            listing.channel_data = ChannelData::new(option)?;
            Ok(listing)
        })
        .collect()
}

/// Where the list goes on. Items that are not looked up yet travel in it: a page of the channel that is read again
/// may have shifted.
#[derive(Debug, Serialize, Deserialize)]
struct Place {
    state: usize,
    page: u32,
    more: bool,
    items: Vec<Item>,
}

/// The form of `GetAllGoodsInfo`.
pub(super) fn items_form(state: &str, page: u32) -> Form {
    vec![("ItemStatus", state.to_owned()), ("Page", page.to_string())]
}

/// The form that names an item.
pub(super) fn item_form(code: &str) -> Form {
    vec![("ItemCode", code.to_owned()), ("SellerCode", String::new())]
}

/// A page of listings.
pub(super) async fn list(api: &Api, cx: &Context, cursor: Option<&PageCursor>) -> Result<ListingPage> {
    let mut place = match cursor {
        None => Place { state: 0, page: 0, more: true, items: Vec::new() },
        Some(cursor) => serde_json::from_str(cursor.as_str())
            .map_err(|_| Error::invalid("the page cursor is not of this channel"))?,
    };
    if place.items.is_empty() {
        turn(api, cx, &mut place).await?;
    }
    let rest = place.items.split_off(place.items.len().min(LOOKUPS));
    let mut listings = Vec::new();
    for item in std::mem::replace(&mut place.items, rest) {
        let (detail, options) = look_up(api, cx, &item).await?;
        listings.extend(listings_of(&item, detail.as_ref(), &options)?);
    }
    let ended = place.items.is_empty() && !place.more && place.state + 1 >= STATES.len();
    let next = if ended { None } else { Some(PageCursor::new(super::wire::json_field(&place)?)) };
    Ok(ListingPage { listings, next })
}

/// Reads the channel's next page.
async fn turn(api: &Api, cx: &Context, place: &mut Place) -> Result<()> {
    if place.more {
        place.page += 1;
    } else {
        (place.state, place.page) = (place.state + 1, 1);
    }
    let state =
        STATES.get(place.state).ok_or_else(|| Error::invalid("the page cursor is not of this channel"))?;
    let form = items_form(state, place.page);
    let answer = api.call(cx, Operation::ListListings, Nature::Read, Method::AllItems, form).await?;
    (place.items, place.more) = items_result(&answer.body, place.page)?;
    Ok(())
}

/// An item that vanished between the list and the look-up is listed with what is known.
async fn look_up(api: &Api, cx: &Context, item: &Item) -> Result<(Option<Detail>, Vec<OptionRow>)> {
    let vanished = |error: &Error| error.kind() == ErrorKind::NotFound;
    let detail = match detail(api, cx, Operation::ListListings, &item.code).await {
        Ok(detail) => Some(detail),
        Err(error) if vanished(&error) => None,
        Err(error) => return Err(error),
    };
    match inventory(api, cx, Operation::ListListings, &item.code).await {
        Ok(options) => Ok((detail, options)),
        Err(error) if vanished(&error) => Ok((detail, Vec::new())),
        Err(error) => Err(error),
    }
}

/// An item's details.
pub(super) async fn detail(api: &Api, cx: &Context, operation: Operation, item: &str) -> Result<Detail> {
    let answer = api.call(cx, operation, Nature::Read, Method::ItemDetail, item_form(item)).await?;
    detail_result(&answer.body, api.config().zone)
}

/// An item's option rows.
pub(super) async fn inventory(
    api: &Api,
    cx: &Context,
    operation: Operation,
    item: &str,
) -> Result<Vec<OptionRow>> {
    let answer = api.call(cx, operation, Nature::Read, Method::Inventory, item_form(item)).await?;
    inventory_result(&answer.body)
}
