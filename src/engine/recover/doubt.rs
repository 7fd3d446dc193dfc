//! Why the outcome of an operation cannot be proved.

use std::fmt;

use terrane_core::Diagnostics;
use terrane_core::addr::ProviderConfigAddr;
use terrane_state::Timestamp;

/// Why an operation is still unresolved. Prints as the end of "its outcome is unknown: …".
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Doubt {
    /// No object exists, but until then the operation may still take effect.
    NotYet {
        /// From when on it cannot any more.
        until: Timestamp,
    },
    /// An object of that name exists, and nothing proves that it is ours.
    NameAlone {
        /// Its id.
        id: String,
    },
    /// An object of that name exists, and another owner created it.
    OfAnother {
        /// Its id.
        id: String,
    },
    /// It exists, but differs from the program's declaration.
    Different {
        /// Its id.
        id: String,
    },
    /// It exists, but the declaration has changed since, so that they cannot be compared.
    Changed {
        /// Its id.
        id: String,
    },
    /// It exists, but the program does not declare it any more.
    Undeclared {
        /// Its id.
        id: String,
    },
    /// No object was found, and its provider may look in another place than the one that got the request.
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
    /// The program does not configure the provider that got the request; a state alone never starts one.
    NoProvider {
        /// The provider configuration that got the request.
        provider: ProviderConfigAddr,
    },
    /// The provider could not read it.
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
                write!(
                    f,
                    "no object exists, but one may still appear until {until}"
                )
            }
            Self::NameAlone { id } => write!(
                f,
                "an object of its name exists (`{id}`), and nothing proves that this operation created it"
            ),
            Self::OfAnother { id } => {
                write!(
                    f,
                    "an object of its name exists (`{id}`), created by another owner"
                )
            }
            Self::Different { id } => {
                write!(f, "it exists (`{id}`), and differs from its declaration")
            }
            Self::Changed { id } => write!(
                f,
                "an object of its name exists (`{id}`), and its declaration has changed since the request"
            ),
            Self::Undeclared { id } => write!(
                f,
                "it exists (`{id}`), and the program no longer declares it"
            ),
            Self::Elsewhere { why } => write!(f, "no object was found, but {why}"),
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
            Self::NoLookUp => {
                f.write_str("no attribute is known by which the object could be found")
            }
            Self::NoProvider { provider } => {
                write!(
                    f,
                    "the program no longer configures {provider}, which got the request"
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
