//! A run from lock to unlock, as `up`, `destroy` and `refresh` share it: plan, show, ask, apply, and report the end.

//!
//! Where a plan defers changes, they are planned, shown, confirmed and applied next, under the same lock and in the same journal.

use std::borrow::Cow;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Instant;

use terrane_core::{Diagnostic, Diagnostics, Program};
use terrane_engine::{
    Applied, DeferralReason, DeferredChange, Engine, Plan, PlanMode, PlanOptions, Recovered,
};
use terrane_provider::Plugins;
use terrane_state::{Clock as _, Closed, Operation, Recorder as _, Run, RunError, SystemClock};

use super::approval::Approved;
use super::confirmation::{Confirmation, Question};
use super::cost::Prices;
use super::inspection::Inspection;
use super::plan::{Machine, all_of, check, say_recovered};
use super::plan_source::{Fresh, Held, PlanSource, Sourced};
use super::{advice, policies, unresolved};
use crate::args::Guard;
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::{Aftermath, Session, run_error};
use crate::signals::{EARLIER_CHANGES_STAY, NOTHING_CHANGED, Signals, interrupted_after};
use crate::view::printable::counted;
use crate::view::text::name;
use crate::view::{
    AppliedRun, Approval, ClosedRun, Details, Feed, InFiles, Place, RunView as _, RunViews,
    Secrets, ShownPlan,
};

/// More changes than these are counted where reasons are told.
const NAMED: usize = 10;

/// A run that is to be made.
pub(crate) struct Request<S> {
    /// The operation that the lock names.
    pub(crate) operation: Operation,
    /// Where the plan comes from.
    pub(crate) source: S,
    /// Whether a person has to confirm.
    pub(crate) confirmation: Confirmation,
    /// The question that they confirm.
    pub(crate) question: &'static str,
    /// How the plan is checked, shown and applied.
    pub(crate) applying: Applying,
}

/// How a plan is checked, shown and applied, wherever it comes from.
pub(crate) struct Applying {
    /// Operations at once.
    pub(crate) parallelism: NonZeroUsize,
    /// Limits of the plan, and the files beside stdout.
    pub(crate) guard: Guard,
    /// The only plan that may be applied, if somebody said which.
    pub(crate) approved: Option<Approved>,
    /// What it is priced by, if it is.
    pub(crate) prices: Option<Prices>,
    /// How much of the plan is shown before the question.
    pub(crate) details: Details,
}

impl Applying {
    /// Checked and shown as every plan is.
    pub(crate) fn new(parallelism: NonZeroUsize, details: Details) -> Self {
        Self {
            parallelism,
            guard: Guard::default(),
            approved: None,
            prices: None,
            details,
        }
    }
}

/// One run from lock to unlock.
struct Work<'a, S> {
    session: &'a Session<'a>,
    program: &'a Program,
    providers: &'a Plugins,
    request: &'a Request<S>,
    feed: &'a Feed,
    view: &'a RunViews,
    run: &'a Run,
}

/// How the work ended.
struct Ended {
    /// The recovery of unresolved operations of earlier runs.
    recovered: Recovered,
    /// The applied plan, with those that continued it; none when there was nothing to do.
    applied: Option<Carried>,
}

/// An applied plan, and those that continued it.
struct Carried {
    mode: PlanMode,
    /// Objects that had changed outside of the program.
    recorded: usize,
    applied: Box<Applied>,
    /// Changes that no plan of this run has reached.
    deferred: Vec<DeferredChange>,
    /// Why the run went no further, where an operation is not the reason.
    stopped: Option<CommandError>,
}

/// A plan that is to be confirmed.
struct Proposal<'a> {
    plan: &'a Plan,
    place: &'a Place,
    is_partial: bool,
    /// The end of a sentence that says why the run stops here.
    so_far: &'static str,
}

/// Does the work of a command that runs; its own views report a failure.
pub(crate) async fn reported(
    session: &Session<'_>,
    files: &InFiles,
    work: impl AsyncFnOnce(Arc<RunViews>) -> Result<Exit, CommandError>,
) -> Result<Exit, CommandError> {
    let view = Arc::new(session.run_views(files));
    let done = work(view.clone()).await;
    Ok(done.unwrap_or_else(|CommandError { exit, diagnostics }| {
        view.diagnostics(&diagnostics);
        exit
    }))
}

