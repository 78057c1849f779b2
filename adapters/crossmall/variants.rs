//! The SKU codes of items (sheet 5, 8). A line has none, so they are looked up, and kept for a while.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

use crate::channel::{Context, Operation};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{ListingKey, Sku};
use crate::xml::Element;

use super::auth::{Api, Query};
use super::errors::Method;
use super::wire::{Envelope, row, text};

/// How long an answer is kept: a SKU code is changed by hand, and rarely.
const KEPT: TimeDelta = TimeDelta::hours(1);
/// So many items are kept; then all are forgotten, so that a large shop fills no memory.
const MOST_KEPT: usize = 20_000;

row! {
    /// A row of `get_item_sku`.
    VariantRow {
        item_code, attribute1_code, attribute1_name, attribute2_code, attribute2_name, item_sku_code,
    }
}

/// A stocked variant of an item.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Variant {
    /// The codes of its two attributes; empty where it has none.
    pub(super) codes: [String; 2],
    /// Their names.
    pub(super) names: [String; 2],
    /// The merchant's code; may be empty.
    pub(super) sku: String,
}

/// The variants of an item, and when they were looked up.
type LookedUp = (DateTime<Utc>, Arc<Vec<Variant>>);

/// What was looked up lately, by item. Debug shows how many.
#[derive(Default)]
pub(super) struct Variants(Mutex<HashMap<String, LookedUp>>);

impl fmt::Debug for Variants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} items]", self.0.lock().unwrap_or_else(PoisonError::into_inner).len())
    }
}

impl Variants {
    fn kept(&self, item: &str, now: DateTime<Utc>) -> Option<Arc<Vec<Variant>>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, variants) = kept.get(item)?;
        (*at <= now && now - *at < KEPT).then(|| Arc::clone(variants))
    }

    fn keep(&self, item: &str, now: DateTime<Utc>, variants: Arc<Vec<Variant>>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST_KEPT {
            kept.clear();
        }
        kept.insert(item.to_owned(), (now, variants));
    }
}

/// The key of a variant: its two codes joined; empty where it has none (sheet 8).
pub(super) fn key(item: &str, codes: [&str; 2]) -> ListingKey {
    if codes.iter().all(|code| code.is_empty()) {
        return ListingKey::item(item);
    }
    ListingKey::option(item, codes.map(escaped).join("/"))
}

/// Without a slash, so that joined codes stay apart.
pub(super) fn escaped(code: &str) -> String {
    code.replace('%', "%25").replace('/', "%2F")
}

/// The merchant's code of a variant: its SKU code, else the item's code where there are no attributes (sheet 8).
pub(super) fn sku(item: &str, codes: [&str; 2], variants: &[Variant]) -> Option<Sku> {
    let found = variants.iter().find(|variant| variant.codes == codes);
    match found.map(|variant| variant.sku.as_str()) {
        Some(sku) if !sku.is_empty() => Some(Sku::from(sku)),
        _ if codes.iter().all(|code| code.is_empty()) && !item.is_empty() => Some(Sku::from(item)),
        _ => None,
    }
}

pub(super) fn variants_query(item: &str) -> Query {
    vec![("item_code", item.to_owned())]
}

/// The variants in an answer of `get_item_sku`.
///
/// # Errors
/// `MalformedResponse` when it can't be read, or is about another item.
pub(super) fn variants_result(body: &[u8], item: &str) -> Result<Vec<Variant>> {
    let body = text(body);
    let mut variants = Vec::new();
    for raw in Envelope::read(&body)?.rows {
        let element = Element::parse(raw)?;
        let row = VariantRow::of(&element);
        if !row.item_code.is_empty() && row.item_code != item {
            return Err(Error::malformed("the answer is about another item"));
        }
        variants.push(Variant {
            codes: [row.attribute1_code, row.attribute2_code].map(str::to_owned),
            names: [row.attribute1_name, row.attribute2_name].map(str::to_owned),
            sku: row.item_sku_code.to_owned(),
        });
    }
    Ok(variants)
}

/// Looks an item up; `None`: CROSS MALL refuses to tell.
pub(super) async fn look_up(
    api: &Api,
    cx: &Context,
    operation: Operation,
    item: &str,
) -> Result<Option<Arc<Vec<Variant>>>> {
    let answer = match api.call(cx, operation, Method::Variants, &variants_query(item)).await {
        Ok(answer) => answer,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Refused) => return Ok(None),
        Err(error) => return Err(error),
    };
    let variants = Arc::new(variants_result(&answer.body, item)?);
    api.variants.keep(item, api.http().now(), Arc::clone(&variants));
    Ok(Some(variants))
}

/// The variants of an item, as known or looked up; none where CROSS MALL refuses to tell.
pub(super) async fn of_item(
    api: &Api,
    cx: &Context,
    operation: Operation,
    item: &str,
) -> Result<Arc<Vec<Variant>>> {
    if let Some(kept) = api.variants.kept(item, api.http().now()) {
        return Ok(kept);
    }
    Ok(look_up(api, cx, operation, item).await?.unwrap_or_default())
}
