//! Adding a channel touches five places: its folder, the registry, its Cargo feature, its sandbox face, its tests. Held
//! against the tree: the id of each adapter stands nowhere else in code or manifests.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// All files but what is built.
fn files(root: &Path) -> BTreeSet<PathBuf> {
    let (mut found, mut folders) = (BTreeSet::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                if !["target", ".git"].contains(&name.as_str()) {
                    folders.push(path);
                }
            } else {
                found.insert(path.strip_prefix(root).unwrap().to_owned());
            }
        }
    }
    found
}

fn names_channel(text: &str, channel: &str) -> bool {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).any(|word| word == channel)
}

/// Where an adapter's id may stand.
fn allowed(path: &str, id: &str) -> bool {
    path.starts_with(&format!("adapters/{id}/"))
        || path == "adapters/mod.rs"
        || path == "Cargo.toml"
        || path.starts_with("sandbox/")
        || path.starts_with("tests/")
        // Made by tests, written by people, or shown as examples: nothing is compiled into the library by them.
        || ["README.md", "CHANGELOG.md"].contains(&path)
        || ["docs/", "examples/", "benches/", ".ci/"].iter().any(|folder| path.starts_with(folder))
}

#[test]
fn an_adapters_name_stands_in_its_five_places_only() {
    let adapters: Vec<String> = fs::read_dir("adapters")
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    assert!(!adapters.is_empty());
    let code = |path: &&PathBuf| path.extension().is_some_and(|e| e == "rs" || e == "toml");
    for path in files(Path::new(".")).iter().filter(code) {
        let text = fs::read_to_string(path).unwrap();
        // Comments may name a channel as an example, and the README's examples compile with one.
        let is_code = |line: &&str| !line.trim_start().starts_with("//") && !line.contains("doctest");
        let text: String = text.lines().filter(is_code).collect::<Vec<_>>().join("\n");
        for id in &adapters {
            let stands = names_channel(&text, id);
            let path = path.to_str().unwrap();
            assert!(!stands || allowed(path, id), "{path} names {id}");
        }
    }
}
