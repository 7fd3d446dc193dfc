//! The engine: one run's providers, and the verbs on them.

use std::time::Duration;

use terrane_core::{Diagnostics, KnownValues, Program};
use terrane_provider::Providers;
use terrane_state::crash::{self, Point};
use terrane_state::{Clock, MemoryRecorder, OpenIntent, Random, Recorder, State};

use crate::apply::{self, Applied, Applier};
use crate::caller::{CallerIdentity, callers};
use crate::contents::{Contents, contents};
use crate::event::{Event, EventSink, Quiet};
use crate::first_plans::FinalPlans;
use crate::lint::deprecated;
use crate::moved::moved;
use crate::options::{PlanMode, PlanOptions};
use crate::plan::Plan;
use crate::plan::inputs::{Inputs, serving};
use crate::plan::moves::Moves;
use crate::plan::planner::Planner;
use crate::plan::value_modules::{uses_no_new_provider, waiting};
use crate::plan_cache::{Memory, PlanCache};
use crate::recover::{LATE, Recovered, Recovery};
use crate::running::RunningProviders;
use crate::stop::{StopFlag, Stopper};
use crate::validate::validate;

/// Everything outside of the engine that a run uses. What could make two runs differ is behind one of its traits.
#[derive(Clone, Copy)]
pub struct Host<'a> {
    /// Starts provider processes.
    pub providers: &'a dyn Providers,
    /// Takes the events.
    pub events: &'a dyn EventSink,
    /// Time.
    pub clock: &'a dyn Clock,
    /// Randomness, for deposed keys and operation ids.
    pub random: &'a dyn Random,
}

/// One run: plans, applies, and keeps the provider processes between the two.
///
/// Its futures run in the caller's task and are not `Send`.
pub struct Engine<'a> {
    pub(crate) host: Host<'a>,
    parallelism: usize,
    running: RunningProviders<'a>,
    stop: StopFlag,
    late: Duration,
}

impl<'a> Engine<'a> {
    /// An engine that has at most `parallelism` instances in progress at once (at least one).
    pub fn new(host: Host<'a>, parallelism: usize) -> Self {
        let running = RunningProviders::new(host.providers, host.events, host.clock);
        Self {
            host,
            parallelism,
            running,
            stop: StopFlag::default(),
            late: LATE,
        }
    }

    /// The same, where a request of a provider may still take effect that long after the provider is gone; two minutes unless said
    /// otherwise.
    #[must_use]
    pub fn late_by(mut self, late: Duration) -> Self {
        self.late = late;
        self
    }

    /// The same with at most that many provider processes, as far as fewer are busy; [`PROVIDER_PROCESSES`](crate::PROVIDER_PROCESSES)
    /// unless said otherwise.
    #[must_use]
    pub fn provider_processes(self, most: usize) -> Self {
        self.running.uses.limit(most);
        self
    }

    /// The same with what earlier plans of the stack found: [`RefreshPolicy::Changed`](crate::RefreshPolicy::Changed) then reads what
    /// nobody has read, and asks no question again that it knows the answer to.
    #[must_use]
    pub fn remembering(mut self, cache: PlanCache) -> Self {
        self.running.remember(Memory::new(cache));
        self
    }

    /// What earlier plans and those of this run found; `None` where it does not remember.
    pub fn plan_cache(&self) -> Option<PlanCache> {
        self.running.memory().map(Memory::cache)
    }

    /// The same, with another rule for when creations are planned again.
    #[must_use]
    pub fn final_plans(mut self, final_plans: FinalPlans) -> Self {
        self.running.set_final_plans(final_plans);
        self
    }

