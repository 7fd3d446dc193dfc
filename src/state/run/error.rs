//! Why a run could not begin, go on or end.

use thiserror::Error;

use super::RecordError;
use crate::backend::{BackendError, Holder};
use crate::file::FileError;
use crate::journal::JournalError;
use crate::model::Lineage;

/// A run could not begin, go on or end.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum RunError {
    /// Another run holds the lock.
    #[error("the state at {place} is locked by another run")]
    Locked {
        /// The locked state.
        place: String,
        /// By whom.
        holder: Box<Holder>,
    },
    /// The stored state cannot be read.
    #[error("the state at {place} cannot be used")]
    State {
        /// Where it is.
        place: String,
        /// The reason.
        #[source]
        source: FileError,
    },
    /// The journal cannot be read.
    #[error("the journal of the state at {place} is damaged")]
    Journal {
        /// Whose journal.
        place: String,
        /// The reason.
        #[source]
        source: JournalError,
    },
    /// The stored state is older than the one that the journal saw stored, or gone.
    #[error("the state at {place} {}, but serial {journal} was stored before", found(*stored))]
    RolledBack {
        /// Where it is.
        place: String,
        /// Its serial; `None` when there is no state.
        stored: Option<u64>,
        /// The serial that the journal saw stored.
        journal: u64,
    },
    /// The stored state has the serial that the journal saw stored, but another content.
    #[error(
        "the state at {place} has serial {serial} as the journal saw it stored, but another content"
    )]
    Altered {
        /// Where it is.
        place: String,
        /// The serial of both.
        serial: u64,
    },
    /// The stored state is of another history than the journal.
    #[error("the state at {place} has lineage {stored}, its journal {journal}")]
    OtherLineage {
        /// Where it is.
        place: String,
        /// Lineage of the state.
        stored: Lineage,
        /// Lineage in the journal.
        journal: Lineage,
    },
    /// Something could not be recorded.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The snapshot was not stored: it is still in the journal.
    #[error("the state could not be written to {place}")]
    Unwritten {
        /// Where it was to go.
        place: String,
        /// The store's error.
        #[source]
        source: BackendError,
    },
    /// A move to another state was interrupted, and that state, which says how far it came, cannot be opened.
    #[error("instances are on their way from {place} to {other}, which cannot be opened")]
    Underway {
        /// The state that they leave.
        place: String,
        /// The state that they go to.
        other: String,
        /// Why it cannot be opened.
        #[source]
        source: Box<Self>,
    },
    /// The store failed otherwise.
    #[error(transparent)]
    Backend(#[from] BackendError),
}

fn found(stored: Option<u64>) -> String {
    match stored {
        Some(serial) => format!("has serial {serial}"),
        None => "is missing".to_owned(),
    }
}

/// What a failure means for the caller; the command line gives each an exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// It failed; nothing is unresolved (1).
    Failed,
    /// Another run holds the lock (4).
    Locked,
    /// The state could not be written; its journal holds everything (5).
    Unwritten,
    /// This run lost the stack to another (6).
    Fenced,
    /// State or journal are damaged, foreign or older than they must be (7).
    Refused,
}

impl RunError {
    /// What it means for the caller.
    pub fn failure(&self) -> Failure {
        match self {
            Self::Locked { .. } => Failure::Locked,
            Self::State { .. }
            | Self::Journal { .. }
            | Self::RolledBack { .. }
            | Self::Altered { .. }
            | Self::OtherLineage { .. } => Failure::Refused,
            Self::Record(error) => error.failure(),
            Self::Unwritten { .. } => Failure::Unwritten,
            Self::Underway { source, .. } => source.failure(),
            Self::Backend(error) => match error {
                BackendError::Damaged { .. }
                | BackendError::Encrypted { .. }
                | BackendError::Missing { .. }
                | BackendError::Doubtful { .. } => Failure::Refused,
                BackendError::Conflict { .. } | BackendError::NotHeld { .. } => Failure::Fenced,
                _ => Failure::Failed,
            },
        }
    }
}

impl RecordError {
    /// What it means for the caller.
    pub fn failure(&self) -> Failure {
        match self {
            Self::Fenced { .. } => Failure::Fenced,
            Self::Unwritable { .. } => Failure::Unwritten,
            Self::Closed => Failure::Failed,
        }
    }
}
