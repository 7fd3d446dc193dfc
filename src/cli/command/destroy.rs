//! `destroy`: plan the destruction of everything in the state, show, ask, apply.

use terrane_deploy::FreshPlan;
use terrane_engine::{PlanMode, PlanOptions};
use terrane_state::Operation;

use crate::args::{Approving, Destroy, Parallelism, Selection};
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::Session;
use crate::workflow::apply::{Applying, Request, plan_and_apply};
use crate::workflow::approval;
use crate::workflow::confirmation::Confirmation;

pub(super) async fn run(session: &Session<'_>, arguments: Destroy) -> Result<Exit, CommandError> {
    let Destroy {
        selection: Selection { targets, excludes },
        refresh,
        parallelism: Parallelism { parallelism },
        plan_digest: Approving { plan_digest },
        details,
        yes,
    } = arguments;
    let approved = approval::read(plan_digest.as_ref())?;
    let request = Request {
        operation: Operation::Destroy,
        source: FreshPlan(PlanOptions {
            mode: PlanMode::Destroy,
            targets,
            excludes,
            refresh: refresh.into(),
            ..PlanOptions::default()
        }),
        confirmation: Confirmation::new(yes, approved.is_some()),
        question: "Destroy all of these? There is no undo.",
        applying: Applying {
            approved,
            ..Applying::new(parallelism, details.into())
        },
    };
    plan_and_apply(session, request).await
}
