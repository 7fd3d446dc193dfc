//! `providers lock`: records versions and hashes in the lock file, for other platforms too.

use terrane_deploy::{not_installed, required_providers};
use terrane_registry::Platform;

use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::Session;
use crate::view::Installing;

pub(super) async fn run(
    session: &Session<'_>,
    platforms: &[Platform],
    upgrade: bool,
) -> Result<Exit, CommandError> {
    let program = session.program_without_secrets().await?;
    let required = required_providers(&program);
    let installer = session.installer()?;
    let observer = Installing::new(session.streams.clone());
    let changes = installer
        .lock(&required, platforms, upgrade, &observer)
        .await;
    drop(observer);
    let changes = changes.map_err(|errors| not_installed(errors, program.providers()))?;
    session.view().locked(&changes);
    Ok(Exit::DONE)
}
