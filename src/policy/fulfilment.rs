//! Whether a fulfilment centre ships an order, and what it packs (FI-5, RC).

use std::collections::{BTreeMap, BTreeSet};

use crate::fulfillment::InstructedItem;
use crate::model::{Fulfilment, Line, ListingKey, ListingLink, Order, Sku};

/// The SKUs behind a line, with pieces per piece of the line: the listing's link goes before the line's own code.
/// `code_counts`: whether the channel's code on the line is the SKU (RC).
pub fn line_skus(line: &Line, link: Option<&ListingLink>, code_counts: bool) -> Vec<(Sku, u32)> {
    match link {
        Some(link) => link.components.iter().map(|part| (part.sku.clone(), part.quantity)).collect(),
        None => line.sku.iter().filter(|_| code_counts).map(|sku| (sku.clone(), 1)).collect(),
    }
}

/// Who ships an order: the centre, when all its lines are linked to SKUs that it stocks.
pub fn classify(
    order: &Order,
    links: &BTreeMap<ListingKey, ListingLink>,
    stocked: Option<&BTreeSet<Sku>>,
    code_counts: bool,
) -> Fulfilment {
    let ordinary = |reason: String| Fulfilment::Ordinary { reason };
    let Some(stocked) = stocked else { return ordinary("the account has no fulfilment centre".to_owned()) };
    if !code_counts {
        return ordinary("the option code is not used as SKU on this account (RC-1)".to_owned());
    }
    if order.lines.is_empty() {
        return ordinary("it has no lines".to_owned());
    }
    for line in &order.lines {
        let skus = line_skus(line, links.get(&line.listing), code_counts);
        if skus.is_empty() {
            return ordinary(format!("line {} is not linked to a SKU", line.id));
        }
        if let Some((sku, _)) = skus.iter().find(|(sku, _)| !stocked.contains(sku)) {
            return ordinary(format!("SKU {sku} is not stocked by the centre"));
        }
    }
    Fulfilment::Centre
}

/// What the centre packs for an order: what is outstanding of each line.
pub fn items(
    order: &Order,
    links: &BTreeMap<ListingKey, ListingLink>,
    code_counts: bool,
) -> Vec<InstructedItem> {
    order
        .lines
        .iter()
        .filter(|line| line.outstanding() > 0)
        .flat_map(|line| {
            line_skus(line, links.get(&line.listing), code_counts).into_iter().map(move |(sku, each)| {
                InstructedItem {
                    line: line.id.clone(),
                    sku,
                    quantity: line.outstanding().saturating_mul(each),
                }
            })
        })
        .collect()
}
