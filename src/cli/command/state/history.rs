//! `state history`: the versions of the state that the store still has.

use terrane_state::file::serial_in_start;

use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::Session;
use crate::view::Version;

/// Where a file has its serial.
const START: usize = 512;

pub(super) async fn run(session: &Session<'_>, limit: usize) -> Result<Exit, CommandError> {
    let backend = session.backend().await?;
    let stored = match backend.history().await {
        Ok(stored) => stored,
        Err(error) => return Err(session.state_error(&*backend, &error.into()).await),
    };
    let mut versions = Vec::new();
    for version in stored.into_iter().take(limit) {
        let start = backend.read_version_start(&version.id, START).await;
        versions.push(Version {
            written_at: version.written_at,
            // A version that is gone or damaged is still one that was there.
            serial: start.ok().and_then(|start| serial_in_start(&start)),
            id: version.id,
            size: version.size,
            is_current: version.current,
        });
    }
    session.view().history(&backend.place(), &versions);
    Ok(Exit::DONE)
}
