//! The parts of a schema.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Function, IdentitySchema};
use crate::value::Type;

/// The schema of one resource type, data source or provider configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    /// The version stored with each instance, so that a provider can upgrade it.
    pub version: u64,
    /// Its attributes and blocks.
    pub block: Block,
    /// The implied type of the block, made once: every value of this schema that is read or written needs it.
    ty: Type,
}

impl Schema {
    /// A schema of that version and content.
    pub fn new(version: u64, block: Block) -> Self {
        let ty = block.implied_type();
        Self { version, block, ty }
    }

    /// The type of its values: an object with every attribute and every nested block.
    pub fn ty(&self) -> &Type {
        &self.ty
    }
}

/// Attributes and nested blocks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Block {
    /// Attributes by name.
    pub attributes: BTreeMap<Arc<str>, Attribute>,
    /// Nested blocks by name.
    pub blocks: BTreeMap<Arc<str>, NestedBlock>,
    /// The provider wants users to stop using it.
    pub deprecated: bool,
    /// The provider may fill in such blocks where the user writes none (protocol 6.11).
    pub computed: bool,
}

/// One attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Its type, plain or nested.
    pub ty: AttributeType,
    /// The user must set it.
    pub required: bool,
    /// The user may set it.
    pub optional: bool,
    /// The provider may set it.
    pub computed: bool,
    /// Never shown.
    pub sensitive: bool,
    /// Sent in the configuration only, never planned or stored.
    pub write_only: bool,
    /// The provider wants users to stop using it.
    pub deprecated: bool,
}

/// The type of an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttributeType {
    /// A type of the value system.
    Plain(Type),
    /// Members with flags of their own (protocol 6).
    Nested(Box<NestedAttribute>),
}

/// An attribute whose members have flags of their own. Unlike a block it is null when absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NestedAttribute {
    /// The members.
    pub attributes: BTreeMap<Arc<str>, Attribute>,
    /// One, a list, a set or a map of them; never [`Nesting::Group`].
    pub nesting: Nesting,
}

/// A nested block type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NestedBlock {
    /// The attributes and blocks of each.
    pub block: Block,
    /// How many there may be and how they are told apart.
    pub nesting: Nesting,
    /// The least number of blocks; 0 is no limit.
    pub min_items: u64,
    /// The largest number of blocks; 0 is no limit.
    pub max_items: u64,
}

/// How nested blocks or members are collected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Nesting {
    /// At most one, null when absent.
    Single,
    /// Exactly one, made of empty values when absent.
    Group,
    /// In order.
    List,
    /// Distinct, without order.
    Set,
    /// By key.
    Map,
}

/// The schemas of a provider, as far as they were requested.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProviderSchema {
    /// The provider's own configuration.
    pub provider: Option<Arc<Schema>>,
    /// Resource types.
    pub resources: BTreeMap<Arc<str>, Arc<Schema>>,
    /// Data sources.
    pub data_sources: BTreeMap<Arc<str>, Arc<Schema>>,
    /// Ephemeral resource types.
    pub ephemeral_resources: BTreeMap<Arc<str>, Arc<Schema>>,
    /// The configurations by which objects of a resource type are listed.
    pub list_resources: BTreeMap<Arc<str>, Arc<Schema>>,
    /// Actions.
    pub actions: BTreeMap<Arc<str>, Arc<Schema>>,
    /// Functions.
    pub functions: BTreeMap<Arc<str>, Arc<Function>>,
    /// The identities of resource types.
    pub identities: BTreeMap<Arc<str>, Arc<IdentitySchema>>,
}
