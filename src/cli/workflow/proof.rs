//! Proof that a move between two states changes nothing: the programs are planned on the states as they will be.
//!
//! A change that a program planned before the move as well is no matter of the move. Whatever else a program would do, and anything at
//! all about the instances that move, refuses it.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;

use terrane_core::addr::InstanceAddr;
use terrane_core::{Diagnostic, Diagnostics};
use terrane_deploy::make_plan;
use terrane_engine::{Action, Plan, PlanOptions, RefreshPolicy, ResourceChange};
use terrane_fleet::planned_exports;
use terrane_state::State;

use super::plan::Machine;
use crate::error::CommandError;
use crate::session::Session;
use crate::signals::Signals;
use crate::view::printable::{counted, one_line};

/// Objects are read side by side, as a preview does.
const PARALLELISM: NonZeroUsize = NonZeroUsize::new(10).unwrap();

/// A stack whose state a move changes.
pub(crate) struct Side<'a> {
    pub(crate) session: &'a Session<'a>,
    pub(crate) before: State,
    pub(crate) after: State,
}

/// Refuses a move that would make a program plan a change. Tells what was proved.
pub(crate) async fn prove(
    mut sides: Vec<Side<'_>>,
    moved: &BTreeSet<InstanceAddr>,
    signals: &Signals,
) -> Result<(), CommandError> {
    // What a producer exports once the move is done is what its consumers get.
    sides.sort_by_key(|side| side.session.level());
    let mut refused = Diagnostics::new();
    let mut others = 0;
    for (place, side) in sides.iter().enumerate() {
        let options = PlanOptions::default();
        let plan = planned(side.session, &side.after, &options, signals).await?;
        for later in &sides[place + 1..] {
            let exports = planned_exports(&plan);
            later.session.use_exports(side.session.stack, exports);
        }
        let changes: Vec<&ResourceChange> = plan.changes.iter().filter(|it| counts(it)).collect();
        if changes.is_empty() {
            continue;
        }
        // Whatever it planned before, it plans without looking at the objects again.
        let options = PlanOptions {
            refresh: RefreshPolicy::Nothing,
            ..PlanOptions::default()
        };
        let before = planned(side.session, &side.before, &options, signals).await?;
        let known = |change: &ResourceChange| {
            let mut before = before.changes.iter();
            !moved.contains(&*change.address)
                && before.any(|it| it.address == change.address && it.action == change.action)
        };
        let (old, new): (Vec<_>, Vec<_>) = changes.into_iter().partition(|it| known(it));
        others += old.len();
        refused.extend(
            new.into_iter()
                .map(|change| described(side.session, change)),
        );
    }
    if !refused.is_empty() {
        let hint = "nothing was moved; make the declarations equal to the objects, or move them all the same with `--unproven`";
        return Err(Diagnostics::from_iter(refused.into_iter().map(|it| it.hint(hint))).into());
    }
    if let Some(first) = sides.first() {
        let who = match sides.len() {
            1 => "this program plans".to_owned(),
            _ => "both programs plan".to_owned(),
        };
        first.session.note(&match others {
            0 => format!("proved: {who} nothing after the move\n"),
            count => format!(
                "proved: after the move {who} nothing but {} that it planned before\n",
                counted(count, "change")
            ),
        });
    }
    Ok(())
}

/// Whether something is done to an object.
fn counts(change: &ResourceChange) -> bool {
    !matches!(change.action, Action::NoOp | Action::Read)
}

fn described(session: &Session<'_>, change: &ResourceChange) -> Diagnostic {
    let address = one_line(&change.address.to_string());
    let caused = Diagnostic::error(format!(
        "after the move {} would {} {address}",
        session.stack,
        change.action.verb()
    ));
    let caused = caused.address(&change.address);
    Diagnostic {
        location: change.location,
        ..caused
    }
}

/// The plan of a program on that state.
async fn planned(
    session: &Session<'_>,
    state: &State,
    options: &PlanOptions,
    signals: &Signals,
) -> Result<Plan, CommandError> {
    let program = session.program().await?;
    let providers = session.providers(&program).await?;
    let machine = Machine::default();
    let feed = session.silent_feed();
    let engine = machine.engine(&providers, &feed, PARALLELISM, session);
    let redeclare = async |values| session.redeclared(&program, values).await;
    let cancellation = signals.cancellation();
    let planned = make_plan(&engine, cancellation, &program, state, options, redeclare).await;
    engine.close().await;
    Ok(planned?.1)
}
