//! docs/conformance.md has a section for each suite that runs and no other, and names the adapters without one. What
//! stands in a section is held against the run itself (`tests/conformance/docs.rs`).
#![cfg(feature = "conformance")]
#![allow(clippy::unwrap_used)]

mod conformance;

use std::collections::BTreeSet;

/// The headings that the suites of our adapters hold their reports against.
fn told_by_suites() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir("tests").unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if !name.starts_with("conformance_") || name == "conformance_docs.rs" {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let suites = text.matches("conformance!(").count();
        let headings: Vec<&str> =
            text.split("docs::shows(\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        assert_eq!(headings.len(), suites, "{name}: a suite whose report is not on the page");
        found.extend(headings.into_iter().map(str::to_owned));
    }
    found
}

#[test]
fn the_page_has_a_section_for_each_suite_and_names_the_adapters_without_one() {
    let headings = conformance::docs::headings();
    let shown: BTreeSet<String> = headings.iter().cloned().collect();
    assert_eq!(headings.len(), shown.len(), "each once");
    assert_eq!(shown, told_by_suites());
    let ids: BTreeSet<&str> = shown.iter().map(|heading| heading.split(',').next().unwrap()).collect();
    let page = std::fs::read_to_string("docs/conformance.md").unwrap();
    let missing =
        page.lines().find_map(|line| line.strip_prefix("No suite runs yet on: ")).unwrap_or_default();
    let missing: BTreeSet<&str> =
        missing.trim_end_matches('.').split(", ").filter(|id| !id.is_empty()).collect();
    for adapter in std::fs::read_dir("adapters").unwrap() {
        let path = adapter.unwrap().path();
        if path.is_dir() {
            let id = path.file_name().unwrap().to_str().unwrap();
            assert!(
                ids.contains(id) != missing.contains(id),
                "{id}: a suite, or a place among those without"
            );
        }
    }
}
