//! docs/conformance.md: what each adapter passed. The run that counts an adapter's behaviours holds its section against
//! the page, so that the page can't say more than the suite, and no suite runs twice for it.
//!
//! `UPDATE_DOCS=1 cargo test --all-features the_suite_was_run` writes the sections anew.

use std::fs::File;
use std::io::{Read, Seek, Write};

use sales_channels::conformance::Report;

const PAGE: &str = "docs/conformance.md";
const BEGIN: &str = "the_suite_was_run -->\n";
const END: &str = "<!-- /adapters -->";

/// The page before, between and after its marks.
fn parts(page: &str) -> (&str, &str, &str) {
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (sections, after) = rest.split_once(END).unwrap();
    (before, sections, after)
}

/// The sections of a page, with their headings.
fn sections(page: &str) -> Vec<(String, String)> {
    let named = parts(page).1.split("### ").filter(|section| !section.trim().is_empty());
    named.map(|section| (section.lines().next().unwrap().to_owned(), format!("### {section}"))).collect()
}

/// The headings of the page.
pub fn headings() -> Vec<String> {
    let page = std::fs::read_to_string(PAGE).unwrap();
    sections(&page).into_iter().map(|(heading, _)| heading).collect()
}

/// Holds what an adapter passed against the page, or writes it there.
pub fn shows(heading: &str, report: &Report) {
    let told = format!("### {heading}\n\n```text\n{}```\n\n", report.text());
    let update = std::env::var_os("UPDATE_DOCS").is_some();
    let mut file = File::options().read(true).write(update).open(PAGE).unwrap();
    if update {
        // Other suites write their sections at the same time.
        file.lock().unwrap();
    }
    let mut page = String::new();
    file.read_to_string(&mut page).unwrap();
    let mut all = sections(&page);
    if !update {
        let written = all.into_iter().find(|(name, _)| name == heading).map(|(_, section)| section);
        let how = "run: UPDATE_DOCS=1 cargo test --all-features the_suite_was_run";
        assert_eq!(written.as_deref(), Some(told.as_str()), "{how}");
        return;
    }
    all.retain(|(name, _)| name != heading);
    all.push((heading.to_owned(), told));
    all.sort();
    let (before, _, after) = parts(&page);
    let all: String = all.into_iter().map(|(_, section)| section).collect();
    file.rewind().unwrap();
    file.set_len(0).unwrap();
    file.write_all(format!("{before}{BEGIN}{all}{END}{after}").as_bytes()).unwrap();
}
