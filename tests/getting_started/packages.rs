//! What the package of each published crate holds.

use std::path::PathBuf;

use terrane_tests::{checkout, packages, published};

#[test]
fn every_crate_but_stacks_and_tests_is_published_with_all_that_a_registry_shows() {
    let checkout = checkout();
    let crates = published();
    for (name, package) in &crates {
        let manifest = PathBuf::from(package["manifest_path"].as_str().expect("a path"));
        let folder = manifest.parent().expect("a folder");
        for shown in ["description", "documentation", "readme", "license"] {
            let text = package[shown].as_str().unwrap_or_default();
            assert!(!text.is_empty(), "{name} has no {shown}");
        }
        for shown in ["keywords", "categories"] {
            let words = package[shown].as_array().expect("a list");
            assert!(
                (1..=5).contains(&words.len()),
                "{name} has no {shown}, or more than five"
            );
        }
        let outside = ["stacks", "tests"].map(|outside| folder.starts_with(checkout.join(outside)));
        assert_eq!(outside, [false, false], "{name} is published");
    }
    let folders = ["src", "providers", "policies"].map(|parent| checkout.join(parent));
    let folders = folders
        .iter()
        .flat_map(|parent| parent.read_dir().expect("a folder"));
    let members = folders.filter(|entry| {
        let entry = entry.as_ref().expect("readable");
        // The messages of the plugin protocol are made in this tree alone.
        entry.path().join("Cargo.toml").exists() && entry.file_name() != "protobuf"
    });
    // The facade is the only one in no such folder.
    assert_eq!(crates.len(), members.count() + 1, "{:?}", crates.keys());
}

#[test]
fn every_package_holds_the_licence_the_readme_and_nothing_that_lies_outside_of_it() {
    let licence = std::fs::read(checkout().join("LICENSE")).expect("a licence");
    assert!(String::from_utf8_lossy(&licence).contains("Apache License"));
    let packages = packages();
    for (name, package) in published() {
        let folder = packages.join(format!(
            "{name}-{}",
            package["version"].as_str().expect("one")
        ));
        let there = std::fs::read(folder.join("LICENSE"));
        assert!(
            there.is_ok_and(|there| there == licence),
            "{name} lacks the licence"
        );
        assert!(folder.join("README.md").exists(), "{name} lacks the readme");
        let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).expect("a manifest");
        for place in manifest
            .lines()
            .filter_map(|line| line.strip_prefix("path = \""))
        {
            assert!(
                folder.join(place.trim_end_matches('"')).exists(),
                "{name}: {place}"
            );
        }
    }
}
