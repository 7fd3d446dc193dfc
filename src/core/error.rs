//! The error a stack function returns: diagnostics, or anything `?` was used on.

use crate::diagnostics::{Diagnostic, Diagnostics, Location};

/// Why a stack function could not describe its infrastructure.
///
/// Any standard error converts into it by `?`, which also records the line of the `?`. It does not implement
/// `std::error::Error` itself, for that would forbid the conversion.
#[derive(Debug, Clone)]
pub struct Error(Diagnostics);

/// The result of a stack function and of components.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error with a message of your own, at the line that calls this.
    #[track_caller]
    pub fn message(message: impl Into<String>) -> Self {
        Self(
            Diagnostic::error(message)
                .location(Location::caller())
                .into(),
        )
    }

    /// The diagnostics of the error.
    pub fn into_diagnostics(self) -> Diagnostics {
        self.0
    }
}

impl From<Diagnostics> for Error {
    fn from(diagnostics: Diagnostics) -> Self {
        Self(diagnostics)
    }
}

impl From<Diagnostic> for Error {
    fn from(diagnostic: Diagnostic) -> Self {
        Self(diagnostic.into())
    }
}

impl<E: std::error::Error> From<E> for Error {
    #[track_caller]
    fn from(error: E) -> Self {
        let mut message = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            message = format!("{message}: {cause}");
            source = cause.source();
        }
        Self::message(message)
    }
}
