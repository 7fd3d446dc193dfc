//! What the tests of this folder share: the stack program and the providers it finds.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use terrane_tests::TestEnvironment;

const STACK: &str = env!("CARGO_BIN_EXE_test-stack");
const FAKE: &str = env!("CARGO_BIN_EXE_fake-provider");

/// The folder with the Go programs, built when first asked for.
fn go_programs() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let output = Command::new("sh")
            .arg(here.join("conformance/build.sh"))
            .output()
            .expect("a shell runs");
        assert!(
            output.status.success(),
            "the Go programs cannot be built: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        here.join("../target/conformance")
    })
}

/// The test stack on the conformance provider.
pub(crate) fn network() -> TestEnvironment {
    TestEnvironment::new(STACK, &[("terrane/conformance", go_programs())])
}

/// The test stack on the provider that misbehaves on demand.
pub(crate) fn fake(vars: &[(&str, &str)]) -> TestEnvironment {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let link = folder.path().join("terraform-provider-fake");
        std::os::unix::fs::symlink(FAKE, link).expect("a link");
        folder
    });
    let mut environment = TestEnvironment::new(STACK, &[("terrane/fake", folder.path())]);
    environment.set("TERRANE_VAR_SCENE", "fake");
    for (name, value) in vars {
        environment.set(name, value);
    }
    environment
}
