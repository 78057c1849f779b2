//! Adding a channel touches five places: its folder, the registry, its Cargo feature, its sandbox face, its tests.
//!
//! A copy of the tree gets a channel, made from `templates/adapter`, at these five and a page under `docs/channels/`.
//! There it must compile alone, be found by its id, link an order of its face, and come into the README. Then the two
//! trees are compared. Beside that, the ids of our adapters stand nowhere else in code or manifests.
#![allow(clippy::unwrap_used, clippy::panic)] // tests

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

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

/// Files with what is in them.
type Tree = BTreeMap<String, Vec<u8>>;

fn tree(root: &Path) -> Tree {
    files(root)
        .into_iter()
        .map(|path| (path.to_str().unwrap().to_owned(), fs::read(root.join(&path)).unwrap()))
        .collect()
}

/// Makes a folder this tree. What is there already is left as it is: cargo goes by the times of files.
fn write(tree: &Tree, root: &Path) {
    fs::create_dir_all(root).unwrap();
    for gone in files(root).iter().filter(|path| !tree.contains_key(path.to_str().unwrap())) {
        fs::remove_file(root.join(gone)).unwrap();
    }
    for (path, text) in tree {
        let path = root.join(path);
        if fs::read(&path).ok().as_ref() != Some(text) {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
        }
    }
}

/// What was added, changed or removed.
fn changed(before: &Tree, after: &Tree) -> BTreeSet<String> {
    before.keys().chain(after.keys()).filter(|path| before.get(*path) != after.get(*path)).cloned().collect()
}

/// The place that a path belongs to, of those that a new channel touches.
fn place(path: &str, id: &str) -> Option<&'static str> {
    match path {
        "adapters/mod.rs" => Some("registry"),
        "Cargo.toml" => Some("feature"),
        _ if path.starts_with(&format!("adapters/{id}/")) => Some("folder"),
        _ if path.starts_with("sandbox/") => Some("face"),
        _ if path.starts_with("tests/") => Some("tests"),
        // No code: the row is made, the page is what a reader needs.
        "README.md" => Some("row"),
        _ if path == format!("docs/channels/{id}.md") => Some("page"),
        _ => None,
    }
}

/// The tree with a sixth channel in it.
struct Grown(Tree);

impl Grown {
    fn text(&self, path: &str) -> String {
        String::from_utf8(self.0.get(path).unwrap_or_else(|| panic!("{path} is missing")).clone()).unwrap()
    }

    fn put(&mut self, path: &str, text: impl Into<Vec<u8>>) {
        self.0.insert(path.to_owned(), text.into());
    }

    /// Puts text before the first of some marks.
    fn insert(&mut self, path: &str, text: &str, mark: impl Fn(&str) -> Option<usize>) {
        let mut whole = self.text(path);
        let at = mark(&whole).unwrap_or_else(|| panic!("{path} has no place for {text}"));
        whole.insert_str(at, text);
        self.put(path, whole);
    }

    /// A source of the template, as it stands in `adapters/`.
    fn template(&self, path: &str) -> String {
        self.text(path)
            .replace("sales_channels::", "crate::")
            .replace("pub(crate)", "pub(super)")
            .replace("MyShop", "Dummy")
            .replace("my_shop", "dummy")
    }

