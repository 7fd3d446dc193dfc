//! `state`: shows the state and its versions, and edits it without an operation of a provider. A verb a file.

mod hand_over;
mod history;
mod list;
mod mv;
mod pull;
mod push;
mod repair;
mod replace_provider;
mod resolve;
mod rm;
mod show;

use crate::args::StateCommand;
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::Session;

pub(super) async fn run(
    session: &Session<'_>,
    command: StateCommand,
) -> Result<Exit, CommandError> {
    match command {
        StateCommand::List { patterns } => list::run(session, &patterns).await,
        StateCommand::Show {
            address,
            show_secrets,
        } => show::run(session, &address, show_secrets).await,
        StateCommand::Mv {
            addresses,
            to,
            unproven,
            yes,
        } => match to {
            Some(to) => hand_over::run(session, &addresses, (&to, unproven), yes).await,
            None => mv::run(session, &addresses, yes).await,
        },
        StateCommand::Rm { patterns, yes } => rm::run(session, &patterns, yes).await,
        StateCommand::ReplaceProvider { from, to, yes } => {
            replace_provider::run(session, &from, &to, yes).await
        }
        StateCommand::Pull {
            version,
            decrypt,
            out,
        } => pull::run(session, version.as_deref(), decrypt, out.as_deref()).await,
        StateCommand::Push { file, force, yes } => push::run(session, &file, force, yes).await,
        StateCommand::History { limit } => history::run(session, limit).await,
        StateCommand::Repair { yes } => repair::run(session, yes).await,
        StateCommand::Resolve { address, id, .. } => resolve::run(session, &address, id).await,
    }
}
