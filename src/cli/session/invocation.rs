//! The command lines that messages print: of this program, on the same state, quoted for a shell.

use std::fmt::Write as _;

use clap::CommandFactory as _;
use terrane_core::{Diagnostic, Diagnostics};

use crate::args::{Arguments, Common};

/// How this program was started.
pub(crate) struct Invocation {
    /// The name of the program.
    program: String,
    /// The arguments that it was started with.
    arguments: Vec<String>,
    /// The flag that picks the stack, in a fleet.
    only: String,
    /// The flags that lead to the same state.
    place: String,
}

impl Invocation {
    /// The invocation of this process. Without a name of its own the program is called like its stack.
    pub(super) fn new(stack: &str, common: &Common, fleet: Option<&str>) -> Self {
        let given = common.given.clone();
        match fleet {
            Some(place) => Self::at(stack, given, place.to_owned()).about(Some(stack)),
            None => Self::at(stack, given, place(common)),
        }
    }

    /// The invocation of this process with these arguments; the flags of `place` lead to the same states.
    pub(crate) fn at(stack: &str, arguments: Vec<String>, place: String) -> Self {
        Self {
            program: program_name().unwrap_or_else(|| stack.to_owned()),
            arguments,
            only: String::new(),
            place,
        }
    }

    /// The same about one stack of a fleet.
    pub(crate) fn about(mut self, stack: Option<&str>) -> Self {
        self.only = stack.map_or_else(String::new, |stack| {
            format!(" --only {}", quoted_if_needed(stack))
        });
        self
    }

    /// The name of the program.
    pub(super) fn program(&self) -> &str {
        &self.program
    }

    /// The program with these arguments and no others.
    pub(crate) fn command(&self, arguments: &str) -> String {
        format!("{} {arguments}", self.program)
    }

    /// The program with these arguments on the same state.
    pub(crate) fn again(&self, arguments: &str) -> String {
        let only = match arguments.contains("--only ") {
            true => "",
            false => &*self.only,
        };
        format!("{}{only}{}", self.command(arguments), self.place)
    }

    /// The same command line with one more flag; none when it holds values of the configuration, which may be secret.
    pub(crate) fn repeated(&self, flag: &str) -> Option<String> {
        let name = flag.split(' ').next()?;
        let mut words = Vec::new();
        let mut arguments = self.arguments.iter();
        while let Some(argument) = arguments.next() {
            let (written, value) = match argument.split_once('=') {
                Some((written, value)) => (written, Some(value)),
                None => (argument.as_str(), None),
            };
            match written {
                "--var" => return None,
                "--sandbox" => {}
                written if ["--backend", "--only", "--replay", name].contains(&written) => {
                    if value.is_none() {
                        arguments.next();
                    }
                }
                _ => words.push(quoted_if_needed(argument)),
            }
        }
        words.push(flag.to_owned());
        Some(self.again(&words.join(" ")))
    }

    /// The same diagnostics; a hint that names a command of this program names it whole, so that it can be pasted.
    pub(crate) fn with_commands(&self, diagnostics: Diagnostics) -> Diagnostics {
        let commands = Arguments::command();
        let is_command = |part: &str| {
            let verb = part.split(' ').next().unwrap_or_default();
            commands.find_subcommand(verb).is_some()
        };
        let whole = |hint: String| {
            let parts = hint.split('`').enumerate().map(|(index, part)| {
                // Every second part stands between backticks.
                match index % 2 == 1 && is_command(part) {
                    true => self.again(part),
                    false => part.to_owned(),
                }
            });
            parts.collect::<Vec<_>>().join("`")
        };
        let diagnostics = diagnostics.into_iter().map(|diagnostic| Diagnostic {
            hints: diagnostic.hints.into_iter().map(whole).collect(),
            ..diagnostic
        });
        diagnostics.collect()
    }
}

/// The name of this program's file.
pub(crate) fn program_name() -> Option<String> {
    let program = std::env::current_exe().ok()?;
    Some(program.file_name()?.to_str()?.to_owned())
}

fn place(common: &Common) -> String {
    let mut place = String::new();
    if let Some(backend) = &common.backend {
        let _ = write!(place, " --backend {}", shell_word(&backend.to_string()));
    }
    if common.sandbox {
        place.push_str(" --sandbox");
    }
    if let Some(file) = &common.replay {
        let _ = write!(
            place,
            " --replay {}",
            shell_word(&file.display().to_string())
        );
    }
    place
}

/// A text as one word of a shell's command line.
pub(crate) fn shell_word(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// The same, with quotes only where a shell needs them.
pub(crate) fn quoted_if_needed(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/=:,@+%".contains(c);
    match !text.is_empty() && text.chars().all(plain) {
        true => text.to_owned(),
        false => shell_word(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invocation(line: &str) -> Invocation {
        Invocation {
            program: "prod-stack".to_owned(),
            arguments: line.split_whitespace().map(str::to_owned).collect(),
            only: String::new(),
            place: " --backend 's3://b/k'".to_owned(),
        }
    }

    #[test]
    fn a_command_is_repeated_with_one_more_flag_on_the_same_state() {
        let repeated = |line| invocation(line).repeated("--lock-timeout 10m");
        let whole =
            "prod-stack up --target 'a.b[\"c\"]' --yes --lock-timeout 10m --backend 's3://b/k'";
        for line in [
            "up --backend s3://b/k --target a.b[\"c\"] --yes",
            "--backend=s3://b/k up --lock-timeout 1s --target a.b[\"c\"] --yes",
            "up --target a.b[\"c\"] --lock-timeout=1s --yes --backend x",
        ] {
            assert_eq!(repeated(line).as_deref(), Some(whole), "{line}");
        }
    }

    #[test]
    fn a_command_about_a_stack_of_a_fleet_picks_it_once() {
        let line = "state list --only network/dev";
        let invocation = invocation(line).about(Some("network/dev"));
        let whole = "prod-stack state list --only network/dev --backend 's3://b/k'";
        assert_eq!(invocation.again("state list"), whole);
        assert_eq!(invocation.again(line), whole);
        let repeated = invocation.repeated("--lock-timeout 10m");
        let whole =
            "prod-stack state list --lock-timeout 10m --only network/dev --backend 's3://b/k'";
        assert_eq!(repeated.as_deref(), Some(whole));
    }

    #[test]
    fn values_of_the_configuration_are_not_repeated() {
        for line in ["up --var password=hunter2", "up --var=password=hunter2"] {
            assert_eq!(invocation(line).repeated("--lock-timeout 10m"), None);
        }
    }

    #[test]
    fn hints_name_commands_whole_and_only_once() {
        let hint = "run `up` first, then `state list`; `prod-stack up` and `--exclude` stay";
        let diagnostics = Diagnostics::from(Diagnostic::error("e").hint(hint));
        let invocation = invocation("up");
        let once = invocation.with_commands(diagnostics);
        let twice = invocation.with_commands(once.clone());
        assert_eq!(once, twice);
        let hints: Vec<_> = once.into_iter().flat_map(|one| one.hints).collect();
        assert_eq!(
            hints,
            [
                "run `prod-stack up --backend 's3://b/k'` first, then `prod-stack state list --backend 's3://b/k'`; `prod-stack up` and `--exclude` stay"
            ]
        );
    }
}
