//! Why the outcome of an operation cannot be proved.

use std::fmt;

use terrane_core::Diagnostics;
use terrane_core::addr::ProviderConfigAddr;
use terrane_state::Timestamp;

/// Why an operation is still in doubt. Prints as the end of "it is in doubt: …".
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Doubt {
    /// Nothing is there, but until then the operation may still take effect.
    NotYet {
        /// From when on it cannot any more.
        until: Timestamp,
    },
    /// Something of that name exists, and nothing shows that it is ours.
    NameAlone {
        /// Its id.
        id: String,
    },
    /// Something of that name exists, and it is somebody else's.
    OfAnother {
        /// Its id.
        id: String,
    },
    /// It exists, but differs from the program's declaration.
    Different {
        /// Its id.
        id: String,
    },
    /// It exists, but the program asks for something else than it did then, so that they cannot be compared.
    Changed {
        /// Its id.
        id: String,
    },
    /// It exists, but the program does not declare it any more.
    Undeclared {
        /// Its id.
        id: String,
    },
    /// Nothing is there, and its provider may look in another place than the one that was asked.
    Elsewhere {
        /// Why it may.
        why: String,
    },
    /// Several objects have its owner tag.
    Several {
        /// Their ids.
        ids: Vec<String>,
    },
    /// It exists, and another tool's state has another object in its place.
    Displaced {
        /// Its id.
        id: String,
    },
    /// There is nothing by which the object could be found.
    NoLookUp,
    /// The program does not configure the provider that was asked; a state alone never starts one.
    NoProvider {
        /// The provider configuration that was asked.
        provider: ProviderConfigAddr,
    },
    /// The provider could not say.
    Unreadable(Diagnostics),
    /// The run was stopped before it was looked at.
    Interrupted,
}

impl Doubt {
    /// The id of the object that it may be, where exactly one was found.
    pub fn candidate(&self) -> Option<&str> {
        match self {
            Self::NameAlone { id }
            | Self::OfAnother { id }
            | Self::Different { id }
            | Self::Changed { id }
            | Self::Undeclared { id }
            | Self::Displaced { id } => Some(id),
            _ => None,
        }
    }
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotYet { until } => {
                write!(f, "it is not there, but may still come to be until {until}")
            }
            Self::NameAlone { id } => write!(
                f,
                "something of its name exists (`{id}`), and nothing shows that it is this one"
            ),
            Self::OfAnother { id } => {
                write!(
                    f,
                    "something of its name exists (`{id}`), made by somebody else"
                )
            }
            Self::Different { id } => write!(
                f,
                "it exists (`{id}`), and is not what the program asks for"
            ),
            Self::Changed { id } => write!(
                f,
                "something of its name exists (`{id}`), and the program has changed since it was asked for"
            ),
            Self::Undeclared { id } => write!(
                f,
                "it exists (`{id}`), and the program does not declare it any more"
            ),
            Self::Elsewhere { why } => write!(f, "it is not there, but {why}"),
            Self::Several { ids } => {
                write!(
                    f,
                    "several objects have its owner tag (`{}`)",
                    ids.join("`, `")
                )
            }
            Self::Displaced { id } => write!(
                f,
                "it exists (`{id}`), and the state has another object in its place"
            ),
            Self::NoLookUp => f.write_str("nothing is known by which the object could be found"),
            Self::NoProvider { provider } => {
                write!(
                    f,
                    "the program no longer configures {provider}, which was asked"
                )
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
