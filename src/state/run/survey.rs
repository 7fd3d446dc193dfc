//! The remains of a state that cannot be used, for the person who has to repair it.

use crate::backend::{Backend, StoredVersion};
use crate::digest::Sha256;
use crate::file;
use crate::journal::{JournalError, Log};
use crate::model::{Lineage, State};

/// The remains of a state in a store. Anything that cannot be read is left out: the survey itself must not fail.
#[derive(Debug, Clone)]
pub struct Survey {
    /// The stored bytes.
    pub stored: Stored,
    /// The journal beside it.
    pub journal: Journal,
    /// The earlier version with the highest serial, of those that can be read.
    pub version: Option<Version>,
}

/// The bytes in the place of a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stored {
    /// Nothing.
    Nothing,
    /// Something that is no state.
    Unreadable,
    /// A state.
    State(Summary),
    /// The store did not say.
    Unknown,
}

/// What tells one state from another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Its history.
    pub lineage: Lineage,
    /// Its serial.
    pub serial: u64,
    /// How many instances it holds.
    pub instances: usize,
}

/// The content of a journal.
#[derive(Debug, Clone)]
pub enum Journal {
    /// There is none.
    Nothing,
    /// It is whole.
    Whole {
        /// The serial of the last state that it saw stored.
        stored: Option<u64>,
        /// Results and changes that this state lacks.
        pending: usize,
        /// Operations whose outcome is unknown.
        open: usize,
    },
    /// It is damaged, too.
    Damaged(JournalError),
    /// The store did not say.
    Unknown,
}

/// An earlier version that can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// How the store names it.
    pub stored: StoredVersion,
    /// Its content.
    pub summary: Summary,
    /// Whether it is the last one that the journal saw stored.
    pub is_last: bool,
}

/// Versions that are looked at.
const LOOKED_AT: usize = 10;

/// Where a file has its serial.
const START: usize = 512;

impl From<&State> for Summary {
    fn from(state: &State) -> Self {
        Self {
            lineage: state.lineage.clone(),
            serial: state.serial,
            instances: state.resources.len(),
        }
    }
}

impl Survey {
    /// Looks at all that is there; changes nothing.
    pub async fn of(backend: &dyn Backend) -> Self {
        let (journal, last) = journal(backend).await;
        let stored = match backend.read().await {
            Ok(None) => Stored::Nothing,
            Ok(Some(snapshot)) => match file::read(&snapshot.bytes) {
                Ok(state) => Stored::State((&state).into()),
                Err(_) => Stored::Unreadable,
            },
            Err(crate::BackendError::Missing { .. }) => Stored::Nothing,
            Err(_) => Stored::Unknown,
        };
        Self {
            stored,
            journal,
            version: version(backend, last).await,
        }
    }
}

/// The journal, and the digest of the last state that it saw stored.
async fn journal(backend: &dyn Backend) -> (Journal, Option<Sha256>) {
    let segments = match backend.read_journal().await {
        Ok(segments) if segments.is_empty() => return (Journal::Nothing, None),
        Ok(segments) => segments,
        Err(_) => return (Journal::Unknown, None),
    };
    match Log::read(&segments) {
        Ok(log) => {
            let stored = log.stored.filter(|(_, sha256)| sha256.is_some());
            let whole = Journal::Whole {
                stored: stored.map(|(serial, _)| serial),
                pending: log.pending().count(),
                open: log.open_intents().len(),
            };
            (whole, stored.and_then(|(_, sha256)| sha256))
        }
        Err(error) => (Journal::Damaged(error), None),
    }
}

/// The latest earlier version that can be read.
async fn version(backend: &dyn Backend, last: Option<Sha256>) -> Option<Version> {
    let versions = backend.history().await.ok()?;
    let earlier = versions.into_iter().filter(|version| !version.current);
    let mut found = Vec::new();
    for stored in earlier.take(LOOKED_AT) {
        let start = backend.read_version_start(&stored.id, START).await;
        let serial = start.ok().and_then(|start| file::serial_in_start(&start));
        found.push((serial, stored));
    }
    // Of one serial the newest comes first.
    found.sort_by_key(|(serial, _)| std::cmp::Reverse(*serial));
    for (_, stored) in found {
        if let Ok(bytes) = backend.read_version(&stored.id).await
            && let Ok(state) = file::read(&bytes)
        {
            return Some(Version {
                stored,
                summary: (&state).into(),
                is_last: last == Some(Sha256::of(&bytes)),
            });
        }
    }
    None
}
