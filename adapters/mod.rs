//! Adapters, one folder a channel. They use only what an outsider's adapter could use.

#[cfg(feature = "qoo10")]
pub mod qoo10;
