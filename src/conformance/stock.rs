//! Quantities and listings.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::kit::{Checked, Kit, NO_STOCK, OrFail, Shop, Stop, ensure, failed, not_applicable, only, word};
use super::{Connection, LineWish, ListingKind, ListingWish};
use crate::channel::{Outcome, StockChange};
use crate::model::{ChannelData, ListingKey};

async fn shows(kit: &Kit, key: &ListingKey, wanted: u32, after: &str) -> Checked {
    let shown = kit.harness.quantity(key).await?;
    ensure!(shown == wanted, "after {after} the channel shows {shown}, not {wanted}");
    Ok(())
}

async fn open(kit: &Kit) -> Result<Shop, Stop> {
    let shop = kit.good().await?;
    if shop.channel.stock().is_none() {
        return not_applicable(NO_STOCK);
    }
    Ok(shop)
}

/// A quantity within what the channel takes.
fn within(shop: &Shop, quantity: u32) -> u32 {
    let (least, most) = shop.channel.info().stock_range;
    quantity.clamp(least, most)
}

/// Quantities are absolute: what is set is what is shown, also when it is set twice, and also none.
pub async fn quantities_are_absolute(kit: &Kit) -> Checked {
    let shop = open(kit).await?;
    let key = kit.new_listing("TEE-01", 12).await?;
    for quantity in [7, 7, 25, 0, 3] {
        let quantity = within(&shop, quantity);
        let taken = kit.set_stock(&shop, &key, quantity).await?;
        shows(kit, &key, taken, "setting a quantity").await?;
        ensure!(taken == quantity, "{quantity} was set; {taken} is said to be taken");
    }
    Ok(())
}

/// A quantity of an option is set for that option alone.
pub async fn an_options_quantity_is_set_alone(kit: &Kit) -> Checked {
    let shop = open(kit).await?;
    let title = "オーガニックTシャツ 🌿 赤".to_owned();
    let wish = ListingWish { sku: "TEE-RED".to_owned(), title, quantity: 12, kind: ListingKind::Option };
    let key = kit.harness.list(wish).await?;
    let others: Vec<_> = kit.listings(&shop).await.unwrap_or_default();
    let others: Vec<_> = others.into_iter().filter(|o| o.key != key && o.key.item == key.item).collect();
    kit.set_stock(&shop, &key, 5).await?;
    shows(kit, &key, 5, "setting an option").await?;
    for other in others {
        if let Some(quantity) = other.quantity {
            shows(kit, &other.key, quantity, "setting another option").await?;
        }
    }
    Ok(())
}

/// Without what the list told of it, a listing's quantity can be set too: it may have been linked through an order.
pub async fn a_quantity_is_set_without_the_list(kit: &Kit) -> Checked {
    let shop = open(kit).await?;
    let Some(stock) = shop.channel.stock() else { return not_applicable(NO_STOCK) };
    let key = kit.new_listing("TEE-01", 12).await?;
    let nothing = ChannelData::default();
    let outcomes = stock
        .set_stock(&kit.cx(), &[StockChange::new(&key, &nothing, 4)])
        .await
        .or_fail("setting a quantity")?;
    let outcome = only(outcomes, "setting a quantity")?;
    ensure!(outcome.is_done(), "setting a quantity without the listing's own data: {}", word(&outcome));
    shows(kit, &key, 4, "setting a quantity").await
}

/// Setting a quantity changes nothing else of the listing.
pub async fn a_quantity_changes_nothing_else(kit: &Kit) -> Checked {
    let shop = open(kit).await?;
    let key = kit.new_listing("TEE-01", 12).await?;
    let before = kit.harness.listing_facts(&key).await?;
    kit.set_stock(&shop, &key, 4).await?;
    let after = kit.harness.listing_facts(&key).await?;
    ensure!(before == after, "setting a quantity changed the listing: {before} became {after}");
    Ok(())
}

/// One listing that the channel does not have blocks no other, and outcomes come in the order of the changes.
pub async fn an_unknown_listing_blocks_no_other(kit: &Kit) -> Checked {
    let shop = open(kit).await?;
    let Some(stock) = shop.channel.stock() else { return not_applicable(NO_STOCK) };
    if shop.channel.info().stock_batch < 3 {
        return not_applicable("the channel takes fewer than 3 quantities at once");
    }
    let (first, last) = (kit.new_listing("TEE-01", 12).await?, kit.new_listing("TEE-02", 12).await?);
    let mut unknown = first.clone();
    let other = |id: &str| id.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect::<String>();
    (unknown.item, unknown.option) = (other(&first.item), other(&first.option));
    let nothing = ChannelData::default();
    let changes = [
        StockChange::new(&first, &nothing, 5),
        StockChange::new(&unknown, &nothing, 6),
        StockChange::new(&last, &nothing, 8),
    ];
    let outcomes = stock.set_stock(&kit.cx(), &changes).await.or_fail("setting three quantities")?;
    let words: Vec<_> = outcomes.iter().map(word).collect();
    let [one, two, three] = outcomes.as_slice() else { return failed(format!("outcomes: {words:?}")) };
    ensure!(one.is_done() && three.is_done(), "an unknown listing blocked others: {words:?}");
    ensure!(!two.is_done(), "a listing that is not there was set: {words:?}");
    shows(kit, &first, 5, "a batch").await?;
    shows(kit, &last, 8, "a batch").await
}

