//! Bindings of a provider that does not exist: every form a schema can take, in a few types.

// The names in here are the provider's.
#[allow(unreachable_pub, clippy::wrong_self_convention)]
mod generated;

pub use generated::*;
