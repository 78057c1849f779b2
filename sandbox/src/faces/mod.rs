//! The faces: one channel's API each, over the same market.

pub mod coupang;
pub mod lazada;
pub mod qoo10;
pub mod rakuten;
pub mod shopee;
pub mod shopify;
pub(crate) mod signing;
pub mod tiktok_shop;
