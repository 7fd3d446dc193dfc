//! What the tests of this folder share: the stack program and the providers it finds.

use std::sync::OnceLock;

use terrane_tests::{TestEnvironment, go_program};

const STACK: &str = env!("CARGO_BIN_EXE_test-stack");
const FAKE: &str = env!("CARGO_BIN_EXE_fake-provider");

/// The test stack on the conformance provider.
pub(crate) fn network() -> TestEnvironment {
    let provider = go_program("terraform-provider-conformance");
    let folder = provider.parent().expect("a folder");
    TestEnvironment::new(STACK, &[("terrane/conformance", folder)])
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
