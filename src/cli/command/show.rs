//! `show`: the state, or a saved plan.

use std::path::Path;

use terrane_core::Diagnostic;
use terrane_deploy::policies;

use crate::args::{Pricing, Show};
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::Session;
use crate::view::{Approval, Details, InFiles, PlanView as _, Secrets, ShownPlan};
use crate::workflow::cost::{self, Prices};
use crate::workflow::saved;

pub(super) async fn run(session: &Session<'_>, arguments: Show) -> Result<Exit, CommandError> {
    let Show {
        plan,
        files,
        pricing,
        details,
        show_secrets,
    } = arguments;
    let secrets = Secrets::shown(show_secrets);
    match plan {
        Some(file) => {
            let prices = cost::read(&pricing)?;
            show_plan(session, &file, (&files, prices), details.into(), secrets).await?;
        }
        None => {
            refuse_plan_flags(&files, &pricing)?;
            let (stored, _) = session.look().await?;
            session.view().state(&stored, secrets);
        }
    }
    Ok(Exit::DONE)
}

/// A saved plan as `preview` showed it; needs neither state nor providers.
async fn show_plan(
    session: &Session<'_>,
    file: &Path,
    (files, prices): (&InFiles, Option<Prices>),
    details: Details,
    secrets: Secrets,
) -> Result<(), CommandError> {
    let (saved, program) = saved::open(session, file).await?;
    session.note(&saved.heading());
    session.say(&saved.fixed.plan.diagnostics);
    let policies = policies::review(&saved.fixed.plan, &program, &session.redactor);
    let cost = prices.map(|prices| prices.estimate(session, &saved.fixed.plan, &program));
    let shown = ShownPlan {
        plan: &saved.fixed.plan,
        program: &program,
        made_at: saved.fixed.origin.made_at,
        secrets,
        is_partial: false,
        policies: &policies,
        cost: cost.as_ref(),
        place: &saved.place(session, &program),
        details,
        approval: &Approval::default(),
        saved: Some(&saved.file),
        diagnostics: &session
            .readable()
            .diagnostics(&saved.fixed.plan.diagnostics),
    };
    Ok(session.plan_views(files).plan(&shown)?)
}

/// These show a plan, and no state.
fn refuse_plan_flags(files: &InFiles, pricing: &Pricing) -> Result<(), CommandError> {
    let Some(flag) = files.first().or(pricing.cost.then_some("cost")) else {
        return Ok(());
    };
    Err(CommandError::usage(
        Diagnostic::error(format!("`--{flag}` needs a saved plan"))
            .detail("without one the state is shown, on stdout alone")
            .hint("name the file of a plan: `show PLAN`"),
    ))
}
