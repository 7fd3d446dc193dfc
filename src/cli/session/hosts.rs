//! Which registry a provider is meant to be from that the program names without a host.
//!
//! The one that the lock file names; without an entry the one that the state names, for objects stay with their provider; then the one under
//! which this machine has it. Only a provider that nothing names is the default registry's.

use std::path::Path;
use std::sync::Arc;

use terrane_core::Program;
use terrane_core::addr::{ParseAddrError, ProviderSource};
use terrane_registry::{CliConfig, LockFile, Version};
use terrane_state::{Run, State};

use super::Session;
use super::providers::LOCK_FILE;

impl Session<'_> {
    pub(super) async fn resolve_hosts(&self, program: &mut Program) {
        // Files that cannot be read are told of where they are needed.
        let lock = LockFile::load(Path::new(LOCK_FILE)).unwrap_or_default();
        let locked =
            |source: &ProviderSource| named(source, lock.providers().map(|(source, _)| source));
        let sources = program.providers().iter().map(|one| &one.address.source);
        let is_open = |source: &ProviderSource| {
            *source.host == *ProviderSource::DEFAULT_HOST && locked(source).is_none()
        };
        let state = match sources.clone().any(is_open) {
            true => self.stored().await,
            false => None,
        };
        let config = match self.common.sandbox {
            true => CliConfig::default(),
            false => CliConfig::load(&self.environment.vars).unwrap_or_default(),
        };
        program.resolve_hosts(|source| {
            let stored = state.iter().flat_map(|state| state.resources.values());
            let stored = stored.map(|instance| &instance.provider.source);
            let known = locked(source).or_else(|| named(source, stored));
            known.or_else(|| config.host_here(source))
        });
    }

    /// The provider that a person means by `kubernetes`, `hashicorp/kubernetes` or the same with a host: one of the lock file, where
    /// that has one of this name; else the official one.
    ///
    /// # Errors
    /// When it is no name of a provider.
    pub(crate) fn provider_named(&self, name: &str) -> Result<ProviderSource, String> {
        let lock = LockFile::load(Path::new(LOCK_FILE)).unwrap_or_default();
        let locked = || lock.providers().map(|(source, _)| source);
        let mut source = match name.contains('/') {
            true => name.parse::<ProviderSource>(),
            false => {
                let official: ProviderSource = format!("hashicorp/{name}")
                    .parse()
                    .map_err(|error: ParseAddrError| error.to_string())?;
                let mut alike = locked().filter(|it| it.type_name == official.type_name);
                match (alike.next(), alike.next()) {
                    (Some(only), None) => Ok(only.clone()),
                    _ => Ok(official),
                }
            }
        }
        .map_err(|error| error.to_string())?;
        if *source.host == *ProviderSource::DEFAULT_HOST {
            let config = CliConfig::load(&self.environment.vars).unwrap_or_default();
            let host = named(&source, locked()).or_else(|| config.host_here(&source));
            source.host = host.unwrap_or(source.host);
        }
        Ok(source)
    }

    /// The version of a provider that the lock file records.
    pub(crate) fn locked_version(&self, source: &ProviderSource) -> Option<Version> {
        let lock = LockFile::load(Path::new(LOCK_FILE)).ok()?;
        Some(lock.get(source)?.version.clone())
    }

    /// The state, if there is one that can be read; kept for the command that looks at it next.
    async fn stored(&self) -> Option<State> {
        let backend = self.backend().await.ok()?;
        let found = Run::look(&*backend).await.ok()?;
        let state = found.0.clone();
        self.looked.replace(Some(found));
        Some(state)
    }
}

/// The host of that provider among those; its own if it is there, none if several others are.
pub(super) fn named<'a>(
    source: &ProviderSource,
    among: impl Iterator<Item = &'a ProviderSource>,
) -> Option<Arc<str>> {
    let mut hosts: Vec<&Arc<str>> = among
        .filter(|other| other.namespace == source.namespace && other.type_name == source.type_name)
        .map(|other| &other.host)
        .collect();
    hosts.sort_unstable();
    hosts.dedup();
    match hosts[..] {
        [host] => Some(host.clone()),
        _ if hosts.contains(&&source.host) => Some(source.host.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_taken_over_only_where_it_is_the_only_one_named() {
        let source = |text: &str| text.parse::<ProviderSource>().expect("a source");
        let [ours, theirs, private] = [
            "registry.opentofu.org",
            "registry.terraform.io",
            "example.com",
        ]
        .map(|host| source(&format!("{host}/acme/net")));
        let other = source("registry.terraform.io/acme/other");
        let host = |among: &[&ProviderSource]| {
            named(&ours, among.iter().copied()).map(|host| host.to_string())
        };
        assert_eq!(host(&[&other]), None);
        assert_eq!(
            host(&[&theirs, &other, &theirs]).as_deref(),
            Some("registry.terraform.io")
        );
        assert_eq!(
            host(&[&theirs, &ours]).as_deref(),
            Some("registry.opentofu.org")
        );
        assert_eq!(host(&[&theirs, &private]), None);
    }
}
