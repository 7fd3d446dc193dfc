//! `up`: plan, show, ask, apply; or apply a saved plan.

use terrane_deploy::FreshPlan;
use terrane_state::Operation;

use crate::args::{Approving, Parallelism, Up};
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::Session;
use crate::workflow::apply::{Applying, Request, plan_and_apply};
use crate::workflow::confirmation::Confirmation;
use crate::workflow::{approval, cost, saved};

pub(super) async fn run(session: &Session<'_>, arguments: Up) -> Result<Exit, CommandError> {
    let Up {
        plan,
        planning,
        guard,
        parallelism: Parallelism { parallelism },
        pricing,
        plan_digest: Approving { plan_digest },
        details,
        yes,
    } = arguments;
    planning.check()?;
    let approved = approval::read(plan_digest.as_ref())?;
    let confirmation = Confirmation::new(yes, approved.is_some());
    let applying = Applying {
        parallelism,
        guard,
        approved,
        prices: cost::read(&pricing)?,
        details: details.into(),
    };
    if let Some(file) = plan {
        return saved::apply(session, &file, applying).await;
    }
    let request = Request {
        operation: Operation::Apply,
        source: FreshPlan(planning.options(false)),
        confirmation,
        question: "Make these changes?",
        applying,
    };
    plan_and_apply(session, request).await
}
