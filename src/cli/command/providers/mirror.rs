//! `providers mirror`: copies packages into a folder that serves as a mirror.

use std::path::Path;

use terrane_deploy::{not_installed, required_providers};
use terrane_registry::Platform;

use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::Session;
use crate::view::Installing;

pub(super) async fn run(
    session: &Session<'_>,
    folder: &Path,
    platforms: &[Platform],
) -> Result<Exit, CommandError> {
    let program = session.program_without_secrets().await?;
    let required = required_providers(&program);
    let installer = session.installer()?;
    let observer = Installing::new(session.streams.clone());
    let packages = installer
        .mirror(&required, platforms, folder, &observer)
        .await;
    drop(observer);
    let packages = packages.map_err(|errors| not_installed(errors, program.providers()))?;
    session.view().mirrored(&packages);
    Ok(Exit::DONE)
}
