//! The work of a deployment, in the thread of its host: programs, providers, state, plans and runs.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use terrane_core::{Diagnostic, Diagnostics, ModuleValues, Program};
use terrane_engine::{Engine, EventSink, Host, PROVIDER_PROCESSES, PlanOptions, RefreshPolicy};
use terrane_provider::Providers;
use terrane_registry::LockFile;
use terrane_state::model::Lineage;
use terrane_state::{
    Backend, BackendConfig, LocalBackend, Operation, Origin, Recorder as _, Run, RunOptions,
    finish_transfers,
};

use super::unattended::{Unattended, Waiting, finished};
use super::{Inner, ProviderSource, Store};
use crate::cancellation::Cancellation;
use crate::deployed::{Deployed, Previewed, StackOutputs};
use crate::error::DeployError;
use crate::masked::MaskedEvents;
use crate::options::{Operating, Preview, Up};
use crate::plan_cache::KeptCache;
use crate::program::{
    declared, needs_state_for_hosts, read_references, read_secrets, resolve_hosts, same_hosts,
};
use crate::providers::{ProviderSetup, Unobserved};
use crate::redactor::Redactor;
use crate::rescue::{Aftermath, RescueFolder, lost};
use crate::run::{
    FreshPlan, HeldRun, PlanSource, Rehearsed, attend, make_plan, rehearse, stopped_by,
};
use crate::sharing::SharedProviders;
use crate::{callers, identity, policies};
impl Inner {
    pub(super) fn redactor(&self) -> Redactor {
        Redactor::new(&self.environment)
    }

    pub(super) fn declared(
        &self,
        values: ModuleValues,
        redactor: &Redactor,
    ) -> Result<Program, DeployError> {
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
    fn location(&self) -> Result<Option<BackendConfig>, DeployError> {
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

    pub(super) async fn backend(&self) -> Result<Arc<dyn Backend>, DeployError> {
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
    ) -> Result<(Program, Arc<dyn Providers>), DeployError> {
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
    ) -> Result<(), DeployError> {
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
    pub(super) async fn redeclared(
        &self,
        before: &Program,
        values: ModuleValues,
        operating: &Operating,
        redactor: &Redactor,
    ) -> Result<Program, DeployError> {
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

    pub(super) async fn preview(
        &self,
        options: Preview,
        redactor: &Arc<Redactor>,
    ) -> Result<Previewed, DeployError> {
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
        let reads = planning.refresh;
        let cache = match reads == RefreshPolicy::Changed {
            true => KeptCache::of(backend.clone(), true).await,
            false => None,
        };
        let engine = self.engine(&*providers, &events, operating.parallelism);
        let engine = KeptCache::known_to(engine, cache.as_ref());
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
        if let Some(cache) = &cache {
            cache.keep(&engine).await;
        }
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

    pub(super) async fn run(
        &self,
        options: Up,
        operation: Operation,
        redactor: &Arc<Redactor>,
    ) -> Result<Deployed, DeployError> {
        let Up {
            operating,
            planning,
            approve,
        } = options;
        let backend = self.backend().await?;
        let (program, providers) = self.parts(&*backend, &operating, redactor).await?;
        let run = self.open(backend.clone(), &operating, operation).await?;
        let events = MaskedEvents::new(operating.events.clone(), redactor.clone());
        let source = FreshPlan(planning);
        let cache = KeptCache::of(backend, PlanSource::<Unattended>::uses_cache(&source)).await;
        let engine = self.engine(&*providers, &events, operating.parallelism);
        let engine = KeptCache::known_to(engine, cache.as_ref());
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
        let ended = attend(held, &source, &attendant).await;
        engine.close().await;
        if let (Ok(_), Some(cache)) = (&ended, &cache) {
            cache.keep(&engine).await;
        }
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
    ) -> Result<Run, DeployError> {
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
    fn origin(&self) -> Result<Origin, DeployError> {
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
    ) -> Result<DeployError, DeployError> {
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
    let stopping = stopped_by(engine, cancellation.cancelled());
    tokio::select! {
        done = work => done,
        never = stopping => match never {},
    }
}

fn misconfigured(summary: String) -> DeployError {
    DeployError::Misconfigured(Diagnostic::error(summary).into())
}
