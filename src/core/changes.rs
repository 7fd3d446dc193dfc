//! What a program says about objects that exist: where they were, that they are no longer its own, by which id they are taken in.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::addr::{InstanceAddr, ModuleAddr};
use crate::diagnostics::Location;
use crate::typed::IntoValue;
use crate::value::Value;

/// An object, a resource or a module has another address than it had.
#[derive(Debug, Clone)]
pub struct Moved {
    /// Where it was.
    pub from: PlaceAddr,
    /// Where it is now.
    pub to: PlaceAddr,
    /// Where the program says so.
    pub location: Location,
}

/// An object, a resource or a module leaves the state, and its objects stay in the world.
#[derive(Debug, Clone)]
pub struct Removed {
    /// Where it was.
    pub address: PlaceAddr,
    /// Where the program says so.
    pub location: Location,
}

/// An object that exists becomes that of a declaration, where the state has none.
#[derive(Debug, Clone)]
pub struct Adoption {
    /// Which object.
    pub by: ImportBy,
    /// Where the program says so.
    pub location: Location,
}

/// How a provider finds an object that is to be imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportBy {
    /// By the id that the provider's documentation of the type names under "Import".
    Id(String),
    /// By attributes of its identity; those that are not given are null.
    Identity(BTreeMap<Arc<str>, Value>),
}

impl ImportBy {
    /// By attributes of its identity: `ImportBy::identity([("account", "1"), ("name", "main")])`.
    pub fn identity<K: Into<Arc<str>>, V: IntoValue>(
        attributes: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        let attributes = attributes.into_iter();
        Self::Identity(
            attributes
                .map(|(name, value)| (name.into(), value.into_value()))
                .collect(),
        )
    }
}

impl From<&str> for ImportBy {
    fn from(id: &str) -> Self {
        Self::Id(id.to_owned())
    }
}

impl From<String> for ImportBy {
    fn from(id: String) -> Self {
        Self::Id(id)
    }
}

/// The address of a module, or of an instance; without a key also of a resource with all its instances.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlaceAddr {
    /// A module with all that is in it.
    Module(ModuleAddr),
    /// An instance, or a resource.
    Instance(InstanceAddr),
}

impl PlaceAddr {
    /// Reads an address; `None` when the text is none.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return None;
        }
        let module = text.parse().map(Self::Module);
        module.or_else(|_| text.parse().map(Self::Instance)).ok()
    }

    /// Whether it lies in a module.
    pub(crate) fn is_in(&self, module: &ModuleAddr) -> bool {
        module.contains(match self {
            Self::Module(place) => place,
            Self::Instance(place) => &place.resource.module,
        })
    }

    /// Whether an instance is there.
    pub fn contains(&self, address: &InstanceAddr) -> bool {
        match self {
            Self::Module(module) => module.contains(&address.resource.module),
            Self::Instance(place) if place.key.is_none() => place.resource == address.resource,
            Self::Instance(place) => place == address,
        }
    }
}

impl std::fmt::Display for PlaceAddr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Module(module) => module.fmt(f),
            Self::Instance(instance) => instance.fmt(f),
        }
    }
}
