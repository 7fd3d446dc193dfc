//! Where provider binaries are: the Terraform CLI configuration, mirrors on this machine, and which version to take.

mod cli_config;
mod discover;
mod hcl;
mod trust;
mod version;

pub use cli_config::{CliConfig, CliConfigError, InstallationMethod, SourcePattern};
pub(crate) use discover::find;
pub use version::{ParseVersionError, Version, VersionRequirement};

use terrane_core::addr::ProviderSource;

/// Reads `[HOST/]namespace/type`; lower-cased, with the default host when it has none.
pub(crate) fn source(text: &str) -> Option<ProviderSource> {
    let text = text.to_lowercase();
    let parts: Vec<&str> = text.split('/').collect();
    if parts.iter().any(|part| part.is_empty()) {
        return None;
    }
    let (host, namespace, type_name) = match parts[..] {
        [namespace, type_name] => (ProviderSource::DEFAULT_HOST, namespace, type_name),
        [host, namespace, type_name] => (host, namespace, type_name),
        _ => return None,
    };
    Some(ProviderSource {
        host: host.into(),
        namespace: namespace.into(),
        type_name: type_name.into(),
    })
}
