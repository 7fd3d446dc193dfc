//! The words that fit at the end of a command line: commands, flags, their values, names from the state.

use clap::{Arg, Command};

use super::line::Line;

/// The names in a state, and those of a fleet's stacks.
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub(crate) stacks: Vec<String>,
    pub(crate) addresses: Vec<String>,
    pub(crate) outputs: Vec<String>,
}

/// The words that fit, or what they are to be taken from.
#[derive(Debug, Default)]
pub(crate) struct Fitting {
    /// As far as they are known without a state.
    words: Vec<String>,
    names: Option<Kind>,
    is_file: bool,
    /// The beginning that is typed already, behind a flag and its `=`.
    prefix: String,
    typed: String,
}

/// Which names of a state fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Stack,
    Address,
    Output,
}

/// How an argument is completed.
enum Value {
    OneOf(Vec<String>),
    Name(Kind),
    File,
    /// Anything.
    Free,
}

impl Fitting {
    /// Whether names of the state are wanted.
    pub(crate) fn wants_names(&self) -> bool {
        self.names.is_some()
    }

    /// All words, sorted; `None` where a file is wanted.
    pub(super) fn words(self, names: Names) -> Option<Vec<String>> {
        let mut words = self.words;
        words.extend(match self.names {
            Some(Kind::Stack) => names.stacks,
            Some(Kind::Address) => names.addresses,
            Some(Kind::Output) => names.outputs,
            None => Vec::new(),
        });
        words.retain(|word| word.starts_with(&self.typed));
        if self.is_file && words.is_empty() {
            return None;
        }
        words.sort();
        words.dedup();
        let words = words.into_iter();
        Some(words.map(|word| self.prefix.clone() + &word).collect())
    }

    fn add(&mut self, value: Value) {
        match value {
            Value::OneOf(words) => self.words.extend(words),
            Value::Name(kind) => self.names = Some(kind),
            Value::File => self.is_file = true,
            Value::Free => {}
        }
    }
}

/// The words that fit.
pub(crate) fn walk(root: &Command, line: &Line) -> Fitting {
    let mut command = root;
    let mut path = Vec::new();
    let mut position = 0;
    // A flag whose value is next.
    let mut waiting: Option<&Arg> = None;
    for word in &line.before {
        if waiting.take().is_some() {
            continue;
        }
        if let Some(name) = word.strip_prefix("--").filter(|name| !name.is_empty()) {
            let flag = flag(root, command, name).filter(|_| !name.contains('='));
            waiting = flag.filter(|flag| flag.get_action().takes_values());
        } else if let Some(next) = command.find_subcommand(word) {
            command = next;
            path.push(next.get_name());
        } else {
            position += 1;
        }
    }
    let typed = line.current.clone();
    let mut fitting = Fitting::default();
    if let Some(flag) = waiting {
        fitting.add(value_of(flag, &path));
    } else if let Some((name, value)) = typed.strip_prefix("--").and_then(|it| it.split_once('=')) {
        if let Some(flag) = flag(root, command, name) {
            fitting.add(value_of(flag, &path));
        }
        fitting.prefix = format!("--{name}=");
        fitting.typed = value.to_owned();
        return fitting;
    } else if typed.starts_with('-') {
        let flags = command.get_arguments().chain(root.get_arguments());
        let shown = flags.filter(|flag| !flag.is_hide_set());
        let names = shown.filter_map(|flag| Some(format!("--{}", flag.get_long()?)));
        fitting.words.extend(names);
        fitting.words.push("--help".to_owned());
    } else {
        let commands = command.get_subcommands().filter(|one| !one.is_hide_set());
        let names = commands.map(|one| one.get_name().to_owned());
        fitting.words.extend(names);
        if let Some(argument) = positional(command, position) {
            fitting.add(value_of(argument, &path));
        }
    }
    fitting.typed = typed;
    fitting
}

fn flag<'a>(root: &'a Command, command: &'a Command, name: &str) -> Option<&'a Arg> {
    let all = command.get_arguments().chain(root.get_arguments());
    let mut named = all.filter(|flag| flag.get_long() == Some(name));
    named.next()
}

/// The argument at that place; the last one may be repeated.
fn positional(command: &Command, position: usize) -> Option<&Arg> {
    let all: Vec<&Arg> = command.get_positionals().collect();
    all.get(position)
        .or_else(|| all.last().filter(|last| is_repeated(last)))
        .copied()
}

fn is_repeated(argument: &Arg) -> bool {
    matches!(argument.get_action(), clap::ArgAction::Append)
}

fn value_of(argument: &Arg, path: &[&str]) -> Value {
    let possible = argument.get_possible_values();
    if !possible.is_empty() && argument.get_action().takes_values() {
        let names = possible.iter().map(|value| value.get_name().to_owned());
        return Value::OneOf(names.collect());
    }
    let id = argument.get_id().as_str();
    match (path, id) {
        (_, "only") => return Value::Name(Kind::Stack),
        (["output"], "name") => return Value::Name(Kind::Output),
        (["state", "mv"], "from" | "to") => return Value::Name(Kind::Address),
        // It is not in the state yet.
        (["import"], "address") => return Value::Free,
        _ => {}
    }
    let names = argument.get_value_names().unwrap_or_default();
    match names.first().map(|name| &**name) {
        Some("ADDR" | "ADDRESS") => Value::Name(Kind::Address),
        Some("FILE" | "DIR" | "PLAN" | "URL") => Value::File,
        _ => Value::Free,
    }
}
