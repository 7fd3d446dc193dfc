//! A plan as a text that changes only with the plan: what snapshots of tests are made of.

use terrane_core::Program;
use terrane_engine::Plan;

use super::painter::Painter;
use super::plan::PlanText;
use crate::view::Place;
use crate::view::outline::Outline;

/// A plan as `preview --details` shows it, without the place of its state and without lines of the source. Secrets are hidden.
pub fn plan_text(plan: &Plan, program: &Program) -> String {
    let text = PlanText {
        outline: &Outline::still(plan, program),
        place: &Place::default(),
        policies: &[],
        cost: None,
        painter: Painter::PLAIN,
        columns: None,
    };
    text.body()
}
