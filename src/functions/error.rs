//! Why a function has no answer.

use terrane_core::{Expr, NotKnown};
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
    /// What would have to be known, where that is why.
    #[source]
    not_known: Option<NotKnown>,
}

impl FunctionError {
    pub(crate) fn new(function: &'static str, reason: impl Into<String>) -> Self {
        Self {
            function,
            reason: reason.into(),
            not_known: None,
        }
    }

    /// The value of an expression decides what a program declares, and is not known yet. The engine may know it, and ask again.
    pub(crate) fn not_known(expr: &Expr) -> Self {
        Self {
            not_known: Some(NotKnown::of(expr)),
            ..Self::new("expression", "must be known when the plan is made")
        }
    }
}
