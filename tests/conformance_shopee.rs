//! The conformance suite on the Shopee adapter, against the sandbox: once for each kind of logistics.
#![cfg(all(feature = "shopee", feature = "conformance"))]

mod conformance;

mod shopee_ships {
    use crate::conformance::shopee::ShopeeHarness;

    sales_channels::conformance!(
        ShopeeHarness::shopee_ships(),
        at_least = 89,
        then = |report| crate::conformance::docs::shows("shopee, Shopee gives the numbers", report)
    );
}

mod seller_gives_numbers {
    use crate::conformance::shopee::ShopeeHarness;

    sales_channels::conformance!(
        ShopeeHarness::seller_gives_numbers(),
        at_least = 91,
        then = |report| crate::conformance::docs::shows("shopee, the seller gives the numbers", report)
    );
}

mod own_carrier {
    use crate::conformance::shopee::ShopeeHarness;

    sales_channels::conformance!(
        ShopeeHarness::own_carrier(),
        at_least = 89,
        then = |report| crate::conformance::docs::shows("shopee, a carrier of the seller's own", report)
    );
}
