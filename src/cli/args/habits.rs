//! What people write who come from Terraform or OpenTofu: understood, with a tip how it is written here.

use std::collections::BTreeSet;
use std::ffi::OsString;

use clap::Command;

/// Their flags that have another name here.
const RENAMED: [(&str, &str); 3] = [
    ("auto-approve", "yes"),
    ("force", "yes"),
    ("show-sensitive", "show-secrets"),
];
/// Their flags that say what is so in any case: without a terminal nothing is asked.
const NEEDLESS: [&str; 2] = ["input", "compact-warnings"];
/// Their commands that have another name here.
const COMMANDS: [(&str, &str); 2] = [("apply", "up"), ("plan", "preview")];
/// Said in a program of many stacks of what picks one of them there.
const PICKS_A_STACK: &str =
    "each environment is a stack of this program: `--only NAME` picks it, and `matrix` lists them";
/// Their commands that are not needed here, or are something else.
const ELSEWHERE: [(&str, &str); 9] = [
    (
        "fmt",
        "the program is Rust: `cargo fmt` formats its sources",
    ),
    (
        "get",
        "modules are crates: cargo fetches them when it builds this program",
    ),
    (
        "init",
        "there is nothing to initialise: each command installs the providers that it needs",
    ),
    (
        "login",
        "the credentials of registries are those of Terraform's CLI configuration",
    ),
    (
        "stack",
        "this program is the stack: its commands need no other word",
    ),
    ("taint", "`up --replace ADDRESS` replaces an object"),
    ("test", "the program is Rust: `cargo test` runs its tests"),
    (
        "untaint",
        "`up` plans what a tainted object needs; `state show ADDRESS` says that it is tainted",
    ),
    (
        "workspace",
        "each environment is a stack with a state of its own, and so a program of its own",
    ),
];

/// A command line in this program's words.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Understood {
    /// The arguments, the name of the program first.
    pub(crate) arguments: Vec<OsString>,
    /// What was written in other words.
    pub(crate) tips: Vec<String>,
}

/// The same command line in the words of `command`.
pub(crate) fn understood(
    arguments: impl IntoIterator<Item = OsString>,
    command: &Command,
) -> Understood {
    let mut known = BTreeSet::new();
    add_flags(command, &mut known);
    let mut arguments = arguments.into_iter();
    let mut understood = Understood::default();
    understood.arguments.extend(arguments.next());
    let mut dashes = BTreeSet::new();
    let mut verb = None;
    for argument in arguments.by_ref() {
        let Some(text) = argument.to_str() else {
            understood.arguments.push(argument);
            continue;
        };
        if text == "--" {
            understood.arguments.push(argument);
            break;
        }
        let Some(flag) = text.strip_prefix('-') else {
            // A value of a flag before the command may be any other word.
            if verb.is_none() && command.find_subcommand(text).is_some() {
                verb = Some(text.to_owned());
            }
            understood.arguments.push(argument);
            continue;
        };
        let flag = flag.strip_prefix('-').unwrap_or(flag);
        let has_one_dash = !text.starts_with("--");
        let name = flag.split_once('=').map_or(flag, |(name, _)| name);
        if known.contains(name) {
            // One letter is a short flag.
            match has_one_dash && name.len() > 1 {
                true => {
                    dashes.insert(format!("`--{name}`"));
                    understood.arguments.push(format!("--{flag}").into());
                }
                false => understood.arguments.push(argument),
            }
        } else if let Some((_, ours)) = RENAMED.iter().find(|(theirs, _)| *theirs == name) {
            let tip = format!("`{text}` is `--{ours}` here");
            understood.tips.push(tip);
            understood.arguments.push(format!("--{ours}").into());
        } else if NEEDLESS.contains(&name) {
            let tip = format!("`{text}` is not needed here");
            understood.tips.push(tip);
        } else {
            understood.arguments.push(argument);
        }
    }
    understood.arguments.extend(arguments);
    if !dashes.is_empty() {
        let flags: Vec<String> = dashes.into_iter().collect();
        let tip = format!("flags have two dashes here: {}", flags.join(", "));
        understood.tips.push(tip);
    }
    let renamed = COMMANDS
        .iter()
        .find(|(theirs, _)| verb.as_deref() == Some(*theirs));
    if let Some((theirs, ours)) = renamed {
        understood.tips.push(format!("`{theirs}` is `{ours}` here"));
    }
    understood
}

/// What to do instead of a command that does not exist here, in a program of one stack or of many.
pub(crate) fn instead_of(command: &str, has_many_stacks: bool) -> Option<&'static str> {
    if has_many_stacks && ["stack", "workspace"].contains(&command) {
        return Some(PICKS_A_STACK);
    }
    let mut all = ELSEWHERE.iter();
    all.find_map(|(theirs, tip)| (*theirs == command).then_some(*tip))
}

fn add_flags<'a>(command: &'a Command, flags: &mut BTreeSet<&'a str>) {
    flags.extend(command.get_arguments().filter_map(clap::Arg::get_long));
    for subcommand in command.get_subcommands() {
        add_flags(subcommand, flags);
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, FromArgMatches as _};

    use super::*;
    use crate::args::Arguments;

    fn read(line: &str) -> (String, Vec<String>) {
        let words = ["prod-stack"].into_iter().chain(line.split(' '));
        let Understood { arguments, tips } =
            understood(words.map(OsString::from), &Arguments::command());
        let words: Vec<_> = arguments
            .iter()
            .skip(1)
            .map(|it| it.to_string_lossy())
            .collect();
        (words.join(" "), tips)
    }

    #[test]
    fn a_command_line_of_terraform_is_understood_with_a_tip_for_each_difference() {
        let line = "apply -auto-approve -input=false -var a=b -var=c=d -target=aws_vpc.main -parallelism 3";
        let (ours, tips) = read(line);
        let expected = "apply --yes --var a=b --var=c=d --target=aws_vpc.main --parallelism 3";
        assert_eq!(ours, expected);
        assert_eq!(
            tips,
            [
                "`-auto-approve` is `--yes` here",
                "`-input=false` is not needed here",
                "flags have two dashes here: `--parallelism`, `--target`, `--var`",
                "`apply` is `up` here",
            ]
        );
        let words = ["prod-stack"].into_iter().chain(ours.split(' '));
        let matches = Arguments::command()
            .try_get_matches_from(words)
            .expect("it is valid");
        Arguments::from_arg_matches(&matches).expect("it is valid");
    }

    #[test]
    fn a_command_line_of_ours_stays_as_it_is() {
        for line in [
            "up --yes --var name=-target --target aws_vpc.main",
            "-h",
            "preview -x --unknown",
            "completions bash -- prod-stack -var",
            "state show aws_vpc.plan",
            "up apply",
            "up plan",
        ] {
            assert_eq!(read(line), (line.to_owned(), Vec::new()));
        }
    }
}
