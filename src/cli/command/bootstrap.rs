//! `bootstrap`: creates the stores of states, after showing the steps.

use std::collections::BTreeSet;
use std::sync::Arc;

use terrane_core::Diagnostic;
use terrane_state::{BackendConfig, BackendError, BootstrapStep, SystemClock};

use crate::args::Yes;
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::{Session, run_error};
use crate::signals::Signals;
use crate::workflow::confirmation::Confirmation;

/// Creates what those states need; what several need is one step.
pub(crate) async fn run(
    session: &Session<'_>,
    locations: &[BackendConfig],
    yes: Yes,
) -> Result<Exit, CommandError> {
    let failed = |error: BackendError| run_error(&error.into());
    let mut planned: Vec<Box<dyn BootstrapStep>> = Vec::new();
    let mut steps: Vec<String> = Vec::new();
    let mut places = BTreeSet::new();
    for location in locations {
        let clock = Arc::new(SystemClock::default());
        let needed = location.address().plan_bootstrap(clock).await;
        let Some(needed) = needed.map_err(failed)? else {
            continue;
        };
        places.insert(location.to_string());
        for step in needed {
            let text = step.to_string();
            if !steps.contains(&text) {
                steps.push(text);
                planned.push(step);
            }
        }
    }
    if places.is_empty() {
        let places: BTreeSet<String> = locations.iter().map(ToString::to_string).collect();
        let places = places.into_iter().collect::<Vec<_>>().join(", ");
        let nothing = Diagnostic::error(format!("the state at {places} needs no `bootstrap`"));
        return Err(nothing
            .detail("its store has nothing to create")
            .hint("name another state with `--backend`, or in the program")
            .into());
    }
    if !steps.is_empty() {
        session.view().bootstrap_plan(&steps);
        let confirmation = Confirmation::from(yes);
        confirmation.check_possible(session)?;
        let signals = Signals::listening(session.streams.clone());
        confirmation.obtain(session, &signals, "Do this?").await?;
        for (step, text) in planned.iter().zip(&steps) {
            step.run().await.map_err(failed)?;
            session.view().bootstrap_step(text);
        }
    }
    let places = places.into_iter().collect::<Vec<_>>().join(", ");
    session.view().bootstrapped(&places, &steps);
    Ok(Exit::DONE)
}
