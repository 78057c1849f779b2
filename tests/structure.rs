//! How the parts may depend on each other, held against the files.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

fn files(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(path);
            }
        }
    }
    assert!(!found.is_empty(), "{folder} has no files");
    found
}

fn code(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

#[test]
fn policy_hub_store_and_options_name_no_channel() {
    let mut channels: Vec<String> = fs::read_dir("adapters")
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    assert!(!channels.is_empty());
    channels
        .extend(["rakuten", "shopify", "tiktok", "coupang", "shopee", "lazada", "yahoo"].map(String::from));
    for folder in ["src/policy", "src/hub", "src/store", "src/options", "src/http"] {
        for file in files(folder) {
            let text = code(&file).to_lowercase();
            for channel in &channels {
                assert!(!text.contains(channel.as_str()), "{} names {channel}", file.display());
            }
        }
    }
}

#[test]
fn policy_has_no_clock_no_io_and_no_async() {
    for file in files("src/policy") {
        let text = code(&file);
        for forbidden in ["async ", ".await", "tokio", "reqwest", "sqlx", "Utc::now", "SystemTime", "std::fs"]
        {
            assert!(!text.contains(forbidden), "{} has {forbidden}", file.display());
        }
    }
}

#[test]
fn adapters_use_the_public_api_only() {
    for file in files("adapters") {
        let text = code(&file);
        for inner in ["crate::hub", "crate::store", "crate::policy", "pub(crate)", "pub(in"] {
            assert!(!text.contains(inner), "{} uses {inner}: an outsider could not", file.display());
        }
        // One adapter knows nothing of another.
        let own = file.components().nth(1).unwrap().as_os_str().to_str().unwrap().to_owned();
        for line in text.lines().filter(|line| line.contains("adapters::")) {
            let other = line.split("adapters::").nth(1).unwrap();
            let public =
                other.starts_with(&own) || other.starts_with(['{', 'A', 'O', 'f', ';']) || own == "mod.rs";
            assert!(public, "{}: {line}", file.display());
        }
    }
}

#[test]
fn only_the_http_layer_knows_reqwest_and_only_the_stores_know_sqlx() {
    for file in files("src") {
        let text = code(&file);
        let path = file.display().to_string();
        assert!(!text.contains("reqwest::") || path.starts_with("src/http"), "{path} uses reqwest");
        assert!(!text.contains("sqlx::") || path.starts_with("src/store"), "{path} uses sqlx");
    }
}

#[test]
fn the_sandbox_shares_nothing_with_the_library() {
    let manifest = fs::read_to_string("sandbox/Cargo.toml").unwrap();
    assert!(!manifest.contains("\nsales-channels ") && !manifest.contains("path = \"..\""));
    for file in files("sandbox/src") {
        let text = code(&file);
        assert!(!text.contains("sales_channels::"), "{}", file.display());
    }
}

/// The ids of the specification. It lives with the project's owner; what must not happen here is that a rule has no
/// test.
#[test]
fn every_rule_has_a_test_named_after_it() {
    let texts: Vec<String> = files("tests").iter().map(|file| code(file)).collect();
    let tests: Vec<&str> = texts
        .iter()
        .flat_map(|text| text.lines())
        .filter_map(|line| line.split_once("fn ")?.1.split('(').next())
        .collect();
    let rules = code(Path::new("src/policy/rule.rs"));
    let ids: Vec<String> = rules
        .lines()
        .filter_map(|line| line.trim().strip_suffix("\";")?.split_once(" = \""))
        .map(|(_, id)| id.to_lowercase().replace('-', "_"))
        .collect();
    assert!(ids.len() > 55, "{ids:?}");
    let named = |id: &str| {
        let inner = format!("_{id}_");
        tests.iter().any(|name| name.starts_with(&inner[1..]) || name.contains(&inner))
    };
    let missing: Vec<&String> = ids.iter().filter(|id| !named(id)).collect();
    assert!(missing.is_empty(), "no test is named after {missing:?}");
}
