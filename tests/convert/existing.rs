//! A program that `import --generate` wrote, of objects that exist and that no state has.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use terrane_tests::{TestEnvironment, go_program};

/// The name of the program.
pub(crate) const NAME: &str = "existing";

const MANIFEST: &str = r#"[package]
name = "existing"
version = "0.1.0"
edition = "2024"
publish = false

[dependencies]
terrane = "0.1.0"
"#;

const MAIN: &str = "//! What exists.

mod conformance;
mod existing;

use std::process::ExitCode;

use terrane::Cli;

fn main() -> ExitCode {
    Cli::stack(\"existing\").run(existing::existing)
}
";

/// The project's folder, in which its program runs: beside it are the objects.
pub(crate) fn project() -> &'static TestEnvironment {
    static PROJECT: OnceLock<TestEnvironment> = OnceLock::new();
    PROJECT.get_or_init(|| {
        let provider = go_program("terraform-provider-conformance");
        let provider = provider.parent().expect("a folder");
        let stack = env!("CARGO_BIN_EXE_test-stack");
        let mut project = TestEnvironment::new(stack, &[("terrane/conformance", provider)]);
        project.pass_toolchain();
        let zones = r#"zones=["a","b"]"#;
        project.run(&["up", "--yes", "--var", zones]).exits(0);
        project.set("ONE_SDK_THING_SECRET", "hunter2");
        fs::create_dir(project.path().join("src")).expect("a folder");
        fs::write(project.path().join("Cargo.toml"), MANIFEST).expect("writable");
        fs::write(project.path().join("src/main.rs"), MAIN).expect("writable");
        let bindings = [
            "bindings",
            "add",
            "terrane/conformance@1.2.3",
            "--type",
            "conformance_sdk_thing",
        ];
        project.run(&bindings).exits(0);
        let mut generate = [
            "import",
            "--into",
            "src/existing.rs",
            "--backend",
            "empty.tfstate",
            "--generate",
        ]
        .map(str::to_owned)
        .to_vec();
        generate.extend(objects(&project.objects().join("conformance_sdk_thing")));
        project.run(&generate).exits(0);
        project
    })
}

/// Every object of the type, as `import --generate` takes them.
fn objects(folder: &Path) -> Vec<String> {
    let files = folder.read_dir().expect("a folder");
    let files = files.map(|file| file.expect("an entry").path());
    let ids = files.filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()));
    ids.map(|id| format!("conformance_sdk_thing={id}"))
        .collect()
}

/// Writes the project into another folder.
pub(crate) fn write(folder: &Path) {
    copy(&project().path().join("src"), &folder.join("src"));
    fs::copy(
        project().path().join("Cargo.toml"),
        folder.join("Cargo.toml"),
    )
    .expect("writable");
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("writable");
    for entry in from.read_dir().expect("a folder") {
        let entry = entry.expect("readable");
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        match from.is_dir() {
            true => copy(&from, &to),
            false => drop(fs::copy(from, to).expect("writable")),
        }
    }
}
