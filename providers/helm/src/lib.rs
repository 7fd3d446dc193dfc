//! Typed bindings of the Helm provider: releases of charts.
//!
//! ```
//! # fn release(stack: &mut terrane_core::Stack) {
//! terrane_helm::Release::builder("metrics")
//!     .name("metrics-server")
//!     .repository("https://kubernetes-sigs.github.io/metrics-server")
//!     .chart("metrics-server")
//!     .declare(stack);
//! # }
//! ```

// The names in here are the provider's.
#[allow(unreachable_pub)]
mod generated;

#[cfg(feature = "helm")]
pub use generated::helm::*;
pub use generated::provider::{self, Provider};

/// The provider as the engine sees it: where it comes from, the version of the bindings, the facts of its schema.
pub static PROVIDER: terrane_core::ProviderBinding = terrane_core::ProviderBinding {
    source: generated::SOURCE,
    version: generated::VERSION,
    facts: generated::FACTS,
    redirect: None,
    lookup: terrane_core::LookupRules::NONE,
    stateful: &[],
};
