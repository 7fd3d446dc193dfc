//! The work of a deployment, in the thread of its host: programs, providers, state, plans and runs.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use terrane_core::{Diagnostic, Diagnostics, KnownValues, Program};
use terrane_engine::{
    self as engine, Engine, EventSink, Host, PROVIDER_PROCESSES, PlanOptions, ProviderBuild,
    RefreshPolicy,
};
use terrane_provider::{Plugins, Providers};
use terrane_registry::LockFile;
use terrane_state::model::Lineage;
use terrane_state::{
    Backend, BackendConfig, LocalBackend, Operation, Origin, Recorder as _, Run, RunOptions,
    Sha256, finish_transfers,
};

use super::unattended::{Unattended, Waiting, finished};
use super::{Inner, ProviderSource, Store};
use crate::cancellation::Cancellation;
use crate::deployed::{Deployed, Previewed, StackOutputs};
use crate::error::DeployError;
use crate::masked::MaskedEvents;
use crate::options::{Operating, Preview, SavedPlanOption, Up};
use crate::plan_cache::KeptCache;
use crate::program::{
    declared, needs_state_for_hosts, read_references, read_secrets, resolve_hosts, same_hosts,
};
use crate::providers::{ProviderSetup, Unobserved, own_digest, provider_builds};
use crate::redactor::Redactor;
use crate::rescue::{Aftermath, RescueFolder, lost};
use crate::run::{
    FreshPlan, HeldRun, PlanSource, Rehearsed, attend, make_plan, rehearse, stopped_by,
};
use crate::saved::{
    ActsIn, FixedPlan, UNREAD, check_build, check_digest, check_place, check_providers,
    check_saveable, check_stack, read_plan,
};
use crate::sharing::SharedProviders;
use crate::transfers::unfinished_moves;
use crate::{callers, identity, policies};

/// The checked program, and where its provider processes come from.
struct Parts {
    program: Program,
    providers: Arc<dyn Providers>,
    /// Those of this machine.
    plugins: Option<Arc<Plugins>>,
}

impl Parts {
    /// The files of its providers, where they come from this machine.
    fn builds(&self) -> Result<Vec<ProviderBuild>, DeployError> {
        match &self.plugins {
            Some(plugins) => provider_builds(&self.program, plugins),
            None => Ok(Vec::new()),
        }
    }
}

impl Inner {
    pub(super) fn redactor(&self) -> Redactor {
        Redactor::new(&self.environment)
    }

