//! Schemas of providers in domain terms: the attributes and blocks of a resource type, and their flags.

mod coerce;
mod facts;
mod function;
mod identity;
mod model;
#[cfg(test)]
pub(crate) mod samples;
mod sensitive;
mod shape;
mod write_only;

pub use coerce::ConfigProblem;
pub use facts::{
    Facts, FactsKind, ParseFactsError, from_facts_line, from_function_line, to_facts_line,
    to_function_line,
};
pub use function::{Function, Parameter};
pub use identity::{IdentityAttribute, IdentitySchema};
pub use model::{
    Attribute, AttributeType, Block, NestedAttribute, NestedBlock, Nesting, ProviderSchema, Schema,
};
