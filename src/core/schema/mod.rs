//! Schemas of providers in domain terms: which attributes and blocks a resource type has, and what may be done with them.

mod model;

pub use model::{
    Attribute, AttributeType, Block, NestedAttribute, NestedBlock, Nesting, ProviderSchema, Schema,
};
