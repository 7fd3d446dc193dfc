//! Which registry a provider is meant to be from that the program or a person names without a host.

use std::path::Path;

use terrane_core::Program;
use terrane_core::addr::{ParseAddrError, ProviderSource};
use terrane_deploy::{LOCK_FILE, host_among, needs_state_for_hosts, resolve_hosts};
use terrane_registry::{CliConfig, LockFile, Version};
use terrane_state::{Run, State};

use super::Session;

impl Session<'_> {
    pub(super) async fn resolve_hosts(&self, program: &mut Program) {
        // Files that cannot be read are told of where they are needed.
        let lock = LockFile::load(Path::new(LOCK_FILE)).unwrap_or_default();
        let state = match needs_state_for_hosts(program, &lock) {
            true => self.stored().await,
            false => None,
        };
        let config = match self.common.sandbox {
            true => CliConfig::default(),
            false => CliConfig::load(&self.environment.vars).unwrap_or_default(),
        };
        resolve_hosts(program, &lock, state.as_ref(), &config);
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
            let host = host_among(&source, locked()).or_else(|| config.host_here(&source));
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
