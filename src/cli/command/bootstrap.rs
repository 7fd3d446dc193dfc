//! `bootstrap`: creates what the store of a state needs; shows the steps first.

use serde::Serialize;
use terrane_core::Diagnostic;
use terrane_state::{BackendError, SystemClock};

use crate::args::Bootstrap;
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::{Session, run_error};
use crate::signals::Signals;
use crate::view::outputs::to_line;
use crate::view::painter::Tone;
use crate::workflow::confirmation::Confirmation;

/// What `--json` prints.
#[derive(Serialize)]
struct Done {
    /// The state that can be kept now.
    state: String,
    /// What was done, in that order; empty when there was nothing to do.
    steps: Vec<String>,
}

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
    let say = |text: String| {
        if !session.common.json {
            session.streams.out(text);
        }
    };
    if !steps.is_empty() {
        let plus = session.out_painter().paint(Tone::Add, "+");
        say(steps
            .iter()
            .map(|step| format!("  {plus} {step}\n"))
            .collect());
        let confirmation = Confirmation::from(arguments.yes);
        confirmation.check_possible(session)?;
        let signals = Signals::listening(session.streams.clone());
        confirmation.obtain(session, &signals, "Do this?").await?;
        for (step, text) in planned.iter().zip(&steps) {
            step.run().await.map_err(failed)?;
            say(format!("{text}: done\n"));
        }
    }
    if session.common.json {
        session.streams.out(to_line(&Done {
            state: location.to_string(),
            steps,
        }));
    } else {
        say(format!("{location} is ready\n"));
    }
    Ok(Exit::DONE)
}
