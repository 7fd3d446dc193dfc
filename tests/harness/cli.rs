//! A stack program run as a process, in a folder of its own, with nothing of this machine's settings.

use std::ffi::OsStr;
use std::fmt;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::filters::filtered;

/// A folder, a CLI configuration that leads to the test providers, and a stack program to run in it.
pub struct TestEnvironment {
    directory: TempDir,
    program: PathBuf,
    vars: Vec<(String, String)>,
}

/// The output of a program, and its exit code.
pub struct Output {
    /// Standard output, filtered.
    pub stdout: String,
    /// Standard error, filtered.
    pub stderr: String,
    /// The exit code; a signal's number with 128 added.
    pub code: i32,
}

impl TestEnvironment {
    /// An environment for that program. `providers` are folders by source, for example `terrane/fake`.
    ///
    /// # Panics
    /// When the folder cannot be made.
    pub fn new(program: impl Into<PathBuf>, providers: &[(&str, &Path)]) -> Self {
        let directory = tempfile::tempdir().expect("a temporary folder");
        let overrides: Vec<String> = providers
            .iter()
            .map(|(source, folder)| format!("    \"{source}\" = \"{}\"\n", folder.display()))
            .collect();
        let text = format!(
            "provider_installation {{\n  dev_overrides {{\n{}  }}\n}}\n",
            overrides.concat()
        );
        std::fs::write(directory.path().join("cli.tfrc"), text).expect("a writable folder");
        std::fs::create_dir(directory.path().join("objects")).expect("a writable folder");
        Self {
            directory,
            program: program.into(),
            vars: Vec::new(),
        }
    }

    /// Sets a variable for all runs that follow.
    pub fn set(&mut self, name: &str, value: &str) {
        self.vars.retain(|(known, _)| known != name);
        self.vars.push((name.to_owned(), value.to_owned()));
    }

    /// Lets programs find cargo and rustfmt: what rustup tells those that it starts. Without it they look in the home folder.
    #[expect(
        clippy::disallowed_methods,
        reason = "where the toolchain is, is said by the environment"
    )]
    pub fn pass_toolchain(&mut self) {
        for name in ["CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"] {
            if let Ok(value) = std::env::var(name) {
                self.set(name, &value);
            }
        }
    }

    /// The folder that the program runs in.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Where the conformance provider keeps its objects.
    pub fn objects(&self) -> PathBuf {
        self.path().join("objects")
    }

    /// The program with these arguments, not started yet.
    pub fn command(&self, arguments: &[impl AsRef<OsStr>]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .current_dir(self.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.path())
            .env("USER", "tester")
            .env("TF_CLI_CONFIG_FILE", self.path().join("cli.tfrc"))
            .env("CONFORMANCE_DIRECTORY", self.objects())
            .envs(self.vars.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs the program to its end.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn run(&self, arguments: &[impl AsRef<OsStr>]) -> Output {
        let child = self.command(arguments).spawn().expect("a stack program");
        self.finish(child)
    }

    /// Runs the command of a hint in a shell that finds the program, with more arguments behind it.
    ///
    /// # Panics
    /// When no shell can be started.
    pub fn paste(&self, hint: &str, more: &str) -> Output {
        self.shell("/bin/sh", &format!("{hint} {more}"))
    }

    /// Runs a script in a shell that finds the program.
    ///
    /// # Panics
    /// When the shell cannot be started.
    pub fn shell(&self, shell: &str, script: &str) -> Output {
        let mut command = self.command(&[""; 0]);
        let folder = self.program.parent().unwrap_or(Path::new("/"));
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = [folder.as_os_str(), &path].join(OsStr::new(":"));
        let environment: Vec<_> = command
            .get_envs()
            .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
            .collect();
        command = Command::new(shell);
        command
            .args(["-c", script])
            .current_dir(self.path())
            .env_clear()
            .envs(environment)
            .env("PATH", path)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        self.finish(command.spawn().expect("a shell"))
    }

    /// Runs the program with that on its standard input.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn run_with_input(&self, arguments: &[impl AsRef<OsStr>], input: &str) -> Output {
        let mut command = self.command(arguments);
        let mut child = command
            .stdin(Stdio::piped())
            .spawn()
            .expect("a stack program");
        let mut stdin = child.stdin.take().expect("an input");
        stdin.write_all(input.as_bytes()).expect("it reads");
        drop(stdin);
        self.finish(child)
    }

    /// Waits for a started program.
    ///
    /// # Panics
    /// When it cannot be waited for.
    pub fn finish(&self, child: Child) -> Output {
        let output = child.wait_with_output().expect("an end");
        let directory = self.path().display().to_string();
        let text = |bytes: &[u8]| filtered(&String::from_utf8_lossy(bytes), &directory);
        let signal = std::os::unix::process::ExitStatusExt::signal(&output.status);
        Output {
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
            code: output
                .status
                .code()
                .unwrap_or_else(|| 128 + signal.unwrap_or(0)),
        }
    }
}

impl Output {
    /// The output, when the program ended with that code.
    ///
    /// # Panics
    /// When it did not.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self}");
        self
    }

    /// The command in the hints whose words contain this.
    ///
    /// # Panics
    /// When there is none.
    #[track_caller]
    pub fn hinted(&self, words: &str) -> String {
        let hints = self.stderr.lines().filter(|line| line.contains("hint: "));
        let mut commands = hints.flat_map(|hint| hint.split('`').skip(1).step_by(2));
        let command = commands.find(|command| command.contains(words));
        command
            .unwrap_or_else(|| panic!("no hint names `{words}`: {self}"))
            .to_owned()
    }

    /// Standard output as JSON.
    ///
    /// # Panics
    /// When it is not.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self}"))
    }
}

impl fmt::Display for Output {
    /// For snapshots: all three in one text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "exit: {}", self.code)?;
        for (name, text) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !text.is_empty() {
                writeln!(f, "--- {name} ---\n{}", text.trim_end_matches('\n'))?;
            }
        }
        Ok(())
    }
}
