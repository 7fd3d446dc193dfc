//! `providers`: a table of the program's providers. Needs no network.

use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::{Session, not_installed, required_providers};

pub(super) async fn run(session: &Session<'_>) -> Result<Exit, CommandError> {
    let program = session.program().await?;
    let installer = session.installer(session.cli_config()?);
    let statuses = installer.status(&required_providers(&program), false);
    let statuses = statuses.map_err(|error| not_installed(vec![error], program.providers()))?;
    session.view().providers(&statuses);
    Ok(Exit::DONE)
}