    fn with_dummy(before: &Tree) -> Self {
        let mut tree = Self(before.clone());
        let adapter = tree.template("templates/adapter/src/lib.rs") + &tree.text("tests/places/adapter.rs");
        tree.put("adapters/dummy/mod.rs", adapter);
        tree.put("adapters/dummy/wire.rs", tree.template("templates/adapter/src/wire.rs"));
        let module = "#[cfg(feature = \"dummy\")]\npub mod dummy;\n";
        tree.insert("adapters/mod.rs", module, |text| text.find("#[cfg(feature = "));
        // The registry is sorted by id.
        let entry = "    #[cfg(feature = \"dummy\")]\n    dummy::ADAPTER,\n";
        let before_the_next = |text: &str| {
            let start = "    #[cfg(feature = \"";
            let next = text.match_indices(start).find(|(at, _)| text[at + start.len()..] > *"dummy");
            next.map(|(at, _)| at).or_else(|| text.find("];\n"))
        };
        tree.insert("adapters/mod.rs", entry, before_the_next);
        let after = |mark: &'static str| move |text: &str| text.find(mark).map(|at| at + mark.len());
        tree.insert("Cargo.toml", "dummy = [\"http\"]\n", after("\n[features]\n"));
        tree.insert("Cargo.toml", "\"dummy\", ", after("\nall-channels = ["));
        tree.put("sandbox/src/faces/dummy.rs", tree.text("tests/places/face.rs"));
        tree.insert("sandbox/src/faces/mod.rs", "pub mod dummy;\n", |text| text.find("pub mod"));
        let face = "    (\"dummy\", |sandbox| sandbox.face(sales_channels_sandbox::faces::dummy::Dummy)),\n";
        tree.insert("sandbox/src/main.rs", face, after("const FACES: &[(&str, AddFace)] = &[\n"));
        tree.put("tests/dummy.rs", tree.text("tests/places/dummy.rs"));
        tree.put("docs/channels/dummy.md", tree.text("tests/places/page.md"));
        tree
    }
}

/// Runs cargo on the copy. What it builds goes to our own target folder: the dependencies are there already.
fn cargo(copy: &Path, arguments: &[&str]) {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let run = Command::new(env!("CARGO"))
        .args(arguments)
        .args(["--offline", "--locked"])
        .current_dir(copy)
        .env("CARGO_TARGET_DIR", target)
        .env("UPDATE_README", "1")
        .output()
        .unwrap();
    let told = format!("{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success(), "a new channel needs more than its places: {arguments:?}\n{told}");
}

#[test]
fn a_new_channel_touches_its_five_places_only() {
    let before = tree(Path::new("."));
    let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join("places");
    write(&Grown::with_dummy(&before).0, &copy);
    // The adapter with no other beside it, and the sandbox's program with its face.
    let alone = ["check", "-p", "sales-channels", "-p", "sales-channels-sandbox", "--lib", "--bins"];
    cargo(&copy, &[&alone[..], &["--features", "sales-channels/dummy"]].concat());
    // All features of the workspace, as in CI: so that the dependencies are those of the other tests.
    let all = [
        "test",
        "--workspace",
        "--all-features",
        "--test",
        "readme",
        "--test",
        "structure",
        "--test",
        "dummy",
    ];
    cargo(&copy, &all);

    let after = tree(&copy);
    let readme = String::from_utf8(after["README.md"].clone()).unwrap();
    let row = "| [Dummy](docs/channels/dummy.md) | `dummy` | yes | – |";
    assert!(readme.contains(row), "the row of the README is made from the adapter");
    let changed = changed(&before, &after);
    let places: BTreeSet<_> = changed.iter().map(|path| place(path, "dummy").ok_or(path)).collect();
    let five = ["face", "feature", "folder", "page", "registry", "row", "tests"].map(Ok);
    assert_eq!(places, BTreeSet::from(five), "{changed:?}");
}

#[test]
fn a_sixth_place_is_named() {
    let before = Tree::from([("src/hub/mod.rs".to_owned(), vec![1]), ("gone".to_owned(), vec![])]);
    let after =
        Tree::from([("src/hub/mod.rs".to_owned(), vec![2]), ("adapters/other/mod.rs".to_owned(), vec![])]);
    let changed = changed(&before, &after);
    assert_eq!(changed.iter().collect::<Vec<_>>(), ["adapters/other/mod.rs", "gone", "src/hub/mod.rs"]);
    assert!(changed.iter().all(|path| place(path, "dummy").is_none()));
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
