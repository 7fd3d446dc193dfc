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
#[allow(unreachable_pub, clippy::all)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/mod.rs"));
}

#[cfg(feature = "helm")]
pub use generated::helm::*;
pub use generated::*;
