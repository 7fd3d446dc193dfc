//! The failure of a command: diagnostics for a person, an exit code for a script.

use terrane_core::{Diagnostic, Diagnostics};
use terrane_deploy::DeployError;

use crate::exit_code::Exit;

/// Why a command failed.
#[derive(Debug)]
pub(crate) struct CommandError {
    /// The exit code of the process.
    pub(crate) exit: Exit,
    /// The diagnostics to print; empty when they were printed already.
    pub(crate) diagnostics: Diagnostics,
}

impl CommandError {
    /// An error with one diagnostic.
    pub(crate) fn new(exit: Exit, diagnostic: Diagnostic) -> Self {
        Self {
            exit,
            diagnostics: diagnostic.into(),
        }
    }

    /// This failure and another one of the same command: the worse code, and every diagnostic once.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.exit = self.exit.worse_of(other.exit);
        for diagnostic in other.diagnostics {
            if !self.diagnostics.iter().any(|known| *known == diagnostic) {
                self.diagnostics.push(diagnostic);
            }
        }
        self
    }

    /// Wrong usage or configuration.
    pub(crate) fn usage(diagnostic: Diagnostic) -> Self {
        Self::new(Exit::USAGE, diagnostic)
    }
}

impl From<Diagnostics> for CommandError {
    fn from(diagnostics: Diagnostics) -> Self {
        Self {
            exit: Exit::FAILED,
            diagnostics,
        }
    }
}

impl From<Diagnostic> for CommandError {
    fn from(diagnostic: Diagnostic) -> Self {
        Diagnostics::from(diagnostic).into()
    }
}

impl From<DeployError> for CommandError {
    fn from(error: DeployError) -> Self {
        match error {
            DeployError::Cancelled => crate::signals::interrupted(),
            error => Self {
                exit: exit_of(&error),
                diagnostics: error.diagnostics(),
            },
        }
    }
}

/// The exit code of an operation that did not do everything.
pub(crate) fn exit_of(error: &DeployError) -> Exit {
    match error {
        DeployError::Misconfigured(_) => Exit::USAGE,
        DeployError::Locked { .. } => Exit::LOCKED,
        DeployError::Refused(_) => Exit::REFUSED,
        DeployError::Denied(_) => Exit::DENIED,
        DeployError::Unwritten(_) => Exit::STATE_UNWRITTEN,
        DeployError::Fenced(_) => Exit::FENCED,
        DeployError::Cancelled => Exit::INTERRUPTED,
        DeployError::Incomplete(deployed) if deployed.was_cancelled() => Exit::INTERRUPTED,
        DeployError::Incomplete(deployed) if !deployed.unresolved.is_empty() => Exit::UNRESOLVED,
        _ => Exit::FAILED,
    }
}
