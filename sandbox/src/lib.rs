//! Local servers that speak the APIs of sales channels, over one marketplace in memory.
//!
//! A [`Market`] holds items, orders, claims, parcels and a record of everything that was done. Each [`Face`] shows it
//! through one channel's API on a port of its own on loopback. A control port does over HTTP what [`Sandbox`] does in
//! Rust, for programs in other languages. Faults (errors, cut connections, lost answers) are made in front of the faces.
//!
//! This crate shares nothing with the library that it tests: it follows the channels' documentation on its own, so that
//! a mistake in one of the two shows.
//!
//! ```no_run
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! use sales_channels_sandbox::{OrderDraft, Sandbox, faces::qoo10::Qoo10, fault::Fault};
//!
//! let sandbox = Sandbox::builder().face(Qoo10::new()).start().await?;
//! let order = sandbox.market().buyer().place(OrderDraft::example())?;
//! sandbox.faults().next("qoo10", 1, Fault::response_lost());
//! println!("{} shows order {order}", sandbox.base_url("qoo10")?);
//! # Ok(()) }
//! ```

pub mod amount;
pub mod clock;
mod control;
mod face;
pub mod faces;
pub mod fault;
pub mod market;
pub mod sample;
mod sandbox;
mod serve;
mod traffic;

pub use amount::Amount;
pub use clock::Clock;
pub use face::{Face, FaceContext, RateLimit, RequestHead};
pub use market::{Market, OrderDraft};
pub use sandbox::{Sandbox, SandboxBuilder, StartError, UnknownFace};
pub use traffic::{OperationCount, ReceivedRequest};

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks, also after a panic elsewhere: a failed test must not fail the others that share the sandbox.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
