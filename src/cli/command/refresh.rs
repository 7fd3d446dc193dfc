//! `refresh`: read every object, show drift, ask, write the state.

use terrane_deploy::FreshPlan;
use terrane_engine::{PlanMode, PlanOptions};
use terrane_state::Operation;

use crate::args::{Parallelism, Refresh};
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::Session;
use crate::view::Details;
use crate::workflow::apply::{Applying, Request, plan_and_apply};
use crate::workflow::confirmation::Confirmation;

pub(super) async fn run(session: &Session<'_>, arguments: Refresh) -> Result<Exit, CommandError> {
    let Refresh {
        parallelism: Parallelism { parallelism },
        yes,
    } = arguments;
    let request = Request {
        operation: Operation::Refresh,
        source: FreshPlan(PlanOptions {
            mode: PlanMode::RefreshOnly,
            ..PlanOptions::default()
        }),
        confirmation: Confirmation::from(yes),
        question: "Record this in the state?",
        applying: Applying::new(parallelism, Details::All),
    };
    plan_and_apply(session, request).await
}
