//! The faces: one channel's API each, over the same market.

pub mod qoo10;
