//! The error a stack function returns: diagnostics, or anything `?` was used on.

use crate::diagnostics::{Diagnostic, Diagnostics, Location};
use crate::known::NotKnown;

/// Why a stack function could not describe its infrastructure.
///
/// Any standard error converts into it by `?`, which also records the line of the `?`. It does not implement
/// `std::error::Error` itself, for that would forbid the conversion.
#[derive(Debug, Clone)]
pub struct Error {
    diagnostics: Diagnostics,
    /// What has to be known before the function can go on, where that is all that is wrong.
    not_known: Option<NotKnown>,
}

/// The result of a stack function and of components.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error with a message of your own, at the line that calls this.
    #[track_caller]
    pub fn message(message: impl Into<String>) -> Self {
        Diagnostic::error(message)
            .location(Location::caller())
            .into()
    }

    /// The diagnostics of the error.
    pub fn into_diagnostics(self) -> Diagnostics {
        self.diagnostics
    }

    /// What the function looked at before it was known, and the report for where it cannot be.
    pub(crate) fn not_known(self) -> Result<(NotKnown, Diagnostics), Diagnostics> {
        match self.not_known {
            Some(not_known) => Ok((not_known, self.diagnostics)),
            None => Err(self.diagnostics),
        }
    }
}

impl From<Diagnostics> for Error {
    fn from(diagnostics: Diagnostics) -> Self {
        Self {
            diagnostics,
            not_known: None,
        }
    }
}

impl From<Diagnostic> for Error {
    fn from(diagnostic: Diagnostic) -> Self {
        Diagnostics::from(diagnostic).into()
    }
}

impl<E: std::error::Error + 'static> From<E> for Error {
    #[track_caller]
    fn from(error: E) -> Self {
        let mut message = error.to_string();
        let mut not_known = None;
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
        while let Some(error) = cause {
            not_known = not_known.or_else(|| error.downcast_ref::<NotKnown>().cloned());
            cause = error.source();
            if let Some(cause) = cause {
                message = format!("{message}: {cause}");
            }
        }
        Self {
            not_known,
            ..Self::message(message)
        }
    }
}
