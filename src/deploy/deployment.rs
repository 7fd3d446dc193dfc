//! A stack as a value: its function, its configuration, its state, its providers.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use terrane_config::ConfigValues;
use terrane_core::{Diagnostic, Diagnostics, ModuleValues, Program, Result, Stack};
use terrane_engine::{
    Engine, EventSink, Host, PROVIDER_PROCESSES, PlanMode, PlanOptions, Recovered,
};
use terrane_provider::{Environment, Providers};
use terrane_registry::LockFile;
use terrane_state::model::Lineage;
use terrane_state::{
    Backend, BackendConfig, Backends, LocalBackend, Operation, Origin, Patience, Recorder as _,
    Run, RunOptions, State, finish_transfers,
};

use crate::cancellation::Cancellation;
use crate::deployed::{Deployed, Previewed, StackOutputs};
use crate::error::DeployError;
use crate::host::DeploymentHost;
use crate::masked::MaskedEvents;
use crate::options::{Approve, Decision, Operating, Preview, Up};
use crate::program::{
    declared, needs_state_for_hosts, read_references, read_secrets, resolve_hosts, same_hosts,
};
use crate::providers::{ProviderSetup, Unobserved};
use crate::redactor::Redactor;
use crate::rescue::{Aftermath, RescueFolder, lost};
use crate::run::{
    Attendant, Carried, Ended, FreshPlan, HeldRun, Proposal, Rehearsed, attend, make_plan, rehearse,
};
use crate::sharing::SharedProviders;
use crate::{callers, identity, policies};

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
        let declared = self.0.declared(ModuleValues::default(), &redactor);
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

impl Inner {
    fn redactor(&self) -> Redactor {
        Redactor::new(&self.environment)
    }

    fn declared(
        &self,
        values: ModuleValues,
        redactor: &Redactor,
    ) -> std::result::Result<Program, DeployError> {
        let endpoint = self.endpoint.as_deref();
        declared(
            &*self.function,
            self.config.clone(),
            endpoint,
            values,
            redactor,
        )
    }

    /// The address of its state; `None` for a store that is connected already.
    fn location(&self) -> std::result::Result<Option<BackendConfig>, DeployError> {
        match &self.store {
            Some(Store::At(config)) => Ok(Some(config.clone())),
            Some(Store::Open(_)) => Ok(None),
            None => {
                // Names become paths; this is where they are checked.
                let default = LocalBackend::default_path(&self.name)
                    .map_err(|error| misconfigured(error.to_string()))?;
                let file = default.strip_prefix(".terrane").unwrap_or(&default);
                Ok(Some(self.folder.join(file).into()))
            }
        }
    }

    async fn backend(&self) -> std::result::Result<Arc<dyn Backend>, DeployError> {
        if let Some(Store::Open(backend)) = &self.store {
            return Ok(backend.clone());
        }
        let location = self.location()?.expect("invariant: no store is connected");
        Ok(location
            .in_environment(&self.environment.vars)
            .address()
            .connect(self.host.clock().clone())
            .await?)
    }

    /// The checked program, and where its provider processes come from.
    async fn parts(
        &self,
        backend: &dyn Backend,
        operating: &Operating,
        redactor: &Redactor,
    ) -> std::result::Result<(Program, Arc<dyn Providers>), DeployError> {
        let mut program = self.declared(ModuleValues::default(), redactor)?;
        self.read_outside(&program, operating, redactor).await?;
        let setup = match &self.providers {
            Some(ProviderSource::Given(providers)) => {
                let pool = self.host.pool().clone();
                let shared = SharedProviders::given(pool, providers.clone());
                return Ok((program, Arc::new(shared)));
            }
            Some(ProviderSource::Setup(setup)) => ProviderSetup::clone(setup),
            None => ProviderSetup::of(self.environment.clone())?,
        };
        // A file that cannot be read is told of where it is needed.
        let lock = LockFile::load(&setup.lock_file).unwrap_or_default();
        let state = match needs_state_for_hosts(&program, &lock) {
            true => Run::look(backend).await.ok().map(|(state, _)| state),
            false => None,
        };
        resolve_hosts(&mut program, &lock, state.as_ref(), &setup.cli_config);
        let plugins = setup.providers(&program, &Unobserved).await?;
        let environment = setup.passing(&program);
        let pool = self.host.pool().clone();
        let shared = SharedProviders::of_machine(pool, plugins, environment, setup.logs);
        Ok((program, Arc::new(shared)))
    }

