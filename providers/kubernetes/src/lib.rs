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
#[allow(unreachable_pub, clippy::should_implement_trait)]
mod generated;
mod lookup;

#[cfg(feature = "apps")]
pub use generated::apps;
#[cfg(feature = "autoscaling")]
pub use generated::autoscaling;
#[cfg(feature = "core")]
pub use generated::core;
#[cfg(feature = "networking")]
pub use generated::networking;
#[cfg(feature = "policy")]
pub use generated::policy;
pub use generated::provider::{self, Provider};
#[cfg(feature = "rbac")]
pub use generated::rbac;
#[cfg(feature = "storage")]
pub use generated::storage;

/// The provider as the engine sees it: where it comes from, the version of the bindings, the facts of its schema.
pub static PROVIDER: terrane_core::ProviderBinding = terrane_core::ProviderBinding {
    source: generated::SOURCE,
    version: generated::VERSION,
    facts: generated::FACTS,
    redirect: None,
    lookup: lookup::LOOKUP,
    stateful: &[],
};
