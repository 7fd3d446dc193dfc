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
    let folder = BUILT.get_or_init(|| {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let build = Command::new("sh")
            .arg(here.join("conformance/build.sh"))
            .output();
        let output = build.expect("a shell runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "the Go programs cannot be built: {said}"
        );
        here.join("../target/conformance")
    });
    folder.join(name)
}
