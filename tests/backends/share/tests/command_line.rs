//! A stack program drives the store by its scheme, and its hints can be pasted.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use terrane_share::ShareAddress;
use terrane_state::{BackendAddress as _, LockInfo, Operation, SystemClock, SystemRandom};

const PROGRAM: &str = env!("CARGO_BIN_EXE_share-stack");

struct Stage {
    folder: tempfile::TempDir,
}

impl Stage {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder"),
        }
    }

    fn state(&self) -> PathBuf {
        self.folder.path().join("team share/prod")
    }

    fn backend(&self) -> String {
        ShareAddress::new(self.state()).to_string()
    }

    /// A command of a shell that finds the program.
    fn paste(&self, command: &str) -> Output {
        let programs = Path::new(PROGRAM).parent().expect("a folder").display();
        Command::new("/bin/sh")
            .args(["-c", command])
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", format!("{programs}:/usr/bin:/bin"))
            .env("HOME", self.folder.path())
            .output()
            .expect("a shell")
    }

    fn run(&self, arguments: &str) -> Output {
        let backend = self.backend();
        self.paste(&format!("share-stack {arguments} --backend '{backend}'"))
    }
}

fn code(output: &Output) -> Option<i32> {
    output.status.code()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The command of a hint that holds this text.
fn hinted(output: &Output, text: &str) -> String {
    let said = stderr(output);
    let command = said.split('`').skip(1).step_by(2);
    let mut command = command.filter(|command| command.contains(text));
    command
        .next()
        .unwrap_or_else(|| panic!("{said}"))
        .to_owned()
}

#[test]
fn a_stack_lives_in_a_store_from_outside_of_the_workspace() {
    let stage = Stage::new();
    let refused = stage.run("up --yes");
    assert_eq!(code(&refused), Some(1), "{}", stderr(&refused));
    assert!(
        stderr(&refused).contains("does not exist"),
        "{}",
        stderr(&refused)
    );
    let bootstrap = hinted(&refused, "bootstrap");
    assert_eq!(code(&stage.paste(&format!("{bootstrap} --yes"))), Some(0));

    let preview = stage.run("preview --detailed-exitcode");
    assert_eq!(code(&preview), Some(2), "{}", stderr(&preview));
    let up = stage.run("up --yes");
    assert_eq!(code(&up), Some(0), "{}", stderr(&up));
    let preview = stage.run("preview --detailed-exitcode");
    assert_eq!(code(&preview), Some(0), "{}", stderr(&preview));
    let list = stage.run("state list");
    let listed = String::from_utf8_lossy(&list.stdout);
    assert_eq!(listed, "terraform_data.first\nterraform_data.second\n");
}

#[test]
fn the_lock_of_a_dead_run_is_shown_and_freed() {
    let stage = Stage::new();
    assert_eq!(code(&stage.run("bootstrap --yes")), Some(0));
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.expect("a runtime").block_on(async {
        let clock = Arc::new(SystemClock::default());
        let address = ShareAddress::new(stage.state());
        let store = address.connect(clock.clone()).await.expect("connected");
        let (who, path) = ("ann@build-7", store.lock_path());
        let info = LockInfo::new(Operation::Apply, who, &path, &*clock, &SystemRandom);
        store.lock(&info).await.expect("locked");
    });
    let refused = stage.run("up --yes");
    assert_eq!(code(&refused), Some(4), "{}", stderr(&refused));
    assert!(
        stderr(&refused).contains("ann@build-7"),
        "{}",
        stderr(&refused)
    );
    let freed = stage.paste(&format!("{} --yes", hinted(&refused, "force-unlock")));
    assert_eq!(code(&freed), Some(0), "{}", stderr(&freed));
    assert_eq!(code(&stage.run("up --yes")), Some(0));
}

#[test]
fn an_address_that_does_not_fit_is_wrong_usage() {
    let stage = Stage::new();
    for (address, why) in [
        ("gcs://b/k", "`share:///FOLDER`"),
        ("gcs://b/k", "`s3://BUCKET/KEY"),
        ("share://host/folder", "the folder begins with `/`"),
        ("share:///folder?lock=no", "`share` has no options"),
    ] {
        let refused = stage.paste(&format!("share-stack preview --backend '{address}'"));
        assert_eq!(code(&refused), Some(64));
        assert!(stderr(&refused).contains(why), "{}", stderr(&refused));
    }
}
