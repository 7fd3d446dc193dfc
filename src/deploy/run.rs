//! A run while it holds the state: recover, plan, confirm, apply, and the same again for what the plan deferred.
//!
//! Whoever makes a run decides what is told and asked, through [`Attendant`]; what happens, and in which order, is decided here.

use std::borrow::Cow;
use std::convert::Infallible;

use terrane_core::{Diagnostics, KnownValues, Program};
use terrane_engine::{
    Applied, CallerIdentity, DeferredChange, DeferredModule, Engine, Plan, PlanOptions, Recovered,
    RefreshPolicy,
};
use terrane_state::{Liveness, OpenIntent, Recorder as _, Run, State};

use crate::callers;
use crate::cancellation::Cancellation;
use crate::error::DeployError;

/// The parts of a run that holds the state.
#[derive(Clone, Copy)]
pub struct HeldRun<'a> {
    /// The program.
    pub program: &'a Program,
    /// The engine, with its provider processes.
    pub engine: &'a Engine<'a>,
    /// The state, its lock and its journal.
    pub run: &'a Run,
    /// Ends it in order.
    pub cancellation: &'a Cancellation,
}

/// Takes part in a run: is told how it goes, and confirms its plans.
pub trait Attendant {
    /// Why it lets the run go no further.
    type Error: From<DeployError>;

    /// Unresolved operations of earlier runs were recovered as far as possible.
    fn recovered(&self, recovered: &Recovered);

    /// Those that remain, once everything about the others is recorded.
    fn unresolved(&self, program: &Program, recovered: &Recovered);

    /// Checks and confirms a plan: returns once it may be applied.
    ///
    /// # Errors
    /// When it may not.
    fn confirm(&self, proposal: &Proposal<'_>) -> impl Future<Output = Result<(), Self::Error>>;

    /// Whether what a plan defers may be planned in the same run.
    fn may_continue(&self) -> bool {
        true
    }

    /// Declares the program again, where values are known that its modules take.
    ///
    /// # Errors
    /// Those of the program.
    fn redeclare(&self, values: KnownValues) -> impl Future<Output = Result<Program, Self::Error>>;

    /// What this applied plan deferred is planned now.
    fn continues(&self, last: &Plan);

    /// It was cancelled after plans of it were applied.
    fn cancelled_midway(&self) -> Self::Error;
}

/// A plan that is to be confirmed.
#[derive(Clone, Copy)]
pub struct Proposal<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// The program that it is for.
    pub program: &'a Program,
    /// In whose name it acts, as far as that is known.
    pub callers: &'a [CallerIdentity],
    /// Whether addresses are left out because of unresolved operations.
    pub is_partial: bool,
    /// Whether it continues a plan that this run has applied.
    pub is_continuation: bool,
}

impl Proposal<'_> {
    /// Whether somebody has to be asked about it. Drift alone is recorded without a question, as everywhere.
    ///
    /// # Errors
    /// When nothing of it can ever be planned.
    pub fn has_a_question(&self) -> Result<bool, Diagnostics> {
        if let (false, Some(stuck)) = (self.is_continuation, self.plan.stuck(None)) {
            return Err(stuck.into());
        }
        Ok(!self.plan.is_empty() && !self.plan.only_defers())
    }
}

/// A plan that can be applied, and the recovery before it.
pub struct Sourced<'a> {
    /// The plan.
    pub plan: Cow<'a, Plan>,
    /// Its program, where modules have run that took a value; `None` for the run's own.
    pub program: Option<Program>,
    /// The recovery of unresolved operations of earlier runs.
    pub recovered: Recovered,
    /// Whether every object was read for it.
    pub reads_everything: bool,
    /// In whose name it acts, as far as that is known.
    pub callers: Vec<CallerIdentity>,
    /// The options to plan with what it defers; none where another command does that.
    pub continues_with: Option<PlanOptions>,
}

