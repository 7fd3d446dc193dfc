//! The Go programs of the tests: HashiCorp's own libraries as providers, go-cty as judge.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The path of one of the programs in `tests/conformance`, which are built when the first is asked for.
///
/// # Panics
/// When they cannot be built: a missing tool is a failure, never a skip.
pub fn go_program(name: &str) -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| built("conformance")).join(name)
}

/// The path of one of the programs in `tests/ci`, which judge what CI is given: workflows and plans.
///
/// # Panics
/// When they cannot be built.
pub fn ci_program(name: &str) -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| built("ci")).join(name)
}

/// Builds the programs of that folder of the tests.
fn built(folder: &str) -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let build = Command::new("sh")
        .arg(here.join(folder).join("build.sh"))
        .output();
    let output = build.expect("a shell runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "the Go programs cannot be built: {said}"
    );
    here.join("../target").join(folder)
}

/// Whether a program is on the path; under `CI=true` a missing one is a failure.
///
/// # Panics
/// When it is missing there.
#[expect(
    clippy::disallowed_methods,
    reason = "whether a missing tool is a failure is said by the environment"
)]
pub fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_there = std::env::split_paths(&path).any(|folder| folder.join(program).is_file());
    let is_needed = std::env::var("CI").as_deref() == Ok("true");
    assert!(
        is_there || !is_needed,
        "{program} is needed and not installed"
    );
    is_there
}
