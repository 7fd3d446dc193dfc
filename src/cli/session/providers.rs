//! The providers: those of this machine, as Terraform's own configuration names them.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use terrane_core::{Diagnostic, Program, ProviderConfig};
use terrane_engine::ProviderBuild;
use terrane_provider::{Environment, InstalledProvider, Launch, Plugins};
use terrane_registry::{
    CliConfig, HttpOptions, InstallError, InstallEvent, InstallObserver, InstallSettings,
    Installer, Platform, RequiredProvider, Version,
};
use terrane_state::Sha256;

use super::Session;
use super::state::sandbox_path;
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::logs::Logs;
use crate::view::{Installing, RunView as _, RunViews};

/// Where Terraform and OpenTofu keep it, too.
pub(super) const LOCK_FILE: &str = ".terraform.lock.hcl";

impl Session<'_> {
    /// Where provider processes of that program come from. One that is not on this machine is installed first.
    pub(crate) async fn providers(&self, program: &Program) -> Result<Plugins, CommandError> {
        self.installed_providers(program, None).await
    }

    /// The same for a run, whose views are told what is installed.
    pub(crate) async fn providers_of_run(
        &self,
        program: &Program,
        views: &RunViews,
    ) -> Result<Plugins, CommandError> {
        self.installed_providers(program, Some(views)).await
    }

    async fn installed_providers(
        &self,
        program: &Program,
        views: Option<&RunViews>,
    ) -> Result<Plugins, CommandError> {
        self.provider_processes()?;
        let cli_config = match self.common.sandbox || self.common.replay.is_some() {
            // Nothing that is installed here matters.
            true => CliConfig::default(),
            false => self.cli_config()?,
        };
        let mut environment = self.environment.clone();
        let recording = self.recording()?;
        if self.common.sandbox || recording.is_some() {
            // A process to attach to would be a real provider.
            environment.vars.remove("TF_REATTACH_PROVIDERS");
        }
        let mut plugins = self.plugins(environment, cli_config.clone())?;
        if let Some(recording) = recording {
            return Ok(plugins.replaying(recording));
        }
        plugins = self.recorded(plugins)?;
        let processes = program.providers().iter();
        let processes = processes.filter(|provider| !provider.address.source.is_builtin());
        for provider in processes {
            plugins = match self.common.sandbox {
                true => self.in_sandbox(plugins, provider)?,
                false => plugins.pass_env(provider.address.source.clone(), &provider.passed_env),
            };
        }
        match self.common.sandbox {
            true => Ok(plugins),
            false => {
                let required = required_providers(program);
                let providers = program.providers();
                self.with_installed(plugins, required, providers, cli_config, views)
                    .await
            }
        }
    }

    /// The schemas of a provider that the program need not have, in Terraform's JSON, and its version where that is known. It is
    /// installed first where need be; with `upgrade` in the newest version that is accepted, whatever is recorded.
    pub(crate) async fn schemas_of(
        &self,
        required: RequiredProvider,
        upgrade: bool,
    ) -> Result<(serde_json::Value, Option<Version>), CommandError> {
        let cli_config = self.cli_config()?;
        let source = required.source.clone();
        let mut plugins = self.plugins(self.environment.clone(), cli_config.clone())?;
        if upgrade {
            let observer = Installing::new(self.streams.clone());
            let platforms = [Platform::current()];
            let installer = self.installer(cli_config.clone());
            let required = std::slice::from_ref(&required);
            let locked = installer.lock(required, &platforms, true, &observer).await;
            drop(observer);
            locked.map_err(|errors| not_installed(errors, &[]))?;
        }
        plugins = self
            .with_installed(plugins, vec![required], &[], cli_config, None)
            .await?;
        let json = plugins.schemas_json(&source).await.map_err(start_failed)?;
        let version = match plugins.is_attached(&source).map_err(start_failed)? {
            true => None,
            false => plugins.locate(&source).map_err(start_failed)?.version,
        };
        Ok((json, version))
    }

    /// Processes of this machine's providers, in that environment.
    fn plugins(
        &self,
        environment: Environment,
        cli_config: CliConfig,
    ) -> Result<Plugins, CommandError> {
        let logs = Arc::new(Logs::new(
            self.common.log,
            self.streams.clone(),
            self.redactor.clone(),
            self.trace(),
        ));
        let cache = cache_folder(&environment).filter(|_| !self.common.no_cache);
        let plugins = Plugins::new(
            environment,
            cli_config,
            Launch::Reexec(own_program()?),
            logs,
        );
        Ok(match cache {
            Some(folder) => plugins.keep_schemas_in(folder),
            None => plugins,
        })
    }

    /// The CLI configuration of Terraform and OpenTofu.
    pub(crate) fn cli_config(&self) -> Result<CliConfig, CommandError> {
        let cli_config = CliConfig::load(&self.environment.vars).map_err(|error| {
            Diagnostic::error(error.to_string()).hint(
                "TF_CLI_CONFIG_FILE, ~/.tofurc and ~/.terraformrc are read as Terraform reads them",
            )
        })?;
        if let Some(missing) = &cli_config.missing {
            let warning = Diagnostic::warning("the CLI configuration does not exist")
                .detail(format!("TF_CLI_CONFIG_FILE names {}", missing.display()));
            self.say(&warning.into());
        }
        Ok(cli_config)
    }

    /// Installs providers by that configuration.
    pub(crate) fn installer(&self, cli_config: CliConfig) -> Installer {
        let vars = &self.environment.vars;
        let settings = InstallSettings {
            lock_file: PathBuf::from(LOCK_FILE),
            cache: cache_folder(&self.environment),
            is_offline: self.common.offline,
            http: HttpOptions::from_vars(vars),
        };
        Installer::new(cli_config, settings)
    }

    /// The same, with each of these that is not attached to, after it was installed where need be. `declared` says where the program
    /// names them.
    async fn with_installed(
        &self,
        mut plugins: Plugins,
        all: Vec<RequiredProvider>,
        declared: &[ProviderConfig],
        cli_config: CliConfig,
        views: Option<&RunViews>,
    ) -> Result<Plugins, CommandError> {
        let mut required = Vec::new();
        for one in all {
            if !plugins.is_attached(&one.source).map_err(start_failed)? {
                required.push(one);
            }
        }
        if required.is_empty() {
            return Ok(plugins);
        }
        let people = Installing::new(self.streams.clone());
        let observer = Observers { people, views };
        let installed = self
            .installer(cli_config)
            .install(&required, &observer)
            .await;
        drop(observer);
        for package in installed.map_err(|errors| not_installed(errors, declared))? {
            let installed = InstalledProvider {
                command: package.binary.into(),
                version: package.version,
            };
            plugins = plugins.with_installed(package.source, installed);
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

/// Everybody who follows an installation.
struct Observers<'a> {
    people: Installing,
    views: Option<&'a RunViews>,
}

impl InstallObserver for Observers<'_> {
    fn event(&self, event: InstallEvent<'_>) {
        if let Some(views) = self.views {
            views.installing(&event);
        }
        self.people.event(event);
    }
}

