//! `invoke`: one of the program's actions, by hand, with the objects in the state.
//!
//! It holds the lock: no other run may change the objects that the action is told of.

use std::num::NonZeroUsize;

use terrane_engine::declared_action;
use terrane_state::Operation;

use crate::args::Invoke;
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::{Session, run_error};
use crate::signals::Signals;
use crate::workflow::confirmation::Confirmation;
use crate::workflow::plan::{Machine, say_recovered};

pub(super) async fn run(session: &Session<'_>, arguments: Invoke) -> Result<Exit, CommandError> {
    let Invoke { action, yes } = arguments;
    let confirmation = Confirmation::from(yes);
    confirmation.check_possible(session)?;
    let program = session.program().await?;
    declared_action(program.whole()?, &action)?;
    let providers = session.providers(&program).await?;
    let (run, recovered) = session.open(Operation::Invoke).await?;
    say_recovered(session, &recovered);
    let machine = Machine::default();
    let feed = session.planning_feed();
    let engine = machine.engine(&providers, &feed, NonZeroUsize::MIN, session);
    let signals = Signals::stopping(engine.stopper(), session.streams.clone());
    let invoke = async {
        let question = format!("Invoke {action}?");
        confirmation.obtain(session, &signals, &question).await?;
        Ok(engine.invoke(&program, &run, &action).await?)
    };
    let invoked = tokio::select! {
        invoked = invoke => invoked,
        lost = run.keep_alive() => Err(run_error(&lost.into())),
    };
    engine.close().await;
    let closed = run.close().await.map_err(|error| run_error(&error));
    match (invoked, closed) {
        (Ok(warnings), Ok(_)) => {
            session.say(&warnings);
            Ok(Exit::DONE)
        }
        (Err(error), Ok(_)) | (Ok(_), Err(error)) => Err(error),
        (Err(error), Err(unclosed)) => Err(error.and(unclosed)),
    }
}
