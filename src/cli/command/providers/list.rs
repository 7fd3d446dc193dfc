//! `providers`: a table of the program's providers. Needs no network.

use terrane_deploy::{not_installed, required_providers};

use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::Session;

pub(super) async fn run(session: &Session<'_>) -> Result<Exit, CommandError> {
    let program = session.program_without_secrets().await?;
    let installer = session.installer()?;
    let statuses = installer.status(&required_providers(&program), false);
    let statuses = statuses.map_err(|error| not_installed(vec![error], program.providers()))?;
    session.view().providers(&statuses);
    Ok(Exit::DONE)
}
