//! `up`: plan, show, ask, apply; or apply a saved plan.

use terrane_state::Operation;

use crate::args::{Parallelism, Up};
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::Session;
use crate::workflow::apply::{Request, plan_and_apply};
use crate::workflow::confirmation::Confirmation;
use crate::workflow::plan_source::Fresh;
use crate::workflow::saved;

pub(super) async fn run(session: &Session<'_>, arguments: Up) -> Result<Exit, CommandError> {
    let Up {
        plan,
        planning,
        guard,
        parallelism: Parallelism { parallelism },
        details,
        yes,
    } = arguments;
    if let Some(file) = plan {
        return saved::apply(session, &file, parallelism, guard, details.into()).await;
    }
    let request = Request {
        operation: Operation::Apply,
        source: Fresh(planning.options(false)),
        parallelism,
        confirmation: Confirmation::from(yes),
        question: "Make these changes?",
        guard,
        details: details.into(),
    };
    plan_and_apply(session, request).await
}
