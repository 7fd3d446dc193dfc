//! The programs that were written, compiled together.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use terrane_tests::{checkout, make_home, offline_cargo, replace_what_differs, stdout_of};

use crate::cases::ALL;
use crate::existing;

/// The folder of the compiled programs, each under the name of its case. Lints and rustfmt have nothing to say about any.
pub(crate) fn programs() -> &'static Path {
    static PROGRAMS: OnceLock<PathBuf> = OnceLock::new();
    PROGRAMS.get_or_init(|| {
        let target = checkout().join("target");
        let workspace = target.join("converted");
        let fresh = tempfile::tempdir_in(&target).expect("a folder");
        write_workspace(fresh.path());
        replace_what_differs(fresh.path(), &workspace);
        stdout_of(compiling(&workspace, &target));
        stdout_of(formatting(&workspace));
        target.join("debug")
    })
}

/// The names of all programs.
fn names() -> impl Iterator<Item = &'static str> {
    ALL.map(|case| case.name)
        .into_iter()
        .chain([existing::NAME])
}

/// Writes all projects as members of one workspace: what they need is built once.
fn write_workspace(folder: &Path) {
    make_home(folder);
    for case in ALL {
        let project = case.converted();
        let written = project.write(&folder.join(case.name), &case.schemas());
        written.unwrap_or_else(|error| panic!("{}: {error}", case.name));
    }
    existing::write(&folder.join(existing::NAME));
    let members: Vec<&str> = ["alike"].into_iter().chain(names()).collect();
    let manifest = format!("[workspace]\nresolver = \"3\"\nmembers = {members:?}\n");
    fs::write(folder.join("Cargo.toml"), manifest).expect("writable");
    // The versions that the checkout was built with: those are downloaded.
    fs::copy(checkout().join("Cargo.lock"), folder.join("Cargo.lock")).expect("a lock file");
    // A stranger's project is not under the checkout's rules.
    for settings in ["clippy.toml", "rustfmt.toml"] {
        fs::write(folder.join(settings), "").expect("writable");
    }
}

/// The compilation of all, with the lints: `cargo clippy` would check whatever they depend on once more.
fn compiling(workspace: &Path, target: &Path) -> Command {
    let clippy = Path::new(env!("CARGO")).with_file_name("clippy-driver");
    let mut command = offline_cargo(workspace);
    command
        .args(["build", "--quiet", "--workspace"])
        .env("CARGO_TARGET_DIR", target)
        .env("RUSTC_WORKSPACE_WRAPPER", clippy)
        // As `cargo clippy -- -D warnings` hands it to the driver.
        .env(
            "CLIPPY_ARGS",
            "-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__",
        );
    command
}

fn formatting(workspace: &Path) -> Command {
    let mut command = offline_cargo(workspace);
    command.args(["fmt", "--check"]);
    for name in names() {
        command.args(["-p", name]);
    }
    command
}
