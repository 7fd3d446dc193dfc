//! `bootstrap`: creates the store of a state, after showing the steps.

use terrane_core::Diagnostic;
use terrane_state::{BackendError, SystemClock};

use crate::args::Bootstrap;
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::{Session, run_error};
use crate::signals::Signals;
use crate::workflow::confirmation::Confirmation;

pub(super) async fn run(
    session: &Session<'_>,
    arguments: &Bootstrap,
) -> Result<Exit, CommandError> {
    let location = session.location()?;
    let failed = |error: BackendError| run_error(&error.into());
    let clock = std::sync::Arc::new(SystemClock::default());
    let planned = location.address().plan_bootstrap(clock).await;
    let Some(planned) = planned.map_err(failed)? else {
        let nothing = Diagnostic::error(format!("the state at {location} needs no `bootstrap`"));
        return Err(nothing
            .detail("its store has nothing to create")
            .hint("name another state with `--backend`, or in the program")
            .into());
    };
    let steps: Vec<String> = planned.iter().map(ToString::to_string).collect();
    if !steps.is_empty() {
        session.view().bootstrap_plan(&steps);
        let confirmation = Confirmation::from(arguments.yes);
        confirmation.check_possible(session)?;
        let signals = Signals::listening(session.streams.clone());
        confirmation.obtain(session, &signals, "Do this?").await?;
        for (step, text) in planned.iter().zip(&steps) {
            step.run().await.map_err(failed)?;
            session.view().bootstrap_step(text);
        }
    }
    session.view().bootstrapped(&location.to_string(), &steps);
    Ok(Exit::DONE)
}
