//! Advice beside a plan: renames that would destroy objects, and deletions that a cloud would refuse half-way.

mod moves;
mod obstacles;

use terrane_core::Diagnostics;
use terrane_engine::{Contents, Plan};

/// Everything that a person should know before they confirm that plan.
pub(crate) fn on(plan: &Plan, contents: &[Contents]) -> Diagnostics {
    let moves = moves::looked_for(&plan.changes);
    let obstacles = obstacles::found(&plan.changes, contents);
    moves.into_iter().chain(obstacles).collect()
}
