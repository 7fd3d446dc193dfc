//! `console`: objects, attributes and exported values of the state, looked up line by line. It changes nothing.

use terrane_core::addr::{InstanceAddr, Pattern};
use terrane_core::{Diagnostic, Diagnostics, Path};
use terrane_state::State;

use crate::args::Console;
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::Session;
use crate::view::{Secrets, attribute_of, part_of};
use crate::workflow::edit::not_there;

const PROMPT: &str = "> ";

const HELP: &str = "\
an address           the object: aws_vpc.main
an attribute         aws_vpc.main.tags[\"Name\"]
an exported value    vpc_id, or a part of it: subnet_ids[0]
list [ADDR]          addresses; `*` stands for any text
outputs              all exported values
help, exit
";

/// The words that are no names.
const COMMANDS: [&str; 4] = ["exit", "help", "list", "outputs"];

pub(super) async fn run(session: &Session<'_>, arguments: &Console) -> Result<Exit, CommandError> {
    let (state, _) = session.look().await?;
    let look = Look {
        session,
        secrets: Secrets::shown(arguments.show_secrets),
        state,
    };
    let is_interactive = session.streams.is_interactive();
    if is_interactive {
        let addresses = look.state.resources.len();
        session.note(&format!(
            "{addresses} resources, serial {}; `help` lists what can be asked, Ctrl-D ends\n",
            look.state.serial
        ));
    }
    let mut exit = Exit::DONE;
    for line in session.streams.lines(PROMPT, look.names()) {
        match line.trim() {
            "" => {}
            "exit" | "quit" => break,
            line => {
                if let Err(unknown) = look.answer(line) {
                    session.say(&unknown);
                    // A person sees it; a script has to be told.
                    exit = if is_interactive { exit } else { Exit::FAILED };
                }
            }
        }
    }
    Ok(exit)
}

/// A look at the state as it was at the beginning.
struct Look<'a> {
    session: &'a Session<'a>,
    secrets: Secrets,
    state: State,
}

impl Look<'_> {
    fn answer(&self, line: &str) -> Result<(), Diagnostics> {
        let view = self.session.view();
        match line.split_once(' ').unwrap_or((line, "")) {
            ("help", _) => self.session.note(HELP),
            ("outputs", _) => view.all_outputs(&self.state.outputs, self.secrets),
            ("list", pattern) => self.list(pattern.trim())?,
            _ => self.value(line)?,
        }
        Ok(())
    }

    fn list(&self, pattern: &str) -> Result<(), Diagnostics> {
        let all = self.state.resources.keys();
        let addresses: Vec<&InstanceAddr> = match pattern {
            "" => all.collect(),
            pattern => {
                let read: Result<Pattern, _> = pattern.parse();
                let read = read.map_err(|error| Diagnostic::error(error.to_string()))?;
                let pattern = read.among(self.state.resources.keys());
                all.filter(|address| pattern.matches(address)).collect()
            }
        };
        self.session.view().addresses(&addresses);
        Ok(())
    }

    /// An exported value, an object, or a part of one: the longest name that there is counts.
    fn value(&self, line: &str) -> Result<(), Diagnostics> {
        let view = self.session.view();
        for end in ends(line) {
            let (name, rest) = line.split_at(end);
            let rest = rest.strip_prefix('.').unwrap_or(rest);
            if let Some(output) = self.state.outputs.get(name) {
                if rest.is_empty() {
                    view.output(output, self.secrets);
                    return Ok(());
                }
                let part = part_of(output, &path(rest)?, self.secrets);
                let (value, hidden) = part.ok_or_else(|| missing(name, rest))?;
                view.value(&value, &hidden);
                return Ok(());
            }
            let Ok(address) = InstanceAddr::parse_lenient(name) else {
                continue;
            };
            let Some(instance) = self.state.instance(&address) else {
                continue;
            };
            if rest.is_empty() {
                view.instance(&address, instance, self.secrets);
                return Ok(());
            }
            let current = instance.current.as_deref();
            let found = match current {
                Some(object) => attribute_of(object, &path(rest)?, self.secrets),
                None => None,
            };
            let (value, hidden) = found.ok_or_else(|| missing(name, rest))?;
            view.value(&value, &hidden);
            return Ok(());
        }
        Err(not_there(&self.state, line).into())
    }

    /// Everything that a line may begin with.
    fn names(&self) -> Vec<String> {
        let addresses = self.state.resources.keys().map(ToString::to_string);
        let outputs = self.state.outputs.keys().map(ToString::to_string);
        let commands = COMMANDS.map(str::to_owned);
        let mut names: Vec<String> = addresses.chain(outputs).chain(commands).collect();
        names.sort();
        names
    }
}

fn path(text: &str) -> Result<Path, Diagnostics> {
    let path: Result<Path, _> = text.parse();
    path.map_err(|error| Diagnostic::error(error.to_string()).into())
}

fn missing(name: &str, rest: &str) -> Diagnostics {
    Diagnostic::error(format!("{name} has no `{rest}`"))
        .hint(format!("`{name}` shows what it has"))
        .into()
}

/// Where a name may end in a line, the last place first: at its end, and before each `.` and `[` outside of quotes.
fn ends(line: &str) -> Vec<usize> {
    let mut ends = vec![line.len()];
    let mut is_quoted = false;
    let mut is_escaped = false;
    for (place, character) in line.char_indices() {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            '.' | '[' if !is_quoted => ends.push(place),
            _ => {}
        }
    }
    ends.sort_unstable_by(|a, b| b.cmp(a));
    ends
}
