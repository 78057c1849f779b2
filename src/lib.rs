//! One set of traits for many e-commerce sales channels, adapters that implement them, and an engine that runs a
//! merchant's options without losing, repeating or overselling anything.
//!
//! - [`channel`]: the capability traits. What a channel can do is what its [`Channel`] hands out.
#![cfg_attr(feature = "http", doc = "- [`adapters`]: the channels that were switched on, one feature each.")]
//! - [`options`]: what a merchant can choose, checked against the channel, and as data for a settings screen.
//! - [`hub`]: runs the options: cycles, manual operations, dry runs, explanations, health, events.
//! - [`store`]: what the hub remembers. [`fulfillment`]: warehouses that ship. [`analytics`]: sales per day and SKU.
//! - [`policy`]: the decisions behind it all, pure functions that name their rule.
//!
//! ```
//! use std::sync::Arc;
//!
//! use sales_channels::hub::{Account, Hub};
//! use sales_channels::store::MemoryStore;
//! use sales_channels::{Channel, Result};
//!
//! async fn run(channel: Arc<dyn Channel>) -> Result<()> {
//!     let hub = Hub::new(Arc::new(MemoryStore::new()));
//!     hub.test(channel.as_ref()).await?; // a harmless read
//!     hub.connect(Account::new("my-shop", channel))?; // all options at their defaults
//!     println!("{}", hub.dry_run(&"my-shop".into()).await?); // what a cycle would do
//!     println!("{}", hub.cycle(&"my-shop".into()).await?); // does it
//!     Ok(())
//! }
//! ```
//!
//! Nothing is on by default: no channel, no database, no HTTP client. Features: `http`, `sqlite`, `postgres`, `xml`,
//! `conformance`, and one per channel.
//! Rule ids in the documentation (OS-3, SS-1, …) name the rules of behaviour that each option follows.

#[cfg(feature = "http")]
#[path = "../adapters/mod.rs"]
pub mod adapters;
pub mod analytics;
pub mod channel;
#[cfg(feature = "conformance")]
pub mod conformance;
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
#[cfg(feature = "xml")]
pub mod xml;

pub use channel::Channel;
pub use error::{Effect, Error, ErrorKind, Result, Retry};

/// The examples of the README compile.
#[cfg(all(doctest, feature = "qoo10", feature = "sqlite"))]
#[doc = include_str!("../README.md")]
struct Readme;
