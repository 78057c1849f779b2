//! The published limits (sheet section 3), when they are switched on.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::call::Family;

/// Requests of the current second by seller and family.
#[derive(Debug, Default)]
pub(super) struct Limits(HashMap<(String, Family), (i64, u32)>);

impl Limits {
    /// Counts a request; false when it is one too many in this second of the sandbox's clock.
    pub(super) fn admit(&mut self, seller: &str, family: Family, now: DateTime<Utc>) -> bool {
        let most = match family {
            Family::Orders | Family::InventoryWrites | Family::License => 1,
            Family::InventoryReads | Family::Items => 5,
        };
        let second = now.timestamp();
        let entry = self.0.entry((seller.to_owned(), family)).or_insert((second, 0));
        if entry.0 != second {
            *entry = (second, 0);
        }
        entry.1 += 1;
        entry.1 <= most
    }
}
