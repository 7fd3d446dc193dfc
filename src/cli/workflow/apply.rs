//! What up, destroy and refresh share: hold the state, plan, show, ask, apply, and say what became of it.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Instant;

use terrane_core::{Diagnostic, Program};
use terrane_engine::{Applied, Engine, PlanMode, Settled};
use terrane_provider::Plugins;
use terrane_state::{Operation, Recorder as _, Run};

use super::confirmation::Confirmation;
use super::plan::{Machine, check, say_recovered};
use super::plan_source::{Fresh, Held, PlanSource, Sourced};
use super::unresolved;
use crate::args::Guard;
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::{Aftermath, Session, run_error};
use crate::signals::Signals;
use crate::view::diff::Secrets;
use crate::view::json::stream::JsonStream;
use crate::view::outputs;
use crate::view::painter::Tone;
use crate::view::plan::PlanView;
use crate::view::progress::{Lines, Live, Progress, Skipped};
use crate::view::summary;

/// What is to be planned and applied.
pub(crate) struct Request<S> {
    /// What the lock says.
    pub(crate) operation: Operation,
    /// Where the plan comes from.
    pub(crate) source: S,
    /// Operations at once.
    pub(crate) parallelism: NonZeroUsize,
    /// Whether somebody has to say yes.
    pub(crate) confirmation: Confirmation,
    /// What is asked.
    pub(crate) question: &'static str,
    /// What the plan may not hold, and where else it goes.
    pub(crate) guard: Guard,
}

/// One run from lock to unlock.
struct Work<'a, S> {
    session: &'a Session<'a>,
    program: &'a Program,
    request: &'a Request<S>,
    progress: &'a Progress,
    streams: Vec<Arc<JsonStream>>,
    skipped: Arc<Skipped>,
    run: &'a Run,
}

/// How the work ended.
struct Ended {
    /// What was left open before it, and what became of that.
    settled: Settled,
    /// What was done; `None` when there was nothing to do.
    applied: Option<Carried>,
}

/// What a plan came to.
struct Carried {
    mode: PlanMode,
    /// Objects that were found to be otherwise than the state had them.
    recorded: usize,
    applied: Box<Applied>,
}

/// Does all of it.
pub(crate) async fn plan_and_apply(
    session: &Session<'_>,
    request: Request<Fresh>,
) -> Result<Exit, CommandError> {
    let started = Instant::now();
    request.confirmation.check_possible(session)?;
    let program = session.program()?;
    let providers = session.providers(&program)?;
    carry_out(session, &request, &program, &providers, started).await
}

