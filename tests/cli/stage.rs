//! Shared by the tests of this folder: the stack program and the providers it finds.

use std::path::PathBuf;
use std::sync::OnceLock;

use terrane_tests::{Output, TestEnvironment, go_program};

const STACK: &str = env!("CARGO_BIN_EXE_test-stack");
const VAULT: &str = env!("CARGO_BIN_EXE_vault-stack");
const FAKE: &str = env!("CARGO_BIN_EXE_fake-provider");

/// The test stack on the conformance provider.
pub(crate) fn network() -> TestEnvironment {
    let provider = go_program("terraform-provider-conformance");
    let folder = provider.parent().expect("a folder");
    TestEnvironment::new(STACK, &[("terrane/conformance", folder)])
}

/// The same, with that folder as the provider's.
pub(crate) fn network_of(provider: &std::path::Path) -> TestEnvironment {
    TestEnvironment::new(STACK, &[("terrane/conformance", provider)])
}

/// The test stack on the provider that misbehaves on demand.
pub(crate) fn fake(vars: &[(&str, &str)]) -> TestEnvironment {
    let mut environment = on_fake(STACK, vars);
    environment.set("TERRANE_VAR_SCENE", "fake");
    environment
}

/// The stack full of secrets on that provider.
pub(crate) fn vault(vars: &[(&str, &str)]) -> TestEnvironment {
    on_fake(VAULT, vars)
}

fn on_fake(program: &str, vars: &[(&str, &str)]) -> TestEnvironment {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let link = folder.path().join("terraform-provider-fake");
        std::os::unix::fs::symlink(FAKE, link).expect("a link");
        folder
    });
    let mut environment = TestEnvironment::new(program, &[("terrane/fake", folder.path())]);
    for (name, value) in vars {
        environment.set(name, value);
    }
    environment
}

/// The id of the only thing that exists, and the file that it is.
pub(crate) fn only_object(stack: &TestEnvironment) -> (String, PathBuf) {
    let folder = stack.objects().join("conformance_sdk_thing");
    let files = folder.read_dir().expect("a folder");
    let files: Vec<_> = files.map(|file| file.expect("an entry").path()).collect();
    let [file] = files.as_slice() else {
        panic!("{files:?}")
    };
    let id = file.file_stem().and_then(|id| id.to_str());
    (id.expect("a name").to_owned(), file.clone())
}

/// The commands on the state that the hints of an output name, as the words that follow the program's name.
pub(crate) fn hinted(output: &Output) -> Vec<Vec<String>> {
    let hints = output
        .stderr
        .lines()
        .filter(|line| line.starts_with("hint: "));
    let commands = hints.filter_map(|hint| {
        let command = hint.split('`').find(|part| part.contains(" state "))?;
        let words = command.split(' ').skip(1);
        Some(
            words
                .map(|word| word.trim_matches('\'').to_owned())
                .collect(),
        )
    });
    commands.collect()
}
