//! `show`: the state, or a saved plan.

use std::path::Path;

use crate::args::Show;
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::Session;
use crate::view::{Details, Secrets, ShownPlan};
use crate::workflow::{policies, saved};

pub(super) async fn run(session: &Session<'_>, arguments: Show) -> Result<Exit, CommandError> {
    let Show {
        plan,
        details,
        show_secrets,
    } = arguments;
    let secrets = Secrets::shown(show_secrets);
    match plan {
        Some(file) => show_plan(session, &file, details.into(), secrets)?,
        None => {
            let (stored, _) = session.look().await?;
            session.view().state(&stored, secrets);
        }
    }
    Ok(Exit::DONE)
}

/// A saved plan as `preview` showed it; needs neither state nor providers.
fn show_plan(
    session: &Session<'_>,
    file: &Path,
    details: Details,
    secrets: Secrets,
) -> Result<(), CommandError> {
    let (saved, program) = saved::open(session, file)?;
    session.note(&saved.heading());
    session.say(&saved.plan.diagnostics);
    let policies = policies::review(session, &saved.plan, &program);
    let shown = ShownPlan {
        plan: &saved.plan,
        program: &program,
        made_at: saved.origin.made_at,
        secrets,
        is_partial: false,
        policies: &policies,
        cost: None,
        place: &saved.place(session),
        details,
        saved: None,
        diagnostics: &session.readable().diagnostics(&saved.plan.diagnostics),
    };
    Ok(session.view().plan(&shown)?)
}
