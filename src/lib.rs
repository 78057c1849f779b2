//! One set of traits for many sales channels, and an engine that runs a merchant's options on top.

#[cfg(feature = "http")]
#[path = "../adapters/mod.rs"]
pub mod adapters;
pub mod analytics;
pub mod channel;
pub mod error;
pub mod fulfillment;
#[cfg(feature = "http")]
pub mod http;
pub mod hub;
pub mod lenient;
pub mod model;
pub mod options;
pub mod policy;
pub mod store;

pub use channel::Channel;
pub use error::{Effect, Error, ErrorKind, Result, Retry};
