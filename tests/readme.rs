//! The README's table of channels is made from the adapters, so that it can't say more than the code.
//!
//! `UPDATE_README=1 cargo test --all-features --test readme` writes it anew.
#![cfg(feature = "all-channels")]
#![allow(clippy::unwrap_used)]

use sales_channels::adapters::{ALL, Opening};
use sales_channels::channel::{Capabilities, Capability, ChannelState, Credentials, Secret};
use sales_channels::http::{HttpClient, HttpSettings};

const BEGIN: &str = "test readme` -->\n";
const END: &str = "<!-- /channels -->";

fn table() -> String {
    let client = HttpClient::new(HttpSettings::default()).unwrap();
    let mut table = "| channel | feature |".to_owned();
    let mut line = "|---|---|".to_owned();
    for capability in Capability::ALL {
        table.push_str(&format!(" {capability} |"));
        line.push_str("---|");
    }
    table.push_str(&format!(" state |\n{line}---|\n"));
    for adapter in ALL {
        let mut credentials = Credentials::new();
        for part in adapter.parts {
            credentials = credentials.with(part.name, Secret::new(part.example));
        }
        let channel = (adapter.open)(&Opening::new(&client, "readme", credentials)).unwrap();
        let info = channel.info();
        assert_eq!(info.id.as_str(), adapter.id, "the registry and the adapter name it alike");
        let capabilities = Capabilities::of(channel.as_ref());
        let page = format!("docs/channels/{}.md", adapter.id);
        assert!(std::path::Path::new(&page).exists(), "{page} is missing");
        table.push_str(&format!("| [{}]({page}) | `{}` |", info.name.en, adapter.feature));
        for capability in Capability::ALL {
            table.push_str(if capabilities.has(capability) { " yes |" } else { " – |" });
        }
        let state = match info.state {
            ChannelState::VerifiedAgainstDocuments(day) => format!("verified against documents, {day}"),
            ChannelState::Part(why) => format!("part: {why}"),
            ChannelState::Unverified(why) => format!("unverified: {why}"),
            other => format!("{other:?}"),
        };
        table.push_str(&format!(" {state} |\n"));
    }
    table
}

#[test]
fn the_readme_says_what_the_adapters_can_do() {
    let readme = std::fs::read_to_string("README.md").unwrap();
    let (before, rest) = readme.split_once(BEGIN).unwrap();
    let (told, after) = rest.split_once(END).unwrap();
    let table = table();
    if std::env::var_os("UPDATE_README").is_some() {
        std::fs::write("README.md", format!("{before}{BEGIN}{table}{END}{after}")).unwrap();
        return;
    }
    assert_eq!(told, table, "run: UPDATE_README=1 cargo test --all-features --test readme");
}

#[test]
fn every_feature_of_a_channel_is_in_the_registry_and_in_all_channels() {
    let manifest = std::fs::read_to_string("Cargo.toml").unwrap();
    let all = manifest.lines().find_map(|l| l.strip_prefix("all-channels = ")).unwrap();
    let mut features: Vec<&str> =
        all.trim_matches(['[', ']']).split(", ").map(|f| f.trim_matches('"')).collect();
    features.dedup();
    for adapter in ALL {
        assert!(features.contains(&adapter.feature), "{} is not in all-channels", adapter.feature);
    }
    let known: Vec<&str> = ALL.iter().map(|a| a.feature).collect();
    for feature in features {
        assert!(known.contains(&feature), "{feature} has no adapter in the registry");
    }
    assert!(ALL.windows(2).all(|pair| pair[0].id < pair[1].id), "sorted by id");
}
