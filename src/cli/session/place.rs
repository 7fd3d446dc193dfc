//! Where this invocation acts, for the first line of a plan.

use std::collections::BTreeMap;

use terrane_core::addr::ProviderSource;
use terrane_core::{Program, ProviderBinding};
use terrane_engine::{CallerIdentity, Origin};
use terrane_provider::Plugins;

use super::Session;
use crate::error::CommandError;
use crate::view::Place;

impl Session<'_> {
    /// Where a plan of that program acts, in whose name.
    pub(crate) async fn place(
        &self,
        program: &Program,
        plugins: &Plugins,
        callers: Vec<CallerIdentity>,
    ) -> Result<Place, CommandError> {
        let sources = bindings_of(program).into_iter();
        let providers = sources.map(|(source, binding)| {
            let installed = plugins.locate(source).ok();
            let version = installed.and_then(|installed| installed.version);
            let version = version.map(|version| version.to_string());
            named(source, version, binding.filter(|_| self.common.sandbox))
        });
        Ok(Place {
            stack: self.stack.to_owned(),
            is_sandbox: self.common.sandbox,
            callers,
            providers: providers.collect(),
            state: self.backend().await?.place(),
        })
    }

    /// The same of a saved plan.
    pub(crate) fn saved_place(&self, program: &Program, origin: &Origin) -> Place {
        let Origin {
            providers: builds,
            callers,
            backend,
            sandbox,
            ..
        } = origin;
        let sources = bindings_of(program).into_iter();
        let providers = sources.map(|(source, binding)| {
            let build = builds.iter().find(|build| build.source == *source);
            let version = build.and_then(|build| build.version.clone());
            named(source, version, binding.filter(|_| *sandbox))
        });
        Place {
            stack: self.stack.to_owned(),
            is_sandbox: *sandbox,
            callers: callers.clone(),
            providers: providers.collect(),
            state: backend.clone(),
        }
    }
}

/// The providers of a program, each once, with their bindings.
fn bindings_of(program: &Program) -> BTreeMap<&ProviderSource, Option<&'static ProviderBinding>> {
    let configs = program.providers().iter();
    configs
        .filter(|config| !config.address.source.is_builtin())
        .map(|config| (&config.address.source, config.binding))
        .collect()
}

/// `aws 5.100.0`, `acme/internal 1.2.0`: with the installed version, or that of the bindings which serve in its place.
fn named(
    source: &ProviderSource,
    installed: Option<String>,
    served: Option<&ProviderBinding>,
) -> String {
    let name = match &*source.namespace {
        "hashicorp" => source.type_name.to_string(),
        namespace => format!("{namespace}/{}", source.type_name),
    };
    match installed.or(served.map(|binding| binding.version.to_owned())) {
        Some(version) => format!("{name} {version}"),
        None => name,
    }
}
