//! The table in docs/conformance.md is made from the harnesses, so that it can't say more than the suite.
//!
//! `UPDATE_DOCS=1 cargo test --all-features --test conformance_docs` writes it anew.
#![cfg(all(feature = "conformance", feature = "qoo10", feature = "rakuten", feature = "shopify"))]
#![allow(clippy::unwrap_used)]

mod conformance;

use sales_channels::conformance::{Report, block_on, report};

const PAGE: &str = "docs/conformance.md";
const BEGIN: &str = "--test conformance_docs -->\n";
const END: &str = "<!-- /adapters -->";

fn section(name: &str, report: &Report) -> String {
    format!("### {name}\n\n```text\n{}```\n\n", report.text())
}

#[test]
fn the_page_says_what_the_adapters_passed() {
    let told = block_on(async {
        [
            section("qoo10", &report(conformance::qoo10::Harness10::start).await),
            section("rakuten", &report(conformance::rakuten::RakutenHarness::start).await),
            section("shopify", &report(conformance::shopify::ShopifyHarness::start).await),
        ]
        .concat()
    });
    let page = std::fs::read_to_string(PAGE).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (written, after) = rest.split_once(END).unwrap();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(PAGE, format!("{before}{BEGIN}{told}{END}{after}")).unwrap();
        return;
    }
    assert_eq!(written, told, "run: UPDATE_DOCS=1 cargo test --all-features --test conformance_docs");
}
