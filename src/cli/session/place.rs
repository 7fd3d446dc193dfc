//! Where this invocation acts, for the first line of a plan.

use std::collections::BTreeMap;

use terrane_core::addr::ProviderSource;
use terrane_core::{Program, ProviderBinding};
use terrane_engine::{CallerIdentity, ProviderBuild};
use terrane_provider::Plugins;

use super::Session;
use crate::error::CommandError;
use crate::view::Place;

impl Session<'_> {
    /// Where a plan of that program acts, in whose name.
    pub(crate) fn place(
        &self,
        program: &Program,
        plugins: &Plugins,
        callers: Vec<CallerIdentity>,
    ) -> Result<Place, CommandError> {
        let configs = program.providers().iter();
        let sources: BTreeMap<&ProviderSource, Option<&ProviderBinding>> = configs
            .filter(|config| !config.address.source.is_builtin())
            .map(|config| (&config.address.source, config.binding))
            .collect();
        let providers = sources.into_iter().map(|(source, binding)| {
            let installed = plugins.locate(source).ok();
            let version = installed.and_then(|installed| installed.version);
            // The sandbox serves what the bindings know.
            let served = binding.filter(|_| self.common.sandbox);
            let version = version.map(|version| version.to_string());
            let version = version.or(served.map(|binding| binding.version.to_owned()));
            named(source, version.as_deref())
        });
        Ok(Place {
            stack: self.stack.to_owned(),
            is_sandbox: self.common.sandbox,
            callers,
            providers: providers.collect(),
            state: self.location()?.to_string(),
        })
    }

    /// The same of a saved plan.
    pub(crate) fn saved_place(
        &self,
        builds: &[ProviderBuild],
        callers: Vec<CallerIdentity>,
        state: &str,
    ) -> Place {
        let providers = builds.iter();
        let providers = providers.map(|build| named(&build.source, build.version.as_deref()));
        Place {
            stack: self.stack.to_owned(),
            is_sandbox: self.common.sandbox,
            callers,
            providers: providers.collect(),
            state: state.to_owned(),
        }
    }
}

/// `aws 5.100.0`, `acme/internal 1.2.0`
fn named(source: &ProviderSource, version: Option<&str>) -> String {
    let name = match &*source.namespace {
        "hashicorp" => source.type_name.to_string(),
        namespace => format!("{namespace}/{}", source.type_name),
    };
    match version {
        Some(version) => format!("{name} {version}"),
        None => name,
    }
}