/// What is kept between runs and may be deleted at any time lies there; `None` where the environment names no home.
pub(super) fn cache_folder(environment: &Environment) -> Option<PathBuf> {
    let folder = |name| environment.get(name).map(PathBuf::from);
    // A relative `XDG_CACHE_HOME` is to be ignored, as its specification says.
    let caches = folder("XDG_CACHE_HOME").filter(|path| path.is_absolute());
    let caches = || caches.or_else(|| Some(folder("HOME")?.join(".cache")));
    folder("TERRANE_CACHE_DIR").or_else(|| Some(caches()?.join("terrane")))
}

pub(crate) fn start_failed(error: terrane_provider::StartError) -> CommandError {
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

/// The providers that a program needs, each with the versions that its bindings were made for.
pub(crate) fn required_providers(program: &Program) -> Vec<RequiredProvider> {
    let mut required: Vec<RequiredProvider> = Vec::new();
    for provider in program.providers() {
        let source = &provider.address.source;
        if source.is_builtin() || required.iter().any(|known| known.source == *source) {
            continue;
        }
        let versions = provider
            .binding
            .and_then(|binding| binding.versions.parse().ok());
        required.push(RequiredProvider {
            source: source.clone(),
            versions,
        });
    }
    required
}

/// The failures of an installation, each about its provider, at the line of the program that names it.
pub(crate) fn not_installed(
    errors: Vec<InstallError>,
    declared: &[ProviderConfig],
) -> CommandError {
    let exit = match errors.iter().any(|error| error.is_refusal) {
        true => Exit::REFUSED,
        false => Exit::FAILED,
    };
    let diagnostics = errors.into_iter().map(|error| {
        let source = error.provider.as_deref();
        let declared = declared
            .iter()
            .find(|provider| Some(&provider.address.source) == source);
        Diagnostic {
            address: source.map(ToString::to_string),
            location: declared.and_then(|provider| provider.location),
            hints: error.hints,
            ..Diagnostic::error(error.summary).detail(error.detail)
        }
    });
    CommandError {
        exit,
        diagnostics: diagnostics.collect(),
    }
}
