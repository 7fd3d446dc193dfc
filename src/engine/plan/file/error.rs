//! Why a plan file cannot be used.

use thiserror::Error;

/// A plan file cannot be used; an integrity refusal (exit code 7).
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PlanFileError {
    /// It is something else.
    #[error("it is no plan file")]
    NotAPlan,
    /// A later terrane wrote it.
    #[error("it has format {version} of plan files, and this program knows only format {known}")]
    Newer {
        /// Its format.
        version: u64,
        /// The format that is known here.
        known: u64,
    },
    /// It is not as it was written.
    #[error("it is damaged: {reason}")]
    Damaged {
        /// The damage, and its place.
        reason: String,
    },
    /// The program declares something else than the one that the plan was made from.
    #[error("the program is not the one that the plan was made from")]
    OtherProgram {
        /// The declarations that differ, or exist only then or only now.
        differences: Vec<String>,
    },
    /// There is a value in the plan that is nested deeper than a file holds.
    #[error("{address} holds a value that is nested too deep for a plan file")]
    TooDeep {
        /// Where.
        address: String,
    },
}

impl PlanFileError {
    pub(super) fn damaged(reason: impl ToString) -> Self {
        Self::Damaged {
            reason: reason.to_string(),
        }
    }
}
