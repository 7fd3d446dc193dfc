//! `destroy`: plan the destruction of everything in the state, show, ask, apply.

use terrane_engine::{PlanMode, PlanOptions};
use terrane_state::Operation;

use crate::args::{Destroy, Guard, Parallelism, Selection};
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::Session;
use crate::workflow::apply::{Request, plan_and_apply};
use crate::workflow::confirmation::Confirmation;
use crate::workflow::plan_source::Fresh;

pub(super) async fn run(session: &Session<'_>, arguments: Destroy) -> Result<Exit, CommandError> {
    let Destroy {
        selection: Selection { targets, excludes },
        refresh,
        parallelism: Parallelism { parallelism },
        details,
        yes,
    } = arguments;
    let request = Request {
        operation: Operation::Apply,
        source: Fresh(PlanOptions {
            mode: PlanMode::Destroy,
            targets,
            excludes,
            refresh: refresh.into(),
            ..PlanOptions::default()
        }),
        parallelism,
        confirmation: Confirmation::from(yes),
        question: "Destroy all of these? There is no undo.",
        guard: Guard::default(),
        details: details.into(),
    };
    plan_and_apply(session, request).await
}
