//! The packages of the published crates, as `cargo package` makes them and a registry would serve them; projects that depend on them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
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

/// The folder of the checkout.
///
/// # Panics
/// Never: this crate lies in one.
pub fn checkout() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("a checkout").to_owned()
}

/// A cargo that asks no network, with none of what its own run of the tests has set.
pub fn offline_cargo(folder: &Path) -> Command {
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
///
/// # Panics
/// When it did not, with what it said.
#[track_caller]
pub fn stdout_of(mut command: Command) -> String {
    let output = command.output().expect("the command starts");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    let (out, err) = (text(output.stdout), text(output.stderr));
    assert!(output.status.success(), "{command:?}\n{out}\n{err}");
    out
}

/// Every crate of the checkout that is published, by name, as `cargo metadata` tells of it.
///
/// # Panics
/// When cargo does not know.
pub fn published() -> BTreeMap<String, Json> {
    let mut metadata = offline_cargo(&checkout());
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
///
/// # Panics
/// When one cannot be packaged.
pub fn packages() -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER
        .get_or_init(|| {
            let target = checkout().join("target/getting-started");
            // Those of an earlier version would be taken for packages, too.
            let _ = std::fs::remove_dir_all(target.join("package"));
            let mut package = offline_cargo(&checkout());
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
///
/// # Panics
/// When the folder cannot be written.
pub fn replace_what_differs(fresh: &Path, kept: &Path) {
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

/// Makes a folder the home of projects for which the packages stand for those of the registry. What the checkout has built is
/// not built again for one that depends on the crate `alike` in it, when it is built into the checkout's own target folder.
///
/// # Panics
/// When the folder cannot be written.
pub fn make_home(home: &Path) {
    write(&home.join(".cargo/config.toml"), &settings(&packages()));
    write(&home.join("alike/Cargo.toml"), &alike());
    write(&home.join("alike/src/lib.rs"), "");
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("writable");
    std::fs::write(path, text).expect("writable");
}

/// Settings of cargo: the packages instead of the registry's, and the checkout's profile, for the sake of what is built already.
fn settings(packages: &Path) -> String {
    let manifest = std::fs::read_to_string(checkout().join("Cargo.toml")).expect("a manifest");
    let (_, profiles) = manifest.split_once("[profile.dev]").expect("a profile");
    let (profile, _) = profiles.split_once("[profile.release]").expect("a profile");
    let mut text = format!("[profile.dev]{profile}[patch.crates-io]\n");
    for entry in packages.read_dir().expect("a folder") {
        let path = entry.expect("readable").path();
        let name = path.file_name().and_then(|name| name.to_str());
        let (name, _) = name
            .and_then(|name| name.rsplit_once('-'))
            .expect("a version");
        writeln!(text, "{name} = {{ path = \"{}\" }}", path.display()).expect("text takes text");
    }
    text
}

/// A crate that turns on whatever features the checkout has turned on of the registry's crates. With it the project can use
/// what is built already; without it the AWS SDK would be built once more, for minutes.
fn alike() -> String {
    let mut tree = offline_cargo(&checkout());
    tree.args(["tree", "--locked", "--workspace", "--prefix", "none"]);
    // A macro is built for the compiler, with features of its own.
    tree.args(["--exclude", "terrane-macros"]);
    tree.args(["--edges", "normal,dev,no-proc-macro", "--format", "{p} {f}"]);
    let mut text = "[package]\nname = \"alike\"\nedition = \"2024\"\n\n[dependencies]\n".to_owned();
    let tree = stdout_of(tree);
    let mut lines: Vec<&str> = tree
        .lines()
        .map(|line| line.trim_end_matches(" (*)"))
        .collect();
    lines.sort_unstable();
    lines.dedup();
    for (number, line) in lines.into_iter().enumerate() {
        let mut words = line.split(' ');
        let (Some(name), Some(version)) = (words.next(), words.next()) else {
            continue;
        };
        let features = words.next().unwrap_or_default();
        if features.starts_with('(') {
            // One of the checkout's own.
            continue;
        }
        let features: Vec<&str> = features
            .split(',')
            .filter(|name| !name.is_empty())
            .collect();
        let version = version.trim_start_matches('v');
        writeln!(
            text,
            "d{number} = {{ package = \"{name}\", version = \"={version}\", default-features = false, features = {features:?} }}"
        )
        .expect("text takes text");
    }
    text
}
