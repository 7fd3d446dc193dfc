//! `up`: plan, show, ask, apply; or apply what was planned and saved before.

use terrane_engine::{PlanMode, PlanOptions};
use terrane_state::Operation;

use super::apply::{Planned, Request, plan_and_apply};
use super::consent::Consent;
use super::saved;
use crate::args::Up;
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::Session;

pub(super) async fn run(session: &Session<'_>, arguments: Up) -> Result<Exit, CommandError> {
    if let Some(file) = arguments.plan {
        let guard = arguments.guard;
        return saved::apply(session, &file, arguments.parallelism.parallelism, guard).await;
    }
    let mode = match arguments.refreshing.refresh_only {
        true => PlanMode::RefreshOnly,
        false => PlanMode::Normal,
    };
    let request = Request {
        operation: Operation::Apply,
        planned: Planned::Now(PlanOptions {
            mode,
            refresh: arguments.refreshing.refresh.into(),
            targets: arguments.selection.targets,
            excludes: arguments.selection.excludes,
            replace: arguments.replace.replace,
            ..PlanOptions::default()
        }),
        parallelism: arguments.parallelism.parallelism,
        consent: Consent::from(arguments.yes),
        question: "Make these changes?",
        guard: arguments.guard,
    };
    plan_and_apply(session, request).await
}