/// Where the plan of a run comes from.
pub trait PlanSource<A: Attendant> {
    /// The plan for the state as the run holds it.
    ///
    /// # Errors
    /// When none can be made, or the one that was made does not fit any more.
    fn plan<'s>(
        &'s self,
        held: HeldRun<'_>,
        attendant: &A,
    ) -> impl Future<Output = Result<Sourced<'s>, A::Error>>;

    /// Whether the plan is made from what earlier plans found; a cache that is there is kept up to date in any case.
    fn uses_cache(&self) -> bool {
        false
    }

    /// The plan is about to be applied.
    ///
    /// # Errors
    /// When that cannot be recorded.
    fn begin(&self, held: HeldRun<'_>, attendant: &A)
    -> impl Future<Output = Result<(), A::Error>>;
}

/// Makes a plan with these options, after it recovered unresolved operations of earlier runs.
#[derive(Debug, Clone)]
pub struct FreshPlan(pub PlanOptions);

/// How the work of a run ended.
pub struct Ended<'a, E> {
    /// The first plan.
    pub plan: Cow<'a, Plan>,
    /// The recovery of unresolved operations of earlier runs.
    pub recovered: Recovered,
    /// The applied plan, with those that continued it; none when there was nothing to do.
    pub carried: Option<Carried<E>>,
}

/// An applied plan, and those that continued it.
pub struct Carried<E> {
    /// How applying all of them went.
    pub applied: Applied,
    /// Changes that no plan of this run has reached.
    pub deferred: Vec<DeferredChange>,
    /// Modules that no plan of this run has reached.
    pub deferred_modules: Vec<DeferredModule>,
    /// Why the run went no further, where an operation is not the reason.
    pub stopped: Option<E>,
}

/// Does the work of a run, and stops it in order once it is cancelled or has lost its lock.
///
/// # Errors
/// When the run ended before its plan was applied; nothing was changed then but what recovery recorded.
pub async fn attend<'s, S: PlanSource<A>, A: Attendant>(
    held: HeldRun<'_>,
    source: &'s S,
    attendant: &A,
) -> Result<Ended<'s, A::Error>, A::Error> {
    let work = Work { held, attendant };
    let stopping = stopped_by(held.engine, held.cancellation.cancelled());
    // A run that lost its lock must not start anything more; its records are refused already.
    let keeping = stopped_by(held.engine, held.run.keep_alive());
    tokio::select! {
        // Being cancelled is noticed before anything more is begun.
        biased;
        never = stopping => match never {},
        never = keeping => match never {},
        ended = work.run(source) => ended,
    }
}

/// Lets the engine begin nothing more, and running requests end early, once that happens.
pub(crate) async fn stopped_by<T>(
    engine: &Engine<'_>,
    event: impl Future<Output = T>,
) -> Infallible {
    event.await;
    engine.stopper().stop().await;
    std::future::pending().await
}

struct Work<'a, A> {
    held: HeldRun<'a>,
    attendant: &'a A,
}

