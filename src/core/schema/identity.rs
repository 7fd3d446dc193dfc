//! The schema of a resource type's identity.

use std::sync::Arc;

use crate::value::{Type, Value};

/// What tells the objects of a resource type apart, for good: a versioned object of simple values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentitySchema {
    /// The version stored with each identity, so that a provider can upgrade it.
    pub version: u64,
    /// Its attributes.
    pub attributes: Vec<IdentityAttribute>,
    ty: Type,
}

/// One attribute of an identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityAttribute {
    /// Its name.
    pub name: Arc<str>,
    /// Its type.
    pub ty: Type,
    /// An import by identity needs it.
    pub required_for_import: bool,
    /// An import by identity may give it; else the provider knows it.
    pub optional_for_import: bool,
}

impl IdentitySchema {
    /// A schema of that version with those attributes.
    pub fn new(version: u64, attributes: Vec<IdentityAttribute>) -> Self {
        let types = attributes
            .iter()
            .map(|attribute| (attribute.name.clone(), attribute.ty.clone()));
        let ty = Type::object(types);
        Self {
            version,
            attributes,
            ty,
        }
    }

    /// The type of its values: an object with every attribute.
    pub fn ty(&self) -> &Type {
        &self.ty
    }

    /// Whether a value says nothing: null, or an object of nulls. Providers write such a one where they know no identity, and it
    /// counts as none.
    pub fn is_nothing(value: &Value) -> bool {
        match value {
            Value::Null => true,
            Value::Map(members) => members.values().all(Self::is_nothing),
            _ => false,
        }
    }
}