    pub(super) fn declared(
        &self,
        values: KnownValues,
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

    /// The same in a thread of its own: a stack function may read files or ask a service, and its neighbours go on meanwhile. No more of
    /// them run at once than operations do.
    async fn declared_aside(
        &self,
        values: KnownValues,
        redactor: &Arc<Redactor>,
    ) -> Result<Program, DeployError> {
        let (inner, redactor) = (self.clone(), redactor.clone());
        let declared = tokio::task::spawn_blocking(move || inner.declared(values, &redactor));
        match declared.await {
            Ok(declared) => declared,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err(DeployError::Cancelled),
            },
        }
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
        values: KnownValues,
        redactor: &Arc<Redactor>,
    ) -> Result<Parts, DeployError> {
        let mut program = self.declared_aside(values, redactor).await?;
        self.read_outside(&program, operating, redactor).await?;
        let setup = match &self.providers {
            Some(ProviderSource::Given(providers)) => {
                let pool = self.host.pool().clone();
                let shared = SharedProviders::given(pool, providers.clone());
                return Ok(Parts {
                    program,
                    providers: Arc::new(shared),
                    plugins: None,
                });
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
        let plugins = Arc::new(setup.providers(&program, &Unobserved).await?);
        let environment = setup.passing(&program);
        let pool = self.host.pool().clone();
        let shared = SharedProviders::of_machine(pool, plugins.clone(), environment, setup.logs);
        Ok(Parts {
            program,
            providers: Arc::new(shared),
            plugins: Some(plugins),
        })
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
        read_secrets(program, &self.environment, self.is_sandbox(), redactor).await?;
        Ok(())
    }

    /// The program again, where values are known that its modules take.
    pub(super) async fn redeclared(
        &self,
        before: &Program,
        values: KnownValues,
        operating: &Operating,
        redactor: &Arc<Redactor>,
    ) -> Result<Program, DeployError> {
        let mut program = self.declared_aside(values, redactor).await?;
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
        let none = KnownValues::default();
        let parts = self.parts(&*backend, &operating, none, redactor).await?;
        let builds = parts.builds()?;
        let Parts {
            program, providers, ..
        } = parts;
        let unread = planning.refresh == RefreshPolicy::Nothing;
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
            } = rehearse(
                &engine,
                &program,
                state,
                found.open.clone(),
                async |values| {
                    let again = self.redeclared(&program, values, &operating, redactor);
                    again.await
                },
            )
            .await;
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
        diagnostics
            .extend(unfinished_moves(&found.transfers, &self.backends, self.host.clock()).await);
        Ok(Previewed {
            policies: policies::review(&plan, &program, redactor),
            plan,
            program,
            callers,
            recovered,
            diagnostics,
            made_at: self.host.clock().now(),
            providers: builds,
            unread,
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
            saved,
        } = options;
        let backend = self.backend().await?;
        let saved = match saved {
            Some(saved) => Some(self.read_plan(&*backend, &saved).await?),
            None => None,
        };
        let values = saved
            .as_ref()
            .map(|saved| saved.origin.known_values.clone());
        let values = values.unwrap_or_default();
        let parts = self.parts(&*backend, &operating, values, redactor).await?;
        let fixed = match saved {
            Some(saved) => {
                check_providers(&saved.origin, &parts.builds()?)?;
                let who = identity::who(&self.environment);
                Some(FixedPlan::of(saved, &parts.program, who)?)
            }
            None => None,
        };
        let Parts {
            program, providers, ..
        } = parts;
        let run = self.open(backend.clone(), &operating, operation).await?;
        let events = MaskedEvents::new(operating.events.clone(), redactor.clone());
        let fresh = FreshPlan(planning);
        // A plan that was made before is not made again.
        let uses_cache = fixed.is_none() && PlanSource::<Unattended>::uses_cache(&fresh);
        let cache = KeptCache::of(backend, uses_cache).await;
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
        let ended = match &fixed {
            Some(fixed) => {
                for change in &fixed.plan.changes {
                    redactor.learn(&change.before);
                    redactor.learn(&change.after);
                }
                attend(held, fixed, &attendant).await
            }
            None => attend(held, &fresh, &attendant).await,
        };
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

    /// Where a plan comes from that was made now; its state is known later.
    pub(super) fn origin_of(
        &self,
        previewed: &Previewed,
        executable: Sha256,
    ) -> Result<engine::Origin, DeployError> {
        let program = &previewed.program;
        check_saveable(program)?;
        Ok(engine::Origin {
            nonce: self.host.random().uuid(),
            terrane: env!("CARGO_PKG_VERSION").to_owned(),
            who: identity::who(&self.environment),
            made_at: previewed.made_at,
            stack: self.name.to_string(),
            backend: String::new(),
            sandbox: self.is_sandbox(),
            endpoint: self.endpoint.clone(),
            executable,
            program: engine::Fingerprint::of(program),
            // The configuration of a deployment is its own; the program's declarations are compared.
            inputs: engine::Inputs::default(),
            flags: match previewed.unread {
                true => vec![UNREAD.to_owned()],
                false => Vec::new(),
            },
            providers: previewed.providers.clone(),
            callers: previewed.callers.clone(),
            known_values: program.known_values().clone(),
        })
    }

    /// A saved plan, if it is one of this stack, this build and this place.
    async fn read_plan(
        &self,
        backend: &dyn Backend,
        SavedPlanOption { plan, digest }: &SavedPlanOption,
    ) -> Result<engine::SavedPlan, DeployError> {
        if let Some(digest) = digest {
            check_digest(plan, digest)?;
        }
        let saved = read_plan(backend, plan, "these bytes").await?;
        check_stack(&saved.origin, &self.name)?;
        check_build(&saved.origin, own_build().await?)?;
        let now = ActsIn {
            sandbox: self.is_sandbox(),
            backend: &backend.place(),
            endpoint: self.endpoint.as_deref(),
        };
        check_place(&saved.origin, now)?;
        Ok(saved)
    }

    fn is_sandbox(&self) -> bool {
        match &self.providers {
            Some(ProviderSource::Setup(setup)) => setup.sandbox.is_some(),
            _ => false,
        }
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

/// The build of this program, read aside: its file is long.
pub(super) async fn own_build() -> Result<Sha256, DeployError> {
    let read = tokio::task::spawn_blocking(own_digest).await;
    read.unwrap_or(Err(DeployError::Cancelled))
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
