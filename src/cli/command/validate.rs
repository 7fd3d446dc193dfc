//! `validate`: the program against the providers' schemas. Needs no credentials and no state.

use std::num::NonZeroUsize;

use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::Session;
use crate::signals::Signals;
use crate::view::json::validate::validate;
use crate::view::progress::Progress;
use crate::workflow::plan::Machine;

pub(super) async fn run(session: &Session<'_>) -> Result<Exit, CommandError> {
    let checked = check(session).await;
    let (exit, diagnostics) = match checked {
        Ok(warnings) => (Exit::DONE, warnings),
        Err(error) => (error.exit, error.diagnostics),
    };
    let diagnostics = session.redactor.diagnostics(diagnostics);
    if session.common.json {
        session.streams.out(validate(&diagnostics));
        return Ok(exit);
    }
    if exit != Exit::DONE {
        return Err(CommandError { exit, diagnostics });
    }
    session.say(&diagnostics);
    session.streams.out("The program is valid.\n");
    Ok(exit)
}

async fn check(session: &Session<'_>) -> Result<terrane_core::Diagnostics, CommandError> {
    /// Validation is quick; this many at once keep a provider busy.
    const PARALLELISM: NonZeroUsize = NonZeroUsize::new(10).expect("ten is not zero");
    let program = session.program()?;
    let providers = session.providers(&program)?;
    let machine = Machine::default();
    let progress = Progress::new(session.redactor.clone());
    let engine = machine.engine(&providers, &progress, PARALLELISM, session);
    let _signals = Signals::stopping(engine.stopper(), session.streams.clone());
    let checked = engine.validate(&program).await;
    engine.close().await;
    checked.map_err(CommandError::from)
}