impl<A: Attendant> Work<'_, A> {
    async fn run<'s, S: PlanSource<A>>(
        &self,
        source: &'s S,
    ) -> Result<Ended<'s, A::Error>, A::Error> {
        let HeldRun { engine, run, .. } = self.held;
        let Sourced {
            plan,
            program,
            recovered,
            reads_everything,
            callers,
            continues_with,
        } = source.plan(self.held, self.attendant).await?;
        let program = program.as_ref().unwrap_or(self.held.program);
        let proposal = Proposal {
            plan: &plan,
            program,
            callers: &callers,
            is_partial: !recovered.remaining.is_empty(),
            is_continuation: false,
        };
        self.attendant.confirm(&proposal).await?;
        if plan.is_empty() && plan.refreshed().same_content(&plan.prior) {
            if reads_everything {
                run.all_was_read();
            }
            return Ok(Ended {
                plan,
                recovered,
                carried: None,
            });
        }
        source.begin(self.held, self.attendant).await?;
        if reads_everything {
            run.all_was_read();
        }
        let applied = engine.apply(program, &plan, run).await;
        if plan.is_empty() && applied.succeeded + applied.failed == 0 && !applied.interrupted {
            return Ok(Ended {
                plan,
                recovered,
                carried: None,
            });
        }
        let mut carried = Carried {
            applied,
            deferred: plan.deferred.clone(),
            deferred_modules: plan.deferred_modules.clone(),
            stopped: None,
        };
        if let Some(options) = continues_with.filter(|_| self.attendant.may_continue()) {
            self.continued(&mut carried, proposal, options).await;
        }
        Ok(Ended {
            plan,
            recovered,
            carried: Some(carried),
        })
    }

    /// Plans, confirms and applies the changes that a plan deferred, until none is left or one cannot be.
    async fn continued(
        &self,
        carried: &mut Carried<A::Error>,
        first: Proposal<'_>,
        mut options: PlanOptions,
    ) {
        let HeldRun { engine, run, .. } = self.held;
        let mut last: Cow<'_, Plan> = Cow::Borrowed(first.plan);
        let mut expanded: Option<Program> = None;
        while last.continues(&carried.applied) {
            options = options.continuing(&last);
            let program = expanded.as_ref().unwrap_or(first.program);
            let (more, plan) = match self.next(&last, program, &options).await {
                Ok(next) => next,
                Err(error) => {
                    carried.stopped = Some(error);
                    return;
                }
            };
            if more.is_some() {
                expanded = more;
            }
            let program = expanded.as_ref().unwrap_or(first.program);
            if !plan.progresses(Some(&last)) {
                carried.deferred = plan.deferred;
                carried.deferred_modules = plan.deferred_modules;
                return;
            }
            let proposal = Proposal {
                plan: &plan,
                program,
                is_continuation: true,
                ..first
            };
            if let Err(error) = self.attendant.confirm(&proposal).await {
                carried.stopped = Some(error);
                return;
            }
            let applied = engine.apply(program, &plan, run).await;
            carried.applied = std::mem::take(&mut carried.applied).and(applied);
            carried.deferred.clone_from(&plan.deferred);
            carried.deferred_modules.clone_from(&plan.deferred_modules);
            last = Cow::Owned(plan);
        }
    }

    /// The plan of the changes that the last one deferred.
    async fn next(
        &self,
        last: &Plan,
        program: &Program,
        options: &PlanOptions,
    ) -> Result<(Option<Program>, Plan), A::Error> {
        let HeldRun {
            engine,
            run,
            cancellation,
            ..
        } = self.held;
        if cancellation.is_cancelled() {
            return Err(self.attendant.cancelled_midway());
        }
        self.attendant.continues(last);
        let redeclare = async |values| self.attendant.redeclare(values).await;
        let prior = run.state();
        let planned = expand_and_plan(engine, program, &prior, options, redeclare).await;
        if cancellation.is_cancelled() {
            return Err(self.attendant.cancelled_midway());
        }
        let (more, plan) = planned?;
        match plan.stuck(Some(last)) {
            Some(stuck) => Err(DeployError::from(stuck).into()),
            None => Ok((more, plan)),
        }
    }
}

