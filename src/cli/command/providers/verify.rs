//! `providers verify`: reads every byte of the installed packages and compares them with the lock file. Needs no network.

use terrane_core::Diagnostic;
use terrane_deploy::{not_installed, required_providers};

use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::Session;

pub(super) async fn run(session: &Session<'_>) -> Result<Exit, CommandError> {
    let program = session.program_without_secrets().await?;
    let required = required_providers(&program);
    let installer = session.installer()?;
    let statuses = installer.status(&required, true);
    let mut statuses = statuses.map_err(|error| not_installed(vec![error], program.providers()))?;
    session.view().verified(&statuses);
    let found = statuses
        .iter_mut()
        .filter_map(|status| status.installed.as_mut());
    let verdicts = found.filter_map(|found| found.verdict.take());
    let refused: Vec<_> = verdicts.filter_map(Result::err).collect();
    if !refused.is_empty() {
        return Err(not_installed(refused, program.providers()).into());
    }
    match statuses
        .iter()
        .filter(|status| status.installed.is_none())
        .count()
    {
        0 => Ok(Exit::DONE),
        _ => Err(Diagnostic::error("not every provider is installed")
            .hint("`preview` installs what is missing")
            .into()),
    }
}
