//! `bootstrap`: makes the bucket and the lock table of a state in S3; says first what it will do.

use serde::Serialize;
use terrane_core::Diagnostic;
use terrane_state::{BackendError, SystemClock};

use super::consent::Consent;
use crate::args::Bootstrap;
use crate::backend::BackendConfig;
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::{Session, run_error};
use crate::signals::Signals;
use crate::view::outputs::to_line;
use crate::view::painter::Tone;

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
    let BackendConfig::S3(backend) = &location else {
        let local = Diagnostic::error(format!("the state at {location} is a local file"));
        return Err(local
            .detail("there is nothing to make for it")
            .hint("name a state in S3 with --backend s3://BUCKET/KEY, or in the program")
            .into());
    };
    let failed = |error: BackendError| run_error(&error.into());
    let clock = std::sync::Arc::new(SystemClock::default());
    let store = backend.connect(clock).await.map_err(failed)?;
    let plan = store.plan_bootstrap().await.map_err(failed)?;
    let steps: Vec<String> = plan.steps.iter().map(ToString::to_string).collect();
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
        let consent = Consent::from(arguments.yes);
        consent.can_be_had(session)?;
        let signals = Signals::listening(session.streams.clone());
        consent.obtain(session, &signals, "Do this?").await?;
        for (step, text) in plan.steps.iter().zip(&steps) {
            store.bootstrap(step).await.map_err(failed)?;
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
