//! The conformance suite on the Qoo10 adapter, against the sandbox.
#![cfg(all(feature = "qoo10", feature = "conformance"))]

mod conformance;

sales_channels::conformance!(
    conformance::qoo10::Harness10::start(),
    at_least = 92,
    then = |report| conformance::docs::shows("qoo10", report)
);
