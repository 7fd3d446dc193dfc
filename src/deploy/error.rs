//! Why an operation on a deployment did not do all that it was asked.

use std::error::Error as _;

use terrane_core::{Diagnostic, Diagnostics};
use terrane_state::backend::Holder;
use terrane_state::{BackendError, Failure, RecordError, RunError};
use thiserror::Error;

use crate::deployed::Deployed;
use crate::redactor::Redactor;

/// An operation did not do all that it was asked. Whatever it did is recorded, except where it says so.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DeployError {
    /// The configuration does not fit the program.
    #[error("{0}")]
    Misconfigured(Diagnostics),
    /// Another run holds the lock of the stack's state.
    #[error("the state at {place} is locked by another run{}", by(holder))]
    Locked {
        /// The locked state.
        place: String,
        /// By whom, since when.
        holder: Box<Holder>,
    },
    /// Foreign or damaged state, a stale plan, a provider that is not the recorded one.
    #[error("{0}")]
    Refused(Diagnostics),
    /// A mandatory policy refuses the plan.
    #[error("{0}")]
    Denied(Diagnostics),
    /// The plan was not confirmed; nothing was changed.
    #[error("the plan was not confirmed")]
    NotConfirmed,
    /// It was cancelled before it changed anything.
    #[error("cancelled; nothing was changed")]
    Cancelled,
    /// The run began to apply its plan, and not all of it was done.
    #[error("{}", incomplete(.0))]
    Incomplete(Box<Deployed>),
    /// The state could not be written; the diagnostics say where the results are.
    #[error("{0}")]
    Unwritten(Diagnostics),
    /// The lock was lost to another run; this one stopped.
    #[error("{0}")]
    Fenced(Diagnostics),
    /// Anything else; nothing is unresolved.
    #[error("{0}")]
    Failed(Diagnostics),
}

impl DeployError {
    /// The same as diagnostics; those of an incomplete run among them.
    pub fn diagnostics(&self) -> Diagnostics {
        match self {
            Self::Misconfigured(all)
            | Self::Refused(all)
            | Self::Denied(all)
            | Self::Unwritten(all)
            | Self::Fenced(all)
            | Self::Failed(all) => all.clone(),
            Self::Incomplete(deployed) => deployed.diagnostics.clone(),
            Self::Locked { place, .. } => {
                Diagnostic::error(format!("the state at {place} is locked by another run")).into()
            }
            Self::NotConfirmed | Self::Cancelled => Diagnostic::error(self.to_string()).into(),
        }
    }

    /// The same without known secrets.
    pub(crate) fn masked(self, redactor: &Redactor) -> Self {
        let masked = |all| redactor.diagnostics(all);
        match self {
            Self::Misconfigured(all) => Self::Misconfigured(masked(all)),
            Self::Refused(all) => Self::Refused(masked(all)),
            Self::Denied(all) => Self::Denied(masked(all)),
            Self::Unwritten(all) => Self::Unwritten(masked(all)),
            Self::Fenced(all) => Self::Fenced(masked(all)),
            Self::Failed(all) => Self::Failed(masked(all)),
            // It was made of masked diagnostics.
            Self::Incomplete(_) | Self::Locked { .. } | Self::NotConfirmed | Self::Cancelled => {
                self
            }
        }
    }

    /// What an incomplete run came to.
    pub fn deployed(&self) -> Option<&Deployed> {
        match self {
            Self::Incomplete(deployed) => Some(deployed),
            _ => None,
        }
    }
}

fn by(holder: &Holder) -> String {
    match &holder.info {
        Some(info) => format!(": {} holds it since {}", info.who, info.created),
        None => String::new(),
    }
}

fn incomplete(deployed: &Deployed) -> String {
    let (done, left) = match &deployed.applied {
        Some(applied) => (applied.succeeded, applied.failed + applied.skipped),
        None => (0, 0),
    };
    let why = match deployed.was_cancelled() {
        true => "cancelled",
        false => "not everything was done",
    };
    format!("{why}: {done} steps succeeded, {left} failed or were not attempted")
}

impl From<Diagnostics> for DeployError {
    fn from(diagnostics: Diagnostics) -> Self {
        Self::Failed(diagnostics)
    }
}

impl From<Diagnostic> for DeployError {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::Failed(diagnostic.into())
    }
}

impl From<BackendError> for DeployError {
    fn from(error: BackendError) -> Self {
        RunError::from(error).into()
    }
}

impl From<RecordError> for DeployError {
    fn from(error: RecordError) -> Self {
        RunError::from(error).into()
    }
}

impl From<RunError> for DeployError {
    fn from(error: RunError) -> Self {
        let mut diagnostic = Diagnostic::error(error.to_string());
        let mut causes = Vec::new();
        let mut source = error.source();
        while let Some(cause) = source {
            causes.push(cause.to_string());
            source = cause.source();
        }
        if !causes.is_empty() {
            diagnostic = diagnostic.detail(causes.join(": "));
        }
        let diagnostics = diagnostic.into();
        let failure = error.failure();
        match (error, failure) {
            (RunError::Locked { place, holder }, _) => Self::Locked { place, holder },
            (_, Failure::Unwritten) => Self::Unwritten(diagnostics),
            (_, Failure::Fenced) => Self::Fenced(diagnostics),
            (_, Failure::Refused) => Self::Refused(diagnostics),
            _ => Self::Failed(diagnostics),
        }
    }
}
