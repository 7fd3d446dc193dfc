//! A run from lock to unlock, as `up`, `destroy` and `refresh` share it: what is shown, what is asked, and how the end is reported.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Instant;

use terrane_core::{Diagnostic, Diagnostics, KnownValues, Program, Severity};
use terrane_deploy::{
    Attendant, Carried, Ended, FreshPlan, HeldRun, KeptCache, PlanSource, Proposal, attend,
    policies,
};
use terrane_engine::{Applied, DeferralReason, DeferredChange, Engine, Plan, Recovered};
use terrane_provider::Plugins;
use terrane_state::model::OutputValue;
use terrane_state::{Clock as _, Closed, Operation, Recorder as _, RunError, SystemClock};

use super::approval::Approved;
use super::confirmation::{Confirmation, Question};
use super::cost::Prices;
use super::inspection::Inspection;
use super::plan::{Machine, all_of, check, say_recovered};
use super::{advice, unresolved};
use crate::args::Guard;
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::{Session, Told, run_error};
use crate::signals::{EARLIER_CHANGES_STAY, NOTHING_CHANGED, Signals, interrupted_after};
use crate::view::printable::counted;
use crate::view::text::name;
use crate::view::{
    AppliedRun, Approval, ClosedRun, Details, Feed, InFiles, RunView as _, RunViews, Secrets,
    ShownPlan,
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
pub(crate) struct Work<'a, S> {
    session: &'a Session<'a>,
    program: &'a Program,
    providers: &'a Plugins,
    request: &'a Request<S>,
    feed: &'a Feed,
    view: &'a RunViews,
    signals: &'a Signals,
    engine: &'a Engine<'a>,
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
    request: Request<FreshPlan>,
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
pub(crate) async fn carry_out<S>(
    session: &Session<'_>,
    request: &Request<S>,
    view: Arc<RunViews>,
    program: &Program,
    providers: &Plugins,
    started: Instant,
) -> Result<Exit, CommandError>
where
    S: for<'a> PlanSource<Work<'a, S>>,
{
    let feed = Feed::new(view.clone(), session.redactor.clone()).traced(session.trace());
    feed.remember(session.usual_times());
    let (run, recovered) = session.open(request.operation).await?;
    say_recovered(session, &recovered);

    let machine = Machine::default();
    let cache = KeptCache::of(session.backend().await?, request.source.uses_cache()).await;
    let engine = machine.engine(providers, &feed, request.applying.parallelism, session);
    let engine = KeptCache::known_to(engine, cache.as_ref());
    let signals = Signals::listening(session.streams.clone());
    let work = Work {
        session,
        program,
        providers,
        request,
        feed: &feed,
        view: &view,
        signals: &signals,
        engine: &engine,
    };
    let ended = {
        let _ticking = feed.ticking();
        let held = HeldRun {
            program,
            engine: &engine,
            run: &run,
            cancellation: signals.cancellation(),
        };
        attend(held, &request.source, &work).await
    };
    feed.pause();
    engine.close().await;
    if let (Ok(_), Some(cache)) = (&ended, &cache) {
        cache.keep(&engine).await;
    }
    let closed = run.close().await;
    session.remember_names(&run.state());
    let aftermath = match &closed {
        Err(error) => session.rescue(&run, error).await,
        Ok(_) => None,
    };
    if let Some(times) = feed.times() {
        session.keep_times(times);
    }
    let end = End {
        closed,
        told: aftermath,
        outputs: run.state().outputs,
    };
    work.finish(ended, end, started)
}

impl<S> Attendant for Work<'_, S> {
    type Error = CommandError;

    fn recovered(&self, recovered: &Recovered) {
        self.feed.pause();
        self.view.diagnostics(&recovered.diagnostics);
        let text = unresolved::recovered_text(recovered);
        self.session.note(&text);
    }

    fn unresolved(&self, program: &Program, recovered: &Recovered) {
        let remaining = unresolved::remaining(self.session, program, recovered, Severity::Error);
        self.view.diagnostics(&remaining);
    }

    /// Shows a plan, and returns once it is confirmed.
    async fn confirm(&self, proposal: &Proposal<'_>) -> Result<(), CommandError> {
        let &Proposal { plan, program, .. } = proposal;
        let so_far = match proposal.is_continuation {
            true => EARLIER_CHANGES_STAY,
            false => NOTHING_CHANGED,
        };
        let callers = proposal.callers.to_vec();
        let place = self.session.place(program, self.providers, callers);
        let place = place.await?;
        self.feed.pause();
        self.view.diagnostics(&plan.diagnostics);
        self.feed.planned(plan);
        let policies = policies::review(plan, program, &self.session.redactor);
        let applying = &self.request.applying;
        let prices = applying.prices.as_ref();
        let cost = prices.map(|prices| prices.estimate(self.session, plan, program));
        let shown = ShownPlan {
            plan,
            program,
            made_at: SystemClock::default().now(),
            secrets: Secrets::Hidden,
            is_partial: proposal.is_partial,
            policies: &policies,
            cost: cost.as_ref(),
            place: &place,
            details: applying.details,
            approval: &Approval::default(),
            saved: None,
            // They are told by themselves.
            diagnostics: &Diagnostics::new(),
        };
        self.view.planned(&shown);
        let contents = self.engine.contents(program, plan).await;
        self.view.diagnostics(&advice::on(plan, &contents));
        let approved = applying.approved.as_ref();
        let approved = approved.map_or(Ok(()), |approved| approved.check(shown.digest()));
        all_of([
            check(plan, &applying.guard, &policies, so_far),
            approved,
            advice::check(program, &contents, so_far),
        ])?;
        if !proposal.has_a_question()? {
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
            .obtain_after_a_look(self.session, self.signals, question)
            .await
    }

    /// A digest approves one plan and none that continues it.
    fn may_continue(&self) -> bool {
        self.request.applying.approved.is_none()
    }

    async fn redeclare(&self, values: KnownValues) -> Result<Program, CommandError> {
        self.session.redeclared(self.program, values).await
    }

    fn continues(&self, last: &Plan) {
        self.feed.pause();
        let changes = deferred(last.deferred.len(), last.deferred_modules.len());
        self.session.note(&match last.waits_for_providers() {
            true => format!("\nPlanning the {changes} again.\n\n"),
            false => format!("\nThe {changes} can be planned now.\n\n"),
        });
    }

    fn cancelled_midway(&self) -> CommandError {
        interrupted_after(EARLIER_CHANGES_STAY)
    }
}

/// The end of a run, after the lock was given back.
struct End {
    closed: Result<Closed, RunError>,
    /// What is told of results that could not be stored.
    told: Option<Told>,
    /// The exported values.
    outputs: BTreeMap<Arc<str>, OutputValue>,
}

impl<S> Work<'_, S> {
    /// Names the changes that the run has not reached, and the command that does.
    fn unreached(&self, changes: &[DeferredChange], modules: usize) -> Diagnostics {
        let left = deferred(changes.len(), modules);
        let verb = if changes.len() + modules == 1 {
            "is"
        } else {
            "are"
        };
        let by_provider = changes
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
        Diagnostic::warning(format!("{left} {verb} not planned yet"))
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
        ended: Result<Ended<'_, CommandError>, CommandError>,
        end: End,
        started: Instant,
    ) -> Result<Exit, CommandError> {
        let End {
            closed,
            told,
            outputs,
        } = end;
        let closed = closed.map_err(|error| self.session.unclosed(&error, told));
        match (ended, closed) {
            (Ok(ended), closed) => {
                let exit = self.report(&ended, closed.as_ref().ok(), &outputs, started);
                let stopped = ended.carried.and_then(|carried| carried.stopped);
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
    fn report(
        &self,
        ended: &Ended<'_, CommandError>,
        closed: Option<&Closed>,
        outputs: &BTreeMap<Arc<str>, OutputValue>,
        started: Instant,
    ) -> Exit {
        let mut exit = unresolved::exit(&ended.recovered);
        let mut partial = None;
        let mut is_complete = true;
        if let Some(Carried {
            applied,
            deferred,
            deferred_modules,
            stopped,
        }) = &ended.carried
        {
            let end = exit_of(applied);
            exit = exit.worse_of(end);
            is_complete = end == Exit::DONE && stopped.is_none();
            self.view.diagnostics(&applied.diagnostics);
            if deferred.len() + deferred_modules.len() > 0 {
                let left = self.unreached(deferred, deferred_modules.len());
                self.view.diagnostics(&left);
            }
            self.view.applied(&AppliedRun {
                mode: ended.plan.mode,
                recorded: ended.plan.drift.len(),
                applied,
                is_complete,
            });
            if !is_complete {
                let tracker = self.feed.tracker();
                partial = Some((applied, tracker.skipped().iter().map(name).collect()));
            }
        }
        if is_complete {
            self.view.outputs(outputs);
        }
        self.view.closed(&ClosedRun {
            partial,
            closed,
            took: self.session.took(started),
        });
        exit
    }
}

/// What a plan leaves to a later one.
fn deferred(changes: usize, modules: usize) -> String {
    match changes {
        0 => counted(modules, "deferred module"),
        _ => counted(changes + modules, "deferred change"),
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