    /// Reads what a program uses from elsewhere: exports of other stacks, and its secrets.
    async fn read_outside(
        &self,
        program: &Program,
        operating: &Operating,
        redactor: &Redactor,
    ) -> std::result::Result<(), DeployError> {
        let (producers, clock) = (&operating.producers, self.host.clock());
        read_references(program, producers, &self.backends, clock, redactor).await?;
        let is_sandbox = match &self.providers {
            Some(ProviderSource::Setup(setup)) => setup.sandbox.is_some(),
            _ => false,
        };
        read_secrets(program, &self.environment, is_sandbox, redactor).await?;
        Ok(())
    }

    /// The program again, where values are known that its modules take.
    async fn redeclared(
        &self,
        before: &Program,
        values: ModuleValues,
        operating: &Operating,
        redactor: &Redactor,
    ) -> std::result::Result<Program, DeployError> {
        let mut program = self.declared(values, redactor)?;
        self.read_outside(&program, operating, redactor).await?;
        same_hosts(&mut program, before);
        Ok(program)
    }

    fn engine<'a>(
        &'a self,
        providers: &'a dyn Providers,
        events: &'a dyn EventSink,
        parallelism: NonZeroUsize,
    ) -> Engine<'a> {
        let world = Host {
            providers,
            events,
            clock: &**self.host.clock(),
            random: &**self.host.random(),
        };
        let engine = Engine::new(world, parallelism.get()).provider_processes(PROVIDER_PROCESSES);
        match (&self.providers, self.late) {
            (_, Some(late)) => engine.late_by(late),
            // An operation of the sandbox's process has ended when that process is gone.
            (Some(ProviderSource::Setup(setup)), None) if setup.sandbox.is_some() => {
                engine.late_by(Duration::ZERO)
            }
            _ => engine,
        }
    }

    async fn preview(
        &self,
        options: Preview,
        redactor: &Arc<Redactor>,
    ) -> std::result::Result<Previewed, DeployError> {
        let Preview {
            operating,
            planning,
        } = options;
        let backend = self.backend().await?;
        let (program, providers) = self.parts(&*backend, &operating, redactor).await?;
        let (mut state, found) = Run::look(&*backend).await?;
        if state.serial == 0 {
            // A state that was never written has a lineage only while a run holds it; a plan must not rest on that.
            state.lineage = Lineage::default();
        }
        let events = MaskedEvents::new(operating.events.clone(), redactor.clone());
        let engine = self.engine(&*providers, &events, operating.parallelism);
        let planning = async {
            let Rehearsed {
                recovered, state, ..
            } = rehearse(&engine, &program, state, found.open).await;
            let options = PlanOptions {
                blocked: recovered.blocked(),
                unread: found.unread,
                ..planning
            };
            let cancellation = &operating.cancellation;
            let redeclare = async |values| {
                let again = self.redeclared(&program, values, &operating, redactor);
                again.await
            };
            let planned = make_plan(&engine, cancellation, &program, &state, &options, redeclare);
            let planned = planned.await;
            let (more, plan) = planned?;
            let planned_for = more.as_ref().unwrap_or(&program);
            let callers = callers::known(&engine, planned_for, &plan).await;
            Ok::<_, DeployError>((more, plan, recovered, callers))
        };
        let planned = cancellable(&engine, &operating.cancellation, planning).await;
        engine.close().await;
        let (more, mut plan, mut recovered, callers) = planned?;
        let program = more.unwrap_or(program);
        plan.diagnostics = redactor.diagnostics(plan.diagnostics);
        recovered.diagnostics = redactor.diagnostics(recovered.diagnostics);
        let mut diagnostics = plan.diagnostics.clone();
        diagnostics.extend(recovered.diagnostics.clone());
        Ok(Previewed {
            policies: policies::review(&plan, &program, redactor),
            plan,
            program,
            callers,
            recovered,
            diagnostics,
        })
    }

    async fn run(
        &self,
        options: Up,
        operation: Operation,
        redactor: &Arc<Redactor>,
    ) -> std::result::Result<Deployed, DeployError> {
        let Up {
            operating,
            planning,
            approve,
        } = options;
        let backend = self.backend().await?;
        let (program, providers) = self.parts(&*backend, &operating, redactor).await?;
        let run = self.open(backend, &operating, operation).await?;
        let events = MaskedEvents::new(operating.events.clone(), redactor.clone());
        let engine = self.engine(&*providers, &events, operating.parallelism);
        let attendant = Unattended {
            approve,
            redactor,
            deployment: self,
            program: &program,
            operating: &operating,
        };
        let held = HeldRun {
            program: &program,
            engine: &engine,
            run: &run,
            cancellation: &operating.cancellation,
        };
        let source = FreshPlan(planning);
        let ended = attend(held, &source, &attendant).await;
        engine.close().await;
        let closed = run.close().await;
        let unclosed = match &closed {
            Ok(_) => None,
            Err(error) => Some(self.unclosed(&run, error).await?),
        };
        let ended = match (ended, unclosed) {
            (_, Some(unclosed)) => return Err(unclosed),
            (Err(error), None) => return Err(error),
            (Ok(ended), None) => ended,
        };
        let serial = closed.map_or(0, |closed| closed.serial);
        let outputs = StackOutputs(run.state().outputs);
        finished(ended, outputs, serial, redactor)
    }

    /// Takes the lock and the state, unless results of an earlier run wait to be stored first.
    async fn open(
        &self,
        backend: Arc<dyn Backend>,
        operating: &Operating,
        operation: Operation,
    ) -> std::result::Result<Run, DeployError> {
        let place = self.origin()?.place;
        let rescued = self.rescue_folder().unpushed().into_iter();
        let refused = rescued.filter(|file| file.belongs_to(&place)).map(|file| {
            let shown = file.path.display();
            Diagnostic::error(format!(
                "{shown} holds results of an earlier run that are not in the state"
            ))
            .detail("a run without them would create existing objects again")
            .hint(format!("store them with `state push {shown}`"))
        });
        let refused: Diagnostics = refused.collect();
        if !refused.is_empty() {
            return Err(DeployError::Refused(refused));
        }
        let options = RunOptions {
            operation,
            engine: format!("terrane {}", env!("CARGO_PKG_VERSION")),
            process: identity::process(&self.environment),
            lock_timeout: operating.lock_timeout,
        };
        let (clock, random) = (self.host.clock().clone(), self.host.random().clone());
        let patience = Waiting(&operating.cancellation);
        let opened = Run::open(backend, options.clone(), clock, random, &patience).await;
        if operating.cancellation.is_cancelled() {
            if let Ok((run, _)) = opened {
                run.close().await?;
            }
            return Err(DeployError::Cancelled);
        }
        let run = opened?.0;
        let finished = finish_transfers(&run, &self.backends, &options, &patience).await;
        if let Err(error) = finished {
            run.close().await?;
            return Err(error.into());
        }
        Ok(run)
    }

    fn rescue_folder(&self) -> RescueFolder {
        RescueFolder(self.folder.join(&*self.name))
    }

    /// The place of its state, as rescue files name it.
    fn origin(&self) -> std::result::Result<Origin, DeployError> {
        Ok(match (self.location()?, &self.store) {
            (Some(location), _) => Origin {
                place: location.address().identity(),
                arguments: format!("--backend '{}'", location.address().absolute()),
            },
            (None, Some(Store::Open(backend))) => Origin {
                place: backend.place(),
                arguments: String::new(),
            },
            (None, _) => unreachable!("a state has an address or an open store"),
        })
    }

    /// Why a run could not be closed, with the place of its results.
    async fn unclosed(
        &self,
        run: &Run,
        error: &terrane_state::RunError,
    ) -> std::result::Result<DeployError, DeployError> {
        let folder = self.rescue_folder();
        let told = match folder.rescue(run, error, self.origin()?).await {
            None => return Ok(error.clone().into()),
            Some(Aftermath::InState) => {
                Diagnostic::warning("the state has every result of this run")
            }
            Some(Aftermath::InJournal) => {
                Diagnostic::warning("the journal has every result of this run")
                    .detail("the next run puts them into the state")
            }
            Some(Aftermath::Saved(path)) => {
                let path = path.display();
                Diagnostic::error("the results of this run are stored on this machine only")
                    .detail(format!("they are in {path}"))
                    .hint(format!("store them with `state push {path}`"))
            }
            Some(Aftermath::Lost(why)) => lost(&why),
        };
        let mut diagnostics = DeployError::from(error.clone()).diagnostics();
        diagnostics.push(told);
        Ok(DeployError::Unwritten(diagnostics))
    }
}

