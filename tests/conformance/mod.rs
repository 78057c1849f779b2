//! The harnesses of our adapters: each stands on the sandbox's market, shown through the channel's face.
// Each test binary uses its own part of it.
#![allow(dead_code, unused_imports, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[cfg(feature = "coupang")]
pub mod coupang;
pub mod docs;
#[cfg(feature = "lazada")]
pub mod lazada;
pub mod market;
#[cfg(feature = "qoo10")]
pub mod qoo10;
#[cfg(feature = "rakuten")]
pub mod rakuten;
#[cfg(feature = "shopee")]
pub mod shopee;
#[cfg(feature = "shopify")]
pub mod shopify;
#[cfg(feature = "tiktok_shop")]
pub mod tiktok_shop;
