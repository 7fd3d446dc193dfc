//! A project outside of the checkout, in which the guide's steps are done.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use terrane_registry::Platform;
use terrane_tests::{checkout, make_home, offline_cargo, stdout_of};

/// A folder with a project in it, and what its last commands printed.
pub(crate) struct Project {
    /// Its parent, where `.cargo` makes one's own packages stand for those of the registry.
    home: TempDir,
    /// The package's name.
    name: String,
    folder: PathBuf,
    printed: String,
}

impl Project {
    /// A place for a project, where the packages are what the registry has.
    pub(crate) fn new() -> Self {
        let home = tempfile::tempdir().expect("a folder");
        make_home(home.path());
        provide_local(home.path());
        Self {
            name: String::new(),
            folder: home.path().to_owned(),
            home,
            printed: String::new(),
        }
    }

    pub(crate) fn write(&mut self, file: &str, text: &str) {
        write(&self.folder.join(file), text);
    }

    pub(crate) fn append(&mut self, file: &str, text: &str) {
        let path = self.folder.join(file);
        let before = std::fs::read_to_string(&path).expect("a file to append to");
        write(&path, &format!("{before}\n{text}"));
    }

    /// Writes the dependencies into the manifest, in place of those that it has.
    pub(crate) fn depend(&mut self, text: &str) {
        let path = self.folder.join("Cargo.toml");
        let manifest = std::fs::read_to_string(&path).expect("a manifest");
        let (before, _) = manifest.split_once("[dependencies]").expect("a section");
        write(
            &path,
            &format!("{before}{text}alike = {{ path = \"../alike\" }}\n"),
        );
        // The versions that the checkout was built with: those are downloaded.
        let lock = std::fs::read_to_string(checkout().join("Cargo.lock")).expect("a lock file");
        write(&self.folder.join("Cargo.lock"), &lock);
    }

    /// Takes the lines with `-` out, and puts those with `+` in their place.
    pub(crate) fn edit(&mut self, file: &str, diff: &str) {
        let side = |sign: char| -> String {
            let lines = diff.lines().filter_map(|line| {
                let kept = line.strip_prefix(' ');
                kept.or_else(|| line.strip_prefix(sign))
            });
            lines.flat_map(|line| [line, "\n"]).collect()
        };
        let path = self.folder.join(file);
        let before = std::fs::read_to_string(&path).expect("a file to edit");
        assert_eq!(before.matches(&side('-')).count(), 1, "{file} has {diff}");
        write(&path, &before.replace(&side('-'), &side('+')));
    }

    pub(crate) fn run(&mut self, commands: &[String]) {
        self.printed.clear();
        for line in commands {
            if let Some(folder) = line.strip_prefix("cd ") {
                self.folder.push(folder);
                continue;
            }
            let words = line.split(' ').map(|word| word.trim_matches('\''));
            let words: Vec<&str> = words.collect();
            if let ["cargo", "new", name] = words[..] {
                name.clone_into(&mut self.name);
            }
            let ["cargo", arguments @ ..] = words.as_slice() else {
                panic!("the guide has only commands of cargo: {line}");
            };
            self.printed += &stdout_of(self.command(arguments));
        }
    }

    /// Checks that the last commands printed these lines, in this order.
    pub(crate) fn printed(&mut self, lines: &[String]) {
        let mut printed = self.printed.lines().map(without_id);
        for line in lines {
            assert!(
                printed.any(|printed| printed == *line),
                "`{line}` is not printed, or not in its place:\n{}",
                self.printed
            );
        }
    }

    /// Takes what only this project has out of the shared target folder, where no later run would find it.
    pub(crate) fn clean(self) {
        stdout_of(self.command(&["clean", "--quiet", "-p", &self.name, "-p", "alike"]));
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = offline_cargo(&self.folder);
        command
            .args(arguments)
            // What is built already is not built again.
            .env("CARGO_TARGET_DIR", checkout().join("target"))
            .env("HOME", self.home.path())
            .env("TERRANE_SANDBOX_SPEED", "0");
        // Both are found through the home folder unless they are named.
        let home = std::env::var_os("HOME").map(PathBuf::from);
        for (name, folder) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
            let own = || home.as_ref().map(|home| home.join(folder).into_os_string());
            if let Some(path) = std::env::var_os(name).or_else(own) {
                command.env(name, path);
            }
        }
        command
    }
}

/// Puts the provider `hashicorp/local` where every program of that home finds it: a script that becomes a sandbox with its types.
fn provide_local(home: &Path) {
    let facts = home.join("providers/local.facts");
    write(&facts, include_str!("local.facts"));
    let platform = Platform::current();
    let version = home
        .join(".terraform.d/plugins/registry.opentofu.org/hashicorp/local/2.4.1")
        .join(platform.to_string());
    let provider = version.join("terraform-provider-local_v2.4.1");
    let script = format!(
        "#!/bin/sh\nexport TERRANE_SANDBOX_FOLDER='{}' TERRANE_SANDBOX_FACTS=local.facts\nexec '{}' \"$@\"\n",
        home.join("providers").display(),
        env!("CARGO_BIN_EXE_clouds-stack")
    );
    write(&provider, &script);
    std::fs::set_permissions(&provider, Permissions::from_mode(0o755)).expect("a program");
}

fn write(path: &Path, text: &str) {
    let folder = path.parent().expect("a folder");
    std::fs::create_dir_all(folder).expect("writable");
    std::fs::write(path, text).expect("writable");
}

/// The line as the guide has it, for which the id of a network is another each time.
fn without_id(line: &str) -> String {
    let parts = line.split_once("\"vpc-").and_then(|(before, id)| {
        let (_, after) = id.split_once('"')?;
        Some(format!("{before}\"vpc-…\"{after}"))
    });
    parts.unwrap_or_else(|| line.to_owned())
}
