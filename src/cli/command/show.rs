//! `show`: the state or a saved plan, for people or as JSON.

use std::path::Path;

use crate::args::Show;
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::Session;
use crate::view::diff::Secrets;
use crate::view::plan::PlanView;
use crate::view::{json, state};
use crate::workflow::saved;

pub(super) async fn run(session: &Session<'_>, arguments: &Show) -> Result<Exit, CommandError> {
    let secrets = match arguments.show_secrets {
        true => Secrets::Shown,
        false => Secrets::Hidden,
    };
    let text = match &arguments.plan {
        Some(file) => plan(session, file, secrets)?,
        None => {
            let (stored, _) = session.look().await?;
            match session.common.json {
                true => json::state::state(&stored, secrets),
                false => state::state(&stored, secrets, session.out_painter()),
            }
        }
    };
    session.streams.out(text);
    Ok(Exit::DONE)
}

/// A saved plan as `preview` showed it; needs neither state nor providers.
fn plan(session: &Session<'_>, file: &Path, secrets: Secrets) -> Result<String, CommandError> {
    let (saved, program) = saved::open(session, file)?;
    session.streams.err(&saved.heading());
    session.say(&saved.plan.diagnostics);
    if session.common.json {
        let at = saved.origin.made_at;
        return Ok(json::plan(&saved.plan, &program, at, secrets));
    }
    Ok(PlanView::new(&saved.plan, &program, secrets, session.out_painter()).text())
}
