//! Operations of an earlier run whose end nobody saw: what is settled by reading, and what waits for a person.

use terrane_core::{Diagnostic, Diagnostics};
use terrane_engine::{Plan, PlanOptions, RefreshPolicy};
use terrane_state::{IntentAction, OpenIntent, Recorder as _, Resolution, Resolve, Run};

use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::{open_text, run_error};

/// One warning for each.
pub(super) fn warnings(open: &[OpenIntent]) -> Diagnostics {
    open.iter()
        .map(|open| described(open, Diagnostic::warning))
        .collect()
}

fn described(open: &OpenIntent, severity: impl Fn(String) -> Diagnostic) -> Diagnostic {
    let address = &open.intent.address;
    severity(format!("{address} is in doubt"))
        .detail(open_text(open))
        .address(address)
}

/// Refuses to plan where something may have been made that the state does not know: it would be made twice.
pub(super) fn refuse_unknown_creations(open: &[OpenIntent]) -> Result<(), CommandError> {
    let creations = open
        .iter()
        .filter(|open| open.intent.action == IntentAction::Create);
    let diagnostics: Diagnostics = creations
        .map(|open| {
            let address = &open.intent.address;
            described(open, Diagnostic::error).hint(format!(
                "look whether it exists; if it does not, say so with `state resolve '{address}' --absent`, and it is made anew"
            ))
        })
        .collect();
    if diagnostics.is_empty() {
        return Ok(());
    }
    Err(CommandError {
        exit: Exit::UNRESOLVED,
        diagnostics,
    })
}

/// A plan that read everything has seen what became of updates and removals: the state it rests on is the truth again.
pub(super) async fn settle_by_reading(
    run: &Run,
    plan: &Plan,
    options: &PlanOptions,
) -> Result<(), CommandError> {
    let read_all = options.refresh == RefreshPolicy::All
        && options.targets.is_empty()
        && options.excludes.is_empty();
    if !read_all {
        return Ok(());
    }
    for open in run.open_intents() {
        let Some(how) = resolution(&open, plan) else {
            continue;
        };
        let intent = open.intent;
        let resolve = Resolve {
            op: intent.op,
            how,
            evidence: "read before planning".to_owned(),
            who: "recovery".to_owned(),
            instance: run.instance(&intent.address),
            address: intent.address,
            changes_state: false,
        };
        run.resolve(resolve)
            .await
            .map_err(|error| run_error(&error.into()))?;
    }
    Ok(())
}

/// What reading showed; `None` where it cannot show anything.
fn resolution(open: &OpenIntent, plan: &Plan) -> Option<Resolution> {
    let there = plan.refreshed().instance(&open.intent.address).is_some();
    match open.intent.action {
        IntentAction::Update => Some(Resolution::Refreshed),
        IntentAction::Delete if there => Some(Resolution::Refreshed),
        IntentAction::Delete => Some(Resolution::Deleted),
        IntentAction::Create | IntentAction::Import => None,
    }
}
