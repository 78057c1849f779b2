//! How many pieces a listing shows (SS).

use std::collections::BTreeMap;

use crate::model::{Component, ListingLink, Sku};
use crate::options::{Percent, StockPolicy};
use crate::store::Holding;

/// Pieces shown of one SKU: floor(max(0, available - reserve) x share / 100), where available is on hand less what
/// open orders hold (SS-1). Holding more than there is counts as none left.
///
/// ```
/// use sales_channels::options::Percent;
/// use sales_channels::policy::stock::shown;
///
/// let third = Percent::new(33).ok_or("1 to 100")?;
/// assert_eq!(shown(100, 20, 10, third), 23); // (100 - 20 - 10) x 33 % = 23.1
/// # Ok::<(), &str>(())
/// ```
pub fn shown(on_hand: u32, held: u64, reserve: u32, share: Percent) -> u32 {
    let left = u64::from(on_hand).saturating_sub(held).saturating_sub(u64::from(reserve));
    let shown = left * u64::from(share.get()) / 100;
    u32::try_from(shown).unwrap_or(u32::MAX)
}

/// Pieces that a listing shows: the fewest that its parts allow (SS-10). `None` when a part is not stocked at all, or
/// the listing has no parts.
pub fn listing_quantity(
    components: &[Component],
    on_hand: &BTreeMap<Sku, u32>,
    held: &BTreeMap<Sku, u64>,
    policy: StockPolicy,
) -> Option<u32> {
    components
        .iter()
        .map(|part| {
            let pieces = shown(
                *on_hand.get(&part.sku)?,
                held.get(&part.sku).copied().unwrap_or(0),
                policy.reserve,
                policy.share,
            );
            Some(pieces / part.quantity.max(1))
        })
        .min_by_key(|pieces| pieces.unwrap_or(0))
        .flatten()
}

/// What pieces of which SKU a holding takes: through the listing's link where there is one, else through the line's
/// own SKU (SS-1, SS-10).
pub fn needs(holding: &Holding, link: Option<&ListingLink>) -> Vec<(Sku, u64)> {
    let pieces = u64::from(holding.quantity);
    match link {
        Some(link) => {
            link.components.iter().map(|part| (part.sku.clone(), pieces * u64::from(part.quantity))).collect()
        }
        None => holding.sku.iter().map(|sku| (sku.clone(), pieces)).collect(),
    }
}

/// A quantity to push.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Push {
    /// Index of the listing among those given.
    pub listing: usize,
    /// What the channel accepted last; `None`: nothing yet, or unknown.
    pub from: Option<u32>,
    /// What it should show.
    pub to: u32,
}

/// Which quantities to push, and in what order: those that differ from what the channel last accepted (SS-3),
/// lowering ones first, the largest fall first (SS-9). A listing whose last push has no known outcome is pushed
/// again: the quantity is absolute.
pub fn pushes(wanted: impl Iterator<Item = (usize, Option<u32>, bool, u32)>) -> Vec<Push> {
    let mut pushes: Vec<Push> = wanted
        .filter(|(_, accepted, unknown, to)| *unknown || *accepted != Some(*to))
        .map(|(listing, accepted, unknown, to)| Push { listing, from: accepted.filter(|_| !unknown), to })
        .collect();
    // What the channel shows is not known before the first push: it may be anything, so it counts as a fall.
    pushes.sort_by_key(|push| match push.from {
        None => (0, 0),
        Some(from) if push.to < from => (1, i64::from(push.to) - i64::from(from)),
        Some(_) => (2, 0),
    });
    pushes
}
