//! A run in the comment: the plan, then how it ended.

use terrane_core::Diagnostics;
use terrane_engine::{Event, PlanMode};

use super::MarkdownView;
use crate::view::text::{closed, partial, refreshed, totals};
use crate::view::{AppliedRun, ClosedRun, Outputs, ProgressView, RunView, ShownPlan, Tracker};

impl ProgressView for MarkdownView {
    fn event(&self, event: &Event, _: &Tracker) {
        // Nobody watches a comment; what failed comes as diagnostics.
        match event {
            Event::ProviderStarting { .. }
            | Event::ProviderReady { .. }
            | Event::RecoveryStarted { .. }
            | Event::RecoveryWaiting { .. }
            | Event::PlanStarted { .. }
            | Event::RefreshStarted { .. }
            | Event::RefreshDone { .. }
            | Event::InstancePlanned { .. }
            | Event::InstanceDeferred(_)
            | Event::ApplyStarted { .. }
            | Event::StepStarted(_)
            | Event::StepDone { .. }
            | Event::StepFailed { .. }
            | Event::StepSkipped(_)
            | Event::Action { .. }
            | Event::Diagnostic(_)
            | Event::Stopping { .. } => {}
        }
    }

    fn tick(&self, _: &Tracker) {}

    fn pause(&self) {}
}

impl RunView for MarkdownView {
    fn begin(&self) -> Result<(), Diagnostics> {
        // A file that cannot be written is known before anything is changed.
        self.write()
    }

    fn diagnostics(&self, diagnostics: &Diagnostics) {
        self.document().add(diagnostics);
        // A full disk must not end a run that changes objects.
        let _ = self.write();
    }

    fn planned(&self, shown: &ShownPlan<'_>) {
        self.document().show(shown);
        let _ = self.write();
    }

    fn applied(&self, run: &AppliedRun<'_>) {
        if run.is_complete {
            let sentence = match run.mode {
                PlanMode::RefreshOnly => refreshed(run.recorded),
                mode => totals(mode, &run.applied.done),
            };
            self.document().result.push(sentence);
        }
    }

    /// They are not for everybody who reads a pull request.
    fn outputs(&self, _: &Outputs) {}

    fn closed(&self, run: &ClosedRun<'_>) {
        let ended = run.partial.as_ref();
        let ended = ended.map(|(applied, skipped)| partial(applied, skipped));
        let state = run.closed.map(|state| closed(state, run.took));
        self.document()
            .result
            .extend(ended.into_iter().chain(state));
        let _ = self.write();
        let _ = self.add_to_summary();
    }
}
