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
#[allow(unreachable_pub, clippy::all)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/mod.rs"));
}

#[cfg(feature = "tls")]
pub use generated::tls::*;
pub use generated::*;
