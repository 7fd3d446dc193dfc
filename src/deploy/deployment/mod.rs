//! A stack as a value: its function, its configuration, its state, its providers.

mod operations;
mod unattended;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use terrane_config::ConfigValues;
use terrane_core::{KnownValues, Program, Result, Stack};
use terrane_engine::PlanMode;
use terrane_provider::{Environment, Providers};
use terrane_state::{Backend, BackendConfig, Backends, Operation, Run, State};

use crate::cancellation::Cancellation;
use crate::deployed::{Deployed, Previewed, StackOutputs};
use crate::error::DeployError;
use crate::host::DeploymentHost;
use crate::options::{Preview, Up};
use crate::providers::ProviderSetup;
use crate::saved::PlanBytes;

/// A stack that a program deploys: made once, and used as often as it is needed.
///
/// ```no_run
/// use std::sync::Arc;
/// use terrane_config::ConfigValues;
/// use terrane_core::Stack;
/// use terrane_deploy::{Deployment, DeploymentHost, Preview, Up};
///
/// fn platform(stack: &mut Stack) -> terrane_core::Result<()> { Ok(()) }
///
/// # async fn example() -> Result<(), terrane_deploy::DeployError> {
/// let host = DeploymentHost::new()?;
/// let mut config = ConfigValues::new();
/// config.add_toml("prod.toml", "region = \"us-east-1\"")?;
/// let prod = Deployment::new("prod", platform, &host)
///     .config(config)
///     .backend(terrane_state::S3Backend::new("acme-state", "prod.tfstate").lock_table("acme-locks"));
///
/// let preview = prod.preview(Preview::default()).await?;
/// println!("{} to add", preview.summary().create);
/// let deployed = prod.up(Up::default()).await?;
/// let endpoint: String = deployed.outputs.get("endpoint")?;
/// # Ok(())
/// # }
/// ```
///
/// The futures of its operations are `Send`; the work itself is done in the thread of its [`DeploymentHost`], to its end, also when the
/// future is dropped.
#[derive(Clone)]
#[must_use]
pub struct Deployment(Arc<Inner>);

type StackFunction = Arc<dyn Fn(&mut Stack) -> Result<()> + Send + Sync>;

#[derive(Clone)]
struct Inner {
    name: Arc<str>,
    function: StackFunction,
    config: ConfigValues,
    store: Option<Store>,
    environment: Environment,
    providers: Option<ProviderSource>,
    backends: Backends,
    folder: PathBuf,
    endpoint: Option<String>,
    /// How long a request of a provider may take effect after the provider is gone, where that is not the engine's own answer.
    late: Option<Duration>,
    host: DeploymentHost,
}

/// Where the state is kept.
#[derive(Clone)]
enum Store {
    At(BackendConfig),
    Open(Arc<dyn Backend>),
}

/// Where provider processes come from.
#[derive(Clone)]
enum ProviderSource {
    Setup(Box<ProviderSetup>),
    Given(Arc<dyn Providers>),
}

impl Deployment {
    /// The stack of that function, on that host. Its state lies in `.terrane/<name>/terraform.tfstate` unless
    /// [`backend`](Self::backend) says otherwise; nothing of the process's environment is read.
    pub fn new(
        name: impl Into<Arc<str>>,
        function: impl Fn(&mut Stack) -> Result<()> + Send + Sync + 'static,
        host: &DeploymentHost,
    ) -> Self {
        Self(Arc::new(Inner {
            name: name.into(),
            function: Arc::new(function),
            config: ConfigValues::new(),
            store: None,
            environment: Environment::default(),
            providers: None,
            backends: Backends::default(),
            folder: PathBuf::from(".terrane"),
            endpoint: None,
            late: None,
            host: host.clone(),
        }))
    }

    fn with(mut self, change: impl FnOnce(&mut Inner)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }

    /// The same with that configuration.
    pub fn config(self, values: ConfigValues) -> Self {
        self.with(|it| it.config = values)
    }

    /// The same with its state in that store.
    pub fn backend(self, backend: impl Into<BackendConfig>) -> Self {
        self.with(|it| it.store = Some(Store::At(backend.into())))
    }

    /// The same with its state in that store, which is connected already: one in memory, for tests.
    pub fn store(self, backend: Arc<dyn Backend>) -> Self {
        self.with(|it| it.store = Some(Store::Open(backend)))
    }

    /// The same with more kinds of stores in which it may read the states of other stacks.
    pub fn backends(self, backends: Backends) -> Self {
        self.with(|it| it.backends = backends)
    }

    /// The same in that environment: credentials, proxies, the name of the user, for its providers and for locks. Without it there is
    /// none.
    pub fn environment(self, environment: Environment) -> Self {
        self.with(|it| it.environment = environment)
    }

    /// The same with providers that are found, installed and started in that way.
    pub fn provider_setup(self, setup: ProviderSetup) -> Self {
        self.with(|it| it.providers = Some(ProviderSource::Setup(Box::new(setup))))
    }

