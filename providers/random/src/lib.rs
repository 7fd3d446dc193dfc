//! Typed bindings of the random provider: names, passwords and ids that are chosen once and kept in the state.
//!
//! ```
//! # fn names(stack: &mut terrane_core::Stack) {
//! let name = terrane_random::Pet::builder("name").length(2).declare(stack);
//! stack.export("name", name.id());
//! # }
//! ```

// The names in here are the provider's.
#[allow(unreachable_pub)]
mod generated;

pub use generated::provider::{self, Provider};
#[cfg(feature = "random")]
pub use generated::random::*;

/// The provider as the engine sees it: where it comes from, the version of the bindings, the facts of its schema.
pub static PROVIDER: terrane_core::ProviderBinding = terrane_core::ProviderBinding {
    source: generated::SOURCE,
    version: generated::VERSION,
    facts: generated::FACTS,
    redirect: None,
    lookup: terrane_core::LookupRules::NONE,
    stateful: &[],
};
