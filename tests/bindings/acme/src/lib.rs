//! Bindings of a provider that does not exist: every form a schema can take, in a few types.

// The names in here are the provider's.
#[allow(unreachable_pub, clippy::wrong_self_convention)]
mod generated;

#[cfg(feature = "net")]
pub use generated::net;
pub use generated::provider::{self, Provider};

/// The provider as the engine sees it.
pub static PROVIDER: terrane_core::ProviderBinding = terrane_core::ProviderBinding {
    source: generated::SOURCE,
    version: generated::VERSION,
    facts: generated::FACTS,
    redirect: None,
    lookup: terrane_core::LookupRules::NONE,
    stateful: &[],
};