    /// The same with provider processes from there.
    pub fn providers(self, providers: Arc<dyn Providers>) -> Self {
        self.with(|it| it.providers = Some(ProviderSource::Given(providers)))
    }

    /// The same with its own files in another folder than `.terrane`: the default state, rescued results.
    pub fn folder(self, folder: impl AsRef<Path>) -> Self {
        self.with(|it| folder.as_ref().clone_into(&mut it.folder))
    }

    /// The same with every provider pointed at that emulator, as `AWS_ENDPOINT_URL` does on the command line.
    pub fn endpoint(self, url: impl Into<String>) -> Self {
        self.with(|it| it.endpoint = Some(url.into()))
    }

    /// The same, where a request of a provider may take effect no longer than that after its process is gone.
    pub fn late_by(self, late: Duration) -> Self {
        self.with(|it| it.late = Some(late))
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Its host.
    pub fn host(&self) -> &DeploymentHost {
        &self.0.host
    }

    /// The program as it is declared, without providers and without its state.
    ///
    /// # Errors
    /// Every fault of the program or its configuration.
    pub fn program(&self) -> std::result::Result<Program, DeployError> {
        let redactor = self.0.redactor();
        let declared = self.0.declared(KnownValues::default(), &redactor);
        declared.map_err(|error| error.masked(&redactor))
    }

    /// Plans. Takes no lock and writes nothing.
    ///
    /// # Errors
    /// When the plan cannot be made. A plan that a policy refuses is no error here: [`Previewed::refusals`].
    pub async fn preview(&self, options: Preview) -> std::result::Result<Previewed, DeployError> {
        let inner = self.0.clone();
        let cancellation = options.operating.cancellation.clone();
        let work = move || async move {
            let redactor = Arc::new(inner.redactor());
            let previewed = inner.preview(options, &redactor).await;
            previewed.map_err(|error| error.masked(&redactor))
        };
        self.0.host.run(cancellation, work).await
    }

    /// Keeps the plan of a preview, for a file or a store: [`Up::saved_plan`] applies it later, exactly and once, in this build of the
    /// program. It holds secrets, unless the state is encrypted.
    ///
    /// # Errors
    /// When the program waits for values of another stack, or a provider cannot be read.
    pub async fn save(&self, previewed: &Previewed) -> std::result::Result<PlanBytes, DeployError> {
        let inner = self.0.clone();
        let host = &self.0.host;
        let build = host.run(Cancellation::new(), operations::own_build).await?;
        let origin = inner.origin_of(previewed, build)?;
        let plan = previewed.plan.clone();
        let work = move || async move {
            let backend = inner.backend().await?;
            let origin = terrane_engine::Origin {
                backend: backend.place(),
                ..origin
            };
            crate::saved::write_plan(&*backend, &plan, origin).await
        };
        self.0.host.run(Cancellation::new(), work).await
    }

    /// Plans and applies, under the lock of its state.
    ///
    /// # Errors
    /// When not everything was done; [`DeployError::Incomplete`] has what was.
    pub async fn up(&self, options: Up) -> std::result::Result<Deployed, DeployError> {
        self.run(options, PlanMode::Normal, Operation::Apply).await
    }

    /// Brings the state up to date with the world, and changes nothing else.
    ///
    /// # Errors
    /// As [`up`](Self::up).
    pub async fn refresh(&self, options: Up) -> std::result::Result<Deployed, DeployError> {
        self.run(options, PlanMode::RefreshOnly, Operation::Refresh)
            .await
    }

    /// Destroys everything in its state.
    ///
    /// # Errors
    /// As [`up`](Self::up).
    pub async fn destroy(&self, options: Up) -> std::result::Result<Deployed, DeployError> {
        self.run(options, PlanMode::Destroy, Operation::Apply).await
    }

    /// The exported values, from its state. Takes no lock.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub async fn outputs(&self) -> std::result::Result<StackOutputs, DeployError> {
        let (state, _) = self.state().await?;
        Ok(StackOutputs(state.outputs))
    }

    /// Its state, with the results that only the journal has; and the unresolved operations. Takes no lock.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn state(
        &self,
    ) -> std::result::Result<(State, terrane_state::Recovered), DeployError> {
        let inner = self.0.clone();
        let work = move || async move {
            let backend = inner.backend().await?;
            Ok(Run::look(&*backend).await?)
        };
        self.0.host.run(Cancellation::new(), work).await
    }

    async fn run(
        &self,
        mut options: Up,
        mode: PlanMode,
        operation: Operation,
    ) -> std::result::Result<Deployed, DeployError> {
        options.planning.mode = mode;
        let inner = self.0.clone();
        let cancellation = options.operating.cancellation.clone();
        let work = move || async move {
            let redactor = Arc::new(inner.redactor());
            let deployed = inner.run(options, operation, &redactor).await;
            deployed.map_err(|error| error.masked(&redactor))
        };
        self.0.host.run(cancellation, work).await
    }
}

impl std::fmt::Debug for Deployment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Deployment")
            .field("name", &self.0.name)
            .finish_non_exhaustive()
    }
}
