//! `history`: who ran what on the stack, and when, from the journal and the versions of the state.

use std::cmp::Reverse;
use std::time::Duration;

use terrane_state::backend::StoredVersion;
use terrane_state::file::serial_in_start;
use terrane_state::{Backend, PastRun, Run, Timestamp};

use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::Session;
use crate::view::{Past, RunStatus, Version};

/// Where a file has its serial.
const START: usize = 512;
/// Older versions are not looked at.
const MOST_VERSIONS: usize = 1_000;
/// A store tells times to the second, by its own clock.
const SLACK: Duration = Duration::from_secs(2);

pub(super) async fn run(session: &Session<'_>, limit: usize) -> Result<Exit, CommandError> {
    let backend = session.backend().await?;
    let runs = match Run::history(&*backend).await {
        Ok(runs) => runs,
        Err(error) => return Err(session.state_error(&*backend, &error).await),
    };
    let mut versions = match backend.history().await {
        Ok(versions) => versions,
        Err(error) => return Err(session.state_error(&*backend, &error.into()).await),
    };
    versions.truncate(MOST_VERSIONS);
    let holder = backend.holder().await.ok().flatten();
    let running = holder.map(|holder| holder.lock_id().to_owned());
    let mut past = Vec::new();
    for mut run in runs {
        let own = |version: &StoredVersion| is_of(&run, version);
        let newest = versions.iter().find(|version| own(version));
        let newest = newest.map(|version| version.id.clone());
        versions.retain(|version| !own(version));
        let status = match run.ended_at {
            Some(_) => RunStatus::Ended,
            None if running.as_ref() == Some(&run.run) => RunStatus::Running,
            None => RunStatus::Interrupted,
        };
        // A version that was deleted cannot be had.
        run.version = newest;
        past.push((
            run.ended_at.unwrap_or(run.began_at),
            Past::Run { run, status },
        ));
    }
    let mut others: Vec<StoredVersion> = versions;
    others.truncate(limit);
    for version in others {
        let at = version.written_at.unwrap_or(Timestamp::new(0, 0));
        past.push((at, Past::Version(read(&*backend, version).await)));
    }
    past.sort_by_key(|(at, _)| Reverse(*at));
    let past: Vec<Past> = past.into_iter().take(limit).map(|(_, it)| it).collect();
    session.view().past(&backend.place(), &past);
    Ok(Exit::DONE)
}

/// Whether that run wrote that version: at its end, or on the way.
fn is_of(run: &PastRun, version: &StoredVersion) -> bool {
    if run.version.as_ref() == Some(&version.id) {
        return true;
    }
    let (Some(ended_at), Some(written_at)) = (run.ended_at, version.written_at) else {
        return false;
    };
    run.serial.is_some_and(|serial| serial > 0)
        && written_at.after(SLACK) >= run.began_at
        && written_at <= ended_at.after(SLACK)
}

async fn read(backend: &dyn Backend, version: StoredVersion) -> Version {
    let start = backend.read_version_start(&version.id, START).await;
    Version {
        written_at: version.written_at,
        // A version that is gone or damaged is still one that was there.
        serial: start.ok().and_then(|start| serial_in_start(&start)),
        id: version.id,
        size: version.size,
        is_current: version.current,
    }
}
