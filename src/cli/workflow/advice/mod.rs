//! Advice beside a plan: renames that would destroy objects, and deletions that a cloud would refuse half-way.

pub(crate) mod moves;
mod obstacles;

use terrane_core::{Diagnostics, Program, Severity};
use terrane_engine::{Contents, Plan};

use crate::error::CommandError;
use crate::exit_code::Exit;

/// Everything that a person should know before they confirm that plan.
pub(crate) fn on(plan: &Plan, contents: &[Contents]) -> Diagnostics {
    let moves = moves::looked_for(&plan.changes);
    let obstacles = obstacles::found(&plan.changes, contents);
    moves.into_iter().chain(obstacles).collect()
}

/// Everything that a person should know of a plan that is not applied now.
pub(crate) fn on_preview(plan: &Plan, program: &Program, contents: &[Contents]) -> Diagnostics {
    let full = obstacles::full(program, contents).map(|mut full| {
        full.severity = Severity::Warning;
        full
    });
    on(plan, contents).into_iter().chain(full).collect()
}

/// Refuses a plan of which it is known that it fails half-way. `so_far` is said of the changes before.
pub(crate) fn check(
    program: &Program,
    contents: &[Contents],
    so_far: &'static str,
) -> Result<(), CommandError> {
    match obstacles::full(program, contents) {
        Some(error) => Err(CommandError::new(Exit::DENIED, error.hint(so_far))),
        None => Ok(()),
    }
}
