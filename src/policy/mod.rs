//! Decisions: which window, which orders, what to do with each, and why. No I/O, no clock, no async: everything
//! that a decision depends on is an argument, and every decision says which rule made it.

pub mod expiry;
pub mod follow;
pub mod fulfilment;
pub mod link;
pub mod next;
pub mod rule;
pub mod ship_date;
pub mod state;
pub mod stock;
pub mod window;

pub use rule::{Reason, Rule};
pub use window::SyncCursor;
