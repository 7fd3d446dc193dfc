//! Starts providers by their source: finds the binary, launches it, and asks for its schema.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::HEXLOWER;
use terrane_core::addr::ProviderSource;
use terrane_registry::{CliConfig, Version, VersionRequirement, locate};

use crate::builtin::Builtin;
use crate::cache::SchemaCache;
use crate::client::{Client, Schemas};
use crate::environment::Environment;
use crate::log::{LogLevel, LogSink};
use crate::plugin::{Launch, Launchpad, Plugin, Reattach};
use crate::provider::{Provider, Providers, StartError};
use crate::recording::{Recorded, Recorder, Recording};
use crate::wire::schemas_json;
use crate::withheld::Withheld;

/// The providers of this machine, as processes.
///
/// ```no_run
/// # async fn example(vars: Vec<(String, String)>) -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::Arc;
/// use terrane_core::addr::ProviderSource;
/// use terrane_provider::{CliConfig, Environment, Launch, NoLog, Plugins, Providers as _};
///
/// let environment: Environment = vars.into_iter().collect();
/// let cli_config = CliConfig::load(&environment.vars)?;
/// let launch = Launch::Reexec(std::env::current_exe()?);
/// let plugins = Plugins::new(environment, cli_config, launch, Arc::new(NoLog))
///     .require(ProviderSource::implied_by("aws_vpc"), "~> 5.31".parse()?);
/// let aws = plugins.start(&ProviderSource::implied_by("aws_vpc")).await?;
/// assert!(aws.resource_schema("aws_vpc")?.is_some());
/// aws.shutdown().await;
/// # Ok(())
/// # }
/// ```
pub struct Plugins {
    pad: Launchpad,
    cli_config: CliConfig,
    required: BTreeMap<ProviderSource, VersionRequirement>,
    fixed: BTreeMap<ProviderSource, InstalledProvider>,
    schemas: SchemaCache,
    recorder: Option<Arc<Recorder>>,
    recording: Option<Recording>,
}

/// A command that starts a provider.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ProviderCommand {
    /// The executable.
    pub binary: PathBuf,
    /// Its arguments; real providers have none.
    pub arguments: Vec<String>,
    /// Environment variables beside those that every process of that provider gets.
    pub vars: Vec<(String, String)>,
}

impl From<PathBuf> for ProviderCommand {
    fn from(binary: PathBuf) -> Self {
        Self {
            binary,
            arguments: Vec::new(),
            vars: Vec::new(),
        }
    }
}

/// Which binary of a provider would be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstalledProvider {
    /// How it is started.
    pub command: ProviderCommand,
    /// Its version; `None` for one under development, or that was named by its path.
    pub version: Option<Version>,
}

impl Plugins {
    /// The providers that this environment and configuration lead to.
    pub fn new(
        environment: Environment,
        cli_config: CliConfig,
        launch: Launch,
        sink: Arc<dyn LogSink>,
    ) -> Self {
        Self {
            pad: Launchpad {
                environment,
                launch,
                sink,
                handshake_limit: None,
            },
            cli_config,
            required: BTreeMap::new(),
            fixed: BTreeMap::new(),
            schemas: SchemaCache::default(),
            recorder: None,
            recording: None,
        }
    }

    /// The same, with versions of that provider limited to those that a program's bindings were made for.
    #[must_use]
    pub fn require(mut self, source: ProviderSource, requirement: VersionRequirement) -> Self {
        self.required.insert(source, requirement);
        self
    }

    /// The same, with that command as that provider, whatever the configuration says.
    #[must_use]
    pub fn with_command(self, source: ProviderSource, command: impl Into<ProviderCommand>) -> Self {
        let installed = InstalledProvider {
            command: command.into(),
            version: None,
        };
        self.with_installed(source, installed)
    }

    /// The same, with that installed provider, whatever the configuration says.
    #[must_use]
    pub fn with_installed(mut self, source: ProviderSource, installed: InstalledProvider) -> Self {
        self.fixed.insert(source, installed);
        self
    }

    /// The same, with more of the environment for that provider: names, or prefixes with a `*`.
    #[must_use]
    pub fn pass_env(mut self, source: ProviderSource, names: &[Arc<str>]) -> Self {
        let passed = self.pad.environment.passed.entry(source).or_default();
        passed.extend(names.iter().cloned());
        self
    }

    /// The same, with another limit on how long a process may take to print its handshake line (one minute).
    #[must_use]
    pub fn handshake_limit(mut self, limit: Duration) -> Self {
        self.pad.handshake_limit = Some(limit);
        self
    }

    /// The same, with schemas kept between runs in that folder, which need not exist; it may be shared, and be deleted at any time.
    #[must_use]
    pub fn keep_schemas_in(mut self, folder: PathBuf) -> Self {
        self.schemas = SchemaCache::in_folder(folder);
        self
    }

    /// The same, with everything that is said to and by a provider in that recording.
    #[must_use]
    pub fn recorded_by(mut self, recorder: Arc<Recorder>) -> Self {
        self.recorder = Some(recorder);
        self
    }