impl<A: Attendant> PlanSource<A> for FreshPlan {
    async fn plan<'s>(&'s self, held: HeldRun<'_>, attendant: &A) -> Result<Sourced<'s>, A::Error> {
        let HeldRun {
            program,
            engine,
            run,
            cancellation,
        } = held;
        let redeclare = async |values| attendant.redeclare(values).await.map_err(Failed);
        let (prior, open) = (run.state(), run.open_intents());
        let more = engine.expand_for_recovery(program, &prior, &open, redeclare);
        let more = more.await;
        let recovered = engine.recover(more.as_ref().unwrap_or(program), run).await;
        attendant.recovered(&recovered);
        if let Some(error) = &recovered.record_error {
            return Err(DeployError::from(error.clone()).into());
        }
        if cancellation.is_cancelled() {
            return Err(DeployError::Cancelled.into());
        }
        attendant.unresolved(program, &recovered);
        let options = PlanOptions {
            blocked: recovered.blocked(),
            unread: run.is_unread(),
            ..self.0.clone()
        };
        let redeclare = async |values| attendant.redeclare(values).await;
        let prior = run.state();
        let planned = make_plan(engine, cancellation, program, &prior, &options, redeclare);
        let (more, plan) = planned.await?;
        let program = more.as_ref().unwrap_or(program);
        Ok(Sourced {
            callers: callers::known(engine, program, &plan).await,
            program: more,
            plan: Cow::Owned(plan),
            reads_everything: options.reads_everything(),
            continues_with: Some(options),
            recovered,
        })
    }

    fn uses_cache(&self) -> bool {
        self.0.refresh == RefreshPolicy::Changed
    }

    async fn begin(&self, _: HeldRun<'_>, _: &A) -> Result<(), A::Error> {
        Ok(())
    }
}

/// Plans, with every module whose value is known; with the program of the plan, where such modules ran. Being cancelled on the way is no
/// failure of the plan.
///
/// # Errors
/// When none can be made.
pub async fn make_plan<E: From<DeployError>>(
    engine: &Engine<'_>,
    cancellation: &Cancellation,
    program: &Program,
    prior: &State,
    options: &PlanOptions,
    redeclare: impl AsyncFn(KnownValues) -> Result<Program, E>,
) -> Result<(Option<Program>, Plan), E> {
    let planned = expand_and_plan(engine, program, prior, options, redeclare).await;
    if cancellation.is_cancelled() {
        return Err(DeployError::Cancelled.into());
    }
    planned
}

async fn expand_and_plan<E: From<DeployError>>(
    engine: &Engine<'_>,
    program: &Program,
    prior: &State,
    options: &PlanOptions,
    redeclare: impl AsyncFn(KnownValues) -> Result<Program, E>,
) -> Result<(Option<Program>, Plan), E> {
    let declare = async |values| redeclare(values).await.map_err(Failed);
    let more = engine.expand(program, prior, options, declare).await;
    let more = more.map_err(|Failed(error)| error)?;
    let planned = engine.plan(more.as_ref().unwrap_or(program), prior, options);
    let plan = planned.await.map_err(DeployError::from)?;
    Ok((more, plan))
}

/// Either the plan or the program failed.
struct Failed<E>(E);

impl<E: From<DeployError>> From<Diagnostics> for Failed<E> {
    fn from(diagnostics: Diagnostics) -> Self {
        Self(DeployError::from(diagnostics).into())
    }
}

/// What a run would find of unresolved operations now.
pub struct Rehearsed {
    /// The result of recovering them.
    pub recovered: Recovered,
    /// The state after it.
    pub state: State,
    /// Operations of a live run, which records their results itself.
    pub running: Vec<OpenIntent>,
}

/// Recovers unresolved operations without recording or waiting, for a plan that is only shown.
pub async fn rehearse<E: From<DeployError>>(
    engine: &Engine<'_>,
    program: &Program,
    state: State,
    open: Vec<OpenIntent>,
    redeclare: impl AsyncFn(KnownValues) -> Result<Program, E>,
) -> Rehearsed {
    let (running, open): (Vec<_>, Vec<_>) = open
        .into_iter()
        .partition(|open| open.liveness() == Liveness::Alive);
    let (recovered, state) = match open.is_empty() {
        true => (Recovered::default(), state),
        false => {
            let declare = async |values| redeclare(values).await.map_err(Failed);
            let more = engine.expand_for_recovery(program, &state, &open, declare);
            let more = more.await;
            let program = more.as_ref().unwrap_or(program);
            engine.rehearse(program, &state, open).await
        }
    };
    Rehearsed {
        recovered,
        state,
        running,
    }
}
