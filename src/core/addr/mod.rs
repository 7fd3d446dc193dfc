//! Addresses of modules, resources and providers, as every peer writes them.
//!
//! All of them print and parse the same text (`FromStr` and `Display` round-trip): HCL's, so that Terraform and OpenTofu read what we
//! store and we read what they store.

mod key;
mod module;
mod parse;
mod pattern;
mod provider;
mod resource;

pub use key::{InstanceKey, KeyTooLarge};
pub use module::{ModuleAddr, ModuleStep};
pub use parse::ParseAddrError;
pub use pattern::Pattern;
pub use provider::{ProviderConfigAddr, ProviderSource};
pub use resource::{ConfigAddr, InstanceAddr, Mode, ResourceAddr};
