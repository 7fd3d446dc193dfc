//! What up, destroy and refresh share: hold the state, plan, show, ask, apply, and say what became of it.

use std::borrow::Cow;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Instant;

use terrane_core::{Diagnostic, Program};
use terrane_engine::{Applied, Engine, Plan, PlanMode, PlanOptions, Settled};
use terrane_provider::Plugins;
use terrane_state::{Operation, Recorder as _, Run};

use super::consent::Consent;
use super::open_intents;
use super::plan::{Machine, check, make_plan, say_recovered};
use super::saved::Saved;
use crate::args::Guard;
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::{Aftermath, Session, run_error};
use crate::signals::{Signals, interrupted};
use crate::view::diff::Secrets;
use crate::view::json::stream::JsonStream;
use crate::view::outputs;
use crate::view::painter::Tone;
use crate::view::plan::PlanView;
use crate::view::progress::{Lines, Live, Progress, Skipped};
use crate::view::summary;

/// What is to be planned and applied.
pub(super) struct Request {
    /// What the lock says.
    pub(super) operation: Operation,
    /// What is planned, or was.
    pub(super) planned: Planned,
    /// Operations at once.
    pub(super) parallelism: NonZeroUsize,
    /// Whether somebody has to say yes.
    pub(super) consent: Consent,
    /// What is asked.
    pub(super) question: &'static str,
    /// What the plan may not hold, and where else it goes.
    pub(super) guard: Guard,
}

/// When a plan is made.
pub(super) enum Planned {
    /// With that request.
    Now(PlanOptions),
    /// Earlier; it was saved.
    Before(Box<Saved>),
}

/// One run from lock to unlock.
struct Work<'a> {
    session: &'a Session<'a>,
    program: &'a Program,
    request: &'a Request,
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
pub(super) async fn plan_and_apply(
    session: &Session<'_>,
    request: Request,
) -> Result<Exit, CommandError> {
    let started = Instant::now();
    request.consent.can_be_had(session)?;
    let program = session.program()?;
    let providers = session.providers(&program)?;
    carry_out(session, &request, &program, &providers, started).await
}

/// Does all of it, for a program and its providers.
pub(super) async fn carry_out(
    session: &Session<'_>,
    request: &Request,
    program: &Program,
    providers: &Plugins,
    started: Instant,
) -> Result<Exit, CommandError> {
    let (mut progress, streams) = views(session, request)?;
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
    request: &Request,
) -> Result<(Progress, Vec<Arc<JsonStream>>), CommandError> {
    let mut streams = Vec::new();
    if session.common.json {
        streams.push(Arc::new(JsonStream::stdout(session.streams.clone())));
    }
    if let Some(file) = &request.guard.json_file {
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

impl Work<'_> {
    async fn run(&self, engine: &Engine<'_>, signals: &Signals) -> Result<Ended, CommandError> {
        let (plan, settled) = match &self.request.planned {
            Planned::Now(options) => self.plan(engine, signals, options).await?,
            Planned::Before(saved) => {
                saved.check_state(self.run)?;
                saved.check_callers(engine, self.program).await?;
                saved.check_objects(engine, self.program).await?;
                if signals.heard() {
                    return Err(interrupted());
                }
                (Cow::Borrowed(&saved.plan), Settled::default())
            }
        };
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
        let all_read = match &self.request.planned {
            Planned::Now(options) => options.reads_everything() && settled.blocked().is_empty(),
            Planned::Before(_) => false,
        };
        let ended = |applied| Ended { settled, applied };
        if plan.is_empty() && nothing_read {
            if all_read {
                self.run.all_was_read();
            }
            return Ok(ended(None));
        }
        // What was only read is recorded without a question, as everywhere.
        if !plan.is_empty() {
            let consent = self.request.consent;
            consent
                .obtain(self.session, signals, self.request.question)
                .await?;
        }
        if let Planned::Before(saved) = &self.request.planned {
            saved.mark_used(self.session, self.run).await?;
        }
        if all_read {
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

    /// Makes a plan of the state as it is, once what earlier runs left open is settled.
    async fn plan(
        &self,
        engine: &Engine<'_>,
        signals: &Signals,
        options: &PlanOptions,
    ) -> Result<(Cow<'_, Plan>, Settled), CommandError> {
        let settled = self.settle(engine, signals).await?;
        let options = PlanOptions {
            blocked: settled.blocked(),
            unread: self.run.is_unread(),
            ..options.clone()
        };
        let prior = self.run.state();
        let plan = make_plan(engine, signals, self.program, &prior, &options).await?;
        Ok((Cow::Owned(plan), settled))
    }

    /// Settles what earlier runs left open, and says what can not be settled.
    async fn settle(
        &self,
        engine: &Engine<'_>,
        signals: &Signals,
    ) -> Result<Settled, CommandError> {
        let settled = engine.settle(self.program, self.run).await;
        self.progress.pause();
        self.progress.diagnostics(&settled.diagnostics);
        let text = open_intents::settled_text(&settled);
        self.session.streams.err(&text);
        open_intents::recorded(&settled)?;
        if signals.heard() {
            return Err(interrupted());
        }
        self.progress.diagnostics(&open_intents::unresolved(
            self.session,
            self.program,
            &settled,
        ));
        Ok(settled)
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
            Err(error) => {
                // Nothing was applied; a state that could not be written is the worse news then.
                return Err(match closing {
                    Err(worse) if worse.exit != error.exit => {
                        self.progress.diagnostics(&error.diagnostics);
                        worse
                    }
                    _ => error,
                });
            }
            Ok(ended) => ended,
        };
        let Some(Carried {
            mode,
            recorded,
            applied,
        }) = applied
        else {
            self.show_outputs();
            let text = closing?;
            self.talk(&text);
            return Ok(open_intents::exit_with(&settled, Exit::DONE));
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
                // That the state was not written, or that this run was fenced, is worse than a failed step.
                if exit == Exit::DONE || error.exit != Exit::FAILED {
                    return Err(error);
                }
                self.progress.diagnostics(&error.diagnostics);
                return Ok(open_intents::exit_with(&settled, exit));
            }
        };
        self.talk(&format!("{talk}{text}"));
        Ok(open_intents::exit_with(&settled, exit))
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

fn exit_of(applied: &Applied) -> Exit {
    if let Some(error) = &applied.record_error {
        return run_error(&error.clone().into()).exit;
    }
    // Operations that end early because they were asked to are failures only in form.
    if applied.interrupted {
        return Exit::INTERRUPTED;
    }
    if !applied.unknown.is_empty() {
        return Exit::UNRESOLVED;
    }
    if applied.failed > 0 || applied.diagnostics.has_errors() {
        return Exit::FAILED;
    }
    Exit::DONE
}