/// The quantities that are read are those that the channel shows, in the order that was asked.
pub async fn the_quantities_read_are_those_shown(kit: &Kit) -> Checked {
    let shop = open(kit).await?;
    let Some(stock) = shop.channel.stock() else { return not_applicable(NO_STOCK) };
    let mut keys = Vec::new();
    for (sku, quantity) in [("TEE-01", 11), ("TEE-02", 0), ("TEE-03", 33)] {
        keys.push(kit.new_listing(sku, quantity).await?);
    }
    keys.truncate(shop.channel.info().stock_batch.max(1));
    keys.reverse();
    let outcomes = stock.read_stock(&kit.cx(), &keys).await.or_fail("reading quantities")?;
    ensure!(outcomes.len() == keys.len(), "{} outcomes for {} listings", outcomes.len(), keys.len());
    for (key, outcome) in keys.iter().zip(&outcomes) {
        let shown = kit.harness.quantity(key).await?;
        let Outcome::Done(read) = outcome else {
            return failed(format!("reading a quantity: {}", word(outcome)));
        };
        ensure!(read.quantity == shown, "{key} shows {shown}; {} was read", read.quantity);
    }
    Ok(())
}

/// Every listing is listed once, over as many pages as it takes, with its SKU, title and quantity.
pub async fn every_listing_is_listed_once(kit: &Kit) -> Checked {
    let shop = match kit.open(Connection::paged(2)).await {
        Err(Stop::NotApplicable(_)) => kit.good().await?,
        shop => shop?,
    };
    if shop.channel.listings().is_none() {
        return not_applicable("the channel lists no listings");
    }
    let mut wanted = BTreeMap::new();
    for n in 1..=7_u32 {
        let sku = format!("sku-{n}");
        wanted.insert(kit.new_listing(&sku, n * 3).await?, (sku, n * 3));
    }
    let found = kit.listings(&shop).await?;
    for (key, (sku, quantity)) in &wanted {
        let of_it: Vec<_> = found.iter().filter(|listing| listing.key == *key).collect();
        let [listing] = of_it.as_slice() else {
            return failed(format!("listing {key} is listed {} times", of_it.len()));
        };
        let told = listing.sku.as_ref().map(ToString::to_string);
        ensure!(told.as_ref() == Some(sku), "{key} has SKU {sku}; the list says {told:?}");
        ensure!(listing.quantity.is_none_or(|told| told == *quantity), "{key} shows {quantity}; {listing:?}");
        let plain = listing.title.is_empty() || listing.title.contains("オーガニックTシャツ 🌿");
        ensure!(plain, "the title changed on the way: {}", listing.title);
    }
    Ok(())
}

/// An order names the listing by the key that the list gives it: stock and orders meet.
pub async fn an_order_names_the_listing_as_the_list_does(kit: &Kit) -> Checked {
    let shop = kit.good().await?;
    for kind in [ListingKind::Plain, ListingKind::Option] {
        let wish =
            ListingWish { sku: format!("SKU-{kind:?}"), title: "Tシャツ".to_owned(), quantity: 9, kind };
        let key = match kit.harness.list(wish).await {
            Err(super::NotArranged::NotPossible(_)) if kind == ListingKind::Option => continue,
            key => key?,
        };
        let mut order = kit.wish(1);
        order.lines = vec![LineWish::of(&format!("SKU-{kind:?}"), 1, Decimal::from(1980)).listed(&key)];
        let id = kit.place_one(order).await?;
        let order = kit.find(&shop, &id).await?;
        let told = order.lines.first().map(|line| line.listing.clone());
        ensure!(told.as_ref() == Some(&key), "{key} was bought; the order says {told:?}");
        if shop.channel.listings().is_some() {
            let listed = kit.listings(&shop).await?.into_iter().any(|listing| listing.key == key);
            ensure!(listed, "{key} was bought, and is not listed under this key");
        }
    }
    Ok(())
}
