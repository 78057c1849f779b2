//! The conformance suite on the Lazada adapter, against the sandbox: once for each kind of shop.
#![cfg(all(feature = "lazada", feature = "conformance"))]

mod conformance;

mod local {
    use crate::conformance::lazada::LazadaHarness;

    sales_channels::conformance!(
        LazadaHarness::local(),
        at_least = 87,
        then = |report| crate::conformance::docs::shows("lazada, local shop", report)
    );
}

mod packed_by_hand {
    use crate::conformance::lazada::LazadaHarness;

    sales_channels::conformance!(
        LazadaHarness::packed_by_hand(),
        at_least = 88,
        then = |report| crate::conformance::docs::shows("lazada, packed in Seller Center", report)
    );
}

mod cross_border {
    use crate::conformance::lazada::LazadaHarness;

    sales_channels::conformance!(
        LazadaHarness::cross_border(),
        at_least = 87,
        then = |report| crate::conformance::docs::shows("lazada, cross-border shop", report)
    );
}
