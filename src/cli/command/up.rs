//! `up`: plan, show, ask, apply.

use terrane_engine::{PlanMode, PlanOptions};
use terrane_state::Operation;

use super::apply::{Request, plan_and_apply};
use super::consent::Consent;
use crate::args::Up;
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::Session;

pub(super) async fn run(session: &Session<'_>, arguments: Up) -> Result<Exit, CommandError> {
    let mode = match arguments.refreshing.refresh_only {
        true => PlanMode::RefreshOnly,
        false => PlanMode::Normal,
    };
    let request = Request {
        operation: Operation::Apply,
        options: PlanOptions {
            mode,
            refresh: arguments.refreshing.refresh.into(),
            targets: arguments.selection.targets,
            excludes: arguments.selection.excludes,
            replace: arguments.replace.replace,
            ..PlanOptions::default()
        },
        parallelism: arguments.parallelism.parallelism,
        consent: Consent::from(arguments.yes),
        question: "Make these changes?",
        guard: arguments.guard,
    };
    plan_and_apply(session, request).await
}
