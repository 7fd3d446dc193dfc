//! A run on the page: the plan, then how it ended.

use terrane_core::Diagnostics;
use terrane_engine::{Event, PlanMode};

use super::HtmlView;
use crate::view::text::{closed, partial, refreshed, totals};
use crate::view::{AppliedRun, ClosedRun, Outputs, ProgressView, RunView, ShownPlan, Tracker};

impl ProgressView for HtmlView {
    fn event(&self, event: &Event, _: &Tracker) {
        // Nobody watches a file; what failed comes as diagnostics.
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

impl RunView for HtmlView {
    fn begin(&self) -> Result<(), Diagnostics> {
        // A file that cannot be written is known before anything is changed.
        self.write()
    }

    /// They are written with the plan, or with the end of the run.
    fn diagnostics(&self, diagnostics: &Diagnostics) {
        self.document().add(diagnostics);
    }

    fn planned(&self, shown: &ShownPlan<'_>) {
        self.document().show(shown);
        // A full disk must not end a run that changes objects.
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

    /// They are not for everybody who reads a page.
    fn outputs(&self, _: &Outputs) {}

    fn closed(&self, run: &ClosedRun<'_>) {
        let ended = run.partial.as_ref();
        let ended = ended.map(|(applied, skipped)| partial(applied, skipped));
        let state = run.closed.map(|state| closed(state, run.took));
        self.document()
            .result
            .extend(ended.into_iter().chain(state));
        let _ = self.write();
    }
}
