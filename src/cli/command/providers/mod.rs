//! `providers`: which providers the program uses, from where, and whether they are what the lock file records. A verb a file.

mod list;
mod lock;
mod mirror;
mod schema;
mod verify;

use terrane_registry::Platform;

use crate::args::ProvidersCommand;
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::Session;

pub(super) async fn run(
    session: &Session<'_>,
    command: Option<ProvidersCommand>,
) -> Result<Exit, CommandError> {
    match command {
        None => list::run(session).await,
        Some(ProvidersCommand::Lock { platforms, upgrade }) => {
            lock::run(session, &or_this_machine(platforms), upgrade).await
        }
        Some(ProvidersCommand::Mirror { folder, platforms }) => {
            mirror::run(session, &folder, &or_this_machine(platforms)).await
        }
        Some(ProvidersCommand::Schema) => schema::run(session).await,
        Some(ProvidersCommand::Verify) => verify::run(session).await,
    }
}

fn or_this_machine(platforms: Vec<Platform>) -> Vec<Platform> {
    match platforms.is_empty() {
        true => vec![Platform::current()],
        false => platforms,
    }
}
