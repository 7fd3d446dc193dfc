//! Reading a store: snapshot and journal, and whether they belong together.

use super::RunError;
use crate::backend::{Backend, BackendError, Segment, Snapshot};
use crate::encryption::{sealed_journal, sealed_state};
use crate::file::v4;
use crate::journal::Log;
use crate::model::{Lineage, State};

/// A store as a run finds it.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) snapshot: Option<Snapshot>,
    pub(super) state: State,
    pub(super) log: Log,
}

impl Found {
    /// The snapshot, if the journal saw it written.
    pub(super) fn known_snapshot(&self) -> Option<&Snapshot> {
        let stored = self.log.stored.and_then(|(_, sha256)| sha256);
        let snapshot = self.snapshot.as_ref();
        snapshot.filter(|snapshot| stored == Some(snapshot.sha256))
    }

    /// Whether snapshot and journal belong together.
    fn check(&self, place: String) -> Result<(), RunError> {
        let known = self.known_snapshot().is_some();
        // Our own write, which died before it could update the store's digest, is no longer doubtful.
        if let Some(snapshot) = self.snapshot.as_ref().filter(|_| !known)
            && let Some(reason) = snapshot.doubt.clone()
        {
            return Err(BackendError::Doubtful { place, reason }.into());
        }
        if self.snapshot.is_some()
            && let Some(journal) = self.log.contradicts(&self.state.lineage)
        {
            return Err(RunError::OtherLineage {
                place,
                stored: self.state.lineage.clone(),
                journal,
            });
        }
        if let Some((journal, Some(_))) = self.log.stored {
            let stored = self.snapshot.as_ref().map(|_| self.state.serial);
            if stored.is_none_or(|serial| serial < journal) {
                return Err(RunError::RolledBack {
                    place,
                    stored,
                    journal,
                });
            }
            if stored == Some(journal) && !known {
                return Err(RunError::Altered {
                    place,
                    serial: journal,
                });
            }
        }
        Ok(())
    }

    /// Whether operations ended since everything was last read. Another tool's state is not judged.
    pub(super) fn unread(&self) -> bool {
        self.log.unread && self.known_snapshot().is_some()
    }
}

/// How often a journal that changes while it is read is read again.
const READ_TRIES: usize = 5;

/// The segments of the journal, for a program that can read them.
pub(super) async fn read_segments(backend: &dyn Backend) -> Result<Vec<Segment>, BackendError> {
    let segments = backend.read_journal().await?;
    sealed_journal(backend, &segments).map_or(Ok(segments), Err)
}

/// What the journal says. Without the lock, segments may be listed that their run trims before they are read: damage is believed
/// when it is there a second time.
pub(super) async fn read_log(backend: &dyn Backend) -> Result<Log, RunError> {
    let mut segments = read_segments(backend).await?;
    let mut tries = 0;
    loop {
        let source = match Log::read(&segments) {
            Ok(log) => return Ok(log),
            Err(damaged) => damaged,
        };
        let again = read_segments(backend).await?;
        if again == segments || tries == READ_TRIES {
            let place = backend.place();
            return Err(RunError::Journal { place, source });
        }
        segments = again;
        tries += 1;
    }
}

/// Reads snapshot and journal, and checks that they belong together.
pub(super) async fn find(backend: &dyn Backend) -> Result<Found, RunError> {
    let (found, usable) = gather(backend).await?;
    usable?;
    Ok(found)
}

/// Reads snapshot and journal; whether the snapshot can be used with this journal is said beside it. One that cannot be read counts as
/// a state that holds nothing.
pub(super) async fn gather(
    backend: &dyn Backend,
) -> Result<(Found, Result<(), RunError>), RunError> {
    // The journal first: a snapshot that is read after it can only be newer.
    let mut log = read_log(backend).await?;
    let place = backend.place();
    let (snapshot, missing) = match backend.read().await {
        Err(error @ BackendError::Missing { .. }) => (None, Some(error)),
        read => (read?, None),
    };
    let nothing = || State::new(Lineage::default());
    let (state, unreadable) = match snapshot.as_ref().map(|it| v4::read(&it.bytes)) {
        None => (nothing(), None),
        Some(Ok(state)) => (state, None),
        Some(Err(source)) => {
            let bytes = snapshot.as_ref().map_or(&[][..], |it| &it.bytes);
            let wrong = match sealed_state(backend, bytes) {
                Some(sealed) => return Err(sealed.into()),
                None => RunError::State { place, source },
            };
            (nothing(), Some(wrong))
        }
    };
    if let Some(snapshot) = &snapshot {
        log.found(&snapshot.sha256);
    }
    let found = Found {
        snapshot,
        state,
        log,
    };
    let wrong = missing.map(RunError::from).or(unreadable);
    let usable = match wrong {
        Some(wrong) => Err(wrong),
        None => found.check(backend.place()),
    };
    Ok((found, usable))
}