/// Makes a plan and applies it.
pub(crate) async fn plan_and_apply(
    session: &Session<'_>,
    request: Request<Fresh>,
) -> Result<Exit, CommandError> {
    let started = Instant::now();
    reported(session, &request.applying.guard.files, async |view| {
        request.confirmation.check_possible(session)?;
        let program = session.program().await?;
        view.begin()?;
        let providers = session.providers_of_run(&program, &view).await?;
        carry_out(session, &request, view, &program, &providers, started).await
    })
    .await
}

/// Makes a run that has begun, for a program and its providers.
pub(crate) async fn carry_out(
    session: &Session<'_>,
    request: &Request<impl PlanSource>,
    view: Arc<RunViews>,
    program: &Program,
    providers: &Plugins,
    started: Instant,
) -> Result<Exit, CommandError> {
    let feed = Feed::new(view.clone(), session.redactor.clone()).traced(session.trace());
    feed.remember(session.usual_times());
    let (run, recovered) = session.open(request.operation).await?;
    say_recovered(session, &recovered);

    let machine = Machine::default();
    let engine = machine.engine(providers, &feed, request.applying.parallelism, session);
    let signals = Signals::stopping(engine.stopper(), session.streams.clone());
    let work = Work {
        session,
        program,
        providers,
        request,
        feed: &feed,
        view: &view,
        run: &run,
    };
    let ended = {
        let _ticking = feed.ticking();
        let keeping = async {
            // A run that lost its lock must not start anything more; its records are refused already.
            run.keep_alive().await;
            engine.stopper().stop().await;
            std::future::pending::<std::convert::Infallible>().await
        };
        tokio::select! {
            ended = work.run(&engine, &signals) => ended,
            never = keeping => match never {},
        }
    };
    feed.pause();
    engine.close().await;
    let closed = run.close().await;
    session.remember_names(&run.state());
    let aftermath = match &closed {
        Err(error) => session.rescue(&run, error).await,
        Ok(_) => None,
    };
    if let Some(times) = feed.times() {
        session.keep_times(times);
    }
    drop(signals);
    work.finish(ended, closed, aftermath, started)
}