/// Does all of it, for a program and its providers.
pub(crate) async fn carry_out(
    session: &Session<'_>,
    request: &Request<impl PlanSource>,
    program: &Program,
    providers: &Plugins,
    started: Instant,
) -> Result<Exit, CommandError> {
    let (mut progress, streams) = views(session, &request.guard)?;
    let skipped = Arc::new(Skipped::default());
    progress.add(skipped.clone());
    let (run, recovered) = session.open(request.operation).await?;
    say_recovered(session, &recovered);

    let machine = Machine::default();
    let engine = machine.engine(providers, &progress, request.parallelism, session);
    let signals = Signals::stopping(engine.stopper(), session.streams.clone());
    let work = Work {
        session,
        program,
        request,
        progress: &progress,
        streams,
        skipped,
        run: &run,
    };
    let ended = {
        let _ticking = progress.ticking();
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
    progress.pause();
    engine.close().await;
    let closed = run.close().await;
    let aftermath = match &closed {
        Err(error) => session.rescue(&run, error).await,
        Ok(_) => None,
    };
    drop(signals);
    work.finish(ended, closed, aftermath, started)
}

fn views(
    session: &Session<'_>,
    guard: &Guard,
) -> Result<(Progress, Vec<Arc<JsonStream>>), CommandError> {
    let mut streams = Vec::new();
    if session.common.json {
        streams.push(Arc::new(JsonStream::stdout(session.streams.clone())));
    }
    if let Some(file) = &guard.json_file {
        let stream = JsonStream::file(file).map_err(|error| {
            let said = Diagnostic::error(format!("cannot write {}", file.display()));
            CommandError::from(said.detail(error.to_string()))
        })?;
        streams.push(Arc::new(stream));
    }
    let mut progress = Progress::new(session.redactor.clone());
    for stream in &streams {
        stream.version();
        progress.add(stream.clone());
    }
    if !session.common.json {
        match session.streams.is_live() {
            true => progress.add(Arc::new(Live::new(session.streams.clone()))),
            false => progress.add(Arc::new(Lines::new(session.streams.clone()))),
        }
    }
    Ok((progress, streams))
}

impl<S: PlanSource> Work<'_, S> {
    async fn run(&self, engine: &Engine<'_>, signals: &Signals) -> Result<Ended, CommandError> {
        let held = Held {
            session: self.session,
            program: self.program,
            engine,
            run: self.run,
            signals,
            progress: self.progress,
        };
        let Sourced {
            plan,
            settled,
            reads_everything,
        } = self.request.source.plan(held).await?;
        self.progress.pause();
        self.progress.diagnostics(&plan.diagnostics);
        // "No changes" would be a claim about what nobody knows.
        let silent = plan.is_empty() && !settled.remaining.is_empty();
        if !self.session.common.json && !silent {
            let painter = self.session.out_painter();
            let view = PlanView::new(&plan, self.program, Secrets::Hidden, painter);
            self.session.streams.out(view.text());
        }
        self.progress.plan(&plan);
        check(&plan, &self.request.guard)?;
        let nothing_read = plan.refreshed().same_content(&plan.prior);
        let ended = |applied| Ended { settled, applied };
        if plan.is_empty() && nothing_read {
            if reads_everything {
                self.run.all_was_read();
            }
            return Ok(ended(None));
        }
        // What was only read is recorded without a question, as everywhere.
        if !plan.is_empty() {
            let confirmation = self.request.confirmation;
            confirmation
                .obtain(self.session, signals, self.request.question)
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

    /// Says what became of the run, and with which code it ends.
    fn finish(
        &self,
        ended: Result<Ended, CommandError>,
        closed: Result<terrane_state::Closed, terrane_state::RunError>,
        aftermath: Option<Aftermath>,
        started: Instant,
    ) -> Result<Exit, CommandError> {
        let closing = match &closed {
            Ok(closed) => Ok(summary::closed(closed, self.session.took(started))),
            Err(error) => Err(self.session.unclosed(error, aftermath)),
        };
        let Ended { settled, applied } = match ended {
            Ok(ended) => ended,
            Err(error) => {
                return Err(match closing {
                    Err(unclosed) => error.and(unclosed),
                    Ok(_) => error,
                });
            }
        };
        let waiting = unresolved::exit(&settled);
        let Some(Carried {
            mode,
            recorded,
            applied,
        }) = applied
        else {
            self.show_outputs();
            let text = closing?;
            self.talk(&text);
            return Ok(waiting);
        };
        self.progress.diagnostics(&applied.diagnostics);
        let exit = exit_of(&applied);
        for stream in &self.streams {
            stream.applied(mode, &applied.done);
        }
        let mut talk = String::new();
        if exit == Exit::DONE {
            let totals = match mode {
                PlanMode::RefreshOnly => summary::refreshed(recorded),
                mode => summary::totals(mode, &applied.done),
            };
            self.data(&format!("\n{totals}\n"));
            self.show_outputs();
        } else {
            talk = summary::partial(&applied, &self.skipped.names());
            talk.push(' ');
        }
        let text = match closing {
            Ok(text) => text,
            Err(error) => {
                if !talk.is_empty() {
                    self.talk(talk.trim_end());
                }
                let exit = exit.worse_of(waiting);
                return Err(CommandError {
                    exit: exit.worse_of(error.exit),
                    ..error
                });
            }
        };
        self.talk(&format!("{talk}{text}"));
        Ok(exit.worse_of(waiting))
    }

    fn show_outputs(&self) {
        let state = self.run.state();
        for stream in &self.streams {
            stream.outputs(&state);
        }
        if state.outputs.is_empty() {
            return;
        }
        let painter = self.session.out_painter();
        let heading = painter.paint(Tone::Strong, "Outputs:");
        let table = outputs::table(&state.outputs, Secrets::Hidden, painter);
        self.data(&format!("\n{heading}\n"));
        for line in table.lines() {
            self.data(&format!("  {line}\n"));
        }
    }

    fn data(&self, text: &str) {
        if !self.session.common.json {
            self.session.streams.out(text);
        }
    }

    fn talk(&self, line: &str) {
        if !self.session.common.json {
            self.session.streams.err(&format!("\n{line}\n"));
        }
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
