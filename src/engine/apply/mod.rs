//! Applies a plan: walks the step graph, and records each intent before and each result after its call.

mod actions;
mod applier;
mod create;
mod destroy;
mod exports;
mod failed;
mod inputs;
mod intent;
mod known;
mod outcome;
mod visitor;

pub(crate) use applier::Applier;
pub(crate) use inputs::Inputs;

use terrane_core::Diagnostics;
use terrane_core::addr::InstanceAddr;
use terrane_state::RecordError;

use crate::change::Summary;

/// The result of applying a plan.
#[derive(Debug, Clone, Default)]
pub struct Applied {
    /// The changes that were made, counted as plans count (a replacement once, when both halves are done).
    pub done: Summary,
    /// Steps that succeeded.
    pub succeeded: usize,
    /// Steps that failed.
    pub failed: usize,
    /// Steps not attempted, because something they need failed or the run was stopped.
    pub skipped: usize,
    /// Operations without an answer: maybe done. Their intents stay open.
    pub unknown: Vec<InstanceAddr>,
    /// Errors and warnings, those of failed steps included.
    pub diagnostics: Diagnostics,
    /// The run was stopped from outside.
    pub interrupted: bool,
    /// The journal could not be written, or this run no longer owns the stack.
    pub record_error: Option<RecordError>,
}

impl Applied {
    /// Whether every step succeeded.
    pub fn is_complete(&self) -> bool {
        self.failed == 0
            && self.skipped == 0
            && self.unknown.is_empty()
            && self.record_error.is_none()
            && !self.interrupted
            && !self.diagnostics.has_errors()
    }

    /// The result of this plan and of the one that was applied after it.
    #[must_use]
    pub fn and(mut self, next: Self) -> Self {
        self.done = self.done.plus(next.done);
        self.succeeded += next.succeeded;
        self.failed += next.failed;
        self.skipped += next.skipped;
        self.unknown.extend(next.unknown);
        self.diagnostics.extend(next.diagnostics);
        self.interrupted |= next.interrupted;
        self.record_error = self.record_error.or(next.record_error);
        self
    }
}
