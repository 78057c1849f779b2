//! The conformance suite on the Shopify adapter, against the sandbox.
#![cfg(all(feature = "shopify", feature = "conformance"))]

mod conformance;

sales_channels::conformance!(
    conformance::shopify::ShopifyHarness::start(),
    at_least = 76,
    then = |report| conformance::docs::shows("shopify", report)
);
