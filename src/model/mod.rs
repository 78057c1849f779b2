//! The values: orders, lines, money, addresses, listings, shipments. No I/O lives here.

mod ids;
mod listing;
mod money;
mod order;
mod party;
mod private;
mod record;
mod time;

pub use ids::{AccountId, ChannelId, LineId, OrderId, Sku};
pub use listing::{Component, Listing, ListingKey, ListingLink, ListingState};
pub use money::{Currency, Money};
pub use order::{CancelState, ChannelData, Destination, Hold, Line, Order, OrderStatus, RawPayload, Totals};
pub use party::{Address, Party};
pub use private::Private;
pub use record::{By, DispatchStep, Done, Fulfilment, LinkState, OrderRecord, PlannedDispatch, Step};
pub use time::{Clock, DateRange, ManualClock, SystemClock, Window, start_of_day};
