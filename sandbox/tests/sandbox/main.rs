//! Drives the sandbox as a stranger would: plain HTTP requests, raw TCP, the program as a process.

// Helpers of tests are not marked as tests, and may fail like them.
#![allow(clippy::unwrap_used, clippy::panic)]

mod control;
mod faults;
mod market;
mod program;
mod qoo10_calls;
mod qoo10_claims;
mod qoo10_confirm;
mod qoo10_dispatch;
mod qoo10_listings;
mod qoo10_orders;
mod qoo10_stock;
mod support;
