//! The conformance suite on the Coupang adapter, against the sandbox.
#![cfg(all(feature = "coupang", feature = "conformance"))]

mod conformance;

sales_channels::conformance!(
    conformance::coupang::CoupangHarness::start(),
    at_least = 95,
    then = |report| conformance::docs::shows("coupang", report)
);
