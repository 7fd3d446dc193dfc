//! `destroy`: plan the removal of everything in the state, show, ask, apply.

use terrane_engine::{PlanMode, PlanOptions};
use terrane_state::Operation;

use super::apply::{Planned, Request, plan_and_apply};
use super::consent::Consent;
use crate::args::{Destroy, Guard};
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::Session;

pub(super) async fn run(session: &Session<'_>, arguments: Destroy) -> Result<Exit, CommandError> {
    let request = Request {
        operation: Operation::Apply,
        planned: Planned::Now(PlanOptions {
            mode: PlanMode::Destroy,
            targets: arguments.selection.targets,
            excludes: arguments.selection.excludes,
            refresh: arguments.refresh.into(),
            ..PlanOptions::default()
        }),
        parallelism: arguments.parallelism.parallelism,
        consent: Consent::from(arguments.yes),
        question: "Destroy all of these? There is no undo.",
        guard: Guard::default(),
    };
    plan_and_apply(session, request).await
}