/// Does that work with the engine; once it is cancelled, running requests are asked to end early.
async fn cancellable<T>(
    engine: &Engine<'_>,
    cancellation: &Cancellation,
    work: impl Future<Output = T>,
) -> T {
    let stopping = async {
        cancellation.cancelled().await;
        engine.stopper().stop().await;
        std::future::pending::<std::convert::Infallible>().await
    };
    tokio::select! {
        done = work => done,
        never = stopping => match never {},
    }
}

fn misconfigured(summary: String) -> DeployError {
    DeployError::Misconfigured(Diagnostic::error(summary).into())
}

/// The result of a run, as an error where it did not do everything.
fn finished(
    ended: Ended<'_, DeployError>,
    outputs: StackOutputs,
    serial: u64,
    redactor: &Redactor,
) -> std::result::Result<Deployed, DeployError> {
    let Ended {
        plan,
        recovered,
        carried,
    } = ended;
    let mut plan = plan.into_owned();
    plan.diagnostics = redactor.diagnostics(plan.diagnostics);
    let mut diagnostics = plan.diagnostics.clone();
    diagnostics.extend(redactor.diagnostics(recovered.diagnostics));
    let (applied, deferred, deferred_modules, stopped) = match carried {
        None => (
            None,
            plan.deferred.clone(),
            plan.deferred_modules.clone(),
            None,
        ),
        Some(Carried {
            applied,
            deferred,
            deferred_modules,
            stopped,
        }) => (Some(applied), deferred, deferred_modules, stopped),
    };
    let applied = applied.map(|mut applied| {
        applied.diagnostics = redactor.diagnostics(applied.diagnostics);
        diagnostics.extend(applied.diagnostics.clone());
        applied
    });
    let record_error = applied.as_ref().and_then(|it| it.record_error.clone());
    let was_cancelled = matches!(stopped, Some(DeployError::Cancelled));
    if let Some(stopped) = stopped.filter(|_| !was_cancelled) {
        diagnostics.extend(redactor.diagnostics(stopped.diagnostics()));
    }
    let has_errors = diagnostics.has_errors();
    let deployed = Deployed {
        plan,
        applied,
        deferred,
        deferred_modules,
        unresolved: recovered.remaining,
        outputs,
        serial,
        diagnostics,
        was_cancelled,
    };
    match record_error {
        Some(error) => Err(error.into()),
        None if deployed.is_complete() && !has_errors => Ok(deployed),
        None => Err(DeployError::Incomplete(Box::new(deployed))),
    }
}

