//! Why a function has no answer.

use thiserror::Error;

/// A function has no answer for its arguments.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{function}` {reason}")]
#[non_exhaustive]
pub struct FunctionError {
    /// The name of the function.
    pub function: &'static str,
    /// Why not: a sentence of which the function is the subject.
    pub reason: String,
}

impl FunctionError {
    pub(crate) fn new(function: &'static str, reason: impl Into<String>) -> Self {
        Self {
            function,
            reason: reason.into(),
        }
    }
}
