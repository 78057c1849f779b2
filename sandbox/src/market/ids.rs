//! Numbers that the marketplace gives. Faces show them in their channel's own form.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

macro_rules! number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = std::num::ParseIntError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map($name)
            }
        }
    };
}

number!(
    /// An order: what one buyer bought at once, in one or more lines.
    OrderNumber
);
number!(
    /// One line of an order, unique over all orders.
    LineNumber
);
number!(
    /// An item (product, listing).
    ItemId
);
number!(
    /// One option (variant) of an item, unique over all items.
    OptionId
);
