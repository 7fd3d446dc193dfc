//! Typed bindings of the TLS provider: private keys, requests for certificates, and certificates.
//!
//! The state holds the private keys that it makes. `data` has what it reads of a server or of a public key.
//!
//! ```
//! # fn key(stack: &mut terrane_core::Stack) {
//! let key = terrane_tls::PrivateKey::builder("login").algorithm("ED25519").declare(stack);
//! stack.export("public_key", key.public_key_openssh());
//! # }
//! ```

// The names in here are the provider's.
#[allow(unreachable_pub)]
mod generated;

pub use generated::provider::{self, Provider};
#[cfg(feature = "tls")]
pub use generated::tls::*;

/// The provider as the engine sees it: where it comes from, the version of the bindings, the facts of its schema.
pub static PROVIDER: terrane_core::ProviderBinding = terrane_core::ProviderBinding {
    source: generated::SOURCE,
    version: generated::VERSION,
    facts: generated::FACTS,
    redirect: None,
    lookup: terrane_core::LookupRules::NONE,
    stateful: &[],
};
