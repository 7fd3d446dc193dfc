//! Why nobody can say what came of an operation.

use std::fmt;

use terrane_core::Diagnostics;

/// Why an operation is still in doubt. Prints as the end of "it is in doubt: …".
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Doubt {
    /// There is nothing by which the object could be found.
    NoLookUp,
    /// The program does not configure the provider that was asked; a state alone never starts one.
    NoProvider,
    /// The provider could not say.
    Unreadable(Diagnostics),
    /// The run was stopped before it was looked at.
    Interrupted,
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoLookUp => f.write_str("nothing is known by which the object could be found"),
            Self::NoProvider => {
                f.write_str("the program no longer configures the provider that was asked")
            }
            Self::Unreadable(diagnostics) => {
                let first = diagnostics.iter().find(|diagnostic| diagnostic.is_error());
                let why = first.map_or("no reason given", |diagnostic| &diagnostic.summary);
                write!(f, "it could not be looked up: {why}")
            }
            Self::Interrupted => f.write_str("the run was interrupted before it was looked at"),
        }
    }
}
