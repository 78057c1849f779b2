//! The conformance suite on the TikTok Shop adapter, against the sandbox: once for each way in which parcels are shipped.
#![cfg(all(feature = "tiktok_shop", feature = "conformance"))]

mod conformance;

mod tiktok_ships {
    use crate::conformance::tiktok_shop::TiktokHarness;

    sales_channels::conformance!(
        TiktokHarness::tiktok_ships(),
        at_least = 86,
        then = |report| crate::conformance::docs::shows("tiktok_shop, TikTok ships", report)
    );
}

mod seller_ships {
    use crate::conformance::tiktok_shop::TiktokHarness;

    sales_channels::conformance!(
        TiktokHarness::seller_ships(),
        at_least = 86,
        then = |report| crate::conformance::docs::shows("tiktok_shop, the seller ships", report)
    );
}

mod seller_ships_items {
    use crate::conformance::tiktok_shop::TiktokHarness;

    sales_channels::conformance!(
        TiktokHarness::seller_ships_items(),
        at_least = 86,
        then = |report| crate::conformance::docs::shows("tiktok_shop, the seller ships items", report)
    );
}