impl<S: PlanSource> Work<'_, S> {
    async fn run(&self, engine: &Engine<'_>, signals: &Signals) -> Result<Ended, CommandError> {
        let held = Held {
            session: self.session,
            program: self.program,
            engine,
            run: self.run,
            signals,
            feed: self.feed,
            view: self.view,
        };
        let Sourced {
            plan,
            recovered,
            reads_everything,
            callers,
            options,
        } = self.request.source.plan(held).await?;
        let place = self.session.place(self.program, self.providers, callers);
        let place = place.await?;
        let mut proposal = Proposal {
            plan: &plan,
            place: &place,
            is_partial: !recovered.remaining.is_empty(),
            so_far: NOTHING_CHANGED,
        };
        self.confirmed(&proposal, signals).await?;
        let nothing_read = plan.refreshed().same_content(&plan.prior);
        let ended = |applied| Ended { recovered, applied };
        if plan.is_empty() && nothing_read {
            if reads_everything {
                self.run.all_was_read();
            }
            return Ok(ended(None));
        }
        self.request.source.begin(held).await?;
        if reads_everything {
            self.run.all_was_read();
        }
        let applied = engine.apply(self.program, &plan, self.run).await;
        if plan.is_empty() && applied.succeeded + applied.failed == 0 && !applied.interrupted {
            return Ok(ended(None));
        }
        let mut carried = Carried {
            mode: plan.mode,
            recorded: plan.drift.len(),
            applied: Box::new(applied),
            deferred: plan.deferred.clone(),
            stopped: None,
        };
        // A digest approves this plan and none that continues it.
        let options = options.filter(|_| self.request.applying.approved.is_none());
        if let Some(options) = options {
            proposal.so_far = EARLIER_CHANGES_STAY;
            self.continued(&mut carried, proposal, options, (engine, signals))
                .await;
        }
        Ok(ended(Some(carried)))
    }

    /// Shows a plan, and returns once it is confirmed.
    async fn confirmed(
        &self,
        proposal: &Proposal<'_>,
        signals: &Signals,
    ) -> Result<(), CommandError> {
        let &Proposal {
            plan,
            place,
            is_partial,
            so_far,
        } = proposal;
        self.feed.pause();
        self.view.diagnostics(&plan.diagnostics);
        self.feed.planned(plan);
        let policies = policies::review(self.session, plan, self.program);
        let applying = &self.request.applying;
        let prices = applying.prices.as_ref();
        let cost = prices.map(|prices| prices.estimate(self.session, plan, self.program));
        let shown = ShownPlan {
            plan,
            program: self.program,
            made_at: SystemClock::default().now(),
            secrets: Secrets::Hidden,
            is_partial,
            policies: &policies,
            cost: cost.as_ref(),
            place,
            details: applying.details,
            approval: &Approval::default(),
            saved: None,
            // They are told by themselves.
            diagnostics: &Diagnostics::new(),
        };
        self.view.planned(&shown);
        self.view.diagnostics(&advice::on(plan));
        let approved = applying.approved.as_ref();
        let approved = approved.map_or(Ok(()), |approved| approved.check(shown.digest()));
        all_of([check(plan, &applying.guard, &policies, so_far), approved])?;
        if let (NOTHING_CHANGED, Some(stuck)) = (so_far, plan.stuck(None)) {
            return Err(stuck.into());
        }
        // Drift alone is recorded without a question, as everywhere.
        if plan.is_empty() || plan.only_defers() {
            return Ok(());
        }
        let question = Question {
            text: self.request.question,
            inspection: Some(Inspection {
                session: self.session,
                view: self.view,
                shown: &shown,
            }),
            so_far,
        };
        let confirmation = self.request.confirmation;
        confirmation
            .obtain_after_a_look(self.session, signals, question)
            .await
    }

    /// Plans, confirms and applies the changes that a plan deferred, until none is left or one cannot be.
    async fn continued(
        &self,
        carried: &mut Carried,
        first: Proposal<'_>,
        mut options: PlanOptions,
        (engine, signals): (&Engine<'_>, &Signals),
    ) {
        let mut last: Cow<'_, Plan> = Cow::Borrowed(first.plan);
        while last.continues(&carried.applied) {
            options = options.continuing(&last);
            let plan = match self.next(&last, &options, (engine, signals)).await {
                Ok(plan) => plan,
                Err(error) => {
                    carried.stopped = Some(error);
                    return;
                }
            };
            if !plan.progresses(Some(&last)) {
                carried.deferred = plan.deferred;
                return;
            }
            let proposal = Proposal {
                plan: &plan,
                ..first
            };
            if let Err(error) = self.confirmed(&proposal, signals).await {
                carried.stopped = Some(error);
                return;
            }
            let applied = engine.apply(self.program, &plan, self.run).await;
            *carried.applied = std::mem::take(&mut *carried.applied).and(applied);
            carried.deferred.clone_from(&plan.deferred);
            last = Cow::Owned(plan);
        }
    }

    /// The plan of the changes that the last one deferred.
    async fn next(
        &self,
        last: &Plan,
        options: &PlanOptions,
        (engine, signals): (&Engine<'_>, &Signals),
    ) -> Result<Plan, CommandError> {
        self.feed.pause();
        if signals.heard() {
            return Err(interrupted_after(EARLIER_CHANGES_STAY));
        }
        let changes = counted(last.deferred.len(), "deferred change");
        self.session.note(&match last.waits_for_providers() {
            true => format!("\nPlanning the {changes} again.\n\n"),
            false => format!("\nThe {changes} can be planned now.\n\n"),
        });
        let plan = engine.plan(self.program, &self.run.state(), options).await;
        if signals.heard() {
            return Err(interrupted_after(EARLIER_CHANGES_STAY));
        }
        let plan = plan?;
        match plan.stuck(Some(last)) {
            Some(stuck) => Err(stuck.into()),
            None => Ok(plan),
        }
    }

    /// Names the changes that the run has not reached, and the command that does.
    fn unreached(&self, deferred: &[DeferredChange]) -> Diagnostics {
        let changes = counted(deferred.len(), "deferred change");
        let verb = if deferred.len() == 1 { "is" } else { "are" };
        let by_provider = deferred
            .iter()
            .filter(|one| matches!(one.reason, DeferralReason::ByProvider(_)));
        let reasons: Vec<String> = by_provider
            .take(NAMED)
            .map(|one| format!("{}: {one}", one.address))
            .collect();
        let detail = match reasons.is_empty() {
            true => "the changes before are made and recorded".to_owned(),
            false => reasons.join("\n"),
        };
        Diagnostic::warning(format!("{changes} {verb} not planned yet"))
            .detail(detail)
            .hint(format!(
                "`{}` continues, with the same configuration",
                self.session.again("up")
            ))
            .into()
    }

    /// Reports the end of the run, and decides its exit code.
    fn finish(
        &self,
        ended: Result<Ended, CommandError>,
        closed: Result<Closed, RunError>,
        aftermath: Option<Aftermath>,
        started: Instant,
    ) -> Result<Exit, CommandError> {
        let closed = closed.map_err(|error| self.session.unclosed(&error, aftermath));
        match (ended, closed) {
            (Ok(ended), closed) => {
                let exit = self.report(&ended, closed.as_ref().ok(), started);
                let stopped = ended.applied.and_then(|carried| carried.stopped);
                let failed = match (stopped, closed.err()) {
                    (None, None) => return Ok(exit),
                    (Some(error), None) | (None, Some(error)) => error,
                    (Some(stopped), Some(unclosed)) => stopped.and(unclosed),
                };
                Err(CommandError {
                    exit: exit.worse_of(failed.exit),
                    ..failed
                })
            }
            (Err(error), Ok(_)) => Err(error),
            (Err(error), Err(unclosed)) => Err(error.and(unclosed)),
        }
    }

    /// Shows the applied plan, the exported values, and the state as it was closed.
    fn report(&self, ended: &Ended, closed: Option<&Closed>, started: Instant) -> Exit {
        let mut exit = unresolved::exit(&ended.recovered);
        let mut partial = None;
        let mut is_complete = true;
        if let Some(Carried {
            mode,
            recorded,
            applied,
            deferred,
            stopped,
        }) = &ended.applied
        {
            let end = exit_of(applied);
            exit = exit.worse_of(end);
            is_complete = end == Exit::DONE && stopped.is_none();
            self.view.diagnostics(&applied.diagnostics);
            if !deferred.is_empty() {
                self.view.diagnostics(&self.unreached(deferred));
            }
            self.view.applied(&AppliedRun {
                mode: *mode,
                recorded: *recorded,
                applied,
                is_complete,
            });
            if !is_complete {
                let tracker = self.feed.tracker();
                partial = Some((&**applied, tracker.skipped().iter().map(name).collect()));
            }
        }
        if is_complete {
            self.view.outputs(&self.run.state().outputs);
        }
        self.view.closed(&ClosedRun {
            partial,
            closed,
            took: self.session.took(started),
        });
        exit
    }
}

/// The code that the operations of a run call for.
fn exit_of(applied: &Applied) -> Exit {
    let failed = applied.failed > 0 || applied.diagnostics.has_errors();
    let ends = [
        (failed, Exit::FAILED),
        (!applied.unknown.is_empty(), Exit::UNRESOLVED),
        // Operations that end early because they were interrupted fail only in form.
        (applied.interrupted, Exit::INTERRUPTED),
    ];
    let ends = ends.into_iter().filter(|(is_so, _)| *is_so);
    let exit = ends.fold(Exit::DONE, |exit, (_, end)| exit.worse_of(end));
    match &applied.record_error {
        None => exit,
        Some(error) => exit.worse_of(run_error(&error.clone().into()).exit),
    }
}
