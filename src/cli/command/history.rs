//! `history`: who ran what on the stack, and when, from the journal and the versions of the state.

use std::cmp::Reverse;
use std::collections::HashSet;
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
/// A store tells times to the second, by its own clock.
const SLACK: Duration = Duration::from_secs(2);

pub(super) async fn run(session: &Session<'_>, limit: usize) -> Result<Exit, CommandError> {
    let backend = session.backend().await?;
    let runs = match Run::history(&*backend).await {
        Ok(runs) => runs,
        Err(error) => return Err(session.state_error(&*backend, &error).await),
    };
    let stored = match backend.history().await {
        Ok(stored) => stored,
        Err(error) => return Err(session.state_error(&*backend, &error.into()).await),
    };
    let kept: HashSet<String> = stored.iter().map(|version| version.id.clone()).collect();
    let named: HashSet<&str> = runs
        .iter()
        .filter_map(|run| run.version.as_deref())
        .collect();
    let others = stored
        .into_iter()
        .filter(|version| !named.contains(&*version.id));
    let mut versions = Vec::new();
    for version in others.take(limit) {
        versions.push(read(&*backend, version).await);
    }
    let holder = backend.holder().await.ok().flatten();
    let running = holder.map(|holder| holder.lock_id().to_owned());
    let mut past = Vec::new();
    for mut run in runs {
        // A store without names for versions has them in other places.
        let by_serial = |version: &Version| run.serial.is_some_and(|it| version.serial == Some(it));
        let found = versions.iter().position(by_serial);
        let found = found.map(|place| versions.remove(place).id);
        // A version that was deleted cannot be had.
        run.version = run.version.filter(|id| kept.contains(id)).or(found);
        versions.retain(|version| !is_on_the_way(&run, version));
        let status = match run.ended_at {
            Some(_) => RunStatus::Ended,
            None if running.as_ref() == Some(&run.run) => RunStatus::Running,
            None => RunStatus::Interrupted,
        };
        past.push((
            run.ended_at.unwrap_or(run.began_at),
            Past::Run { run, status },
        ));
    }
    for version in versions {
        let at = version.written_at.unwrap_or(Timestamp::new(0, 0));
        past.push((at, Past::Version(version)));
    }
    past.sort_by_key(|(at, _)| Reverse(*at));
    let past: Vec<Past> = past.into_iter().take(limit).map(|(_, it)| it).collect();
    session.view().past(&backend.place(), &past);
    Ok(Exit::DONE)
}

/// Whether a long run wrote that version before its last one.
fn is_on_the_way(run: &PastRun, version: &Version) -> bool {
    let (Some(ended_at), Some(written_at)) = (run.ended_at, version.written_at) else {
        return false;
    };
    let is_before = version
        .serial
        .is_some_and(|serial| Some(serial) < run.serial);
    is_before && run.began_at <= written_at && written_at.after(SLACK) <= ended_at
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
