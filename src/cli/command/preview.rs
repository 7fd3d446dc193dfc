//! `preview`: plan and show. Takes no lock and writes no state.

use std::path::Path;
use std::sync::Arc;

use terrane_core::Diagnostic;
use terrane_engine::{PlanMode, PlanOptions};

use super::open_intents;
use super::plan::{Machine, check, make_plan, say_recovered};
use crate::args::Preview;
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::Session;
use crate::signals::Signals;
use crate::view::diff::Secrets;
use crate::view::json;
use crate::view::plan::PlanView;
use crate::view::progress::{Live, Progress};

pub(super) async fn run(session: &Session<'_>, arguments: Preview) -> Result<Exit, CommandError> {
    let program = session.program()?;
    let (state, recovered) = session.look().await?;
    say_recovered(session, &recovered);
    session.say(&open_intents::warnings(&recovered.open));
    let providers = session.providers(&program)?;
    let mut progress = Progress::default();
    if session.streams.is_live() && session.common.log.is_none() {
        progress.add(Arc::new(Live::new(session.streams.clone())));
    }
    let mode = match (arguments.destroy, arguments.refreshing.refresh_only) {
        (true, _) => PlanMode::Destroy,
        (_, true) => PlanMode::RefreshOnly,
        _ => PlanMode::Normal,
    };
    let options = PlanOptions {
        mode,
        refresh: arguments.refreshing.refresh.into(),
        targets: arguments.selection.targets,
        excludes: arguments.selection.excludes,
        replace: arguments.replace.replace,
    };
    let machine = Machine::default();
    let engine = machine.engine(&providers, &progress, arguments.parallelism.parallelism);
    let signals = Signals::stopping(engine.stopper(), session.streams.clone());
    let planned = {
        let _ticking = progress.ticking();
        make_plan(&engine, &signals, &program, &state, &options).await
    };
    progress.pause();
    engine.close().await;
    let plan = planned?;

    let secrets = match arguments.show_secrets {
        true => Secrets::Shown,
        false => Secrets::Hidden,
    };
    session.say(&plan.diagnostics);
    if session.common.json {
        session.streams.out(&json::plan(&plan, &program, secrets));
    } else {
        let view = PlanView::new(&plan, &program, secrets, session.out_painter());
        session.streams.out(&view.text());
    }
    if let Some(file) = &arguments.guard.json_file {
        write_file(file, &json::plan(&plan, &program, secrets))?;
    }
    check(&plan, &arguments.guard)?;
    match arguments.detailed_exitcode && !plan.is_empty() {
        true => Ok(Exit::CHANGES),
        false => Ok(Exit::DONE),
    }
}

/// Puts a document into a file of its own.
fn write_file(path: &Path, text: &str) -> Result<(), CommandError> {
    std::fs::write(path, text).map_err(|error| {
        let said = Diagnostic::error(format!("cannot write {}", path.display()));
        said.detail(error.to_string()).into()
    })
}
