//! The providers of a program: installed where need be, or the sandbox in their place.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use terrane_core::{Diagnostic, Diagnostics, Program, ProviderConfig};
use terrane_engine::ProviderBuild;
use terrane_provider::{
    CliConfig, Environment, InstalledProvider, Launch, LogSink, NoLog, Plugins, StartError,
};
use terrane_registry::{
    HttpOptions, InstallError, InstallEvent, InstallObserver, InstallSettings, Installer,
    RequiredProvider,
};
use terrane_state::Sha256;

use crate::error::DeployError;

/// Where Terraform and OpenTofu keep it, too.
pub const LOCK_FILE: &str = ".terraform.lock.hcl";

/// How the providers of a program are found, installed and started.
#[derive(Clone)]
pub struct ProviderSetup {
    /// The environment; each provider sees only its part of it.
    pub environment: Environment,
    /// The CLI configuration of Terraform and OpenTofu.
    pub cli_config: CliConfig,
    /// The file with the recorded versions and hashes.
    pub lock_file: PathBuf,
    /// Where packages and schemas are kept between runs.
    pub cache: Option<PathBuf>,
    /// Keep schemas in it, too.
    pub keeps_schemas: bool,
    /// Ask no registry.
    pub is_offline: bool,
    /// The sandbox that stands in for all providers.
    pub sandbox: Option<Sandbox>,
    /// How their processes are started.
    pub launch: Launch,
    /// Where their log lines go, if anywhere.
    pub logs: Option<Arc<dyn LogSink>>,
}

/// A sandbox, and the program that serves it.
#[derive(Debug, Clone)]
pub struct Sandbox {
    /// The folder with its objects.
    pub folder: PathBuf,
    /// A program whose `main` begins with [`begin`](crate::begin).
    pub program: PathBuf,
    /// The text of `TERRANE_SANDBOX_SPEED`, if it is set.
    pub speed: Option<String>,
}

impl ProviderSetup {
    /// The providers that this environment leads to, as the command line finds them. Their processes outlive this one if it is killed,
    /// unless [`launch`](Self::launch) says otherwise.
    ///
    /// # Errors
    /// When the CLI configuration that the environment names cannot be read.
    pub fn of(environment: Environment) -> Result<Self, DeployError> {
        Ok(Self {
            cli_config: cli_config(&environment)?,
            lock_file: PathBuf::from(LOCK_FILE),
            cache: cache_folder(&environment),
            keeps_schemas: true,
            is_offline: false,
            sandbox: None,
            launch: Launch::Direct,
            logs: None,
            environment,
        })
    }

    /// Where provider processes of that program come from. One that is not on this machine is installed first.
    ///
    /// # Errors
    /// When one cannot be installed or served.
    pub async fn providers(
        &self,
        program: &Program,
        observer: &dyn InstallObserver,
    ) -> Result<Plugins, DeployError> {
        let declared = program.providers().as_slice();
        let processes = declared.iter();
        let processes = processes.filter(|provider| !provider.address.source.is_builtin());
        let mut plugins = match &self.sandbox {
            Some(_) => self.plugins(),
            None => {
                let required = required_providers(program);
                self.installed(required, declared, observer).await?
            }
        };
        for provider in processes {
            plugins = match &self.sandbox {
                Some(sandbox) => in_sandbox(plugins, sandbox, provider)?,
                None => plugins.pass_env(provider.address.source.clone(), &provider.passed_env),
            };
        }
        Ok(plugins)
    }

    /// The environment, with what the program passes to its providers.
    pub(crate) fn passing(&self, program: &Program) -> Environment {
        let mut environment = self.environment.clone();
        for provider in program.providers() {
            let source = provider.address.source.clone();
            let passed = environment.passed.entry(source).or_default();
            passed.extend(provider.passed_env.iter().cloned());
        }
        environment
    }

    /// Processes of this machine's providers.
    pub fn plugins(&self) -> Plugins {
        let mut environment = self.environment.clone();
        if self.sandbox.is_some() {
            // A process to attach to would be a real provider.
            environment.vars.remove("TF_REATTACH_PROVIDERS");
        }
        let plugins = Plugins::new(
            environment,
            self.cli_config.clone(),
            self.launch.clone(),
            self.logs.clone().unwrap_or_else(|| Arc::new(NoLog)),
        );
        match &self.cache {
            Some(folder) if self.keeps_schemas => plugins.keep_schemas_in(folder.clone()),
            _ => plugins,
        }
    }

    /// Installs providers.
    pub fn installer(&self) -> Installer {
        let settings = InstallSettings {
            lock_file: self.lock_file.clone(),
            cache: self.cache.clone(),
            is_offline: self.is_offline,
            http: HttpOptions::from_vars(&self.environment.vars),
        };
        Installer::new(self.cli_config.clone(), settings)
    }

    /// Processes of these providers, each installed first where need be and not attached to. `declared` says where the program names them.
    ///
    /// # Errors
    /// When one cannot be installed.
    pub async fn installed(
        &self,
        all: Vec<RequiredProvider>,
        declared: &[ProviderConfig],
        observer: &dyn InstallObserver,
    ) -> Result<Plugins, DeployError> {
        let mut plugins = self.plugins();
        let mut required = Vec::new();
        for one in all {
            if !plugins.is_attached(&one.source)? {
                required.push(one);
            }
        }
        if required.is_empty() {
            return Ok(plugins);
        }
        let installed = self.installer().install(&required, observer).await;
        for package in installed.map_err(|errors| not_installed(errors, declared))? {
            let installed = InstalledProvider {
                command: package.binary.into(),
                version: package.version,
            };
            plugins = plugins.with_installed(package.source, installed);
        }
        Ok(plugins)
    }
}

