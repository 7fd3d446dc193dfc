//! Typed bindings of the random provider: names, passwords and ids that are chosen once and kept in the state.
//!
//! ```
//! # fn names(stack: &mut terrane_core::Stack) {
//! let name = terrane_random::Pet::builder("name").length(2).declare(stack);
//! stack.export("name", name.id());
//! # }
//! ```

// The names in here are the provider's.
#[allow(unreachable_pub, clippy::all)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/mod.rs"));
}

#[cfg(feature = "random")]
pub use generated::random::*;
pub use generated::*;
