//! Typed bindings of the Kubernetes provider, one module and one cargo feature an API group.
//!
//! ```
//! # #[cfg(feature = "core")]
//! # fn namespace(stack: &mut terrane_core::Stack) {
//! use terrane_kubernetes::{Provider, core};
//!
//! stack.provider(Provider::builder().config_path("~/.kube/config"));
//! let jobs = core::Namespace::builder("jobs")
//!     .metadata(core::namespace::Metadata::builder().name("jobs"))
//!     .declare(stack);
//! core::ConfigMap::builder("settings")
//!     .metadata(
//!         core::config_map::Metadata::builder()
//!             .name("settings")
//!             .namespace(jobs.metadata().index(0).name()),
//!     )
//!     .data([("level", "info")])
//!     .declare(stack);
//! # }
//! ```
//!
//! A type has the name of its kind; a change to its API group's next version is a change of the bindings alone.

// The names in here are the provider's.
#[allow(unreachable_pub, clippy::all)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/mod.rs"));
}
mod lookup;

pub use generated::*;