/// Follows no installation.
pub(crate) struct Unobserved;

impl InstallObserver for Unobserved {
    fn event(&self, _: InstallEvent<'_>) {}
}

/// The CLI configuration of Terraform and OpenTofu.
///
/// # Errors
/// When it cannot be read.
pub fn cli_config(environment: &Environment) -> Result<CliConfig, DeployError> {
    CliConfig::load(&environment.vars).map_err(|error| {
        let unread = Diagnostic::error(error.to_string());
        let files =
            "TF_CLI_CONFIG_FILE, ~/.tofurc and ~/.terraformrc are read as Terraform reads them";
        unread.hint(files).into()
    })
}

/// What is kept between runs and may be deleted at any time lies there; `None` where the environment names no home.
pub fn cache_folder(environment: &Environment) -> Option<PathBuf> {
    let folder = |name| environment.get(name).map(PathBuf::from);
    // A relative `XDG_CACHE_HOME` is to be ignored, as its specification says.
    let caches = folder("XDG_CACHE_HOME").filter(|path| path.is_absolute());
    let caches = || caches.or_else(|| Some(folder("HOME")?.join(".cache")));
    folder("TERRANE_CACHE_DIR").or_else(|| Some(caches()?.join("terrane")))
}

/// The providers that a program needs, each with the versions that its bindings were made for.
pub fn required_providers(program: &Program) -> Vec<RequiredProvider> {
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

/// The same, with the sandbox in place of that provider.
fn in_sandbox(
    plugins: Plugins,
    sandbox: &Sandbox,
    provider: &ProviderConfig,
) -> Result<Plugins, DeployError> {
    let source = &provider.address.source;
    let Some(binding) = provider.binding.filter(|binding| !binding.facts.is_empty()) else {
        let unknown = Diagnostic::error(format!("the sandbox cannot stand in for {source}"));
        let unknown = Diagnostic {
            location: provider.location,
            ..unknown
        };
        return Err(unknown
            .detail("it serves the types of a program's bindings, and that provider has none here")
            .hint("leave `--sandbox` out; the real provider is then used")
            .into());
    };
    let (folder, speed) = (&sandbox.folder, sandbox.speed.as_deref());
    let command = terrane_sandbox::prepare(folder, source, binding, sandbox.program.clone(), speed);
    let command = command.map_err(|error| {
        let why = error.source().map(ToString::to_string).unwrap_or_default();
        Diagnostic::error(error.to_string()).detail(why)
    })?;
    Ok(plugins.with_command(source.clone(), command))
}

/// The failures of an installation, each about its provider, at the line of the program that names it.
pub fn not_installed(errors: Vec<InstallError>, declared: &[ProviderConfig]) -> DeployError {
    let is_refusal = errors.iter().any(|error| error.is_refusal);
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
    let diagnostics: Diagnostics = diagnostics.collect();
    match is_refusal {
        true => DeployError::Refused(diagnostics),
        false => DeployError::Failed(diagnostics),
    }
}

impl From<StartError> for DeployError {
    fn from(error: StartError) -> Self {
        let diagnostic = Diagnostic {
            hints: error.hints,
            ..Diagnostic::error(error.summary)
        };
        diagnostic.detail(error.detail).into()
    }
}

/// The very files that would be started as a program's providers; one that is not installed is left out.
///
/// # Errors
/// When a file cannot be read.
pub fn provider_builds(
    program: &Program,
    plugins: &Plugins,
) -> Result<Vec<ProviderBuild>, DeployError> {
    let sources = program.providers().iter();
    let sources = sources.map(|config| &config.address.source);
    // The built-in provider is a part of this program, whose own digest a plan has as well.
    let sources: BTreeSet<_> = sources.filter(|source| !source.is_builtin()).collect();
    let mut digests: BTreeMap<PathBuf, Sha256> = BTreeMap::new();
    let mut builds = Vec::new();
    for source in sources {
        let mut build = ProviderBuild {
            source: source.clone(),
            version: None,
            sha256: None,
        };
        if plugins.is_attached(source)? {
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

/// The build of this program: the digest of its file.
///
/// # Errors
/// When it cannot be read.
pub fn own_digest() -> Result<Sha256, DeployError> {
    digest_of(&own_program()?)
}

/// The file of this program.
///
/// # Errors
/// When the system does not say it.
pub fn own_program() -> Result<PathBuf, DeployError> {
    std::env::current_exe().map_err(|error| {
        let lost = Diagnostic::error("cannot find this program's own file");
        lost.detail(error.to_string()).into()
    })
}

fn digest_of(file: &Path) -> Result<Sha256, DeployError> {
    let digest = std::fs::File::open(file).and_then(Sha256::of_reader);
    digest.map_err(|error| {
        let unread = Diagnostic::error(format!("cannot read {}", file.display()));
        unread.detail(error.to_string()).into()
    })
}