    /// Those of a recording in place of all that this machine has.
    #[must_use]
    pub fn replaying(mut self, recording: Recording) -> Self {
        self.recording = Some(recording);
        self
    }

    pub(crate) fn pad(&self) -> &Launchpad {
        &self.pad
    }

    /// Whether a running process would be attached to instead of starting one.
    ///
    /// # Errors
    /// When the variable that says so cannot be read.
    pub fn is_attached(&self, source: &ProviderSource) -> Result<bool, StartError> {
        Ok(Reattach::find(&self.pad.environment, source)?.is_some())
    }

    /// Which binary would be started.
    ///
    /// # Errors
    /// When there is none, with where it was looked for and what to do.
    pub fn locate(&self, source: &ProviderSource) -> Result<InstalledProvider, StartError> {
        if let Some(installed) = self.fixed.get(source) {
            return Ok(installed.clone());
        }
        let found = locate(&self.cli_config, source, self.required.get(source))?;
        Ok(InstalledProvider {
            command: found.binary.into(),
            version: found.version,
        })
    }
}

impl Plugins {
    /// The schemas of a provider as `terraform providers schema -json` prints them. Its process lives no longer than the question.
    ///
    /// # Errors
    /// When it cannot be started, or its schemas cannot be read.
    pub async fn schemas_json(
        &self,
        source: &ProviderSource,
    ) -> Result<serde_json::Value, StartError> {
        let plugin = match Reattach::find(&self.pad.environment, source)? {
            Some(reattach) => Plugin::attach(&self.pad, source, &reattach).await?,
            None => {
                let InstalledProvider { command, .. } = self.locate(source)?;
                let withheld = Withheld::from(&self.pad.environment, source);
                let plugin = Plugin::start(&self.pad, source, &command).await;
                plugin.map_err(|error| withheld.explain_start(error))?
            }
        };
        let answer = Client::fetch_schemas(&plugin).await?;
        let identities = answer.identities.unwrap_or_default();
        let json = schemas_json(&answer.schema, &identities, plugin.protocol());
        plugin.stop().await;
        json.map_err(|reason| {
            StartError::new(format!("the schemas of {source} cannot be read: {reason}"))
        })
    }
}

#[async_trait]
impl Providers for Plugins {
    async fn start(&self, source: &ProviderSource) -> Result<Arc<dyn Provider>, StartError> {
        if source.is_builtin() {
            return Ok(Arc::new(Builtin));
        }
        if let Some(recording) = &self.recording {
            return recording.start(source).await;
        }
        let provider = self.start_process(source).await?;
        Ok(match &self.recorder {
            None => provider,
            Some(recorder) => Arc::new(Recorded::new(provider, source, recorder.clone())),
        })
    }

    async fn build(&self, source: &ProviderSource) -> Option<String> {
        if source.is_builtin() {
            return Some(format!("of terrane {}", env!("CARGO_PKG_VERSION")));
        }
        // Nobody knows what a process is made of that somebody else started.
        if self.recording.is_some() || self.is_attached(source).ok()? {
            return None;
        }
        let InstalledProvider { command, version } = self.locate(source).ok()?;
        let hash = self.schemas.hash(&command).await?;
        let version = version.map_or_else(String::new, |version| version.to_string());
        let settings = self.pad.environment.settings_for(source);
        let found = (command.arguments, command.vars, settings);
        let found = digest(&SHA256, format!("{found:?}").as_bytes());
        let (hash, found) = (
            HEXLOWER.encode(&hash),
            HEXLOWER.encode(&found.as_ref()[..8]),
        );
        Some(format!("{version} {hash} {found}"))
    }
}

impl Plugins {
    async fn start_process(
        &self,
        source: &ProviderSource,
    ) -> Result<Arc<dyn Provider>, StartError> {
        if let Some(reattach) = Reattach::find(&self.pad.environment, source)? {
            let plugin = Plugin::attach(&self.pad, source, &reattach).await?;
            let answer = Client::fetch_schemas(&plugin).await?;
            let schemas = Arc::new(Schemas::new(plugin.protocol(), answer));
            return Ok(Arc::new(Client::new(plugin, schemas, Withheld::default())));
        }
        let InstalledProvider { command, .. } = self.locate(source)?;
        let withheld = Withheld::from(&self.pad.environment, source);
        let (plugin, entry) = tokio::join!(
            Plugin::start(&self.pad, source, &command),
            self.schemas.find(&command)
        );
        let plugin = plugin.map_err(|error| withheld.explain_start(error))?;
        if let Some(schemas) = entry.schemas_for(&command, plugin.protocol()) {
            plugin.note(LogLevel::Debug, "its schema comes from the cache");
            return Ok(Arc::new(Client::new(plugin, schemas.clone(), withheld)));
        }
        let answer = Client::fetch_schemas(&plugin).await?;
        let schemas = Arc::new(Schemas::new(plugin.protocol(), answer.clone()));
        let keeping = (self.schemas).keep(&command, &entry, &plugin, answer, &schemas);
        let client = Client::new(plugin, schemas, withheld);
        Ok(Arc::new(client.keeping(keeping)))
    }
}
