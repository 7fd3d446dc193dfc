//! Requests and responses about list resources: what exists, whether or not a state has it.

use terrane_core::{Diagnostics, Value};

use crate::provider::Identity;

/// Request of `ListResource`.
#[derive(Debug, Clone, Copy)]
pub struct ListResource<'a> {
    /// The resource type.
    pub type_name: &'a str,
    /// The configuration of the list resource, wholly known.
    pub config: &'a Value,
    /// Whether the objects themselves are wanted, beside their identities.
    pub include_resource_object: bool,
    /// The most objects that are wanted.
    pub limit: u32,
}

/// One object that exists.
#[derive(Debug, Clone)]
pub struct ListedResource {
    /// Its identity.
    pub identity: Option<Identity>,
    /// Its name, for people.
    pub display_name: String,
    /// The object, if it was asked for.
    pub object: Option<Value>,
    /// What the provider says about it.
    pub diagnostics: Diagnostics,
}