/// Nobody watches but a function that is asked about plans.
struct Unattended<'a> {
    approve: Option<Approve>,
    redactor: &'a Redactor,
    deployment: &'a Inner,
    program: &'a Program,
    operating: &'a Operating,
}

impl Attendant for Unattended<'_> {
    type Error = DeployError;

    fn recovered(&self, _: &Recovered) {}

    fn unresolved(&self, _: &Program, _: &Recovered) {}

    async fn redeclare(&self, values: ModuleValues) -> std::result::Result<Program, DeployError> {
        let Self {
            deployment,
            program,
            operating,
            redactor,
            ..
        } = self;
        deployment
            .redeclared(program, values, operating, redactor)
            .await
    }

    async fn confirm(&self, proposal: &Proposal<'_>) -> std::result::Result<(), DeployError> {
        let Proposal { plan, program, .. } = proposal;
        let reports = policies::review(plan, program, self.redactor);
        policies::check(&reports)?;
        if let (false, Some(stuck)) = (proposal.is_continuation, plan.stuck(None)) {
            return Err(stuck.into());
        }
        // Drift alone is recorded without a question, as everywhere.
        if plan.is_empty() || plan.only_defers() {
            return Ok(());
        }
        let Some(approve) = &self.approve else {
            return Ok(());
        };
        match approve(proposal).await {
            Decision::Yes => Ok(()),
            Decision::No => Err(DeployError::NotConfirmed),
        }
    }

    fn continues(&self, _: &terrane_engine::Plan) {}

    fn cancelled_midway(&self) -> DeployError {
        DeployError::Cancelled
    }
}

/// Waits for a lock until it is cancelled.
struct Waiting<'a>(&'a Cancellation);

impl Patience for Waiting<'_> {
    fn refused(&self, _: &terrane_state::backend::Holder) {}

    fn is_over(&self) -> bool {
        self.0.is_cancelled()
    }
}
