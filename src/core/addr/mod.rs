//! Addresses of modules, resources and providers, as every peer writes them.
//!
//! All of them print and parse the same text (`FromStr` and `Display` round-trip).

mod key;
mod module;
mod parse;
mod provider;
mod resource;

pub use key::InstanceKey;
pub use module::{ModuleAddr, ModuleStep};
pub use parse::ParseAddrError;
pub use provider::{ProviderConfigAddr, ProviderSource};
pub use resource::{ConfigAddr, InstanceAddr, Mode, ResourceAddr};
