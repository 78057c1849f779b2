//! The conformance suite on the Rakuten adapter, against the sandbox.
#![cfg(all(feature = "rakuten", feature = "conformance"))]

mod conformance;

sales_channels::conformance!(
    conformance::rakuten::RakutenHarness::start(),
    at_least = 82,
    then = |report| conformance::docs::shows("rakuten", report)
);
