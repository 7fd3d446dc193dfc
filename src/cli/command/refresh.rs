//! `refresh`: read the real world, show drift, ask, write the state.

use terrane_engine::{PlanMode, PlanOptions};
use terrane_state::Operation;

use super::apply::{Planned, Request, plan_and_apply};
use super::consent::Consent;
use crate::args::{Guard, Refresh};
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::Session;

pub(super) async fn run(session: &Session<'_>, arguments: Refresh) -> Result<Exit, CommandError> {
    let request = Request {
        operation: Operation::Refresh,
        planned: Planned::Now(PlanOptions {
            mode: PlanMode::RefreshOnly,
            ..PlanOptions::default()
        }),
        parallelism: arguments.parallelism.parallelism,
        consent: Consent::from(arguments.yes),
        question: "Record this in the state?",
        guard: Guard::default(),
    };
    plan_and_apply(session, request).await
}
