//! `validate`: checks the program against the providers' schemas. Needs no credentials and no state.

use std::num::NonZeroUsize;

use terrane_core::{Diagnostics, Unfinished};

use crate::args::Validate;
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::Session;
use crate::signals::Signals;
use crate::view::Validity;
use crate::workflow::plan::Machine;

pub(super) async fn run(session: &Session<'_>, arguments: &Validate) -> Result<Exit, CommandError> {
    let checked = check(session, arguments.lint).await;
    let (exit, diagnostics) = match checked {
        Ok(warnings) => (Exit::DONE, warnings),
        Err(error) => (error.exit, error.diagnostics),
    };
    let diagnostics = session.readable().diagnostics(&diagnostics);
    let validity = match exit {
        Exit::DONE => Validity::Valid,
        _ => Validity::Invalid,
    };
    session.view().validated(validity, &diagnostics);
    Ok(exit)
}

async fn check(session: &Session<'_>, lint: bool) -> Result<Diagnostics, CommandError> {
    /// Validation is quick; this many at once keep a provider busy.
    const PARALLELISM: NonZeroUsize = NonZeroUsize::new(10).expect("ten is not zero");
    let program = session.program_without_secrets().await?;
    let providers = session.providers(&program).await?;
    let machine = Machine::default();
    let feed = session.silent_feed();
    let engine = machine.engine(&providers, &feed, PARALLELISM, session);
    let _signals = Signals::stopping(engine.stopper(), session.streams.clone());
    let checked = engine.validate(&program).await;
    let advice = match lint && checked.is_ok() {
        true => engine.deprecated(&program).await,
        false => Ok(Diagnostics::new()),
    };
    engine.close().await;
    let mut found = checked?;
    found.extend(program.unfinished().map(Unfinished::warning));
    found.extend(advice?);
    if lint {
        found.extend(program.lint());
    }
    Ok(found)
}
