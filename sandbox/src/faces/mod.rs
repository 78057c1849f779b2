//! The faces: one channel's API each, over the same market.

pub mod coupang;
pub mod crossmall;
pub mod ecwid;
pub mod lazada;
pub mod qoo10;
pub mod rakuten;
pub mod shopee;
pub mod shopify;
pub(crate) mod signing;
pub mod tiktok_shop;
pub(crate) mod xml;
pub mod yahoo_shopping;
