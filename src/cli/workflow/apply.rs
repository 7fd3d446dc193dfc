//! A run from lock to unlock, as `up`, `destroy` and `refresh` share it: plan, show, ask, apply, and report the end.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Instant;

use terrane_core::{Diagnostics, Program};
use terrane_engine::{Applied, Engine, PlanMode, Recovered};
use terrane_provider::Plugins;
use terrane_state::{Clock as _, Closed, Operation, Recorder as _, Run, RunError, SystemClock};

use super::confirmation::Confirmation;
use super::plan::{Machine, check, say_recovered};
use super::plan_source::{Fresh, Held, PlanSource, Sourced};
use super::{advice, policies, unresolved};
use crate::args::Guard;
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::{Aftermath, Session, run_error};
use crate::signals::Signals;
use crate::view::text::name;
use crate::view::{
    AppliedRun, ClosedRun, Details, Feed, InFiles, RunView as _, RunViews, Secrets, ShownPlan,
};

/// A run that is to be made.
pub(crate) struct Request<S> {
    /// The operation that the lock names.
    pub(crate) operation: Operation,
    /// Where the plan comes from.
    pub(crate) source: S,
    /// Operations at once.
    pub(crate) parallelism: NonZeroUsize,
    /// Whether a person has to confirm.
    pub(crate) confirmation: Confirmation,
    /// The question that they confirm.
    pub(crate) question: &'static str,
    /// Limits of the plan, and the files beside stdout.
    pub(crate) guard: Guard,
    /// How much of the plan is shown before the question.
    pub(crate) details: Details,
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
    /// The applied plan; none when there was nothing to do.
    applied: Option<Carried>,
}

/// An applied plan.
struct Carried {
    mode: PlanMode,
    /// Objects that had changed outside of the program.
    recorded: usize,
    applied: Box<Applied>,
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
    reported(session, &request.guard.files, async |view| {
        request.confirmation.check_possible(session)?;
        let program = session.program().await?;
        let providers = session.providers(&program).await?;
        carry_out(session, &request, view, &program, &providers, started).await
    })
    .await
}

/// Makes a run, for a program and its providers.
pub(crate) async fn carry_out(
    session: &Session<'_>,
    request: &Request<impl PlanSource>,
    view: Arc<RunViews>,
    program: &Program,
    providers: &Plugins,
    started: Instant,
) -> Result<Exit, CommandError> {
    view.begin()?;
    let feed = Feed::new(view.clone(), session.redactor.clone());
    let (run, recovered) = session.open(request.operation).await?;
    say_recovered(session, &recovered);

    let machine = Machine::default();
    let engine = machine.engine(providers, &feed, request.parallelism, session);
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
    let aftermath = match &closed {
        Err(error) => session.rescue(&run, error).await,
        Ok(_) => None,
    };
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
        } = self.request.source.plan(held).await?;
        self.feed.pause();
        self.view.diagnostics(&plan.diagnostics);
        self.feed.planned(&plan);
        let policies = policies::review(self.session, &plan, self.program);
        let place = self.session.place(self.program, self.providers, callers)?;
        let shown = ShownPlan {
            plan: &plan,
            program: self.program,
            made_at: SystemClock::default().now(),
            secrets: Secrets::Hidden,
            is_partial: !recovered.remaining.is_empty(),
            policies: &policies,
            cost: None,
            place: &place,
            details: self.request.details,
            saved: None,
            // They are told by themselves.
            diagnostics: &Diagnostics::new(),
        };
        self.view.planned(&shown);
        self.view.diagnostics(&advice::on(&plan));
        check(&plan, &self.request.guard, &policies)?;
        let nothing_read = plan.refreshed().same_content(&plan.prior);
        let ended = |applied| Ended { recovered, applied };
        if plan.is_empty() && nothing_read {
            if reads_everything {
                self.run.all_was_read();
            }
            return Ok(ended(None));
        }
        // Drift alone is recorded without a question, as everywhere.
        if !plan.is_empty() {
            let confirmation = self.request.confirmation;
            confirmation
                .obtain_after_details(
                    self.session,
                    signals,
                    self.request.question,
                    Some(&|| self.view.details(&shown)),
                )
                .await?;
        }
        self.request.source.begin(held).await?;
        if reads_everything {
            self.run.all_was_read();
        }
        let applied = engine.apply(self.program, &plan, self.run).await;
        if plan.is_empty() && applied.succeeded + applied.failed == 0 && !applied.interrupted {
            return Ok(ended(None));
        }
        Ok(ended(Some(Carried {
            mode: plan.mode,
            recorded: plan.drift.len(),
            applied: Box::new(applied),
        })))
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
            (Ok(ended), Ok(closed)) => Ok(self.report(&ended, Some(&closed), started)),
            (Ok(ended), Err(unclosed)) => {
                let exit = self.report(&ended, None, started);
                Err(CommandError {
                    exit: exit.worse_of(unclosed.exit),
                    ..unclosed
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
        }) = &ended.applied
        {
            let end = exit_of(applied);
            exit = exit.worse_of(end);
            is_complete = end == Exit::DONE;
            self.view.diagnostics(&applied.diagnostics);
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
