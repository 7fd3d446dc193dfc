//! The address of a module, a resource or an instance in a state.

use std::fmt;
use std::str::FromStr;

use terrane_core::addr::{InstanceAddr, ModuleAddr, ParseAddrError};
use thiserror::Error;

/// The address of one end of a move.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum StateAddr {
    /// A module with all that is in it.
    Module(ModuleAddr),
    /// An instance; without a key also a resource with all its instances.
    Instance(InstanceAddr),
}

/// The text is not an address that a state can hold.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ParseStateAddrError {
    /// The root module is everything and has no address.
    #[error("an address is missing")]
    Empty,
    /// It is no address.
    #[error(transparent)]
    Address(#[from] ParseAddrError),
}

impl FromStr for StateAddr {
    type Err = ParseStateAddrError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() {
            return Err(ParseStateAddrError::Empty);
        }
        match ModuleAddr::parse_lenient(text) {
            Ok(module) => Ok(Self::Module(module)),
            Err(_) => Ok(Self::Instance(InstanceAddr::parse_lenient(text)?)),
        }
    }
}

impl fmt::Display for StateAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Module(module) => module.fmt(f),
            Self::Instance(instance) => instance.fmt(f),
        }
    }
}
