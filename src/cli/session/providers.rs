//! The providers: those of this machine, as Terraform's own configuration names them.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use terrane_core::{Diagnostic, Program, ProviderConfig};
use terrane_engine::ProviderBuild;
use terrane_provider::{CliConfig, Environment, Launch, Plugins, Version};
use terrane_state::Sha256;

use super::Session;
use super::state::sandbox_path;
use crate::error::CommandError;
use crate::logs::Logs;

impl Session<'_> {
    /// Where provider processes of that program come from.
    pub(crate) fn providers(&self, program: &Program) -> Result<Plugins, CommandError> {
        let cli_config = if self.common.sandbox {
            // Nothing that is installed here matters.
            Ok(CliConfig::default())
        } else {
            CliConfig::load(&self.environment)
        };
        let cli_config = cli_config.map_err(|error| {
            Diagnostic::error(error.to_string()).hint(
                "TF_CLI_CONFIG_FILE, ~/.tofurc and ~/.terraformrc are read as Terraform reads them",
            )
        })?;
        if let Some(missing) = &cli_config.missing {
            let warning = Diagnostic::warning("the CLI configuration does not exist")
                .detail(format!("TF_CLI_CONFIG_FILE names {}", missing.display()));
            self.say(&warning.into());
        }
        let own = own_program()?;
        let logs = Arc::new(Logs::new(
            self.common.log,
            self.streams.clone(),
            self.redactor.clone(),
        ));
        let launch = Launch::Reexec(own);
        let mut environment = self.environment.clone();
        if self.common.sandbox {
            // A process to attach to would be a real provider.
            environment.vars.remove("TF_REATTACH_PROVIDERS");
        }
        let cache = cache_folder(&environment).filter(|_| !self.common.no_cache);
        let mut plugins = Plugins::new(environment, cli_config, launch, logs);
        if let Some(folder) = cache {
            plugins = plugins.keep_schemas_in(folder);
        }
        let processes = program.providers().iter();
        let processes = processes.filter(|provider| !provider.address.source.is_builtin());
        for provider in processes {
            if self.common.sandbox {
                plugins = self.in_sandbox(plugins, provider)?;
                continue;
            }
            let source = provider.address.source.clone();
            plugins = plugins.pass_env(source, &provider.passed_env);
            let Some(binding) = provider.binding else {
                continue;
            };
            if let Some(requirement) = same_major(binding.version) {
                let requirement = requirement.parse().map_err(|_| {
                    Diagnostic::error(format!("{requirement} is no requirement of a version"))
                })?;
                plugins = plugins.require(provider.address.source.clone(), requirement);
            }
        }
        Ok(plugins)
    }

    /// The very files that would be started as a program's providers; one that is not installed is left out.
    pub(crate) fn provider_builds(
        &self,
        program: &Program,
        plugins: &Plugins,
    ) -> Result<Vec<ProviderBuild>, CommandError> {
        let sources = program.providers().iter();
        let sources = sources.map(|config| &config.address.source);
        // The built-in provider is a part of this program, whose own digest the plan has as well.
        let sources: BTreeSet<_> = sources.filter(|source| !source.is_builtin()).collect();
        let mut digests: BTreeMap<PathBuf, Sha256> = BTreeMap::new();
        let mut builds = Vec::new();
        for source in sources {
            let mut build = ProviderBuild {
                source: source.clone(),
                version: None,
                sha256: None,
            };
            if plugins.is_attached(source).map_err(start_failed)? {
                builds.push(build);
                continue;
            }
            let Ok(installed) = plugins.locate(source) else {
                continue;
            };
            let binary = installed.command.binary;
            let digest = match digests.get(&binary) {
                Some(digest) => *digest,
                None => digest_of(&binary)?,
            };
            digests.insert(binary, digest);
            build.version = installed.version.map(|version| version.to_string());
            build.sha256 = Some(digest.to_string());
            builds.push(build);
        }
        Ok(builds)
    }

    /// The same, with the sandbox in place of that provider.
    fn in_sandbox(
        &self,
        plugins: Plugins,
        provider: &ProviderConfig,
    ) -> Result<Plugins, CommandError> {
        let source = &provider.address.source;
        let Some(binding) = provider.binding.filter(|binding| !binding.facts.is_empty()) else {
            let unknown = Diagnostic::error(format!("the sandbox cannot stand in for {source}"));
            let unknown = Diagnostic {
                location: provider.location,
                ..unknown
            };
            return Err(unknown
                .detail(
                    "it serves the types of a program's bindings, and that provider has none here",
                )
                .hint("leave `--sandbox` out; the real provider is then used")
                .into());
        };
        let own = own_program()?;
        let folder = sandbox_path(self.stack);
        let speed = self.environment.get("TERRANE_SANDBOX_SPEED");
        let command =
            terrane_sandbox::prepare(&folder, source, binding, own, speed).map_err(|error| {
                let why = error.source().map(ToString::to_string).unwrap_or_default();
                Diagnostic::error(error.to_string()).detail(why)
            })?;
        Ok(plugins.with_command(source.clone(), command))
    }
}

/// Where schemas of providers are kept between runs; `None` where the environment names no home.
fn cache_folder(environment: &Environment) -> Option<PathBuf> {
    let folder = |name| environment.get(name).map(PathBuf::from);
    // A relative `XDG_CACHE_HOME` is to be ignored, as its specification says.
    let caches = folder("XDG_CACHE_HOME").filter(|path| path.is_absolute());
    let caches = || caches.or_else(|| Some(folder("HOME")?.join(".cache")));
    folder("TERRANE_CACHE_DIR").or_else(|| Some(caches()?.join("terrane")))
}

fn start_failed(error: terrane_provider::StartError) -> CommandError {
    let diagnostic = Diagnostic {
        hints: error.hints,
        ..Diagnostic::error(error.summary)
    };
    diagnostic.detail(error.detail).into()
}

/// The build of this program.
pub(crate) fn own_digest() -> Result<Sha256, CommandError> {
    digest_of(&own_program()?)
}

fn digest_of(file: &Path) -> Result<Sha256, CommandError> {
    let digest = std::fs::File::open(file).and_then(Sha256::of_reader);
    digest.map_err(|error| {
        let unread = Diagnostic::error(format!("cannot read {}", file.display()));
        unread.detail(error.to_string()).into()
    })
}

fn own_program() -> Result<PathBuf, CommandError> {
    std::env::current_exe().map_err(|error| {
        let lost = Diagnostic::error("cannot find this program's own file");
        lost.detail(error.to_string()).into()
    })
}

/// Bindings made for 5.31.0 work with 5.31 and every later 5.
fn same_major(version: &str) -> Option<String> {
    version.parse::<Version>().ok()?;
    let mut parts = version.split('.');
    Some(format!("~> {}.{}", parts.next()?, parts.next()?))
}
