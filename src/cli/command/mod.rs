//! The verbs, one file each.

mod bindings;
pub(crate) mod bootstrap;
mod completions;
mod console;
mod convert;
mod destroy;
mod force_unlock;
mod graph;
mod history;
mod import;
mod invoke;
mod output;
mod preview;
mod providers;
mod query;
mod refresh;
mod show;
mod state;
mod up;
mod validate;

use crate::args::{Command, StackCommand};
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::Session;

/// Runs one command.
pub(crate) async fn run(session: &Session<'_>, command: Command) -> Result<Exit, CommandError> {
    match command {
        Command::Up(arguments) => up::run(session, arguments).await,
        Command::Preview(arguments) => preview::run(session, arguments).await,
        Command::Destroy(arguments) => destroy::run(session, arguments).await,
        Command::Refresh(arguments) => refresh::run(session, arguments).await,
        Command::Output(arguments) => output::run(session, arguments).await,
        Command::Show(arguments) => show::run(session, arguments).await,
        Command::Bindings(arguments) => bindings::run(session, arguments.command).await,
        Command::Convert(arguments) => convert::run(&arguments),
        Command::Bootstrap(arguments) => {
            bootstrap::run(session, &[session.location()?], arguments.yes).await
        }
        Command::OfOne(command) => run_of_one(session, command).await,
    }
}

/// Runs a command that is about one stack.
async fn run_of_one(session: &Session<'_>, command: StackCommand) -> Result<Exit, CommandError> {
    match command {
        StackCommand::Import(arguments) => import::run(session, arguments).await,
        StackCommand::Invoke(arguments) => invoke::run(session, arguments).await,
        StackCommand::Query(arguments) => query::run(session, arguments).await,
        StackCommand::State(arguments) => state::run(session, arguments.command).await,
        StackCommand::Completions(arguments) => completions::run(session, arguments).await,
        StackCommand::Console(arguments) => console::run(session, &arguments).await,
        StackCommand::History(arguments) => history::run(session, arguments.limit).await,
        StackCommand::Graph(arguments) => graph::run(session, arguments).await,
        StackCommand::Validate(arguments) => validate::run(session, &arguments).await,
        StackCommand::Providers(arguments) => providers::run(session, arguments.command).await,
        StackCommand::ForceUnlock(arguments) => force_unlock::run(session, &arguments).await,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    fn files(folder: &Path) -> Vec<PathBuf> {
        let entries = folder.read_dir().expect("a folder");
        let paths = entries.map(|entry| entry.expect("an entry").path());
        paths
            .flat_map(|path| match path.is_dir() {
                true => files(&path),
                false => vec![path],
            })
            .collect()
    }

    #[test]
    fn commands_import_no_other_command_and_know_no_format() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("command");
        let files = files(&folder);
        assert!(files.len() > 20, "{files:?}");
        for file in files.iter().filter(|file| !file.ends_with("mod.rs")) {
            let source = fs::read_to_string(file).expect("readable");
            for word in ["super::", "crate::command", "view::json", "view::text"] {
                assert!(!source.contains(word), "{}: {word}", file.display());
            }
        }
    }
}
