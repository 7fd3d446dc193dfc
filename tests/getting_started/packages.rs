//! The packages of the published crates, as `cargo package` makes them and a registry would serve them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value as Json;

/// What cargo may see of the environment: nothing that its own run of the tests has set.
const KEPT: [&str; 7] = [
    "PATH",
    "HOME",
    "CARGO_HOME",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
    "RUSTFLAGS",
    "TMPDIR",
];

/// The checkout.
pub(crate) fn checkout() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("a checkout").to_owned()
}

/// A cargo that asks no network.
pub(crate) fn cargo(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO"));
    command
        .current_dir(folder)
        .env_clear()
        .env("CARGO_NET_OFFLINE", "true")
        .env("CARGO_TERM_COLOR", "never")
        .env("CARGO_INCREMENTAL", "0");
    for kept in KEPT {
        command.envs(std::env::var_os(kept).map(|value| (kept, value)));
    }
    command
}

/// What a command printed to stdout, when it succeeded.
#[track_caller]
pub(crate) fn stdout_of(mut command: Command) -> String {
    let output = command.output().expect("the command starts");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    let (out, err) = (text(output.stdout), text(output.stderr));
    assert!(output.status.success(), "{command:?}\n{out}\n{err}");
    out
}

/// Every crate of the checkout that is published, by name.
fn published() -> BTreeMap<String, Json> {
    let mut metadata = cargo(&checkout());
    metadata.args(["metadata", "--no-deps", "--locked", "--format-version", "1"]);
    let metadata: Json = serde_json::from_str(&stdout_of(metadata)).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages").iter();
    packages
        .filter(|package| package["publish"].is_null())
        .map(|package| {
            (
                package["name"].as_str().expect("a name").to_owned(),
                package.clone(),
            )
        })
        .collect()
}

/// The folder in which each published crate lies as a reader of its package would find it: `terrane-core-0.1.0`.
pub(crate) fn unpacked() -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER
        .get_or_init(|| {
            let target = checkout().join("target/getting-started");
            // Those of an earlier version would be taken for packages, too.
            let _ = std::fs::remove_dir_all(target.join("package"));
            let mut package = cargo(&checkout());
            package
                .args([
                    "package",
                    "--no-verify",
                    "--allow-dirty",
                    "--locked",
                    "--quiet",
                ])
                .env("CARGO_TARGET_DIR", &target);
            for name in published().keys() {
                package.args(["-p", name]);
            }
            stdout_of(package);
            let fresh = tempfile::tempdir_in(&target).expect("a folder");
            let archives = target.join("package").read_dir().expect("the packages");
            for archive in archives.map(|entry| entry.expect("readable").path()) {
                if archive.extension().is_some_and(|end| end == "crate") {
                    let mut tar = Command::new("tar");
                    tar.arg("xzf").arg(archive).arg("-C").arg(fresh.path());
                    stdout_of(tar);
                }
            }
            let kept = target.join("crates");
            replace_what_differs(fresh.path(), &kept);
            kept
        })
        .clone()
}

/// Makes one folder equal another, and leaves files alone that are equal already: cargo goes by their times.
fn replace_what_differs(fresh: &Path, kept: &Path) {
    for gone in files_of(kept)
        .iter()
        .filter(|file| !fresh.join(file).exists())
    {
        std::fs::remove_file(kept.join(gone)).expect("removable");
    }
    for file in files_of(fresh) {
        let (new, old) = (fresh.join(&file), kept.join(&file));
        let bytes = std::fs::read(new).expect("readable");
        if std::fs::read(&old).is_ok_and(|there| there == bytes) {
            continue;
        }
        std::fs::create_dir_all(old.parent().expect("a folder")).expect("writable");
        std::fs::write(old, bytes).expect("writable");
    }
}

/// The paths of all files below a folder.
fn files_of(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(below) = folders.pop() {
        let entries = std::fs::read_dir(folder.join(&below)).into_iter().flatten();
        for entry in entries {
            let entry = entry.expect("readable");
            let path = below.join(entry.file_name());
            match entry.path().is_dir() {
                true => folders.push(path),
                false => files.push(path),
            }
        }
    }
    files
}

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
    let unpacked = unpacked();
    for (name, package) in published() {
        let folder = unpacked.join(format!(
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