    /// Lets providers check a program against their schemas. Needs no credentials and no state.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub async fn validate(&self, program: &Program) -> Result<Diagnostics, Diagnostics> {
        validate(program, &self.running, self.parallelism).await
    }

    /// The arguments and types of a program that its providers call deprecated, a warning each. Needs no credentials and no state.
    ///
    /// # Errors
    /// When a provider cannot be started, or does not have a type.
    pub async fn deprecated(&self, program: &Program) -> Result<Diagnostics, Diagnostics> {
        deprecated(program, &self.running).await
    }

    /// Recovers the unresolved operations of earlier runs, as far as their outcome can be proved. Due before anything is planned; those
    /// that remain belong into [`PlanOptions::blocked`]. `recorder` holds the state and the open intents.
    pub async fn recover(&self, program: &Program, recorder: &dyn Recorder) -> Recovered {
        let recovery = self.recovery(program, recorder);
        let mut recovered = self.running.renewing(recovery.run()).await;
        let closed = self.running.close_ephemerals().await;
        recovered.diagnostics.extend(closed);
        recovered
    }

    /// The result of [`recover`](Self::recover) now, and the state after it, without recording or waiting. `open` are the unresolved
    /// operations of earlier runs.
    pub async fn rehearse(
        &self,
        program: &Program,
        state: &State,
        open: Vec<OpenIntent>,
    ) -> (Recovered, State) {
        let recorder = MemoryRecorder::rehearsing(state.clone(), open);
        let recovery = self.recovery(program, &recorder).without_waiting();
        let mut recovered = self.running.renewing(recovery.run()).await;
        let closed = self.running.close_ephemerals().await;
        recovered.diagnostics.extend(closed);
        (recovered, recorder.state())
    }

    pub(crate) fn recovery<'s>(
        &'s self,
        program: &'s Program,
        recorder: &'s dyn Recorder,
    ) -> Recovery<'s> {
        let (host, stop) = (self.host, self.stop.clone());
        Recovery::new(program, recorder, &self.running, host, stop, self.late)
    }

    /// Declares a program again with the values of the cloud that are known now: what its function ended at
    /// (see [`Stack::known`](terrane_core::Stack::known)), and those of modules
    /// (see [`Stack::module_when_known`](terrane_core::Stack::module_when_known)). `declare` runs the stack function with them. `None` where
    /// nothing more is known. Due before a plan is made; modules that still wait, the plan defers.
    ///
    /// # Errors
    /// When the resources that the values come from cannot be planned, when the function ended at a value that cannot be known, or when it
    /// fails.
    pub async fn expand<E: From<Diagnostics>>(
        &self,
        program: &Program,
        prior: &State,
        options: &PlanOptions,
        declare: impl AsyncFn(KnownValues) -> Result<Program, E>,
    ) -> Result<Option<Program>, E> {
        let mut expanded: Option<Program> = None;
        loop {
            let program = expanded.as_ref().unwrap_or(program);
            let is_destroy = options.mode == PlanMode::Destroy && !self.stop.is_stopped();
            if program.unfinished().is_none() && waiting(program).next().is_none() {
                return Ok(expanded);
            }
            let values = match self.known_values(program, prior, options).await {
                // Without the values a destroy still can do all there is to do.
                Err(errors) if is_destroy => {
                    drop(errors);
                    return Ok(expanded);
                }
                values => values?,
            };
            if values == *program.known_values() {
                return match program.unfinished() {
                    Some(unfinished) if !is_destroy => Err(unfinished.refusal.clone().into()),
                    _ => Ok(expanded),
                };
            }
            let more = declare(values).await?;
            uses_no_new_provider(program, &more)?;
            expanded = Some(more);
        }
    }

    /// The whole program, and the modules whose values are known where no provider outside of them serves an unresolved operation. Due before
    /// those are recovered; `None` where there is nothing to add, or its value is not known without what is unresolved.
    pub async fn expand_for_recovery<E: From<Diagnostics>>(
        &self,
        program: &Program,
        prior: &State,
        open: &[OpenIntent],
        declare: impl AsyncFn(KnownValues) -> Result<Program, E>,
    ) -> Option<Program> {
        let is_served = |open: &OpenIntent| serving(program, &open.intent.provider).is_some();
        let is_whole = program.unfinished().is_none() && waiting(program).next().is_none();
        if is_whole || (open.iter().all(is_served) && program.unfinished().is_none()) {
            return None;
        }
        let blocked = open.iter().map(|open| open.intent.address.clone());
        let options = PlanOptions {
            blocked: blocked.collect(),
            ..PlanOptions::default()
        };
        let expanded = self.expand(program, prior, &options, declare).await;
        // Whatever is wrong is told by the plan that follows.
        expanded.ok().flatten()
    }

    /// What a program needs to know, as far as it is known.
    async fn known_values(
        &self,
        program: &Program,
        prior: &State,
        options: &PlanOptions,
    ) -> Result<KnownValues, Diagnostics> {
        // What exists decides what is refreshed or destroyed, not what a plan would make of it.
        let options = PlanOptions {
            mode: match options.mode {
                PlanMode::Normal => PlanMode::Normal,
                PlanMode::RefreshOnly | PlanMode::Destroy => PlanMode::RefreshOnly,
            },
            ..match program.unfinished() {
                None => options.clone(),
                // What decides what is declared counts, wherever the run looks.
                Some(_) => PlanOptions {
                    targets: Vec::new(),
                    excludes: Vec::new(),
                    ..options.clone()
                },
            }
        };
        let (running, quiet) = (&self.running, Quiet(self.host.events));
        running.know_builds(program.providers().as_slice()).await;
        let moves = Moves::carry_out(program, prior);
        let inputs = Inputs::of_values(program, (prior, &moves), &options, running, &quiet)?;
        let planner = Planner::new(inputs, self.stop.clone());
        planner.values(self.parallelism).await
    }

    /// Makes the plan.
    ///
    /// # Errors
    /// Everything that is wrong; a plan is whole or there is none.
    pub async fn plan(
        &self,
        program: &Program,
        prior: &State,
        options: &PlanOptions,
    ) -> Result<Plan, Diagnostics> {
        if let Some(unfinished) = program.unfinished()
            && options.mode != PlanMode::Destroy
        {
            return Err(unfinished.refusal.clone());
        }
        let stop = self.stop.clone();
        self.running.forget_first_plans();
        let (running, events) = (&self.running, self.host.events);
        running.know_builds(program.providers().as_slice()).await;
        let moves = Moves::carry_out(program, prior);
        let inputs = Inputs::new(program, (prior, &moves), options, running, events)?;
        let planner = Planner::new(inputs, stop);
        let plan = planner.plan(self.parallelism).await;
        if let (Ok(_), Some(memory)) = (&plan, running.memory())
            && options.are_whole()
        {
            memory.was_whole();
        }
        crash::reach(Point::Planned).await;
        plan
    }

    /// Applies a plan. `recorder` holds the state that the plan was made from.
    ///
    /// Each operation is recorded as far as it came, however the run ends.
    pub async fn apply(&self, program: &Program, plan: &Plan, recorder: &dyn Recorder) -> Applied {
        let (running, stop) = (&self.running, self.stop.clone());
        let inputs = apply::Inputs::new(program, plan, recorder, running, self.host, stop);
        Applier::new(inputs).apply(self.parallelism).await
    }

    /// In whose name the providers that a plan needs act: account and region, where a provider can say.
    ///
    /// # Errors
    /// When one cannot be configured or does not answer.
    pub async fn callers(
        &self,
        program: &Program,
        plan: &Plan,
    ) -> Result<Vec<CallerIdentity>, Diagnostics> {
        callers(program, plan, &self.running).await
    }

    /// What the objects hold that a plan deletes, as far as providers can say: nobody declared it, and it stands in the way.
    pub async fn contents(&self, program: &Program, plan: &Plan) -> Vec<Contents> {
        contents(program, plan, &self.running, self.parallelism).await
    }

    /// The objects that changed since a saved plan was made, an error each. Due before such a plan is applied.
    ///
    /// # Errors
    /// When a provider cannot be configured or an object cannot be read.
    pub async fn moved(&self, program: &Program, plan: &Plan) -> Result<Diagnostics, Diagnostics> {
        let events = self.host.events;
        let look = moved(program, plan, &self.running, events, self.parallelism);
        let moved = self.running.renewing(look).await;
        let ((), warnings) = self.running.close_ephemerals().await.into_result(())?;
        for warning in warnings {
            self.host.events.emit(Event::Diagnostic(warning));
        }
        moved
    }

    /// A handle that stops the run from elsewhere.
    pub fn stopper(&self) -> Stopper {
        Stopper {
            flag: self.stop.clone(),
            processes: self.running.processes(),
        }
    }

    pub(crate) fn running(&self) -> &RunningProviders<'a> {
        &self.running
    }

    /// Ends every provider process.
    pub async fn close(&self) {
        self.running.close().await;
    }
}
