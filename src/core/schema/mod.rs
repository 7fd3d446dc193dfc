//! Schemas of providers in domain terms: which attributes and blocks a resource type has, and what may be done with them.

mod coerce;
mod facts;
mod model;
#[cfg(test)]
pub(crate) mod samples;
mod sensitive;
mod shape;
mod write_only;

pub use coerce::ConfigProblem;
pub use facts::{Facts, FactsKind, ParseFactsError, from_facts_line, to_facts_line};
pub use model::{
    Attribute, AttributeType, Block, NestedAttribute, NestedBlock, Nesting, ProviderSchema, Schema,
};
